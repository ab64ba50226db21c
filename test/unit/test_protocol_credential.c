/* Credential requests of both shapes, which configuration they mean, and their answers. */
#include "protocol/credential.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;
static VciCredentialRequest request;

static VciStatus
parse(const char *body)
{
	return vci_credential_request_parse(body, strlen(body), &request, &error);
}

static void
accept(const char *body, const char *what)
{
	is_status(parse(body), VCI_OK, &error, what);
}

static void
refuse(const char *body, VciStatus expected, const char *what)
{
	is_status(parse(body), expected, &error, what);
	ok(request.body == NULL && request.proof_count == 0, "%s: nothing is left", what);
}

static void
test_final_shape(void)
{
	accept("{\"credential_configuration_id\":\"A\",\"proofs\":{\"jwt\":[\"x\",\"y\"]}}", "1.0");
	is_text(request.configuration_id, "A", "the configuration id");
	ok(!request.older_shape && !request.singular_proof, "it is no older shape");
	is_number((int64_t) request.proof_count, 2, "two proofs");
	is_text(request.proofs[1], "y", "in their order");
	vci_credential_request_free(&request);

	accept("{\"credential_identifier\":\"A#1\"}", "1.0 with an identifier and without proof");
	is_text(request.identifier, "A#1", "the identifier");
	is_number((int64_t) request.proof_count, 0, "no proofs");
	vci_credential_request_free(&request);

	accept("{\"credential_configuration_id\":\"A\",\"format\":7,\"x\":{}}",
		   "unknown parameters are ignored (section 8.2)");
	ok(!request.older_shape, "format beside the id is one of them");
	vci_credential_request_free(&request);

	accept("{\"credential_configuration_id\":\"A\",\"credential_identifier\":null,\"proof\":null,"
		   "\"proofs\":null,\"credential_response_encryption\":null}",
		   "null is as if absent");
	vci_credential_request_free(&request);

	accept("{\"credential_configuration_id\":\"A\",\"proof\":{\"proof_type\":\"jwt\","
		   "\"jwt\":\"x\"}}",
		   "draft 15: the id with a single proof");
	ok(request.singular_proof && !request.older_shape, "is told apart");
	vci_credential_request_free(&request);
	vci_credential_request_free(&request);
	ok(true, "freeing twice is harmless");
}

static void
test_older_shape(void)
{
	accept(
		"{\"format\":\"vc+sd-jwt\",\"credential_definition\":{\"type\":"
		"[\"VerifiableCredential\",\"EntitlementCredential\"]},\"proof\":{\"proof_type\":\"jwt\","
		"\"jwt\":\"x\"}}",
		"the guide's request");
	ok(request.older_shape && request.singular_proof, "is the older shape");
	is_text(request.format, "vc+sd-jwt", "its format");
	is_text(request.type, "EntitlementCredential", "its type");
	is_text(request.vct, NULL, "no vct");
	is_text(request.proofs[0], "x", "its proof");
	vci_credential_request_free(&request);

	accept("{\"format\":\"vc+sd-jwt\",\"vct\":\"urn:x\",\"credential_definition\":{\"vct\":\"y\"}}",
		   "drafts 13 and 14 with vct");
	is_text(request.vct, "urn:x", "vct at the top wins");
	vci_credential_request_free(&request);

	accept("{\"format\":\"vc+sd-jwt\",\"credential_definition\":{\"vct\":\"urn:y\"}}", "draft 11");
	is_text(request.vct, "urn:y", "vct in credential_definition");
	vci_credential_request_free(&request);

	accept("{\"format\":\"vc+sd-jwt\",\"credential_definition\":{\"types\":[\"A\",\"B\","
		   "\"VerifiableCredential\"]}}",
		   "draft 11's types");
	is_text(request.type, "B", "the last one beside VerifiableCredential");
	vci_credential_request_free(&request);
}

static void
test_refused_names(void)
{
	refuse("", VCI_ERR_JSON, "an empty body");
	refuse("[]", VCI_ERR_JSON, "an array");
	refuse("{", VCI_ERR_JSON, "a cut object");
	refuse("{\"a\":\"\xff\"}", VCI_ERR_UTF8, "bad UTF-8");
	refuse("{\"credential_configuration_id\":\"A\",\"credential_configuration_id\":\"B\"}",
		   VCI_ERR_JSON_DUPLICATE, "a member twice");
	refuse("{\"credential_configuration_id\":\"A\",\"proofs\":{\"jwt\":[\"x\"],\"jwt\":[\"y\"]}}",
		   VCI_ERR_JSON_DUPLICATE, "a member within twice");
	refuse("{}", VCI_ERR_REQUEST, "no name");
	refuse("{\"credential_configuration_id\":\"A\",\"credential_identifier\":\"B\"}",
		   VCI_ERR_REQUEST, "both names");
	refuse("{\"credential_configuration_id\":7}", VCI_ERR_REQUEST, "a number as id");
	refuse("{\"credential_configuration_id\":\"\"}", VCI_ERR_REQUEST, "an empty id");
	refuse("{\"credential_identifier\":[\"A\"]}", VCI_ERR_REQUEST, "an array as identifier");
	refuse("{\"format\":7}", VCI_ERR_REQUEST, "a number as format");
	refuse("{\"format\":\"vc+sd-jwt\"}", VCI_ERR_REQUEST, "a format alone");
	refuse("{\"format\":\"vc+sd-jwt\",\"vct\":7}", VCI_ERR_REQUEST, "a number as vct");
	refuse("{\"format\":\"vc+sd-jwt\",\"credential_definition\":[]}", VCI_ERR_REQUEST,
		   "an array as definition");
	refuse("{\"format\":\"vc+sd-jwt\",\"credential_definition\":{\"type\":\"A\"}}", VCI_ERR_REQUEST,
		   "a string as types");
	refuse("{\"format\":\"vc+sd-jwt\",\"credential_definition\":{\"type\":[\"A\",7]}}",
		   VCI_ERR_REQUEST, "a number among types");
	refuse("{\"format\":\"vc+sd-jwt\",\"credential_definition\":{\"type\":"
		   "[\"VerifiableCredential\"]}}",
		   VCI_ERR_REQUEST, "no type beside VerifiableCredential");
	refuse("{\"credential_configuration_id\":\"A\",\"credential_response_encryption\":{}}",
		   VCI_ERR_ENCRYPTION, "encryption is not offered");
}

static void
test_refused_proofs(void)
{
	static const struct
	{
		const char *proof;
		VciStatus status;
		const char *what;
	} cases[] = {
		{"\"proof\":{\"proof_type\":\"jwt\",\"jwt\":\"x\"},\"proofs\":{\"jwt\":[\"x\"]}",
		 VCI_ERR_REQUEST, "proof and proofs together"},
		{"\"proofs\":{}", VCI_ERR_PROOF, "proofs without type"},
		{"\"proofs\":[]", VCI_ERR_PROOF, "an array as proofs"},
		{"\"proofs\":\"x\"", VCI_ERR_PROOF, "a string as proofs"},
		{"\"proofs\":{\"jwt\":[\"x\"],\"attestation\":[\"y\"]}", VCI_ERR_PROOF, "two proof types"},
		{"\"proofs\":{\"attestation\":[\"y\"]}", VCI_ERR_PROOF_TYPE, "attestations"},
		{"\"proofs\":{\"di_vp\":[{}]}", VCI_ERR_PROOF_TYPE, "presentations"},
		{"\"proofs\":{\"JWT\":[\"x\"]}", VCI_ERR_PROOF_TYPE, "a type in capitals"},
		{"\"proofs\":{\"jwt\":[]}", VCI_ERR_PROOF, "no proof"},
		{"\"proofs\":{\"jwt\":null}", VCI_ERR_PROOF, "null as proofs"},
		{"\"proofs\":{\"jwt\":\"x\"}", VCI_ERR_PROOF, "a string as list"},
		{"\"proofs\":{\"jwt\":[7]}", VCI_ERR_PROOF, "a number as proof"},
		{"\"proofs\":{\"jwt\":[\"x\",null]}", VCI_ERR_PROOF, "null as proof"},
		{"\"proof\":[]", VCI_ERR_PROOF, "an array as proof"},
		{"\"proof\":{}", VCI_ERR_PROOF, "a proof without type"},
		{"\"proof\":{\"jwt\":\"x\"}", VCI_ERR_PROOF, "a JWT without type"},
		{"\"proof\":{\"proof_type\":\"jwt\"}", VCI_ERR_PROOF, "a proof without JWT"},
		{"\"proof\":{\"proof_type\":\"jwt\",\"jwt\":[\"x\"]}", VCI_ERR_PROOF, "a list as proof"},
		{"\"proof\":{\"proof_type\":\"cwt\",\"cwt\":\"x\"}", VCI_ERR_PROOF_TYPE, "a CWT"},
		{"\"proof\":{\"proof_type\":\"ldp_vp\",\"ldp_vp\":{}}", VCI_ERR_PROOF_TYPE, "an LDP VP"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char body[512];

		snprintf(body, sizeof(body), "{\"credential_configuration_id\":\"A\",%s}", cases[i].proof);
		refuse(body, cases[i].status, cases[i].what);
	}
}

static void
test_proof_count(void)
{
	char body[1024] = "{\"credential_configuration_id\":\"A\",\"proofs\":{\"jwt\":[\"x\"";
	size_t len;

	for (int i = 1; i < 32; i++)
		strcat(body, ",\"x\"");
	len = strlen(body);
	strcat(body, "]}}");
	accept(body, "32 proofs are accepted");
	is_number((int64_t) request.proof_count, 32, "all of them");
	vci_credential_request_free(&request);
	strcpy(body + len, ",\"x\"]}}");
	refuse(body, VCI_ERR_PROOF, "33 are refused");
}

/* An issuer's list: one that bends to older wallets, one for them alone, one of 1.0. */
static VciConfiguration configurations[4];

static void
set_configurations(void)
{
	configurations[0] = example_configuration();
	configurations[0].older =
		VCI_OLDER_FORMAT_REQUEST | VCI_OLDER_SINGULAR_PROOF | VCI_OLDER_VC_SD_JWT;
	configurations[1] = example_configuration();
	configurations[1].id = "EntitlementCredentialVc";
	configurations[1].format = "vc+sd-jwt";
	configurations[1].scope = NULL;
	configurations[1].older = VCI_OLDER_FORMAT_REQUEST;
	configurations[2] = example_configuration();
	configurations[2].id = "Strict";
	configurations[2].vct = "urn:strict";
	configurations[2].scope = "strict";
	configurations[3] = configurations[2];
	configurations[3].id = "HalfOpen";
	configurations[3].vct = "urn:half";
	configurations[3].scope = NULL;
	configurations[3].older = VCI_OLDER_FORMAT_REQUEST;
}

/* Two datasets of Strict, as an offer has them; the other configurations have one each. */
#define TWO_DATASETS                                                                               \
	"[{\"configuration_id\":\"Strict\",\"subject_id\":\"mother\"},"                                \
	"{\"configuration_id\":\"Strict\",\"subject_id\":\"child\"}]"

/* Matches body under a token that covers these ids; id is the match's, NULL for a refusal. */
static int
match_among(const char *datasets, const char *body, const char *covered, bool identifiers,
			VciStatus expected, const char *id, const char *what)
{
	VciJson *list = json(covered);
	VciJson *of_offer = datasets ? json(datasets) : NULL;
	const VciConfiguration *found = configurations;
	int dataset = 0;
	VciStatus status;

	if (parse(body) != VCI_OK)
		bail_out(error.text, body);
	status = vci_credential_request_match(&request, configurations, 4, list, identifiers, of_offer,
										  &found, &dataset, &error);
	is_status(status, expected, &error, what);
	is_text(found == NULL ? NULL : found->id, id, "it means");
	vci_credential_request_free(&request);
	vci_json_free(of_offer);
	vci_json_free(list);
	return dataset;
}

static void
match(const char *body, const char *covered, bool identifiers, VciStatus expected, const char *id,
	  const char *what)
{
	(void) match_among(NULL, body, covered, identifiers, expected, id, what);
}

#define ALL "[\"EntitlementCredential\",\"EntitlementCredentialVc\",\"Strict\",\"HalfOpen\"]"

static void
test_match_final(void)
{
	const char *strict = "{\"credential_configuration_id\":\"Strict\"}";

	match(strict, ALL, false, VCI_OK, "Strict", "a known and covered id");
	match(strict, "[\"EntitlementCredential\"]", false, VCI_ERR_SCOPE, NULL,
		  "a known id that the token does not cover");
	match(strict, "[]", false, VCI_ERR_SCOPE, NULL, "a token that covers nothing");
	match("{\"credential_configuration_id\":\"strict\"}", ALL, false, VCI_ERR_CONFIGURATION_UNKNOWN,
		  NULL, "another spelling is unknown");
	match("{\"credential_configuration_id\":\"Gone\"}", "[\"Gone\"]", false,
		  VCI_ERR_CONFIGURATION_UNKNOWN, NULL, "a retired id is unknown though it is covered");
	match(strict, ALL, true, VCI_ERR_REQUEST, NULL,
		  "with credential_identifiers, an id is the wrong name (section 8.2)");
	match("{\"credential_identifier\":\"Strict#1\"}", ALL, true, VCI_OK, "Strict",
		  "an identifier of the token response");
	match("{\"credential_identifier\":\"Strict#1\"}", ALL, false, VCI_ERR_IDENTIFIER_UNKNOWN, NULL,
		  "an identifier that nobody was given");
	match("{\"credential_identifier\":\"Strict#1\"}", "[\"HalfOpen\"]", true,
		  VCI_ERR_IDENTIFIER_UNKNOWN, NULL, "an identifier of another token");
	match("{\"credential_identifier\":\"Strict\"}", ALL, true, VCI_ERR_IDENTIFIER_UNKNOWN, NULL,
		  "an id is no identifier");
	match("{\"credential_identifier\":\"Strict#2\"}", ALL, true, VCI_ERR_IDENTIFIER_UNKNOWN, NULL,
		  "another dataset");
	match("{\"credential_configuration_id\":\"Strict\",\"proof\":{\"proof_type\":\"jwt\","
		  "\"jwt\":\"x\"}}",
		  ALL, false, VCI_ERR_REQUEST, NULL, "a single proof where its switch is off");
	match("{\"credential_configuration_id\":\"EntitlementCredential\",\"proof\":{\"proof_type\":"
		  "\"jwt\",\"jwt\":\"x\"}}",
		  ALL, false, VCI_OK, "EntitlementCredential", "a single proof where it is on");
}

static void
test_match_datasets(void)
{
	is_number(match_among(TWO_DATASETS, "{\"credential_identifier\":\"Strict#1\"}", ALL, true,
						  VCI_OK, "Strict", "the first of two datasets"),
			  1, "is number 1");
	is_number(match_among(TWO_DATASETS, "{\"credential_identifier\":\"Strict#2\"}", ALL, true,
						  VCI_OK, "Strict", "the second one"),
			  2, "is number 2");
	is_number(match_among(TWO_DATASETS, "{\"credential_identifier\":\"HalfOpen#1\"}", ALL, true,
						  VCI_OK, "HalfOpen",
						  "of the offer's own subject where datasets name none"),
			  1, "is number 1, too");
	(void) match_among(TWO_DATASETS, "{\"credential_identifier\":\"Strict#3\"}", ALL, true,
					   VCI_ERR_IDENTIFIER_UNKNOWN, NULL, "there is no third");
	(void) match_among(TWO_DATASETS, "{\"credential_identifier\":\"HalfOpen#2\"}", ALL, true,
					   VCI_ERR_IDENTIFIER_UNKNOWN, NULL,
					   "nor a second one of another configuration");
	(void) match_among(TWO_DATASETS, "{\"credential_identifier\":\"Strict#02\"}", ALL, true,
					   VCI_ERR_IDENTIFIER_UNKNOWN, NULL, "one spelling alone is the identifier");
	(void) match_among(TWO_DATASETS, "{\"credential_identifier\":\"Strict#2\"}", "[\"HalfOpen\"]",
					   true, VCI_ERR_IDENTIFIER_UNKNOWN, NULL,
					   "a dataset of a configuration that the token does not cover");
	is_number(match_among(NULL, "{\"credential_configuration_id\":\"Strict\"}", ALL, false, VCI_OK,
						  "Strict", "without identifiers"),
			  1, "it is the one dataset");
}

#define GUIDE(format, type)                                                                        \
	"{\"format\":\"" format "\",\"credential_definition\":{\"type\":[\"VerifiableCredential\","    \
	"\"" type "\"]}}"
#define BY_VCT(format, vct) "{\"format\":\"" format "\",\"vct\":\"" vct "\"}"

static void
test_match_older(void)
{
	match(GUIDE("vc+sd-jwt", "EntitlementCredential"), ALL, false, VCI_OK, "EntitlementCredential",
		  "the guide's request by type, as vc+sd-jwt");
	match(GUIDE("vc+sd-jwt", "entitlement"), ALL, false, VCI_OK, "EntitlementCredential",
		  "a type may be the scope");
	match(GUIDE("dc+sd-jwt", "EntitlementCredential"), ALL, false, VCI_OK, "EntitlementCredential",
		  "by type, as dc+sd-jwt");
	match(GUIDE("jwt_vc_json", "EntitlementCredential"), ALL, false, VCI_ERR_CONFIGURATION_UNKNOWN,
		  NULL, "another format");
	match(GUIDE("vc+sd-jwt", "Unknown"), ALL, false, VCI_ERR_CONFIGURATION_UNKNOWN, NULL,
		  "another type");
	match(BY_VCT("vc+sd-jwt", "urn:unknown"), ALL, false, VCI_ERR_CONFIGURATION_UNKNOWN, NULL,
		  "another vct");
	match(BY_VCT("vc+sd-jwt", "https://registry.example/entitlement"), ALL, false, VCI_OK,
		  "EntitlementCredentialVc", "of two with one vct, the one of that very format");
	match(BY_VCT("vc+sd-jwt", "https://registry.example/entitlement"),
		  "[\"EntitlementCredential\"]", false, VCI_OK, "EntitlementCredential",
		  "but the one that is covered, where only one is");
	match(BY_VCT("dc+sd-jwt", "https://registry.example/entitlement"), ALL, false, VCI_OK,
		  "EntitlementCredential", "by vct, as dc+sd-jwt");
	match(GUIDE("dc+sd-jwt", "EntitlementCredentialVc"), ALL, false, VCI_ERR_CONFIGURATION_UNKNOWN,
		  NULL, "a vc+sd-jwt configuration has no dc+sd-jwt to give");
	match(GUIDE("vc+sd-jwt", "EntitlementCredential"), "[\"Strict\"]", false, VCI_ERR_SCOPE, NULL,
		  "a known type that the token does not cover");
	match(GUIDE("dc+sd-jwt", "Strict"), ALL, false, VCI_ERR_REQUEST, NULL, "format_request is off");
	match(GUIDE("vc+sd-jwt", "HalfOpen"), ALL, false, VCI_ERR_REQUEST, NULL, "vc_sd_jwt is off");
	match(GUIDE("dc+sd-jwt", "HalfOpen"), ALL, false, VCI_OK, "HalfOpen",
		  "without vc_sd_jwt the shape alone is fine");
	match(GUIDE("vc+sd-jwt", "EntitlementCredential"), ALL, true, VCI_ERR_REQUEST, NULL,
		  "with credential_identifiers, a format is the wrong name");
}

/* The refusal by a switch names the switch, so that an operator knows what to turn. */
static void
test_switch_texts(void)
{
	static const struct
	{
		const char *body;
		const char *name;
	} cases[] = {
		{GUIDE("dc+sd-jwt", "Strict"), "format_request"},
		{GUIDE("vc+sd-jwt", "HalfOpen"), "vc_sd_jwt"},
		{"{\"credential_configuration_id\":\"Strict\",\"proof\":{\"proof_type\":\"jwt\",\"jwt\":"
		 "\"x\"}}",
		 "singular_proof"},
	};
	VciJson *covered = json(ALL);

	for (size_t i = 0; i < 3; i++)
	{
		const VciConfiguration *found;
		int dataset;

		(void) parse(cases[i].body);
		(void) vci_credential_request_match(&request, configurations, 4, covered, false, NULL,
											&found, &dataset, &error);
		ok(strstr(error.text, cases[i].name) != NULL, "the text names %s", cases[i].name);
		memset(&error, 0, sizeof(error));
		vci_credential_request_free(&request);
	}
	vci_json_free(covered);
}

static void
check_answer(const char *body, const VciConfiguration *configuration, size_t count,
			 const char *expected, const char *what)
{
	static const char *const credentials[] = {"c1", "c2"};

	(void) parse(body);
	is_json(vci_credential_response(vci_credential_response_shape(&request),
									vci_credential_format(&request, configuration), credentials,
									count, NULL),
			expected, what);
	vci_credential_request_free(&request);
}

/* A deferral remembers the shape by its name, and older shapes know no notification_id. */
static void
test_shapes(void)
{
	static const char *const credentials[] = {"c1"};
	VciResponseShape shape = VCI_RESPONSE_OLDER;

	for (int i = VCI_RESPONSE_CREDENTIALS; i <= VCI_RESPONSE_OLDER_PLURAL; i++)
		ok(vci_response_shape_by_name(vci_response_shape_name((VciResponseShape) i), &shape) &&
			   (int) shape == i,
		   "%s goes by its name", vci_response_shape_name((VciResponseShape) i));
	ok(!vci_response_shape_by_name("newer", &shape), "an unknown shape is told");
	is_json(vci_credential_response(VCI_RESPONSE_CREDENTIALS, "f", credentials, 1, "n"),
			"{\"credentials\":[{\"credential\":\"c1\"}],\"notification_id\":\"n\"}",
			"1.0 has a notification_id beside the credentials");
	is_json(vci_credential_response(VCI_RESPONSE_OLDER, "f", credentials, 1, "n"),
			"{\"format\":\"f\",\"credential\":\"c1\"}", "drafts up to 13 have none");
	is_json(vci_credential_response(VCI_RESPONSE_OLDER_PLURAL, "f", credentials, 1, "n"),
			"{\"format\":\"f\",\"credentials\":[\"c1\"]}", "nor has draft 14's");
	(void) parse("{\"credential_configuration_id\":\"A\"}");
	ok(!vci_credential_request_is_older(&request), "1.0 is no older shape");
	vci_credential_request_free(&request);
	(void) parse("{\"credential_configuration_id\":\"A\",\"proof\":{\"proof_type\":\"jwt\","
				 "\"jwt\":\"x\"}}");
	ok(vci_credential_request_is_older(&request), "a single proof is one");
	vci_credential_request_free(&request);
}

static void
test_answers(void)
{
	VciConfiguration *dc = &configurations[0];
	VciConfiguration *vc = &configurations[1];

	check_answer("{\"credential_configuration_id\":\"A\"}", dc, 1,
				 "{\"credentials\":[{\"credential\":\"c1\"}]}", "the answer of 1.0");
	check_answer("{\"credential_configuration_id\":\"A\",\"proofs\":{\"jwt\":[\"x\",\"y\"]}}", dc,
				 2, "{\"credentials\":[{\"credential\":\"c1\"},{\"credential\":\"c2\"}]}",
				 "a batch of 1.0");
	check_answer("{\"credential_configuration_id\":\"A\",\"proof\":{\"proof_type\":\"jwt\","
				 "\"jwt\":\"x\"}}",
				 dc, 1, "{\"credentials\":[{\"credential\":\"c1\"}]}", "the answer of draft 15");
	check_answer(GUIDE("vc+sd-jwt", "A"), dc, 1, "{\"format\":\"vc+sd-jwt\",\"credential\":\"c1\"}",
				 "the guide's answer");
	check_answer(GUIDE("dc+sd-jwt", "A"), dc, 1, "{\"format\":\"dc+sd-jwt\",\"credential\":\"c1\"}",
				 "in the format of the question");
	check_answer("{\"format\":\"vc+sd-jwt\",\"vct\":\"x\",\"proofs\":{\"jwt\":[\"x\",\"y\"]}}", dc,
				 2, "{\"format\":\"vc+sd-jwt\",\"credentials\":[\"c1\",\"c2\"]}",
				 "draft 14's answer to proofs");
	check_answer(GUIDE("vc+sd-jwt", "A"), dc, 2, NULL, "two credentials do not fit into one");

	(void) parse("{\"credential_configuration_id\":\"A\"}");
	is_text(vci_credential_format(&request, dc), "dc+sd-jwt",
			"1.0 gets the configuration's format");
	is_text(vci_credential_format(&request, vc), "vc+sd-jwt", "whichever that is");
	is_text(vci_credential_format(NULL, vc), "vc+sd-jwt", "and so does a job without request");
	vci_credential_request_free(&request);
}

int
main(void)
{
	set_configurations();
	test_final_shape();
	test_older_shape();
	test_refused_names();
	test_refused_proofs();
	test_proof_count();
	test_match_final();
	test_match_datasets();
	test_match_older();
	test_switch_texts();
	test_answers();
	test_shapes();
	return done_testing();
}
