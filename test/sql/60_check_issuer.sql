-- vci_check_issuer: every deviation from OpenID4VCI 1.0 and RFC 9700 in plain words; profile final has none.
\pset format unaligned
\pset tuples_only on

SELECT * FROM vci_check_issuer() WHERE configuration_id IS NULL
    OR configuration_id = 'EntitlementCredential';
SELECT configuration_id, string_agg(setting, ', ' ORDER BY setting COLLATE "C")
    FROM vci_check_issuer('https://registry.example') GROUP BY 1 ORDER BY 1;

-- Profile final: lifetimes of 1.0 and RFC 9700, no older shapes, no row.
SELECT vci_create_issuer('https://strict.example', profile => 'final') > 0;
SELECT vci_create_key('https://strict.example') IS NOT NULL,
    vci_create_configuration('Strict', 'v', binding => 'absent', issuer => 'https://strict.example');
SELECT count(*) FROM vci_check_issuer('https://strict.example');
SELECT o.expires_at - clock_timestamp() BETWEEN '59 min' AND '1 hour', r - '{access_token}'::text[]
FROM vci_create_offer('{Strict}', claims => '{}', issuer => 'https://strict.example') AS o,
    LATERAL vci_exchange_code(helper.code(o.credential_offer),
    issuer => 'https://strict.example') AS r;
-- No older request shape is answered.
SELECT vci_exchange_code(helper.code(o.credential_offer),
    issuer => 'https://strict.example') ->> 'access_token' AS token
    FROM vci_create_offer('{Strict}', claims => '{}', issuer => 'https://strict.example') AS o \gset
SELECT request, status, body_out ->> 'error'
    FROM unnest(ARRAY['{"format": "dc+sd-jwt", "vct": "v"}',
    '{"credential_configuration_id": "Strict", "proof": {"proof_type": "jwt", "jwt": "x"}}',
    '{"credential_configuration_id": "Strict"}']) AS request,
    LATERAL helper.http('POST', '/api/v1/openid4vci/credential',
    ARRAY['Host', 'strict.example', 'Content-Type', 'application/json', 'Authorization', 'Bearer '
    || :'token'], convert_to(request, 'UTF8'));
-- Each setting of its own can leave the profile, and is told.
SELECT vci_alter_issuer('{"offer_lifetime": 3601, "access_token_lifetime": 301, "time_rounding": 1, "iss_did_web": true}',
    'https://strict.example');
SELECT setting FROM vci_check_issuer('https://strict.example') ORDER BY setting COLLATE "C";
SELECT vci_alter_issuer('{"offer_lifetime": 3600, "access_token_lifetime": 300, "time_rounding": null, "iss_did_web": null}',
    'https://strict.example');
SELECT count(*) FROM vci_check_issuer('https://strict.example');
SELECT vci_alter_configuration('Strict', '{"format": "vc+sd-jwt"}', 'https://strict.example');
SELECT configuration_id, setting FROM vci_check_issuer('https://strict.example');
SELECT vci_alter_configuration('Strict', '{"format": "dc+sd-jwt"}', 'https://strict.example');
-- DPoP: what is bound to a key may live longer; nothing can be bound while it is off.
SELECT vci_alter_issuer('{"access_token_lifetime": 3600, "dpop": "required"}', 'https://strict.example');
SELECT count(*) FROM vci_check_issuer('https://strict.example');
SELECT vci_alter_issuer('{"access_token_lifetime": null, "dpop": "off"}', 'https://strict.example');
SELECT setting, deviation FROM vci_check_issuer('https://strict.example');
SELECT vci_alter_issuer('{"dpop": null}', 'https://strict.example');
-- Endpoints that are off and on against the specification.
SELECT vci_alter_issuer('{"endpoints": {"nonce": {"enabled": false}, "credential": {"enabled": false},
    "batch_credential": {"enabled": true}, "offer": {"base_url": "http://127.0.0.1:8180"}}}', 'https://strict.example');
SELECT setting, deviation FROM vci_check_issuer('https://strict.example') ORDER BY setting COLLATE "C";
SELECT vci_alter_issuer('{"endpoints": null}', 'https://strict.example');
-- Wallets, servers and login pages that are registered.
SELECT vci_create_client('older-wallet.example', '{https://wallet.example/callback}', options => '{"pkce_required": false}',
        issuer => 'https://registry.example'),
    vci_create_authorization_server('https://keycloak.example/realms/r', '{https://registry.example}',
        options => '{"accept_typ_jwt": true}', issuer => 'https://registry.example') IS NOT NULL,
    vci_alter_issuer('{"login_url": "http://127.0.0.1:8069/login"}', 'https://registry.example');
SELECT setting, deviation FROM vci_check_issuer('https://registry.example')
    WHERE setting IN ('pkce_required', 'accept_typ_jwt', 'login_url') ORDER BY setting COLLATE "C";
SELECT vci_retire_client('older-wallet.example', 'https://registry.example'),
    vci_drop_authorization_server('https://keycloak.example/realms/r', 'https://registry.example'),
    vci_alter_issuer('{"login_url": null}', 'https://registry.example');
SELECT count(*) FROM vci_check_issuer('https://registry.example')
    WHERE setting IN ('pkce_required', 'accept_typ_jwt', 'login_url');
SELECT vci_alter_configuration('Strict', '{"format": "vc+sd-jwt"}', 'https://strict.example');
-- http is for trying things out.
SELECT vci_create_issuer('http://127.0.0.1:8180', profile => 'final') > 0;
SELECT setting, deviation FROM vci_check_issuer('http://127.0.0.1:8180');
-- NULL with several, unknown, hostile; whose business it is.
SELECT helper.errors($$SELECT vci_check_issuer()$$,
    $$SELECT vci_check_issuer('https://unknown.example')$$,
    $$SELECT vci_check_issuer('''; DROP TABLE vci_issuer; --')$$);
SET ROLE regress_vci_reporter;
SELECT count(*) > 0 FROM openid4vci.vci_check_issuer('https://strict.example');
RESET ROLE;
SELECT vci_retire_issuer(url) FROM unnest('{https://strict.example,http://127.0.0.1:8180}'::text[]) AS url;
