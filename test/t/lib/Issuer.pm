# A private server with the extension, a root key, roles, one issuer and its
# configurations, and the requests that tests send to it.
#
#   my $issuer = Issuer->start('races');
#   my $offer = $issuer->offer("tx_code => '493536'");
#   my $answer = $issuer->token($offer, '493536');
package Issuer;

use strict;
use warnings;

use File::Copy qw(copy);
use IPC::Run;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my $base = '/api/v1/openid4vci';
our $grant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';

# Options: url of the issuer, conf (lines for postgresql.conf), allows_streaming,
# root_key (a file to copy, instead of a new key), initdb (its further options).
sub start
{
	my ($class, $name, %options) = @_;
	my $self = $class->start_server($name, %options);
	$self->install;
	$self->create_issuer($options{url} // 'https://issuer.example');
	return $self;
}

# The server and its root key alone. A further option: install_path, of Installation.pm.
sub start_server
{
	my ($class, $name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, install_path => $options{install_path});
	$node->init(
		extra => [ '--encoding=UTF8', '--locale=C', @{ $options{initdb} // [] } ],
		allows_streaming => $options{allows_streaming});
	my $self = bless { node => $node, root_key => $node->basedir . '/root.key' }, $class;
	$self->make_root_key($options{root_key});
	$node->append_conf('postgresql.conf', "openid4vci.root_key_file = '$self->{root_key}'");
	$node->append_conf('postgresql.conf', 'max_connections = 100');
	$node->append_conf('postgresql.conf', $options{conf}) if defined $options{conf};
	$node->start;
	return $self;
}

sub make_root_key
{
	my ($self, $source) = @_;
	my $file = $self->{root_key};
	if (defined $source)
	{
		copy($source, $file) or die "$file: $!";
	}
	else
	{
		open my $in, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
		read($in, my $key, 32) == 32 or die "/dev/urandom: $!";
		PostgreSQL::Test::Utils::append_to_file($file, unpack('H*', $key) . "\n");
	}
	chmod 0400, $file or die "$file: $!";
	return;
}

# Roles, extension and duties; no issuer yet.
sub install
{
	my ($self) = @_;
	$self->create_roles;
	$self->sql('CREATE EXTENSION openid4vci');
	$self->grant_duties;
	return;
}

sub create_roles
{
	my ($self) = @_;
	$self->sql("CREATE ROLE $_ LOGIN") for qw(registry wallet_endpoint keeper);
	return;
}

sub grant_duties
{
	my ($self) = @_;
	$self->sql(<<'SQL');
SELECT openid4vci.vci_grant('registry', duty)
FROM unnest(ARRAY['issuer_admin', 'key_admin', 'offerer', 'reporter']) AS duty;
SELECT openid4vci.vci_grant('wallet_endpoint', 'endpoint');
SELECT openid4vci.vci_grant('keeper', 'backup');
SQL
	return;
}

# Card is bound to the wallet's key, Open to nobody.
sub create_issuer
{
	my ($self, $url) = @_;
	$self->{url} = $url;
	$self->sql_as('registry', <<"SQL");
SELECT openid4vci.vci_create_issuer('$url');
SELECT openid4vci.vci_create_key();
SELECT openid4vci.vci_create_configuration(id, 'https://issuer.example/' || id, binding => binding)
FROM (VALUES ('Card', 'required'), ('Open', 'absent')) AS c (id, binding);
SQL
	return;
}

# As superuser; dies of an error.
sub sql
{
	my ($self, $statement) = @_;
	return $self->{node}->safe_psql('postgres', $statement);
}

sub sql_as
{
	my ($self, $role, $statement) = @_;
	return $self->{node}->safe_psql('postgres', $statement, extra_params => [ '-U', $role ]);
}

# What an erring statement says.
sub error_of
{
	my ($self, $role, $statement) = @_;
	my ($status, $out, $err) = $self->{node}
	  ->psql('postgres', $statement, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? '' : $err;
}

# Waits, as long as it takes, until a query says true.
sub await
{
	my ($self, $query) = @_;
	select undef, undef, undef, 0.05 while $self->sql("SELECT ($query)::text") ne 'true';
	return;
}

sub literal
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# Makes an offer; $arguments are further ones of vci_create_offer, in SQL.
sub offer
{
	my ($self, $arguments, $configuration) = @_;
	$arguments = $arguments ? ", $arguments" : '';
	$configuration //= 'Card';
	my $offer = decode_json($self->sql_as('registry', <<"SQL"));
SELECT to_json(o) FROM openid4vci.vci_create_offer(ARRAY['$configuration'],
	claims => '{"name": "Ann"}'$arguments) AS o
SQL
	$offer->{code} = $offer->{credential_offer}{grants}{$grant}{'pre-authorized_code'};
	return $offer;
}

sub bearer
{
	my ($token) = @_;
	return [ 'Content-Type', 'application/json', 'Authorization', "Bearer $token" ];
}

# One call of vci_http in SQL, which gives an answer as JSON.
sub http_statement
{
	my ($method, $path, $headers, $body) = @_;
	my $pairs = join ', ', map { literal($_) } @{ $headers // [] };
	my $bytes = unpack 'H*', $body // '';
	return <<"SQL";
SELECT json_build_object('status', status, 'headers', headers, 'body', encode(body, 'base64'))
FROM openid4vci.vci_http('$method', @{[ literal($path) ]}, ARRAY[$pairs]::text[], '\\x$bytes')
SQL
}

sub token_request
{
	my ($code, $tx_code) = @_;
	my $form = "grant_type=$grant&pre-authorized_code=$code";
	$form .= "&tx_code=$tx_code" if defined $tx_code;
	return ('POST', "$base/token", [ 'Content-Type', 'application/x-www-form-urlencoded' ], $form);
}

sub credential_request
{
	my ($token, $body) = @_;
	return ('POST', "$base/credential", bearer($token), $body);
}

# Status, headers (lower case) and body, with the body's JSON as json.
sub answer
{
	my ($line) = @_;
	my $answer = decode_json($line);
	my @pairs = @{ $answer->{headers} };
	my %headers;
	while (my ($name, $value) = splice @pairs, 0, 2)
	{
		$headers{ lc $name } = $value;
	}
	$answer->{headers} = \%headers;
	$answer->{body} = decode_base64($answer->{body});
	$answer->{json} = eval { decode_json($answer->{body}) } // {};
	return $answer;
}

sub http
{
	my ($self, @request) = @_;
	return answer($self->sql_as('wallet_endpoint', http_statement(@request)));
}

# $offer is an offer or its code.
sub token
{
	my ($self, $offer, $tx_code) = @_;
	return $self->http(token_request(ref $offer ? $offer->{code} : $offer, $tx_code));
}

sub credential
{
	my ($self, $token, $body) = @_;
	return $self->http(credential_request($token, $body));
}

sub nonce
{
	my ($self) = @_;
	return $self->http('POST', "$base/nonce")->{json}{c_nonce};
}

# The body of a credential request, with a proof when one is given.
sub credential_body
{
	my ($configuration, $proof) = @_;
	my %body = (credential_configuration_id => $configuration);
	$body{proofs} = { jwt => [$proof] } if defined $proof;
	return JSON::PP->new->canonical->encode(\%body);
}

# Runs statements in sessions of their own, all let go at the same moment, and returns
# what each printed: its rows, or its error.
sub at_once
{
	my ($self, @statements) = @_;
	return $self->at_once_as('wallet_endpoint', @statements);
}

sub at_once_as
{
	my ($self, $role, @statements) = @_;
	my @session = ('psql', '-XqAt', '-U', $role, '-d', $self->{node}->connstr('postgres'));
	my ($in, $out, @outputs, @harnesses) = ("SELECT pg_advisory_lock(1);\n", '');
	my $gate = IPC::Run::start([@session], '<', \$in, '>', \$out);
	$gate->pump while $out !~ /\n/;
	for my $statement (@statements)
	{
		push @outputs, \my $output;
		push @harnesses, IPC::Run::start(
			[ @session, '-c', 'SELECT pg_advisory_lock_shared(1)', '-c', $statement ],
			'<', \undef, '>&', $outputs[-1]);
	}
	$self->await(@statements . " = (SELECT count(*) FROM pg_locks
		WHERE locktype = 'advisory' AND NOT granted)");
	$gate->finish;
	$_->finish for @harnesses;
	return map { $$_ =~ s/^\n//r } @outputs;
}

# The same for requests to vci_http: their answers.
sub requests_at_once
{
	my ($self, @requests) = @_;
	return map { answer($_) } $self->at_once(map { http_statement(@$_) } @requests);
}

1;
