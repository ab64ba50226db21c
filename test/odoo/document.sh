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

# sudo [-u USER] COMMAND...: everybody is everybody here
program sudo <<'END'
#!/bin/bash
[ "${1:-}" != -u ] || shift 2
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
sed -e "s,/mnt/test,/mnt/addons," -e "\$ahttp_port = $port" "$OPENID4VCI_ODOO_WORK/odoo.conf" \
	>"$OPENID4VCI_ODOO_WORK/document.conf"
chmod 644 "$OPENID4VCI_ODOO_WORK/document.conf"

create_database openspp odoo_plain
PATH=$programs:$PATH DOCUMENT_PORT=$port DOCUMENT_ADDONS=$folder/addons \
	exec "$here/console" "$here/../../docs/odoo.md"
