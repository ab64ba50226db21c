# What the proxy's tests share: a proxy process, raw HTTP, and a stand-in for vci_http
# that fails on demand.
package ProxyClient;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(:sys_wait_h);

our @EXPORT = qw(
	proxy_program lenient_library proxy_start proxy_stop proxy_wait proxy_errors proxy_log
	http_connect http_send http_read http_read_all http_request http_raw
	http_ask http_answer http_at_once
	install_stand_in conninfo active_calls await_active open_gate close_gates
	effects attempts reset_attempts file_text);

# The program under test.
sub proxy_program
{
	my $top = abs_path(dirname(__FILE__) . '/../../..');
	return $ENV{OPENID4VCI_PROXY} // "$top/build/openid4vci-proxy";
}

# libmicrohttpd before 1.0 reads requests leniently, and framing.c looks after it; later
# ones are strict, follow RFC 9112 to the letter, and sometimes close without a word.
sub lenient_library
{
	my $version = qx{@{[ proxy_program() ]} --version};
	return $version =~ /libmicrohttpd 0\./;
}

sub file_text
{
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	my $text = <$file>;
	return $text // '';
}

# Starts a proxy on a free port and waits for its one line. Its stdout (the access log)
# and stderr go to files in $dir.
my $count = 0;
my @started;

# A test that dies leaves no proxy behind.
END
{
	my $status = $?;
	kill 'KILL', grep { defined } map { $_->{pid} } grep { !defined $_->{status} } @started;
	$? = $status;
}

sub proxy_start
{
	my ($dir, @options) = @_;
	my $name = "$dir/proxy" . ++$count;
	my %proxy = (out => "$name.out", err => "$name.err");

	open my $out, '>', $proxy{out} or die "$proxy{out}: $!";
	open my $err, '>', $proxy{err} or die "$proxy{err}: $!";
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>&', $out or POSIX::_exit(126);
		open STDERR, '>&', $err or POSIX::_exit(126);
		delete $ENV{PGAPPNAME};
		exec { proxy_program() } 'openid4vci-proxy', '--port', 0, @options or POSIX::_exit(127);
	}
	$proxy{pid} = $pid;
	push @started, \%proxy;
	for (;;)
	{
		if (file_text($proxy{out}) =~ m{^openid4vci-proxy: listening on http://.*:(\d+)\n})
		{
			$proxy{port} = $1;
			return \%proxy;
		}
		if (waitpid($pid, WNOHANG) == $pid)
		{
			$proxy{status} = $?;
			die 'the proxy ' . proxy_program() . " did not start: $? " . file_text($proxy{err});
		}
		select undef, undef, undef, 0.02;
	}
}

# Exit status after a signal, TERM unless another is named.
sub proxy_stop
{
	my ($proxy, $signal) = @_;
	kill $signal // 'TERM', $proxy->{pid} if !defined $proxy->{status};
	return proxy_wait($proxy);
}

sub proxy_wait
{
	my ($proxy) = @_;
	if (!defined $proxy->{status})
	{
		waitpid $proxy->{pid}, 0;
		$proxy->{status} = $?;
	}
	return $proxy->{status};
}

sub proxy_errors
{
	my ($proxy) = @_;
	return file_text($proxy->{err});
}

# Access log lines, without the one that tells the address.
sub proxy_log
{
	my ($proxy) = @_;
	my @lines = split /\n/, file_text($proxy->{out});
	return @lines[ 1 .. $#lines ];
}

sub http_connect
{
	my ($proxy) = @_;
	my $port = ref $proxy ? $proxy->{port} : $proxy;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
	  or die "connect: $!";
	$socket->autoflush(1);
	return $socket;
}

# Sends bytes; a peer that has hung up is no error here.
sub http_send
{
	my ($socket, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $at = 0;
	while ($at < length $bytes)
	{
		my $sent = syswrite $socket, $bytes, length($bytes) - $at, $at;
		return 0 if !defined $sent;
		$at += $sent;
	}
	return 1;
}

# One response: status (0 when the peer closed without one), headers (lower case), body.
# $method tells whether a body follows.
sub http_read
{
	my ($socket, $method) = @_;
	my $buffer = delete ${*$socket}{rest} // '';
	my $closed = 0;

	my $more = sub {
		my $got = sysread $socket, $buffer, 65536, length $buffer;
		$closed = 1 if !$got;
		return $got;
	};
	while ($buffer !~ /\r\n\r\n/)
	{
		last if !$more->();
	}
	return { status => 0, headers => {}, body => '', raw => $buffer, closed => 1 }
	  if $buffer !~ m{^HTTP/1\.1 (\d{3})[^\r\n]*\r\n(.*?\r\n)?\r\n}s;
	my ($status, $head, $body) = ($1, $2 // '', $');
	my (%headers, @pairs);
	for my $line (split /\r\n/, $head)
	{
		my ($name, $value) = split /:\s*/, $line, 2;
		$headers{ lc $name } = $value;
		push @pairs, $name, $value;
	}
	if ($status == 100)
	{
		${*$socket}{rest} = $body;
		return http_read($socket, $method);
	}
	my $length = $headers{'content-length'};
	$length = 0 if ($method // '') eq 'HEAD' || $status == 204 || $status == 304;
	$buffer = $body;
	while (!defined $length || length $buffer < $length)
	{
		last if !$more->();
	}
	$length //= length $buffer;
	${*$socket}{rest} = length $buffer > $length ? substr($buffer, $length) : '';
	return {
		status => $status,
		headers => \%headers,
		pairs => \@pairs,
		body => substr($buffer, 0, $length),
		closed => $closed
	};
}

# Everything until the peer closes.
sub http_read_all
{
	my ($socket) = @_;
	my $all = delete ${*$socket}{rest} // '';
	while (sysread $socket, $all, 65536, length $all) { }
	return $all;
}

# One request on a connection of its own.
sub http_request
{
	my ($proxy, $method, $target, $body, @headers) = @_;
	my $socket = http_connect($proxy);
	my $text = "$method $target HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
	while (my ($name, $value) = splice @headers, 0, 2)
	{
		$text .= "$name: $value\r\n";
	}
	$text .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
	http_send($socket, "$text\r\n" . ($body // ''));
	return http_read($socket, $method);
}

# Sends a request, as those who build one give it, and leaves its answer to http_answer.
sub http_ask
{
	my ($socket, $method, $target, $headers, $body) = @_;
	my @pairs = @$headers;
	my $head = "$method $target HTTP/1.1\r\nHost: test\r\nContent-Length: " . length($body) . "\r\n";
	while (my ($name, $value) = splice @pairs, 0, 2)
	{
		$head .= "$name: $value\r\n";
	}
	http_send($socket, "$head\r\n$body");
	return $socket;
}

# The answer, whenever it comes, with the body's JSON as json.
sub http_answer
{
	my ($socket, $method) = @_;
	my $answer = http_read($socket, $method // 'POST');
	$answer->{json} = eval { decode_json($answer->{body}) } // {};
	return $answer;
}

# Requests on a connection each, sent before any answer is read: their answers.
sub http_at_once
{
	my ($proxy, @requests) = @_;
	my @sockets = map { http_connect($proxy) } @requests;
	http_ask($sockets[$_], @{ $requests[$_] }) for 0 .. $#requests;
	return map { http_answer($sockets[$_], $requests[$_][0]) } 0 .. $#requests;
}

# Bytes in, first response out; the socket stays open in {socket}.
sub http_raw
{
	my ($proxy, $bytes, $method) = @_;
	my $socket = http_connect($proxy);
	http_send($socket, $bytes);
	my $response = http_read($socket, $method);
	$response->{socket} = $socket;
	return $response;
}

sub install_stand_in
{
	my ($node) = @_;
	$node->safe_psql('postgres', file_text(dirname(__FILE__) . '/stand_in.sql'));
	return;
}

# libpq's words for the stand-in's database.
sub conninfo
{
	my ($node) = @_;
	return $node->connstr('postgres');
}

# Calls that run in the database now.
sub active_calls
{
	my ($node) = @_;
	return $node->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'openid4vci-proxy' AND state = 'active'
SQL
}

sub await_active
{
	my ($node, $wanted) = @_;
	select undef, undef, undef, 0.02 while active_calls($node) != $wanted;
	return;
}

sub open_gate
{
	my ($node, $name) = @_;
	$node->safe_psql('postgres', "INSERT INTO openid4vci.gate VALUES ('$name')");
	return;
}

sub close_gates
{
	my ($node) = @_;
	$node->safe_psql('postgres', 'TRUNCATE openid4vci.gate');
	return;
}

# How often a call was committed.
sub effects
{
	my ($node, $what) = @_;
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM openid4vci.effect WHERE what = '$what'");
}

sub attempts
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM openid4vci.attempt');
}

sub reset_attempts
{
	my ($node) = @_;
	$node->safe_psql('postgres', 'ALTER SEQUENCE openid4vci.attempt RESTART');
	return;
}

1;
