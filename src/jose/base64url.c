#include "base64url.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char encoding[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Value of a character plus one, so that every character not listed is 0. */
static const unsigned char decoding[256] = {
	['A'] = 1,	['B'] = 2,	['C'] = 3,	['D'] = 4,	['E'] = 5,	['F'] = 6,	['G'] = 7,	['H'] = 8,
	['I'] = 9,	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

size_t
vci_base64url_encoded_size(size_t len)
{
	size_t rest = len % 3;

	return len / 3 * 4 + (rest == 0 ? 0 : rest + 1);
}

size_t
vci_base64url_decoded_size(size_t len)
{
	return len / 4 * 3 + len % 4 * 3 / 4;
}

/* Sixteen characters, which any compiler for any machine works on at once where it can. */
typedef uint64_t Halves __attribute__((vector_size(16)));
typedef uint8_t Characters __attribute__((vector_size(16)));
typedef int8_t Numbers __attribute__((vector_size(16)));

/* 48 bits in each half as eight lanes of a byte, 6 bits in each, the first in the highest. */
static Numbers
spread(Halves bits)
{
	bits = (bits & 0xffffff000000) << 8 | (bits & 0xffffff);
	bits = (bits & 0x00fff00000fff000) << 4 | (bits & 0x00000fff00000fff);
	return (Numbers) ((bits & 0x0fc00fc00fc00fc0) << 2 | (bits & 0x003f003f003f003f));
}

/* How far each character is from its number (RFC 4648, table 2); a comparison gives -1 or 0. */
static Characters
characters(Numbers numbers)
{
	Characters far = 'A' + ((Characters) (numbers > 25) & ('a' - 'A' - 26));

	far -= (Characters) (numbers > 51) & ('a' + 26 - '0');
	far -= (Characters) (numbers > 61) & ('0' + 10 - '-');
	far += (Characters) (numbers > 62) & ('_' - '-' - 1);
	return (Characters) numbers + far;
}

/* Encodes six bytes each at first and second, of which eight are read. */
static void
encode_twice_six(const unsigned char *first, const unsigned char *second, char *out)
{
	uint64_t bits[2];
	Halves halves;

	memcpy(&bits[0], first, sizeof(bits[0]));
	memcpy(&bits[1], second, sizeof(bits[1]));
	halves = (Halves){be64toh(bits[0]), be64toh(bits[1])} >> 16;
	halves = (Halves) characters(spread(halves));
	bits[0] = htobe64(halves[0]);
	bits[1] = htobe64(halves[1]);
	memcpy(out, bits, sizeof(bits));
}

void
vci_base64url_encode(const void *data, size_t len, char *out)
{
	const unsigned char *in = data;

	for (; len >= 14; len -= 12, in += 12, out += 16)
		encode_twice_six(in, in + 6, out);
	for (; len >= 3; len -= 3, in += 3)
	{
		uint32_t group = (uint32_t) in[0] << 16 | (uint32_t) in[1] << 8 | in[2];

		*out++ = encoding[group >> 18];
		*out++ = encoding[group >> 12 & 63];
		*out++ = encoding[group >> 6 & 63];
		*out++ = encoding[group & 63];
	}
	if (len > 0)
	{
		uint32_t group = (uint32_t) in[0] << 16 | (len == 2 ? (uint32_t) in[1] << 8 : 0);

		*out++ = encoding[group >> 18];
		*out++ = encoding[group >> 12 & 63];
		if (len == 2)
			*out++ = encoding[group >> 6 & 63];
	}
	*out = '\0';
}

char *
vci_base64url_encode_new(const void *data, size_t len)
{
	char *text = malloc(vci_base64url_encoded_size(len) + 1);

	if (text != NULL)
		vci_base64url_encode(data, len, text);
	return text;
}

/* Reads four characters as 6 bits each; false for a foreign character. */
static bool
decode_four(const unsigned char *in, uint32_t *group)
{
	uint32_t a = decoding[in[0]];
	uint32_t b = decoding[in[1]];
	uint32_t c = decoding[in[2]];
	uint32_t d = decoding[in[3]];

	*group = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
	return a != 0 && b != 0 && c != 0 && d != 0;
}

/* As decode_four, of the last two or three characters. */
static bool
decode_fewer(const unsigned char *in, size_t count, uint32_t *group)
{
	*group = 0;
	for (size_t i = 0; i < count; i++)
	{
		unsigned char value = decoding[in[i]];

		if (value == 0)
			return false;
		*group = *group << 6 | (uint32_t) (value - 1);
	}
	return true;
}

/* The two or three characters after the last full group; what is left over must be 0. */
static VciStatus
decode_rest(const unsigned char *in, size_t rest, unsigned char *out, VciError *error)
{
	uint32_t group;
	unsigned unused = rest == 2 ? 4 : 2;

	if (!decode_fewer(in, rest, &group))
		return vci_error(error, VCI_ERR_BASE64URL, "expected only base64url characters");
	/* Two texts for the same bytes would let a signed or hashed text be varied. */
	if ((group & ((1U << unused) - 1)) != 0)
		return vci_error(error, VCI_ERR_BASE64URL, "base64url text has non-zero trailing bits");
	group >>= unused;
	if (rest == 3)
		*out++ = (unsigned char) (group >> 8);
	*out = (unsigned char) group;
	return VCI_OK;
}

VciStatus
vci_base64url_decode(const char *text, size_t len, unsigned char *out, size_t *out_len,
					 VciError *error)
{
	const unsigned char *in = (const unsigned char *) text;
	size_t rest = len % 4;
	uint32_t group;

	*out_len = 0;
	if (rest == 1)
		return vci_error(error, VCI_ERR_BASE64URL,
						 "a base64url text cannot have a length of %zu characters", len);
	for (size_t i = 0; i < len / 4; i++, in += 4)
	{
		if (!decode_four(in, &group))
			return vci_error(error, VCI_ERR_BASE64URL,
							 "expected only base64url characters, without padding");
		*out++ = (unsigned char) (group >> 16);
		*out++ = (unsigned char) (group >> 8);
		*out++ = (unsigned char) group;
	}
	if (rest != 0)
	{
		VciStatus status = decode_rest(in, rest, out, error);

		if (status != VCI_OK)
			return status;
	}
	*out_len = vci_base64url_decoded_size(len);
	return VCI_OK;
}

VciStatus
vci_base64url_decode_new(const char *text, size_t len, unsigned char **out, size_t *out_len,
						 VciError *error)
{
	VciStatus status;
	unsigned char *bytes;

	*out = NULL;
	bytes = malloc(vci_base64url_decoded_size(len) + 1);
	if (bytes == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = vci_base64url_decode(text, len, bytes, out_len, error);
	if (status != VCI_OK)
	{
		free(bytes);
		return status;
	}
	bytes[*out_len] = '\0';
	*out = bytes;
	return VCI_OK;
}
