/* Counting pairs of small numbers, and the sorted cells that are left of it. */
#include <string.h>

#include "radiomics/texture.h"

#define TABLE_CELLS_MIN 65536 /* a table of so many cells costs nothing worth a thought */
#define KEYS_FIRST 1024

void matrix_finish(struct matrix *matrix)
{
	if (matrix == NULL)
		return;
	rs_free(matrix->cells);
	memset(matrix, 0, sizeof *matrix);
}

/* -1, 0, 1 as cell a stands before, at or after cell b. */
static int cell_order(const struct cell *a, const struct cell *b)
{
	if (a->i != b->i)
		return a->i < b->i ? -1 : 1;
	return (a->j > b->j) - (a->j < b->j);
}

enum rs_code matrix_add(struct matrix *sum, const struct matrix *more, double weight, struct rs_error *err)
{
	size_t a = 0, b = 0, room = sum->count + more->count;
	struct matrix out = {.cells = rs_allocate_array(room, sizeof *out.cells)};
	if (out.cells == NULL)
		return rs_error_memory(err, room * sizeof *out.cells, "a sum of matrices");
	while (a < sum->count || b < more->count) {
		int order = a == sum->count    ? 1
		            : b == more->count ? -1
		                               : cell_order(&sum->cells[a], &more->cells[b]);
		struct cell *to = &out.cells[out.count++];
		*to = order <= 0 ? sum->cells[a] : more->cells[b];
		to->n = (order <= 0 ? sum->cells[a].n : 0) + (order >= 0 ? weight * more->cells[b].n : 0);
		out.total += to->n;
		a += order <= 0;
		b += order >= 0;
	}
	out.room = room;
	matrix_finish(sum);
	*sum = out;
	return RS_OK;
}

enum rs_code tally_init(struct tally *tally, uint32_t rows, uint32_t columns, uint64_t expected,
                        struct rs_error *err)
{
	size_t cells = (size_t)rows * columns;
	*tally = (struct tally){.rows = rows};
	if (cells > TABLE_CELLS_MIN && cells / 2 > expected)
		return RS_OK;
	tally->table = rs_allocate_array(cells, sizeof *tally->table);
	if (tally->table == NULL)
		return rs_error_memory(err, cells * sizeof *tally->table, "a table of counts");
	tally->columns = columns;
	return RS_OK;
}

void tally_finish(struct tally *tally)
{
	if (tally == NULL)
		return;
	rs_free(tally->table);
	rs_free(tally->keys);
	rs_free(tally->spare);
	memset(tally, 0, sizeof *tally);
}

void tally_add_key(struct tally *tally, uint32_t i, uint32_t j)
{
	if (tally->key_count == tally->key_room) {
		size_t room = tally->key_room > 0 ? 2 * tally->key_room : KEYS_FIRST;
		uint64_t *keys = tally->failed ? NULL
		                               : rs_reallocate(tally->keys, room * sizeof *tally->keys);
		tally->failed = keys == NULL;
		if (keys == NULL)
			return;
		tally->keys = keys;
		tally->key_room = room;
	}
	tally->keys[tally->key_count++] = (uint64_t)i << 32 | j;
}

enum rs_code tally_mirror(struct tally *tally, struct rs_error *err)
{
	size_t side = tally->columns, keys = tally->key_count;
	for (size_t i = 0; i < side; i++)
		for (size_t j = i; j < side; j++) {
			uint64_t both = tally->table[i * side + j] + tally->table[j * side + i];
			tally->table[i * side + j] = tally->table[j * side + i] = both;
		}
	for (size_t k = 0; k < keys && !tally->failed; k++)
		tally_add_key(tally, (uint32_t)tally->keys[k], (uint32_t)(tally->keys[k] >> 32));
	if (tally->failed)
		return rs_error_memory(err, 2 * keys * sizeof *tally->keys, "a list of counts");
	return RS_OK;
}

/* Radix sort by the bytes that differ. */
static enum rs_code keys_sort(struct tally *tally, struct rs_error *err)
{
	uint64_t any = 0, all = UINT64_MAX;
	for (size_t k = 0; k < tally->key_count; k++) {
		any |= tally->keys[k];
		all &= tally->keys[k];
	}
	if (tally->spare_room < tally->key_room) {
		rs_free(tally->spare);
		tally->spare_room = 0;
		tally->spare = rs_allocate_array(tally->key_room, sizeof *tally->spare);
		if (tally->spare == NULL)
			return rs_error_memory(err, tally->key_room * sizeof *tally->spare, "sorting counts");
		tally->spare_room = tally->key_room;
	}
	uint64_t *from = tally->keys, *to = tally->spare;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t place[257] = {0};
		if (((any ^ all) >> shift & 255) == 0)
			continue;
		for (size_t k = 0; k < tally->key_count; k++)
			place[(from[k] >> shift & 255) + 1]++;
		for (size_t b = 0; b < 256; b++)
			place[b + 1] += place[b];
		for (size_t k = 0; k < tally->key_count; k++)
			to[place[from[k] >> shift & 255]++] = from[k];
		uint64_t *kept = from;
		from = to;
		to = kept;
	}
	if (from != tally->keys) {
		size_t room = tally->key_room;
		tally->spare = tally->keys;
		tally->key_room = tally->spare_room;
		tally->keys = from;
		tally->spare_room = room;
	}
	return RS_OK;
}

/* Cells that the table and the sorted keys hold together; an upper bound, as a key may repeat. */
static size_t cells_bound(const struct tally *tally)
{
	size_t bound = tally->key_count, cells = (size_t)tally->rows * tally->columns;
	for (size_t c = tally->columns; c < cells; c++)
		bound += tally->table[c] > 0;
	return bound;
}

static void cells_of_row(struct tally *tally, uint32_t i, struct matrix *out)
{
	uint64_t *row = tally->table + (size_t)i * tally->columns;
	for (uint32_t j = 1; j < tally->columns; j++)
		if (row[j] > 0)
			out->cells[out->count++] = (struct cell){i, j, (double)row[j]};
}

static void cells_of_keys(const struct tally *tally, uint32_t i, size_t *next, struct matrix *out)
{
	for (; *next < tally->key_count && tally->keys[*next] >> 32 == i; (*next)++) {
		uint32_t j = (uint32_t)tally->keys[*next];
		struct cell *last = out->count > 0 ? &out->cells[out->count - 1] : NULL;
		if (last != NULL && last->i == i && last->j == j)
			last->n++;
		else
			out->cells[out->count++] = (struct cell){i, j, 1};
	}
}

enum rs_code tally_take(struct tally *tally, struct matrix *out, struct rs_error *err)
{
	size_t next = 0;
	if (tally->failed)
		return rs_error_memory(err, tally->key_room * sizeof *tally->keys, "a list of counts");
	if (tally->key_count > 0)
		RS_TRY(keys_sort(tally, err));
	size_t bound = cells_bound(tally);
	if (out->room < bound) {
		struct cell *cells = rs_reallocate(out->cells, bound * sizeof *cells);
		if (cells == NULL)
			return rs_error_memory(err, bound * sizeof *cells, "a matrix");
		out->cells = cells;
		out->room = bound;
	}
	out->count = 0;
	out->total = 0;
	for (uint32_t i = 1; i < tally->rows; i++) {
		if (tally->columns > 0)
			cells_of_row(tally, i, out);
		cells_of_keys(tally, i, &next, out);
	}
	for (size_t c = 0; c < out->count; c++)
		out->total += out->cells[c].n;
	if (tally->columns > 0)
		memset(tally->table, 0, (size_t)tally->rows * tally->columns * sizeof *tally->table);
	tally->key_count = 0;
	return RS_OK;
}

void tally_narrow(struct tally *tally, uint32_t rows, uint32_t columns)
{
	tally->rows = rows;
	tally->columns = tally->columns > 0 ? columns : 0;
}
