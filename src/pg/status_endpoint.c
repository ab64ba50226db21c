#include "compat.h"

#include "../jose/base64url.h"
#include "../protocol/http_accept.h"
#include "release.h"
#include "status_cache.h"
#include "status_endpoint.h"
#include "values.h"

#define ETAG_BYTES			16 /* of the tag */
#define AGGREGATION_MAX_AGE "public, max-age=300"

/* TSL section 8.4: a status list of another time; we have the present one alone. */
static bool
asks_for_the_past(const VciHttpRequest *http)
{
	VciForm *query = vci_own_form();

	return http->query != NULL &&
		   vci_form_parse(http->query, strlen(http->query), query, NULL) == VCI_OK &&
		   vci_form_get(query, "time") != NULL;
}

/* A CWT, and no JWT? Who names neither gets the JWT. */
static bool
wants_cwt(const VciHttpRequest *http)
{
	return vci_http_accepts(http, "application/statuslist+cwt") &&
		   !vci_http_accepts(http, vci_status_list_media_type(VCI_STATUS_LIST_TOKEN));
}

static VciAnswer *
not_found(void)
{
	return vci_answer_plain_error(404, "not_found", "there is no such status list");
}

static char *
etag_of(const unsigned char tag[VCI_DIGEST_BYTES], bool weak)
{
	char text[32];

	vci_base64url_encode(tag, ETAG_BYTES, text);
	return psprintf("%s\"%s\"", weak ? "W/" : "", text);
}

static bool
has_it_already(const VciHttpRequest *http, const char *etag)
{
	bool repeated;
	const char *listed = vci_http_header(http, "If-None-Match", &repeated);

	return listed != NULL && !repeated && vci_http_etag_matches(listed, etag);
}

/* TSL section 9.3 */
static VciAnswer *
answer_aggregation(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	VciAnswer *answer = vci_answer_new(200);
	VciJson **body = vci_own_json();
	unsigned char digest[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;
	int count;
	char **names = vci_store_status_list_names(store, issuer->rules.id, &count);
	const char *etag;

	vci_require_memory(*body = vci_status_list_aggregation(
						   &issuer->rules, (const char *const *) names, (size_t) count));
	vci_answer_json(answer, *body);
	vci_require(vci_sha256(answer->body, answer->body_len, digest, &error), &error);
	etag = etag_of(digest, false);
	vci_answer_header(answer, "Cache-Control", AGGREGATION_MAX_AGE);
	vci_answer_header(answer, "ETag", etag);
	if (has_it_already(http, etag))
	{
		answer->status = 304;
		answer->body_len = 0;
	}
	return answer;
}

static void
fill_parts(const VciIssuerEntry *issuer, const VciPublishedStatusList *list,
		   const VciStatusListTarget *target, VciStatusListParts *parts)
{
	vci_cache_require_key(issuer);
	parts->issuer = &issuer->rules;
	parts->target = target;
	parts->bits = list->bits;
	parts->size = list->size;
	vci_status_list_times(&issuer->rules, list->changed_second, vci_now(), &parts->times);
	parts->key = issuer->signing.key;
	parts->kid = issuer->signing.kid;
	parts->x5c = issuer->signing.x5c;
}

/* The same contents have the same tag, though not the same signature: a weak ETag. */
static VciAnswer *
answer_token(VciStore *store, const VciHttpRequest *http, const VciPublishedStatusList *list,
			 const VciStatusListParts *parts)
{
	VciAnswer *answer = vci_answer_new(200);
	bool gzip = vci_http_accepts_coding(http, "gzip");
	unsigned char tag[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;
	VciStatusToken token;
	const char *etag;

	vci_require(vci_status_list_tag(parts, list->version, list->changed_at, tag, &error), &error);
	etag = etag_of(tag, true);
	vci_answer_header(answer, "Cache-Control",
					  parts->times.max_age > 0
						  ? psprintf("public, max-age=%d", parts->times.max_age)
						  : "public, no-cache");
	vci_answer_header(answer, "ETag", etag);
	vci_answer_header(answer, "Vary", "Accept, Accept-Encoding");
	if (has_it_already(http, etag))
	{
		answer->status = 304;
		return answer;
	}
	token = vci_status_token(store, list, parts, tag, gzip);
	answer->body = token.text;
	answer->body_len = token.len;
	vci_answer_header(answer, "Content-Type", vci_status_list_media_type(parts->target->kind));
	if (gzip)
		vci_answer_header(answer, "Content-Encoding", "gzip");
	return answer;
}

static VciAnswer *
answer_list(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http,
			const VciStatusListTarget *target)
{
	VciStatusListParts parts = {0};
	VciError error = VCI_ERROR_INIT;
	VciPublishedStatusList *list;

	/* what was changed since in the original is not known here */
	if (issuer->is_copy)
	{
		vci_error(&error, VCI_ERR_PAUSED,
				  "this database is a copy of the issuer's and tells no statuses; use the issuer "
				  "itself, or try again later");
		return vci_answer_error(&error, VCI_ASKER_OTHER, NULL);
	}
	list = vci_store_published_status_list(store, issuer->rules.id, target->name);
	if (list == NULL || (target->kind == VCI_STATUS_LIST_SUSPENSION && list->bits == 1))
		return not_found();
	if (asks_for_the_past(http))
		return vci_answer_plain_error(501, "not_implemented",
									  "status lists of other times are not kept; leave time out");
	if (target->kind == VCI_STATUS_LIST_TOKEN && wants_cwt(http))
		return vci_answer_plain_error(406, "not_acceptable",
									  "status lists are application/statuslist+jwt here");
	fill_parts(issuer, list, target, &parts);
	return answer_token(store, http, list, &parts);
}

VciAnswer *
vci_status_list_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	const char *path = issuer->places[VCI_ENDPOINT_STATUS_LIST].path;
	VciStatusListTarget target;

	if (!vci_status_list_target_parse(http->path + strlen(path), &target))
		return not_found();
	if (target.kind == VCI_STATUS_LIST_AGGREGATION)
		return answer_aggregation(store, issuer, http);
	return answer_list(store, issuer, http, &target);
}
