/*
 * Loaded into postgres behind AddressSanitizer's library and initialised before all others
 * (-z initfirst): the first malloc is then not one that libintl does while the sanitizer
 * is still starting, which would wait for itself for ever.
 */
#include <stdlib.h>

__attribute__((constructor)) static void
first_allocation(void)
{
	void *volatile block = malloc(1);

	free(block);
}
