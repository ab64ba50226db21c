# Whether Citus could run a statement whose tables are distributed: what
# multi_router_planner.c and multi_logical_planner.c of Citus refuse, or send to every shard.
#
#   my $shards = Shards->new($issuer);    # after the stand-in's create_distributed_table
#   my $objection = $shards->objection('UPDATE openid4vci.vci_token SET ...');
package Shards;

use strict;
use warnings;

sub new
{
	my ($class, $issuer) = @_;
	my %key = map { split /\|/ } split /\n/,
	  $issuer->sql('SELECT c.relname, d.key FROM citus.distributed d JOIN pg_class c ON c.oid = d.name');
	my %others = map { $_ => 1 } grep { !$key{$_} } split /\n/,
	  $issuer->sql("SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')
		AND relnamespace = 'openid4vci'::regnamespace");
	my %volatile = map { $_ => 1 } split /\n/,
	  $issuer->sql("SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v'");
	return bless { key => \%key, others => \%others, volatile => \%volatile }, $class;
}

# A name in quotes is a catalog's.
sub tables_of
{
	my ($sql) = @_;
	return $sql =~ /(?<!')\bopenid4vci\.(vci_\w+)/g;
}

sub is_distributed
{
	my ($self, $sql) = @_;
	return grep { $self->{key}{$_} } tables_of($sql);
}

# Does each distributed table of it have its key compared with a parameter?
sub is_routed
{
	my ($self, $sql) = @_;
	my %mentions;
	$mentions{ $self->{key}{$_} }++ for $self->is_distributed($sql);
	for my $key (keys %mentions)
	{
		my @equalities = $sql =~ /\b\Q$key\E = \$\d/g;
		return 0 if @equalities < $mentions{$key};
	}
	return 1;
}

sub objection_to_insert
{
	my ($self, $sql) = @_;
	my ($table, $columns) = $sql =~ /^INSERT INTO openid4vci\.(\w+)(?: AS \w+)? \(([^)]*)\) VALUES \(/
	  or return 'an INSERT of more than VALUES';
	return 'an INSERT without the distribution column'
	  if !grep { $_ eq $self->{key}{$table} } split /,\s*/, $columns;
	return;
}

# Undefined: Citus runs it on one shard.
sub objection
{
	my ($self, $sql) = @_;
	return if !$self->is_distributed($sql);
	my ($stays) = grep { $self->{others}{$_} } tables_of($sql);
	return "a statement with $stays, which stays on the coordinator" if defined $stays;
	return 'a common table expression' if $sql =~ /^WITH\b/;
	return $self->objection_to_insert($sql) if $sql =~ /^INSERT\b/;
	my ($volatile) = grep { $self->{volatile}{$_} } $sql =~ /\b(\w+)\s*\(/g;
	return "an UPDATE or DELETE with the volatile function $volatile"
	  if $sql =~ /^(?:UPDATE|DELETE)\b/ && defined $volatile;
	return if $self->is_routed($sql);
	return 'a row lock without the distribution column' if $sql =~ /\bFOR (?:NO KEY )?(?:UPDATE|SHARE)/;
	return 'a statement for every shard';
}

1;
