/*
 * Links as QR codes.
 */
#ifndef VCI_QR_H
#define VCI_QR_H

/*
 * An SVG document for screens, palloc'd. label: what it says to those who can't see it, without markup
 * characters. Raises 54000 when the link is too long.
 */
extern char *vci_qr_svg(const char *link, const char *label);

#endif
