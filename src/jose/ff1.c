#include "ff1.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "key.h"

#define ROUNDS		   10
#define BLOCK		   16
#define HALF_MAX	   ((uint64_t) 1 << 56) /* so that a half times 256 fits 64 bits */
#define HALF_MAX_BYTES 7
#define DOMAIN_MIN	   100

/* Tweak, round and the bytes of a half, filled up to whole blocks. */
#define TAIL_MAX ((VCI_FF1_MAX_TWEAK + 1 + HALF_MAX_BYTES + BLOCK - 1) / BLOCK * BLOCK)

struct VciFf1
{
	EVP_CIPHER_CTX *cipher;
	uint32_t radix;
	uint32_t length;
	uint32_t left;		  /* numerals of the left half, u; the right one has the rest, v */
	uint64_t left_range;  /* radix^u */
	uint64_t right_range; /* radix^v */
	size_t half_bytes;	  /* that hold any half, b */
};

/* radix^exponent; 0 when it is above max. */
static uint64_t
power(uint64_t radix, uint32_t exponent, uint64_t max)
{
	uint64_t result = 1;

	while (exponent-- > 0)
	{
		if (result > max / radix)
			return 0;
		result *= radix;
	}
	return result;
}

static bool
choose_halves(VciFf1 *ff1, uint32_t radix, uint32_t length)
{
	if (radix < 2 || radix > 65536 || length < 2 || length > VCI_FF1_MAX_LENGTH)
		return false;
	ff1->radix = radix;
	ff1->length = length;
	ff1->left = length / 2;
	ff1->right_range = power(radix, length - ff1->left, HALF_MAX);
	ff1->left_range = power(radix, ff1->left, HALF_MAX);
	for (uint64_t rest = ff1->right_range - 1; ff1->right_range > 0 && rest > 0; rest >>= 8)
		ff1->half_bytes++;
	/* section 4.3: fewer texts could be listed by trying */
	return ff1->right_range > 0 &&
		   (ff1->left_range >= DOMAIN_MIN ||
			ff1->right_range >= (DOMAIN_MIN + ff1->left_range - 1) / ff1->left_range);
}

static const EVP_CIPHER *
cipher_of(size_t key_len)
{
	switch (key_len)
	{
		case 16:
			return EVP_aes_128_ecb();
		case 24:
			return EVP_aes_192_ecb();
		case 32:
			return EVP_aes_256_ecb();
		default:
			return NULL;
	}
}

static VciStatus
set_key(VciFf1 *ff1, const unsigned char *key, size_t key_len, VciError *error)
{
	ff1->cipher = EVP_CIPHER_CTX_new();
	if (ff1->cipher != NULL &&
		EVP_EncryptInit_ex(ff1->cipher, cipher_of(key_len), NULL, key, NULL) == 1 &&
		EVP_CIPHER_CTX_set_padding(ff1->cipher, 0) == 1)
		return VCI_OK;
	return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library failed at AES");
}

VciStatus
vci_ff1_new(const unsigned char *key, size_t key_len, uint32_t radix, uint32_t length, VciFf1 **ff1,
			VciError *error)
{
	VciStatus status;
	VciFf1 *made = calloc(1, sizeof(VciFf1));

	*ff1 = NULL;
	if (made == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (cipher_of(key_len) == NULL || !choose_halves(made, radix, length))
		status = vci_error(error, VCI_ERR_INTERNAL,
						   "FF1 does not take a key of %zu bytes, radix %u and length %u", key_len,
						   (unsigned) radix, (unsigned) length);
	else
		status = set_key(made, key, key_len, error);
	if (status == VCI_OK)
		*ff1 = made;
	else
		vci_ff1_free(made);
	return status;
}

void
vci_ff1_free(VciFf1 *ff1)
{
	if (ff1 == NULL)
		return;
	EVP_CIPHER_CTX_free(ff1->cipher);
	free(ff1);
}

/* Algorithm PRF: chain becomes the CBC-MAC of the blocks, going on from what it is. */
static bool
chain_blocks(VciFf1 *ff1, const unsigned char *blocks, size_t len, unsigned char chain[BLOCK])
{
	for (size_t at = 0; at < len; at += BLOCK)
	{
		unsigned char mixed[BLOCK];
		int written = 0;

		for (size_t i = 0; i < BLOCK; i++)
			mixed[i] = chain[i] ^ blocks[at + i];
		if (EVP_EncryptUpdate(ff1->cipher, chain, &written, mixed, BLOCK) != 1 || written != BLOCK)
			return false;
	}
	return true;
}

static void
put_uint32(unsigned char *out, uint32_t value)
{
	for (int i = 3; i >= 0; i--)
	{
		out[i] = (unsigned char) (value & 0xff);
		value >>= 8;
	}
}

/* Step 5: P, the same in all rounds. */
static bool
chain_start(VciFf1 *ff1, size_t tweak_len, unsigned char chain[BLOCK])
{
	unsigned char block[BLOCK] = {1, 2, 1};

	block[3] = (unsigned char) (ff1->radix >> 16);
	block[4] = (unsigned char) (ff1->radix >> 8);
	block[5] = (unsigned char) ff1->radix;
	block[6] = ROUNDS;
	block[7] = (unsigned char) ff1->left;
	put_uint32(block + 8, ff1->length);
	put_uint32(block + 12, (uint32_t) tweak_len);
	memset(chain, 0, BLOCK);
	return chain_blocks(ff1, block, BLOCK, chain);
}

/*
 * Steps 6.i to 6.vi, of which only y modulo range is wanted. d = 4*ceil(b/4)+4 bytes are at
 * most 12 here, so step 6.iii makes no further block.
 */
static bool
round_value(VciFf1 *ff1, const unsigned char start[BLOCK], const void *tweak, size_t tweak_len,
			unsigned round, uint64_t half, uint64_t range, uint64_t *value)
{
	unsigned char tail[TAIL_MAX] = {0};
	unsigned char chain[BLOCK];
	size_t len = (tweak_len + 1 + ff1->half_bytes + BLOCK - 1) / BLOCK * BLOCK;
	size_t taken = (ff1->half_bytes + 3) / 4 * 4 + 4;

	if (tweak_len > 0)
		memcpy(tail, tweak, tweak_len);
	tail[len - ff1->half_bytes - 1] = (unsigned char) round;
	for (size_t i = 1; i <= ff1->half_bytes; i++)
	{
		tail[len - i] = (unsigned char) (half & 0xff);
		half >>= 8;
	}
	memcpy(chain, start, BLOCK);
	if (!chain_blocks(ff1, tail, len, chain))
		return false;
	*value = 0;
	for (size_t i = 0; i < taken; i++)
		*value = (*value * 256 + chain[i]) % range;
	return true;
}

static VciStatus
encrypt_halves(VciFf1 *ff1, const void *tweak, size_t tweak_len, uint64_t *left, uint64_t *right,
			   VciError *error)
{
	unsigned char start[BLOCK];
	bool works = chain_start(ff1, tweak_len, start);

	for (unsigned round = 0; works && round < ROUNDS; round++)
	{
		uint64_t range = round % 2 == 0 ? ff1->left_range : ff1->right_range;
		uint64_t value = 0;

		works = round_value(ff1, start, tweak, tweak_len, round, *right, range, &value);
		value = (*left + value) % range;
		*left = *right;
		*right = value;
	}
	if (works)
		return VCI_OK;
	return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library failed at AES");
}

/* The number that count numerals write; false when one is not below radix. */
static bool
read_numerals(const VciFf1 *ff1, const uint32_t *numerals, uint32_t count, uint64_t *number)
{
	*number = 0;
	for (uint32_t i = 0; i < count; i++)
	{
		if (numerals[i] >= ff1->radix)
			return false;
		*number = *number * ff1->radix + numerals[i];
	}
	return true;
}

static void
write_numerals(const VciFf1 *ff1, uint64_t number, uint32_t *numerals, uint32_t count)
{
	while (count-- > 0)
	{
		numerals[count] = (uint32_t) (number % ff1->radix);
		number /= ff1->radix;
	}
}

VciStatus
vci_ff1_encrypt(VciFf1 *ff1, const void *tweak, size_t tweak_len, const uint32_t *plain,
				uint32_t *encrypted, VciError *error)
{
	uint32_t right_count = ff1->length - ff1->left;
	uint64_t left;
	uint64_t right;
	VciStatus status;

	if (tweak_len > VCI_FF1_MAX_TWEAK || !read_numerals(ff1, plain, ff1->left, &left) ||
		!read_numerals(ff1, plain + ff1->left, right_count, &right))
		return vci_error(error, VCI_ERR_INTERNAL, "FF1 does not take this text or tweak");
	status = encrypt_halves(ff1, tweak, tweak_len, &left, &right, error);
	if (status == VCI_OK)
	{
		write_numerals(ff1, left, encrypted, ff1->left);
		write_numerals(ff1, right, encrypted + ff1->left, right_count);
	}
	return status;
}

VciStatus
vci_ff1_encrypt_number(VciFf1 *ff1, uint64_t plain, uint64_t *encrypted, VciError *error)
{
	uint64_t left = plain / ff1->right_range;
	uint64_t right = plain % ff1->right_range;
	VciStatus status;

	if (left >= ff1->left_range || ff1->left_range > UINT64_MAX / ff1->right_range)
		return vci_error(error, VCI_ERR_INTERNAL, "FF1 does not take this number");
	status = encrypt_halves(ff1, NULL, 0, &left, &right, error);
	if (status == VCI_OK)
		*encrypted = left * ff1->right_range + right;
	return status;
}
