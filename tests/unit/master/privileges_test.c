/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges_test.c - what is left of a process afterwards, read back from the kernel.
 *
 * Each case runs in a child, which can't get back what it gave up. What takes root is left out
 * without it.
 */
#include "master/privileges.h"

#include "shared/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SOME_UID = 65534, SOME_GID = 65534 };

/* The text behind "NAME:" in /proc/self/status. */
static bool status_is(const char *name, const char *wanted)
{
	char line[256];
	bool same = false;
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
			continue;
		char *text = line + strlen(name) + 1 + strspn(line + strlen(name) + 1, "\t ");
		text[strcspn(text, "\n")] = '\0';
		while (*text && text[strlen(text) - 1] == ' ')
			text[strlen(text) - 1] = '\0';
		same = strcmp(text, wanted) == 0;
	}
	if (status)
		fclose(status);
	return same;
}

static bool drop(const struct config_main *main)
{
	char fault[256];

	return privileges_drop(main, fault, sizeof(fault));
}

/* The exit status of `body` in a child: 0 is right, other numbers are its line. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char no_capability[] = "0000000000000000";

static int without_user(void)
{
	struct config_main main = {.user_name = NULL};

	if (!drop(&main))
		return 1;
	if (!status_is("CapEff", no_capability) || !status_is("CapPrm", no_capability) ||
	        !status_is("CapAmb", no_capability))
		return 2;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

static int as_other_user(void)
{
	struct config_main main = {.user_name = "nobody", .uid = SOME_UID, .gid = SOME_GID};
	uid_t real, effective, saved;

	if (!drop(&main))
		return 1;
	if (getresuid(&real, &effective, &saved) != 0 || real != SOME_UID ||
	        effective != SOME_UID || saved != SOME_UID)
		return 2;
	if (!status_is("Gid", "65534\t65534\t65534\t65534") || !status_is("Groups", "65534"))
		return 3;
	if (!status_is("CapEff", no_capability) || !status_is("CapPrm", no_capability))
		return 4;
	return setuid(0) != 0 && seteuid(0) != 0 && access("/proc/1/mem", R_OK) != 0 ? 0 : 5;
}

static int as_root_by_name(void)
{
	struct config_main main = {.user_name = "root", .uid = 0, .gid = 0};

	if (!drop(&main))
		return 1;
	return status_is("CapEff", no_capability) && status_is("CapPrm", no_capability) ? 0 : 2;
}

static int without_cores(void)
{
	struct config_main main = {.core_dumps = false};
	struct rlimit limit;

	if (!drop(&main) || getrlimit(RLIMIT_CORE, &limit) != 0)
		return 1;
	return limit.rlim_cur == 0 && limit.rlim_max == 0 ? 0 : 2;
}

static int with_cores(void)
{
	struct config_main main = {.core_dumps = true};

	return drop(&main) && prctl(PR_GET_DUMPABLE) == 1 ? 0 : 1;
}

static void anybody_loses_capabilities_and_new_privileges(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_user), 0);
}

static void root_becomes_another_user_for_good(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(as_other_user), 0);
}

static void root_that_stays_root_has_no_capability(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(as_root_by_name), 0);
}

static void cores_are_forbidden_or_allowed(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_cores), 0);
	assert_int_equal(in_child(with_cores), 0);
}

static void who_is_not_root_cannot_change_user_and_says_so(void **state)
{
	struct config_main main = {.user_name = "root", .uid = 0, .gid = 0};
	char fault[256] = "";

	(void)state;
	if (geteuid() == 0)
		skip();
	assert_false(privileges_drop(&main, fault, sizeof(fault)));
	assert_non_null(strstr(fault, "groups"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(anybody_loses_capabilities_and_new_privileges),
	        cmocka_unit_test(root_becomes_another_user_for_good),
	        cmocka_unit_test(root_that_stays_root_has_no_capability),
	        cmocka_unit_test(cores_are_forbidden_or_allowed),
	        cmocka_unit_test(who_is_not_root_cannot_change_user_and_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
