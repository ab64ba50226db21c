# The benchmark runs to its end and tells everything that it promises, without failures; no
# figure is judged here. Whatever ends it, no process and no file of its servers stays.
use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use IPC::Run;
use JSON::PP;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep);

my $top = abs_path("$FindBin::RealBin/../..");
my $run = "$top/test/bench/run";

# Output and error output.
sub run_bench
{
	my @arguments = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $run, @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# The folder of the run's private servers, which it tells first.
sub folder_of
{
	my ($err) = @_;
	my ($folder) = $err =~ m{private servers lie in (/tmp/openid4vci-bench\.\w+)};
	return $folder;
}

# Command lines of processes that know the folder.
sub processes_of
{
	my ($folder) = @_;
	my @found;
	for my $file (glob '/proc/[0-9]*/cmdline')
	{
		open my $handle, '<', $file or next;
		my $line = do { local $/; <$handle> } // '';
		push @found, $line =~ tr/\0/ /r if $line =~ /\Q$folder\E/;
	}
	return @found;
}

sub nothing_stays
{
	my ($err, $name) = @_;
	my $folder = folder_of($err);
	ok($folder, "$name: it tells its folder") or return diag($err);
	ok(!-e $folder, "$name: the folder is gone");
	is_deeply([ processes_of($folder) ], [], "$name: no process is left");
	return;
}

# The peer's packages are no package of the tests.
my $peer = system('/usr/bin/python3 -c "import fastapi, uvicorn, uvloop, httptools, psycopg2, jwt,'
	  . ' multipart" 2>/dev/null') == 0;
my @sections = (qw(issue verify offers flow read), $peer ? 'peer' : (), qw(growth purge burst));

subtest 'every section' => sub {
	my ($status, $out, $err) = run_bench('--smoke', @sections);
	is($status, 0, 'exit status') or diag($err);
	my %rows = (
		issue => [
			'vci_issue_sdjwt, one session', 'memory', 'parallel plan of 2 processes',
			"openssl's signatures in 2 processes" ],
		verify => ['vci_verify_kbjwt'],
		offers => [ 'vci_create_offer', 'WAL an offer', 'disk an offer' ],
		flow => [
			(map { ("$_: flows", "$_: token", "$_: nonce", "$_: credential", "$_: CPU") }
				  '1 wallet', '16 wallets', '256 wallets'),
			'CPU a flow, 16 wallets, beside the floor', 'the floor', 'WAL a flow', 'disk a flow: offer',
			"the load generator's own CPU", '16 wallets: the machine meanwhile' ],
		read => [ 'metadata: requests', 'metadata with If-None-Match', 'key set', 'nonce' ],
		peer => ['CPU a flow of the peer'],
		growth => [ '800 offers: CPU a flow, beside 400', '800 offers: p50', '800 offers: WAL a flow' ],
		purge => [ 'offers purged', 'time it took', 'p99 of a flow meanwhile' ],
		burst => [ 'wallets within a second', 'that hung', 'longest wait', 'highest memory' ]);
	for my $section (@sections)
	{
		like($out, qr/^(?:\Q$section\E)? +\Q$_\E.* \d/m, "$section: $_") for @{ $rows{$section} };
	}
	for my $section (grep { $_ ne 'flow' && $_ ne 'growth' } @sections)
	{
		like($out, qr/^(?:\Q$section\E)? +the machine meanwhile: .* \d+, \d+, \d+ %/m, "$section: the machine")
	}
	unlike($out, qr/failed|not measured/, 'nothing failed');
	like($out, qr/^purge +offers purged.* >= 1 +met$/m, 'all was purged, and what other sections left');
	like($out, qr/that got their credential +60 +60 +1\.00 +>= 1 +met$/m, 'a burst is served');

	open my $handle, '<', "$top/build/bench/table.txt" or die "no table: $!";
	is(do { local $/; <$handle> }, $out, 'the table is kept in a file');
	close $handle;
	open $handle, '<', "$top/build/bench/outcomes.jsonl" or die "no outcomes: $!";
	my @flows = grep { $_->{mode} eq 'flow' } map { decode_json($_) } <$handle>;
	close $handle;
	cmp_ok(scalar @flows, '>=', 8, 'the load generator tells of every run');
	is(scalar(grep { $_->{served} != $_->{begun} } @flows), 0, 'in which every wallet was served');
	is(scalar(grep { $_->{served} > 0 && $_->{flow_p50_ms} <= 0 } @flows), 0, 'and took some time');
	ok((grep { $_->{verified} > 0 } @flows), 'credentials were verified');
	nothing_stays($err, 'at its end');
};

subtest 'broken off' => sub {
	my $file = "$ENV{TMPDIR}/bench.err" if $ENV{TMPDIR};
	$file //= "/tmp/openid4vci-bench-test.$$";
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		# Ctrl-C goes to all of a terminal's group
		setpgrp;
		open STDERR, '>', $file;
		open STDOUT, '>', '/dev/null';
		exec $run, '--smoke', 'flow' or die "exec: $!";
	}
	my $err = '';
	for (1 .. 6000)
	{
		open my $handle, '<', $file or next;
		$err = do { local $/; <$handle> } // '';
		my $folder = folder_of($err);
		last if $folder && grep { /^postgres/ || /openid4vci-proxy/ } processes_of($folder);
	}
	continue { sleep 0.05 }
	ok(scalar processes_of(folder_of($err)), 'its servers run');
	kill 'INT', -$pid;
	# bash takes no notice when the command that it waits for has just ended well
	while (waitpid($pid, WNOHANG) == 0)
	{
		sleep 1;
		kill 'TERM', $pid;
	}
	isnt($?, 0, 'it does not pretend to have ended well');
	nothing_stays($err, 'after Ctrl-C');
	unlink $file;
};

subtest 'wrong use' => sub {
	my ($status, $out, $err) = run_bench('nothing');
	is($status, 2, 'an unknown section: exit status');
	like($err, qr/there is no section "nothing"/, 'and a message');
	($status, $out) = run_bench('--help');
	is($status, 0, '--help');
	like($out, qr/^usage: .*--quick/, 'tells how to use it');
};

done_testing();
