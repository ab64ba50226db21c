# A holder's key and the proofs that it signs, by the openssl command.
#
#   my $wallet = Wallet->new($dir);
#   my $jwt = $wallet->proof(aud => $issuer_url, nonce => $c_nonce);
package Wallet;

use strict;
use warnings;

use IPC::Run;
use JSON::PP;
use MIME::Base64 qw(encode_base64url);

my $json = JSON::PP->new->canonical;
my $count = 0;

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

sub did
{
	my ($self) = @_;
	return 'did:jwk:' . encode_base64url($json->encode($self->{jwk}));
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
	my $der = openssl($input, 'dgst', '-sha256', '-sign', $self->{file}, '-binary');
	return "$input." . encode_base64url(raw_signature($der));
}

# An OpenID4VCI 1.0 proof (appendix F.1) with these claims; iat is now unless given.
sub proof
{
	my ($self, %claims) = @_;
	my %header = (alg => 'ES256', typ => 'openid4vci-proof+jwt', jwk => $self->{jwk});
	return $self->sign(\%header, { iat => time, %claims });
}

1;
