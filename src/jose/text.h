/*
 * A text that grows. Appending never fails on the spot: when
 * memory is out the text says so at its end, so that a writer asks once.
 */
#ifndef VCI_TEXT_H
#define VCI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct VciText
{
	char *data; /* NUL behind its last character; NULL while it is empty */
	size_t len;
	size_t size;
	bool out_of_memory; /* something is missing in data */
} VciText;

extern void vci_text_append(VciText *text, const void *data, size_t len);
extern void vci_text_put(VciText *text, const char *string);
extern void vci_text_base64url(VciText *text, const void *data, size_t len);

/* Room for len characters behind the end, to be counted by the caller; NULL: out of memory. */
extern char *vci_text_room(VciText *text, size_t len);

/* Empty again, its memory kept. */
extern void vci_text_clear(VciText *text);
extern void vci_text_free(VciText *text);

#endif
