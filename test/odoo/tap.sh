# Shell functions for tests that print TAP and are run by test/odoo/run. Source it from bash.

number=0
failed=0

# ok NAME COMMAND...: a test that consists of one command; what it says is shown when it fails.
ok()
{
	local name=$1 said status=0
	shift
	said=$("$@" 2>&1) || status=$?
	number=$((number + 1))
	if [ "$status" -eq 0 ]
	then
		echo "ok $number - $name"
	else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		tail -n 40 <<<"$said" | sed 's/^/# /'
	fi
}

# is NAME EXPECTED GOT
is()
{
	number=$((number + 1))
	if [ "$2" = "$3" ]
	then
		echo "ok $number - $1"
	else
		failed=$((failed + 1))
		echo "not ok $number - $1"
		{ echo "expected: $2"; echo "got: $3"; } | sed 's/^/# /'
	fi
}

# contains NAME TEXT PART...: each part stands in the text
contains()
{
	local name=$1 text=$2 part missing=
	shift 2
	for part in "$@"
	do
		[[ $text == *"$part"* ]] || missing+="
missing: $part"
	done
	is "$name" '' "${missing:+$missing
in: $(tail -n 30 <<<"$text")}"
}

done_testing()
{
	echo "1..$number"
	[ "$failed" -eq 0 ]
}

sql()
{
	"$PSQL" -XqAt -v ON_ERROR_STOP=1 "$@"
}

# odoo PROGRAM'S ARGUMENTS...
odoo()
{
	"$here/in" odoo "$@" </dev/null
}

# python DATABASE: runs Python from standard input in Odoo's shell on that database
python()
{
	ODOO_DATABASE=$1 "$here/shell"
}

# create_database NAME TEMPLATE
create_database()
{
	sql -c "CREATE DATABASE $1 OWNER odoo TEMPLATE $2"
}
