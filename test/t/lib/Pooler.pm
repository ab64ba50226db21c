# PgBouncer in transaction mode before a test's server.
#
#   my $pooler = Pooler->start($node, $dir, 2, qw(registry wallet_endpoint));
#   proxy_start($dir, $pooler->proxy_options, '--conninfo', $pooler->conninfo('wallet_endpoint'));
package Pooler;

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use POSIX ();

my @running;

# A test that dies leaves no pooler behind.
END
{
	my $status = $?;
	kill 'KILL', grep { defined } map { $_->{pid} } @running;
	$? = $status;
}

sub program
{
	my ($program) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return $program;
}

# $size: connections to the server for each user.
sub start
{
	my ($class, $node, $dir, $size, @users) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $self = bless { node => $node, ini => "$dir/pooler$port.ini", port => $port }, $class;
	write_file("$self->{ini}.users", join '', map { qq("$_" ""\n) } @users);
	my $statements = $self->keeps_statements ? 'max_prepared_statements = 100' : '';
	write_file($self->{ini}, <<"INI");
[databases]
postgres = host=@{[ $node->host ]} port=@{[ $node->port ]} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $self->{ini}.users
pool_mode = transaction
default_pool_size = $size
server_login_retry = 1
$statements
INI
	push @running, $self;
	$self->run;
	return $self;
}

sub write_file
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	return;
}

sub run
{
	my ($self) = @_;
	$self->{pid} = fork() // die "fork: $!";
	if ($self->{pid} == 0)
	{
		open STDOUT, '>>', "$self->{ini}.log" or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
		exec { program() } 'pgbouncer', $self->{ini} or POSIX::_exit(127);
	}
	return;
}

sub stop
{
	my ($self) = @_;
	kill 'KILL', $self->{pid};
	waitpid delete $self->{pid}, 0;
	return;
}

# From 1.21 on it handles prepared statements in transaction mode.
sub keeps_statements
{
	my ($major, $minor) = qx{@{[ program() ]} --version} =~ /PgBouncer (\d+)\.(\d+)/;
	return $major > 1 || $minor >= 21;
}

sub proxy_options
{
	my ($self) = @_;
	return $self->keeps_statements ? () : ('--no-prepare');
}

sub conninfo
{
	my ($self, $user) = @_;
	return "host=127.0.0.1 port=$self->{port} dbname=postgres user=$user";
}

1;
