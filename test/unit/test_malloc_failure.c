/*
 * Out of memory, at every place of src/jose, and of status lists, where it can happen. Each operation runs once to
 * see how often it asks for memory, and then again for each of these requests, which is
 * refused: the operation must say that memory is out or that the crypto library failed, or
 * do without; it must not blame its input, lose memory or leave an error in OpenSSL's queue,
 * and afterwards it must work.
 *
 * Of OpenSSL's requests, where an operation makes thousands, 100 are refused, evenly spread;
 * all of them when VCI_REFUSE_ALL stands in the environment.
 *
 * Refused are the calls of malloc, calloc and realloc in our own objects, those of json-c's
 * functions that our objects make (the linker wraps both), and every request of OpenSSL.
 * Requests within json-c are not: of those that json-c 0.16 makes for itself it does not look
 * at all answers. json_tokener_parse_ex takes a member's name on without asking whether strdup
 * copied it, and json_object_object_add_ex then crashes; it passes over a member that the latter
 * had no memory to add (our count of members notices); and where printbuf_memappend can't
 * grow, a string that is read, or a text that is printed, lacks a piece.
 */
#include <malloc.h>
#include <unistd.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "jose/base64url.h"
#include "jose/csr.h"
#include "jose/did.h"
#include "jose/ff1.h"
#include "jose/sd_jwt.h"
#include "jose/seal.h"
#include "jose/x5c.h"
#include "protocol/status_list.h"
#include "tap.h"

/* Who asks for memory: each has requests of its own, of which one may be refused. */
typedef struct Asker
{
	const char *name;
	size_t requests;
	size_t countdown; /* how many requests from now on the refused one is; 0: none is */
	size_t most;	  /* requests that are tried of one operation, evenly spread; 0: all */
} Asker;

static Asker ourselves = {.name = "our own"};
static Asker openssl = {.name = "OpenSSL's", .most = 100};

static bool
refused(Asker *asker)
{
	asker->requests++;
	return asker->countdown > 0 && --asker->countdown == 0;
}

/* What the linker's --wrap puts in place of the real functions, which __real_ names. */
#define WRAPPED(type, name, parameters, arguments, refusal)                                        \
	extern type __real_##name parameters;                                                          \
	extern type __wrap_##name parameters;                                                          \
	type __wrap_##name parameters                                                                  \
	{                                                                                              \
		return refused(&ourselves) ? (refusal) : __real_##name arguments;                          \
	}

WRAPPED(void *, malloc, (size_t size), (size), NULL)
WRAPPED(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAPPED(void *, realloc, (void *block, size_t size), (block, size), NULL)
WRAPPED(struct json_object *, json_object_new_object, (void), (), NULL)
WRAPPED(struct json_object *, json_object_new_array, (void), (), NULL)
WRAPPED(struct json_object *, json_object_new_boolean, (json_bool value), (value), NULL)
WRAPPED(struct json_object *, json_object_new_int64, (int64_t value), (value), NULL)
WRAPPED(struct json_object *, json_object_new_string_len, (const char *text, int len), (text, len),
		NULL)
WRAPPED(int, json_object_object_add,
		(struct json_object * object, const char *name, struct json_object *value),
		(object, name, value), -1)
WRAPPED(int, json_object_array_add, (struct json_object * array, struct json_object *value),
		(array, value), -1)
WRAPPED(int, json_object_array_put_idx,
		(struct json_object * array, size_t index, struct json_object *value),
		(array, index, value), -1)
WRAPPED(struct json_tokener *, json_tokener_new_ex, (int depth), (depth), NULL)
WRAPPED(const char *, json_object_to_json_string_length,
		(struct json_object * object, int flags, size_t *len), (object, flags, len), NULL)

extern int __real_json_object_deep_copy(struct json_object *from, struct json_object **to,
										json_c_shallow_copy_fn *copy);
extern int __wrap_json_object_deep_copy(struct json_object *from, struct json_object **to,
										json_c_shallow_copy_fn *copy);

int
__wrap_json_object_deep_copy(struct json_object *from, struct json_object **to,
							 json_c_shallow_copy_fn *copy)
{
	return refused(&ourselves) ? -1 : __real_json_object_deep_copy(from, to, copy);
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	return size == 0 || refused(&openssl) ? NULL : __real_malloc(size);
}

static void *
openssl_realloc(void *block, size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	if (size == 0)
	{
		free(block);
		return NULL;
	}
	return refused(&openssl) ? NULL : __real_realloc(block, size);
}

static void
openssl_free(void *block, const char *file, int line)
{
	(void) file;
	(void) line;
	free(block);
}

/* What an operation did; every function of the table below returns one. */
typedef VciStatus (*Operation)(VciError *error);

static VciJson *x5c_file;
static VciJson *pem_file;
static VciJson *rsa_file;
static VciJson *did_file;
static VciJson *sd_jwt_file;
static VciKey *signer;
static char *jws_text;

static VciStatus
memory(bool got, VciError *error)
{
	return got ? VCI_OK : vci_error(error, VCI_ERR_MEMORY, "out of memory");
}

static VciStatus
base64url_operation(VciError *error)
{
	char *text = vci_base64url_encode_new("abcd", 4);
	unsigned char *bytes = NULL;
	size_t len;
	VciStatus status = memory(text != NULL, error);

	if (status == VCI_OK)
		status = vci_base64url_decode_new(text, strlen(text), &bytes, &len, error);
	free(bytes);
	free(text);
	return status;
}

static VciStatus
parse_operation(VciError *error)
{
	static const char text[] = "{\"a\":[1,2.50,1e3,{\"b\":\"text\"},null,true],\"c\":-0.1}";
	VciJson *parsed;
	VciJson *copy = NULL;
	char *printed = NULL;
	VciStatus status = vci_json_parse_object(text, strlen(text), &parsed, error);

	if (status == VCI_OK)
		status = memory((copy = vci_json_copy(parsed)) != NULL &&
							(printed = vci_json_print(copy)) != NULL,
						error);
	if (status == VCI_OK && strcmp(printed, text) != 0)
		status = VCI_ERR_INTERNAL;
	free(printed);
	vci_json_free(copy);
	vci_json_free(parsed);
	return status;
}

static VciStatus
build_operation(VciError *error)
{
	VciJson *object = vci_json_new_object();
	VciJson *array = vci_json_new_array();
	char *printed = NULL;
	bool built = object != NULL && array != NULL && vci_json_set_string(object, "s", "t") &&
				 vci_json_set_int64(object, "n", 7) && vci_json_set_boolean(object, "b", true) &&
				 vci_json_set_null(object, "z") && vci_json_append_string(array, "x") &&
				 vci_json_append_null(array) &&
				 vci_json_array_put(array, 1, vci_json_new_int64(1)) &&
				 vci_json_set(object, "a", vci_json_ref(array));
	VciStatus status = memory(built && (printed = vci_json_print(object)) != NULL, error);

	if (status == VCI_OK &&
		strcmp(printed, "{\"s\":\"t\",\"n\":7,\"b\":true,\"z\":null,\"a\":[\"x\",1]}") != 0)
		status = VCI_ERR_INTERNAL;
	free(printed);
	vci_json_free(array);
	vci_json_free(object);
	return status;
}

/* Generates a key and takes it through each form that it can have. */
static VciStatus
key_forms(VciAlg alg, VciError *error)
{
	VciKey *keys[4] = {NULL};
	VciJson *public_jwk = NULL;
	VciJson *private_jwk = NULL;
	unsigned char *der = NULL;
	char thumbprint[VCI_THUMBPRINT_SIZE];
	size_t len = 0;
	VciStatus status = vci_key_generate(alg, &keys[0], error);

	if (status == VCI_OK)
		status = vci_key_to_private_der(keys[0], &der, &len, error);
	if (status == VCI_OK)
		status = vci_key_from_private_der(der, len, &keys[1], error);
	if (status == VCI_OK)
		status = memory((public_jwk = vci_key_public_jwk(keys[1])) != NULL &&
							(private_jwk = vci_key_private_jwk(keys[1])) != NULL,
						error);
	if (status == VCI_OK)
		status = vci_key_from_private_jwk(private_jwk, &keys[2], error);
	if (status == VCI_OK)
		status = vci_key_from_public_jwk(public_jwk, &keys[3], error);
	if (status == VCI_OK)
		status = vci_key_thumbprint(keys[3], thumbprint, error);
	if (status == VCI_OK && !vci_key_equal(keys[0], keys[3]))
		status = VCI_ERR_INTERNAL;
	free(der);
	vci_json_free(public_jwk);
	vci_json_free(private_jwk);
	for (int i = 0; i < 4; i++)
		vci_key_free(keys[i]);
	return status;
}

static VciStatus
p256_operation(VciError *error)
{
	return key_forms(VCI_ALG_ES256, error);
}

/* Not through each form as P-256, whose code it shares: it is many times slower. */
static VciStatus
p384_operation(VciError *error)
{
	VciKey *key;
	VciStatus status = vci_key_generate(VCI_ALG_ES384, &key, error);

	vci_key_free(key);
	return status;
}

static VciStatus
ed25519_operation(VciError *error)
{
	return key_forms(VCI_ALG_EDDSA, error);
}

static VciStatus
pem_operation(VciError *error)
{
	const VciJson *accepted = vci_json_get(pem_file, "accepted");
	VciStatus status = VCI_OK;

	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(accepted); i++)
	{
		const char *pem = vci_json_get_string(vci_json_array_at(accepted, i), "pem");
		VciKey *key;

		status = vci_key_from_private_text(pem, strlen(pem), &key, error);
		vci_key_free(key);
	}
	return status;
}

static VciStatus
rsa_operation(VciError *error)
{
	VciJson *public_jwk = NULL;
	VciKey *key;
	VciStatus status = vci_key_from_public_jwk(vci_json_get(rsa_file, "jwk"), &key, error);

	if (status == VCI_OK)
		status = memory((public_jwk = vci_key_public_jwk(key)) != NULL, error);
	vci_json_free(public_jwk);
	vci_key_free(key);
	return status;
}

static VciStatus
jwks_operation(VciError *error)
{
	VciJson *jwks = vci_json_new_object();
	VciJson *list = vci_json_new_array();
	VciKey *key = NULL;
	VciStatus status =
		memory(jwks != NULL && list != NULL && vci_json_append(list, vci_key_public_jwk(signer)) &&
				   vci_json_set(jwks, "keys", vci_json_ref(list)),
			   error);

	if (status == VCI_OK)
		status = vci_jwks_check(jwks, error);
	if (status == VCI_OK)
		status = vci_jwks_find(jwks, NULL, VCI_ALG_ES256, &key, error);
	vci_key_free(key);
	vci_json_free(list);
	vci_json_free(jwks);
	return status;
}

static VciStatus
x5c_operation(VciError *error)
{
	const VciJson *accepted = vci_json_get(x5c_file, "accepted");
	VciStatus status = VCI_OK;
	int64_t now = 0;
	int64_t end;

	vci_json_get_int64(x5c_file, "now", &now);
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(accepted); i++)
	{
		const VciJson *x5c = vci_json_get(vci_json_array_at(accepted, i), "x5c");
		VciKey *key;

		status = vci_key_from_x5c(x5c, now, &key, error);
		vci_key_free(key);
		if (status == VCI_OK)
			status = vci_x5c_expiry(x5c, &end, error);
	}
	return status;
}

static VciStatus
csr_operation(VciError *error)
{
	char *pem;
	VciStatus status = vci_csr_build(signer, "/C=XX/O=Ministry/CN=registry", "registry.example",
									 "https://registry.example/a", &pem, error);

	free(pem);
	return status;
}

static VciStatus
jws_operation(VciError *error)
{
	VciJson *header = vci_json_new_object();
	VciJson *payload = vci_json_new_object();
	char *compact = NULL;
	VciJws *jws = NULL;
	VciStatus status = memory(
		header != NULL && payload != NULL && vci_json_set_string(header, "typ", "JWT"), error);

	if (status == VCI_OK)
		status = vci_jws_sign(header, payload, signer, &compact, error);
	if (status == VCI_OK)
		status = vci_jws_parse(compact, strlen(compact), &jws, error);
	if (status == VCI_OK)
		status = vci_jws_verify(jws, signer, error);
	vci_jws_free(jws);
	free(compact);
	vci_json_free(header);
	vci_json_free(payload);
	return status;
}

/* RS256, of RFC 7515 appendix A.2. */
static VciStatus
verify_operation(VciError *error)
{
	VciJws *jws;
	VciKey *key = NULL;
	VciStatus status = vci_jws_parse(jws_text, strlen(jws_text), &jws, error);

	if (status == VCI_OK)
		status = vci_key_from_public_jwk(vci_json_get(rsa_file, "published"), &key, error);
	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, error);
	vci_key_free(key);
	vci_jws_free(jws);
	return status;
}

static VciStatus
eddsa_operation(VciError *error)
{
	VciJson *header = vci_json_new_object();
	VciJson *payload = vci_json_new_object();
	VciKey *key = NULL;
	char *compact = NULL;
	VciJws *jws = NULL;
	VciStatus status = memory(header != NULL && payload != NULL, error);

	if (status == VCI_OK)
		status = vci_key_generate(VCI_ALG_EDDSA, &key, error);
	if (status == VCI_OK)
		status = vci_jws_sign(header, payload, key, &compact, error);
	if (status == VCI_OK)
		status = vci_jws_parse(compact, strlen(compact), &jws, error);
	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, error);
	/* OpenSSL's Ed25519 says "wrong" when it gets no memory for its digest */
	if (status == VCI_ERR_JWS_SIGNATURE)
		status = VCI_ERR_CRYPTO;
	vci_jws_free(jws);
	free(compact);
	vci_key_free(key);
	vci_json_free(header);
	vci_json_free(payload);
	return status;
}

static VciStatus
curves_operation(VciError *error)
{
	VciCurves *curves = vci_curves_new();
	VciJson *jwk = vci_key_public_jwk(signer);
	VciJson *part = vci_json_new_object();
	VciKey *key = NULL;
	char *compact = NULL;
	VciJws *jws = NULL;
	VciStatus status = memory(curves != NULL && jwk != NULL && part != NULL, error);

	if (status == VCI_OK)
		status = vci_jws_sign(part, part, signer, &compact, error);
	if (status == VCI_OK)
		status = vci_key_from_public_jwk_on(curves, jwk, &key, error);
	if (status == VCI_OK)
		status = vci_jws_parse(compact, strlen(compact), &jws, error);
	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, error);
	vci_jws_free(jws);
	free(compact);
	vci_key_free(key);
	vci_json_free(jwk);
	vci_json_free(part);
	vci_curves_free(curves);
	return status;
}

static VciStatus
did_operation(VciError *error)
{
	const VciJson *list = vci_json_get(did_file, "vectors");
	char *web = vci_did_web_from_url("https://registry.example:8443/tenant");
	VciStatus status = memory(web != NULL, error);

	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(list); i++)
	{
		const char *did = vci_json_get_string(vci_json_array_at(list, i), "did");
		char *plain = vci_did_of_url(did);
		VciKey *key = NULL;

		status = memory(plain != NULL, error);
		if (status == VCI_OK)
			status = vci_key_from_did(did, NULL, &key, error);
		vci_key_free(key);
		free(plain);
	}
	free(web);
	return status;
}

static VciStatus
did_document_operation(VciError *error)
{
	static const char text[] =
		"{\"id\":\"did:web:a.example\",\"verificationMethod\":[{\"id\":\"#k\",\"type\":"
		"\"JsonWebKey\",\"controller\":\"did:web:a.example\",\"publicKeyMultibase\":"
		"\"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK\"}],\"authentication\":[\"#k\"]}";
	VciJson *document;
	VciKey *key = NULL;
	VciStatus status = vci_json_parse_object(text, strlen(text), &document, error);

	if (status == VCI_OK)
		status = vci_key_from_did_document(document, "did:web:a.example#k", &key, error);
	vci_key_free(key);
	vci_json_free(document);
	return status;
}

static VciStatus
sd_jwt_operation(VciError *error)
{
	static const char claims[] = "{\"a\":{\"b\":1,\"c\":[1,2]},\"d\":\"x\"}";
	static const char pointers[] = "[[\"a\"],[\"a\",\"c\",null],[\"d\"]]";
	VciJson *payload = NULL;
	VciJson *paths = NULL;
	VciConcealed concealed = {0};
	VciSdJwt *parsed = NULL;
	char *text = NULL;
	char *presentation = NULL;
	VciStatus status = vci_json_parse_object(claims, strlen(claims), &payload, error);
	if (status == VCI_OK)
		status = vci_json_parse(pointers, strlen(pointers), &paths, error);
	if (status == VCI_OK)
		status = vci_sd_jwt_conceal(NULL, payload, paths, 2, NULL, &concealed, error);
	if (status == VCI_OK)
		status = vci_sd_jwt_sign(NULL, &concealed, signer, &text, error);
	if (status == VCI_OK)
		status = vci_sd_jwt_parse(text, strlen(text), &parsed, error);
	if (status == VCI_OK)
		status = vci_sd_jwt_present(text, strlen(text), NULL, 0, &presentation, error);
	free(presentation);
	free(text);
	vci_sd_jwt_free(parsed);
	vci_concealed_free(&concealed);
	vci_json_free(paths);
	vci_json_free(payload);
	return status;
}

static VciStatus
seal_operation(VciError *error)
{
	static const char root[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
	VciRootKeys keys;
	VciSecret derived;
	unsigned char digest[VCI_DIGEST_BYTES];
	unsigned char *sealed = NULL;
	unsigned char *plain = NULL;
	size_t sealed_len;
	size_t len;
	VciStatus status = vci_root_keys_parse(root, strlen(root), &keys, error);

	if (status == VCI_OK)
		status = vci_derive(&keys.keys[0].secret, "label", &derived, error);
	if (status == VCI_OK)
		status = vci_hmac(&derived, "a", 1, digest, error);
	if (status == VCI_OK)
		status = vci_sha256("a", 1, digest, error);
	if (status == VCI_OK)
		status = vci_random(digest, sizeof(digest), error);
	if (status == VCI_OK)
		status = vci_seal(&derived, "a", 1, "plain", 5, &sealed, &sealed_len, error);
	if (status == VCI_OK)
		status = vci_unseal(&derived, "a", 1, sealed, sealed_len, &plain, &len, error);
	if (status == VCI_OK && (len != 5 || memcmp(plain, "plain", 5) != 0))
		status = VCI_ERR_INTERNAL;
	free(sealed);
	free(plain);
	return status;
}

static VciStatus
digest_operation(VciError *error)
{
	unsigned char out[VCI_DIGEST_BYTES];
	VciDigest *digest = vci_digest_new();
	VciStatus status = memory(digest != NULL, error);

	if (status == VCI_OK)
		status = vci_digest_update(digest, "a", 1, error);
	if (status == VCI_OK)
		status = vci_digest_finish(digest, out, error);
	vci_digest_free(digest);
	return status;
}

static VciStatus
ff1_operation(VciError *error)
{
	static const unsigned char key[32] = {1};
	uint64_t encrypted;
	VciFf1 *ff1;
	VciStatus status = vci_ff1_new(key, sizeof(key), 2, 20, &ff1, error);

	if (status == VCI_OK)
		status = vci_ff1_encrypt_number(ff1, 1, &encrypted, error);
	vci_ff1_free(ff1);
	return status;
}

/* Both kinds: what is compressed, what stands for it, what is signed. */
static VciStatus
status_list_operation(VciError *error)
{
	static const unsigned char statuses[256];
	VciIssuer issuer = {.url = (char *) "https://a.example"};
	VciStatusListTarget target = {VCI_STATUS_LIST_TOKEN, "abcdefghijklmnopqrstuv"};
	VciStatusListParts parts = {&issuer, &target, 2, 1024, {1, 2, 3, 4}, signer, "k", NULL};
	unsigned char tag[VCI_DIGEST_BYTES];
	VciStatus status = VCI_OK;

	issuer.endpoints[VCI_ENDPOINT_STATUS_LIST].url = (char *) "https://a.example/lists";
	for (; status == VCI_OK && target.kind <= VCI_STATUS_LIST_REVOCATION; target.kind++)
	{
		char *encoded = NULL;
		char *token = NULL;
		size_t len;

		status = vci_status_list_encode(target.kind, 2, 1024, statuses, &encoded, error);
		if (status == VCI_OK)
			status = vci_status_list_tag(&parts, 1, 2, tag, error);
		if (status == VCI_OK)
			status = vci_status_list_sign(&parts, encoded, &token, &len, error);
		free(token);
		free(encoded);
	}
	return status;
}

static const struct
{
	const char *name;
	Operation run;
} operations[] = {
	{"base64url", base64url_operation},
	{"reading and printing JSON", parse_operation},
	{"building JSON", build_operation},
	{"P-256 keys", p256_operation},
	{"P-384 keys", p384_operation},
	{"Ed25519 keys", ed25519_operation},
	{"RSA keys", rsa_operation},
	{"private keys in PEM", pem_operation},
	{"JWK sets", jwks_operation},
	{"certificate chains", x5c_operation},
	{"certificate signing requests", csr_operation},
	{"JWS with ES256", jws_operation},
	{"JWS in lent curves", curves_operation},
	{"JWS with EdDSA", eddsa_operation},
	{"JWS with RS256", verify_operation},
	{"DIDs", did_operation},
	{"DID documents", did_document_operation},
	{"SD-JWT", sd_jwt_operation},
	{"sealing", seal_operation},
	{"digests", digest_operation},
	{"FF1", ff1_operation},
	{"status lists", status_list_operation},
};

/* Bytes in use; caches of the libraries are among them. Always 0 under a sanitizer. */
static size_t
bytes_in_use(void)
{
	return mallinfo2().uordblks;
}

/* Runs it with that request refused (0: none); an empty error queue is part of the outcome. */
static VciStatus
run_refusing(Operation run, Asker *asker, size_t request, VciError *error)
{
	VciStatus status;

	memset(error, 0, sizeof(*error));
	asker->requests = 0;
	asker->countdown = request;
	status = run(error);
	asker->countdown = 0;
	if (ERR_peek_error() == 0)
		return status;
	ERR_clear_error();
	snprintf(error->text, sizeof(error->text), "an error was left in OpenSSL's queue");
	return VCI_ERR_INTERNAL;
}

/* A refusal may fill a cache once; what grows three times in a row is lost memory. */
static bool
loses_memory(Operation run, Asker *asker, size_t request)
{
	VciError error;

	for (int i = 0; i < 3; i++)
	{
		size_t before = bytes_in_use();

		(void) run_refusing(run, asker, request, &error);
		(void) run_refusing(run, asker, 0, &error);
		if (bytes_in_use() <= before)
			return false;
	}
	return true;
}

/* The outcomes that are right when memory is out; OK is, where the library did without. */
static bool
is_honest(VciStatus status)
{
	return status == VCI_OK || status == VCI_ERR_MEMORY || status == VCI_ERR_CRYPTO;
}

/*
 * Whether the outcome blames the input. Where OpenSSL 3.0 reads keys and certificates, it passes
 * some refusals off as their fault without a word in its queue: nobody can tell these from
 * the others, and they are let through.
 */
static bool
blames_input(VciStatus status, const Asker *asker)
{
	if (is_honest(status))
		return false;
	return asker == &ourselves || (status != VCI_ERR_JWK && status != VCI_ERR_KEY_UNSUPPORTED &&
								   status != VCI_ERR_CERTIFICATE);
}

typedef struct Findings
{
	size_t refusals;
	size_t blamed;
	size_t broken;
	size_t lost;
} Findings;

static void
refuse_one(Operation run, Asker *asker, size_t request, Findings *findings)
{
	VciError error;
	size_t before = bytes_in_use();
	VciStatus status = run_refusing(run, asker, request, &error);

	if (asker->requests < request)
		return;
	findings->refusals++;
	if (blames_input(status, asker) && findings->blamed++ < 10)
		printf("# request %zu refused: %s (%s)\n", request, vci_status_name(status), error.text);
	if (run_refusing(run, asker, 0, &error) != VCI_OK && findings->broken++ < 10)
		printf("# after request %zu was refused: %s\n", request, error.text);
	if (bytes_in_use() > before && loses_memory(run, asker, request) && findings->lost++ < 10)
		printf("# memory is lost when request %zu is refused\n", request);
}

static void
refuse_each(const char *name, Operation run, Asker *asker)
{
	VciError error = VCI_ERROR_INIT;
	Findings findings = {0};
	size_t count;
	size_t step = 1;

	/* the first runs fill the libraries' caches */
	for (int i = 0; i < 3; i++)
		(void) run_refusing(run, asker, 0, &error);
	is_status(run_refusing(run, asker, 0, &error), VCI_OK, &error, name);
	count = asker->requests;
	if (asker->most > 0 && count > asker->most)
		step = count / asker->most + 1;
	for (size_t request = 1; request <= count; request += step)
		refuse_one(run, asker, request, &findings);
	ok(findings.blamed == 0,
	   "%s: %zu of %s %zu requests for memory were refused, and nothing else was blamed", name,
	   findings.refusals, asker->name, count);
	ok(findings.lost == 0, "%s: no memory was lost", name);
	ok(findings.broken == 0, "%s: it works afterwards", name);
}

static void
read_inputs(void)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *published;

	x5c_file = vectors("x5c.json");
	pem_file = vectors("pem.json");
	rsa_file = vectors("rsa.json");
	did_file = vectors("did.json");
	sd_jwt_file = vectors("rfc9901.json");
	published = vectors("rfc7515.json");
	jws_text = strdup(vci_json_get_string(vci_json_get(published, "A.2"), "jws"));
	(void) vci_json_set(rsa_file, "published",
						vci_json_copy(vci_json_get(vci_json_get(published, "A.2"), "jwk")));
	vci_json_free(published);
	if (vci_key_generate(VCI_ALG_ES256, &signer, &error) != VCI_OK)
		bail_out("no key", error.text);
}

int
main(int argc, char **argv)
{
	/* freed blocks that a thread keeps for itself would count as in use */
	if (getenv("GLIBC_TUNABLES") == NULL)
	{
		setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
		execv("/proc/self/exe", argv);
	}
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
		bail_out("OpenSSL has asked for memory already", "");
	if (getenv("VCI_REFUSE_ALL") != NULL)
		openssl.most = 0;
	read_inputs();
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
	{
		if (argc < 2 || strstr(operations[i].name, argv[1]) != NULL)
		{
			refuse_each(operations[i].name, operations[i].run, &ourselves);
			refuse_each(operations[i].name, operations[i].run, &openssl);
		}
	}
	vci_key_free(signer);
	free(jws_text);
	vci_json_free(x5c_file);
	vci_json_free(pem_file);
	vci_json_free(rsa_file);
	vci_json_free(did_file);
	vci_json_free(sd_jwt_file);
	return done_testing();
}
