#include "compat.h"

#include "executor/spi.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "store_transaction.h"

void
vci_store_take_transactions(void)
{
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	SPI_commit(); /* the isolation of the call's own transaction is decided already */
}

void
vci_store_leave_transactions(void)
{
	SPI_finish();
}

void
vci_store_begin(void)
{
	SetConfigOption("transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION);
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
vci_store_commit(void)
{
	PopActiveSnapshot();
	SPI_commit();
}
