/*
 * Which language a visitor reads (RFC 9110 section 12.5.4, RFC 4647 section 3.4), and the
 * display object to go with it.
 */
#ifndef VCI_LOCALE_H
#define VCI_LOCALE_H

#include <stddef.h>

#include "../jose/json.h"

#define VCI_LOCALE_SIZE 36 /* of a language range, BCP 47 section 4.4.1 */

/*
 * Position of the tag that an Accept-Language value likes best, by lookup: each range in
 * order of quality is cut from its end until a tag equals it. -1 when none does, also for
 * NULL. range becomes the whole range that led there, "" for -1. Malformed ranges are
 * passed over, and what comes behind the first 32.
 */
extern int vci_locale_lookup(const char *accept_language, const char *const *tags, size_t count,
							 char range[VCI_LOCALE_SIZE]);

/*
 * The entry of a display array for a language range such as "pt-BR": the one that lookup
 * finds, another of the same language, the one without locale, an English one, the first.
 * NULL when the array has no object. Lent.
 */
extern const VciJson *vci_locale_display(const VciJson *display, const char *range);

/* Have both tags the same language, whatever their region or script? */
extern bool vci_locale_same_language(const char *a, const char *b);

#endif
