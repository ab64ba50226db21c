# Deliveries as gateways do them, each with a session and a role of its own: eight at once hand
# out each message once, a crash neither loses nor doubles one, sheets are printed by one query,
# links and transaction codes go to different people, and big queues cost by what is taken.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

use Document;
use Issuer;

my $people = 6000;
my $issuer = Issuer->start('delivery', conf => <<'CONF');
session_preload_libraries = 'auto_explain'
auto_explain.log_nested_statements = on
auto_explain.log_level = notice
CONF
my $node = $issuer->{node};
$issuer->sql("CREATE ROLE $_ LOGIN") for qw(sender pin_sender);
$issuer->sql(<<"SQL");
SELECT openid4vci.vci_grant('sender', 'gateway');
SELECT openid4vci.vci_grant('pin_sender', 'tx_code_gateway');
CREATE TABLE public.person AS SELECT 'N-' || n AS reference, jsonb_build_object('name', 'P' || n) AS claims,
	'+1555' || n AS address, CASE WHEN n % 3 = 0 THEN 'print' END AS channel,
	jsonb_build_object('district', n % 50) AS labels
FROM generate_series(1, $people) AS n;
GRANT SELECT ON public.person TO registry;
CREATE TABLE public.handed_out (id bigint, reference text, link text, pid int DEFAULT pg_backend_pid());
GRANT INSERT ON public.handed_out TO sender;
SQL
my $campaign = $issuer->sql_as('registry', <<'SQL');
SELECT openid4vci.vci_create_campaign('spring', '{Open}', 'public.person', '{"channel": "sms", "tx_code": {"length": 6}}');
SQL
$issuer->sql_as('registry', "CALL openid4vci.vci_campaign_run($campaign)");
my $queued = "SELECT count(*) FROM openid4vci.vci_campaign_recipient WHERE campaign_id = $campaign AND delivery";

# Sessions at once, each with its script; what they printed.
sub crowd
{
	my ($role, @scripts) = @_;
	my @runs;
	for my $script (@scripts)
	{
		my ($in, $out, $err) = ($script, '', '');
		push @runs, { out => \$out, err => \$err, harness => IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1',
			'-d', $node->connstr('postgres'), '-U', $role ], '<', \$in, '>', \$out, '2>', \$err) };
	}
	for my $run (@runs)
	{
		IPC::Run::finish($run->{harness}) or diag(${ $run->{err} });
	}
	return map { ${ $_->{out} } } @runs;
}

subtest 'eight gateways hand out each message once' => sub {
	my $take = "INSERT INTO public.handed_out (id, reference, link)
		SELECT id, reference, link FROM openid4vci.vci_take_deliveries($campaign, 'sms', 50);\n";
	crowd('sender', map { $take x 20 } 1 .. 8);
	my $wanted = $people / 3 * 2;
	is($issuer->sql('SELECT count(*), count(DISTINCT id), count(DISTINCT link) FROM public.handed_out'),
		"$wanted|$wanted|$wanted", 'all of the channel, none twice, each with a link of its own');
	cmp_ok($issuer->sql('SELECT count(DISTINCT pid) FROM public.handed_out'), '>', 1, 'by several at once');
	is($issuer->sql("$queued = 'queued'"), $people / 3, 'those of another channel wait');
	# half of the marks come twice, and some by both gateways at once
	my $mark = "SELECT openid4vci.vci_mark_deliveries(array_agg(id ORDER BY random()), '%s')
		FROM public.handed_out WHERE id %% 4 <> %d;\n";
	$issuer->sql('GRANT SELECT ON public.handed_out TO sender');
	my @marked = crowd('sender', map { sprintf($mark, 'sent', $_) . sprintf($mark, 'delivered', $_) } 0 .. 3);
	my $sum = 0;
	$sum += $_ for map { split /\n/ } @marked;
	is($issuer->sql("$queued = 'delivered'"), $wanted, 'all are delivered in the end');
	cmp_ok($sum, '>=', $wanted, 'each changed what it brought further');
	is($issuer->sql("SELECT kind, count(*), count(DISTINCT offer_id) FROM openid4vci.vci_event
		WHERE kind ~ '^offer_(sent|delivered)' GROUP BY kind ORDER BY kind"),
		"offer_delivered|$wanted|$wanted\noffer_sent|$wanted|$wanted", 'and each is told once');
};

subtest 'a crash loses none and sends none twice' => sub {
	my ($in, $out, $err) = ("SELECT reference FROM openid4vci.vci_take_deliveries($campaign, 'print', 5);\nBEGIN;
		SELECT reference FROM openid4vci.vci_take_deliveries($campaign, 'print', 7);\n", '', '');
	my $gateway = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-U', 'sender' ], '<', \$in, '>', \$out,
		'2>', \$err);
	IPC::Run::pump($gateway) until ($out =~ tr/\n//) == 12;
	my @taken = split /\n/, $out;
	$node->stop('immediate');
	eval { IPC::Run::finish($gateway) };
	$node->start;
	is($issuer->sql("SELECT string_agg(reference, ' ' ORDER BY id) FROM openid4vci.vci_campaign_recipient
		WHERE delivery = 'taken'"), "@taken[0 .. 4]", 'what was committed is taken');
	is($issuer->sql_as('sender', "SELECT count(*) FROM openid4vci.vci_take_deliveries($campaign, 'print', 10)
		WHERE reference = ANY ('{" . join(',', @taken[0 .. 4]) . "}')"), 0, 'until its lease ends');
	$issuer->sql("UPDATE openid4vci.vci_campaign_recipient SET delivery_at = clock_timestamp() WHERE delivery = 'taken'");
	is($issuer->sql_as('sender', "SELECT string_agg(reference || ' ' || attempts, ', ') FROM
		openid4vci.vci_take_deliveries($campaign, 'print', 6)"), join(', ', map { "$_ 2" } @taken[0 .. 5]), 'then they are handed out again, in their order');
};

subtest 'sheets are printed by one query' => sub {
	$issuer->sql("UPDATE openid4vci.vci_campaign_recipient SET delivery = 'queued' WHERE delivery = 'taken'");
	my ($block) = grep { $_->{text} =~ /vci_offer_qr/ } Document->read("$FindBin::Bin/../../docs/deliveries.md")->blocks('sql');
	ok(defined $block, 'docs/deliveries.md has it');
	(my $query = $block->{text}) =~ s/;\s*$//;
	$query =~ s/campaign = '[^']*'/campaign = 'spring'/;
	is($issuer->sql_as('registry', "SELECT count(*), count(DISTINCT link), count(DISTINCT qr),
		bool_and(qr LIKE '<svg%' OR qr LIKE '<?xml%'), bool_and(tx_code ~ '^[0-9]{6}\$') FROM ($query) AS sheet"),
		join('|', ($people / 3) x 3, 't', 't'), 'link, QR code and transaction code of each');
	my ($reference, $link, $pin) = split /\|/, $issuer->sql_as('registry',
		"SELECT reference, link, tx_code FROM ($query) AS sheet LIMIT 1");
	is($issuer->sql_as('registry', "SELECT reference FROM openid4vci.vci_offer_info
		WHERE id = openid4vci.vci_find_offer('$link')"), $reference, 'the link leads to the person\'s offer');
	my $code = $issuer->sql_as('registry', "SELECT (regexp_match(openid4vci.vci_offer_uri(
		openid4vci.vci_find_offer('$link')), 'pre-authorized_code%22%3A%22([-_0-9A-Za-z]+)'))[1]");
	my $exchange = "SELECT COALESCE(a ->> 'error', 'token') FROM openid4vci.vci_exchange_code('$code', '%s') AS a";
	is($issuer->sql_as('registry', sprintf $exchange, $pin eq '000000' ? '000001' : '000000'), 'invalid_grant', 'another code is refused');
	is($issuer->sql_as('registry', sprintf $exchange, $pin), 'token', 'the printed one redeems it');
};

subtest 'links go one way, transaction codes another' => sub {
	my $id = $issuer->sql("SELECT min(id) FROM openid4vci.vci_campaign_recipient WHERE delivery = 'delivered'");
	like($issuer->sql_as('pin_sender', "SELECT tx_code FROM openid4vci.vci_delivery_tx_codes
		WHERE campaign_id = $campaign AND id = $id"), qr/^[0-9]{6}$/, 'who sends codes reads them');
	like($issuer->error_of('pin_sender', $_), qr/42501: permission denied/, "but not: $_")
	  for 'SELECT link FROM openid4vci.vci_delivery_queue', "SELECT openid4vci.vci_delivery_link($campaign, $id)";
	like($issuer->error_of('sender', $_), qr/42501: permission denied/, "who sends links can't: $_")
	  for 'SELECT * FROM openid4vci.vci_delivery_tx_codes', "SELECT openid4vci.vci_delivery_tx_code($campaign, $id)";
	my ($found, $stored) = split /\|/, $issuer->sql("SELECT t.tx_code IS NOT NULL, o::text ~ t.tx_code OR r::text ~ t.tx_code
		FROM openid4vci.vci_delivery_tx_codes AS t JOIN openid4vci.vci_campaign_recipient AS r USING (campaign_id, id)
		JOIN openid4vci.vci_offer AS o ON o.id = r.offer_id WHERE t.campaign_id = $campaign AND t.id = $id");
	is("$found$stored", 'tf', 'no code is stored');
};

# Plans of the statements that a call runs, with the nodes' kinds.
sub plans_of
{
	my ($statement) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "SET auto_explain.log_min_duration = 0; $statement");
	return $err;
}

subtest 'a big queue costs by what is taken' => sub {
	$issuer->sql(<<"SQL");
INSERT INTO openid4vci.vci_campaign_recipient (campaign_id, reference, channel, offer_id, delivery, delivery_at)
SELECT $campaign, 'big' || n, 'letter', 1, 'queued', clock_timestamp() FROM generate_series(1, 50000) AS n;
VACUUM ANALYZE openid4vci.vci_campaign_recipient;
VACUUM ANALYZE openid4vci.vci_offer;
SQL
	my $plans = plans_of("SELECT count(*) FROM openid4vci.vci_take_deliveries($campaign, 'print', 10)");
	like($plans, qr/Index Scan using vci_campaign_recipient_queue/, 'the queue is read by its index');
	unlike($plans, qr/Seq Scan on vci_(campaign_recipient|offer)|Sort Key: q\./, 'nothing is read whole, or sorted');
	$plans = plans_of("SELECT openid4vci.vci_mark_deliveries(ARRAY(SELECT id FROM openid4vci.vci_campaign_recipient
		WHERE delivery = 'taken' LIMIT 5), 'sent') OFFSET 0");
	like($plans, qr/LockRows.*Index Scan using vci_campaign_recipient_pkey/s, 'what is marked is found by its id');
	$plans = plans_of(q{SELECT openid4vci.vci_extend_offers(now() + interval '400 days', labels => '{"district": 7}')});
	like($plans, qr/Bitmap Index Scan on vci_offer_labels/, 'labels are found by their index');
	$plans = plans_of("SELECT count(*) FROM openid4vci.vci_person('N-17')");
	unlike($plans, qr/Seq Scan on vci_(campaign_recipient|offer|credential|deferred)/, 'and a person, too');
};

done_testing();
