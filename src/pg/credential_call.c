#include "compat.h"

#include "miscadmin.h"

#include "../protocol/deferred.h"
#include "../protocol/proof.h"
#include "backend_curves.h"
#include "credential_call.h"
#include "event.h"
#include "offer_end.h"
#include "offer_functions.h"
#include "release.h"
#include "ticket.h"
#include "token_endpoint.h"
#include "values.h"

#define PROOF_LEEWAY 60 /* seconds that a wallet's clock may be ahead */

VciStatus
vci_credential_session_open(VciCredentialSession *session, const VciHttpRequest *http,
							VciEndpoint endpoint, VciError *error)
{
	VciStatus status = vci_check_issuance(session->issuer, error);

	if (status != VCI_OK)
		return status;
	session->now = vci_now();
	vci_require(vci_sha256(http->body, http->body_len, session->digest, error), error);
	status =
		vci_access_open(session->store, session->issuer, http, endpoint, &session->access, error);
	if (status == VCI_OK)
		status = vci_http_content_type_check(http, "application/json", error);
	return status;
}

VciJson *
vci_stored_json(const char *text)
{
	VciJson **json = vci_own_json();
	VciError error = VCI_ERROR_INIT;

	if (text != NULL)
		vci_require(vci_json_parse(text, strlen(text), json, &error), &error);
	return *json;
}

VciStatus
vci_credential_session_lock(VciCredentialSession *session, VciError *error)
{
	VciAccess *access = &session->access;
	VciStatus status =
		vci_access_lock(session->store, session->issuer, session->now, false, access, error);

	if (status != VCI_OK)
		return status;
	vci_cache_require_key(session->issuer);
	session->datasets = vci_offer_datasets(access->offer);
	session->of_offer = (VciDataset){.subject_model = access->offer->subject_model,
									 .subject_id = access->offer->subject_id,
									 .claims = vci_offer_claims(access->offer)};
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
match_dataset(VciCredentialCall *call, VciError *error)
{
	const VciCredentialSession *session = call->session;
	const VciIssuerEntry *issuer = session->issuer;
	const VciTokenRow *token = session->access.token;
	VciStatus status = vci_credential_request_match(
		call->request, issuer->configurations, issuer->configuration_count,
		covered_configurations(token), token->identifiers, session->datasets, &call->configuration,
		&call->number, error);

	if (status != VCI_OK)
		return status;
	call->position = call->configuration - issuer->configurations;
	call->format = vci_credential_format(call->request, call->configuration);
	if (!vci_dataset_find(session->datasets, call->configuration->id, call->number,
						  &session->of_offer, &call->dataset))
		return vci_error(error, VCI_ERR_IDENTIFIER_UNKNOWN,
						 "the offer holds no dataset %d of this credential", call->number);
	return VCI_OK;
}

/* The nonce's own MAC and age, before any signature is checked. */
static VciStatus
check_nonce(VciCredentialSession *session, const VciProof *proof, VciError *error)
{
	const VciIssuerEntry *issuer = session->issuer;
	VciSpentNonce nonce;
	int64_t issued_at;
	VciStatus status;

	if (proof->nonce == NULL)
		return vci_error(error, VCI_ERR_NONCE_MISSING,
						 "the proof has no nonce; get a c_nonce from the nonce endpoint");
	status = vci_nonce_open(&issuer->ticket_keys, VCI_NONCE_CREDENTIAL, issuer->rules.id,
							issuer->epoch, session->now, issuer->rules.c_nonce_lifetime,
							proof->nonce, strlen(proof->nonce), nonce.random, &issued_at, error);
	if (status != VCI_OK)
		return status;
	nonce.issued_at = issued_at;
	/* several proofs of one request may share a nonce */
	for (int i = 0; i < session->nonce_count; i++)
		if (memcmp(session->nonces[i].random, nonce.random, VCI_NONCE_RANDOM_BYTES) == 0)
			return VCI_OK;
	session->nonces[session->nonce_count++] = nonce;
	return VCI_OK;
}

static VciStatus
add_key(VciCredentialCall *call, VciKey *key, VciError *error)
{
	for (int i = 0; i < call->key_count; i++)
		if (vci_key_equal(call->keys[i], key))
			return vci_error(error, VCI_ERR_PROOF,
							 "two proofs are by the same key; each credential needs its own");
	call->keys[call->key_count++] = key;
	return VCI_OK;
}

static VciStatus
check_proof(VciCredentialCall *call, const char *jwt, VciError *error)
{
	VciStore *store = call->session->store;
	const VciIssuer *rules = &call->session->issuer->rules;
	bool older = vci_credential_request_is_older(call->request) &&
				 (call->configuration->older & VCI_OLDER_UNTYPED_PROOF);
	VciProofPolicy policy = {.kind = older ? VCI_PROOF_OLDER : VCI_PROOF_STRICT,
							 .audience = rules->url,
							 .now = call->session->now,
							 .max_age = rules->proof_max_age,
							 .leeway = PROOF_LEEWAY,
							 .curves = vci_backend_curves()};
	VciProof **proof = vci_own_proof();
	VciStatus status = vci_proof_parse(jwt, strlen(jwt), &policy, proof, error);

	if (status == VCI_OK)
		status = check_nonce(call->session, *proof, error);
	if (status == VCI_OK)
		status = vci_proof_resolve_key(store, *proof, &call->holder, error);
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
check_absent_proof(VciCredentialCall *call, VciError *error)
{
	bool named = call->holder.did != NULL || call->holder.key != NULL;

	if (named && (call->configuration->older & VCI_OLDER_HOLDER_WITHOUT_PROOF) &&
		vci_credential_request_is_older(call->request))
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
check_proofs(VciCredentialCall *call, VciError *error)
{
	const VciOfferRow *offer = call->session->access.offer;
	const VciIssuer *rules = &call->session->issuer->rules;
	VciStatus status;

	if (call->configuration->binding == VCI_HOLDER_ABSENT)
	{
		if (offer->holder_did != NULL || offer->holder_jwk != NULL)
			return vci_error(error, VCI_ERR_DENIED,
							 "the offer is for one holder, but this credential is bound to none");
		call->keys[call->key_count++] = NULL;
		return VCI_OK;
	}
	if (call->request->proof_count > (size_t) rules->batch_size)
		return vci_error(error, VCI_ERR_PROOF, "%zu proofs came, this issuer takes at most %d",
						 call->request->proof_count, rules->batch_size);
	status = vci_named_holder(call->session->store, offer, &call->holder, error);
	if (status == VCI_OK && call->request->proof_count == 0)
		return check_absent_proof(call, error);
	for (size_t i = 0; status == VCI_OK && i < call->request->proof_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		status = check_proof(call, call->request->proofs[i], error);
	}
	return status;
}

/* A wallet that lost the answer repeats its request to the byte, within the window. */
static bool
is_repeated(const VciCredentialSession *session, const bytea *digest, double age)
{
	int32 window = session->issuer->rules.retry_window;

	return digest != NULL && VARSIZE_ANY_EXHDR(digest) == VCI_DIGEST_BYTES &&
		   memcmp(VARDATA_ANY(digest), session->digest, VCI_DIGEST_BYTES) == 0 && window > 0 &&
		   age <= window && age >= 0;
}

/* One response a dataset and token: was it given already, or deferred? */
static VciStatus
look_up_earlier(VciCredentialCall *call, VciError *error)
{
	VciCredentialSession *session = call->session;
	int64 token = session->access.token->id;
	int64 offer = session->access.offer->id;
	const char *configuration = call->configuration->id;
	VciDeferredRow *deferred;
	int count = 0;

	/* of an offer that nothing was issued of, nothing was issued under its tokens */
	if (session->access.offer->issued)
		call->rows = vci_store_credentials_of_token(session->store, token, offer, configuration,
													call->number, &count);
	if (count > 0)
	{
		call->outcome = VCI_OUTCOME_REPEAT;
		if (count == call->key_count &&
			is_repeated(session, call->rows[0].request_digest, call->rows[0].age))
			return VCI_OK;
		return vci_error(error, VCI_ERR_ALREADY_ISSUED,
						 "this credential was already issued under this access token; ask the "
						 "issuer for a new offer if it got lost");
	}
	deferred =
		vci_store_deferred_of_token(session->store, token, offer, configuration, call->number);
	if (deferred == NULL)
		return VCI_OK;
	call->outcome = VCI_OUTCOME_REPEAT_DEFER;
	call->deferred_id = deferred->id;
	call->wait = deferred->wait_seconds;
	if (!deferred->issued && is_repeated(session, deferred->request_digest, deferred->age))
		return VCI_OK;
	return vci_error(error, VCI_ERR_ALREADY_ISSUED,
					 "this credential was already asked for under this access token; fetch it at "
					 "the deferred credential endpoint with its transaction_id");
}

static VciStatus
defer(VciCredentialCall *call, bool by_source, int32 wait, VciError *error)
{
	if (!call->session->issuer->rules.endpoints[VCI_ENDPOINT_DEFERRED_CREDENTIAL].enabled)
		return vci_error(error, VCI_ERR_DENIED,
						 "this credential is not ready, and this issuer defers none; try again "
						 "later");
	call->outcome = VCI_OUTCOME_DEFER;
	call->by_source = by_source;
	call->wait = wait;
	return VCI_OK;
}

static void
sign(VciCredentialCall *call, const VciJson *claims)
{
	VciStore *store = call->session->store;
	const VciIssuerEntry *issuer = call->session->issuer;

	for (int i = 0; i < call->key_count; i++)
	{
		int64 issued_at =
			call->outcome == VCI_OUTCOME_REPEAT ? call->rows[i].issued_at : call->session->now;
		VciJson **jwk = vci_own_json();
		VciSignedCredential credential;

		CHECK_FOR_INTERRUPTS();
		if (call->keys[i] != NULL)
			vci_require_memory(*jwk = vci_key_public_jwk(call->keys[i]));
		call->statuses[i] = call->outcome == VCI_OUTCOME_REPEAT
								? vci_recorded_status(store, &call->rows[i], call->configuration)
								: vci_allot_status(store, issuer, call->configuration);
		credential = vci_sign_credential(issuer, call->position, call->format, claims, *jwk,
										 &call->statuses[i], issued_at);
		call->credentials[i] = credential.sd_jwt;
		call->expires_at[i] = credential.expires_at;
	}
}

/* Claims and signatures, unless the credential has to wait. */
static VciStatus
prepare(VciCredentialCall *call, VciError *error)
{
	const VciIssuerEntry *issuer = call->session->issuer;
	const VciJson *claims;
	int32 wait;
	VciStatus status;

	if (call->outcome == VCI_OUTCOME_REPEAT_DEFER)
		return VCI_OK;
	status = vci_check_claims_kept(call->session->access.offer, error);
	if (status != VCI_OK)
		return status;
	if (call->outcome == VCI_OUTCOME_ISSUE && call->configuration->deferred)
		return defer(call, false, issuer->rules.deferred_interval, error);
	status = vci_collect_claims(call->session->store, issuer, call->position, &call->dataset,
								&claims, &wait, error);
	if (status != VCI_OK)
		return status;
	if (wait > 0 && call->outcome == VCI_OUTCOME_REPEAT)
		return vci_error(error, VCI_ERR_DENIED,
						 "the registry can't say now what this credential holds; ask again in %d "
						 "seconds",
						 wait);
	if (wait > 0)
		return defer(call, true, wait, error);
	sign(call, claims);
	return VCI_OK;
}

VciStatus
vci_credential_call_check(VciCredentialCall *call, VciError *error)
{
	VciStatus status = match_dataset(call, error);

	if (status == VCI_OK)
		status = check_proofs(call, error);
	call->nonce_end = call->session->nonce_count;
	if (status == VCI_OK)
		status = look_up_earlier(call, error);
	if (status == VCI_OK)
		status = prepare(call, error);
	return status;
}

bool
vci_credential_call_repeats(const VciCredentialCall *call)
{
	return call->outcome == VCI_OUTCOME_REPEAT || call->outcome == VCI_OUTCOME_REPEAT_DEFER;
}

VciStatus
vci_credential_session_spend(VciCredentialSession *session, VciError *error)
{
	VciSpentNonce *nonces = session->nonces;

	for (int i = 0; i < session->nonce_count; i++)
	{
		if (vci_store_spend_nonce(session->store, nonces[i].issued_at, nonces[i].random))
			continue;
		session->used_nonce = i;
		while (--i >= 0)
			vci_store_unspend_nonce(session->store, nonces[i].issued_at, nonces[i].random);
		return vci_error(error, VCI_ERR_NONCE,
						 "this c_nonce was used already; get a fresh one from the nonce endpoint");
	}
	return VCI_OK;
}

static void
note(const VciCredentialCall *call, const char *kind, int64 credential_id)
{
	const VciCredentialSession *session = call->session;

	vci_note(session->store, session->issuer,
			 (VciEvent){.kind = kind,
						.offer_id = session->access.offer->id,
						.token_id = session->access.token->id,
						.deferred_id = call->deferred_id,
						.credential_id = credential_id});
}

static void
record_credential(VciCredentialCall *call, int n)
{
	const VciCredentialSession *session = call->session;
	char thumbprint[VCI_THUMBPRINT_SIZE];
	VciError error = VCI_ERROR_INIT;
	VciNewCredential row = {.issuer_id = session->issuer->rules.id,
							.offer_id = session->access.offer->id,
							.token_id = session->access.token->id,
							.key_id = session->issuer->signing.id,
							.dataset = call->number,
							.instance = n + 1,
							.issued_at = session->now,
							.expires_at = call->expires_at[n],
							.configuration_id = call->configuration->id,
							.format = call->format,
							.subject_model = call->dataset.subject_model,
							.subject_id = call->dataset.subject_id,
							.request_digest = session->digest,
							.status_list_id = call->statuses[n].list_id,
							.status_index = call->statuses[n].entry.index};
	int64 id;

	if (call->keys[n] != NULL)
	{
		vci_require(vci_key_thumbprint(call->keys[n], thumbprint, &error), &error);
		row.holder_thumbprint = thumbprint;
	}
	id = vci_store_insert_credential(session->store, &row);
	if (n == 0)
		call->first_id = id;
	note(call, VCI_EVENT_CREDENTIAL_ISSUED, id);
}

/* The proved keys, in the order of the proofs; null for a credential without one. */
static Datum
holder_jwks(const VciCredentialCall *call)
{
	VciJson **jwks = vci_own_json();

	vci_require_memory(*jwks = vci_json_new_array());
	for (int i = 0; i < call->key_count; i++)
		vci_require_done(call->keys[i] != NULL
							 ? vci_json_append(*jwks, vci_key_public_jwk(call->keys[i]))
							 : vci_json_append_null(*jwks));
	return vci_jsonb_datum(*jwks);
}

static void
record_deferral(VciCredentialCall *call)
{
	const VciCredentialSession *session = call->session;
	const VciOfferRow *offer = session->access.offer;
	VciResponseShape shape = vci_credential_response_shape(call->request);
	VciDeferredRow row = {.issuer_id = session->issuer->rules.id,
						  .generation = offer->generation,
						  .offer_id = offer->id,
						  .token_id = session->access.token->id,
						  .dataset = call->number,
						  .wait_seconds = call->wait,
						  .expires_at = session->now + session->issuer->rules.deferred_lifetime,
						  .by_source = call->by_source,
						  .configuration_id = call->configuration->id,
						  .format = pstrdup(call->format),
						  .response_shape = pstrdup(vci_response_shape_name(shape)),
						  .request_digest = vci_bytea(session->digest, VCI_DIGEST_BYTES)};

	call->deferred_id = vci_store_insert_deferred(session->store, &row, holder_jwks(call));
	vci_store_prolong_offer(session->store, offer->id, row.expires_at);
	note(call, VCI_EVENT_CREDENTIAL_DEFERRED, 0);
}

/* The same record's credentials again, by the key that signs now. */
static void
record_repetition(VciCredentialCall *call)
{
	int64 key_id = call->session->issuer->signing.id;

	call->first_id = call->rows[0].id;
	for (int i = 0; i < call->key_count; i++)
		if (call->rows[i].key_id != key_id)
			vci_store_set_credential_key(call->session->store, call->rows[i].id,
										 call->session->access.offer->id, key_id);
}

static void
mark_issued(const VciCredentialSession *session)
{
	const VciAccess *access = &session->access;

	vci_store_mark_issued(session->store, access->offer->id,
						  vci_end_after_issuing(session->store, session->issuer, access,
												session->datasets, session->now));
}

void
vci_credential_call_record(VciCredentialCall *call)
{
	switch (call->outcome)
	{
		case VCI_OUTCOME_ISSUE:
			for (int i = 0; i < call->key_count; i++)
				record_credential(call, i);
			mark_issued(call->session);
			break;
		case VCI_OUTCOME_DEFER:
			record_deferral(call);
			break;
		case VCI_OUTCOME_REPEAT:
			record_repetition(call);
			break;
		case VCI_OUTCOME_REPEAT_DEFER:
			break;
	}
}

char *
vci_notification_id(const VciIssuerEntry *issuer, int64 credential_id, int32 offer_generation)
{
	if (!issuer->rules.endpoints[VCI_ENDPOINT_NOTIFICATION].enabled)
		return NULL;
	return vci_issuer_ticket(issuer, VCI_TICKET_NOTIFICATION, credential_id, offer_generation);
}

char *
vci_transaction_id(const VciIssuerEntry *issuer, int64 deferred_id, int32 offer_generation)
{
	return vci_issuer_ticket(issuer, VCI_TICKET_DEFERRED, deferred_id, offer_generation);
}

VciJson *
vci_credential_call_response(const VciCredentialCall *call, int *status)
{
	const VciIssuerEntry *issuer = call->session->issuer;
	int32 generation = call->session->access.offer->generation;
	VciResponseShape shape = vci_credential_response_shape(call->request);
	VciJson **body = vci_own_json();

	if (call->outcome == VCI_OUTCOME_DEFER || call->outcome == VCI_OUTCOME_REPEAT_DEFER)
	{
		*status = 202;
		*body = vci_deferred_response(
			shape, vci_transaction_id(issuer, call->deferred_id, generation), call->wait);
	}
	else
	{
		*status = 200;
		*body = vci_credential_response(shape, call->format, call->credentials, call->key_count,
										vci_notification_id(issuer, call->first_id, generation));
	}
	vci_require_memory(*body);
	return *body;
}

VciAnswer *
vci_credential_refuse(const VciIssuerEntry *issuer, bool older, const VciError *error)
{
	VciAsker asker = older ? VCI_ASKER_CREDENTIAL_OLDER : VCI_ASKER_CREDENTIAL;
	VciOAuthError oauth = vci_oauth_error(error->code, asker);
	VciJson **more;

	if (!older || oauth.code == NULL || strcmp(oauth.code, "invalid_proof") != 0)
		return vci_answer_error(error, asker, NULL);
	more = vci_own_json();
	vci_require_memory(*more = vci_json_new_object());
	vci_require_done(
		vci_json_set_string(*more, "c_nonce", vci_new_nonce(issuer)) &&
		vci_json_set_int64(*more, "c_nonce_expires_in", issuer->rules.c_nonce_lifetime));
	return vci_answer_error(error, asker, *more);
}
