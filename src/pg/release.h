/*
 * Ownership of what the core allocates with malloc: a slot that lives in
 * CurrentMemoryContext and releases its content when the context goes, by return or by
 * error. The slot is made before the handle, so that no error can come in between.
 */
#ifndef VCI_RELEASE_H
#define VCI_RELEASE_H

#include "../jose/ff1.h"
#include "../jose/jwk.h"
#include "../jose/seal.h"
#include "../jose/sd_jwt.h"
#include "../protocol/authorization.h"
#include "../protocol/access_token.h"
#include "../protocol/credential_batch.h"
#include "../protocol/deferred.h"
#include "../protocol/dpop.h"
#include "../protocol/http.h"
#include "../protocol/notification.h"
#include "../protocol/proof.h"
#include "../protocol/token.h"

extern VciJson **vci_own_json(void);
extern VciKey **vci_own_key(void);
extern char **vci_own_text(void);
extern VciProof **vci_own_proof(void);
extern VciDpop **vci_own_dpop(void);
extern VciAccessToken **vci_own_access_token(void);
extern VciSdJwt **vci_own_sd_jwt(void);
extern VciDigest **vci_own_digest(void);
extern VciFf1 **vci_own_permutation(void);

/* Bytes that are wiped when they are freed; set both members. */
typedef struct VciSensitiveBytes
{
	unsigned char *data;
	size_t len;
} VciSensitiveBytes;

extern VciSensitiveBytes *vci_own_sensitive(void);

/* Structs of the core whose members are freed, not the struct itself. */
extern VciTokenRequest *vci_own_token_request(void);
extern VciAuthorizationRequest *vci_own_authorization_request(void);
extern VciCredentialRequest *vci_own_credential_request(void);
extern VciCredentialBatch *vci_own_credential_batch(void);
extern VciDeferredRequest *vci_own_deferred_request(void);
extern VciNotification *vci_own_notification(void);
extern VciHttpRequest *vci_own_http_request(void);
extern VciForm *vci_own_form(void);

#endif
