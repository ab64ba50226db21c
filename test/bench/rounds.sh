# What is compared is measured in short slices, in turns, as a machine's speed drifts within minutes:
# each round has a ratio of its own, taken from its neighbours in time, and the table has the median
# and the range of the rounds. Also what the machine was busy with meanwhile. To be sourced.

# Figures of slices by name, in the order in which they came; codes taken from files.
declare -A kept taken

# keep NAME FIGURE...
keep()
{
	local name=$1
	shift
	kept[$name]+="${kept[$name]:+ }$*"
}

# drop NAME...: what follows under these names is another matter.
drop()
{
	local name
	for name in "$@"
	do
		unset "kept[$name]"
	done
}

last()
{
	echo "${kept[$1]##* }"
}

# around NAME: the mean of its last two, between which something else was measured.
around()
{
	awk '{printf "%.10g", ($(NF > 1 ? NF - 1 : NF) + $NF) / 2}' <<<"${kept[$1]}"
}

sorted()
{
	tr ' ' '\n' <<<"${kept[$1]}" | sort -g
}

middle()
{
	sorted "$1" | awk '{v[NR] = $1} END {printf "%.10g", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'
}

# range FORMAT NAME: its smallest and largest figure; nothing when there is but one.
range()
{
	[[ ${kept[$2]} != *' '* ]] || sorted "$2" | awk "{v[NR] = \$1} END {printf \"$1..$1\", v[1], v[NR]}"
}

# compare SECTION WHAT HERE BESIDE NAME [GOAL]: a row of the ratios kept as NAME.
compare()
{
	row "$1" "$2" "$3" "$4" "$(calc '%.2f' "$(middle "$5")")" "$(range %.2f "$5")" "${6:-}"
}

# openssl_us [-multi N]: microseconds of a P-256 signature and of a verification; of CPU, but of the
# clock with -multi, which runs N processes at once.
openssl_us()
{
	openssl speed -mr -seconds "$BENCH_SPEED_SECONDS" "$@" ecdsap256 2>/dev/null |
		sed -nE 's/^\+F4:[0-9]+:256:([0-9.]+):([0-9.]+)$/\1 \2/p' | awk '{print 1e6 / $1, 1e6 / $2}' |
		grep . || die "openssl speed -mr ecdsap256 tells no rates"
}

# A slice of the limit of one core: kept as openssl.sign and openssl.verify.
keep_openssl()
{
	local sign verify
	if [ "$mode" = smoke ] && [ -n "${kept[openssl.sign]:-}" ]
	then
		return
	fi
	read -r sign verify < <(openssl_us)
	keep openssl.sign "$sign"
	keep openssl.verify "$verify"
}

# pgbench's backends have ended by then: the postmaster knows what they cost.
backend_us()
{
	local outcome
	outcome=$("$load" cpu --server "postgres=$POSTMASTER_PID")
	calc '%.0f' "$(field postgres_cpu_us) + $(field postgres_ended_cpu_us)"
}

# run_pgbench PROTOCOL ARGUMENTS: prints how many durable transactions of two statements it made.
run_pgbench()
{
	local protocol=$1
	shift
	PGDATABASE=pgbench "$BIN/pgbench" -n -M "$protocol" -D scale="$BENCH_PGBENCH_SCALE" -c 8 -j 1 "$@" \
		-f "$top/test/bench/durable.sql" >"$work/pgbench" 2>&1 ||
		{ cat "$work/pgbench" >&2; die "pgbench failed"; }
	sed -nE 's/^number of transactions actually processed: ([0-9]+).*/\1/p' "$work/pgbench"
}

# A slice of pgbench: the backends' CPU for a transaction, kept as pgbench.PROTOCOL. What they cost
# to begin and end is measured by a transaction each, and no part of it.
keep_pgbench()
{
	local protocol=$1 began first after few count
	began=$(backend_us)
	few=$(run_pgbench "$protocol" -t 1)
	first=$(backend_us)
	count=$(run_pgbench "$protocol" -T "$BENCH_PGBENCH_SECONDS")
	after=$(backend_us)
	keep "pgbench.$protocol" "$(calc '%.2f' "(($after - $first) - ($first - $began)) / ($count - $few)")"
}

# Microseconds of CPU of the run itself and of the sandboxes with all that they serve.
our_us()
{
	local name all=(--server "run=$$")
	for name in "${sandboxes[@]}"
	do
		all+=($(. "$work/$name.assignments"; echo "--server postgres=$POSTMASTER_PID --server proxy=$PROXY_PID"))
	done
	"$load" cpu "${all[@]}" | grep -oE '_cpu_us":-?[0-9]+' | awk -F : '{sum += $2} END {printf "%.0f", sum}'
}

# Ticks of all cores so far: any, busy, stolen.
machine_ticks()
{
	local user nice system idle waiting irq soft stolen rest
	read -r _ user nice system idle waiting irq soft stolen rest </proc/stat
	echo $((user + nice + system + idle + waiting + irq + soft + stolen)) \
		$((user + nice + system + irq + soft)) "$stolen"
}

watch_machine()
{
	watched_us=$(our_us)
	read -r watched_all watched_busy watched_stolen < <(machine_ticks)
}

# tell_machine SECTION [WHEN]: what all cores did since watch_machine, so that it shows whether the
# figures are of a quiet hour.
tell_machine()
{
	local us all busy stolen
	read -r all busy stolen < <(machine_ticks)
	us=$(($(our_us) - watched_us))
	row "$1" "${2:+$2: }the machine meanwhile: ours, other processes, stolen by its host" \
		"$(awk -v all=$((all - watched_all)) -v busy=$((busy - watched_busy)) -v us=$us \
			-v stolen=$((stolen - watched_stolen)) -v ticks="$(getconf CLK_TCK)" \
			'BEGIN {
				part = all ? 100 / all : 0
				ours = us / 1e6 * ticks
				others = busy > ours ? busy - ours : 0
				printf "%.0f, %.0f, %.0f %%", ours * part, others * part, stolen * part
			}')"
}
