# Events as evidence: who tampers with them is found, in the database itself, in copies and in
# dumps; what is purged leaves a checkpoint; a sealer that dies leaves no half chain; writers,
# sealers and purgers at once leave no event out; a long chain needs no more memory than a short
# one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Faults;
use Issuer;

my $issuer = Issuer->start('seals', allows_streaming => 1,
	conf => "restart_after_crash = on\nautovacuum = off\nlog_statement = none");
my $node = $issuer->{node};
my $off = 'ALTER TABLE openid4vci.vci_event DISABLE TRIGGER vci_event_append_only;
	ALTER TABLE openid4vci.vci_event_seal DISABLE TRIGGER vci_event_append_only;';
my $on = 'ALTER TABLE openid4vci.vci_event ENABLE ALWAYS TRIGGER vci_event_append_only;
	ALTER TABLE openid4vci.vci_event_seal ENABLE ALWAYS TRIGGER vci_event_append_only;';

$issuer->sql(<<'SQL');
CREATE ROLE auditor LOGIN;
SELECT openid4vci.vci_grant('auditor', 'auditor');
CREATE FUNCTION public.make_events(how_many integer, age interval DEFAULT '0') RETURNS void LANGUAGE sql AS $$
	INSERT INTO openid4vci.vci_event (id, horizon, at, issuer_id, kind, actor)
	SELECT nextval('openid4vci.vci_event_id_seq'), '3', clock_timestamp() - age, 1, 'made', 'test'
	FROM generate_series(1, how_many)
$$;
CREATE FUNCTION public.sealing() RETURNS text LANGUAGE sql AS $$
	WITH member AS (
		SELECT n FROM openid4vci.vci_event_seal, unnest(event_ids) AS r (ids),
			generate_series(lower(ids), upper(ids) - 1) AS n)
	SELECT format('%s left out, %s twice, %s',
		(SELECT count(*) FROM (SELECT id FROM openid4vci.vci_event EXCEPT SELECT n FROM member) AS out),
		(SELECT count(*) - count(DISTINCT n) FROM member),
		(SELECT CASE WHEN count(*) = max(id) THEN 'one chain' ELSE 'gaps' END FROM openid4vci.vci_event_seal))
$$;
SQL

sub seal
{
	return $issuer->sql_as('auditor', 'SELECT openid4vci.vci_seal_events(10000000)');
}

sub head
{
	return $issuer->sql_as('auditor', 'SELECT openid4vci.vci_event_head()');
}

# segments|events|broken_segment|problem
sub verdict
{
	my ($head, $database) = @_;
	my $argument = defined $head ? "'$head'" : '';
	return $node->safe_psql($database // 'postgres',
		"SELECT * FROM openid4vci.vci_verify_events($argument)");
}

sub copy
{
	my ($name) = @_;
	$issuer->sql("CREATE DATABASE $name TEMPLATE postgres");
	return;
}

# What vci_verify_events says of a copy once a superuser did this to it.
sub verdict_after
{
	my ($name, $damage, $head) = @_;
	$node->safe_psql($name, "$off $damage; $on");
	return verdict($head, $name);
}

# Two days ago: all that there is, and 2500 events more. Then some of today, and a gap.
$issuer->sql("$off UPDATE openid4vci.vci_event SET at = at - interval '3 days'; $on");
my $first = $issuer->sql('SELECT count(*) FROM openid4vci.vci_event');
$issuer->sql('SELECT public.make_events(3000 - ' . $first . ", '2 days')");
is(seal(), 3000, 'what is old is sealed');
my $early_head = head();
$issuer->sql("BEGIN; SELECT public.make_events(7); ROLLBACK; SELECT public.make_events(500)");
is(seal(), 500, 'and what is new');
my $head = head();
is(verdict($head), '4|3500||', 'four segments hold them');
is($issuer->sql('SELECT public.sealing()'), '0 left out, 0 twice, one chain', 'each event once');

subtest 'tampering' => sub {
	my $gap = $issuer->sql('SELECT upper(event_ids) FROM openid4vci.vci_event_seal WHERE id = 3');
	copy('tampered');
	# from the newest to the oldest: it is always the first one that is named
	my @damages = (
		[ "INSERT INTO openid4vci.vci_event (id, horizon, kind, actor) VALUES ($gap, '3', 'made', 'test')",
			"3|3000|4|event $gap was added: it is none of those that were sealed" ],
		[ 'UPDATE openid4vci.vci_event_seal SET events = 999 WHERE id = 3',
			'2|2000|3|the seal, or the one before it, was changed or forged: its MAC does not hold' ],
		[ 'DELETE FROM openid4vci.vci_event WHERE id = 2000',
			'1|1000|2|event 2000 was removed; 999 of 1000 events are there' ],
		[ "UPDATE openid4vci.vci_event SET actor = 'somebody' WHERE id = 500",
			'0|0|1|an event was changed: the digest of events 1 to 1000 differs' ]);
	for my $n (0 .. $#damages)
	{
		my ($damage, $verdict) = @{ $damages[$n] };
		my $breaks = $n + 1;
		$verdict .= "; it is the first of $breaks breaks" if $n > 0;
		is(verdict_after('tampered', $damage), $verdict, $damage);
	}
	copy('gone');
	is(verdict($head, 'gone'), '4|3500||', 'a copy verifies as it is');
	is(verdict_after('gone', 'DELETE FROM openid4vci.vci_event_seal WHERE id > 2;
			DELETE FROM openid4vci.vci_event WHERE id > 2000'),
		'2|2000||', 'the end is gone: the rest does not tell');
	is(verdict($head, 'gone'),
		'2|2000|3|the newest seals are gone: head tells of seal 4, the last one that is there is seal 2',
		'with a head it does');
	is(verdict_after('gone', 'SELECT public.make_events(2000); SELECT openid4vci.vci_seal_events()', $head),
		'4|4000|4|it is not the seal that head tells of: this one, or seals before it, were made anew since',
		'by which a new end is found, too');
	is(verdict_after('gone', 'DELETE FROM openid4vci.vci_event_seal WHERE id = 2'),
		'2|2000|2|the seal was removed: the next one is seal 3', 'a seal is gone');
	is(verdict($head), '4|3500||', 'none of it touched the original');
};

subtest 'dumps and a standby' => sub {
	my $file = PostgreSQL::Test::Utils::tempdir . '/dump';
	my @server = ('--host', $node->host, '--port', $node->port, '--username', 'postgres');
	command_ok([ 'pg_dump', @server, '--format', 'custom', '--file', $file, 'postgres' ], 'dumped');
	$issuer->sql('CREATE DATABASE restored TEMPLATE template0');
	command_ok([ 'pg_restore', @server, '--dbname', 'restored', $file ], 'restored');
	is(verdict($head, 'restored'), '4|3500||', 'what was restored verifies');
	is($node->safe_psql('restored', 'SELECT public.make_events(1); SELECT openid4vci.vci_seal_events()'),
		"\n1", 'and its chain goes on');
	is(verdict($head, 'restored'), '5|3501||', 'from where it was');

	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$node->backup('backup');
	$standby->init_from_backup($node, 'backup', has_streaming => 1);
	$standby->start;
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	is($standby->safe_psql('postgres',
			"SELECT openid4vci.vci_event_head() = '$head', problem IS NULL FROM openid4vci.vci_verify_events('$head')"),
		't|t', 'a standby tells the head and verifies');
	my (undef, undef, $error) = $standby->psql('postgres', 'SELECT openid4vci.vci_seal_events()');
	like($error, qr/in a read-only transaction/, 'and seals nothing');
	$standby->stop('immediate');
};

# A session that has run this and waits.
sub held
{
	my ($in, $out) = (@_, '');
	my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$out);
	$session->pump while $out !~ /\n/;
	return $session;
}

# What a call of vci_purge did with events: how many went, and whether more are due.
sub purge_events
{
	my ($max_rows) = @_;
	return $issuer->sql("SELECT purged, remaining > 0 FROM openid4vci.vci_purge($max_rows)
		WHERE kind = 'event'");
}

subtest 'purging' => sub {
	is(purge_events(100_000), '0|f', 'without event_retention events stay');
	$issuer->sql(q(SELECT openid4vci.vci_alter_issuer('{"event_retention": 86400}')));

	copy('broken');
	$node->safe_psql('broken', "$off UPDATE openid4vci.vci_event SET actor = 'x' WHERE id = 1500; $on");
	my (undef, $out, $error) = $node->psql('broken',
		"SELECT purged, remaining FROM openid4vci.vci_purge(100000) WHERE kind = 'event'");
	is($out, '1000|0', 'a segment that is broken stays, and all behind it');
	like($error, qr/WARNING: .*segment 2 and later ones are not purged.*an event was changed.*vci_verify_events/s,
		'as a warning says');
	like(verdict(undef, 'broken'), qr/^3\|1500\|2\|an event was changed/, 'so it is still found');

	my $erasure = held(<<'SQL');
UPDATE openid4vci.vci_purge_state SET mark = 1999 WHERE kind = 'claims';
BEGIN;
SELECT mark FROM openid4vci.vci_purge_state WHERE kind = 'claims' FOR UPDATE;
SQL
	is(purge_events(100_000), '1000|f', 'events that the erasure of claims has still to read stay');
	$erasure->finish;

	my %purged;
	my $last = '';
	while ($last !~ /\|0$/)
	{
		$last = $issuer->sql("SELECT sum(purged) FILTER (WHERE kind = 'event'), sum(remaining)
			FROM openid4vci.vci_purge(100)");
		$purged{ $last =~ s/\|.*//r }++;
	}
	is($purged{1000}, 2, 'a call takes at least one segment');
	is(join(' ', grep { $_ != 0 && $_ != 1000 } keys %purged), '', 'and no half one');
	is($issuer->sql('SELECT min(id) > 3000, count(*) FROM openid4vci.vci_event'), 't|500',
		'all that was old is gone, what is younger is there');
	is(purge_events(100), '0|f', 'then nothing is due');
	is(verdict($early_head), '4|500||', 'the chain holds, by an early head, too');
	is($issuer->sql("SELECT max(purged_through), min(id) > 4 FROM openid4vci.vci_event_seal WHERE kind = 'checkpoint'"),
		'3|t', 'checkpoints tell what went');

	my $checkpoint = $issuer->sql("SELECT max(id) FROM openid4vci.vci_event_seal WHERE kind = 'checkpoint'");
	copy('purged');
	like(verdict_after('purged', <<'SQL'), qr/^3\|0\|4\|event \d+ was removed; 0 of 500 events are there; it is the first of 2 breaks$/,
DELETE FROM openid4vci.vci_event;
INSERT INTO openid4vci.vci_event_seal
	SELECT id + 1, kind, event_ids, events, 4, sealed_at, digest, mac
	FROM openid4vci.vci_event_seal ORDER BY id DESC LIMIT 1
SQL
		'a checkpoint that was forged excuses nothing');
	like(verdict_after('purged', "DELETE FROM openid4vci.vci_event_seal WHERE id >= $checkpoint"),
		qr/^2\|0\|3\|event 2001 was removed; 0 of 1000 events are there; it is the first of 2 breaks$/,
		'a checkpoint that is gone');
	like(verdict_after('purged', "INSERT INTO openid4vci.vci_event (id, horizon, kind, actor)
			VALUES (1500, '3', 'made', 'test')"),
		qr/^1\|0\|2\|event 1500 was added: the events of this segment were purged/, 'a purged event that is back');
	$issuer->sql(q(SELECT openid4vci.vci_alter_issuer('{"event_retention": null}')));
};

subtest 'a new root key' => sub {
	my $old = slurp_file($issuer->{root_key});
	chmod 0600, $issuer->{root_key};
	my $new = unpack 'H*', join '', map { chr int rand 256 } 1 .. 32;
	append_to_file("$issuer->{root_key}.new", "$new\n$old");
	chmod 0400, "$issuer->{root_key}.new";
	rename "$issuer->{root_key}.new", $issuer->{root_key} or die "rename: $!";
	$issuer->sql('SELECT openid4vci.vci_rotate_root_key()');
	unlink $issuer->{root_key};
	append_to_file($issuer->{root_key}, "$new\n");
	chmod 0400, $issuer->{root_key};
	is(verdict($early_head), '4|500||', 'old seals verify under it');
	$issuer->sql('SELECT public.make_events(10)');
	is(seal(), 11, 'and new ones are made, of the rotation, too');
	is(verdict($early_head), '5|511||', 'in the same chain');
};

subtest 'a sealer that is killed before its commit' => sub {
	$head = head();
	$issuer->sql('SELECT public.make_events(5000)');
	at_commit($issuer, 'vci_event_seal', $hold);
	my $holder = hold_commits($issuer);
	my $sealer = IPC::Run::start([ 'psql', '-XqAt', '-U', 'auditor', '-d', $node->connstr('postgres'),
			'-c', 'SELECT openid4vci.vci_seal_events()' ], '<', \undef, '>&', \my $out);
	kill_backend(held_backend($issuer));
	$_->finish for $sealer, $holder;
	await_server($issuer);
	at_commit_no_more($issuer);
	is(head(), $head, 'it left nothing');
	is(seal(), 5000, 'the next one seals it all');
	is($issuer->sql('SELECT public.sealing()'), '0 left out, 0 twice, one chain', 'each event once');
	is(verdict($head), '10|5511||', 'and it verifies');
};

subtest 'writers, sealers and purgers at once' => sub {
	$issuer->sql(<<'SQL');
CREATE TABLE public.finished (writer integer);
CREATE PROCEDURE public.write(writer integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1..150 LOOP
		PERFORM openid4vci.vci_create_offer(ARRAY['Card'], claims => '{"name": "Ann"}');
		PERFORM pg_sleep(random() * 0.01);
		IF n % 5 = writer % 5 THEN ROLLBACK; ELSE COMMIT; END IF;
	END LOOP;
	INSERT INTO public.finished VALUES (writer);
END $$;
CREATE PROCEDURE public.seal_on(writers integer, by_purge boolean) LANGUAGE plpgsql AS $$
BEGIN
	WHILE (SELECT count(*) FROM public.finished) < writers LOOP
		IF by_purge THEN
			PERFORM openid4vci.vci_purge(50);
		ELSE
			PERFORM openid4vci.vci_seal_events(7);
		END IF;
		COMMIT;
	END LOOP;
END $$;
SQL
	# The first purge would count all events so far, and nothing can be sealed while its transaction lasts.
	1 while $issuer->sql('SELECT openid4vci.vci_refresh_funnel()') > 0;
	my $segments = $issuer->sql('SELECT count(*) FROM openid4vci.vci_event_seal');
	my @outcomes = $issuer->at_once_as('postgres', (map { "CALL public.write($_)" } 1 .. 5),
		(map { "CALL public.seal_on(5, $_)" } 'false', 'false', 'true'));
	is(join('', @outcomes), '', 'nobody meets an error');
	cmp_ok($issuer->sql('SELECT count(*) FROM openid4vci.vci_event_seal'), '>', $segments + 20,
		'many seals were made meanwhile');
	seal();
	is($issuer->sql(q(SELECT count(*) FROM openid4vci.vci_event WHERE kind = 'offer_created')), 600,
		'all that was committed is told of');
	is($issuer->sql('SELECT public.sealing()'), '0 left out, 0 twice, one chain', 'each event once');
	like(verdict($head), qr/^\d+\|6111\|\|$/, 'and it verifies');
};

subtest 'a long chain' => sub {
	$issuer->sql('SELECT public.make_events(200000)');
	my ($first, $last) = $issuer->sql(<<'SQL') =~ /^(\d+)\|(\d+)$/m;
CREATE FUNCTION pg_temp.peak_kb() RETURNS integer LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'VmPeak:\s+(\d+)')::integer
$$;
SELECT openid4vci.vci_seal_events(10000);
SELECT problem FROM openid4vci.vci_verify_events();
SELECT pg_temp.peak_kb() AS first \gset
SELECT openid4vci.vci_seal_events(1000000);
SELECT problem FROM openid4vci.vci_verify_events();
SELECT :first, pg_temp.peak_kb();
SQL
	# the rows alone would take five times as much
	cmp_ok($last - $first, '<', 12288, "sealed and verified in flat memory: $first kB, $last kB");
	like(verdict($head), qr/^\d+\|206111\|\|$/, 'all of it');
	is($issuer->sql('SELECT public.sealing()'), '0 left out, 0 twice, one chain', 'each event once');
};

done_testing();
