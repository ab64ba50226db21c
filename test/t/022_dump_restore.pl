# A dump made by a role with no more than the duty backup holds no usable secret, and with
# the root key it becomes a working issuer again: old and new wallets redeem what was
# offered before, and what was under way goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $dump_file = "$dir/dump.sql";
my $wallet_program = $ENV{OPENID4VCI_WALLET} // "$FindBin::Bin/../../build/openid4vci-wallet";

sub proxy_for
{
	my ($issuer, @options) = @_;
	return proxy_start($dir, @options, '--conninfo',
		$issuer->{node}->connstr('postgres') . ' user=wallet_endpoint');
}

# The issuer's URL is the proxy's, so the proxy comes first.
my $old = Issuer->start_server('before');
$old->install;
my $proxy = proxy_for($old);
my $url = "http://127.0.0.1:$proxy->{port}";
$old->create_issuer($url);

my $holder = Wallet->new($dir);
my $key = Wallet->new_quick;

# A dump is of another cluster: its transaction ids may be far ahead of the new one's.
$old->sql(<<'SQL');
CREATE PROCEDURE pg_temp.use_transactions() LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1 .. 5000 LOOP
		PERFORM pg_current_xact_id();
		COMMIT;
	END LOOP;
END
$$;
CALL pg_temp.use_transactions();
SQL

# Wallets at each step of the flows that their own client begins, endpoints elsewhere, and a
# trusted server whose tokens are as good as ours.
Flow::prepare($old);
$old->sql('CREATE SCHEMA registry AUTHORIZATION registry');
$old->sql_as('registry', <<"SQL");
SELECT openid4vci.vci_alter_issuer('{"endpoints": {"jwks": {"path": "/keys"},
	"batch_credential": {"enabled": false}}}');
CREATE FUNCTION registry.claims(model text, id text) RETURNS jsonb LANGUAGE sql AS
	'SELECT jsonb_build_object(''person'', id)';
SELECT openid4vci.vci_create_configuration('Member', 'https://issuer.example/Member',
	binding => 'absent', scope => 'member', claims_source => 'registry.claims');
SELECT openid4vci.vci_create_authorization_server('https://login.example', '{cards}',
	'@{[ encode_json({ keys => [ { %{ $key->{jwk} }, kid => 'k' } ] }) ]}');
SQL

sub external_token
{
	my ($jti) = @_;
	return $key->sign({ alg => 'ES256', typ => 'at+jwt', kid => 'k' },
		{ iss => 'https://login.example', aud => 'cards', jti => $jti, sub => '4711', scope => 'member',
			iat => time, exp => time + 86400 });
}
my $external_token = external_token('1');
my $flow = Flow->new($old, key => $key);
my %under_way = (
	pushed => $flow->send($flow->push_request(scope => 'slow'))->{json}{request_uri},
	opened => $flow->login_ticket(scope => 'slow'),
	approved => $flow->code,
	tokens => $flow->tokens,
	map { $_ => $flow->deferral($key) } qw(waiting ready));
$flow->complete($under_way{ready});

my %offers = (
	pending => $old->offer("reference => 'ENT-1', labels => '{\"campaign\": \"2026-11\"}'"),
	guide => $old->offer,
	pin => $old->offer("tx_code => '49353627'"),
	locked => $old->offer("tx_code => '49353627'"),
	redeemed => $old->offer,
	issued => $old->offer,
	cancelled => $old->offer,
	expired => $old->offer("expires_in => '1 hour'"));
my %tokens = map { $_ => $old->token($offers{$_})->{json}{access_token} } qw(redeemed issued);
my $old_nonce = $old->nonce;

sub proven_request
{
	my ($nonce) = @_;
	return Issuer::credential_body('Card', $holder->proof(aud => $url, nonce => $nonce));
}

my $issued_request = proven_request($old->nonce);
my $issued = $old->credential($tokens{issued}, $issued_request);
is($issued->{status}, 200, 'a credential is issued before the dump');
my $credential = $issued->{json}{credentials}[0]{credential};
$old->token($offers{locked}, '00000000') for 1 .. 5;
$old->sql_as('registry', "SELECT openid4vci.vci_cancel_offer($offers{cancelled}{offer_id})");
$old->sql("UPDATE openid4vci.vci_offer SET expires_at = now() - interval '1 day'
	WHERE id = $offers{expired}{offer_id}");
# a key rotated out still verifies, and a second kind of key is opened as well
$old->sql_as('registry', "SELECT openid4vci.vci_create_key(alg => 'EdDSA')");

my $states_query = 'SELECT id, state, tx_code_required, tx_code_failures, locked, reference, labels,
	created_at, expires_at, redeemed_at, issued_at, cancelled_at
	FROM openid4vci.vci_offer_info ORDER BY id';
my $keys_query = 'SELECT kid, alg, state, public_jwk FROM openid4vci.vci_key_info ORDER BY id';
# Ids of events that were rolled back leave a gap.
$old->sql_as('registry', "BEGIN; SELECT FROM openid4vci.vci_create_offer('{Open}', claims => '{}');
	ROLLBACK; SELECT FROM openid4vci.vci_create_offer('{Open}', claims => '{}')");

# What vci_offer_info and vci_key_info do not show.
sub rows_of
{
	my ($issuer) = @_;
	return $issuer->sql(join ' UNION ALL ', map {
			"SELECT '$_', md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM openid4vci.$_ AS t"
	} qw(vci_issuer vci_configuration vci_client vci_authorization_server vci_token
		vci_refresh_token vci_authorization vci_deferred vci_credential vci_event));
}

sub metadata_of
{
	my ($issuer) = @_;
	return join "\n", map { $issuer->http('GET', "/.well-known/$_")->{body} }
	  qw(openid-credential-issuer oauth-authorization-server);
}

my $events_query = 'SELECT * FROM openid4vci.vci_events(0)';
my $states = $old->sql_as('registry', $states_query);
my $events = $old->sql_as('registry', $events_query);
my $rows = rows_of($old);
my $metadata = metadata_of($old);
my $keys = $old->sql_as('registry', $keys_query);

subtest 'a dump by a role with the duty backup' => sub {
	is($old->sql("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'keeper'"), 'f',
		'the role is an ordinary one');
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'pg_dump', '-U', 'keeper', '-d', $old->{node}->connstr('postgres'),
		'-f', $dump_file ], '>', \$out, '2>', \$err);
	is($?, 0, 'pg_dump succeeds') or diag($err);
	is($err, '', 'without a warning');
};

# A secret in any form that a text dump could give it.
sub forms_of
{
	my ($secret) = @_;
	my @raw = $secret =~ /^[A-Za-z0-9_-]{20,}$/ ? (decode_base64url($secret)) : ();
	return map { ($_, unpack('H*', $_), encode_base64url($_)) } $secret, @raw;
}

subtest 'the dump holds no usable secret' => sub {
	my $dump = slurp_file($dump_file);
	my $offer_count = () = $dump =~ /pre-authorized_code\}/g;
	is($offer_count, 9, 'the offers are in it');
	my %secrets = map { ("code of $_" => $offers{$_}{code}) } keys %offers;
	$secrets{"token of $_"} = $tokens{$_} for keys %tokens;
	$secrets{"link of $_"} = $offers{$_}{credential_offer_uri_by_reference} =~ s/.*%2F//r
	  for keys %offers;
	$secrets{"$_ request"} = $under_way{$_} =~ s/.*://r for qw(pushed opened);
	$secrets{'authorization code'} = $under_way{approved};
	$secrets{$_} = $under_way{tokens}{$_} for qw(access_token refresh_token);
	for my $step (qw(waiting ready))
	{
		$secrets{"$step: $_"} = $under_way{$step}{$_} for qw(token transaction);
	}
	$secrets{'token of a trusted server'} = $external_token;
	$secrets{'transaction code'} = '49353627';
	$secrets{'c_nonce'} = $old_nonce;
	$secrets{'root key'} = slurp_file($old->{root_key}) =~ s/\s//gr;
	$secrets{'root key as bytes'} = pack 'H*', $secrets{'root key'};
	$secrets{'credential'} = (split /~/, $credential)[0];
	for my $name (sort keys %secrets)
	{
		my @found = grep { index($dump, $_) >= 0 } forms_of($secrets{$name});
		is(scalar @found, 0, "no $name");
	}
	unlike($dump, qr/PRIVATE KEY/, 'no PEM of a private key');
	unlike($dump, qr/"d"\s*:/, 'no private member of a JWK');
	# PKCS #8 of any kind of key begins with these bytes: SEQUENCE, version 0, algorithm
	unlike($dump, qr/30[0-9a-f]{2,6}02010030/, 'no plain PKCS #8');
	unlike($dump, qr/COPY openid4vci\.vci_(nonce|epoch|dpop_proof) /,
		'neither nonces nor their epoch nor DPoP proofs');
	cmp_ok($old->sql('SELECT count(*) FROM openid4vci.vci_dpop_proof'), '>', 0, 'though there are some');
};

sub restore
{
	my ($issuer) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $issuer->{node}->connstr('postgres'),
		'-f', $dump_file ], '>', \$out, '2>', \$err);
	is($?, 0, 'it restores') or diag($err);
	is($err, '', 'without a warning');
	$issuer->{url} = $url;
	return;
}

proxy_stop($proxy);
my $new = Issuer->start_server('after', root_key => $old->{root_key});
subtest 'restored into a new server with the root key' => sub {
	$new->create_roles;
	restore($new);
	is($new->sql_as('registry', $states_query), $states, 'each offer has its state, times and labels');
	is($new->sql_as('registry', $keys_query), $keys, 'keys and their states are there');
	is($new->sql('SELECT count(*) FROM openid4vci.vci_credential'), 1, 'what was issued is recorded');
	is(rows_of($new), $rows, 'clients, servers, requests, tokens, deferrals, events: each is as it was');
	is($new->sql('SELECT count(*) FROM openid4vci.vci_dpop_proof'), 0, 'no DPoP proof came along');
	is(metadata_of($new), $metadata, 'the metadata tell the same endpoints');
	is($new->sql_as('registry', 'SELECT "check" FROM openid4vci.vci_health() WHERE NOT ok AND "check" <> \'durability\''),
		'database', 'vci_health finds nothing wrong but that it is a copy');
	for my $kind (qw(issuer key offer token refresh_token authorization deferred credential event))
	{
		is($new->sql("SELECT nextval('openid4vci.vci_${kind}_id_seq') > max(id)
			FROM openid4vci.vci_$kind"), 't', "new ids of vci_$kind lie above the old ones");
	}
	is($new->sql("SELECT nextval('openid4vci.vci_configuration_number_seq') > max(number)
		FROM openid4vci.vci_configuration"), 't', 'as do numbers of configurations');
};

$proxy = proxy_for($new, '--port', $proxy->{port});

subtest 'the outbox of the restored server' => sub {
	my ($next) = split /\|/, $new->sql('SELECT pg_snapshot_xmax(pg_current_snapshot())');
	cmp_ok($new->sql('SELECT max(horizon::text::bigint) FROM openid4vci.vci_event'), '>', $next,
		'its events are of transactions that lie ahead');
	is($new->sql('SELECT max(id) - count(*) > 0 FROM openid4vci.vci_event'), 't', 'with a gap');
	is($new->sql_as('registry', $events_query), $events, 'who reads it gets all events');
	my ($last) = $events =~ /(\d+)[^\n]*\z/;
	my $offer = $new->offer;
	is($new->sql_as('registry', "SELECT kind, offer_id FROM openid4vci.vci_events($last)"),
		"offer_created|$offer->{offer_id}", 'and those that come after');
};

subtest 'the copy is adopted' => sub {
	my $offer = $new->offer;
	is($new->token($offer)->{status}, 503, 'until then it redeems nothing');
	is($new->sql_as('registry', 'SELECT openid4vci.vci_adopt_database()'), 't', 'adopted');
	is($new->token($offer)->{status}, 200, 'it does');
};

subtest 'duties hold in the restored server' => sub {
	my $again = $new->offer("reference => 'ENT-1'");
	is($again->{offer_id}, $offers{pending}{offer_id}, 'a campaign run again finds its offer');
	is($again->{credential_offer_uri}, $offers{pending}{credential_offer_uri},
		'and the very same link');
	cmp_ok($new->offer->{offer_id}, '>', $offers{expired}{offer_id}, 'an offerer makes new offers');
	is(http_request($proxy, 'GET', '/.well-known/openid-credential-issuer')->{status}, 200,
		'the endpoint serves');
	like($new->error_of('wallet_endpoint', 'SELECT * FROM openid4vci.vci_offer_info'),
		qr/permission denied/, 'the endpoint may no more than before');
	like($new->error_of('keeper', "SELECT openid4vci.vci_offer_uri(1)"), qr/permission denied/,
		'nor may the backup role');
};

sub redeem_by_wallet
{
	my ($offer, @options) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $wallet_program, '--json', @options, $offer->{credential_offer_uri} ],
		'<', \undef, '>', \$out, '2>', \$err);
	return $? == 0 ? decode_json($out) : { verified => 0, said => $err . $out };
}

sub holds_card
{
	my ($what, $result) = @_;
	ok($result->{verified}, $what) or diag($result->{said});
	is($result->{claims}{name}, 'Ann', "$what: with its claims");
	return;
}

# The old server may live on beside a copy of it: both give the same ids.
subtest 'a copy makes codes and tokens of its own' => sub {
	my (%ids, %codes, %tokens);
	for my $server ($old, $new)
	{
		$server->sql("SELECT setval('openid4vci.vci_offer_id_seq', 900000),
			setval('openid4vci.vci_token_id_seq', 900000)");
		my $offer = $server->offer;
		$ids{ $offer->{offer_id} }++;
		$codes{ $offer->{code} }++;
		$tokens{ $server->token($offer)->{json}{access_token} }++;
	}
	is_deeply(\%ids, { 900001 => 2 }, 'both made an offer of the same id');
	is(scalar keys %codes, 2, 'with another code');
	is(scalar keys %tokens, 2, 'and another token');
};

subtest 'offers made before the dump are redeemed after it' => sub {
	holds_card('a 1.0 wallet', redeem_by_wallet($offers{pending}));
	holds_card('a wallet of the older shape', redeem_by_wallet($offers{guide}, '--older'));
	holds_card('with a transaction code', redeem_by_wallet($offers{pin}, '--tx-code', '49353627'));
	my %refused = (redeemed => [], cancelled => [], expired => [], locked => [ '--tx-code', '49353627' ]);
	for my $name (sort keys %refused)
	{
		ok(!redeem_by_wallet($offers{$name}, @{ $refused{$name} })->{verified}, "$name stays $name");
	}
};

subtest 'what was under way goes on' => sub {
	my $flow = Flow->new($new, key => $key);
	my %at = %under_way;
	is($flow->send($flow->open_request($at{pushed}))->{status}, 303, 'a pushed request opens');
	for my $code ($flow->approve($at{opened}, 8, { name => 'Ben' }), $at{approved})
	{
		is($flow->send($flow->code_request($code))->{status}, 200, 'a code is good');
		is($flow->send($flow->code_request($code))->{json}{error}, 'invalid_grant', 'once');
	}
	my $anew = $flow->send($flow->refresh_request($at{tokens}{refresh_token}));
	is($anew->{status}, 200, 'a refresh token is good');
	my $thief = Flow->new($new, key => $holder);
	is($thief->send($thief->refresh_request($at{tokens}{refresh_token}))->{json}{error},
		'invalid_grant', 'for its key alone');
	is($flow->fetch($at{waiting})->{status}, 202, 'who waited waits on');
	$flow->complete($at{waiting});
	for my $step (qw(waiting ready))
	{
		is($flow->fetch($at{$step})->{status}, 200, "what was $step is fetched");
		is($new->sql("SELECT count(*) FROM openid4vci.vci_credential
			WHERE offer_id = $at{$step}{offer_id}"), 1, 'and issued once');
	}
	my $member = Issuer::credential_body('Member');
	$external_token = external_token('2');
	is($new->credential($external_token, $member)->{status}, 200, 'the trusted server is trusted');
	is($new->http('GET', '/keys')->{status}, 200, 'endpoints lie where they were put');
	is($new->http('POST', '/api/v1/openid4vci/batch_credential', Issuer::bearer($external_token),
			$member)->{status}, 404, 'and are off where they were switched off');
};

subtest 'tokens and nonces across the dump' => sub {
	my $answer = $new->credential($tokens{redeemed}, proven_request($old_nonce));
	is($answer->{json}{error}, 'invalid_nonce', 'a c_nonce of before is refused');
	$answer = $new->credential($tokens{redeemed}, proven_request($new->nonce));
	is($answer->{status}, 200, 'a token of before is good, with a fresh c_nonce');
	$answer = $new->credential($tokens{issued}, proven_request($new->nonce));
	is($answer->{json}{error}, 'credential_request_denied', 'what was issued is not issued twice');
};

subtest 'a credential of before verifies' => sub {
	my $verdict = decode_json($new->sql_as('registry',
		"SELECT openid4vci.vci_verify_sdjwt('$credential')"));
	ok($verdict->{valid}, 'by the restored keys') or diag($verdict->{error_description});
	is($verdict->{claims}{name}, 'Ann', 'and shows its claims');
};
is(proxy_stop($proxy), 0, 'the proxy stops in order');

my $keyless = Issuer->start_server('keyless');
subtest 'restored without the root key' => sub {
	$keyless->create_roles;
	restore($keyless);
	my $error = $keyless->error_of('registry', 'SELECT openid4vci.vci_offer_uri(1)');
	like($error, qr/ERROR:  55000: the root key that sealed this issuer data key is not there/,
		'another root key: the error says so');
	like($error, qr/HINT:  Add that key as a further line to the file/, 'and what to do');
	unlink $keyless->{root_key};
	$error = $keyless->error_of('registry', 'SELECT openid4vci.vci_offer_uri(1)');
	like($error, qr/ERROR:  55000: there is no usable root key/, 'no root key: the error says so');
	like($error, qr/DETAIL:  openid4vci\.root_key_file: it can't be read: No such file/, 'and why');
	like($error, qr/HINT:  If there was a key before, .*test ! -e .* openssl rand/,
		'and what to do, by a command that overwrites no key');
	my $health = "SELECT ok, detail FROM openid4vci.vci_health() WHERE \"check\" = 'root_key'";
	like($keyless->sql_as('registry', $health), qr/^f\|no usable root key/, 'vci_health says so');
	is($keyless->sql_as('registry', $states_query), $states, 'reports work all the same');
	like($keyless->error_of('wallet_endpoint',
			Issuer::http_statement(Issuer::token_request($offers{expired}{code}))),
		qr/55000: there is no usable root key/, 'a wallet is not told that its code is wrong');

	$keyless->make_root_key($old->{root_key});
	is($keyless->sql_as('registry', $health), 't|the root key can be read', 'put back, all is well');
	like($keyless->sql_as('registry', 'SELECT openid4vci.vci_offer_uri(1)'),
		qr/^openid-credential-offer:/, 'without a restart');
};

subtest 'restored before the roles exist' => sub {
	my $late = Issuer->start_server('late', root_key => $old->{root_key});
	IPC::Run::run([ 'psql', '-Xq', '-d', $late->{node}->connstr('postgres'), '-f', $dump_file ],
		'>', \my $out, '2>', \my $err);
	my @other = grep { /ERROR/ && !/role "\w+" does not exist/ } split /\n/, $err;
	is("@other", '', 'only the grants to missing roles fail');
	$late->create_roles;
	$late->grant_duties;
	is($late->sql_as('registry', $states_query), $states, 'granted again, the duties hold');
};

done_testing();
