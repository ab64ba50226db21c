/*
 * JSON numbers that stand for points in time.
 */
#ifndef VCI_NUMBER_H
#define VCI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "../jose/json.h"

/*
 * The whole part of a number, whatever its notation (1701960444, 1701960444.5,
 * 1.701960444e9); a NumericDate (RFC 7519 section 2) may have a fraction. False for other
 * kinds, negative numbers, and numbers from 10^18 on.
 */
extern bool vci_number_floor(const VciJson *json, int64_t *whole);

#endif
