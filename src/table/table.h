/* Columns of a table as numbers and codes. */
#ifndef RS_TABLE_H
#define RS_TABLE_H

#include "base/base_csv.h"

/* RS_USAGE names the column and those that there are. */
enum rs_code rs_column_find(const struct rs_csv *table, const char *name, size_t *out, struct rs_error *err);
/* Empty, or one of NA, NaN and null. */
bool rs_cell_is_missing(const char *cell);
/* RS_MALFORMED names line and column. */
enum rs_code rs_cell_number(const struct rs_csv *table, size_t row, size_t column, double *out,
                            struct rs_error *err);

#endif
