-- Creates offers at the sandbox's demo issuer and returns their ids and links.
-- Variables: count, configuration, and tx_code and seconds (each may be empty).
\set ON_ERROR_STOP on

SELECT o.offer_id, o.credential_offer_uri
FROM generate_series(1, :'count'::int) AS n,
     LATERAL openid4vci.vci_create_offer(
         configuration_ids => ARRAY[:'configuration'],
         claims => jsonb_build_object(
             'entitlementId', 'ENT-2026-' || lpad(n::text, 6, '0'),
             'entitlementStatus', 'approved',
             'programName', 'Cash Transfer Program',
             'cycle', '2026-Q1',
             'beneficiaryName', 'Maria Santos',
             'amount', jsonb_build_object('value', 1250.50, 'currency', 'PHP')),
         tx_code => NULLIF(:'tx_code', ''),
         expires_in => make_interval(secs => NULLIF(:'seconds', '')::int)) AS o;
