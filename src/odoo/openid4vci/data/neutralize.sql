UPDATE ir_config_parameter SET value = 'False' WHERE key = 'openid4vci.http';

-- A copy issues nothing before it is adopted; once adopted, it is paused still.
DO $$
BEGIN
    IF to_regclass('openid4vci.vci_issuer_info') IS NOT NULL THEN
        PERFORM openid4vci.vci_pause_issuance(url)
        FROM openid4vci.vci_issuer_info WHERE retired_at IS NULL;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'openid4vci: this role may not pause issuance';
END $$;
