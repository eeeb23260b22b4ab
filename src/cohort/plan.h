/* The columns of the output and the settings of each image, known before the first case is read. */
#ifndef RS_COHORT_PLAN_H
#define RS_COHORT_PLAN_H

#include "cohort/cohort.h"

#define HEX_SIZE (2 * sizeof(struct rs_digest) + 1)

struct image_plan {
	const char *prefix;
	struct rs_radiomics_settings settings; /* the job's, with the binning usual for the modality */
	struct rs_radiomics_result names;      /* of diagnostics and features, without values */
	char settings_hex[HEX_SIZE];
};
struct cohort_plan {
	struct image_plan images[RS_COHORT_IMAGES_MAX];
	size_t image_count;
	struct rs_cohort_column *columns;
	size_t column_count, room;
	size_t input_count;
	size_t label_column;     /* which column shows a row's label; RS_CSV_NO_COLUMN: none */
	struct rs_digest digest; /* of all that decides what a case's row looks like, but for the case */
	struct rs_arena arena;
};
enum rs_code plan_make(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                       struct cohort_plan *out, struct rs_error *err);
void plan_finish(struct cohort_plan *plan); /* accepts zeroed memory */

#endif
