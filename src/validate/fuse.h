/* Late fusion: a model for each modality, fitted to the rows that have it, and a stack of their scores. */
#ifndef RS_VALIDATE_FUSE_H
#define RS_VALIDATE_FUSE_H

#include "validate/validate_parts.h"
#include "search.h"

#define FUSE_ALL SIZE_MAX

/* One fold of one repeat of a fused contender, whose parts are done; searches: of its parts, for the fold. */
enum rs_code fuse_fold(struct rs_contender *of, const struct search *const *searches, size_t repeat,
                       size_t fold, struct rs_error *err);
/* The stack that is kept: searches on all rows. */
enum rs_code fuse_all(const struct rs_contender *of, const struct search *const *searches,
                      struct rs_stack *out, double *out_threshold, struct rs_error *err);

#endif
