#include "jwt.h"

#include "number.h"

VciStatus
vci_jwt_time(const VciJson *payload, const char *name, const char *what, VciStatus code,
			 int64_t *seconds, bool *present, VciError *error)
{
	*present = vci_json_has(payload, name);
	if (*present && !vci_number_floor(vci_json_get(payload, name), seconds))
		return vci_error(error, code, "%s in %s must be a number of seconds since 1970", name,
						 what);
	return VCI_OK;
}

static bool
set_outcome(VciJson *verdict, const VciError *error)
{
	bool valid = error->code == VCI_OK;

	if (!vci_json_set_boolean(verdict, "valid", valid))
		return false;
	return valid || (vci_json_set_string(verdict, "error", vci_status_name(error->code)) &&
					 vci_json_set_string(verdict, "error_description", error->text));
}

VciJson *
vci_jwt_verdict(const VciJws *jws, const VciError *error)
{
	VciJson *verdict = vci_json_new_object();
	bool ok = verdict != NULL && set_outcome(verdict, error);

	if (ok && jws != NULL)
		ok = vci_json_set(verdict, "header", vci_json_ref(jws->header)) &&
			 vci_json_set(verdict, "payload", vci_json_ref(jws->payload));
	if (!ok)
	{
		vci_json_free(verdict);
		return NULL;
	}
	return verdict;
}
