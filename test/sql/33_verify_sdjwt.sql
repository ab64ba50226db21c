-- vci_verify_sdjwt: SD-JWTs and presentations with key binding (RFC 9901 section 7).
\pset format unaligned
\pset tuples_only on

SELECT vci_issue_sdjwt('EntitlementCredential',
    '{"entitlementId": "E-1", "amount": {"value": 1250.50, "currency": "PHP"}}',
                       wallet.public_jwk()) AS sd_jwt, helper.now() AS now_ \gset
-- Without key binding: the claims as disclosed, by the keys of the issuers here.
SELECT helper.hide(vci_verify_sdjwt(:'sd_jwt'));
-- With it: nonce and audience are the verifier's.
SELECT wallet.present(:'sd_jwt', 'n', 'https://verifier.example') AS presentation \gset
SELECT helper.hide(vci_verify_sdjwt(:'presentation', 'n',
    'https://verifier.example')) - '{header,issuer}'::text[];

CREATE FUNCTION helper.presentation_verdict(presentation text, nonce text DEFAULT 'n',
    audience text DEFAULT 'https://verifier.example',
                                            required boolean DEFAULT NULL,
                                            jwks jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('; ', 'valid: ' || (v ->> 'valid'), v ->> 'error' || ': ' || (v ->> 'error_description'),
                     'claims: ' || (v ? 'claims')::text, 'key binding: ' || (v #>> '{key_binding,valid}'))
    FROM openid4vci.vci_verify_sdjwt(presentation, nonce, audience, jwks, required) AS v
$$;
SELECT what, helper.presentation_verdict(presentation) FROM (VALUES
    ('good', :'presentation'),
    ('no key binding', :'sd_jwt'),
    ('another nonce', wallet.present(:'sd_jwt', 'm', 'https://verifier.example')),
    ('another audience', wallet.present(:'sd_jwt', 'n', 'https://other.example')),
    ('another key', wallet.present(:'sd_jwt', 'n', 'https://verifier.example', 'second')),
    ('a disclosure taken away afterwards', regexp_replace(:'presentation', '~[^~]+~', '~')),
    ('a disclosure twice', regexp_replace(:'presentation', '(~[^~]+)~', '\1\1~')),
    ('a disclosure of nothing',
    regexp_replace(:'presentation', '~', '~' || helper.base64url('["salt", "status", "x"]')
    || '~')),
    ('kb of an hour from now',
    wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    payload => jsonb_build_object('iat', :now_ + 3600))),
    ('kb of two days ago', wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    payload => jsonb_build_object('iat', :now_ - 172800))),
    ('kb typ JWT', wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    header => '{"typ": "JWT"}')),
    ('kb alg none', wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    header => '{"alg": "none"}')),
    ('kb without sd_hash', wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    payload => '{"sd_hash": null}')),
    ('payload changed', regexp_replace(:'presentation', '\.[^.]+\.', '.'
    || helper.base64url('{"iss": "https://registry.example", "vct": "x"}') || '.')),
    ('empty', ''), ('only ~', '~'), ('no ~', 'a.b.c'), ('hostile', '''; DROP TABLE vci_key; --~'),
    ('oversize', repeat('A', 3000000) || '~')) AS p (what, presentation);
-- Key binding is demanded when nonce or audience are expected, or when it is said so.
SELECT nonce, audience, required, helper.presentation_verdict(:'sd_jwt', nonce, audience, required)
FROM (VALUES (NULL, NULL, NULL), ('n', NULL, NULL), (NULL, 'a', NULL), (NULL, NULL, true),
    ('n', 'a', false)) AS e (nonce, audience, required);
-- A key binding JWT that is there is verified, also when it is not demanded.
SELECT helper.presentation_verdict(:'presentation', NULL, NULL),
    helper.presentation_verdict(:'presentation', NULL, NULL, false);
SELECT helper.presentation_verdict(wallet.present(:'sd_jwt', 'n', 'https://verifier.example',
    'second'), NULL, NULL, false);

-- The issuer's keys: given as a set or alone, or those of the issuers here.
SELECT body_out AS jwks, jsonb_path_query_first(body_out, '$.keys[*] ? (@.alg == "ES256")') AS jwk
FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, registry.example}') \gset
SELECT helper.presentation_verdict(:'sd_jwt', NULL, NULL, NULL, jwks)
    FROM (VALUES (:'jwks'::jsonb), (:'jwk'::jsonb),
    ('{"keys": []}'), ('{"keys": [1, "x", {}]}'), (wallet.public_jwk()),
    (jsonb_build_object('keys', jsonb_build_array(wallet.public_jwk()))),
    (:'jwk'::jsonb || '{"kid": "other"}'), ('{"kty": "oct", "k": "AA"}')) AS k (jwks);
SELECT helper.errors(
    format('SELECT vci_verify_sdjwt(%L, issuer_jwks => %L)', :'sd_jwt', '[]'),
    format('SELECT vci_verify_sdjwt(%L, issuer_jwks => %L)', :'sd_jwt', '{}'),
    format('SELECT vci_verify_sdjwt(%L, issuer_jwks => %L)', :'sd_jwt', '"x"'),
    format('SELECT vci_verify_sdjwt(%L, issuer_jwks => %L)', :'sd_jwt',
    jsonb_build_object('keys', array_to_json(array_fill('{}'::json, '{33}')))),
    format('SELECT vci_verify_sdjwt(%L, max_age => %L)', :'sd_jwt', '0'));
SELECT vci_verify_sdjwt(NULL);

-- Not every JWT that somebody signed is a credential: typ, times, another issuer.
CREATE FUNCTION helper.credential(header jsonb DEFAULT '{}',
    payload jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT wallet.jwt(jsonb_strip_nulls('{"alg": "ES256", "typ": "dc+sd-jwt"}'::jsonb || header),
                      jsonb_strip_nulls('{"iss": "https://registry.example", "vct": "x", "a": 1}'::jsonb || payload)) || '~'
$$;
SELECT what, helper.presentation_verdict(credential, NULL, NULL, NULL, wallet.public_jwk())
    FROM (VALUES
    ('good', helper.credential()), ('vc+sd-jwt', helper.credential('{"typ": "vc+sd-jwt"}')),
    ('with media type prefix', helper.credential('{"typ": "application/dc+sd-jwt"}')),
    ('no typ', helper.credential('{"typ": null}')),
    ('a proof''s typ', helper.credential('{"typ": "openid4vci-proof+jwt"}')),
    ('expired', helper.credential(payload => jsonb_build_object('exp', :now_ - 120))),
    ('expired a moment ago', helper.credential(payload => jsonb_build_object('exp', :now_ - 5))),
    ('exp with a fraction', helper.credential(payload => jsonb_build_object('exp', :now_ + 60.5))),
    ('exp a string', helper.credential(payload => '{"exp": "never"}')),
    ('exp huge', helper.credential(payload => '{"exp": 1e400}')),
    ('not yet valid', helper.credential(payload => jsonb_build_object('nbf', :now_ + 3600))),
    ('nbf no number', helper.credential(payload => '{"nbf": {}}')),
    ('_sd_alg unknown', helper.credential(payload => '{"_sd_alg": "md5"}')),
    ('_sd_alg no string', helper.credential(payload => '{"_sd_alg": 1}')),
    ('_sd no array', helper.credential(payload => '{"_sd": "x"}')),
    ('_sd of numbers', helper.credential(payload => '{"_sd": [1]}')),
    ('one digest twice', helper.credential(payload => '{"_sd": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}')),
    ('... as a claim', helper.credential(payload => '{"x": {"...": "y"}}')),
    ('crit', helper.credential('{"crit": ["x"]}')),
    ('alg none', helper.credential('{"alg": "none"}')),
    ('alg HS256', helper.credential('{"alg": "HS256"}')),
    ('cnf without jwk, kb demanded', helper.credential(payload => '{"cnf": {"kid": "x"}}')))
    AS c (what, credential);
-- Disclosures that would overwrite what is signed, or are malformed.
SELECT what, helper.presentation_verdict(helper.credential(payload => jsonb_build_object('_sd',
    jsonb_build_array(helper.base64url(sha256(convert_to(d, 'UTF8')))))) || d || '~',
                                         NULL, NULL, NULL, wallet.public_jwk())
FROM (SELECT what, helper.base64url(convert_to(text, 'UTF8')) FROM (VALUES
    ('good', '["salt", "b", 1]'), ('overwrites a claim', '["salt", "a", 2]'),
    ('overwrites iss', '["salt", "iss", "x"]'),
    ('named _sd', '["salt", "_sd", []]'), ('named ...', '["salt", "...", 1]'),
    ('two elements in _sd', '["salt", 1]'), ('four elements', '["salt", "b", 1, 2]'),
    ('salt no string', '[1, "b", 1]'), ('name no string', '["salt", 1, 1]'),
    ('no array', '{"a": 1}'), ('no JSON', 'x'),
    ('duplicate keys inside', '["salt", "b", {"c": 1, "c": 2}]'),
    ('deep', '["salt", "b", ' || repeat('[', 40) || repeat(']', 40) || ']')) AS t (what, text))
    AS x (what, d);
-- An issuer that is none here.
SELECT helper.presentation_verdict(helper.credential(payload => '{"iss": "https://other.example"}'),
    NULL, NULL),
       helper.presentation_verdict(helper.credential(payload => '{"iss": null}'), NULL, NULL),
       helper.presentation_verdict(helper.credential(), NULL,
       NULL) AS "a forged one of this issuer";
-- A number that JSON allows and jsonb cannot hold is a verdict, not an exception: signed,
-- disclosed, or in the key binding.
SELECT what, helper.presentation_verdict(sd_jwt, NULL, NULL, NULL, wallet.public_jwk())
FROM (SELECT '["salt", "b", 1e999999]'::text) AS d (disclosure),
    LATERAL (VALUES
    ('in the header', wallet.jwt_of_text('{"alg": "ES256", "typ": "dc+sd-jwt", "x": 1e999999}',
    '{"iss": "https://registry.example", "vct": "x"}') || '~'),
    ('in the payload', wallet.jwt_of_text('{"alg": "ES256", "typ": "dc+sd-jwt"}',
    '{"iss": "https://registry.example", "vct": "x", "a": {"b": [1e999999]}}') || '~'),
    ('in a disclosure', helper.credential(payload => jsonb_build_object('_sd',
    jsonb_build_array(helper.base64url(sha256(convert_to(helper.base64url(convert_to(disclosure,
    'UTF8')), 'UTF8')))))) || helper.base64url(convert_to(disclosure, 'UTF8')) || '~'))
    AS p (what, sd_jwt);
SELECT helper.presentation_verdict(:'sd_jwt'
    || wallet.jwt_of_text('{"alg": "ES256", "typ": "kb+jwt", "x": 1e999999}', '{}'));

-- However many keys came later, the one that signed is found: by this issuer, and by who
-- fetched its published set.
BEGIN;
SELECT count(vci_create_key()) FROM generate_series(1, 33);
SELECT helper.presentation_verdict(:'sd_jwt', NULL, NULL);
SELECT jsonb_array_length(body_out -> 'keys') > 33,
    helper.presentation_verdict(:'sd_jwt', NULL, NULL, NULL, body_out)
FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, registry.example}');
ROLLBACK;
