/*
 * What a wallet is told must not be lost by a crash a moment later.
 */
#ifndef VCI_DURABILITY_H
#define VCI_DURABILITY_H

/*
 * Will this transaction's commit be on disk before its caller hears of it? If so, it stays so
 * whatever synchronous_commit becomes before the commit.
 */
extern bool vci_commits_durably(void);

/* Raises 55000 with a hint when it will not. */
extern void vci_require_durability(void);

/* For vci_health: is everything as it must be, and in plain words what is not (palloc'd)? */
extern bool vci_durability_state(char **detail);

#endif
