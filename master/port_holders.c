/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_holders.c - reads /proc/self/net/tcp and tcp6.
 *
 * Asked only when a probe bind failed on a port of which we hold sockets ourselves (127.0.0.1:80 is
 * held and *:80 is new): bind(2) does not say whom it met.
 */
#include "master/port_holders.h"

#include <inttypes.h>
#include <stdio.h>

enum { TCP_STATE_LISTEN = 0x0a };

static bool is_own(ino_t inode, const ino_t *own, size_t own_count)
{
	for (size_t i = 0; i < own_count; i++)
		if (own[i] == inode)
			return true;
	return false;
}

/* "  0: 0100007F:0050 00000000:0000 0A tx:rx tr:when retransmits uid timeout inode ..." */
static bool read_line(const char *line, unsigned *port_out, unsigned *state_out, ino_t *inode_out)
{
	unsigned long inode;

	if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
	            port_out, state_out, &inode) != 3)
		return false;
	*inode_out = (ino_t)inode;
	return true;
}

static bool table_has_other(const char *path, uint16_t port, const ino_t *own, size_t own_count)
{
	char line[512];
	bool found = false;
	FILE *table = fopen(path, "re");

	if (!table)
		return true;
	while (!found && fgets(line, sizeof(line), table)) {
		unsigned line_port, state;
		ino_t inode;
		found = read_line(line, &line_port, &state, &inode) && line_port == port &&
		        state == TCP_STATE_LISTEN && !is_own(inode, own, own_count);
	}
	fclose(table);
	return found;
}

bool port_has_other_holder(uint16_t port, const ino_t *own, size_t own_count)
{
	static const char six[] = "/proc/self/net/tcp6";
	FILE *probe = fopen(six, "re");
	bool has_six = probe != NULL;

	if (probe)
		fclose(probe); /* absent where IPv6 is off */
	return table_has_other("/proc/self/net/tcp", port, own, own_count) ||
	       (has_six && table_has_other(six, port, own, own_count));
}
