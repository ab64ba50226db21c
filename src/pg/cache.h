/*
 * What a backend remembers of issuers, keys, configurations and duties. A change of any
 * of those tables drops it (relcache invalidation); what was read under a transaction's
 * old snapshot goes when that transaction ends.
 */
#ifndef VCI_CACHE_H
#define VCI_CACHE_H

#include "../jose/seal.h"
#include "../protocol/issuer.h"
#include "../protocol/metadata.h"
#include "../protocol/status_list.h"
#include "store.h"

typedef struct VciSigningKey
{
	int64 id;
	char *kid;
	VciAlg alg;
	VciKey *key;
	VciJson *x5c; /* its certificates; NULL: none */
} VciSigningKey;

/* A function of the registry, by name, with the owner that it had when it was registered. */
typedef struct VciSource
{
	char *function; /* NULL: none */
	char *owner;
} VciSource;

/* An external authorization server. */
typedef struct VciTrustedServer
{
	VciAuthorizationServerRow row;
	VciJson *jwks; /* NULL: none is loaded */
	VciSource subject_source;
} VciTrustedServer;

/* Where an endpoint lies: the authority as a Host header has it, and the whole path. */
typedef struct VciEndpointPlace
{
	char *authority;
	const char *path;
} VciEndpointPlace;

/* The status list that this backend's credentials of so many bits get their places in. */
typedef struct VciOpenStatusList
{
	int64 id; /* 0: none yet */
	int64 part;
	char name[VCI_STATUS_LIST_NAME_SIZE];
	VciFf1 **permutation; /* owned by the cache */
} VciOpenStatusList;

#define VCI_STATUS_WIDTHS 4 /* 1, 2, 4 and 8 bits */

typedef enum VciDocumentKind
{
	VCI_DOCUMENT_CREDENTIAL_ISSUER,
	VCI_DOCUMENT_AUTHORIZATION_SERVER,
	VCI_DOCUMENT_JWT_VC_ISSUER,
	VCI_DOCUMENT_DID,
	VCI_DOCUMENT_JWKS
} VciDocumentKind;

#define VCI_DOCUMENT_COUNT (VCI_DOCUMENT_JWKS + 1)

#define VCI_INTEGRITY_SIZE 52 /* "sha256-" and base64 of a digest, with a NUL */

/* A published document as it goes out; see document.h. */
typedef struct VciDocument
{
	char *body; /* NULL: not made yet */
	size_t len;
	char etag[32];
	char integrity[VCI_INTEGRITY_SIZE]; /* of the body, as vct#integrity has it */
	int64 since; /* good from this time on (seconds since 1970) and before until */
	int64 until;
} VciDocument;

typedef struct VciIssuerEntry
{
	VciIssuer rules;
	char *authority;  /* host[:port] as a Host header has it */
	const char *path; /* of the URL, "" when there is none */
	char *iss;		  /* what credentials carry as iss */
	int32 nonce_generation;
	int64 epoch;			   /* of c_nonces: the database's and the issuer's own */
	VciSecret ticket_key;	   /* what ticket_keys come from, and the login page's key */
	VciTicketKeys ticket_keys; /* codes, tokens, links, nonces */
	VciSecret tx_code_key;
	VciSecret campaign_tx_code_key; /* see campaign_tx_code.h */
	int configuration_count;
	VciConfiguration *configurations;
	VciSource *claims_sources; /* parallel to configurations */
	int client_count;
	VciClientRow *clients;
	int server_count;
	VciTrustedServer *servers;
	VciEndpointPlace places[VCI_ENDPOINT_COUNT];
	char *login_url;		/* the registry's own login-and-consent page; NULL: none */
	char *wallet_url;		/* where people get a wallet; NULL: none */
	VciSource authenticate; /* of the built-in page */
	VciJson *login_fields;	/* NULL: the built-in page's defaults */
	bool notify_events;
	bool keep_claims;
	bool is_copy;	   /* this database is a copy of the one that may issue */
	int64 restored_at; /* when it was adopted or brought back (seconds since 1970); 0: never */
	int key_count;
	VciPublishedKey *published_keys; /* or over meanwhile; the signing key first */
	VciSigningKey signing;			 /* id 0: there is no active key; key NULL until unsealed */
	bool loaded;					 /* false: only rules, places, authority, path and iss stand */
	bool unsealed;		/* false: the secrets and the signing key's private half are missing */
	bytea *signing_key; /* sealed */
	char *signing_root_key_id;
	bytea *data_key; /* sealed */
	char *root_key_id;
	VciDocument *documents; /* by VciDocumentKind; it changes later on, as the next member does */
	VciDocument *type_documents;		   /* the same, parallel to configurations */
	VciOpenStatusList *status_lists;	   /* see vci_cache_status_list */
	struct VciCacheGeneration *generation; /* holds the entry; what is loaded later, too */
} VciIssuerEntry;

/*
 * The issuer with this URL, loaded; NULL url: the only one. Raises 42704 with a hint when
 * there is none, or 42P08 when url is needed because there are several.
 */
extern VciIssuerEntry *vci_cache_issuer(VciStore *store, const char *url);

/* The issuer with this id, loaded; NULL when it is unknown or retired. */
extern VciIssuerEntry *vci_cache_issuer_by_id(VciStore *store, int64 id);

/*
 * All issuers, not loaded: to route a request. Loading one is vci_cache_load's work.
 * They stay valid until the current memory context goes.
 */
extern VciIssuerEntry *vci_cache_issuers(VciStore *store, int *count);
extern VciIssuerEntry *vci_cache_load(VciStore *store, VciIssuerEntry *issuer);

/*
 * Forgets the list that was open and keeps this one: until the issuer's entry goes, and no longer
 * than the (sub)transaction when that is undone, for it may have made the list.
 */
extern VciOpenStatusList *vci_cache_keep_status_list(const VciIssuerEntry *issuer, int bits,
													 int64 id, int64 part, const char *name);

/* What it keeps of these bits, with id 0 when that is nothing. */
extern VciOpenStatusList *vci_cache_status_list(const VciIssuerEntry *issuer, int bits);

/* A copy that lives as long as the issuer's entry; may be freed before by pfree. */
extern char *vci_cache_keep(const VciIssuerEntry *issuer, const void *data, size_t len);

/* Position of a configuration, -1 when the issuer has none (not retired) of this id. */
extern int vci_cache_find_configuration(const VciIssuerEntry *issuer, const char *id);

/* The registered wallet of this id, or NULL. */
extern const VciClientRow *vci_cache_find_client(const VciIssuerEntry *issuer,
												 const char *client_id);

/* The trusted server of this URL, or NULL. */
extern const VciTrustedServer *vci_cache_find_server(const VciIssuerEntry *issuer, const char *url);

/* The same, raising 42704. */
extern int vci_cache_require_configuration(VciStore *store, const VciIssuerEntry *issuer,
										   const char *id);

/*
 * Opens the issuer's secrets and its signing key under the root key, once; raises 55000
 * with a hint when there is no root key. What is public needs none of it.
 */
extern void vci_cache_unseal(VciIssuerEntry *issuer);

/* Raises 55000 with a hint when the issuer has no active key. */
extern void vci_cache_require_key(const VciIssuerEntry *issuer);

extern const VciDutyRow *vci_cache_duties(VciStore *store, int *count);

/* Fills rules from a row as an operator left it; members in the current context. */
extern void vci_rules_of_issuer_row(const VciIssuerRow *row, VciIssuer *rules);
extern void vci_rules_of_configuration_row(const VciConfigurationRow *row, VciConfiguration *rules);

/* From _PG_init: registers the callbacks. */
extern void vci_cache_start(void);

#endif
