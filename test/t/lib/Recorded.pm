# A database that another version of the extension or of PostgreSQL left (test/upgrade/
# record.pl wrote it down), restored into a private server, and what must go on there.
package Recorded;

use strict;
use warnings;

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use Wallet;

# $dir holds dump.sql, held.json and root.key.
sub new
{
	my ($class, $dir) = @_;
	return bless { dir => $dir, held => decode_json(slurp_file("$dir/held.json")),
		key => Wallet->new_quick }, $class;
}

sub root_key
{
	my ($self) = @_;
	return "$self->{dir}/root.key";
}

# Runs the dump, edited or not, by psql: its status and what it said.
sub run_dump
{
	my ($self, $issuer, $dump, @options) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-Xq', @options, '-d', $issuer->{node}->connstr('postgres') ],
		'<', \$dump, '>', \$out, '2>', \$err);
	$issuer->{url} = 'https://issuer.example';
	$self->{issuer} = $issuer;
	return ($?, $err);
}

# Restores into the server's database; with a version, into objects of that version.
sub restore
{
	my ($self, $issuer, $version) = @_;
	my $dump = slurp_file("$self->{dir}/dump.sql");
	$dump =~ s/^(CREATE EXTENSION [^;]*openid4vci[^;]*)/$1 VERSION '$version'/m if defined $version;
	my ($status, $said) = $self->run_dump($issuer, $dump, '-v', 'ON_ERROR_STOP=1');
	is($status, 0, 'the recorded database is restored') or diag($said);
	return;
}

# The same as far as it goes: the errors.
sub restore_with_errors
{
	my ($self, $issuer) = @_;
	my ($status, $said) = $self->run_dump($issuer, slurp_file("$self->{dir}/dump.sql"));
	return grep { /ERROR|FATAL/ } split /\n/, $said;
}

# What was good when it was recorded is good now, however long ago that was.
sub renew
{
	my ($self) = @_;
	my $soon = "clock_timestamp() + interval '1 day'";
	$self->{issuer}->sql(<<"SQL");
UPDATE openid4vci.vci_offer SET expires_at = $soon, ends_at = $soon
	WHERE id <> $self->{held}{offers}{expired}{offer_id};
UPDATE openid4vci.vci_token SET expires_at = $soon;
UPDATE openid4vci.vci_refresh_token SET expires_at = $soon;
UPDATE openid4vci.vci_deferred SET expires_at = $soon;
UPDATE openid4vci.vci_authorization SET expires_at = $soon,
	code_expires_at = CASE WHEN code_expires_at IS NOT NULL THEN $soon END;
SQL
	return;
}

sub card_request
{
	my ($self) = @_;
	my $issuer = $self->{issuer};
	return Issuer::credential_body('Card',
		$self->{key}->proof(aud => $issuer->{url}, nonce => $issuer->nonce));
}

# The token's first use gives a Card of these claims.
sub issues
{
	my ($self, $what, $token) = @_;
	my $issuer = $self->{issuer};
	my $answer = $issuer->credential($token, $self->card_request);
	is($answer->{status}, 200, "$what: issued") or diag($answer->{body});
	my $credential = $answer->{json}{credentials}[0]{credential} // '';
	my $verdict = $self->verdict($credential);
	ok($verdict->{valid}, "$what: verifies") or diag($verdict->{error_description});
	is($verdict->{claims}{name}, 'Ann', "$what: with its claims");
	is($verdict->{header}{kid}, $self->{held}{signing_kid}, "$what: signed by the active key");
	return;
}

sub verdict
{
	my ($self, $credential) = @_;
	return decode_json($self->{issuer}->sql_as('registry',
		'SELECT openid4vci.vci_verify_sdjwt(' . Issuer::literal($credential) . ')'));
}

sub offers_are_redeemed
{
	my ($self) = @_;
	my ($issuer, $offers) = ($self->{issuer}, $self->{held}{offers});
	for my $name (qw(pending pin))
	{
		my $answer = $issuer->token($offers->{$name}, $name eq 'pin' ? '49353627' : undef);
		is($answer->{status}, 200, "the offer $name is redeemed") or diag($answer->{body});
		$self->issues("the offer $name", $answer->{json}{access_token});
	}
	for my $name (qw(redeemed issued cancelled expired))
	{
		is($issuer->token($offers->{$name})->{json}{error}, 'invalid_grant', "the offer $name is not");
	}
	is($issuer->sql_as('registry', "SELECT openid4vci.vci_offer_uri(offer_id) FROM
			openid4vci.vci_create_offer('{Card}', claims => '{\"name\": \"Ann\"}', reference => 'ENT-1')"),
		$offers->{pending}{credential_offer_uri}, 'its reference still names the very same link');
	return;
}

sub tokens_are_good
{
	my ($self) = @_;
	my ($issuer, $held) = @{$self}{qw(issuer held)};
	$self->issues('the token', $held->{tokens}{redeemed});
	is($issuer->credential($held->{tokens}{issued}, $self->card_request =~ s/Card/Lasting/r)->{json}{error},
		'credential_request_denied', 'what was issued is not issued twice');
	my $verdict = $self->verdict($held->{credential});
	ok($verdict->{valid}, 'what was issued verifies') or diag($verdict->{error_description});
	is($verdict->{header}{kid}, $held->{retired_kid}, 'by a key that is retired');
	return;
}

sub flows_go_on
{
	my ($self) = @_;
	my ($issuer, $at) = ($self->{issuer}, $self->{held}{flow});
	my $flow = Flow->new($issuer, key => $self->{key});
	is($flow->send($flow->open_request($at->{pushed}))->{status}, 303, 'a pushed request opens');
	for my $code ($flow->approve($at->{opened}, 8, { name => 'Ben' }), $at->{approved})
	{
		is($flow->send($flow->code_request($code))->{status}, 200, 'an authorization code is good');
		is($flow->send($flow->code_request($code))->{json}{error}, 'invalid_grant', 'once');
	}
	is($flow->send($flow->refresh_request($at->{tokens}{refresh_token}))->{status}, 200,
		'a refresh token is good');
	is($flow->fetch($at->{waiting})->{status}, 202, 'who waited waits on');
	$flow->complete($at->{waiting});
	for my $step (qw(waiting ready))
	{
		is($flow->fetch($at->{$step})->{status}, 200, "what was $step is fetched");
	}
	return;
}

sub duties_hold
{
	my ($self) = @_;
	my $issuer = $self->{issuer};
	cmp_ok($issuer->offer->{offer_id}, '>', $self->{held}{offers}{expired}{offer_id},
		'an offerer makes new offers');
	like($issuer->sql_as('registry', 'SELECT openid4vci.vci_create_key()'), qr/^[\w-]{43}$/,
		'who made keys makes keys');
	is($issuer->sql_as('clerk', "SELECT openid4vci.vci_alter_issuer('{\"batch_size\": 2}')"), '',
		'who administers one issuer administers it');
	for my $role (qw(wallet_endpoint keeper))
	{
		like($issuer->error_of($role, 'SELECT openid4vci.vci_create_key()'), qr/42501: permission denied/,
			"$role may no more than before");
	}
	return;
}

sub events_are_there
{
	my ($self) = @_;
	my $issuer = $self->{issuer};
	my $kinds = 'SELECT DISTINCT kind FROM openid4vci.vci_events(0) ORDER BY 1';
	my %found = map { $_ => 1 } split /\n/, $issuer->sql_as('registry', $kinds);
	ok($found{$_}, "an event $_ of before is there")
	  for qw(offer_created offer_redeemed credential_issued offer_cancelled);
	return;
}

# All of it; each consumes what was recorded, so only once.
sub goes_on
{
	my ($self) = @_;
	$self->renew;
	subtest 'offers of before' => sub { $self->offers_are_redeemed };
	subtest 'tokens and credentials of before' => sub { $self->tokens_are_good };
	subtest 'flows of before' => sub { $self->flows_go_on };
	subtest 'duties of before' => sub { $self->duties_hold };
	subtest 'events of before' => sub { $self->events_are_there };
	return;
}

1;
