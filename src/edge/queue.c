/* The queue; see queue.h. */
#include "queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1
#define ITEM_SIZE_MAX (RS_MANIFEST_SIZE_MAX + 256)
#define NAME_SIZE 32
#define SETTLED_MANY 256
#define SETTLED_LONG_NS ((uint64_t)300000000)
#define KEPT_MAX (QUEUE_ITEMS_MAX * (4 + RS_ACKNOWLEDGEMENT_SIZE_MAX))

static enum rs_code path_of(const struct queue *queue, uint64_t number, const char *suffix, char **out,
                            struct rs_error *err)
{
	char name[NAME_SIZE];
	(void)snprintf(name, sizeof name, "%016" PRIx64 ".%s", number, suffix);
	*out = rs_path_join(queue->directory, name);
	return *out ? RS_OK : rs_error_memory(err, NAME_SIZE, "a path");
}

static void insert(struct queue *queue, struct item *item)
{
	struct item **at = &queue->items;
	while (*at && ((*at)->priority > item->priority ||
	               ((*at)->priority == item->priority && (*at)->number < item->number)))
		at = &(*at)->next;
	item->next = *at;
	*at = item;
	queue->count++;
	queue->bytes += item->size;
}

/* {1: version, 2: priority, 3: size of N.dcm, 4: where its data set begins, 5: envelope} */
static enum rs_code read_item(struct rs_bytes content, struct item *item, struct rs_bytes *out_envelope,
                              struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t values[4], key;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, content, err));
	RS_TRY(rs_cbor_read_map(&reader, "an item", &count, err));
	for (size_t i = 0; i < RS_COUNT(values); i++) {
		RS_TRY(rs_cbor_read_u64(&reader, "an item", &key, err));
		RS_TRY(rs_cbor_read_u64(&reader, "an item", &values[i], err));
		if (key != i + 1)
			return rs_error_set(err, RS_MALFORMED, "field %zu is missing", i + 1);
	}
	RS_TRY(rs_cbor_read_u64(&reader, "an item", &key, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "envelope", out_envelope, err));
	if (count != 5 || key != 5 || values[0] != VERSION || values[1] > 1 || values[3] > values[2])
		return rs_error_set(err, RS_MALFORMED, "it is no item of a queue of version %d", VERSION);
	item->priority = (unsigned)values[1];
	item->size = values[2];
	item->data_offset = values[3];
	return RS_OK;
}

static void write_item(const struct item *item, struct rs_bytes envelope, struct rs_buffer *out)
{
	const uint64_t values[] = {VERSION, item->priority, item->size, item->data_offset};
	rs_cbor_write_map(out, 5);
	for (size_t i = 0; i < RS_COUNT(values); i++) {
		rs_cbor_write_u64(out, i + 1);
		rs_cbor_write_u64(out, values[i]);
	}
	rs_cbor_write_u64(out, 5);
	rs_cbor_write_bytes(out, envelope);
}

static enum rs_code load(struct queue *queue, uint64_t number, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_bytes envelope = {NULL, 0};
	struct item *item = rs_allocate(sizeof *item);
	if (!item)
		return rs_error_memory(err, sizeof *item, "an item");
	item->number = number;
	enum rs_code code = path_of(queue, number, "item", &path, err);
	if (code == RS_OK)
		code = rs_file_read_all(queue->world, path, ITEM_SIZE_MAX, &content, err);
	if (code == RS_OK && read_item(rs_buffer_bytes(&content), item, &envelope, err) != RS_OK)
		code = rs_error_context(err, "%s", path);
	if (code != RS_OK) {
		rs_free(item);
		return code;
	}
	rs_sha256(envelope, &item->digest);
	insert(queue, item);
	return RS_OK;
}

/* What a crash left half written, and what was settled but for its file, goes. */
struct scan {
	struct queue *queue;
	uint64_t orphan; /* names come sorted: N.dcm before N.item */
	bool has_orphan;
};

static enum rs_code drop(const struct queue *queue, uint64_t number, const char *suffix, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(path_of(queue, number, suffix, &path, err));
	return queue->world->files->remove(queue->world->files, path, err);
}

static enum rs_code drop_orphan(struct scan *scan, struct rs_error *err)
{
	if (!scan->has_orphan)
		return RS_OK;
	scan->has_orphan = false;
	return drop(scan->queue, scan->orphan, "dcm", err);
}

static enum rs_code look_at(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct scan *scan = context;
	uint8_t bytes[8];
	uint64_t number = 0;
	if (kind != RS_FILE_REGULAR || name.size < 20 ||
	    !rs_hex_decode((struct rs_str){name.data, 16}, bytes, 8))
		return RS_OK;
	for (size_t i = 0; i < sizeof bytes; i++)
		number = number << 8 | bytes[i];
	struct rs_str suffix = {name.data + 16, name.size - 16};
	if (number >= scan->queue->next)
		scan->queue->next = number + 1;
	if (rs_str_equal_text(suffix, ".dcm")) {
		RS_TRY(drop_orphan(scan, err));
		scan->orphan = number;
		scan->has_orphan = true;
	} else if (rs_str_equal_text(suffix, ".item")) {
		if (!scan->has_orphan || scan->orphan != number)
			return drop(scan->queue, number, "item", err);
		scan->has_orphan = false;
		return load(scan->queue, number, err);
	}
	return RS_OK;
}

static enum rs_code open_parts(struct queue *queue, const char *state, struct rs_error *err)
{
	const struct rs_files *files = queue->world->files;
	struct scan scan = {.queue = queue};
	char *lock RS_CLEANUP(rs_free_pointer) = rs_path_join(state, "lock");
	queue->directory = rs_path_join(state, "queue");
	queue->receipts = rs_path_join(state, "receipts");
	if (!lock || !queue->directory || !queue->receipts)
		return rs_error_memory(err, strlen(state), "a path");
	RS_TRY(rs_directory_make(queue->world, queue->directory, err));
	RS_TRY(rs_file_open(queue->world, lock, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE, &queue->lock,
	                    err));
	if (files->lock(queue->lock, true, err) != RS_OK)
		return rs_error_context(err, "another agent has the queue in %s", state);
	RS_TRY(rs_replaced_clean(queue->world, queue->directory, err));
	RS_TRY(files->list(files, queue->directory, look_at, &scan, err));
	return drop_orphan(&scan, err);
}

enum rs_code queue_open(const struct rs_world *world, const char *state, uint64_t quota, struct queue *out,
                        struct rs_error *err)
{
	struct queue queue = {.world = world, .quota = quota, .next = 1};
	rs_buffer_init(&queue.kept, KEPT_MAX);
	enum rs_code code = open_parts(&queue, state, err);
	if (code != RS_OK) {
		queue_close(&queue);
		return code;
	}
	*out = queue;
	return RS_OK;
}

void queue_close(struct queue *queue)
{
	for (struct item *next; queue->items; queue->items = next) {
		next = queue->items->next;
		rs_free(queue->items);
	}
	for (struct item *next; queue->settled; queue->settled = next) {
		next = queue->settled->next;
		rs_free(queue->settled);
	}
	rs_buffer_finish(&queue->kept);
	rs_file_close(queue->lock);
	rs_free(queue->directory);
	rs_free(queue->receipts);
}

bool queue_has_room(const struct queue *queue, uint64_t size)
{
	return queue->count < QUEUE_ITEMS_MAX && queue->bytes <= queue->quota &&
	       size <= queue->quota - queue->bytes;
}

enum rs_code draft_begin(struct queue *queue, struct draft *out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct draft draft = {.queue = queue, .number = queue->next};
	RS_TRY(path_of(queue, draft.number, "dcm", &path, err));
	RS_TRY(rs_file_open(queue->world, path, RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE,
	                    &draft.file, err));
	queue->next++;
	*out = draft;
	return RS_OK;
}

enum rs_code draft_write(struct draft *draft, struct rs_bytes bytes, struct rs_error *err)
{
	RS_TRY(rs_file_write_at(draft->file, draft->size, bytes.data, bytes.size, err));
	draft->size += bytes.size;
	return RS_OK;
}

/* Whole as soon as it has its name, which queue_sync() makes durable. */
static enum rs_code put_grouped(const struct queue *queue, const char *path, struct rs_bytes content,
                                struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *partial RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s.0000000000000000.tmp", path);
	if (!partial)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_file_open(queue->world, partial, RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE, &file,
	                    err));
	RS_TRY(rs_file_write_at(file, 0, content.data, content.size, err));
	RS_TRY(rs_file_sync(file, err));
	return queue->world->files->rename(queue->world->files, partial, path, err);
}

enum rs_code queue_sync(struct queue *queue, struct rs_error *err)
{
	queue->is_grouped = false;
	return queue->world->files->sync_directory(queue->world->files, queue->directory, err);
}

static enum rs_code commit(struct draft *draft, struct item *item, struct rs_bytes envelope,
                           struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	rs_buffer_init(&content, ITEM_SIZE_MAX);
	write_item(item, envelope, &content);
	RS_TRY(rs_buffer_check(&content, "an item", err));
	if (draft->size)
		RS_TRY(rs_file_sync(draft->file, err));
	RS_TRY(path_of(draft->queue, draft->number, "item", &path, err));
	if (draft->queue->is_grouped)
		return put_grouped(draft->queue, path, rs_buffer_bytes(&content), err);
	/* Syncs the directory, and N.dcm's name with it. */
	return rs_file_replace(draft->queue->world, path, rs_buffer_bytes(&content), 0600, err);
}

enum rs_code draft_commit(struct draft *draft, unsigned priority, uint64_t data_offset,
                          struct rs_bytes envelope, struct rs_error *err)
{
	struct item *item = rs_allocate(sizeof *item);
	if (!item)
		return rs_error_memory(err, sizeof *item, "an item");
	item->number = draft->number;
	item->priority = priority;
	item->size = draft->size;
	item->data_offset = data_offset;
	rs_sha256(envelope, &item->digest);
	draft->is_tried = true;
	enum rs_code code = commit(draft, item, envelope, err);
	if (code != RS_OK) {
		rs_free(item);
		return code;
	}
	rs_file_close(draft->file);
	draft->file = NULL;
	insert(draft->queue, item);
	return RS_OK;
}

void draft_abandon(struct draft *draft)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	const struct rs_files *files = draft->queue->world->files;
	if (!draft->file)
		return;
	rs_file_close(draft->file);
	draft->file = NULL;
	if (!draft->is_tried && path_of(draft->queue, draft->number, "dcm", &path, NULL) == RS_OK)
		(void)files->remove(files, path, NULL);
}

enum rs_code queue_envelope(const struct queue *queue, const struct item *item, struct rs_buffer *out,
                            struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_bytes envelope;
	struct item read;
	RS_TRY(path_of(queue, item->number, "item", &path, err));
	RS_TRY(rs_file_read_all(queue->world, path, ITEM_SIZE_MAX, &content, err));
	RS_TRY(read_item(rs_buffer_bytes(&content), &read, &envelope, err));
	rs_buffer_init(out, RS_MANIFEST_SIZE_MAX);
	rs_buffer_append_bytes(out, envelope);
	return rs_buffer_check(out, "an envelope", err);
}

enum rs_code queue_data_path(const struct queue *queue, const struct item *item, char **out,
                             struct rs_error *err)
{
	return path_of(queue, item->number, "dcm", out, err);
}

/* be32(size) ‖ acknowledgement, one after another. */
enum rs_code queue_settle(struct queue *queue, struct item *item, struct rs_bytes acknowledgement,
                          struct rs_error *err)
{
	if (acknowledgement.size > RS_ACKNOWLEDGEMENT_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "an acknowledgement has %zu bytes",
		                    acknowledgement.size);
	for (int shift = 24; acknowledgement.size && shift >= 0; shift -= 8)
		rs_buffer_append_u8(&queue->kept, (uint8_t)(acknowledgement.size >> shift));
	rs_buffer_append_bytes(&queue->kept, acknowledgement);
	RS_TRY(rs_buffer_check(&queue->kept, "acknowledgements", err));
	struct item **at = &queue->items;
	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	if (!queue->settled)
		queue->settled_ns = queue->world->clock->monotonic_ns(queue->world->clock);
	item->next = queue->settled;
	queue->settled = item;
	queue->settled_count++;
	return RS_OK;
}

static enum rs_code keep_receipts(struct queue *queue, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	const struct rs_files *files = queue->world->files;
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(queue->receipts);
	uint64_t size;
	if (queue->kept.size == 0)
		return RS_OK;
	if (!directory)
		return rs_error_memory(err, 1, "a path");
	bool is_new = !rs_path_exists(queue->world, queue->receipts);
	RS_TRY(rs_file_open(queue->world, queue->receipts, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE,
	                    &file, err));
	RS_TRY(rs_file_size(file, &size, err));
	RS_TRY(rs_file_write_at(file, size, queue->kept.data, queue->kept.size, err));
	RS_TRY(rs_file_sync(file, err));
	if (is_new)
		RS_TRY(files->sync_directory(files, directory, err));
	rs_buffer_clear(&queue->kept);
	return RS_OK;
}

static enum rs_code remove_files(const struct queue *queue, const char *suffix, struct rs_error *err)
{
	const struct rs_files *files = queue->world->files;
	for (const struct item *item = queue->settled; item; item = item->next) {
		char *path RS_CLEANUP(rs_free_pointer) = NULL;
		RS_TRY(path_of(queue, item->number, suffix, &path, err));
		if (rs_path_exists(queue->world, path))
			RS_TRY(files->remove(files, path, err));
	}
	return RS_OK;
}

enum rs_code queue_flush(struct queue *queue, bool now, struct rs_error *err)
{
	const struct rs_clock *clock = queue->world->clock;
	if (!now && queue->settled_count < SETTLED_MANY &&
	    (!queue->settled || clock->monotonic_ns(clock) - queue->settled_ns < SETTLED_LONG_NS))
		return RS_OK;
	if (!queue->settled)
		return RS_OK;
	RS_TRY(keep_receipts(queue, err));
	/* One without the other is nothing; should both come back after a power cut, the node knows the item. */
	RS_TRY(remove_files(queue, "item", err));
	RS_TRY(remove_files(queue, "dcm", err));
	while (queue->settled) {
		struct item *item = queue->settled;
		queue->settled = item->next;
		queue->settled_count--;
		queue->count--;
		queue->bytes -= item->size;
		rs_free(item);
	}
	return RS_OK;
}
