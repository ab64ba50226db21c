/*
 * Secrets are compared in constant time. A child process makes one guess and its parent
 * follows it instruction by instruction: guesses whose first byte is right must run through
 * exactly the instructions of those whose first byte is wrong. That is deterministic, where
 * a clock is not. Each child starts from the same state, because it is forked from it.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jose/base64url.h"
#include "protocol/ticket.h"
#include "protocol/token.h"
#include "tap.h"

/* A guess; the secret that it is compared with belongs to the function that makes it. */
typedef struct Guess
{
	void (*make)(const struct Guess *guess);
	unsigned char bytes[64]; /* differ from the right ones as the test wants */
	size_t len;
} Guess;

typedef struct Trace
{
	uint64_t steps;
	uint64_t path; /* hash over every instruction's address */
} Trace;

static const VciSecret key = {{1, 2, 3}};

static uint64_t
instruction_address(pid_t child)
{
#if defined(__x86_64__)
	return (uint64_t) ptrace(PTRACE_PEEKUSER, child, offsetof(struct user_regs_struct, rip), NULL);
#else
	(void) child; /* elsewhere the number of instructions has to do */
	return 0;
#endif
}

/* Stops twice, so that the parent knows where the guess begins and ends. */
static void
be_traced(const Guess *guess)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	raise(SIGSTOP);
	guess->make(guess);
	raise(SIGSTOP);
	_exit(0);
}

/* False where no process may be traced. */
static bool
trace(const Guess *guess, Trace *trace)
{
	int status;
	pid_t child = fork();

	*trace = (Trace){0, 0};
	if (child == 0)
		be_traced(guess);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return false;
	do
	{
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
			waitpid(child, &status, 0) != child)
			return false;
		trace->steps++;
		trace->path = trace->path * 1099511628211U + instruction_address(child);
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return true;
}

static bool
same(const Trace *a, const Trace *b)
{
	return a->steps == b->steps && a->path == b->path;
}

/*
 * All bytes of right wrong is the measure; first byte right, last byte right, and all but
 * the last byte right must look the same. A guess is right from begin on only.
 */
static void
guess_bytes(void (*make)(const Guess *guess), const unsigned char *right, size_t begin, size_t len,
			bool constant, const char *what)
{
	static const char *const names[] = {"the first", "the last", "every but the last"};
	Guess guess = {.make = make, .len = len};
	Trace measure;
	Trace now;

	memcpy(guess.bytes, right, len);
	for (size_t i = begin; i < len; i++)
		guess.bytes[i] ^= 0x15;
	trace(&guess, &measure);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		Guess other = guess;

		if (i == 0)
			other.bytes[begin] = right[begin];
		else if (i == 1)
			other.bytes[len - 1] = right[len - 1];
		else
			memcpy(other.bytes + begin, right + begin, len - begin - 1);
		trace(&other, &now);
		if (constant)
			ok(same(&measure, &now), "%s: %s byte right looks like every byte wrong (%llu steps)",
			   what, names[i], (unsigned long long) measure.steps);
		else if (i != 1)
			ok(!same(&measure, &now), "%s: %s byte right is told apart, as it must be here", what,
			   names[i]);
	}
}

/* What a comparison that leaks looks like: the test must see it. */
static void
naive_guess(const Guess *guess)
{
	volatile const unsigned char *right = key.bytes;
	size_t i = 0;

	while (i < guess->len && guess->bytes[i] == right[i])
		i++;
}

static void
bytes_guess(const Guess *guess)
{
	(void) vci_bytes_equal(guess->bytes, key.bytes, guess->len);
}

static VciTicketKeys ticket_keys;

static void
ticket_guess(const Guess *guess)
{
	char text[VCI_TICKET_SIZE];
	int64_t id;
	int32_t generation;

	vci_base64url_encode(guess->bytes, guess->len, text);
	(void) vci_ticket_open(&ticket_keys, VCI_TICKET_CODE, text, strlen(text), &id, &generation,
						   NULL);
}

static void
nonce_guess(const Guess *guess)
{
	char text[VCI_NONCE_SIZE];
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
	int64_t issued_at;

	vci_base64url_encode(guess->bytes, guess->len, text);
	(void) vci_nonce_open(&ticket_keys, VCI_NONCE_CREDENTIAL, 7, 1, 1767225600, 300, text,
						  strlen(text), random, &issued_at, NULL);
}

/* As a transaction code is checked: what is compared is an HMAC over it. */
static void
tx_code_guess(const Guess *guess)
{
	unsigned char verifier[VCI_DIGEST_BYTES];

	if (vci_hmac(&key, guess->bytes, guess->len, verifier, NULL) == VCI_OK)
		(void) vci_bytes_equal(verifier, key.bytes, sizeof(verifier));
}

static void
sealed_guess(const Guess *guess)
{
	unsigned char *plain;
	size_t len;

	(void) vci_unseal(&key, "a", 1, guess->bytes, guess->len, &plain, &len, NULL);
	free(plain);
}

static void
challenge_guess(const Guess *guess)
{
	static const char verifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	char challenge[64];

	vci_base64url_encode(guess->bytes, guess->len, challenge);
	(void) vci_pkce_check(challenge, verifier, NULL);
}

static void
tickets_and_nonces(void)
{
	char ticket[VCI_TICKET_SIZE];
	char nonce[VCI_NONCE_SIZE];
	unsigned char bytes[64];
	size_t len;

	if (vci_ticket_keys_derive(&key, &key, &ticket_keys, NULL) != VCI_OK ||
		vci_ticket_make(&ticket_keys, VCI_TICKET_CODE, 42, 0, ticket, NULL) != VCI_OK ||
		vci_nonce_make(&ticket_keys, VCI_NONCE_CREDENTIAL, 7, 1, 1767225600, nonce, NULL) != VCI_OK)
		bail_out("no ticket or nonce", "");
	vci_base64url_decode(ticket, strlen(ticket), bytes, &len, NULL);
	guess_bytes(ticket_guess, bytes, len - 17, len, true, "the MAC of a ticket");
	vci_base64url_decode(nonce, strlen(nonce), bytes, &len, NULL);
	guess_bytes(nonce_guess, bytes, len - 17, len, true, "the MAC of a nonce");
}

static void
other_secrets(void)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	static const char verifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	unsigned char *sealed;
	size_t len;

	guess_bytes(tx_code_guess, (const unsigned char *) "482916", 0, 6, true, "a transaction code");
	if (vci_seal(&key, "a", 1, "secret", 6, &sealed, &len, NULL) != VCI_OK ||
		vci_sha256(verifier, strlen(verifier), digest, NULL) != VCI_OK)
		bail_out("no seal or digest", "");
	guess_bytes(sealed_guess, sealed, len - 16, len, true, "the tag of a sealed value");
	free(sealed);
	guess_bytes(challenge_guess, digest, 0, sizeof(digest), true, "a PKCE code_challenge");
}

int
main(void)
{
	Guess guess = {.make = bytes_guess, .len = VCI_SECRET_BYTES};
	Trace first;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	printf("1..0 # SKIP a sanitizer adds instructions of its own\n");
	return 0;
#endif
#endif
	if (!trace(&guess, &first) || first.steps < 50)
	{
		printf("1..0 # SKIP no process may be traced here: %s\n", strerror(errno));
		return 0;
	}
	guess_bytes(naive_guess, key.bytes, 0, 17, false, "a comparison that ends at the first fault");
	guess_bytes(bytes_guess, key.bytes, 0, VCI_SECRET_BYTES, true, "vci_bytes_equal");
	tickets_and_nonces();
	other_secrets();
	return done_testing();
}
