/* SPDX-License-Identifier: BSD-2-Clause */
/* config_read.h - INI text to the tree of sections, with every fault of its form. */
#ifndef MASTER_CONFIG_READ_H
#define MASTER_CONFIG_READ_H

#include "master/config_load.h"
#include "master/config_source.h"
#include "master/config_tree.h"

/* Reads `path` into the tree. `included`: no further include is allowed in it. Values are checked
 * by their parsers, each alone; rules across keys are config_check's. */
void config_read_file(struct config_tree *tree, struct config_source *source, const char *path,
        bool included, struct config_messages *messages);

#endif
