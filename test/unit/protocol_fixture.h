/*
 * What the tests of the protocol rules share: an issuer and a configuration like those of
 * a registry that hands out entitlements.
 */
#ifndef VCI_PROTOCOL_FIXTURE_H
#define VCI_PROTOCOL_FIXTURE_H

#include "protocol/issuer.h"
#include "tap.h"

#define NOW 1767225600 /* 2026-01-01 00:00:00 UTC */

#define EXAMPLE_ENDPOINT(name)                                                                     \
	{                                                                                              \
		true, "https://registry.example/api/v1/openid4vci/" name                                   \
	}

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
		.dpop = VCI_DPOP_OPTIONAL,
		.dpop_nonce = true,
		.dpop_proof_max_age = 300,
		.bound_token_lifetime = 3600,
		.authorization_request_lifetime = 600,
		.authorization_code_lifetime = 60,
		.authorization_request_rate = 6000,
		.deferred_interval = 300,
		.deferred_lifetime = 30 * 86400,
		.endpoints =
			{
				[VCI_ENDPOINT_TOKEN] = EXAMPLE_ENDPOINT("token"),
				[VCI_ENDPOINT_NONCE] = EXAMPLE_ENDPOINT("nonce"),
				[VCI_ENDPOINT_CREDENTIAL] = EXAMPLE_ENDPOINT("credential"),
				[VCI_ENDPOINT_BATCH_CREDENTIAL] =
					{false, "https://registry.example/api/v1/openid4vci/batch_credential"},
				[VCI_ENDPOINT_DEFERRED_CREDENTIAL] = EXAMPLE_ENDPOINT("deferred_credential"),
				[VCI_ENDPOINT_NOTIFICATION] = EXAMPLE_ENDPOINT("notification"),
				[VCI_ENDPOINT_AUTHORIZE] = EXAMPLE_ENDPOINT("authorize"),
				[VCI_ENDPOINT_PAR] = EXAMPLE_ENDPOINT("par"),
				[VCI_ENDPOINT_CONSENT] = EXAMPLE_ENDPOINT("consent"),
				[VCI_ENDPOINT_OFFER] = EXAMPLE_ENDPOINT("offer"),
				[VCI_ENDPOINT_JWKS] = EXAMPLE_ENDPOINT("jwks"),
				[VCI_ENDPOINT_LANDING] = {true, "https://registry.example/o"},
				[VCI_ENDPOINT_STATUS_LIST] = EXAMPLE_ENDPOINT("status-lists"),
			},
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
