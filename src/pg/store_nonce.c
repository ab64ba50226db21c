#include "compat.h"

#include "../jose/seal.h"
#include "store_insert.h"

bool
vci_store_spend_nonce(VciStore *store, int64 issued_at,
					  const unsigned char random[VCI_NONCE_RANDOM_BYTES])
{
	static VciInsert insert = {.table = "vci_nonce",
							   .columns = {{"issued_at", TIMESTAMPTZOID}, {"random", BYTEAOID}},
							   .unique = {"issued_at", "random"}};
	VciArguments args = {0};

	vci_put_time(&args, issued_at);
	vci_put_bytes(&args, random, VCI_NONCE_RANDOM_BYTES);
	return vci_insert(store, &insert, &args);
}

void
vci_store_unspend_nonce(VciStore *store, int64 issued_at,
						const unsigned char random[VCI_NONCE_RANDOM_BYTES])
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_nonce WHERE issued_at = pg_catalog.to_timestamp($1) "
		"AND random = $2",
		2,
		{INT8OID, BYTEAOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issued_at);
	vci_put_bytes(&args, random, VCI_NONCE_RANDOM_BYTES);
	vci_run(store, &statement, &args);
}

int64
vci_store_estimate_nonces(VciStore *store)
{
	static VciStatement statement = {"SELECT greatest(reltuples, 0)::bigint FROM pg_class "
									 "WHERE oid = 'openid4vci.vci_nonce'::regclass",
									 0,
									 {0},
									 NULL};
	VciArguments args = {0};

	vci_read(store, &statement, &args);
	return vci_column_int64(0, 1);
}

bool
vci_store_spend_dpop_proof(VciStore *store, const unsigned char *digest, int64 issued_at)
{
	static VciInsert insert = {.table = "vci_dpop_proof",
							   .columns = {{"digest", BYTEAOID}, {"issued_at", TIMESTAMPTZOID}},
							   .unique = {"digest"}};
	VciArguments args = {0};

	vci_put_bytes(&args, digest, VCI_DIGEST_BYTES);
	vci_put_time(&args, issued_at);
	return vci_insert(store, &insert, &args);
}
