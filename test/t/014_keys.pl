# Signing keys as an operator with openssl has them: imported, certified by an authority, and
# what they sign checked by openssl alone; a private key shows in no log; rotation under load.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64 decode_base64url encode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;

# The log as a server has it by default, which shows statements that err.
my $issuer = Issuer->start('keys', conf => "log_statement = none\nlog_min_error_statement = error\nlog_error_verbosity = verbose");
my $node = $issuer->{node};
my $folder = PostgreSQL::Test::Utils::tempdir();
chdir $folder or die "$folder: $!";

# Runs a command that must succeed; returns what it prints.
sub run
{
	my @command = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err)
	  or die "@command: $err";
	return $out;
}

sub runs
{
	my @command = @_;
	my $out = '';
	return IPC::Run::run(\@command, '<', \undef, '>&', \$out);
}

sub write_file
{
	my ($name, $text) = @_;
	unlink $name;
	append_to_file($name, $text);
	return;
}

my %algorithms = (
	ES256 => [ '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256' ],
	ES384 => [ '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384' ],
	EdDSA => [ '-algorithm', 'ED25519' ]);

sub issue
{
	return $issuer->sql_as('registry', q{SELECT openid4vci.vci_issue_sdjwt('Open', '{"name": "Ann"}')});
}

sub header_of
{
	my ($credential) = @_;
	my ($header) = $credential =~ /^([^.]+)/;
	return decode_json(decode_base64url($header));
}

# ASN.1 of an ECDSA signature (RFC 3279 section 2.2.3), which JOSE has as r and s alone.
sub der_signature
{
	my ($raw) = @_;
	my $half = length($raw) / 2;
	my $numbers = join '', map
	{
		my $number = $_ =~ s/^\0+//r;
		$number = "\0$number" if ord($number) > 127;
		"\x02" . chr(length $number) . $number;
	} substr($raw, 0, $half), substr($raw, $half);
	return "\x30" . chr(length $numbers) . $numbers;
}

# Does openssl verify the credential's signature with the public key in this file?
sub openssl_verifies
{
	my ($credential, $public_key) = @_;
	my ($input, $signature) = $credential =~ /^([^.]+\.[^.]+)\.([^~]+)~/;
	my $alg = header_of($credential)->{alg};
	write_file('input', $input);
	$signature = decode_base64url($signature);
	write_file('signature', $alg eq 'EdDSA' ? $signature : der_signature($signature));
	return runs('openssl', 'pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', $public_key, '-sigfile',
		'signature', '-in', 'input') if $alg eq 'EdDSA';
	return runs('openssl', 'dgst', $alg eq 'ES384' ? '-sha384' : '-sha256', '-verify', $public_key,
		'-signature', 'signature', 'input');
}

# The private JWK of a key in PEM, from its numbers as openssl prints them.
sub jwk_of
{
	my ($file, $alg) = @_;
	my $text = run('openssl', 'pkey', '-in', $file, '-noout', '-text');
	my ($private) = $text =~ /^priv:\n((?:    .*\n)+)/m;
	my ($public) = $text =~ /^pub:\n((?:    .*\n)+)/m;
	my ($d, $point) = map { pack 'H*', s/[\s:]//gr } $private, $public;
	return encode_json({ kty => 'OKP', crv => 'Ed25519', d => encode_base64url($d), x => encode_base64url($point) })
	  if $alg eq 'EdDSA';
	my $field = $alg eq 'ES384' ? 48 : 32;
	return encode_json({ kty => 'EC', crv => $alg eq 'ES384' ? 'P-384' : 'P-256',
		x => encode_base64url(substr $point, 1, $field), y => encode_base64url(substr $point, 1 + $field),
		d => encode_base64url(substr("\0$d", -$field)) });
}

sub import_key
{
	my ($text, @more) = @_;
	my $arguments = join ', ', Issuer::literal($text), @more;
	return $issuer->sql_as('registry', "SELECT openid4vci.vci_import_key($arguments)");
}

# Imported keys, in both forms: what they sign verifies with the public key that openssl has.
for my $alg (sort keys %algorithms)
{
	for my $form ('PEM', 'JWK')
	{
		my $file = "$alg.$form.key";
		run('openssl', 'genpkey', @{ $algorithms{$alg} }, '-out', $file);
		run('openssl', 'pkey', '-in', $file, '-pubout', '-out', "$file.pub");
		my $kid = import_key($form eq 'PEM' ? slurp_file($file) : jwk_of($file, $alg));
		my $credential = issue();
		is(header_of($credential)->{kid}, $kid, "$alg: a key imported as $form signs");
		ok(openssl_verifies($credential, "$file.pub"), "$alg: openssl verifies what it signed");
	}
	ok(!openssl_verifies(issue(), "$alg.PEM.key.pub"), "$alg: and not with another key");
}

# An authority: a root, which verifiers trust, and below it the one that signs for issuers.
write_file('ca.cnf', <<'CNF');
[req]
distinguished_name = dn
[dn]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
CNF

sub certify
{
	my ($request, $by, $extensions, $days, $out) = @_;
	run('openssl', 'x509', '-req', '-in', $request, '-CA', "$by.pem", '-CAkey', "$by.key", '-days', $days,
		'-extfile', 'ca.cnf', '-extensions', $extensions, '-copy_extensions', 'copy', '-out', $out);
	return slurp_file($out);
}
for my $name ('root', 'other')
{
	run('openssl', 'req', '-config', 'ca.cnf', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
		'-nodes', '-keyout', "$name.key", '-subj', "/CN=$name", '-extensions', 'authority', '-days', '3650',
		'-out', "$name.pem");
}
run('openssl', 'req', '-config', 'ca.cnf', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384',
	'-nodes', '-keyout', 'middle.key', '-subj', '/O=Ministry/CN=middle', '-out', 'middle.csr');
my $middle = certify('middle.csr', 'root', 'authority', 1000, 'middle.pem');
my $root = slurp_file('root.pem');

# The certificates of a credential's header, written to files; the number of them.
sub header_certificates
{
	my ($credential) = @_;
	my @chain = @{ header_of($credential)->{x5c} // [] };
	for my $i (0 .. $#chain)
	{
		write_file("x5c.$i.pem", "-----BEGIN CERTIFICATE-----\n" . encode_base64(decode_base64($chain[$i]))
			  . "-----END CERTIFICATE-----\n");
	}
	return scalar @chain;
}

for my $alg (sort keys %algorithms)
{
	my $kid = $issuer->sql_as('registry', "SELECT openid4vci.vci_create_key(alg => '$alg')");
	write_file('key.csr', $issuer->sql_as('registry', "SELECT openid4vci.vci_key_csr('$kid', '/C=XX/O=Ministry')") . "\n");
	ok(runs('openssl', 'req', '-in', 'key.csr', '-noout', '-verify'), "$alg: openssl accepts the signing request");
	my $text = run('openssl', 'req', '-in', 'key.csr', '-noout', '-text', '-subject', '-nameopt', 'RFC2253');
	like($text, qr/subject=O=Ministry,C=XX/, "$alg: with the subject that was asked for");
	like($text, qr/DNS:issuer\.example, URI:https:\/\/issuer\.example/, "$alg: it names the issuer");
	my $leaf = certify('key.csr', 'middle', 'signer', 365, 'leaf.pem');
	my $chain = Issuer::literal($leaf . $middle . $root);
	$issuer->sql_as('registry', "SELECT openid4vci.vci_set_key_certificates('$kid', $chain)");

	my $credential = issue();
	is(header_certificates($credential), 2, "$alg: the header carries the chain without its anchor");
	isnt(slurp_file('x5c.1.pem'), $root, "$alg: the last one is not the root");
	ok(runs('openssl', 'verify', '-x509_strict', '-CAfile', 'root.pem', '-untrusted', 'x5c.1.pem', 'x5c.0.pem'),
		"$alg: openssl verifies it up to the root")
	  or diag(`openssl verify -x509_strict -CAfile root.pem -untrusted x5c.1.pem x5c.0.pem 2>&1`);
	ok(!runs('openssl', 'verify', '-CAfile', 'other.pem', '-untrusted', 'x5c.1.pem', 'x5c.0.pem'),
		"$alg: and not up to another");
	write_file('leaf.pub', run('openssl', 'x509', '-in', 'x5c.0.pem', '-noout', '-pubkey'));
	ok(openssl_verifies($credential, 'leaf.pub'), "$alg: the certificate's key verifies the credential");
}

# Through the credential endpoint, too.
{
	my $offer = $issuer->offer(undef, 'Open');
	my $token = $issuer->token($offer)->{json}{access_token};
	my $answer = $issuer->credential($token, Issuer::credential_body('Open'));
	is(header_certificates($answer->{json}{credentials}[0]{credential}), 2, 'a wallet gets them with its credential');
}

# Certificates that end soon are told while there is time to have new ones made.
{
	my $kid = header_of(issue())->{kid};
	my $health = q{SELECT ok || ' ' || detail FROM openid4vci.vci_health() WHERE "check" = 'certificates'};
	like($issuer->sql($health), qr/^true .*good for 36\d days/, 'vci_health: a year is long enough');
	my $leaf = certify('key.csr', 'middle', 'signer', 29, 'leaf.pem');
	$issuer->sql_as('registry', "SELECT openid4vci.vci_set_key_certificates('$kid', @{[ Issuer::literal($leaf . $middle) ]})");
	like($issuer->sql($health), qr/^false .*ends in 2[89] days: 1 of 1; SELECT openid4vci\.vci_key_csr/,
		'29 days are not, and the row says what to do');
}

# Other certificates than those that fit are refused, and the key keeps what it has.
{
	my $kid = header_of(issue())->{kid};
	my $before = $issuer->sql("SELECT x5c FROM openid4vci.vci_key WHERE kid = '$kid'");
	my $foreign = certify('middle.csr', 'root', 'signer', 100, 'foreign.pem');
	for my $case ([ $foreign . $root, 'another key' ], [ $root, 'excludes signatures' ],
		[ slurp_file('leaf.pem') . slurp_file('other.pem'), 'signed by the next one' ])
	{
		my ($pem, $expected) = @$case;
		like($issuer->error_of('registry',
				"SELECT openid4vci.vci_set_key_certificates('$kid', @{[ Issuer::literal($pem) ]})"),
			qr/22023:.*$expected.*HINT:/s, "refused: $expected");
	}
	is($issuer->sql("SELECT x5c FROM openid4vci.vci_key WHERE kid = '$kid'"), $before, 'the chain stays as it was');
}

# A private key that is pasted into a statement: neither log nor pg_stat_activity shows it.
{
	my $pem = slurp_file('ES256.PEM.key');
	my ($secret) = $pem =~ /KEY-----\n\S+(\S{16})\n/ or die 'no PEM'; # the number, behind what all keys have
	my $broken = $pem =~ s/\n(\S)(\S)/\n$2$1/r;
	my $control = 'SELECT openid4vci.vci_retire_key($$control-statement$$)';
	like($issuer->error_of('registry', $control), qr/42704/, 'the control errs');
	like($issuer->error_of('registry', 'SELECT openid4vci.vci_import_key(' . Issuer::literal($broken) . ')'),
		qr/22023: *private_key: expected an unencrypted private key/, 'a broken key is refused');
	like($issuer->error_of('registry', 'SELECT openid4vci.vci_import_key(' . Issuer::literal($pem) . ')'),
		qr/42710:.*has this key already/, 'and one that is here already');
	my $log = slurp_file($node->logfile);
	like($log, qr/STATEMENT:.*control-statement/, 'the log shows statements that err');
	like($log, qr/has this key already/, 'these errors are in it');
	unlike($log, qr/\Q$secret\E/, 'the private key is not');

	run('openssl', 'genpkey', @{ $algorithms{ES256} }, '-out', 'watched.key');
	is($issuer->sql_as('registry', <<"SQL"), 'SELECT openid4vci.vci_import_key(...)', 'nor does pg_stat_activity');
CREATE TEMP TABLE seen (query text);
DO \$\$ BEGIN
	PERFORM openid4vci.vci_import_key(@{[ Issuer::literal(slurp_file('watched.key')) ]});
	INSERT INTO seen SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid();
END \$\$;
SELECT query FROM seen;
SQL
}

# As 0.1.0 declared it: the new library serves the old declaration.
$issuer->sql("CREATE FUNCTION public.create_key(text, text) RETURNS text LANGUAGE c
	AS '\$libdir/openid4vci', 'vci_create_key'");
is($issuer->sql('SELECT state FROM openid4vci.vci_key WHERE kid = public.create_key(NULL, \'ES256\')'), '',
	'(its own statement does not see the row yet)');
is($issuer->sql('SELECT state FROM openid4vci.vci_key ORDER BY created_at DESC LIMIT 1'), 'active',
	'vci_create_key of 0.1.0 still makes active keys');

# Rotation under load: whatever is issued meanwhile is signed by a key that is published then,
# and verifies.
{
	$issuer->sql(<<'SQL');
CREATE TABLE public.issued (credential text, published boolean, valid boolean);
GRANT INSERT ON public.issued TO registry;
CREATE FUNCTION public.issue_and_look() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	credential text := openid4vci.vci_issue_sdjwt('Open', '{"name": "Ann"}');
	header jsonb := convert_from(decode(rpad(translate(split_part(credential, '.', 1), '-_', '+/'),
		(length(split_part(credential, '.', 1)) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb;
BEGIN
	INSERT INTO public.issued VALUES (credential, EXISTS (
			SELECT FROM openid4vci.vci_key_info AS k WHERE k.kid = header ->> 'kid' AND state <> 'next'
				AND COALESCE(published_until > clock_timestamp(), true)),
		(openid4vci.vci_verify_sdjwt(credential) ->> 'valid')::boolean);
END $$;
SELECT openid4vci.vci_set_key_certificates(kid, NULL) FROM openid4vci.vci_key_info;
SQL
	my $issue = 'DO $$ BEGIN FOR i IN 1 .. 60 LOOP PERFORM public.issue_and_look(); COMMIT; END LOOP; END $$';
	my $rotate = q{DO $$ BEGIN FOR i IN 1 .. 12 LOOP PERFORM openid4vci.vci_rotate_key(overlap => '0'); COMMIT;
		PERFORM pg_sleep(0.02); END LOOP; END $$};
	my @outputs = $issuer->at_once_as('registry', ($issue) x 4, ($rotate) x 2);
	is(join('', @outputs), '', 'rotations and issuance at once: no error');
	is($issuer->sql('SELECT count(*), bool_and(published), bool_and(valid) FROM public.issued'), '240|t|t',
		'each credential was signed by a published key and verified');
	is($issuer->sql('SELECT bool_and((openid4vci.vci_verify_sdjwt(credential) ->> \'valid\')::boolean) FROM public.issued'),
		't', 'and verifies still, after its key was retired');
	cmp_ok($issuer->sql("SELECT count(DISTINCT split_part(credential, '.', 1)) FROM public.issued"), '>', 1,
		'more than one key signed');
	is($issuer->sql("SELECT count(*) FROM openid4vci.vci_key WHERE state = 'active'"), 1, 'one key is active at the end');
}

# Without the root key: what needs it says what to type; what does not goes on.
{
	my ($kid) = header_of(issue())->{kid};
	my $next = $issuer->sql_as('registry', 'SELECT openid4vci.vci_create_key(state => \'next\')');
	rename $issuer->{root_key}, "$issuer->{root_key}.away" or die "rename: $!";
	my $new = Issuer::literal(run('openssl', 'genpkey', @{ $algorithms{ES256} }));
	for my $call ('vci_create_key()', "vci_create_key(state => 'next')", "vci_import_key($new)",
		"vci_key_csr('$kid')", "vci_rotate_key(alg => 'EdDSA')")
	{
		like($issuer->error_of('registry', "SELECT openid4vci.$call"),
			qr/55000: *there is no usable root key.*HINT:.*openssl rand -hex 32/s,
			($call =~ /(\w+)/)[0] . ' without root key: the hint shows what to type');
	}
	is($issuer->error_of('registry', "SELECT openid4vci.$_"), '', ($_ =~ /(\w+)/)[0] . ' needs no root key')
	  for "vci_rotate_key(overlap => '0')", "vci_destroy_key('$kid')", "vci_set_key_certificates('$next', NULL)";
	rename "$issuer->{root_key}.away", $issuer->{root_key} or die "rename: $!";
	is(header_of(issue())->{kid}, $next, 'and with it the key that was activated meanwhile signs');
}

chdir '/' or die "chdir: $!";
$node->stop;
done_testing();
