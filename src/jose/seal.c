#include "seal.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define GCM_NONCE_BYTES	  12
#define GCM_TAG_BYTES	  16
#define POOL_BYTES		  1024
#define ROOT_KEY_ID_LABEL "openid4vci root key id"

struct VciRandomPool
{
	pid_t process; /* that filled it */
	size_t left;
	unsigned char bytes[POOL_BYTES];
};

struct VciDigest
{
	EVP_MD_CTX *context;
};

/* The host process shares OpenSSL's error queue and must not find our entries in it. */
static VciStatus
crypto_failure(const char *what, VciError *error)
{
	ERR_clear_error();
	return vci_error(error, VCI_ERR_CRYPTO, "the crypto library failed at %s", what);
}

/* The private generator: no nonce that a stranger sees comes from the state that makes keys. */
VciStatus
vci_random(void *out, size_t len, VciError *error)
{
	if (len > INT_MAX || RAND_priv_bytes(out, (int) len) != 1)
		return crypto_failure("drawing random bytes", error);
	return VCI_OK;
}

VciRandomPool *
vci_random_pool_new(void)
{
	return calloc(1, sizeof(VciRandomPool));
}

void
vci_random_pool_start(VciRandomPool *pool)
{
	pid_t process = getpid();

	if (pool->process != process)
		pool->left = 0;
	pool->process = process;
}

/* What was drawn is wiped: it may be secret until the caller makes it public. */
VciStatus
vci_random_draw(VciRandomPool *pool, void *out, size_t len, VciError *error)
{
	if (pool->left < len)
	{
		VciStatus status;

		pool->left = 0;
		status = vci_random(pool->bytes, POOL_BYTES, error);
		if (status != VCI_OK)
			return status;
		pool->left = POOL_BYTES;
	}
	pool->left -= len;
	memcpy(out, pool->bytes + pool->left, len);
	vci_wipe(pool->bytes + pool->left, len);
	return VCI_OK;
}

void
vci_random_pool_free(VciRandomPool *pool)
{
	if (pool == NULL)
		return;
	vci_wipe(pool, sizeof(*pool));
	free(pool);
}

void
vci_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}

bool
vci_bytes_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

VciStatus
vci_sha256(const void *data, size_t len, unsigned char out[VCI_DIGEST_BYTES], VciError *error)
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		return crypto_failure("SHA-256", error);
	return VCI_OK;
}

VciDigest *
vci_digest_new(void)
{
	VciDigest *digest = malloc(sizeof(VciDigest));

	if (digest == NULL)
		return NULL;
	digest->context = EVP_MD_CTX_new();
	if (digest->context != NULL && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
		return digest;
	vci_digest_free(digest);
	ERR_clear_error();
	return NULL;
}

VciStatus
vci_digest_update(VciDigest *digest, const void *data, size_t len, VciError *error)
{
	if (EVP_DigestUpdate(digest->context, data, len) != 1)
		return crypto_failure("SHA-256", error);
	return VCI_OK;
}

VciStatus
vci_digest_finish(VciDigest *digest, unsigned char out[VCI_DIGEST_BYTES], VciError *error)
{
	if (EVP_DigestFinal_ex(digest->context, out, NULL) != 1)
		return crypto_failure("SHA-256", error);
	return VCI_OK;
}

void
vci_digest_free(VciDigest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

VciStatus
vci_hmac(const VciSecret *key, const void *data, size_t len, unsigned char out[VCI_DIGEST_BYTES],
		 VciError *error)
{
	unsigned out_len = 0;

	if (HMAC(EVP_sha256(), key->bytes, VCI_SECRET_BYTES, data, len, out, &out_len) == NULL ||
		out_len != VCI_DIGEST_BYTES)
		return crypto_failure("HMAC", error);
	return VCI_OK;
}

VciStatus
vci_derive(const VciSecret *key, const char *label, VciSecret *out, VciError *error)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *) "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *) key->bytes,
										  VCI_SECRET_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *) label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);
	bool derived =
		context != NULL && EVP_KDF_derive(context, out->bytes, VCI_SECRET_BYTES, params) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(hkdf);
	return derived ? VCI_OK : crypto_failure("HKDF", error);
}

/* Starts AES-256-GCM in one direction and feeds the associated data. */
static EVP_CIPHER_CTX *
gcm_start(const VciSecret *key, const unsigned char *nonce, const void *associated,
		  size_t associated_len, bool encrypt)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int done;

	if (context == NULL)
		return NULL;
	if (EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes, nonce, encrypt) == 1 &&
		(associated_len == 0 ||
		 EVP_CipherUpdate(context, NULL, &done, associated, (int) associated_len) == 1))
		return context;
	EVP_CIPHER_CTX_free(context);
	return NULL;
}

static bool
gcm_encrypt(EVP_CIPHER_CTX *context, const void *plain, size_t plain_len, unsigned char *out)
{
	int done = 0;
	int rest = 0;

	if (plain_len > 0 && EVP_EncryptUpdate(context, out, &done, plain, (int) plain_len) != 1)
		return false;
	return EVP_EncryptFinal_ex(context, out + done, &rest) == 1 &&
		   EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, out + plain_len) == 1;
}

/* Lengths that fit OpenSSL's int interface with nonce and tag. */
static bool
gcm_lengths_fit(size_t associated_len, size_t text_len)
{
	return associated_len <= INT_MAX && text_len <= INT_MAX - GCM_NONCE_BYTES - GCM_TAG_BYTES;
}

VciStatus
vci_seal(const VciSecret *key, const void *associated, size_t associated_len, const void *plain,
		 size_t plain_len, unsigned char **sealed, size_t *sealed_len, VciError *error)
{
	EVP_CIPHER_CTX *context;
	unsigned char *out;
	bool done;

	*sealed = NULL;
	*sealed_len = 0;
	if (!gcm_lengths_fit(associated_len, plain_len))
		return vci_error(error, VCI_ERR_TOO_LARGE, "%zu bytes are too many to seal", plain_len);
	out = malloc(GCM_NONCE_BYTES + plain_len + GCM_TAG_BYTES);
	if (out == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");

	done = RAND_bytes(out, GCM_NONCE_BYTES) == 1;
	context = done ? gcm_start(key, out, associated, associated_len, true) : NULL;
	done = context != NULL && gcm_encrypt(context, plain, plain_len, out + GCM_NONCE_BYTES);
	EVP_CIPHER_CTX_free(context);
	if (!done)
	{
		free(out);
		return crypto_failure("AES-256-GCM", error);
	}
	*sealed = out;
	*sealed_len = GCM_NONCE_BYTES + plain_len + GCM_TAG_BYTES;
	return VCI_OK;
}

/* Decrypts and, last, checks the tag; nothing may be used of out before that. */
static bool
gcm_decrypt(EVP_CIPHER_CTX *context, const unsigned char *text, size_t len, unsigned char *out)
{
	unsigned char tag[GCM_TAG_BYTES];
	int done = 0;
	int rest = 0;

	memcpy(tag, text + len, GCM_TAG_BYTES);
	if (len > 0 && EVP_DecryptUpdate(context, out, &done, text, (int) len) != 1)
		return false;
	return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_BYTES, tag) == 1 &&
		   EVP_DecryptFinal_ex(context, out + done, &rest) == 1;
}

VciStatus
vci_unseal(const VciSecret *key, const void *associated, size_t associated_len,
		   const unsigned char *sealed, size_t sealed_len, unsigned char **plain, size_t *plain_len,
		   VciError *error)
{
	EVP_CIPHER_CTX *context;
	unsigned char *out;
	size_t len;
	bool opened;

	*plain = NULL;
	*plain_len = 0;
	if (sealed_len < GCM_NONCE_BYTES + GCM_TAG_BYTES)
		return vci_error(error, VCI_ERR_SEAL, "a sealed value of %zu bytes is too short",
						 sealed_len);
	len = sealed_len - GCM_NONCE_BYTES - GCM_TAG_BYTES;
	if (!gcm_lengths_fit(associated_len, len))
		return vci_error(error, VCI_ERR_TOO_LARGE, "%zu bytes are too many to open", sealed_len);
	out = malloc(len + 1);
	if (out == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");

	context = gcm_start(key, sealed, associated, associated_len, false);
	if (context == NULL)
	{
		free(out);
		return crypto_failure("AES-256-GCM", error);
	}
	opened = gcm_decrypt(context, sealed + GCM_NONCE_BYTES, len, out);
	EVP_CIPHER_CTX_free(context);
	if (!opened)
	{
		vci_wipe(out, len);
		free(out);
		ERR_clear_error();
		return vci_error(error, VCI_ERR_SEAL,
						 "a sealed value does not open: another root key sealed it, "
						 "or it was changed");
	}
	out[len] = '\0';
	*plain = out;
	*plain_len = len;
	return VCI_OK;
}

static VciStatus
root_key_id(VciRootKey *key, VciError *error)
{
	VciSecret derived;
	VciStatus status = vci_derive(&key->secret, ROOT_KEY_ID_LABEL, &derived, error);

	for (size_t i = 0; status == VCI_OK && i < (VCI_ROOT_KEY_ID_SIZE - 1) / 2; i++)
		snprintf(key->id + 2 * i, 3, "%02x", derived.bytes[i]);
	vci_wipe(&derived, sizeof(derived));
	return status;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
read_secret(const char *line, size_t len, VciSecret *secret)
{
	if (len != 2 * VCI_SECRET_BYTES)
		return false;
	for (size_t i = 0; i < VCI_SECRET_BYTES; i++)
	{
		int high = hex_digit(line[2 * i]);
		int low = hex_digit(line[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		secret->bytes[i] = (unsigned char) (high * 16 + low);
	}
	return true;
}

/* One line, without its line feed; number counts from 1. */
static VciStatus
add_root_key(const char *line, size_t len, size_t number, VciRootKeys *keys, VciError *error)
{
	VciRootKey *key;
	VciStatus status;

	while (len > 0 && isspace((unsigned char) line[len - 1]))
		len--;
	while (len > 0 && isspace((unsigned char) line[0]))
	{
		line++;
		len--;
	}
	if (len == 0 || line[0] == '#')
		return VCI_OK;
	if (keys->count == VCI_ROOT_KEYS_MAX)
		return vci_error(error, VCI_ERR_ROOT_KEY, "line %zu: expected at most %d root keys", number,
						 VCI_ROOT_KEYS_MAX);

	key = &keys->keys[keys->count];
	if (!read_secret(line, len, &key->secret))
		return vci_error(
			error, VCI_ERR_ROOT_KEY,
			"line %zu: expected a root key of %d hexadecimal digits, got %zu characters", number,
			2 * VCI_SECRET_BYTES, len);
	status = root_key_id(key, error);
	if (status != VCI_OK)
		return status;
	if (vci_root_keys_find(keys, key->id) != NULL)
		return vci_error(error, VCI_ERR_ROOT_KEY, "line %zu: this root key stands there twice",
						 number);
	keys->count++;
	return VCI_OK;
}

VciStatus
vci_root_keys_parse(const char *text, size_t len, VciRootKeys *keys, VciError *error)
{
	VciStatus status = VCI_OK;
	size_t at = 0;

	memset(keys, 0, sizeof(*keys));
	for (size_t number = 1; at < len && status == VCI_OK; number++)
	{
		const char *feed = memchr(text + at, '\n', len - at);
		size_t end = feed == NULL ? len : (size_t) (feed - text);

		status = add_root_key(text + at, end - at, number, keys, error);
		at = end + 1;
	}
	if (status == VCI_OK && keys->count == 0)
		status = vci_error(error, VCI_ERR_ROOT_KEY,
						   "no root key: expected a line of %d hexadecimal digits",
						   2 * VCI_SECRET_BYTES);
	if (status != VCI_OK)
		vci_wipe(keys, sizeof(*keys));
	return status;
}

const VciRootKey *
vci_root_keys_find(const VciRootKeys *keys, const char *id)
{
	for (size_t i = 0; i < keys->count; i++)
	{
		if (strcmp(keys->keys[i].id, id) == 0)
			return &keys->keys[i];
	}
	return NULL;
}
