/*
 * Settings of an issuer, as vci_create_issuer and vci_alter_issuer take them.
 */
#ifndef VCI_ISSUER_SETTINGS_H
#define VCI_ISSUER_SETTINGS_H

#include "store.h"

/* Raises 22023 for a member that is no setting. */
extern void vci_check_setting_names(const VciJson *settings);

/*
 * Checks settings, each by itself and in what they make of the issuer together with others,
 * and stores them. An authentication function is resolved with the caller's rights.
 */
extern void vci_change_settings(VciStore *store, int64 issuer_id, const VciJson *settings);

#endif
