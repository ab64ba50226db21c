-- vci_create_issuer, vci_alter_issuer, vci_retire_issuer.
\pset format unaligned
\pset tuples_only on

-- What needs an issuer says so, and how to make one.
SELECT helper.errors(
    $$SELECT vci_create_key()$$,
    $$SELECT vci_create_offer('{X}')$$,
    $$SELECT vci_create_nonce()$$,
    $$SELECT vci_alter_issuer('{"retry_window": 1}')$$,
    $$SELECT vci_retire_issuer('https://registry.example')$$);

SELECT vci_create_issuer('https://registry.example',
    display => '[{"name": "OpenSPP Social Registry", "locale": "en-US",
                  "logo": {"uri": "https://registry.example/logo.png", "alt_text": "OpenSPP Logo"}},
                 {"name": "Registre social", "locale": "fr-FR"}]') > 0 AS created;
SELECT url, base_path, profile, iss_did_web, offer_lifetime, access_token_lifetime,
    c_nonce_lifetime,
       retry_window, time_rounding, proof_max_age, tx_code_max_failures, batch_size,
       display -> 1 ->> 'name', created_at <= clock_timestamp(), retired_at FROM vci_issuer_info;

-- NULL, and what is no issuer URL (OpenID4VCI 1.0 section 12.2.1).
SELECT helper.errors(
    $$SELECT vci_create_issuer(NULL)$$,
    $$SELECT vci_create_issuer('')$$,
    $$SELECT vci_create_issuer('registry.example')$$,
    $$SELECT vci_create_issuer('http://registry.example')$$,
    $$SELECT vci_create_issuer('ftp://registry.example')$$,
    $$SELECT vci_create_issuer('https://registry.example/')$$,
    $$SELECT vci_create_issuer('https://registry.example?x=1')$$,
    $$SELECT vci_create_issuer('https://registry.example#x')$$,
    $$SELECT vci_create_issuer('https://user@registry.example')$$,
    $$SELECT vci_create_issuer('https://Registry.Example')$$,
    $$SELECT vci_create_issuer('https://registry.example:0')$$,
    $$SELECT vci_create_issuer('https://registry.example:65536')$$,
    $$SELECT vci_create_issuer('https://registry.example/a//b')$$,
    $$SELECT vci_create_issuer('https://registry.example/a/../b')$$,
    $$SELECT vci_create_issuer('https://registry.example/%2e')$$,
    $$SELECT vci_create_issuer('https://registry.example/a b')$$,
    $$SELECT vci_create_issuer(E'https://registry.example/\n')$$,
    $$SELECT vci_create_issuer('https://registry.example/''; DROP TABLE vci_issuer; --')$$,
    $$SELECT vci_create_issuer('https://регистр.example')$$,
    $$SELECT vci_create_issuer('https://registry.example/' || repeat('a', 1024))$$);
-- The same URL again.
SELECT helper.errors($$SELECT vci_create_issuer('https://registry.example')$$);

-- Profile, display and settings of other kinds than expected.
SELECT helper.errors(
    $$SELECT vci_create_issuer('https://a.example', profile => 'other')$$,
    $$SELECT vci_create_issuer('https://a.example', profile => NULL)$$,
    $$SELECT vci_create_issuer('https://a.example', display => '{"name": "x"}')$$,
    $$SELECT vci_create_issuer('https://a.example', display => '[]')$$,
    $$SELECT vci_create_issuer('https://a.example', display => '[{"locale": "en"}]')$$,
    $$SELECT vci_create_issuer('https://a.example', display => '[{"name": "a", "locale": "en"}, {"name": "b", "locale": "EN"}]')$$,
    $$SELECT vci_create_issuer('https://a.example', display => '[{"name": "a", "locale": "no locale!"}]')$$,
    $$SELECT vci_create_issuer('https://a.example', display => '[{"name": "a", "logo": {"uri": "javascript:alert(1)"}}]')$$,
    $$SELECT vci_create_issuer('https://a.example', display => jsonb_build_array(jsonb_build_object('name', repeat('x', 201))))$$,
    $$SELECT vci_create_issuer('https://a.example', settings => '[]')$$,
    $$SELECT vci_create_issuer('https://a.example', settings => '{"offer_life": 1}')$$);
-- None of these left an issuer behind.
SELECT count(*) FROM vci_issuer;

-- Each setting: changed, out of range, of a wrong kind, and back to the profile's default.
SELECT vci_alter_issuer('{"offer_lifetime": 3600, "access_token_lifetime": 300, "c_nonce_lifetime": 60,
    "retry_window": 0, "time_rounding": 1, "proof_max_age": 120, "tx_code_max_failures": 3,
    "batch_size": 4, "base_path": "/vci", "iss_did_web": true}');
SELECT base_path, iss_did_web, offer_lifetime, access_token_lifetime, c_nonce_lifetime,
    retry_window,
       time_rounding, proof_max_age, tx_code_max_failures, batch_size FROM vci_issuer_info;
SELECT vci_alter_issuer('{"offer_lifetime": null, "access_token_lifetime": null, "c_nonce_lifetime": null,
    "retry_window": null, "time_rounding": null, "proof_max_age": null, "tx_code_max_failures": null,
    "batch_size": null, "base_path": null, "iss_did_web": null}');
SELECT base_path, iss_did_web, offer_lifetime, access_token_lifetime, c_nonce_lifetime,
    retry_window,
       time_rounding, proof_max_age, tx_code_max_failures, batch_size FROM vci_issuer_info;
SELECT setting || ' = ' || value,
       helper.error(format('SELECT vci_alter_issuer(%L)', format('{"%s": %s}', setting, value)))
FROM (VALUES
    ('offer_lifetime', '0'), ('offer_lifetime', '315360001'), ('offer_lifetime', '"3600"'),
    ('offer_lifetime', '1.5'), ('offer_lifetime', '1e400'),
    ('offer_lifetime', '99999999999999999999'),
    ('access_token_lifetime', '-1'), ('access_token_lifetime', '[]'),
    ('c_nonce_lifetime', '2592001'), ('retry_window', '-1'), ('retry_window', '3601'),
    ('time_rounding', '0'), ('time_rounding', '604801'), ('proof_max_age', '0'),
    ('tx_code_max_failures', '0'), ('tx_code_max_failures', '101'), ('batch_size', '0'),
    ('batch_size', '33'),
    ('base_path', '"vci"'), ('base_path', '"/a/"'), ('base_path', '"/a/../b"'),
    ('base_path', '"/a b"'),
    ('base_path', '"/a?b"'), ('base_path', '"/a(b"'), ('base_path', '1'), ('iss_did_web', '"yes"'),
    ('profile', '1'),
    ('profile', '"draft"'), ('profile', 'null'), ('url', '"https://b.example"'),
    ('data_key', '"x"'),
    ('retired_at', '"now"')) AS v (setting, value);

SELECT vci_alter_issuer('{"base_path": "/api/v1/openid4vci"}');

-- The same for tokens, DPoP, authorization requests and deferral.
SELECT vci_alter_issuer('{"dpop": "required", "dpop_nonce": true, "dpop_proof_max_age": 60,
    "refresh_token_lifetime": 86400, "authorization_request_lifetime": 900, "authorization_code_lifetime": 30,
    "authorization_request_rate": 60, "tx_code_retry_delay": 10, "deferred_interval": 3600, "deferred_lifetime": 86400,
    "login_url": "https://portal.example/login?from=vci", "notify_events": true,
    "login_fields": [{"name": "id", "type": "text", "required": true, "display": [{"name": "Number", "locale": "en"}]},
                     {"name": "pin", "type": "password", "label": "PIN"}]}');
CREATE FUNCTION pg_temp.settings() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws('|', dpop, dpop_nonce, dpop_proof_max_age, refresh_token_lifetime, authorization_request_lifetime,
        authorization_code_lifetime, authorization_request_rate, tx_code_retry_delay, deferred_interval, deferred_lifetime,
        login_url, notify_events, login_fields, endpoints, issuance_paused) FROM vci_issuer_info
    WHERE url = 'https://registry.example'
$$;
SELECT pg_temp.settings();
SELECT vci_alter_issuer('{"dpop": null, "dpop_nonce": null, "dpop_proof_max_age": null, "refresh_token_lifetime": null,
    "authorization_request_lifetime": null, "authorization_code_lifetime": null, "authorization_request_rate": null,
    "tx_code_retry_delay": null, "deferred_interval": null, "deferred_lifetime": null, "login_url": null,
    "notify_events": null, "login_fields": null}');
SELECT pg_temp.settings();
SELECT setting || ' = ' || value,
       helper.error(format('SELECT vci_alter_issuer(%L)', format('{"%s": %s}', setting, value)))
FROM (VALUES ('dpop', '"on"'), ('dpop', 'true'), ('dpop_nonce', '1'), ('dpop_proof_max_age', '3601'),
    ('refresh_token_lifetime', '0'), ('authorization_request_lifetime', '86401'), ('authorization_code_lifetime', '601'),
    ('authorization_request_rate', '0'), ('tx_code_retry_delay', '-1'), ('deferred_interval', '0'),
    ('deferred_lifetime', '31536001'), ('notify_events', '"yes"'), ('issuance_paused', '0'), ('login_url', '1'),
    ('login_url', '"http://portal.example/"'), ('login_url', '"https://portal.example/#login"'),
    ('login_url', '"javascript:alert(1)"'), ('login_url', '"https://portal.example/ x"'), ('login_url', '""'),
    ('login_fields', '{}'), ('login_fields', '[]'), ('login_fields', '[{"name": "id"}]'),
    ('login_fields', '[{"name": "csrf", "label": "x"}]'), ('login_fields', '[{"name": "id", "label": "x", "type": "file"}]'),
    ('login_fields', '[{"name": "id", "label": "x", "size": 3}]'), ('login_fields', '[{"name": "a", "label": "x"}, {"name": "a", "label": "y"}]'),
    ('authenticate', '1'), ('authenticate', '"authenticate"'), ('authenticate', '"public.nobody"'),
    ('authenticate', '"pg_catalog.jsonb_typeof"')) AS v (setting, value);
-- Who answers for the built-in login page is registered with its owner, by a member of that role alone.
CREATE FUNCTION public.who(form jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
SELECT vci_alter_issuer('{"authenticate": "public.who"}');
SELECT authenticate, authenticate_owner = current_user FROM vci_issuer WHERE url = 'https://registry.example';
SELECT vci_grant('regress_vci_admin', 'issuer_admin');
SET ROLE regress_vci_admin;
SELECT regexp_replace(helper.error($$SELECT openid4vci.vci_alter_issuer('{"authenticate": "public.who"}')$$),
    'owner [^,]*,', 'owner ...,');
RESET ROLE;
SELECT vci_revoke('regress_vci_admin', 'issuer_admin');
SELECT vci_alter_issuer('{"authenticate": null}');
SELECT authenticate, authenticate_owner FROM vci_issuer WHERE url = 'https://registry.example';
DROP FUNCTION public.who;

-- The settings in force: the profile's defaults where nothing else is set. They can be given back.
SELECT jsonb_pretty(vci_issuer_settings() - 'endpoints');
SELECT key, value FROM jsonb_each(vci_issuer_settings() -> 'endpoints') ORDER BY key;
BEGIN;
SELECT vci_issuer_settings() AS before \gset
SELECT vci_alter_issuer('{"profile": "final", "offer_lifetime": 60, "refresh_token_lifetime": 3600, "keep_claims": true,
    "dpop": "required", "endpoints": {"token": {"path": "/t"}, "par": {"enabled": false}}}');
SELECT jsonb_pretty(jsonb_object_agg(key, value)) FROM jsonb_each(vci_issuer_settings() - 'endpoints')
    WHERE value <> :'before'::jsonb -> key;
SELECT key, value FROM jsonb_each(vci_issuer_settings() -> 'endpoints')
    WHERE value <> :'before'::jsonb -> 'endpoints' -> key ORDER BY key;
SELECT vci_alter_issuer(:'before'::jsonb - 'endpoints' || '{"endpoints": null}');
SELECT vci_issuer_settings() = :'before';
ROLLBACK;
SELECT helper.errors($$SELECT vci_issuer_settings('https://unknown.example')$$);

-- An issuer is named by its exact URL; NULL means the only one.
SELECT vci_alter_issuer(NULL) AS "no change is no error";
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{}', 'https://registry.example/')$$,
    $$SELECT vci_alter_issuer('{}', '"; DROP TABLE vci_issuer; --')$$,
    $$SELECT vci_alter_issuer('[]')$$,
    $$SELECT vci_retire_issuer('https://unknown.example')$$);
SELECT vci_retire_issuer(NULL) IS NULL AS "strict: nothing happens";

-- With a second one it must be said which.
SELECT vci_create_issuer('https://registry.example/former', profile => 'final',
                         settings => '{"batch_size": 3}') > 0 AS created;
SELECT url, profile, batch_size FROM vci_issuer_info ORDER BY id;
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{"retry_window": 1}')$$,
    $$SELECT vci_create_key()$$,
    $$SELECT vci_create_nonce()$$);

-- A retired issuer is gone for every call, and its URL is not used again.
SELECT vci_retire_issuer('https://registry.example/former');
SELECT url, retired_at IS NOT NULL FROM vci_issuer_info ORDER BY id;
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{}', 'https://registry.example/former')$$,
    $$SELECT vci_retire_issuer('https://registry.example/former')$$,
    $$SELECT vci_create_issuer('https://registry.example/former')$$);

-- The data key is stored sealed: it differs from issuer to issuer and names its root key.
SELECT count(DISTINCT data_key) = count(*), min(length(data_key)) > 32, bool_and(root_key_id <> '')
FROM vci_issuer;

-- Without a usable root key nothing is created, and the error says what to type.
SET openid4vci.root_key_file = 'relative';
SELECT helper.errors($$SELECT vci_create_issuer('https://c.example')$$);
SET openid4vci.root_key_file = '/nonexistent/root.key';
SELECT helper.errors($$SELECT vci_create_issuer('https://c.example')$$);
SET openid4vci.root_key_file = '/dev/null';
SELECT helper.errors($$SELECT vci_create_issuer('https://c.example')$$);
SET openid4vci.root_key_file = '';
SELECT helper.errors($$SELECT vci_create_issuer('https://c.example')$$);
-- A key beside the data would travel with every backup.
SELECT current_setting('data_directory') || '/PG_VERSION' AS inside \gset
SET openid4vci.root_key_file = :'inside';
SELECT helper.errors($$SELECT vci_create_issuer('https://c.example')$$);
RESET openid4vci.root_key_file;

-- One spelling of an authority, and no path that looks like a well-known address.
SELECT helper.errors(
    $$SELECT vci_create_issuer('https://h.example:443')$$,
    $$SELECT vci_create_issuer('http://127.0.0.1:80')$$,
    $$SELECT vci_create_issuer('https://h.example:80')$$,
    $$SELECT vci_create_issuer('https://h.example:4430')$$,
    $$SELECT vci_create_issuer('https://h.example/.well-known')$$,
    $$SELECT vci_create_issuer('https://h.example/.well-known/openid-credential-issuer/t1')$$,
    $$SELECT vci_create_issuer('https://h.example/t1/.well-known')$$);

-- Two issuers never share endpoints: each would answer in the other's place.
BEGIN;
SELECT vci_create_issuer('https://registry.example/t1') IS NOT NULL;
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{"base_path": "/t1/api/v1/openid4vci"}', 'https://registry.example')$$,
    $$SELECT vci_alter_issuer('{"base_path": "/t2/api/v1/openid4vci"}', 'https://registry.example')$$,
    $$SELECT vci_create_issuer('https://registry.example/t1/api', settings => '{"base_path": "/v1/openid4vci"}')$$,
    $$SELECT vci_create_issuer('https://registry.example/t1/api', settings => '{"base_path": "/v2/openid4vci"}')$$,
    $$SELECT vci_create_issuer('https://registry.example/api/v1/openid4vci', settings => '{"base_path": ""}')$$,
    $$SELECT vci_create_issuer('https://other.example', settings => '{"base_path": "/t1/api/v1/openid4vci"}')$$);
-- A retired one stands in nobody's way.
SELECT vci_retire_issuer('https://registry.example/t1');
SELECT vci_alter_issuer('{"base_path": "/t1/api/v1/openid4vci"}', 'https://registry.example');
ROLLBACK;

-- As long as it is said to be, and no longer; the error does not show the row with its keys.
SELECT helper.errors(
    $$SELECT vci_alter_issuer(jsonb_build_object('base_path', '/' || repeat('a', 255)))$$,
    $$SELECT vci_alter_issuer(jsonb_build_object('base_path', '/' || repeat('a', 256)))$$,
    $$SELECT vci_create_issuer('https://h.example', settings => jsonb_build_object('base_path', '/' || repeat('a', 256)))$$);

-- A changed c_nonce_lifetime voids the issuer's own c_nonces, and no other issuer's.
BEGIN;
SELECT vci_create_issuer('https://nonce.example') IS NOT NULL;
CREATE TEMP TABLE before ON COMMIT DROP AS
    SELECT url, nonce_generation, epoch FROM vci_issuer, vci_epoch WHERE retired_at IS NULL;
SELECT vci_alter_issuer('{"c_nonce_lifetime": 600}', 'https://nonce.example');
SELECT url, i.nonce_generation - b.nonce_generation AS raised, e.epoch = b.epoch AS same_epoch
FROM before AS b JOIN vci_issuer AS i USING (url), vci_epoch AS e ORDER BY url;
ROLLBACK;
