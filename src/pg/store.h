/*
 * Every SQL statement that the extension runs, and every row that it touches without one.
 * An operation runs as the extension's owner, statements under a pinned search_path; results
 * lie in the memory context that was current when the store was opened.
 */
#ifndef VCI_STORE_H
#define VCI_STORE_H

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "../jose/json.h"
#include "../protocol/situation.h"
#include "../protocol/ticket.h"

typedef struct VciStore
{
	Oid caller;			   /* who called, before the switch to the owner */
	Oid owner;			   /* the extension's owner */
	int security_context;  /* to go back to */
	int guc_level;		   /* whatever is set until the close goes with it */
	int lock_timeout;	   /* the caller's, where waits are limited */
	bool limited;		   /* are they, and no statement has shown it as a setting? */
	bool connected;		   /* has a statement been run? */
	MemoryContext context; /* where results go */
} VciStore;

/*
 * Opens the store: takes the caller's identity and becomes the extension's owner. The first
 * statement pins the search_path and connects SPI. An error undoes all of it by itself. Not
 * nested, but a claims source may open another one inside vci_store_run_source.
 */
extern VciStore *vci_store_open(void);
extern void vci_store_close(VciStore *store);

/*
 * A lock_timeout for what comes, until the end of it; in between PG_TRY and PG_FINALLY. It costs
 * next to nothing as long as nothing runs that could look at settings, or set some.
 */
extern void vci_store_limit_waits(VciStore *store);
extern void vci_store_end_limit(VciStore *store);

/* Issuers, keys, configurations, duties ------------------------------------------- */

typedef struct VciIssuerRow
{
	int64 id;
	char *url;
	char *base_path;
	char *profile;
	bool iss_did_web;
	int32 offer_lifetime; /* 0: the profile's default, also below */
	int32 access_token_lifetime;
	int32 c_nonce_lifetime;
	int32 retry_window; /* -1: default, since 0 means none */
	int32 time_rounding;
	int32 proof_max_age;
	int32 tx_code_max_failures;
	int32 batch_size;
	int32 nonce_generation;
	char *dpop;		  /* NULL: default */
	int32 dpop_nonce; /* -1: default, 0 or 1 */
	int32 dpop_proof_max_age;
	int32 refresh_token_lifetime;
	int32 authorization_request_lifetime;
	int32 authorization_code_lifetime;
	int32 authorization_request_rate;
	int32 tx_code_retry_delay;
	int32 deferred_interval;
	int32 deferred_lifetime;
	int32 status_list_size;
	int32 status_list_ttl;
	int32 status_list_lifetime;
	char *login_url;
	char *authenticate;
	char *authenticate_owner;
	char *login_fields; /* JSON text or NULL */
	char *wallet_url;	/* NULL: none */
	char *endpoints;	/* JSON text */
	bool issuance_paused;
	bool notify_events;
	bool keep_claims;
	char *display; /* JSON text or NULL */
	bytea *data_key;
	char *root_key_id;
} VciIssuerRow;

typedef struct VciConfigurationRow
{
	char *id;
	char *format;
	char *vct;
	char *scope;
	int64 validity; /* seconds; 0: none */
	char *binding;
	char **older;
	int older_count;
	int32 decoys;
	char *always_disclosed; /* JSON text, as the others below */
	char *selectively_disclosable;
	char *claims;
	char *display;
	char *claims_source;
	char *claims_source_owner;
	bool deferred;
	int32 status_bits; /* 0: no status list */
	bool w3c_status;
	bool vct_integrity;
} VciConfigurationRow;

typedef struct VciClientRow
{
	char *id;
	char **redirect_uris;
	int redirect_uri_count;
	bool pkce_required;
	char *name; /* NULL: none */
} VciClientRow;

typedef struct VciAuthorizationServerRow
{
	char *url;
	char **audiences;
	int audience_count;
	char **client_ids;
	int client_id_count;
	char *jwks; /* JSON text or NULL */
	char *jwks_uri;
	bool accept_typ_jwt;
	bool accept_without_jti;
	char *subject_claim;
	char *subject_model;
	char *subject_source;
	char *subject_source_owner;
} VciAuthorizationServerRow;

typedef struct VciDutyRow
{
	char *role_name;
	char *duty;
	int64 issuer_id; /* 0: all */
} VciDutyRow;

extern int64 vci_store_next_issuer_id(VciStore *store);
/* False when the URL is taken. The first issuer binds the database. */
extern bool vci_store_insert_issuer(VciStore *store, int64 id, const char *url, bytea *data_key,
									const char *root_key_id);
/*
 * settings: jsonb with checked member names; a null member resets to the default. Members of
 * endpoints replace those of the same endpoint name, a null one goes back to its default.
 */
extern void vci_store_update_issuer(VciStore *store, int64 id, Datum settings,
									const char *authenticate_owner);
extern void vci_store_retire_issuer(VciStore *store, int64 id);
/*
 * One transaction at a time from here on, until its end, so that what is checked between
 * issuers still holds at the commit (an older snapshot gets 40001).
 */
extern void vci_store_serialize_issuers(VciStore *store);
/* Ids of all issuers, retired ones too, for reports. */
extern int64 *vci_store_issuer_ids(VciStore *store, int *count);
extern VciIssuerRow *vci_store_issuers(VciStore *store, int *count); /* not retired ones */

/* Is there one of this URL (NULL: any), retired ones too? */
extern bool vci_store_issuer_exists(VciStore *store, const char *url);

/* False when the id is taken. */
extern bool vci_store_insert_configuration(VciStore *store, int64 issuer_id, const char *id,
										   const char *vct);
/* changes: jsonb with checked member names. False when there is none of this id. */
extern bool vci_store_update_configuration(VciStore *store, int64 issuer_id, const char *id,
										   Datum changes, const char *claims_source_owner);
/* Is there one of this id, retired ones too? */
extern bool vci_store_configuration_exists(VciStore *store, int64 issuer_id, const char *id);
extern bool vci_store_retire_configuration(VciStore *store, int64 issuer_id, const char *id);
extern VciConfigurationRow *vci_store_configurations(VciStore *store, int64 issuer_id, int *count);
/* Ids of issuers with a configuration, not retired, whose vct ends with path; each once. */
extern int64 *vci_store_issuers_of_type(VciStore *store, const char *path, int *count);

/* Not retired ones, by id. */
extern VciClientRow *vci_store_clients(VciStore *store, int64 issuer_id, int *count);
/* False when the id is taken. */
extern bool vci_store_insert_client(VciStore *store, int64 issuer_id, const VciClientRow *client);
/* changes: jsonb of redirect_uris, pkce_required, name. False when there is none of this id. */
extern bool vci_store_update_client(VciStore *store, int64 issuer_id, const char *client_id,
									Datum changes);
extern bool vci_store_retire_client(VciStore *store, int64 issuer_id, const char *client_id);
/* Was there a client of this id, and was it retired? */
extern bool vci_store_client_retired(VciStore *store, int64 issuer_id, const char *client_id);

extern VciAuthorizationServerRow *vci_store_authorization_servers(VciStore *store, int64 issuer_id,
																  int *count);
/* False when there is one of this URL. */
extern bool vci_store_insert_authorization_server(VciStore *store, int64 issuer_id,
												  const VciAuthorizationServerRow *server);
/* changes: jsonb with checked member names. False when there is none of this URL. */
extern bool vci_store_update_authorization_server(VciStore *store, int64 issuer_id, const char *url,
												  Datum changes, const char *subject_source_owner);
extern bool vci_store_delete_authorization_server(VciStore *store, int64 issuer_id,
												  const char *url);
/* Every server of this URL among the issuers given; the number of rows changed. */
extern int64 vci_store_load_jwks(VciStore *store, int64 issuer_id, const char *url, Datum jwks);

extern void vci_store_put_did_document(VciStore *store, const char *did, Datum document);
extern bool vci_store_drop_did_document(VciStore *store, const char *did);
extern char *vci_store_did_document(VciStore *store, const char *did); /* JSON text or NULL */

/* One change of duties at a time, until the transaction ends. */
extern void vci_store_lock_duties(VciStore *store);
/*
 * Forgets grants of a former role of this name and returns them: a role that holds a duty
 * has USAGE on the schema itself, one that was made anew has not.
 */
extern VciDutyRow *vci_store_forget_former_duties(VciStore *store, const char *role_name,
												  int *count);
/* False when it has it already. */
extern bool vci_store_insert_duty(VciStore *store, const char *role_name, const char *duty,
								  int64 issuer_id);
/* False when there is no such grant. */
extern bool vci_store_delete_duty(VciStore *store, const char *role_name, const char *duty,
								  int64 issuer_id);
extern VciDutyRow *vci_store_duties(VciStore *store, int *count); /* by role */
extern void vci_store_execute_grant(VciStore *store, const char *statement);
/*
 * The first of these objects (as GRANT names them: "EXECUTE ON FUNCTION ...") on which the
 * role lacks the privilege, the schema included; NULL: none.
 */
extern char *vci_store_missing_privilege(VciStore *store, const char *role_name, char **objects,
										 int count);

extern int64 vci_store_epoch(VciStore *store);
/* Every c_nonce that this issuer gave out is void. */
extern void vci_store_void_nonces(VciStore *store, int64 issuer_id);

/* Offers --------------------------------------------------------------------------- */

typedef struct VciNewOffer
{
	int64 id; /* of vci_store_next_offer_id */
	int32 generation;
	int64 issuer_id;
	char **configuration_ids;
	int configuration_count;
	char **grants;
	int grant_count;
	char *subject_model;
	char *subject_id;
	char *reference;
	char *holder_did;
	Datum holder_jwk; /* jsonb or 0, also below */
	Datum labels;
	Datum claims;
	char *tx_code_mode;
	int32 tx_code_length;
	char *tx_code_description;
	bytea *tx_code_verifier;
	int64 expires_at; /* seconds since 1970 */
	char *client_id;
	char *authorization_server;
	Datum datasets;
	int64 campaign_id; /* 0: none */
	bool keep_claims;  /* its claims stay for good */
} VciNewOffer;

typedef struct VciOfferRow
{
	int64 id;
	int64 issuer_id;
	int32 generation;
	int32 tx_code_failures;
	int64 expires_at;
	bool redeemed;
	bool issued;
	bool cancelled;
	int32 tx_code_length;
	char *tx_code_mode; /* NULL: no transaction code */
	char *tx_code_description;
	bytea *tx_code_verifier;
	char **configuration_ids;
	int configuration_count;
	char *subject_model;
	char *subject_id;
	char *holder_did;
	char *holder_jwk; /* JSON text */
	Datum claims;	  /* jsonb or 0 */
	char **grants;
	int grant_count;
	char *client_id;
	char *authorization_server;
	Datum datasets;			   /* jsonb or 0 */
	double tx_code_failed_ago; /* seconds since the last wrong transaction code; -1: none */
	int64 ends_at;			   /* when nothing more can be issued of it; 0: unknown */
	bool claims_erased;
	bool expiry_noted;
	bool opened; /* by the button of its landing page */
} VciOfferRow;

extern int64 vci_store_next_offer_id(VciStore *store);
/* False when the reference is taken. */
extern bool vci_store_insert_offer(VciStore *store, const VciNewOffer *offer);
extern void vci_store_set_tx_code(VciStore *store, int64 id, bytea *verifier, int32 length);
extern VciOfferRow *vci_store_offer_by_reference(VciStore *store, int64 issuer_id,
												 const char *reference);
/* NULL when there is none. lock: FOR UPDATE. */
extern VciOfferRow *vci_store_offer(VciStore *store, int64 id, bool lock);
extern void vci_store_count_tx_code_failure(VciStore *store, int64 id);
/* ends_at: when what it is redeemed for is over. */
extern void vci_store_redeem_offer(VciStore *store, int64 id, int64 ends_at);
/* It ends then, unless it ends later already. */
extern void vci_store_prolong_offer(VciStore *store, int64 id, int64 ends_at);
extern void vci_store_extend_offer(VciStore *store, int64 id, int64 expires_at);
extern void vci_store_mark_opened(VciStore *store, int64 id);
extern void vci_store_raise_generation(VciStore *store, int64 id);
extern void vci_store_reopen_offer(VciStore *store, int64 id, int64 expires_at);
extern void vci_store_cancel_offer(VciStore *store, int64 id);
/* ends_at: when nothing more can be issued of it; 0: as it was. */
extern void vci_store_mark_issued(VciStore *store, int64 id, int64 ends_at);

/* Tokens, nonces, credentials ------------------------------------------------------- */

typedef struct VciTokenRow
{
	int64 id;
	int64 issuer_id;
	int64 offer_id;
	int32 generation;
	int32 offer_generation;
	char **configuration_ids;
	int configuration_count;
	bool identifiers;
	int64 expires_at;
	char *client_id; /* NULL: anonymous */
	char *jkt;		 /* NULL: a bearer token */
} VciTokenRow;

/* Returns its id; token's own id is not read. */
extern int64 vci_store_insert_token(VciStore *store, const VciTokenRow *token);
/*
 * Locked; NULL: none. Where offers are spread over machines, a row is found by its offer's id:
 * each look-up below names it; 0: unknown, it is read first.
 */
extern VciTokenRow *vci_store_token(VciStore *store, int64 id, int64 offer_id);

/*
 * The row of an external authorization server's token, locked: inserted under key
 * (VCI_DIGEST_BYTES) when it is its first use (*created), together with an offer for it.
 * offer NULL: only looked up by token's issuer and key; NULL when it is not there.
 */
extern VciTokenRow *vci_store_external_token(VciStore *store, const VciTokenRow *token,
											 const unsigned char *key, const VciNewOffer *offer,
											 bool *created);

typedef struct VciRefreshTokenRow
{
	int64 id;
	int64 issuer_id;
	int64 offer_id;
	int32 generation;
	int32 offer_generation;
	int64 successor_id; /* 0: none */
	char **configuration_ids;
	int configuration_count;
	bool identifiers;
	int64 expires_at;
	bool used;
	char *client_id;
	char *jkt;
} VciRefreshTokenRow;

extern int64 vci_store_insert_refresh_token(VciStore *store, const VciRefreshTokenRow *token);
extern VciRefreshTokenRow *vci_store_refresh_token(VciStore *store, int64 id,
												   int64 offer_id); /* locked */
extern void vci_store_use_refresh_token(VciStore *store, const VciRefreshTokenRow *token,
										int64 successor_id);
extern void vci_store_extend_refresh_token(VciStore *store, const VciRefreshTokenRow *token,
										   int64 expires_at);

/* False when it is spent already. */
extern bool vci_store_spend_nonce(VciStore *store, int64 issued_at,
								  const unsigned char random[VCI_NONCE_RANDOM_BYTES]);
/* Takes back what this transaction spent. */
extern void vci_store_unspend_nonce(VciStore *store, int64 issued_at,
									const unsigned char random[VCI_NONCE_RANDOM_BYTES]);

/* False when a proof of this digest (VCI_DIGEST_BYTES) was seen already. */
extern bool vci_store_spend_dpop_proof(VciStore *store, const unsigned char *digest,
									   int64 issued_at);

/* Authorization requests -------------------------------------------------------------- */

typedef struct VciAuthorizationRow
{
	int64 id;
	int64 issuer_id;
	int32 generation;
	int32 login_failures;
	int64 offer_id; /* 0: none */
	int32 offer_generation;
	int64 expires_at; /* seconds since 1970, as below */
	int64 code_expires_at;
	bool opened;
	bool approved;
	bool denied;
	bool redeemed;
	bool pushed;
	bool identifiers;
	char *client_id;
	char *redirect_uri;
	char *state;		  /* NULL: none, also below */
	char *code_challenge; /* base64url SHA-256 */
	char *jkt;
	char **configuration_ids;
	int configuration_count;
	bytea *browser;
} VciAuthorizationRow;

extern int64 vci_store_insert_authorization(VciStore *store, const VciAuthorizationRow *row);
/* NULL when there is none. lock: FOR NO KEY UPDATE. */
extern VciAuthorizationRow *vci_store_authorization(VciStore *store, int64 id, bool lock);
/* Bound to this browser from now on (browser may be NULL). */
extern void vci_store_open_authorization(VciStore *store, int64 id, bytea *browser,
										 int64 expires_at);
extern void vci_store_approve_authorization(VciStore *store, int64 id, int64 offer_id,
											int32 offer_generation, int64 code_expires_at);
extern void vci_store_deny_authorization(VciStore *store, int64 id, const char *reason);
extern void vci_store_redeem_authorization(VciStore *store, int64 id);
extern void vci_store_count_login_failure(VciStore *store, int64 id);
/*
 * Age in seconds of this issuer's request number limit, counted from the newest; -1: there were
 * fewer in the last minute.
 */
extern double vci_store_authorization_age(VciStore *store, int64 issuer_id, int32 limit);

typedef struct VciNewCredential
{
	int64 issuer_id;
	int64 offer_id; /* 0: none */
	int64 token_id; /* 0: none */
	int64 key_id;
	int32 dataset; /* from 1 */
	int32 instance;
	int64 issued_at;
	int64 expires_at; /* 0: none */
	const char *configuration_id;
	const char *format;
	const char *subject_model;
	const char *subject_id;
	const char *holder_thumbprint;
	const unsigned char *request_digest; /* VCI_DIGEST_BYTES, or NULL */
	int64 status_list_id;				 /* 0: it carries no status */
	int32 status_index;
} VciNewCredential;

typedef struct VciCredentialRow
{
	int64 id;
	int64 key_id;
	int64 issued_at;
	double age; /* seconds since issued_at */
	bytea *request_digest;
	int64 status_list_id; /* 0: it carries no status */
	int32 status_index;
} VciCredentialRow;

/* Returns its id. */
extern int64 vci_store_insert_credential(VciStore *store, const VciNewCredential *credential);
/* A repeated answer was signed with another key than the record says. */
extern void vci_store_set_credential_key(VciStore *store, int64 id, int64 offer_id, int64 key_id);
extern VciCredentialRow *vci_store_credentials_of_token(VciStore *store, int64 token_id,
														int64 offer_id,
														const char *configuration_id, int32 dataset,
														int *count);
/*
 * Notes the event with the credential of this id and those answered together with it, when
 * it is one of this offer's and (token_id not 0) of this token's. False when it is none;
 * *changed: another event, or none, was noted before.
 */
extern bool vci_store_note_notification(VciStore *store, int64 credential_id, int64 offer_id,
										int64 token_id, const char *event, const char *description,
										bool *changed);

/* Deferred credentials ---------------------------------------------------------------- */

typedef struct VciDeferredRow
{
	int64 id;
	int64 issuer_id;
	int32 generation; /* the offer's when it was asked for: raising it ends the deferral */
	int64 offer_id;
	int64 token_id;
	int32 dataset;
	int32 wait_seconds;
	int64 expires_at;  /* seconds since 1970 */
	double age;		   /* seconds since it was asked for */
	double issued_ago; /* seconds since it was fetched */
	bool issued;
	bool completed;
	bool denied;
	bool by_source;
	char *configuration_id;
	char *format;
	char *response_shape; /* "credentials", "older", "older_plural" */
	char *holder_jwks;	  /* JSON text: array of JWKs, null for a credential without key */
	bytea *request_digest;
	char *claims; /* JSON text or NULL */
	char *reason;
} VciDeferredRow;

extern int64 vci_store_insert_deferred(VciStore *store, const VciDeferredRow *row,
									   Datum holder_jwks);
/* Locked; NULL: none. It is locked after token and offer, or alone. */
extern VciDeferredRow *vci_store_deferred(VciStore *store, int64 id, int64 offer_id);
extern VciDeferredRow *vci_store_deferred_of_token(VciStore *store, int64 token_id, int64 offer_id,
												   const char *configuration_id, int32 dataset);
/* Datasets issued under the token; *deferred_until: when its last deferral ends, 0: none. */
extern int32 vci_store_issued_datasets(VciStore *store, int64 token_id, int64 offer_id,
									   int64 *deferred_until);
/* Of those of this generation that a wallet may still ask for or was denied, what says most. */
extern VciDeferral vci_store_deferral_of_offer(VciStore *store, int64 offer_id, int32 generation,
											   int64 *expires_at);
extern void vci_store_note_poll(VciStore *store, const VciDeferredRow *row, int32 wait_seconds);
extern void vci_store_complete_deferred(VciStore *store, const VciDeferredRow *row, Datum claims);
extern void vci_store_deny_deferred(VciStore *store, const VciDeferredRow *row, const char *reason);
extern void vci_store_issue_deferred(VciStore *store, const VciDeferredRow *row);

/* Events -------------------------------------------------------------------------------- */

typedef struct VciEvent
{
	const char *kind; /* e.g. "credential_issued" */
	int64 issuer_id;  /* 0: none, also below */
	int64 offer_id;
	int64 authorization_id;
	int64 token_id;
	int64 deferred_id;
	int64 credential_id;
	int64 key_id;
	const char *role_name; /* whose duty; NULL: none */
	const char *duty;
} VciEvent;

typedef struct VciEventRow
{
	int64 id;
	TimestampTz at;
	bool settled; /* no transaction can add an earlier event any more */
	char *issuer; /* its URL */
	VciEvent event;
} VciEventRow;

/* Those behind after, by id, at most max, under the calling query's snapshot. */
extern VciEventRow *vci_store_events(VciStore *store, int64 after, int32 max, int *count);

/* Appends an event; notify: also NOTIFY openid4vci, with its ids as JSON. */
extern void vci_store_record_event(VciStore *store, const VciEvent *event, bool notify);

/* Which database this is, and what is sealed under root keys ------------------------------ */

/*
 * Is this the database that may issue, and not a copy of it? *restored_at: when it was last
 * adopted or brought back (seconds since 1970; 0: never).
 */
extern bool vci_store_database_is_bound(VciStore *store, int64 *restored_at);
/* Binds it when this issuer is its only one, and so its first. */
extern void vci_store_bind_database(VciStore *store, int64 first_issuer_id);
/* False when it is bound already, or has no issuer yet. */
extern bool vci_store_adopt_database(VciStore *store);
extern void vci_store_set_epoch(VciStore *store, int64 epoch);
/* restored_at is now. */
extern void vci_store_note_restore(VciStore *store);
/* Until the end of the transaction nobody locks, changes or makes an offer. */
extern void vci_store_stop_redeeming(VciStore *store);
/*
 * Raises by step the generation of what was created up to cut and may still lead to a
 * credential. Of offers: returns how many redeemed ones, *pending: how many pending ones.
 */
extern void vci_store_withdraw_requests(VciStore *store, TimestampTz cut, int32 step);
extern int64 vci_store_withdraw_offers(VciStore *store, TimestampTz cut, int32 step,
									   int64 *pending);

typedef enum VciSealedKind
{
	VCI_SEALED_DATA_KEY = 1, /* of an issuer */
	VCI_SEALED_SIGNING_KEY,
	VCI_SEALED_EVENT_KEY /* of the database; its id is 1 */
} VciSealedKind;

typedef struct VciSealedRow
{
	VciSealedKind kind;
	int64 id;
	char *root_key_id;
	bytea *sealed;
} VciSealedRow;

typedef struct VciRootKeyUse
{
	char *root_key_id;
	int64 rows;
} VciRootKeyUse;

/* Until the end of the transaction nobody else seals anything new. */
extern void vci_store_stop_sealing(VciStore *store);
/* Everything that is sealed under another root key than this one. */
extern VciSealedRow *vci_store_sealed_rows(VciStore *store, const char *root_key_id, int *count);
/* Puts sealed and root_key_id into its place. */
extern void vci_store_reseal(VciStore *store, const VciSealedRow *row);
/* How many rows each root key seals. */
extern VciRootKeyUse *vci_store_root_key_uses(VciStore *store, int *count);

/* Health ---------------------------------------------------------------------------- */

extern int64 vci_store_estimate_nonces(VciStore *store);

/* Functions of the registry that the extension calls. */
typedef enum VciSourceKind
{
	VCI_CLAIMS_SOURCE,	/* (subject_model text, subject_id text) returns jsonb */
	VCI_SUBJECT_SOURCE, /* (claim text) returns text */
	VCI_AUTHENTICATE	/* (form jsonb) returns jsonb */
} VciSourceKind;

/*
 * Checks that text names a function schema.name of this kind whose owner the caller is a
 * member of; returns the owner's name. Raises otherwise.
 */
extern char *vci_store_check_source(VciStore *store, VciSourceKind kind, const char *function);

/*
 * Runs it as its owner under SECURITY_RESTRICTED_OPERATION, with its arguments as text (JSON
 * text for jsonb; NULL: null). Raises when its owner is no longer owner_name. The result as
 * text, or NULL when it returned null.
 */
extern char *vci_store_run_source(VciStore *store, VciSourceKind kind, const char *function,
								  const char *owner_name, const char *const *arguments);

#endif
