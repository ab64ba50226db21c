/*
 * A text that grows. Appending never fails on the spot: when
 * memory is out the text says so at its end, so that a writer asks once.
 */
#ifndef VCI_TEXT_H
#define VCI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct VciText
{
	char *data; /* NUL behind its last character; NULL while it is empty */
	size_t len;
	size_t size;
	bool out_of_memory; /* something is missing in data */
} VciText;

/* More memory, for vci_text_room alone. */
extern char *vci_text_enlarge(VciText *text, size_t len);

extern void vci_text_base64url(VciText *text, const void *data, size_t len);

/*
 * Room for len characters behind the end, to be counted by the caller; NULL: out of memory.
 * Inline, as are the two below, because a credential is put together of a hundred pieces.
 */
static inline char *
vci_text_room(VciText *text, size_t len)
{
	if (len < text->size - text->len && !text->out_of_memory)
		return text->data + text->len;
	return vci_text_enlarge(text, len);
}

static inline void
vci_text_append(VciText *text, const void *data, size_t len)
{
	char *end = vci_text_room(text, len);

	if (end == NULL)
		return;
	memcpy(end, data, len);
	end[len] = '\0';
	text->len += len;
}

static inline void
vci_text_put(VciText *text, const char *string)
{
	vci_text_append(text, string, strlen(string));
}

/* As long as len again, its memory kept. */
extern void vci_text_cut(VciText *text, size_t len);
extern void vci_text_free(VciText *text);

#endif
