-- The authorization code at the token endpoint (RFC 6749 section 4.1.3), and offers that have this grant.
\pset format unaligned
\pset tuples_only on

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT vci_create_issuer('https://codes.example', settings => '{"login_url": "https://portal.example/login"}') > 0;
SELECT vci_create_key('https://codes.example') IS NOT NULL;
SELECT vci_create_configuration(id, 'https://codes.example/' || id, binding => 'absent', scope => lower(id),
    issuer => 'https://codes.example') FROM unnest('{Card,Pass}'::text[]) AS id;

-- Without a registered wallet there is no such flow, so no such offer and no such grant.
SELECT helper.errors($$SELECT vci_create_offer('{Card}', claims => '{}', grants => '{authorization_code}',
    issuer => 'https://codes.example')$$);
SELECT vci_request_token('{"grant_type": "authorization_code", "code": "x", "client_id": "wallet", "redirect_uri": "x"}',
    issuer => 'https://codes.example');
SELECT vci_create_client('wallet', '{https://wallet.example/callback}', issuer => 'https://codes.example');
SELECT vci_create_client('other', '{https://other.example/callback}', issuer => 'https://codes.example');

-- Which grants an offer has, its object says.
CREATE FUNCTION pg_temp.offer(grants text[], more text DEFAULT '') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    id bigint;
BEGIN
    EXECUTE 'SELECT offer_id FROM openid4vci.vci_create_offer(''{Card,Pass}'', subject_model => ''person'', '
        'subject_id => ''7'', claims => ''{"name": "Ann"}'', grants => $1, issuer => ''https://codes.example''' || more || ')'
        INTO id USING grants;
    RETURN id;
END
$$;
CREATE FUNCTION pg_temp.object(offer_id bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT helper.percent_decode(split_part(vci_offer_uri(offer_id), '=', 2))::jsonb
$$;
CREATE FUNCTION pg_temp.state(offer_id bigint) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.object(offer_id) #>> '{grants,authorization_code,issuer_state}'
$$;
SELECT grants, regexp_replace((pg_temp.object(pg_temp.offer(grants)) -> 'grants')::text, '"[A-Za-z0-9_-]{40}"', '"..."', 'g')
FROM (VALUES (NULL::text[]), ('{authorization_code}'),
    ('{urn:ietf:params:oauth:grant-type:pre-authorized_code,authorization_code}'),
    ('{authorization_code,urn:ietf:params:oauth:grant-type:pre-authorized_code}')) AS g (grants);
SELECT helper.errors(
    $$SELECT pg_temp.offer('{}')$$,
    $$SELECT pg_temp.offer('{implicit}')$$,
    $$SELECT pg_temp.offer('{authorization_code,authorization_code}')$$,
    $$SELECT pg_temp.offer('{authorization_code}', ', generate_tx_code => true')$$,
    $$SELECT pg_temp.offer('{authorization_code}', ', options => ''{"authorization_server": "https://codes.example"}''')$$);
-- The person who logs in is compared with the offer's subject, so there must be one.
SELECT helper.errors($$SELECT vci_create_offer('{Card}', claims => '{}', grants => '{authorization_code}',
    issuer => 'https://codes.example')$$);
-- authorization_server is for issuers with several, and names one of them.
SAVEPOINT servers;
SELECT vci_create_authorization_server('https://login.example', '{https://codes.example}', issuer => 'https://codes.example');
SELECT server, regexp_replace((pg_temp.object(pg_temp.offer(
        '{urn:ietf:params:oauth:grant-type:pre-authorized_code,authorization_code}',
        CASE WHEN server <> '' THEN format(', options => %L', jsonb_build_object('authorization_server', server)) ELSE '' END))
    -> 'grants')::text, '"[A-Za-z0-9_-]{40}"', '"..."', 'g')
FROM unnest('{https://login.example,https://codes.example,""}'::text[]) AS server;
SELECT helper.errors(
    $$SELECT pg_temp.offer('{authorization_code}', ', options => ''{"authorization_server": "https://evil.example"}''')$$,
    $$SELECT pg_temp.offer('{authorization_code}', ', options => ''{"authorization_server": 7}''')$$,
    $$SELECT pg_temp.offer(NULL, ', options => ''{"authorization_server": "https://login.example"}''')$$);
ROLLBACK TO servers;

-- From the offer to the code: a pushed request, the person's approval, the redirect.
CREATE FUNCTION pg_temp.code(offer_id bigint, more jsonb DEFAULT '{}', dpop text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    pushed jsonb;
    went jsonb;
BEGIN
    pushed := openid4vci.vci_push_authorization(jsonb_strip_nulls('{"response_type": "code", "client_id": "wallet",
        "redirect_uri": "https://wallet.example/callback", "code_challenge_method": "S256",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}'::jsonb
        || CASE WHEN offer_id IS NULL THEN '{"scope": "card pass"}'
                ELSE jsonb_build_object('issuer_state', pg_temp.state(offer_id)) END
        || more), dpop, 'https://codes.example');
    went := openid4vci.vci_authorize(jsonb_build_object('client_id', COALESCE(more ->> 'client_id', 'wallet'),
        'request_uri', pushed ->> 'request_uri'), 'https://codes.example');
    RETURN substring(openid4vci.vci_authorize_approve(split_part(went ->> 'location', 'request=', 2), 'person', '7',
        CASE WHEN offer_id IS NULL THEN '{"name": "Ann"}'::jsonb END, issuer => 'https://codes.example')
        FROM 'code=([A-Za-z0-9_-]+)');
END
$$;
-- The right token request, with changes; null takes away.
CREATE FUNCTION pg_temp.exchange(code text, changes jsonb DEFAULT '{}', dpop text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT openid4vci.vci_request_token(jsonb_strip_nulls(jsonb_build_object('grant_type', 'authorization_code', 'code', code,
        'client_id', 'wallet', 'redirect_uri', 'https://wallet.example/callback',
        'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk') || changes), dpop, 'https://codes.example')
$$;
CREATE FUNCTION pg_temp.issue(token text, request jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN answer ? 'credentials' THEN 'issued' ELSE answer ->> 'error' END
    FROM openid4vci.vci_request_credential(token, request, issuer => 'https://codes.example') AS answer
$$;
SELECT COALESCE(max(id), 0) AS start FROM vci_event \gset
SELECT pg_temp.offer('{authorization_code}') AS id \gset
SELECT pg_temp.code(:id) AS code \gset

-- Whoever is not the one that asked gets nothing, and changes nothing.
SELECT what, pg_temp.exchange(:'code', changes) FROM (VALUES
    ('no client', '{"client_id": null}'::jsonb), ('unknown client', '{"client_id": "nobody"}'),
    ('another client', '{"client_id": "other"}'), ('no redirect_uri', '{"redirect_uri": null}'),
    ('another redirect_uri', '{"redirect_uri": "https://wallet.example/callback/"}'),
    ('no verifier', '{"code_verifier": null}'), ('short verifier', '{"code_verifier": "short"}'),
    ('another verifier', '{"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx"}'),
    ('forged code', '{"code": "AAAA"}'),
    ('a code of another kind', jsonb_build_object('code', helper.code(pg_temp.offer(NULL)))),
    ('a configuration that was not offered', '{"authorization_details": [{"type": "openid_credential",
        "credential_configuration_id": "Other"}]}')) AS w (what, changes);
SELECT state FROM vci_authorization_info WHERE offer_id = :id;
SELECT state FROM vci_offer_info WHERE id = :id;
-- The right request. OpenSPP's guide has a c_nonce here too.
SELECT pg_temp.exchange(:'code') AS answer \gset
SELECT helper.hide(:'answer');
SELECT state FROM vci_authorization_info WHERE offer_id = :id;
SELECT state FROM vci_offer_info WHERE id = :id;
SELECT client_id, configuration_ids, identifiers, jkt FROM vci_token WHERE offer_id = :id;
SELECT pg_temp.issue(:'answer'::jsonb ->> 'access_token', '{"credential_configuration_id": "Card"}');
-- The code again, by somebody who lacks the verifier: nothing happens.
SELECT what, pg_temp.exchange(:'code', changes) ->> 'error' FROM (VALUES
    ('another client', '{"client_id": "other"}'::jsonb), ('no verifier', '{"code_verifier": null}'),
    ('another redirect_uri', '{"redirect_uri": "https://other.example/callback"}')) AS w (what, changes);
SAVEPOINT before_replay;
SELECT pg_temp.issue(:'answer'::jsonb ->> 'access_token', '{"credential_configuration_id": "Pass"}');
ROLLBACK TO before_replay;
-- By the wallet itself: somebody has its code, so what it gave is revoked.
SELECT pg_temp.exchange(:'code');
SELECT pg_temp.issue(:'answer'::jsonb ->> 'access_token', '{"credential_configuration_id": "Pass"}');
SELECT pg_temp.exchange(:'code') ->> 'error' AS again;
SELECT kind, offer_id = :id AS offer, authorization_id IS NOT NULL AS "authorization", token_id IS NOT NULL AS token
FROM vci_event WHERE id > :start AND (offer_id = :id OR kind LIKE 'authorization%') ORDER BY id;

-- The grants of one offer exclude each other: the first one redeems it.
SELECT pg_temp.offer('{urn:ietf:params:oauth:grant-type:pre-authorized_code,authorization_code}') AS id \gset
SELECT pg_temp.code(:id) AS code, helper.code(:id) AS pre_authorized \gset
SAVEPOINT open_to_both;
SELECT pg_temp.exchange(:'code') ? 'access_token';
SELECT vci_exchange_code(:'pre_authorized', issuer => 'https://codes.example');
ROLLBACK TO open_to_both;
SELECT vci_exchange_code(:'pre_authorized', issuer => 'https://codes.example') ? 'access_token';
SELECT pg_temp.exchange(:'code');
-- That was no replay: the token lives.
SELECT o.generation = t.offer_generation FROM vci_offer AS o JOIN vci_token AS t ON t.offer_id = o.id WHERE o.id = :id;
-- An offer without the pre-authorized grant has no such code, though one can be computed for its row.
SELECT helper.code(pg_temp.offer('{authorization_code}')) IS NULL;

-- What ends a code: cancelling, a new link, time.
SELECT pg_temp.offer('{authorization_code}') AS id \gset
SELECT pg_temp.code(:id) AS code \gset
SAVEPOINT fresh;
SELECT vci_cancel_offer(:id);
SELECT pg_temp.exchange(:'code');
ROLLBACK TO fresh;
SELECT vci_rotate_code(:id) IS NOT NULL;
SELECT pg_temp.exchange(:'code');
ROLLBACK TO fresh;
UPDATE vci_authorization SET code_expires_at = clock_timestamp() WHERE offer_id = :id;
SELECT pg_temp.exchange(:'code');
ROLLBACK TO fresh;
SELECT vci_retire_client('wallet', 'https://codes.example');
SELECT pg_temp.exchange(:'code');
ROLLBACK TO fresh;
SELECT vci_pause_issuance('https://codes.example');
SELECT pg_temp.exchange(:'code');
SELECT vci_resume_issuance('https://codes.example');
SELECT pg_temp.exchange(:'code') ? 'access_token';
-- Replayed after the offer was reopened: the code has nothing to do with the new link.
SELECT vci_reopen_offer(:id) IS NOT NULL;
SELECT pg_temp.exchange(:'code') ->> 'error';
SELECT state FROM vci_offer_info WHERE id = :id;
SELECT count(*) FROM vci_event WHERE offer_id = :id AND kind = 'code_replayed';

-- The token request may narrow what was authorized; what is granted has identifiers then.
SELECT pg_temp.code(pg_temp.offer('{authorization_code}')) AS code \gset
SELECT helper.hide(pg_temp.exchange(:'code', '{"authorization_details": [{"type": "openid_credential",
    "credential_configuration_id": "Pass", "locations": ["https://codes.example"]}]}'));
SELECT pg_temp.code(pg_temp.offer('{authorization_code}'), '{"authorization_details": [{"type": "openid_credential",
    "credential_configuration_id": "Card"}]}') AS code \gset
SELECT pg_temp.exchange(:'code', '{"authorization_details": [{"type": "openid_credential",
    "credential_configuration_id": "Pass"}]}') ->> 'error';
SELECT pg_temp.exchange(:'code', '{"authorization_details": [{"type": "openid_credential",
    "credential_configuration_id": "Card", "locations": ["https://other.example"]}]}') ->> 'error_description';
SELECT helper.hide(pg_temp.exchange(:'code')) AS "asked for at the authorization endpoint";

-- A request that no offer began gets an offer of its own.
SELECT pg_temp.code(NULL) AS code \gset
SELECT pg_temp.exchange(:'code') AS answer \gset
SELECT helper.hide(:'answer');
SELECT pg_temp.issue(:'answer'::jsonb ->> 'access_token', '{"credential_configuration_id": "Card"}');
SELECT state, grants, configuration_ids, subject_model, subject_id, client_id
FROM vci_offer_info WHERE id = (SELECT max(offer_id) FROM vci_authorization);

-- A client that needs no PKCE; and a verifier nobody announced is a downgrade (RFC 9700 section 4.8.2).
SELECT vci_alter_client('wallet', '{"pkce_required": false}', 'https://codes.example');
SELECT pg_temp.code(pg_temp.offer('{authorization_code}'), '{"code_challenge": null, "code_challenge_method": null}') AS code \gset
SELECT pg_temp.exchange(:'code') ->> 'error_description';
SELECT pg_temp.exchange(:'code', '{"code_verifier": null}') ? 'access_token';
SELECT vci_alter_client('wallet', '{"pkce_required": true}', 'https://codes.example');

-- A code that is bound to a DPoP key (RFC 9449 section 10).
CREATE FUNCTION pg_temp.dpop(jti text, key_name text DEFAULT 'first') RETURNS text LANGUAGE sql AS $$
    SELECT wallet.dpop('/token', NULL, key_name,
        jsonb_build_object('jti', jti, 'htu', 'https://codes.example/api/v1/openid4vci/token'))
$$;
SELECT helper.base64url(sha256(convert_to(format('{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}', jwk ->> 'x', jwk ->> 'y'),
    'UTF8'))) AS jkt FROM wallet.public_jwk() AS jwk \gset
SELECT pg_temp.code(pg_temp.offer('{authorization_code}'), jsonb_build_object('dpop_jkt', :'jkt')) AS code \gset
SELECT pg_temp.exchange(:'code');
SELECT pg_temp.exchange(:'code', dpop => pg_temp.dpop('1', 'second'));
SELECT helper.hide(pg_temp.exchange(:'code', dpop => pg_temp.dpop('2')));
SELECT jkt = :'jkt' FROM vci_token ORDER BY id DESC LIMIT 1;
-- A forged code spends no proof.
SELECT pg_temp.exchange('AAAA', dpop => pg_temp.dpop('3')) ->> 'error';
SELECT pg_temp.code(pg_temp.offer('{authorization_code}')) AS code \gset
SELECT pg_temp.exchange(:'code', '{"client_id": "nobody"}', pg_temp.dpop('3')) ->> 'error';
SELECT pg_temp.exchange(:'code', dpop => pg_temp.dpop('3')) ->> 'token_type';

-- A code of one issuer is nothing at another one.
SELECT pg_temp.code(pg_temp.offer('{authorization_code}')) AS code \gset
SELECT vci_create_issuer('https://elsewhere.example', settings => '{"login_url": "https://portal.example/login"}') > 0;
SELECT vci_create_key('https://elsewhere.example') IS NOT NULL;
SELECT vci_create_client('wallet', '{https://wallet.example/callback}', issuer => 'https://elsewhere.example');
SELECT vci_request_token(jsonb_build_object('grant_type', 'authorization_code', 'code', :'code', 'client_id', 'wallet',
    'redirect_uri', 'https://wallet.example/callback', 'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
    issuer => 'https://elsewhere.example');
-- What is no request at all.
SELECT helper.errors(
    $$SELECT vci_request_token('[]', issuer => 'https://codes.example')$$,
    $$SELECT vci_request_token(NULL, issuer => 'https://codes.example')$$,
    $$SELECT vci_request_token('{}', issuer => 'https://unknown.example')$$);
SELECT vci_request_token('{}', issuer => 'https://codes.example');
ROLLBACK;
