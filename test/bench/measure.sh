# What the sections of test/bench/run share: a sandbox, the limits, the table. To be sourced.

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
	sandbox=$work/sandbox
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
	stop_sandbox
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

stop_sandbox()
{
	[ -n "${POSTMASTER_PID:-}" ] || return 0
	"$top/test/sandbox" stop --dir "$sandbox" || true
	POSTMASTER_PID=
}

# Waits for the sandbox that is being started, and takes its variables.
take_sandbox()
{
	local status=0
	wait "$starting" 2>/dev/null || status=$?
	. "$work/assignments"
	starting=
	return "$status"
}

# A new sandbox with the benchmark's configuration, so that no section sees what another left;
# the smoke test has no time for that.
new_sandbox()
{
	[ "$mode" != smoke ] || [ -z "${POSTMASTER_PID:-}" ] || return 0
	stop_sandbox
	# out of Ctrl-C's reach, which must not meet it half done
	setsid "$top/test/sandbox" start --port 0 --dir "$sandbox" >"$work/assignments" &
	starting=$!
	take_sandbox
	export PGHOST PGPORT PGDATABASE PGUSER
	sql -f "$top/test/bench/issuer.sql" >/dev/null
	curl -fs --noproxy '*' "$ISSUER/.well-known/jwt-vc-issuer" |
		sed -E 's/.*"jwks":(\{"keys":\[[^]]*\]\}).*/\1/' >"$work/jwks"
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

# row SECTION WHAT HERE [BESIDE [RATIO GOAL]]: a line of the table. GOAL is "<= N" or ">= N".
row()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" "${5:-}" "${6:-}" >>"$out/rows"
}

# ratio A B: or nothing, when there is no B.
ratio()
{
	[ -z "$2" ] || [ "$2" = 0 ] || calc '%.2f' "$1 / $2"
}

# One sample of what one core does: sign_rate and verify_rate, a second.
speed()
{
	openssl speed -mr -seconds "$BENCH_SPEED_SECONDS" ecdsap256 2>/dev/null |
		sed -nE 's/^\+F4:[0-9]+:256:([0-9.]+):([0-9.]+)$/\1 \2/p' | grep . ||
		die "openssl speed -mr ecdsap256 tells no rates"
}

speed_before()
{
	[ "$mode" != smoke ] || [ -z "${sign_before:-}" ] || return 0
	read -r sign_before verify_before < <(speed)
}

# The mean of two samples, around what is measured, as the machine's speed drifts.
speed_after()
{
	local sign=$sign_before verify=$verify_before
	[ "$mode" = smoke ] || read -r sign verify < <(speed)
	sign_rate=$(calc '%.0f' "($sign_before + $sign) / 2")
	verify_rate=$(calc '%.0f' "($verify_before + $verify) / 2")
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

# transaction_us PROTOCOL: microseconds of CPU of the backends for a durable transaction of two statements.
transaction_us()
{
	local protocol=$1 before after count
	before=$(backend_us)
	PGDATABASE=pgbench "$BIN/pgbench" -n -M "$protocol" -D scale="$BENCH_PGBENCH_SCALE" -c 8 -j 1 \
		-T "$BENCH_PGBENCH_SECONDS" -f "$top/test/bench/durable.sql" >"$work/pgbench" 2>&1 ||
		{ cat "$work/pgbench" >&2; die "pgbench failed"; }
	after=$(backend_us)
	count=$(sed -nE 's/^number of transactions actually processed: ([0-9]+).*/\1/p' "$work/pgbench")
	calc '%.1f' "($after - $before) / $count"
}

# pgbench's backends have ended by then: the postmaster knows what they cost.
backend_us()
{
	local outcome
	outcome=$("$load" cpu --server "postgres=$POSTMASTER_PID")
	calc '%.0f' "$(field postgres_cpu_us) + $(field postgres_ended_cpu_us)"
}

# Codes of new offers into a file, one a line.
make_codes()
{
	sql -U registry -v count="$2" -v lifetime='30 days' -v show=true -f "$top/test/bench/offers.sql" >"$1"
}

# run_flow NAME CODES WALLETS FLOWS ARGUMENTS: wallets at the sandbox, after some that warm it up.
run_flow()
{
	local name=$1 codes=$2 wallets=$3 flows=$4
	shift 4
	run_load "$name" flow --issuer "$ISSUER" --configuration BenchmarkCredential --jwks "$work/jwks" \
		--codes "$codes" --wallets "$wallets" --flows "$flows" "${servers[@]}" "$@"
	check_flow "$name"
}

# Failures are part of the outcome, and told.
check_flow()
{
	[ "$(field served)" -gt 0 ] || die "$1: no wallet was served: $outcome"
	[ "$(field failed)" = 0 ] || {
		say "bench: $1: $(field failed) of $(field begun) flows failed: $(sed -nE 's/.*"errors":(\{[^}]*\}).*/\1/p' <<<"$outcome")"
		row "$1" "flows that failed" "$(field failed)" "" "$(field failed)" "<= 0"
	}
}

# Microseconds of server CPU a flow.
flow_us()
{
	calc '%.0f' "($(field postgres_cpu_us) + $(field proxy_cpu_us)) / $(field served)"
}

# median VALUES
median()
{
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
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
