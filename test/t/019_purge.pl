# vci_purge on larger tables: what it looks at is bounded, many at once share the work, wallets
# go on beside it, steps of wallets stay HOT, and what is erased is gone from the row.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use Test::More;

use Issuer;

my $rows = 20000;
my $issuer = Issuer->start('purge', conf => "autovacuum = off\ntrack_counts = on");
$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"offer_retention": 86400,
	"credential_retention": 86400}')});

# Old offers with their tokens and credentials, as wallets left them: claims not yet erased.
$issuer->sql(<<"SQL");
INSERT INTO openid4vci.vci_offer (issuer_id, generation, created_at, expires_at, ends_at, claims_due, redeemed_at,
	configuration_ids, grants, created_by, claims)
SELECT i.id, n, now() - interval '100 days', now() - interval '90 days', now() - interval '90 days',
	now() - interval '90 days' + n * interval '1 second', now() - interval '95 days', '{Open}',
	'{urn:ietf:params:oauth:grant-type:pre-authorized_code}', 'registry', jsonb_build_object('name', 'Secret ' || n)
FROM openid4vci.vci_issuer AS i, generate_series(1, $rows) AS n;
INSERT INTO openid4vci.vci_token (issuer_id, offer_id, generation, offer_generation, configuration_ids, identifiers,
	created_at, expires_at)
SELECT issuer_id, id, 1, generation, '{Open}', false, redeemed_at, ends_at FROM openid4vci.vci_offer;
INSERT INTO openid4vci.vci_credential (issuer_id, offer_id, token_id, key_id, issued_at, configuration_id, format, issued_by)
SELECT t.issuer_id, t.offer_id, t.id, k.id, t.created_at, 'Open', 'dc+sd-jwt', 'wallet_endpoint'
FROM openid4vci.vci_token AS t, openid4vci.vci_key AS k;
VACUUM (ANALYZE) openid4vci.vci_offer, openid4vci.vci_token, openid4vci.vci_credential;
SQL
my $live = $issuer->token($issuer->offer('', 'Open'))->{json}{access_token};

# How often the tables were read from end to end, and how many rows were fetched.
sub reads
{
	return { map { my ($table, @counts) = split /\|/; $table => \@counts }
		  split /\n/, $issuer->sql(<<'SQL') };
SELECT relname, seq_scan, COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0)
FROM pg_stat_user_tables WHERE relname IN ('vci_offer', 'vci_token', 'vci_credential')
SQL
}

# Which of the offers expired unused is asked of all of them once.
$issuer->sql('SELECT openid4vci.vci_refresh_funnel()');

subtest 'a call looks at a bounded number of rows' => sub {
	my $before = reads();
	my $purged = $issuer->sql_as('registry', <<'SQL');
SELECT string_agg(kind || ' ' || purged, ', ' ORDER BY kind) FROM openid4vci.vci_purge(110) WHERE purged > 0;
SELECT pg_stat_force_next_flush();
SQL
	my $after = reads();
	my ($sum) = map { my $s = 0; $s += $_ for /\d+/g; $s } $purged;
	is($sum, 110, "a batch, shared between kinds: $purged");
	like($purged, qr/claims \d+, credential \d+, offer \d+, token \d+/, 'none of them is left out');
	for my $table (sort keys %$before)
	{
		is($after->{$table}[0], $before->{$table}[0], "$table is not read from end to end");
		cmp_ok($after->{$table}[1] - $before->{$table}[1], '<', 10 * 110 * 4, "$table: a bounded number of rows");
	}
};

subtest 'a batch of a few rows serves each kind in turn' => sub {
	my %purged;
	for (1 .. 80)
	{
		my $batch = $issuer->sql_as('registry', 'SELECT kind, purged FROM openid4vci.vci_purge(2) WHERE purged > 0');
		my $sum = 0;
		for (split /\n/, $batch)
		{
			my ($kind, $count) = split /\|/;
			$purged{$kind} += $count;
			$sum += $count;
		}
		$purged{too_many} = 1 if $sum > 2;
	}
	ok(!$purged{too_many}, 'never more than two');
	ok($purged{$_}, "$_ had its turn") for qw(claims token offer credential);
};

subtest 'several at once, and wallets beside them' => sub {
	my $loop = <<'SQL';
DO $$
DECLARE
	left_over bigint;
BEGIN
	LOOP
		SELECT sum(remaining) INTO left_over FROM openid4vci.vci_purge(1000);
		COMMIT;
		EXIT WHEN left_over = 0;
	END LOOP;
END $$;
SQL
	my @session = ('psql', '-XqAt', '-d', $issuer->{node}->connstr('postgres'));
	my @errors;
	my @purges = map {
		push @errors, \my $error;
		IPC::Run::start([ @session, '-U', 'registry', '-c', $loop ], '<', \undef, '>', \my $out, '2>', $errors[-1])
	} 1 .. 4;
	my @offers = map { $issuer->offer('', 'Open') } 1 .. 5;
	my @tokens = map { $issuer->token($_)->{json}{access_token} } @offers;
	is((grep { $issuer->credential($_, Issuer::credential_body('Open'))->{status} == 200 } @tokens), 5,
		'wallets are served');
	$_->finish for @purges;
	is(join('', map { $$_ // '' } @errors), '', 'no purge fails');
	# What one of them had locked, another passed over: that is for the next sweep.
	$issuer->sql('UPDATE openid4vci.vci_purge_state SET mark = 0, swept_at = NULL');
	$issuer->sql_as('registry', $loop);
	is($issuer->sql('SELECT count(*) FROM openid4vci.vci_offer'), 6, 'what was over is gone');
	is($issuer->sql('SELECT count(*) FROM openid4vci.vci_token'), 6, 'tokens, too');
	is($issuer->sql('SELECT count(*) FROM openid4vci.vci_credential'), 5, 'and credentials');
	is($issuer->sql('SELECT count(*) FROM openid4vci.vci_offer WHERE claims IS NOT NULL'), 6,
		'and nothing that lives was touched');
	is($issuer->credential($live, Issuer::credential_body('Open'))->{status}, 200, 'an older wallet goes on');
};

# Nothing that a step of a wallet updates stands in an index of vci_offer.
subtest 'steps of wallets stay HOT' => sub {
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"refresh_token_lifetime": 86400}')});
	$issuer->sql('VACUUM openid4vci.vci_offer');
	$issuer->sql('SELECT pg_stat_reset_single_table_counters(\'openid4vci.vci_offer\'::regclass)');
	for (1 .. 3)
	{
		my $tokens = $issuer->token($issuer->offer('', 'Open'))->{json};
		$issuer->credential($tokens->{access_token}, Issuer::credential_body('Open'));
		my $again = $issuer->http('POST', '/api/v1/openid4vci/token',
			[ 'Content-Type', 'application/x-www-form-urlencoded' ],
			"grant_type=refresh_token&refresh_token=$tokens->{refresh_token}");
		is($again->{status}, 200, 'refreshed');
	}
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_configuration('Open', '{"deferred": true}')});
	my $token = $issuer->token($issuer->offer('', 'Open'))->{json}{access_token};
	is($issuer->credential($token, Issuer::credential_body('Open'))->{status}, 202, 'deferred');
	# A refresh updates the offer when it ends later than was known: in another second.
	$issuer->await(q{SELECT n_tup_upd >= 8 FROM pg_stat_user_tables WHERE relname = 'vci_offer'});
	is($issuer->sql(q{SELECT n_tup_upd BETWEEN 8 AND 11, n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables
		WHERE relname = 'vci_offer'}), 't|0', 'each redeeming, issuing and deferring updates the offer once, and HOT');
};

# The erased value is in no row version that a later vacuum leaves.
subtest 'what is erased leaves the disk with vacuum' => sub {
	my $offer = $issuer->offer(q{labels => '{"batch": "last"}'}, 'Open');
	$issuer->sql("UPDATE openid4vci.vci_offer SET claims = '{\"name\": \"Unforgettable Person\"}',
		ends_at = now() - interval '1 hour', claims_due = now() - interval '1 hour' WHERE id = $offer->{offer_id}");
	my $file = $issuer->{node}->data_dir . '/' . $issuer->sql(q{SELECT pg_relation_filepath('openid4vci.vci_offer')});
	my $on_disk = sub {
		$issuer->sql('CHECKPOINT');
		open my $in, '<:raw', $file or die "$file: $!";
		local $/;
		return scalar(<$in> =~ /Unforgettable Person/);
	};
	ok($on_disk->(), 'the claims are in the table\'s file');
	$issuer->sql_as('registry', 'SELECT FROM openid4vci.vci_purge()');
	$issuer->sql('VACUUM FULL openid4vci.vci_offer');
	$file = $issuer->{node}->data_dir . '/' . $issuer->sql(q{SELECT pg_relation_filepath('openid4vci.vci_offer')});
	ok(!$on_disk->(), 'and no more');
	is($issuer->sql("SELECT labels ->> 'batch', claims_erased_at IS NOT NULL FROM openid4vci.vci_offer_info
		WHERE id = $offer->{offer_id}"), 'last|t', 'the rest of the offer stays');
};

done_testing();
