#include "jws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "curves.h"
#include "json_write.h"
#include "jws_write.h"

#define SIGNATURE_MAX_BYTES (2 * 48) /* ES384, the longest that we make */
#define DER_INTEGER			0x02
#define DER_SEQUENCE		0x30
#define ECDSA_DER_MAX_BYTES 112 /* two integers of 49 bytes, each with its header, and one more */

typedef struct Parts
{
	size_t header_len;
	const char *payload;
	size_t payload_len;
	const char *signature;
	size_t signature_len;
} Parts;

/* RFC 7515 section 7.1: three parts, none of them empty (an unsigned JWS is never taken). */
static VciStatus
split(const char *compact, size_t len, Parts *parts, VciError *error)
{
	const char *end = compact + len;
	const char *first = memchr(compact, '.', len);
	const char *second = first == NULL ? NULL : memchr(first + 1, '.', (size_t) (end - first - 1));

	if (second == NULL || memchr(second + 1, '.', (size_t) (end - second - 1)) != NULL)
		return vci_error(error, VCI_ERR_JWS, "expected a JWS of three parts joined by dots");
	parts->header_len = (size_t) (first - compact);
	parts->payload = first + 1;
	parts->payload_len = (size_t) (second - first - 1);
	parts->signature = second + 1;
	parts->signature_len = (size_t) (end - second - 1);
	if (parts->header_len == 0 || parts->payload_len == 0)
		return vci_error(error, VCI_ERR_JWS, "a part of the JWS is empty");
	return VCI_OK;
}

static VciStatus
decode_json(const char *text, size_t len, const char *what, VciJson **json, VciError *error)
{
	unsigned char *bytes;
	size_t bytes_len;
	VciStatus status = vci_base64url_decode_new(text, len, &bytes, &bytes_len, error);

	if (status != VCI_OK)
		return status;
	status = vci_json_parse((const char *) bytes, bytes_len, json, error);
	free(bytes);
	if (status == VCI_OK && vci_json_kind(*json) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_JWS, "expected a JSON object as the JWS %s", what);
	return status;
}

/* RFC 8725 sections 3.1 and 3.2; an exact name, so that no spelling of "none" slips through. */
static VciStatus
read_alg(const VciJson *header, VciAlg *alg, VciError *error)
{
	const char *name = vci_json_get_string(header, "alg");

	if (name == NULL)
		return vci_error(error, VCI_ERR_JWS_ALG, "the JWS header lacks its member 'alg'");
	*alg = vci_alg_by_name(name);
	if (*alg == VCI_ALG_NONE)
		return vci_error(error, VCI_ERR_JWS_ALG,
						 "expected alg ES256, ES384, EdDSA, RS256 or PS256, got '%.32s'", name);
	return VCI_OK;
}

static VciStatus
read_header(VciJws *jws, VciError *error)
{
	VciStatus status = read_alg(jws->header, &jws->alg, error);

	if (status != VCI_OK)
		return status;
	/* RFC 7515 section 4.1.11: no extension is understood here; b64 (RFC 7797) is one. */
	if (vci_json_has(jws->header, "crit") || vci_json_has(jws->header, "b64"))
		return vci_error(error, VCI_ERR_JWS_CRIT,
						 "JWS header members 'crit' and 'b64' are not "
						 "supported");
	jws->typ = vci_json_get_string(jws->header, "typ");
	if (jws->typ == NULL && vci_json_has(jws->header, "typ"))
		return vci_error(error, VCI_ERR_JWS, "JWS header member 'typ': expected a string");
	return VCI_OK;
}

static VciStatus
fill(VciJws *jws, const char *compact, const Parts *parts, VciError *error)
{
	VciStatus status = decode_json(compact, parts->header_len, "header", &jws->header, error);

	if (status == VCI_OK)
		status = read_header(jws, error);
	if (status == VCI_OK && parts->signature_len == 0)
		status = vci_error(error, VCI_ERR_JWS, "the JWS has no signature");
	if (status == VCI_OK)
		status = decode_json(parts->payload, parts->payload_len, "payload", &jws->payload, error);
	if (status == VCI_OK)
		status = vci_base64url_decode_new(parts->signature, parts->signature_len, &jws->signature,
										  &jws->signature_len, error);
	if (status != VCI_OK)
		return status;

	jws->signing_input_len = parts->header_len + 1 + parts->payload_len;
	jws->signing_input = malloc(jws->signing_input_len + 1);
	if (jws->signing_input == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	memcpy(jws->signing_input, compact, jws->signing_input_len);
	jws->signing_input[jws->signing_input_len] = '\0';
	return VCI_OK;
}

VciStatus
vci_jws_parse(const char *compact, size_t len, VciJws **jws, VciError *error)
{
	Parts parts = {0};
	VciJws *parsed;
	VciStatus status;

	*jws = NULL;
	if (len > VCI_JWS_MAX_SIZE)
		return vci_error(error, VCI_ERR_TOO_LARGE,
						 "expected a JWS of at most %d characters, got %zu", VCI_JWS_MAX_SIZE, len);
	status = split(compact, len, &parts, error);
	if (status != VCI_OK)
		return status;
	parsed = calloc(1, sizeof(*parsed));
	if (parsed == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = fill(parsed, compact, &parts, error);
	if (status != VCI_OK)
	{
		vci_jws_free(parsed);
		return status;
	}
	*jws = parsed;
	return VCI_OK;
}

void
vci_jws_free(VciJws *jws)
{
	if (jws == NULL)
		return;
	vci_json_free(jws->header);
	vci_json_free(jws->payload);
	free(jws->signing_input);
	free(jws->signature);
	free(jws);
}

/* X.690 section 8.3: shortest form, with a zero in front of what would look negative. */
static size_t
der_integer(const unsigned char *number, size_t len, unsigned char *der)
{
	size_t at = 2;

	while (len > 1 && number[0] == 0)
	{
		number++;
		len--;
	}
	if (number[0] >= 0x80)
		der[at++] = 0;
	memcpy(der + at, number, len);
	der[0] = DER_INTEGER;
	der[1] = (unsigned char) (at - 2 + len);
	return at + len;
}

/*
 * RFC 7518 section 3.4: r and s, each of the curve's length; OpenSSL wants DER. Both curves'
 * signatures are shorter than 128 bytes, so that each length is one byte.
 */
static size_t
ecdsa_to_der(const unsigned char *raw, size_t half, unsigned char der[ECDSA_DER_MAX_BYTES])
{
	size_t len = der_integer(raw, half, der + 2);

	len += der_integer(raw + half, half, der + 2 + len);
	der[0] = DER_SEQUENCE;
	der[1] = (unsigned char) len;
	return 2 + len;
}

/* Reads what der_integer writes, to exactly len bytes; where it ends, NULL when it is none. */
static const unsigned char *
read_der_integer(const unsigned char *der, const unsigned char *end, unsigned char *number,
				 size_t len)
{
	size_t left;

	if (end - der < 2 || der[0] != DER_INTEGER || der[1] > end - der - 2)
		return NULL;
	left = der[1];
	for (der += 2; left > 0 && der[0] == 0; der++)
		left--;
	if (left > len)
		return NULL;
	memset(number, 0, len - left);
	memcpy(number + len - left, der, left);
	return der + left;
}

/* The way back from ecdsa_to_der. */
static bool
ecdsa_from_der(const unsigned char *der, size_t der_len, unsigned char *raw, size_t half)
{
	const unsigned char *end = der + der_len;

	if (der_len < 2 || der[0] != DER_SEQUENCE || der[1] != der_len - 2)
		return false;
	der = read_der_integer(der + 2, end, raw, half);
	if (der != NULL)
		der = read_der_integer(der, end, raw + half, half);
	return der == end;
}

static size_t
signature_size(const VciKey *key)
{
	if (key->type == VCI_KEY_RSA)
		return (size_t) EVP_PKEY_get_size(key->pkey);
	return 2 * vci_key_field_bytes(key->type);
}

/* RFC 7518 section 3.5: MGF1 with the same digest, a salt as long as the digest. */
static bool
set_padding(EVP_PKEY_CTX *context, VciAlg alg, const EVP_MD *md)
{
	if (alg == VCI_ALG_RS256)
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
	if (alg == VCI_ALG_PS256)
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
			   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
			   EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
	return true;
}

static VciStatus
verify_bytes(const VciJws *jws, const VciKey *key, const unsigned char *signature, size_t len,
			 VciError *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters = NULL; /* owned by context */
	int verdict = -1;				 /* 1: right, 0: wrong, negative: no verdict */
	VciStatus status = VCI_OK;

	if (context != NULL &&
		EVP_DigestVerifyInit(context, &parameters, key->md, NULL, key->pkey) == 1 &&
		set_padding(parameters, jws->alg, key->md))
	{
		/* without a copy of the context, whose failure would pass for a wrong signature */
		EVP_MD_CTX_set_flags(context, EVP_MD_CTX_FLAG_FINALISE);
		verdict = EVP_DigestVerify(context, signature, len, (unsigned char *) jws->signing_input,
								   jws->signing_input_len);
	}
	if (verdict < 0)
		status = vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot verify");
	else if (verdict != 1)
		status = vci_openssl_error(error, VCI_ERR_JWS_SIGNATURE,
								   "the signature does not verify under the key");
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return status;
}

/* RFC 7518 section 3.4 under a key that has no EVP_PKEY of its own. */
static VciStatus
verify_on_curves(const VciJws *jws, const VciKey *key, const unsigned char *der, size_t len,
				 VciError *error)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;
	int verdict = -1;
	VciStatus status = VCI_OK;

	if (EVP_Digest(jws->signing_input, jws->signing_input_len, digest, &digest_len,
				   vci_curves_digest(key->curves, key->type), NULL) == 1)
		verdict = vci_curves_verify(key->curves, key->type, key->public_bytes, digest, digest_len,
									der, len);
	if (verdict < 0)
		status = vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot verify");
	else if (verdict != 1)
		status = vci_openssl_error(error, VCI_ERR_JWS_SIGNATURE,
								   "the signature does not verify under the key");
	ERR_clear_error();
	return status;
}

VciStatus
vci_jws_verify(const VciJws *jws, const VciKey *key, VciError *error)
{
	unsigned char der[ECDSA_DER_MAX_BYTES];
	const unsigned char *signature = jws->signature;
	size_t len = jws->signature_len;

	if (!vci_key_fits(key, jws->alg))
		return vci_error(error, VCI_ERR_JWS_ALG, "the key does not fit alg %s",
						 vci_alg_name(jws->alg));
	if (len != signature_size(key))
		return vci_error(error, VCI_ERR_JWS_SIGNATURE,
						 "expected a signature of %zu bytes for %s, got %zu", signature_size(key),
						 vci_alg_name(jws->alg), len);
	if (key->type == VCI_KEY_P256 || key->type == VCI_KEY_P384)
	{
		len = ecdsa_to_der(signature, len / 2, der);
		signature = der;
	}
	if (key->curves != NULL)
		return verify_on_curves(jws, key, signature, len, error);
	return verify_bytes(jws, key, signature, len, error);
}

/* Ed25519 signs the message itself (RFC 8032), the curves of NIST its digest. */
static bool
sign_bytes(const VciKey *key, const char *input, size_t len, unsigned char *signature)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char der[ECDSA_DER_MAX_BYTES];
	unsigned digest_len;
	size_t signature_len = signature_size(key);
	size_t der_len = sizeof(der);
	EVP_MD_CTX *context;
	bool good;

	if (key->type != VCI_KEY_ED25519)
		return EVP_DigestInit_ex2(key->digester, key->md, NULL) == 1 &&
			   EVP_DigestUpdate(key->digester, input, len) == 1 &&
			   EVP_DigestFinal_ex(key->digester, digest, &digest_len) == 1 &&
			   EVP_PKEY_sign(key->signer, der, &der_len, digest, digest_len) == 1 &&
			   ecdsa_from_der(der, der_len, signature, signature_len / 2);

	context = EVP_MD_CTX_new();
	good =
		context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
		EVP_DigestSign(context, signature, &signature_len, (const unsigned char *) input, len) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

/* The signing input stands in text. */
static VciStatus
write_signature(const VciKey *key, VciText *text, VciError *error)
{
	unsigned char signature[SIGNATURE_MAX_BYTES];

	if (!sign_bytes(key, text->data, text->len, signature))
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library failed to sign");
	ERR_clear_error(); /* the library may have managed all the same */
	vci_text_append(text, ".", 1);
	vci_text_base64url(text, signature, signature_size(key));
	return text->out_of_memory ? vci_error(error, VCI_ERR_MEMORY, "out of memory") : VCI_OK;
}

VciStatus
vci_jws_write(const VciText *header, const char *payload, size_t len, size_t max, const VciKey *key,
			  VciText *text, VciError *error)
{
	size_t size = vci_base64url_encoded_size(header->len) + vci_base64url_encoded_size(len) +
				  vci_base64url_encoded_size(signature_size(key)) + 2;

	if (!key->is_private)
		return vci_error(error, VCI_ERR_INTERNAL, "signing needs a private key");
	if (header->out_of_memory || text->out_of_memory)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (size > max)
		return vci_error(error, VCI_ERR_TOO_LARGE,
						 "a JWS of %zu characters is larger than the %zu that are accepted", size,
						 max);
	vci_text_base64url(text, header->data, header->len);
	vci_text_append(text, ".", 1);
	vci_text_base64url(text, payload, len);
	if (text->out_of_memory)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return write_signature(key, text, error);
}

void
vci_jws_write_header(const char *members, const VciKey *key, VciText *header)
{
	vci_text_put(header, "{\"alg\":\"");
	vci_text_put(header, vci_alg_name(vci_key_alg(key)));
	vci_text_append(header, "\"", 1);
	if (members != NULL && members[0] != '\0')
	{
		vci_text_append(header, ",", 1);
		vci_text_put(header, members);
	}
	vci_text_append(header, "}", 1);
}

VciStatus
vci_jws_sign_text(const char *header, const char *payload, size_t payload_len, const VciKey *key,
				  char **compact, size_t *len, VciError *error)
{
	VciText whole_header = {0};
	VciText text = {0};
	VciStatus status;

	*compact = NULL;
	*len = 0;
	vci_jws_write_header(header, key, &whole_header);
	status = vci_jws_write(&whole_header, payload, payload_len, SIZE_MAX, key, &text, error);
	vci_text_free(&whole_header);
	if (status == VCI_OK)
	{
		*compact = text.data;
		*len = text.len;
	}
	else
		vci_text_free(&text);
	return status;
}

/* The header with its "alg": in front when it has none. */
static void
write_header(VciJson *header, VciAlg alg, VciText *json)
{
	const char *name = vci_alg_name(alg);
	VciText plain = {0};

	if (vci_json_has(header, "alg"))
	{
		json->out_of_memory = !vci_json_set_string(header, "alg", name);
		vci_json_write(header, json);
		return;
	}
	vci_json_write(header, &plain);
	if (!plain.out_of_memory)
	{
		vci_text_put(json, "{\"alg\":\"");
		vci_text_put(json, name);
		vci_text_put(json, plain.data[1] == '}' ? "\"" : "\",");
		vci_text_append(json, plain.data + 1, plain.len - 1);
	}
	json->out_of_memory = json->out_of_memory || plain.out_of_memory;
	vci_text_free(&plain);
}

VciStatus
vci_jws_sign(VciJson *header, const VciJson *payload, const VciKey *key, char **compact,
			 VciError *error)
{
	VciText header_json = {0};
	VciText json = {0};
	VciText text = {0};
	VciStatus status;

	*compact = NULL;
	if (vci_json_kind(header) != VCI_JSON_OBJECT || vci_json_kind(payload) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_INTERNAL, "signing needs objects as header and payload");
	write_header(header, vci_key_alg(key), &header_json);
	vci_json_write(payload, &json);
	if (json.out_of_memory)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status =
			vci_jws_write(&header_json, json.data, json.len, VCI_JWS_MAX_SIZE, key, &text, error);
	vci_text_free(&header_json);
	vci_text_free(&json);
	if (status != VCI_OK)
		vci_text_free(&text);
	*compact = text.data;
	return status;
}

static char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Does text start with prefix, whatever the case? ASCII alone: no locale has a say in it. */
static bool
starts_with(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
	{
		if (ascii_lower(*text) != ascii_lower(*prefix))
			return false;
	}
	return true;
}

/* RFC 7515 section 4.1.9: "application/" may be left out where no other slash stands. */
static const char *
without_application(const char *typ)
{
	const char *prefix = "application/";

	if (starts_with(typ, prefix) && strchr(typ + strlen(prefix), '/') == NULL)
		return typ + strlen(prefix);
	return typ;
}

bool
vci_jws_typ_is(const VciJws *jws, const char *typ)
{
	const char *given;

	if (jws->typ == NULL)
		return false;
	given = without_application(jws->typ);
	typ = without_application(typ);
	return strlen(given) == strlen(typ) && starts_with(given, typ);
}
