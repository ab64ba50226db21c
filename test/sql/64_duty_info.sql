-- Who has which duty: the view, the events, the privileges given anew, and vci_health about them.
\pset format unaligned
\pset tuples_only on

CREATE ROLE regress_vci_watch;
CREATE ROLE regress_vci_hand;
SELECT vci_create_issuer('https://duty.example') IS NOT NULL, vci_create_issuer('https://duty2.example') IS NOT NULL;

-- Each change is an event with role, duty and issuer; what changes nothing is none.
SELECT vci_grant('regress_vci_hand', 'reporter', 'https://duty.example'),
    vci_grant('regress_vci_hand', 'reporter', 'https://duty.example'),
    vci_grant('regress_vci_hand', 'offerer'),
    vci_revoke('regress_vci_hand', 'reporter', 'https://duty.example'),
    helper.error($$SELECT vci_revoke('regress_vci_hand', 'reporter', 'https://duty.example')$$),
    helper.error($$SELECT vci_grant('regress_vci_hand', 'backup', 'https://duty.example')$$);
SELECT e.kind, e.role_name, e.duty, i.url, e.actor = session_user AS actor
FROM vci_event AS e LEFT JOIN vci_issuer AS i ON i.id = e.issuer_id
WHERE e.role_name = 'regress_vci_hand' ORDER BY e.at;
-- A rolled back grant leaves none.
BEGIN;
SELECT vci_grant('regress_vci_hand', 'auditor');
ROLLBACK;
SELECT count(*) FROM vci_event WHERE role_name = 'regress_vci_hand' AND duty = 'auditor';
-- An issuer_admin's grants bear its name.
SELECT vci_grant('regress_vci_watch', 'issuer_admin', 'https://duty.example');
SET ROLE regress_vci_watch;
SELECT openid4vci.vci_grant('regress_vci_hand', 'verifier', 'https://duty.example');
RESET ROLE;
SELECT kind, role_name, duty, actor FROM vci_event
WHERE role_name = 'regress_vci_hand' AND duty = 'verifier';
SELECT role_name, duty, granted_by FROM vci_duty_info WHERE duty = 'verifier';
-- What a former role of this name had is taken in the moment its successor is given something.
CREATE ROLE regress_vci_brief;
SELECT vci_grant('regress_vci_brief', 'key_admin'), vci_grant('regress_vci_brief', 'verifier', 'https://duty2.example');
DROP OWNED BY regress_vci_brief;
DROP ROLE regress_vci_brief;
CREATE ROLE regress_vci_brief;
SELECT vci_grant('regress_vci_brief', 'reporter', 'https://duty.example');
SELECT kind, duty, i.url FROM vci_event AS e LEFT JOIN vci_issuer AS i ON i.id = e.issuer_id
WHERE e.role_name = 'regress_vci_brief' ORDER BY e.at;
SELECT vci_revoke('regress_vci_brief', 'reporter', 'https://duty.example');
DROP ROLE regress_vci_brief;
-- Those of an issuer are for who reads it, those of none for who reads all.
SET ROLE regress_vci_watch;
SELECT kind, role_name, duty, issuer FROM openid4vci.vci_event_info
WHERE role_name ~ '^regress_vci_(hand|watch|brief)$' ORDER BY at;
RESET ROLE;

-- vci_duty_info: an issuer_admin sees the duties for its issuers, an auditor for its own, and
-- one for all issuers sees everything; a reporter nothing.
SET ROLE regress_vci_watch;
SELECT role_name, duty, issuer, granted_by = session_user AS "by the owner" FROM openid4vci.vci_duty_info ORDER BY 1, 2;
SELECT helper.errors($$SELECT * FROM openid4vci.vci_event_seal_info$$, $$SELECT * FROM openid4vci.vci_duty$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_watch', 'issuer_admin', 'https://duty.example'),
    vci_grant('regress_vci_watch', 'auditor', 'https://duty2.example');
SET ROLE regress_vci_watch;
SELECT role_name, duty, issuer FROM openid4vci.vci_duty_info;
SELECT url FROM openid4vci.vci_issuer_info;
SELECT count(*) FROM openid4vci.vci_event_seal_info;
RESET ROLE;
SELECT vci_grant('regress_vci_watch', 'auditor');
SET ROLE regress_vci_watch;
SELECT count(*) > 4 AND bool_or(issuer IS NULL) AND bool_or(issuer = 'https://duty.example') AS everything
FROM openid4vci.vci_duty_info;
SELECT openid4vci.vci_duty_issuers('auditor') @> '{0}' AS auditor,
    openid4vci.vci_duty_issuers('reporter') = openid4vci.vci_duty_issuers('auditor') AS reads_as_much,
    openid4vci.vci_duty_issuers('issuer_admin');
RESET ROLE;
SELECT vci_revoke('regress_vci_watch', 'auditor'), vci_revoke('regress_vci_watch', 'auditor', 'https://duty2.example'),
    vci_grant('regress_vci_watch', 'reporter');
SET ROLE regress_vci_watch;
SELECT helper.errors($$SELECT * FROM openid4vci.vci_duty_info$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_watch', 'reporter');
-- 0 stands for all issuers, first, beside the ids of each.
SELECT duty, ids[1] = 0 AS "0 first", cardinality(ids) = 1 + (SELECT count(*) FROM vci_issuer) AS "and all"
FROM unnest('{endpoint,backup,reporter,auditor}'::text[]) AS duty, LATERAL vci_duty_issuers(duty) AS ids;

-- Privileges that were lost come back, exactly; vci_health tells before.
CREATE FUNCTION helper.duties_health() RETURNS TABLE (ok boolean, detail text) LANGUAGE sql AS
    $$ SELECT ok, detail FROM openid4vci.vci_health() WHERE "check" = 'duties' $$;
SELECT * FROM helper.duties_health();
CREATE FUNCTION helper.rights_of(role_name text) RETURNS TABLE (object text, privilege text, grantable boolean)
LANGUAGE sql AS $$
    SELECT o.name, a.privilege_type, a.is_grantable
    FROM (SELECT 'schema', nspacl FROM pg_namespace WHERE nspname = 'openid4vci'
          UNION ALL
          SELECT oid::regprocedure::text, proacl FROM pg_proc WHERE pronamespace = 'openid4vci'::regnamespace
          UNION ALL
          SELECT relname, relacl FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace) AS o (name, acl),
         aclexplode(o.acl) AS a
    WHERE a.grantee = role_name::regrole
$$;
CREATE TABLE helper.privileges AS SELECT * FROM helper.rights_of('regress_vci_hand');
SELECT count(*) > 20 FROM helper.privileges;
REVOKE EXECUTE ON FUNCTION vci_offer_uri(bigint, text) FROM regress_vci_hand;
SELECT * FROM helper.duties_health();
SELECT vci_reapply_duties();
SELECT * FROM helper.duties_health();
REVOKE SELECT ON vci_offer_info FROM regress_vci_hand;
SELECT * FROM helper.duties_health();
SELECT vci_reapply_duties();
DROP OWNED BY regress_vci_hand;
SELECT * FROM helper.duties_health();
SELECT vci_reapply_duties();
SELECT * FROM helper.duties_health();
SELECT count(*) AS less FROM (TABLE helper.privileges EXCEPT SELECT * FROM helper.rights_of('regress_vci_hand')) AS less;
-- What somebody gave by hand goes, so that no role has more than its duties say.
GRANT SELECT ON vci_key TO regress_vci_hand;
GRANT USAGE ON SEQUENCE vci_offer_id_seq TO regress_vci_hand;
GRANT EXECUTE ON FUNCTION vci_grant(name, text, text) TO regress_vci_hand WITH GRANT OPTION;
SELECT vci_reapply_duties();
SELECT count(*) FROM (SELECT * FROM helper.rights_of('regress_vci_hand') EXCEPT TABLE helper.privileges) AS more;
-- Backup is looked at table by table, sequences too.
SELECT vci_grant('regress_vci_backup', 'backup');
REVOKE SELECT ON SEQUENCE vci_token_id_seq FROM regress_vci_backup;
SELECT * FROM helper.duties_health();
SELECT vci_reapply_duties();
REVOKE SELECT ON vci_token FROM regress_vci_backup;
SELECT * FROM helper.duties_health();
SELECT vci_reapply_duties(), vci_revoke('regress_vci_backup', 'backup');
-- The schema itself.
REVOKE USAGE ON SCHEMA openid4vci FROM regress_vci_hand;
SELECT * FROM helper.duties_health();
SELECT vci_reapply_duties();
-- A role that is gone is named; its duties wait, and do not hinder the others.
ALTER ROLE regress_vci_hand RENAME TO regress_vci_other_hand;
SELECT * FROM helper.duties_health();
SET client_min_messages = warning;
SELECT vci_reapply_duties();
RESET client_min_messages;
ALTER ROLE regress_vci_other_hand RENAME TO regress_vci_hand;
SELECT * FROM helper.duties_health();
-- For the owner alone, and not under an old snapshot.
SET ROLE regress_vci_hand;
SELECT helper.errors($$SELECT openid4vci.vci_reapply_duties()$$);
RESET ROLE;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT helper.errors($$SELECT vci_reapply_duties()$$);
ROLLBACK;

SELECT vci_revoke('regress_vci_hand', 'offerer'), vci_revoke('regress_vci_hand', 'verifier', 'https://duty.example');
SELECT count(*) FROM helper.rights_of('regress_vci_hand');
DROP TABLE helper.privileges;
DROP FUNCTION helper.duties_health(), helper.rights_of(text);
SELECT vci_retire_issuer('https://duty.example'), vci_retire_issuer('https://duty2.example');
DROP ROLE regress_vci_watch, regress_vci_hand;
