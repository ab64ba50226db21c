-- The outbox: vci_events and its view.
SET client_min_messages = warning;
SELECT vci_create_issuer('https://events.example') > 0 AS created,
       vci_create_issuer('https://events.example/other') > 0 AS another;
SELECT vci_create_key('https://events.example') <> vci_create_key('https://events.example/other') AS keys;
SELECT vci_create_configuration('Card', 'https://events.example/card', issuer => 'https://events.example'),
       vci_create_configuration('Card', 'https://events.example/card', issuer => 'https://events.example/other');
SELECT COALESCE(max(id), 0) AS start FROM vci_event \gset

-- An event a step, in their order, each with the ids of what it happened to, and no claims.
SELECT offer_id AS card FROM vci_create_offer('{Card}', claims => '{"name": "Ann"}', reference => 'E-1',
    issuer => 'https://events.example') \gset
SELECT offer_id AS other FROM vci_create_offer('{Card}', claims => '{"name": "Ben"}',
    issuer => 'https://events.example/other') \gset
SELECT vci_exchange_code(helper.code(:card), issuer => 'https://events.example') ? 'access_token' AS redeemed;
SELECT vci_cancel_offer(:other);
SELECT kind, issuer, offer_id = :card AS card, offer_id = :other AS other, token_id IS NOT NULL AS token,
    authorization_id, deferred_id, credential_id
FROM vci_events(:start) ORDER BY id;

-- The same reference again is no new offer, so no event; nor is what failed.
SELECT created FROM vci_create_offer('{Card}', claims => '{"name": "Ann"}', reference => 'E-1',
    issuer => 'https://events.example');
SELECT vci_exchange_code(helper.code(:card), issuer => 'https://events.example') ->> 'error' AS error;
SELECT count(*) FROM vci_events(:start);

-- A reader goes on where it stopped, in steps of any size.
SELECT kind, row_number() OVER (ORDER BY id) AS n FROM vci_events(:start, 2) ORDER BY id;
SELECT max(id) AS reached FROM vci_events(:start, 2) \gset
SELECT kind FROM vci_events(:reached, 1) ORDER BY id;
SELECT count(*) FROM vci_events((SELECT max(id) FROM vci_event));
SELECT helper.errors($$SELECT vci_events(0, 0)$$, $$SELECT vci_events(0, 100001)$$);
SELECT count(*) FROM vci_events(NULL);

-- Somebody with a duty for one issuer sees that issuer's alone, and is not stopped by the others'.
DROP ROLE IF EXISTS regress_vci_listener, regress_vci_all_ears;
CREATE ROLE regress_vci_listener;
SELECT vci_grant('regress_vci_listener', 'reporter', 'https://events.example/other');
SET ROLE regress_vci_listener;
SELECT kind, issuer FROM vci_events(:start) ORDER BY id;
SELECT kind, issuer FROM vci_events(:start, 1) ORDER BY id;
SELECT kind, issuer, offer_id = :other AS other FROM vci_event_info WHERE id > :start ORDER BY id;
SELECT helper.error($$SELECT FROM openid4vci.vci_event$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_listener', 'reporter', 'https://events.example/other');

-- An event that another cluster's dump brought, with a horizon far ahead, holds nothing up.
BEGIN;
INSERT INTO vci_event (id, horizon, issuer_id, kind, actor)
    SELECT nextval('vci_event_id_seq') + 100, '9000000000000000000', id, 'from_a_dump', 'regress'
    FROM vci_issuer WHERE url = 'https://events.example';
SELECT kind FROM vci_events(:start) ORDER BY id DESC LIMIT 1;
ROLLBACK;

-- What concerns no issuer is for who may read all of them; keys and duties stand in columns.
SELECT id AS first_id FROM vci_issuer WHERE url = 'https://events.example' \gset
SELECT vci_grant('regress_vci_listener', 'auditor', 'https://events.example');
CREATE ROLE regress_vci_all_ears;
SELECT vci_grant('regress_vci_all_ears', 'auditor');
BEGIN;
INSERT INTO vci_event (id, horizon, issuer_id, kind, actor, key_id, role_name, duty)
    VALUES (nextval('vci_event_id_seq'), '3', NULL, 'of_none', 'regress', NULL, 'somebody', 'auditor'),
           (nextval('vci_event_id_seq'), '3', :first_id, 'of_one', 'regress', 42, NULL, NULL);
SET LOCAL ROLE regress_vci_listener;
SELECT kind, issuer, key_id, role_name, duty FROM vci_events(:start) WHERE kind LIKE 'of_%e';
SELECT kind, issuer, key_id, role_name, duty FROM vci_event_info WHERE kind LIKE 'of_%e';
SET LOCAL ROLE regress_vci_all_ears;
SELECT kind, issuer, key_id, role_name, duty FROM vci_events(:start) WHERE kind LIKE 'of_%e' ORDER BY id;
SELECT kind, issuer, key_id, role_name, duty FROM vci_event_info WHERE kind LIKE 'of_%e' ORDER BY id;
ROLLBACK;
SELECT vci_revoke('regress_vci_listener', 'auditor', 'https://events.example'),
    vci_revoke('regress_vci_all_ears', 'auditor');
DROP ROLE regress_vci_listener, regress_vci_all_ears;

-- Append-only, for the tables' owner and a superuser, too, however it is tried.
SELECT helper.errors($$UPDATE vci_event SET kind = kind$$, $$UPDATE vci_event SET at = at WHERE false$$,
    $$DELETE FROM vci_event$$, $$TRUNCATE vci_event$$,
    $$INSERT INTO vci_event SELECT * FROM vci_event LIMIT 1 ON CONFLICT (id) DO UPDATE SET kind = 'x'$$,
    $$MERGE INTO vci_event AS e USING vci_issuer AS i ON false WHEN MATCHED THEN DELETE$$,
    $$SET LOCAL session_replication_role = replica; DELETE FROM vci_event$$,
    $$UPDATE vci_event_seal SET events = 0$$, $$DELETE FROM vci_event_seal$$, $$TRUNCATE vci_event_seal$$);

-- A reader that is behind gets the events of an issuer that was retired meanwhile, too.
SELECT count(*) AS before FROM vci_events(:start) \gset
SELECT vci_retire_issuer('https://events.example'), vci_retire_issuer('https://events.example/other');
SELECT count(*) = :before AS all_there, count(DISTINCT issuer) FROM vci_events(:start);
