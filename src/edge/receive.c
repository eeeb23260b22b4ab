/* C-STORE and C-ECHO (PS3.4 annexes A and B), one message after another. */
#include "receive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "dicom/dicom.h"
#include "dicomnet/dicomnet_association.h"

#define CHUNK ((size_t)64 * 1024)
#define TICK_S 1 /* so often a silent peer is looked at */
#define SECOND_NS ((uint64_t)1000000000)
#define SILENT_NS (60 * SECOND_NS)
#define MESSAGE_NS (30 * SECOND_NS) /* for a message, and a second more for every SLOWEST bytes of it */
#define SLOWEST ((uint64_t)16 * 1024)
#define SYNTAX_DEFLATED "1.2.840.10008.1.2.1.99"

struct reception {
	struct receiving *shared;
	int socket;
	struct rs_association *association;
	struct rs_command request;
	uint8_t context;
	/* Of an instance that is being received. */
	struct rs_file *file;
	char *partial, *final;
	uint64_t size;
	uint16_t status;
	char reason[RS_COMMENT_SIZE];
	uint64_t since_ns, bytes; /* of the message */
	uint64_t stored, refused;
};

void receive_say(const struct receiving *shared, enum rs_log_level level, const char *event, const char *peer,
                 const char *reason)
{
	RS_LOG(shared->options->log, level, event, {"device", shared->options->device}, {"peer", peer},
	       {"reason", reason});
}

static uint64_t now_ns(const struct reception *reception)
{
	const struct rs_clock *clock = reception->shared->world->clock;
	return clock->monotonic_ns(clock);
}

/* What came of an instance is forgotten. */
static void drop(struct reception *reception)
{
	const struct rs_files *files = reception->shared->world->files;
	rs_file_close(reception->file);
	reception->file = NULL;
	if (reception->partial)
		(void)files->remove(files, reception->partial, NULL);
	rs_free(reception->partial);
	rs_free(reception->final);
	reception->partial = reception->final = NULL;
}

static void refuse(struct reception *reception, uint16_t status, const char *reason)
{
	drop(reception);
	reception->status = status;
	(void)snprintf(reception->reason, sizeof reception->reason, "%.*s", RS_COMMENT_SIZE - 1, reason);
}

static uint16_t status_of(enum rs_code code)
{
	switch (code) {
	case RS_USAGE: return RS_STATUS_NOT_OF_ITS_CLASS;
	case RS_MALFORMED:
	case RS_UNSUPPORTED: return RS_STATUS_NOT_UNDERSTOOD;
	case RS_TOO_LARGE:
	case RS_NO_SPACE:
	case RS_NO_MEMORY: return RS_STATUS_OUT_OF_RESOURCES;
	default: return RS_STATUS_PROCESSING_FAILURE;
	}
}

static enum rs_code begin_file(struct reception *reception, const struct rs_context *context,
                               struct rs_error *err)
{
	struct receiving *shared = reception->shared;
	struct rs_buffer meta RS_CLEANUP(rs_buffer_finish) = {0};
	char name[64], partial[72];
	(void)snprintf(name, sizeof name, "%013llu-%06llu.dcm",
	               (unsigned long long)rs_world_now_ms(shared->world),
	               (unsigned long long)atomic_fetch_add(&shared->number, 1));
	(void)snprintf(partial, sizeof partial, ".%s" PARTIAL, name);
	reception->final = rs_path_join(shared->directory, name);
	reception->partial = rs_path_join(shared->directory, partial);
	if (!reception->final || !reception->partial)
		return rs_error_memory(err, sizeof name, "a path");
	rs_buffer_init(&meta, 4096);
	RS_TRY(rs_dicom_put_meta(reception->request.sop_class, reception->request.instance,
	                         context->transfer_syntax, RS_DICOM_IMPLEMENTATION_UID, &meta, err));
	RS_TRY(rs_file_open(shared->world, reception->partial,
	                    RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_EXCLUSIVE,
	                    &reception->file, err));
	reception->size = meta.size;
	return rs_file_write_at(reception->file, 0, meta.data, meta.size, err);
}

static void begin_store(struct reception *reception, const struct rs_context *context)
{
	struct rs_error err = {0};
	if (strcmp(context->sop_class, reception->request.sop_class) != 0)
		refuse(reception, RS_STATUS_NOT_OF_ITS_CLASS, "the context is of another SOP class");
	else if (!rs_command_has_data(&reception->request))
		refuse(reception, RS_STATUS_NOT_UNDERSTOOD, "there is no data set");
	else if (strcmp(context->transfer_syntax, SYNTAX_DEFLATED) == 0)
		refuse(reception, RS_STATUS_NOT_UNDERSTOOD, "deflated data sets are not taken");
	else if (atomic_load(&reception->shared->is_full))
		refuse(reception, RS_STATUS_OUT_OF_RESOURCES, "the queue is full: send it again later");
	else if (begin_file(reception, context, &err) != RS_OK)
		refuse(reception, status_of(err.code), err.message);
}

static enum rs_code read_exactly(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, out, size, &got, err));
	return got == size ? RS_OK : rs_error_set(err, RS_IO, "a file became shorter while it was read");
}

/* What cannot be signed later is refused now. */
static enum rs_code check_file(const struct reception *reception, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {.count = 0};
	const struct rs_dicom_source source = {reception->size, read_exactly, reception->file};
	struct rs_dicom_metadata metadata;
	RS_TRY(rs_dicom_scan(&source, &dicom, err));
	RS_TRY(rs_dicom_metadata(&dicom, &metadata, err));
	if (!rs_str_equal_text(metadata.sop_class_uid, reception->request.sop_class) ||
	    !rs_str_equal_text(metadata.sop_instance_uid, reception->request.instance))
		return rs_error_set(err, RS_USAGE,
		                    "the data set is of another instance or class than was said");
	if (!rs_dicom_uid_valid(metadata.study_instance_uid) ||
	    !rs_dicom_uid_valid(metadata.series_instance_uid))
		return rs_error_set(err, RS_MALFORMED, "the data set names no study or no series");
	return RS_OK;
}

/* Durable when it returns RS_OK. */
static enum rs_code keep(struct reception *reception, struct rs_error *err)
{
	const struct rs_files *files = reception->shared->world->files;
	RS_TRY(check_file(reception, err));
	RS_TRY(rs_file_sync(reception->file, err));
	RS_TRY(files->rename(files, reception->partial, reception->final, err));
	rs_free(reception->partial);
	reception->partial = NULL;
	return files->sync_directory(files, reception->shared->directory, err);
}

static enum rs_code respond(struct reception *reception, struct rs_error *err)
{
	struct rs_command answer;
	bool refused = reception->status != RS_STATUS_SUCCESS;
	rs_command_answer(&reception->request, reception->status, refused ? reception->reason : NULL,
	                  &answer);
	if (refused)
		receive_say(reception->shared, RS_LOG_WARNING, "instance_refused",
		            rs_association_peer_title(reception->association), reception->reason);
	return rs_association_command(reception->association, reception->context, &answer, err);
}

static enum rs_code take_command(struct reception *reception, const struct rs_event *event,
                                 struct rs_error *err)
{
	drop(reception);
	reception->request = *event->command;
	reception->context = event->context->id;
	reception->status = RS_STATUS_SUCCESS;
	/* Answers, and cancelling what is over. */
	if ((event->command->field & RS_COMMAND_RESPONSE) || event->command->field == RS_C_CANCEL_RQ)
		return RS_OK;
	if (event->command->field == RS_C_STORE_RQ && (event->context->service & RS_SERVICE_STORAGE))
		begin_store(reception, event->context);
	else if (event->command->field != RS_C_ECHO_RQ || event->context->service != RS_SERVICE_VERIFICATION)
		refuse(reception, RS_STATUS_UNRECOGNIZED_OPERATION, "this context does not serve that");
	return rs_command_has_data(event->command) ? RS_OK : respond(reception, err);
}

static enum rs_code take_data(struct reception *reception, const struct rs_event *event, struct rs_error *err)
{
	struct rs_error failure = {0};
	if (reception->file && rs_file_write_at(reception->file, reception->size, event->data.data,
	                                        event->data.size, &failure) != RS_OK)
		refuse(reception, status_of(failure.code), failure.message);
	reception->size += event->data.size;
	if (!event->is_last || (reception->request.field & RS_COMMAND_RESPONSE))
		return RS_OK;
	if (reception->file && keep(reception, &failure) != RS_OK)
		refuse(reception, status_of(failure.code), failure.message);
	reception->stored += reception->file != NULL;
	reception->refused += reception->file == NULL;
	drop(reception);
	return respond(reception, err);
}

static enum rs_code take_request(struct reception *reception, const struct rs_event *event,
                                 struct rs_error *err)
{
	const struct rs_acceptance takes = {.services = RS_SERVICE_VERIFICATION | RS_SERVICE_STORAGE};
	if (strcmp(event->associate->called, reception->shared->options->title) == 0)
		return rs_association_accept(reception->association, &takes, err);
	rs_association_reject(reception->association, RS_REJECT_CALLED_TITLE);
	receive_say(reception->shared, RS_LOG_WARNING, "association_rejected", event->associate->calling,
	            "it called another AE title");
	return RS_OK;
}

static enum rs_code take_event(struct reception *reception, const struct rs_event *event,
                               struct rs_error *err)
{
	switch (event->kind) {
	case RS_EVENT_REQUESTED: return take_request(reception, event, err);
	case RS_EVENT_COMMAND: return take_command(reception, event, err);
	case RS_EVENT_DATA: return take_data(reception, event, err);
	case RS_EVENT_RELEASE: rs_association_release_answer(reception->association); return RS_OK;
	default: return RS_OK;
	}
}

/* Under the socket's time for each send. */
static enum rs_code flush(struct reception *reception, struct rs_error *err)
{
	struct rs_buffer *out = rs_association_out(reception->association);
	for (size_t done = 0; done < out->size;) {
		ssize_t size = send(reception->socket, out->data + done, out->size - done, MSG_NOSIGNAL);
		if (size <= 0)
			return rs_error_set(err, RS_IO, "the peer does not take its answers");
		done += (size_t)size;
	}
	rs_buffer_clear(out);
	return RS_OK;
}

static enum rs_code take(struct reception *reception, struct rs_bytes bytes, struct rs_error *err)
{
	enum rs_code code = RS_OK;
	if (!rs_association_is_within(reception->association)) {
		reception->since_ns = now_ns(reception);
		reception->bytes = 0;
	}
	reception->bytes += bytes.size;
	while (bytes.size > 0 && code == RS_OK) {
		struct rs_event event;
		size_t used;
		code = rs_association_take(reception->association, bytes, &used, &event, err);
		if (code == RS_OK)
			code = take_event(reception, &event, err);
		bytes = code == RS_OK ? rs_bytes_of(bytes.data + used, bytes.size - used) : bytes;
	}
	RS_TRY(flush(reception, code == RS_OK ? err : NULL));
	return code;
}

static bool has_time(const struct reception *reception, uint64_t heard_ns)
{
	uint64_t now = now_ns(reception);
	if (rs_association_is_within(reception->association))
		return now - reception->since_ns < MESSAGE_NS + reception->bytes / SLOWEST * SECOND_NS;
	return now - heard_ns < SILENT_NS;
}

static enum rs_code converse(struct reception *reception, uint8_t *chunk, struct rs_error *err)
{
	uint64_t heard_ns = now_ns(reception);
	while (!rs_association_is_over(reception->association)) {
		ssize_t size = recv(reception->socket, chunk, CHUNK, 0);
		bool waits = size < 0 && (errno == EAGAIN || errno == EINTR);
		if (size > 0) {
			heard_ns = now_ns(reception);
			RS_TRY(take(reception, rs_bytes_of(chunk, (size_t)size), err));
		} else if (!waits) {
			return rs_error_set(err, RS_IO, "the connection was lost");
		}
		if (atomic_load(&reception->shared->ends) &&
		    !rs_association_is_within(reception->association))
			return rs_error_set(err, RS_CANCELLED, "the agent ends");
		if (!has_time(reception, heard_ns))
			return rs_error_set(err, RS_IO, "the peer was silent or slow");
	}
	return RS_OK;
}

static enum rs_code prepare(struct reception *reception, struct rs_error *err)
{
	const struct timeval tick = {.tv_sec = TICK_S},
			     patience = {.tv_sec = (time_t)(SILENT_NS / SECOND_NS)};
	if (setsockopt(reception->socket, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) != 0 ||
	    setsockopt(reception->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
		return rs_error_errno(err, errno, "a socket");
	return rs_association_accept_connection(&reception->association, err);
}

void receive_association(struct receiving *shared, int socket)
{
	struct reception reception = {.shared = shared, .socket = socket};
	struct rs_error err = {0};
	uint8_t *chunk = rs_allocate(CHUNK);
	char counts[64];
	enum rs_code code = chunk ? prepare(&reception, &err)
	                          : rs_error_memory(&err, CHUNK, "an association");
	if (code == RS_OK)
		code = converse(&reception, chunk, &err);
	if (code != RS_OK && reception.association) {
		rs_association_abort(reception.association, RS_ABORT_PROVIDER, RS_ABORT_UNSPECIFIED);
		(void)flush(&reception, NULL);
	}
	(void)snprintf(counts, sizeof counts, "%llu stored, %llu refused",
	               (unsigned long long)reception.stored, (unsigned long long)reception.refused);
	receive_say(shared, code == RS_OK ? RS_LOG_INFO : RS_LOG_WARNING,
	            code == RS_OK ? "association" : "association_broken",
	            reception.association ? rs_association_peer_title(reception.association) : "",
	            code == RS_OK ? counts : err.message);
	drop(&reception);
	rs_association_destroy(reception.association);
	rs_free(chunk);
}
