#!/bin/bash
# What happens at once in several of Odoo's workers, which run at REPEATABLE READ and run a
# request again after a conflict: nothing may happen twice, and nothing may be lost.
set -euo pipefail
. "$here/tap.sh"

requests=$(mktemp -d)
trap 'rm -rf "$requests"' EXIT
base=$ODOO_URL/api/v1/openid4vci

# database STATEMENT [NAME=VALUE...]: as superuser; values go into the statement as :'NAME'
database()
{
	local statement=$1 value settings=()
	shift
	for value in "$@"
	do
		settings+=(-v "$value")
	done
	sql -d "$ODOO_DATABASE" "${settings[@]}" <<<"$statement"
}

# The offers of all tests, by id and link; the first one has a PIN.
python "$ODOO_DATABASE" >"$requests/offers" <<END
sql = env["vci.sql"]
sql.call("vci_create_issuer", "$ODOO_URL")
sql.call("vci_create_key")
codes = ["EntitlementCredential"]
sql.call("vci_create_configuration", *codes, "$ODOO_URL/credentials/entitlement")
for number in range(13):
    claims = {"entitlementId": f"E-{number}"}
    pin = None if number else "493536"
    offer = sql.call("vci_create_offer", codes, claims=claims, tx_code=pin)
    print(offer["offer_id"], offer["credential_offer_uri"])
env["ir.config_parameter"].set_param("openid4vci.http", "True")
env.cr.commit()
# As a request does at its end: the workers look at their routes anew.
env.registry.signal_changes()
END
exec {offers}<"$requests/offers"

# next_offer: sets $offer and $link
next_offer()
{
	read -r offer link <&"$offers"
}

# code_of LINK
code_of()
{
	python3 -c '
import json, sys, urllib.parse as url
[offer] = url.parse_qs(url.urlsplit(sys.argv[1]).query)["credential_offer"]
[grant] = json.loads(offer)["grants"].values()
print(grant["pre-authorized_code"])' "$1"
}

# post_token CODE FILE [MORE...]: the answer's status into FILE, its body into FILE.body
post_token()
{
	curl -sS --noproxy '*' -o "$2.body" -w '%{http_code}' "$base/token" \
		--data-urlencode grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code \
		--data-urlencode "pre-authorized_code=$1" "${@:3}" >"$2"
}

# how_many WHAT OFFER: tokens or credentials that there are of an offer
how_many()
{
	database "SELECT count(*) FROM openid4vci.vci_$1 WHERE offer_id = :'offer'" "offer=$2"
}

state_of()
{
	database "SELECT state FROM openid4vci.vci_offer_info WHERE id = :'offer'" "offer=$1"
}

# with_status STATUS FILES: how many of these answers have it
with_status()
{
	{ grep -lx "$1" "${@:2}" || true; } | wc -l
}

# hold STATEMENT: runs it in a transaction that stays open until let_go; sets $held, its result
hold()
{
	local line
	coproc HOLDER { "$PSQL" -XqAt -v ON_ERROR_STOP=1 -d "$ODOO_DATABASE" 2>&1; }
	printf '%s\n' 'BEGIN;' "$1;" "SELECT 'done';" >&"${HOLDER[1]}"
	held=
	while read -r line <&"${HOLDER[0]}" && [ "$line" != "done" ]
	do
		held+=$line
	done
}

# let_go: commits what hold holds, once somebody waits for it
let_go()
{
	local pid=$HOLDER_PID
	until [ "$(database "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock'")" = t ]
	do
		sleep 0.05
	done
	printf '%s\n' 'COMMIT;' '\q' >&"${HOLDER[1]}"
	wait "$pid"
}

# Guesses at a PIN, eight at once: each of them counts.

next_offer
code=$(code_of "$link")
for n in {1..8}
do
	post_token "$code" "$requests/guess.$n" --data-urlencode "tx_code=11111$n" &
done
wait
is "no guess at a PIN got a token" 0 "$(with_status 200 "$requests"/guess.?)"
counted=$(database "SELECT tx_code_failures FROM openid4vci.vci_offer WHERE id = :'offer'" "offer=$offer")
answered=$(with_status 400 "$requests"/guess.?)
is "each that was answered counts, up to the fifth" "$((answered < 5 ? answered : 5))" "$counted"
while [ "$counted" -lt 5 ]
do
	post_token "$code" "$requests/more" --data-urlencode tx_code=111119
	counted=$((counted + 1))
done
post_token "$code" "$requests/right" --data-urlencode tx_code=493536
is "after five the right one is refused, too" 400 "$(cat "$requests/right")"

# Eight wallets at one offer.

next_offer
for n in {1..8}
do
	{ "$OPENID4VCI_WALLET" --json "$link" >"$requests/one.$n" 2>&1 && echo got || echo refused; } \
		>"$requests/one.$n.status" &
done
wait
is "of eight wallets at one offer one gets it" 1 "$(with_status got "$requests"/one.*.status)"
is "the others are told that it is gone" 7 "$(grep -l invalid_grant "$requests"/one.? | wc -l)"
is "one token was given" 1 "$(how_many token "$offer")"
is "and one credential" 1 "$(how_many credential "$offer")"

# Eight offers at eight wallets.

for n in {1..8}
do
	next_offer
	echo "$offer" >"$requests/each.$n.offer"
	{ "$OPENID4VCI_WALLET" --json "$link" >"$requests/each.$n" 2>&1 && echo got || echo refused; } \
		>"$requests/each.$n.status" &
done
wait
is "eight wallets with an offer each get it" 8 "$(with_status got "$requests"/each.*.status)"
is "each offer gave one credential" '8|8' "$(database "SELECT count(*), count(DISTINCT offer_id)
	FROM openid4vci.vci_credential WHERE offer_id = ANY (:'offers'::bigint[])" \
	"offers={$(cat "$requests"/each.*.offer | paste -sd ,)}")"

# A row that somebody else changes meanwhile: 40001, and Odoo runs the request again.

next_offer
before=$(grep -c SERIALIZATION_FAILURE "$ODOO_LOG" || true)
hold "UPDATE openid4vci.vci_offer SET tx_code_failures = tx_code_failures WHERE id = $offer"
post_token "$(code_of "$link")" "$requests/conflict" &
post=$!
let_go
wait "$post"
is "a request that met another at its row is answered all the same" 200 "$(cat "$requests/conflict")"
is "after it was run again" 1 "$(($(grep -c SERIALIZATION_FAILURE "$ODOO_LOG" || true) - before))"
is "one token was given" 1 "$(how_many token "$offer")"

# Cancelled while a wallet redeems.

next_offer
hold "SELECT openid4vci.vci_cancel_offer($offer)"
post_token "$(code_of "$link")" "$requests/cancelled" &
post=$!
let_go
wait "$post"
is "who redeems while the offer is cancelled is refused" 400 "$(cat "$requests/cancelled")"
contains "because it is gone" "$(cat "$requests/cancelled.body")" invalid_grant
is "no token was given" 0 "$(how_many token "$offer")"
is "the offer is cancelled" cancelled "$(state_of "$offer")"

# And the other way round, by Odoo's button, whose request is run again, too.

session=$requests/session
curl -sS --noproxy '*' -c "$session" -o "$requests/login" -H 'Content-Type: application/json' \
	-d "{\"params\": {\"db\": \"$ODOO_DATABASE\", \"login\": \"admin\", \"password\": \"admin\"}}" \
	"$ODOO_URL/web/session/authenticate"
# cancel_in_odoo OFFER FILE
cancel_in_odoo()
{
	curl -sS --noproxy '*' -b "$session" -o "$2.body" -w '%{http_code}' -H 'Content-Type: application/json' \
		-d "{\"params\": {\"model\": \"vci.offer\", \"method\": \"action_cancel\", \"args\": [[$1]], \"kwargs\": {}}}" \
		"$ODOO_URL/web/dataset/call_kw/vci.offer/action_cancel" >"$2"
}
next_offer
hold "SELECT openid4vci.vci_exchange_code('$(code_of "$link")')"
cancel_in_odoo "$offer" "$requests/cancel" &
post=$!
let_go
wait "$post"
is "an offer that is cancelled while it is redeemed" cancelled "$(state_of "$offer")"
token=$(jq -r .access_token <<<"$held")
is "gives no credential for the token that was given" 401 "$(curl -sS --noproxy '*' -o /dev/null \
	-w '%{http_code}' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
	-d '{"credential_configuration_id": "EntitlementCredential"}' "$base/credential")"
is "its end is told once" 1 "$(database "SELECT count(*) FROM openid4vci.vci_event
	WHERE offer_id = :'offer' AND kind = 'offer_cancelled'" "offer=$offer")"

is "no secret is in Odoo's log" '' "$(grep -nF -e "$code" -e "$token" "$ODOO_LOG" || true)"
done_testing
