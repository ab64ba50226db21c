/* Random bytes, digests, HMAC, HKDF, sealing, and the text of root keys. */
#include "jose/mac.h"
#include "jose/seal.h"
#include "error_queue.h"
#include "tap.h"

/* Hexadecimal text into at most size bytes. */
static size_t
unhex(const char *text, unsigned char *out, size_t size)
{
	size_t len = strlen(text) / 2;

	if (len > size)
		bail_out("a vector is too long", text);
	for (size_t i = 0; i < len; i++)
	{
		unsigned value;

		if (sscanf(text + 2 * i, "%2x", &value) != 1)
			bail_out("no hexadecimal", text);
		out[i] = (unsigned char) value;
	}
	return len;
}

static size_t
member(const VciJson *vector, const char *name, unsigned char *out, size_t size)
{
	return unhex(vci_json_get_string(vector, name), out, size);
}

static void
digests(void)
{
	/* FIPS 180-2 appendix B.1 */
	static const char *const abc =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	unsigned char expected[VCI_DIGEST_BYTES];
	unsigned char got[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;
	VciJson *file = vectors("rfc4231.json");
	VciJson *list = vci_json_get(file, "vectors");

	unhex(abc, expected, sizeof(expected));
	is_status(vci_sha256("abc", 3, got, &error), VCI_OK, &error, "SHA-256 works");
	is_bytes(got, sizeof(got), expected, sizeof(expected), "SHA-256 of abc");

	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		unsigned char data[64];
		size_t len = member(vector, "data", data, sizeof(data));
		VciSecret key = {{0}}; /* HMAC fills a short key up with zeros itself */

		member(vector, "key", key.bytes, sizeof(key.bytes));
		member(vector, "mac", expected, sizeof(expected));
		is_status(vci_hmac(&key, data, len, got, &error), VCI_OK, &error, "HMAC works");
		is_bytes(got, sizeof(got), expected, sizeof(expected), "an HMAC of RFC 4231");
	}
	vci_json_free(file);
}

/* Many with one VciMac are what vci_hmac makes of each. */
static void
macs_in_a_row(void)
{
	unsigned char data[200];
	unsigned char expected[VCI_DIGEST_BYTES];
	unsigned char got[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;
	VciSecret key = {{7, 8, 9}};
	VciMac *mac = vci_mac_new(&key);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char) i;
	for (size_t len = 0; len <= sizeof(data); len += 25)
	{
		(void) vci_hmac(&key, data, len, expected, &error);
		is_status(vci_mac_make(mac, data, len, got, &error), VCI_OK, &error, "a MAC");
		is_bytes(got, sizeof(got), expected, sizeof(expected), "is the HMAC");
	}
	vci_mac_free(mac);
	vci_mac_free(NULL);
}

/* Pieces of any size give the digest of the whole. */
static void
digest_in_pieces(void)
{
	unsigned char data[200];
	unsigned char whole[VCI_DIGEST_BYTES];
	unsigned char pieces[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char) (7 * i);
	for (size_t size = 1; size <= sizeof(data); size += 33)
	{
		VciDigest *digest = vci_digest_new();
		VciStatus status = digest == NULL ? VCI_ERR_MEMORY : VCI_OK;

		for (size_t at = 0; at < sizeof(data) && status == VCI_OK; at += size)
			status = vci_digest_update(digest, data + at,
									   sizeof(data) - at < size ? sizeof(data) - at : size, &error);
		if (status == VCI_OK)
			status = vci_digest_finish(digest, pieces, &error);
		is_status(status, VCI_OK, &error, "SHA-256 works in pieces");
		(void) vci_sha256(data, sizeof(data), whole, &error);
		is_bytes(pieces, sizeof(pieces), whole, sizeof(whole), "and gives the same");
		vci_digest_free(digest);
	}
	vci_digest_free(NULL);
}

static void
derivation(void)
{
	VciJson *file = vectors("hkdf.json");
	VciJson *list = vci_json_get(file, "vectors");
	VciError error = VCI_ERROR_INIT;
	VciSecret a;
	VciSecret b;
	VciSecret key = {{1}};

	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		unsigned char expected[VCI_SECRET_BYTES];

		member(vector, "key", key.bytes, sizeof(key.bytes));
		member(vector, "out", expected, sizeof(expected));
		is_status(vci_derive(&key, vci_json_get_string(vector, "label"), &a, &error), VCI_OK,
				  &error, "HKDF works");
		is_bytes(a.bytes, sizeof(a.bytes), expected, sizeof(expected), "an HKDF of RFC 5869");
	}
	vci_derive(&key, "one", &a, &error);
	vci_derive(&key, "two", &b, &error);
	ok(!vci_bytes_equal(a.bytes, b.bytes, sizeof(a.bytes)), "labels give different keys");
	vci_json_free(file);
}

static void
published_sealing(void)
{
	VciJson *file = vectors("gcm.json");
	VciJson *list = vci_json_get(file, "vectors");

	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		VciError error = VCI_ERROR_INIT;
		VciSecret key;
		unsigned char sealed[128];
		unsigned char associated[64];
		unsigned char expected[64];
		unsigned char *plain;
		size_t plain_len;
		size_t associated_len = member(vector, "associated", associated, sizeof(associated));
		size_t expected_len = member(vector, "plain", expected, sizeof(expected));
		size_t len;

		member(vector, "key", key.bytes, sizeof(key.bytes));
		len = member(vector, "nonce", sealed, sizeof(sealed));
		len += member(vector, "cipher", sealed + len, sizeof(sealed) - len);
		len += member(vector, "tag", sealed + len, sizeof(sealed) - len);
		is_status(
			vci_unseal(&key, associated, associated_len, sealed, len, &plain, &plain_len, &error),
			VCI_OK, &error, "a published AES-256-GCM text opens");
		is_bytes(plain, plain_len, expected, expected_len, "and gives the published plain text");
		free(plain);
	}
	vci_json_free(file);
}

static VciStatus
open_status(const VciSecret *key, const char *associated, const unsigned char *sealed, size_t len,
			VciError *error)
{
	unsigned char *plain;
	size_t plain_len;
	VciStatus status =
		vci_unseal(key, associated, strlen(associated), sealed, len, &plain, &plain_len, error);

	if (status != VCI_OK && plain != NULL)
		status = VCI_ERR_INTERNAL;
	free(plain);
	return status;
}

static void
sealing(void)
{
	VciError error = VCI_ERROR_INIT;
	VciSecret key;
	VciSecret other;
	unsigned char *sealed;
	unsigned char *again;
	unsigned char *plain;
	size_t len;
	size_t again_len;
	size_t plain_len;
	size_t opened = 0;

	vci_random(key.bytes, sizeof(key.bytes), &error);
	other = key;
	other.bytes[31] ^= 1;
	is_status(vci_seal(&key, "row 1", 5, "secret", 6, &sealed, &len, &error), VCI_OK, &error,
			  "a value is sealed");
	is_number((int64_t) len, 12 + 6 + 16, "nonce, ciphertext and tag");
	is_status(vci_unseal(&key, "row 1", 5, sealed, len, &plain, &plain_len, &error), VCI_OK, &error,
			  "and opens again");
	is_bytes(plain, plain_len, "secret", 6, "unchanged");
	free(plain);
	vci_seal(&key, "row 1", 5, "secret", 6, &again, &again_len, &error);
	ok(memcmp(sealed, again, 12) != 0, "each sealing has its own nonce");
	free(again);

	is_status(open_status(&key, "row 2", sealed, len, &error), VCI_ERR_SEAL, &error,
			  "a sealed value does not open at another place");
	is_status(open_status(&other, "row 1", sealed, len, &error), VCI_ERR_SEAL, &error,
			  "or under another key");
	for (size_t i = 0; i < len * 8; i++)
	{
		sealed[i / 8] ^= (unsigned char) (1 << i % 8);
		opened += open_status(&key, "row 1", sealed, len, NULL) == VCI_OK;
		sealed[i / 8] ^= (unsigned char) (1 << i % 8);
	}
	is_number((int64_t) opened, 0, "or with any one bit changed");
	for (size_t i = 0; i < len; i++)
		opened += open_status(&key, "row 1", sealed, i, NULL) == VCI_OK;
	is_number((int64_t) opened, 0, "or cut short anywhere");
	free(sealed);

	is_status(vci_seal(&key, "", 0, "", 0, &sealed, &len, &error), VCI_OK, &error,
			  "an empty value is sealed");
	is_status(open_status(&key, "", sealed, len, &error), VCI_OK, &error, "and opens");
	free(sealed);
}

static void
randomness(void)
{
	unsigned char a[32] = {0};
	unsigned char b[32] = {0};
	VciError error = VCI_ERROR_INIT;

	is_status(vci_random(a, sizeof(a), &error), VCI_OK, &error, "random bytes are drawn");
	vci_random(b, sizeof(b), &error);
	ok(memcmp(a, b, sizeof(a)) != 0, "and are not the same twice");
	ok(vci_bytes_equal(a, a, sizeof(a)) && !vci_bytes_equal(a, b, sizeof(a)), "comparison");
	vci_wipe(a, sizeof(a));
	memset(b, 0, sizeof(b));
	ok(memcmp(a, b, sizeof(a)) == 0, "wiped memory is zero");
}

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "FFfefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

static void
root_keys(void)
{
	VciError error = VCI_ERROR_INIT;
	VciRootKeys keys;
	const char *text = "# sealed in 2026\n\n" KEY_B "\r\n  " KEY_A "  \n# end";

	is_status(vci_root_keys_parse(text, strlen(text), &keys, &error), VCI_OK, &error,
			  "comments, blank lines, either line end and either case are read");
	is_number((int64_t) keys.count, 2, "two keys");
	is_number(keys.keys[0].secret.bytes[0], 0xff, "the first line is the first key");
	is_text(keys.keys[1].id, "ad031cf090b9c342", "the id is derived with HKDF");
	is_number((int64_t) strlen(keys.keys[0].id), 16, "and has 16 digits");
	ok(vci_root_keys_find(&keys, keys.keys[1].id) == &keys.keys[1], "a key is found by its id");
	ok(vci_root_keys_find(&keys, "0000000000000000") == NULL, "another id is not");
	is_status(vci_root_keys_parse(KEY_A, 64, &keys, &error), VCI_OK, &error,
			  "a last line without line feed");
}

static void
bad_root_keys(void)
{
	static const char *const texts[][2] = {
		{"", "no text"},
		{"# only a comment\n\n", "no key"},
		{"000102", "a short line"},
		{KEY_A "00", "a long line"},
		{KEY_A "\nfoo", "a key and something else"},
		{"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "a foreign digit"},
		{KEY_A " " KEY_B, "two keys in a line"},
		{KEY_A "\n" KEY_A, "the same key twice"},
	};
	VciError error = VCI_ERROR_INIT;
	VciRootKeys keys;
	VciRootKeys empty;
	char many[10 * 66];
	size_t len = 0;

	memset(&empty, 0, sizeof(empty));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		VciStatus status = vci_root_keys_parse(texts[i][0], strlen(texts[i][0]), &keys, &error);

		ok(strstr(error.text, "0001020304") == NULL, "an error shows nothing of a key");
		is_status(status, VCI_ERR_ROOT_KEY, &error, texts[i][1]);
		ok(memcmp(&keys, &empty, sizeof(keys)) == 0, "and leaves no key behind");
	}
	for (int i = 0; i < VCI_ROOT_KEYS_MAX + 1; i++)
		len += (size_t) snprintf(many + len, sizeof(many) - len, "%02x%s\n", i, &KEY_A[2]);
	is_status(vci_root_keys_parse(many, len - 65, &keys, &error), VCI_OK, &error, "8 keys");
	is_status(vci_root_keys_parse(many, len, &keys, &error), VCI_ERR_ROOT_KEY, &error, "9 keys");
	vci_root_keys_parse("\n\nbad", 5, &keys, &error);
	ok(strstr(error.text, "line 3") != NULL, "the error names the line");
}

static void
errors(void)
{
	VciError error = VCI_ERROR_INIT;
	char longer[400];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	is_number(vci_error(&error, VCI_ERR_JSON, "a \"b\" \\ \n %s", "\xc3\xa9\x7f"), VCI_ERR_JSON,
			  "an error returns its code");
	is_text(error.text, "a 'b' ? ? ???", "its text keeps to what error_description allows");
	vci_error(&error, VCI_ERR_UTF8, "second");
	ok(error.code == VCI_ERR_JSON && error.text[0] == 'a', "the first error stays");
	is_number(vci_error(NULL, VCI_ERR_UTF8, "nowhere"), VCI_ERR_UTF8, "no error is wanted");
	memset(&error, 0, sizeof(error));
	vci_error(&error, VCI_ERR_JSON, "%s", longer);
	is_number((int64_t) strlen(error.text), VCI_ERROR_TEXT_SIZE - 1, "a long text is cut");
	is_text(vci_status_name(VCI_ERR_JWS_SIGNATURE), "jws_signature", "a status has a name");
	is_text(vci_status_name((VciStatus) 9999), "unknown", "and so has none");
}

int
main(void)
{
	digests();
	macs_in_a_row();
	digest_in_pieces();
	derivation();
	published_sealing();
	sealing();
	randomness();
	root_keys();
	bad_root_keys();
	errors();
	error_queue_is_empty();
	return done_testing();
}
