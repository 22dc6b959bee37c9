/* SPDX-License-Identifier: BSD-2-Clause */
/* dial_attempts.c - the servers that a dial has tried, as text: $upstream_addr. */
#include "worker/upstream/dial_attempts.h"

#include <stdio.h>

struct slice dial_attempts_format(const struct dial *dial, char *buffer)
{
	size_t used = 0, size = DIAL_ATTEMPTS_TEXT_MAX;

	buffer[0] = '\0';
	for (uint32_t i = 0; i < dial->attempts && i < DIAL_ATTEMPTS_SHOWN; i++) {
		char address[ADDRESS_TEXT_MAX];
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", i ? ", " : "",
		        address_format(&dial->shown[i]->address, address, sizeof(address)));
	}
	if (dial->attempts > DIAL_ATTEMPTS_SHOWN)
		used += (size_t)snprintf(
		        buffer + used, size - used, ", +%u", dial->attempts - DIAL_ATTEMPTS_SHOWN);
	return (struct slice){buffer, used};
}
