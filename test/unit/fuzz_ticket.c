/* Codes, tokens and nonces that a stranger makes up: none opens, and each of ours does. */
#include "fuzz.h"
#include "protocol/ticket.h"

#define NOW 1767225600

/* Derived once. */
static const VciTicketKeys *
keys(void)
{
	static const VciSecret secret = {{42}};
	static VciTicketKeys derived;
	static bool done;

	if (!done)
		must(vci_ticket_keys_derive(&secret, &secret, &derived, NULL) == VCI_OK);
	done = true;
	return &derived;
}

static void
open_foreign(const char *text, size_t size)
{
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
	int64_t number;
	int32_t generation;

	for (int kind = VCI_TICKET_CODE; kind <= VCI_TICKET_LANDING; kind++)
	{
		VciError error = VCI_ERROR_INIT;

		must(!succeeded(
			vci_ticket_open(keys(), (VciTicketKind) kind, text, size, &number, &generation, &error),
			&error));
	}
	for (int kind = VCI_TICKET_CODE; kind <= VCI_TICKET_LANDING; kind++)
	{
		VciError error = VCI_ERROR_INIT;
		int64_t offer_id;

		must(!succeeded(vci_offer_ticket_open(keys(), (VciTicketKind) kind, text, size, &number,
											  &offer_id, &generation, &error),
						&error));
	}
	for (int kind = VCI_NONCE_CREDENTIAL; kind <= VCI_NONCE_DPOP; kind++)
	{
		VciError error = VCI_ERROR_INIT;

		must(!succeeded(vci_nonce_open(keys(), (VciNonceKind) kind, 1, 1, NOW, 300, text, size,
									   random, &number, &error),
						&error));
	}
}

static void
open_ours(const uint8_t *data)
{
	VciTicketKind kind = (VciTicketKind) (1 + data[0] % VCI_TICKET_LANDING);
	char text[VCI_TICKET_SIZE];
	int64_t id;
	int64_t got_id;
	int32_t generation;
	int32_t got_generation;

	memcpy(&id, data + 1, sizeof(id));
	memcpy(&generation, data + 9, sizeof(generation));
	must(vci_ticket_make(keys(), kind, id, generation, text, NULL) == VCI_OK);
	must(vci_ticket_open(keys(), kind, text, strlen(text), &got_id, &got_generation, NULL) ==
		 VCI_OK);
	must(got_id == id && got_generation == generation);
	/* a character of ours exchanged for another one */
	text[data[13] % (VCI_TICKET_SIZE - 1)] ^= (char) (1 + data[14] % 127);
	must(vci_ticket_open(keys(), kind, text, strlen(text), &got_id, &got_generation, NULL) !=
		 VCI_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_foreign((const char *) data, size);
	if (size >= 15)
		open_ours(data);
	return 0;
}
