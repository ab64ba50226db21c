# The volume of the write-ahead log is full while wallets redeem and fetch, as it happens when a
# replication slot is forgotten: wallets are put off, and when there is room again the server
# recovers, all that they saw as 200 is there, and issuance goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Issuer;
use ProxyClient;

# A small volume for a user that is not root: a tmpfs in a user namespace of our own, and within
# it another one, where the server is not root either.
my @own_namespace = ('unshare', '--user', '--map-root-user', '--mount');
my ($out, $err) = ('', '');
my $allowed = eval
{
	IPC::Run::run([ @own_namespace, 'sh', '-c', 'mount -t tmpfs none /tmp && unshare --user true' ],
		'<', \undef, '>', \$out, '2>', \$err);
};
plan skip_all => "needs mounts in a user namespace, which are refused here: $err$@" if !$allowed;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('full', initdb => ['--wal-segsize=1'], conf => <<'CONF');
wal_level = replica
max_wal_senders = 2
min_wal_size = 2MB
max_wal_size = 4MB
restart_after_crash = on
CONF
my $node = $issuer->{node};
Crowd::prepare($issuer);
# keeps every segment from now on
$issuer->sql("SELECT pg_create_physical_replication_slot('forgotten', true)");
$node->stop;

my $wal = $node->data_dir . '/pg_wal';
my $ballast = "$wal/ballast";
my $shell;
my $shell_in = '';
my $shell_out = '';

# A shell that sees the small volume in place of pg_wal, and lives as long as it.
sub enter_volume
{
	my $uid = $<;
	my $gid = $( + 0;
	my $script = <<"SH";
set -e
cp -a $wal $dir/wal
mount -t tmpfs -o size=24m,mode=0700 none $wal
cp -a $dir/wal/. $wal/
exec unshare --user --map-user=$uid --map-group=$gid sh
SH
	$shell = IPC::Run::start([ @own_namespace, 'sh', '-c', $script ],
		'<', \$shell_in, '>', \$shell_out, '2>', \my $ignored);
	return;
}

# What a command printed there.
sub inside
{
	my ($command) = @_;
	$shell_out = '';
	$shell_in .= "$command\necho \"done \$?\"\n";
	$shell->pump while $shell_out !~ /^done \d+\n/m;
	return $shell_out;
}

sub start_inside
{
	my $logfile = $node->logfile;
	return inside('pg_ctl -w -D ' . $node->data_dir . " -l $logfile start </dev/null >/dev/null 2>&1");
}

# The framework does not know of a server that it did not start.
END
{
	my $status = $?;
	if ($shell)
	{
		eval { inside('pg_ctl -D ' . $node->data_dir . ' -m immediate stop </dev/null >/dev/null 2>&1') };
		$shell->kill_kill;
	}
	$? = $status;
}

sub log_matches
{
	my ($pattern) = @_;
	return slurp_file($node->logfile) =~ $pattern;
}

enter_volume();
inside("head -c 4194304 /dev/zero >$ballast");
start_inside();
await_server($issuer);
my $proxy = proxy_start($dir, '--pool', 6, '--conninfo',
	$node->connstr('postgres') . ' user=wallet_endpoint');
my $crowd = Crowd->start($issuer, $proxy, $dir, 4);
$crowd->give(200);
$crowd->await_credentials(10);

my $full = qr/PANIC: .*No space left on device/;
# somebody else's work
$node->psql('postgres', q{SELECT count(pg_logical_emit_message(true, 'log', repeat('x', 300000)))
	FROM generate_series(1, 100)}) while !log_matches($full);
pass('the volume is full');
cmp_ok($crowd->under_way, '>', 0, 'while wallets are under way');
my @seen = $crowd->seen;
select undef, undef, undef, 0.1 while $crowd->under_way && !$crowd->failures_seen;
cmp_ok(scalar($crowd->failures_seen), '>', 0, 'they are put off');

like(inside("rm $ballast"), qr/^done 0$/m, 'somebody makes room');
while (scalar($node->psql('postgres', 'SELECT 1')) != 0)
{
	# it may have given up meanwhile
	start_inside() if !server_processes($node);
	select undef, undef, undef, 0.1;
}
$issuer->sql("SELECT pg_drop_replication_slot('forgotten')");
is(Crowd::lost($issuer, @seen), '', 'what wallets saw before is there');
is(Crowd::contradictions($issuer), '', 'each step happened wholly or not at all');
my $reopened = $crowd->settle;
$crowd->finish;
note(scalar($crowd->failures_seen), " requests sent again, $reopened offers opened again");
is($crowd->surprises, '', 'wallets saw nothing but 200, 503 and hangups');
is(Crowd::lost($issuer, $crowd->seen), '', 'what they saw later is there');
is(Crowd::contradictions($issuer), '', 'and agrees');
is(scalar($crowd->credentials_seen), scalar(keys %{ $crowd->{offers} }),
	'each has its credential in the end');
is_deeply([ keys %{ $crowd->replay_all } ], ['400 invalid_grant'], 'no code is good once more');

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
