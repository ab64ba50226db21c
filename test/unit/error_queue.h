/*
 * OpenSSL's error queue belongs to the whole process: the host's own use of the library
 * would stumble over entries that we leave there. OpenSSL's headers are for src/jose
 * alone, hence the declaration.
 */
#ifndef VCI_ERROR_QUEUE_H
#define VCI_ERROR_QUEUE_H

#include "tap.h"

extern unsigned long ERR_peek_error(void);

static inline void
error_queue_is_empty(void)
{
	ok(ERR_peek_error() == 0, "nothing was left in OpenSSL's error queue");
}

#endif
