-- DPoP (RFC 9449): vci_verify_dpop, and bound tokens at the token and the resource endpoints.
\pset format unaligned
\pset tuples_only on

-- An offer's code in a form, and the headers of a request under a token.
CREATE FUNCTION helper.new_code() RETURNS text LANGUAGE sql AS $$
    SELECT helper.form(helper.code(offer_id)) FROM openid4vci.vci_create_offer('{Membership}',
        claims => '{"memberId": "M-1"}', issuer => 'https://registry.example')
$$;
CREATE FUNCTION helper.with_proof(VARIADIC proofs text[]) RETURNS text[] LANGUAGE sql AS $$
    SELECT COALESCE(array_agg(h ORDER BY n, k), '{}') FROM unnest(proofs) WITH ORDINALITY AS p (proof, n),
        LATERAL (VALUES (1, 'DPoP'), (2, proof)) AS v (k, h)
$$;
CREATE FUNCTION helper.bearer(token text) RETURNS text[] LANGUAGE sql AS
    $$ SELECT ARRAY['Authorization', 'Bearer ' || token] $$;
CREATE FUNCTION helper.bound(token text, proof text DEFAULT NULL,
    another text DEFAULT NULL) RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY['Authorization', 'DPoP ' || token]
        || helper.with_proof(VARIADIC array_remove(ARRAY[proof, another], NULL))
$$;
CREATE FUNCTION helper.bound_token(key_name text DEFAULT 'first') RETURNS text LANGUAGE sql AS $$
    SELECT body ->> 'access_token' FROM helper.post('/token', helper.new_code(),
        helper.with_proof(wallet.dpop('/token', key_name => key_name)))
$$;
CREATE FUNCTION helper.proofs_seen() RETURNS bigint LANGUAGE sql AS
    'SELECT count(*) FROM openid4vci.vci_dpop_proof';
\set membership '''{"credential_configuration_id": "Membership"}'''

-- vci_verify_dpop: a good proof, and what each rule refuses.
SELECT helper.hide(v - 'payload'), v ->> 'jkt' = vci_verify_kbjwt(wallet.proof('n'), 'n',
        'https://registry.example') ->> 'thumbprint', v #>> '{payload,htm}'
FROM vci_verify_dpop(wallet.dpop('/token'), 'POST',
    'https://registry.example/api/v1/openid4vci/token') AS v;
SELECT what, v ->> 'valid', v ->> 'error', v ->> 'error_description' FROM (VALUES
    ('no JWT', 'x'), ('another typ', wallet.dpop('/x', header => '{"typ": "JWT"}')),
    ('no key', wallet.dpop('/x', header => '{"jwk": null}')),
    ('a private key', wallet.dpop('/x', header => jsonb_build_object('jwk',
        wallet.public_jwk() || '{"d": "AA"}'))),
    ('another key', wallet.dpop('/x', header => jsonb_build_object('jwk',
        wallet.public_jwk('second')))),
    ('alg none', wallet.dpop('/x', header => '{"alg": "none"}')),
    ('alg HS256', wallet.dpop('/x', header => '{"alg": "HS256"}')),
    ('another method', wallet.dpop('/x', payload => '{"htm": "GET"}')),
    ('another URL', wallet.dpop('/y')),
    ('no jti', wallet.dpop('/x', payload => '{"jti": null}')),
    ('no iat', wallet.dpop('/x', payload => '{"iat": null}')),
    ('old', wallet.dpop('/x', payload => '{"iat": 1700000000}')),
    ('of the future', wallet.dpop('/x', payload => '{"iat": 4102444800}')),
    ('beyond all measure', wallet.jwt_of_text('{"alg": "ES256", "typ": "dpop+jwt"}',
        '{"htm": "POST", "x": 1e99999}'))) AS t (what, proof),
    LATERAL vci_verify_dpop(proof, 'POST', 'https://registry.example/api/v1/openid4vci/x') AS v;
SELECT what, v ->> 'valid', v ->> 'error_description' FROM (VALUES
    ('right ath', wallet.dpop('/x', 'secret')), ('no ath', wallet.dpop('/x')),
    ('another ath', wallet.dpop('/x', 'other'))) AS t (what, proof),
    LATERAL vci_verify_dpop(proof, 'POST', 'https://registry.example/api/v1/openid4vci/x',
        'secret') AS v;
SELECT vci_verify_dpop(wallet.dpop('/x', payload => '{"iat": 1700000000}'), 'POST',
        'https://registry.example/api/v1/openid4vci/x', max_age => '9 years') ->> 'valid',
    vci_verify_dpop(NULL, 'POST', 'https://registry.example') IS NULL;
SELECT helper.errors($$SELECT vci_verify_dpop('x', NULL, 'https://registry.example')$$,
    $$SELECT vci_verify_dpop('x', 'POST', NULL)$$,
    $$SELECT vci_verify_dpop('x', 'POST', 'https://registry.example', max_age => '0 s')$$);
SELECT helper.proofs_seen() AS "verifying spends nothing";

-- Optional, as it is by default: with a proof the token is bound, without it is not.
SELECT status, body ->> 'token_type', body ->> 'expires_in', headers ? 'DPoP-Nonce'
    FROM helper.post('/token', helper.new_code());
SELECT status, body ->> 'token_type', body ->> 'expires_in'
    FROM helper.post('/token', helper.new_code(), helper.with_proof(wallet.dpop('/token')));
SELECT jkt = vci_verify_dpop(wallet.dpop('/token'), 'POST',
    'https://registry.example/api/v1/openid4vci/token') ->> 'jkt' FROM vci_token
    ORDER BY id DESC LIMIT 1;
-- htu is the endpoint's URL by the settings, whatever Host says; a name that leads here decides nothing.
SELECT status, body ->> 'error_description' FROM helper.post('/token', helper.new_code(),
    helper.with_proof(wallet.dpop('/token', payload => '{"htu": "https://proxy.internal/api/v1/openid4vci/token"}')));
SELECT status, body ->> 'token_type' FROM helper.post('/token', helper.new_code(), helper.with_proof(
    wallet.dpop('/token', payload => '{"htu": "HTTPS://REGISTRY.example:443/api/v1/openid4vci/token?x=1#y"}')));

-- A refused proof leaves the code as it was; a proof works once.
SELECT helper.new_code() AS form \gset
SELECT wallet.dpop('/token') AS proof \gset
SELECT what, status, body ->> 'error', body ->> 'error_description' FROM (VALUES
    ('no JWT', helper.with_proof('x')), ('empty', helper.with_proof('')),
    ('for another endpoint', helper.with_proof(wallet.dpop('/credential'))),
    ('old', helper.with_proof(wallet.dpop('/token', payload => '{"iat": 1700000000}'))),
    ('another key signed', helper.with_proof(wallet.dpop('/token', header => jsonb_build_object(
        'jwk', wallet.public_jwk('second'))))),
    ('a nonce that is not ours', helper.with_proof(wallet.dpop('/token', payload => '{"nonce": "x"}'))),
    ('a c_nonce', helper.with_proof(wallet.dpop('/token', payload => jsonb_build_object('nonce',
        vci_create_nonce('https://registry.example'))))),
    ('two proofs', helper.with_proof(wallet.dpop('/token'), wallet.dpop('/token'))),
    ('too long', helper.with_proof(repeat('A', 9000)))) AS t (what, more),
    LATERAL helper.post('/token', :'form', more);
SELECT helper.proofs_seen() AS seen \gset
SELECT status FROM helper.post('/token', helper.form('AAAA'), helper.with_proof(:'proof'));
SELECT helper.proofs_seen() - :seen AS "spent for a forged code";
SELECT status, body ->> 'token_type' FROM helper.post('/token', :'form', helper.with_proof(:'proof'));
SELECT helper.proofs_seen() - :seen AS "spent with the token";
SELECT status, body ->> 'error_description'
    FROM helper.post('/token', helper.new_code(), helper.with_proof(:'proof'));
-- The same jti by another key is another proof.
SELECT status FROM unnest('{first,second}'::text[]) AS key_name, LATERAL helper.post('/token',
    helper.new_code(), helper.with_proof(wallet.dpop('/token', key_name => key_name, payload => '{"jti": "j"}')));

-- The credential endpoint: a bound token works under DPoP with a proof of its key alone.
SELECT helper.bound_token() AS token \gset
SELECT wallet.dpop('/credential', :'token') AS proof \gset
SELECT body ->> 'access_token' AS unbound FROM helper.post('/token', helper.new_code()) \gset
SELECT what, status, body ->> 'error', headers ->> 'WWW-Authenticate' FROM (VALUES
    ('no credentials', '{}'),
    ('as bearer', helper.bearer(:'token')),
    ('as bearer, with a proof', helper.bearer(:'token') || helper.with_proof(:'proof')),
    ('no proof', helper.bound(:'token')),
    ('a proof of another key', helper.bound(:'token', wallet.dpop('/credential', :'token', 'second'))),
    ('a proof without ath', helper.bound(:'token', wallet.dpop('/credential'))),
    ('ath of another token', helper.bound(:'token', wallet.dpop('/credential', 'other'))),
    ('a proof for the token endpoint', helper.bound(:'token', wallet.dpop('/token', :'token'))),
    ('for GET', helper.bound(:'token', wallet.dpop('/credential', :'token', payload => '{"htm": "GET"}'))),
    ('a broken proof', helper.bound(:'token', 'x')),
    ('two proofs', helper.bound(:'token', wallet.dpop('/credential', :'token'),
        wallet.dpop('/credential', :'token'))),
    ('a forged token', helper.bound('AAAA', wallet.dpop('/credential', 'AAAA'))),
    ('an unbound token', helper.bound(:'unbound', wallet.dpop('/credential', :'unbound'))))
    AS c (what, more), LATERAL helper.post('/credential', :membership, more);
SELECT status, headers ? 'WWW-Authenticate' FROM helper.post('/credential', :membership, helper.bound(:'token', :'proof'));
-- The same proof again, and the same request with a fresh one: the lost answer is repeated.
SELECT status, body ->> 'error_description' FROM helper.post('/credential', :membership, helper.bound(:'token', :'proof'));
SELECT status, body ->> 'notification_id' AS notification
    FROM helper.post('/credential', :membership, helper.bound(:'token', wallet.dpop('/credential', :'token'))) \gset
\echo :status
-- Neither a forged proof nor a good one with a forged token is remembered.
SELECT helper.proofs_seen() AS seen \gset
SELECT count(*) FILTER (WHERE status = 401) FROM (VALUES
    (helper.bound(:'token', wallet.dpop('/credential', :'token', header => jsonb_build_object('jwk',
        wallet.public_jwk('second'))))),
    (helper.bound('AAAA', wallet.dpop('/credential', 'AAAA')))) AS c (more),
    LATERAL helper.post('/credential', :membership, more);
SELECT helper.proofs_seen() - :seen AS "remembered";

-- The other resource endpoints ask for the same.
SELECT jsonb_build_object('notification_id', :'notification', 'event', 'credential_deleted') AS notice \gset
SELECT what, status, body ->> 'error' FROM (VALUES
    (1, 'as bearer', helper.bearer(:'token')),
    (2, 'a proof for the credential endpoint', helper.bound(:'token', wallet.dpop('/credential', :'token'))),
    (3, 'a proof', helper.bound(:'token', wallet.dpop('/notification', :'token')))) AS c (n, what, more),
    LATERAL helper.post('/notification', :'notice', more) ORDER BY n;
SELECT what, status, body ->> 'error' FROM (VALUES
    (1, 'no proof', helper.bound(:'token')),
    (2, 'a proof', helper.bound(:'token', wallet.dpop('/deferred_credential', :'token')))) AS c (n, what, more),
    LATERAL helper.post('/deferred_credential', '{"transaction_id": "AAAA"}', more) ORDER BY n;

-- Nonces (section 8): asked for with an error, good for more than one request, for nothing else.
SELECT vci_alter_issuer('{"dpop_nonce": true}', 'https://registry.example');
SELECT helper.new_code() AS form \gset
SELECT status, body ->> 'error' AS error, body ->> 'error_description' AS description, headers ->> 'DPoP-Nonce' AS nonce
    FROM helper.post('/token', :'form', helper.with_proof(wallet.dpop('/token'))) \gset
\echo :status :error :description
SELECT status, body ->> 'error' FROM helper.post('/token', :'form', helper.with_proof(wallet.dpop('/token',
    payload => jsonb_build_object('nonce', vci_create_nonce('https://registry.example')))));
SELECT status, headers ? 'DPoP-Nonce' AS nonce_for_the_next, body ->> 'access_token' AS token
    FROM helper.post('/token', :'form', helper.with_proof(wallet.dpop('/token',
        payload => jsonb_build_object('nonce', :'nonce')))) \gset
\echo :status :nonce_for_the_next
SELECT status, body ->> 'error', headers ->> 'WWW-Authenticate', headers ? 'DPoP-Nonce'
    FROM helper.post('/credential', :membership, helper.bound(:'token', wallet.dpop('/credential', :'token')));
SELECT status, headers ? 'DPoP-Nonce', headers ->> 'Access-Control-Expose-Headers'
    FROM helper.post('/credential', :membership, helper.bound(:'token',
    wallet.dpop('/credential', :'token', payload => jsonb_build_object('nonce', :'nonce'))));
-- It is no c_nonce either, and a bearer's request needs none.
SELECT status, body ->> 'error'
    FROM vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "E", "amount": {"value": 1}}',
        issuer => 'https://registry.example') AS o,
    LATERAL helper.post('/credential', jsonb_build_object('credential_configuration_id', 'EntitlementCredential',
        'proofs', jsonb_build_object('jwt', jsonb_build_array(wallet.proof(:'nonce'))))::text,
        helper.bearer(helper.token(o.offer_id)));
SELECT status, body ->> 'token_type', headers ? 'DPoP-Nonce' FROM helper.post('/token', helper.new_code());
SELECT vci_alter_issuer('{"dpop_nonce": null}', 'https://registry.example');

-- A nonce that nobody asked for must be ours too; the refusal brings one.
SELECT status, body ->> 'error', length(headers ->> 'DPoP-Nonce')
    FROM helper.post('/token', helper.new_code(), helper.with_proof(wallet.dpop('/token', payload => '{"nonce": "x"}')));
SELECT status, body ->> 'token_type' FROM helper.post('/token', helper.new_code(),
    helper.with_proof(wallet.dpop('/token', payload => jsonb_build_object('nonce', :'nonce'))));

-- Required: no token without a proof, and earlier bearer tokens are of no use any more.
SELECT helper.token(offer_id) AS bearer FROM vci_create_offer('{Membership}', claims => '{"memberId": "M-1"}',
    issuer => 'https://registry.example') \gset
SELECT helper.new_code() AS form \gset
SELECT vci_alter_issuer('{"dpop": "required"}', 'https://registry.example');
SELECT status, body ->> 'error', body ->> 'error_description' FROM helper.post('/token', :'form');
SELECT what, status, body ->> 'error', headers ->> 'WWW-Authenticate' FROM (VALUES
    (1, 'no credentials', '{}'), (2, 'a bearer token', helper.bearer(:'bearer')),
    (3, 'the same under DPoP', helper.bound(:'bearer', wallet.dpop('/credential', :'bearer'))),
    (4, 'a forged one', helper.bearer('AAAA'))) AS c (n, what, more),
    LATERAL helper.post('/credential', :membership, more) ORDER BY n;
SELECT status, body ->> 'token_type' FROM helper.post('/token', :'form', helper.with_proof(wallet.dpop('/token')));

-- Off: the header is not looked at, and a bound token is worth nothing without its key.
SELECT vci_alter_issuer('{"dpop": "off"}', 'https://registry.example');
SELECT status, body ->> 'token_type' FROM helper.post('/token', helper.new_code(), helper.with_proof('x', 'y'));
SELECT helper.bound_token() AS plain \gset
SELECT what, status, body ->> 'error', headers ->> 'WWW-Authenticate' FROM (VALUES
    (1, 'no credentials', '{}'),
    (2, 'scheme DPoP', helper.bound(:'plain', wallet.dpop('/credential', :'plain'))),
    (3, 'a bound token as bearer', helper.bearer(:'token')),
    (4, 'a token of now', helper.bearer(:'plain') || helper.with_proof('x'))) AS c (n, what, more),
    LATERAL helper.post('/credential', :membership, more) ORDER BY n;
SELECT body_out ? 'dpop_signing_alg_values_supported'
    FROM helper.http('GET', '/.well-known/oauth-authorization-server', '{Host, registry.example}');
SELECT vci_alter_issuer('{"dpop": null}', 'https://registry.example');
SELECT body_out -> 'dpop_signing_alg_values_supported'
    FROM helper.http('GET', '/.well-known/oauth-authorization-server', '{Host, registry.example}');

-- The same in SQL.
SELECT r ->> 'token_type' AS type, r ->> 'access_token' AS token FROM vci_request_token(jsonb_build_object('grant_type',
    'urn:ietf:params:oauth:grant-type:pre-authorized_code', 'pre-authorized_code',
    (SELECT helper.code(offer_id) FROM vci_create_offer('{Membership}', claims => '{"memberId": "M-1"}',
        issuer => 'https://registry.example'))), wallet.dpop('/token'), 'https://registry.example') AS r \gset
\echo :type
SELECT vci_request_credential(:'token', :membership, issuer => 'https://registry.example') ->> 'error';
SELECT vci_request_credential(:'token', :membership, wallet.dpop('/credential', :'token'),
    'https://registry.example') ? 'credentials';

-- A cancelled offer's token dies with it, bound or not.
SELECT helper.bound_token() AS token \gset
SELECT vci_cancel_offer(max(offer_id)) FROM vci_token;
SELECT status, body ->> 'error_description'
    FROM helper.post('/credential', :membership, helper.bound(:'token', wallet.dpop('/credential', :'token')));

-- Who serves requests alone may do all this; who verifies proofs needs the duty offerer.
SELECT vci_grant('regress_vci_endpoint', 'endpoint');
GRANT USAGE ON SCHEMA wallet TO regress_vci_endpoint;
GRANT SELECT ON wallet.key TO regress_vci_endpoint;
SELECT helper.new_code() AS form \gset
SET ROLE regress_vci_endpoint;
SELECT status, body ->> 'token_type' FROM helper.post('/token', :'form', helper.with_proof(wallet.dpop('/token')));
SELECT helper.error($$SELECT vci_verify_dpop('x', 'POST', 'https://registry.example')$$);
RESET ROLE;
REVOKE ALL ON wallet.key FROM regress_vci_endpoint;
REVOKE ALL ON SCHEMA wallet FROM regress_vci_endpoint;

-- Proofs are forgotten when they are too old to be taken.
UPDATE vci_dpop_proof SET issued_at = issued_at - interval '2 hours';
SELECT helper.proofs_seen() > 0 AS "before", (SELECT sum(purged) > 0 FROM vci_purge()), helper.proofs_seen() AS "after";
