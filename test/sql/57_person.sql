-- vci_person: everything of one person in plain words, what went wrong last, what helps; no secret.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT vci_create_issuer('https://desk.example', settings => '{"tx_code_max_failures": 2}') > 0;
SELECT vci_create_key('https://desk.example') IS NOT NULL;
SELECT vci_create_configuration(id, 'urn:' || id, binding => 'absent', issuer => 'https://desk.example',
    options => CASE WHEN id = 'Decided' THEN '{"deferred": true}' ELSE '{"status_bits": 2}' END::jsonb)
FROM unnest('{Card,Decided}'::text[]) AS id;
CREATE SCHEMA desk;
CREATE FUNCTION desk.offer(configuration text, ref text DEFAULT NULL, pin text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM openid4vci.vci_create_offer(ARRAY[configuration], subject_model => 'person', subject_id => 'ann',
        claims => '{"a": 1}', tx_code => pin, reference => ref, issuer => 'https://desk.example')
$$;
CREATE FUNCTION desk.exchange(offer bigint, pin text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT openid4vci.vci_exchange_code(helper.code(offer), pin, 'https://desk.example') ->> 'access_token'
$$;
CREATE FUNCTION desk.request(token text, configuration text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT openid4vci.vci_request_credential(token, jsonb_build_object('credential_configuration_id', configuration),
        issuer => 'https://desk.example')
$$;
-- The latest line of a kind.
CREATE FUNCTION desk.line(ref text, of_kind text DEFAULT 'offer') RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', situation, summary, problem, next_action)
    FROM openid4vci.vci_person(ref, issuer => 'https://desk.example') WHERE kind = of_kind
$$;

SELECT helper.errors('SELECT * FROM vci_person()', 'SELECT * FROM vci_person(subject_model => ''person'')',
    'SELECT * FROM vci_person('''', issuer => ''https://desk.example'')',
    'SELECT * FROM vci_person(''x'', issuer => ''https://nowhere.example'')');
SELECT count(*) FROM vci_person('nobody', issuer => 'https://desk.example');

-- What can happen to an offer.
SELECT desk.offer('Card', 'P-1', '4711') AS offer \gset
SELECT desk.line('P-1');
SELECT desk.exchange(:offer, '0000') IS NULL;
SELECT desk.line('P-1');
SELECT desk.exchange(:offer, '0000') IS NULL;
SELECT desk.line('P-1');
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 s' WHERE id = :offer;
SELECT desk.line('P-1');
SELECT vci_extend_offer(:offer) IS NOT NULL, vci_reset_tx_code(:offer, '4711') IS NOT NULL;
UPDATE vci_offer SET opened_at = now() WHERE id = :offer;
SELECT desk.line('P-1');
BEGIN;
SELECT vci_pause_issuance('https://desk.example');
SELECT desk.line('P-1');
ROLLBACK;
SELECT desk.exchange(:offer, '4711') AS token \gset
SELECT desk.line('P-1');
SELECT desk.request(:'token', 'Card') ->> 'notification_id' AS notification \gset
SELECT desk.line('P-1');
-- And to a credential.
SELECT desk.line('P-1', 'credential');
SELECT vci_record_notification(:'token', :'notification', 'credential_failure', 'the wallet is full',
    issuer => 'https://desk.example');
SELECT desk.line('P-1', 'credential');
SELECT vci_record_notification(:'token', :'notification', 'credential_accepted', issuer => 'https://desk.example');
SELECT desk.line('P-1', 'credential');
SELECT credential_id AS credential FROM vci_person('P-1', issuer => 'https://desk.example') WHERE kind = 'credential' \gset
SELECT vci_suspend(:credential, 'address in doubt');
SELECT desk.line('P-1', 'credential');
SELECT vci_revoke(:credential, 'moved abroad');
SELECT desk.line('P-1', 'credential');
BEGIN;
UPDATE vci_credential SET status = 0, expires_at = now() - interval '1 s' WHERE id = :credential;
SELECT desk.line('P-1', 'credential');
ROLLBACK;

-- What waits for a decision.
SELECT desk.offer('Decided', 'P-2') AS offer \gset
SELECT desk.exchange(:offer) AS token \gset
SELECT desk.request(:'token', 'Decided') ? 'transaction_id';
SELECT desk.line('P-2'), desk.line('P-2', 'deferred');
SELECT vci_deferred_deny(deferred_id, 'two people of this name') FROM vci_person('P-2', issuer => 'https://desk.example')
WHERE kind = 'deferred';
SELECT desk.line('P-2'), desk.line('P-2', 'deferred');

-- Campaigns: a message that did not arrive, and somebody for whom no offer could be made.
CREATE TABLE desk.people (reference text, subject_model text, subject_id text, claims jsonb, address text, channel text);
INSERT INTO desk.people VALUES ('P-3', 'person', 'ann', '{"a": 1}', '+1555', 'sms'), ('P-4', 'person', 'ann', '[]', '+1556', 'sms');
SELECT vci_create_campaign('desk', '{Card}', 'desk.people', issuer => 'https://desk.example') AS campaign \gset
SELECT loaded FROM vci_campaign_step(:campaign);
SELECT desk.line('P-3', 'recipient');
SELECT made, failed FROM vci_campaign_step(:campaign);
SELECT desk.line('P-3'), desk.line('P-4', 'recipient');
SELECT vci_mark_deliveries(ARRAY[id], state, note) FROM vci_take_deliveries(:campaign),
    (VALUES ('failed', 'no such number')) AS m (state, note);
SELECT desk.line('P-3');
SELECT vci_resend(reference => 'P-3', issuer => 'https://desk.example');
SELECT desk.line('P-3');
SELECT vci_mark_deliveries(array_agg(id), 'sent') FROM vci_take_deliveries(:campaign);
SELECT desk.line('P-3');
SELECT vci_cancel_offer(offer_id) FROM vci_person('P-3', issuer => 'https://desk.example');
SELECT desk.line('P-3');

-- By subject: all of it, and credentials that came without an offer; another model is another person.
SELECT credential_id > 0 FROM vci_issue_and_record('Card', '{"a": 1}', subject_model => 'person', subject_id => 'ann',
    issuer => 'https://desk.example');
SELECT kind, campaign, configuration_ids, situation, next_action, offer_id IS NOT NULL, deferred_id IS NOT NULL, credential_id IS NOT NULL, at IS NOT NULL
FROM vci_person(subject_id => 'ann', issuer => 'https://desk.example') ORDER BY kind, situation, configuration_ids;
SELECT count(*) FROM vci_person(NULL, 'person', 'ann', 'https://desk.example');
SELECT count(*) FROM vci_person(NULL, 'house', 'ann', 'https://desk.example');
SELECT count(*) FROM vci_person('P-1', 'person', 'bob', 'https://desk.example');
-- Who reads other issuers alone sees nobody here; whoever reads this one sees no secret.
SELECT vci_grant('regress_vci_stranger', 'reporter', 'https://desk.example');
SET ROLE regress_vci_stranger;
SELECT count(*) FROM openid4vci.vci_person('P-1', issuer => 'https://desk.example');
SELECT bool_or(p::text ~ '4711|openid-credential-offer|/o/|"a"|\+1555') FROM openid4vci.vci_person(subject_id => 'ann', issuer => 'https://desk.example') AS p;
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'reporter', 'https://desk.example');
SELECT vci_grant('regress_vci_stranger', 'reporter', (SELECT min(url) FROM vci_issuer_info
    WHERE url <> 'https://desk.example' AND retired_at IS NULL));
SET ROLE regress_vci_stranger;
SELECT helper.error('SELECT * FROM openid4vci.vci_person(''P-1'', issuer => ''https://desk.example'')');
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'reporter', (SELECT min(url) FROM vci_issuer_info
    WHERE url <> 'https://desk.example' AND retired_at IS NULL));
DELETE FROM vci_campaign_recipient WHERE campaign_id = :campaign;
DELETE FROM vci_campaign WHERE id = :campaign;
DROP SCHEMA desk CASCADE;
SELECT vci_retire_issuer('https://desk.example');
