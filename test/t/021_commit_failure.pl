# A commit that fails after the answer was computed: no wallet ever sees that answer, and
# what it asked for can be asked again. All through the real proxy.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('commits', conf => 'restart_after_crash = on');
my $node = $issuer->{node};
# a slow machine must not outlast it
$issuer->sql_as('registry', q(SELECT openid4vci.vci_alter_issuer('{"retry_window": 3600}')));
my $proxy = new_proxy();

sub new_proxy
{
	return proxy_start($dir, '--pool', 4, '--conninfo',
		$node->connstr('postgres') . ' user=wallet_endpoint');
}

# Sends a request, and reads its answer whenever it comes.
sub ask
{
	my ($method, $path, $headers, $body) = @_;
	my $socket = http_connect($proxy);
	my @pairs = @$headers;
	my $head = "$method $path HTTP/1.1\r\nHost: test\r\nContent-Length: " . length($body) . "\r\n";
	while (my ($name, $value) = splice @pairs, 0, 2)
	{
		$head .= "$name: $value\r\n";
	}
	http_send($socket, "$head\r\n$body");
	return $socket;
}

sub answer_to
{
	my ($socket) = @_;
	my $answer = http_read($socket, 'POST');
	$answer->{json} = eval { decode_json($answer->{body}) } // {};
	return $answer;
}

sub redeem
{
	my ($offer) = @_;
	return answer_to(ask(Issuer::token_request($offer->{code})));
}

sub request_credential
{
	my ($token) = @_;
	return answer_to(ask(Issuer::credential_request($token, Issuer::credential_body('Open'))));
}

sub is_no_answer
{
	my ($answer, $status, $what) = @_;
	is($answer->{status}, $status, "$what: the wallet sees $status");
	unlike($answer->{body}, qr/access_token|credential/, "$what: and nothing of the answer");
	return;
}

sub state_of
{
	my ($offer) = @_;
	return $issuer->sql("SELECT state,
		(SELECT count(*) FROM openid4vci.vci_token WHERE offer_id = o.id),
		(SELECT count(*) FROM openid4vci.vci_credential WHERE offer_id = o.id)
		FROM openid4vci.vci_offer_info AS o WHERE id = $offer->{offer_id}");
}

# Makes every commit that changed the table run this first.
sub at_commit
{
	my ($table, $plpgsql) = @_;
	$issuer->sql(<<"SQL");
CREATE SEQUENCE public.commits;
CREATE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$
BEGIN
	$plpgsql;
	RETURN NULL;
END \$\$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON openid4vci.$table
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.at_commit();
SQL
	return;
}

sub at_commit_no_more
{
	$issuer->sql('DROP FUNCTION public.at_commit() CASCADE; DROP SEQUENCE public.commits');
	return;
}

# Holds commits up until it is ended.
my $hold = 'PERFORM pg_advisory_xact_lock(7)';

sub hold_commits
{
	my ($in, $out) = ("SELECT pg_advisory_lock(7);\n", '');
	my $holder = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') ],
		'<', \$in, '>', \$out, '2>', \my $ignored);
	$holder->pump while $out !~ /\n/;
	return $holder;
}

# The backend whose commit is held up, for a request that must have no answer yet.
sub held_backend
{
	my ($socket) = @_;
	my $answered = IO::Select->new($socket);
	for (;;)
	{
		my $pid = $issuer->sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
		return $pid if $pid ne '';
		die 'an answer came before the commit: ' . answer_to($socket)->{status}
		  if $answered->can_read(0.05);
	}
}

sub serves_again
{
	my ($offer, $what) = @_;
	is(state_of($offer), 'pending|0|0', "$what: nothing has happened");
	is(redeem($offer)->{status}, 200, "$what: the code is still good");
	is(state_of($offer), 'redeemed|1|0', "$what: and now it is redeemed");
	return;
}

subtest 'an error at the commit of a token' => sub {
	my $offer = $issuer->offer;
	at_commit('vci_offer', "RAISE EXCEPTION 'not today'");
	is_no_answer(redeem($offer), 500, 'error at commit');
	at_commit_no_more();
	serves_again($offer, 'error at commit');
};

subtest 'an error at the commit of a credential' => sub {
	my $offer = $issuer->offer('', 'Open');
	my $token = redeem($offer)->{json}{access_token};
	at_commit('vci_credential', "RAISE EXCEPTION 'not today'");
	is_no_answer(request_credential($token), 500, 'error at commit');
	is(state_of($offer), 'redeemed|1|0', 'nothing was issued');
	at_commit_no_more();
	is(request_credential($token)->{status}, 200, 'the token is still good');
	is(state_of($offer), 'redeemed|1|1', 'and now it is issued');
};

subtest 'a serialization failure at the commit' => sub {
	my $conflict = "RAISE EXCEPTION 'again' USING ERRCODE = 'serialization_failure'";
	my $offer = $issuer->offer;
	at_commit('vci_offer', "IF nextval('public.commits') < 3 THEN $conflict; END IF");
	is(redeem($offer)->{status}, 200, 'the proxy tries again, until it succeeds');
	is($issuer->sql('SELECT last_value FROM public.commits'), 3, 'at the third attempt');
	is(state_of($offer), 'redeemed|1|0', 'it is redeemed once');
	at_commit_no_more();
	$offer = $issuer->offer;
	at_commit('vci_offer', $conflict);
	is_no_answer(redeem($offer), 503, 'conflict at each commit');
	at_commit_no_more();
	serves_again($offer, 'conflict at each commit');
};

subtest 'a backend that is ended at the commit' => sub {
	my $offer = $issuer->offer;
	at_commit('vci_offer', $hold);
	my $holder = hold_commits();
	my $socket = ask(Issuer::token_request($offer->{code}));
	$issuer->sql('SELECT pg_terminate_backend(' . held_backend($socket) . ')');
	is_no_answer(answer_to($socket), 503, 'terminated backend');
	$holder->finish;
	at_commit_no_more();
	serves_again($offer, 'terminated backend');
};

# Waits until the server takes connections again.
sub await_server
{
	select undef, undef, undef, 0.1 while $node->psql('postgres', 'SELECT 1') != 0;
	return;
}

sub await_proxy
{
	select undef, undef, undef, 0.1
	  while http_request($proxy, 'GET', '/readyz')->{status} != 200;
	return;
}

subtest 'a backend that crashes at the commit' => sub {
	my $offer = $issuer->offer;
	at_commit('vci_offer', $hold);
	my $holder = hold_commits();
	my $socket = ask(Issuer::token_request($offer->{code}));
	kill 'KILL', held_backend($socket);
	is_no_answer(answer_to($socket), 503, 'crashed backend');
	$holder->finish;
	await_server();
	await_proxy();
	at_commit_no_more();
	serves_again($offer, 'crashed backend');
};

# Kills the postmaster and waits until it is gone and its children have noticed.
sub kill_server
{
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my @children = split /\n/, $issuer->sql('SELECT pid FROM pg_stat_activity');
	$node->kill9;
	select undef, undef, undef, 0.1 while kill 0, $postmaster;
	for my $pid (@children)
	{
		select undef, undef, undef, 0.1 while defined readlink "/proc/$pid/exe";
	}
	return;
}

subtest 'the whole server dies' => sub {
	my $redeemed = $issuer->offer;
	my $issued = $issuer->offer('', 'Open');
	my $interrupted = $issuer->offer;
	is(redeem($redeemed)->{status}, 200, 'one offer is redeemed before');
	my $token = redeem($issued)->{json}{access_token};
	is(request_credential($token)->{status}, 200, 'another one is issued before');

	at_commit('vci_offer', $hold);
	my $holder = hold_commits();
	my $socket = ask(Issuer::token_request($interrupted->{code}));
	held_backend($socket);
	kill_server();
	is_no_answer(answer_to($socket), 503, 'dead server');
	$holder->finish;
	is_no_answer(redeem($interrupted), 503, 'no server');

	$node->start;
	await_proxy();
	pass('the proxy recovers by itself');
	at_commit_no_more();
	is(state_of($redeemed), 'redeemed|1|0', 'what was acknowledged stays');
	is(redeem($redeemed)->{json}{error}, 'invalid_grant', 'a redeemed code stays redeemed');
	is(state_of($issued), 'redeemed|1|1', 'what was issued stays issued');
	is(request_credential($token)->{status}, 200, 'a lost credential can be fetched again');
	is(state_of($issued), 'redeemed|1|1', 'from the same record');
	serves_again($interrupted, 'dead server');
};

subtest 'the proxy dies while the database commits' => sub {
	my $offer = $issuer->offer;
	at_commit('vci_offer', $hold);
	my $holder = hold_commits();
	my $socket = ask(Issuer::token_request($offer->{code}));
	held_backend($socket);
	proxy_stop($proxy, 'KILL');
	is(answer_to($socket)->{status}, 0, 'the wallet sees no answer');
	$holder->finish;
	$issuer->await("NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')");
	at_commit_no_more();
	my $state = state_of($offer);
	like($state, qr/^(redeemed\|1|pending\|0)\|0$/, "the offer is whole: $state");
	$proxy = new_proxy();
	if ($state eq 'redeemed|1|0')
	{
		is(redeem($offer)->{json}{error}, 'invalid_grant', 'its code is used up');
		$issuer->sql_as('registry', "SELECT openid4vci.vci_reopen_offer($offer->{offer_id})");
		my $link = $issuer->sql_as('registry', "SELECT openid4vci.vci_offer_uri($offer->{offer_id})");
		$link =~ /pre-authorized_code%22%3A%22([A-Za-z0-9_-]+)/;
		$offer->{code} = $1;
	}
	is(redeem($offer)->{status}, 200, 'the beneficiary gets it after all');
};

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
