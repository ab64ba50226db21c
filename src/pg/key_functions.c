/*
 * SQL functions that manage signing keys.
 */
#include "compat.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "cache.h"
#include "duty.h"
#include "event.h"
#include "release.h"
#include "report.h"
#include "root_key.h"
#include "values.h"

/* Generates, seals and records a key; returns its kid. */
static char *
create_key(VciStore *store, int64 issuer_id, VciAlg alg)
{
	int64 id = vci_store_next_key_id(store);
	VciKey **key = vci_own_key();
	VciJson **public_jwk = vci_own_json();
	VciSensitiveBytes *der = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	char *kid = palloc(VCI_THUMBPRINT_SIZE);
	char *root_key_id;
	bytea *sealed;

	vci_require(vci_key_generate(alg, key, &error), &error);
	vci_require(vci_key_thumbprint(*key, kid, &error), &error);
	vci_require(vci_key_to_private_der(*key, &der->data, &der->len, &error), &error);
	vci_require_memory(*public_jwk = vci_key_public_jwk(*key));
	sealed = vci_root_seal("signing key", id, der->data, der->len, &root_key_id);
	vci_store_insert_key(store, id, issuer_id, kid, vci_alg_name(alg), vci_jsonb_datum(*public_jwk),
						 sealed, root_key_id);
	return kid;
}

PG_FUNCTION_INFO_V1(vci_create_key);

/* openid4vci.vci_create_key(issuer text, alg text) returns text */
Datum
vci_create_key(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_KEY_ADMIN);
	char *name = vci_arg_text_required(fcinfo, 1, "alg");
	VciAlg alg = vci_alg_by_name(name);
	char *kid;

	if (alg != VCI_ALG_ES256 && alg != VCI_ALG_ES384 && alg != VCI_ALG_EDDSA)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("alg \"%s\" can't sign credentials here", name),
						errhint("Use ES256 (every wallet knows it), ES384 or EdDSA.")));
	kid = create_key(store, issuer->rules.id, alg);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(kid));
}

static void
set_key_state(FunctionCallInfo fcinfo, const char *state, const char *issuer_url)
{
	VciStore *store = vci_store_open();
	char *kid = vci_arg_text_required(fcinfo, 0, "kid");
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, issuer_url, VCI_DUTY_KEY_ADMIN);

	if (strcmp(state, "active") != 0 && strcmp(state, "retired") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a key can't be \"%s\"", state),
				 errhint("Its state is active or retired.")));
	if (!vci_store_alter_key(store, issuer->rules.id, kid, state))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("issuer %s has no key \"%s\"", issuer->rules.url, kid),
						errhint("SELECT kid, state FROM openid4vci.vci_key_info; lists them.")));
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
	set_key_state(fcinfo, "retired", vci_arg_text(fcinfo, 1));
	PG_RETURN_VOID();
}
