-- The sandbox's demo issuer, as its registry sets it up: a role that is no superuser and
-- has its duties for this one issuer. Schema "demo" is the registry's own.
\set ON_ERROR_STOP on

SELECT openid4vci.vci_alter_issuer('{
    "display": [{"name": "OpenSPP Social Registry", "locale": "en-US"},
                {"name": "Registre social OpenSPP", "locale": "fr-FR"}],
    "deferred_interval": 5}');

SELECT openid4vci.vci_create_key();

-- The same claims in each. EntitlementCredentialVc is for wallets older than OpenID4VCI 1.0;
-- DeferredCredential waits for the registry's decision.
SELECT openid4vci.vci_create_configuration(
    id => c.id,
    format => c.format,
    vct => 'https://registry.example/credentials/entitlement',
    always_disclosed => '["entitlementId", "entitlementStatus"]',
    selectively_disclosable => '["programName", "cycle", "beneficiaryName",
                                 "amount", ["amount", "value"], ["amount", "currency"]]',
    display => '[{"name": "Entitlement", "locale": "en-US",
                  "background_color": "#12107c", "text_color": "#ffffff"},
                 {"name": "Droit", "locale": "fr-FR",
                  "background_color": "#12107c", "text_color": "#ffffff"}]',
    claims => '[{"path": ["entitlementId"], "mandatory": true,
                 "display": [{"name": "Entitlement number", "locale": "en-US"}]},
                {"path": ["entitlementStatus"], "mandatory": true,
                 "display": [{"name": "Status", "locale": "en-US"}]},
                {"path": ["programName"],
                 "display": [{"name": "Program", "locale": "en-US"}]},
                {"path": ["cycle"],
                 "display": [{"name": "Cycle", "locale": "en-US"}]},
                {"path": ["beneficiaryName"],
                 "display": [{"name": "Beneficiary", "locale": "en-US"}]},
                {"path": ["amount"],
                 "display": [{"name": "Amount", "locale": "en-US"}]},
                {"path": ["amount", "value"],
                 "display": [{"name": "Value", "locale": "en-US"}]},
                {"path": ["amount", "currency"],
                 "display": [{"name": "Currency", "locale": "en-US"}]}]',
    options => c.options)
FROM (VALUES ('EntitlementCredential', 'dc+sd-jwt', '{}'::jsonb),
             ('EntitlementCredentialVc', 'vc+sd-jwt', '{}'),
             ('DeferredCredential', 'dc+sd-jwt', '{"deferred": true}')) AS c (id, format, options);

-- What the registry knows of its one person, "maria", in the n-th entitlement. STABLE, as
-- jsonb_build_object is: only so the planner puts its body in the place of the call.
CREATE FUNCTION demo.claims(n bigint) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'entitlementId', 'ENT-2026-' || lpad(n::text, 6, '0'),
    'entitlementStatus', 'approved',
    'programName', 'Cash Transfer Program',
    'cycle', '2026-Q1',
    'beneficiaryName', 'Maria Santos',
    'amount', jsonb_build_object('value', 1250.50, 'currency', 'PHP'));

-- Who logs in at the built-in page: NULL for anybody else. A registry would compare with a
-- password hash that it keeps.
CREATE FUNCTION demo.authenticate(form jsonb) RETURNS jsonb LANGUAGE sql STABLE
RETURN CASE
    WHEN form #>> '{fields,username}' = 'maria' AND form #>> '{fields,password}' = 'lighthouse'
    THEN jsonb_build_object('subject_model', 'demo.person', 'subject_id', 'maria',
                            'claims', demo.claims(1))
END;

SELECT openid4vci.vci_alter_issuer('{"authenticate": "demo.authenticate"}');

-- Wallets of the authorization code flow: the one of OpenSPP's guide, whose example has no
-- PKCE, and one on this machine.
SELECT openid4vci.vci_create_client('wallet.example', '{https://wallet.example/callback}',
                                    options => '{"pkce_required": false}');
SELECT openid4vci.vci_create_client('demo-wallet', '{http://127.0.0.1/callback}', 'Demo wallet');
