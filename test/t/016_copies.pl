# Copies of a database as operators make them: a restored dump, a template's copy, a base
# backup, a promoted standby. Which of them issue, and that an older state issues nothing
# twice once vci_after_restore has run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('original', allows_streaming => 1);
my $node = $issuer->{node};
my $wallet = Wallet->new_quick;
Flow::prepare($issuer);

# Another database of a server, asked as the first one is.
sub in_database
{
	my ($from, $database) = @_;
	my $class = 'Issuer::Elsewhere';
	return bless { %$from, database => $database }, $class;
}
{
	package Issuer::Elsewhere;
	our @ISA = ('Issuer');

	sub sql_as
	{
		my ($self, $role, $statement) = @_;
		return $self->{node}->safe_psql($self->{database}, $statement, extra_params => [ '-U', $role ]);
	}
	sub sql
	{
		my ($self, $statement) = @_;
		return $self->{node}->safe_psql($self->{database}, $statement);
	}
}

my $health = q{SELECT ok FROM openid4vci.vci_health() WHERE "check" = 'database'};

sub is_paused
{
	my ($copy, $what) = @_;
	my $answer = $copy->token($copy->offer('', 'Open'));
	is($answer->{status}, 503, "$what redeems nothing");
	like($answer->{json}{error_description}, qr/^this database is a copy/, "$what: the answer says why");
	like($answer->{headers}{'retry-after'}, qr/^\d+$/, "$what: and when to ask again");
	is($copy->sql($health), 'f', "$what: vci_health says so");
	return;
}

sub issues
{
	my ($copy, $what) = @_;
	my $token = $copy->token($copy->offer('', 'Open'))->{json}{access_token};
	is($copy->credential($token, Issuer::credential_body('Open'))->{status}, 200, "$what issues");
	is($copy->sql($health), 't', "$what: vci_health has no complaint");
	return;
}

subtest 'a database made from a template' => sub {
	$issuer->sql_as('registry', 'SELECT openid4vci.vci_create_nonce()');
	my $nonce = $issuer->nonce;
	$node->safe_psql('template1', 'CREATE DATABASE twin TEMPLATE postgres');
	my $twin = in_database($issuer, 'twin');
	is_paused($twin, 'the copy');
	issues($issuer, 'the original');
	is($twin->sql('SELECT epoch FROM openid4vci.vci_epoch'),
		$issuer->sql('SELECT epoch FROM openid4vci.vci_epoch'), 'its epoch was copied');
	is($twin->sql_as('registry', 'SELECT openid4vci.vci_adopt_database()'), 't', 'it is adopted');
	issues($twin, 'adopted, it');
	my $card = $twin->token($twin->offer)->{json}{access_token};
	my $proof = $wallet->proof(aud => $issuer->{url}, nonce => $nonce);
	is($twin->credential($card, Issuer::credential_body('Card', $proof))->{json}{error}, 'invalid_nonce',
		'a c_nonce of the original is no good there');
	issues($issuer, 'the original all the same');
	$node->safe_psql('template1', 'DROP DATABASE twin');
};

subtest 'a renamed database is the same' => sub {
	$node->safe_psql('template1', 'ALTER DATABASE postgres RENAME TO renamed');
	issues(in_database($issuer, 'renamed'), 'renamed, it');
	$node->safe_psql('template1', 'ALTER DATABASE renamed RENAME TO postgres');
};

subtest 'a base backup and a promoted standby have the same identity' => sub {
	$node->backup('copy');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	my $replica = bless { %$issuer, node => $standby }, 'Issuer';
	is($replica->sql($health), 't', 'a standby is no copy');
	$standby->promote;
	issues($replica, 'promoted, it');
	$standby->stop;
};

# The state at the cut, kept in a dump.
my $flow = Flow->new($issuer, key => $wallet);
my %offer = (
	pending => $issuer->offer('', 'Open'),
	lost => $issuer->offer('', 'Open'),
	redeemed => $issuer->offer('', 'Open'),
	untouched => $issuer->offer('', 'Open'));
my %token = (redeemed => $issuer->token($offer{redeemed})->{json}{access_token});
my $tokens = $flow->tokens;
my $deferral = $flow->deferral($wallet);
$flow->complete($deferral);
my $login = $flow->login_ticket(scope => 'slow');
my $dump = "$dir/dump.sql";
my $cut = $issuer->sql('SELECT clock_timestamp()');
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'the dump');

# What wallets do afterwards, and the restored state does not know.
my $open = Issuer::credential_body('Open');
$token{pending} = $issuer->token($offer{pending})->{json}{access_token};
is($issuer->credential($token{$_}, $open)->{status}, 200, "$_: issued after the cut") for qw(pending redeemed);
# a link that was replaced after the cut, and redeemed
my ($replaced) = $issuer->sql_as('registry', "SELECT openid4vci.vci_rotate_code($offer{lost}{offer_id})")
  =~ /pre-authorized_code%22%3A%22([\w-]+)/;
is($issuer->token($replaced)->{status}, 200, 'lost: redeemed by a link made after the cut');
my @refresh = $flow->refresh_request($tokens->{refresh_token});
is($flow->send(@refresh)->{status}, 200, 'a refresh token was used');
is($flow->fetch($deferral)->{status}, 200, 'what was deferred was fetched');
$node->stop;

my $number = 0;
sub restored
{
	my $copy = Issuer->start_server('restored' . ++$number, root_key => $issuer->{root_key});
	$copy->create_roles;
	IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $copy->{node}->connstr('postgres'),
		'-f', $dump ], '>', \my $out, '2>', \my $err);
	is("$?$err", '0', 'it restores');
	$copy->{url} = $issuer->{url};
	return $copy;
}

subtest 'the danger: without vci_after_restore the same offer issues twice' => sub {
	my $copy = restored();
	is_paused($copy, 'a restored dump');
	is($copy->sql_as('registry', 'SELECT openid4vci.vci_adopt_database()'), 't', 'adopted, and that was all');
	my $again = $copy->token($offer{pending});
	is($again->{status}, 200, 'a used code redeems again');
	is($copy->credential($again->{json}{access_token}, $open)->{status}, 200, 'and its offer issues a second time');
	is($copy->credential($token{redeemed}, $open)->{status}, 200, 'as does a token that was used');
	$copy->{node}->stop;
};

# Both orders; the first leaves no moment in between.
my %orders = (
	'before adopting' => [ "vci_after_restore('$cut')", 'vci_adopt_database()' ],
	'after adopting' => [ 'vci_adopt_database()', "vci_after_restore('$cut')" ]);
for my $order (sort keys %orders)
{
	subtest "vci_after_restore $order" => sub {
		my $copy = restored();
		my %said = map { $_ => $copy->sql_as('registry', "SELECT * FROM openid4vci.$_") } @{ $orders{$order} };
		is($said{'vci_adopt_database()'}, 't', 'adopted');
		# redeemed, with tokens: the one above, the flow's two, and three that issued before
		is($said{"vci_after_restore('$cut')"}, '3|6', 'it tells how many offers it withdrew');
		for my $name (qw(pending lost untouched))
		{
			is($copy->token($offer{$name})->{json}{error}, 'invalid_grant', "$name: the old code is dead");
		}
		is($copy->token($replaced)->{json}{error}, 'invalid_grant', 'a code made in the lost time is dead');
		is($copy->credential($token{$_}, $open)->{json}{error}, 'invalid_token', "$_: the old token is dead")
		  for qw(pending redeemed);
		my $wallet_flow = Flow->new($copy, key => $wallet);
		is($copy->http(@refresh)->{json}{error}, 'invalid_dpop_proof',
			'a DPoP proof of the lost time is refused, though no copy remembers it');
		is($wallet_flow->send($wallet_flow->refresh_request($tokens->{refresh_token}))->{json}{error},
			'invalid_grant', 'the refresh token is dead');
		is($wallet_flow->fetch($deferral)->{json}{error}, 'invalid_token', 'a deferral goes with its offer');
		like($copy->error_of('registry', "SELECT openid4vci.vci_authorization_request('$login')"),
			qr/^.*ERROR/, 'a login under way has to begin anew');

		my $uri = $copy->sql_as('registry', "SELECT openid4vci.vci_offer_uri($offer{untouched}{offer_id})");
		isnt($uri, $offer{untouched}{credential_offer_uri}, 'a pending offer has a new link');
		my ($code) = $uri =~ /pre-authorized_code%22%3A%22([\w-]+)/;
		my $anew = $copy->token($code);
		is($anew->{status}, 200, 'which works');
		is($copy->credential($anew->{json}{access_token}, $open)->{status}, 200, 'and issues');
		like($copy->sql_as('registry', "SELECT openid4vci.vci_reopen_offer($offer{redeemed}{offer_id})"),
			qr/^openid-credential-offer:/, 'a redeemed offer can be opened again');
		issues($copy, 'the restored database');
		is($copy->sql(q{SELECT string_agg(kind, ' ' ORDER BY kind) FROM openid4vci.vci_event_info
			WHERE kind LIKE 'database_%' AND actor = 'registry'}), 'database_adopted database_restored',
			'events tell of both');
		$copy->{node}->stop;
	};
}

subtest 'tokens of an external server' => sub {
	my $copy = restored();
	my $key = Wallet->new_quick;
	my $jwks = JSON::PP::encode_json({ keys => [ { %{ $key->{jwk} }, kid => 'k' } ] });
	my $external = sub {
		my ($jti, $age) = @_;
		return $key->sign({ alg => 'ES256', typ => 'at+jwt', kid => 'k' },
			{ iss => 'https://login.example', aud => 'cards', jti => $jti, sub => '4711', scope => 'member',
				iat => time - $age, exp => time + 3600 });
	};
	$copy->sql_as('registry', <<"SQL");
SELECT openid4vci.vci_adopt_database();
SELECT openid4vci.vci_create_authorization_server('https://login.example', '{cards}', '$jwks');
SQL
	$copy->sql(<<'SQL');
CREATE SCHEMA registry AUTHORIZATION registry;
SET ROLE registry;
CREATE FUNCTION registry.claims(model text, id text) RETURNS jsonb LANGUAGE sql AS
	'SELECT jsonb_build_object(''person'', id)';
SELECT openid4vci.vci_create_configuration('Member', 'https://issuer.example/Member',
	binding => 'absent', scope => 'member', claims_source => 'registry.claims');
SQL
	my $body = Issuer::credential_body('Member');
	my $old = $copy->credential($external->('old', 3500), $body);
	is($old->{status}, 401, 'made before the restore, and not known here: it may have been used');
	like($old->{json}{error_description}, qr/before the issuer's database was restored/, 'the answer says so');
	is($copy->credential($external->('new', -1), $body)->{status}, 200, 'a new one issues');
	$copy->{node}->stop;
};

done_testing();
