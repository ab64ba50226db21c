-- vci_issue_sdjwt over rows of a table, in one process and in a parallel plan of two.
-- Variables: rows, of which parallel_rows in the second comparison; holders, a file of JWKs.
-- Prints: microseconds of CPU and of time a credential, kB of memory that came on during the
-- first run; then microseconds of time a credential in one process and in two, and how many
-- workers ran beside the session.
\set ON_ERROR_STOP on

CREATE TEMPORARY TABLE line (id bigint GENERATED ALWAYS AS IDENTITY, jwk jsonb);
\set copy '\\copy line (jwk) FROM ' :holders
:copy
CREATE TABLE bench.entitlement AS
SELECT n, demo.claims(n) AS claims, l.jwk
FROM generate_series(1, :rows) AS n
     JOIN line AS l ON l.id = 1 + n % (SELECT count(*) FROM line);
ANALYZE bench.entitlement;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk))
FROM bench.entitlement WHERE n <= 100 \gset warm_

SELECT bench.cpu_us() AS cpu, clock_timestamp() AS began \gset
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk)),
       max(CASE WHEN n % (:rows / 20) = 0 THEN bench.anonymous_kb() END)
           - min(CASE WHEN n % (:rows / 20) = 0 THEN bench.anonymous_kb() END) AS grown
FROM bench.entitlement \gset
SELECT (bench.cpu_us() - :cpu) / :rows, extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :rows,
       :grown, :count = :rows;

CREATE TABLE bench.part AS SELECT * FROM bench.entitlement WHERE n <= :parallel_rows;
ANALYZE bench.part;
SELECT clock_timestamp() AS began \gset
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk)) FROM bench.part \gset
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :parallel_rows AS one \gset

SET max_parallel_workers_per_gather = 1;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT clock_timestamp() AS began \gset
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk)) FROM bench.part \gset
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :parallel_rows AS two \gset
CREATE FUNCTION bench.workers_launched(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE plan text;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    RETURN substring(plan FROM '"Workers Launched": (\d+)');
END
$$;
SELECT :one, :two, bench.workers_launched(
    'SELECT count(openid4vci.vci_issue_sdjwt(''BenchmarkCredential'', claims, jwk))
     FROM bench.part WHERE n <= 1000');
