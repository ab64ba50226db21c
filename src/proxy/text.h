/*
 * Checks on bytes that strangers send.
 */
#ifndef PROXY_TEXT_H
#define PROXY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 as RFC 3629 has it: no overlong form, no surrogate, at most U+10FFFF. */
extern bool text_is_utf8(const char *text, size_t len);

/* A token of RFC 9110 section 5.6.2: a method or a field name. */
extern bool text_is_token(const char *text, size_t len);

/* A field value of RFC 9110 section 5.5, in UTF-8: no control character but the tab. */
extern bool text_is_field_value(const char *text, size_t len);

/* A request target without white space and control characters, in UTF-8. */
extern bool text_is_target(const char *text, size_t len);

#endif
