/* FF1: NIST's samples, that it is a permutation, and what it refuses. */
#include "jose/ff1.h"
#include "error_queue.h"
#include "tap.h"

#define LETTERS "0123456789abcdefghijklmnopqrstuvwxyz"

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

static void
sample(const VciJson *vector)
{
	const char *plain = vci_json_get_string(vector, "plain");
	size_t length = strlen(plain);
	VciError error = VCI_ERROR_INIT;
	unsigned char key[32];
	unsigned char tweak[VCI_FF1_MAX_TWEAK];
	uint32_t numerals[VCI_FF1_MAX_LENGTH];
	char got[VCI_FF1_MAX_LENGTH + 1] = {0};
	size_t key_len = unhex(vci_json_get_string(vector, "key"), key, sizeof(key));
	size_t tweak_len = unhex(vci_json_get_string(vector, "tweak"), tweak, sizeof(tweak));
	int64_t radix = 0;
	VciFf1 *ff1;

	(void) vci_json_get_int64(vector, "radix", &radix);
	is_status(vci_ff1_new(key, key_len, (uint32_t) radix, (uint32_t) length, &ff1, &error), VCI_OK,
			  &error, "an FF1");
	for (size_t i = 0; i < length; i++)
		numerals[i] = (uint32_t) (strchr(LETTERS, plain[i]) - LETTERS);
	is_status(vci_ff1_encrypt(ff1, tweak, tweak_len, numerals, numerals, &error), VCI_OK, &error,
			  "encrypts");
	for (size_t i = 0; i < length; i++)
		got[i] = LETTERS[numerals[i]];
	is_text(got, vci_json_get_string(vector, "encrypted"), "as NIST's sample");
	vci_ff1_free(ff1);
}

static void
samples(void)
{
	VciJson *file = vectors("ff1.json");
	VciJson *list = vci_json_get(file, "vectors");

	is_number((int64_t) vci_json_array_length(list), 9, "all samples are there");
	for (size_t i = 0; i < vci_json_array_length(list); i++)
		sample(vci_json_array_at(list, i));
	vci_json_free(file);
}

/* Numbers are read as the numerals that write them. */
static void
numbers(void)
{
	static const unsigned char key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
										  0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
	VciError error = VCI_ERROR_INIT;
	VciFf1 *ff1;
	uint64_t got = 0;

	(void) vci_ff1_new(key, sizeof(key), 10, 10, &ff1, &error);
	is_status(vci_ff1_encrypt_number(ff1, 123456789, &got, &error), VCI_OK, &error, "a number");
	is_number((int64_t) got, 2433477484, "as sample 1");
	is_status(vci_ff1_encrypt_number(ff1, 10000000000, &got, &error), VCI_ERR_INTERNAL, &error,
			  "no number of more digits");
	vci_ff1_free(ff1);
}

/* Each bit length up to a million: nothing left out, nothing twice. */
static void
permutations(void)
{
	static const unsigned char key[32] = {1};
	static unsigned char seen[1 << 20];

	for (uint32_t length = 7; length <= 20; length++)
	{
		VciError error = VCI_ERROR_INIT;
		uint64_t count = (uint64_t) 1 << length;
		uint64_t wrong = 0;
		VciFf1 *ff1;

		memset(seen, 0, sizeof(seen));
		if (vci_ff1_new(key, sizeof(key), 2, length, &ff1, &error) != VCI_OK)
			bail_out("no FF1", error.text);
		for (uint64_t i = 0; i < count; i++)
		{
			uint64_t got = count;

			if (vci_ff1_encrypt_number(ff1, i, &got, &error) != VCI_OK || got >= count ||
				seen[got]++ > 0)
				wrong++;
		}
		is_number((int64_t) wrong, 0, "a permutation");
		vci_ff1_free(ff1);
	}
}

static void
refusals(void)
{
	static const struct
	{
		size_t key_len;
		uint32_t radix;
		uint32_t length;
		const char *what;
	} wrong[] = {
		{31, 2, 20, "no key of 31 bytes"},		{32, 1, 20, "no radix 1"},
		{32, 65537, 4, "no radix above 65536"}, {32, 2, 1, "no single numeral"},
		{32, 2, 6, "no domain below 100"},		{32, 2, VCI_FF1_MAX_LENGTH + 1, "no longer text"},
		{32, 36, 40, "no half above 2^56"},
	};
	static const unsigned char key[32] = {1};
	static const uint32_t numerals[20] = {2};
	uint32_t encrypted[20];
	VciError error = VCI_ERROR_INIT;
	VciFf1 *ff1;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_status(vci_ff1_new(key, wrong[i].key_len, wrong[i].radix, wrong[i].length, &ff1, &error),
				  VCI_ERR_INTERNAL, &error, wrong[i].what);
	(void) vci_ff1_new(key, sizeof(key), 2, 20, &ff1, &error);
	is_status(vci_ff1_encrypt(ff1, NULL, 0, numerals, encrypted, &error), VCI_ERR_INTERNAL, &error,
			  "no numeral of the radix or above");
	is_status(vci_ff1_encrypt(ff1, key, VCI_FF1_MAX_TWEAK + 1, numerals + 1, encrypted, &error),
			  VCI_ERR_INTERNAL, &error, "no longer tweak");
	vci_ff1_free(ff1);
	vci_ff1_free(NULL);
}

int
main(void)
{
	samples();
	numbers();
	permutations();
	refusals();
	error_queue_is_empty();
	return done_testing();
}
