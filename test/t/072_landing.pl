# Short links through the proxy: what previews do to them, who counts, a standby, the log, statements
# of the server, presses at the same time, and what a wallet makes of them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $dir = PostgreSQL::Test::Utils::tempdir;
# what the server is told is in its log as well
my $issuer = Issuer->start('landing', allows_streaming => 1,
	conf => "log_statement = 'all'\nlog_parameter_max_length = 0");
my $proxy = proxy_of($issuer);

sub proxy_of
{
	my ($server) = @_;
	my $node = $server->{node};
	return proxy_start($dir, '--pool', 6, '--conninfo',
		'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres user=wallet_endpoint');
}

# An offer with the path of its short link.
sub offer
{
	my ($arguments) = @_;
	my $offer = $issuer->offer($arguments);
	my $link = $issuer->sql_as('registry', "SELECT openid4vci.vci_offer_uri($offer->{offer_id}, 'page')");
	($offer->{path}) = $link =~ m{^\Q$issuer->{url}\E(/o/[\w-]{40})$} or die "no short link: $link";
	return $offer;
}

sub opened
{
	my ($offer) = @_;
	return $issuer->sql("SELECT count(*) FROM openid4vci.vci_event
		WHERE offer_id = $offer->{offer_id} AND kind = 'offer_opened'");
}

# All that a press may change.
sub trace_of
{
	my ($offer) = @_;
	return $issuer->sql("SELECT ctid, xmin, opened_at, (SELECT count(*) FROM openid4vci.vci_event)
		FROM openid4vci.vci_offer WHERE id = $offer->{offer_id}");
}

subtest 'previews change nothing' => sub {
	my $offer = offer();
	my $before = trace_of($offer);
	my $get = http_request($proxy, 'GET', $offer->{path});
	is($get->{status}, 200, 'the page');
	like($get->{body}, qr{<form method="post">}, 'with its button');
	my $head = http_request($proxy, 'HEAD', $offer->{path});
	is($head->{headers}{'content-length'}, length $get->{body}, 'HEAD tells its length');
	is($head->{body}, '', 'and has no body');
	for my $agent ('WhatsApp/2.23.20.0', 'facebookexternalhit/1.1', 'Twitterbot/1.0')
	{
		is(http_request($proxy, 'GET', $offer->{path}, undef, 'User-Agent' => $agent)->{body},
			$get->{body}, "the same page for $agent");
	}
	http_request($proxy, 'OPTIONS', $offer->{path});
	is(http_request($proxy, 'GET', "$offer->{path}?fbclid=1&utm_source=x")->{status}, 200,
		'with what messengers append');
	is(trace_of($offer), $before, 'nothing was written');
	is($get->{headers}{'cache-control'}, 'no-store', 'nobody keeps it');
	is($get->{headers}{'referrer-policy'}, 'no-referrer', 'nobody is told of it');
	is($get->{headers}{'x-robots-tag'}, 'noindex, nofollow', 'nobody lists it');
	like($get->{headers}{'content-security-policy'},
		qr/^default-src 'none'; .*frame-ancestors 'none'; form-action 'self' openid-credential-offer:$/,
		'it fetches and runs nothing, and its form goes to itself or a wallet');
	is($get->{headers}{'access-control-allow-origin'}, undef, 'no script of another site reads it');
};

# No cookie and no session is behind it: who can send the form can press the button.
subtest 'pressing' => sub {
	my $offer = offer();
	my @headers = ('Content-Type' => 'application/x-www-form-urlencoded');
	for my $more ([], [ Origin => 'https://elsewhere.example' ], [ 'Sec-Fetch-Site' => 'cross-site' ])
	{
		my $answer = http_request($proxy, 'POST', $offer->{path}, '', @headers, @$more);
		is($answer->{status}, 303, 'leads on');
		like($answer->{headers}{location}, qr{^openid-credential-offer://\?credential_offer_uri=https%3A},
			'to the wallet');
		is(opened($offer), 1, 'and counts once');
	}
	is(http_request($proxy, 'POST', $offer->{path})->{status}, 303, 'also without a body');
	is($issuer->token($offer)->{status}, 200, 'the offer can be redeemed as before');
	is(http_request($proxy, 'POST', $offer->{path}, '')->{status}, 200, 'then the button is gone');
};

subtest 'many press at once' => sub {
	my $offer = offer();
	my @answers = http_at_once($proxy, map { [ 'POST', $offer->{path}, [], '' ] } 1 .. 12);
	is((grep { $_->{status} == 303 } @answers), 12, 'all are led on');
	is(opened($offer), 1, 'one counts');
};

subtest 'forged codes' => sub {
	my $offer = offer();
	for my $path (substr($offer->{path}, 0, -1), "$offer->{path}A", '/o/' . 'A' x 40, '/o/x', '/o/' . 'a' x 3000,
		'/o/%3Cscript%3E', "/o/$offer->{code}")
	{
		for my $method ('GET', 'POST')
		{
			my $answer = http_request($proxy, $method, $path, $method eq 'POST' ? '' : undef);
			is($answer->{status}, 404, "$method is refused");
			like($answer->{body}, qr{<h1>This link is not valid</h1>}, 'in words');
			unlike($answer->{body}, qr{<form|<script|openid-credential-offer}, 'with nothing to press');
		}
	}
	is(opened($offer), 0, 'nothing counts');
};

subtest 'a credential that waits' => sub {
	Flow::prepare($issuer);
	Flow->new($issuer, key => undef)->deferral(Wallet->new_quick);
	my $link = $issuer->sql_as('registry', q{SELECT openid4vci.vci_offer_uri(id, 'page')
		FROM openid4vci.vci_offer_info ORDER BY created_at DESC LIMIT 1});
	my $get = http_request($proxy, 'GET', substr $link, length $issuer->{url});
	is($get->{status}, 200, 'the page');
	like($get->{body}, qr{<h1>Your document is being prepared</h1>}, 'says so');
	unlike($get->{body}, qr{<form}, 'with nothing to press');
};

subtest 'a standby shows the page and leads on, and notes nothing' => sub {
	my $offer = offer();
	my $node = PostgreSQL::Test::Cluster->new('second');
	$issuer->{node}->backup('second');
	$node->init_from_backup($issuer->{node}, 'second', has_streaming => 1);
	$node->start;
	$issuer->{node}->wait_for_catchup($node, 'replay', $issuer->{node}->lsn('insert'));
	my $there = proxy_of({ node => $node });
	my $get = http_request($there, 'GET', $offer->{path});
	is($get->{status}, 200, 'the page');
	is($get->{body}, http_request($proxy, 'GET', $offer->{path})->{body}, 'the same one');
	my $post = http_request($there, 'POST', $offer->{path}, '');
	is($post->{status}, 303, 'the button');
	is($post->{headers}{location}, http_request($proxy, 'POST', $offer->{path}, '')->{headers}{location},
		'to the same wallet link');
	is(opened($offer), 1, 'the primary alone noted it');
	is(http_request($there, 'GET', '/types/none')->{status}, 404, 'what is nowhere is nowhere there');
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_create_configuration('Voucher',
		'https://issuer.example/types/voucher')});
	$issuer->{node}->wait_for_catchup($node, 'replay', $issuer->{node}->lsn('insert'));
	my $type = http_request($there, 'GET', '/types/voucher');
	is($type->{status}, 200, 'a standby serves type metadata');
	is($type->{body}, http_request($proxy, 'GET', '/types/voucher')->{body}, 'of the same bytes');
	is(proxy_stop($there), 0, 'its proxy stops');
	$node->stop;
};

subtest 'no log has a code' => sub {
	my $offer = offer();
	my ($code) = $offer->{path} =~ m{/o/(.*)};
	my $cut = substr $code, 0, 30;
	http_request($proxy, $_, $offer->{path}, $_ eq 'POST' ? '' : undef) for 'GET', 'POST';
	http_request($proxy, 'GET', "/o/$cut");
	http_request($proxy, 'GET', "/O/$cut/$cut");
	is(proxy_stop($proxy), 0, 'the proxy stops');
	my $log = join "\n", proxy_log($proxy);
	like($log, qr{ GET /o/\* 200 }, 'the page is in the access log');
	like($log, qr{ POST /o/\* 303 }, 'the button, too');
	unlike($log . proxy_errors($proxy), qr/\Q$cut\E/, 'without their code, even when a part is missing');
	my $server = file_text($issuer->{node}->logfile);
	like($server, qr/vci_http/, 'the server logs statements');
	unlike($server, qr/\Q$cut\E/, 'without codes');
};

done_testing();
