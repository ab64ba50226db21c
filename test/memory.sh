# The suites asan and memcheck of test/run, which sources this: pg_regress while a tool
# watches the memory of every backend. Neither tool sees a read behind a palloc'd piece
# that stays within PostgreSQL's own larger block. Each suite first shows, by a function
# with a known fault, that its tool sees such faults where they would be.

# copy_of_postgresql FOLDER OPTIONS: a copy of PostgreSQL in FOLDER/prefix whose module was
# compiled with these options too; $bin becomes its folder of programs.
copy_of_postgresql()
{
	local plain inside
	plain=$(test/prefix) || return 1
	inside=${plain#"$(own_folder)"/*/}
	mkdir "$1" "$1/build" || return 1
	cp -a "${plain%/"$inside"}" "$1/prefix"
	bin=$1/prefix/$inside
	tar -c --exclude='*.[od]' Makefile openid4vci.control sql src | tar -x -C "$1/build"
	make -C "$1/build" -s -j"$(nproc)" with_llvm=no PG_CONFIG="$bin/pg_config" \
		COPT="$2" all install
}

# watched_cluster FOLDER COMMAND...: starts $cluster so that postgres is run by the command.
watched_cluster()
{
	local folder=$1
	shift
	cluster=$folder/cluster
	mkdir -m 700 "$cluster"
	{
		# Waits that are long for an ordinary server are short for one at a twentieth of its speed.
		echo "authentication_timeout = '10min'"
		echo "autovacuum = off"
	} >"$cluster/extra.conf"
	cluster_start "$bin" "$cluster"
	cluster_stop "$bin" "$cluster"
	printf '#!/bin/sh\nexec %s "%s/postgres" "$@"\n' "$*" "$bin" >"$folder/postgres"
	chmod 755 "$folder/postgres"
	"$bin/pg_ctl" -D "$cluster/data" -p "$folder/postgres" -l "$cluster/server.log" -w -s -t 300 \
		start </dev/null >>"$cluster/server.log" 2>&1
}

is_watched()
{
	[ -e "$1/cluster/data/postmaster.pid" ]
}

stop_watched_cluster()
{
	"$bin/pg_ctl" -D "$cluster/data" -m fast -w -s -t 300 stop </dev/null
}

# compile_control FOLDER OPTIONS...: the functions with a fault.
compile_control()
{
	local folder=$1
	shift
	gcc -shared -fPIC -g -O0 -isystem "$("$bin/pg_config" --includedir-server)" "$@" \
		-o "$folder/control.so" test/memory/control.c
}

# run_control FOLDER FUNCTION: calls one of them, which may cost the backend its life.
run_control()
{
	"$bin/psql" -X -q -h "$cluster/socket" -p 5432 -U postgres -d postgres <<-END || true
		CREATE FUNCTION $2(integer) RETURNS boolean AS '$1/control.so' LANGUAGE c STRICT;
		SELECT $2(8);
	END
	until "$bin/psql" -X -q -h "$cluster/socket" -p 5432 -U postgres -d postgres \
		-c "DROP FUNCTION IF EXISTS $2(integer)"
	do
		sleep 0.2
	done 2>/dev/null
}

# no_reports WHAT REPORTS...: shows what the tool found, and fails when there is any.
no_reports()
{
	local report found=0
	shift
	for report in "$@"
	do
		[ -s "$report" ] || continue
		found=1
		sed 's/^/# /' "$report" | head -n 60
	done
	[ "$found" -eq 0 ]
}

asan_starts()
{
	local folder=$1 sanitizer=-fsanitize=address,undefined
	copy_of_postgresql "$folder" \
		"$sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer -O1" &&
		gcc -shared -fPIC -Wl,-z,initfirst -o "$folder/first.so" test/memory/first.c &&
		compile_control "$folder" "$sanitizer" &&
		watched_cluster "$folder" env "'LD_PRELOAD=$(gcc -print-file-name=libasan.so) $folder/first.so'" \
			"ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1:log_path=$folder/report" \
			UBSAN_OPTIONS=print_stacktrace=1
}

asan_sees()
{
	run_control "$1" read_behind_block
	grep -q 'heap-buffer-overflow' "$1"/report.* && grep -q read_behind_block "$1"/report.* &&
		rm "$1"/report.*
}

asan_is_content()
{
	! grep -n 'runtime error' "$cluster/server.log" &&
		no_reports AddressSanitizer "$1"/report.*
}

asan()
{
	local folder=$work/asan
	single asan "a server with a module under AddressSanitizer starts" asan_starts "$folder"
	is_watched "$folder" || return 0
	single asan "AddressSanitizer sees a read behind a block in a backend" asan_sees "$folder"
	pg_regress_suite asan ISOLATION= TAP_TESTS=
	stop_watched_cluster
	single asan "AddressSanitizer and UndefinedBehaviorSanitizer report nothing" \
		asan_is_content "$folder"
}

memcheck_starts()
{
	local folder=$1
	copy_of_postgresql "$folder" -fno-omit-frame-pointer && compile_control "$folder" &&
		watched_cluster "$folder" valgrind --quiet --tool=memcheck --trace-children=yes \
			--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=none \
			--num-callers=40 \
			"--suppressions=$PWD/test/memory/valgrind.supp" "--log-file=$folder/report.%p"
}

# findings REPORT: what valgrind said in it that counts. A backend ends with much that it never
# freed; only what was lost below a function of ours, vci_*, counts.
findings()
{
	awk 'function tell() {
			if (text ~ /definitely lost/ ? text ~ / vci_[a-z0-9_]+ \(/ : text ~ /(at|by) 0x/)
				printf "%s\n", text
			text = ""
		}
		{sub(/^==[0-9]+== ?/, "")}
		/^$/ {tell(); next}
		{text = text $0 "\n"}
		END {tell()}' "$1"
}

collect_findings()
{
	local report
	for report in "$1"/report.*[0-9]
	do
		findings "$report" >"$report.told"
	done
}

memcheck_sees()
{
	local try=0
	run_control "$1" read_behind_block
	run_control "$1" branch_on_unwritten
	run_control "$1" vci_lose_block
	# A backend looks for lost blocks when it ends, which takes it a while.
	until collect_findings "$1" && grep -q vci_lose_block "$1"/report.*.told
	do
		[ $((try += 1)) -lt 300 ] || return 1
		sleep 0.2
	done
	grep -q 'Invalid read' "$1"/report.*.told && grep -q read_behind_block "$1"/report.*.told &&
		grep -q 'uninitialised value' "$1"/report.*.told &&
		grep -q branch_on_unwritten "$1"/report.*.told && rm "$1"/report.*
}

memcheck_is_content()
{
	collect_findings "$1"
	no_reports memcheck "$1"/report.*.told
}

memcheck()
{
	local folder=$work/memcheck
	single memcheck "a server starts under valgrind" memcheck_starts "$folder"
	is_watched "$folder" || return 0
	single memcheck "valgrind sees reads of what is not there in a backend" memcheck_sees "$folder"
	pg_regress_suite memcheck ISOLATION= TAP_TESTS=
	stop_watched_cluster
	single memcheck "valgrind reports nothing, and no memory of ours is lost" \
		memcheck_is_content "$folder"
}
