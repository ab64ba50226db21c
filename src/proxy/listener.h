/*
 * The socket that clients connect to.
 */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/* Listens on a numeric address; -1 with *problem set, lent, when that fails. */
extern int listener_open(const char *address, int port, const char **problem);

/* "http://127.0.0.1:8080"; false when it cannot be told. */
extern bool listener_url(int listener, char *url, size_t size);

#endif
