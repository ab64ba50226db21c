# Records what a version of the extension leaves in a database: an issuer with keys, offers,
# tokens and flows under way goes to $ENV{RECORD_DIR} as dump.sql, what its wallets and
# people hold as held.json, its root key as root.key. test/t/lib/Recorded.pm reads them.
#
# It runs in the tree of that version, which brings its own test/t/lib:
#
#   make installcheck REGRESS= ISOLATION= PROVE_TESTS=test/upgrade/record.pl RECORD_DIR=...
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";
use File::Copy qw(copy);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use Wallet;

my $dir = $ENV{RECORD_DIR} or die "set RECORD_DIR to the folder to write to\n";
my $issuer = Issuer->start_server('recorded');
my $key = Wallet->new_quick;
$issuer->install;
$issuer->create_issuer('https://issuer.example');
Flow::prepare($issuer);
$issuer->sql('CREATE ROLE clerk LOGIN; CREATE SCHEMA registry AUTHORIZATION registry');
$issuer->sql("SELECT openid4vci.vci_grant('clerk', 'issuer_admin', 'https://issuer.example')");
$issuer->sql_as('registry', <<"SQL");
CREATE FUNCTION registry.claims(model text, id text) RETURNS jsonb LANGUAGE sql AS
	'SELECT jsonb_build_object(''person'', id)';
SELECT openid4vci.vci_create_configuration('Lasting', 'https://issuer.example/Lasting',
	validity => '100 years', options => '{"older": ["singular_proof"]}');
SELECT openid4vci.vci_create_configuration('Endless', 'https://issuer.example/Endless',
	validity => NULL);
SELECT openid4vci.vci_create_configuration('Member', 'https://issuer.example/Member',
	binding => 'absent', scope => 'member', claims_source => 'registry.claims');
SELECT openid4vci.vci_create_authorization_server('https://login.example', '{cards}',
	'@{[ encode_json({ keys => [ { %{ $key->{jwk} }, kid => 'k' } ] }) ]}');
SQL

sub proven_request
{
	my ($configuration) = @_;
	return Issuer::credential_body($configuration,
		$key->proof(aud => $issuer->{url}, nonce => $issuer->nonce));
}

my %held;
my %offers = (
	pending => $issuer->offer("reference => 'ENT-1', labels => '{\"campaign\": \"2026-11\"}'"),
	pin => $issuer->offer("tx_code => '49353627'"),
	redeemed => $issuer->offer,
	issued => $issuer->offer(undef, 'Lasting'),
	cancelled => $issuer->offer,
	expired => $issuer->offer("expires_in => '1 hour'"));
for my $name (keys %offers)
{
	$held{offers}{$name} = { map { $_ => $offers{$name}{$_} } qw(offer_id code credential_offer_uri) };
}
$held{tokens}{$_} = $issuer->token($offers{$_})->{json}{access_token} for qw(redeemed issued);
$held{nonce} = $issuer->nonce;

$held{issued_request} = proven_request('Lasting');
my $answer = $issuer->credential($held{tokens}{issued}, $held{issued_request});
is($answer->{status}, 200, 'a credential is issued') or diag($answer->{body});
$held{credential} = $answer->{json}{credentials}[0]{credential};
$issuer->sql_as('registry', "SELECT openid4vci.vci_cancel_offer($offers{cancelled}{offer_id})");
$issuer->sql("UPDATE openid4vci.vci_offer SET expires_at = now() - interval '1 day'
	WHERE id = $offers{expired}{offer_id}");
$held{offers}{expired}{expired} = JSON::PP::true;

# the key that signed goes, another signs from now on
$held{retired_kid} = $issuer->sql_as('registry', 'SELECT kid FROM openid4vci.vci_key_info');
$issuer->sql_as('registry', "SELECT openid4vci.vci_create_key(alg => 'EdDSA')");
$issuer->sql_as('registry', "SELECT openid4vci.vci_retire_key('$held{retired_kid}')");
$held{signing_kid} =
  $issuer->sql_as('registry', "SELECT kid FROM openid4vci.vci_key_info WHERE state = 'active'");

my $flow = Flow->new($issuer, key => $key);
$held{flow} = {
	pushed => $flow->send($flow->push_request(scope => 'slow'))->{json}{request_uri},
	opened => $flow->login_ticket(scope => 'slow'),
	approved => $flow->code,
	tokens => $flow->tokens,
	map { $_ => $flow->deferral($key) } qw(waiting ready) };
$flow->complete($held{flow}{ready});

sub write_file
{
	my ($name, $content) = @_;
	open my $file, '>', "$dir/$name" or die "$dir/$name: $!";
	print $file $content;
	close $file or die "$dir/$name: $!";
	return;
}

write_file('held.json', JSON::PP->new->canonical->pretty->encode(\%held));
copy($issuer->{root_key}, "$dir/root.key") or die "$dir/root.key: $!";
my ($dump, $err) = ('', '');
IPC::Run::run([ 'pg_dump', '-U', 'keeper', '-d', $issuer->{node}->connstr('postgres') ],
	'>', \$dump, '2>', \$err);
is($?, 0, 'the database is dumped') or diag($err);
write_file('dump.sql', $dump =~ s/^(--.*?) +$/$1/mgr);
done_testing();
