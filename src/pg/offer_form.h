/*
 * What wallets read of an offer, made once for all offers of a statement that differ in
 * their codes alone: a copy is taken, and the codes are put into their places.
 */
#ifndef VCI_OFFER_FORM_H
#define VCI_OFFER_FORM_H

#include "cache.h"
#include "store.h"

/* As the links and the offer object of offer_functions.h have it. */
typedef struct VciOfferTexts
{
	Datum offer;		/* jsonb */
	Datum by_value;		/* text */
	Datum by_reference; /* text */
} VciOfferTexts;

/* The form is kept with the function that is called, for its next call in the statement. */
extern VciOfferTexts vci_offer_texts(FunctionCallInfo fcinfo, const VciIssuerEntry *issuer,
									 const VciOfferRow *offer);

#endif
