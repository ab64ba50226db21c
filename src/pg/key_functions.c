/*
 * SQL functions that manage signing keys.
 */
#include "compat.h"

#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "../jose/csr.h"
#include "../jose/x5c.h"
#include "cache.h"
#include "duty.h"
#include "event.h"
#include "release.h"
#include "report.h"
#include "root_key.h"
#include "store_key.h"
#include "values.h"

#define PRIVATE_KEY_MAX	 (16 * 1024) /* bytes of text, as below */
#define CERTIFICATES_MAX (128 * 1024)
#define OVERLAP_SECONDS	 SECS_PER_HOUR
#define OVERLAP_MAX		 INT64CONST(315576000) /* 10 years */

/* What the core refused, with what to type instead; a fault of the server is raised as such. */
static void
require_input(VciStatus status, const VciError *error, const char *what, const char *hint)
{
	if (status == VCI_OK)
		return;
	if (vci_is_server_fault(status))
		vci_raise(error);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s%s", what, error->text),
					errhint("%s", hint)));
}

static VciAlg
required_alg(const char *name)
{
	VciAlg alg = vci_alg_by_name(name);

	if (alg != VCI_ALG_ES256 && alg != VCI_ALG_ES384 && alg != VCI_ALG_EDDSA)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("alg \"%s\" can't sign credentials here", name),
						errhint("Use ES256 (every wallet knows it), ES384 or EdDSA.")));
	return alg;
}

static void
check_first_state(const char *state)
{
	if (strcmp(state, VCI_KEY_ACTIVE) != 0 && strcmp(state, VCI_KEY_NEXT) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a new key can't be \"%s\"", state),
						errhint("Its state is active (it signs at once) or next (it is published, "
								"and signs when vci_rotate_key activates it).")));
}

static VciKeyRow *
required_key(VciStore *store, const VciIssuerEntry *issuer, const char *kid)
{
	VciKeyRow *row = vci_store_key(store, issuer->rules.id, kid);

	if (row == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("issuer %s has no key \"%s\"", issuer->rules.url, kid),
						errhint("SELECT kid, state FROM openid4vci.vci_key_info; lists them.")));
	return row;
}

static void
refuse_destroyed(const VciIssuerEntry *issuer, const VciKeyRow *row)
{
	if (strcmp(row->state, VCI_KEY_DESTROYED) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("key \"%s\" was destroyed: nothing brings it back", row->kid),
						errhint("Make another: SELECT openid4vci.vci_create_key(issuer => '%s');",
								issuer->rules.url)));
}

static void
note_key(VciStore *store, const VciIssuerEntry *issuer, const char *event, int64 key_id)
{
	vci_note(store, issuer, (VciEvent){.kind = event, .key_id = key_id});
}

/* kid is key's thumbprint. A key that was here and was destroyed does not come back either. */
static void
refuse_known_key(VciStore *store, const VciIssuerEntry *issuer, const char *kid)
{
	VciKeyRow *row = vci_store_key(store, issuer->rules.id, kid);

	if (row == NULL)
		return;
	refuse_destroyed(issuer, row);
	ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
					errmsg("issuer %s has this key already: \"%s\"", issuer->rules.url, kid),
					errdetail("It is %s.", row->state),
					errhint("SELECT openid4vci.vci_alter_key('%s', 'active', '%s'); lets it sign.",
							kid, issuer->rules.url)));
}

/* Seals and records a key; returns its kid. */
static char *
add_key(VciStore *store, const VciIssuerEntry *issuer, const VciKey *key, const char *state,
		const VciJson *x5c)
{
	VciNewKey row = {.id = vci_store_next_key_id(store),
					 .issuer_id = issuer->rules.id,
					 .alg = vci_alg_name(vci_key_alg(key)),
					 .state = state,
					 .x5c = x5c ? vci_jsonb_datum(x5c) : (Datum) 0};
	VciJson **public_jwk = vci_own_json();
	VciSensitiveBytes *der = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	char *kid = palloc(VCI_THUMBPRINT_SIZE);
	char *root_key_id;

	vci_require(vci_key_thumbprint(key, kid, &error), &error);
	refuse_known_key(store, issuer, kid);
	vci_require(vci_key_to_private_der(key, &der->data, &der->len, &error), &error);
	vci_require_memory(*public_jwk = vci_key_public_jwk(key));
	vci_root_keys_follow(store);
	vci_root_key_require(VCI_ISSUER_DATA_KEY, issuer->root_key_id);
	row.kid = kid;
	row.public_jwk = vci_jsonb_datum(*public_jwk);
	row.private_key = vci_root_seal(VCI_SIGNING_KEY, row.id, der->data, der->len, &root_key_id);
	row.root_key_id = root_key_id;
	if (!vci_store_insert_key(store, &row))
		elog(ERROR, "a key of this kid came meanwhile");
	note_key(store, issuer, VCI_EVENT_KEY_CREATED, row.id);
	if (strcmp(state, VCI_KEY_ACTIVE) == 0)
		note_key(store, issuer, VCI_EVENT_KEY_ACTIVATED, row.id);
	return kid;
}

static char *
generate_key(VciStore *store, const VciIssuerEntry *issuer, VciAlg alg, const char *state)
{
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_key_generate(alg, key, &error), &error);
	return add_key(store, issuer, *key, state, NULL);
}

PG_FUNCTION_INFO_V1(vci_create_key);

/* openid4vci.vci_create_key(issuer text, alg text, state text) returns text; 0.1.0 had no state */
Datum
vci_create_key(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_KEY_ADMIN);
	VciAlg alg = required_alg(vci_arg_text_required(fcinfo, 1, "alg"));
	char *state = PG_NARGS() > 2 ? vci_arg_text_required(fcinfo, 2, "state") : VCI_KEY_ACTIVE;
	char *kid;

	check_first_state(state);
	vci_store_lock_keys(store, issuer->rules.id);
	kid = generate_key(store, issuer, alg, state);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(kid));
}

/* Neither the statement nor the call around it goes to the server's log with an error. */
static void
hide_statement(void *arg pg_attribute_unused())
{
	errhidestmt(true);
	errhidecontext(true);
}

#define PRIVATE_KEY_HINT                                                                           \
	"Give PEM (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes one) or a "    \
	"JWK {\"kty\", \"crv\", \"x\", \"y\", \"d\"}: P-256, P-384 or Ed25519, not encrypted."

static VciKey *
read_private_key(char *text)
{
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;
	size_t len = strlen(text);
	VciStatus status =
		len <= PRIVATE_KEY_MAX
			? vci_key_from_private_text(text, len, key, &error)
			: vci_error(&error, VCI_ERR_TOO_LARGE, "expected at most %d bytes", PRIVATE_KEY_MAX);

	vci_wipe(text, len);
	require_input(status, &error, "private_key: ", PRIVATE_KEY_HINT);
	return *key;
}

#define CERTIFICATES_HINT                                                                          \
	"Give PEM, the key's own certificate first, then each authority's that signed the one "        \
	"before: cat leaf.pem intermediate.pem. SELECT openid4vci.vci_key_csr('kid'); makes what an "  \
	"authority signs."

static VciJson *
read_certificates(const char *text, const VciKey *key)
{
	VciJson **x5c = vci_own_json();
	VciError error = VCI_ERROR_INIT;
	size_t len = strlen(text);
	VciStatus status = len <= CERTIFICATES_MAX
						   ? vci_x5c_from_pem(text, len, key, vci_now(), x5c, &error)
						   : vci_error(&error, VCI_ERR_TOO_LARGE,
									   "certificates: expected at most %d bytes", CERTIFICATES_MAX);

	require_input(status, &error, "", CERTIFICATES_HINT);
	return *x5c;
}

PG_FUNCTION_INFO_V1(vci_import_key);

/* openid4vci.vci_import_key(private_key text, issuer text, state text, certificates text)
 * returns text */
Datum
vci_import_key(PG_FUNCTION_ARGS)
{
	ErrorContextCallback secrecy = {.previous = error_context_stack, .callback = hide_statement};
	VciStore *store;
	VciIssuerEntry *issuer;
	char *state;
	char *certificates;
	VciKey *key;
	char *kid;

	error_context_stack = &secrecy;
	/* the key may stand as a literal in the statement's text */
	pgstat_report_activity(STATE_RUNNING, "SELECT openid4vci.vci_import_key(...)");
	store = vci_store_open();
	issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_KEY_ADMIN);
	state = vci_arg_text_required(fcinfo, 2, "state");
	certificates = vci_arg_text(fcinfo, 3);
	check_first_state(state);
	key = read_private_key(vci_arg_text_required(fcinfo, 0, "private_key"));
	vci_store_lock_keys(store, issuer->rules.id);
	kid = add_key(store, issuer, key, state,
				  certificates ? read_certificates(certificates, key) : NULL);
	vci_store_close(store);
	error_context_stack = secrecy.previous;
	PG_RETURN_TEXT_P(cstring_to_text(kid));
}

static VciKey *
public_key_of(const VciKeyRow *row)
{
	VciJson **jwk = vci_own_json();
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_json_parse(row->public_jwk, strlen(row->public_jwk), jwk, &error), &error);
	vci_require(vci_key_from_public_jwk(*jwk, key, &error), &error);
	return *key;
}

PG_FUNCTION_INFO_V1(vci_set_key_certificates);

/* openid4vci.vci_set_key_certificates(kid text, certificates text, issuer text) returns void */
Datum
vci_set_key_certificates(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *kid = vci_arg_text_required(fcinfo, 0, "kid");
	char *certificates = vci_arg_text(fcinfo, 1);
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_KEY_ADMIN);
	Datum x5c = (Datum) 0;
	VciKeyRow *row;

	vci_store_lock_keys(store, issuer->rules.id);
	row = required_key(store, issuer, kid);
	refuse_destroyed(issuer, row);
	if (certificates != NULL)
		x5c = vci_jsonb_datum(read_certificates(certificates, public_key_of(row)));
	vci_store_set_key_certificates(store, row->id, x5c);
	vci_store_close(store);
	PG_RETURN_VOID();
}

static VciKey *
private_key_of(const VciKeyRow *row)
{
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;
	const unsigned char *der;
	size_t len;

	vci_root_unseal(VCI_SIGNING_KEY, row->id, row->private_key, row->root_key_id, &der, &len);
	vci_require(vci_key_from_private_der(der, len, key, &error), &error);
	return *key;
}

/* The authority of the issuer's URL without port and brackets. */
static char *
host_of(const VciIssuerEntry *issuer)
{
	const char *host = issuer->authority;

	if (*host == '[')
		return pnstrdup(host + 1, strcspn(host + 1, "]"));
	return pnstrdup(host, strcspn(host, ":"));
}

PG_FUNCTION_INFO_V1(vci_key_csr);

/* openid4vci.vci_key_csr(kid text, subject text, issuer text) returns text */
Datum
vci_key_csr(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *kid = vci_arg_text_required(fcinfo, 0, "kid");
	char *subject = vci_arg_text(fcinfo, 1);
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_KEY_ADMIN);
	VciKeyRow *row = required_key(store, issuer, kid);
	VciError error = VCI_ERROR_INIT;
	char **pem = vci_own_text();

	refuse_destroyed(issuer, row);
	require_input(vci_csr_build(private_key_of(row), subject, host_of(issuer), issuer->rules.url,
								pem, &error),
				  &error, "",
				  "For example SELECT openid4vci.vci_key_csr('kid', '/C=XX/O=Ministry');");
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(*pem));
}

/* Issuance stands still from now on: nobody shall find that out from the wallets. */
static void
warn_without_key(VciStore *store, const VciIssuerEntry *issuer)
{
	int count;

	(void) vci_store_active_keys(store, issuer->rules.id, &count);
	if (count == 0)
		ereport(WARNING,
				(errmsg("issuer %s has no active signing key any more: it issues nothing",
						issuer->rules.url),
				 errhint("SELECT openid4vci.vci_create_key(issuer => '%s');", issuer->rules.url)));
}

static void
activate_key(VciStore *store, const VciIssuerEntry *issuer, const VciKeyRow *row)
{
	vci_store_activate_key(store, row->id);
	note_key(store, issuer, VCI_EVENT_KEY_ACTIVATED, row->id);
}

static void
retire_key(VciStore *store, const VciIssuerEntry *issuer, const VciKeyRow *row)
{
	vci_store_retire_key(store, row->id, issuer->rules.status_list_lifetime);
	note_key(store, issuer, VCI_EVENT_KEY_RETIRED, row->id);
}

static void
check_new_state(const char *state)
{
	if (strcmp(state, VCI_KEY_ACTIVE) == 0 || strcmp(state, VCI_KEY_RETIRED) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a key can't be \"%s\"", state),
			 strcmp(state, VCI_KEY_DESTROYED) == 0
				 ? errhint("SELECT openid4vci.vci_destroy_key('kid'); destroys a key.")
			 : strcmp(state, VCI_KEY_NEXT) == 0
				 ? errhint("A key is next from its making on: SELECT "
						   "openid4vci.vci_create_key(state => 'next');")
				 : errhint("Its state is active or retired.")));
}

static void
set_key_state(FunctionCallInfo fcinfo, const char *state, const char *issuer_url)
{
	VciStore *store = vci_store_open();
	char *kid = vci_arg_text_required(fcinfo, 0, "kid");
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, issuer_url, VCI_DUTY_KEY_ADMIN);
	VciKeyRow *row;

	check_new_state(state);
	vci_store_lock_keys(store, issuer->rules.id);
	row = required_key(store, issuer, kid);
	refuse_destroyed(issuer, row);
	if (strcmp(row->state, state) != 0 && strcmp(state, VCI_KEY_ACTIVE) == 0)
		activate_key(store, issuer, row);
	else if (strcmp(row->state, state) != 0)
	{
		retire_key(store, issuer, row);
		if (strcmp(row->state, VCI_KEY_ACTIVE) == 0)
			warn_without_key(store, issuer);
	}
	vci_store_close(store);
}

PG_FUNCTION_INFO_V1(vci_alter_key);

/* openid4vci.vci_alter_key(kid text, state text, issuer text) returns void */
Datum
vci_alter_key(PG_FUNCTION_ARGS)
{
	set_key_state(fcinfo, vci_arg_text_required(fcinfo, 1, "state"), vci_arg_text(fcinfo, 2));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_retire_key);

/* openid4vci.vci_retire_key(kid text, issuer text) returns void */
Datum
vci_retire_key(PG_FUNCTION_ARGS)
{
	set_key_state(fcinfo, VCI_KEY_RETIRED, vci_arg_text(fcinfo, 1));
	PG_RETURN_VOID();
}

/* Only what signs no more, and will not, may go quietly. */
static void
check_destroyable(VciStore *store, const VciIssuerEntry *issuer, const VciKeyRow *row)
{
	int count;
	VciKeyRow *active;

	if (strcmp(row->state, VCI_KEY_RETIRED) == 0 || strcmp(row->state, VCI_KEY_DESTROYED) == 0)
		return;
	active = vci_store_active_keys(store, issuer->rules.id, &count);
	if (count > 0 && active[0].id == row->id)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("key \"%s\" signs the credentials of issuer %s", row->kid, issuer->rules.url),
			 errhint("SELECT * FROM openid4vci.vci_rotate_key('%s'); gives it a successor. A "
					 "key that leaked goes at once, and what it signed verifies no more: SELECT "
					 "openid4vci.vci_destroy_key('%s', '%s', unpublish => true);",
					 issuer->rules.url, row->kid, issuer->rules.url)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("key \"%s\" is %s, only a retired key is destroyed", row->kid, row->state),
			 errhint("First SELECT openid4vci.vci_retire_key('%s', '%s');", row->kid,
					 issuer->rules.url)));
}

PG_FUNCTION_INFO_V1(vci_destroy_key);

/* openid4vci.vci_destroy_key(kid text, issuer text, unpublish boolean) returns void */
Datum
vci_destroy_key(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *kid = vci_arg_text_required(fcinfo, 0, "kid");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_KEY_ADMIN);
	bool unpublish = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	VciKeyRow *row;

	vci_store_lock_keys(store, issuer->rules.id);
	row = required_key(store, issuer, kid);
	if (!unpublish)
		check_destroyable(store, issuer, row);
	vci_store_destroy_key(store, row->id, unpublish);
	if (strcmp(row->state, VCI_KEY_DESTROYED) != 0)
		note_key(store, issuer, VCI_EVENT_KEY_DESTROYED, row->id);
	if (strcmp(row->state, VCI_KEY_ACTIVE) == 0)
		warn_without_key(store, issuer);
	vci_store_close(store);
	PG_RETURN_VOID();
}

/* Argument n in seconds; 0 is allowed here: no overlap. */
static int64
overlap_argument(FunctionCallInfo fcinfo, int n)
{
	int64 seconds =
		PG_ARGISNULL(n) ? OVERLAP_SECONDS : vci_interval_seconds(PG_GETARG_INTERVAL_P(n));

	if (seconds < 0 || seconds > OVERLAP_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("overlap must be from 0 to 10 years"),
						errhint("Write the unit, as in '1 hour'.")));
	return seconds;
}

static char *
seconds_text(int64 seconds)
{
	Interval span = {.time = seconds * USECS_PER_SEC};

	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&span)));
}

static void
check_overlap(const VciKeyRow *next, int64 overlap)
{
	int64 missing = overlap - (int64) next->age;

	if (next->age >= (double) overlap)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the next key \"%s\" has not been published for %s yet", next->kid,
					seconds_text(overlap)),
			 errdetail("Wait %s more.", seconds_text(missing)),
			 errhint("Then call vci_rotate_key again. If no verifier needs to know the key "
					 "beforehand: SELECT * FROM openid4vci.vci_rotate_key(overlap => '0');")));
}

/* Verifiers that trust by certificate would take nothing of the next key's. */
static void
check_successor(const VciKeyRow *signing, const VciKeyRow *next)
{
	if (signing->x5c == NULL || next->x5c != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the next key \"%s\" has no certificates, unlike the signing key", next->kid),
			 errhint("SELECT openid4vci.vci_key_csr('%s'); have it signed, then SELECT "
					 "openid4vci.vci_set_key_certificates('%s', '-----BEGIN ...'); To do "
					 "without: SELECT openid4vci.vci_alter_key('%s', 'active');",
					 next->kid, next->kid, next->kid)));
}

/* next signs from now on, alone. */
static void
hand_over(VciStore *store, const VciIssuerEntry *issuer, const VciKeyRow *next,
		  const VciKeyRow *active, int count)
{
	if (count > 0)
		check_successor(&active[0], next);
	activate_key(store, issuer, next);
	for (int i = 0; i < count; i++)
		retire_key(store, issuer, &active[i]);
}

static Datum
rotated_key(FunctionCallInfo fcinfo, const char *kid, const char *state)
{
	Datum values[2] = {CStringGetTextDatum(kid), CStringGetTextDatum(state)};
	bool nulls[2] = {false, false};

	return vci_row_datum(fcinfo, values, nulls);
}

PG_FUNCTION_INFO_V1(vci_rotate_key);

/* openid4vci.vci_rotate_key(issuer text, alg text, overlap interval, OUT kid text,
 * OUT state text) returns record */
Datum
vci_rotate_key(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_KEY_ADMIN);
	char *alg = vci_arg_text(fcinfo, 1);
	int64 overlap = overlap_argument(fcinfo, 2);
	const char *state = VCI_KEY_ACTIVE;
	const char *kid;
	int count;
	VciKeyRow *active;
	VciKeyRow *next;

	if (alg != NULL)
		(void) required_alg(alg);
	vci_store_lock_keys(store, issuer->rules.id);
	active = vci_store_active_keys(store, issuer->rules.id, &count);
	next = vci_store_waiting_key(store, issuer->rules.id, alg);
	if (next == NULL)
	{
		state = VCI_KEY_NEXT;
		if (alg == NULL)
			alg = count > 0 ? active[0].alg : "ES256";
		kid = generate_key(store, issuer, required_alg(alg), state);
	}
	else
	{
		check_overlap(next, overlap);
		hand_over(store, issuer, next, active, count);
		kid = next->kid;
	}
	vci_store_close(store);
	return rotated_key(fcinfo, kid, state);
}
