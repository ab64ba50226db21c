#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_extension.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "version.h"

/* Where the extension's row was when it was of this version; a changed row lies elsewhere. */
static ItemPointerData known_place;

/* Does a row tell that the extension is of this library's version? */
static bool
tells_this_version(TupleTableSlot *row)
{
	bool is_null;
	Name name = DatumGetName(slot_getattr(row, Anum_pg_extension_extname, &is_null));
	Datum version = slot_getattr(row, Anum_pg_extension_extversion, &is_null);

	return strcmp(NameStr(*name), "openid4vci") == 0 && !is_null &&
		   strcmp(TextDatumGetCString(version), OPENID4VCI_VERSION) == 0;
}

/* The usual case, at a quarter of the cost of a search. */
static bool
is_known(Relation extensions)
{
	TupleTableSlot *row;
	Snapshot snapshot;
	bool known;

	if (!ItemPointerIsValid(&known_place) ||
		ItemPointerGetBlockNumber(&known_place) >= RelationGetNumberOfBlocks(extensions))
		return false;
	row = table_slot_create(extensions, NULL);
	snapshot = RegisterSnapshot(GetCatalogSnapshot(ExtensionRelationId));
	known = table_tuple_fetch_row_version(extensions, &known_place, snapshot, row) &&
			tells_this_version(row);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(row);
	return known;
}

/* extversion of this database's extension; NULL when there is none. */
static char *
installed_version(Relation extensions)
{
	char *version = NULL;
	ScanKeyData by_name;
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&by_name, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("openid4vci"));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &by_name);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		bool is_null;
		Datum value =
			heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(extensions), &is_null);

		if (!is_null)
			version = TextDatumGetCString(value);
		known_place = row->t_self;
	}
	systable_endscan(scan);
	return version;
}

/*
 * A new library sees the objects of an older version between "make install" and ALTER
 * EXTENSION; a session that was open during the update still has the older library.
 */
void
vci_require_same_version(void)
{
	Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
	char *version = is_known(extensions) ? OPENID4VCI_VERSION : installed_version(extensions);

	table_close(extensions, AccessShareLock);
	if (version == NULL || strcmp(version, OPENID4VCI_VERSION) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the library of openid4vci is version %s, the extension in this database %s",
					OPENID4VCI_VERSION, version),
			 errhint("As superuser: ALTER EXTENSION openid4vci UPDATE; then SELECT "
					 "openid4vci.vci_reapply_duties(); and let sessions that were open before "
					 "connect again.")));
}
