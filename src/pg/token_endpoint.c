#include "compat.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "../protocol/token.h"
#include "duty.h"
#include "offer_functions.h"
#include "release.h"
#include "token_endpoint.h"
#include "values.h"

char *
vci_new_nonce(const VciIssuerEntry *issuer)
{
	char *nonce = palloc(VCI_NONCE_SIZE);
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_nonce_make(&issuer->nonce_key, VCI_NONCE_CREDENTIAL, issuer->rules.id, issuer->epoch, vci_now(),
							   nonce, &error),
				&error);
	return nonce;
}

static bool
tx_code_matches(const VciIssuerEntry *issuer, const VciOfferRow *offer,
				const VciTokenRequest *request)
{
	bytea *verifier;

	if (request->tx_code == NULL || offer->tx_code_verifier == NULL)
		return false;
	verifier = vci_tx_code_verifier(issuer, offer->id, request->tx_code);
	return VARSIZE_ANY_EXHDR(offer->tx_code_verifier) == VCI_DIGEST_BYTES &&
		   vci_bytes_equal(VARDATA_ANY(offer->tx_code_verifier), VARDATA(verifier),
						   VCI_DIGEST_BYTES);
}

/* The locked offer that the code names, once its MAC holds; a forgery reads no table. */
static VciStatus
find_offer(VciStore *store, const VciIssuerEntry *issuer, const VciTokenRequest *request,
		   VciOfferRow **offer, int32 *generation, VciError *error)
{
	const char *code = request->pre_authorized_code;
	int64_t id;
	int32_t code_generation;
	VciStatus status = vci_ticket_open(&issuer->ticket_key, VCI_TICKET_CODE, code, strlen(code),
									   &id, &code_generation, error);

	if (status != VCI_OK)
		return status;
	*generation = code_generation;
	*offer = vci_store_offer(store, id, true);
	if (*offer == NULL || (*offer)->issuer_id != issuer->rules.id)
		return vci_error(error, VCI_ERR_GRANT, "this offer no longer exists");
	return VCI_OK;
}

static VciOfferFacts
facts_of(const VciOfferRow *offer)
{
	return (VciOfferFacts){.generation = offer->generation,
						   .cancelled = offer->cancelled,
						   .redeemed = offer->redeemed,
						   .expires_at = offer->expires_at,
						   .has_tx_code = offer->tx_code_verifier != NULL,
						   .tx_code_failures = offer->tx_code_failures};
}

static char **
strings_of(const VciJson *array, int *count)
{
	char **strings;

	*count = (int) vci_json_array_length(array);
	strings = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		strings[i] = pstrdup(vci_json_string(vci_json_array_at(array, i)));
	return strings;
}

/* The code was good: redeem the offer and hand out a token. */
static VciAnswer *
grant_token(VciStore *store, const VciIssuerEntry *issuer, const VciTokenRequest *request,
			const VciOfferRow *offer, const VciJson *selected)
{
	int32 lifetime = issuer->rules.access_token_lifetime;
	VciError error = VCI_ERROR_INIT;
	VciJson **body = vci_own_json();
	char token[VCI_TICKET_SIZE];
	int count;
	char **ids = strings_of(selected, &count);
	int32 generation = vci_first_generation();
	int64 id;

	vci_store_redeem_offer(store, offer->id);
	id = vci_store_insert_token(store, offer, generation, ids, count,
								request->authorization_details != NULL, vci_now() + lifetime);
	vci_require(
		vci_ticket_make(&issuer->ticket_key, VCI_TICKET_TOKEN, id, generation, token, &error),
		&error);
	/* OpenID4VCI 1.0 section 6.2 has no c_nonce here, drafts up to 13 and the guide do */
	*body = vci_token_response(&issuer->rules, request, selected, token, lifetime,
							   issuer->rules.profile == VCI_PROFILE_FINAL ? NULL
																		  : vci_new_nonce(issuer));
	vci_require_memory(*body);
	return vci_answer_no_store(200, *body);
}

/* A code is not burnt for credentials that were all retired since. */
static bool
any_configuration_lives(const VciIssuerEntry *issuer, const VciJson *selected)
{
	for (size_t i = 0; i < vci_json_array_length(selected); i++)
		if (vci_cache_find_configuration(issuer, vci_json_string(vci_json_array_at(selected, i))) >=
			0)
			return true;
	return false;
}

static VciAnswer *
redeem(VciStore *store, const VciIssuerEntry *issuer, const VciTokenRequest *request)
{
	VciError error = VCI_ERROR_INIT;
	VciJson **selected = vci_own_json();
	VciOfferRow *offer;
	VciOfferFacts facts;
	int32 generation;
	VciStatus status = find_offer(store, issuer, request, &offer, &generation, &error);

	if (status == VCI_OK)
	{
		facts = facts_of(offer);
		status = vci_token_check_offer(request, &facts, &issuer->rules, generation,
									   tx_code_matches(issuer, offer, request), vci_now(), &error);
		if (status == VCI_ERR_TX_CODE_WRONG)
			vci_store_count_tx_code_failure(store, offer->id);
	}
	if (status == VCI_OK)
		status =
			vci_token_select_configurations(request, (const char *const *) offer->configuration_ids,
											offer->configuration_count, selected, &error);
	if (status == VCI_OK && !any_configuration_lives(issuer, *selected))
		status = vci_error(&error, VCI_ERR_GRANT,
						   "what this offer is for is no longer issued; ask the issuer");
	if (status != VCI_OK)
		return vci_answer_error(&error, VCI_ASKER_TOKEN, NULL);
	return grant_token(store, issuer, request, offer, *selected);
}

VciAnswer *
vci_token_endpoint(VciStore *store, const VciIssuerEntry *issuer, const char *form, size_t len)
{
	VciTokenRequest *request = vci_own_token_request();
	VciError error = VCI_ERROR_INIT;

	if (vci_token_request_parse(form, len, request, &error) != VCI_OK)
		return vci_answer_error(&error, VCI_ASKER_TOKEN, NULL);
	return redeem(store, issuer, request);
}

PG_FUNCTION_INFO_V1(vci_exchange_code);

/* openid4vci.vci_exchange_code(pre_authorized_code text, tx_code text, issuer text)
 * returns jsonb */
Datum
vci_exchange_code(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_OFFERER);
	VciTokenRequest request = {0};
	VciAnswer *answer;
	Datum result;

	vci_cache_unseal(issuer);
	request.grant_type = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
	request.pre_authorized_code = vci_arg_text_required(fcinfo, 0, "pre_authorized_code");
	request.tx_code = vci_arg_text(fcinfo, 1);
	if (request.tx_code != NULL && request.tx_code[0] == '\0')
		request.tx_code = NULL; /* as in a form: no value is as good as omitted */
	answer = redeem(store, issuer, &request);
	vci_store_close(store);
	result = DirectFunctionCall1(jsonb_in, CStringGetDatum(answer->body));
	PG_RETURN_DATUM(result);
}

PG_FUNCTION_INFO_V1(vci_create_nonce);

/* openid4vci.vci_create_nonce(issuer text) returns text */
Datum
vci_create_nonce(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_OFFERER);
	char *nonce;

	vci_cache_unseal(issuer);
	nonce = vci_new_nonce(issuer);

	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(nonce));
}
