# The documents: their SQL runs, what they name exists, what exists is named, and their
# links lead somewhere. SQL that cannot run stands in them as text.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";
use Document;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path("$FindBin::RealBin/../..");
my $proxy = $ENV{OPENID4VCI_PROXY} || "$top/build/openid4vci-proxy";
my @paths = ("$top/README.md", sort glob("$top/docs/*.md"));
my %documents = map { $_ => Document->read($_) } @paths;
my $sql_api = $documents{"$top/docs/sql-api.md"};
my $operations = $documents{"$top/docs/operations.md"};

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
my $root_key = join '/', $node->basedir, 'key';
append_to_file($root_key, join('', map { sprintf '%02x', int rand 256 } 1 .. 32) . "\n");
chmod 0400, $root_key;
$node->append_conf('postgresql.conf', "openid4vci.root_key_file = '$root_key'");
$node->start;

my $fixture = "The examples' registry";
$node->safe_psql('postgres', 'CREATE DATABASE template_docs');

sub sql
{
	return $node->safe_psql('template_docs', $_[0]);
}

# The role is registry, unless the block begins with "-- as superuser" or "-- as ROLE".
sub role_of
{
	my ($text) = @_;
	my ($role) = $text =~ /^-- as (\w+)/;
	return 'registry' if !defined $role;
	return $role eq 'superuser' ? [ getpwuid($>) ]->[0] : $role;
}

sub run_block
{
	my ($path, $block, $database, $role) = @_;
	my ($out, $err) = ('', '');
	my $status = $node->psql($database, $block->{text}, stdout => \$out, stderr => \$err,
		on_error_stop => 1, extra_params => [ '-U', $role ]);
	is($status, 0, basename($path) . " line $block->{line}: the SQL works") or diag($err);
	check_remarks($path, $block, $out);
	return;
}

# What the documents start from, as they tell a reader: the README's database up to its first
# offer, and the examples' registry of sql-api.md.
sub make_fixture
{
	my @first = grep { $_->{text} =~ /CREATE EXTENSION|vci_create_issuer/ }
	  $documents{"$top/README.md"}->blocks('sql');
	is(scalar @first, 2, 'the README makes its first offer in two blocks');
	run_block("$top/README.md", $_, 'template_docs', role_of('-- as superuser')) for @first;
	my @blocks = grep { $_->{section} eq $fixture } $sql_api->blocks('sql');
	cmp_ok(scalar @blocks, '>', 0, "sql-api.md has $fixture");
	run_block("$top/docs/sql-api.md", $_, 'template_docs', role_of($_->{text})) for @blocks;
	return;
}

# A reader has one psql for the blocks of a section: what \gset kept is there in the next one.
sub sessions
{
	my @sessions;
	for my $block (@_)
	{
		my $last = $sessions[-1];
		if ($last && $last->{section} eq $block->{section}
			&& role_of($last->{text}) eq role_of($block->{text}))
		{
			$last->{text} .= $block->{text};
		}
		else { push @sessions, {%$block} }
	}
	return @sessions;
}

sub run_examples
{
	my ($path) = @_;
	my $database = basename($path, '.md') =~ tr/-/_/r;
	my @blocks = grep { $_->{section} ne $fixture } $documents{$path}->blocks('sql');
	return if !@blocks;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template_docs");
	$node->safe_psql($database, 'SELECT openid4vci.vci_adopt_database()'); # a copy is paused
	run_block($path, $_, $database, role_of($_->{text})) for sessions(@blocks);
	return;
}

# "...;   -- word" tells what the statement returns.
sub check_remarks
{
	my ($path, $block, $out) = @_;
	for my $expected ($block->{text} =~ /;[ ]{3}-- (\w+)$/mg)
	{
		like($out, qr/^\Q$expected\E$/m,
			basename($path) . " line $block->{line}: it returns $expected, as it says");
	}
	return;
}

make_fixture();
for my $path (grep { !/README/ } @paths)
{
	run_examples($path);
}
for my $path (grep { $documents{$_}->blocks('sql') && !/README|sql-api|security/ } @paths)
{
	ok((grep { $_ eq 'sql-api.md#the-examples-registry' } $documents{$path}->links),
		basename($path) . ' tells where the things in its examples come from');
}

# The commands that rotate the root key, on another folder and without sudo: the server's
# user can read the result, and the old key is still in it.
{
	my ($rotation) = map { $_->{text} } grep { $_->{text} =~ /openssl rand .*root\.key\.new/s }
	  $operations->blocks('sh');
	my $user = getpwuid($>);
	my $folder = tempdir(CLEANUP => 1);
	append_to_file("$folder/root.key", slurp_file($root_key));
	chmod 0400, "$folder/root.key";
	$rotation =~ s/\bsudo //g;
	$rotation =~ s/-o postgres /-o $user /;
	$rotation =~ s{/etc/openid4vci/}{$folder/}g;
	IPC::Run::run([ 'sh', '-euc', $rotation ]);
	is($?, 0, 'operations.md: the commands that rotate the root key work');
	my @keys = split /\n/, slurp_file("$folder/root.key");
	is(scalar @keys, 2, 'then there are two keys');
	is("$keys[1]\n", slurp_file($root_key), 'the old one stands below');
	is((stat "$folder/root.key")[2] & 07777, 0400, 'and the file is readable by its owner alone');
	is_deeply([ glob "$folder/*" ], ["$folder/root.key"], 'nothing else is left');
}

# The controllers in the documents call these as Odoo's cursor does: literals for %s.
{
	my ($call) = map { /"(SELECT status.*?)"/ } map { $_->{text} }
	  $documents{"$top/docs/guide.md"}->blocks('python');
	my @values = (q{'GET'}, q{'/.well-known/openid-credential-issuer'},
		q{ARRAY['Host', 'registry.example']}, q{''::bytea});
	$call =~ s/%s/shift @values/ge;
	is(scalar @values, 0, 'guide.md: as many values as placeholders');
	like($node->safe_psql('template_docs', $call, extra_params => [ '-U', 'wallet_endpoint' ]),
		qr/^200\|/, 'and the statement answers a request');
}
{
	my @calls = map { /"(SELECT [^"]*)"/g } map { $_->{text} }
	  $documents{"$top/docs/flows.md"}->blocks('python');
	is(scalar @calls, 3, 'flows.md: the portal asks, approves and denies');
	for my $call (@calls)
	{
		my $wanted = () = $call =~ /%s/g;
		my @values = ("'no such ticket'", "'res.partner'", "'7'")[0 .. $wanted - 1];
		$call =~ s/%s/shift @values/ge;
		my $err = '';
		$node->psql('template_docs', $call, stderr => \$err, extra_params => [ '-U', 'registry' ]);
		like($err, qr/^psql:<stdin>:1: ERROR:  .*request/, 'and each is understood')
		  or diag($call);
	}
}

# Names.

my %known = map { $_ => 1 } split /\n/, sql(q{
	SELECT proname FROM pg_proc WHERE pronamespace = 'openid4vci'::regnamespace
	UNION SELECT relname FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace
	UNION SELECT typname FROM pg_type WHERE typnamespace = 'openid4vci'::regnamespace});
my %settings = map { $_ => 1 } split /\n/,
  $node->safe_psql('template_docs', q{
	SELECT set_config('x.x', '', false) WHERE false;
	LOAD 'openid4vci';
	SELECT name FROM pg_settings WHERE name LIKE 'openid4vci.%'});

# odoo.md names what the addons have, too.
my $addons = join '', map { slurp_file($_) }
  split /\n/, qx{find "$top/src/odoo" "$top/test/odoo" -name '*.py' -o -name '*.xml'};
my %of_addons = map { $_ => 1 } $addons =~ /\b((?:openid4vci\.|vci_)[a-z_]+)\b/g;

for my $path (@paths)
{
	my $text = $documents{$path}->text;
	my %also = $path =~ /odoo\.md$/ ? %of_addons : ();
	my @unknown = grep { !$known{$_} && !$also{$_} } sort keys %{ { map { $_ => 1 } $text =~ /\b(vci_[a-z0-9_]+)/g } };
	is("@unknown", '', basename($path) . ': every vci_ name exists');
	my %named = map { $_ => 1 } grep { !/^openid4vci\.(vci_|control$|sql$)/ } $text =~ /\b(openid4vci\.[a-z_]+)/g;
	my @no_setting = grep { !$settings{$_} && !$also{$_} } sort keys %named;
	is("@no_setting", '', basename($path) . ': every setting exists');
}
for my $setting (sort keys %settings)
{
	like($sql_api->{prose}, qr/^\| `\Q$setting\E` \|/m, "sql-api.md has a row for the setting $setting");
}

# What sql-api.md says of each function is what the catalog says.

sub plain
{
	my ($text) = @_;
	$text =~ s/::(?:"[^"]*"|[\w ]+?)(\[\])?(?=[,)]|$| DEFAULT)//g;
	$text =~ s/openid4vci\.//g;
	$text =~ s/\bIN (\w+ \w)/$1/g;
	$text =~ s/timestamp with time zone/timestamptz/g;
	$text =~ s/DEFAULT '\\x'/DEFAULT ''/g;
	$text =~ s/\s+/ /g;
	return $text;
}

my @functions = map { [ split /\t/ ] } split /\n/, sql(q{
	SELECT concat_ws(E'\t', proname, pg_get_function_arguments(oid), pg_get_function_result(oid))
	FROM pg_proc WHERE pronamespace = 'openid4vci'::regnamespace ORDER BY proname});
cmp_ok(scalar @functions, '>', 30, 'the catalog lists the functions');
for my $function (@functions)
{
	my ($name, $arguments, $result) = @$function;
	like($sql_api->{prose}, qr/^\| `$name` \|/m, "sql-api.md has a row for $name");
	# a procedure returns nothing
	my $wanted = plain("$name($arguments)" . (defined $result ? " RETURNS $result" : ''));
	my @signatures = map { plain($_) } $sql_api->{prose} =~ /^### $name\n\n`(.*?)`/msg;
	my ($signature) = grep { $_ eq $wanted } @signatures;
	is($signature // $signatures[0] // '', $wanted, "sql-api.md has the signature of $name");
}

my @relations = map { [ split /\t/ ] } split /\n/, sql(q{
	SELECT concat_ws(E'\t', c.relname, c.relkind,
		(SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a
		 WHERE a.attrelid = c.oid AND a.attnum > 0))
	FROM pg_class c WHERE relnamespace = 'openid4vci'::regnamespace AND relkind IN ('r', 'v', 'c')
	ORDER BY 1});
for my $relation (@relations)
{
	my ($name, $kind, $columns) = @$relation;
	my ($row) = $sql_api->{prose} =~ /^\| `$name` \| (.*) \|$/m;
	ok(defined $row, "sql-api.md has a row for $name") or next;
	next if $kind eq 'r';
	my @named = map { /^(\w+)/ } $row =~ /`([^`]+)`/g;
	is("@named", $columns, "sql-api.md lists the columns of $name");
}

# Settings, endpoints, events: what the sources have, the documents list.

my ($info) = grep { $_->[0] eq 'vci_issuer_info' } @relations;
for my $setting (grep { !/^(id|url|created_at|retired_at)$/ } split / /, $info->[2])
{
	like($sql_api->{prose}, qr/^\| `$setting` \|/m, "sql-api.md has a row for the issuer's setting $setting");
}
my @endpoints = slurp_file("$top/src/protocol/endpoint.c") =~ /^\t\[VCI_ENDPOINT_\w+\] = "(\w+)"/mg;
cmp_ok(scalar @endpoints, '>', 5, 'endpoint.c names the endpoints');
my %places = (landing => '/o', status_list => 'BASE/status-lists');
for my $endpoint (@endpoints)
{
	my $place = $places{$endpoint} // "BASE/$endpoint";
	like($documents{"$top/docs/http-api.md"}{prose}, qr/^\| `\Q$place\E[`\/]/m,
		"http-api.md has a row for the endpoint $endpoint");
}
my @kinds = slurp_file("$top/src/pg/event.h") =~ /^#define VCI_EVENT_\w+\s+"(\w+)"/mg;
cmp_ok(scalar @kinds, '>', 5, 'event.h names the kinds of events');
my @told = $documents{"$top/docs/flows.md"}{prose} =~ /^\| ((?:`\w+`(?:, )?)+) \|/mg;
my %told = map { $_ => 1 } map { /`(\w+)`/g } @told;
is(join(' ', grep { !$told{$_} } @kinds), '', 'flows.md lists every kind of event');

# Why sql-api.md tells to use LATERAL.

sub offers_made_by
{
	my ($statement) = @_;
	my $before = sql('SELECT count(*) FROM openid4vci.vci_offer_info');
	sql($statement);
	return sql('SELECT count(*) FROM openid4vci.vci_offer_info') - $before;
}

my $call = q{openid4vci.vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "1"}')};
is(offers_made_by("SELECT ($call).*"), 8, '(vci_create_offer(...)).* makes eight offers, as sql-api.md warns');
is(offers_made_by("SELECT o.* FROM generate_series(1, 3), LATERAL $call AS o"), 1,
	'LATERAL with constants alone makes one offer for all rows, as it warns, too');
$call =~ s/'\{"entitlementId": "1"\}'/jsonb_build_object('entitlementId', n)/;
is(offers_made_by("SELECT o.* FROM generate_series(1, 3) AS n, LATERAL $call AS o"), 3,
	'LATERAL with a column of the row makes one a row');

# What http-api.md shows is what the endpoints answer.

my $http_api = $documents{"$top/docs/http-api.md"};
my @shown = map { eval { JSON::PP->new->decode($_->{text}) } } $http_api->blocks('json');

sub shown_with
{
	my ($member) = @_;
	my ($found) = grep { exists $_->{$member} } @shown;
	return $found;
}

sub answered
{
	my ($path) = @_;
	return JSON::PP->new->decode(sql(
		"SELECT convert_from(body, 'UTF8') FROM openid4vci.vci_http('GET', '$path')"));
}

sql(q{SELECT openid4vci.vci_create_client('wallet.example', '{https://wallet.example/callback}'),
	openid4vci.vci_alter_issuer('{"login_url": "https://registry.example/portal/consent"}')});
is_deeply(answered('/.well-known/oauth-authorization-server'), shown_with('token_endpoint'),
	'http-api.md shows the authorization server metadata as it is');
sql(q{SELECT openid4vci.vci_alter_configuration('EntitlementCredential', '{"older": []}'),
	openid4vci.vci_retire_configuration('CashEntitlement')});
is_deeply(answered('/.well-known/openid-credential-issuer'), shown_with('credential_endpoint'),
	'http-api.md shows the issuer metadata as it is when no switch is on');
is_deeply([ sort keys %{ answered('/.well-known/jwt-vc-issuer')->{jwks}{keys}[0] } ],
	[ sort keys %{ shown_with('jwks')->{jwks}{keys}[0] } ], 'and the members of a published key');
my @errors = slurp_file("$top/src/pg/report.c") =~ /\(VciOAuthError\)\{(.*?)\}/gs;
for my $code (sort keys %{ { map { $_ => 1 } map { /"(\w+)"/g } @errors } })
{
	next if $code eq 'server_error';    # raised, and never sent
	like($http_api->{prose}, qr/`\Q$code\E`/, "http-api.md names the error $code");
}

# The log settings of security.md keep a code out of the server's log; without them it is in it.

sub code_in_log
{
	my ($proxy_url) = @_;
	my $code = sql(q{SELECT credential_offer #>>
		'{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,pre-authorized_code}'
		FROM openid4vci.vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "1"}')});
	my $from = -s $node->logfile;
	IPC::Run::run([ 'curl', '-sS', '--noproxy', '*', '-o', '/dev/null', "$proxy_url/api/v1/openid4vci/token",
		'-d', 'grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code',
		'-d', "pre-authorized_code=$code" ]);
	my $log = slurp_file($node->logfile, $from);
	# a body is logged in hexadecimal
	return index($log, $code) >= 0 || index($log, unpack('H*', $code)) >= 0;
}

sub log_everything
{
	my (@statements) = @_;
	$node->safe_psql('postgres', $_)
	  for @statements, 'ALTER SYSTEM SET log_min_duration_statement = 0', 'SELECT pg_reload_conf()',
	  q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wallet_endpoint'};
	$node->poll_query_until('postgres', q{SELECT current_setting('log_min_duration_statement') = '0'
		AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'wallet_endpoint')})
	  or die 'the settings do not arrive';
	return;
}

my ($advice) = grep { $_->{text} =~ /log_parameter_max_length/ }
  $documents{"$top/docs/security.md"}->blocks('sql');
my ($host, $port) = ($node->host, $node->port);
my $proxy_says = '';
my $running = IPC::Run::start([ $proxy, '--port', '0', '--conninfo',
	"host=$host port=$port dbname=template_docs user=wallet_endpoint" ], '>', \$proxy_says);
$running->pump until $proxy_says =~ /\n/ || !$running->pumpable;
my ($proxy_url) = $proxy_says =~ m{listening on (http://\S+)};
log_everything(map { "$_;" } grep { /ALTER/ } split /;/, $advice->{text});
ok(!code_in_log($proxy_url), 'with what security.md tells the DBA, no code is in the log of everything');
log_everything('ALTER SYSTEM RESET log_parameter_max_length', 'ALTER ROLE wallet_endpoint RESET ALL');
ok(code_in_log($proxy_url), 'without it, a code is in that log');
$running->signal('TERM');
$running->finish;

# The messages that the troubleshooting table begins with are the program's own.

my %not_ours = map { $_ => 1 } (
	'unrecognized configuration parameter "openid4vci.root_key_file"',
	'role "..." cannot be dropped because some objects depend on it',
	'cannot execute ... in a read-only transaction',
	'permission denied for schema openid4vci',
	'permission denied for function vci_create_offer',
	'function openid4vci.vci_create_offer(...) does not exist',
	'malformed array literal: "EntitlementCredential"',
	'prepared statement ... does not exist');
my $source = join '', map { slurp_file($_) } glob("$top/src/*/*.c"), "$top/sql/openid4vci.sql";
$source =~ s/"\s*\n\s*"//g;
$source =~ s/\\"/"/g;
my ($troubleshooting) = $operations->{prose} =~ /^## Troubleshooting\n(.*)/ms;
for my $symptom ($troubleshooting =~ /^\| ([^|]*) \|/mg)
{
	for my $message (grep { / / && !$not_ours{$_} } $symptom =~ /`([^`]+)`/g)
	{
		my @parts = grep { length } split /\.\.\.|\b\d+\b|openid4vci\.vci_http here/, $message;
		my @absent = grep { my $part = $_; $part =~ s/^\s+|\s+$//g; index($source, $part) < 0 } @parts;
		is("@absent", '', "operations.md: the message \"$message\" is one of ours");
	}
}

# Options, JSON, links.

my $help = '';
IPC::Run::run([ $proxy, '--help' ], '>', \$help);
for my $option (sort keys %{ { map { $_ => 1 } $help =~ /^    (--[\w-]+)/mg } })
{
	next if $option =~ /^--(help|version)$/;
	like($operations->{prose}, qr/^\| `\Q$option\E[ `]/m, "operations.md has a row for $option of the proxy");
}
for my $option ($operations->{prose} =~ /^\| `(--[\w-]+)/mg)
{
	like($help, qr/^    \Q$option\E /m, "the proxy has the option $option that operations.md lists");
}

for my $path (@paths)
{
	for my $block ($documents{$path}->blocks('json'))
	{
		ok(eval { JSON::PP->new->utf8(0)->decode($block->{text}); 1 },
			basename($path) . " line $block->{line}: the JSON is valid") or diag($@);
	}
	for my $link ($documents{$path}->links)
	{
		my ($file, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
		my $target = $file eq '' ? $path : abs_path(dirname($path) . "/$file") // '';
		ok(-e $target, basename($path) . ": the link $link leads to a file") or next;
		next if !defined $anchor;
		my $document = $documents{$target} // Document->read($target);
		ok($document->{anchors}{$anchor}, basename($path) . ": the link $link leads to a heading");
	}
}

$node->stop;
done_testing();
