-- The reporting views: their columns, states that are right at the moment of reading, no secret.
\pset format unaligned
\pset tuples_only on

-- Public views only ever append columns: these come first, in this order.
SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)
    FROM information_schema.columns
WHERE table_schema = 'openid4vci' AND table_name LIKE '%\_info' GROUP BY table_name
    ORDER BY table_name;
SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace
    AND relkind = 'v' ORDER BY relname;

-- An offer expires by time alone, without anything having run, also within one transaction.
SELECT o.offer_id AS id FROM vci_create_offer('{Membership}', claims => '{"secret": "claim"}',
    labels => '{"campaign": "c1", "area": "N"}', reference => 'views/1') AS o \gset
BEGIN;
SELECT state FROM vci_offer_info WHERE id = :id;
UPDATE vci_offer SET expires_at = clock_timestamp() + interval '50 ms' WHERE id = :id;
SELECT pg_sleep(0.1) IS NOT NULL;
SELECT state FROM vci_offer_info WHERE id = :id;
COMMIT;
-- Reports by label.
SELECT labels ->> 'area', state, count(*) FROM vci_offer_info WHERE labels ->> 'campaign' = 'c1'
    GROUP BY 1, 2;
-- What was offered and issued to one subject is found by an index, through the view as well.
CREATE FUNCTION helper.scan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        IF line ~ 'vci_(offer|credential)_subject|Index Cond: .*subject' THEN
            RETURN NEXT btrim(line, ' ->');
        END IF;
    END LOOP;
END
$$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT helper.scan($$SELECT state FROM vci_offer_info WHERE subject_model = 'm' AND subject_id = '1'$$);
SELECT helper.scan($$SELECT id FROM vci_credential_info WHERE subject_model = 'm' AND subject_id = '1'$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
-- No view shows a code, a claim, a verifier or a sealed key.
SELECT helper.code(:id) AS code \gset
SELECT count(*) FROM vci_offer_info AS o WHERE o::text ~ 'claim'
    OR position(:'code' IN o::text) > 0;
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'openid4vci'
    AND table_name LIKE '%\_info'
    AND (data_type = 'bytea' OR column_name ~ 'private|data_key|verifier|digest|generation'
    OR (column_name = 'claims' AND table_name <> 'vci_configuration_info'));
-- They are for reading.
SELECT helper.errors($$INSERT INTO vci_offer_info (id) VALUES (1)$$,
    $$UPDATE vci_key_info SET state = 'active'$$, $$DELETE FROM vci_credential_info$$);
-- Identifiers are compared byte by byte.
SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = 'openid4vci'
    AND table_name = 'vci_offer_info' AND column_name IN ('state', 'reference', 'subject_id');
-- A credential's key may be retired, its configuration and issuer too: the record stays in view.
SELECT count(*) = (SELECT count(*) FROM vci_credential) FROM vci_credential_info;
SELECT bool_and(kid IS NOT NULL AND issuer IS NOT NULL) FROM vci_credential_info;
