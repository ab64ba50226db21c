# A holder's key and the proofs that it signs, by the openssl command.
#
#   my $wallet = Wallet->new($dir);
#   my $jwt = $wallet->proof(aud => $issuer_url, nonce => $c_nonce);
#   my $dpop = $wallet->dpop("$issuer_url/token");
package Wallet;

use strict;
use warnings;

use Digest::SHA qw(sha256 sha256_hex);
use IPC::Run;
use JSON::PP;
use Math::BigInt;
use MIME::Base64 qw(encode_base64url);

my $json = JSON::PP->new->canonical;
my $count = 0;
my $proof_count = 0;

sub openssl
{
	my ($input, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'openssl', @arguments ], '<', \$input, '>', \$out, '2>', \$err)
	  or die "openssl @arguments: $err";
	return $out;
}

# A new P-256 key, kept in a file of the folder.
sub new
{
	my ($class, $dir) = @_;
	my $file = "$dir/holder" . ++$count . '.pem';
	openssl('', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', $file);
	# SubjectPublicKeyInfo ends with the uncompressed point: 04, x, y
	my $point = substr openssl('', 'ec', '-in', $file, '-pubout', '-outform', 'DER'), -64;
	my %jwk = (
		kty => 'EC',
		crv => 'P-256',
		x => encode_base64url(substr $point, 0, 32),
		y => encode_base64url(substr $point, 32));
	return bless { file => $file, jwk => \%jwk }, $class;
}

# One that needs no process for a signature, for tests that need thousands. Its key, k and r
# are those of RFC 6979 appendix A.2.5 (message "sample", SHA-256): with one k for all
# signatures s = (digest + r * d) / k is a multiplication. Such a k gives the key away.
my %quick = (
	r => 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716',
	d => 'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
	inverse_of_k => 'aaf7a4c4d10293a89370e2cc3e88ca623e38b5814d37eb5e96ffdea769cfe547',
	order => 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
$_ = Math::BigInt->from_hex($_) for values %quick;

sub new_quick
{
	my ($class) = @_;
	my %jwk = (
		kty => 'EC',
		crv => 'P-256',
		x => 'YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y',
		y => 'eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk');
	return bless { jwk => \%jwk }, $class;
}

sub quick_signature
{
	my ($input) = @_;
	my $s = Math::BigInt->from_hex(sha256_hex($input));
	$s->badd($quick{r} * $quick{d})->bmul($quick{inverse_of_k})->bmod($quick{order});
	return join '', map { pack 'H*', substr(('0' x 64) . substr($_->as_hex, 2), -64) } $quick{r}, $s;
}

sub did
{
	my ($self) = @_;
	return 'did:jwk:' . encode_base64url($json->encode($self->{jwk}));
}

# RFC 7638: the members that are required, in their order.
sub thumbprint
{
	my ($self) = @_;
	return encode_base64url(sha256($json->encode($self->{jwk})));
}

# ECDSA-Sig-Value (RFC 3279) to r and s side by side (RFC 7518 section 3.4).
sub raw_signature
{
	my ($der) = @_;
	my ($r, $s) = unpack 'x2 x C/a x C/a', $der;
	return join '', map { substr(("\0" x 32) . $_, -32) } $r, $s;
}

sub sign
{
	my ($self, $header, $payload) = @_;
	my $input = join '.', map { encode_base64url($json->encode($_)) } $header, $payload;
	my $signature =
	  $self->{file}
	  ? raw_signature(openssl($input, 'dgst', '-sha256', '-sign', $self->{file}, '-binary'))
	  : quick_signature($input);
	return "$input." . encode_base64url($signature);
}

# An OpenID4VCI 1.0 proof (appendix F.1) with these claims; iat is now unless given.
sub proof
{
	my ($self, %claims) = @_;
	my %header = (alg => 'ES256', typ => 'openid4vci-proof+jwt', jwk => $self->{jwk});
	return $self->sign(\%header, { iat => time, %claims });
}

# A DPoP proof (RFC 9449 section 4.2) for a POST to this URL; with an access token for a
# request under it.
sub dpop
{
	my ($self, $url, $token) = @_;
	my %header = (alg => 'ES256', typ => 'dpop+jwt', jwk => $self->{jwk});
	my %claims = (jti => "proof $$ " . ++$proof_count, htm => 'POST', htu => $url, iat => time);
	$claims{ath} = encode_base64url(sha256($token)) if defined $token;
	return $self->sign(\%header, \%claims);
}

1;
