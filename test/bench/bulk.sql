-- Many offers in one statement. Variable: count. Prints: microseconds of time and of CPU an
-- offer, and bytes of WAL an offer.
\set ON_ERROR_STOP on

SET jit = off;
SELECT bench.cpu_us() AS cpu, clock_timestamp() AS began, pg_current_wal_insert_lsn() AS lsn \gset
SELECT count(o.offer_id)
FROM generate_series(1, :count) AS n,
     LATERAL openid4vci.vci_create_offer(
         configuration_ids => '{BenchmarkCredential}',
         subject_model => 'demo.person',
         subject_id => 'maria',
         claims => demo.claims(n)) AS o \gset
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :count,
       (bench.cpu_us() - :cpu) / :count, (pg_current_wal_insert_lsn() - :'lsn') / :count;
