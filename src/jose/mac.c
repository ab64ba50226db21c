#include "mac.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* What is known of a context's way back to its key. */
typedef enum Rearming
{
	REARMING_NOT_ASKED, /* for one MAC it does not matter */
	REARMING_NEXT_ASKED,
	REARMING_WORKS,
	REARMING_FAILS
} Rearming;

struct VciMac
{
	VciSecret key;
	EVP_MAC_CTX *context; /* NULL before the first MAC */
	Rearming rearming;
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

static bool
prepare(VciMac *mac)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);

	EVP_MAC_free(hmac); /* the context holds it */
	if (choose_digest(context))
	{
		mac->context = context;
		return true;
	}
	EVP_MAC_CTX_free(context);
	return false;
}

/* A MAC under key, or, NULL, under the one that the context was last given. */
static bool
run(EVP_MAC_CTX *context, const VciSecret *key, const void *data, size_t len,
	unsigned char out[VCI_DIGEST_BYTES])
{
	const unsigned char *bytes = key == NULL ? NULL : key->bytes;
	size_t out_len = 0;

	return EVP_MAC_init(context, bytes, bytes == NULL ? 0 : VCI_SECRET_BYTES, NULL) == 1 &&
		   EVP_MAC_update(context, data, len) == 1 &&
		   EVP_MAC_final(context, out, &out_len, VCI_DIGEST_BYTES) == 1 &&
		   out_len == VCI_DIGEST_BYTES;
}

/*
 * OpenSSL's providers before 3.0.3, which a later library may load, leave the context as the
 * last MAC left it when no key is given, and say nothing: so it is tried.
 */
static Rearming
try_rearming(const VciMac *mac)
{
	unsigned char keyed[VCI_DIGEST_BYTES];
	unsigned char rearmed[VCI_DIGEST_BYTES];

	if (run(mac->context, &mac->key, "", 0, keyed) && run(mac->context, NULL, "", 0, rearmed) &&
		vci_bytes_equal(keyed, rearmed, sizeof(keyed)))
		return REARMING_WORKS;
	ERR_clear_error();
	return REARMING_FAILS;
}

VciMac *
vci_mac_new(const VciSecret *key)
{
	VciMac *mac = calloc(1, sizeof(VciMac));

	if (mac != NULL)
		mac->key = *key;
	return mac;
}

VciStatus
vci_mac_make(VciMac *mac, const void *data, size_t len, unsigned char out[VCI_DIGEST_BYTES],
			 VciError *error)
{
	if (mac->context == NULL && !prepare(mac))
		return mac_failure(error);
	if (mac->rearming == REARMING_NEXT_ASKED)
		mac->rearming = try_rearming(mac);
	if (!run(mac->context, mac->rearming == REARMING_WORKS ? NULL : &mac->key, data, len, out))
		return mac_failure(error);
	if (mac->rearming == REARMING_NOT_ASKED)
		mac->rearming = REARMING_NEXT_ASKED;
	return VCI_OK;
}

void
vci_mac_free(VciMac *mac)
{
	if (mac == NULL)
		return;
	EVP_MAC_CTX_free(mac->context);
	vci_wipe(mac, sizeof(*mac));
	free(mac);
}
