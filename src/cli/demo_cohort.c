/* radseal demo cohort: a synthetic cohort from a seed. */
#include "demo.h"

#include <stdio.h>

#include "option_lists.h"
#include "session.h"
#include "simulate/simulate.h"

enum rs_code demo_cohort(const struct command_line *line, struct rs_error *err)
{
	static const char *const sizes[] = {"small", "full", NULL};
	const struct rs_world *world = rs_world_system();
	const char *directory = option_value(line, "output");
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_progress progress;
	struct rs_simulate_options options = {.enhanced = option_given(line, "enhanced"),
	                                      .truth = option_given(line, "truth"),
	                                      .version = RADSEAL_VERSION,
	                                      .progress = &progress};
	uint64_t patients;
	unsigned size;
	if (!directory || line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "demo cohort: name one new directory with -o");
	RS_TRY(option_u64(line, "patients", DEMO_PATIENTS, RS_SIMULATE_PATIENTS_MAX, &patients, err));
	RS_TRY(option_u64(line, "seed", DEMO_SEED, UINT64_MAX, &options.seed, err));
	RS_TRY(option_word(line, "size", sizes, RS_SIMULATE_SMALL, &size, err));
	RS_TRY(session_pool(line, 1, &pool, err));
	options.patients = (size_t)patients;
	options.size = (enum rs_simulate_size)size;
	rs_progress_begin(&progress, world->clock, stderr, "simulating", patients);
	enum rs_code code = rs_simulate_cohort(world, &options, directory, pool, err);
	rs_progress_end(&progress);
	if (code != RS_OK)
		return code;
	printf("%zu synthetic patients in %s: clinical.csv, truth.json, and for each a study and two readers' masks.\n"
	       "Look at one: radseal extract %s/SIM-0001/study/T2 %s/SIM-0001/masks/reader1.dcm --json\n",
	       options.patients, directory, directory, directory);
	return RS_OK;
}
