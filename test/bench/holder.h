/*
 * The wallet's side of the cryptography: keys made beforehand, proofs really signed
 * (OpenID4VCI 1.0 appendix F.1), credentials verified by the issuer's key set.
 */
#ifndef BENCH_HOLDER_H
#define BENCH_HOLDER_H

#include "../../src/jose/jwk.h"

typedef struct Holder
{
	VciKey *key;
	VciJson *header; /* of its proofs */
} Holder;

/* count new ES256 keys; NULL when that fails. */
extern Holder *holders_new(size_t count);
extern void holders_free(Holder *holders, size_t count);

/* A proof JWT, malloc'd; NULL when it fails. */
extern char *holder_prove(const Holder *holder, const char *audience, const char *nonce);

/*
 * Is this an SD-JWT that a key of the set signed, bound to the holder's key? What is wrong
 * with it is returned, NULL when nothing is.
 */
extern const char *holder_check(const Holder *holder, const VciJson *jwks, const char *credential);

#endif
