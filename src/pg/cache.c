#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "cache.h"
#include "release.h"
#include "report.h"
#include "root_key.h"
#include "store_key.h"
#include "values.h"

#define WATCHED_TABLES 8

static const char *const watched_table_names[WATCHED_TABLES] = {
	"vci_issuer", "vci_key",   "vci_configuration", "vci_client", "vci_authorization_server",
	"vci_duty",	  "vci_epoch", "vci_database"};

/*
 * One generation of the cache. It is kept while somebody uses it, even when it is stale
 * already: an invalidation may come in the middle of a request.
 */
typedef struct VciCacheGeneration
{
	MemoryContext context;
	int users;
	bool stale;
	bool from_transaction_snapshot;
	bool may_be_undone; /* holds what the current transaction may have made */
	Oid watched[WATCHED_TABLES];
	int issuer_count;
	VciIssuerEntry *issuers; /* NULL: not read yet */
	int duty_count;
	VciDutyRow *duties; /* NULL: not read yet */
} Generation;

typedef struct GenerationUse
{
	MemoryContextCallback callback;
	Generation *generation;
} GenerationUse;

static Generation *current = NULL;

/* Issuers whose secrets go before their memory does: both are of one context. */
typedef struct SecretsWipe
{
	MemoryContextCallback callback;
	int count;
	VciIssuerEntry *issuers;
} SecretsWipe;

static void
wipe_secrets(void *arg)
{
	SecretsWipe *wipe = arg;

	for (int i = 0; i < wipe->count; i++)
	{
		VciIssuerEntry *issuer = &wipe->issuers[i];

		vci_wipe(&issuer->ticket_key, sizeof(VciSecret));
		vci_ticket_keys_clear(&issuer->ticket_keys);
		vci_wipe(&issuer->tx_code_key, sizeof(VciSecret));
		vci_wipe(&issuer->campaign_tx_code_key, sizeof(VciSecret));
	}
}

static Generation *
new_generation(void)
{
	Oid namespace = get_namespace_oid("openid4vci", false);
	MemoryContext context;
	Generation *generation;

	context = AllocSetContextCreate(CacheMemoryContext, "openid4vci cache", ALLOCSET_DEFAULT_SIZES);
	generation = MemoryContextAllocZero(context, sizeof(Generation));
	generation->context = context;
	for (int i = 0; i < WATCHED_TABLES; i++)
		generation->watched[i] = get_relname_relid(watched_table_names[i], namespace);
	return generation;
}

static void
end_use(void *arg)
{
	Generation *generation = ((GenerationUse *) arg)->generation;

	generation->users--;
	if (generation->users == 0 && generation->stale && generation != current)
		MemoryContextDelete(generation->context);
}

/* The current generation, kept at least until CurrentMemoryContext goes. */
static Generation *
use_generation(void)
{
	GenerationUse *use;

	/* a transaction that holds all its locks already would take in no change until its end */
	AcceptInvalidationMessages();
	if (current != NULL && current->stale)
	{
		Generation *old = current;

		current = NULL;
		if (old->users == 0)
			MemoryContextDelete(old->context);
	}
	use = palloc0(sizeof(GenerationUse));
	if (current == NULL)
		current = new_generation();
	use->generation = current;
	use->callback.func = end_use;
	use->callback.arg = use;
	current->users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &use->callback);
	return current;
}

static void
relation_changed(Datum argument pg_attribute_unused(), Oid relation)
{
	if (current == NULL)
		return;
	if (!OidIsValid(relation))
		current->stale = true;
	for (int i = 0; i < WATCHED_TABLES; i++)
		if (current->watched[i] == relation)
			current->stale = true;
}

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	if (current == NULL)
		return;
	if (current->from_transaction_snapshot)
		current->stale = true;
	if ((event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) && current->may_be_undone)
		current->stale = true;
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		current->may_be_undone = false;
}

static void
subtransaction_ended(SubXactEvent event, SubTransactionId id pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && current != NULL && current->may_be_undone)
		current->stale = true;
}

void
vci_cache_start(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}

PG_FUNCTION_INFO_V1(vci_drop_caches);

/* openid4vci.vci_drop_caches() returns trigger */
Datum
vci_drop_caches(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("vci_drop_caches must be called as a trigger")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}

static VciJson *
json_of_text(const char *text)
{
	VciJson **json;
	VciError error = VCI_ERROR_INIT;

	if (text == NULL)
		return NULL;
	json = vci_own_json();
	vci_require(vci_json_parse(text, strlen(text), json, &error), &error);
	return *json;
}

static int32
or_default(int32 value, int32 fallback)
{
	return value > 0 ? value : fallback;
}

static VciDpopMode
dpop_mode_of_text(const char *text)
{
	if (text == NULL || strcmp(text, "optional") == 0)
		return VCI_DPOP_OPTIONAL;
	return strcmp(text, "required") == 0 ? VCI_DPOP_REQUIRED : VCI_DPOP_OFF;
}

/* Settings of the OAuth side; NULL in the row means the default. */
static void
fill_oauth_rules(const VciIssuerRow *row, VciIssuer *rules)
{
	bool final = rules->profile == VCI_PROFILE_FINAL;

	rules->dpop = dpop_mode_of_text(row->dpop);
	rules->dpop_nonce = row->dpop_nonce >= 0 ? row->dpop_nonce == 1 : final;
	rules->dpop_proof_max_age = or_default(row->dpop_proof_max_age, 300);
	/* bound to the wallet's key, a token may live longer than a bearer token */
	rules->bound_token_lifetime =
		or_default(row->access_token_lifetime, final ? SECS_PER_HOUR : SECS_PER_DAY);
	rules->refresh_token_lifetime = row->refresh_token_lifetime;
	rules->authorization_request_lifetime = or_default(row->authorization_request_lifetime, 600);
	rules->authorization_code_lifetime = or_default(row->authorization_code_lifetime, 60);
	rules->authorization_request_rate = or_default(row->authorization_request_rate, 600);
	rules->tx_code_retry_delay = row->tx_code_retry_delay;
	rules->deferred_interval = or_default(row->deferred_interval, 300);
	rules->deferred_lifetime = or_default(row->deferred_lifetime, 30 * SECS_PER_DAY);
	rules->status_list_size = or_default(row->status_list_size, 1024 * 1024);
	rules->status_list_ttl = or_default(row->status_list_ttl, SECS_PER_HOUR);
	rules->status_list_lifetime = or_default(row->status_list_lifetime, SECS_PER_DAY);
	rules->issuance_paused = row->issuance_paused;
}

void
vci_rules_of_issuer_row(const VciIssuerRow *row, VciIssuer *rules)
{
	bool final = strcmp(row->profile, "final") == 0;

	memset(rules, 0, sizeof(VciIssuer));
	rules->id = row->id;
	rules->url = pstrdup(row->url);
	rules->base_path = pstrdup(row->base_path);
	rules->profile = final ? VCI_PROFILE_FINAL : VCI_PROFILE_OPENSPP;
	rules->iss_did_web = row->iss_did_web;
	rules->offer_lifetime = or_default(row->offer_lifetime, final ? 3600 : 7 * SECS_PER_DAY);
	rules->access_token_lifetime =
		or_default(row->access_token_lifetime, final ? 300 : SECS_PER_DAY);
	rules->c_nonce_lifetime = or_default(row->c_nonce_lifetime, final ? 300 : SECS_PER_DAY);
	rules->retry_window = row->retry_window >= 0 ? row->retry_window : 60;
	rules->time_rounding = or_default(row->time_rounding, SECS_PER_DAY);
	rules->proof_max_age = or_default(row->proof_max_age, rules->c_nonce_lifetime);
	rules->tx_code_max_failures = or_default(row->tx_code_max_failures, 5);
	rules->batch_size = or_default(row->batch_size, 1);
	rules->display = json_of_text(row->display);
	fill_oauth_rules(row, rules);
}

static VciHolderBinding
binding_of_text(const char *text)
{
	if (strcmp(text, "absent") == 0)
		return VCI_HOLDER_ABSENT;
	return strcmp(text, "optional") == 0 ? VCI_HOLDER_OPTIONAL : VCI_HOLDER_REQUIRED;
}

void
vci_rules_of_configuration_row(const VciConfigurationRow *row, VciConfiguration *rules)
{
	memset(rules, 0, sizeof(VciConfiguration));
	rules->id = pstrdup(row->id);
	rules->format = pstrdup(row->format);
	rules->vct = pstrdup(row->vct);
	rules->scope = row->scope ? pstrdup(row->scope) : NULL;
	rules->validity = row->validity;
	rules->binding = binding_of_text(row->binding);
	for (int i = 0; i < row->older_count; i++)
		rules->older |= vci_older_by_name(row->older[i]);
	rules->decoys = row->decoys;
	rules->deferred = row->deferred;
	rules->status_bits = row->status_bits;
	rules->w3c_status = row->w3c_status;
	rules->vct_integrity = row->vct_integrity;
	rules->always_disclosed = json_of_text(row->always_disclosed);
	rules->selectively_disclosable = json_of_text(row->selectively_disclosable);
	rules->claims = json_of_text(row->claims);
	rules->display = json_of_text(row->display);
}

/*
 * What is being read belongs to the caller until it is complete, so that an error in
 * between leaves nothing behind; keep_loaded then hangs it below the cache.
 */
static MemoryContext
begin_load(VciStore *store, MemoryContext *caller)
{
	MemoryContext load =
		AllocSetContextCreate(CurrentMemoryContext, "openid4vci cache entry", ALLOCSET_SMALL_SIZES);

	*caller = MemoryContextSwitchTo(load);
	store->context = load;
	return load;
}

static void
keep_loaded(VciStore *store, MemoryContext load, MemoryContext owner, MemoryContext caller)
{
	MemoryContextSwitchTo(caller);
	store->context = caller;
	MemoryContextSetParent(load, owner);
}

/* The endpoints' URLs, malloc'd, go when the current memory context does. */
static void
free_endpoints(void *arg)
{
	vci_endpoints_free(((VciIssuerEntry *) arg)->rules.endpoints);
}

static void
resolve_endpoints(VciIssuerEntry *issuer, const char *settings)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	VciError error = VCI_ERROR_INIT;

	callback->func = free_endpoints;
	callback->arg = issuer;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	vci_require(vci_endpoints_resolve(&issuer->rules, json_of_text(settings),
									  issuer->rules.endpoints, &error),
				&error);
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
	{
		char **authority = vci_own_text();

		vci_require_memory(*authority = vci_issuer_url_authority(issuer->rules.endpoints[i].url));
		issuer->places[i].authority = *authority;
		issuer->places[i].path = vci_issuer_url_path(issuer->rules.endpoints[i].url);
	}
}

/*
 * A context's children are freed before its own callbacks run, so this one stands with the
 * issuers and not with the generation above them.
 */
static void
wipe_with_memory(VciIssuerEntry *issuers, int count)
{
	SecretsWipe *wipe = palloc0(sizeof(SecretsWipe));

	wipe->callback.func = wipe_secrets;
	wipe->callback.arg = wipe;
	wipe->count = count;
	wipe->issuers = issuers;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &wipe->callback);
}

static void
read_issuers(VciStore *store, Generation *generation)
{
	int count;
	VciIssuerRow *rows = vci_store_issuers(store, &count);
	VciIssuerEntry *issuers = palloc0(sizeof(VciIssuerEntry) * Max(count, 1));
	int64 restored_at;
	bool bound = vci_store_database_is_bound(store, &restored_at);

	for (int i = 0; i < count; i++)
	{
		VciIssuerEntry *issuer = &issuers[i];
		char **authority = vci_own_text();
		char **iss = vci_own_text();

		vci_rules_of_issuer_row(&rows[i], &issuer->rules);
		vci_require_memory(*authority = vci_issuer_url_authority(rows[i].url));
		vci_require_memory(*iss = vci_issuer_iss(&issuer->rules));
		issuer->authority = *authority;
		issuer->iss = *iss;
		issuer->path = vci_issuer_url_path(issuer->rules.url);
		issuer->data_key = rows[i].data_key;
		issuer->root_key_id = rows[i].root_key_id;
		issuer->nonce_generation = rows[i].nonce_generation;
		issuer->login_url = rows[i].login_url;
		issuer->wallet_url = rows[i].wallet_url;
		issuer->authenticate = (VciSource){rows[i].authenticate, rows[i].authenticate_owner};
		issuer->login_fields = json_of_text(rows[i].login_fields);
		issuer->notify_events = rows[i].notify_events;
		issuer->keep_claims = rows[i].keep_claims;
		issuer->is_copy = !bound;
		issuer->restored_at = restored_at;
		issuer->generation = generation;
		resolve_endpoints(issuer, rows[i].endpoints);
	}
	wipe_with_memory(issuers, count);
	generation->issuer_count = count;
	generation->issuers = issuers;
}

/* What is read under a transaction's old snapshot must not outlive the transaction. */
static void
note_snapshot(Generation *generation)
{
	if (IsolationUsesXactSnapshot())
		generation->from_transaction_snapshot = true;
}

/* Runs read with results going into the generation. */
static void
into_generation(VciStore *store, Generation *generation, void (*read)(VciStore *, Generation *))
{
	MemoryContext caller;
	MemoryContext load = begin_load(store, &caller);

	note_snapshot(generation);
	read(store, generation);
	keep_loaded(store, load, generation->context, caller);
}

VciIssuerEntry *
vci_cache_issuers(VciStore *store, int *count)
{
	Generation *generation = use_generation();

	if (generation->issuers == NULL)
		into_generation(store, generation, read_issuers);
	*count = generation->issuer_count;
	return generation->issuers;
}

static void
read_duties(VciStore *store, Generation *generation)
{
	int count;
	VciDutyRow *duties = vci_store_duties(store, &count);

	generation->duty_count = count;
	generation->duties = duties;
}

const VciDutyRow *
vci_cache_duties(VciStore *store, int *count)
{
	Generation *generation = use_generation();

	if (generation->duties == NULL)
		into_generation(store, generation, read_duties);
	*count = generation->duty_count;
	return generation->duties;
}

/* Opened secrets live in a scratch context, which wipes them as soon as it goes. */
static MemoryContext
begin_scratch(void)
{
	MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "openid4vci scratch", ALLOCSET_SMALL_SIZES);

	return MemoryContextSwitchTo(scratch);
}

static void
end_scratch(MemoryContext outer)
{
	MemoryContext scratch = MemoryContextSwitchTo(outer);

	MemoryContextDelete(scratch);
}

static void
derive(const VciSecret *data_key, const char *label, VciSecret *out)
{
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_derive(data_key, label, out, &error), &error);
}

static void
unseal_secrets(VciIssuerEntry *issuer)
{
	MemoryContext scratch = begin_scratch();
	const unsigned char *plain;
	size_t len;
	VciSecret data_key;
	VciSecret nonce_key;
	VciError error = VCI_ERROR_INIT;
	VciStatus status;

	vci_root_unseal(VCI_ISSUER_DATA_KEY, issuer->rules.id, issuer->data_key, issuer->root_key_id,
					&plain, &len);
	if (len != sizeof(data_key.bytes))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the data key of issuer %s has a wrong length", issuer->rules.url)));
	memcpy(data_key.bytes, plain, len);
	end_scratch(scratch);
	derive(&data_key, "openid4vci tickets", &issuer->ticket_key);
	derive(&data_key, "openid4vci nonces", &nonce_key);
	derive(&data_key, "openid4vci transaction codes", &issuer->tx_code_key);
	derive(&data_key, "openid4vci campaign transaction codes", &issuer->campaign_tx_code_key);
	vci_wipe(&data_key, sizeof(data_key));
	/* what an attempt left that failed at the signing key */
	vci_ticket_keys_clear(&issuer->ticket_keys);
	status = vci_ticket_keys_derive(&issuer->ticket_key, &nonce_key, &issuer->ticket_keys, &error);
	vci_wipe(&nonce_key, sizeof(nonce_key));
	vci_require(status, &error);
}

static void
unseal_signing_key(VciIssuerEntry *issuer)
{
	VciError error = VCI_ERROR_INIT;
	VciKey **key = vci_own_key();
	MemoryContext scratch = begin_scratch();
	const unsigned char *der;
	size_t len;

	vci_root_unseal(VCI_SIGNING_KEY, issuer->signing.id, issuer->signing_key,
					issuer->signing_root_key_id, &der, &len);
	vci_require(vci_key_from_private_der(der, len, key, &error), &error);
	end_scratch(scratch);
	issuer->signing.key = *key;
}

static void
choose_signing_key(VciIssuerEntry *issuer, const VciKeyRow *row)
{
	issuer->signing.id = row->id;
	issuer->signing.kid = row->kid;
	issuer->signing.alg = vci_alg_by_name(row->alg);
	issuer->signing.x5c = json_of_text(row->x5c);
	issuer->signing_key = row->private_key;
	issuer->signing_root_key_id = row->root_key_id;
}

static void
load_keys(VciStore *store, VciIssuerEntry *issuer)
{
	int count;
	VciKeyRow *rows = vci_store_keys(store, issuer->rules.id, &count);

	issuer->published_keys = palloc0(sizeof(VciPublishedKey) * Max(count, 1));
	issuer->key_count = count;
	for (int i = 0; i < count; i++)
	{
		issuer->published_keys[i].kid = rows[i].kid;
		issuer->published_keys[i].public_jwk = json_of_text(rows[i].public_jwk);
		issuer->published_keys[i].alg = vci_alg_by_name(rows[i].alg);
		issuer->published_keys[i].published_until = rows[i].published_until;
	}
	/* the statement's order: the active key that was activated last */
	if (count > 0 && strcmp(rows[0].state, VCI_KEY_ACTIVE) == 0)
		choose_signing_key(issuer, &rows[0]);
}

static void
load_configurations(VciStore *store, VciIssuerEntry *issuer)
{
	int count;
	VciConfigurationRow *rows = vci_store_configurations(store, issuer->rules.id, &count);

	issuer->configurations = palloc0(sizeof(VciConfiguration) * Max(count, 1));
	issuer->claims_sources = palloc0(sizeof(VciSource) * Max(count, 1));
	issuer->type_documents = palloc0(sizeof(VciDocument) * Max(count, 1));
	issuer->configuration_count = count;
	for (int i = 0; i < count; i++)
	{
		vci_rules_of_configuration_row(&rows[i], &issuer->configurations[i]);
		issuer->configurations[i].signing_alg =
			issuer->signing.id != 0 ? issuer->signing.alg : VCI_ALG_ES256;
		issuer->claims_sources[i].function = rows[i].claims_source;
		issuer->claims_sources[i].owner = rows[i].claims_source_owner;
	}
}

static void
load_servers(VciStore *store, VciIssuerEntry *issuer)
{
	int count;
	VciAuthorizationServerRow *rows =
		vci_store_authorization_servers(store, issuer->rules.id, &count);
	const char **urls = palloc0(sizeof(char *) * Max(count, 1));

	issuer->servers = palloc0(sizeof(VciTrustedServer) * Max(count, 1));
	issuer->server_count = count;
	for (int i = 0; i < count; i++)
	{
		issuer->servers[i].row = rows[i];
		issuer->servers[i].jwks = json_of_text(rows[i].jwks);
		issuer->servers[i].subject_source =
			(VciSource){rows[i].subject_source, rows[i].subject_source_owner};
		urls[i] = rows[i].url;
	}
	issuer->rules.authorization_servers = urls;
	issuer->rules.authorization_server_count = count;
}

static void
load_clients(VciStore *store, VciIssuerEntry *issuer)
{
	bool own_page = issuer->authenticate.function != NULL &&
					issuer->rules.endpoints[VCI_ENDPOINT_CONSENT].enabled;

	issuer->clients = vci_store_clients(store, issuer->rules.id, &issuer->client_count);
	issuer->rules.has_clients = issuer->client_count > 0 && (issuer->login_url != NULL || own_page);
}

VciIssuerEntry *
vci_cache_load(VciStore *store, VciIssuerEntry *issuer)
{
	MemoryContext caller;
	MemoryContext load;

	if (issuer->loaded)
		return issuer;
	load = begin_load(store, &caller);
	note_snapshot(issuer->generation);
	/* far apart in the number's bits, so that raising one never looks like raising the other */
	issuer->epoch = vci_store_epoch(store) ^ ((int64) issuer->nonce_generation << 40);
	memset(&issuer->signing, 0, sizeof(issuer->signing));
	load_keys(store, issuer);
	load_configurations(store, issuer);
	load_clients(store, issuer);
	load_servers(store, issuer);
	issuer->documents = palloc0(sizeof(VciDocument) * VCI_DOCUMENT_COUNT);
	issuer->status_lists = palloc0(sizeof(VciOpenStatusList) * VCI_STATUS_WIDTHS);
	for (int i = 0; i < VCI_STATUS_WIDTHS; i++)
		issuer->status_lists[i].permutation = vci_own_permutation();
	keep_loaded(store, load, issuer->generation->context, caller);
	issuer->loaded = true;
	return issuer;
}

void
vci_cache_unseal(VciIssuerEntry *issuer)
{
	MemoryContext caller;
	MemoryContext load;

	if (issuer->unsealed)
		return;
	load = AllocSetContextCreate(CurrentMemoryContext, "openid4vci secrets", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(load);
	unseal_secrets(issuer);
	if (issuer->signing.id != 0)
		unseal_signing_key(issuer);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(load, issuer->generation->context);
	issuer->unsealed = true;
}

char *
vci_cache_keep(const VciIssuerEntry *issuer, const void *data, size_t len)
{
	char *copy = MemoryContextAlloc(issuer->generation->context, Max(len, 1));

	memcpy(copy, data, len);
	return copy;
}

VciOpenStatusList *
vci_cache_status_list(const VciIssuerEntry *issuer, int bits)
{
	return &issuer->status_lists[bits == 1 ? 0 : bits == 2 ? 1 : bits == 4 ? 2 : 3];
}

VciOpenStatusList *
vci_cache_keep_status_list(const VciIssuerEntry *issuer, int bits, int64 id, int64 part,
						   const char *name)
{
	VciOpenStatusList *list = vci_cache_status_list(issuer, bits);
	VciError error = VCI_ERROR_INIT;

	list->id = 0;
	vci_ff1_free(*list->permutation);
	*list->permutation = NULL;
	vci_require(vci_status_permutation_new(&issuer->ticket_key, name,
										   issuer->rules.status_list_size, list->permutation,
										   &error),
				&error);
	strlcpy(list->name, name, sizeof(list->name));
	list->part = part;
	list->id = id;
	note_snapshot(issuer->generation);
	issuer->generation->may_be_undone = true;
	return list;
}

/* url NULL: any issuer was meant. */
static _Noreturn void
raise_no_issuer(VciStore *store, const char *url)
{
	if (vci_store_issuer_exists(store, url))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						url ? errmsg("issuer %s is retired", url)
							: errmsg("there is no issuer but retired ones")));
	if (url == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no issuer yet"),
				 errhint("SELECT openid4vci.vci_create_issuer('https://registry.example');")));
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no issuer \"%s\"", url),
					errhint("SELECT url FROM openid4vci.vci_issuer_info WHERE retired_at IS NULL; "
							"lists them.")));
}

VciIssuerEntry *
vci_cache_issuer(VciStore *store, const char *url)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	if (url == NULL && count > 1)
		ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_PARAMETER),
						errmsg("there are several issuers: say which one"),
						errhint("Add issuer => '%s'.", issuers[0].rules.url)));
	for (int i = 0; i < count; i++)
		if (url == NULL || strcmp(issuers[i].rules.url, url) == 0)
			return vci_cache_load(store, &issuers[i]);
	raise_no_issuer(store, url);
}

VciIssuerEntry *
vci_cache_issuer_by_id(VciStore *store, int64 id)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
		if (issuers[i].rules.id == id)
			return vci_cache_load(store, &issuers[i]);
	return NULL;
}

const VciClientRow *
vci_cache_find_client(const VciIssuerEntry *issuer, const char *client_id)
{
	for (int i = 0; i < issuer->client_count; i++)
		if (strcmp(issuer->clients[i].id, client_id) == 0)
			return &issuer->clients[i];
	return NULL;
}

const VciTrustedServer *
vci_cache_find_server(const VciIssuerEntry *issuer, const char *url)
{
	for (int i = 0; i < issuer->server_count; i++)
		if (strcmp(issuer->servers[i].row.url, url) == 0)
			return &issuer->servers[i];
	return NULL;
}

int
vci_cache_find_configuration(const VciIssuerEntry *issuer, const char *id)
{
	for (int i = 0; i < issuer->configuration_count; i++)
		if (strcmp(issuer->configurations[i].id, id) == 0)
			return i;
	return -1;
}

int
vci_cache_require_configuration(VciStore *store, const VciIssuerEntry *issuer, const char *id)
{
	int found = vci_cache_find_configuration(issuer, id);

	if (found < 0 && vci_store_configuration_exists(store, issuer->rules.id, id))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("credential configuration \"%s\" is retired", id)));
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("issuer %s has no credential configuration \"%s\"", issuer->rules.url, id),
				 errhint("SELECT id FROM openid4vci.vci_configuration_info WHERE retired_at IS "
						 "NULL; lists them.")));
	return found;
}

void
vci_cache_require_key(const VciIssuerEntry *issuer)
{
	if (issuer->signing.id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("issuer %s has no active signing key", issuer->rules.url),
				 errhint("SELECT openid4vci.vci_create_key(issuer => '%s');", issuer->rules.url)));
}
