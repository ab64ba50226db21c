/*
 * A holder as the registry names one, for the functions that want the key itself.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "../jose/did.h"
#include "holder.h"
#include "release.h"
#include "report.h"
#include "values.h"

static void
require_document(VciStore *store, const char *did_url)
{
	char **did = vci_own_text();

	vci_require_memory(*did = vci_did_of_url(did_url));
	if (vci_store_did_document(store, *did) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the DID document of %s is not loaded, so its key is not known", *did),
				 errhint("SELECT openid4vci.vci_load_did_document('%s', '{...}');", *did)));
}

PG_FUNCTION_INFO_V1(vci_holder_jwk);

/* openid4vci.vci_holder_jwk(holder text) returns jsonb */
Datum
vci_holder_jwk(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *holder = text_to_cstring(PG_GETARG_TEXT_PP(0));
	VciJson **jwk = vci_own_json();
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	vci_check_holder(holder);
	if (vci_did_method(holder) == VCI_DID_WEB)
		require_document(store, holder);
	vci_require(vci_key_of_holder(store, holder, &key, &error), &error);
	vci_require_memory(*jwk = vci_key_public_jwk(key));
	vci_store_close(store);
	PG_RETURN_DATUM(vci_jsonb_datum(*jwk));
}
