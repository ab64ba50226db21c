/*
 * SQL functions for monitoring.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "../jose/x5c.h"
#include "../protocol/metadata.h"
#include "cache.h"
#include "durability.h"
#include "duty.h"
#include "root_key.h"
#include "store_event_seal.h"
#include "store_key.h"
#include "values.h"

#define DEVIATIONS_MAX	 32
#define CERTIFICATE_DAYS 30						/* enough to have a new one signed */
#define NONCE_BACKLOG	 INT64CONST(20000000)	/* spent nonces that nobody purged */
#define EARLIEST_SANE	 INT64CONST(1767225600) /* 2026-01-01: a clock before it is wrong */

static void
put_row(ReturnSetInfo *result, const char *first, bool ok_column, bool ok, const char *second,
		const char *third)
{
	Datum values[3];
	bool nulls[3] = {first == NULL, false, false};

	values[0] = first ? CStringGetTextDatum(first) : (Datum) 0;
	values[1] = ok_column ? BoolGetDatum(ok) : CStringGetTextDatum(second);
	values[2] = CStringGetTextDatum(third);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_check(ReturnSetInfo *result, const char *name, bool ok, const char *detail)
{
	put_row(result, name, true, ok, NULL, detail);
}

static void
put_deviations(ReturnSetInfo *result, const VciIssuerEntry *issuer,
			   const VciConfiguration *configuration)
{
	VciDeviation deviations[DEVIATIONS_MAX];
	size_t count = vci_deviations(&issuer->rules, configuration, deviations, DEVIATIONS_MAX);

	for (size_t i = 0; i < count; i++)
		put_row(result, configuration ? configuration->id : NULL, false, false, deviations[i].name,
				deviations[i].detail);
}

/* What stands in the tables beside the rules: wallets, servers, the login page. */
static void
put_registered_deviations(ReturnSetInfo *result, const VciIssuerEntry *issuer)
{
	for (int i = 0; i < issuer->client_count; i++)
		if (!issuer->clients[i].pkce_required)
			put_row(result, NULL, false, false, "pkce_required",
					psprintf("Wallet %s may ask for authorization without PKCE, so a code that is "
							 "stolen on its way can be redeemed; RFC 9700 (section 2.1.1) demands "
							 "it of public clients. Set pkce_required of the client to true.",
							 issuer->clients[i].id));
	for (int i = 0; i < issuer->server_count; i++)
		if (issuer->servers[i].row.accept_typ_jwt)
			put_row(result, NULL, false, false, "accept_typ_jwt",
					psprintf("Access tokens of %s are taken with typ JWT, so that another JWT of "
							 "it may pass for one; RFC 9068 (section 4) demands at+jwt. Set "
							 "accept_typ_jwt of the server to false when it can write that.",
							 issuer->servers[i].row.url));
	if (issuer->login_url != NULL && strncmp(issuer->login_url, "http://", 7) == 0)
		put_row(result, NULL, false, false, "login_url",
				"The login page lies at an http URL of a loopback address, which is for trying "
				"things out alone (RFC 9700 section 2.6). Give it an https URL.");
}

PG_FUNCTION_INFO_V1(vci_check_issuer);

/* openid4vci.vci_check_issuer(issuer text) returns setof record */
Datum
vci_check_issuer(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	VciStore *store;
	VciIssuerEntry *issuer;

	InitMaterializedSRF(fcinfo, 0);
	store = vci_store_open();
	issuer = vci_cache_issuer(store, vci_arg_text(fcinfo, 0));
	if (!vci_may_read(store, issuer->rules.id))
		vci_require_duty(store, VCI_DUTY_REPORTER, issuer->rules.id);
	put_deviations(result, issuer, NULL);
	put_registered_deviations(result, issuer);
	for (int i = 0; i < issuer->configuration_count; i++)
		put_deviations(result, issuer, &issuer->configurations[i]);
	vci_store_close(store);
	return (Datum) 0;
}

/* Rows sealed under a root key that is not there, and under another than the first. */
static void
count_sealed(VciStore *store, const VciRootKeys *keys, int64 *lost, int64 *earlier)
{
	int count;
	VciRootKeyUse *uses = vci_store_root_key_uses(store, &count);

	*lost = 0;
	*earlier = 0;
	for (int i = 0; i < count; i++)
	{
		if (vci_root_keys_find(keys, uses[i].root_key_id) == NULL)
			*lost += uses[i].rows;
		else if (strcmp(uses[i].root_key_id, keys->keys[0].id) != 0)
			*earlier += uses[i].rows;
	}
}

static void
check_root_key(ReturnSetInfo *result, VciStore *store)
{
	VciRootKeys keys;
	char *problem;
	int64 lost = 0;
	int64 earlier = 0;

	if (vci_root_keys_try(&keys, &problem))
		count_sealed(store, &keys, &lost, &earlier);
	vci_wipe(&keys, sizeof(keys));
	if (problem != NULL)
		put_check(result, "root_key", false, psprintf("no usable root key: %s", problem));
	else if (lost > 0)
		put_check(result, "root_key", false,
				  psprintf("rows that no root key here opens: %lld; add the key that sealed them "
						   "as a further line (root_key_id of vci_issuer, vci_key and "
						   "vci_database names it)",
						   (long long) lost));
	else if (earlier > 0)
		put_check(result, "root_key", true,
				  psprintf("the root key can be read; rows sealed under an earlier one: %lld; "
						   "SELECT openid4vci.vci_rotate_root_key(); before its line goes",
						   (long long) earlier));
	else
		put_check(result, "root_key", true, "the root key can be read");
}

static void
check_database(ReturnSetInfo *result, VciStore *store)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	bool ok = count == 0 || !issuers[0].is_copy;

	put_check(result, "database", ok,
			  ok ? "this is the database that issues"
				 : "this database is a copy and issues nothing; to put it in the original's place: "
				   "SELECT * FROM openid4vci.vci_after_restore('time of the copy'); SELECT "
				   "openid4vci.vci_adopt_database();");
}

static void
check_durability(ReturnSetInfo *result)
{
	char *detail;
	bool ok = vci_durability_state(&detail);

	put_check(result, "durability", ok, detail);
}

static void
check_keys(ReturnSetInfo *result, VciStore *store)
{
	VciKeyCounts keys = vci_store_count_keys(store);
	const char *detail;

	if (keys.issuers == 0)
		detail = "there is no issuer yet: SELECT openid4vci.vci_create_issuer('https://...');";
	else if (keys.without_key == 0)
		detail = psprintf("each issuer has an active signing key (issuers: %lld)",
						  (long long) keys.issuers);
	else
		detail = psprintf("issuers without an active signing key: %lld of %lld; SELECT "
						  "openid4vci.vci_create_key(issuer => 'https://...');",
						  (long long) keys.without_key, (long long) keys.issuers);
	if (keys.waiting > 0)
		detail = psprintf("next keys that wait for vci_rotate_key: %lld; %s",
						  (long long) keys.waiting, detail);
	put_check(result, "keys", keys.without_key == 0, detail);
}

/* Days until the certificates of the signing key end (-1: they have); false when it has none. */
static bool
certificates_end_in(const VciIssuerEntry *issuer, int64 *days)
{
	int64_t expiry;

	if (issuer->signing.x5c == NULL || vci_x5c_expiry(issuer->signing.x5c, &expiry, NULL) != VCI_OK)
		return false;
	expiry -= vci_now();
	*days = expiry < 0 ? -1 : expiry / SECS_PER_DAY;
	return true;
}

/* Of the chains that go into credentials; nobody who attached none needs a row about them. */
static void
check_certificates(ReturnSetInfo *result, VciStore *store)
{
	int count;
	int chains = 0;
	int ending = 0;
	int64 soonest = PG_INT64_MAX;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
	{
		int64 days;

		if (!certificates_end_in(vci_cache_load(store, &issuers[i]), &days))
			continue;
		chains++;
		ending += days < CERTIFICATE_DAYS;
		soonest = Min(soonest, days);
	}
	if (chains == 0)
		return;
	put_check(result, "certificates", ending == 0,
			  ending == 0
				  ? psprintf("the certificates of signing keys are good for %lld days and more "
							 "(chains: %d)",
							 (long long) soonest, chains)
				  : psprintf("chains of signing keys with a certificate that %s: %d of %d; SELECT "
							 "openid4vci.vci_key_csr('kid'); have it certified, then SELECT "
							 "openid4vci.vci_set_key_certificates('kid', '-----BEGIN ...');",
							 soonest < 0 ? "has expired"
										 : psprintf("ends in %lld days", (long long) soonest),
							 ending, chains));
}

static void
check_issuance(ReturnSetInfo *result, VciStore *store)
{
	int count;
	int paused = 0;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
		paused += issuers[i].rules.issuance_paused;
	put_check(result, "issuance", paused == 0,
			  paused == 0 ? "no issuer has paused"
						  : psprintf("issuers that paused issuance: %d of %d; SELECT "
									 "openid4vci.vci_resume_issuance('https://...');",
									 paused, count));
}

/* Nobody who trusts no other server needs a row about them. */
static void
check_servers(ReturnSetInfo *result, VciStore *store)
{
	int count;
	int servers = 0;
	int without = 0;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
	{
		vci_cache_load(store, &issuers[i]);
		servers += issuers[i].server_count;
		for (int j = 0; j < issuers[i].server_count; j++)
			without += issuers[i].servers[j].jwks == NULL;
	}
	if (servers == 0)
		return;
	put_check(result, "authorization_servers", without == 0,
			  without == 0
				  ? psprintf("the keys of each external server are loaded (servers: %d)", servers)
				  : psprintf("external servers whose keys were never loaded: %d of %d; "
							 "openid4vci-proxy refresh-jwks, or SELECT "
							 "openid4vci.vci_load_jwks('https://...', '{\"keys\": [...]}');",
							 without, servers));
}

static void
check_nonces(ReturnSetInfo *result, VciStore *store)
{
	int64 nonces = vci_store_estimate_nonces(store);

	put_check(result, "nonces", nonces < NONCE_BACKLOG,
			  psprintf("about %lld spent nonces are kept%s", (long long) nonces,
					   nonces < NONCE_BACKLOG
						   ? ""
						   : "; SELECT openid4vci.vci_purge(); should run from cron"));
}

static void
check_duties(ReturnSetInfo *result, VciStore *store)
{
	char *detail;
	bool ok = vci_duties_applied(store, &detail);

	put_check(result, "duties", ok, detail);
}

/* Does somebody seal? One index probe, however many events there are. */
static void
check_events(ReturnSetInfo *result, VciStore *store)
{
	TimestampTz at;
	bool settled;
	bool late = vci_store_unsealed_event(store, &at, &settled) && settled &&
				at < GetCurrentTimestamp() - USECS_PER_DAY;

	put_check(result, "events", !late,
			  late ? psprintf("events wait for their seal since %s; SELECT "
							  "openid4vci.vci_seal_events(); or vci_purge() should run from cron",
							  timestamptz_to_str(at))
				   : "no event waits for its seal longer than a day");
}

PG_FUNCTION_INFO_V1(vci_health);

/* openid4vci.vci_health() returns setof record */
Datum
vci_health(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool writable = !RecoveryInProgress() && !XactReadOnly;
	bool clock = vci_now() > EARLIEST_SANE;
	VciStore *store;

	InitMaterializedSRF(fcinfo, 0);
	store = vci_store_open();
	check_root_key(result, store);
	check_database(result, store);
	check_keys(result, store);
	check_certificates(result, store);
	check_issuance(result, store);
	check_servers(result, store);
	check_duties(result, store);
	put_check(result, "clock", clock,
			  clock ? "the clock shows a plausible time"
					: "the clock lies before 2026: tokens and credentials get wrong times");
	put_check(result, "writable", writable,
			  writable ? "this server accepts writes"
					   : "this server is read-only: it serves metadata and offers, but redeems and "
						 "issues nothing");
	check_durability(result);
	check_nonces(result, store);
	check_events(result, store);
	vci_store_close(store);
	return (Datum) 0;
}
