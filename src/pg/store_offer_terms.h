/*
 * How long offers live: pieces of SQL that statements on vci_offer share.
 */
#ifndef VCI_STORE_OFFER_TERMS_H
#define VCI_STORE_OFFER_TERMS_H

/* A code that was given out at the last moment lives on, as long as any setting lets it. */
#define CODE_LEEWAY_SECONDS 600
#define CODE_LEEWAY(grants)                                                                        \
	"CASE WHEN 'authorization_code' = ANY (" grants                                                \
	") THEN interval '" CppAsString2(CODE_LEEWAY_SECONDS) " seconds' "                             \
														  "ELSE interval '0' END"

/* What is true of an offer that may be redeemed until $2 (seconds since 1970). */
#define EXPIRES                                                                                    \
	"expires_at = pg_catalog.to_timestamp($2), expiry_noted_at = NULL, "                           \
	"ends_at = pg_catalog.to_timestamp($2) + " CODE_LEEWAY(                                        \
		"grants") ", "                                                                             \
				  "claims_due = CASE WHEN claims_due IS NOT NULL THEN "                            \
				  "pg_catalog.to_timestamp($2) END "

#endif
