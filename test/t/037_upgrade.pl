# A database of 0.1.0: the new library tells what to type instead of working on old
# objects, ALTER EXTENSION openid4vci UPDATE makes of it what a fresh installation is,
# catalog by catalog, and what was begun before goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

use Installation;
use Issuer;
use Recorded;

my $fixture = "$FindBin::Bin/../upgrade/0.1.0";
my $old_script = "$fixture/openid4vci--0.1.0.sql";
my $catalog_query = slurp_file("$FindBin::Bin/../upgrade/catalog.sql");
my $path =
  Installation::with_scripts(PostgreSQL::Test::Utils::tempdir . '/installation', $old_script);
my $recorded = Recorded->new($fixture);
my $issuer = Issuer->start_server('upgrade', install_path => $path, root_key => $recorded->root_key);
my $node = $issuer->{node};
my $version = $node->safe_psql('postgres',
	"SELECT default_version FROM pg_available_extensions WHERE name = 'openid4vci'");

$issuer->create_roles;
$node->safe_psql('postgres', 'CREATE ROLE clerk LOGIN; CREATE ROLE mallory LOGIN');

sub database
{
	my ($name, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8'");
	$node->safe_psql($name, $_) for @statements;
	return $name;
}

# What the catalogs of a database hold: hash of "catalog object" to content.
sub catalogs
{
	my ($database) = @_;
	my %found;
	for my $line (split /\n/, $node->safe_psql($database, $catalog_query))
	{
		my ($catalog, $object, $content) = split /\|/, $line, 3;
		my $key = "$catalog: $object";
		$found{$key} = defined $found{$key} ? "$found{$key}\n$content" : $content;
	}
	return \%found;
}

# Each difference in a line or two.
sub differences
{
	my ($upgraded, $fresh) = @_;
	my @found;
	for my $object (sort keys %{ { %$upgraded, %$fresh } })
	{
		my ($left, $right) = map { $_->{$object} // 'is not there' } $upgraded, $fresh;
		push @found, "$object\n  upgraded: $left\n  fresh:    $right" if $left ne $right;
	}
	return @found;
}

sub is_like_fresh
{
	my ($upgraded, $fresh, $what) = @_;
	my @found = differences($upgraded, $fresh);
	is(scalar @found, 0, $what) or diag(join "\n", splice @found, 0, 20);
	return;
}

# What the tables hold before anybody used them; the epoch is random.
sub rows_in
{
	my ($database) = @_;
	my $tables = $node->safe_psql($database, <<'SQL');
SELECT string_agg(format('SELECT %L AS "table", t::text AS row FROM %s AS t', oid::regclass, oid::regclass),
	' UNION ALL ')
FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace AND relkind = 'r' AND relname <> 'vci_epoch'
SQL
	return $node->safe_psql($database, "$tables ORDER BY 1, 2");
}

# Rights of others on what a script makes are the script's to take away.
my @favours = map { "ALTER DEFAULT PRIVILEGES GRANT ALL ON $_ TO mallory" }
  qw(TABLES SEQUENCES FUNCTIONS TYPES);
my $fresh = catalogs(database('fresh', @favours, 'CREATE EXTENSION openid4vci'));
my $old = database('bare', @favours, "CREATE EXTENSION openid4vci VERSION '0.1.0'");

subtest 'an installation without data' => sub {
	my @before = differences(catalogs($old), $fresh);
	cmp_ok(scalar @before, '>', 100, 'the comparison sees how 0.1.0 differs');
	$node->safe_psql($old, 'ALTER EXTENSION openid4vci UPDATE');
	is_like_fresh(catalogs($old), $fresh, 'updated, it equals a fresh installation in every catalog');
	is(rows_in($old), rows_in('fresh'), 'and holds the same rows');
};

# What a change by hand would look like, so that silence above means something.
subtest 'the comparison sees' => sub {
	my @changes = (
		'a column too many' => 'ALTER TABLE openid4vci.vci_offer ADD COLUMN extra int',
		'a column that went' => 'ALTER TABLE openid4vci.vci_offer DROP COLUMN extra',
		'a default' => 'ALTER TABLE openid4vci.vci_offer ALTER tx_code_failures SET DEFAULT 1',
		'a storage option' => 'ALTER TABLE openid4vci.vci_offer SET (fillfactor = 70)',
		'a right' => 'GRANT SELECT ON openid4vci.vci_offer TO mallory',
		'a column right' => 'GRANT SELECT (id) ON openid4vci.vci_offer TO mallory',
		'a trigger that is off' => 'ALTER TABLE openid4vci.vci_key DISABLE TRIGGER vci_drop_caches',
		'a comment' => "COMMENT ON VIEW openid4vci.vci_offer_info IS 'other'",
		'a label' => 'ALTER FUNCTION openid4vci.vci_health() PARALLEL UNSAFE',
		'a setting of a function' => 'ALTER FUNCTION openid4vci.vci_health() SET work_mem = 64',
		'a view' => 'ALTER VIEW openid4vci.vci_offer_info SET (security_barrier = false)',
		'a member that left' => 'ALTER EXTENSION openid4vci DROP VIEW openid4vci.vci_offer_info',
		'a sequence' => 'ALTER SEQUENCE openid4vci.vci_offer_id_seq CACHE 1');
	while (my ($what, $change) = splice @changes, 0, 2)
	{
		my $before = catalogs($old);
		$node->safe_psql($old, $change);
		cmp_ok(scalar differences(catalogs($old), $before), '>', 0, $what);
	}
};

subtest 'the new library on objects of 0.1.0' => sub {
	$recorded->restore($issuer, '0.1.0');
	my %call = (
		registry => "SELECT openid4vci.vci_create_key('https://issuer.example')",
		wallet_endpoint => Issuer::http_statement('GET', '/.well-known/openid-credential-issuer'));
	for my $role (sort keys %call)
	{
		my $error = $issuer->error_of($role, $call{$role});
		like($error, qr/55000: the library of openid4vci is version $version, the extension .* 0\.1\.0/,
			"$role is told which is which");
		like($error, qr/HINT: .*ALTER EXTENSION openid4vci UPDATE;/, 'and what to type');
	}
	# a superuser's calls ask for no duty, and monitoring begins with the root key
	for my $call ('vci_health()', "vci_grant('clerk', 'offerer')", 'vci_events(0)', 'vci_purge()')
	{
		my (undef, undef, $error) = $node->psql('postgres', "SELECT openid4vci.$call");
		like($error, qr/the library of openid4vci is version \Q$version\E/, "$call tells it, too");
	}
};

# A symbol that means something else now would read arguments that nobody gave.
subtest 'each function of 0.1.0, called in the new library' => sub {
	my @calls = split /\n/, $issuer->sql(<<'SQL');
SELECT format('SELECT * FROM %s(%s)', p.oid::regproc, (
	SELECT string_agg(format('%L::%s', CASE format_type(t, NULL)
		WHEN 'jsonb' THEN '{}' WHEN 'text[]' THEN '{}' WHEN 'bytea' THEN '' WHEN 'interval' THEN '1 day'
		WHEN 'boolean' THEN 'true' WHEN 'timestamp with time zone' THEN '2030-01-01'
		ELSE '1' END, format_type(t, NULL)), ', ' ORDER BY n)
	FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n)))
FROM pg_proc AS p
WHERE p.pronamespace = 'openid4vci'::regnamespace AND p.prorettype <> 'trigger'::regtype
SQL
	cmp_ok(scalar @calls, '>', 50, 'there are many');
	my $before = $issuer->sql('SELECT pg_postmaster_start_time()');
	for my $call (@calls)
	{
		my $error = $issuer->error_of('postgres', $call);
		unlike($error, qr/server closed the connection|XX000/, $call);
	}
	is($issuer->sql('SELECT pg_postmaster_start_time()'), $before, 'the server lives');
};

subtest 'an installation with data' => sub {
	my $offers = 'SELECT relfilenode FROM pg_class WHERE oid =';
	my %file = map { $_ => $issuer->sql("$offers 'openid4vci.$_'::regclass") }
	  qw(vci_offer vci_key vci_issuer vci_event vci_configuration);
	# Lasting was longer once, Slow had no end, Card is as it was
	$issuer->sql(<<'SQL');
UPDATE openid4vci.vci_configuration SET validity = '90 days' WHERE id = 'Lasting';
INSERT INTO openid4vci.vci_credential (issuer_id, key_id, issued_at, expires_at, configuration_id,
	format, issued_by)
SELECT issuer_id, 1, '2026-01-02 12:00Z', expires_at::timestamptz, configuration_id, 'dc+sd-jwt', 'registry'
FROM openid4vci.vci_configuration, (VALUES ('Card', '2027-01-02'), ('Slow', NULL))
	AS issued (configuration_id, expires_at)
WHERE id = configuration_id;
SQL
	$issuer->sql("ALTER EXTENSION openid4vci UPDATE TO '$version'");
	is($issuer->sql("$offers 'openid4vci.$_'::regclass"), $file{$_}, "$_ is not rewritten")
	  for sort keys %file;
	my ($with, $without) = map { rights_left_out($_) } catalogs('postgres'), $fresh;
	is_like_fresh($with, $without, 'but for the rights of duties it equals a fresh one');
	is($issuer->sql('SELECT openid4vci.vci_reapply_duties()'), '', 'duties are given again');
};

sub rights_left_out
{
	my ($found) = @_;
	return { map { $_ => $found->{$_} =~ s/"(rel|pro|typ|nsp)acl": (null|\[[^]]*\])//r }
		  grep { !/^pg_shdepend: .* -> (?!postgres)/ } keys %$found };
}

subtest 'what the rows mean now' => sub {
	is($issuer->sql('SELECT s.system_identifier = d.system_identifier AND d.database_oid = b.oid
			FROM openid4vci.vci_database AS d, pg_control_system() AS s, pg_database AS b
			WHERE b.datname = current_database()'), 't', 'the updated database is the one that issues');
	is($issuer->sql('SELECT bool_and(activated_at = created_at) FROM openid4vci.vci_key'), 't',
		'keys signed from their creation on');
	is($issuer->sql("SELECT id, date_trunc('day', longest_validity) FROM openid4vci.vci_configuration
			ORDER BY id"),
		"Card|365 days\nEndless|\nLasting|36524 days\nMember|365 days\nOpen|365 days\nSlow|",
		'how long credentials were good at most: of a validity that was shortened, what was issued tells');
	is($issuer->sql("SELECT string_agg(id, ' ' ORDER BY number) = string_agg(id, ' ' ORDER BY created_at),
			max(number), nextval('openid4vci.vci_configuration_number_seq')
			FROM openid4vci.vci_configuration"), 't|6|7',
		'configurations are numbered as they were made, and new ones go on from there');
	is($issuer->sql("SELECT role_name, issuer_id IS NULL FROM openid4vci.vci_duty
			WHERE duty = 'key_admin' ORDER BY 1"), "clerk|f\nregistry|t",
		'who administered issuers has the duty for keys, within the same limits');
};

# Rights that a script gives count as the extension's own, and pg_dump leaves them out.
subtest 'a dump of the updated database' => sub {
	my ($dump, $err) = ('', '');
	IPC::Run::run([ 'pg_dump', '-U', 'keeper', '-d', $node->connstr('postgres') ],
		'>', \$dump, '2>', \$err);
	is($err, '', 'the role with the duty backup makes it');
	like($dump, qr/^GRANT ALL ON FUNCTION openid4vci\.$_\(.*\) TO registry;$/m, "it has the right on $_")
	  for qw(vci_create_offer vci_create_key vci_rotate_key vci_events vci_purge);
	like($dump, qr/^COPY openid4vci\.vci_database /m, 'it tells which database it is of');
};

# private test servers run without fsync
is($issuer->sql_as('registry', 'SELECT "check", detail FROM openid4vci.vci_health()
		WHERE NOT ok AND "check" <> \'durability\''), '',
	'vci_health finds nothing wrong');
$recorded->goes_on;

subtest 'claims of before are forgotten like those of now' => sub {
	my $offer = "openid4vci.vci_offer WHERE id = $recorded->{held}{offers}{expired}{offer_id}";
	is($issuer->sql("SELECT claims IS NOT NULL, ends_at IS NULL FROM $offer"), 't|t',
		'an offer of 0.1.0 has claims and tells not when it ends');
	$issuer->sql("UPDATE openid4vci.vci_offer SET expires_at = now() - interval '1 year'
		WHERE id = $recorded->{held}{offers}{expired}{offer_id}");
	# a sweep that ended lately rests
	$issuer->sql('UPDATE openid4vci.vci_purge_state SET mark = 0, swept_at = NULL');
	my $left = 1;
	$left = $issuer->sql('SELECT sum(remaining) FROM openid4vci.vci_purge()') while $left > 0;
	is($issuer->sql("SELECT claims IS NULL, claims_erased_at IS NOT NULL FROM $offer"), 't|t',
		'vci_purge erases them');
};

done_testing();
