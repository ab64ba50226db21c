# Damage that a disk, a person or a wrong root key does to sealed keys and to tables: what needs
# them fails with a clear error for the operator and without detail for wallets, what does not
# is served, nothing is issued by halves, and once it is repaired the same request is good.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use PostgreSQL::Test::Utils;
use Test::More;

use Faults;
use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $base = '/api/v1/openid4vci';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('damaged', initdb => ['--data-checksums']);
my $node = $issuer->{node};
my $key = Wallet->new_quick;
my $proxy = proxy_start($dir, '--pool', 2, '--conninfo',
	$node->connstr('postgres') . ' user=wallet_endpoint');
my $flow = Flow->new($issuer, key => undef, send => sub {
		my (@request) = @_;
		return http_answer(http_ask(http_connect($proxy), @request), $request[0]);
});
my @metadata = ('GET', '/.well-known/openid-credential-issuer', [], '');
my @jwks = ('GET', "$base/jwks", [], '');

# Every row that a wallet's step can touch.
sub all_rows
{
	return $issuer->sql(join ' UNION ALL ', map {
			"SELECT '$_', md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM openid4vci.$_ AS t"
	} qw(vci_offer vci_token vci_credential vci_nonce vci_event));
}

# The steps of a wallet, each with an offer of its own.
sub requests
{
	my $token = $flow->send(Issuer::token_request($issuer->offer->{code}))->{json}{access_token};
	return (
		token => [ Issuer::token_request($issuer->offer->{code}) ],
		credential => [ $flow->credential_request($token, 'Card', $key) ]);
}

sub server_log
{
	return slurp_file($node->logfile);
}

# damage and repair are SQL, or code; fails: the steps that must fail; why: what the operator
# finds in the server's log; health: in vci_health; unreadable: the tables can't be compared.
sub withstands
{
	my ($what, %case) = @_;
	subtest $what => sub {
		my %requests = requests();
		my $offset = length server_log();
		ref $case{damage} ? $case{damage}->() : $issuer->sql($case{damage});
		my $rows = $case{unreadable} ? '' : all_rows();
		for my $step (@{ $case{fails} })
		{
			my $answer = $flow->send(@{ $requests{$step} });
			is($answer->{status}, 500, "$step: 500");
			unlike($answer->{body}, qr/seal|root|vci_|page|credential"|access_token/, "$step: no detail");
		}
		is(all_rows(), $rows, 'nothing has happened') if !$case{unreadable};
		like(substr(server_log(), $offset), $case{why}, 'the operator finds out why');
		is($flow->send(@$_)->{status}, 200, "$_->[1] is served") for \@metadata, \@jwks;
		like($issuer->sql('SELECT string_agg(detail, chr(10)) FROM openid4vci.vci_health() WHERE NOT ok'),
			$case{health}, 'vci_health tells') if $case{health};
		ref $case{repair} ? $case{repair}->() : $issuer->sql($case{repair});
		is($flow->send(@{ $requests{$_} })->{status}, 200, "$_: once repaired, the same bytes are good")
		  for sort keys %requests;
	};
	return;
}

$issuer->sql('CREATE TABLE public.issuer_copy AS TABLE openid4vci.vci_issuer;
	CREATE TABLE public.key_copy AS TABLE openid4vci.vci_key');
my $repair_issuer = 'UPDATE openid4vci.vci_issuer AS i SET data_key = c.data_key,
	root_key_id = c.root_key_id FROM public.issuer_copy AS c WHERE c.id = i.id';
my $repair_key = 'UPDATE openid4vci.vci_key AS k SET private_key = c.private_key,
	root_key_id = c.root_key_id FROM public.key_copy AS c WHERE c.id = k.id';
my $turned = 'set_byte(%1$s, length(%1$s) / 2, get_byte(%1$s, length(%1$s) / 2) # 1)';
my @all = qw(token credential);
my ($damaged_key, $damaged_issuer) =
  map { qr/ERROR:.*a sealed value.*\n.*DETAIL:.*It is the $_ with id 1[.].*\n.*HINT:.*backup/ }
  ('signing key', 'issuer data key');

withstands('a bit of a signing key is turned',
	damage => 'UPDATE openid4vci.vci_key SET private_key = ' . sprintf($turned, 'private_key'),
	repair => $repair_key, fails => ['credential'], why => $damaged_key);
withstands('a signing key is cut short',
	damage => 'UPDATE openid4vci.vci_key SET private_key = substr(private_key, 1, 20)',
	repair => $repair_key, fails => ['credential'], why => $damaged_key);
withstands('a bit of the data key is turned',
	damage => 'UPDATE openid4vci.vci_issuer SET data_key = ' . sprintf($turned, 'data_key'),
	repair => $repair_issuer, fails => \@all, why => $damaged_issuer);
withstands('the data key is empty',
	damage => "UPDATE openid4vci.vci_issuer SET data_key = ''",
	repair => $repair_issuer, fails => \@all, why => $damaged_issuer);
withstands('the name of the root key is damaged',
	damage => "UPDATE openid4vci.vci_issuer SET root_key_id = 'nonsense'",
	repair => $repair_issuer, fails => \@all, why => qr/ERROR:.*root key/i, health => qr/root key/i);
withstands('the root key is another one',
	damage => sub {
		while_stopped(sub {
				rename $issuer->{root_key}, "$issuer->{root_key}.right" or die $!;
				$issuer->make_root_key;
		});
	},
	repair => sub {
		while_stopped(sub { rename "$issuer->{root_key}.right", $issuer->{root_key} or die $! });
	},
	fails => \@all, why => qr/ERROR:.*root key/i, health => qr/root key/i);

# Turns a bit of each page, amid the rows, which lie at the end.
sub damage_pages
{
	my ($file) = @_;
	open my $pages, '+<:raw', $file or die "$file: $!";
	for (my $at = 8000; $at < -s $file; $at += 8192)
	{
		sysseek $pages, $at, 0;
		sysread $pages, my $byte, 1;
		sysseek $pages, $at, 0;
		syswrite $pages, $byte ^ "\x01";
	}
	close $pages or die "$file: $!";
	return;
}

sub while_stopped
{
	my ($do) = @_;
	$node->stop;
	$do->();
	$node->start;
	await_proxy($proxy);
	return;
}

# With data checksums, which PostgreSQL 18 has by default, a damaged page is no data.
my $offers = $node->data_dir . '/'
  . $issuer->sql("SELECT pg_relation_filepath('openid4vci.vci_offer')");
withstands('pages of the offers are damaged',
	damage => sub {
		while_stopped(sub { copy($offers, "$dir/pages") or die $!; damage_pages($offers) });
	},
	repair => sub { while_stopped(sub { copy("$dir/pages", $offers) or die $! }) },
	unreadable => 1, fails => \@all, why => qr/ERROR:.*invalid page/);

is(proxy_stop($proxy), 0, 'the proxy stops in order');
done_testing();
