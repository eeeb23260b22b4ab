/* Cross-validation of one way to predict, and what it says. */
#ifndef RS_PROGNOSIS_VALIDATE_H
#define RS_PROGNOSIS_VALIDATE_H

#include "merit.h"
#include "prognosis/prognosis_train.h"
#include "search.h"
#include "stack.h"

struct risks;
struct contender {
	const char *name;
	const struct frame *frame;
	const struct plan *plan;
	enum view view;
	bool baseline;
	const struct frame *whole; /* of a part: the frame that its own is a subset of, */
	const size_t *source;      /* and which rows of it these are */
	struct contender *parts;   /* of a fused one: one for each modality; else NULL */
	size_t part_count;
	size_t width, candidates;
	uint32_t *fold;      /* [repeat][row] */
	double *score;       /* [repeat][row][width]; each by a model that did not see the subject */
	double *threshold;   /* [repeat][row] */
	double *mean;        /* [row][width]: of the repeats */
	struct risks *risks; /* of survival, where they are wanted; borrowed */
	size_t *chosen;      /* [repeat][fold]: which candidate */
	double *inner; /* [repeat][fold][candidate]: merit in the inner folds, NaN where there were none */
};
void contender_finish(struct contender *contender);
/* A search on rows of the contender's frame, still without rows. */
struct search contender_search(const struct contender *contender, const struct study *study);
/* All folds of all contenders, in parallel; a fused one comes before its parts, in the same array.
 * errors  name contender, repeat and fold */
enum rs_code contenders_run(struct contender *contenders, size_t count, const struct study *study,
                            struct rs_pool *pool, struct rs_error *err);

/* AUC or concordance; of a concordance pairs within folds count. */
enum rs_code merit_of(const struct contender *contender, const struct study *study, struct merit *out,
                      struct rs_error *err);
/* Two-sided p of equal merit: DeLong's test, or a jackknife over subjects. */
enum rs_code merit_difference(const struct contender *a, const struct contender *b, const struct study *study,
                              double *out_difference, double *out_p, struct rs_error *err);
enum rs_code contender_report(const struct contender *contender, const struct study *study,
                              const struct rs_training_report *report, bool whole, struct rs_error *err);

#endif
