#include "credential.h"

#include <stdlib.h>
#include <string.h>

#include "dataset.h"

#define FORMAT_DC "dc+sd-jwt"
#define FORMAT_VC "vc+sd-jwt"

/* A JSON null counts as absent, as the serializers of some wallets write it. */
static VciStatus
read_string(const VciJson *object, const char *name, const char **text, VciError *error)
{
	const VciJson *value = vci_json_get(object, name);

	*text = vci_json_string(value);
	if (value != NULL && (*text == NULL || (*text)[0] == '\0'))
		return vci_error(error, VCI_ERR_REQUEST, "%s must be a string that is not empty", name);
	return VCI_OK;
}

/* The last type beside VerifiableCredential, from "type" or draft 11's "types". */
static VciStatus
read_definition_type(const VciJson *definition, const char **type, VciError *error)
{
	const VciJson *types = vci_json_get(definition, "type");

	if (types == NULL)
		types = vci_json_get(definition, "types");
	if (types == NULL)
		return VCI_OK;
	if (vci_json_kind(types) != VCI_JSON_ARRAY)
		return vci_error(error, VCI_ERR_REQUEST, "credential_definition.type must be an array");
	for (size_t i = 0; i < vci_json_array_length(types); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(types, i));

		if (name == NULL)
			return vci_error(error, VCI_ERR_REQUEST,
							 "credential_definition.type must hold strings only");
		if (strcmp(name, "VerifiableCredential") != 0)
			*type = name;
	}
	return VCI_OK;
}

/* Drafts 11 to 14: format with vct, or with the guide's credential_definition. */
static VciStatus
read_older_shape(VciCredentialRequest *request, VciError *error)
{
	const VciJson *definition = vci_json_get(request->body, "credential_definition");
	VciStatus status;

	request->older_shape = true;
	status = read_string(request->body, "vct", &request->vct, error);
	if (status != VCI_OK)
		return status;
	if (definition != NULL)
	{
		if (vci_json_kind(definition) != VCI_JSON_OBJECT)
			return vci_error(error, VCI_ERR_REQUEST, "credential_definition must be an object");
		status = read_definition_type(definition, &request->type, error);
		if (status == VCI_OK && request->vct == NULL)
			status = read_string(definition, "vct", &request->vct, error);
	}
	if (status == VCI_OK && request->vct == NULL && request->type == NULL)
		status = vci_error(error, VCI_ERR_REQUEST,
						   "a request with format needs vct, or credential_definition with a type");
	return status;
}

/* Which credential is asked for, and in which shape. */
static VciStatus
read_credential_name(VciCredentialRequest *request, VciError *error)
{
	VciStatus status = read_string(request->body, "credential_configuration_id",
								   &request->configuration_id, error);

	if (status == VCI_OK)
		status = read_string(request->body, "credential_identifier", &request->identifier, error);
	if (status != VCI_OK)
		return status;
	if (request->configuration_id != NULL && request->identifier != NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "credential_identifier and credential_configuration_id exclude each "
						 "other");
	/* beside one of the two, format is an unknown parameter and ignored */
	if (request->configuration_id != NULL || request->identifier != NULL)
		return VCI_OK;
	status = read_string(request->body, "format", &request->format, error);
	if (status != VCI_OK)
		return status;
	if (request->format == NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "the request names no credential: credential_configuration_id or "
						 "credential_identifier is missing");
	return read_older_shape(request, error);
}

static VciStatus
read_singular_proof(VciCredentialRequest *request, const VciJson *proof, VciError *error)
{
	const char *type = vci_json_get_string(proof, "proof_type");
	const char *jwt = vci_json_get_string(proof, "jwt");

	request->singular_proof = true;
	if (vci_json_kind(proof) != VCI_JSON_OBJECT || type == NULL)
		return vci_error(error, VCI_ERR_PROOF, "proof must be an object with proof_type and jwt");
	if (strcmp(type, "jwt") != 0)
		return vci_error(error, VCI_ERR_PROOF_TYPE, "the only proof type here is jwt");
	if (jwt == NULL)
		return vci_error(error, VCI_ERR_PROOF, "proof lacks its member jwt");
	request->proofs[0] = jwt;
	request->proof_count = 1;
	return VCI_OK;
}

static VciStatus
read_plural_proofs(VciCredentialRequest *request, const VciJson *proofs, VciError *error)
{
	const VciJson *jwts = vci_json_get(proofs, "jwt");
	size_t count = vci_json_array_length(jwts);

	if (vci_json_member_count(proofs) != 1)
		return vci_error(error, VCI_ERR_PROOF,
						 "proofs must be an object with exactly one member, the proof type");
	if (!vci_json_has(proofs, "jwt"))
		return vci_error(error, VCI_ERR_PROOF_TYPE, "the only proof type here is jwt");
	if (count == 0)
		return vci_error(error, VCI_ERR_PROOF, "proofs.jwt must be an array of at least one JWT");
	if (count > VCI_MAX_PROOFS)
		return vci_error(error, VCI_ERR_PROOF, "proofs.jwt may hold %d JWTs at most",
						 VCI_MAX_PROOFS);
	for (size_t i = 0; i < count; i++)
	{
		request->proofs[i] = vci_json_string(vci_json_array_at(jwts, i));
		if (request->proofs[i] == NULL)
			return vci_error(error, VCI_ERR_PROOF, "proofs.jwt must hold strings only");
	}
	request->proof_count = count;
	return VCI_OK;
}

static VciStatus
read_proofs(VciCredentialRequest *request, VciError *error)
{
	const VciJson *proof = vci_json_get(request->body, "proof");
	const VciJson *proofs = vci_json_get(request->body, "proofs");

	if (proof != NULL && proofs != NULL)
		return vci_error(error, VCI_ERR_REQUEST, "proof and proofs exclude each other");
	if (proof != NULL)
		return read_singular_proof(request, proof, error);
	if (proofs != NULL)
		return read_plural_proofs(request, proofs, error);
	return VCI_OK;
}

VciStatus
vci_credential_request_read(VciJson *body, VciCredentialRequest *request, VciError *error)
{
	VciStatus status;

	memset(request, 0, sizeof(*request));
	request->body = body;
	status = read_credential_name(request, error);
	if (status == VCI_OK && vci_json_get(body, "credential_response_encryption") != NULL)
		status = vci_error(error, VCI_ERR_ENCRYPTION,
						   "this issuer does not encrypt responses; leave "
						   "credential_response_encryption out");
	if (status == VCI_OK)
		status = read_proofs(request, error);
	if (status != VCI_OK)
		vci_credential_request_free(request);
	return status;
}

VciStatus
vci_credential_request_parse(const char *body, size_t len, VciCredentialRequest *request,
							 VciError *error)
{
	VciJson *json;
	VciStatus status = vci_json_parse_object(body, len, &json, error);

	memset(request, 0, sizeof(*request));
	return status == VCI_OK ? vci_credential_request_read(json, request, error) : status;
}

void
vci_credential_request_free(VciCredentialRequest *request)
{
	vci_json_free(request->body);
	memset(request, 0, sizeof(*request));
}

bool
vci_credential_request_is_older(const VciCredentialRequest *request)
{
	return request->older_shape || request->singular_proof;
}

static bool
has_switch(const VciConfiguration *configuration, VciOlder bit)
{
	return (configuration->older & (unsigned) bit) != 0;
}

static VciStatus
match_identifier(const char *identifier, const VciConfiguration *configurations, size_t count,
				 const VciJson *covered, const VciJson *datasets, const VciConfiguration **match,
				 int *dataset, VciError *error)
{
	for (size_t i = 0; i < count; i++)
	{
		int number = vci_dataset_of_identifier(datasets, configurations[i].id, identifier);

		if (number != 0 && vci_json_array_has_string(covered, configurations[i].id))
		{
			*match = &configurations[i];
			*dataset = number;
			return VCI_OK;
		}
	}
	return vci_error(error, VCI_ERR_IDENTIFIER_UNKNOWN,
					 "this credential_identifier was not in the token response");
}

static VciStatus
match_configuration_id(const char *id, const VciConfiguration *configurations, size_t count,
					   const VciJson *covered, const VciConfiguration **match, VciError *error)
{
	for (size_t i = 0; i < count; i++)
	{
		if (strcmp(configurations[i].id, id) != 0)
			continue;
		if (!vci_json_array_has_string(covered, id))
			return vci_error(error, VCI_ERR_SCOPE,
							 "the access token does not cover the configuration %.80s", id);
		*match = &configurations[i];
		return VCI_OK;
	}
	return vci_error(error, VCI_ERR_CONFIGURATION_UNKNOWN,
					 "this issuer has no credential configuration %.80s", id);
}

/* Does an older request, by vct or by type, mean this configuration? */
static bool
older_name_matches(const VciCredentialRequest *request, const VciConfiguration *configuration)
{
	if (request->vct != NULL)
		return strcmp(request->vct, configuration->vct) == 0;
	return strcmp(request->type, configuration->id) == 0 ||
		   (configuration->scope != NULL && strcmp(request->type, configuration->scope) == 0);
}

/* How well a configuration fits an older request; a higher one wins, the first among equals. */
typedef enum OlderFit
{
	FIT_NONE,
	FIT_NOT_COVERED,
	FIT_SWITCH_OFF,	  /* covered, but it does not bend to this request */
	FIT_OTHER_FORMAT, /* covered; asked for as vc+sd-jwt, as its switch allows */
	FIT_EXACT
} OlderFit;

static OlderFit
older_fit(const VciCredentialRequest *request, const VciConfiguration *configuration,
		  const VciJson *covered)
{
	bool same_format = strcmp(request->format, configuration->format) == 0;

	if (!older_name_matches(request, configuration))
		return FIT_NONE;
	if (!same_format && strcmp(request->format, FORMAT_VC) != 0)
		return FIT_NONE;
	if (!vci_json_array_has_string(covered, configuration->id))
		return FIT_NOT_COVERED;
	if (!has_switch(configuration, VCI_OLDER_FORMAT_REQUEST))
		return FIT_SWITCH_OFF;
	if (same_format)
		return FIT_EXACT;
	return has_switch(configuration, VCI_OLDER_VC_SD_JWT) ? FIT_OTHER_FORMAT : FIT_SWITCH_OFF;
}

static VciStatus
match_older(const VciCredentialRequest *request, const VciConfiguration *configurations,
			size_t count, const VciJson *covered, const VciConfiguration **match, VciError *error)
{
	OlderFit best = FIT_NONE;
	const VciConfiguration *found = NULL;

	for (size_t i = 0; i < count; i++)
	{
		OlderFit fit = older_fit(request, &configurations[i], covered);

		if (fit > best)
		{
			best = fit;
			found = &configurations[i];
		}
	}
	if (best == FIT_NONE)
		return vci_error(error, VCI_ERR_CONFIGURATION_UNKNOWN,
						 "this issuer has no credential of this type and format");
	if (best == FIT_NOT_COVERED)
		return vci_error(error, VCI_ERR_SCOPE,
						 "the access token does not cover the configuration %.80s", found->id);
	if (best == FIT_SWITCH_OFF)
		return vci_error(error, VCI_ERR_REQUEST,
						 "send credential_configuration_id; %.80s takes no request by format (its "
						 "switch %s is off)",
						 found->id,
						 has_switch(found, VCI_OLDER_FORMAT_REQUEST) ? "vc_sd_jwt"
																	 : "format_request");
	*match = found;
	return VCI_OK;
}

static VciStatus
match_by_shape(const VciCredentialRequest *request, const VciConfiguration *configurations,
			   size_t count, const VciJson *covered, bool identifiers, const VciJson *datasets,
			   const VciConfiguration **match, int *dataset, VciError *error)
{
	*dataset = VCI_FIRST_DATASET;
	if (request->identifier != NULL)
	{
		if (!identifiers)
			return vci_error(error, VCI_ERR_IDENTIFIER_UNKNOWN,
							 "the token response named no credential_identifiers; send "
							 "credential_configuration_id");
		return match_identifier(request->identifier, configurations, count, covered, datasets,
								match, dataset, error);
	}
	if (identifiers)
		return vci_error(error, VCI_ERR_REQUEST,
						 "the token response named credential_identifiers; send one of them as "
						 "credential_identifier");
	if (request->configuration_id != NULL)
		return match_configuration_id(request->configuration_id, configurations, count, covered,
									  match, error);
	return match_older(request, configurations, count, covered, match, error);
}

VciStatus
vci_credential_request_match(const VciCredentialRequest *request,
							 const VciConfiguration *configurations, size_t count,
							 const VciJson *covered, bool identifiers, const VciJson *datasets,
							 const VciConfiguration **match, int *dataset, VciError *error)
{
	VciStatus status;

	*match = NULL;
	status = match_by_shape(request, configurations, count, covered, identifiers, datasets, match,
							dataset, error);
	if (status == VCI_OK && request->singular_proof &&
		!has_switch(*match, VCI_OLDER_SINGULAR_PROOF))
	{
		status = vci_error(error, VCI_ERR_REQUEST,
						   "send proofs instead of proof; %.80s takes no single proof (its switch "
						   "singular_proof is off)",
						   (*match)->id);
		*match = NULL;
	}
	return status;
}

const char *
vci_credential_format(const VciCredentialRequest *request, const VciConfiguration *configuration)
{
	const char *format = configuration->format;

	if (request != NULL && request->older_shape)
		format = request->format;
	return strcmp(format, FORMAT_VC) == 0 ? FORMAT_VC : FORMAT_DC;
}

static bool
append_credential(VciJson *list, const char *credential, bool wrapped)
{
	VciJson *item;

	if (!wrapped)
		return vci_json_append_string(list, credential);
	item = vci_json_new_object();
	if (!vci_json_set_string(item, "credential", credential))
	{
		vci_json_free(item);
		return false;
	}
	return vci_json_append(list, item);
}

static bool
set_credentials(VciJson *response, const char *const *credentials, size_t count, bool wrapped)
{
	VciJson *list = vci_json_new_array();

	if (!vci_json_set(response, "credentials", list))
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (!append_credential(list, credentials[i], wrapped))
			return false;
	}
	return true;
}

/* Draft 14, which brought proofs, answers them with an array of strings (its section 7.3). */
VciResponseShape
vci_credential_response_shape(const VciCredentialRequest *request)
{
	if (!request->older_shape)
		return VCI_RESPONSE_CREDENTIALS;
	if (request->proof_count > 0 && !request->singular_proof)
		return VCI_RESPONSE_OLDER_PLURAL;
	return VCI_RESPONSE_OLDER;
}

/* In the order of VciResponseShape. */
static const char *const shape_names[] = {"credentials", "older", "older_plural"};

const char *
vci_response_shape_name(VciResponseShape shape)
{
	return shape_names[shape];
}

bool
vci_response_shape_by_name(const char *name, VciResponseShape *shape)
{
	for (size_t i = 0; i < sizeof(shape_names) / sizeof(shape_names[0]); i++)
	{
		if (strcmp(shape_names[i], name) != 0)
			continue;
		*shape = (VciResponseShape) i;
		return true;
	}
	return false;
}

static bool
set_response(VciJson *response, VciResponseShape shape, const char *format,
			 const char *const *credentials, size_t count, const char *notification_id)
{
	switch (shape)
	{
		case VCI_RESPONSE_CREDENTIALS:
			return set_credentials(response, credentials, count, true) &&
				   (notification_id == NULL ||
					vci_json_set_string(response, "notification_id", notification_id));
		case VCI_RESPONSE_OLDER:
			return count == 1 && vci_json_set_string(response, "format", format) &&
				   vci_json_set_string(response, "credential", credentials[0]);
		case VCI_RESPONSE_OLDER_PLURAL:
			return vci_json_set_string(response, "format", format) &&
				   set_credentials(response, credentials, count, false);
	}
	return false;
}

VciJson *
vci_credential_response(VciResponseShape shape, const char *format, const char *const *credentials,
						size_t count, const char *notification_id)
{
	VciJson *response = vci_json_new_object();

	if (!set_response(response, shape, format, credentials, count, notification_id))
	{
		vci_json_free(response);
		return NULL;
	}
	return response;
}
