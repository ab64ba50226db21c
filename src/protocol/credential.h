/*
 * The credential endpoint (OpenID4VCI 1.0 section 8) and the request shape of OpenSPP's
 * guide (drafts 11 to 13): the answer has the shape of the question.
 */
#ifndef VCI_CREDENTIAL_H
#define VCI_CREDENTIAL_H

#include "status_list.h"

#define VCI_MAX_PROOFS 32

/* The shape of an answer follows the question's. */
typedef enum VciResponseShape
{
	VCI_RESPONSE_CREDENTIALS, /* 1.0: credentials, an array of objects */
	VCI_RESPONSE_OLDER,		  /* drafts 11 to 13: format and credential */
	VCI_RESPONSE_OLDER_PLURAL /* draft 14: format and credentials, an array of strings */
} VciResponseShape;

typedef struct VciCredentialRequest
{
	VciJson *body;
	bool older_shape;			  /* format instead of credential_configuration_id/identifier */
	const char *configuration_id; /* lent; NULL when absent */
	const char *identifier;		  /* lent; NULL when absent */
	const char *format;			  /* older shape */
	const char *vct;			  /* older shape */
	const char *type;			  /* older shape: last type of credential_definition */
	bool singular_proof;
	size_t proof_count;
	const char *proofs[VCI_MAX_PROOFS]; /* lent compact JWTs */
} VciCredentialRequest;

/*
 * Reads a request body (JSON object). VCI_ERR_JSON*, VCI_ERR_REQUEST (both or neither of
 * identifier and configuration id, proof and proofs together, wrong kinds),
 * VCI_ERR_ENCRYPTION (credential_response_encryption is asked for: not offered here),
 * VCI_ERR_PROOF (proofs empty, not exactly one proof type, over 32), VCI_ERR_PROOF_TYPE
 * (a type other than jwt).
 */
extern VciStatus vci_credential_request_parse(const char *body, size_t len,
											  VciCredentialRequest *request, VciError *error);
extern void vci_credential_request_free(VciCredentialRequest *request);

/* The same from an object that is parsed already; takes over body, also when it fails. */
extern VciStatus vci_credential_request_read(VciJson *body, VciCredentialRequest *request,
											 VciError *error);

/* Does it have a shape of drafts 11 to 15? */
extern bool vci_credential_request_is_older(const VciCredentialRequest *request);

/*
 * Which of the issuer's configurations the request means. VCI_ERR_CONFIGURATION_UNKNOWN,
 * VCI_ERR_IDENTIFIER_UNKNOWN; a shape that the configuration's switches do not allow is
 * VCI_ERR_REQUEST with a text that names the switch. covered (array of ids) is what the
 * token covers: among several that match an older request, a covered one is chosen; a
 * known one that is not covered is VCI_ERR_SCOPE. identifiers tells whether the token
 * was given with credential_identifiers: then only an identifier may be used (else
 * VCI_ERR_REQUEST), and one of another token is unknown; without them each identifier is.
 * datasets are the offer's (dataset.h; NULL: none); *dataset is the number of the one that is
 * asked for. The caller compares proof_count with the issuer's batch_size.
 */
extern VciStatus vci_credential_request_match(const VciCredentialRequest *request,
											  const VciConfiguration *configurations, size_t count,
											  const VciJson *covered, bool identifiers,
											  const VciJson *datasets,
											  const VciConfiguration **match, int *dataset,
											  VciError *error);

/* The typ and format the answer carries: "dc+sd-jwt" or "vc+sd-jwt". Static. */
extern const char *vci_credential_format(const VciCredentialRequest *request,
										 const VciConfiguration *configuration);

typedef struct VciCredentialParts
{
	const VciIssuer *issuer;
	const VciConfiguration *configuration;
	const char *format;		   /* typ of the header */
	const VciJson *claims;	   /* the subject's, checked */
	const VciJson *holder_jwk; /* public JWK for cnf; NULL: none */
	const char *kid;
	VciJson *x5c;				  /* certificate chain of key for the header; NULL: none */
	const VciKey *key;			  /* the issuer's private key */
	int64_t issued_at;			  /* seconds since 1970, not yet rounded */
	const char *vct_integrity;	  /* digest of the type metadata; NULL: none */
	const VciStatusEntry *status; /* its place in a status list; NULL: none */
} VciCredentialParts;

/*
 * Builds and signs one SD-JWT VC: registered claims (iat rounded down by time_rounding, but
 * by no more than half of the validity; exp = iat + validity), cnf, status, concealed claims.
 * VCI_ERR_CLAIM_RESERVED for a claim credentialStatus where the configuration has w3c_status.
 * *sd_jwt is malloc'd; *expires_at is exp as signed, 0 when there is none.
 */
extern VciStatus vci_credential_build(const VciCredentialParts *parts, char **sd_jwt,
									  int64_t *expires_at, VciError *error);

extern VciResponseShape vci_credential_response_shape(const VciCredentialRequest *request);

/* "credentials", "older", "older_plural"; static. By name: false for an unknown one. */
extern const char *vci_response_shape_name(VciResponseShape shape);
extern bool vci_response_shape_by_name(const char *name, VciResponseShape *shape);

/*
 * The response: {"credentials":[{"credential":...}],"notification_id"}, or in older shapes
 * {"format","credential"} and {"format","credentials":["..."]}. notification_id (NULL: none)
 * is left out of the older ones. New; NULL when memory is out.
 */
extern VciJson *vci_credential_response(VciResponseShape shape, const char *format,
										const char *const *credentials, size_t count,
										const char *notification_id);

#endif
