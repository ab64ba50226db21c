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

#define BASE "https://registry.example/api/v1/openid4vci"

static void
test_issuer_metadata(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *metadata = vci_metadata_credential_issuer(&issuer, NULL, 0);

	is_json(metadata,
			"{\"credential_issuer\":\"https://registry.example\","
			"\"credential_endpoint\":\"" BASE "/credential\","
			"\"nonce_endpoint\":\"" BASE "/nonce\","
			"\"deferred_credential_endpoint\":\"" BASE "/deferred_credential\","
			"\"notification_endpoint\":\"" BASE "/notification\","
			"\"credential_configurations_supported\":{}}",
			"an issuer without display, batches and configurations advertises none");
	issuer.batch_size = 2;
	issuer.display = json("[{\"name\":\"OpenSPP Social Registry\",\"locale\":\"en-US\"}]");
	metadata = vci_metadata_credential_issuer(&issuer, NULL, 0);
	check_member(metadata, NAMES("batch_credential_issuance"), "{\"batch_size\":2}",
				 "batches from two on");
	check_member(metadata, NAMES("display"),
				 "[{\"name\":\"OpenSPP Social Registry\",\"locale\":\"en-US\"}]", "display");
	vci_json_free(metadata);
	vci_json_free(issuer.display);
}

static void
test_issuer_endpoints(void)
{
	VciIssuer issuer = example_issuer();

	issuer.endpoints[VCI_ENDPOINT_NONCE].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_DEFERRED_CREDENTIAL].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_NOTIFICATION].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_CREDENTIAL] =
		(VciEndpointRule){false, "https://api.example/issue"};
	is_json(vci_metadata_credential_issuer(&issuer, NULL, 0),
			"{\"credential_issuer\":\"https://registry.example\","
			"\"credential_endpoint\":\"https://api.example/issue\","
			"\"credential_configurations_supported\":{}}",
			"endpoints that are off are gone, but the one that metadata must have; each has the "
			"URL of its settings");
	issuer.endpoints[VCI_ENDPOINT_BATCH_CREDENTIAL].enabled = true;
	is_json(vci_metadata_credential_issuer(&issuer, NULL, 0),
			"{\"credential_issuer\":\"https://registry.example\","
			"\"credential_endpoint\":\"https://api.example/issue\","
			"\"batch_credential_endpoint\":\"" BASE "/batch_credential\","
			"\"credential_configurations_supported\":{}}",
			"the batch endpoint where it is on");
}

static void
test_external_servers(void)
{
	static const char *const servers[] = {"https://esignet.example", "https://keycloak.example/r"};
	VciIssuer issuer = example_issuer();
	VciJson *metadata;

	issuer.authorization_servers = servers;
	issuer.authorization_server_count = 2;
	metadata = vci_metadata_credential_issuer(&issuer, NULL, 0);
	check_member(metadata, NAMES("authorization_servers"),
				 "[\"https://registry.example\",\"https://esignet.example\","
				 "\"https://keycloak.example/r\"]",
				 "the issuer itself comes first among several authorization servers");
	vci_json_free(metadata);
	issuer.endpoints[VCI_ENDPOINT_TOKEN].enabled = false;
	metadata = vci_metadata_credential_issuer(&issuer, NULL, 0);
	check_member(metadata, NAMES("authorization_servers"),
				 "[\"https://esignet.example\",\"https://keycloak.example/r\"]",
				 "without a token endpoint it is none itself");
	vci_json_free(metadata);
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

static const char *const guide_display =
	"[{\"name\":\"Entitlement Credential\",\"locale\":\"en-US\",\"logo\":{\"uri\":"
	"\"https://registry.example/credentials/entitlement.png\"},"
	"\"background_color\":\"#12107c\",\"text_color\":\"#FFFFFF\"}]";

/* Byte for byte, in its order, what OpenSPP's guide shows as the answer of its issuer. */
static const char *const guide_metadata =
	"{\"credential_issuer\":\"https://registry.example\","
	"\"credential_endpoint\":\"" BASE "/credential\","
	"\"batch_credential_endpoint\":\"" BASE "/batch_credential\","
	"\"deferred_credential_endpoint\":\"" BASE "/deferred_credential\","
	"\"display\":[{\"name\":\"OpenSPP Social Registry\",\"locale\":\"en-US\",\"logo\":{\"uri\":"
	"\"https://registry.example/logo.png\",\"alt_text\":\"OpenSPP Logo\"}}],"
	"\"credential_configurations_supported\":{\"EntitlementCredential\":{"
	"\"format\":\"vc+sd-jwt\",\"scope\":\"EntitlementCredential\","
	"\"cryptographic_binding_methods_supported\":[\"jwk\"],"
	"\"cryptographic_suites_supported\":[\"ES256\"],"
	"\"display\":[{\"name\":\"Entitlement Credential\",\"locale\":\"en-US\",\"logo\":{\"uri\":"
	"\"https://registry.example/credentials/entitlement.png\"},"
	"\"background_color\":\"#12107c\",\"text_color\":\"#FFFFFF\"}],"
	"\"credential_definition\":{\"type\":[\"VerifiableCredential\",\"EntitlementCredential\"],"
	"\"credentialSubject\":{\"entitlementId\":{\"mandatory\":true,"
	"\"display\":[{\"name\":\"Entitlement ID\",\"locale\":\"en-US\"}]},"
	"\"amount\":{\"mandatory\":false,"
	"\"display\":[{\"name\":\"Amount\",\"locale\":\"en-US\"}]}}}}}}";

static void
test_guide(void)
{
	VciIssuer issuer = example_issuer();
	VciConfiguration configuration = example_configuration();
	VciJson *object;

	issuer.endpoints[VCI_ENDPOINT_NONCE].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_NOTIFICATION].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_BATCH_CREDENTIAL].enabled = true;
	issuer.display = json("[{\"name\":\"OpenSPP Social Registry\",\"locale\":\"en-US\",\"logo\":"
						  "{\"uri\":\"https://registry.example/logo.png\",\"alt_text\":"
						  "\"OpenSPP Logo\"}}]");
	configuration.format = "vc+sd-jwt";
	configuration.scope = "EntitlementCredential";
	configuration.older = VCI_OLDER_CREDENTIAL_DEFINITION | VCI_OLDER_METADATA;
	configuration.display = json(guide_display);
	configuration.claims = json("[{\"path\":[\"entitlementId\"],\"mandatory\":true,\"display\":"
								"[{\"name\":\"Entitlement ID\",\"locale\":\"en-US\"}]},"
								"{\"path\":[\"amount\"],\"mandatory\":false,\"display\":"
								"[{\"name\":\"Amount\",\"locale\":\"en-US\"}]}]");
	is_json(vci_metadata_credential_issuer(&issuer, &configuration, 1), guide_metadata,
			"with that switch the metadata is the guide's, member for member");
	vci_json_free(configuration.claims);
	vci_json_free(configuration.display);
	configuration.claims = NULL;
	configuration.display = NULL;
	configuration.binding = VCI_HOLDER_OPTIONAL;
	object = publish(&configuration);
	is_json(object,
			"{\"format\":\"vc+sd-jwt\",\"scope\":\"EntitlementCredential\","
			"\"cryptographic_suites_supported\":[\"ES256\"],\"credential_definition\":{\"type\":"
			"[\"VerifiableCredential\",\"EntitlementCredential\"],\"credentialSubject\":{}}}",
			"without display, claims and required binding it says nothing of them");
	vci_json_free(issuer.display);
}

static void
test_authorization_server(void)
{
	VciIssuer issuer = example_issuer();
	VciConfiguration configuration = example_configuration();

	is_json(vci_metadata_authorization_server(&issuer, &configuration, 1),
			"{\"issuer\":\"https://registry.example\","
			"\"token_endpoint\":\"" BASE "/token\","
			"\"jwks_uri\":\"" BASE "/jwks\","
			"\"grant_types_supported\":[\"urn:ietf:params:oauth:grant-type:pre-authorized_code\"],"
			"\"token_endpoint_auth_methods_supported\":[\"none\"],"
			"\"dpop_signing_alg_values_supported\":[\"ES256\",\"ES384\",\"EdDSA\",\"RS256\","
			"\"PS256\"],"
			"\"authorization_details_types_supported\":[\"openid_credential\"],"
			"\"pre-authorized_grant_anonymous_access_supported\":true}",
			"the one grant that works, anonymous access, and no empty array (RFC 8414 3.2)");
}

/* What the metadata says of the authorization code flow, without what it says anyway. */
static void
check_authorization(const VciIssuer *issuer, const VciConfiguration *configurations, size_t count,
					const char *expected, const char *what)
{
	VciJson *metadata = vci_metadata_authorization_server(issuer, configurations, count);
	static const char *const always[] = {"issuer",
										 "token_endpoint",
										 "jwks_uri",
										 "token_endpoint_auth_methods_supported",
										 "dpop_signing_alg_values_supported",
										 "authorization_details_types_supported",
										 "pre-authorized_grant_anonymous_access_supported"};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		vci_json_remove(metadata, always[i]);
	is_json(metadata, expected, what);
}

/* The list of lists is named where some credential has a status, and somebody answers. */
static void
test_status_lists(void)
{
	static const char *const member = "status_list_aggregation_endpoint";
	VciIssuer issuer = example_issuer();
	VciConfiguration configurations[] = {example_configuration(), example_configuration()};
	VciJson *metadata;

	issuer.endpoints[VCI_ENDPOINT_STATUS_LIST] = (VciEndpointRule){true, BASE "/status-lists"};
	metadata = vci_metadata_authorization_server(&issuer, configurations, 2);
	ok(!vci_json_has(metadata, member), "no status, no list of lists");
	vci_json_free(metadata);
	configurations[1].status_bits = 1;
	metadata = vci_metadata_authorization_server(&issuer, configurations, 2);
	is_text(vci_json_get_string(metadata, member), BASE "/status-lists", "one has a status");
	vci_json_free(metadata);
	issuer.endpoints[VCI_ENDPOINT_STATUS_LIST].enabled = false;
	metadata = vci_metadata_authorization_server(&issuer, configurations, 2);
	ok(!vci_json_has(metadata, member), "but the endpoint is off");
	vci_json_free(metadata);
}

static void
test_authorization_code(void)
{
	VciIssuer issuer = example_issuer();
	VciConfiguration configurations[] = {example_configuration(), example_configuration(),
										 example_configuration()};
	const char *none = "{\"grant_types_supported\":"
					   "[\"urn:ietf:params:oauth:grant-type:pre-authorized_code\"]}";

	configurations[1].scope = NULL;
	issuer.has_clients = true;
	check_authorization(
		&issuer, configurations, 3,
		"{\"grant_types_supported\":[\"urn:ietf:params:oauth:grant-type:pre-authorized_code\","
		"\"authorization_code\"],\"authorization_endpoint\":\"" BASE "/authorize\","
		"\"pushed_authorization_request_endpoint\":\"" BASE "/par\","
		"\"response_types_supported\":[\"code\"],\"code_challenge_methods_supported\":[\"S256\"],"
		"\"authorization_response_iss_parameter_supported\":true,"
		"\"scopes_supported\":[\"entitlement\"]}",
		"the authorization code flow once a wallet is registered; a scope is told once");
	issuer.endpoints[VCI_ENDPOINT_PAR].enabled = false;
	issuer.refresh_token_lifetime = 86400;
	check_authorization(
		&issuer, &configurations[1], 1,
		"{\"grant_types_supported\":[\"urn:ietf:params:oauth:grant-type:pre-authorized_code\","
		"\"authorization_code\",\"refresh_token\"],\"authorization_endpoint\":\"" BASE
		"/authorize\",\"response_types_supported\":[\"code\"],"
		"\"code_challenge_methods_supported\":[\"S256\"],"
		"\"authorization_response_iss_parameter_supported\":true}",
		"no pushed requests, no scopes, but refresh tokens");
	issuer = example_issuer();
	issuer.has_clients = true;
	issuer.endpoints[VCI_ENDPOINT_AUTHORIZE].enabled = false;
	check_authorization(&issuer, configurations, 3, none,
						"an authorization endpoint that is off takes the flow with it");
}

static void
test_dpop(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *metadata;

	issuer.dpop = VCI_DPOP_OFF;
	metadata = vci_metadata_authorization_server(&issuer, NULL, 0);
	ok(!vci_json_has(metadata, "dpop_signing_alg_values_supported"),
	   "an issuer without DPoP names no algorithms for it");
	vci_json_free(metadata);
}

static void
test_keys(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *ec = json("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\"}");
	VciJson *okp = json("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"c\"}");
	VciPublishedKey keys[] = {{"k1", ec, VCI_ALG_ES256, INT64_MAX},
							  {"k/2 x", okp, VCI_ALG_EDDSA, NOW + 1}};
	const char *first = "{\"keys\":[{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\","
						"\"kid\":\"k1\",\"alg\":\"ES256\",\"use\":\"sig\"}]}";
	const char *jwks = "{\"keys\":[{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a\",\"y\":\"b\","
					   "\"kid\":\"k1\",\"alg\":\"ES256\",\"use\":\"sig\"},"
					   "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"c\",\"kid\":\"k/2 x\","
					   "\"alg\":\"EdDSA\",\"use\":\"sig\"}]}";
	VciJson *document;

	is_json(vci_metadata_jwks(keys, 2, NOW), jwks, "a JWK set with kid, alg and use");
	is_json(vci_metadata_jwks(keys, 0, NOW), "{\"keys\":[]}", "an empty JWK set is one");
	is_json(vci_metadata_jwks(keys, 2, NOW + 1), first, "a key whose time is over is left out");
	document = vci_metadata_jwt_vc_issuer(&issuer, keys, 2, NOW);
	check_member(document, NAMES("issuer"), "\"https://registry.example\"",
				 "jwt-vc-issuer names the issuer as iss does");
	check_member(document, NAMES("jwks"), jwks, "and its keys by value");
	ok(!vci_json_has(document, "jwks_uri"), "jwks and jwks_uri exclude each other");
	vci_json_free(document);

	issuer.url = "http://127.0.0.1:8180/tenant";
	document = vci_metadata_jwt_vc_issuer(&issuer, keys, 2, NOW + 1);
	check_member(document, NAMES("jwks"), first, "there, too, one whose time is over is left out");
	vci_json_free(document);
	document = vci_metadata_did_document(&issuer, keys, 2, NOW + 1);
	check_member(document, NAMES("assertionMethod"), "[\"did:web:127.0.0.1%3A8180:tenant#k1\"]",
				 "as in the DID document");
	vci_json_free(document);
	document = vci_metadata_did_document(&issuer, keys, 2, NOW);
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
	issuer.dpop = VCI_DPOP_REQUIRED;
	check_deviations(&issuer, NULL, "offer_lifetime", "a bound token may live longer");
	issuer.dpop = VCI_DPOP_OFF;
	check_deviations(&issuer, NULL, "access_token_lifetime dpop offer_lifetime",
					 "none can be bound while DPoP is off");

	configuration.status_bits = 1;
	check_deviations(&issuer, &configuration, "", "status lists that can be fetched");
	issuer.endpoints[VCI_ENDPOINT_STATUS_LIST].enabled = false;
	check_deviations(&issuer, &configuration, "status_bits", "and some whose endpoint is off");
	configuration.status_bits = 0;

	configuration.format = "vc+sd-jwt";
	configuration.older = (1 << 7) - 1;
	check_deviations(&issuer, &configuration,
					 "format format_request singular_proof untyped_proof vc_sd_jwt metadata "
					 "holder_without_proof credential_definition",
					 "a configuration that bends as far as it can");
	configuration = example_configuration();
	configuration.binding = VCI_HOLDER_ABSENT;
	check_deviations(&issuer, &configuration, "", "binding is the issuer's choice in 1.0");
}

static void
test_endpoint_deviations(void)
{
	VciIssuer issuer = example_issuer();

	issuer.endpoints[VCI_ENDPOINT_NONCE].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_CREDENTIAL].enabled = false;
	issuer.endpoints[VCI_ENDPOINT_BATCH_CREDENTIAL].enabled = true;
	check_deviations(&issuer, NULL,
					 "endpoints.nonce endpoints.batch_credential endpoints.credential",
					 "what is switched on and off against the specification");
	issuer = example_issuer();
	issuer.endpoints[VCI_ENDPOINT_PAR].url = "http://127.0.0.1/par";
	check_deviations(&issuer, NULL, "endpoints", "an endpoint without TLS");
	issuer.endpoints[VCI_ENDPOINT_PAR].enabled = false;
	check_deviations(&issuer, NULL, "", "unless it is off");
}

int
main(void)
{
	test_issuer_metadata();
	test_issuer_endpoints();
	test_external_servers();
	test_configuration();
	test_older_members();
	test_guide();
	test_authorization_server();
	test_status_lists();
	test_authorization_code();
	test_dpop();
	test_keys();
	test_deviations();
	test_endpoint_deviations();
	return done_testing();
}
