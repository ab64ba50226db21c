/* Authorization requests: what holds before anybody is redirected, the rest, what is asked for. */
#include "protocol/authorization.h"

#include "protocol_fixture.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" /* RFC 7636 appendix B */
#define CLIENT	  "client_id=wallet.example&redirect_uri=https%3A%2F%2Fwallet.example%2Fcb"
#define PKCE	  "&code_challenge=" CHALLENGE "&code_challenge_method=S256"
#define REQUEST	  CLIENT "&response_type=code" PKCE

static VciError error = VCI_ERROR_INIT;

static VciStatus
parse(const char *text, VciAuthorizationRequest *request)
{
	return vci_authorization_request_parse(text, strlen(text), request, &error);
}

static void
test_parse(void)
{
	VciAuthorizationRequest request;

	is_status(parse(REQUEST "&state=a+b&scope=x&issuer_state=y&unknown=1", &request), VCI_OK,
			  &error, "a whole request");
	is_text(request.client_id, "wallet.example", "its client");
	is_text(request.redirect_uri, "https://wallet.example/cb", "its redirect URI");
	is_text(request.state, "a b", "its state");
	is_text(request.scope, "x", "its scope");
	is_text(request.issuer_state, "y", "its issuer_state");
	is_text(request.code_challenge, CHALLENGE, "its challenge");
	vci_authorization_request_free(&request);
	vci_authorization_request_free(&request);
	ok(true, "freeing twice is harmless");
	is_status(parse("client_id=w&request_uri=urn:x", &request), VCI_OK, &error,
			  "a pushed one needs no redirect URI");
	vci_authorization_request_free(&request);
}

static void
refuse_parse(const char *text, VciStatus expected, const char *what)
{
	VciAuthorizationRequest request;

	is_status(parse(text, &request), expected, &error, what);
	ok(request.form.names == NULL, "%s: nothing is left", what);
}

/* What is found before client and redirect URI hold is shown to the person, not sent on. */
static void
test_parse_refused(void)
{
	static char big[64 * 1024 + 2];

	refuse_parse("", VCI_ERR_REQUEST, "nothing");
	refuse_parse("redirect_uri=https://a/", VCI_ERR_REQUEST, "no client");
	refuse_parse("client_id=w", VCI_ERR_REQUEST, "no redirect URI");
	refuse_parse("client_id=w&request=e30", VCI_ERR_REQUEST_OBJECT, "a request object alone");
	refuse_parse(REQUEST "&client_id=b", VCI_ERR_FORM_DUPLICATE, "a client twice");
	refuse_parse(REQUEST "&redirect_uri=b", VCI_ERR_FORM_DUPLICATE, "a redirect URI twice");
	refuse_parse(REQUEST "&state=%zz", VCI_ERR_FORM, "a malformed escape");
	memset(big, 'a', sizeof(big) - 1);
	refuse_parse(big, VCI_ERR_TOO_LARGE, "more than 64 kB");
}

/* Parses text, which must go well, and checks the rest. */
static VciStatus
check(const char *text, bool pkce_required, VciAuthorizationRequest *request)
{
	VciIssuer issuer = example_issuer();

	if (parse(text, request) != VCI_OK)
		bail_out(error.text, text);
	return vci_authorization_request_check(request, &issuer, pkce_required, &error);
}

static void
accept(const char *text, bool pkce_required, const char *what)
{
	VciAuthorizationRequest request;

	is_status(check(text, pkce_required, &request), VCI_OK, &error, what);
	vci_authorization_request_free(&request);
}

static void
refuse(const char *text, bool pkce_required, VciStatus expected, const char *what)
{
	VciAuthorizationRequest request;

	is_status(check(text, pkce_required, &request), expected, &error, what);
	vci_authorization_request_free(&request);
}

static void
test_pkce(void)
{
	static const char base[] = CLIENT "&response_type=code";

	accept(REQUEST, true, "PKCE with S256");
	refuse(base, true, VCI_ERR_PKCE, "no PKCE");
	accept(base, false, "no PKCE where none is needed");
	refuse(CLIENT "&response_type=code&code_challenge=" CHALLENGE, false, VCI_ERR_PKCE,
		   "no method is plain");
	refuse(CLIENT "&response_type=code&code_challenge_method=S256", false, VCI_ERR_PKCE,
		   "a method without challenge");
	refuse(CLIENT "&response_type=code&code_challenge_method=plain&code_challenge=" CHALLENGE, true,
		   VCI_ERR_PKCE, "plain");
	refuse(REQUEST "x", true, VCI_ERR_PKCE, "S256x");
	refuse(CLIENT "&response_type=code&code_challenge_method=S256&code_challenge=" CHALLENGE "A",
		   true, VCI_ERR_PKCE, "a challenge of 44 characters");
	refuse(CLIENT "&response_type=code&code_challenge_method=S256&code_challenge="
				  "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
		   true, VCI_ERR_PKCE, "a challenge of 42 characters");
	refuse(CLIENT "&response_type=code&code_challenge_method=S256&code_challenge="
				  "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw%2BcM",
		   true, VCI_ERR_PKCE, "a challenge that is no base64url");
	refuse(CLIENT "&response_type=code&code_challenge_method=S256&code_challenge="
				  "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
		   true, VCI_ERR_PKCE, "a challenge that no encoder writes");
}

static void
test_rest(void)
{
	char state[3 * VCI_STATE_MAX] = REQUEST "&state=";
	VciAuthorizationRequest request;
	size_t begin = strlen(state);

	refuse(CLIENT PKCE, true, VCI_ERR_REQUEST, "no response_type");
	refuse(CLIENT PKCE "&response_type=token", true, VCI_ERR_RESPONSE_TYPE, "the implicit grant");
	refuse(CLIENT PKCE "&response_type=code+id_token", true, VCI_ERR_RESPONSE_TYPE, "a hybrid");
	refuse(REQUEST "&request=e30", true, VCI_ERR_REQUEST_OBJECT, "a request object");
	accept(REQUEST "&dpop_jkt=" CHALLENGE, true, "a DPoP key");
	refuse(REQUEST "&dpop_jkt=abc", true, VCI_ERR_REQUEST, "a DPoP key that is no thumbprint");
	memset(state + begin, 's', VCI_STATE_MAX);
	accept(state, true, "the longest state");
	state[begin + VCI_STATE_MAX] = 's';
	refuse(state, true, VCI_ERR_REQUEST, "a longer state");
	is_status(check(REQUEST "&state=a%0Ab", true, &request), VCI_ERR_REQUEST, &error,
			  "a line break in state");
	is_text(request.state, NULL, "such a state is not sent back");
	vci_authorization_request_free(&request);
	refuse(REQUEST "&state=%C3%A9", true, VCI_ERR_REQUEST, "a state that is no ASCII");
	refuse(REQUEST "&authorization_details=%5B%5D", true, VCI_ERR_AUTHORIZATION_DETAILS,
		   "no authorization_details in the array");
}

/* Three configurations, two of which share a scope. */
static size_t
example_configurations(VciConfiguration configurations[3])
{
	for (int i = 0; i < 3; i++)
		configurations[i] = example_configuration();
	configurations[0].id = "A";
	configurations[0].scope = "both";
	configurations[1].id = "B";
	configurations[1].scope = "both";
	configurations[2].id = "C";
	configurations[2].scope = "c";
	return 3;
}

/* offered: NULL, or as many characters as there are ids. */
static VciStatus
select_from(const char *more, const char *offered, VciJson **selected)
{
	VciConfiguration configurations[3];
	size_t count = example_configurations(configurations);
	const char *ids[4];
	char texts[4][2];
	char text[1024];
	VciAuthorizationRequest request;
	VciStatus status;

	for (size_t i = 0; offered != NULL && i < strlen(offered); i++)
	{
		texts[i][0] = offered[i];
		texts[i][1] = '\0';
		ids[i] = texts[i];
	}
	snprintf(text, sizeof(text), "%s%s", REQUEST, more);
	if (check(text, true, &request) != VCI_OK)
		bail_out(error.text, text);
	status = vci_authorization_select(&request, configurations, count, offered == NULL ? NULL : ids,
									  offered == NULL ? 0 : strlen(offered), selected, &error);
	vci_authorization_request_free(&request);
	return status;
}

static void
check_selected(const char *more, const char *offered, const char *expected, const char *what)
{
	VciJson *selected = NULL;

	is_status(select_from(more, offered, &selected), VCI_OK, &error, what);
	is_json(selected, expected, "these");
}

static void
check_unselected(const char *more, const char *offered, VciStatus expected, const char *what)
{
	VciJson *selected = NULL;

	is_status(select_from(more, offered, &selected), expected, &error, what);
	ok(selected == NULL, "%s: nothing is selected", what);
	vci_json_free(selected);
}

#define DETAIL(id)                                                                                 \
	"%7B%22type%22:%22openid_credential%22,%22credential_configuration_id%22:%22" id "%22%7D"
#define DETAILS(inner) "&authorization_details=%5B" inner "%5D"

static void
test_select(void)
{
	check_selected("&scope=c", NULL, "[\"C\"]", "one scope");
	check_selected("&scope=c+both", NULL, "[\"A\",\"B\",\"C\"]", "two, one of two credentials");
	check_selected("&scope=openid+c+profile", NULL, "[\"C\"]", "scopes of something else");
	check_unselected("&scope=openid", NULL, VCI_ERR_SCOPE_UNKNOWN, "only those");
	check_unselected("&scope=C", NULL, VCI_ERR_SCOPE_UNKNOWN, "another case");
	check_unselected("", NULL, VCI_ERR_REQUEST, "nothing is asked for");
	check_selected(DETAILS(DETAIL("B")), NULL, "[\"B\"]", "details");
	check_selected(DETAILS(DETAIL("B") "," DETAIL("A") "," DETAIL("B")), NULL, "[\"B\",\"A\"]",
				   "details that repeat themselves");
	check_unselected(DETAILS(DETAIL("A") "," DETAIL("X")), NULL, VCI_ERR_AUTHORIZATION_DETAILS,
					 "details of something unknown");
	check_selected(DETAILS(DETAIL("A")) "&scope=openid", NULL, "[\"A\"]",
				   "details beside a scope of something else");
	check_selected(DETAILS(DETAIL("A")) "&scope=c", NULL, "[\"A\",\"C\"]", "details and a scope");
}

/* With an offer nothing but what it holds can be asked for. */
static void
test_select_offered(void)
{
	check_selected("", "BC", "[\"B\",\"C\"]", "all that is offered");
	check_selected("", "BX", "[\"B\"]", "but what was retired since");
	check_unselected("", "X", VCI_ERR_ISSUER_STATE, "all of it was retired");
	check_unselected("", "", VCI_ERR_ISSUER_STATE, "an offer of nothing");
	check_selected("&scope=both", "BC", "[\"B\"]", "of a shared scope what is offered");
	check_unselected("&scope=both", "C", VCI_ERR_SCOPE_UNKNOWN, "a scope that is not offered");
	check_selected(DETAILS(DETAIL("C")), "BC", "[\"C\"]", "details of what is offered");
	check_unselected(DETAILS(DETAIL("C") "," DETAIL("A")), "BC", VCI_ERR_AUTHORIZATION_DETAILS,
					 "details of more than is offered");
}

int
main(void)
{
	test_parse();
	test_parse_refused();
	test_pkce();
	test_rest();
	test_select();
	test_select_offered();
	return done_testing();
}
