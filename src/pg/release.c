#include "compat.h"

#include "release.h"

#include "utils/memutils.h"

typedef struct OwnedHandle
{
	MemoryContextCallback callback;
	void *handle;
} OwnedHandle;

static void **
own(MemoryContextCallbackFunction release)
{
	OwnedHandle *owned = palloc0(sizeof(OwnedHandle));

	owned->callback.func = release;
	owned->callback.arg = owned;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &owned->callback);
	return &owned->handle;
}

/* A struct of the core, zeroed, whose members release frees. */
static void *
own_struct(size_t size, MemoryContextCallbackFunction release)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	callback->func = release;
	callback->arg = palloc0(size);
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return callback->arg;
}

static void
release_json(void *arg)
{
	vci_json_free(((OwnedHandle *) arg)->handle);
}

static void
release_key(void *arg)
{
	vci_key_free(((OwnedHandle *) arg)->handle);
}

static void
release_text(void *arg)
{
	free(((OwnedHandle *) arg)->handle);
}

static void
release_proof(void *arg)
{
	vci_proof_free(((OwnedHandle *) arg)->handle);
}

static void
release_dpop(void *arg)
{
	vci_dpop_free(((OwnedHandle *) arg)->handle);
}

static void
release_access_token(void *arg)
{
	vci_access_token_free(((OwnedHandle *) arg)->handle);
}

static void
release_sd_jwt(void *arg)
{
	vci_sd_jwt_free(((OwnedHandle *) arg)->handle);
}

static void
release_digest(void *arg)
{
	vci_digest_free(((OwnedHandle *) arg)->handle);
}

static void
release_permutation(void *arg)
{
	vci_ff1_free(((OwnedHandle *) arg)->handle);
}

static void
release_sensitive(void *arg)
{
	VciSensitiveBytes *bytes = arg;

	if (bytes->data != NULL)
		vci_wipe(bytes->data, bytes->len);
	free(bytes->data);
}

static void
release_token_request(void *arg)
{
	vci_token_request_free(arg);
}

static void
release_authorization_request(void *arg)
{
	vci_authorization_request_free(arg);
}

static void
release_credential_request(void *arg)
{
	vci_credential_request_free(arg);
}

static void
release_form(void *arg)
{
	vci_form_free(arg);
}

static void
release_credential_batch(void *arg)
{
	vci_credential_batch_free(arg);
}

static void
release_deferred_request(void *arg)
{
	vci_deferred_request_free(arg);
}

static void
release_notification(void *arg)
{
	vci_notification_free(arg);
}

static void
release_http_request(void *arg)
{
	free(((VciHttpRequest *) arg)->path);
}

VciJson **
vci_own_json(void)
{
	return (VciJson **) own(release_json);
}

VciKey **
vci_own_key(void)
{
	return (VciKey **) own(release_key);
}

char **
vci_own_text(void)
{
	return (char **) own(release_text);
}

VciProof **
vci_own_proof(void)
{
	return (VciProof **) own(release_proof);
}

VciDpop **
vci_own_dpop(void)
{
	return (VciDpop **) own(release_dpop);
}

VciAccessToken **
vci_own_access_token(void)
{
	return (VciAccessToken **) own(release_access_token);
}

VciSdJwt **
vci_own_sd_jwt(void)
{
	return (VciSdJwt **) own(release_sd_jwt);
}

VciDigest **
vci_own_digest(void)
{
	return (VciDigest **) own(release_digest);
}

VciFf1 **
vci_own_permutation(void)
{
	return (VciFf1 **) own(release_permutation);
}

VciSensitiveBytes *
vci_own_sensitive(void)
{
	return own_struct(sizeof(VciSensitiveBytes), release_sensitive);
}

VciTokenRequest *
vci_own_token_request(void)
{
	return own_struct(sizeof(VciTokenRequest), release_token_request);
}

VciAuthorizationRequest *
vci_own_authorization_request(void)
{
	return own_struct(sizeof(VciAuthorizationRequest), release_authorization_request);
}

VciCredentialRequest *
vci_own_credential_request(void)
{
	return own_struct(sizeof(VciCredentialRequest), release_credential_request);
}

VciForm *
vci_own_form(void)
{
	return own_struct(sizeof(VciForm), release_form);
}

VciCredentialBatch *
vci_own_credential_batch(void)
{
	return own_struct(sizeof(VciCredentialBatch), release_credential_batch);
}

VciDeferredRequest *
vci_own_deferred_request(void)
{
	return own_struct(sizeof(VciDeferredRequest), release_deferred_request);
}

VciNotification *
vci_own_notification(void)
{
	return own_struct(sizeof(VciNotification), release_notification);
}

VciHttpRequest *
vci_own_http_request(void)
{
	return own_struct(sizeof(VciHttpRequest), release_http_request);
}
