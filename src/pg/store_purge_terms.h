/*
 * When rows are over: SQL conditions for store_purge.c on a row r at the time $1 (seconds since
 * 1970). They stand in the search for rows and again where a row is locked, because in between
 * a wallet may have prolonged it.
 */
#ifndef VCI_STORE_PURGE_TERMS_H
#define VCI_STORE_PURGE_TERMS_H

#define VCI_TOKEN_RETENTION_SECONDS "2592000"
#define VCI_RETRY_WINDOW_SECONDS	"60"

/* Where offers are kept for good, addresses are kept so long after the offer's end. */
#define VCI_RECIPIENT_SECONDS "2592000"

/* A setting of the row's issuer, also of a retired one. */
#define OF_ISSUER(setting)                                                                         \
	"(SELECT " setting " FROM openid4vci.vci_issuer AS i WHERE i.id = r.issuer_id)"

#define BEFORE(seconds) "pg_catalog.to_timestamp($1 - " seconds ")"

#define TOKEN_RETENTION OF_ISSUER("COALESCE(i.token_retention, " VCI_TOKEN_RETENTION_SECONDS ")")

/*
 * Rows of other tables are looked up one at a time, by scalar subqueries: EXISTS would let the
 * planner read the whole table into a hash.
 */
#define OVER_OR_GONE(time)		"COALESCE((" time ") <= pg_catalog.to_timestamp($1), true)"
#define LONG_OVER_OR_GONE(time) "COALESCE((" time ") <= " BEFORE("3600") ", true)"

/* While a deferral lives, the token that asked can fetch it, though its own time is over. */
#define TOKEN_IS_OVER                                                                              \
	"(r.expires_at <= " BEFORE(TOKEN_RETENTION) " AND " OVER_OR_GONE(                              \
		"SELECT max(d.expires_at) FROM openid4vci.vci_deferred AS d WHERE d.token_id = r.id") ")"

#define REFRESH_TOKEN_IS_OVER "(r.expires_at <= " BEFORE(TOKEN_RETENTION) ")"

/* A request that nobody approved still explains itself for a day in vci_authorization_info. */
#define AUTHORIZATION_IS_OVER                                                                      \
	"CASE WHEN r.approved_at IS NULL THEN r.expires_at <= " BEFORE(                                \
		"86400") " ELSE r.code_expires_at <= " BEFORE(TOKEN_RETENTION) " END"

/*
 * As long as its token can ask, these rows stand against issuing the same again. A request that
 * began in time may be slow: it has waited for a lock, or for the registry's claims source.
 */
#define TOKEN_IS_DEAD                                                                              \
	LONG_OVER_OR_GONE("SELECT t.expires_at FROM openid4vci.vci_token AS t WHERE t.id = "           \
					  "r.token_id")

#define DEFERRED_IS_OVER                                                                           \
	"(COALESCE(r.issued_at, r.denied_at, r.expires_at) <= " BEFORE(                                \
		TOKEN_RETENTION) " AND " TOKEN_IS_DEAD ")"

/* iat and exp are rounded down, so that exp may lie before the time of issuing. */
#define CREDENTIAL_IS_OVER                                                                         \
	"(GREATEST(r.expires_at, r.issued_at) <= " BEFORE(                                             \
		OF_ISSUER("i.credential_retention")) " AND " TOKEN_IS_DEAD ")"

#define KEEPS_CLAIMS OF_ISSUER("i.keep_claims")

/* Fetched, and the answer can't be asked for again; or never to be fetched any more. */
#define DEFERRED_CLAIMS_ARE_OVER                                                                   \
	"(r.claims IS NOT NULL AND NOT " KEEPS_CLAIMS                                                  \
	" AND (r.expires_at <= pg_catalog.to_timestamp($1) OR r.issued_at < " BEFORE(OF_ISSUER(        \
		"COALESCE(i.retry_window, " VCI_RETRY_WINDOW_SECONDS                                       \
		")")) " OR NOT EXISTS (SELECT FROM openid4vci.vci_offer AS o WHERE o.id = r.offer_id "     \
			  "AND o.cancelled_at IS NULL AND o.generation = r.generation)))"

/* Offers of version 0.1.0 do not tell their end: what their tokens can have lived at most. */
#define OFFER_END                                                                                  \
	"COALESCE(r.ends_at, r.expires_at + interval '30 days' + interval '1 second' * " OF_ISSUER(    \
		"COALESCE(i.refresh_token_lifetime, 0)::bigint + "                                         \
		"COALESCE(i.deferred_lifetime, 0) + COALESCE(i.access_token_lifetime, 0)") ")"

#define OFFER_IS_OVER "(" OFFER_END " <= pg_catalog.to_timestamp($1))"

#define OFFER_IS_TO_GO "(" OFFER_END " <= " BEFORE(OF_ISSUER("i.offer_retention")) ")"

/* Claims that nobody has made due: of an issuer that kept them, or of version 0.1.0. */
#define CLAIMS_ARE_KEPT_NO_MORE                                                                    \
	"(r.claims_due IS NULL AND r.claims_erased_at IS NULL AND (r.claims IS NOT NULL OR "           \
	"jsonb_path_exists(r.datasets, '$[*].claims')) AND NOT " KEEPS_CLAIMS ")"

#endif
