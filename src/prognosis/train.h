/* A training while it goes on, for the files that make it up. */
#ifndef RS_PROGNOSIS_TRAIN_H
#define RS_PROGNOSIS_TRAIN_H

#include "validate/validate_parts.h"
#include "prognosis/prognosis.h"
#include "model/model_parts.h"
#include "validate/validate_risks.h"
#include "validate/validate.h"

#define CONTENDERS_MAX (5 + 3 * RS_PARTS_MAX)
#define EVENTS_PER_INPUT 10

struct training_run {
	struct rs_study study;
	struct rs_frame frame, permuted, shuffled;
	struct rs_contender contenders[CONTENDERS_MAX];
	size_t count;
	struct rs_ready_plan baseline;  /* of contenders that are one */
	struct rs_fused_parts parts[3]; /* of late fusion: of the frame and the two controls */
	size_t parts_count;
	struct rs_risks risks; /* of the model, of survival */
	struct rs_arena names;
	const struct rs_training_report *report;
	const struct rs_training_report *told; /* the caller's, of progress */
};

struct rs_gathered;
/* model_file: as it is written; its digest is told. */
enum rs_code train_page(const struct training_run *run, const struct rs_model *model, const char *verdict,
                        struct rs_bytes model_file, const struct rs_gathered *gathered,
                        const struct rs_page *page, struct rs_error *err);

#endif
