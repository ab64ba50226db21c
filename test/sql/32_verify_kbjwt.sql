-- vci_verify_kbjwt: key proofs (OpenID4VCI 1.0 appendix F.1), the proofs of older wallets, and
-- key binding JWTs (RFC 9901 section 4.3). Each attack of RFC 8725 that a JWT can carry.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION helper.verdict(jwt text, nonce text DEFAULT 'n',
    older boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE((v ->> 'error') || ': ' || (v ->> 'error_description'), 'valid: ' || (v ->> 'valid'))
    FROM openid4vci.vci_verify_kbjwt(jwt, nonce, 'https://registry.example', older => older) AS v
$$;
CREATE FUNCTION helper.now(seconds integer DEFAULT 0) RETURNS bigint LANGUAGE sql AS
    'SELECT floor(extract(epoch FROM clock_timestamp()))::bigint + seconds';

-- A good one: the verdict shows all that was verified.
SELECT helper.hide(v), v -> 'key' = wallet.public_jwk() AS key,
       v ->> 'thumbprint' = helper.base64url(sha256(convert_to(format('{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}',
       wallet.public_jwk() ->> 'x', wallet.public_jwk() ->> 'y'), 'UTF8'))) AS rfc7638
FROM vci_verify_kbjwt(wallet.proof('n'), 'n', 'https://registry.example') AS v;
-- A nonce that is not expected is not checked.
SELECT helper.verdict(wallet.proof('any'), NULL), helper.verdict(wallet.proof(NULL), NULL);
-- Keys by did:jwk, with and without fragment.
SELECT helper.verdict(wallet.proof('n',
    header => jsonb_build_object('jwk', NULL, 'kid', wallet.did() || fragment)))
FROM unnest('{"","#0"}'::text[]) AS fragment;

-- Everything that a stranger may change.
SELECT what, helper.verdict(jwt) FROM (VALUES
    ('another nonce', wallet.proof('other')), ('no nonce', wallet.proof(NULL)),
    ('nonce no string', wallet.proof('n', payload => '{"nonce": 1}')),
    ('another audience', wallet.proof('n', payload => '{"aud": "https://other.example"}')),
    ('audience with a slash', wallet.proof('n', payload => '{"aud": "https://registry.example/"}')),
    ('no audience', wallet.proof('n', payload => '{"aud": null}')),
    ('one audience in an array',
    wallet.proof('n', payload => '{"aud": ["https://registry.example"]}')),
    ('two audiences', wallet.proof('n',
    payload => '{"aud": ["https://registry.example", "https://other.example"]}')),
    ('no iat', wallet.proof('n', payload => '{"iat": null}')),
    ('iat a string', wallet.proof('n', payload => '{"iat": "now"}')),
    ('iat with a fraction', wallet.proof('n',
    payload => jsonb_build_object('iat', helper.now() + 0.5))),
    ('iat far beyond any clock', wallet.proof('n', payload => '{"iat": 1e400}')),
    ('iat negative', wallet.proof('n', payload => '{"iat": -1}')),
    ('iat in two minutes', wallet.proof('n',
    payload => jsonb_build_object('iat', helper.now(120)))),
    ('iat in half a minute', wallet.proof('n',
    payload => jsonb_build_object('iat', helper.now(30)))),
    ('iat two days ago', wallet.proof('n',
    payload => jsonb_build_object('iat', helper.now(-172800)))),
    ('expired', wallet.proof('n', payload => jsonb_build_object('exp', helper.now(-120)))),
    ('not yet valid', wallet.proof('n', payload => jsonb_build_object('nbf', helper.now(120)))),
    ('iss no string', wallet.proof('n', payload => '{"iss": {}}')),
    ('sd_hash: a presentation''s binding', wallet.proof('n', payload => '{"sd_hash": "x"}')),
    ('no typ', wallet.proof('n', header => '{"typ": null}')),
    ('typ JWT', wallet.proof('n', header => '{"typ": "JWT"}')),
    ('typ kb+jwt', wallet.proof('n', header => '{"typ": "kb+jwt"}')),
    ('typ no string', wallet.proof('n', header => '{"typ": 1}')),
    ('typ of a draft', wallet.proof('n', header => '{"typ": "openid4vci-proof+sd-jwt"}')),
    ('alg none', wallet.proof('n', header => '{"alg": "none"}')),
    ('alg HS256', wallet.proof('n', header => '{"alg": "HS256"}')),
    ('alg of another key type', wallet.proof('n', header => '{"alg": "RS256"}')),
    ('alg of another curve', wallet.proof('n', header => '{"alg": "ES384"}')),
    ('alg in lower case', wallet.proof('n', header => '{"alg": "es256"}')),
    ('no alg', wallet.proof('n', header => '{"alg": null}')),
    ('crit', wallet.proof('n', header => '{"crit": ["exp"], "exp": 1}')),
    ('crit b64', wallet.proof('n', header => '{"crit": ["b64"], "b64": true}')),
    ('b64', wallet.proof('n', header => '{"b64": false}')),
    ('no key', wallet.proof('n', header => '{"jwk": null}')),
    ('two keys', wallet.proof('n', header => jsonb_build_object('kid', wallet.did()))),
    ('private members in jwk',
    wallet.proof('n', header => jsonb_build_object('jwk', wallet.public_jwk() || '{"d": "AQAB"}'))),
    ('symmetric key', wallet.proof('n', header => '{"jwk": {"kty": "oct", "k": "c2VjcmV0"}}')),
    ('point off the curve', wallet.proof('n', header => '{"jwk": {"kty": "EC", "crv": "P-256",
        "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Yv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}}')),
    ('small RSA key', wallet.proof('n',
    header => jsonb_build_object('alg', 'RS256', 'jwk', helper.rsa_jwk()
    || jsonb_build_object('n', left(helper.rsa_jwk() ->> 'n', 172))))),
    ('RSA exponent 1', wallet.proof('n',
    header => jsonb_build_object('alg', 'RS256', 'jwk', helper.rsa_jwk() || '{"e": "AQ"}'))),
    ('RSA key of another', wallet.proof('n',
    header => jsonb_build_object('alg', 'RS256', 'jwk', helper.rsa_jwk()))),
    ('jwk no object', wallet.proof('n', header => '{"jwk": "x"}')),
    ('another one''s key', wallet.proof('n',
    header => jsonb_build_object('jwk', wallet.public_jwk('second')))),
    ('jku is not followed', wallet.proof('n',
    header => '{"jwk": null, "jku": "https://attacker.example/jwks"}')),
    ('x5u is not followed', wallet.proof('n',
    header => '{"jwk": null, "x5u": "https://attacker.example/x5c"}')),
    ('x5c empty', wallet.proof('n', header => '{"jwk": null, "x5c": []}')),
    ('x5c no certificate', wallet.proof('n', header => '{"jwk": null, "x5c": ["AAAA"]}')),
    ('kid of no DID', wallet.proof('n', header => '{"jwk": null, "kid": "key-1"}')),
    ('kid no string', wallet.proof('n', header => '{"jwk": null, "kid": 1}')),
    ('kid another DID method',
    wallet.proof('n', header => '{"jwk": null, "kid": "did:example:1"}')),
    ('kid a did:web nobody loaded',
    wallet.proof('n', header => '{"jwk": null, "kid": "did:web:wallet.example#1"}')),
    ('kid a broken did:jwk', wallet.proof('n', header => '{"jwk": null, "kid": "did:jwk:AAAA"}')),
    ('kid a private did:jwk', wallet.proof('n',
    header => jsonb_build_object('jwk', NULL, 'kid', 'did:jwk:'
    || helper.base64url(convert_to((wallet.public_jwk() || '{"d": "AQAB"}')::text, 'UTF8')))))
    ) AS p (what, jwt);

-- Texts that are no JWT at all.
SELECT wallet.proof('n') AS good \gset
SELECT what, helper.verdict(jwt) FROM (VALUES
    ('empty', ''), ('no dots', 'x'),
    ('two parts', split_part(:'good', '.', 1) || '.' || split_part(:'good', '.', 2)),
    ('four parts', :'good' || '.x'),
    ('no signature', split_part(:'good', '.', 1) || '.' || split_part(:'good', '.', 2) || '.'),
    ('signature cut', left(:'good', -2)),
    ('payload changed', split_part(:'good', '.', 1) || '.' || helper.base64url('{"nonce": "n"}')
    || '.' || split_part(:'good', '.', 3)),
    ('another one''s signature', split_part(:'good', '.', 1) || '.' || split_part(:'good', '.', 2)
    || '.' || split_part(wallet.proof('n', 'second'), '.', 3)),
    ('padding', :'good' || '='), ('a space', ' ' || :'good'), ('a newline', :'good' || E'\n'),
    ('no base64url', replace(:'good', '.', '.+')),
    ('SQL', '''; DROP TABLE vci_key; --'), ('no ASCII', 'é.é.é'),
    ('a JSON serialization', '{"payload": "x"}'),
    ('oversize', repeat('A', 70000) || '.e30.AA'), ('very long', repeat('A.', 500000)))
    AS p (what, jwt);
-- JSON that no jsonb can hold.
SELECT what, helper.verdict(wallet.jwt_of_text(header, payload)) FROM (VALUES
    ('duplicate alg', '{"alg": "ES256", "alg": "none", "typ": "openid4vci-proof+jwt"}', '{}'),
    ('duplicate nonce', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '{"nonce": "x", "nonce": "n"}'),
    ('NUL escape', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '{"nonce": "n\u0000"}'),
    ('lone surrogate', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '{"nonce": "\ud800"}'),
    ('deep', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '{"a":' || repeat('[', 40) || repeat(']', 40) || '}'),
    ('payload no object', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '[]'),
    ('header no object', '[]', '{}'), ('header no JSON', 'alg: ES256', '{}'),
    ('NaN', '{"alg": NaN}', '{}'), ('trailing text', '{} x', '{}')) AS p (what, header, payload);
-- A number that JSON allows and jsonb cannot hold is a verdict, not an exception.
SELECT what, helper.verdict(wallet.jwt_of_text(header, payload)) FROM (VALUES
    ('in the header', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s, "x": 1e999999}',
    wallet.public_jwk()), '{"nonce": "n"}'),
    ('in the payload', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '{"nonce": "n", "x": [{"y": -1E+999999}]}'),
    ('very small', format('{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": %s}',
    wallet.public_jwk()), '{"nonce": "n", "x": 1e-999999}'),
    ('in a key', '{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": {"kty": "EC", "x": 1e999999}}',
    '{"nonce": "n"}')) AS p (what, header, payload);
-- Bytes that are no UTF-8 in the header.
SELECT helper.verdict(helper.base64url('\x7b22616c67223a22ff227d') || '.e30.AA');

-- Older wallets: typ absent, JWT or kb+jwt, and the key that the holder is known by.
SELECT typ, helper.verdict(wallet.proof('n', header => jsonb_build_object('typ', typ)),
    older => true)
FROM unnest(ARRAY[NULL, 'JWT', 'kb+jwt', 'openid4vci-proof+jwt', 'dc+sd-jwt', 'at+jwt']) AS typ;
SELECT helper.verdict(wallet.proof('n', payload => '{"sd_hash": "x"}',
    header => '{"typ": "kb+jwt"}'), older => true) AS "never taken for a proof";
SELECT COALESCE(vci_verify_kbjwt(wallet.proof('n', signer,
    header => '{"jwk": null, "typ": "kb+jwt"}'), 'n', 'https://registry.example',
    holder_key => key, holder_did => did, older => true) ->> 'error', 'valid')
FROM (VALUES ('first', NULL::jsonb, NULL), ('first', wallet.public_jwk(), NULL),
    ('first', NULL, wallet.did()),
    ('second', wallet.public_jwk(), NULL), ('second', NULL, wallet.did()),
    ('first', NULL, 'did:web:wallet.example')) AS h (signer, key, did);
-- A proof by another key than the holder's is refused also when it brings its own.
SELECT vci_verify_kbjwt(wallet.proof('n', 'second'), 'n', 'https://registry.example',
    holder_did => wallet.did()) ->> 'error',
       vci_verify_kbjwt(wallet.proof('n', 'second'), 'n', 'https://registry.example',
       holder_key => wallet.public_jwk()) ->> 'error',
       vci_verify_kbjwt(wallet.proof('n'), 'n', 'https://registry.example',
       holder_did => wallet.did()) ->> 'valid';
-- did:web by a loaded document: by the key it names, not by another one of the world's.
SELECT vci_load_did_document('did:web:wallet.example',
    jsonb_build_object('id', 'did:web:wallet.example',
    'verificationMethod', jsonb_build_array(jsonb_build_object('id', 'did:web:wallet.example#1',
    'type', 'JsonWebKey2020',
        'controller', 'did:web:wallet.example', 'publicKeyJwk', wallet.public_jwk())),
    'authentication', '["#1"]'::jsonb, 'assertionMethod', '["#1"]'::jsonb));
SELECT signer, kid, helper.verdict(wallet.proof('n', signer,
    header => jsonb_build_object('jwk', NULL, 'kid', kid)))
FROM (VALUES ('first', 'did:web:wallet.example#1'), ('second', 'did:web:wallet.example#1'),
    ('first', 'did:web:wallet.example#2'),
    ('first', 'did:web:other.example#1')) AS k (signer, kid);
SELECT vci_drop_did_document('did:web:wallet.example');

-- max_age, in both directions of its bounds.
SELECT vci_verify_kbjwt(wallet.proof('n', payload => jsonb_build_object('iat', helper.now(-90))),
    'n', 'https://registry.example',
                        max_age => age) ->> 'valid'
FROM unnest('{1 minute,2 minutes,1 day}'::interval[]) AS age;
-- NULL, unknown, of a wrong kind.
SELECT vci_verify_kbjwt(NULL, 'n', 'https://registry.example');
SELECT helper.errors(
    $$SELECT vci_verify_kbjwt('x', 'n', NULL)$$,
    $$SELECT vci_verify_kbjwt('x', 'n', 'a', max_age => '0')$$,
    $$SELECT vci_verify_kbjwt('x', 'n', 'a', max_age => '11 years')$$);
SELECT vci_verify_kbjwt(wallet.proof('n', header => '{"jwk": null, "typ": "JWT"}'), 'n',
    'https://registry.example', holder_key => key, older => true) - '{header,payload}'::text[]
FROM (VALUES ('[]'::jsonb), ('{}'), ('{"kty": "oct", "k": "AA"}')) AS k (key);

-- With sd_jwt: the key binding of a presentation, by the key in cnf.
SELECT vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E-1"}',
    wallet.public_jwk()) AS sd_jwt \gset
SELECT vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E-1"}',
    wallet.public_jwk('second')) AS of_second,
       vci_issue_sdjwt('Membership', '{}') AS of_nobody,
       split_part(wallet.present(:'sd_jwt', 'n', 'https://verifier.example'), '~', -1) AS kb \gset
SELECT helper.hide(vci_verify_kbjwt(:'kb', 'n', 'https://verifier.example',
    sd_jwt => :'sd_jwt')) - 'key';
SELECT what, v ->> 'error', v ->> 'error_description' FROM (VALUES
    ('of another presentation', :'kb',
    vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E-1"}', wallet.public_jwk())),
    ('of another holder', split_part(wallet.present(:'of_second', 'n', 'https://verifier.example'),
    '~', -1), :'of_second'),
    ('no cnf', split_part(wallet.present(:'of_nobody', 'n', 'https://verifier.example'), '~', -1),
    :'of_nobody'),
    ('a proof', wallet.proof('n', payload => '{"aud": "https://verifier.example"}'), :'sd_jwt'),
    ('no sd_hash', split_part(wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    payload => '{"sd_hash": null}'), '~', -1), :'sd_jwt'),
    ('brings its own key', split_part(wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    'second',
        jsonb_build_object('jwk', wallet.public_jwk('second'))), '~', -1), :'sd_jwt'),
    ('another audience', split_part(wallet.present(:'sd_jwt', 'n', 'https://other.example'), '~',
    -1), :'sd_jwt'),
    ('another nonce', split_part(wallet.present(:'sd_jwt', 'm', 'https://verifier.example'), '~',
    -1), :'sd_jwt'),
    ('no SD-JWT', :'kb', 'x'), ('SD-JWT without ~', :'kb', rtrim(:'sd_jwt', '~')))
    AS p (what, kb, sd_jwt),
    LATERAL vci_verify_kbjwt(kb, 'n', 'https://verifier.example', sd_jwt => p.sd_jwt) AS v;
