# With synchronous_commit off a commit is acknowledged before it is on disk. Nothing is redeemed
# or issued then: wallets are put off, and what was redeemed before a session switched it off is
# there after a crash all the same.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Faults;
use Issuer;
use ProxyClient;

my $base = '/api/v1/openid4vci';
my $dir = PostgreSQL::Test::Utils::tempdir;
# the WAL writer comes by so rarely that what nobody flushes is lost in a crash
my $issuer = Issuer->start('careless', conf => <<'CONF');
fsync = on
wal_writer_delay = 10s
wal_writer_flush_after = 1GB
CONF
my $node = $issuer->{node};
my $proxy = proxy_start($dir, '--pool', 2, '--conninfo',
	$node->connstr('postgres') . ' user=wallet_endpoint');

sub send_request
{
	my (@request) = @_;
	return http_answer(http_ask(http_connect($proxy), @request), $request[0]);
}

sub state_of
{
	my ($offer) = @_;
	return $issuer->sql("SELECT state, tx_code_failures,
		(SELECT count(*) FROM openid4vci.vci_token WHERE offer_id = o.id)
		FROM openid4vci.vci_offer_info AS o WHERE id = $offer->{offer_id}");
}

sub durability
{
	return $issuer->sql_as('registry',
		"SELECT ok, detail FROM openid4vci.vci_health() WHERE \"check\" = 'durability'");
}

subtest 'switched off for the server' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	my $redeemed = $issuer->offer('', 'Open');
	my $token = send_request(Issuer::token_request($redeemed->{code}))->{json}{access_token};
	like(durability(), qr/^t\|/, 'vci_health is content');
	$issuer->sql('ALTER SYSTEM SET synchronous_commit = off');
	$issuer->sql('SELECT pg_reload_conf()');
	$issuer->await("current_setting('synchronous_commit') = 'off'");
	like(durability(), qr/^f\|synchronous_commit is off.*ALTER SYSTEM RESET/,
		'then it says what to do');
	my %asked = (
		'a code' => [ Issuer::token_request($offer->{code}, '493536') ],
		'a wrong transaction code' => [ Issuer::token_request($offer->{code}, '000000') ],
		'a token' => [ Issuer::credential_request($token, Issuer::credential_body('Open')) ]);
	for my $what (sort keys %asked)
	{
		my $answer = send_request(@{ $asked{$what} });
		is($answer->{status}, 503, "$what: 503");
		like($answer->{headers}{'retry-after'} // '', qr/^\d+$/, "$what: Retry-After");
		unlike($answer->{body}, qr/synchronous_commit/, "$what: settings are no business of wallets");
	}
	is(send_request('POST', "$base/nonce", [], '')->{status}, 200, 'what writes nothing is served');
	is(state_of($offer), 'pending|0|0', 'nothing has happened');
	$issuer->sql('ALTER SYSTEM RESET synchronous_commit');
	$issuer->sql('SELECT pg_reload_conf()');
	$issuer->await("current_setting('synchronous_commit') = 'on'");
	is(send_request(@{ $asked{'a code'} })->{status}, 200, 'switched on, the code is good');
	is(send_request(@{ $asked{'a token'} })->{status}, 200, 'so is the token');
};

# What a session prints; it stays open in {run}.
sub session
{
	my ($role, $statements) = @_;
	my ($in, $out) = ("$statements\n\\echo done\n", '');
	my $run = IPC::Run::start([ 'psql', '-XqAt', '-U', $role, '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$out, '2>&1');
	$run->pump while $out !~ /^done$/m;
	return { run => $run, out => $out };
}

# The crash is at once: nobody else may commit in between, which would flush all before it.
sub crash
{
	my (@sessions) = @_;
	kill_whole_server($issuer);
	$_->{run}->finish for @sessions;
	$node->start;
	return;
}

# What a killed process wrote is not lost, and recovery is quicker without.
$issuer->sql('ALTER SYSTEM SET fsync = off');

subtest 'switched off after the code was redeemed' => sub {
	my $offer = $issuer->offer;
	my $session = session('registry', "BEGIN;
		SELECT openid4vci.vci_exchange_code('$offer->{code}');
		SET LOCAL synchronous_commit = off;
		COMMIT;");
	crash($session);
	like($session->{out}, qr/"access_token"/, 'the code was redeemed');
	is(state_of($offer), 'redeemed|0|1', 'and is after the crash');
};

subtest 'what such a crash does to others' => sub {
	$issuer->sql('CREATE TABLE public.note (line text)');
	my $session = session($ENV{PGUSER} // scalar(getpwuid $<), "SET synchronous_commit = off;
		INSERT INTO public.note VALUES ('lost');");
	crash($session);
	is($issuer->sql('SELECT count(*) FROM public.note'), 0, 'it does lose what was not flushed');
};

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
