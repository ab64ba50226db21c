#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "version.h"

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
	char *version = installed_version(extensions);

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
