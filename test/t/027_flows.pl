# The ways that begin at a wallet's own client, through the proxy: authorization code with
# PAR, PKCE and DPoP, refresh, deferred, notification. Then each of them by many clients at
# the same moment: what must happen once happens once, and nobody gets an answer that the
# protocol does not know.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $crowd = 50;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('flows');
Flow::prepare($issuer);
my $proxy = proxy_start($dir, '--pool', $crowd, '--conninfo',
	$issuer->{node}->connstr('postgres') . ' user=wallet_endpoint');

sub through_proxy
{
	my (@request) = @_;
	return http_answer(http_ask(http_connect($proxy), @request), $request[0]);
}

my $key = Wallet->new($dir);
my $quick_key = Wallet->new_quick;
my $bound = Flow->new($issuer, key => $key, send => \&through_proxy);
my $plain = Flow->new($issuer, send => \&through_proxy);

sub payload_of
{
	my ($credential) = @_;
	return decode_json(decode_base64url((split /\./, $credential)[1]));
}

sub is_refused
{
	my ($answer, $status, $error, $what) = @_;
	is("$answer->{status} " . ($answer->{json}{error} // ''), "$status $error", $what);
	return;
}

my $last_event = 0;

# Kinds of the events since the last look.
sub new_events
{
	my $rows = $issuer->sql_as('registry', "SELECT id, kind FROM openid4vci.vci_events($last_event)");
	my @kinds;
	for my $row (split /\n/, $rows)
	{
		($last_event, my $kind) = split /\|/, $row;
		push @kinds, $kind;
	}
	return "@kinds";
}

sub count_of
{
	my ($table, $offer_id) = @_;
	return $issuer->sql("SELECT count(*) FROM openid4vci.$table WHERE offer_id = $offer_id");
}

# By time: each session draws ids ahead, so a later row may have a lower one.
sub last_offer
{
	return $issuer->sql('SELECT id FROM openid4vci.vci_offer ORDER BY created_at DESC LIMIT 1');
}

sub complete_last
{
	my ($claims) = @_;
	$issuer->sql_as('registry', 'SELECT openid4vci.vci_deferred_complete(id, '
		  . ($claims ? Issuer::literal($claims) : 'NULL')
		  . ') FROM openid4vci.vci_deferred_info ORDER BY created_at DESC LIMIT 1');
	return;
}

subtest 'one wallet on the whole way' => sub {
	new_events();
	my $pushed = $bound->send($bound->push_request(scope => 'slow'));
	is($pushed->{status}, 201, 'its request is pushed, with a proof of its key');
	my $opened = $bound->send($bound->open_request($pushed->{json}{request_uri}));
	is($opened->{status}, 303, 'the browser opens it');
	my ($ticket) =
	  $opened->{headers}{location} =~ m{^https://portal\.example/login\?request=([\w-]+)$};
	ok($ticket, 'and is sent to the login page') or return;
	my $url = $issuer->sql_as('registry',
		Flow::approval_statement($ticket, 8, { name => 'Ben' }));
	like($url, qr/^\Q$Flow::callback\E\?.*state=of%20the%20wallet/, 'the person approves');
	like($url, qr/[?&]iss=https%3A%2F%2Fissuer\.example(&|$)/, 'the redirect names the issuer');
	my $code = Flow::code_in($url);

	is_refused($plain->send($plain->code_request($code)), 400, 'invalid_dpop_proof',
		'without a proof of the key the code is worth nothing');
	my $thief = Flow->new($issuer, key => $quick_key, send => \&through_proxy);
	is_refused($thief->send($thief->code_request($code)), 400, 'invalid_grant',
		'with another key neither');
	is_refused($bound->send($bound->code_request($code, code_verifier => 'x' x 43)), 400,
		'invalid_grant', 'nor with another verifier');
	my $tokens = $bound->send($bound->code_request($code));
	is($tokens->{status}, 200, 'the wallet itself gets tokens');
	is($tokens->{json}{token_type}, 'DPoP', 'bound to its key');
	my ($token, $refresh) = @{ $tokens->{json} }{qw(access_token refresh_token)};

	is_refused($plain->send($plain->credential_request($token, 'Slow', $key)), 401,
		'invalid_token', 'as a bearer token it is worth nothing');
	my $later = $bound->send($bound->credential_request($token, 'Slow', $key));
	is($later->{status}, 202, 'the credential is asked for, and takes its time');
	my $transaction = $later->{json}{transaction_id};
	my $poll = $bound->send($bound->deferred_request($token, $transaction));
	is_deeply([ $poll->{status}, $poll->{json}{transaction_id} ], [ 202, $transaction ], 'not yet');
	cmp_ok($poll->{json}{interval}, '>', 0, 'with an interval');
	complete_last('{"name": "Benjamin"}');
	my $ready = $bound->send($bound->deferred_request($token, $transaction));
	is($ready->{status}, 200, 'decided by the registry, it is there');
	my $credential = $ready->{json}{credentials}[0]{credential};
	is_deeply(payload_of($credential)->{cnf}{jwk}, $key->{jwk}, 'bound to the key that was proved');
	my $verdict = decode_json($issuer->sql_as('registry',
		"SELECT openid4vci.vci_verify_sdjwt('$credential')"));
	is($verdict->{claims}{name}, 'Benjamin', 'with what the registry decided');
	my $told = $bound->send($bound->notification_request($token, $ready->{json}{notification_id},
			'credential_accepted'));
	is($told->{status}, 204, 'the wallet tells that it took it');

	my $anew = $bound->send($bound->refresh_request($refresh));
	is($anew->{status}, 200, 'the refresh token gives another token');
	is_refused($thief->send($thief->refresh_request($refresh)), 400, 'invalid_grant',
		'but to nobody else');
	$later = $bound->send($bound->credential_request($anew->{json}{access_token}, 'Slow', $key));
	is($later->{status}, 202, 'under which the credential is issued again');
	is(new_events(), 'offer_created authorization_approved offer_redeemed credential_deferred '
		  . 'deferred_completed credential_issued credential_accepted token_refreshed '
		  . 'credential_deferred',
		'the outbox tells all of it in its order');
};

# How often each status and error came, as "400 invalid_grant" => 49.
sub tally
{
	my %tally;
	$tally{ join ' ', $_->{status}, $_->{json}{error} // () }++ for @_;
	return \%tally;
}

# The pool is full of connections before the race, so that none has a head start.
sub race
{
	my (@requests) = @_;
	http_at_once($proxy, map { [ 'POST', '/api/v1/openid4vci/nonce', [], '' ] } @requests);
	return http_at_once($proxy, @requests);
}

sub is_token_good
{
	my ($flow, $token) = @_;
	return $flow->send($flow->credential_request($token, 'Card', $key))->{status} == 200;
}

subtest "$crowd browsers open one request_uri at once" => sub {
	my $uri = $plain->send($plain->push_request(scope => 'slow'))->{json}{request_uri};
	my @answers = race(map { [ $plain->open_request($uri) ] } 1 .. $crowd);
	is_deeply(tally(@answers), { 303 => 1, 400 => $crowd - 1 }, 'one goes on to the login page');
};

subtest "$crowd clients redeem one authorization code at once" => sub {
	new_events();
	my $code = $plain->code;
	my $offer = last_offer();
	my @answers = race(map { [ $plain->code_request($code) ] } 1 .. $crowd);
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_grant' => $crowd - 1 },
		'one winner, the others get invalid_grant');
	is(count_of('vci_token', $offer), 1, 'one token exists');
	my ($winner) = grep { $_->{status} == 200 } @answers;
	is_refused($plain->send($plain->credential_request($winner->{json}{access_token}, 'Card', $key)),
		401, 'invalid_token', 'and is revoked: somebody else had the code');
	is_refused($plain->send($plain->refresh_request($winner->{json}{refresh_token})), 400,
		'invalid_grant', 'as is the refresh token');
	is(new_events(), 'offer_created authorization_approved offer_redeemed code_replayed',
		'which is told once');
};

subtest "a wallet redeems its code among thieves" => sub {
	my $code = $plain->code;
	my @thieves = map { [ $plain->code_request($code, code_verifier => "thief $_" . 'x' x 43) ] }
	  2 .. $crowd;
	my @mixed = @thieves;
	splice @mixed, $crowd / 2, 0, [ $plain->code_request($code) ];
	my @answers = race(@mixed);
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_grant' => $crowd - 1 }, 'it alone wins');
	is($answers[ $crowd / 2 ]{status}, 200, 'who has the verifier');
	ok(is_token_good($plain, $answers[ $crowd / 2 ]{json}{access_token}),
		'and thieves do not revoke its token');
};

subtest "$crowd clients use one refresh token at once" => sub {
	my $refresh = $plain->tokens->{refresh_token};
	my $offer = last_offer();
	my @answers = race(map { [ $plain->refresh_request($refresh) ] } 1 .. $crowd);
	is_deeply(tally(@answers), { 200 => $crowd }, 'as if its answer had been lost each time');
	my %next = map { $_->{json}{refresh_token} => 1 } @answers;
	is(scalar keys %next, 1, 'all get the same successor');
	is(count_of('vci_refresh_token', $offer), 2, 'which is one row');

	new_events();
	my ($successor) = keys %next;
	my @both = map { [ $plain->refresh_request($_ % 2 ? $refresh : $successor) ] } 1 .. $crowd;
	my $tally = tally(race(@both));
	delete @$tally{ 200, '400 invalid_grant' };
	is_deeply($tally, {}, 'together with the successor they get tokens or invalid_grant');
	is_refused($plain->send($plain->refresh_request($_)), 400, 'invalid_grant',
		'and in the end the family is dead')
	  for $refresh, $successor;
	my $replays = () = new_events() =~ /refresh_replayed/g;
	is($replays, 1, 'which is told once');
};

subtest "$crowd uses of a refresh token that is bound to a key" => sub {
	my $quick = Flow->new($issuer, key => $quick_key, send => \&through_proxy);
	my $refresh = $quick->tokens->{refresh_token};
	my $offer = last_offer();
	my @answers = race(map { [ $quick->refresh_request($refresh) ] } 1 .. $crowd);
	is_deeply(tally(@answers), { 200 => $crowd }, 'each with a proof of its own is good');
	is(count_of('vci_refresh_token', $offer), 1, 'it is kept');
	is(count_of('vci_token', $offer), $crowd + 1, 'each brought a token');
	my @request = $quick->refresh_request($refresh);
	@answers = race(map { [@request] } 1 .. $crowd);
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_dpop_proof' => $crowd - 1 },
		'with one proof for all it works once');
	is(count_of('vci_token', $offer), $crowd + 2, 'and brings one token');
};

subtest "one DPoP proof for $crowd codes at once" => sub {
	my @offers = map { $issuer->offer } 1 .. $crowd;
	my @proof = ('DPoP', $key->dpop($bound->url('token')));
	my @requests = map { [ Issuer::token_request($_->{code}) ] } @offers;
	push @{ $_->[2] }, @proof for @requests;
	my @answers = race(@requests);
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_dpop_proof' => $crowd - 1 },
		'one code is redeemed');
	my ($winner) = grep { $answers[$_]{status} == 200 } 0 .. $crowd - 1;
	my $redeemed = $issuer->sql_as('registry', "SELECT string_agg(id::text, ' ')
		FROM openid4vci.vci_offer_info WHERE state = 'redeemed' AND id >= $offers[0]{offer_id}");
	is($redeemed, $offers[$winner]{offer_id}, 'the others are left as they were');
	my $other = $offers[ $winner ? 0 : 1 ];
	is($issuer->token($other)->{status}, 200, 'and are good with another proof, or none');
};

subtest "one DPoP proof for $crowd credential requests at once" => sub {
	my $token = $bound->tokens->{access_token};
	my $offer = last_offer();
	my @request = $bound->credential_request($token, 'Card', $key);
	my @answers = race(map { [@request] } 1 .. $crowd);
	is_deeply(tally(@answers), { 200 => 1, '401 invalid_dpop_proof' => $crowd - 1 },
		'one of them is answered');
	is(count_of('vci_credential', $offer), 1, 'one credential exists');
};

subtest "$crowd clients ask for and fetch one deferred credential at once" => sub {
	my $token = $plain->tokens($plain->offer('Slow'))->{access_token};
	my $offer = last_offer();
	my @request = $plain->credential_request($token, 'Slow', $key);
	my @answers = race(map { [@request] } 1 .. $crowd);
	is_deeply(tally(@answers), { 202 => $crowd }, 'all are told to wait');
	my %transactions = map { $_->{json}{transaction_id} => 1 } @answers;
	is(scalar keys %transactions, 1, 'for the same transaction');
	is(count_of('vci_deferred', $offer), 1, 'which is one row');
	my ($transaction) = keys %transactions;

	my @fetches = map { [ $plain->deferred_request($token, $transaction) ] } 1 .. $crowd;
	is_deeply(tally(race(@fetches)), { 202 => $crowd }, 'asked again at once, they wait on');
	new_events();
	complete_last();
	@answers = race(@fetches);
	is_deeply(tally(@answers), { 200 => $crowd }, 'as soon as it is ready, all get it');
	my %issued = map { payload_of($_->{json}{credentials}[0]{credential})->{iat} => 1 } @answers;
	is(scalar keys %issued, 1, 'the same one');
	is(count_of('vci_credential', $offer), 1, 'of one record');
	is(new_events(), 'deferred_completed credential_issued', 'which is told once');
};

subtest "$crowd clients send one notification at once" => sub {
	my $token = $plain->tokens->{access_token};
	my $offer = last_offer();
	my $issued = $plain->send($plain->credential_request($token, 'Card', $key));
	my $id = $issued->{json}{notification_id};
	my @told = qw(credential_accepted credential_deleted);
	my @requests = map { [ $plain->notification_request($token, $id, $_) ] } @told;
	new_events();
	is_deeply(tally(race(map { $requests[0] } 1 .. $crowd)), { 204 => $crowd }, 'each is thanked');
	is(new_events(), 'credential_accepted', 'it is told once');
	my @answers = race(map { $requests[ $_ % 2 ] } 1 .. $crowd);
	is_deeply(tally(@answers), { 204 => $crowd }, 'two different ones: each is thanked');
	my @kinds = split / /, new_events();
	my $stands = $issuer->sql(
		"SELECT notification FROM openid4vci.vci_credential WHERE offer_id = $offer");
	is($kinds[-1], $stands, 'the last one stands');
	cmp_ok(scalar @kinds, '<', 16, 'a wallet that changes its mind for ever is heard no more');
	is(scalar(grep { $kinds[$_] eq $kinds[ $_ - 1 ] } 1 .. $#kinds), 0, 'none is told twice in a row');
};
is(proxy_stop($proxy), 0, 'the proxy stops in order');
is(proxy_errors($proxy), '', 'and has nothing to complain of');

# Odoo's way: each request a transaction under REPEATABLE READ that is tried again after
# 40001, here as often as it takes.
$issuer->sql(<<'SQL');
CREATE PROCEDURE public.as_odoo(statement text, INOUT result text DEFAULT NULL,
	INOUT attempts integer DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		attempts := attempts + 1;
		BEGIN
			EXECUTE statement INTO result;
			EXIT;
		EXCEPTION WHEN serialization_failure THEN
			NULL;
		END;
		ROLLBACK;
	END LOOP;
END
$$;
ALTER ROLE registry SET default_transaction_isolation = 'repeatable read';
SQL

my $odoos = 20;

# What the statement gave to each of them, as value => how often.
sub by_odoos
{
	my ($statement) = @_;
	my $call = 'CALL public.as_odoo(' . Issuer::literal($statement) . ')';
	my @printed = $issuer->at_once_as('registry', map { $call } 1 .. $odoos);
	my ($retries, %tally) = (0);
	for (@printed)
	{
		my ($result, $attempts) = /\A(.*)\|(\d+)\n\z/ or die "no result: $_";
		$tally{$result}++;
		$retries += $attempts - 1;
	}
	note("$retries times tried again");
	return \%tally;
}

sub parameters
{
	return Issuer::literal(JSON::PP->new->encode({@_}));
}

# SQL that tells what an answer is without its secrets.
sub outcome
{
	my ($call, $good) = @_;
	return "SELECT CASE WHEN a ? '$good' THEN '$good' ELSE a ->> 'error' END FROM $call AS a";
}

my $in_sql = Flow->new($issuer);

subtest "$odoos clients approve one request at once under REPEATABLE READ" => sub {
	new_events();
	my $ticket = $in_sql->login_ticket(scope => 'slow');
	my $before = last_offer();
	my $offers = "SELECT count(*) FROM openid4vci.vci_offer WHERE id > $before";
	my $urls = by_odoos(Flow::approval_statement($ticket, 8, { name => 'Ben' }));
	is_deeply([ values %$urls ], [$odoos], 'all get the same URL');
	is($issuer->sql($offers), 1, 'of one offer');
	is(new_events(), 'offer_created authorization_approved', 'which is told once');
	my $code = Flow::code_in(keys %$urls);
	is($in_sql->send($in_sql->code_request($code))->{status}, 200, 'its code is good');
};

subtest "$odoos clients redeem one code at once under REPEATABLE READ" => sub {
	my $code = $in_sql->code;
	my $offer = last_offer();
	new_events();
	my $call = 'openid4vci.vci_request_token(' . parameters(Flow::code_parameters($code)) . ')';
	is_deeply(by_odoos(outcome($call, 'access_token')),
		{ access_token => 1, invalid_grant => $odoos - 1 }, 'one winner');
	is(count_of('vci_token', $offer), 1, 'one token exists');
	is(new_events(), 'offer_redeemed code_replayed', 'the replay is told once');
};

subtest "$odoos clients refresh at once under REPEATABLE READ" => sub {
	my $refresh = $in_sql->tokens->{refresh_token};
	my $offer = last_offer();
	my $call = 'openid4vci.vci_request_token('
	  . parameters(grant_type => 'refresh_token', refresh_token => $refresh, client_id => 'wallet') . ')';
	my $next = by_odoos("SELECT a ->> 'refresh_token' FROM $call AS a");
	is_deeply([ values %$next ], [$odoos], 'all get the same successor');
	is(count_of('vci_refresh_token', $offer), 2, 'which is one row');
};

subtest "$odoos clients fetch one deferred credential at once under REPEATABLE READ" => sub {
	my $token = $in_sql->tokens($in_sql->offer('Slow'))->{access_token};
	my $offer = last_offer();
	my $asked = $in_sql->send($in_sql->credential_request($token, 'Slow', $key));
	my $call = "openid4vci.vci_request_deferred('$token', '$asked->{json}{transaction_id}')";
	is_deeply(by_odoos(outcome($call, 'transaction_id')), { transaction_id => $odoos }, 'all wait');
	complete_last();
	is_deeply(by_odoos(outcome($call, 'credentials')), { credentials => $odoos }, 'then all get it');
	is(count_of('vci_credential', $offer), 1, 'from one record');
};

done_testing();
