/* Tables side by side: the first one gives the rows, others are joined to it by id. */
#ifndef RS_TABLE_JOIN_H
#define RS_TABLE_JOIN_H

#include "base/base_csv.h"
#include "base/base_world.h"
#include "crypto/crypto.h"

#define RS_JOIN_TABLES_MAX 32
#define RS_JOIN_NO_ROW SIZE_MAX

/* Where a row comes from: its id, and the cell of a column whose name ends in provenance_Receipt, "" without one. A row that
 * was joined from several such tables comes once for each. */
struct rs_row_origin {
	size_t row;
	const char *id, *receipt;
};
/* Asked once, before anything is computed; what it returns ends the call. */
typedef enum rs_code rs_rows_permit(void *context, const struct rs_row_origin *origins, size_t count,
                                    struct rs_error *err);

struct rs_join {
	size_t count, rows;
	struct rs_joined_table {
		const char *path;
		struct rs_csv csv;
		struct rs_digest digest; /* of the file */
		size_t id;
		size_t *row; /* by row of the first table: its own, or RS_JOIN_NO_ROW */
	} tables[RS_JOIN_TABLES_MAX];
};
void rs_join_finish(struct rs_join *join);
/* directory: where the paths begin; NULL: as they are. */
enum rs_code rs_join_read(const struct rs_world *world, const char *directory, const char *const *paths,
                          size_t count, const char *id, struct rs_join *out, struct rs_error *err);
/* A column of one of the tables. errors  RS_USAGE: none has it, or two have */
struct rs_table_place {
	size_t table, column;
};
enum rs_code rs_join_find(const struct rs_join *join, const char *name, struct rs_table_place *out,
                          struct rs_error *err);
const char *rs_join_name(const struct rs_join *join, struct rs_table_place at);
const char *rs_join_id(const struct rs_join *join, size_t row);
/* Empty where the table lacks the subject. */
const char *rs_join_cell(const struct rs_join *join, size_t row, struct rs_table_place at);
/* NaN where it is missing. errors  RS_MALFORMED naming table, line and column */
enum rs_code rs_join_number(const struct rs_join *join, size_t row, struct rs_table_place at, double *out,
                            struct rs_error *err);

/* Where each row comes from, for who has to allow its use. */
enum rs_code rs_join_permit(const struct rs_join *join, rs_rows_permit *permit, void *context,
                            struct rs_error *err);

#endif
