-- Takes away what lies outside this database: the root key and the roles.
SET client_min_messages = warning;
SELECT 'cat >/dev/null; rm -f ' || current_setting('openid4vci.root_key_file') AS remove_root_key,
       current_database() AS database
WHERE current_setting('openid4vci.root_key_file') ~ '^/tmp/openid4vci-regress-[0-9a-f-]{36}$' \gset
COPY (SELECT) TO PROGRAM :'remove_root_key';
DROP SCHEMA IF EXISTS helper, wallet, registry CASCADE;
-- The schema stays when the extension goes; empty as it is then, it serves again.
DROP EXTENSION openid4vci;
SELECT count(*) FROM pg_depend WHERE refobjid = 'openid4vci'::regnamespace;
CREATE EXTENSION openid4vci;
SELECT count(*) FROM openid4vci.vci_issuer;
DROP EXTENSION openid4vci;
DROP SCHEMA openid4vci;
ALTER DATABASE :"database" RESET openid4vci.root_key_file;
ALTER DATABASE :"database" RESET search_path;
DROP ROLE regress_vci_admin, regress_vci_offerer, regress_vci_reporter, regress_vci_endpoint,
    regress_vci_backup, regress_vci_registry, regress_vci_stranger, "regress_vci ""odd""; role";
