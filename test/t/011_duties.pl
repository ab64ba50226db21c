# Each duty signs in and tries every function and relation: what works is exactly what the
# table below says, and docs/security.md says the same. And what each of them could try to
# get more.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;

my @duties =
  qw(none endpoint offerer issuer_admin key_admin verifier reporter auditor backup gateway
  tx_code_gateway);

# object: the duties whose roles may execute it or SELECT from it.
my $table = <<'TABLE';
vci_adopt_database: key_admin
vci_after_restore: key_admin
vci_alter_authorization_server: issuer_admin
vci_alter_campaign: offerer
vci_alter_client: issuer_admin
vci_alter_configuration: issuer_admin
vci_alter_issuer: issuer_admin
vci_alter_key: key_admin
vci_authorization: backup
vci_authorization_id_seq: backup
vci_authorization_info: offerer issuer_admin key_admin reporter auditor backup
vci_authorization_request: offerer
vci_authorization_server: backup
vci_authorization_server_info: offerer issuer_admin key_admin reporter auditor backup
vci_authorize: offerer
vci_authorize_approve: offerer
vci_authorize_deny: offerer
vci_campaign: backup
vci_campaign_failure_info: offerer issuer_admin key_admin reporter auditor backup
vci_campaign_id_seq: backup
vci_campaign_info: offerer issuer_admin key_admin reporter auditor backup
vci_campaign_recipient: backup
vci_campaign_recipient_id_seq: backup
vci_campaign_run: offerer
vci_campaign_step: offerer
vci_cancel_campaign: offerer
vci_cancel_offer: offerer
vci_cancel_offers: offerer
vci_check_campaign: offerer
vci_check_issuer: offerer issuer_admin key_admin reporter auditor
vci_client: backup
vci_client_info: offerer issuer_admin key_admin reporter auditor backup
vci_configuration: backup
vci_configuration_info: offerer issuer_admin key_admin reporter auditor backup
vci_configuration_number_seq: backup
vci_create_authorization_server: issuer_admin
vci_create_campaign: offerer
vci_create_client: issuer_admin
vci_create_configuration: issuer_admin
vci_create_issuer: issuer_admin
vci_create_key: key_admin
vci_create_nonce: offerer
vci_create_offer: offerer
vci_credential: backup
vci_credential_id_seq: backup
vci_credential_info: offerer issuer_admin key_admin reporter auditor backup
vci_credential_status: offerer issuer_admin key_admin reporter auditor
vci_database: backup
vci_deferred: backup
vci_deferred_complete: offerer
vci_deferred_deny: offerer
vci_deferred_id_seq: backup
vci_deferred_info: offerer issuer_admin key_admin reporter auditor backup
vci_delivery_link: offerer backup gateway
vci_delivery_queue: offerer backup gateway
vci_delivery_tx_code: offerer backup tx_code_gateway
vci_delivery_tx_codes: offerer backup tx_code_gateway
vci_destroy_key: key_admin
vci_did_document: backup
vci_dpop_proof: backup
vci_drop_authorization_server: issuer_admin
vci_drop_caches:
vci_drop_did_document: issuer_admin
vci_duty: backup
vci_duty_info: issuer_admin auditor backup
vci_duty_issuers: offerer issuer_admin key_admin reporter auditor backup gateway tx_code_gateway
vci_epoch: backup
vci_event: backup
vci_event_append_only:
vci_event_head: auditor
vci_event_id_seq: backup
vci_event_info: offerer issuer_admin key_admin reporter auditor backup
vci_event_seal: backup
vci_event_seal_info: auditor backup
vci_events: offerer issuer_admin key_admin reporter auditor
vci_exchange_code: offerer
vci_extend_offer: offerer
vci_extend_offers: offerer
vci_find_offer: offerer
vci_funnel: backup
vci_funnel_info: offerer issuer_admin key_admin reporter auditor backup
vci_funnel_state: backup
vci_grant: issuer_admin
vci_health: offerer issuer_admin key_admin reporter auditor
vci_holder_jwk: offerer
vci_http: endpoint
vci_import_key: key_admin
vci_issue_and_record: offerer
vci_issue_sdjwt: offerer
vci_issuer: backup
vci_issuer_id_seq: backup
vci_issuer_info: offerer issuer_admin key_admin reporter auditor backup
vci_issuer_settings: offerer issuer_admin key_admin reporter auditor
vci_key: backup
vci_key_csr: key_admin
vci_key_id_seq: backup
vci_key_info: offerer issuer_admin key_admin reporter auditor backup
vci_latency_info: offerer issuer_admin key_admin reporter auditor backup
vci_load_did_document: issuer_admin
vci_load_jwks: issuer_admin
vci_mark_deliveries: offerer gateway
vci_nonce: backup
vci_offer: backup
vci_offer_id_seq: backup
vci_offer_info: offerer issuer_admin key_admin reporter auditor backup
vci_offer_qr: offerer
vci_offer_qr_png: offerer
vci_offer_situation: offerer issuer_admin key_admin reporter auditor
vci_offer_uri: offerer
vci_pause_campaign: offerer
vci_pause_issuance: issuer_admin
vci_person: offerer issuer_admin key_admin reporter auditor
vci_purge: offerer issuer_admin
vci_purge_state: backup
vci_push_authorization: offerer
vci_reapply_duties:
vci_record_notification: offerer
vci_recount_funnel: issuer_admin
vci_refresh_funnel: offerer issuer_admin key_admin reporter auditor
vci_refresh_token: backup
vci_refresh_token_id_seq: backup
vci_reinstate: offerer
vci_reopen_offer: offerer
vci_request_credential: offerer
vci_request_deferred: offerer
vci_request_token: offerer
vci_resend: offerer
vci_reset_tx_code: offerer
vci_resume_campaign: offerer
vci_resume_issuance: issuer_admin
vci_retire_client: issuer_admin
vci_retire_configuration: issuer_admin
vci_retire_issuer: issuer_admin
vci_retire_key: key_admin
vci_revoke(bigint): offerer
vci_revoke(name): issuer_admin
vci_rotate_code: offerer
vci_rotate_key: key_admin
vci_rotate_root_key: key_admin
vci_seal_events: offerer issuer_admin auditor
vci_set_key_certificates: key_admin
vci_status_chunk: backup
vci_status_list: backup
vci_status_list_id_seq: backup
vci_status_position_seq: backup
vci_suspend: offerer
vci_take_deliveries: offerer gateway
vci_token: backup
vci_token_id_seq: backup
vci_verify_dpop: offerer verifier
vci_verify_events: auditor
vci_verify_kbjwt: offerer verifier
vci_verify_sdjwt: offerer verifier
TABLE

my $issuer = Issuer->start('duties');
my $node = $issuer->{node};
for my $duty (@duties)
{
	$issuer->sql("CREATE ROLE d_$duty LOGIN");
	$issuer->sql("SELECT openid4vci.vci_grant('d_$duty', '$duty')") if $duty ne 'none';
}
my $offer = $issuer->offer;

# 'yes' when a statement is not refused for want of privilege; whatever it did is undone.
$issuer->sql(<<'SQL');
CREATE FUNCTION public.may(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN CASE WHEN SQLERRM ~ '^permission denied for' THEN 'no' ELSE SQLERRM END;
    WHEN OTHERS THEN
        RETURN 'yes';
END
$$;
-- One call of each function and one SELECT of each relation. Arguments are not null: a
-- strict function would then not be called at all, and nobody's right to it be asked for.
CREATE TABLE public.attempt AS
SELECT p.proname::text || CASE WHEN count(*) OVER (PARTITION BY p.proname) > 1
    THEN format('(%s)', format_type(p.proargtypes[0], NULL)) ELSE '' END AS object, format('%s openid4vci.%I(%s)',
    CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END, p.proname,
    (SELECT string_agg(format('%L::%s', CASE WHEN t IN ('text[]'::regtype, 'bigint[]'::regtype) THEN '{}'
         WHEN t = 'jsonb'::regtype THEN '{}' WHEN t = 'boolean'::regtype THEN 'false'
         WHEN t = 'text'::regtype OR t = 'name'::regtype THEN 'x'
         WHEN t = 'timestamptz'::regtype THEN '2000-01-01' ELSE '1' END,
         format_type(t, NULL)), ', ' ORDER BY n)
     FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n))) AS statement
FROM pg_proc AS p WHERE p.pronamespace = 'openid4vci'::regnamespace
UNION ALL
SELECT c.relname, format('SELECT * FROM openid4vci.%I', c.relname)
FROM pg_class AS c WHERE c.relnamespace = 'openid4vci'::regnamespace AND c.relkind IN ('r', 'v', 'S');
GRANT SELECT ON public.attempt TO PUBLIC;
SQL

# As the lines of the table above.
sub written
{
	my (%may) = @_;
	return [ map
		{ my $object = $_; join(' ', "$object:", grep { $may{$object}{$_} } @duties) }
		sort keys %may ];
}

my %may;
for my $duty (@duties)
{
	my $answers = $issuer->sql_as("d_$duty",
		'SELECT object, public.may(statement) FROM public.attempt');
	for my $answer (split /\n/, $answers)
	{
		my ($object, $result) = split /\|/, $answer;
		$may{$object}{$duty} = $result ne 'no';
	}
}
is_deeply(written(%may), [ split /\n/, $table ], 'each duty can use exactly what its table says');

# Rows "| `object` | yes | | ..." between the markers.
sub documented
{
	my ($file) = @_;
	my ($section) = slurp_file($file) =~ /<!-- duties -->\n(.*?)<!-- \/duties -->/s
	  or return;
	my %documented;
	for my $row ($section =~ /^\| *`([\w()]+)`.*$/mg)
	{
		my ($line) = $section =~ /^\| *`\Q$row\E` *\|(.*)\|$/m;
		my @cells = map { s/\s//gr } split /\|/, $line, -1;
		$documented{$row}{ $duties[$_] } = $cells[$_] eq 'yes' for 0 .. $#duties;
	}
	return \%documented;
}

my $security = "$FindBin::Bin/../../docs/security.md";
SKIP:
{
	skip 'there is no docs/security.md', 2 if !-e $security;
	my $documented = documented($security);
	my ($heading) = slurp_file($security) =~ /<!-- duties -->\n\|([^\n]*)\|\n/;
	is_deeply([ map { s/\s//gr } split /\|/, $heading // '' ], [ 'Object', @duties ],
		'docs/security.md names the duties in their order');
	is_deeply(written(%{ $documented // {} }), [ split /\n/, $table ],
		'docs/security.md says the same');
}

# Nobody but the owner writes a table, moves a sequence, uses a type or makes an object here.
$issuer->sql(<<'SQL');
CREATE TABLE public.tampering AS
SELECT c.relname::text AS object, verb, replace(replace(form, '%t', 'openid4vci.' || c.relname), '%c',
    (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = 1)) AS statement
FROM pg_class AS c,
    (VALUES ('r', 'INSERT', 'INSERT INTO %t DEFAULT VALUES'), ('r', 'UPDATE', 'UPDATE %t SET %c = %c'),
            ('r', 'DELETE', 'DELETE FROM %t'), ('r', 'TRUNCATE', 'TRUNCATE %t'), ('r', 'LOCK', 'LOCK TABLE %t'),
            ('r', 'REFERENCES', 'CREATE TABLE public.mine (x int8 REFERENCES %t)'),
            ('r', 'TRIGGER', 'CREATE TRIGGER mine BEFORE INSERT ON %t EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
            ('r', 'RULE', 'CREATE RULE mine AS ON INSERT TO %t DO INSTEAD NOTHING'),
            ('r', 'POLICY', 'CREATE POLICY mine ON %t'),
            ('r', 'ALTER', 'ALTER TABLE %t ENABLE ROW LEVEL SECURITY'),
            ('r', 'INHERITS', 'CREATE TEMP TABLE mine () INHERITS (%t)'),
            ('r', 'INDEX', 'CREATE INDEX mine ON %t (%c)'),
            ('r', 'STATISTICS', 'CREATE STATISTICS public.mine ON %c, (%c IS NULL) FROM %t'),
            ('r', 'PUBLICATION', 'CREATE PUBLICATION mine FOR TABLE %t'),
            ('r', 'COMMENT', 'COMMENT ON TABLE %t IS NULL'),
            ('r', 'DROP', 'DROP TABLE %t CASCADE'),
            ('v', 'ALTER', 'ALTER VIEW %t RESET (security_barrier)'),
            ('v', 'DROP', 'DROP VIEW %t CASCADE'),
            ('S', 'nextval', 'SELECT nextval(''%t'')'), ('S', 'setval', 'SELECT setval(''%t'', 1)'),
            ('S', 'ALTER', 'ALTER SEQUENCE %t RESTART')) AS v (kind, verb, form)
WHERE c.relnamespace = 'openid4vci'::regnamespace AND c.relkind = v.kind::"char"
    AND (verb <> 'REFERENCES' OR EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary))
UNION ALL
SELECT p.oid::regprocedure::text, verb, format(form, p.oid::regprocedure)
FROM pg_proc AS p, (VALUES ('ALTER', 'ALTER ROUTINE %s SECURITY DEFINER'), ('DROP', 'DROP ROUTINE %s CASCADE'))
    AS v (verb, form)
WHERE p.pronamespace = 'openid4vci'::regnamespace
UNION ALL
SELECT t.typname, 'USAGE', format('CREATE TEMP TABLE mine (x openid4vci.%I)', t.typname)
FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid
WHERE t.typnamespace = 'openid4vci'::regnamespace AND c.relkind = 'c'
UNION ALL
SELECT 'openid4vci', 'CREATE', statement
FROM unnest(ARRAY['CREATE TABLE openid4vci.mine ()', 'CREATE SEQUENCE openid4vci.mine',
    'CREATE VIEW openid4vci.mine AS SELECT 1', 'CREATE DOMAIN openid4vci.mine AS int', 'CREATE TYPE openid4vci.mine AS ENUM ()',
    'CREATE FUNCTION openid4vci.mine() RETURNS int LANGUAGE sql AS ''SELECT 1''',
    'CREATE OPERATOR openid4vci.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)',
    'CREATE COLLATION openid4vci.mine FROM "C"', 'ALTER SCHEMA openid4vci RENAME TO mine',
    'DROP SCHEMA openid4vci CASCADE', 'ALTER EXTENSION openid4vci UPDATE',
    'ALTER EXTENSION openid4vci ADD TABLE public.attempt', 'DROP EXTENSION openid4vci CASCADE']) AS statement;
GRANT SELECT ON public.tampering TO PUBLIC;
-- So that nothing but the right on our object is wanting.
GRANT TEMPORARY, CREATE ON DATABASE postgres TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;
-- 'no' when it is refused for want of privilege or ownership; whatever it did is undone.
CREATE FUNCTION public.can(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN CASE WHEN SQLERRM ~ '^(permission denied for|must be owner of)' THEN 'no' ELSE SQLERRM END;
    WHEN SQLSTATE 'UNDO0' THEN
        RETURN 'it worked';
    WHEN OTHERS THEN
        RETURN SQLERRM;
END
$$;
SQL
for my $duty (@duties)
{
	is($issuer->sql_as("d_$duty", <<'SQL'), '', "$duty changes, uses and makes nothing by hand");
SELECT object, verb, answer FROM public.tampering, LATERAL public.can(statement) AS answer WHERE answer <> 'no'
SQL
}
cmp_ok($issuer->sql('SELECT count(*) FROM public.tampering'), '>', 400, 'and everything was tried');
is($issuer->sql(<<'SQL'), '', 'the catalogs say the same of tables, views, columns, sequences and types');
SELECT r.rolname, c.relname, p.privilege FROM pg_roles AS r, pg_class AS c,
    unnest(CASE c.relkind WHEN 'S' THEN '{USAGE,UPDATE}'
        ELSE '{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}' END::text[]) AS p (privilege)
WHERE r.rolname ~ '^d_' AND c.relnamespace = 'openid4vci'::regnamespace AND c.relkind IN ('r', 'v', 'S')
    AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(r.oid, c.oid, p.privilege)
        WHEN p.privilege IN ('INSERT', 'UPDATE', 'REFERENCES') THEN has_any_column_privilege(r.oid, c.oid, p.privilege)
        ELSE has_table_privilege(r.oid, c.oid, p.privilege) END
SQL

# Sealed keys are all that the backup duty reads.
is($issuer->sql_as('d_backup', <<'SQL'), 't', 'backup reads keys sealed: neither PKCS8 nor its algorithm shows');
SELECT count(*) > 0 AND bool_and(substr(private_key, 1, 2) <> '\x3081'
    AND position('\x06072a8648ce3d0201'::bytea IN private_key) = 0)
FROM openid4vci.vci_key
SQL
is($issuer->sql_as('d_backup', 'SELECT count(*) FROM openid4vci.vci_offer_info'), 0,
	'backup may read a view and finds no rows in it');
for my $duty (grep { $_ ne 'backup' } @duties)
{
	like($issuer->error_of("d_$duty", 'SELECT private_key FROM openid4vci.vci_key'),
		qr/42501: permission denied/, "$duty reads no sealed key");
}

# Limited to one issuer: every function, with the other one.
my @limitable = grep { !/^(none|backup)$/ } @duties;
my %url = (first => $issuer->{url}, second => 'https://second.example');
$issuer->sql(<<"SQL");
SELECT openid4vci.vci_create_issuer('$url{second}');
SELECT openid4vci.vci_create_key('$url{second}');
CREATE TABLE public.made (issuer text, offer_id bigint, deferred_id bigint, credential_id bigint, campaign_id bigint);
DO \$\$
DECLARE
    url text;
    offer record;
    token text;
BEGIN
    FOREACH url IN ARRAY ARRAY['$url{first}', '$url{second}'] LOOP
        PERFORM openid4vci.vci_create_configuration('Later', 'urn:later', binding => 'absent', issuer => url,
            options => '{"deferred": true}');
        SELECT * INTO offer FROM openid4vci.vci_create_offer('{Later}', claims => '{}', issuer => url);
        token := openid4vci.vci_exchange_code(offer.credential_offer
            #>> '{grants,$Issuer::grant,pre-authorized_code}', issuer => url) ->> 'access_token';
        PERFORM openid4vci.vci_request_credential(token, '{"credential_configuration_id": "Later"}', issuer => url);
        INSERT INTO public.made SELECT url, offer.offer_id, d.id,
            (openid4vci.vci_issue_and_record('Later', '{}', issuer => url)).credential_id,
            openid4vci.vci_create_campaign('One', '{Later}', 'SELECT 1 AS reference', issuer => url)
        FROM openid4vci.vci_deferred_info AS d WHERE d.offer_id = offer.offer_id;
    END LOOP;
END
\$\$;
SQL
is($issuer->sql('SELECT count(DISTINCT deferred_id) FROM public.made'), 2, 'each issuer has an offer and a deferral');
for my $duty (@limitable)
{
	$issuer->sql("CREATE ROLE one_$duty LOGIN");
	$issuer->sql("SELECT openid4vci.vci_grant('one_$duty', '$duty', '$url{second}')");
}

# The arguments of each function that takes an issuer.
my %with_issuer = (
	vci_alter_authorization_server => "'https://as.example', '{}'",
	vci_alter_client => "'wallet', '{}'",
	vci_alter_configuration => "'Later', '{}'",
	vci_alter_issuer => "'{}'",
	vci_alter_key => "'kid', 'retired'",
	vci_authorization_request => "'x'",
	vci_authorize => "'{}'",
	vci_authorize_approve => "'x'",
	vci_authorize_deny => "'x'",
	vci_cancel_offers => "labels => '{\"a\": 1}'",
	vci_check_issuer => '',
	vci_create_authorization_server => "'https://as.example', '{a}'",
	vci_create_campaign => "'Two', '{Later}', 'SELECT 1 AS reference'",
	vci_create_client => "'wallet', '{https://wallet.example/}'",
	vci_create_configuration => "'New', 'v'",
	vci_create_key => '',
	vci_create_nonce => '',
	vci_create_offer => "'{Later}', claims => '{}'",
	vci_destroy_key => "'kid'",
	vci_drop_authorization_server => "'https://as.example'",
	vci_exchange_code => "'x'",
	vci_extend_offers => "now() + interval '1 day', labels => '{\"a\": 1}'",
	vci_grant => "'d_none', 'reporter'",
	vci_import_key => "'{}'",
	vci_issue_and_record => "'Later', '{}'",
	vci_issue_sdjwt => "'Later', '{}'",
	vci_issuer_settings => '',
	vci_key_csr => "'kid'",
	vci_load_jwks => "'https://as.example', '{\"keys\": []}'",
	vci_pause_issuance => '',
	vci_person => "'x'",
	vci_push_authorization => "'{}'",
	vci_record_notification => "'x', 'x', 'credential_accepted'",
	vci_request_credential => "'x', '{}'",
	vci_request_deferred => "'x', 'x'",
	vci_request_token => "'{}'",
	vci_resend => "reference => 'x'",
	vci_resume_issuance => '',
	vci_retire_client => "'wallet'",
	vci_retire_configuration => "'Later'",
	vci_retire_issuer => '',
	vci_retire_key => "'kid'",
	vci_reinstate => "subject_id => 'x'",
	'vci_revoke(bigint)' => "subject_id => 'x'",
	'vci_revoke(name)' => "'d_none', 'reporter'",
	vci_rotate_key => '',
	vci_set_key_certificates => "'kid', NULL",
	vci_suspend => "subject_id => 'x'");
# Those that name a row, and those that act for all issuers.
my %with_row = (
	(map { $_ => 'offer_id' } qw(vci_cancel_offer vci_extend_offer vci_offer_qr vci_offer_qr_png
		  vci_offer_situation vci_offer_uri vci_reopen_offer vci_reset_tx_code vci_rotate_code)),
	(map { $_ => 'deferred_id' } qw(vci_deferred_complete vci_deferred_deny)),
	(map { $_ => 'campaign_id' } qw(vci_campaign_step vci_cancel_campaign vci_check_campaign
		  vci_pause_campaign vci_resume_campaign)),
	vci_alter_campaign => q{campaign_id || ', ''{}'''},
	vci_credential_status => 'credential_id');
my %for_all = (
	vci_adopt_database => '',
	vci_after_restore => "'2000-01-01'",
	vci_create_issuer => "'https://third.example'",
	vci_drop_did_document => "'did:web:x.example'",
	vci_event_head => '',
	vci_load_did_document => "'did:web:x.example', '{\"id\": \"did:web:x.example\"}'",
	vci_purge => '',
	vci_recount_funnel => '',
	vci_rotate_root_key => '',
	vci_seal_events => '',
	vci_verify_events => '');
# These are looked at one by one below, or know no issuer: a JWT is verified with the key that it
# or the caller brings, a DID names its own key, vci_health speaks of the database, counting the
# funnel shows nothing, the last three are nobody's.
my @others = qw(vci_http vci_campaign_run vci_events vci_duty_issuers vci_find_offer vci_verify_sdjwt vci_verify_kbjwt
  vci_verify_dpop vci_holder_jwk vci_health vci_refresh_funnel vci_drop_caches vci_event_append_only vci_reapply_duties
  vci_take_deliveries vci_mark_deliveries vci_delivery_link vci_delivery_tx_code);
is_deeply([ sort(keys %with_issuer, keys %with_row, keys %for_all, @others) ],
	[ sort split /\n/, $issuer->sql('SELECT proname || CASE WHEN count(*) OVER (PARTITION BY proname) > 1
		THEN format(\'(%s)\', format_type(proargtypes[0], NULL)) ELSE \'\' END FROM pg_proc
		WHERE pronamespace = \'openid4vci\'::regnamespace') ],
	'every function is tried by who has its duty for another issuer');

# The duties to which the table gives a function.
sub duties_of
{
	my ($name) = @_;
	my ($duties) = $table =~ /^\Q$name\E:(.*)$/m;
	return grep { $_ ne 'backup' } split ' ', $duties;
}

# What calls say, one a line, each undone.
sub said
{
	my ($duty, @calls) = @_;
	my $list = join ', ', map { Issuer::literal("SELECT openid4vci.$_") } @calls;
	return split /\n/, $issuer->sql_as("one_$duty",
		"SELECT public.outcome(call) FROM unnest(ARRAY[$list]) WITH ORDINALITY AS c (call, n) ORDER BY n");
}
$issuer->sql(<<'SQL');
CREATE FUNCTION public.outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN RETURN 'done';
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || translate(SQLERRM, E'\n', ' ');
END
$$;
SQL
for my $name (sort keys %with_issuer)
{
	my $form = ($name =~ s/\(.*//r) . '(' . join(', ', grep { length } $with_issuer{$name}, 'issuer => \'%s\'') . ')';
	for my $duty (duties_of($name))
	{
		my ($first, $second) = said($duty, map { sprintf $form, $_ } @url{qw(first second)});
		like($first, qr/^42501 role "one_$duty" lacks the duty \w+ for this issuer$/,
			"$name: $duty of one issuer acts for no other");
		unlike($second, qr/^42(501|883)/, "$name: $duty acts for its own");
	}
}
for my $name (sort keys %with_row)
{
	my ($first, $second) = said('offerer', map { "$name(" . $issuer->sql("SELECT $with_row{$name}
		FROM public.made WHERE issuer = '$url{$_}'") . ')' } qw(first second));
	like($first, qr/^42704 there is no /, "$name: who offers for one issuer does not learn of another's row");
	unlike($second, qr/^42(704|501|883)/, "$name: and finds its own");
}
like($issuer->error_of('one_offerer', 'CALL openid4vci.vci_campaign_run('
	. $issuer->sql("SELECT campaign_id FROM public.made WHERE issuer = '$url{first}'") . ')'),
	qr/42704: there is no campaign/, 'vci_campaign_run: nor of its campaigns');
for my $name (qw(first second))
{
	my $link = $issuer->sql("SELECT openid4vci.vci_offer_uri(offer_id) FROM public.made WHERE issuer = '$url{$name}'");
	is($issuer->sql_as('one_offerer', "SELECT openid4vci.vci_find_offer('$link') IS NOT NULL"),
		$name eq 'second' ? 't' : 'f', "offerer of one issuer, with a link of the $name");
}
for my $name (sort keys %for_all)
{
	like((said($_, "$name($for_all{$name})"))[0], qr/^42501 .* for all issuers$/,
		"$name: $_ of one issuer is not enough")
	  for duties_of($name);
}
like((said('issuer_admin', 'vci_grant(\'d_none\', \'reporter\')'))[0], qr/^42501 .* for all issuers$/,
	'vci_grant for all issuers: issuer_admin of one is not enough');
for my $duty (grep { !/^(endpoint|verifier|(tx_code_)?gateway)$/ } @limitable)
{
	is($issuer->sql_as("one_$duty", 'SELECT DISTINCT url FROM openid4vci.vci_issuer_info'),
		$url{second}, "$duty of one issuer sees that one in the views");
	my $foreign = join ' UNION ALL ',
	  map { "SELECT '$_' FROM openid4vci.$_ WHERE issuer IS DISTINCT FROM '$url{second}'" }
	  qw(vci_key_info vci_configuration_info vci_offer_info vci_credential_info vci_client_info
	  vci_authorization_server_info vci_authorization_info vci_deferred_info vci_event_info);
	is($issuer->sql_as("one_$duty", "$foreign UNION ALL SELECT 'vci_events' FROM openid4vci.vci_events()
		WHERE issuer IS DISTINCT FROM '$url{second}'"),
		'', 'and no row of another in any of them');
}
is($issuer->sql_as("one_$_", 'SELECT DISTINCT COALESCE(issuer, \'all\') FROM openid4vci.vci_duty_info'),
	$url{second}, "$_ of one issuer sees the duties for that one") for qw(issuer_admin auditor);
$issuer->sql('SELECT openid4vci.vci_seal_events()');
is($issuer->sql_as('one_auditor', 'SELECT count(*) FROM openid4vci.vci_event_seal_info'), 0,
	'seals span issuers: the auditor of one sees none');
cmp_ok($issuer->sql_as('d_auditor', 'SELECT count(*) FROM openid4vci.vci_event_seal_info'), '>', 0,
	'and the auditor of all sees them');
for my $host ('issuer.example', 'second.example')
{
	is($issuer->sql_as('one_endpoint', "SELECT status FROM openid4vci.vci_http('GET',
		'/.well-known/jwt-vc-issuer', '{Host, $host}')"), $host =~ /second/ ? 200 : 404,
		"endpoint of one issuer asked for $host");
}
for my $name (qw(first second))
{
	my $credential = $issuer->sql("SELECT openid4vci.vci_issue_sdjwt('Later', '{}', issuer => '$url{$name}')");
	is($issuer->sql_as("one_$_", "SELECT openid4vci.vci_verify_sdjwt('$credential') ->> 'valid'"),
		$name eq 'second' ? 'true' : 'false', "$_ of one issuer verifies what the $name issued as its own")
	  for qw(offerer verifier);
}

# Taking more than was given.
for my $duty (@duties)
{
	my $owner = $issuer->sql('SELECT extowner::regrole FROM pg_extension WHERE extname = \'openid4vci\'');
	like($issuer->error_of("d_$duty", "SET ROLE $owner"), qr/permission denied to set role/,
		"$duty cannot become the extension's owner");
	like($issuer->error_of("d_$duty", "SELECT openid4vci.vci_grant('d_$duty', 'issuer_admin')"),
		qr/42501:/, "$duty cannot give itself more");
	next if $duty =~ /^(none|endpoint|verifier)$/;
	is($issuer->sql_as("d_$duty", 'SELECT duty FROM unnest(ARRAY[' . join(', ', map { "'$_'" }
		@duties[1 .. $#duties]) . ']) AS duty WHERE openid4vci.vci_duty_issuers(duty) <> \'{}\''),
		join("\n", grep { $_ eq $duty || $_ eq 'reporter' && $duty !~ /^backup$|gateway/
			|| /gateway/ && $duty eq 'offerer' } @duties),
		"$duty has no other duty");
}

# Nothing of it needs a superuser, nor a role with any attribute: not even the owner of the
# extension's objects, once they belong to an ordinary role.
is($issuer->sql('SELECT string_agg(DISTINCT rolname, \' \') FROM pg_roles JOIN openid4vci.vci_duty ON rolname = role_name
	WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication'), '',
	'no role with a duty has an attribute');
$issuer->sql(<<'SQL');
CREATE ROLE ordinary;
CREATE ROLE helper LOGIN;
CREATE DATABASE plain TEMPLATE template0 ENCODING 'UTF8';
CREATE ROLE dba LOGIN SUPERUSER;
SQL
sub plain
{
	my ($role, $statement) = @_;
	my ($status, $out, $err) = $node->psql('plain', $statement, extra_params => [ '-U', $role ]);
	return $status == 0 ? $out : $err;
}
is(plain('dba', 'CREATE EXTENSION openid4vci; REASSIGN OWNED BY dba TO ordinary'), '', 'an ordinary role owns it all');
is(plain('dba', "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace"),
	'ordinary', 'every table');
unlike(plain('dba', "SELECT openid4vci.vci_grant('d_$_', '$_')"), qr/ERROR/, "$_ is given there")
  for grep { $_ ne 'none' } @duties;
unlike(plain('d_issuer_admin', "SELECT openid4vci.vci_create_issuer('https://plain.example');
	SELECT openid4vci.vci_create_configuration('Open', 'v', binding => 'absent');
	SELECT openid4vci.vci_grant('helper', 'offerer', 'https://plain.example')"), qr/ERROR/,
	'an issuer_admin sets up an issuer, and gives a helper a duty');
unlike(plain('d_key_admin', 'SELECT openid4vci.vci_create_key(); SELECT openid4vci.vci_rotate_root_key()'), qr/ERROR/,
	'a key_admin makes its key');
my $offered = plain('helper', "SELECT credential_offer #>> '{grants,$Issuer::grant,pre-authorized_code}'
	FROM openid4vci.vci_create_offer('{Open}', claims => '{\"a\": 1}')");
my ($got) = plain('d_endpoint', 'SELECT status || convert_from(body, \'UTF8\') FROM openid4vci.vci_http(\'POST\',
	\'/api/v1/openid4vci/token\', \'{Content-Type, application/x-www-form-urlencoded}\',
	\'' . "grant_type=$Issuer::grant&pre-authorized_code=$offered')") =~ /^200.*"access_token":"([\w-]+)"/;
like(plain('d_endpoint', 'SELECT status || convert_from(body, \'UTF8\') FROM openid4vci.vci_http(\'POST\',
	\'/api/v1/openid4vci/credential\', \'{Content-Type, application/json, Authorization, Bearer ' . ($got // 'none') . '}\',
	\'{"credential_configuration_id":"Open"}\')'), qr/^200.*"credential":/, 'a wallet gets its credential');
unlike(plain('d_offerer', 'SELECT openid4vci.vci_seal_events(); SELECT openid4vci.vci_purge()'), qr/ERROR/, 'cron does its work');
like(plain('d_auditor', 'SELECT segments > 0, broken_segment IS NULL FROM openid4vci.vci_verify_events()'), qr/^t\|t$/,
	'and an auditor finds the events in order');
unlike(plain('dba', 'SELECT openid4vci.vci_reapply_duties()'), qr/ERROR/, 'duties are reapplied');
is(plain('d_reporter', 'SELECT "check" FROM openid4vci.vci_health()
	WHERE NOT ok AND "check" <> \'durability\''), '', 'and all is well'); # fsync is off in tests

# The root key's place is a superuser's business, before the library is loaded too.
for my $setting (qw(root_key_file max_body_size))
{
	my ($status, $out, $err) = $node->psql('postgres',
		"SET openid4vci.$setting = '/tmp/elsewhere'; SELECT openid4vci.vci_create_nonce('$issuer->{url}') IS NOT NULL",
		extra_params => [ '-U', 'd_offerer' ]);
	is($out, 't', "$setting set before the library is loaded has no effect");
	like($err, qr/permission denied to set parameter/, "and is said to be refused");
	like($issuer->error_of('d_offerer', "SELECT openid4vci.vci_create_nonce('$issuer->{url}');
		SET openid4vci.$setting = '/tmp/elsewhere'"), qr/42501: permission denied to set parameter/,
		"$setting is refused afterwards");
}
my $nonce = "SELECT openid4vci.vci_create_nonce('$issuer->{url}') IS NOT NULL";
{
	# PostgreSQL then leaves the setting at its default: the session harms itself alone.
	local $ENV{PGOPTIONS} = '-c openid4vci.root_key_file=/tmp/elsewhere';
	like($issuer->error_of('d_offerer', $nonce),
		qr/permission denied to set parameter.*no usable root key/s,
		'a setting from the connection string is refused');
}
is($issuer->sql_as('d_offerer', $nonce), 't', 'and other sessions go on');
like($issuer->error_of('d_offerer', "SELECT openid4vci.vci_create_nonce('$issuer->{url}');
	SHOW openid4vci.root_key_file"), qr/42501:/, 'nor is the place shown');

# Shadows on the caller's search_path: each of them would tell of being called.
$issuer->sql('CREATE SCHEMA shadow AUTHORIZATION d_offerer; GRANT TEMPORARY ON DATABASE postgres TO d_offerer');
my $shadows = <<'SQL';
CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.to_timestamp(bigint) RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.nextval(text) RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.vci_duty_issuers(text) RETURNS bigint[] LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE OPERATOR shadow.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = shadow.equal);
CREATE OPERATOR shadow.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shadow.equal);
CREATE TABLE shadow.vci_issuer (id bigint, url text);
CREATE TYPE shadow.text AS (x int);
SQL
$issuer->sql_as('d_offerer', $shadows);
my $work = <<"SQL";
CREATE TEMP TABLE vci_offer (id bigint);
CREATE TEMP TABLE vci_duty (role_name name);
SET search_path = shadow, pg_temp, pg_catalog, openid4vci;
SELECT o.offer_id AS id FROM openid4vci.vci_create_offer('{Card}', claims => '{"name": "Ann"}',
    reference => 'shadow', issuer => '$url{first}') AS o \\gset
SELECT openid4vci.vci_rotate_code(:id) IS NOT NULL, openid4vci.vci_extend_offer(:id) IS NOT NULL,
    openid4vci.vci_offer_qr(:id) IS NOT NULL, openid4vci.vci_cancel_offer(:id),
    openid4vci.vci_reopen_offer(:id) IS NOT NULL;
SELECT openid4vci.vci_exchange_code('x', issuer => '$url{first}') ->> 'error';
SELECT state FROM openid4vci.vci_offer_info LIMIT 1;
SHOW search_path;
SQL
my ($status, $out, $err) = $node->psql('postgres', $work, extra_params => [ '-U', 'd_offerer' ]);
is($err, '', 'shadows of functions, operators, tables and types are never called');
is($out, "t|t|t|t|t\ninvalid_grant\npending\nshadow, pg_temp, pg_catalog, openid4vci",
	'and everything works under a hostile search_path');

# The extension's own script.
sub try_extension
{
	my ($name, @before) = @_;
	$issuer->sql("DROP DATABASE IF EXISTS trial");
	$issuer->sql("CREATE DATABASE trial OWNER d_none TEMPLATE template0 ENCODING 'UTF8'");
	$node->psql('trial', $_->[1], extra_params => [ '-U', $_->[0] ]) for @before;
	my ($result, $output, $error) = $node->psql('trial', 'CREATE EXTENSION openid4vci',
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $error;
}
my $superuser = $issuer->sql('SELECT current_user');
like(try_extension('other', [ 'd_none', 'CREATE SCHEMA openid4vci' ]), qr/42P06: .*exists already/,
	'a schema that another role made beforehand is refused');
like(try_extension('table', [ $superuser, 'CREATE SCHEMA openid4vci; CREATE TABLE openid4vci.x ()' ]),
	qr/42P06: .*exists already/, 'and one that is not empty');
like(try_extension('function', [ $superuser, 'CREATE SCHEMA openid4vci;
	CREATE FUNCTION openid4vci.now() RETURNS int LANGUAGE sql AS \'SELECT 1\'' ]), qr/42P06:/,
	'or holds a function');
like(try_extension('default', [ $superuser, 'CREATE SCHEMA openid4vci;
	ALTER DEFAULT PRIVILEGES IN SCHEMA openid4vci GRANT SELECT ON TABLES TO PUBLIC' ]), qr/42P06:/,
	'or has default privileges waiting');
is(try_extension('empty', [ $superuser, 'CREATE SCHEMA openid4vci' ]), '', 'an empty one of its owner serves');
is(try_extension('path', [ 'd_none', <<'SQL' ]), '', 'objects on the database\'s search_path do no harm to the script');
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.gen_random_uuid() RETURNS uuid LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$;
ALTER DATABASE trial SET search_path = shadow, pg_catalog;
SQL
is($node->safe_psql('trial', 'SELECT count(*) FROM openid4vci.vci_epoch'), 1, 'and it did its work');

# Owning the database is no right on the extension's schema.
for my $statement ('SELECT * FROM openid4vci.vci_key', 'DROP SCHEMA openid4vci CASCADE',
	'DROP EXTENSION openid4vci', 'ALTER SCHEMA openid4vci RENAME TO x',
	'CREATE FUNCTION openid4vci.x() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
	'ALTER TABLE openid4vci.vci_key DISABLE TRIGGER ALL', 'GRANT ALL ON SCHEMA openid4vci TO PUBLIC')
{
	my ($result, $output, $error) = $node->psql('trial', $statement,
		extra_params => [ '-U', 'd_none', '-v', 'VERBOSITY=verbose' ]);
	like($error, qr/42501:|01007:/, "the database's owner cannot: $statement");
}
like($issuer->sql('SELECT 1 WHERE EXISTS (SELECT FROM openid4vci.vci_key)'), qr/^1$/, 'all is still there');

$issuer->sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
($status, $out, $err) = $node->psql('latin', 'CREATE EXTENSION openid4vci');
like($err, qr/needs a database with encoding UTF8, this one has LATIN1/, 'a database that is not UTF8 is refused');

done_testing();
