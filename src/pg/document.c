#include "compat.h"

#include "../jose/base64url.h"
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

static void
set_etag(VciDocument *document, const char *body, size_t len)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_sha256(body, len, digest, &error), &error);
	document->etag[0] = '"';
	vci_base64url_encode(digest, ETAG_BYTES, document->etag + 1);
	strcat(document->etag, "\"");
}

const VciDocument *
vci_document(const VciIssuerEntry *issuer, VciDocumentKind kind)
{
	VciDocument *document = &issuer->documents[kind];
	int64 now = vci_now();
	VciDocument made = {0};
	VciJson **json;
	char **text;

	if (document->body != NULL && now >= document->since && now < document->until)
		return document;
	json = vci_own_json();
	text = vci_own_text();
	vci_require_memory(*json = compose(issuer, kind, now));
	vci_require_memory(*text = vci_json_print(*json));
	made.len = strlen(*text);
	set_etag(&made, *text, made.len);
	set_times(&made, issuer, now);
	made.body = vci_cache_keep(issuer, *text, made.len);
	if (document->body != NULL)
		pfree(document->body);
	*document = made;
	return document;
}
