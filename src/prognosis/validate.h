/* Cross-validation of one way to predict, and what it says. */
#ifndef RS_PROGNOSIS_VALIDATE_H
#define RS_PROGNOSIS_VALIDATE_H

#include "fit.h"
#include "prognosis/prognosis_train.h"

struct contender {
	const char *name;
	const struct frame *frame;
	enum view view;
	bool linear;
	uint32_t *fold;    /* by repeat, then row */
	double *score;     /* the same; each by a model that did not see the subject */
	double *threshold; /* the same */
	double *mean;      /* by row: of the repeats (classes) */
};
void contender_finish(struct contender *contender);
struct recipe recipe_of(const struct study *study, const struct contender *contender);
/* All folds of all contenders, in parallel. errors  name contender, repeat and fold */
enum rs_code contenders_run(struct contender *contenders, size_t count, const struct study *study,
                            struct rs_pool *pool, struct rs_error *err);

/* AUC or concordance with its interval; of a concordance pairs within folds count. */
struct merit {
	double value, error, lower, upper;
};
enum rs_code merit_of(const struct contender *contender, const struct study *study, struct merit *out,
                      struct rs_error *err);
/* Two-sided p of equal merit: DeLong's test, or a jackknife over subjects. */
enum rs_code merit_difference(const struct contender *a, const struct contender *b, const struct study *study,
                              double *out_difference, double *out_p, struct rs_error *err);
enum rs_code contender_report(const struct contender *contender, const struct study *study,
                              const struct rs_training_report *report, bool whole, struct rs_error *err);

#endif
