# openid4vci.root_key_command: when it runs, what it may do wrong, and that nothing of it is
# left behind: no process, no zombie, no output in an error.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use Issuer;

my $issuer = Issuer->start_server('command', conf => "max_worker_processes = 16\n");
my $node = $issuer->{node};
my $dir = $node->basedir;
my $key = slurp_file($issuer->{root_key}) =~ s/\s//gr;
my $other_key = join '', map { sprintf '%02x', int rand 256 } 1 .. 32;
my $runs = "$dir/runs";
my $counted = "echo \$PPID >>$runs; cat $dir/keys";

sub write_text
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	return;
}

# What the README tells: a reload is enough, and on 15 the library must be loaded first.
sub set_command
{
	my ($command, $timeout) = @_;
	$timeout //= 10;
	my $text = Issuer::literal($command);
	$issuer->sql($_) for "LOAD 'openid4vci'; ALTER SYSTEM SET openid4vci.root_key_command = $text",
	  "LOAD 'openid4vci'; ALTER SYSTEM SET openid4vci.root_key_command_timeout = $timeout";
	$node->reload;
	$issuer->await("SELECT current_setting('openid4vci.root_key_command') = $text
		AND current_setting('openid4vci.root_key_command_timeout') = '${timeout}s'
		FROM openid4vci.vci_duty_issuers('reporter')") if $issuer->{installed};
	return;
}

# The processes that ran the command since the last call of this.
sub runs
{
	my @pids = -e $runs ? split /\n/, slurp_file($runs) : ();
	unlink $runs;
	return @pids;
}

my $sign = q{SELECT length(openid4vci.vci_issue_sdjwt('Open', '{"a": 1}')) > 100};

# Children of the asking backend, zombies too.
my $children = q{SELECT count(*) FROM pg_ls_dir('/proc') AS d
	WHERE d ~ '^\d+$' AND pg_read_file('/proc/' || d || '/stat', 0, 300, true)
		~ format('^\d+ \(.*\) \w %s ', pg_backend_pid())};

write_text("$dir/keys", "$key\n");
unlink $issuer->{root_key};
set_command($counted);
$issuer->install;
$issuer->{installed} = 1;

subtest 'a command instead of the file' => sub {
	$issuer->create_issuer('https://issuer.example');
	is($issuer->sql($sign), 't', 'without a file, a restart or a preload, credentials are signed');
	is($issuer->sql("SELECT ok, detail FROM openid4vci.vci_health() WHERE \"check\" = 'root_key'"),
		't|the root key can be read', 'vci_health says so');
	runs();
	is($issuer->sql("$sign; $sign; SELECT openid4vci.vci_create_key() IS NOT NULL; $sign; $children"),
		"t\nt\nt\nt\n0", 'a session signs and seals');
	is(scalar runs(), 1, 'and has run the command once');
	$issuer->sql($sign);
	is(scalar runs(), 1, 'another session runs it itself');
	is($issuer->sql("$sign; SET openid4vci.root_key_command = 'cat $dir/keys'; $sign;
			SET openid4vci.root_key_command = " . Issuer::literal($counted)
			. '; SELECT openid4vci.vci_create_key() IS NOT NULL'),
		"t\nt\nt", 'another command is another run');
	is(scalar runs(), 2, 'so nothing is kept of the former one');
};

subtest 'what the command finds' => sub {
	set_command("{ ls -l /proc/self/fd; cat /proc/self/status; cut -d ' ' -f 5 /proc/self/stat; "
		. "echo \$\$; } >$dir/found; cat; echo told to the log >&2; cat $dir/keys");
	is($issuer->sql($sign), 't', 'its standard input is empty');
	my $found = slurp_file("$dir/found");
	my $data = $node->data_dir;
	unlike($found, qr{\Q$data\E|socket:}, 'no file and no connection of the server is open');
	like($found, qr/^SigBlk:\s*0+$/m, 'no signal is blocked');
	my ($ignored) = $found =~ /^SigIgn:\s*([0-9a-f]+)$/m;
	is(hex($ignored) & 0x7fffffff, 0, 'nor ignored (but those that the C library keeps to itself)');
	my ($group, $shell) = $found =~ /^(\d+)\n(\d+)\n\z/m;
	is($group, $shell, 'it leads a process group');
	like(slurp_file($node->logfile), qr/^told to the log$/m, 'what it says stands in the server log');
};

sub refused
{
	my ($title, $command, $detail, $timeout) = @_;
	set_command($command, $timeout);
	my $error = $issuer->error_of('registry', "SELECT openid4vci.vci_offer_uri(1) UNION ALL
		SELECT openid4vci.vci_create_key()");
	my $create = $issuer->error_of('registry', 'SELECT openid4vci.vci_create_key()');
	like($create, qr/ERROR:  55000: there is no usable root key\nDETAIL:  openid4vci\.root_key_command: $detail\.\n/,
		"$title: refused");
	like($create, qr/HINT:  As the server's user, it must print .*ALTER SYSTEM SET openid4vci\.root_key_command/s,
		"$title: the hint shows what to do");
	unlike("$create$error", qr/Sesame|$key/, "$title: nothing that it printed is shown");
	like($issuer->sql("SELECT ok, detail FROM openid4vci.vci_health() WHERE \"check\" = 'root_key'"),
		qr/^f\|no usable root key: openid4vci\.root_key_command: $detail$/, "$title: vci_health says so");
	my $offer = Issuer::http_statement(Issuer::token_request('no code'));
	like($issuer->error_of('wallet_endpoint', $offer), qr/55000: there is no usable root key/,
		"$title: a wallet is not told that its code is wrong");
	return;
}

refused('a command that fails', "cat $dir/keys; exit 3", 'it ended with exit status 3');
refused('a command that is not there', '/nonexistent/Sesame', 'it ended with exit status 127');
refused('a command that dies', "cat $dir/keys; kill -9 \$\$", 'it was ended by signal 9');
refused('no output', 'true', 'no root key: expected a line of 64 hexadecimal digits');
refused('another output', 'echo Sesame', 'line 1: expected a root key of 64 hexadecimal digits, got 6 characters');
refused('nine keys', 'for n in 1 2 3 4 5 6 7 8 9; do printf "%064d\n" $n; done',
	'line 9: expected at most 8 root keys');
refused('too much output', "cat $dir/keys; yes Sesame", 'it printed more than 4 kB');

sub gone
{
	my ($title) = @_;
	my @pids = split /\n/, slurp_file("$dir/pids");
	cmp_ok(scalar @pids, '>=', 2, "$title: the command had begun");
	my $deadline = time + 180;
	sleep 0.05 while time < $deadline && grep { kill 0, $_ } @pids;
	is(scalar(grep { kill 0, $_ } @pids), 0, "$title: no process of it is left");
	unlink "$dir/pids";
	return;
}

my $slow = "echo \$\$ >>$dir/pids; sleep 1000 & echo \$! >>$dir/pids; wait; cat $dir/keys";
refused('a command that takes too long', $slow, 'it did not end within 1 seconds', 1);
gone('too long');
refused('a command that closes its output and stays', "cat $dir/keys; exec >&-; $slow",
	'it did not end within 1 seconds', 1);
gone('stays');
refused('a command whose child holds the output', "cat $dir/keys; echo \$\$ >>$dir/pids; sleep 1000 & echo \$! >>$dir/pids",
	'it did not end within 1 seconds', 1);
gone('its child');

subtest 'a query that waits for the command can be cancelled' => sub {
	set_command($slow, 500);
	my ($out, $err) = ('', '');
	$node->psql('postgres', "SET statement_timeout = '1s'; SELECT openid4vci.vci_create_key();
		RESET statement_timeout; $children", stdout => \$out, stderr => \$err, on_error_stop => 0);
	like($err, qr/canceling statement due to statement timeout/, 'by a timeout');
	is($out, 0, 'no zombie is left');
	gone('cancelled');
	my $waiting = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c',
		'SELECT openid4vci.vci_create_key()' ], '<', \undef, '>', \$out, '2>', \$err);
	sleep 0.05 until -e "$dir/pids" && slurp_file("$dir/pids") =~ /\n.*\n/;
	$issuer->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE query LIKE '%vci_create_key%' AND pid <> pg_backend_pid()});
	$waiting->finish;
	like($err, qr/terminating connection/, 'by ending its session');
	gone('terminated');
};

subtest 'no zombie after failures' => sub {
	set_command('exit 1');
	my ($out, $err) = ('', '');
	$node->psql('postgres', "SELECT openid4vci.vci_create_key(); SELECT openid4vci.vci_create_key();
		SET openid4vci.root_key_command = 'cat $dir/keys'; $sign; $children",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	is($out, "t\n0", 'and a session that failed goes on');
};

subtest 'a key that is missing among those kept' => sub {
	set_command($counted);
	runs();
	my $lost = q{UPDATE openid4vci.vci_issuer SET root_key_id = '0123456789abcdef'};
	my ($out, $err) = ('', '');
	$node->psql('postgres', "$sign; BEGIN; $lost; SAVEPOINT s; $sign; ROLLBACK TO s; $sign; ROLLBACK; $sign",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	is($out, "t\nt", 'fails while it is missing');
	like($err, qr/the root key that sealed this issuer data key is not there.*\nDETAIL:  It was sealed under root key 0123456789abcdef/,
		'which the error names');
	is(scalar runs(), 2, 'the command is asked once more, and not at every call');

	# rotated by another session while this one has the old key alone
	my ($in, $said) = ("$sign;\n", '');
	my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$said, '2>', \$err);
	$session->pump until $said =~ /t\n/;
	write_text("$dir/keys", "$other_key\n$key\n");
	like($issuer->sql('SELECT openid4vci.vci_rotate_root_key()'), qr/^[2-9]$/, 'rotated');
	write_text("$dir/keys", "$other_key\n");
	is($issuer->sql($sign), 't', 'the old key may go');
	$in .= "$sign; SELECT 'end';\n";
	$session->pump until $said =~ /end/;
	$session->finish;
	is($said, "t\nt\nend\n", 'a session that kept the old key alone finds the new one') or diag($err);
};

# A root key that leaked, or goes the day after, must not seal a new signing key.
subtest 'a session that kept the former key seals under the new one' => sub {
	my $new_key = join '', map { sprintf '%02x', int rand 256 } 1 .. 32;
	my ($in, $said, $err) = ("$sign;\n", '', '');
	my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$said, '2>', \$err);
	$session->pump until $said =~ /t\n/;
	write_text("$dir/keys", "$new_key\n$other_key\n");
	like($issuer->sql('SELECT openid4vci.vci_rotate_root_key()'), qr/^[2-9]$/, 'rotated');
	$in .= q{SELECT 'key', length(openid4vci.vci_create_key(state => 'next'));
		SELECT 'issuer', openid4vci.vci_create_issuer('https://late.example') > 0; SELECT 'end';} . "\n";
	$session->pump until $said =~ /end/;
	$session->finish;
	like($said, qr/key\|43\nissuer\|t\n/, 'a key and an issuer are made') or diag($err);
	is($issuer->sql('SELECT count(DISTINCT root_key_id) FROM (SELECT root_key_id FROM openid4vci.vci_key
			UNION ALL SELECT root_key_id FROM openid4vci.vci_issuer) AS s'), 1, 'under the same root key');
	$issuer->sql("SELECT openid4vci.vci_retire_issuer('https://late.example')");
	write_text("$dir/keys", "$other_key\n$key\n$new_key\n");
	$issuer->sql('SELECT openid4vci.vci_rotate_root_key()');
};

subtest 'parallel workers' => sub {
	$issuer->sql(<<'SQL');
CREATE TABLE public.entitlement AS SELECT n AS id FROM generate_series(1, 3000) AS n;
ANALYZE public.entitlement;
CREATE FUNCTION public.my_pid() RETURNS integer LANGUAGE plpgsql PARALLEL SAFE AS
'BEGIN RETURN pg_backend_pid(); END';
SQL
	runs();
	my $issue = "SELECT public.my_pid() AS pid, openid4vci.vci_issue_sdjwt('Open',
		jsonb_build_object('id', id)) AS credential FROM public.entitlement";
	my $pids = $issuer->sql(<<"SQL");
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SELECT string_agg(DISTINCT pid::text, ' ' ORDER BY pid::text), count(DISTINCT credential),
	bool_and(pid <> pg_backend_pid()) FROM ($issue) AS issued;
SQL
	my ($workers, $credentials, $elsewhere) = split /\|/, $pids;
	is("$credentials $elsewhere", '3000 t', 'each credential is made in a worker');
	cmp_ok(scalar(split / /, $workers), '>', 1, 'by more than one');
	is(join(' ', sort(runs())), $workers, 'each worker has run the command once');
};

# Before the library is loaded SET only makes a placeholder: loading must throw it away.
subtest 'who may set and see it' => sub {
	my $me = $issuer->sql('SELECT current_user');
	$issuer->sql('CREATE ROLE plain LOGIN');
	like($issuer->error_of($me, "LOAD 'openid4vci'; SET ROLE plain; SET openid4vci.root_key_command = 'true'"),
		qr/permission denied to set parameter/, 'nobody but a superuser sets it');
	like($issuer->error_of($me, "LOAD 'openid4vci'; SET ROLE plain; SHOW openid4vci.root_key_command"),
		qr/42501: must be superuser|42501: permission denied to examine/, 'or sees it');
	is($issuer->sql("SET ROLE plain; SET openid4vci.root_key_command = 'touch $dir/intruded';
			SET openid4vci.root_key_command_timeout = 500; RESET ROLE; $sign;
			SHOW openid4vci.root_key_command_timeout"),
		"t\n10s", 'not even before the library is there');
	like($issuer->error_of('plain', "ALTER ROLE plain SET openid4vci.root_key_command = 'touch $dir/intruded'"),
		qr/permission denied to set parameter/, 'nor for a later session');
	ok(!-e "$dir/intruded", 'so it ran nothing');
};

subtest 'back to the file' => sub {
	write_text($issuer->{root_key}, "$other_key\n");
	chmod 0400, $issuer->{root_key};
	set_command('');
	runs();
	is($issuer->sql($sign), 't', 'an empty command is none');
	is(scalar runs(), 0, 'and nothing ran');
};

$node->stop;
done_testing();
