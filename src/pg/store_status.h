/*
 * Status lists: who gets which place, and what a change of status writes. Reading them to
 * publish them is store_status_read.h.
 */
#ifndef VCI_STORE_STATUS_H
#define VCI_STORE_STATUS_H

#include "../protocol/status_list.h"
#include "store.h"

typedef struct VciStatusListRow
{
	int64 id;
	int64 issuer_id;
	char *name;
	int32 bits;
	int32 size;
} VciStatusListRow;

/* Each position is given once; a rollback gives none back. */
extern int64 vci_store_next_status_position(VciStore *store);

/*
 * The open list of this part; made under name when there is none. Waits for who is just making
 * it, and so for the end of that transaction; vci_store_make_next_status_list is called before.
 */
extern VciStatusListRow *vci_store_open_status_list(VciStore *store, int64 issuer_id, int32 bits,
													int32 size, int64 part, const char *name);
/* The same list ahead of time, unless somebody else is making one: waits for nobody. */
extern void vci_store_make_next_status_list(VciStore *store, int64 issuer_id, int32 bits,
											int32 size, int64 part, const char *name);
/* NULL when there is none. */
extern VciStatusListRow *vci_store_status_list(VciStore *store, int64 id);
/* No list gets another credential: positions may be given a second time from now on. */
extern void vci_store_close_status_lists(VciStore *store);

/*
 * The status at an index of this issuer's list of this name as it is now, also when the calling
 * query began the list; -1 when there is no such list or index.
 */
extern int32 vci_store_read_status(VciStore *store, int64 issuer_id, const char *name, int64 index);

typedef struct VciCredentialStatusRow
{
	int64 issuer_id;
	int32 value;
	int32 index;
	char *list_name; /* NULL: it carries no status, also below */
	char *reason;
	TimestampTz changed_at; /* 0: never */
	char *changed_by;
	bool expired;
} VciCredentialStatusRow;

/* As it is now; NULL when there is no such record. */
extern VciCredentialStatusRow *vci_store_credential_status(VciStore *store, int64 id);

/* Which credentials are meant: one of the ids, or a subject, or campaign and labels. */
typedef struct VciStatusTarget
{
	int64 issuer_id;
	int64 credential_id; /* 0: not named, also below */
	int64 offer_id;
	const char *subject_model; /* NULL: those without */
	const char *subject_id;	   /* NULL: not named */
	int64 campaign_id;
	Datum labels; /* jsonb */
} VciStatusTarget;

typedef struct VciStatusChange
{
	int32 value;
	const char *reason;
	const char *event; /* noted for each credential that it changed */
	bool notify;
	int32 max_rows;
} VciStatusChange;

/*
 * Changes the credentials that are meant, have a status list, have not expired and are not
 * revoked: to revoked from any other status, to suspended from valid, to valid from suspended.
 * Returns how many changed. Raises 55000 when a list has no room for the value. Lists are
 * locked in the order of their ids, then credentials in that of theirs.
 */
extern int64 vci_store_change_status(VciStore *store, const VciStatusTarget *target,
									 const VciStatusChange *change);

/* The issuer of a credential record, of what an offer gave; 0: there is none. */
extern int64 vci_store_issuer_of_credential(VciStore *store, int64 id);
extern int64 vci_store_issuer_of_offered(VciStore *store, int64 offer_id);
/* 0: this issuer has no campaign of this name. */
extern int64 vci_store_campaign_of_name(VciStore *store, int64 issuer_id, const char *name);

#endif
