/* SPDX-License-Identifier: BSD-2-Clause */
/* config_title_test.c - section titles: kinds, names, paths of locations. */
#include "master/config_title.h"

#include "tests/support/config_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct config_rig_row titles[] = {
        {"[loction a /]\nreturn = 200\n" RIG_TCP,
                "main.ini:1: unknown section [loction a /]; did you mean 'location'?"},
        /* key of a server among the defaults */
        {"[http]\nlisten = 80\n" RIG_TCP,
                "main.ini:2: 'listen' may not stand in [http]; its place is in [http NAME], "
                "[tcp NAME], [admin]"},
        /* locations */
        {"[location]\n" RIG_TCP, "main.ini:1: [location] needs a name: [location NAME PATH]"},
        {"[location shop]\n" RIG_TCP,
                "main.ini:1: [location shop] needs the name of an [http NAME] and a path: "
                "[location NAME PATH]"},
        {"[location shop ~ ^/[a-z]+$]\nproxy_pass = http://x\n" RIG_TCP,
                "main.ini:1: [location shop ~ ^/[a-z]+$]: locations by regular expression are not "
                "there yet; write the path of a prefix, or '= PATH' for that path alone"},
        {"[location shop ~* x]\n" RIG_TCP,
                "main.ini:1: [location shop ~* x]: locations by regular expression are not there "
                "yet; write the path of a prefix, or '= PATH' for that path alone"},
        {"[location shop ^~ /x]\n" RIG_TCP,
                "main.ini:1: [location shop ^~ /x]: '^~' has no meaning without regular "
                "expressions, which are not there yet; leave it out"},
        {"[location shop =]\n" RIG_TCP,
                "main.ini:1: [location shop =]: there is no path behind the '='"},
        {"[location shop = /a /b]\n" RIG_TCP,
                "main.ini:1: [location shop = /a /b] has words behind its path; a path with "
                "blanks is written in quotes"},
        {"[location shop /a b]\n" RIG_TCP,
                "main.ini:1: [location shop /a b] has words behind its path; a path with blanks "
                "is written in quotes"},
        {"[location shop api]\n" RIG_TCP,
                "main.ini:1: [location shop api]: the path 'api' has to start with '/'"},
        {"[location shop /a?b=1]\n" RIG_TCP,
                "main.ini:1: [location shop /a?b=1]: a location is chosen by the path alone; "
                "leave out the '?' and what follows"},
        {"[location shop /a%20b]\n" RIG_TCP,
                "main.ini:1: [location shop /a%20b]: paths are compared when '%20' and its like "
                "are decoded; write the character itself"},
        {"[location shop //a]\n" RIG_TCP,
                "main.ini:1: [location shop //a] would never match: paths are compared when '//', "
                "'/./' and '/../' are resolved"},
        {"[location shop /a/..]\n" RIG_TCP,
                "main.ini:1: [location shop /a/..] would never match: paths are compared when "
                "'//', '/./' and '/../' are resolved"},
        {"[location shop \"/a\\n\"]\n" RIG_TCP,
                "main.ini:1: [location shop \"/a\\n\"]: a control byte in the path"},
        {"[http shop]\nreturn = 200\n[location shop /..a/.b/...]\nreturn = 200\n"
         "[location shop \"/a b\"]\nreturn = 200\n[location shop = /]\nreturn = 200\n"
         "[location shop =/x]\nreturn = 200\n[location shop /50%]\nreturn = 200\n",
                ""},
        /* location twice */
        {"[http a]\n[location a /x]\nreturn = 200\n[location a /x]\nreturn = 200\n"
         "[location a = /x]\nreturn = 200\n[location a =/x]\nreturn = 200\n",
                "main.ini:4: [location a /x] is here a second time; the first is at main.ini:2\n"
                "main.ini:8: [location a =/x] is here a second time; the first is at main.ini:6"},
        /* admin takes no name */
        {"[admin x]\nlisten = 1\n" RIG_TCP, "main.ini:1: [admin x] takes no name: write [admin]"},
};

static void titles_are_told(void **state)
{
	(void)state;
	config_rig_check(titles, sizeof(titles) / sizeof(titles[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(titles_are_told),
	};
	return cmocka_run_group_tests(tests, config_rig_drop_root, config_rig_regain_root);
}
