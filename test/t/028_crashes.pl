# Backends and servers that are killed between and within the steps of the flows that a
# wallet's client begins: what was committed is there, each wallet goes on where it was, and
# nothing is issued twice. All through the real proxy.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

use Faults;
use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('crashes', conf => 'restart_after_crash = on');
my $node = $issuer->{node};
Flow::prepare($issuer);
my $proxy = proxy_start($dir, '--pool', 4, '--conninfo',
	$node->connstr('postgres') . ' user=wallet_endpoint');
my $key = Wallet->new_quick;
my $flow = Flow->new($issuer, key => $key, send => \&through_proxy);

sub ask
{
	my (@request) = @_;
	return http_ask(http_connect($proxy), @request);
}

sub through_proxy
{
	my (@request) = @_;
	return http_answer(ask(@request), $request[0]);
}

sub is_status
{
	my ($answer, $status, $what) = @_;
	is($answer->{status}, $status, $what) or diag($answer->{body});
	return $answer->{json};
}

sub is_refused
{
	my ($answer, $status, $error, $what) = @_;
	is("$answer->{status} " . ($answer->{json}{error} // ''), "$status $error", $what);
	return;
}

# By time: each session draws ids ahead, so a later row may have a lower one.
sub last_offer
{
	return $issuer->sql('SELECT id FROM openid4vci.vci_offer ORDER BY created_at DESC LIMIT 1');
}

sub credentials_of
{
	my ($offer_id) = @_;
	return $issuer->sql(<<"SQL");
SELECT (SELECT count(*) FROM openid4vci.vci_credential WHERE offer_id = $offer_id),
	(SELECT count(*) FROM openid4vci.vci_event
		WHERE offer_id = $offer_id AND kind = 'credential_issued')
SQL
}

# One wallet at each step of its way.
sub wallets
{
	my %at;
	$at{pushed} = $flow->send($flow->push_request(scope => 'slow'))->{json}{request_uri};
	$at{opened} = $flow->login_ticket(scope => 'slow');
	$at{approved} = $flow->code;
	$at{redeemed} = $flow->tokens;
	my @refreshing = $flow->refresh_request($at{redeemed}{refresh_token});
	$flow->send(@refreshing);
	$at{refreshed} = \@refreshing;
	$at{$_} = $flow->deferral($key) for qw(waiting ready fetched);
	$flow->complete($at{$_}) for qw(ready fetched);
	$at{notification} = $flow->fetch($at{fetched})->{json}{notification_id};
	return %at;
}

# Every row, of every table, also of those that no dump contains.
sub all_rows
{
	return $issuer->sql(join ' UNION ALL ', map {
			"SELECT '$_', md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM openid4vci.$_ AS t"
	} qw(vci_issuer vci_offer vci_authorization vci_token vci_refresh_token vci_deferred
		vci_credential vci_nonce vci_dpop_proof vci_event));
}

sub go_on
{
	my (%at) = @_;
	is_status($flow->send($flow->open_request($at{pushed})), 303, 'a pushed request opens');
	is_status($flow->send($flow->open_request($at{pushed})), 400, 'once');

	my $code = $flow->approve($at{opened}, 8, { name => 'Ben' });
	is_status($flow->send($flow->code_request($code)), 200,
		'an opened request is approved, and its code good');

	is_status($flow->send($flow->code_request($at{approved})), 200, 'an approved code is good');
	is_refused($flow->send($flow->code_request($at{approved})), 400, 'invalid_grant', 'once');

	is_refused(through_proxy(@{ $at{refreshed} }), 400, 'invalid_dpop_proof',
		'a used proof stays used');
	my $tokens = is_status($flow->send($flow->refresh_request($at{redeemed}{refresh_token})), 200,
		'a refresh token is good');
	for my $token ($tokens->{access_token}, $at{redeemed}{access_token})
	{
		is_status($flow->send($flow->credential_request($token, 'Card', $key)), 200,
			'an access token is good');
		is_refused($flow->send($flow->credential_request($token, 'Card', $key)), 400,
			'credential_request_denied', 'once');
	}

	is_status($flow->fetch($at{waiting}), 202, 'who waited waits on');
	$flow->complete($at{waiting});
	for my $step (qw(waiting ready fetched))
	{
		is_status($flow->fetch($at{$step}), 200, "what was $step is fetched");
		is(credentials_of($at{$step}{offer_id}), '1|1', 'and was issued once');
	}
	is_status($flow->send($flow->notification_request($at{fetched}{token}, $at{notification},
				'credential_accepted')), 204, 'a notification finds its credential');
	return;
}

sub kill_one
{
	kill_backend($issuer->sql(
		"SELECT min(pid) FROM pg_stat_activity WHERE usename = 'wallet_endpoint'"));
	await_server($issuer);
	return;
}

sub kill_and_start
{
	kill_server($issuer);
	is_status($flow->send($flow->open_request('urn:none')), 503, 'without a server wallets are put off');
	$node->start;
	return;
}

my %crashes = ('a backend is killed' => \&kill_one, 'the server is killed' => \&kill_and_start);
for my $crash (sort keys %crashes)
{
	subtest "$crash between the steps" => sub {
		my %at = wallets();
		my $rows = all_rows();
		my $event = $issuer->sql('SELECT max(id) FROM openid4vci.vci_event');
		$crashes{$crash}->();
		await_proxy($proxy);
		is(all_rows(), $rows, 'every row is there, and no other');
		go_on(%at);
		my $read = "SELECT count(*) FROM openid4vci.vci_events($event)";
		my $written = "SELECT count(*) FROM openid4vci.vci_event WHERE id > $event";
		is($issuer->sql_as('registry', $read), $issuer->sql($written),
			'who reads the outbox gets all events since');
	};
}

# Runs a step until its commit, kills its backend, and gives what the client saw.
sub kill_at_commit
{
	my ($table, @request) = @_;
	at_commit($issuer, $table, $hold);
	my $holder = hold_commits($issuer);
	my $socket = ask(@request);
	kill_backend(held_backend($issuer, $socket));
	my $answer = http_answer($socket, $request[0]);
	$holder->finish;
	await_server($issuer);
	await_proxy($proxy);
	at_commit_no_more($issuer);
	return $answer;
}

# The step is repeated by $again, which makes a fresh DPoP proof.
sub is_done_once
{
	my ($what, $table, $again) = @_;
	my $rows = all_rows();
	is_status(kill_at_commit($table, $again->()), 503, "$what: the wallet is told to try again");
	is(all_rows(), $rows, "$what: nothing has happened");
	return is_status($flow->send($again->()), 200, "$what: it is done then");
}

subtest 'a backend is killed within a step' => sub {
	my $code = $flow->code;
	my $offer = last_offer();
	my $tokens = is_done_once('redeeming a code', 'vci_token', sub { $flow->code_request($code) });
	is($issuer->sql("SELECT count(*) FROM openid4vci.vci_token WHERE offer_id = $offer"), 1,
		'one token exists');
	is_done_once('refreshing', 'vci_token', sub { $flow->refresh_request($tokens->{refresh_token}) });
	my $wallet = $flow->deferral($key);
	$flow->complete($wallet);
	is_done_once('fetching a deferred credential', 'vci_deferred',
		sub { $flow->deferred_request(@$wallet{qw(token transaction)}) });
	is(credentials_of($wallet->{offer_id}), '1|1', 'it was issued once');
};

subtest 'the backend of an approval is killed' => sub {
	my $ticket = $flow->login_ticket(scope => 'slow');
	my $approval = Flow::approval_statement($ticket, 8, { name => 'Ben' });
	my $rows = all_rows();
	at_commit($issuer, 'vci_authorization', $hold);
	my $holder = hold_commits($issuer);
	my ($out, $err) = ('', '');
	my $portal = IPC::Run::start(
		[ 'psql', '-XqAt', '-U', 'registry', '-d', $node->connstr('postgres'), '-c', $approval ],
		'<', \undef, '>', \$out, '2>', \$err);
	kill_backend(held_backend($issuer));
	$portal->finish;
	is($out, '', 'no code comes of it');
	$holder->finish;
	await_server($issuer);
	await_proxy($proxy);
	at_commit_no_more($issuer);
	is(all_rows(), $rows, 'and no offer');
	my $code = $flow->approve($ticket, 8, { name => 'Ben' });
	is_status($flow->send($flow->code_request($code)), 200, 'approved again it gives a good one');
};

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
