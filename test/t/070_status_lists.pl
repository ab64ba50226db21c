# Status lists as verifiers fetch them: tokens, W3C bitstring credentials, the list of lists;
# when a change is seen, what may be cached, and which servers answer.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib;
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;
use ProxyClient;

my $base = '/api/v1/openid4vci/status-lists';
my $jwt = 'application/statuslist+jwt';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $issuer = Issuer->start('status_lists', allows_streaming => 1);
$issuer->sql_as('registry', <<'SQL');
SELECT openid4vci.vci_create_configuration(id, 'https://issuer.example/' || id, binding => 'absent',
	validity => '1 hour', options => options::jsonb)
FROM (VALUES ('Two', '{"status_bits": 2, "w3c_status": true}'), ('One', '{"status_bits": 1}'))
	AS c (id, options)
SQL

sub json_part
{
	my ($token, $part) = @_;
	return decode_json(decode_base64url((split /\./, (split /~/, $token)[0])[$part]));
}

# Issues credentials of a configuration: their ids, lists and indexes.
sub issue
{
	my ($configuration, $count) = @_;
	my @rows = split /\n/, $issuer->sql_as('registry', <<"SQL");
SELECT r.credential_id || ' ' || r.credential FROM generate_series(1, $count) AS n,
	openid4vci.vci_issue_and_record('$configuration', jsonb_build_object('n', n)) AS r
SQL
	return map {
		my ($id, $credential) = split / /;
		my $payload = json_part($credential, 1);
		{ id => $id, payload => $payload, %{ $payload->{status}{status_list} } }
	} @rows;
}

sub get
{
	my ($server, $uri, @headers) = @_;
	my ($path) = $uri =~ m{^https://[^/]+(/.*)$};
	return $server->http('GET', $path // $uri, \@headers);
}

sub status_in
{
	my ($token, $index) = @_;
	my $list = json_part($token, 1)->{status_list};
	my $bytes = uncompress(decode_base64url($list->{lst}));
	my $bit = $index * $list->{bits};
	return ord(substr $bytes, int($bit / 8), 1) >> $bit % 8 & (1 << $list->{bits}) - 1;
}

# The status that a verifier finds for a credential at a server.
sub status_of
{
	my ($credential, $server) = @_;
	return status_in(get($server // $issuer, $credential->{uri})->{body}, $credential->{idx});
}

# W3C: the most significant bit of a byte comes first.
sub bit_in
{
	my ($token, $index) = @_;
	my ($multibase, $text) = json_part($token, 1)->{credentialSubject}{encodedList} =~ /^(.)(.*)$/;
	is($multibase, 'u', 'the list is base64url');
	my $bytes = Compress::Zlib::memGunzip(decode_base64url($text));
	cmp_ok(length $bytes, '>=', 16384, 'and has at least 131072 entries');
	return ord(substr $bytes, int($index / 8), 1) >> 7 - $index % 8 & 1;
}

sub change
{
	my ($what, $credential) = @_;
	return $issuer->sql_as('registry', "SELECT openid4vci.vci_$what($credential->{id}, 'a test')");
}

subtest 'a token tells each status, and a change at once' => sub {
	my @credentials = issue('Two', 3);
	my ($revoked, $suspended, $valid) = @credentials;
	my $answer = get($issuer, $revoked->{uri});
	is($answer->{status}, 200, 'the URI of a credential answers');
	is($answer->{headers}{'content-type'}, $jwt, 'with a token');
	is_deeply([ sort keys %{ json_part($answer->{body}, 0) } ], [qw(alg kid typ)], 'its header');
	is(json_part($answer->{body}, 0)->{typ}, 'statuslist+jwt', 'and typ');
	my $payload = json_part($answer->{body}, 1);
	is($payload->{sub}, $revoked->{uri}, 'sub is the URI');
	is($payload->{iss}, $revoked->{payload}{iss}, 'iss is that of the credential');
	is($payload->{status_list}{bits}, 2, 'bits');
	is($payload->{status_list}{aggregation_uri}, "$issuer->{url}$base", 'aggregation_uri');
	cmp_ok($payload->{iat}, '<=', time, 'iat does not lie ahead');
	is($payload->{exp} - $payload->{iat}, 86400, 'exp is a lifetime behind iat');
	my ($max_age) = $answer->{headers}{'cache-control'} =~ /^public, max-age=(\d+)$/;
	is($payload->{ttl} + $max_age, 3600, 'verifier and cache together keep it for status_list_ttl');
	is(status_of($_), 0, 'all are valid') for @credentials;

	is(change(revoke => $revoked), 1, 'one is revoked');
	is(change(suspend => $suspended), 1, 'one is suspended');
	is_deeply([ map { status_of($_) } @credentials ], [ 1, 2, 0 ], 'and the list says so');
	isnt(get($issuer, $revoked->{uri})->{headers}{etag}, $answer->{headers}{etag},
		'under another ETag');
	is(change(reinstate => $suspended), 1, 'it is valid again');
	is_deeply([ map { status_of($_) } @credentials ], [ 1, 0, 0 ], 'there, too');

	is_deeply([ map { $_->{statusPurpose} } @{ $revoked->{payload}{credentialStatus} } ],
		[ 'revocation', 'suspension' ], 'W3C entries of both purposes');
	for my $entry (@{ $revoked->{payload}{credentialStatus} })
	{
		my $is_revocation = $entry->{statusPurpose} eq 'revocation';
		my $list = get($issuer, $entry->{statusListCredential});
		is($list->{headers}{'content-type'}, 'application/vc+jwt', "$entry->{statusPurpose}: a VC");
		is(json_part($list->{body}, 1)->{id}, $entry->{statusListCredential}, 'of this id');
		is(bit_in($list->{body}, $entry->{statusListIndex}), $is_revocation ? 1 : 0, 'tells it');
		is(bit_in($list->{body}, $valid->{idx}), 0, 'and nothing of others');
	}
};

my ($two) = issue('Two', 1);
my ($one) = issue('One', 1);
my ($path) = $two->{uri} =~ m{^https://[^/]+(/.*)$};

subtest 'what may be cached' => sub {
	my $first = get($issuer, $two->{uri});
	my $etag = $first->{headers}{etag};
	like($etag, qr{^W/"[\w-]{22}"$}, 'the ETag is weak: signatures differ');
	is($first->{headers}{vary}, 'Accept, Accept-Encoding', 'Vary');
	is($first->{headers}{'access-control-allow-origin'}, '*', 'scripts of any origin may read it');
	is(get($issuer, $two->{uri})->{headers}{etag}, $etag, 'another backend has the same ETag');
	my $again = get($issuer, $two->{uri}, 'If-None-Match', $etag);
	is($again->{status}, 304, 'who has it gets 304');
	is($again->{body}, '', 'and nothing else');
	is(get($issuer, $two->{uri}, 'If-None-Match', 'W/"other"')->{status}, 200, 'who has another, 200');
	my @bodies = split /\n/, $issuer->sql_as('wallet_endpoint', join ';', map {
		"SELECT md5(body) FROM openid4vci.vci_http('GET', '$path', '{}')" } 1 .. 2);
	is($bodies[0], $bodies[1], 'a backend signs it once');
	change(revoke => $two);
	is(get($issuer, $two->{uri}, 'If-None-Match', $etag)->{status}, 200, 'a change ends that');

	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"status_list_ttl": 5,
		"status_list_lifetime": 60}')});
	my $short = get($issuer, $two->{uri});
	is($short->{headers}{'cache-control'}, 'public, no-cache', 'a short ttl leaves caches nothing');
	is(json_part($short->{body}, 1)->{ttl}, 5, 'and verifiers all of it');
	like($issuer->error_of('registry',
			q{SELECT openid4vci.vci_alter_issuer('{"status_list_ttl": 61}')}),
		qr/22023.*status_list_lifetime \(60 seconds\) must not be shorter/s, 'a token outlives its ttl');
	like($issuer->error_of('registry',
			q{SELECT openid4vci.vci_alter_issuer('{"status_list_size": 100000}')}),
		qr/22023.*power of two/s, 'a size is a power of two');
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"status_list_ttl": null,
		"status_list_lifetime": null}')});
};

subtest 'through the proxy' => sub {
	my $proxy = proxy_start($dir, '--pool', 2, '--conninfo',
		'host=' . $issuer->{node}->host . ' port=' . $issuer->{node}->port
		  . ' dbname=postgres user=wallet_endpoint');
	my $got = http_request($proxy, 'GET', $path);
	is($got->{status}, 200, 'GET');
	is(status_in($got->{body}, $two->{idx}), 1, 'the revoked one');
	my $head = http_request($proxy, 'HEAD', $path);
	is($head->{status}, 200, 'HEAD');
	is($head->{body}, '', 'has no body');
	is($head->{headers}{etag}, $got->{headers}{etag}, 'and the same ETag');
	my $packed = http_request($proxy, 'GET', $path, undef, 'Accept-Encoding', 'gzip');
	is($packed->{headers}{'content-encoding'}, 'gzip', 'gzip for who takes it');
	my $token = Compress::Zlib::memGunzip($packed->{body});
	is(status_in($token, $two->{idx}), 1, 'which is the same token');
	cmp_ok(length $packed->{body}, '<', length $token, 'and shorter');
	is(http_request($proxy, 'GET', $path, undef, 'If-None-Match', $got->{headers}{etag})->{status},
		304, 'who has it gets 304');
	is(http_request($proxy, 'OPTIONS', $path)->{headers}{'access-control-allow-methods'},
		'GET, HEAD, OPTIONS', 'OPTIONS');
	is(http_request($proxy, 'POST', $path, '')->{status}, 405, 'POST is not for lists');
	is(proxy_stop($proxy), 0, 'the proxy stops in order');
};

subtest 'what is refused' => sub {
	is(get($issuer, "$path?time=1686925000")->{status}, 501, 'lists of other times');
	is(get($issuer, "$path?x=y&time=%ff")->{status}, 200, 'but what is no such question is answered');
	is(get($issuer, $path, 'Accept', 'application/statuslist+cwt')->{status}, 406, 'CWT');
	is(get($issuer, $path, 'Accept', 'application/json')->{status}, 200, 'no other Accept');
	(my $unknown = $path) =~ s/.{22}$/'A' x 22/e;
	is(get($issuer, $unknown)->{status}, 404, 'a list that is not there');
	is(get($issuer, "$path/other")->{status}, 404, 'another segment');
	is(get($issuer, "$base/x")->{status}, 404, 'no name');
	is(get($issuer, "$one->{uri}/revocation")->{status}, 200, 'one bit tells of revocation');
	is(get($issuer, "$one->{uri}/suspension")->{status}, 404, 'and not of suspension');
	$issuer->sql_as('registry',
		q{SELECT openid4vci.vci_create_issuer('https://issuer.example/other');
		SELECT openid4vci.vci_create_key('https://issuer.example/other')});
	is(get($issuer, "/other$path")->{status}, 404, 'the list of another issuer');
	is_deeply(get($issuer, "/other$base")->{json}, { status_lists => [] }, 'which has none');
	$issuer->sql_as('registry',
		q{SELECT openid4vci.vci_retire_issuer('https://issuer.example/other')});
};

subtest 'the list of lists' => sub {
	my $answer = get($issuer, $base);
	is($answer->{headers}{'content-type'}, 'application/json', 'is JSON');
	my %listed = map { $_ => get($issuer, $_)->{status} } @{ $answer->{json}{status_lists} };
	ok($listed{$_}, "with the URI of a credential") for $one->{uri}, $two->{uri};
	is_deeply([ grep { $_ != 200 } values %listed ], [], 'and all of them answer');
	is(get($issuer, $base, 'If-None-Match', $answer->{headers}{etag})->{status}, 304, 'has an ETag');
	my $metadata = '/.well-known/oauth-authorization-server';
	is(get($issuer, $metadata)->{json}{status_list_aggregation_endpoint}, "$issuer->{url}$base",
		'metadata names it');
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer(
		'{"endpoints": {"status_list": {"enabled": false}}}')});
	is(get($issuer, $_)->{status}, 404, "$_ is gone when it is switched off") for $base, $path;
	ok(!exists get($issuer, $metadata)->{json}{status_list_aggregation_endpoint},
		'from the metadata, too');
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"endpoints": null}')});
};

subtest 'what was rolled back is never told' => sub {
	my ($kept, $undone) = issue('Two', 2);
	my @tokens = split /\n/, $issuer->sql(<<"SQL");
SET client_min_messages = error;
BEGIN;
SELECT '' FROM openid4vci.vci_revoke($undone->{id}, 'undone') AS r (n) WHERE n <> 1;
SELECT convert_from(body, 'UTF8') FROM openid4vci.vci_http('GET', '$path', '{}');
ROLLBACK;
SELECT '' FROM openid4vci.vci_revoke($kept->{id}, 'kept') AS r (n) WHERE n <> 1;
SELECT convert_from(body, 'UTF8') FROM openid4vci.vci_http('GET', '$path', '{}');
SQL
	is(scalar @tokens, 2, 'two tokens of one backend');
	is(status_in($tokens[0], $undone->{idx}), 1, 'the transaction sees its own change');
	is(status_in($tokens[1], $undone->{idx}), 0, 'nobody else does');
	is(status_in($tokens[1], $kept->{idx}), 1, 'though the version is the same number');
};

subtest 'paused issuance and a new key' => sub {
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"issuance_paused": true}')});
	my $old = get($issuer, $two->{uri});
	is($old->{status}, 200, 'who may not issue still tells statuses');
	my $kid = json_part($old->{body}, 0)->{kid};
	$issuer->sql_as('registry', "SELECT openid4vci.vci_create_key();
		SELECT openid4vci.vci_alter_key('$kid', 'retired')");
	my $new = get($issuer, $two->{uri}, 'If-None-Match', $old->{headers}{etag});
	is($new->{status}, 200, 'another key has another ETag');
	isnt(json_part($new->{body}, 0)->{kid}, $kid, 'and signs');
	$issuer->sql_as('registry', q{SELECT openid4vci.vci_alter_issuer('{"issuance_paused": null}')});
};

# What it signed for credentials is over after an hour, which this is far beyond.
subtest 'a retired key stays published for the tokens that it signed' => sub {
	my $url = 'https://issuer.example/keys';
	$issuer->sql_as('registry', <<"SQL");
SELECT openid4vci.vci_create_issuer('$url', settings => '{"status_list_lifetime": 864000}');
SELECT openid4vci.vci_create_configuration('Brief', 'urn:brief', binding => 'absent', issuer => '$url',
	validity => '1 hour', options => '{"status_bits": 1}');
SQL
	my $retire = sub {
		my $kid = $issuer->sql_as('registry', "SELECT openid4vci.vci_create_key('$url')");
		$issuer->sql_as('registry', $_[0]) if $_[0];
		$issuer->sql_as('registry', "SET client_min_messages = error;
			SELECT openid4vci.vci_retire_key('$kid', '$url')");
		return $issuer->sql_as('registry', "SELECT extract(epoch FROM published_until - retired_at)::int
			FROM openid4vci.vci_key_info WHERE kid = '$kid'");
	};
	is($retire->(), 7200, 'of an issuer without lists as before');
	is($retire->("SELECT openid4vci.vci_issue_and_record('Brief', '{}', issuer => '$url')"), 867600,
		'with lists for status_list_lifetime and an hour');
	$issuer->sql_as('registry', "SELECT openid4vci.vci_retire_issuer('$url')");
};

subtest 'a standby answers as the primary does' => sub {
	my $node = PostgreSQL::Test::Cluster->new('standby');
	$issuer->{node}->backup('standby');
	$node->init_from_backup($issuer->{node}, 'standby', has_streaming => 1);
	$node->start;
	my $standby = bless { %$issuer, node => $node }, ref $issuer;
	my $catch_up = sub {
		$issuer->{node}->wait_for_catchup($node, 'replay', $issuer->{node}->lsn('insert'));
	};
	my ($credential) = issue('Two', 1);
	$catch_up->();
	is(status_of($credential, $standby), 0, 'a token from the standby');
	change(suspend => $credential);
	$catch_up->();
	is(status_of($credential, $standby), 2, 'and the change');
	my $etag = get($issuer, $credential->{uri})->{headers}{etag};
	is(get($standby, $credential->{uri}, 'If-None-Match', $etag)->{status}, 304,
		'under the same ETag');
	is(get($standby, $base)->{status}, 200, 'the list of lists');
	$node->stop;
};

subtest 'a copy of the database tells nothing' => sub {
	$issuer->sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()');
	$issuer->{node}->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');
	my $answer = Issuer::answer($issuer->{node}->safe_psql('copy',
		Issuer::http_statement('GET', $path), extra_params => [ '-U', 'wallet_endpoint' ]));
	is($answer->{status}, 503, 'it answers 503');
	like($answer->{json}{error_description}, qr/^this database is a copy/, 'and why');
	like($answer->{headers}{'retry-after'}, qr/^\d+$/, 'and when to ask again');
};

$issuer->{node}->stop;
done_testing();
