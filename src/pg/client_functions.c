/*
 * SQL functions that register the wallets of the authorization code flow.
 */
#include "compat.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "../protocol/redirect.h"
#include "cache.h"
#include "duty.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define CLIENT_ID_MAX	  255
#define NAME_MAX_BYTES	  255
#define MAX_REDIRECT_URIS 32

static const char *const client_members[] = {"redirect_uris", "pkce_required", "name", NULL};
static const char *const option_members[] = {"pkce_required", NULL};

/* VSCHAR of RFC 6749 appendix A.1, without the space that nobody sees. */
static void
check_client_id(const char *client_id)
{
	size_t len = strlen(client_id);

	if (len == 0 || len > CLIENT_ID_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("client_id must have 1 to %d characters, it has %zu", CLIENT_ID_MAX, len)));
	for (size_t i = 0; i < len; i++)
		if (client_id[i] <= ' ' || client_id[i] > '~')
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("client_id must hold printable ASCII characters without spaces"),
							errhint("For example 'wallet.example'.")));
}

static void
check_redirect_uri_count(size_t count)
{
	if (count < 1 || count > MAX_REDIRECT_URIS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a client has 1 to %d redirect_uris, not %zu", MAX_REDIRECT_URIS, count)));
}

static void
check_redirect_uri(const char *uri)
{
	VciError error = VCI_ERROR_INIT;

	if (uri == NULL || vci_redirect_uri_check(uri, &error) == VCI_OK)
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", error.text),
					errdetail("It is \"%.200s\".", uri)));
}

static void
check_pkce_required(const VciIssuerEntry *issuer, const VciJson *value)
{
	bool required = true;

	if (value != NULL && !vci_json_boolean(value, &required))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("pkce_required must be a boolean")));
	if (!required && issuer->rules.profile == VCI_PROFILE_FINAL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("profile final needs PKCE of every client"),
						errhint("Leave pkce_required out.")));
}

PG_FUNCTION_INFO_V1(vci_create_client);

/* openid4vci.vci_create_client(client_id text, redirect_uris text[], name text, options jsonb,
 * issuer text) returns text */
Datum
vci_create_client(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 4), VCI_DUTY_ISSUER_ADMIN);
	VciJson *options = vci_arg_json(fcinfo, 3, "options");
	VciClientRow client = {.pkce_required = true};

	client.id = vci_arg_text_required(fcinfo, 0, "client_id");
	check_client_id(client.id);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("redirect_uris must not be null"),
				 errhint("For example '{https://wallet.example/callback}'.")));
	client.redirect_uris =
		vci_text_array(PG_GETARG_ARRAYTYPE_P(1), "redirect_uris", &client.redirect_uri_count);
	check_redirect_uri_count((size_t) client.redirect_uri_count);
	for (int i = 0; i < client.redirect_uri_count; i++)
		check_redirect_uri(client.redirect_uris[i]);
	client.name = vci_arg_text(fcinfo, 2);
	vci_check_text(client.name, "name", NAME_MAX_BYTES);
	vci_check_members(options, "options", option_members);
	check_pkce_required(issuer, vci_json_get(options, "pkce_required"));
	(void) vci_json_get_boolean(options, "pkce_required", &client.pkce_required);
	if (!vci_store_insert_client(store, issuer->rules.id, &client))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("this issuer has or had a client \"%s\"", client.id),
				 errhint("vci_alter_client changes one; a retired one's id is not given again.")));
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(client.id));
}

static void
check_changes(const VciIssuerEntry *issuer, const VciJson *changes)
{
	const VciJson *uris = vci_json_get(changes, "redirect_uris");
	const VciJson *name = vci_json_get(changes, "name");

	vci_check_members(changes, "changes", client_members);
	if (vci_json_has(changes, "redirect_uris"))
	{
		if (vci_json_kind(uris) != VCI_JSON_ARRAY)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("redirect_uris must be an array of URIs")));
		check_redirect_uri_count(vci_json_array_length(uris));
	}
	for (size_t i = 0; i < vci_json_array_length(uris); i++)
	{
		const char *uri = vci_json_string(vci_json_array_at(uris, i));

		check_redirect_uri(uri == NULL ? "" : uri);
	}
	check_pkce_required(issuer, vci_json_get(changes, "pkce_required"));
	if (name != NULL && vci_json_kind(name) != VCI_JSON_STRING)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("name must be a string or null")));
	vci_check_text(vci_json_string(name), "name", NAME_MAX_BYTES);
}

static void
raise_unknown_client(const char *client_id)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("this issuer has no client \"%s\"", client_id),
					errhint("SELECT client_id FROM openid4vci.vci_client_info WHERE retired_at IS "
							"NULL; lists them.")));
}

PG_FUNCTION_INFO_V1(vci_alter_client);

/* openid4vci.vci_alter_client(client_id text, changes jsonb, issuer text) returns void */
Datum
vci_alter_client(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_ISSUER_ADMIN);
	char *client_id = vci_arg_text_required(fcinfo, 0, "client_id");
	VciJson *changes = vci_arg_json(fcinfo, 1, "changes");

	if (vci_json_kind(changes) != VCI_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("changes must be a JSON object"),
				 errhint("For example '{\"name\": \"Example Wallet\"}'.")));
	check_changes(issuer, changes);
	if (!vci_store_update_client(store, issuer->rules.id, client_id, PG_GETARG_DATUM(1)))
		raise_unknown_client(client_id);
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_retire_client);

/* openid4vci.vci_retire_client(client_id text, issuer text) returns void */
Datum
vci_retire_client(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_ISSUER_ADMIN);
	char *client_id = vci_arg_text_required(fcinfo, 0, "client_id");

	if (!vci_store_retire_client(store, issuer->rules.id, client_id))
		raise_unknown_client(client_id);
	vci_store_close(store);
	PG_RETURN_VOID();
}
