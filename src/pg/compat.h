/*
 * PostgreSQL 15 to 18 in one place: every difference between them stands here.
 * src/pg includes this instead of postgres.h.
 */
#ifndef VCI_COMPAT_H
#define VCI_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "openid4vci needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "fmgr.h"

/* PostgreSQL 18 lets a module tell its name and version. */
#if PG_VERSION_NUM >= 180000
#define VCI_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "openid4vci", .version = OPENID4VCI_VERSION)
#else
#define VCI_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* For executor/executor.h, which store_insert.c includes: the arguments that are not ours. */
#if PG_VERSION_NUM >= 180000
#define VciExecCheckIndexConstraints(target, slot, estate, tid, arbiters)                          \
	ExecCheckIndexConstraints(target, slot, estate, tid, &(slot)->tts_tid, arbiters)
#else
#define VciExecCheckIndexConstraints(target, slot, estate, tid, arbiters)                          \
	ExecCheckIndexConstraints(target, slot, estate, tid, arbiters)
#endif
#if PG_VERSION_NUM >= 160000
#define VciExecInsertIndexTuples(target, slot, estate, no_error, conflict, arbiters)               \
	ExecInsertIndexTuples(target, slot, estate, false, no_error, conflict, arbiters, false)
#else
#define VciExecInsertIndexTuples(target, slot, estate, no_error, conflict, arbiters)               \
	ExecInsertIndexTuples(target, slot, estate, false, no_error, conflict, arbiters)
#endif

/* A member of ResultRelInfo, which store_insert.c uses. */
#if PG_VERSION_NUM >= 180000
#define VciCheckExprs ri_CheckConstraintExprs
#else
#define VciCheckExprs ri_ConstraintExprs
#endif

/* For access/tableam.h and access/genam.h, which store_row.c includes. */
#if PG_VERSION_NUM >= 180000
#define VciIndexBeginScan(relation, index, snapshot, keys)                                         \
	index_beginscan(relation, index, snapshot, NULL, keys, 0)
#else
#define VciIndexBeginScan(relation, index, snapshot, keys)                                         \
	index_beginscan(relation, index, snapshot, keys, 0)
#endif
#if PG_VERSION_NUM >= 160000
#define VciUpdateIndexes				   TU_UpdateIndexes
#define VciUpdatesIndexes(indexes)		   ((indexes) != TU_None)
#define VciUpdatesOnlySummarizing(indexes) ((indexes) == TU_Summarizing)
#define VciExecInsertChangedIndexTuples(target, slot, estate, only_summarizing)                    \
	ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL, only_summarizing)
#else
#define VciUpdateIndexes				   bool
#define VciUpdatesIndexes(indexes)		   (indexes)
#define VciUpdatesOnlySummarizing(indexes) false
#define VciExecInsertChangedIndexTuples(target, slot, estate, only_summarizing)                    \
	ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL)
#endif

/* glibc 2.34: a child process can be rid of all other files at once. */
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
#define VCI_HAVE_CLOSEFROM
#endif

#endif
