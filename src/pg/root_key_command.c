#include "compat.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "release.h"
#include "report.h"
#include "root_key_command.h"

#define SEARCH_INTERVAL_MS (60 * 1000)
#define RETRY_INTERVAL_MS  1000
#define EXIT_POLL_MS	   10 /* between its last output and its end */

extern char **environ;

char *vci_root_key_command = NULL;
int vci_root_key_command_timeout = 10;

static VciRootKeys kept; /* count 0: none */
static bool wiped_at_exit = false;
static TimestampTz last_search = 0;
static TimestampTz last_failure = 0;
static char failure_text[128];

/* A command under way: the leader of a process group of its own. */
typedef struct Child
{
	pid_t pid;	/* 0: none, or reaped */
	int output; /* our end of the pipe; -1: closed */
	instr_time began;
} Child;

void
vci_command_keys_forget(void)
{
	vci_wipe(&kept, sizeof(kept));
}

void
vci_root_key_command_assign(const char *value pg_attribute_unused(),
							void *extra pg_attribute_unused())
{
	vci_command_keys_forget();
	last_search = 0;
	last_failure = 0;
}

static void
wipe_at_exit(int code pg_attribute_unused(), Datum argument pg_attribute_unused())
{
	vci_command_keys_forget();
}

bool
vci_command_keys_are_stale(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (last_search != 0 && !TimestampDifferenceExceeds(last_search, now, SEARCH_INTERVAL_MS))
		return false;
	last_search = now;
	vci_command_keys_forget();
	return true;
}

/* Whatever happens, no process of the group and no zombie is left. */
static void
end_child(int code pg_attribute_unused(), Datum argument)
{
	Child *child = (Child *) DatumGetPointer(argument);

	if (child->output >= 0)
	{
		close(child->output);
		ReleaseExternalFD();
	}
	child->output = -1;
	if (child->pid == 0)
		return;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

/* Standard input is empty, standard error is the server's, nothing else of ours is open. */
static int
spawn(const char *command, int output, pid_t *pid)
{
	char *const arguments[] = {"sh", "-c", unconstify(char *, command), NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int failure;

	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0)
	{
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
											  POSIX_SPAWN_SETSIGDEF);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigfillset(&signals);
	sigdelset(&signals, SIGKILL);
	sigdelset(&signals, SIGSTOP);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	failure = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (failure == 0)
		failure = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
#ifdef VCI_HAVE_CLOSEFROM
	if (failure == 0)
		failure = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
#endif
	if (failure == 0)
		failure = posix_spawn(pid, "/bin/sh", &files, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return failure;
}

/* NULL, or what is wrong. */
static char *
start(Child *child)
{
	int ends[2];
	int failure;
	pid_t pid;

	if (!AcquireExternalFD())
		return "too many files are open";
	if (pipe(ends) < 0)
	{
		failure = errno;
		ReleaseExternalFD();
		return psprintf("no pipe can be made: %s", strerror(failure));
	}
	child->output = ends[0];
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	failure = spawn(vci_root_key_command, ends[1], &pid);
	close(ends[1]);
	if (failure != 0)
		return psprintf("it can't be started: %s", strerror(failure));
	child->pid = pid;
	return NULL;
}

static long
milliseconds_left(const Child *child)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, child->began);
	return vci_root_key_command_timeout * 1000L - (long) INSTR_TIME_GET_MILLISEC(now);
}

/* Until there is output (of the socket, unless it is none), a signal, or at most so long. */
static void
wait_for(pgsocket output, long milliseconds)
{
	int events = WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH;

	if (output != PGINVALID_SOCKET)
		events |= WL_SOCKET_READABLE;
	if (WaitLatchOrSocket(MyLatch, events, output, milliseconds, PG_WAIT_EXTENSION) & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Reads to the end. */
static char *
read_output(Child *child, VciSensitiveBytes *output)
{
	while (milliseconds_left(child) > 0)
	{
		ssize_t got;

		if (output->len > VCI_ROOT_KEY_TEXT_MAX)
			return "it printed more than 4 kB";
		got = read(child->output, output->data + output->len,
				   VCI_ROOT_KEY_TEXT_MAX + 1 - output->len);
		if (got == 0)
			return NULL;
		if (got > 0)
			output->len += got;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			wait_for(child->output, Max(milliseconds_left(child), 1));
		else if (errno != EINTR)
			return psprintf("its output can't be read: %s", strerror(errno));
	}
	return psprintf("it did not end within %d seconds", vci_root_key_command_timeout);
}

static char *
await_exit(Child *child)
{
	while (milliseconds_left(child) > 0)
	{
		int status;
		pid_t ended = waitpid(child->pid, &status, WNOHANG);

		if (ended == child->pid)
		{
			child->pid = 0;
			if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
				return NULL;
			return WIFEXITED(status) ? psprintf("it ended with exit status %d", WEXITSTATUS(status))
									 : psprintf("it was ended by signal %d", WTERMSIG(status));
		}
		if (ended < 0 && errno != EINTR)
			return psprintf("its end can't be awaited: %s", strerror(errno));
		wait_for(PGINVALID_SOCKET, EXIT_POLL_MS);
	}
	return psprintf("it did not end within %d seconds", vci_root_key_command_timeout);
}

/* Runs the command; NULL when output holds what it printed. */
static char *
run(VciSensitiveBytes *output)
{
	Child child = {.output = -1};
	char *volatile problem;

	/* sized before its content comes, so that all of it is wiped */
	output->data = calloc(1, VCI_ROOT_KEY_TEXT_MAX + 1);
	vci_require_memory(output->data);
	INSTR_TIME_SET_CURRENT(child.began);
	PG_ENSURE_ERROR_CLEANUP(end_child, PointerGetDatum(&child));
	{
		problem = start(&child);
		if (problem == NULL)
			problem = read_output(&child, output);
		if (problem == NULL)
			problem = await_exit(&child);
	}
	PG_END_ENSURE_ERROR_CLEANUP(end_child, PointerGetDatum(&child));
	end_child(0, PointerGetDatum(&child));
	return problem;
}

/* Runs the command and keeps its keys; NULL, or what is wrong. */
static char *
fill_kept(void)
{
	VciSensitiveBytes *output = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	char *problem;

	if (!wiped_at_exit)
		on_proc_exit(wipe_at_exit, (Datum) 0);
	wiped_at_exit = true;
	problem = run(output);
	if (problem == NULL &&
		vci_root_keys_parse((char *) output->data, output->len, &kept, &error) != VCI_OK)
		problem = pstrdup(error.text);
	vci_wipe(output->data, VCI_ROOT_KEY_TEXT_MAX + 1);
	return problem;
}

/*
 * While a key service is away, wallets' requests must not run its command without a pause: a
 * failure is told again for a moment.
 */
char *
vci_command_keys(VciRootKeys *keys)
{
	char *problem = NULL;

	if (kept.count == 0)
	{
		if (last_failure != 0 &&
			!TimestampDifferenceExceeds(last_failure, GetCurrentTimestamp(), RETRY_INTERVAL_MS))
			return pstrdup(failure_text);
		problem = fill_kept();
		last_failure = problem == NULL ? 0 : GetCurrentTimestamp();
		if (problem != NULL)
			strlcpy(failure_text, problem, sizeof(failure_text));
	}
	*keys = kept;
	return problem;
}
