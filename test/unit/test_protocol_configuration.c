/* What an operator may write into a configuration, and what each refusal guards. */
#include "protocol/issuer.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

/* Checks a configuration and that the refusal, when there is one, names what is wrong. */
static void
check(const VciConfiguration *configuration, VciStatus expected, const char *needle,
	  const char *what)
{
	VciStatus status = vci_configuration_check(configuration, &error);
	bool named = needle == NULL || strstr(error.text, needle) != NULL;

	if (!named)
		printf("# text: %s\n", error.text);
	is_status(status, expected, &error, what);
	if (!named)
		ok(false, "%s: the text says %s", what, needle);
}

static void
test_names(void)
{
	static const char *const words[] = {"",		 "with space", "quote\"",	  "back\\slash",
										"tab\t", "line\n",	   "caf\xc3\xa9", "\x7f"};
	VciConfiguration configuration = example_configuration();
	char name[1100];

	check(&configuration, VCI_OK, NULL, "an ordinary configuration is accepted");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		configuration = example_configuration();
		configuration.id = (char *) words[i];
		check(&configuration, VCI_ERR_CONFIGURATION, "id", "an id must be plain visible ASCII");
		configuration = example_configuration();
		configuration.vct = (char *) words[i];
		check(&configuration, VCI_ERR_CONFIGURATION, "vct", "a vct must be plain visible ASCII");
		configuration = example_configuration();
		configuration.scope = (char *) words[i];
		check(&configuration, VCI_ERR_CONFIGURATION, "scope", "a scope must be a scope token");
	}
	configuration = example_configuration();
	configuration.id = "Entitlement#1";
	check(&configuration, VCI_ERR_CONFIGURATION, "#", "# is kept for credential identifiers");
	configuration.id = NULL;
	check(&configuration, VCI_ERR_CONFIGURATION, "id", "no id is refused");

	configuration = example_configuration();
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	configuration.id = name;
	check(&configuration, VCI_OK, NULL, "an id of 255 characters is accepted");
	name[255] = 'a';
	name[256] = '\0';
	check(&configuration, VCI_ERR_CONFIGURATION, "255", "an id of 256 characters is refused");
	configuration = example_configuration();
	configuration.scope = NULL;
	check(&configuration, VCI_OK, NULL, "no scope is accepted");
	configuration.vct = NULL;
	check(&configuration, VCI_ERR_CONFIGURATION, "vct", "no vct is refused");
}

static void
test_settings(void)
{
	VciConfiguration configuration = example_configuration();

	configuration.format = "vc+sd-jwt";
	check(&configuration, VCI_OK, NULL, "vc+sd-jwt is accepted");
	configuration.format = "jwt_vc_json";
	check(&configuration, VCI_ERR_CONFIGURATION, "dc+sd-jwt", "another format is refused");
	configuration.format = NULL;
	check(&configuration, VCI_ERR_CONFIGURATION, "dc+sd-jwt", "no format is refused");

	configuration = example_configuration();
	configuration.validity = 0;
	check(&configuration, VCI_OK, NULL, "no expiry is accepted");
	configuration.validity = -1;
	check(&configuration, VCI_ERR_CONFIGURATION, "validity", "a negative validity is refused");
	configuration.validity = INT64_MAX;
	check(&configuration, VCI_ERR_CONFIGURATION, "validity", "a validity that would overflow exp");

	configuration = example_configuration();
	configuration.decoys = 64;
	check(&configuration, VCI_OK, NULL, "64 decoys are accepted");
	configuration.decoys = 65;
	check(&configuration, VCI_ERR_CONFIGURATION, "decoys", "65 decoys are refused");
	configuration.decoys = -1;
	check(&configuration, VCI_ERR_CONFIGURATION, "decoys", "negative decoys are refused");

	configuration = example_configuration();
	configuration.older = (1 << 7) - 1;
	check(&configuration, VCI_OK, NULL, "all switches together are accepted");
	configuration.older = 1 << 7;
	check(&configuration, VCI_ERR_CONFIGURATION, "switch", "an unknown switch is refused");
}

static void
check_lists(const char *always, const char *selective, VciStatus expected, const char *needle,
			const char *what)
{
	VciConfiguration configuration = example_configuration();

	configuration.always_disclosed = json(always);
	configuration.selectively_disclosable = json(selective);
	check(&configuration, expected, needle, what);
	vci_json_free(configuration.always_disclosed);
	vci_json_free(configuration.selectively_disclosable);
}

static void
test_pointers(void)
{
	static const char *const reserved[] = {"iss", "iat",		   "nbf",	 "exp",	   "cnf",
										   "vct", "vct#integrity", "status", "_sd_alg"};

	check_lists("[[\"id\"]]",
				"[[\"amount\"],[\"amount\",\"value\"],[\"list\",null,\"a\"],[\"l\",0]]", VCI_OK,
				NULL, "names, indexes and null are accepted");
	check_lists("[]", "[\"amount\"]", VCI_ERR_CLAIM_PATH, NULL, "a bare name is no pointer");
	check_lists("{}", "[]", VCI_ERR_CLAIM_PATH, "always_disclosed", "an object is no list");
	check_lists("[]", "7", VCI_ERR_CLAIM_PATH, "selectively_disclosable", "a number is no list");
	check_lists("[[]]", "[]", VCI_ERR_CLAIM_PATH, NULL, "an empty pointer is refused");
	check_lists("[[\"a\",-1]]", "[]", VCI_ERR_CLAIM_PATH, NULL, "a negative index is refused");
	check_lists("[[\"a\",1.5]]", "[]", VCI_ERR_CLAIM_PATH, NULL, "a fraction is refused");
	check_lists("[[\"a\",true]]", "[]", VCI_ERR_CLAIM_PATH, NULL, "a boolean is refused");
	check_lists("[[0]]", "[]", VCI_ERR_CLAIM_PATH, "name of a claim", "claims are an object");
	check_lists("[[null,\"a\"]]", "[]", VCI_ERR_CLAIM_PATH, "name of a claim",
				"null at the top is refused");
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
	{
		char text[64];

		snprintf(text, sizeof(text), "[[\"%s\"]]", reserved[i]);
		check_lists("[]", text, VCI_ERR_CLAIM_RESERVED, reserved[i], "a reserved claim is refused");
		snprintf(text, sizeof(text), "[[\"a\",\"%s\"]]", reserved[i]);
		check_lists("[]", text, VCI_OK, NULL, "the same name within a claim is free");
	}
	check_lists("[[\"a\",\"_sd\"]]", "[]", VCI_ERR_CLAIM_RESERVED, "_sd", "_sd at any depth");
	check_lists("[[\"a\",\"...\"]]", "[]", VCI_ERR_CLAIM_RESERVED, "...", "... at any depth");
}

static void
test_disclosure_conflicts(void)
{
	check_lists("[[\"a\"]]", "[[\"a\"]]", VCI_ERR_CONFIGURATION, "claim a ",
				"one claim cannot be in both lists");
	check_lists("[[\"a\",\"b\"]]", "[[\"a\"]]", VCI_ERR_CONFIGURATION, "a.b",
				"what stands in a concealed claim is not always disclosed");
	check_lists("[[\"a\"]]", "[[\"a\",\"b\"]]", VCI_OK, NULL,
				"a disclosed claim may hold a concealed one");
	check_lists("[[\"a\",0]]", "[[\"a\",null]]", VCI_ERR_CONFIGURATION, "a[0]",
				"null conceals each element");
	check_lists("[[\"a\",null]]", "[[\"a\",3]]", VCI_ERR_CONFIGURATION, "a[*]",
				"an index lies within null");
	check_lists("[[\"a\",0]]", "[[\"a\",1]]", VCI_OK, NULL, "two elements are two claims");
	check_lists("[[\"a\",\"0\"]]", "[[\"a\",0]]", VCI_OK, NULL, "a name is not an index");
}

static void
check_claims(const char *claims, VciStatus expected, const char *needle, const char *what)
{
	VciConfiguration configuration = example_configuration();

	configuration.claims = json(claims);
	check(&configuration, expected, needle, what);
	vci_json_free(configuration.claims);
}

static void
test_descriptions(void)
{
	check_claims("[{\"path\":[\"a\"],\"mandatory\":true,\"display\":[{\"name\":\"A\"}]},"
				 "{\"path\":[\"b\"],\"mandatory\":false},{\"path\":[\"b\",\"c\"]},"
				 "{\"path\":[\"d\",null,\"e\"]},{\"path\":[\"d\",null,\"f\"],\"x\":1}]",
				 VCI_OK, NULL, "ordinary descriptions are accepted");
	check_claims("{}", VCI_ERR_CONFIGURATION, "array", "an object of drafts is refused");
	check_claims("[7]", VCI_ERR_CONFIGURATION, "path", "a number is no description");
	check_claims("[{\"mandatory\":true}]", VCI_ERR_CONFIGURATION, "path", "no path is refused");
	check_claims("[{\"path\":\"a\"}]", VCI_ERR_CLAIM_PATH, NULL, "a path must be an array");
	check_claims("[{\"path\":null}]", VCI_ERR_CLAIM_PATH, NULL, "a null path is refused");
	check_claims("[{\"path\":[\"exp\"]}]", VCI_ERR_CLAIM_RESERVED, "exp", "a reserved claim");
	check_claims("[{\"path\":[\"a\"],\"mandatory\":\"yes\"}]", VCI_ERR_CONFIGURATION, "mandatory",
				 "mandatory must be a boolean");
	check_claims("[{\"path\":[\"a\"],\"mandatory\":null}]", VCI_ERR_CONFIGURATION, "mandatory",
				 "mandatory must not be null");
	check_claims("[{\"path\":[\"a\"],\"display\":[]}]", VCI_ERR_CONFIGURATION, "display of a claim",
				 "an empty display is refused");
	check_claims("[{\"path\":[\"a\",\"b\"]},{\"path\":[\"a\",\"b\"]}]", VCI_ERR_CONFIGURATION,
				 "a.b twice", "B.3: one claim described twice");
	check_claims("[{\"path\":[\"a\",null]},{\"path\":[\"a\",0]}]", VCI_ERR_CONFIGURATION,
				 "one by one", "B.3: all elements, and one of them");
	check_claims("[{\"path\":[\"a\",0]},{\"path\":[\"a\",\"b\"]}]", VCI_ERR_CONFIGURATION,
				 "array and for an object", "B.3: an array by index, and an object");
	check_claims("[{\"path\":[\"a\",\"b\",\"c\"]},{\"path\":[\"a\",null]}]", VCI_ERR_CONFIGURATION,
				 "array and for an object", "B.3: an array by null, and an object");
	check_claims("[{\"path\":[\"a\",0]},{\"path\":[\"a\",1]}]", VCI_OK, NULL,
				 "two elements of one array may be described");
}

static void
check_display(const char *display, VciStatus expected, const char *what)
{
	VciConfiguration configuration = example_configuration();
	VciJson *parsed = json(display);

	configuration.display = parsed;
	is_status(vci_configuration_check(&configuration, &error), expected, &error, what);
	is_status(vci_issuer_display_check(parsed, &error), expected, &error, "and for an issuer");
	vci_json_free(parsed);
}

static void
test_display(void)
{
	check_display("[{\"name\":\"A\"},{\"name\":\"B\",\"locale\":\"en-US\"},"
				  "{\"name\":\"C\",\"locale\":\"sr-Latn-RS\"}]",
				  VCI_OK, "several languages are accepted");
	check_display("[{\"name\":\"A\",\"logo\":{\"uri\":\"https://r.example/l.png\","
				  "\"alt_text\":\"a logo\"},\"background_image\":{\"uri\":"
				  "\"data:image/png;base64,AAAA\"},\"background_color\":\"#12107c\","
				  "\"text_color\":\"#FFF\",\"description\":\"d\",\"other\":1}]",
				  VCI_OK, "every member of 12.2.4 is accepted");
	check_display("[]", VCI_ERR_CONFIGURATION, "an empty array is refused");
	check_display("{}", VCI_ERR_CONFIGURATION, "an object is refused");
	check_display("[\"A\"]", VCI_ERR_CONFIGURATION, "a string is refused");
	check_display("[{}]", VCI_ERR_CONFIGURATION, "no name is refused");
	check_display("[{\"name\":\"\"}]", VCI_ERR_CONFIGURATION, "an empty name is refused");
	check_display("[{\"name\":7}]", VCI_ERR_CONFIGURATION, "a number as name is refused");
	check_display("[{\"name\":\"A\",\"locale\":7}]", VCI_ERR_CONFIGURATION, "a number as locale");
	check_display("[{\"name\":\"A\",\"locale\":\"\"}]", VCI_ERR_CONFIGURATION, "an empty locale");
	check_display("[{\"name\":\"A\",\"locale\":\"en_US\"}]", VCI_ERR_CONFIGURATION,
				  "an underscore is no language tag");
	check_display("[{\"name\":\"A\",\"locale\":\"en-\"}]", VCI_ERR_CONFIGURATION,
				  "a hyphen at the end");
	check_display("[{\"name\":\"A\",\"locale\":\"9en\"}]", VCI_ERR_CONFIGURATION,
				  "a digit at the start");
	check_display("[{\"name\":\"A\",\"locale\":\"abcdefghi\"}]", VCI_ERR_CONFIGURATION,
				  "a subtag of nine");
	check_display("[{\"name\":\"A\"},{\"name\":\"B\"}]", VCI_ERR_CONFIGURATION,
				  "two entries without locale are refused");
	check_display("[{\"name\":\"A\",\"locale\":\"en-US\"},{\"name\":\"B\",\"locale\":\"EN-us\"}]",
				  VCI_ERR_CONFIGURATION, "one locale twice is refused, in any case");
	check_display("[{\"name\":\"A\",\"logo\":\"https://r.example/l.png\"}]", VCI_ERR_CONFIGURATION,
				  "a logo must be an object");
	check_display("[{\"name\":\"A\",\"logo\":{}}]", VCI_ERR_CONFIGURATION, "a logo needs a uri");
	check_display("[{\"name\":\"A\",\"logo\":{\"uri\":\"http://r.example/l.png\"}}]",
				  VCI_ERR_CONFIGURATION, "http is refused");
	check_display("[{\"name\":\"A\",\"logo\":{\"uri\":\"javascript:alert(1)\"}}]",
				  VCI_ERR_CONFIGURATION, "a script is refused");
	check_display("[{\"name\":\"A\",\"logo\":{\"uri\":\"data:text/html,x\"}}]",
				  VCI_ERR_CONFIGURATION, "data that is no image is refused");
	check_display("[{\"name\":\"A\",\"logo\":{\"uri\":\"https://r.example/ l\"}}]",
				  VCI_ERR_CONFIGURATION, "a space is refused");
	check_display("[{\"name\":\"A\",\"logo\":{\"uri\":\"https://r.example/l\",\"alt_text\":1}}]",
				  VCI_ERR_CONFIGURATION, "alt_text must be a string");
	check_display("[{\"name\":\"A\",\"background_color\":\"red\"}]", VCI_ERR_CONFIGURATION,
				  "a colour name is refused");
	check_display("[{\"name\":\"A\",\"text_color\":\"#12345\"}]", VCI_ERR_CONFIGURATION,
				  "five digits are refused");
	check_display("[{\"name\":\"A\",\"text_color\":\"#12345g\"}]", VCI_ERR_CONFIGURATION,
				  "a letter beyond f is refused");
	check_display("[{\"name\":\"A\",\"text_color\":7}]", VCI_ERR_CONFIGURATION,
				  "a number is no colour");
	check_display("[{\"name\":\"A\",\"description\":[]}]", VCI_ERR_CONFIGURATION,
				  "description must be a string");
}

static void
check_normalized(const char *given, const char *expected, const char *what)
{
	VciJson *from = json(given);
	VciJson *paths;
	VciStatus status = vci_claims_paths_normalize(from, &paths, &error);

	if (expected == NULL)
	{
		is_status(status, VCI_ERR_CLAIM_PATH, &error, what);
		ok(paths == NULL, "%s: no result", what);
	}
	else
	{
		is_status(status, VCI_OK, &error, what);
		is_json(paths, expected, what);
	}
	vci_json_free(from);
}

static void
test_normalize(void)
{
	check_normalized("[\"a\",[\"b\",\"c\"],[\"d\",null,0]]",
					 "[[\"a\"],[\"b\",\"c\"],[\"d\",null,0]]", "names become pointers");
	check_normalized("[]", "[]", "an empty list stays one");
	check_normalized("null", "[]", "no list is an empty one");
	check_normalized("\"a\"", NULL, "a bare name is no list");
	check_normalized("{\"a\":1}", NULL, "an object is no list");
	check_normalized("[7]", NULL, "a number is neither name nor pointer");
	check_normalized("[null]", NULL, "null is neither name nor pointer");
	check_normalized("[[]]", NULL, "an empty pointer is refused");
	check_normalized("[[\"a\",{}]]", NULL, "an object in a pointer is refused");
}

int
main(void)
{
	test_names();
	test_settings();
	test_pointers();
	test_disclosure_conflicts();
	test_descriptions();
	test_display();
	test_normalize();
	return done_testing();
}
