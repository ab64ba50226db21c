# Many wallets at the same moment, with real proofs: one code, one transaction code, one
# c_nonce and one token each count once, and what is forged or incomplete counts nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;
use Wallet;

my $crowd = 50;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('races');

# How often each status and error came, as "400 invalid_grant" => 49.
sub tally
{
	my %tally;
	$tally{ join ' ', $_->{status}, $_->{json}{error} // () }++ for @_;
	return \%tally;
}

sub offer_facts
{
	my ($offer) = @_;
	return $issuer->sql("SELECT state, tx_code_failures, locked
		FROM openid4vci.vci_offer_info WHERE id = $offer->{offer_id}");
}

sub count_of
{
	my ($table, $offer) = @_;
	return $issuer->sql("SELECT count(*) FROM openid4vci.$table
		WHERE offer_id = $offer->{offer_id}");
}

# A token for a new offer.
sub new_token
{
	my ($arguments, $configuration) = @_;
	my $offer = $issuer->offer($arguments, $configuration);
	return ($issuer->token($offer)->{json}{access_token}, $offer);
}

sub proven_request
{
	my ($wallet, $nonce) = @_;
	my $proof = $wallet->proof(aud => $issuer->{url}, nonce => $nonce);
	return Issuer::credential_body('Card', $proof);
}

subtest "$crowd clients redeem one code at once" => sub {
	my $offer = $issuer->offer;
	my @answers =
	  $issuer->requests_at_once(map { [ Issuer::token_request($offer->{code}) ] } 1 .. $crowd);
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_grant' => $crowd - 1 },
		'one winner, the others get invalid_grant');
	is(count_of('vci_token', $offer), 1, 'one token exists');
};

# The same request by many clients of the proxy at once: their answers.
sub through_proxy
{
	my ($clients, @request) = @_;
	my $proxy = proxy_start($dir, '--pool', $clients, '--conninfo',
		$issuer->{node}->connstr('postgres') . ' user=wallet_endpoint');
	my @answers = http_at_once($proxy, map { [@request] } 1 .. $clients);
	is(proxy_stop($proxy), 0, 'the proxy stops in order');
	return @answers;
}

subtest "$crowd clients redeem one code at once through the proxy" => sub {
	my $offer = $issuer->offer;
	my @answers = through_proxy($crowd, Issuer::token_request($offer->{code}));
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_grant' => $crowd - 1 },
		'one winner, the others get invalid_grant');
	is(count_of('vci_token', $offer), 1, 'one token exists');
};

for my $level ('repeatable read', 'serializable')
{
	subtest "clients redeem one code at once at $level" => sub {
		my $offer = $issuer->offer;
		$issuer->sql("ALTER ROLE wallet_endpoint SET default_transaction_isolation = '$level'");
		my $tally = tally(through_proxy(20, Issuer::token_request($offer->{code})));
		$issuer->sql('ALTER ROLE wallet_endpoint RESET default_transaction_isolation');
		is(delete $tally->{200}, 1, 'one winner');
		# 503: the proxy gave up trying again
		delete @$tally{ '400 invalid_grant', 503 };
		is_deeply($tally, {}, 'the others are refused, or told to try again');
		is(count_of('vci_token', $offer), 1, 'one token exists');
	};
}

subtest 'an operator keeps an offer locked' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	my ($in, $out) = ("BEGIN; SELECT openid4vci.vci_extend_offer($offer->{offer_id});\n", '');
	my $operator = IPC::Run::start(
		[ 'psql', '-XqAt', '-U', 'registry', '-d', $issuer->{node}->connstr('postgres') ],
		'<', \$in, '>', \$out);
	$operator->pump while $out !~ /\n/;
	my ($answer) = through_proxy(1, Issuer::token_request($offer->{code}, '000000'));
	is($answer->{status}, 503, 'the wallet is not kept waiting for ever');
	like($answer->{headers}{'retry-after'}, qr/^\d+$/, 'and is told to come again');
	my $direct = Issuer::http_statement(Issuer::token_request($offer->{code}, '000000'));
	my (undef, $shown, $errors) = $issuer->{node}->psql('postgres',
		"SET lock_timeout = '7s';\n$direct;\nSHOW lock_timeout;\n", on_error_stop => 0,
		extra_params => [ '-U', 'wallet_endpoint', '-v', 'VERBOSITY=verbose' ]);
	like($errors, qr/ERROR:  55P03/, 'nor is who calls the function');
	is($shown, '7s', 'whose own lock_timeout is as it was');
	$in = "COMMIT;\n";
	$operator->finish;
	is(offer_facts($offer), 'pending|0|f', 'nothing was counted');
	is($issuer->token($offer, '493536')->{status}, 200, 'later the code is good');
	is($issuer->sql_as('wallet_endpoint', 'BEGIN; '
			. Issuer::http_statement('GET', '/') . '; SHOW lock_timeout') =~ /^0$/m, 1,
		'the caller\'s own lock_timeout is left alone');
};

subtest "$crowd wrong transaction codes at once" => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	my @answers = $issuer->requests_at_once(
		map { [ Issuer::token_request($offer->{code}, 100000 + $_) ] } 1 .. $crowd);
	is_deeply(tally(@answers), { '400 invalid_grant' => $crowd }, 'all are refused');
	is(offer_facts($offer), 'pending|5|t', 'exactly five were counted, then the offer was locked');
	is($issuer->token($offer, '493536')->{json}{error}, 'invalid_grant',
		'the right one comes too late');
	$issuer->sql_as('registry', "SELECT openid4vci.vci_reset_tx_code($offer->{offer_id}, '493536')");
	is($issuer->token($offer, '493536')->{status}, 200, 'a reset opens it again');
};

subtest 'a transaction code is guessed among right ones' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	my @codes = ('493536', map { 100000 + $_ } 1 .. 9);
	my @answers =
	  $issuer->requests_at_once(map { [ Issuer::token_request($offer->{code}, $_) ] } @codes);
	my ($right, @wrong) = @answers;
	is_deeply(tally(@wrong), { '400 invalid_grant' => 9 }, 'no wrong one is let in');
	my ($state, $failures) = split /\|/, offer_facts($offer);
	# the right one is let in unless five wrong ones came before it
	is($right->{status} == 200 ? 'redeemed' : 'pending', $state, "the offer is $state");
	cmp_ok($failures, '<=', 5, 'no more than five were counted');
	is($failures, 5, 'the right one was refused only by a locked offer') if $right->{status} != 200;
};

subtest 'what counts as a wrong transaction code' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	is($issuer->token($offer)->{json}{error}, 'invalid_request', 'a missing one is refused');
	is(offer_facts($offer), 'pending|0|f', 'a missing one does not count');
	is($issuer->token($offer, '000000')->{json}{error}, 'invalid_grant', 'a wrong one is refused');
	is(offer_facts($offer), 'pending|1|f', 'a wrong one counts, though the answer is an error');
	is($issuer->token($offer, '493536')->{status}, 200, 'a wrong one does not burn the code');
};

# Rows of vci_offer that a request read, changed or locked in its own transaction.
sub rows_touched
{
	my (@request) = @_;
	my $statement = Issuer::http_statement(@request);
	my $out = $issuer->sql(<<"SQL");
BEGIN;
$statement;
SELECT 'touched ' || seq_scan + coalesce(idx_scan, 0) + n_tup_upd + n_tup_ins
FROM pg_stat_xact_all_tables WHERE relid = 'openid4vci.vci_offer'::regclass;
COMMIT;
SQL
	my ($touched) = $out =~ /^touched (\d+)$/m;
	my ($answer) = $out =~ /^(\{.*\})$/m;
	return ($touched, Issuer::answer($answer)->{json}{error});
}

# A code is kind (1 byte), row id (8), generation (4) and MAC.
sub with_bit_turned
{
	my ($bytes, $at) = @_;
	substr($bytes, $at, 1) ^= "\1";
	return $bytes;
}

subtest 'a guessed code moves no counter and reads no row' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	my $code = $offer->{code};
	my $id = $offer->{offer_id};
	my $row = "SELECT ctid, xmin, xmax FROM openid4vci.vci_offer WHERE id = $id";
	my $before = $issuer->sql($row);
	my $bytes = decode_base64url($code);
	my $token = (new_token())[0];
	my %guesses = (
		'another MAC' => substr($code, 0, -2) . ($code =~ /AA$/ ? 'BB' : 'AA'),
		'another kind' => with_bit_turned($bytes, 0),
		'another id' => with_bit_turned($bytes, 8),
		'another generation' => with_bit_turned($bytes, 12),
		'a token in its place' => $token,
		'a short one' => substr($code, 0, 20),
		'a long one' => $code x 200);
	for my $name (sort keys %guesses)
	{
		my $guess = $guesses{$name};
		$guess = encode_base64url($guess) if $guess =~ /[^A-Za-z0-9_-]/;
		my ($touched, $error) = rows_touched(Issuer::token_request($guess, '000000'));
		is($error, 'invalid_grant', "$name: invalid_grant");
		is($touched, 0, "$name: no row is looked for");
	}
	is($issuer->sql($row), $before, 'the row was neither changed nor locked');
	is(offer_facts($offer), 'pending|0|f', 'nothing was counted');
	my ($touched) = rows_touched(Issuer::token_request($code, '000000'));
	cmp_ok($touched, '>', 0, 'the real code does read the row: the test can see it');
};

subtest 'one c_nonce, two tokens, at once' => sub {
	my $nonce = $issuer->nonce;
	my @tokens = map { (new_token())[0] } 1 .. 2;
	my @wallets = map { Wallet->new($dir) } 1 .. 2;
	my @answers = $issuer->requests_at_once(
		map { [ Issuer::credential_request($tokens[$_], proven_request($wallets[$_], $nonce)) ] }
		  0 .. 1);
	is_deeply(tally(@answers), { 200 => 1, '400 invalid_nonce' => 1 }, 'it is spent once');
	my $loser = $answers[0]{status} == 200 ? 1 : 0;
	is($issuer->credential($tokens[$loser], proven_request($wallets[$loser], $issuer->nonce))->{status},
		200, 'the loser is served with a fresh one');
	my ($token) = new_token();
	my $replayed = $issuer->credential($token, proven_request($wallets[0], $nonce));
	is_deeply(tally($replayed), { '400 invalid_nonce' => 1 }, 'later it is still spent');
	$issuer->sql_as('registry', 'SELECT openid4vci.vci_purge()');
	$replayed = $issuer->credential($token, proven_request($wallets[0], $nonce));
	is_deeply(tally($replayed), { '400 invalid_nonce' => 1 }, 'after a purge, too');
};

subtest 'a refused proof spends nothing' => sub {
	my ($token) = new_token();
	my $wallet = Wallet->new($dir);
	my $nonce = $issuer->nonce;
	my $good = proven_request($wallet, $nonce);
	my $bad = decode_json($good);
	my ($input) = $bad->{proofs}{jwt}[0] =~ /^(.*\.)/;
	my ($signature) = proven_request($wallet, $issuer->nonce) =~ /\.([^."]*)"/;
	$bad->{proofs}{jwt}[0] = $input . $signature;
	is($issuer->credential($token, encode_json($bad))->{json}{error}, 'invalid_proof',
		'a wrong signature is refused');
	is($issuer->credential($token, $good)->{status}, 200, 'its nonce is good for the right one');
};

# What a credential is bound to and when it was issued.
sub essence
{
	my ($answer) = @_;
	my ($jwt) = split /~/, $answer->{json}{credentials}[0]{credential};
	my $payload = decode_json(decode_base64url((split /\./, $jwt)[1]));
	return encode_json([ @$payload{qw(iat exp vct)}, $payload->{cnf}{jwk}{x} ]);
}

sub age_record
{
	my ($offer, $seconds) = @_;
	$issuer->sql("UPDATE openid4vci.vci_credential
		SET issued_at = issued_at - interval '$seconds s' WHERE offer_id = $offer->{offer_id}");
	return;
}

subtest 'a wallet that lost the answer asks again' => sub {
	my ($token, $offer) = new_token();
	my $wallet = Wallet->new($dir);
	my $request = proven_request($wallet, $issuer->nonce);
	my $first = $issuer->credential($token, $request);
	is($first->{status}, 200, 'the first request is answered');
	age_record($offer, 10);
	my $second = $issuer->credential($token, $request);
	is($second->{status}, 200, 'the same bytes within the window are answered again');
	is(essence($second), essence($first), 'with a credential of the same record');
	is(count_of('vci_credential', $offer), 1, 'there is one record');
	my $other = $issuer->credential($token, proven_request($wallet, $issuer->nonce));
	is_deeply(tally($other), { '400 credential_request_denied' => 1 },
		'another proof by the same key is refused');
	$other = $issuer->credential($token, proven_request(Wallet->new($dir), $issuer->nonce));
	is_deeply(tally($other), { '400 credential_request_denied' => 1 },
		'a proof by another key is refused');
	age_record($offer, 60);
	is_deeply(tally($issuer->credential($token, $request)),
		{ '400 credential_request_denied' => 1 }, 'after the window the same bytes are refused');
	is(count_of('vci_credential', $offer), 1, 'there is still one record');
};

subtest 'the retry window is a setting' => sub {
	my ($token, $offer) = new_token('', 'Open');
	my $request = Issuer::credential_body('Open');
	$issuer->sql_as('registry', q(SELECT openid4vci.vci_alter_issuer('{"retry_window": 1}')));
	is($issuer->credential($token, $request)->{status}, 200, 'the first request is answered');
	age_record($offer, 3);
	is_deeply(tally($issuer->credential($token, $request)),
		{ '400 credential_request_denied' => 1 }, 'one second later it is over');
	$issuer->sql_as('registry', q(SELECT openid4vci.vci_alter_issuer('{"retry_window": null}')));
	is($issuer->credential($token, $request)->{status}, 200, 'with the default it is not');
};

subtest 'the same credential request many times at once' => sub {
	my ($token, $offer) = new_token();
	my @request =
	  Issuer::credential_request($token, proven_request(Wallet->new($dir), $issuer->nonce));
	my @answers = $issuer->requests_at_once(map { [@request] } 1 .. 10);
	is_deeply(tally(@answers), { 200 => 10 }, 'each is answered');
	is(count_of('vci_credential', $offer), 1, 'from one record');
};

subtest 'different credential requests under one token at once' => sub {
	my ($token, $offer) = new_token();
	my @requests =
	  map { [ Issuer::credential_request($token, proven_request(Wallet->new($dir), $issuer->nonce)) ] }
	  1 .. 10;
	my @answers = $issuer->requests_at_once(@requests);
	is_deeply(tally(@answers), { 200 => 1, '400 credential_request_denied' => 9 },
		'one wallet key gets the credential');
	is(count_of('vci_credential', $offer), 1, 'there is one record');
};

done_testing();
