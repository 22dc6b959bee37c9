/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_library.h - which TLS library this process runs with. */
#ifndef SHARED_TLS_LIBRARY_H
#define SHARED_TLS_LIBRARY_H

/* "3.7.9": of the library that is loaded, not of the headers. Packed sessions are its private
 * format. */
const char *tls_library_version(void);

#endif
