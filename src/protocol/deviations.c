/* Where an issuer's settings leave OpenID4VCI 1.0 and RFC 9700, in plain words. */
#include "metadata.h"

#include <string.h>

#define BEARER_TOKEN_SECONDS 300  /* OpenID4VCI 1.0 section 13.10: longer is long-lived */
#define CODE_SECONDS		 3600 /* what the profile "final" takes for short-lived */
#define ROUNDING_SECONDS	 3600

typedef struct DeviationList
{
	VciDeviation *entries;
	size_t max;
	size_t count;
} DeviationList;

static void
add_when(DeviationList *list, bool deviates, const char *name, const char *detail)
{
	if (deviates && list->count < list->max)
		list->entries[list->count++] = (VciDeviation){name, detail};
}

/* Is an endpoint reached without TLS, though the issuer URL has it? */
static bool
has_plain_endpoint(const VciIssuer *issuer)
{
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
	{
		if (issuer->endpoints[i].enabled && strncmp(issuer->url, "https://", 8) == 0 &&
			strncmp(issuer->endpoints[i].url, "http://", 7) == 0)
			return true;
	}
	return false;
}

static void
add_token_deviations(DeviationList *list, const VciIssuer *issuer)
{
	add_when(list,
			 issuer->dpop != VCI_DPOP_REQUIRED &&
				 issuer->access_token_lifetime > BEARER_TOKEN_SECONDS,
			 "access_token_lifetime",
			 "Access tokens may be bearer tokens and live longer than 5 minutes, which counts as "
			 "long-lived (OpenID4VCI 1.0 section 13.10; RFC 9700 section 2.2): whoever steals one "
			 "can use it that long. Set access_token_lifetime to 300 seconds or less, or dpop to "
			 "required.");
	add_when(list, issuer->dpop == VCI_DPOP_OFF, "dpop",
			 "No token can be bound to a key of the wallet, though tokens should be (RFC 9700 "
			 "section 2.2.1): whoever steals one can use it. Set dpop to optional or required.");
}

static void
add_endpoint_deviations(DeviationList *list, const VciIssuer *issuer)
{
	add_when(
		list, has_plain_endpoint(issuer), "endpoints",
		"An endpoint lies at an http URL of a loopback address, which is for trying things "
		"out alone; OpenID4VCI 1.0 (section 12.2.4) demands https. Set an https base_url for it.");
	add_when(list, !issuer->endpoints[VCI_ENDPOINT_NONCE].enabled, "endpoints.nonce",
			 "The nonce endpoint is switched off, but proofs need a c_nonce: wallets of OpenID4VCI "
			 "1.0 (section 7) get none, only those that read it in the token response do. Switch "
			 "it on.");
	add_when(list, issuer->endpoints[VCI_ENDPOINT_BATCH_CREDENTIAL].enabled,
			 "endpoints.batch_credential",
			 "The batch credential endpoint is one of drafts 11 to 13; OpenID4VCI 1.0 (section "
			 "8.2) has several proofs in one credential request. Switch it off when no older "
			 "wallet needs it.");
	add_when(list, !issuer->endpoints[VCI_ENDPOINT_CREDENTIAL].enabled, "endpoints.credential",
			 "The credential endpoint is switched off; the metadata must name it all the same "
			 "(OpenID4VCI 1.0 section 12.2.4), so wallets run into 404. Switch it on, and pause "
			 "issuance with vci_pause_issuance where it must stop for a while.");
}

static void
add_issuer_deviations(DeviationList *list, const VciIssuer *issuer)
{
	add_token_deviations(list, issuer);
	add_when(list, issuer->offer_lifetime > CODE_SECONDS, "offer_lifetime",
			 "Pre-authorized codes live longer than an hour, though they must be short-lived "
			 "(OpenID4VCI 1.0 section 4.1.1): a link that leaks can be redeemed that long. Set "
			 "offer_lifetime to 3600 seconds or less, or give offers a transaction code.");
	add_when(list, issuer->profile == VCI_PROFILE_OPENSPP, "profile",
			 "The token response carries c_nonce and c_nonce_expires_in, as drafts 11 to 13 had "
			 "it; OpenID4VCI 1.0 (sections 6.2 and 7) has the nonce endpoint for that, and its "
			 "wallets ignore the members. Set profile to final to leave them out.");
	add_when(list, strncmp(issuer->url, "http://", 7) == 0, "url",
			 "The issuer URL uses http on a loopback address, which is for trying things out "
			 "alone; OpenID4VCI 1.0 (section 12.2.1) demands https. Use an https issuer URL for "
			 "real wallets.");
	add_when(list, issuer->iss_did_web, "iss_did_web",
			 "iss in credentials is a did:web, so verifiers that look for keys at jwt-vc-issuer "
			 "(SD-JWT VC section 4) do not find them; they must know did:web. Set iss_did_web to "
			 "false to put the issuer URL there.");
	add_when(list, issuer->time_rounding < ROUNDING_SECONDS, "time_rounding",
			 "Issuance and expiry times in credentials are exact or nearly so, and can link "
			 "presentations of one person (OpenID4VCI 1.0 section 15.4.1). Set time_rounding to "
			 "86400 seconds to round them down to the day.");
	add_endpoint_deviations(list, issuer);
}

static void
add_configuration_deviations(DeviationList *list, const VciConfiguration *configuration)
{
	unsigned older = configuration->older;

	add_when(list, strcmp(configuration->format, "dc+sd-jwt") != 0, "format",
			 "The format is vc+sd-jwt, a name of drafts 11 to 14; OpenID4VCI 1.0 (appendix A.3.1) "
			 "calls it dc+sd-jwt. Set format to dc+sd-jwt when no older wallet needs it.");
	add_when(list, (older & VCI_OLDER_FORMAT_REQUEST) != 0, "format_request",
			 "Credential requests by format with vct or credential_definition are answered, as "
			 "drafts 11 to 14 had them; OpenID4VCI 1.0 (section 8.2) knows "
			 "credential_configuration_id and credential_identifier alone. Switch format_request "
			 "off when no older wallet needs it.");
	add_when(list, (older & VCI_OLDER_SINGULAR_PROOF) != 0, "singular_proof",
			 "A single proof object is accepted in place of proofs, as drafts 11 to 15 had it "
			 "(OpenID4VCI 1.0 section 8.2). Switch singular_proof off when no older wallet needs "
			 "it.");
	add_when(list, (older & VCI_OLDER_UNTYPED_PROOF) != 0, "untyped_proof",
			 "Requests in an older shape may prove their key with a JWT whose typ is absent, JWT "
			 "or kb+jwt; OpenID4VCI 1.0 (appendix F.1) demands openid4vci-proof+jwt, so that no "
			 "other JWT can pass for a proof. Switch untyped_proof off when no older wallet needs "
			 "it.");
	add_when(list, (older & VCI_OLDER_VC_SD_JWT) != 0, "vc_sd_jwt",
			 "A request for vc+sd-jwt gets a credential of that typ; OpenID4VCI 1.0 (appendix "
			 "A.3.1) and SD-JWT VC (section 2.2.1) know dc+sd-jwt alone. Switch vc_sd_jwt off "
			 "when no older wallet needs it.");
	add_when(list, (older & VCI_OLDER_METADATA) != 0, "metadata",
			 "The issuer metadata repeats display, claims and algorithms where drafts 11 to 15 "
			 "had them; wallets of OpenID4VCI 1.0 (section 12.2.4) ignore that. Switch metadata "
			 "off when no older wallet needs it.");
	add_when(list, (older & VCI_OLDER_HOLDER_WITHOUT_PROOF) != 0, "holder_without_proof",
			 "Where an offer names the holder's DID, the credential is bound to it without proof "
			 "that the wallet has its key; OpenID4VCI 1.0 (section 8.2) demands proofs where "
			 "binding is required. Switch holder_without_proof off when no older wallet needs it.");
	add_when(list, (older & VCI_OLDER_CREDENTIAL_DEFINITION) != 0, "credential_definition",
			 "The issuer metadata shows this configuration as OpenSPP's guide does, with "
			 "credential_definition and without vct, proof_types_supported and "
			 "credential_metadata; wallets of OpenID4VCI 1.0 (section 12.2.4, appendix A.3) can't "
			 "use it. Switch credential_definition off when none but the guide's wallets come.");
}

size_t
vci_deviations(const VciIssuer *issuer, const VciConfiguration *configuration,
			   VciDeviation *deviations, size_t max)
{
	DeviationList list = {deviations, max, 0};

	if (configuration == NULL)
		add_issuer_deviations(&list, issuer);
	else
	{
		add_configuration_deviations(&list, configuration);
		add_when(&list,
				 configuration->status_bits > 0 &&
					 !issuer->endpoints[VCI_ENDPOINT_STATUS_LIST].enabled,
				 "status_bits",
				 "Credentials name a status list, which must be had at its URI (Token Status List "
				 "section 8.1), but the endpoint status_list is switched off: verifiers refuse "
				 "them. Switch it on.");
	}
	return list.count;
}
