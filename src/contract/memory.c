/* A state in memory: a sorted array of rows, and what they were before, for a rollback. */
#include "contract/contract_memory.h"

#include <assert.h>
#include <string.h>

#define NONE_BEFORE SIZE_MAX

static void free_rows(struct rs_memory_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rs_free(rows[i].bytes);
}

void rs_memory_state_finish(struct rs_memory_state *memory)
{
	if (!memory)
		return;
	free_rows(memory->rows, memory->count);
	free_rows(memory->undo, memory->undo_count);
	rs_free(memory->rows);
	rs_free(memory->undo);
	*memory = (struct rs_memory_state){.count = 0};
}

static int compare(const struct rs_memory_row *row, struct rs_bytes key)
{
	size_t size = row->key_size < key.size ? row->key_size : key.size;
	int order = size ? memcmp(row->bytes, key.data, size) : 0;
	if (order)
		return order;
	return row->key_size < key.size ? -1 : row->key_size > key.size;
}

/* The first row that is not before `key`. */
static size_t place_of(const struct rs_memory_state *memory, struct rs_bytes key)
{
	size_t low = 0, high = memory->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&memory->rows[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct rs_memory_state *memory, size_t place, struct rs_bytes key)
{
	return place < memory->count && compare(&memory->rows[place], key) == 0;
}

static enum rs_code memory_get(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err)
{
	const struct rs_memory_state *memory = context;
	size_t place = place_of(memory, key);
	(void)err;
	if (!is_at(memory, place, key))
		return RS_NOT_FOUND;
	const struct rs_memory_row *row = &memory->rows[place];
	*out = rs_bytes_of(row->bytes + row->key_size, row->value_size);
	return RS_OK;
}

static enum rs_code make_room(struct rs_memory_row **rows, size_t count, size_t *capacity,
                              struct rs_error *err)
{
	size_t size = 0, wanted = *capacity ? 2 * *capacity : 64;
	if (count < *capacity)
		return RS_OK;
	void *grown = rs_mul_size(wanted, sizeof **rows, &size) ? rs_reallocate(*rows, size) : NULL;
	if (!grown)
		return rs_error_memory(err, size, "a state in memory");
	*rows = grown;
	*capacity = wanted;
	return RS_OK;
}

static enum rs_code make_row(struct rs_bytes key, struct rs_bytes value, struct rs_memory_row *out,
                             struct rs_error *err)
{
	*out = (struct rs_memory_row){rs_allocate(key.size + value.size), key.size, value.size};
	if (!out->bytes)
		return rs_error_memory(err, key.size + value.size, "a row of a state in memory");
	if (key.size)
		memcpy(out->bytes, key.data, key.size);
	if (value.size)
		memcpy(out->bytes + key.size, value.data, value.size);
	return RS_OK;
}

/* What undoes the change of the row at `place`: its present self, taken over, or that there was none. */
static enum rs_code make_undo(struct rs_memory_state *memory, struct rs_bytes key, struct rs_error *err)
{
	struct rs_memory_row none;
	RS_TRY(make_room(&memory->undo, memory->undo_count, &memory->undo_capacity, err));
	RS_TRY(make_row(key, (struct rs_bytes){.size = 0}, &none, err));
	none.value_size = NONE_BEFORE;
	memory->undo[memory->undo_count++] = none;
	return RS_OK;
}

static enum rs_code memory_put(void *context, struct rs_bytes key, struct rs_bytes value,
                               struct rs_error *err)
{
	struct rs_memory_state *memory = context;
	size_t place = place_of(memory, key);
	bool there = is_at(memory, place, key);
	struct rs_memory_row row;
	assert(key.size <= RS_STATE_KEY_MAX && value.size <= RS_STATE_VALUE_MAX);
	RS_TRY(make_room(&memory->rows, memory->count, &memory->capacity, err));
	if (there && memory->keeps_undo)
		RS_TRY(make_room(&memory->undo, memory->undo_count, &memory->undo_capacity, err));
	RS_TRY(make_row(key, value, &row, err));
	if (!there && memory->keeps_undo && make_undo(memory, key, err) != RS_OK) {
		rs_free(row.bytes);
		return RS_NO_MEMORY;
	}
	if (!there) {
		memmove(&memory->rows[place + 1], &memory->rows[place],
		        (memory->count - place) * sizeof *memory->rows);
		memory->count++;
	} else if (memory->keeps_undo) {
		memory->undo[memory->undo_count++] = memory->rows[place];
	} else {
		rs_free(memory->rows[place].bytes);
	}
	memory->rows[place] = row;
	return RS_OK;
}

static enum rs_code memory_each(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
                                struct rs_error *err)
{
	const struct rs_memory_state *memory = context;
	for (size_t i = place_of(memory, prefix); i < memory->count; i++) {
		const struct rs_memory_row *row = &memory->rows[i];
		if (row->key_size < prefix.size ||
		    (prefix.size && memcmp(row->bytes, prefix.data, prefix.size) != 0))
			return RS_OK;
		RS_TRY(visit(visitor, rs_bytes_of(row->bytes, row->key_size),
		             rs_bytes_of(row->bytes + row->key_size, row->value_size), err));
	}
	return RS_OK;
}

struct rs_state rs_memory_state_view(struct rs_memory_state *memory)
{
	return (struct rs_state){memory_get, memory_put, memory_each, memory};
}

void rs_memory_state_begin(struct rs_memory_state *memory) { memory->keeps_undo = true; }

void rs_memory_state_commit(struct rs_memory_state *memory)
{
	free_rows(memory->undo, memory->undo_count);
	memory->undo_count = 0;
	memory->keeps_undo = false;
}

void rs_memory_state_rollback(struct rs_memory_state *memory)
{
	while (memory->undo_count) {
		struct rs_memory_row old = memory->undo[--memory->undo_count];
		size_t place = place_of(memory, rs_bytes_of(old.bytes, old.key_size));
		rs_free(memory->rows[place].bytes);
		if (old.value_size != NONE_BEFORE) {
			memory->rows[place] = old;
			continue;
		}
		rs_free(old.bytes);
		memory->count--;
		memmove(&memory->rows[place], &memory->rows[place + 1],
		        (memory->count - place) * sizeof *memory->rows);
	}
	memory->keeps_undo = false;
}
