/*
 * Credential offers (OpenID4VCI 1.0 section 4.1) and transaction codes.
 */
#ifndef VCI_OFFER_H
#define VCI_OFFER_H

#include "../jose/seal.h"
#include "issuer.h"

#define VCI_GRANT_PRE_AUTHORIZED	 "urn:ietf:params:oauth:grant-type:pre-authorized_code"
#define VCI_GRANT_AUTHORIZATION_CODE "authorization_code"
#define VCI_TX_CODE_MAX_LENGTH		 64
#define VCI_TX_CODE_MIN_LENGTH		 4

typedef enum VciTxCodeMode
{
	VCI_TX_CODE_NUMERIC,
	VCI_TX_CODE_TEXT
} VciTxCodeMode;

typedef struct VciTxCode
{
	VciTxCodeMode mode;
	int length;				 /* characters */
	const char *description; /* NULL: none; at most 300 characters */
} VciTxCode;

/* How an offer can be redeemed; members NULL: not, or not said. */
typedef struct VciOfferGrants
{
	const char *pre_authorized_code;
	const VciTxCode *tx_code;
	const char *issuer_state;		  /* of the authorization code grant */
	const char *authorization_server; /* where that one is to be asked for */
} VciOfferGrants;

/*
 * The offer object. While external authorization servers are listed, a pre-authorized code
 * names the issuer's own one, which alone knows it. New; NULL when memory is out.
 */
extern VciJson *vci_offer_object(const VciIssuer *issuer, const char *const *configuration_ids,
								 size_t count, const VciOfferGrants *grants);

/* openid-credential-offer://?credential_offer=... malloc'd. */
extern char *vci_offer_uri_by_value(const VciJson *offer);

/* openid-credential-offer://?credential_offer_uri=<issuer endpoint>/offer/<ticket> malloc'd. */
extern char *vci_offer_uri_by_reference(const VciIssuer *issuer, const char *ticket);

/*
 * Checks a transaction code that an operator gives: 4 to 64 characters, digits only
 * when the mode is numeric, printable UTF-8; *length becomes its characters.
 */
extern VciStatus vci_tx_code_check(const char *tx_code, VciTxCodeMode mode, int *length,
								   VciError *error);

/* A random transaction code, unbiased; text mode leaves out look-alikes (0O1Il). malloc'd. */
extern VciStatus vci_tx_code_generate(VciTxCodeMode mode, int length, char **tx_code,
									  VciError *error);

/*
 * The same, but each time the same one for the same key and context, of symbols from MACs under
 * the key. Of another length or mode it is another one throughout.
 */
extern VciStatus vci_tx_code_derive(const VciSecret *key, const char *context, VciTxCodeMode mode,
									int length, char **tx_code, VciError *error);

/* Checks mode name ("numeric", "text"). */
extern VciStatus vci_tx_code_mode_by_name(const char *name, VciTxCodeMode *mode, VciError *error);

#endif
