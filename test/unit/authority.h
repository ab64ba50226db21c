/*
 * Certificates made while a test runs: an authority, those below it, and their PEM.
 */
#ifndef VCI_AUTHORITY_H
#define VCI_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tap.h"

typedef struct Certificate
{
	EVP_PKEY *pkey;
	X509 *x509;
} Certificate;

#define MADE_AT 1800000000 /* 2027-01-15 */
#define DAY		86400

static inline void
add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

/*
 * A certificate of the key (taken over) from MADE_AT on for so many days, signed by issuer, or
 * by itself when that is NULL.
 */
static inline Certificate
certify(const char *name, EVP_PKEY *pkey, bool authority, int days, const Certificate *issuer)
{
	Certificate made = {pkey, X509_new()};
	static long serial = 1;
	X509_NAME *subject = X509_get_subject_name(made.x509);
	EVP_PKEY *signer = issuer == NULL ? pkey : issuer->pkey;

	X509_set_version(made.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.x509), serial++);
	ASN1_TIME_set(X509_getm_notBefore(made.x509), MADE_AT);
	ASN1_TIME_set(X509_getm_notAfter(made.x509), MADE_AT + (time_t) days * DAY);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *) name, -1, -1,
							   0);
	X509_set_issuer_name(made.x509, issuer == NULL ? subject : X509_get_subject_name(issuer->x509));
	X509_set_pubkey(made.x509, pkey);
	add_extension(made.x509, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(made.x509, NID_key_usage,
				  authority ? "critical,keyCertSign" : "critical,digitalSignature");
	X509_sign(made.x509, signer, EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256());
	return made;
}

static inline EVP_PKEY *
ec_key(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

/* Appends a certificate as PEM to text, which has room for it. */
static inline void
append_pem(char *text, const X509 *x509)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	PEM_write_bio_X509(bio, (X509 *) x509);
	len = BIO_get_mem_data(bio, &data);
	strncat(text, data, (size_t) len);
	BIO_free(bio);
}

static inline void
free_certificate(Certificate *certificate)
{
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->pkey);
}

#endif
