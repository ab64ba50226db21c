#include "number.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX	 18 /* what an int64 holds for certain */
#define EXPONENT_MAX 4096
#define WHOLE_MAX	 INT64_C(1000000000000000000) /* DIGITS_MAX digits are below it */

/* A literal taken apart: 0.digits times ten to the power of point. */
typedef struct Decimal
{
	char digits[DIGITS_MAX]; /* leading ones, without leading zeros */
	size_t count;
	long point;
} Decimal;

/*
 * Reads the literal by hand, because strtod follows the locale and a double drops digits.
 * The JSON parser has checked the grammar.
 */
static bool
read_literal(const char *text, Decimal *decimal)
{
	bool fraction = false;
	bool leading = true;

	memset(decimal, 0, sizeof(*decimal));
	for (; *text == '.' || (*text >= '0' && *text <= '9'); text++)
	{
		if (*text == '.')
		{
			fraction = true;
			continue;
		}
		if (leading && *text == '0')
		{
			decimal->point -= fraction ? 1 : 0;
			continue;
		}
		leading = false;
		decimal->point += fraction ? 0 : 1;
		if (decimal->count < DIGITS_MAX)
			decimal->digits[decimal->count++] = *text;
	}
	if (*text == 'e' || *text == 'E')
	{
		long exponent = strtol(text + 1, NULL, 10);

		if (exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX)
			return false;
		decimal->point += exponent;
		return true;
	}
	return *text == '\0';
}

bool
vci_number_floor(const VciJson *json, int64_t *whole)
{
	Decimal decimal;
	char *text;
	bool read;

	if (vci_json_int64(json, whole) && *whole > 0 && *whole < WHOLE_MAX)
		return true;
	if (vci_json_kind(json) != VCI_JSON_NUMBER)
		return false;
	text = vci_json_print(json);
	read = text != NULL && read_literal(text, &decimal);
	free(text);
	if (!read || (decimal.count > 0 && decimal.point > DIGITS_MAX))
		return false;
	*whole = 0;
	for (long i = 0; i < decimal.point && decimal.count > 0; i++)
		*whole = *whole * 10 + ((size_t) i < decimal.count ? decimal.digits[i] - '0' : 0);
	return true;
}
