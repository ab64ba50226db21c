-- The life of a signing key: next, active, retired, destroyed; vci_rotate_key, vci_destroy_key,
-- vci_import_key; what is published meanwhile.
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer('https://rotate.example', settings => '{"time_rounding": 1}') > 0;
SELECT vci_create_configuration('Card', 'https://rotate.example/card', binding => 'absent', validity => '30 days',
    issuer => 'https://rotate.example');
SELECT vci_create_configuration('Pass', 'https://rotate.example/pass', binding => 'absent', validity => '1 year',
    issuer => 'https://rotate.example');
CREATE VIEW helper.key AS
    SELECT * FROM vci_key
    WHERE issuer_id = (SELECT id FROM vci_issuer WHERE url = 'https://rotate.example');
-- The names that this test gives to keys, in the place of their kids.
CREATE TABLE helper.key_name (kid text, name text);
CREATE FUNCTION helper.name(kid text) RETURNS text LANGUAGE sql AS
    'SELECT name FROM helper.key_name AS n WHERE n.kid = name.kid';
CREATE FUNCTION helper.card(id text DEFAULT 'Card') RETURNS text LANGUAGE sql AS
    $$SELECT vci_issue_sdjwt(id, '{"a": 1}', issuer => 'https://rotate.example')$$;
CREATE FUNCTION helper.signed_by(sd_jwt text) RETURNS text LANGUAGE sql AS
    $$SELECT helper.name(helper.jwt_part(sd_jwt, 1) ->> 'kid')$$;
-- All three documents must name the same keys in the same order.
CREATE FUNCTION helper.published() RETURNS text LANGUAGE sql AS $$
    WITH document AS (
        SELECT CASE path WHEN '/api/v1/openid4vci/jwks' THEN h.body_out -> 'keys'
                         WHEN '/.well-known/jwt-vc-issuer' THEN h.body_out #> '{jwks,keys}'
                         ELSE (SELECT jsonb_agg(m -> 'publicKeyJwk') FROM jsonb_array_elements(
                                   h.body_out -> 'verificationMethod') AS m) END AS keys,
               h.body_out -> 'assertionMethod' AS methods
        FROM (VALUES ('/api/v1/openid4vci/jwks'), ('/.well-known/jwt-vc-issuer'), ('/.well-known/did.json')) AS p (path),
             helper.http('GET', path, '{Host, rotate.example}') AS h),
    names AS (
        SELECT (SELECT string_agg(COALESCE(helper.name(key ->> 'kid'), '?'), ' ' ORDER BY n)
                FROM jsonb_array_elements(keys) WITH ORDINALITY AS k (key, n)) AS keys,
               (SELECT string_agg(helper.name(split_part(method, '#', 2)), ' ' ORDER BY n)
                FROM jsonb_array_elements_text(methods) WITH ORDINALITY AS m (method, n)) AS methods
        FROM document)
    SELECT CASE WHEN count(DISTINCT COALESCE(keys, '')) = 1 AND bool_and(COALESCE(methods = keys, true))
                THEN COALESCE(min(keys), '-') ELSE string_agg(COALESCE(keys, '-'), ' | ') END FROM names
$$;

-- The first key. A rotation of nothing begins with a next key, which signs nothing yet.
SELECT vci_create_key('https://rotate.example', state => 'next') AS zero \gset
INSERT INTO helper.key_name VALUES (:'zero', 'zero');
SELECT helper.published();
SELECT helper.errors($$SELECT helper.card()$$);
SELECT vci_create_key('https://rotate.example', 'ES384') AS first \gset
INSERT INTO helper.key_name VALUES (:'first', 'first');
SELECT helper.signed_by(helper.card()), helper.published();
-- A key that never signed need not stay.
SELECT vci_retire_key(:'zero', 'https://rotate.example');
SELECT helper.published();
SELECT vci_destroy_key(:'zero', 'https://rotate.example');

-- Two steps: a next key of the same algorithm, published; then, not too early, it signs.
SELECT state FROM vci_rotate_key('https://rotate.example');
INSERT INTO helper.key_name SELECT kid, 'second' FROM helper.key WHERE state = 'next';
SELECT helper.name(kid), alg, state, activated_at IS NULL FROM helper.key ORDER BY id;
SELECT helper.published(), helper.signed_by(helper.card());
SELECT detail FROM vci_health() WHERE "check" = 'keys';
SELECT regexp_replace(replace(helper.error($$SELECT vci_rotate_key('https://rotate.example')$$),
    (SELECT kid FROM helper.key WHERE state = 'next'), 'KID'), 'Wait .* more', 'Wait ... more');
SELECT helper.card() AS by_first \gset
UPDATE helper.key SET created_at = created_at - interval '1 hour' WHERE state = 'next';
SELECT helper.name(kid), state FROM vci_rotate_key('https://rotate.example');
SELECT helper.signed_by(helper.card()), helper.published();
SELECT helper.claims(:'by_first'), helper.claims(helper.card());
-- The retired key stays as long as what it signed, a year and six hours as exp counts it, and an hour.
SELECT helper.name(kid), state, activated_at IS NOT NULL, retired_at IS NOT NULL,
    published_until - retired_at BETWEEN interval '365 days 7 hours' AND interval '365 days 7 hours 1 minute'
FROM helper.key ORDER BY id;
SELECT kind, helper.name(k.kid) FROM vci_event AS e JOIN helper.key AS k ON k.id = e.key_id ORDER BY e.id;

-- Of the active ones the one that was activated last signs, whichever was made last.
SELECT vci_alter_key(:'first', 'active', 'https://rotate.example');
SELECT helper.signed_by(helper.card()), helper.published();
SELECT retired_at, published_until FROM helper.key WHERE kid = :'first';
SELECT vci_alter_key(:'first', 'active', 'https://rotate.example'), vci_retire_key(kid, 'https://rotate.example')
FROM helper.key_name WHERE name = 'second';
SELECT helper.signed_by(helper.card()), helper.published();
-- Keys of 0.1.0 have no activated_at: then the one that was made last counts.
BEGIN;
UPDATE helper.key SET state = 'active', activated_at = NULL, retired_at = NULL WHERE state <> 'destroyed';
SELECT helper.signed_by(helper.card());
ROLLBACK;

-- Without end: a configuration without validity, now or before, retired or not.
SELECT id, validity, longest_validity FROM vci_configuration WHERE vct ~ '^https://rotate.example/' ORDER BY id;
SELECT vci_alter_configuration('Pass', '{"validity": "10 days"}', 'https://rotate.example');
SELECT vci_alter_configuration('Card', '{"validity": "40 days", "decoys": 1}', 'https://rotate.example');
SELECT vci_alter_configuration('Card', '{"decoys": 0}', 'https://rotate.example');
SELECT vci_retire_configuration('Pass', 'https://rotate.example');
SELECT id, validity, longest_validity FROM vci_configuration WHERE vct ~ '^https://rotate.example/' ORDER BY id;
BEGIN;
SELECT vci_retire_key(:'first', 'https://rotate.example');
SELECT published_until - retired_at > interval '365 days' FROM helper.key WHERE kid = :'first';
ROLLBACK;
SELECT vci_create_configuration('Ever', 'https://rotate.example/ever', binding => 'absent', validity => NULL,
    issuer => 'https://rotate.example');
SELECT vci_alter_configuration('Ever', '{"validity": "1 day"}', 'https://rotate.example');
SELECT id, validity, longest_validity FROM vci_configuration WHERE vct ~ '^https://rotate.example/' ORDER BY id;
BEGIN;
SELECT vci_retire_key(:'first', 'https://rotate.example');
SELECT published_until FROM helper.key WHERE kid = :'first';
ROLLBACK;

-- The time runs out while a session has the keys in memory: no longer published, nor trusted.
SELECT helper.card() AS late \gset
BEGIN;
SELECT vci_create_key('https://rotate.example') AS third \gset
INSERT INTO helper.key_name VALUES (:'third', 'third');
SELECT vci_retire_key(:'first', 'https://rotate.example');
UPDATE helper.key SET published_until = clock_timestamp() + interval '2 seconds' WHERE kid = :'first';
SELECT helper.claims(:'late');
SELECT pg_sleep(3);
SELECT helper.published(), helper.claims(:'late') ->> 'error_description';
ROLLBACK;

-- Destroying: not what signs, nor what may yet; the private half is gone, the public one stays.
SELECT replace(replace(helper.error(format('SELECT vci_destroy_key(%L, %L)', kid, 'https://rotate.example')),
    :'first', 'FIRST'), kid, 'KID')
FROM helper.key WHERE state <> 'destroyed' ORDER BY id;
SELECT helper.card() AS by_first \gset
SELECT vci_create_key('https://rotate.example', 'EdDSA') AS third \gset
INSERT INTO helper.key_name VALUES (:'third', 'third');
SELECT replace(helper.error(format('SELECT vci_destroy_key(%L, %L)', :'first', 'https://rotate.example')),
    :'first', 'FIRST');
SELECT vci_retire_key(:'first', 'https://rotate.example'), vci_destroy_key(:'first', 'https://rotate.example');
SELECT state, private_key IS NULL, destroyed_at IS NOT NULL, published_until IS NULL FROM helper.key WHERE kid = :'first';
SELECT helper.published(), helper.claims(:'by_first');
SELECT vci_destroy_key(:'first', 'https://rotate.example');
SELECT replace(helper.error(format(call, :'first', 'https://rotate.example')), :'first', 'FIRST')
FROM (VALUES ('SELECT vci_alter_key(%L, ''active'', %L)'), ('SELECT vci_retire_key(%L, %L)')) AS c (call);
-- A leaked key goes at once, even if it signs; whoever does that is told what it stops.
SELECT helper.card() AS by_third \gset
SELECT vci_destroy_key(:'third', 'https://rotate.example', unpublish => true);
SELECT helper.published(), helper.claims(:'by_third') ->> 'error_description';
SELECT state, private_key IS NULL, published_until <= clock_timestamp() FROM helper.key WHERE kid = :'third';
SELECT helper.errors($$SELECT helper.card()$$);
SELECT vci_destroy_key(:'first', 'https://rotate.example', true);
SELECT helper.published();
SELECT kind, count(*) FROM vci_event AS e JOIN helper.key AS k ON k.id = e.key_id GROUP BY kind ORDER BY kind;
-- Undoing a retirement, and retiring the last.
SELECT vci_alter_key(kid, 'active', 'https://rotate.example') FROM helper.key_name WHERE name = 'second';
SELECT helper.signed_by(helper.card());
SELECT vci_retire_key(kid, 'https://rotate.example') FROM helper.key_name WHERE name = 'second';
-- Two next keys: the one of the algorithm that is asked for, else the one that waited longest.
SELECT state FROM vci_rotate_key('https://rotate.example', 'EdDSA');
SELECT state FROM vci_rotate_key('https://rotate.example', 'ES256', '0');
SELECT state FROM vci_rotate_key('https://rotate.example', 'ES256', '0');
SELECT alg, state FROM helper.key WHERE state IN ('next', 'active') ORDER BY id;
SELECT alg FROM vci_rotate_key('https://rotate.example', overlap => '0') JOIN helper.key USING (kid);

SELECT helper.errors(
    $$SELECT vci_create_key('https://rotate.example', state => 'retired')$$,
    $$SELECT vci_create_key('https://rotate.example', state => NULL)$$,
    $$SELECT vci_alter_key('unknown', 'next', 'https://rotate.example')$$,
    $$SELECT vci_alter_key('unknown', 'destroyed', 'https://rotate.example')$$,
    $$SELECT vci_destroy_key(NULL)$$,
    $$SELECT vci_destroy_key('unknown', 'https://rotate.example')$$,
    $$SELECT vci_rotate_key('https://rotate.example', 'RS256')$$,
    $$SELECT vci_rotate_key('https://rotate.example', overlap => '-1 second')$$,
    $$SELECT vci_rotate_key('https://rotate.example', overlap => '11 years')$$,
    $$SELECT vci_rotate_key('https://unknown.example')$$);

-- Imported: as JWK (the keys of RFC 7517 appendix A.2 and RFC 8037 appendix A.1), as SEC 1 and PKCS #8.
SELECT vci_import_key('{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    "use": "sig", "kid": "its own name"}', 'https://rotate.example');
SELECT vci_import_key('{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'https://rotate.example', 'next');
SELECT alg, state, public_jwk - '{x,y}'::text[] FROM helper.key ORDER BY id DESC LIMIT 2;
SELECT helper.jwt_part(helper.card(), 1) ->> 'alg', helper.claims(helper.card());
SELECT vci_import_key('-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIDg+1DlqL6SOVaBeY14CrgiLCcXrDfjpjpyCHroE7CKPoAoGCCqGSM49
AwEHoUQDQgAELBUsLvp4mRKucrncsN3GwXuvE9RGFIUa763qUbBNJZQ8h5ss4ZAe
e4uc4YqCMnrRn6Puzzh7oGmmEaWN/oeCiA==
-----END EC PRIVATE KEY-----', 'https://rotate.example') AS pem \gset
SELECT vci_import_key('-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDC+Wfewb1e/ljkzex6h
i6uEZiyV692/dyTkqenXLJ0weRYew91pQc1r/OCmKGxMfvShZANiAAS5aR65IG5n
OBP+cMUcKfM9VizlkaSqA/OSZDFPkG47Snck8cTlsDQYrGyLrTSBzLSnlngyswqE
Qv4ETxy3YJI9YUCjtanEh1eionU+eJwRyT9+r8CsUlSIhFxKMc3tnF0=
-----END PRIVATE KEY-----
', 'https://rotate.example') AS pkcs8 \gset
SELECT helper.jwt_part(helper.card(), 1) ->> 'kid' = :'pkcs8', helper.claims(helper.card());

-- What can't be imported: the error says what to do, and nothing of the key.
CREATE FUNCTION helper.import(private_key text) RETURNS text LANGUAGE sql AS
    $$SELECT helper.error(format('SELECT vci_import_key(%L, ''https://rotate.example'')', private_key))$$;
SELECT helper.import('-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAimRlKveJDirQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHwpNnDcuYKkE/bfNgGNq+UEgZCM
oDPbJLgTuqAQ/VNu3nD524MmBO24cgrrrKecVSdle/aUlSdPUh7mQLn3tCIpO08f
PSPWpQW3WRM+F0FBCUmXtDIfLdtILpr/rftbgHPOt+/SWA8VBIO7lvpNCl6maPO1
CvlqTKXbajskCruBK08ck2kIyCfEZUhGCCqDDYO5dwHbv2N+JIzWuC6+Oqpe/kg=
-----END ENCRYPTED PRIVATE KEY-----');
-- the same key again, in whatever form; one that was destroyed; another issuer may have it
SELECT replace(helper.import('{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}'), kid, 'KID')
FROM helper.key WHERE public_jwk ->> 'x' = 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4';
SELECT vci_retire_key(:'pem', 'https://rotate.example'), vci_destroy_key(:'pem', 'https://rotate.example');
SELECT replace(helper.import('-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOD7UOWovpI5VoF5j
XgKuCIsJxesN+OmOnIIeugTsIo+hRANCAAQsFSwu+niZEq5yudyw3cbBe68T1EYU
hRrvrepRsE0llDyHmyzhkB57i5zhioIyetGfo+7POHugaaYRpY3+h4KI
-----END PRIVATE KEY-----'), :'pem', 'PEM');
SELECT helper.error($$SELECT vci_import_key('{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'https://registry.example', 'next')$$);
SELECT helper.import(body) FROM (VALUES (1, ''), (2, 'hello'), (3, '{'), (4, '{}'), (5, '{"kty": "RSA", "d": "AQAB"}'),
    (6, '{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}'),
    (7, '{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "d": "970MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}'),
    (8, '-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOD7UOWovpI5VoF5j
-----END PRIVATE KEY-----'), (9, '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELBUsLvp4mRKucrncsN3GwXuvE9RG
FIUa763qUbBNJZQ8h5ss4ZAee4uc4YqCMnrRn6Puzzh7oGmmEaWN/oeCiA==
-----END PUBLIC KEY-----'), (10, repeat(' ', 20000))) AS b (n, body) ORDER BY n;
SELECT helper.errors(
    $$SELECT vci_import_key(NULL, 'https://rotate.example')$$,
    $$SELECT vci_import_key('x', 'https://unknown.example')$$,
    $$SELECT vci_import_key('x', 'https://rotate.example', 'retired')$$);
SELECT vci_retire_issuer('https://rotate.example');
DROP FUNCTION helper.name(text), helper.card(text), helper.signed_by(text), helper.published(), helper.import(text);
DROP VIEW helper.key;
DROP TABLE helper.key_name;
