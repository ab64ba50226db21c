#include "csr.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "key.h"

static VciStatus
malformed_subject(VciError *error)
{
	return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
							 "subject: expected a form like /C=XX/O=Ministry/CN=registry.example");
}

/* Copies one part, up to the next '/' that no '\' protects; NULL when memory is out. */
static char *
next_part(const char **position)
{
	const char *from = *position;
	char *part = malloc(strlen(from) + 1);
	size_t len = 0;

	if (part == NULL)
		return NULL;
	for (; *from != '\0' && *from != '/'; from++)
	{
		if (*from == '\\' && from[1] != '\0')
			from++;
		part[len++] = *from;
	}
	part[len] = '\0';
	*position = from;
	return part;
}

/* The library knows the names of the parts and the lengths that RFC 5280 appendix A.1 allows. */
static VciStatus
add_part(X509_NAME *name, char *part, VciError *error)
{
	char *value = strchr(part, '=');

	if (value == NULL || value == part || value[1] == '\0' || !vci_utf8_valid(part, strlen(part)))
		return malformed_subject(error);
	*value++ = '\0';
	if (X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *) value, -1, -1,
								   0) == 1)
		return VCI_OK;
	return vci_openssl_error(
		error, VCI_ERR_CERTIFICATE,
		"subject: the part %.32s is unknown (expected C, ST, L, O, OU, CN ...), or its "
		"value has a wrong length (C: two letters; CN, O, OU: 64 characters at most)",
		part);
}

static VciStatus
fill_subject(X509_NAME *name, const char *subject, VciError *error)
{
	const char *position = subject;

	if (strlen(subject) > VCI_CSR_SUBJECT_MAX_BYTES)
		return vci_error(error, VCI_ERR_CERTIFICATE, "subject: expected at most %d bytes",
						 VCI_CSR_SUBJECT_MAX_BYTES);
	if (*position != '/')
		return malformed_subject(error);
	while (*position == '/')
	{
		char *part;
		VciStatus status;

		position++;
		part = next_part(&position);
		status = part == NULL ? vci_error(error, VCI_ERR_MEMORY, "out of memory")
							  : add_part(name, part, error);
		free(part);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

static VciStatus
fill_default_subject(X509_NAME *name, const char *host, VciError *error)
{
	if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *) host, -1, -1,
								   0) == 1)
		return VCI_OK;
	return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
							 "the host of the issuer is too long for a CN (64 characters): give a "
							 "subject, for example /O=Ministry");
}

static bool
append_text_name(GENERAL_NAMES *names, int type, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	if (name == NULL || string == NULL || ASN1_STRING_set(string, text, -1) != 1)
	{
		GENERAL_NAME_free(name);
		ASN1_IA5STRING_free(string);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, string);
	if (sk_GENERAL_NAME_push(names, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool
append_address(GENERAL_NAMES *names, ASN1_OCTET_STRING *address)
{
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (name == NULL)
	{
		ASN1_OCTET_STRING_free(address);
		return false;
	}
	GENERAL_NAME_set0_value(name, GEN_IPADD, address);
	if (sk_GENERAL_NAME_push(names, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

/* An IP address must not stand there as a DNS name. */
static bool
append_host(GENERAL_NAMES *names, const char *host)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);

	ERR_clear_error();
	return address != NULL ? append_address(names, address)
						   : append_text_name(names, GEN_DNS, host);
}

static bool
add_alternative_names(X509_REQ *request, const char *host, const char *uri)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	bool added = names != NULL && append_host(names, host) &&
				 append_text_name(names, GEN_URI, uri) &&
				 X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, 0) == 1 &&
				 X509_REQ_add_extensions(request, extensions) == 1;

	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	return added;
}

static VciStatus
sign_request(X509_REQ *request, const VciKey *key, VciError *error)
{
	/* RFC 8410: Ed25519 has no digest of its own choice */
	if (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(request, key->pkey) != 1 ||
		X509_REQ_sign(request, key->pkey, key->md) <= 0)
		return vci_openssl_error(error, VCI_ERR_CRYPTO,
								 "the crypto library made no certificate signing request");
	return VCI_OK;
}

static VciStatus
write_pem(const X509_REQ *request, char **pem, VciError *error)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool written = bio != NULL && PEM_write_bio_X509_REQ(bio, request) == 1;
	char *data = NULL;
	long len = written ? BIO_get_mem_data(bio, &data) : 0;

	*pem = len > 0 ? malloc((size_t) len + 1) : NULL;
	if (*pem != NULL)
	{
		memcpy(*pem, data, (size_t) len);
		(*pem)[len] = '\0';
	}
	BIO_free(bio);
	if (*pem == NULL)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

VciStatus
vci_csr_build(const VciKey *key, const char *subject, const char *host, const char *uri, char **pem,
			  VciError *error)
{
	X509_REQ *request = X509_REQ_new();
	VciStatus status;

	*pem = NULL;
	if (!vci_key_is_private(key))
		status = vci_error(error, VCI_ERR_INTERNAL, "expected a private key");
	else if (request == NULL || !add_alternative_names(request, host, uri))
		status = vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	else if (subject == NULL)
		status = fill_default_subject(X509_REQ_get_subject_name(request), host, error);
	else
		status = fill_subject(X509_REQ_get_subject_name(request), subject, error);
	if (status == VCI_OK)
		status = sign_request(request, key, error);
	if (status == VCI_OK)
		status = write_pem(request, pem, error);
	X509_REQ_free(request);
	ERR_clear_error();
	return status;
}
