#include "compat.h"

#include "../jose/base64url.h"
#include "../protocol/dpop.h"
#include "answer.h"
#include "release.h"

#define DOCUMENT_MAX_AGE "public, max-age=300"

VciAnswer *
vci_answer_new(int status)
{
	VciAnswer *answer = palloc0(sizeof(VciAnswer));

	answer->status = status;
	return answer;
}

void
vci_answer_header(VciAnswer *answer, const char *name, const char *value)
{
	/* what a stranger sent must not become a header of its own */
	if (strpbrk(value, "\r\n") != NULL || answer->header_count == VCI_ANSWER_MAX_HEADERS)
		elog(ERROR, "header %s can't be added to the answer", name);
	answer->names[answer->header_count] = name;
	answer->values[answer->header_count] = value;
	answer->header_count++;
}

void
vci_answer_json(VciAnswer *answer, const VciJson *json)
{
	char **text = vci_own_text();

	vci_require_memory(*text = vci_json_print(json));
	answer->body = *text;
	answer->body_len = strlen(*text);
	vci_answer_header(answer, "Content-Type", "application/json");
}

VciAnswer *
vci_answer_no_store(int status, const VciJson *json)
{
	VciAnswer *answer = vci_answer_new(status);

	vci_answer_json(answer, json);
	vci_answer_header(answer, "Cache-Control", "no-store");
	vci_answer_header(answer, "Pragma", "no-cache"); /* RFC 6749 section 5.1 */
	return answer;
}

VciAnswer *
vci_answer_plain_error(int status, const char *code, const char *description)
{
	VciJson **body = vci_own_json();

	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(vci_json_set_string(*body, "error", code) &&
					 vci_json_set_string(*body, "error_description", description));
	return vci_answer_no_store(status, *body);
}

/* The style of our pages as a source expression (CSP Level 3 section 2.3.1); palloc'd. */
static char *
style_source(void)
{
	const char *style = vci_page_style();
	unsigned char digest[VCI_DIGEST_BYTES];
	char text[44]; /* base64url, which CSP takes as well as base64 */
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_sha256(style, strlen(style), digest, &error), &error);
	vci_base64url_encode(digest, sizeof(digest), text);
	return psprintf("'sha256-%s='", text);
}

VciAnswer *
vci_answer_html(int status, const char *html, const char *form_action)
{
	VciAnswer *answer = vci_answer_new(status);

	answer->body = html;
	answer->body_len = strlen(html);
	vci_answer_header(answer, "Content-Type", "text/html; charset=utf-8");
	vci_answer_header(answer, "Content-Security-Policy",
					  psprintf("default-src 'none'; style-src %s; img-src data:; "
							   "base-uri 'none'; frame-ancestors 'none'; form-action %s",
							   style_source(), form_action));
	vci_answer_header(answer, "X-Frame-Options", "DENY");
	vci_answer_header(answer, "X-Content-Type-Options", "nosniff");
	vci_answer_header(answer, "Referrer-Policy", "no-referrer");
	vci_answer_header(answer, "Cache-Control", "no-store");
	return answer;
}

VciAnswer *
vci_answer_page(int status, const char *html, const VciPageLanguage *language,
				const char *form_action)
{
	VciAnswer *answer = vci_answer_html(status, html, form_action);

	vci_answer_header(answer, "Content-Language", language->words->language);
	vci_answer_header(answer, "Vary", "Accept-Language");
	return answer;
}

void
vci_answer_leave_out_body(VciAnswer *answer)
{
	vci_answer_header(answer, "Content-Length", psprintf("%zu", answer->body_len));
	answer->body_len = 0;
}

VciAnswer *
vci_answer_document(const VciDocument *document, const VciHttpRequest *http)
{
	VciAnswer *answer = vci_answer_new(200);
	bool repeated;
	const char *if_none_match = vci_http_header(http, "If-None-Match", &repeated);

	answer->body = document->body;
	answer->body_len = document->len;
	vci_answer_header(answer, "Content-Type", "application/json");
	vci_answer_header(answer, "Cache-Control", DOCUMENT_MAX_AGE);
	vci_answer_header(answer, "ETag", document->etag);
	if (if_none_match != NULL && !repeated && vci_http_etag_matches(if_none_match, document->etag))
	{
		answer->status = 304;
		vci_answer_leave_out_body(answer);
	}
	return answer;
}

VciAnswer *
vci_answer_redirect(const char *location)
{
	VciAnswer *answer = vci_answer_new(303); /* RFC 9700 section 4.12: never 307 */

	vci_answer_header(answer, "Location", location);
	vci_answer_header(answer, "Cache-Control", "no-store");
	vci_answer_header(answer, "Referrer-Policy", "no-referrer");
	return answer;
}

/* RFC 6750 section 3, and RFC 9449 section 7.1 where the proof itself is at fault. */
static void
add_challenge(VciAnswer *answer, const VciError *error, const char *code)
{
	bool dpop = error->code == VCI_ERR_DPOP || error->code == VCI_ERR_DPOP_NONCE;
	char *value = "Bearer";

	if (code != NULL)
		value = psprintf("%s error=\"%s\", error_description=\"%s\"%s", dpop ? "DPoP" : "Bearer",
						 code, error->text, dpop ? ", algs=\"" VCI_DPOP_ALGS "\"" : "");
	vci_answer_header(answer, "WWW-Authenticate", value);
}

VciAnswer *
vci_answer_error(const VciError *error, VciAsker asker, const VciJson *more)
{
	VciOAuthError oauth = vci_oauth_error(error->code, asker);
	VciJson **body;
	VciAnswer *answer;
	VciJsonIter iter;

	if (vci_is_server_fault(error->code))
		vci_raise(error);
	if (oauth.code == NULL)
	{
		answer = vci_answer_new(oauth.http_status);
		vci_answer_header(answer, "Cache-Control", "no-store");
		add_challenge(answer, error, NULL);
		return answer;
	}
	body = vci_own_json();
	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(vci_json_set_string(*body, "error", oauth.code) &&
					 vci_json_set_string(*body, "error_description", error->text));
	iter = vci_json_iter(more);
	while (vci_json_next(&iter))
		vci_require_done(vci_json_set(*body, iter.name, vci_json_ref(iter.value)));
	answer = vci_answer_no_store(oauth.http_status, *body);
	answer->needs_dpop_nonce = error->code == VCI_ERR_DPOP_NONCE;
	if (error->code == VCI_ERR_PAUSED)
		vci_answer_header(answer, "Retry-After", VCI_PAUSED_RETRY_AFTER);
	if (oauth.http_status == 401 || oauth.http_status == 403)
		add_challenge(answer, error, oauth.code);
	return answer;
}
