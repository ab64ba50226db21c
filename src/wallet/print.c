#include "print.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "display.h"
#include "text.h"

#define MAX_LABEL_WIDTH 32
#define MAX_VALUE_WIDTH 44

/* Label and value of one claim as they are shown; both malloc'd. */
typedef struct Row
{
	char *label;
	char *value;
	bool disclosable;
} Row;

static void
rows_free(Row *rows, size_t count)
{
	for (size_t i = 0; rows != NULL && i < count; i++)
	{
		free(rows[i].label);
		free(rows[i].value);
	}
	free(rows);
}

/* The display name for the last part of path, else the part itself, indented by depth. */
static char *
claim_label(const WalletContext *context, const WalletResult *result, const VciJson *path)
{
	size_t depth = vci_json_array_length(path) - 1;
	const VciJson *last = vci_json_array_at(path, depth);
	const VciJson *display = wallet_display_of_claim(result->configuration->object, path);
	const char *name =
		vci_json_get_string(wallet_display_choose(display, context->options->locale), "name");
	int64_t index = 0;

	if (name == NULL)
		name = vci_json_string(last);
	if (name != NULL)
		return wallet_format("%*s%s", (int) (2 * depth), "", name);
	vci_json_int64(last, &index);
	return wallet_format("%*s%lld.", (int) (2 * depth), "", (long long) index + 1);
}

/* Scalars as they are, strings without quotes; members of a container have their own rows. */
static char *
claim_value(const VciJson *value)
{
	const char *string = vci_json_string(value);

	if (string != NULL)
		return strdup(string);
	if (vci_json_member_count(value) > 0 || vci_json_array_length(value) > 0)
		return strdup("");
	return value == NULL ? strdup("null") : vci_json_print(value);
}

static Row *
make_rows(const WalletContext *context, const WalletResult *result)
{
	size_t count = result->claims->count;
	Row *rows = calloc(count + 1, sizeof(Row));

	for (size_t i = 0; rows != NULL && i < count; i++)
	{
		const WalletClaim *claim = &result->claims->rows[i];

		rows[i].label = claim_label(context, result, claim->path);
		rows[i].value = claim_value(claim->value);
		rows[i].disclosable = claim->disclosable;
		if (rows[i].label == NULL || rows[i].value == NULL)
		{
			rows_free(rows, count);
			rows = NULL;
		}
	}
	return rows;
}

static void
put_padded(FILE *out, const char *text, size_t width)
{
	size_t used = wallet_text_width(text);

	wallet_put_text(out, text);
	fprintf(out, "%*s", used < width ? (int) (width - used) : 0, "");
}

static size_t
widest(size_t width, const char *text, size_t most)
{
	size_t own = wallet_text_width(text);

	if (own > most)
		own = most;
	return own > width ? own : width;
}

static bool
print_claims(FILE *out, const WalletContext *context, const WalletResult *result)
{
	size_t count = result->claims->count;
	Row *rows = make_rows(context, result);
	size_t label_width = 0;
	size_t value_width = 0;

	if (rows == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		label_width = widest(label_width, rows[i].label, MAX_LABEL_WIDTH);
		value_width = widest(value_width, rows[i].value, MAX_VALUE_WIDTH);
	}
	for (size_t i = 0; i < count; i++)
	{
		fputs("  ", out);
		put_padded(out, rows[i].label, label_width + 2);
		put_padded(out, rows[i].value, value_width + 2);
		fputs(rows[i].disclosable ? "selectively disclosable\n" : "always disclosed\n", out);
	}
	rows_free(rows, count);
	return true;
}

static void
print_line(FILE *out, const char *label, const char *text)
{
	fprintf(out, "  %-14s", label);
	wallet_put_text(out, text);
	fputc('\n', out);
}

static void
print_time(FILE *out, const char *label, const VciJson *claims, const char *name)
{
	char text[64] = "";
	struct tm parts;
	int64_t seconds;
	time_t when;

	if (!vci_json_get_int64(claims, name, &seconds))
		return;
	when = (time_t) seconds;
	if (gmtime_r(&when, &parts) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
		snprintf(text, sizeof(text), "%lld seconds after 1970", (long long) seconds);
	print_line(out, label, text);
}

static void
print_heading(FILE *out, const WalletContext *context, const WalletResult *result)
{
	const char *locale = context->options->locale;
	const VciJson *display = wallet_display_of_configuration(result->configuration->object);
	const char *name = vci_json_get_string(wallet_display_choose(display, locale), "name");
	const VciJson *issuer_display = vci_json_get(result->issuer->metadata, "display");
	const char *issuer = vci_json_get_string(wallet_display_choose(issuer_display, locale), "name");

	wallet_put_text(out, name == NULL ? result->configuration->id : name);
	fputs("\n  from ", out);
	if (issuer != NULL)
	{
		wallet_put_text(out, issuer);
		fputs(" (", out);
	}
	wallet_put_text(out, result->issuer->identifier);
	fputs(issuer == NULL ? "\n\n" : ")\n\n", out);
}

/* What was verified and what it is valid for. */
static void
print_facts(FILE *out, const WalletResult *result)
{
	const VciSdJwt *sd_jwt = result->verdict->sd_jwt;
	const VciJson *claims = sd_jwt->claims;
	const char *alg = vci_alg_name(sd_jwt->jws->alg);

	fputc('\n', out);
	print_time(out, "Issued", claims, "iat");
	print_time(out, "Valid from", claims, "nbf");
	print_time(out, "Valid until", claims, "exp");
	print_line(out, "Type", vci_json_get_string(claims, "vct"));
	print_line(out, "Format", result->credential->format);
	fprintf(out, "  %-14s%s (%s), verified\n", "Issuer key", result->verdict->issuer_key.thumbprint,
			alg);
	if (vci_json_has(claims, "cnf"))
		fprintf(out, "  %-14s%s (%s), bound\n", "Holder key", result->holder->thumbprint,
				vci_alg_name(vci_key_alg(result->holder->key)));
	else
		print_line(out, "Holder key", "none: whoever holds the credential can show it");
	if (vci_json_has(claims, "status"))
		print_line(out, "Status", "the credential names a status list, which was not asked");
}

bool
wallet_print_result(FILE *out, const WalletContext *context, const WalletResult *result)
{
	print_heading(out, context, result);
	if (!print_claims(out, context, result))
		return false;
	print_facts(out, result);
	return true;
}

void
wallet_print_failure(FILE *out, const WalletFailure *failure)
{
	fputs("openid4vci-wallet: ", out);
	wallet_put_text(out, failure->text);
	fputc('\n', out);
	if (failure->oauth_error[0] != '\0')
	{
		fputs("  issuer says: ", out);
		wallet_put_text(out, failure->oauth_error);
		fputs(failure->oauth_description[0] == '\0' ? "" : ": ", out);
		wallet_put_text(out, failure->oauth_description);
		fprintf(out, " (HTTP %ld)\n", failure->http_status);
	}
	if (failure->advice[0] != '\0')
	{
		fputs("  what to do: ", out);
		wallet_put_text(out, failure->advice);
		fputc('\n', out);
	}
}

void
wallet_print_notes(FILE *out, const VciJson *notes)
{
	for (size_t i = 0; i < vci_json_array_length(notes); i++)
	{
		fputs("note: ", out);
		wallet_put_text(out, vci_json_string(vci_json_array_at(notes, i)));
		fputc('\n', out);
	}
}
