#include "compat.h"

#include "utils/builtins.h"

#include "../jose/base64url.h"
#include "../protocol/consent.h"
#include "../protocol/redirect.h"
#include "authorization.h"
#include "consent_endpoint.h"
#include "issuance.h"
#include "release.h"
#include "values.h"

#define LOGIN_FAILURES_MAX 5
#define CSRF_KEY_LABEL	   "openid4vci consent form"
#define CSRF_SIZE		   44 /* base64url of a digest, and a NUL */

/* A request for the page, and what is known of it so far. */
typedef struct ConsentCall
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	VciPageLanguage language;
	VciForm *form;		 /* of the query, or of the body */
	const char *request; /* the login ticket */
	char cookie[VCI_CONSENT_COOKIE_SIZE];
	char csrf[CSRF_SIZE];
	VciAuthorizationRow *row;
} ConsentCall;

static bytea *
digest_of(const char *cookie)
{
	bytea *digest = palloc(VARHDRSZ + VCI_DIGEST_BYTES);
	VciError error = VCI_ERROR_INIT;

	SET_VARSIZE(digest, VARHDRSZ + VCI_DIGEST_BYTES);
	vci_require(vci_sha256(cookie, strlen(cookie), (unsigned char *) VARDATA(digest), &error),
				&error);
	return digest;
}

VciBrowser
vci_consent_browser(const VciHttpRequest *http)
{
	VciBrowser browser;
	VciError error = VCI_ERROR_INIT;
	unsigned char random[VCI_CONSENT_COOKIE_BYTES];

	browser.cookie = palloc(VCI_CONSENT_COOKIE_SIZE);
	if (!vci_consent_cookie(http, browser.cookie))
	{
		vci_require(vci_random(random, sizeof(random), &error), &error);
		vci_base64url_encode(random, sizeof(random), browser.cookie);
	}
	browser.digest = digest_of(browser.cookie);
	browser.set_cookie = psprintf(VCI_CONSENT_COOKIE_NAME "=%s; Path=/; Secure; HttpOnly; "
														  "SameSite=Lax",
								  browser.cookie);
	return browser;
}

static VciPageLanguage
language_of(const VciHttpRequest *http)
{
	bool repeated;

	return vci_page_language(vci_http_header(http, "Accept-Language", &repeated));
}

VciAnswer *
vci_consent_notice(const VciIssuerEntry *issuer, const VciHttpRequest *http, int status,
				   const char *text)
{
	VciPageLanguage language = language_of(http);
	VciConsentNotice notice =
		status == 429 || status == 503 ? VCI_CONSENT_LATER : VCI_CONSENT_START_AGAIN;
	VciError error = VCI_ERROR_INIT;
	char **html = vci_own_text();

	vci_require(vci_consent_notice_page(&language, issuer ? &issuer->rules : NULL, notice, text,
										html, &error),
				&error);
	return vci_answer_page(status, *html, &language, "'none'");
}

VciAnswer *
vci_consent_later(const VciIssuerEntry *issuer, const VciHttpRequest *http, const VciError *error)
{
	VciAnswer *answer = vci_consent_notice(
		issuer, http, vci_oauth_error(error->code, VCI_ASKER_OTHER).http_status, error->text);

	vci_answer_header(answer, "Retry-After", VCI_PAUSED_RETRY_AFTER);
	return answer;
}

static VciAnswer *
notice(const ConsentCall *call, int status, const char *text)
{
	return vci_consent_notice(call->issuer, call->http, status, text);
}

/* A client's fault, in words; a server's fault raises. */
static VciAnswer *
notice_of_error(const ConsentCall *call, const VciError *error)
{
	if (vci_is_server_fault(error->code))
		vci_raise(error);
	return notice(call, vci_oauth_error(error->code, VCI_ASKER_OTHER).http_status, error->text);
}

/* What the request is for, without configurations that were retired since. */
static const VciConfiguration **
configurations_of(const ConsentCall *call, size_t *count)
{
	const VciAuthorizationRow *row = call->row;
	const VciConfiguration **found =
		palloc(sizeof(VciConfiguration *) * Max(row->configuration_count, 1));

	*count = 0;
	for (int i = 0; i < row->configuration_count; i++)
	{
		int n = vci_cache_find_configuration(call->issuer, row->configuration_ids[i]);

		if (n >= 0)
			found[(*count)++] = &call->issuer->configurations[n];
	}
	return found;
}

/* What the core made for good, in memory that goes by itself; raises when it is NULL. */
static char *
owned(char *text)
{
	char **slot = vci_own_text();

	vci_require_memory(*slot = text);
	return text;
}

static VciAnswer *
answer_form(const ConsentCall *call, VciConsentProblem problem)
{
	const VciIssuerEntry *issuer = call->issuer;
	const VciClientRow *client = vci_cache_find_client(issuer, call->row->client_id);
	const char *redirect_uri = call->row->redirect_uri;
	char **html = vci_own_text();
	VciError error = VCI_ERROR_INIT;
	VciConsentPage page = {
		.language = &call->language,
		.issuer = &issuer->rules,
		.client_id = call->row->client_id,
		.client_name = client ? client->name : NULL,
		.returns_to = owned(vci_redirect_place(redirect_uri)),
		.login_fields = issuer->login_fields,
		.action = issuer->rules.endpoints[VCI_ENDPOINT_CONSENT].url,
		.request = call->request,
		.csrf = call->csrf,
		.entered = problem == VCI_CONSENT_FIRST_TIME ? NULL : call->form,
		.problem = problem,
	};
	int status = problem == VCI_CONSENT_NOT_RECOGNISED ? 403
				 : problem == VCI_CONSENT_INCOMPLETE   ? 400
													   : 200;

	page.configurations = configurations_of(call, &page.configuration_count);
	vci_require(vci_consent_page(&page, html, &error), &error);
	/* browsers hold a form's target against form-action even when it is redirected to */
	return vci_answer_page(status, *html, &call->language,
						   psprintf("'self' %s", owned(vci_redirect_form_action(redirect_uri))));
}

/* The page's token: only who holds the cookie and read the page has it. */
static void
make_csrf(ConsentCall *call)
{
	VciError error = VCI_ERROR_INIT;
	VciSecret key;
	unsigned char mac[VCI_DIGEST_BYTES];
	char *text = psprintf("%s %s", call->request, call->cookie);
	VciStatus status = vci_derive(&call->issuer->ticket_key, CSRF_KEY_LABEL, &key, &error);

	if (status == VCI_OK)
		status = vci_hmac(&key, text, strlen(text), mac, &error);
	vci_wipe(&key, sizeof(key));
	vci_require(status, &error);
	vci_base64url_encode(mac, sizeof(mac), call->csrf);
}

static bool
csrf_matches(const ConsentCall *call)
{
	const char *given = vci_form_get(call->form, VCI_CONSENT_FIELD_CSRF);

	return given != NULL && strlen(given) == CSRF_SIZE - 1 &&
		   vci_bytes_equal(given, call->csrf, CSRF_SIZE - 1);
}

static bool
browser_matches(const ConsentCall *call)
{
	bytea *stored = call->row->browser;
	bytea *ours = digest_of(call->cookie);

	return stored != NULL && VARSIZE_ANY_EXHDR(stored) == VCI_DIGEST_BYTES &&
		   vci_bytes_equal(VARDATA_ANY(stored), VARDATA(ours), VCI_DIGEST_BYTES);
}

/* The form of the query (GET) or of the body. */
static VciStatus
read_form(ConsentCall *call, bool posted, VciError *error)
{
	const VciHttpRequest *http = call->http;
	const char *query = http->query == NULL ? "" : http->query;
	VciStatus status;

	if (!posted)
		status = vci_form_parse(query, strlen(query), call->form, error);
	else
	{
		status = vci_http_content_type_check(http, "application/x-www-form-urlencoded", error);
		if (status == VCI_OK && http->body_len > VCI_CONSENT_FORM_MAX)
			status = vci_error(error, VCI_ERR_TOO_LARGE, "the form has more than %d bytes",
							   VCI_CONSENT_FORM_MAX);
		if (status == VCI_OK)
			status = vci_form_parse(http->body, http->body_len, call->form, error);
	}
	if (status != VCI_OK)
		return status;
	call->request = vci_form_get(call->form, VCI_CONSENT_FIELD_REQUEST);
	if (call->request == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the link lacks its parameter request");
	return VCI_OK;
}

/*
 * Fills form, request, cookie, csrf and row. What a stranger can send is refused before a
 * row is read; a posted form locks it.
 */
static VciStatus
find_request(ConsentCall *call, bool posted, VciError *error)
{
	static const char *const other_browser =
		"this page was not opened by the browser in which the wallet's request began";
	VciStatus status = read_form(call, posted, error);

	if (status != VCI_OK)
		return status;
	if (!vci_consent_cookie(call->http, call->cookie))
		return vci_error(error, VCI_ERR_REQUEST, "%s", other_browser);
	make_csrf(call);
	if (posted)
	{
		status = vci_consent_check_origin(
			call->http, call->issuer->rules.endpoints[VCI_ENDPOINT_CONSENT].url, error);
		if (status == VCI_OK && !csrf_matches(call))
			status = vci_error(error, VCI_ERR_REQUEST,
							   "the form is not one that this page gave to this browser");
	}
	if (status == VCI_OK)
		status = vci_authorization_find(call->store, call->issuer, call->request, posted,
										&call->row, error);
	if (status == VCI_OK && !browser_matches(call))
		status = vci_error(error, VCI_ERR_REQUEST, "%s", other_browser);
	return status;
}

static VciAnswer *
go_on(const ConsentCall *call, VciStatus status, const char *location, const VciError *error)
{
	if (status == VCI_OK)
		return vci_answer_redirect(location);
	if (vci_is_server_fault(status))
		vci_raise(error);
	if (status == VCI_ERR_REQUEST_URI)
		return notice_of_error(call, error);
	return vci_answer_redirect(vci_authorization_error_location(
		call->issuer, call->row->redirect_uri, call->row->state, error));
}

static VciAnswer *
deny(const ConsentCall *call, const char *reason)
{
	VciError error = VCI_ERROR_INIT;
	char *location;
	VciStatus status = vci_authorization_deny(call->store, call->issuer, call->row, reason, false,
											  &location, &error);

	return go_on(call, status, location, &error);
}

/* The same words whether nobody is known by that login, or somebody else than the offer's. */
static VciAnswer *
refuse_login(const ConsentCall *call)
{
	vci_store_count_login_failure(call->store, call->row->id);
	if (call->row->login_failures + 1 >= LOGIN_FAILURES_MAX)
		return deny(call, "too many failed logins");
	return answer_form(call, VCI_CONSENT_NOT_RECOGNISED);
}

static VciJson *
strings_array(char **strings, int count)
{
	VciJson **array = vci_own_json();

	vci_require_memory(*array = vci_json_new_array());
	for (int i = 0; i < count; i++)
		vci_require_done(vci_json_append_string(*array, strings[i]));
	return *array;
}

/* {id, client_id, client_name, configuration_ids, offer_id} */
static VciJson *
described_request(const ConsentCall *call)
{
	const VciAuthorizationRow *row = call->row;
	const VciClientRow *client = vci_cache_find_client(call->issuer, row->client_id);
	VciJson **json = vci_own_json();
	VciJson *ids = strings_array(row->configuration_ids, row->configuration_count);

	vci_require_memory(*json = vci_json_new_object());
	vci_require_done(vci_json_set_int64(*json, "id", row->id) &&
					 vci_json_set_string(*json, "client_id", row->client_id) &&
					 vci_json_set(*json, "configuration_ids", vci_json_ref(ids)));
	if (client != NULL && client->name != NULL)
		vci_require_done(vci_json_set_string(*json, "client_name", client->name));
	if (row->offer_id != 0)
		vci_require_done(vci_json_set_int64(*json, "offer_id", row->offer_id));
	return *json;
}

/* The argument of the authentication function. */
static char *
login_form(const ConsentCall *call, VciJson *fields)
{
	VciJson **json = vci_own_json();

	vci_require_memory(*json = vci_json_new_object());
	vci_require_done(vci_json_set(*json, "request", vci_json_ref(described_request(call))) &&
					 vci_json_set(*json, "fields", vci_json_ref(fields)) &&
					 vci_json_set_int64(*json, "attempt", call->row->login_failures + 1) &&
					 vci_json_set_string(*json, "language", call->language.words->language));
	return owned(vci_json_print(*json));
}

static void
raise_unusable(const ConsentCall *call, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("authentication function %s returned what is no person",
						   call->issuer->authenticate.function),
					errdetail("%s", detail),
					errhint("Return NULL for somebody unknown, or {\"subject_model\": ..., "
							"\"subject_id\": ...} with two strings, and claims and labels if you "
							"like, each an object.")));
}

/* An optional object of the answer as jsonb, 0 when it is absent. */
static Datum
object_member(const ConsentCall *call, const VciJson *person, const char *name)
{
	const VciJson *value = vci_json_get(person, name);

	if (value == NULL)
		return (Datum) 0;
	if (vci_json_kind(value) != VCI_JSON_OBJECT)
		raise_unusable(call, psprintf("%s is not an object.", name));
	return vci_jsonb_datum(value);
}

static char *
string_member(const ConsentCall *call, const VciJson *person, const char *name)
{
	const char *value = vci_json_get_string(person, name);

	if (value == NULL)
		raise_unusable(call, psprintf("%s is not a string.", name));
	return pstrdup(value);
}

/* Asks the registry who that is. False when it does not know. */
static bool
authenticate(const ConsentCall *call, VciJson *fields, VciApproval *approval)
{
	static const char *const members[] = {"subject_model", "subject_id", "claims", "labels", NULL};
	const char *arguments[] = {login_form(call, fields)};
	const VciSource *source = &call->issuer->authenticate;
	char *text = vci_store_run_source(call->store, VCI_AUTHENTICATE, source->function,
									  source->owner, arguments);
	VciJson **person = vci_own_json();
	VciError error = VCI_ERROR_INIT;

	if (text == NULL)
		return false;
	if (vci_json_parse(text, strlen(text), person, &error) != VCI_OK)
		raise_unusable(call, error.text);
	if (*person == NULL)
		return false; /* JSON's null is what jsonb functions return by mistake for SQL's */
	if (vci_json_kind(*person) != VCI_JSON_OBJECT)
		raise_unusable(call, "It is not an object.");
	vci_check_members(*person, "the answer of an authentication function", members);
	approval->subject_model = string_member(call, *person, "subject_model");
	approval->subject_id = string_member(call, *person, "subject_id");
	approval->claims = object_member(call, *person, "claims");
	approval->labels = object_member(call, *person, "labels");
	return true;
}

/*
 * May somebody log in for it? Also once it is approved, until its code is used: the same
 * person pressed twice, or the first answer was lost.
 */
static VciStatus
check_open(const ConsentCall *call, VciError *error)
{
	const VciAuthorizationRow *row = call->row;
	int64 now = vci_now();

	if (row->login_failures >= LOGIN_FAILURES_MAX)
		return vci_error(error, VCI_ERR_REQUEST_URI, "there were too many failed logins");
	if (row->approved && !row->denied && !row->redeemed && row->code_expires_at > now)
		return VCI_OK;
	return vci_authorization_check_pending(row, now, error);
}

static VciAnswer *
approve(const ConsentCall *call)
{
	VciJson **fields = vci_own_json();
	VciApproval approval = {0};
	VciError error = VCI_ERROR_INIT;
	bool complete;
	char *location;
	VciStatus status = check_open(call, &error);

	if (status == VCI_OK)
		status =
			vci_consent_entered(call->issuer->login_fields, call->form, fields, &complete, &error);
	if (status != VCI_OK)
		return notice_of_error(call, &error);
	if (!complete)
		return answer_form(call, VCI_CONSENT_INCOMPLETE);
	if (!authenticate(call, *fields, &approval))
		return refuse_login(call);
	status = vci_authorization_approve(call->store, call->issuer, call->row, &approval, &location,
									   &error);
	if (status == VCI_ERR_ACCESS_DENIED)
		return refuse_login(call); /* not the offer's subject */
	return go_on(call, status, location, &error);
}

static VciAnswer *
decide(const ConsentCall *call)
{
	const char *decision = vci_form_get(call->form, VCI_CONSENT_FIELD_DECISION);

	if (decision != NULL && strcmp(decision, "approve") == 0)
		return approve(call);
	if (decision != NULL && strcmp(decision, "deny") == 0)
		return deny(call, NULL);
	return notice(call, 400, "the form must say decision=approve or decision=deny");
}

VciAnswer *
vci_consent_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	bool posted = strcmp(http->method, "POST") == 0;
	VciError error = VCI_ERROR_INIT;
	ConsentCall call = {.store = store, .issuer = issuer, .http = http};

	call.language = language_of(http);
	call.form = vci_own_form();
	if (vci_check_issuance(issuer, &error) != VCI_OK)
		return vci_consent_later(issuer, http, &error);
	if (issuer->authenticate.function == NULL)
		return notice(&call, 404, "this issuer has no login page of its own");
	if (find_request(&call, posted, &error) != VCI_OK)
		return notice_of_error(&call, &error);
	if (posted)
		return decide(&call);
	if (vci_authorization_check_pending(call.row, vci_now(), &error) != VCI_OK)
		return notice_of_error(&call, &error);
	return answer_form(&call, VCI_CONSENT_FIRST_TIME);
}
