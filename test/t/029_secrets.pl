# What a stolen dump, base backup, replica or WAL file gives away: every byte of them is searched
# for private keys, data keys, codes, tokens, nonces and transaction codes, as they are and in
# hexadecimal and base64. None is there; the search finds what has to be there.
use strict;
use warnings;

use Digest::SHA qw(sha256);
use File::Find;
use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use MIME::Base64 qw(decode_base64url encode_base64 encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('secrets', allows_streaming => 1, conf => "wal_keep_size = '1GB'\n");
my $node = $issuer->{node};
my $wallet = Wallet->new_quick;
Flow::prepare($issuer);
$node->backup('begin');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'begin', has_streaming => 1);
$standby->start;

my %secret;
my $root_key = slurp_file($issuer->{root_key}) =~ s/\s//gr;
$secret{'root key'} = pack 'H*', $root_key;

sub openssl
{
	my ($input, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'openssl', @arguments ], '<', \$input, '>', \$out, '2>', \$err)
	  or die "openssl @arguments: $err";
	return $out;
}

# A private key: its PKCS #8, and the number alone.
sub private_key
{
	my ($name, $der) = @_;
	my $text = openssl($der, 'pkey', '-inform', 'DER', '-noout', '-text');
	my ($number) = $text =~ /priv:\s*([0-9a-f:\s]+?)\s*pub:/ or die "openssl pkey: $text";
	$number =~ s/[:\s]//g;
	$number =~ s/^00(?=.{64}$)//;
	$secret{"$name, PKCS #8"} = $der;
	$secret{"$name, the number"} = pack 'H*', $number;
	return;
}

# Keys that are known because they are imported.
my %imported = (
	'imported P-256 key' => [ 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256' ],
	'imported Ed25519 key' => ['ED25519']);
for my $name (sort keys %imported)
{
	my $pem = openssl('', 'genpkey', '-algorithm', @{ $imported{$name} });
	private_key($name, openssl($pem, 'pkey', '-outform', 'DER'));
	$issuer->sql_as('registry', 'SELECT openid4vci.vci_import_key(' . Issuer::literal($pem) . ')');
}

# What is sealed under the root key, opened: AES-256-GCM is AES in counter mode from 2 on, and a tag.
sub unsealed
{
	my ($hex) = @_;
	my ($nonce, $text) = (substr($hex, 0, 24), pack 'H*', substr $hex, 24, -32);
	return openssl($text, 'enc', '-d', '-aes-256-ctr', '-nopad', '-K', $root_key, '-iv', "${nonce}00000002");
}

$issuer->sql('SELECT openid4vci.vci_seal_events()');
my @sealed = split /\n/, $issuer->sql(<<'SQL');
SELECT encode(private_key, 'hex') FROM openid4vci.vci_key ORDER BY id
SQL
is(scalar @sealed, 3, 'three signing keys are sealed');
my $made = unsealed($sealed[0]);
private_key('generated P-256 key', $made);
is(unsealed($sealed[1]), $secret{'imported Ed25519 key, PKCS #8'}, 'sealed is the key that was imported');
for my $name (qw(data_key event_key))
{
	my $table = $name eq 'data_key' ? 'vci_issuer' : 'vci_database';
	push @sealed, $issuer->sql("SELECT encode($name, 'hex') FROM openid4vci.$table");
	$secret{$name} = unsealed($sealed[-1]);
	is(length $secret{$name}, 32, "$name is opened");
}
for my $label ('tickets', 'nonces', 'transaction codes')
{
	$secret{"key of $label"} = pack 'H*', openssl('', 'kdf', '-keylen', 32, '-kdfopt', 'digest:SHA256',
		'-kdfopt', 'hexkey:' . unpack('H*', $secret{data_key}), '-kdfopt', "info:openid4vci $label", 'HKDF') =~ s/[:\s]//gr;
}

# What wallets hold, at each step.
my $tx_code = 'Sesame-' . encode_base64url(pack 'N2', int rand 2**32, int rand 2**32);
my %offer = map { $_ => $issuer->offer("subject_id => 'subject-of-$_'") } qw(pending redeemed);
$offer{pin} = $issuer->offer("tx_code => '$tx_code', tx_code_mode => 'text'");
my $flow = Flow->new($issuer, key => $wallet);
my $tokens = $flow->tokens;
my $deferral = $flow->deferral($wallet);
$secret{"code of $_"} = $offer{$_}{code} for keys %offer;
$secret{"link of $_"} = $offer{$_}{credential_offer_uri_by_reference} =~ s/.*%2F//r for keys %offer;
$secret{'transaction code'} = $tx_code;
$secret{'access token'} = $issuer->token($offer{redeemed})->{json}{access_token};
$secret{'bound access token'} = $tokens->{access_token};
$secret{'refresh token'} = $tokens->{refresh_token};
$secret{'c_nonce'} = $issuer->nonce;
$secret{'authorization code'} = $flow->code;
$secret{'login ticket'} = $flow->login_ticket(scope => 'slow');
$secret{'transaction_id'} = $deferral->{transaction};
my $proof = Wallet->new($dir)->proof(aud => $issuer->{url}, nonce => $secret{c_nonce});
my $issued = $issuer->credential($secret{'access token'}, Issuer::credential_body('Card', $proof))->{json};
$secret{'credential'} = (split /~/, $issued->{credentials}[0]{credential})[0];
$secret{'notification_id'} = $issued->{notification_id};
is($issuer->token($offer{pin}, 'wrong')->{status}, 400, 'a wrong transaction code was counted');
is(scalar(grep { !defined || length == 0 } values %secret), 0, 'every secret is known');

# Each secret in the forms that a file could give it: as it is, in hexadecimal, what a ticket
# is the base64url of, and keys in base64.
my %needle;
for my $name (keys %secret)
{
	my $value = $secret{$name};
	my $is_ticket = $value =~ /^[A-Za-z0-9_-]{38,}$/;
	my @forms = map { ($_, unpack 'H*', $_) } $value, $is_ticket ? decode_base64url($value) : ();
	push @forms, encode_base64($value, '') =~ s/=+$//r, encode_base64url($value) if $name =~ /key/;
	$needle{$_} = $name for @forms;
}

# What has to be there, so that the search is known to work.
my $kid = $issuer->sql('SELECT min(kid) FROM openid4vci.vci_key');
my %there = (kid => $kid, subject => 'subject-of-pending', map { ("sealed $_" => $sealed[$_]) } 0 .. $#sealed);

sub search
{
	my ($place, @files) = @_;
	my (%found, %seen);
	my $bytes = 0;
	for my $file (@files)
	{
		my $data = slurp_file($file);
		$bytes += length $data;
		$data =~ s/\0{64,}/\0/g;    # pages and WAL that nothing was written to yet
		for my $needle (keys %needle)
		{
			$found{"$needle{$needle} in $file"}++ if index($data, $needle) >= 0;
		}
		for my $name (keys %there)
		{
			my @forms = $name =~ /^sealed/ ? ($there{$name}, pack 'H*', $there{$name}) : $there{$name};
			$seen{$name}++ if grep { index($data, $_) >= 0 } @forms;
		}
	}
	cmp_ok($bytes, '>', 10000, "$place: $bytes bytes of " . @files . ' files are searched');
	is(join(', ', sort keys %found), '', "$place: no secret is in it");
	is(join(' ', sort keys %seen), join(' ', sort keys %there), "$place: what has to be in it is found");
	return;
}

# All but the databases that nobody ever connects to.
my @templates = split /\n/, $issuer->sql("SELECT oid FROM pg_database WHERE datname LIKE 'template_'");
sub files_below
{
	my ($folder) = @_;
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && -s } }, $folder);
	my $templates = join '|', @templates;
	return grep { !m{/base/($templates)/} } @files;
}

$node->safe_psql('postgres', 'CHECKPOINT');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
$standby->safe_psql('postgres', 'CHECKPOINT');
$node->backup('end');
$node->command_ok([ 'pg_dump', '-U', 'keeper', '-f', "$dir/plain", $node->connstr('postgres') ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-U', 'keeper', '-Fc', '-Z0', '-f', "$dir/custom", $node->connstr('postgres') ],
	'pg_dump --format=custom');
$standby->stop;
$node->stop;

search('a plain dump', "$dir/plain");
search('a custom dump', "$dir/custom");
search('a base backup', files_below($node->backup_dir . '/end'));
search('the server\'s files and all its WAL', files_below($node->data_dir));
search('a replica\'s files', files_below($standby->data_dir));

# And a file that holds one of them is told from those that do not.
append_to_file("$dir/leak", 'x' x 20000 . unpack('H*', $secret{'generated P-256 key, the number'}));
my $hits = grep { index(slurp_file("$dir/leak"), $_) >= 0 } keys %needle;
is($hits, 1, 'a leak would be seen');

done_testing();
