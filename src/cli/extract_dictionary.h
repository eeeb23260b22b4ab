/* The dictionary of a table of features: a CSV with a row for each column, which tells what the column holds. */
#ifndef RS_CLI_EXTRACT_DICTIONARY_H
#define RS_CLI_EXTRACT_DICTIONARY_H

#include "cohort/cohort.h"

/* Column, Kind (input, diagnostic, feature, provenance), IBSI, Aggregation (permanent codes), Unit (UCUM). Replaces
 * the file at `path`. */
enum rs_code dictionary_write(const struct rs_world *world, const char *path,
                              const struct rs_cohort_column *columns, size_t count, struct rs_error *err);
/* The dictionary alone, for a case of one image and one mask: nothing is measured. */
enum rs_code dictionary_of(const struct rs_cohort_job *job, const char *path, struct rs_error *err);

#endif
