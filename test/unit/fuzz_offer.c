/*
 * What an operator puts into an offer, a line each: a transaction code, datasets, the configuration
 * of one, a credential identifier. An offer that is made of it is one URI.
 */
#include "fuzz.h"
#include "protocol/dataset.h"
#include "protocol/http.h"
#include "protocol/offer.h"

static void
check_tx_code(const char *tx_code)
{
	for (int mode = VCI_TX_CODE_NUMERIC; mode <= VCI_TX_CODE_TEXT; mode++)
	{
		VciError error = VCI_ERROR_INIT;
		int length;

		if (succeeded(vci_tx_code_check(tx_code, (VciTxCodeMode) mode, &length, &error), &error))
			must(length >= VCI_TX_CODE_MIN_LENGTH && length <= VCI_TX_CODE_MAX_LENGTH &&
				 (size_t) length <= strlen(tx_code));
	}
}

static void
check_datasets(const VciJson *datasets, const char *id, const char *identifier)
{
	VciError error = VCI_ERROR_INIT;
	const char *ids[] = {id, "A"};
	VciDataset of_offer = {.subject_id = "1"};
	VciDataset dataset;
	int count;
	int number;

	if (!succeeded(vci_datasets_check(datasets, ids, 2, &error), &error))
		return;
	count = vci_dataset_count(datasets, id);
	must(count >= 1 && count <= VCI_MAX_DATASETS_PER_CONFIGURATION);
	for (int i = VCI_FIRST_DATASET; i < VCI_FIRST_DATASET + count; i++)
	{
		char *made = vci_credential_identifier(id, i);

		must(vci_dataset_find(datasets, id, i, &of_offer, &dataset));
		must(made != NULL && vci_dataset_of_identifier(datasets, id, made) == i);
		free(made);
	}
	number = vci_dataset_of_identifier(datasets, id, identifier);
	must(number >= 0 && number < VCI_FIRST_DATASET + count);
}

static void
check_offer(const char *id, const char *state)
{
	VciIssuer issuer = {.url = "https://registry.example"};
	VciOfferGrants grants = {.issuer_state = state};
	VciJson *offer = vci_offer_object(&issuer, &id, 1, &grants);
	char *uri = vci_offer_uri_by_value(offer);

	must(uri != NULL && strncmp(uri, "openid-credential-offer://?credential_offer=", 44) == 0);
	for (const char *c = uri + 44; *c != '\0'; c++)
		must(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%", *c));
	free(uri);
	vci_json_free(offer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	char *rest = text;
	const char *tx_code = next_line(&rest);
	VciJson *datasets = json_line(next_line(&rest));
	const char *id = next_line(&rest);
	const char *identifier = next_line(&rest);

	check_tx_code(tx_code);
	if (identifier != NULL && vci_utf8_valid(text, size))
	{
		check_datasets(datasets, id, identifier);
		check_offer(id, identifier);
	}
	vci_json_free(datasets);
	free(text);
	return 0;
}
