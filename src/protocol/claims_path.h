/*
 * Claims path pointers (OpenID4VCI 1.0 appendix C) inside the protocol rules. Every
 * pointer here was checked by vci_claims_path_check before.
 */
#ifndef VCI_CLAIMS_PATH_H
#define VCI_CLAIMS_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "../jose/json.h"

#define VCI_CLAIMS_PATH_TEXT_SIZE 96

/* "amount.value", "degrees[*].type", "nationalities[1]", for error texts; cut when long. */
extern void vci_claims_path_text(const VciJson *path, char out[VCI_CLAIMS_PATH_TEXT_SIZE]);

/* Is this member name kept for SD-JWT itself at any depth, or (top) for the formats? */
extern bool vci_claim_name_reserved(const char *name, bool top);

/* Does the pointer select at least one claim whose value is not null? */
extern bool vci_claims_path_selects(const VciJson *path, const VciJson *claims);

#endif
