/* RFC 4180, read with patience for what spreadsheets write, and written by the book. */
#include <string.h>

#include "base/base_csv.h"

#define FILE_MAX ((size_t)256 << 20)
#define COLUMNS_MAX 65536

struct reader {
	const uint8_t *at, *end;
	size_t line;
	char *text;             /* where the next cell's text goes */
	size_t capacity, count; /* of cells */
	struct rs_csv csv;
};

void rs_csv_finish(struct rs_csv *csv)
{
	if (csv == NULL)
		return;
	rs_free(csv->text);
	rs_free(csv->cells);
	rs_free(csv->lines);
	memset(csv, 0, sizeof *csv);
}

const char *rs_csv_cell(const struct rs_csv *csv, size_t row, size_t column)
{
	return csv->cells[(row + 1) * csv->columns + column];
}

const char *rs_csv_name(const struct rs_csv *csv, size_t column) { return csv->cells[column]; }

size_t rs_csv_column(const struct rs_csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->columns; i++)
		if (strcmp(csv->cells[i], name) == 0)
			return i;
	return RS_CSV_NO_COLUMN;
}

void rs_csv_append(struct rs_buffer *out, const char *text)
{
	/* A byte order mark outside of quotes would be taken for the table's own. */
	if (strpbrk(text, ",\"\r\n") == NULL && strncmp(text, "\xef\xbb\xbf", 3) != 0) {
		rs_buffer_append_text(out, text);
		return;
	}
	rs_buffer_append_u8(out, '"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"')
			rs_buffer_append_u8(out, '"');
		rs_buffer_append_u8(out, (uint8_t)*p);
	}
	rs_buffer_append_u8(out, '"');
}

static bool at_line_end(const struct reader *r)
{
	return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

static void skip_line_end(struct reader *r)
{
	if (r->at < r->end && *r->at == '\r')
		r->at++;
	if (r->at < r->end && *r->at == '\n')
		r->at++;
	r->line++;
}

/* What stands between quotes, line ends and doubled quotes included. */
static enum rs_code read_quoted(struct reader *r, struct rs_error *err)
{
	size_t opened = r->line;
	r->at++;
	for (;; r->at++) {
		if (r->at == r->end)
			return rs_error_set(err, RS_MALFORMED, "line %zu: a quote is opened and never closed",
			                    opened);
		if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
			break;
		if (*r->at == '"')
			r->at++;
		r->line += *r->at == '\n';
		*r->text++ = (char)*r->at;
	}
	r->at++;
	if (!at_line_end(r) && *r->at != ',')
		return rs_error_set(err, RS_MALFORMED, "line %zu: after a closing quote a comma must follow",
		                    r->line);
	return RS_OK;
}

static enum rs_code add_cell(struct reader *r, const char *cell, struct rs_error *err)
{
	if (r->count == r->capacity) {
		size_t bytes, capacity = r->capacity * 2 + 64;
		const char **cells = rs_mul_size(capacity, sizeof *cells, &bytes)
		                             ? rs_reallocate(r->csv.cells, bytes)
		                             : NULL;
		if (cells == NULL)
			return rs_error_memory(err, capacity * sizeof *cells, "a table");
		r->csv.cells = cells;
		r->capacity = capacity;
	}
	r->csv.cells[r->count++] = cell;
	return RS_OK;
}

static enum rs_code read_cell(struct reader *r, struct rs_error *err)
{
	const char *cell = r->text;
	if (r->at < r->end && *r->at == '"')
		RS_TRY(read_quoted(r, err));
	else
		while (!at_line_end(r) && *r->at != ',')
			*r->text++ = (char)*r->at++;
	*r->text++ = '\0';
	return add_cell(r, cell, err);
}

/* Cells up to the line end; *out_count is 0 for a blank line. */
static enum rs_code read_record(struct reader *r, size_t *out_count, struct rs_error *err)
{
	size_t first = r->count, line = r->line;
	do {
		if (r->count > first)
			r->at++; /* the comma */
		RS_TRY(read_cell(r, err));
		if (r->count - first > (r->csv.columns > 0 ? r->csv.columns : COLUMNS_MAX))
			return rs_error_set(err, r->csv.columns > 0 ? RS_MALFORMED : RS_TOO_LARGE,
			                    "line %zu: more cells than the %zu columns %s", line,
			                    r->csv.columns > 0 ? r->csv.columns : (size_t)COLUMNS_MAX,
			                    r->csv.columns > 0 ? "of the header" : "allowed");
	} while (!at_line_end(r));
	skip_line_end(r);
	*out_count = r->count - first;
	if (*out_count == 1 && r->csv.cells[first][0] == '\0') {
		r->count = first;
		*out_count = 0;
	}
	return RS_OK;
}

static enum rs_code check_header(const struct rs_csv *csv, struct rs_error *err)
{
	if (csv->columns == 1 && strpbrk(csv->cells[0], ";\t") != NULL)
		return rs_error_set(err, RS_MALFORMED,
		                    "line 1: the columns are separated by %s; save the table with commas",
		                    strchr(csv->cells[0], ';') != NULL ? "semicolons" : "tabs");
	for (size_t i = 0; i < csv->columns; i++) {
		if (csv->cells[i][0] == '\0')
			return rs_error_set(err, RS_MALFORMED, "line 1: column %zu has no name", i + 1);
		if (rs_csv_column(csv, csv->cells[i]) != i)
			return rs_error_set(err, RS_MALFORMED, "line 1: column '%s' appears twice",
			                    csv->cells[i]);
	}
	return RS_OK;
}

static enum rs_code add_row(struct reader *r, size_t line, size_t count, struct rs_error *err)
{
	static const char empty[] = "";
	if ((r->csv.rows & (r->csv.rows + 1)) == 0) { /* 2^k - 1 rows fill 2^k places: room is doubled */
		size_t bytes = (r->csv.rows + 1) * 2 * sizeof *r->csv.lines;
		size_t *lines = rs_reallocate(r->csv.lines, bytes);
		if (lines == NULL)
			return rs_error_memory(err, bytes, "a table");
		r->csv.lines = lines;
	}
	for (; count < r->csv.columns; count++)
		RS_TRY(add_cell(r, empty, err));
	r->csv.lines[r->csv.rows++] = line;
	return RS_OK;
}

/* Byte order marks before the header; joined files have several. */
static void skip_marks(struct reader *r)
{
	while (r->end - r->at >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
		r->at += 3;
}

static enum rs_code read_table(struct reader *r, struct rs_error *err)
{
	size_t count = 0;
	while (r->at < r->end && r->csv.columns == 0) {
		skip_marks(r);
		RS_TRY(read_record(r, &r->csv.columns, err));
	}
	if (r->csv.columns == 0)
		return rs_error_set(err, RS_MALFORMED, "the table is empty; it needs a header line");
	RS_TRY(check_header(&r->csv, err));
	while (r->at < r->end) {
		size_t line = r->line;
		RS_TRY(read_record(r, &count, err));
		if (count > 0)
			RS_TRY(add_row(r, line, count, err));
	}
	return RS_OK;
}

static enum rs_code check_text(struct rs_bytes file, struct rs_error *err)
{
	if (file.size > FILE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a table may have %zu MiB", FILE_MAX >> 20);
	if (file.size == 0)
		return rs_error_set(err, RS_MALFORMED, "the table is empty; it needs a header line");
	if (memchr(file.data, '\0', file.size) != NULL)
		return rs_error_set(err, RS_MALFORMED, "the table holds NUL bytes; save it as UTF-8 text");
	if (!rs_utf8_valid(rs_str_of_bytes(file)))
		return rs_error_set(err, RS_MALFORMED, "the table is not UTF-8; save it as UTF-8 text");
	return RS_OK;
}

enum rs_code rs_csv_parse(struct rs_bytes file, struct rs_csv *out, struct rs_error *err)
{
	struct reader r = {.at = file.data, .end = file.data + file.size, .line = 1};
	RS_TRY(check_text(file, err));
	/* Every cell ends with a separator or the end of the file: its NUL always has room. */
	r.csv.text = r.text = rs_allocate(file.size + 2);
	enum rs_code code = r.text == NULL ? rs_error_memory(err, file.size + 2, "a table")
	                                   : read_table(&r, err);
	if (code == RS_OK)
		*out = r.csv;
	else
		rs_csv_finish(&r.csv);
	return code;
}
