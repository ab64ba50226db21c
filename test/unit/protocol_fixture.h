/*
 * What the tests of the protocol rules share: an issuer and a configuration like those of
 * a registry that hands out entitlements.
 */
#ifndef VCI_PROTOCOL_FIXTURE_H
#define VCI_PROTOCOL_FIXTURE_H

#include "protocol/issuer.h"
#include "tap.h"

#define NOW 1767225600 /* 2026-01-01 00:00:00 UTC */

static inline VciIssuer
example_issuer(void)
{
	return (VciIssuer){
		.id = 7,
		.url = "https://registry.example",
		.base_path = "/api/v1/openid4vci",
		.profile = VCI_PROFILE_FINAL,
		.offer_lifetime = 3600,
		.access_token_lifetime = 300,
		.c_nonce_lifetime = 300,
		.retry_window = 60,
		.time_rounding = 86400,
		.proof_max_age = 300,
		.tx_code_max_failures = 5,
		.batch_size = 1,
	};
}

static inline VciConfiguration
example_configuration(void)
{
	return (VciConfiguration){
		.id = "EntitlementCredential",
		.format = "dc+sd-jwt",
		.vct = "https://registry.example/entitlement",
		.scope = "entitlement",
		.validity = 30 * 86400,
		.binding = VCI_HOLDER_REQUIRED,
		.signing_alg = VCI_ALG_ES256,
	};
}

/* Does the printed JSON equal this text, member order and all? Frees it. */
static inline bool
is_json(VciJson *got, const char *expected, const char *what)
{
	char *text = vci_json_print(got);
	bool same = is_text(got == NULL ? NULL : text, expected, what);

	free(text);
	vci_json_free(got);
	return same;
}

#endif
