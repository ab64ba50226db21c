# Backends and proxies that are killed between an answer and its commit, and under load, and a
# database that is stopped and started under a running proxy: no wallet sees a 200 for what did
# not happen, what it sends again is done once, and nobody has to restart anything.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('backends', conf => 'restart_after_crash = on');
my $node = $issuer->{node};
Crowd::prepare($issuer);
my $proxy = new_proxy();
my $key = Wallet->new_quick;
my $flow = Flow->new($issuer, key => undef, send => sub { http_answer(ask(@_)) });

# A proxy that comes later takes the port of the first.
sub new_proxy
{
	return proxy_start($dir, '--pool', 6, '--port', $proxy ? $proxy->{port} : 0, '--conninfo',
		$node->connstr('postgres') . ' user=wallet_endpoint');
}

sub ask
{
	my (@request) = @_;
	return http_ask(http_connect($proxy), @request);
}

# Every row that a wallet's step can touch.
sub all_rows
{
	return $issuer->sql(join ' UNION ALL ', map {
			"SELECT '$_', md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM openid4vci.$_ AS t"
	} qw(vci_offer vci_token vci_refresh_token vci_credential vci_nonce vci_event));
}

sub count_of
{
	my ($kind, $offer) = @_;
	return $issuer->sql("SELECT count(*) FROM openid4vci.vci_event
		WHERE kind = '$kind' AND offer_id = $offer->{offer_id}");
}

sub tokens_of
{
	my ($offer) = @_;
	return http_answer(ask(Issuer::token_request($offer->{code})))->{json};
}

# The steps that a wallet may repeat: the table whose commit is held up, the event, and how to
# build the request for an offer.
my %steps = (
	'a credential request' => [ 'vci_credential', 'credential_issued',
		sub { $flow->credential_request(tokens_of($_[0])->{access_token}, 'Card', $key) } ],
	'a refresh' => [ 'vci_refresh_token', 'token_refreshed',
		sub { $flow->refresh_request(tokens_of($_[0])->{refresh_token}) } ]);

for my $step (sort keys %steps)
{
	my ($table, $event, $build) = @{ $steps{$step} };

	subtest "the backend of $step is killed between answer and commit" => sub {
		my $offer = $issuer->offer;
		my @request = $build->($offer);
		my $rows = all_rows();
		at_commit($issuer, $table, $hold);
		my $holder = hold_commits($issuer);
		my $socket = ask(@request);
		kill_backend(held_backend($issuer, $socket));
		my $answer = http_answer($socket);
		$holder->finish;
		await_server($issuer);
		await_proxy($proxy);
		at_commit_no_more($issuer);
		is($answer->{status}, 503, 'the wallet is put off');
		unlike($answer->{body}, qr/credentials|token/, 'and sees nothing of the answer');
		is(all_rows(), $rows, 'nothing has happened');
		is($flow->send(@request)->{status}, 200, 'the same bytes are good then');
		is(count_of($event, $offer), 1, 'it is done once');
	};

	subtest "the proxy of $step is killed while the database commits" => sub {
		my $offer = $issuer->offer;
		my @request = $build->($offer);
		at_commit($issuer, $table, $hold);
		my $holder = hold_commits($issuer);
		my $socket = ask(@request);
		held_backend($issuer, $socket);
		proxy_stop($proxy, 'KILL');
		is(http_answer($socket)->{status}, 0, 'the wallet sees no answer');
		$holder->finish;
		$issuer->await("NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')");
		at_commit_no_more($issuer);
		$proxy = new_proxy();
		is($flow->send(@request)->{status}, 200, 'the same bytes get their answer from the next proxy');
		my $repeats = $event eq 'token_refreshed' ? qr/^[12]$/ : qr/^1$/;
		like(count_of($event, $offer), $repeats, 'what is issued is issued once');
		is(Crowd::contradictions($issuer), '', 'all rows agree');
	};
}

# What wallets saw while something was done to the server again and again.
sub is_safe_under
{
	my ($what, $rounds, $do) = @_;
	subtest "$what while wallets redeem and fetch" => sub {
		my $crowd = Crowd->start($issuer, $proxy, $dir, 4);
		for (1 .. $rounds)
		{
			$crowd->keep_busy(60);
			$crowd->await_credentials(3);
			$do->($crowd);
		}
		my $reopened = $crowd->settle;
		$crowd->finish;
		my @failures = $crowd->failures_seen;
		note(scalar(@failures), " requests sent again, $reopened offers opened again");
		cmp_ok(scalar(@failures), '>', 0, 'the wallets noticed');
		is($crowd->surprises, '', 'and saw nothing but 200, 503 and hangups');
		my @unclear = grep { $_->{status} == 503 && !defined $_->{retry_after}
			  && $_->{body} !~ /may or may not have taken effect/ } @failures;
		is(scalar(@unclear), 0, 'each 503 says when to come again, or that it is not known');
		is(Crowd::lost($issuer, $crowd->seen), '', 'what they saw is there');
		is(Crowd::contradictions($issuer), '', 'each step happened wholly or not at all');
		is(scalar($crowd->credentials_seen), scalar(keys %{ $crowd->{offers} }),
			'each has its credential in the end');
		is_deeply([ keys %{ $crowd->replay_all } ], ['400 invalid_grant'], 'no code is good once more');
	};
	return;
}

is_safe_under('proxies are killed', 8, sub {
		proxy_stop($proxy, 'KILL');
		$proxy = new_proxy();
});

is_safe_under('backends are ended, and one is killed', 2, sub {
		my ($crowd) = @_;
		$issuer->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE usename = 'wallet_endpoint'");
		$crowd->await_credentials(2);
		kill_backend($issuer->sql("SELECT min(pid) FROM pg_stat_activity
			WHERE usename = 'wallet_endpoint'"));
		await_server($issuer);
});

sub puts_off
{
	my ($mode) = @_;
	my $nonce = $flow->send('POST', '/api/v1/openid4vci/nonce', [], '');
	is($nonce->{status}, 503, "stopped ($mode): wallets are put off");
	cmp_ok($nonce->{headers}{'retry-after'}, '>', 0, "stopped ($mode): and told when to come again");
	is(http_request($proxy, 'GET', '/readyz')->{status}, 503, "stopped ($mode): not ready");
	return;
}

my @modes = qw(fast immediate);
is_safe_under('the database is stopped and started', scalar @modes, sub {
		my $mode = shift @modes;
		$node->stop($mode);
		puts_off($mode);
		$node->start;
});
is(http_request($proxy, 'GET', '/readyz')->{status}, 200, 'the proxy came back by itself');

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
