/* What a study may ask for beside cross-validation: a single split, the .632+ bootstrap, permutations; and, where it names
 * centres, how far these are apart. */
#ifndef RS_VALIDATE_SCHEMES_H
#define RS_VALIDATE_SCHEMES_H

#include "validate/validate.h"

struct rs_schemes {
	const struct rs_study *study;
	const struct rs_contender *own; /* cross-validated */
	const struct rs_training_report *report;
	struct rs_pool *pool;
};
/* merit: of the cross-validation, told beside that of the split. */
enum rs_code rs_schemes_run(const struct rs_schemes *schemes, const struct rs_merit *merit,
                            struct rs_error *err);
/* Efron & Tibshirani 1997, of a merit that is 0.5 when nothing is known and 1 at best. */
double rs_merit_632(double apparent, double left_out);
/* Centres told from each other by the columns, which a model must not learn by. */
enum rs_code rs_shift_run(const struct rs_schemes *schemes, struct rs_error *err);
struct rs_part_rows {
	const size_t *rows;
	size_t count;
};
/* Whether columns are spread alike in what trains and what judges: told, and warned of. */
enum rs_code rs_drift_tell(const struct rs_schemes *schemes, const char *of, const struct rs_part_rows *train,
                           const struct rs_part_rows *test, struct rs_error *err);
/* The same of centres that are held out. */
enum rs_code rs_drift_run(const struct rs_schemes *schemes, struct rs_error *err);

#endif
