#include "compat.h"

#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "../protocol/claims.h"
#include "../protocol/claims_path.h"
#include "../protocol/dataset.h"
#include "issuance.h"
#include "offer_content.h"
#include "report.h"
#include "values.h"

#define MAX_CONFIGURATIONS 32
#define LARGE_CLAIMS	   2048 /* bytes of JSON; less cannot hold 1024 disclosures */
#define NAME_MAX_BYTES	   255
#define PLAIN_NAME_MAX	   63
#define PLAIN_NUMBER_MAX   32
#define PLAIN_DEPTH_MAX	   4

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
								   NULL, NULL, vci_now());
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

static bool
is_plain_name(const JsonbValue *name, bool top)
{
	char text[PLAIN_NAME_MAX + 1];

	if (name->val.string.len > PLAIN_NAME_MAX)
		return false;
	memcpy(text, name->val.string.val, name->val.string.len);
	text[name->val.string.len] = '\0';
	return !vci_claim_name_reserved(text, top);
}

static bool
is_plain_value(const JsonbValue *value)
{
	return value->type != jbvNumeric ||
		   strlen(DatumGetCString(DirectFunctionCall1(
			   numeric_out, NumericGetDatum(value->val.numeric)))) <= PLAIN_NUMBER_MAX;
}

/* Are they an object that is not deep, without reserved names or long numbers? */
static bool
are_plain_claims(Jsonb *claims)
{
	JsonbIterator *iterator = JsonbIteratorInit(&claims->root);
	JsonbIteratorToken token;
	JsonbValue value;
	int depth = 0;

	if (!JB_ROOT_IS_OBJECT(claims))
		return false;
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
			depth++;
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		else if (token == WJB_KEY ? !is_plain_name(&value, depth == 1) : !is_plain_value(&value))
			return false;
		if (depth > PLAIN_DEPTH_MAX)
			return false;
	}
	return true;
}

/* Of a path of one name, not null. */
static bool
has_claim(Jsonb *claims, const VciJson *path)
{
	const char *name = vci_json_string(vci_json_array_at(path, 0));
	JsonbValue buffer;
	JsonbValue *value;

	if (name == NULL || vci_json_array_length(path) != 1)
		return false;
	value = getKeyJsonValueFromContainer(&claims->root, name, (int) strlen(name), &buffer);
	return value != NULL && value->type != jbvNull;
}

static bool
have_mandatory_claims(Jsonb *claims, const VciConfiguration *configuration)
{
	for (size_t i = 0; i < vci_json_array_length(configuration->claims); i++)
	{
		const VciJson *description = vci_json_array_at(configuration->claims, i);
		bool mandatory = false;

		(void) vci_json_get_boolean(description, "mandatory", &mandatory);
		if (mandatory && !has_claim(claims, vci_json_get(description, "path")))
			return false;
	}
	return true;
}

/*
 * Most claims are good, and that shows in the jsonb as it is: the tree of it that the rules work on
 * would cost a tenth of a new offer. False says nothing, the tree will tell.
 */
static bool
is_plainly_good(const VciIssuerEntry *issuer, const VciNewOffer *offer, const VciDataset *of_offer)
{
	Jsonb *claims;

	if (offer->claims == (Datum) 0 || offer->datasets != (Datum) 0)
		return false;
	claims = DatumGetJsonbP(offer->claims);
	if (VARSIZE(claims) > LARGE_CLAIMS || !are_plain_claims(claims))
		return false;
	for (int i = 0; i < offer->configuration_count; i++)
	{
		int n = vci_cache_find_configuration(issuer, offer->configuration_ids[i]);

		if (!claims_come_later(issuer, n, of_offer) &&
			!have_mandatory_claims(claims, &issuer->configurations[n]))
			return false;
	}
	return true;
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
	if (is_plainly_good(issuer, offer, &of_offer))
		return;
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
