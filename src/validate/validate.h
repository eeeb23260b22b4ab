/* Cross-validation of one way to predict, and what it says. */
#ifndef RS_VALIDATE_H
#define RS_VALIDATE_H

#include "model/model_fit.h"
#include "model/model_merit.h"
#include "report/report.h"
#include "model/model_stack.h"

struct rs_risks;
struct rs_contender {
	const char *name;
	const struct rs_frame *frame;
	const struct rs_plan *plan;
	enum rs_view view;
	bool baseline;
	const struct rs_frame *whole; /* of a part: the frame that its own is a subset of, */
	const size_t *source;         /* and which rows of it these are */
	struct rs_contender *parts;   /* of a fused one: one for each modality; else NULL */
	size_t part_count;
	size_t width, candidates;
	uint32_t *fold;         /* [repeat][row] */
	double *score;          /* [repeat][row][width]; each by a model that did not see the subject */
	double *threshold;      /* [repeat][row] */
	double *mean;           /* [row][width]: of the repeats */
	struct rs_risks *risks; /* of survival, where they are wanted; borrowed */
	size_t *chosen;         /* [repeat][fold]: which candidate */
	double *inner; /* [repeat][fold][candidate]: merit in the inner folds, NaN where there were none */
};
void rs_contender_finish(struct rs_contender *contender);
/* All folds of all contenders, in parallel; a fused one comes before its parts, in the same array. report: whom to tell of each
 * repeat; NULL: nobody. errors  name contender, repeat and fold */
enum rs_code rs_contenders_run(struct rs_contender *contenders, size_t count, const struct rs_study *study,
                               const struct rs_training_report *report, struct rs_pool *pool,
                               struct rs_error *err);

/* AUC or concordance; of a concordance pairs within folds count. */
enum rs_code rs_merit_of(const struct rs_contender *contender, const struct rs_study *study,
                         struct rs_merit *out, struct rs_error *err);
/* Two-sided p of equal merit: DeLong's test, or a jackknife over subjects. */
enum rs_code rs_merit_difference(const struct rs_contender *a, const struct rs_contender *b,
                                 const struct rs_study *study, double *out_difference, double *out_p,
                                 struct rs_error *err);
enum rs_code rs_contender_report(const struct rs_contender *contender, const struct rs_study *study,
                                 const struct rs_training_report *report, bool whole, struct rs_error *err);

#endif
