/* A training while it goes on, for the files that make it up. */
#ifndef RS_PROGNOSIS_TRAIN_RUN_H
#define RS_PROGNOSIS_TRAIN_RUN_H

#include "fuse.h"
#include "model.h"
#include "risks.h"
#include "validate.h"

#define CONTENDERS_MAX (5 + 3 * PARTS_MAX)
#define EVENTS_PER_INPUT 10

struct training_run {
	struct study study;
	struct frame frame, permuted, shuffled;
	struct contender contenders[CONTENDERS_MAX];
	size_t count;
	struct parts parts[3]; /* of late fusion: of the frame and the two controls */
	size_t parts_count;
	struct risks risks; /* of the model, of survival */
	struct rs_arena names;
	const struct rs_training_report *report;
};

struct gathered;
/* model_file: as it is written; its digest is told. */
enum rs_code train_page(const struct training_run *run, const struct rs_model *model, const char *verdict,
                        struct rs_bytes model_file, const struct gathered *gathered,
                        const struct rs_page *page, struct rs_error *err);

#endif
