-- Claims sources: a registry's own function says what a credential holds, when it is issued. It
-- runs as its owner in a security-restricted operation, never with the extension's rights.
\pset format unaligned
\pset tuples_only on

GRANT regress_vci_registry TO regress_vci_admin;
SELECT vci_grant('regress_vci_admin', 'issuer_admin'), vci_grant('regress_vci_offerer', 'offerer'),
    vci_grant('regress_vci_endpoint', 'endpoint');
CREATE SCHEMA registry AUTHORIZATION regress_vci_registry;
SET ROLE regress_vci_registry;
CREATE TABLE registry.entitlement (id text PRIMARY KEY, claims jsonb);
INSERT INTO registry.entitlement VALUES ('1', '{"entitlementId": "ENT-1", "amount": 1250.50}'),
    ('2', NULL),
    ('3', '{"status": "approved"}'), ('4', '[]'), ('5', '{"a": {"_sd": []}}'),
    ('''; DROP TABLE registry.entitlement; --', '{"hostile": "no"}');
-- Its own schema is on the path, so plain SQL finds its tables.
CREATE FUNCTION registry.claims_of(model text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT claims FROM entitlement AS e WHERE e.id = claims_of.id AND model = 'entitlement');
END
$$;
CREATE FUNCTION registry.who(model text, id text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('user', current_user, 'path', current_setting('search_path'))
$$;
CREATE FUNCTION registry.strict(model text,
    id text) RETURNS jsonb STRICT LANGUAGE sql AS $$ SELECT '{"a": 1}'::jsonb $$;
CREATE FUNCTION registry.rows(model text,
    id text) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
CREATE FUNCTION registry.text(model text, id text) RETURNS text LANGUAGE sql AS $$ SELECT '{}' $$;
CREATE FUNCTION registry.one(id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
CREATE FUNCTION registry."odd name; --"(model text,
    id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"odd": true}'::jsonb $$;
CREATE FUNCTION registry.fails(model text,
    id text) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'registry is closed'; END $$;
-- What a source must not be able to do; id is the statement.
CREATE FUNCTION registry.attack(model text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE id;
    RETURN '{"attack": "worked"}';
EXCEPTION WHEN OTHERS THEN
    RETURN jsonb_build_object('attack', SQLSTATE || ' ' || SQLERRM);
END
$$;
GRANT USAGE ON SCHEMA registry TO PUBLIC;
RESET ROLE;
CREATE FUNCTION public.foreign_source(model text,
    id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"super": true}'::jsonb $$;

-- Registering: schema.function of the right shape, by a member of its owner's role.
SET ROLE regress_vci_admin;
SELECT openid4vci.vci_create_configuration('Sourced', 'https://registry.example/sourced',
    binding => 'absent', claims_source => 'registry.claims_of');
SELECT source, replace(helper.error(format('SELECT openid4vci.vci_alter_configuration(%L, %L)', 'Sourced',
    json_build_object('claims_source', source))), session_user, '(superuser)')
FROM unnest(ARRAY['registry.claims_of', 'claims_of', 'registry.unknown', 'nowhere.claims_of',
    'registry.rows', 'registry.text', 'registry.one',
    'public.foreign_source', 'a.b.c', '', 'registry.claims_of(text, text)',
    'registry."odd name; --"', 'registry.claims_of; DROP TABLE x',
    'pg_catalog.concat', 'openid4vci.vci_http']) AS source;
RESET ROLE;
SET ROLE regress_vci_offerer;
SELECT helper.errors($$SELECT openid4vci.vci_alter_configuration('Sourced', '{"claims_source": "registry.who"}')$$);
RESET ROLE;
SELECT claims_source FROM vci_configuration_info WHERE id = 'Sourced';
SELECT claims_source_owner FROM vci_configuration WHERE id = 'Sourced';

-- Asked at issuance: the credential holds what the registry says then.
CREATE FUNCTION helper.sourced(subject_id text, claims jsonb DEFAULT NULL,
    model text DEFAULT 'entitlement') RETURNS jsonb LANGUAGE sql AS $$
    SELECT helper.claims((openid4vci.vci_issue_and_record('Sourced', claims, subject_model => model, subject_id => subject_id)).credential)
$$;
SELECT helper.sourced('1');
-- It wins over claims given, member by member; without a subject it is not asked.
SELECT helper.sourced('1', '{"entitlementId": "given", "more": 1}');
SELECT helper.claims((vci_issue_and_record('Sourced', '{"only": "given"}')).credential);
-- A NULL answer means there is nothing to issue; reserved claims and no objects are refused.
SELECT id, helper.error(format('SELECT helper.sourced(%L)', id))
FROM unnest(ARRAY['2', 'unknown', '3', '4', '5']) AS id;
SELECT helper.sourced('''; DROP TABLE registry.entitlement; --');

-- With an offer: what changed since is what is issued.
SELECT offer_id AS id FROM vci_create_offer('{Sourced}', subject_model => 'entitlement',
    subject_id => '1') \gset
UPDATE registry.entitlement SET claims = '{"entitlementId": "ENT-1", "amount": 999.99}'
    WHERE id = '1';
SELECT status, helper.claims(body #>> '{credentials,0,credential}')
FROM helper.post_json(helper.token(:id), '{"credential_configuration_id": "Sourced"}');
-- Nothing any more: the wallet gets an answer, and may ask again later.
SELECT offer_id AS id FROM vci_create_offer('{Sourced}', subject_model => 'entitlement',
    subject_id => '2') \gset
SELECT helper.token(:id) AS token \gset
SELECT status, body FROM helper.post_json(:'token', '{"credential_configuration_id": "Sourced"}');
SELECT state, issued_at FROM vci_offer_info WHERE id = :id;
UPDATE registry.entitlement SET claims = '{"late": true}' WHERE id = '2';
SELECT status, helper.claims(body #>> '{credentials,0,credential}')
    FROM helper.post_json(:'token', '{"credential_configuration_id": "Sourced"}');
-- A source that answers what must not be issued, or fails, is the server's fault.
SELECT offer_id AS id FROM vci_create_offer('{Sourced}', subject_model => 'entitlement',
    subject_id => '3') \gset
SELECT helper.token(:id) AS token \gset
SELECT helper.error(format('SELECT helper.post_json(%L, %L)', :'token',
    '{"credential_configuration_id": "Sourced"}'));
SELECT vci_alter_configuration('Sourced', '{"claims_source": "registry.fails"}');
SELECT helper.error(format('SELECT helper.post_json(%L, %L)', :'token',
    '{"credential_configuration_id": "Sourced"}'));

-- Whose rights: the owner's, whoever asks; the path is the function's own schema.
SELECT vci_alter_configuration('Sourced', '{"claims_source": "registry.who"}');
SELECT helper.sourced('1'), current_user = session_user;
SET search_path = pg_temp, public, openid4vci;
SELECT helper.sourced('1'), current_setting('search_path');
RESET search_path;
-- STRICT ones are not asked without a subject model.
SELECT vci_alter_configuration('Sourced', '{"claims_source": "registry.strict"}');
SELECT helper.sourced('1', model => 'm'),
    helper.error($$SELECT helper.sourced('1', model => NULL)$$);
SELECT vci_alter_configuration('Sourced', '{"claims_source": "registry.\"odd name; --\""}');
SELECT helper.sourced('1');

-- Attacks from within a source.
SELECT vci_alter_configuration('Sourced', '{"claims_source": "registry.attack"}');
SELECT statement, helper.sourced(statement) ->> 'attack' FROM unnest(ARRAY[
    'SET ROLE regress_vci_admin', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT',
    'RESET SESSION AUTHORIZATION',
    'SET openid4vci.root_key_file = ''/tmp/x''', 'SET LOCAL openid4vci.max_body_size = 16',
    'CREATE TEMP TABLE trap (x int)', 'ALTER TABLE openid4vci.vci_issuer ADD COLUMN x int',
    'DROP TABLE openid4vci.vci_offer',
    'SELECT private_key FROM openid4vci.vci_key', 'SELECT data_key FROM openid4vci.vci_issuer',
    'SELECT * FROM openid4vci.vci_offer',
    'UPDATE openid4vci.vci_offer SET tx_code_failures = 0',
    'INSERT INTO openid4vci.vci_duty VALUES (''regress_vci_registry'', ''issuer_admin'', NULL, ''x'')',
    'SELECT openid4vci.vci_grant(''regress_vci_registry'', ''issuer_admin'')',
    'SELECT openid4vci.vci_create_key()',
    'SELECT openid4vci.vci_http(''GET'', ''/'')',
    'SELECT openid4vci.vci_issue_sdjwt(''Membership'', ''{}'')', 'SELECT openid4vci.vci_health()',
    'GRANT ALL ON ALL TABLES IN SCHEMA openid4vci TO PUBLIC',
    'CREATE FUNCTION openid4vci.trap() RETURNS int LANGUAGE sql AS ''SELECT 1''',
    'LISTEN x', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1']) AS statement;
-- (Here PostgreSQL's words differ between versions.)
SELECT statement, left(helper.sourced(statement) ->> 'attack', 5)
FROM unnest(ARRAY['COPY registry.entitlement TO PROGRAM ''cat''', 'COMMIT', 'ROLLBACK']) AS statement;
SELECT count(*) FROM vci_duty WHERE role_name = 'regress_vci_registry';

-- Whatever a source SETs is gone with it: a search_path left behind would let its owner's
-- functions run with the rights of whoever asked.
CREATE FUNCTION helper.settings() RETURNS jsonb LANGUAGE sql AS
    'SELECT jsonb_object_agg(name, setting) FROM pg_catalog.pg_settings';
CREATE TABLE helper.setter AS SELECT n, statement FROM unnest(ARRAY[
    'SELECT set_config(''search_path'', ''registry, pg_catalog'', false)',
    'SELECT set_config(''search_path'', ''registry, pg_catalog'', true)',
    'SET default_transaction_read_only = on', 'SET LOCAL work_mem = ''1MB''',
    'SET lock_timeout = ''1ms''', 'RESET ALL']) WITH ORDINALITY AS s (statement, n);
SET search_path = public, openid4vci, pg_temp;
SET work_mem = '5MB';
SET statement_timeout = '1h';
SELECT helper.settings() AS settings \gset
SELECT statement, helper.claims((vci_issue_and_record('Sourced', subject_model => 'm',
    subject_id => statement)).credential) FROM helper.setter ORDER BY n;
SELECT helper.settings() = :'settings' AS "as before, after vci_issue_and_record";
SELECT statement, status, helper.claims(body #>> '{credentials,0,credential}')
FROM helper.setter, LATERAL vci_create_offer('{Sourced}', subject_model => 'm',
    subject_id => statement) AS o,
    LATERAL helper.post_json(helper.token(o.offer_id),
    '{"credential_configuration_id": "Sourced"}') ORDER BY n;
SELECT helper.settings() = :'settings' AS "as before, after vci_http";
-- In a transaction of the caller's, at once and after it.
BEGIN;
SET LOCAL work_mem = '6MB';
SELECT helper.settings() AS inside \gset
SELECT helper.sourced(statement) FROM helper.setter ORDER BY n;
SELECT helper.settings() = :'inside' AS "as before, within the transaction";
COMMIT;
SELECT helper.settings() = :'settings' AS "as before, after the transaction";
RESET statement_timeout;
RESET work_mem;
RESET search_path;
DROP TABLE helper.setter;

-- Even one who holds a duty does no more than that duty says; the caller's identity comes back.
SELECT vci_grant('regress_vci_registry', 'offerer');
SELECT helper.sourced('SELECT openid4vci.vci_create_key()') ->> 'attack',
    helper.sourced('SELECT openid4vci.vci_create_nonce()') ->> 'attack',
       current_user = session_user, current_setting('search_path');
SELECT vci_revoke('regress_vci_registry', 'offerer');

-- Another function under the registered name is an error, not an answer.
SELECT vci_alter_configuration('Sourced', '{"claims_source": "registry.claims_of"}');
ALTER FUNCTION registry.claims_of(text, text) OWNER TO regress_vci_stranger;
SELECT helper.error($$SELECT helper.sourced('1')$$);
ALTER FUNCTION registry.claims_of(text, text) OWNER TO regress_vci_registry;
SELECT helper.sourced('1');
ALTER FUNCTION registry.claims_of(text, text) RENAME TO former;
SELECT helper.error($$SELECT helper.sourced('1')$$);
CREATE FUNCTION registry.claims_of(model text,
    id text) RETURNS text LANGUAGE sql AS $$ SELECT '{}' $$;
SELECT helper.error($$SELECT helper.sourced('1')$$);
DROP FUNCTION registry.claims_of(text, text);
ALTER FUNCTION registry.former(text, text) RENAME TO claims_of;
SELECT helper.sourced('1');
-- Taken out again.
SELECT vci_alter_configuration('Sourced', '{"claims_source": null}');
SELECT claims_source, claims_source_owner FROM vci_configuration WHERE id = 'Sourced';
SELECT helper.error($$SELECT helper.sourced('1')$$);
SELECT vci_retire_configuration('Sourced');
DROP FUNCTION public.foreign_source(text, text);
