/*
 * Codes, tokens and nonces: row ids under a MAC, so that a forgery is refused before
 * any table is read. The text is base64url of fixed-width big-endian fields.
 */
#ifndef VCI_TICKET_H
#define VCI_TICKET_H

#include <stdint.h>

#include "../jose/mac.h"
#include "../jose/seal.h"

typedef enum VciTicketKind
{
	VCI_TICKET_CODE = 1,		 /* pre-authorized code */
	VCI_TICKET_OFFER = 2,		 /* offer by reference */
	VCI_TICKET_TOKEN = 3,		 /* access token */
	VCI_TICKET_ISSUER_STATE = 4, /* issuer_state of an offer */
	VCI_TICKET_REQUEST = 5,		 /* request_uri of a pushed authorization request */
	VCI_TICKET_LOGIN = 6,		 /* request id that the login-and-consent page gets */
	VCI_TICKET_AUTHORIZATION_CODE = 7,
	VCI_TICKET_REFRESH = 8,
	VCI_TICKET_DEFERRED = 9,	  /* transaction_id */
	VCI_TICKET_NOTIFICATION = 10, /* notification_id: id of the token's first credential record */
	VCI_TICKET_LANDING = 11		  /* short link to an offer's landing page */
} VciTicketKind;

#define VCI_TICKET_KINDS 11

/* What a nonce is for: one kind never passes for the other. */
typedef enum VciNonceKind
{
	VCI_NONCE_CREDENTIAL, /* c_nonce of key proofs */
	VCI_NONCE_DPOP		  /* nonce of DPoP proofs (RFC 9449 section 8) */
} VciNonceKind;

#define VCI_NONCE_KINDS 2

/* A key for each kind, so that no text passes for one of another kind. */
typedef struct VciTicketKeys
{
	VciMac *tickets[VCI_TICKET_KINDS]; /* by kind, from 1 */
	VciMac *nonces[VCI_NONCE_KINDS];
} VciTicketKeys;

/* Derives (RFC 5869) all keys from the issuer's two secrets; *keys is cleared on failure. */
extern VciStatus vci_ticket_keys_derive(const VciSecret *ticket_secret,
										const VciSecret *nonce_secret, VciTicketKeys *keys,
										VciError *error);

/* Wipes and frees what *keys, derived or zero, holds; it is zero then. */
extern void vci_ticket_keys_clear(VciTicketKeys *keys);

/* kind (1 byte), row id (8), generation (4), MAC (17): 30 bytes, 40 characters. */
#define VCI_TICKET_SIZE 41

/*
 * The MAC covers kind, id and generation under the kind's key. *text is filled with
 * VCI_TICKET_SIZE - 1 characters and a NUL.
 */
extern VciStatus vci_ticket_make(const VciTicketKeys *keys, VciTicketKind kind, int64_t id,
								 int32_t generation, char text[VCI_TICKET_SIZE], VciError *error);

/*
 * Opens a ticket. Anything but a ticket of this kind under these keys fails with
 * VCI_ERR_GRANT (code, offer, landing, authorization code, refresh token), VCI_ERR_TOKEN (token),
 * VCI_ERR_ISSUER_STATE, VCI_ERR_REQUEST_URI (request, login), VCI_ERR_TRANSACTION or
 * VCI_ERR_NOTIFICATION_ID.
 */
extern VciStatus vci_ticket_open(const VciTicketKeys *keys, VciTicketKind kind, const char *text,
								 size_t len, int64_t *id, int32_t *generation, VciError *error);

/* kind (1), row id (8), generation (4), offer's id (8), MAC (17): 38 bytes, 51 characters. */
#define VCI_OFFER_TICKET_SIZE 52

/*
 * The same for a row that belongs to an offer, whose id it carries too: where offers are
 * spread over machines, it tells which one has the row.
 */
extern VciStatus vci_offer_ticket_make(const VciTicketKeys *keys, VciTicketKind kind, int64_t id,
									   int64_t offer_id, int32_t generation,
									   char text[VCI_OFFER_TICKET_SIZE], VciError *error);

/* As vci_ticket_open; *offer_id is 0 of a ticket without it, as version 0.1.0 made them. */
extern VciStatus vci_offer_ticket_open(const VciTicketKeys *keys, VciTicketKind kind,
									   const char *text, size_t len, int64_t *id, int64_t *offer_id,
									   int32_t *generation, VciError *error);

#define VCI_NONCE_RANDOM_BYTES 16
/* issuer id (8), epoch (8), issued at (8), random (16), MAC (17): 57 bytes, 76 characters. */
#define VCI_NONCE_SIZE 77

/* A nonce for this issuer and epoch, issued at now (seconds since 1970). */
extern VciStatus vci_nonce_make(const VciTicketKeys *keys, VciNonceKind kind, int64_t issuer_id,
								int64_t epoch, int64_t now, char text[VCI_NONCE_SIZE],
								VciError *error);

/*
 * VCI_ERR_NONCE (VCI_ERR_DPOP_NONCE) unless it is ours, of this kind, issuer and epoch, and at most
 * lifetime seconds old. random and issued_at (seconds since 1970) are what the spent table
 * remembers.
 */
extern VciStatus vci_nonce_open(const VciTicketKeys *keys, VciNonceKind kind, int64_t issuer_id,
								int64_t epoch, int64_t now, int64_t lifetime, const char *text,
								size_t len, unsigned char random[VCI_NONCE_RANDOM_BYTES],
								int64_t *issued_at, VciError *error);

#endif
