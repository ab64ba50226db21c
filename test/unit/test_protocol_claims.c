/* Claims: reserved names, mandatory ones, and that what nobody listed is concealed. */
#include "protocol/claims.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

static void
check_claims(const char *claims, VciStatus expected, const char *needle, const char *what)
{
	VciJson *parsed = json(claims);
	VciStatus status = vci_claims_check(parsed, &error);

	ok(needle == NULL || strstr(error.text, needle) != NULL, "%s: the text names it", what);
	is_status(status, expected, &error, what);
	vci_json_free(parsed);
}

static void
test_reserved(void)
{
	static const char *const top[] = {"iss", "iat",	   "nbf",			"exp",	  "cnf",
									  "vct", "status", "vct#integrity", "_sd_alg"};
	char text[128];

	for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++)
	{
		snprintf(text, sizeof(text), "{\"a\":1,\"%s\":\"x\"}", top[i]);
		check_claims(text, VCI_ERR_CLAIM_RESERVED, top[i], "a reserved claim at the top");
		snprintf(text, sizeof(text), "{\"a\":{\"%s\":\"x\"}}", top[i]);
		check_claims(text, VCI_OK, NULL, "the same name within a claim");
		snprintf(text, sizeof(text), "{\"%sX\":1}", top[i]);
		check_claims(text, VCI_OK, NULL, "a longer name");
	}
	check_claims("{\"status\":null}", VCI_ERR_CLAIM_RESERVED, "status", "a reserved claim of null");
	check_claims("{\"_sd\":[]}", VCI_ERR_CLAIM_RESERVED, "_sd", "_sd at the top");
	check_claims("{\"a\":[{\"b\":{\"_sd\":[]}}]}", VCI_ERR_CLAIM_RESERVED, "_sd", "_sd deep down");
	check_claims("{\"a\":[{\"...\":\"x\"}]}", VCI_ERR_CLAIM_RESERVED, "...", "... in an array");
	check_claims("{\"...\":1}", VCI_ERR_CLAIM_RESERVED, "...", "... at the top");
	check_claims("{}", VCI_OK, NULL, "no claims at all");
	check_claims("{\"entitlementStatus\":\"approved\"}", VCI_OK, NULL, "an ordinary claim");
	check_claims("[]", VCI_ERR_REQUEST, "object", "an array");
	check_claims("null", VCI_ERR_REQUEST, "object", "null");
	check_claims("\"a\"", VCI_ERR_REQUEST, "object", "a string");
}

/* {"a":{"a":...1}} of that many objects. */
static VciJson *
nested(int depth)
{
	char text[1024] = "";

	for (int i = 0; i < depth; i++)
		strcat(text, "{\"a\":");
	strcat(text, "1");
	for (int i = 0; i < depth; i++)
		strcat(text, "}");
	return json(text);
}

static void
test_depth(void)
{
	VciJson *claims = nested(VCI_JSON_MAX_DEPTH - 1);

	is_status(vci_claims_check(claims, &error), VCI_OK, &error, "31 levels are accepted");
	vci_json_free(claims);
	claims = nested(VCI_JSON_MAX_DEPTH);
	is_status(vci_claims_check(claims, &error), VCI_ERR_JSON_DEPTH, &error,
			  "32 are refused: concealed, no parser would take them");
	vci_json_free(claims);
}

static void
check_mandatory(const char *descriptions, const char *claims, const char *missing, const char *what)
{
	VciConfiguration configuration = example_configuration();
	VciJson *parsed = json(claims);
	VciStatus status;

	configuration.claims = json(descriptions);
	status = vci_claims_check_mandatory(parsed, &configuration, &error);
	ok(missing == NULL || strstr(error.text, missing) != NULL, "%s: the text names it", what);
	is_status(status, missing == NULL ? VCI_OK : VCI_ERR_CLAIM_MISSING, &error, what);
	vci_json_free(configuration.claims);
	vci_json_free(parsed);
}

static void
test_mandatory(void)
{
	const char *names = "[{\"path\":[\"a\"],\"mandatory\":true},{\"path\":[\"b\"]},"
						"{\"path\":[\"c\"],\"mandatory\":false}]";
	const char *deep = "[{\"path\":[\"a\",\"b\"],\"mandatory\":true}]";
	const char *element = "[{\"path\":[\"a\",1],\"mandatory\":true}]";
	const char *all = "[{\"path\":[\"a\",null,\"b\"],\"mandatory\":true}]";

	check_mandatory(names, "{\"a\":1}", NULL, "the mandatory claim alone suffices");
	check_mandatory(names, "{\"a\":false}", NULL, "false is a value");
	check_mandatory(names, "{\"a\":\"\"}", NULL, "an empty text is a value");
	check_mandatory(names, "{\"b\":1,\"c\":1}", " a ", "without it, the others do not");
	check_mandatory(names, "{\"a\":null}", " a ", "null is no value");
	check_mandatory(deep, "{\"a\":{\"b\":1}}", NULL, "a member within");
	check_mandatory(deep, "{\"a\":{\"c\":1}}", "a.b", "a member that is absent");
	check_mandatory(deep, "{\"a\":7}", "a.b", "a member of a number");
	check_mandatory(deep, "{\"a\":[{\"b\":1}]}", "a.b", "a name does not select in an array");
	check_mandatory(element, "{\"a\":[1,2]}", NULL, "an element");
	check_mandatory(element, "{\"a\":[1]}", "a[1]", "an element that is absent");
	check_mandatory(element, "{\"a\":{\"1\":1}}", "a[1]", "an index does not select in an object");
	check_mandatory(all, "{\"a\":[{\"c\":1},{\"b\":1}]}", NULL, "one of all elements");
	check_mandatory(all, "{\"a\":[]}", "a[*].b", "none of no elements");
	check_mandatory("null", "{}", NULL, "without descriptions, nothing is mandatory");
}

static void
check_concealed(const char *always, const char *selective, const char *claims, const char *expected,
				const char *what)
{
	VciConfiguration configuration = example_configuration();
	VciJson *parsed = json(claims);
	VciJson *paths;

	configuration.always_disclosed = json(always);
	configuration.selectively_disclosable = json(selective);
	is_status(vci_claims_disclosable(parsed, &configuration, &paths, &error), VCI_OK, &error, what);
	is_json(paths, expected, "these are concealed");
	vci_json_free(configuration.always_disclosed);
	vci_json_free(configuration.selectively_disclosable);
	vci_json_free(parsed);
}

static void
test_concealed(void)
{
	check_concealed("[[\"id\"]]", "[[\"name\"]]", "{\"id\":1,\"name\":2}", "[[\"name\"]]",
					"a claim in each list");
	check_concealed("[[\"id\"]]", "[]", "{\"id\":1,\"secret\":2}", "[[\"secret\"]]",
					"a claim that nobody listed is not shown to every verifier");
	check_concealed("null", "null", "{\"a\":1,\"b\":null}", "[[\"a\"],[\"b\"]]",
					"without lists all is concealed");
	check_concealed("[[\"a\"]]", "[[\"a\",\"b\"]]", "{\"a\":{\"b\":1,\"c\":2}}", "[[\"a\",\"b\"]]",
					"what stands in a disclosed claim is disclosed");
	check_concealed("[]", "[[\"a\"],[\"a\",\"b\"]]", "{\"a\":{\"b\":1,\"c\":2}}",
					"[[\"a\"],[\"a\",\"b\"]]", "nested disclosures stay as listed");
	check_concealed("[[\"a\",\"b\"]]", "[]", "{\"a\":{\"b\":1,\"c\":2}}", "[[\"a\",\"c\"]]",
					"beside a member that is listed, the others are concealed");
	check_concealed("[]", "[[\"a\",\"b\"]]", "{\"a\":{\"b\":1,\"c\":2}}",
					"[[\"a\",\"b\"],[\"a\",\"c\"]]", "whichever list it stands in");
	check_concealed("[[\"a\",\"b\"]]", "[]", "{\"a\":7}", "[[\"a\"]]",
					"a number where an object was meant is concealed");
	check_concealed("[[\"a\",\"b\"]]", "[]", "{\"a\":[7]}", "[[\"a\",0]]",
					"and so is each element of an array there");
	check_concealed("[[\"a\",0]]", "[]", "{\"a\":[1,2,3]}", "[[\"a\",1],[\"a\",2]]",
					"elements beside a listed one");
	check_concealed("[[\"a\",null]]", "[]", "{\"a\":[1,2,3]}", "[]", "null lists each element");
	check_concealed("[[\"a\",null,\"b\"]]", "[]", "{\"a\":[{\"b\":1},{\"b\":1,\"c\":2}]}",
					"[[\"a\",1,\"c\"]]", "members beside a listed one in any element");
	check_concealed("[[\"0\"]]", "[]", "{\"0\":1}", "[]", "a name of digits is a name");
	check_concealed("[[\"a\"]]", "[[\"x\"],[\"y\",\"z\"]]", "{\"a\":1}", "[[\"x\"],[\"y\",\"z\"]]",
					"a pointer that selects nothing stays");
	check_concealed("[[\"a\"]]", "[]", "{}", "[]", "no claims, nothing to conceal");
}

int
main(void)
{
	test_reserved();
	test_depth();
	test_mandatory();
	test_concealed();
	return done_testing();
}
