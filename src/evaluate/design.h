/* Covariates as columns of numbers. */
#ifndef RS_EVALUATE_DESIGN_H
#define RS_EVALUATE_DESIGN_H

#include "told.h"

/* One covariate: a number, or indicators of all levels but the first (of the only one). */
struct covariate {
	const char *name;
	size_t columns;     /* of the design */
	const char **level; /* by column of the design; NULL: a number */
	const char *reference;
};
struct design {
	struct rs_arena arena;
	size_t rows, columns, count;
	struct covariate covariates[RS_COVARIATES_MAX];
	size_t terms[RS_COVARIATES_MAX]; /* columns of each */
	const char **names;              /* by column */
	double *x;                       /* rows of `columns` */
};
void design_finish(struct design *design);
enum rs_code design_read(const struct told *told, const struct rs_covariates *asked, struct design *out,
                         struct rs_error *err);
/* "age=60,sex=male" as a row. errors  RS_USAGE */
enum rs_code design_person(const struct design *design, const char *text, double *out, struct rs_error *err);

#endif
