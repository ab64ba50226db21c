# What the sections of test/bench/run share: sandboxes, what is run on them, the table. To be sourced.

say()
{
	printf '%s\n' "$*" >&2
}

# tell SECTION: where the run is, and since when.
tell()
{
	say "$(printf '%5d s  %s' $SECONDS "$1")"
}

begin()
{
	out=$top/build/bench
	mkdir -p "$out"
	work=$(mktemp -d /tmp/openid4vci-bench.XXXXXX)
	chmod 755 "$work"
	sandboxes=()
	running=()
	trap end EXIT
	# who is impatient does not break off the end
	trap 'trap "" INT TERM HUP; exit 130' INT TERM HUP
	: >"$out/outcomes.jsonl"
	: >"$out/rows"
	tell "building; private servers lie in $work"
	BIN=$("$top/test/prefix")
	make -s -C "$top" PG_CONFIG="$BIN/pg_config" load >"$work/make.log" 2>&1 ||
		{ cat "$work/make.log" >&2; die "the load generator cannot be built"; }
	load=$top/build/bench/load
}

# Whatever was started is ended, by its pid.
end()
{
	local pid
	for pid in "${running[@]}"
	do
		kill "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
	[ -z "${starting:-}" ] || take_sandbox || true
	stop_sandboxes
	rm -rf "$work"
}

# forget PID: it has ended by itself.
forget()
{
	local pid left=()
	for pid in "${running[@]}"
	do
		[ "$pid" = "$1" ] || left+=("$pid")
	done
	running=("${left[@]}")
}

stop_sandboxes()
{
	while [ ${#sandboxes[@]} -gt 0 ]
	do
		stop_sandbox "${sandboxes[0]}"
	done
}

# stop_sandbox NAME
stop_sandbox()
{
	local name left=()
	"$top/test/sandbox" stop --dir "$work/$1" || true
	for name in "${sandboxes[@]}"
	do
		[ "$name" = "$1" ] || left+=("$name")
	done
	sandboxes=("${left[@]}")
}

# Waits for the sandbox that is being started.
take_sandbox()
{
	local status=0 name=$starting_name
	wait "$starting" 2>/dev/null || status=$?
	starting=
	[ $status -ne 0 ] || sandboxes+=("$name")
	return $status
}

# new_sandbox [NAME]: with the benchmark's configuration, in place of the one that had the name;
# the smoke test has no time for that.
new_sandbox()
{
	local name=${1:-main}
	if [[ " ${sandboxes[*]} " = *" $name "* ]]
	then
		[ "$mode" != smoke ] || { use_sandbox "$name"; return; }
		stop_sandbox "$name"
	fi
	# out of Ctrl-C's reach, which must not meet it half done
	setsid "$top/test/sandbox" start --port 0 --dir "$work/$name" >"$work/$name.assignments" &
	starting=$! starting_name=$name
	take_sandbox
	use_sandbox "$name"
	sql -f "$top/test/bench/issuer.sql" >/dev/null
	curl -fs --noproxy '*' "$ISSUER/.well-known/jwt-vc-issuer" |
		sed -E 's/.*"jwks":(\{"keys":\[[^]]*\]\}).*/\1/' >"$work/$name.jwks"
}

# use_sandbox NAME: what follows is done there.
use_sandbox()
{
	. "$work/$1.assignments"
	export PGHOST PGPORT PGDATABASE PGUSER
	jwks=$work/$1.jwks
	servers=(--server "postgres=$POSTMASTER_PID" --server "proxy=$PROXY_PID")
}

sql()
{
	"$BIN/psql" -XqAt -v ON_ERROR_STOP=1 "$@"
}

# calc FORMAT EXPRESSION: awk's arithmetic; a division by zero gives 0.
calc()
{
	awk "BEGIN {printf \"$1\", $2}" 2>/dev/null || printf 0
}

# field NAME: a number of a line of JSON.
field()
{
	sed -nE "s/.*[{,]\"$1\":(-?[0-9.]+).*/\1/p" <<<"$outcome"
}

# run_load NAME ARGUMENTS: sets outcome; NAME stands before it in the file of outcomes.
run_load()
{
	local name=$1
	shift
	outcome=$("$load" "$@") || die "the load generator failed: load $*"
	take_outcome "$name"
}

take_outcome()
{
	echo "{\"run\":\"$1\",${outcome#\{}" >>"$out/outcomes.jsonl"
}

# row SECTION WHAT HERE [BESIDE [RATIO RANGE [GOAL]]]: a line of the table. GOAL is "<= N" or ">= N".
row()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" "${5:-}" "${6:-}" "${7:-}" >>"$out/rows"
}

# ratio A B: or nothing, when there is no B.
ratio()
{
	[ -z "$2" ] || [ "$2" = 0 ] || calc '%.2f' "$1 / $2"
}

# The tables of pgbench, in a database of their own.
make_pgbench()
{
	sql -c 'CREATE DATABASE pgbench'
	PGDATABASE=pgbench "$BIN/pgbench" -iq -s "$BENCH_PGBENCH_SCALE" >"$work/pgbench" 2>&1
}

drop_pgbench()
{
	sql -c 'DROP DATABASE pgbench'
}

# make_codes FILE COUNT: codes of new offers, one a line.
make_codes()
{
	taken[$1]=0
	sql -U registry -v count="$2" -v lifetime='30 days' -v show=true -f "$top/test/bench/offers.sql" >"$1"
}

# take_codes FILE COUNT: the next of them into $work/part; false when there are no more.
take_codes()
{
	local first=$((${taken[$1]} + 1))
	taken[$1]=$((${taken[$1]} + $2))
	sed -n "$first,${taken[$1]}p;${taken[$1]}q" "$1" >"$work/part"
	[ -s "$work/part" ]
}

# run_flow NAME CODES WALLETS FLOWS ARGUMENTS: wallets at the sandbox.
run_flow()
{
	local name=$1 codes=$2 wallets=$3 flows=$4
	shift 4
	run_load "$name" flow --issuer "$ISSUER" --configuration BenchmarkCredential --jwks "$jwks" \
		--codes "$codes" --wallets "$wallets" --flows "$flows" "${servers[@]}" "$@"
	check_flow "$name"
}

# Failures are part of the outcome, and told.
check_flow()
{
	[ "$(field served)" -gt 0 ] || die "$1: no wallet was served: $outcome"
	[ "$(field failed)" = 0 ] || {
		say "bench: $1: $(field failed) of $(field begun) flows failed: $(sed -nE 's/.*"errors":(\{[^}]*\}).*/\1/p' <<<"$outcome")"
		row "$1" "flows that failed" "$(field failed)" "" "$(field failed)" "" "<= 0"
	}
}

# Microseconds of server CPU a flow.
flow_us()
{
	calc '%.0f' "($(field postgres_cpu_us) + $(field proxy_cpu_us)) / $(field served)"
}

print_table()
{
	{
		echo "openid4vci $(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$top/openid4vci.control"), $("$BIN/postgres" --version)," \
			"$(nproc) cores, $(stat -f -c %T "$work"), $mode run of $((SECONDS / 60)) min $((SECONDS % 60)) s; PostgreSQL's default settings, fsync on"
		echo
		awk -F '\t' -f "$top/test/bench/table.awk" "$out/rows"
	} | tee "$out/table.txt"
}
