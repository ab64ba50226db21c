/*
 * Holder keys: from proofs, from the holder that an offer names, from DID documents.
 */
#ifndef VCI_HOLDER_H
#define VCI_HOLDER_H

#include "../protocol/proof.h"
#include "cache.h"
#include "store.h"

/* The key that a DID or DID URL names; did:web through a loaded document. Owned. */
extern VciStatus vci_key_of_did(VciStore *store, const char *did_url, VciKey **key,
								VciError *error);

/*
 * A holder as an operator names one, a DID or the text of a public JWK: vci_check_holder raises
 * 22023 (54000) unless it is one by its looks; the other tells its key, as vci_key_of_did does. Owned.
 */
extern void vci_check_holder(const char *holder);
extern VciStatus vci_key_of_holder(VciStore *store, const char *holder, VciKey **key,
								   VciError *error);

/* What an offer says of its holder; both NULL: anybody. */
typedef struct VciNamedHolder
{
	const char *did;
	VciKey *key; /* of holder_jwk, or of the DID as far as it names one key; may be NULL */
} VciNamedHolder;

extern VciStatus vci_named_holder(VciStore *store, const VciOfferRow *offer, VciNamedHolder *holder,
								  VciError *error);

/* Is the proof by the holder that the offer names? VCI_ERR_HOLDER when it is not. */
extern VciStatus vci_holder_check(const VciNamedHolder *holder, const VciProof *proof,
								  VciError *error);

/*
 * Gives the proof its key where the header does not hold it: a did:web key by its
 * document, under an older shape the named holder's own.
 */
extern VciStatus vci_proof_resolve_key(VciStore *store, VciProof *proof,
									   const VciNamedHolder *holder, VciError *error);

#endif
