# Dumps that another version left: of the extension (0.1.0, on PostgreSQL 15), and, when
# test/versions brings one in OPENID4VCI_RECORDED, of an older PostgreSQL. Restored here it is
# a copy, which stays paused until it is adopted; then what was begun goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use Recorded;

sub restored_server
{
	my ($name, $recorded) = @_;
	my $issuer = Issuer->start_server($name, root_key => $recorded->root_key);
	$issuer->create_roles;
	$issuer->sql('CREATE ROLE clerk LOGIN');
	return $issuer;
}

sub is_paused_until_adopted
{
	my ($issuer, $recorded) = @_;
	my $offer = $recorded->{held}{offers}{pending};
	my $answer = $issuer->token($offer);
	is($answer->{status}, 503, 'the copy redeems nothing') or diag($answer->{body});
	my $health = $issuer->sql("SELECT detail FROM openid4vci.vci_health()
		WHERE \"check\" = 'database' AND NOT ok");
	like($health, qr/vci_adopt_database\(\)/, 'vci_health says what to type');
	$issuer->sql('SELECT openid4vci.vci_adopt_database()');
	is($issuer->sql("SELECT ok FROM openid4vci.vci_health() WHERE \"check\" = 'database'"), 't',
		'adopted, it is the database that issues');
	return;
}

subtest 'a dump of 0.1.0' => sub {
	my $recorded = Recorded->new("$FindBin::Bin/../upgrade/0.1.0");
	my $issuer = restored_server('first', $recorded);
	my @errors = $recorded->restore_with_errors($issuer);
	my @other = grep { !/ERROR:  function openid4vci\.vci_\w+\([^)]*\) does not exist/ } @errors;
	is("@other", '', 'only rights on functions that are called otherwise now are not restored');
	is($issuer->sql("SELECT extversion = default_version FROM pg_extension AS x
			JOIN pg_available_extensions AS a ON a.name = x.extname WHERE extname = 'openid4vci'"), 't',
		'the extension is the present one');
	is_paused_until_adopted($issuer, $recorded);
	$issuer->sql("SELECT openid4vci.vci_grant('registry', 'key_admin'), openid4vci.vci_reapply_duties()");
	$recorded->goes_on;
};

SKIP:
{
	my $dir = $ENV{OPENID4VCI_RECORDED};
	skip 'test/versions brings a dump of another PostgreSQL', 1 if !defined $dir;
	subtest 'a dump of another PostgreSQL' => sub {
		my $recorded = Recorded->new($dir);
		my $issuer = restored_server('second', $recorded);
		my ($source) = slurp_file("$dir/dump.sql") =~ /^-- Dumped from database version (\d+)/m;
		my $here = $issuer->sql('SHOW server_version_num');
		cmp_ok($source, '<', int($here / 10000), "from $source into a newer one");
		$recorded->restore($issuer);
		is_paused_until_adopted($issuer, $recorded);
		$recorded->goes_on;
	};
}

done_testing();
