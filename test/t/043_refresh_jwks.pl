# openid4vci-proxy refresh-jwks: keys of external authorization servers go from their
# jwks_uri into the database; what is broken, slow, huge or elsewhere does not, and leaves
# the former keys in place.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IPC::Run;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('jwks');
$issuer->sql_as('registry', q{SELECT openid4vci.vci_create_issuer('https://other.example')});
$issuer->sql('CREATE ROLE jwks_refresher LOGIN');
$issuer->sql("SELECT openid4vci.vci_grant('jwks_refresher', '$_')") for qw(reporter issuer_admin);
my $conninfo = $issuer->{node}->connstr('postgres') . ' user=jwks_refresher';

# A server for whatever is asked of it: the path says how it behaves.

my $key = { %{ Wallet->new($dir)->{jwk} }, kid => 'one', alg => 'ES256', use => 'sig' };
my $jwks = encode_json({ keys => [$key] });
my %answers = (
	'/good' => "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n$jwks",
	'/broken' => "HTTP/1.1 200 OK\r\n\r\n{\"keys\": [",
	'/no-jwks' => "HTTP/1.1 200 OK\r\n\r\n{\"issuer\": \"x\"}",
	'/private' => "HTTP/1.1 200 OK\r\n\r\n" . encode_json({ keys => [ { %$key, d => $key->{x} } ] }),
	'/nul' => "HTTP/1.1 200 OK\r\n\r\n$jwks\0{",
	'/missing' => "HTTP/1.1 404 Not Found\r\n\r\n$jwks",
	'/elsewhere' => "HTTP/1.1 302 Found\r\nLocation: /good\r\n\r\n$jwks",
	'/cut' => "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n$jwks",
	'/largest' => "HTTP/1.1 200 OK\r\n\r\n" . $jwks . ' ' x (256 * 1024 - length $jwks),
	'/huge' => "HTTP/1.1 200 OK\r\n\r\n" . $jwks . ' ' x (256 * 1024 + 1 - length $jwks));

my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', ReuseAddr => 1)
  or die "no socket: $!";
my $server = 'http://127.0.0.1:' . $listener->sockport;
my $log = "$dir/requests";
my @children;

sub serve
{
	$SIG{PIPE} = 'IGNORE';
	# The slow one: held open for as long as this process lives.
	my @held;
	while (my $client = $listener->accept)
	{
		my $line = <$client> // '';
		my ($path) = $line =~ /^GET (\S+) /;
		append_to_file($log, "$path\n");
		while (defined $line && $line ne "\r\n") { $line = <$client> }
		push @held, $client if !exists $answers{$path};
		print {$client} $answers{$path} if exists $answers{$path};
	}
	return;
}

my $pid = fork() // die "fork: $!";
if ($pid == 0)
{
	serve();
	POSIX::_exit(0);
}
push @children, $pid;

# A test that dies leaves no server behind.
END
{
	my $status = $?;
	kill 'KILL', @children;
	$? = $status;
}

sub refresh
{
	my @options = @_;
	my ($out, $err) = ('', '');
	my @command = (proxy_program(), 'refresh-jwks', '--conninfo', $conninfo, @options);
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub trust
{
	my ($url, $jwks_uri, $for) = @_;
	my $options = encode_json(defined $jwks_uri ? { jwks_uri => $jwks_uri } : {});
	$for //= 'https://issuer.example';
	$issuer->sql_as('registry', "SELECT openid4vci.vci_create_authorization_server('$url',
		'{https://issuer.example}', options => '$options', issuer => '$for')");
	return;
}

sub point_to
{
	my ($url, $jwks_uri) = @_;
	my $changes = encode_json({ jwks_uri => $jwks_uri });
	$issuer->sql_as('registry', "SELECT openid4vci.vci_alter_authorization_server('$url',
		'$changes', 'https://issuer.example')");
	return;
}

sub forget
{
	my ($url, $for) = @_;
	$for //= 'https://issuer.example';
	$issuer->sql_as('registry', "SELECT openid4vci.vci_drop_authorization_server('$url', '$for')");
	return;
}

# What the database holds: key ids by server, and since when.
sub keys_of
{
	my ($url, $for) = @_;
	$for //= 'https://issuer.example';
	return $issuer->sql("SELECT s.jwks #>> '{keys,0,kid}' FROM openid4vci.vci_authorization_server s
		JOIN openid4vci.vci_issuer i ON i.id = s.issuer_id WHERE s.url = '$url' AND i.url = '$for'");
}

my $idp = 'https://idp.example';

subtest 'nothing to do' => sub {
	my ($status, $out, $err) = refresh();
	is($status, 1, 'no server is no success');
	is($out, '', 'nothing was refreshed');
	like($err, qr/jwks_refresher sees no external authorization server; .*vci_create_authorization_server/,
		'and the message says what to do');
};

subtest 'keys are loaded' => sub {
	trust($idp, "$server/good");
	is(keys_of($idp), '', 'at first there are none');
	my ($status, $out, $err) = refresh();
	is($status, 0, 'exit status') or diag($err);
	is($out, "$idp (for https://issuer.example): keys loaded from $server/good\n", 'one line');
	is($err, '', 'no other word');
	is(keys_of($idp), 'one', 'the key is there');
	my $loaded = $issuer->sql('SELECT jwks_loaded_at FROM openid4vci.vci_authorization_server');
	is((refresh())[0], 0, 'again');
	isnt($issuer->sql('SELECT jwks_loaded_at FROM openid4vci.vci_authorization_server'), $loaded,
		'and the time of the second load is kept');
};

subtest 'what is no JWKS changes nothing' => sub {
	my %wrong = (
		broken => qr/$idp: invalid input syntax for type json/,
		'no-jwks' => qr/$idp: /,
		private => qr/$idp: .*private/i,
		nul => qr/the server sends no JSON in UTF-8/,
		missing => qr/the server answers 404/,
		elsewhere => qr/the server answers 302, and redirects are not followed; make jwks_uri/,
		cut => qr{no keys from \Q$server\E/cut: },
		huge => qr/the server sends more than 262144 bytes/);
	for my $path (sort keys %wrong)
	{
		point_to($idp, "$server/$path");
		my ($status, $out, $err) = refresh();
		is($status, 1, "$path: exit status");
		is($out, '', "$path: nothing was refreshed");
		like($err, $wrong{$path}, "$path: says why");
		is(() = $err =~ /\n/g, 1, "$path: in one line");
		unlike($err, qr/\Q$key->{x}\E/, "$path: without the document");
		is(keys_of($idp), 'one', "$path: the former keys stay");
	}
	point_to($idp, "$server/largest");
	is((refresh())[0], 0, 'the largest document that may come is taken');
	point_to($idp, "$server/slow");
	my ($status, $out, $err) = refresh('--fetch-timeout', 1);
	is($status, 1, 'a server that does not answer: exit status');
	like($err, qr/there is no whole answer within 1 s/, 'a server that does not answer: says so');
	my $nobody = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
	my $port = $nobody->sockport;
	close $nobody;
	point_to($idp, "http://127.0.0.1:$port/");
	($status, $out, $err) = refresh();
	is($status, 1, 'nobody listens: exit status');
	like($err, qr/no keys from \S+: Failed to connect/, 'nobody listens: says so');
};

subtest 'plain http leaves this machine for nothing' => sub {
	# As a superuser could write it; the function refuses it.
	my $set = 'UPDATE openid4vci.vci_authorization_server SET jwks_uri = ';
	for my $uri ('http://idp.example/jwks', 'http://127.0.0.1.idp.example/jwks',
		'http://127.0.0.1@idp.example/jwks', 'file:///etc/passwd', 'ftp://127.0.0.1/jwks',
		'/jwks', 'nonsense://x')
	{
		$issuer->sql("$set '$uri'");
		my ($status, $out, $err) = refresh();
		is($status, 1, "$uri: exit status");
		like($err, qr/by https, and by http from loopback addresses only|no absolute URL/,
			"$uri: says what is expected");
	}
};

subtest 'several servers' => sub {
	point_to($idp, "$server/missing");
	trust('https://by-hand.example');
	trust('https://second.example', "$server/good");
	trust('https://second.example', "$server/good", 'https://other.example');
	PostgreSQL::Test::Utils::append_to_file($log, "--\n");
	my ($status, $out, $err) = refresh();
	is($status, 1, 'one that fails is a failure');
	like($err, qr/^openid4vci-proxy: $idp /, 'which is told');
	like($out, qr{^https://second\.example \(for https://issuer\.example\): keys loaded}m,
		'the others are refreshed');
	like($out, qr{^https://second\.example \(for https://other\.example\): keys loaded}m,
		'for each issuer');
	like($out, qr{^https://by-hand\.example \(for \S+\): skipped, it has no jwks_uri}m,
		'one without jwks_uri is skipped');
	is(keys_of('https://second.example', 'https://other.example'), 'one', 'the key is there');
	my ($asked) = file_text($log) =~ /--\n(.*)/s;
	is(() = $asked =~ /good/g, 1, 'two issuers that trust one server share what it said');

	($status, $out, $err) = refresh('--issuer', 'https://other.example');
	is($status, 0, '--issuer: the failure of another issuer does not count');
	is(() = $out =~ /\n/g, 1, '--issuer: one line');
	($status, $out, $err) = refresh('--issuer', 'https://none.example');
	is($status, 1, '--issuer of an unknown issuer: exit status');
	like($err, qr{sees no external authorization server of https://none\.example}, 'and it is named');

	forget($idp);
	($status, $out, $err) = refresh();
	is($status, 0, 'one that is skipped is no failure') or diag($err);
};

subtest 'a role without the duty' => sub {
	$issuer->sql("SELECT openid4vci.vci_revoke('jwks_refresher', 'issuer_admin')");
	my ($status, $out, $err) = refresh();
	is($status, 1, 'exit status');
	like($err, qr/permission denied .* needs the duties reporter and issuer_admin/, 'and what to do');
	$issuer->sql("SELECT openid4vci.vci_grant('jwks_refresher', 'issuer_admin')");
	($status, $out, $err) = refresh('--conninfo', 'host=/nonexistent');
	is($status, 1, 'no database: exit status');
	like($err, qr/cannot connect to the database/, 'no database: says so');
};

subtest 'https' => sub {
	# A certificate authority of our own, and a server that shows its certificate.
	my $openssl = sub { my $said; IPC::Run::run([ 'openssl', @_ ], '>&', \$said) or die $said };
	$openssl->('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
		'-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2',
		'-keyout', "$dir/tls.key", '-out', "$dir/tls.pem");
	PostgreSQL::Test::Utils::append_to_file("$dir/jwks.json", $jwks);
	my ($out, $port) = ('');
	my $tls = IPC::Run::start([ 'openssl', 's_server', '-accept', '127.0.0.1:0', '-cert',
			"$dir/tls.pem", '-key', "$dir/tls.key", '-WWW' ], '<', \my $in, '>&', \$out,
		init => sub { chdir $dir });
	$tls->pump while $out !~ /^ACCEPT 127\.0\.0\.1:(\d+)$/m;
	($port) = $out =~ /^ACCEPT 127\.0\.0\.1:(\d+)$/m;

	forget('https://second.example');
	forget('https://second.example', 'https://other.example');
	trust($idp, "https://localhost:$port/jwks.json");
	my ($status, $said, $err) = refresh('--issuer', 'https://issuer.example');
	is($status, 1, 'a certificate that nobody vouches for: exit status');
	like($err, qr/certificate does not verify .*give --cacert FILE/, 'and what to do');
	($status, $said, $err) = refresh('--cacert', "$dir/none.pem");
	like($err, qr/--cacert \S+none\.pem cannot be read as PEM/, 'a file that is not there');
	($status, $said, $err) = refresh('--cacert', "$dir/tls.pem");
	is($status, 0, 'with --cacert the keys come') or diag($err);
	is(keys_of($idp), 'one', 'and are there');
	point_to($idp, "https://127.0.0.1:$port/jwks.json");
	($status, $said, $err) = refresh('--cacert', "$dir/tls.pem");
	is($status, 1, 'a certificate for another name: exit status');
	$tls->kill_kill;
};

subtest 'command line' => sub {
	my %wrong = (
		'an option of the server' => [ [ '--port', '1' ], qr/unknown option --port/ ],
		'not a number' => [ [ '--fetch-timeout', 'soon' ], qr/--fetch-timeout takes a whole number/ ],
		'a stray word' => [ ['https://idp.example'], qr/belongs to no option/ ]);
	for my $name (sort keys %wrong)
	{
		my ($options, $message) = @{ $wrong{$name} };
		my ($status, $out, $err) = refresh(@$options);
		is($status, 2, "$name: exit status");
		like($err, $message, "$name: message");
	}
	my ($status, $out) = refresh('--help');
	is($status, 0, '--help succeeds');
	like($out, qr/^REFRESH-JWKS$/m, 'and tells of the command');
	like($out, qr/^    --\Q$_\E /m, "and of --$_") for qw(issuer cacert fetch-timeout);
};

done_testing();
