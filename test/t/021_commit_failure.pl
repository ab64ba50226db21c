# A commit that fails after the answer was computed: no wallet ever sees that answer, and
# what it asked for can be asked again. All through the real proxy.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Faults;
use Issuer;
use ProxyClient;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('commits', conf => 'restart_after_crash = on');
my $node = $issuer->{node};
# a slow machine must not outlast it
$issuer->sql_as('registry', q(SELECT openid4vci.vci_alter_issuer('{"retry_window": 3600}')));
my $proxy = new_proxy();

sub new_proxy
{
	return proxy_start($dir, '--pool', 4, '--conninfo',
		$node->connstr('postgres') . ' user=wallet_endpoint');
}

sub ask
{
	my (@request) = @_;
	return http_ask(http_connect($proxy), @request);
}

sub redeem
{
	my ($offer) = @_;
	return http_answer(ask(Issuer::token_request($offer->{code})));
}

sub request_credential
{
	my ($token) = @_;
	return http_answer(ask(Issuer::credential_request($token, Issuer::credential_body('Open'))));
}

sub is_no_answer
{
	my ($answer, $status, $what) = @_;
	is($answer->{status}, $status, "$what: the wallet sees $status");
	unlike($answer->{body}, qr/access_token|credential/, "$what: and nothing of the answer");
	return;
}

sub state_of
{
	my ($offer) = @_;
	return $issuer->sql("SELECT state,
		(SELECT count(*) FROM openid4vci.vci_token WHERE offer_id = o.id),
		(SELECT count(*) FROM openid4vci.vci_credential WHERE offer_id = o.id)
		FROM openid4vci.vci_offer_info AS o WHERE id = $offer->{offer_id}");
}

sub serves_again
{
	my ($offer, $what) = @_;
	is(state_of($offer), 'pending|0|0', "$what: nothing has happened");
	is(redeem($offer)->{status}, 200, "$what: the code is still good");
	is(state_of($offer), 'redeemed|1|0', "$what: and now it is redeemed");
	return;
}

subtest 'an error at the commit of a token' => sub {
	my $offer = $issuer->offer;
	at_commit($issuer, 'vci_offer', "RAISE EXCEPTION 'not today'");
	is_no_answer(redeem($offer), 500, 'error at commit');
	at_commit_no_more($issuer);
	serves_again($offer, 'error at commit');
};

subtest 'an error at the commit of a credential' => sub {
	my $offer = $issuer->offer('', 'Open');
	my $token = redeem($offer)->{json}{access_token};
	at_commit($issuer, 'vci_credential', "RAISE EXCEPTION 'not today'");
	is_no_answer(request_credential($token), 500, 'error at commit');
	is(state_of($offer), 'redeemed|1|0', 'nothing was issued');
	at_commit_no_more($issuer);
	is(request_credential($token)->{status}, 200, 'the token is still good');
	is(state_of($offer), 'redeemed|1|1', 'and now it is issued');
};

subtest 'a serialization failure at the commit' => sub {
	my $conflict = "RAISE EXCEPTION 'again' USING ERRCODE = 'serialization_failure'";
	my $offer = $issuer->offer;
	at_commit($issuer, 'vci_offer', "IF nextval('public.commits') < 3 THEN $conflict; END IF");
	is(redeem($offer)->{status}, 200, 'the proxy tries again, until it succeeds');
	is($issuer->sql('SELECT last_value FROM public.commits'), 3, 'at the third attempt');
	is(state_of($offer), 'redeemed|1|0', 'it is redeemed once');
	at_commit_no_more($issuer);
	$offer = $issuer->offer;
	at_commit($issuer, 'vci_offer', $conflict);
	is_no_answer(redeem($offer), 503, 'conflict at each commit');
	at_commit_no_more($issuer);
	serves_again($offer, 'conflict at each commit');
};

subtest 'a backend that is ended at the commit' => sub {
	my $offer = $issuer->offer;
	at_commit($issuer, 'vci_offer', $hold);
	my $holder = hold_commits($issuer);
	my $socket = ask(Issuer::token_request($offer->{code}));
	$issuer->sql('SELECT pg_terminate_backend(' . held_backend($issuer, $socket) . ')');
	is_no_answer(http_answer($socket), 503, 'terminated backend');
	$holder->finish;
	at_commit_no_more($issuer);
	serves_again($offer, 'terminated backend');
};

subtest 'a backend that crashes at the commit' => sub {
	my $offer = $issuer->offer;
	at_commit($issuer, 'vci_offer', $hold);
	my $holder = hold_commits($issuer);
	my $socket = ask(Issuer::token_request($offer->{code}));
	kill_backend(held_backend($issuer, $socket));
	is_no_answer(http_answer($socket), 503, 'crashed backend');
	$holder->finish;
	await_server($issuer);
	await_proxy($proxy);
	at_commit_no_more($issuer);
	serves_again($offer, 'crashed backend');
};

subtest 'the whole server dies' => sub {
	my $redeemed = $issuer->offer;
	my $issued = $issuer->offer('', 'Open');
	my $interrupted = $issuer->offer;
	is(redeem($redeemed)->{status}, 200, 'one offer is redeemed before');
	my $token = redeem($issued)->{json}{access_token};
	is(request_credential($token)->{status}, 200, 'another one is issued before');

	at_commit($issuer, 'vci_offer', $hold);
	my $holder = hold_commits($issuer);
	my $socket = ask(Issuer::token_request($interrupted->{code}));
	held_backend($issuer, $socket);
	kill_server($issuer);
	is_no_answer(http_answer($socket), 503, 'dead server');
	$holder->finish;
	is_no_answer(redeem($interrupted), 503, 'no server');

	$node->start;
	await_proxy($proxy);
	pass('the proxy recovers by itself');
	at_commit_no_more($issuer);
	is(state_of($redeemed), 'redeemed|1|0', 'what was acknowledged stays');
	is(redeem($redeemed)->{json}{error}, 'invalid_grant', 'a redeemed code stays redeemed');
	is(state_of($issued), 'redeemed|1|1', 'what was issued stays issued');
	is(request_credential($token)->{status}, 200, 'a lost credential can be fetched again');
	is(state_of($issued), 'redeemed|1|1', 'from the same record');
	serves_again($interrupted, 'dead server');
};

subtest 'the proxy dies while the database commits' => sub {
	my $offer = $issuer->offer;
	at_commit($issuer, 'vci_offer', $hold);
	my $holder = hold_commits($issuer);
	my $socket = ask(Issuer::token_request($offer->{code}));
	held_backend($issuer, $socket);
	proxy_stop($proxy, 'KILL');
	is(http_answer($socket)->{status}, 0, 'the wallet sees no answer');
	$holder->finish;
	$issuer->await("NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')");
	at_commit_no_more($issuer);
	my $state = state_of($offer);
	like($state, qr/^(redeemed\|1|pending\|0)\|0$/, "the offer is whole: $state");
	$proxy = new_proxy();
	if ($state eq 'redeemed|1|0')
	{
		is(redeem($offer)->{json}{error}, 'invalid_grant', 'its code is used up');
		$issuer->sql_as('registry', "SELECT openid4vci.vci_reopen_offer($offer->{offer_id})");
		my $link = $issuer->sql_as('registry', "SELECT openid4vci.vci_offer_uri($offer->{offer_id})");
		$link =~ /pre-authorized_code%22%3A%22([A-Za-z0-9_-]+)/;
		$offer->{code} = $1;
	}
	is(redeem($offer)->{status}, 200, 'the beneficiary gets it after all');
};

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
