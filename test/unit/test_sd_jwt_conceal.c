/* Concealing claims: everything comes back, nothing shows through. */
#include "sd_jwt_tools.h"

/* Conceals, issues, and takes apart again: everything must come back. */
static void
round_trip(const char *claims, const char *paths, int decoys, size_t disclosure_count,
		   const char *what)
{
	VciJson *payload = json(claims);
	VciJson *original = json(claims);
	VciJson *pointers = json(paths);
	VciConcealed concealed;
	VciJson *written;
	VciKey *key = issuer_key();
	VciError error = VCI_ERROR_INIT;
	VciSdJwt *parsed;
	char *text = NULL;

	is_status(vci_sd_jwt_conceal(NULL, payload, pointers, decoys, NULL, &concealed, &error), VCI_OK,
			  &error, what);
	ok(vci_json_equal(payload, original), "the claims that were given did not change");
	is_number((int64_t) concealed.count, (int64_t) disclosure_count,
			  "as many disclosures as claims were selected");
	written = json(concealed.payload);
	ok(vci_json_has(written, "_sd_alg") == (disclosure_count > 0 || decoys > 0),
	   "_sd_alg stands there only with a digest");
	ok(strstr(concealed.payload, "secret") == NULL, "nothing concealed can be read");
	is_status(vci_sd_jwt_sign("\"typ\":\"dc+sd-jwt\"", &concealed, key, &text, &error), VCI_OK,
			  &error, "it is signed");
	is_number((int64_t) count_text(text, "~"), (int64_t) disclosure_count + 1, "and serialized");
	if (is_status(vci_sd_jwt_parse(text, strlen(text), &parsed, &error), VCI_OK, &error,
				  "and parsed"))
	{
		is_status(vci_jws_verify(parsed->jws, key, &error), VCI_OK, &error, "the signature holds");
		ok(vci_json_equal(parsed->claims, original), "and every claim is back");
		vci_sd_jwt_free(parsed);
	}
	free(text);
	vci_json_free(payload);
	vci_json_free(original);
	vci_json_free(pointers);
	vci_json_free(written);
	vci_concealed_free(&concealed);
	vci_key_free(key);
}

static void
concealing(void)
{
	round_trip("{\"iss\":\"i\",\"a\":\"secret\",\"b\":\"secret\"}", "[[\"a\"],[\"b\"]]", 0, 2,
			   "flat");
	round_trip("{\"a\":{\"b\":\"secret\",\"c\":\"open\"}}", "[[\"a\",\"b\"]]", 0, 1, "structured");
	round_trip("{\"a\":{\"b\":\"secret\",\"c\":\"secret\"}}",
			   "[[\"a\",\"b\"],[\"a\"],[\"a\",\"c\"]]", 0, 3, "recursive");
	round_trip("{\"a\":[\"secret 1\",\"secret 2\",\"open\"]}", "[[\"a\",0],[\"a\",1]]", 0, 2,
			   "elements by their index");
	round_trip("{\"a\":[\"secret\",null,3,{\"b\":\"secret\"}]}", "[[\"a\",null]]", 0, 4,
			   "all elements");
	round_trip("{\"a\":[{\"b\":\"secret\"},{\"b\":\"secret\"},5]}", "[[\"a\",null,\"b\"]]", 0, 2,
			   "a member of all elements");
	round_trip("{\"a\":[[\"secret\",\"secret\"],[\"secret\"]]}",
			   "[[\"a\",null,null],[\"a\",null],[\"a\"]]", 0, 6, "arrays in arrays, recursively");
	round_trip("{\"a\":null,\"b\":false,\"c\":0,\"d\":\"\",\"e\":{},\"f\":[]}",
			   "[[\"a\"],[\"b\"],[\"c\"],[\"d\"],[\"e\"],[\"f\"]]", 0, 6,
			   "empty values of every kind");
	round_trip("{\"n\":1.50,\"m\":123456789012345678901234567890,\"z\":-0}",
			   "[[\"n\"],[\"m\"],[\"z\"]]", 0, 3, "numbers keep their text in a disclosure");
	round_trip("{\"\":\"secret\",\"\xc3\xa9\\\"/\":\"secret\"}", "[[\"\"],[\"\xc3\xa9\\\"/\"]]", 0,
			   2, "names that need escapes");
	round_trip("{\"a\":1}", "[[\"b\"],[\"a\",\"b\"],[\"a\",0],[\"a\",null],[0],[null]]", 0, 0,
			   "pointers that select nothing");
	round_trip("{\"a\":[1],\"b\":{\"0\":1}}", "[[\"a\",1],[\"a\",\"0\"],[\"b\",0]]", 0, 0,
			   "an index is no name");
	round_trip("{\"a\":\"secret\"}", "[[\"a\"],[\"a\"]]", 0, 1, "the same pointer twice");
	round_trip("{\"a\":1}", "[]", 0, 0, "no pointer");
	round_trip("{}", "[]", 3, 0, "decoys alone");
	round_trip("{\"a\":\"secret\",\"b\":{\"c\":\"secret\"}}", "[[\"a\"],[\"b\",\"c\"]]",
			   VCI_SD_JWT_MAX_DECOYS, 2, "as many decoys as allowed");
}

static VciStatus
conceal_status(const char *claims, const char *paths, int decoys, VciError *error)
{
	VciJson *payload = json(claims);
	VciJson *pointers = json(paths);
	VciConcealed concealed;
	VciStatus status = vci_sd_jwt_conceal(NULL, payload, pointers, decoys, NULL, &concealed, error);

	if ((status == VCI_OK) != (concealed.payload != NULL && concealed.disclosures != NULL))
		status = VCI_ERR_INTERNAL;
	vci_json_free(payload);
	vci_json_free(pointers);
	vci_concealed_free(&concealed);
	return status;
}

static char *
nested_arrays(size_t depth)
{
	char *text = calloc(1, 2 * depth + 16);

	strcpy(text, "{\"a\":");
	memset(text + 5, '[', depth - 1);
	text[5 + depth - 1] = '1';
	memset(text + 5 + depth, ']', depth - 1);
	text[5 + 2 * depth - 1] = '}';
	return text;
}

static void
conceal_refusals(void)
{
	VciError error = VCI_ERROR_INIT;
	char *deep = nested_arrays(VCI_JSON_MAX_DEPTH);
	char *allowed = nested_arrays(VCI_JSON_MAX_DEPTH - 1);
	VciJson *many = vci_json_new_object();
	VciJson *all = json("[[\"a\",null]]");
	VciJson *array = vci_json_new_array();
	VciConcealed concealed;

	is_status(conceal_status("{\"_sd\":[]}", "[]", 0, &error), VCI_ERR_CLAIM_RESERVED, &error,
			  "_sd at the top");
	is_status(conceal_status("{\"a\":[{\"b\":{\"_sd\":1}}]}", "[]", 0, &error),
			  VCI_ERR_CLAIM_RESERVED, &error, "_sd deeper");
	is_status(conceal_status("{\"a\":[{\"...\":\"x\"}]}", "[]", 0, &error), VCI_ERR_CLAIM_RESERVED,
			  &error, "the name ... in an array");
	is_status(conceal_status("{\"...\":\"x\"}", "[]", 0, &error), VCI_ERR_CLAIM_RESERVED, &error,
			  "the name ... at the top");
	is_status(conceal_status("{\"_sd_alg\":\"md5\"}", "[]", 0, &error), VCI_ERR_CLAIM_RESERVED,
			  &error, "_sd_alg at the top");
	is_status(conceal_status("{\"a\":{\"_sd_alg\":1}}", "[]", 0, &error), VCI_OK, &error,
			  "which is a name like any other below");
	is_status(conceal_status("{}", "[[]]", 0, &error), VCI_ERR_CLAIM_PATH, &error,
			  "an empty pointer");
	is_status(conceal_status("{}", "[\"a\"]", 0, &error), VCI_ERR_CLAIM_PATH, &error,
			  "a pointer that is none");
	is_status(conceal_status("{}", "[]", -1, &error), VCI_ERR_CONFIGURATION, &error,
			  "fewer than no decoys");
	is_status(conceal_status("{}", "[]", VCI_SD_JWT_MAX_DECOYS + 1, &error), VCI_ERR_CONFIGURATION,
			  &error, "too many decoys");
	is_status(conceal_status("[]", "[]", 0, &error), VCI_ERR_INTERNAL, &error,
			  "a payload that is no object");
	is_status(conceal_status(allowed, "[]", 0, &error), VCI_OK, &error,
			  "claims as deep as allowed");
	is_status(conceal_status(deep, "[]", 0, &error), VCI_ERR_JSON_DEPTH, &error,
			  "one level deeper");

	for (int i = 0; i <= VCI_SD_JWT_MAX_DISCLOSURES; i++)
		vci_json_append(array, vci_json_new_int64(i));
	vci_json_set(many, "a", array);
	is_status(vci_sd_jwt_conceal(NULL, many, all, 0, NULL, &concealed, &error), VCI_ERR_TOO_LARGE,
			  &error, "more disclosures than a verifier of ours takes");
	vci_json_free(many);
	vci_json_free(all);
	free(deep);
	free(allowed);
}

/* The deepest allowed scalar concealed: the result must still be readable. */
static void
deepest_element(void)
{
	char paths[400] = "[[\"a\"";
	char *claims = nested_arrays(VCI_JSON_MAX_DEPTH - 1);

	for (int i = 0; i < VCI_JSON_MAX_DEPTH - 2; i++)
		strcat(paths, ",0");
	strcat(paths, "]]");
	round_trip(claims, paths, 0, 1, "the deepest element there can be");
	free(claims);
}

static void
paths(void)
{
	static const struct
	{
		const char *path;
		VciStatus status;
	} cases[] = {
		{"[\"a\"]", VCI_OK},
		{"[\"a\",0,null,\"b\"]", VCI_OK},
		{"[null]", VCI_OK},
		{"[9223372036854775807]", VCI_OK},
		{"[]", VCI_ERR_CLAIM_PATH},
		{"\"a\"", VCI_ERR_CLAIM_PATH},
		{"{}", VCI_ERR_CLAIM_PATH},
		{"null", VCI_ERR_CLAIM_PATH},
		{"[-1]", VCI_ERR_CLAIM_PATH},
		{"[1.0]", VCI_ERR_CLAIM_PATH},
		{"[1e0]", VCI_ERR_CLAIM_PATH},
		{"[9223372036854775808]", VCI_ERR_CLAIM_PATH},
		{"[true]", VCI_ERR_CLAIM_PATH},
		{"[[\"a\"]]", VCI_ERR_CLAIM_PATH},
		{"[{}]", VCI_ERR_CLAIM_PATH},
	};
	VciError error = VCI_ERROR_INIT;
	VciJson *path = vci_json_new_array();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJson *parsed = json(cases[i].path);

		is_status(vci_claims_path_check(parsed, &error), cases[i].status, &error, cases[i].path);
		vci_json_free(parsed);
	}
	for (int i = 0; i < VCI_JSON_MAX_DEPTH; i++)
		vci_json_append_string(path, "a");
	is_status(vci_claims_path_check(path, &error), VCI_OK, &error, "32 parts");
	vci_json_append_string(path, "a");
	is_status(vci_claims_path_check(path, &error), VCI_ERR_CLAIM_PATH, &error, "33 parts");
	vci_json_free(path);
}

/* Salts of 128 bits, never the same; digests in no order that tells anything. */
static void
unlinkable(void)
{
	VciJson *pointers = json("[[\"a\"],[\"b\"],[\"c\"],[\"d\"]]");
	VciJson *salts = vci_json_new_object();
	size_t first_place[4] = {0};
	bool salts_fit = true;
	size_t rounds = 400;

	for (size_t round = 0; round < rounds; round++)
	{
		VciJson *claims = json("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}");
		VciJson *disclosures;
		VciJson *payload;
		VciConcealed concealed;
		VciError error = VCI_ERROR_INIT;
		char first[VCI_THUMBPRINT_SIZE];

		vci_sd_jwt_conceal(NULL, claims, pointers, 0, NULL, &concealed, &error);
		payload = json(concealed.payload);
		disclosures = disclosures_of(&concealed);
		digest_of(vci_json_string(vci_json_array_at(disclosures, 0)), first);
		for (size_t i = 0; i < 4; i++)
		{
			const char *disclosure = vci_json_string(vci_json_array_at(disclosures, i));
			unsigned char *bytes;
			VciJson *parsed;
			size_t len;

			vci_base64url_decode_new(disclosure, strlen(disclosure), &bytes, &len, &error);
			vci_json_parse((char *) bytes, len, &parsed, &error);
			salts_fit = salts_fit && strlen(vci_json_string(vci_json_array_at(parsed, 0))) == 22;
			vci_json_set_null(salts, vci_json_string(vci_json_array_at(parsed, 0)));
			vci_json_free(parsed);
			free(bytes);
			if (strcmp(first,
					   vci_json_string(vci_json_array_at(vci_json_get(payload, "_sd"), i))) == 0)
				first_place[i]++;
		}
		vci_json_free(claims);
		vci_json_free(payload);
		vci_json_free(disclosures);
		vci_concealed_free(&concealed);
	}
	ok(salts_fit, "a salt has 128 bits");
	is_number((int64_t) vci_json_member_count(salts), (int64_t) rounds * 4, "no salt comes twice");
	/* 100 expected in each place; 40 to 160 is seven standard deviations off */
	for (size_t i = 0; i < 4; i++)
		ok(first_place[i] > 40 && first_place[i] < 160,
		   "the first claim's digest stands in place %zu as often as in the others", i + 1);
	vci_json_free(salts);
	vci_json_free(pointers);
}

static void
decoys(void)
{
	VciJson *claims = json("{\"a\":1,\"b\":{\"c\":2}}");
	VciJson *pointers = json("[[\"a\"],[\"b\",\"c\"]]");
	VciError error = VCI_ERROR_INIT;
	VciConcealed concealed;
	VciJson *payload;
	VciJson *sd;
	bool alike = true;

	vci_sd_jwt_conceal(NULL, claims, pointers, 5, NULL, &concealed, &error);
	payload = json(concealed.payload);
	sd = vci_json_get(payload, "_sd");
	is_number((int64_t) vci_json_array_length(sd), 6, "five decoys beside one digest at the top");
	is_number((int64_t) vci_json_array_length(vci_json_get(vci_json_get(payload, "b"), "_sd")), 1,
			  "and none below");
	for (size_t i = 0; i < 6; i++)
		alike = alike && strlen(vci_json_string(vci_json_array_at(sd, i))) == 43;
	ok(alike, "which look like digests");
	vci_json_free(claims);
	vci_json_free(payload);
	vci_json_free(pointers);
	vci_concealed_free(&concealed);
}

/* Members in front stay what they are, with and without others behind them. */
static void
head(void)
{
	static const struct
	{
		const char *head;
		const char *claims;
		const char *payload;
	} cases[] = {
		{"\"iss\":\"i\"", "{\"b\":[1.50]}", "{\"iss\":\"i\",\"b\":[1.50]}"},
		{"\"iss\":\"i\"", "{}", "{\"iss\":\"i\"}"},
		{"", "{\"b\":{}}", "{\"b\":{}}"},
		{NULL, "{}", "{}"},
	};
	VciJson *pointers = json("[[\"a\"],[\"iss\"]]");
	VciJson *claims = json("{\"a\":1}");
	VciError error = VCI_ERROR_INIT;
	VciConcealed concealed;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJson *open = json(cases[i].claims);

		is_status(vci_sd_jwt_conceal(cases[i].head, open, pointers, 0, NULL, &concealed, &error),
				  VCI_OK, &error, "claims behind a head");
		is_text(concealed.payload, cases[i].payload, "are written behind it");
		is_text(concealed.disclosures, "~", "with no disclosure");
		vci_json_free(open);
		vci_concealed_free(&concealed);
	}
	vci_sd_jwt_conceal("\"iss\":\"i\"", claims, pointers, 0, NULL, &concealed, &error);
	ok(strstr(concealed.payload, "{\"iss\":\"i\",\"_sd\":[\"") == concealed.payload,
	   "a pointer conceals nothing of the head");
	is_number((int64_t) concealed.count, 1, "but the claim behind it");
	vci_concealed_free(&concealed);
	vci_json_free(claims);
	vci_json_free(pointers);
}

int
main(void)
{
	concealing();
	head();
	conceal_refusals();
	deepest_element();
	paths();
	unlinkable();
	decoys();
	return done_testing();
}
