-- vci_offer_situation: how it stands with an offer, and what helps.
\pset format unaligned
\pset tuples_only on

-- One offer in each situation.
SELECT vci_create_configuration('Decided', 'v', binding => 'absent', options => '{"deferred": true}');
SELECT vci_alter_issuer('{"tx_code_retry_delay": 60}');
CREATE TABLE helper.standing AS
    SELECT n, situation, (vci_create_offer(
        CASE WHEN situation = ANY ('{deferred,ready,denied}') THEN '{Decided}' ELSE '{Membership}' END::text[],
        claims => '{"member": true}', expires_in => '1 hour',
        tx_code => CASE WHEN situation = ANY ('{pending,delayed,locked}') THEN '1234' END)).offer_id AS id
    FROM unnest('{pending,delayed,locked,expired,redeemed,deferred,ready,denied,lapsed,issued,cancelled}'::text[])
        WITH ORDINALITY AS s (situation, n);
SELECT helper.exchange(helper.code(id), '0000') FROM helper.standing WHERE situation = 'delayed';
UPDATE vci_offer SET tx_code_failures = 5 WHERE id = (SELECT id FROM helper.standing WHERE situation = 'locked');
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 second'
    WHERE id = (SELECT id FROM helper.standing WHERE situation = 'expired');
SELECT vci_cancel_offer(id) FROM helper.standing WHERE situation = 'cancelled';
CREATE TABLE helper.standing_token AS
    SELECT n, situation, helper.token(id) AS token FROM helper.standing
    WHERE situation = ANY ('{redeemed,deferred,ready,denied,lapsed,issued}');
SELECT situation, (helper.post_json(token, jsonb_build_object('credential_configuration_id',
    CASE WHEN situation = 'issued' THEN 'Membership' ELSE 'Decided' END))).status
FROM helper.standing_token WHERE situation = ANY ('{deferred,ready,denied,issued}') ORDER BY n;
SELECT vci_deferred_complete(d.id) FROM vci_deferred_info AS d JOIN helper.standing AS s ON s.id = d.offer_id
    WHERE situation = 'ready';
SELECT vci_deferred_deny(d.id) FROM vci_deferred_info AS d JOIN helper.standing AS s ON s.id = d.offer_id
    WHERE situation = 'denied';
UPDATE vci_offer SET ends_at = clock_timestamp() - interval '1 second'
    WHERE id = (SELECT id FROM helper.standing WHERE situation = 'lapsed');

SELECT s.situation = t.situation AS "as expected", t.situation, t.until > clock_timestamp() AS "until",
    t.obstacle, t.next_action, t.actions
FROM helper.standing AS s, LATERAL vci_offer_situation(s.id) AS t ORDER BY n;
-- The times are those of the views.
SELECT t.situation, t.until = CASE t.situation WHEN 'redeemed' THEN o.ends_at WHEN 'delayed' THEN t.until
        WHEN 'deferred' THEN d.expires_at WHEN 'ready' THEN d.expires_at ELSE o.expires_at END AS "the same",
    t.situation <> 'delayed' OR t.until - o.tx_code_failed_at BETWEEN '59 s' AND '62 s' AS "a minute"
FROM helper.standing AS s JOIN vci_offer_info AS o USING (id) LEFT JOIN vci_deferred_info AS d ON d.offer_id = s.id,
    LATERAL vci_offer_situation(s.id) AS t
WHERE t.until IS NOT NULL ORDER BY n;
-- What is listed takes effect, what is not does not.
CREATE VIEW helper.wrongly_listed AS
SELECT s.situation, f.function, f.function = ANY (t.actions) AS listed, e.error
FROM helper.standing AS s, LATERAL vci_offer_situation(s.id) AS t,
    unnest('{vci_extend_offer,vci_rotate_code,vci_reset_tx_code,vci_reopen_offer,vci_cancel_offer}'::text[]) AS f (function),
    LATERAL helper.error(CASE WHEN function = 'vci_cancel_offer'
        THEN format('SELECT 1 / vci_cancel_offer(%s)::integer', s.id) ELSE format('SELECT %s(%s)', function, s.id) END) AS e (error)
WHERE (f.function = ANY (t.actions)) <> (e.error = 'no error');
SELECT * FROM helper.wrongly_listed;
-- What is erased is offered anew.
BEGIN;
UPDATE vci_offer SET claims_erased_at = clock_timestamp() WHERE id IN (SELECT id FROM helper.standing);
SELECT t.situation, t.next_action, t.actions FROM helper.standing AS s, LATERAL vci_offer_situation(s.id) AS t
    WHERE s.situation = ANY ('{expired,lapsed,cancelled}') ORDER BY n;
SELECT * FROM helper.wrongly_listed;
ROLLBACK;

-- What keeps a wallet from its credential that does all right.
SELECT id AS offer FROM helper.standing WHERE situation = 'pending' \gset
BEGIN;
SELECT vci_pause_issuance();
SELECT situation, obstacle FROM vci_offer_situation(:offer);
SELECT DISTINCT obstacle FROM helper.standing AS s, LATERAL vci_offer_situation(s.id)
    WHERE s.situation = ANY ('{expired,denied,lapsed,issued,cancelled}');
ROLLBACK;
BEGIN;
UPDATE vci_database SET database_oid = 1;
SELECT situation, obstacle FROM vci_offer_situation(:offer);
ROLLBACK;
BEGIN;
UPDATE vci_key SET state = 'retired' WHERE state = 'active';
SELECT situation, obstacle FROM vci_offer_situation(:offer);
ROLLBACK;
BEGIN;
SELECT vci_retire_configuration('Membership');
SELECT situation, obstacle FROM vci_offer_situation(:offer);
ROLLBACK;
BEGIN;
UPDATE vci_offer SET holder_did = 'did:web:wallet.example' WHERE id = :offer;
SELECT situation, obstacle FROM vci_offer_situation(:offer);
SELECT vci_load_did_document('did:web:wallet.example', '{"id": "did:web:wallet.example"}');
SELECT situation, obstacle FROM vci_offer_situation(:offer);
ROLLBACK;
BEGIN;
SELECT count(vci_retire_issuer(url)) FROM vci_issuer_info WHERE retired_at IS NULL;
SELECT * FROM vci_offer_situation(:offer);
ROLLBACK;
SELECT * FROM vci_offer_situation(:offer) AS t WHERE t.obstacle IS NOT NULL;

SELECT helper.errors('SELECT vci_offer_situation(-1)');
SELECT vci_offer_situation(NULL) IS NULL;
SELECT vci_alter_issuer('{"tx_code_retry_delay": null}');
SELECT vci_retire_configuration('Decided');
