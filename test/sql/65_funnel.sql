-- The funnel: each step is counted once, under the offer's day and labels.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT vci_create_issuer('https://funnel.example', settings => '{"report_labels": ["area", "area"], "tx_code_max_failures": 2, "tx_code_retry_delay": 0}') > 0;
SELECT id AS issuer FROM vci_issuer_info WHERE url = 'https://funnel.example' \gset
SELECT report_labels FROM vci_issuer_info WHERE id = :issuer;
SELECT vci_create_key('https://funnel.example') IS NOT NULL;
SELECT vci_create_configuration(id, 'https://funnel.example/' || id, binding => 'absent', issuer => 'https://funnel.example')
FROM (VALUES ('Card'), ('Pass')) AS c (id);
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{"report_labels": "area"}', 'https://funnel.example')$$,
    $$SELECT vci_alter_issuer('{"report_labels": [1]}', 'https://funnel.example')$$,
    $$SELECT vci_alter_issuer('{"report_labels": [""]}', 'https://funnel.example')$$,
    $$SELECT vci_alter_issuer('{"report_labels": ["1","2","3","4","5","6","7","8","9"]}', 'https://funnel.example')$$,
    $$SELECT vci_refresh_funnel(0)$$, $$SELECT vci_refresh_funnel(1000001)$$);

CREATE SCHEMA funnel;
CREATE FUNCTION funnel.offer(labels jsonb DEFAULT NULL, configurations text[] DEFAULT '{Card}', tx_code text DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM openid4vci.vci_create_offer(configurations, claims => '{"name": "Ann"}', labels => labels,
        tx_code => tx_code, issuer => 'https://funnel.example')
$$;
CREATE FUNCTION funnel.token(offer bigint, tx_code text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT openid4vci.vci_exchange_code(helper.code(offer), tx_code, issuer => 'https://funnel.example') ->> 'access_token'
$$;
CREATE FUNCTION funnel.issue(token text, configuration text DEFAULT 'Card') RETURNS boolean LANGUAGE sql AS $$
    SELECT openid4vci.vci_request_credential(token, jsonb_build_object('credential_configuration_id', configuration),
        issuer => 'https://funnel.example') ? 'credentials'
$$;
-- Counts all that has happened, also what it notes itself. An autovacuum worker can hold events back a while.
CREATE PROCEDURE funnel.count() LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. 6000 LOOP
        PERFORM openid4vci.vci_refresh_funnel();
        COMMIT;
        EXIT WHEN (SELECT mark FROM openid4vci.vci_funnel_state) = (SELECT max(id) FROM openid4vci.vci_event);
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
CREATE VIEW funnel.shown AS
SELECT f.label, f.value, s.step, s.count
FROM openid4vci.vci_funnel_info AS f, LATERAL jsonb_each_text(to_jsonb(f)) AS s (step, count)
WHERE f.issuer = 'https://funnel.example' AND f.day = (now() AT TIME ZONE 'UTC')::date AND f.campaign_id IS NULL
    AND f.as_of <= clock_timestamp()
    AND s.step NOT IN ('issuer_id', 'issuer', 'campaign_id', 'campaign', 'day', 'label', 'value', 'as_of') AND s.count <> '0';

-- Of five offers one is fetched by its wallet, one cancelled, one locked, two wait.
SELECT funnel.offer('{"area": "NCR", "household": "h1"}') AS issued, funnel.offer('{"area": "NCR"}', tx_code => '1234') AS locked,
    funnel.offer('{"area": "CAR"}') AS cancelled, funnel.offer() AS waiting, funnel.offer('{"area": null}', '{Card,Pass}') AS both \gset
SELECT funnel.token(:issued) AS token \gset
SELECT funnel.issue(:'token');
SELECT funnel.token(:locked, '0000'), funnel.token(:locked, '0001');
SELECT vci_cancel_offer(:cancelled);
CALL funnel.count();
SELECT * FROM funnel.shown ORDER BY label, value, step COLLATE "C";
SELECT issued, p50 = p99, p50 < '1 minute' FROM vci_latency_info WHERE issuer = 'https://funnel.example' AND label = '';
-- Counting again changes nothing; nor does a credential that comes again, or the offer's second one.
SELECT funnel.issue(:'token');
SELECT funnel.token(:both) AS second \gset
SELECT funnel.issue(:'second', 'Pass'), funnel.issue(:'second', 'Card');
CALL funnel.count();
SELECT step, count FROM funnel.shown WHERE label = '' ORDER BY step COLLATE "C";

-- Expired is what nobody fetched in time; who gives it more time takes it back.
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 minute' WHERE id IN (:waiting, :both, :cancelled);
CALL funnel.count();
SELECT kind, count(*) FROM vci_event WHERE offer_id IN (:waiting, :both, :cancelled) AND kind LIKE '%exp%' GROUP BY 1;
SELECT count FROM funnel.shown WHERE label = '' AND step = 'expired';
SELECT vci_extend_offer(:waiting) > now();
SELECT vci_extend_offer(:waiting) > now();
SELECT array_agg(kind ORDER BY id) FROM vci_event WHERE offer_id = :waiting;
CALL funnel.count();
SELECT count(*) FROM funnel.shown WHERE step = 'expired';
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 second' WHERE id = :waiting;
CALL funnel.count();
SELECT count FROM funnel.shown WHERE step = 'expired';
SELECT vci_reopen_offer(:cancelled) <> '';
CALL funnel.count();
SELECT step, count FROM funnel.shown WHERE label = 'area' AND value = 'CAR' ORDER BY step COLLATE "C";

-- Labels that were not counted by are counted once they are named and all is counted anew.
SELECT vci_alter_issuer('{"report_labels": ["household"]}', 'https://funnel.example');
SELECT vci_recount_funnel();
CALL funnel.count();
SELECT * FROM funnel.shown WHERE label <> '' ORDER BY label, value, step COLLATE "C";
SELECT vci_alter_issuer('{"report_labels": null}', 'https://funnel.example');
SELECT report_labels FROM vci_issuer_info WHERE id = :issuer;

-- Who reads reports may count and read.
SELECT vci_grant('regress_vci_reporter', 'reporter', 'https://funnel.example');
SET ROLE regress_vci_reporter;
SELECT openid4vci.vci_refresh_funnel() >= 0, count(*) > 0 FROM openid4vci.vci_funnel_info WHERE issuer = 'https://funnel.example';
SELECT count(*) FROM openid4vci.vci_latency_info WHERE issuer = 'https://funnel.example';
SELECT helper.error('SELECT openid4vci.vci_recount_funnel()');
RESET ROLE;
SELECT vci_revoke('regress_vci_reporter', 'reporter', 'https://funnel.example');
SET ROLE regress_vci_stranger;
SELECT helper.error('SELECT openid4vci.vci_refresh_funnel()');
RESET ROLE;
SELECT vci_retire_issuer('https://funnel.example');
DROP SCHEMA funnel CASCADE;
