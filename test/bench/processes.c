#include "processes.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Kin
{
	pid_t pid;
	pid_t parent;
} Kin;

#define KIN_MAX 32768

/* Reads a small file of /proc/PID; false when the process has gone. */
static bool
read_file(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
	if ((file = fopen(path, "r")) == NULL)
		return false;
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return len > 0;
}

/* The fields of /proc/PID/stat behind the name, which may hold anything. */
static const char *
stat_fields(char *text)
{
	char *end = strrchr(text, ')');

	return end == NULL ? "" : end + 2;
}

static size_t
list_processes(Kin *kin)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	while (folder != NULL && count < KIN_MAX && (entry = readdir(folder)) != NULL)
	{
		char text[1024];
		int parent;

		if (!isdigit((unsigned char) entry->d_name[0]))
			continue;
		kin[count].pid = (pid_t) atoi(entry->d_name);
		if (!read_file(kin[count].pid, "stat", text, sizeof(text)) ||
			sscanf(stat_fields(text), "%*c %d", &parent) != 1)
			continue;
		kin[count++].parent = (pid_t) parent;
	}
	if (folder != NULL)
		closedir(folder);
	return count;
}

/* CPU time of all threads that run, to the nanosecond. */
static double
cpu_us(pid_t pid)
{
	char path[64];
	DIR *folder;
	struct dirent *entry;
	double sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int) pid);
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL)
	{
		char text[128];
		unsigned long long ns;

		snprintf(path, sizeof(path), "task/%.20s/schedstat", entry->d_name);
		if (isdigit((unsigned char) entry->d_name[0]) && read_file(pid, path, text, sizeof(text)) &&
			sscanf(text, "%llu", &ns) == 1)
			sum += (double) ns / 1e3;
	}
	if (folder != NULL)
		closedir(folder);
	return sum;
}

static double
ended_us(pid_t pid)
{
	char text[1024];
	long long user;
	long long system;

	if (!read_file(pid, "stat", text, sizeof(text)) ||
		sscanf(stat_fields(text), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lld %lld",
			   &user, &system) != 2)
		return 0;
	return (double) (user + system) * 1e6 / (double) sysconf(_SC_CLK_TCK);
}

static bool
is_background(pid_t pid)
{
	static const char *const titles[] = {"checkpointer",
										 "background writer",
										 "walwriter",
										 "autovacuum",
										 "logical replication",
										 "archiver",
										 "logger",
										 "io worker",
										 "walsummarizer",
										 "stats",
										 "startup"};
	static const char prefix[] = "postgres: ";
	char title[256];

	if (!read_file(pid, "cmdline", title, sizeof(title)) ||
		strncmp(title, prefix, strlen(prefix)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
	{
		if (strncmp(title + strlen(prefix), titles[i], strlen(titles[i])) == 0)
			return true;
	}
	return false;
}

static void
add_process(Snapshot *snapshot, pid_t pid, size_t server)
{
	Process *process = &snapshot->processes[snapshot->count];

	if (snapshot->count == PROCESSES_MAX)
		return;
	snapshot->count++;
	process->pid = pid;
	process->server = server;
	process->background = is_background(pid);
	process->cpu_us = cpu_us(pid);
}

void
processes_snapshot(const Server *servers, size_t server_count, Snapshot *snapshot)
{
	Kin *kin = calloc(KIN_MAX, sizeof(Kin));
	size_t kin_count = kin == NULL ? 0 : list_processes(kin);

	snapshot->count = 0;
	for (size_t s = 0; s < server_count; s++)
	{
		size_t first = snapshot->count;

		add_process(snapshot, servers[s].root, s);
		snapshot->ended_us[s] = ended_us(servers[s].root);
		/* the list grows while it is walked, until no child is left */
		for (size_t i = first; i < snapshot->count; i++)
		{
			for (size_t k = 0; k < kin_count; k++)
			{
				if (kin[k].parent == snapshot->processes[i].pid)
					add_process(snapshot, kin[k].pid, s);
			}
		}
	}
	free(kin);
}

static double
cpu_before(const Snapshot *before, pid_t pid)
{
	for (size_t i = 0; i < before->count; i++)
	{
		if (before->processes[i].pid == pid)
			return before->processes[i].cpu_us;
	}
	return 0;
}

void
processes_print_cpu(const Server *servers, size_t server_count, const Snapshot *before,
					const Snapshot *after)
{
	for (size_t s = 0; s < server_count; s++)
	{
		double serving = 0;
		double background = 0;

		for (size_t i = 0; i < after->count; i++)
		{
			const Process *process = &after->processes[i];
			double spent = process->cpu_us - cpu_before(before, process->pid);

			if (process->server != s)
				continue;
			if (process->background)
				background += spent;
			else
				serving += spent;
		}
		printf(",\"%s_cpu_us\":%.0f,\"%s_background_cpu_us\":%.0f,\"%s_ended_cpu_us\":%.0f",
			   servers[s].name, serving, servers[s].name, background, servers[s].name,
			   after->ended_us[s] - before->ended_us[s]);
	}
}

/* A line such as "VmHWM:    1234 kB" of /proc/PID/status. */
static double
status_kb(pid_t pid, const char *name)
{
	char text[4096];
	char *line;

	if (!read_file(pid, "status", text, sizeof(text)) || (line = strstr(text, name)) == NULL)
		return 0;
	return strtod(line + strlen(name), NULL);
}

void
processes_print_memory(const Server *servers, size_t server_count, const Snapshot *snapshot)
{
	for (size_t s = 0; s < server_count; s++)
	{
		double anonymous = 0;
		int count = 0;

		for (size_t i = 0; i < snapshot->count; i++)
		{
			if (snapshot->processes[i].server != s)
				continue;
			anonymous += status_kb(snapshot->processes[i].pid, "RssAnon:");
			count++;
		}
		printf(",\"%s_peak_kb\":%.0f,\"%s_anon_kb\":%.0f,\"%s_processes\":%d", servers[s].name,
			   status_kb(servers[s].root, "VmHWM:"), servers[s].name, anonymous, servers[s].name,
			   count);
	}
}
