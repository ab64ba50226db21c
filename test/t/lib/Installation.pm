# A PostgreSQL beside the installed one, with the same programs and library and further
# extension scripts. PostgreSQL finds its files relative to its own executables, so those
# are copied; the rest is symbolic links.
#
#   my $path = Installation::with_scripts($dir, 'openid4vci--0.1.0.sql');
#   my $node = PostgreSQL::Test::Cluster->new('old', install_path => $path);
package Installation;

use strict;
use warnings;

use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);

sub config
{
	my ($option) = @_;
	my $value = qx{pg_config --$option};
	chomp $value;
	return $value;
}

sub link_into
{
	my ($folder, @files) = @_;
	make_path($folder);
	for my $file (@files)
	{
		symlink $file, "$folder/" . basename($file) or die "$folder: $!";
	}
	return;
}

# Makes it in the folder $root, which must be new; returns what install_path wants.
sub with_scripts
{
	my ($root, @scripts) = @_;
	my ($bin, $share, $library) = map { config($_) } qw(bindir sharedir pkglibdir);
	make_path("$root$bin");
	for my $program (glob "$bin/*")
	{
		my $copy = "$root$bin/" . basename($program);
		copy($program, $copy) or die "$copy: $!";
		chmod 0755, $copy or die "$copy: $!";
	}
	link_into("$root$share", grep { basename($_) ne 'extension' } glob "$share/*");
	link_into("$root$share/extension", glob("$share/extension/*"), @scripts);
	link_into(dirname("$root$library"), $library);
	return "$root$bin" =~ s{/bin$}{}r;
}

1;
