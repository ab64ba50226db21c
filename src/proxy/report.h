/*
 * Messages to the operator on stderr, one line each. Never a request's content.
 */
#ifndef PROXY_REPORT_H
#define PROXY_REPORT_H

extern void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
