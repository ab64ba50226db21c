# The proxy when clients are hostile: smuggling shapes, floods, and those who take their
# time. Whatever is refused must not reach vci_http, and must end the connection, because
# nobody knows where the next request would begin.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ProxyClient;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('proxy');
$node->init;
$node->start;
install_stand_in($node);
my @database = ('--conninfo', conninfo($node));
my $proxy = proxy_start($dir, @database);

# What stands behind every refused request, and must never be answered.
my $smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

sub count_calls
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM openid4vci.effect');
}

my $lenient = lenient_library();

# Refused with this status, or one of several as 400|501 (by newer libraries, also without a
# word), connection closed, no call made.
sub is_refused
{
	my ($name, $bytes, $status) = @_;
	my $before = count_calls();
	my $answer = http_raw($proxy, $bytes . $smuggled);
	my $rest = http_read_all($answer->{socket});
	if ($answer->{status} != 0 || $lenient)
	{
		like($answer->{status}, qr/^(?:$status)$/, "$name: $status");
		is($answer->{headers}{connection}, 'close', "$name: the connection ends");
	}
	unlike($rest, qr{200 OK}, "$name: what follows is not answered");
	is(count_calls(), $before, "$name: vci_http is not called");
	return $answer;
}

my $get = "GET /x HTTP/1.1\r\nHost: a\r\n";
my $post = "POST /x HTTP/1.1\r\nHost: a\r\n";

subtest 'two bodies in one request' => sub {
	my $chunk = "0\r\n\r\n";
	my %shapes = (
		'CL.TE' => "${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}G",
		'TE.CL' => "${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n$chunk",
		'CL.TE in other case' =>
		  "${post}content-length: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n$chunk",
		'TE.TE' => "${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n$chunk",
		'TE.TE the other way' =>
		  "${post}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n$chunk",
		'TE chunked twice' =>
		  "${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n$chunk",
		'TE list' => "${post}Transfer-Encoding: gzip, chunked\r\n\r\n$chunk",
		'TE unknown' => "${post}Transfer-Encoding: xchunked\r\n\r\n$chunk",
		'TE with white space behind' => "${post}Transfer-Encoding: chunked \r\n\r\n$chunk",
		'TE with a tab before' => "${post}Transfer-Encoding:\x0bchunked\r\n\r\n$chunk",
		'TE empty' => "${post}Transfer-Encoding:\r\n\r\n$chunk",
		'TE in HTTP/1.0' => "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n$chunk",
		'TE with space before the colon' => "${post}Transfer-Encoding : chunked\r\n\r\n$chunk",
		'CL with space before the colon' => "${post}Content-Length : 5\r\n\r\n12345",
		'CL twice, equal' => "${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
		'CL twice, different' => "${post}Content-Length: 0\r\nContent-Length: 5\r\n\r\n12345",
		'CL list' => "${post}Content-Length: 5, 5\r\n\r\n12345",
		'CL signed' => "${post}Content-Length: +5\r\n\r\n12345",
		'CL negative' => "${post}Content-Length: -5\r\n\r\n12345",
		'CL hexadecimal' => "${post}Content-Length: 0x5\r\n\r\n12345",
		'CL empty' => "${post}Content-Length:\r\n\r\n12345",
		'CL with text' => "${post}Content-Length: 5a\r\n\r\n12345",
		'CL folded' => "${post}Content-Length:\r\n 5\r\n\r\n12345",
		'CL in a fold' => "${post}X: y\r\n Content-Length: 5\r\n\r\n12345",
		'a folded first line' => "GET /x HTTP/1.1\r\n Content-Length: 5\r\nHost: a\r\n\r\n12345",
		'CL behind a NUL' => "${post}X: y\r\n\0Content-Length: 50\r\n\r\n",
		'CL behind a bare LF' => "${post}X: y\nContent-Length: 5\r\n\r\n12345",
		'CL behind a bare CR' => "${post}X: y\rContent-Length: 5\r\n\r\n12345",
		'an end of bare LFs' => "${post}X: y\n\n",
		'a chunk size that is none' =>
		  "${post}Transfer-Encoding: chunked\r\n\r\nx5\r\n12345\r\n$chunk",
		'a negative chunk size' =>
		  "${post}Transfer-Encoding: chunked\r\n\r\n-5\r\n12345\r\n$chunk",
		'a chunk without its end' =>
		  "${post}Transfer-Encoding: chunked\r\n\r\n5\r\n1234567\r\n$chunk",
	);
	# White space behind a value is no part of it (RFC 9112 section 5.1), but a library that
	# does not know that must not guess.
	delete $shapes{'TE with white space behind'} if !$lenient;
	# an unknown transfer coding is 400 or 501 (RFC 9112 section 6.1), as the library has it
	is_refused($_, $shapes{$_}, /TE/ ? '400|501' : 400) for sort keys %shapes;
	is_refused('CL beyond 64 bits',
		"${post}Content-Length: 99999999999999999999\r\n\r\n12345", '400|413');
	is_refused('a chunk size beyond 64 bits',
		"${post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", 413);
};

subtest 'a chunked request is the last of its connection' => sub {
	my $before = count_calls();
	my $answer = http_raw($proxy,
		"${post}Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\r\n" . $smuggled);
	is($answer->{status}, 200, 'it is answered');
	is($answer->{headers}{connection}, 'close', 'and ends the connection');
	is(http_read_all($answer->{socket}), '', 'what follows is not');
	is(count_calls(), $before + 1, 'nor called');
	$answer = http_raw($proxy,
		"${post}Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\0\r\n\0\r\n\r\n" . $smuggled);
	unlike(http_read_all($answer->{socket}), qr/200 OK/, 'not even behind a NUL in the trailer');
};

subtest 'headers that must not come twice, or not at all' => sub {
	for my $name ('Authorization', 'DPoP', 'Host')
	{
		my $twice = "$name: value-1\r\n\L$name\E: value-2\r\n";
		$twice = "Host: b\r\n" if $name eq 'Host';
		my $answer = is_refused("$name twice", "$get$twice\r\n", 400);
		like($answer->{body}, qr/\Q$name\E\b.* header/, "$name twice: the text names it");
		unlike($answer->{body}, qr/value-/, "$name twice: without its value");
	}
	is_refused('no Host', "GET /x HTTP/1.1\r\n\r\n", 400);
};

subtest 'bytes that do not belong there' => sub {
	my %shapes = (
		'NUL in the target' => "GET /x\0y HTTP/1.1\r\nHost: a\r\n\r\n",
		'NUL at the target\'s end' => "GET /x\0 HTTP/1.1\r\nHost: a\r\n\r\n",
		'NUL in the query' => "GET /x?a=\0 HTTP/1.1\r\nHost: a\r\n\r\n",
		'NUL in the method' => "GE\0T /x HTTP/1.1\r\nHost: a\r\n\r\n",
		'bad UTF-8 in the target' => "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
		'overlong UTF-8 in the target' => "GET /\xc0\xaf HTTP/1.1\r\nHost: a\r\n\r\n",
		'a surrogate in the target' => "GET /\xed\xa0\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
		'beyond Unicode in the target' => "GET /\xf4\x90\x80\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
		'cut UTF-8 in the target' => "GET /\xe2\x82 HTTP/1.1\r\nHost: a\r\n\r\n",
		'space in the target' => "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n",
		'tab in the target' => "GET /x\ty HTTP/1.1\r\nHost: a\r\n\r\n",
		'escape in the target' => "GET /x\e[2J HTTP/1.1\r\nHost: a\r\n\r\n",
		'delete in the target' => "GET /x\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
		'two spaces before the target' => "GET  /x HTTP/1.1\r\nHost: a\r\n\r\n",
		'a method that is no token' => "G(T /x HTTP/1.1\r\nHost: a\r\n\r\n",
		'NUL in a value' => "${get}X: a\0b\r\n\r\n",
		'NUL at a value\'s end' => "${get}X: a\0\r\n\r\n",
		'NUL in a name' => "${get}X\0: a\r\n\r\n",
		'bad UTF-8 in a value' => "${get}X: \xff\r\n\r\n",
		'escape in a value' => "${get}X: \e[2J\r\n\r\n",
		'delete in a value' => "${get}X: \x7f\r\n\r\n",
		'bare CR in a value' => "${get}X: a\rb\r\n\r\n",
		'a name that is no token' => "${get}X(: a\r\n\r\n",
		'a name in UTF-8' => "${get}\xc3\xa4: a\r\n\r\n",
		'no name' => "${get}: a\r\n\r\n",
		'no colon' => "${get}X\r\n\r\n",
		'a fold' => "${get}X: a\r\n b\r\n\r\n",
		'no version' => "GET /x\r\n\r\n",
		'bare LFs' => "GET /x HTTP/1.1\nHost: a\n\n",
	);
	is_refused($_, $shapes{$_}, 400) for sort keys %shapes;
	is_refused('HTTP/2', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
	my $tls = http_connect($proxy);
	http_send($tls, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n");
	unlike(http_read_all($tls), qr/200 OK/, 'a TLS greeting gets nowhere');
};

subtest 'too much header' => sub {
	my $limit = 16384;
	my $pad = $limit - length("${get}X: \r\n\r\n");
	is(http_raw($proxy, "${get}X: " . 'a' x $pad . "\r\n\r\n")->{status}, 200, 'just below');
	$pad++;
	is_refused('just above', "${get}X: " . 'a' x $pad . "\r\n\r\n", 431);
	is(http_raw($proxy, $get . "X: a\r\n" x 99 . "\r\n")->{status}, 200, 'a hundred fields');
	is_refused('one field more', $get . "X: a\r\n" x 100 . "\r\n", 431);
	is_refused('far too many fields', $get . "X: a\r\n" x 5000 . "\r\n", 431);
	is_refused('far too long a field', "${get}X: " . 'a' x 50000 . "\r\n\r\n", 431);
	is_refused('far too long a target', 'GET /' . 'a' x 50000 . " HTTP/1.1\r\n\r\n", 414);

	my $long = 'a' x 15000;
	is(http_raw($proxy, "GET /x?$long HTTP/1.1\r\nHost: a\r\n\r\n")->{status}, 200, 'a long query');
	my $before = count_calls();
	for my $count (101, 5000)
	{
		my $socket = http_connect($proxy);
		http_send($socket, 'GET /x?' . 'a&' x $count . " HTTP/1.1\r\nHost: a\r\n\r\n");
		unlike(http_read_all($socket), qr/200 OK/, "$count parameters: disconnected");
	}
	is(count_calls(), $before, 'and not called');
	is(http_raw($proxy, 'GET /x?' . 'a&' x 99 . "a HTTP/1.1\r\nHost: a\r\n\r\n")->{status},
		200, 'a hundred parameters are passed on');
};

subtest 'too much body' => sub {
	my $limit = 1 << 20;
	my $chunks = sub {
		my ($bytes) = @_;
		my $text = "${post}Transfer-Encoding: chunked\r\n\r\n";
		for (; $bytes > 0; $bytes -= 65536)
		{
			my $size = $bytes < 65536 ? $bytes : 65536;
			$text .= sprintf("%x\r\n", $size) . 'a' x $size . "\r\n";
		}
		return "${text}0\r\n\r\n";
	};
	my $sized = sub {
		my ($bytes) = @_;
		return "${post}Content-Length: $bytes\r\n\r\n" . 'a' x $bytes;
	};
	is(http_raw($proxy, $sized->($limit))->{status}, 200, 'Content-Length: just below');
	is(http_raw($proxy, $chunks->($limit))->{status}, 200, 'chunked: just below');
	is_refused('Content-Length: just above', $sized->($limit + 1), 413);
	is_refused('chunked: just above', $chunks->($limit + 1), 413);
	is_refused('Content-Length: three times', $sized->(3 * $limit), 413);
	is_refused('chunked: three times', $chunks->(3 * $limit), 413);
	my $before = count_calls();
	my $answer = http_raw($proxy, "${post}Content-Length: 100000000\r\n\r\n");
	is($answer->{status}, 413, 'Content-Length far above: refused before the body');
	$answer = http_raw($proxy,
		"${post}Content-Length: " . (2 * $limit) . "\r\nExpect: 100-continue\r\n\r\n");
	is($answer->{status}, 413, 'Expect: 100-continue: refused before the body');
	my $socket = http_connect($proxy);
	# Without an end to its patience, the proxy would read all of this, and say 413.
	http_send($socket, $chunks->(40 * $limit));
	is(http_read($socket)->{status}, 0, 'a chunked body without end is cut off');
	is(count_calls(), $before, 'none of them is called');
	is_refused('a chunk extension without end',
		"${post}Transfer-Encoding: chunked\r\n\r\n5;" . 'a' x 100_000, '400|413');
	is_refused('a trailer without end',
		"${post}Transfer-Encoding: chunked\r\n\r\n0\r\n" . "X: a\r\n" x 20_000, 431);

	my $small = proxy_start($dir, @database, '--max-body', 10, '--max-header', 1024);
	is(http_request($small, 'POST', '/x', 'a' x 10)->{status}, 200, '--max-body 10: ten bytes');
	is(http_request($small, 'POST', '/x', 'a' x 11)->{status}, 413, '--max-body 10: eleven');
	is(http_request($small, 'GET', '/' . 'a' x 1024)->{status}, 431, '--max-header 1024');
	is(proxy_stop($small), 0, 'stopped');
};

subtest 'clients that take their time' => sub {
	close_gates($node);
	my $impatient = proxy_start($dir, @database, '--request-timeout', 1);
	my %slow = (
		'nothing' => '',
		'half a request line' => 'GET /x',
		'half a header' => $get,
		'half a body' => "${post}Content-Length: 10\r\n\r\n123",
		'half a chunk' => "${post}Transfer-Encoding: chunked\r\n\r\n5\r\n12",
	);
	for my $name (sort keys %slow)
	{
		my $socket = http_connect($impatient);
		http_send($socket, $slow{$name});
		is(http_read_all($socket), '', "$name: disconnected");
	}
	like((grep { m{POST /x} } proxy_log($impatient))[0], qr{POST /x 408 0 \d+ timeout$},
		'the log says so');

	# One byte at a time is never silent, and would end in an answer if it were served.
	for my $bytes ("${get}X: " . 'a' x 150 . "\r\n\r\n",
		"${post}Content-Length: 150\r\n\r\n" . 'a' x 150)
	{
		my $before = count_calls();
		my $socket = http_connect($impatient);
		for my $byte (split //, $bytes)
		{
			last if !http_send($socket, $byte) || IO::Select->new($socket)->can_read(0.02);
		}
		is(http_read_all($socket), '', 'one byte at a time: disconnected all the same');
		is(count_calls(), $before, 'and not called');
	}
	my $idle = http_connect($impatient);
	http_send($idle, "$get\r\n");
	is(http_read($idle)->{status}, 200, 'keep-alive: a first request');
	is(http_read_all($idle), '', 'an idle connection is closed');

	# The clock is for the client's part only.
	my $socket = http_connect($impatient);
	http_send($socket, "GET /gate?slow HTTP/1.1\r\nHost: a\r\n\r\n");
	await_active($node, 1);
	my $witness = http_connect($impatient);
	is(http_read_all($witness), '', '(the time is over)');
	select undef, undef, undef, 0.5;
	open_gate($node, 'slow');
	is(http_read($socket)->{status}, 200, 'a slow database does not count as a slow client');

	# A client that does not take its answer is not kept for ever, either.
	my $full = http_connect($impatient);
	http_send($full, "GET /bytes?50000000 HTTP/1.1\r\nHost: a\r\n\r\n");
	select undef, undef, undef, 0.05 while !grep { m{GET /bytes} } proxy_log($impatient);
	like((grep { m{GET /bytes} } proxy_log($impatient))[0], qr{GET /bytes 200 0 \d+ timeout$},
		'an answer that is not taken is dropped');
	is(proxy_stop($impatient), 0, 'stopped');
};

subtest 'more clients than --max-connections' => sub {
	my $few = proxy_start($dir, @database, '--max-connections', 3);
	my @sockets = map { http_connect($few) } 1 .. 3;
	for my $socket (@sockets)
	{
		http_send($socket, "$get\r\n");
		is(http_read($socket)->{status}, 200, 'there is room for three');
	}
	my $fourth = http_request($few, 'GET', '/fourth');
	is($fourth->{status}, 503, 'the fourth is told to come back');
	like($fourth->{headers}{'retry-after'}, qr/^[1-8]$/, 'and when');
	is($fourth->{headers}{connection}, 'close', 'on another connection');
	http_send($sockets[0], "$get\r\n");
	is(http_read($sockets[0])->{status}, 200, 'they keep it');
	is(effects($node, 'GET /fourth'), 0, 'the fourth costs the database nothing');
	close $sockets[0];
	my $status;
	do { $status = http_request($few, 'GET', '/fifth')->{status} } while ($status == 503);
	is($status, 200, 'until there is room');
	is(proxy_stop($few), 0, 'stopped');
};

subtest 'a flood of broken connections leaves the proxy well' => sub {
	my $flooded = proxy_start($dir, @database, '--request-timeout', 1, '--pool', 1);
	my $files = sub { my @open = glob "/proc/$flooded->{pid}/fd/*"; return scalar @open };
	http_request($flooded, 'GET', '/x');
	my $before = $files->();
	my @sockets;
	for my $i (1 .. 300)
	{
		my $socket = http_connect($flooded);
		http_send($socket, substr("${post}Content-Length: 5\r\n\r\n12345", 0, $i % 60));
		push @sockets, $socket if $i % 3;
	}
	@sockets = ();
	my $answer = http_request($flooded, 'POST', '/echo?well', 'hi');
	is(decode_json($answer->{body})->{body}, unpack('H*', 'hi'), 'it serves as before');
	is(http_request($flooded, 'GET', '/healthz')->{status}, 200, 'and is healthy');
	select undef, undef, undef, 0.05 while $files->() > $before;
	pass('every connection is closed again');
	is(proxy_stop($flooded), 0, 'stopped');
};

is(effects($node, 'GET /smuggled'), 0, 'no smuggled request was ever called');
unlike(join("\n", proxy_log($proxy)), qr/[^\x20-\x7e\n]/, 'the log has printable ASCII only');
is(proxy_stop($proxy), 0, 'stopped');
is(proxy_errors($proxy), '', 'and nothing to complain about');

done_testing();
