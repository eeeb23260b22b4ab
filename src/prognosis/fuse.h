/* Late fusion: a model for each modality, fitted to the rows that have it, and a stack of their scores. */
#ifndef RS_PROGNOSIS_FUSE_H
#define RS_PROGNOSIS_FUSE_H

#include "validate.h"

#define FUSE_ALL SIZE_MAX

/* One fold of one repeat of a fused contender, whose parts are done; searches: of its parts, for the fold. */
enum rs_code fuse_fold(struct contender *of, const struct search *const *searches, size_t repeat, size_t fold,
                       struct rs_error *err);
/* The stack that is kept: searches on all rows. */
enum rs_code fuse_all(const struct contender *of, const struct search *const *searches, struct stack *out,
                      double *out_threshold, struct rs_error *err);

/* By modality: the rows of a frame that have it. */
struct parts {
	size_t count;
	struct frame frames[PARTS_MAX];
	size_t *source[PARTS_MAX];
	uint32_t modality[PARTS_MAX];
};
void parts_finish(struct parts *parts);
/* Finish it even after a failure. */
enum rs_code parts_find(const struct frame *whole, struct parts *out, struct rs_error *err);

#endif
