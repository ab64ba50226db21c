# The proxy when far more clients come than it has room for: each is served or told when to
# come back, nobody is reset or kept waiting, and afterwards it serves as before.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
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

# A client that has sent its request: the socket to read the answer from.
sub start_request
{
	my ($proxy, $target, $body) = @_;
	my $socket = http_connect($proxy);
	my $length = length($body // '');
	http_send($socket,
		"POST $target HTTP/1.1\r\nHost: a\r\nContent-Length: $length\r\n\r\n" . ($body // ''));
	return $socket;
}

# All are 503 and say when to come back, not all at the same time.
sub are_turned_away
{
	my ($name, @answers) = @_;
	my %seconds = map { ($_->{headers}{'retry-after'} // 'never') => 1 } @answers;
	is(scalar(grep { $_->{status} != 503 } @answers), 0, "$name: each is told 503");
	is(scalar(grep { !/^[1-8]$/ } keys %seconds), 0, "$name: and when to come back");
	cmp_ok(scalar keys %seconds, '>', 1, "$name: not all at once");
	is(scalar(grep { $_->{headers}{'cache-control'} ne 'no-store' } @answers), 0, "$name: no-store");
	return;
}

subtest 'more requests than pool, queue and connections hold' => sub {
	close_gates($node);
	my $proxy = proxy_start($dir, @database, '--pool', 2, '--queue', 6, '--queue-timeout', 600,
		'--max-connections', 20);
	my @first = map { start_request($proxy, '/gate?burst') } 1 .. 2;
	await_active($node, 2);
	my $waiting = IO::Select->new(map { start_request($proxy, "/many$_") } 1 .. 100);
	my @told;
	# All but six are answered while the gate is shut.
	while ($waiting->count > 6)
	{
		for my $socket ($waiting->can_read)
		{
			push @told, http_read($socket);
			$waiting->remove($socket);
		}
	}
	are_turned_away('queue', @told);
	open_gate($node, 'burst');
	is(scalar(grep { http_read($_)->{status} != 200 } @first, $waiting->handles), 0,
		'those who run and those who wait in the queue are served');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM openid4vci.effect WHERE what ~ 'many'}), 6,
		'nobody else had an effect');
	is(http_request($proxy, 'GET', '/x')->{status}, 200, 'it serves on');
	is(proxy_stop($proxy), 0, 'stopped');
	is(proxy_errors($proxy), '', 'and nothing to complain about');
};

subtest 'clients that take every place' => sub {
	my $proxy = proxy_start($dir, @database, '--max-connections', 4);
	my @idle = map { http_connect($proxy) } 1 .. 4;
	my @many = map { start_request($proxy, '/crowd') } 1 .. 60;
	# Larger than what the door reads at a time: a reset would take the answer away.
	push @many, start_request($proxy, '/crowd', 'a' x 100_000);
	my $mute = http_connect($proxy);
	are_turned_away('door', map { http_read($_) } @many);
	is(http_read_all($_), '', 'and no word more') for @many[ 0, 60 ];
	is(http_read_all($mute), '', 'one that says nothing is parted with');
	is(effects($node, 'POST /crowd'), 0, 'the database is not asked');
	# who is parted with may be faster than the log
	my $told = sub { scalar grep { / - - 503 \d+ \d+$/ } proxy_log($proxy) };
	select undef, undef, undef, 0.02 while $told->() < 61;
	is($told->(), 61, 'the log tells of each');

	close pop @idle;
	my $status;
	do { $status = http_request($proxy, 'GET', '/x')->{status} } while ($status == 503);
	is($status, 200, 'there is a place again');
	http_send($_, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n") for @idle;
	is(http_read($_)->{status}, 200, 'and who had one is served') for @idle;
	is(proxy_stop($proxy), 0, 'stopped');
	is(proxy_errors($proxy), '', 'and nothing to complain about');
};

subtest 'who waits at the door gets the place of one who leaves' => sub {
	my $proxy = proxy_start($dir, @database, '--max-connections', 1);
	my $first = start_request($proxy, '/first');
	is(http_read($first)->{status}, 200, 'the first is served');
	my $next = start_request($proxy, '/next');
	close $first;
	is(http_read($next)->{status}, 200, 'and the next, when it has left');
	close $next;
	# One after the other through a single place, all of them there at once.
	my @many = map { start_request($proxy, "/one$_") } 1 .. 20;
	my @answers = map { my $answer = http_read($_); close $_; $answer } @many;
	is(scalar(grep { $_->{status} !~ /^(?:200|503)$/ } @answers), 0, 'each is answered');
	is(proxy_stop($proxy), 0, 'stopped');
};

subtest 'whoever is turned away takes no file from those inside' => sub {
	my $program = "$dir/with_few_files";
	# four clients, one connection, 64 for the rest: three for who is turned away
	append_to_file($program, "#!/bin/sh\nulimit -n 72\nexec '@{[ proxy_program() ]}' \"\$@\"\n");
	chmod 0700, $program or die $!;
	local $ENV{OPENID4VCI_PROXY} = $program;
	my $proxy = proxy_start($dir, @database, '--max-connections', 4, '--pool', 1);
	my @inside = map { http_connect($proxy) } 1 .. 4;
	my @many = map { start_request($proxy, '/crowd') } 1 .. 100;
	is(http_read($_)->{status}, 503, 'there is no room') for @many[ 0 .. 2 ];
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
		WHERE application_name = 'openid4vci-proxy'});
	# time enough to take the file of the connection that is gone
	select undef, undef, undef, 0.5;
	http_send($inside[0], "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	is(http_read($inside[0])->{status}, 200, 'a new connection to the database is made');
	is(scalar(grep { my $status = http_read($_)->{status}; close $_; $status != 503 }
			@many[ 3 .. 99 ]), 0, 'and all others are turned away');
	is(proxy_stop($proxy), 0, 'stopped');
	is(proxy_errors($proxy), '', 'and nothing to complain about');
};

done_testing();
