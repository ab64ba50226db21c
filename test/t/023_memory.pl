# Tens of thousands of calls in one backend leave its memory flat: in one statement, where
# nothing but each call itself can give memory back, and in loops that catch errors.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use Wallet;

my $calls = 100_000;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer =
  Issuer->start('memory', conf => "jit = off\nlog_statement = none\nlog_min_messages = fatal");
my $wallet = Wallet->new($dir);

# Memory that is the backend's own; shared buffers would grow by being touched.
$issuer->sql(<<'SQL');
CREATE FUNCTION public.memory_kb() RETURNS integer LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+)')::integer
$$;
SQL

# Compares what psql printed: memory after the first calls | memory at the end. The slack is
# 80 bytes a call; few calls need some more than that for what PostgreSQL keeps anyway.
sub is_flat
{
	my ($printed, $what, $count) = @_;
	my $slack_kb = ($count // $calls) / $calls * 8192;
	$slack_kb = 3072 if $slack_kb < 3072;
	my ($first, $last) = $printed =~ /^(\d+)\|(\d+)$/m;
	ok(defined $last && $last - $first <= $slack_kb, $what)
	  or diag("kB after the first calls and at the end: $printed");
	note("$what: $first kB, $last kB");
	return;
}

# An expression of n, evaluated for each n in one statement.
sub statement_is_flat
{
	my ($what, $expression, $count) = @_;
	$count //= $calls;
	my $warm = $count / 10;
	is_flat($issuer->sql(<<"SQL"), "$what, $count times in one statement", $count);
SELECT max(CASE WHEN n = $warm THEN public.memory_kb() END),
	max(CASE WHEN n = $count THEN public.memory_kb() END)
FROM generate_series(1, $count) AS series (n),
	LATERAL (SELECT $expression AS result WHERE n > 0 OFFSET 0) AS each_row
HAVING count(result) = $count
SQL
	return;
}

# Statements of PL/pgSQL with the loop's n; their errors are caught and must come each time.
sub loop_is_flat
{
	my ($what, $plpgsql, $count) = @_;
	$count //= $calls;
	my $warm = $count / 10;
	is_flat($issuer->sql(<<"SQL"), "$what, $count times in a loop", $count);
CREATE TEMPORARY TABLE seen (first integer, last integer);
DO \$\$
DECLARE
	failures integer := 0;
	first integer;
BEGIN
	FOR n IN 1 .. $count LOOP
		BEGIN
			$plpgsql;
		EXCEPTION WHEN OTHERS THEN
			failures := failures + 1;
		END;
		IF n = $warm THEN first := public.memory_kb(); END IF;
	END LOOP;
	IF failures = $count THEN
		INSERT INTO seen VALUES (first, public.memory_kb());
	END IF;
END \$\$;
SELECT * FROM seen;
SQL
	return;
}

sub http_status
{
	my ($method, $path, $headers, $body) = @_;
	my $pairs = join ', ', map { Issuer::literal($_) } @{ $headers // [] };
	my $bytes = unpack 'H*', $body // '';
	return "(openid4vci.vci_http('$method', '$path', ARRAY[$pairs]::text[], '\\x$bytes')).status";
}

my $claims = q('{"name": "Ann", "amount": {"value": 1250.50, "currency": "PHP"}}');
my $jwk = Issuer::literal(encode_json($wallet->{jwk}));
my $code = $issuer->offer->{code};
my $forged = substr($code, 0, -2) . ($code =~ /AA$/ ? 'BB' : 'AA');
my $proof = $wallet->proof(aud => $issuer->{url}, nonce => 'n-0S6_WzA2Mj');
my $credential = $issuer->sql("SELECT openid4vci.vci_issue_sdjwt('Card', $claims, $jwk)");

statement_is_flat('issuing', "openid4vci.vci_issue_sdjwt('Card', $claims, $jwk)");
statement_is_flat('offering', "(openid4vci.vci_create_offer(ARRAY['Card'], claims => $claims,
	subject_id => n::text, generate_tx_code => true, labels => '{\"area\": 7}')).offer_id");
statement_is_flat('the metadata', http_status('GET', '/.well-known/openid-credential-issuer'));
statement_is_flat('a nonce', http_status('POST', '/api/v1/openid4vci/nonce'));
statement_is_flat('a forged code', http_status(Issuer::token_request($forged)));
statement_is_flat('a proof', "openid4vci.vci_verify_kbjwt('$proof', NULL, '$issuer->{url}')");
statement_is_flat('a presentation', "openid4vci.vci_verify_sdjwt('$credential')");
statement_is_flat('a QR code', "openid4vci.vci_offer_qr(1)", 10_000);

# More lists than a backend keeps, so that each is built anew.
$issuer->sql(q{INSERT INTO openid4vci.vci_status_list (issuer_id, name, bits, size, part, closed_at)
	SELECT id, 'abcdefghijklmnopqrst' || n, 1, 1024, n, now()
	FROM openid4vci.vci_issuer, generate_series(10, 29) AS n});
statement_is_flat('a status list', q{length((openid4vci.vci_http('GET',
	'/api/v1/openid4vci/status-lists/abcdefghijklmnopqrst' || 10 + n % 20,
	'{Accept-Encoding,gzip}', '')).body)}, 10_000);
$issuer->sql('DELETE FROM openid4vci.vci_status_list');

$issuer->sql(q{SELECT openid4vci.vci_create_configuration('Permit', 'https://issuer.example/permit', binding => 'absent',
	options => '{"status_bits": 2}')});
statement_is_flat('issuing with a place in a status list',
	"(openid4vci.vci_issue_and_record('Permit', '{}', subject_id => n::text)).credential_id", 10_000);
$issuer->sql(<<'SQL');
CREATE TABLE public.permit AS SELECT subject_id::integer AS n, id FROM openid4vci.vci_credential
WHERE configuration_id = 'Permit';
ALTER TABLE public.permit ADD PRIMARY KEY (n);
SQL
statement_is_flat('changing a status', 'openid4vci.vci_suspend((SELECT p.id FROM public.permit AS p WHERE p.n = series.n))',
	10_000);

# The whole way of a wallet, each with an offer of its own.
subtest 'redeeming and issuing' => sub {
	$issuer->sql(<<"SQL");
CREATE TABLE public.ticket AS
SELECT n, openid4vci.vci_exchange_code(o.credential_offer #>> ARRAY['grants', '$Issuer::grant',
	'pre-authorized_code']) ->> 'access_token' AS token
FROM generate_series(1, 20000) AS n,
	LATERAL openid4vci.vci_create_offer(ARRAY['Open'], claims => $claims,
		subject_id => n::text) AS o;
ALTER TABLE public.ticket ADD PRIMARY KEY (n);
SQL
	my $body = unpack 'H*', Issuer::credential_body('Open');
	statement_is_flat('a credential request', <<"SQL", 20_000);
NULLIF((openid4vci.vci_http('POST', '/api/v1/openid4vci/credential', ARRAY['Content-Type',
	'application/json', 'Authorization', 'Bearer ' || (SELECT token FROM public.ticket WHERE ticket.n = series.n)],
	'\\x$body')).status, 400)
SQL
	is($issuer->sql(q{SELECT count(*) FROM openid4vci.vci_credential WHERE configuration_id = 'Open'}), 20_000,
		'each was issued');
};

# The ways that begin at a wallet's own client.
Flow::prepare($issuer);
my $key = Wallet->new_quick;
my $flow = Flow->new($issuer, key => $key);
my $plain = Flow->new($issuer);

# One proof a request; the same request under one token is answered again each time.
subtest 'credential requests with DPoP' => sub {
	my $count = 5_000;
	my $token = $flow->tokens($flow->offer('Open'))->{access_token};
	my $url = $flow->url('credential');
	my $proofs = join '', map { "$_\t" . $key->dpop($url, $token) . "\n" } 1 .. $count;
	$issuer->sql("CREATE TABLE public.proof (n integer PRIMARY KEY, jwt text);
COPY public.proof FROM STDIN;\n$proofs\\.\n");
	statement_is_flat('a credential request with a DPoP proof', <<"SQL", $count);
openid4vci.vci_request_credential('$token', '{"credential_configuration_id": "Open"}',
	(SELECT jwt FROM public.proof WHERE proof.n = series.n)) -> 'credentials'
SQL
	cmp_ok($issuer->sql('SELECT count(*) FROM openid4vci.vci_dpop_proof'), '>', $count,
		'each was spent');
};

# A chain: each token is replaced by the next one.
subtest 'refreshing' => sub {
	my $refresh = $plain->tokens->{refresh_token};
	$issuer->sql("ALTER DATABASE postgres SET test.refresh_token = '$refresh'");
	statement_is_flat('refreshing', <<'SQL', 10_000);
set_config('test.refresh_token', openid4vci.vci_request_token(jsonb_build_object(
	'grant_type', 'refresh_token', 'client_id', 'wallet',
	'refresh_token', current_setting('test.refresh_token'))) ->> 'refresh_token', false)
SQL
	is($issuer->sql('SELECT count(used_at) FROM openid4vci.vci_refresh_token'), 10_000,
		'each was replaced');
};

subtest 'authorization requests' => sub {
	my $parameters = Issuer::literal(encode_json({ Flow::authorization_parameters(scope => 'slow') }));
	statement_is_flat('pushing, opening and approving a request', <<"SQL", 3_000);
substring(openid4vci.vci_authorize_approve(substring(openid4vci.vci_authorize(
	jsonb_build_object('client_id', 'wallet', 'request_uri',
		openid4vci.vci_push_authorization($parameters) ->> 'request_uri'))
	->> 'location' FROM 'request=(.*)'), 'person', n::text, $claims) FROM 'code=')
SQL
	is($issuer->sql("SELECT count(*) FROM openid4vci.vci_authorization_info WHERE state = 'approved'"),
		3_000, 'each was approved');
};

subtest 'polling' => sub {
	my $waiting = $plain->deferral($wallet);
	statement_is_flat('asking for a deferred credential', <<"SQL", 5_000);
openid4vci.vci_request_deferred('$waiting->{token}', '$waiting->{transaction}') -> 'interval'
SQL
};

subtest 'the outbox' => sub {
	# a query for each page: of one that calls again and again PostgreSQL keeps the row types
	$issuer->sql(<<'SQL');
CREATE FUNCTION public.page(after bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT max(id) FROM openid4vci.vci_events(after));
END
$$;
SQL
	cmp_ok($issuer->sql('SELECT count(*) FROM openid4vci.vci_event'), '>', 100_000, 'it is long');
	statement_is_flat('a page of the outbox', 'public.page(n * 100)', 1_000);
};

loop_is_flat('a reserved claim',
	q(PERFORM openid4vci.vci_issue_sdjwt('Open', '{"name": "Ann", "cnf": {}}')));
loop_is_flat('a point off the curve', q(PERFORM openid4vci.vci_issue_sdjwt('Card', '{"name": "Ann"}',
	'{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}')));
loop_is_flat('an unknown option', "PERFORM openid4vci.vci_create_offer(ARRAY['Card'],
	claims => $claims, options => '{\"none\": 1}')");

# A configuration that changes between calls: each call reads everything anew.
is_flat($issuer->sql(<<"SQL"), 'a cache that is dropped 5000 times');
CREATE TEMPORARY TABLE seen (first integer, last integer);
CREATE PROCEDURE public.churn() LANGUAGE plpgsql AS \$\$
DECLARE
	first integer;
BEGIN
	FOR n IN 1 .. 5000 LOOP
		PERFORM openid4vci.vci_alter_issuer(jsonb_build_object('offer_lifetime', 1000 + n));
		COMMIT;
		PERFORM openid4vci.vci_issue_sdjwt('Card', $claims, $jwk);
		IF n = 500 THEN first := public.memory_kb(); END IF;
	END LOOP;
	INSERT INTO seen VALUES (first, public.memory_kb());
END \$\$;
CALL public.churn();
SELECT * FROM seen;
SQL

# Within one call, too: a reader passes the events of other issuers. Address space, which
# what is shared does not add to, at its highest.
is_flat($issuer->sql(<<'SQL'), 'half a million events passed over in one call');
INSERT INTO openid4vci.vci_event (id, horizon, issuer_id, kind, actor)
	SELECT nextval('openid4vci.vci_event_id_seq'), '3', 0, 'of_nobody', 'test' FROM generate_series(1, 500000);
SELECT max(id) - 500000 AS start FROM openid4vci.vci_event \gset
CREATE FUNCTION pg_temp.peak_kb() RETURNS integer LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'VmPeak:\s+(\d+)')::integer
$$;
CREATE ROLE one_reader;
SELECT FROM openid4vci.vci_grant('one_reader', 'reporter', 'https://issuer.example');
SET ROLE one_reader;
SELECT count(*) FROM openid4vci.vci_events(:start + 490000);
RESET ROLE;
SELECT pg_temp.peak_kb() AS first \gset
SET ROLE one_reader;
SELECT count(*) FROM openid4vci.vci_events(:start);
RESET ROLE;
SELECT :first, pg_temp.peak_kb();
SQL

rename $issuer->{root_key}, "$issuer->{root_key}.away" or die "rename: $!";
loop_is_flat('a missing root key', "PERFORM openid4vci.vci_issue_sdjwt('Card', $claims, $jwk)", 10_000);

done_testing();
