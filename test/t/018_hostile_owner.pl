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

# A function that runs with its owner's rights passes on what he has, which is his to do.
is(in_database('owned', 'mallory', <<'SQL'), '', 'he wraps a function of ours');
SET search_path = pg_catalog;
SET check_function_bodies = off;
CREATE FUNCTION shadow.wrapped() RETURNS pg_catalog.text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT state FROM openid4vci.vci_create_offer('{Open}', claims => '{"a": 1}', reference => 'wrapped') $$;
SQL
like(in_database('owned', 'person', 'SELECT shadow.wrapped()'), qr/42501: permission denied for schema openid4vci/,
	'without a duty it gives nothing');
clean('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT openid4vci.vci_grant(\'mallory\', \'offerer\'); COMMIT');
is(in_database('owned', 'person', 'SELECT shadow.wrapped()'), 'pending', 'with one it gives that');
is(clean('SELECT created_by FROM openid4vci.vci_offer WHERE reference = \'wrapped\''), 'mallory',
	'and the offer bears the name of who is answerable');

# The registry's functions: who says what is issued, who somebody is, whom a claim means.
$issuer->sql(<<"SQL");
CREATE ROLE source_owner LOGIN;
GRANT source_owner TO registry;
CREATE SCHEMA sources AUTHORIZATION source_owner;
GRANT USAGE ON SCHEMA sources TO PUBLIC;
SQL
$issuer->sql_as('source_owner', <<'SQL');
CREATE TABLE sources.attack (n int PRIMARY KEY, statement text);
CREATE TABLE sources.todo (statement text);
INSERT INTO sources.todo VALUES ('SELECT 1');
CREATE TABLE sources.done (kind text, statement text, outcome text, as_whom text);
GRANT SELECT ON sources.attack TO PUBLIC;
GRANT SELECT, UPDATE ON sources.todo TO PUBLIC;
CREATE PROCEDURE sources.committing() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CREATE FUNCTION sources.run(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wanted text := (SELECT statement FROM sources.todo);
    outcome text := 'done';
BEGIN
    BEGIN
        EXECUTE wanted;
    EXCEPTION WHEN OTHERS THEN
        outcome := SQLSTATE;
    END;
    INSERT INTO sources.done VALUES (kind, wanted, outcome, current_user);
END
$$;
CREATE FUNCTION sources.claims(model text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sources.run('claims');
    RETURN '{"name": "Ann"}';
END
$$;
CREATE FUNCTION sources.plain(model text, id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"name": "Ann"}'::jsonb $$;
CREATE FUNCTION sources.authenticate(form jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sources.run('authenticate');
    RETURN '{"subject_model": "person", "subject_id": "7", "claims": {"name": "Ann"}}';
END
$$;
CREATE FUNCTION sources.subject(claim text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sources.run('subject');
    RETURN '7';
END
$$;
SQL
my $server = Wallet->new_quick;
my $jwks = encode_json({ keys => [ { %{ $server->{jwk} }, kid => 'k1', alg => 'ES256' } ] });
$issuer->sql_as('registry', <<"SQL");
SELECT openid4vci.vci_create_configuration('Sourced', 'v', binding => 'absent', claims_source => 'sources.claims',
    issuer => '$url');
SELECT openid4vci.vci_create_configuration('Person', 'v', binding => 'absent', scope => 'person',
    claims_source => 'sources.plain', issuer => '$url');
SELECT openid4vci.vci_create_client('wallet', '{$Flow::callback}', issuer => '$url');
SELECT openid4vci.vci_alter_issuer('{"authenticate": "sources.authenticate", "authorization_request_rate": 100000}', '$url');
SELECT openid4vci.vci_create_authorization_server('https://login.example', '{registry}', '$jwks',
    '{"subject_model": "person", "subject_source": "sources.subject"}', '$url');
SQL

# What each of them tries, and what comes of it: an SQLSTATE, or "done" for what harms nobody.
my @attacks = (
	[ "SET ROLE $superuser", qr/^42501$/ ],
	[ 'SET ROLE registry', qr/^42501$/ ],
	[ 'RESET ROLE', qr/^42501$/ ],
	[ "SET SESSION AUTHORIZATION $superuser", qr/^42501$/ ],
	[ 'RESET SESSION AUTHORIZATION', qr/^42501$/ ],
	[ "SELECT set_config('role', '$superuser', false)", qr/^42501$/ ],
	[ "SELECT set_config('session_authorization', '$superuser', false)", qr/^42501$/ ],
	[ "SELECT set_config('search_path', 'sources, pg_catalog', false)", qr/^done$/ ],
	[ 'SET synchronous_commit = off', qr/^done$/ ],
	[ 'SET default_transaction_read_only = on', qr/^done$/ ],
	[ 'SET transaction_read_only = on', qr/^done$/ ],
	[ 'SET statement_timeout = 1', qr/^done$/ ],
	[ 'SET client_encoding = latin1', qr/^done$/ ],
	[ 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', qr/^25001$/ ],
	[ 'SET session_replication_role = replica', qr/^42501$/ ],
	[ "SET openid4vci.root_key_file = '/tmp/x'", qr/^42501$/ ],
	[ "SET openid4vci.root_key_command = 'id >/tmp/x'", qr/^42501$/ ],
	[ 'SHOW openid4vci.root_key_file', qr/^42501$/ ],
	[ 'SHOW openid4vci.root_key_command', qr/^42501$/ ],
	[ 'CREATE TEMP TABLE vci_offer (id bigint)', qr/^42501$/ ],
	# not every PostgreSQL refuses it; no statement of ours may find it
	[ 'CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (false)', qr/^(42501|done)$/ ],
	# never found without its schema's name
	[ "CREATE FUNCTION pg_temp.lower(text) RETURNS int LANGUAGE sql AS 'SELECT 1'", qr/^done$/ ],
	[ 'DECLARE c CURSOR WITH HOLD FOR SELECT 1', qr/^42501$/ ],
	[ 'CLOSE ALL', qr/^42501$/ ],
	[ 'PREPARE p AS SELECT 1', qr/^42501$/ ],
	[ 'DEALLOCATE ALL', qr/^42501$/ ],
	[ 'DISCARD PLANS', qr/^42501$/ ],
	[ 'LISTEN openid4vci', qr/^42501$/ ],
	[ 'UNLISTEN *', qr/^42501$/ ],
	[ "NOTIFY openid4vci, 'hello'", qr/^done$/ ],
	[ 'SELECT pg_advisory_xact_lock(1)', qr/^done$/ ],
	[ 'COMMIT', qr/^0A000$/ ],
	[ 'ROLLBACK', qr/^0A000$/ ],
	[ 'SAVEPOINT s', qr/^0A000$/ ],
	[ 'CALL sources.committing()', qr/^2D000$/ ],
	[ 'DO $$ BEGIN ROLLBACK; END $$', qr/^2D000$/ ],
	[ 'LOCK TABLE openid4vci.vci_offer', qr/^42501$/ ],
	[ 'UPDATE openid4vci.vci_offer SET redeemed_at = NULL', qr/^42501$/ ],
	[ "SELECT openid4vci.vci_grant('source_owner', 'issuer_admin')", qr/^42501$/ ],
	[ 'SELECT openid4vci.vci_reapply_duties()', qr/^42501$/ ],
	[ "SELECT openid4vci.vci_http('GET', '/')", qr/^42501$/ ],
	[ 'ALTER ROLE source_owner SUPERUSER', qr/^42501$/ ],
	[ "GRANT $superuser TO source_owner", qr/^42501$/ ],
	[ 'ALTER DATABASE postgres SET search_path = sources', qr/^42501$/ ],
	[ 'CREATE TRIGGER t AFTER INSERT ON openid4vci.vci_credential EXECUTE FUNCTION tsvector_update_trigger()',
		qr/^42501$/ ],
	[ 'COPY (SELECT 1) TO PROGRAM \'cat\'', qr/^42501$/ ],
	[ "SELECT pg_read_file('postgresql.conf')", qr/^42501$/ ],
	[ 'SELECT pg_terminate_backend(pg_backend_pid())', qr/^42501$/ ],
	[ "SELECT lo_import('/etc/hostname')", qr/^42501$/ ],
	[ 'ALTER FUNCTION sources.claims(text, text) SECURITY DEFINER', qr/^done$/ ]);
$issuer->sql_as('source_owner', 'INSERT INTO sources.attack VALUES ' . join ', ',
	map { "($_, " . Issuer::literal($attacks[$_][0]) . ')' } 0 .. $#attacks);

# One try of the attack n by way of each: what of the session is different afterwards, and whether
# what was asked for came all the same.
$issuer->sql(<<"SQL");
CREATE FUNCTION public.session() RETURNS text LANGUAGE sql AS \$\$
    SELECT concat_ws(' ', current_user, session_user, (SELECT md5(string_agg(name || setting, ',' ORDER BY name))
        FROM pg_settings), ARRAY(SELECT pg_listening_channels()), (SELECT count(*) FROM pg_cursors), (SELECT count(*)
        FROM pg_prepared_statements), lower('X'))
\$\$;
CREATE FUNCTION public.credential_of(token text) RETURNS boolean LANGUAGE sql AS \$\$
    SELECT status = 200 FROM openid4vci.vci_http('POST', '/api/v1/openid4vci/credential', ARRAY['Host', 'issuer.example',
        'Content-Type', 'application/json', 'Authorization', 'Bearer ' || token],
        convert_to('{"credential_configuration_id": "Person"}', 'UTF8'))
\$\$;
CREATE FUNCTION public.header_of(answer openid4vci.vci_http_response, name text) RETURNS text LANGUAGE sql AS \$\$
    SELECT answer.headers[i + 1] FROM generate_subscripts(answer.headers, 1) AS i
    WHERE answer.headers[i] = name AND i % 2 = 1
\$\$;
CREATE FUNCTION public.log_in() RETURNS boolean LANGUAGE plpgsql AS \$\$
DECLARE
    base text := '/api/v1/openid4vci';
    answer openid4vci.vci_http_response;
    request text; cookie text; csrf text;
BEGIN
    answer := openid4vci.vci_http('GET', base || '/authorize?response_type=code&client_id=wallet&state=x&scope=person'
        || '&redirect_uri=https%3A%2F%2Fwallet.example%2Fcallback&code_challenge_method=S256&code_challenge='
        || '$Flow::challenge', '{Host, issuer.example}');
    request := substring(header_of(answer, 'Location') FROM 'request=(.*)');
    cookie := '__Host-vci=' || substring(header_of(answer, 'Set-Cookie') FROM '__Host-vci=([^;]*)');
    answer := openid4vci.vci_http('GET', base || '/consent?request=' || request,
        ARRAY['Host', 'issuer.example', 'Cookie', cookie]);
    csrf := substring(convert_from(answer.body, 'UTF8') FROM 'name="csrf" value="([^"]*)"');
    answer := openid4vci.vci_http('POST', base || '/consent', ARRAY['Host', 'issuer.example', 'Cookie', cookie,
        'Content-Type', 'application/x-www-form-urlencoded'], convert_to('request=' || request || '&csrf=' || csrf
        || '&decision=approve&username=a&password=b', 'UTF8'));
    RETURN header_of(answer, 'Location') ~ '[?&]code=';
END
\$\$;
GRANT USAGE ON TYPE openid4vci.vci_http_response TO wallet_endpoint;
CREATE FUNCTION public.try(n int, kind text, token text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
    before text; after text; came boolean;
BEGIN
    UPDATE sources.todo SET statement = (SELECT a.statement FROM sources.attack AS a WHERE a.n = try.n);
    before := public.session();
    IF kind = 'claims' THEN
        came := openid4vci.vci_issue_and_record('Sourced', subject_model => 'm', subject_id => '1', issuer => '$url')
            IS NOT NULL;
    ELSIF kind = 'authenticate' THEN
        came := public.log_in();
    ELSE
        came := public.credential_of(token);
    END IF;
    after := public.session();
    RETURN concat_ws(' ', n, CASE WHEN before = after THEN 'as before' ELSE after END,
        CASE WHEN came THEN 'came' ELSE 'did not come' END);
END
\$\$;
SQL
my %caller = (claims => 'registry', authenticate => 'wallet_endpoint', subject => 'wallet_endpoint');
# The first call loads the library, and with it its settings.
my %first_call = (
	registry => 'SELECT count(*) FROM openid4vci.vci_health()',
	wallet_endpoint => 'SELECT status FROM openid4vci.vci_http(\'GET\', \'/\')');
for my $kind (sort keys %caller)
{
	my $script = "\\o /dev/null\n$first_call{$caller{$kind}};\n\\o\n";
	for my $n (0 .. $#attacks)
	{
		my $token = $kind ne 'subject' ? 'NULL' : Issuer::literal($server->sign(
			{ alg => 'ES256', typ => 'at+jwt', kid => 'k1' },
			{ iss => 'https://login.example', aud => 'registry', jti => "$n", sub => '4711', client_id => 'w',
				scope => 'person', iat => time, exp => time + 3000 }));
		$script .= "SELECT public.try($n, '$kind', $token);\n";
	}
	my ($status, $out, $err) = $node->psql('postgres', $script, extra_params => [ '-U', $caller{$kind} ]);
	is($err, '', "$kind: no attack breaks the call");
	is_deeply([ split /\n/, $out ], [ map { "$_ as before came" } 0 .. $#attacks ],
		"$kind: the session is as before each of them, and the answer came");
	my %outcome = map { /^(\d+)\|(\w+)$/ } split /\n/, $issuer->sql(
		"SELECT a.n, d.outcome FROM sources.done AS d JOIN sources.attack AS a USING (statement)
		WHERE d.kind = '$kind'");
	like($outcome{$_} // 'not tried', $attacks[$_][1], "$kind: $attacks[$_][0]") for 0 .. $#attacks;
}
is($issuer->sql('SELECT DISTINCT as_whom FROM sources.done'), 'source_owner', 'each ran as its owner and nobody else');

# A function that takes too much, or meddles with what it is called for. In each case the wallet's
# token is good afterwards, and one credential is issued for it in all.
sub source
{
	my ($body) = @_;
	$issuer->sql_as('source_owner', "CREATE OR REPLACE FUNCTION sources.claims(model text, id text) RETURNS jsonb
		LANGUAGE plpgsql AS \$body\$ BEGIN $body; RETURN '{\"name\": \"Ann\"}'; END \$body\$");
	return;
}

sub credential_for
{
	my ($token, $before) = @_;
	my $statement = Issuer::http_statement(Issuer::credential_request($token, Issuer::credential_body('Sourced')));
	my ($status, $out, $err) = $node->psql('postgres', ($before // '') . $statement,
		extra_params => [ '-U', 'wallet_endpoint', '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? Issuer::answer($out) : { status => 0, error => $err };
}

sub offer_of_sourced
{
	my $offer = $issuer->offer("subject_model => 'm', subject_id => '1', issuer => '$url'", 'Sourced');
	return ($offer->{offer_id}, $issuer->token($offer)->{json}{access_token});
}
my %fault = (
	'sleeps' => [ 'PERFORM pg_sleep(600)', qr/57014: canceling statement due to statement timeout/,
		'SET statement_timeout = 300;' ],
	'waits for a lock' => [ 'LOCK TABLE sources.attack', qr/57014:|55P03:/, 'SET statement_timeout = 300;' ],
	'raises a flood' => [ 'RAISE EXCEPTION \'%\', repeat(\'x\', 3000000)', qr/P0001: x{1000}/, '' ],
	'raises what asks for another try' => [ 'RAISE SQLSTATE \'40001\'', qr/40001:/, '' ],
	'returns a flood' => [ 'RETURN jsonb_build_object(\'a\', repeat(\'x\', 20000000))', qr/(?:54000|22023|22\w{3}):/, '' ],
	'returns a thousand levels' => [ 'RETURN (repeat(\'{"a":\', 1000) || 1 || repeat(\'}\', 1000))::jsonb', qr/22\w{3}:/, '' ],
	'returns reserved claims' => [ 'RETURN \'{"iss": "https://evil.example"}\'', qr/22\w{3}:/, '' ],
	'drops itself' => [ 'DROP FUNCTION sources.claims(text, text); PERFORM 1/0', qr/22012:/, '' ]);
my $locker_in = "BEGIN; LOCK TABLE sources.attack; SELECT 'locked';\n";
my $locker_out = '';
my $locker = IPC::Run::start([ 'psql', '-XqAt', '-U', 'source_owner', '-d', $node->connstr('postgres') ],
	'<', \$locker_in, '>', \$locker_out);
$locker->pump while $locker_out !~ /locked/;
for my $what (sort keys %fault)
{
	my ($body, $expected, $before) = @{ $fault{$what} };
	my ($offer_id, $token) = offer_of_sourced();
	source($body);
	my $answer = credential_for($token, $before);
	is($answer->{status}, 0, "a source that $what: no credential");
	like(substr($answer->{error}, 0, 3000), $expected, 'the server says why');
	is($issuer->sql("SELECT state FROM openid4vci.vci_offer_info WHERE id = $offer_id"), 'redeemed', 'nothing is issued');
	source('NULL');
	is(credential_for($token)->{status}, 200, 'and the wallet gets it from an honest one');
}
$locker->finish;

# With duties of its own it may do more, but what it is asked for is issued once or not at all.
$issuer->sql("SELECT openid4vci.vci_grant('source_owner', duty)
	FROM unnest('{offerer,issuer_admin,key_admin,endpoint,reporter}'::text[]) AS duty");
my %meddling = (
	'calls itself without end' => "PERFORM openid4vci.vci_issue_and_record('Sourced', subject_model => 'm',
		subject_id => '1', issuer => '$url')",
	'asks for the same credential' => "PERFORM openid4vci.vci_request_credential('%token%',
		'{\"credential_configuration_id\": \"Sourced\"}', issuer => '$url')",
	'cancels the offer' => 'PERFORM openid4vci.vci_cancel_offer(%offer%)',
	'rotates its code' => 'PERFORM openid4vci.vci_rotate_code(%offer%)',
	'takes itself out' => "PERFORM openid4vci.vci_alter_configuration('Sourced', '{\"claims_source\": null}', '$url')",
	'retires the configuration' => "PERFORM openid4vci.vci_retire_configuration('Sourced', '$url')",
	'pauses the issuer' => "PERFORM openid4vci.vci_pause_issuance('$url')",
	'retires the issuer' => "PERFORM openid4vci.vci_retire_issuer('$url')",
	'rotates the keys' => "PERFORM openid4vci.vci_rotate_key('$url'); PERFORM openid4vci.vci_rotate_key('$url', overlap => '0')",
	'retires every key' => "PERFORM openid4vci.vci_retire_key(kid, '$url') FROM openid4vci.vci_key_info WHERE issuer = '$url'",
	'takes its own duties' => "PERFORM openid4vci.vci_revoke('source_owner', 'offerer')",
	'changes a thousand settings' => "PERFORM openid4vci.vci_alter_issuer('{\"retry_window\": 7}', '$url') FROM generate_series(1, 1000)",
	'drops itself' => 'DROP FUNCTION sources.claims(text, text)',
	'becomes another' => 'ALTER FUNCTION sources.claims(text, text) RENAME TO former; CREATE FUNCTION sources.claims(text, text)
		RETURNS text LANGUAGE sql AS \'SELECT 1::text\'');
for my $what (sort keys %meddling)
{
	source('NULL');
	my ($offer_id, $token) = offer_of_sourced();
	my $body = $meddling{$what} =~ s/%token%/$token/r =~ s/%offer%/$offer_id/r;
	source("IF pg_trigger_depth() = 0 THEN $body; END IF");
	# undone afterwards, so that the next one finds everything in its place
	my $request = Issuer::http_statement(Issuer::credential_request($token, Issuer::credential_body('Sourced')));
	my ($status, $out, $err) = $node->psql('postgres', "SET max_stack_depth = '200kB'; BEGIN; $request;
		SELECT count(*) FROM openid4vci.vci_credential WHERE offer_id = $offer_id; ROLLBACK");
	my ($answer, $count) = split /\n/, $out;
	if ($err !~ /ERROR:/)
	{
		my $issued = Issuer::answer($answer)->{status} == 200 ? 1 : 0;
		is($count, $issued, "a source that $what: as many credentials as the answer has ($issued)");
	}
	else
	{
		like($err, qr/^psql:[^\n]*ERROR: /, "a source that $what: refused");
		unlike($err, qr/server closed|terminat/, 'by a server that goes on');
	}
}
source('NULL');
my (undef, $last_token) = offer_of_sourced();
is(credential_for($last_token)->{status}, 200, 'after all that, a wallet gets its credential');
unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP:/, 'and the server never fell');

done_testing();
