/*
 * load: wallets that put a load on an issuer, and what that costs the server. See usage.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "crowd.h"
#include "flow.h"
#include "plain.h"

static const char usage[] =
	"usage: load flow --issuer URL --codes FILE [--base URL] [--configuration ID]\n"
	"                 [--wallets N] [--flows N] [--warm-up N] [--spread MS] [--retries N]\n"
	"                 [--timeout MS] [--fresh] [--keys N] [--jwks FILE] [--verify-every N]\n"
	"                 [--server NAME=PID]... [--report]\n"
	"       load plain --url URL [--post] [--conditional] [--wallets N] [--requests N]\n"
	"                 [--timeout MS] [--server NAME=PID]...\n"
	"       load proofs --issuer URL --nonce TEXT --keys N\n"
	"       load holders --keys N\n"
	"       load cpu --server NAME=PID...\n"
	"\n"
	"flow    N wallets at once (default 16) redeem the codes of FILE (one a line): token, nonce,\n"
	"        credential under the base URL (default: ISSUER/api/v1/openid4vci). --fresh: a\n"
	"        connection for each flow, else connections are kept. --spread: they begin within\n"
	"        so many milliseconds. --retries: how often one that gets 503 with Retry-After comes\n"
	"        back. SIGTERM ends it after the flows that are under way. --jwks: the issuer's\n"
	"        key set; 1 of N credentials is verified by it (default 100). --report: failures on\n"
	"        stderr.\n"
	"plain   the same request again and again; --conditional sends the ETag that came first\n"
	"proofs  N proofs by N keys, one a line\n"
	"holders N public keys as JWKs, one a line\n"
	"cpu     CPU time so far\n"
	"\n"
	"Prints a line of JSON; load_cpu_us is what the wallets themselves cost. Of each server\n"
	"(process and its descendants) it tells CPU time: cpu_us of what lives, background_cpu_us of\n"
	"PostgreSQL's own processes, ended_cpu_us of what has ended.\n";

static volatile sig_atomic_t stop;

static void
note_signal(int number)
{
	(void) number;
	stop = 1;
}

typedef struct Options
{
	FlowPlan flow;
	PlainPlan plain;
	const char *codes_path;
	const char *jwks_path;
	const char *nonce;
	size_t keys;
	Server servers[SERVERS_MAX];
	size_t server_count;
} Options;

static size_t
number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > 1000000000000ULL)
	{
		fprintf(stderr, "load: a number was expected, not \"%s\"\n", text);
		exit(2);
	}
	return (size_t) value;
}

static void
add_server(Options *options, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL || options->server_count == SERVERS_MAX)
	{
		fprintf(stderr, "load: --server takes NAME=PID, at most %d times\n", SERVERS_MAX);
		exit(2);
	}
	*value = '\0';
	options->servers[options->server_count++] = (Server){text, (pid_t) number(value + 1)};
}

static void
take_option(Options *options, int option)
{
	switch (option)
	{
		case 'i':
			options->flow.issuer = optarg;
			break;
		case 'b':
			options->flow.base = optarg;
			break;
		case 'C':
			options->flow.configuration = optarg;
			break;
		case 'c':
			options->codes_path = optarg;
			break;
		case 'j':
			options->jwks_path = optarg;
			break;
		case 'v':
			options->flow.verify_every = number(optarg);
			break;
		case 'w':
			options->flow.wallets = options->plain.clients = number(optarg);
			break;
		case 'n':
			options->flow.flows = options->plain.requests = number(optarg);
			break;
		case 'W':
			options->flow.warm_up = number(optarg);
			break;
		case 's':
			options->flow.spread_ms = (double) number(optarg);
			break;
		case 'r':
			options->flow.retries = number(optarg);
			break;
		case 't':
			options->flow.timeout_ms = options->plain.timeout_ms = (long) number(optarg);
			break;
		case 'f':
			options->flow.fresh = true;
			break;
		case 'k':
			options->keys = number(optarg);
			break;
		case 'u':
			options->plain.url = optarg;
			break;
		case 'p':
			options->plain.post = true;
			break;
		case 'e':
			options->plain.conditional = true;
			break;
		case 'N':
			options->nonce = optarg;
			break;
		case 'S':
			add_server(options, optarg);
			break;
		case 'R':
			options->flow.report = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
	}
}

static void
read_options(Options *options, int argc, char **argv)
{
	static const struct option known[] = {{"issuer", required_argument, NULL, 'i'},
										  {"base", required_argument, NULL, 'b'},
										  {"configuration", required_argument, NULL, 'C'},
										  {"codes", required_argument, NULL, 'c'},
										  {"jwks", required_argument, NULL, 'j'},
										  {"verify-every", required_argument, NULL, 'v'},
										  {"wallets", required_argument, NULL, 'w'},
										  {"flows", required_argument, NULL, 'n'},
										  {"requests", required_argument, NULL, 'n'},
										  {"warm-up", required_argument, NULL, 'W'},
										  {"spread", required_argument, NULL, 's'},
										  {"retries", required_argument, NULL, 'r'},
										  {"timeout", required_argument, NULL, 't'},
										  {"fresh", no_argument, NULL, 'f'},
										  {"keys", required_argument, NULL, 'k'},
										  {"url", required_argument, NULL, 'u'},
										  {"post", no_argument, NULL, 'p'},
										  {"conditional", no_argument, NULL, 'e'},
										  {"nonce", required_argument, NULL, 'N'},
										  {"server", required_argument, NULL, 'S'},
										  {"report", no_argument, NULL, 'R'},
										  {"help", no_argument, NULL, 'h'},
										  {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		take_option(options, option);
	options->flow.servers = options->plain.servers = options->servers;
	options->flow.server_count = options->plain.server_count = options->server_count;
}

static void
need(const char *value, const char *name)
{
	if (value != NULL)
		return;
	fprintf(stderr, "load: %s is missing\n%s", name, usage);
	exit(2);
}

/* A connection needs a descriptor: as many as we may have. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static VciJson *
read_jwks(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	size_t len = file == NULL ? 0 : fread(text, 1, sizeof(text), file);
	VciJson *jwks = NULL;

	if (file != NULL)
		fclose(file);
	if (vci_json_parse_object(text, len, &jwks, NULL) != VCI_OK)
	{
		fprintf(stderr, "load: %s holds no key set\n", path);
		exit(1);
	}
	return jwks;
}

static int
run_flow(Options *options)
{
	FlowPlan *plan = &options->flow;
	VciJson *jwks = options->jwks_path == NULL ? NULL : read_jwks(options->jwks_path);
	Holder *holders = holders_new(options->keys);
	char *base = NULL;
	bool ok;

	need(plan->issuer, "--issuer");
	need(options->codes_path, "--codes");
	if (plan->base == NULL && asprintf(&base, "%s/api/v1/openid4vci", plan->issuer) > 0)
		plan->base = base;
	plan->codes = fopen(options->codes_path, "r");
	if (plan->codes == NULL)
	{
		fprintf(stderr, "load: %s: %s\n", options->codes_path, strerror(errno));
		exit(1);
	}
	plan->jwks = jwks;
	plan->holders = holders;
	plan->holder_count = options->keys;
	plan->stop = &stop;
	ok = holders != NULL && flow_run(plan);
	fclose(plan->codes);
	holders_free(holders, options->keys);
	vci_json_free(jwks);
	free(base);
	return ok ? 0 : 1;
}

static int
print_proofs(const Options *options)
{
	Holder *holders = holders_new(options->keys);
	bool ok = holders != NULL;

	need(options->flow.issuer, "--issuer");
	need(options->nonce, "--nonce");
	for (size_t i = 0; ok && i < options->keys; i++)
	{
		char *proof = holder_prove(&holders[i], options->flow.issuer, options->nonce);

		ok = proof != NULL && puts(proof) >= 0;
		free(proof);
	}
	holders_free(holders, options->keys);
	return ok ? 0 : 1;
}

static int
print_holders(const Options *options)
{
	Holder *holders = holders_new(options->keys);
	bool ok = holders != NULL;

	for (size_t i = 0; ok && i < options->keys; i++)
	{
		char *jwk = vci_json_print(vci_json_get(holders[i].header, "jwk"));

		ok = jwk != NULL && puts(jwk) >= 0;
		free(jwk);
	}
	holders_free(holders, options->keys);
	return ok ? 0 : 1;
}

static int
print_cpu(const Options *options)
{
	static Snapshot none;
	static Snapshot now;

	processes_snapshot(options->servers, options->server_count, &now);
	printf("{\"mode\":\"cpu\"");
	processes_print_cpu(options->servers, options->server_count, &none, &now);
	processes_print_memory(options->servers, options->server_count, &now);
	puts("}");
	return 0;
}

static int
run_mode(const char *mode, Options *options)
{
	if (strcmp(mode, "flow") == 0)
		return run_flow(options);
	if (strcmp(mode, "plain") == 0)
	{
		need(options->plain.url, "--url");
		return plain_run(&options->plain) ? 0 : 1;
	}
	if (strcmp(mode, "proofs") == 0)
		return print_proofs(options);
	if (strcmp(mode, "holders") == 0)
		return print_holders(options);
	if (strcmp(mode, "cpu") == 0)
		return print_cpu(options);
	fputs(usage, stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	Options options = {.flow = {.configuration = "EntitlementCredential",
								.wallets = 16,
								.flows = 1000000000,
								.verify_every = 100,
								.timeout_ms = 60000},
					   .plain = {.clients = 16, .requests = 10000, .timeout_ms = 60000},
					   .keys = 256};
	struct sigaction note = {.sa_handler = note_signal};
	int status;

	if (argc < 2 || argv[1][0] == '-')
	{
		fputs(usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	read_options(&options, argc - 1, argv + 1);
	sigaction(SIGTERM, &note, NULL);
	raise_file_limit();
	curl_global_init(CURL_GLOBAL_ALL);
	status = run_mode(argv[1], &options);
	curl_global_cleanup();
	return status;
}
