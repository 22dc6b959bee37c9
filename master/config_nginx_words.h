/* SPDX-License-Identifier: BSD-2-Clause */
/* config_nginx_words.h - what to write in place of directives that nginx or HAProxy has and we do
 * not, or not under that name. */
#ifndef MASTER_CONFIG_NGINX_WORDS_H
#define MASTER_CONFIG_NGINX_WORDS_H

/* "write 'workers'"; NULL: nothing to be said of this word. */
const char *config_nginx_hint(const char *word);

#endif
