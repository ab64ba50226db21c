#!/bin/bash
# What Odoo's database manager does to a database that issues credentials: backup, restore,
# duplicate, neutralize, rename. Odoo's role is no superuser; where it cannot do a step, the
# lines that the addon names for the database administrator are run as they stand.
set -euo pipefail
. "$here/tap.sh"

PATH=$bin:$PATH
dump=$OPENID4VCI_ODOO_WORK/backup.zip

db()
{
	odoo db -c /mnt/work/odoo.conf "$@"
}

# lines DATABASE TOPIC: the database administrator's lines for the topic
lines()
{
	python "$1" <<<"print(env['vci.sql'].dba_lines('$2'))"
}

# told_missing DATABASE: the topic that the addon says is missing, or None
told_missing()
{
	python "$1" <<<"print(env['vci.sql'].missing())"
}

count_offers()
{
	python "$1" <<<'print(env["vci.offer"].search_count([]))'
}

create_database odoo_manager odoo_addons
python odoo_manager <<'END' >/dev/null
sql = env["vci.sql"]
sql.call("vci_create_issuer", "https://manager.example")
sql.call("vci_create_key")
sql.call("vci_create_configuration", "Entitlement", "https://manager.example/entitlement")
sql.call(
    "vci_create_configuration", "Open", "https://manager.example/open", binding="absent"
)
sql.call("vci_issue_and_record", "Open", {"n": 0})
for number in range(3):
    sql.call(
        "vci_create_offer", ["Entitlement"], claims={"n": number}, reference=f"E-{number}"
    )
env["ir.config_parameter"].set_param("openid4vci.http", "True")
env.cr.commit()
END

# Duplicate: a database of its own, which issues nothing until it is adopted.

ok "a database is duplicated" db duplicate odoo_manager odoo_double
is "with its offers" 3 "$(count_offers odoo_double)"
contains "the copy issues nothing" "$(python odoo_double <<'END'
from odoo.exceptions import UserError
try:
    env["vci.sql"].call("vci_issue_and_record", "Open", {"n": 1})
except UserError as error:
    print(error.sqlstate)
END
)" 55000
contains "and its health says why" \
	"$(sql -d odoo_double -U odoo -c 'SELECT * FROM openid4vci.vci_health()')" \
	'this database is a copy'

# Neutralize: paused, and not served.

ok "the copy is neutralized" odoo neutralize -c /mnt/work/odoo.conf -d odoo_double
is "its issuer is paused" t \
	"$(sql -d odoo_double -c 'SELECT issuance_paused FROM openid4vci.vci_issuer_info')"
is "and its wallets' endpoints are off" f "$(sql -d odoo_double -c \
	"SELECT EXISTS (SELECT FROM ir_config_parameter WHERE key = 'openid4vci.http' AND value = 'True')")"
is "the original goes on" 'f True' "$(sql -d odoo_manager -c \
	'SELECT issuance_paused FROM openid4vci.vci_issuer_info') $(sql -d odoo_manager -c \
	"SELECT value FROM ir_config_parameter WHERE key = 'openid4vci.http'")"
ok "a database without the extension is neutralized, too" bash -c "
	'$PSQL' -XqAt -d postgres -c 'CREATE DATABASE odoo_lost OWNER odoo TEMPLATE odoo_addons' &&
	'$PSQL' -XqAt -d odoo_lost -c 'DROP EXTENSION openid4vci CASCADE' &&
	'$here/in' odoo neutralize -c /mnt/work/odoo.conf -d odoo_lost"
is "and says so" true "$(sql -d odoo_lost -c \
	"SELECT lower(value) FROM ir_config_parameter WHERE key = 'database.is_neutralized'")"

# Somebody else's connection stands in the way of a duplicate.

sql -d postgres -c "CREATE ROLE proxy LOGIN"
"$PSQL" -XqAt -U proxy -d odoo_manager -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
connection=$!
until [ "$(sql -d postgres -c "SELECT count(*) FROM pg_stat_activity
	WHERE usename = 'proxy' AND datname = 'odoo_manager'")" -eq 1 ]
do
	sleep 0.1
done
is "while the proxy is connected, Odoo cannot duplicate" 1 \
	"$(db duplicate odoo_manager odoo_second >/dev/null 2>&1 && echo 0 || echo 1)"
contains "the status page has the lines for that" \
	"$(python odoo_manager <<<'print(env["res.config.settings"]._vci_status())')" \
	'GRANT pg_signal_backend TO odoo'
ok "they run as they stand" bash -c "$(lines odoo_manager duplicate)"
is "and are on the page no more" 0 "$(python odoo_manager \
	<<<'print(env["res.config.settings"]._vci_status())' | grep -c pg_signal_backend || true)"
ok "then it can" db duplicate odoo_manager odoo_second
kill "$connection" 2>/dev/null || true
wait "$connection" 2>/dev/null || true

# Backup and restore.

ok "a backup is made" db dump odoo_manager /mnt/work/backup.zip
is "it has the offers and no root key" '1 0' "$(unzip -p "$dump" dump.sql |
	awk '/^COPY openid4vci\.vci_offer /{offers++} END {printf "%d ", offers}'
	unzip -p "$dump" dump.sql | grep -cF "$(cat "$cluster/root.key")" || true)"
time_of_dump=$(sql -d postgres -c "SELECT now()")
ok "Odoo restores it, as far as its role may" db load odoo_restored /mnt/work/backup.zip
is "the addon finds what is missing" restore "$(told_missing odoo_restored)"
is "and Odoo works without, with empty models" 0 "$(count_offers odoo_restored)"
restore=$(lines odoo_restored restore)
restore=${restore//DUMP.zip/$dump}
restore=${restore//TIME OF THE DUMP/$time_of_dump}
ok "the lines for that run as they stand, but for the file and the time" \
	bash -euo pipefail -c "$restore"
is "nothing is missing then" None "$(told_missing odoo_restored)"
is "all offers are there" 3 "$(count_offers odoo_restored)"
# The document's own lines for that.
as_documented=$(sed -n '/^psql -d openspp -c .DROP SCHEMA/,/^```/{/^```/!p}' "$here/../../docs/odoo.md")
as_documented=${as_documented//openspp/odoo_documented}
as_documented=${as_documented//backup.zip/$dump}
as_documented=${as_documented//2026-11-22 04:00+00/$time_of_dump}
ok "another database is restored" db load odoo_documented /mnt/work/backup.zip
ok "the document's lines run" bash -euo pipefail -c "$as_documented"
is "and bring all offers, too" 3 "$(count_offers odoo_documented)"
is "and a new one can be made" E-9 "$(python odoo_restored <<'END'
made = env["vci.sql"].call("vci_create_offer", ["Entitlement"], claims={}, reference="E-9")
print(env["vci.offer"].browse(made["offer_id"]).reference)
END
)"

done_testing
