/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges.c - groups first, then the group, then the user, then proof that there is no way back.
 *
 * A worker opens no file and no listening socket, so it needs no supplementary group and no
 * capability, even where `user = root` was written. The kernel clears capabilities on the way from
 * root to another user only by default; here they go in any case.
 */
#include "master/privileges.h"

#include "shared/config.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* It looks into its own process as a debugger does. */
#ifdef __SANITIZE_ADDRESS__
enum { LEAK_CHECKER = 1 };
#else
enum { LEAK_CHECKER = 0 };
#endif

struct fault {
	char *text;
	size_t size;
};

/* Always false, for the caller to return. */
static bool fail(struct fault fault, const char *what)
{
	snprintf(fault.text, fault.size, "%s: %s", what, strerror(errno));
	return false;
}

static bool change_user(const struct config_main *main, struct fault fault)
{
	if (setgroups(1, &main->gid) != 0)
		return fail(fault, "giving up supplementary groups");
	if (setresgid(main->gid, main->gid, main->gid) != 0)
		return fail(fault, "changing the group");
	if (setresuid(main->uid, main->uid, main->uid) != 0)
		return fail(fault, "changing the user");
	return true;
}

static bool drop_capabilities(struct fault fault)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	/* Kernels before 4.3 have no ambient set to clear. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) != 0)
		return fail(fault, "giving up capabilities");
	return true;
}

static bool user_is_lost_for_good(const struct config_main *main, struct fault fault)
{
	if (main->uid == 0)
		return true;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) {
		snprintf(fault.text, fault.size, "root could be regained after setresuid");
		return false;
	}
	return true;
}

static bool forbid_core_dumps(const struct config_main *main, struct fault fault)
{
	struct rlimit none = {0, 0};

	/* A change of user cleared it, so `on` has to be said too. */
	if (prctl(PR_SET_DUMPABLE, main->core_dumps || LEAK_CHECKER, 0, 0, 0) != 0)
		return fail(fault, "PR_SET_DUMPABLE");
	if (!main->core_dumps && setrlimit(RLIMIT_CORE, &none) != 0)
		return fail(fault, "forbidding core dumps");
	return true;
}

bool privileges_drop(const struct config_main *main, char *text, size_t size)
{
	struct fault fault = {text, size};

	if (main->user_name && !change_user(main, fault))
		return false;
	if (!drop_capabilities(fault))
		return false;
	if (main->user_name && !user_is_lost_for_good(main, fault))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(fault, "PR_SET_NO_NEW_PRIVS");
	return forbid_core_dumps(main, fault);
}
