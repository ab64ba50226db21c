/* Batches of credential requests (drafts 11 to 13): what they may hold, and their answer. */
#include "protocol/credential_batch.h"

#include "protocol_fixture.h"

static VciCredentialBatch batch;

/* Accepts or refuses; a refusal leaves nothing behind and its text holds this. */
static void
parse(const char *body, VciStatus expected, const char *text, const char *what)
{
	VciError error = VCI_ERROR_INIT;
	VciStatus status = vci_credential_batch_parse(body, strlen(body), &batch, &error);
	bool told = text == NULL || strstr(error.text, text) != NULL;

	if (!ok(told, "%s: the text says where", what))
		printf("# got: %s\n", error.text);
	is_status(status, expected, &error, what);
	if (status != VCI_OK)
		ok(batch.body == NULL && batch.count == 0, "%s: nothing is left", what);
}

static void
test_accepted(void)
{
	parse("{\"credential_requests\":[{\"format\":\"vc+sd-jwt\",\"vct\":\"urn:a\",\"proof\":"
		  "{\"proof_type\":\"jwt\",\"jwt\":\"x\"}},{\"credential_configuration_id\":\"B\"}],"
		  "\"more\":1}",
		  VCI_OK, NULL, "two requests of different shapes, and an unknown member");
	is_number((int64_t) batch.count, 2, "both are there");
	is_text(batch.requests[0].vct, "urn:a", "in their order");
	is_text(batch.requests[0].proofs[0], "x", "with its proof");
	is_text(batch.requests[1].configuration_id, "B", "the second one");
	vci_credential_batch_free(&batch);
	vci_credential_batch_free(&batch);
	ok(batch.body == NULL, "freeing twice is harmless");
}

static void
test_refused(void)
{
	parse("[]", VCI_ERR_JSON, NULL, "an array");
	parse("{}", VCI_ERR_REQUEST, "credential_requests", "no list");
	parse("{\"credential_requests\":{}}", VCI_ERR_REQUEST, "credential_requests", "an object");
	parse("{\"credential_requests\":[]}", VCI_ERR_REQUEST, "credential_requests", "an empty list");
	parse("{\"credential_requests\":[7]}", VCI_ERR_REQUEST, "request 1:", "a number");
	parse("{\"credential_requests\":[null]}", VCI_ERR_REQUEST, "request 1:", "null");
	parse("{\"credential_requests\":[{\"credential_configuration_id\":\"A\"},{}]}", VCI_ERR_REQUEST,
		  "request 2:", "a second one that names no credential");
	parse("{\"credential_requests\":[{\"credential_configuration_id\":\"A\"},"
		  "{\"credential_configuration_id\":\"B\",\"proofs\":{\"jwt\":[]}},{}]}",
		  VCI_ERR_PROOF, "request 2:", "the first bad one is named");
	parse("{\"credential_requests\":[{\"credential_configuration_id\":\"A\","
		  "\"credential_response_encryption\":{}}]}",
		  VCI_ERR_ENCRYPTION, "request 1:", "encryption of one");
	parse("{\"credential_requests\":[{\"credential_configuration_id\":\"A\"}],"
		  "\"credential_response_encryption\":{}}",
		  VCI_ERR_ENCRYPTION, NULL, "encryption of all");
}

/* count requests of one proof each, and one more with extra proofs when extra is not 0. */
static char *
many(int count, int extra)
{
	char *body = calloc(1, 8192);
	char *end = body + sprintf(body, "{\"credential_requests\":[");

	for (int i = 0; i < count; i++)
		end +=
			sprintf(end, "%s{\"credential_configuration_id\":\"A\",\"proofs\":{\"jwt\":[\"x\"]}}",
					i == 0 ? "" : ",");
	if (extra > 0)
		end += sprintf(end, ",{\"credential_configuration_id\":\"A\",\"proofs\":{\"jwt\":[\"x\"");
	for (int i = 1; i < extra; i++)
		end += sprintf(end, ",\"x\"");
	if (extra > 0)
		end += sprintf(end, "]}}");
	(void) sprintf(end, "]}");
	return body;
}

static void
test_limits(void)
{
	char *full = many(32, 0);
	char *over = many(33, 0);
	char *proofs = many(1, 31);
	char *over_proofs = many(1, 32);

	parse(full, VCI_OK, NULL, "32 requests with a proof each");
	vci_credential_batch_free(&batch);
	parse(over, VCI_ERR_REQUEST, "32", "33 requests");
	parse(proofs, VCI_OK, NULL, "32 proofs in two requests");
	vci_credential_batch_free(&batch);
	parse(over_proofs, VCI_ERR_PROOF, "33 came", "33 proofs in two requests");
	free(full);
	free(over);
	free(proofs);
	free(over_proofs);
}

static void
test_answer(void)
{
	is_json(vci_credential_batch_response(json("[{\"transaction_id\":\"t\"}]"), NULL, 0),
			"{\"credential_responses\":[{\"transaction_id\":\"t\"}]}", "an answer");
	is_json(vci_credential_batch_response(json("[]"), "n", 60),
			"{\"credential_responses\":[],\"c_nonce\":\"n\",\"c_nonce_expires_in\":60}",
			"with a c_nonce for the next request");
	ok(vci_credential_batch_response(NULL, "n", 60) == NULL, "without responses there is none");
}

int
main(void)
{
	test_accepted();
	test_refused();
	test_limits();
	test_answer();
	return done_testing();
}
