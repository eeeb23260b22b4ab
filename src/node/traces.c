/* Searching files for many short byte strings at once: a table by their first two bytes, then the strings in order. */
#include "traces.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t)1 << 20)
#define FIRSTS 65536

enum rs_code trace_add(struct rs_buffer *traces, struct rs_bytes value, struct rs_error *err)
{
	if (value.size >= TRACE_SIZE)
		rs_buffer_append(traces, value.data, TRACE_SIZE);
	return rs_buffer_check(traces, "traces of a subject", err);
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, TRACE_SIZE); }

struct searching {
	const struct rs_buffer *traces; /* sorted */
	uint8_t *block;
	bool first[FIRSTS]; /* a trace begins with these two bytes */
	uint64_t bytes;
};

/* Whether one begins in the first `count` places; TRACE_SIZE - 1 bytes more are there. */
static bool begins(const struct searching *searching, size_t count)
{
	size_t traces = searching->traces->size / TRACE_SIZE;
	for (size_t i = 0; i < count; i++)
		if (searching->first[rs_read_be16(searching->block + i)] &&
		    bsearch(searching->block + i, searching->traces->data, traces, TRACE_SIZE, by_bytes))
			return true;
	return false;
}

static enum rs_code search_file(struct searching *searching, struct rs_file *file, const char *path,
                                struct rs_error *err)
{
	size_t held = 0, read = BLOCK;
	for (uint64_t offset = 0; read > 0; offset += read) {
		RS_TRY(rs_file_read_at(file, offset, searching->block + held, BLOCK, &read, err));
		held += read;
		searching->bytes += read;
		if (held < TRACE_SIZE)
			continue;
		size_t places = held - TRACE_SIZE + 1;
		if (begins(searching, places))
			return rs_error_set(
				err, RS_ALTERED,
				"%s still holds bytes of the erased subject: run the erasure again", path);
		held = TRACE_SIZE - 1;
		memmove(searching->block, searching->block + places, held);
	}
	return RS_OK;
}

static enum rs_code search_all(struct searching *searching, const struct rs_node *node, struct rs_error *err)
{
	static const char *const names[] = {"index.sqlite", "index.sqlite-wal", "subjects.sqlite",
	                                    "subjects.sqlite-wal"};
	for (size_t i = 0; i < RS_COUNT(names); i++) {
		struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
		char *path RS_CLEANUP(rs_free_pointer) = NULL;
		RS_TRY(node_path(node, names[i], &path, err));
		if (!rs_path_exists(node->world, path))
			continue;
		RS_TRY(rs_file_open(node->world, path, RS_OPEN_READ, &file, err));
		RS_TRY(search_file(searching, file, path, err));
	}
	return RS_OK;
}

enum rs_code traces_search(const struct rs_node *node, struct rs_buffer *traces, uint64_t *out_bytes,
                           struct rs_error *err)
{
	struct searching *searching RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *searching);
	uint8_t *block RS_CLEANUP(rs_free_pointer) = rs_allocate(BLOCK + TRACE_SIZE);
	if (!searching || !block)
		return rs_error_memory(err, BLOCK, "a search for traces");
	if (traces->size)
		qsort(traces->data, traces->size / TRACE_SIZE, TRACE_SIZE, by_bytes);
	searching->traces = traces;
	searching->block = block;
	for (size_t at = 0; at < traces->size; at += TRACE_SIZE)
		searching->first[rs_read_be16(traces->data + at)] = true;
	RS_TRY(search_all(searching, node, err));
	*out_bytes = searching->bytes;
	return RS_OK;
}
