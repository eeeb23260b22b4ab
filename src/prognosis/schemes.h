/* What a study may ask for beside cross-validation: a single split, the .632+ bootstrap, permutations; and, where it names
 * centres, how far these are apart. */
#ifndef RS_PROGNOSIS_SCHEMES_H
#define RS_PROGNOSIS_SCHEMES_H

#include "validate.h"

struct schemes {
	const struct study *study;
	const struct contender *own; /* cross-validated */
	const struct rs_training_report *report;
	struct rs_pool *pool;
};
/* merit: of the cross-validation, told beside that of the split. */
enum rs_code schemes_run(const struct schemes *schemes, const struct merit *merit, struct rs_error *err);
/* Efron & Tibshirani 1997, of a merit that is 0.5 when nothing is known and 1 at best. */
double merit_632(double apparent, double left_out);
/* Centres told from each other by the columns, which a model must not learn by. */
enum rs_code shift_run(const struct schemes *schemes, struct rs_error *err);
struct part_rows {
	const size_t *rows;
	size_t count;
};
/* Whether columns are spread alike in what trains and what judges: told, and warned of. */
enum rs_code drift_tell(const struct schemes *schemes, const char *of, const struct part_rows *train,
                        const struct part_rows *test, struct rs_error *err);
/* The same of centres that are held out. */
enum rs_code drift_run(const struct schemes *schemes, struct rs_error *err);

#endif
