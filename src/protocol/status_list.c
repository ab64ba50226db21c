#include "status_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../jose/base64url.h"
#include "../jose/deflate.h"
#include "../jose/json_write.h"
#include "../jose/jws.h"

#define NAME_BYTES		16
#define NAME_LENGTH		(VCI_STATUS_LIST_NAME_SIZE - 1)
#define DERIVE_LABEL	"openid4vci status list "
#define BITSTRING_MIN	131072 /* entries, BSL section 2.3 */
#define MAX_AGE_MAX		60
#define MAX_AGE_DIVISOR 10

VciStatus
vci_status_list_name_make(char name[VCI_STATUS_LIST_NAME_SIZE], VciError *error)
{
	unsigned char bytes[NAME_BYTES];
	VciStatus status = vci_random(bytes, sizeof(bytes), error);

	name[0] = '\0';
	if (status == VCI_OK)
		vci_base64url_encode(bytes, sizeof(bytes), name);
	return status;
}

/* "" or "/revocation" or "/suspension" */
static const char *
tail_of(VciStatusListKind kind)
{
	switch (kind)
	{
		case VCI_STATUS_LIST_AGGREGATION:
		case VCI_STATUS_LIST_TOKEN:
			return "";
		case VCI_STATUS_LIST_REVOCATION:
			return "/revocation";
		case VCI_STATUS_LIST_SUSPENSION:
			return "/suspension";
	}
	return "";
}

static void
write_url(const VciIssuer *issuer, const char *name, VciStatusListKind kind, VciText *url)
{
	vci_text_put(url, issuer->endpoints[VCI_ENDPOINT_STATUS_LIST].url);
	vci_text_append(url, "/", 1);
	vci_text_put(url, name);
	vci_text_put(url, tail_of(kind));
}

char *
vci_status_list_uri(const VciIssuer *issuer, const char *name)
{
	VciText uri = {0};

	write_url(issuer, name, VCI_STATUS_LIST_TOKEN, &uri);
	if (uri.out_of_memory)
		vci_text_free(&uri);
	return uri.data;
}

static bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		   c == '_';
}

bool
vci_status_list_target_parse(const char *rest, VciStatusListTarget *target)
{
	static const VciStatusListKind kinds[] = {VCI_STATUS_LIST_TOKEN, VCI_STATUS_LIST_REVOCATION,
											  VCI_STATUS_LIST_SUSPENSION};
	size_t len = 0;

	target->kind = VCI_STATUS_LIST_AGGREGATION;
	target->name[0] = '\0';
	if (rest[0] == '\0')
		return true;
	if (*rest++ != '/')
		return false;
	while (len < NAME_LENGTH && is_name_character(rest[len]))
		len++;
	if (len != NAME_LENGTH)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (strcmp(rest + NAME_LENGTH, tail_of(kinds[i])) == 0)
		{
			target->kind = kinds[i];
			memcpy(target->name, rest, NAME_LENGTH);
			target->name[NAME_LENGTH] = '\0';
			return true;
		}
	}
	return false;
}

bool
vci_status_list_uri_parse(const VciIssuer *issuer, const char *uri, VciStatusListTarget *target)
{
	const char *url = issuer->endpoints[VCI_ENDPOINT_STATUS_LIST].url;
	size_t len = strlen(url);

	return strncmp(uri, url, len) == 0 && vci_status_list_target_parse(uri + len, target) &&
		   target->kind == VCI_STATUS_LIST_TOKEN;
}

VciStatus
vci_status_permutation_new(const VciSecret *secret, const char *name, int32_t size,
						   VciFf1 **permutation, VciError *error)
{
	char label[sizeof(DERIVE_LABEL) + NAME_LENGTH];
	uint32_t digits = 0;
	VciSecret key;
	VciStatus status;

	*permutation = NULL;
	if (size < 2 || (size & (size - 1)) != 0 || strlen(name) > NAME_LENGTH)
		return vci_error(error, VCI_ERR_INTERNAL, "a status list can't have %d entries", size);
	while ((1 << digits) < size)
		digits++;
	snprintf(label, sizeof(label), "%s%s", DERIVE_LABEL, name);
	status = vci_derive(secret, label, &key, error);
	if (status == VCI_OK)
		status = vci_ff1_new(key.bytes, sizeof(key.bytes), 2, digits, permutation, error);
	vci_wipe(&key, sizeof(key));
	return status;
}

static void
write_string(const char *before, const char *value, VciText *text)
{
	vci_text_put(text, before);
	vci_json_write_string(value, strlen(value), text);
}

static void
write_integer(const char *before, int64_t value, VciText *text)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	vci_text_put(text, before);
	vci_text_put(text, digits);
}

static void
write_quoted_url(const char *before, const VciIssuer *issuer, const char *name,
				 VciStatusListKind kind, VciText *text)
{
	VciText url = {0};

	write_url(issuer, name, kind, &url);
	write_string(before, url.data == NULL ? "" : url.data, text);
	text->out_of_memory = text->out_of_memory || url.out_of_memory;
	vci_text_free(&url);
}

static const char *
purpose_of(VciStatusListKind kind)
{
	return kind == VCI_STATUS_LIST_SUSPENSION ? "suspension" : "revocation";
}

/* BSL section 2.1; statusListIndex is a string there */
static void
write_bitstring_entry(const char *before, const VciIssuer *issuer, const VciStatusEntry *entry,
					  VciStatusListKind kind, VciText *text)
{
	vci_text_put(text, before);
	write_string("{\"type\":\"BitstringStatusListEntry\",\"statusPurpose\":", purpose_of(kind),
				 text);
	write_integer(",\"statusListIndex\":\"", entry->index, text);
	write_quoted_url("\",\"statusListCredential\":", issuer, entry->list_name, kind, text);
	vci_text_put(text, "}");
}

void
vci_status_claims_write(const VciIssuer *issuer, const VciStatusEntry *entry, VciText *text)
{
	write_integer(",\"status\":{\"status_list\":{\"idx\":", entry->index, text);
	write_quoted_url(",\"uri\":", issuer, entry->list_name, VCI_STATUS_LIST_TOKEN, text);
	vci_text_put(text, "}}");
	if (!entry->w3c)
		return;
	write_bitstring_entry(",\"credentialStatus\":[", issuer, entry, VCI_STATUS_LIST_REVOCATION,
						  text);
	if (entry->bits > 1)
		write_bitstring_entry(",", issuer, entry, VCI_STATUS_LIST_SUSPENSION, text);
	vci_text_put(text, "]");
}

size_t
vci_status_bytes(int bits, int32_t size)
{
	return ((size_t) size * (size_t) bits + 7) / 8;
}

unsigned
vci_status_get(const unsigned char *statuses, int bits, size_t index)
{
	size_t bit = index * (size_t) bits;

	return (unsigned) statuses[bit / 8] >> (bit % 8) & ((1U << bits) - 1);
}

void
vci_status_set(unsigned char *statuses, int bits, size_t index, unsigned status)
{
	size_t bit = index * (size_t) bits;
	unsigned mask = ((1U << bits) - 1) << (bit % 8);

	statuses[bit / 8] =
		(unsigned char) ((statuses[bit / 8] & ~mask) | (status << (bit % 8) & mask));
}

static int32_t
smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

void
vci_status_list_times(const VciIssuer *issuer, int64_t changed_at, int64_t now,
					  VciStatusListTimes *times)
{
	int32_t lifetime = issuer->status_list_lifetime;
	/* at the end of its window, a token is still good for half of its life */
	int32_t window = smaller(issuer->status_list_ttl, lifetime > 1 ? lifetime / 2 : 1);

	times->issued_at = now - now % window;
	/* a clock behind the one that changed_at is of must not date what it gives out ahead */
	if (changed_at > times->issued_at)
		times->issued_at = changed_at < now ? changed_at : now;
	times->expires_at = times->issued_at + lifetime;
	times->max_age = smaller(issuer->status_list_ttl / MAX_AGE_DIVISOR, MAX_AGE_MAX);
	times->max_age = smaller(times->max_age, (int32_t) (times->expires_at - now));
	times->ttl = issuer->status_list_ttl - times->max_age;
}

/* One bit an entry, the first the most significant one of the first byte (BSL section 2.2). */
static unsigned char *
bitstring(VciStatusListKind kind, int bits, int32_t size, const unsigned char *statuses,
		  size_t *len)
{
	unsigned wanted =
		kind == VCI_STATUS_LIST_SUSPENSION ? VCI_STATUS_SUSPENDED : VCI_STATUS_INVALID;
	size_t in_byte = 8 / (size_t) bits;
	unsigned char *out;

	*len = vci_status_bytes(1, size < BITSTRING_MIN ? BITSTRING_MIN : size);
	out = calloc(1, *len);
	for (size_t byte = 0; out != NULL && byte < vci_status_bytes(bits, size); byte++)
	{
		if (statuses[byte] == 0) /* as most are */
			continue;
		for (size_t i = byte * in_byte; i < (byte + 1) * in_byte; i++)
		{
			if (vci_status_get(statuses, bits, i) == wanted)
				out[i / 8] |= (unsigned char) (0x80 >> i % 8);
		}
	}
	return out;
}

static VciStatus
encode_text(const char *prefix, const unsigned char *data, size_t len, char **encoded,
			VciError *error)
{
	VciText text = {0};

	vci_text_put(&text, prefix);
	vci_text_base64url(&text, data, len);
	if (text.out_of_memory)
	{
		vci_text_free(&text);
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	}
	*encoded = text.data;
	return VCI_OK;
}

VciStatus
vci_status_list_encode(VciStatusListKind kind, int bits, int32_t size,
					   const unsigned char *statuses, char **encoded, VciError *error)
{
	bool is_token = kind == VCI_STATUS_LIST_TOKEN;
	size_t len = vci_status_bytes(bits, size);
	unsigned char *made = is_token ? NULL : bitstring(kind, bits, size, statuses, &len);
	unsigned char *compressed = NULL;
	size_t compressed_len = 0;
	VciStatus status = VCI_OK;

	*encoded = NULL;
	if (!is_token && made == NULL)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (status == VCI_OK)
		status = vci_deflate(is_token ? VCI_DEFLATE_ZLIB : VCI_DEFLATE_GZIP,
							 is_token ? statuses : made, len, &compressed, &compressed_len, error);
	if (status == VCI_OK) /* "u": multibase base64url without padding */
		status = encode_text(is_token ? "" : "u", compressed, compressed_len, encoded, error);
	free(compressed);
	free(made);
	return status;
}

static void
write_header(const VciStatusListParts *parts, VciText *header)
{
	write_string(
		"\"typ\":", parts->target->kind == VCI_STATUS_LIST_TOKEN ? "statuslist+jwt" : "vc+jwt",
		header);
	if (parts->kid != NULL)
		write_string(",\"kid\":", parts->kid, header);
	if (parts->x5c != NULL)
	{
		vci_text_put(header, ",\"x5c\":");
		vci_json_write(parts->x5c, header);
	}
}

/* TSL section 5.1 */
static void
write_token(const VciStatusListParts *parts, const char *iss, const char *encoded, VciText *payload)
{
	const VciIssuer *issuer = parts->issuer;

	write_quoted_url("{\"sub\":", issuer, parts->target->name, VCI_STATUS_LIST_TOKEN, payload);
	write_string(",\"iss\":", iss, payload);
	write_integer(",\"iat\":", parts->times.issued_at, payload);
	write_integer(",\"exp\":", parts->times.expires_at, payload);
	write_integer(",\"ttl\":", parts->times.ttl, payload);
	write_integer(",\"status_list\":{\"bits\":", parts->bits, payload);
	write_string(",\"lst\":", encoded, payload);
	write_string(",\"aggregation_uri\":", issuer->endpoints[VCI_ENDPOINT_STATUS_LIST].url, payload);
	vci_text_put(payload, "}}");
}

/* As XML Schema's dateTimeStamp has it. */
static void
write_time(const char *before, int64_t seconds, VciText *text)
{
	time_t time = (time_t) seconds;
	struct tm parts;
	char digits[64];

	if (gmtime_r(&time, &parts) == NULL ||
		strftime(digits, sizeof(digits), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		digits[0] = '\0';
	write_string(before, digits, text);
}

/* BSL section 2.2, secured as VC-JOSE-COSE section 3.1.1 has it */
static void
write_bitstring_credential(const VciStatusListParts *parts, const char *iss, const char *encoded,
						   VciText *payload)
{
	const VciStatusListTarget *target = parts->target;

	vci_text_put(payload, "{\"@context\":[\"https://www.w3.org/ns/credentials/v2\"]");
	write_quoted_url(",\"id\":", parts->issuer, target->name, target->kind, payload);
	vci_text_put(payload, ",\"type\":[\"VerifiableCredential\",\"BitstringStatusListCredential\"]");
	write_string(",\"issuer\":", iss, payload);
	write_time(",\"validFrom\":", parts->times.issued_at, payload);
	write_time(",\"validUntil\":", parts->times.expires_at, payload);
	write_quoted_url(",\"credentialSubject\":{\"id\":", parts->issuer, target->name, target->kind,
					 payload);
	/* its own id, in the document */
	if (!payload->out_of_memory)
	{
		vci_text_cut(payload, payload->len - 1);
		vci_text_put(payload, "#list\"");
	}
	vci_text_put(payload, ",\"type\":\"BitstringStatusList\"");
	write_string(",\"statusPurpose\":", purpose_of(target->kind), payload);
	write_string(",\"encodedList\":", encoded, payload);
	write_integer(",\"ttl\":", (int64_t) parts->times.ttl * 1000, payload); /* milliseconds */
	write_string("},\"iss\":", iss, payload);
	write_integer(",\"iat\":", parts->times.issued_at, payload);
	write_integer(",\"exp\":", parts->times.expires_at, payload);
	vci_text_put(payload, "}");
}

static VciStatus
write_both(const VciStatusListParts *parts, const char *encoded, VciText *header, VciText *payload,
		   VciError *error)
{
	char *iss = vci_issuer_iss(parts->issuer);

	if (iss == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	write_header(parts, header);
	if (parts->target->kind == VCI_STATUS_LIST_TOKEN)
		write_token(parts, iss, encoded, payload);
	else
		write_bitstring_credential(parts, iss, encoded, payload);
	free(iss);
	if (header->out_of_memory || payload->out_of_memory)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

VciStatus
vci_status_list_tag(const VciStatusListParts *parts, int64_t version, int64_t changed_at,
					unsigned char tag[VCI_DIGEST_BYTES], VciError *error)
{
	VciText text = {0};
	VciText payload = {0};
	VciStatus status = write_both(parts, "", &text, &payload, error);

	write_integer(".", version, &text);
	write_integer(".", changed_at, &text);
	write_integer(".", parts->size, &text);
	vci_text_put(&text, ".");
	if (status == VCI_OK)
		vci_text_append(&text, payload.data, payload.len);
	if (status == VCI_OK && text.out_of_memory)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (status == VCI_OK)
		status = vci_sha256(text.data, text.len, tag, error);
	vci_text_free(&payload);
	vci_text_free(&text);
	return status;
}

VciStatus
vci_status_list_sign(const VciStatusListParts *parts, const char *encoded, char **token,
					 size_t *len, VciError *error)
{
	VciText header = {0};
	VciText payload = {0};
	VciStatus status = write_both(parts, encoded, &header, &payload, error);

	*token = NULL;
	*len = 0;
	if (status == VCI_OK)
		status = vci_jws_sign_text(header.data, payload.data, payload.len, parts->key, token, len,
								   error);
	vci_text_free(&payload);
	vci_text_free(&header);
	return status;
}

const char *
vci_status_list_media_type(VciStatusListKind kind)
{
	return kind == VCI_STATUS_LIST_TOKEN ? "application/statuslist+jwt" : "application/vc+jwt";
}

VciJson *
vci_status_list_aggregation(const VciIssuer *issuer, const char *const *names, size_t count)
{
	VciJson *object = vci_json_new_object();
	VciJson *lists = vci_json_new_array();
	bool ok = vci_json_set(object, "status_lists", lists);

	for (size_t i = 0; ok && i < count; i++)
	{
		char *uri = vci_status_list_uri(issuer, names[i]);

		ok = uri != NULL && vci_json_append_string(lists, uri);
		free(uri);
	}
	if (ok)
		return object;
	vci_json_free(object);
	return NULL;
}
