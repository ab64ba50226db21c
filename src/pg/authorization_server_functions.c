/*
 * SQL functions that manage the external authorization servers that issuers trust.
 */
#include "compat.h"

#include "utils/array.h"
#include "utils/jsonb.h"

#include "cache.h"
#include "duty.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define NAME_MAX_BYTES	 255
#define AUDIENCE_MAX	 1024
#define AUDIENCES_MAX	 16
#define CLIENT_IDS_MAX	 256
#define CLAIM_NAME_BYTES 64

static const char *const option_members[] = {
	"jwks_uri",		 "client_ids",	  "accept_typ_jwt", "accept_without_jti",
	"subject_claim", "subject_model", "subject_source", NULL};

static const char *const change_members[] = {
	"audiences",	  "jwks_uri",			"client_ids",
	"accept_typ_jwt", "accept_without_jti", "subject_claim",
	"subject_model",  "subject_source",		NULL};

/* https, or http on this machine. */
static void
check_url(const char *url, const char *name)
{
	VciError error = VCI_ERROR_INIT;

	if (url != NULL && vci_page_url_check(url, name, &error) != VCI_OK)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be an https URL without fragment (http for loopback hosts "
							   "only), it is \"%s\"",
							   name, url)));
}

/* What stands in iss of the server's tokens (RFC 8414 section 2: no query, no fragment). */
static void
check_server_url(const char *url, const VciIssuerEntry *issuer)
{
	check_url(url, "url");
	if (strchr(url, '?') != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("url must be the iss of the server's tokens, which has no query")));
	if (strcmp(url, issuer->rules.url) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s is the issuer itself, which needs no trust", url)));
}

static void
check_strings(const VciJson *changes, const char *name, size_t min, size_t max, size_t max_bytes)
{
	const VciJson *value = vci_json_get(changes, name);
	size_t count = vci_json_array_length(value);

	if (!vci_json_has(changes, name) || (value == NULL && min == 0))
		return;
	if (vci_json_kind(value) != VCI_JSON_ARRAY || count < min || count > max)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be an array of %zu to %zu strings", name, min, max)));
	for (size_t i = 0; i < count; i++)
	{
		const char *text = vci_json_string(vci_json_array_at(value, i));

		if (text == NULL || text[0] == '\0')
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s must hold strings that are not empty", name)));
		vci_check_text(text, name, max_bytes);
	}
}

static void
check_kind(const VciJson *changes, const char *name, VciJsonKind expected, const char *words)
{
	const VciJson *value = vci_json_get(changes, name);

	if (value != NULL && vci_json_kind(value) != expected)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be %s", name, words)));
}

static void
check_changes(const VciJson *changes)
{
	static const char *const texts[] = {"jwks_uri", "subject_claim", "subject_model",
										"subject_source"};
	const char *claim = vci_json_get_string(changes, "subject_claim");

	for (size_t i = 0; i < lengthof(texts); i++)
	{
		check_kind(changes, texts[i], VCI_JSON_STRING, "a string");
		vci_check_text(vci_json_get_string(changes, texts[i]), texts[i], AUDIENCE_MAX);
	}
	check_kind(changes, "accept_typ_jwt", VCI_JSON_BOOLEAN, "a boolean");
	check_kind(changes, "accept_without_jti", VCI_JSON_BOOLEAN, "a boolean");
	check_strings(changes, "audiences", 1, AUDIENCES_MAX, AUDIENCE_MAX);
	check_strings(changes, "client_ids", 0, CLIENT_IDS_MAX, NAME_MAX_BYTES);
	check_url(vci_json_get_string(changes, "jwks_uri"), "jwks_uri");
	vci_check_text(vci_json_get_string(changes, "subject_model"), "subject_model", NAME_MAX_BYTES);
	if (claim != NULL &&
		(claim[0] == '\0' || strlen(claim) > CLAIM_NAME_BYTES || strchr(claim, '.') != NULL))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("subject_claim must be the name of a top-level claim, without a dot "
							   "and at most %d bytes long",
							   CLAIM_NAME_BYTES)));
}

static void
raise_no_server(const char *url, const VciIssuerEntry *issuer)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 issuer == NULL
				 ? errmsg("no issuer of yours trusts an authorization server %s", url)
				 : errmsg("issuer %s trusts no authorization server %s", issuer->rules.url, url),
			 errhint("SELECT issuer, url FROM openid4vci.vci_authorization_server_info; lists "
					 "them; vci_create_authorization_server adds one.")));
}

/* Applies changes; subject_source is resolved with the caller's rights. */
static void
change_server(VciStore *store, const VciIssuerEntry *issuer, const char *url,
			  const VciJson *changes)
{
	const char *source;
	char *owner = NULL;

	check_changes(changes);
	source = vci_json_get_string(changes, "subject_source");
	if (source != NULL)
		owner = vci_store_check_source(store, VCI_SUBJECT_SOURCE, source);
	if (!vci_store_update_authorization_server(store, issuer->rules.id, url,
											   vci_jsonb_datum(changes), owner))
		raise_no_server(url, issuer);
}

static void
require_jwks(const VciJson *jwks)
{
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_jwks_check(jwks, &error), &error);
}

static VciJson *
array_of(char **strings, int count)
{
	VciJson *array = vci_json_new_array();

	vci_require_memory(array);
	for (int i = 0; i < count; i++)
		vci_require_done(vci_json_append_string(array, strings[i]));
	return array;
}

PG_FUNCTION_INFO_V1(vci_create_authorization_server);

/* openid4vci.vci_create_authorization_server(url text, audiences text[], jwks jsonb,
 * options jsonb, issuer text) returns void */
Datum
vci_create_authorization_server(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciAuthorizationServerRow row = {.url = vci_arg_text_required(fcinfo, 0, "url")};
	VciJson *options = vci_arg_json(fcinfo, 3, "options");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 4), VCI_DUTY_ISSUER_ADMIN);
	VciJson **changes = vci_own_json();
	VciJsonIter iter;

	vci_check_members(options, "options", option_members);
	check_server_url(row.url, issuer);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("audiences must not be null"),
				 errhint("Give what the server writes as aud for this issuer, for example "
						 "ARRAY['%s'].",
						 issuer->rules.url)));
	row.audiences = vci_text_array(PG_GETARG_ARRAYTYPE_P(1), "audiences", &row.audience_count);
	vci_require_memory(*changes = vci_json_new_object());
	vci_require_done(
		vci_json_set(*changes, "audiences", array_of(row.audiences, row.audience_count)));
	iter = vci_json_iter(options);
	while (vci_json_next(&iter))
		if (iter.value != NULL)
			vci_require_done(vci_json_set(*changes, iter.name, vci_json_ref(iter.value)));
	if (!vci_store_insert_authorization_server(store, issuer->rules.id, &row))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("issuer %s already trusts the authorization server %s",
							   issuer->rules.url, row.url),
						errhint("Change it with vci_alter_authorization_server.")));
	change_server(store, issuer, row.url, *changes);
	if (!PG_ARGISNULL(2))
	{
		require_jwks(vci_arg_json(fcinfo, 2, "jwks"));
		(void) vci_store_load_jwks(store, issuer->rules.id, row.url, PG_GETARG_DATUM(2));
	}
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_alter_authorization_server);

/* openid4vci.vci_alter_authorization_server(url text, changes jsonb, issuer text)
 * returns void */
Datum
vci_alter_authorization_server(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *url = vci_arg_text_required(fcinfo, 0, "url");
	VciJson *changes = vci_arg_json(fcinfo, 1, "changes");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_ISSUER_ADMIN);

	vci_check_members(changes, "changes", change_members);
	if (changes != NULL)
		change_server(store, issuer, url, changes);
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_drop_authorization_server);

/* openid4vci.vci_drop_authorization_server(url text, issuer text) returns boolean */
Datum
vci_drop_authorization_server(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *url = vci_arg_text_required(fcinfo, 0, "url");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_ISSUER_ADMIN);
	bool dropped = vci_store_delete_authorization_server(store, issuer->rules.id, url);

	vci_store_close(store);
	PG_RETURN_BOOL(dropped);
}

/* At every issuer for which the caller has the duty. */
static int64
load_everywhere(VciStore *store, const char *url, Datum jwks)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	int64 loaded = 0;
	bool any = false;

	for (int i = 0; i < count; i++)
	{
		if (!vci_has_duty(store, VCI_DUTY_ISSUER_ADMIN, issuers[i].rules.id))
			continue;
		any = true;
		loaded += vci_store_load_jwks(store, issuers[i].rules.id, url, jwks);
	}
	if (!any)
		vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	return loaded;
}

PG_FUNCTION_INFO_V1(vci_load_jwks);

/* openid4vci.vci_load_jwks(url text, jwks jsonb, issuer text) returns bigint */
Datum
vci_load_jwks(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *url = vci_arg_text_required(fcinfo, 0, "url");
	VciJson *jwks = vci_arg_json(fcinfo, 1, "jwks");
	VciIssuerEntry *issuer = NULL;
	int64 loaded;

	if (!PG_ARGISNULL(2))
		issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_ISSUER_ADMIN);
	require_jwks(jwks);
	loaded = issuer != NULL ? vci_store_load_jwks(store, issuer->rules.id, url, PG_GETARG_DATUM(1))
							: load_everywhere(store, url, PG_GETARG_DATUM(1));
	if (loaded == 0)
		raise_no_server(url, issuer);
	vci_store_close(store);
	PG_RETURN_INT64(loaded);
}
