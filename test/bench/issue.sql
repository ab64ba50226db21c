-- vci_issue_sdjwt over the rows of a slice. Variables: rows, that it has; workers, beside the
-- session. Prints: microseconds of the session's CPU and of time a credential.
\set ON_ERROR_STOP on

SET max_parallel_workers_per_gather = :workers;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET jit = off;
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk))
FROM bench.slice WHERE n <= 100 \gset warm_

SELECT bench.cpu_us() AS cpu, clock_timestamp() AS began \gset
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk)) FROM bench.slice \gset
SELECT (bench.cpu_us() - :cpu) / :rows, extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :rows;

-- a worker that could not be had would be taken for one that gains nothing
SELECT bench.must_launch(:workers,
    'SELECT count(openid4vci.vci_issue_sdjwt(''BenchmarkCredential'', claims, jwk))
     FROM bench.slice WHERE n <= 1000') \gset launched_
