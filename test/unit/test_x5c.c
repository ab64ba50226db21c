/* Certificate chains in a proof's header: which give a key, and which do not. */
#include "jose/jwk.h"
#include "error_queue.h"
#include "tap.h"

static void
accepted(const VciJson *file, const char *member, const VciJson *jwk)
{
	VciJson *list = vci_json_get(file, member);
	int64_t now = 0;

	vci_json_get_int64(file, "now", &now);
	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		VciError error = VCI_ERROR_INIT;
		VciKey *key;
		VciJson *got;

		is_status(vci_key_from_x5c(vci_json_get(vector, "x5c"), now, &key, &error), VCI_OK, &error,
				  vci_json_get_string(vector, "what"));
		got = key == NULL ? NULL : vci_key_public_jwk(key);
		ok(got != NULL && (jwk == NULL || vci_json_equal(got, jwk)), "gives the leaf's key");
		ok(key != NULL && !vci_key_is_private(key), "which is public");
		vci_json_free(got);
		vci_key_free(key);
	}
}

static void
refused(const VciJson *file)
{
	VciJson *list = vci_json_get(file, "refused");
	int64_t now = 0;

	vci_json_get_int64(file, "now", &now);
	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		VciError error = VCI_ERROR_INIT;
		VciKey *key;
		VciStatus status = vci_key_from_x5c(vci_json_get(vector, "x5c"), now, &key, &error);

		if (!is_text(vci_status_name(status), vci_json_get_string(vector, "status"),
					 vci_json_get_string(vector, "what")) ||
			key != NULL)
			printf("# %s\n", error.text);
		vci_key_free(key);
	}
}

/* The clock is the caller's: the same chain, at other times. */
static void
times(const VciJson *file)
{
	const VciJson *x5c = vci_json_get(vci_json_array_at(vci_json_get(file, "accepted"), 2), "x5c");
	static const struct
	{
		int64_t now;
		VciStatus status;
		const char *what;
	} cases[] = {
		{1577836800, VCI_OK, "the first second of its validity"},
		{1577836799, VCI_ERR_CERTIFICATE, "one second before"},
		{4102444799, VCI_OK, "the second before its end"},
		{4102444801, VCI_ERR_CERTIFICATE, "one second after its end"},
		{0, VCI_ERR_CERTIFICATE, "1970"},
		{-1, VCI_ERR_CERTIFICATE, "1969"},
		{253402300800, VCI_ERR_CERTIFICATE, "the year 10000"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciError error = VCI_ERROR_INIT;
		VciKey *key;

		is_status(vci_key_from_x5c(x5c, cases[i].now, &key, &error), cases[i].status, &error,
				  cases[i].what);
		vci_key_free(key);
	}
}

static VciStatus
changed_status(const VciJson *file, const char *(*change)(char *text), VciError *error)
{
	const VciJson *x5c = vci_json_get(vci_json_array_at(vci_json_get(file, "accepted"), 0), "x5c");
	VciJson *array = vci_json_new_array();
	char *text = calloc(1, 20000);
	int64_t now = 0;
	VciKey *key;
	VciStatus status;

	vci_json_get_int64(file, "now", &now);
	strcpy(text, vci_json_string(vci_json_array_at(x5c, 0)));
	vci_json_append_string(array, change(text));
	status = vci_key_from_x5c(array, now, &key, error);
	vci_key_free(key);
	free(text);
	vci_json_free(array);
	return status;
}

static const char *
unchanged(char *text)
{
	return text;
}

static const char *
line_feed_behind(char *text)
{
	return strcat(text, "\n");
}

static const char *
space_in_front(char *text)
{
	memmove(text + 1, text, strlen(text) + 1);
	text[0] = ' ';
	return text;
}

static const char *
as_base64url(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return text;
}

static const char *
four_characters_more(char *text)
{
	size_t len = strcspn(text, "=");

	text[len - len % 4] = '\0';
	return strcat(text, "AAAA");
}

static const char *
cut_short(char *text)
{
	text[strlen(text) / 8 * 4] = '\0';
	return text;
}

static const char *
padding_alone(char *text)
{
	return strcpy(text, "====");
}

static const char *
padding_within(char *text)
{
	text[10] = '=';
	return text;
}

static const char *
nothing(char *text)
{
	return strcpy(text, "");
}

static const char *
signature_changed(char *text)
{
	size_t at = strlen(text) - 12;

	text[at] = text[at] == 'A' ? 'B' : 'A';
	return text;
}

static void
encodings(const VciJson *file)
{
	static const struct
	{
		const char *(*change)(char *text);
		const char *what;
	} cases[] = {
		{line_feed_behind, "a line feed behind the base64"},
		{space_in_front, "a space in front of it"},
		{as_base64url, "base64url instead of base64"},
		{four_characters_more, "bytes behind the certificate"},
		{cut_short, "a certificate cut short"},
		{padding_alone, "padding alone"},
		{padding_within, "padding within"},
		{nothing, "an empty string"},
	};
	VciError error = VCI_ERROR_INIT;

	is_status(changed_status(file, unchanged, &error), VCI_OK, &error, "the control is accepted");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(changed_status(file, cases[i].change, &error), VCI_ERR_CERTIFICATE, &error,
				  cases[i].what);
}

static void
changed_signature(const VciJson *file)
{
	VciJson *chain =
		vci_json_copy(vci_json_get(vci_json_array_at(vci_json_get(file, "accepted"), 2), "x5c"));
	char *text = calloc(1, 20000);
	VciError error = VCI_ERROR_INIT;
	int64_t now = 0;
	VciKey *key;

	vci_json_get_int64(file, "now", &now);
	strcpy(text, vci_json_string(vci_json_array_at(chain, 0)));
	vci_json_array_put(chain, 0, vci_json_new_string(signature_changed(text)));
	is_status(vci_key_from_x5c(chain, now, &key, &error), VCI_ERR_CERTIFICATE, &error,
			  "a leaf whose signature was changed");
	free(text);
	vci_json_free(chain);
}

static void
shapes(void)
{
	static const char *const texts[][2] = {
		{"[]", "an empty array"},
		{"{}", "an object"},
		{"\"AAAA\"", "a string"},
		{"null", "null"},
		{"[5]", "an array of numbers"},
		{"[null]", "an array of null"},
		{"[[\"AAAA\"]]", "an array of arrays"},
		{"[\"AAAA\"]", "no certificate"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		VciJson *x5c = json(texts[i][0]);
		VciError error = VCI_ERROR_INIT;
		VciKey *key;

		is_status(vci_key_from_x5c(x5c, 1811808000, &key, &error), VCI_ERR_CERTIFICATE, &error,
				  texts[i][1]);
		ok(key == NULL, "gives no key");
		vci_json_free(x5c);
	}
}

int
main(void)
{
	VciJson *file = vectors("x5c.json");

	accepted(file, "accepted", vci_json_get(file, "jwk"));
	accepted(file, "accepted_other_keys", NULL);
	refused(file);
	times(file);
	encodings(file);
	changed_signature(file);
	shapes();
	vci_json_free(file);
	error_queue_is_empty();
	return done_testing();
}
