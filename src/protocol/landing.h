/*
 * The landing page of an offer: where the short link of a message or a printed sheet leads.
 * Reading it changes nothing, since whoever shows a preview of a link reads it, too.
 */
#ifndef VCI_LANDING_H
#define VCI_LANDING_H

#include "landing_words.h"
#include "page.h"
#include "situation.h"

typedef struct VciLandingPage
{
	const VciPageLanguage *language;
	const VciIssuer *issuer;
	const VciConfiguration *const *configurations;
	size_t configuration_count;
	const char *link; /* openid-credential-offer://..., that wallets open */
	const char *qr;	  /* the same as a QR code: SVG markup of our own; NULL: too long */
	bool has_tx_code;
	const char *tx_code_description; /* NULL: none */
	bool needs_login;				 /* it can be redeemed by logging in alone */
	const char *wallet_url;			 /* where people get a wallet; NULL: nobody said */
	int64_t until;					 /* seconds since 1970 */
} VciLandingPage;

/* <issuer's landing endpoint>/<ticket>; malloc'd, NULL when memory is out. */
extern char *vci_landing_link(const VciIssuer *issuer, const char *ticket);

/* What a situation of situation.h means to the person. */
extern VciLandingState vci_landing_state(const VciSituation *situation);

/* The page of an offer that can be redeemed. *html is malloc'd. VCI_ERR_MEMORY. */
extern VciStatus vci_landing_page(const VciLandingPage *page, char **html, VciError *error);

/* The page of any other state, which has nothing to press. VCI_ERR_MEMORY. */
extern VciStatus vci_landing_notice(const VciPageLanguage *language, const VciIssuer *issuer,
									VciLandingState state, char **html, VciError *error);

#endif
