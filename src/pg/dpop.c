#include "compat.h"

#include "utils/builtins.h"

#include "../protocol/dpop.h"
#include "backend_curves.h"
#include "dpop.h"
#include "release.h"
#include "values.h"

#define DEFAULT_MAX_AGE INT64CONST(300)

static int64
nonce_lifetime(const VciIssuerEntry *issuer)
{
	return Min(issuer->rules.c_nonce_lifetime, VCI_DPOP_NONCE_LIFETIME_MAX);
}

/* The nonce's MAC and age, before the signature. Until it is too old it may be used again. */
static VciStatus
check_nonce(const VciIssuerEntry *issuer, const VciDpop *proof, int64 now, VciError *error)
{
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
	int64_t issued_at;

	if (proof->nonce == NULL && !issuer->rules.dpop_nonce)
		return VCI_OK;
	if (proof->nonce == NULL)
		return vci_error(error, VCI_ERR_DPOP_NONCE,
						 "the DPoP proof needs a nonce; use the one in the header DPoP-Nonce");
	return vci_nonce_open(&issuer->ticket_keys, VCI_NONCE_DPOP, issuer->rules.id, issuer->epoch,
						  now, nonce_lifetime(issuer), proof->nonce, strlen(proof->nonce), random,
						  &issued_at, error);
}

/* RFC 9449 section 11.1: a proof works once. Which ones a restore forgot nobody knows. */
static VciStatus
spend(VciStore *store, const VciIssuerEntry *issuer, const VciDpop *proof, VciError *error)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	VciStatus status = vci_dpop_digest(proof, issuer->rules.id, digest, error);

	if (status == VCI_OK && proof->issued_at < issuer->restored_at)
		return vci_error(error, VCI_ERR_DPOP,
						 "this DPoP proof was made before the issuer's database was restored; make "
						 "a new one");
	if (status == VCI_OK && !vci_store_spend_dpop_proof(store, digest, proof->issued_at))
		return vci_error(error, VCI_ERR_DPOP,
						 "this DPoP proof was used already; make a new one for each request");
	return status;
}

/* A proof of another key than the one named is no reason to remember it. */
static VciStatus
check_key(const VciDpop *proof, const char *bound_to, VciError *error)
{
	if (bound_to != NULL && strcmp(bound_to, proof->jkt) != 0)
		return vci_error(error, VCI_ERR_DPOP, "dpop_jkt is not the thumbprint of the proof's key");
	return VCI_OK;
}

static VciStatus
check_proof(VciStore *store, const VciIssuerEntry *issuer, const char *text,
			const VciDpopPolicy *policy, const char *bound_to, char **jkt, VciError *error)
{
	VciDpop **proof = vci_own_dpop();
	VciStatus status = vci_dpop_parse(text, strlen(text), policy, proof, error);

	if (status == VCI_OK)
		status = check_key(*proof, bound_to, error);
	if (status == VCI_OK)
		status = check_nonce(issuer, *proof, policy->now, error);
	if (status == VCI_OK)
		status = vci_dpop_verify(*proof, error);
	if (status == VCI_OK)
		status = spend(store, issuer, *proof, error);
	if (status == VCI_OK)
		*jkt = pstrdup((*proof)->jkt);
	return status;
}

/* To the client each fault of a proof is invalid_dpop_proof (RFC 9449 section 5). */
static VciStatus
proof_fault(VciError *error)
{
	VciError cause = *error;

	if (vci_is_server_fault(cause.code) || cause.code == VCI_ERR_DPOP ||
		cause.code == VCI_ERR_DPOP_NONCE)
		return cause.code;
	memset(error, 0, sizeof(VciError));
	return vci_error(error, VCI_ERR_DPOP, "the DPoP proof is not valid: %s", cause.text);
}

VciStatus
vci_dpop_check(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http,
			   VciEndpoint endpoint, const char *access_token, const char *bound_to, char **jkt,
			   VciError *error)
{
	VciDpopPolicy policy = {.method = http->method,
							.url = issuer->rules.endpoints[endpoint].url,
							.access_token = access_token,
							.now = vci_now(),
							.max_age = issuer->rules.dpop_proof_max_age,
							.curves = vci_backend_curves()};
	bool repeated;
	const char *text = vci_http_header(http, "DPoP", &repeated);
	bool required = access_token != NULL ||
					(issuer->rules.dpop == VCI_DPOP_REQUIRED && endpoint != VCI_ENDPOINT_PAR);

	*jkt = NULL;
	if (issuer->rules.dpop == VCI_DPOP_OFF)
		return VCI_OK;
	if (repeated)
		return vci_error(error, VCI_ERR_DPOP, "the DPoP header must not be repeated");
	if (text == NULL && required)
		return vci_error(error, VCI_ERR_DPOP,
						 "this request needs a DPoP header with a proof of the wallet's key");
	if (text == NULL)
		return VCI_OK;
	if (check_proof(store, issuer, text, &policy, bound_to, jkt, error) != VCI_OK)
		return proof_fault(error);
	return VCI_OK;
}

/*
 * Behind the challenge "Bearer" of a refusal one with the same error under "DPoP", and instead
 * of it where bearer tokens are of no use (RFC 9449 section 7.1). A fault of the proof has only
 * the latter already.
 */
static void
add_challenge(VciAnswer *answer, VciDpopMode mode)
{
	for (int i = 0; i < answer->header_count; i++)
	{
		const char *bearer = answer->values[i];
		const char *words = bearer + strlen("Bearer");
		const char *description;
		char *dpop;

		if (strcmp(answer->names[i], "WWW-Authenticate") != 0 ||
			strncmp(bearer, "Bearer", strlen("Bearer")) != 0)
			continue;
		description = strstr(words, ", error_description");
		dpop =
			psprintf("DPoP%.*s%s algs=\"" VCI_DPOP_ALGS "\"",
					 (int) (description ? description - words : 0), words, description ? "," : "");
		answer->values[i] = mode == VCI_DPOP_REQUIRED ? dpop : psprintf("%s, %s", bearer, dpop);
		return;
	}
}

void
vci_dpop_add_headers(VciAnswer *answer, const VciIssuerEntry *issuer)
{
	VciError error = VCI_ERROR_INIT;
	char *nonce;

	if (issuer->rules.dpop == VCI_DPOP_OFF)
		return;
	add_challenge(answer, issuer->rules.dpop);
	if (!issuer->rules.dpop_nonce && !answer->needs_dpop_nonce)
		return;
	nonce = palloc(VCI_NONCE_SIZE);
	vci_require(vci_nonce_make(&issuer->ticket_keys, VCI_NONCE_DPOP, issuer->rules.id,
							   issuer->epoch, vci_now(), nonce, &error),
				&error);
	vci_answer_header(answer, "DPoP-Nonce", nonce);
}

/* What jsonb can't hold can't be shown in a verdict; no honest proof has it. */
static VciStatus
check_presentable(VciDpop *proof, VciError *error)
{
	if (vci_fits_jsonb(proof->jws->header) && vci_fits_jsonb(proof->jws->payload))
		return VCI_OK;
	memset(error, 0, sizeof(VciError));
	return vci_error(error, VCI_ERR_JSON, "a number in the proof is beyond all measure");
}

PG_FUNCTION_INFO_V1(vci_verify_dpop);

/* openid4vci.vci_verify_dpop(proof text, method text, url text, access_token text,
 * max_age interval) returns jsonb */
Datum
vci_verify_dpop(PG_FUNCTION_ARGS)
{
	char *text = vci_arg_text(fcinfo, 0);
	VciDpop **owned = vci_own_dpop();
	VciJson **verdict = vci_own_json();
	VciError error = VCI_ERROR_INIT;
	VciDpopPolicy policy = {.now = vci_now(), .curves = vci_backend_curves()};
	const VciDpop *shown;
	VciStatus status;

	if (text == NULL)
		PG_RETURN_NULL();
	policy.method = vci_arg_text_required(fcinfo, 1, "method");
	policy.url = vci_arg_text_required(fcinfo, 2, "url");
	policy.access_token = vci_arg_text(fcinfo, 3);
	policy.max_age = vci_arg_seconds(fcinfo, 4, "max_age", DEFAULT_MAX_AGE);
	status = vci_dpop_parse(text, strlen(text), &policy, owned, &error);
	if (status == VCI_OK)
		status = vci_dpop_verify(*owned, &error);
	shown = *owned;
	if (*owned != NULL && check_presentable(*owned, &error) != VCI_OK)
	{
		status = error.code;
		shown = NULL;
	}
	if (vci_is_server_fault(status))
		vci_raise(&error);
	vci_require_memory(*verdict = vci_dpop_verdict(shown, &error));
	PG_RETURN_DATUM(vci_jsonb_datum(*verdict));
}
