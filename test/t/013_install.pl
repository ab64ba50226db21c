# Installing where others were before: rights on the schema, default privileges, a schema of
# another superuser's, and an extension that is dropped and made again. Whatever was there,
# rights come from vci_grant alone, and nobody's function runs with the owner's rights.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;

my $issuer = Issuer->start_server('install');
my $node = $issuer->{node};
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE mallory LOGIN;
CREATE ROLE app LOGIN;
CREATE ROLE clerk LOGIN;
CREATE ROLE first_dba LOGIN SUPERUSER;
CREATE ROLE second_dba LOGIN SUPERUSER;
SQL

# A database of its own for a case, with what was there before.
sub database
{
	my ($name, $before) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8'");
	$node->safe_psql($name, $before) if defined $before;
	return $name;
}

# What a statement says when it fails, as that role.
sub error_in
{
	my ($database, $role, $statement) = @_;
	my ($status, $out, $err) = $node->psql($database, $statement,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? '' : $err;
}

# The privileges that anybody but the owner has, on any object of the schema or on itself;
# PostgreSQL's defaults count as given.
sub privileges
{
	my ($database) = @_;
	return $node->safe_psql($database, <<'SQL');
SELECT o.name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
    string_agg(a.privilege_type, ',' ORDER BY a.privilege_type)
FROM (SELECT 'schema ' || nspname, nspowner, COALESCE(nspacl, acldefault('n', nspowner))
      FROM pg_namespace WHERE nspname = 'openid4vci'
      UNION ALL
      SELECT proname, proowner, COALESCE(proacl, acldefault('f', proowner))
      FROM pg_proc WHERE pronamespace = 'openid4vci'::regnamespace
      UNION ALL
      SELECT relname, relowner,
             COALESCE(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
      FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace AND relkind NOT IN ('i', 'c')
      UNION ALL
      SELECT c.relname || '.' || t.attname, c.relowner, t.attacl
      FROM pg_attribute AS t JOIN pg_class AS c ON c.oid = t.attrelid
      WHERE c.relnamespace = 'openid4vci'::regnamespace AND t.attacl IS NOT NULL
      UNION ALL
      SELECT 'type ' || t.typname, t.typowner, COALESCE(t.typacl, acldefault('T', t.typowner))
      FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
      WHERE t.typnamespace = 'openid4vci'::regnamespace AND t.typelem = 0
          AND (c.relkind IS NULL OR c.relkind = 'c' OR t.typacl IS NOT NULL)) AS o (name, owner, acl),
     LATERAL aclexplode(o.acl) AS a
WHERE a.grantee <> o.owner
GROUP BY 1, 2 ORDER BY 1, 2
SQL
}

sub create_issuer
{
	my ($database, $role) = @_;
	return $node->safe_psql($database, <<'SQL', extra_params => [ '-U', $role ]);
SELECT openid4vci.vci_create_issuer('https://issuer.example');
SELECT openid4vci.vci_create_key();
SELECT openid4vci.vci_create_configuration('Open', 'v', binding => 'absent');
SQL
}

my $offer = "SELECT o.created FROM openid4vci.vci_create_offer('{Open}', claims => '{\"a\": 1}') AS o";

# A superuser made the schema and let somebody create in it, who could do so while the script runs.
for my $grantee ('mallory', 'PUBLIC')
{
	my $open = database(lc "open_to_$grantee", "CREATE SCHEMA openid4vci AUTHORIZATION first_dba;
		GRANT CREATE ON SCHEMA openid4vci TO $grantee");
	like(error_in($open, 'first_dba', 'CREATE EXTENSION openid4vci'),
		qr/42P06: .*where nobody else may create.*HINT/s, "a schema is refused in which $grantee may create");
}

# Other rights on it are taken.
my $trap = database('trap', <<'SQL');
CREATE SCHEMA openid4vci AUTHORIZATION first_dba;
GRANT CREATE ON SCHEMA openid4vci TO second_dba;
GRANT USAGE ON SCHEMA openid4vci TO mallory WITH GRANT OPTION;
GRANT USAGE ON SCHEMA openid4vci TO PUBLIC;
SQL
is(error_in($trap, 'first_dba', 'CREATE EXTENSION openid4vci'), '',
	'a schema with rights of others is taken over');
is(privileges($trap), '', 'and nobody has a right on it afterwards');
like(error_in($trap, 'mallory', 'CREATE FUNCTION openid4vci.x() RETURNS int LANGUAGE sql AS \'SELECT 1\''),
	qr/42501: permission denied for schema openid4vci/, 'nor creates a function there');

# Whoever is let in afterwards: a function that fits a call of ours better than PostgreSQL's
# own does would run as the owner of the extension.
create_issuer($trap, 'first_dba');
$node->safe_psql($trap, <<'SQL');
GRANT CREATE ON SCHEMA openid4vci TO mallory;
SELECT openid4vci.vci_grant('mallory', 'offerer');
SQL
is(error_in($trap, 'mallory', <<"SQL"), '', 'our functions work beside better fitting ones in the schema');
CREATE FUNCTION openid4vci.to_timestamp(bigint) RETURNS timestamptz LANGUAGE plpgsql AS \$\$
BEGIN
    ALTER ROLE mallory SUPERUSER;
    RETURN pg_catalog.to_timestamp(\$1::float8);
END
\$\$;
CREATE FUNCTION openid4vci.nextval(text) RETURNS bigint LANGUAGE plpgsql AS \$\$
BEGIN
    ALTER ROLE mallory SUPERUSER;
    RETURN pg_catalog.nextval(\$1::regclass);
END
\$\$;
$offer;
SELECT openid4vci.vci_rotate_code(id), openid4vci.vci_extend_offer(id), openid4vci.vci_cancel_offer(id),
    openid4vci.vci_reopen_offer(id) FROM openid4vci.vci_offer_info;
SELECT r ->> 'access_token' FROM openid4vci.vci_create_offer('{Open}', claims => '{"a": 1}') AS o,
    openid4vci.vci_exchange_code(o.credential_offer
        #>> '{grants,$Issuer::grant,pre-authorized_code}') AS r;
SELECT credential_id FROM openid4vci.vci_issue_and_record('Open', '{"a": 1}');
SQL
is($node->safe_psql($trap, 'SELECT rolsuper FROM pg_roles WHERE rolname = \'mallory\''), 'f',
	'and call none of them');
$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');

# Default privileges of the role that installs, for all schemas.
my $favour = database('favour', <<'SQL');
ALTER DEFAULT PRIVILEGES FOR ROLE first_dba GRANT ALL ON TABLES TO app, PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE first_dba GRANT ALL ON FUNCTIONS TO app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE first_dba GRANT ALL ON SEQUENCES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE first_dba GRANT ALL ON TYPES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE first_dba GRANT ALL ON SCHEMAS TO app;
SQL
is(error_in($favour, 'first_dba', 'CREATE EXTENSION openid4vci'), '',
	'default privileges do not hinder CREATE EXTENSION');
is(privileges($favour), '', 'nor do they give anybody a right on any object of the extension');
create_issuer($favour, 'first_dba');
$node->safe_psql($favour, 'SELECT openid4vci.vci_grant(\'app\', \'reporter\')');
for my $statement ('SELECT data_key FROM openid4vci.vci_issuer', 'UPDATE openid4vci.vci_offer SET redeemed_at = NULL',
	"INSERT INTO openid4vci.vci_duty (role_name, duty, granted_by) VALUES ('app', 'offerer', 'app')",
	"SELECT nextval('openid4vci.vci_offer_id_seq')", 'SELECT openid4vci.vci_create_key()',
	'CREATE TABLE openid4vci.x (y int)')
{
	like(error_in($favour, 'app', $statement), qr/42501: permission denied/,
		"a duty gives what it gives and no more: $statement");
}

# The schema outlives DROP EXTENSION, and with it the right to use it.
my $again = database('again', 'CREATE EXTENSION openid4vci');
create_issuer($again, 'first_dba');
$node->safe_psql($again, <<'SQL');
SELECT openid4vci.vci_grant('clerk', duty)
FROM unnest('{issuer_admin,offerer,reporter,endpoint,backup}'::text[]) AS duty;
SQL
is($node->safe_psql($again, $offer, extra_params => [ '-U', 'clerk' ]), 't', 'a clerk with every duty');
$node->safe_psql($again, 'DROP EXTENSION openid4vci; CREATE EXTENSION openid4vci');
is(privileges($again), '', 'has nothing in an extension that was made anew');
like(error_in($again, 'clerk', 'SELECT openid4vci.vci_health()'),
	qr/42501: permission denied for schema openid4vci/, 'not so much as a look-up');

# The schema of another superuser, as pg_dump makes it, serves; no other does.
my $taken = database('taken', 'CREATE SCHEMA openid4vci AUTHORIZATION first_dba');
is(error_in($taken, 'second_dba', 'CREATE EXTENSION openid4vci'), '',
	'an empty schema of another superuser serves');
is(privileges($taken), '', 'and everything is closed');
create_issuer($taken, 'second_dba');
$node->safe_psql($taken, 'SELECT openid4vci.vci_grant(\'clerk\', \'offerer\')');
is($node->safe_psql($taken, $offer, extra_params => [ '-U', 'clerk' ]), 't', 'a duty works there');
$node->safe_psql($taken, 'SELECT openid4vci.vci_revoke(\'clerk\', \'offerer\')');
is(privileges($taken), '', 'and ends with all its rights');
my %refused = (
	strangers => 'CREATE SCHEMA openid4vci AUTHORIZATION mallory',
	with_table => 'CREATE SCHEMA openid4vci AUTHORIZATION first_dba; CREATE TABLE openid4vci.x ()',
	with_function => 'CREATE SCHEMA openid4vci AUTHORIZATION first_dba;
		CREATE FUNCTION openid4vci.now() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
	with_type => 'CREATE SCHEMA openid4vci AUTHORIZATION first_dba; CREATE DOMAIN openid4vci.x AS int',
	(map { "with_$_" =~ tr/ /_/r => "CREATE SCHEMA openid4vci AUTHORIZATION first_dba; " . {
		collation => 'CREATE COLLATION openid4vci.x FROM "C"',
		conversion => 'CREATE CONVERSION openid4vci.x FOR \'LATIN1\' TO \'UTF8\' FROM iso8859_1_to_utf8',
		'operator family' => 'CREATE OPERATOR FAMILY openid4vci.x USING btree',
		dictionary => 'CREATE TEXT SEARCH DICTIONARY openid4vci.x (TEMPLATE = simple)',
		extension => 'CREATE EXTENSION citext SCHEMA openid4vci' }->{$_} }
	  'collation', 'conversion', 'operator family', 'dictionary', 'extension'));
for my $name (sort keys %refused)
{
	my $database = database($name, $refused{$name});
	like(error_in($database, 'second_dba', 'CREATE EXTENSION openid4vci'),
		qr/42P06: schema openid4vci exists already/, "a schema that is refused: $name");
	is($node->safe_psql($database, 'SELECT count(*) FROM pg_extension WHERE extname = \'openid4vci\''), 0,
		'and nothing is installed');
}

# A dump of one superuser's is restored by another one, every statement of it.
my $origin = database('origin', 'CREATE EXTENSION openid4vci');
create_issuer($origin, 'first_dba');
$node->safe_psql($origin, 'SELECT openid4vci.vci_grant(\'clerk\', \'offerer\')');
is($node->safe_psql($origin, $offer, extra_params => [ '-U', 'clerk' ]), 't', 'an offer in the original');
my $dump = $node->basedir . '/origin.sql';
$node->command_ok([ 'pg_dump', '--no-sync', '-f', $dump, $node->connstr($origin) ], 'pg_dump');
my $copy = database('copy');
$node->command_ok(
	[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-U', 'second_dba', '-d', $node->connstr($copy), '-f', $dump ],
	'the dump is restored by another superuser without an error');
is($node->safe_psql($copy, 'SELECT count(*) FROM openid4vci.vci_offer'), 1, 'the offer is there');
is(privileges($copy), privileges($origin), 'the rights are those of the original');
is($node->safe_psql($copy, $offer, extra_params => [ '-U', 'clerk' ]), 't', 'and the clerk works on');

done_testing();
