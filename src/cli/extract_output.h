/* Where `radseal extract` writes its rows: CSV, JSON or lines of text, to a file or to standard output. JSON has one
 * flat object a row; they stand in an array, but for a single row of a case named on the command line. */
#ifndef RS_CLI_EXTRACT_OUTPUT_H
#define RS_CLI_EXTRACT_OUTPUT_H

#include "cohort/cohort.h"

enum output_format { OUTPUT_TEXT, OUTPUT_CSV, OUTPUT_JSON };
enum output_paths { PATHS_AS_GIVEN, PATHS_ABSOLUTE, PATHS_RELATIVE, PATHS_BASENAME };

struct output {
	const struct rs_world *world;
	const char *path;      /* NULL: standard output */
	const char *directory; /* NULL, or where each case gets a table of its own */
	const struct rs_cohort *cohort;
	const char *label; /* the job's selector of regions; may be NULL */
	enum output_format format;
	enum output_paths paths;
	bool array; /* JSON: an array also of a single object */
	bool skip_nans;
	/* private */
	char *temporary;
	struct rs_file *file;
	uint64_t written;
	struct rs_buffer pending;
	const struct rs_cohort_column *columns;
	size_t column_count, row_count;
};
/* The sink's functions; context is the output. Nothing is seen under `path` before output_end(). */
enum rs_code output_columns(void *context, const struct rs_cohort_column *columns, size_t count,
                            struct rs_error *err);
enum rs_code output_row(void *context, size_t index, const char *const *cells, struct rs_error *err);
/* Ends the document and puts it in its place, durably. */
enum rs_code output_end(struct output *output, struct rs_error *err);
void output_finish(struct output *output); /* takes back what was not ended; accepts zeroed memory */

#endif
