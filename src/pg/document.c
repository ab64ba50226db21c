#include "compat.h"

#include "common/base64.h"

#include "../jose/base64url.h"
#include "../protocol/type_metadata.h"
#include "document.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define ETAG_BYTES 16 /* of the body's digest */

static VciJson *
compose(const VciIssuerEntry *issuer, VciDocumentKind kind, int64 now)
{
	switch (kind)
	{
		case VCI_DOCUMENT_CREDENTIAL_ISSUER:
			return vci_metadata_credential_issuer(&issuer->rules, issuer->configurations,
												  issuer->configuration_count);
		case VCI_DOCUMENT_AUTHORIZATION_SERVER:
			return vci_metadata_authorization_server(&issuer->rules, issuer->configurations,
													 issuer->configuration_count);
		case VCI_DOCUMENT_JWT_VC_ISSUER:
			return vci_metadata_jwt_vc_issuer(&issuer->rules, issuer->published_keys,
											  issuer->key_count, now);
		case VCI_DOCUMENT_DID:
			return vci_metadata_did_document(&issuer->rules, issuer->published_keys,
											 issuer->key_count, now);
		case VCI_DOCUMENT_JWKS:
			return vci_metadata_jwks(issuer->published_keys, issuer->key_count, now);
	}
	elog(ERROR, "unknown document %d", (int) kind);
}

/* Between these times the same keys are published as now. */
static void
set_times(VciDocument *document, const VciIssuerEntry *issuer, int64 now)
{
	document->since = PG_INT64_MIN;
	document->until = PG_INT64_MAX;
	for (int i = 0; i < issuer->key_count; i++)
	{
		int64 end = issuer->published_keys[i].published_until;

		if (end <= now)
			document->since = Max(document->since, end);
		else
			document->until = Min(document->until, end);
	}
}

/* "sha256-" and base64 (W3C SRI section 3). */
static void
set_integrity(VciDocument *document, const unsigned char *digest)
{
	char *encoded = document->integrity + strlen("sha256-");
	int written;

	memcpy(document->integrity, "sha256-", strlen("sha256-"));
	written = pg_b64_encode((void *) digest, VCI_DIGEST_BYTES, encoded,
							VCI_INTEGRITY_SIZE - strlen("sha256-"));
	if (written < 0)
		elog(ERROR, "base64 encoding failed");
	encoded[written] = '\0';
}

static void
set_digests(VciDocument *document, const char *body)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_sha256(body, document->len, digest, &error), &error);
	document->etag[0] = '"';
	vci_base64url_encode(digest, ETAG_BYTES, document->etag + 1);
	strcat(document->etag, "\"");
	set_integrity(document, digest);
}

/* Prints json in the place of what document held. */
static void
keep_document(const VciIssuerEntry *issuer, const VciJson *json, VciDocument *document)
{
	VciDocument made = {0};
	char **text = vci_own_text();

	vci_require_memory(*text = vci_json_print(json));
	made.len = strlen(*text);
	set_digests(&made, *text);
	made.body = vci_cache_keep(issuer, *text, made.len);
	if (document->body != NULL)
		pfree(document->body);
	*document = made;
}

const VciDocument *
vci_document(const VciIssuerEntry *issuer, VciDocumentKind kind)
{
	VciDocument *document = &issuer->documents[kind];
	int64 now = vci_now();
	VciJson **json;

	if (document->body != NULL && now >= document->since && now < document->until)
		return document;
	json = vci_own_json();
	vci_require_memory(*json = compose(issuer, kind, now));
	keep_document(issuer, *json, document);
	set_times(document, issuer, now);
	return document;
}

/* Of several configurations of one vct. */
static int
first_of_type(const VciIssuerEntry *issuer, const char *vct)
{
	int first = 0;

	while (strcmp(issuer->configurations[first].vct, vct) != 0)
		first++;
	return first;
}

const VciDocument *
vci_type_document(const VciIssuerEntry *issuer, int configuration)
{
	int first = first_of_type(issuer, issuer->configurations[configuration].vct);
	VciDocument *document = &issuer->type_documents[first];
	VciJson **json;

	if (document->body != NULL)
		return document;
	json = vci_own_json();
	vci_require_memory(*json = vci_type_metadata(&issuer->configurations[first]));
	keep_document(issuer, *json, document);
	return document;
}
