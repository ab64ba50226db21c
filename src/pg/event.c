#include "compat.h"

#include "event.h"

void
vci_note(VciStore *store, const VciIssuerEntry *issuer, VciEvent event)
{
	event.issuer_id = issuer->rules.id;
	vci_store_record_event(store, &event, issuer->notify_events);
}

void
vci_note_database(VciStore *store, VciEvent event)
{
	vci_store_record_event(store, &event, false);
}
