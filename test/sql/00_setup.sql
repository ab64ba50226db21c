-- The database of all these tests: a root key, the extension, a small wallet and helpers.
SET client_min_messages = warning;

-- The root key lies outside the data directory, readable by the server's user alone.
SELECT '/tmp/openid4vci-regress-' || gen_random_uuid() AS root_key,
       current_database() AS database \gset
SELECT 'umask 077 && set -C && cat >' || :'root_key' AS write_root_key \gset
COPY (SELECT encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid(), 'UTF8')),
    'hex'))
    TO PROGRAM :'write_root_key';
LOAD 'openid4vci';
ALTER DATABASE :"database" SET openid4vci.root_key_file = :'root_key';
ALTER DATABASE :"database" SET search_path = public, openid4vci;
SET openid4vci.root_key_file = :'root_key';
CREATE EXTENSION openid4vci;

-- Roles are the cluster's, so an earlier run that broke off may have left them.
DROP ROLE IF EXISTS regress_vci_admin, regress_vci_offerer, regress_vci_reporter,
    regress_vci_endpoint, regress_vci_backup, regress_vci_registry, regress_vci_stranger,
    regress_vci_short, regress_vci_clerk, regress_vci_former_clerk, regress_vci_trust,
    regress_vci_watch, regress_vci_hand, regress_vci_brief,
    "regress_vci ""odd""; role";
CREATE ROLE regress_vci_admin;
CREATE ROLE regress_vci_offerer;
CREATE ROLE regress_vci_reporter;
CREATE ROLE regress_vci_endpoint;
CREATE ROLE regress_vci_backup;
CREATE ROLE regress_vci_registry;
CREATE ROLE regress_vci_stranger;
CREATE ROLE "regress_vci ""odd""; role";

-- What a test shows of a call that is expected to fail: SQLSTATE, message, detail and hint.
-- Whatever the call did is undone, also when it did not fail.
CREATE SCHEMA helper;
GRANT USAGE ON SCHEMA helper TO PUBLIC;
CREATE FUNCTION helper.error(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE call;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    RETURN 'no error';
WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n    ', state || ' ' || message, 'DETAIL ' || NULLIF(detail, ''),
                     'HINT ' || NULLIF(hint, ''));
END
$$;
CREATE FUNCTION helper.errors(VARIADIC calls text[]) RETURNS SETOF text LANGUAGE sql AS
    'SELECT helper.error(call) FROM unnest(calls) AS call';

-- Secrets and times differ in each run: only their presence is shown.
CREATE FUNCTION helper.hide(value jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE jsonb_typeof(value)
        WHEN 'object' THEN (
            SELECT COALESCE(jsonb_object_agg(m.key,
                CASE WHEN m.key = ANY ('{access_token,c_nonce,pre-authorized_code,credential,kid,x,y,n,
                                          iat,exp,jwt,nonce,thumbprint,sd_hash,_sd,transaction_id,notification_id}')
                          AND jsonb_typeof(m.value) <> 'null' THEN '"..."'
                     ELSE helper.hide(m.value) END), '{}')
            FROM jsonb_each(value) AS m)
        WHEN 'array' THEN (
            SELECT COALESCE(jsonb_agg(helper.hide(e.value) ORDER BY e.n), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS e (value, n))
        ELSE value END
$$;

-- The next vci_purge looks at all tables again, though they rest for an hour at least.
CREATE FUNCTION helper.sweep_anew() RETURNS void LANGUAGE sql AS
    'UPDATE openid4vci.vci_purge_state SET mark = 0, swept_at = NULL WHERE kind <> ''claims''';

-- HTTP: the answer's body as JSON, its headers as an object.
CREATE FUNCTION helper.http(method text, target text, headers text[] DEFAULT '{}',
    body bytea DEFAULT '',
                            OUT status integer, OUT headers_out jsonb, OUT body_out jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    answer openid4vci.vci_http_response;
BEGIN
    answer := openid4vci.vci_http(method, target, headers, body);
    status := answer.status;
    SELECT COALESCE(jsonb_object_agg(answer.headers[2 * i - 1], answer.headers[2 * i]), '{}')
        INTO headers_out
        FROM generate_series(1, COALESCE(array_length(answer.headers, 1), 0) / 2) AS i;
    body_out := NULLIF(convert_from(answer.body, 'UTF8'), '')::jsonb;
END
$$;
-- A token request with this form.
CREATE FUNCTION helper.post_form(form text, base text DEFAULT '/api/v1/openid4vci',
                                 OUT status integer, OUT headers jsonb,
                                 OUT body jsonb) LANGUAGE sql AS $$
    SELECT * FROM helper.http('POST', base || '/token',
        '{Host, registry.example, Content-Type, application/x-www-form-urlencoded}', convert_to(form, 'UTF8'))
$$;
CREATE FUNCTION helper.form(code text, tx_code text DEFAULT NULL, more text DEFAULT '') RETURNS text
LANGUAGE sql AS $$
    SELECT 'grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code=' || code
        || COALESCE('&tx_code=' || tx_code, '') || more
$$;
-- A credential request with this body.
CREATE FUNCTION helper.post_json(token text, request jsonb, base text DEFAULT '/api/v1/openid4vci',
                                 OUT status integer, OUT headers jsonb,
                                 OUT body jsonb) LANGUAGE sql AS $$
    SELECT * FROM helper.http('POST', base || '/credential',
        '{Host, registry.example, Content-Type, application/json}'::text[]
            || CASE WHEN token IS NULL THEN '{}' ELSE ARRAY['Authorization', 'Bearer ' || token] END,
        convert_to(request::text, 'UTF8'))
$$;
-- POST to an endpoint of the first issuer: a JSON object or a form, with these headers besides.
CREATE FUNCTION helper.post(leaf text, content text, more text[] DEFAULT '{}', OUT status integer,
                            OUT headers jsonb, OUT body jsonb) LANGUAGE sql AS $$
    SELECT * FROM helper.http('POST', '/api/v1/openid4vci' || leaf,
        ARRAY['Host', 'registry.example', 'Content-Type', CASE WHEN content LIKE '{%'
            THEN 'application/json' ELSE 'application/x-www-form-urlencoded' END] || more,
        convert_to(content, 'UTF8'))
$$;
CREATE FUNCTION helper.percent_decode(encoded text) RETURNS text LANGUAGE sql AS $$
    SELECT convert_from(string_agg(
        CASE WHEN part[1] IS NOT NULL THEN decode(part[1], 'hex') ELSE convert_to(part[2], 'UTF8') END,
        '' ORDER BY n), 'UTF8')
    FROM regexp_matches(encoded, '%([0-9A-Fa-f]{2})|([^%]+)', 'g') WITH ORDINALITY AS m (part, n)
$$;
-- The code in an offer.
CREATE FUNCTION helper.code(offer jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT offer #>> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,pre-authorized_code}'
$$;
CREATE FUNCTION helper.code(offer_id bigint) RETURNS text LANGUAGE sql AS $$
    SELECT helper.code(helper.percent_decode(split_part(openid4vci.vci_offer_uri(offer_id), '=', 2))::jsonb)
$$;
-- The access token of a new offer: what a test of the credential endpoint starts from.
CREATE FUNCTION helper.token(offer_id bigint) RETURNS text LANGUAGE sql AS $$
    SELECT openid4vci.vci_exchange_code(helper.code(offer_id)) ->> 'access_token'
$$;
-- What a credential discloses when everything is shown, without times and keys.
CREATE FUNCTION helper.claims(sd_jwt text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN (verdict ->> 'valid')::boolean
                THEN (verdict -> 'claims') - '{iss,iat,exp,cnf,vct}'::text[] ELSE verdict END
    FROM openid4vci.vci_verify_sdjwt(sd_jwt) AS verdict
$$;
-- The payload and header as signed, before disclosures are put in.
CREATE FUNCTION helper.base64url_decode(encoded text) RETURNS bytea LANGUAGE sql AS $$
    SELECT decode(rpad(translate(encoded, '-_', '+/'), (length(encoded) + 3) / 4 * 4, '='), 'base64')
$$;
CREATE FUNCTION helper.jwt_part(jwt text, part integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT convert_from(helper.base64url_decode(split_part(split_part(jwt, '~', 1), '.', part)), 'UTF8')::jsonb
$$;
CREATE FUNCTION helper.base64url(data bytea) RETURNS text LANGUAGE sql AS $$
    SELECT translate(encode(data, 'base64'), E'+/=\n', '-_')
$$;

-- The RSA key of RFC 7515 appendix A.2.
CREATE FUNCTION helper.rsa_jwk() RETURNS jsonb LANGUAGE sql AS $$
    SELECT '{"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}'::jsonb
$$;

-- A wallet that signs proofs, so that fresh ones need no program beside psql. An ECDSA
-- signature is r, which belongs to a secret number k, and s = (digest + r * d) / k. With k
-- fixed that is one multiplication, which type numeric can do. Such a k gives the key away:
-- fit for these tests alone. The first key, k and r are those of RFC 6979 appendix A.2.5
-- (message "sample", SHA-256); the second were made for these tests.
CREATE SCHEMA wallet;
CREATE TABLE wallet.key (name text PRIMARY KEY, jwk jsonb NOT NULL, d text, inverse_of_k text,
    r text);
INSERT INTO wallet.key VALUES
    ('first', '{"kty": "EC", "crv": "P-256",
      "x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y",
      "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk"}',
     'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
     'aaf7a4c4d10293a89370e2cc3e88ca623e38b5814d37eb5e96ffdea769cfe547',
     'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716'),
    ('second', '{"kty": "EC", "crv": "P-256",
      "x": "LPqgGVPQr6SdOZgZftQjSBA0sONQhb0_lhhQX16fz9U",
      "y": "YE88Z-Q6_qjmBWdhPLQu1e1hfCZN_haHyuNq-HjJjWw"}',
     'def30f4269795b059bf5ec56275a8afb0925ef069017e052c5c1c0df46718130',
     'd2833cd7ebc07f7a4e69a185dfa33bc6a7bb63183b81764baacefbce3e7d4c29',
     '5115e0d01dcf173680f3e77f6bf6e7d42098b4e6e15c986b4ad97df9ab84ed48');
CREATE FUNCTION wallet.public_jwk(key_name text DEFAULT 'first') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jwk FROM wallet.key WHERE name = key_name
$$;
CREATE FUNCTION wallet.did(key_name text DEFAULT 'first') RETURNS text LANGUAGE sql AS $$
    SELECT 'did:jwk:' || helper.base64url(convert_to(wallet.public_jwk(key_name)::text, 'UTF8'))
$$;
CREATE FUNCTION wallet.number(data bytea) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    result numeric := 0;
BEGIN
    FOR i IN 0 .. length(data) - 1 LOOP
        result := result * 256 + get_byte(data, i);
    END LOOP;
    RETURN result;
END
$$;
CREATE FUNCTION wallet.bytes(number numeric, len integer) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    hex text := '';
BEGIN
    WHILE length(hex) < 2 * len LOOP
        hex := lpad(to_hex(mod(number, 281474976710656)::bigint), 12, '0') || hex;
        number := div(number, 281474976710656);
    END LOOP;
    RETURN decode(right(hex, 2 * len), 'hex');
END
$$;
-- ES256 (RFC 7518 section 3.4): r and s, modulo the order of P-256.
CREATE FUNCTION wallet.signature(message text, key_name text) RETURNS text LANGUAGE sql AS $$
    SELECT helper.base64url(decode(k.r, 'hex') || wallet.bytes(mod(
        (wallet.number(sha256(convert_to(message, 'UTF8')))
         + wallet.number(decode(k.r, 'hex')) * wallet.number(decode(k.d, 'hex')))
        * wallet.number(decode(k.inverse_of_k, 'hex')),
        wallet.number('\xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')), 32))
    FROM wallet.key AS k WHERE k.name = key_name
$$;
-- Texts, so that what no jsonb can hold can be signed too.
CREATE FUNCTION wallet.jwt_of_text(header text, payload text,
    key_name text DEFAULT 'first') RETURNS text
LANGUAGE sql AS $$
    SELECT message || '.' || wallet.signature(message, key_name)
    FROM (SELECT helper.base64url(convert_to(header, 'UTF8')) || '.'
              || helper.base64url(convert_to(payload, 'UTF8'))) AS m (message)
$$;
CREATE FUNCTION wallet.jwt(header jsonb, payload jsonb, key_name text DEFAULT 'first') RETURNS text
LANGUAGE sql AS 'SELECT wallet.jwt_of_text(header::text, payload::text, key_name)';
-- A key proof of OpenID4VCI 1.0 appendix F.1; header and payload may be changed, null takes away.
CREATE FUNCTION wallet.proof(nonce text, key_name text DEFAULT 'first', header jsonb DEFAULT '{}',
                             payload jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT wallet.jwt(
        jsonb_strip_nulls(jsonb_build_object('alg', 'ES256', 'typ', 'openid4vci-proof+jwt',
                                             'jwk', wallet.public_jwk(key_name)) || header),
        jsonb_strip_nulls(jsonb_build_object('aud', 'https://registry.example', 'nonce', nonce,
            'iat', floor(extract(epoch FROM clock_timestamp()))::bigint) || payload), key_name)
$$;
-- A DPoP proof (RFC 9449 section 4.2) for POST to this endpoint; token gives ath.
CREATE FUNCTION wallet.dpop(leaf text, token text DEFAULT NULL, key_name text DEFAULT 'first',
                            payload jsonb DEFAULT '{}', header jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
    SELECT wallet.jwt(
        jsonb_strip_nulls(jsonb_build_object('alg', 'ES256', 'typ', 'dpop+jwt',
                                             'jwk', wallet.public_jwk(key_name)) || header),
        jsonb_strip_nulls(jsonb_build_object('jti', gen_random_uuid(), 'htm', 'POST',
            'htu', 'https://registry.example/api/v1/openid4vci' || leaf,
            'iat', floor(extract(epoch FROM clock_timestamp()))::bigint,
            'ath', helper.base64url(sha256(convert_to(token, 'UTF8')))) || payload), key_name)
$$;
-- A presentation: the SD-JWT with the key binding JWT of RFC 9901 section 4.3.
CREATE FUNCTION wallet.present(sd_jwt text, nonce text, audience text,
    key_name text DEFAULT 'first',
                               header jsonb DEFAULT '{}', payload jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
    SELECT sd_jwt || wallet.jwt(
        jsonb_strip_nulls(jsonb_build_object('alg', 'ES256', 'typ', 'kb+jwt') || header),
        jsonb_strip_nulls(jsonb_build_object('aud', audience, 'nonce', nonce,
            'iat', floor(extract(epoch FROM clock_timestamp()))::bigint,
            'sd_hash', helper.base64url(sha256(convert_to(sd_jwt, 'UTF8')))) || payload), key_name)
$$;

SELECT openid4vci.vci_verify_kbjwt(wallet.proof('n'), 'n', 'https://registry.example') ->> 'valid'
    AS the_wallet_signs;
