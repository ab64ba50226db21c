/* Form bodies as strangers send them. */
#include "protocol/http.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

/* Parses body and compares "name=value|name=value". */
static void
check_form(const char *body, const char *expected, const char *what)
{
	char joined[1024] = "";
	VciForm form;

	is_status(vci_form_parse(body, strlen(body), &form, &error), VCI_OK, &error, what);
	for (size_t i = 0; i < form.count; i++)
	{
		size_t used = strlen(joined);

		snprintf(joined + used, sizeof(joined) - used, "%s%s=%s", i > 0 ? "|" : "", form.names[i],
				 form.values[i]);
	}
	is_text(joined, expected, "it has these parameters");
	vci_form_free(&form);
}

static void
test_accepted(void)
{
	VciForm form;

	check_form("", "", "an empty body");
	check_form("a=1&b=2", "a=1|b=2", "two parameters");
	check_form("a=1&", "a=1", "an ampersand at the end");
	check_form("&&a=1&&b=2", "a=1|b=2", "ampersands in between");
	check_form("a=1+2%2B3%20%e2%82%AC", "a=1 2+3 \xe2\x82\xac", "plus and escapes are decoded");
	check_form("a%2Db=1", "a-b=1", "in names, too");
	check_form("a=b=c", "a=b=c", "the first equals sign is the border");
	check_form("a&b=&c=1", "c=1", "parameters without value are as if omitted");
	check_form("a=&a=1", "a=1", "so they do not count as the first of two");
	check_form("pre-authorized_code=x", "pre-authorized_code=x", "the parameter of section 6.1");
	is_status(vci_form_parse(NULL, 0, &form, &error), VCI_OK, &error, "no body");
	is_text(vci_form_get(&form, "a"), NULL, "an absent parameter is NULL");
	vci_form_free(&form);
	vci_form_free(&form);
	ok(true, "freeing twice is harmless");
}

static void
refuse_form(const char *body, size_t len, VciStatus expected, const char *what)
{
	VciForm form;

	is_status(vci_form_parse(body, len, &form, &error), expected, &error, what);
	ok(form.count == 0 && form.names == NULL && form.values == NULL, "%s: nothing is left", what);
}

static void
test_refused(void)
{
	refuse_form("a=1&a=2", 7, VCI_ERR_FORM_DUPLICATE, "a parameter twice");
	refuse_form("a=1&a=1", 7, VCI_ERR_FORM_DUPLICATE, "even with one value");
	refuse_form("a=1&%61=2", 9, VCI_ERR_FORM_DUPLICATE, "an escaped name is the same name");
	refuse_form("=1&=2", 5, VCI_ERR_FORM_DUPLICATE, "the empty name is a name");
	refuse_form("a=%", 3, VCI_ERR_FORM, "a cut escape");
	refuse_form("a=%4", 4, VCI_ERR_FORM, "a half escape");
	refuse_form("a=%4&b=1", 8, VCI_ERR_FORM, "an escape does not reach over the ampersand");
	refuse_form("a=%zz", 5, VCI_ERR_FORM, "an escape that is no number");
	refuse_form("%=1", 3, VCI_ERR_FORM, "a cut escape in a name");
	refuse_form("%zz", 3, VCI_ERR_FORM, "even in a name without value");
	refuse_form("a=%00", 5, VCI_ERR_FORM, "an escaped NUL");
	refuse_form("a=1\0002", 5, VCI_ERR_FORM, "a raw NUL");
	refuse_form("a\0b=1", 5, VCI_ERR_FORM, "a raw NUL in a name");
	refuse_form("a=%ff", 5, VCI_ERR_UTF8, "an escape that is no UTF-8");
	refuse_form("a=\xc3", 3, VCI_ERR_UTF8, "a cut UTF-8 sequence");
	refuse_form("a=\xc3&b=\xa9", 7, VCI_ERR_UTF8, "which is not mended by the next value");
	refuse_form("\xff=1", 3, VCI_ERR_UTF8, "a name that is no UTF-8");
	refuse_form("a=%c0%80", 8, VCI_ERR_UTF8, "an overlong NUL");
}

static void
test_count(void)
{
	char body[1024] = "";
	VciForm form;

	for (int i = 0; i < 64; i++)
		snprintf(body + strlen(body), 16, "p%d=1&", i);
	is_status(vci_form_parse(body, strlen(body), &form, &error), VCI_OK, &error,
			  "64 parameters are accepted");
	is_number((int64_t) form.count, 64, "all of them");
	vci_form_free(&form);
	strcat(body, "p64=1");
	refuse_form(body, strlen(body), VCI_ERR_FORM, "65 are refused");
	memset(body, 0, sizeof(body));
	for (int i = 0; i < 65; i++)
		strcat(body, "a&");
	refuse_form(body, strlen(body), VCI_ERR_FORM, "65 empty ones, too");
}

int
main(void)
{
	test_accepted();
	test_refused();
	test_count();
	return done_testing();
}
