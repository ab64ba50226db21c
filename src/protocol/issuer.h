/*
 * An issuer and its credential configurations, as the rules see them.
 * Whoever fills these structs owns their members; the core only reads them.
 */
#ifndef VCI_ISSUER_H
#define VCI_ISSUER_H

#include <stdbool.h>
#include <stdint.h>

#include "../jose/json.h"
#include "../jose/jwk.h"

typedef enum VciProfile
{
	VCI_PROFILE_OPENSPP, /* lifetimes and shapes of OpenSPP's guide */
	VCI_PROFILE_FINAL	 /* OpenID4VCI 1.0 and RFC 9700, no older shapes */
} VciProfile;

/* How far a configuration bends to wallets of drafts 11 to 15; 0 is strict 1.0. */
typedef enum VciOlder
{
	VCI_OLDER_FORMAT_REQUEST = 1 << 0, /* "format_request": format + credential_definition or vct */
	VCI_OLDER_SINGULAR_PROOF = 1 << 1, /* "singular_proof": proof {proof_type, jwt} */
	VCI_OLDER_UNTYPED_PROOF = 1 << 2,  /* "untyped_proof": typ absent, "JWT" or "kb+jwt" */
	VCI_OLDER_VC_SD_JWT = 1 << 3,	   /* "vc_sd_jwt": a request for vc+sd-jwt gets that typ */
	VCI_OLDER_METADATA = 1 << 4,	   /* "metadata": members that drafts 11 to 15 read */
	/* "holder_without_proof": the DID that an offer names needs no proof */
	VCI_OLDER_HOLDER_WITHOUT_PROOF = 1 << 5,
	/* "credential_definition": published in the shape of OpenSPP's guide, and only in that */
	VCI_OLDER_CREDENTIAL_DEFINITION = 1 << 6
} VciOlder;

/* The endpoints of an issuer, each with a URL of its own. */
typedef enum VciEndpoint
{
	VCI_ENDPOINT_TOKEN,
	VCI_ENDPOINT_NONCE,
	VCI_ENDPOINT_CREDENTIAL,
	VCI_ENDPOINT_BATCH_CREDENTIAL,
	VCI_ENDPOINT_DEFERRED_CREDENTIAL,
	VCI_ENDPOINT_NOTIFICATION,
	VCI_ENDPOINT_AUTHORIZE,
	VCI_ENDPOINT_PAR,
	VCI_ENDPOINT_CONSENT,
	VCI_ENDPOINT_OFFER, /* one more segment follows */
	VCI_ENDPOINT_JWKS,
	VCI_ENDPOINT_LANDING,	  /* the same, and only where nothing else lies */
	VCI_ENDPOINT_STATUS_LIST, /* the aggregation; lists have one or two more segments */
	VCI_ENDPOINT_COUNT
} VciEndpoint;

typedef struct VciEndpointRule
{
	bool enabled; /* false: 404, and not in the metadata */
	char *url;	  /* as wallets see it: in the metadata, and as htu of DPoP proofs */
} VciEndpointRule;

/* Sender-constrained tokens (RFC 9449). */
typedef enum VciDpopMode
{
	VCI_DPOP_OFF, /* the DPoP header is not looked at */
	VCI_DPOP_OPTIONAL,
	VCI_DPOP_REQUIRED
} VciDpopMode;

typedef enum VciHolderBinding
{
	VCI_HOLDER_REQUIRED, /* a proof must come (default) */
	VCI_HOLDER_OPTIONAL, /* a proof may come */
	VCI_HOLDER_ABSENT	 /* the credential carries no cnf */
} VciHolderBinding;

typedef struct VciIssuer
{
	int64_t id;
	char *url;		 /* credential issuer identifier, no trailing slash */
	char *base_path; /* "/api/v1/openid4vci": between issuer URL and "/token" */
	VciProfile profile;
	bool iss_did_web;			   /* iss is did:web:... instead of url */
	int32_t offer_lifetime;		   /* seconds */
	int32_t access_token_lifetime; /* seconds */
	int32_t c_nonce_lifetime;	   /* seconds */
	int32_t retry_window;		   /* seconds; 0: no retry */
	int32_t time_rounding;		   /* seconds; iat, nbf, exp are rounded down to it; 1: not */
	int32_t proof_max_age;		   /* seconds that iat of a proof may lie in the past */
	int32_t tx_code_max_failures;
	int32_t batch_size; /* proofs per request, 1 to 32 */
	VciDpopMode dpop;
	bool dpop_nonce;				/* DPoP proofs need a nonce of ours */
	int32_t dpop_proof_max_age;		/* seconds that iat of a DPoP proof may lie in the past */
	int32_t bound_token_lifetime;	/* seconds; of access tokens bound to a DPoP key */
	int32_t refresh_token_lifetime; /* seconds; 0: none is given */
	int32_t authorization_request_lifetime; /* seconds to log in and decide */
	int32_t authorization_code_lifetime;	/* seconds */
	int32_t authorization_request_rate;		/* requests a minute */
	int32_t tx_code_retry_delay;			/* seconds after a wrong transaction code; 0: none */
	int32_t deferred_interval;				/* seconds between two polls */
	int32_t deferred_lifetime;				/* seconds a deferred credential can be fetched */
	int32_t status_list_size;				/* entries of a new status list, a power of two */
	int32_t status_list_ttl;				/* seconds within which a changed status is seen */
	int32_t status_list_lifetime;			/* seconds until a status list token expires */
	bool issuance_paused;
	bool has_clients; /* a wallet is registered for the authorization code flow, and somebody
						 answers for the person: login_url or authenticate */
	VciEndpointRule endpoints[VCI_ENDPOINT_COUNT];
	const char *const *authorization_servers; /* URLs of external ones */
	size_t authorization_server_count;
	VciJson *display; /* array of {name, locale, logo}, or NULL */
} VciIssuer;

typedef struct VciConfiguration
{
	char *id;
	char *format; /* "dc+sd-jwt" or "vc+sd-jwt" */
	char *vct;
	char *scope;	  /* NULL: none */
	int64_t validity; /* seconds from iat to exp; 0: no exp */
	VciHolderBinding binding;
	unsigned older; /* VciOlder bits */
	int decoys;
	bool deferred;					  /* each issuance waits for the registry's decision */
	int status_bits;				  /* of its credentials' status lists; 0: they have none */
	bool w3c_status;				  /* they also carry credentialStatus */
	bool vct_integrity;				  /* they carry the digest of their type metadata */
	VciJson *always_disclosed;		  /* array of claims path pointers */
	VciJson *selectively_disclosable; /* array of claims path pointers */
	VciJson *claims;	/* array of claims descriptions {path, mandatory, display}, or NULL */
	VciJson *display;	/* array of credential display objects, or NULL */
	VciAlg signing_alg; /* what the issuer's active key signs with */
} VciConfiguration;

/* Bit of an older-wallet switch by its name; 0 for an unknown name. */
extern unsigned vci_older_by_name(const char *name);

/*
 * Is this a credential issuer identifier (section 12.2.1): https, or http for
 * loopback hosts only, with host, optional port and path, no query, no fragment, no
 * user info, no trailing slash, no "." or ".." segment? Host in lower case and a path
 * without percent escapes, because wallets compare it byte by byte. VCI_ERR_CONFIGURATION.
 */
extern VciStatus vci_issuer_url_check(const char *url, VciError *error);

/*
 * Is this a base path: empty, or "/" and segments of plain characters, no trailing slash?
 * VCI_ERR_CONFIGURATION.
 */
extern VciStatus vci_issuer_base_path_check(const char *base_path, VciError *error);

/*
 * Is this, which error texts call what, a path of the same kind? VCI_ERR_CONFIGURATION.
 */
extern VciStatus vci_path_check(const char *path, const char *what, VciError *error);

/*
 * Is this, which error texts call what, the URL of a page that browsers are sent to: https, or http for loopback hosts
 * only, path and query as they may be, no fragment, no user info? VCI_ERR_CONFIGURATION.
 */
extern VciStatus vci_page_url_check(const char *url, const char *what, VciError *error);

/*
 * Is rest, which stands behind the URL or path of an endpoint, that of a request for it? Mostly
 * "" alone; offers have one more segment, and status lists up to two. Landing pages stand in no
 * endpoint's way: they lie only where nothing else does.
 */
extern bool vci_endpoint_takes(VciEndpoint endpoint, const char *rest);

/* Name of an endpoint in settings: "token", "deferred_credential" ...; static. */
extern const char *vci_endpoint_name(VciEndpoint endpoint);

/*
 * Fills endpoints (malloc'd URLs; the caller frees each) from the profile's defaults and
 * what settings (an object by endpoint name of {enabled, path, base_url}, or NULL) say
 * otherwise. Default URL: issuer URL + base path + "/token", "/nonce", "/credential",
 * "/batch_credential", "/deferred_credential", "/notification", "/authorize", "/par",
 * "/consent", "/offer", "/jwks", "/status-lists". path replaces base path and leaf, base_url (as
 * an issuer URL) replaces the issuer URL. The landing page's URL goes into messages: its default is
 * issuer URL + "/o". All are enabled but batch_credential under profile final.
 * VCI_ERR_CONFIGURATION for unknown names or members, malformed paths and URLs, and two
 * endpoints at one URL.
 */
extern VciStatus vci_endpoints_resolve(const VciIssuer *issuer, const VciJson *settings,
									   VciEndpointRule endpoints[VCI_ENDPOINT_COUNT],
									   VciError *error);
extern void vci_endpoints_free(VciEndpointRule endpoints[VCI_ENDPOINT_COUNT]);

/* Where the path of an issuer URL starts (a lent pointer; "" when there is none). */
extern const char *vci_issuer_url_path(const char *url);

/* url's host[:port] as a Host header has it (no default port), malloc'd. */
extern char *vci_issuer_url_authority(const char *url);

/* What stands in iss: url, or its did:web. malloc'd. */
extern char *vci_issuer_iss(const VciIssuer *issuer);

/*
 * Checks a configuration as an operator gives it: id and vct not empty and printable,
 * known format, pointers well-formed, nothing both always disclosed and selectively
 * disclosable, no pointer at a reserved claim, claims descriptions as appendix B.3
 * demands (no path twice, no contradiction), display objects with a name, a unique
 * locale, https or data logo URIs, CSS colours as #rgb or #rrggbb; decoys 0 to 64.
 * VCI_ERR_CONFIGURATION, VCI_ERR_CLAIM_PATH, VCI_ERR_CLAIM_RESERVED; the text says
 * what was expected.
 */
extern VciStatus vci_configuration_check(const VciConfiguration *configuration, VciError *error);

/* Checks an issuer's display array the same way. */
extern VciStatus vci_issuer_display_check(const VciJson *display, VciError *error);

/*
 * Checks the fields of the built-in consent page: array of 1 to 8 {name, type, label,
 * display, required}, of which name and one of label and display must be there.
 * VCI_ERR_CONFIGURATION.
 */
extern VciStatus vci_login_fields_check(const VciJson *fields, VciError *error);

/*
 * Turns the shorthand that operators may write, an array whose elements are names
 * ("programName") or pointers (["amount","value"]), into an array of pointers; new.
 */
extern VciStatus vci_claims_paths_normalize(const VciJson *given, VciJson **paths, VciError *error);

#endif
