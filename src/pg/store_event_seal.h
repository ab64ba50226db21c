/*
 * Statements on vci_event_seal and on the events that a seal covers. All of them read under
 * the active snapshot, so that a walk over many seals sees one state of them.
 */
#ifndef VCI_STORE_EVENT_SEAL_H
#define VCI_STORE_EVENT_SEAL_H

#include "lib/stringinfo.h"

#include "store.h"

/* The key of the seals, as vci_database has it. */
typedef struct VciSealKeyRow
{
	bytea *sealed; /* NULL: none was made yet */
	char *root_key_id;
} VciSealKeyRow;

typedef struct VciSealRow
{
	int64 id;
	char *kind;			  /* "segment" or "checkpoint" */
	char *event_ids;	  /* text of the multirange */
	int64 first_event;	  /* the lowest of event_ids; 0: none, also below */
	int64 end_event;	  /* the one behind the highest */
	int64 events;		  /* how many there are */
	int64 purged_through; /* of a checkpoint: id of a seal */
	TimestampTz sealed_at;
	bytea *digest;
	bytea *mac;
} VciSealRow;

/*
 * Values as digests and MACs take them: the length in 4 bytes, the highest first (-1: null),
 * then the bytes; a number or time in 8.
 */
extern void vci_append_value(StringInfo bytes, const void *value, size_t len); /* NULL: null */
extern void vci_append_number(StringInfo bytes, int64 value);

/* An event as a seal covers it. */
typedef struct VciSealedEventRow
{
	int64 id;
	TimestampTz at;
	bool member; /* of the event_ids that were asked for */
	/*
	 * Values: id, at, issuer_id, offer_id, authorization_id, token_id, deferred_id,
	 * credential_id, kind, actor, key_id, role_name, duty.
	 */
	char *bytes;
	int len;
} VciSealedEventRow;

/*
 * Locks the row of vci_database until the transaction ends: one sealer or purger at a time.
 * False when there is none, or when it is locked and wait is false.
 */
extern bool vci_store_lock_seals(VciStore *store, bool wait, VciSealKeyRow *key);
/* The same without a lock. */
extern bool vci_store_seal_key(VciStore *store, VciSealKeyRow *key);
extern void vci_store_set_seal_key(VciStore *store, const VciSealKeyRow *key);

/* By id, those behind after, at most max. */
extern VciSealRow *vci_store_seals(VciStore *store, int64 after, int32 max, int *count);
extern VciSealRow *vci_store_last_seal(VciStore *store);	/* NULL: none */
extern VciSealRow *vci_store_last_segment(VciStore *store); /* NULL: none */
/* The last checkpoint before this seal; NULL: none. */
extern VciSealRow *vci_store_checkpoint(VciStore *store, int64 before);
/* sealed_at is set as it stands in seal. Raises 40001 when another one has this id. */
extern void vci_store_insert_seal(VciStore *store, const VciSealRow *seal);

/* The highest event behind after that no transaction can add an earlier one to; 0: none. */
extern int64 vci_store_last_settled_event(VciStore *store, int64 after);

/* Events behind after and before end, by id, at most max. event_ids NULL: all are members. */
extern VciSealedEventRow *vci_store_sealed_events(VciStore *store, int64 after, int64 end,
												  const char *event_ids, int32 max, int *count);
/* The lowest of event_ids that is not there; 0: all are. */
extern int64 vci_store_missing_event(VciStore *store, const char *event_ids);
/* Deletes those of event_ids; the trigger lets it pass for the purge alone. */
extern int64 vci_store_delete_events(VciStore *store, const VciSealRow *segment);
/* Up to which event the purge of claims has read; PG_INT64_MAX when there is none. */
extern int64 vci_store_claims_mark(VciStore *store);
/* Events of segments behind segment that begin before this time, counted over 1000 seals. */
extern int64 vci_store_events_before(VciStore *store, int64 segment, TimestampTz before);

/* The first event that no seal covers; false: none. */
extern bool vci_store_unsealed_event(VciStore *store, TimestampTz *at, bool *settled);

#endif
