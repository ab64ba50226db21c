/*
 * The answer to a wallet, while it is being made.
 */
#ifndef VCI_ANSWER_H
#define VCI_ANSWER_H

#include "../jose/json.h"
#include "../protocol/http.h"
#include "../protocol/page.h"
#include "cache.h"
#include "report.h"

#define VCI_ANSWER_MAX_HEADERS 20
/* Seconds, of VCI_ERR_PAUSED: nobody knows when the issuer goes on, and wallets should not press. */
#define VCI_PAUSED_RETRY_AFTER "60"

typedef struct VciAnswer
{
	int status;
	int header_count;
	const char *names[VCI_ANSWER_MAX_HEADERS];
	const char *values[VCI_ANSWER_MAX_HEADERS];
	const char *body; /* NULL: empty */
	size_t body_len;
	bool needs_dpop_nonce; /* the refusal asks for a nonce of ours in the DPoP proof */
} VciAnswer;

extern VciAnswer *vci_answer_new(int status);
extern void vci_answer_header(VciAnswer *answer, const char *name, const char *value);

/* Sets a JSON body and its content type. */
extern void vci_answer_json(VciAnswer *answer, const VciJson *json);

/* A JSON answer that must not be stored anywhere. */
extern VciAnswer *vci_answer_no_store(int status, const VciJson *json);

/* {error, error_description}, for what no protocol has an error of. */
extern VciAnswer *vci_answer_plain_error(int status, const char *code, const char *description);

/*
 * An HTML page (RFC 9700 section 4.16 and the rules for pages with a form): no-store, no
 * framing, no referrer, a Content-Security-Policy with this form-action, and with no style
 * but vci_page_style's. html is lent.
 */
extern VciAnswer *vci_answer_html(int status, const char *html, const char *form_action);

/* The same in the visitor's language. */
extern VciAnswer *vci_answer_page(int status, const char *html, const VciPageLanguage *language,
								  const char *form_action);

/* A document that anybody may keep for some minutes, or 304 for who has it (If-None-Match). */
extern VciAnswer *vci_answer_document(const VciDocument *document, const VciHttpRequest *http);

/* Content-Length alone tells of the body (RFC 9110 sections 9.3.2 and 15.4.5). */
extern void vci_answer_leave_out_body(VciAnswer *answer);

/* 303 to location, not to be stored. */
extern VciAnswer *vci_answer_redirect(const char *location);

/*
 * The protocol's error for a client's fault; a server's fault raises. more: further
 * members of the body, or NULL.
 */
extern VciAnswer *vci_answer_error(const VciError *error, VciAsker asker, const VciJson *more);

#endif
