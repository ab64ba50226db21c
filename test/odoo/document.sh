#!/bin/bash
# The commands of docs/odoo.md in their order, with what they print, on a database of their own:
# "odoo", "psql", "sudo -u postgres" and the like mean this test's Odoo and PostgreSQL.
set -euo pipefail
. "$here/tap.sh"

folder=$work/document
programs=$folder/programs
mkdir -p "$programs" "$folder/addons"
chmod -R 755 "$folder"

# program NAME: a program of that name, its text from standard input
program()
{
	cat >"$programs/$1"
	chmod 755 "$programs/$1"
}

port=$(perl -MIO::Socket::INET -e \
	'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
ln -s "$bin/psql" "$programs/psql"
ln -s "$bin/openid4vci-wallet" "$programs/openid4vci-wallet"

# sudo [-u USER] COMMAND...: the system's user is the database's, as with peer authentication
program sudo <<'END'
#!/bin/bash
if [ "${1:-}" = -u ]
then
	export PGUSER=$2
	shift 2
fi
exec "$@"
END

# The addons of the document's reader lie beside this project's.
cp -r "$here/../../src/odoo/." "$folder/addons/"
sed 's,^top=.*,top=$DOCUMENT_TOP,' "$here/in" >"$programs/in"
chmod 755 "$programs/in"
mkdir -p "$folder/src"
ln -s "$folder/addons" "$folder/src/odoo"
program odoo <<END
#!/bin/bash
export DOCUMENT_TOP=$folder
case \${1:-} in
	shell) shift; exec "$programs/in" odoo shell -c /mnt/work/document.conf --no-http --log-level=error "\$@" ;;
	*) exec "$programs/in" odoo -c /mnt/work/document.conf --log-level=error "\$@" ;;
esac
END
sed -e 's#,/mnt/test##' -e "\$ahttp_port = $port" "$OPENID4VCI_ODOO_WORK/odoo.conf" \
	>"$OPENID4VCI_ODOO_WORK/document.conf"
chmod 644 "$OPENID4VCI_ODOO_WORK/document.conf"

# systemctl restart odoo: the server in the background
program systemctl <<END
#!/bin/bash
[ "\$1 \$2" = "restart odoo" ] || exit 1
setsid "$programs/odoo" -d openspp --max-cron-threads 0 </dev/null >"$work/logs/document.serve.log" 2>&1 &
echo \$! >"$folder/odoo.pid"
for try in {1..300}
do
	! curl -sS --noproxy '*' -o /dev/null http://127.0.0.1:$port/web/login 2>/dev/null || exit 0
	sleep 0.2
done
exit 1
END

end_odoo()
{
	local tries
	[ -e "$folder/odoo.pid" ] && kill "$(cat "$folder/odoo.pid")" 2>/dev/null || return 0
	for tries in {1..100}
	do
		kill -0 "$(cat "$folder/odoo.pid")" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$(cat "$folder/odoo.pid")"
}

trap end_odoo EXIT
create_database openspp odoo_plain
sql -d openspp -f "$here/openspp.sql"
export no_proxy='*' PGUSER=postgres
PATH=$programs:$PATH DOCUMENT_PORT=$port DOCUMENT_ADDONS=$folder/addons \
	"$here/console" "$here/../../docs/odoo.md"
