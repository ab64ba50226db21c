-- Offers of the configuration with four disclosures. Variables: count; lifetime (an interval);
-- show (true: their codes are printed, false: how many there are).
\set ON_ERROR_STOP on

\if :show
SELECT o.credential_offer #>> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,pre-authorized_code}'
\else
SELECT count(o.offer_id)
\endif
FROM generate_series(1, :count) AS n,
     LATERAL openid4vci.vci_create_offer(
         configuration_ids => '{BenchmarkCredential}',
         subject_model => 'demo.person',
         subject_id => 'maria',
         claims => demo.claims(n),
         expires_in => :'lifetime') AS o;
