/* Accept-Language as browsers and strangers send it, and the display object to show. */
#include "protocol/locale.h"

#include "tap.h"

static const char *const tags[] = {"en", "es", "fr", "pt", "ar", "zh-Hant"};

/* Compares "tag range", "-" when nothing fits. */
static void
check_lookup(const char *header, const char *expected, const char *what)
{
	char range[VCI_LOCALE_SIZE] = "untouched";
	char got[64];
	int found = vci_locale_lookup(header, tags, sizeof(tags) / sizeof(tags[0]), range);

	snprintf(got, sizeof(got), "%s %s", found < 0 ? "-" : tags[found], range);
	is_text(got, expected, what);
}

static void
test_lookup(void)
{
	check_lookup("es", "es es", "one language");
	check_lookup("pt-BR", "pt pt-BR", "a region is cut off, and remembered");
	check_lookup("PT-br", "pt PT-br", "case does not matter");
	check_lookup("de,fr;q=0.8,en;q=0.5", "fr fr", "the best of those that are there");
	check_lookup("en;q=0.5,ar;q=0.9", "ar ar", "quality, not order, decides");
	check_lookup("fr, es", "fr fr", "of equal ones the first");
	check_lookup("es;q=0.30, fr;q=0.301", "fr fr", "three digits count");
	check_lookup(" fr ;\tq=1.000 ", "fr fr", "blanks around");
	check_lookup("en;q=0,fr;q=0.1", "fr fr", "quality 0 is a refusal");
	check_lookup("zh-Hant-TW", "zh-Hant zh-Hant-TW", "only as much is cut as is needed");
	check_lookup("zh-Hans", "- ", "the other script is another tag");
	check_lookup("fr-x-secret", "fr fr-x-secret", "a private subtag goes with its letter");
	check_lookup("de", "- ", "nothing fits");
	check_lookup("*", "- ", "any language is no choice");
	check_lookup("", "- ", "an empty header");
	check_lookup(NULL, "- ", "no header");
}

static void
test_malformed(void)
{
	char longest[20000];

	check_lookup("fr;q=2,es", "es es", "a quality over 1 is passed over");
	check_lookup("fr;q=,es", "es es", "a quality without digits, too");
	check_lookup("fr;level=1,es", "es es", "another parameter, too");
	check_lookup("f_r,es", "es es", "another character, too");
	check_lookup("fr-,es", "es es", "a hyphen at the end, too");
	check_lookup("-fr,es", "es es", "and at the start");
	check_lookup("abcdefghi,es", "es es", "a subtag of nine letters");
	check_lookup("fr-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd,es", "es es", "a range that is too long");
	check_lookup(",,;,es", "es es", "empty elements");
	check_lookup("fr es", "- ", "two words in one element");

	memset(longest, ',', sizeof(longest));
	strcpy(longest + sizeof(longest) - 3, "es");
	check_lookup(longest, "- ", "what comes after 4 kB is not read");
	strcpy(longest, "de");
	for (int i = 0; i < 40; i++)
		strcat(longest, ",de");
	strcat(longest, ",es");
	check_lookup(longest, "- ", "nor what comes after 32 ranges");
}

static void
check_display(const char *display, const char *range, const char *expected, const char *what)
{
	VciJson *array = json(display);

	is_text(vci_json_get_string(vci_locale_display(array, range), "name"), expected, what);
	vci_json_free(array);
}

static void
test_display(void)
{
	static const char *const all =
		"[{\"name\":\"German\",\"locale\":\"de\"},{\"name\":\"Plain\"},"
		"{\"name\":\"English\",\"locale\":\"en-US\"},{\"name\":\"Lisbon\",\"locale\":\"pt-PT\"},"
		"{\"name\":\"Rio\",\"locale\":\"pt-BR\"},{\"name\":\"French\",\"locale\":\"fr\"}]";

	check_display(all, "pt-BR", "Rio", "the very tag");
	check_display(all, "pt-br", "Rio", "in any case");
	check_display(all, "fr-CA", "French", "the language without its region");
	check_display(all, "pt", "Lisbon", "some region of the language");
	check_display(all, "pt-AO", "Lisbon", "another region of the language");
	check_display(all, "en", "English", "English of any region");
	check_display(all, "ar", "Plain", "what has no language, rather than another one");
	check_display("[{\"name\":\"A\",\"locale\":\"de\"},{\"name\":\"B\",\"locale\":\"en\"}]", "ar",
				  "B", "English, rather than any other");
	check_display("[{\"name\":\"A\",\"locale\":\"de\"},{\"name\":\"B\",\"locale\":\"sw\"}]", "ar",
				  "A", "else the first");
	check_display("[{\"name\":\"A\",\"locale\":\"ptx\"},{\"name\":\"B\"}]", "pt", "B",
				  "a tag that only starts alike is another language");
	ok(vci_locale_display(NULL, "en") == NULL, "no display, no entry");
}

static void
test_same_language(void)
{
	ok(vci_locale_same_language("pt-BR", "PT"), "a region makes no other language");
	ok(vci_locale_same_language("pt", "pt-PT"), "on either side");
	ok(!vci_locale_same_language("pt", "ptx"), "another tag does");
	ok(!vci_locale_same_language("en", ""), "nothing is no language");
}

int
main(void)
{
	test_lookup();
	test_malformed();
	test_display();
	test_same_language();
	return done_testing();
}
