#include "compat.h"

#include "../jose/deflate.h"
#include "release.h"
#include "report.h"
#include "status_cache.h"
#include "values.h"

#define ENTRIES_MAX 16
#define NO_VERSION	(-1)			   /* never asked for */
#define BYTES_MAX	(32 * 1024 * 1024) /* of all entries; what is larger is not kept */

/* What is kept of one list and kind; texts are malloc'd. */
typedef struct Entry
{
	char name[VCI_STATUS_LIST_NAME_SIZE]; /* empty: the entry is free */
	VciStatusListKind kind;
	int64 version;
	TimestampTz changed_at;
	char *encoded; /* the list of this version, compressed; NULL: none, also below */
	unsigned char tag[VCI_DIGEST_BYTES];
	char *token; /* of this tag */
	size_t token_len;
	char *gzip; /* the same, compressed */
	size_t gzip_len;
	uint64 used; /* the larger, the later */
} Entry;

static Entry entries[ENTRIES_MAX];
static uint64 uses = 0;

static void
drop_token(Entry *entry)
{
	free(entry->token);
	free(entry->gzip);
	entry->token = NULL;
	entry->gzip = NULL;
	entry->token_len = entry->gzip_len = 0;
}

static void
drop_entry(Entry *entry)
{
	drop_token(entry);
	free(entry->encoded);
	memset(entry, 0, sizeof(*entry));
}

static size_t
entry_bytes(const Entry *entry)
{
	return (entry->encoded == NULL ? 0 : strlen(entry->encoded)) + entry->token_len +
		   entry->gzip_len;
}

/* Its entry, or else the one that was not used for the longest time, emptied. */
static Entry *
find_entry(const VciStatusListParts *parts)
{
	Entry *oldest = &entries[0];

	for (int i = 0; i < ENTRIES_MAX; i++)
	{
		Entry *entry = &entries[i];

		if (entry->kind == parts->target->kind && strcmp(entry->name, parts->target->name) == 0)
			return entry;
		if (entry->used < oldest->used)
			oldest = entry;
	}
	drop_entry(oldest);
	strlcpy(oldest->name, parts->target->name, sizeof(oldest->name));
	oldest->kind = parts->target->kind;
	return oldest;
}

/* Others go, and those that were not used for the longest time first, until all fit. */
static void
make_room(const Entry *keep)
{
	for (;;)
	{
		Entry *oldest = NULL;
		size_t bytes = 0;

		for (int i = 0; i < ENTRIES_MAX; i++)
		{
			Entry *entry = &entries[i];

			bytes += entry_bytes(entry);
			if (entry != keep && entry_bytes(entry) > 0 &&
				(oldest == NULL || entry->used < oldest->used))
				oldest = entry;
		}
		if (bytes <= BYTES_MAX || oldest == NULL)
			return;
		drop_entry(oldest);
	}
}

/* The list of this version, read and compressed unless that was done. */
static void
encode(VciStore *store, const VciPublishedStatusList *list, const VciStatusListParts *parts,
	   Entry *entry)
{
	char **encoded;
	unsigned char *statuses;
	VciError error = VCI_ERROR_INIT;

	if (entry->encoded != NULL && entry->version == list->version &&
		entry->changed_at == list->changed_at)
		return;
	encoded = vci_own_text();
	statuses = vci_store_statuses(store, list->id, vci_status_bytes(list->bits, list->size));
	vci_require(vci_status_list_encode(parts->target->kind, list->bits, list->size, statuses,
									   encoded, &error),
				&error);
	pfree(statuses);
	drop_token(entry);
	free(entry->encoded);
	entry->encoded = *encoded;
	*encoded = NULL;
	entry->version = list->uncommitted ? NO_VERSION : list->version;
	entry->changed_at = list->changed_at;
}

static void
sign(const VciStatusListParts *parts, const unsigned char tag[VCI_DIGEST_BYTES], Entry *entry)
{
	char **token;
	size_t len;
	VciError error = VCI_ERROR_INIT;

	if (entry->token != NULL && memcmp(entry->tag, tag, VCI_DIGEST_BYTES) == 0)
		return;
	token = vci_own_text();
	vci_require(vci_status_list_sign(parts, entry->encoded, token, &len, &error), &error);
	drop_token(entry);
	entry->token = *token;
	*token = NULL;
	entry->token_len = len;
	memcpy(entry->tag, tag, VCI_DIGEST_BYTES);
}

static void
compress_token(Entry *entry)
{
	unsigned char *bytes = NULL;
	VciError error = VCI_ERROR_INIT;

	if (entry->gzip != NULL)
		return;
	vci_require(vci_deflate(VCI_DEFLATE_GZIP, entry->token, entry->token_len, &bytes,
							&entry->gzip_len, &error),
				&error);
	entry->gzip = (char *) bytes;
}

/* What the answer lends goes with the call when it is too large to be kept. */
static char *
lend(Entry *entry, char *text)
{
	char **owned;

	if (entry_bytes(entry) <= BYTES_MAX)
		return text;
	owned = vci_own_text();
	*owned = text;
	if (text == entry->token)
		entry->token = NULL;
	else
		entry->gzip = NULL;
	drop_entry(entry);
	return text;
}

VciStatusToken
vci_status_token(VciStore *store, const VciPublishedStatusList *list,
				 const VciStatusListParts *parts, const unsigned char tag[VCI_DIGEST_BYTES],
				 bool gzip)
{
	Entry *entry = find_entry(parts);
	VciStatusToken token;

	entry->used = ++uses;
	encode(store, list, parts, entry);
	sign(parts, tag, entry);
	if (gzip)
		compress_token(entry);
	make_room(entry);
	token.len = gzip ? entry->gzip_len : entry->token_len;
	token.text = lend(entry, gzip ? entry->gzip : entry->token);
	return token;
}
