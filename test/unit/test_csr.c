/* Certificate signing requests: what OpenSSL reads back from them, and which subjects pass. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "jose/csr.h"
#include "error_queue.h"
#include "tap.h"

#define HOST "registry.example"
#define URI	 "https://registry.example/cards"

static X509_REQ *
read_request(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return request;
}

/* As openssl req -nameopt RFC2253 shows it. */
static void
subject_of(X509_REQ *request, char *text, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	X509_NAME_print_ex(bio, X509_REQ_get_subject_name(request), 0,
					   XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	len = BIO_read(bio, text, (int) size - 1);
	text[len < 0 ? 0 : len] = '\0';
	BIO_free(bio);
}

static void
alternative_names_of(X509_REQ *request, char *text, size_t size)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	X509V3_extensions_print(bio, NULL, extensions, 0, 0);
	len = BIO_read(bio, text, (int) size - 1);
	text[len < 0 ? 0 : len] = '\0';
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	BIO_free(bio);
}

static void
algorithms(void)
{
	static const VciAlg algs[] = {VCI_ALG_ES256, VCI_ALG_ES384, VCI_ALG_EDDSA};

	for (int i = 0; i < 3; i++)
	{
		VciError error = VCI_ERROR_INIT;
		X509_REQ *request;
		EVP_PKEY *pkey;
		VciKey *key;
		char *pem;
		char names[1024];

		vci_key_generate(algs[i], &key, &error);
		is_status(vci_csr_build(key, NULL, HOST, URI, &pem, &error), VCI_OK, &error,
				  vci_alg_name(algs[i]));
		request = read_request(pem);
		pkey = X509_REQ_get0_pubkey(request);
		is_number(X509_REQ_verify(request, pkey), 1, "the request is signed by its key");
		alternative_names_of(request, names, sizeof(names));
		ok(strstr(names, "DNS:" HOST ", URI:" URI) != NULL, "it names host and issuer: %s", names);
		X509_REQ_free(request);
		free(pem);
		vci_key_free(key);
	}
}

static void
addresses(const VciKey *key)
{
	static const char *const hosts[][2] = {{"127.0.0.1", "IP Address:127.0.0.1"},
										   {"::1", "IP Address:0:0:0:0:0:0:0:1"}};

	for (int i = 0; i < 2; i++)
	{
		VciError error = VCI_ERROR_INIT;
		X509_REQ *request;
		char names[1024];
		char *pem;

		is_status(vci_csr_build(key, NULL, hosts[i][0], "http://127.0.0.1:8080", &pem, &error),
				  VCI_OK, &error, hosts[i][0]);
		request = read_request(pem);
		alternative_names_of(request, names, sizeof(names));
		ok(strstr(names, hosts[i][1]) != NULL && strstr(names, "DNS:") == NULL,
		   "an address is no DNS name: %s", names);
		X509_REQ_free(request);
		free(pem);
	}
}

typedef struct SubjectCase
{
	const char *subject;
	const char *expected; /* RFC 2253, last part first; NULL: refused */
	const char *what;
} SubjectCase;

static void
subjects(const VciKey *key)
{
	static const SubjectCase cases[] = {
		{NULL, "CN=registry.example", "the default is the host"},
		{"/CN=a", "CN=a", "one part"},
		{"/C=XX/O=Ministry/CN=registry.example", "CN=registry.example,O=Ministry,C=XX", "three"},
		{"/O=R\xc3\xa9gistre", "O=R\xc3\xa9gistre", "not only ASCII"},
		{"/O=A\\/B/CN=a\\\\b=c", "CN=a\\\\b=c,O=A/B", "a protected slash and backslash"},
		{"/O=A/O=B", "O=B,O=A", "a part twice"},
		{"", NULL, "an empty subject"},
		{"CN=a", NULL, "no slash in front"},
		{"/", NULL, "a slash alone"},
		{"/CN", NULL, "no value"},
		{"/CN=", NULL, "an empty value"},
		{"/=a", NULL, "no name"},
		{"/CN=a/", NULL, "a slash behind"},
		{"//CN=a", NULL, "an empty part"},
		{"/XYZ=a", NULL, "an unknown part"},
		{"/C=ABC", NULL, "a country of three letters"},
		{"/CN=\xff", NULL, "bad UTF-8"},
		{"/CN=1234567890123456789012345678901234567890123456789012345678901234567890", NULL,
		 "a CN of 70 characters"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciError error = VCI_ERROR_INIT;
		char *pem;
		VciStatus status = vci_csr_build(key, cases[i].subject, HOST, URI, &pem, &error);
		X509_REQ *request = status == VCI_OK ? read_request(pem) : NULL;
		char subject[512];

		if (request != NULL)
			subject_of(request, subject, sizeof(subject));
		is_text(request == NULL ? NULL : subject, cases[i].expected, cases[i].what);
		if (cases[i].expected == NULL)
			is_status(status, VCI_ERR_CERTIFICATE, &error, "with an error of its own");
		X509_REQ_free(request);
		free(pem);
	}
}

static void
limits(const VciKey *key)
{
	VciError error = VCI_ERROR_INIT;
	char *subject = calloc(1, VCI_CSR_SUBJECT_MAX_BYTES + 8);
	char host[100] = "";
	VciJson *jwk = vci_key_public_jwk(key);
	VciKey *public_key;
	char *pem;

	while (strlen(subject) <= VCI_CSR_SUBJECT_MAX_BYTES)
		strcat(subject, "/CN=a");
	is_status(vci_csr_build(key, subject, HOST, URI, &pem, &error), VCI_ERR_CERTIFICATE, &error,
			  "a subject of more than 1 kB");
	memset(host, 'a', 70);
	ok(vci_csr_build(key, NULL, host, URI, &pem, &error) == VCI_ERR_CERTIFICATE &&
		   strstr(error.text, "give a subject") != NULL,
	   "a host that fits no CN wants a subject");
	error = (VciError) VCI_ERROR_INIT;
	is_status(vci_csr_build(key, "/O=a", host, URI, &pem, &error), VCI_OK, &error, "and takes one");
	free(pem);
	vci_key_from_public_jwk(jwk, &public_key, NULL);
	is_status(vci_csr_build(public_key, NULL, HOST, URI, &pem, &error), VCI_ERR_INTERNAL, &error,
			  "a public key signs nothing");
	vci_key_free(public_key);
	vci_json_free(jwk);
	free(subject);
}

int
main(void)
{
	VciKey *key;

	vci_key_generate(VCI_ALG_ES256, &key, NULL);
	algorithms();
	addresses(key);
	subjects(key);
	limits(key);
	vci_key_free(key);
	error_queue_is_empty();
	return done_testing();
}
