-- Creates offers at the issuer of the role that runs this, and returns their ids and links.
-- Variables: count, configuration, and tx_code, seconds and grants (each may be empty;
-- grants: names with commas between them).
\set ON_ERROR_STOP on

SELECT o.offer_id, o.credential_offer_uri
FROM generate_series(1, :'count'::bigint) AS n,
     LATERAL openid4vci.vci_create_offer(
         configuration_ids => ARRAY[:'configuration'],
         subject_model => 'demo.person',
         subject_id => 'maria',
         claims => demo.claims(n),
         grants => string_to_array(NULLIF(:'grants', ''), ','),
         tx_code => NULLIF(:'tx_code', ''),
         expires_in => make_interval(secs => NULLIF(:'seconds', '')::int)) AS o;
