/* From the watched directory into the queue. A file is taken when it did not change for a while; it is removed once the queue has
 * it durably, and moved to ".refused" when it is nothing that can be sent. */
#include <stdio.h>
#include <string.h>

#include "agent.h"

#define TAKEN_AT_ONCE 64 /* then what was taken is sent for a moment */
#define URGENT "stat"

struct looking {
	struct agent *agent;
	const char *directory;
	unsigned priority;
	bool is_whole; /* nobody writes there any more */
	size_t taken;
};

static bool ends_everything(enum rs_code code)
{
	return code != RS_MALFORMED && code != RS_UNSUPPORTED && code != RS_TOO_LARGE &&
	       code != RS_NOT_FOUND && code != RS_DENIED;
}

static enum rs_code refuse(struct looking *looking, const char *path, const char *name,
                           const struct rs_error *why, struct rs_error *err)
{
	struct agent *agent = looking->agent;
	const struct rs_files *files = agent->world->files;
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_join(
		agent->options->watch ? agent->options->watch : looking->directory, ".refused");
	char *target RS_CLEANUP(rs_free_pointer) = directory ? rs_path_join(directory, name) : NULL;
	if (!target)
		return rs_error_memory(err, strlen(name), "a path");
	RS_TRY(rs_directory_make(agent->world, directory, err));
	RS_TRY(files->rename(files, path, target, err));
	agent->summary->refused++;
	agent_say(agent, RS_LOG_WARNING, "file_refused", ".refused", why->message);
	return RS_OK;
}

static enum rs_code sign_file(struct agent *agent, const struct wrapped *wrapped, uint64_t modified_ms,
                              struct rs_buffer *out, struct rs_error *err)
{
	struct rs_envelope envelope = {.kind = RS_ENVELOPE_INSTANCE,
	                               .captured_ms = modified_ms,
	                               .study = rs_str_from(wrapped->study),
	                               .series = rs_str_from(wrapped->series),
	                               .sop_class = rs_str_from(wrapped->sop_class),
	                               .sop_instance = rs_str_from(wrapped->sop_instance),
	                               .transfer_syntax = rs_str_from(wrapped->transfer_syntax),
	                               .sha256 = wrapped->sha256,
	                               .length = wrapped->length};
	return agent_sign(agent, &envelope, NULL, out, err);
}

static enum rs_code put(struct looking *looking, const char *path, const struct rs_file_stat *before,
                        struct draft *draft, struct rs_error *err)
{
	struct agent *agent = looking->agent;
	struct rs_buffer envelope RS_CLEANUP(rs_buffer_finish) = {0};
	struct wrapped wrapped = {.length = 0};
	struct rs_file_stat after;
	const uint64_t modified_ms = before->modified_ns / 1000000;
	RS_TRY(wrap_file(agent->world, agent->options, path, modified_ms, draft, &wrapped, err));
	RS_TRY(agent->world->files->stat(agent->world->files, path, &after, err));
	if (after.size != before->size || after.modified_ns != before->modified_ns)
		return rs_error_set(err, RS_BUSY, "it changed while it was read");
	RS_TRY(sign_file(agent, &wrapped, modified_ms, &envelope, err));
	RS_TRY(series_note(agent, &wrapped, err));
	return draft_commit(draft, looking->priority, wrapped.data_offset, rs_buffer_bytes(&envelope), err);
}

static enum rs_code take(struct looking *looking, const char *path, const char *name,
                         const struct rs_file_stat *stat, struct rs_error *err)
{
	struct agent *agent = looking->agent;
	const struct rs_files *files = agent->world->files;
	struct rs_error why = {0};
	struct draft draft;
	RS_TRY(draft_begin(&agent->queue, &draft, err));
	enum rs_code code = put(looking, path, stat, &draft, &why);
	draft_abandon(&draft);
	if (code == RS_BUSY || (code == RS_NOT_FOUND && !rs_path_exists(agent->world, path)))
		return RS_OK; /* later, or by who took it away */
	if (code != RS_OK && !ends_everything(code))
		return refuse(looking, path, name, &why, err);
	if (code != RS_OK) {
		if (err)
			*err = why;
		return code;
	}
	agent->summary->taken++;
	looking->taken++;
	/* Should the name come back after a power cut, the file is taken again, and known to the node. */
	return files->remove(files, path, err);
}

static enum rs_code look_at(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct looking *looking = context;
	struct agent *agent = looking->agent;
	struct rs_file_stat stat;
	char text[256];
	if (kind != RS_FILE_REGULAR || name.size == 0 || name.data[0] == '.' || name.size >= sizeof text)
		return RS_OK;
	agent->is_directory_empty = false;
	if (looking->taken >= TAKEN_AT_ONCE || *agent->stop)
		return RS_OK;
	(void)snprintf(text, sizeof text, "%.*s", (int)name.size, name.data);
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(looking->directory, text);
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	if (agent->world->files->stat(agent->world->files, path, &stat, NULL) != RS_OK)
		return RS_OK;
	uint64_t now_ms = rs_world_now_ms(agent->world), modified_ms = stat.modified_ns / 1000000;
	if (!looking->is_whole && modified_ms <= now_ms && now_ms - modified_ms < agent->options->settle_ms)
		return RS_OK;
	/* An original is sent beside its pixels: so much is needed at most. */
	bool has_room = queue_has_room(&agent->queue, looking->is_whole ? stat.size : 4 * stat.size);
	listener_allow(agent->listener, has_room);
	if (!has_room) {
		uint64_t now = agent_now_ns(agent);
		if (now - agent->quota_told_ns > (uint64_t)60 * 1000000000)
			agent_say(agent, RS_LOG_WARNING, "queue_full", "", "files wait where they are");
		agent->quota_told_ns = now;
		return RS_OK;
	}
	return take(looking, path, text, &stat, err);
}

static enum rs_code look_in(struct agent *agent, const char *directory, unsigned priority,
                            struct rs_error *err)
{
	const struct rs_files *files = agent->world->files;
	char *urgent RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, URGENT);
	struct looking looking = {agent, priority ? urgent : directory, priority, false, 0};
	if (!urgent)
		return rs_error_memory(err, strlen(directory), "a path");
	if (priority && !rs_path_exists(agent->world, urgent))
		return RS_OK;
	return files->list(files, looking.directory, look_at, &looking, err);
}

enum rs_code take_files(struct agent *agent, struct rs_error *err)
{
	const struct rs_files *files = agent->world->files;
	struct looking received = {agent, agent->received, 0, true, 0};
	agent->is_directory_empty = true;
	listener_allow(agent->listener, queue_has_room(&agent->queue, agent->options->quota / 8));
	RS_TRY(files->list(files, agent->received, look_at, &received, err));
	if (!agent->options->watch)
		return RS_OK;
	RS_TRY(look_in(agent, agent->options->watch, 1, err));
	return look_in(agent, agent->options->watch, 0, err);
}
