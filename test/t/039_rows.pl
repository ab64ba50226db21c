# Offers and events are written without a statement. What an INSERT of the same row does is
# done all the same: what stands on the table is honoured, by a statement where more is to be
# done than writing, in the session's very next call. And what a session knows of extension
# and owner ends when they change.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Installation;
use Issuer;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $version = do
{
	my ($control) = slurp_file("$FindBin::Bin/../../openid4vci.control") =~ /^default_version *= *'(.*)'/m;
	$control;
};
# the next version changes a function, the one after it nothing
append_to_file("$dir/openid4vci--$version--9.0.sql", <<'SQL');
CREATE OR REPLACE FUNCTION openid4vci.vci_health(OUT "check" text, OUT ok boolean, OUT detail text)
	RETURNS SETOF record LANGUAGE sql AS 'SELECT 1::text, true, 2::text';
SQL
append_to_file("$dir/openid4vci--9.0--9.1.sql", "SELECT 1;\n");
my $path = Installation::with_scripts("$dir/installation", glob "$dir/*.sql");
my $issuer = Issuer->start('rows', install_path => $path, conf => 'wal_level = logical');
my $node = $issuer->{node};
my $arguments = q{'{Card}', subject_id => 'ann', claims => '{"name": "Ann"}'};
my $create = "SELECT offer_id FROM openid4vci.vci_create_offer($arguments)";

# One session's statements: what it printed, and its notices and errors.
sub session
{
	my (@statements) = @_;
	my ($status, $out, $err) = $node->psql('postgres', join('', map { "$_\n" } @statements),
		on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return ($out, $err);
}

# Runs cases of [name, preparation, undoing] in one session; hash of a name to what was said
# while the case's offer was made.
sub cases
{
	my @script = (q{LOAD 'auto_explain';}, 'SET auto_explain.log_min_duration = 0;',
		'SET auto_explain.log_nested_statements = on;', 'SET auto_explain.log_level = notice;');
	for my $case (@_)
	{
		my ($name, $prepare, $undo) = @$case;
		push @script, "$prepare;", "DO \$\$BEGIN RAISE NOTICE 'begin of $name.'; END\$\$;", "$create;",
		  "DO \$\$BEGIN RAISE NOTICE 'end of $name.'; END\$\$;", "$undo;";
	}
	my ($out, $err) = session(@script);
	my %said;
	for my $case (@_)
	{
		($said{ $case->[0] }) = $err =~ /begin of \Q$case->[0]\E\.(.*)end of \Q$case->[0]\E\./s;
	}
	return \%said;
}

$issuer->sql(<<'SQL');
CREATE TABLE seen (table_name text, id bigint);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.seen SELECT TG_TABLE_NAME, NEW.id; RETURN NEW; END';
CREATE FUNCTION see_none() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.seen SELECT TG_TABLE_NAME, count(*) FROM made; RETURN NULL; END';
CREATE SCHEMA sly;
-- text of the former kind, whose names are looked up when it runs
CREATE FUNCTION is_upper(word text) RETURNS boolean LANGUAGE sql AS 'SELECT upper(word) = word';
CREATE FUNCTION sly.upper(text) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN RAISE EXCEPTION 'sly: %', current_user; END$$;
SQL

my $offer = 'openid4vci.vci_offer';
my @cases = (
	[ 'plain', 'SELECT 1', 'SELECT 1' ],
	[ 'row trigger', "CREATE TRIGGER t AFTER INSERT ON $offer FOR EACH ROW EXECUTE FUNCTION see()",
		"DROP TRIGGER t ON $offer" ],
	[ 'no trigger', 'SELECT 1', 'SELECT 1' ],
	[ 'transition table', "CREATE TRIGGER t AFTER INSERT ON openid4vci.vci_event
		REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION see_none()",
		'DROP TRIGGER t ON openid4vci.vci_event' ],
	[ 'rule', "CREATE RULE r AS ON INSERT TO $offer DO ALSO INSERT INTO seen VALUES ('rule', NEW.id)",
		"DROP RULE r ON $offer" ],
	[ 'row security', "ALTER TABLE $offer ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE $offer DISABLE ROW LEVEL SECURITY" ],
	[ 'column with a default', "ALTER TABLE $offer ADD region text DEFAULT 'north'",
		"ALTER TABLE $offer DROP region" ],
	[ 'columns without', "ALTER TABLE $offer ADD region text, ADD note int",
		"ALTER TABLE $offer DROP region" ],
	[ 'generated column', "ALTER TABLE $offer ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED",
		"ALTER TABLE $offer DROP twice" ],
	[ 'other type', "ALTER TABLE $offer ALTER tx_code_length TYPE bigint",
		'SELECT 1' ],
	[ 'rows elsewhere', 'CREATE TABLE pg_dist_partition (logicalrelid regclass);
		ALTER TABLE pg_dist_partition SET SCHEMA pg_catalog', 'DROP TABLE pg_catalog.pg_dist_partition' ],
);

subtest 'a statement is run where it would do more' => sub {
	my $said = cases(@cases);
	my %by_statement = map { $_ => 'vci_offer' } 'row trigger', 'rule', 'row security',
	  'column with a default', 'generated column', 'other type';
	$by_statement{'transition table'} = 'vci_event';
	$by_statement{'rows elsewhere'} = 'vci_offer vci_event';
	for my $case (@cases)
	{
		my ($name) = @$case;
		my %tables = map { $_ => 1 } $said->{$name} =~ /INSERT INTO openid4vci\.(\w+) /g;
		my @tables = reverse sort keys %tables;
		is("@tables", $by_statement{$name} // '', "$name: " . (@tables ? 'by statement' : 'without'));
		unlike($said->{$name}, qr/ERROR/, 'and the offer is made');
	}
	is($issuer->sql('SELECT table_name, count(*) FROM seen GROUP BY 1 ORDER BY 1'),
		"rule|1\nvci_event|1\nvci_offer|1", 'triggers and rules were run');
	is($issuer->sql("SELECT count(*), count(DISTINCT e.id) FROM $offer o
		JOIN openid4vci.vci_event e ON e.offer_id = o.id AND e.kind = 'offer_created'"),
		@cases . '|' . @cases, 'each offer has its event');
	is($issuer->sql("SELECT count(*) FROM $offer WHERE subject_id <> 'ann' OR claims <> '{\"name\": \"Ann\"}'
		OR created_by <> 'postgres' OR tx_code_failures <> 0 OR note IS NOT NULL
		OR NOT created_at BETWEEN now() - interval '1 hour' AND clock_timestamp()"), '0',
		'and every value in its column');
	$issuer->sql("ALTER TABLE $offer DROP note, ALTER tx_code_length TYPE integer");
};

# Another session's statement in the midst of this one.
sub elsewhere
{
	my ($statement) = @_;
	return sprintf(q{\! psql -XqAt -d "%s" -c "%s"}, $node->connstr('postgres'), $statement);
}

# What was made of an offer must be found by an index just as without it: [what, how it is made, of
# which rows it tells, how it is made away with].
my @indexes = (
	[ 'of two columns, one of them beside the key', "CREATE INDEX x ON $offer (subject_id) INCLUDE (id)",
		"subject_id = 'ann'" ],
	[ 'of rows that two NULL tests choose',
		"CREATE INDEX x ON $offer (subject_id) WHERE reference IS NULL AND claims IS NOT NULL",
		"subject_id = 'ann' AND reference IS NULL AND claims IS NOT NULL" ],
	[ 'of rows of which ours is none',
		"CREATE INDEX x ON $offer (subject_id) WHERE holder_did IS NOT NULL",
		"subject_id = 'ann' AND holder_did IS NOT NULL" ],
	[ 'of rows that three tests choose', "CREATE INDEX x ON $offer (subject_id)
		WHERE reference IS NULL AND claims IS NOT NULL AND labels IS NULL",
		"subject_id = 'ann' AND reference IS NULL AND claims IS NOT NULL AND labels IS NULL" ],
	[ 'of rows that a value chooses', "CREATE INDEX x ON $offer (created_by) WHERE subject_id = 'ann'",
		"created_by = 'postgres' AND subject_id = 'ann'" ],
	[ 'of an expression', "CREATE INDEX x ON $offer (lower(subject_id))", "lower(subject_id) = 'ann'" ],
	[ 'that is a hash', "CREATE INDEX x ON $offer USING hash (subject_id)", "subject_id = 'ann'" ],
	[ 'that is inverted', "CREATE INDEX x ON $offer USING gin (claims)", q(claims @> '{"name": "Ann"}') ],
	[ 'that tells of blocks', "CREATE INDEX x ON $offer USING brin (created_at)", 'created_at <= now()' ],
	[ 'that is unique at the end', "ALTER TABLE $offer ADD CONSTRAINT x UNIQUE (generation)
		DEFERRABLE INITIALLY DEFERRED", 'generation >= 0', "ALTER TABLE $offer DROP CONSTRAINT x" ],
	[ 'that excludes', "ALTER TABLE $offer ADD CONSTRAINT x EXCLUDE (generation WITH =)",
		'generation >= 0', "ALTER TABLE $offer DROP CONSTRAINT x" ],
);

subtest 'every index gets its entries' => sub {
	# the schema's own one on subjects would be used in place of some
	my $subjects = $issuer->sql("SELECT pg_get_indexdef('openid4vci.vci_offer_subject'::regclass)");
	$issuer->sql('DROP INDEX openid4vci.vci_offer_subject');
	my $several = join "\n", map { "$create;" } 1 .. 3;
	for my $index (@indexes, map { [ "$_->[0], of another session", elsewhere($_->[1]), @$_[ 2, 3 ] ] } $indexes[0])
	{
		my ($what, $make, $which, $remove) = @$index;
		my $count = "SELECT count(*) FROM $offer WHERE $which;";
		$remove //= 'DROP INDEX openid4vci.x';
		$make .= ';' unless $make =~ /^\\/;
		my ($out, $err) = session('\o /dev/null', "$create;", $make, $several, '\o', 'SET enable_seqscan = off;',
			"EXPLAIN (COSTS off) $count", $count, 'RESET enable_seqscan;',
			map({ "SET enable_${_}scan = off;" } qw(index indexonly bitmap)), $count, "$remove;", "$create;");
		is($err, '', "one $what");
		like($out, qr/ (on|using) x\b/, 'it is used');
		like($out, qr/^(\d+)\n\1\n\d+$/m, 'and tells of the same rows');
	}
	my $by_id = "SELECT count(*) FROM $offer WHERE id > 0;";
	my ($out) = session('SET enable_seqscan = off;', '\o /dev/null', "$create;",
		elsewhere('REINDEX INDEX CONCURRENTLY openid4vci.vci_offer_pkey'), "$create;", '\o', $by_id,
		'RESET enable_seqscan;', map({ "SET enable_${_}scan = off;" } qw(index indexonly bitmap)), $by_id);
	like($out, qr/^(\d+)\n\1$/, 'one that was rebuilt meanwhile');
	$issuer->sql($subjects);
};

# The server's executor gives the locks of indexes back; who writes a row without it keeps them.
subtest 'an inverted index costs the rows that it holds, and no others' => sub {
	my $locked = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()
		AND relation = 'openid4vci.vci_offer_expires_at'::regclass;";
	(my $labelled = $create) =~ s/\)$/, labels => '{"camp": "north"}')/;
	my ($out) = session('\o /dev/null', "$create;", map({ ('BEGIN;', '\o /dev/null', "$_;", '\o', $locked,
		'COMMIT;') } $create, $labelled, $create));
	is($out, "1\n0\n1", 'only a row with labels is left to the executor');
	my $count = "SELECT count(*) FROM $offer WHERE labels @> '{\"camp\": \"north\"}';";
	($out) = session('SET enable_seqscan = off;', "EXPLAIN (COSTS off) $count", $count);
	like($out, qr/vci_offer_labels.*^1$/ms, 'which is found by it');
};

subtest 'the errors are an INSERT\'s' => sub {
	my $before = $issuer->sql("SELECT count(*) FROM $offer");
	my ($out, $err) = session("ALTER TABLE $offer ADD CONSTRAINT nobody CHECK (subject_id <> 'ann') NOT VALID;",
		"$create;", "ALTER TABLE $offer DROP CONSTRAINT nobody;");
	like($err, qr/ERROR:  23514: .*"nobody"/, 'a check constraint is one');
	($out, $err) = session("BEGIN; SELECT setval('openid4vci.vci_offer_id_seq', 1);", "$create;", 'ROLLBACK;');
	like($err, qr/ERROR:  23505: .*"vci_offer_pkey"/, 'an id that is taken names its constraint');
	like(($err =~ /CONSTRAINT NAME:  (\w+)/)[0], qr/^vci_offer_pkey$/, 'as its field, too');
	$issuer->sql("SELECT setval('openid4vci.vci_offer_id_seq', max(id) + 100) FROM $offer");
	($out, $err) = session('BEGIN;', "UPDATE $offer SET labels = '{}';",
		"ALTER TABLE $offer ALTER labels SET NOT NULL;", "$create;", 'ROLLBACK;');
	like($err, qr/ERROR:  23502: .*"labels"/, 'a value that is missing');
	($out, $err) = session('BEGIN READ ONLY;', "$create;");
	like($err, qr/ERROR:  25006/, 'nothing is written in a transaction that only reads');
	is($issuer->sql("SELECT count(*) FROM $offer"), $before, 'and no row is left of them');
};

subtest 'a rolled back savepoint takes its rows along' => sub {
	my $with = "SELECT created FROM openid4vci.vci_create_offer($arguments, reference => 'r-1');";
	my ($out) = session('BEGIN;', 'SAVEPOINT a;', $with, $with, 'ROLLBACK TO a;', $with, 'COMMIT;', $with);
	is($out, "t\nf\nt\nf", 'the reference is free again, until it is committed');
	is($issuer->sql("SELECT count(*) FROM $offer WHERE reference = 'r-1'"), '1', 'one offer is there');
};

subtest 'a name in a check is not looked up on the caller\'s path' => sub {
	$issuer->sql('ALTER TABLE openid4vci.vci_offer ADD CONSTRAINT c CHECK (public.is_upper(subject_model))');
	# the first call fills the caches, for which the path is set
	my $with = "SELECT created FROM openid4vci.vci_create_offer($arguments, subject_model => 'M');";
	my ($out, $err) = session('SET search_path = sly, pg_catalog;', $with, $with);
	is($err, '', 'sly.upper is not called');
	is($out, "t\nt", 'and the check is');
	$issuer->sql('ALTER TABLE openid4vci.vci_offer DROP CONSTRAINT c');
};

subtest 'logical decoding sees the rows' => sub {
	$issuer->sql("SELECT pg_create_logical_replication_slot('s', 'test_decoding')");
	my $id = $issuer->sql($create);
	my $changes = $issuer->sql("SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL)");
	like($changes, qr/table openid4vci\.vci_offer: INSERT: id\[bigint\]:$id .*subject_id\[text\]:'ann'/, 'the offer');
	like($changes, qr/table openid4vci\.vci_event: INSERT: .*offer_id\[bigint\]:$id .*kind\[text\]:'offer_created'/,
		'its event');
	$issuer->sql("SELECT pg_drop_replication_slot('s')");
};

# Who the owner is shows in a trigger of its table.
subtest 'what a session knows of the owner ends when another one is' => sub {
	$issuer->sql(<<'SQL');
CREATE ROLE heir SUPERUSER;
CREATE FUNCTION tell_owner() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN RAISE NOTICE ''owner %'', current_user; RETURN NEW; END';
CREATE TRIGGER tell_owner BEFORE INSERT ON openid4vci.vci_offer FOR EACH ROW EXECUTE FUNCTION tell_owner();
SQL
	my $inherit = 'ALTER TABLE openid4vci.vci_issuer OWNER TO heir';
	my $told = sub { join ' ', (session(@_))[1] =~ /owner (\w+)/g };
	is($told->('SELECT 1;', "$create;", 'BEGIN;', "$inherit;", "$create;", 'ROLLBACK;', "$create;"),
		'postgres heir postgres', 'a change that is rolled back');
	is($told->("$create;", 'BEGIN;', 'SAVEPOINT a;', "$inherit;", "$create;", 'ROLLBACK TO a;', "$create;", 'COMMIT;'),
		'postgres heir postgres', 'one that a savepoint takes back');
	is($told->("$create;", elsewhere($inherit), "$create;"), 'postgres heir', 'one that another session makes');
	$issuer->sql(<<'SQL');
ALTER TABLE openid4vci.vci_issuer OWNER TO postgres;
DROP FUNCTION tell_owner() CASCADE;
DROP ROLE heir;
SQL
};

subtest 'what a session knows of the extension ends with it' => sub {
	my $mismatch = qr/ERROR:  55000: the library of openid4vci is version \Q$version\E, the extension .*9\.[01]/;
	my ($out, $err) = session('BEGIN;', "$create;", elsewhere("ALTER EXTENSION openid4vci UPDATE TO '9.0'"),
		"$create;");
	like($err, $mismatch, 'an update in the midst of a transaction');
	$issuer->sql("UPDATE pg_extension SET extversion = '$version' WHERE extname = 'openid4vci'");
	($out, $err) = session("$create;",
		elsewhere("UPDATE pg_extension SET extversion = '9.0' WHERE extname = 'openid4vci'"),
		elsewhere("ALTER EXTENSION openid4vci UPDATE TO '9.1'"), 'SELECT pg_sleep(1.1);', "$create;");
	like($err, $mismatch, 'one that changes no object, which tells no session, within a second');
	$issuer->sql("UPDATE pg_extension SET extversion = '$version' WHERE extname = 'openid4vci'");
	my $pretend = "UPDATE pg_extension SET extversion = '$version' WHERE extname = 'openid4vci';";
	$issuer->sql("UPDATE pg_extension SET extversion = '9.0' WHERE extname = 'openid4vci'");
	for my $case ([ 'BEGIN;', 'ROLLBACK;' ], [ 'BEGIN; SAVEPOINT a;', 'ROLLBACK TO a;' ])
	{
		($out, $err) = session($case->[0], $pretend, "$create;", $case->[1], "$create;");
		like($out, qr/^\d+$/, "$case->[0] the version that a transaction sees of its own");
		like($err, $mismatch, "... goes with $case->[1]");
	}
	$issuer->sql($pretend);
	($out, $err) = session("$create;", elsewhere('DROP EXTENSION openid4vci'), "$create;",
		"CALL openid4vci.nothing();", elsewhere('CREATE EXTENSION openid4vci'),
		"SELECT count(*) FROM openid4vci.vci_issuer;", "$create;");
	like($err, qr/ERROR:  3F000|ERROR:  42883/, 'an extension that was dropped has no function');
	like($err, qr/ERROR:  42704: there is no issuer yet/, 'and one that was made anew has no issuer');
};

done_testing();
