/* Codes, tokens and nonces: what was not made here is refused, down to the bit. */
#include "protocol/ticket.h"

#include "jose/base64url.h"
#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;
static VciTicketKeys keys;
static VciTicketKeys other_keys;

static const struct
{
	VciTicketKind kind;
	VciStatus refusal;
} kinds[] = {
	{VCI_TICKET_CODE, VCI_ERR_GRANT},
	{VCI_TICKET_OFFER, VCI_ERR_GRANT},
	{VCI_TICKET_TOKEN, VCI_ERR_TOKEN},
	{VCI_TICKET_ISSUER_STATE, VCI_ERR_ISSUER_STATE},
	{VCI_TICKET_REQUEST, VCI_ERR_REQUEST_URI},
	{VCI_TICKET_LOGIN, VCI_ERR_REQUEST_URI},
	{VCI_TICKET_AUTHORIZATION_CODE, VCI_ERR_GRANT},
	{VCI_TICKET_REFRESH, VCI_ERR_GRANT},
	{VCI_TICKET_DEFERRED, VCI_ERR_TRANSACTION},
	{VCI_TICKET_NOTIFICATION, VCI_ERR_NOTIFICATION_ID},
	{VCI_TICKET_LANDING, VCI_ERR_GRANT},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static void
test_round_trip(void)
{
	static const int64_t ids[] = {1, 42, INT64_C(9007199254740991), INT64_MAX};
	static const int32_t generations[] = {0, 1, INT32_MAX};

	for (size_t k = 0; k < KIND_COUNT; k++)
	{
		for (size_t i = 0; i < 12; i++)
		{
			char text[VCI_TICKET_SIZE];
			int64_t id;
			int32_t generation;

			is_status(
				vci_ticket_make(&keys, kinds[k].kind, ids[i / 3], generations[i % 3], text, &error),
				VCI_OK, &error, "a ticket is made");
			is_number((int64_t) strlen(text), 40, "it has 40 characters");
			is_status(vci_ticket_open(&keys, kinds[k].kind, text, 40, &id, &generation, &error),
					  VCI_OK, &error, "it opens");
			ok(id == ids[i / 3] && generation == generations[i % 3], "id and generation come back");
		}
	}
}

/* Opens text and tells whether it was refused as its kind is, and gave nothing away. */
static bool
refused(const VciTicketKeys *with, size_t k, const char *text, size_t len)
{
	int64_t id = 1;
	int32_t generation = 1;
	VciStatus status = vci_ticket_open(with, kinds[k].kind, text, len, &id, &generation, &error);
	bool right = status == kinds[k].refusal && error.code == status && error.text[0] != '\0' &&
				 id == 0 && generation == 0;

	memset(&error, 0, sizeof(error));
	return right;
}

static void
test_forged_tickets(void)
{
	for (size_t k = 0; k < KIND_COUNT; k++)
	{
		unsigned char bytes[32];
		char text[VCI_TICKET_SIZE];
		char forged[VCI_TICKET_SIZE];
		size_t len;
		int survivors = 0;

		(void) vci_ticket_make(&keys, kinds[k].kind, 42, 3, text, &error);
		(void) vci_base64url_decode(text, 40, bytes, &len, &error);
		for (size_t bit = 0; bit < 8 * len; bit++)
		{
			bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
			vci_base64url_encode(bytes, len, forged);
			survivors += refused(&keys, k, forged, 40) ? 0 : 1;
			bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
		}
		is_number(survivors, 0, "no ticket with one flipped bit is taken");
		ok(refused(&other_keys, k, text, 40), "a ticket under another key is refused");
		for (size_t other = 0; other < KIND_COUNT; other++)
		{
			if (other != k)
				ok(refused(&keys, other, text, 40), "a ticket is refused as one of another kind");
		}
	}
}

static VciStatus
open_offer_ticket(const char *text, size_t len, int64_t *id, int64_t *offer_id)
{
	int32_t generation;

	return vci_offer_ticket_open(&keys, VCI_TICKET_TOKEN, text, len, id, offer_id, &generation,
								 &error);
}

/* The offer's id is under the MAC as the row's own is: a token leads to no other offer. */
static void
test_offer_tickets(void)
{
	unsigned char bytes[40];
	char text[VCI_OFFER_TICKET_SIZE];
	char other[VCI_OFFER_TICKET_SIZE];
	size_t len;
	int64_t id;
	int64_t offer_id;
	int32_t generation;
	int survivors = 0;

	is_status(vci_offer_ticket_make(&keys, VCI_TICKET_TOKEN, 42, INT64_MAX, 3, text, &error),
			  VCI_OK, &error, "a ticket with its offer's id is made");
	is_number((int64_t) strlen(text), 51, "it has 51 characters");
	is_status(vci_offer_ticket_open(&keys, VCI_TICKET_TOKEN, text, 51, &id, &offer_id, &generation,
									&error),
			  VCI_OK, &error, "it opens");
	ok(id == 42 && offer_id == INT64_MAX && generation == 3, "with all that it holds");
	(void) vci_base64url_decode(text, 51, bytes, &len, &error);
	for (size_t bit = 0; bit < 8 * len; bit++)
	{
		bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
		vci_base64url_encode(bytes, len, other);
		survivors += open_offer_ticket(other, 51, &id, &offer_id) == VCI_ERR_TOKEN ? 0 : 1;
		survivors += id == 0 && offer_id == 0 ? 0 : 1;
		bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
		memset(&error, 0, sizeof(error));
	}
	is_number(survivors, 0, "none with one flipped bit is taken, or tells an id");
	ok(refused(&keys, 2, text, 51), "it is none of those without offer");
	ok(refused(&keys, 2, text, 40), "nor when it is cut to their length");
	is_status(open_offer_ticket(text, 40, &id, &offer_id), VCI_ERR_TOKEN, &error,
			  "also where both are taken");
	is_status(vci_offer_ticket_open(&keys, VCI_TICKET_REFRESH, text, 51, &id, &offer_id,
									&generation, &error),
			  VCI_ERR_GRANT, &error, "nor one of another kind");
	(void) vci_ticket_make(&keys, VCI_TICKET_TOKEN, 42, 3, other, &error);
	is_status(open_offer_ticket(other, 40, &id, &offer_id), VCI_OK, &error,
			  "one that was made before is taken");
	ok(id == 42 && offer_id == 0, "and names no offer");
}

static void
test_malformed_tickets(void)
{
	char text[VCI_TICKET_SIZE];
	char longer[VCI_TICKET_SIZE + 4];

	(void) vci_ticket_make(&keys, VCI_TICKET_CODE, 42, 3, text, &error);
	snprintf(longer, sizeof(longer), "%s==", text);
	ok(refused(&keys, 0, NULL, 0), "no text is refused");
	ok(refused(&keys, 0, "", 0), "an empty text is refused");
	ok(refused(&keys, 0, text, 39), "a short one is refused");
	ok(refused(&keys, 0, longer, 41), "a padded one is refused");
	text[20] = '+';
	ok(refused(&keys, 0, text, 40), "a character of plain base64 is refused");
	text[20] = '\0';
	ok(refused(&keys, 0, text, 40), "a NUL within is refused");
	is_status(vci_ticket_make(&keys, (VciTicketKind) (VCI_TICKET_KINDS + 1), 42, 3, text, &error),
			  VCI_ERR_INTERNAL, &error, "there is no other kind to make");
}

static void
test_ticket_is_stable(void)
{
	char first[VCI_TICKET_SIZE];
	char second[VCI_TICKET_SIZE];

	(void) vci_ticket_make(&keys, VCI_TICKET_CODE, 42, 3, first, &error);
	(void) vci_ticket_make(&keys, VCI_TICKET_CODE, 42, 3, second, &error);
	is_text(second, first, "a link can be rebuilt at any time");
	(void) vci_ticket_make(&keys, VCI_TICKET_CODE, 42, 4, second, &error);
	ok(strcmp(first, second) != 0, "another generation is another code");
}

#define ISSUER 7
#define EPOCH  3

static VciStatus
open_nonce_as(VciNonceKind kind, const char *text, int64_t issuer, int64_t epoch, int64_t now)
{
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
	int64_t issued_at;

	return vci_nonce_open(&keys, kind, issuer, epoch, now, 300, text, strlen(text), random,
						  &issued_at, &error);
}

static VciStatus
open_nonce(const char *text, int64_t issuer, int64_t epoch, int64_t now)
{
	return open_nonce_as(VCI_NONCE_CREDENTIAL, text, issuer, epoch, now);
}

static void
test_nonce(void)
{
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
	unsigned char again[VCI_NONCE_RANDOM_BYTES];
	char text[VCI_NONCE_SIZE];
	char second[VCI_NONCE_SIZE];
	int64_t issued_at = 0;

	is_status(vci_nonce_make(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, text, &error), VCI_OK,
			  &error, "a nonce is made");
	is_number((int64_t) strlen(text), 76, "it has 76 characters");
	is_status(vci_nonce_open(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, 300, text, 76, random,
							 &issued_at, &error),
			  VCI_OK, &error, "it opens at once");
	is_number(issued_at, NOW, "and tells when it was issued");
	is_status(vci_nonce_open(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW + 300, 300, text, 76,
							 again, &issued_at, &error),
			  VCI_OK, &error, "and in its last second");
	is_bytes(again, sizeof(again), random, sizeof(random), "what the spent table keeps is stable");
	is_status(open_nonce(text, ISSUER, EPOCH, NOW + 301), VCI_ERR_NONCE, &error,
			  "a second later it is too old");
	is_status(open_nonce(text, ISSUER, EPOCH, NOW - 1), VCI_ERR_NONCE, &error,
			  "one from the future is refused");
	is_status(open_nonce(text, ISSUER + 1, EPOCH, NOW), VCI_ERR_NONCE, &error,
			  "another issuer refuses it");
	is_status(open_nonce(text, ISSUER, EPOCH + 1, NOW), VCI_ERR_NONCE, &error,
			  "a restored copy refuses it");
	is_status(vci_nonce_open(&other_keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, 300, text, 76,
							 again, &issued_at, &error),
			  VCI_ERR_NONCE, &error, "another key refuses it");

	(void) vci_nonce_make(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, second, &error);
	(void) vci_nonce_open(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, 300, second, 76, again,
						  &issued_at, &error);
	ok(memcmp(random, again, sizeof(random)) != 0, "two nonces of one second differ");
}

/* A nonce of the open nonce endpoint must not serve where a DPoP nonce is asked for. */
static void
test_nonce_kinds(void)
{
	char text[VCI_NONCE_SIZE];

	(void) vci_nonce_make(&keys, VCI_NONCE_DPOP, ISSUER, EPOCH, NOW, text, &error);
	is_status(open_nonce_as(VCI_NONCE_DPOP, text, ISSUER, EPOCH, NOW), VCI_OK, &error,
			  "a DPoP nonce opens as one");
	is_status(open_nonce_as(VCI_NONCE_CREDENTIAL, text, ISSUER, EPOCH, NOW), VCI_ERR_NONCE, &error,
			  "and not as c_nonce");
	is_status(open_nonce_as(VCI_NONCE_DPOP, text, ISSUER, EPOCH, NOW + 301), VCI_ERR_DPOP_NONCE,
			  &error, "too old, a fresh one is asked for");
	is_status(open_nonce_as(VCI_NONCE_DPOP, text, ISSUER + 1, EPOCH, NOW), VCI_ERR_DPOP_NONCE,
			  &error, "another issuer asks for its own");
	is_status(open_nonce_as(VCI_NONCE_DPOP, "made-up", ISSUER, EPOCH, NOW), VCI_ERR_DPOP_NONCE,
			  &error, "a made-up one is refused");
	(void) vci_nonce_make(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, text, &error);
	is_status(open_nonce_as(VCI_NONCE_DPOP, text, ISSUER, EPOCH, NOW), VCI_ERR_DPOP_NONCE, &error,
			  "a c_nonce is no DPoP nonce");
}

static void
test_forged_nonces(void)
{
	unsigned char bytes[64];
	char text[VCI_NONCE_SIZE];
	char forged[VCI_NONCE_SIZE];
	size_t len;
	int survivors = 0;

	(void) vci_nonce_make(&keys, VCI_NONCE_CREDENTIAL, ISSUER, EPOCH, NOW, text, &error);
	(void) vci_base64url_decode(text, 76, bytes, &len, &error);
	for (size_t bit = 0; bit < 8 * len; bit++)
	{
		bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
		vci_base64url_encode(bytes, len, forged);
		survivors += open_nonce(forged, ISSUER, EPOCH, NOW) == VCI_ERR_NONCE ? 0 : 1;
		bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
		memset(&error, 0, sizeof(error));
	}
	is_number(survivors, 0, "no nonce with one flipped bit is taken");
	is_status(open_nonce("", ISSUER, EPOCH, NOW), VCI_ERR_NONCE, &error, "an empty one is refused");
	is_status(open_nonce("random-challenge", ISSUER, EPOCH, NOW), VCI_ERR_NONCE, &error,
			  "a made-up one is refused");
	text[75] = '\0';
	is_status(open_nonce(text, ISSUER, EPOCH, NOW), VCI_ERR_NONCE, &error,
			  "one that was cut is refused");
}

/* Is the text's MAC one under the key that is derived from secret for this purpose? */
static void
is_made_under(const char *text, const VciSecret *secret, const char *purpose, const char *what)
{
	unsigned char bytes[100];
	unsigned char mac[VCI_DIGEST_BYTES];
	VciSecret key;
	size_t len = 0;

	(void) vci_derive(secret, purpose, &key, &error);
	(void) vci_base64url_decode(text, strlen(text), bytes, &len, &error);
	(void) vci_hmac(&key, bytes, len - 17, mac, &error);
	ok(len > 17 && memcmp(mac, bytes + len - 17, 17) == 0, "%s", what);
}

/* Tickets that were given out must open after an update: the keys may never change. */
static void
test_keys(void)
{
	static const VciSecret ticket_secret = {{1, 2, 3, 4}};
	static const VciSecret nonce_secret = {{9, 2, 3, 4}};
	static const VciSecret other_secret = {{1, 2, 3, 5}};
	char text[VCI_NONCE_SIZE];

	is_status(vci_ticket_keys_derive(&ticket_secret, &nonce_secret, &keys, &error), VCI_OK, &error,
			  "the keys of all kinds are derived");
	is_status(vci_ticket_keys_derive(&other_secret, &other_secret, &other_keys, &error), VCI_OK,
			  &error, "and those of other secrets");
	(void) vci_ticket_make(&keys, VCI_TICKET_CODE, 1, 0, text, &error);
	is_made_under(text, &ticket_secret, "openid4vci pre-authorized code",
				  "a code's key is derived for codes");
	(void) vci_nonce_make(&keys, VCI_NONCE_DPOP, 1, 1, 1, text, &error);
	is_made_under(text, &nonce_secret, "openid4vci DPoP nonce",
				  "a DPoP nonce's from the secret of nonces");
}

int
main(void)
{
	test_keys();
	test_round_trip();
	test_forged_tickets();
	test_offer_tickets();
	test_malformed_tickets();
	test_ticket_is_stable();
	test_nonce();
	test_nonce_kinds();
	test_forged_nonces();
	vci_ticket_keys_clear(&keys);
	vci_ticket_keys_clear(&other_keys);
	return done_testing();
}
