/* Cross-validation of one way to predict, and what it says. */
#ifndef RS_PROGNOSIS_VALIDATE_H
#define RS_PROGNOSIS_VALIDATE_H

#include "merit.h"
#include "prognosis/prognosis_train.h"
#include "search.h"

struct contender {
	const char *name;
	const struct frame *frame;
	const struct plan *plan;
	enum view view;
	bool baseline;
	size_t width, candidates;
	uint32_t *fold;    /* [repeat][row] */
	double *score;     /* [repeat][row][width]; each by a model that did not see the subject */
	double *threshold; /* [repeat][row] */
	double *mean;      /* [row][width]: of the repeats */
	size_t *chosen;    /* [repeat][fold]: which candidate */
	double *inner; /* [repeat][fold][candidate]: merit in the inner folds, NaN where there were none */
};
void contender_finish(struct contender *contender);
/* A search on rows of the contender's frame, still without rows. */
struct search contender_search(const struct contender *contender, const struct study *study);
/* All folds of all contenders, in parallel. errors  name contender, repeat and fold */
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
