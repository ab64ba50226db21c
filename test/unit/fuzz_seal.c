/*
 * Root key texts, and sealed values that somebody else made: none opens, except what was sealed
 * here, and that only as it is.
 */
#include "fuzz.h"
#include "jose/seal.h"

static void
check_sealed(const uint8_t *data, size_t size)
{
	static const VciSecret key = {{7}};
	VciError error = VCI_ERROR_INIT;
	unsigned char *sealed;
	unsigned char *plain;
	size_t sealed_len;
	size_t len;

	must(!succeeded(vci_unseal(&key, "a", 1, data, size, &plain, &len, &error), &error));
	must(plain == NULL);
	must(vci_seal(&key, data, size / 2, data, size, &sealed, &sealed_len, NULL) == VCI_OK);
	must(vci_unseal(&key, data, size / 2, sealed, sealed_len, &plain, &len, NULL) == VCI_OK);
	must(len == size && memcmp(plain, data, size) == 0);
	free(plain);
	sealed[size % sealed_len] ^= 1;
	must(vci_unseal(&key, data, size / 2, sealed, sealed_len, &plain, &len, NULL) != VCI_OK);
	free(sealed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError error = VCI_ERROR_INIT;
	VciRootKeys keys;

	if (succeeded(vci_root_keys_parse((const char *) data, size, &keys, &error), &error))
	{
		must(keys.count >= 1 && keys.count <= VCI_ROOT_KEYS_MAX);
		for (size_t i = 0; i < keys.count; i++)
		{
			must(strlen(keys.keys[i].id) == VCI_ROOT_KEY_ID_SIZE - 1);
			must(vci_root_keys_find(&keys, keys.keys[i].id) != NULL);
		}
	}
	check_sealed(data, size);
	return 0;
}
