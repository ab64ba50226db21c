/*
 * An answer as the HTTP library sends it.
 */
#ifndef PROXY_REPLY_H
#define PROXY_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>

#include "answer.h"

/* Takes the answer's body. NULL when memory is out. head: the request was HEAD. */
extern struct MHD_Response *reply_new(Answer *answer, bool head);

#endif
