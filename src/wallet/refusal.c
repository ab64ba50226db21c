#include "refusal.h"

#include <string.h>
#include <strings.h>

#include "../jose/json.h"

typedef struct Meaning
{
	const char *error;
	const char *words;
	const char *advice;
} Meaning;

static const Meaning meanings[] = {
	{"invalid_grant", "the code or the transaction code is not accepted",
	 "The offer may be redeemed, expired or cancelled, or the transaction code is wrong. Look at "
	 "the offer's state at the issuer; a wrong code counts, so do not guess."},
	{"invalid_request", "the request lacks something or has too much",
	 "Compare the offer with the request: a transaction code that is missing, or one that the "
	 "offer does not ask for."},
	{"invalid_client", "the issuer wants to know its wallets",
	 "Give a registered --client-id, or allow anonymous access at the issuer."},
	{"unauthorized_client", "this client_id may not use the pre-authorized grant",
	 "Try another --client-id, or none."},
	{"unsupported_grant_type", "the issuer does not do the grant that it offered",
	 "Switch the pre-authorized grant on at the issuer."},
	{"invalid_scope", "the issuer does not grant what was asked for", ""},
	{"invalid_authorization_details", "the issuer does not accept the authorization_details",
	 "Try without --authorization-details."},
	{"invalid_token", "the access token is not accepted",
	 "It may have expired between token and credential request: compare the clocks and the token's "
	 "lifetime."},
	{"insufficient_scope", "the access token does not cover this credential",
	 "Ask for a credential that the offer names."},
	{"invalid_credential_request", "the credential request is not accepted",
	 "The issuer may not allow this request shape for the credential: try with or without "
	 "--older."},
	{"unknown_credential_configuration", "the issuer does not know this credential",
	 "The credential configuration may be retired or renamed since the offer was made."},
	{"unknown_credential_identifier", "the issuer does not know this credential identifier", ""},
	{"unsupported_credential_type", "the issuer does not issue this credential type",
	 "Try without --older."},
	{"unsupported_credential_format", "the issuer does not issue this format",
	 "Try with or without --older."},
	{"invalid_proof", "the proof of the holder key is not accepted",
	 "The offer may be bound to another holder key, or the key type is not allowed; also compare "
	 "the clocks."},
	{"invalid_or_missing_proof", "the proof of the holder key is not accepted",
	 "Compare the clocks of issuer and wallet."},
	{"invalid_nonce", "the nonce of the proof is used, expired or unknown",
	 "Try again; when it happens again, look at the issuer's nonce lifetime and clock."},
	{"invalid_encryption_parameters", "the issuer wants encrypted answers",
	 "This wallet takes no encrypted answers: switch the requirement off for the trial."},
	{"credential_request_denied", "the issuer declines to issue this credential",
	 "The credential may be issued already, or the registry withdrew it."},
	{"temporarily_unavailable", "the issuer is busy or down", "Try again in a minute."},
	{"server_error", "the issuer failed", "Look into the issuer's log."}};

/* Better advice, where the issuer's own words tell which of several causes it is. */
typedef struct Cause
{
	const char *error;
	const char *word; /* in error_description; the first that is there counts */
	const char *advice;
} Cause;

static const Cause causes[] = {
	{"invalid_grant", "locked",
	 "Ask the issuer to reset the PIN (transaction code) of this offer; no code works before."},
	{"invalid_grant", "redeemed",
	 "A link works once. Ask the issuer to reopen this offer, or for a new one."},
	{"invalid_grant", "expired", "Ask the issuer to extend this offer, or for a new one."},
	{"invalid_grant", "cancelled", "Ask the issuer for a new offer."},
	{"invalid_grant", "replaced", "Use the latest link that the issuer gave for this offer."},
	{"invalid_grant", "wrong",
	 "Look again at the PIN (transaction code) that was sent; a wrong one counts, so do not "
	 "guess."}};

static const char *
advice_of(const Meaning *meaning, const char *description)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
	{
		if (strcmp(causes[i].error, meaning->error) == 0 &&
			strstr(description, causes[i].word) != NULL)
			return causes[i].advice;
	}
	return meaning->advice;
}

static const Meaning *
meaning_of(const char *oauth_error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
	{
		if (strcmp(meanings[i].error, oauth_error) == 0)
			return &meanings[i];
	}
	return NULL;
}

static void
copy_text(char *out, size_t size, const char *text, size_t len)
{
	if (len >= size)
		len = size - 1;
	while (len > 0 && !vci_utf8_valid(text, len))
		len--;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

static void
copy_member(char *out, size_t size, const VciJson *body, const char *name)
{
	const char *text = vci_json_get_string(body, name);

	copy_text(out, size, text, text == NULL ? 0 : strlen(text));
}

/* A quoted auth-param of a WWW-Authenticate header (RFC 9110 section 11.2). */
static void
copy_parameter(char *out, size_t size, const char *header, const char *name)
{
	size_t name_len = strlen(name);

	for (const char *at = header; at != NULL; at = strpbrk(at, ", "))
	{
		at += strspn(at, ", ");
		if (strncasecmp(at, name, name_len) == 0 && strncmp(at + name_len, "=\"", 2) == 0)
		{
			const char *value = at + name_len + 2;

			copy_text(out, size, value, strcspn(value, "\""));
			return;
		}
		if (*at == '\0')
			return;
	}
}

static void
read_error(const WalletResponse *response, char *name, size_t name_size, char *description,
		   size_t description_size)
{
	VciJson *body = NULL;

	name[0] = description[0] = '\0';
	if (vci_json_parse_object(response->body, response->body_len, &body, NULL) == VCI_OK)
	{
		copy_member(name, name_size, body, "error");
		copy_member(description, description_size, body, "error_description");
	}
	vci_json_free(body);
	if (name[0] != '\0' || response->www_authenticate == NULL)
		return;
	copy_parameter(name, name_size, response->www_authenticate, "error");
	copy_parameter(description, description_size, response->www_authenticate, "error_description");
}

/* A refusal without an OAuth error: what the HTTP status says. */
static bool
refuse_by_status(long status, const char *what, WalletFailure *failure)
{
	if (status == 404)
	{
		wallet_fail(failure, WALLET_EXIT_REFUSED, "the %s does not exist there (HTTP 404)", what);
		return wallet_advise(failure,
							 "Check the issuer's URL, and that its proxy passes this path.");
	}
	wallet_fail(failure, WALLET_EXIT_REFUSED, "the %s answers with HTTP status %ld", what, status);
	if (status >= 500)
		return wallet_advise(failure, "The issuer failed; look into its log and try again.");
	return false;
}

bool
wallet_refuse(const WalletResponse *response, const char *what, WalletFailure *failure)
{
	const Meaning *meaning;

	failure->http_status = response->status;
	read_error(response, failure->oauth_error, sizeof(failure->oauth_error),
			   failure->oauth_description, sizeof(failure->oauth_description));
	if (failure->oauth_error[0] == '\0')
		return refuse_by_status(response->status, what, failure);
	meaning = meaning_of(failure->oauth_error);
	wallet_fail(failure, WALLET_EXIT_REFUSED, "the %s refused: %s", what,
				meaning == NULL ? "for a reason that OpenID4VCI 1.0 does not name"
								: meaning->words);
	if (meaning != NULL && meaning->advice[0] != '\0')
		wallet_advise(failure, "%s", advice_of(meaning, failure->oauth_description));
	return false;
}

bool
wallet_is_refusal(const WalletResponse *response, const char *oauth_error)
{
	char name[sizeof(((WalletFailure *) 0)->oauth_error)];
	char description[sizeof(((WalletFailure *) 0)->oauth_description)];

	read_error(response, name, sizeof(name), description, sizeof(description));
	return strcmp(name, oauth_error) == 0;
}
