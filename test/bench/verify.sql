-- vci_verify_kbjwt over proofs of different keys. Variables: proofs, a file; nonce, issuer;
-- rows. Prints: microseconds of CPU a proof, and whether all were good.
\set ON_ERROR_STOP on

CREATE TEMPORARY TABLE proof (jwt text);
\set copy '\\copy proof FROM ' :proofs
:copy
ANALYZE proof;
SET jit = off;
SELECT count(openid4vci.vci_verify_kbjwt(jwt, :'nonce', :'issuer')) FROM proof LIMIT 100 \gset warm_

SELECT bench.cpu_us() AS cpu \gset
SELECT count(*) FILTER (WHERE openid4vci.vci_verify_kbjwt(jwt, :'nonce', :'issuer') -> 'valid' = 'true') AS good,
       count(*) AS all
FROM generate_series(1, :rows / (SELECT count(*)::int FROM proof)), proof \gset
SELECT (bench.cpu_us() - :cpu) / :all, :good = :all;
