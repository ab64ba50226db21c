# The command-line wallet against a sandbox: what it accepts, what it refuses, and its
# exit statuses. A second issuer sits behind a man in the middle that changes answers.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::INET;
use IPC::Run;
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);
use Test::More;

my $top = abs_path("$FindBin::RealBin/../..");
my $wallet = $ENV{OPENID4VCI_WALLET} || "$top/build/openid4vci-wallet";
my $sandbox = $ENV{SANDBOX} || "$top/test/sandbox";
my $work = tempdir(CLEANUP => 1);
my $dir = "$work/sandbox";
my %children;

sub capture
{
	my ($input, @command) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, \$input, \$out, \$err);
	return ($? >> 8, $out, $err, $? & 127);
}

sub sandbox_says
{
	my ($command, @arguments) = @_;
	my ($status, $out, $err) = capture('', $sandbox, $command, '--dir', $dir, @arguments);
	die "$sandbox $command: $err" if $status != 0;
	chomp $out;
	return $out;
}

sub sql_as
{
	my ($role, $statement, %values) = @_;
	my ($status, $out, $err) = capture($statement, $sandbox, 'psql', '--dir', $dir, '-XqAt', '-U',
		$role, '-v', 'ON_ERROR_STOP=1', map { ('-v', "$_=$values{$_}") } sort keys %values);
	die "psql: $err" if $status != 0;
	chomp $out;
	return $out;
}

sub sql
{
	my @arguments = @_;
	return sql_as('registry', @arguments);
}

# A further issuer for the registry, whose duties are given for each issuer.
sub new_issuer
{
	my ($url) = @_;
	sql_as('postgres', q{SELECT openid4vci.vci_create_issuer(url => :'url');
		SELECT openid4vci.vci_grant('registry', duty, :'url')
		FROM unnest(ARRAY['issuer_admin', 'key_admin', 'offerer', 'reporter']) AS duty}, url => $url);
	sql(q{SELECT openid4vci.vci_create_key(issuer => :'url')}, url => $url);
	return;
}

# The wallet's exit status, output and error output; a signal is a failure of its own.
sub redeem
{
	my @arguments = @_;
	my ($status, $out, $err, $signal) = capture('', $wallet, @arguments);
	is($signal, 0, "the wallet is not killed by a signal: @arguments[0 .. $#arguments - 1]")
	  if $signal != 0;
	return ($status, $out, $err);
}

sub refused_with
{
	my ($expected, $pattern, $what, @arguments) = @_;
	my ($status, $out, $err) = redeem(@arguments);
	is($status, $expected, "$what: exit status $expected") or diag($err);
	like($err, $pattern, "$what: it says why");
	is($out, '', "$what: nothing that looks like a credential on standard output");
	return $err;
}

my %sandbox = map { split /=/, $_, 2 } split /\n/, sandbox_says('start');
my $issuer = $sandbox{ISSUER};
my ($issuer_port) = $issuer =~ /:(\d+)$/;

END
{
	my $status = $?;
	kill 'TERM', keys %children;
	capture('', $sandbox, 'stop', '--dir', $dir) if %sandbox;
	$? = $status;
}

# What a person sees.

{
	my ($status, $out, $err) = redeem('--locale', 'en', sandbox_says('offer'));
	is($status, 0, 'an offer by value is redeemed and verified') or diag($err);
	like($out, qr/^Entitlement\n  from OpenSPP Social Registry \(\Q$issuer\E\)$/m,
		'credential and issuer are named as the metadata says');
	like($out, qr/^  Status +approved +always disclosed$/m,
		'a claim has its label, its value, and is marked as always disclosed');
	like($out, qr/^  Beneficiary +Maria Santos +selectively disclosable$/m,
		'a claim that can be withheld is marked so');
	like($out, qr/^    Value +1250\.50 +selectively disclosable$/m,
		'a nested claim stands below its parent, the number as the registry wrote it');
	like($out, qr/^  Holder key +[\w-]{43} \(ES256\), bound$/m, 'the holder key is shown');
	is($err, '', 'the sandbox gives the wallet nothing to remark on');
}
{
	my ($status, $out) = redeem('--locale', 'fr', sandbox_says('offer'));
	like($out, qr/^Droit\n  from Registre social OpenSPP/, 'names come in the language asked for');
}
{
	my $id = sql(q{SELECT offer_id FROM openid4vci.vci_create_offer(ARRAY['EntitlementCredential'],
		claims => jsonb_build_object('entitlementId', E'E\u001b[31m\u202e1',
		                             'entitlementStatus', 'ok'))});
	my $link = sql(q{SELECT openid4vci.vci_offer_uri(:'id', 'reference')}, id => $id);
	my ($status, $out, $err) = redeem('--trace', $link);
	is($status, 0, 'an offer by reference is fetched and redeemed') or diag($err);
	like($out, qr/E\\u\{1b\}\[31m\\u\{202e\}1/,
		'control and bidirectional characters of a claim do not reach the terminal');
	my ($ticket) = $link =~ m{%2F([\w-]+)$};
	ok(defined $ticket && index($err, $ticket) < 0, 'the trace hides the secret in the offer URL');
	like($err, qr{^> GET \Q$issuer\E\S*/\*\*\*\n< 200 application/json}m, 'the trace shows requests');
	like($err, qr/^> POST \S+\/credential .*Bearer \*\*\*$/m, 'the trace masks the token');
}

# A short link: the wallet presses the button of the page that it leads to, as its owner would.

{
	my $id = sql(q{SELECT offer_id FROM openid4vci.vci_create_offer(ARRAY['EntitlementCredential'],
		claims => '{"entitlementId": "E", "entitlementStatus": "ok"}')});
	my $link = sql(q{SELECT openid4vci.vci_offer_uri(:'id', 'page')}, id => $id);
	my ($status, undef, $err) = redeem('--trace', $link);
	is($status, 0, 'a short link is redeemed') or diag($err);
	my ($ticket) = $link =~ m{/o/([\w-]+)$};
	ok(defined $ticket && index($err, $ticket) < 0, 'the trace hides the secret in it');
	is(sql(q{SELECT count(*) FROM openid4vci.vci_event_info WHERE offer_id = :'id' AND kind = 'offer_opened'},
		id => $id), 1, 'it counts as opened');
	refused_with(1, qr/a page without an offer.*what to do: Open it in a browser/s, 'a short link that is used',
		$link);
	refused_with(1, qr/HTTP status 404/, 'a short link that was cut off', substr $link, 0, -1);
}

# Offers with a transaction code.

{
	my $link = sandbox_says('offer', '--tx-code', '493536');
	refused_with(2, qr/asks for a transaction code/, 'a missing transaction code', $link);
	refused_with(2, qr/of 6 characters/, 'a transaction code of another length',
		'--tx-code', '49353', $link);
	refused_with(2, qr/digits only/, 'letters where digits are asked for',
		'--tx-code', 'abcdef', $link);
	my $err = refused_with(1, qr/issuer says: invalid_grant/, 'a wrong transaction code',
		'--tx-code', '493537', $link);
	like($err, qr/what to do: /, 'a refusal says what to do');
	unlike($err, qr/493537/, 'a refusal does not repeat the code');
	my ($status, undef, $said) = redeem('--tx-code', '493536', $link);
	is($status, 0, 'the right code works after a wrong one') or diag($said);
	refused_with(2, qr/no transaction code/, 'a transaction code that nobody asked for',
		'--tx-code', '493536', sandbox_says('offer'));
}

# The advice follows what the issuer says, where several things could be wrong.

{
	my $link = sandbox_says('offer', '--tx-code', '493536');
	refused_with(1, qr/what to do: Look again at the PIN/, "a wrong transaction code, try $_",
		'--tx-code', '000000', $link)
	  for 1 .. 5;
	refused_with(1, qr/what to do: Ask the issuer to reset the PIN/, 'a locked offer',
		'--tx-code', '493536', $link);
	$link = sandbox_says('offer');
	redeem($link);
	refused_with(1, qr/what to do: A link works once/, 'a redeemed offer', $link);
	for my $change ([ 'cancel_offer', qr/Ask the issuer for a new offer/ ],
		[ 'rotate_code', qr/Use the latest link/ ])
	{
		my ($function, $advice) = @$change;
		my $offer = sql(q{SELECT offer_id || '|' || credential_offer_uri
			FROM openid4vci.vci_create_offer('{EntitlementCredential}',
				claims => '{"entitlementId": "1", "entitlementStatus": "ok"}')});
		($offer, $link) = split /\|/, $offer;
		sql("SELECT openid4vci.vci_$function(:'id')", id => $offer);
		refused_with(1, qr/what to do: $advice/, "after vci_$function", $link);
	}
}

# Offers that are over.

{
	my $link = sandbox_says('offer');
	is((redeem($link))[0], 0, 'a fresh offer works');
	refused_with(1, qr/invalid_grant/, 'a redeemed offer', $link);
}
{
	my $link = sandbox_says('offer', '--expires-in', '1');
	my $left = q{SELECT count(*) FROM openid4vci.vci_offer_info WHERE state = 'pending'
		AND expires_at - created_at < interval '1 minute'};
	select undef, undef, undef, 0.1 while sql($left) ne '0';
	refused_with(1, qr/invalid_grant/, 'an expired offer', $link);
}
{
	my $id = sql(q{SELECT offer_id FROM openid4vci.vci_create_offer(ARRAY['EntitlementCredential'],
		claims => '{"entitlementId": "E", "entitlementStatus": "ok"}')});
	my $link = sql(q{SELECT openid4vci.vci_offer_uri(:'id')}, id => $id);
	sql(q{SELECT openid4vci.vci_cancel_offer(:'id')}, id => $id);
	refused_with(1, qr/invalid_grant/, 'a cancelled offer', $link);
}

# What a program sees.

my $json = JSON::PP->new->utf8;

sub redeem_json
{
	my ($status, $out, $err) = redeem('--json', @_);
	my $object = eval { $json->decode($out) };
	ok(ref $object eq 'HASH', '--json prints one JSON object') or diag("$out$err");
	return ($status, $object || {}, $err);
}

for my $type ('ES256', 'ES384', 'EdDSA')
{
	for my $kid ([], ['--kid-did'])
	{
		my $how = @$kid ? 'did:jwk in kid' : 'jwk';
		my ($status, $object, $err) =
		  redeem_json('--key-type', $type, @$kid, sandbox_says('offer'));
		is($status, 0, "a proof by $type with $how is accepted") or diag($err);
		my %curve = (ES256 => 'P-256', ES384 => 'P-384', EdDSA => 'Ed25519');
		is($object->{key}{jwk}{crv}, $curve{$type}, "the key with $how is $curve{$type}");
	}
}
{
	my ($status, $object) = redeem_json(sandbox_says('offer'));
	ok($object->{verified}, 'verified is true');
	is($object->{format}, 'dc+sd-jwt', 'the format is that of the configuration');
	is($object->{header}{typ}, 'dc+sd-jwt', 'the header is there, decoded');
	is($object->{claims}{beneficiaryName}, 'Maria Santos', 'the disclosed claims are there');
	ok(!exists $object->{payload}{beneficiaryName}, 'the signed payload has digests instead');
	is(scalar @{$object->{disclosures}}, 6, 'each disclosure is there');
	is_deeply([sort map { join '.', @$_ } @{$object->{selectively_disclosable}}],
		[qw(amount amount.currency amount.value beneficiaryName cycle programName)],
		'selectively_disclosable lists the pointers of the configuration');
	is_deeply([sort map { join '.', @$_ } @{$object->{always_disclosed}}],
		[qw(entitlementId entitlementStatus)], 'always_disclosed lists the others');
	is($object->{endpoints}{issuer_keys}, "$issuer/.well-known/jwt-vc-issuer",
		'the endpoints that were used are there');
	is($object->{credential} =~ tr/~//, 7, 'the credential itself is there');
	is_deeply($object->{notes}, [], 'no deviation is noted');
}
{
	my ($status, $object) = redeem_json('--authorization-details', sandbox_says('offer'));
	is($status, 0, 'a credential can be asked for by its credential_identifier');
}
{
	my ($status, $object, $err) =
	  redeem_json('--tx-code', '493537', sandbox_says('offer', '--tx-code', '493536'));
	is($status, 1, '--json keeps the exit status of a refusal');
	ok(!$object->{verified} && $object->{exit_status} == 1, '--json tells of the refusal');
	is($object->{error}, 'invalid_grant', '--json has the OAuth error');
	is($object->{http_status}, 400, '--json has the HTTP status');
}

# Older request shapes.

{
	my ($status, $object, $err) = redeem_json('--older', '--trace', sandbox_says('offer'));
	is($status, 0, "--older redeems in the shape of OpenSPP's guide") or diag($err);
	is($object->{header}{typ}, 'vc+sd-jwt', '--older gets the typ that it asked for');
	unlike($err, qr{/nonce}, '--older takes the c_nonce of the token response');
}
for my $shape ([], ['--older'])
{
	my ($status, $object, $err) =
	  redeem_json(@$shape, sandbox_says('offer', '--configuration', 'EntitlementCredentialVc'));
	is($status, 0, "EntitlementCredentialVc is redeemed (@$shape)") or diag($err);
	is($object->{header}{typ}, 'vc+sd-jwt', "EntitlementCredentialVc is vc+sd-jwt (@$shape)");
}

# An issuer that is published as OpenSPP's guide shows it.

{
	my ($status, $object, $err) = redeem_json('--older', sandbox_says('offer', '--issuer', 'guide'));
	is($status, 0, "the guide's issuer is redeemed with --older") or diag($err);
	is_deeply($object->{notes}, [], 'and there is nothing to remark on');
	refused_with(1, qr/^note: \w+ is published in the shape of drafts before 1\.0; --older/m,
		'without --older', sandbox_says('offer', '--issuer', 'guide'));
}

# Offers that this wallet cannot finish say so.

refused_with(2, qr/no pre-authorized code/, 'an offer for a browser alone',
	sandbox_says('offer', '--grant', 'authorization_code'));
refused_with(1, qr/the issuer defers the credential; .*what to do: /s, 'a deferred credential',
	sandbox_says('offer', '--configuration', 'DeferredCredential'));

# Offers with several credentials.

{
	my $create = q{SELECT credential_offer_uri FROM openid4vci.vci_create_offer(
		ARRAY['EntitlementCredential', 'EntitlementCredentialVc'],
		claims => '{"entitlementId": "E", "entitlementStatus": "ok"}')};
	my $link = sql($create);
	refused_with(2, qr/EntitlementCredential, EntitlementCredentialVc/, 'an offer of two', $link);
	refused_with(2, qr/has no Nothing/, 'a configuration that is not offered',
		'--configuration', 'Nothing', $link);
	my ($status, $object) = redeem_json('--configuration', 'EntitlementCredentialVc', $link);
	is($status, 0, '--configuration chooses');
	is($object->{configuration_id}, 'EntitlementCredentialVc', 'the chosen one comes');
	($status, $object) = redeem_json('--authorization-details', '--configuration',
		'EntitlementCredential', sql($create));
	is($status, 0, '--configuration and --authorization-details go together');
}

# Keeping the credential.

{
	my $file = "$work/kept.json";
	my ($status, $object) = redeem_json('--save', $file, sandbox_says('offer'));
	is($status, 0, '--save keeps the credential');
	is(sprintf('%o', (stat $file)[2] & 07777), '600', 'the file is for its owner alone');
	open my $handle, '<', $file or die;
	my $kept = $json->decode(join '', <$handle>);
	is($kept->{credential}, $object->{credential}, 'the file has the credential');
	is($kept->{holder_key}{x}, $object->{key}{jwk}{x}, 'the file has the holder key');
	like($kept->{holder_key}{d}, qr/^[\w-]{43}$/, 'the file has its private half');
	my $link = sandbox_says('offer');
	refused_with(2, qr/exists already/, 'a file that is there', '--save', $file, $link);
	refused_with(5, qr/cannot be created/, 'a folder that is not there',
		'--save', "$work/none/x", $link);
	is((redeem($link))[0], 0, 'neither spends the offer');
	refused_with(1, qr/invalid_grant/, 'an offer that is spent', '--save', "$work/unused", $link);
	my ($full, undef, $said) = capture('', 'sh', '-c', 'exec "$@" >/dev/full', 'sh', $wallet,
		sandbox_says('offer'));
	is($full, 5, 'a credential that cannot be printed is a failure');
	like($said, qr/standard output/, 'and it says so');
	ok(!-e "$work/unused", 'a failed run leaves no file behind');
}

# The command line.

{
	my ($status, $out) = redeem('--help');
	is($status, 0, '--help works');
	my ($told) = $out =~ /^OPTIONS\n(.*?)^\n/ms;
	for my $option (qw(tx-code configuration key-type kid-did older json save insecure trace))
	{
		like($told, qr/^    --$option\b/m, "--help tells of --$option");
	}
	like($out, qr/^EXIT STATUS$/m, '--help tells of the exit statuses');
	is((redeem('--version'))[0], 0, '--version works');
	my ($read, $credential) = capture(sandbox_says('offer') . "\n", $wallet, '-');
	is($read, 0, 'an offer is read from standard input');
	like($credential, qr/Maria Santos/, 'and redeemed');
	refused_with(2, qr/expected one credential offer/, 'no offer', ());
	refused_with(2, qr/unknown option --nonsense\n/, 'an unknown option', '--nonsense=493536', 'x');
	refused_with(2, qr/unknown option -x\n/, 'an unknown short option', '-x', 'x');
	refused_with(2, qr/option --tx-code needs a value/, 'an option without its value', '--tx-code');
	refused_with(2, qr/option --json takes no value/, 'a flag with a value', '--json=yes', 'x');
	refused_with(2, qr/ES256, ES384 or EdDSA/, 'an unknown key type', '--key-type', 'RS256', 'x');
	refused_with(2, qr/no credential offer/, 'a text that is no offer', 'hello');
	refused_with(2, qr/percent-encoded/, 'a broken escape',
		'openid-credential-offer://?credential_offer=%zz');
	refused_with(2, qr/twice/, 'a repeated parameter',
		'openid-credential-offer://?credential_offer=%7B%7D&credential_offer=%7B%7D');
	refused_with(4, qr/both/, 'an offer by value and by reference',
		'openid-credential-offer://?credential_offer=%7B%7D&credential_offer_uri=http%3A%2F%2Fx');
	refused_with(4, qr/no JSON object/, 'an offer that is no JSON',
		'openid-credential-offer://?credential_offer=nothing');
	refused_with(2, qr/plain http/, 'plain http beyond this machine', 'http://registry.example/o');
	refused_with(2, qr/plain http/, 'a host that only looks like this machine',
		'http://127.0.0.1.registry.example/o');
	my $elsewhere = "http://0.0.0.0:$issuer_port/nothing"; # not loopback by name, yet answered here
	refused_with(2, qr/--insecure/, 'plain http without --insecure', $elsewhere);
	refused_with(1, qr/HTTP 404/, 'plain http with --insecure', '--insecure', $elsewhere);
	refused_with(2, qr/--cacert/, 'a certificate file that is not there',
		'--cacert', "$work/none.pem", "https://127.0.0.1:$issuer_port/o");
	refused_with(3, qr/cannot be reached/, 'https where nobody speaks it',
		"https://127.0.0.1:$issuer_port/o");
	refused_with(1, qr/HTTP 404/, 'an offer by reference that does not exist', "$issuer/nothing");
}

# An issuer whose answers somebody changes on the way.

my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', ReuseAddr => 1)
  or die "no socket: $!";
my $middle = 'http://127.0.0.1:' . $listener->sockport;

new_issuer($middle);
sql(q{SELECT openid4vci.vci_create_configuration(id => 'Card', vct => 'urn:test:card',
		always_disclosed => '["number"]', selectively_disclosable => '["name"]',
		claims => '[{"path": ["number"], "mandatory": true}]', issuer => :'url')}, url => $middle);

sub read_message
{
	my ($socket, $until_closed) = @_;
	my $text = '';
	while (sysread $socket, my $more, 65536)
	{
		$text .= $more;
		next if $until_closed || $text !~ /\r\n\r\n/;
		my ($length) = $text =~ /^content-length: *(\d+)/mi;
		last if length($text) - $+[0] >= 0 && length((split /\r\n\r\n/, $text, 2)[1]) >= ($length || 0);
	}
	return $text;
}

sub send_all
{
	my ($socket, $text) = @_;
	while (length $text)
	{
		my $sent = syswrite $socket, $text;
		return if !defined $sent;
		substr $text, 0, $sent, '';
	}
}

# Passes one request on to the proxy and its answer back, changed.
sub relay
{
	my ($client, $change) = @_;
	my $request = read_message($client, 0);
	my ($path) = $request =~ m{^\w+ (\S+) } or return;
	$request =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $issuer_port) or return;
	send_all($server, $request);
	my $answer = read_message($server, 1);
	my ($head, $body) = split /\r\n\r\n/, $answer, 2;
	my $changed = $change->($path, $body, $head);
	return send_all($client, $$changed) if ref $changed;
	$head =~ s/^content-length:.*/'Content-Length: ' . length $changed/mie;
	send_all($client, "$head\r\n\r\n$changed");
}

sub with_middle
{
	my ($change, $use) = @_;
	my $pid = fork;
	die "fork: $!" if !defined $pid;
	if ($pid == 0)
	{
		$SIG{PIPE} = 'IGNORE';
		while (my $client = $listener->accept)
		{
			relay($client, $change);
			close $client;
		}
		require POSIX;
		POSIX::_exit(0);
	}
	$children{$pid} = 1;
	my @result = $use->();
	kill 'TERM', $pid;
	waitpid $pid, 0;
	delete $children{$pid};
	return @result;
}

sub middle_offer
{
	return sql(q{SELECT credential_offer_uri FROM openid4vci.vci_create_offer(ARRAY['Card'],
		claims => '{"number": "1", "name": "Maria"}', issuer => :'url')}, url => $middle);
}

sub tampered
{
	my ($expected, $pattern, $what, $change, @arguments) = @_;
	my $link = middle_offer();
	with_middle($change, sub { refused_with($expected, $pattern, $what, @arguments, $link) });
}

# Changes the credential of a credential response by a function of its compact text.
sub in_credential
{
	my $change = shift;
	return sub {
		my ($path, $body) = @_;
		return $body if $path !~ m{/credential$};
		my $answer = $json->decode($body);
		$_->{credential} = $change->($_->{credential}) for @{$answer->{credentials}};
		return $json->encode($answer);
	};
}

# Another character of the base64url alphabet in that place.
sub flip
{
	my ($text, $at) = @_;
	substr $text, $at, 1, substr($text, $at, 1) eq 'A' ? 'B' : 'A';
	return $text;
}

sub in_json
{
	my ($wanted, $change) = @_;
	return sub {
		my ($path, $body) = @_;
		return $body if $path !~ $wanted;
		my $object = $json->decode($body);
		$change->($object);
		return $json->encode($object);
	};
}

{
	my ($status, undef, $err) = with_middle(sub { $_[1] }, sub { redeem(middle_offer()) });
	is($status, 0, 'behind a man in the middle who changes nothing the credential verifies')
	  or diag($err);
	($status, undef, $err) = with_middle(in_credential(sub { $_[0] }), sub { redeem(middle_offer()) });
	is($status, 0, 'so it does when he only writes the JSON anew') or diag($err);
}
tampered(4, qr/signature/, 'a changed signature',
	in_credential(sub { flip($_[0], index($_[0], '~') - 40) }));
tampered(4, qr/signature|JSON|UTF-8/, 'a changed byte in the signed claims',
	in_credential(sub { flip($_[0], index($_[0], '.') + 30) }));
tampered(4, qr/SD-JWT|digest|disclosure/, 'a changed byte in a disclosure',
	in_credential(sub { flip($_[0], index($_[0], '~') + 4) }));
tampered(4, qr/digest/, 'a disclosure that the issuer did not sign',
	in_credential(sub { $_[0] . encode_base64url('["c2FsdHNhbHRzYWx0c2FsdA","admin",true]') . '~' }));
tampered(4, qr/signature/, 'another claim under the old signature', in_credential(sub {
	my ($head, $payload, $rest) = split /\./, $_[0], 3;
	my $claims = decode_base64url($payload);
	$claims =~ s/"number":"1"/"number":"2"/ or die;
	return join '.', $head, encode_base64url($claims), $rest;
}));
tampered(4, qr/alg/, 'a credential with alg none', in_credential(sub {
	my (undef, $payload, $rest) = split /\./, $_[0], 3;
	$rest =~ s/^[^~]*//;
	return join '.', encode_base64url('{"alg":"none","typ":"dc+sd-jwt"}'), $payload, $rest;
}));
tampered(4, qr/typ/, 'a credential of another type', in_credential(sub {
	my ($head, $rest) = split /\./, $_[0], 2;
	return encode_base64url(decode_base64url($head) =~ s/dc\+sd-jwt/JWT/r) . ".$rest";
}));
tampered(4, qr/credential_issuer is http/, 'metadata of another issuer',
	in_json(qr/openid-credential-issuer/, sub { $_[0]{credential_issuer} = $issuer }));
tampered(4, qr/issuer is http/, 'authorization server metadata of another issuer',
	in_json(qr/oauth-authorization-server/, sub { $_[0]{issuer} = $issuer }));
tampered(4, qr/issuer is http/, 'signing keys that another issuer publishes',
	in_json(qr/jwt-vc-issuer/, sub { $_[0]{issuer} = $issuer }));
tampered(4, qr/publishes 0 keys/, 'a credential whose key is not published',
	in_json(qr/jwt-vc-issuer/, sub { $_[0]{jwks}{keys} = [] }));
tampered(4, qr/vct/, 'a credential of another vct than the metadata says',
	in_json(qr/openid-credential-issuer/,
		sub { $_[0]{credential_configurations_supported}{Card}{vct} = 'urn:test:other' }));
tampered(4, qr/token_type/, 'a token of an unknown type',
	in_json(qr{/token$}, sub { $_[0]{token_type} = 'MAC' }));
tampered(4, qr/access_token/, 'a token that would break out of its header',
	in_json(qr{/token$}, sub { $_[0]{access_token} = "x\r\nX-Evil: 1" }));
tampered(4, qr/member twice/, 'an answer with a repeated member',
	sub { $_[0] =~ m{/nonce$} ? '{"c_nonce":"a","c_nonce":"b"}' : $_[1] });
tampered(3, qr/more than 2097152 bytes/, 'an answer without end',
	sub { $_[0] =~ m{/nonce$} ? '"' . 'x' x (3 << 20) : $_[1] });
tampered(3, qr/another origin/, 'a redirect to another origin',
	sub { $_[0] =~ m{/jwt-vc-issuer$}
		? \"HTTP/1.1 302 Found\r\nLocation: $issuer/\r\nContent-Length: 0\r\n\r\n" : $_[1] });
tampered(3, qr/redirects a POST/, 'a redirect of the token request, even to the same origin',
	sub { $_[0] =~ m{/token$}
		? \"HTTP/1.1 307 Found\r\nLocation: $middle/t\r\nContent-Length: 0\r\n\r\n" : $_[1] });
tampered(3, qr/cannot be reached/, 'an answer that breaks off',
	sub { $_[0] =~ m{/credential$} ? \"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{" : $_[1] });
tampered(1, qr/defers/, 'a deferred credential', sub {
	$_[0] =~ m{/credential$} ? '{"transaction_id": "x", "interval": 5}' : $_[1] });

# What the wallet may go on after.

{
	my $nonces = 0;
	my ($status, undef, $err) = with_middle(
		sub { $_[0] =~ m{/nonce$} && !$nonces++ ? '{"c_nonce":"gone"}' : $_[1] },
		sub { redeem('--trace', middle_offer()) });
	is($status, 0, 'a nonce that ran out is replaced by a new one, once') or diag($err);
	is(() = $err =~ m{> POST \S+/nonce}g, 2, 'the nonce endpoint is asked twice then');
}
tampered(1, qr/invalid_nonce/, 'nonces that are never good',
	sub { $_[0] =~ m{/nonce$} ? '{"c_nonce":"gone"}' : $_[1] });
{
	my ($status, $object, $err) = with_middle(
		in_json(qr/openid-credential-issuer/, sub {
			$_[0]{credential_configurations_supported}{Card}{credential_metadata}{claims} =
			  [{path => ['absent'], mandatory => JSON::PP::true}] }),
		sub { redeem_json(middle_offer()) });
	is($status, 0, 'a mandatory claim that is absent does not stop the wallet');
	like($object->{notes}[0], qr/lacks the claim \["absent"\]/, 'but it is remarked on');
}

# Credentials that their own issuer signed, but that are not for this wallet or not for now.

sql(q{SELECT openid4vci.vci_create_configuration(id => 'Old', vct => 'urn:test:old',
		validity => '1 second', always_disclosed => '["number"]', issuer => :'url');
	SELECT openid4vci.vci_create_configuration(id => 'Loose', vct => 'urn:test:loose',
		binding => 'absent', always_disclosed => '["number"]', issuer => :'url')}, url => $middle);

sub middle_offer_of
{
	return sql(q{SELECT credential_offer_uri FROM openid4vci.vci_create_offer(ARRAY[:'id'],
		claims => '{"number": "1"}', issuer => :'url')}, id => $_[0], url => $middle);
}

{
	my $stranger = '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
	  . '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'; # RFC 7515 appendix A.3
	my $other = sql(q{SELECT openid4vci.vci_issue_sdjwt('Card', '{"number": "1"}', :'key', :'url')},
		key => $stranger, url => $middle);
	tampered(4, qr/another key/, "somebody else's credential", in_credential(sub { $other }));
}
# The credential lives for a second and is held back for longer.
with_middle(sub { sleep 2 if $_[0] =~ m{/credential$}; $_[1] }, sub {
	refused_with(4, qr/expired/, 'a credential whose time is over', middle_offer_of('Old')) });
{
	my $proofs = in_json(qr/openid-credential-issuer/, sub {
		my $loose = $_[0]{credential_configurations_supported}{Loose};
		$loose->{cryptographic_binding_methods_supported} = ['jwk'];
		$loose->{proof_types_supported}{jwt}{proof_signing_alg_values_supported} = ['ES256'] });
	with_middle($proofs, sub {
		refused_with(4, qr/no cnf/, 'an unbound credential where the metadata promises binding',
			middle_offer_of('Loose')) });
}
{
	my ($status, $out, $err) =
	  with_middle(sub { $_[1] }, sub { redeem('--trace', middle_offer_of('Loose')) });
	is($status, 0, 'a configuration without holder binding is redeemed') or diag($err);
	like($out, qr/Holder key +none/, 'the lack of a holder key is told');
	unlike($err, qr{/nonce}, 'no nonce is asked for without a proof');
}

# Issuers of other shapes.

{
	my $tenant = "$middle/tenant/a";
	new_issuer($tenant);
	sql(q{SELECT openid4vci.vci_create_configuration(id => 'Card', vct => 'urn:test:card',
			always_disclosed => '["number"]', issuer => :'url')}, url => $tenant);
	my $link = sql(q{SELECT credential_offer_uri FROM openid4vci.vci_create_offer(ARRAY['Card'],
		claims => '{"number": "1"}', issuer => :'url')}, url => $tenant);
	my ($status, $object, $err) = with_middle(sub { $_[1] }, sub { redeem_json($link) });
	is($status, 0, 'an issuer whose URL has a path is found by the path rule') or diag($err);
	is($object->{endpoints}{issuer_metadata}, "$middle/.well-known/openid-credential-issuer/tenant/a",
		'the well-known segment stands between host and path');
}
{
	sql(q{SELECT openid4vci.vci_alter_issuer('{"iss_did_web": true}', :'url')}, url => $middle);
	my ($status, $object, $err) = with_middle(sub { $_[1] }, sub { redeem_json(middle_offer()) });
	is($status, 0, 'a credential whose iss is the did:web of the issuer verifies') or diag($err);
	like($object->{claims}{iss}, qr/^did:web:127\.0\.0\.1%3A\d+$/, 'iss is that DID');
	like($object->{endpoints}{issuer_keys}, qr{/did\.json$}, 'the key comes from its document');
}

close $listener;
refused_with(3, qr/cannot be reached/, 'an issuer that is not there', middle_offer());

done_testing();
