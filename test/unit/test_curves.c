/*
 * Keys that verify in VciCurves, one place for all of a curve: each under its own point, whatever
 * stood there before, and only under a point of the curve.
 */
#include "jose/did.h"
#include "jose/jws.h"
#include "error_queue.h"
#include "tap.h"

typedef struct Signer
{
	VciKey *key;
	VciJson *jwk;
	char *compact;
} Signer;

static Signer
signer(VciAlg alg)
{
	Signer made = {0};
	VciJson *part = json("{\"a\":1}");
	VciError error = VCI_ERROR_INIT;

	if (vci_key_generate(alg, &made.key, &error) != VCI_OK ||
		vci_jws_sign(part, part, made.key, &made.compact, &error) != VCI_OK)
		bail_out("no signature", error.text);
	made.jwk = vci_key_public_jwk(made.key);
	vci_json_free(part);
	return made;
}

static void
drop(Signer *made)
{
	vci_key_free(made->key);
	vci_json_free(made->jwk);
	free(made->compact);
}

static VciStatus
verify(const char *compact, const VciKey *key, VciError *error)
{
	VciJws *jws;
	VciStatus status = vci_jws_parse(compact, strlen(compact), &jws, error);

	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, error);
	vci_jws_free(jws);
	return status;
}

/* A refused point must not stay in the place of the one before. */
static void
refuse_point(VciCurves *curves, const VciJson *like)
{
	VciJson *jwk = vci_json_copy(like);
	VciKey *key;

	vci_json_set(jwk, "x", vci_json_ref(vci_json_get(like, "y")));
	ok(vci_key_from_public_jwk_on(curves, jwk, &key, NULL) == VCI_ERR_JWK, "a wrong point between");
	vci_json_free(jwk);
}

/* A point that stayed behind would let the first holder's signature pass for the second's. */
static void
one_place_for_all(VciCurves *curves, VciAlg alg)
{
	Signer signers[2] = {signer(alg), signer(alg)};
	VciKey *keys[2];
	VciError error = VCI_ERROR_INIT;

	for (int i = 0; i < 2; i++)
		is_status(vci_key_from_public_jwk_on(curves, signers[i].jwk, &keys[i], &error), VCI_OK,
				  &error, "a public key is read");
	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < 2; i++)
		{
			is_status(verify(signers[i].compact, keys[i], &error), VCI_OK, &error,
					  "a signature under its key");
			refuse_point(curves, signers[i].jwk);
			is_status(verify(signers[i].compact, keys[i], &error), VCI_OK, &error, "and again");
			is_status(verify(signers[i].compact, keys[1 - i], &error), VCI_ERR_JWS_SIGNATURE,
					  &error, "a signature under another key");
		}
	}
	for (int i = 0; i < 2; i++)
	{
		VciJson *back = vci_key_public_jwk(keys[i]);

		ok(vci_key_equal(keys[i], signers[i].key) && vci_json_equal(back, signers[i].jwk),
		   "the key is the one that was read");
		vci_json_free(back);
		vci_key_free(keys[i]);
		drop(&signers[i]);
	}
}

/* did:key holds a compressed point; both forms are the same key. */
static void
compressed(VciCurves *curves)
{
	VciJson *file = vectors("did.json");
	const VciJson *list = vci_json_get(file, "vectors");
	size_t equal = 0;
	size_t count = vci_json_array_length(list);

	for (size_t i = 0; i < count; i++)
	{
		const char *did = vci_json_get_string(vci_json_array_at(list, i), "did");
		VciKey *key = NULL;
		VciKey *plain = NULL;

		if (vci_key_from_did(did, curves, &key, NULL) == VCI_OK &&
			vci_key_from_did(did, NULL, &plain, NULL) == VCI_OK)
			equal += vci_key_equal(key, plain);
		vci_key_free(key);
		vci_key_free(plain);
	}
	ok(count > 0 && equal == count, "%zu of %zu published DIDs name the same key", equal, count);
	vci_json_free(file);
}

#define JWK(crv, x, y) "{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\"}"
#define ZERO		   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ONE			   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
#define X			   "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
#define Y			   "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
#define PRIME		   "_____wAAAAEAAAAAAAAAAAAAAAD_______________8"

#define ROOT "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q" /* of P-256's b */

/* RFC 8725 section 2.5, with the generator of P-256 as control. */
static void
invalid_points(VciCurves *curves)
{
	static const struct
	{
		const char *jwk;
		VciStatus status;
		const char *what;
	} cases[] = {
		{JWK("P-256", X, Y), VCI_OK, "control: the generator"},
		{JWK("P-256", X, X), VCI_ERR_JWK, "a point of another curve (x twice)"},
		{JWK("P-256", ONE, ONE), VCI_ERR_JWK, "a point of another curve (1, 1)"},
		{JWK("P-256", ZERO, ZERO), VCI_ERR_JWK, "what stands for infinity elsewhere"},
		{JWK("P-256", ONE, ZERO), VCI_ERR_JWK, "a point of order 2 of another curve"},
		{JWK("P-256", PRIME, Y), VCI_ERR_JWK, "a coordinate that is the prime"},
		{JWK("P-256", X, PRIME), VCI_ERR_JWK, "the other one that is the prime"},
		{JWK("P-384", X, Y), VCI_ERR_JWK, "a point of P-256 called P-384"},
		{JWK("P-256", ZERO, ROOT), VCI_OK, "the point whose x is 0"},
		{JWK("P-256", PRIME, ROOT), VCI_ERR_JWK, "the same with the prime for 0"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJson *jwk = json(cases[i].jwk);
		VciError error = VCI_ERROR_INIT;
		VciKey *key;

		is_status(vci_key_from_public_jwk_on(curves, jwk, &key, &error), cases[i].status, &error,
				  cases[i].what);
		ok((key != NULL) == (cases[i].status == VCI_OK), "no key without a good point");
		vci_key_free(key);
		vci_json_free(jwk);
	}
}

/* The curve's equation and the library's own reading must agree about any coordinates. */
static void
as_the_library_reads(VciCurves *curves, VciAlg alg)
{
	size_t good = 0;
	size_t agreed = 0;

	for (int round = 0; round < 60; round++)
	{
		Signer made = signer(alg);
		char *y = (char *) vci_json_get_string(made.jwk, "y");
		VciKey *ours;
		VciKey *theirs;

		/* a third of the points stay, and of a last character two bits are never set */
		if (round % 3 > 0)
			y[round % 40] = y[round % 40] == 'A' ? 'B' : 'A';
		if (vci_key_from_public_jwk_on(curves, made.jwk, &ours, NULL) == VCI_OK)
			good++;
		(void) vci_key_from_public_jwk(made.jwk, &theirs, NULL);
		agreed += (ours == NULL) == (theirs == NULL);
		vci_key_free(ours);
		vci_key_free(theirs);
		drop(&made);
	}
	ok(good == 20 && agreed == 60, "%zu of 60 points are good, %zu judged alike", good, agreed);
}

int
main(void)
{
	VciCurves *curves = vci_curves_new();

	if (!ok(curves != NULL, "curves are prepared"))
		return done_testing();
	one_place_for_all(curves, VCI_ALG_ES256);
	one_place_for_all(curves, VCI_ALG_ES384);
	compressed(curves);
	invalid_points(curves);
	as_the_library_reads(curves, VCI_ALG_ES256);
	as_the_library_reads(curves, VCI_ALG_ES384);
	one_place_for_all(curves, VCI_ALG_ES256);
	vci_curves_free(curves);
	vci_curves_free(NULL);
	error_queue_is_empty();
	return done_testing();
}
