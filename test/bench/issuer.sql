-- What the benchmark adds to the sandbox: a configuration with four disclosures and a holder
-- key, over the claims of the demo, and what a session tells of its own process.
\set ON_ERROR_STOP on

GRANT pg_read_server_files TO registry;
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO registry;
CREATE SCHEMA bench AUTHORIZATION registry;
SET ROLE registry;

SELECT openid4vci.vci_create_configuration(
    id => 'BenchmarkCredential',
    format => 'dc+sd-jwt',
    vct => 'https://registry.example/credentials/entitlement',
    always_disclosed => '["entitlementId", "entitlementStatus"]',
    selectively_disclosable => '["programName", "cycle", "beneficiaryName", "amount"]');

-- The same, of claims that are asked for when a wallet comes.
CREATE FUNCTION bench.live_claims(subject_model text, subject_id text) RETURNS jsonb
    LANGUAGE sql STABLE RETURN demo.claims(subject_id::bigint);
SELECT openid4vci.vci_create_configuration(
    id => 'LiveCredential',
    format => 'dc+sd-jwt',
    vct => 'https://registry.example/credentials/entitlement',
    always_disclosed => '["entitlementId", "entitlementStatus"]',
    selectively_disclosable => '["programName", "cycle", "beneficiaryName", "amount"]',
    claims_source => 'bench.live_claims');

-- CPU time of this session's process so far, in microseconds.
CREATE FUNCTION bench.cpu_us() RETURNS double precision LANGUAGE sql VOLATILE
RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::double precision / 1000;

-- Memory of this session's process that is not shared, in kB.
CREATE FUNCTION bench.anonymous_kb() RETURNS integer LANGUAGE sql VOLATILE
RETURN substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+)')::integer;

-- Fails unless a statement is run with so many parallel workers.
CREATE FUNCTION bench.must_launch(workers integer, statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    plan text;
    launched integer;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || statement INTO plan;
    launched := coalesce(substring(plan FROM '"Workers Launched": (\d+)')::integer, 0);
    IF launched <> workers THEN
        RAISE 'the plan was expected to launch % parallel workers, not %', workers, launched;
    END IF;
END
$$;
