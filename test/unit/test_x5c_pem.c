/* Certificate chains that an operator attaches to a signing key. */
#include "jose/x5c.h"
#include "authority.h"
#include "error_queue.h"
#include "tap.h"

#define PEM_ROOM (64 * 1024)

typedef struct Chain
{
	VciKey *key; /* the leaf's */
	Certificate root;
	Certificate middle;
	Certificate leaf;
} Chain;

static EVP_PKEY *
pkey_of(const VciKey *key)
{
	const unsigned char *end;
	unsigned char *der;
	size_t len;
	EVP_PKEY *pkey;

	if (vci_key_to_private_der(key, &der, &len, NULL) != VCI_OK)
		return NULL;
	end = der;
	pkey = d2i_AutoPrivateKey(NULL, &end, (long) len);
	free(der);
	return pkey;
}

static Chain
make_chain(VciAlg alg)
{
	Chain chain;

	vci_key_generate(alg, &chain.key, NULL);
	chain.root = certify("Root", ec_key(), true, 1000, NULL);
	chain.middle = certify("Middle", ec_key(), true, 100, &chain.root);
	chain.leaf = certify("Leaf", pkey_of(chain.key), false, 200, &chain.middle);
	return chain;
}

static void
free_chain(Chain *chain)
{
	vci_key_free(chain->key);
	free_certificate(&chain->root);
	free_certificate(&chain->middle);
	free_certificate(&chain->leaf);
}

/* What comes of these certificates (NULL-terminated) at a time; the error for a look. */
static VciStatus
status_at(const Chain *chain, int64_t now, X509 *const *certificates, VciJson **x5c,
		  VciError *error)
{
	char *pem = calloc(1, PEM_ROOM);
	VciStatus status;

	for (int i = 0; certificates[i] != NULL; i++)
		append_pem(pem, certificates[i]);
	status = vci_x5c_from_pem(pem, strlen(pem), chain->key, now, x5c, error);
	free(pem);
	return status;
}

static void
attached(VciAlg alg)
{
	Chain chain = make_chain(alg);
	X509 *whole[] = {chain.leaf.x509, chain.middle.x509, chain.root.x509, NULL};
	X509 *without_anchor[] = {chain.leaf.x509, chain.middle.x509, NULL};
	X509 *leaf_alone[] = {chain.leaf.x509, NULL};
	VciError error = VCI_ERROR_INIT;
	int64_t now = MADE_AT + DAY;
	int64_t expiry;
	VciJson *x5c;
	VciJson *other;
	VciKey *read;

	is_status(status_at(&chain, now, whole, &x5c, &error), VCI_OK, &error, vci_alg_name(alg));
	is_number((int64_t) vci_json_array_length(x5c), 2, "the trust anchor is left out");
	is_status(vci_key_from_x5c(x5c, now, &read, &error), VCI_OK, &error, "verifiers can read it");
	ok(read != NULL && vci_key_equal(read, chain.key), "and get the key from it");
	is_status(vci_x5c_expiry(x5c, &expiry, &error), VCI_OK, &error, "it has an end");
	is_number(expiry, MADE_AT + 100 * DAY, "which is that of the first to expire");
	is_status(status_at(&chain, now, without_anchor, &other, &error), VCI_OK, &error,
			  "a chain without its anchor");
	ok(vci_json_equal(x5c, other), "gives the same");
	vci_json_free(other);
	is_status(status_at(&chain, now, leaf_alone, &other, &error), VCI_OK, &error, "the leaf alone");
	is_number((int64_t) vci_json_array_length(other), 1, "is one certificate");
	vci_json_free(other);
	vci_json_free(x5c);
	vci_key_free(read);
	free_chain(&chain);
}

typedef struct Refusal
{
	int64_t now;
	X509 *certificates[8];
	const char *expected; /* in the error */
	const char *what;
} Refusal;

static void
refused(const Chain *chain, const Refusal *refusal)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *x5c;
	VciStatus status = status_at(chain, refusal->now, refusal->certificates, &x5c, &error);

	if (!ok(x5c == NULL && strstr(error.text, refusal->expected) != NULL, "%s: the error says so",
			refusal->what))
		printf("# %s\n", error.text);
	is_status(status, VCI_ERR_CERTIFICATE, &error, refusal->what);
	vci_json_free(x5c);
}

static void
refusals(void)
{
	Chain chain = make_chain(VCI_ALG_ES256);
	Certificate self = certify("Leaf", pkey_of(chain.key), false, 200, NULL);
	Certificate foreign = certify("Leaf", ec_key(), false, 200, &chain.middle);
	Certificate stranger = certify("Stranger", ec_key(), true, 1000, NULL);
	Certificate no_authority = certify("Nobody", ec_key(), false, 1000, &chain.root);
	Certificate below_nobody = certify("Leaf", pkey_of(chain.key), false, 200, &no_authority);
	X509 *leaf = chain.leaf.x509;
	X509 *middle = chain.middle.x509;
	X509 *root = chain.root.x509;
	int64_t now = MADE_AT + DAY;
	Refusal cases[] = {
		{now, {NULL}, "-----BEGIN CERTIFICATE-----", "an empty text"},
		{now, {self.x509, NULL}, "self-signed", "a self-signed leaf"},
		{now, {self.x509, root, NULL}, "self-signed", "a self-signed leaf before others"},
		{now, {foreign.x509, middle, NULL}, "another key", "a leaf of another key"},
		{now, {middle, leaf, NULL}, "excludes signatures", "the authority first"},
		{now, {leaf, root, NULL}, "", "a gap in the chain"},
		{now, {leaf, root, middle, NULL}, "signed by the next one", "the anchor in between"},
		{now, {leaf, middle, stranger.x509, NULL}, "signed by the next one", "a foreign anchor"},
		{now, {below_nobody.x509, no_authority.x509, NULL}, "authority", "no authority above"},
		{MADE_AT - 1, {leaf, middle, root, NULL}, "not yet valid", "before it is valid"},
		{MADE_AT + 101 * DAY, {leaf, middle, NULL}, "expired", "after an authority's end"},
		{MADE_AT + 201 * DAY, {leaf, NULL}, "expired", "after the leaf's end"},
		{now, {leaf, middle, root, root, root, root, NULL}, "at most 4", "too many"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(&chain, &cases[i]);
	free_certificate(&self);
	free_certificate(&foreign);
	free_certificate(&stranger);
	free_certificate(&no_authority);
	free_certificate(&below_nobody);
	free_chain(&chain);
}

/* Text around the certificates is what openssl x509 -text writes; a broken one is an error. */
static void
texts(void)
{
	Chain chain = make_chain(VCI_ALG_ES256);
	char *pem = calloc(1, PEM_ROOM);
	VciError error = VCI_ERROR_INIT;
	VciJson *x5c;

	strcpy(pem, "Certificate:\n    Data: ...\n");
	append_pem(pem, chain.leaf.x509);
	strcat(pem, "subject=CN = Middle\n");
	append_pem(pem, chain.middle.x509);
	strcat(pem, "the end\n");
	is_status(vci_x5c_from_pem(pem, strlen(pem), chain.key, MADE_AT + DAY, &x5c, &error), VCI_OK,
			  &error, "text around them is passed over");
	is_number((int64_t) vci_json_array_length(x5c), 2, "and both are there");
	vci_json_free(x5c);
	for (size_t cut = 60; cut < 600; cut += 180)
	{
		VciError cut_error = VCI_ERROR_INIT;

		is_status(
			vci_x5c_from_pem(pem, strlen(pem) - cut, chain.key, MADE_AT + DAY, &x5c, &cut_error),
			VCI_ERR_CERTIFICATE, &cut_error, "a text that was cut short");
	}
	free(pem);
	free_chain(&chain);
}

/* Twelve certificates' worth of names would leave a header no room. */
static void
size(void)
{
	VciError error = VCI_ERROR_INIT;
	Chain chain = make_chain(VCI_ALG_ES256);
	Certificate large = {pkey_of(chain.key), X509_dup(chain.leaf.x509)};
	char *comment = calloc(1, VCI_X5C_MAX_BYTES + 1);
	X509 *certificates[] = {large.x509, NULL};
	VciJson *x5c;

	memset(comment, 'a', VCI_X5C_MAX_BYTES);
	add_extension(large.x509, NID_netscape_comment, comment);
	X509_sign(large.x509, chain.middle.pkey, EVP_sha256());
	is_status(status_at(&chain, MADE_AT + DAY, certificates, &x5c, &error), VCI_ERR_CERTIFICATE,
			  &error, "a chain too large for a header");
	free(comment);
	free_certificate(&large);
	free_chain(&chain);
}

int
main(void)
{
	attached(VCI_ALG_ES256);
	attached(VCI_ALG_ES384);
	attached(VCI_ALG_EDDSA);
	refusals();
	texts();
	size();
	error_queue_is_empty();
	return done_testing();
}
