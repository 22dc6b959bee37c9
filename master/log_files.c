/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_files.c - opening, using and opening again.
 *
 * A descriptor keeps its number when its file is opened again (log_file_replace), so nobody who
 * copied a struct log_file has to be told.
 */
#include "master/log_files.h"

#include "shared/check.h"
#include "shared/config.h"
#include "shared/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gid_t group_of(const struct config *config)
{
	return config->main.user_name ? config->main.gid : (gid_t)-1;
}

static const char *advice(int error)
{
	if (error == ENOENT)
		return "; its directory does not exist";
	if (error == EACCES || error == EPERM)
		return "; who starts sealane must be able to write there";
	return "";
}

bool log_files_open(
        struct log_files *files, const struct config *config, char *fault, size_t fault_size)
{
	files->count = 0;
	files->items = calloc(config->log_path_count + 1, sizeof(*files->items));
	CHECK(files->items);
	for (size_t i = 0; i < config->log_path_count; i++) {
		int error = log_file_open(&files->items[i], config->log_paths[i], group_of(config));
		if (error) {
			snprintf(fault, fault_size, "log file %s: %s%s", config->log_paths[i],
			        strerror(error), advice(error));
			log_files_close(files);
			return false;
		}
		files->count++;
	}
	return true;
}

void log_files_close(struct log_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		log_file_close(&files->items[i]);
	free(files->items);
	*files = (struct log_files){0};
}

void log_files_take_over_counts(struct log_files *new, struct log_files *old)
{
	for (size_t i = 0; i < new->count; i++) {
		for (size_t j = 0; j < old->count; j++) {
			if (strcmp(new->items[i].path, old->items[j].path) != 0)
				continue;
			new->items[i].lines_dropped += old->items[j].lines_dropped;
			old->items[j].lines_dropped = 0;
		}
	}
}

void log_files_use(const struct log_files *files, const struct config *config, enum log_level floor,
        struct log_file *extra)
{
	struct log_sink sinks[LOG_SINKS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < config->main.error_log_count && count < LOG_SINKS_MAX - 1; i++) {
		const struct config_error_log *log = &config->main.error_logs[i];
		sinks[count++] = (struct log_sink){
		        .file = &files->items[log->log_index],
		        .level = log->level > floor ? log->level : floor,
		};
	}
	if (extra)
		sinks[count++] = (struct log_sink){.file = extra, .level = LOG_ERROR};
	log_set_sinks(sinks, count);
}

bool log_files_have_stderr(const struct config *config)
{
	for (size_t i = 0; i < config->main.error_log_count; i++)
		if (strcmp(config->log_paths[config->main.error_logs[i].log_index], "stderr") == 0)
			return true;
	return false;
}

bool log_files_reopen(
        struct log_files *files, const struct config *config, log_files_fn *fn, void *opaque)
{
	bool all = true;

	for (size_t i = 0; i < files->count; i++) {
		struct log_file fresh;
		if (strcmp(files->items[i].path, "stderr") == 0)
			continue;
		int error = log_file_open(&fresh, files->items[i].path, group_of(config));
		if (error) {
			log_write(LOG_ERROR,
			        "log file %s: %s%s; lines go on into the file that was open",
			        files->items[i].path, strerror(error), advice(error));
			all = false;
			continue;
		}
		fn(opaque, i, fresh.fd);
		log_file_replace(&files->items[i], fresh.fd);
	}
	return all;
}
