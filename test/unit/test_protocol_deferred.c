/* Deferred credentials: requests, answers, "not yet", and when an answer is given again. */
#include "protocol/deferred.h"

#include "protocol_fixture.h"

static void
request(const char *body, VciStatus expected, const char *transaction_id, const char *what)
{
	VciDeferredRequest request;
	VciError error = VCI_ERROR_INIT;

	is_status(vci_deferred_request_parse(body, strlen(body), &request, &error), expected, &error,
			  what);
	is_text(request.transaction_id, transaction_id, "its transaction_id");
	vci_deferred_request_free(&request);
}

static void
test_requests(void)
{
	request("{\"transaction_id\":\"t\",\"more\":{}}", VCI_OK, "t",
			"a request with an unknown member");
	request("{\"transaction_id\":\"\"}", VCI_OK, "", "an empty one is for the MAC to refuse");
	request("{\"transaction_id\":\"t\",\"credential_response_encryption\":null}", VCI_OK, "t",
			"null is as if absent");
	request("{}", VCI_ERR_REQUEST, NULL, "no transaction_id");
	request("{\"transaction_id\":7}", VCI_ERR_REQUEST, NULL, "a number");
	request("{\"transaction_id\":null}", VCI_ERR_REQUEST, NULL, "null");
	request("{\"transaction_id\":\"t\",\"credential_response_encryption\":{}}", VCI_ERR_ENCRYPTION,
			NULL, "encryption is not offered");
	request("[\"t\"]", VCI_ERR_JSON, NULL, "an array");
	request("{\"transaction_id\":\"t\",\"transaction_id\":\"u\"}", VCI_ERR_JSON_DUPLICATE, NULL,
			"a member twice");
}

static void
test_responses(void)
{
	is_json(vci_deferred_response(VCI_RESPONSE_CREDENTIALS, "t", 5),
			"{\"transaction_id\":\"t\",\"interval\":5}", "1.0 (section 8.3)");
	is_json(vci_deferred_response(VCI_RESPONSE_OLDER, "t", 5), "{\"transaction_id\":\"t\"}",
			"drafts up to 13 know no interval there");
}

static void
wait(const char *answer, int expected, const char *what)
{
	VciJson *parsed = json(answer);

	is_number(vci_deferred_wait(parsed), expected, what);
	vci_json_free(parsed);
}

static void
test_not_yet(void)
{
	wait("1", 1, "a second");
	wait("2592000", 2592000, "thirty days");
	wait("2592001", 0, "longer is no wait");
	wait("0", 0, "nor is nothing");
	wait("-5", 0, "nor is the past");
	wait("1.5", 0, "nor is half a second");
	wait("99999999999999999999", 0, "nor is a number beyond 64 bits");
	wait("{\"a\":5}", 0, "claims are no wait");
	wait("\"5\"", 0, "nor is a string");
	is_number(vci_deferred_wait(NULL), 0, "nor is null");
}

static void
decide(VciDeferredFacts facts, int retry_window, VciStatus expected, int step, const char *what)
{
	VciIssuer issuer = example_issuer();
	VciError error = VCI_ERROR_INIT;
	VciDeferredStep got = VCI_DEFERRED_WAIT;

	issuer.retry_window = retry_window;
	if (facts.expires_at == 0)
		facts.expires_at = NOW + 1;
	is_status(vci_deferred_decide(&facts, &issuer, NOW, &got, &error), expected, &error, what);
	if (expected == VCI_OK)
		is_number(got, step, "and then");
}

static void
test_decisions(void)
{
	decide((VciDeferredFacts){0}, 60, VCI_OK, VCI_DEFERRED_WAIT, "nobody has decided");
	decide((VciDeferredFacts){.by_source = true}, 60, VCI_OK, VCI_DEFERRED_ISSUE,
		   "the claims source is asked each time");
	decide((VciDeferredFacts){.completed = true}, 60, VCI_OK, VCI_DEFERRED_ISSUE, "completed");
	decide((VciDeferredFacts){.denied = true}, 60, VCI_ERR_DENIED, 0, "denied");
	decide((VciDeferredFacts){.denied = true, .expires_at = NOW}, 60, VCI_ERR_DENIED, 0,
		   "denied, which stays the answer when it is over");
	decide((VciDeferredFacts){.completed = true, .expires_at = NOW}, 60, VCI_ERR_TRANSACTION, 0,
		   "completed, fetched too late");
	decide((VciDeferredFacts){.expires_at = NOW}, 60, VCI_ERR_TRANSACTION, 0, "expired");
	decide((VciDeferredFacts){.completed = true, .issued = true, .issued_ago = 60}, 60, VCI_OK,
		   VCI_DEFERRED_REPEAT, "fetched within the retry window");
	decide((VciDeferredFacts){.completed = true, .issued = true, .issued_ago = 60.5}, 60,
		   VCI_ERR_TRANSACTION, 0, "fetched before it (section 9.1)");
	decide((VciDeferredFacts){.completed = true, .issued = true, .issued_ago = 0}, 0,
		   VCI_ERR_TRANSACTION, 0, "no window, no second answer");
	decide((VciDeferredFacts){.issued = true, .issued_ago = -1}, 60, VCI_ERR_TRANSACTION, 0,
		   "a clock that went back opens no window");
}

int
main(void)
{
	test_requests();
	test_responses();
	test_not_yet();
	test_decisions();
	return done_testing();
}
