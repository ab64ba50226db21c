# A hot standby behind its own proxy serves what needs no write and puts off the rest. With
# synchronous replication all that a wallet saw as 200 outlives the primary. Without it the last
# transactions may be lost, and vci_after_restore is what keeps their codes from working twice.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $base = '/api/v1/openid4vci';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('first', allows_streaming => 1);
Flow::prepare($issuer);
Crowd::prepare($issuer);
my $key = Wallet->new_quick;

# A standby of this issuer's server, as an issuer whose url it shares.
sub standby_of
{
	my ($primary, $name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$primary->{node}->backup($name);
	$node->init_from_backup($primary->{node}, $name, has_streaming => 1);
	$node->start;
	return bless { %$primary, node => $node }, ref $primary;
}

sub caught_up
{
	my ($primary, $standby) = @_;
	my $node = $primary->{node};
	$node->wait_for_catchup($standby->{node}, 'replay', $node->lsn('insert'));
	return;
}

# As docs/operations.md has it: the proxy follows the server that takes writes.
sub proxy_of
{
	my (@issuers) = @_;
	my @nodes = map { $_->{node} } @issuers;
	my $conninfo = 'host=' . join(',', map { $_->host } @nodes)
	  . ' port=' . join(',', map { $_->port } @nodes) . ' dbname=postgres user=wallet_endpoint';
	$conninfo .= ' target_session_attrs=read-write' if @nodes > 1;
	return proxy_start($dir, '--pool', 6, '--conninfo', $conninfo);
}

my $standby = standby_of($issuer, 'second');

subtest 'a standby behind its own proxy' => sub {
	my $proxy = proxy_of($standby);
	my $send = sub {
		my (@request) = @_;
		return http_answer(http_ask(http_connect($proxy), @request), $request[0]);
	};
	my $there = Flow->new($standby, key => undef, send => $send);
	my $here = Flow->new($issuer, key => undef);

	my $offer = $issuer->offer;
	my $ticket = $here->login_ticket(scope => 'slow');
	my $tokens = $here->tokens;
	my $deferral = $here->deferral($key);
	caught_up($issuer, $standby);
	my ($reference) = $offer->{credential_offer_uri_by_reference} =~ m{offer%2F([\w-]+)};
	for my $path ('/.well-known/openid-credential-issuer', '/.well-known/oauth-authorization-server',
		'/.well-known/jwt-vc-issuer', "$base/jwks", "$base/offer/$reference")
	{
		is($send->('GET', $path, [], '')->{status}, 200, "serves $path");
	}
	is($send->('POST', "$base/nonce", [], '')->{status}, 200, 'serves a c_nonce');
	is(http_request($proxy, 'GET', '/readyz')->{status}, 200, 'is ready for that');

	my $nonce = $send->('POST', "$base/nonce", [], '')->{json}{c_nonce};
	my $proof = $key->proof(aud => $issuer->{url}, nonce => $nonce);
	my %writes = (
		'the token endpoint (code)' => [ Issuer::token_request($offer->{code}) ],
		'the token endpoint (refresh)' => [ $there->refresh_request($tokens->{refresh_token}) ],
		'the credential endpoint' => [ Issuer::credential_request($tokens->{access_token},
				Issuer::credential_body('Card', $proof)) ],
		'the deferred credential endpoint' =>
		  [ $there->deferred_request(@$deferral{qw(token transaction)}) ],
		'the notification endpoint' =>
		  [ $there->notification_request($tokens->{access_token}, 'x', 'credential_accepted') ],
		'the PAR endpoint' => [ $there->push_request(scope => 'slow') ],
		'the authorization endpoint' => [ $there->open_request('urn:none') ]);
	for my $what (sort keys %writes)
	{
		my $answer = $send->(@{ $writes{$what} });
		is($answer->{status}, 503, "$what: 503");
		like($answer->{headers}{'retry-after'}, qr/^\d+$/, "$what: Retry-After");
	}
	like($standby->sql_as('registry',
			"SELECT ok, detail FROM openid4vci.vci_health() WHERE \"check\" = 'writable'"),
		qr/^f\|this server is read-only/, 'vci_health says why');
	is($issuer->token($offer)->{status}, 200, 'on the primary the code is still good');
	is($issuer->credential($tokens->{access_token}, Issuer::credential_body('Card', $proof))->{status},
		200, 'where a c_nonce of the standby is taken, too');
	is(proxy_stop($proxy), 0, 'the proxy stops in order');
};

my $proxy = proxy_of($issuer, $standby);

# Makes the standby the issuer of record, as an operator does when the primary is gone.
sub take_over
{
	my ($other) = @_;
	$other->{node}->promote;
	$other->await('NOT pg_is_in_recovery()');
	await_proxy($proxy);
	return;
}

# NULL goes back to what postgresql.conf says.
sub set_system
{
	my ($server, $name, $value) = @_;
	$server->sql("ALTER SYSTEM " . (defined $value ? "SET $name = '$value'" : "RESET $name"));
	$server->sql('SELECT pg_reload_conf()');
	return;
}

sub cut_off
{
	my ($other) = @_;
	set_system($other, 'primary_conninfo', '');
	$other->await('NOT EXISTS (SELECT FROM pg_stat_wal_receiver)');
	return;
}

sub begin_synchronous_replication
{
	set_system($issuer, 'synchronous_standby_names', 'second');
	$issuer->await("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')");
	return;
}

subtest 'synchronous replication: an answer waits for the standby' => sub {
	begin_synchronous_replication();
	my $offer = $issuer->offer;
	cut_off($standby);
	my $socket = http_ask(http_connect($proxy), Issuer::token_request($offer->{code}));
	$issuer->await("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')");
	ok(!IO::Select->new($socket)->can_read(0), 'none comes while the standby has not got it');
	set_system($standby, 'primary_conninfo', undef);
	is(http_answer($socket)->{status}, 200, 'it comes when the standby has');
};

subtest 'synchronous replication: no 200 is lost with the primary' => sub {
	begin_synchronous_replication();
	my $crowd = Crowd->start($issuer, $proxy, $dir, 4);
	$crowd->give(150);
	$crowd->await_credentials(20);
	my $head = Crowd::sealed_head($issuer);
	# so that steps are committed at the primary alone, whose wallets wait in vain
	cut_off($standby);
	$issuer->await("4 = (SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep')");
	kill_whole_server($issuer);
	my @seen = $crowd->seen;
	cmp_ok($crowd->under_way, '>', 0, 'wallets were under way');
	take_over($standby);
	cmp_ok(scalar($crowd->failures_seen), '>=', 4, 'each was told that it is not known');
	is(Crowd::lost($standby, @seen), '', 'what wallets saw at the primary is on the standby');
	is(Crowd::contradictions($standby), '', 'each step happened wholly or not at all');
	is(Crowd::broken_seal($standby, $head), '', 'the events are there as they were sealed');
	$crowd->{issuer} = $standby;
	my $reopened = $crowd->settle;
	$crowd->finish;
	note(scalar($crowd->failures_seen), " requests sent again, $reopened offers opened again");
	is($crowd->surprises, '', 'wallets saw nothing but 200, 503 and hangups');
	is(Crowd::lost($standby, $crowd->seen), '', 'what they saw later is there');
	is(scalar($crowd->credentials_seen), scalar(keys %{ $crowd->{offers} }),
		'each has its credential in the end');
	is_deeply([ keys %{ $crowd->replay_all } ], ['400 invalid_grant'], 'no code is good once more');
	is(Crowd::contradictions($standby), '', 'all rows agree');
};

# The standby is the primary now, and a new one follows it.
$issuer = $standby;
set_system($issuer, $_, undef) for qw(synchronous_standby_names primary_conninfo);
$standby = standby_of($issuer, 'third');
is(proxy_stop($proxy), 0, 'the proxy stops in order');
$proxy = proxy_of($issuer, $standby);

sub state_of
{
	my ($offer) = @_;
	return $standby->sql("SELECT state FROM openid4vci.vci_offer_info WHERE id = $offer->{offer_id}");
}

subtest 'asynchronous replication: what may be lost, and what to do then' => sub {
	my @offers = map { $issuer->offer('', 'Open') } 1 .. 2;
	my $redeemed = $issuer->offer('', 'Open');
	my $token = $issuer->token($redeemed)->{json}{access_token};
	caught_up($issuer, $standby);
	cut_off($standby);
	for my $offer (@offers)
	{
		my $lost = $issuer->token($offer)->{json}{access_token};
		is($issuer->credential($lost, Issuer::credential_body('Open'))->{status}, 200,
			'issued at the primary, and not received by the standby');
	}
	is($issuer->credential($token, Issuer::credential_body('Open'))->{status}, 200,
		'so is one of a token that was given before');
	my $late = $issuer->offer('', 'Open');
	my $head = Crowd::sealed_head($issuer);
	kill_whole_server($issuer);
	take_over($standby);

	is(state_of($offers[0]), 'pending', 'the new primary does not know');
	is($standby->sql('SELECT count(*) FROM openid4vci.vci_credential WHERE offer_id = '
				. $redeemed->{offer_id}), 0, 'neither of that credential');
	isnt(Crowd::broken_seal($standby, $head), '', 'but who kept the head of the events sees a loss');
	is($standby->token($offers[0])->{status}, 200,
		'the danger: a code that was redeemed is good once more');
	my $cut = $standby->sql('SELECT pg_last_xact_replay_timestamp()');
	my $dead = $standby->sql_as('registry', "SELECT * FROM openid4vci.vci_after_restore('$cut')");
	like($dead, qr/^\d+\|\d+$/, "vci_after_restore: $dead offers pending and redeemed");
	is($standby->token($offers[1])->{json}{error}, 'invalid_grant', 'after it such a code is dead');
	is($standby->credential($token, Issuer::credential_body('Open'))->{status}, 401,
		'so is such a token');
	is($standby->token($late)->{json}{error}, 'invalid_grant', 'and the code of a forgotten offer');
	my $link = $standby->sql_as('registry', "SELECT openid4vci.vci_offer_uri($offers[1]{offer_id})");
	my ($code) = $link =~ /pre-authorized_code%22%3A%22([\w-]+)/;
	is($standby->token($code)->{status}, 200, 'who is sent the new link can redeem it');
	is($standby->token($standby->offer)->{status}, 200, 'new offers are as ever');
};

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
