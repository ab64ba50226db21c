/*
 * Forms and token requests from strangers: whatever comes, a parsed form holds no NUL, no
 * parameter twice and no empty value, and everything is freed.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/token.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_form(const VciForm *form)
{
	for (size_t i = 0; i < form->count; i++)
	{
		if (form->values[i][0] == '\0' || !vci_utf8_valid(form->values[i], strlen(form->values[i])))
			abort();
		if (vci_form_get(form, form->names[i]) != form->values[i])
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	VciForm form;
	VciTokenRequest request;

	if (vci_form_parse((const char *) data, size, &form, NULL) == VCI_OK)
	{
		check_form(&form);
		vci_form_free(&form);
	}
	if (vci_token_request_parse((const char *) data, size, "https://registry.example", &request,
								NULL) == VCI_OK)
	{
		if (request.credential == NULL)
			abort();
		vci_token_request_free(&request);
	}
	return 0;
}
