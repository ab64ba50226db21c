-- The notification endpoint (OpenID4VCI 1.0 section 11): what the wallet tells is kept with the
-- credentials of one answer, once.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION helper.notify(token text, notification_id text, event text,
                              event_description text DEFAULT NULL, OUT status integer,
                              OUT body jsonb) LANGUAGE sql AS $$
    SELECT r.status, r.body FROM helper.post_to('notification', token, jsonb_strip_nulls(
        jsonb_build_object('notification_id', notification_id, 'event', event,
                           'event_description', event_description))) AS r
$$;
-- Two credentials of one answer, by two keys.
SELECT vci_alter_issuer('{"batch_size": 2}');
SELECT helper.new_entitlement() AS token, vci_create_nonce() AS nonce \gset
SELECT body ->> 'notification_id' AS notification
    FROM helper.post_json(:'token', '{"credential_configuration_id": "EntitlementCredential"}'
    || helper.proofs(wallet.proof(:'nonce'), wallet.proof(:'nonce', 'second'))) \gset
SELECT max(offer_id) AS offer, helper.last_event() AS last FROM vci_credential \gset
SELECT status, headers, body FROM helper.post_to('notification', :'token',
    jsonb_build_object('notification_id', :'notification', 'event', 'credential_accepted', 'unknown', 1));
SELECT instance, notification, notification_description, notified_at IS NOT NULL
    FROM vci_credential_info WHERE offer_id = :offer ORDER BY instance;
-- Identical calls change nothing; another event later replaces it and is an event again.
SELECT max(notified_at) AS at FROM vci_credential WHERE offer_id = :offer \gset
SELECT status FROM helper.notify(:'token', :'notification', 'credential_accepted');
SELECT max(notified_at) = :'at' AS "as it was" FROM vci_credential WHERE offer_id = :offer;
SELECT status FROM helper.notify(:'token', :'notification', 'credential_failure', 'Out of storage.');
SELECT status FROM helper.notify(:'token', :'notification', 'credential_failure', 'Out of storage, still.');
SELECT instance, notification, notification_description FROM vci_credential_info WHERE offer_id = :offer ORDER BY instance;
SELECT status FROM helper.notify(:'token', :'notification', 'credential_deleted');
SELECT instance, notification, notification_description FROM vci_credential_info WHERE offer_id = :offer ORDER BY instance;
SELECT helper.events_after(:last);
SELECT vci_alter_issuer('{"batch_size": null}');

-- What a notification must look like (section 11.3).
SELECT request, status, body FROM unnest(ARRAY['{}', '[]', '{"event": "credential_accepted"}', '{"notification_id": "x"}',
    '{"notification_id": 1, "event": "credential_accepted"}',
    '{"notification_id": "x", "event": "credential_lost"}', '{"notification_id": "x", "event": "CREDENTIAL_ACCEPTED"}',
    '{"notification_id": "x", "event": "credential_accepted", "event_description": 1}',
    '{"notification_id": "x", "event": "credential_accepted", "event_description": "a\"b"}',
    '{"notification_id": "x", "event": "credential_accepted", "event_description": "\u00e9"}',
    '{"notification_id": "x", "event": "credential_accepted"}']) AS request,
    LATERAL helper.post_to('notification', :'token', request::jsonb);
SELECT status, body FROM helper.notify(:'token', :'notification', 'credential_accepted', repeat('x', 1025));
SELECT status, body_out FROM helper.http('POST', '/api/v1/openid4vci/notification',
    ARRAY['Host', 'registry.example', 'Content-Type', 'text/plain', 'Authorization', 'Bearer ' || :'token'], '{}');
SELECT status, body_out ->> 'error' FROM helper.http('POST', '/api/v1/openid4vci/notification',
    ARRAY['Host', 'registry.example', 'Content-Type', 'application/json', 'Authorization', 'Bearer ' || :'token'],
    '{"notification_id": "x", "event": "credential_accepted", "event": "credential_deleted"}');

-- Whose it is: another offer's token, a forged id, other tickets, no token.
SELECT helper.new_entitlement() AS other \gset
SELECT * FROM helper.notify(:'other', :'notification', 'credential_accepted');
SELECT * FROM helper.notify(:'token', helper.forge(:'notification'), 'credential_accepted');
SELECT * FROM helper.notify(:'token', :'token', 'credential_accepted');
SELECT * FROM helper.notify('AAAA', :'notification', 'credential_accepted');
SELECT status, headers ->> 'WWW-Authenticate' ~ '^Bearer' AS challenge, body
    FROM helper.post_to('notification', NULL, '{}');
SELECT count(*) AS "nothing was noted" FROM vci_credential WHERE offer_id = :offer AND notification = 'credential_accepted';
-- The wallet may tell late: under the token of the credential, also when that has expired.
UPDATE vci_token SET expires_at = clock_timestamp() WHERE offer_id = :offer;
SELECT status FROM helper.notify(:'token', :'notification', 'credential_accepted');
-- Not under an expired token of another one's.
SELECT helper.new_entitlement(configurations => '{Membership}') AS late \gset
UPDATE vci_token SET expires_at = clock_timestamp() WHERE id = (SELECT max(id) FROM vci_token);
SELECT * FROM helper.notify(:'late', :'notification', 'credential_deleted');
-- A refreshed token speaks for the credentials of its offer, as long as it lives.
SELECT vci_alter_issuer('{"refresh_token_lifetime": 3600}');
SELECT body ->> 'access_token' AS token, body ->> 'refresh_token' AS refresh
    FROM helper.post_form(helper.form(helper.code((vci_create_offer('{Membership}', claims => '{}')).offer_id))) \gset
SELECT body ->> 'notification_id' AS notification
    FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}') \gset
SELECT body ->> 'access_token' AS refreshed
    FROM helper.post_form('grant_type=refresh_token&refresh_token=' || :'refresh') \gset
SELECT status FROM helper.notify(:'refreshed', :'notification', 'credential_accepted');
UPDATE vci_token SET expires_at = clock_timestamp() WHERE id = (SELECT max(id) FROM vci_token);
SELECT status, body ->> 'error' FROM helper.notify(:'refreshed', :'notification', 'credential_failure');
SELECT vci_alter_issuer('{"refresh_token_lifetime": null}');
-- Paused issuance lets wallets tell on; a withdrawn offer's token is dead.
SELECT helper.new_entitlement(configurations => '{Membership,EntitlementCredential}') AS token \gset
SELECT body ->> 'notification_id' AS notification
    FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}') \gset
SELECT vci_pause_issuance();
SELECT status FROM helper.notify(:'token', :'notification', 'credential_accepted');
SELECT vci_resume_issuance();
SELECT vci_cancel_offer(max(offer_id)) FROM vci_credential;
SELECT * FROM helper.notify(:'token', :'notification', 'credential_deleted');

-- Switched off: no notification_id, no endpoint.
SELECT vci_alter_issuer('{"endpoints": {"notification": {"enabled": false}}}');
SELECT helper.new_entitlement(configurations => '{Membership}') AS token \gset
SELECT status, body ? 'notification_id' FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}');
SELECT status FROM helper.notify(:'token', :'notification', 'credential_accepted');
SELECT vci_alter_issuer('{"endpoints": {"notification": null}}');
-- The answer that is given again has the id that it had, or would have had.
SELECT status, body ->> 'notification_id' AS notification
    FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}') \gset
-- The same as an SQL call.
SELECT vci_grant('regress_vci_offerer', 'offerer');
SET ROLE regress_vci_offerer;
SELECT openid4vci.vci_record_notification(:'token', :'notification', 'credential_accepted', 'Thanks.');
SELECT openid4vci.vci_record_notification(:'token', :'notification', 'x');
SELECT openid4vci.vci_record_notification(:'token', NULL, NULL);
SELECT helper.error('SELECT openid4vci.vci_record_notification(NULL, ''x'', ''y'')');
SELECT notification, notification_description FROM openid4vci.vci_credential_info ORDER BY id DESC LIMIT 1;
RESET ROLE;
SELECT vci_revoke('regress_vci_offerer', 'offerer');

-- Bound to a key (RFC 9449): no endpoint takes the token without a proof by that key for itself.
SELECT vci_alter_configuration('Membership', '{"deferred": true}');
SELECT vci_request_token(jsonb_build_object('grant_type', 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
    'pre-authorized_code', helper.code((vci_create_offer('{Membership}', claims => '{}')).offer_id)),
    wallet.dpop('/token')) AS answer \gset
SELECT :'answer'::jsonb ->> 'token_type' AS type, :'answer'::jsonb ->> 'access_token' AS token \gset bound_
\echo :bound_type
SELECT vci_request_credential(:'bound_token', '{"credential_configuration_id": "Membership"}') ->> 'error',
    vci_request_credential(:'bound_token', '{"credential_configuration_id": "Membership"}',
        wallet.dpop('/deferred_credential', :'bound_token')) ->> 'error',
    vci_request_credential(:'bound_token', '{"credential_configuration_id": "Membership"}',
        wallet.dpop('/credential', :'bound_token', 'second')) ->> 'error';
SELECT vci_request_credential(:'bound_token', '{"credential_configuration_id": "Membership"}',
        wallet.dpop('/credential', :'bound_token')) ->> 'transaction_id' AS transaction_id \gset
SELECT vci_deferred_complete(max(id)) FROM vci_deferred;
SELECT vci_request_deferred(:'bound_token', :'transaction_id') ->> 'error',
    vci_request_deferred(:'bound_token', :'transaction_id', wallet.dpop('/credential', :'bound_token')) ->> 'error';
SELECT vci_request_deferred(:'bound_token', :'transaction_id',
        wallet.dpop('/deferred_credential', :'bound_token')) ->> 'notification_id' AS notification \gset bound_
SELECT vci_record_notification(:'bound_token', :'bound_notification', 'credential_accepted') ->> 'error',
    vci_record_notification(:'bound_token', :'bound_notification', 'credential_accepted',
        dpop => wallet.dpop('/notification', :'bound_token'));
SELECT vci_alter_configuration('Membership', '{"deferred": false}');
-- Where the issuer asks for nonces, each answer brings one, whether it is good or bad.
SELECT vci_alter_issuer('{"dpop_nonce": true}');
SELECT endpoint, status, headers ? 'DPoP-Nonce'
    FROM unnest('{credential,batch_credential,deferred_credential,notification}'::text[]) AS endpoint,
    LATERAL helper.post_to(endpoint, :'token', '{}');
SELECT status, headers ? 'DPoP-Nonce' FROM helper.post_to('notification', :'token',
    jsonb_build_object('notification_id', :'notification', 'event', 'credential_deleted'));
SELECT vci_alter_issuer('{"dpop_nonce": null}');

-- A wallet that keeps changing its mind is answered, and after 16 changes heard no more.
SELECT max(id) AS last FROM vci_event \gset
SELECT status, count(*) FROM generate_series(1, 40) AS n, LATERAL helper.post_to('notification', :'token',
    jsonb_build_object('notification_id', :'notification', 'event',
        CASE WHEN n % 2 = 0 THEN 'credential_accepted' ELSE 'credential_failure' END)) GROUP BY status;
SELECT count(*) < 16 AS few, count(*) > 5 AS some FROM vci_event WHERE id > :last;
