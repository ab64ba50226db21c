/*
 * Transactions of a procedure's own, one after another.
 */
#ifndef VCI_STORE_TRANSACTION_H
#define VCI_STORE_TRANSACTION_H

/* In a procedure that is called outside of a transaction; ends the call's own one. */
extern void vci_store_take_transactions(void);
extern void vci_store_leave_transactions(void);

/*
 * Around whatever opens the store. READ COMMITTED whatever the session's default: those who meet
 * on a row wait for each other, and do not fail.
 */
extern void vci_store_begin(void);
extern void vci_store_commit(void);

#endif
