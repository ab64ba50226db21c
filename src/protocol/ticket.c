#include "ticket.h"

#include <string.h>

#include "../jose/base64url.h"

#define MAC_BYTES	 17
#define TICKET_BODY	 13 /* kind, id, generation */
#define TICKET_BYTES (TICKET_BODY + MAC_BYTES)
#define OFFER_BODY	 (TICKET_BODY + 8) /* and the offer's id */
#define OFFER_BYTES	 (OFFER_BODY + MAC_BYTES)
#define NONCE_BODY	 (8 + 8 + 8 + VCI_NONCE_RANDOM_BYTES)
#define NONCE_BYTES	 (NONCE_BODY + MAC_BYTES)

static void
put_uint64(unsigned char *out, uint64_t value)
{
	for (int i = 7; i >= 0; i--)
	{
		out[i] = (unsigned char) (value & 0xff);
		value >>= 8;
	}
}

static uint64_t
get_uint64(const unsigned char *in)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = (value << 8) | in[i];
	return value;
}

static void
put_uint32(unsigned char *out, uint32_t value)
{
	for (int i = 3; i >= 0; i--)
	{
		out[i] = (unsigned char) (value & 0xff);
		value >>= 8;
	}
}

static uint32_t
get_uint32(const unsigned char *in)
{
	return ((uint32_t) in[0] << 24) | ((uint32_t) in[1] << 16) | ((uint32_t) in[2] << 8) | in[3];
}

/* The first MAC_BYTES of HMAC-SHA-256 over body, under a key of one purpose alone. */
static VciStatus
body_mac(VciMac *key, const unsigned char *body, size_t len, unsigned char mac[MAC_BYTES],
		 VciError *error)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	VciStatus status = vci_mac_make(key, body, len, digest, error);

	if (status == VCI_OK)
		memcpy(mac, digest, MAC_BYTES);
	vci_wipe(digest, sizeof(digest));
	return status;
}

/* Is this the text of len bytes with a right MAC behind its body? VCI_ERR_TOKEN when it is not. */
static VciStatus
open_text(VciMac *key, const char *text, size_t text_len, unsigned char *bytes, size_t len,
		  VciError *error)
{
	unsigned char mac[MAC_BYTES];
	size_t decoded;
	VciStatus status;

	/* the caller words the refusal, so the decoder's own text is not wanted */
	if (text == NULL || text_len != vci_base64url_encoded_size(len) ||
		vci_base64url_decode(text, text_len, bytes, &decoded, NULL) != VCI_OK || decoded != len)
		return VCI_ERR_TOKEN;
	status = body_mac(key, bytes, len - MAC_BYTES, mac, error);
	if (status != VCI_OK)
		return status;
	return vci_bytes_equal(mac, bytes + len - MAC_BYTES, MAC_BYTES) ? VCI_OK : VCI_ERR_TOKEN;
}

static const char *
ticket_purpose(VciTicketKind kind)
{
	switch (kind)
	{
		case VCI_TICKET_CODE:
			return "openid4vci pre-authorized code";
		case VCI_TICKET_OFFER:
			return "openid4vci offer reference";
		case VCI_TICKET_TOKEN:
			return "openid4vci access token";
		case VCI_TICKET_ISSUER_STATE:
			return "openid4vci issuer state";
		case VCI_TICKET_REQUEST:
			return "openid4vci request uri";
		case VCI_TICKET_LOGIN:
			return "openid4vci login";
		case VCI_TICKET_AUTHORIZATION_CODE:
			return "openid4vci authorization code";
		case VCI_TICKET_REFRESH:
			return "openid4vci refresh token";
		case VCI_TICKET_DEFERRED:
			return "openid4vci transaction id";
		case VCI_TICKET_NOTIFICATION:
			return "openid4vci notification id";
		case VCI_TICKET_LANDING:
			return "openid4vci landing page";
	}
	return NULL;
}

static const char *
nonce_purpose(VciNonceKind kind)
{
	return kind == VCI_NONCE_DPOP ? "openid4vci DPoP nonce" : "openid4vci c_nonce";
}

static VciStatus
derive_mac(const VciSecret *secret, const char *purpose, VciMac **mac, VciError *error)
{
	VciSecret key;
	VciStatus status = vci_derive(secret, purpose, &key, error);

	*mac = status == VCI_OK ? vci_mac_new(&key) : NULL;
	vci_wipe(&key, sizeof(key));
	if (status == VCI_OK && *mac == NULL)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return status;
}

VciStatus
vci_ticket_keys_derive(const VciSecret *ticket_secret, const VciSecret *nonce_secret,
					   VciTicketKeys *keys, VciError *error)
{
	VciStatus status = VCI_OK;

	memset(keys, 0, sizeof(*keys));
	for (int kind = 1; kind <= VCI_TICKET_KINDS && status == VCI_OK; kind++)
		status = derive_mac(ticket_secret, ticket_purpose((VciTicketKind) kind),
							&keys->tickets[kind - 1], error);
	for (int kind = 0; kind < VCI_NONCE_KINDS && status == VCI_OK; kind++)
		status = derive_mac(nonce_secret, nonce_purpose((VciNonceKind) kind), &keys->nonces[kind],
							error);
	if (status != VCI_OK)
		vci_ticket_keys_clear(keys);
	return status;
}

void
vci_ticket_keys_clear(VciTicketKeys *keys)
{
	for (int i = 0; i < VCI_TICKET_KINDS; i++)
		vci_mac_free(keys->tickets[i]);
	for (int i = 0; i < VCI_NONCE_KINDS; i++)
		vci_mac_free(keys->nonces[i]);
	memset(keys, 0, sizeof(*keys));
}

/* NULL when there is no such kind. */
static VciMac *
ticket_key(const VciTicketKeys *keys, VciTicketKind kind)
{
	return ticket_purpose(kind) == NULL ? NULL : keys->tickets[kind - 1];
}

/* Encodes body_len bytes of body and the MAC behind them. */
static VciStatus
make_text(const VciTicketKeys *keys, VciTicketKind kind, unsigned char *body, size_t body_len,
		  char *text, VciError *error)
{
	VciMac *key = ticket_key(keys, kind);
	VciStatus status;

	text[0] = '\0';
	if (key == NULL)
		return vci_error(error, VCI_ERR_INTERNAL, "there is no ticket of kind %d", (int) kind);
	status = body_mac(key, body, body_len, body + body_len, error);
	if (status == VCI_OK)
		vci_base64url_encode(body, body_len + MAC_BYTES, text);
	return status;
}

static void
put_row(unsigned char *bytes, VciTicketKind kind, int64_t id, int32_t generation)
{
	bytes[0] = (unsigned char) kind;
	put_uint64(bytes + 1, (uint64_t) id);
	put_uint32(bytes + 9, (uint32_t) generation);
}

VciStatus
vci_ticket_make(const VciTicketKeys *keys, VciTicketKind kind, int64_t id, int32_t generation,
				char text[VCI_TICKET_SIZE], VciError *error)
{
	unsigned char bytes[TICKET_BYTES];

	put_row(bytes, kind, id, generation);
	return make_text(keys, kind, bytes, TICKET_BODY, text, error);
}

VciStatus
vci_offer_ticket_make(const VciTicketKeys *keys, VciTicketKind kind, int64_t id, int64_t offer_id,
					  int32_t generation, char text[VCI_OFFER_TICKET_SIZE], VciError *error)
{
	unsigned char bytes[OFFER_BYTES];

	put_row(bytes, kind, id, generation);
	put_uint64(bytes + TICKET_BODY, (uint64_t) offer_id);
	return make_text(keys, kind, bytes, OFFER_BODY, text, error);
}

static VciStatus
refuse_ticket(VciTicketKind kind, VciError *error)
{
	switch (kind)
	{
		case VCI_TICKET_CODE:
			return vci_error(error, VCI_ERR_GRANT,
							 "this pre-authorized code is not one of this issuer");
		case VCI_TICKET_OFFER:
			return vci_error(error, VCI_ERR_GRANT,
							 "this offer reference is not one of this issuer");
		case VCI_TICKET_TOKEN:
			return vci_error(error, VCI_ERR_TOKEN, "this access token is not one of this issuer");
		case VCI_TICKET_ISSUER_STATE:
			return vci_error(error, VCI_ERR_ISSUER_STATE,
							 "this issuer_state is not one of this issuer");
		case VCI_TICKET_REQUEST:
			return vci_error(error, VCI_ERR_REQUEST_URI,
							 "this request_uri is not one of this issuer");
		case VCI_TICKET_LOGIN:
			return vci_error(error, VCI_ERR_REQUEST_URI,
							 "this authorization request is not one of this issuer");
		case VCI_TICKET_AUTHORIZATION_CODE:
			return vci_error(error, VCI_ERR_GRANT,
							 "this authorization code is not one of this issuer");
		case VCI_TICKET_REFRESH:
			return vci_error(error, VCI_ERR_GRANT, "this refresh token is not one of this issuer");
		case VCI_TICKET_DEFERRED:
			return vci_error(error, VCI_ERR_TRANSACTION,
							 "this transaction_id is not one of this issuer");
		case VCI_TICKET_NOTIFICATION:
			return vci_error(error, VCI_ERR_NOTIFICATION_ID,
							 "this notification_id is not one of this issuer");
		case VCI_TICKET_LANDING:
			return vci_error(error, VCI_ERR_GRANT, "this link is not one of this issuer");
	}
	return vci_error(error, VCI_ERR_INTERNAL, "there is no ticket of kind %d", (int) kind);
}

/* Opens a ticket of size bytes into bytes, which has room for two more. */
static VciStatus
open_row(const VciTicketKeys *keys, VciTicketKind kind, const char *text, size_t len,
		 unsigned char *bytes, size_t size, int64_t *id, int32_t *generation, VciError *error)
{
	VciMac *key = ticket_key(keys, kind);
	VciStatus status;

	*id = 0;
	*generation = 0;
	if (key == NULL)
		return vci_error(error, VCI_ERR_INTERNAL, "there is no ticket of kind %d", (int) kind);
	status = open_text(key, text, len, bytes, size, error);
	if (status == VCI_ERR_TOKEN || (status == VCI_OK && bytes[0] != (unsigned char) kind))
		return refuse_ticket(kind, error);
	if (status != VCI_OK)
		return status;
	*id = (int64_t) get_uint64(bytes + 1);
	*generation = (int32_t) get_uint32(bytes + 9);
	return VCI_OK;
}

VciStatus
vci_ticket_open(const VciTicketKeys *keys, VciTicketKind kind, const char *text, size_t len,
				int64_t *id, int32_t *generation, VciError *error)
{
	unsigned char bytes[TICKET_BYTES + 2];

	return open_row(keys, kind, text, len, bytes, TICKET_BYTES, id, generation, error);
}

VciStatus
vci_offer_ticket_open(const VciTicketKeys *keys, VciTicketKind kind, const char *text, size_t len,
					  int64_t *id, int64_t *offer_id, int32_t *generation, VciError *error)
{
	unsigned char bytes[OFFER_BYTES + 2];
	VciStatus status;

	*offer_id = 0;
	/* a MAC over the one body is none over the longer one, so neither passes for the other */
	if (len == vci_base64url_encoded_size(TICKET_BYTES))
		return vci_ticket_open(keys, kind, text, len, id, generation, error);
	status = open_row(keys, kind, text, len, bytes, OFFER_BYTES, id, generation, error);
	if (status == VCI_OK)
		*offer_id = (int64_t) get_uint64(bytes + TICKET_BODY);
	return status;
}

static VciStatus
refuse_nonce(VciNonceKind kind, const char *fault, VciError *error)
{
	if (kind == VCI_NONCE_DPOP)
		return vci_error(error, VCI_ERR_DPOP_NONCE,
						 "the nonce of the DPoP proof %s; use the one in the header DPoP-Nonce",
						 fault);
	return vci_error(error, VCI_ERR_NONCE,
					 "the nonce of the proof %s; get a fresh one from the nonce endpoint", fault);
}

VciStatus
vci_nonce_make(const VciTicketKeys *keys, VciNonceKind kind, int64_t issuer_id, int64_t epoch,
			   int64_t now, char text[VCI_NONCE_SIZE], VciError *error)
{
	unsigned char bytes[NONCE_BYTES];
	VciStatus status;

	text[0] = '\0';
	put_uint64(bytes, (uint64_t) issuer_id);
	put_uint64(bytes + 8, (uint64_t) epoch);
	put_uint64(bytes + 16, (uint64_t) now);
	status = vci_random(bytes + 24, VCI_NONCE_RANDOM_BYTES, error);
	if (status == VCI_OK)
		status = body_mac(keys->nonces[kind], bytes, NONCE_BODY, bytes + NONCE_BODY, error);
	if (status == VCI_OK)
		vci_base64url_encode(bytes, sizeof(bytes), text);
	return status;
}

VciStatus
vci_nonce_open(const VciTicketKeys *keys, VciNonceKind kind, int64_t issuer_id, int64_t epoch,
			   int64_t now, int64_t lifetime, const char *text, size_t len,
			   unsigned char random[VCI_NONCE_RANDOM_BYTES], int64_t *issued_at, VciError *error)
{
	unsigned char bytes[NONCE_BYTES + 2];
	VciStatus status;

	status = open_text(keys->nonces[kind], text, len, bytes, NONCE_BYTES, error);
	if (status == VCI_ERR_TOKEN)
		return refuse_nonce(kind, "is not one of this issuer", error);
	if (status != VCI_OK)
		return status;
	if ((int64_t) get_uint64(bytes) != issuer_id || (int64_t) get_uint64(bytes + 8) != epoch)
		return refuse_nonce(kind, "was issued elsewhere", error);
	*issued_at = (int64_t) get_uint64(bytes + 16);
	/*
	 * No leeway for the future: the spent table forgets a nonce by its time, and a nonce
	 * that lived longer than its lifetime could be replayed.
	 */
	if (*issued_at > now || now - *issued_at > lifetime)
		return refuse_nonce(kind, "has expired", error);
	memcpy(random, bytes + 24, VCI_NONCE_RANDOM_BYTES);
	return VCI_OK;
}
