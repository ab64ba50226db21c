-- vci_create_key, vci_alter_key, vci_retire_key.
\pset format unaligned
\pset tuples_only on

-- No key yet: nothing can be offered or issued, and the error says what to type.
SELECT vci_create_configuration('Early', 'https://registry.example/early', binding => 'absent');
SELECT helper.errors(
    $$SELECT vci_create_offer('{Early}', claims => '{"a": 1}')$$,
    $$SELECT vci_issue_sdjwt('Early', '{"a": 1}')$$,
    $$SELECT vci_issue_and_record('Early', '{"a": 1}')$$);
SELECT body_out FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, registry.example}');

SELECT vci_create_key() AS es256 \gset
SELECT :'es256' ~ '^[A-Za-z0-9_-]{43}$' AS "kid is an RFC 7638 thumbprint";
SELECT kid = :'es256', alg, state, public_jwk ->> 'kty', public_jwk ->> 'crv', public_jwk ? 'd',
       created_at <= clock_timestamp(), retired_at FROM vci_key_info;
-- The thumbprint is that of the required members (RFC 7638 section 3).
SELECT helper.base64url(sha256(convert_to(format('{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}',
           public_jwk ->> 'x', public_jwk ->> 'y'), 'UTF8'))) = kid FROM vci_key_info;

SELECT vci_create_key(alg => 'ES384') AS es384 \gset
SELECT vci_create_key('https://registry.example', 'EdDSA') AS eddsa \gset
SELECT alg, state, public_jwk - '{x,y}'::text[] FROM vci_key_info ORDER BY id;

-- The key that was activated last signs, and every key stays published.
SELECT helper.jwt_part(vci_issue_sdjwt('Early', '{"a": 1}'), 1) = jsonb_build_object(
           'alg', 'EdDSA', 'kid', :'eddsa', 'typ', 'dc+sd-jwt');
SELECT vci_retire_key(:'eddsa');
SELECT helper.jwt_part(vci_issue_sdjwt('Early', '{"a": 1}'), 1) ->> 'kid' = :'es384';
SELECT vci_alter_key(:'es384', 'retired');
SELECT vci_issue_sdjwt('Early', '{"a": 1}') AS by_es256 \gset
SELECT helper.jwt_part(:'by_es256', 1) ->> 'kid' = :'es256';
SELECT vci_alter_key(:'eddsa', 'active', 'https://registry.example');
SELECT vci_issue_sdjwt('Early', '{"a": 1}') AS by_eddsa \gset
SELECT helper.jwt_part(:'by_eddsa', 1) ->> 'kid' = :'eddsa';
SELECT alg, state, retired_at IS NULL FROM vci_key_info ORDER BY id;
SELECT array_agg(key ->> 'alg' ORDER BY key ->> 'alg'), bool_and(key ->> 'use' = 'sig'),
       bool_or(key ? 'd'), count(DISTINCT key ->> 'kid')
FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, registry.example}') AS r,
     jsonb_array_elements(r.body_out -> 'keys') AS key;
-- What each of them signed verifies, also after it was retired.
SELECT vci_retire_key(:'eddsa');
SELECT helper.claims(:'by_es256'), helper.claims(:'by_eddsa'),
       helper.claims(vci_issue_sdjwt('Early', '{"a": 1}'));
-- Retiring twice, or the state it has, changes nothing.
SELECT vci_retire_key(:'eddsa'), vci_alter_key(:'es256', 'active');
SELECT alg, state FROM vci_key_info ORDER BY id;

SELECT helper.errors(
    $$SELECT vci_create_key(alg => NULL)$$,
    $$SELECT vci_create_key(alg => 'RS256')$$,
    $$SELECT vci_create_key(alg => 'HS256')$$,
    $$SELECT vci_create_key(alg => 'none')$$,
    $$SELECT vci_create_key(alg => 'es256')$$,
    $$SELECT vci_create_key(alg => '')$$,
    $$SELECT vci_create_key(alg => repeat('A', 100))$$,
    $$SELECT vci_create_key(issuer => 'https://unknown.example')$$,
    $$SELECT vci_alter_key(NULL, 'active')$$,
    $$SELECT vci_alter_key('unknown', 'active')$$,
    $$SELECT vci_alter_key('''; DROP TABLE vci_key; --', 'active')$$,
    $$SELECT vci_retire_key(NULL)$$,
    $$SELECT vci_retire_key('unknown')$$,
    $$SELECT vci_retire_key('unknown', 'https://unknown.example')$$);
SELECT helper.error(format('SELECT vci_alter_key(%L, %L)', :'es256', state))
FROM unnest(ARRAY['Active', '', 'deleted', NULL]) AS state;

-- Private keys are sealed: no PKCS #8, no JWK, and each opens in its own row alone.
SELECT bool_and(position('\x2a8648ce3d'::bytea IN private_key) = 0
                AND position('\x2b6570'::bytea IN private_key) = 0), count(DISTINCT private_key)
FROM vci_key;
BEGIN;
UPDATE vci_key SET private_key = (SELECT private_key FROM vci_key WHERE kid = :'es384')
WHERE kid = :'es256';
SELECT helper.errors($$SELECT vci_issue_sdjwt('Early', '{"a": 1}')$$);
ROLLBACK;
SELECT helper.claims(vci_issue_sdjwt('Early', '{"a": 1}'));
-- A root key that is not there any more is named, never shown.
BEGIN;
UPDATE vci_key SET root_key_id = '0123456789abcdef' WHERE kid = :'es256';
SELECT helper.errors($$SELECT vci_issue_sdjwt('Early', '{"a": 1}')$$);
ROLLBACK;

SELECT vci_retire_configuration('Early');
