# The README's own commands, in the README's order, on a private server. What cannot run
# here is listed below with the reason, and is checked in another way. A block that is
# neither run nor listed fails.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";
use Document;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path("$FindBin::RealBin/../..");
my $proxy = $ENV{OPENID4VCI_PROXY} || "$top/build/openid4vci-proxy";
my $wallet = $ENV{OPENID4VCI_WALLET} || "$top/build/openid4vci-wallet";
my $user = getpwuid($>);
my $readme = Document->read("$top/README.md");
my $etc = tempdir(CLEANUP => 1);

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

# createdb and psql of the README go there.
my $database = 'postgres';
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;

# The commands as they stand there, but in this test's own folder and as this user.
sub localized
{
	my ($text) = @_;
	$text =~ s/^sudo (-u postgres )?//mg;
	$text =~ s/\| sudo /| /g;
	$text =~ s/-o postgres /-o $user /g;
	$text =~ s{/(etc|srv)/openid4vci}{$etc}g;
	return $text;
}

sub capture
{
	my (@command) = @_;
	my ($out, $err) = ('', '');
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub where
{
	my ($block) = @_;
	return "README.md line $block->{line}";
}

sub run_shell
{
	my ($block) = @_;
	my ($status, $out, $err) = capture('sh', '-euc', "cd '$etc'\n" . localized($block->{text}));
	is($status, 0, where($block) . ': the commands work') or diag("$out$err");
	return $out;
}

# Blocks of shell commands by what they begin with: how each is checked, and if it is not
# run, why not.
my %shell = (
	'make demo' => \&check_make_targets,                  # takes minutes, and is a suite of its own
	'sudo apt-get install' => \&check_packages,           # changes the machine
	"make\nsudo make install" => \&check_install,         # the tests run on what it installed
	'sudo install -d -m 0755 /etc/openid4vci' => \&run_shell,
	'sudo -u postgres createdb' => \&run_createdb,
	'offer=' => \&check_qr,
	'sudo useradd' => \&check_user,                       # changes the machine
	'sudo systemctl' => \&check_service,                  # needs systemd as first process
	'/usr/lib/postgresql' => \&check_wallet,              # needs a deployment
);

sub check_make_targets
{
	my ($block) = @_;
	for my $target ($block->{text} =~ /^make (\w+)/mg)
	{
		my ($status, undef, $err) = capture('make', '-n', '-C', $top, $target);
		is($status, 0, where($block) . ": make knows the target $target") or diag($err);
	}
	return;
}

sub check_packages
{
	my ($block) = @_;
	my ($named) = $block->{text} =~ /apt-get install (.*)/s;
	my @named = sort split ' ', $named =~ s/\\\n/ /gr;
	my $list = slurp_file("$top/test/packages");
	my @needed = sort $list =~ /^demo +(\S+)/mg;
	is_deeply(\@named, \@needed, where($block) . ': the packages are those that test/packages installs');
	return;
}

# What comes before it runs in the database that every server has.
sub run_createdb
{
	my ($block) = @_;
	run_shell($block);
	($database) = $block->{text} =~ /createdb .*?(\w+)$/m;
	return;
}

sub check_qr
{
	my ($block) = @_;
	my $out = run_shell($block);
	like(slurp_file("$etc/offer.svg"), qr/^(<\?xml[^>]*>\s*)?<svg /, where($block) . ': the file is an SVG');
	like($out, qr/^[^<]*\xe2\x96/, where($block) . ': the terminal gets blocks');
	return;
}

sub check_install
{
	my ($block) = @_;
	my ($status, undef, $err) = capture('make', '-n', '-C', $top, 'all', 'install');
	is($status, 0, where($block) . ': make knows how to build and install') or diag($err);
	return;
}

sub check_user
{
	my ($block) = @_;
	my ($name) = $block->{text} =~ /(\w+)\s*$/;
	my ($role) = sql_text() =~ /vci_grant\('(\w+)', 'endpoint'\)/;
	is($name, $role, where($block) . ': the system user has the name of the role, as peer authentication wants it');
	return;
}

sub check_service
{
	my ($block) = @_;
	my ($unit) = $readme->text =~ m{`/etc/systemd/system/([\w-]+)\.service`};
	my @names = $block->{text} =~ /^sudo systemctl enable --now (\S+)/mg;
	is_deeply(\@names, [$unit], where($block) . ': the unit that is started is the one that is written');
	return;
}

sub check_wallet
{
	my ($block) = @_;
	my (undef, $help) = capture($wallet, '--help');
	for my $option ($block->{text} =~ /(--[\w-]+)/g)
	{
		like($help, qr/^    \Q$option\E\b/m, where($block) . ": the wallet knows $option");
	}
	return;
}

sub sql_text
{
	return join '', map { $_->{text} } $readme->blocks('sql');
}

sub run_sql
{
	my ($block) = @_;
	my ($out, $err) = ('', '');
	my $status = $node->psql($database, localized($block->{text}), stdout => \$out,
		stderr => \$err, on_error_stop => 1);
	is($status, 0, where($block) . ': the statements work') or diag($err);
	$node->poll_query_until($database,
		"SELECT current_setting('openid4vci.root_key_file', true) = '$etc/root.key'")
	  or die 'the setting does not arrive'
	  if $block->{text} =~ /pg_reload_conf/;
	return $out;
}

# The unit file's command, but on a free port and this server's socket.
sub check_unit
{
	my ($block) = @_;
	my ($command) = $block->{text} =~ /^ExecStart=(.*)$/m;
	my ($user_of_unit) = $block->{text} =~ /^User=(.*)$/m;
	my (undef, $help) = capture($proxy, '--help');
	for my $option ($command =~ /(--[\w-]+)/g)
	{
		like($help, qr/^    \Q$option\E\b/m, where($block) . ": the proxy knows $option");
	}
	like($command, qr{^/usr/lib/postgresql/15/bin/openid4vci-proxy }, where($block) . ': it starts the proxy');
	my ($host, $port) = ($node->host, $node->port);
	$command =~ s{^\S+}{$proxy};
	$command =~ s{--port \d+}{--port 0};
	$command =~ s{host=/run/postgresql}{host=$host port=$port user=$user_of_unit};
	my @words = map { s/^"(.*)"$/$1/r } $command =~ /"[^"]*"|\S+/g;
	my ($out, $err) = ('', '');
	my $running = IPC::Run::start(\@words, '<', \undef, '>', \$out, '2>', \$err);
	$running->pump until $out =~ /\n/ || $err =~ /\n/ || !$running->pumpable;
	my ($url) = "$out$err" =~ m{listening on (http://\S+)};
	ok(defined $url, where($block) . ': the proxy starts with the unit\'s options') or diag("$out$err");
	check_proxy($url) if defined $url;
	$running->signal('TERM');
	$running->finish;
	is($running->result(0), 0, 'and ends when it is told to');
	return;
}

sub check_proxy
{
	my ($url) = @_;
	my ($curl) = map { $_->{text} =~ /^(curl .*)$/m } $readme->blocks('sh');
	$curl =~ s{http://127\.0\.0\.1:8080}{$url};
	my ($status, $out, $err) = capture('sh', '-c', "$curl --noproxy '*'");
	is($out, "ready\n", "the README's curl says that it is ready") or diag($err);
	($status, $out) = capture('curl', '-fsS', '--noproxy', '*', '-H', 'Host: registry.example',
		"$url/.well-known/openid-credential-issuer");
	like($out, qr/"credential_issuer":"https:\/\/registry\.example"/,
		"the README's issuer answers through the proxy");
	return;
}

# Odoo's cursor puts quoted literals into the statement on its own side.
sub run_python
{
	my ($block) = @_;
	my ($sql) = $block->{text} =~ /"""(.*?)"""/s;
	my $reference = "spp.entitlement,$block->{line}";
	my @values = (q{ARRAY['EntitlementCredential']}, q{'spp.entitlement'}, q{'7'},
		q{'{"entitlementId": "E", "entitlementStatus": "approved"}'}, "'$reference'");
	$sql =~ s/%s/shift @values/ge;
	is(scalar @values, 0, where($block) . ': as many values as placeholders');
	my ($first, $second) = map { $node->safe_psql('registry', $sql,
			extra_params => [ '-U', 'odoo' ]) } 1 .. 2;
	my $pin = $sql =~ /generate_tx_code/ ? qr/\|\d{6}/ : qr//;
	like($first, qr/^\d+\|openid-credential-offer:[^|]*$pin$/,
		where($block) . ': the statement creates an offer');
	my $again = $first =~ s/\|\d{6}$/|/r;
	is($second, $again, 'the same record has the same offer again, and no PIN');
	return;
}

my $odoo = 0;
for my $block ($readme->blocks)
{
	my $language = $block->{language};
	if ($language eq 'sql') { run_sql($block) }
	elsif ($language eq 'ini') { check_unit($block) }
	elsif ($language eq 'python')
	{
		# stands in the sentence before the first such block
		my ($grant) = $readme->{prose} =~ /`(SELECT openid4vci\.vci_grant\('odoo'[^`]*)`/;
		$node->safe_psql('registry', "CREATE ROLE odoo LOGIN; $grant") if !$odoo++;
		run_python($block);
	}
	elsif ($language eq 'sh')
	{
		my ($start) = grep { index($block->{text}, $_) == 0 } sort keys %shell;
		if (defined $start) { $shell{$start}->($block) }
		else { fail(where($block) . ': a block that is neither run nor listed as one that cannot') }
	}
	else { is($language, 'text', where($block) . ": a block of language \"$language\" is a drawing") }
}

# What the README promises about them.
my ($after) = sql_text() =~ /CREATE EXTENSION openid4vci;(.*?vci_create_offer.*? \\gx)$/ms;
my @statements = $after =~ /(?:;| \\gx)\s*$/mg;
cmp_ok(scalar @statements, '<', 10, 'the first offer needs less than ten statements after CREATE EXTENSION');
is($node->safe_psql('registry',
	q{SELECT state, tx_code_required, created_by FROM openid4vci.vci_offer_info
	  WHERE reference = 'ENT-2026-000001'}), 'pending|t|registry',
	'its offer is pending, asks for a PIN, and was made by a role that is no superuser');
is($node->safe_psql('registry', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'registry'}), 'f',
	'namely by this one');
is($node->safe_psql('registry', q{SELECT count(*) FROM openid4vci.vci_health()
	WHERE NOT ok AND "check" <> 'durability'}), '0', 'after the README all is healthy'); # fsync is off in tests

$node->stop;
done_testing();
