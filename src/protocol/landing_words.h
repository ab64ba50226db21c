/*
 * What the landing page of an offer says of itself, in each language that pages speak.
 */
#ifndef VCI_LANDING_WORDS_H
#define VCI_LANDING_WORDS_H

/* How it stands with the offer, for the person who opens the page. */
typedef enum VciLandingState
{
	VCI_LANDING_OPEN,
	VCI_LANDING_LOCKED,		 /* too many wrong transaction codes */
	VCI_LANDING_WAITING,	 /* a wallet will get it later */
	VCI_LANDING_USED,		 /* a wallet has it, or may fetch it */
	VCI_LANDING_EXPIRED,	 /* also redeemed, and nothing was fetched in time */
	VCI_LANDING_UNAVAILABLE, /* cancelled or denied */
	VCI_LANDING_REPLACED,	 /* there is a newer link */
	VCI_LANDING_UNKNOWN		 /* no link of this issuer */
} VciLandingState;

#define VCI_LANDING_STATES (VCI_LANDING_UNKNOWN + 1)

typedef struct VciLandingNotice
{
	const char *title;
	const char *text; /* {issuer} */
} VciLandingNotice;

/* UTF-8. "{issuer}" and "{time}" stand for what they name. */
typedef struct VciLandingWords
{
	const char *language; /* language tag */
	const char *offers;	  /* {issuer} */
	const char *this_device;
	const char *open;
	const char *nothing_happens;
	const char *plain_link;
	const char *other_device;
	const char *scan;
	const char *qr_label; /* no markup characters: it goes into the drawing as it stands */
	const char *tx_code;  /* {issuer} */
	const char *login;	  /* {issuer} */
	const char *no_wallet;
	const char *get_wallet;
	const char *get_wallet_link;
	const char *ask_wallet; /* {issuer} */
	const char *until;		/* {time} */
	const char *caution;
	VciLandingNotice notices[VCI_LANDING_STATES]; /* by state; not of VCI_LANDING_OPEN */
} VciLandingWords;

/* For a language of vci_consent_words. */
extern const VciLandingWords *vci_landing_words(const char *language);

#endif
