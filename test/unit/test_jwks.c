/* JWK sets: which are taken, and which key of one verifies. */
#include "jose/jwk.h"

#include "tap.h"

#define P256                                                                                       \
	"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y\","      \
	"\"y\":\"eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk\""
#define ED25519                                                                                    \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define UNKNOWN "{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AA\"}"

static VciError error = VCI_ERROR_INIT;

static void
check(const char *text, VciStatus expected, const char *what)
{
	VciJson *jwks = json(text);

	is_status(vci_jwks_check(jwks, &error), expected, &error, what);
	vci_json_free(jwks);
}

static void
test_check(void)
{
	check("{\"keys\":[{" P256 "}]}", VCI_OK, "a set of one");
	check("{\"keys\":[" UNKNOWN ",{" P256 ",\"use\":\"enc\"},{" ED25519 "}],\"x\":1}", VCI_OK,
		  "keys of other kinds and uses are passed over");
	check("{\"keys\":[" UNKNOWN "]}", VCI_ERR_JWK, "none of them can verify");
	check("{\"keys\":[{" P256 ",\"use\":\"enc\"}]}", VCI_ERR_JWK, "nor is for it");
	check("{\"keys\":[7]}", VCI_ERR_JWK, "a number is no key");
	check("{\"keys\":[]}", VCI_ERR_JWK, "an empty set");
	check("{\"keys\":{}}", VCI_ERR_JWK, "no array");
	check("{" P256 "}", VCI_ERR_JWK, "a single key is no set");
	check("[]", VCI_ERR_JWK, "nor is an array");
	check("{\"keys\":[{" P256 "},{" ED25519 ",\"d\":\"AA\"}]}", VCI_ERR_JWK_PRIVATE,
		  "a private key among them");
	check("{\"keys\":[{" P256 "},{\"kty\":\"oct\",\"k\":\"AA\"}]}", VCI_ERR_JWK_PRIVATE,
		  "a symmetric one");
	check("{\"keys\":[{" P256 "},{\"kty\":\"AKP\",\"pub\":\"AA\",\"priv\":\"AA\"}]}",
		  VCI_ERR_JWK_PRIVATE, "a private one of an unknown kind");
}

static void
test_size(void)
{
	VciJson *jwks = json("{\"keys\":[]}");

	for (int i = 0; i < VCI_JWKS_MAX_KEYS; i++)
		(void) vci_json_append(vci_json_get(jwks, "keys"), json("{" P256 "}"));
	is_status(vci_jwks_check(jwks, &error), VCI_OK, &error, "the largest set");
	(void) vci_json_append(vci_json_get(jwks, "keys"), json("{" P256 "}"));
	is_status(vci_jwks_check(jwks, &error), VCI_ERR_JWK, &error, "one key too many");
	vci_json_free(jwks);
}

static void
find(const char *text, const char *kid, VciAlg alg, bool expected, const char *what)
{
	VciJson *jwks = json(text);
	VciKey *key;

	is_status(vci_jwks_find(jwks, kid, alg, &key, &error),
			  expected ? VCI_OK : VCI_ERR_KEY_UNSUPPORTED, &error, what);
	ok((key != NULL) == expected && (key == NULL || vci_key_fits(key, alg)), "%s: the key", what);
	vci_key_free(key);
	vci_json_free(jwks);
}

static void
test_find(void)
{
	const char *two = "{\"keys\":[7," UNKNOWN ",{" P256 ",\"kid\":\"a\"},{" ED25519
					  ",\"kid\":\"b\"},{" P256 ",\"kid\":\"c\",\"use\":\"enc\"}]}";
	const char *twins = "{\"keys\":[{" P256 "},{" P256 "}]}";
	const char *same_kid = "{\"keys\":[{" ED25519 ",\"kid\":\"a\"},{" P256 ",\"kid\":\"a\"}]}";

	find(two, "a", VCI_ALG_ES256, true, "by kid");
	find(two, "b", VCI_ALG_EDDSA, true, "by another kid");
	find(two, "a", VCI_ALG_EDDSA, false, "a key that does not fit the algorithm");
	find(two, "a", VCI_ALG_RS256, false, "a MAC's or RSA's name for an EC key");
	find(two, "A", VCI_ALG_ES256, false, "kids are case-sensitive");
	find(two, "c", VCI_ALG_ES256, false, "a key for encryption");
	find(two, NULL, VCI_ALG_ES256, true, "without kid the only one that fits");
	find(two, NULL, VCI_ALG_RS256, false, "none fits");
	find(twins, NULL, VCI_ALG_ES256, false, "without kid two fit");
	find(same_kid, "a", VCI_ALG_ES256, true, "a kid of two, of which one fits");
	find("{\"keys\":[]}", "a", VCI_ALG_ES256, false, "an empty set");
	find("{}", "a", VCI_ALG_ES256, false, "no set");
}

int
main(void)
{
	test_check();
	test_size();
	test_find();
	return done_testing();
}
