/* Tables of cases: whatever is read must come back the same when it is written. */
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_table(const struct rs_csv *table, struct rs_buffer *out)
{
	rs_buffer_init(out, (size_t)1 << 26);
	for (size_t i = 0; i < (table->rows + 1) * table->columns; i++) {
		rs_csv_append(out, table->cells[i]);
		rs_buffer_append_text(out, (i + 1) % table->columns == 0 ? "\r\n" : ",");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_csv table RS_CLEANUP(rs_csv_finish) = {0}, again RS_CLEANUP(rs_csv_finish) = {0};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	if (size > 65536 || rs_csv_parse(rs_bytes_of(data, size), &table, &err) != RS_OK)
		return 0;
	write_table(&table, &text);
	/* A record of empty cells alone in one column is a blank line, and a lone semicolon may be a separator. */
	if (table.columns == 1)
		return 0;
	if (rs_csv_parse(rs_buffer_bytes(&text), &again, &err) != RS_OK || again.columns != table.columns ||
	    again.rows != table.rows)
		__builtin_trap();
	for (size_t i = 0; i < (table.rows + 1) * table.columns; i++)
		if (strcmp(table.cells[i], again.cells[i]) != 0)
			__builtin_trap();
	return 0;
}
