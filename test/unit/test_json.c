/* Strict JSON: what must be refused, and that numbers keep their text. */
#include "jose/json.h"
#include "tap.h"

static VciStatus
parse_status(const char *text, size_t len, VciError *error)
{
	VciJson *parsed;
	VciStatus status = vci_json_parse(text, len, &parsed, error);

	if (status != VCI_OK && parsed != NULL)
		status = VCI_ERR_INTERNAL;
	vci_json_free(parsed);
	return status;
}

static const char *const malformed_texts[] = {
	"",
	" ",
	"\t\r\n",
	"[1,]",
	"[,1]",
	"[1,,2]",
	"{,}",
	"{\"a\":1,}",
	"{\"a\"}",
	"{\"a\":}",
	"{1:2}",
	"{a:1}",
	"{'a':1}",
	"{\"a\" 1}",
	"{\"a\"::1}",
	"{\"a\":1 \"b\":2}",
	"[\"a\":1]",
	"[:]",
	"[1 2]",
	"[1",
	"{\"a\":1",
	"[1}",
	"{\"a\":1]",
	"]",
	"}",
	"[1]]",
	"[1][",
	"[1]x",
	"[1] [2]",
	"1 2",
	"1,",
	"{}{}",
	"{},",
	"NaN",
	"[NaN]",
	"nan",
	"Infinity",
	"-Infinity",
	"[-Infinity]",
	"[1,inf]",
	"True",
	"TRUE",
	"tru",
	"truee",
	"nullx",
	"Null",
	"nul",
	"fals",
	"[truefalse]",
	"[true false]",
	"01",
	"-01",
	"[00]",
	"+1",
	"[+1]",
	"1.",
	"[.5]",
	"-",
	"[-]",
	"--1",
	"1e",
	"1e+",
	"[1e]",
	"1.e1",
	"0x10",
	"1_000",
	"1.5.5",
	"[1.5\"a\"]",
	"1.5 2.5",
	"[1.5 2.5]",
	"[1.5-3]",
	"/*a*/1",
	"1//a",
	"[1/*a*/]",
	"#1",
	"'a'",
	"['a']",
	"`a`",
	"\"a",
	"\"\\\"",
	"\"\\x41\"",
	"\"\\'\"",
	"\"\\u12\"",
	"\"\\u123g\"",
	"\"\\",
	"\"\n\"",
	"\"\t\"",
	"\"\x1f\"",
	"\"a\"b",
	"\"a\"\"b\"",
	"\v1",
	"\f1",
	"\xef\xbb\xbf{}",
	"\302\2401",
	"{\"a\":undefined}",
	"\\u0031",
};

static void
malformed(void)
{
	VciError error = VCI_ERROR_INIT;
	char what[80];

	for (size_t i = 0; i < sizeof(malformed_texts) / sizeof(malformed_texts[0]); i++)
	{
		snprintf(what, sizeof(what), "malformed text %zu is refused", i);
		if (!is_status(parse_status(malformed_texts[i], strlen(malformed_texts[i]), &error),
					   VCI_ERR_JSON, &error, what))
			printf("# text: %s\n", malformed_texts[i]);
	}
	is_status(parse_status("[1]\0", 4, &error), VCI_ERR_JSON, &error, "NUL behind the text");
	is_status(parse_status("[1\0]", 4, &error), VCI_ERR_JSON, &error, "NUL within the text");
	is_status(parse_status("\"a\0b\"", 5, &error), VCI_ERR_JSON, &error, "raw NUL in a string");
	is_status(parse_status("[1]x", 3, &error), VCI_OK, &error,
			  "what stands behind len is not read");
	is_status(parse_status("truex", 4, &error), VCI_OK, &error, "not even behind a word");
	is_status(parse_status("12", 1, &error), VCI_OK, &error, "or a number");
}

/* json-c 0.18 takes their bytes for control characters in its strict mode. */
static void
characters_outside_ascii(void)
{
	static const char text[] =
		"{\"Num\xc3\xa9ro\":[\"\xe2\x82\xac 5\",\"\xf0\x9f\x98\x80\",1e400]}";
	VciJson *parsed = json(text);
	char *printed = vci_json_print(parsed);

	ok(printed != NULL && strcmp(printed, text) == 0,
	   "characters of two, three and four bytes pass unchanged, in names and values");
	free(printed);
	vci_json_free(parsed);
}

static void
strings(void)
{
	static const char *const surrogates[] = {
		"\"\\ud800\"",	   "\"\\udc00\"",		 "\"\\ud800\\ud800\"", "\"\\ud800a\"",
		"\"\\ud800\\n\"",  "\"\\ud800\\u0041\"", "\"\\udc00\\ud800\"", "[\"\\uD834\"]",
		"{\"\\ud800\":1}", "\"\\ud800\\u",		 "\"\\u0000\"",		   "{\"a\\u0000b\":1}",
	};
	static const char *const bytes[] = {
		"\"\x80\"",
		"\"\xc0\x80\"",
		"\"\xc1\xbf\"",
		"\"\xe0\x80\x80\"",
		"\"\xe0\x9f\xbf\"",
		"\"\xed\xa0\x80\"",
		"\"\xed\xbf\xbf\"",
		"\"\xf0\x80\x80\x80\"",
		"\"\xf0\x8f\xbf\xbf\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xff\"",
		"\"\xc3\"",
		"\"\xe2\x82\"",
		"\"\xf0\x9f\x98\"",
		"{\"\xff\":1}",
		"\xff",
	};
	VciError error = VCI_ERROR_INIT;
	VciJson *parsed;
	char *printed;

	for (size_t i = 0; i < sizeof(surrogates) / sizeof(surrogates[0]); i++)
		is_status(parse_status(surrogates[i], strlen(surrogates[i]), &error), VCI_ERR_JSON, &error,
				  "half a surrogate pair or an escaped NUL");
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		is_status(parse_status(bytes[i], strlen(bytes[i]), &error), VCI_ERR_UTF8, &error,
				  "bytes that are not UTF-8");

	parsed = json("\"\\u00e9\\ud83d\\ude00\\/\\\"\\\\\\b\\f\\n\\r\\t\\u001f\xf4\x8f\xbf\xbf\"");
	is_text(vci_json_string(parsed), "\xc3\xa9\xf0\x9f\x98\x80/\"\\\b\f\n\r\t\x1f\xf4\x8f\xbf\xbf",
			"every escape is read");
	printed = vci_json_print(parsed);
	is_text(printed, "\"\xc3\xa9\xf0\x9f\x98\x80/\\\"\\\\\\b\\f\\n\\r\\t\\u001f\xf4\x8f\xbf\xbf\"",
			"and printed with no more escapes than needed");
	free(printed);
	vci_json_free(parsed);

	ok(vci_utf8_valid("", 0) && vci_utf8_valid("a\0b", 3) && vci_utf8_valid("\xc2\x80", 2) &&
		   !vci_utf8_valid("\xc2", 1) && !vci_utf8_valid("a\xe2\x82", 3),
	   "UTF-8 is checked to the last byte");
	characters_outside_ascii();
}

static void
duplicates(void)
{
	static const char *const texts[] = {
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":2,\"a\":3}",
		"{\"a\":1,\"\\u0061\":2}",
		"{\"\":1,\"\":2}",
		"{\"x\":[{\"y\":{\"a\":1,\"a\":2}}]}",
		"{\"a\":{\"b\":1},\"a\":2}",
		"[{\"a\":\":\",\"a\":null}]",
		"{\"a\":1.5,\"a\":2.5}",
	};
	const char *apart = "{\"a\":{\"a\":[{\"a\":\":::\"},{\"a\":1}]},\"A\":1,\":\":\"\\\":\"}";
	VciError error = VCI_ERROR_INIT;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		is_status(parse_status(texts[i], strlen(texts[i]), &error), VCI_ERR_JSON_DUPLICATE, &error,
				  "a member that stands there twice");
	is_status(parse_status(apart, strlen(apart), &error), VCI_OK, &error,
			  "the same name at other places, and colons in strings, are none");
}

static VciStatus
parse_nested(size_t depth, const char *open, const char *core, const char *close, VciError *error)
{
	size_t size = depth * (strlen(open) + strlen(close)) + strlen(core) + 1;
	char *text = calloc(1, size);
	char *at = text;
	VciStatus status;

	for (size_t i = 0; i < depth; i++, at += strlen(open))
		memcpy(at, open, strlen(open));
	memcpy(at, core, strlen(core));
	at += strlen(core);
	for (size_t i = 0; i < depth; i++, at += strlen(close))
		memcpy(at, close, strlen(close));
	status = parse_status(text, (size_t) (at - text), error);
	free(text);
	return status;
}

static void
depth(void)
{
	VciError error = VCI_ERROR_INIT;

	is_status(parse_nested(VCI_JSON_MAX_DEPTH, "[", "", "]", &error), VCI_OK, &error,
			  "arrays as deep as allowed");
	is_status(parse_nested(VCI_JSON_MAX_DEPTH, "[", "1.5", "]", &error), VCI_OK, &error,
			  "with a number in the deepest");
	is_status(parse_nested(VCI_JSON_MAX_DEPTH, "{\"a\":", "\"x\"", "}", &error), VCI_OK, &error,
			  "objects as deep as allowed");
	is_status(parse_nested(VCI_JSON_MAX_DEPTH + 1, "[", "", "]", &error), VCI_ERR_JSON_DEPTH,
			  &error, "one level more of arrays");
	is_status(parse_nested(VCI_JSON_MAX_DEPTH + 1, "{\"a\":", "1", "}", &error), VCI_ERR_JSON_DEPTH,
			  &error, "one level more of objects");
	is_status(parse_nested(100000, "[", "", "", &error), VCI_ERR_JSON_DEPTH, &error,
			  "100000 open brackets");
	is_status(parse_nested(100000, "{\"a\":[", "", "", &error), VCI_ERR_JSON_DEPTH, &error,
			  "100000 open objects and arrays");
}

static void
exact_numbers(void)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"1",
		"-1",
		"1.0",
		"1.10",
		"-0.0",
		"1e2",
		"1E+2",
		"1e-400",
		"1E400",
		"999999999999999999",
		"-999999999999999999",
		"9223372036854775807",
		"-9223372036854775808",
		"9223372036854775808",
		"18446744073709551616",
		"123456789012345678901234567890.123456789012345678901234567890",
		"[1.0,2,3.50,{\"a\":-0,\"b\":[1e2,7,\"1.0\",null,true]},12345678901234567890,0]",
	};
	char what[80];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		VciJson *parsed = json(texts[i]);
		VciJson *copy = vci_json_copy(parsed);
		char *printed = vci_json_print(parsed);
		char *copied = vci_json_print(copy);

		snprintf(what, sizeof(what), "number text %zu is printed as it came", i);
		is_text(printed, texts[i], what);
		snprintf(what, sizeof(what), "and by its copy, which is equal");
		is_text(copied, texts[i], what);
		ok(vci_json_equal(parsed, copy), "a copy equals its original");
		free(printed);
		free(copied);
		vci_json_free(parsed);
		vci_json_free(copy);
	}
	/* the last text is an array */
	for (size_t i = 0; i + 1 < sizeof(texts) / sizeof(texts[0]); i++)
	{
		VciJson *parsed = json(texts[i]);
		VciJson *made = vci_json_new_number(texts[i]);
		char *printed = vci_json_print(made);

		snprintf(what, sizeof(what), "number %zu made of its text is printed like it", i);
		is_text(printed, texts[i], what);
		ok(vci_json_equal(parsed, made), "and equals what the parser makes of it");
		free(printed);
		vci_json_free(parsed);
		vci_json_free(made);
	}
	ok(strtod("1.5", NULL) == 1.5, "the decimal point of the locale was left alone");
}

static void
integers(void)
{
	static const struct
	{
		const char *text;
		bool fits;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"-7", true, -7},
		{"999999999999999999", true, 999999999999999999},
		{"1000000000000000000", true, 1000000000000000000},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"18446744073709551615", false, 0},
		{"18446744073709551616", false, 0},
		{"99999999999999999999999999999999", false, 0},
		{"1.0", false, 0},
		{"1e2", false, 0},
		{"0.5", false, 0},
		{"\"1\"", false, 0},
		{"true", false, 0},
		{"null", false, 0},
		{"[1]", false, 0},
	};
	char what[80];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJson *parsed = json(cases[i].text);
		int64_t value = 42;
		bool fits = vci_json_int64(parsed, &value);

		snprintf(what, sizeof(what), "%.40s %s an int64", cases[i].text,
				 cases[i].fits ? "is" : "is not");
		ok(fits == cases[i].fits && value == (fits ? cases[i].value : 42), "%s", what);
		vci_json_free(parsed);
	}
}

static void
access_to_members(void)
{
	VciJson *object =
		json("{\"s\":\"x\",\"n\":5,\"b\":true,\"z\":null,\"a\":[\"p\",null,3],\"o\":{}}");
	VciJson *array = vci_json_get(object, "a");
	int64_t number = 0;
	bool boolean = false;
	char *names = calloc(1, 32);

	is_text(vci_json_get_string(object, "s"), "x", "a string member");
	is_text(vci_json_get_string(object, "n"), NULL, "a number is no string");
	is_text(vci_json_get_string(object, "absent"), NULL, "an absent member is no string");
	is_text(vci_json_get_string(array, "s"), NULL, "an array has no members");
	is_text(vci_json_get_string(NULL, "s"), NULL, "null has no members");
	ok(vci_json_get_int64(object, "n", &number) && number == 5, "an integer member");
	ok(!vci_json_get_int64(object, "s", &number), "a string is no integer");
	ok(vci_json_get_boolean(object, "b", &boolean) && boolean, "a boolean member");
	ok(!vci_json_get_boolean(object, "n", &boolean), "a number is no boolean");
	ok(vci_json_has(object, "z") && vci_json_get(object, "z") == NULL, "null stands there, unlike "
																	   "an absent member");
	ok(!vci_json_has(object, "absent") && !vci_json_has(array, "s"), "an absent member");
	is_number((int64_t) vci_json_member_count(object), 6, "the number of members");
	is_number((int64_t) vci_json_array_length(array), 3, "the length of an array");
	is_number((int64_t) vci_json_array_length(object), 0, "an object has no length");
	ok(vci_json_array_at(array, 1) == NULL && vci_json_array_at(array, 3) == NULL,
	   "no element behind the end");
	ok(vci_json_array_has_string(array, "p") && !vci_json_array_has_string(array, "3") &&
		   !vci_json_array_has_string(object, "x"),
	   "strings are looked for by their value");
	for (VciJsonIter i = vci_json_iter(object); vci_json_next(&i);)
		strcat(names, i.name);
	is_text(names, "snbzao", "members come in the order of the text");
	for (VciJsonIter i = vci_json_iter(object); vci_json_next(&i);)
		vci_json_remove(object, i.name);
	is_number((int64_t) vci_json_member_count(object), 0, "the member at hand may be removed");
	ok(vci_json_kind(NULL) == VCI_JSON_NULL, "NULL is null");
	free(names);
	vci_json_free(object);
}

static void
building(void)
{
	VciJson *object = vci_json_new_object();
	VciJson *array = vci_json_new_array();
	VciJson *parsed;
	char *printed;

	ok(vci_json_set_string(object, "s", "a\"b") && vci_json_set_int64(object, "n", INT64_MIN) &&
		   vci_json_set_boolean(object, "b", false) && vci_json_set_null(object, "z") &&
		   vci_json_append_string(array, "/") && vci_json_append_null(array) &&
		   vci_json_append(array, vci_json_new_boolean(true)) && vci_json_set(object, "a", array),
	   "members and elements are added");
	ok(vci_json_array_put(array, 1, vci_json_new_int64(7)), "an element is replaced");
	ok(!vci_json_array_put(array, 3, vci_json_new_int64(7)), "but none behind the end");
	ok(vci_json_set_string(object, "s", "c"), "a member is replaced");
	printed = vci_json_print(object);
	is_text(printed,
			"{\"s\":\"c\",\"n\":-9223372036854775808,\"b\":false,\"z\":null,\"a\":[\"/\",7,true]}",
			"in its place, and no slash is escaped");
	parsed = json(printed);
	ok(vci_json_equal(parsed, object), "what is printed reads back as the same value");
	ok(!vci_json_set(object, "x", NULL) && !vci_json_append(array, NULL) &&
		   !vci_json_set(array, "x", vci_json_new_int64(1)) &&
		   !vci_json_append(object, vci_json_new_int64(1)) && !vci_json_set_null(array, "x"),
	   "a missing value and a wrong container are refused, and leak nothing");
	free(printed);
	vci_json_free(parsed);
	vci_json_free(object);

	printed = vci_json_print(NULL);
	is_text(printed, "null", "NULL is printed as null");
	free(printed);
	ok(vci_json_copy(NULL) == NULL, "the copy of null is null");
}

static void
equality(void)
{
	static const struct
	{
		const char *a;
		const char *b;
		bool equal;
	} cases[] = {
		{"{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", true},
		{"[1,2]", "[2,1]", false},
		{"[1]", "[1,1]", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
		{"{\"a\":null}", "{\"b\":null}", false},
		{"{\"a\":null}", "{\"a\":null}", true},
		{"1", "1.0", false},
		{"1.50", "1.50", true},
		{"18446744073709551616", "18446744073709551617", false},
		{"\"a\"", "\"\\u0061\"", true},
		{"\"1\"", "1", false},
		{"null", "false", false},
		{"[]", "{}", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJson *a = json(cases[i].a);
		VciJson *b = json(cases[i].b);

		ok(vci_json_equal(a, b) == cases[i].equal && vci_json_equal(b, a) == cases[i].equal,
		   "%s and %s %s", cases[i].a, cases[i].b, cases[i].equal ? "are equal" : "differ");
		vci_json_free(a);
		vci_json_free(b);
	}
}

static void
objects_only(void)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *parsed;

	is_status(vci_json_parse_object("{}", 2, &parsed, &error), VCI_OK, &error, "an object");
	vci_json_free(parsed);
	is_status(vci_json_parse_object("[]", 2, &parsed, &error), VCI_ERR_JSON, &error,
			  "an array where an object belongs");
	ok(parsed == NULL, "gives nothing");
	is_status(vci_json_parse_object("null", 4, &parsed, &error), VCI_ERR_JSON, &error,
			  "null where an object belongs");
	is_status(vci_json_parse("null", 4, &parsed, &error), VCI_OK, &error, "null by itself");
	ok(parsed == NULL, "is NULL");
}

int
main(void)
{
	malformed();
	strings();
	duplicates();
	depth();
	exact_numbers();
	integers();
	access_to_members();
	building();
	equality();
	objects_only();
	return done_testing();
}
