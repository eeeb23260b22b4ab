/* What manifests will list, on disk: for each series a file of records of one size, one for each instance, appended and synced
 * before the instance is in the queue. The manifest, once in the queue, takes the file's place. */
#include <stdio.h>
#include <string.h>

#include "agent.h"

#define AT_ONCE 16 /* then what is in the queue is sent for a moment */
#define LOOK_NS ((uint64_t)1000000000)
#define LIST_MAX (RS_MANIFEST_INSTANCES_MAX * sizeof(struct record))

struct record {
	char study[UID_TEXT], series[UID_TEXT], sop_instance[UID_TEXT];
	uint8_t sha256[RS_SHA256_SIZE];
};

static enum rs_code path_of(const struct agent *agent, const char *series, char **out, struct rs_error *err)
{
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	rs_sha256(rs_bytes_of_str(rs_str_from(series)), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, RS_SHA256_SIZE), hex);
	*out = rs_path_join(agent->series, hex);
	return *out ? RS_OK : rs_error_memory(err, sizeof hex, "a path");
}

static enum rs_code append(const struct agent *agent, const char *path, const struct record *record,
                           struct rs_error *err)
{
	const struct rs_files *files = agent->world->files;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint64_t size;
	bool is_new = !rs_path_exists(agent->world, path);
	RS_TRY(rs_file_open(agent->world, path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE, &file, err));
	RS_TRY(rs_file_size(file, &size, err));
	/* What a crash left of a record is written over. */
	RS_TRY(rs_file_write_at(file, size - size % sizeof *record, record, sizeof *record, err));
	RS_TRY(rs_file_sync(file, err));
	return is_new ? files->sync_directory(files, agent->series, err) : RS_OK;
}

static enum rs_code announce(struct agent *agent, const char *path, struct rs_error *err);

enum rs_code series_note(struct agent *agent, const struct wrapped *wrapped, struct rs_error *err)
{
	struct record record = {.study = ""};
	struct rs_file_stat stat;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	memcpy(record.study, wrapped->study, UID_TEXT);
	memcpy(record.series, wrapped->series, UID_TEXT);
	memcpy(record.sop_instance, wrapped->sop_instance, UID_TEXT);
	memcpy(record.sha256, wrapped->sha256.bytes, RS_SHA256_SIZE);
	RS_TRY(path_of(agent, wrapped->series, &path, err));
	if (agent->world->files->stat(agent->world->files, path, &stat, NULL) == RS_OK &&
	    stat.size + sizeof record > LIST_MAX)
		RS_TRY(announce(agent, path, err));
	return append(agent, path, &record, err);
}

static bool is_known(const struct record *records, size_t count, const struct record *record)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(&records[i], record, sizeof *record) == 0)
			return true;
	return false;
}

static bool is_sound(const struct record *record)
{
	return memchr(record->study, 0, UID_TEXT) && memchr(record->series, 0, UID_TEXT) &&
	       memchr(record->sop_instance, 0, UID_TEXT);
}

static enum rs_code list(struct agent *agent, struct record *records, size_t count, struct rs_buffer *out,
                         struct rs_error *err)
{
	struct rs_listed *listed RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *listed);
	struct rs_envelope manifest = {.kind = RS_ENVELOPE_MANIFEST,
	                               .captured_ms = rs_world_now_ms(agent->world)};
	if (!listed)
		return rs_error_memory(err, count * sizeof *listed, "a manifest");
	for (size_t i = 0; i < count; i++) {
		if (!is_sound(&records[i]) || is_known(records, i, &records[i]))
			continue;
		struct rs_listed *next = &listed[manifest.listed_count++];
		next->sop_instance = rs_str_from(records[i].sop_instance);
		memcpy(next->sha256.bytes, records[i].sha256, RS_SHA256_SIZE);
		manifest.study = rs_str_from(records[i].study);
		manifest.series = rs_str_from(records[i].series);
	}
	return manifest.listed_count ? agent_sign(agent, &manifest, listed, out, err) : RS_OK;
}

/* The manifest is in the queue, and stands in the file's place once that is durable. */
static enum rs_code queue_manifest(struct agent *agent, const char *path, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0},
				 envelope RS_CLEANUP(rs_buffer_finish) = {0};
	struct draft draft;
	RS_TRY(rs_file_read_all(agent->world, path, LIST_MAX, &content, err));
	RS_TRY(list(agent, (struct record *)(void *)content.data, content.size / sizeof(struct record),
	            &envelope, err));
	if (envelope.size > 0) {
		RS_TRY(draft_begin(&agent->queue, &draft, err));
		enum rs_code code = draft_commit(&draft, 0, 0, rs_buffer_bytes(&envelope), err);
		draft_abandon(&draft);
		RS_TRY(code);
	}
	return RS_OK;
}

static enum rs_code announce(struct agent *agent, const char *path, struct rs_error *err)
{
	RS_TRY(queue_manifest(agent, path, err));
	return agent->world->files->remove(agent->world->files, path, err);
}

struct looking {
	struct agent *agent;
	bool all;
	size_t found;
	char *paths[AT_ONCE]; /* whose manifests are in the queue */
	size_t count;
};

static enum rs_code look_at(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                            struct rs_error *err)
{
	struct looking *looking = context;
	struct agent *agent = looking->agent;
	const struct rs_files *files = agent->world->files;
	struct rs_file_stat stat;
	char text[128];
	if (name.size >= sizeof text || looking->count == AT_ONCE)
		return RS_OK;
	(void)snprintf(text, sizeof text, "%.*s", (int)name.size, name.data);
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(agent->series, text);
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	RS_TRY(files->stat(files, path, &stat, err));
	uint64_t now_ms = rs_world_now_ms(agent->world), modified_ms = stat.modified_ns / 1000000;
	looking->found++;
	if (!looking->all && modified_ms <= now_ms && now_ms - modified_ms < agent->options->series_idle_ms)
		return RS_OK;
	RS_TRY(queue_manifest(agent, path, err));
	looking->paths[looking->count++] = path;
	path = NULL;
	return RS_OK;
}

/* One sync for all of them. */
static enum rs_code finish(struct looking *looking, enum rs_code code, struct rs_error *err)
{
	struct agent *agent = looking->agent;
	const struct rs_files *files = agent->world->files;
	/* There may be more that is due. */
	if (looking->count == AT_ONCE)
		agent->series_looked_ns = 0;
	enum rs_code synced = looking->count ? queue_sync(&agent->queue, code == RS_OK ? err : NULL) : RS_OK;
	agent->queue.is_grouped = false;
	code = code == RS_OK ? synced : code;
	for (size_t i = 0; i < looking->count; i++) {
		if (synced == RS_OK && code == RS_OK)
			code = files->remove(files, looking->paths[i], err);
		rs_free(looking->paths[i]);
	}
	return code;
}

enum rs_code series_announce(struct agent *agent, bool all, struct rs_error *err)
{
	const struct rs_files *files = agent->world->files;
	struct looking looking = {.agent = agent, .all = all};
	uint64_t now = agent_now_ns(agent);
	if (!all && agent->series_looked_ns && now - agent->series_looked_ns < LOOK_NS)
		return RS_OK;
	agent->series_looked_ns = now;
	agent->queue.is_grouped = true;
	return finish(&looking, files->list(files, agent->series, look_at, &looking, err), err);
}

static enum rs_code count_one(void *context, struct rs_str name RS_UNUSED, enum rs_file_kind kind RS_UNUSED,
                              struct rs_error *err RS_UNUSED)
{
	++*(size_t *)context;
	return RS_OK;
}

bool series_pending(const struct agent *agent)
{
	const struct rs_files *files = agent->world->files;
	size_t count = 0;
	return files->list(files, agent->series, count_one, &count, NULL) != RS_OK || count > 0;
}
