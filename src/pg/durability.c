#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"

#include "durability.h"

#define HOW_TO_SWITCH_ON                                                                           \
	"SET synchronous_commit = on; or, where it comes from: ALTER ROLE ... RESET "                  \
	"synchronous_commit; ALTER DATABASE ... RESET synchronous_commit; ALTER SYSTEM RESET "         \
	"synchronous_commit; SELECT pg_reload_conf();"

bool
vci_commits_durably(void)
{
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
		return false;
	ForceSyncCommit();
	return true;
}

void
vci_require_durability(void)
{
	if (!vci_commits_durably())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("nothing is redeemed or issued while synchronous_commit is off"),
				 errdetail("After a crash a code or token that a wallet has used would be good "
						   "again, and a credential that it got would not be recorded."),
				 errhint(HOW_TO_SWITCH_ON)));
}

bool
vci_durability_state(char **detail)
{
	if (!enableFsync)
		*detail = "fsync is off: a crash of the machine may corrupt everything; ALTER SYSTEM SET "
				  "fsync = on; SELECT pg_reload_conf();";
	else if (!fullPageWrites)
		*detail = "full_page_writes is off: a crash of the machine may corrupt tables; ALTER "
				  "SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();";
	else if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
		*detail = "synchronous_commit is off in this session, where nothing can be redeemed or "
				  "issued; " HOW_TO_SWITCH_ON;
	else
	{
		*detail = "what is committed is on disk (in this session)";
		return true;
	}
	return false;
}
