/*
 * Statements on vci_key. Who changes keys of an issuer calls vci_store_lock_keys first.
 */
#ifndef VCI_STORE_KEY_H
#define VCI_STORE_KEY_H

#include "store.h"

/* States, as vci_key.state has them. */
#define VCI_KEY_NEXT	  "next"
#define VCI_KEY_ACTIVE	  "active"
#define VCI_KEY_RETIRED	  "retired"
#define VCI_KEY_DESTROYED "destroyed"

typedef struct VciKeyRow
{
	int64 id;
	char *kid;
	char *alg;
	char *state;
	int64 published_until; /* seconds since 1970; PG_INT64_MAX: for good */
	double age;			   /* seconds since it was created */
	char *public_jwk;	   /* JSON text */
	char *x5c;			   /* JSON text or NULL */
	bytea *private_key;	   /* sealed; NULL once destroyed */
	char *root_key_id;
} VciKeyRow;

typedef struct VciNewKey
{
	int64 id; /* of vci_store_next_key_id */
	int64 issuer_id;
	const char *kid;
	const char *alg;
	const char *state;
	Datum public_jwk; /* jsonb */
	Datum x5c;		  /* jsonb; 0: none */
	bytea *private_key;
	const char *root_key_id;
} VciNewKey;

/*
 * One change of this issuer's keys at a time, until the transaction ends (an older snapshot
 * gets 40001).
 */
extern void vci_store_lock_keys(VciStore *store, int64 issuer_id);

extern int64 vci_store_next_key_id(VciStore *store);
/* False when the issuer has, or had, a key of this kid. */
extern bool vci_store_insert_key(VciStore *store, const VciNewKey *key);

/*
 * What an issuer publishes or may publish: the signing key first, then the other active ones,
 * next ones, retired and destroyed ones until their time is over.
 */
extern VciKeyRow *vci_store_keys(VciStore *store, int64 issuer_id, int *count);
/* In any state; NULL: none of this kid. */
extern VciKeyRow *vci_store_key(VciStore *store, int64 issuer_id, const char *kid);
/* Active ones, the signing key first. */
extern VciKeyRow *vci_store_active_keys(VciStore *store, int64 issuer_id, int *count);
/* The next key that has waited longest, of this alg (NULL: any); NULL: there is none. */
extern VciKeyRow *vci_store_waiting_key(VciStore *store, int64 issuer_id, const char *alg);

/* It signs from now on. */
extern void vci_store_activate_key(VciStore *store, int64 id);
/* It stays published as long as what it can have signed is good, and an hour. */
/* status_list_lifetime: seconds that its status list tokens, if there are any, are good. */
extern void vci_store_retire_key(VciStore *store, int64 id, int32 status_list_lifetime);
/* The private half is gone; unpublish: the public half, too. */
extern void vci_store_destroy_key(VciStore *store, int64 id, bool unpublish);
extern void vci_store_set_key_certificates(VciStore *store, int64 id, Datum x5c); /* 0: none */

typedef struct VciKeyCounts
{
	int64 issuers; /* not retired ones */
	int64 without_key;
	int64 waiting; /* keys in state next */
} VciKeyCounts;

/* Under the snapshot of the calling query. */
extern VciKeyCounts vci_store_count_keys(VciStore *store);

#endif
