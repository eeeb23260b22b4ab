/* Manifests and instances that came without an envelope of their own, the instances first: what lies in the vault already is read
 * and compared with what was listed since. A manifest that instances rest on is sealed itself, as a report of their subject's, so
 * that the ledger has when it was there. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "access/access_open.h"
#include "dicom/dicom.h"
#include "reception.h"
#include "workflow/workflow_made.h"

#define BATCH 64      /* instances that are looked for at once */
#define GATHERING_S 1 /* what a device sends right after its manifest is waited for, not looked for */

struct candidate {
	struct matched matched;
	struct rs_digest sop;
	bool is_here;
	struct rs_cid cid;
};
struct batch {
	struct rs_reception *reception;
	struct candidate items[BATCH];
	size_t count;
};

void matching_wake(struct rs_reception *reception)
{
	pthread_mutex_lock(&reception->queue);
	reception->is_unmatched = true;
	pthread_cond_signal(&reception->unmatched);
	pthread_mutex_unlock(&reception->queue);
}

static bool has_ended(struct rs_reception *reception)
{
	pthread_mutex_lock(&reception->queue);
	bool ends = reception->ends;
	pthread_mutex_unlock(&reception->queue);
	return ends;
}

static bool get_digest(struct rs_statement *statement, int column, struct rs_digest *out)
{
	struct rs_bytes bytes = rs_statement_bytes(statement, column);
	if (bytes.size == RS_SHA256_SIZE)
		memcpy(out->bytes, bytes.data, bytes.size);
	return bytes.size == RS_SHA256_SIZE;
}

/* What is listed up to the manifest `last` and did not come, after the last one of the batch before. */
static enum rs_code next_batch(struct batch *batch, int64_t last, struct rs_error *err)
{
	struct candidate after = {.is_here = false};
	bool found = true;
	if (batch->count)
		after = batch->items[batch->count - 1];
	batch->count = 0;
	pthread_mutex_lock(&batch->reception->mutex);
	struct rs_statement *each = devices_sql(&batch->reception->devices, EACH_UNLOOKED);
	rs_statement_bind_i64(each, 1, last);
	rs_statement_bind_i64(each, 2, after.matched.manifest);
	rs_statement_bind_bytes(each, 3, rs_bytes_of(after.matched.instance.bytes, RS_SHA256_SIZE));
	enum rs_code code = RS_OK;
	while (code == RS_OK && found && batch->count < BATCH) {
		struct candidate *item = &batch->items[batch->count];
		*item = (struct candidate){.is_here = false};
		code = rs_statement_step(each, &found, err);
		if (code != RS_OK || !found)
			break;
		item->matched.manifest = rs_statement_i64(each, 0);
		batch->count += get_digest(each, 1, &item->matched.instance) &&
		                get_digest(each, 2, &item->sop);
	}
	rs_statement_reset(each);
	pthread_mutex_unlock(&batch->reception->mutex);
	return code;
}

/* By who has the index. */
static enum rs_code find_here(void *context, struct rs_node *node, struct rs_error *err)
{
	struct batch *batch = context;
	for (size_t i = 0; i < batch->count; i++) {
		struct candidate *item = &batch->items[i];
		struct index_row row;
		enum rs_code code = index_find_identity(
			node->index, rs_bytes_of(item->sop.bytes, RS_SHA256_SIZE), &row, err);
		if (code == RS_NOT_FOUND)
			continue;
		RS_TRY(code);
		item->is_here = rs_cid_from_bytes(row.cid, &item->cid) &&
		                row.content_locator.size == RS_SHA256_SIZE;
		if (item->is_here)
			memcpy(item->matched.content.bytes, row.content_locator.data, RS_SHA256_SIZE);
	}
	return RS_OK;
}

struct hashing {
	struct rs_reception *reception;
	struct rs_sha256 hash;
	bool has_begun;
};

static enum rs_code hash_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct hashing *hashing = context;
	struct rs_dicom front RS_CLEANUP(rs_dicom_finish) = {0};
	size_t begin = 0;
	if (has_ended(hashing->reception))
		return rs_error_set(err, RS_CANCELLED, "the server stops");
	if (!hashing->has_begun)
		RS_TRY(rs_dicom_parse_front(piece, &front, &begin, err));
	hashing->has_begun = true;
	rs_sha256_update(&hashing->hash, piece.data + begin, piece.size - begin);
	return RS_OK;
}

struct opening {
	const struct rs_cid *cid;
	struct rs_opened *out;
};

static enum rs_code open_object(void *context, struct rs_node *node, struct rs_error *err)
{
	const struct opening *opening = context;
	return rs_opened_init(node, opening->cid, opening->out, err);
}

/* Whether it is what was listed. What cannot be read (its subject was erased) is not. */
static bool is_listed(struct rs_reception *reception, const struct candidate *item)
{
	struct rs_opened opened RS_CLEANUP(rs_opened_finish) = {.object_key = {{0}}};
	struct hashing hashing = {.reception = reception};
	struct opening opening = {&item->cid, &opened};
	struct rs_digest sha256, instance;
	rs_sha256_init(&hashing.hash);
	if (rs_intake_run(reception->intake, open_object, &opening, NULL) != RS_OK ||
	    rs_opened_read(reception->node, &opened, hash_piece, NULL, &hashing, NULL) != RS_OK)
		return false;
	rs_sha256_final(&hashing.hash, &sha256);
	devices_instance(&reception->devices, opened.record.identifiers[0], &sha256, &instance);
	return rs_digest_equal(&instance, &item->matched.instance);
}

static enum rs_code keep(struct rs_reception *reception, const struct matched *matched, struct rs_error *err)
{
	pthread_mutex_lock(&reception->mutex);
	enum rs_code code = rs_store_begin(reception->devices.store, err);
	if (code == RS_OK)
		code = devices_add_matched(&reception->devices, matched, err);
	if (code == RS_OK)
		code = rs_store_commit(reception->devices.store, err);
	if (code != RS_OK)
		rs_store_rollback(reception->devices.store);
	pthread_mutex_unlock(&reception->mutex);
	return code;
}

static enum rs_code look_into(struct batch *batch, struct rs_error *err)
{
	struct rs_reception *reception = batch->reception;
	RS_TRY(rs_intake_run(reception->intake, find_here, batch, err));
	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->items[i].is_here)
			continue;
		if (has_ended(reception))
			return rs_error_set(err, RS_CANCELLED, "the server stops");
		if (is_listed(reception, &batch->items[i]))
			RS_TRY(keep(reception, &batch->items[i].matched, err));
		else
			reception_say(reception, RS_LOG_WARNING, "manifest_mismatch", NULL,
			              "a manifest lists other content than came before it");
	}
	return RS_OK;
}

static enum rs_code get_last(struct rs_reception *reception, int64_t *out, struct rs_error *err)
{
	bool found;
	pthread_mutex_lock(&reception->mutex);
	struct rs_statement *last = devices_sql(&reception->devices, LAST_UNLOOKED);
	enum rs_code code = rs_statement_step(last, &found, err);
	*out = code == RS_OK && found ? rs_statement_i64(last, 0) : 0;
	rs_statement_reset(last);
	pthread_mutex_unlock(&reception->mutex);
	return code;
}

/* Into all manifests that nobody looked into yet. */
static enum rs_code look(struct rs_reception *reception, struct rs_error *err)
{
	struct batch *batch RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *batch);
	int64_t last;
	if (!batch)
		return rs_error_memory(err, sizeof *batch, "a manifest");
	batch->reception = reception;
	RS_TRY(get_last(reception, &last, err));
	if (last == 0)
		return RS_OK;
	do {
		RS_TRY(next_batch(batch, last, err));
		if (batch->count)
			RS_TRY(look_into(batch, err));
	} while (batch->count == BATCH);
	pthread_mutex_lock(&reception->mutex);
	struct rs_statement *set = devices_sql(&reception->devices, SET_LOOKED);
	rs_statement_bind_i64(set, 1, last);
	enum rs_code code = rs_statement_run(set, err);
	pthread_mutex_unlock(&reception->mutex);
	return code;
}

/* A manifest on its way to the ledger. */
struct sealing {
	int64_t manifest;
	struct rs_buffer message;
	struct rs_digest content; /* the locator of one that rests on it */
	struct rs_pseudonym subject;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool is_done;
	enum rs_code code;
	struct rs_error error;
};

static enum rs_code next_unsealed(struct rs_reception *reception, struct sealing *out, struct rs_error *err)
{
	bool found;
	pthread_mutex_lock(&reception->mutex);
	struct rs_statement *each = devices_sql(&reception->devices, EACH_UNSEALED);
	enum rs_code code = rs_statement_step(each, &found, err);
	if (code == RS_OK && found) {
		out->manifest = rs_statement_i64(each, 0);
		(void)get_digest(each, 2, &out->content);
		code = devices_open_box(&reception->devices, rs_statement_bytes(each, 1), &out->message, err);
	}
	rs_statement_reset(each);
	pthread_mutex_unlock(&reception->mutex);
	return code;
}

static enum rs_code find_subject(void *context, struct rs_node *node, struct rs_error *err)
{
	struct sealing *sealing = context;
	struct index_row row;
	RS_TRY(index_find_content(node->index, rs_bytes_of(sealing->content.bytes, RS_SHA256_SIZE), &row,
	                          err));
	if (row.subject.size != sizeof sealing->subject.bytes)
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	memcpy(sealing->subject.bytes, row.subject.data, row.subject.size);
	return RS_OK;
}

static void sealed(void *context, enum rs_code code, const struct rs_admit_result *result RS_UNUSED,
                   const struct rs_error *err)
{
	struct sealing *sealing = context;
	pthread_mutex_lock(&sealing->mutex);
	sealing->is_done = true;
	sealing->code = code;
	if (code != RS_OK)
		sealing->error = *err;
	pthread_cond_signal(&sealing->done);
	pthread_mutex_unlock(&sealing->mutex);
}

static enum rs_code seal(struct rs_reception *reception, struct sealing *sealing, struct rs_error *err)
{
	const struct rs_made made = {
		.kind = RS_OBJECT_REPORT, .media = RS_MEDIA_MANIFEST, .subject = &sealing->subject};
	const struct rs_arrival_claims claims = {.made = &made};
	struct rs_arrival *arrival;
	RS_TRY(rs_intake_run(reception->intake, find_subject, sealing, err));
	RS_TRY(rs_arrival_begin(reception->intake, &claims, &arrival, err));
	enum rs_code code = rs_arrival_add(arrival, rs_buffer_bytes(&sealing->message), err);
	if (code != RS_OK) {
		rs_arrival_abandon(arrival);
		return code;
	}
	rs_arrival_admit(arrival, sealed, sealing);
	pthread_mutex_lock(&sealing->mutex);
	while (!sealing->is_done)
		pthread_cond_wait(&sealing->done, &sealing->mutex);
	pthread_mutex_unlock(&sealing->mutex);
	return sealing->code == RS_OK ? RS_OK
	                              : rs_error_set(err, sealing->code, "%s", sealing->error.message);
}

static enum rs_code seal_one(struct rs_reception *reception, struct sealing *sealing, struct rs_error *err)
{
	pthread_mutex_init(&sealing->mutex, NULL);
	pthread_cond_init(&sealing->done, NULL);
	enum rs_code code = seal(reception, sealing, err);
	pthread_cond_destroy(&sealing->done);
	pthread_mutex_destroy(&sealing->mutex);
	/* Whose instances are erased is not sealed any more. */
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	pthread_mutex_lock(&reception->mutex);
	struct rs_statement *set = devices_sql(&reception->devices, SET_SEALED);
	rs_statement_bind_i64(set, 1, sealing->manifest);
	code = rs_statement_run(set, err);
	pthread_mutex_unlock(&reception->mutex);
	return code;
}

static enum rs_code seal_all(struct rs_reception *reception, struct rs_error *err)
{
	for (;;) {
		struct sealing sealing = {.manifest = 0};
		enum rs_code code = next_unsealed(reception, &sealing, err);
		if (code == RS_OK && sealing.manifest)
			code = seal_one(reception, &sealing, err);
		rs_buffer_finish(&sealing.message);
		RS_TRY(code);
		if (!sealing.manifest)
			return RS_OK;
	}
}

/* With the queue's mutex: until there is something, and what comes with it has come. False: the reception ends. */
static bool await_manifests(struct rs_reception *reception)
{
	struct timespec until;
	while (!reception->is_unmatched && !reception->ends)
		pthread_cond_wait(&reception->unmatched, &reception->queue);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GATHERING_S;
	while (!reception->ends &&
	       pthread_cond_timedwait(&reception->unmatched, &reception->queue, &until) != ETIMEDOUT)
		;
	reception->is_unmatched = false;
	return !reception->ends;
}

void *matching_work(void *context)
{
	struct rs_reception *reception = context;
	pthread_mutex_lock(&reception->queue);
	while (await_manifests(reception)) {
		struct rs_error err = {0};
		pthread_mutex_unlock(&reception->queue);
		enum rs_code code = look(reception, &err);
		if (code == RS_OK)
			code = seal_all(reception, &err);
		if (code != RS_OK && code != RS_CANCELLED)
			reception_say(reception, RS_LOG_ERROR, "matching_failed", NULL, err.message);
		pthread_mutex_lock(&reception->queue);
	}
	pthread_mutex_unlock(&reception->queue);
	return NULL;
}
