/* base64url: exact, and strict about everything that an encoder does not produce. */
#include "jose/base64url.h"
#include "tap.h"

static void
known_answers(void)
{
	/* RFC 4648 section 10, without padding; RFC 7515 appendix C */
	static const char *const pairs[][2] = {
		{"", ""},
		{"f", "Zg"},
		{"fo", "Zm8"},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy"},
		{"\x03\xec\xff\xe0\xc1", "A-z_4ME"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		const char *bytes = pairs[i][0];
		const char *text = pairs[i][1];
		char *encoded = vci_base64url_encode_new(bytes, strlen(bytes));
		unsigned char *decoded;
		size_t len;
		VciError error = VCI_ERROR_INIT;

		is_text(encoded, text, "a published text is encoded");
		is_number((int64_t) vci_base64url_encoded_size(strlen(bytes)), (int64_t) strlen(text),
				  "the size of the text is known beforehand");
		is_status(vci_base64url_decode_new(text, strlen(text), &decoded, &len, &error), VCI_OK,
				  &error, "a published text is decoded");
		is_bytes(decoded, len, bytes, strlen(bytes), "and gives the published bytes");
		free(encoded);
		free(decoded);
	}
}

static void
round_trips(void)
{
	unsigned char bytes[256];
	unsigned char back[256];
	char text[400];
	bool same = true;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char) (i * 167 + 13);
	for (size_t len = 0; len <= sizeof(bytes); len++)
	{
		VciError error = VCI_ERROR_INIT;
		size_t back_len = 0;

		vci_base64url_encode(bytes, len, text);
		same = same &&
			   vci_base64url_decode(text, strlen(text), back, &back_len, &error) == VCI_OK &&
			   back_len == len && vci_base64url_decoded_size(strlen(text)) == len &&
			   memcmp(back, bytes, len) == 0;
	}
	ok(same, "every length from 0 to 256 comes back unchanged");
}

static VciStatus
decode(const char *text, size_t len, VciError *error)
{
	unsigned char *bytes;
	size_t bytes_len;
	VciStatus status = vci_base64url_decode_new(text, len, &bytes, &bytes_len, error);

	free(bytes);
	return status;
}

static void
refusals(void)
{
	static const char *const texts[][2] = {
		{"Z", "a single character"},
		{"Zm9vY", "a length of 1 over a multiple of 4"},
		{"Zg==", "padding"},
		{"Zm8=", "one padding character"},
		{"=", "padding alone"},
		{"Zm9v\n", "a line feed behind the text"},
		{" Zm9v", "a space in front"},
		{"Zm 9v", "a space in between"},
		{"Zm9v\r\nYmFy", "a line break in between"},
		{"A+z/4ME", "the alphabet of base64"},
		{"Zh", "non-zero trailing bits behind one byte"},
		{"Zm9", "non-zero trailing bits behind two bytes"},
		{"Zm9v.", "a dot"},
		{"Zm9v~AAA", "a tilde"},
		{"Zm9vYm\xc3\xa9", "UTF-8"},
	};
	VciError error = VCI_ERROR_INIT;
	size_t foreign = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		is_status(decode(texts[i][0], strlen(texts[i][0]), &error), VCI_ERR_BASE64URL, &error,
				  texts[i][1]);
	is_status(decode("Zm\0v", 4, &error), VCI_ERR_BASE64URL, &error, "NUL within the length");

	for (int c = 0; c < 256; c++)
	{
		char text[4] = {'A', (char) c, 'A', 'A'};

		if (decode(text, 4, &error) != VCI_OK)
			foreign++;
		memset(&error, 0, sizeof(error));
	}
	is_number((int64_t) foreign, 256 - 64, "64 characters are taken, and no other");
}

int
main(void)
{
	known_answers();
	round_trips();
	refusals();
	return done_testing();
}
