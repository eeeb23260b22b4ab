/* Tables side by side: the first one gives the rows, others are joined to it by id. */
#ifndef RS_PROGNOSIS_JOIN_H
#define RS_PROGNOSIS_JOIN_H

#include "base/base_csv.h"
#include "base/base_world.h"
#include "prognosis/prognosis_train.h"

#define JOIN_TABLES_MAX 32
#define JOIN_NO_ROW SIZE_MAX

struct join {
	size_t count, rows;
	struct joined_table {
		const char *path;
		struct rs_csv csv;
		struct rs_digest digest; /* of the file */
		size_t id;
		size_t *row; /* by row of the first table: its own, or JOIN_NO_ROW */
	} tables[JOIN_TABLES_MAX];
};
void join_finish(struct join *join);
/* directory: where the paths begin; NULL: as they are. */
enum rs_code join_read(const struct rs_world *world, const char *directory, const char *const *paths,
                       size_t count, const char *id, struct join *out, struct rs_error *err);
/* A column of one of the tables. errors  RS_USAGE: none has it, or two have */
struct place {
	size_t table, column;
};
enum rs_code join_find(const struct join *join, const char *name, struct place *out, struct rs_error *err);
const char *join_name(const struct join *join, struct place at);
const char *join_id(const struct join *join, size_t row);
/* Empty where the table lacks the subject. */
const char *join_cell(const struct join *join, size_t row, struct place at);
/* NaN where it is missing. errors  RS_MALFORMED naming table, line and column */
enum rs_code join_number(const struct join *join, size_t row, struct place at, double *out,
                         struct rs_error *err);

/* Where each row comes from, for who has to allow its use. */
enum rs_code join_permit(const struct join *join, rs_rows_permit *permit, void *context,
                         struct rs_error *err);

#endif
