/* Whatever JSON is taken must come back the same when it is printed and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jose/json.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciJson *first;
	VciJson *second;
	VciJson *copy;
	char *printed;
	char *again;

	if (vci_json_parse((const char *) data, size, &first, NULL) != VCI_OK)
		return 0;
	printed = vci_json_print(first);
	if (vci_json_parse(printed, strlen(printed), &second, NULL) != VCI_OK)
		abort();
	again = vci_json_print(second);
	copy = vci_json_copy(first);
	if (strcmp(printed, again) != 0 || !vci_json_equal(first, second) ||
		!vci_json_equal(first, copy))
		abort();
	free(printed);
	free(again);
	vci_json_free(first);
	vci_json_free(second);
	vci_json_free(copy);
	return 0;
}
