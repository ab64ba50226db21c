-- vci_issue_sdjwt and vci_issue_and_record: what is signed, what is concealed, what is refused.
\pset format unaligned
\pset tuples_only on

-- The disclosures of an SD-JWT in the order of their names, without salts.
CREATE FUNCTION helper.disclosures(sd_jwt text) RETURNS TABLE (name text, value jsonb,
    salt_bytes integer, digest text)
LANGUAGE sql AS $$
    SELECT CASE WHEN jsonb_array_length(d) = 3 THEN d ->> 1 END, d -> -1,
           length(helper.base64url_decode(d ->> 0)), helper.base64url(sha256(convert_to(part, 'UTF8')))
    FROM regexp_split_to_table(sd_jwt, '~') WITH ORDINALITY AS p (part, n),
         LATERAL (SELECT convert_from(helper.base64url_decode(part), 'UTF8')::jsonb) AS j (d)
    WHERE n > 1 AND part <> '' ORDER BY 1, 2
$$;
-- The payload with each digest list as its length.
CREATE FUNCTION helper.outline(value jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE jsonb_typeof(value)
        WHEN 'object' THEN (SELECT COALESCE(jsonb_object_agg(key, CASE
                WHEN key = '_sd' THEN to_jsonb(jsonb_array_length(m.value)) WHEN key = '...' THEN '"digest"'
                WHEN key IN ('iat', 'exp', 'jwk') THEN to_jsonb(jsonb_typeof(m.value))
                ELSE helper.outline(m.value) END), '{}') FROM jsonb_each(value) AS m)
        WHEN 'array' THEN (SELECT COALESCE(jsonb_agg(helper.outline(e.value) ORDER BY n), '[]')
                           FROM jsonb_array_elements(value) WITH ORDINALITY AS e (value, n))
        ELSE value END
$$;

-- Flat, always disclosed and unlisted: an unlisted claim is not shown to every verifier.
SELECT vci_issue_sdjwt('EntitlementCredential',
    '{"entitlementId": "E-1", "entitlementStatus": "approved", "programName": "Cash", "unlisted": true}',
    wallet.public_jwk()) AS sd_jwt \gset
SELECT helper.jwt_part(:'sd_jwt', 1) - 'kid', helper.outline(helper.jwt_part(:'sd_jwt', 2));
SELECT name, value, salt_bytes, (helper.jwt_part(:'sd_jwt', 2) -> '_sd') ? digest
    FROM helper.disclosures(:'sd_jwt');
SELECT :'sd_jwt' ~ '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(~[A-Za-z0-9_-]+)+~$' AS "compact form, ends with ~";
SELECT helper.jwt_part(:'sd_jwt',
    2) #> '{cnf,jwk}' = wallet.public_jwk() AS "bound to the holder's key";
-- iat is rounded down, so that it does not link credentials; exp is a year later.
SELECT iat <= now_ AND now_ - iat < 86400 AND mod(iat, 86400) = 0, exp - iat = 365 * 86400
FROM (SELECT (p ->> 'iat')::bigint, (p ->> 'exp')::bigint, extract(epoch FROM clock_timestamp())
      FROM helper.jwt_part(:'sd_jwt', 2) AS p) AS t (iat, exp, now_);
SELECT helper.claims(:'sd_jwt');

-- Salts and the order of digests differ each time.
SELECT count(DISTINCT helper.jwt_part(s, 2) -> '_sd'),
    count(DISTINCT split_part(s, '~', 2)) = count(*)
FROM generate_series(1, 20) AS n,
    LATERAL vci_issue_sdjwt('EntitlementCredential',
    jsonb_build_object('entitlementId', 'E', 'a', n, 'b', n), wallet.public_jwk()) AS s
WHERE n > 0 AND position('~' IN rtrim(s, '~')) > 0;

-- Numbers keep their text, also those that no double holds.
SELECT name, CASE WHEN length(value::text) > 60 THEN left(value::text, 3) || '... '
    || length(value::text) ELSE value::text END
FROM helper.disclosures(vci_issue_sdjwt('Membership',
    '{"a": 1250.50, "b": 123456789012345678901234567890, "c": 0.1000,
    "d": -0.0, "e": 1e400, "f": 9007199254740993, "g": 1e-30, "h": 100}'));
SELECT helper.claims(vci_issue_sdjwt('Membership',
    '{"a": 1250.50, "b": 123456789012345678901234567890, "f": 9007199254740993}'));
-- Strings too, with everything that JSON escapes.
SELECT helper.claims(s) = claims
    FROM (VALUES (jsonb_build_object('quote"', E'back\\slash \n\t\x01\x7f', 'ключ', 'значение 🙂',
    '', '', 'null', NULL, 'nested', '{"": [[], {}, [[1]], "", null, false]}'::jsonb,
    repeat('long', 1000), repeat('x', 50000)))) AS c (claims),
    LATERAL vci_issue_sdjwt('Membership', claims) AS s;
SELECT helper.claims(vci_issue_sdjwt('Membership', '{}'));

-- Nested, recursive and array disclosures, and decoys.
SELECT vci_create_configuration('Nested', 'https://registry.example/credentials/nested',
    binding => 'absent', validity => NULL,
    always_disclosed => '["id", ["address", "country"], ["degrees", null]]',
    selectively_disclosable => '["amount", ["amount", "value"], ["amount", "currency"], ["address", "city"],
                                 ["nationalities", null], ["degrees", null, "type"], ["list", 1]]',
    options => '{"decoys": 5}');
SELECT vci_issue_sdjwt('Nested', '{"id": 1, "amount": {"value": 1250.50, "currency": "PHP"},
    "address": {"country": "PH", "city": "Manila", "street": "unlisted"}, "nationalities": ["PH", "DE"],
    "degrees": [{"type": "BSc", "year": 2001}, {"type": "MSc", "year": 2003}], "list": ["a", "b", "c"]}') AS sd_jwt \gset
SELECT name, helper.outline(value), salt_bytes FROM helper.disclosures(:'sd_jwt');
SELECT helper.outline(helper.jwt_part(:'sd_jwt', 2) #- '{_sd}');
-- Decoys are digests of nothing: five more than disclosures, anywhere in the credential.
SELECT (SELECT count(*) FROM jsonb_path_query(helper.jwt_part(:'sd_jwt', 2), 'strict $.**._sd[*]',
    '{}', true))
     + (SELECT count(*) FROM jsonb_path_query(helper.jwt_part(:'sd_jwt', 2), 'strict $.**."..."',
     '{}', true))
     + (SELECT count(*) FROM helper.disclosures(:'sd_jwt') AS d,
     LATERAL jsonb_path_query(d.value, 'strict $.**._sd[*]', '{}', true))
     - (SELECT count(*) FROM helper.disclosures(:'sd_jwt')) AS decoys;
SELECT helper.claims(:'sd_jwt');
-- No exp without a validity.
SELECT helper.jwt_part(:'sd_jwt', 2) ? 'exp', helper.jwt_part(:'sd_jwt', 2) ? 'cnf';
-- What a holder leaves out stays hidden: only the always disclosed is left, elements vanish.
SELECT helper.claims(split_part(:'sd_jwt', '~', 1) || '~');
-- A part of them: a member without the object it stands in cannot be shown.
SELECT helper.claims(split_part(:'sd_jwt', '~', 1) || '~' || string_agg(part, '~') || '~')
FROM regexp_split_to_table(:'sd_jwt', '~') WITH ORDINALITY AS p (part, n)
WHERE n > 1 AND part <> '' AND convert_from(helper.base64url_decode(part),
    'UTF8')::jsonb @> '["city"]';
SELECT (vci_verify_sdjwt(split_part(:'sd_jwt', '~', 1) || '~' || string_agg(part, '~')
    || '~') - 'header') ->> 'error'
FROM regexp_split_to_table(:'sd_jwt', '~') WITH ORDINALITY AS p (part, n)
WHERE n > 1 AND part <> '' AND convert_from(helper.base64url_decode(part),
    'UTF8')::jsonb @> '["currency"]';
-- Claims of another shape than the pointers expect are issued, nothing of them in plain.
SELECT helper.claims(s), helper.outline(helper.jwt_part(s, 2)) - '{_sd}'::text[]
FROM vci_issue_sdjwt('Nested',
    '{"id": null, "amount": "much", "address": [1], "nationalities": {"a": 1}, "degrees": "none", "list": []}') AS s;

-- Reserved names, by hint.
SELECT name, helper.error(format('SELECT vci_issue_sdjwt(%L, %L)', 'Membership',
    json_build_object(name, 1))) ~ '^22023.*reserved.*\n.*HINT.*entitlementStatus'
FROM unnest('{iss,iat,nbf,exp,cnf,vct,vct#integrity,status,_sd_alg,_sd,...}'::text[]) AS name;
SELECT helper.error(format('SELECT vci_issue_sdjwt(%L, %L)', 'Membership',
    claims)) ~ '^22023.*reserved'
FROM (VALUES ('{"a": {"b": {"_sd": ["x"]}}}'), ('{"a": [[{"...": "x"}]]}')) AS c (claims);
SELECT helper.claims(vci_issue_sdjwt('Membership',
    '{"a": {"status": "approved", "exp": 1, "cnf": 2}, "sub": "x", "jti": "y"}'));

-- NULL, unknown, of a wrong kind, oversize.
SELECT helper.errors(
    $$SELECT vci_issue_sdjwt(NULL, '{}')$$,
    $$SELECT vci_issue_sdjwt('Membership', NULL)$$,
    $$SELECT vci_issue_sdjwt('Membership', '[]')$$,
    $$SELECT vci_issue_sdjwt('Membership', '1')$$,
    $$SELECT vci_issue_sdjwt('Membership', 'null')$$,
    $$SELECT vci_issue_sdjwt('Unknown', '{}')$$,
    $$SELECT vci_issue_sdjwt('''; DROP TABLE vci_key; --', '{}')$$,
    $$SELECT vci_issue_sdjwt(repeat('U', 300), '{}')$$,
    $$SELECT vci_issue_sdjwt('Membership', '{}', issuer => 'https://unknown.example')$$,
    $$SELECT vci_issue_sdjwt('Membership', (repeat('[', 31) || repeat(']', 31))::jsonb)$$,
    $$SELECT vci_issue_sdjwt('Membership', ('{"a":' || repeat('[', 31) || repeat(']', 31) || '}')::jsonb)$$,
    $$SELECT vci_issue_sdjwt('Membership', jsonb_build_object('a', repeat('x', 1000000)))$$,
    $$SELECT vci_issue_sdjwt('EntitlementCredential', '{"programName": "x"}', wallet.public_jwk())$$,
    $$SELECT vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E"}')$$,
    $$SELECT vci_issue_sdjwt('Membership', '{}', wallet.public_jwk())$$);
-- Holder keys: public ones that a wallet can sign with.
SELECT helper.error(format('SELECT vci_issue_sdjwt(%L, %L, %L)', 'EntitlementCredential',
    '{"entitlementId": "E"}', jwk))
FROM (VALUES ('{}'), ('[]'), ('"did:jwk:x"'), ('{"kty": "EC", "crv": "P-256"}'),
    ('{"kty": "oct", "k": "c2VjcmV0"}'),
    ('{"kty": "EC", "crv": "P-256", "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Yv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}'),
    ('{"kty": "EC", "crv": "P-256", "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8", "d": "AQ"}'),
    ('{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}'),
    ('{"kty": "RSA", "n": "AQAB", "e": "AQAB"}'),
    ('{"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'))
    AS k (jwk);
-- A holder who is named by a DID: the key, as the functions here take it.
SELECT vci_holder_jwk(wallet.did()) = wallet.public_jwk(),
    vci_holder_jwk((wallet.public_jwk() || '{"kid": "k"}')::text) = wallet.public_jwk(),
    vci_holder_jwk('did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv'), vci_holder_jwk(NULL) IS NULL;
SELECT helper.jwt_part(vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E"}',
    vci_holder_jwk(wallet.did())), 2) #> '{cnf,jwk}' = wallet.public_jwk();
SELECT helper.error(format('SELECT vci_holder_jwk(%L)', holder))
FROM (VALUES (''), ('alice'), ('{}'), ('{"kty": "EC"'), ('did:example:123'), ('did:jwk:e30'), ('did:web:'),
    ('did:web:two.example'), ('did:web:two.example#1''; --'),
    ('{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}'), (repeat('d', 8193))) AS h (holder);
SELECT vci_load_did_document('did:web:two.example', jsonb_build_object('id', 'did:web:two.example',
    'authentication', (SELECT jsonb_agg(jsonb_build_object('id', 'did:web:two.example#' || name, 'type', 'JsonWebKey2020',
        'controller', 'did:web:two.example', 'publicKeyJwk', wallet.public_jwk(name)))
        FROM unnest('{first,second}'::text[]) AS name)));
SELECT vci_holder_jwk('did:web:two.example#second') = wallet.public_jwk('second');
SELECT helper.errors($$SELECT vci_holder_jwk('did:web:two.example')$$, $$SELECT vci_holder_jwk('did:web:two.example#third')$$);
SELECT vci_drop_did_document('did:web:two.example');
-- EC, OKP and RSA holders; only the required members go into cnf.
SELECT helper.jwt_part(vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E"}', jwk
    || '{"kid": "k", "use": "sig"}'), 2) -> 'cnf'
       = jsonb_build_object('jwk', jwk)
FROM (VALUES ('{"kty": "EC", "crv": "P-256", "x": "TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc", "y": "ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ"}'::jsonb),
    ('{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'),
    (helper.rsa_jwk())) AS k (jwk);
SELECT helper.errors($$SELECT vci_issue_sdjwt('EntitlementCredential', '{"entitlementId": "E"}', '{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "ES256"}')$$);

-- Writes nothing: works in a read-only transaction, and set-based.
BEGIN READ ONLY;
SELECT count(DISTINCT vci_issue_sdjwt('Membership', jsonb_build_object('n', n)))
    FROM generate_series(1, 200) AS n;
ROLLBACK;

-- Its recording sibling.
SELECT count(*) FROM vci_credential_info WHERE offer_id IS NULL;
SELECT (r).credential_id AS id, (r).credential AS credential,
    (r).expires_at - clock_timestamp() BETWEEN '364 days' AND '365 days' AS in_a_year
FROM vci_issue_and_record('EntitlementCredential', '{"entitlementId": "E-9"}', wallet.public_jwk(),
    'spp.entitlement', '9') AS r \gset
SELECT :'in_a_year', helper.claims(:'credential');
SELECT c.configuration_id, c.format, c.offer_id, c.subject_model, c.subject_id,
    c.kid = helper.jwt_part(:'credential', 1) ->> 'kid',
       c.holder_thumbprint = vci_verify_kbjwt(wallet.proof('n'), 'n',
       'https://registry.example') ->> 'thumbprint',
       c.expires_at = to_timestamp((helper.jwt_part(:'credential', 2) ->> 'exp')::bigint),
       c.issued_by = current_user
FROM vci_credential_info AS c WHERE c.id = :id;
SELECT (r).expires_at, (SELECT holder_thumbprint FROM vci_credential_info
    WHERE id = (r).credential_id)
FROM vci_issue_and_record('Nested', '{"id": 1}') AS r;
SELECT helper.errors(
    $$SELECT vci_issue_and_record('Membership')$$,
    $$SELECT vci_issue_and_record('Membership', subject_id => '1')$$,
    $$SELECT vci_issue_and_record(NULL, '{}')$$,
    $$SELECT vci_issue_and_record('Unknown', '{}')$$,
    $$SELECT vci_issue_and_record('Membership', '[]')$$,
    $$SELECT vci_issue_and_record('Membership', '{"status": 1}')$$,
    $$SELECT vci_issue_and_record('EntitlementCredential', '{"entitlementId": 1}')$$,
    $$SELECT vci_issue_and_record('Membership', '{}', wallet.public_jwk())$$,
    $$SELECT vci_issue_and_record('Membership', jsonb_build_object('a', repeat('x', 1000000)))$$,
    $$SELECT vci_issue_and_record('Membership', '{}', subject_id => repeat('s', 256))$$,
    $$SELECT vci_issue_and_record('Membership', '{}', subject_model => '', subject_id => '1')$$,
    $$SELECT vci_issue_and_record('Membership', '{}', issuer => 'https://unknown.example')$$);
BEGIN READ ONLY;
SELECT helper.errors($$SELECT vci_issue_and_record('Membership', '{}')$$);
ROLLBACK;

-- Paused issuance holds for operators as well.
SELECT vci_pause_issuance();
SELECT helper.errors($$SELECT vci_issue_sdjwt('Membership', '{}')$$,
    $$SELECT vci_issue_and_record('Membership', '{}')$$);
SELECT vci_resume_issuance();
-- A recorded credential is an event.
SELECT max(id) AS last FROM vci_event \gset
SELECT count(vci_issue_and_record('Membership', '{}'));
SELECT kind, offer_id, token_id, credential_id = (SELECT max(id) FROM vci_credential) FROM vci_event WHERE id > :last;
