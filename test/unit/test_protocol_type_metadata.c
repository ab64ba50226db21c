/* Type metadata says what credentials of the configuration are like, or verifiers refuse them. */
#include "protocol/type_metadata.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

static void
check_path(const char *vct, const char *expected)
{
	VciIssuer issuer = example_issuer();

	issuer.url = "https://registry.example/tenant";
	issuer.endpoints[VCI_ENDPOINT_NONCE].url = "https://api.example:8443/nonce";
	is_text(vci_type_path(&issuer, vct), expected, vct);
}

static void
test_paths(void)
{
	check_path("https://registry.example/types/a", "/types/a");
	check_path("https://registry.example/tenant/a", "/tenant/a");
	check_path("https://api.example:8443/t", "/t");
	check_path("https://registry.example", NULL);
	check_path("https://registry.example/", NULL);
	check_path("https://registry.example/a?b", NULL);
	check_path("https://registry.example/a#b", NULL);
	check_path("https://registry.example/%61", NULL);
	check_path("https://registry.example.evil/a", NULL);
	check_path("https://registry.example:443/a", NULL);
	check_path("https://REGISTRY.example/a", NULL);
	check_path("http://registry.example/a", NULL);
	check_path("https://api.example/t", NULL);
	check_path("urn:example:entitlement", NULL);
	check_path("entitlement", NULL);
	check_path("", NULL);
}

static VciConfiguration
configuration_of(const char *always, const char *selective)
{
	VciConfiguration configuration = example_configuration();

	configuration.always_disclosed = json(always);
	configuration.selectively_disclosable = json(selective);
	return configuration;
}

static void
clear(VciConfiguration *configuration)
{
	vci_json_free(configuration->always_disclosed);
	vci_json_free(configuration->selectively_disclosable);
	vci_json_free(configuration->claims);
	vci_json_free(configuration->display);
}

/* What "sd" says of path, of a configuration that describes it. */
static void
check_sd(const char *always, const char *selective, const char *path, const char *expected,
		 const char *what)
{
	VciConfiguration configuration = configuration_of(always, selective);
	VciJson *metadata;

	configuration.claims = vci_json_new_array();
	vci_json_append(configuration.claims, vci_json_new_object());
	vci_json_set(vci_json_array_at(configuration.claims, 0), "path", json(path));
	is_status(vci_configuration_check(&configuration, &error), VCI_OK, &error, "a configuration");
	metadata = vci_type_metadata(&configuration);
	is_text(vci_json_get_string(vci_json_array_at(vci_json_get(metadata, "claims"), 0), "sd"),
			expected, what);
	vci_json_free(metadata);
	clear(&configuration);
}

static void
test_disclosure(void)
{
	check_sd("[]", "[[\"a\"]]", "[\"a\"]", "always", "selectively disclosable");
	check_sd("[[\"a\"]]", "[]", "[\"a\"]", "never", "always disclosed");
	check_sd("[]", "[]", "[\"a\"]", "always", "what no list mentions is concealed");
	check_sd("[]", "[]", "[\"a\",\"b\"]", "never", "and what stands in it goes with it");
	check_sd("[]", "[[\"a\"]]", "[\"a\",\"b\"]", "never", "the same in what is listed");
	check_sd("[[\"a\"]]", "[]", "[\"a\",\"b\"]", "never", "within what is always disclosed");
	check_sd("[[\"a\"]]", "[[\"a\",\"b\"]]", "[\"a\",\"b\"]", "always", "unless it is listed");
	check_sd("[[\"a\",\"b\"]]", "[]", "[\"a\",\"c\"]", "always", "beside what is listed");
	check_sd("[[\"a\",\"b\"]]", "[]", "[\"a\"]", "allowed", "around what is listed");
	check_sd("[]", "[[\"a\",null]]", "[\"a\",null]", "always", "each element");
	check_sd("[]", "[[\"a\",null]]", "[\"a\",1]", "always", "one of them");
	check_sd("[]", "[[\"a\",1]]", "[\"a\",null]", "allowed", "some of them");
	check_sd("[]", "[[\"a\",null,\"b\"]]", "[\"a\",null,\"b\"]", "always", "within each element");
	check_sd("[]", "[[\"a\",null,\"b\"]]", "[\"a\",2,\"c\"]", "always", "beside it");
}

static void
test_document(void)
{
	VciConfiguration configuration = configuration_of("[[\"id\"]]", "[[\"amount\"],[\"note\"]]");

	configuration.display =
		json("[{\"name\":\"Ajuda\",\"locale\":\"pt\"},{\"name\":\"Aid\",\"locale\":\"en\","
			 "\"description\":\"Food\",\"background_color\":\"#fff\",\"text_color\":\"#000\","
			 "\"logo\":{\"uri\":\"https://registry.example/l.png\",\"alt_text\":\"L\"}},"
			 "{\"name\":\"Any\"}]");
	configuration.claims =
		json("[{\"path\":[\"amount\"],\"mandatory\":true,\"display\":[{\"name\":\"Amount\","
			 "\"locale\":\"en\"},{\"name\":\"?\"}]},{\"path\":[\"id\"],\"mandatory\":false}]");
	is_json(vci_type_metadata(&configuration),
			"{\"vct\":\"https://registry.example/entitlement\",\"name\":\"Aid\","
			"\"description\":\"Food\",\"display\":[{\"locale\":\"pt\",\"name\":\"Ajuda\"},"
			"{\"locale\":\"en\",\"name\":\"Aid\",\"description\":\"Food\",\"rendering\":{"
			"\"simple\":{\"logo\":{\"uri\":\"https://registry.example/l.png\",\"alt_text\":\"L\"},"
			"\"background_color\":\"#fff\",\"text_color\":\"#000\"}}},"
			"{\"locale\":\"und\",\"name\":\"Any\"}],\"claims\":["
			"{\"path\":[\"amount\"],\"display\":[{\"locale\":\"en\",\"label\":\"Amount\"},"
			"{\"locale\":\"und\",\"label\":\"?\"}],\"mandatory\":true,\"sd\":\"always\"},"
			"{\"path\":[\"id\"],\"sd\":\"never\"},{\"path\":[\"note\"],\"sd\":\"always\"}]}",
			"display, rendering, claims that are described, then those that are listed");
	clear(&configuration);

	configuration = example_configuration();
	is_json(vci_type_metadata(&configuration),
			"{\"vct\":\"https://registry.example/entitlement\","
			"\"name\":\"EntitlementCredential\"}",
			"a configuration that says nothing of itself");
}

int
main(void)
{
	test_paths();
	test_disclosure();
	test_document();
	return done_testing();
}
