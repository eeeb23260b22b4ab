/* A row for each column of the output, in its order. */
#include "extract_dictionary.h"

#define DICTIONARY_MAX ((size_t)64 << 20)

enum rs_code dictionary_write(const struct rs_world *world, const char *path,
                              const struct rs_cohort_column *columns, size_t count, struct rs_error *err)
{
	static const char *const kinds[] = {"input", "diagnostic", "feature", "provenance"};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&file, DICTIONARY_MAX);
	rs_buffer_append_text(&file, "Column,Kind,IBSI,Aggregation,Unit\n");
	for (size_t i = 0; i < count; i++) {
		const struct rs_cohort_column *column = &columns[i];
		const char *const cells[] = {column->name, kinds[column->origin], column->ibsi,
		                             column->aggregation, column->unit};
		for (size_t k = 0; k < RS_COUNT(cells); k++) {
			rs_buffer_append_text(&file, k > 0 ? "," : "");
			rs_csv_append(&file, cells[k]);
		}
		rs_buffer_append_text(&file, "\n");
	}
	RS_TRY(rs_buffer_check(&file, "a dictionary", err));
	return rs_file_replace(world, path, rs_buffer_bytes(&file), 0644, err);
}

struct target {
	const struct rs_world *world;
	const char *path;
};

static enum rs_code take_columns(void *context, const struct rs_cohort_column *columns, size_t count,
                                 struct rs_error *err)
{
	const struct target *target = context;
	return dictionary_write(target->world, target->path, columns, count, err);
}

enum rs_code dictionary_of(const struct rs_cohort_job *job, const char *path, struct rs_error *err)
{
	static char image[] = "IMAGE", mask[] = "MASK"; /* stand for any; never opened */
	char *const operands[] = {image, mask};
	struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
	struct target target = {job->world, path};
	const struct rs_cohort_sink sink = {.context = &target, .columns = take_columns};
	RS_TRY(rs_cohort_from_operands(operands, 2, &cohort, err));
	return rs_cohort_describe(&cohort, job, &sink, err);
}
