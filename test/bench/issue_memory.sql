-- vci_issue_sdjwt over many rows in one statement. Variable: rows. Prints: microseconds of time a
-- credential, kB of memory that came on meanwhile, whether all were issued.
\set ON_ERROR_STOP on

SET max_parallel_workers_per_gather = 0;
SET jit = off;
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk))
FROM bench.slice WHERE n <= 100 \gset warm_

SELECT clock_timestamp() AS began \gset
SELECT count(openid4vci.vci_issue_sdjwt('BenchmarkCredential', claims, jwk)),
       max(CASE WHEN n % (:rows / 20) = 0 THEN bench.anonymous_kb() END)
           - min(CASE WHEN n % (:rows / 20) = 0 THEN bench.anonymous_kb() END) AS grown
FROM bench.entitlement \gset
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1e6 / :rows, :grown, :count = :rows;
