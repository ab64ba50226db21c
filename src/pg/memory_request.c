#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "memory_request.h"
#include "release.h"
#include "report.h"

#define MAX_HEADERS 3

static VciHttpRequest *
post(const char *media_type, const char *body)
{
	VciHttpRequest *request = palloc0(sizeof(VciHttpRequest));
	VciHeader *headers = palloc0(sizeof(VciHeader) * MAX_HEADERS);

	headers[0] = (VciHeader){"Content-Type", media_type};
	request->method = "POST";
	request->headers = headers;
	request->header_count = 1;
	request->body = body;
	request->body_len = strlen(body);
	return request;
}

static void
add_header(VciHttpRequest *request, const char *name, const char *value)
{
	VciHeader *headers = unconstify(VciHeader *, request->headers);

	headers[request->header_count++] = (VciHeader){name, value};
}

/* A parameter's value as it stands in a form; NULL: it is left out. */
static const char *
form_value(const char *name, const VciJson *value)
{
	char **text;

	switch (vci_json_kind(value))
	{
		case VCI_JSON_NULL:
			return NULL;
		case VCI_JSON_STRING:
			return vci_json_string(value);
		case VCI_JSON_OBJECT:
		case VCI_JSON_ARRAY:
			text = vci_own_text();
			vci_require_memory(*text = vci_json_print(value));
			return *text;
		default:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("parameter \"%s\" must be a text", name)));
	}
}

static void
append_parameter(StringInfo form, const char *name, const char *value)
{
	char **encoded_name = vci_own_text();
	char **encoded_value = vci_own_text();

	vci_require_memory(*encoded_name = vci_percent_encode(name));
	vci_require_memory(*encoded_value = vci_percent_encode(value));
	appendStringInfo(form, "%s%s=%s", form->len == 0 ? "" : "&", *encoded_name, *encoded_value);
}

VciHttpRequest *
vci_memory_form(const VciJson *parameters, const char *dpop)
{
	StringInfoData form;
	VciHttpRequest *request;
	VciJsonIter iter;

	if (vci_json_kind(parameters) != VCI_JSON_OBJECT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("parameters must be a JSON object"),
						errhint("For example '{\"grant_type\": \"refresh_token\", "
								"\"refresh_token\": \"...\"}'.")));
	initStringInfo(&form);
	iter = vci_json_iter(parameters);
	while (vci_json_next(&iter))
	{
		const char *value = form_value(iter.name, iter.value);

		if (value != NULL)
			append_parameter(&form, iter.name, value);
	}
	request = post("application/x-www-form-urlencoded", form.data);
	if (dpop != NULL)
		add_header(request, "DPoP", dpop);
	return request;
}

VciHttpRequest *
vci_memory_json(const VciJson *body, const char *access_token, const char *dpop)
{
	char **text = vci_own_text();
	VciHttpRequest *request;

	vci_require_memory(*text = vci_json_print(body));
	request = post("application/json", *text);
	if (access_token != NULL)
		add_header(request, "Authorization",
				   psprintf("%s %s", dpop == NULL ? "Bearer" : "DPoP", access_token));
	if (dpop != NULL)
		add_header(request, "DPoP", dpop);
	return request;
}

Datum
vci_memory_result(const VciAnswer *answer)
{
	const char *body = answer->body == NULL || answer->body_len == 0 ? "{}" : answer->body;

	return DirectFunctionCall1(jsonb_in, CStringGetDatum(body));
}
