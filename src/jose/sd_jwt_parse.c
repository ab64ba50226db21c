#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "key.h"
#include "sd_jwt.h"
#include "sd_jwt_hash.h"

#include <json-c/json_object.h>

/* State of taking one SD-JWT apart; section 7.1. */
typedef struct Reader
{
	EVP_MD *hash;
	VciJson *disclosures; /* array of what was presented, decoded */
	VciJson *by_digest;	  /* digest of a disclosure → its index; a used one is removed */
	VciJson *seen;		  /* digest in the payload or a disclosure → true */
	VciError *error;
} Reader;

static VciStatus process_node(Reader *reader, VciJson *node, int depth);

static VciStatus
out_of_memory(VciError *error)
{
	return vci_error(error, VCI_ERR_MEMORY, "out of memory");
}

/* Section 4.1.1: sha-256 unless the payload says otherwise. */
static VciStatus
choose_hash(Reader *reader, const VciJson *payload)
{
	const char *sd_alg = "sha-256";

	if (vci_json_has(payload, "_sd_alg"))
		sd_alg = vci_json_get_string(payload, "_sd_alg");
	return vci_sd_jwt_hash(sd_alg == NULL ? "" : sd_alg, &reader->hash, reader->error);
}

/* Sections 4.2.1 and 4.2.2: [salt, name, value] or [salt, value]. */
static VciStatus
check_disclosure(const VciJson *disclosure, VciError *error)
{
	size_t length = vci_json_array_length(disclosure);

	if ((length != 2 && length != 3) || vci_json_string(vci_json_array_at(disclosure, 0)) == NULL ||
		(length == 3 && vci_json_string(vci_json_array_at(disclosure, 1)) == NULL))
		return vci_error(error, VCI_ERR_SD_JWT,
						 "expected a disclosure to be an array of salt, name and value, or of "
						 "salt and value");
	return VCI_OK;
}

static VciStatus
add_disclosure(Reader *reader, const char *text, size_t len)
{
	char digest[VCI_SD_JWT_DIGEST_SIZE];
	size_t index = vci_json_array_length(reader->disclosures);
	unsigned char *bytes;
	size_t bytes_len;
	VciJson *disclosure;
	VciStatus status;

	if (index == VCI_SD_JWT_MAX_DISCLOSURES)
		return vci_error(reader->error, VCI_ERR_TOO_LARGE, "expected at most %d disclosures",
						 VCI_SD_JWT_MAX_DISCLOSURES);
	status = vci_base64url_decode_new(text, len, &bytes, &bytes_len, NULL);
	if (status == VCI_ERR_MEMORY)
		return out_of_memory(reader->error);
	if (status != VCI_OK)
		return vci_error(reader->error, VCI_ERR_SD_JWT, "expected a disclosure to be base64url");
	status = vci_json_parse((char *) bytes, bytes_len, &disclosure, reader->error);
	free(bytes);
	if (status == VCI_OK)
		status = check_disclosure(disclosure, reader->error);
	if (status == VCI_OK)
		status = vci_sd_jwt_digest(reader->hash, text, len, digest, reader->error);
	if (status == VCI_OK && vci_json_has(reader->by_digest, digest))
		status = vci_error(reader->error, VCI_ERR_SD_JWT, "a disclosure stands there twice");
	if (status != VCI_OK)
	{
		vci_json_free(disclosure);
		return status;
	}
	if (!vci_json_append(reader->disclosures, disclosure) ||
		!vci_json_set_int64(reader->by_digest, digest, (int64_t) index))
		return out_of_memory(reader->error);
	return VCI_OK;
}

/*
 * The disclosure of a digest that stands in the payload, NULL when it was not presented.
 * Each digest may be met once (step 4), so each disclosure is used once.
 */
static VciStatus
take_disclosure(Reader *reader, const char *digest, const VciJson **disclosure)
{
	int64_t index;

	*disclosure = NULL;
	if (vci_json_has(reader->seen, digest))
		return vci_error(reader->error, VCI_ERR_SD_JWT, "a digest stands there twice");
	if (!vci_json_set_boolean(reader->seen, digest, true))
		return out_of_memory(reader->error);
	if (vci_json_get_int64(reader->by_digest, digest, &index))
	{
		*disclosure = vci_json_array_at(reader->disclosures, (size_t) index);
		vci_json_remove(reader->by_digest, digest);
	}
	return VCI_OK;
}

/* A copy of a disclosure's value, since processing changes it; NULL for null, too. */
static VciStatus
copy_value(const VciJson *value, VciJson **copy, VciError *error)
{
	*copy = vci_json_copy(value);
	return *copy == NULL && value != NULL ? out_of_memory(error) : VCI_OK;
}

/* Step 3.3.2: the claim that a digest in _sd stands for. */
static VciStatus
insert_claim(Reader *reader, VciJson *object, const char *digest, int depth)
{
	const VciJson *disclosure;
	const char *name;
	VciJson *value;
	VciStatus status = take_disclosure(reader, digest, &disclosure);

	if (status != VCI_OK || disclosure == NULL)
		return status;
	if (vci_json_array_length(disclosure) != 3)
		return vci_error(reader->error, VCI_ERR_SD_JWT,
						 "the disclosure of a claim must have three elements");
	name = vci_json_string(vci_json_array_at(disclosure, 1));
	if (strcmp(name, "_sd") == 0 || strcmp(name, "...") == 0 ||
		(depth == 1 && strcmp(name, "_sd_alg") == 0))
		return vci_error(reader->error, VCI_ERR_SD_JWT, "the claim name '%s' cannot be disclosed",
						 name);
	if (vci_json_has(object, name))
		return vci_error(reader->error, VCI_ERR_SD_JWT, "a disclosed claim stands there already");
	status = copy_value(vci_json_array_at(disclosure, 2), &value, reader->error);
	if (status != VCI_OK)
		return status;
	if (value == NULL ? !vci_json_set_null(object, name) : !vci_json_set(object, name, value))
		return out_of_memory(reader->error);
	return VCI_OK;
}

static VciStatus
insert_claims(Reader *reader, VciJson *object, const VciJson *sd, int depth)
{
	VciStatus status = VCI_OK;

	if (vci_json_kind(sd) != VCI_JSON_ARRAY)
		return vci_error(reader->error, VCI_ERR_SD_JWT, "expected _sd to be an array of strings");
	for (size_t i = 0; i < vci_json_array_length(sd) && status == VCI_OK; i++)
	{
		const char *digest = vci_json_string(vci_json_array_at(sd, i));

		if (digest == NULL)
			return vci_error(reader->error, VCI_ERR_SD_JWT,
							 "expected _sd to be an array of strings");
		status = insert_claim(reader, object, digest, depth);
	}
	return status;
}

static VciStatus
process_object(Reader *reader, VciJson *object, int depth)
{
	VciStatus status = VCI_OK;

	if (vci_json_has(object, "..."))
		return vci_error(reader->error, VCI_ERR_SD_JWT,
						 "the name '...' stands for a digest in an array only");
	if (vci_json_has(object, "_sd"))
	{
		VciJson *sd = vci_json_ref(vci_json_get(object, "_sd"));

		vci_json_remove(object, "_sd");
		status = insert_claims(reader, object, sd, depth);
		vci_json_free(sd);
	}
	for (VciJsonIter i = vci_json_iter(object); status == VCI_OK && vci_json_next(&i);)
		status = process_node(reader, i.value, depth + 1);
	return status;
}

/*
 * Step 3.3.3: the element that stands for another. *element is lent or, when it was
 * disclosed, new with *is_new; *dropped tells that its disclosure was not presented.
 */
static VciStatus
resolve_element(Reader *reader, VciJson **element, bool *is_new, bool *dropped)
{
	const char *digest = vci_json_get_string(*element, "...");
	const VciJson *disclosure;
	VciStatus status;

	*is_new = false;
	*dropped = false;
	if (digest == NULL || vci_json_member_count(*element) != 1)
		return VCI_OK; /* process_object refuses a "..." that is no digest */
	status = take_disclosure(reader, digest, &disclosure);
	if (status != VCI_OK)
		return status;
	*dropped = disclosure == NULL;
	if (disclosure == NULL)
		return VCI_OK;
	if (vci_json_array_length(disclosure) != 2)
		return vci_error(reader->error, VCI_ERR_SD_JWT,
						 "the disclosure of an array element must have two elements");
	*is_new = true;
	return copy_value(vci_json_array_at(disclosure, 1), element, reader->error);
}

/* Elements move up in place of those whose disclosure was not presented (step 3.4). */
static VciStatus
process_array(Reader *reader, VciJson *array, int depth)
{
	size_t length = vci_json_array_length(array);
	size_t kept = 0;

	for (size_t i = 0; i < length; i++)
	{
		VciJson *element = vci_json_array_at(array, i);
		bool is_new;
		bool dropped;
		VciStatus status = resolve_element(reader, &element, &is_new, &dropped);

		if (status != VCI_OK)
			return status;
		if (dropped)
			continue;
		if (is_new || kept != i)
		{
			/* json-c itself, because the element may be null */
			if (!is_new)
				element = vci_json_ref(element);
			if (json_object_array_put_idx(array, kept, element) != 0)
			{
				vci_json_free(element);
				return out_of_memory(reader->error);
			}
		}
		kept++;
		status = process_node(reader, element, depth + 1);
		if (status != VCI_OK)
			return status;
	}
	if (kept < length && json_object_array_del_idx(array, kept, length - kept) != 0)
		return vci_error(reader->error, VCI_ERR_INTERNAL, "an array could not be shortened");
	return VCI_OK;
}

/* Disclosures within disclosures may nest the claims deeper than any one text is. */
static VciStatus
process_node(Reader *reader, VciJson *node, int depth)
{
	VciJsonKind kind = vci_json_kind(node);

	if (kind != VCI_JSON_OBJECT && kind != VCI_JSON_ARRAY)
		return VCI_OK;
	if (depth > VCI_JSON_MAX_DEPTH)
		return vci_error(reader->error, VCI_ERR_JSON_DEPTH,
						 "disclosed claims are nested deeper than %d levels", VCI_JSON_MAX_DEPTH);
	if (kind == VCI_JSON_OBJECT)
		return process_object(reader, node, depth);
	return process_array(reader, node, depth);
}

static VciStatus
process_claims(Reader *reader, VciSdJwt *sd_jwt)
{
	VciStatus status;

	sd_jwt->claims = vci_json_copy(sd_jwt->jws->payload);
	if (sd_jwt->claims == NULL)
		return out_of_memory(reader->error);
	status = process_node(reader, sd_jwt->claims, 1);
	if (status != VCI_OK)
		return status;
	vci_json_remove(sd_jwt->claims, "_sd_alg");
	if (vci_json_member_count(reader->by_digest) > 0) /* step 5 */
		return vci_error(reader->error, VCI_ERR_SD_JWT, "no digest refers to a disclosure");
	return VCI_OK;
}

/* Section 4.3.1: the digest over all that stands before the KB-JWT. */
static VciStatus
set_sd_hash(Reader *reader, VciSdJwt *sd_jwt, const char *text, size_t len)
{
	char digest[VCI_SD_JWT_DIGEST_SIZE];
	VciStatus status = vci_sd_jwt_digest(reader->hash, text, len, digest, reader->error);

	if (status != VCI_OK)
		return status;
	sd_jwt->sd_hash = malloc(strlen(digest) + 1);
	if (sd_jwt->sd_hash == NULL)
		return out_of_memory(reader->error);
	strcpy(sd_jwt->sd_hash, digest);
	return VCI_OK;
}

static VciStatus
set_kb_jwt(VciSdJwt *sd_jwt, const char *text, size_t len, VciError *error)
{
	if (len == 0)
		return VCI_OK;
	if (len > VCI_JWS_MAX_SIZE)
		return vci_error(error, VCI_ERR_TOO_LARGE,
						 "expected a key binding JWT of at most %d characters, got %zu",
						 VCI_JWS_MAX_SIZE, len);
	if (memchr(text, '\0', len) != NULL)
		return vci_error(error, VCI_ERR_SD_JWT, "the key binding JWT holds NUL");
	sd_jwt->kb_jwt = malloc(len + 1);
	if (sd_jwt->kb_jwt == NULL)
		return out_of_memory(error);
	memcpy(sd_jwt->kb_jwt, text, len);
	sd_jwt->kb_jwt[len] = '\0';
	return VCI_OK;
}

/* Reads the parts behind the JWT, the first of which starts at "at". */
static VciStatus
read_parts(Reader *reader, VciSdJwt *sd_jwt, const char *text, size_t len, const char *at)
{
	const char *end = text + len;
	const char *tilde;
	VciStatus status = choose_hash(reader, sd_jwt->jws->payload);

	while (status == VCI_OK && (tilde = memchr(at, '~', (size_t) (end - at))) != NULL)
	{
		status = add_disclosure(reader, at, (size_t) (tilde - at));
		at = tilde + 1;
	}
	if (status == VCI_OK)
		status = set_kb_jwt(sd_jwt, at, (size_t) (end - at), reader->error);
	if (status == VCI_OK)
		status = set_sd_hash(reader, sd_jwt, text, (size_t) (at - text));
	if (status == VCI_OK)
		status = process_claims(reader, sd_jwt);
	return status;
}

static VciStatus
read_sd_jwt(VciSdJwt *sd_jwt, const char *text, size_t len, VciError *error)
{
	const char *tilde = memchr(text, '~', len);
	Reader reader = {.error = error};
	VciStatus status;

	if (tilde == NULL)
		return vci_error(error, VCI_ERR_SD_JWT, "expected an SD-JWT: a JWS and '~' behind it");
	status = vci_jws_parse(text, (size_t) (tilde - text), &sd_jwt->jws, error);
	if (status != VCI_OK)
		return status;
	reader.disclosures = vci_json_new_array();
	reader.by_digest = vci_json_new_object();
	reader.seen = vci_json_new_object();
	if (reader.disclosures == NULL || reader.by_digest == NULL || reader.seen == NULL)
		status = out_of_memory(error);
	else
		status = read_parts(&reader, sd_jwt, text, len, tilde + 1);
	sd_jwt->disclosures = reader.disclosures;
	vci_json_free(reader.by_digest);
	vci_json_free(reader.seen);
	EVP_MD_free(reader.hash);
	return status;
}

VciStatus
vci_sd_jwt_parse(const char *text, size_t len, VciSdJwt **sd_jwt, VciError *error)
{
	VciSdJwt *parsed;
	VciStatus status;

	*sd_jwt = NULL;
	if (len > VCI_SD_JWT_MAX_SIZE)
		return vci_error(error, VCI_ERR_TOO_LARGE, "expected an SD-JWT of at most %d characters",
						 VCI_SD_JWT_MAX_SIZE);
	parsed = calloc(1, sizeof(*parsed));
	if (parsed == NULL)
		return out_of_memory(error);
	status = read_sd_jwt(parsed, text, len, error);
	if (status != VCI_OK)
	{
		vci_sd_jwt_free(parsed);
		return status;
	}
	*sd_jwt = parsed;
	return VCI_OK;
}
