/*
 * Seals over the events: which ids a segment holds is stated, its events are digested, and
 * each seal has a MAC that includes the one before.
 */
#ifndef VCI_EVENT_SEAL_H
#define VCI_EVENT_SEAL_H

#include "../jose/seal.h"
#include "store_event_seal.h"

/*
 * Seals what is settled, at most max_events of them; returns how many. For the purge: does
 * nothing when there is no usable root key, nor while another transaction seals or purges.
 */
extern int64 vci_seal_new_events(VciStore *store, int32 max_events);

/*
 * Removes the events of the oldest segments whose newest event is older than before, whole
 * segments while they hold max_rows or fewer together, at least one, and appends a
 * checkpoint. Returns how many events went; *remaining: how many more are due, about. Stops,
 * with a warning, before a segment that is broken, and does nothing where
 * vci_seal_new_events does nothing.
 */
extern int64 vci_purge_events(VciStore *store, TimestampTz before, int32 max_rows,
							  int64 *remaining);

/*
 * The key of the seals' MACs, wiped when the current memory context goes. Raises 55000
 * without the root key that sealed it.
 */
extern const VciSecret *vci_seal_key(const VciSealKeyRow *row);

/*
 * Seals what is settled, at most max_events; returns how many (0 without a row of
 * vci_database). Waits for other sealers; raises 55000 without root key, or when there are
 * seals whose key is gone, and 40001 under a snapshot that misses a seal.
 */
extern int64 vci_seal_settled_events(VciStore *store, int32 max_events);

/*
 * Locks the seals for the purge, and gets their key, made now when there is none. NULL: the
 * purge has to leave them alone.
 */
extern const VciSecret *vci_seal_key_for_purge(VciStore *store);

/* Does the seal's MAC hold? previous: the mac of the seal before it, NULL for the first. */
extern bool vci_seal_holds(const VciSecret *key, const VciSealRow *seal, const bytea *previous);

/* Appends a seal behind last (NULL: the first one); its id, time and mac are made here. */
extern void vci_append_seal(VciStore *store, const VciSecret *key, const VciSealRow *last,
							VciSealRow *seal);

/* SHA-256 over the events, as seal->digest has it. */
extern bytea *vci_digest_of_events(const VciSealedEventRow *events, int count);

/*
 * What is wrong with the events of a segment, none of which has an id up to after; NULL:
 * nothing. *newest: the time of the newest one.
 */
extern char *vci_segment_problem(VciStore *store, const VciSealRow *segment, int64 after,
								 TimestampTz *newest);

#endif
