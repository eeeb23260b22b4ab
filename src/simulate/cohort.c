/* The cohort: patients side by side, each alone in memory. */
#include "simulate/simulate.h"

#include "tables.h"

struct work {
	const struct rs_world *world;
	const struct rs_simulate_options *options;
	const char *directory;
	struct case_row *rows;
	size_t first;
};

static enum rs_code make_one(void *context, size_t index, struct rs_error *err)
{
	const struct work *work = context;
	struct case_row *row = &work->rows[work->first + index];
	patient_draw(work->options->seed, work->first + index + 1, &row->patient);
	enum rs_code code = study_make(work->world, work->options, &row->patient, work->directory,
	                               &row->facts, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", row->patient.id);
}

enum rs_code rs_simulate_cohort(const struct rs_world *world, const struct rs_simulate_options *options,
                                const char *directory, struct rs_pool *pool, struct rs_error *err)
{
	struct case_row *rows RS_CLEANUP(rs_free_pointer) = NULL;
	const size_t batch = 4 * (size_t)rs_pool_threads(pool);
	if (options->patients == 0 || options->patients > RS_SIMULATE_PATIENTS_MAX)
		return rs_error_set(err, RS_USAGE, "a cohort has 1 to %d patients, not %zu",
		                    RS_SIMULATE_PATIENTS_MAX, options->patients);
	if (rs_path_exists(world, directory))
		return rs_error_set(err, RS_EXISTS, "%s: is there already; name a new directory", directory);
	rows = rs_allocate_array(options->patients, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, options->patients * sizeof *rows, "a cohort");
	RS_TRY(rs_directory_make(world, directory, err));
	for (size_t first = 0; first < options->patients; first += batch) {
		size_t left = options->patients - first;
		struct work work = {world, options, directory, rows, first};
		RS_TRY(rs_pool_for(pool, left < batch ? left : batch, make_one, &work, err));
		if (options->progress)
			rs_progress_update(options->progress, first + (left < batch ? left : batch));
	}
	return tables_write(world, options, rows, directory, err);
}
