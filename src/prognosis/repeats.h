/* Features measured several times in some subjects: by other readers, in other scans, on perturbed masks. */
#ifndef RS_PROGNOSIS_REPEATS_H
#define RS_PROGNOSIS_REPEATS_H

#include "crypto/crypto.h"
#include "join.h"

#define REPEATS_STRANGER UINT32_MAX

struct column;
struct study;
struct repeats {
	struct join join; /* the table; its texts stay */
	struct rs_arena arena;
	size_t subjects, measurements; /* 0: the study names no such table */
	uint32_t *subject;             /* of each: that of the frame, or REPEATS_STRANGER */
	struct rs_digest *digests;     /* of all rows of each */
	bool *measured;                /* by column of the frame: the table has it */
	double *numbers;               /* by column of the frame, subject, measurement; NaN: missing */
};
void repeats_finish(struct repeats *repeats);
/* ids: the frame's subjects, ascending; columns: the frame's.
 * errors  RS_MALFORMED naming the subject that was measured more or less often than others */
enum rs_code repeats_read(const struct rs_world *world, const char *directory, const struct study *study,
                          const char *const *ids, size_t id_count, const struct column *columns,
                          size_t column_count, struct repeats *out, struct rs_error *err);

#endif
