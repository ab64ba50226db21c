#include "curves.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#define CURVES 2 /* VCI_KEY_P256 and VCI_KEY_P384, the first types */

/*
 * Making an EVP_PKEY of a point costs about as much as a signature, most of it for the group.
 * So one is kept for each curve, and each point that is to verify is set in it. That costs several
 * times as much as reading the point in the group, which does for one that is only checked.
 */
typedef struct Curve
{
	EC_GROUP *group;
	EC_POINT *point; /* room for the one that is read */
	BN_CTX *numbers; /* room to calculate */
	EVP_MD *md;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verifier; /* of pkey, ready for EVP_PKEY_verify */
	bool is_set;
	unsigned char set[VCI_PUBLIC_MAX_BYTES]; /* x and y of the point in pkey */
} Curve;

struct VciCurves
{
	Curve curves[CURVES];
};

/* A public key of the group, at its generator until a point is set. */
static EVP_PKEY *
new_pkey(VciKeyType type, const EC_GROUP *group)
{
	unsigned char generator[1 + VCI_PUBLIC_MAX_BYTES];
	size_t len =
		EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
						   generator, sizeof(generator), NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *) vci_key_group(type),
										 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, generator, len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey;

	if (len == 0 || vci_pkey_from_params("EC", EVP_PKEY_PUBLIC_KEY, params, "", &pkey, NULL))
		return NULL;
	return pkey;
}

static bool
prepare(Curve *curve, VciKeyType type)
{
	curve->group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(vci_key_group(type)));
	if (curve->group == NULL)
		return false;
	curve->point = EC_POINT_new(curve->group);
	curve->numbers = BN_CTX_new();
	curve->pkey = new_pkey(type, curve->group);
	curve->md = EVP_MD_fetch(NULL, type == VCI_KEY_P384 ? "SHA384" : "SHA256", NULL);
	if (curve->point == NULL || curve->numbers == NULL || curve->md == NULL || curve->pkey == NULL)
		return false;
	curve->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, curve->pkey, NULL);
	if (curve->verifier == NULL || EVP_PKEY_verify_init(curve->verifier) != 1)
		return false;
	/* another provider would go on with a copy of the key, whose point is never set */
	return EVP_PKEY_CTX_get0_provider(curve->verifier) == EVP_PKEY_get0_provider(curve->pkey);
}

VciCurves *
vci_curves_new(void)
{
	VciCurves *curves = calloc(1, sizeof(*curves));
	bool ready = true;

	if (curves == NULL)
		return NULL;
	for (int type = 0; ready && type < CURVES; type++)
		ready = prepare(&curves->curves[type], (VciKeyType) type);
	ERR_clear_error();
	if (ready)
		return curves;
	vci_curves_free(curves);
	return NULL;
}

void
vci_curves_free(VciCurves *curves)
{
	if (curves == NULL)
		return;
	for (int i = 0; i < CURVES; i++)
	{
		EVP_PKEY_CTX_free(curves->curves[i].verifier);
		EVP_PKEY_free(curves->curves[i].pkey);
		EVP_MD_free(curves->curves[i].md);
		BN_CTX_free(curves->curves[i].numbers);
		EC_POINT_free(curves->curves[i].point);
		EC_GROUP_free(curves->curves[i].group);
	}
	free(curves);
}

/* Sets an uncompressed point; the library checks its coordinates and the curve's equation. */
static bool
set_point(Curve *curve, const unsigned char *point, size_t len)
{
	if (curve->is_set && memcmp(curve->set, point + 1, len - 1) == 0)
		return true;
	/* whatever comes of it, what stood there before must verify for nobody else */
	curve->is_set = false;
	if (EVP_PKEY_set1_encoded_public_key(curve->pkey, point, len) != 1)
		return false;
	memcpy(curve->set, point + 1, len - 1);
	curve->is_set = true;
	return true;
}

/*
 * SEC 1 section 2.3.4; the library checks the coordinates and the curve's equation. A compressed
 * point, as did:key has them, is written out; of infinity there are no coordinates.
 */
VciStatus
vci_curves_read_point(VciCurves *curves, VciKeyType type, const unsigned char *point, size_t len,
					  unsigned char out[VCI_PUBLIC_MAX_BYTES], VciError *error)
{
	Curve *curve = &curves->curves[type];
	unsigned char full[1 + VCI_PUBLIC_MAX_BYTES];
	size_t size = 1 + 2 * vci_key_field_bytes(type);
	bool good = EC_POINT_oct2point(curve->group, curve->point, point, len, curve->numbers) == 1;

	if (good && len == size)
		memcpy(full, point, len);
	else if (good)
		good = EC_POINT_point2oct(curve->group, curve->point, POINT_CONVERSION_UNCOMPRESSED, full,
								  size, curve->numbers) == size;
	if (!good)
		return vci_openssl_error(error, VCI_ERR_JWK, "the public key is no point of its curve");
	memcpy(out, full + 1, size - 1);
	return VCI_OK;
}

EVP_MD *
vci_curves_digest(const VciCurves *curves, VciKeyType type)
{
	return curves->curves[type].md;
}

int
vci_curves_verify(VciCurves *curves, VciKeyType type, const unsigned char *public_bytes,
				  const unsigned char *digest, size_t digest_len, const unsigned char *der,
				  size_t der_len)
{
	Curve *curve = &curves->curves[type];
	unsigned char point[1 + VCI_PUBLIC_MAX_BYTES];
	size_t len = 2 * vci_key_field_bytes(type);

	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, public_bytes, len);
	if (!set_point(curve, point, 1 + len))
		return -1;
	return EVP_PKEY_verify(curve->verifier, der, der_len, digest, digest_len);
}
