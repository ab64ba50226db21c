/*
 * Pieces of offers that the SQL functions and the endpoints share.
 */
#ifndef VCI_OFFER_FUNCTIONS_H
#define VCI_OFFER_FUNCTIONS_H

#include "cache.h"
#include "store.h"

typedef enum VciLinkKind
{
	VCI_LINK_BY_VALUE,
	VCI_LINK_BY_REFERENCE,
	VCI_LINK_BY_PAGE /* https, to the landing page */
} VciLinkKind;

extern bool vci_offer_has_grant(const VciOfferRow *offer, const char *grant);

/* Of several credentials one may be issued and others not yet; refresh tokens bring more. */
extern bool vci_offer_brings_more(const VciIssuerEntry *issuer, const VciOfferRow *offer);

/* The offer's claims, and its datasets for src/protocol/dataset.h; NULL: none. Owned. */
extern VciJson *vci_offer_claims(const VciOfferRow *offer);
extern VciJson *vci_offer_datasets(const VciOfferRow *offer);

/* The offer object that a wallet reads, with its codes rebuilt; owned. */
extern VciJson *vci_offer_json(const VciIssuerEntry *issuer, const VciOfferRow *offer);

/* The link, openid-credential-offer:// but for the page; palloc'd. 55000 where no page is. */
extern char *vci_offer_link(const VciIssuerEntry *issuer, const VciOfferRow *offer,
							VciLinkKind kind);

/*
 * The offer with this id, after checking that the caller has the duty offerer for its
 * issuer, which may be retired only for reading (then *issuer is NULL and it raises).
 */
extern VciOfferRow *vci_offer_for_operator(VciStore *store, int64 id, bool lock,
										   VciIssuerEntry **issuer);

/* "value", "reference" or "page"; raises 22023. */
extern VciLinkKind vci_link_kind_by_name(const char *name);

/*
 * A generation to begin with. An id may be given twice, when a database is restored to an
 * earlier time; its codes and tokens then differ all the same.
 */
extern int32 vci_first_generation(void);

/* holder: a DID or a public JWK, NULL: anybody; raises when it is neither. */
extern void vci_set_offer_holder(VciStore *store, VciNewOffer *offer, const char *holder);

/*
 * Raises when a holder is named and a configuration binds to none: such a credential would go to
 * anybody, whatever holder is named.
 */
extern void vci_check_binding_of_holder(const VciIssuerEntry *issuer, const VciNewOffer *offer);

/* Inserts it and notes offer_created; false, and nothing is done, when its reference is taken. */
extern bool vci_insert_new_offer(VciStore *store, const VciIssuerEntry *issuer,
								 const VciNewOffer *offer);

/*
 * Makes the offer row that an approved authorization without issuer_state needs: grants
 * {authorization_code}. The caller fills configuration_ids, subject_model, subject_id,
 * claims, labels, datasets, client_id and expires_at; id, generation, issuer_id and grants
 * are filled in here. Raises as vci_create_offer does when a configuration is unknown or
 * nothing says what it will hold. Notes offer_created.
 */
extern void vci_offer_for_approval(VciStore *store, const VciIssuerEntry *issuer,
								   VciNewOffer *offer);

/* HMAC of a transaction code, bound to its offer. */
extern bytea *vci_tx_code_verifier(const VciIssuerEntry *issuer, int64 offer_id,
								   const char *tx_code);

#endif
