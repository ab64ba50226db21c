# What the sandbox says: of wrong words, of folders with odd names, and to a shell that
# evaluates what start prints.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use IPC::Run;
use Test::More;

my $sandbox = $ENV{SANDBOX} // "$FindBin::Bin/../sandbox";
# Short: where the name is too long for a socket, no server sees it anyway.
my $work = tempdir('/tmp/words.XXXXXX', CLEANUP => 1);
chmod 0755, $work;
# What a settings file, a connection string and a shell would each take apart.
my $odd = "$work/a 'folder', \"odd\"";
my $plain = "$work/plain";
my @running;

sub sandbox
{
	my @arguments = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $sandbox, @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# A test that dies leaves no sandbox behind.
END
{
	my $status = $?;
	sandbox('stop', '--dir', $_) for @running;
	$? = $status;
}

subtest 'wrong words are named, before anything is built or started' => sub {
	my %wrong = (
		'no command' => [ [], 2, qr/a command is missing/ ],
		'a command' => [ ['restart'], 2, qr/unknown command "restart"/ ],
		'an option' => [ [ 'start', '--fast' ], 2, qr/unknown option --fast of start/ ],
		'an option of another command' => [ [ 'stop', '--port', '1' ], 2, qr/unknown option --port of stop/ ],
		'a word' => [ [ 'offer', 'many' ], 2, qr/unknown word "many" after offer/ ],
		'no value' => [ [ 'start', '--dir' ], 2, qr/--dir takes a value/ ],
		'no such grant' => [ [ 'offer', '--grant', 'implicit' ], 1, qr/authorization_code, not "implicit"/ ],
		'no such issuer' => [ [ 'offer', '--issuer', 'other' ], 1, qr/--issuer takes guide, not "other"/ ],
		'no URL to approve' => [ [ 'approve', 'maria' ], 2, qr/unknown word "maria" after approve/ ],
		'no port' => [ [ 'start', '--port', 'http' ], 1, qr/number from 0 .* to 65535, not "http"/ ],
		'an empty port' => [ [ 'start', '--port', '' ], 1, qr/to 65535, not ""/ ],
		'too large a port' => [ [ 'start', '--port', '65536' ], 1, qr/to 65535, not "65536"/ ],
		'a huge port' => [ [ 'start', '--port', '9' x 30 ], 1, qr/to 65535, not/ ]);
	for my $name (sort keys %wrong)
	{
		my ($arguments, $expected, $message) = @{ $wrong{$name} };
		my ($status, $out, $err) = sandbox(@$arguments);
		is($status, $expected, "$name: exit status");
		is($out, '', "$name: nothing for a shell to evaluate");
		like($err, $message, "$name: the message names it");
		is(() = $err =~ /\n/g, 1, "$name: in one line");
	}
	my ($status, $help) = sandbox('--help');
	like($help, qr/set -a; eval "\$\(test\/sandbox start\)"; set \+a/, 'the help tells how to use the output');
	like($help, qr/^wallet /m, 'and of the wallet');
};

subtest 'a folder with an odd name' => sub {
	my ($status, $out, $err) = sandbox('start', '--dir', $odd);
	is($status, 0, 'starts');
	push @running, $odd;
	is($err, '', 'nothing but the assignments is said');
	my ($dir) = $out =~ /^SANDBOX_DIR=(.*)$/m;
	my $script = 'set -a; eval "$0"; set +a; printf "%s\n" "$SANDBOX_DIR"; "$BIN/psql" -XqAtc "SHOW port"';
	IPC::Run::run([ 'bash', '-euc', $script, $out ], '>', \my $said, '2>', \my $problem);
	is($said, "$odd\n5432\n", 'a shell that evaluates them can use them') or diag($problem);
	(undef, my $link) = sandbox('offer', '--dir', $odd);
	chomp $link;
	($status, $out, $err) = sandbox('wallet', '--dir', $odd, '--json', $link);
	is($status, 0, 'its wallet redeems its offers') or diag($err);
	like($out, qr/"entitlementId"/, 'and says what came');
	($status, $out, $err) = sandbox('wallet', '--dir', $odd, '--json', $link);
	is($status, 1, 'the wallet\'s exit status is passed on');
};

subtest 'several sandboxes' => sub {
	my ($status, $out, $err) = sandbox('start', '--dir', $plain);
	is($status, 0, 'a second one starts') or diag($err);
	push @running, $plain;
	my ($issuer) = $out =~ /^ISSUER=(.*)$/m;
	local %ENV = %ENV;
	delete @ENV{qw(PGHOST SANDBOX_DIR)};
	($status, $out, $err) = sandbox('offer');
	is($status, 1, 'which one is meant must be said');
	like($err, qr/several sandboxes are running/, 'the message tells so');
	like($err, qr/^  \Q$plain\E  \Q$issuer\E$/m, 'and lists them');
};

subtest 'stop' => sub {
	for my $dir ($plain, $odd)
	{
		my ($status, undef, $err) = sandbox('stop', '--dir', $dir);
		is($status, 0, 'stops') or diag($err);
		ok(!-e $dir, 'and the folder is gone');
	}
	@running = ();
};

done_testing();
