/*
 * Status lists as they are published: the Token Status List (draft-ietf-oauth-status-list,
 * "TSL" below) and, of the same statuses, the W3C Bitstring Status List ("BSL").
 */
#ifndef VCI_STATUS_LIST_H
#define VCI_STATUS_LIST_H

#include "../jose/ff1.h"
#include "../jose/seal.h"
#include "../jose/text.h"
#include "issuer.h"

/* TSL section 7.1 */
#define VCI_STATUS_VALID	 0
#define VCI_STATUS_INVALID	 1
#define VCI_STATUS_SUSPENDED 2

#define VCI_STATUS_CHUNK_BYTES 1024 /* of a row that keeps statuses */

/* A list's name: 128 random bits as base64url, the last segment of its URI. */
#define VCI_STATUS_LIST_NAME_SIZE 23

extern VciStatus vci_status_list_name_make(char name[VCI_STATUS_LIST_NAME_SIZE], VciError *error);

/* The URI of the list, which credentials name and sub repeats; malloc'd, NULL: memory is out. */
extern char *vci_status_list_uri(const VciIssuer *issuer, const char *name);

/* What is published under the status list endpoint. */
typedef enum VciStatusListKind
{
	VCI_STATUS_LIST_AGGREGATION, /* at the endpoint itself: URIs of all lists (TSL section 9) */
	VCI_STATUS_LIST_TOKEN,		 /* at a list's URI */
	VCI_STATUS_LIST_REVOCATION,	 /* URI + "/revocation": BSL of what has status 1 */
	VCI_STATUS_LIST_SUSPENSION	 /* URI + "/suspension": BSL of what has status 2 */
} VciStatusListKind;

typedef struct VciStatusListTarget
{
	VciStatusListKind kind;
	char name[VCI_STATUS_LIST_NAME_SIZE]; /* empty for the aggregation */
} VciStatusListTarget;

/* What rest, which stands behind the endpoint's URL or path, asks for; false: nothing. */
extern bool vci_status_list_target_parse(const char *rest, VciStatusListTarget *target);

/* Does uri name a list of this issuer? Its name goes to *target, kind VCI_STATUS_LIST_TOKEN. */
extern bool vci_status_list_uri_parse(const VciIssuer *issuer, const char *uri,
									  VciStatusListTarget *target);

/*
 * The permutation that turns a position in a list into idx, so that no index tells of its
 * neighbours': secret is what the issuer's tickets come from, size a power of two. Positions go
 * through vci_ff1_encrypt_number.
 */
extern VciStatus vci_status_permutation_new(const VciSecret *secret, const char *name, int32_t size,
											VciFf1 **permutation, VciError *error);

/* The entry of one credential. */
typedef struct VciStatusEntry
{
	const char *list_name;
	int bits;
	int32_t index;
	bool w3c; /* credentialStatus goes along */
} VciStatusEntry;

/*
 * Appends members for a credential: ,"status":{"status_list":{"idx":..,"uri":".."}} (TSL section
 * 6.2), and of w3c ,"credentialStatus":[..] (BSL section 2.1). text says when memory is out.
 */
extern void vci_status_claims_write(const VciIssuer *issuer, const VciStatusEntry *entry,
									VciText *text);

/* Bytes of a list of size entries. */
extern size_t vci_status_bytes(int bits, int32_t size);

/* The status at index (TSL section 4.1: from the least significant bit of each byte on). */
extern unsigned vci_status_get(const unsigned char *statuses, int bits, size_t index);
extern void vci_status_set(unsigned char *statuses, int bits, size_t index, unsigned status);

/* When what is published was made, and how long it may be kept; see vci_status_list_times. */
typedef struct VciStatusListTimes
{
	int64_t issued_at; /* seconds since 1970 */
	int64_t expires_at;
	int32_t ttl;	 /* seconds that a verifier may keep it */
	int32_t max_age; /* seconds that HTTP caches may */
} VciStatusListTimes;

/*
 * The same for all servers within a window of the issuer's status_list_ttl: iat is the window's
 * start, or changed_at when that is later. ttl and max_age together are status_list_ttl: a cache
 * hands out what it has for max_age, whoever gets it then keeps it for ttl, and a change is to
 * be seen within status_list_ttl.
 */
extern void vci_status_list_times(const VciIssuer *issuer, int64_t changed_at, int64_t now,
								  VciStatusListTimes *times);

typedef struct VciStatusListParts
{
	const VciIssuer *issuer;
	const VciStatusListTarget *target; /* not the aggregation */
	int bits;
	int32_t size;
	VciStatusListTimes times;
	const VciKey *key;
	const char *kid;
	const VciJson *x5c; /* NULL: none */
} VciStatusListParts;

/* Compressed and in base64url, as a JSON string holds it; *encoded is malloc'd. */
extern VciStatus vci_status_list_encode(VciStatusListKind kind, int bits, int32_t size,
										const unsigned char *statuses, char **encoded,
										VciError *error);

/*
 * A digest over everything that a token tells but its statuses, for which version and changed_at
 * (in any unit) stand: tokens of the same tag say the same, though signatures differ. Nothing is
 * built for it.
 */
extern VciStatus vci_status_list_tag(const VciStatusListParts *parts, int64_t version,
									 int64_t changed_at, unsigned char tag[VCI_DIGEST_BYTES],
									 VciError *error);

/* The signed token of kind application/statuslist+jwt or application/vc+jwt; malloc'd. */
extern VciStatus vci_status_list_sign(const VciStatusListParts *parts, const char *encoded,
									  char **token, size_t *len, VciError *error);

/* "application/statuslist+jwt" or "application/vc+jwt" */
extern const char *vci_status_list_media_type(VciStatusListKind kind);

/* {"status_lists": [..]} of these names (TSL section 9.3); NULL: memory is out. */
extern VciJson *vci_status_list_aggregation(const VciIssuer *issuer, const char *const *names,
											size_t count);

#endif
