/*
 * vci_http: one routing table for every endpoint of every issuer.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/array.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"

#include "../protocol/http.h"
#include "answer.h"
#include "authorization_endpoint.h"
#include "batch_endpoint.h"
#include "cache.h"
#include "consent_endpoint.h"
#include "credential_endpoint.h"
#include "deferred_endpoint.h"
#include "document.h"
#include "dpop.h"
#include "durability.h"
#include "duty.h"
#include "http.h"
#include "landing_endpoint.h"
#include "notification_endpoint.h"
#include "offer_functions.h"
#include "release.h"
#include "status_endpoint.h"
#include "token_endpoint.h"
#include "type_endpoint.h"
#include "values.h"

#define RETRY_AFTER "5"

int vci_max_body_size = 1024;

/* Where a route's path lies. */
typedef enum RoutePlace
{
	PLACE_WELL_KNOWN,	/* host /.well-known/NAME path, and host path /.well-known/NAME */
	PLACE_DID_DOCUMENT, /* did:web: /.well-known/did.json, or path/did.json */
	PLACE_ENDPOINT,		/* where the issuer's settings put this endpoint */
	PLACE_TYPE			/* where the vct of a configuration points */
} RoutePlace;

typedef VciAnswer *(*RouteHandler)(VciStore *store, const VciIssuerEntry *issuer,
								   const VciHttpRequest *http);

typedef struct Route
{
	RoutePlace place;
	const char *name;	  /* of a well-known document */
	VciEndpoint endpoint; /* of an endpoint */
	const char *methods;  /* as Allow lists them */
	bool browser;		  /* people come here by navigation: no other origin's script may */
	bool writes;		  /* needs a server that accepts writes */
	bool secrets;		  /* needs the root key */
	RouteHandler handle;
} Route;

static VciAnswer *handle_credential_issuer(VciStore *store, const VciIssuerEntry *issuer,
										   const VciHttpRequest *http);
static VciAnswer *handle_authorization_server(VciStore *store, const VciIssuerEntry *issuer,
											  const VciHttpRequest *http);
static VciAnswer *handle_jwt_vc_issuer(VciStore *store, const VciIssuerEntry *issuer,
									   const VciHttpRequest *http);
static VciAnswer *handle_did_document(VciStore *store, const VciIssuerEntry *issuer,
									  const VciHttpRequest *http);
static VciAnswer *handle_jwks(VciStore *store, const VciIssuerEntry *issuer,
							  const VciHttpRequest *http);
static VciAnswer *handle_nonce(VciStore *store, const VciIssuerEntry *issuer,
							   const VciHttpRequest *http);
static VciAnswer *handle_offer(VciStore *store, const VciIssuerEntry *issuer,
							   const VciHttpRequest *http);

#define GET	 "GET, HEAD, OPTIONS"
#define POST "POST, OPTIONS"
#define PAGE "GET, HEAD, POST, OPTIONS"

/* A document below the issuer's own URL. */
#define WELL_KNOWN(name, handler)                                                                  \
	{                                                                                              \
		PLACE_WELL_KNOWN, name, VCI_ENDPOINT_COUNT, GET, false, false, false, handler              \
	}
/* Public, without secrets, and nothing is written. */
#define DOCUMENT(endpoint, handler)                                                                \
	{                                                                                              \
		PLACE_ENDPOINT, NULL, endpoint, GET, false, false, false, handler                          \
	}
#define READS(endpoint, methods, handler)                                                          \
	{                                                                                              \
		PLACE_ENDPOINT, NULL, endpoint, methods, false, false, true, handler                       \
	}
#define WRITES(endpoint, handler)                                                                  \
	{                                                                                              \
		PLACE_ENDPOINT, NULL, endpoint, POST, false, true, true, handler                           \
	}
#define BROWSER(endpoint, handler)                                                                 \
	{                                                                                              \
		PLACE_ENDPOINT, NULL, endpoint, PAGE, true, true, true, handler                            \
	}

static const Route routes[] = {
	WELL_KNOWN("openid-credential-issuer", handle_credential_issuer),
	WELL_KNOWN("oauth-authorization-server", handle_authorization_server),
	WELL_KNOWN("jwt-vc-issuer", handle_jwt_vc_issuer),
	{PLACE_DID_DOCUMENT, NULL, VCI_ENDPOINT_COUNT, GET, false, false, false, handle_did_document},
	DOCUMENT(VCI_ENDPOINT_JWKS, handle_jwks),
	READS(VCI_ENDPOINT_NONCE, POST, handle_nonce),
	READS(VCI_ENDPOINT_OFFER, GET, handle_offer),
	READS(VCI_ENDPOINT_STATUS_LIST, GET, vci_status_list_endpoint),
	WRITES(VCI_ENDPOINT_TOKEN, vci_token_endpoint),
	WRITES(VCI_ENDPOINT_CREDENTIAL, vci_credential_endpoint),
	WRITES(VCI_ENDPOINT_BATCH_CREDENTIAL, vci_batch_credential_endpoint),
	WRITES(VCI_ENDPOINT_DEFERRED_CREDENTIAL, vci_deferred_credential_endpoint),
	WRITES(VCI_ENDPOINT_NOTIFICATION, vci_notification_endpoint),
	WRITES(VCI_ENDPOINT_PAR, vci_par_endpoint),
	BROWSER(VCI_ENDPOINT_AUTHORIZE, vci_authorize_endpoint),
	BROWSER(VCI_ENDPOINT_CONSENT, vci_consent_endpoint),
};

/* What lies only where no other route does. */
static const Route landing_route = {
	PLACE_ENDPOINT, NULL, VCI_ENDPOINT_LANDING, PAGE, true, false, true, vci_landing_endpoint,
};
static const Route type_route = {
	PLACE_TYPE, NULL, VCI_ENDPOINT_COUNT, GET, false, false, false, vci_type_endpoint,
};

/* A request's issuer and route. */
typedef struct Match
{
	VciIssuerEntry *issuer;
	const Route *route;
	bool ambiguous; /* there is another that would do as well */
} Match;

/* The rest of text behind prefix, or NULL. */
static const char *
behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool
well_known_matches(const VciIssuerEntry *issuer, const char *name, const char *path)
{
	const char *rest = behind(path, "/.well-known/");

	/* OpenID4VCI 1.0 section 12.2.2: inserted between host and path */
	if (rest != NULL && (rest = behind(rest, name)) != NULL && strcmp(rest, issuer->path) == 0)
		return true;
	/* appended, where older wallets look */
	rest = behind(path, issuer->path);
	return rest != NULL && (rest = behind(rest, "/.well-known/")) != NULL &&
		   strcmp(rest, name) == 0;
}

static bool
did_document_matches(const VciIssuerEntry *issuer, const char *path)
{
	const char *rest = behind(path, issuer->path);

	return rest != NULL &&
		   strcmp(rest, issuer->path[0] == '\0' ? "/.well-known/did.json" : "/did.json") == 0;
}

/* What stands behind "/offer/", one segment; NULL when it is something else. */
static const char *
offer_segment(const VciIssuerEntry *issuer, const char *path)
{
	const char *rest = behind(path, issuer->places[VCI_ENDPOINT_OFFER].path);

	if (rest == NULL || rest[0] != '/' || rest[1] == '\0' || strchr(rest + 1, '/') != NULL)
		return NULL;
	return rest + 1;
}

static bool
endpoint_matches(const VciIssuerEntry *issuer, VciEndpoint endpoint, const char *path)
{
	const char *rest;

	if (!issuer->rules.endpoints[endpoint].enabled)
		return false;
	rest = behind(path, issuer->places[endpoint].path);
	return rest != NULL && vci_endpoint_takes(endpoint, rest);
}

static bool
route_matches(const Route *route, const VciIssuerEntry *issuer, const char *path)
{
	switch (route->place)
	{
		case PLACE_WELL_KNOWN:
			return well_known_matches(issuer, route->name, path);
		case PLACE_DID_DOCUMENT:
			return did_document_matches(issuer, path);
		case PLACE_ENDPOINT:
			return endpoint_matches(issuer, route->endpoint, path);
		case PLACE_TYPE:
			break; /* looked for where nothing else lies */
	}
	return false;
}

static void
consider(Match *match, VciIssuerEntry *issuer, const Route *route, const char *host)
{
	const char *authority = route->place == PLACE_ENDPOINT
								? issuer->places[route->endpoint].authority
								: issuer->authority;

	if (host != NULL && pg_strcasecmp(host, authority) != 0)
		return;
	match->ambiguous = match->route != NULL;
	match->issuer = issuer;
	match->route = route;
}

/* Does any issuer have anything, even switched off, at this authority? */
static bool
is_known_host(const VciIssuerEntry *issuers, int count, const char *host)
{
	for (int i = 0; i < count; i++)
	{
		if (pg_strcasecmp(host, issuers[i].authority) == 0)
			return true;
		for (int j = 0; j < VCI_ENDPOINT_COUNT; j++)
			if (pg_strcasecmp(host, issuers[i].places[j].authority) == 0)
				return true;
	}
	return false;
}

static Match
find_landing_page(VciIssuerEntry *issuers, int count, const char *path, const char *host)
{
	Match match = {0};

	for (int i = 0; i < count; i++)
		if (vci_landing_code(&issuers[i], path) != NULL)
			consider(&match, &issuers[i], &landing_route, host);
	return match;
}

static Match
find_type(VciStore *store, const char *path, const char *host)
{
	int count;
	VciIssuerEntry **issuers = vci_type_issuers(store, path, host, &count);
	Match match = {0};

	for (int i = 0; i < count; i++)
		consider(&match, issuers[i], &type_route, NULL);
	return match;
}

/*
 * The Host header only selects among issuers: when it is exactly the authority of one, what
 * lies at others is out. Behind a TLS proxy it may be any name; then the path alone must be
 * clear.
 */
static Match
find_issuer_and_route(VciStore *store, const VciHttpRequest *http)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	bool repeated = false;
	const char *host = vci_http_header(http, "Host", &repeated);
	Match match = {0};

	if (host != NULL && (repeated || !is_known_host(issuers, count, host)))
		host = NULL;
	for (int i = 0; i < count; i++)
		for (size_t j = 0; j < lengthof(routes); j++)
			if (route_matches(&routes[j], &issuers[i], http->path))
				consider(&match, &issuers[i], &routes[j], host);
	if (match.route == NULL)
		match = find_landing_page(issuers, count, http->path, host);
	if (match.route == NULL)
		match = find_type(store, http->path, host);
	if (match.ambiguous)
		match.route = NULL;
	return match;
}

static VciAnswer *
answer_not_found(void)
{
	return vci_answer_plain_error(404, "not_found", "there is nothing here");
}

static VciAnswer *
answer_document(const VciIssuerEntry *issuer, VciDocumentKind kind, const VciHttpRequest *http)
{
	return vci_answer_document(vci_document(issuer, kind), http);
}

static VciAnswer *
handle_credential_issuer(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
						 const VciHttpRequest *http)
{
	return answer_document(issuer, VCI_DOCUMENT_CREDENTIAL_ISSUER, http);
}

static VciAnswer *
handle_authorization_server(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
							const VciHttpRequest *http)
{
	/* who gives out no tokens is no authorization server */
	if (!issuer->rules.endpoints[VCI_ENDPOINT_TOKEN].enabled)
		return answer_not_found();
	return answer_document(issuer, VCI_DOCUMENT_AUTHORIZATION_SERVER, http);
}

static VciAnswer *
handle_jwt_vc_issuer(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
					 const VciHttpRequest *http)
{
	return answer_document(issuer, VCI_DOCUMENT_JWT_VC_ISSUER, http);
}

static VciAnswer *
handle_did_document(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
					const VciHttpRequest *http)
{
	return answer_document(issuer, VCI_DOCUMENT_DID, http);
}

static VciAnswer *
handle_jwks(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
			const VciHttpRequest *http)
{
	return answer_document(issuer, VCI_DOCUMENT_JWKS, http);
}

/* OpenID4VCI 1.0 section 7.2; the answer may carry a nonce for the next DPoP proof, too. */
static VciAnswer *
handle_nonce(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
			 const VciHttpRequest *http pg_attribute_unused())
{
	VciJson **body = vci_own_json();
	VciAnswer *answer;

	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(vci_json_set_string(*body, "c_nonce", vci_new_nonce(issuer)));
	answer = vci_answer_no_store(200, *body);
	vci_dpop_add_headers(answer, issuer);
	return answer;
}

/* The offer by reference; wallets fetch it more than once, so it stays after redemption. */
static VciAnswer *
handle_offer(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	const char *ticket = offer_segment(issuer, http->path);
	VciError error = VCI_ERROR_INIT;
	VciOfferRow *offer = NULL;
	int64_t id;
	int32_t generation;
	VciStatus status = vci_ticket_open(&issuer->ticket_keys, VCI_TICKET_OFFER, ticket,
									   strlen(ticket), &id, &generation, &error);

	if (vci_is_server_fault(status))
		vci_raise(&error);
	if (status == VCI_OK)
		offer = vci_store_offer(store, id, false);
	if (offer == NULL || offer->issuer_id != issuer->rules.id || offer->generation != generation)
		return vci_answer_plain_error(
			404, "not_found", "there is no such credential offer; ask the issuer for a new link");
	if (offer->cancelled || offer->expires_at <= vci_now())
		return vci_answer_plain_error(
			410, "gone", "this credential offer is over; ask the issuer for a new one");
	return vci_answer_no_store(200, vci_offer_json(issuer, offer));
}

/* Browser wallets: any origin may ask, no cookie is involved. */
static void
add_cors(VciAnswer *answer)
{
	vci_answer_header(answer, "Access-Control-Allow-Origin", "*");
	vci_answer_header(answer, "Access-Control-Expose-Headers",
					  "WWW-Authenticate, ETag, Retry-After, DPoP-Nonce, Location");
}

/* To a script's preflight, and to anybody who asks what works here. */
static VciAnswer *
answer_options(const Route *route)
{
	VciAnswer *answer = vci_answer_new(204);

	vci_answer_header(answer, "Allow", route->methods);
	if (route->browser)
		return answer;
	vci_answer_header(answer, "Access-Control-Allow-Methods", route->methods);
	vci_answer_header(answer, "Access-Control-Allow-Headers",
					  "Authorization, Content-Type, DPoP, If-None-Match");
	vci_answer_header(answer, "Access-Control-Max-Age", "86400");
	return answer;
}

/* Is method one of those that Allow lists? */
static bool
method_allowed(const Route *route, const char *method)
{
	const char *at = strstr(route->methods, method);
	size_t len = strlen(method);

	return len > 0 && at != NULL && strchr(method, ',') == NULL &&
		   (at == route->methods || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0');
}

static VciAnswer *
answer_unavailable(const Route *route, const VciHttpRequest *http)
{
	static const char *const why = "this database server can't write now; try again soon";
	VciAnswer *answer = route->browser
							? vci_consent_notice(NULL, http, 503, why)
							: vci_answer_plain_error(503, "temporarily_unavailable", why);

	vci_answer_header(answer, "Retry-After", RETRY_AFTER);
	return answer;
}

/* Told in the log: what a role or a database is set to, its operator alone can change. */
static bool
can_write(void)
{
	if (RecoveryInProgress() || XactReadOnly)
		return false;
	if (vci_commits_durably())
		return true;
	ereport(LOG_SERVER_ONLY,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("openid4vci answers 503: nothing is redeemed or issued while "
					"synchronous_commit is off"),
			 errhint("ALTER ROLE %s RESET synchronous_commit; or where else it was set.",
					 quote_identifier(GetUserNameFromId(GetSessionUserId(), false)))));
	return false;
}

static VciAnswer *
answer_on_route(VciStore *store, const Match *match, const VciHttpRequest *http)
{
	const Route *route = match->route;
	VciAnswer *answer;

	if (!method_allowed(route, http->method))
	{
		answer = vci_answer_plain_error(405, "method_not_allowed", "another method is needed here");
		vci_answer_header(answer, "Allow", route->methods);
	}
	else if (strcmp(http->method, "OPTIONS") == 0)
		answer = answer_options(route);
	else if (route->writes && !can_write())
		answer = answer_unavailable(route, http);
	else
	{
		vci_cache_load(store, match->issuer);
		if (route->secrets)
			vci_cache_unseal(match->issuer);
		answer = route->handle(store, match->issuer, http);
	}
	if (strcmp(http->method, "HEAD") == 0 && answer->status != 304)
		vci_answer_leave_out_body(answer);
	if (!route->browser)
		add_cors(answer);
	return answer;
}

static VciAnswer *
answer_request(VciStore *store, const char *target, VciHttpRequest *http, VciError *error)
{
	Match match;

	if (http->body_len > (size_t) vci_max_body_size * 1024)
	{
		vci_error(error, VCI_ERR_TOO_LARGE, "the body has more than %d kB", vci_max_body_size);
		return vci_answer_error(error, VCI_ASKER_OTHER, NULL);
	}
	if (vci_http_target_parse(target, strlen(target), http, error) != VCI_OK)
		return vci_answer_error(error, VCI_ASKER_OTHER, NULL);
	match = find_issuer_and_route(store, http);
	/* an issuer that this role may not serve does not exist for it */
	if (match.route == NULL || !vci_has_duty(store, VCI_DUTY_ENDPOINT, match.issuer->rules.id))
		return answer_not_found();
	return answer_on_route(store, &match, http);
}

/* No wallet waits for ever for a row or table that somebody keeps locked. */
static VciAnswer *
answer_in_time(VciStore *store, const char *target, VciHttpRequest *http)
{
	VciError error = VCI_ERROR_INIT;
	VciAnswer *volatile answer = NULL;

	vci_store_limit_waits(store);
	PG_TRY();
	{
		answer = answer_request(store, target, http, &error);
	}
	PG_FINALLY();
	{
		vci_store_end_limit(store);
	}
	PG_END_TRY();
	return answer;
}

static void
read_headers(FunctionCallInfo fcinfo, VciHttpRequest *request)
{
	int count = 0;
	char **strings =
		PG_ARGISNULL(2) ? NULL : vci_text_array(PG_GETARG_ARRAYTYPE_P(2), "headers", &count);
	VciHeader *headers = palloc(sizeof(VciHeader) * Max(count / 2, 1));

	if (count % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("headers must be pairs of name and value, there are %d elements", count)));
	for (int i = 0; i < count / 2; i++)
	{
		headers[i].name = strings[2 * i];
		headers[i].value = strings[2 * i + 1];
	}
	request->headers = headers;
	request->header_count = count / 2;
}

static Datum
http_response(FunctionCallInfo fcinfo, const VciAnswer *answer)
{
	Datum values[3];
	bool nulls[3] = {false};
	char *pairs[2 * VCI_ANSWER_MAX_HEADERS];

	for (int i = 0; i < answer->header_count; i++)
	{
		pairs[2 * i] = unconstify(char *, answer->names[i]);
		pairs[2 * i + 1] = unconstify(char *, answer->values[i]);
	}
	values[0] = Int32GetDatum(answer->status);
	values[1] = vci_text_array_datum(pairs, 2 * answer->header_count);
	values[2] = PointerGetDatum(vci_bytea(answer->body, answer->body_len));
	return vci_row_datum(fcinfo, values, nulls);
}

PG_FUNCTION_INFO_V1(vci_http);

/* openid4vci.vci_http(method text, target text, headers text[], body bytea)
 * returns vci_http_response */
Datum
vci_http(PG_FUNCTION_ARGS)
{
	VciStore *store;
	VciHttpRequest *http;
	VciAnswer *answer;
	char *target;

	/* codes and tokens may stand as literals in the statement's text */
	pgstat_report_activity(STATE_RUNNING, "SELECT openid4vci.vci_http(...)");
	http = vci_own_http_request();
	http->method = vci_arg_text_required(fcinfo, 0, "method");
	target = vci_arg_text_required(fcinfo, 1, "target");
	read_headers(fcinfo, http);
	if (!PG_ARGISNULL(3))
	{
		bytea *body = PG_GETARG_BYTEA_PP(3);

		http->body = VARDATA_ANY(body);
		http->body_len = VARSIZE_ANY_EXHDR(body);
	}
	store = vci_store_open();
	answer = answer_in_time(store, target, http);
	vci_store_close(store);
	PG_RETURN_DATUM(http_response(fcinfo, answer));
}
