/*
 * What the processes of a server cost, from /proc: CPU time and memory of a process and all
 * that descend from it.
 */
#ifndef BENCH_PROCESSES_H
#define BENCH_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SERVERS_MAX	  8
#define PROCESSES_MAX 1024

typedef struct Server
{
	const char *name;
	pid_t root;
} Server;

typedef struct Process
{
	pid_t pid;
	size_t server;	 /* its position among the servers */
	bool background; /* one of PostgreSQL's own, serving no client */
	double cpu_us;
} Process;

typedef struct Snapshot
{
	size_t count;
	Process processes[PROCESSES_MAX];
	double ended_us[SERVERS_MAX]; /* of all the root's children that have ended, to 10 ms */
} Snapshot;

extern void processes_snapshot(const Server *servers, size_t server_count, Snapshot *snapshot);

/*
 * Prints ,"NAME_cpu_us":…,"NAME_background_cpu_us":…,"NAME_ended_cpu_us":… for each server, in
 * all between two snapshots, of which the first may be empty.
 */
extern void processes_print_cpu(const Server *servers, size_t server_count, const Snapshot *before,
								const Snapshot *after);

/*
 * Prints ,"NAME_peak_kb":…,"NAME_anon_kb":…,"NAME_processes":… for each server: the highest
 * resident memory of the root so far, and what all its processes, shared memory left out, and
 * PostgreSQL's own ones, too, have now.
 */
extern void processes_print_memory(const Server *servers, size_t server_count,
								   const Snapshot *snapshot);

#endif
