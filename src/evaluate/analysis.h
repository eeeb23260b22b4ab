/* A table of follow-up as its analyses share it. */
#ifndef RS_EVALUATE_ANALYSIS_H
#define RS_EVALUATE_ANALYSIS_H

#include "design.h"
#include "evaluate/evaluate_survival.h"

struct analysis {
	const struct rs_survival_analysis *asked;
	struct told told;
	struct rs_evaluation as_evaluation; /* what the curves go by */
	struct coded groups, strata, clusters;
	uint8_t *only; /* whether the event came; others count as censored */
	struct design design;
};
/* of_event: only this event, for all that does not know of others. */
struct rs_follow_up analysis_seen(const struct analysis *a, bool of_event);

enum rs_code analyse_means(const struct analysis *a, struct rs_error *err);
enum rs_code analyse_cox(const struct analysis *a, struct rs_error *err);
enum rs_code analyse_parametric(const struct analysis *a, struct rs_error *err);
enum rs_code write_curves(const struct analysis *a, struct rs_buffer *out, struct rs_error *err);

#endif
