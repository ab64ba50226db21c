#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "release.h"
#include "report.h"
#include "sql_request.h"

static void
append_encoded(StringInfo form, const char *text)
{
	char **encoded = vci_own_text();

	vci_require_memory(*encoded = vci_percent_encode(text));
	appendStringInfoString(form, *encoded);
}

static void
append_parameter(StringInfo form, const char *name, const VciJson *value)
{
	const char *text = vci_json_string(value);
	char **printed;

	if (text == NULL)
	{
		printed = vci_own_text();
		vci_require_memory(*printed = vci_json_print(value));
		text = *printed;
	}
	if (form->len > 0)
		appendStringInfoChar(form, '&');
	append_encoded(form, name);
	appendStringInfoChar(form, '=');
	append_encoded(form, text);
}

VciHttpRequest *
vci_sql_form(const VciJson *parameters, const char *dpop)
{
	VciHttpRequest *request = palloc0(sizeof(VciHttpRequest));
	VciHeader *headers = palloc0(2 * sizeof(VciHeader));
	StringInfoData form;
	VciJsonIter iter = vci_json_iter(parameters);

	if (vci_json_kind(parameters) != VCI_JSON_OBJECT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("parameters must be a JSON object of the request's parameters")));
	initStringInfo(&form);
	while (vci_json_next(&iter))
		if (iter.value != NULL)
			append_parameter(&form, iter.name, iter.value);
	headers[0] = (VciHeader){"Content-Type", "application/x-www-form-urlencoded"};
	headers[1] = (VciHeader){"DPoP", dpop};
	request->method = "POST";
	request->headers = headers;
	request->header_count = dpop == NULL ? 1 : 2;
	request->body = form.data;
	request->body_len = form.len;
	return request;
}

VciHttpRequest *
vci_sql_json(const char *body, const char *access_token, const char *dpop)
{
	VciHttpRequest *request = palloc0(sizeof(VciHttpRequest));
	VciHeader *headers = palloc0(3 * sizeof(VciHeader));
	const char *scheme = dpop == NULL ? "Bearer" : "DPoP";

	headers[0] = (VciHeader){"Content-Type", "application/json"};
	headers[1] = (VciHeader){"Authorization", psprintf("%s %s", scheme, access_token)};
	headers[2] = (VciHeader){"DPoP", dpop};
	request->method = "POST";
	request->headers = headers;
	request->header_count = dpop == NULL ? 2 : 3;
	request->body = body;
	request->body_len = strlen(body);
	return request;
}

Datum
vci_sql_result(const VciAnswer *answer)
{
	const char *body = answer->body != NULL ? answer->body : "{}";

	return DirectFunctionCall1(jsonb_in, CStringGetDatum(body));
}
