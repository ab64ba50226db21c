/*
 * SQL functions that verify key proofs, key binding JWTs and SD-JWT presentations.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "../jose/sd_jwt.h"
#include "../protocol/number.h"
#include "../protocol/proof.h"
#include "backend_curves.h"
#include "cache.h"
#include "duty.h"
#include "holder.h"
#include "release.h"
#include "report.h"
#include "store_status.h"
#include "values.h"

#define LEEWAY			60 /* seconds that clocks may differ */
#define ISSUER_KEYS_MAX 32
#define DAY				SECS_PER_DAY

/* A key as an operator gives it, or as cnf holds it; owned. */
static VciStatus
key_of_jwk(const VciJson *jwk, VciKey **key, VciError *error)
{
	VciKey **owned = vci_own_key();
	VciStatus status = vci_key_from_public_jwk_on(vci_backend_curves(), jwk, owned, error);

	*key = *owned;
	return status;
}

/* RFC 9901 section 4.1.2: the holder's key in cnf. */
static VciStatus
key_of_cnf(const VciSdJwt *sd_jwt, VciKey **key, VciError *error)
{
	const VciJson *jwk = vci_json_get(vci_json_get(sd_jwt->jws->payload, "cnf"), "jwk");

	if (jwk == NULL)
		return vci_error(error, VCI_ERR_PROOF, "the SD-JWT has no cnf with a jwk");
	return key_of_jwk(jwk, key, error);
}

static VciStatus
check_expected_nonce(const VciProof *proof, const char *expected, VciError *error)
{
	if (expected == NULL)
		return VCI_OK;
	if (proof->nonce == NULL)
		return vci_error(error, VCI_ERR_NONCE_MISSING, "the JWT has no nonce");
	if (strcmp(proof->nonce, expected) != 0)
		return vci_error(error, VCI_ERR_NONCE, "the JWT has another nonce than was expected");
	return VCI_OK;
}

/* What jsonb can't hold can't be shown in a verdict; no honest JWT has it. */
static VciStatus
number_too_large(VciError *error)
{
	memset(error, 0, sizeof(*error));
	return vci_error(error, VCI_ERR_JSON, "a number in the JWT is beyond all measure");
}

/* What is known of the holder besides the JWT itself. */
typedef struct KnownHolder
{
	VciSdJwt *sd_jwt; /* NULL: the JWT is a proof */
	VciJson *jwk;
	const char *did;
} KnownHolder;

static VciStatus
resolve_holder(VciStore *store, const KnownHolder *known, VciNamedHolder *holder, VciError *error)
{
	memset(holder, 0, sizeof(VciNamedHolder));
	holder->did = known->did;
	if (known->jwk != NULL)
		return key_of_jwk(known->jwk, &holder->key, error);
	if (known->sd_jwt != NULL)
		return key_of_cnf(known->sd_jwt, &holder->key, error);
	if (known->did != NULL)
		return vci_key_of_did(store, known->did, &holder->key, error);
	return VCI_OK;
}

/* Verifies jwt under policy; *proof is filled as far as it could be read. */
static VciStatus
verify_proof(VciStore *store, const char *jwt, const VciProofPolicy *policy,
			 const KnownHolder *known, const char *nonce, VciProof **proof, VciError *error)
{
	VciProof **owned = vci_own_proof();
	VciNamedHolder holder;
	VciStatus status = vci_proof_parse(jwt, strlen(jwt), policy, owned, error);

	if (*owned != NULL &&
		!(vci_fits_jsonb((*owned)->jws->header) && vci_fits_jsonb((*owned)->jws->payload)))
	{
		*proof = NULL;
		return number_too_large(error);
	}
	*proof = *owned;
	if (status == VCI_OK)
		status = resolve_holder(store, known, &holder, error);
	if (status == VCI_OK && policy->kind == VCI_PROOF_KB_JWT)
		vci_proof_set_key(*proof, holder.key); /* never a key that the JWT brings itself */
	if (status == VCI_OK)
		status = vci_proof_resolve_key(store, *proof, &holder, error);
	if (status == VCI_OK)
		status = vci_proof_verify(*proof, error);
	if (status == VCI_OK)
		status = vci_holder_check(&holder, *proof, error);
	if (status == VCI_OK)
		status = check_expected_nonce(*proof, nonce, error);
	return status;
}

/* A client's fault is a verdict; the server's own is raised. */
static VciJson *
verdict_of(const VciProof *proof, VciStatus status, const VciError *error)
{
	VciJson **verdict = vci_own_json();

	if (vci_is_server_fault(status))
		vci_raise(error);
	vci_require_memory(*verdict = vci_proof_verdict(proof, error));
	return *verdict;
}

PG_FUNCTION_INFO_V1(vci_verify_kbjwt);

/* openid4vci.vci_verify_kbjwt(jwt, expected_nonce, expected_audience, sd_jwt, holder_key,
 * holder_did, older, max_age) returns jsonb */
Datum
vci_verify_kbjwt(PG_FUNCTION_ARGS)
{
	VciStore *store;
	char *presentation = vci_arg_text(fcinfo, 3);
	bool older = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	KnownHolder known = {NULL, vci_arg_json(fcinfo, 4, "holder_key"), vci_arg_text(fcinfo, 5)};
	VciProofPolicy policy = {.kind = older ? VCI_PROOF_OLDER : VCI_PROOF_STRICT,
							 .curves = vci_backend_curves(),
							 .now = vci_now(),
							 .leeway = LEEWAY};
	VciError error = VCI_ERROR_INIT;
	VciStatus status = VCI_OK;
	VciProof *proof = NULL;
	Datum result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	store = vci_store_open();
	policy.audience = vci_arg_text_required(fcinfo, 2, "expected_audience");
	policy.max_age = vci_arg_seconds(fcinfo, 7, "max_age", DAY);
	if (presentation != NULL)
	{
		VciSdJwt **sd_jwt = vci_own_sd_jwt();

		status = vci_sd_jwt_parse(presentation, strlen(presentation), sd_jwt, &error);
		known.sd_jwt = *sd_jwt;
		policy.kind = VCI_PROOF_KB_JWT;
		policy.sd_hash = *sd_jwt ? (*sd_jwt)->sd_hash : NULL;
	}
	if (status == VCI_OK)
		status = verify_proof(store, vci_arg_text(fcinfo, 0), &policy, &known,
							  vci_arg_text(fcinfo, 1), &proof, &error);
	vci_store_close(store);
	result = vci_jsonb_datum(verdict_of(proof, status, &error));
	PG_RETURN_DATUM(result);
}

/* Keys that may have signed: published JWKs, and the kid of each or NULL. */
typedef struct CandidateKeys
{
	int count;
	const VciJson *jwks[ISSUER_KEYS_MAX];
} CandidateKeys;

/* A key with another kid than the JWT's is none; of the rest so many as are worth trying. */
static void
add_candidate(CandidateKeys *candidates, const VciJson *jwk, const char *kid,
			  const char *candidate_kid)
{
	if (kid != NULL && candidate_kid != NULL && strcmp(kid, candidate_kid) != 0)
		return;
	if (candidates->count < ISSUER_KEYS_MAX)
		candidates->jwks[candidates->count++] = jwk;
}

static void
candidates_of_jwks(const VciJson *jwks, const VciSdJwt *sd_jwt, CandidateKeys *candidates)
{
	const VciJson *keys = vci_json_get(jwks, "keys");
	const char *kid = vci_json_get_string(sd_jwt->jws->header, "kid");

	if (vci_json_get(jwks, "kty") != NULL)
	{
		add_candidate(candidates, jwks, kid, vci_json_get_string(jwks, "kid"));
		return;
	}
	if (vci_json_kind(keys) != VCI_JSON_ARRAY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("issuer_jwks must be a JWK or a JWK set"),
						errhint("For example '{\"keys\": [{\"kty\": \"EC\", ...}]}'.")));
	for (size_t i = 0; i < vci_json_array_length(keys); i++)
	{
		const VciJson *jwk = vci_json_array_at(keys, i);

		add_candidate(candidates, jwk, kid, vci_json_get_string(jwk, "kid"));
	}
}

/* Who verifies for one issuer alone does not learn that there are others. */
static bool
is_in_duty(VciStore *store, const VciIssuerEntry *issuer)
{
	return vci_has_duty(store, VCI_DUTY_VERIFIER, issuer->rules.id) ||
		   vci_has_duty(store, VCI_DUTY_OFFERER, issuer->rules.id);
}

/* The issuer here whose iss the JWT carries; NULL: none for which the caller verifies. */
static VciIssuerEntry *
own_issuer(VciStore *store, const VciSdJwt *sd_jwt)
{
	const char *iss = vci_json_get_string(sd_jwt->jws->payload, "iss");
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; iss != NULL && i < count; i++)
	{
		VciIssuerEntry *issuer = &issuers[i];

		if ((strcmp(issuer->iss, iss) == 0 || strcmp(issuer->rules.url, iss) == 0) &&
			is_in_duty(store, issuer))
			return vci_cache_load(store, issuer);
	}
	return NULL;
}

static VciStatus
candidates_of_own(VciStore *store, const VciSdJwt *sd_jwt, CandidateKeys *candidates,
				  VciError *error)
{
	const char *kid = vci_json_get_string(sd_jwt->jws->header, "kid");
	VciIssuerEntry *issuer = own_issuer(store, sd_jwt);
	int64 now = vci_now();

	if (issuer == NULL)
		return vci_error(error, VCI_ERR_JWS_SIGNATURE,
						 "iss is no issuer here; give its keys as issuer_jwks");
	for (int k = 0; k < issuer->key_count; k++)
		if (vci_is_published(&issuer->published_keys[k], now))
			add_candidate(candidates, issuer->published_keys[k].public_jwk, kid,
						  issuer->published_keys[k].kid);
	return VCI_OK;
}

/* Tries the keys that fit the algorithm. */
static VciStatus
check_issuer_signature(const VciSdJwt *sd_jwt, const CandidateKeys *candidates, VciError *error)
{
	for (int i = 0; i < candidates->count; i++)
	{
		VciError ignored = VCI_ERROR_INIT;
		VciKey *key;

		if (key_of_jwk(candidates->jwks[i], &key, &ignored) == VCI_OK &&
			vci_key_fits(key, sd_jwt->jws->alg) &&
			vci_jws_verify(sd_jwt->jws, key, &ignored) == VCI_OK)
			return VCI_OK;
	}
	return vci_error(error, VCI_ERR_JWS_SIGNATURE,
					 "no key of the issuer verifies the signature of the SD-JWT");
}

/* RFC 8725 section 3.11: not any JWT that the issuer signed is a credential. */
static VciStatus
check_type(const VciSdJwt *sd_jwt, VciError *error)
{
	if (vci_jws_typ_is(sd_jwt->jws, "dc+sd-jwt") || vci_jws_typ_is(sd_jwt->jws, "vc+sd-jwt"))
		return VCI_OK;
	return vci_error(error, VCI_ERR_JWS_TYP, "typ must be dc+sd-jwt or vc+sd-jwt");
}

static VciStatus
check_times(const VciSdJwt *sd_jwt, int64 now, VciError *error)
{
	const VciJson *payload = sd_jwt->jws->payload;
	int64_t seconds;

	if (vci_json_has(payload, "exp") && !vci_number_floor(vci_json_get(payload, "exp"), &seconds))
		return vci_error(error, VCI_ERR_SD_JWT, "exp must be a number of seconds since 1970");
	if (vci_json_has(payload, "exp") && seconds <= now - LEEWAY)
		return vci_error(error, VCI_ERR_EXPIRED, "the credential has expired");
	if (vci_json_has(payload, "nbf") && !vci_number_floor(vci_json_get(payload, "nbf"), &seconds))
		return vci_error(error, VCI_ERR_SD_JWT, "nbf must be a number of seconds since 1970");
	if (vci_json_has(payload, "nbf") && seconds > now + LEEWAY)
		return vci_error(error, VCI_ERR_NOT_YET_VALID, "the credential is not valid yet");
	return VCI_OK;
}

/* What a status of this value says (draft-ietf-oauth-status-list section 7.1). */
static VciStatus
judge_status(int32 value, VciError *error)
{
	switch (value)
	{
		case VCI_STATUS_VALID:
			return VCI_OK;
		case VCI_STATUS_INVALID:
			return vci_error(error, VCI_ERR_REVOKED, "the credential has been revoked");
		case VCI_STATUS_SUSPENDED:
			return vci_error(error, VCI_ERR_SUSPENDED, "the credential is suspended");
		default:
			return vci_error(error, VCI_ERR_STATUS_UNKNOWN,
							 "the status claim names no place in a status list of its issuer");
	}
}

/*
 * The status of a credential of an issuer here, as it is now. The list is looked up by the last
 * segment of its URI, since the rest of that may have been altered after the credential was
 * signed. What tells no place fails (section 8.3).
 */
static VciStatus
check_status(VciStore *store, const VciSdJwt *sd_jwt, VciError *error)
{
	const VciJson *claim =
		vci_json_get(vci_json_get(sd_jwt->jws->payload, "status"), "status_list");
	const char *uri = vci_json_get_string(claim, "uri");
	const char *name = uri != NULL ? strrchr(uri, '/') : NULL;
	VciIssuerEntry *issuer = claim != NULL ? own_issuer(store, sd_jwt) : NULL;
	int64_t index;

	if (issuer == NULL)
		return VCI_OK;
	if (name == NULL || !vci_json_int64(vci_json_get(claim, "idx"), &index))
		return judge_status(-1, error);
	return judge_status(vci_store_read_status(store, issuer->rules.id, name + 1, index), error);
}

typedef struct Presentation
{
	VciSdJwt *sd_jwt;
	const char *nonce;
	const char *audience;
	const VciJson *issuer_jwks;
	bool key_binding_required;
	int64 max_age;
	VciJson *key_binding; /* verdict of the KB-JWT, NULL when there is none */
} Presentation;

static VciStatus
check_issuer(VciStore *store, const Presentation *presentation, VciError *error)
{
	CandidateKeys candidates = {0};
	VciStatus status = VCI_OK;

	if (presentation->issuer_jwks != NULL)
		candidates_of_jwks(presentation->issuer_jwks, presentation->sd_jwt, &candidates);
	else
		status = candidates_of_own(store, presentation->sd_jwt, &candidates, error);
	if (status == VCI_OK)
		status = check_issuer_signature(presentation->sd_jwt, &candidates, error);
	return status;
}

static VciStatus
check_key_binding(VciStore *store, Presentation *presentation, VciError *error)
{
	VciSdJwt *sd_jwt = presentation->sd_jwt;
	VciProofPolicy policy = {.kind = VCI_PROOF_KB_JWT,
							 .audience = presentation->audience,
							 .now = vci_now(),
							 .max_age = presentation->max_age,
							 .leeway = LEEWAY,
							 .sd_hash = sd_jwt->sd_hash};
	KnownHolder known = {sd_jwt, NULL, NULL};
	VciProof *proof = NULL;
	VciStatus status;

	if (sd_jwt->kb_jwt == NULL)
		return presentation->key_binding_required
				   ? vci_error(error, VCI_ERR_PROOF_MISSING,
							   "the presentation has no key binding JWT")
				   : VCI_OK;
	status =
		verify_proof(store, sd_jwt->kb_jwt, &policy, &known, presentation->nonce, &proof, error);
	presentation->key_binding = verdict_of(proof, status, error);
	return status;
}

static void
set_copy(VciJson *object, const char *name, const VciJson *value)
{
	if (value != NULL)
		vci_require_done(vci_json_set(object, name, vci_json_copy(value)));
}

static VciJson *
presentation_verdict(const Presentation *presentation, VciStatus status, const VciError *error)
{
	VciJson **verdict = vci_own_json();
	const VciSdJwt *sd_jwt = presentation->sd_jwt;

	if (vci_is_server_fault(status))
		vci_raise(error);
	vci_require_memory(*verdict = vci_json_new_object());
	vci_require_done(vci_json_set_boolean(*verdict, "valid", status == VCI_OK));
	if (status != VCI_OK)
		vci_require_done(vci_json_set_string(*verdict, "error", vci_status_name(status)) &&
						 vci_json_set_string(*verdict, "error_description", error->text));
	if (sd_jwt != NULL)
	{
		set_copy(*verdict, "issuer", vci_json_get(sd_jwt->jws->payload, "iss"));
		set_copy(*verdict, "header", sd_jwt->jws->header);
		/* unverified claims would be taken for true by a careless reader */
		if (status == VCI_OK)
			set_copy(*verdict, "claims", sd_jwt->claims);
	}
	set_copy(*verdict, "key_binding", presentation->key_binding);
	return *verdict;
}

PG_FUNCTION_INFO_V1(vci_verify_sdjwt);

/* openid4vci.vci_verify_sdjwt(presentation, expected_nonce, expected_audience, issuer_jwks,
 * require_key_binding, max_age) returns jsonb */
Datum
vci_verify_sdjwt(PG_FUNCTION_ARGS)
{
	VciStore *store;
	Presentation presentation = {0};
	VciSdJwt **sd_jwt = vci_own_sd_jwt();
	VciError error = VCI_ERROR_INIT;
	VciStatus status;
	Datum result;
	char *text;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	store = vci_store_open();
	text = vci_arg_text(fcinfo, 0);
	presentation.nonce = vci_arg_text(fcinfo, 1);
	presentation.audience = vci_arg_text(fcinfo, 2);
	presentation.issuer_jwks = vci_arg_json(fcinfo, 3, "issuer_jwks");
	presentation.key_binding_required =
		PG_ARGISNULL(4) ? presentation.nonce != NULL || presentation.audience != NULL
						: PG_GETARG_BOOL(4);
	presentation.max_age = vci_arg_seconds(fcinfo, 5, "max_age", DAY);
	status = vci_sd_jwt_parse(text, strlen(text), sd_jwt, &error);
	if (*sd_jwt != NULL &&
		!(vci_fits_jsonb((*sd_jwt)->jws->header) && vci_fits_jsonb((*sd_jwt)->jws->payload) &&
		  vci_fits_jsonb((*sd_jwt)->claims)))
		status = number_too_large(&error);
	else
		presentation.sd_jwt = *sd_jwt;
	if (status == VCI_OK)
		status = check_type(*sd_jwt, &error);
	if (status == VCI_OK)
		status = check_issuer(store, &presentation, &error);
	if (status == VCI_OK)
		status = check_times(*sd_jwt, vci_now(), &error);
	if (status == VCI_OK)
		status = check_status(store, *sd_jwt, &error);
	if (status == VCI_OK)
		status = check_key_binding(store, &presentation, &error);
	vci_store_close(store);
	result = vci_jsonb_datum(presentation_verdict(&presentation, status, &error));
	PG_RETURN_DATUM(result);
}
