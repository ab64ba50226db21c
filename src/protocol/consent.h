/*
 * The built-in login-and-consent page: its text, and what a browser sends back.
 */
#ifndef VCI_CONSENT_H
#define VCI_CONSENT_H

#include "http.h"
#include "issuer.h"
#include "page.h"

typedef enum VciConsentProblem
{
	VCI_CONSENT_FIRST_TIME, /* nothing was entered yet */
	VCI_CONSENT_INCOMPLETE,
	VCI_CONSENT_NOT_RECOGNISED
} VciConsentProblem;

typedef struct VciConsentPage
{
	const VciPageLanguage *language;
	const VciIssuer *issuer;
	const char *client_id;
	const char *client_name; /* NULL: none */
	const char *returns_to;	 /* where the wallet's redirect URI leads, for people */
	const VciConfiguration *const *configurations;
	size_t configuration_count;
	const VciJson *login_fields; /* NULL: user name and password */
	const char *action;			 /* the URL that takes the form */
	const char *request;
	const char *csrf;
	const VciForm *entered; /* what comes back into the fields, never into a password; or NULL */
	VciConsentProblem problem;
} VciConsentPage;

/* *html is malloc'd. VCI_ERR_MEMORY. */
extern VciStatus vci_consent_page(const VciConsentPage *page, char **html, VciError *error);

typedef enum VciConsentNotice
{
	VCI_CONSENT_START_AGAIN, /* in the wallet */
	VCI_CONSENT_LATER
} VciConsentNotice;

/* A page without a form; text, in English, tells more. issuer may be NULL. VCI_ERR_MEMORY. */
extern VciStatus vci_consent_notice_page(const VciPageLanguage *language, const VciIssuer *issuer,
										 VciConsentNotice notice, const char *text, char **html,
										 VciError *error);

/* Form fields of our own: no login field has one of these names. */
#define VCI_CONSENT_FIELD_REQUEST  "request"
#define VCI_CONSENT_FIELD_CSRF	   "csrf"
#define VCI_CONSENT_FIELD_DECISION "decision"

/* What the person types to log in; all lent. */
typedef struct VciLoginField
{
	const char *name;
	const char *type;
	const char *label;
	const char *label_language; /* NULL: unknown */
	const char *autocomplete;	/* NULL: no hint */
	bool required;
} VciLoginField;

#define VCI_LOGIN_FIELDS_MAX	 8
#define VCI_LOGIN_VALUE_MAX		 1000 /* bytes */
#define VCI_CONSENT_FORM_MAX	 (16 * 1024)
#define VCI_CONSENT_COOKIE_NAME	 "__Host-vci"
#define VCI_CONSENT_COOKIE_BYTES 16
#define VCI_CONSENT_COOKIE_SIZE	 23 /* with a NUL */

/* Fills fields in the page's language; returns how many there are. */
extern size_t vci_consent_login_fields(const VciJson *login_fields, const VciPageLanguage *language,
									   VciLoginField fields[VCI_LOGIN_FIELDS_MAX]);

/*
 * What was entered, as {name: value}; *complete is false when a required field is absent.
 * VCI_ERR_TOO_LARGE for a value over VCI_LOGIN_VALUE_MAX; never tells a value.
 */
extern VciStatus vci_consent_entered(const VciJson *login_fields, const VciForm *form,
									 VciJson **values, bool *complete, VciError *error);

/* The well-formed value of our cookie, from all Cookie headers; false when there is none. */
extern bool vci_consent_cookie(const VciHttpRequest *http, char value[VCI_CONSENT_COOKIE_SIZE]);

/*
 * Does a form that says nothing else come from our own page? Origin, when it is there, must
 * be that of url or "null" (no-referrer makes it so), Sec-Fetch-Site not another site.
 * VCI_ERR_REQUEST.
 */
extern VciStatus vci_consent_check_origin(const VciHttpRequest *http, const char *url,
										  VciError *error);

#endif
