# The proxy when nothing goes wrong: what goes in, what comes out, options, pages of its
# own, the log, and a graceful stop.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl qw(O_RDWR);
use IPC::Run qw(run);
use JSON::PP;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

use ProxyClient;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('proxy');
$node->init;
$node->start;
install_stand_in($node);
my @database = ('--conninfo', conninfo($node));

# What the program says of itself, and of wrong options.
sub words_of
{
	my @options = @_;
	my ($out, $err) = ('', '');
	run [ proxy_program(), @options ], '<', \undef, '>', \$out, '2>', \$err;
	return ($? >> 8, $out, $err);
}

subtest 'command line' => sub {
	my ($status, $out, $err) = words_of('--help');
	is($status, 0, '--help succeeds');
	for my $section ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'REFRESH-JWKS', 'ENVIRONMENT', 'SIGNALS',
		'EXIT STATUS', 'EXAMPLES')
	{
		like($out, qr/^\Q$section\E$/m, "--help has $section");
	}
	for my $option (qw(listen port conninfo pool no-prepare queue queue-timeout connect-timeout
		database-timeout request-timeout stop-timeout max-body max-header max-connections
		access-log verbose version help))
	{
		like($out, qr/^    --\Q$option\E /m, "--help tells of --$option");
	}
	is((words_of('-h'))[1], $out, '-h is the same');
	($status, $out) = words_of('--version');
	my $control = file_text("$FindBin::Bin/../../openid4vci.control");
	my ($version) = $control =~ /^default_version\s*=\s*'(.*)'/m;
	like($out, qr/^openid4vci-proxy \Q$version\E\nlibmicrohttpd [\d.]+, libpq [\d.]+, libcurl [\d.]+\n$/,
		'--version is the extension\'s');

	my %wrong = (
		'not a number' => [ [ '--port', 'http' ], qr/--port takes a whole number from 0 to 65535/ ],
		'too large' => [ [ '--port', '65536' ], qr/--port takes a whole number from 0 to 65535/ ],
		'too small' => [ [ '--pool', '0' ], qr/--pool takes a whole number from 1 to 1000/ ],
		'unknown' => [ ['--sessions=secret'], qr/unknown option --sessions;/ ],
		'unknown, short' => [ [ '-x', 'secret' ], qr/unknown option -x;/ ],
		'a value for a flag' => [ ['--verbose=secret'], qr/--verbose takes no value/ ],
		'less than libpq does' => [ [ '--connect-timeout', '1' ], qr/--connect-timeout takes a whole number from 2 to/ ],
		'no value' => [ ['--pool'], qr/--pool needs a value/ ],
		'a stray word' => [ ['dbname=x'], qr/belongs to no option.*--conninfo/ ],
		'bad conninfo' => [ [ '--conninfo', 'password=sesame host' ], qr/no connection string/ ],
	);
	for my $name (sort keys %wrong)
	{
		my ($options, $message) = @{ $wrong{$name} };
		($status, $out, $err) = words_of(@$options);
		is($status, 2, "$name: exit status");
		like($err, $message, "$name: says what to type");
		unlike($err, qr/secret|sesame/, "$name: repeats no value that may be a secret");
	}
	($status, $out, $err) = words_of('--listen', 'localhost');
	is($status, 1, 'an address that is none: exit status');
	like($err, qr/--listen takes an IPv4 or IPv6 address/, 'an address that is none: message');
	($status, $out, $err) = words_of('--access-log', "$dir/no/such/dir");
	like($err, qr{cannot open the access log .*/no/such/dir: No such file}, 'no log file');
};

my $proxy = proxy_start($dir, @database);

subtest 'a request reaches vci_http as it came' => sub {
	my $target = '/echo?a=%00%2F+b&a=2&=%zz#%41/../x';
	my $answer = http_request($proxy, 'POST', $target, "\0\xff\r\n",
		'X-Twice' => 'one', 'x-twice' => 'two', 'X-Forwarded-For' => '6.6.6.6',
		'Content-Type' => ' a/b; c="d"  ', 'X-Empty' => '', 'X-Text' => "h\xc3\xa4");
	is($answer->{status}, 200, 'status');
	is($answer->{headers}{'content-type'}, 'application/json', 'header from SQL');
	is($answer->{headers}{'content-length'}, length $answer->{body}, 'Content-Length');
	my $echo = decode_json($answer->{body});
	is($echo->{method}, 'POST', 'method');
	is($echo->{target}, $target, 'target, not decoded');
	is($echo->{body}, '00ff0d0a', 'body, byte by byte');
	is_deeply(
		$echo->{headers},
		[
			'Host', 'test', 'Connection', 'close', 'X-Twice', 'one', 'x-twice', 'two',
			'X-Forwarded-For', '6.6.6.6', 'Content-Type', 'a/b; c="d"', 'X-Empty', '',
			'X-Text', "h\x{e4}", 'Content-Length', '4'
		],
		'headers: order, duplicates, case');
	$echo = decode_json(http_request($proxy, 'GET', '/echo')->{body});
	is($echo->{body}, '', 'no body is an empty body');
	$echo = decode_json(http_request($proxy, 'BREW', '/echo')->{body});
	is($echo->{method}, 'BREW', 'any method is passed on');
	for my $target ('*', 'http://a:b@c/echo?d', '//echo')
	{
		$echo = http_request($proxy, 'OPTIONS', $target);
		is($echo->{status}, 200, "target $target is passed on");
	}
	my $body = join '', map { chr($_ % 256) } 1 .. 300_000;
	$echo = decode_json(http_request($proxy, 'POST', '/echo', $body)->{body});
	ok($echo->{body} eq unpack('H*', $body), 'a large body arrives whole');
	$echo = decode_json(
		http_raw($proxy, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			  . "3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n")->{body});
	is($echo->{body}, unpack('H*', 'abcde'), 'a chunked body arrives whole');
};

subtest 'the answer leaves as vci_http gave it' => sub {
	my $headers = '{Cache-Control,no-store,Set-Cookie,a,Set-Cookie,b,'
	  . 'Connection,close,Keep-Alive,x,Transfer-Encoding,chunked,Upgrade,h2,Trailer,x,TE,x,'
	  . 'X-Empty,"",Content-Length,4}';
	my $answer = http_request($proxy, 'POST', '/headers', $headers);
	is($answer->{status}, 200, 'status');
	is_deeply(
		[ grep { !/^Date$|GMT$/ } @{ $answer->{pairs} } ],
		[
			'Connection', 'close', 'Cache-Control', 'no-store', 'Set-Cookie', 'a',
			'Set-Cookie', 'b', 'Content-Length', '4'
		],
		'order and duplicates are kept, hop-by-hop fields and empty ones are not');
	is($answer->{body}, 'done', 'body');
	is(http_request($proxy, 'GET', "/status?$_")->{status}, $_, "status $_")
	  for 201, 204, 302, 400, 404, 418, 500, 599;
	$answer = http_request($proxy, 'GET', '/bytes?3000000');
	ok($answer->{body} eq 'x' x 3_000_000, 'a large body');
	$answer = http_request($proxy, 'GET', '/bytes?0');
	is($answer->{headers}{'content-length'}, 0, 'an empty body has length 0');
};

subtest 'HEAD and 304' => sub {
	my $get = http_request($proxy, 'GET', '/bytes?17');
	my $socket = http_connect($proxy);
	http_send($socket, "HEAD /bytes?17 HTTP/1.1\r\nHost: a\r\n\r\n");
	my $head = http_read($socket, 'HEAD');
	is($head->{headers}{'content-length'}, 17, 'HEAD: the length that GET has');
	http_send($socket, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	like(http_read_all($socket), qr{^HTTP/1\.1 200}, 'HEAD: no body precedes the next answer');
	is(effects($node, 'HEAD /bytes?17'), 1, 'HEAD: vci_http sees the method');

	# Without content nobody knows the length that GET would have: no 0 is made up.
	my $bare = "Host: a\r\nContent-Length:";
	$head = http_raw($proxy, "HEAD /bare?200 HTTP/1.1\r\n$bare 2\r\n\r\n{}", 'HEAD');
	is($head->{status}, 200, 'HEAD without content');
	is($head->{headers}{'content-length'}, undef, 'HEAD without content: no length');
	is(http_read_all($head->{socket}), '', 'HEAD without content: nothing follows');
	for my $line ('HEAD /bare?200', 'GET /bare?304')
	{
		$head = http_raw($proxy, "$line HTTP/1.1\r\n$bare 19\r\n\r\n{Content-Length,99}", 'HEAD');
		is($head->{headers}{'content-length'}, 99, "$line: the length that vci_http states");
		http_send($head->{socket}, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
		like(http_read_all($head->{socket}), qr{^HTTP/1\.1 200}, "$line: nothing in between");
	}
	$head = http_raw($proxy, "GET /bare?304 HTTP/1.1\r\n$bare 2\r\n\r\n{}", 'HEAD');
	is($head->{headers}{'content-length'}, undef, '304: no length is made up');
	is(http_read_all($head->{socket}), '', '304: nothing follows');
};

subtest 'answers that HTTP cannot carry are 500' => sub {
	my %wrong = (
		'CR LF in a value' => '{X,"a\r\nSet-Cookie: b"}',
		'LF in a value' => "{X,\"a\nb\"}",
		'CR LF in a name' => "{\"X\r\nY\",a}",
		'an empty name' => '{"",a}',
		'a name without a value' => '{X,a,Y}',
		'a NULL value' => '{X,NULL}',
		'two dimensions' => '{{X,a},{Y,b}}',
		'a wrong length' => '{Content-Length,many}',
		'nine KiB of headers' => '{X,' . 'a' x 9000 . '}',
		'a hundred headers' => '{' . join(',', ('X,a') x 100) . '}',
	);
	$wrong{'CR LF in a value'} = "{X,\"a\r\nSet-Cookie: b\"}";
	for my $name (sort keys %wrong)
	{
		my $answer = http_request($proxy, 'POST', '/headers', $wrong{$name});
		is($answer->{status}, 500, $name);
		is($answer->{headers}{'set-cookie'}, undef, "$name: no header was injected");
		like($answer->{body}, qr/^The service gave an answer that cannot be sent/, "$name: text");
	}
	is(http_request($proxy, 'GET', "/status?$_")->{status}, 500, "status $_")
	  for 0, 99, 101, 199, 600, -1;
	is(http_request($proxy, 'GET', '/null')->{status}, 500, 'NULL');
	is(http_request($proxy, 'GET', '/null-in-row?200')->{status}, 500, 'NULL as status');
	is(http_request($proxy, 'GET', '/null-in-row?0')->{status}, 500, 'NULL as headers');
	my $empty = http_request($proxy, 'GET', '/null-body');
	is("$empty->{status} [$empty->{body}]", '200 []', 'NULL as body: an empty one');
	is(http_request($proxy, 'GET', '/x')->{status}, 200, 'the connection still serves');
};

subtest 'keep-alive and pipelining' => sub {
	my $socket = http_connect($proxy);
	my $post = "POST /echo?p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
	http_send($socket, join '', (map { "GET /one$_ HTTP/1.1\r\nHost: a\r\n\r\n" } 1 .. 5), $post,
		"GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
	is(http_read($socket)->{body}, "/one$_", "pipelined answer $_") for 1 .. 5;
	is(decode_json(http_read($socket)->{body})->{body}, unpack('H*', 'hi'), 'pipelined POST');
	is(http_read($socket)->{body}, '/two', 'the answer behind it');
	http_send($socket, "GET /three HTTP/1.1\r\nHost: a\r\n\r\n");
	is(http_read($socket)->{body}, '/three', 'the connection is still open');
	my $old = http_raw($proxy, "GET /old HTTP/1.0\r\n\r\n");
	is($old->{body}, '/old', 'HTTP/1.0 without Host');
	is(http_read_all($old->{socket}), '', 'HTTP/1.0: closed behind the answer');
};

subtest 'health and readiness' => sub {
	for my $page ('/healthz', '/readyz')
	{
		is(http_request($proxy, 'GET', $page)->{status}, 200, "GET $page");
		my $head = http_request($proxy, 'HEAD', $page);
		is_deeply([ $head->{status}, $head->{body} ], [ 200, '' ], "HEAD $page");
		is(effects($node, "GET $page"), 0, "$page is not for vci_http");
		is(http_request($proxy, 'POST', $page, '')->{body}, $page, "POST $page is");
		is(http_request($proxy, 'GET', "$page/x")->{body}, "$page/x", "$page/x is");
	}
	is(http_request($proxy, 'GET', '/readyz')->{headers}{'cache-control'}, 'no-store', 'no-store');

	$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
	my $other = proxy_start($dir, '--conninfo', conninfo($node) . ' user=stranger');
	my $answer = http_request($other, 'GET', '/readyz');
	is($answer->{status}, 503, 'a role without the schema is not ready');
	$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA openid4vci TO stranger;'
		  . 'REVOKE EXECUTE ON FUNCTION openid4vci.vci_http FROM PUBLIC');
	$answer = http_request($other, 'GET', '/readyz');
	is($answer->{status}, 503, 'a role without EXECUTE is not ready');
	like($answer->{body}, qr/this role cannot run openid4vci.vci_http/, 'and is told why');
	is(http_request($other, 'GET', '/healthz')->{status}, 200, 'but healthy');
	$node->safe_psql('postgres',
		'GRANT EXECUTE ON FUNCTION openid4vci.vci_http TO stranger');
	is(http_request($other, 'GET', '/readyz')->{status}, 200, 'a role with EXECUTE is ready');
	is(proxy_stop($other), 0, 'stopped');
	$other = proxy_start($dir, '--conninfo', $node->connstr('template1'));
	is(http_request($other, 'GET', '/readyz')->{status}, 503, 'no function, not ready');
	is(http_request($other, 'GET', '/x')->{status}, 500, 'no function, 500');
	is(proxy_stop($other), 0, 'stopped');
};

subtest 'many at once, few connections' => sub {
	my $few = proxy_start($dir, @database, '--pool', 4);
	is(http_request($few, 'GET', "/n$_")->{status}, 200, "one after the other: $_") for 1 .. 5;
	my %pids = map { decode_json(http_request($few, 'GET', '/echo')->{body})->{pid} => 1 } 1 .. 5;
	# A connection that has just answered may not be idle yet when the next request comes.
	cmp_ok(scalar(keys %pids), '<', 4, 'requests one after the other come to the same connections');
	my @sockets = map { http_connect($few) } 1 .. 200;
	http_send($sockets[$_], "GET /echo?$_ HTTP/1.1\r\nHost: a\r\n\r\n") for 0 .. 199;
	my $right = 0;
	for my $i (0 .. 199)
	{
		my $answer = http_read($sockets[$i]);
		next if $answer->{status} != 200;
		my $echo = decode_json($answer->{body});
		$pids{ $echo->{pid} } = 1;
		$right++ if $echo->{target} eq "/echo?$i";
	}
	is($right, 200, '200 clients at once get each their own answer');
	cmp_ok(scalar(keys %pids), '<=', 4, 'over at most four connections');
	is(proxy_stop($few), 0, 'stopped');
};

subtest 'IPv6, environment, and a password' => sub {
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	my $other = proxy_start($dir);
	is(http_request($other, 'GET', '/x')->{status}, 200, 'the database from the environment');
	is(proxy_stop($other), 0, 'stopped');
	$other = proxy_start($dir, '--conninfo', 'password=sesame dbname=postgres');
	my $command = file_text("/proc/$other->{pid}/cmdline");
	unlike($command, qr/sesame/, 'ps does not show a password');
	like(proxy_errors($other), qr/PGPASSFILE/, 'and a warning tells where it belongs');
	unlike(proxy_errors($other), qr/sesame/, 'without repeating it');
	is(http_request($other, 'GET', '/x')->{status}, 200, 'it still connects');
	is(proxy_stop($other), 0, 'stopped');

	SKIP:
	{
		skip 'no IPv6 here', 2 if !-s '/proc/net/if_inet6';
		$other = proxy_start($dir, '--listen', '::1');
		like(file_text($other->{out}), qr{listening on http://\[::1\]:\d+\n}, 'IPv6');
		require IO::Socket::IP;
		my $socket = IO::Socket::IP->new(PeerHost => '::1', PeerPort => $other->{port});
		http_send($socket, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
		is(http_read($socket)->{body}, '/x', 'a request over IPv6');
		proxy_stop($other);
	}
};

subtest 'access log' => sub {
	my $log = "$dir/access.log";
	my $other = proxy_start($dir, @database, '--access-log', $log);
	my $ticket = 'Abcdefghijklmnopqrstuvwxyz0123456789-_AB';
	http_request($other, 'POST', '/token?code=secret1', 'secret2', Authorization => 'secret3');
	http_request($other, 'GET', "/api/offer/$ticket?secret4");
	http_request($other, 'GET', '/api/Offer/short/secret5');
	http_request($other, 'POST', '/o/secret8', '');
	http_request($other, 'GET', '/O/short/secret9');
	http_request($other, 'GET', "/elsewhere/$ticket/x");
	http_request($other, 'GET', 'http://secret6:secret7@h/x');
	http_request($other, 'GET', "/h\xc3\xa4\"\\");
	http_request($other, 'GET', '/' . 'a/' x 2000);
	http_request($other, 'HEAD', '/bytes?100');
	rename $log, "$log.1" or die $!;
	http_request($other, 'GET', '/before-hup');
	# who has read an answer may be faster than its line
	select undef, undef, undef, 0.02 while file_text("$log.1") !~ /before-hup/;
	kill 'HUP', $other->{pid};
	select undef, undef, undef, 0.02 while !-e $log;
	http_request($other, 'GET', '/after-hup');
	is(proxy_stop($other), 0, 'stopped');

	my @lines = split /\n/, file_text("$log.1");
	my $start = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1/;
	like($lines[0], qr{$start POST /token 200 \d+ \d+$}, 'time, address, method, path, numbers');
	like($lines[1], qr{$start GET /api/offer/\* 200}, 'no ticket below /offer/');
	like($lines[2], qr{$start GET /api/Offer/\* 200}, 'in no spelling');
	like($lines[3], qr{$start POST /o/\* 200}, 'no code of a short link, not even a part of it');
	like($lines[4], qr{$start GET /O/\* 200}, 'in no spelling');
	like($lines[5], qr{$start GET /elsewhere/\*/x 200}, 'no ticket elsewhere');
	like($lines[6], qr{$start GET - 200}, 'no absolute URI');
	like($lines[7], qr{$start GET /h\\xc3\\xa4\\x22\\x5c 200}, 'other bytes are escaped');
	like($lines[8], qr{$start GET /a/a/[a/]+ 200}, 'a long path is cut');
	like($lines[9], qr{$start HEAD /bytes 200 0 }, 'HEAD sends no bytes');
	like($lines[10], qr{GET /before-hup}, 'the renamed file is used until SIGHUP');
	my $all = file_text("$log.1") . file_text($log) . file_text($other->{out});
	unlike($all, qr/secret|\Q$ticket\E/, 'no secret anywhere');
	like(file_text($log), qr{^\S+ 127.0.0.1 GET /after-hup 200 \d+ \d+$}, 'SIGHUP reopens');
	unlike(proxy_errors($other), qr/./, 'and nothing on stderr');
};

subtest 'an access log that nobody reads' => sub {
	my $pipe = "$dir/pipe";
	mkfifo($pipe, 0600) or die $!;
	sysopen my $reader, $pipe, O_RDWR or die $!;
	my $other = proxy_start($dir, @database, '--access-log', $pipe);
	my $long = '/' . 'a/' x 400;
	my $served = 0;
	# far more than a pipe holds (64 KiB), and the proxy itself
	$served += http_request($other, 'GET', $long)->{status} == 200 for 1 .. 400;
	is($served, 400, 'everybody is served');
	like(proxy_errors($other), qr/^openid4vci-proxy: nobody reads the access log; .*\n$/,
		'the operator is told, once');

	my ($text, $complete) = ('', qr{^\S+ \S+ GET [/a]+ 200 \d+ \d+$});
	until ($text =~ m{ GET /read })
	{
		sysread $reader, $text, 65536, length $text or die $!;
		http_request($other, 'GET', '/read');
	}
	is(scalar(grep { !m{$complete|GET /read 200} } split /\n/, $text), 0, 'no line is broken');
	my ($lost) = proxy_errors($other) =~ /the access log is read again; (\d+) lines are lost/;
	is($lost + grep({ /$complete/ } split /\n/, $text), 400, 'the lines that are lost are counted');

	http_request($other, 'GET', $long) for 1 .. 400;
	is(proxy_stop($other), 0, 'it can be stopped');
};

subtest 'graceful stop' => sub {
	close_gates($node);
	my $other = proxy_start($dir, @database);
	my $idle = http_connect($other);
	http_send($idle, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read($idle);
	my $reading = http_connect($other);
	http_send($reading, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na");
	my $running = http_connect($other);
	http_send($running, "POST /gate?stop HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	await_active($node, 1);
	kill 'TERM', $other->{pid};
	my $refused;
	do
	{
		$refused = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $other->{port});
	} while ($refused);
	pass('nobody new gets in');
	http_send($reading, 'b');
	my $answer = http_read($reading);
	is($answer->{status}, 200, 'a request that was being read is answered');
	open_gate($node, 'stop');
	$answer = http_read($running);
	is($answer->{status}, 200, 'a request that was running is answered');
	is($answer->{headers}{connection}, 'close', 'and told that the connection ends');
	is(http_read_all($idle), '', 'idle connections are closed');
	is(proxy_wait($other), 0, 'exit status 0');
	is(effects($node, 'POST /gate?stop'), 1, 'the running request was committed once');

	close_gates($node);
	for my $how ('the time limit', 'a second signal')
	{
		$other = proxy_start($dir, @database, '--pool', 1,
			$how eq 'the time limit' ? ('--stop-timeout', 1) : ());
		$running = http_connect($other);
		http_send($running, "POST /gate?never HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
		await_active($node, 1);
		my $queued = http_connect($other);
		http_send($queued, "GET /queued HTTP/1.1\r\nHost: a\r\n\r\n");
		# two answers to later connections: by then the one event loop has read the earlier one
		http_request($other, 'GET', '/healthz') for 1 .. 2;
		# and their lines in the log: an answer that is read may not have ended yet
		usleep(10_000) until (grep { /\/healthz/ } proxy_log($other)) == 2;
		kill 'INT', $other->{pid};
		if ($how ne 'the time limit')
		{
			do
			{
				$refused =
				  IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $other->{port});
			} while ($refused);
			kill 'TERM', $other->{pid};
		}
		isnt(http_read($running)->{status}, 200, "$how: no success for what did not end");
		isnt(http_read($queued)->{status}, 200, "$how: nor for what waited");
		is(proxy_wait($other), 0, "$how: exit status 0");
		like(proxy_errors($other), qr/stopping with 2 requests unfinished/, "$how: says so");
		$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = 'openid4vci-proxy' AND state = 'active'});
		await_active($node, 0);
	}
};

is(proxy_stop($proxy), 0, 'SIGTERM ends the proxy with status 0');
like(proxy_errors($proxy), qr/^openid4vci-proxy: openid4vci\.vci_http gave a status that is not/m,
	'what vci_http gave wrong is told to the operator');
unlike(proxy_errors($proxy), qr/Set-Cookie/, 'without its content');

done_testing();
