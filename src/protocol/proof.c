#include "proof.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/seal.h"
#include "jwt.h"

static VciStatus
check_typ(const VciJws *jws, VciProofKind kind, VciError *error)
{
	switch (kind)
	{
		case VCI_PROOF_STRICT:
			if (vci_jws_typ_is(jws, "openid4vci-proof+jwt"))
				return VCI_OK;
			return vci_error(error, VCI_ERR_JWS_TYP,
							 "the typ of a proof must be openid4vci-proof+jwt");
		case VCI_PROOF_OLDER:
			if (jws->typ == NULL || vci_jws_typ_is(jws, "openid4vci-proof+jwt") ||
				vci_jws_typ_is(jws, "kb+jwt") || vci_jws_typ_is(jws, "JWT"))
				return VCI_OK;
			return vci_error(error, VCI_ERR_JWS_TYP,
							 "the typ of a proof must be openid4vci-proof+jwt, kb+jwt or JWT, or "
							 "absent");
		case VCI_PROOF_KB_JWT:
			if (vci_jws_typ_is(jws, "kb+jwt"))
				return VCI_OK;
			return vci_error(error, VCI_ERR_JWS_TYP, "the typ of a key binding JWT must be kb+jwt");
	}
	return vci_error(error, VCI_ERR_INTERNAL, "there is no proof of kind %d", (int) kind);
}

/* OpenID4VCI 1.0 appendix F.1: aud is the issuer's identifier, compared byte by byte. */
static VciStatus
check_audience(const VciJson *payload, const VciProofPolicy *policy, VciError *error)
{
	const VciJson *aud = vci_json_get(payload, "aud");
	const char *text;

	if (policy->audience == NULL && policy->kind != VCI_PROOF_KB_JWT)
		return vci_error(error, VCI_ERR_INTERNAL, "a key proof needs an expected audience");
	if (aud == NULL)
		return vci_error(error, VCI_ERR_PROOF_AUDIENCE, "the proof lacks aud");
	if (vci_json_array_length(aud) == 1)
		aud = vci_json_array_at(aud, 0); /* RFC 7519 section 4.1.3 */
	text = vci_json_string(aud);
	if (text == NULL)
		return vci_error(error, VCI_ERR_PROOF_AUDIENCE, "the aud of the proof must be a string");
	if (policy->audience != NULL && strcmp(text, policy->audience) != 0)
		return vci_error(error, VCI_ERR_PROOF_AUDIENCE, "the aud of the proof must be %.180s",
						 policy->audience);
	return VCI_OK;
}

static VciStatus
read_time(const VciJson *payload, const char *name, int64_t *seconds, bool *present,
		  VciError *error)
{
	return vci_jwt_time(payload, name, "the proof", VCI_ERR_PROOF, seconds, present, error);
}

static VciStatus
check_times(const VciJson *payload, const VciProofPolicy *policy, VciError *error)
{
	int64_t seconds = 0;
	bool present;
	VciStatus status = read_time(payload, "iat", &seconds, &present, error);

	if (status == VCI_OK && !present)
		status = vci_error(error, VCI_ERR_PROOF, "the proof lacks iat");
	if (status != VCI_OK)
		return status;
	if (seconds > policy->now + policy->leeway)
		return vci_error(error, VCI_ERR_PROOF_TIME,
						 "the iat of the proof lies in the future; set the clock right");
	if (seconds < policy->now - policy->max_age)
		return vci_error(error, VCI_ERR_PROOF_TIME,
						 "the proof is too old; make a new one with a new c_nonce");

	status = read_time(payload, "exp", &seconds, &present, error);
	if (status == VCI_OK && present && seconds <= policy->now - policy->leeway)
		status = vci_error(error, VCI_ERR_EXPIRED, "the proof has expired (exp)");
	if (status != VCI_OK)
		return status;
	status = read_time(payload, "nbf", &seconds, &present, error);
	if (status == VCI_OK && present && seconds > policy->now + policy->leeway)
		status = vci_error(error, VCI_ERR_NOT_YET_VALID, "the proof is not valid yet (nbf)");
	return status;
}

static VciStatus
check_optional_string(const VciJson *payload, const char *name, VciError *error)
{
	if (vci_json_has(payload, name) && vci_json_get_string(payload, name) == NULL)
		return vci_error(error, VCI_ERR_PROOF, "%s in the proof must be a string", name);
	return VCI_OK;
}

/* RFC 9901 section 4.3: sd_hash ties a KB-JWT to one presentation; a key proof has none. */
static VciStatus
check_sd_hash(const VciJson *payload, const VciProofPolicy *policy, VciError *error)
{
	const char *sd_hash = vci_json_get_string(payload, "sd_hash");

	if (policy->kind != VCI_PROOF_KB_JWT)
	{
		if (vci_json_has(payload, "sd_hash"))
			return vci_error(error, VCI_ERR_PROOF,
							 "a JWT with sd_hash is the key binding of a presentation, never a "
							 "proof");
		return VCI_OK;
	}
	if (policy->sd_hash == NULL)
		return vci_error(error, VCI_ERR_INTERNAL, "a key binding JWT needs an expected sd_hash");
	if (sd_hash == NULL)
		return vci_error(error, VCI_ERR_SD_HASH, "the key binding JWT lacks sd_hash");
	if (strlen(sd_hash) != strlen(policy->sd_hash) ||
		!vci_bytes_equal(sd_hash, policy->sd_hash, strlen(sd_hash)))
		return vci_error(error, VCI_ERR_SD_HASH,
						 "sd_hash in the key binding JWT is not the digest of this presentation");
	return VCI_OK;
}

static VciStatus
check_payload(const VciJson *payload, const VciProofPolicy *policy, VciError *error)
{
	VciStatus status = check_sd_hash(payload, policy, error);

	if (status == VCI_OK)
		status = check_audience(payload, policy, error);
	if (status == VCI_OK)
		status = check_times(payload, policy, error);
	if (status == VCI_OK)
		status = check_optional_string(payload, "nonce", error);
	/*
	 * A proof under an anonymous token must carry no iss (appendix F.1), yet real wallets
	 * send one; it decides nothing here.
	 */
	if (status == VCI_OK)
		status = check_optional_string(payload, "iss", error);
	return status;
}

static VciStatus
resolve_kid(VciProof *proof, const VciProofPolicy *policy, VciError *error)
{
	const char *kid = vci_json_get_string(proof->jws->header, "kid");

	if (kid == NULL)
		return vci_error(error, VCI_ERR_PROOF, "kid in the proof must be a string");
	switch (vci_did_method(kid))
	{
		case VCI_DID_JWK:
		case VCI_DID_KEY:
			proof->source = VCI_PROOF_KEY_DID_SELF;
			proof->did_url = kid;
			return vci_key_from_did(kid, policy->curves, &proof->key, error);
		case VCI_DID_WEB:
			proof->source = VCI_PROOF_KEY_DID_WEB;
			proof->did_url = kid;
			return VCI_OK;
		case VCI_DID_OTHER:
			return vci_error(error, VCI_ERR_DID,
							 "kid in the proof must be a did:jwk, did:key or did:web");
		case VCI_DID_NONE:
			break;
	}
	if (policy->kind == VCI_PROOF_STRICT)
		return vci_error(error, VCI_ERR_PROOF,
						 "kid in the proof names no key; send jwk, x5c, or a DID URL as kid");
	return VCI_OK;
}

/* Appendix F.1: jwk, kid and x5c exclude each other; 1.0 wants one of them. */
static VciStatus
resolve_key(VciProof *proof, const VciProofPolicy *policy, VciError *error)
{
	const VciJson *header = proof->jws->header;
	bool has_jwk = vci_json_has(header, "jwk");
	bool has_kid = vci_json_has(header, "kid");
	bool has_x5c = vci_json_has(header, "x5c");
	int named = has_jwk + has_kid + has_x5c;

	if (policy->kind == VCI_PROOF_KB_JWT)
		return VCI_OK;
	if (named > 1)
		return vci_error(error, VCI_ERR_PROOF,
						 "the proof's header must name its key once: jwk, kid or x5c");
	if (named == 0 && policy->kind == VCI_PROOF_STRICT)
		return vci_error(error, VCI_ERR_PROOF,
						 "the proof's header must name its key as jwk, kid or x5c");
	if (has_jwk)
	{
		proof->source = VCI_PROOF_KEY_JWK;
		return vci_key_from_public_jwk_on(policy->curves, vci_json_get(header, "jwk"), &proof->key,
										  error);
	}
	if (has_x5c)
	{
		proof->source = VCI_PROOF_KEY_X5C;
		return vci_key_from_x5c(vci_json_get(header, "x5c"), policy->now, &proof->key, error);
	}
	return has_kid ? resolve_kid(proof, policy, error) : VCI_OK;
}

static VciStatus
check_proof(VciProof *proof, const VciProofPolicy *policy, VciError *error)
{
	VciStatus status = check_typ(proof->jws, policy->kind, error);

	if (status == VCI_OK)
		status = check_payload(proof->jws->payload, policy, error);
	if (status == VCI_OK)
		status = resolve_key(proof, policy, error);
	if (status == VCI_OK)
		proof->nonce = vci_json_get_string(proof->jws->payload, "nonce");
	return status;
}

VciStatus
vci_proof_parse(const char *jwt, size_t len, const VciProofPolicy *policy, VciProof **proof,
				VciError *error)
{
	VciProof *parsed = calloc(1, sizeof(*parsed));
	VciStatus status;

	*proof = NULL;
	if (parsed == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = vci_jws_parse(jwt, len, &parsed->jws, error);
	if (status != VCI_OK)
	{
		vci_proof_free(parsed);
		return status;
	}
	*proof = parsed;
	return check_proof(parsed, policy, error);
}

void
vci_proof_set_key(VciProof *proof, VciKey *key)
{
	VciKey *former = proof->key;

	proof->key = key == NULL ? NULL : vci_key_ref(key);
	vci_key_free(former);
}

VciStatus
vci_proof_verify(const VciProof *proof, VciError *error)
{
	if (proof->key == NULL)
		return vci_error(
			error, VCI_ERR_PROOF,
			"no key is known for this proof; send it as jwk, x5c, or a DID URL in kid");
	return vci_jws_verify(proof->jws, proof->key, error);
}

static bool
set_key(VciJson *verdict, const VciKey *key)
{
	char thumbprint[VCI_THUMBPRINT_SIZE];

	return vci_key_thumbprint(key, thumbprint, NULL) == VCI_OK &&
		   vci_json_set(verdict, "key", vci_key_public_jwk(key)) &&
		   vci_json_set_string(verdict, "thumbprint", thumbprint);
}

VciJson *
vci_proof_verdict(const VciProof *proof, const VciError *error)
{
	VciJson *verdict = vci_jwt_verdict(proof ? proof->jws : NULL, error);
	bool ok = verdict != NULL;

	if (ok && proof != NULL && proof->key != NULL)
		ok = set_key(verdict, proof->key);
	if (!ok)
	{
		vci_json_free(verdict);
		return NULL;
	}
	return verdict;
}

void
vci_proof_free(VciProof *proof)
{
	if (proof == NULL)
		return;
	vci_jws_free(proof->jws);
	vci_key_free(proof->key);
	free(proof);
}
