# The owner of the database, who is no superuser, and the owner of the registry's functions that
# the extension calls. What they try is refused or does no harm: a trap that is sprung tells as whom.
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

my $issuer = Issuer->start('hostile');
my $node = $issuer->{node};
my $url = $issuer->{url};
my $superuser = $issuer->sql('SELECT current_user');
$issuer->sql("CREATE ROLE $_ LOGIN") for qw(mallory person);

# A session of a role in a database, with a plain search_path; what it prints or its error.
sub in_database
{
	my ($database, $role, $statement) = @_;
	my ($status, $out, $err) = $node->psql($database, $statement,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? $out : $err;
}

sub clean
{
	my ($statement) = @_;
	local $ENV{PGOPTIONS} = '-c search_path=pg_catalog -c transform_null_equals=off -c default_transaction_isolation=read\ committed';
	return in_database('owned', $superuser, $statement);
}

# He is quicker: the schema is made, not yet committed, when CREATE EXTENSION wants to make it.
$issuer->sql('CREATE DATABASE owned OWNER mallory TEMPLATE template0 ENCODING \'UTF8\'');
{
	my ($in, $out) = ("BEGIN; CREATE SCHEMA openid4vci; SELECT 'made';\n", '');
	my $mallory = IPC::Run::start([ 'psql', '-XqAt', '-U', 'mallory', '-d', $node->connstr('owned') ],
		'<', \$in, '>', \$out);
	$mallory->pump while $out !~ /made/;
	my $err = '';
	my $dba = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('owned'), '-c', 'CREATE EXTENSION openid4vci' ],
		'<', \undef, '2>', \$err);
	$issuer->await('EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = \'transactionid\')');
	$in .= "CREATE FUNCTION openid4vci.nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1'; COMMIT;\n";
	$mallory->finish;
	$dba->finish;
	like($err, qr/duplicate key value|schema "?openid4vci"? (?:exists )?already/,
		'a schema that is made while CREATE EXTENSION waits is not taken');
	is(in_database('owned', $superuser, 'SELECT count(*) FROM pg_extension WHERE extname = \'openid4vci\''), 0,
		'and nothing is installed in it');
	is(in_database('owned', 'mallory', 'DROP SCHEMA openid4vci CASCADE'), '', 'its owner takes it away');
}

# Settings of his database that are a superuser's.
for my $setting ("openid4vci.root_key_file = '/tmp/elsewhere'", 'openid4vci.max_body_size = 16',
	"openid4vci.root_key_command = 'id'", 'session_replication_role = replica',
	"session_preload_libraries = 'x'", 'log_statement = none', 'zero_damaged_pages = on')
{
	like(in_database('owned', 'mallory', "ALTER DATABASE owned SET $setting"),
		qr/42501: permission denied to set parameter/, "he cannot set $setting");
}
is(in_database('owned', 'mallory', 'ALTER DATABASE owned SET standard_conforming_strings = off'), '',
	'what backslashes mean is his to set');
like(in_database('owned', $superuser, 'CREATE EXTENSION openid4vci'),
	qr/55000: openid4vci needs standard_conforming_strings on.*HINT:  SET standard_conforming_strings = on/s,
	'and CREATE EXTENSION does not work with other strings than it was written with');

# Everything that PostgreSQL has, once more in a schema before pg_catalog: functions and operators
# that take the same arguments, types and casts. Each tells when it is called, and as whom.
$node->safe_psql('owned', 'CREATE EXTENSION citext; CREATE EXTENSION hstore; DROP EXTENSION citext, hstore');
unlike(in_database('owned', 'mallory', <<'SQL'), qr/ERROR/, 'he shadows what there is to shadow');
CREATE SCHEMA shadow;
CREATE TABLE shadow.sprung (name text, as_whom text, at timestamptz DEFAULT now());
GRANT USAGE ON SCHEMA shadow TO PUBLIC;
GRANT INSERT, SELECT ON shadow.sprung TO PUBLIC;
CREATE FUNCTION shadow.build(name text, arguments text, result text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE FUNCTION shadow.%I(%s) RETURNS %s LANGUAGE plpgsql SET search_path = pg_catalog AS %L', name,
        arguments, result, format('BEGIN INSERT INTO shadow.sprung VALUES (%L, current_user); RETURN NULL; END', name));
EXCEPTION WHEN duplicate_function OR invalid_function_definition OR feature_not_supported OR syntax_error THEN
    NULL;
END
$$;
SELECT count(shadow.build(proname, array_to_string(ARRAY(SELECT t::regtype FROM unnest(proargtypes) AS t), ', '),
    prorettype::regtype::text))
FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset
    AND NOT EXISTS (SELECT FROM pg_type WHERE oid = ANY (proargtypes || prorettype) AND typtype = 'p')
    AND provariadic = 0 AND pronargs <= 6 AND proname !~ '(in|out|recv|send|sel|joinsel|typanalyze|support)$';
-- Better fitting for literals of no type.
SELECT count(shadow.build(name, arguments, result)) FROM (VALUES ('nextval', 'text', 'bigint'),
    ('to_timestamp', 'bigint', 'timestamptz'), ('to_timestamp', 'numeric', 'timestamptz'),
    ('jsonb_build_object', 'text, text', 'jsonb'), ('jsonb_agg', 'jsonb', 'jsonb'), ('jsonb_agg', 'text', 'jsonb'),
    ('array_agg', 'text', 'text[]'), ('count', 'bigint', 'bigint'), ('max', 'bigint', 'bigint'),
    ('unnest', 'text[]', 'text'), ('to_regprocedure', 'name', 'regprocedure'), ('length', 'varchar', 'int'),
    ('concat', 'text, text', 'text'), ('greatest', 'bigint, bigint', 'bigint'), ('array_length', 'text[], int', 'int'),
    ('cardinality', 'text[]', 'int'), ('vci_duty_issuers', 'text', 'bigint[]'), ('vci_drop_caches', '', 'int'),
    ('jsonb_array_length', 'json', 'int'), ('has_function_privilege', 'text, regprocedure, text', 'boolean'))
    AS better (name, arguments, result);
DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS result, oid
        FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
            AND NOT EXISTS (SELECT FROM pg_type WHERE oid IN (oprleft, oprright, oprresult) AND typtype = 'p')
    LOOP
        PERFORM shadow.build('op_' || o.oid, format('%s, %s', o.l, o.r), o.result::text);
        EXECUTE format('CREATE OPERATOR shadow.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = shadow.%I)', o.oprname,
            o.l, o.r, 'op_' || o.oid);
    END LOOP;
END
$$;
CREATE OPERATOR shadow.|| (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = shadow.jsonb_object_field);
CREATE TYPE shadow.text AS (x int);
CREATE DOMAIN shadow.jsonb AS pg_catalog.jsonb CHECK (false);
CREATE DOMAIN shadow.int8 AS pg_catalog.int8 CHECK (false);
CREATE DOMAIN shadow.name AS pg_catalog.name CHECK (false);
CREATE DOMAIN shadow.xid8 AS pg_catalog.int8 CHECK (false);
CREATE DOMAIN shadow.timestamptz AS pg_catalog.timestamptz CHECK (false);
CREATE DOMAIN shadow.bytea AS pg_catalog.bytea CHECK (false);
CREATE TABLE shadow.vci_issuer (id bigint, url pg_catalog.text);
CREATE TABLE shadow.vci_duty (role_name pg_catalog.name, duty pg_catalog.text, issuer_id bigint);
CREATE TABLE shadow.pg_namespace (oid oid, nspname pg_catalog.name, nspacl aclitem[]);
-- Casts of built-in types are a superuser's; those to a type of his own are not.
CREATE TYPE shadow.bait AS (x bigint);
SELECT count(shadow.build('to_bait', t, 'shadow.bait'))
FROM unnest('{pg_catalog.text,pg_catalog.int8,pg_catalog.jsonb,pg_catalog.timestamptz}'::pg_catalog.text[]) AS t;
CREATE CAST (pg_catalog.text AS shadow.bait) WITH FUNCTION shadow.to_bait(pg_catalog.text) AS IMPLICIT;
CREATE CAST (pg_catalog.int8 AS shadow.bait) WITH FUNCTION shadow.to_bait(pg_catalog.int8) AS IMPLICIT;
CREATE CAST (pg_catalog.jsonb AS shadow.bait) WITH FUNCTION shadow.to_bait(pg_catalog.jsonb) AS IMPLICIT;
CREATE CAST (pg_catalog.timestamptz AS shadow.bait) WITH FUNCTION shadow.to_bait(pg_catalog.timestamptz) AS IMPLICIT;
ALTER DATABASE owned SET search_path = shadow, pg_catalog, pg_temp, public;
ALTER DATABASE owned SET standard_conforming_strings = on;
ALTER DATABASE owned SET check_function_bodies = on;
ALTER DATABASE owned SET transform_null_equals = on;
ALTER DATABASE owned SET array_nulls = off;
ALTER DATABASE owned SET quote_all_identifiers = on;
ALTER DATABASE owned SET bytea_output = 'escape';
ALTER DATABASE owned SET datestyle = 'SQL, DMY';
ALTER DATABASE owned SET intervalstyle = 'sql_standard';
ALTER DATABASE owned SET timezone = 'Asia/Kathmandu';
ALTER DATABASE owned SET extra_float_digits = -15;
ALTER DATABASE owned SET row_security = off;
ALTER DATABASE owned SET default_transaction_isolation = 'serializable';
ALTER DATABASE owned SET plan_cache_mode = 'force_generic_plan';
ALTER DATABASE owned SET work_mem = '64kB';
ALTER DATABASE owned SET xmlbinary = 'hex';
ALTER DATABASE owned SET lc_time = 'C';
SQL
cmp_ok(clean('SELECT count(*) FROM pg_operator WHERE oprnamespace = \'shadow\'::regnamespace'), '>', 600,
	'hundreds of operators');
cmp_ok(clean('SELECT count(*) FROM pg_proc WHERE pronamespace = \'shadow\'::regnamespace'), '>', 1500,
	'and more than a thousand functions lie in wait');
is(in_database('owned', 'person', 'SELECT lower(\'A\')'), '', 'who calls one');
is(clean('SELECT DISTINCT name, as_whom FROM shadow.sprung'), 'lower|person', 'springs the trap');
like(in_database('owned', 'mallory', 'CREATE CAST (int4 AS pg_catalog.jsonb) WITH INOUT AS IMPLICIT'),
	qr/42501: must be owner of type/, 'a cast between built-in types is a superuser\'s');
clean('DELETE FROM shadow.sprung');

# The whole of it over all that.
is(in_database('owned', $superuser, 'CREATE EXTENSION openid4vci'), '', 'CREATE EXTENSION works over all that');
my $statements = <<"SQL";
SELECT openid4vci.vci_grant('registry', 'issuer_admin'), openid4vci.vci_grant('registry', 'key_admin'),
    openid4vci.vci_grant('registry', 'offerer'), openid4vci.vci_grant('wallet_endpoint', 'endpoint'),
    openid4vci.vci_grant('keeper', 'auditor');
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT openid4vci.vci_reapply_duties();
COMMIT;
\\connect - registry
CREATE TEMP TABLE vci_offer (id bigint);
CREATE TEMP TABLE vci_duty (role_name pg_catalog.name);
CREATE TEMP TABLE vci_event (id bigint);
SELECT openid4vci.vci_create_issuer('$url');
SELECT openid4vci.vci_create_key();
SELECT openid4vci.vci_create_configuration('Open', 'v', binding => 'absent', validity => '90 days');
SELECT openid4vci.vci_create_client('wallet', '{https://wallet.example/callback}');
SELECT openid4vci.vci_alter_issuer('{"login_url": "https://portal.example/", "refresh_token_lifetime": 1000}');
SELECT openid4vci.vci_load_did_document('did:web:x.example', '{"id": "did:web:x.example"}');
SELECT openid4vci.vci_rotate_key();
SELECT credential_offer FROM openid4vci.vci_create_offer('{Open}', claims => '{"a": 1}', reference => 'one', labels => '{"x": 1}') \\gset
SELECT openid4vci.vci_exchange_code('x');
SELECT * FROM openid4vci.vci_health();
SELECT state FROM openid4vci.vci_offer_info;
SELECT url FROM openid4vci.vci_issuer_info;
SELECT duty FROM openid4vci.vci_duty_info;
SELECT openid4vci.vci_issue_and_record('Open', '{"a": 1}');
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT openid4vci.vci_rotate_root_key();
COMMIT;
SELECT openid4vci.vci_adopt_database();
SELECT * FROM openid4vci.vci_events();
SELECT openid4vci.vci_seal_events();
SELECT openid4vci.vci_purge();
\\connect - keeper
SELECT openid4vci.vci_event_head();
SELECT * FROM openid4vci.vci_verify_events();
\\connect - wallet_endpoint
SELECT status FROM openid4vci.vci_http('GET', '/.well-known/openid-credential-issuer', '{Host, issuer.example}');
SQL
my ($status, $out, $err) = $node->psql('owned', $statements, on_error_stop => 1);
is($err =~ s/^psql:.*?NOTICE:.*\n//mgr, '', 'everything is set up and works in his database');
is($status, 0, 'to the end');

# A wallet's way: offer, token, credential, by vci_http, as the endpoint.
sub owned_http
{
	my (@request) = @_;
	my ($method, $path, $headers, $body) = @request;
	my $pairs = join ', ', map { Issuer::literal($_) } @{ $headers // [] };
	my $bytes = unpack 'H*', $body // '';
	local $ENV{PGOPTIONS} = '-c bytea_output=hex';
	my $answer = in_database('owned', 'wallet_endpoint', "SELECT status, body FROM openid4vci.vci_http('$method', '$path',
		ARRAY[$pairs]::pg_catalog.text[], '\\x$bytes')");
	my ($code, $hex) = $answer =~ /^(\d+)\|\\x([0-9a-f]*)$/ or die $answer;
	return { status => $code, json => eval { decode_json(pack 'H*', $hex) } // {} };
}
my $offered = decode_json(in_database('owned', 'registry',
	"SELECT credential_offer FROM openid4vci.vci_create_offer('{Open}', claims => '{\"a\": 1}')"));
my $token = owned_http(Issuer::token_request($offered->{grants}{$Issuer::grant}{'pre-authorized_code'}));
is($token->{status}, 200, 'a wallet redeems an offer there');
my $credential = owned_http(Issuer::credential_request($token->{json}{access_token},
	Issuer::credential_body('Open')));
is($credential->{status}, 200, 'and gets its credential');
my $sd_jwt = $credential->{json}{credentials}[0]{credential};
like(in_database('owned', 'registry', "SELECT openid4vci.vci_verify_sdjwt('$sd_jwt')"), qr/"valid": true/,
	'which verifies');
is(clean('SELECT name, as_whom FROM shadow.sprung'), '', 'no trap was sprung, by anybody');

# Trusted extensions may be put where their maker may not create: PostgreSQL lets him.
is(in_database('owned', 'mallory', 'SET search_path = pg_catalog; CREATE EXTENSION hstore SCHEMA openid4vci;
	CREATE EXTENSION citext SCHEMA openid4vci; CREATE EXTENSION pg_trgm SCHEMA openid4vci'), '',
	'he puts trusted extensions into our schema');
($status, $out, $err) = $node->psql('owned', "\\connect - registry\nSELECT openid4vci.vci_issue_and_record('Open', '{\"a\": 1}');
	SELECT state FROM openid4vci.vci_offer_info", on_error_stop => 1);
is($err, '', 'and nothing is different for that');

# Default privileges of his own are for what he creates, which is nothing here.
is(in_database('owned', 'mallory', 'ALTER DEFAULT PRIVILEGES IN SCHEMA openid4vci GRANT ALL ON TABLES TO mallory'), '',
	'he sets default privileges in our schema');
is(clean('SELECT count(*) FROM pg_class WHERE relnamespace = \'openid4vci\'::regnamespace
	AND has_table_privilege(\'mallory\', oid, \'SELECT\')'), 0, 'and reads nothing for that');

# What owning the database does not let him do with our objects.
for my $statement ('CREATE VIEW public.peek AS SELECT * FROM openid4vci.vci_offer',
	'CREATE TABLE public.child () INHERITS (openid4vci.vci_offer)',
	'CREATE TABLE public.child (id bigint REFERENCES openid4vci.vci_offer)',
	'CREATE PUBLICATION p FOR TABLE openid4vci.vci_key', 'CREATE PUBLICATION p FOR ALL TABLES',
	'CREATE PUBLICATION p FOR TABLES IN SCHEMA openid4vci',
	'CREATE SUBSCRIPTION s CONNECTION \'dbname=x\' PUBLICATION p',
	'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION shadow.now()',
	"ALTER DEFAULT PRIVILEGES FOR ROLE $superuser GRANT SELECT ON TABLES TO mallory",
	'CREATE STATISTICS public.s ON id, issuer_id FROM openid4vci.vci_offer',
	'CREATE RULE r AS ON SELECT TO openid4vci.vci_key_info DO INSTEAD SELECT 1',
	'ALTER EXTENSION openid4vci DROP TABLE openid4vci.vci_key', 'ALTER EXTENSION openid4vci SET SCHEMA public',
	'ALTER EXTENSION openid4vci UPDATE', 'DROP EXTENSION openid4vci CASCADE', 'REASSIGN OWNED BY registry TO mallory',
	'DROP OWNED BY registry', 'SELECT pg_catalog.pg_read_file(\'postgresql.conf\')',
	'COPY openid4vci.vci_key TO STDOUT', 'COPY (SELECT 1) TO PROGRAM \'cat\'',
	'SELECT pg_catalog.pg_relation_filepath(\'openid4vci.vci_key\'), pg_catalog.pg_read_binary_file(\'x\')',
	'VACUUM FULL openid4vci.vci_key', 'CLUSTER openid4vci.vci_key USING vci_key_pkey',
	'REINDEX TABLE openid4vci.vci_key', 'LOAD \'openid4vci\'; SHOW openid4vci.root_key_file',
	'SECURITY LABEL ON TABLE openid4vci.vci_key IS \'x\'', "SET ROLE $superuser", 'SET ROLE registry',
	'CREATE FUNCTION public.c() RETURNS int LANGUAGE c AS \'openid4vci\', \'vci_health\'')
{
	like(in_database('owned', 'mallory', "SET search_path = pg_catalog; $statement"),
		qr/42501:|22023: no security label providers|permission denied|skipping/, "he cannot: $statement");
}

done_testing();
