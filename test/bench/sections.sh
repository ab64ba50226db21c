# The sections of test/bench/run: each measures one thing and adds its rows to the table.
# To be sourced after measure.sh.

# The figure of a rate, of microseconds.
rate()
{
	calc '%.0f/s' "1e6 / $1"
}

measure_issue()
{
	local clock grown all
	new_sandbox
	"$load" holders --keys 1000 >"$work/holders"
	sql -U registry -v rows="$BENCH_ISSUE" -v slice="$BENCH_SLICE" -v holders="$work/holders" \
		-f "$top/test/bench/issue_rows.sql"
	watch_machine
	issue_beside_openssl
	issue_in_parallel
	IFS='|' read -r clock grown all < <(sql -U registry -v rows="$BENCH_ISSUE" -f "$top/test/bench/issue_memory.sql")
	[ "$all" = t ] || die "vci_issue_sdjwt did not issue all"
	row issue "$BENCH_ISSUE rows in one statement, by the clock" "$(rate "$clock")"
	row issue "memory that came on in these rows" "$grown kB" "" "$grown" "" "<= 1024"
	tell_machine issue
}

# issue_slice WORKERS: sets cpu and clock, microseconds a credential.
issue_slice()
{
	IFS='|' read -r cpu clock < <(sql -U registry -v rows="$BENCH_SLICE" -v workers="$1" \
		-f "$top/test/bench/issue.sql")
}

# Rates are per second of CPU, as those of "openssl speed" are.
issue_beside_openssl()
{
	local round cpu clock
	drop openssl.sign openssl.verify
	keep_openssl
	for ((round = 0; round < BENCH_ROUNDS; round++))
	do
		issue_slice 0
		keep_openssl
		keep issue.us "$cpu"
		keep issue.ratio "$(calc '%.4f' "$(around openssl.sign) / $cpu")"
	done
	compare issue "vci_issue_sdjwt, one session, beside openssl's signatures" \
		"$(rate "$(middle issue.us)")" "$(rate "$(middle openssl.sign)")" issue.ratio ">= 0.60"
}

# keep_one: one process of openssl and one of ours, by the clock.
keep_one()
{
	local sign verify cpu clock
	read -r sign verify < <(openssl_us -multi 1)
	keep machine.one "$sign"
	issue_slice 0
	keep parallel.one "$clock"
}

# What openssl gains by a second process in the same minute is what the machine can give.
issue_in_parallel()
{
	local round sign verify cpu clock
	keep_one
	for ((round = 0; round < BENCH_ROUNDS; round++))
	do
		read -r sign verify < <(openssl_us -multi 2)
		keep machine.two "$sign"
		issue_slice 1
		keep parallel.two "$clock"
		keep_one
		keep machine.ratio "$(calc '%.4f' "$(around machine.one) / $(last machine.two)")"
		keep parallel.ratio "$(calc '%.4f' "$(around parallel.one) / $(last parallel.two)")"
	done
	compare issue "parallel plan of 2 processes, beside one" "$(rate "$(middle parallel.two)")" \
		"$(rate "$(middle parallel.one)")" parallel.ratio ">= 1.80"
	compare issue "openssl's signatures in 2 processes, beside one" "$(rate "$(middle machine.two)")" \
		"$(rate "$(middle machine.one)")" machine.ratio
}

measure_verify()
{
	local round cpu good
	new_sandbox
	"$load" proofs --keys 1000 --issuer "$ISSUER" --nonce bench >"$work/proofs"
	# a proof is verified at least once
	[ "$BENCH_VERIFY" -ge 1000 ] || BENCH_VERIFY=1000
	drop openssl.sign openssl.verify
	watch_machine
	keep_openssl
	for ((round = 0; round < BENCH_ROUNDS; round++))
	do
		IFS='|' read -r cpu good < <(sql -U registry -v rows="$BENCH_VERIFY" -v nonce=bench \
			-v issuer="$ISSUER" -v proofs="$work/proofs" -f "$top/test/bench/verify.sql")
		[ "$good" = t ] || die "vci_verify_kbjwt refused a good proof"
		keep_openssl
		keep verify.us "$cpu"
		keep verify.ratio "$(calc '%.4f' "$(around openssl.verify) / $cpu")"
	done
	compare verify "vci_verify_kbjwt, beside openssl's verifications" "$(rate "$(middle verify.us)")" \
		"$(rate "$(middle openssl.verify)")" verify.ratio ">= 0.80"
	tell_machine verify
}

# Bytes of the tables named, with their indexes.
table_bytes()
{
	sql -c "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c
		WHERE c.relnamespace = 'openid4vci'::regnamespace AND c.relname = ANY ('{$1}')"
}

# bulk NAME LIVE: a statement of many offers: kept as NAME.rate, NAME.cpu, NAME.wal and NAME.ratio.
bulk()
{
	local clock cpu wal
	sql -c CHECKPOINT
	IFS='|' read -r clock cpu wal < <(sql -U registry -v count="$BENCH_OFFERS" -v live="$2" -f "$top/test/bench/bulk.sql")
	keep "$1.rate" "$(calc '%.0f' "1e6 / $clock")"
	keep "$1.cpu" "$cpu"
	keep "$1.wal" "$wal"
	keep "$1.ratio" "$(calc '%.4f' "1e6 / $clock / 40000")"
}

measure_offers()
{
	local offers events round
	new_sandbox
	make_codes "$work/codes" 100
	offers=$(table_bytes vci_offer)
	events=$(table_bytes vci_event)
	watch_machine
	bulk offers false
	offers=$(($(table_bytes vci_offer) - offers))
	events=$(($(table_bytes vci_event) - events))
	bulk live true
	for ((round = 1; round < BENCH_ROUNDS && round < 3; round++))
	do
		bulk offers false
		bulk live true
	done
	compare offers "vci_create_offer, $BENCH_OFFERS in one statement" "$(middle offers.rate)/s" "40000/s" offers.ratio ">= 1"
	row offers "CPU an offer" "$(calc '%.1f us' "$(middle offers.cpu)")" "" "" "$(range %.1f offers.cpu)"
	row offers "WAL an offer" "$(calc '%.0f bytes' "$(middle offers.wal)")"
	row offers "disk an offer (its row and index, its event)" \
		"$(calc '%.0f + %.0f bytes' "$offers / $BENCH_OFFERS, $events / $BENCH_OFFERS")"
	compare offers "the same without claims, for a claims source" "$(middle live.rate)/s" "40000/s" live.ratio
	row offers "CPU and WAL an offer of them" "$(calc '%.1f us, %.0f bytes' "$(middle live.cpu), $(middle live.wal)")"
	tell_machine offers
}

lsn()
{
	sql -c 'SELECT pg_current_wal_insert_lsn() - '"'0/0'"
}

# flow_slice WALLETS FLOWS: the next codes, some of them to warm up; its figures are kept as
# flowWALLETS.FIELD.
flow_slice()
{
	local warm_up=$(($1 + 20)) name
	take_codes "$work/codes" $(($2 + warm_up))
	run_flow flow "$work/part" "$1" "$2" --warm-up $warm_up
	for name in flows_per_second {token,nonce,credential}_{p50,p99}_ms
	do
		keep "flow$1.$name" "$(field $name)"
	done
	keep "flow$1.us" "$(flow_us)"
	keep "flow$1.s" "$(calc '%.4f' "$(flow_us) / 1000")"
}

flow_rows()
{
	local step wallets
	wallets="$1 wallet$([ "$1" = 1 ] || echo s)"
	row flow "$wallets: flows" "$(calc '%.0f/s' "$(middle "flow$1.flows_per_second")")" "" "" \
		"$(range %.0f "flow$1.flows_per_second")"
	for step in token nonce credential
	do
		row flow "$wallets: $step, p50 and p99" \
			"$(calc '%.1f, %.1f ms' "$(middle "flow$1.${step}_p50_ms"), $(middle "flow$1.${step}_p99_ms")")"
	done
	row flow "$wallets: CPU of 1,000 flows (backends + proxy)" "$(calc '%.2f s' "$(middle "flow$1.s")")" \
		"" "" "$(range %.2f "flow$1.s")"
}

measure_flow()
{
	local round wallets
	new_sandbox
	make_pgbench
	for wallets in 1 256
	do
		make_codes "$work/codes" $((3 * (BENCH_SLICE_FLOWS + wallets + 20)))
		for ((round = 0; round < BENCH_ROUNDS && round < 3; round++))
		do
			flow_slice $wallets "$BENCH_SLICE_FLOWS"
		done
		flow_rows $wallets
	done
	make_codes "$work/codes" $((BENCH_ROUNDS * (BENCH_SLICE_FLOWS + 36)))
	watch_machine
	measure_floor
	tell_machine flow "16 wallets"
	drop_pgbench
	measure_flow_space
}

# A slice of each part of the floor.
keep_floor()
{
	keep_openssl
	keep_pgbench simple
	keep_pgbench prepared
}

# The floor is measured right before and after the flows that stand beside it. pgbench's default
# is the simple protocol; prepared statements cost it less.
measure_floor()
{
	local round us bare name
	drop openssl.sign openssl.verify
	keep_floor
	for ((round = 0; round < BENCH_ROUNDS; round++))
	do
		flow_slice 16 "$BENCH_SLICE_FLOWS"
		keep flow.backends "$(calc '%.1f' "$(field postgres_cpu_us) / $(field served)")"
		keep flow.background "$(calc '%.1f' "$(field postgres_background_cpu_us) / $(field served)")"
		keep flow.load "$(calc '%.1f' "$(field load_cpu_us) / $(field served)")"
		keep_floor
		us=$(last flow16.us)
		bare=$(calc '%.2f' "$(around openssl.sign) + $(around openssl.verify)")
		for name in simple prepared
		do
			keep floor.$name "$(calc '%.2f' "$bare + $(around pgbench.$name)")"
			keep floor.$name.ratio "$(calc '%.4f' "$us / $(last floor.$name)")"
		done
	done
	flow_rows 16
	floor_rows
}

floor_rows()
{
	local us backends
	us=$(calc %.0f "$(middle flow16.us)")
	backends=$(middle flow.backends)
	compare flow "CPU a flow, 16 wallets, beside the floor" "$us us" \
		"$(calc '%.0f us' "$(middle floor.simple)")" floor.simple.ratio "<= 2.5"
	row flow "the floor: P-256 verification + signature + pgbench transaction" \
		"$(calc '%.0f + %.0f + %.0f us' "$(middle openssl.verify), $(middle openssl.sign), $(middle pgbench.simple)")"
	compare flow "the same, beside a floor of prepared statements" "$us us" \
		"$(calc '%.0f us' "$(middle floor.prepared)")" floor.prepared.ratio
	row flow "of CPU a flow: backends + proxy" "$(calc '%.0f + %.0f us' "$backends, $us - $backends")"
	row flow "PostgreSQL's own processes, a flow" "$(calc '%.0f us' "$(middle flow.background)")"
	row flow "the load generator's own CPU, a flow (not in the figures)" "$(calc '%.0f us' "$(middle flow.load)")" \
		"" "" "$(range %.0f flow.load)"
}

# A flow with a connection of its own, and what a flow leaves behind.
measure_flow_space()
{
	local tables=(vci_offer vci_token vci_credential vci_nonce vci_event) table wal grown='' before=()
	make_codes "$work/codes" $((BENCH_FLOWS + 100))
	for table in "${tables[@]}"
	do
		before+=("$(table_bytes "$table")")
	done
	wal=$(lsn)
	run_flow flow "$work/codes" 16 "$BENCH_FLOWS" --fresh
	wal=$(($(lsn) - wal))
	for table in "${!tables[@]}"
	do
		grown+="${grown:+, }$(calc '%.0f' "($(table_bytes "${tables[table]}") - ${before[table]}) / $(field served)")"
	done
	row flow "16 wallets, a new connection each: flows" "$(calc '%.0f/s' "$(field flows_per_second)")"
	row flow "16 wallets, a new connection each: CPU a flow" "$(flow_us) us"
	row flow "WAL a flow, without full pages" "$(calc '%.0f bytes' "$wal / $(field served)")"
	row flow "disk a flow: offer, token, credential, nonce, event" "$grown bytes"
}

# read_slice WHAT ARGUMENTS: kept as WHAT.rate and WHAT.us.
read_slice()
{
	local what=$1
	shift
	run_load "read" plain --wallets 16 --requests "$BENCH_READS" "${servers[@]}" "$@"
	keep "$what.rate" "$(field requests_per_second)"
	keep "$what.us" "$(calc '%.1f' "($(field postgres_cpu_us) + $(field proxy_cpu_us)) / $(field answered)")"
	[ "$(field failed)" = 0 ] ||
		row "read" "$what: requests that failed" "$(field failed)" "" "$(field failed)" "" "<= 0"
}

measure_read()
{
	local jwks metadata round what
	new_sandbox
	metadata=$ISSUER/.well-known/openid-credential-issuer
	jwks=$ISSUER/api/v1/openid4vci/jwks
	watch_machine
	for ((round = 0; round < BENCH_ROUNDS && round < 5; round++))
	do
		read_slice metadata --url "$metadata"
		read_slice "metadata with If-None-Match" --url "$metadata" --conditional
		read_slice "key set" --url "$jwks"
		read_slice "key set with If-None-Match" --url "$jwks" --conditional
		read_slice nonce --url "$ISSUER/api/v1/openid4vci/nonce" --post
	done
	for what in metadata "metadata with If-None-Match" "key set" "key set with If-None-Match" nonce
	do
		row "read" "$what: requests, CPU a request" "$(calc '%.0f/s, %.0f us' "$(middle "$what.rate"), $(middle "$what.us")")" \
			"" "" "$(range %.0f "$what.us")"
	done
	tell_machine "read"
}

free_port()
{
	local port
	while :
	do
		port=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# The peer of test/bench/peer on the sandbox's cluster: peer_pid, peer_url.
start_peer()
{
	local folder=$work/peer tries
	peer_url=http://127.0.0.1:$(free_port)
	mkdir -p "$folder"
	cp "$top"/test/bench/peer/*.py "$folder/"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/key.pem" 2>/dev/null
	[ "$(id -u)" -ne 0 ] || chown -R "$server_user": "$folder"
	sql -c 'CREATE DATABASE peer'
	sql -d peer -f "$top/test/bench/peer/schema.sql"
	peer_environment=(env PYTHONPATH="$folder" PEER_ISSUER="$peer_url" PEER_KEY="$folder/key.pem"
		PEER_DATABASE="host=$PGHOST port=$PGPORT dbname=peer user=$PGUSER")
	(as_server "${peer_environment[@]}" /usr/bin/python3 -m uvicorn issuer:app --host 127.0.0.1 \
		--port "${peer_url##*:}" --workers "$(nproc)" --loop uvloop --http httptools --no-access-log \
		--log-level warning) </dev/null >"$folder/log" 2>&1 &
	peer_pid=$!
	running+=("$peer_pid")
	for tries in {1..300}
	do
		! curl -fs --noproxy '*' "$peer_url/.well-known/jwt-vc-issuer" >"$folder/metadata" || break
		sleep 0.1
	done
	sed -E 's/.*"jwks":(\{"keys":\[[^]]*\]\}).*/\1/' "$folder/metadata" >"$folder/jwks"
	[ -s "$folder/jwks" ] || { cat "$folder/log" >&2; die "the peer does not start"; }
}

# A slice of ours: kept as ours.us and ours.backends.
our_slice()
{
	use_sandbox main
	take_codes "$work/codes" $((BENCH_SLICE_FLOWS + 50))
	run_flow peer "$work/part" 16 "$BENCH_SLICE_FLOWS" --warm-up 50
	keep ours.us "$(flow_us)"
	keep ours.backends "$(calc '%.1f' "$(field postgres_cpu_us) / $(field served)")"
}

# A slice of the peer's, kept as peer.*.
peer_slice()
{
	local name
	take_codes "$work/peer/codes" $((BENCH_SLICE_FLOWS + 50))
	run_load peer flow --issuer "$peer_url" --configuration BenchmarkCredential --jwks "$work/peer/jwks" \
		--codes "$work/part" --wallets 16 --warm-up 50 --flows "$BENCH_SLICE_FLOWS" \
		--server "postgres=$POSTMASTER_PID" --server "proxy=$peer_pid"
	check_flow peer
	keep peer.us "$(flow_us)"
	keep peer.backends "$(calc '%.1f' "$(field postgres_cpu_us) / $(field served)")"
	for name in flows_per_second flow_p50_ms flow_p99_ms
	do
		keep "peer.$name" "$(field $name)"
	done
}

# Both servers run all the time; who is not asked costs nothing.
measure_peer()
{
	local rounds=$((BENCH_ROUNDS > 7 ? 7 : BENCH_ROUNDS)) round us ours backends our_backends
	new_sandbox
	make_codes "$work/codes" $(((rounds + 1) * (BENCH_SLICE_FLOWS + 50)))
	start_peer
	"${peer_environment[@]}" /usr/bin/python3 "$work/peer/offers.py" $((rounds * (BENCH_SLICE_FLOWS + 50))) \
		>"$work/peer/codes"
	taken[$work/peer/codes]=0
	sql -d peer -c ANALYZE
	watch_machine
	our_slice
	for ((round = 0; round < rounds; round++))
	do
		peer_slice
		our_slice
		keep peer.ratio "$(calc '%.4f' "$(last peer.us) / $(around ours.us)")"
	done
	us=$(calc %.0f "$(middle peer.us)") ours=$(calc %.0f "$(middle ours.us)")
	backends=$(middle peer.backends) our_backends=$(middle ours.backends)
	compare peer "CPU a flow of the peer, 16 wallets, beside ours" "$us us" "$ours us" peer.ratio ">= 10"
	row peer "of that: backends + other processes" "$(calc '%.0f + %.0f us' "$backends, $us - $backends")" \
		"$(calc '%.0f + %.0f us' "$our_backends, $ours - $our_backends")"
	row peer "its flows, 16 wallets" "$(calc '%.0f/s' "$(middle peer.flows_per_second)")"
	row peer "its flow, p50 and p99" "$(calc '%.1f, %.1f ms' "$(middle peer.flow_p50_ms), $(middle peer.flow_p99_ms)")"
	tell_machine peer
	kill "$peer_pid"
	wait "$peer_pid" 2>/dev/null || true
	forget "$peer_pid"
}

# make_offers COUNT LIFETIME, in one statement
make_offers()
{
	sql -U registry -v count="$1" -v lifetime="$2" -v show=false -f "$top/test/bench/offers.sql" >/dev/null
}

# add_offers COUNT: every second of them expires at once; both kinds lie side by side.
add_offers()
{
	local left=$(($1 / 2)) part expiring
	# a statement of bounded size: each is one transaction
	while [ $left -gt 0 ]
	do
		part=$((left > 500000 ? 500000 : left))
		make_offers $part '1 second' &
		expiring=$!
		make_offers $part '30 days'
		wait $expiring
		left=$((left - part))
	done
	sleep 1.5
}

# read_codes FILE COUNT: codes of offers that wait, from all over the table. Many more are read than
# are used: by then the server's buffers hold others, as they do when a wallet comes.
read_codes()
{
	taken[$1]=0
	sql -v count="$2" -f "$top/test/bench/codes.sql" >"$1"
}

# prepare_growth NAME CODES: what was inserted is vacuumed, as it is by the time that wallets come.
prepare_growth()
{
	sql -c 'VACUUM ANALYZE'
	read_codes "$work/$1.codes" "$2"
	sql -c CHECKPOINT
}

# growth_slice NAME: a slice at the sandbox of that name, kept as NAME.us, NAME.ms and NAME.wal.
growth_slice()
{
	local wal
	use_sandbox "$1"
	take_codes "$work/$1.codes" "$BENCH_GROWTH_FLOWS" || die "growth: fewer offers wait in the table than wallets come"
	wal=$(lsn)
	run_flow growth "$work/part" 16 "$BENCH_GROWTH_FLOWS"
	keep "$1.us" "$(flow_us)"
	keep "$1.ms" "$(field flow_p50_ms)"
	keep "$1.wal" "$(calc '%.0f' "($(lsn) - $wal) / $(field served)")"
}

# compare_growth FEW MANY: with a server beside that has few offers, asked in turns, so that a slow
# minute does not count as growth.
compare_growth()
{
	local round name
	watch_machine
	# to warm up
	growth_slice big
	growth_slice small
	drop big.us big.ms big.wal small.us small.ms small.wal growth.us growth.ms
	growth_slice small
	for ((round = 0; round < BENCH_ROUNDS; round++))
	do
		growth_slice big
		growth_slice small
		for name in us ms
		do
			keep growth.$name "$(calc '%.4f' "$(last big.$name) / $(around small.$name)")"
		done
	done
	compare growth "$2 offers: CPU a flow, beside $1" "$(calc '%.0f us' "$(middle big.us)")" \
		"$(calc '%.0f us' "$(middle small.us)")" growth.us "<= 1.15"
	compare growth "$2 offers: p50 of a flow, beside $1" "$(calc '%.1f ms' "$(middle big.ms)")" \
		"$(calc '%.1f ms' "$(middle small.ms)")" growth.ms "<= 1.15"
	row growth "$2 offers: WAL a flow, soon after a checkpoint" "$(calc '%.0f bytes' "$(middle big.wal)")" \
		"$(calc '%.0f bytes' "$(middle small.wal)")"
	tell_machine growth "$2 offers"
}

measure_growth()
{
	local count there=0 wanted few=${BENCH_GROWTH%% *}
	new_sandbox big
	wanted=$(((BENCH_ROUNDS + 2) * BENCH_GROWTH_FLOWS))
	for count in ${BENCH_GROWTH#* }
	do
		use_sandbox big
		add_offers $((count - there))
		there=$count
		tell "growth: $count offers are made"
		prepare_growth big $((wanted + (count > 100000 ? 40000 : 0)))
		# anew each time, so that it has few
		new_sandbox small
		add_offers "$few"
		prepare_growth small "$wanted"
		tell "growth: compared with $few"
		compare_growth "$few" "$count"
	done
}

# purge_slice NAME: its p99 is kept as NAME; false when there are no codes any more.
purge_slice()
{
	take_codes "$work/codes" "$BENCH_PURGE_SLICE" || return 1
	run_flow purge "$work/part" 16 "$BENCH_PURGE_SLICE"
	keep "$1" "$(field flow_p99_ms)"
}

# purge_alone: wallets without a purge, as many slices as there are rounds.
purge_alone()
{
	local round
	for ((round = 0; round < BENCH_ROUNDS; round++))
	do
		purge_slice alone.ms
	done
}

# What waits to be purged, and who may.
prepare_purge()
{
	make_offers "$BENCH_PURGE" '1 second'
	# long ago, and not kept for good, as they are otherwise
	sql -c "UPDATE openid4vci.vci_offer SET created_at = created_at - interval '40 days',
			expires_at = expires_at - interval '40 days', ends_at = ends_at - interval '40 days',
			claims_due = claims_due - interval '40 days'"
	sql -U registry -c "SELECT openid4vci.vci_alter_issuer('{\"offer_retention\": 86400}')" >/dev/null
	sql -c "CREATE ROLE purger LOGIN" -c "SELECT openid4vci.vci_grant('purger', 'offerer')" >/dev/null
	make_codes "$work/codes" "$BENCH_PURGE_FLOWS"
	sql -c 'VACUUM ANALYZE' -c CHECKPOINT
}

# The purge in the background, slices of wallets until it ends: each begins while it runs. Sets took.
purge_meanwhile()
{
	local pid began=$EPOCHREALTIME
	"$BIN/openid4vci-proxy" purge --conninfo "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=purger" \
		>"$work/purge" &
	pid=$!
	running+=("$pid")
	purge_slice meanwhile.ms
	while kill -0 "$pid" 2>/dev/null && purge_slice meanwhile.ms
	do
		:
	done
	wait "$pid" || die "the purge failed"
	forget "$pid"
	took=$(calc '%.1f' "$EPOCHREALTIME - $began")
}

measure_purge()
{
	local purged flows took
	new_sandbox
	prepare_purge
	watch_machine
	take_codes "$work/codes" 40
	run_flow purge "$work/part" 16 40
	purge_alone
	flows=${taken[$work/codes]}
	purge_meanwhile
	flows=$((${taken[$work/codes]} - flows))
	purged=$(sed -nE 's/^offer: ([0-9]+) purged.*/\1/p' "$work/purge")
	# the purge has left work, which is part of it; what it is compared with begins after that
	sql -c VACUUM -c CHECKPOINT
	make_codes "$work/codes" $((BENCH_ROUNDS * BENCH_PURGE_SLICE))
	purge_alone
	keep purge.ratio $(for ms in ${kept[meanwhile.ms]}; do calc '%.4f ' "$ms / $(middle alone.ms)"; done)
	row purge "offers purged while 16 wallets ran" "${purged:-0}" "$BENCH_PURGE" "$(ratio "${purged:-0}" "$BENCH_PURGE")" \
		"" ">= 1"
	row purge "time it took" "$took s"
	compare purge "p99 of a flow meanwhile, beside alone" "$(calc '%.1f ms' "$(middle meanwhile.ms)")" \
		"$(calc '%.1f ms' "$(middle alone.ms)")" purge.ratio "<= 2"
	row purge "flows of wallets meanwhile" "$flows"
	tell_machine purge
}

measure_burst()
{
	local most
	most=$(($(ulimit -Hn) - 100))
	if [ "$BENCH_BURST" -gt "$most" ]
	then
		say "bench: $BENCH_BURST wallets need as many descriptors; the limit (ulimit -Hn) leaves $most"
		BENCH_BURST=$most
	fi
	new_sandbox
	make_codes "$work/codes" $((BENCH_BURST + 200))
	run_flow burst "$work/codes" 16 100
	tail -n +101 "$work/codes" >"$work/part"
	watch_machine
	run_load burst flow --issuer "$ISSUER" --configuration BenchmarkCredential --codes "$work/part" \
		--wallets "$BENCH_BURST" --flows "$BENCH_BURST" --spread 1000 --retries 60 --fresh \
		--timeout 60000 "${servers[@]}"
	check_flow burst
	row burst "wallets within a second, that got their credential" "$(field served)" "$BENCH_BURST" \
		"$(ratio "$(field served)" "$BENCH_BURST")" "" ">= 1"
	row burst "that hung (60 s without an answer)" "$(field hung)" "" "$(field hung)" "" "<= 0"
	row burst "whose connection was refused or reset" "$(field broken)" "" "$(field broken)" "" "<= 0"
	row burst "answers 503 with Retry-After" "$(field told_to_retry)"
	row burst "longest wait for a credential" "$(calc '%.1f s' "$(field flow_max_ms) / 1000")"
	row burst "highest memory of the proxy" "$(calc '%.0f MB' "$(field proxy_peak_kb) / 1024")" "" \
		"$(calc '%.0f' "$(field proxy_peak_kb) / 1024")" "" "<= 256"
	row burst "memory of PostgreSQL's processes, none of it shared" "$(calc '%.0f MB' "$(field postgres_anon_kb) / 1024")"
	tell_machine burst
}
