# Places in status lists and changes of status on a server with a crowd: no place twice, whoever
# issues at the same moment, after a crash and in a restored state; nothing to be told from a
# place; a hundred thousand revoked by few statements; and nothing of it where nobody asked for it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Issuer;

my $crowd = 64;
my $issuer = Issuer->start('status_changes');
my $node = $issuer->{node};
$issuer->sql_as('registry', <<'SQL');
SELECT openid4vci.vci_alter_issuer('{"status_list_size": 1024}');
SELECT openid4vci.vci_create_configuration('Permit', 'https://issuer.example/permit', binding => 'absent',
	options => '{"status_bits": 2}');
SELECT openid4vci.vci_create_configuration('Plain', 'https://issuer.example/plain', binding => 'absent');
SQL

# Issues and prints a list's name and an index for each, as the credential carries them.
sub issue_statement
{
	my ($count) = @_;
	return <<"SQL";
SELECT regexp_replace(s ->> 'uri', '.*/', '') || ' ' || (s ->> 'idx')
FROM (SELECT openid4vci.vci_verify_sdjwt(r.credential) #> '{claims,status,status_list}' AS s
	FROM generate_series(1, $count) AS n, openid4vci.vci_issue_and_record('Permit', jsonb_build_object('n', n)) AS r) AS c
SQL
}

sub places
{
	return map { split /\n/ } @_;
}

# Each of them once, and as many as were asked for.
sub are_distinct
{
	my ($count, $name, @places) = @_;
	my %holders;
	$holders{$_}++ for @places;
	is(scalar @places, $count, "$name: each has a place");
	is(join(', ', grep { $holders{$_} > 1 } sort keys %holders), '', "$name: no place twice");
	return;
}

# What a session runs inside of one statement, as the server tells it.
sub statements_of
{
	my ($statement) = @_;
	my ($status, $out, $err) = $node->psql('postgres', <<"SQL", on_error_stop => 0);
SELECT FROM openid4vci.vci_issue_and_record('Permit', '{}');
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_level = notice;
$statement;
SQL
	return $err =~ /Query Text: ([^\n]+)/g;
}

subtest 'what asks for no status costs none' => sub {
	my @statements = statements_of(q{SELECT FROM openid4vci.vci_issue_and_record('Plain', '{}')});
	cmp_ok(scalar @statements, '>=', 1, 'statements are seen');
	is(join("\n", grep { /vci_status/ } @statements), '', 'none is about status lists');
	@statements = statements_of(q{SELECT FROM openid4vci.vci_issue_and_record('Permit', '{}')});
	is(join("\n", grep { /vci_status/ } @statements), '', 'nor with a place, once the session knows the list');
	my $rows = $issuer->sql('SELECT count(*), (SELECT last_value FROM openid4vci.vci_status_position_seq),
		(SELECT count(*) FROM openid4vci.vci_status_chunk) FROM openid4vci.vci_status_list');
	my $token = $issuer->token($issuer->offer('', 'Plain'))->{json}{access_token};
	is($issuer->credential($token, Issuer::credential_body('Plain'))->{status}, 200, 'a wallet gets one');
	is($issuer->sql('SELECT count(*), (SELECT last_value FROM openid4vci.vci_status_position_seq),
		(SELECT count(*) FROM openid4vci.vci_status_chunk) FROM openid4vci.vci_status_list'), $rows,
		'which leaves no row and draws no number');
	is($issuer->sql(q{SELECT count(*) FROM openid4vci.vci_credential
		WHERE configuration_id = 'Plain' AND (status_list_id, status_index) IS NOT NULL}), 0, 'nor a place');
};

my @places;
subtest "$crowd sessions issue at once, over the ends of lists" => sub {
	@places = places($issuer->at_once_as('registry', (issue_statement(50)) x $crowd));
	are_distinct(50 * $crowd, 'registry', @places);
	is($issuer->sql('SELECT count(*) FROM (SELECT FROM openid4vci.vci_status_list WHERE closed_at IS NULL
		GROUP BY issuer_id, bits, size, part HAVING count(*) > 1) AS twice'), 0, 'one list for each part');
	is($issuer->sql('SELECT count(*) FROM (SELECT FROM openid4vci.vci_credential WHERE status_list_id IS NOT NULL
		GROUP BY status_list_id, status_index HAVING count(*) > 1) AS twice'), 0, 'the records say the same');
	cmp_ok($issuer->sql('SELECT count(DISTINCT status_list_id) FROM openid4vci.vci_credential'), '>', 2,
		'several lists were begun');
};

subtest "$crowd wallets ask at once" => sub {
	my @tokens = map { $issuer->token($issuer->offer('', 'Permit'))->{json}{access_token} } 1 .. $crowd;
	my @answers = $issuer->requests_at_once(
		map { [ Issuer::credential_request($_, Issuer::credential_body('Permit')) ] } @tokens);
	is(join(' ', grep { $_ != 200 } map { $_->{status} } @answers), '', 'each is served');
	is($issuer->sql("SELECT count(DISTINCT (status_list_id, status_index)) FROM openid4vci.vci_credential
		WHERE token_id IS NOT NULL AND configuration_id = 'Permit'"), $crowd, 'no place twice');
};

# Of a permutation neighbours lie anywhere: 2000 of a list of 2^20 are spread, their distances too.
subtest 'a place tells nothing of the one before it' => sub {
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"status_list_size": 1048576}')});
	my @index = map { (split / /)[1] } places($issuer->sql_as('registry', issue_statement(2000)));
	my (%distance, @bucket, $falls);
	for my $n (1 .. $#index)
	{
		$distance{ ($index[$n] - $index[$n - 1]) % 1048576 }++;
		$falls += $index[$n] < $index[$n - 1];
	}
	$bucket[ $_ / 65536 ]++ for @index;
	cmp_ok(scalar keys %distance, '>', 1950, 'hardly a distance comes twice');
	ok($falls > 850 && $falls < 1150, "the next lies below as often as above ($falls of 1999)");
	is(scalar(grep { ($_ // 0) < 70 || $_ > 190 } @bucket[ 0 .. 15 ]), 0, "they are spread evenly (@bucket)");
	my %low;
	$low{ $_ % 16 }++ for @index;
	is(scalar(grep { ($low{$_} // 0) < 70 || $low{$_} > 190 } 0 .. 15), 0, 'their last bits too');
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"status_list_size": 1024}')});
};

subtest 'a crash gives no number back' => sub {
	my @before = places($issuer->sql_as('registry', issue_statement(5)));
	$node->stop('immediate');
	$node->start;
	are_distinct(10, 'registry', @before, places($issuer->sql_as('registry', issue_statement(5))));
};

# A dump knows nothing of what was issued after it: the restored sequence begins where the
# dump was made, and only other lists keep the places apart.
subtest 'a restored dump gives no place that the lost time gave' => sub {
	my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
	$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'dumped');
	my $cut = $issuer->sql('SELECT clock_timestamp()');
	my @lost = places($issuer->sql_as('registry', issue_statement(200)));
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->command_ok([ 'pg_restore', '-d', $node->connstr('restored'), $dump ], 'restored');
	my $again = sub { return places($node->safe_psql('restored', $_[0])) };
	my %lost = map { $_ => 1 } @lost;
	$node->safe_psql('restored', 'BEGIN; SELECT openid4vci.vci_adopt_database(); COMMIT;
		UPDATE openid4vci.vci_status_list SET closed_at = NULL;');
	cmp_ok(scalar(grep { $lost{$_} } $again->(issue_statement(200))), '>', 0,
		'the danger: in the old lists there are some');
	$node->safe_psql('restored', "SELECT openid4vci.vci_after_restore('$cut')");
	is(scalar(grep { $lost{$_} } $again->(issue_statement(400))), 0, 'none after vci_after_restore');
	is($node->safe_psql('restored', 'SELECT count(*) FROM openid4vci.vci_status_list WHERE closed_at IS NULL
		AND name IN (SELECT unnest(string_to_array(\'' . join(',', map { (split / /)[0] } @lost) . '\', \',\')))'), 0,
		'the lists of the lost time get no more');
};

# Records of one person, made without signing, at every second place of a large list.
subtest 'a hundred thousand are revoked by few statements' => sub {
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"status_list_size": 262144}')});
	my ($list) = $issuer->sql_as('registry', issue_statement(1)) =~ /^(\S+)/;
	$issuer->sql(<<"SQL");
INSERT INTO openid4vci.vci_credential (issuer_id, key_id, configuration_id, format, issued_by, subject_model, subject_id,
	status_list_id, status_index)
SELECT l.issuer_id, k.id, 'Permit', 'dc+sd-jwt', 'registry', 'crowd', 'all', l.id, 2 * n
FROM openid4vci.vci_status_list AS l, openid4vci.vci_key AS k, generate_series(0, 99999) AS n WHERE l.name = '$list';
ANALYZE openid4vci.vci_credential;
SQL
	my $revoke = q{SELECT openid4vci.vci_revoke(subject_model => 'crowd', subject_id => 'all', reason => 'crowd')};
	my $start = time;
	is($issuer->sql_as('registry', $revoke), 100000, 'all of them by one call');
	note(sprintf 'it took %.1f s', time - $start);
	is($issuer->sql_as('registry', $revoke), 0, 'and none again');
	is($issuer->sql(q{SELECT count(*), count(DISTINCT credential_id) FROM openid4vci.vci_event
		WHERE kind = 'credential_revoked'}), '100000|100000', 'an event for each');
	is($issuer->sql("SELECT version FROM openid4vci.vci_status_list WHERE name = '$list'"), 1, 'the list changed once');
	is($issuer->sql(<<"SQL"), '100000|f', 'the list says it of each of them and of nobody else');
SELECT sum((get_bit(statuses, 2 * n))), bool_or(get_bit(statuses, 2 * n + 1) = 1 OR n % 2 = 1 AND get_bit(statuses, 2 * n) = 1)
FROM openid4vci.vci_status_chunk, generate_series(0, 4095) AS n
WHERE list_id = (SELECT id FROM openid4vci.vci_status_list WHERE name = '$list')
SQL
	is($issuer->sql("SELECT count(*), bool_and(status = 1 AND status_reason = 'crowd' AND status_changed_by = 'registry')
		FROM openid4vci.vci_credential WHERE subject_id = 'all'"), '100000|t', 'and so do the records');
	$issuer->sql("UPDATE openid4vci.vci_credential SET status = 0 WHERE subject_id = 'all'");
	my @statements = statements_of($revoke);
	cmp_ok(scalar(grep { /openid4vci\.vci_(credential|status|event)/ } @statements), '<=', 10, 'by few statements')
	  or diag(join "\n", @statements);
};

subtest 'many change statuses at once' => sub {
	$issuer->sql(q{UPDATE openid4vci.vci_credential SET subject_id = 'half ' || (id % 2)  WHERE subject_id = 'all'});
	$issuer->sql(q{UPDATE openid4vci.vci_credential SET status = 0 WHERE subject_model = 'crowd';
		DELETE FROM openid4vci.vci_status_chunk; DELETE FROM openid4vci.vci_credential WHERE subject_model = 'crowd'
		AND status_index >= 4000});
	my @call = map { my $half = $_;
		map { "SELECT openid4vci.$_(subject_model => 'crowd', subject_id => 'half $half', max_rows => 300)" }
		qw(vci_suspend vci_reinstate vci_revoke vci_suspend) } 0, 1;
	my @said = $issuer->at_once_as('registry', (@call) x 4);
	is(join("\n", grep { !/^\d+$/ } @said), '', 'nobody is in a deadlock');
	is($issuer->sql(<<'SQL'), 't', 'the list says what the records say');
SELECT bool_and(c.status = COALESCE(get_bit(k.statuses, 2 * c.status_index % 8192)
	+ 2 * get_bit(k.statuses, 2 * c.status_index % 8192 + 1), 0))
FROM openid4vci.vci_credential AS c LEFT JOIN openid4vci.vci_status_chunk AS k
	ON k.list_id = c.status_list_id AND k.chunk = c.status_index / 4096
WHERE c.subject_model = 'crowd'
SQL
	cmp_ok($issuer->sql(q{SELECT count(*) FROM openid4vci.vci_credential WHERE status <> 0 AND subject_model = 'crowd'}),
		'>', 0, 'and something has changed');
};

done_testing();
