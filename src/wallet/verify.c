#include "verify.h"

#include <string.h>
#include <time.h>

#include "text.h"

#define LEEWAY 60 /* seconds that clocks may differ */

/* SD-JWT VC section 2.2.2.2: these must not be selectively disclosed. */
static const char *const never_concealed[] = {"iss", "nbf",			  "exp",   "cnf",
											  "vct", "vct#integrity", "status"};

bool
wallet_is_registered_claim(const char *name)
{
	for (size_t i = 0; i < sizeof(never_concealed) / sizeof(never_concealed[0]); i++)
	{
		if (strcmp(name, never_concealed[i]) == 0)
			return true;
	}
	return strcmp(name, "iat") == 0;
}

static bool
check_type(const VciSdJwt *sd_jwt, const char *format, WalletFailure *failure)
{
	const char *typ = sd_jwt->jws->typ;

	/* SD-JWT VC section 2.2.1 */
	if (typ == NULL || !vci_jws_typ_is(sd_jwt->jws, format))
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential's typ is %s; expected %s", typ == NULL ? "missing" : typ,
						   format);
	if (sd_jwt->kb_jwt != NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the issuer sent a key binding JWT, which only a holder makes");
	return true;
}

/* *present tells whether the claim is there; it must be a whole number then. */
static bool
read_time(const VciJson *claims, const char *name, bool *present, int64_t *value,
		  WalletFailure *failure)
{
	*present = vci_json_has(claims, name);
	if (!*present || vci_json_get_int64(claims, name, value))
		return true;
	return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
					   "the credential's %s is no whole number of seconds", name);
}

static bool
check_times(const VciJson *claims, WalletFailure *failure)
{
	int64_t now = (int64_t) time(NULL);
	int64_t exp = 0;
	int64_t nbf = 0;
	int64_t iat = 0;
	bool has_exp;
	bool has_nbf;
	bool has_iat;

	if (!read_time(claims, "exp", &has_exp, &exp, failure) ||
		!read_time(claims, "nbf", &has_nbf, &nbf, failure) ||
		!read_time(claims, "iat", &has_iat, &iat, failure))
		return false;
	if (has_exp && exp <= now)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential expired %lld s ago, going by this machine's clock",
						   (long long) (now - exp));
	if (has_nbf && nbf > now + LEEWAY)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential is not valid yet: nbf lies %lld s ahead",
						   (long long) (nbf - now));
	if (has_iat && iat > now + LEEWAY)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential was issued in the future: iat lies %lld s ahead",
						   (long long) (iat - now));
	return true;
}

static bool
check_vct(const VciJson *claims, const WalletConfiguration *configuration, WalletFailure *failure)
{
	const char *vct = vci_json_get_string(claims, "vct");

	if (vct == NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED, "the credential has no vct");
	if (configuration->vct != NULL && strcmp(vct, configuration->vct) != 0)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential's vct is %s; the issuer's metadata says %s", vct,
						   configuration->vct);
	return true;
}

/* A DID URL of the holder names the same key with and without its fragment. */
static bool
is_own_kid(const WalletHolder *holder, const char *kid)
{
	size_t did_len = holder->kid == NULL ? 0 : strcspn(holder->kid, "#");

	if (did_len == 0 || kid == NULL)
		return false;
	return strcmp(kid, holder->kid) == 0 ||
		   (strlen(kid) == did_len && strncmp(kid, holder->kid, did_len) == 0);
}

/* RFC 7800: cnf must name the key that this wallet proved, and no other. */
static bool
check_holder(const VciJson *claims, bool bound, const WalletHolder *holder, WalletFailure *failure)
{
	const VciJson *cnf = vci_json_get(claims, "cnf");
	const VciJson *jwk = vci_json_get(cnf, "jwk");
	VciError error = VCI_ERROR_INIT;
	VciKey *key = NULL;
	bool own;

	if (cnf == NULL && !bound)
		return true;
	if (cnf == NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential has no cnf, though the holder key was proved");
	if (jwk == NULL && is_own_kid(holder, vci_json_get_string(cnf, "kid")))
		return true;
	if (jwk == NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential's cnf names no key of this wallet");
	if (vci_key_from_public_jwk(jwk, &key, &error) != VCI_OK)
		return wallet_fail_core(failure, WALLET_EXIT_UNVERIFIED, &error,
								"the credential's cnf.jwk is no public key");
	own = vci_key_equal(key, holder->key);
	vci_key_free(key);
	return own || wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
							  "the credential's cnf holds another key than this wallet proved");
}

static bool
check_concealment(const VciSdJwt *sd_jwt, WalletFailure *failure)
{
	for (size_t i = 0; i < sizeof(never_concealed) / sizeof(never_concealed[0]); i++)
	{
		if (vci_json_has(sd_jwt->claims, never_concealed[i]) &&
			!vci_json_has(sd_jwt->jws->payload, never_concealed[i]))
			return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
							   "the claim %s is selectively disclosable, which SD-JWT VC forbids",
							   never_concealed[i]);
	}
	return true;
}

static bool
check_signature(WalletContext *context, const WalletIssuer *issuer, const VciJws *jws,
				WalletIssuerKey *issuer_key)
{
	VciError error = VCI_ERROR_INIT;

	if (!wallet_issuer_key_find(context, issuer, jws, issuer_key))
		return false;
	if (vci_jws_verify(jws, issuer_key->key, &error) == VCI_OK)
		return true;
	return wallet_fail_core(&context->failure, WALLET_EXIT_UNVERIFIED, &error,
							"the credential's signature does not verify");
}

static void
note_signing_alg(const WalletConfiguration *configuration, const VciJws *jws, VciJson *notes)
{
	const VciJson *algs =
		vci_json_get(configuration->object, "credential_signing_alg_values_supported");

	if (algs != NULL && !vci_json_array_has_string(algs, vci_alg_name(jws->alg)))
		wallet_note(notes,
					"the credential is signed with %s, which "
					"credential_signing_alg_values_supported does not list",
					vci_alg_name(jws->alg));
}

static void
note_sd_alg(const VciJson *payload, VciJson *notes)
{
	const char *sd_alg = vci_json_get_string(payload, "_sd_alg");

	if (sd_alg != NULL && strcmp(sd_alg, "sha-256") != 0)
		wallet_note(notes,
					"the digests are %s: which nested claims can be withheld on their own is not "
					"worked out",
					sd_alg);
}

bool
wallet_verify(WalletContext *context, const WalletIssuer *issuer,
			  const WalletConfiguration *configuration, const WalletHolder *holder,
			  const WalletCredential *credential, WalletVerdict *verdict)
{
	WalletFailure *failure = &context->failure;
	bool bound = configuration->proof_required || context->options->older;
	VciError error = VCI_ERROR_INIT;

	memset(verdict, 0, sizeof(*verdict));
	if (vci_sd_jwt_parse(credential->text, strlen(credential->text), &verdict->sd_jwt, &error) !=
		VCI_OK)
		return wallet_fail_core(failure, WALLET_EXIT_UNVERIFIED, &error,
								"the credential is no valid SD-JWT");
	if (!check_type(verdict->sd_jwt, credential->format, failure) ||
		!check_signature(context, issuer, verdict->sd_jwt->jws, &verdict->issuer_key) ||
		!check_concealment(verdict->sd_jwt, failure) ||
		!check_times(verdict->sd_jwt->claims, failure) ||
		!check_vct(verdict->sd_jwt->claims, configuration, failure) ||
		!check_holder(verdict->sd_jwt->claims, bound, holder, failure))
		return false;
	note_signing_alg(configuration, verdict->sd_jwt->jws, context->notes);
	note_sd_alg(verdict->sd_jwt->jws->payload, context->notes);
	return true;
}

void
wallet_verdict_free(WalletVerdict *verdict)
{
	vci_sd_jwt_free(verdict->sd_jwt);
	wallet_issuer_key_free(&verdict->issuer_key);
	memset(verdict, 0, sizeof(*verdict));
}
