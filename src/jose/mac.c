#include "mac.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct VciMac
{
	EVP_MAC_CTX *context;
};

static VciStatus
mac_failure(VciError *error)
{
	ERR_clear_error();
	return vci_error(error, VCI_ERR_CRYPTO, "the crypto library failed at HMAC");
}

/* The digest is fetched here, and kept when a key is set. */
static bool
choose_digest(EVP_MAC_CTX *context)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *) "SHA256", 0),
		OSSL_PARAM_construct_end(),
	};

	return context != NULL && EVP_MAC_CTX_set_params(context, params) == 1;
}

VciStatus
vci_mac_new(VciMac **mac, VciError *error)
{
	EVP_MAC *hmac;

	*mac = calloc(1, sizeof(VciMac));
	if (*mac == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	(*mac)->context = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac); /* the context holds it */
	if (choose_digest((*mac)->context))
		return VCI_OK;
	vci_mac_free(*mac);
	*mac = NULL;
	return mac_failure(error);
}

VciStatus
vci_mac_make(VciMac *mac, const VciSecret *key, const void *data, size_t len,
			 unsigned char out[VCI_DIGEST_BYTES], VciError *error)
{
	size_t out_len = 0;

	if (EVP_MAC_init(mac->context, key->bytes, VCI_SECRET_BYTES, NULL) != 1 ||
		EVP_MAC_update(mac->context, data, len) != 1 ||
		EVP_MAC_final(mac->context, out, &out_len, VCI_DIGEST_BYTES) != 1 ||
		out_len != VCI_DIGEST_BYTES)
		return mac_failure(error);
	return VCI_OK;
}

void
vci_mac_free(VciMac *mac)
{
	if (mac == NULL)
		return;
	EVP_MAC_CTX_free(mac->context);
	free(mac);
}
