#include "table/table.h"

#include <math.h>
#include <string.h>

enum rs_code rs_column_find(const struct rs_csv *table, const char *name, size_t *out, struct rs_error *err)
{
	char known[256] = "";
	size_t used = 0, column = rs_csv_column(table, name);
	if (column != RS_CSV_NO_COLUMN) {
		*out = column;
		return RS_OK;
	}
	for (size_t c = 0; c < table->columns; c++) {
		size_t length = strlen(rs_csv_name(table, c));
		if (used + length + 8 > sizeof known) {
			memcpy(known + used, ", …", sizeof ", …");
			break;
		}
		if (c > 0) {
			memcpy(known + used, ", ", 2);
			used += 2;
		}
		memcpy(known + used, rs_csv_name(table, c), length + 1);
		used += length;
	}
	return rs_error_set(err, RS_USAGE, "the table has no column %s; it has %s", name, known);
}

bool rs_cell_is_missing(const char *cell)
{
	static const char *const words[] = {"", "NA", "N/A", "NaN", "nan", "null"};
	for (size_t i = 0; i < RS_COUNT(words); i++)
		if (strcmp(cell, words[i]) == 0)
			return true;
	return false;
}

enum rs_code rs_cell_number(const struct rs_csv *table, size_t row, size_t column, double *out,
                            struct rs_error *err)
{
	const char *cell = rs_csv_cell(table, row, column), *name = rs_csv_name(table, column);
	double value;
	if (rs_parse_f64(rs_str_from(cell), &value) && isfinite(value)) {
		*out = value;
		return RS_OK;
	}
	bool comma = strlen(cell) < 32 && strchr(cell, ',') &&
	             strspn(cell, "+-0123456789,.eE") == strlen(cell);
	return rs_error_set(err, RS_MALFORMED, "line %zu, column %s: %s", table->lines[row], name,
	                    comma ? "a decimal comma; write decimals with a point" : "not a number");
}
