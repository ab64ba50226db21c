# The sections of test/bench/run: each measures one thing and adds its rows to the table.
# To be sourced after measure.sh.

# Rates are per second of CPU, as those of "openssl speed" are; the parallel plan is by the clock.
measure_issue()
{
	local cpu clock grown all one two workers
	new_sandbox
	"$load" holders --keys 1000 >"$work/holders"
	speed_before
	{
		IFS='|' read -r cpu clock grown all
		IFS='|' read -r one two workers
	} < <(sql -U registry -v rows="$BENCH_ISSUE" -v parallel_rows="$BENCH_PARALLEL" \
		-v holders="$work/holders" -f "$top/test/bench/issue.sql")
	speed_after
	[ "$all" = t ] || die "vci_issue_sdjwt did not issue all"
	row issue "vci_issue_sdjwt, one session, beside openssl's signatures" \
		"$(calc '%.0f/s' "1e6 / $cpu")" "$sign_rate/s" "$(ratio "1e6 / $cpu" "$sign_rate")" ">= 0.60"
	row issue "the same by the clock, in $BENCH_ISSUE rows" "$(calc '%.0f/s' "1e6 / $clock")"
	row issue "memory that came on in these rows" "$grown kB" "" "$grown" "<= 1024"
	row issue "parallel plan of $((workers + 1)) processes, beside one" "$(calc '%.0f/s' "1e6 / $two")" \
		"$(calc '%.0f/s' "1e6 / $one")" "$(ratio "$one" "$two")" ">= 1.80"
}

measure_verify()
{
	local cpu good
	new_sandbox
	"$load" proofs --keys 1000 --issuer "$ISSUER" --nonce bench >"$work/proofs"
	# a proof is verified at least once
	[ "$BENCH_VERIFY" -ge 1000 ] || BENCH_VERIFY=1000
	speed_before
	IFS='|' read -r cpu good < <(sql -U registry -v rows="$BENCH_VERIFY" -v nonce=bench \
		-v issuer="$ISSUER" -v proofs="$work/proofs" -f "$top/test/bench/verify.sql")
	speed_after
	[ "$good" = t ] || die "vci_verify_kbjwt refused a good proof"
	row verify "vci_verify_kbjwt, beside openssl's verifications" "$(calc '%.0f/s' "1e6 / $cpu")" \
		"$verify_rate/s" "$(ratio "1e6 / $cpu" "$verify_rate")" ">= 0.80"
}

# Bytes of the tables named, with their indexes.
table_bytes()
{
	sql -c "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c
		WHERE c.relnamespace = 'openid4vci'::regnamespace AND c.relname = ANY ('{$1}')"
}

# bulk LIVE
bulk()
{
	sql -U registry -v count="$BENCH_OFFERS" -v live="$1" -f "$top/test/bench/bulk.sql"
}

measure_offers()
{
	local clock cpu wal offers events
	new_sandbox
	make_codes "$work/codes" 100
	offers=$(table_bytes vci_offer)
	events=$(table_bytes vci_event)
	sql -c CHECKPOINT
	IFS='|' read -r clock cpu wal < <(bulk false)
	offers=$(($(table_bytes vci_offer) - offers))
	events=$(($(table_bytes vci_event) - events))
	row offers "vci_create_offer, $BENCH_OFFERS in one statement" "$(calc '%.0f/s' "1e6 / $clock")" "40000/s" \
		"$(calc '%.2f' "1e6 / $clock / 40000")" ">= 1"
	row offers "CPU an offer" "$(calc '%.1f us' "$cpu")"
	row offers "WAL an offer" "$(calc '%.0f bytes' "$wal")"
	row offers "disk an offer (its row and index, its event)" \
		"$(calc '%.0f + %.0f bytes' "$offers / $BENCH_OFFERS, $events / $BENCH_OFFERS")"
	IFS='|' read -r clock cpu wal < <(bulk true)
	row offers "the same without claims, for a claims source" "$(calc '%.0f/s' "1e6 / $clock")" "40000/s" \
		"$(calc '%.2f' "1e6 / $clock / 40000")"
	row offers "CPU and WAL an offer of them" "$(calc '%.1f us, %.0f bytes' "$cpu, $wal")"
}

lsn()
{
	sql -c 'SELECT pg_current_wal_insert_lsn() - '"'0/0'"
}

flow_row()
{
	local step
	row flow "$1: flows" "$(calc '%.0f/s' "$(field flows_per_second)")"
	for step in token nonce credential
	do
		row flow "$1: $step, p50 and p99" "$(calc '%.1f, %.1f ms' "$(field ${step}_p50_ms), $(field ${step}_p99_ms)")"
	done
	row flow "$1: CPU of 1,000 flows (backends + proxy)" \
		"$(calc '%.2f s' "($(field postgres_cpu_us) + $(field proxy_cpu_us)) / $(field served) / 1000")"
}

# flow_of WALLETS FLOWS: new offers, some of them to warm up.
flow_of()
{
	local warm_up=$(($1 + 100))
	make_codes "$work/codes" $(($2 + warm_up))
	run_flow flow "$work/codes" "$1" "$2" --warm-up $warm_up
	flow_row "$1 wallet$([ "$1" = 1 ] || echo s)"
}

measure_flow()
{
	new_sandbox
	flow_of 1 $((BENCH_FLOWS / 5))
	flow_of 256 "$BENCH_FLOWS"
	measure_floor
	measure_flow_space
}

# The floor is measured right before and after the flows that stand beside it. pgbench's default
# is the simple protocol; prepared statements cost it less.
measure_floor()
{
	local simple prepared floor us backends
	make_pgbench
	simple=$(transaction_us simple)
	prepared=$(transaction_us prepared)
	speed_before
	flow_of 16 "$BENCH_FLOWS"
	speed_after
	simple=$(calc '%.0f' "($simple + $(transaction_us simple)) / 2")
	prepared=$(calc '%.0f' "($prepared + $(transaction_us prepared)) / 2")
	drop_pgbench
	us=$(flow_us)
	backends=$(calc '%.0f' "$(field postgres_cpu_us) / $(field served)")
	floor=$(calc '%.0f' "1e6 / $sign_rate + 1e6 / $verify_rate + $simple")
	row flow "CPU a flow, 16 wallets, beside the floor" "$us us" "$floor us" "$(ratio "$us" "$floor")" "<= 2.5"
	row flow "the floor: P-256 verification + signature + pgbench transaction" \
		"$(calc '%.0f + %.0f + %.0f us' "1e6 / $verify_rate, 1e6 / $sign_rate, $simple")"
	floor=$(calc '%.0f' "1e6 / $sign_rate + 1e6 / $verify_rate + $prepared")
	row flow "the same, beside a floor of prepared statements" "$us us" "$floor us" "$(ratio "$us" "$floor")"
	row flow "of CPU a flow: backends + proxy" "$(calc '%.0f + %.0f us' "$backends, $us - $backends")"
	row flow "PostgreSQL's own processes, a flow" \
		"$(calc '%.0f us' "$(field postgres_background_cpu_us) / $(field served)")"
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

# read_row WHAT ARGUMENTS
read_row()
{
	local what=$1
	shift
	run_load "read" plain --wallets 16 --requests "$BENCH_READS" "${servers[@]}" "$@"
	row "read" "$what" "$(calc '%.0f/s, %.0f us' \
		"$(field requests_per_second), ($(field postgres_cpu_us) + $(field proxy_cpu_us)) / $(field answered)")"
	[ "$(field failed)" = 0 ] || row "read" "$what: requests that failed" "$(field failed)" "" "$(field failed)" "<= 0"
}

measure_read()
{
	local jwks metadata
	new_sandbox
	metadata=$ISSUER/.well-known/openid-credential-issuer
	jwks=$ISSUER/api/v1/openid4vci/jwks
	read_row "metadata: requests, CPU a request" --url "$metadata"
	read_row "metadata with If-None-Match" --url "$metadata" --conditional
	read_row "key set" --url "$jwks"
	read_row "key set with If-None-Match" --url "$jwks" --conditional
	read_row "nonce" --url "$ISSUER/api/v1/openid4vci/nonce" --post
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

# Ours and the peer's, one right after the other.
measure_peer()
{
	local flows=$((BENCH_FLOWS / 2)) ours our_backends us backends
	new_sandbox
	make_codes "$work/codes" $((flows + 200))
	run_flow peer "$work/codes" 16 $flows --warm-up 200
	ours=$(flow_us)
	our_backends=$(calc '%.0f' "$(field postgres_cpu_us) / $(field served)")
	start_peer
	"${peer_environment[@]}" /usr/bin/python3 "$work/peer/offers.py" $((flows + 200)) >"$work/codes"
	sql -d peer -c ANALYZE
	run_load peer flow --issuer "$peer_url" --configuration BenchmarkCredential --jwks "$work/peer/jwks" \
		--codes "$work/codes" --wallets 16 --warm-up 200 --flows $flows \
		--server "postgres=$POSTMASTER_PID" --server "proxy=$peer_pid"
	check_flow peer
	us=$(flow_us)
	backends=$(calc '%.0f' "$(field postgres_cpu_us) / $(field served)")
	row peer "CPU a flow of the peer, 16 wallets, beside ours" "$us us" "$ours us" "$(ratio "$us" "$ours")" ">= 10"
	row peer "of that: backends + other processes" "$(calc '%.0f + %.0f us' "$backends, $us - $backends")" \
		"$(calc '%.0f + %.0f us' "$our_backends, $ours - $our_backends")"
	row peer "its flows, 16 wallets" "$(calc '%.0f/s' "$(field flows_per_second)")"
	row peer "its flow, p50 and p99" "$(calc '%.1f, %.1f ms' "$(field flow_p50_ms), $(field flow_p99_ms)")"
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

measure_growth()
{
	local count there=0 repeat first_us='' first_ms='' us ms all_us all_ms wanted live wal
	new_sandbox
	for count in $BENCH_GROWTH
	do
		add_offers $((count - there))
		there=$count
		sql -c 'VACUUM ANALYZE' -c CHECKPOINT
		wanted=$((BENCH_REPEATS * BENCH_GROWTH_FLOWS + 100))
		live=$(sql -c "SELECT count(*) FROM openid4vci.vci_offer
			WHERE expires_at > clock_timestamp() AND redeemed_at IS NULL
				AND configuration_ids = '{BenchmarkCredential}'")
		sql -U registry -v count=$wanted -v live="$live" -f "$top/test/bench/codes.sql" >"$work/codes"
		all_us=() all_ms=()
		wal=$(lsn)
		run_flow growth "$work/codes" 16 100
		wal=$(calc '%.0f' "($(lsn) - $wal) / $(field served)")
		for ((repeat = 0; repeat < BENCH_REPEATS; repeat++))
		do
			tail -n +$((101 + repeat * BENCH_GROWTH_FLOWS)) "$work/codes" >"$work/part"
			run_flow growth "$work/part" 16 "$BENCH_GROWTH_FLOWS"
			all_us+=("$(flow_us)")
			all_ms+=("$(field flow_p50_ms)")
		done
		us=$(median "${all_us[@]}")
		ms=$(median "${all_ms[@]}")
		if [ -z "$first_us" ]
		then
			first_us=$us first_ms=$ms
			row growth "$count offers: CPU a flow" "$us us"
			row growth "$count offers: p50 of a flow" "$(calc '%.1f ms' "$ms")"
		else
			row growth "$count offers: CPU a flow" "$us us" "$first_us us" "$(ratio "$us" "$first_us")" "<= 1.15"
			row growth "$count offers: p50 of a flow" "$(calc '%.1f ms' "$ms")" "$(calc '%.1f ms' "$first_ms")" \
				"$(ratio "$ms" "$first_ms")" "<= 1.15"
		fi
		row growth "$count offers: WAL a flow, with full pages after a checkpoint" "$wal bytes"
	done
}

# start_wallets CODES FLOWS: in the background, until told to stop, or so many flows were.
start_wallets()
{
	"$load" flow --issuer "$ISSUER" --configuration BenchmarkCredential --jwks "$work/jwks" \
		--codes "$1" --flows "$2" --wallets 16 "${servers[@]}" >"$work/outcome" &
	wallets_pid=$!
	running+=("$wallets_pid")
}

stop_wallets()
{
	kill "$wallets_pid" 2>/dev/null || true
	wait "$wallets_pid" || die "the load generator failed"
	forget "$wallets_pid"
	outcome=$(cat "$work/outcome")
	take_outcome purge
	check_flow purge
}

measure_purge()
{
	local alone began purged meanwhile
	new_sandbox
	make_offers "$BENCH_PURGE" '1 second'
	# long ago, and not kept for good, as they are otherwise
	sql -c "UPDATE openid4vci.vci_offer SET created_at = created_at - interval '40 days',
			expires_at = expires_at - interval '40 days', ends_at = ends_at - interval '40 days',
			claims_due = claims_due - interval '40 days'"
	sql -U registry -c "SELECT openid4vci.vci_alter_issuer('{\"offer_retention\": 86400}')" >/dev/null
	sql -c "CREATE ROLE purger LOGIN" -c "SELECT openid4vci.vci_grant('purger', 'offerer')" >/dev/null
	make_codes "$work/codes" "$BENCH_PURGE_FLOWS"
	sql -c 'VACUUM ANALYZE' -c CHECKPOINT
	run_flow purge "$work/codes" 16 40
	tail -n +41 "$work/codes" >"$work/part"
	start_wallets "$work/part" $((BENCH_PURGE_FLOWS / 4))
	sleep "$BENCH_PURGE_SECONDS"
	stop_wallets
	alone=$(field flow_p99_ms)
	tail -n +$((41 + $(field begun))) "$work/codes" >"$work/part"
	start_wallets "$work/part" "$BENCH_PURGE_FLOWS"
	sleep 0.5
	began=$EPOCHREALTIME
	purged=$("$BIN/openid4vci-proxy" purge --conninfo "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=purger" |
		sed -nE 's/^offer: ([0-9]+) purged.*/\1/p')
	began=$(calc '%.1f' "$EPOCHREALTIME - $began")
	# without wallets to the end nothing was measured
	kill -0 "$wallets_pid" 2>/dev/null && meanwhile=yes || meanwhile=
	stop_wallets
	row purge "offers purged while 16 wallets ran" "${purged:-0}" "$BENCH_PURGE" "$(ratio "${purged:-0}" "$BENCH_PURGE")" ">= 1"
	row purge "time it took" "$began s"
	row purge "p99 of a flow meanwhile, beside alone" "$(calc '%.1f ms' "$(field flow_p99_ms)")" \
		"$(calc '%.1f ms' "$alone")" "${meanwhile:+$(ratio "$(field flow_p99_ms)" "$alone")}" "<= 2"
	row purge "flows of wallets meanwhile" "$(field served)"
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
	run_load burst flow --issuer "$ISSUER" --configuration BenchmarkCredential --codes "$work/part" \
		--wallets "$BENCH_BURST" --flows "$BENCH_BURST" --spread 1000 --retries 60 --fresh \
		--timeout 60000 "${servers[@]}"
	check_flow burst
	row burst "wallets within a second, that got their credential" "$(field served)" "$BENCH_BURST" \
		"$(ratio "$(field served)" "$BENCH_BURST")" ">= 1"
	row burst "that hung (60 s without an answer)" "$(field hung)" "" "$(field hung)" "<= 0"
	row burst "whose connection was refused or reset" "$(field broken)" "" "$(field broken)" "<= 0"
	row burst "answers 503 with Retry-After" "$(field told_to_retry)"
	row burst "longest wait for a credential" "$(calc '%.1f s' "$(field flow_max_ms) / 1000")"
	row burst "highest memory of the proxy" "$(calc '%.0f MB' "$(field proxy_peak_kb) / 1024")" "" \
		"$(calc '%.0f' "$(field proxy_peak_kb) / 1024")" "<= 256"
	row burst "memory of PostgreSQL's processes, none of it shared" "$(calc '%.0f MB' "$(field postgres_anon_kb) / 1024")"
}
