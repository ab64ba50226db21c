# Shell functions of test/run and test/odoo/run: suites that count what passed and failed, each
# with a log of its own in $work/logs. Source it from bash.

# Every suite's function writes to its own log and calls count once or more.
# count SUITE PASSED FAILED
count()
{
	echo "$2 $3" >>"$work/logs/$1.counts"
}

# single SUITE NAME COMMAND...: a test that consists of one command.
single()
{
	local suite=$1 name=$2
	shift 2
	if "$@"
	then
		echo "ok - $name"
		count "$suite" 1 0
	else
		echo "not ok - $name"
		count "$suite" 0 1
	fi
}

# count_tap SUITE STATUS LOG: counts a log's own TAP lines, not those of subtests. A
# program without a "not ok" that failed all the same (it died, leaked or broke its
# plan) stands in prove's summary with no failed test, and is one failure.
count_tap()
{
	local passed failed broken
	passed=$(grep -E '^ok [0-9]+' "$3" | grep -cvi '# skip' || true)
	failed=$(grep -cE '^not ok [0-9]+' "$3" || true)
	broken=$(grep -cE '\(Wstat: .* Failed: 0\)$' "$3" || true)
	if [ "$2" -ne 0 ] && [ "$failed" -eq 0 ] && [ "$broken" -eq 0 ]
	then
		broken=1
		echo "not ok - $1 ended with status $2"
	fi
	count "$1" "$passed" $((failed + broken))
}

# run_tap SUITE COMMAND...
run_tap()
{
	local suite=$1 status=0 output
	shift
	output=$work/logs/$suite.tap
	"$@" >"$output" 2>&1 || status=$?
	cat "$output"
	count_tap "$suite" "$status" "$output"
	rm -f "$output"
}

# The lines of a log that tell what failed: every "not ok" and what is said about it,
# what compilers and sanitizers say, and prove's summary.
failures_in()
{
	awk '/^ *not ok/ {show = 40; print; next}
		/^Test Summary Report/ {show = 200}
		/^ *(ok |[^ ]+ \.\. *$)/ {show = 0}
		/: (error|warning): |undefined reference|^SUMMARY: |^==[0-9]+==ERROR/ ||
			/^# +(Failed test|at .* line|got:|expected:)/ {print; next}
		show > 0 {print; show--}' "$1" | head -n 300
}

# sum_of FILES: "passed failed" over files of counts.
sum_of()
{
	cat /dev/null "$@" | awk '{passed += $1; failed += $2} END {print passed + 0, failed + 0}'
}

# Runs one suite and tells its outcome in a line. An error within it counts as a failure.
run_suite()
{
	local suite=${1%%:*} filter='' began=$SECONDS log status passed failed
	[ "$suite" = "$1" ] || filter=${1#*:}
	log=$work/logs/$suite.log
	: >"$work/logs/$suite.counts"
	# Not "( ... ) ||": that would switch errexit off inside.
	set +e
	(set -e; "$suite" "$filter") </dev/null >"$log" 2>&1
	status=$?
	set -e
	[ "$status" -eq 0 ] || { echo "not ok - suite $suite broke off" >>"$log"; count "$suite" 0 1; }
	read -r passed failed < <(sum_of "$work/logs/$suite.counts")
	{
		printf '%-10s %5d passed, %d failed (%d s)\n' "$suite" "$passed" "$failed" $((SECONDS - began))
		[ "$failed" -eq 0 ] || failures_in "$log" | sed 's/^/    /'
	} >"$work/logs/$suite.told"
	cat "$work/logs/$suite.told"
}

run_lane()
{
	local suite
	for suite in "$@"
	do
		run_suite "$suite"
	done
}

report()
{
	local passed failed
	read -r passed failed < <(sum_of "$work"/logs/*.counts)
	if [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	then
		rm -rf "$work"
	else
		(cd "$work" && rm -rf tree clang cluster home)
		echo "The logs are in $work/logs"
	fi
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
