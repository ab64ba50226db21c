-- POST /batch_credential of drafts 11 to 13: several credential requests at once, all or none.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION helper.batch(VARIADIC requests jsonb[]) RETURNS jsonb LANGUAGE sql AS
    $$SELECT jsonb_build_object('credential_requests', to_jsonb(requests))$$;
-- A request in the shape of the guide, with its single proof.
CREATE FUNCTION helper.older(nonce text, key_name text DEFAULT 'first',
    type text DEFAULT 'EntitlementCredential') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('format', 'vc+sd-jwt',
        'credential_definition', jsonb_build_object('type', jsonb_build_array('VerifiableCredential', type)),
        'proof', jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(nonce, key_name)))
$$;
CREATE FUNCTION helper.answer_batch(token text, request jsonb, OUT status integer, OUT body jsonb)
LANGUAGE sql AS
    $$SELECT r.status, helper.hide(r.body) FROM helper.post_to('batch_credential', token, request) AS r$$;
SELECT vci_create_configuration('Pass', 'https://registry.example/credentials/pass');
SELECT '{EntitlementCredential,Membership,Pass}' AS three \gset

-- One nonce serves all proofs, one key several credentials; each answer has the shape of its request.
SELECT helper.new_entitlement(configurations => :'three') AS token, vci_create_nonce() AS nonce,
    helper.last_event() AS last, (SELECT count(*) FROM vci_nonce) AS spent \gset
SELECT helper.batch(helper.older(:'nonce'), '{"credential_configuration_id": "Membership"}',
    helper.older(:'nonce', type => 'Pass')) AS request \gset
SELECT status, headers ->> 'Cache-Control' AS cache, helper.hide(body) AS shown, body
    FROM helper.post_to('batch_credential', :'token', :'request') \gset
\echo :status :cache :shown
SELECT helper.claims(:'body'::jsonb #>> '{credential_responses,0,credential}') ->> 'entitlementId',
    helper.jwt_part(:'body'::jsonb #>> '{credential_responses,0,credential}', 1) ->> 'typ',
    helper.jwt_part(:'body'::jsonb #>> '{credential_responses,2,credential}', 2) #> '{cnf,jwk}' = wallet.public_jwk();
SELECT count(*) - :spent AS "nonces spent" FROM vci_nonce;
SELECT helper.events_after(:last);
SELECT configuration_id, format, instance FROM vci_credential_info
    WHERE offer_id = (SELECT max(offer_id) FROM vci_credential) ORDER BY id;
-- The c_nonce of the answer is good for the next request.
SELECT status FROM helper.answer(helper.new_entitlement(), helper.older(:'body'::jsonb ->> 'c_nonce'));
-- A lost answer: the byte-identical batch gets the same records' credentials again, another one none.
SELECT count(*) AS credentials FROM vci_credential \gset
SELECT status, helper.hide(body), helper.jwt_part(body #>> '{credential_responses,0,credential}', 2) -> 'iat'
    = helper.jwt_part(:'body'::jsonb #>> '{credential_responses,0,credential}', 2) -> 'iat',
    body #>> '{credential_responses,1,notification_id}' = :'body'::jsonb #>> '{credential_responses,1,notification_id}'
FROM helper.post_to('batch_credential', :'token', :'request');
SELECT count(*) - :credentials FROM vci_credential;
SELECT * FROM helper.answer_batch(:'token', :'request'::jsonb || '{"x": 1}');
SELECT * FROM helper.answer(:'token', '{"credential_configuration_id": "Membership"}');
-- Keys may differ between requests.
SELECT status, jsonb_array_length(body -> 'credential_responses')
    FROM helper.answer_batch(helper.new_entitlement(configurations => :'three'),
    helper.batch(helper.older(vci_create_nonce()), helper.older(vci_create_nonce(), 'second', 'Pass')));

-- All or none: whatever is wrong with one is named, and nothing is issued, spent or deferred.
SELECT helper.new_entitlement(configurations => :'three') AS token, vci_create_nonce() AS fresh,
    (SELECT count(*) FROM vci_nonce) AS spent, (SELECT count(*) FROM vci_credential) AS credentials \gset
SELECT what, status, body FROM (VALUES
    ('a bad proof', helper.batch(helper.older(:'fresh'), helper.older('x', type => 'Pass'))),
    ('a spent nonce', helper.batch(helper.older(:'fresh'), helper.older(:'nonce', type => 'Pass'))),
    ('no proof', helper.batch(helper.older(:'fresh'), '{"credential_configuration_id": "Pass"}')),
    ('unknown', helper.batch(helper.older(:'fresh'), '{"credential_configuration_id": "Unknown"}')),
    ('the same credential twice', helper.batch(helper.older(:'fresh'), helper.older(:'fresh', 'second'))),
    ('an identifier that nobody was given', helper.batch(helper.older(:'fresh'), '{"credential_identifier": "Pass#1"}')),
    ('encryption', helper.batch(helper.older(:'fresh'),
        '{"credential_configuration_id": "Membership", "credential_response_encryption": {"jwk": {}}}')),
    ('no list', '{}'), ('no request', '{"credential_requests": []}'), ('no object', '{"credential_requests": ["x"]}'),
    ('33 requests', helper.batch(VARIADIC array_fill('{"credential_configuration_id": "Membership"}'::jsonb, '{33}'))))
    AS b (what, request), LATERAL helper.answer_batch(:'token', request);
SELECT count(*) - :spent AS "nonces spent", (SELECT count(*) FROM vci_credential) - :credentials AS issued FROM vci_nonce;
-- Not covered by the token, and a token that is none.
SELECT status, body ->> 'error' FROM helper.answer_batch(helper.new_entitlement(),
    helper.batch('{"credential_configuration_id": "Membership"}'));
SELECT status, body ->> 'error' FROM helper.answer_batch('AAAA', '{}');
-- The claims of one are missing: the others wait for it, too.
SELECT helper.token((vci_create_offer('{Membership,Pass}', subject_id => 'x', claims => '{"a": 1}')).offer_id) AS bare \gset
SELECT vci_alter_configuration('Pass', '{"claims": [{"path": ["b"], "mandatory": true}]}');
SELECT * FROM helper.answer_batch(:'bare', helper.batch('{"credential_configuration_id": "Membership"}',
    helper.older(:'fresh', type => 'Pass')));
SELECT vci_alter_configuration('Pass', '{"claims": null}');
-- After all that the token and the nonce are as good as before.
SELECT status, jsonb_array_length(body -> 'credential_responses')
    FROM helper.answer_batch(:'token', helper.batch(helper.older(:'fresh'), helper.older(:'fresh', type => 'Pass')));

-- One of them deferred: its transaction_id beside the other one's credential.
SELECT vci_alter_configuration('Pass', '{"deferred": true}');
SELECT helper.new_entitlement(configurations => :'three') AS token, vci_create_nonce() AS nonce \gset
SELECT helper.batch(helper.older(:'nonce'), helper.older(:'nonce', type => 'Pass')) AS request \gset
SELECT status, helper.hide(body) AS shown,
    body #>> '{credential_responses,1,transaction_id}' AS transaction_id
    FROM helper.post_to('batch_credential', :'token', :'request') \gset
\echo :status :shown
SELECT status, body #>> '{credential_responses,1,transaction_id}' = :'transaction_id' AS "the same again"
    FROM helper.post_to('batch_credential', :'token', :'request');
SELECT vci_deferred_complete(max(id)) FROM vci_deferred;
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT vci_alter_configuration('Pass', '{"deferred": false}');

-- Paused, and switched off.
SELECT vci_pause_issuance();
SELECT status, body ->> 'error' FROM helper.answer_batch(:'token', '{}');
SELECT vci_resume_issuance();
SELECT vci_alter_issuer('{"endpoints": {"batch_credential": {"enabled": false}}}');
SELECT status FROM helper.answer_batch(:'token', '{}');
SELECT vci_alter_issuer('{"endpoints": {"batch_credential": null}}');
SELECT vci_retire_configuration('Pass');
-- Profile final knows no batch endpoint; switched on it gives no c_nonce.
SELECT 'https://final.example' AS final \gset
SELECT count(vci_create_issuer(:'final', profile => 'final'));
SELECT count(vci_create_key(:'final')),
    count(vci_create_configuration('Membership', 'https://final.example/membership', binding => 'absent', issuer => :'final'));
SELECT vci_exchange_code(helper.code(offer_id), issuer => :'final') ->> 'access_token' AS final_token
    FROM vci_create_offer('{Membership}', claims => '{"a": 1}', issuer => :'final') \gset
CREATE FUNCTION helper.final_batch(token text, OUT status integer, OUT body jsonb) LANGUAGE sql AS $$
    SELECT r.status, helper.hide(r.body_out) FROM helper.http('POST', '/api/v1/openid4vci/batch_credential',
        ARRAY['Host', 'final.example', 'Content-Type', 'application/json', 'Authorization', 'Bearer ' || token],
        '{"credential_requests": [{"credential_configuration_id": "Membership"}]}') AS r
$$;
SELECT status FROM helper.final_batch(:'final_token');
SELECT vci_alter_issuer('{"endpoints": {"batch_credential": {"enabled": true}}}', issuer => :'final');
SELECT * FROM helper.final_batch(:'token') AS "another issuer's token";
SELECT * FROM helper.final_batch(:'final_token');
SELECT vci_retire_issuer(:'final');
