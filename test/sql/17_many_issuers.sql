-- Many issuers in one database: what one gave out opens nothing of another, not even of one
-- on the same host with the same wallets and configurations.
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer(url, display => jsonb_build_array(jsonb_build_object('name', name)),
        settings => '{"refresh_token_lifetime": 3600, "login_url": "https://portal.example/login"}') > 0,
    vci_create_key(url) IS NOT NULL,
    vci_create_configuration('Bound', 'https://many.example/bound', issuer => url),
    vci_create_configuration('Slow', 'https://many.example/slow', binding => 'absent', issuer => url,
        options => '{"deferred": true, "older": []}'),
    vci_create_client('wallet.example', '{https://wallet.example/callback}', issuer => url)
FROM (VALUES ('https://many.example/a', 'Ministry A'), ('https://many.example/b', 'Ministry B')) AS i (url, name);

-- Each has documents of its own, under each of the well-known rules.
SELECT target, status, COALESCE(body_out ->> 'credential_issuer', body_out ->> 'issuer', body_out ->> 'id')
FROM unnest('{a,b}'::text[]) AS tenant,
    LATERAL unnest(ARRAY['/.well-known/openid-credential-issuer/' || tenant,
        '/.well-known/oauth-authorization-server/' || tenant, '/.well-known/jwt-vc-issuer/' || tenant,
        '/' || tenant || '/did.json']) AS target,
    LATERAL helper.http('GET', target, '{Host, many.example}');
SELECT body_out #>> '{display,0,name}', body_out ->> 'credential_endpoint', body_out ->> 'deferred_credential_endpoint'
FROM unnest('{a,b}'::text[]) AS tenant,
    LATERAL helper.http('GET', '/.well-known/openid-credential-issuer/' || tenant, '{Host, many.example}');
SELECT count(DISTINCT body_out #>> '{keys,0,kid}') AS "two keys" FROM unnest('{a,b}'::text[]) AS tenant,
    LATERAL helper.http('GET', '/' || tenant || '/api/v1/openid4vci/jwks', '{Host, many.example}');
-- The authority alone, which is no issuer, has none.
SELECT target, status FROM unnest('{/.well-known/openid-credential-issuer,/.well-known/did.json,/did.json,/api/v1/openid4vci/jwks}'::text[]) AS target,
    LATERAL helper.http('GET', target, '{Host, many.example}');

-- A pre-authorized code; each refusal is followed by what shows that nothing else was wrong.
SELECT offer_id AS card_a FROM vci_create_offer('{Bound,Slow}', claims => '{"name": "Ann"}',
    issuer => 'https://many.example/a') \gset
SELECT offer_id AS card_b FROM vci_create_offer('{Bound,Slow}', claims => '{"name": "Ben"}',
    issuer => 'https://many.example/b') \gset
SELECT jsonb_build_object('grant_type', 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
    'pre-authorized_code', helper.code(:card_a)) AS code_a \gset
SELECT vci_request_token(:'code_a', issuer => 'https://many.example/b') ->> 'error';
SELECT t ->> 'access_token' AS token_a, t ->> 'refresh_token' AS refresh_a
FROM vci_request_token(:'code_a', issuer => 'https://many.example/a') AS t \gset
SELECT t ->> 'access_token' AS token_b FROM vci_request_token(jsonb_build_object(
    'grant_type', 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
    'pre-authorized_code', helper.code(:card_b)), issuer => 'https://many.example/b') AS t \gset
SELECT length(:'token_a') > 30, length(:'refresh_a') > 30, length(:'token_b') > 30;

-- The link by reference.
SELECT regexp_replace(helper.percent_decode(split_part(vci_offer_uri(:card_a, 'reference'), '=', 2)),
    '^https://many\.example/a', '') AS link_a \gset
SELECT tenant, status FROM unnest('{b,a}'::text[]) AS tenant,
    LATERAL helper.http('GET', '/' || tenant || :'link_a', '{Host, many.example}');

-- The access token, at each endpoint that takes one.
SELECT tenant, leaf, status, headers_out ->> 'WWW-Authenticate' ~ 'error="invalid_token"' AS invalid_token
FROM unnest('{b,a}'::text[]) AS tenant,
    unnest('{credential,batch_credential,deferred_credential,notification}'::text[]) AS leaf,
    LATERAL helper.http('POST', '/' || tenant || '/api/v1/openid4vci/' || leaf,
        ARRAY['Host', 'many.example', 'Content-Type', 'application/json', 'Authorization', 'Bearer ' || :'token_a'],
        '{}') ORDER BY leaf, tenant DESC;

-- A c_nonce, and a proof for another audience.
SELECT tenant, helper.hide(vci_request_credential(:'token_a', jsonb_build_object('credential_configuration_id', 'Bound',
    'proofs', jsonb_build_object('jwt', jsonb_build_array(wallet.proof(vci_create_nonce('https://many.example/' || tenant),
        payload => '{"aud": "https://many.example/a"}')))), issuer => 'https://many.example/a')) - 'notification_id'
    - 'error_description'
FROM unnest('{b}'::text[]) AS tenant;
SELECT vci_request_credential(:'token_a', jsonb_build_object('credential_configuration_id', 'Bound',
    'proofs', jsonb_build_object('jwt', jsonb_build_array(wallet.proof(vci_create_nonce('https://many.example/a'),
        payload => '{"aud": "https://many.example/b"}')))), issuer => 'https://many.example/a') ->> 'error';
SELECT r ->> 'notification_id' AS notification_a, helper.claims(r #>> '{credentials,0,credential}') AS claims
FROM vci_request_credential(:'token_a', jsonb_build_object('credential_configuration_id', 'Bound',
    'proofs', jsonb_build_object('jwt', jsonb_build_array(wallet.proof(vci_create_nonce('https://many.example/a'),
        payload => '{"aud": "https://many.example/a"}')))), issuer => 'https://many.example/a') AS r \gset
SELECT :'claims';

-- A notification_id, also under a good token of the other.
SELECT vci_record_notification(:'token_b', :'notification_a', 'credential_accepted',
    issuer => 'https://many.example/b') ->> 'error';
SELECT vci_record_notification(:'token_a', :'notification_a', 'credential_accepted',
    issuer => 'https://many.example/a') ->> 'error';
SELECT issuer, notification FROM vci_credential_info WHERE issuer LIKE 'https://many.example/_' ORDER BY 1;

-- A transaction_id.
SELECT vci_request_credential(:'token_a', '{"credential_configuration_id": "Slow"}',
    issuer => 'https://many.example/a') ->> 'transaction_id' AS transaction_a \gset
SELECT vci_request_deferred(:'token_b', :'transaction_a', issuer => 'https://many.example/b') ->> 'error';
SELECT vci_request_deferred(:'token_a', :'transaction_a', issuer => 'https://many.example/b') ->> 'error';
SELECT vci_request_deferred(:'token_a', :'transaction_a', issuer => 'https://many.example/a') - 'transaction_id';

-- A refresh token.
SELECT jsonb_build_object('grant_type', 'refresh_token', 'refresh_token', :'refresh_a') AS refresh \gset
SELECT vci_request_token(:'refresh', issuer => 'https://many.example/b') ->> 'error';
SELECT vci_request_token(:'refresh', issuer => 'https://many.example/a') ->> 'token_type';

-- A request_uri, the request id that the login page gets, and the authorization code.
SELECT '{"response_type": "code", "client_id": "wallet.example", "redirect_uri": "https://wallet.example/callback",
    "scope": "Bound", "state": "s", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256"}'::jsonb AS request \gset
SELECT vci_push_authorization(:'request', issuer => 'https://many.example/a') ->> 'request_uri' AS request_uri \gset
SELECT jsonb_build_object('client_id', 'wallet.example', 'request_uri', :'request_uri') AS pushed \gset
SELECT vci_authorize(:'pushed', issuer => 'https://many.example/b') ->> 'error';
SELECT split_part(vci_authorize(:'pushed', issuer => 'https://many.example/a') ->> 'location', '?request=', 2) AS login_a \gset
SELECT helper.errors(
    format($$SELECT vci_authorization_request(%L, issuer => 'https://many.example/b')$$, :'login_a'),
    format($$SELECT vci_authorize_approve(%L, 'm', '1', '{}', issuer => 'https://many.example/b')$$, :'login_a'),
    format($$SELECT vci_authorize_deny(%L, issuer => 'https://many.example/b')$$, :'login_a'));
SELECT vci_authorization_request(:'login_a') ->> 'client_id';
SELECT regexp_replace(vci_authorize_approve(:'login_a', 'm', '1', '{"name": "Cem"}'), '.*[?&]code=([^&]*).*', '\1') AS code \gset
SELECT jsonb_build_object('grant_type', 'authorization_code', 'code', :'code', 'client_id', 'wallet.example',
    'redirect_uri', 'https://wallet.example/callback',
    'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk') AS exchange \gset
SELECT vci_request_token(:'exchange', issuer => 'https://many.example/b') ->> 'error';
SELECT vci_request_token(:'exchange', issuer => 'https://many.example/a') ->> 'token_type';

-- An issuer_state.
SELECT offer_id AS pull_a, credential_offer #>> '{grants,authorization_code,issuer_state}' AS state_a
FROM vci_create_offer('{Bound}', claims => '{}', subject_model => 'm', subject_id => '1', grants => '{authorization_code}',
    issuer => 'https://many.example/a') \gset
SELECT tenant, substring(vci_authorize(:'request'::jsonb || jsonb_build_object('issuer_state', :'state_a'),
    issuer => 'https://many.example/' || tenant) ->> 'location' FROM '^https://portal.example/login\?request=|error=[^&]*')
FROM unnest('{b,a}'::text[]) AS tenant;

-- Duties of one reach nothing of the other: for that role its endpoints do not exist.
SELECT id AS deferred_a FROM vci_deferred_info WHERE issuer = 'https://many.example/a' \gset
SELECT vci_grant('regress_vci_stranger', 'endpoint', 'https://many.example/b'),
    vci_grant('regress_vci_stranger', 'offerer', 'https://many.example/b');
SET ROLE regress_vci_stranger;
SELECT tenant, status FROM unnest('{b,a}'::text[]) AS tenant, LATERAL openid4vci.vci_http('POST',
    '/' || tenant || '/api/v1/openid4vci/nonce', '{Host, many.example}');
SELECT helper.errors(
    format('SELECT openid4vci.vci_request_token(%L, issuer => %L)', :'code_a', 'https://many.example/a'),
    format('SELECT openid4vci.vci_request_credential(%L, %L, issuer => %L)', :'token_a', '{}', 'https://many.example/a'),
    format('SELECT openid4vci.vci_authorization_request(%L)', :'login_a'));
SELECT replace(helper.error('SELECT openid4vci.vci_deferred_complete(' || :deferred_a || ')'), :'deferred_a', '(id)');
SELECT DISTINCT issuer FROM openid4vci.vci_event_info;
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'endpoint', 'https://many.example/b'),
    vci_revoke('regress_vci_stranger', 'offerer', 'https://many.example/b');

SELECT count(vci_retire_configuration(id, issuer)) FROM vci_configuration_info WHERE issuer ~ '^https://many.example/';
-- Retiring one leaves the other as it was.
SELECT vci_retire_issuer('https://many.example/a');
SELECT tenant, status FROM unnest('{a,b}'::text[]) AS tenant,
    LATERAL helper.http('POST', '/' || tenant || '/api/v1/openid4vci/nonce', '{Host, many.example}');
SELECT vci_retire_issuer('https://many.example/b');
-- Later tests count what they spend themselves.
DELETE FROM vci_nonce;
