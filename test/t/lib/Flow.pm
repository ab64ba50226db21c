# A wallet on the ways that begin at its own client: authorization code, refresh token,
# deferred credential, notification. Requests are built here and sent by the test.
#
#   my $flow = Flow->new($issuer, key => Wallet->new($dir), send => sub { http_answer(...) });
#   my $token = $flow->send($flow->code_request($flow->code))->{json}{access_token};
package Flow;

use strict;
use warnings;

use JSON::PP;

use Issuer;

my $base = '/api/v1/openid4vci';
my $json = JSON::PP->new->canonical;

our $callback = 'https://wallet.example/callback';
# RFC 7636 appendix B
our $verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
our $challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

# What these ways need of an issuer. Slow is issued when the registry says so. A slow machine
# must outlast no lifetime.
sub prepare
{
	my ($issuer) = @_;
	$issuer->sql_as('registry', <<'SQL');
SELECT openid4vci.vci_alter_issuer('{"login_url": "https://portal.example/login",
	"refresh_token_lifetime": 86400, "retry_window": 3600, "dpop_proof_max_age": 3600,
	"authorization_code_lifetime": 600, "authorization_request_rate": 1000000}');
SELECT openid4vci.vci_create_client('wallet', '{https://wallet.example/callback}');
SELECT openid4vci.vci_create_configuration('Slow', 'https://issuer.example/Slow', scope => 'slow',
	options => '{"deferred": true}');
SQL
	return;
}

# Options: key, a Wallet whose DPoP proofs go with each request (none: bearer tokens); send,
# which takes a request and gives its answer (vci_http in SQL unless it is given).
sub new
{
	my ($class, $issuer, %options) = @_;
	$options{send} //= sub { $issuer->http(@_) };
	return bless { issuer => $issuer, %options }, $class;
}

sub send
{
	my ($self, @request) = @_;
	return $self->{send}->(@request);
}

sub url
{
	my ($self, $leaf) = @_;
	return "$self->{issuer}{url}$base/$leaf";
}

sub proof_header
{
	my ($self, $leaf, $token) = @_;
	return () if !$self->{key};
	return ('DPoP', $self->{key}->dpop($self->url($leaf), $token));
}

sub escape
{
	my ($text) = @_;
	return $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger;
}

sub form_request
{
	my ($self, $leaf, %form) = @_;
	my @headers = ('Content-Type', 'application/x-www-form-urlencoded', $self->proof_header($leaf));
	my $body = join '&', map { "$_=" . escape($form{$_}) } sort keys %form;
	return ('POST', "$base/$leaf", \@headers, $body);
}

sub json_request
{
	my ($self, $leaf, $token, %body) = @_;
	my $scheme = $self->{key} ? 'DPoP' : 'Bearer';
	my @headers = ('Content-Type', 'application/json', 'Authorization', "$scheme $token",
		$self->proof_header($leaf, $token));
	return ('POST', "$base/$leaf", \@headers, $json->encode(\%body));
}

sub authorization_parameters
{
	my (%more) = @_;
	return (response_type => 'code', client_id => 'wallet', redirect_uri => $callback,
		code_challenge => $challenge, code_challenge_method => 'S256', state => 'of the wallet', %more);
}

# $more: scope, or issuer_state of an offer.
sub push_request
{
	my ($self, %more) = @_;
	return $self->form_request('par', authorization_parameters(%more));
}

# The browser opens a pushed request.
sub open_request
{
	my ($self, $request_uri) = @_;
	return ('GET', "$base/authorize?client_id=wallet&request_uri=" . escape($request_uri), [], '');
}

# Pushes and opens a request: what the login page gets.
sub login_ticket
{
	my ($self, %more) = @_;
	my $pushed = $self->send($self->push_request(%more));
	my $opened = $self->send($self->open_request($pushed->{json}{request_uri}));
	my ($ticket) = ($opened->{headers}{location} // '') =~ /[?]request=([\w-]+)$/
	  or die "no login: $pushed->{status} $pushed->{body}, $opened->{status} $opened->{body}";
	return $ticket;
}

sub approval_statement
{
	my ($ticket, $subject, $claims) = @_;
	my $brought = defined $claims ? Issuer::literal($json->encode($claims)) : 'NULL';
	return "SELECT openid4vci.vci_authorize_approve('$ticket', 'person', '$subject', $brought)";
}

sub code_in
{
	my ($url) = @_;
	my ($code) = $url =~ /[?&]code=([\w-]+)/;
	return $code;
}

# The person logs in and approves: the code that the wallet gets.
sub approve
{
	my ($self, $ticket, $subject, $claims) = @_;
	return code_in($self->{issuer}->sql_as('registry', approval_statement($ticket, $subject, $claims)));
}

# An offer to person 7 that is redeemed by an authorization code.
sub offer
{
	my ($self, $configuration) = @_;
	return $self->{issuer}->offer(
		"subject_model => 'person', subject_id => '7', grants => '{authorization_code}'", $configuration);
}

# All the way to a code; a new offer unless one is given.
sub code
{
	my ($self, $offer) = @_;
	$offer //= $self->offer;
	my $state = $offer->{credential_offer}{grants}{authorization_code}{issuer_state};
	return $self->approve($self->login_ticket(issuer_state => $state), 7);
}

sub code_parameters
{
	my ($code, %more) = @_;
	return (grant_type => 'authorization_code', code => $code, client_id => 'wallet',
		redirect_uri => $callback, code_verifier => $verifier, %more);
}

sub code_request
{
	my ($self, $code, %more) = @_;
	return $self->form_request('token', code_parameters($code, %more));
}

sub refresh_request
{
	my ($self, $token) = @_;
	return $self->form_request('token', grant_type => 'refresh_token', refresh_token => $token,
		client_id => 'wallet');
}

# The response of the token endpoint to a new code.
sub tokens
{
	my ($self, $offer) = @_;
	my $answer = $self->send($self->code_request($self->code($offer)));
	die "no token: $answer->{body}" if $answer->{status} != 200;
	return $answer->{json};
}

# A request for a credential that is bound to a holder's key.
sub credential_request
{
	my ($self, $token, $configuration, $holder) = @_;
	my $proof = $holder->proof(aud => $self->{issuer}{url}, nonce => $self->{issuer}->nonce);
	return $self->json_request('credential', $token,
		credential_configuration_id => $configuration, proofs => { jwt => [$proof] });
}

sub deferred_request
{
	my ($self, $token, $transaction_id) = @_;
	return $self->json_request('deferred_credential', $token, transaction_id => $transaction_id);
}

# A deferred credential that waits, of an offer of its own: token, transaction, and the ids.
sub deferral
{
	my ($self, $holder) = @_;
	my $issuer = $self->{issuer};
	my $token = $self->tokens($self->offer('Slow'))->{access_token};
	my $asked = $self->send($self->credential_request($token, 'Slow', $holder));
	# by time, since each session draws ids ahead
	my $ids = $issuer->sql(
		'SELECT id, offer_id FROM openid4vci.vci_deferred ORDER BY created_at DESC LIMIT 1');
	my ($id, $offer_id) = split /\|/, $ids;
	return {
		token => $token,
		transaction => $asked->{json}{transaction_id},
		id => $id,
		offer_id => $offer_id
	};
}

sub fetch
{
	my ($self, $deferral) = @_;
	return $self->send($self->deferred_request(@$deferral{qw(token transaction)}));
}

# The registry decides.
sub complete
{
	my ($self, $deferral) = @_;
	$self->{issuer}->sql_as('registry', "SELECT openid4vci.vci_deferred_complete($deferral->{id})");
	return;
}

sub notification_request
{
	my ($self, $token, $notification_id, $event) = @_;
	return $self->json_request('notification', $token,
		notification_id => $notification_id, event => $event);
}

1;
