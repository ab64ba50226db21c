# The root key file: what is accepted, what is refused, and what an operator reads then.
use strict;
use warnings;

use File::Temp qw(tempdir);
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key_dir = tempdir(CLEANUP => 1);
my $key_file = "$key_dir/root.key";
my $hex = join '', map { sprintf '%02x', int(rand 256) } 1 .. 32;
my $second_hex = join '', map { sprintf '%02x', int(rand 256) } 1 .. 32;

my $node = PostgreSQL::Test::Cluster->new('root_key');
my $wal_dir = tempdir(CLEANUP => 1) . '/wal';
$node->init(extra => [ '--encoding=UTF8', '--locale=C', "--waldir=$wal_dir" ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION openid4vci');

sub write_key
{
	my ($path, $text, $mode) = @_;
	unlink $path;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file;
	chmod $mode, $path;
}

sub set_file
{
	my ($path) = @_;
	# what the README tells: on 15 the library must be loaded before ALTER SYSTEM knows its setting
	$node->safe_psql('postgres',
		"LOAD 'openid4vci'; ALTER SYSTEM SET openid4vci.root_key_file = '$path'");
	$node->reload;
}

sub create_issuer
{
	my ($url) = @_;
	my ($out, $err) = ('', '');
	my $status = $node->psql('postgres', "SELECT openid4vci.vci_create_issuer('$url')",
		stdout => \$out, stderr => \$err);
	return ($status, $err);
}

sub refused
{
	my ($title, $detail) = @_;
	my ($status, $err) = create_issuer('https://registry.example');
	ok($status != 0 && $err =~ /there is no usable root key/, "$title: refused")
		or diag("status $status: $err");
	like($err, $detail, "$title: the detail says why");
	like($err, qr/HINT:.*openssl rand -hex 32/, "$title: the hint shows what to type");
	unlike($err, qr/$hex/, "$title: the key itself is not shown");
	is($node->safe_psql('postgres', "SELECT ok FROM openid4vci.vci_health() WHERE \"check\" = 'root_key'"),
		'f', "$title: vci_health says so");
}

set_file("$key_dir/absent");
refused('a file that is not there', qr/can't be read/);

write_key($key_file, "$hex\n", 0644);
set_file($key_file);
refused('a file that others may read', qr/chmod 0400/);

write_key($key_file, "$hex\n", 0640);
refused('a file of the server\'s user that its group may read', qr/group or others/);

write_key($key_file, '', 0600);
refused('an empty file', qr/\S/);

write_key($key_file, substr($hex, 0, 62) . "\n", 0600);
refused('a key that is too short', qr/line 1/i);

write_key($key_file, ('#' x 5000) . "\n$hex\n", 0600);
refused('a file over 4 kB', qr/4 kB/);

my $inside = $node->data_dir . '/root.key';
write_key($inside, "$hex\n", 0600);
set_file($inside);
refused('a file inside the data directory', qr/inside the data directory/);

symlink $inside, "$key_dir/link" or die $!;
set_file("$key_dir/link");
refused('a link into the data directory', qr/inside the data directory/);

my $tablespace = tempdir(CLEANUP => 1);
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$tablespace'");
for my $place ([ 'a tablespace', $tablespace ], [ 'the WAL directory', $wal_dir ])
{
	write_key("$place->[1]/root.key", "$hex\n", 0600);
	set_file("$place->[1]/root.key");
	refused("a file inside $place->[0]", qr/inside $place->[0]/);
	unlink "$place->[1]/root.key";
}

POSIX::mkfifo("$key_dir/pipe", 0600) or die $!;
set_file("$key_dir/pipe");
refused('a pipe that nobody writes to', qr/not a regular file/);

mkdir "$key_dir/folder" or die $!;
set_file("$key_dir/folder");
refused('a folder', qr/not a regular file/);

set_file('root.key');
refused('a relative path', qr/absolute path/);

write_key($key_file, "# made for a test\n\n$hex\n", 0600);
symlink $key_file, "$key_dir/mounted" or die $!;
set_file("$key_dir/mounted");
my ($status, $err) = create_issuer('https://registry.example');
is($status, 0, 'behind a link, a private file with a comment and one key is accepted without a restart') or diag($err);
set_file($key_file);
$node->safe_psql('postgres', 'SELECT openid4vci.vci_create_key()');

write_key($key_file, "$second_hex\n$hex\n", 0600);
is($node->safe_psql('postgres', q{
	SELECT openid4vci.vci_create_configuration('Simple', 'https://registry.example/simple', binding => 'optional');
	SELECT length(openid4vci.vci_issue_sdjwt('Simple', '{"a": 1}')) > 100}), "Simple\nt",
	'with a new first line the former key still opens what it sealed');
is($node->safe_psql('postgres', q{
	SELECT openid4vci.vci_create_key() IS NOT NULL;
	SELECT count(DISTINCT root_key_id) FROM openid4vci.vci_key}), "t\n2",
	'and what is new is sealed under the first line');

my $sign = q{SELECT length(openid4vci.vci_issue_sdjwt('Simple', '{"a": 1}')) > 100};
my $health = q{SELECT ok, detail FROM openid4vci.vci_health() WHERE "check" = 'root_key'};
my $sealed = q{SELECT string_agg(md5(t.sealed || t.root_key_id::bytea), ' ' ORDER BY t.sealed) FROM (
	SELECT data_key, root_key_id FROM openid4vci.vci_issuer UNION ALL
	SELECT private_key, root_key_id FROM openid4vci.vci_key UNION ALL
	SELECT event_key, root_key_id FROM openid4vci.vci_database) AS t (sealed, root_key_id)};

write_key($key_file, "$second_hex\n", 0600);
my ($out, $missing) = ('', '');
$status = $node->psql('postgres', $sign, stdout => \$out, stderr => \$missing);
isnt($status, 0, 'without the key that sealed the secrets nothing is issued');
like($missing, qr/the root key that sealed this .* is not there/, 'and the error says which is missing');
like($node->safe_psql('postgres', $health), qr/^f\|rows that no root key here opens: \d+; add the key/,
	'vci_health says so');
is($node->safe_psql('postgres',
	q{SELECT status FROM openid4vci.vci_http('GET', '/.well-known/openid-credential-issuer')}), '200',
	'metadata needs no root key');

# Rotation: everything goes under the first key, or nothing.
my $before = $node->safe_psql('postgres', $sealed);
$status = $node->psql('postgres', 'SELECT openid4vci.vci_rotate_root_key()', stderr => \$missing);
like($missing, qr/the root key that sealed this .* is not there/, 'without the old key nothing can be sealed anew');
is($node->safe_psql('postgres', $sealed), $before, 'and nothing was');

# Another server's root key, put here by mistake, is taken away soon.
write_key($key_file, 'ab' x 32 . "\n", 0600);
for my $call ('vci_create_key()', "vci_create_key(state => 'next')", 'vci_seal_events()')
{
	$node->psql('postgres', "SELECT openid4vci.$call", stderr => \$missing);
	like($missing, qr/the root key that sealed this issuer data key is not there.*HINT:  Add that key/s,
		"$call seals nothing under a root key that opens nothing here");
}
$node->safe_psql('postgres', 'SELECT openid4vci.vci_purge()');
is($node->safe_psql('postgres', $sealed), $before, 'nor does vci_purge');
write_key($key_file, "$second_hex\n$hex\n", 0600);
$node->safe_psql('postgres', 'SELECT openid4vci.vci_seal_events()');
$node->safe_psql('postgres', q{SELECT openid4vci.vci_create_issuer('https://retired.example');
	SELECT openid4vci.vci_retire_issuer('https://retired.example')});
write_key($key_file, "$hex\n$second_hex\n", 0600);
like($node->safe_psql('postgres', $health),
	qr/^t\|the root key can be read; rows sealed under an earlier one: 3; SELECT openid4vci\.vci_rotate_root_key\(\)/,
	'vci_health counts what another than the first key seals');
my ($in, $said) = ("$sign;\n", '');
my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$said);
$session->pump until $said =~ /t\n/;
is($node->safe_psql('postgres', 'SELECT openid4vci.vci_rotate_root_key()'), 3,
	'signing keys, the seals\' key and issuers, retired ones too, are sealed anew');
is($node->safe_psql('postgres', $health), 't|the root key can be read', 'then vci_health has nothing to tell');
is($node->safe_psql('postgres', 'SELECT openid4vci.vci_rotate_root_key()'), 0, 'a second time there is nothing to do');
is($node->safe_psql('postgres', q{SELECT count(*), min(actor) = current_user
	FROM openid4vci.vci_event_info WHERE kind = 'root_key_rotated'}), '1|t', 'one event tells of it');
write_key($key_file, "$hex\n", 0600);
is($node->safe_psql('postgres', "$sign; SELECT openid4vci.vci_offer_uri(offer_id) IS NOT NULL
		FROM openid4vci.vci_create_offer('{Simple}', claims => '{}')"), "t\nt", 'the other key may go');
is($node->safe_psql('postgres', 'SELECT problem IS NULL, events > 0 FROM openid4vci.vci_verify_events()'),
	't|t', 'the seals over the events hold');
$in .= "$sign; SELECT 'end';\n";
$session->pump until $said =~ /end/;
$session->finish;
is($said, "t\nt\nend\n", 'a session that had opened everything before goes on');
$node->psql('postgres', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT openid4vci.vci_rotate_root_key()',
	stderr => \$missing);
like($missing, qr/needs a READ COMMITTED transaction/, 'an old snapshot could miss a row');

# Before the library is loaded SET only makes a placeholder: loading must throw it away.
$node->safe_psql('postgres', 'CREATE ROLE plain');
my $shown = $node->safe_psql('postgres',
	"SET ROLE plain; SET openid4vci.root_key_file = '/tmp/mine'; RESET ROLE; LOAD 'openid4vci'; SHOW openid4vci.root_key_file");
is($shown, $key_file, 'who is no superuser cannot point to another file, not even before the library is there');
$status = $node->psql('postgres', "LOAD 'openid4vci'; SET ROLE plain; SET openid4vci.root_key_file = '/tmp/mine'",
	stderr => \$missing);
isnt($status, 0, 'nor after it');
$status = $node->psql('postgres', "LOAD 'openid4vci'; SET ROLE plain; SHOW openid4vci.root_key_file",
	stderr => \$missing);
isnt($status, 0, 'nor see where it lies');

$node->safe_psql('postgres', q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
$status = $node->psql('latin', 'CREATE EXTENSION openid4vci', stderr => \$missing);
isnt($status, 0, 'a database that is not UTF8 is refused');
like($missing, qr/needs a database with encoding UTF8/, 'and the error says why');

$node->stop;
done_testing();
