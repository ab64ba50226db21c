#include "compat.h"

#include "../jose/did.h"
#include "backend_curves.h"
#include "holder.h"
#include "release.h"
#include "report.h"

#define HOLDER_MAX_BYTES 8192

#define DID_CHARACTERS                                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%" /* DID Core 3.1 */

/* A did:web, alone or with the fragment that names one of its keys. */
static bool
is_did_web(const char *holder)
{
	const char *name;
	const char *rest;

	if (vci_did_method(holder) != VCI_DID_WEB)
		return false;
	name = holder + strlen("did:web:");
	rest = name + strspn(name, DID_CHARACTERS);
	if (rest == name)
		return false;
	return rest[0] == '\0' || (rest[0] == '#' && rest[1] != '\0' &&
							   rest[1 + strspn(rest + 1, DID_CHARACTERS)] == '\0');
}

void
vci_check_holder(const char *holder)
{
	VciDidMethod method = vci_did_method(holder);

	if (strlen(holder) > HOLDER_MAX_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("holder must have at most %d bytes", HOLDER_MAX_BYTES)));
	if (holder[0] == '{' || method == VCI_DID_JWK || method == VCI_DID_KEY || is_did_web(holder))
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("holder must be a DID (did:jwk, did:key, did:web) or a public JWK")));
}

static VciStatus
key_of_did_web(VciStore *store, const char *did_url, VciKey **key, VciError *error)
{
	char **did = vci_own_text();
	VciJson **document;
	char *text;

	vci_require_memory(*did = vci_did_of_url(did_url));
	text = vci_store_did_document(store, *did);
	if (text == NULL)
		return vci_error(error, VCI_ERR_DID_UNKNOWN,
						 "the DID document of this did:web is not known to the issuer");
	document = vci_own_json();
	vci_require(vci_json_parse(text, strlen(text), document, error), error);
	return vci_key_from_did_document(*document, did_url, key, error);
}

VciStatus
vci_key_of_did(VciStore *store, const char *did_url, VciKey **key, VciError *error)
{
	VciKey **owned = vci_own_key();
	VciStatus status = vci_did_method(did_url) == VCI_DID_WEB
						   ? key_of_did_web(store, did_url, owned, error)
						   : vci_key_from_did(did_url, vci_backend_curves(), owned, error);

	*key = *owned;
	return status;
}

static VciStatus
key_of_jwk_text(const char *text, VciKey **key, VciError *error)
{
	VciJson **jwk = vci_own_json();
	VciKey **owned = vci_own_key();
	VciStatus status = vci_json_parse(text, strlen(text), jwk, error);

	if (status == VCI_OK)
		status = vci_key_from_public_jwk_on(vci_backend_curves(), *jwk, owned, error);
	*key = *owned;
	return status;
}

VciStatus
vci_key_of_holder(VciStore *store, const char *holder, VciKey **key, VciError *error)
{
	return holder[0] == '{' ? key_of_jwk_text(holder, key, error)
							: vci_key_of_did(store, holder, key, error);
}

VciStatus
vci_named_holder(VciStore *store, const VciOfferRow *offer, VciNamedHolder *holder, VciError *error)
{
	VciError ignored = VCI_ERROR_INIT;

	memset(holder, 0, sizeof(VciNamedHolder));
	holder->did = offer->holder_did;
	if (offer->holder_jwk != NULL)
		return key_of_jwk_text(offer->holder_jwk, &holder->key, error);
	/* a did:web that names several keys, or is not loaded yet, still matches by its DID */
	if (offer->holder_did != NULL &&
		vci_key_of_did(store, offer->holder_did, &holder->key, &ignored) != VCI_OK)
		holder->key = NULL;
	return VCI_OK;
}

/* Does the proof's kid name a key of exactly this DID? */
static bool
is_key_of_did(const VciProof *proof, const char *did)
{
	char **named;

	if (proof->did_url == NULL)
		return false;
	named = vci_own_text();
	vci_require_memory(*named = vci_did_of_url(proof->did_url));
	return strcmp(*named, did) == 0;
}

VciStatus
vci_holder_check(const VciNamedHolder *holder, const VciProof *proof, VciError *error)
{
	if (holder->did == NULL && holder->key == NULL)
		return VCI_OK;
	if (holder->key != NULL && vci_key_equal(holder->key, proof->key))
		return VCI_OK;
	if (holder->did != NULL && is_key_of_did(proof, holder->did))
		return VCI_OK;
	return vci_error(error, VCI_ERR_HOLDER,
					 "the offer was made to another holder: the proof must be signed with the "
					 "key of the wallet that the issuer has on record");
}

VciStatus
vci_proof_resolve_key(VciStore *store, VciProof *proof, const VciNamedHolder *holder,
					  VciError *error)
{
	VciKey *key;
	VciStatus status;

	if (proof->key != NULL)
		return VCI_OK;
	if (proof->source == VCI_PROOF_KEY_DID_WEB)
	{
		status = vci_key_of_did(store, proof->did_url, &key, error);
		if (status == VCI_OK)
			vci_proof_set_key(proof, key);
		return status;
	}
	if (holder->key == NULL)
		return vci_error(error, VCI_ERR_PROOF,
						 "the proof names no key: its header must hold jwk, x5c or a DID in kid");
	vci_proof_set_key(proof, holder->key);
	return VCI_OK;
}
