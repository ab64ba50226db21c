#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT 30
#define MAX_TIMEOUT		3600
#define MAX_ARGUMENT	(64 * 1024)

enum
{
	OPTION_TX_CODE = 256,
	OPTION_CONFIGURATION,
	OPTION_CLIENT_ID,
	OPTION_SAVE,
	OPTION_CA_FILE,
	OPTION_LOCALE,
	OPTION_KEY_TYPE,
	OPTION_TIMEOUT,
	OPTION_KID_DID,
	OPTION_AUTHORIZATION_DETAILS,
	OPTION_OLDER,
	OPTION_JSON,
	OPTION_INSECURE,
	OPTION_TRACE,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{"tx-code", required_argument, NULL, OPTION_TX_CODE},
	{"configuration", required_argument, NULL, OPTION_CONFIGURATION},
	{"client-id", required_argument, NULL, OPTION_CLIENT_ID},
	{"save", required_argument, NULL, OPTION_SAVE},
	{"cacert", required_argument, NULL, OPTION_CA_FILE},
	{"locale", required_argument, NULL, OPTION_LOCALE},
	{"key-type", required_argument, NULL, OPTION_KEY_TYPE},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"kid-did", no_argument, NULL, OPTION_KID_DID},
	{"authorization-details", no_argument, NULL, OPTION_AUTHORIZATION_DETAILS},
	{"older", no_argument, NULL, OPTION_OLDER},
	{"json", no_argument, NULL, OPTION_JSON},
	{"insecure", no_argument, NULL, OPTION_INSECURE},
	{"trace", no_argument, NULL, OPTION_TRACE},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0}};

static bool
set_key_type(const char *name, WalletOptions *options, WalletFailure *failure)
{
	options->key_type = vci_alg_by_name(name);
	if (options->key_type == VCI_ALG_ES256 || options->key_type == VCI_ALG_ES384 ||
		options->key_type == VCI_ALG_EDDSA)
		return true;
	return wallet_fail(failure, WALLET_EXIT_USAGE,
					   "--key-type is ES256, ES384 or EdDSA, not \"%s\"", name);
}

static bool
set_timeout(const char *text, WalletOptions *options, WalletFailure *failure)
{
	char *end = NULL;

	options->timeout = strtol(text, &end, 10);
	if (*text != '\0' && *end == '\0' && options->timeout >= 1 && options->timeout <= MAX_TIMEOUT)
		return true;
	return wallet_fail(failure, WALLET_EXIT_USAGE, "--timeout is 1 to %d seconds, not \"%s\"",
					   MAX_TIMEOUT, text);
}

static bool
apply_flag(int option, WalletOptions *options)
{
	switch (option)
	{
		case OPTION_KID_DID:
			options->kid_did = true;
			break;
		case OPTION_AUTHORIZATION_DETAILS:
			options->authorization_details = true;
			break;
		case OPTION_OLDER:
			options->older = true;
			break;
		case OPTION_JSON:
			options->json = true;
			break;
		case OPTION_INSECURE:
			options->insecure = true;
			break;
		case OPTION_TRACE:
			options->trace = true;
			break;
		case OPTION_VERSION:
			options->version = true;
			break;
		case 'h':
			options->help = true;
			break;
		default:
			return false;
	}
	return true;
}

static bool
apply(int option, const char *value, WalletOptions *options, WalletFailure *failure)
{
	switch (option)
	{
		case OPTION_TX_CODE:
			options->tx_code = value;
			return true;
		case OPTION_CONFIGURATION:
			options->configuration = value;
			return true;
		case OPTION_CLIENT_ID:
			options->client_id = value;
			return true;
		case OPTION_SAVE:
			options->save = value;
			return true;
		case OPTION_CA_FILE:
			options->ca_file = value;
			return true;
		case OPTION_LOCALE:
			options->locale = value;
			return true;
		case OPTION_KEY_TYPE:
			return set_key_type(value, options, failure);
		case OPTION_TIMEOUT:
			return set_timeout(value, options, failure);
		default:
			return apply_flag(option, options);
	}
}

/* A language tag such as "fr-FR" out of LC_ALL, LC_MESSAGES or LANG ("fr_FR.UTF-8"). */
static void
locale_from_environment(WalletOptions *options)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		const char *value = getenv(names[i]);
		size_t len = value == NULL ? 0 : strcspn(value, ".@");

		if (len == 0)
			continue;
		if (len < 2 || len >= sizeof(options->locale_buffer) || strncmp(value, "POSIX", len) == 0)
			return;
		for (size_t at = 0; at < len; at++)
			options->locale_buffer[at] = value[at] == '_' ? '-' : value[at];
		options->locale_buffer[len] = '\0';
		options->locale = options->locale_buffer;
		return;
	}
}

static bool
check_argument(const char *name, const char *value, WalletFailure *failure)
{
	size_t len = value == NULL ? 0 : strlen(value);

	if (value == NULL || (len > 0 && len <= MAX_ARGUMENT && vci_utf8_valid(value, len)))
		return true;
	return wallet_fail(failure, WALLET_EXIT_USAGE,
					   "%s is empty, longer than %d bytes, or no valid UTF-8", name, MAX_ARGUMENT);
}

/* A locale goes out in a header: only what language tags are made of (RFC 5646). */
static bool
check_locale(const WalletOptions *options, WalletFailure *failure)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	if (options->locale == NULL || options->locale[strspn(options->locale, allowed)] == '\0')
		return true;
	return wallet_fail(failure, WALLET_EXIT_USAGE,
					   "--locale is a language tag such as en or fr-FR, not \"%s\"",
					   options->locale);
}

static bool
check(const WalletOptions *options, WalletFailure *failure)
{
	bool ok = check_argument("the offer", options->offer, failure) &&
			  check_argument("--tx-code", options->tx_code, failure) &&
			  check_argument("--configuration", options->configuration, failure) &&
			  check_argument("--client-id", options->client_id, failure) &&
			  check_argument("--save", options->save, failure) &&
			  check_argument("--cacert", options->ca_file, failure) &&
			  check_argument("--locale", options->locale, failure) &&
			  check_locale(options, failure);

	if (ok && options->older && options->authorization_details)
		ok = wallet_fail(failure, WALLET_EXIT_USAGE,
						 "--authorization-details belongs to the 1.0 shape; leave out --older");
	return ok;
}

/* Says what getopt_long found wrong. A value is not repeated: it may be a transaction code. */
static bool
fail_option(int problem, const char *word, WalletFailure *failure)
{
	int name = (int) strcspn(word, "=");

	if (problem == ':')
		wallet_fail(failure, WALLET_EXIT_USAGE, "option %s needs a value", word);
	else if (optopt == 0)
		wallet_fail(failure, WALLET_EXIT_USAGE, "unknown option %.*s", name, word);
	else if (optopt < OPTION_TX_CODE)
		wallet_fail(failure, WALLET_EXIT_USAGE, "unknown option -%c", optopt);
	else
		wallet_fail(failure, WALLET_EXIT_USAGE, "option %.*s takes no value", name, word);
	return wallet_advise(failure, "openid4vci-wallet --help lists the options.");
}

bool
wallet_options_parse(int argc, char **argv, WalletOptions *options, WalletFailure *failure)
{
	int option;

	memset(options, 0, sizeof(*options));
	options->timeout = DEFAULT_TIMEOUT;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1)
	{
		if (option == '?' || option == ':')
			return fail_option(option, argv[optind - 1], failure);
		if (!apply(option, optarg, options, failure))
			return false;
	}
	if (options->help || options->version)
		return true;
	if (argc - optind != 1)
	{
		wallet_fail(failure, WALLET_EXIT_USAGE, "expected one credential offer, got %d arguments",
					argc - optind);
		return wallet_advise(failure,
							 "openid4vci-wallet 'openid-credential-offer://?...' (in quotes)");
	}
	options->offer = argv[optind];
	if (options->locale == NULL)
		locale_from_environment(options);
	return check(options, failure);
}

static const char help_usage[] =
	"NAME\n"
	"    openid4vci-wallet - redeem a credential offer and verify what comes\n"
	"\n"
	"SYNOPSIS\n"
	"    openid4vci-wallet [OPTION]... OFFER\n"
	"\n"
	"DESCRIPTION\n"
	"    Runs the pre-authorized code flow of OpenID for Verifiable Credential\n"
	"    Issuance 1.0 with a new holder key, verifies the SD-JWT VC that comes back\n"
	"    and prints it for a person to read. An offer can be redeemed once: use an\n"
	"    offer made for the trial, not one that a beneficiary waits for.\n"
	"\n"
	"    OFFER is a link as a QR code holds it\n"
	"    (openid-credential-offer://?credential_offer=... or ?credential_offer_uri=...),\n"
	"    the http(s) URL of an offer by reference or of a landing page, whose button\n"
	"    it presses, or - to read such a line from standard input, where no other\n"
	"    user of this machine sees it.\n"
	"\n";

static const char help_options[] =
	"OPTIONS\n"
	"    --tx-code CODE      the transaction code (PIN) that the holder was sent\n"
	"    --configuration ID  which credential, when the offer has several\n"
	"    --key-type TYPE     holder key: ES256, ES384 or EdDSA (default: the first of\n"
	"                        these that the issuer accepts)\n"
	"    --kid-did           name the holder key in the proof as a did:jwk in kid,\n"
	"                        not as a jwk\n"
	"    --authorization-details\n"
	"                        ask for authorization_details at the token endpoint, then\n"
	"                        for the credential by its credential_identifier\n"
	"    --client-id ID      send this client_id (default: anonymous)\n"
	"    --older             ask as wallets of drafts 11 to 13 do: format, proof and\n"
	"                        the c_nonce of the token response\n"
	"    --json              print one JSON object, for programs\n"
	"    --save FILE         keep the credential and the holder's private key in a new\n"
	"                        file that only you can read\n"
	"    --locale TAG        language of names and labels (default: from LANG)\n"
	"    --trace             a line for each request and response on standard error;\n"
	"                        codes, tokens and bodies are not shown\n"
	"    --timeout SECONDS   longest wait for one answer (default 30)\n"
	"    --cacert FILE       trust these certificate authorities (PEM), not the system's\n"
	"    --insecure          allow plain http beyond this machine\n"
	"    --version           print the version\n"
	"    -h, --help          print this text\n"
	"\n";

static const char help_rest[] =
	"EXIT STATUS\n"
	"    0   a credential came and it verified\n"
	"    1   the issuer refused; its error is printed with what to do about it\n"
	"    2   the command is wrong, or lacks what the offer asks for\n"
	"    3   no answer came, or one that is not safe to take (over 2 MiB, a redirect\n"
	"        to another origin, a certificate that does not verify)\n"
	"    4   an answer, or the credential, does not hold to the specifications\n"
	"    5   this machine failed: memory, a file, the crypto library\n"
	"\n"
	"OUTPUT\n"
	"    Standard output holds the credential; remarks about the issuer's deviations\n"
	"    and failures go to standard error. With --json standard output holds one\n"
	"    object in both cases: verified (boolean), then credential, format,\n"
	"    configuration_id, header, payload, claims, disclosures, always_disclosed,\n"
	"    selectively_disclosable, key (thumbprint, jwk), issuer_key, endpoints and\n"
	"    notes, or exit_status, message, advice, error, error_description, notes.\n"
	"\n"
	"EXAMPLES\n"
	"    openid4vci-wallet 'openid-credential-offer://?credential_offer_uri=...'\n"
	"    openid4vci-wallet --tx-code 493536 --save card.json - < offer.txt\n"
	"    openid4vci-wallet --json --trace \"$OFFER\" | jq .claims\n";

void
wallet_options_help(FILE *out)
{
	fputs(help_usage, out);
	fputs(help_options, out);
	fputs(help_rest, out);
}
