#include "compat.h"

#include "miscadmin.h"

#include "../protocol/credential.h"
#include "../protocol/proof.h"
#include "credential_endpoint.h"
#include "holder.h"
#include "issuance.h"
#include "release.h"
#include "token_endpoint.h"
#include "values.h"

#define PROOF_LEEWAY 60 /* seconds that a wallet's clock may be ahead */

typedef struct SpentNonce
{
	int64 issued_at;
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
} SpentNonce;

/* One credential request on its way through the checks. */
typedef struct CredentialCall
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	VciCredentialRequest *request;
	VciTokenRow *token;
	VciOfferRow *offer;
	const VciConfiguration *configuration;
	int position; /* of the configuration */
	const char *format;
	VciNamedHolder holder;
	VciKey *keys[VCI_MAX_PROOFS]; /* a credential for each; NULL: without cnf */
	int key_count;
	SpentNonce nonces[VCI_MAX_PROOFS];
	int nonce_count;
	unsigned char digest[VCI_DIGEST_BYTES];
	int64 now;
} CredentialCall;

static bool
is_older(const CredentialCall *call)
{
	return call->request->older_shape || call->request->singular_proof;
}

/* RFC 6750: the token's own MAC, before any row is read. */
static VciStatus
open_token(const CredentialCall *call, int64_t *id, int32_t *generation, VciError *error)
{
	const char *text;
	size_t len;
	VciStatus status = vci_http_bearer_token(call->http, &text, &len, error);

	if (status == VCI_OK)
		status = vci_ticket_open(&call->issuer->ticket_key, VCI_TICKET_TOKEN, text, len, id,
								 generation, error);
	return status;
}

/* Locks the token's row, so that requests under one token come one after the other. */
static VciStatus
check_token(CredentialCall *call, int64 id, int32 generation, VciError *error)
{
	call->token = vci_store_token(call->store, id);
	if (call->token == NULL || call->token->issuer_id != call->issuer->rules.id ||
		call->token->generation != generation)
		return vci_error(error, VCI_ERR_TOKEN, "this access token is no longer known");
	if (call->token->expires_at <= call->now)
		return vci_error(error, VCI_ERR_TOKEN, "this access token has expired");
	call->offer = vci_store_offer(call->store, call->token->offer_id, true);
	if (call->offer == NULL || call->offer->cancelled ||
		call->offer->generation != call->token->offer_generation)
		return vci_error(error, VCI_ERR_TOKEN,
						 "the issuer has withdrawn the offer of this access token");
	return VCI_OK;
}

static VciJson *
covered_configurations(const VciTokenRow *token)
{
	VciJson **covered = vci_own_json();

	vci_require_memory(*covered = vci_json_new_array());
	for (int i = 0; i < token->configuration_count; i++)
		vci_require_done(vci_json_append_string(*covered, token->configuration_ids[i]));
	return *covered;
}

static VciStatus
match_configuration(CredentialCall *call, VciError *error)
{
	const VciIssuerEntry *issuer = call->issuer;
	VciStatus status = vci_credential_request_match(
		call->request, issuer->configurations, issuer->configuration_count,
		covered_configurations(call->token), call->token->identifiers, &call->configuration, error);

	if (status != VCI_OK)
		return status;
	call->position = call->configuration - issuer->configurations;
	call->format = vci_credential_format(call->request, call->configuration);
	return VCI_OK;
}

/* The nonce's own MAC and age, before any signature is checked. */
static VciStatus
check_nonce(CredentialCall *call, const VciProof *proof, VciError *error)
{
	SpentNonce nonce;
	int64_t issued_at;
	VciStatus status;

	if (proof->nonce == NULL)
		return vci_error(error, VCI_ERR_NONCE_MISSING,
						 "the proof has no nonce; get a c_nonce from the nonce endpoint");
	status = vci_nonce_open(&call->issuer->nonce_key, VCI_NONCE_CREDENTIAL, call->issuer->rules.id, call->issuer->epoch,
							call->now, call->issuer->rules.c_nonce_lifetime, proof->nonce,
							strlen(proof->nonce), nonce.random, &issued_at, error);
	if (status != VCI_OK)
		return status;
	nonce.issued_at = issued_at;
	/* several proofs of one request may share a nonce */
	for (int i = 0; i < call->nonce_count; i++)
		if (memcmp(call->nonces[i].random, nonce.random, VCI_NONCE_RANDOM_BYTES) == 0)
			return VCI_OK;
	call->nonces[call->nonce_count++] = nonce;
	return VCI_OK;
}

static VciStatus
add_key(CredentialCall *call, VciKey *key, VciError *error)
{
	for (int i = 0; i < call->key_count; i++)
		if (vci_key_equal(call->keys[i], key))
			return vci_error(error, VCI_ERR_PROOF,
							 "two proofs are by the same key; each credential needs its own");
	call->keys[call->key_count++] = key;
	return VCI_OK;
}

static VciStatus
check_proof(CredentialCall *call, const char *jwt, VciError *error)
{
	bool older = is_older(call) && (call->configuration->older & VCI_OLDER_UNTYPED_PROOF);
	VciProofPolicy policy = {.kind = older ? VCI_PROOF_OLDER : VCI_PROOF_STRICT,
							 .audience = call->issuer->rules.url,
							 .now = call->now,
							 .max_age = call->issuer->rules.proof_max_age,
							 .leeway = PROOF_LEEWAY};
	VciProof **proof = vci_own_proof();
	VciStatus status = vci_proof_parse(jwt, strlen(jwt), &policy, proof, error);

	if (status == VCI_OK)
		status = check_nonce(call, *proof, error);
	if (status == VCI_OK)
		status = vci_proof_resolve_key(call->store, *proof, &call->holder, error);
	if (status == VCI_OK)
		status = vci_proof_verify(*proof, error);
	if (status == VCI_OK)
		status = vci_holder_check(&call->holder, *proof, error);
	if (status == VCI_OK)
		status = add_key(call, (*proof)->key, error);
	/* one proof that is too large is a bad proof of a request that is not (section 8.3.1.2) */
	if (status == VCI_ERR_TOO_LARGE)
		status = error->code = VCI_ERR_PROOF;
	return status;
}

/* A request without proof: may it be, and what is the credential bound to then? */
static VciStatus
check_absent_proof(CredentialCall *call, VciError *error)
{
	bool named = call->holder.did != NULL || call->holder.key != NULL;

	if (named && (call->configuration->older & VCI_OLDER_HOLDER_WITHOUT_PROOF) && is_older(call))
	{
		if (call->holder.key == NULL)
			return vci_error(error, VCI_ERR_DID_UNKNOWN,
							 "the DID that the offer names tells no single key, so a proof is "
							 "needed");
		call->keys[call->key_count++] = call->holder.key;
		return VCI_OK;
	}
	if (call->configuration->binding == VCI_HOLDER_REQUIRED || named)
		return vci_error(error, VCI_ERR_PROOF_MISSING,
						 "this credential is bound to a key: send proofs with a jwt");
	call->keys[call->key_count++] = NULL;
	return VCI_OK;
}

static VciStatus
check_proofs(CredentialCall *call, VciError *error)
{
	VciStatus status;

	if (call->configuration->binding == VCI_HOLDER_ABSENT)
	{
		if (call->offer->holder_did != NULL || call->offer->holder_jwk != NULL)
			return vci_error(error, VCI_ERR_DENIED,
							 "the offer is for one holder, but this credential is bound to none");
		call->keys[call->key_count++] = NULL;
		return VCI_OK;
	}
	if (call->request->proof_count > (size_t) call->issuer->rules.batch_size)
		return vci_error(error, VCI_ERR_PROOF, "%zu proofs came, this issuer takes at most %d",
						 call->request->proof_count, call->issuer->rules.batch_size);
	status = vci_named_holder(call->store, call->offer, &call->holder, error);
	if (status == VCI_OK && call->request->proof_count == 0)
		return check_absent_proof(call, error);
	for (size_t i = 0; status == VCI_OK && i < call->request->proof_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		status = check_proof(call, call->request->proofs[i], error);
	}
	return status;
}

static VciJson *
jwk_of(const VciKey *key)
{
	VciJson **jwk = vci_own_json();

	vci_require_memory(*jwk = vci_key_public_jwk(key));
	return *jwk;
}

static VciAnswer *
answer_with(CredentialCall *call, const char *const *credentials)
{
	VciJson **body = vci_own_json();

	*body = vci_credential_response(call->request, call->format, credentials, call->key_count);
	vci_require_memory(*body);
	return vci_answer_no_store(200, *body);
}

/*
 * A wallet that lost the answer repeats its request to the byte: it gets the credential
 * of the same record again. Anything else was answered already.
 */
static VciStatus
check_repeated(const CredentialCall *call, const VciCredentialRow *rows, int count, VciError *error)
{
	const VciCredentialRow *row = &rows[0];

	if (count == call->key_count && row->request_digest != NULL &&
		VARSIZE_ANY_EXHDR(row->request_digest) == VCI_DIGEST_BYTES &&
		memcmp(VARDATA_ANY(row->request_digest), call->digest, VCI_DIGEST_BYTES) == 0 &&
		call->issuer->rules.retry_window > 0 && row->age <= call->issuer->rules.retry_window &&
		row->age >= 0)
		return VCI_OK;
	return vci_error(error, VCI_ERR_ALREADY_ISSUED,
					 "this credential was already issued under this access token; ask the issuer "
					 "for a new offer if it got lost");
}

static VciSignedCredential
sign(CredentialCall *call, const VciJson *claims, int n, int64 issued_at)
{
	const VciJson *jwk = call->keys[n] ? jwk_of(call->keys[n]) : NULL;

	return vci_sign_credential(call->issuer, call->position, call->format, claims, jwk, issued_at);
}

/* All of them or none: a wallet keeps its fresh ones when another was spent already. */
static VciStatus
spend_nonces(CredentialCall *call, VciError *error)
{
	for (int i = 0; i < call->nonce_count; i++)
	{
		if (vci_store_spend_nonce(call->store, call->nonces[i].issued_at, call->nonces[i].random))
			continue;
		while (--i >= 0)
			vci_store_unspend_nonce(call->store, call->nonces[i].issued_at, call->nonces[i].random);
		return vci_error(error, VCI_ERR_NONCE,
						 "this c_nonce was used already; get a fresh one from the nonce endpoint");
	}
	return VCI_OK;
}

static void
record(CredentialCall *call, int n, const VciSignedCredential *credential)
{
	char thumbprint[VCI_THUMBPRINT_SIZE];
	VciError error = VCI_ERROR_INIT;
	VciNewCredential row = {.issuer_id = call->issuer->rules.id,
							.offer_id = call->offer->id,
							.token_id = call->token->id,
							.key_id = call->issuer->signing.id,
							.instance = n + 1,
							.issued_at = call->now,
							.expires_at = credential->expires_at,
							.configuration_id = call->configuration->id,
							.format = call->format,
							.subject_model = call->offer->subject_model,
							.subject_id = call->offer->subject_id,
							.request_digest = call->digest};

	if (call->keys[n] != NULL)
	{
		vci_require(vci_key_thumbprint(call->keys[n], thumbprint, &error), &error);
		row.holder_thumbprint = thumbprint;
	}
	(void) vci_store_insert_credential(call->store, &row);
}

/* The same record's credentials again, by the key that signs now. */
static void
repeat(CredentialCall *call, const VciCredentialRow *rows, const VciJson *claims,
	   const char **texts)
{
	for (int i = 0; i < call->key_count; i++)
	{
		texts[i] = sign(call, claims, i, rows[i].issued_at).sd_jwt;
		if (rows[i].key_id != call->issuer->signing.id)
			vci_store_set_credential_key(call->store, rows[i].id, call->issuer->signing.id);
	}
}

/* Signs, spends the nonces, records. The nonces come first of what is written. */
static VciStatus
issue_first(CredentialCall *call, const VciJson *claims, const char **texts, VciError *error)
{
	VciSignedCredential credentials[VCI_MAX_PROOFS];
	VciStatus status;

	for (int i = 0; i < call->key_count; i++)
	{
		credentials[i] = sign(call, claims, i, call->now);
		texts[i] = credentials[i].sd_jwt;
	}
	status = spend_nonces(call, error);
	if (status != VCI_OK)
		return status;
	for (int i = 0; i < call->key_count; i++)
		record(call, i, &credentials[i]);
	vci_store_mark_issued(call->store, call->offer->id);
	return VCI_OK;
}

/* Everything about the request holds: issue, or repeat what was issued. */
static VciStatus
issue(CredentialCall *call, VciAnswer **answer, VciError *error)
{
	const char *texts[VCI_MAX_PROOFS];
	VciJson *claims;
	int count;
	VciCredentialRow *rows = vci_store_credentials_of_token(call->store, call->token->id,
															call->configuration->id, &count);
	VciStatus status = count > 0 ? check_repeated(call, rows, count, error) : VCI_OK;

	if (status == VCI_OK)
		status =
			vci_collect_claims(call->store, call->issuer, call->position, call->offer->claims,
							   call->offer->subject_model, call->offer->subject_id, &claims, error);
	if (status != VCI_OK)
		return status;
	if (count > 0)
		repeat(call, rows, claims, texts);
	else
		status = issue_first(call, claims, texts, error);
	if (status == VCI_OK)
		*answer = answer_with(call, texts);
	return status;
}

/* Drafts up to 13 hand a fresh c_nonce to a wallet whose proof was refused. */
static VciAnswer *
refuse(const CredentialCall *call, const VciError *error)
{
	VciAsker asker = is_older(call) ? VCI_ASKER_CREDENTIAL_OLDER : VCI_ASKER_CREDENTIAL;
	VciOAuthError oauth = vci_oauth_error(error->code, asker);
	VciJson **more;

	if (asker == VCI_ASKER_CREDENTIAL || oauth.code == NULL ||
		strcmp(oauth.code, "invalid_proof") != 0)
		return vci_answer_error(error, asker, NULL);
	more = vci_own_json();
	vci_require_memory(*more = vci_json_new_object());
	vci_require_done(
		vci_json_set_string(*more, "c_nonce", vci_new_nonce(call->issuer)) &&
		vci_json_set_int64(*more, "c_nonce_expires_in", call->issuer->rules.c_nonce_lifetime));
	return vci_answer_error(error, asker, *more);
}

VciAnswer *
vci_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	CredentialCall call = {.store = store, .issuer = issuer, .http = http, .now = vci_now()};
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer = NULL;
	int64_t token_id;
	int32_t generation;
	VciStatus status;

	call.request = vci_own_credential_request();
	vci_require(vci_sha256(http->body, http->body_len, call.digest, &error), &error);
	status = open_token(&call, &token_id, &generation, &error);
	if (status == VCI_OK)
		status = vci_http_content_type_check(http, "application/json", &error);
	if (status == VCI_OK)
		status = vci_credential_request_parse(http->body, http->body_len, call.request, &error);
	if (status == VCI_OK)
		status = check_token(&call, token_id, generation, &error);
	if (status == VCI_OK)
	{
		vci_cache_require_key(issuer);
		status = match_configuration(&call, &error);
	}
	if (status == VCI_OK)
		status = check_proofs(&call, &error);
	if (status == VCI_OK)
		status = issue(&call, &answer, &error);
	return status == VCI_OK ? answer : refuse(&call, &error);
}
