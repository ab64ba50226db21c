/*
 * Output for programs: one JSON object, whether the run succeeded or not.
 */
#ifndef WALLET_REPORT_H
#define WALLET_REPORT_H

#include "result.h"

/* New; NULL when memory is out. */
extern VciJson *wallet_report_result(const WalletContext *context, const WalletResult *result);
extern VciJson *wallet_report_failure(const WalletContext *context);

#endif
