-- A wallet's steps reach the rows of offer and token without a statement: never through a whole
-- table, and with everything that stands on the tables honoured as statements would.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA rows;
-- One flow, as a wallet goes it; the statuses of its two steps.
CREATE FUNCTION rows.flow(offer_id bigint, OUT token_status integer, OUT credential_status integer)
LANGUAGE plpgsql AS $$
DECLARE
    answer record;
BEGIN
    SELECT * INTO answer FROM helper.post_form(helper.form(helper.code(offer_id)));
    token_status := answer.status;
    SELECT status INTO credential_status FROM helper.post_json(answer.body ->> 'access_token',
        '{"credential_configuration_id": "EntitlementCredential"}'
        || helper.proofs(wallet.proof(openid4vci.vci_create_nonce())));
END
$$;
CREATE FUNCTION rows.offer() RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM openid4vci.vci_create_offer('{EntitlementCredential}',
        claims => '{"entitlementId": "E-1", "entitlementStatus": "approved"}')
$$;
-- New flows, and what they left.
CREATE FUNCTION rows.flows(count integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    flow record;
    offer bigint;
    steps text[] := '{}';
BEGIN
    FOR n IN 1 .. count LOOP
        offer := rows.offer();
        flow := rows.flow(offer);
        steps := steps || format('%s %s %s', flow.token_status, flow.credential_status,
            (SELECT state FROM openid4vci.vci_offer_info WHERE id = offer));
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT step, ', ') FROM unnest(steps) AS step);
END
$$;

-- Statistics of tables that were empty, or small: a plan made now would read them whole. Many
-- flows in one transaction, so that plans that are saved are used.
ANALYZE vci_offer, vci_token, vci_credential, vci_nonce, vci_deferred, vci_event;
-- the counters of this transaction alone
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT rows.offer() AS offer FROM generate_series(1, 10) AS n OFFSET 9 \gset
SELECT seq_scan AS before FROM pg_stat_xact_user_tables WHERE relname = 'vci_offer' \gset
SELECT rows.flow(rows.offer()) FROM generate_series(1, 10) AS n OFFSET 9;
SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE schemaname = 'openid4vci'
    AND relname IN ('vci_token', 'vci_credential', 'vci_nonce', 'vci_deferred', 'vci_event')
    AND seq_scan > 0;
SELECT seq_scan - :before AS "whole reads of vci_offer" FROM pg_stat_xact_user_tables
    WHERE relname = 'vci_offer';
ROLLBACK;

-- An update touches no index: each is HOT.
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT rows.flows(1);
SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'vci_offer';
COMMIT;
-- A trigger is run, a check checked, a policy and a rule applied: by statements then.
CREATE TABLE rows.seen (offer bigint, redeemed boolean, issued boolean);
CREATE FUNCTION rows.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rows.seen VALUES (NEW.id, NEW.redeemed_at IS NOT NULL, NEW.issued_at IS NOT NULL);
    RETURN NEW;
END
$$;
CREATE TRIGGER see AFTER UPDATE ON vci_offer FOR EACH ROW EXECUTE FUNCTION rows.see();
SELECT rows.flows(1);
SELECT redeemed, issued FROM rows.seen ORDER BY issued;
DROP TRIGGER see ON vci_offer;
TRUNCATE rows.seen;
CREATE RULE see AS ON UPDATE TO vci_offer DO ALSO
    INSERT INTO rows.seen VALUES (NEW.id, NEW.redeemed_at IS NOT NULL, NEW.issued_at IS NOT NULL);
SELECT rows.flows(1);
SELECT count(*) FROM rows.seen;
DROP RULE see ON vci_offer;
ALTER TABLE vci_offer ADD CONSTRAINT nobody CHECK (redeemed_at IS NULL) NOT VALID;
SELECT split_part(helper.error('SELECT rows.flows(1)'), E'\n', 1);
ALTER TABLE vci_offer DROP CONSTRAINT nobody;
-- A check of a column that is never written is left out only where it is passed by NULL.
ALTER TABLE vci_credential ADD CONSTRAINT seventh CHECK (dataset IN (7, 8)) NOT VALID;
SELECT split_part(helper.error('SELECT rows.flows(1)'), E'\n', 1);
ALTER TABLE vci_credential DROP CONSTRAINT seventh;
ALTER TABLE vci_credential ADD CONSTRAINT told CHECK (notification IS NOT NULL) NOT VALID;
SELECT split_part(helper.error('SELECT rows.flows(1)'), E'\n', 1);
ALTER TABLE vci_credential DROP CONSTRAINT told;
ALTER TABLE vci_token ENABLE ROW LEVEL SECURITY;
SELECT rows.flows(1);
ALTER TABLE vci_token DISABLE ROW LEVEL SECURITY;
-- A column more, one less, another place of the key.
ALTER TABLE vci_offer ADD note text DEFAULT 'none';
SELECT rows.flows(1);
ALTER TABLE vci_offer DROP note;
SELECT rows.flows(1);
CREATE INDEX ends ON vci_offer (ends_at);
SELECT rows.flows(1);
SET enable_seqscan = off;
SELECT count(*) AS "the index knows the new version" FROM vci_offer
    WHERE ends_at = (SELECT ends_at FROM vci_offer WHERE issued_at IS NOT NULL ORDER BY issued_at DESC LIMIT 1)
    AND issued_at = (SELECT max(issued_at) FROM vci_offer);
RESET enable_seqscan;
DROP INDEX ends;
ALTER TABLE vci_token DROP CONSTRAINT vci_token_pkey;
SELECT rows.flows(1);
ALTER TABLE vci_token ADD CONSTRAINT vci_token_pkey PRIMARY KEY (id);
SELECT rows.flows(1);
-- A server where rows may lie elsewhere gets statements.
BEGIN;
CREATE TABLE pg_dist_partition (logicalrelid regclass);
SET LOCAL allow_system_table_mods = on;
ALTER TABLE pg_dist_partition SET SCHEMA pg_catalog;
SELECT rows.flows(2);
ROLLBACK;
-- Nothing is locked or written where nothing may be.
SELECT helper.token(rows.offer()) AS token, helper.code(rows.offer()) AS code \gset
BEGIN READ ONLY;
SELECT helper.errors(format('SELECT vci_exchange_code(%L)', :'code'),
    format('SELECT vci_request_credential(%L, ''{"credential_configuration_id": "Membership"}'')', :'token'));
ROLLBACK;
-- What a savepoint takes back was never redeemed.
SELECT rows.offer() AS offer \gset
BEGIN;
SAVEPOINT a;
SELECT rows.flow(:offer);
ROLLBACK TO a;
SELECT rows.flow(:offer);
COMMIT;
SELECT rows.flow(:offer);
-- What the calling statement itself has changed is seen, and changed further.
SELECT rows.offer() AS offer \gset
WITH labelled AS (UPDATE vci_offer SET labels = '{"by": "owner"}' WHERE id = :offer RETURNING id)
SELECT vci_cancel_offer(id) IS NOT NULL FROM labelled;
SELECT state, labels FROM vci_offer_info WHERE id = :offer;
-- A row that was locked is found again where it lies, unless the same transaction has changed it.
BEGIN;
SELECT rows.offer() AS offer \gset
SELECT helper.token(:offer) AS token \gset
SELECT status, body ->> 'error' FROM helper.post_json(:'token', '{"credential_configuration_id": "none"}');
SELECT vci_cancel_offer(:offer);
SELECT status, body ->> 'error' FROM helper.post_json(:'token', '{"credential_configuration_id": "none"}');
COMMIT;
-- A nonce that comes three times is spent once, and leaves one row.
SELECT count(*) AS before FROM vci_nonce \gset
SELECT vci_create_nonce() AS nonce \gset
SELECT status, body ->> 'error'
FROM generate_series(1, 3) AS n, LATERAL helper.post_json(helper.token(rows.offer() + n * 0),
    '{"credential_configuration_id": "EntitlementCredential"}' || helper.proofs(wallet.proof(:'nonce')));
SELECT count(*) - :before AS "nonces spent" FROM vci_nonce;
-- A value of a column that was dropped goes at the row's next change, and with it what was kept
-- outside of the row.
SELECT reltoastrelid::regclass AS kept_outside FROM pg_class WHERE oid = 'vci_offer'::regclass \gset
SELECT count(DISTINCT chunk_id) AS before FROM :kept_outside \gset
ALTER TABLE vci_offer ADD note text;
SELECT rows.offer() AS offer \gset
ALTER TABLE vci_offer ALTER note SET STORAGE EXTERNAL;
UPDATE vci_offer SET note = repeat('note', 2000) WHERE id = :offer;
ALTER TABLE vci_offer DROP note;
SELECT rows.flow(:offer);
SELECT count(DISTINCT chunk_id) - :before AS "left of it" FROM :kept_outside;
-- A unique index that does not hold each row spends no nonce: a partial one, one that was never
-- finished.
ALTER TABLE vci_nonce DROP CONSTRAINT vci_nonce_pkey;
CREATE UNIQUE INDEX partial ON vci_nonce (issued_at, random) WHERE random < '\x00';
SELECT split_part(helper.error('SELECT rows.flows(1)'), E'\n', 1);
DROP INDEX partial;
INSERT INTO vci_nonce (issued_at, random) SELECT 'epoch', '\x00' FROM generate_series(1, 2);
CREATE UNIQUE INDEX CONCURRENTLY unfinished ON vci_nonce (issued_at, random);
SELECT split_part(helper.error('SELECT rows.flows(1)'), E'\n', 1);
DROP INDEX unfinished;
DELETE FROM vci_nonce WHERE issued_at = 'epoch';
ALTER TABLE vci_nonce ADD CONSTRAINT vci_nonce_pkey PRIMARY KEY (issued_at, random);
SELECT rows.flows(1);
DROP SCHEMA rows CASCADE;
