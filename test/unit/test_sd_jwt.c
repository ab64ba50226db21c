/* SD-JWT: the RFC's own examples, and each reason to reject. */
#include "error_queue.h"
#include "sd_jwt_tools.h"

static void
published_disclosures(const VciJson *file)
{
	VciJson *list = vci_json_get(file, "disclosures");

	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		const char *disclosure = vci_json_get_string(vector, "disclosure");
		const char *digest = vci_json_get_string(vector, "digest");
		char got[VCI_THUMBPRINT_SIZE];
		unsigned char *bytes;
		VciJson *contents = NULL;
		size_t len;

		if (digest != NULL)
		{
			digest_of(disclosure, got);
			is_text(got, digest, vci_json_get_string(vector, "section"));
		}
		vci_base64url_decode_new(disclosure, strlen(disclosure), &bytes, &len, NULL);
		vci_json_parse((char *) bytes, len, &contents, NULL);
		ok(vci_json_equal(contents, vci_json_get(vector, "contents")), "the disclosure's content");
		vci_json_free(contents);
		free(bytes);
	}
}

static VciStatus
kb_status(const char *kb_jwt, const VciJson *holder_jwk, const char *sd_hash, VciError *error)
{
	VciKey *holder;
	VciJws *kb = NULL;
	VciStatus status = vci_key_from_public_jwk(holder_jwk, &holder, error);

	if (status == VCI_OK)
		status = vci_jws_parse(kb_jwt, strlen(kb_jwt), &kb, error);
	if (status == VCI_OK)
		status = vci_jws_verify(kb, holder, error);
	if (status == VCI_OK && strcmp(vci_json_get_string(kb->payload, "sd_hash"), sd_hash) != 0)
		status = vci_error(error, VCI_ERR_SD_HASH, "another sd_hash");
	vci_jws_free(kb);
	vci_key_free(holder);
	return status;
}

static void
published_examples(const VciJson *file)
{
	VciJson *list = vci_json_get(file, "examples");
	VciError error = VCI_ERROR_INIT;
	VciKey *issuer;

	vci_key_from_public_jwk(vci_json_get(file, "issuer_jwk"), &issuer, &error);
	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		const char *text = vci_json_get_string(vector, "sd_jwt");
		const char *sd_hash = vci_json_get_string(vector, "sd_hash");
		VciSdJwt *parsed;

		if (!is_status(vci_sd_jwt_parse(text, strlen(text), &parsed, &error), VCI_OK, &error,
					   vci_json_get_string(vector, "what")))
			continue;
		is_status(vci_jws_verify(parsed->jws, issuer, &error), VCI_OK, &error,
				  vci_json_get_string(vector, "section"));
		if (!ok(vci_json_equal(parsed->claims, vci_json_get(vector, "claims")),
				"the processed payload is the published one"))
			printf("# %s\n", vci_json_print(parsed->claims));
		if (sd_hash != NULL)
		{
			is_text(parsed->sd_hash, sd_hash, "the digest for the key binding");
			is_status(kb_status(parsed->kb_jwt, vci_json_get(file, "holder_jwk"), parsed->sd_hash,
								&error),
					  VCI_OK, &error, "the key binding verifies");
		}
		else
			is_text(parsed->kb_jwt, NULL, "there is no key binding");
		vci_sd_jwt_free(parsed);
	}
	vci_key_free(issuer);
}

/* Section 5.2 out of section 5.1: the same disclosures selected give the same claims. */
static void
published_presentation(const VciJson *file)
{
	VciJson *list = vci_json_get(file, "examples");
	const char *issued = vci_json_get_string(vci_json_array_at(list, 0), "sd_jwt");
	const VciJson *claims = vci_json_get(vci_json_array_at(list, 1), "claims");
	bool keep[10] = {true, true, false, false, false, true, false, false, true, false};
	VciError error = VCI_ERROR_INIT;
	VciSdJwt *parsed;
	char *presentation;

	is_status(vci_sd_jwt_present(issued, strlen(issued), keep, 10, &presentation, &error), VCI_OK,
			  &error, "a presentation of the published SD-JWT");
	vci_sd_jwt_parse(presentation, strlen(presentation), &parsed, &error);
	ok(vci_json_equal(parsed->claims, claims), "shows what the RFC's shows");
	is_number((int64_t) vci_json_array_length(parsed->disclosures), 4, "with four disclosures");
	vci_sd_jwt_free(parsed);
	free(presentation);
}

/* Signs payload as it is, with disclosures given as JSON text. */
static char *
issue_raw(const char *payload_text, const char *const *disclosures, size_t count, VciKey *key)
{
	VciJson *payload = json(payload_text);
	VciJson *list = vci_json_new_array();
	VciError error = VCI_ERROR_INIT;
	char *text = NULL;

	for (size_t i = 0; i < count; i++)
	{
		char *encoded = vci_base64url_encode_new(disclosures[i], strlen(disclosures[i]));

		vci_json_append_string(list, encoded);
		free(encoded);
	}
	if (sign_as_is(payload, list, key, &text, &error) != VCI_OK)
		bail_out("cannot sign", error.text);
	vci_json_free(payload);
	vci_json_free(list);
	return text;
}

typedef struct RawCase
{
	const char *what;
	const char *payload; /* %1 to %4 stand for the digests of the disclosures */
	const char *disclosures[4];
	VciStatus status;
	const char *claims; /* what comes out */
} RawCase;

/* Replaces %n in a pattern by the digest of disclosure n. */
static char *
fill_in(const char *pattern, const char *const *disclosures)
{
	char *out = calloc(1, 4096);
	char *at = out;

	for (; *pattern != '\0'; pattern++)
	{
		if (*pattern == '%')
		{
			const char *disclosure = disclosures[*++pattern - '1'];
			char *encoded = vci_base64url_encode_new(disclosure, strlen(disclosure));

			digest_of(encoded, at);
			at += strlen(at);
			free(encoded);
		}
		else
			*at++ = *pattern;
	}
	return out;
}

static void
run_raw_case(const RawCase *test, VciKey *key)
{
	size_t count = 0;
	char *payload;
	char *text;
	VciError error = VCI_ERROR_INIT;
	VciSdJwt *parsed;

	while (count < 4 && test->disclosures[count] != NULL)
		count++;
	payload = fill_in(test->payload, test->disclosures);
	text = issue_raw(payload, test->disclosures, count, key);
	is_status(vci_sd_jwt_parse(text, strlen(text), &parsed, &error), test->status, &error,
			  test->what);
	if (test->claims != NULL)
	{
		VciJson *claims = json(test->claims);

		ok(parsed != NULL && vci_json_equal(parsed->claims, claims), "gives %s", test->claims);
		vci_json_free(claims);
	}
	else
		ok(parsed == NULL, "gives nothing");
	vci_sd_jwt_free(parsed);
	free(payload);
	free(text);
}

static const RawCase raw_cases[] = {
	{"no _sd_alg means sha-256", "{\"_sd\":[\"%1\"]}", {"[\"s\",\"a\",1]"}, VCI_OK, "{\"a\":1}"},
	{"a digest without disclosure is dropped",
	 "{\"_sd\":[\"x\"],\"b\":[{\"...\":\"y\"},2]}",
	 {NULL},
	 VCI_OK,
	 "{\"b\":[2]}"},
	{"an empty _sd is dropped", "{\"_sd\":[],\"a\":{\"_sd\":[]}}", {NULL}, VCI_OK, "{\"a\":{}}"},
	{"elements move up",
	 "{\"a\":[{\"...\":\"x\"},{\"...\":\"%1\"},null,{\"...\":\"y\"},4]}",
	 {"[\"s\",null]"},
	 VCI_OK,
	 "{\"a\":[null,null,4]}"},
	{"a disclosed null", "{\"_sd\":[\"%1\"]}", {"[\"s\",\"a\",null]"}, VCI_OK, "{\"a\":null}"},
	{"_sd_alg in a disclosed object is a claim",
	 "{\"_sd\":[\"%1\"]}",
	 {"[\"s\",\"a\",{\"_sd_alg\":1}]"},
	 VCI_OK,
	 "{\"a\":{\"_sd_alg\":1}}"},
	{"the same disclosure content under two salts",
	 "{\"a\":[{\"...\":\"%1\"},{\"...\":\"%2\"}]}",
	 {"[\"s\",1]", "[\"t\",1]"},
	 VCI_OK,
	 "{\"a\":[1,1]}"},

	{"a digest twice in one _sd",
	 "{\"_sd\":[\"%1\",\"%1\"]}",
	 {"[\"s\",\"a\",1]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a digest at two places",
	 "{\"_sd\":[\"%1\"],\"x\":{\"_sd\":[\"%1\"]}}",
	 {"[\"s\",\"a\",1]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a digest twice that nothing discloses",
	 "{\"_sd\":[\"x\"],\"a\":[{\"...\":\"x\"}]}",
	 {NULL},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a disclosure that no digest refers to",
	 "{\"a\":1}",
	 {"[\"s\",\"b\",1]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a disclosure twice",
	 "{\"_sd\":[\"%1\"]}",
	 {"[\"s\",\"a\",1]", "[\"s\",\"a\",1]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a name that stands there already",
	 "{\"a\":1,\"_sd\":[\"%1\"]}",
	 {"[\"s\",\"a\",2]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"one name in two disclosures",
	 "{\"_sd\":[\"%1\",\"%2\"]}",
	 {"[\"s\",\"a\",1]", "[\"t\",\"a\",2]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"the name _sd", "{\"_sd\":[\"%1\"]}", {"[\"s\",\"_sd\",[]]"}, VCI_ERR_SD_JWT, NULL},
	{"the name ...", "{\"_sd\":[\"%1\"]}", {"[\"s\",\"...\",1]"}, VCI_ERR_SD_JWT, NULL},
	{"the name _sd_alg at the top",
	 "{\"_sd\":[\"%1\"]}",
	 {"[\"s\",\"_sd_alg\",\"md5\"]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"an element's disclosure for a claim",
	 "{\"_sd\":[\"%1\"]}",
	 {"[\"s\",1]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a claim's disclosure for an element",
	 "{\"a\":[{\"...\":\"%1\"}]}",
	 {"[\"s\",\"a\",1]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"a disclosure of one element", "{\"_sd\":[\"%1\"]}", {"[\"s\"]"}, VCI_ERR_SD_JWT, NULL},
	{"a disclosure of four", "{\"_sd\":[\"%1\"]}", {"[\"s\",\"a\",1,2]"}, VCI_ERR_SD_JWT, NULL},
	{"an empty disclosure", "{\"_sd\":[\"%1\"]}", {"[]"}, VCI_ERR_SD_JWT, NULL},
	{"a disclosure that is an object", "{\"_sd\":[\"%1\"]}", {"{\"a\":1}"}, VCI_ERR_SD_JWT, NULL},
	{"a salt that is a number", "{\"_sd\":[\"%1\"]}", {"[1,\"a\",1]"}, VCI_ERR_SD_JWT, NULL},
	{"a name that is a number", "{\"_sd\":[\"%1\"]}", {"[\"s\",1,1]"}, VCI_ERR_SD_JWT, NULL},
	{"a disclosure that is no JSON", "{\"_sd\":[\"%1\"]}", {"hello"}, VCI_ERR_JSON, NULL},
	{"a disclosed member twice",
	 "{\"_sd\":[\"%1\"]}",
	 {"[\"s\",\"a\",{\"b\":1,\"b\":2}]"},
	 VCI_ERR_JSON_DUPLICATE,
	 NULL},
	{"_sd that is no array", "{\"_sd\":\"x\"}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"_sd that is null", "{\"_sd\":null}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"_sd of numbers", "{\"_sd\":[1]}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"the name ... outside an array", "{\"a\":{\"...\":\"x\"}}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"the name ... beside another",
	 "{\"a\":[{\"...\":\"x\",\"b\":1}]}",
	 {NULL},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"the name ... with a number", "{\"a\":[{\"...\":1}]}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"_sd of another kind in a disclosed value",
	 "{\"_sd\":[\"%1\"]}",
	 {"[\"s\",\"a\",{\"_sd\":5}]"},
	 VCI_ERR_SD_JWT,
	 NULL},
	{"an unknown hash function", "{\"_sd_alg\":\"md5\"}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"a hash function in capitals", "{\"_sd_alg\":\"SHA-256\"}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"_sd_alg that is a number", "{\"_sd_alg\":256}", {NULL}, VCI_ERR_SD_JWT, NULL},
	{"_sd_alg that is null", "{\"_sd_alg\":null}", {NULL}, VCI_ERR_SD_JWT, NULL},
};

static void
processing(void)
{
	VciKey *key = issuer_key();

	for (size_t i = 0; i < sizeof(raw_cases) / sizeof(raw_cases[0]); i++)
		run_raw_case(&raw_cases[i], key);
	vci_key_free(key);
}

/* Digests of the disclosure [salt, a, 1] computed with Python's hashlib. */
static void
other_hashes(void)
{
	static const char *const disclosure = "[\"salt\",\"a\",1]";
	static const char *const payloads[] = {
		"{\"_sd_alg\":\"sha-384\",\"_sd\":[\"Ml_IYNXsicpR_gN_TgewQiqVYtn1X_HH1f-"
		"feIfdtn1XlkjrOgBsNfgEU0fm6EnP\"]}",
		"{\"_sd_alg\":\"sha-512\",\"_sd\":[\"3Ly56U60NODr-hajCyEOVhL2STt8fnuXnnQBzVo_"
		"pqBBJ8xXuKCAz10YAZceB3f2TROYzJAKfkwnKcJyDvw7xA\"]}",
	};
	static const size_t lengths[] = {64, 86};
	VciKey *key = issuer_key();

	for (int i = 0; i < 2; i++)
	{
		VciError error = VCI_ERROR_INIT;
		VciSdJwt *parsed;
		char *text = issue_raw(payloads[i], &disclosure, 1, key);

		is_status(vci_sd_jwt_parse(text, strlen(text), &parsed, &error), VCI_OK, &error,
				  i == 0 ? "sha-384" : "sha-512");
		ok(parsed != NULL && vci_json_has(parsed->claims, "a"), "the digest finds its disclosure");
		ok(parsed != NULL && strlen(parsed->sd_hash) == lengths[i],
		   "and the key binding is asked for the same function");
		vci_sd_jwt_free(parsed);
		free(text);
	}
	vci_key_free(key);
}

/* Disclosures within disclosures, each one level: the depth of the result is bounded. */
static VciStatus
chain_status(size_t length, VciError *error)
{
	VciJson *payload = vci_json_new_object();
	VciJson *list = vci_json_new_array();
	VciKey *key = issuer_key();
	char digest[VCI_THUMBPRINT_SIZE] = "none";
	char disclosure[200];
	VciSdJwt *parsed = NULL;
	VciJson *sd = vci_json_new_array();
	VciStatus status;
	char *text;

	for (size_t i = 0; i < length; i++)
	{
		char *encoded;

		snprintf(disclosure, sizeof(disclosure), "[\"%zu\",\"a\",{\"_sd\":[\"%s\"]}]", i, digest);
		encoded = vci_base64url_encode_new(disclosure, strlen(disclosure));
		vci_json_append_string(list, encoded);
		digest_of(encoded, digest);
		free(encoded);
	}
	vci_json_append_string(sd, digest);
	vci_json_set(payload, "_sd", sd);
	if (sign_as_is(payload, list, key, &text, error) != VCI_OK)
		bail_out("cannot sign", error->text);
	status = vci_sd_jwt_parse(text, strlen(text), &parsed, error);
	vci_sd_jwt_free(parsed);
	free(text);
	vci_json_free(payload);
	vci_json_free(list);
	vci_key_free(key);
	return status;
}

static void
bounds(void)
{
	VciError error = VCI_ERROR_INIT;
	VciKey *key = issuer_key();
	char *text = issue_raw("{}", NULL, 0, key);
	size_t len = strlen(text);
	char *large = malloc(VCI_SD_JWT_MAX_SIZE + 2);
	VciSdJwt *parsed;

	is_status(chain_status(VCI_JSON_MAX_DEPTH - 1, &error), VCI_OK, &error,
			  "disclosures nested as deep as allowed");
	is_status(chain_status(VCI_JSON_MAX_DEPTH, &error), VCI_ERR_JSON_DEPTH, &error,
			  "one level deeper");
	is_status(chain_status(VCI_SD_JWT_MAX_DISCLOSURES, &error), VCI_ERR_JSON_DEPTH, &error,
			  "a chain of a thousand");

	memset(large, '~', VCI_SD_JWT_MAX_SIZE + 2);
	memcpy(large, text, len);
	is_status(vci_sd_jwt_parse(large, VCI_SD_JWT_MAX_SIZE + 1, &parsed, &error), VCI_ERR_TOO_LARGE,
			  &error, "an SD-JWT over its size");
	for (size_t i = 0; i <= VCI_SD_JWT_MAX_DISCLOSURES; i++)
	{
		char disclosure[32];
		char encoded[44];

		snprintf(disclosure, sizeof(disclosure), "[\"%06zu\",%06zu]", i, i + 100000);
		vci_base64url_encode(disclosure, strlen(disclosure), encoded);
		memcpy(large + len + i * (strlen(encoded) + 1), encoded, strlen(encoded));
		if (i == VCI_SD_JWT_MAX_DISCLOSURES)
			is_status(
				vci_sd_jwt_parse(large, len + (i + 1) * (strlen(encoded) + 1), &parsed, &error),
				VCI_ERR_TOO_LARGE, &error, "more disclosures than allowed");
	}
	memset(large, 'A', VCI_SD_JWT_MAX_SIZE);
	memcpy(large, text, len);
	is_status(vci_sd_jwt_parse(large, len + VCI_JWS_MAX_SIZE, &parsed, &error), VCI_OK, &error,
			  "a key binding JWT as long as allowed");
	vci_sd_jwt_free(parsed);
	is_status(vci_sd_jwt_parse(large, len + VCI_JWS_MAX_SIZE + 1, &parsed, &error),
			  VCI_ERR_TOO_LARGE, &error, "one character longer");
	free(large);
	free(text);
	vci_key_free(key);
}

static VciStatus
text_status(const char *format, const char *jws, VciError *error)
{
	char text[2048];
	VciSdJwt *parsed;
	VciStatus status;

	snprintf(text, sizeof(text), format, jws);
	status = vci_sd_jwt_parse(text, strlen(text), &parsed, error);
	vci_sd_jwt_free(parsed);
	return status;
}

static void
serialization(void)
{
	static const struct
	{
		const char *format; /* %s stands for the JWT */
		VciStatus status;
		const char *what;
	} cases[] = {
		{"%s~", VCI_OK, "no disclosure"},
		{"%s~x.y.z", VCI_OK, "a key binding JWT, which the caller takes apart"},
		{"%s", VCI_ERR_SD_JWT, "a JWT without ~"},
		{"", VCI_ERR_SD_JWT, "nothing"},
		{"~", VCI_ERR_JWS, "~ alone"},
		{"~%s~", VCI_ERR_JWS, "~ in front"},
		{"%s~~", VCI_ERR_JSON, "an empty disclosure"},
		{"%s~!~", VCI_ERR_SD_JWT, "a disclosure that is no base64url"},
		{"%s~WyJzIiwxXQ==~", VCI_ERR_SD_JWT, "a disclosure with padding"},
		{"%s~WyJzIiwxXQ\n~", VCI_ERR_SD_JWT, "a line feed behind a disclosure"},
		{" %s~", VCI_ERR_BASE64URL, "a space in front"},
		{"%s.~", VCI_ERR_JWS, "four parts"},
	};
	VciKey *key = issuer_key();
	VciJson *empty = vci_json_new_object();
	VciError error = VCI_ERROR_INIT;
	VciSdJwt *parsed;
	char *jws;
	char text[2048];
	int len;

	vci_jws_sign(empty, empty, key, &jws, &error);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(text_status(cases[i].format, jws, &error), cases[i].status, &error,
				  cases[i].what);

	len = snprintf(text, sizeof(text), "%s~a.b", jws);
	text[len - 1] = '\0';
	is_status(vci_sd_jwt_parse(text, (size_t) len, &parsed, &error), VCI_ERR_SD_JWT, &error,
			  "NUL in the key binding JWT");
	len = snprintf(text, sizeof(text), "%s~WyJzIiwxXQ~", jws);
	text[len - 3] = '\0';
	is_status(vci_sd_jwt_parse(text, (size_t) len, &parsed, &error), VCI_ERR_SD_JWT, &error,
			  "NUL in a disclosure");
	vci_sd_jwt_free(NULL);
	free(jws);
	vci_json_free(empty);
	vci_key_free(key);
}

static void
presenting(void)
{
	static const char *const parts[] = {"[\"s\",\"b\",1]", "[\"t\",\"a\",{\"_sd\":[\"%1\"]}]"};
	VciKey *key = issuer_key();
	char *parent = fill_in(parts[1], parts);
	const char *disclosures[] = {parts[0], parent};
	char *payload = fill_in("{\"_sd\":[\"%2\"]}", disclosures);
	char *text = issue_raw(payload, disclosures, 2, key);
	char *with_kb = calloc(1, strlen(text) + 10);
	VciError error = VCI_ERROR_INIT;
	char *presentation;

	sprintf(with_kb, "%sx.y.z", text);
	is_status(vci_sd_jwt_present(with_kb, strlen(with_kb), NULL, 0, &presentation, &error), VCI_OK,
			  &error, "all disclosures");
	is_text(presentation, text, "without the key binding that was there");
	free(presentation);
	is_status(
		vci_sd_jwt_present(text, strlen(text), (bool[]){false, true}, 2, &presentation, &error),
		VCI_OK, &error, "a parent without its child");
	is_number((int64_t) count_text(presentation, "~"), 2, "has one disclosure");
	free(presentation);
	is_status(
		vci_sd_jwt_present(text, strlen(text), (bool[]){true, false}, 2, &presentation, &error),
		VCI_ERR_SD_JWT, &error, "a child without its parent");
	ok(presentation == NULL, "gives nothing");
	is_status(vci_sd_jwt_present(text, strlen(text), (bool[]){true}, 0, &presentation, &error),
			  VCI_OK, &error, "what lies behind keep_count is left out");
	is_number((int64_t) count_text(presentation, "~"), 1, "so that none is left");
	free(presentation);
	is_status(vci_sd_jwt_present("a.b.c", 5, NULL, 0, &presentation, &error), VCI_ERR_SD_JWT,
			  &error, "a JWT is no SD-JWT");
	free(with_kb);
	free(text);
	free(payload);
	free(parent);
	vci_key_free(key);
}

static void
signing(void)
{
	VciKey *key = issuer_key();
	VciJson *empty = vci_json_new_object();
	VciJson *many = vci_json_new_array();
	VciError error = VCI_ERROR_INIT;
	char *text;

	for (int i = 0; i <= VCI_SD_JWT_MAX_DISCLOSURES; i++)
		vci_json_append_string(many, "WyJzIiwxXQ");
	is_status(sign_as_is(empty, many, key, &text, &error), VCI_ERR_TOO_LARGE, &error,
			  "too many disclosures");
	ok(text == NULL, "give nothing");
	is_status(sign_as_is(empty, NULL, key, &text, &error), VCI_OK, &error, "no disclosures");
	ok(text[strlen(text) - 1] == '~', "still end in ~");
	free(text);
	vci_json_free(empty);
	vci_json_free(many);
	vci_key_free(key);
}

int
main(void)
{
	VciJson *file = vectors("rfc9901.json");

	published_disclosures(file);
	published_examples(file);
	published_presentation(file);
	vci_json_free(file);
	processing();
	other_hashes();
	bounds();
	serialization();
	presenting();
	signing();
	error_queue_is_empty();
	return done_testing();
}
