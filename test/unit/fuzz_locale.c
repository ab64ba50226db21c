/*
 * Languages: an Accept-Language header in the first line, a display array in the second. The tag
 * that is found is one of those offered, and a display array with an object always gives one.
 */
#include "fuzz.h"
#include "protocol/display.h"
#include "protocol/locale.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tags[] = {"en", "pt-BR", "ar", "zh-Hant"};
	VciError error = VCI_ERROR_INIT;
	char *text = text_of(data, size);
	char *rest = text;
	const char *header = next_line(&rest);
	VciJson *display = json_line(next_line(&rest));
	char range[VCI_LOCALE_SIZE];
	int found = vci_locale_lookup(header, tags, 4, range);

	must(found >= -1 && found < 4 && strlen(range) < VCI_LOCALE_SIZE);
	must((found == -1) == (range[0] == '\0'));
	if (found >= 0)
		must(vci_locale_same_language(range, tags[found]));
	if (display != NULL && succeeded(vci_display_check(display, "display", &error), &error) &&
		vci_json_array_length(display) > 0)
		must(vci_locale_display(display, range) != NULL);
	else
		(void) vci_locale_display(display, range);
	vci_json_free(display);
	free(text);
	return 0;
}
