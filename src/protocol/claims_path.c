#include "claims_path.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct PathText
{
	char *out;
	size_t used;
} PathText;

static void append_text(PathText *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
append_text(PathText *text, const char *format, ...)
{
	size_t left = VCI_CLAIMS_PATH_TEXT_SIZE - text->used;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text->out + text->used, left, format, arguments);
	va_end(arguments);
	if (len > 0)
		text->used += (size_t) len < left ? (size_t) len : left - 1;
}

void
vci_claims_path_text(const VciJson *path, char out[VCI_CLAIMS_PATH_TEXT_SIZE])
{
	PathText text = {out, 0};

	out[0] = '\0';
	for (size_t i = 0; i < vci_json_array_length(path); i++)
	{
		const VciJson *part = vci_json_array_at(path, i);
		const char *name = vci_json_string(part);
		int64_t index;

		if (name != NULL)
			append_text(&text, "%s%s", i > 0 ? "." : "", name);
		else if (vci_json_int64(part, &index))
			append_text(&text, "[%lld]", (long long) index);
		else
			append_text(&text, "[*]");
	}
}

bool
vci_claim_name_reserved(const char *name, bool top)
{
	static const char *const top_names[] = {"iss", "iat",			"nbf",	  "exp",	"cnf",
											"vct", "vct#integrity", "status", "_sd_alg"};

	if ((name[0] == '_' || name[0] == '.') &&
		(strcmp(name, "_sd") == 0 || strcmp(name, "...") == 0))
		return true;
	for (size_t i = 0; top && i < sizeof(top_names) / sizeof(top_names[0]); i++)
	{
		if (name[0] == top_names[i][0] && strcmp(name, top_names[i]) == 0)
			return true;
	}
	return false;
}

/* Recursion is as deep as the pointer is long, which vci_claims_path_check bounds. */
static bool
selects_from(const VciJson *path, size_t part, const VciJson *value)
{
	const VciJson *step;
	int64_t index;

	if (value == NULL)
		return false;
	if (part == vci_json_array_length(path))
		return true;
	step = vci_json_array_at(path, part);
	if (vci_json_kind(step) == VCI_JSON_STRING)
		return selects_from(path, part + 1, vci_json_get(value, vci_json_string(step)));
	if (vci_json_int64(step, &index))
		return index >= 0 && selects_from(path, part + 1, vci_json_array_at(value, (size_t) index));
	for (size_t i = 0; i < vci_json_array_length(value); i++)
	{
		if (selects_from(path, part + 1, vci_json_array_at(value, i)))
			return true;
	}
	return false;
}

bool
vci_claims_path_selects(const VciJson *path, const VciJson *claims)
{
	return selects_from(path, 0, claims);
}
