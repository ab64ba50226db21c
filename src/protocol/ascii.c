#include "ascii.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

bool
vci_ascii_starts_with(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
	{
		if (lower(*text) != lower(*prefix))
			return false;
	}
	return true;
}

bool
vci_ascii_equal_start(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool
vci_ascii_equal(const char *a, const char *b)
{
	while (*b != '\0' && lower(*a) == lower(*b))
	{
		a++;
		b++;
	}
	return *a == *b;
}
