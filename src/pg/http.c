/*
 * vci_http: one routing table for every endpoint of every issuer.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/array.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "../jose/base64url.h"
#include "../protocol/http.h"
#include "../protocol/metadata.h"
#include "answer.h"
#include "cache.h"
#include "credential_endpoint.h"
#include "duty.h"
#include "http.h"
#include "offer_functions.h"
#include "release.h"
#include "token_endpoint.h"
#include "values.h"

#define LOCK_TIMEOUT	 "5s"
#define METADATA_MAX_AGE "public, max-age=300"
#define RETRY_AFTER		 "5"

int vci_max_body_size = 1024;

typedef struct HttpCall
{
	VciStore *store;
	VciHttpRequest *request;
	VciIssuerEntry *issuer;
	const char *rest; /* of the path, behind the route's name */
} HttpCall;

/* Where a route's path lies. */
typedef enum RoutePlace
{
	PLACE_WELL_KNOWN,	  /* host /.well-known/NAME path, and host path /.well-known/NAME */
	PLACE_DID_DOCUMENT,	  /* did:web: /.well-known/did.json, or path/did.json */
	PLACE_ENDPOINT,		  /* below the issuer's base path */
	PLACE_ENDPOINT_PREFIX /* below it, with one more segment */
} RoutePlace;

typedef VciAnswer *(*RouteHandler)(HttpCall *call);

typedef struct Route
{
	RoutePlace place;
	const char *name;
	const char *methods; /* as Allow lists them */
	bool writes;		 /* needs a server that accepts writes */
	bool secrets;		 /* needs the root key */
	RouteHandler handle;
} Route;

static VciAnswer *handle_credential_issuer(HttpCall *call);
static VciAnswer *handle_authorization_server(HttpCall *call);
static VciAnswer *handle_jwt_vc_issuer(HttpCall *call);
static VciAnswer *handle_did_document(HttpCall *call);
static VciAnswer *handle_jwks(HttpCall *call);
static VciAnswer *handle_token(HttpCall *call);
static VciAnswer *handle_nonce(HttpCall *call);
static VciAnswer *handle_credential(HttpCall *call);
static VciAnswer *handle_offer(HttpCall *call);

#define GET	 "GET, HEAD, OPTIONS"
#define POST "POST, OPTIONS"

static const Route routes[] = {
	{PLACE_WELL_KNOWN, "openid-credential-issuer", GET, false, false, handle_credential_issuer},
	{PLACE_WELL_KNOWN, "oauth-authorization-server", GET, false, false,
	 handle_authorization_server},
	{PLACE_WELL_KNOWN, "jwt-vc-issuer", GET, false, false, handle_jwt_vc_issuer},
	{PLACE_DID_DOCUMENT, "did.json", GET, false, false, handle_did_document},
	{PLACE_ENDPOINT, "/jwks", GET, false, false, handle_jwks},
	{PLACE_ENDPOINT, "/token", POST, true, true, handle_token},
	{PLACE_ENDPOINT, "/nonce", POST, false, true, handle_nonce},
	{PLACE_ENDPOINT, "/credential", POST, true, true, handle_credential},
	{PLACE_ENDPOINT_PREFIX, "/offer/", GET, false, true, handle_offer},
};

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

static bool
route_matches(const Route *route, const VciIssuerEntry *issuer, const char *path, const char **rest)
{
	*rest = "";
	switch (route->place)
	{
		case PLACE_WELL_KNOWN:
			return well_known_matches(issuer, route->name, path);
		case PLACE_DID_DOCUMENT:
			return did_document_matches(issuer, path);
		case PLACE_ENDPOINT:
		case PLACE_ENDPOINT_PREFIX:
			*rest = behind(path, issuer->path);
			if (*rest != NULL)
				*rest = behind(*rest, issuer->rules.base_path);
			if (*rest != NULL)
				*rest = behind(*rest, route->name);
			if (*rest == NULL)
				return false;
			return route->place == PLACE_ENDPOINT
					   ? (*rest)[0] == '\0'
					   : (*rest)[0] != '\0' && strchr(*rest, '/') == NULL;
	}
	return false;
}

static const Route *
find_route(const VciIssuerEntry *issuer, const char *path, const char **rest)
{
	for (size_t i = 0; i < lengthof(routes); i++)
		if (route_matches(&routes[i], issuer, path, rest))
			return &routes[i];
	return NULL;
}

/*
 * The Host header only selects among issuers: when it is exactly one's authority, others
 * are out. Behind a TLS proxy it may be any name; then the path alone must be clear.
 */
static const Route *
find_issuer_and_route(HttpCall *call)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(call->store, &count);
	bool repeated = false;
	const char *host = vci_http_header(call->request, "Host", &repeated);
	const Route *found = NULL;
	bool by_host = false;
	bool ambiguous = false;

	for (int i = 0; i < count; i++)
	{
		const char *rest;
		const Route *route = find_route(&issuers[i], call->request->path, &rest);
		bool host_fits =
			host != NULL && !repeated && pg_strcasecmp(host, issuers[i].authority) == 0;

		if (route == NULL || (by_host && !host_fits))
			continue;
		ambiguous = found != NULL && by_host == host_fits;
		found = route;
		by_host = by_host || host_fits;
		call->issuer = &issuers[i];
		call->rest = rest;
	}
	return ambiguous ? NULL : found;
}

/* The length that the body would have had (RFC 9110 sections 9.3.2 and 15.4.5). */
static void
leave_out_body(VciAnswer *answer)
{
	vci_answer_header(answer, "Content-Length", psprintf("%zu", answer->body_len));
	answer->body_len = 0;
}

static VciAnswer *
answer_plain_error(int status, const char *code, const char *description)
{
	VciJson **body = vci_own_json();

	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(vci_json_set_string(*body, "error", code) &&
					 vci_json_set_string(*body, "error_description", description));
	return vci_answer_no_store(status, *body);
}

/* A document that anybody may keep for some minutes, with an ETag over its bytes. */
static VciAnswer *
answer_cacheable(HttpCall *call, VciJson *document)
{
	VciJson **owned = vci_own_json();
	VciAnswer *answer = vci_answer_new(200);
	VciError error = VCI_ERROR_INIT;
	unsigned char digest[VCI_DIGEST_BYTES];
	char *etag = palloc(64);
	const char *if_none_match;
	bool repeated;

	vci_require_memory(*owned = document);
	vci_answer_json(answer, document);
	vci_require(vci_sha256(answer->body, answer->body_len, digest, &error), &error);
	etag[0] = '"';
	vci_base64url_encode(digest, 16, etag + 1);
	strcat(etag, "\"");
	vci_answer_header(answer, "Cache-Control", METADATA_MAX_AGE);
	vci_answer_header(answer, "ETag", etag);
	if_none_match = vci_http_header(call->request, "If-None-Match", &repeated);
	if (if_none_match != NULL && !repeated && vci_http_etag_matches(if_none_match, etag))
	{
		answer->status = 304;
		leave_out_body(answer);
	}
	return answer;
}

static VciAnswer *
handle_credential_issuer(HttpCall *call)
{
	return answer_cacheable(
		call, vci_metadata_credential_issuer(&call->issuer->rules, call->issuer->configurations,
											 call->issuer->configuration_count));
}

static VciAnswer *
handle_authorization_server(HttpCall *call)
{
	return answer_cacheable(
		call, vci_metadata_authorization_server(&call->issuer->rules, call->issuer->configurations,
												call->issuer->configuration_count));
}

static VciAnswer *
handle_jwt_vc_issuer(HttpCall *call)
{
	return answer_cacheable(call, vci_metadata_jwt_vc_issuer(&call->issuer->rules,
															 call->issuer->published_keys,
															 call->issuer->key_count));
}

static VciAnswer *
handle_did_document(HttpCall *call)
{
	return answer_cacheable(call, vci_metadata_did_document(&call->issuer->rules,
															call->issuer->published_keys,
															call->issuer->key_count));
}

static VciAnswer *
handle_jwks(HttpCall *call)
{
	return answer_cacheable(
		call, vci_metadata_jwks(call->issuer->published_keys, call->issuer->key_count));
}

static VciAnswer *
handle_token(HttpCall *call)
{
	VciError error = VCI_ERROR_INIT;

	if (vci_http_content_type_check(call->request, "application/x-www-form-urlencoded", &error) !=
		VCI_OK)
		return vci_answer_error(&error, VCI_ASKER_TOKEN, NULL);
	return vci_token_endpoint(call->store, call->issuer, call->request->body,
							  call->request->body_len);
}

static VciAnswer *
handle_nonce(HttpCall *call)
{
	VciJson **body = vci_own_json();

	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(vci_json_set_string(*body, "c_nonce", vci_new_nonce(call->issuer)));
	return vci_answer_no_store(200, *body);
}

static VciAnswer *
handle_credential(HttpCall *call)
{
	return vci_credential_endpoint(call->store, call->issuer, call->request);
}

/* The offer by reference; wallets fetch it more than once, so it stays after redemption. */
static VciAnswer *
handle_offer(HttpCall *call)
{
	VciError error = VCI_ERROR_INIT;
	VciOfferRow *offer = NULL;
	int64_t id;
	int32_t generation;
	VciStatus status = vci_ticket_open(&call->issuer->ticket_key, VCI_TICKET_OFFER, call->rest,
									   strlen(call->rest), &id, &generation, &error);

	if (vci_is_server_fault(status))
		vci_raise(&error);
	if (status == VCI_OK)
		offer = vci_store_offer(call->store, id, false);
	if (offer == NULL || offer->issuer_id != call->issuer->rules.id ||
		offer->generation != generation)
		return answer_plain_error(
			404, "not_found", "there is no such credential offer; ask the issuer for a new link");
	if (offer->cancelled || offer->expires_at <= vci_now())
		return answer_plain_error(410, "gone",
								  "this credential offer is over; ask the issuer for a new one");
	return vci_answer_no_store(200, vci_offer_json(call->issuer, offer));
}

/* Browser wallets: any origin may ask, no cookie is involved. */
static void
add_cors(VciAnswer *answer)
{
	vci_answer_header(answer, "Access-Control-Allow-Origin", "*");
	vci_answer_header(answer, "Access-Control-Expose-Headers",
					  "WWW-Authenticate, ETag, Retry-After");
}

static VciAnswer *
answer_preflight(const Route *route)
{
	VciAnswer *answer = vci_answer_new(204);

	vci_answer_header(answer, "Allow", route->methods);
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

	return len > 0 && at != NULL && (at == route->methods || at[-1] == ' ') &&
		   (at[len] == ',' || at[len] == '\0');
}

static VciAnswer *
answer_unavailable(void)
{
	VciAnswer *answer = answer_plain_error(503, "temporarily_unavailable",
										   "this database server can't write now; try again soon");

	vci_answer_header(answer, "Retry-After", RETRY_AFTER);
	return answer;
}

static VciAnswer *
answer_on_route(HttpCall *call, const Route *route)
{
	const char *method = call->request->method;
	VciAnswer *answer;

	if (!method_allowed(route, method))
	{
		answer = answer_plain_error(405, "method_not_allowed", "another method is needed here");
		vci_answer_header(answer, "Allow", route->methods);
	}
	else if (strcmp(method, "OPTIONS") == 0)
		answer = answer_preflight(route);
	else if (route->writes && (RecoveryInProgress() || XactReadOnly))
		answer = answer_unavailable();
	else
	{
		vci_cache_load(call->store, call->issuer);
		if (route->secrets)
			vci_cache_unseal(call->issuer);
		answer = route->handle(call);
	}
	if (strcmp(method, "HEAD") == 0 && answer->status != 304)
		leave_out_body(answer);
	add_cors(answer);
	return answer;
}

static VciAnswer *
answer_request(HttpCall *call, const char *target, VciError *error)
{
	const Route *route;

	if (call->request->body_len > (size_t) vci_max_body_size * 1024)
	{
		vci_error(error, VCI_ERR_TOO_LARGE, "the body has more than %d kB", vci_max_body_size);
		return vci_answer_error(error, VCI_ASKER_OTHER, NULL);
	}
	if (vci_http_target_parse(target, strlen(target), call->request, error) != VCI_OK)
		return vci_answer_error(error, VCI_ASKER_OTHER, NULL);
	route = find_issuer_and_route(call);
	/* an issuer that this role may not serve does not exist for it */
	if (route == NULL || !vci_has_duty(call->store, VCI_DUTY_ENDPOINT, call->issuer->rules.id))
		return answer_plain_error(404, "not_found", "there is nothing here");
	return answer_on_route(call, route);
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
	TupleDesc descriptor;
	Datum values[3];
	bool nulls[3] = {false};
	char *pairs[2 * VCI_ANSWER_MAX_HEADERS];
	bytea *body = palloc(answer->body_len + VARHDRSZ);

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "vci_http must return vci_http_response");
	for (int i = 0; i < answer->header_count; i++)
	{
		pairs[2 * i] = unconstify(char *, answer->names[i]);
		pairs[2 * i + 1] = unconstify(char *, answer->values[i]);
	}
	SET_VARSIZE(body, answer->body_len + VARHDRSZ);
	if (answer->body_len > 0)
		memcpy(VARDATA(body), answer->body, answer->body_len);
	values[0] = Int32GetDatum(answer->status);
	values[1] = vci_text_array_datum(pairs, 2 * answer->header_count);
	values[2] = PointerGetDatum(body);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

PG_FUNCTION_INFO_V1(vci_http);

/* openid4vci.vci_http(method text, target text, headers text[], body bytea)
 * returns vci_http_response */
Datum
vci_http(PG_FUNCTION_ARGS)
{
	HttpCall call = {0};
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer;
	char *target;

	/* codes and tokens may stand as literals in the statement's text */
	pgstat_report_activity(STATE_RUNNING, "SELECT openid4vci.vci_http(...)");
	call.request = vci_own_http_request();
	call.request->method = vci_arg_text_required(fcinfo, 0, "method");
	target = vci_arg_text_required(fcinfo, 1, "target");
	read_headers(fcinfo, call.request);
	if (!PG_ARGISNULL(3))
	{
		bytea *body = PG_GETARG_BYTEA_PP(3);

		call.request->body = VARDATA_ANY(body);
		call.request->body_len = VARSIZE_ANY_EXHDR(body);
	}
	call.store = vci_store_open();
	(void) set_config_option("lock_timeout", LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	answer = answer_request(&call, target, &error);
	vci_store_close(call.store);
	PG_RETURN_DATUM(http_response(fcinfo, answer));
}
