/* SPDX-License-Identifier: BSD-2-Clause */
/* config_build_main.c - [main]: the process, its user, its logs. */
#include "master/config_build.h"

#include "shared/arena.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const struct config_entry *entry_of(
        const struct config_builder *builder, enum config_key key)
{
	const struct config_section *section = config_tree_find(
	        builder->config->tree, CONFIG_MAIN, "");

	return section ? section->entries[key] : NULL;
}

static uint64_t number_of(const struct config_builder *builder, enum config_key key)
{
	return config_number(entry_of(builder, key), key, CONFIG_MAIN);
}

static unsigned allowed_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	int count = CPU_COUNT(&set);
	return count > 0 ? (unsigned)count : 1;
}

/* From the default as well: a machine without that user is told so. */
static void build_user(struct config_builder *builder)
{
	struct config_main *out = &builder->config->main;
	const struct config_entry *entry = entry_of(builder, CONFIG_USER_KEY);
	struct config_origin nowhere = {builder->options->main_file, 0};
	const struct config_origin *origin = entry ? &entry->origin : &nowhere;
	const char *name = config_text(entry, CONFIG_USER_KEY, CONFIG_MAIN);

	if (geteuid() != 0)
		return;
	const struct passwd *user = getpwnam(name);
	if (!user) {
		config_messages_add(builder->messages, CONFIG_ERROR, origin,
		        "user: there is no user '%s'; create it with: useradd --system "
		        "--no-create-home "
		        "--shell /usr/sbin/nologin %s",
		        name, name);
		return;
	}
	out->user_name = arena_copy(builder->config->arena, slice_of(name));
	out->uid = user->pw_uid;
	out->gid = user->pw_gid;
	if (entry && entry->words.count == 2) {
		const struct group *group = getgrnam(entry->words.items[1]);
		if (group)
			out->gid = group->gr_gid;
		else
			config_messages_add(builder->messages, CONFIG_ERROR, origin,
			        "user: there is no group '%s'; create it with: groupadd --system "
			        "%s",
			        entry->words.items[1], entry->words.items[1]);
	}
	if (out->uid == 0)
		config_messages_add(builder->messages, CONFIG_WARNING, origin,
		        "user: the workers run as root; a user of their own would confine what a "
		        "bug can do");
}

void config_build_pid_file(struct config_builder *builder)
{
	const struct config_entry *entry = entry_of(builder, CONFIG_PID_FILE_KEY);
	const char *path = builder->options->pid_file;

	if (!path && entry)
		path = entry->words.items[0];
	if (!path && geteuid() == 0)
		path = "/run/sealane/sealane.pid";
	builder->config->main.pid_file = path ? config_path(builder, path) : NULL;
}

static void build_error_logs(struct config_builder *builder)
{
	struct config_main *out = &builder->config->main;
	const struct config_entry *entry = entry_of(builder, CONFIG_ERROR_LOG_KEY);
	size_t count = entry ? config_entry_count(entry) : 1;
	struct config_error_log *logs = arena_alloc_array(
	        builder->config->arena, count, sizeof(*logs));

	out->error_logs = logs;
	out->error_log_count = count;
	if (!entry) {
		logs[0] = (struct config_error_log){
		        config_log_index(builder, "stderr"), LOG_NOTICE};
		return;
	}
	if (count > LOG_SINKS_MAX)
		config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
		        "error_log: %zu of them; there may be %d", count, LOG_SINKS_MAX);
	for (size_t i = 0; entry; entry = entry->next, i++) {
		bool to_stderr = strcmp(entry->words.items[0], "stderr") == 0;
		const char *path = to_stderr ? "stderr"
		                             : config_path(builder, entry->words.items[0]);
		logs[i].log_index = config_log_index(builder, path);
		logs[i].level = (enum log_level)config_number(
		        entry, CONFIG_ERROR_LOG_KEY, CONFIG_MAIN);
		if (to_stderr && out->daemon)
			config_messages_add(builder->messages, CONFIG_ERROR, &entry->origin,
			        "error_log: with 'daemon = on' nobody reads stderr; name a file");
	}
}

void config_build_main(struct config_builder *builder)
{
	struct config_main *out = &builder->config->main;
	const struct config_entry *daemon = entry_of(builder, CONFIG_DAEMON_KEY);

	out->workers = (unsigned)number_of(builder, CONFIG_WORKERS_KEY);
	if (out->workers == 0)
		out->workers = allowed_cpus();
	out->worker_cpu_affinity = number_of(builder, CONFIG_WORKER_CPU_AFFINITY_KEY) != 0;
	out->worker_connections = (uint32_t)number_of(builder, CONFIG_WORKER_CONNECTIONS_KEY);
	out->worker_buffers = number_of(builder, CONFIG_WORKER_BUFFERS_KEY);
	out->worker_hang_timeout_ms = (uint32_t)number_of(builder, CONFIG_WORKER_HANG_TIMEOUT_KEY);
	out->worker_rlimit_nofile = number_of(builder, CONFIG_WORKER_RLIMIT_NOFILE_KEY);
	out->worker_shutdown_timeout_ms = (uint32_t)number_of(
	        builder, CONFIG_WORKER_SHUTDOWN_TIMEOUT_KEY);
	out->max_generations = (unsigned)number_of(builder, CONFIG_MAX_GENERATIONS_KEY);
	out->daemon = number_of(builder, CONFIG_DAEMON_KEY) != 0;
	out->core_dumps = number_of(builder, CONFIG_CORE_DUMPS_KEY) != 0;
	out->resolve_required = number_of(builder, CONFIG_RESOLVE_AT_START_KEY) != 0;
	out->tls_session_cache_size = number_of(builder, CONFIG_TLS_SESSION_CACHE_SIZE_KEY);
	if (out->worker_connections < 2)
		config_messages_add(builder->messages, CONFIG_ERROR,
		        &entry_of(builder, CONFIG_WORKER_CONNECTIONS_KEY)->origin,
		        "worker_connections: a client and its upstream are two connections; 2 is "
		        "the least");
	if (out->worker_buffers < 1 << 20)
		config_messages_add(builder->messages, CONFIG_ERROR,
		        &entry_of(builder, CONFIG_WORKER_BUFFERS_KEY)->origin,
		        "worker_buffers: less than 1m would stop everything");
	build_user(builder);
	config_build_pid_file(builder);
	build_error_logs(builder);
	if (out->daemon && !entry_of(builder, CONFIG_ERROR_LOG_KEY) &&
	        !config_tree_refused(builder->tree, CONFIG_ERROR_LOG_KEY))
		config_messages_add(builder->messages, CONFIG_ERROR, &daemon->origin,
		        "daemon: 'on' needs an error_log that is a file; the default is stderr, "
		        "which nobody reads then");
}
