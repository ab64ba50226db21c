#!/bin/bash
# Installing where the database administrator has not done his part yet, and leaving again; demo data.
set -euo pipefail
. "$here/tap.sh"

log=$work/logs/bare.odoo.log

install()
{
	odoo -c /mnt/work/odoo.conf -d "$1" -i openid4vci --skip-auto-install \
		--without-demo=True --no-http --stop-after-init >"$log" 2>&1
}

state_of()
{
	sql -d "$1" -c "SELECT state FROM ir_module_module WHERE name = 'openid4vci'"
}

# Without the extension.

create_database odoo_bare odoo_plain
is "without the extension the addon does not install" 1 "$(install odoo_bare && echo 0 || echo 1)"
contains "and the lines for the database administrator are told" "$(cat "$log")" \
	'CREATE EXTENSION openid4vci' "vci_grant('odoo', 'offerer')" "'issuer_admin'" "'endpoint'" "'backup'"
is "nothing of the addon stays" uninstalled "$(state_of odoo_bare)"

# With the extension and no duty.

sql -d odoo_bare -c "CREATE EXTENSION openid4vci"
is "without duties it does not install" 1 "$(install odoo_bare && echo 0 || echo 1)"
contains "and the lines that give them are told" "$(cat "$log")" "vci_grant('odoo', 'offerer')"

# The lines that were told make it possible. psql is the superuser's, as the lines say.
told=$(grep -aoE 'psql -v ON_ERROR_STOP=1 -d [^ ]+ -c .*vci_grant.*' "$log" | tail -n 1)
PATH=$bin:$PATH
ok "they can be run as they stand" bash -c "$told"
ok "then it installs" install odoo_bare
is "and is there" installed "$(state_of odoo_bare)"

# What was made with it outlives it.

python odoo_bare <<'END' >/dev/null
sql = env["vci.sql"]
sql.call("vci_create_issuer", "https://bare.example")
env.cr.commit()
END
ok "the addon is removed" odoo module uninstall -c /mnt/work/odoo.conf -d odoo_bare openid4vci
is "without leaving views, tables, triggers or parameters" 0 "$(sql -d odoo_bare -c "
	SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
			AND relname LIKE 'vci\_%')
		+ (SELECT count(*) FROM ir_config_parameter WHERE key LIKE 'openid4vci.%')
		+ (SELECT count(*) FROM ir_model WHERE model LIKE 'vci.%')
		+ (SELECT count(*) FROM pg_trigger WHERE tgname = 'vci_cancel_offers')
		+ (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			AND proname LIKE 'vci\_%')")"
is "the extension and its issuer stay" https://bare.example \
	"$(sql -d odoo_bare -c 'SELECT url FROM openid4vci.vci_issuer_info')"
ok "it is installed again" install odoo_bare
is "and finds the issuer" https://bare.example \
	"$(python odoo_bare <<<'print(env["vci.issuer"].search([]).url)')"

# The extension goes while the addon is there, and comes back.

sql -d odoo_bare -c 'DROP EXTENSION openid4vci CASCADE' 2>/dev/null
is "without the extension Odoo starts all the same, with empty models" '0 0' "$(python odoo_bare <<'END'
print(env["vci.offer"].search_count([]), env["vci.issuer"].search_count([]))
END
)"
is "and contacts can be deleted" 0 "$(python odoo_bare <<'END'
contact = env["res.partner"].create({"name": "Juan Cruz"})
contact.unlink()
print(env["res.partner"].search_count([("name", "=", "Juan Cruz")]))
END
)"
contains "and says which lines bring it back" \
	"$(python odoo_bare <<<'print(env["vci.sql"].dba_lines(env["vci.sql"].missing()))')" \
	'CREATE EXTENSION openid4vci' "vci_grant('odoo', 'offerer')"
sql -d odoo_bare -c "CREATE EXTENSION openid4vci" -c "SELECT openid4vci.vci_grant('odoo', duty)
	FROM unnest('{offerer,issuer_admin,endpoint,backup}'::text[]) AS duty" >/dev/null
is "when it is back, the models are real without any further step" 1 "$(python odoo_bare <<'END'
env["vci.sql"].call("vci_create_issuer", "https://again.example")
print(env["vci.issuer"].search_count([]))
END
)"

# Demo data, as where the database was made with it.

install_demo()
{
	odoo -c /mnt/work/odoo.conf -d odoo_demo -i openid4vci --skip-auto-install --with-demo \
		--no-http --stop-after-init >"$log" 2>&1
}

# offers of the demo data, by state, and whether Odoo says that it is there
demo_offers()
{
	sql -d odoo_demo -c "SELECT string_agg(state, ' ' ORDER BY id) FROM openid4vci.vci_offer_info" \
		-c "SELECT demo FROM ir_module_module WHERE name = 'openid4vci'"
}

create_database odoo_demo odoo_base
sql -d odoo_demo -c "UPDATE ir_module_module SET demo = true WHERE state = 'installed'"
ok "it installs with demo data" install_demo
is "which has offers" "$(printf 'pending pending cancelled\nt')" "$(demo_offers)"
ok "it is removed" odoo module uninstall -c /mnt/work/odoo.conf -d odoo_demo openid4vci
ok "and installed again" install_demo
is "with demo data, about other persons" \
	"$(printf 'cancelled cancelled cancelled pending pending cancelled\nt')" "$(demo_offers)"

done_testing
