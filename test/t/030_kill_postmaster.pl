# A server that is killed twenty times while wallets redeem and fetch through the proxy: what a
# wallet saw as 200 is in the tables after recovery, each step happened wholly or not at all,
# no code was redeemed twice, and each wallet gets its one credential in the end. CRASH_ROUNDS
# in the environment makes it another number of times.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Issuer;
use ProxyClient;

my $rounds = $ENV{CRASH_ROUNDS} // 20;
my $dir = PostgreSQL::Test::Utils::tempdir;
# fsync stays off, as the test framework has it: what a killed process wrote is not lost
my $issuer = Issuer->start('killed', conf => 'wal_level = replica');
my $node = $issuer->{node};
Crowd::prepare($issuer);
my $proxy = proxy_start($dir, '--pool', 6, '--conninfo',
	$node->connstr('postgres') . ' user=wallet_endpoint');
my $crowd = Crowd->start($issuer, $proxy, $dir, 6);

# By turns the postmaster alone, whose children end when they notice, and all at once.
my @ways = (\&kill_server, \&kill_whole_server);
for my $round (1 .. $rounds)
{
	$crowd->keep_busy(40);
	$crowd->await_credentials(8);
	my $head = Crowd::sealed_head($issuer);
	$ways[ $round % 2 ]->($issuer);
	my @seen = $crowd->seen;
	$node->start;
	is(Crowd::lost($issuer, @seen), '', "round $round: what wallets saw before is there");
	is(Crowd::contradictions($issuer), '', "round $round: each step happened wholly or not at all");
	is(Crowd::broken_seal($issuer, $head), '', "round $round: the events are as they were sealed");
}

my $reopened = $crowd->settle;
$crowd->finish;
my @seen = $crowd->seen;
note(scalar(@seen), ' lines, ', scalar($crowd->failures_seen), ' requests sent again, ',
	"$reopened offers opened again");
cmp_ok(scalar($crowd->failures_seen), '>=', $rounds, 'the wallets noticed');
is($crowd->surprises, '', 'and saw nothing but 200, 503 and hangups');
is(Crowd::lost($issuer, @seen), '', 'what they saw is there');
is(Crowd::contradictions($issuer), '', 'and agrees');
my $offers = keys %{ $crowd->{offers} };
is(scalar($crowd->credentials_seen), $offers, 'each wallet got its credential in the end');
is($issuer->sql('SELECT count(*) FROM openid4vci.vci_credential'), $offers, 'one an offer');
is_deeply($crowd->replay_all, { '400 invalid_grant' => $offers }, 'no code is good once more');

is(Crowd::broken_seal($issuer, Crowd::sealed_head($issuer)), '', 'all events are sealed');
is($issuer->sql('SELECT sum(events) FROM openid4vci.vci_event_seal'),
	$issuer->sql('SELECT count(*) FROM openid4vci.vci_event'), 'each once');

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
