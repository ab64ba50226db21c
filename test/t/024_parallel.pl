# Issuing in parallel workers, and an issuer on a read-only replica.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('primary', allows_streaming => 1, conf => 'max_worker_processes = 16');
my $wallet = Wallet->new($dir);
my $jwk = Issuer::literal(encode_json($wallet->{jwk}));

$issuer->sql(<<'SQL');
CREATE TABLE public.entitlement AS SELECT n AS id, 'Beneficiary ' || n AS name
FROM generate_series(1, 3000) AS n;
ANALYZE public.entitlement;
GRANT SELECT ON public.entitlement TO registry;
CREATE FUNCTION public.my_pid() RETURNS integer LANGUAGE plpgsql PARALLEL SAFE AS
'BEGIN RETURN pg_backend_pid(); END';
GRANT CREATE ON SCHEMA public TO registry;
SQL

# Makes a parallel plan the cheapest, with all rows read by workers.
my $parallel = <<'SQL';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SQL

subtest 'issuing in parallel workers' => sub {
	my $issue = "SELECT id, public.my_pid() AS pid, openid4vci.vci_issue_sdjwt('Card',
		jsonb_build_object('id', id, 'name', name), $jwk) AS credential FROM public.entitlement";
	like($issuer->sql_as('registry', "$parallel EXPLAIN (VERBOSE) $issue"),
		qr/Gather.*Parallel Seq Scan.*Output:[^\n]*vci_issue_sdjwt/s, 'the plan issues in workers');
	my $out = $issuer->sql_as('registry', "$parallel
		SELECT count(*), count(DISTINCT pid) > 1, bool_and(pid <> pg_backend_pid()),
			count(DISTINCT credential)
		FROM ($issue) AS issued");
	is($out, '3000|t|t|3000', 'each row, by more than one worker, has a credential of its own');
	$out = $issuer->sql_as('registry', <<"SQL");
$parallel
CREATE TABLE public.issued AS $issue;
SELECT count(*) FROM public.issued WHERE pid <> pg_backend_pid();
SQL
	is($out, 3000, 'CREATE TABLE AS keeps what workers issued');
	my $verify = "SELECT id, public.my_pid() AS pid, openid4vci.vci_verify_sdjwt(credential) AS verdict
		FROM public.issued";
	like($issuer->sql_as('registry', "$parallel EXPLAIN (VERBOSE) $verify"),
		qr/Gather.*Parallel Seq Scan.*Output:[^\n]*vci_verify_sdjwt/s, 'the plan verifies in workers');
	is($issuer->sql_as('registry', "$parallel
		SELECT count(*), bool_and(pid <> pg_backend_pid())
		FROM ($verify) AS v
		WHERE verdict -> 'valid' = 'true' AND verdict #> '{claims,id}' = to_jsonb(id)"), '3000|t',
		'each verifies, with the claims of its row');
};

# Making the table has begun a command: the leader may read then, and not begin another, as it
# would to fill its caches.
subtest 'links in a table that is made in parallel' => sub {
	my $offer = $issuer->offer;
	my $links = "SELECT id, openid4vci.vci_offer_uri($offer->{offer_id} + 0 * id) AS uri
		FROM public.entitlement WHERE id <= 300";
	is($issuer->sql_as('registry', <<"SQL"), '300|1', 'each row has the offer\'s link');
$parallel
SET parallel_leader_participation = on;
DO 'BEGIN PERFORM openid4vci.vci_offer_uri($offer->{offer_id}); END';
CREATE TABLE public.link AS $links;
SELECT count(*), count(DISTINCT uri) FROM public.link WHERE uri = '$offer->{credential_offer_uri}';
SQL
};

subtest 'a worker that cannot read the root key' => sub {
	rename $issuer->{root_key}, "$issuer->{root_key}.away" or die "rename: $!";
	like($issuer->error_of('registry', "$parallel SELECT count(openid4vci.vci_issue_sdjwt('Card',
			jsonb_build_object('id', id), $jwk)) FROM public.entitlement"),
		qr/ERROR:  55000: there is no usable root key.*HINT:/s, 'the statement fails with the hint');
	rename "$issuer->{root_key}.away", $issuer->{root_key} or die "rename: $!";
};

# The leader must not begin a command here either, to read a status.
subtest 'the status of credentials in a table that is made in parallel' => sub {
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_create_configuration('Permit', 'https://issuer.example/permit',
		binding => 'absent', options => '{"status_bits": 2}')});
	$issuer->sql_as('registry', q{CREATE TABLE public.permit AS SELECT n AS id, r.credential_id, r.credential
		FROM generate_series(1, 200) AS n, openid4vci.vci_issue_and_record('Permit', jsonb_build_object('n', n)) AS r});
	$issuer->sql_as('registry', 'ANALYZE public.permit; SELECT sum(openid4vci.vci_revoke(credential_id)) FROM public.permit WHERE id % 4 = 0');
	is($issuer->sql_as('registry', <<"SQL"), "revoked|revoked|50\nvalid||150", 'each is told as it is');
$parallel
SET parallel_leader_participation = on;
DO 'BEGIN PERFORM openid4vci.vci_verify_sdjwt(credential) FROM public.permit LIMIT 1; END';
CREATE TABLE public.told AS SELECT openid4vci.vci_verify_sdjwt(credential) ->> 'error' AS error,
	(openid4vci.vci_credential_status(credential_id)).status FROM public.permit;
SELECT status, error, count(*) FROM public.told GROUP BY 1, 2 ORDER BY 1;
SQL
};

# The ticket that a login page gets of a wallet's authorization request.
sub login_request
{
	$issuer->sql("SELECT openid4vci.vci_alter_issuer('{\"login_url\": \"https://portal.example/login\"}')");
	$issuer->sql("SELECT openid4vci.vci_create_client('wallet', '{https://wallet.example/cb}')");
	return $issuer->sql(<<'SQL');
SELECT substring(openid4vci.vci_authorize(jsonb_build_object('client_id', 'wallet',
	'redirect_uri', 'https://wallet.example/cb', 'response_type', 'code', 'authorization_details',
	'[{"type": "openid_credential", "credential_configuration_id": "Card"}]'::jsonb,
	'code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'code_challenge_method', 'S256'))
	->> 'location' FROM 'request=(.*)')
SQL
}

# A person whom a campaign has made an offer with a transaction code, as arguments.
sub recipient
{
	my $campaign = $issuer->sql_as('registry', q{SELECT openid4vci.vci_create_campaign('Once', '{Card}',
		'SELECT ''P'' AS reference, ''{"a": 1}''::jsonb AS claims', '{"tx_code": {"length": 6}}')});
	$issuer->sql_as('registry', "SELECT * FROM openid4vci.vci_campaign_step($campaign)") for 1 .. 2;
	return $issuer->sql("SELECT campaign_id || ', ' || id FROM openid4vci.vci_campaign_recipient");
}

# Every function that says PARALLEL SAFE, run in a worker.
subtest 'what is labelled PARALLEL SAFE works in a worker' => sub {
	my $force = $issuer->{node}->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
	my $offer = $issuer->offer;
	my $proof = $wallet->proof(aud => $issuer->{url}, nonce => 'n');
	my $request = login_request();
	my $recipient = recipient();
	my $kid = $issuer->sql('SELECT kid FROM openid4vci.vci_key_info');
	$issuer->sql("SELECT openid4vci.vci_grant('registry', 'auditor')");
	my %calls = (
		vci_authorization_request => "openid4vci.vci_authorization_request('$request')",
		vci_event_head => 'ARRAY[openid4vci.vci_event_head()]',
		vci_events => '(SELECT count(*) FROM openid4vci.vci_events())',
		vci_key_csr => "openid4vci.vci_key_csr('$kid', '/CN=issuer.example')",
		vci_verify_events => '(SELECT segments FROM openid4vci.vci_verify_events())',
		vci_verify_dpop => "openid4vci.vci_verify_dpop('$proof', 'POST', '$issuer->{url}/x')",
		vci_duty_issuers => "openid4vci.vci_duty_issuers('offerer')",
		vci_offer_uri => "openid4vci.vci_offer_uri($offer->{offer_id})",
		vci_offer_qr => "openid4vci.vci_offer_qr($offer->{offer_id})",
		vci_offer_qr_png => "openid4vci.vci_offer_qr_png($offer->{offer_id})",
		vci_find_offer => "openid4vci.vci_find_offer('$offer->{credential_offer_uri}')",
		vci_offer_situation => "(SELECT situation FROM openid4vci.vci_offer_situation($offer->{offer_id}))",
		vci_issuer_settings => 'openid4vci.vci_issuer_settings()',
		vci_holder_jwk => "openid4vci.vci_holder_jwk($jwk)",
		vci_create_nonce => 'openid4vci.vci_create_nonce()',
		vci_credential_status => '(SELECT openid4vci.vci_credential_status(credential_id) FROM public.permit LIMIT 1)',
		vci_delivery_link => "openid4vci.vci_delivery_link($recipient)",
		vci_delivery_tx_code => "openid4vci.vci_delivery_tx_code($recipient)",
		vci_issue_sdjwt => "openid4vci.vci_issue_sdjwt('Card', '{\"a\": 1}', $jwk)",
		vci_person => "(SELECT count(*) FROM openid4vci.vci_person('P'))",
		vci_verify_kbjwt => "openid4vci.vci_verify_kbjwt('$proof', 'n', '$issuer->{url}')",
		vci_verify_sdjwt => "openid4vci.vci_verify_sdjwt((SELECT credential FROM public.issued LIMIT 1))",
		vci_check_issuer => '(SELECT count(*) FROM openid4vci.vci_check_issuer())',
		vci_health => '(SELECT count(*) FROM openid4vci.vci_health())');
	my $labelled = $issuer->sql("SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
		WHERE pronamespace = 'openid4vci'::regnamespace AND proparallel = 's'");
	is($labelled, join(' ', sort keys %calls), 'these are they');
	for my $name (sort keys %calls)
	{
		is($issuer->sql_as('registry', "SET $force = on; SELECT ($calls{$name})::text IS NOT NULL"),
			't', $name);
	}
};

# A replica that serves reads, and its own proxy.
my $node = $issuer->{node};
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
my $replica = bless { %$issuer, node => $standby }, ref $issuer;

sub caught_up
{
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	return;
}

subtest 'a replica serves what needs no write' => sub {
	my $offer = $issuer->offer;
	caught_up();
	for my $path ('/.well-known/openid-credential-issuer', '/.well-known/oauth-authorization-server',
		'/.well-known/jwt-vc-issuer', '/api/v1/openid4vci/jwks')
	{
		my $answer = $replica->http('GET', $path);
		is($answer->{status}, 200, $path);
		is($answer->{body}, $issuer->http('GET', $path)->{body}, "$path is the primary's");
	}
	my ($reference) = $offer->{credential_offer_uri_by_reference} =~ m{offer%2F([\w-]+)};
	my $answer = $replica->http('GET', "/api/v1/openid4vci/offer/$reference");
	is($answer->{status}, 200, 'an offer by reference');
	is_deeply($answer->{json}, $offer->{credential_offer}, 'it is the one that was made');
	is($replica->http('POST', '/api/v1/openid4vci/nonce')->{status}, 200, 'a c_nonce');
	my $uri = "SELECT openid4vci.vci_offer_uri($offer->{offer_id})";
	is($replica->sql_as('registry', $uri), $offer->{credential_offer_uri}, 'the offer\'s link');
	my $states = 'SELECT id, state FROM openid4vci.vci_offer_info ORDER BY id';
	is($replica->sql_as('registry', $states), $issuer->sql_as('registry', $states), 'offer states');
	is($replica->sql_as('registry', "SELECT count(*) FROM public.issued
		WHERE openid4vci.vci_verify_sdjwt(credential) -> 'valid' = 'true' AND id <= 20"), 20,
		'verifying');
	is($replica->sql_as('registry', "SELECT count(openid4vci.vci_issue_sdjwt('Card',
		jsonb_build_object('id', id), $jwk)) FROM public.entitlement WHERE id <= 20"), 20, 'issuing');
};

subtest 'a replica refuses what needs a write' => sub {
	my $offer = $issuer->offer('', 'Open');
	my $open = $issuer->offer;
	my $token = $issuer->token($offer)->{json}{access_token};
	caught_up();
	my %answers = (
		token => $replica->token($open),
		credential => $replica->credential($token, Issuer::credential_body('Open')));
	for my $what (sort keys %answers)
	{
		is($answers{$what}{status}, 503, "$what: 503");
		is($answers{$what}{json}{error}, 'temporarily_unavailable', "$what: temporarily_unavailable");
		like($answers{$what}{headers}{'retry-after'}, qr/^\d+$/, "$what: Retry-After");
	}
	like($replica->sql_as('registry',
			"SELECT ok, detail FROM openid4vci.vci_health() WHERE \"check\" = 'writable'"),
		qr/^f\|this server is read-only/, 'vci_health says so');
	like($replica->error_of('registry', "SELECT openid4vci.vci_create_offer(ARRAY['Card'],
			claims => '{\"a\": 1}')"),
		qr/ERROR:  25006:/, 'an operator gets the server\'s own error');
	is($issuer->token($open)->{status}, 200, 'on the primary the code is still good');
	my $read_only = $issuer->offer;
	my $answer = Issuer::answer($issuer->sql('SET default_transaction_read_only = on; '
		. Issuer::http_statement(Issuer::token_request($read_only->{code}))));
	is($answer->{status}, 503, 'a read-only transaction of the primary answers the same');
};

subtest 'sessions of a replica see what changes on the primary' => sub {
	my $proxy = proxy_start($dir, '--pool', 1, '--conninfo',
		$standby->connstr('postgres') . ' user=wallet_endpoint');
	my $metadata = '/.well-known/openid-credential-issuer';
	like(http_request($proxy, 'GET', $metadata)->{body}, qr/"Open"/, 'before');
	$issuer->sql_as('registry', "SELECT openid4vci.vci_retire_configuration('Open')");
	caught_up();
	my $answer = http_request($proxy, 'GET', $metadata);
	is($answer->{status}, 200, 'after');
	unlike($answer->{body}, qr/"Open"/, 'a retired configuration is gone');
	proxy_stop($proxy);
};

subtest 'a promoted replica is an issuer' => sub {
	my $offer = $issuer->offer;
	caught_up();
	$node->stop('immediate');
	$standby->promote;
	is($replica->token($offer)->{status}, 200, 'it redeems an offer of the old primary');
	is($replica->token($replica->offer)->{status}, 200, 'and one of its own');
};

done_testing();
