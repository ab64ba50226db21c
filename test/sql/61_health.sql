-- vci_health and vci_purge.
\pset format unaligned
\pset tuples_only on

SELECT "check", ok, CASE "check" WHEN 'nonces' THEN detail ~ '^about \d+ spent nonces are kept$'
    ELSE true END, CASE WHEN "check" <> 'nonces' THEN detail END FROM vci_health();
-- An issuer without a signing key needs somebody.
SELECT vci_create_issuer('https://keyless.example') > 0;
SELECT ok, detail FROM vci_health() WHERE "check" = 'keys';
SELECT vci_retire_issuer('https://keyless.example');
SELECT ok, detail FROM vci_health() WHERE "check" = 'keys';
-- A root key that cannot be read, or that others can read.
SELECT current_setting('openid4vci.root_key_file') AS root_key \gset
SET openid4vci.root_key_file = '/nonexistent';
SELECT ok, detail FROM vci_health() WHERE "check" = 'root_key';
SELECT 'cat >/dev/null; chmod 644 ' || :'root_key' AS open_it, 'cat >/dev/null; chmod 600 ' || :'root_key' AS close_it \gset
COPY (SELECT) TO PROGRAM :'open_it';
SET openid4vci.root_key_file = :'root_key';
SELECT ok, detail FROM vci_health() WHERE "check" = 'root_key';
\c -
\pset format unaligned
\pset tuples_only on
SELECT helper.errors($$SELECT vci_issue_sdjwt('Membership', '{}')$$) ~ 'chmod 0400 makes it private';
COPY (SELECT) TO PROGRAM :'close_it';
SELECT helper.claims(vci_issue_sdjwt('Membership', '{"a": 1}'));
-- A connection that has its keys goes on when the file is gone for a moment; a new one says what is missing.
SET openid4vci.root_key_file = '/nonexistent';
SELECT helper.claims(vci_issue_sdjwt('Membership', '{"a": 1}'));
RESET openid4vci.root_key_file;
-- Read-only: told, and no reason to fail.
BEGIN READ ONLY;
SELECT ok, detail FROM vci_health() WHERE "check" = 'writable';
ROLLBACK;
-- Only who may see reports may ask.
SET ROLE regress_vci_reporter;
SELECT count(*) FROM openid4vci.vci_health();
RESET ROLE;
SET ROLE regress_vci_stranger;
SELECT helper.errors($$SELECT openid4vci.vci_health()$$, $$SELECT openid4vci.vci_purge()$$);
RESET ROLE;

-- Purging takes spent nonces whose lifetime is over, a bounded number at once, and no others.
-- Other kinds share the batches with what becomes due meanwhile, so one batch may get fewer.
DO $$ BEGIN PERFORM vci_purge(10000); END $$;
SELECT count(*) > 0 AS "spent today" FROM vci_nonce;
INSERT INTO vci_nonce SELECT clock_timestamp() - interval '31 days', sha256(n::text::bytea)
    FROM generate_series(1, 25) AS n;
SELECT count(*) AS fresh FROM vci_nonce WHERE issued_at > clock_timestamp() - interval '1 day' \gset
SELECT bool_and(n BETWEEN 1 AND 11) AS "at most a batch each"
    FROM (SELECT (SELECT purged FROM vci_purge(max_rows) WHERE kind = 'nonce')
          FROM (VALUES (11), (11)) AS batch (max_rows)) AS first (n);
SELECT count(*) = 0 AS "and the rest" FROM vci_purge(10000) WHERE kind = 'nonce' AND remaining > 0;
SELECT count(*) = :fresh FROM vci_nonce;
SELECT count(*) FROM vci_purge(NULL);
SELECT helper.errors($$SELECT vci_purge(0)$$, $$SELECT vci_purge(-1)$$);
