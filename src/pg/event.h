/*
 * The outbox: what happened to which row, for integrations and reports.
 */
#ifndef VCI_EVENT_H
#define VCI_EVENT_H

#include "cache.h"
#include "store.h"

/* Kinds, as vci_event.kind has them. */
#define VCI_EVENT_OFFER_CREATED			 "offer_created"
#define VCI_EVENT_OFFER_OPENED			 "offer_opened" /* on its landing page */
#define VCI_EVENT_OFFER_REDEEMED		 "offer_redeemed"
#define VCI_EVENT_OFFER_CANCELLED		 "offer_cancelled"
#define VCI_EVENT_OFFER_EXTENDED		 "offer_extended"
#define VCI_EVENT_OFFER_REVIVED			 "offer_revived" /* extended behind its offer_expired */
#define VCI_EVENT_OFFER_REOPENED		 "offer_reopened"
#define VCI_EVENT_OFFER_EXPIRED			 "offer_expired"
#define VCI_EVENT_OFFER_SENT			 "offer_sent" /* the first time, as delivered */
#define VCI_EVENT_OFFER_DELIVERED		 "offer_delivered"
#define VCI_EVENT_OFFER_UNDELIVERED		 "offer_undelivered"
#define VCI_EVENT_TX_CODE_FAILED		 "tx_code_failed"
#define VCI_EVENT_OFFER_LOCKED			 "offer_locked"
#define VCI_EVENT_CODE_REPLAYED			 "code_replayed"	/* what it gave is revoked */
#define VCI_EVENT_REFRESH_REPLAYED		 "refresh_replayed" /* the same */
#define VCI_EVENT_TOKEN_REFRESHED		 "token_refreshed"
#define VCI_EVENT_AUTHORIZATION_APPROVED "authorization_approved"
#define VCI_EVENT_AUTHORIZATION_DENIED	 "authorization_denied"
#define VCI_EVENT_CREDENTIAL_ISSUED		 "credential_issued" /* one a credential */
#define VCI_EVENT_CREDENTIAL_DEFERRED	 "credential_deferred"
#define VCI_EVENT_DEFERRED_COMPLETED	 "deferred_completed"
#define VCI_EVENT_DEFERRED_DENIED		 "deferred_denied"
#define VCI_EVENT_CREDENTIAL_ACCEPTED	 "credential_accepted" /* what the wallet told */
#define VCI_EVENT_CREDENTIAL_FAILURE	 "credential_failure"
#define VCI_EVENT_CREDENTIAL_DELETED	 "credential_deleted"
#define VCI_EVENT_CREDENTIAL_REVOKED	 "credential_revoked"
#define VCI_EVENT_CREDENTIAL_SUSPENDED	 "credential_suspended"
#define VCI_EVENT_CREDENTIAL_REINSTATED	 "credential_reinstated"
#define VCI_EVENT_ISSUANCE_PAUSED		 "issuance_paused"
#define VCI_EVENT_ISSUANCE_RESUMED		 "issuance_resumed"

#define VCI_EVENT_KEY_CREATED		"key_created" /* generated or imported */
#define VCI_EVENT_KEY_ACTIVATED		"key_activated"
#define VCI_EVENT_KEY_RETIRED		"key_retired"
#define VCI_EVENT_KEY_DESTROYED		"key_destroyed"
#define VCI_EVENT_ROOT_KEY_ROTATED	"root_key_rotated"
#define VCI_EVENT_DUTY_GIVEN		"duty_given"
#define VCI_EVENT_DUTY_TAKEN		"duty_taken"
#define VCI_EVENT_DATABASE_ADOPTED	"database_adopted"
#define VCI_EVENT_DATABASE_RESTORED "database_restored" /* vci_after_restore */

/* Appends an event of this issuer; event->issuer_id is filled in. */
extern void vci_note(VciStore *store, const VciIssuerEntry *issuer, VciEvent event);

/* Appends an event that concerns the database or all issuers (issuer_id 0), never NOTIFYed. */
extern void vci_note_database(VciStore *store, VciEvent event);

#endif
