/*
 * HTTP requests made in memory: the SQL twin of an endpoint calls the endpoint itself.
 */
#ifndef VCI_MEMORY_REQUEST_H
#define VCI_MEMORY_REQUEST_H

#include "utils/jsonb.h"

#include "../protocol/http.h"
#include "answer.h"

/*
 * A POST of a form. parameters: an object whose members are texts (arrays and objects go as
 * JSON text, as authorization_details do; null: left out), raises 22023 otherwise. dpop: a
 * DPoP proof or NULL.
 */
extern VciHttpRequest *vci_memory_form(const VciJson *parameters, const char *dpop);

/*
 * A POST of JSON under an access token, which goes as scheme DPoP when there is a proof and
 * as Bearer otherwise; both may be NULL.
 */
extern VciHttpRequest *vci_memory_json(const VciJson *body, const char *access_token,
									   const char *dpop);

/* The body of an answer as jsonb; an answer without body is an empty object. */
extern Datum vci_memory_result(const VciAnswer *answer);

#endif
