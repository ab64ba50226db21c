/*
 * A table of ours as it is now, for the parts of the store that go to it without a statement.
 */
#ifndef VCI_STORE_TABLE_H
#define VCI_STORE_TABLE_H

#include "access/attnum.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

typedef struct VciColumn
{
	const char *name;
	Oid type;
} VciColumn;

typedef struct VciTable
{
	const char *name; /* of schema openid4vci */
	Oid relation;	  /* InvalidOid: not known yet, or changed since */
	Oid user;		  /* for whom the rest was found out */
	bool described;	  /* whoever opened it has found out what it needs */
	struct VciTable *next;
} VciTable;

/* Opens and locks it; described is false when it was changed, or is opened for the first time. */
extern Relation vci_table_open(VciTable *table, LOCKMODE lock);

/* Of a sequence, too; it is not locked. */
extern Oid vci_table_oid(VciTable *table);

/* Is every access to be a statement, since something in this server looks at statements? */
extern bool vci_statements_are_watched(void);

/* For the store's callback: this relation (InvalidOid: any) has changed. */
extern void vci_table_forget(Oid relation);

#endif
