#include "offer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "landing.h"
#include "refusal.h"
#include "text.h"
#include "url.h"

#define MAX_TX_CODE_DESCRIPTION 300 /* characters, section 4.1.1 */

static bool
starts_with(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* A parameter of the link; a repeated or malformed one is an unusable link. */
static bool
take_parameter(const char *text, const char *name, char **value, WalletFailure *failure)
{
	switch (wallet_url_parameter(text, name, value))
	{
		case WALLET_PARAMETER_FOUND:
		case WALLET_PARAMETER_ABSENT:
			return true;
		case WALLET_PARAMETER_REPEATED:
			return wallet_fail(failure, WALLET_EXIT_USAGE, "the offer has %s twice", name);
		case WALLET_PARAMETER_MALFORMED:
			return wallet_fail(failure, WALLET_EXIT_USAGE,
							   "the offer's %s is not percent-encoded UTF-8", name);
		case WALLET_PARAMETER_NO_MEMORY:
			break;
	}
	return wallet_fail_memory(failure);
}

static bool
take_offer(WalletContext *context, const WalletRequest *request, const WalletResponse *response,
		   WalletOffer *offer)
{
	if (response->status == 200)
		return wallet_response_object(context, response, request->what, &offer->object);
	if (!wallet_refuse(response, request->what, &context->failure) &&
		context->failure.exit == WALLET_EXIT_REFUSED)
	{
		context->failure.advice[0] = '\0';
		wallet_advise(&context->failure,
					  "The link may be cancelled, expired or mistyped; ask for a new one.");
	}
	return false;
}

/* The offer at offer->url; *link, where one may be, becomes that of a landing page's button. */
static bool
fetch(WalletContext *context, WalletOffer *offer, char **link)
{
	WalletRequest request = {.what = "credential offer", .url = offer->url, .secret_url = true};
	WalletResponse response = {0};
	bool ok = wallet_http_send(context, &request, &response);

	if (ok && link != NULL && wallet_is_page(&response))
		ok = wallet_landing_press(context, offer->url, &response, link);
	else
		ok = ok && take_offer(context, &request, &response, offer);
	wallet_response_free(&response);
	return ok;
}

static bool
parse_by_value(const char *value, WalletOffer *offer, WalletFailure *failure)
{
	VciError error = VCI_ERROR_INIT;

	if (vci_json_parse_object(value, strlen(value), &offer->object, &error) == VCI_OK)
		return true;
	return wallet_fail_core(failure, WALLET_EXIT_UNVERIFIED, &error,
							"credential_offer is no JSON object");
}

static bool load(WalletContext *context, const char *text, WalletOffer *offer);

/* The URL of an offer by reference, or the short link to its landing page. */
static bool
load_url(WalletContext *context, const char *url, WalletOffer *offer)
{
	char *link = NULL;
	bool ok;

	offer->url = strdup(url);
	ok = offer->url != NULL || wallet_fail_memory(&context->failure);
	ok = ok && fetch(context, offer, &link);
	if (ok && link != NULL)
	{
		free(offer->url);
		offer->url = NULL;
		ok = load(context, link, offer); /* no https link, so not once more */
	}
	free(link);
	return ok;
}

/* Either by value or by reference, never both (section 4.1). */
static bool
load(WalletContext *context, const char *text, WalletOffer *offer)
{
	char *value = NULL;
	bool is_url = starts_with(text, "https://") || starts_with(text, "http://");
	bool ok = take_parameter(text, "credential_offer", &value, &context->failure) &&
			  take_parameter(text, "credential_offer_uri", &offer->url, &context->failure);

	if (ok && value != NULL && offer->url != NULL)
		ok = wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						 "the offer has both credential_offer and credential_offer_uri");
	else if (ok && value != NULL)
		ok = parse_by_value(value, offer, &context->failure);
	else if (ok && offer->url != NULL)
		ok = fetch(context, offer, NULL);
	else if (ok && is_url)
		ok = load_url(context, text, offer);
	else if (ok)
		ok = wallet_fail(&context->failure, WALLET_EXIT_USAGE,
						 "no credential offer: expected openid-credential-offer://?"
						 "credential_offer=... or ?credential_offer_uri=..., or an https URL");
	free(value);
	return ok;
}

static bool
check_configuration_ids(const VciJson *ids, WalletFailure *failure)
{
	size_t count = vci_json_array_length(ids);

	for (size_t i = 0; i < count; i++)
	{
		const VciJson *id = vci_json_array_at(ids, i);

		if (vci_json_string(id) == NULL)
			count = 0;
		for (size_t other = 0; other < i && count > 0; other++)
		{
			if (vci_json_equal(id, vci_json_array_at(ids, other)))
				count = 0;
		}
	}
	if (count > 0)
		return true;
	return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
					   "the offer's credential_configuration_ids must be a non-empty array of "
					   "unique strings (OpenID4VCI 1.0 section 4.1.1)");
}

static size_t
count_characters(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char) *text & 0xc0) != 0x80;
	return count;
}

static void
note_tx_code(WalletContext *context, const WalletOffer *offer)
{
	const char *mode = vci_json_get_string(offer->tx_code, "input_mode");
	const char *description = vci_json_get_string(offer->tx_code, "description");
	int64_t length;

	if (mode != NULL && strcmp(mode, "numeric") != 0 && strcmp(mode, "text") != 0)
		wallet_note(context->notes,
					"the offer's tx_code has input_mode %s; expected numeric or text", mode);
	if (description != NULL && count_characters(description) > MAX_TX_CODE_DESCRIPTION)
		wallet_note(context->notes, "the offer's tx_code description is longer than %d characters",
					MAX_TX_CODE_DESCRIPTION);
	if (vci_json_has(offer->tx_code, "length") &&
		(!vci_json_get_int64(offer->tx_code, "length", &length) || length < 1))
		wallet_note(context->notes, "the offer's tx_code length is no positive integer");
}

static bool
read_grant(WalletOffer *offer, WalletFailure *failure)
{
	const VciJson *grants = vci_json_get(offer->object, "grants");
	const VciJson *grant = vci_json_get(grants, WALLET_GRANT_PRE_AUTHORIZED);

	if (grant == NULL)
	{
		wallet_fail(failure, WALLET_EXIT_USAGE, "the offer has no pre-authorized code");
		return wallet_advise(failure, "This wallet runs the pre-authorized code flow only; ask for "
									  "an offer with that grant.");
	}
	offer->code = vci_json_get_string(grant, "pre-authorized_code");
	offer->tx_code = vci_json_get(grant, "tx_code");
	offer->authorization_server = vci_json_get_string(grant, "authorization_server");
	if (offer->code == NULL || offer->code[0] == '\0')
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the offer's grant has no pre-authorized_code");
	if (offer->tx_code != NULL && vci_json_kind(offer->tx_code) != VCI_JSON_OBJECT)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED, "the offer's tx_code is no object");
	return true;
}

bool
wallet_offer_read(WalletContext *context, const char *text, WalletOffer *offer)
{
	memset(offer, 0, sizeof(*offer));
	if (!load(context, text, offer))
		return false;
	offer->credential_issuer = vci_json_get_string(offer->object, "credential_issuer");
	offer->configuration_ids = vci_json_get(offer->object, "credential_configuration_ids");
	if (offer->credential_issuer == NULL)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the offer has no credential_issuer");
	if (!wallet_url_check_identifier(offer->credential_issuer, context->options->insecure,
									 "the offer's credential_issuer", &context->failure) ||
		!check_configuration_ids(offer->configuration_ids, &context->failure) ||
		!read_grant(offer, &context->failure))
		return false;
	note_tx_code(context, offer);
	return true;
}

void
wallet_offer_free(WalletOffer *offer)
{
	free(offer->url);
	vci_json_free(offer->object);
	memset(offer, 0, sizeof(*offer));
}

/* The ids in one text, for a person to choose from; malloc'd. */
static char *
list_ids(const VciJson *ids)
{
	char *list = strdup("");

	for (size_t i = 0; list != NULL && i < vci_json_array_length(ids); i++)
	{
		char *longer = wallet_format("%s%s%s", list, i == 0 ? "" : ", ",
									 vci_json_string(vci_json_array_at(ids, i)));

		free(list);
		list = longer;
	}
	return list;
}

bool
wallet_offer_choose(const WalletOffer *offer, const char *asked, const char **id,
					WalletFailure *failure)
{
	char *list;

	if (asked == NULL && vci_json_array_length(offer->configuration_ids) == 1)
	{
		*id = vci_json_string(vci_json_array_at(offer->configuration_ids, 0));
		return true;
	}
	if (asked != NULL && vci_json_array_has_string(offer->configuration_ids, asked))
	{
		*id = asked;
		return true;
	}
	list = list_ids(offer->configuration_ids);
	if (list == NULL)
		return wallet_fail_memory(failure);
	if (asked == NULL)
		wallet_fail(failure, WALLET_EXIT_USAGE, "the offer has several credentials: %s", list);
	else
		wallet_fail(failure, WALLET_EXIT_USAGE, "the offer has no %s; it has: %s", asked, list);
	free(list);
	return wallet_advise(failure, "Choose one with --configuration ID.");
}

static bool
all_digits(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

bool
wallet_offer_check_tx_code(const WalletOffer *offer, const char *tx_code, WalletFailure *failure)
{
	const char *mode = vci_json_get_string(offer->tx_code, "input_mode");
	const char *description = vci_json_get_string(offer->tx_code, "description");
	bool numeric = mode == NULL || strcmp(mode, "text") != 0;
	int64_t length = 0;

	if (offer->tx_code == NULL && tx_code != NULL)
		return wallet_fail(failure, WALLET_EXIT_USAGE,
						   "the offer asks for no transaction code; leave out --tx-code");
	if (offer->tx_code == NULL)
		return true;
	if (!vci_json_get_int64(offer->tx_code, "length", &length) || length < 0)
		length = 0;
	if (tx_code == NULL)
	{
		wallet_fail(failure, WALLET_EXIT_USAGE, "the offer asks for a transaction code%s%s",
					description == NULL ? "" : ": ", description == NULL ? "" : description);
		return wallet_advise(failure, "Give it with --tx-code CODE.");
	}
	if (length > 0 && count_characters(tx_code) != (size_t) length)
		return wallet_fail(failure, WALLET_EXIT_USAGE,
						   "the offer asks for a transaction code of %lld characters; --tx-code "
						   "has %zu",
						   (long long) length, count_characters(tx_code));
	if (numeric && !all_digits(tx_code))
		return wallet_fail(failure, WALLET_EXIT_USAGE,
						   "the offer asks for a transaction code of digits only");
	return true;
}
