#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"

#define FIRST_SIZE 1000 /* most texts fit, and malloc keeps blocks up to this size at hand */

char *
vci_text_enlarge(VciText *text, size_t len)
{
	size_t size = text->size == 0 ? FIRST_SIZE : text->size;
	char *data;

	if (text->out_of_memory)
		return NULL;
	while (size <= SIZE_MAX / 2 && size - text->len <= len)
		size *= 2;
	data = size - text->len <= len ? NULL : realloc(text->data, size);
	if (data == NULL)
	{
		text->out_of_memory = true;
		return NULL;
	}
	text->data = data;
	text->size = size;
	return data + text->len;
}

void
vci_text_base64url(VciText *text, const void *data, size_t len)
{
	size_t size = vci_base64url_encoded_size(len);
	char *end = vci_text_room(text, size);

	if (end == NULL)
		return;
	vci_base64url_encode(data, len, end);
	text->len += size;
}

void
vci_text_cut(VciText *text, size_t len)
{
	if (len >= text->len)
		return;
	text->len = len;
	text->data[len] = '\0';
}

void
vci_text_free(VciText *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}
