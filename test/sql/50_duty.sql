-- vci_grant, vci_revoke and vci_duty_issuers: who may do what, for which issuer.
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer('https://second.example') AS second_id \gset
SELECT vci_create_key('https://second.example') IS NOT NULL,
    vci_create_configuration('SecondCredential', 'v', binding => 'absent',
    issuer => 'https://second.example');
SELECT id AS first_id FROM vci_issuer WHERE url = 'https://registry.example' \gset

-- A role without a duty cannot so much as look up a name in the schema.
SET ROLE regress_vci_stranger;
SELECT helper.errors($$SELECT openid4vci.vci_health()$$,
    $$SELECT * FROM openid4vci.vci_offer_info$$, $$SELECT * FROM openid4vci.vci_key$$,
    $$SELECT openid4vci.vci_grant('regress_vci_stranger', 'issuer_admin')$$,
    $$SELECT nextval('openid4vci.vci_offer_id_seq')$$);
RESET ROLE;

-- Granting: unknown roles, duties, issuers; NULL; hostile names.
SELECT helper.errors($$SELECT vci_grant(NULL, 'reporter')$$,
    $$SELECT vci_grant('regress_vci_reporter', NULL)$$,
    $$SELECT vci_grant('regress_vci_nobody', 'reporter')$$,
    $$SELECT vci_grant('regress_vci_reporter', 'everything')$$,
    $$SELECT vci_grant('regress_vci_reporter', 'Reporter')$$,
    $$SELECT vci_grant('regress_vci_reporter', '')$$,
    $$SELECT vci_grant('regress_vci_reporter', 'reporter', 'https://unknown.example')$$,
    $$SELECT vci_grant('regress_vci_backup', 'backup', 'https://registry.example')$$,
    $$SELECT vci_grant('x; DROP TABLE vci_duty', 'reporter')$$,
    $$SELECT vci_grant('public', 'reporter')$$,
    $$SELECT vci_grant(repeat('r', 100)::name, 'reporter')$$);
SELECT vci_grant('regress_vci "odd"; role', 'reporter');
SET ROLE "regress_vci ""odd""; role";
SELECT count(*) > 0 FROM openid4vci.vci_issuer_info;
RESET ROLE;
SELECT vci_revoke('regress_vci "odd"; role', 'reporter');
SET ROLE "regress_vci ""odd""; role";
SELECT helper.errors($$SELECT * FROM openid4vci.vci_issuer_info$$);
RESET ROLE;

-- Twice is once; taking back what is not there is an error.
SELECT vci_grant('regress_vci_reporter', 'reporter'), vci_grant('regress_vci_reporter', 'reporter');
SELECT role_name, duty, issuer_id, granted_by = current_user FROM vci_duty
    WHERE role_name = 'regress_vci_reporter';
SELECT helper.errors($$SELECT vci_revoke('regress_vci_reporter', 'reporter', 'https://second.example')$$,
    $$SELECT vci_revoke('regress_vci_reporter', 'offerer')$$,
    $$SELECT vci_revoke('regress_vci_nobody', 'reporter')$$,
    $$SELECT vci_revoke(NULL, 'reporter')$$);

-- Limited to one issuer: offers and views of that one alone.
SELECT vci_grant('regress_vci_registry', 'offerer', 'https://second.example');
SELECT offer_id AS foreign_offer
    FROM vci_create_offer('{Membership}', claims => '{}',
    issuer => 'https://registry.example') \gset
SET ROLE regress_vci_registry;
SELECT o.offer_id IS NOT NULL FROM openid4vci.vci_create_offer('{SecondCredential}', claims => '{}',
    issuer => 'https://second.example', reference => 'own') AS o;
SELECT duty, openid4vci.vci_duty_issuers(duty) = ARRAY[:second_id::bigint] AS "for the second issuer",
    openid4vci.vci_duty_issuers(duty) = '{}' AS "for none"
FROM unnest('{endpoint,offerer,issuer_admin,key_admin,verifier,reporter,auditor,backup}'::text[]) AS duty;
SELECT openid4vci.vci_duty_issuers(NULL);
SELECT url FROM openid4vci.vci_issuer_info;
SELECT count(*), bool_and(issuer = 'https://second.example') FROM openid4vci.vci_offer_info;
SELECT count(*) FROM openid4vci.vci_key_info;
SELECT id FROM openid4vci.vci_configuration_info;
SELECT helper.errors($$SELECT openid4vci.vci_create_offer('{Membership}', claims => '{}', issuer => 'https://registry.example')$$,
    $$SELECT openid4vci.vci_issue_sdjwt('Membership', '{}', issuer => 'https://registry.example')$$,
    $$SELECT openid4vci.vci_create_nonce('https://registry.example')$$,
    $$SELECT openid4vci.vci_exchange_code('x', issuer => 'https://registry.example')$$,
    $$SELECT openid4vci.vci_check_issuer('https://registry.example')$$,
    $$SELECT openid4vci.vci_duty_issuers('everything')$$);
-- Whether a foreign offer exists is not told: the same words as for one that does not.
SELECT function, regexp_replace(helper.error(format('SELECT openid4vci.%s(%s)', function,
    :foreign_offer)), '\d+ of',
    'N of') = regexp_replace(helper.error(format('SELECT openid4vci.%s(-7)', function)), '-\d+ of',
    'N of')
FROM unnest('{vci_offer_uri,vci_offer_qr,vci_offer_qr_png,vci_extend_offer,vci_rotate_code,vci_reset_tx_code,vci_reopen_offer,vci_cancel_offer}'::text[]) AS function;
RESET ROLE;
-- A leaky function does not get to see rows behind a view's filter.
CREATE FUNCTION public.peek(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
SET ROLE regress_vci_registry;
SELECT count(*) FROM openid4vci.vci_offer_info WHERE public.peek(issuer);
RESET ROLE;
DROP FUNCTION public.peek(text);
-- Two limited grants add up; revoking one leaves the other, and shared objects with it.
SELECT vci_grant('regress_vci_registry', 'reporter', 'https://registry.example');
SET ROLE regress_vci_registry;
SELECT url FROM openid4vci.vci_issuer_info ORDER BY url;
RESET ROLE;
SELECT vci_revoke('regress_vci_registry', 'offerer', 'https://second.example');
SET ROLE regress_vci_registry;
SELECT url FROM openid4vci.vci_issuer_info ORDER BY url;
SELECT helper.errors($$SELECT openid4vci.vci_create_offer('{Membership}', claims => '{}', issuer => 'https://registry.example')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_registry', 'reporter', 'https://registry.example');
SET ROLE regress_vci_registry;
SELECT helper.errors($$SELECT url FROM openid4vci.vci_issuer_info$$);
RESET ROLE;
-- By membership: who is a member of a role with a duty has it.
GRANT regress_vci_reporter TO regress_vci_stranger;
SET ROLE regress_vci_stranger;
SELECT count(*) FROM openid4vci.vci_issuer_info WHERE retired_at IS NULL;
RESET ROLE;
REVOKE regress_vci_reporter FROM regress_vci_stranger;

-- An issuer_admin hands on the smaller duties, within its own limits; never its own, and none
-- that keeps watch over it or over the keys.
SELECT vci_revoke('regress_vci_admin', 'issuer_admin'),
    vci_grant('regress_vci_admin', 'issuer_admin', 'https://second.example');
SET ROLE regress_vci_admin;
SELECT duty, replace(helper.error(format('SELECT openid4vci.vci_grant(%L, %L, %L)', 'regress_vci_stranger',
    duty, 'https://second.example')), E'\n   ', ' |')
FROM unnest('{endpoint,offerer,issuer_admin,key_admin,verifier,reporter,auditor,backup}'::text[]) AS duty;
SELECT helper.errors($$SELECT openid4vci.vci_grant('regress_vci_stranger', 'reporter')$$,
    $$SELECT openid4vci.vci_grant('regress_vci_stranger', 'reporter', 'https://registry.example')$$,
    $$SELECT openid4vci.vci_grant('regress_vci_stranger', 'backup')$$,
    $$SELECT openid4vci.vci_grant('regress_vci_admin', 'key_admin', 'https://second.example')$$,
    $$SELECT openid4vci.vci_revoke('regress_vci_reporter', 'reporter')$$,
    $$SELECT openid4vci.vci_reapply_duties()$$,
    $$SELECT openid4vci.vci_create_issuer('https://third.example')$$,
    $$SELECT openid4vci.vci_create_key('https://second.example')$$,
    $$SELECT openid4vci.vci_retire_issuer('https://registry.example')$$,
    $$SELECT openid4vci.vci_load_did_document('did:web:x.example', '{"id": "did:web:x.example"}')$$,
    $$SELECT openid4vci.vci_purge()$$,
    $$SELECT openid4vci.vci_create_configuration('C', 'v', issuer => 'https://registry.example')$$);
-- What it gave it also takes; what it could not give it can't take.
SELECT openid4vci.vci_grant('regress_vci_stranger', 'reporter', 'https://second.example'),
    openid4vci.vci_revoke('regress_vci_stranger', 'reporter', 'https://second.example');
RESET ROLE;
SELECT vci_grant('regress_vci_stranger', 'auditor', 'https://second.example');
SET ROLE regress_vci_admin;
SELECT helper.errors($$SELECT openid4vci.vci_revoke('regress_vci_stranger', 'auditor', 'https://second.example')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'auditor', 'https://second.example');
SELECT vci_revoke('regress_vci_admin', 'issuer_admin', 'https://second.example'),
    vci_grant('regress_vci_admin', 'issuer_admin');
-- With the duty for all issuers it gives others theirs for all.
SET ROLE regress_vci_admin;
SELECT 0 = ANY (openid4vci.vci_duty_issuers('issuer_admin')) AS "all issuers";
SELECT helper.errors($$SELECT openid4vci.vci_grant('regress_vci_stranger', 'reporter')$$,
    $$SELECT openid4vci.vci_grant('regress_vci_stranger', 'issuer_admin')$$,
    $$SELECT openid4vci.vci_grant('regress_vci_stranger', 'backup')$$);
RESET ROLE;

-- Keys are a duty of their own, for the issuer that it names.
CREATE ROLE regress_vci_clerk;
SELECT vci_grant('regress_vci_clerk', 'key_admin', 'https://second.example');
SET ROLE regress_vci_clerk;
SELECT helper.errors($$SELECT openid4vci.vci_create_key('https://registry.example')$$,
    $$SELECT openid4vci.vci_retire_key('unknown', 'https://registry.example')$$,
    $$SELECT openid4vci.vci_alter_key('unknown', 'retired', 'https://registry.example')$$,
    $$SELECT openid4vci.vci_create_key('https://second.example')$$,
    $$SELECT openid4vci.vci_create_key()$$,
    $$SELECT openid4vci.vci_alter_issuer('{}', 'https://second.example')$$,
    $$SELECT openid4vci.vci_create_nonce('https://second.example')$$,
    $$SELECT openid4vci.vci_grant('regress_vci_stranger', 'reporter', 'https://second.example')$$);
SELECT count(*), bool_and(issuer = 'https://second.example') FROM openid4vci.vci_key_info;
RESET ROLE;
SELECT vci_revoke('regress_vci_clerk', 'key_admin', 'https://second.example');
DROP ROLE regress_vci_clerk;

-- A grant survives its role's name only: dropping the role ends it.
CREATE ROLE regress_vci_short;
SELECT vci_grant('regress_vci_short', 'reporter');
SELECT helper.error('DROP ROLE regress_vci_short') ~ '^2BP01';
SELECT vci_revoke('regress_vci_short', 'reporter');
DROP ROLE regress_vci_short;
-- A renamed role takes no duty along, and leaves none to a new role of its former name: what
-- that one is given, for one issuer, is all that it has.
CREATE ROLE regress_vci_clerk;
SELECT vci_grant('regress_vci_clerk', 'issuer_admin'), vci_grant('regress_vci_clerk', 'offerer');
ALTER ROLE regress_vci_clerk RENAME TO regress_vci_former_clerk;
CREATE ROLE regress_vci_clerk;
SELECT vci_grant('regress_vci_clerk', 'issuer_admin', 'https://second.example');
SELECT duty, issuer_id = :second_id AS "for the second issuer"
FROM vci_duty WHERE role_name = 'regress_vci_clerk';
SET ROLE regress_vci_clerk;
SELECT openid4vci.vci_duty_issuers('issuer_admin') = ARRAY[:second_id::bigint],
    openid4vci.vci_duty_issuers('offerer');
SELECT helper.errors($$SELECT openid4vci.vci_create_issuer('https://clerk.example')$$,
    $$SELECT openid4vci.vci_alter_issuer('{}', 'https://registry.example')$$,
    $$SELECT openid4vci.vci_create_offer('{SecondCredential}', claims => '{}', issuer => 'https://second.example')$$,
    $$SELECT openid4vci.vci_alter_issuer('{}', 'https://second.example')$$);
RESET ROLE;
-- Further grants to a role that holds its duty already take nothing away.
SELECT vci_grant('regress_vci_clerk', 'reporter', 'https://second.example');
SELECT duty FROM vci_duty WHERE role_name = 'regress_vci_clerk' ORDER BY duty;
SELECT vci_revoke('regress_vci_clerk', 'reporter', 'https://second.example'),
    vci_revoke('regress_vci_clerk', 'issuer_admin', 'https://second.example');
DROP OWNED BY regress_vci_former_clerk;
DROP ROLE regress_vci_clerk, regress_vci_former_clerk;

-- Who acts for one issuer need not name it; who must choose learns of its own issuers alone.
BEGIN;
SELECT vci_create_issuer('https://third.example') IS NOT NULL,
    vci_grant('regress_vci_registry', 'offerer', 'https://second.example');
SET ROLE regress_vci_registry;
SELECT offer_id AS id FROM openid4vci.vci_create_offer('{SecondCredential}', claims => '{}') \gset
SELECT issuer FROM openid4vci.vci_offer_info WHERE id = :id;
SELECT openid4vci.vci_create_nonce() IS NOT NULL;
SELECT helper.errors($$SELECT openid4vci.vci_offer_uri(1)$$);
RESET ROLE;
SELECT vci_grant('regress_vci_registry', 'offerer', 'https://third.example');
SET ROLE regress_vci_registry;
SELECT helper.errors($$SELECT openid4vci.vci_create_nonce()$$);
RESET ROLE;
ROLLBACK;

-- Under an old snapshot vci_revoke would not see a duty given since, and take its rights away.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT helper.errors($$SELECT vci_revoke('regress_vci_reporter', 'reporter')$$);
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT helper.errors($$SELECT vci_revoke('regress_vci_reporter', 'reporter')$$);
ROLLBACK;
BEGIN;
SELECT helper.errors($$SELECT vci_revoke('regress_vci_reporter', 'reporter')$$);
ROLLBACK;

-- A verifier limited to one issuer takes that one's credentials as its own and no other's; keys
-- that it brings along serve for all.
SELECT vci_grant('regress_vci_stranger', 'verifier', 'https://second.example');
SELECT vci_issue_sdjwt('SecondCredential', '{"a": 1}', issuer => 'https://second.example') AS second,
    vci_issue_sdjwt('Membership', '{}', issuer => 'https://registry.example') AS first \gset
SELECT jsonb_build_object('keys', jsonb_agg(public_jwk)) AS jwks FROM vci_key_info
    WHERE issuer = 'https://registry.example' AND state = 'active' \gset
SET ROLE regress_vci_stranger;
SELECT v ->> 'valid' AS valid, v ->> 'error' AS error, v ->> 'error_description' AS description
FROM (VALUES (openid4vci.vci_verify_sdjwt(:'second')),
             (openid4vci.vci_verify_sdjwt(:'first')),
             (openid4vci.vci_verify_sdjwt(:'first', issuer_jwks => :'jwks'))) AS t (v);
SELECT helper.errors($$SELECT * FROM openid4vci.vci_issuer_info$$, $$SELECT openid4vci.vci_health()$$,
    $$SELECT openid4vci.vci_create_nonce('https://second.example')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'verifier', 'https://second.example');

-- The endpoint's limit: for it, the other issuer does not exist.
SELECT vci_revoke('regress_vci_endpoint', 'endpoint'),
    vci_grant('regress_vci_endpoint', 'endpoint', 'https://second.example');
SET ROLE regress_vci_endpoint;
SELECT host, status FROM unnest('{registry.example,second.example}'::text[]) AS host,
    LATERAL openid4vci.vci_http('GET', '/.well-known/jwt-vc-issuer', ARRAY['Host', host]);
SELECT helper.errors($$SELECT * FROM openid4vci.vci_offer_info$$,
    $$SELECT openid4vci.vci_offer_uri(1)$$, $$SELECT openid4vci.vci_health()$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_endpoint', 'endpoint', 'https://second.example'),
    vci_grant('regress_vci_endpoint', 'endpoint');
-- Backup reads what pg_dump reads, and keys are sealed there.
SELECT vci_grant('regress_vci_backup', 'backup');
SET ROLE regress_vci_backup;
SELECT count(*) > 0, bool_and(octet_length(private_key) > 32) FROM openid4vci.vci_key;
SELECT helper.errors($$SELECT openid4vci.vci_issue_sdjwt('Membership', '{}')$$,
    $$SELECT openid4vci.vci_offer_uri(1)$$, $$DELETE FROM openid4vci.vci_offer$$,
    $$UPDATE openid4vci.vci_offer SET redeemed_at = NULL$$,
    $$SELECT nextval('openid4vci.vci_offer_id_seq')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_backup', 'backup');
SET ROLE regress_vci_backup;
SELECT helper.errors($$SELECT * FROM openid4vci.vci_key$$);
RESET ROLE;
SELECT vci_retire_issuer('https://second.example');
