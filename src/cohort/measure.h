/* One case: its images and masks read, its regions measured, its rows written as cells. */
#ifndef RS_COHORT_MEASURE_H
#define RS_COHORT_MEASURE_H

#include "cohort/plan.h"

#define ROWS_SIZE_MAX ((size_t)1 << 30)

/* What came of a case. rows: row_count times the plan's column_count texts, each with its NUL. */
struct outcome {
	bool ready, resumed, failed;
	size_t row_count;
	struct rs_buffer rows;
	struct rs_buffer notes;  /* lines of text, the last one with its NUL */
	struct rs_error failure; /* of the first row that failed */
};
void outcome_finish(struct outcome *outcome); /* accepts zeroed memory */

/* refused: why its files must not be read, or NULL. Failures of the case stand in the outcome.
 * errors  RS_NO_MEMORY, RS_TOO_LARGE: there is no row at all */
enum rs_code measure_case(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                          const struct cohort_plan *plan, size_t index, const struct rs_error *refused,
                          struct outcome *out, struct rs_error *err);

#endif
