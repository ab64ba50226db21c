/* What is decoded comes back the same when it is encoded, and nothing else is taken. */
#include "fuzz.h"
#include "jose/base64url.h"

static void
encode_and_decode(const uint8_t *data, size_t size)
{
	char *text = vci_base64url_encode_new(data, size);
	unsigned char *bytes;
	size_t len;

	must(text != NULL && strlen(text) == vci_base64url_encoded_size(size));
	must(vci_base64url_decode_new(text, strlen(text), &bytes, &len, NULL) == VCI_OK);
	must(len == size && memcmp(bytes, data, size) == 0);
	free(bytes);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError error = VCI_ERROR_INIT;
	unsigned char *bytes;
	size_t len;

	encode_and_decode(data, size);
	if (succeeded(vci_base64url_decode_new((const char *) data, size, &bytes, &len, &error),
				  &error))
	{
		char *again = vci_base64url_encode_new(bytes, len);

		must(again != NULL && strlen(again) == size && memcmp(again, data, size) == 0);
		free(again);
		free(bytes);
	}
	else
		must(bytes == NULL);
	return 0;
}
