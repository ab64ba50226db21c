/* Status lists as they are published: bits, claims, URIs, times, tokens. */
#include <zlib.h>

#include "jose/base64url.h"
#include "jose/jws.h"
#include "protocol/status_list.h"
#include "error_queue.h"
#include "protocol_fixture.h"

#define NAME "abcdefghijklmnopqrstuv"
#define URL	 "https://registry.example/api/v1/openid4vci/status-lists"
#define URI	 URL "/" NAME

static VciIssuer
issuer_with_lists(void)
{
	VciIssuer issuer = example_issuer();

	issuer.endpoints[VCI_ENDPOINT_STATUS_LIST] = (VciEndpointRule){true, URL};
	issuer.status_list_size = 1 << 20;
	issuer.status_list_ttl = 3600;
	issuer.status_list_lifetime = 86400;
	return issuer;
}

/* What zlib (gzip: its wrapper) makes of base64url text; exactly len bytes must come. */
static void
is_inflated(const char *text, bool gzip, const unsigned char *expected, size_t len,
			const char *what)
{
	size_t packed_len;
	unsigned char *packed;
	unsigned char *got = malloc(len + 1);
	z_stream stream = {0};
	int result = Z_DATA_ERROR;

	if (vci_base64url_decode_new(text, strlen(text), &packed, &packed_len, NULL) != VCI_OK)
		bail_out("no base64url", text);
	if (inflateInit2(&stream, gzip ? MAX_WBITS + 16 : MAX_WBITS) == Z_OK)
	{
		stream.next_in = packed;
		stream.avail_in = (uInt) packed_len;
		stream.next_out = got;
		stream.avail_out = (uInt) len + 1;
		result = inflate(&stream, Z_FINISH);
		(void) inflateEnd(&stream);
	}
	ok(result == Z_STREAM_END && stream.avail_in == 0, "%s: it inflates", what);
	is_bytes(got, stream.total_out, expected, len, what);
	free(got);
	free(packed);
}

static void
vector_of_the_draft(const VciJson *vector)
{
	const VciJson *list = vci_json_get(vector, "statuses");
	VciError error = VCI_ERROR_INIT;
	int64_t bits = 0;
	int64_t size = 0;
	size_t len;
	int64_t wrong = 0;
	unsigned char *statuses;
	char *encoded;

	(void) vci_json_get_int64(vector, "bits", &bits);
	(void) vci_json_get_int64(vector, "size", &size);
	len = vci_status_bytes((int) bits, (int32_t) size);
	statuses = calloc(1, len);
	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		int64_t index = 0;
		int64_t status = 0;

		(void) vci_json_int64(vci_json_array_at(vci_json_array_at(list, i), 0), &index);
		(void) vci_json_int64(vci_json_array_at(vci_json_array_at(list, i), 1), &status);
		vci_status_set(statuses, (int) bits, (size_t) index, (unsigned) status);
		wrong += vci_status_get(statuses, (int) bits, (size_t) index) != (unsigned) status;
	}
	is_number(wrong, 0, "each status is read as it was set");
	is_inflated(vci_json_get_string(vector, "lst"), false, statuses, len,
				"the draft's lst holds these bits");
	is_status(vci_status_list_encode(VCI_STATUS_LIST_TOKEN, (int) bits, (int32_t) size, statuses,
									 &encoded, &error),
			  VCI_OK, &error, "encoding");
	is_inflated(encoded, false, statuses, len, "and so does ours");
	free(encoded);
	free(statuses);
}

static void
vectors_of_the_draft(void)
{
	VciJson *file = vectors("status_list.json");
	VciJson *list = vci_json_get(file, "vectors");

	is_number((int64_t) vci_json_array_length(list), 6, "all vectors are there");
	for (size_t i = 0; i < vci_json_array_length(list); i++)
		vector_of_the_draft(vci_json_array_at(list, i));
	vci_json_free(file);
}

/* Setting one status leaves its neighbours alone, also where it was not 0 before. */
static void
neighbours(void)
{
	static const int widths[] = {1, 2, 4, 8};

	for (size_t w = 0; w < 4; w++)
	{
		unsigned char statuses[16];
		unsigned all = (1U << widths[w]) - 1;
		size_t count = 8 * sizeof(statuses) / (size_t) widths[w];
		int64_t wrong = 0;

		memset(statuses, 0xff, sizeof(statuses));
		for (size_t i = 0; i < count; i += 3)
			vci_status_set(statuses, widths[w], i, all / 2);
		for (size_t i = 0; i < count; i++)
			wrong += vci_status_get(statuses, widths[w], i) != (i % 3 == 0 ? all / 2 : all);
		is_number(wrong, 0, "a status has its bits alone");
	}
}

/* W3C: one bit an entry, the first the most significant; the guide's sample reads them reversed. */
static void
bitstrings(void)
{
	unsigned char statuses[256] = {0}; /* 1024 entries of 2 bits */
	unsigned char expected[131072 / 8] = {0};
	VciError error = VCI_ERROR_INIT;
	char *encoded;

	vci_status_set(statuses, 2, 0, VCI_STATUS_INVALID);
	vci_status_set(statuses, 2, 9, VCI_STATUS_SUSPENDED);
	vci_status_set(statuses, 2, 15, VCI_STATUS_INVALID);
	vci_status_set(statuses, 2, 17, 3); /* application specific: neither */
	expected[0] = 0x80;
	expected[1] = 0x01;
	is_status(
		vci_status_list_encode(VCI_STATUS_LIST_REVOCATION, 2, 1024, statuses, &encoded, &error),
		VCI_OK, &error, "what is revoked");
	is_number(encoded[0], 'u', "multibase: base64url");
	is_inflated(encoded + 1, true, expected, sizeof(expected), "at least 131072 bits");
	free(encoded);
	expected[0] = 0;
	expected[1] = 0x40;
	is_status(
		vci_status_list_encode(VCI_STATUS_LIST_SUSPENSION, 2, 1024, statuses, &encoded, &error),
		VCI_OK, &error, "what is suspended");
	is_inflated(encoded + 1, true, expected, sizeof(expected), "has a list of its own");
	free(encoded);
}

static void
targets(void)
{
	static const struct
	{
		const char *rest;
		bool good;
		VciStatusListKind kind;
	} cases[] = {
		{"", true, VCI_STATUS_LIST_AGGREGATION},
		{"/" NAME, true, VCI_STATUS_LIST_TOKEN},
		{"/-_0123456789ABCDEFGHIJ", true, VCI_STATUS_LIST_TOKEN},
		{"/" NAME "/revocation", true, VCI_STATUS_LIST_REVOCATION},
		{"/" NAME "/suspension", true, VCI_STATUS_LIST_SUSPENSION},
		{"/", false, VCI_STATUS_LIST_AGGREGATION},
		{"x", false, VCI_STATUS_LIST_AGGREGATION},
		{NAME, false, VCI_STATUS_LIST_AGGREGATION},
		{"/" NAME "/", false, VCI_STATUS_LIST_AGGREGATION},
		{"/" NAME "x", false, VCI_STATUS_LIST_AGGREGATION},
		{"/" NAME "/revocation/", false, VCI_STATUS_LIST_AGGREGATION},
		{"/" NAME "/refresh", false, VCI_STATUS_LIST_AGGREGATION},
		{"/abcdefghijklmnopqrstu", false, VCI_STATUS_LIST_AGGREGATION},
		{"/abcdefghijklmnopqrstu.", false, VCI_STATUS_LIST_AGGREGATION},
		{"/abcdefghijklmnopqrstu\xc3\xa4", false, VCI_STATUS_LIST_AGGREGATION},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciStatusListTarget target;
		bool good = vci_status_list_target_parse(cases[i].rest, &target);

		ok(good == cases[i].good && (!good || target.kind == cases[i].kind), "target %s",
		   cases[i].rest);
		ok(vci_endpoint_takes(VCI_ENDPOINT_STATUS_LIST, cases[i].rest) == good, "is routed so");
	}
}

static void
uris(void)
{
	VciIssuer issuer = issuer_with_lists();
	VciError error = VCI_ERROR_INIT;
	VciStatusListTarget target;
	char name[VCI_STATUS_LIST_NAME_SIZE];
	char other[VCI_STATUS_LIST_NAME_SIZE];
	char *uri = vci_status_list_uri(&issuer, NAME);

	is_text(uri, URI, "the URI of a list");
	ok(vci_status_list_uri_parse(&issuer, uri, &target), "which is known again");
	is_text(target.name, NAME, "by its name");
	free(uri);
	ok(!vci_status_list_uri_parse(&issuer, URL, &target), "the endpoint is no list");
	ok(!vci_status_list_uri_parse(&issuer, URI "/revocation", &target), "nor is a W3C one");
	ok(!vci_status_list_uri_parse(&issuer, "https://other.example/" NAME, &target), "nor another");
	is_status(vci_status_list_name_make(name, &error), VCI_OK, &error, "a new name");
	(void) vci_status_list_name_make(other, &error);
	is_number((int64_t) strlen(name), VCI_STATUS_LIST_NAME_SIZE - 1, "of 128 bits");
	ok(strcmp(name, other) != 0, "never twice");
}

static void
claims(void)
{
	static const char *const plain =
		",\"status\":{\"status_list\":{\"idx\":17,\"uri\":\"" URI "\"}}";
	static const char *const w3c =
		",\"status\":{\"status_list\":{\"idx\":17,\"uri\":\"" URI "\"}},\"credentialStatus\":["
		"{\"type\":\"BitstringStatusListEntry\",\"statusPurpose\":\"revocation\","
		"\"statusListIndex\":\"17\",\"statusListCredential\":\"" URI "/revocation\"},"
		"{\"type\":\"BitstringStatusListEntry\",\"statusPurpose\":\"suspension\","
		"\"statusListIndex\":\"17\",\"statusListCredential\":\"" URI "/suspension\"}]";
	VciIssuer issuer = issuer_with_lists();
	VciStatusEntry entry = {NAME, 2, 17, false};
	VciText text = {0};

	vci_status_claims_write(&issuer, &entry, &text);
	is_text(text.data, plain, "the claim of a credential");
	vci_text_free(&text);
	entry.w3c = true;
	vci_status_claims_write(&issuer, &entry, &text);
	is_text(text.data, w3c, "W3C's beside it, of both purposes");
	vci_text_free(&text);
	entry.bits = 1;
	vci_status_claims_write(&issuer, &entry, &text);
	ok(strstr(text.data, "revocation") != NULL && strstr(text.data, "suspension") == NULL,
	   "one bit can't tell of suspension");
	vci_text_free(&text);
}

static void
times(void)
{
	VciIssuer issuer = issuer_with_lists();
	VciStatusListTimes times;
	VciStatusListTimes later;

	vci_status_list_times(&issuer, NOW - 86400, NOW + 1234, &times);
	vci_status_list_times(&issuer, NOW - 86400, NOW + 3599, &later);
	is_number(times.issued_at, NOW, "iat is the start of the window");
	is_number(later.issued_at, NOW, "for all in it");
	is_number(times.expires_at, NOW + 86400, "exp is a lifetime behind it");
	is_number(times.ttl + times.max_age, 3600, "caches and verifiers share the time");
	is_number(times.max_age, 60, "of which caches have little");
	vci_status_list_times(&issuer, NOW + 1000, NOW + 1234, &times);
	is_number(times.issued_at, NOW + 1000, "a change begins something new");
	vci_status_list_times(&issuer, NOW + 2000, NOW + 1234, &times);
	is_number(times.issued_at, NOW + 1234, "iat never lies ahead, even if a clock does");

	issuer.status_list_ttl = 1;
	vci_status_list_times(&issuer, 0, NOW, &times);
	ok(times.ttl == 1 && times.max_age == 0, "a ttl of a second leaves caches nothing");
	issuer.status_list_ttl = issuer.status_list_lifetime = 60;
	vci_status_list_times(&issuer, 0, NOW + 59, &times);
	ok(times.expires_at - (NOW + 59) >= 30, "what is given out is good for half of its life");
}

static void
permutations(void)
{
	VciSecret secret = {{1}};
	VciSecret other = {{2}};
	VciError error = VCI_ERROR_INIT;
	VciFf1 *by_name[3] = {0};
	int64_t equal[3] = {0};
	VciFf1 *none;

	is_status(vci_status_permutation_new(&secret, NAME, 1024, &by_name[0], &error), VCI_OK, &error,
			  "a permutation");
	(void) vci_status_permutation_new(&secret, "bbcdefghijklmnopqrstuv", 1024, &by_name[1], &error);
	(void) vci_status_permutation_new(&other, NAME, 1024, &by_name[2], &error);
	for (uint64_t i = 0; i < 1024; i++)
	{
		uint64_t got[3] = {1024, 1024, 1024};

		for (int j = 0; j < 3; j++)
		{
			(void) vci_ff1_encrypt_number(by_name[j], i, &got[j], &error);
			equal[j] += got[j] == got[0] && got[j] < 1024;
		}
	}
	is_number(equal[0], 1024, "of all indexes");
	ok(equal[1] < 16, "another one for each list");
	ok(equal[2] < 16, "and for each issuer");
	is_status(vci_status_permutation_new(&secret, NAME, 1000, &none, &error), VCI_ERR_INTERNAL,
			  &error, "none of a size that is no power of two");
	for (int j = 0; j < 3; j++)
		vci_ff1_free(by_name[j]);
}

/* Header and payload of a token over 1024 entries, of which the second is revoked. */
static VciJws *
signed_token(const VciIssuer *issuer, VciStatusListKind kind, VciKey *key)
{
	VciStatusListTarget target = {kind, NAME};
	VciStatusListParts parts = {issuer, &target, 2, 1024, {0}, key, "key-1", NULL};
	unsigned char statuses[256] = {0x04};
	VciError error = VCI_ERROR_INIT;
	char *encoded;
	char *token;
	size_t len;
	VciJws *jws;

	vci_status_list_times(issuer, 0, NOW, &parts.times);
	(void) vci_status_list_encode(kind, 2, 1024, statuses, &encoded, &error);
	is_status(vci_status_list_sign(&parts, encoded, &token, &len, &error), VCI_OK, &error,
			  "a token");
	is_number((int64_t) strlen(token), (int64_t) len, "as long as it says");
	if (vci_jws_parse(token, len, &jws, &error) != VCI_OK)
		bail_out("no JWS", error.text);
	is_status(vci_jws_verify(jws, key, &error), VCI_OK, &error, "whose signature holds");
	free(token);
	free(encoded);
	return jws;
}

static void
tokens(void)
{
	VciIssuer issuer = issuer_with_lists();
	VciError error = VCI_ERROR_INIT;
	VciJson *list;
	VciKey *key;
	VciJws *jws;

	(void) vci_key_generate(VCI_ALG_ES256, &key, &error);
	jws = signed_token(&issuer, VCI_STATUS_LIST_TOKEN, key);
	is_json(vci_json_ref(jws->header),
			"{\"alg\":\"ES256\",\"typ\":\"statuslist+jwt\",\"kid\":\"key-1\"}", "its header");
	list = vci_json_get(jws->payload, "status_list");
	ok(vci_json_get_string(list, "lst") != NULL, "lst");
	vci_json_remove(list, "lst");
	is_json(vci_json_ref(jws->payload),
			"{\"sub\":\"" URI "\",\"iss\":\"https://registry.example\",\"iat\":1767225600,"
			"\"exp\":1767312000,\"ttl\":3540,\"status_list\":{\"bits\":2,"
			"\"aggregation_uri\":\"" URL "\"}}",
			"its payload");
	vci_jws_free(jws);

	jws = signed_token(&issuer, VCI_STATUS_LIST_REVOCATION, key);
	is_json(vci_json_ref(jws->header), "{\"alg\":\"ES256\",\"typ\":\"vc+jwt\",\"kid\":\"key-1\"}",
			"the header of W3C's");
	list = vci_json_get(jws->payload, "credentialSubject");
	ok(vci_json_get_string(list, "encodedList") != NULL, "encodedList");
	vci_json_remove(list, "encodedList");
	is_json(vci_json_ref(jws->payload),
			"{\"@context\":[\"https://www.w3.org/ns/credentials/v2\"],\"id\":\"" URI
			"/revocation\","
			"\"type\":[\"VerifiableCredential\",\"BitstringStatusListCredential\"],"
			"\"issuer\":\"https://registry.example\",\"validFrom\":\"2026-01-01T00:00:00Z\","
			"\"validUntil\":\"2026-01-02T00:00:00Z\",\"credentialSubject\":{\"id\":\"" URI
			"/revocation#list\",\"type\":\"BitstringStatusList\",\"statusPurpose\":\"revocation\","
			"\"ttl\":3540000},\"iss\":\"https://registry.example\",\"iat\":1767225600,"
			"\"exp\":1767312000}",
			"its payload");
	vci_jws_free(jws);
	vci_key_free(key);
}

/* What stands for a token's content must differ whenever the content does, and only then. */
static void
tags(void)
{
	VciIssuer issuer = issuer_with_lists();
	VciStatusListTarget target = {VCI_STATUS_LIST_TOKEN, NAME};
	VciStatusListParts parts = {&issuer, &target, 2, 1024, {NOW, NOW + 60, 9, 1}, NULL, "k", NULL};
	VciError error = VCI_ERROR_INIT;
	unsigned char first[VCI_DIGEST_BYTES];
	unsigned char tag[VCI_DIGEST_BYTES];

	is_status(vci_status_list_tag(&parts, 7, 8, first, &error), VCI_OK, &error, "a tag");
	(void) vci_status_list_tag(&parts, 7, 8, tag, &error);
	is_bytes(tag, sizeof(tag), first, sizeof(first), "of the same, the same");
	(void) vci_status_list_tag(&parts, 8, 8, tag, &error);
	ok(memcmp(tag, first, sizeof(tag)) != 0, "another of another version");
	(void) vci_status_list_tag(&parts, 7, 9, tag, &error);
	ok(memcmp(tag, first, sizeof(tag)) != 0, "of another change");
	parts.times.issued_at++;
	(void) vci_status_list_tag(&parts, 7, 8, tag, &error);
	ok(memcmp(tag, first, sizeof(tag)) != 0, "of another window");
	parts.times.issued_at--;
	parts.kid = "l";
	(void) vci_status_list_tag(&parts, 7, 8, tag, &error);
	ok(memcmp(tag, first, sizeof(tag)) != 0, "of another key");
	parts.kid = "k";
	target.kind = VCI_STATUS_LIST_SUSPENSION;
	(void) vci_status_list_tag(&parts, 7, 8, tag, &error);
	ok(memcmp(tag, first, sizeof(tag)) != 0, "and of another kind");
}

static void
aggregation(void)
{
	static const char *const names[] = {NAME, "bbcdefghijklmnopqrstuv"};
	VciIssuer issuer = issuer_with_lists();

	is_json(vci_status_list_aggregation(&issuer, names, 2),
			"{\"status_lists\":[\"" URI "\",\"" URL "/bbcdefghijklmnopqrstuv\"]}",
			"the list of lists");
	is_json(vci_status_list_aggregation(&issuer, names, 0), "{\"status_lists\":[]}", "of none");
}

int
main(void)
{
	vectors_of_the_draft();
	neighbours();
	bitstrings();
	targets();
	uris();
	claims();
	times();
	permutations();
	tokens();
	tags();
	aggregation();
	error_queue_is_empty();
	return done_testing();
}
