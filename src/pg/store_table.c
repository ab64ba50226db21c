#include "compat.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "store_table.h"

/* Every table that was opened. */
static VciTable *opened = NULL;

/* Counts changes of any relation; Citus was absent when they were so many. */
static uint64 changes = 1;
static uint64 citus_was_absent = 0;

void
vci_table_forget(Oid relation)
{
	changes++;
	for (VciTable *table = opened; table != NULL; table = table->next)
		if (!OidIsValid(relation) || table->relation == relation)
			table->relation = InvalidOid;
}

static void
remember(VciTable *table)
{
	VciTable *known = opened;

	while (known != NULL && known != table)
		known = known->next;
	if (known != NULL)
		return;
	table->next = opened;
	opened = table;
}

Relation
vci_table_open(VciTable *table, LOCKMODE lock)
{
	Oid known = table->relation;
	Relation relation;

	if (OidIsValid(known) && table->described && table->user == GetUserId())
	{
		/* takes in what others changed before they let go of their lock */
		LockRelationOid(known, lock);
		if (table->relation == known)
			return table_open(known, NoLock);
		UnlockRelationOid(known, lock);
	}
	relation = table_openrv(makeRangeVar("openid4vci", pstrdup(table->name), -1), lock);
	remember(table);
	/* an invalidation from here on makes the next one look again */
	table->described = false;
	table->relation = RelationGetRelid(relation);
	table->user = GetUserId();
	return relation;
}

Oid
vci_table_oid(VciTable *table)
{
	Oid oid = table->relation;

	if (OidIsValid(oid))
		return oid;
	remember(table);
	oid = get_relname_relid(table->name, get_namespace_oid("openid4vci", false));
	if (!OidIsValid(oid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("there is no relation openid4vci.%s", table->name)));
	return table->relation = oid;
}

static bool
citus_is_there(void)
{
	uint64 before = changes;

	if (citus_was_absent == before)
		return false;
	if (OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE)))
		return true;
	/* a change that came in meanwhile makes the next one look again */
	citus_was_absent = before;
	return false;
}

/*
 * Citus keeps the rows of a distributed table elsewhere, and plans statements to that end;
 * modules that watch access to tables (pgaudit, sepgsql) see statements alone.
 */
bool
vci_statements_are_watched(void)
{
	return ExecutorCheckPerms_hook != NULL || citus_is_there();
}
