/* Text that is shown on a page: no markup comes out, and valid UTF-8 where such went in. */
#include "fuzz.h"
#include "protocol/html.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciHtml html = {0};
	char *text;

	vci_html_text_len(&html, (const char *) data, size);
	must(vci_html_take(&html, &text, NULL) == VCI_OK);
	if (text != NULL)
	{
		must(strpbrk(text, "<>\"'") == NULL);
		must(vci_utf8_valid(text, strlen(text)) || !vci_utf8_valid((const char *) data, size));
		for (const char *c = text; (c = strchr(c, '&')) != NULL; c++)
			must(strchr(c, ';') != NULL && strcspn(c, ";") <= 6);
	}
	free(text);
	return 0;
}
