/*
 * What the commands have in common that serve nobody: one connection, and plain words about
 * what the database refuses.
 */
#ifndef PROXY_COMMAND_H
#define PROXY_COMMAND_H

#include <libpq-fe.h>

#include "options.h"

/* NULL when it can't connect; then the reason was reported. */
extern PGconn *command_connect(const Options *options);

/*
 * Reports what the database says is wrong, and what to do. duties: what the role needs, in
 * place of the database's own hint when it lacks a privilege.
 */
extern void command_report(const char *what, const PGresult *result, const char *duties);

#endif
