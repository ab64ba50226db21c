/*
 * The claims of a credential as rows: which claim, which value, disclosed how.
 */
#ifndef WALLET_CLAIMS_H
#define WALLET_CLAIMS_H

#include "../jose/sd_jwt.h"
#include "failure.h"

typedef struct WalletClaim
{
	VciJson *path;		  /* claims path pointer: names and array indexes */
	const VciJson *value; /* lent from the credential's claims */
	bool own_disclosure;  /* can be withheld on its own */
	bool disclosable;	  /* can be withheld, by itself or with what it stands in */
} WalletClaim;

typedef struct WalletClaims
{
	size_t count;
	size_t capacity;
	WalletClaim *rows; /* containers come before their members */
} WalletClaims;

/*
 * Every claim about the subject (registered claims are left out). text is the compact
 * SD-JWT that sd_jwt was parsed from. To be freed in any case.
 */
extern bool wallet_claims_list(const char *text, const VciSdJwt *sd_jwt, WalletClaims *claims,
							   WalletFailure *failure);
/* Notes each claim that the configuration calls mandatory and the credential lacks. */
extern void wallet_claims_note_missing(const WalletClaims *claims, const VciJson *configuration,
									   VciJson *notes);

extern void wallet_claims_free(WalletClaims *claims);

#endif
