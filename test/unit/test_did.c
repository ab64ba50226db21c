/* DIDs as holder keys: did:jwk and did:key decoded, did:web looked up in a document. */
#include "jose/base64url.h"
#include "jose/did.h"
#include "error_queue.h"
#include "tap.h"

static VciStatus
did_status(const char *did_url, VciError *error)
{
	VciKey *key;
	VciStatus status = vci_key_from_did(did_url, NULL, &key, error);

	if ((status == VCI_OK) != (key != NULL))
		status = VCI_ERR_INTERNAL;
	vci_key_free(key);
	return status;
}

static void
published(void)
{
	VciJson *file = vectors("did.json");
	VciJson *list = vci_json_get(file, "vectors");

	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		const char *did = vci_json_get_string(vector, "did");
		VciError error = VCI_ERROR_INIT;
		VciKey *key = NULL;
		VciJson *jwk;
		char url[1024];

		is_status(vci_key_from_did(did, NULL, &key, &error), VCI_OK, &error, did);
		jwk = vci_key_public_jwk(key);
		ok(vci_json_equal(jwk, vci_json_get(vector, "jwk")), "is the published key");
		vci_json_free(jwk);
		vci_key_free(key);

		snprintf(url, sizeof(url), "%s#%s", did, vci_json_get_string(vector, "fragment"));
		is_status(did_status(url, &error), VCI_OK, &error, "its fragment names the key");
		strcat(url, "x");
		is_status(did_status(url, &error), VCI_ERR_DID, &error, "another fragment names none");
		snprintf(url, sizeof(url), "%s#", did);
		is_status(did_status(url, &error), VCI_ERR_DID, &error, "nor does an empty one");
		snprintf(url, sizeof(url), "%s/path#0", did);
		is_status(did_status(url, &error), VCI_ERR_DID, &error, "a path is refused");
		snprintf(url, sizeof(url), "%s?x=1", did);
		is_status(did_status(url, &error), VCI_ERR_DID, &error, "a query is refused");
		snprintf(url, sizeof(url), "%s", did);
		url[strlen(url) - 1] = '\0';
		ok(did_status(url, &error) != VCI_OK, "a DID cut short is refused");
	}
	vci_json_free(file);
}

static void
refused(void)
{
	static const struct
	{
		const char *did;
		VciStatus status;
		const char *what;
	} cases[] = {
		{"", VCI_ERR_DID, "nothing"},
		{"did:", VCI_ERR_DID, "no method"},
		{"did:web:example.com", VCI_ERR_DID, "did:web, which says no key by itself"},
		{"did:example:123", VCI_ERR_DID, "another method"},
		{"DID:KEY:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", VCI_ERR_DID,
		 "a scheme in capitals"},
		{"did:key:", VCI_ERR_DID, "did:key without a key"},
		{"did:key:z", VCI_ERR_DID, "an empty multibase value"},
		{"did:key:6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", VCI_ERR_DID,
		 "another multibase than base58btc"},
		{"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do0", VCI_ERR_DID,
		 "a digit that base58 lacks"},
		{"did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", VCI_ERR_KEY_UNSUPPORTED,
		 "a secp256k1 key"},
		{"did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F", VCI_ERR_KEY_UNSUPPORTED,
		 "an X25519 key"},
		{"did:key:"
		 "z11111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
		 "1111111111111111111111111111111111111111111111111111111",
		 VCI_ERR_DID, "a value that is too long"},
		{"did:key:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
		 "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
		 VCI_ERR_KEY_UNSUPPORTED, "a number as large as the longest value can be"},
		{"did:key:z2DQYFhy74hg5eM3VNHKxySLj7rqfiJ7SZ3Gyokjx1w6yGc", VCI_ERR_DID,
		 "an Ed25519 key of 31 bytes"},
		{"did:key:zQeckHN9FGhBanGv7VfdNCgoaDjXjrsXJPT8AdyxjuP1as9qR", VCI_ERR_DID,
		 "an Ed25519 key of 33 bytes"},
		{"did:jwk:", VCI_ERR_DID, "did:jwk without a key"},
		{"did:jwk:e30", VCI_ERR_JWK, "an empty JWK"},
		{"did:jwk:W10", VCI_ERR_DID, "a JWK that is an array"},
		{"did:jwk:e30=", VCI_ERR_DID, "padding"},
		{"did:jwk:eyJrdHkiOiJFQyIsImQiOiJBQSJ9", VCI_ERR_JWK_PRIVATE, "a private JWK"},
		{"did:jwk:eyJhIjoxLCJhIjoxfQ", VCI_ERR_DID, "a JWK with a member twice"},
	};
	VciError error = VCI_ERROR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(did_status(cases[i].did, &error), cases[i].status, &error, cases[i].what);
}

/* did:jwk of a key with a member that makes it as long as wanted. */
static VciStatus
long_status(size_t filler, VciError *error)
{
	char *did = calloc(1, 2 * filler + 1024);
	char *text = calloc(1, filler + 512);
	char *encoded;
	VciStatus status;

	strcpy(text, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
				 "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"");
	memset(text + strlen(text), 'k', filler);
	strcat(text, "\"}");
	encoded = vci_base64url_encode_new(text, strlen(text));
	sprintf(did, "did:jwk:%s#0", encoded);
	status = did_status(did, error);
	free(did);
	free(text);
	free(encoded);
	return status;
}

static void
sizes(void)
{
	VciError error = VCI_ERROR_INIT;

	is_status(long_status(1000, &error), VCI_OK, &error, "a did:jwk of common size");
	is_status(long_status(8192, &error), VCI_ERR_DID, &error, "a did:jwk that is too long");
}

/* did:jwk of a key that we made. */
static void
own_did_jwk(void)
{
	static const VciAlg algs[] = {VCI_ALG_ES256, VCI_ALG_ES384, VCI_ALG_EDDSA};

	for (int i = 0; i < 3; i++)
	{
		VciError error = VCI_ERROR_INIT;
		VciKey *key;
		VciKey *back = NULL;
		VciJson *jwk;
		char *text;
		char *encoded;
		char did[1024];

		vci_key_generate(algs[i], &key, &error);
		jwk = vci_key_public_jwk(key);
		text = vci_json_print(jwk);
		encoded = vci_base64url_encode_new(text, strlen(text));
		snprintf(did, sizeof(did), "did:jwk:%s#0", encoded);
		is_status(vci_key_from_did(did, NULL, &back, &error), VCI_OK, &error, "a key as did:jwk");
		ok(vci_key_equal(key, back), "is the same key");
		free(text);
		free(encoded);
		vci_json_free(jwk);
		vci_key_free(key);
		vci_key_free(back);
	}
}

#define DID "did:web:registry.example:holders:7"
#define JWK_1                                                                                      \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","     \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define METHOD_1 "{\"id\":\"" DID "#k1\",\"type\":\"JsonWebKey\",\"publicKeyJwk\":" JWK_1 "}"
#define METHOD_2                                                                                   \
	"{\"id\":\"#k2\",\"type\":\"Multikey\",\"controller\":\"" DID "\",\"publicKeyMultibase\":"     \
	"\"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK\"}"

static void
documents(void)
{
	static const struct
	{
		const char *document;
		const char *did_url;
		VciStatus status;
		const char *what;
	} cases[] = {
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "],\"authentication\":[\"" DID
		 "#k1\"]}",
		 DID "#k1", VCI_OK, "a key named by its full id"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "],\"assertionMethod\":[\"#k1\"]}",
		 DID "#k1", VCI_OK, "a key named by a relative id, under assertionMethod"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_2 "],\"authentication\":[\"" DID
		 "#k2\"]}",
		 DID "#k2", VCI_OK, "a method with a relative id and a multibase key"},
		{"{\"id\":\"" DID "\",\"authentication\":[" METHOD_1 "]}", DID "#k1", VCI_OK,
		 "a method that stands in the relationship itself"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "," METHOD_2
		 "],\"authentication\":[\"#k1\",\"#k2\"]}",
		 DID "#k2", VCI_OK, "one of several keys"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "],\"authentication\":[\"#k1\"],"
		 "\"assertionMethod\":[\"" DID "#k1\"]}",
		 DID, VCI_OK, "no fragment, and one key under two relationships"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "," METHOD_2
		 "],\"authentication\":[\"#k1\",\"#k2\"]}",
		 DID, VCI_ERR_DID, "no fragment, and two keys"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "]}", DID "#k1", VCI_ERR_DID,
		 "a key under no relationship"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "],\"keyAgreement\":[\"#k1\"]}",
		 DID "#k1", VCI_ERR_DID, "a key for agreement only"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "],\"authentication\":[\"#k1\"]}",
		 DID "#k2", VCI_ERR_DID, "a fragment that names no key"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "],\"authentication\":[\"#k2\"]}",
		 DID "#k2", VCI_ERR_DID, "a reference to no method"},
		{"{\"id\":\"" DID "\",\"verificationMethod\":[" METHOD_1 "," METHOD_1
		 "],\"authentication\":[\"#k1\"]}",
		 DID "#k1", VCI_ERR_DID, "an id that stands there twice"},
		{"{\"id\":\"did:web:other.example\",\"authentication\":[" METHOD_1 "]}", DID "#k1",
		 VCI_ERR_DID, "another DID's document"},
		{"{\"id\":\"" DID "\",\"authentication\":[{\"id\":\"did:web:other.example#k1\","
		 "\"publicKeyJwk\":" JWK_1 "}]}",
		 DID "#k1", VCI_ERR_DID, "another DID's method"},
		{"{\"authentication\":[" METHOD_1 "]}", DID "#k1", VCI_ERR_DID, "no id"},
		{"[]", DID "#k1", VCI_ERR_DID, "no document"},
		{"{\"id\":\"" DID "\",\"authentication\":[" METHOD_1 "]}", DID "?x#k1", VCI_ERR_DID,
		 "a query"},
		{"{\"id\":\"" DID "\",\"authentication\":[{\"id\":\"#k1\"}]}", DID "#k1",
		 VCI_ERR_KEY_UNSUPPORTED, "a method without a key"},
		{"{\"id\":\"" DID
		 "\",\"authentication\":[{\"id\":\"#k1\",\"publicKeyJwk\":{\"kty\":\"oct\","
		 "\"k\":\"AA\"}}]}",
		 DID "#k1", VCI_ERR_JWK_PRIVATE, "a method with a symmetric key"},
		{"{\"id\":\"" DID "\",\"authentication\":[5,null,{},[]]}", DID, VCI_ERR_DID,
		 "a relationship of things that are no methods"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJson *document = json(cases[i].document);
		VciError error = VCI_ERROR_INIT;
		VciKey *key;
		VciStatus status = vci_key_from_did_document(document, cases[i].did_url, &key, &error);

		is_status(status, cases[i].status, &error, cases[i].what);
		vci_key_free(key);
		vci_json_free(document);
	}
}

static void
methods(void)
{
	char *did = vci_did_of_url(DID "/path?query#fragment");

	is_text(did, DID, "the DID of a DID URL");
	free(did);
	ok(vci_did_method("did:jwk:x") == VCI_DID_JWK && vci_did_method("did:key:x") == VCI_DID_KEY &&
		   vci_did_method("did:web:x#0") == VCI_DID_WEB &&
		   vci_did_method("did:ebsi:x") == VCI_DID_OTHER &&
		   vci_did_method("key-1") == VCI_DID_NONE && vci_did_method("did") == VCI_DID_NONE,
	   "methods are told apart");
}

static void
web(void)
{
	static const char *const pairs[][2] = {
		{"https://issuer.example", "did:web:issuer.example"},
		{"https://issuer.example/", "did:web:issuer.example"},
		{"https://issuer.example:8443", "did:web:issuer.example%3A8443"},
		{"https://issuer.example:8443/tenant/a", "did:web:issuer.example%3A8443:tenant:a"},
		{"http://127.0.0.1:8180", "did:web:127.0.0.1%3A8180"},
		{"https://issuer.example/a%20b/c:d~", "did:web:issuer.example:a%20b:c%3Ad%7E"},
		{"ftp://issuer.example", NULL},
		{"issuer.example", NULL},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		char *did = vci_did_web_from_url(pairs[i][0]);

		is_text(did, pairs[i][1], pairs[i][0]);
		free(did);
	}
}

int
main(void)
{
	published();
	refused();
	sizes();
	own_did_jwk();
	documents();
	methods();
	web();
	error_queue_is_empty();
	return done_testing();
}
