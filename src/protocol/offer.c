#include "offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../jose/seal.h"
#include "http.h"

/* 32 symbols, so that five random bits pick one without bias; no 0, O, 1, I. */
static const char text_symbols[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

#define DIGIT_BIAS_LIMIT 250 /* bytes from here on would favour the digits 0 to 5 */

static bool
set_tx_code(VciJson *grant, const VciTxCode *tx_code)
{
	VciJson *described;

	if (tx_code == NULL)
		return true;
	described = vci_json_new_object();
	if (!vci_json_set(grant, "tx_code", described) ||
		!vci_json_set_string(described, "input_mode",
							 tx_code->mode == VCI_TX_CODE_TEXT ? "text" : "numeric") ||
		!vci_json_set_int64(described, "length", tx_code->length))
		return false;
	return tx_code->description == NULL ||
		   vci_json_set_string(described, "description", tx_code->description);
}

/* Only one of several servers may be named (OpenID4VCI 1.0 section 4.1.1). */
static bool
set_authorization_server(VciJson *grant, const VciIssuer *issuer, const char *url)
{
	return url == NULL || issuer->authorization_server_count == 0 ||
		   vci_json_set_string(grant, "authorization_server", url);
}

static bool
set_authorization_code_grant(VciJson *grants, const VciIssuer *issuer, const VciOfferGrants *given)
{
	VciJson *grant;

	if (given->issuer_state == NULL)
		return true;
	grant = vci_json_new_object();
	return vci_json_set(grants, VCI_GRANT_AUTHORIZATION_CODE, grant) &&
		   vci_json_set_string(grant, "issuer_state", given->issuer_state) &&
		   set_authorization_server(grant, issuer, given->authorization_server);
}

static bool
set_pre_authorized_grant(VciJson *grants, const VciIssuer *issuer, const VciOfferGrants *given)
{
	VciJson *grant;

	if (given->pre_authorized_code == NULL)
		return true;
	grant = vci_json_new_object();
	return vci_json_set(grants, VCI_GRANT_PRE_AUTHORIZED, grant) &&
		   vci_json_set_string(grant, "pre-authorized_code", given->pre_authorized_code) &&
		   set_tx_code(grant, given->tx_code) &&
		   set_authorization_server(grant, issuer, issuer->url);
}

static bool
fill_offer(VciJson *offer, const VciIssuer *issuer, const char *const *configuration_ids,
		   size_t count, const VciOfferGrants *given)
{
	VciJson *ids;
	VciJson *grants;

	if (!vci_json_set_string(offer, "credential_issuer", issuer->url))
		return false;
	ids = vci_json_new_array();
	if (!vci_json_set(offer, "credential_configuration_ids", ids))
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (!vci_json_append_string(ids, configuration_ids[i]))
			return false;
	}
	if (given->pre_authorized_code == NULL && given->issuer_state == NULL)
		return true;
	grants = vci_json_new_object();
	return vci_json_set(offer, "grants", grants) &&
		   set_authorization_code_grant(grants, issuer, given) &&
		   set_pre_authorized_grant(grants, issuer, given);
}

VciJson *
vci_offer_object(const VciIssuer *issuer, const char *const *configuration_ids, size_t count,
				 const VciOfferGrants *grants)
{
	VciJson *offer = vci_json_new_object();

	if (offer != NULL && !fill_offer(offer, issuer, configuration_ids, count, grants))
	{
		vci_json_free(offer);
		return NULL;
	}
	return offer;
}

/* prefix and the percent-encoded value; malloc'd. */
static char *
uri_with_value(const char *prefix, const char *value)
{
	char *encoded = vci_percent_encode(value);
	size_t prefix_len = strlen(prefix);
	char *uri = NULL;

	if (encoded != NULL)
		uri = malloc(prefix_len + strlen(encoded) + 1);
	if (uri != NULL)
	{
		memcpy(uri, prefix, prefix_len);
		strcpy(uri + prefix_len, encoded);
	}
	free(encoded);
	return uri;
}

char *
vci_offer_uri_by_value(const VciJson *offer)
{
	char *text = vci_json_print(offer);
	char *uri = NULL;

	if (text != NULL)
		uri = uri_with_value("openid-credential-offer://?credential_offer=", text);
	free(text);
	return uri;
}

char *
vci_offer_uri_by_reference(const VciIssuer *issuer, const char *ticket)
{
	const char *endpoint = issuer->endpoints[VCI_ENDPOINT_OFFER].url;
	char *url = malloc(strlen(endpoint) + 1 + strlen(ticket) + 1);
	char *uri = NULL;

	if (url != NULL)
	{
		strcpy(url, endpoint);
		strcat(url, "/");
		strcat(url, ticket);
		uri = uri_with_value("openid-credential-offer://?credential_offer_uri=", url);
	}
	free(url);
	return uri;
}

/* Decodes one character of valid UTF-8 and moves on. */
static unsigned
next_code_point(const unsigned char **text)
{
	const unsigned char *p = *text;
	unsigned first = *p++;
	unsigned point = first;
	int more = 0;

	if (first >= 0xf0)
	{
		point = first & 0x07;
		more = 3;
	}
	else if (first >= 0xe0)
	{
		point = first & 0x0f;
		more = 2;
	}
	else if (first >= 0xc0)
	{
		point = first & 0x1f;
		more = 1;
	}
	while (more-- > 0)
		point = (point << 6) | (*p++ & 0x3f);
	*text = p;
	return point;
}

/* Control and format characters that nobody sees on a screen or finds on a keyboard. */
static bool
is_invisible(unsigned point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0xad ||
		   (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
		   (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
		   (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe007f);
}

VciStatus
vci_tx_code_check(const char *tx_code, VciTxCodeMode mode, int *length, VciError *error)
{
	const unsigned char *p = (const unsigned char *) tx_code;
	int characters = 0;

	*length = 0;
	if (tx_code == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the transaction code is missing");
	if (strlen(tx_code) > 4 * VCI_TX_CODE_MAX_LENGTH)
		return vci_error(error, VCI_ERR_REQUEST,
						 "a transaction code may have %d characters at most",
						 VCI_TX_CODE_MAX_LENGTH);
	if (!vci_utf8_valid(tx_code, strlen(tx_code)))
		return vci_error(error, VCI_ERR_UTF8, "the transaction code is not valid UTF-8");
	while (*p != '\0')
	{
		unsigned point = next_code_point(&p);

		if (mode == VCI_TX_CODE_NUMERIC && (point < '0' || point > '9'))
			return vci_error(error, VCI_ERR_REQUEST,
							 "a numeric transaction code must hold the digits 0 to 9 only; use the "
							 "mode text for other characters");
		if (is_invisible(point))
			return vci_error(error, VCI_ERR_REQUEST,
							 "a transaction code must hold visible characters only");
		characters++;
	}
	if (characters < VCI_TX_CODE_MIN_LENGTH || characters > VCI_TX_CODE_MAX_LENGTH)
		return vci_error(error, VCI_ERR_REQUEST,
						 "a transaction code must have %d to %d characters, this one has %d",
						 VCI_TX_CODE_MIN_LENGTH, VCI_TX_CODE_MAX_LENGTH, characters);
	if (tx_code[0] == ' ' || tx_code[strlen(tx_code) - 1] == ' ')
		return vci_error(error, VCI_ERR_REQUEST,
						 "a transaction code must not start or end with a space");
	*length = characters;
	return VCI_OK;
}

/* Turns random bytes into symbols, skipping bytes that would bias the digits. */
static int
symbols_from_bytes(VciTxCodeMode mode, const unsigned char *bytes, size_t count, char *out,
				   int wanted)
{
	int made = 0;

	for (size_t i = 0; i < count && made < wanted; i++)
	{
		if (mode == VCI_TX_CODE_TEXT)
			out[made++] = text_symbols[bytes[i] & 31];
		else if (bytes[i] < DIGIT_BIAS_LIMIT)
			out[made++] = (char) ('0' + bytes[i] % 10);
	}
	return made;
}

/* Where the bytes of a transaction code come from: the generator, or MACs under a key. */
typedef struct CodeBytes
{
	const VciSecret *key; /* NULL: the generator */
	const char *context;
	int block;
} CodeBytes;

#define CODE_CONTEXT_MAX 128

static VciStatus
next_code_bytes(CodeBytes *source, unsigned char bytes[VCI_DIGEST_BYTES], VciError *error)
{
	char text[CODE_CONTEXT_MAX + 16];

	if (source->key == NULL)
		return vci_random(bytes, VCI_DIGEST_BYTES, error);
	(void) snprintf(text, sizeof(text), "%s:%d", source->context, source->block++);
	return vci_hmac(source->key, text, strlen(text), bytes, error);
}

static VciStatus
make_tx_code(CodeBytes *source, VciTxCodeMode mode, int length, char **tx_code, VciError *error)
{
	unsigned char bytes[VCI_DIGEST_BYTES];
	VciStatus status = VCI_OK;
	char *code;
	int made = 0;

	*tx_code = NULL;
	if (length < VCI_TX_CODE_MIN_LENGTH || length > VCI_TX_CODE_MAX_LENGTH)
		return vci_error(error, VCI_ERR_REQUEST,
						 "the length of a transaction code must be %d to %d, not %d",
						 VCI_TX_CODE_MIN_LENGTH, VCI_TX_CODE_MAX_LENGTH, length);
	code = calloc((size_t) length + 1, 1);
	if (code == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	while (made < length && status == VCI_OK)
	{
		status = next_code_bytes(source, bytes, error);
		if (status == VCI_OK)
			made += symbols_from_bytes(mode, bytes, sizeof(bytes), code + made, length - made);
	}
	vci_wipe(bytes, sizeof(bytes));
	if (status != VCI_OK)
	{
		free(code);
		return status;
	}
	*tx_code = code;
	return VCI_OK;
}

VciStatus
vci_tx_code_generate(VciTxCodeMode mode, int length, char **tx_code, VciError *error)
{
	CodeBytes generator = {NULL, NULL, 0};

	return make_tx_code(&generator, mode, length, tx_code, error);
}

VciStatus
vci_tx_code_derive(const VciSecret *key, const char *context, VciTxCodeMode mode, int length,
				   char **tx_code, VciError *error)
{
	char bound[CODE_CONTEXT_MAX];
	CodeBytes macs = {key, bound, 0};
	int len = snprintf(bound, sizeof(bound), "%s:%d:%d", context, (int) mode, length);

	*tx_code = NULL;
	if (len < 0 || (size_t) len >= sizeof(bound))
		return vci_error(error, VCI_ERR_INTERNAL, "the context of a transaction code is too long");
	return make_tx_code(&macs, mode, length, tx_code, error);
}

VciStatus
vci_tx_code_mode_by_name(const char *name, VciTxCodeMode *mode, VciError *error)
{
	if (name != NULL && strcmp(name, "numeric") == 0)
		*mode = VCI_TX_CODE_NUMERIC;
	else if (name != NULL && strcmp(name, "text") == 0)
		*mode = VCI_TX_CODE_TEXT;
	else
		return vci_error(error, VCI_ERR_REQUEST,
						 "the mode of a transaction code must be numeric or text");
	return VCI_OK;
}
