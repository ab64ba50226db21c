/*
 * Private keys that an operator imports, as PEM, JWK or DER: what was taken can be stored and
 * read again, and gives the same key.
 */
#include "fuzz.h"
#include "jose/jwk.h"
#include "jose/seal.h"

static void
check_key(VciKey *key)
{
	unsigned char *der;
	size_t len;
	VciKey *again;

	must(vci_key_is_private(key));
	must(vci_key_to_private_der(key, &der, &len, NULL) == VCI_OK);
	must(vci_key_from_private_der(der, len, &again, NULL) == VCI_OK);
	must(vci_key_equal(key, again));
	vci_key_free(again);
	vci_wipe(der, len);
	free(der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError error = VCI_ERROR_INIT;
	VciError der_error = VCI_ERROR_INIT;
	VciKey *key;

	if (succeeded(vci_key_from_private_text((const char *) data, size, &key, &error), &error))
		check_key(key);
	else
		must(key == NULL);
	vci_key_free(key);
	if (succeeded(vci_key_from_private_der(data, size, &key, &der_error), &der_error))
		check_key(key);
	vci_key_free(key);
	return 0;
}
