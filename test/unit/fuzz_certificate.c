/*
 * Certificates. The first byte chooses: '-' a chain in PEM for a key of ours, '[' an x5c array,
 * '/' the subject of a signing request, '@' the host of one.
 */
#include "fuzz.h"
#include "jose/csr.h"
#include "jose/x5c.h"

#define NOW 1811808000 /* while the vectors' certificates are valid */

static VciKey *
our_key(void)
{
	static VciKey *key = NULL;

	if (key == NULL)
		must(vci_key_generate(VCI_ALG_ES256, &key, NULL) == VCI_OK);
	return key;
}

static void
read_pem(const char *text, size_t len)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *x5c;

	/* nobody has certified our key, so no chain may be taken */
	must(!succeeded(vci_x5c_from_pem(text, len, our_key(), NOW, &x5c, &error), &error));
	must(x5c == NULL);
}

static void
read_array(const char *text, size_t len)
{
	VciError errors[2] = {VCI_ERROR_INIT, VCI_ERROR_INIT};
	VciJson *x5c;
	VciKey *key;
	int64_t expiry;

	if (vci_json_parse(text, len, &x5c, NULL) != VCI_OK)
		return;
	if (succeeded(vci_key_from_x5c(x5c, NOW, &key, &errors[0]), &errors[0]))
	{
		must(!vci_key_is_private(key));
		must(vci_x5c_expiry(x5c, &expiry, &errors[1]) == VCI_OK && expiry >= NOW);
	}
	else
		(void) succeeded(vci_x5c_expiry(x5c, &expiry, &errors[1]), &errors[1]);
	vci_key_free(key);
	vci_json_free(x5c);
}

static void
request(const char *subject, const char *host)
{
	VciError error = VCI_ERROR_INIT;
	char *pem;
	VciStatus status =
		vci_csr_build(our_key(), subject, host, "https://registry.example", &pem, &error);

	/* a host that is none may make the library fail: only an operator gives one */
	if (status == VCI_OK)
		must(strncmp(pem, "-----BEGIN CERTIFICATE REQUEST-----\n", 36) == 0);
	else if (status != VCI_ERR_MEMORY && status != VCI_ERR_CRYPTO)
		must(!succeeded(status, &error));
	free(pem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	if (text[0] == '-')
		read_pem(text, size);
	else if (text[0] == '[')
		read_array(text, size);
	else if (text[0] == '/')
		request(text, "registry.example");
	else if (text[0] == '@')
		request(NULL, text + 1);
	free(text);
	return 0;
}
