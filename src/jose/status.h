/*
 * Outcome of a core function: a status code and a short text for people.
 *
 * Core functions return VciStatus and fill a caller-owned VciError. The text is
 * safe to hand to a stranger: printable ASCII without '"' and '\' (the set that
 * RFC 6749, section 5.2, allows in error_description), and never a secret.
 */
#ifndef VCI_STATUS_H
#define VCI_STATUS_H

typedef enum VciStatus
{
	VCI_OK = 0,

	/* the server's fault */
	VCI_ERR_MEMORY,
	VCI_ERR_CRYPTO,	  /* the crypto library failed for no fault of the input */
	VCI_ERR_INTERNAL, /* a caller broke the contract of a function */
	VCI_ERR_SEAL,	  /* a sealed value does not open under its key */
	VCI_ERR_ROOT_KEY, /* the root key text is missing or malformed */

	/* shape of an input */
	VCI_ERR_TOO_LARGE,
	VCI_ERR_UTF8,
	VCI_ERR_BASE64URL,
	VCI_ERR_JSON,
	VCI_ERR_JSON_DUPLICATE,
	VCI_ERR_JSON_DEPTH,
	VCI_ERR_FORM,
	VCI_ERR_FORM_DUPLICATE,
	VCI_ERR_HTTP, /* malformed target or header */
	VCI_ERR_MEDIA_TYPE,

	/* keys, signatures, SD-JWT */
	VCI_ERR_JWK,
	VCI_ERR_JWK_PRIVATE, /* private material where a public key belongs */
	VCI_ERR_KEY_UNSUPPORTED,
	VCI_ERR_CERTIFICATE,
	VCI_ERR_DID,
	VCI_ERR_DID_UNKNOWN, /* a did:web whose document nobody loaded */
	VCI_ERR_JWS,
	VCI_ERR_JWS_ALG,
	VCI_ERR_JWS_CRIT,
	VCI_ERR_JWS_TYP,
	VCI_ERR_JWS_SIGNATURE,
	VCI_ERR_SD_JWT,
	VCI_ERR_SD_HASH,
	VCI_ERR_EXPIRED, /* exp lies in the past */
	VCI_ERR_NOT_YET_VALID,
	VCI_ERR_REVOKED, /* its status list says so, also below */
	VCI_ERR_SUSPENDED,
	VCI_ERR_STATUS_UNKNOWN, /* a status claim that names no list or place */

	/* claims and configurations */
	VCI_ERR_CLAIM_RESERVED,
	VCI_ERR_CLAIM_PATH,
	VCI_ERR_CLAIM_MISSING, /* a mandatory claim is absent */
	VCI_ERR_CONFIGURATION,

	/* token endpoint */
	VCI_ERR_REQUEST, /* a parameter is missing or malformed */
	VCI_ERR_GRANT_TYPE,
	VCI_ERR_GRANT, /* unknown, forged, cancelled, expired or spent code */
	VCI_ERR_TX_CODE_MISSING,
	VCI_ERR_TX_CODE_UNEXPECTED,
	VCI_ERR_TX_CODE_WRONG,
	VCI_ERR_OFFER_LOCKED,
	VCI_ERR_AUTHORIZATION_DETAILS,
	VCI_ERR_TOO_MANY, /* a limit is reached for now: try again later */
	VCI_ERR_PAUSED,	  /* the issuer has stopped issuance for now */

	/* clients, authorization code and refresh token grants */
	VCI_ERR_CLIENT,		  /* unknown client, or another than the one that is bound */
	VCI_ERR_REDIRECT_URI, /* not registered, or another than that of the request */
	VCI_ERR_PKCE,		  /* code_challenge or code_verifier missing, malformed or wrong */
	VCI_ERR_RESPONSE_TYPE,
	VCI_ERR_SCOPE_UNKNOWN,	/* no scope value names a credential */
	VCI_ERR_REQUEST_URI,	/* unknown, used or expired request_uri */
	VCI_ERR_REQUEST_OBJECT, /* a request parameter (RFC 9101), which is not taken here */
	VCI_ERR_ISSUER_STATE,
	VCI_ERR_ACCESS_DENIED, /* the person or the registry said no */

	/* DPoP */
	VCI_ERR_DPOP,
	VCI_ERR_DPOP_NONCE, /* a nonce of ours is needed, or a fresh one */

	/* credential endpoint */
	VCI_ERR_TOKEN_MISSING,
	VCI_ERR_TOKEN, /* malformed, forged, expired or revoked access token */
	VCI_ERR_SCOPE,
	VCI_ERR_CONFIGURATION_UNKNOWN,
	VCI_ERR_IDENTIFIER_UNKNOWN,
	VCI_ERR_ENCRYPTION,
	VCI_ERR_PROOF_MISSING,
	VCI_ERR_PROOF,
	VCI_ERR_PROOF_TYPE,
	VCI_ERR_PROOF_AUDIENCE,
	VCI_ERR_PROOF_TIME,
	VCI_ERR_NONCE_MISSING,
	VCI_ERR_NONCE,
	VCI_ERR_HOLDER, /* the proof's key is not the holder's that was named */
	VCI_ERR_ALREADY_ISSUED,
	VCI_ERR_DENIED,

	/* deferred and notification endpoints */
	VCI_ERR_TRANSACTION,  /* unknown or used transaction_id */
	VCI_ERR_NOTIFICATION, /* malformed notification request */
	VCI_ERR_NOTIFICATION_ID
} VciStatus;

#define VCI_ERROR_TEXT_SIZE 256

typedef struct VciError
{
	VciStatus code;
	char text[VCI_ERROR_TEXT_SIZE];
} VciError;

/* An empty error, to be handed to core functions. */
#define VCI_ERROR_INIT                                                                             \
	{                                                                                              \
		VCI_OK,                                                                                    \
		{                                                                                          \
			0                                                                                      \
		}                                                                                          \
	}

/*
 * Records code and text unless an earlier error stands there already; returns
 * code, so that callers can write "return vci_error(...)". error may be NULL.
 * Bytes outside the error_description set become '?' ('"' becomes '\'').
 */
extern VciStatus vci_error(VciError *error, VciStatus code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Stable lower-case name of a status, e.g. "jws_signature"; never NULL. */
extern const char *vci_status_name(VciStatus status);

#endif
