/*
 * Links as QR codes.
 */
#ifndef VCI_QR_H
#define VCI_QR_H

/* Version 40, level L (ISO/IEC 18004 section 7.4.10). */
#define VCI_QR_MAX_BYTES 2953

/*
 * An SVG document for screens, palloc'd. label: what it says to those who can't see it, without markup
 * characters. Raises 54000 when the link is longer
 * than VCI_QR_MAX_BYTES.
 */
extern char *vci_qr_svg(const char *link, const char *label);

#endif
