-- The rows that are issued: claims and holders' keys. Variables: rows; slice, how many of them lie
-- in a table of their own; holders, a file of JWKs.
\set ON_ERROR_STOP on

CREATE TEMPORARY TABLE line (id bigint GENERATED ALWAYS AS IDENTITY, jwk jsonb);
\set copy '\\copy line (jwk) FROM ' :holders
:copy
CREATE TABLE bench.entitlement AS
SELECT n, demo.claims(n) AS claims, l.jwk
FROM generate_series(1, :rows) AS n
     JOIN line AS l ON l.id = 1 + n % (SELECT count(*) FROM line);
CREATE TABLE bench.slice AS SELECT * FROM bench.entitlement WHERE n <= :slice;
VACUUM ANALYZE bench.entitlement, bench.slice;
