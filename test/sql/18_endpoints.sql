-- Endpoints of an issuer switched off and on, moved, and paused; what the metadata says of it.
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer('https://endpoints.example',
        settings => '{"login_url": "https://portal.example/login"}') > 0,
    vci_create_key('https://endpoints.example') IS NOT NULL,
    vci_create_configuration('Card', 'https://endpoints.example/card', binding => 'absent',
        issuer => 'https://endpoints.example'),
    vci_create_client('wallet.example', '{https://wallet.example/callback}',
        issuer => 'https://endpoints.example');

-- What is to be asked at each endpoint, and a request to it.
CREATE TEMP TABLE endpoint (n serial, name text, method text, leaf text);
INSERT INTO endpoint (name, method, leaf) VALUES
    ('token', 'POST', '/token'), ('nonce', 'POST', '/nonce'), ('credential', 'POST', '/credential'),
    ('batch_credential', 'POST', '/batch_credential'),
    ('deferred_credential', 'POST', '/deferred_credential'),
    ('notification', 'POST', '/notification'), ('par', 'POST', '/par'),
    ('authorize', 'GET', '/authorize'), ('consent', 'GET', '/consent'), ('offer', 'GET', '/offer/x'),
    ('jwks', 'GET', '/jwks');
CREATE FUNCTION pg_temp.ask(method text, path text, host text DEFAULT 'endpoints.example')
    RETURNS vci_http_response LANGUAGE sql AS
    $$SELECT vci_http(method, path, ARRAY['Host', host, 'Content-Type', CASE WHEN path LIKE '%credential'
        OR path LIKE '%notification' THEN 'application/json' ELSE 'application/x-www-form-urlencoded' END])$$;
-- A header of an answer.
CREATE FUNCTION pg_temp.header(answer vci_http_response, name text) RETURNS text LANGUAGE sql AS
    'SELECT (answer).headers[i + 1] FROM generate_subscripts((answer).headers, 1) AS i
     WHERE i % 2 = 1 AND (answer).headers[i] = name';
-- Members of both metadata documents whose value is a URL of an endpoint.
CREATE FUNCTION pg_temp.advertised() RETURNS TABLE (member text, url text) LANGUAGE sql AS $$
    SELECT key, value FROM unnest('{openid-credential-issuer,oauth-authorization-server}'::text[]) AS document,
        LATERAL helper.http('GET', '/.well-known/' || document, '{Host, endpoints.example}'),
        jsonb_each_text(body_out)
    WHERE key ~ '_endpoint$|^jwks_uri$'
$$;

-- All are there; browsers' scripts may read each but the two that people are sent to.
SELECT name, a.status, pg_temp.header(a, 'Access-Control-Allow-Origin') AS any_origin,
    pg_temp.header(o, 'Allow') AS allow, pg_temp.header(o, 'Access-Control-Allow-Methods') AS scripts
FROM endpoint, LATERAL pg_temp.ask(method, '/api/v1/openid4vci' || leaf) AS a,
    LATERAL pg_temp.ask('OPTIONS', '/api/v1/openid4vci' || leaf) AS o ORDER BY n;
SELECT DISTINCT pg_temp.header(a, 'Access-Control-Expose-Headers')
FROM endpoint, LATERAL pg_temp.ask(method, '/api/v1/openid4vci' || leaf) AS a;
SELECT member, url FROM pg_temp.advertised();

-- Each switched off: 404 to every method, and gone from the metadata, all but the member that
-- must be there; the others stay.
CREATE FUNCTION pg_temp.without(name text, leaf text) RETURNS TABLE (get integer, post integer, options integer,
    gone text, others bigint) LANGUAGE plpgsql AS $$
DECLARE
    before text[] := ARRAY(SELECT member FROM pg_temp.advertised());
BEGIN
    PERFORM vci_alter_issuer(jsonb_build_object('endpoints', jsonb_build_object(name, '{"enabled": false}'::jsonb)),
        'https://endpoints.example');
    get := (pg_temp.ask('GET', '/api/v1/openid4vci' || leaf)).status;
    post := (pg_temp.ask('POST', '/api/v1/openid4vci' || leaf)).status;
    options := (pg_temp.ask('OPTIONS', '/api/v1/openid4vci' || leaf)).status;
    gone := (SELECT string_agg(member, ', ' ORDER BY member) FROM unnest(before) AS member
             WHERE member NOT IN (SELECT a.member FROM pg_temp.advertised() AS a));
    others := (SELECT count(*) FROM endpoint AS e
               WHERE e.name <> without.name AND (pg_temp.ask(e.method, '/api/v1/openid4vci' || e.leaf)).status NOT IN (404, 405));
    PERFORM vci_alter_issuer(jsonb_build_object('endpoints', jsonb_build_object(name, '{"enabled": true}'::jsonb)),
        'https://endpoints.example');
    RETURN NEXT;
END
$$;
SELECT name, w.* FROM endpoint, LATERAL pg_temp.without(name, leaf) AS w ORDER BY n;
SELECT count(*) AS "all are back" FROM pg_temp.advertised();
-- Without a token endpoint there is no authorization server here.
BEGIN;
SELECT vci_alter_issuer('{"endpoints": {"token": {"enabled": false}}}', 'https://endpoints.example');
SELECT status FROM helper.http('GET', '/.well-known/oauth-authorization-server', '{Host, endpoints.example}');
ROLLBACK;
SELECT status FROM helper.http('GET', '/.well-known/oauth-authorization-server', '{Host, endpoints.example}');

-- A path and a base URL: the old place is empty, the new one answers, and is what is published.
SELECT vci_alter_issuer('{"endpoints": {"token": {"path": "/oauth/token"}, "nonce": {"base_url": "https://api.example/v2"},
    "offer": {"base_url": "https://o.example", "path": "/o"}}}', 'https://endpoints.example');
SELECT host, path, (pg_temp.ask(method, path, host)).status
FROM (VALUES ('POST', 'endpoints.example', '/api/v1/openid4vci/token'), ('POST', 'endpoints.example', '/oauth/token'),
    ('POST', 'endpoints.example', '/api/v1/openid4vci/nonce'), ('POST', 'api.example', '/v2/api/v1/openid4vci/nonce'),
    ('POST', 'endpoints.example', '/v2/api/v1/openid4vci/nonce'), ('POST', 'internal:8080', '/v2/api/v1/openid4vci/nonce'),
    ('GET', 'o.example', '/api/v1/openid4vci/offer/x'), ('GET', 'o.example', '/o/x'), ('GET', 'o.example', '/o'),
    ('GET', 'o.example', '/o/x/y'), ('POST', 'registry.example', '/oauth/token')) AS r (method, host, path);
SELECT member, url FROM pg_temp.advertised() WHERE member IN ('token_endpoint', 'nonce_endpoint', 'credential_endpoint');
SELECT offer_id AS id, helper.percent_decode(split_part(vci_offer_uri(offer_id, 'reference'), '=', 2)) AS link
FROM vci_create_offer('{Card}', claims => '{}', issuer => 'https://endpoints.example') \gset
SELECT regexp_replace(:'link', '[^/]*$', '');
SELECT (pg_temp.ask('GET', regexp_replace(:'link', '^https://[^/]*', ''), 'o.example')).status;
-- Other settings of an endpoint are replaced with it, other endpoints are left alone, null takes back.
SELECT vci_alter_issuer('{"endpoints": {"token": {"enabled": false}}}', 'https://endpoints.example');
SELECT endpoints FROM vci_issuer_info WHERE url = 'https://endpoints.example';
SELECT vci_alter_issuer('{"endpoints": {"token": null, "nonce": {"path": null}}}', 'https://endpoints.example');
SELECT endpoints FROM vci_issuer_info WHERE url = 'https://endpoints.example';
SELECT vci_alter_issuer('{"endpoints": null}', 'https://endpoints.example');
SELECT endpoints FROM vci_issuer_info WHERE url = 'https://endpoints.example';

-- What would not work is refused, and nothing of it stays.
SELECT helper.errors(VARIADIC ARRAY(
    SELECT format($f$SELECT vci_alter_issuer('{"endpoints": %s}', 'https://endpoints.example')$f$, endpoints)
    FROM unnest(ARRAY['[]', '"token"', '{"tokens": {}}', '{"token": 1}', '{"token": {"url": "/x"}}',
        '{"token": {"enabled": "no"}}', '{"token": {"path": 1}}', '{"token": {"path": ""}}',
        '{"token": {"path": "token"}}', '{"token": {"path": "/token/"}}', '{"token": {"path": "/a/../b"}}',
        '{"token": {"path": "/a?b"}}', '{"token": {"path": "/.well-known/x"}}', '{"token": {"path": "/x/did.json"}}',
        '{"token": {"base_url": "http://endpoints.example"}}', '{"token": {"base_url": "https://endpoints.example/"}}',
        '{"token": {"path": "/api/v1/openid4vci/nonce"}}', '{"token": {"path": "/api/v1/openid4vci/offer/token"}}'])
        WITH ORDINALITY AS e (endpoints, n) ORDER BY n));
SELECT endpoints FROM vci_issuer_info WHERE url = 'https://endpoints.example';
-- Nor do two issuers share a URL, unless one has it switched off.
SELECT vci_create_issuer('https://endpoints.example/t') > 0;
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://endpoints.example"}}}', 'https://endpoints.example/t')$$,
    $$SELECT vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://endpoints.example", "path": "/api/v1/openid4vci/offer/x"}}}', 'https://endpoints.example/t')$$,
    $$SELECT vci_alter_issuer('{"endpoints": {"offer": {"path": "/t/api/v1/openid4vci"}}}', 'https://endpoints.example')$$,
    $$SELECT vci_alter_issuer('{"base_path": "/t/api/v1/openid4vci"}', 'https://endpoints.example')$$,
    $$SELECT vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://endpoints.example", "enabled": false}}}', 'https://endpoints.example/t')$$,
    $$SELECT vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://other.example"}}}', 'https://endpoints.example/t')$$);
-- One path on two hosts: each host's own endpoint answers, an unknown host gets neither.
SELECT vci_alter_issuer('{"endpoints": {"nonce": {"base_url": "https://n.example", "path": "/n"}}}', 'https://endpoints.example/t'),
    vci_alter_issuer('{"endpoints": {"jwks": {"path": "/n"}}}', 'https://endpoints.example');
SELECT host, method, (pg_temp.ask(method, '/n', host)).status
FROM unnest('{n.example,endpoints.example,unknown.example}'::text[]) AS host, unnest('{GET,POST}'::text[]) AS method;
SELECT vci_alter_issuer('{"endpoints": null}', 'https://endpoints.example'), vci_retire_issuer('https://endpoints.example/t');

-- Pausing stops what leads to a credential, with a time to come back; the rest goes on.
SELECT offer_id AS id FROM vci_create_offer('{Card}', claims => '{"name": "Ann"}', issuer => 'https://endpoints.example') \gset
SELECT jsonb_build_object('grant_type', 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
    'pre-authorized_code', helper.code(:id)) AS request \gset
SELECT vci_pause_issuance('https://endpoints.example');
SELECT name, a.status, pg_temp.header(a, 'Retry-After') IS NOT NULL AS retry_after,
    CASE WHEN a.status = 503 AND pg_temp.header(a, 'Content-Type') = 'application/json'
         THEN convert_from(a.body, 'UTF8')::jsonb ->> 'error' END
FROM endpoint, LATERAL pg_temp.ask(method, '/api/v1/openid4vci' || leaf) AS a ORDER BY n;
SELECT document, status FROM unnest('{openid-credential-issuer,oauth-authorization-server,jwt-vc-issuer,did.json}'::text[]) AS document,
    LATERAL helper.http('GET', '/.well-known/' || document, '{Host, endpoints.example}');
SELECT vci_request_token(:'request', issuer => 'https://endpoints.example') ->> 'error',
    vci_request_credential('x', '{}', issuer => 'https://endpoints.example') ->> 'error',
    vci_push_authorization('{}', issuer => 'https://endpoints.example') ->> 'error',
    vci_authorize('{}', issuer => 'https://endpoints.example') ->> 'error',
    vci_request_deferred('x', 'x', issuer => 'https://endpoints.example') ->> 'error';
SELECT helper.errors(
    $$SELECT vci_issue_sdjwt('Card', '{}', issuer => 'https://endpoints.example')$$,
    $$SELECT vci_issue_and_record('Card', '{}', issuer => 'https://endpoints.example')$$);
SELECT (vci_create_offer('{Card}', claims => '{}', issuer => 'https://endpoints.example')).offer_id > 0 AS "offers are kept and made";
SELECT ok, detail FROM vci_health() WHERE "check" = 'issuance';
-- Another issuer is not concerned.
SELECT vci_create_issuer('https://endpoints.example/t2') > 0,
    (pg_temp.ask('POST', '/t2/api/v1/openid4vci/token')).status;
SELECT vci_retire_issuer('https://endpoints.example/t2');
-- Nothing was lost: the code that was refused is good when issuance goes on.
SELECT vci_pause_issuance('https://endpoints.example'), vci_resume_issuance('https://endpoints.example'),
    vci_resume_issuance('https://endpoints.example');
SELECT vci_request_token(:'request', issuer => 'https://endpoints.example') ->> 'token_type';
SELECT ok, detail FROM vci_health() WHERE "check" = 'issuance';
-- The switch is a setting, too; each turn is an event, and only a turn.
SELECT vci_alter_issuer('{"issuance_paused": true}', 'https://endpoints.example');
SELECT issuance_paused FROM vci_issuer_info WHERE url = 'https://endpoints.example';
SELECT vci_alter_issuer('{"issuance_paused": null}', 'https://endpoints.example');
SELECT kind FROM vci_event_info WHERE issuer = 'https://endpoints.example' AND kind LIKE 'issuance_%' ORDER BY id;
-- Whose business it is.
SELECT vci_grant('regress_vci_stranger', 'offerer', 'https://endpoints.example');
SET ROLE regress_vci_stranger;
SELECT helper.errors($$SELECT openid4vci.vci_pause_issuance('https://endpoints.example')$$,
    $$SELECT openid4vci.vci_resume_issuance('https://endpoints.example')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'offerer', 'https://endpoints.example');
SELECT helper.errors($$SELECT vci_pause_issuance('https://unknown.example')$$);

-- What writes answers 503 on a read-only server: to people in words, to wallets as JSON.
BEGIN READ ONLY;
SELECT name, a.status, pg_temp.header(a, 'Retry-After') IS NOT NULL AS retry_after, pg_temp.header(a, 'Content-Type')
FROM endpoint, LATERAL pg_temp.ask(method, '/api/v1/openid4vci' || leaf) AS a ORDER BY n;
ROLLBACK;

-- HEAD at a page is GET without its body.
SELECT h.status = g.status, length(h.body), pg_temp.header(h, 'Content-Length')::integer = length(g.body)
FROM pg_temp.ask('HEAD', '/api/v1/openid4vci/consent') AS h, pg_temp.ask('GET', '/api/v1/openid4vci/consent') AS g;

-- The authorization server's metadata follows what works: wallets, refresh tokens, DPoP, scopes.
CREATE FUNCTION pg_temp.server() RETURNS jsonb LANGUAGE sql AS
    $$SELECT body_out FROM helper.http('GET', '/.well-known/oauth-authorization-server', '{Host, endpoints.example}')$$;
SELECT jsonb_pretty(pg_temp.server());
SELECT vci_alter_issuer('{"refresh_token_lifetime": 3600, "dpop": "off"}', 'https://endpoints.example');
SELECT pg_temp.server() -> 'grant_types_supported', pg_temp.server() ? 'dpop_signing_alg_values_supported';
SELECT vci_alter_issuer('{"refresh_token_lifetime": null, "dpop": null, "login_url": null}', 'https://endpoints.example');
SELECT jsonb_object_keys(pg_temp.server());
-- The nonce endpoint also hands out what the next DPoP proof needs, where the issuer asks for it.
SELECT vci_alter_issuer(jsonb_build_object('dpop_nonce', asked), 'https://endpoints.example') IS NULL AS was,
    asked, pg_temp.header(pg_temp.ask('POST', '/api/v1/openid4vci/nonce'), 'DPoP-Nonce') IS NOT NULL AS dpop_nonce
FROM unnest('{true,false}'::boolean[]) AS asked;
-- The built-in page answers for the person, unless it is switched off.
CREATE FUNCTION public.nobody(form jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
SELECT vci_alter_issuer('{"authenticate": "public.nobody"}', 'https://endpoints.example');
SELECT pg_temp.server() ? 'authorization_endpoint';
SELECT vci_alter_issuer('{"endpoints": {"consent": {"enabled": false}}}', 'https://endpoints.example');
SELECT pg_temp.server() ? 'authorization_endpoint';
SELECT vci_alter_issuer('{"endpoints": {"consent": null}, "authenticate": null}', 'https://endpoints.example');
DROP FUNCTION public.nobody;

-- An issuer that trusts other authorization servers names them, and itself first.
SELECT vci_create_authorization_server('https://esignet.example', '{https://endpoints.example}',
    issuer => 'https://endpoints.example') IS NULL;
SELECT body_out -> 'authorization_servers'
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, endpoints.example}');
SELECT vci_alter_issuer('{"endpoints": {"token": {"enabled": false}}}', 'https://endpoints.example');
SELECT body_out -> 'authorization_servers'
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, endpoints.example}');
SELECT vci_drop_authorization_server('https://esignet.example', 'https://endpoints.example'),
    vci_retire_configuration('Card', 'https://endpoints.example'), vci_retire_issuer('https://endpoints.example');

-- OpenSPP's guide: its document, member for member (URL and host aside).
SELECT vci_create_issuer('https://registry.example/guide',
    display => '[{"name": "OpenSPP Social Registry", "locale": "en-US",
                  "logo": {"uri": "https://registry.example/logo.png", "alt_text": "OpenSPP Logo"}}]',
    settings => '{"endpoints": {"nonce": {"enabled": false}, "notification": {"enabled": false}}}') > 0,
    vci_create_key('https://registry.example/guide') IS NOT NULL,
    vci_create_configuration('EntitlementCredential', 'https://registry.example/entitlement', format => 'vc+sd-jwt',
        claims => '[{"path": ["entitlementId"], "mandatory": true, "display": [{"name": "Entitlement ID", "locale": "en-US"}]},
                    {"path": ["amount"], "mandatory": false, "display": [{"name": "Amount", "locale": "en-US"}]}]',
        display => '[{"name": "Entitlement Credential", "locale": "en-US",
                      "logo": {"uri": "https://registry.example/credentials/entitlement.png"},
                      "background_color": "#12107c", "text_color": "#FFFFFF"}]',
        issuer => 'https://registry.example/guide',
        options => '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt", "credential_definition"]}');
SELECT replace(body_out::text, 'https://registry.example/guide', 'https://registry.example')::jsonb = '{
  "credential_issuer": "https://registry.example",
  "credential_endpoint": "https://registry.example/api/v1/openid4vci/credential",
  "batch_credential_endpoint": "https://registry.example/api/v1/openid4vci/batch_credential",
  "deferred_credential_endpoint": "https://registry.example/api/v1/openid4vci/deferred_credential",
  "display": [{"name": "OpenSPP Social Registry", "locale": "en-US",
               "logo": {"uri": "https://registry.example/logo.png", "alt_text": "OpenSPP Logo"}}],
  "credential_configurations_supported": {
    "EntitlementCredential": {
      "format": "vc+sd-jwt",
      "scope": "EntitlementCredential",
      "cryptographic_binding_methods_supported": ["jwk"],
      "cryptographic_suites_supported": ["ES256"],
      "display": [{"name": "Entitlement Credential", "locale": "en-US",
                   "logo": {"uri": "https://registry.example/credentials/entitlement.png"},
                   "background_color": "#12107c", "text_color": "#FFFFFF"}],
      "credential_definition": {
        "type": ["VerifiableCredential", "EntitlementCredential"],
        "credentialSubject": {
          "entitlementId": {"mandatory": true, "display": [{"name": "Entitlement ID", "locale": "en-US"}]},
          "amount": {"mandatory": false, "display": [{"name": "Amount", "locale": "en-US"}]}}}}}}'::jsonb
FROM helper.http('GET', '/.well-known/openid-credential-issuer/guide', '{Host, registry.example}');
-- Its wallet asks by that definition, with the nonce of the token response.
SELECT vci_exchange_code(helper.code(o.offer_id), issuer => 'https://registry.example/guide') AS token
FROM vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "E-1", "amount": 5}',
    issuer => 'https://registry.example/guide') AS o \gset
SELECT status, body ->> 'format', helper.claims(body ->> 'credential')
FROM helper.post_json(:'token'::jsonb ->> 'access_token', jsonb_build_object('format', 'vc+sd-jwt',
    'credential_definition', '{"type": ["VerifiableCredential", "EntitlementCredential"]}'::jsonb,
    'proof', jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(:'token'::jsonb ->> 'c_nonce',
        payload => '{"aud": "https://registry.example/guide"}'))), '/guide/api/v1/openid4vci');
SELECT setting FROM vci_check_issuer('https://registry.example/guide') ORDER BY setting COLLATE "C";
SELECT vci_retire_configuration('EntitlementCredential', 'https://registry.example/guide'),
    vci_retire_issuer('https://registry.example/guide');
-- A host of its own for an endpoint: others' requests are told apart by it, so it takes the duty for all.
DROP ROLE IF EXISTS regress_vci_branch;
CREATE ROLE regress_vci_branch;
SELECT vci_grant('regress_vci_branch', 'issuer_admin', 'https://registry.example');
SET ROLE regress_vci_branch;
SELECT helper.errors(
    $$SELECT openid4vci.vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://127.0.0.1:8180"}}}')$$,
    $$SELECT openid4vci.vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://registry.example/wallets"}}}')$$,
    $$SELECT openid4vci.vci_alter_issuer('{"endpoints": {"token": {"base_url": null}}}')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_branch', 'issuer_admin', 'https://registry.example');
DROP ROLE regress_vci_branch;
SELECT helper.error($$SELECT vci_alter_issuer('{"endpoints": {"token": {"base_url": "https://api.registry.example"}}}',
    'https://registry.example')$$);
-- Later tests count what they spend themselves.
DELETE FROM vci_nonce;
