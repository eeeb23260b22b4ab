/* Tables as text between commas, RFC 4180: the form in which cases come in and features go out. */
#ifndef RS_BASE_CSV_H
#define RS_BASE_CSV_H

#include "base/base_buffer.h"

/* The first record is the header. Cells are NUL-terminated UTF-8; a record shorter than the header is filled up
 * with empty cells. */
struct rs_csv {
	char *text;         /* private */
	const char **cells; /* rows + 1 times columns, header first */
	size_t *lines;      /* by row: the line of the file it begins on, from 1 */
	size_t columns, rows;
};
#define RS_CSV_NO_COLUMN SIZE_MAX

/* Accepts a byte order mark, either line end, blank lines. Finish with rs_csv_finish().
 * errors  RS_MALFORMED (not UTF-8, a quote left open, a record longer than the header, a header with an empty name or
 *         the same name twice), naming the line; RS_TOO_LARGE above 256 MiB; RS_NO_MEMORY */
enum rs_code rs_csv_parse(struct rs_bytes file, struct rs_csv *out, struct rs_error *err);
void rs_csv_finish(struct rs_csv *csv); /* accepts NULL and zeroed memory */
const char *rs_csv_cell(const struct rs_csv *csv, size_t row, size_t column);
const char *rs_csv_name(const struct rs_csv *csv, size_t column);
/* RS_CSV_NO_COLUMN when there is none of that name. */
size_t rs_csv_column(const struct rs_csv *csv, const char *name);

/* One cell, in quotes where it holds a comma, a quote or a line end; the caller writes commas and line ends. */
void rs_csv_append(struct rs_buffer *out, const char *text);

#endif
