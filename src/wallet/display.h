/*
 * Names for people out of an issuer's metadata, in the reader's language.
 */
#ifndef WALLET_DISPLAY_H
#define WALLET_DISPLAY_H

#include "../jose/json.h"

/*
 * The object of a display array for locale: the same tag, else the same language, else
 * English, else the first one. NULL when there is none. Lent.
 */
extern const VciJson *wallet_display_choose(const VciJson *display, const char *locale);

/* display of a credential configuration, where 1.0 or an older draft puts it. Lent. */
extern const VciJson *wallet_display_of_configuration(const VciJson *configuration);

/* display of one claim, where 1.0 or an older draft puts it; NULL when there is none. Lent. */
extern const VciJson *wallet_display_of_claim(const VciJson *configuration, const VciJson *path);

/* The claims description objects of 1.0 or draft 15; NULL when there are none. Lent. */
extern const VciJson *wallet_claim_descriptions(const VciJson *configuration);

/* Does a claims path pointer, whose nulls stand for any index, select path? */
extern bool wallet_path_matches(const VciJson *pointer, const VciJson *path);

#endif
