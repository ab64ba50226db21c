/*
 * A request that comes as an SQL call, for the functions that do an endpoint's work.
 */
#ifndef VCI_SQL_REQUEST_H
#define VCI_SQL_REQUEST_H

#include "../protocol/http.h"
#include "answer.h"

/*
 * POST of a form: parameters is an object, strings go as they are and other values as their
 * JSON text (null: left out); raises 22023 when it is something else. dpop: value of the DPoP
 * header, NULL: none. In the current context.
 */
extern VciHttpRequest *vci_sql_form(const VciJson *parameters, const char *dpop);

/* The body of a JSON answer as jsonb. */
extern Datum vci_sql_result(const VciAnswer *answer);

#endif
