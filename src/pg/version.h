/*
 * The library and the extension's objects in this database belong together.
 */
#ifndef VCI_VERSION_H
#define VCI_VERSION_H

/* Raises 55000, with a hint what to type, when the objects are of another version. */
extern void vci_require_same_version(void);

#endif
