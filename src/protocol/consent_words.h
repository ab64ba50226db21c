/*
 * What the built-in consent page says of itself, in each language that it speaks.
 */
#ifndef VCI_CONSENT_WORDS_H
#define VCI_CONSENT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* UTF-8. "{wallet}" and "{issuer}" stand for names. */
typedef struct VciConsentWords
{
	const char *language; /* language tag */
	bool right_to_left;
	const char *title;
	const char *request; /* {wallet} {issuer} */
	const char *returns_to;
	const char *contents;
	const char *always_included;
	const char *identify;
	const char *username;
	const char *password;
	const char *optional;
	const char *caution; /* {wallet} */
	const char *approve;
	const char *deny;
	const char *problem; /* before the title */
	const char *not_recognised;
	const char *incomplete;
	const char *unusable_title;
	const char *unusable;
	const char *later_title;
	const char *later;
} VciConsentWords;

extern size_t vci_consent_language_count(void);

/* By number; the first one is what people read whose language is not among them. */
extern const VciConsentWords *vci_consent_words(size_t number);

#endif
