/*
 * Functions with a fault, which show that the tool at work sees such faults in a backend:
 * a byte read behind a block, a branch on memory that nobody wrote, and a block that is lost,
 * in a function with a name like our own.
 */
#include "postgres.h"

#include <stdlib.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(read_behind_block);
PG_FUNCTION_INFO_V1(branch_on_unwritten);
PG_FUNCTION_INFO_V1(vci_lose_block);

Datum
read_behind_block(PG_FUNCTION_ARGS)
{
	int32 size = PG_GETARG_INT32(0);
	volatile char *block = malloc((size_t) size);
	bool set = block[size] != '\0';

	free((void *) block);
	PG_RETURN_BOOL(set);
}

Datum
branch_on_unwritten(PG_FUNCTION_ARGS)
{
	volatile char *block = malloc((size_t) PG_GETARG_INT32(0));
	bool set = false;

	if (block[0] != '\0')
		set = true;
	free((void *) block);
	PG_RETURN_BOOL(set);
}

Datum
vci_lose_block(PG_FUNCTION_ARGS)
{
	char *volatile block = malloc((size_t) PG_GETARG_INT32(0));

	block[0] = '\0';
	block = NULL;
	PG_RETURN_BOOL(block != NULL);
}
