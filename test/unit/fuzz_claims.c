/*
 * Claims and the pointers into them, one JSON text a line: claims, pointers always disclosed,
 * pointers selectively disclosable, claims descriptions. Claims that pass every check can be
 * issued, and a holder who shows everything shows exactly them.
 */
#include "fuzz.h"
#include "jose/base64url.h"
#include "jose/sd_jwt.h"
#include "protocol/claims.h"
#include "protocol/claims_path.h"

/* An SD-JWT of this payload that nobody signed. */
static char *
unsigned_sd_jwt(const VciConcealed *concealed)
{
	char *body = vci_base64url_encode_new(concealed->payload, concealed->payload_len);
	char *text = malloc(strlen(body) + concealed->disclosures_len + 64);

	must(text != NULL);
	strcat(strcat(strcpy(text, "eyJhbGciOiJFUzI1NiJ9."), body), ".AAAA");
	strcat(text, concealed->disclosures);
	free(body);
	return text;
}

static void
conceal_and_show(const VciJson *claims, const VciJson *paths)
{
	VciError error = VCI_ERROR_INIT;
	VciConcealed concealed;
	VciSdJwt *parsed;
	char *text;

	if (succeeded(vci_sd_jwt_conceal(NULL, claims, paths, 1, NULL, &concealed, &error), &error))
	{
		text = unsigned_sd_jwt(&concealed);
		if (strlen(text) < VCI_JWS_MAX_SIZE)
		{
			must(vci_sd_jwt_parse(text, strlen(text), &parsed, NULL) == VCI_OK);
			must(vci_json_equal(parsed->claims, claims));
			vci_sd_jwt_free(parsed);
		}
		free(text);
	}
	vci_concealed_free(&concealed);
}

static void
check_paths(const VciJson *paths, const VciJson *claims)
{
	char text[VCI_CLAIMS_PATH_TEXT_SIZE];

	for (size_t i = 0; i < vci_json_array_length(paths); i++)
	{
		const VciJson *path = vci_json_array_at(paths, i);

		must(vci_claims_path_check(path, NULL) == VCI_OK);
		vci_claims_path_text(path, text);
		must(strlen(text) < VCI_CLAIMS_PATH_TEXT_SIZE);
		(void) vci_claims_path_selects(path, claims);
	}
}

static VciJson *
normalized(const VciJson *given)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *paths = NULL;
	VciJson *again = NULL;

	if (given == NULL || !succeeded(vci_claims_paths_normalize(given, &paths, &error), &error))
		return NULL;
	must(vci_claims_paths_normalize(paths, &again, NULL) == VCI_OK && vci_json_equal(paths, again));
	vci_json_free(again);
	return paths;
}

static void
use_claims(const VciJson *claims, const VciConfiguration *configuration)
{
	VciError errors[4] = {VCI_ERROR_INIT, VCI_ERROR_INIT, VCI_ERROR_INIT, VCI_ERROR_INIT};
	VciJson *paths = NULL;

	if (!succeeded(vci_configuration_check(configuration, &errors[0]), &errors[0]))
		return;
	check_paths(configuration->always_disclosed, claims);
	check_paths(configuration->selectively_disclosable, claims);
	if (!succeeded(vci_claims_check(claims, &errors[1]), &errors[1]))
		return;
	(void) succeeded(vci_claims_check_mandatory(claims, configuration, &errors[2]), &errors[2]);
	if (succeeded(vci_claims_disclosable(claims, configuration, &paths, &errors[3]), &errors[3]))
		conceal_and_show(claims, paths);
	vci_json_free(paths);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	char *rest = text;
	VciJson *claims = json_line(next_line(&rest));
	VciJson *always = json_line(next_line(&rest));
	VciJson *selective = json_line(next_line(&rest));
	VciConfiguration configuration = {.id = "A",
									  .format = "dc+sd-jwt",
									  .vct = "urn:a",
									  .signing_alg = VCI_ALG_ES256,
									  .always_disclosed = normalized(always),
									  .selectively_disclosable = normalized(selective),
									  .claims = json_line(next_line(&rest))};

	use_claims(claims, &configuration);
	vci_json_free(configuration.claims);
	vci_json_free(configuration.selectively_disclosable);
	vci_json_free(configuration.always_disclosed);
	vci_json_free(selective);
	vci_json_free(always);
	vci_json_free(claims);
	free(text);
	return 0;
}
