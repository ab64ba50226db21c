/* Building and signing one SD-JWT VC (RFC 9901, SD-JWT VC section 2.2). */
#include "credential.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../jose/json_write.h"
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

static void
write_string(const char *name, const char *value, VciText *out)
{
	vci_text_put(out, name);
	vci_json_write_string(value, strlen(value), out);
}

static void
write_integer(const char *name, int64_t value, VciText *out)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	vci_text_put(out, name);
	vci_text_put(out, text);
}

/*
 * The required members of a checked public JWK alone (RFC 7638 section 3.2): nothing else that
 * came along is signed, nor a member that only another kind of key has.
 */
static void
write_confirmation(const VciJson *jwk, VciText *out)
{
	static const char *const ec_members[] = {"crv", "kty", "x", "y", NULL};
	static const char *const okp_members[] = {"crv", "kty", "x", NULL};
	static const char *const rsa_members[] = {"e", "kty", "n", NULL};
	const char *kty = vci_json_get_string(jwk, "kty");
	const char *const *members = ec_members;

	if (kty != NULL && strcmp(kty, "OKP") == 0)
		members = okp_members;
	else if (kty != NULL && strcmp(kty, "RSA") == 0)
		members = rsa_members;
	vci_text_put(out, ",\"cnf\":{\"jwk\":");
	for (size_t i = 0; members[i] != NULL; i++)
	{
		const char *value = vci_json_get_string(jwk, members[i]);

		vci_text_put(out, i == 0 ? "{\"" : ",\"");
		vci_text_put(out, members[i]);
		write_string("\":", value == NULL ? "" : value, out);
	}
	vci_text_put(out, "}}");
}

/* Members that no verifier may miss; vci_claims_check keeps them out of the claims. */
static void
write_registered_claims(const VciCredentialParts *parts, VciText *out, int64_t *expires_at)
{
	int64_t issued_at = round_down(parts->issued_at, rounding_step(parts));
	char *iss = vci_issuer_iss(parts->issuer);

	out->out_of_memory = iss == NULL;
	write_string("\"iss\":", iss == NULL ? "" : iss, out);
	free(iss);
	write_integer(",\"iat\":", issued_at, out);
	*expires_at = 0;
	if (parts->configuration->validity > 0)
	{
		*expires_at = issued_at + parts->configuration->validity;
		write_integer(",\"exp\":", *expires_at, out);
	}
	write_string(",\"vct\":", parts->configuration->vct, out);
	if (parts->vct_integrity != NULL)
		write_string(",\"vct#integrity\":", parts->vct_integrity, out);
	if (parts->holder_jwk != NULL && parts->configuration->binding != VCI_HOLDER_ABSENT)
		write_confirmation(parts->holder_jwk, out);
	if (parts->status != NULL)
		vci_status_claims_write(parts->issuer, parts->status, out);
}

/* The member that w3c_status brings; without it a registry's own may bear the name. */
static VciStatus
check_w3c_status(const VciCredentialParts *parts, VciError *error)
{
	if (parts->configuration->w3c_status && vci_json_has(parts->claims, "credentialStatus"))
		return vci_error(error, VCI_ERR_CLAIM_RESERVED,
						 "the claim name credentialStatus is reserved by w3c_status; give the "
						 "claim another name");
	return VCI_OK;
}

/* The payload and the disclosures. */
static VciStatus
conceal(const VciCredentialParts *parts, int64_t *expires_at, VciConcealed *concealed,
		VciError *error)
{
	VciText head = {0};
	VciJson *paths = NULL;
	/* what was checked when it was stored may have come from a claims source since */
	VciStatus status = vci_claims_check(parts->claims, error);

	if (status == VCI_OK)
		status = check_w3c_status(parts, error);
	if (status == VCI_OK)
		status = vci_claims_disclosable(parts->claims, parts->configuration, &paths, error);
	write_registered_claims(parts, &head, expires_at);
	if (status == VCI_OK && head.out_of_memory)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (status == VCI_OK)
		status = vci_sd_jwt_conceal(head.data, parts->claims, paths, parts->configuration->decoys,
									parts->key, concealed, error);
	vci_json_free(paths);
	vci_text_free(&head);
	return status;
}

/* The key's alg is put in front. */
static VciStatus
sign(const VciCredentialParts *parts, const VciConcealed *concealed, char **sd_jwt, VciError *error)
{
	VciText header = {0};
	VciStatus status;

	write_string("\"typ\":", parts->format, &header);
	if (parts->kid != NULL)
		write_string(",\"kid\":", parts->kid, &header);
	if (parts->x5c != NULL)
	{
		vci_text_put(&header, ",\"x5c\":");
		vci_json_write(parts->x5c, &header);
	}
	if (header.out_of_memory)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status = vci_sd_jwt_sign(header.data, concealed, parts->key, sd_jwt, error);
	vci_text_free(&header);
	return status;
}

VciStatus
vci_credential_build(const VciCredentialParts *parts, char **sd_jwt, int64_t *expires_at,
					 VciError *error)
{
	VciConcealed concealed = {0};
	VciStatus status;

	*sd_jwt = NULL;
	status = conceal(parts, expires_at, &concealed, error);
	if (status == VCI_OK)
		status = sign(parts, &concealed, sd_jwt, error);
	else
		*expires_at = 0;
	vci_concealed_free(&concealed);
	return status;
}
