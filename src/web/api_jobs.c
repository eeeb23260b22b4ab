/* Measuring, training and predicting as jobs, with their progress as server-sent events. */
#include <stdio.h>
#include <string.h>

#include "access/access_retrieve.h"
#include "api.h"
#include "consent/consent_words.h"
#include "server.h"

#define FILES_MAX 64
#define TEXT_MAX ((size_t)8 << 20)
#define EVERY_MS 500

struct kind {
	const char *name;
	enum rs_operation operation;
	const char *result, *media;
};
static const struct kind kinds[] = {
	{"extract", RS_OPERATION_EXTRACT, "result.csv", "text/csv; charset=utf-8"},
	{"train", RS_OPERATION_TRAIN, "result.model", "application/octet-stream"},
	{"predict", RS_OPERATION_PREDICT, "result.csv", "text/csv; charset=utf-8"}};

static const struct kind *kind_named(const char *name)
{
	size_t i = 0;
	while (strcmp(kinds[i].name, name) != 0)
		i++; /* the fields allow no other */
	return &kinds[i];
}

static struct rs_digest owner_of(const struct call *call)
{
	struct rs_digest owner;
	const struct rs_member_key id = rs_actor_id(call->actor);
	memcpy(owner.bytes, id.bytes, sizeof owner.bytes);
	return owner;
}

/* A file's name in the job's directory: it names nothing else, and is no option of a program. */
static bool is_name(const char *text)
{
	for (const char *at = text; *at; at++)
		if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
		      (*at >= '0' && *at <= '9') || (at > text && strchr("._-", *at))))
			return false;
	return *text && strlen(text) <= 64 && strcmp(text, "log.txt") != 0 && strcmp(text, JOB_PROGRESS) != 0;
}

/* "name=value"; *out_value points into the text. */
static enum rs_code split(const char *text, char out_name[static 65], const char **out_value,
                          struct rs_error *err)
{
	const char *equals = strchr(text, '=');
	size_t size = equals ? (size_t)(equals - text) : 0;
	if (size > 0 && size < 65) {
		memcpy(out_name, text, size);
		out_name[size] = '\0';
		*out_value = equals + 1;
		if (is_name(out_name))
			return RS_OK;
	}
	return rs_error_set(err, RS_USAGE,
	                    "files and texts are NAME=VALUE, with letters, digits and . _ - in the name");
}

struct fetching {
	struct rs_error error;
	enum rs_code code;
	char path[512];
};

static void fetched(void *context, const struct rs_retrieved *result)
{
	struct fetching *fetching = context;
	fetching->code = result->error.code;
	fetching->error = result->error;
	(void)snprintf(fetching->path, sizeof fetching->path, "%s", result->path);
}

/* Asked for as any object is, and then under its name. */
static enum rs_code fetch(struct call *call, const struct kind *kind, const struct job *job, const char *name,
                          const char *cid, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	struct fetching fetching = {.path = ""};
	char address[128], path[sizeof job->files.path + 80], receipt[560];
	char *cids[] = {address};
	struct rs_retrieval what = {.cids = cids,
	                            .cid_count = 1,
	                            .purpose = call->request->purpose,
	                            .operation = kind->operation,
	                            .directory = job->files.path,
	                            .report = fetched,
	                            .context = &fetching};
	if (strlen(cid) >= sizeof address)
		return rs_error_set(err, RS_USAGE, "%s: no address of an object", name);
	memcpy(address, cid, strlen(cid) + 1);
	RS_TRY(rs_node_retrieve(call->node, call->actor, &what, err));
	(void)snprintf(path, sizeof path, "%s/%s", job->files.path, name);
	(void)snprintf(receipt, sizeof receipt, "%s.tlog-proof", fetching.path);
	(void)world->files->remove(world->files, receipt, NULL);
	return world->files->rename(world->files, fetching.path, path, err);
}

static enum rs_code prepare_files(struct call *call, const struct kind *kind, const struct job *job,
                                  struct rs_error *err)
{
	const json_t *files = json_object_get(call->body, "files"),
		     *texts = json_object_get(call->body, "texts");
	char name[65], path[sizeof job->files.path + 80];
	const char *value;
	if (json_array_size(files) + json_array_size(texts) > FILES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a job has at most %d files", FILES_MAX);
	for (size_t i = 0; i < json_array_size(files); i++) {
		RS_TRY(split(json_string_value(json_array_get(files, i)), name, &value, err));
		RS_TRY(fetch(call, kind, job, name, value, err));
	}
	for (size_t i = 0; i < json_array_size(texts); i++) {
		RS_TRY(split(json_string_value(json_array_get(texts, i)), name, &value, err));
		(void)snprintf(path, sizeof path, "%s/%s", job->files.path, name);
		RS_TRY(rs_file_replace(rs_world_system(), path, rs_bytes_of(value, strlen(value)), 0600,
		                       err));
	}
	return RS_OK;
}

static enum rs_code start(struct call *call, const struct kind *kind, const struct job *job,
                          struct rs_error *err)
{
	const json_t *inputs = json_object_get(call->body, "inputs");
	const char *arguments[16] = {"radseal", kind->name};
	size_t count = 2, given = json_array_size(inputs);
	if (given == 0 || given > 8)
		return rs_error_set(err, RS_USAGE, "inputs are one to eight names of the job's files");
	for (size_t i = 0; i < given; i++) {
		arguments[count++] = json_string_value(json_array_get(inputs, i));
		if (!is_name(arguments[count - 1]))
			return rs_error_set(err, RS_USAGE, "'%.60s' is no name of a file",
			                    arguments[count - 1]);
	}
	arguments[count++] = "-o";
	arguments[count++] = kind->result;
	if (kind->operation != RS_OPERATION_PREDICT) {
		arguments[count++] = "--progress";
		arguments[count++] = JOB_PROGRESS;
	}
	return job_start(&call->request->web->jobs, job->id, arguments, kind->result, err);
}

static enum rs_code create(struct call *call, struct rs_error *err)
{
	struct jobs *jobs = &call->request->web->jobs;
	const struct kind *kind = kind_named(call_text(call, "kind"));
	const struct rs_digest owner = owner_of(call);
	struct job job;
	RS_TRY(job_prepare(jobs, kind->name, &owner, &job, err));
	enum rs_code code = prepare_files(call, kind, &job, err);
	if (code == RS_OK)
		code = start(call, kind, &job, err);
	if (code != RS_OK)
		job_drop(jobs, job.id);
	else
		put_text(call, "id", job.id);
	return code;
}

static enum rs_code find(struct call *call, struct job *out, struct rs_error *err)
{
	const struct rs_digest owner = owner_of(call);
	char name[129];
	RS_TRY(call_name(call, name, err));
	return job_find(&call->request->web->jobs, name, &owner, out, err);
}

static const char *const states[] = {[JOB_NONE] = "none",
                                     [JOB_PREPARED] = "running",
                                     [JOB_RUNNING] = "running",
                                     [JOB_DONE] = "done",
                                     [JOB_FAILED] = "failed"};

/* How far it is, where the length is known; null where it is not. */
static void put_steps(struct rs_json *json, const struct job *job)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"done", job->done},
	            {"total", job->total},
	            {"percent", job->total ? (uint64_t)(100.0 * (double)job->done / (double)job->total) : 0}};
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		rs_json_key(json, rows[i].name);
		if (job->total)
			rs_json_u64(json, rows[i].value);
		else
			rs_json_null(json);
	}
}

static void tell(struct call *call, const struct job *job)
{
	uint64_t end_ms = job->ended_ms ? job->ended_ms : rs_world_now_ms(rs_world_system());
	put_text(call, "id", job->id);
	put_text(call, "kind", job->kind);
	put_text(call, "state", states[job->state]);
	put_time(call, "started", job->started_ms);
	put_time(call, "ended", job->ended_ms);
	put_number(call, "elapsed_ms", job->started_ms ? end_ms - job->started_ms : 0);
	put_steps(&call->json, job);
	put_text(call, "reason", job->failure);
}

static enum rs_code show(struct call *call, struct rs_error *err)
{
	struct job job;
	RS_TRY(find(call, &job, err));
	tell(call, &job);
	return RS_OK;
}

static enum rs_code result(struct call *call, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct job job;
	char path[sizeof job.files.path + 80];
	RS_TRY(find(call, &job, err));
	if (job.state != JOB_DONE)
		return rs_error_set(err, RS_NOT_FOUND, "the job is %s%s%s", states[job.state],
		                    job.failure[0] ? ": " : "", job.failure);
	(void)snprintf(path, sizeof path, "%s/%s", job.files.path, job.result);
	(void)snprintf(call->request->media, sizeof call->request->media, "%s", kind_named(job.kind)->media);
	RS_TRY(rs_file_read_all(rs_world_system(), path, BODY_MAX, &file, err));
	rs_buffer_append_bytes(&call->request->body, rs_buffer_bytes(&file));
	return rs_buffer_check(&call->request->body, "a result", err);
}

static enum rs_code drop(struct call *call, struct rs_error *err)
{
	struct job job;
	RS_TRY(find(call, &job, err));
	job_drop(&call->request->web->jobs, job.id);
	return RS_OK;
}

/* One event each half second while the job runs, and one with its end. */
struct events {
	struct stream stream;
	struct rs_web *web;
	struct rs_digest owner;
	char id[JOB_ID_SIZE];
	bool began, ended;
};

static enum rs_code read_events(struct stream *stream, void *out, size_t size, size_t *out_read,
                                struct rs_error *err)
{
	struct events *events = (struct events *)stream;
	struct job job;
	*out_read = 0;
	if (events->ended || web_is_stopping(events->web))
		return RS_OK;
	if (events->began)
		web_pause(events->web, EVERY_MS);
	events->began = true;
	RS_TRY(job_find(&events->web->jobs, events->id, &events->owner, &job, err));
	events->ended = job.state == JOB_DONE || job.state == JOB_FAILED;
	uint64_t end_ms = events->ended ? job.ended_ms : rs_world_now_ms(rs_world_system());
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&text, size);
	rs_buffer_printf(&text, "event: %s\ndata: ", events->ended ? "end" : "progress");
	rs_json_init(&json, &text, false);
	rs_json_object_begin(&json);
	rs_json_key(&json, "state");
	rs_json_text(&json, states[job.state]);
	rs_json_key(&json, "elapsed_ms");
	rs_json_u64(&json, job.started_ms ? end_ms - job.started_ms : 0);
	put_steps(&json, &job);
	rs_json_object_end(&json);
	rs_buffer_append_text(&text, "\n\n");
	RS_TRY(rs_buffer_check(&text, "an event", err));
	memcpy(out, text.data, text.size);
	*out_read = text.size;
	return RS_OK;
}

static void close_events(struct stream *stream) { rs_free(stream); }

static enum rs_code watch(struct call *call, struct rs_error *err)
{
	struct job job;
	RS_TRY(find(call, &job, err));
	struct events *events = rs_allocate(sizeof *events);
	if (!events)
		return rs_error_memory(err, sizeof *events, "events");
	*events = (struct events){.stream = {NO_SIZE, read_events, close_events},
	                          .web = call->request->web,
	                          .owner = owner_of(call)};
	memcpy(events->id, job.id, sizeof events->id);
	call->request->stream = &events->stream;
	return RS_OK;
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
static const struct field create_fields[] = {
	{"kind", FIELD_TEXT, true, "what is done", "extract,train,predict"},
	{"files", FIELD_TEXTS, false, "NAME=ADDRESS: sealed objects, asked for with the kind as operation",
         NULL},
	{"texts", FIELD_TEXTS, false, "NAME=CONTENT: a study, a table", NULL},
	{"inputs", FIELD_TEXTS, true,
         "names in the order of the command: image and mask of extract, study of train, model and table of predict",
         NULL},
	END};
static const struct field created_fields[] = {{"id", FIELD_TEXT, true, "the job", NULL}, END};
static const struct field job_fields[] = {
	{"id", FIELD_TEXT, true, "the job", NULL},
	{"kind", FIELD_TEXT, true, "what it does", "extract,train,predict"},
	{"state", FIELD_TEXT, true, "now", "running,done,failed"},
	{"started", FIELD_TIME, false, "when", NULL},
	{"ended", FIELD_TIME, false, "when", NULL},
	{"elapsed_ms", FIELD_NUMBER, true, "how long it took so far", NULL},
	{"done", FIELD_NUMBER, false, "steps, where their number is known", NULL},
	{"total", FIELD_NUMBER, false, "steps there are", NULL},
	{"percent", FIELD_NUMBER, false, "of the steps", NULL},
	{"reason", FIELD_TEXT, false, "why it failed", NULL},
	END};

const struct operation operations_jobs[] = {
	{.route = {.method = "POST",
                   .path = "/api/v1/jobs",
                   .right = RS_WEB_MAY_RETRIEVE,
                   .body_max = TEXT_MAX},
         .group = "jobs",
         .summary =
                 "Measures, trains or predicts over sealed objects that the contract lets the caller use for that",
         .body = create_fields,
         .answer = created_fields,
         .status = 202,
         .run = create},
	{.route = {.method = "GET", .path = "/api/v1/jobs/{name}", .right = RS_WEB_MAY_RETRIEVE},
         .group = "jobs",
         .summary = "Tells how a job of the caller's is doing",
         .answer = job_fields,
         .is_outside = true,
         .run = show},
	{.route = {.method = "GET", .path = "/api/v1/jobs/{name}/events", .right = RS_WEB_MAY_RETRIEVE},
         .group = "jobs",
         .summary = "Tells the same as server-sent events: progress, then end",
         .media = "text/event-stream",
         .is_outside = true,
         .run = watch},
	{.route = {.method = "GET", .path = "/api/v1/jobs/{name}/result", .right = RS_WEB_MAY_RETRIEVE},
         .group = "jobs",
         .summary = "Gives what came of a job; it is kept for an hour",
         .media = "application/octet-stream",
         .is_outside = true,
         .run = result},
	{.route = {.method = "DELETE", .path = "/api/v1/jobs/{name}", .right = RS_WEB_MAY_RETRIEVE},
         .group = "jobs",
         .summary = "Ends a job and removes what came of it",
         .is_outside = true,
         .status = 204,
         .run = drop},
	{.run = NULL},
};
