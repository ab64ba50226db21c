# The sandbox keeps the promises that demo, tests and benchmarks rely on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;

my $sandbox = $ENV{SANDBOX} // "$FindBin::Bin/../sandbox";
my $wallet = $ENV{OPENID4VCI_WALLET} // "$FindBin::Bin/../../build/openid4vci-wallet";
my $work = PostgreSQL::Test::Utils::tempdir;
my @running;

# Exit status, output and error output of test/sandbox.
sub sandbox
{
	my @arguments = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $sandbox, @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub says
{
	my @arguments = @_;
	my ($status, $out, $err) = sandbox(@arguments);
	is($status, 0, "sandbox $arguments[0] succeeds") or diag($err);
	return split /\n/, $out;
}

# A test that dies leaves no sandbox behind.
END
{
	my $status = $?;
	sandbox('stop', '--dir', $_) for @running;
	$? = $status;
}

sub start
{
	my ($dir, @options) = @_;
	my %assigned = map { split /=/, $_, 2 } says('start', '--dir', $dir, @options);
	push @running, $dir;
	return \%assigned;
}

sub offer_of
{
	my ($link) = @_;
	my ($json) = $link =~ /^openid-credential-offer:\/\/\?credential_offer=(\S+)$/;
	return decode_json(($json // '{}') =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger);
}

sub redeems
{
	my @arguments = @_;
	IPC::Run::run([ $wallet, '--json', @arguments ], '<', \undef, '>', \my $out, '2>', \my $err);
	return $? == 0;
}

sub is_running
{
	my ($pid) = @_;
	return defined readlink "/proc/$pid/exe";
}

my $one = start("$work/one");

subtest 'start' => sub {
	is_deeply([ sort keys %$one ],
		[qw(BIN GUIDE_ISSUER ISSUER PGDATABASE PGHOST PGPORT PGUSER POSTMASTER_PID PROXY_PID SANDBOX_DIR)],
		'it prints what the contract names');
	like($one->{ISSUER}, qr{^http://127\.0\.0\.1:\d+$}, 'the issuer is on this machine alone');
	my ($port) = $one->{ISSUER} =~ /(\d+)$/;
	is(http_request($port, 'GET', '/readyz')->{status}, 200, 'it is ready');
	my $metadata = decode_json(
		http_request($port, 'GET', '/.well-known/openid-credential-issuer')->{body});
	is($metadata->{credential_issuer}, $one->{ISSUER}, 'the metadata is the demo issuer\'s');
	my %formats = map { $_ => $metadata->{credential_configurations_supported}{$_}{format} }
	  keys %{ $metadata->{credential_configurations_supported} };
	is_deeply(\%formats,
		{
			EntitlementCredential => 'dc+sd-jwt',
			EntitlementCredentialVc => 'vc+sd-jwt',
			DeferredCredential => 'dc+sd-jwt'
		},
		'it has three configurations');
	is($one->{GUIDE_ISSUER}, "$one->{ISSUER}/guide", 'a second issuer sits at a path of the first');
	$metadata = decode_json(
		http_request($port, 'GET', '/.well-known/openid-credential-issuer/guide')->{body});
	is($metadata->{credential_issuer}, $one->{GUIDE_ISSUER}, 'and has metadata of its own');
	ok(is_running($one->{$_}), "$_ runs") for qw(POSTMASTER_PID PROXY_PID);
	my ($status, $out, $err) = sandbox('start', '--dir', "$work/one");
	isnt($status, 0, 'a second start of the same folder stops');
	like($err, qr/runs in \Q$work\E\/one already/, 'and says why');
	ok(is_running($one->{PROXY_PID}), 'the first one runs on');
};

subtest 'psql' => sub {
	my @psql = ('psql', '--dir', "$work/one", '-XqAtc');
	is_deeply([ says(@psql, 'SHOW listen_addresses') ], [], 'the server listens on no network');
	my $superuser = 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user';
	is_deeply([ says(@psql, $superuser) ], ['t'], 'it is the superuser');
	is_deeply([ says(@psql, $superuser, '-U', 'registry') ], ['f'],
		'or the registry, which is none');
	is_deeply([ says(@psql, 'SELECT pg_backend_pid() > 0') ], ['t'], 'a server answers');
	my ($postmaster) = says(@psql, q(SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)));
	is($postmaster, $one->{POSTMASTER_PID}, 'it is the sandbox\'s own');
};

subtest 'offer' => sub {
	my ($link) = says('offer', '--dir', "$work/one");
	my $offer = offer_of($link);
	is($offer->{credential_issuer}, $one->{ISSUER}, 'a link by value');
	is_deeply($offer->{credential_configuration_ids}, ['EntitlementCredential'], 'of the default');
	ok(redeems($link), 'a wallet redeems it');
	ok(!redeems($link), 'once');

	my @links = says('offer', 3, '--dir', "$work/one", '--configuration', 'EntitlementCredentialVc');
	my %codes = map { offer_of($_)->{grants}{$Issuer::grant}{'pre-authorized_code'} => 1 } @links;
	is(scalar keys %codes, 3, 'three offers are three codes');
	is_deeply(offer_of($links[2])->{credential_configuration_ids}, ['EntitlementCredentialVc'],
		'of the configuration that was named');

	($link) = says('offer', '--dir', "$work/one", '--tx-code', '493536');
	is_deeply(offer_of($link)->{grants}{$Issuer::grant}{tx_code},
		{ input_mode => 'numeric', length => 6 }, 'with a transaction code');
	ok(!redeems('--tx-code', '000000', $link), 'a wrong one is refused');
	ok(redeems('--tx-code', '493536', $link), 'the right one is good');

	says('offer', '--dir', "$work/one", '--expires-in', '600');
	my ($lifetime) = says('psql', '--dir', "$work/one", '-XqAtc', 'SELECT round(extract(epoch
		FROM expires_at - created_at)) FROM openid4vci.vci_offer ORDER BY id DESC LIMIT 1');
	cmp_ok(abs($lifetime - 600), '<=', 1, 'with a lifetime in seconds');

	($link) = says('offer', '--dir', "$work/one", '--grant', 'authorization_code');
	is_deeply([ keys %{ offer_of($link)->{grants} } ], ['authorization_code'],
		'with another grant than the pre-authorized code');
	($link) = says('offer', '--dir', "$work/one", '--grant', 'authorization_code', '--grant',
		'pre-authorized_code');
	is_deeply([ sort keys %{ offer_of($link)->{grants} } ], [ 'authorization_code', $Issuer::grant ],
		'with both');
	($link) = says('offer', '--dir', "$work/one", '--issuer', 'guide');
	$offer = offer_of($link);
	is($offer->{credential_issuer}, $one->{GUIDE_ISSUER}, 'of the second issuer');
	ok(redeems('--older', $link), "which a wallet redeems in the shape of OpenSPP's guide");

	($link) = says('offer', '--dir', "$work/one", '--configuration', 'DeferredCredential');
	my ($status, $out, $err) = sandbox('wallet', '--dir', "$work/one", $link);
	like($err, qr/defers the credential/, 'of a credential that is deferred');
	my ($waiting) = says('psql', '--dir', "$work/one", '-U', 'registry', '-XqAtc',
		q{SELECT count(*) FROM openid4vci.vci_deferred_info WHERE state = 'waiting'});
	is($waiting, 1, 'and waits for the registry');
};

# What a wallet asks for in a browser; each value is encoded already.
sub authorization_url
{
	my ($issuer, %more) = @_;
	my %query = (
		response_type => 'code',
		client_id => 'wallet.example',
		redirect_uri => 'https://wallet.example/callback',
		scope => 'EntitlementCredential',
		state => 'abc-123',
		%more);
	return "$issuer/api/v1/openid4vci/authorize?" . join '&', map { "$_=$query{$_}" } sort keys %query;
}

subtest 'approve' => sub {
	for my $issuer ('ISSUER', 'GUIDE_ISSUER')
	{
		my ($url) = says('approve', '--dir', "$work/one", authorization_url($one->{$issuer}));
		like($url, qr{^https://wallet\.example/callback\?}, "$issuer: the browser goes back to the wallet");
		like($url, qr/[?&]code=[\w-]+/, "$issuer: with a code");
		like($url, qr/[?&]state=abc-123(&|$)/, "$issuer: and the wallet's state");
	}
	my ($link) = says('offer', '--dir', "$work/one", '--grant', 'authorization_code');
	my $state = offer_of($link)->{grants}{authorization_code}{issuer_state};
	my ($url) = says('approve', '--dir', "$work/one",
		authorization_url($one->{ISSUER}, issuer_state => $state));
	like($url, qr/[?&]code=[\w-]+/, 'an offer is approved for its own subject');

	my ($status, $out, $err) = sandbox('approve', '--dir', "$work/one",
		authorization_url($one->{ISSUER}, client_id => 'stranger'));
	is($status, 1, 'an unknown client: exit status');
	like($err, qr/does not take this authorization request \(HTTP 400\)/, 'an unknown client: told');
	($status, $out, $err) = sandbox('approve', '--dir', "$work/one",
		authorization_url($one->{ISSUER}, scope => 'Nothing'));
	is($status, 1, 'an error that the wallet hears: exit status');
	like($err, qr{sent back to https://wallet\.example/callback\?.*invalid_scope}, 'and is shown');
	($status, $out, $err) = sandbox('approve', '--dir', "$work/one", 'https://elsewhere.example/');
	like($err, qr/takes an authorization request's URL of \Q$one->{ISSUER}\E/, 'another server\'s URL');
};

subtest 'side by side' => sub {
	my $two = start("$work/two");
	isnt($two->{$_}, $one->{$_}, "$_ differs") for qw(ISSUER PGHOST POSTMASTER_PID PROXY_PID);
	my ($link) = says('offer', '--dir', "$work/two");
	is(offer_of($link)->{credential_issuer}, $two->{ISSUER}, 'an offer of the second');
	my ($status, $out, $err) = sandbox('start', '--dir', "$work/three", '--port',
		$two->{ISSUER} =~ s/.*://r);
	isnt($status, 0, 'a port that is taken is refused');
	like($err, qr/port \d+ is in use/, 'and the message says so');
	ok(!-e "$work/three/cluster", 'nothing is left of it');
	says('stop', '--dir', "$work/two");
	ok(!is_running($two->{$_}), "$_ has ended") for qw(POSTMASTER_PID PROXY_PID);
	ok(is_running($one->{$_}), "$_ of the first runs on") for qw(POSTMASTER_PID PROXY_PID);
};

subtest 'wrong use' => sub {
	my %wrong = (
		'no command' => [ [], 2 ],
		'unknown command' => [ ['restart'], 2 ],
		'unknown option' => [ [ 'start', '--fast' ], 2 ],
		'no offers' => [ [ 'offer', '0', '--dir', "$work/one" ], 1 ],
		'no seconds' => [ [ 'offer', '--expires-in', 'soon', '--dir', "$work/one" ], 1 ],
		'no grant' => [ [ 'offer', '--grant', 'implicit', '--dir', "$work/one" ], 1 ],
		'no URL' => [ [ 'approve', '--dir', "$work/one" ], 2 ],
		'no such configuration' => [ [ 'offer', '--configuration', 'None', '--dir', "$work/one" ], 3 ],
		'no such sandbox' => [ [ 'offer', '--dir', "$work/none" ], 1 ]);
	for my $name (sort keys %wrong)
	{
		my ($arguments, $expected) = @{ $wrong{$name} };
		my ($status, $out, $err) = sandbox(@$arguments);
		is($status, $expected, "$name: exit status");
		is($out, '', "$name: nothing on standard output");
		isnt($err, '', "$name: a message");
	}
};

subtest 'stop' => sub {
	says('stop', '--dir', "$work/one");
	ok(!is_running($one->{$_}), "$_ has ended") for qw(POSTMASTER_PID PROXY_PID);
	ok(!-e "$work/one", 'its folder is gone');
	my ($status, $out, $err) = sandbox('stop', '--dir', "$work/one");
	isnt($status, 0, 'there is nothing left to stop');
	like($err, qr/no sandbox runs in/, 'and the message says so');
};
@running = ();

done_testing();
