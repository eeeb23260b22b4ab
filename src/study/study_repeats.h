/* Features measured several times in some subjects: by other readers, in other scans, on perturbed masks. */
#ifndef RS_STUDY_REPEATS_H
#define RS_STUDY_REPEATS_H

#include "crypto/crypto.h"
#include "table/table_join.h"

#define RS_REPEATS_STRANGER UINT32_MAX

struct rs_column;
struct rs_study;
struct rs_repeats {
	struct rs_join join; /* the table; its texts stay */
	struct rs_arena arena;
	size_t subjects, measurements; /* 0: the study names no such table */
	uint32_t *subject;             /* of each: that of the frame, or RS_REPEATS_STRANGER */
	struct rs_digest *digests;     /* of all rows of each */
	bool *measured;                /* by column of the frame: the table has it */
	double *numbers;               /* by column of the frame, subject, measurement; NaN: missing */
};
void rs_repeats_finish(struct rs_repeats *repeats);
/* ids: the frame's subjects, ascending; columns: the frame's.
 * errors  RS_MALFORMED naming the subject that was measured more or less often than others */
enum rs_code rs_repeats_read(const struct rs_world *world, const char *directory,
                             const struct rs_study *study, const char *const *ids, size_t id_count,
                             const struct rs_column *columns, size_t column_count, struct rs_repeats *out,
                             struct rs_error *err);

#endif
