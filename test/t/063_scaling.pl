# docs/scaling.md spreads the tables by Citus, which is not here. What can be told without it:
# a stand-in refuses what Citus refuses, the document's statements pass it and name each table
# once, and on the schema that they leave everything that wallets do still works, once, by
# statements that Citus sends to one shard.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Document;
use Flow;
use Issuer;
use Shards;
use Wallet;

my $base = '/api/v1/openid4vci';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $document = Document->read("$FindBin::Bin/../../docs/scaling.md");
my $issuer = Issuer->start('scaled', conf => <<'CONF');
session_preload_libraries = 'auto_explain'
auto_explain.log_nested_statements = on
CONF
$issuer->sql("ALTER ROLE $_ SET auto_explain.log_min_duration = 0") for qw(registry wallet_endpoint);
Flow::prepare($issuer);
$issuer->sql(slurp_file("$FindBin::Bin/lib/citus_stand_in.sql"));
my $key = Wallet->new_quick;

# The document's block that begins with this comment.
sub block
{
	my ($begins) = @_;
	my @found = grep { $_->{text} =~ /^-- \Q$begins\E/ } $document->blocks('text');
	is(scalar @found, 1, "docs/scaling.md has the block '$begins'");
	return $found[0]{text};
}

my $spread = block('Citus: spread the tables');
my $clean = block('Citus: instead of vci_purge');
my $withdraw = block('Citus: instead of vci_after_restore');

# What the stand-in says to a statement that is not carried out.
sub refusal
{
	my (@statements) = @_;
	my ($status, $out, $err) =
	  $issuer->{node}->psql('postgres', join(";\n", 'BEGIN', @statements, 'ROLLBACK', ''));
	my ($said) = $err =~ /ERROR:  (.*)/;
	return $said // 'nothing';
}

sub distribute
{
	my ($table, $column, $with) = @_;
	$with = defined $with ? ", '$with'" : '';
	return "SELECT create_distributed_table('$table', '$column'$with)";
}

# Else the stand-in's consent would tell nothing.
subtest 'the stand-in refuses what Citus refuses' => sub {
	my $ours = 'openid4vci.vci';
	my %lacks = (
		offer => [ 'id', 'vci_offer_reference_key' ],
		token => [ 'offer_id', 'vci_token_pkey, .*vci_token_external_key' ],
		refresh_token => [ 'offer_id', 'vci_refresh_token_pkey' ],
		deferred => [ 'offer_id', 'vci_deferred_pkey, .*vci_deferred_token_key' ]);
	for my $table (sort keys %lacks)
	{
		my ($column, $indexes) = @{ $lacks{$table} };
		like(refusal(distribute("${ours}_$table", $column)),
			qr/unique without the distribution column: .*$indexes/, "vci_$table as it is");
	}
	like(refusal(distribute("${ours}_nonce", 'nothing')), qr/no such column/,
		'a column that is not there');
	like(refusal(distribute("${ours}_credential", 'offer_id')), qr/may be null/,
		'a column that may be null');
	like(refusal(distribute("${ours}_event", 'id')), qr/has triggers/, 'triggers');
	like(refusal("ALTER TABLE ${ours}_event DISABLE TRIGGER USER", distribute("${ours}_event", 'id')),
		qr/has triggers/, 'disabled ones');
	like(refusal('CREATE TABLE a (id bigint PRIMARY KEY)',
			'CREATE TABLE b (id bigint PRIMARY KEY REFERENCES a)', distribute('a', 'id')),
		qr/has foreign keys/, 'a foreign key that leads to it');
	like(refusal('CREATE TABLE g (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)',
			distribute('g', 'id')), qr/is generated/, 'a generated column');
	like(refusal('CREATE TABLE x (id xml NOT NULL)', distribute('x', 'id')), qr/no hash function/,
		'a type without hash');
	like(refusal('CREATE UNLOGGED TABLE u (id bigint NOT NULL)', distribute('u', 'id')),
		qr/no plain logged table/, 'an unlogged table');
	like(refusal('CREATE TABLE p (id bigint NOT NULL)', 'CREATE TABLE c () INHERITS (p)',
			distribute('p', 'id')), qr/parents or children/, 'a table with children');
	like(refusal('CREATE SEQUENCE few AS integer',
			"CREATE TABLE s (id bigint PRIMARY KEY DEFAULT nextval('few'))", distribute('s', 'id')),
		qr/none of bigint/, 'a short sequence');
	like(refusal(distribute("${ours}_nonce", 'random', "${ours}_offer")), qr/is not distributed/,
		'colocation with what is not distributed');
	like(refusal(distribute("${ours}_nonce", 'random'), distribute("${ours}_nonce", 'random')),
		qr/distributed already/, 'a table twice');
	like(refusal('CREATE TABLE n (id bigint PRIMARY KEY)', distribute('n', 'id'),
			distribute("${ours}_nonce", 'random', 'n')), qr/another type/,
		'colocation by keys of two types');
	is(refusal('CREATE TABLE n (id bigint PRIMARY KEY)', distribute('n', 'id')), 'nothing',
		'and takes what is right');
};

subtest 'the statements pass' => sub {
	my ($status, $out, $err) = $issuer->{node}->psql('postgres', $spread, on_error_stop => 1);
	is($status, 0, 'each of them') or diag($err);
	my @distributed = split /\n/, $issuer->sql('SELECT relname FROM citus.distributed
		JOIN pg_class ON pg_class.oid = name');
	my ($staying) = $spread =~ /^-- These stay on the coordinator: ((?:[^;]|\n-- )+);/m;
	my @staying = $staying =~ /(vci_\w+)/g;
	my @tables = split /\n/, $issuer->sql("SELECT relname FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'openid4vci'::regnamespace");
	is_deeply([ sort @distributed, @staying ], [ sort @tables ], 'and name each table of the extension once');
	is($issuer->sql("SELECT count(*) FROM pg_constraint AS f WHERE f.contype = 'f'
		AND EXISTS (SELECT FROM citus.distributed AS d WHERE d.name IN (f.conrelid, f.confrelid))"),
		0, 'no foreign key leads from or to a distributed table');
	is($issuer->sql("SELECT count(*) FROM citus.distributed AS d JOIN citus.distributed AS o
		ON o.name = 'openid4vci.vci_offer'::regclass
		JOIN pg_class AS c ON c.oid = d.name JOIN pg_attribute AS a ON a.attrelid = d.name
		WHERE a.attname = 'offer_id' AND NOT (d.key = 'offer_id'
			AND d.with_table = 'openid4vci.vci_offer')"), 0, 'what has an offer lies beside it');
};

my $shards = Shards->new($issuer);

subtest 'what a statement is told by' => sub {
	my %wrong = (
		'SELECT id FROM openid4vci.vci_token WHERE id = $1 FOR NO KEY UPDATE' => qr/row lock without/,
		'SELECT id FROM openid4vci.vci_token WHERE id = $1' => qr/every shard/,
		'UPDATE openid4vci.vci_offer SET redeemed_at = clock_timestamp() WHERE id = $1' => qr/volatile/,
		'DELETE FROM openid4vci.vci_nonce WHERE issued_at = $1' => qr/every shard/,
		'UPDATE openid4vci.vci_offer AS r SET ends_at = (SELECT now() FROM openid4vci.vci_issuer) '
		  . 'WHERE r.id = $1' => qr/stays on the coordinator/,
		'UPDATE openid4vci.vci_credential AS c SET dataset = 1 FROM openid4vci.vci_credential AS f '
		  . 'WHERE c.offer_id = $1 AND f.id = $2' => qr/every shard/,
		'WITH o AS (SELECT 1) SELECT FROM openid4vci.vci_offer WHERE id = $1' => qr/common table/,
		'INSERT INTO openid4vci.vci_token (id) VALUES ($1)' => qr/without the distribution column/,
		'INSERT INTO openid4vci.vci_token (offer_id) SELECT $1' => qr/more than VALUES/);
	like($shards->objection($_) // 'nothing', $wrong{$_}, $_) for sort keys %wrong;
	is($shards->objection($_), undef, $_)
	  for 'SELECT id FROM openid4vci.vci_token WHERE id = $1 AND offer_id = $2 FOR NO KEY UPDATE',
	  'INSERT INTO openid4vci.vci_event (id) VALUES ($1)',
	  'INSERT INTO openid4vci.vci_nonce (issued_at, random) VALUES ($1, $2) ON CONFLICT DO NOTHING';
};

my $seen = 0;

# The statements that ran inside the extension's functions since the last look.
sub statements
{
	my $log = slurp_file($issuer->{node}->logfile, $seen);
	$seen += length $log;
	return grep { !/openid4vci\.vci_(?:http|\w+_info)\b/ && /openid4vci\./ }
	  $log =~ /^\tQuery Text: (.*)$/mg;
}

# Those of them that Citus would not run on one shard, each once.
sub objections
{
	my %objections;
	my @statements = grep { $shards->is_distributed($_) } statements();
	cmp_ok(scalar @statements, '>', 0, 'there are statements with distributed tables');
	for my $statement (@statements)
	{
		my $objection = $shards->objection($statement) // next;
		$objections{"$objection: $statement"}++;
	}
	return join "\n", sort keys %objections;
}

sub refused
{
	my ($answer, $status, $error, $what) = @_;
	is("$answer->{status} " . ($answer->{json}{error} // ''), "$status $error", $what);
	return;
}

sub proven
{
	my ($nonce) = @_;
	return Issuer::credential_body('Card', $key->proof(aud => $issuer->{url}, nonce => $nonce));
}

statements();

# Citus sees statements alone: a row that is written past them is on no shard.
subtest 'rows are written by statements' => sub {
	my $offer = $issuer->offer;
	my $nonce = $issuer->nonce;
	my @offered = statements();
	my $token = $issuer->token($offer)->{json}{access_token};
	my @redeemed = statements();
	is($issuer->credential($token, proven($nonce))->{status}, 200, 'a credential is issued');
	my @issued = statements();
	note 'round trips: token ', scalar(grep { $shards->is_distributed($_) } @redeemed),
	  ', credential ', scalar(grep { $shards->is_distributed($_) } @issued);
	my %written =
	  map { $_ => 1 } map { /^INSERT INTO openid4vci\.(\w+)/ } @offered, @redeemed, @issued;
	ok($written{$_}, $_) for qw(vci_offer vci_token vci_nonce vci_credential vci_event);
};

subtest 'a pre-authorized code to its notification' => sub {
	my $offer = $issuer->offer("tx_code => '493536'");
	refused($issuer->token($offer, '000000'), 400, 'invalid_grant', 'a wrong transaction code');
	is($issuer->sql("SELECT tx_code_failures FROM openid4vci.vci_offer WHERE id = $offer->{offer_id}"),
		1, 'counts');
	my $token = $issuer->token($offer, '493536')->{json}{access_token};
	refused($issuer->token($offer, '493536'), 400, 'invalid_grant', 'the code is good once');
	my $nonce = $issuer->nonce;
	my $body = proven($nonce);
	my $issued = $issuer->credential($token, $body);
	is($issued->{status}, 200, 'a credential');
	is($issuer->credential($token, $body)->{status}, 200, 'the same request gets it again');
	refused($issuer->credential($token, proven($issuer->nonce)), 400, 'credential_request_denied',
		'the token is good for one');
	my $other = $issuer->token($issuer->offer)->{json}{access_token};
	refused($issuer->credential($other, proven($nonce)), 400, 'invalid_nonce', 'the nonce, too');
	my $notified = $issuer->http('POST', "$base/notification", Issuer::bearer($token), encode_json(
		{ notification_id => $issued->{json}{notification_id}, event => 'credential_accepted' }));
	is($notified->{status}, 204, 'a notification');
	is($issuer->sql("SELECT count(*), min(notification) FROM openid4vci.vci_credential
		WHERE offer_id = $offer->{offer_id}"), '1|credential_accepted', 'is with the credential');
	is(objections(), '', 'each statement is for one shard');
};

subtest 'the other ways, and the registry' => sub {
	my $flow = Flow->new($issuer, key => $key);
	my $tokens = $flow->tokens;
	my $asked = $flow->send($flow->credential_request($tokens->{access_token}, 'Card', $key));
	is($asked->{status}, 200, 'an authorization code, by a proof of a key');
	my $refreshed = $flow->send($flow->refresh_request($tokens->{refresh_token}));
	is($refreshed->{status}, 200, 'a refresh token that stays');
	my $bearer = Flow->new($issuer);
	my $first = $bearer->tokens;
	my $second = $bearer->send($bearer->refresh_request($first->{refresh_token}))->{json};
	is($bearer->send($bearer->refresh_request($second->{refresh_token}))->{status}, 200,
		'one that is replaced');
	refused($bearer->send($bearer->refresh_request($first->{refresh_token})), 400, 'invalid_grant',
		'the replaced one again');
	my $deferral = $flow->deferral($key);
	is($flow->fetch($deferral)->{status}, 202, 'a deferral');
	is(objections(), '', 'each statement is for one shard');
	$flow->complete($deferral);
	is($flow->fetch($deferral)->{status}, 200, 'is fetched');
	is($flow->fetch($deferral)->{status}, 200, 'and once more');
	is(objections(), 'a statement for every shard: SELECT offer_id FROM openid4vci.vci_deferred '
		  . 'WHERE id = $1', 'the registry has only its id, so its offer is looked for');
	my $offer = $issuer->offer("tx_code => '493536'")->{offer_id};
	$issuer->sql_as('registry', "SELECT openid4vci.$_")
	  for "vci_extend_offer($offer)", "vci_rotate_code($offer)", "vci_reset_tx_code($offer)",
	  "vci_cancel_offer($offer)", "vci_reopen_offer($offer)", "vci_offer_uri($offer)";
	is(objections(), '', 'what it does with an offer is for one shard');
	$issuer->sql_as('registry', "SELECT openid4vci.$_") for 'vci_health()', 'vci_events()',
	  'vci_seal_events()', 'vci_check_issuer()', 'vci_pause_issuance()', 'vci_resume_issuance()',
	  'vci_rotate_key()', "vci_issue_sdjwt('Open', '{}')";
	is(join("\n", grep { $shards->is_distributed($_) } statements()), '',
		'health, events, settings and keys need no shard');
};

subtest 'many at the same moment' => sub {
	my $offer = $issuer->offer;
	my @answers = $issuer->requests_at_once(map { [ Issuer::token_request($offer->{code}) ] } 1 .. 20);
	my ($won) = my @winners = grep { $_->{status} == 200 } @answers;
	is(scalar @winners, 1, 'one of them redeems a code');
	my @requests = map { [ Issuer::credential_request($won->{json}{access_token}, proven($issuer->nonce)) ] } 1 .. 10;
	is(scalar(grep { $_->{status} == 200 } $issuer->requests_at_once(@requests)), 1,
		'one of them gets the credential of a token');
	my @tokens = map { $issuer->token($issuer->offer)->{json}{access_token} } 1 .. 10;
	my $nonce = $issuer->nonce;
	@requests = map { [ Issuer::credential_request($_, proven($nonce)) ] } @tokens;
	is(scalar(grep { $_->{status} == 200 } $issuer->requests_at_once(@requests)), 1,
		'one of them spends a nonce');
	statements();
};

# No shard can tell whether another one has such a row.
subtest 'what would need an index over all shards fails, and does nothing' => sub {
	my $rows = 'SELECT (SELECT count(*) FROM openid4vci.vci_offer), (SELECT count(*) FROM '
	  . 'openid4vci.vci_token), (SELECT count(*) FROM openid4vci.vci_credential)';
	my $before = $issuer->sql($rows);
	like($issuer->error_of('registry', "SELECT openid4vci.vci_create_offer('{Card}', claims => '{}',
		reference => 'R-1')"),
		qr/no unique or exclusion constraint matching/, 'a reference');
	like($issuer->error_of('registry', "SELECT openid4vci.vci_issue_and_record('Open', '{}')"),
		qr/null value in column "offer_id"/, 'a credential that is recorded without an offer');
	my $jwks = encode_json({ keys => [ { %{ $key->{jwk} }, kid => 'k1' } ] });
	$issuer->sql_as('registry', "SELECT openid4vci.vci_create_authorization_server(
		'https://login.example', '{registry}', jwks => '$jwks', options => '{\"subject_model\": \"person\"}')");
	my $token = $key->sign({ alg => 'ES256', typ => 'at+jwt', kid => 'k1' },
		{ iss => 'https://login.example', sub => '7', aud => 'registry', client_id => 'wallet', jti => 'j',
			iat => time, exp => time + 3600, scope => 'slow' });
	my (undef, $out) = $issuer->{node}->psql('postgres',
		Issuer::http_statement(Issuer::credential_request($token, Issuer::credential_body('Slow', 'x.y.z'))),
		extra_params => [ '-U', 'wallet_endpoint' ]);
	unlike($out, qr/"status" : 20\d/, "an external server's token");
	is($issuer->sql($rows), $before, 'no row is there');
};

# A node that draws ids itself has a range of its own (AlterSequenceMinMax); Odoo's web client
# needs them below 2^53.
subtest 'ranges of ids' => sub {
	my @sequences = split /\n/, $issuer->sql("SELECT DISTINCT s.seqrelid::regclass
		FROM citus.distributed AS d JOIN pg_depend AS p ON p.refobjid = d.name AND p.deptype = 'a'
		JOIN pg_sequence AS s ON s.seqrelid = p.objid");
	is(scalar @sequences, 5, 'five of the distributed tables have ids');
	my $range = sub {
		my ($node) = @_;
		$issuer->sql("SELECT citus.give_range('$_', $node)") for @sequences;
		return map { [ split /\|/ ] } split /\n/,
		  $issuer->sql('SELECT DISTINCT seqmin, seqmax FROM pg_sequence WHERE seqrelid = ANY (ARRAY['
			  . join(',', map { "'$_'" } @sequences) . ']::regclass[])');
	};
	my %range;
	for my $node (1, 2, 30, 31)
	{
		my @ranges = $range->($node);
		is(scalar @ranges, 1, "all have the same range on node $node");
		$range{$node} = $ranges[0];
	}
	# Citus lets a range end with the first number of the next one, after 2^48 others
	cmp_ok($range{1}[1], '<=', $range{2}[0], 'ranges follow each other');
	cmp_ok($range{30}[1], '<', 1 << 53, 'thirty nodes stay below 2^53');
	cmp_ok($range{31}[1], '>', 1 << 53, 'a node more would not');
	$range->(30);
	my $made = $issuer->offer;
	cmp_ok($made->{offer_id}, '>', 30 * (1 << 48), 'the last one draws its ids');
	my $token = $issuer->token($made)->{json}{access_token};
	is($issuer->credential($token, proven($issuer->nonce))->{status}, 200, 'by which all is found');
};

# Statements of a block of the document, one a string.
sub statements_of
{
	my ($text) = @_;
	return map { s/^\s+//r } grep { /\S/ } split /;\n/, $text =~ s/^--.*\n//mgr;
}

subtest 'what cannot be done by the extension is done by statements for every shard' => sub {
	for my $statement (map { statements_of($_) } $clean, $withdraw)
	{
		my ($title) = $statement =~ /^(.*)$/m;
		like($shards->objection($statement =~ s/\s+/ /gr) // 'none',
			qr/^(?:none|a statement for every shard)$/, $title);
	}
};

subtest 'instead of vci_purge' => sub {
	my ($old, $young) = map { $issuer->offer } 1 .. 2;
	$issuer->token($_) for $old, $young;
	my $mine = "offer_id IN ($old->{offer_id}, $young->{offer_id})";
	$issuer->sql(<<"SQL");
UPDATE openid4vci.vci_offer SET ends_at = now() - interval '2 hours' WHERE id = $old->{offer_id};
UPDATE openid4vci.vci_token SET expires_at = now() - interval '31 days' WHERE offer_id = $old->{offer_id};
INSERT INTO openid4vci.vci_nonce VALUES (now() - interval '32 days', '\\x00'), (now(), '\\x01');
INSERT INTO openid4vci.vci_dpop_proof VALUES ('\\x00', now() - interval '3 hours'), ('\\x01', now());
SQL
	my $waiting = Flow->new($issuer)->deferral($key);
	$issuer->sql("UPDATE openid4vci.vci_token SET expires_at = now() - interval '31 days'
		WHERE offer_id = $waiting->{offer_id}");
	$issuer->sql($clean);
	is($issuer->sql("SELECT string_agg((id = $young->{offer_id}) || ' ' || (claims IS NOT NULL)
		|| ' ' || (claims_erased_at IS NULL), ', ' ORDER BY id) FROM openid4vci.vci_offer
		WHERE id IN ($old->{offer_id}, $young->{offer_id})"),
		'false false false, true true true', 'claims go when their offer is over');
	is($issuer->sql("SELECT offer_id FROM openid4vci.vci_token WHERE $mine"), $young->{offer_id},
		'tokens when their time is');
	is($issuer->sql("SELECT count(*) FROM openid4vci.vci_token WHERE offer_id = $waiting->{offer_id}"),
		1, 'but not one by which a deferral can be fetched');
	is($issuer->sql("SELECT string_agg(encode(random, 'hex'), ' ') FROM openid4vci.vci_nonce
		WHERE length(random) = 1"), '01', 'old nonces');
	is($issuer->sql("SELECT string_agg(encode(digest, 'hex'), ' ') FROM openid4vci.vci_dpop_proof
		WHERE length(digest) = 1"), '01', 'old proofs');
	is($issuer->sql_as('registry', "SELECT ok FROM openid4vci.vci_health() WHERE \"check\" = 'events'"),
		't', 'and events are sealed');
};

subtest 'instead of vci_after_restore' => sub {
	my $offer = $issuer->offer;
	my $token = $issuer->token($issuer->offer)->{json}{access_token};
	my $nonce = $issuer->nonce;
	$issuer->sql($withdraw);
	refused($issuer->token($offer), 400, 'invalid_grant', 'links are dead');
	refused($issuer->credential($token, proven($issuer->nonce)), 401, 'invalid_token', 'and tokens');
	$token = $issuer->token($issuer->offer)->{json}{access_token};
	refused($issuer->credential($token, proven($nonce)), 400, 'invalid_nonce', 'and nonces');
	is($issuer->credential($token, proven($issuer->nonce))->{status}, 200, 'new ones work');
};

done_testing();
