# Wallets and a registry's application that share a few connections by PgBouncer in transaction
# mode: each gets its own answers, nothing that one sets or locks stays behind for another, and
# changes made in one session hold in all others at once.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Crowd;
use Faults;
use Issuer;
use Pooler;
use ProxyClient;

plan skip_all => 'pgbouncer is not installed' if !defined Pooler::program();

my $base = '/api/v1/openid4vci';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('pooled');
Crowd::prepare($issuer);
my $pooler = Pooler->start($issuer->{node}, $dir, 2, qw(registry wallet_endpoint));
my $proxy = proxy_start($dir, $pooler->proxy_options, '--pool', 8, '--conninfo',
	$pooler->conninfo('wallet_endpoint'));
await_proxy($proxy);

# A client of the application: a session of its own at the pooler.
sub registry
{
	my (@statements) = @_;
	my ($out, $err) = ('', '');
	my $in = join ";\n", @statements, '';
	IPC::Run::run([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $pooler->conninfo('registry') ],
		'<', \$in, '>', \$out, '2>', \$err) or die "psql: $err";
	chomp $out;
	return $out;
}

sub send_request
{
	my (@request) = @_;
	return http_answer(http_ask(http_connect($proxy), @request), $request[0]);
}

my $code_of = "credential_offer #>> '{grants,$Issuer::grant,pre-authorized_code}'";

sub server_connections
{
	my ($user) = @_;
	return $issuer->sql("SELECT count(*) FROM pg_stat_activity WHERE usename = '$user'");
}

# Requests that run at the same moment, so that each connection of the pool serves some.
sub through_all_connections
{
	my (@request) = @_;
	return http_at_once($proxy, map { [@request] } 1 .. 16);
}

subtest 'many wallets and an application over two connections each' => sub {
	my $crowd = Crowd->start($issuer, $proxy, $dir, 8);
	$crowd->give(80);
	my @offers;
	for my $i (1 .. 20)
	{
		# as Odoo does it: each request a transaction at REPEATABLE READ
		my $offer = registry('BEGIN ISOLATION LEVEL REPEATABLE READ',
			"SELECT offer_id, $code_of FROM openid4vci.vci_create_offer('{Card}',
				claims => '{\"name\": \"Ann\"}', reference => 'pooled $i')",
			'SELECT count(*) FROM openid4vci.vci_offer_info', 'COMMIT');
		push @offers, [ $offer =~ /^(\d+)\|([\w-]+)/ ];
		$crowd->hand_out($offers[-1]);
	}
	is($crowd->settle, 0, 'no answer was lost');
	$crowd->finish;
	is(scalar($crowd->failures_seen), 0, 'no request was put off');
	is($crowd->surprises, '', 'or refused');
	is(Crowd::lost($issuer, $crowd->seen), '', 'each answer belongs to its own request');
	is(Crowd::contradictions($issuer), '', 'all rows agree');
	is(scalar($crowd->credentials_seen), 100, 'each wallet has its credential');
	cmp_ok(server_connections('wallet_endpoint'), '<=', 2, 'over two connections of the wallets');
	cmp_ok(server_connections('registry'), '<=', 2, 'and two of the application');
};

subtest 'nothing stays behind in a connection' => sub {
	my $settings = join ', ', map { "current_setting('$_')" }
	  qw(lock_timeout search_path role session_authorization transaction_isolation statement_timeout);
	my @sessions = map { registry("SELECT pg_backend_pid(), $settings") } 1 .. 8;
	s/^\d+\|// for @sessions;
	my %left = map { $_ => 1 } @sessions;
	my $fresh = $issuer->sql_as('registry', "SELECT $settings");
	is_deeply([ keys %left ], [$fresh], 'settings are those of a new session');

	my $offer = $issuer->offer;
	through_all_connections(Issuer::token_request('x' . $offer->{code}));
	my $queries = $issuer->sql(
		"SELECT string_agg(query, ' ') FROM pg_stat_activity WHERE usename = 'wallet_endpoint'");
	unlike($queries, qr/\Q$offer->{code}\E/, 'no code in pg_stat_activity');
	is($issuer->sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0, 'no lock');
};

# What an application sets with SET stays for whoever gets its connection next.
subtest 'what others left in a connection does no harm' => sub {
	my @odd = ("SET search_path = pg_temp, public", "SET IntervalStyle = 'postgres_verbose'",
		"SET bytea_output = 'escape'", 'SET extra_float_digits = -15', 'SET row_security = off',
		"SET default_transaction_isolation = 'serializable'", 'SET enable_indexscan = off');
	registry(@odd) for 1 .. 4;
	is(registry('SHOW bytea_output'), 'escape', 'the pooler hands such connections on');
	for my $i (1 .. 6)
	{
		my ($id, $code, $expires) = split /\|/, registry("SELECT offer_id, $code_of,
			extract(epoch FROM expires_at)::bigint FROM openid4vci.vci_create_offer('{Open}',
				claims => '{\"name\": \"Ann\"}', expires_in => '90 minutes')");
		cmp_ok(abs($expires - time - 5400), '<', 600, 'an offer is made as ever');
		my $exchanged = decode_json(registry("SELECT openid4vci.vci_exchange_code('$code')"));
		ok(defined $exchanged->{access_token}, 'its code is good');
		my $issued = decode_json(registry("SELECT openid4vci.vci_request_credential(
			'$exchanged->{access_token}', '{\"credential_configuration_id\": \"Open\"}')"));
		ok($issued->{credentials}, 'so is its token');
	}
};

subtest 'an application keeps an offer locked' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	my ($in, $out) = ("BEGIN; SELECT openid4vci.vci_extend_offer($offer->{offer_id});\n", '');
	my $holder = IPC::Run::start([ 'psql', '-XqAt', '-d', $pooler->conninfo('registry') ],
		'<', \$in, '>', \$out);
	$holder->pump while $out !~ /\n/;
	my $answer = send_request(Issuer::token_request($offer->{code}, '000000'));
	is($answer->{status}, 503, 'the wallet is put off');
	like($answer->{headers}{'retry-after'}, qr/^\d+$/, 'and told when to come again');
	is(send_request('POST', "$base/nonce", [], '')->{status}, 200, 'others are served meanwhile');
	$in = "COMMIT;\n";
	$holder->finish;
	is(send_request(Issuer::token_request($offer->{code}, '493536'))->{status}, 200,
		'nothing was counted, and the code is good');
};

# The statuses, or what $pick takes of them, of requests through every connection.
sub all_say
{
	my ($request, $pick, $expected, $what) = @_;
	my %said = map { $pick->($_) => 1 } through_all_connections(@$request);
	is_deeply([ sort keys %said ], [$expected], $what);
	return;
}

subtest 'what one session changes holds in all connections at once' => sub {
	my $status = sub { $_[0]{status} };
	my @metadata = ('GET', '/.well-known/openid-credential-issuer', [], '');
	my $configurations =
	  sub { join ' ', sort keys %{ $_[0]{json}{credential_configurations_supported} } };
	all_say(\@metadata, $configurations, 'Card Open', 'before');
	registry("SELECT openid4vci.vci_create_configuration('New', 'https://issuer.example/New')");
	all_say(\@metadata, $configurations, 'Card New Open', 'a configuration is there');
	registry("SELECT openid4vci.vci_retire_configuration('New')");
	all_say(\@metadata, $configurations, 'Card Open', 'and gone');

	my @jwks = ('GET', "$base/jwks", [], '');
	all_say(\@jwks, sub { scalar @{ $_[0]{json}{keys} } }, 1, 'one key');
	registry('SELECT openid4vci.vci_create_key()');
	all_say(\@jwks, sub { scalar @{ $_[0]{json}{keys} } }, 2, 'another one is published');

	my @token = Issuer::token_request($issuer->offer->{code} . 'x');
	all_say(\@token, $status, 400, 'a wrong code is refused');
	registry('SELECT openid4vci.vci_pause_issuance()');
	all_say([ Issuer::token_request($issuer->offer->{code}) ], $status, 503, 'issuance is paused');
	registry('SELECT openid4vci.vci_resume_issuance()');
	all_say(\@token, $status, 400, 'and resumed');

	$issuer->sql("SELECT openid4vci.vci_revoke('wallet_endpoint', 'endpoint')");
	all_say(\@metadata, sub { $_[0]{status} == 200 ? 200 : 'none' }, 'none',
		'without its duty: nothing');
	$issuer->sql("SELECT openid4vci.vci_grant('wallet_endpoint', 'endpoint')");
	all_say(\@metadata, $status, 200, 'with it: all');
};

subtest 'the pooler is killed under load' => sub {
	my $crowd = Crowd->start($issuer, $proxy, $dir, 4);
	for (1 .. 3)
	{
		$crowd->keep_busy(40);
		$crowd->await_credentials(4);
		$pooler->stop;
		$pooler->run;
	}
	$crowd->settle;
	$crowd->finish;
	is($crowd->surprises, '', 'wallets saw nothing but 200, 503 and hangups');
	is(Crowd::lost($issuer, $crowd->seen), '', 'what they saw is there');
	is(Crowd::contradictions($issuer), '', 'all rows agree');
	is(scalar($crowd->credentials_seen), scalar(keys %{ $crowd->{offers} }),
		'each has its credential in the end');
	is_deeply([ keys %{ $crowd->replay_all } ], ['400 invalid_grant'], 'no code is good once more');
};

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
