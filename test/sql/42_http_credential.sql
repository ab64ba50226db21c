-- vci_http: POST /credential (OpenID4VCI 1.0 section 8) in both request shapes, with fresh proofs.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION helper.new_entitlement(holder text DEFAULT NULL,
    configurations text[] DEFAULT '{EntitlementCredential}') RETURNS text LANGUAGE sql AS $$
    SELECT helper.token(offer_id) FROM openid4vci.vci_create_offer(configurations,
        claims => '{"entitlementId": "E-1", "entitlementStatus": "approved", "amount": {"value": 1250.50, "currency": "PHP"}}', holder => holder)
$$;
CREATE FUNCTION helper.proofs(VARIADIC jwts text[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('proofs', jsonb_build_object('jwt', to_jsonb(jwts))) $$;
-- The parts of an answer that do not differ between runs.
CREATE FUNCTION helper.answer(token text, request jsonb, OUT status integer,
    OUT body jsonb) LANGUAGE sql AS
    'SELECT r.status, helper.hide(r.body) FROM helper.post_json(token, request) AS r';

-- 1.0: configuration id and proofs in, credentials out.
SELECT helper.new_entitlement() AS token \gset
SELECT wallet.proof(vci_create_nonce()) AS proof \gset
SELECT status, headers, helper.hide(body) AS body,
    body #>> '{credentials,0,credential}' AS credential
FROM helper.post_json(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(:'proof')) \gset
\echo :status :headers :body
SELECT helper.claims(:'credential'), helper.jwt_part(:'credential', 1) ->> 'typ',
    helper.jwt_part(:'credential', 2) #> '{cnf,jwk}' = wallet.public_jwk();
-- The wallet can show it to a verifier.
SELECT vci_verify_sdjwt(wallet.present(:'credential', 'n', 'https://verifier.example'), 'n',
    'https://verifier.example') ->> 'valid';
SELECT count(*) AS "the nonce is spent" FROM vci_nonce;
SELECT o.state, o.issued_at >= o.redeemed_at, c.configuration_id, c.format,
    c.holder_thumbprint IS NOT NULL
FROM vci_credential_info AS c JOIN vci_offer_info AS o ON o.id = c.offer_id
    ORDER BY c.id DESC LIMIT 1;

-- The byte-identical request within the window gets the same record's credential again.
SELECT count(*) AS before FROM vci_credential \gset
SELECT status, helper.claims(body #>> '{credentials,0,credential}'),
    helper.jwt_part(body #>> '{credentials,0,credential}',
    2) -> 'iat' = helper.jwt_part(:'credential', 2) -> 'iat'
FROM helper.post_json(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(:'proof'));
SELECT count(*) - :before FROM vci_credential;
-- Anything else under this token is refused: one response a dataset and token.
SELECT * FROM helper.answer(:'token',
    '{"credential_configuration_id": "EntitlementCredential", "x": 1}' || helper.proofs(:'proof'));
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce(), 'second')));
-- A nonce is spent once, also under another token.
SELECT * FROM helper.answer(helper.new_entitlement(),
    '{"credential_configuration_id": "EntitlementCredential"}' || helper.proofs(:'proof'));
-- After the window the repeated request is refused as well.
UPDATE vci_credential SET issued_at = issued_at - interval '61 seconds'
    WHERE token_id = (SELECT max(token_id) FROM vci_credential);
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(:'proof'));
-- No window: no repetition.
SELECT vci_alter_issuer('{"retry_window": 0}');
SELECT helper.new_entitlement(configurations => '{Membership}') AS token \gset
SELECT status FROM generate_series(1, 2) AS n,
    LATERAL helper.post_json(:'token', '{"credential_configuration_id": "Membership"}') WHERE n > 0;
SELECT vci_alter_issuer('{"retry_window": null}');

-- A request with proofs that do not hold; the token stays good for a right one.
SELECT helper.new_entitlement() AS token \gset
SELECT what, status, body FROM (VALUES
    ('no proof', '{}'::jsonb), ('proofs no object', '{"proofs": []}'),
    ('no type', '{"proofs": {}}'),
    ('two types', '{"proofs": {"jwt": ["x"], "attestation": ["x"]}}'),
    ('another type', '{"proofs": {"di_vp": [{}]}}'), ('no array', '{"proofs": {"jwt": "x"}}'),
    ('empty', '{"proofs": {"jwt": []}}'), ('no strings', '{"proofs": {"jwt": [1]}}'),
    ('no JWT', '{"proofs": {"jwt": ["x"]}}'),
    ('33 proofs', helper.proofs(VARIADIC array_fill('x'::text, '{33}'))),
    ('more than batch_size', helper.proofs(wallet.proof(vci_create_nonce()),
    wallet.proof(vci_create_nonce(), 'second'))),
    ('proof and proofs', '{"proof": {"proof_type": "jwt", "jwt": "x"}}' || helper.proofs('x')),
    ('no nonce', helper.proofs(wallet.proof(NULL))),
    ('invented nonce', helper.proofs(wallet.proof('invented'))),
    ('empty nonce', helper.proofs(wallet.proof(''))),
    ('tampered nonce', helper.proofs(wallet.proof(vci_create_nonce() || 'A'))),
    ('the code as nonce', helper.proofs(wallet.proof(:'token'))),
    ('alg none', helper.proofs(wallet.proof(vci_create_nonce(), header => '{"alg": "none"}'))),
    ('alg HS256', helper.proofs(wallet.proof(vci_create_nonce(), header => '{"alg": "HS256"}'))),
    ('another one''s signature',
    helper.proofs(wallet.proof(vci_create_nonce(),
    header => jsonb_build_object('jwk', wallet.public_jwk('second'))))),
    ('private jwk', helper.proofs(wallet.proof(vci_create_nonce(),
    header => jsonb_build_object('jwk', wallet.public_jwk() || '{"d": "AQ"}')))),
    ('off the curve', helper.proofs(wallet.proof(vci_create_nonce(),
    header => jsonb_build_object('jwk', wallet.public_jwk()
    || jsonb_build_object('y', wallet.public_jwk() ->> 'x'))))),
    ('crit', helper.proofs(wallet.proof(vci_create_nonce(), header => '{"crit": ["x"], "x": 1}'))),
    ('no typ', helper.proofs(wallet.proof(vci_create_nonce(), header => '{"typ": null}'))),
    ('typ JWT: the shape is 1.0''s, so strict',
    helper.proofs(wallet.proof(vci_create_nonce(), header => '{"typ": "JWT"}'))),
    ('another audience', helper.proofs(wallet.proof(vci_create_nonce(),
    payload => '{"aud": "https://other.example"}'))),
    ('iat in the future', helper.proofs(wallet.proof(vci_create_nonce(),
    payload => jsonb_build_object('iat', helper.now(600))))),
    ('iat stale', helper.proofs(wallet.proof(vci_create_nonce(),
    payload => jsonb_build_object('iat', helper.now(-90000))))),
    ('sd_hash', helper.proofs(wallet.proof(vci_create_nonce(), payload => '{"sd_hash": "x"}'))),
    ('oversize', helper.proofs(wallet.proof(vci_create_nonce(),
    payload => jsonb_build_object('x', repeat('x', 70000))))),
    ('no key', helper.proofs(wallet.proof(vci_create_nonce(), header => '{"jwk": null}'))))
    AS p (what, proofs),
    LATERAL helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || proofs);
-- An older nonce than its lifetime; one of another issuer's.
SELECT vci_create_nonce() AS nonce \gset
SELECT vci_alter_issuer('{"c_nonce_lifetime": 86400}') AS "a change of the lifetime starts a new epoch";
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'nonce')));
SELECT vci_alter_issuer('{"c_nonce_lifetime": null}');
SELECT count(*) FROM vci_credential AS c JOIN vci_offer AS o ON o.id = c.offer_id
    WHERE o.issued_at IS NULL;
SELECT status FROM helper.answer(:'token',
    '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce())));

-- Several proofs in one request: a credential a key; they may share a nonce, not a key.
SELECT vci_alter_issuer('{"batch_size": 2}');
SELECT helper.new_entitlement() AS token \gset
SELECT vci_create_nonce() AS nonce \gset
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'nonce'), wallet.proof(:'nonce', payload => '{"x": 1}')));
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'nonce'), wallet.proof('x', 'second')));
SELECT status, jsonb_array_length(body -> 'credentials'),
    array_agg(helper.jwt_part(c ->> 'credential', 2) #> '{cnf,jwk}' = wallet.public_jwk(CASE n
    WHEN 1 THEN 'first' ELSE 'second' END))
FROM helper.post_json(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'nonce'), wallet.proof(:'nonce', 'second'))),
    jsonb_array_elements(body -> 'credentials') WITH ORDINALITY AS e (c, n) GROUP BY 1, 2;
-- All nonces of a request are spent or none: beside a spent one, the fresh one stays fresh.
SELECT helper.new_entitlement() AS token, vci_create_nonce() AS fresh,
    (SELECT count(*) FROM vci_nonce) AS spent \gset
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'fresh'), wallet.proof(:'nonce', 'second')));
SELECT count(*) = :spent AS "none was spent" FROM vci_nonce;
SELECT status, jsonb_array_length(body -> 'credentials') FROM helper.answer(:'token',
    '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'fresh'), wallet.proof(vci_create_nonce(), 'second')));
SELECT count(*) - :spent FROM vci_nonce;
-- What was spent before is not given back by that.
SELECT * FROM helper.answer(helper.new_entitlement(),
    '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'nonce')));
SELECT vci_alter_issuer('{"batch_size": null}');

-- The holder: a key or DID that the offer names is the only one.
SELECT holder, signer, status, body ->> 'error', body ->> 'error_description'
FROM (VALUES ('did', 'first'), ('did', 'second'), ('jwk', 'first'), ('jwk', 'second'))
    AS h (holder, signer),
    LATERAL helper.answer(helper.new_entitlement(CASE holder WHEN 'did' THEN wallet.did()
    ELSE wallet.public_jwk()::text END),
        '{"credential_configuration_id": "EntitlementCredential"}'
        || helper.proofs(wallet.proof(vci_create_nonce(), signer)));
-- did:web: by the document that the operator loads.
SELECT helper.new_entitlement('did:web:wallet.example:holder1') AS token \gset
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce(),
    header => '{"jwk": null, "kid": "did:web:wallet.example:holder1#1"}')));
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT vci_load_did_document('did:web:wallet.example:holder1',
    jsonb_build_object('id', 'did:web:wallet.example:holder1',
    'verificationMethod', jsonb_build_array(jsonb_build_object('id',
    'did:web:wallet.example:holder1#1', 'type', 'JsonWebKey2020',
        'controller', 'did:web:wallet.example:holder1', 'publicKeyJwk', wallet.public_jwk())),
        'authentication', '["did:web:wallet.example:holder1#1"]'::jsonb));
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce(), 'second')));
SELECT status, helper.jwt_part(body #>> '{credentials,0,credential}', 2) -> 'cnf'
FROM helper.post_json(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce(),
    header => '{"jwk": null, "kid": "did:web:wallet.example:holder1#1"}')));

-- Which credential: names, identifiers, coverage.
SELECT helper.new_entitlement(configurations => '{Membership}') AS token \gset
SELECT * FROM unnest(ARRAY['{}', '{"credential_configuration_id": "Unknown"}',
    '{"credential_configuration_id": "EntitlementCredential"}',
    '{"credential_configuration_id": 1}',
    '{"credential_configuration_id": ""}', '{"credential_configuration_id": null}',
    '{"credential_identifier": "Membership#1"}', '{"credential_identifier": "x"}',
    '{"credential_identifier": "Membership#1", "credential_configuration_id": "Membership"}',
    '{"format": "dc+sd-jwt"}', '{"format": 1}', '{"format": "vc+sd-jwt", "vct": 1}',
    '{"format": "jwt_vc_json", "credential_definition": {"type": ["VerifiableCredential", "Membership"]}}',
    '{"format": "vc+sd-jwt", "credential_definition": {"type": ["Membership"], "vct": 3}}',
    '{"format": "vc+sd-jwt", "credential_definition": []}',
    '{"format": "vc+sd-jwt", "credential_definition": {"type": "Membership"}}',
    '{"format": "vc+sd-jwt", "credential_definition": {"type": ["VerifiableCredential"]}}',
    '{"format": "vc+sd-jwt", "credential_definition": {"type": ["VerifiableCredential", "Unknown"]}}',
    '{"format": "vc+sd-jwt", "vct": "https://registry.example/credentials/entitlement"}',
    '{"credential_configuration_id": "Membership", "credential_response_encryption": {"jwk": {}, "enc": "A128GCM"}}',
    '[]', '"x"', 'null']) AS request,
    LATERAL helper.answer(:'token', request::jsonb);
SELECT status, headers ->> 'WWW-Authenticate'
    FROM helper.post_json(:'token', '{"credential_configuration_id": "EntitlementCredential"}');
SELECT status FROM helper.answer(:'token',
    '{"credential_configuration_id": "Membership", "unknown": {"member": []}}');
-- A token given with credential_identifiers wants them used.
SELECT body ->> 'access_token' AS token
    FROM helper.post_form(helper.form(helper.code((vci_create_offer('{Membership,EntitlementCredential}',
    claims => '{"entitlementId": "E-1"}')).offer_id),
    more => '&authorization_details=[{"type":"openid_credential","credential_configuration_id":"Membership"}]')) \gset
SELECT * FROM unnest(ARRAY['{"credential_configuration_id": "Membership"}',
    '{"credential_identifier": "EntitlementCredential#1"}',
    '{"credential_identifier": "Membership#2"}',
    '{"credential_identifier": "Membership"}',
    '{"format": "dc+sd-jwt", "vct": "https://registry.example/credentials/membership"}',
    '{"credential_identifier": "Membership#1"}']) AS request,
    LATERAL helper.answer(:'token', request::jsonb);

-- The shape of the guide: format and credential_definition in, format and credential out; leniency follows the shape.
SELECT '{"format": "vc+sd-jwt", "credential_definition": {"type": ["VerifiableCredential", "EntitlementCredential"]}}' AS older \gset
SELECT helper.new_entitlement() AS token, vci_create_nonce() AS nonce \gset
SELECT * FROM helper.answer(:'token', :'older');
SELECT what, status, body FROM (VALUES ('no object', '{"proof": "x"}'::jsonb),
    ('no type', '{"proof": {"jwt": "x"}}'),
    ('another type', '{"proof": {"proof_type": "cwt", "cwt": "x"}}'),
    ('no jwt', '{"proof": {"proof_type": "jwt"}}'),
    ('invented nonce', jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof('x')))),
    ('sd_hash', jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt',
    wallet.proof(:'nonce', header => '{"typ": "kb+jwt"}', payload => '{"sd_hash": "x"}')))),
    ('no key, no holder', jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt',
    wallet.proof(:'nonce', header => '{"typ": "kb+jwt", "jwk": null}'))))) AS p (what, proof),
    LATERAL helper.answer(:'token', :'older'::jsonb || proof);
SELECT status, helper.hide(body), helper.jwt_part(body ->> 'credential', 1) ->> 'typ',
    helper.claims(body ->> 'credential')
FROM helper.post_json(:'token', :'older'::jsonb
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt',
    wallet.proof(:'nonce', header => '{"typ": null}'))));
-- By vct, in the configuration's own format; with plural proofs the array of draft 14.
SELECT status, helper.hide(body), helper.jwt_part(body ->> 'credential', 1) ->> 'typ'
    FROM helper.post_json(helper.new_entitlement(),
    '{"format": "dc+sd-jwt", "vct": "https://registry.example/credentials/entitlement"}'
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt',
    wallet.proof(vci_create_nonce(), header => '{"typ": "JWT"}'))));
SELECT status, jsonb_typeof(body #> '{credentials,0}'), body ->> 'format'
    FROM helper.post_json(helper.new_entitlement(), :'older'::jsonb
    || helper.proofs(wallet.proof(vci_create_nonce())));
-- 1.0's names with a single proof: 1.0's answer.
SELECT status, helper.hide(body)
    FROM helper.post_json(helper.new_entitlement(),
    '{"credential_configuration_id": "EntitlementCredential"}'
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(vci_create_nonce()))));
-- A proof without a key verifies only against the holder that the offer names.
SELECT signer, status, body ->> 'error' FROM unnest('{first,second}'::text[]) AS signer,
    LATERAL helper.answer(helper.new_entitlement(wallet.did()),
    :'older'::jsonb || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt',
    wallet.proof(vci_create_nonce(), signer, '{"typ": "kb+jwt", "jwk": null}'))));

-- Each switch off is strict 1.0.
SELECT helper.new_entitlement() AS token \gset
SELECT switch, status, body FROM (VALUES ('format_request', :'older'::jsonb
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(vci_create_nonce())))),
    ('vc_sd_jwt', :'older'::jsonb
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(vci_create_nonce())))),
    ('singular_proof', '{"credential_configuration_id": "EntitlementCredential"}'
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(vci_create_nonce())))),
    ('untyped_proof', :'older'::jsonb
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt',
    wallet.proof(vci_create_nonce(), header => '{"typ": "JWT"}'))))) AS s (switch, request),
    LATERAL (SELECT vci_alter_configuration('EntitlementCredential',
    jsonb_build_object('older',
    '["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt", "metadata"]'::jsonb - switch))) AS a (nothing),
    LATERAL helper.answer(:'token', CASE WHEN nothing IS NULL THEN NULL ELSE request END);
-- holder_without_proof: where the offer names the DID, an older request needs no proof, and cnf comes from the DID.
SELECT vci_alter_configuration('EntitlementCredential',
    '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt", "metadata", "holder_without_proof"]}');
SELECT status, helper.hide(body),
    helper.jwt_part(body ->> 'credential', 2) #> '{cnf,jwk}' = wallet.public_jwk()
    FROM helper.post_json(helper.new_entitlement(wallet.did()), :'older');
SELECT * FROM helper.answer(helper.new_entitlement(wallet.did()),
    '{"credential_configuration_id": "EntitlementCredential"}');
SELECT * FROM helper.answer(helper.new_entitlement(), :'older');
SELECT * FROM helper.answer(helper.new_entitlement('did:web:nobody.example'), :'older');
SELECT status, body ->> 'error'
    FROM helper.answer(helper.new_entitlement(wallet.did()), :'older'::jsonb
    || jsonb_build_object('proof',
    jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(vci_create_nonce(), 'second'))));
SELECT vci_alter_configuration('EntitlementCredential',
    '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt", "metadata"]}');

-- Binding optional: with a proof bound, without one not, but never where the offer names the holder.
SELECT vci_alter_configuration('EntitlementCredential', '{"binding": "optional"}');
SELECT status, helper.jwt_part(body #>> '{credentials,0,credential}', 2) ? 'cnf'
    FROM helper.post_json(helper.new_entitlement(),
    '{"credential_configuration_id": "EntitlementCredential"}');
SELECT status, helper.jwt_part(body #>> '{credentials,0,credential}', 2) ? 'cnf'
    FROM helper.post_json(helper.new_entitlement(),
    '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT * FROM helper.answer(helper.new_entitlement(wallet.did()),
    '{"credential_configuration_id": "EntitlementCredential"}');
SELECT vci_alter_configuration('EntitlementCredential', '{"binding": "required"}');
-- An offer for one holder is not for anybody else when the binding is taken away later.
SELECT helper.new_entitlement(wallet.did()) AS token \gset
SELECT vci_alter_configuration('EntitlementCredential', '{"binding": "absent"}');
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}');
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT vci_alter_configuration('EntitlementCredential', '{"binding": "required"}');
SELECT status FROM helper.answer(:'token',
    '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(vci_create_nonce())));
-- Binding absent: proofs that come are not needed and not looked at.
SELECT status, helper.jwt_part(body #>> '{credentials,0,credential}', 2) ? 'cnf'
    FROM helper.post_json(helper.new_entitlement(configurations => '{Membership}'),
    '{"credential_configuration_id": "Membership"}' || helper.proofs('x'));

-- The access token (RFC 6750): missing, malformed, forged, expired, withdrawn.
SELECT header, status, headers_out ->> 'WWW-Authenticate', body_out
    FROM unnest(ARRAY['', 'Basic dTpw', 'Bearer', 'Bearer ', 'Bearer x y', 'Bearer ü',
    'Bearer AAAA', 'bearer AAAA', 'DPoP AAAA',
    'Bearer ''; DROP TABLE vci_token; --', 'Bearer "AAAA"', 'Bearer AAAA, Bearer AAAA']) AS header,
    LATERAL helper.http('POST', '/api/v1/openid4vci/credential',
    ARRAY['Host', 'registry.example', 'Content-Type', 'application/json', 'Authorization', header],
    '{}');
SELECT status, headers_out, body_out
    FROM helper.http('POST', '/api/v1/openid4vci/credential',
    '{Host, registry.example, Content-Type, application/json}', '{}');
SELECT status, headers_out ->> 'WWW-Authenticate', body_out
    FROM helper.http('POST', '/api/v1/openid4vci/credential',
    '{Host, registry.example, Content-Type, application/json, Authorization, Bearer A, authorization, Bearer B}',
    '{}');
SELECT status, body_out ->> 'error'
    FROM helper.http('POST', '/api/v1/openid4vci/credential?access_token=' || :'token',
    '{Host, registry.example, Content-Type, application/json}', '{}');
SELECT status, body_out
    FROM helper.http('POST', '/api/v1/openid4vci/credential?access_token=' || :'token',
    ARRAY['Host', 'registry.example', 'Content-Type', 'application/json', 'Authorization', 'Bearer ' || :'token'], '{}');
SELECT status, headers ->> 'WWW-Authenticate' FROM helper.post_json(repeat('A', 5000), '{}');
-- That the issuer has no key is nothing that a stranger is told, nor an error he can cause.
BEGIN;
SELECT count(vci_retire_key(kid)) > 0 FROM vci_key_info
    WHERE issuer = 'https://registry.example' AND state = 'active';
SELECT status, body ->> 'error' FROM helper.post_json(NULL, '{}');
SELECT status, body ->> 'error' FROM helper.post_json('AAAA', '{}');
ROLLBACK;
SELECT status, body ->> 'error'
    FROM helper.answer(helper.code(helper.new_offer()),
    '{"credential_configuration_id": "Membership"}') AS a;
SELECT helper.new_entitlement(configurations => '{Membership}') AS token \gset
UPDATE vci_token SET expires_at = clock_timestamp() WHERE id = (SELECT max(id) FROM vci_token);
SELECT status, body FROM helper.answer(:'token', '{"credential_configuration_id": "Membership"}');
-- The media type and the body.
SELECT helper.new_entitlement(configurations => '{Membership}') AS token \gset
SELECT type, body, status, body_out ->> 'error', body_out ->> 'error_description'
    FROM (VALUES ('text/plain', '{}'), ('application/jwt', 'x'),
    ('application/x-www-form-urlencoded', 'x=1'), ('application/json', ''),
    ('application/json', '{'),
    ('application/json', '{"credential_configuration_id": "Membership", "credential_configuration_id": "Membership"}'),
    ('application/json', '{"credential_configuration_id": "Membership"} x'),
    ('application/json; charset=latin1', '{"credential_configuration_id": "Membership"}'),
    ('application/json', '{"a": ' || repeat('[', 40) || repeat(']', 40) || '}'),
    ('application/json', '{"credential_configuration_id": "Member\u0000ship"}'),
    ('application/json', '{"credential_configuration_id": NaN}'),
    ('Application/JSON ; charset="UTF-8"', '{"credential_configuration_id": "Membership"}'))
    AS b (type, body),
    LATERAL helper.http('POST', '/api/v1/openid4vci/credential',
    ARRAY['Host', 'registry.example', 'Content-Type', type, 'Authorization', 'Bearer ' || :'token'],
    convert_to(body, 'UTF8'));

-- Several datasets behind one configuration: credential_identifier alone says which; each has its
-- own subject and claims and is issued once.
SELECT body ->> 'access_token' AS token, helper.hide(body -> 'authorization_details') AS details
    FROM helper.post_form(helper.form(helper.code((vci_create_offer('{EntitlementCredential,Membership}',
    subject_model => 'household', subject_id => '1', claims => '{"entitlementId": "E-0"}',
    options => '{"datasets": [
        {"configuration_id": "EntitlementCredential", "subject_model": "person", "subject_id": "mother", "claims": {"entitlementId": "E-1"}},
        {"configuration_id": "EntitlementCredential", "claims": {"entitlementId": "E-2"}, "name": "Child"}]}')).offer_id))) \gset
\echo :details
SELECT request, status, body FROM unnest(ARRAY['{"credential_configuration_id": "EntitlementCredential"}',
    '{"credential_identifier": "EntitlementCredential"}', '{"credential_identifier": "EntitlementCredential#0"}',
    '{"credential_identifier": "EntitlementCredential#3"}', '{"credential_identifier": "EntitlementCredential#01"}',
    '{"credential_identifier": "Membership#2"}',
    '{"format": "dc+sd-jwt", "vct": "https://registry.example/credentials/entitlement"}']) AS request,
    LATERAL helper.answer(:'token', request::jsonb || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT max(id) AS last FROM vci_event \gset
SELECT identifier, status, helper.claims(body #>> '{credentials,0,credential}')
FROM unnest('{EntitlementCredential#2,EntitlementCredential#1,Membership#1}'::text[]) AS identifier,
    LATERAL helper.post_json(:'token', jsonb_build_object('credential_identifier', identifier)
    || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT configuration_id, dataset, subject_model, subject_id FROM vci_credential_info
    WHERE offer_id = (SELECT max(offer_id) FROM vci_credential) ORDER BY id;
SELECT kind, offer_id IS NOT NULL, token_id IS NOT NULL, credential_id IS NOT NULL FROM vci_event
    WHERE id > :last ORDER BY id;
SELECT status, body ->> 'error' FROM helper.answer(:'token', '{"credential_identifier": "EntitlementCredential#1"}'
    || helper.proofs(wallet.proof(vci_create_nonce(), 'second')));
-- Paused: 503 before anything is looked at.
SELECT vci_pause_issuance();
SELECT status, headers -> 'Retry-After' IS NOT NULL, body FROM helper.post_json('AAAA', '{}');
SELECT vci_resume_issuance();
