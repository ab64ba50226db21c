# A Markdown document of the project: its fenced blocks, headings and links.
#
#   my $readme = Document->read("$top/README.md");
#   for my $block ($readme->blocks('sql')) { run($block->{text}) }
package Document;

use strict;
use warnings;

sub read
{
	my ($class, $path) = @_;
	open my $file, '<:encoding(UTF-8)', $path or die "$path: $!";
	my $self = bless { path => $path, prose => '', blocks => [], anchors => {} }, $class;
	my ($block, $section) = (undef, '');
	while (my $line = <$file>)
	{
		if (defined $block)
		{
			if ($line =~ /^```\s*$/) { undef $block }
			else { $block->{text} .= $line }
		}
		elsif ($line =~ /^```(\S*)/)
		{
			$block = { language => $1, text => '', line => $., section => $section };
			push @{ $self->{blocks} }, $block;
		}
		else
		{
			if ($line =~ /^#+ +(.*\S)/)
			{
				$section = $1;
				$self->{anchors}{ anchor_of($section) } = 1;
			}
			$self->{prose} .= $line;
		}
	}
	die "$path: a block is not closed\n" if defined $block;
	return $self;
}

# As GitHub makes them.
sub anchor_of
{
	my ($heading) = @_;
	$heading = lc $heading;
	$heading =~ s/[^\w\- ]//g;
	$heading =~ tr/ /-/;
	return $heading;
}

sub blocks
{
	my ($self, $language) = @_;
	return grep { !defined $language || $_->{language} eq $language } @{ $self->{blocks} };
}

# All text, blocks included.
sub text
{
	my ($self) = @_;
	return join "\n", $self->{prose}, map { $_->{text} } $self->blocks;
}

# Targets of [text](target), those on the web left out.
sub links
{
	my ($self) = @_;
	return grep { !m{^\w+://} } $self->{prose} =~ /\]\(([^)\s]+)\)/g;
}

1;
