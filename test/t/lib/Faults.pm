# Failures of a server: commits that fail or are held up, backends and servers that die.
#
#   at_commit($issuer, 'vci_offer', $hold);
#   my $holder = hold_commits($issuer);
#   kill_backend(held_backend($issuer, $socket));
package Faults;

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IPC::Run;
use PostgreSQL::Test::Utils;

use ProxyClient;

our @EXPORT = qw(at_commit at_commit_no_more $hold hold_commits held_backend
	await_server await_proxy kill_backend kill_server kill_whole_server server_processes);

# Makes every commit that changed the table run this first.
sub at_commit
{
	my ($issuer, $table, $plpgsql) = @_;
	$issuer->sql(<<"SQL");
CREATE SEQUENCE public.commits;
CREATE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$
BEGIN
	$plpgsql;
	RETURN NULL;
END \$\$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON openid4vci.$table
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.at_commit();
SQL
	return;
}

sub at_commit_no_more
{
	my ($issuer) = @_;
	$issuer->sql('DROP FUNCTION public.at_commit() CASCADE; DROP SEQUENCE public.commits');
	return;
}

# Holds commits up until it is ended.
our $hold = 'PERFORM pg_advisory_xact_lock(7)';

sub hold_commits
{
	my ($issuer) = @_;
	my ($in, $out) = ("SELECT pg_advisory_lock(7);\n", '');
	my $holder = IPC::Run::start([ 'psql', '-XqAt', '-d', $issuer->{node}->connstr('postgres') ],
		'<', \$in, '>', \$out, '2>', \my $ignored);
	$holder->pump while $out !~ /\n/;
	return $holder;
}

# The backend whose commit is held up; of a request by this socket that must have no answer
# yet, when one is given.
sub held_backend
{
	my ($issuer, $socket) = @_;
	my $answered = IO::Select->new($socket // ());
	for (;;)
	{
		my $pid = $issuer->sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
		return $pid if $pid ne '';
		die 'an answer came before the commit: ' . http_answer($socket)->{status}
		  if $answered->can_read(0.05);
	}
}

# Waits until the server takes connections again.
sub await_server
{
	my ($issuer) = @_;
	select undef, undef, undef, 0.1 while $issuer->{node}->psql('postgres', 'SELECT 1') != 0;
	return;
}

sub await_proxy
{
	my ($proxy) = @_;
	select undef, undef, undef, 0.1
	  while http_request($proxy, 'GET', '/readyz')->{status} != 200;
	return;
}

# Kills a backend and waits until the postmaster has noticed, which ends all others.
sub kill_backend
{
	my ($pid) = @_;
	kill 'KILL', $pid;
	select undef, undef, undef, 0.02 while kill 0, $pid;
	return;
}

# Every process of the server: its own folder is the data directory.
sub server_processes
{
	my ($node) = @_;
	my $dir = $node->data_dir;
	return grep { (readlink "/proc/$_/cwd" // '') eq $dir } map { m{/(\d+)$} } glob '/proc/[0-9]*';
}

# A process whose parent has not looked yet has no folder any more, but still its pid.
sub await_end
{
	my ($node, @processes) = @_;
	select undef, undef, undef, 0.02
	  while server_processes($node) || grep { kill 0, $_ } @processes;
	return;
}

# Kills the postmaster and waits until it is gone and its children have noticed.
sub kill_server
{
	my ($issuer) = @_;
	my $node = $issuer->{node};
	my @processes = server_processes($node);
	$node->kill9;
	await_end($node, @processes);
	return;
}

# Kills all processes of the server at once, so that no call that runs comes to its end.
sub kill_whole_server
{
	my ($issuer) = @_;
	my $node = $issuer->{node};
	my @processes = server_processes($node);
	$node->kill9;
	kill 'KILL', @processes;
	await_end($node, @processes);
	return;
}

1;
