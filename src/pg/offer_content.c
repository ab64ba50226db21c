#include "compat.h"

#include "utils/jsonb.h"

#include "../protocol/claims.h"
#include "../protocol/dataset.h"
#include "issuance.h"
#include "offer_content.h"
#include "report.h"
#include "values.h"

#define MAX_CONFIGURATIONS 32
#define LARGE_CLAIMS	   2048 /* bytes of JSON; less cannot hold 1024 disclosures */
#define NAME_MAX_BYTES	   255

static void
check_configurations(VciStore *store, const VciIssuerEntry *issuer, const VciNewOffer *offer)
{
	if (offer->configuration_count < 1 || offer->configuration_count > MAX_CONFIGURATIONS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an offer names 1 to %d configurations", MAX_CONFIGURATIONS)));
	for (int i = 0; i < offer->configuration_count; i++)
	{
		(void) vci_cache_require_configuration(store, issuer, offer->configuration_ids[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(offer->configuration_ids[i], offer->configuration_ids[j]) == 0)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("configuration \"%s\" is named twice",
									   offer->configuration_ids[i])));
	}
}

/* Will somebody say later what this credential of the subject holds? */
static bool
claims_come_later(const VciIssuerEntry *issuer, int configuration, const VciDataset *dataset)
{
	return dataset->subject_id != NULL && (issuer->claims_sources[configuration].function != NULL ||
										   issuer->configurations[configuration].deferred);
}

/* number: of the dataset among several of its configuration; 0: it has one alone. */
static void
check_dataset(const VciIssuerEntry *issuer, int configuration, const VciDataset *dataset,
			  int number)
{
	VciError error = VCI_ERROR_INIT;

	if (claims_come_later(issuer, configuration, dataset))
		return;
	if (dataset->claims == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("nothing says what \"%s\" will hold", issuer->configurations[configuration].id),
			 number == 0 ? 0 : errdetail("This is about its dataset number %d.", number),
			 errhint("Give claims => '{...}', or a subject_id and a configuration with a "
					 "claims source.")));
	vci_require(
		vci_claims_check_mandatory(dataset->claims, &issuer->configurations[configuration], &error),
		&error);
}

/*
 * Many or large claims are signed once for trial: more disclosures or bytes than a
 * credential can carry must not come to light when the code is spent already.
 */
static void
check_size(const VciIssuerEntry *issuer, int configuration, const VciDataset *dataset, Size bytes)
{
	if (dataset->claims != NULL && bytes > LARGE_CLAIMS)
		(void) vci_sign_credential(issuer, configuration,
								   issuer->configurations[configuration].format, dataset->claims,
								   NULL, vci_now());
}

/* The claims of the offer itself and of each dataset, used or not. */
static void
check_claims(const VciJson *claims, const VciJson *datasets)
{
	VciError error = VCI_ERROR_INIT;

	if (claims != NULL)
		vci_require(vci_claims_check(claims, &error), &error);
	for (size_t i = 0; i < vci_json_array_length(datasets); i++)
	{
		const VciJson *own = vci_json_get(vci_json_array_at(datasets, i), "claims");

		if (own != NULL)
			vci_require(vci_claims_check(own, &error), &error);
	}
}

static const VciJson *
read_datasets(const VciNewOffer *offer)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *datasets;

	if (offer->datasets == (Datum) 0)
		return NULL;
	datasets = vci_json_of_datum(offer->datasets, "datasets");
	vci_require(vci_datasets_check(datasets, (const char *const *) offer->configuration_ids,
								   offer->configuration_count, &error),
				&error);
	return datasets;
}

static Size
bytes_of(Datum jsonb)
{
	return jsonb == (Datum) 0 ? 0 : VARSIZE_ANY(DatumGetJsonbP(jsonb));
}

void
vci_check_offer_content(VciStore *store, const VciIssuerEntry *issuer, const VciNewOffer *offer)
{
	VciDataset of_offer = {.subject_model = offer->subject_model, .subject_id = offer->subject_id};
	const VciJson *datasets;
	Size bytes = bytes_of(offer->claims) + bytes_of(offer->datasets);

	vci_check_text(offer->subject_model, "subject_model", NAME_MAX_BYTES);
	vci_check_text(offer->subject_id, "subject_id", NAME_MAX_BYTES);
	check_configurations(store, issuer, offer);
	datasets = read_datasets(offer);
	if (offer->claims != (Datum) 0)
		of_offer.claims = vci_json_of_datum(offer->claims, "claims");
	check_claims(of_offer.claims, datasets);
	for (int i = 0; i < offer->configuration_count; i++)
	{
		const char *id = offer->configuration_ids[i];
		int n = vci_cache_find_configuration(issuer, id);
		VciDataset dataset;

		for (int number = VCI_FIRST_DATASET;
			 vci_dataset_find(datasets, id, number, &of_offer, &dataset); number++)
		{
			check_dataset(issuer, n, &dataset, vci_dataset_count(datasets, id) > 1 ? number : 0);
			check_size(issuer, n, &dataset, bytes);
		}
	}
}
