-- Codes of offers of the benchmark's configuration that wait, from all over the table, in the
-- order in which they were read. Variable: count.
\set ON_ERROR_STOP on

-- a random id is looked up: nothing reads the table from end to end
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
SELECT substring(openid4vci.vci_offer_uri(o.id) FROM 'pre-authorized_code%22%3A%22([\w-]+)')
FROM (SELECT x.id
      FROM (SELECT DISTINCT s.first + floor(random() * (s.last - s.first + 1))::bigint AS id
            FROM (SELECT min(id) AS first, max(id) AS last FROM openid4vci.vci_offer) AS s,
                 -- so many draws meet nearly all of a small table's ids
                 generate_series(1, 2 * :count + 100000)) AS r
           JOIN openid4vci.vci_offer AS x ON x.id = r.id
      WHERE x.expires_at > clock_timestamp() AND x.redeemed_at IS NULL
          AND x.configuration_ids = '{BenchmarkCredential}'
      ORDER BY random()
      LIMIT :count) AS o;
