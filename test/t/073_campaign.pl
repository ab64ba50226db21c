# A campaign for many people, made by two runners, that are killed three times on the way: alone,
# politely, and with the whole server. It ends with exactly one offer a person. Its memory stays
# flat, and Odoo's transactions and PgBouncer's clients may make it in steps. CAMPAIGN_PEOPLE in
# the environment makes it another number of people.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

use Faults;
use Issuer;
use Pooler;

my $people = $ENV{CAMPAIGN_PEOPLE} // 200_000;
my $issuer = Issuer->start('campaign', conf => "restart_after_crash = on\nmax_wal_size = 4GB");
my $node = $issuer->{node};
my $dir = PostgreSQL::Test::Utils::tempdir;

sub create
{
	my ($name, $count, $options) = @_;
	return $issuer->sql_as('registry', <<"SQL");
SELECT openid4vci.vci_create_campaign('$name', '{Open}', \$\$
	SELECT '$name-' || n AS reference, 'res.partner' AS subject_model, n AS subject_id,
		pg_catalog.jsonb_build_object('name', 'Person ' || n, 'birthdate', '1990-01-01') AS claims,
		pg_catalog.jsonb_build_object('area', n % 17) AS labels, '+63' || n AS address
	FROM pg_catalog.generate_series(1, $count) AS n\$\$, '$options')
SQL
}

my $campaign = create('big', $people, '{"tx_code": {}, "channel": "sms"}');
my @runners;

# A test that dies leaves none behind.
END
{
	my $status = $?;
	$_->kill_kill for @runners;
	$? = $status;
}

sub start_runners
{
	my ($count) = @_;
	for (1 .. $count)
	{
		my $err = '';
		push @runners, IPC::Run::start(
			[ 'psql', '-XqAt', '-d', $node->connstr('postgres') . ' user=registry', '-c',
				"CALL openid4vci.vci_campaign_run($campaign)" ],
			'<', \undef, '>', \my $out, '2>', \$err);
	}
	select undef, undef, undef, 0.05 while runner_pids() < $count;
	return;
}

# How many of them came to the end of the campaign.
sub end_runners
{
	my $well = 0;
	for my $runner (@runners)
	{
		$runner->finish;
		$well++ if $runner->full_result == 0;
	}
	@runners = ();
	return $well;
}

sub runner_pids
{
	return split /\n/, $issuer->sql("SELECT pid FROM pg_stat_activity
		WHERE query LIKE 'CALL openid4vci.vci_campaign_run%' ORDER BY pid");
}

sub made
{
	return $issuer->sql("SELECT made FROM openid4vci.vci_campaign_info WHERE id = $campaign");
}

# Waits until this part of the people has offers; the campaign must not be over before.
sub await_part
{
	my ($part) = @_;
	my $made;
	select undef, undef, undef, 0.05 while ($made = made()) < $part * $people && runner_pids();
	cmp_ok($made, '>=', $part * $people, "$made offers are made");
	cmp_ok($made, '<', $people, 'but not all');
	return;
}

# What the counts say is what is there, after whatever ended the runners.
sub is_whole
{
	my ($when) = @_;
	is($issuer->sql(<<"SQL"), 't|t|t|t|t', "$when: whole chunks, counted, each with its events");
SELECT made % 1000 = 0 OR remaining = 0,
	made = (SELECT count(*) FROM openid4vci.vci_offer WHERE campaign_id = $campaign),
	made = (SELECT count(DISTINCT offer_id) FROM openid4vci.vci_campaign_recipient WHERE campaign_id = $campaign),
	made = (SELECT count(*) FROM openid4vci.vci_event WHERE kind = 'offer_created'),
	people = (SELECT count(*) FROM openid4vci.vci_campaign_recipient WHERE campaign_id = $campaign)
FROM openid4vci.vci_campaign_info WHERE id = $campaign
SQL
	return;
}

sub memory_of
{
	my ($pid) = @_;
	return slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : die 'no RssAnon';
}

start_runners(2);
await_part(0.1);
my @pids = runner_pids();
is(scalar @pids, 2, 'two runners share it');
kill_backend($pids[0]);
await_server($issuer);
is(end_runners(), 0, 'a killed backend ends all');
is_whole('after a killed backend');

start_runners(2);
await_part(0.3);
$issuer->sql('SELECT pg_terminate_backend(' . (runner_pids())[0] . ')');
await_part(0.5);
is(scalar(runner_pids()), 1, 'the one that was not ended goes on');
kill_server($issuer);
$node->start;
is(end_runners(), 0, 'and ends with the server');
is_whole('after a killed server');

start_runners(1);
await_part(0.6);
my ($pid) = runner_pids();
my $memory = memory_of($pid);
await_part(0.9);
# Counting the funnel takes some; half a kilobyte an offer would be more.
cmp_ok(memory_of($pid) - $memory, '<', 32768, 'no memory stays behind with the chunks (kB)');
is(end_runners(), 1, 'the last runner comes to the end');
is_whole('at the end');
is($issuer->sql(<<"SQL"), join('|', 'finished', ($people) x 5), 'exactly one offer a person');
SELECT state, made, (SELECT count(*) FROM openid4vci.vci_offer),
	(SELECT count(DISTINCT subject_id) FROM openid4vci.vci_offer WHERE reference = 'big-' || subject_id),
	(SELECT count(*) FROM openid4vci.vci_campaign_recipient AS r JOIN openid4vci.vci_offer AS o ON o.id = r.offer_id
		AND o.reference = r.reference WHERE r.delivery = 'queued' AND r.claims IS NULL),
	(SELECT count(DISTINCT tx_code_verifier) FROM openid4vci.vci_offer)
FROM openid4vci.vci_campaign_info WHERE id = $campaign
SQL

# Steps in transactions of the caller's, until there is nothing left to do; 40001 is tried again.
sub take_steps
{
	my ($name, $id, $begin, @connection) = @_;
	my $step = "SELECT state FROM openid4vci.vci_campaign_step($id, 50)";
	my @steppers = map {
		my ($out, $err) = ('', '');
		[ IPC::Run::start([ 'sh', '-c', <<'SH', 'step', $begin, $step, @connection ], '>', \$out, '2>', \$err), \$err ]
begin=$1 step=$2; shift 2
for turn in $(seq 1000)
do
	state=$(psql -XqAt -v VERBOSITY=sqlstate "$@" -c "$begin" -c "$step" -c COMMIT 2>&1)
	case $state in
		finished) exit 0 ;;
		*40001*) ;;
		*ERROR*) echo "$state" >&2; exit 1 ;;
	esac
done
exit 2
SH
	} 1 .. 3;
	is(scalar(grep { $_->[0]->finish } @steppers), 3, "$name: three at once come to the end")
	  or diag(map { ${ $_->[1] } } @steppers);
	is($issuer->sql("SELECT state, made, remaining, (SELECT count(DISTINCT reference) FROM openid4vci.vci_offer
		WHERE campaign_id = $id) FROM openid4vci.vci_campaign_info WHERE id = $id"), 'finished|500|0|500',
		"$name: one offer a person");
	return;
}

take_steps('as Odoo', create('odoo', 500, '{}'), 'BEGIN ISOLATION LEVEL REPEATABLE READ', '-d',
	$node->connstr('postgres') . ' user=registry');

SKIP:
{
	skip 'pgbouncer is not installed', 2 if !defined Pooler::program();
	my $pooler = Pooler->start($node, $dir, 2, 'registry');
	take_steps('by PgBouncer', create('pooled', 500, '{}'), 'BEGIN', '-d', $pooler->conninfo('registry'));
	$pooler->stop;
}

done_testing();
