/*
 * Duties: what a role may do, for one issuer or for all.
 */
#ifndef VCI_DUTY_H
#define VCI_DUTY_H

#include "cache.h"
#include "store.h"

typedef enum VciDuty
{
	VCI_DUTY_ENDPOINT,
	VCI_DUTY_OFFERER,
	VCI_DUTY_ISSUER_ADMIN,
	VCI_DUTY_KEY_ADMIN,
	VCI_DUTY_VERIFIER,
	VCI_DUTY_REPORTER,
	VCI_DUTY_AUDITOR,
	VCI_DUTY_BACKUP,
	VCI_DUTY_GATEWAY,
	VCI_DUTY_TX_CODE_GATEWAY
} VciDuty;

#define VCI_ALL_ISSUERS INT64CONST(0)

typedef struct VciDutyDefinition
{
	const char *name;
	bool limitable;			 /* may be limited to one issuer */
	const char *objects[96]; /* what GRANT and REVOKE take, NULL-terminated */
} VciDutyDefinition;

extern const VciDutyDefinition *vci_duty_definition(VciDuty duty);

/* Raises 22023 with a hint that names them all when there is no such duty. */
extern VciDuty vci_duty_by_name(const char *name);

/* The extension's owner and superusers have every duty. */
extern bool vci_is_master(VciStore *store);

/* Has the store's caller this duty for this issuer (VCI_ALL_ISSUERS: for all)? */
extern bool vci_has_duty(VciStore *store, VciDuty duty, int64 issuer_id);

/* Reading views and events is part of most duties: of all but endpoint, verifier and backup. */
extern bool vci_may_read(VciStore *store, int64 issuer_id);

/* Handing out deliveries, or (tx_codes) their transaction codes, is part of offerer. */
extern bool vci_may_deliver(VciStore *store, bool tx_codes, int64 issuer_id);

/* Raises 42501 with a hint that shows the vci_grant call when it has not. */
extern void vci_require_duty(VciStore *store, VciDuty duty, int64 issuer_id);

/* The issuer with this URL (NULL: the only one), after checking that the duty covers it. */
extern VciIssuerEntry *vci_issuer_with_duty(VciStore *store, const char *url, VciDuty duty);

/* Has every role the privileges that its duties need? *detail says it in words. */
extern bool vci_duties_applied(VciStore *store, char **detail);

#endif
