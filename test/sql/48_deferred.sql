-- Deferred credentials (OpenID4VCI 1.0 section 9): asked for, decided by the registry or its claims
-- source, fetched once.
\pset format unaligned
\pset tuples_only on

-- A request to any endpoint below the base path.
CREATE FUNCTION helper.post_to(endpoint text, token text, request jsonb, OUT status integer,
                               OUT headers jsonb, OUT body jsonb) LANGUAGE sql AS $$
    SELECT * FROM helper.http('POST', '/api/v1/openid4vci/' || endpoint,
        '{Host, registry.example, Content-Type, application/json}'::text[]
            || CASE WHEN token IS NULL THEN '{}' ELSE ARRAY['Authorization', 'Bearer ' || token] END,
        convert_to(request::text, 'UTF8'))
$$;
-- A ticket with another last character.
CREATE FUNCTION helper.forge(ticket text) RETURNS text LANGUAGE sql AS
    $$SELECT left(ticket, -1) || CASE right(ticket, 1) WHEN 'A' THEN 'B' ELSE 'A' END$$;
CREATE FUNCTION helper.fetch(token text, transaction_id text, OUT status integer,
                             OUT body jsonb) LANGUAGE sql AS $$
    SELECT r.status, helper.hide(r.body) FROM helper.post_to('deferred_credential', token,
        jsonb_build_object('transaction_id', transaction_id)) AS r
$$;
-- Kinds of the events since an id, in their order, and what each names.
CREATE FUNCTION helper.events_after(after bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', kind, CASE WHEN offer_id IS NOT NULL THEN 'offer' END,
        CASE WHEN token_id IS NOT NULL THEN 'token' END,
        CASE WHEN deferred_id IS NOT NULL THEN 'deferred' END,
        CASE WHEN credential_id IS NOT NULL THEN 'credential' END), ', ' ORDER BY id)
    FROM openid4vci.vci_event WHERE id > after
$$;
CREATE FUNCTION helper.last_event() RETURNS bigint LANGUAGE sql AS
    'SELECT COALESCE(max(id), 0) FROM openid4vci.vci_event';
-- What is expected to fail, without the deferral's id.
CREATE FUNCTION helper.refusals(VARIADIC calls text[]) RETURNS SETOF text LANGUAGE sql AS
    $$SELECT regexp_replace(helper.error(call), 'deferred credential [1-9][0-9]*', 'deferred credential N') FROM unnest(calls) AS call$$;
SELECT '{"credential_configuration_id": "EntitlementCredential"}' AS request \gset

-- A configuration that defers: proofs are checked and the nonce is spent, then the wallet waits.
SELECT vci_alter_configuration('EntitlementCredential', '{"deferred": true}');
SELECT helper.new_entitlement() AS token, wallet.proof(vci_create_nonce()) AS proof,
    helper.last_event() AS last, (SELECT count(*) FROM vci_nonce) AS spent \gset
SELECT * FROM helper.answer(:'token', :'request');
SELECT status, headers ->> 'Cache-Control' AS cache, helper.hide(body) AS shown, body ->> 'transaction_id' AS transaction
    FROM helper.post_json(:'token', :'request'::jsonb || helper.proofs(:'proof')) \gset first_
\echo :first_status :first_cache :first_shown
SELECT count(*) - :spent AS "nonces spent" FROM vci_nonce;
SELECT helper.events_after(:last);
SELECT max(id) AS deferred FROM vci_deferred \gset
SELECT d.state, d.by_source, d.wait_seconds, d.configuration_id, d.dataset,
    d.waiting_for < interval '1 minute' AS "just now",
    d.expires_at > clock_timestamp() + interval '1 day' AS "for a while",
    o.state, o.issued_at IS NULL AS "not issued"
FROM vci_deferred_info AS d JOIN vci_offer_info AS o ON o.id = d.offer_id WHERE d.id = :deferred;
-- A lost answer: the byte-identical request gets the same transaction_id, any other none.
SELECT status, body ->> 'transaction_id' = :'first_transaction'
    FROM helper.post_json(:'token', :'request'::jsonb || helper.proofs(:'proof'));
SELECT * FROM helper.answer(:'token', :'request'::jsonb || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT count(*) FROM vci_deferred WHERE configuration_id = 'EntitlementCredential';
-- Not yet: the same transaction_id and the interval.
SELECT status, body -> 'interval', body ->> 'transaction_id' = :'first_transaction'
    FROM helper.post_to('deferred_credential', :'token',
    jsonb_build_object('transaction_id', :'first_transaction'));
SELECT polled_at IS NOT NULL AS polled, state FROM vci_deferred_info WHERE id = :deferred;

-- The registry decides: claims are checked as an offer's.
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s, ''{"status": "x"}'')', :deferred),
    format('SELECT vci_deferred_complete(%s, ''{"a": "no entitlementId"}'')', :deferred),
    format('SELECT vci_deferred_complete(%s, ''[]'')', :deferred),
    format('SELECT vci_deferred_complete(%s, (SELECT jsonb_object_agg(n, n) || ''{"entitlementId": 1}'' FROM generate_series(1, 1100) AS n))', :deferred),
    'SELECT vci_deferred_complete(0)', 'SELECT vci_deferred_complete(NULL)',
    'SELECT vci_deferred_deny(0)', 'SELECT vci_deferred_deny(NULL)',
    format('SELECT vci_deferred_deny(%s, repeat(''x'', 1025))', :deferred));
SELECT helper.last_event() AS last \gset
SELECT vci_deferred_complete(:deferred, '{"entitlementId": "E-2", "amount": 5}');
SELECT vci_deferred_complete(:deferred, '{"amount": 5, "entitlementId": "E-2"}') AS "the same decision again";
SELECT helper.events_after(:last);
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s)', :deferred),
    format('SELECT vci_deferred_deny(%s)', :deferred));
SELECT state, decided_by = session_user FROM vci_deferred_info WHERE id = :deferred;

-- Ready: the credential of the completed claims, bound to the key that was proved.
SELECT helper.last_event() AS last \gset
SELECT status, helper.hide(body) AS shown, body #>> '{credentials,0,credential}' AS credential,
    body ->> 'notification_id' AS notification
FROM helper.post_to('deferred_credential', :'token',
    jsonb_build_object('transaction_id', :'first_transaction')) \gset
\echo :status :shown
SELECT helper.claims(:'credential'),
    helper.jwt_part(:'credential', 2) #> '{cnf,jwk}' = wallet.public_jwk();
SELECT helper.events_after(:last);
SELECT c.configuration_id, c.format, c.dataset, c.instance, c.holder_thumbprint IS NOT NULL,
    o.issued_at IS NOT NULL AS issued, d.state
FROM vci_credential_info AS c JOIN vci_offer_info AS o ON o.id = c.offer_id
    JOIN vci_deferred_info AS d ON d.offer_id = o.id WHERE d.id = :deferred;
-- The answer got lost: the same record's credential again, within the window alone.
SELECT count(*) AS credentials FROM vci_credential \gset
SELECT status, helper.claims(body #>> '{credentials,0,credential}') ->> 'entitlementId',
    helper.jwt_part(body #>> '{credentials,0,credential}', 2) -> 'iat' = helper.jwt_part(:'credential', 2) -> 'iat',
    body ->> 'notification_id' = :'notification'
FROM helper.post_to('deferred_credential', :'token',
    jsonb_build_object('transaction_id', :'first_transaction'));
SELECT count(*) - :credentials FROM vci_credential;
-- The credential request itself is no way to it.
SELECT * FROM helper.answer(:'token', :'request'::jsonb || helper.proofs(:'proof'));
UPDATE vci_deferred SET issued_at = issued_at - interval '61 seconds' WHERE id = :deferred;
SELECT * FROM helper.fetch(:'token', :'first_transaction');
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s, ''{"entitlementId": "E-2", "amount": 5}'')', :deferred),
    format('SELECT vci_deferred_deny(%s)', :deferred));

-- Asks and says where the deferral is.
CREATE FUNCTION helper.defer(token text, more jsonb DEFAULT '{}', OUT deferred bigint,
                             OUT transaction_id text) LANGUAGE plpgsql AS $$
BEGIN
    SELECT body ->> 'transaction_id' INTO STRICT transaction_id FROM helper.post_json(token,
        '{"credential_configuration_id": "EntitlementCredential"}'
        || helper.proofs(wallet.proof(openid4vci.vci_create_nonce())) || more);
    SELECT max(id) INTO deferred FROM openid4vci.vci_deferred;
END
$$;
-- The offer's own claims, when the decision brings none.
SELECT helper.new_entitlement() AS token \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT vci_deferred_complete(:deferred);
SELECT status, helper.claims(body #>> '{credentials,0,credential}') ->> 'entitlementId'
    FROM helper.post_to('deferred_credential', :'token', jsonb_build_object('transaction_id', :'transaction_id'));
-- An offer without claims can be made for a subject on whom the registry decides; somebody must
-- say what it holds then.
SELECT helper.token((vci_create_offer('{EntitlementCredential}', subject_id => 'applicant')).offer_id) AS token \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s)', :deferred)) ~ '^22023 nothing says';
SELECT vci_deferred_complete(:deferred, '{"entitlementId": "E-3"}');
SELECT status, helper.claims(body #>> '{credentials,0,credential}')
    FROM helper.post_to('deferred_credential', :'token', jsonb_build_object('transaction_id', :'transaction_id'));

-- Denied: the wallet is told so, the reason is for the registry alone.
SELECT helper.new_entitlement() AS token, helper.last_event() AS last \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT vci_deferred_deny(:deferred, 'the papers don''t match');
SELECT vci_deferred_deny(:deferred) AS "the same decision again";
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT helper.events_after(:last);
SELECT state, reason FROM vci_deferred_info WHERE id = :deferred;
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s)', :deferred));

-- Whose it is: the MAC, the offer, the generation, the token.
SELECT helper.new_entitlement() AS token \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT helper.new_entitlement() AS other \gset
SELECT * FROM helper.fetch(:'other', :'transaction_id');
SELECT * FROM helper.fetch(:'token', helper.forge(:'transaction_id'));
SELECT * FROM helper.fetch(:'token', :'token');
SELECT * FROM helper.fetch(:'token', :'notification');
SELECT * FROM helper.fetch('AAAA', :'transaction_id');
SELECT status, headers ->> 'WWW-Authenticate' ~ '^Bearer' AS challenge, body
    FROM helper.post_to('deferred_credential', NULL, '{}');
-- The token that asked is taken beyond its own life, another one is not.
UPDATE vci_token SET expires_at = clock_timestamp() - interval '1 hour' WHERE offer_id =
    (SELECT offer_id FROM vci_deferred WHERE id = :deferred);
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT status, body ->> 'error' FROM helper.answer(:'token', :'request');
SELECT * FROM helper.fetch(:'token', :'first_transaction');
-- Until the deferral itself is over.
UPDATE vci_deferred SET expires_at = clock_timestamp() WHERE id = :deferred;
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s)', :deferred),
    format('SELECT vci_deferred_deny(%s)', :deferred));
SELECT state FROM vci_deferred_info WHERE id = :deferred;
-- A live token then hears that the transaction is over.
UPDATE vci_token SET expires_at = clock_timestamp() + interval '1 hour' WHERE offer_id =
    (SELECT offer_id FROM vci_deferred WHERE id = :deferred);
SELECT * FROM helper.fetch(:'token', :'transaction_id');
-- Cancelled with its offer; an offer that is made good again has another generation.
SELECT helper.new_entitlement() AS token \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT offer_id FROM vci_deferred WHERE id = :deferred \gset
SELECT vci_cancel_offer(:offer_id);
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s)', :deferred));
SELECT state AS "not among those that wait" FROM vci_deferred_info WHERE id = :deferred;
SELECT vci_reopen_offer(:offer_id) IS NOT NULL;
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s)', :deferred));
SELECT state FROM vci_deferred_info WHERE id = :deferred;
SELECT helper.token(:offer_id) AS token \gset
SELECT * FROM helper.fetch(:'token', :'transaction_id');

-- A refreshed token of the same offer fetches what its predecessor asked for.
SELECT vci_alter_issuer('{"refresh_token_lifetime": 3600}');
SELECT body ->> 'access_token' AS token, body ->> 'refresh_token' AS refresh
    FROM helper.post_form(helper.form(helper.code((vci_create_offer('{EntitlementCredential}',
    claims => '{"entitlementId": "E-4"}')).offer_id))) \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT body ->> 'access_token' AS refreshed
    FROM helper.post_form('grant_type=refresh_token&refresh_token=' || :'refresh') \gset
SELECT vci_deferred_complete(:deferred);
SELECT status, body FROM helper.fetch(:'refreshed', :'transaction_id');
SELECT d.token_id = c.token_id AS "under the token that asked"
    FROM vci_deferred AS d JOIN vci_credential AS c USING (offer_id) WHERE d.id = :deferred;
SELECT vci_alter_issuer('{"refresh_token_lifetime": null}');

-- What a request must look like.
SELECT request, status, body FROM unnest(ARRAY['{}', '[]', '{"transaction_id": 1}', '{"transaction_id": ""}',
    '{"transaction_id": "x"}', '{"transaction_id": "x", "credential_response_encryption": {"jwk": {}}}']) AS request,
    LATERAL helper.post_to('deferred_credential', :'other', request::jsonb);
SELECT status, body_out FROM helper.http('POST', '/api/v1/openid4vci/deferred_credential',
    ARRAY['Host', 'registry.example', 'Content-Type', 'text/plain', 'Authorization', 'Bearer ' || :'other'], '{}');

-- The shape of the answer is the first question's: drafts up to 13, draft 14 with two keys.
SELECT helper.new_entitlement() AS token \gset
SELECT status, helper.hide(body) AS shown, body ->> 'transaction_id' AS transaction_id
    FROM helper.post_json(:'token',
    '{"format": "vc+sd-jwt", "credential_definition": {"type": ["VerifiableCredential", "EntitlementCredential"]}}'
    || jsonb_build_object('proof', jsonb_build_object('proof_type', 'jwt', 'jwt', wallet.proof(vci_create_nonce())))) \gset
\echo :status :shown
SELECT vci_deferred_complete(max(id)) FROM vci_deferred;
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT vci_alter_issuer('{"batch_size": 2}');
SELECT helper.new_entitlement() AS token, vci_create_nonce() AS nonce \gset
SELECT status, helper.hide(body) AS shown, body ->> 'transaction_id' AS transaction_id
    FROM helper.post_json(:'token',
    '{"format": "vc+sd-jwt", "vct": "https://registry.example/credentials/entitlement"}'
    || helper.proofs(wallet.proof(:'nonce'), wallet.proof(:'nonce', 'second'))) \gset
\echo :status :shown
SELECT vci_deferred_complete(max(id)) FROM vci_deferred;
SELECT status, body ->> 'format', body ? 'notification_id', array_agg(helper.jwt_part(c, 2) #> '{cnf,jwk}'
    = wallet.public_jwk(CASE n WHEN 1 THEN 'first' ELSE 'second' END))
FROM helper.post_to('deferred_credential', :'token', jsonb_build_object('transaction_id', :'transaction_id')),
    jsonb_array_elements_text(body -> 'credentials') WITH ORDINALITY AS e (c, n) GROUP BY 1, 2, 3;
SELECT vci_alter_issuer('{"batch_size": null}');

-- Where the deferred credential endpoint is switched off nothing is deferred, and no nonce is lost.
SELECT vci_alter_issuer('{"endpoints": {"deferred_credential": {"enabled": false}}}');
SELECT helper.new_entitlement() AS token, (SELECT count(*) FROM vci_nonce) AS spent \gset
SELECT * FROM helper.answer(:'token', :'request'::jsonb || helper.proofs(wallet.proof(vci_create_nonce())));
SELECT count(*) - :spent FROM vci_nonce;
SELECT vci_alter_issuer('{"endpoints": {"deferred_credential": null}}');
-- Nor where issuance is paused: 503, and what waits goes on waiting.
SELECT * FROM helper.defer(:'token') \gset
SELECT vci_pause_issuance();
SELECT status, headers ? 'Retry-After', body ->> 'error' FROM helper.post_json(:'token', :'request');
SELECT status, headers ? 'Retry-After', body ->> 'error' FROM helper.post_to('deferred_credential', :'token',
    jsonb_build_object('transaction_id', :'transaction_id'));
SELECT vci_resume_issuance();
SELECT status FROM helper.fetch(:'token', :'transaction_id');
SELECT vci_alter_configuration('EntitlementCredential', '{"deferred": false}');

-- A claims source that answers with a number: not yet, ask again then. It decides, not the operator.
CREATE TABLE helper.registry (id text PRIMARY KEY, answer jsonb);
INSERT INTO helper.registry VALUES ('applicant', '7');
CREATE FUNCTION helper.applicant(model text, id text) RETURNS jsonb LANGUAGE sql AS
    'SELECT answer FROM helper.registry AS r WHERE r.id = $2';
SELECT vci_alter_configuration('EntitlementCredential', '{"claims_source": "helper.applicant"}');
SELECT helper.token((vci_create_offer('{EntitlementCredential}', subject_id => 'applicant')).offer_id) AS token \gset
SELECT status, body -> 'interval' AS interval, body ->> 'transaction_id' AS transaction_id
    FROM helper.post_json(:'token', :'request'::jsonb || helper.proofs(wallet.proof(vci_create_nonce()))) \gset
\echo :status :interval
SELECT max(id) AS deferred FROM vci_deferred \gset
SELECT by_source, wait_seconds FROM vci_deferred WHERE id = :deferred;
SELECT helper.refusals(format('SELECT vci_deferred_complete(%s, ''{"entitlementId": "E"}'')', :deferred));
UPDATE helper.registry SET answer = '2592000';
SELECT * FROM helper.fetch(:'token', :'transaction_id');
SELECT wait_seconds FROM vci_deferred WHERE id = :deferred;
-- Neither a number of seconds nor claims: the source is wrong, not the wallet.
SELECT answer, helper.error(format('UPDATE helper.registry SET answer = %L; SELECT helper.fetch(%L, %L)',
    answer, :'token', :'transaction_id'))
FROM (VALUES ('0'), ('-1'), ('1.5'), ('2592001'), ('"soon"'), ('true')) AS a (answer);
-- Ready when it has claims; the offer's own stand under them.
UPDATE helper.registry SET answer = '{"entitlementId": "E-5", "amount": 9}';
SELECT status, helper.claims(body #>> '{credentials,0,credential}') AS claims
    FROM helper.post_to('deferred_credential', :'token', jsonb_build_object('transaction_id', :'transaction_id'));
-- No more to know: denied, and asked again the next time.
UPDATE helper.registry SET answer = '3';
SELECT helper.token((vci_create_offer('{EntitlementCredential}', subject_id => 'applicant')).offer_id) AS token \gset
SELECT * FROM helper.defer(:'token') \gset
UPDATE helper.registry SET answer = NULL;
SELECT * FROM helper.fetch(:'token', :'transaction_id');
UPDATE helper.registry SET answer = '4';
SELECT status, body -> 'interval' FROM helper.fetch(:'token', :'transaction_id');
-- The operator can say no to it all the same.
SELECT vci_deferred_deny(:deferred);
SELECT * FROM helper.fetch(:'token', :'transaction_id');
-- A decision and a claims source: both must have spoken.
SELECT vci_alter_configuration('EntitlementCredential', '{"deferred": true}');
SELECT helper.token((vci_create_offer('{EntitlementCredential}', subject_id => 'applicant')).offer_id) AS token \gset
SELECT * FROM helper.defer(:'token') \gset
SELECT vci_deferred_complete(:deferred, '{"programName": "Cash"}');
SELECT status, body -> 'interval' FROM helper.fetch(:'token', :'transaction_id');
UPDATE helper.registry SET answer = '{"entitlementId": "E-6"}';
SELECT status, helper.claims(body #>> '{credentials,0,credential}') AS claims
    FROM helper.post_to('deferred_credential', :'token', jsonb_build_object('transaction_id', :'transaction_id'));
-- Lost within the window while the source waits again: nothing is made up.
UPDATE helper.registry SET answer = '6';
SELECT status, body -> 'interval' FROM helper.fetch(:'token', :'transaction_id');
SELECT vci_alter_configuration('EntitlementCredential', '{"deferred": false}');
-- An operator who issues directly is told to wait.
SELECT helper.error($$SELECT vci_issue_and_record('EntitlementCredential', holder_jwk => wallet.public_jwk(), subject_id => 'applicant')$$);
SELECT vci_alter_configuration('EntitlementCredential', '{"claims_source": null}');
-- A configuration that is gone by then.
SELECT vci_create_configuration('Passing2', 'v', binding => 'absent', options => '{"deferred": true}');
SELECT helper.new_entitlement(configurations => '{Passing2}') AS token \gset
SELECT body ->> 'transaction_id' AS transaction_id FROM helper.post_json(:'token', '{"credential_configuration_id": "Passing2"}') \gset
SELECT vci_deferred_complete(max(id)) FROM vci_deferred;
SELECT vci_retire_configuration('Passing2');
SELECT * FROM helper.fetch(:'token', :'transaction_id');

-- The same as SQL calls, by a role with the duty.
SELECT vci_alter_configuration('Membership', '{"deferred": true}');
SELECT helper.new_entitlement(configurations => '{Membership}') AS token \gset
SELECT vci_grant('regress_vci_offerer', 'offerer');
SET ROLE regress_vci_offerer;
SELECT helper.hide(answer) AS shown, answer ->> 'transaction_id' AS transaction_id
    FROM openid4vci.vci_request_credential(:'token', '{"credential_configuration_id": "Membership"}') AS answer \gset
\echo :shown
SELECT helper.hide(openid4vci.vci_request_deferred(:'token', :'transaction_id'));
SELECT openid4vci.vci_deferred_complete(max(id)) FROM openid4vci.vci_deferred_info;
SELECT helper.hide(openid4vci.vci_request_deferred(:'token', :'transaction_id'));
SELECT openid4vci.vci_request_deferred(:'token', 'x');
SELECT openid4vci.vci_request_credential('AAAA', '{}');
SELECT helper.errors('SELECT openid4vci.vci_request_credential(NULL, ''{}'')',
    'SELECT openid4vci.vci_request_credential(''x'', NULL)',
    'SELECT openid4vci.vci_request_deferred(NULL, ''x'')',
    'SELECT openid4vci.vci_request_deferred(''x'', NULL)');
RESET ROLE;
SELECT vci_alter_configuration('Membership', '{"deferred": false}');
SELECT vci_revoke('regress_vci_offerer', 'offerer');
-- Without the duty for its issuer there is no such deferral.
SELECT max(id) AS deferred FROM vci_deferred \gset
SELECT vci_grant('regress_vci_registry', 'offerer', issuer => 'https://guide.example')
    FROM vci_create_issuer('https://guide.example');
SET ROLE regress_vci_registry;
SELECT helper.error(format('SELECT openid4vci.vci_deferred_complete(%s)', :deferred)) ~ '^42704';
SELECT helper.error(format('SELECT openid4vci.vci_deferred_deny(%s)', :deferred)) ~ '^42704';
RESET ROLE;
SELECT vci_revoke('regress_vci_registry', 'offerer', issuer => 'https://guide.example');
SELECT vci_retire_issuer('https://guide.example');
DROP FUNCTION helper.applicant(text, text);
DROP TABLE helper.registry;
