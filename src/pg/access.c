#include "compat.h"

#include "../protocol/access_token.h"
#include "access.h"
#include "dpop.h"
#include "event.h"
#include "offer_functions.h"
#include "release.h"
#include "report.h"
#include "values.h"

/* A server's JWT whose signature and claims hold. */
typedef struct VciExternalAccess
{
	const VciTrustedServer *server;
	const VciAccessToken *token;
	const VciJson *configurations; /* ids that it is for */
	unsigned char key[VCI_DIGEST_BYTES];
} VciExternalAccess;

/* The claims of the policy that a server's row gives. */
static VciAccessTokenPolicy
policy_of(const VciTrustedServer *server)
{
	const VciAuthorizationServerRow *row = &server->row;

	return (VciAccessTokenPolicy){.jwks = server->jwks,
								  .accept_typ_jwt = row->accept_typ_jwt,
								  .accept_without_jti = row->accept_without_jti,
								  .audiences = (const char *const *) row->audiences,
								  .audience_count = row->audience_count,
								  .client_ids = (const char *const *) row->client_ids,
								  .client_id_count = row->client_id_count,
								  .subject_claim = row->subject_claim,
								  .now = vci_now()};
}

/* An unknown iss is refused before any key is looked at. */
static VciStatus
open_external(const VciIssuerEntry *issuer, const char *text, VciAccess *access, VciError *error)
{
	VciExternalAccess *external = palloc0(sizeof(VciExternalAccess));
	VciAccessToken **token = vci_own_access_token();
	VciJson **configurations = vci_own_json();
	VciAccessTokenPolicy policy;
	VciStatus status = vci_access_token_parse(text, strlen(text), token, error);

	if (status != VCI_OK)
		return status;
	external->server = vci_cache_find_server(issuer, (*token)->iss);
	if (external->server == NULL)
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token is by an authorization server that the issuer does not "
						 "trust (iss)");
	policy = policy_of(external->server);
	status = vci_access_token_check(*token, &policy, error);
	if (status == VCI_OK)
		status =
			vci_access_token_configurations(*token, &issuer->rules, issuer->configurations,
											issuer->configuration_count, configurations, error);
	if (status == VCI_OK)
		status = vci_access_token_key(*token, external->key, error);
	external->token = *token;
	external->configurations = *configurations;
	access->external = external;
	return status;
}

static VciStatus
open_own(const VciIssuerEntry *issuer, const char *text, VciAccess *access, VciError *error)
{
	int64_t id;
	int64_t offer_id;
	int32_t generation;
	VciStatus status = vci_offer_ticket_open(&issuer->ticket_keys, VCI_TICKET_TOKEN, text,
											 strlen(text), &id, &offer_id, &generation, error);

	access->token_id = id;
	access->offer_id = offer_id;
	access->token_generation = generation;
	return status;
}

/* Is the scheme one that this issuer knows? With DPoP off there is Bearer alone. */
static VciStatus
check_scheme(const VciIssuerEntry *issuer, VciAuthScheme scheme, VciError *error)
{
	if (scheme == VCI_AUTH_DPOP && issuer->rules.dpop == VCI_DPOP_OFF)
		return vci_error(error, VCI_ERR_TOKEN_MISSING,
						 "this issuer takes bearer tokens: send Authorization: Bearer");
	if (scheme == VCI_AUTH_BEARER && issuer->rules.dpop == VCI_DPOP_REQUIRED)
		return vci_error(error, VCI_ERR_TOKEN,
						 "this issuer takes only access tokens that are bound to a key: send "
						 "Authorization: DPoP with a proof");
	return VCI_OK;
}

/* RFC 6750 section 2: a token goes in one way; URLs end up in logs and histories. */
static VciStatus
check_query(const VciHttpRequest *http, VciError *error)
{
	VciForm *query = vci_own_form();

	if (http->query == NULL)
		return VCI_OK;
	if (vci_form_parse(http->query, strlen(http->query), query, error) != VCI_OK)
		return error->code;
	if (vci_form_get(query, "access_token") != NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "the access token must not stand in the URL; send it in the "
						 "Authorization header alone");
	return VCI_OK;
}

VciStatus
vci_access_open(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http,
				VciEndpoint endpoint, VciAccess *access, VciError *error)
{
	VciAuthScheme scheme;
	const char *lent;
	size_t len;
	char *text;
	VciStatus status = vci_http_authorization(http, &scheme, &lent, &len, error);

	memset(access, 0, sizeof(VciAccess));
	if (status == VCI_OK)
		status = check_query(http, error);
	if (status != VCI_OK)
		return status;
	text = pnstrdup(lent, len);
	if (vci_access_token_is_jwt(text, len))
		status = open_external(issuer, text, access, error);
	else
		status = open_own(issuer, text, access, error);
	if (status == VCI_OK)
		status = check_scheme(issuer, scheme, error);
	if (status == VCI_OK && scheme == VCI_AUTH_DPOP)
		status = vci_dpop_check(store, issuer, http, endpoint, text, NULL, &access->jkt, error);
	return status;
}

/* RFC 9449 section 7.2: a bound token is worth nothing without its key, nor under Bearer. */
static VciStatus
check_binding(const char *token_jkt, const char *proof_jkt, VciError *error)
{
	if (token_jkt == NULL && proof_jkt == NULL)
		return VCI_OK;
	if (token_jkt == NULL)
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token is bound to no key: send it as Authorization: Bearer");
	if (proof_jkt == NULL)
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token is bound to a key: send it as Authorization: DPoP with "
						 "a proof of that key");
	if (strcmp(token_jkt, proof_jkt) != 0)
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token is bound to another key than the DPoP proof's");
	return VCI_OK;
}

/* Who the person is: the claim's value, or what the registry's function makes of it. */
static VciStatus
find_subject(VciStore *store, const VciExternalAccess *external, char **subject, VciError *error)
{
	const VciSource *source = &external->server->subject_source;
	const char *arguments[] = {external->token->subject};

	if (source->function == NULL)
	{
		*subject = pstrdup(external->token->subject);
		return VCI_OK;
	}
	*subject =
		vci_store_run_source(store, VCI_SUBJECT_SOURCE, source->function, source->owner, arguments);
	if (*subject == NULL)
		return vci_error(error, VCI_ERR_DENIED,
						 "the issuer knows no person by the %.64s of this access token",
						 external->server->row.subject_claim);
	vci_check_text(*subject, "the result of the subject source", VCI_ACCESS_TOKEN_TEXT_MAX);
	return VCI_OK;
}

/* An offer that stands for what the other server granted; nobody gets a code for it. */
static VciNewOffer
offer_of(VciStore *store, const VciIssuerEntry *issuer, const VciExternalAccess *external,
		 char *subject)
{
	static char *grants[] = {"authorization_code"};
	VciNewOffer offer = {.id = vci_store_next_offer_id(store),
						 .generation = vci_first_generation(),
						 .issuer_id = issuer->rules.id,
						 .grants = grants,
						 .grant_count = lengthof(grants),
						 .subject_model = external->server->row.subject_model,
						 .subject_id = subject,
						 .expires_at = external->token->expires_at,
						 .authorization_server = external->server->row.url};

	if (external->token->client_id != NULL)
		offer.client_id = pstrdup(external->token->client_id);
	offer.configuration_ids =
		vci_strings_of_json(external->configurations, &offer.configuration_count);
	return offer;
}

static VciTokenRow
token_of(const VciExternalAccess *external, const VciNewOffer *offer)
{
	return (VciTokenRow){.issuer_id = offer->issuer_id,
						 .offer_id = offer->id,
						 .generation = vci_first_generation(),
						 .offer_generation = offer->generation,
						 .configuration_ids = offer->configuration_ids,
						 .configuration_count = offer->configuration_count,
						 .expires_at = offer->expires_at,
						 .client_id = offer->client_id,
						 .jkt = external->token->jkt ? pstrdup(external->token->jkt) : NULL};
}

/* First use of a server's token, unless another request comes first: then its row. */
static VciStatus
make_rows(VciStore *store, const VciIssuerEntry *issuer, const VciExternalAccess *external,
		  VciTokenRow **row, VciError *error)
{
	char *subject;
	VciNewOffer offer;
	VciTokenRow token;
	bool created;
	VciStatus status = find_subject(store, external, &subject, error);

	if (status != VCI_OK)
		return status;
	offer = offer_of(store, issuer, external, subject);
	token = token_of(external, &offer);
	*row = vci_store_external_token(store, &token, external->key, &offer, &created);
	if (*row != NULL && created)
	{
		vci_note(store, issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_REDEEMED,
							.offer_id = offer.id,
							.token_id = (*row)->id});
	}
	return VCI_OK;
}

/*
 * Was a token that is seen for the first time made before this database was brought back? Then
 * it may have been used in the time that is lost. Without iat it counts as a day old at its end.
 */
static bool
may_be_forgotten(const VciIssuerEntry *issuer, const VciAccessToken *token)
{
	int64 made_at = token->issued_at > 0 ? token->issued_at : token->expires_at - SECS_PER_DAY;

	return made_at < issuer->restored_at;
}

static VciStatus
lock_external(VciStore *store, const VciIssuerEntry *issuer, int64 now, VciAccess *access,
			  VciError *error)
{
	const VciExternalAccess *external = access->external;
	VciTokenRow known = {.issuer_id = issuer->rules.id};
	bool created;

	access->token = vci_store_external_token(store, &known, external->key, NULL, &created);
	if (access->token != NULL)
		return VCI_OK;
	if (external->token->expires_at <= now)
		return vci_error(error, VCI_ERR_TOKEN, "this access token has expired");
	if (may_be_forgotten(issuer, external->token))
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token was made before the issuer's database was restored; "
						 "get a new one");
	return make_rows(store, issuer, external, &access->token, error);
}

VciStatus
vci_access_lock(VciStore *store, const VciIssuerEntry *issuer, int64 now, bool expired_too,
				VciAccess *access, VciError *error)
{
	VciStatus status = VCI_OK;

	if (access->external != NULL)
	{
		/* before the first use leaves rows behind */
		status = check_binding(access->external->token->jkt, access->jkt, error);
		if (status == VCI_OK)
			status = lock_external(store, issuer, now, access, error);
		if (status != VCI_OK)
			return status;
	}
	else
		access->token = vci_store_token(store, access->token_id, access->offer_id);
	if (access->token == NULL || access->token->issuer_id != issuer->rules.id ||
		(access->external == NULL && access->token->generation != access->token_generation))
		return vci_error(error, VCI_ERR_TOKEN, "this access token is no longer known");
	if (!expired_too && access->token->expires_at <= now)
		return vci_error(error, VCI_ERR_TOKEN, "this access token has expired");
	status = check_binding(access->token->jkt, access->jkt, error);
	if (status != VCI_OK)
		return status;
	access->offer = vci_store_offer(store, access->token->offer_id, true);
	if (access->offer == NULL || access->offer->cancelled ||
		access->offer->generation != access->token->offer_generation)
		return vci_error(error, VCI_ERR_TOKEN,
						 "the issuer has withdrawn the offer of this access token");
	return VCI_OK;
}
