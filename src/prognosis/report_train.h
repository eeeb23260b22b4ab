/* The report of a training, while it is put together. */
#ifndef RS_PROGNOSIS_REPORT_TRAIN_H
#define RS_PROGNOSIS_REPORT_TRAIN_H

#include "report/report.h"
#include "train.h"

#define FACTS_MAX 64

struct facts_maker {
	struct rs_arena *arena;
	struct rs_fact items[FACTS_MAX];
	size_t count;
	bool failed;
};
struct making {
	struct rs_arena arena;
	struct facts_maker study, subjects, provenance, evidence;
	struct rs_fact card[RS_CARD_MAX];
	struct rs_way ways[CONTENDERS_MAX];
	struct rs_report_input *inputs;
	uint8_t *called;
	uint32_t *group;
	struct rs_report_risk risk;
	const struct training_run *run;
	const struct rs_model *model;
	const struct rs_gathered *gathered;
};

/* Study, subjects, provenance and evidence; making->ways are there already. */
enum rs_code making_facts(struct making *making, const char *verdict, struct rs_bytes model_file,
                          const struct rs_page *page, struct rs_error *err);

#endif
