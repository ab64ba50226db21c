# The inventory: every object of the extension, with its labels and privileges, stands in
# this file. Whoever adds an object adds it here and decides who may use it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Utils;
use Test::More;

use Issuer;

# Name, volatility, parallel safety, strictness and argument types. What signs or makes
# random bytes is volatile; parallel safe only where nothing is written.
my $functions = <<'LIST';
vci_adopt_database volatile unsafe ()
vci_after_restore volatile unsafe (timestamp with time zone)
vci_alter_authorization_server volatile unsafe (text, jsonb, text)
vci_alter_campaign volatile unsafe strict (bigint, jsonb)
vci_alter_client volatile unsafe (text, jsonb, text)
vci_alter_configuration volatile unsafe (text, jsonb, text)
vci_alter_issuer volatile unsafe (jsonb, text)
vci_alter_key volatile unsafe (text, text, text)
vci_authorization_request stable safe (text, text)
vci_authorize volatile unsafe (jsonb, text)
vci_authorize_approve volatile unsafe (text, text, text, jsonb, jsonb, text)
vci_authorize_deny volatile unsafe (text, text, text)
vci_campaign_run volatile unsafe (bigint, bigint)
vci_campaign_step volatile unsafe strict (bigint, integer)
vci_cancel_campaign volatile unsafe strict (bigint, integer)
vci_cancel_offer volatile unsafe strict (bigint)
vci_cancel_offers volatile unsafe (bigint, jsonb, text, integer)
vci_check_campaign volatile unsafe strict (bigint, integer)
vci_check_issuer stable safe (text)
vci_create_authorization_server volatile unsafe (text, text[], jsonb, jsonb, text)
vci_create_campaign volatile unsafe (text, text[], text, jsonb, text)
vci_create_client volatile unsafe (text, text[], text, jsonb, text)
vci_create_configuration volatile unsafe (text, text, jsonb, jsonb, jsonb, jsonb, text,
	interval, text, text, text, text, jsonb)
vci_create_issuer volatile unsafe (text, jsonb, text, jsonb)
vci_create_key volatile unsafe (text, text, text)
vci_create_nonce volatile safe (text)
vci_create_offer volatile unsafe (text[], text, text, jsonb, text, boolean, text, integer,
	text, text, interval, text, jsonb, text[], text, jsonb)
vci_credential_status stable safe strict (bigint)
vci_deferred_complete volatile unsafe (bigint, jsonb)
vci_deferred_deny volatile unsafe (bigint, text)
vci_delivery_link stable safe strict (bigint, bigint)
vci_delivery_tx_code stable safe strict (bigint, bigint)
vci_destroy_key volatile unsafe (text, text, boolean)
vci_drop_authorization_server volatile unsafe (text, text)
vci_drop_caches volatile unsafe ()
vci_drop_did_document volatile unsafe strict (text)
vci_duty_issuers stable safe strict (text)
vci_event_append_only volatile unsafe ()
vci_event_head stable safe ()
vci_events stable safe strict (bigint, integer)
vci_exchange_code volatile unsafe (text, text, text)
vci_extend_offer volatile unsafe (bigint, interval)
vci_extend_offers volatile unsafe (timestamp with time zone, bigint, jsonb, text,
	integer)
vci_find_offer stable safe strict (text)
vci_grant volatile unsafe (name, text, text)
vci_health stable safe ()
vci_holder_jwk stable safe strict (text)
vci_http volatile unsafe (text, text, text[], bytea)
vci_import_key volatile unsafe (text, text, text, text)
vci_issue_and_record volatile unsafe (text, jsonb, jsonb, text, text, text)
vci_issue_sdjwt volatile safe (text, jsonb, jsonb, text)
vci_issuer_settings stable safe (text)
vci_key_csr volatile safe (text, text, text)
vci_load_did_document volatile unsafe strict (text, jsonb)
vci_load_jwks volatile unsafe (text, jsonb, text)
vci_mark_deliveries volatile unsafe (bigint[], text, text, bigint)
vci_offer_qr stable safe strict (bigint, text, text)
vci_offer_qr_png stable safe strict (bigint, text, integer)
vci_offer_situation stable safe strict (bigint)
vci_offer_uri stable safe strict (bigint, text)
vci_pause_campaign volatile unsafe strict (bigint)
vci_pause_issuance volatile unsafe (text)
vci_person stable safe (text, text, text, text)
vci_purge volatile unsafe strict (integer)
vci_push_authorization volatile unsafe (jsonb, text, text)
vci_reapply_duties volatile unsafe ()
vci_record_notification volatile unsafe (text, text, text, text, text, text)
vci_recount_funnel volatile unsafe ()
vci_refresh_funnel volatile unsafe strict (integer)
vci_reinstate volatile unsafe (bigint, text, bigint, text, text, text, jsonb, text, integer)
vci_reopen_offer volatile unsafe strict (bigint)
vci_request_credential volatile unsafe (text, jsonb, text, text)
vci_request_deferred volatile unsafe (text, text, text, text)
vci_request_token volatile unsafe (jsonb, text, text)
vci_resend volatile unsafe (bigint, jsonb, text, text, text, integer)
vci_reset_tx_code volatile unsafe (bigint, text)
vci_resume_campaign volatile unsafe strict (bigint, boolean)
vci_resume_issuance volatile unsafe (text)
vci_retire_client volatile unsafe (text, text)
vci_retire_configuration volatile unsafe (text, text)
vci_retire_issuer volatile unsafe strict (text)
vci_retire_key volatile unsafe (text, text)
vci_revoke volatile unsafe (bigint, text, bigint, text, text, text, jsonb, text, integer)
vci_revoke volatile unsafe (name, text, text)
vci_rotate_code volatile unsafe strict (bigint)
vci_rotate_key volatile unsafe (text, text, interval)
vci_rotate_root_key volatile unsafe ()
vci_seal_events volatile unsafe strict (integer)
vci_set_key_certificates volatile unsafe (text, text, text)
vci_suspend volatile unsafe (bigint, text, bigint, text, text, text, jsonb, text, integer)
vci_take_deliveries volatile unsafe (bigint, text, integer, interval)
vci_verify_dpop stable safe (text, text, text, text, interval)
vci_verify_events stable safe (text)
vci_verify_kbjwt stable safe (text, text, text, text, jsonb, text, boolean, interval)
vci_verify_sdjwt stable safe (text, text, text, jsonb, boolean, interval)
LIST

my $relations = <<'LIST';
sequence vci_authorization_id_seq
sequence vci_campaign_id_seq
sequence vci_campaign_recipient_id_seq
sequence vci_configuration_number_seq
sequence vci_credential_id_seq
sequence vci_deferred_id_seq
sequence vci_event_id_seq
sequence vci_issuer_id_seq
sequence vci_key_id_seq
sequence vci_offer_id_seq
sequence vci_refresh_token_id_seq
sequence vci_status_list_id_seq
sequence vci_status_position_seq
sequence vci_token_id_seq
table vci_authorization
table vci_authorization_server
table vci_campaign
table vci_campaign_recipient
table vci_client
table vci_configuration
table vci_credential
table vci_database
table vci_deferred
table vci_did_document
table vci_dpop_proof
table vci_duty
table vci_epoch
table vci_event
table vci_event_seal
table vci_funnel
table vci_funnel_state
table vci_issuer
table vci_key
table vci_nonce
table vci_offer
table vci_purge_state
table vci_refresh_token
table vci_status_chunk
table vci_status_list
table vci_token
type vci_created_offer
type vci_http_response
type vci_issued_credential
view vci_authorization_info
view vci_authorization_server_info
view vci_campaign_failure_info
view vci_campaign_info
view vci_client_info
view vci_configuration_info
view vci_credential_info
view vci_deferred_info
view vci_delivery_queue
view vci_delivery_tx_codes
view vci_duty_info
view vci_event_info
view vci_event_seal_info
view vci_funnel_info
view vci_issuer_info
view vci_key_info
view vci_latency_info
view vci_offer_info
LIST

# Callers name them: they stay, in this order.
my $results = <<'LIST';
vci_created_offer offer_id credential_offer credential_offer_uri
	credential_offer_uri_by_reference tx_code expires_at created state
vci_http_response status headers body
vci_issued_credential credential_id credential expires_at
LIST

# What pg_dump copies; spent nonces, DPoP proofs seen and the nonces' epoch stay behind on purpose.
my $dumped = <<'LIST';
vci_authorization
vci_authorization_id_seq
vci_authorization_server
vci_campaign
vci_campaign_id_seq
vci_campaign_recipient
vci_campaign_recipient_id_seq
vci_client
vci_configuration
vci_configuration_number_seq
vci_credential
vci_credential_id_seq
vci_database
vci_deferred
vci_deferred_id_seq
vci_did_document
vci_duty
vci_event
vci_event_id_seq
vci_event_seal
vci_funnel
vci_funnel_state
vci_issuer
vci_issuer_id_seq
vci_key
vci_key_id_seq
vci_offer
vci_offer_id_seq
vci_refresh_token
vci_refresh_token_id_seq
vci_status_chunk
vci_status_list
vci_status_list_id_seq
vci_status_position_seq
vci_token
vci_token_id_seq
LIST

my $issuer = Issuer->start_server('inventory');
$issuer->sql('CREATE ROLE stranger LOGIN');
$issuer->sql('CREATE EXTENSION openid4vci');

# Every member of the extension, as kind, class, oid, name. The row and array types that
# PostgreSQL makes along with tables are members from 17 on; they are no objects of ours.
$issuer->sql(<<'SQL');
CREATE VIEW public.member AS
SELECT i.type AS kind, d.classid, d.objid, regexp_replace(i.name, '^openid4vci\.', '') AS name
FROM pg_depend AS d
     JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
     LATERAL (SELECT o.type, COALESCE(o.name, o.identity)
              FROM pg_identify_object(d.classid, d.objid, 0) AS o) AS i (type, name)
WHERE e.extname = 'openid4vci' AND d.deptype = 'e'
    AND NOT EXISTS (SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
                    WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid
                        AND (t.typcategory = 'A' OR c.relkind IN ('r', 'v')));
SQL

sub lines
{
	my ($query) = @_;
	return [ split /\n/, $issuer->sql("SET search_path = openid4vci, public; $query") ];
}

# A line that begins with a tab continues the one before.
sub entries
{
	my ($list) = @_;
	$list =~ s/\n\t/ /g;
	return [ split /\n/, $list ];
}

is_deeply(
	lines(<<'SQL'),
SELECT replace(replace(p.oid::regprocedure::text, '(', format(' %s %s%s (',
    CASE p.provolatile WHEN 'v' THEN 'volatile' WHEN 's' THEN 'stable' ELSE 'immutable' END,
    CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
    CASE WHEN p.proisstrict THEN ' strict' END)), ',', ', ')
FROM member AS m JOIN pg_proc AS p ON p.oid = m.objid
WHERE m.classid = 'pg_proc'::regclass ORDER BY p.proname COLLATE "C"
SQL
	entries($functions),
	'the functions are those of this list, with these labels');

is_deeply(
	lines("SELECT kind || ' ' || name FROM member WHERE kind NOT IN ('function', 'procedure')
		ORDER BY kind COLLATE \"C\", name COLLATE \"C\""),
	entries($relations),
	'the other objects are those of this list');

is_deeply(
	lines('SELECT c.relname FROM pg_extension AS e, unnest(e.extconfig) AS config (id)
		JOIN pg_class AS c ON c.oid = config.id WHERE e.extname = \'openid4vci\' ORDER BY c.relname'),
	entries($dumped),
	'pg_dump copies the tables and sequences of this list');

is($issuer->sql(<<'SQL'), '', 'no dumped table refers to one that is not dumped');
SELECT conname FROM pg_constraint, pg_extension
WHERE extname = 'openid4vci' AND contype = 'f' AND conrelid = ANY (extconfig)
    AND confrelid <> ALL (extconfig)
SQL

is($issuer->sql(<<'SQL'), '', 'nothing in the schema is outside the extension');
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'openid4vci'::regnamespace AND c.relkind IN ('r', 'v', 'S', 'm', 'f', 'p')
    AND c.oid NOT IN (SELECT objid FROM public.member WHERE classid = 'pg_class'::regclass)
UNION ALL
SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'openid4vci'::regnamespace
    AND p.oid NOT IN (SELECT objid FROM public.member WHERE classid = 'pg_proc'::regclass)
UNION ALL
SELECT o.oprname FROM pg_operator AS o WHERE o.oprnamespace = 'openid4vci'::regnamespace
SQL

is($issuer->sql(<<'SQL'), '', 'every object has a comment');
SELECT kind, name FROM public.member WHERE obj_description(objid, classid::regclass::name) IS NULL
    AND NOT (classid = 'pg_type'::regclass AND obj_description((SELECT typrelid FROM pg_type
        WHERE pg_type.oid = objid), 'pg_class') IS NOT NULL)
UNION ALL
SELECT 'schema', 'openid4vci' WHERE obj_description('openid4vci'::regnamespace, 'pg_namespace') IS NULL
SQL

# A missing list of privileges means PostgreSQL's default, which has EXECUTE for PUBLIC.
$issuer->sql(<<'SQL');
CREATE VIEW public.privilege AS
SELECT o.name, o.owner, a.grantee, a.privilege_type
FROM (SELECT oid::regprocedure::text, proowner, COALESCE(proacl, acldefault('f', proowner))
      FROM pg_proc WHERE pronamespace = 'openid4vci'::regnamespace
      UNION ALL
      SELECT relname, relowner,
             COALESCE(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
      FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace
          AND relkind NOT IN ('i', 'c')
      UNION ALL
      SELECT t.typname, t.typowner, COALESCE(t.typacl, acldefault('T', t.typowner))
      FROM public.member AS m JOIN pg_type AS t ON t.oid = m.objid
      WHERE m.classid = 'pg_type'::regclass
      UNION ALL
      SELECT 'schema', nspowner, COALESCE(nspacl, acldefault('n', nspowner))
      FROM pg_namespace WHERE nspname = 'openid4vci') AS o (name, owner, acl),
     LATERAL aclexplode(o.acl) AS a;
SQL
is($issuer->sql('SELECT count(DISTINCT name) FROM public.privilege'),
	@{ entries($functions) } + @{ entries($relations) } + 1,
	'the privileges of all objects and of the schema are looked at');
is($issuer->sql('SELECT name, privilege_type FROM public.privilege WHERE grantee = 0'), '',
	'PUBLIC has no privilege on any object, nor on the schema');
is($issuer->sql('SELECT name, grantee::regrole, privilege_type FROM public.privilege
		WHERE grantee <> owner'), '', 'nobody but the owner has a privilege before vci_grant');
is($issuer->sql('SELECT DISTINCT owner::regrole FROM public.privilege'),
	$issuer->sql('SELECT extowner::regrole FROM pg_extension WHERE extname = \'openid4vci\''),
	'everything belongs to the extension\'s owner');
is($issuer->sql(<<'SQL'), '', 'no default privileges lie in wait for new objects');
SELECT defaclobjtype FROM pg_default_acl WHERE defaclnamespace = 'openid4vci'::regnamespace
SQL
like($issuer->error_of('stranger', 'SELECT openid4vci.vci_health()'),
	qr/42501: permission denied for schema openid4vci/, 'a role without a duty cannot enter the schema');

# vci_purge of 0.1.0 returned another type, and the C symbol of that name is its own. vci_revoke
# takes a duty back or revokes credentials.
is($issuer->sql(<<'SQL'), '', 'functions run with their caller\'s rights, in C, once a name');
SELECT proname, prosecdef, proleakproof, proconfig, lanname
FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = 'openid4vci'::regnamespace AND (prosecdef OR proleakproof OR proconfig IS NOT NULL
    OR lanname <> 'c' OR prosrc <> CASE WHEN proname = 'vci_purge' THEN 'vci_purge_batch'
        WHEN proname = 'vci_revoke' AND proargtypes[0] = 'bigint'::regtype THEN 'vci_revoke_credentials' ELSE proname END)
UNION ALL
SELECT proname, NULL, NULL, NULL, NULL FROM pg_proc
WHERE pronamespace = 'openid4vci'::regnamespace GROUP BY proname
HAVING count(*) > CASE proname WHEN 'vci_revoke' THEN 2 ELSE 1 END
SQL
is($issuer->sql(<<'SQL'), '', 'every view is a security barrier');
SELECT relname FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace AND relkind = 'v'
    AND NOT COALESCE(reloptions @> '{security_barrier=true}', false)
SQL
is_deeply(
	lines('SELECT format(\'%s %s %s\', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
		WHERE NOT tgisinternal AND tgrelid IN (SELECT objid FROM member)
		ORDER BY format(\'%s %s %s\', tgrelid::regclass, tgname, tgenabled) COLLATE "C"'),
	[ sort(
		(map { ("$_ vci_drop_caches A", "$_ vci_drop_caches_all A") }
			  qw(vci_authorization_server vci_client vci_configuration vci_database vci_duty
				vci_epoch vci_issuer vci_key)),
		(map { "$_ vci_event_append_only A" } qw(vci_event vci_event_seal))) ],
	'caches are dropped, and evidence is kept, by triggers that also fire on replicas');
# A replication worker fires row triggers alone.
is_deeply(
	lines('SELECT DISTINCT format(\'%s %s%s%s%s %s\', tgname, CASE WHEN tgtype & 4 > 0 THEN \'I\' END,
		CASE WHEN tgtype & 16 > 0 THEN \'U\' END, CASE WHEN tgtype & 8 > 0 THEN \'D\' END,
		CASE WHEN tgtype & 32 > 0 THEN \'T\' END, CASE WHEN tgtype & 1 > 0 THEN \'row\' ELSE \'statement\' END)
		FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT objid FROM member) ORDER BY 1'),
	[ 'vci_drop_caches IUD row', 'vci_drop_caches_all T statement',
		'vci_event_append_only UDT statement' ],
	'at each row that changes, and when a table is emptied; nothing changes an event');
is_deeply(
	lines('SELECT concat_ws(\' \', t.typname, string_agg(a.attname, \' \' ORDER BY a.attnum))
		FROM member AS m JOIN pg_type AS t ON t.oid = m.objid AND m.classid = \'pg_type\'::regclass
			JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND NOT a.attisdropped
		GROUP BY t.typname ORDER BY t.typname COLLATE "C"'),
	entries($results),
	'results have these columns, and new ones come last');
is_deeply(
	lines('LOAD \'openid4vci\'; SELECT name || \' \' || context FROM pg_settings
		WHERE name LIKE \'openid4vci.%\' ORDER BY name'),
	[ map { "openid4vci.$_ superuser" }
		  qw(max_body_size root_key_command root_key_command_timeout root_key_file) ],
	'the settings are those, for superusers alone');

done_testing();
