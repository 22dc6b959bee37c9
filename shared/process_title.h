/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_title.h - what ps shows: "sealane: master", "sealane: worker 3 (draining)".
 */
#ifndef SHARED_PROCESS_TITLE_H
#define SHARED_PROCESS_TITLE_H

/* First of all in main(): the title is written over the command line and the environment. Both stay
 * readable as copies: of the environment in place, of the arguments in what is returned (`argv`
 * itself where memory is out, and there is no title then). */
char **process_title_init(int argc, char **argv);

/* "sealane: " and the text, cut to what fits. Does nothing before process_title_init. */
void process_title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
