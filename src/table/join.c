#include "table/table_join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"

#define TABLE_SIZE_MAX ((size_t)256 << 20)

void rs_join_finish(struct rs_join *join)
{
	for (size_t t = 0; t < join->count; t++) {
		rs_csv_finish(&join->tables[t].csv);
		rs_free(join->tables[t].row);
	}
}

static enum rs_code table_read(const struct rs_world *world, const char *directory, const char *path,
                               const char *id, struct rs_joined_table *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	char *whole RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s%s", directory && path[0] != '/' ? directory : "", path);
	if (!whole)
		return rs_error_memory(err, strlen(path), "a path");
	out->path = path;
	RS_TRY(rs_file_read_all(world, whole, TABLE_SIZE_MAX, &file, err));
	rs_sha256(rs_buffer_bytes(&file), &out->digest);
	enum rs_code code = rs_csv_parse(rs_buffer_bytes(&file), &out->csv, err);
	if (code == RS_OK)
		code = rs_column_find(&out->csv, id, &out->id, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

struct named_row {
	const char *id;
	size_t row;
};
static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct named_row *)a)->id, ((const struct named_row *)b)->id);
}

static enum rs_code sorted_ids(const struct rs_joined_table *table, struct named_row **out,
                               struct rs_error *err)
{
	size_t rows = table->csv.rows;
	struct named_row *sorted = rs_allocate_array(rows, sizeof *sorted);
	if (!sorted)
		return rs_error_memory(err, rows * sizeof *sorted, "a table");
	for (size_t i = 0; i < rows; i++)
		sorted[i] = (struct named_row){rs_csv_cell(&table->csv, i, table->id), i};
	if (rows > 0)
		qsort(sorted, rows, sizeof *sorted, by_id);
	*out = sorted;
	return RS_OK;
}

static enum rs_code attach(const struct rs_joined_table *first, struct rs_joined_table *table,
                           struct rs_error *err)
{
	struct named_row *sorted RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(sorted_ids(table, &sorted, err));
	table->row = rs_allocate_array(first->csv.rows, sizeof *table->row);
	if (!table->row)
		return rs_error_memory(err, first->csv.rows * sizeof *table->row, "a table");
	for (size_t i = 1; i < table->csv.rows; i++)
		if (strcmp(sorted[i].id, sorted[i - 1].id) == 0)
			return rs_error_set(
				err, RS_MALFORMED,
				"%s: two rows of one id (lines %zu and %zu); only the first table may have "
				"several",
				table->path, table->csv.lines[sorted[i - 1].row],
				table->csv.lines[sorted[i].row]);
	for (size_t i = 0; i < first->csv.rows; i++) {
		const struct named_row key = {rs_csv_cell(&first->csv, i, first->id), 0};
		const struct named_row *found = table->csv.rows ? bsearch(&key, sorted, table->csv.rows,
		                                                          sizeof key, by_id)
		                                                : NULL;
		table->row[i] = found ? found->row : RS_JOIN_NO_ROW;
	}
	return RS_OK;
}

static enum rs_code read_all(const struct rs_world *world, const char *directory, const char *const *paths,
                             size_t count, const char *id, struct rs_join *join, struct rs_error *err)
{
	for (size_t t = 0; t < count; t++) {
		join->count = t + 1;
		RS_TRY(table_read(world, directory, paths[t], id, &join->tables[t], err));
		if (t > 0)
			RS_TRY(attach(&join->tables[0], &join->tables[t], err));
	}
	join->rows = join->tables[0].csv.rows;
	for (size_t i = 0; i < join->rows; i++)
		if (rs_cell_is_missing(rs_join_id(join, i)))
			return rs_error_set(err, RS_MALFORMED, "%s, line %zu: a row without an id", paths[0],
			                    join->tables[0].csv.lines[i]);
	return RS_OK;
}

enum rs_code rs_join_read(const struct rs_world *world, const char *directory, const char *const *paths,
                          size_t count, const char *id, struct rs_join *out, struct rs_error *err)
{
	struct rs_join join = {0};
	if (count == 0 || count > RS_JOIN_TABLES_MAX)
		return rs_error_set(err, RS_USAGE, "1 to %d tables can be joined", RS_JOIN_TABLES_MAX);
	enum rs_code code = read_all(world, directory, paths, count, id, &join, err);
	if (code != RS_OK)
		rs_join_finish(&join);
	else
		*out = join;
	return code;
}

enum rs_code rs_join_find(const struct rs_join *join, const char *name, struct rs_table_place *out,
                          struct rs_error *err)
{
	bool found = false;
	for (size_t t = 0; t < join->count; t++) {
		size_t column = rs_csv_column(&join->tables[t].csv, name);
		if (column == RS_CSV_NO_COLUMN)
			continue;
		if (found)
			return rs_error_set(err, RS_USAGE, "column %s is in %s and in %s; rename one", name,
			                    join->tables[out->table].path, join->tables[t].path);
		*out = (struct rs_table_place){t, column};
		found = true;
	}
	return found              ? RS_OK
	       : join->count == 1 ? rs_column_find(&join->tables[0].csv, name, &out->column, err)
	                          : rs_error_set(err, RS_USAGE, "none of the tables has a column %s", name);
}

const char *rs_join_name(const struct rs_join *join, struct rs_table_place at)
{
	return rs_csv_name(&join->tables[at.table].csv, at.column);
}

const char *rs_join_id(const struct rs_join *join, size_t row)
{
	return rs_csv_cell(&join->tables[0].csv, row, join->tables[0].id);
}

static size_t row_of(const struct rs_join *join, size_t row, size_t table)
{
	return table == 0 ? row : join->tables[table].row[row];
}

const char *rs_join_cell(const struct rs_join *join, size_t row, struct rs_table_place at)
{
	size_t own = row_of(join, row, at.table);
	return own == RS_JOIN_NO_ROW ? "" : rs_csv_cell(&join->tables[at.table].csv, own, at.column);
}

enum rs_code rs_join_number(const struct rs_join *join, size_t row, struct rs_table_place at, double *out,
                            struct rs_error *err)
{
	if (rs_cell_is_missing(rs_join_cell(join, row, at))) {
		*out = NAN;
		return RS_OK;
	}
	if (rs_cell_number(&join->tables[at.table].csv, row_of(join, row, at.table), at.column, out, err) !=
	    RS_OK)
		return rs_error_context(err, "%s", join->tables[at.table].path);
	return RS_OK;
}

static bool is_receipt(const struct rs_csv *csv, size_t column)
{
	return rs_str_ends_with(rs_str_from(rs_csv_name(csv, column)), "provenance_Receipt");
}

enum rs_code rs_join_permit(const struct rs_join *join, rs_rows_permit *permit, void *context,
                            struct rs_error *err)
{
	size_t columns = 0, room, count = 0;
	for (size_t t = 0; t < join->count; t++)
		for (size_t c = 0; c < join->tables[t].csv.columns; c++)
			columns += is_receipt(&join->tables[t].csv, c);
	if (!permit)
		return RS_OK;
	bool fits = rs_mul_size(join->rows, columns + 1, &room);
	struct rs_row_origin *origins RS_CLEANUP(
		rs_free_pointer) = fits ? rs_allocate_array(room, sizeof *origins) : NULL;
	if (!origins)
		return rs_error_memory(err, join->rows * sizeof *origins, "rows");
	for (size_t row = 0; row < join->rows; row++) {
		size_t before = count;
		for (size_t t = 0; t < join->count; t++)
			for (size_t c = 0; c < join->tables[t].csv.columns; c++) {
				const char *cell = is_receipt(&join->tables[t].csv, c)
				                           ? rs_join_cell(join, row,
				                                          (struct rs_table_place){t, c})
				                           : "";
				if (*cell)
					origins[count++] = (struct rs_row_origin){row, rs_join_id(join, row),
					                                          cell};
			}
		if (count == before)
			origins[count++] = (struct rs_row_origin){row, rs_join_id(join, row), ""};
	}
	return permit(context, origins, count, err);
}
