-- Many offers in one statement, of claims that lie in a table. Variables: count; live: the offers
-- name a subject alone, whose claims are asked for when the wallet comes. Prints: microseconds of
-- time and of CPU an offer, and bytes of WAL an offer.
\set ON_ERROR_STOP on

SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS bench.person AS
SELECT n, demo.claims(n) AS claims FROM generate_series(1, :count) AS n;
ANALYZE bench.person;
SET jit = off;
SELECT bench.cpu_us() AS cpu, clock_timestamp() AS began, pg_current_wal_insert_lsn() AS lsn \gset
\if :live
SELECT count(o.offer_id)
FROM bench.person AS p,
     LATERAL openid4vci.vci_create_offer(
         configuration_ids => '{LiveCredential}',
         subject_model => 'demo.person',
         subject_id => p.n::text) AS o \gset
\else
SELECT count(o.offer_id)
FROM bench.person AS p,
     LATERAL openid4vci.vci_create_offer(
         configuration_ids => '{BenchmarkCredential}',
         subject_model => 'demo.person',
         subject_id => p.n::text,
         claims => p.claims) AS o \gset
\endif
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :count,
       (bench.cpu_us() - :cpu) / :count, (pg_current_wal_insert_lsn() - :'lsn') / :count;
