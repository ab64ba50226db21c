-- Codes of offers of the benchmark's configuration that wait, from all over the table. Variables: count, live (how many wait).
\set ON_ERROR_STOP on

SELECT substring(openid4vci.vci_offer_uri(o.id) FROM 'pre-authorized_code%22%3A%22([\w-]+)')
FROM (SELECT id FROM openid4vci.vci_offer_info
      WHERE state = 'pending' AND configuration_ids = '{BenchmarkCredential}'
        AND hashint8(id) & 1048575 < 1048576.0 * 1.3 * :count / :live) AS o
ORDER BY hashint8(o.id + 1)
LIMIT :count;
