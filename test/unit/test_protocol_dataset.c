/* Credential datasets: what an operator may give, how they are counted and found. */
#include "protocol/dataset.h"

#include "tap.h"

static VciError error = VCI_ERROR_INIT;
static const char *const ids[] = {"Card", "Pass"};

static void
check(const char *datasets, VciStatus expected, const char *what)
{
	VciJson *given = json(datasets);

	is_status(vci_datasets_check(given, ids, 2, &error), expected, &error, what);
	vci_json_free(given);
}

static void
test_check(void)
{
	check("[{\"configuration_id\":\"Card\",\"claims\":{}}]", VCI_OK, "claims alone suffice");
	check("[{\"configuration_id\":\"Card\",\"subject_id\":\"7\"}]", VCI_OK, "so does a subject");
	check("[{\"configuration_id\":\"Card\",\"subject_model\":\"res.partner\",\"subject_id\":\"7\","
		  "\"claims\":{\"a\":1},\"name\":\"Ann\"},{\"configuration_id\":\"Pass\",\"claims\":{},"
		  "\"name\":null}]",
		  VCI_OK, "two of two configurations, null is absent");
	check("null", VCI_ERR_REQUEST, "null");
	check("{}", VCI_ERR_REQUEST, "an object");
	check("[]", VCI_ERR_REQUEST, "an empty array");
	check("[7]", VCI_ERR_REQUEST, "a number in it");
	check("[{\"claims\":{}}]", VCI_ERR_REQUEST, "no configuration");
	check("[{\"configuration_id\":\"Other\",\"claims\":{}}]", VCI_ERR_REQUEST,
		  "a configuration that is not offered");
	check("[{\"configuration_id\":\"Card\"}]", VCI_ERR_REQUEST, "nothing to issue");
	check("[{\"configuration_id\":\"Card\",\"subject_model\":\"m\"}]", VCI_ERR_REQUEST,
		  "a model is no subject");
	check("[{\"configuration_id\":\"Card\",\"claims\":[]}]", VCI_ERR_REQUEST, "claims as an array");
	check("[{\"configuration_id\":\"Card\",\"claims\":{},\"label\":1}]", VCI_ERR_REQUEST,
		  "an unknown member");
	check("[{\"configuration_id\":\"Card\",\"subject_id\":7}]", VCI_ERR_REQUEST,
		  "a number as subject");
	check("[{\"configuration_id\":\"Card\",\"subject_id\":\"\",\"claims\":{}}]", VCI_ERR_REQUEST,
		  "an empty subject");
	check("[{\"configuration_id\":\"Card\",\"claims\":{},\"name\":\"a\\nb\"}]", VCI_ERR_REQUEST,
		  "a line break in a name");
}

/* An array of count datasets, the first few of Card, the others of Pass. */
static VciJson *
many(int of_card, int of_pass)
{
	VciJson *datasets = vci_json_new_array();

	for (int i = 0; i < of_card + of_pass; i++)
	{
		VciJson *dataset = vci_json_new_object();

		vci_json_set_string(dataset, "configuration_id", i < of_card ? "Card" : "Pass");
		vci_json_set(dataset, "claims", vci_json_new_object());
		vci_json_append(datasets, dataset);
	}
	return datasets;
}

static void
check_many(int of_card, int of_pass, VciStatus expected, const char *what)
{
	VciJson *datasets = many(of_card, of_pass);

	is_status(vci_datasets_check(datasets, ids, 2, &error), expected, &error, what);
	vci_json_free(datasets);
}

static void
test_limits(void)
{
	check_many(64, 64, VCI_OK, "64 of each configuration");
	check_many(65, 0, VCI_ERR_REQUEST, "65 of one are too many");
	check_many(1, 65, VCI_ERR_REQUEST, "also of the second one");
	check_many(200, 57, VCI_ERR_REQUEST, "257 in all are too many");
}

static const char *const three = "[{\"configuration_id\":\"Card\",\"subject_model\":\"m\","
								 "\"subject_id\":\"1\",\"name\":\"Ann\"},"
								 "{\"configuration_id\":\"Pass\",\"claims\":{\"p\":1}},"
								 "{\"configuration_id\":\"Card\",\"claims\":{\"c\":2}}]";

static void
test_find(void)
{
	VciJson *datasets = json(three);
	VciJson *claims = json("{\"own\":true}");
	VciDataset own = {"model", "id", claims, "own"};
	VciDataset found;

	is_number(vci_dataset_count(datasets, "Card"), 2, "two of Card");
	is_number(vci_dataset_count(datasets, "Pass"), 1, "one of Pass");
	is_number(vci_dataset_count(datasets, "Other"), 1, "one of what none names");
	is_number(vci_dataset_count(NULL, "Card"), 1, "one without datasets");
	ok(vci_dataset_find(datasets, "Card", 1, &own, &found), "the first Card is there");
	is_text(found.subject_id, "1", "with its subject");
	is_text(found.name, "Ann", "its name");
	ok(found.claims == NULL, "and without the offer's claims");
	ok(vci_dataset_find(datasets, "Card", 2, &own, &found), "numbers count in a configuration");
	is_text(found.subject_id, NULL, "the second has no subject, also not the offer's");
	ok(found.claims != NULL && vci_json_has(found.claims, "c"), "but its own claims");
	ok(!vci_dataset_find(datasets, "Card", 3, &own, &found), "there is no third");
	ok(!vci_dataset_find(datasets, "Card", 0, &own, &found), "nor a number 0");
	ok(vci_dataset_find(datasets, "Other", 1, &own, &found), "one that none names");
	ok(found.claims == claims && strcmp(found.subject_id, "id") == 0, "is the offer's own");
	ok(!vci_dataset_find(NULL, "Card", 2, &own, &found), "without datasets there is one alone");
	vci_json_free(claims);
	vci_json_free(datasets);
}

static void
check_identifier(const char *identifier, int expected)
{
	VciJson *datasets = json(three);

	is_number(vci_dataset_of_identifier(datasets, "Card", identifier), expected, identifier);
	vci_json_free(datasets);
}

static void
test_identifiers(void)
{
	char *identifier = vci_credential_identifier("Card", 2);

	is_text(identifier, "Card#2", "an identifier names configuration and number");
	check_identifier(identifier, 2);
	free(identifier);
	check_identifier("Card#1", 1);
	check_identifier("Card#3", 0);
	check_identifier("Card#0", 0);
	check_identifier("Card#01", 0);
	check_identifier("Card#+1", 0);
	check_identifier("Card#1 ", 0);
	check_identifier("Card#", 0);
	check_identifier("Card", 0);
	check_identifier("card#1", 0);
	check_identifier("Cards#1", 0);
	check_identifier("Pass#1", 0);
	check_identifier("Card#18446744073709551617", 0);
	is_number(vci_dataset_of_identifier(NULL, "Card", "Card#1"), 1, "without datasets: the first");
	is_number(vci_dataset_of_identifier(NULL, "Card", "Card#2"), 0, "and no second");
}

int
main(void)
{
	test_check();
	test_limits();
	test_find();
	test_identifiers();
	return done_testing();
}
