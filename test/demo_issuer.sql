-- The sandbox's demo issuer, made by the role "registry", which is no superuser.
-- Variable: issuer, the issuer's URL.
\set ON_ERROR_STOP on

SELECT openid4vci.vci_create_issuer(
    url => :'issuer',
    display => '[{"name": "OpenSPP Social Registry", "locale": "en-US"},
                 {"name": "Registre social OpenSPP", "locale": "fr-FR"}]');

SELECT openid4vci.vci_create_key();

-- The same claims in both formats; the second is for wallets older than OpenID4VCI 1.0.
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
                 "display": [{"name": "Currency", "locale": "en-US"}]}]')
FROM (VALUES ('EntitlementCredential', 'dc+sd-jwt'),
             ('EntitlementCredentialVc', 'vc+sd-jwt')) AS c (id, format);
