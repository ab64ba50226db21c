#include "compat.h"

#include "report.h"
#include "status_place.h"
#include "store_status.h"

static char *
new_name(void)
{
	char *name = palloc(VCI_STATUS_LIST_NAME_SIZE);
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_status_list_name_make(name, &error), &error);
	return name;
}

/*
 * The list of a part, which this backend asks for once. It has the next part's list made, so
 * that nobody waits where one part ends.
 */
static VciOpenStatusList *
open_list(VciStore *store, const VciIssuerEntry *issuer, int bits, int64 part)
{
	int64 id = issuer->rules.id;
	int32 size = issuer->rules.status_list_size;
	VciOpenStatusList *list = vci_cache_status_list(issuer, bits);
	VciStatusListRow *row;

	if (list->id != 0 && list->part == part)
		return list;
	row = vci_store_open_status_list(store, id, bits, size, part, new_name());
	vci_store_make_next_status_list(store, id, bits, size, part + 1, new_name());
	return vci_cache_keep_status_list(issuer, bits, row->id, part, row->name);
}

VciStatusPlace
vci_allot_status(VciStore *store, const VciIssuerEntry *issuer,
				 const VciConfiguration *configuration)
{
	VciStatusPlace place = {0};
	int32 size = issuer->rules.status_list_size;
	int bits = configuration->status_bits;
	VciError error = VCI_ERROR_INIT;
	VciOpenStatusList *list;
	uint64_t index;
	int64 position;

	if (bits == 0)
		return place;
	position = vci_store_next_status_position(store);
	list = open_list(store, issuer, bits, position / size);
	vci_require(vci_ff1_encrypt_number(*list->permutation, position % size, &index, &error),
				&error);
	place.list_id = list->id;
	place.entry = (VciStatusEntry){.list_name = pstrdup(list->name),
								   .bits = bits,
								   .index = (int32_t) index,
								   .w3c = configuration->w3c_status};
	return place;
}

VciStatusPlace
vci_recorded_status(VciStore *store, const VciCredentialRow *row,
					const VciConfiguration *configuration)
{
	VciStatusPlace place = {0};
	VciStatusListRow *list;

	if (row->status_list_id == 0)
		return place;
	list = vci_store_status_list(store, row->status_list_id);
	if (list == NULL)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the status list of credential %lld is gone", (long long) row->id)));
	place.list_id = list->id;
	place.entry = (VciStatusEntry){.list_name = list->name,
								   .bits = list->bits,
								   .index = row->status_index,
								   .w3c = configuration->w3c_status};
	return place;
}
