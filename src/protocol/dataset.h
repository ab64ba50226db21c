/*
 * Credential datasets (OpenID4VCI 1.0 section 3.3.4): several credentials behind one
 * configuration of an offer, such as a mother's entitlement and her child's.
 */
#ifndef VCI_DATASET_H
#define VCI_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include "../jose/json.h"

#define VCI_FIRST_DATASET				   1
#define VCI_MAX_DATASETS				   256
#define VCI_MAX_DATASETS_PER_CONFIGURATION 64

/* Members NULL: none. Lent. */
typedef struct VciDataset
{
	const char *subject_model;
	const char *subject_id;
	const VciJson *claims;
	const char *name; /* what a consent page calls it */
} VciDataset;

/*
 * Checks datasets as an operator gives them: an array of 1 to VCI_MAX_DATASETS objects
 * {configuration_id, subject_model, subject_id, claims, name}, each of one of these
 * configurations, at most VCI_MAX_DATASETS_PER_CONFIGURATION of one, with a subject_id or
 * claims (an object); texts printable, at most 255 bytes. VCI_ERR_REQUEST. What stands in
 * the claims is for the caller to check.
 */
extern VciStatus vci_datasets_check(const VciJson *datasets, const char *const *configuration_ids,
									size_t count, VciError *error);

/* How many belong to the configuration; 1 when datasets (NULL: none) name none of it. */
extern int vci_dataset_count(const VciJson *datasets, const char *configuration_id);

/*
 * Dataset number (from VCI_FIRST_DATASET) of the configuration. Where datasets name none of
 * it there is one: of_offer, with the offer's own subject and claims. False: no such number.
 */
extern bool vci_dataset_find(const VciJson *datasets, const char *configuration_id, int number,
							 const VciDataset *of_offer, VciDataset *dataset);

/*
 * credential_identifier of a dataset, "<configuration id>#<number>": a configuration id
 * itself is never one, because it holds no '#'. malloc'd.
 */
extern char *vci_credential_identifier(const char *configuration_id, int number);

/*
 * The number of the dataset of this configuration that identifier names; 0 when it names
 * none, or one that datasets do not hold.
 */
extern int vci_dataset_of_identifier(const VciJson *datasets, const char *configuration_id,
									 const char *identifier);

#endif
