/* What is known of a cohort, as tables: what clinicians see, and what is behind it. */
#ifndef RS_SIMULATE_TABLES_H
#define RS_SIMULATE_TABLES_H

#include "study.h"

struct case_row {
	struct patient patient;
	struct study_facts facts;
};
enum rs_code tables_write(const struct rs_world *world, const struct rs_simulate_options *options,
                          const struct case_row *rows, const char *directory, struct rs_error *err);

#endif
