/* Building and signing one SD-JWT VC (RFC 9901, SD-JWT VC section 2.2). */
#include "credential.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/sd_jwt.h"
#include "claims.h"

/*
 * The step that times are rounded down to. Half of the validity at most, or a credential
 * for an hour would be over when it is issued at noon and rounded to the day.
 */
static int64_t
rounding_step(const VciCredentialParts *parts)
{
	int64_t step = parts->issuer->time_rounding;
	int64_t validity = parts->configuration->validity;

	if (validity > 0 && step > validity / 2)
		step = validity / 2;
	return step > 1 ? step : 1;
}

static int64_t
round_down(int64_t time, int64_t step)
{
	int64_t beyond = time % step;

	return time - (beyond < 0 ? beyond + step : beyond);
}

/* The required members of a public JWK alone (RFC 7638 section 3.2), whatever else came along. */
static VciJson *
bare_public_jwk(const VciJson *jwk)
{
	static const char *const members[] = {"crv", "e", "kty", "n", "x", "y"};
	VciJson *bare = vci_json_new_object();

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		const char *value = vci_json_get_string(jwk, members[i]);

		if (value != NULL && !vci_json_set_string(bare, members[i], value))
		{
			vci_json_free(bare);
			return NULL;
		}
	}
	return bare;
}

static bool
set_confirmation(VciJson *payload, const VciJson *holder_jwk)
{
	VciJson *cnf = vci_json_new_object();

	return vci_json_set(payload, "cnf", cnf) &&
		   vci_json_set(cnf, "jwk", bare_public_jwk(holder_jwk));
}

static bool
set_registered_claims(VciJson *payload, const VciCredentialParts *parts, int64_t *expires_at)
{
	int64_t issued_at = round_down(parts->issued_at, rounding_step(parts));
	char *iss = vci_issuer_iss(parts->issuer);
	bool ok = iss != NULL && vci_json_set_string(payload, "iss", iss) &&
			  vci_json_set_int64(payload, "iat", issued_at);

	free(iss);
	*expires_at = 0;
	if (ok && parts->configuration->validity > 0)
	{
		*expires_at = issued_at + parts->configuration->validity;
		ok = vci_json_set_int64(payload, "exp", *expires_at);
	}
	if (ok)
		ok = vci_json_set_string(payload, "vct", parts->configuration->vct);
	if (ok && parts->holder_jwk != NULL && parts->configuration->binding != VCI_HOLDER_ABSENT)
		ok = set_confirmation(payload, parts->holder_jwk);
	return ok;
}

static bool
add_claims(VciJson *payload, const VciJson *claims)
{
	for (VciJsonIter i = vci_json_iter(claims); vci_json_next(&i);)
	{
		bool ok = i.value == NULL ? vci_json_set_null(payload, i.name)
								  : vci_json_set(payload, i.name, vci_json_copy(i.value));

		if (!ok)
			return false;
	}
	return true;
}

static VciStatus
build_payload(const VciCredentialParts *parts, VciJson **payload, int64_t *expires_at,
			  VciError *error)
{
	/* what was checked when it was stored may have come from a claims source since */
	VciStatus status = vci_claims_check(parts->claims, error);

	if (status != VCI_OK)
		return status;
	*payload = vci_json_new_object();
	if (!set_registered_claims(*payload, parts, expires_at) || !add_claims(*payload, parts->claims))
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

static VciStatus
conceal(const VciCredentialParts *parts, VciJson *payload, VciJson **disclosures, VciError *error)
{
	VciJson *paths = NULL;
	VciStatus status;

	status = vci_claims_disclosable(parts->claims, parts->configuration, &paths, error);
	if (status == VCI_OK)
		status =
			vci_sd_jwt_conceal(payload, paths, parts->configuration->decoys, disclosures, error);
	vci_json_free(paths);
	return status;
}

static VciStatus
sign(const VciCredentialParts *parts, const VciJson *payload, const VciJson *disclosures,
	 char **sd_jwt, VciError *error)
{
	const char *alg = vci_alg_name(vci_key_alg(parts->key));
	VciJson *header = vci_json_new_object();
	VciStatus status;

	if (!vci_json_set_string(header, "alg", alg) ||
		!vci_json_set_string(header, "typ", parts->format) ||
		(parts->kid != NULL && !vci_json_set_string(header, "kid", parts->kid)) ||
		(parts->x5c != NULL && !vci_json_set(header, "x5c", vci_json_copy(parts->x5c))))
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status = vci_sd_jwt_sign(header, payload, disclosures, parts->key, sd_jwt, error);
	vci_json_free(header);
	return status;
}

VciStatus
vci_credential_build(const VciCredentialParts *parts, char **sd_jwt, int64_t *expires_at,
					 VciError *error)
{
	VciJson *payload = NULL;
	VciJson *disclosures = NULL;
	VciStatus status;

	*sd_jwt = NULL;
	*expires_at = 0;
	status = build_payload(parts, &payload, expires_at, error);
	if (status == VCI_OK)
		status = conceal(parts, payload, &disclosures, error);
	if (status == VCI_OK)
		status = sign(parts, payload, disclosures, sd_jwt, error);
	vci_json_free(disclosures);
	vci_json_free(payload);
	return status;
}
