#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "json_write.h"
#include "key.h"
#include "sd_jwt.h"
#include "sd_jwt_hash.h"
#include "seal.h"

#define SALT_BYTES	16 /* section 9.3: 128 bits */
#define SALT_TEXT	((SALT_BYTES * 4 + 2) / 3 + 1)
#define DECOY_BYTES 32
#define DIGEST_SIZE 44 /* sha-256 in base64url, and a NUL */

/* A pointer that has come to the node at hand, and its part that is compared next. */
typedef struct Pointer
{
	const VciJson *path;
	size_t length;
	const VciJson *part;
	const char *name; /* of part; NULL: an index or null */
} Pointer;

/*
 * State of one concealment: claims go from the tree right into texts. plain, digests and
 * selected are stacks: what a value has put there goes when the value is written.
 */
typedef struct Concealer
{
	VciText payload;
	VciText disclosures;
	size_t count;		/* of disclosures */
	VciText plain;		/* disclosures that are being written, each behind what holds it */
	const EVP_MD *hash; /* lent, as are digester and pool: one for all digests */
	EVP_MD_CTX *digester;
	VciRandomPool *pool;
	EVP_MD *own_hash; /* NULL where a key lends */
	EVP_MD_CTX *own_digester;
	VciRandomPool *own_pool;
	size_t digest_count;
	size_t digest_capacity;
	char (*digests)[DIGEST_SIZE];
	size_t selected_count;
	size_t selected_capacity;
	Pointer *selected;
	VciError *error;
} Concealer;

/* The pointers, from "first" on in selected, that have come to the node at hand. */
typedef struct Selection
{
	size_t first;
	size_t count;
	size_t depth; /* parts of them that were followed */
} Selection;

static VciStatus write_node(Concealer *concealer, const VciJson *node, const Selection *selection,
							VciText *out);

static VciStatus
out_of_memory(Concealer *concealer)
{
	return vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
}

/* Room for one more element behind count; false when memory is out. */
static bool
reserve(void **elements, size_t count, size_t *capacity, size_t size)
{
	size_t larger = *capacity == 0 ? 16 : *capacity * 2;
	void *moved;

	if (count < *capacity)
		return true;
	moved = realloc(*elements, larger * size);
	if (moved == NULL)
		return false;
	*elements = moved;
	*capacity = larger;
	return true;
}

/* A number below bound, each as likely as the next: what would favour the low ones is redrawn. */
static VciStatus
draw_below(Concealer *concealer, uint32_t bound, uint32_t *number)
{
	uint32_t unfair = (UINT32_MAX - bound + 1) % bound; /* 2^32 mod bound */

	do
	{
		VciStatus status =
			vci_random_draw(concealer->pool, number, sizeof(*number), concealer->error);

		if (status != VCI_OK)
			return status;
	} while (*number < unfair);
	*number %= bound;
	return VCI_OK;
}

/* As vci_sd_jwt_digest, for many of SHA-256. */
static VciStatus
digest(Concealer *concealer, const char *text, size_t len, char out[DIGEST_SIZE])
{
	unsigned char bytes[VCI_DIGEST_BYTES];
	unsigned bytes_len;

	if (EVP_DigestInit_ex2(concealer->digester, concealer->hash, NULL) != 1 ||
		EVP_DigestUpdate(concealer->digester, text, len) != 1 ||
		EVP_DigestFinal_ex(concealer->digester, bytes, &bytes_len) != 1)
		return vci_openssl_error(concealer->error, VCI_ERR_CRYPTO,
								 "the crypto library failed at a digest");
	vci_base64url_encode(bytes, bytes_len, out);
	return VCI_OK;
}

static VciStatus
push_digest(Concealer *concealer, const char *text, size_t len)
{
	void *digests = concealer->digests;
	bool room = reserve(&digests, concealer->digest_count, &concealer->digest_capacity,
						sizeof(*concealer->digests));

	concealer->digests = digests;
	if (!room)
		return out_of_memory(concealer);
	return digest(concealer, text, len, concealer->digests[concealer->digest_count++]);
}

static VciStatus
push_selected(Concealer *concealer, const VciJson *path, size_t length, size_t depth)
{
	const VciJson *part = vci_json_array_at(path, depth);
	void *selected = concealer->selected;
	bool room = reserve(&selected, concealer->selected_count, &concealer->selected_capacity,
						sizeof(*concealer->selected));

	concealer->selected = selected;
	if (!room)
		return out_of_memory(concealer);
	concealer->selected[concealer->selected_count++] =
		(Pointer){.path = path, .length = length, .part = part, .name = vci_json_string(part)};
	return VCI_OK;
}

/* Encodes what stands in plain from "from" on, puts it to the others and its digest on the stack. */
static VciStatus
add_disclosure(Concealer *concealer, size_t from)
{
	const VciText *plain = &concealer->plain;
	VciText *disclosures = &concealer->disclosures;
	size_t start = disclosures->len;

	if (plain->out_of_memory)
		return out_of_memory(concealer);
	vci_text_base64url(disclosures, plain->data + from, plain->len - from);
	if (disclosures->out_of_memory)
		return out_of_memory(concealer);
	concealer->count++;
	vci_text_append(disclosures, "~", 1);
	if (disclosures->out_of_memory)
		return out_of_memory(concealer);
	return push_digest(concealer, disclosures->data + start, disclosures->len - start - 1);
}

/*
 * Makes the disclosure of a claim, or of an element when name is NULL: [salt, name, value] or
 * [salt, value]. What is concealed below has its digests in the value.
 */
static VciStatus
disclose(Concealer *concealer, const char *name, const VciJson *value, const Selection *below)
{
	VciText *plain = &concealer->plain;
	size_t start = plain->len;
	unsigned char salt[SALT_BYTES];
	char salt_text[SALT_TEXT];
	VciStatus status;

	if (concealer->count >= VCI_SD_JWT_MAX_DISCLOSURES)
		return vci_error(concealer->error, VCI_ERR_TOO_LARGE, "expected at most %d disclosures",
						 VCI_SD_JWT_MAX_DISCLOSURES);
	status = vci_random_draw(concealer->pool, salt, sizeof(salt), concealer->error);
	if (status != VCI_OK)
		return status;
	vci_base64url_encode(salt, sizeof(salt), salt_text);

	vci_text_append(plain, "[\"", 2);
	vci_text_append(plain, salt_text, SALT_TEXT - 1);
	vci_text_append(plain, "\",", 2);
	if (name != NULL)
	{
		vci_json_write_string(name, strlen(name), plain);
		vci_text_append(plain, ",", 1);
	}
	status = write_node(concealer, value, below, plain);
	vci_text_append(plain, "]", 1);
	if (status == VCI_OK)
		status = add_disclosure(concealer, start);
	vci_text_cut(plain, start);
	return status;
}

/* Section 4.2.5: the digest of random bytes looks like any other. */
static VciStatus
push_decoys(Concealer *concealer, int decoys)
{
	VciStatus status = VCI_OK;

	for (int i = 0; i < decoys && status == VCI_OK; i++)
	{
		unsigned char bytes[DECOY_BYTES];

		status = vci_random_draw(concealer->pool, bytes, sizeof(bytes), concealer->error);
		if (status == VCI_OK)
			status = push_digest(concealer, (const char *) bytes, sizeof(bytes));
	}
	return status;
}

/* Section 4.2.4.1: the order must not tell the order of the claims. Fisher and Yates. */
static VciStatus
shuffle(Concealer *concealer, size_t first)
{
	for (size_t i = concealer->digest_count - first; i > 1; i--)
	{
		char kept[DIGEST_SIZE];
		char *last = concealer->digests[first + i - 1];
		uint32_t other;
		VciStatus status = draw_below(concealer, (uint32_t) i, &other);

		if (status != VCI_OK)
			return status;
		memcpy(kept, last, sizeof(kept));
		memcpy(last, concealer->digests[first + other], sizeof(kept));
		memcpy(concealer->digests[first + other], kept, sizeof(kept));
	}
	return VCI_OK;
}

/* Takes the digests from "first" on off the stack and writes them as _sd. */
static VciStatus
write_sd(Concealer *concealer, size_t first, VciText *out)
{
	VciStatus status = shuffle(concealer, first);

	vci_text_put(out, "\"_sd\":[");
	for (size_t i = first; i < concealer->digest_count; i++)
	{
		vci_text_put(out, i == first ? "\"" : ",\"");
		vci_text_put(out, concealer->digests[i]);
		vci_text_append(out, "\"", 1);
	}
	vci_text_append(out, "]", 1);
	concealer->digest_count = first;
	return status;
}

/* Does it select the member name, or, without name, element index? */
static bool
selects(const Pointer *pointer, const char *name, size_t index)
{
	int64_t number;

	if (name != NULL)
		return pointer->name != NULL && pointer->name[0] == name[0] &&
			   strcmp(pointer->name, name) == 0;
	if (pointer->part == NULL)
		return true;
	return vci_json_int64(pointer->part, &number) && number >= 0 && (uint64_t) number == index;
}

/*
 * Which pointers select something below the member (or element), and whether one selects the
 * child itself. The caller takes what stands in *below off the stack.
 */
static VciStatus
select_child(Concealer *concealer, const Selection *selection, const char *name, size_t index,
			 Selection *below, bool *concealed)
{
	VciStatus status = VCI_OK;

	*concealed = false;
	*below = (Selection){.first = concealer->selected_count, .depth = selection->depth + 1};
	for (size_t i = 0; i < selection->count && status == VCI_OK; i++)
	{
		const Pointer *pointer = &concealer->selected[selection->first + i];

		if (!selects(pointer, name, index))
			continue;
		if (pointer->length == below->depth)
			*concealed = true;
		else
			status = push_selected(concealer, pointer->path, pointer->length, below->depth);
	}
	below->count = concealer->selected_count - below->first;
	return status;
}

/* Counts members that are not concealed in *written. */
static VciStatus
write_member(Concealer *concealer, const VciJsonIter *member, const Selection *selection,
			 size_t *written, VciText *out)
{
	Selection below;
	bool concealed;
	VciStatus status = select_child(concealer, selection, member->name, 0, &below, &concealed);

	if (status == VCI_OK && concealed)
		status = disclose(concealer, member->name, member->value, &below);
	else if (status == VCI_OK)
	{
		if ((*written)++ > 0)
			vci_text_append(out, ",", 1);
		vci_json_write_string(member->name, strlen(member->name), out);
		vci_text_append(out, ":", 1);
		status = write_node(concealer, member->value, &below, out);
	}
	concealer->selected_count = below.first;
	return status;
}

/* The members between the braces; "written" of them stand there already. */
static VciStatus
write_members(Concealer *concealer, const VciJson *object, const Selection *selection,
			  size_t *written, int decoys, VciText *out)
{
	size_t first = concealer->digest_count;
	VciStatus status = VCI_OK;

	for (VciJsonIter i = vci_json_iter(object); status == VCI_OK && vci_json_next(&i);)
		status = write_member(concealer, &i, selection, written, out);
	if (status == VCI_OK)
		status = push_decoys(concealer, decoys);
	if (status != VCI_OK || concealer->digest_count == first)
		return status;
	if ((*written)++ > 0)
		vci_text_append(out, ",", 1);
	return write_sd(concealer, first, out);
}

static VciStatus
write_object(Concealer *concealer, const VciJson *object, const Selection *selection, VciText *out)
{
	size_t written = 0;
	VciStatus status;

	vci_text_append(out, "{", 1);
	status = write_members(concealer, object, selection, &written, 0, out);
	vci_text_append(out, "}", 1);
	return status;
}

/* Section 4.2.4.2: in place of the element, an object that holds its digest. */
static VciStatus
write_concealed_element(Concealer *concealer, const VciJson *element, const Selection *below,
						VciText *out)
{
	VciStatus status = disclose(concealer, NULL, element, below);

	if (status != VCI_OK)
		return status;
	vci_text_put(out, "{\"...\":\"");
	vci_text_put(out, concealer->digests[--concealer->digest_count]);
	vci_text_put(out, "\"}");
	return VCI_OK;
}

static VciStatus
write_array(Concealer *concealer, const VciJson *array, const Selection *selection, VciText *out)
{
	size_t length = vci_json_array_length(array);
	VciStatus status = VCI_OK;

	vci_text_append(out, "[", 1);
	for (size_t i = 0; i < length && status == VCI_OK; i++)
	{
		const VciJson *element = vci_json_array_at(array, i);
		Selection below;
		bool concealed;

		if (i > 0)
			vci_text_append(out, ",", 1);
		status = select_child(concealer, selection, NULL, i, &below, &concealed);
		if (status == VCI_OK)
			status = concealed ? write_concealed_element(concealer, element, &below, out)
							   : write_node(concealer, element, &below, out);
		concealer->selected_count = below.first;
	}
	vci_text_append(out, "]", 1);
	return status;
}

static VciStatus
write_node(Concealer *concealer, const VciJson *node, const Selection *selection, VciText *out)
{
	VciJsonKind kind = vci_json_kind(node);

	if (kind == VCI_JSON_OBJECT && selection->count > 0)
		return write_object(concealer, node, selection, out);
	if (kind == VCI_JSON_ARRAY && selection->count > 0)
		return write_array(concealer, node, selection, out);
	vci_json_write(node, out);
	return VCI_OK;
}

static bool
is_reserved(const char *name, int depth)
{
	if (name[0] != '_' && name[0] != '.')
		return false;
	return strcmp(name, "_sd") == 0 || strcmp(name, "...") == 0 ||
		   (depth == 1 && strcmp(name, "_sd_alg") == 0);
}

/*
 * Nothing in payload may look like a digest of ours (section 4.1), and one level is
 * kept free, because a concealed scalar in the deepest array becomes an object.
 */
static VciStatus
check_payload(const VciJson *node, int depth, VciError *error)
{
	VciStatus status = VCI_OK;

	if (vci_json_kind(node) != VCI_JSON_OBJECT && vci_json_kind(node) != VCI_JSON_ARRAY)
		return VCI_OK;
	if (depth >= VCI_JSON_MAX_DEPTH)
		return vci_error(error, VCI_ERR_JSON_DEPTH, "claims are nested deeper than %d levels",
						 VCI_JSON_MAX_DEPTH - 1);
	for (VciJsonIter i = vci_json_iter(node); status == VCI_OK && vci_json_next(&i);)
	{
		if (is_reserved(i.name, depth))
			return vci_error(error, VCI_ERR_CLAIM_RESERVED, "the claim name '%s' is reserved",
							 i.name);
		status = check_payload(i.value, depth + 1, error);
	}
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(node); i++)
		status = check_payload(vci_json_array_at(node, i), depth + 1, error);
	return status;
}

static VciStatus
check_input(const VciJson *payload, const VciJson *paths, int decoys, VciError *error)
{
	VciStatus status;

	if (vci_json_kind(payload) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_INTERNAL, "expected an object as payload");
	if (decoys < 0 || decoys > VCI_SD_JWT_MAX_DECOYS)
		return vci_error(error, VCI_ERR_CONFIGURATION, "expected 0 to %d decoys, got %d",
						 VCI_SD_JWT_MAX_DECOYS, decoys);
	status = check_payload(payload, 1, error);
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(paths); i++)
		status = vci_claims_path_check(vci_json_array_at(paths, i), error);
	return status;
}

/* All pointers together, before any part of them was followed. */
static VciStatus
select_all(Concealer *concealer, const VciJson *paths, Selection *selection)
{
	VciStatus status = VCI_OK;

	*selection = (Selection){.count = vci_json_array_length(paths)};
	for (size_t i = 0; i < selection->count && status == VCI_OK; i++)
	{
		const VciJson *path = vci_json_array_at(paths, i);

		status = push_selected(concealer, path, vci_json_array_length(path), 0);
	}
	return status;
}

static VciStatus
write_payload(Concealer *concealer, const char *head, const VciJson *payload, const VciJson *paths,
			  int decoys)
{
	VciText *out = &concealer->payload;
	size_t written = head != NULL && head[0] != '\0' ? 1 : 0;
	Selection selection;
	VciStatus status = select_all(concealer, paths, &selection);

	vci_text_append(&concealer->disclosures, "~", 1);
	vci_text_append(out, "{", 1);
	vci_text_put(out, head == NULL ? "" : head);
	if (status == VCI_OK)
		status = write_members(concealer, payload, &selection, &written, decoys, out);
	if (decoys > 0 || concealer->count > 0)
		vci_text_put(out, written > 0 ? ",\"_sd_alg\":\"sha-256\"" : "\"_sd_alg\":\"sha-256\"");
	vci_text_append(out, "}", 1);
	if (status == VCI_OK && (out->out_of_memory || concealer->disclosures.out_of_memory))
		status = out_of_memory(concealer);
	return status;
}

static void
free_concealer(Concealer *concealer)
{
	vci_text_free(&concealer->plain);
	vci_text_free(&concealer->payload);
	vci_text_free(&concealer->disclosures);
	free(concealer->digests);
	free(concealer->selected);
	EVP_MD_CTX_free(concealer->own_digester);
	EVP_MD_free(concealer->own_hash);
	vci_random_pool_free(concealer->own_pool);
}

/* From the key that will sign, when it has them. */
static VciStatus
prepare_pool(Concealer *concealer, const VciKey *key)
{
	concealer->pool = key == NULL ? NULL : key->pool;
	if (concealer->pool == NULL)
		concealer->pool = concealer->own_pool = vci_random_pool_new();
	if (concealer->pool == NULL)
		return out_of_memory(concealer);
	vci_random_pool_start(concealer->pool);
	return VCI_OK;
}

/* The same, when it signs digests of the same kind. */
static VciStatus
prepare_digests(Concealer *concealer, const VciKey *key)
{
	VciStatus status;

	if (key != NULL && key->digester != NULL && key->type == VCI_KEY_P256)
	{
		concealer->hash = key->md;
		concealer->digester = key->digester;
		return VCI_OK;
	}
	status = vci_sd_jwt_hash("sha-256", &concealer->own_hash, concealer->error);
	if (status != VCI_OK)
		return status;
	concealer->own_digester = EVP_MD_CTX_new();
	if (concealer->own_digester == NULL)
		return vci_openssl_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
	concealer->hash = concealer->own_hash;
	concealer->digester = concealer->own_digester;
	return VCI_OK;
}

VciStatus
vci_sd_jwt_conceal(const char *head, const VciJson *payload, const VciJson *paths, int decoys,
				   const VciKey *key, VciConcealed *concealed, VciError *error)
{
	Concealer concealer = {.error = error};
	VciStatus status = check_input(payload, paths, decoys, error);

	memset(concealed, 0, sizeof(*concealed));
	if (status == VCI_OK)
		status = prepare_pool(&concealer, key);
	if (status == VCI_OK)
		status = prepare_digests(&concealer, key);
	if (status == VCI_OK)
		status = write_payload(&concealer, head, payload, paths, decoys);
	if (status == VCI_OK)
	{
		*concealed = (VciConcealed){.payload = concealer.payload.data,
									.payload_len = concealer.payload.len,
									.disclosures = concealer.disclosures.data,
									.disclosures_len = concealer.disclosures.len,
									.count = concealer.count};
		concealer.payload.data = NULL;
		concealer.disclosures.data = NULL;
	}
	free_concealer(&concealer);
	return status;
}

void
vci_concealed_free(VciConcealed *concealed)
{
	free(concealed->payload);
	free(concealed->disclosures);
	memset(concealed, 0, sizeof(*concealed));
}
