# The proxy when the database fails: no answer before the commit, no second POST, and a
# clear 503 while the database is away.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use IPC::Run;
use POSIX ();
use Socket qw(AF_UNIX INADDR_LOOPBACK PF_INET PF_UNSPEC SHUT_WR SOCK_STREAM SOL_SOCKET SO_LINGER
  pack_sockaddr_in unpack_sockaddr_in);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ProxyClient;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('proxy');
$node->init;
# A killed backend restarts the server; the test framework's default is to stay down.
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
install_stand_in($node);
my @database = ('--conninfo', conninfo($node));
my $proxy = proxy_start($dir, @database);

# A request that is under way: the socket to read its answer from.
sub start_request
{
	my ($to, $method, $target) = @_;
	my $socket = http_connect($to);
	http_send($socket, "$method $target HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	return $socket;
}

# The process that runs a call.
sub busy_backend
{
	return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity
		WHERE application_name = 'openid4vci-proxy' AND state = 'active'});
}

sub await_server
{
	select undef, undef, undef, 0.05 while scalar($node->psql('postgres', 'SELECT')) != 0;
	return;
}

my $unknown = qr/may or may not have taken effect/;

subtest 'an error behind the row is no 200' => sub {
	for my $method ('GET', 'POST')
	{
		my $answer = http_request($proxy, $method, '/late-error?23514');
		is($answer->{status}, 500, "$method: a constraint that fails at commit");
		is($answer->{headers}{'cache-control'}, 'no-store', "$method: no-store");
		unlike($answer->{body}, qr/secret|23514/, "$method: no detail");
		is(effects($node, "$method /late-error?23514"), 0, "$method: nothing was committed");
	}
	is(http_request($proxy, 'POST', '/late-error?53200')->{status}, 503,
		'out of memory at commit');
	my $answer = http_request($proxy, 'GET', '/x');
	is($answer->{body}, '/x', 'the connection still serves, with its own answers');
};

subtest 'no byte before the commit' => sub {
	close_gates($node);
	my $socket = start_request($proxy, 'POST', '/late-wait?commit');
	await_active($node, 1);
	ok(!IO::Select->new($socket)->can_read(0), 'nothing is sent while the commit waits');
	is(effects($node, 'POST /late-wait?commit'), 0, 'nothing is committed');
	open_gate($node, 'commit');
	is(http_read($socket)->{status}, 200, 'the answer comes behind the commit');
	is(effects($node, 'POST /late-wait?commit'), 1, 'which is there');
};

# Sits between the proxy and the server. With "hold", the server's last message of each
# call (ReadyForQuery) waits for a line on the returned control socket; with "cut", the
# call's answer is thrown away and the connection closed, when the commit is long done.
sub start_relay
{
	my ($mode) = @_;
	my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
	  or die "relay: $!";
	socketpair(my $control, my $other, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		close $control;
		run_relay($mode, $listener, $other);
		POSIX::_exit(0);
	}
	close $other;
	return { port => $listener->sockport, control => $control, pid => $pid };
}

sub run_relay
{
	my ($mode, $listener, $control) = @_;
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	while (my $client = $listener->accept)
	{
		my $server = IO::Socket::UNIX->new(Peer => $path) or next;
		my $both = IO::Select->new($client, $server);
		my $call = 0;
		relay: for (;;)
		{
			for my $from ($both->can_read)
			{
				sysread($from, my $bytes, 1 << 20) or last relay;
				$call ||= $from == $client && $bytes =~ /openid4vci-relay-call/;
				if ($from == $server && $call)
				{
					# Everything up to and with ReadyForQuery.
					while ($bytes !~ /Z\x00\x00\x00\x05I\z/)
					{
						sysread($server, $bytes, 1 << 20, length $bytes) or last;
					}
					syswrite $control, "answered\n";
					last relay if $mode eq 'cut';
					syswrite $client, substr($bytes, 0, -6);
					sysread $control, my $line, 100;
					$bytes = substr $bytes, -6;
					$call = 0;
				}
				syswrite $from == $client ? $server : $client, $bytes;
			}
		}
		$_->close for $client, $server;
	}
	return;
}

sub stop_relay
{
	my ($relay) = @_;
	kill 'KILL', $relay->{pid};
	waitpid $relay->{pid}, 0;
	return;
}

sub through_relay
{
	my ($relay) = @_;
	return ('--conninfo',
		"host=127.0.0.1 port=$relay->{port} dbname=postgres sslmode=disable gssencmode=disable");
}

subtest 'the answer waits for ReadyForQuery' => sub {
	my $relay = start_relay('hold');
	my $held = proxy_start($dir, through_relay($relay));
	my $socket = start_request($held, 'POST', '/held?openid4vci-relay-call');
	sysread $relay->{control}, my $line, 100;
	is(effects($node, 'POST /held?openid4vci-relay-call'), 1, 'the call is committed');
	# The row lies at the proxy; were it sent on at once, it would be here by now.
	select undef, undef, undef, 0.5;
	ok(!IO::Select->new($socket)->can_read(0), 'a row without ReadyForQuery is not sent');
	syswrite $relay->{control}, "go\n";
	is(http_read($socket)->{status}, 200, 'it is sent behind ReadyForQuery');
	is(proxy_stop($held), 0, 'stopped');
	stop_relay($relay);
};

subtest 'a POST whose commit nobody confirmed is not sent again' => sub {
	for my $options ([], ['--no-prepare'])
	{
		my $relay = start_relay('cut');
		my $cut = proxy_start($dir, through_relay($relay), @$options);
		my $target = '/cut' . @$options . '?openid4vci-relay-call';
		my $answer = http_request($cut, 'POST', $target);
		is($answer->{status}, 503, "@$options POST: 503");
		like($answer->{body}, $unknown, "@$options POST: the text tells the truth");
		is($answer->{headers}{'cache-control'}, 'no-store', "@$options POST: no-store");
		is($answer->{headers}{'retry-after'}, undef, "@$options POST: no call to retry");
		is(effects($node, "POST $target"), 1, "@$options POST: one effect");
		$answer = http_request($cut, 'GET', $target);
		is($answer->{status}, 503, "@$options GET: 503");
		unlike($answer->{body}, $unknown, "@$options GET: it may simply be asked again");
		is(effects($node, "GET $target"), 2, "@$options GET: sent again, once");
		is(proxy_stop($cut), 0, 'stopped');
		stop_relay($relay);
	}
};

subtest 'a backend that dies' => sub {
	is(http_request($proxy, 'POST', '/die')->{status}, 503, 'POST: terminated in the call');
	is(http_request($proxy, 'GET', '/die')->{status}, 503, 'GET: terminated each time');
	reset_attempts($node);
	is(http_request($proxy, 'GET', '/die-once')->{status}, 200, 'GET: sent again');
	is(attempts($node), 2, 'GET: once');
	reset_attempts($node);
	my $answer = http_request($proxy, 'POST', '/die-once');
	is($answer->{status}, 503, 'POST: not sent again');
	like($answer->{body}, $unknown, 'POST: and told so');
	is(attempts($node), 1, 'POST: one attempt');

	for my $where ('gate', 'late-wait')
	{
		close_gates($node);
		my $socket = start_request($proxy, 'POST', "/$where?terminate");
		await_active($node, 1);
		my $pid = busy_backend();
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
		is(http_read($socket)->{status}, 503, "$where: pg_terminate_backend");
		is(effects($node, "POST /$where?terminate"), 0, "$where: nothing was committed");

		$socket = start_request($proxy, 'POST', "/$where?kill");
		await_active($node, 1);
		kill 'KILL', busy_backend();
		$answer = http_read($socket);
		is($answer->{status}, 503, "$where: kill -9");
		like($answer->{body}, $unknown, "$where: kill -9 is told as unknown");
		await_server();
		is(effects($node, "POST /$where?kill"), 0, "$where: nothing was committed");
	}
	# The proxy asks again by itself, at most two seconds apart.
	my $status;
	do { $status = http_request($proxy, 'GET', '/x')->{status} } while ($status == 503);
	is($status, 200, 'after the crash, it serves again');
};

subtest 'idle connections that died are replaced, unseen' => sub {
	for my $method ('GET', 'POST')
	{
		http_request($proxy, 'GET', '/x');
		$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000)
			FROM pg_stat_activity WHERE application_name = 'openid4vci-proxy'});
		is(http_request($proxy, $method, '/y')->{status}, 200, $method);
	}
};

subtest 'serialization failures and deadlocks are retried' => sub {
	for my $path ('/conflict', '/late-conflict', '/deadlock')
	{
		reset_attempts($node);
		my $answer = http_request($proxy, 'POST', "$path?3");
		is($answer->{status}, 200, "$path: the fourth attempt succeeds");
		is(attempts($node), 4, "$path: four attempts");
		is(effects($node, "POST $path?3"), 1, "$path: one effect");
		reset_attempts($node);
		$answer = http_request($proxy, 'POST', "$path?1000");
		is($answer->{status}, 503, "$path: there is an end to it");
		cmp_ok($answer->{headers}{'retry-after'}, '>', 0, "$path: Retry-After");
		like($answer->{body}, qr/Nothing was changed/, "$path: a certain rollback is told so");
		is(attempts($node), 6, "$path: six attempts");
	}
};

subtest 'errors by their SQLSTATE' => sub {
	my %expected = (
		'55P03' => 503, '57014' => 503, '53200' => 503, '53300' => 503, '57P01' => 503,
		'57P03' => 503, '25006' => 503, '23505' => 500, '22P02' => 500, 'XX000' => 500,
		'P0001' => 500);
	for my $sqlstate (sort keys %expected)
	{
		my $answer = http_request($proxy, 'POST', "/raise?$sqlstate");
		is($answer->{status}, $expected{$sqlstate}, "$sqlstate: status");
		is(defined $answer->{headers}{'retry-after'}, $expected{$sqlstate} == 503,
			"$sqlstate: Retry-After");
		unlike($answer->{body}, qr/secret|$sqlstate/, "$sqlstate: no detail");
		like($answer->{body}, qr/Nothing was changed/, "$sqlstate: a certain rollback");
		is($answer->{headers}{'content-type'}, 'text/plain; charset=utf-8', "$sqlstate: type");
	}
	my $errors = proxy_errors($proxy);
	like($errors, qr/database error 23505/, 'the operator is told the SQLSTATE');
	unlike($errors, qr/secret/, 'but not the message, which may hold data');
	my $verbose = proxy_start($dir, @database, '--verbose');
	http_request($verbose, 'POST', '/raise?23505');
	like(proxy_errors($verbose), qr/database error 23505: early and secret/, 'unless --verbose');
	is(proxy_stop($verbose), 0, 'stopped');
};

subtest 'a statement timeout of the role' => sub {
	$node->safe_psql('postgres', q{CREATE ROLE hasty LOGIN SUPERUSER;
		ALTER ROLE hasty SET statement_timeout = '100ms'});
	my $hasty = proxy_start($dir, '--conninfo', conninfo($node) . ' user=hasty');
	my $answer = http_request($hasty, 'POST', '/gate?never');
	is($answer->{status}, 503, 'status');
	like($answer->{body}, qr/Nothing was changed/, 'a certain rollback');
	is(proxy_stop($hasty), 0, 'stopped');
};

subtest '--database-timeout' => sub {
	close_gates($node);
	my $short = proxy_start($dir, @database, '--database-timeout', 1);
	my $answer = http_request($short, 'POST', '/gate?slow');
	is($answer->{status}, 503, 'a call that does not end: 503');
	like($answer->{body}, $unknown, 'its fate is unknown');
	await_active($node, 1);
	open_gate($node, 'slow');
	await_active($node, 0);
	is(effects($node, 'POST /gate?slow'), 1, 'the database was not told to cancel it');
	# on a busy machine a new connection may take longer than that second
	my $status;
	do { $status = http_request($short, 'GET', '/x')->{status} } while ($status == 503);
	is($status, 200, 'the next request is served');
	is(proxy_stop($short), 0, 'stopped');
};

subtest 'a client that hangs up cancels nothing' => sub {
	close_gates($node);
	my $socket = start_request($proxy, 'POST', '/gate?hangup');
	await_active($node, 1);
	# A reset, so that the proxy cannot but notice when it sends.
	setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) or die $!;
	close $socket;
	open_gate($node, 'hangup');
	await_active($node, 0);
	is(effects($node, 'POST /gate?hangup'), 1, 'its call was committed');
	is(http_request($proxy, 'GET', '/x')->{body}, '/x', 'the next one gets its own answer');
	# the next answer may be faster than the line of the former
	my $line;
	select undef, undef, undef, 0.02 until ($line) = grep { /hangup/ } proxy_log($proxy);
	like($line, qr{POST /gate 200 0 \d+ hangup$}, 'the log tells that nobody took the answer');

	$socket = start_request($proxy, 'POST', '/half');
	shutdown $socket, SHUT_WR;
	is(http_read($socket)->{body}, '/half', 'one that only stops sending gets its answer');
};

subtest 'more requests than the pool and the queue hold' => sub {
	close_gates($node);
	my $narrow = proxy_start($dir, @database, '--pool', 1, '--queue', 1, '--queue-timeout', 1);
	my $running = start_request($narrow, 'POST', '/gate?narrow');
	await_active($node, 1);
	# One of these two waits in the queue, and the other finds it full.
	my @answers = map { http_read($_) } map { start_request($narrow, 'POST', "/n$_") } 1 .. 2;
	is($_->{status}, 503, 'no free connection: 503') for @answers;
	cmp_ok($_->{headers}{'retry-after'}, '>', 0, 'Retry-After') for @answers;
	open_gate($node, 'narrow');
	is(http_read($running)->{status}, 200, 'the one that ran is answered');
	is(effects($node, "POST /n$_"), 0, 'a request that was turned away has no effect') for 1 .. 2;
	is(http_request($narrow, 'GET', '/x')->{status}, 200, 'and there is room again');
	is(proxy_stop($narrow), 0, 'stopped');
};

subtest 'the database goes away and comes back' => sub {
	is(http_request($proxy, 'GET', '/readyz')->{status}, 200, 'ready');
	$node->stop('fast');
	for my $target ('/readyz', '/x', '/x')
	{
		my $answer = http_request($proxy, 'POST', $target);
		is($answer->{status}, 503, "$target: 503");
		cmp_ok($answer->{headers}{'retry-after'}, '>', 0, "$target: Retry-After");
		like($answer->{body}, qr/not reachable/, "$target: the text tells why");
		is($answer->{headers}{'cache-control'}, 'no-store', "$target: no-store");
	}
	is(http_request($proxy, 'GET', '/readyz')->{status}, 503, 'not ready');
	is(http_request($proxy, 'GET', '/healthz')->{status}, 200, 'but healthy');
	my @lost = proxy_errors($proxy) =~ /no connection to the database/g;
	$node->start;
	my $status;
	do { $status = http_request($proxy, 'GET', '/readyz')->{status} } while ($status == 503);
	is($status, 200, 'ready again, by itself');
	is(http_request($proxy, 'POST', '/back')->{status}, 200, 'and serving');
	like(proxy_errors($proxy), qr/the database is back/, 'the operator is told');
	cmp_ok(scalar(@lost), '<', 4, 'once for each outage, not once for each request');

	# in two steps: from 17 on restart waits for a clean end
	$node->stop('immediate');
	$node->start;
	do { $status = http_request($proxy, 'GET', '/x')->{status} } while ($status == 503);
	is($status, 200, 'again after an immediate restart');
};

subtest 'a database that was never there' => sub {
	my $lonely = proxy_start($dir, '--conninfo', "host=$dir password=sesame");
	is(http_request($lonely, 'GET', '/healthz')->{status}, 200, 'the proxy starts all the same');
	is(http_request($lonely, 'GET', '/x')->{status}, 503, 'and says 503');
	unlike(proxy_errors($lonely), qr/sesame/, 'no password in its messages');
	is(proxy_stop($lonely), 0, 'stopped');
	my @told = proxy_errors($lonely) =~ /no connection to the database: .*$dir/g;
	is(scalar @told, 1, 'the operator is told once');

	# Accepts, and never speaks.
	my $mute = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1');
	$lonely = proxy_start($dir, '--connect-timeout', 2, '--conninfo',
		'host=127.0.0.1 sslmode=disable port=' . $mute->sockport);
	is(http_request($lonely, 'GET', '/x')->{status}, 503, 'a server that does not speak: 503');
	is(proxy_stop($lonely), 0, 'stopped');
};

subtest 'what is wrong is told at the start' => sub {
	my %wrong = (
		'role' => [ 'user=no_such_role', qr/role "no_such_role" does not exist/ ],
		'database' => [ 'dbname=no_such_database', qr/database "no_such_database" does not exist/ ]);
	for my $what (sort keys %wrong)
	{
		my ($setting, $reason) = @{ $wrong{$what} };
		# Nobody asks it for anything.
		my $unasked = proxy_start($dir, '--conninfo', conninfo($node) . " $setting");
		like(proxy_errors($unasked), qr/warning: no connection to the database: .*$reason/,
			"unknown $what: the operator is told");
		is(http_request($unasked, 'GET', '/healthz')->{status}, 200, "unknown $what: it serves all the same");
		proxy_stop($unasked);
	}

	$node->safe_psql('postgres', 'CREATE ROLE without_duty LOGIN');
	my %roles = (
		"@database user=without_duty" => [ 503, qr/warning: .*this role cannot run openid4vci.vci_http here/ ],
		"@database" => [ 200, qr/^$/ ]);
	for my $options (sort keys %roles)
	{
		my ($status, $told) = @{ $roles{$options} };
		my $one = proxy_start($dir, split / /, $options, 2);
		like(proxy_errors($one), $told, "what is told at the start, when readiness is $status");
		is(http_request($one, 'GET', '/readyz')->{status}, $status, 'is so');
		proxy_stop($one);
	}
};

subtest 'a lost prepared statement is prepared again' => sub {
	my $one = proxy_start($dir, @database, '--pool', 1);
	http_request($one, 'GET', '/x');
	# What a pooler does behind our back.
	$node->safe_psql('postgres', <<'SQL');
CREATE OR REPLACE FUNCTION openid4vci.be_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DEALLOCATE ALL;
	RETURN NULL;
END $$
SQL
	is(http_request($one, 'POST', '/late-error?x')->{status}, 200, 'the statement is dropped');
	is(http_request($one, 'POST', '/again')->{status}, 200, 'the next call still succeeds');
	is(effects($node, 'POST /again'), 1, 'once');
	is(proxy_stop($one), 0, 'stopped');
};

subtest '--no-prepare behind PgBouncer in transaction mode' => sub {
	my ($program) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
	plan skip_all => 'pgbouncer is not installed' if !defined $program;

	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $host = $node->host;
	my $user = $node->safe_psql('postgres', 'SELECT current_user');
	open my $users, '>', "$dir/users.txt" or die $!;
	print $users qq("$user" ""\n);
	close $users;
	open my $ini, '>', "$dir/pgbouncer.ini" or die $!;
	print $ini <<"INI";
[databases]
postgres = host=$host port=@{[ $node->port ]} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $dir/users.txt
pool_mode = transaction
default_pool_size = 2
INI
	close $ini;
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>', "$dir/pgbouncer.log";
		open STDERR, '>&', \*STDOUT;
		exec { $program } 'pgbouncer', "$dir/pgbouncer.ini" or POSIX::_exit(127);
	}
	my $pooled = proxy_start($dir, '--no-prepare', '--pool', 6, '--conninfo',
		"host=127.0.0.1 port=$port dbname=postgres user=$user");
	my $status;
	do { $status = http_request($pooled, 'GET', '/readyz')->{status} } while ($status == 503);
	is($status, 200, 'ready');
	my @sockets = map { start_request($pooled, 'POST', "/echo?pooled$_") } 1 .. 60;
	my $right = 0;
	my %pids;
	for my $i (1 .. 60)
	{
		my $echo = http_read($sockets[ $i - 1 ]);
		next if $echo->{status} != 200;
		$echo = decode_json($echo->{body});
		$pids{ $echo->{pid} } = 1;
		$right++ if $echo->{target} eq "/echo?pooled$i";
	}
	is($right, 60, 'six connections over two of the pooler\'s: all answers are right');
	cmp_ok(scalar(keys %pids), '<=', 2, 'over two backends');
	is(http_request($pooled, 'POST', '/raise?23505')->{status}, 500, 'an error passes through');
	is(proxy_stop($pooled), 0, 'stopped');
	kill 'TERM', $pid;
	waitpid $pid, 0;
};

# Longer than any machine needs for the rest.
my $attempt_s = 60;

# A server that takes connections and never says a word, once somebody listens to it.
sub silent_server
{
	socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
	bind($server, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
	my ($port) = unpack_sockaddr_in(getsockname $server);
	return ($server, '--connect-timeout', $attempt_s, '--conninfo', "host=127.0.0.1 port=$port");
}

# A request whose connection attempt is under way, and what the attempt connected.
sub start_attempt
{
	my ($to, $server) = @_;
	for (;;)
	{
		my $request = start_request($to, 'GET', '/x');
		for my $ready (IO::Select->new($request, $server)->can_read)
		{
			next if $ready != $server;
			accept(my $attempt, $server) or die "accept: $!";
			return ($request, $attempt);
		}
		# the outage is young: nobody asks the database yet
	}
}

subtest 'SIGTERM while the database lets a connection wait' => sub {
	for my $how ('running requests have time', 'they have none')
	{
		my ($server, @options) = silent_server();
		my $other = proxy_start($dir, @options, '--pool', 1,
			$how eq 'they have none' ? ('--stop-timeout', 0) : ());
		listen $server, 5 or die "listen: $!";
		my $began = time;
		my ($request, $attempt) = start_attempt($other, $server);
		my $queued = start_request($other, 'POST', '/x');
		# two answers to later connections: by then the one event loop has read the earlier one
		http_request($other, 'GET', '/healthz') for 1 .. 2;
		kill 'TERM', $other->{pid};
		for my $waiting ($request, $queued)
		{
			my $answer = http_read($waiting);
			is($answer->{status}, 503, "$how: who waits for it is refused");
			like($answer->{body}, qr/is being stopped/, "$how: before the attempt has an end");
		}
		is(proxy_wait($other), 0, "$how: exit status 0");
		cmp_ok(time - $began, '<', $attempt_s, "$how: nor is its end waited for later");
	}

	my ($server, @options) = silent_server();
	listen $server, 5 or die "listen: $!";
	my $starting = IPC::Run::start([ proxy_program(), '--port', 0, @options ], \'', \my $out,
		\my $errors);
	accept(my $attempt, $server) or die "accept: $!";
	$starting->signal('TERM');
	$starting->finish;
	is(($starting->full_results)[0] & 127, POSIX::SIGTERM(), 'a proxy that starts ends at once');
	unlike($out, qr/listening/, 'before it listens');
};

is(proxy_stop($proxy), 0, 'stopped');

done_testing();
