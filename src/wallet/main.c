#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "keep.h"
#include "print.h"
#include "report.h"
#include "result.h"
#include "text.h"
#include "token.h"

#define MAX_OFFER_LINE (64 * 1024)

/* What a run gathers on its way; every part may be freed at any point. */
typedef struct Run
{
	WalletOffer offer;
	WalletIssuer issuer;
	WalletConfiguration configuration;
	WalletHolder holder;
	WalletGrant grant;
	WalletCredential credential;
	WalletVerdict verdict;
	WalletClaims claims;
} Run;

static void
run_free(Run *run)
{
	wallet_claims_free(&run->claims);
	wallet_verdict_free(&run->verdict);
	wallet_credential_free(&run->credential);
	wallet_grant_free(&run->grant);
	wallet_holder_free(&run->holder);
	wallet_issuer_free(&run->issuer);
	wallet_offer_free(&run->offer);
}

/* Everything that can go wrong without spending the offer comes before the token request. */
static bool
prepare(WalletContext *context, const char *offer, Run *run)
{
	const WalletOptions *options = context->options;
	WalletFailure *failure = &context->failure;
	const char *id = NULL;

	return wallet_offer_read(context, offer, &run->offer) &&
		   wallet_offer_choose(&run->offer, options->configuration, &id, failure) &&
		   wallet_offer_check_tx_code(&run->offer, options->tx_code, failure) &&
		   wallet_issuer_discover(context, &run->offer, &run->issuer) &&
		   wallet_issuer_configuration(context, &run->issuer, id, &run->configuration) &&
		   wallet_holder_new(options->key_type, options->kid_did, &run->configuration, &run->holder,
							 failure);
}

static bool
redeem(WalletContext *context, Run *run)
{
	bool ok = wallet_token_request(context, &run->offer, &run->issuer, &run->configuration,
								   &run->grant) &&
			  wallet_credential_request(context, &run->issuer, &run->configuration, &run->holder,
										&run->grant, &run->credential) &&
			  wallet_verify(context, &run->issuer, &run->configuration, &run->holder,
							&run->credential, &run->verdict) &&
			  wallet_claims_list(run->credential.text, run->verdict.sd_jwt, &run->claims,
								 &context->failure);

	if (ok)
		wallet_claims_note_missing(&run->claims, run->configuration.object, context->notes);
	return ok;
}

static bool
put_result(WalletContext *context, const WalletResult *result)
{
	VciJson *report;
	bool ok;

	if (!context->options->json)
		return wallet_print_result(stdout, context, result) ||
			   wallet_fail_memory(&context->failure);
	report = wallet_report_result(context, result);
	ok = report != NULL && wallet_put_json(stdout, report);
	vci_json_free(report);
	fputc('\n', stdout);
	return ok || wallet_fail_memory(&context->failure);
}

static bool
conclude(WalletContext *context, const Run *run, int *file)
{
	WalletResult result = {&run->issuer,	 &run->configuration, &run->holder,
						   &run->credential, &run->verdict,		  &run->claims};
	const char *save = context->options->save;
	int open_file = *file;

	*file = -1;
	if (save != NULL && !wallet_keep_write(save, open_file, &result, &context->failure))
		return false;
	if (!put_result(context, &result))
		return false;
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	return wallet_fail(&context->failure, WALLET_EXIT_INTERNAL,
					   "standard output cannot be written");
}

static bool
run_flow(WalletContext *context, const char *offer)
{
	const char *save = context->options->save;
	Run run;
	int file = -1;
	bool ok;

	memset(&run, 0, sizeof(run));
	ok = prepare(context, offer, &run);
	if (ok && save != NULL)
		ok = wallet_keep_open(save, &file, &context->failure);
	ok = ok && redeem(context, &run) && conclude(context, &run, &file);
	if (file >= 0)
		wallet_keep_drop(save, file);
	run_free(&run);
	return ok;
}

/* One line from standard input, without its end; malloc'd. */
static bool
read_offer_line(char **line, WalletFailure *failure)
{
	char *end;

	*line = malloc(MAX_OFFER_LINE);
	if (*line == NULL)
		return wallet_fail_memory(failure);
	if (fgets(*line, MAX_OFFER_LINE, stdin) == NULL)
		return wallet_fail(failure, WALLET_EXIT_USAGE, "standard input holds no credential offer");
	end = *line + strcspn(*line, "\r\n");
	if (*end == '\0' && !feof(stdin))
		return wallet_fail(failure, WALLET_EXIT_USAGE, "the offer is longer than %d bytes",
						   MAX_OFFER_LINE);
	*end = '\0';
	if (!vci_utf8_valid(*line, strlen(*line)))
		return wallet_fail(failure, WALLET_EXIT_USAGE, "the offer is no valid UTF-8");
	return true;
}

static bool
run_with_offer(WalletContext *context)
{
	const char *offer = context->options->offer;
	char *line = NULL;
	bool ok = true;

	context->notes = vci_json_new_array();
	if (context->notes == NULL)
		return wallet_fail_memory(&context->failure);
	if (strcmp(offer, "-") == 0)
		ok = read_offer_line(&line, &context->failure);
	if (ok)
	{
		ok = wallet_http_open(context) && run_flow(context, line == NULL ? offer : line);
		wallet_http_close(context);
	}
	free(line);
	return ok;
}

static void
put_failure(const WalletContext *context)
{
	VciJson *report = context->options->json ? wallet_report_failure(context) : NULL;

	if (report != NULL && wallet_put_json(stdout, report))
		fputc('\n', stdout);
	vci_json_free(report);
	wallet_print_failure(stderr, &context->failure);
}

int
main(int argc, char **argv)
{
	WalletOptions options;
	WalletContext context = {.options = &options};

	if (wallet_options_parse(argc, argv, &options, &context.failure))
	{
		if (options.help)
			wallet_options_help(stdout);
		else if (options.version)
			puts("openid4vci-wallet " OPENID4VCI_VERSION);
		else
			run_with_offer(&context);
	}
	if (!options.json)
		wallet_print_notes(stderr, context.notes);
	if (context.failure.exit != WALLET_EXIT_VERIFIED)
		put_failure(&context);
	vci_json_free(context.notes);
	return (int) context.failure.exit;
}
