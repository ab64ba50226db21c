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

/*
 * POST of a JSON text under an access token, which goes under scheme DPoP when a proof (dpop)
 * comes with it, else as a bearer token. In the current context.
 */
extern VciHttpRequest *vci_sql_json(const char *body, const char *access_token, const char *dpop);

/* The body of a JSON answer as jsonb; {} when it has none. */
extern Datum vci_sql_result(const VciAnswer *answer);

#endif
