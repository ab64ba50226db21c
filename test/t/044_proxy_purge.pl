# openid4vci-proxy purge: batches until nothing is left, a line a kind; what goes wrong is
# told in plain words, what somebody else changed is tried again, and a signal ends it between
# two batches.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;

my $issuer = Issuer->start('purge');
$issuer->sql('CREATE ROLE purger LOGIN; CREATE ROLE limited LOGIN; CREATE ROLE stranger LOGIN');
$issuer->sql("SELECT openid4vci.vci_grant('purger', 'offerer')");
$issuer->sql("SELECT openid4vci.vci_grant('limited', 'issuer_admin', 'https://issuer.example')");
my $connstr = $issuer->{node}->connstr('postgres');

sub purge_as
{
	my ($conninfo, @options) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ proxy_program(), 'purge', '--conninfo', $conninfo, @options ], '<', \undef, '>',
		\$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub purge { return purge_as("$connstr user=purger", @_) }

# Nonces that were spent long ago.
sub spend
{
	my ($count) = @_;
	$issuer->sql("INSERT INTO openid4vci.vci_nonce SELECT clock_timestamp() - interval '90 days',
		sha256((n || random()::text)::bytea) FROM generate_series(1, $count) AS n");
	return;
}
sub spent { return $issuer->sql('SELECT count(*) FROM openid4vci.vci_nonce') }

subtest 'until nothing is left' => sub {
	spend(1000);
	my ($status, $out, $err) = purge('--max-rows', 100);
	is($status, 0, 'exit status') or diag($err);
	is($err, '', 'nothing on stderr');
	is(spent(), 0, 'all of it went, in several batches');
	is($out, "nonce: 1000 purged\n" . join('', map { "$_: 0 purged\n" } qw(dpop_proof kept_claims claims
			deferred token refresh_token authorization offer recipient credential event)), 'a line a kind');
	($status, $out) = purge();
	is($status, 0, 'nothing to do is no fault');
	like($out, qr/^nonce: 0 purged$/m, 'and is told');
};

subtest 'one batch' => sub {
	spend(300);
	my ($status, $out) = purge('--once', '--max-rows', 100);
	is($status, 0, 'exit status');
	is(spent(), 200, 'no more than the batch went');
	like($out, qr/^nonce: 100 purged, about 200 left$/m, 'and it tells what is left');
	($status, $out) = purge('--once');
	is(spent(), 0, 'the default is a large batch');
};

subtest 'tables that are swept' => sub {
	my $token = $issuer->token($issuer->offer('', 'Open'))->{json}{access_token};
	ok($token, 'a token');
	$issuer->sql("INSERT INTO openid4vci.vci_token (issuer_id, offer_id, generation, offer_generation,
			configuration_ids, identifiers, created_at, expires_at)
		SELECT issuer_id, offer_id, generation, offer_generation, configuration_ids, identifiers,
			created_at - interval '40 days', expires_at - interval '40 days'
		FROM openid4vci.vci_token, generate_series(1, 500)");
	$issuer->sql('UPDATE openid4vci.vci_purge_state SET mark = 0, swept_at = NULL');
	my ($status, $out) = purge('--max-rows', 33);
	is($status, 0, 'exit status');
	like($out, qr/^token: 500 purged$/m, 'to the end of the table, a window a batch');
	is($issuer->sql('SELECT count(*) FROM openid4vci.vci_token'), 1, 'what lives stays');
};

subtest 'what somebody changed meanwhile is tried again' => sub {
	# REPEATABLE READ for this role; a row of the state that changes while the batch runs.
	$issuer->sql("ALTER ROLE purger SET default_transaction_isolation = 'repeatable read'");
	spend(50);
	$issuer->sql(<<'SQL');
CREATE SEQUENCE conflicts;
CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	IF nextval('public.conflicts') <= 2 THEN
		RAISE 'somebody was faster' USING ERRCODE = 'serialization_failure';
	END IF;
	RETURN OLD;
END $$;
CREATE TRIGGER conflict BEFORE DELETE ON openid4vci.vci_nonce FOR EACH STATEMENT EXECUTE FUNCTION conflict();
SQL
	my ($status, $out, $err) = purge();
	is($status, 0, 'exit status') or diag($err);
	is(spent(), 0, 'the third attempt went through');
	like($out, qr/^nonce: 50 purged$/m, 'and is counted once');
	$issuer->sql("ALTER SEQUENCE conflicts RESTART; ALTER SEQUENCE conflicts MINVALUE -1000 START -1000 RESTART");
	spend(1);
	($status, $out, $err) = purge();
	is($status, 1, 'not without end: exit status');
	like($err, qr/others change the same rows, 20 times in a row; try again later/, 'and what to do');
	$issuer->sql('DROP TRIGGER conflict ON openid4vci.vci_nonce; ALTER ROLE purger RESET default_transaction_isolation');
};

subtest 'a signal ends it between two batches' => sub {
	spend(2000);
	$issuer->sql(<<'SQL');
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(7);
	RETURN NULL;
END $$;
CREATE TRIGGER linger AFTER DELETE ON openid4vci.vci_nonce FOR EACH STATEMENT EXECUTE FUNCTION linger();
SQL
	my ($in, $gate) = ("SELECT pg_advisory_lock(7);\n", '');
	my $holder = IPC::Run::start([ 'psql', '-XqAt', '-d', $connstr ], '<', \$in, '>', \$gate);
	$holder->pump while $gate !~ /\n/;
	my ($out, $err) = ('', '');
	my $before = spent();
	my $purge = IPC::Run::start([ proxy_program(), 'purge', '--max-rows', 100, '--conninfo', "$connstr user=purger" ],
		'<', \undef, '>', \$out, '2>', \$err);
	$issuer->await("EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)");
	$purge->signal('TERM');
	# The batch is at work: it is not broken off.
	$in .= "SELECT pg_advisory_unlock(7);\n\\q\n";
	$holder->finish;
	$purge->finish;
	is($purge->full_result(0), 0, 'exit status') or diag($err);
	is($before - spent(), 100, 'the batch at work is whole, and the last');
	like($out, qr/^nonce: 100 purged, about \d+ left$/m, 'it tells how far it came');
	$issuer->sql('DROP TRIGGER linger ON openid4vci.vci_nonce');
	purge();
};

subtest 'who may' => sub {
	for my $role (qw(limited stranger))
	{
		my ($status, $out, $err) = purge_as("$connstr user=$role");
		is($status, 1, "$role: exit status");
		like($err, qr/^openid4vci-proxy: cannot purge: .*; the role needs the duty issuer_admin or offerer for all issuers/,
			"$role: what is needed");
	}
	my ($status) = purge_as("$connstr user=registry");
	is($status, 0, 'issuer_admin for all issuers');
};

subtest 'no database' => sub {
	my ($status, $out, $err) = purge_as('host=127.0.0.1 port=1 dbname=nowhere connect_timeout=2');
	is($status, 1, 'nobody listens: exit status');
	like($err, qr/^openid4vci-proxy: cannot connect to the database: [^\n]*refused[^\n]*\n\z/, 'one plain line');
	$issuer->sql('CREATE DATABASE empty');
	($status, $out, $err) = purge_as($issuer->{node}->connstr('empty'));
	is($status, 1, 'no extension: exit status');
	like($err, qr/cannot purge: schema "openid4vci" does not exist/, 'told');
	# Lost in the middle of a batch.
	spend(10);
	$issuer->sql(<<'SQL');
CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	PERFORM pg_terminate_backend(pg_backend_pid());
	RETURN NULL;
END $$;
CREATE TRIGGER hang_up AFTER DELETE ON openid4vci.vci_nonce FOR EACH STATEMENT EXECUTE FUNCTION hang_up();
SQL
	($status, $out, $err) = purge();
	is($status, 1, 'the connection is lost: exit status');
	like($err, qr/cannot purge: .*terminat/, 'told');
	$issuer->sql('DROP TRIGGER hang_up ON openid4vci.vci_nonce');
	is(spent(), 10, 'nothing of the batch went');
};

subtest 'command line' => sub {
	my %wrong = (
		'an option of the server' => [ [ '--port', '1' ], qr/unknown option --port/ ],
		'no rows' => [ [ '--max-rows', '0' ], qr/--max-rows takes a whole number/ ],
		'not a number' => [ [ '--max-rows', 'all' ], qr/--max-rows takes a whole number/ ],
		'a value too many' => [ ['--once=1'], qr/--once takes no value/ ],
		'a stray word' => [ ['now'], qr/belongs to no option/ ]);
	for my $name (sort keys %wrong)
	{
		my ($options, $message) = @{ $wrong{$name} };
		my ($status, $out, $err) = purge(@$options);
		is($status, 2, "$name: exit status");
		like($err, $message, "$name: message");
	}
	my ($status, $out) = purge('--help');
	is($status, 0, '--help succeeds');
	like($out, qr/^PURGE$/m, 'and tells of the command');
	like($out, qr/^    --\Q$_\E /m, "and of --$_") for qw(max-rows once);
};

done_testing();
