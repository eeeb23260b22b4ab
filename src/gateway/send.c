/* Storing files at a peer (PS3.4 annex B): what they are is looked up first, then as few associations as will do send them.
 * What the peer does not take as it is goes as a decoded copy. */
#include <string.h>
#include <time.h>

#include "storing.h"
#include "workflow/workflow_walk.h"

#define READ_AHEAD_MAX ((size_t)16 << 20) /* of the next file, while the peer works on one */
#define PIECE_SIZE ((size_t)256 * 1024)
#define COPY_MAX ((size_t)4 << 30) /* of a file that is decoded for a peer, and what becomes of it */
#define BACKOFF_NS 500000000L      /* before the first retry; doubled for each more */

struct instance {
	const struct walked_file *file;
	char sop_class[RS_UID_SIZE], sop_instance[RS_UID_SIZE], transfer_syntax[RS_UID_SIZE];
	uint64_t begin, size; /* of the data set in the file */
	unsigned tries;
	bool is_done;
	const char *sent_as; /* another transfer syntax than the file's; or NULL */
};

struct sending {
	const struct rs_dicom_peer *peer;
	rs_dicom_report *report;
	void *context;
	struct instance *instances;
	size_t count;
	struct rs_error first;
	/* The file that was read ahead. */
	const struct instance *ahead;
	struct rs_buffer content;
};

static void tell(struct sending *sending, struct instance *instance, enum rs_code code, uint16_t status,
                 const struct rs_error *error)
{
	struct rs_error err = *error;
	struct rs_dicom_sent sent = {.path = instance->file->path,
	                             .is_skipped = code != RS_OK && !instance->file->named && status == 0 &&
	                                           !instance->sop_class[0],
	                             .code = code,
	                             .status = status,
	                             .size = instance->size,
	                             .transfer_syntax = code == RS_OK ? instance->sent_as : NULL,
	                             .error = &err};
	instance->is_done = true;
	if (code != RS_OK)
		rs_error_context(&err, "%s", instance->file->path);
	if (code != RS_OK && !sent.is_skipped && sending->first.code == RS_OK)
		sending->first = err;
	sending->report(sending->context, &sent);
}

static enum rs_code read_file(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, out, size, &got, err));
	return got == size ? RS_OK : rs_error_set(err, RS_IO, "the file became shorter while it was read");
}

/* Where the data set begins: behind the last element of the meta group, which is explicit little endian. */
static uint64_t data_begin(const struct rs_dicom *dicom)
{
	const struct rs_dicom_element *last = &dicom->elements[dicom->meta_count - 1];
	bool is_long = strcmp(last->vr, "OB") == 0 || strcmp(last->vr, "UN") == 0 ||
	               strcmp(last->vr, "OW") == 0;
	return last->offset + (is_long ? 12 : 8) + last->length;
}

static bool copy_uid(struct rs_str uid, char out[static RS_UID_SIZE])
{
	if (uid.size == 0 || uid.size >= RS_UID_SIZE)
		return false;
	memcpy(out, uid.data, uid.size);
	out[uid.size] = '\0';
	return true;
}

static enum rs_code look_at(struct rs_file *file, uint64_t size, struct instance *out, struct rs_error *err)
{
	const struct rs_dicom_source source = {size, read_file, file};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom_metadata metadata;
	RS_TRY(rs_dicom_scan(&source, &dicom, err));
	RS_TRY(rs_dicom_metadata(&dicom, &metadata, err));
	if (dicom.meta_count == 0)
		return rs_error_set(err, RS_UNSUPPORTED, "has no meta group that says its transfer syntax");
	out->begin = data_begin(&dicom);
	out->size = size - out->begin;
	if (!copy_uid(metadata.sop_instance_uid, out->sop_instance) ||
	    !copy_uid(metadata.transfer_syntax_uid, out->transfer_syntax) ||
	    !copy_uid(metadata.sop_class_uid, out->sop_class))
		return rs_error_set(err, RS_MALFORMED,
		                    "does not say its SOP class, instance or transfer syntax");
	return RS_OK;
}

static void look_at_all(struct sending *sending, const struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		struct instance *instance = &sending->instances[i];
		struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
		struct rs_error err = {0};
		uint64_t size;
		instance->file = &walk->files[i];
		enum rs_code code = rs_file_open_to_read(rs_world_system(), walk->files[i].path, SIZE_MAX,
		                                         &file, &size, &err);
		if (code == RS_OK)
			code = look_at(file, size, instance, &err);
		if (code != RS_OK)
			tell(sending, instance, code, 0, &err);
	}
}

/* Contexts for what is left to be sent, each class in each syntax, and then in those it can be decoded to: as many as one
 * association can have. */
static size_t propose(const struct sending *sending, struct client_proposal out[static RS_CONTEXTS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < sending->count; i++) {
		const struct instance *instance = &sending->instances[i];
		if (instance->is_done)
			continue;
		count = storing_propose(out, count, instance->sop_class, instance->transfer_syntax);
	}
	return count;
}

static bool is_proposed(const struct client_proposal *proposals, size_t count,
                        const struct instance *instance)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(proposals[i].sop_class, instance->sop_class) == 0 &&
		    strcmp(proposals[i].transfer_syntax, instance->transfer_syntax) == 0)
			return true;
	return false;
}

static enum rs_code read_ahead(struct sending *sending, const struct instance *instance, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	size_t size = instance->size < READ_AHEAD_MAX ? (size_t)instance->size : READ_AHEAD_MAX;
	rs_buffer_clear(&sending->content);
	sending->ahead = NULL;
	RS_TRY(rs_file_open(rs_world_system(), instance->file->path, RS_OPEN_READ, &file, err));
	if (rs_buffer_reserve(&sending->content, size) != RS_OK)
		return rs_error_memory(err, size, "a file");
	RS_TRY(read_file(file, instance->begin, sending->content.data, size, err));
	sending->content.size = size;
	sending->ahead = instance;
	return RS_OK;
}

/* What was read ahead, then the rest of the file. */
static enum rs_code send_file(const struct sending *sending, const struct instance *instance,
                              struct pdus *pdus, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint8_t *memory RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(pdus_put(pdus, rs_buffer_bytes(&sending->content), err));
	if (pdus->left == 0)
		return RS_OK;
	RS_TRY(rs_file_open(rs_world_system(), instance->file->path, RS_OPEN_READ, &file, err));
	memory = rs_reallocate(NULL, PIECE_SIZE);
	if (!memory)
		return rs_error_memory(err, PIECE_SIZE, "a file");
	while (pdus->left > 0) {
		size_t size = pdus->left < PIECE_SIZE ? (size_t)pdus->left : PIECE_SIZE;
		RS_TRY(read_file(file, instance->begin + instance->size - pdus->left, memory, size, err));
		RS_TRY(pdus_put(pdus, rs_bytes_of(memory, size), err));
	}
	return RS_OK;
}

/* The data set is that of the copy, if there is one. */
static enum rs_code store(struct sending *sending, struct client *client, const struct rs_context *context,
                          const struct instance *instance, const struct instance *next, struct rs_bytes copy,
                          uint16_t *out_status, struct rs_error *err)
{
	const struct link link = client_link(client);
	struct rs_command response;
	struct pdus pdus;
	if (sending->ahead != instance && !copy.data)
		RS_TRY(read_ahead(sending, instance, err));
	RS_TRY(storing_request(&link, context, instance->sop_instance, NULL, 0, err));
	RS_TRY(pdus_begin(&link, context->id, copy.data ? copy.size : instance->size, &pdus, err));
	enum rs_code code = copy.data ? pdus_put(&pdus, copy, err) : send_file(sending, instance, &pdus, err);
	if (code != RS_OK) {
		link_break(&link);
		return code;
	}
	if (next)
		(void)read_ahead(sending, next, NULL); /* a failure is met again when it is its turn */
	RS_TRY(client_response(client, &response, err));
	*out_status = response.status;
	return RS_OK;
}

/* PS3.4 table B.2-1: A7xx out of resources, which may pass; Bxxx warnings, stored all the same. */
static void judge(struct sending *sending, struct instance *instance, uint16_t status)
{
	struct rs_error err = {0};
	if (status == RS_STATUS_SUCCESS || (status & 0xF000) == 0xB000) {
		tell(sending, instance, RS_OK, status, &err);
		return;
	}
	if ((status & 0xFF00) == RS_STATUS_OUT_OF_RESOURCES && instance->tries++ < sending->peer->retries)
		return;
	rs_error_set(&err, RS_REFUSED, "the peer answers with status %04XH", status);
	tell(sending, instance, err.code, status, &err);
}

static struct instance *next_of(const struct sending *sending, size_t from,
                                const struct client_proposal *proposals, size_t count)
{
	for (size_t i = from; i < sending->count; i++)
		if (!sending->instances[i].is_done && is_proposed(proposals, count, &sending->instances[i]))
			return &sending->instances[i];
	return NULL;
}

static enum rs_code transcode(const struct instance *instance, const char *transfer_syntax,
                              struct rs_buffer *copy, struct rs_bytes *out_data, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), instance->file->path, COPY_MAX, &file, err));
	return storing_transcode(rs_buffer_bytes(&file), transfer_syntax, COPY_MAX, copy, out_data, err);
}

/* A failure is that of the connection. */
static enum rs_code send_one(struct sending *sending, struct client *client, struct instance *instance,
                             const struct instance *next, struct rs_error *err)
{
	struct rs_buffer copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes data = {NULL, 0};
	struct rs_error reason = {0};
	uint16_t status;
	const struct link link = client_link(client);
	const struct rs_context *context = storing_context(&link, instance->sop_class,
	                                                   instance->transfer_syntax, &instance->sent_as);
	enum rs_code code = RS_OK;
	if (!context)
		code = rs_error_set(&reason, RS_REFUSED,
		                    "the peer does not take SOP class %s in transfer syntax %s",
		                    instance->sop_class, instance->transfer_syntax);
	else if (instance->sent_as)
		code = transcode(instance, instance->sent_as, &copy, &data, &reason);
	if (code != RS_OK) {
		tell(sending, instance, code, 0, &reason);
		return RS_OK;
	}
	RS_TRY(store(sending, client, context, instance, next, data, &status, err));
	judge(sending, instance, status);
	return RS_OK;
}

/* Everything that one association can take. */
static enum rs_code send_some(struct sending *sending, struct client *client,
                              const struct client_proposal *proposals, size_t count, struct rs_error *err)
{
	struct instance *instance = next_of(sending, 0, proposals, count);
	while (instance) {
		struct instance *next = next_of(sending, (size_t)(instance - sending->instances) + 1,
		                                proposals, count);
		RS_TRY(send_one(sending, client, instance, next, err));
		instance = next;
	}
	return RS_OK;
}

static enum rs_code send_once(struct sending *sending, struct rs_error *err)
{
	struct client_proposal proposals[RS_CONTEXTS_MAX];
	size_t count = propose(sending, proposals);
	struct client client;
	RS_TRY(client_open(sending->peer, proposals, count, &client, err));
	enum rs_code code = send_some(sending, &client, proposals, count, err);
	client_close(&client);
	return code;
}

static size_t left(const struct sending *sending)
{
	size_t count = 0;
	for (size_t i = 0; i < sending->count; i++)
		count += !sending->instances[i].is_done;
	return count;
}

static void pause_before(unsigned try)
{
	struct timespec pause = {0};
	long long nanoseconds = (long long)BACKOFF_NS << (try < 6 ? try : 6);
	pause.tv_sec = (time_t)(nanoseconds / 1000000000);
	pause.tv_nsec = (long)(nanoseconds % 1000000000);
	(void)nanosleep(&pause, NULL);
}

/* A connection that breaks is made again; each time something was sent, patience begins anew. What the peer refuses as a whole is
 * not tried again. */
static enum rs_code send_all(struct sending *sending, struct rs_error *err)
{
	size_t before = left(sending);
	for (unsigned tries = 0; before > 0;) {
		enum rs_code code = send_once(sending, err);
		size_t now = left(sending);
		tries = now < before ? 0 : tries + 1;
		if (code != RS_OK && (code != RS_IO || tries > sending->peer->retries))
			return code;
		before = now;
		if (before > 0)
			pause_before(tries);
	}
	return RS_OK;
}

enum rs_code rs_dicom_peer_send(const struct rs_dicom_peer *peer, char *const *paths, size_t count,
                                rs_dicom_report *report, void *context, struct rs_error *err)
{
	struct walk walk RS_CLEANUP(walk_finish) = {0};
	struct sending sending = {.peer = peer, .report = report, .context = context};
	for (size_t i = 0; i < count; i++)
		RS_TRY(walk_add(rs_world_system(), paths[i], &walk, err));
	sending.count = walk.count;
	sending.instances = rs_allocate_array(walk.count, sizeof *sending.instances);
	if (!sending.instances)
		return rs_error_memory(err, walk.count * sizeof *sending.instances, "a list of instances");
	rs_buffer_init(&sending.content, READ_AHEAD_MAX);
	look_at_all(&sending, &walk);
	enum rs_code code = send_all(&sending, err);
	rs_buffer_finish(&sending.content);
	rs_free(sending.instances);
	if (code == RS_OK && sending.first.code != RS_OK) {
		*err = sending.first;
		return sending.first.code;
	}
	return code;
}
