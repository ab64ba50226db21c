# Shell functions that test/prefix, test/sandbox, test/run and test/demo share.
# Source it from bash under "set -euo pipefail".

umask 022
# A caller's connection settings and make options must not leak into private servers.
# Which sandbox the caller means may show in PGHOST, so that is kept under another name.
caller_pghost=${PGHOST:-}
for name in $(compgen -A variable PG)
do
	case $name in PG_CONFIG | PGOPTIONS | PGAPPNAME) ;; *) unset "$name" ;; esac
done
[ -n "${PG_CONFIG:-}" ] || unset PG_CONFIG
unset name MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS DESTDIR

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# PostgreSQL refuses to run as root: root's servers run as this user.
server_user=$(id -un)
if [ "$(id -u)" -eq 0 ]
then
	server_user=postgres
	id "$server_user" >/dev/null 2>&1 || server_user=nobody
fi

# Runs a command as the user of the servers. It is an exec away from the command
# itself, so that $! is the pid of the command.
as_server()
{
	if [ "$(id -u)" -ne 0 ]
	then
		exec "$@"
	fi
	cd /
	exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups \
		env HOME=/nonexistent TMPDIR=/tmp USER="$server_user" LOGNAME="$server_user" "$@"
}

# The user's own folder below /tmp, for what is kept between runs. /tmp belongs to
# everyone: a folder that somebody else put there under our name is refused.
own_folder()
{
	local folder
	folder=/tmp/openid4vci-$(id -u)
	mkdir -m 755 "$folder" 2>/dev/null || true
	[ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ] ||
		die "$folder exists and is not yours; remove it and try again"
	echo "$folder"
}

# is_program PID PATH: whether that process runs that program. Pids are reused, so
# nothing is ended without asking this.
is_program()
{
	local exe
	[ -n "$1" ] && exe=$(readlink "/proc/$1/exe" 2>/dev/null) && [ "${exe% (deleted)}" = "$2" ]
}

# cluster_start BIN DIR: makes a cluster in DIR with its socket in DIR/socket, no
# TCP, a root key outside the data directory, superuser postgres, and starts it.
# The caller may have put further settings into DIR/extra.conf.
cluster_start()
{
	local bin=$1 dir=$2
	mkdir -m 700 "$dir/socket"
	openssl rand -hex 32 | (umask 077; cat >"$dir/root.key")
	touch "$dir/server.log"
	[ "$(id -u)" -ne 0 ] || chown -R "$server_user": "$dir"
	(as_server "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C \
		--no-sync) >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; return 1; }
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir/socket'"
		echo "openid4vci.root_key_file = '$dir/root.key'"
		[ ! -e "$dir/extra.conf" ] || cat "$dir/extra.conf"
	} >>"$dir/data/postgresql.conf"
	(as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -s start) \
		</dev/null >>"$dir/server.log" 2>&1
}

# cluster_pid BIN DIR: the pid of the running postmaster of DIR, or nothing.
cluster_pid()
{
	local pid
	pid=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null) || return 0
	! is_program "$pid" "$1/postgres" || echo "$pid"
}

cluster_stop()
{
	[ -z "$(cluster_pid "$1" "$2")" ] ||
		(as_server "$1/pg_ctl" -D "$2/data" -m fast -w -s stop) </dev/null >>"$2/server.log" 2>&1
}
