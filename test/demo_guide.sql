-- The sandbox's second issuer: set up so that its metadata has the members of OpenSPP's
-- guide and no other. Its registry has its duties for this one issuer.
\set ON_ERROR_STOP on

SELECT openid4vci.vci_alter_issuer('{
    "display": [{"name": "OpenSPP Social Registry", "locale": "en-US",
                 "logo": {"uri": "https://registry.example/logo.png", "alt_text": "OpenSPP Logo"}}],
    "endpoints": {"nonce": {"enabled": false}, "notification": {"enabled": false}},
    "login_url": "https://registry.example/login"}');

SELECT openid4vci.vci_create_key();

SELECT openid4vci.vci_create_configuration(
    id => 'EntitlementCredential',
    format => 'vc+sd-jwt',
    vct => 'https://registry.example/credentials/entitlement',
    always_disclosed => '["entitlementId"]',
    selectively_disclosable => '["amount"]',
    display => '[{"name": "Entitlement Credential", "locale": "en-US",
                  "logo": {"uri": "https://registry.example/credentials/entitlement.png"},
                  "background_color": "#12107c", "text_color": "#FFFFFF"}]',
    claims => '[{"path": ["entitlementId"], "mandatory": true,
                 "display": [{"name": "Entitlement ID", "locale": "en-US"}]},
                {"path": ["amount"], "mandatory": false,
                 "display": [{"name": "Amount", "locale": "en-US"}]}]',
    options => '{"older": ["format_request", "singular_proof", "untyped_proof", "vc_sd_jwt",
                           "credential_definition"]}');

-- Its example of an authorization request has no PKCE.
SELECT openid4vci.vci_create_client('wallet.example', '{https://wallet.example/callback}',
                                    options => '{"pkce_required": false}');
