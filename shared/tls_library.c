/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_library.c - asks GnuTLS. */
#include "shared/tls_library.h"

#include <gnutls/gnutls.h>
#include <stddef.h>

const char *tls_library_version(void)
{
	return gnutls_check_version(NULL);
}
