#include "compat.h"

#include "backend_curves.h"
#include "report.h"

VciCurves *
vci_backend_curves(void)
{
	static VciCurves *curves = NULL;

	if (curves == NULL)
		vci_require_memory(curves = vci_curves_new());
	return curves;
}
