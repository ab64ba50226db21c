# Each duty signs in and tries every function and relation: what works is exactly what the
# table below says, and docs/security.md says the same. And what each of them could try to
# get more.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;

my @duties = qw(none endpoint offerer issuer_admin reporter backup);

# object: the duties whose roles may execute it or SELECT from it.
my $table = <<'TABLE';
vci_alter_authorization_server: issuer_admin
vci_alter_client: issuer_admin
vci_alter_configuration: issuer_admin
vci_alter_issuer: issuer_admin
vci_alter_key: issuer_admin
vci_authorization: backup
vci_authorization_id_seq: backup
vci_authorization_info: offerer issuer_admin reporter backup
vci_authorization_request: offerer
vci_authorization_server: backup
vci_authorization_server_info: offerer issuer_admin reporter backup
vci_authorize: offerer
vci_authorize_approve: offerer
vci_authorize_deny: offerer
vci_cancel_offer: offerer
vci_check_issuer: offerer issuer_admin reporter
vci_client: backup
vci_client_info: offerer issuer_admin reporter backup
vci_configuration: backup
vci_configuration_info: offerer issuer_admin reporter backup
vci_create_authorization_server: issuer_admin
vci_create_client: issuer_admin
vci_create_configuration: issuer_admin
vci_create_issuer: issuer_admin
vci_create_key: issuer_admin
vci_create_nonce: offerer
vci_create_offer: offerer
vci_credential: backup
vci_credential_id_seq: backup
vci_credential_info: offerer issuer_admin reporter backup
vci_deferred: backup
vci_deferred_complete: offerer
vci_deferred_deny: offerer
vci_deferred_id_seq: backup
vci_deferred_info: offerer issuer_admin reporter backup
vci_did_document: backup
vci_dpop_proof: backup
vci_drop_authorization_server: issuer_admin
vci_drop_caches:
vci_drop_did_document: issuer_admin
vci_duty: backup
vci_duty_issuers: offerer issuer_admin reporter backup
vci_epoch: backup
vci_event: backup
vci_event_id_seq: backup
vci_event_info: offerer issuer_admin reporter backup
vci_events: offerer issuer_admin reporter
vci_exchange_code: offerer
vci_extend_offer: offerer
vci_grant: issuer_admin
vci_health: offerer issuer_admin reporter
vci_http: endpoint
vci_issue_and_record: offerer
vci_issue_sdjwt: offerer
vci_issuer: backup
vci_issuer_id_seq: backup
vci_issuer_info: offerer issuer_admin reporter backup
vci_key: backup
vci_key_id_seq: backup
vci_key_info: offerer issuer_admin reporter backup
vci_load_did_document: issuer_admin
vci_load_jwks: issuer_admin
vci_nonce: backup
vci_offer: backup
vci_offer_id_seq: backup
vci_offer_info: offerer issuer_admin reporter backup
vci_offer_qr: offerer
vci_offer_qr_png: offerer
vci_offer_uri: offerer
vci_pause_issuance: issuer_admin
vci_purge: offerer issuer_admin
vci_push_authorization: offerer
vci_record_notification: offerer
vci_refresh_token: backup
vci_refresh_token_id_seq: backup
vci_reopen_offer: offerer
vci_request_credential: offerer
vci_request_deferred: offerer
vci_request_token: offerer
vci_reset_tx_code: offerer
vci_resume_issuance: issuer_admin
vci_retire_client: issuer_admin
vci_retire_configuration: issuer_admin
vci_retire_issuer: issuer_admin
vci_retire_key: issuer_admin
vci_revoke: issuer_admin
vci_rotate_code: offerer
vci_token: backup
vci_token_id_seq: backup
vci_verify_dpop: offerer
vci_verify_kbjwt: offerer
vci_verify_sdjwt: offerer
TABLE

my $issuer = Issuer->start('duties');
my $node = $issuer->{node};
for my $duty (@duties)
{
	$issuer->sql("CREATE ROLE d_$duty LOGIN");
	$issuer->sql("SELECT openid4vci.vci_grant('d_$duty', '$duty')") if $duty ne 'none';
}
my $offer = $issuer->offer;

# 'yes' when a statement is not refused for want of privilege; whatever it did is undone.
$issuer->sql(<<'SQL');
CREATE FUNCTION public.may(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN CASE WHEN SQLERRM ~ '^permission denied for' THEN 'no' ELSE SQLERRM END;
    WHEN OTHERS THEN
        RETURN 'yes';
END
$$;
-- One call of each function and one SELECT of each relation. Arguments are not null: a
-- strict function would then not be called at all, and nobody's right to it be asked for.
CREATE TABLE public.attempt AS
SELECT p.proname::text AS object, format('SELECT openid4vci.%I(%s)', p.proname,
    (SELECT string_agg(format('%L::%s', CASE WHEN t = 'text[]'::regtype THEN '{}'
         WHEN t = 'jsonb'::regtype THEN '{}' WHEN t = 'boolean'::regtype THEN 'false'
         WHEN t = 'text'::regtype OR t = 'name'::regtype THEN 'x' ELSE '1' END,
         format_type(t, NULL)), ', ' ORDER BY n)
     FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n))) AS statement
FROM pg_proc AS p WHERE p.pronamespace = 'openid4vci'::regnamespace
UNION ALL
SELECT c.relname, format('SELECT * FROM openid4vci.%I', c.relname)
FROM pg_class AS c WHERE c.relnamespace = 'openid4vci'::regnamespace AND c.relkind IN ('r', 'v', 'S');
GRANT SELECT ON public.attempt TO PUBLIC;
SQL

# As the lines of the table above.
sub written
{
	my (%may) = @_;
	return [ map
		{ my $object = $_; join(' ', "$object:", grep { $may{$object}{$_} } @duties) }
		sort keys %may ];
}

my %may;
for my $duty (@duties)
{
	my $answers = $issuer->sql_as("d_$duty",
		'SELECT object, public.may(statement) FROM public.attempt');
	for my $answer (split /\n/, $answers)
	{
		my ($object, $result) = split /\|/, $answer;
		$may{$object}{$duty} = $result ne 'no';
	}
}
is_deeply(written(%may), [ split /\n/, $table ], 'each duty can use exactly what its table says');

# Rows "| `object` | yes | | ..." between the markers.
sub documented
{
	my ($file) = @_;
	my ($section) = slurp_file($file) =~ /<!-- duties -->\n(.*?)<!-- \/duties -->/s
	  or return;
	my %documented;
	for my $row ($section =~ /^\| *`(\w+)`.*$/mg)
	{
		my ($line) = $section =~ /^\| *`$row` *\|(.*)\|$/m;
		my @cells = map { s/\s//gr } split /\|/, $line, -1;
		$documented{$row}{ $duties[$_] } = $cells[$_] eq 'yes' for 0 .. $#duties;
	}
	return \%documented;
}

my $security = "$FindBin::Bin/../../docs/security.md";
SKIP:
{
	skip 'there is no docs/security.md', 2 if !-e $security;
	my $documented = documented($security);
	my ($heading) = slurp_file($security) =~ /<!-- duties -->\n\|([^\n]*)\|\n/;
	is_deeply([ map { s/\s//gr } split /\|/, $heading // '' ], [ 'Object', @duties ],
		'docs/security.md names the duties in their order');
	is_deeply(written(%{ $documented // {} }), [ split /\n/, $table ],
		'docs/security.md says the same');
}

# Nobody but the owner writes a table or moves a sequence by hand.
for my $duty (@duties)
{
	is($issuer->sql_as("d_$duty", <<'SQL'), '', "$duty changes no table and no sequence by hand");
SELECT object, verb FROM public.attempt,
    LATERAL (VALUES ('INSERT', 'INSERT INTO openid4vci.%I DEFAULT VALUES'),
                    ('DELETE', 'DELETE FROM openid4vci.%I'),
                    ('TRUNCATE', 'TRUNCATE openid4vci.%I'),
                    ('LOCK', 'LOCK TABLE openid4vci.%I')) AS v (verb, form)
WHERE statement LIKE 'SELECT * FROM%' AND object !~ '_seq$|_info$' AND public.may(format(form, object)) <> 'no'
UNION ALL
SELECT object, 'nextval' FROM public.attempt
WHERE object ~ '_seq$' AND public.may(format('SELECT nextval(''openid4vci.%s'')', object)) <> 'no'
SQL
}

# Sealed keys are all that the backup duty reads.
is($issuer->sql_as('d_backup', <<'SQL'), 't', 'backup reads keys sealed: neither PKCS8 nor its algorithm shows');
SELECT count(*) > 0 AND bool_and(substr(private_key, 1, 2) <> '\x3081'
    AND position('\x06072a8648ce3d0201'::bytea IN private_key) = 0)
FROM openid4vci.vci_key
SQL
is($issuer->sql_as('d_backup', 'SELECT count(*) FROM openid4vci.vci_offer_info'), 0,
	'backup may read a view and finds no rows in it');
for my $duty (grep { $_ ne 'backup' } @duties)
{
	like($issuer->error_of("d_$duty", 'SELECT private_key FROM openid4vci.vci_key'),
		qr/42501: permission denied/, "$duty reads no sealed key");
}

# Limited to one issuer.
$issuer->sql(<<'SQL');
SELECT openid4vci.vci_create_issuer('https://second.example');
SELECT openid4vci.vci_create_key('https://second.example');
SELECT openid4vci.vci_create_configuration('Second', 'v', binding => 'absent', issuer => 'https://second.example');
SQL
for my $duty (qw(endpoint offerer issuer_admin reporter))
{
	$issuer->sql("CREATE ROLE one_$duty LOGIN");
	$issuer->sql("SELECT openid4vci.vci_grant('one_$duty', '$duty', 'https://second.example')");
}
my $first = "issuer => '$issuer->{url}'";
my $second = "issuer => 'https://second.example'";
my @limited = (
	[ 'offerer', "openid4vci.vci_create_nonce(%s)" ],
	[ 'offerer', "openid4vci.vci_exchange_code('x', %s)" ],
	[ 'issuer_admin', "openid4vci.vci_alter_issuer('{}', %s)" ],
	[ 'issuer_admin', "openid4vci.vci_create_key(%s)" ],
	[ 'issuer_admin', "openid4vci.vci_create_configuration('New', 'v', %s)" ],
	[ 'issuer_admin', "openid4vci.vci_grant('d_none', 'reporter', %s)" ],
	[ 'reporter', "openid4vci.vci_check_issuer(%s)" ]);
for my $case (@limited)
{
	my ($duty, $call) = @$case;
	my ($name) = $call =~ /\.(\w+)/;
	is($issuer->error_of("one_$duty", "BEGIN; SELECT " . sprintf($call, $second) . '; ROLLBACK'), '',
		"$name: $duty of one issuer acts for that one");
	like($issuer->error_of("one_$duty", 'SELECT ' . sprintf($call, $first)), qr/42501:.*lacks the duty/,
		"$name: and for no other");
}
for my $call ("vci_create_issuer('https://third.example')", 'vci_purge()',
	"vci_load_did_document('did:web:x.example', '{\"id\": \"did:web:x.example\"}')",
	"vci_drop_did_document('did:web:x.example')", "vci_grant('d_none', 'reporter')")
{
	my ($name) = $call =~ /^(\w+)/;
	like($issuer->error_of('one_issuer_admin', "SELECT openid4vci.$call"), qr/42501:.*for all issuers/,
		"$name needs the duty for all issuers");
}
for my $duty (qw(offerer issuer_admin reporter))
{
	is($issuer->sql_as("one_$duty", 'SELECT DISTINCT url FROM openid4vci.vci_issuer_info'),
		'https://second.example', "$duty of one issuer sees that one in the views");
}
like($issuer->error_of('one_offerer', "SELECT openid4vci.vci_offer_uri($offer->{offer_id})"),
	qr/42704: .*there is no offer/, 'and does not learn whether a foreign offer exists');
for my $host ('issuer.example', 'second.example')
{
	is($issuer->sql_as('one_endpoint', "SELECT status FROM openid4vci.vci_http('GET',
		'/.well-known/jwt-vc-issuer', '{Host, $host}')"), $host =~ /second/ ? 200 : 404,
		"endpoint of one issuer asked for $host");
}

# Taking more than was given.
for my $duty (@duties)
{
	my $owner = $issuer->sql('SELECT extowner::regrole FROM pg_extension WHERE extname = \'openid4vci\'');
	like($issuer->error_of("d_$duty", "SET ROLE $owner"), qr/permission denied to set role/,
		"$duty cannot become the extension's owner");
	like($issuer->error_of("d_$duty", "SELECT openid4vci.vci_grant('d_$duty', 'issuer_admin')"),
		qr/42501:/, "$duty cannot give itself more");
	next if $duty eq 'none' || $duty eq 'backup';
	is($issuer->sql_as("d_$duty", 'SELECT openid4vci.vci_duty_issuers(\'issuer_admin\')'), '{}',
		"$duty is no issuer_admin") if $duty ne 'endpoint' && $duty ne 'issuer_admin';
}

# The root key's place is a superuser's business, before the library is loaded too.
for my $setting (qw(root_key_file max_body_size))
{
	my ($status, $out, $err) = $node->psql('postgres',
		"SET openid4vci.$setting = '/tmp/elsewhere'; SELECT openid4vci.vci_create_nonce('$issuer->{url}') IS NOT NULL",
		extra_params => [ '-U', 'd_offerer' ]);
	is($out, 't', "$setting set before the library is loaded has no effect");
	like($err, qr/permission denied to set parameter/, "and is said to be refused");
	like($issuer->error_of('d_offerer', "SELECT openid4vci.vci_create_nonce('$issuer->{url}');
		SET openid4vci.$setting = '/tmp/elsewhere'"), qr/42501: permission denied to set parameter/,
		"$setting is refused afterwards");
}
my $nonce = "SELECT openid4vci.vci_create_nonce('$issuer->{url}') IS NOT NULL";
{
	# PostgreSQL then leaves the setting at its default: the session harms itself alone.
	local $ENV{PGOPTIONS} = '-c openid4vci.root_key_file=/tmp/elsewhere';
	like($issuer->error_of('d_offerer', $nonce),
		qr/permission denied to set parameter.*no usable root key/s,
		'a setting from the connection string is refused');
}
is($issuer->sql_as('d_offerer', $nonce), 't', 'and other sessions go on');
like($issuer->error_of('d_offerer', "SELECT openid4vci.vci_create_nonce('$issuer->{url}');
	SHOW openid4vci.root_key_file"), qr/42501:/, 'nor is the place shown');

# Shadows on the caller's search_path: each of them would tell of being called.
$issuer->sql('CREATE SCHEMA shadow AUTHORIZATION d_offerer; GRANT TEMPORARY ON DATABASE postgres TO d_offerer');
my $shadows = <<'SQL';
CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.to_timestamp(bigint) RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.nextval(text) RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.vci_duty_issuers(text) RETURNS bigint[] LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE OPERATOR shadow.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = shadow.equal);
CREATE OPERATOR shadow.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shadow.equal);
CREATE TABLE shadow.vci_issuer (id bigint, url text);
CREATE TYPE shadow.text AS (x int);
SQL
$issuer->sql_as('d_offerer', $shadows);
my $work = <<"SQL";
CREATE TEMP TABLE vci_offer (id bigint);
CREATE TEMP TABLE vci_duty (role_name name);
SET search_path = shadow, pg_temp, pg_catalog, openid4vci;
SELECT o.offer_id AS id FROM openid4vci.vci_create_offer('{Card}', claims => '{"name": "Ann"}',
    reference => 'shadow', $first) AS o \\gset
SELECT openid4vci.vci_rotate_code(:id) IS NOT NULL, openid4vci.vci_extend_offer(:id) IS NOT NULL,
    openid4vci.vci_offer_qr(:id) IS NOT NULL, openid4vci.vci_cancel_offer(:id),
    openid4vci.vci_reopen_offer(:id) IS NOT NULL;
SELECT openid4vci.vci_exchange_code('x', $first) ->> 'error';
SELECT state FROM openid4vci.vci_offer_info LIMIT 1;
SHOW search_path;
SQL
my ($status, $out, $err) = $node->psql('postgres', $work, extra_params => [ '-U', 'd_offerer' ]);
is($err, '', 'shadows of functions, operators, tables and types are never called');
is($out, "t|t|t|t|t\ninvalid_grant\npending\nshadow, pg_temp, pg_catalog, openid4vci",
	'and everything works under a hostile search_path');

# The extension's own script.
sub try_extension
{
	my ($name, @before) = @_;
	$issuer->sql("DROP DATABASE IF EXISTS trial");
	$issuer->sql("CREATE DATABASE trial OWNER d_none TEMPLATE template0 ENCODING 'UTF8'");
	$node->psql('trial', $_->[1], extra_params => [ '-U', $_->[0] ]) for @before;
	my ($result, $output, $error) = $node->psql('trial', 'CREATE EXTENSION openid4vci',
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $error;
}
my $superuser = $issuer->sql('SELECT current_user');
like(try_extension('other', [ 'd_none', 'CREATE SCHEMA openid4vci' ]), qr/42P06: .*exists already/,
	'a schema that another role made beforehand is refused');
like(try_extension('table', [ $superuser, 'CREATE SCHEMA openid4vci; CREATE TABLE openid4vci.x ()' ]),
	qr/42P06: .*exists already/, 'and one that is not empty');
like(try_extension('function', [ $superuser, 'CREATE SCHEMA openid4vci;
	CREATE FUNCTION openid4vci.now() RETURNS int LANGUAGE sql AS \'SELECT 1\'' ]), qr/42P06:/,
	'or holds a function');
like(try_extension('default', [ $superuser, 'CREATE SCHEMA openid4vci;
	ALTER DEFAULT PRIVILEGES IN SCHEMA openid4vci GRANT SELECT ON TABLES TO PUBLIC' ]), qr/42P06:/,
	'or has default privileges waiting');
is(try_extension('empty', [ $superuser, 'CREATE SCHEMA openid4vci' ]), '', 'an empty one of its owner serves');
is(try_extension('path', [ 'd_none', <<'SQL' ]), '', 'objects on the database\'s search_path do no harm to the script');
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.gen_random_uuid() RETURNS uuid LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
ALTER DATABASE trial SET search_path = shadow, pg_catalog;
SQL
is($node->safe_psql('trial', 'SELECT count(*) FROM openid4vci.vci_epoch'), 1, 'and it did its work');

# Owning the database is no right on the extension's schema.
for my $statement ('SELECT * FROM openid4vci.vci_key', 'DROP SCHEMA openid4vci CASCADE',
	'DROP EXTENSION openid4vci', 'ALTER SCHEMA openid4vci RENAME TO x',
	'CREATE FUNCTION openid4vci.x() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
	'ALTER TABLE openid4vci.vci_key DISABLE TRIGGER ALL', 'GRANT ALL ON SCHEMA openid4vci TO PUBLIC')
{
	my ($result, $output, $error) = $node->psql('trial', $statement,
		extra_params => [ '-U', 'd_none', '-v', 'VERBOSITY=verbose' ]);
	like($error, qr/42501:|01007:/, "the database's owner cannot: $statement");
}
like($issuer->sql('SELECT 1 WHERE EXISTS (SELECT FROM openid4vci.vci_key)'), qr/^1$/, 'all is still there');

$issuer->sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
($status, $out, $err) = $node->psql('latin', 'CREATE EXTENSION openid4vci');
like($err, qr/needs a database with encoding UTF8, this one has LATIN1/, 'a database that is not UTF8 is refused');

done_testing();
