-- vci_http: the published documents, caching, CORS, methods, and which issuer a Host and path mean.
\pset format unaligned
\pset tuples_only on

-- Credential issuer metadata (OpenID4VCI 1.0 section 12.2.4).
SELECT status, headers_out - 'ETag', headers_out ->> 'ETag' ~ '^"[A-Za-z0-9_-]{22}"$'
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}');
SELECT body_out - 'credential_configurations_supported'
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}');
SELECT key, jsonb_pretty(value)
    FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}'),
    jsonb_each(body_out -> 'credential_configurations_supported')
    WHERE key IN ('EntitlementCredential', 'Membership');
-- Libraries refuse vct beside credential_definition.
SELECT bool_or(value ? 'credential_definition'), bool_and(value ? 'vct'),
    bool_and(value ? 'credential_metadata')
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}'),
    jsonb_each(body_out -> 'credential_configurations_supported');
-- Nothing that is off is advertised; a larger batch_size is.
SELECT body_out ?| '{batch_credential_issuance,credential_response_encryption,authorization_servers}'
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}');
SELECT vci_alter_issuer('{"batch_size": 4}');
SELECT body_out -> 'batch_credential_issuance'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}');
SELECT vci_alter_issuer('{"batch_size": null}');
-- Without the switch "metadata" nothing of the drafts; binding methods only where binding is required.
SELECT vci_alter_configuration('EntitlementCredential',
    '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt"]}');
SELECT jsonb_object_keys(body_out #> '{credential_configurations_supported,EntitlementCredential}')
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}');
SELECT vci_alter_configuration('EntitlementCredential',
    '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt", "metadata"]}');

-- Authorization server metadata (RFC 8414) says what is true, and no more.
SELECT status, headers_out ->> 'Cache-Control', jsonb_pretty(body_out)
FROM helper.http('GET', '/.well-known/oauth-authorization-server', '{Host, registry.example}');

-- Keys: JWT VC issuer metadata, JWKS and the DID document name the same ones.
SELECT status, body_out ->> 'issuer', jsonb_array_length(body_out #> '{jwks,keys}')
FROM helper.http('GET', '/.well-known/jwt-vc-issuer', '{Host, registry.example}');
SELECT j.body_out -> 'keys' = v.body_out #> '{jwks,keys}'
FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, registry.example}') AS j,
    helper.http('GET', '/.well-known/jwt-vc-issuer', '{Host, registry.example}') AS v;
SELECT status, body_out - 'verificationMethod' - 'assertionMethod', method ->> 'controller',
    method ->> 'type',
       method ->> 'id' = 'did:web:registry.example#' || (method #>> '{publicKeyJwk,kid}'),
       body_out -> 'assertionMethod' ? (method ->> 'id')
FROM helper.http('GET', '/.well-known/did.json', '{Host, registry.example}'),
    jsonb_array_elements(body_out -> 'verificationMethod') AS method;
-- iss is the issuer URL; did:web by choice.
SELECT helper.jwt_part(vci_issue_sdjwt('Membership', '{}'), 2) ->> 'iss';
SELECT vci_alter_issuer('{"iss_did_web": true}');
SELECT helper.jwt_part(vci_issue_sdjwt('Membership', '{}'), 2) ->> 'iss',
    helper.claims(vci_issue_sdjwt('Membership', '{"a": 1}'));
SELECT vci_alter_issuer('{"iss_did_web": false}');

-- Who asks again with the ETag gets 304 and no body.
SELECT headers_out ->> 'ETag' AS etag
    FROM helper.http('GET', '/.well-known/openid-credential-issuer',
    '{Host, registry.example}') \gset
SELECT replace(value, :'etag', '(etag)'), status, body_out IS NULL, headers_out ? 'ETag',
    headers_out ? 'Access-Control-Allow-Origin'
FROM unnest(ARRAY[:'etag', 'W/' || :'etag', '"other", ' || :'etag', '*', '"other"', 'unquoted',
    '']) AS value,
    LATERAL helper.http('GET', '/.well-known/openid-credential-issuer',
    ARRAY['Host', 'registry.example', 'If-None-Match', value]);
SELECT vci_alter_configuration('Membership', '{"display": [{"name": "Member"}]}');
SELECT status, headers_out ->> 'ETag' <> :'etag'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer',
    ARRAY['Host', 'registry.example', 'If-None-Match', :'etag']);
SELECT vci_alter_configuration('Membership', '{"display": null}');

-- HEAD is GET without its body; OPTIONS answers a browser's preflight; other methods are 405.
SELECT h.status, h.headers_out - 'Content-Length' = g.headers_out, h.body_out IS NULL,
    (h.headers_out ->> 'Content-Length')::integer = (SELECT length(body) FROM vci_http('GET',
        '/.well-known/openid-credential-issuer', '{Host, registry.example}'))
FROM helper.http('HEAD', '/.well-known/openid-credential-issuer', '{Host, registry.example}') AS h,
    helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}') AS g;
SELECT target, status, headers_out, body_out
    FROM unnest('{/.well-known/openid-credential-issuer,/api/v1/openid4vci/token,/api/v1/openid4vci/credential,/api/v1/openid4vci/nonce}'::text[]) AS target,
    LATERAL helper.http('OPTIONS', target,
    '{Host, registry.example, Origin, https://wallet.example, Access-Control-Request-Method, POST}');
SELECT method, target, status, headers_out ->> 'Allow', headers_out ? 'Access-Control-Allow-Origin',
    body_out ->> 'error'
FROM (VALUES ('GET', '/api/v1/openid4vci/token'), ('HEAD', '/api/v1/openid4vci/token'),
    ('PUT', '/api/v1/openid4vci/credential'), ('GET', '/api/v1/openid4vci/nonce'),
    ('DELETE', '/api/v1/openid4vci/jwks'), ('POST', '/.well-known/openid-credential-issuer'),
    ('get', '/api/v1/openid4vci/jwks'), ('', '/api/v1/openid4vci/jwks'),
    ('OST', '/api/v1/openid4vci/token'), ('POST,', '/api/v1/openid4vci/token'),
    (',', '/api/v1/openid4vci/token'), ('TRACE', '/.well-known/did.json'),
    (repeat('G', 100), '/.well-known/did.json')) AS m (method, target),
    LATERAL helper.http(method, target, '{Host, registry.example}');

-- What is not there.
SELECT target, status, body_out, headers_out ->> 'Cache-Control'
    FROM unnest(ARRAY['/', '/unknown', '/api/v1/openid4vci', '/api/v1/openid4vci/',
    '/api/v1/openid4vci/token/',
    '/api/v1/openid4vci/TOKEN', '/api/v1/openid4vci/offer/', '/api/v1/openid4vci/offer/x/y',
    '/token', '/.well-known/', '/.well-known/openid-credential-issuer/',
    '/.well-known/openid-credential-issuer/other', '/.well-known/openid-configuration',
    '/api/v1/openid4vci/introspect', '/api/v1/openid4vci/offers',
    '/did.json']) AS target, LATERAL helper.http('GET', target, '{Host, registry.example}');
-- A query and percent-encoded letters are no other path.
SELECT target, status FROM unnest(ARRAY['/.well-known/openid-credential-issuer?x=1',
    '/.well-known/openid%2Dcredential-issuer', '/%2ewell-known/openid-credential-issuer',
    '/api/v1/openid4vci/jwks?']) AS target,
    LATERAL helper.http('GET', target, '{Host, registry.example}');

-- A second issuer below a path of the same host, and a third with the same path on another host.
SELECT vci_create_issuer('https://registry.example/tenant') > 0,
    vci_create_issuer('https://other.example:8443') > 0;
SELECT vci_create_key(url) IS NOT NULL
    FROM unnest('{https://registry.example/tenant,https://other.example:8443}'::text[]) AS url;
-- The well-known segment stands between host and path (section 12.2.2), and behind the path for older wallets.
SELECT target, status, COALESCE(body_out ->> 'credential_issuer', body_out ->> 'issuer',
    body_out ->> 'id') FROM unnest(ARRAY['/.well-known/openid-credential-issuer',
    '/.well-known/openid-credential-issuer/tenant',
    '/tenant/.well-known/openid-credential-issuer',
    '/.well-known/oauth-authorization-server/tenant',
    '/tenant/.well-known/oauth-authorization-server',
    '/.well-known/jwt-vc-issuer/tenant', '/tenant/.well-known/jwt-vc-issuer', '/tenant/did.json',
    '/tenant/.well-known/did.json', '/.well-known/did.json/tenant',
    '/.well-known/did.json', '/.well-known/openid-credential-issuertenant',
    '/.well-known/openid-credential-issuer/tenant/']) AS target,
    LATERAL helper.http('GET', target, '{Host, registry.example}');
SELECT body_out ->> 'credential_endpoint', body_out ->> 'nonce_endpoint'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer/tenant',
    '{Host, registry.example}');
SELECT target, status FROM unnest('{/tenant/api/v1/openid4vci/nonce,/api/v1/openid4vci/tenant/nonce,/api/v1/openid4vci/nonce}'::text[]) AS target,
    LATERAL helper.http('POST', target, '{Host, registry.example}');
-- Host selects by exact match, with the port but the scheme's own; any case.
SELECT host, status, body_out ->> 'credential_issuer'
    FROM unnest(ARRAY['registry.example', 'REGISTRY.example', 'other.example:8443', 'other.example',
    'registry.example:443', 'registry.example:8443',
    'unknown.example', 'registry.example.', '', 'registry.example, other.example:8443']) AS host,
    LATERAL helper.http('GET', '/.well-known/openid-credential-issuer', ARRAY['Host', host]);
-- Who names the host of one issuer gets nothing of another, though it is there.
SELECT status FROM helper.http('GET', '/tenant/did.json', '{Host, other.example:8443}');
-- Without a Host, or with two, only a clear path is served.
SELECT status, body_out ->> 'credential_issuer'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer');
SELECT status, body_out ->> 'credential_issuer'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer/tenant');
SELECT status FROM helper.http('GET', '/.well-known/openid-credential-issuer',
    '{Host, registry.example, Host, other.example:8443}');
SELECT status FROM helper.http('POST', '/api/v1/openid4vci/nonce', '{Host, anything.example}');
SELECT vci_alter_issuer('{"base_path": "/vci"}', 'https://other.example:8443');
SELECT target, status FROM unnest('{/vci/nonce,/api/v1/openid4vci/nonce}'::text[]) AS target,
    LATERAL helper.http('POST', target, '{Host, anything.example}');
-- What is published names the issuer's settings, never the Host of the request.
SELECT body_out::text ~ 'evil'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer/tenant',
    '{Host, evil.example, X-Forwarded-Host, evil.example}');
-- Codes and nonces of one issuer are none of another's.
SELECT offer_id AS id FROM vci_create_offer('{Membership}', claims => '{}',
    issuer => 'https://registry.example') \gset
SELECT helper.code(:id) AS code, vci_offer_uri(:id, 'reference') AS link \gset
SELECT status, body FROM helper.post_form(helper.form(:'code'), '/tenant/api/v1/openid4vci');
SELECT vci_exchange_code(:'code', issuer => 'https://other.example:8443');
SELECT status FROM helper.http('GET', '/tenant'
    || regexp_replace(helper.percent_decode(split_part(:'link', '=', 2)), '^https://[^/]*', ''),
    '{Host, registry.example}');
SELECT status FROM helper.http('GET',
    regexp_replace(helper.percent_decode(split_part(:'link', '=', 2)), '^https://[^/]*', ''),
    '{Host, registry.example}');
SELECT vci_exchange_code(:'code',
    issuer => 'https://registry.example') ->> 'access_token' AS token \gset
SELECT status, body, headers ->> 'WWW-Authenticate'
    FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}',
    '/tenant/api/v1/openid4vci');
-- An empty base path.
SELECT vci_alter_issuer('{"base_path": ""}', 'https://other.example:8443');
SELECT status FROM helper.http('POST', '/nonce', '{Host, other.example:8443}');
SELECT body_out ->> 'nonce_endpoint'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, other.example:8443}');
-- Retired issuers are gone.
SELECT vci_retire_issuer(url) FROM unnest('{https://registry.example/tenant,https://other.example:8443}'::text[]) AS url;
SELECT status FROM helper.http('GET', '/.well-known/openid-credential-issuer/tenant',
    '{Host, registry.example}');
SELECT status, body_out ->> 'credential_issuer'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, other.example:8443}');

-- Documents are served where nothing can be written.
BEGIN READ ONLY;
SELECT target, status FROM unnest('{/.well-known/openid-credential-issuer,/.well-known/oauth-authorization-server,/.well-known/jwt-vc-issuer,/.well-known/did.json,/api/v1/openid4vci/jwks}'::text[]) AS target,
    LATERAL helper.http('GET', target, '{Host, registry.example}');
SELECT status, helper.hide(body_out)
    FROM helper.http('POST', '/api/v1/openid4vci/nonce', '{Host, registry.example}');
SELECT status, headers, body FROM helper.post_form(helper.form('x'));
SELECT status, headers ->> 'Retry-After', body FROM helper.post_json('x', '{}');
ROLLBACK;

-- A session keeps documents as it has printed them, but not beyond a published key's time.
BEGIN;
CREATE FUNCTION helper.published_keys() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s keys in JWKS, %s in the DID document', jsonb_array_length(j.body_out -> 'keys'),
        jsonb_array_length(d.body_out -> 'verificationMethod'))
    FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, registry.example}') AS j,
        helper.http('GET', '/.well-known/did.json', '{Host, registry.example}') AS d
$$;
SELECT helper.published_keys();
INSERT INTO vci_key (issuer_id, kid, alg, state, public_jwk, private_key, root_key_id, published_until)
    SELECT issuer_id, 'over soon', alg, 'retired', public_jwk, private_key, root_key_id,
        clock_timestamp() + interval '2 seconds' FROM vci_key WHERE state = 'active' AND issuer_id = 1;
SELECT helper.published_keys();
SELECT pg_sleep(3);
SELECT helper.published_keys();
ROLLBACK;
