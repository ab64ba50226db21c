-- OpenSPP's guide in SQL: an offer for an entitlement with the holder's DID and a PIN, the token
-- exchange, the credential request in its shape, and its test without a proof.
\pset format unaligned
\pset tuples_only on

-- "1. Generate Credential Offer": holder_wallet_did and a 6-digit PIN, sent by SMS.
SELECT vci_load_did_document('did:web:wallet.example:holder123',
    jsonb_build_object('id', 'did:web:wallet.example:holder123',
    'verificationMethod', jsonb_build_array(jsonb_build_object('id',
    'did:web:wallet.example:holder123#key-1', 'type', 'JsonWebKey2020',
        'controller', 'did:web:wallet.example:holder123', 'publicKeyJwk', wallet.public_jwk())),
    'authentication', '["did:web:wallet.example:holder123#key-1"]'::jsonb));
SELECT * FROM vci_create_offer('{EntitlementCredential}', subject_model => 'spp.entitlement',
    subject_id => '4711',
    claims => '{"entitlementId": "ENT-2026-004711", "entitlementStatus": "approved", "programName": "Cash Transfer Program", "amount": {"value": 5000.0, "currency": "PHP"}}',
    holder => 'did:web:wallet.example:holder123', tx_code => '123456',
    tx_code_description => 'Enter the PIN sent to your mobile') \gset
-- "Returns: openid-credential-offer://?credential_offer=..."
SELECT vci_offer_uri(:offer_id) ~ '^openid-credential-offer://\?credential_offer=%7B';
-- "2. Credential Offer Format"
SELECT jsonb_pretty(helper.hide(:'credential_offer'));
SELECT state, expires_at - created_at BETWEEN '6 days 23:50'
    AND '7 days 00:10' AS "default: 7 days" FROM vci_offer_info WHERE id = :offer_id;

-- "3. Token Exchange", over HTTP and with the members of the guide's response.
SELECT status, helper.hide(body), body ->> 'access_token' AS token, body ->> 'c_nonce' AS nonce
    FROM helper.post_form(helper.form(helper.code(:'credential_offer'::jsonb),
    '123456')) \gset response_
\echo :response_status :response_hide

-- "4. Credential Request": kb+jwt with nonce, aud and iat, and no key of its own.
SELECT wallet.jwt('{"alg": "ES256", "typ": "kb+jwt"}',
    jsonb_build_object('nonce', :'response_nonce', 'aud', 'https://registry.example', 'iat',
    helper.now())) AS kb_jwt \gset
-- "Verify KB-JWT"
SELECT vci_verify_kbjwt(:'kb_jwt', expected_nonce => :'response_nonce',
    expected_audience => 'https://registry.example',
                        holder_did => 'did:web:wallet.example:holder123',
                        older => true) ->> 'valid';
SELECT status, helper.hide(body), body ->> 'credential' AS credential
    FROM helper.post_json(:'response_token', jsonb_build_object('format', 'vc+sd-jwt',
    'credential_definition', '{"type": ["VerifiableCredential", "EntitlementCredential"]}'::jsonb,
    'proof', jsonb_build_object('proof_type', 'jwt', 'jwt', :'kb_jwt'))) \gset answer_
\echo :answer_status :answer_hide
SELECT :'answer_credential' LIKE 'eyJ%' AS "JWT format",
    helper.jwt_part(:'answer_credential', 1) - 'kid', helper.claims(:'answer_credential');
SELECT helper.jwt_part(:'answer_credential',
    2) #> '{cnf,jwk}' = wallet.public_jwk() AS "bound to the holder's DID";
SELECT state, redeemed_at IS NOT NULL, issued_at IS NOT NULL FROM vci_offer_info
    WHERE id = :offer_id;

-- "Test Credential Issuance Flow": exchange_pre_authorized_code(code, tx_code=None), then a request without a proof.
SELECT vci_alter_configuration('EntitlementCredential',
    '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt", "metadata", "holder_without_proof"]}');
SELECT helper.code(credential_offer) AS code
    FROM vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "ENT-1"}',
    holder => 'did:web:wallet.example:holder123') \gset
SELECT r ? 'access_token' AND r ? 'c_nonce' AS both, r ->> 'access_token' AS token
    FROM vci_exchange_code(:'code', tx_code => NULL) AS r \gset test_
\echo :test_both
SELECT status, body ->> 'credential' LIKE 'eyJ%',
    helper.jwt_part(body ->> 'credential', 2) #> '{cnf,jwk}' = wallet.public_jwk()
FROM helper.post_json(:'test_token',
    '{"format": "vc+sd-jwt", "credential_definition": {"type": ["VerifiableCredential", "EntitlementCredential"]}}');
-- "test_issuer_metadata"
SELECT status, body_out ? 'credential_issuer', body_out ? 'credential_configurations_supported',
    body_out -> 'credential_configurations_supported' ? 'EntitlementCredential'
FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, registry.example}');

-- "Getting invalid_grant": expired, redeemed, a wrong PIN.
SELECT vci_exchange_code(:'code') ->> 'error';
SELECT vci_exchange_code(helper.code(o.credential_offer), '000000')
    FROM vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "ENT-1"}',
    tx_code => '123456') AS o;
-- "Proof of possession verification failing?": wrong nonce, wrong audience, clock.
SELECT vci_verify_kbjwt(:'kb_jwt', 'another', 'https://registry.example',
    holder_key => wallet.public_jwk(), older => true) ->> 'error_description',
       vci_verify_kbjwt(:'kb_jwt', :'response_nonce', 'https://other.example',
       holder_key => wallet.public_jwk(), older => true) ->> 'error_description';

-- Where the guide's own words do not hold: status is the status list's, PINs are not stored in plain.
SELECT helper.errors($$SELECT vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "ENT-1", "status": "approved"}')$$);
SELECT count(*) FROM vci_offer AS o WHERE o::text ~ '123456';
