/*
 * The one VciCurves of a backend.
 */
#ifndef VCI_BACKEND_CURVES_H
#define VCI_BACKEND_CURVES_H

#include "../jose/jwk.h"

/* Made when it is first asked for; every key of this backend may use it to its end. */
extern VciCurves *vci_backend_curves(void);

#endif
