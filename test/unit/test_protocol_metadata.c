/* What an issuer publishes: exactly what works, in shapes that real libraries read. */
#include "protocol/metadata.h"

#include "protocol_fixture.h"

/* The member at the end of a chain of names, printed. */
static void
check_member(const VciJson *document, const char *const *names, const char *expected,
			 const char *what)
{
	const VciJson *value = document;

	for (; *names != NULL; names++)
		value = vci_json_get(value, *names);
	is_json(vci_json_ref((VciJson *) value), expected, what);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_issuer_metadata(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *metadata = vci_metadata_credential_issuer(&issuer, NULL, 0);

	is_json(metadata,
			"{\"credential_issuer\":\"https://registry.example\","
			"\"credential_endpoint\":\"https://registry.example/api/v1/openid4vci/credential\","
			"\"nonce_endpoint\":\"https://registry.example/api/v1/openid4vci/nonce\","
			"\"credential_configurations_supported\":{}}",
			"an issuer without display, batches and configurations advertises none");
	issuer.url = "https://registry.example/tenant";
	issuer.batch_size = 2;
	issuer.display = json("[{\"name\":\"OpenSPP Social Registry\",\"locale\":\"en-US\"}]");
	metadata = vci_metadata_credential_issuer(&issuer, NULL, 0);
	check_member(metadata, NAMES("batch_credential_issuance"), "{\"batch_size\":2}",
				 "batches from two on");
	check_member(metadata, NAMES("display"),
				 "[{\"name\":\"OpenSPP Social Registry\",\"locale\":\"en-US\"}]", "display");
	check_member(metadata, NAMES("credential_endpoint"),
				 "\"https://registry.example/tenant/api/v1/openid4vci/credential\"",
				 "endpoints stand below the issuer's path");
	vci_json_free(metadata);
	vci_json_free(issuer.display);
}

/* The published object of one configuration; new. */
static VciJson *
publish(const VciConfiguration *configuration)
{
	VciIssuer issuer = example_issuer();
	VciJson *metadata = vci_metadata_credential_issuer(&issuer, configuration, 1);
	VciJson *object = vci_json_ref(vci_json_get(
		vci_json_get(metadata, "credential_configurations_supported"), configuration->id));

	vci_json_free(metadata);
	return object;
}

static void
test_configuration(void)
{
	VciConfiguration configuration = example_configuration();

	is_json(publish(&configuration),
			"{\"format\":\"dc+sd-jwt\",\"scope\":\"entitlement\","
			"\"vct\":\"https://registry.example/entitlement\","
			"\"proof_types_supported\":{\"jwt\":{\"proof_signing_alg_values_supported\":"
			"[\"ES256\",\"ES384\",\"EdDSA\",\"RS256\",\"PS256\"]}},"
			"\"cryptographic_binding_methods_supported\":[\"jwk\",\"did:jwk\",\"did:key\"],"
			"\"credential_signing_alg_values_supported\":[\"ES256\"],\"credential_metadata\":{}}",
			"a configuration of strict 1.0");
	configuration.binding = VCI_HOLDER_OPTIONAL;
	configuration.scope = NULL;
	configuration.signing_alg = VCI_ALG_EDDSA;
	is_json(publish(&configuration),
			"{\"format\":\"dc+sd-jwt\",\"vct\":\"https://registry.example/entitlement\","
			"\"credential_signing_alg_values_supported\":[\"EdDSA\"],\"credential_metadata\":{}}",
			"optional binding: a wallet that sees proof types would have to send proofs");
	configuration.binding = VCI_HOLDER_ABSENT;
	is_json(publish(&configuration),
			"{\"format\":\"dc+sd-jwt\",\"vct\":\"https://registry.example/entitlement\","
			"\"credential_signing_alg_values_supported\":[\"EdDSA\"],\"credential_metadata\":{}}",
			"absent binding");
}

static const char *const display = "[{\"name\":\"Entitlement\",\"locale\":\"en-US\"}]";
static const char *const claims =
	"[{\"path\":[\"id\"],\"mandatory\":true,\"display\":[{\"name\":\"ID\"}]},"
	"{\"path\":[\"amount\",\"value\"],\"mandatory\":false},{\"path\":[\"amount\"]},"
	"{\"path\":[\"list\",null]},{\"path\":[\"amount\",\"display\"]},{\"path\":[\"display\"]}]";

static void
test_older_members(void)
{
	VciConfiguration configuration = example_configuration();
	VciJson *object;

	configuration.display = json(display);
	configuration.claims = json(claims);
	object = publish(&configuration);
	check_member(object, NAMES("credential_metadata", "claims"), claims, "claims of 1.0");
	check_member(object, NAMES("credential_metadata", "display"), display, "display of 1.0");
	ok(!vci_json_has(object, "display") && !vci_json_has(object, "claims") &&
		   !vci_json_has(object, "cryptographic_suites_supported"),
	   "nothing of the drafts while the switch is off");
	vci_json_free(object);

	configuration.older = VCI_OLDER_METADATA;
	object = publish(&configuration);
	check_member(object, NAMES("credential_metadata", "claims"), claims, "1.0 stays");
	check_member(object, NAMES("claims"), claims, "draft 15: the array at the top");
	check_member(object, NAMES("display"), display, "display at the top");
	check_member(object, NAMES("cryptographic_suites_supported"), "[\"ES256\"]", "drafts 11, 12");
	vci_json_free(object);

	configuration.format = "vc+sd-jwt";
	object = publish(&configuration);
	check_member(object, NAMES("claims"),
				 "{\"id\":{\"mandatory\":true,\"display\":[{\"name\":\"ID\"}]},"
				 "\"amount\":{\"value\":{\"mandatory\":false}},\"display\":{}}",
				 "drafts 13 and 14: an object, without what it cannot say");
	ok(vci_json_has(object, "vct") && !vci_json_has(object, "credential_definition"),
	   "vct and credential_definition never stand together: libraries refuse that");
	vci_json_free(object);

	vci_json_free(configuration.claims);
	configuration.claims = NULL;
	object = publish(&configuration);
	ok(!vci_json_has(object, "claims"), "no claims, no member");
	vci_json_free(object);
	vci_json_free(configuration.display);
}

static void
test_authorization_server(void)
{
	VciIssuer issuer = example_issuer();
	VciConfiguration configuration = example_configuration();

	is_json(vci_metadata_authorization_server(&issuer, &configuration, 1),
			"{\"issuer\":\"https://registry.example\","
			"\"token_endpoint\":\"https://registry.example/api/v1/openid4vci/token\","
			"\"jwks_uri\":\"https://registry.example/api/v1/openid4vci/jwks\","
			"\"grant_types_supported\":[\"urn:ietf:params:oauth:grant-type:pre-authorized_code\"],"
			"\"token_endpoint_auth_methods_supported\":[\"none\"],"
			"\"authorization_details_types_supported\":[\"openid_credential\"],"
			"\"pre-authorized_grant_anonymous_access_supported\":true}",
			"the one grant that works, anonymous access, and no empty array (RFC 8414 3.2)");
}

static void
test_keys(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *ec = json("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\"}");
	VciJson *okp = json("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"c\"}");
	VciPublishedKey keys[] = {{"k1", ec, VCI_ALG_ES256}, {"k/2 x", okp, VCI_ALG_EDDSA}};
	const char *jwks = "{\"keys\":[{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\","
					   "\"kid\":\"k1\",\"alg\":\"ES256\",\"use\":\"sig\"},"
					   "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"c\",\"kid\":\"k/2 x\","
					   "\"alg\":\"EdDSA\",\"use\":\"sig\"}]}";
	VciJson *document;

	is_json(vci_metadata_jwks(keys, 2), jwks, "a JWK set with kid, alg and use");
	is_json(vci_metadata_jwks(keys, 0), "{\"keys\":[]}", "an empty JWK set is one");
	document = vci_metadata_jwt_vc_issuer(&issuer, keys, 2);
	check_member(document, NAMES("issuer"), "\"https://registry.example\"",
				 "jwt-vc-issuer names the issuer as iss does");
	check_member(document, NAMES("jwks"), jwks, "and its keys by value");
	ok(!vci_json_has(document, "jwks_uri"), "jwks and jwks_uri exclude each other");
	vci_json_free(document);

	issuer.url = "http://127.0.0.1:8180/tenant";
	document = vci_metadata_did_document(&issuer, keys, 2);
	check_member(document, NAMES("id"), "\"did:web:127.0.0.1%3A8180:tenant\"", "the DID");
	check_member(document, NAMES("assertionMethod"),
				 "[\"did:web:127.0.0.1%3A8180:tenant#k1\","
				 "\"did:web:127.0.0.1%3A8180:tenant#k%2F2%20x\"]",
				 "each key may assert, under an id that is a DID URL");
	is_json(vci_json_ref(vci_json_array_at(vci_json_get(document, "verificationMethod"), 0)),
			"{\"id\":\"did:web:127.0.0.1%3A8180:tenant#k1\",\"type\":\"JsonWebKey2020\","
			"\"controller\":\"did:web:127.0.0.1%3A8180:tenant\",\"publicKeyJwk\":"
			"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\",\"kid\":\"k1\","
			"\"alg\":\"ES256\",\"use\":\"sig\"}}",
			"a verification method");
	ok(!vci_json_has(document, "authentication"), "an issuer's key signs in nowhere");
	vci_json_free(document);
	vci_json_free(ec);
	vci_json_free(okp);
}

static bool
says_where_and_what(const char *detail)
{
	bool where = strstr(detail, "section") != NULL || strstr(detail, "appendix") != NULL;
	bool what = strstr(detail, "Set ") != NULL || strstr(detail, "Switch ") != NULL ||
				strstr(detail, "Use ") != NULL;

	return where && what;
}

/* The names of what deviates, joined. */
static void
check_deviations(const VciIssuer *issuer, const VciConfiguration *configuration,
				 const char *expected, const char *what)
{
	VciDeviation deviations[VCI_MAX_DEVIATIONS];
	size_t count = vci_deviations(issuer, configuration, deviations, VCI_MAX_DEVIATIONS);
	char names[512] = "";
	bool told = true;

	for (size_t i = 0; i < count; i++)
	{
		strcat(names, i > 0 ? " " : "");
		strcat(names, deviations[i].name);
		told = told && says_where_and_what(deviations[i].detail);
	}
	is_text(names, expected, what);
	ok(told, "and each says where the rule stands and what to change");
}

static void
test_deviations(void)
{
	VciIssuer issuer = example_issuer();
	VciConfiguration configuration = example_configuration();
	VciDeviation one;

	check_deviations(&issuer, NULL, "", "an issuer of the profile final has none");
	check_deviations(&issuer, &configuration, "", "nor a strict configuration");
	issuer.profile = VCI_PROFILE_OPENSPP;
	issuer.access_token_lifetime = 86400;
	issuer.offer_lifetime = 7 * 86400;
	issuer.c_nonce_lifetime = 86400;
	check_deviations(&issuer, NULL, "access_token_lifetime offer_lifetime profile",
					 "an issuer of the profile openspp");
	issuer.url = "http://127.0.0.1:8180";
	issuer.iss_did_web = true;
	issuer.time_rounding = 1;
	check_deviations(&issuer, NULL,
					 "access_token_lifetime offer_lifetime profile url iss_did_web time_rounding",
					 "an issuer with everything turned");
	is_number((int64_t) vci_deviations(&issuer, NULL, &one, 1), 1,
			  "no more than there is room for");
	issuer = example_issuer();
	issuer.access_token_lifetime = 301;
	issuer.offer_lifetime = 3601;
	check_deviations(&issuer, NULL, "access_token_lifetime offer_lifetime", "a second too long");

	configuration.format = "vc+sd-jwt";
	configuration.older = (1 << 6) - 1;
	check_deviations(&issuer, &configuration,
					 "format format_request singular_proof untyped_proof vc_sd_jwt metadata "
					 "holder_without_proof",
					 "a configuration that bends as far as it can");
	configuration = example_configuration();
	configuration.binding = VCI_HOLDER_ABSENT;
	check_deviations(&issuer, &configuration, "", "binding is the issuer's choice in 1.0");
}

int
main(void)
{
	test_issuer_metadata();
	test_configuration();
	test_older_members();
	test_authorization_server();
	test_keys();
	test_deviations();
	return done_testing();
}
