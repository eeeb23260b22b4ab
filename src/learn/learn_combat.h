/* ComBat (Johnson, Li & Rabinovic 2007): what a batch - a centre, a scanner - adds to each column and by how much it
 * spreads it is estimated on training rows, shrunk towards what it does to all columns, and taken away from any row of
 * that batch. Numbers are those of R's sva and neuroCombat, their treatment of missing cells included. */
#ifndef RS_LEARN_COMBAT_H
#define RS_LEARN_COMBAT_H

#include "learn/learn_forest.h"

enum rs_combat_prior {
	RS_COMBAT_PARAMETRIC,     /* normal and inverse gamma, by the EM of the paper */
	RS_COMBAT_NON_PARAMETRIC, /* weighted by the likelihood of the other columns' estimates */
	RS_COMBAT_NONE            /* location and scale as they are */
};
#define RS_COMBAT_NO_REFERENCE UINT32_MAX
struct rs_combat_options {
	enum rs_combat_prior prior;
	bool mean_only;     /* so too where a batch has one row */
	uint32_t reference; /* the batch that all others are made like and that stays as it is */
};
/* Cells may be NaN: missing. */
struct rs_combat_data {
	struct rs_matrix x;
	const uint32_t *batch; /* by row, below `batches`; each has a row */
	uint32_t batches;
	struct rs_matrix covariates; /* what is to be preserved; a missing one counts as the mean */
};
/* Of columns with a deviation of 0 nothing is known - constant, or too few cells, within a batch - and they stay. */
struct rs_combat {
	uint32_t columns, batches, covariates;
	bool mean_only;
	double *mean, *deviation; /* by column */
	double *slopes;           /* by covariate, then column; of the covariate less its centre */
	double *centre;           /* by covariate */
	double *shift, *scale;    /* by batch, then column; in deviations */
};
void rs_combat_finish(struct rs_combat *combat); /* accepts zeroed memory */
/* errors  RS_USAGE (fewer than two batches, one without rows), RS_REFUSED (covariates that tell the batches),
 *         RS_NOT_FOUND (the EM does not settle), RS_NO_MEMORY */
enum rs_code rs_combat_fit(const struct rs_combat_data *data, const struct rs_combat_options *options,
                           struct rs_combat *out, struct rs_error *err);
/* For files: all numbers lie in one block. How many there are, by columns, batches and covariates (false when they would be
 * too many), and a block of as many taken over. Each deviation is at least 0, each scale above. */
bool rs_combat_size(const struct rs_combat *combat, size_t *out);
void rs_combat_lay_out(struct rs_combat *combat, double *block);
/* In place: x[at[column] * stride] are the row's cells; at NULL: one after another. covariates: NULL for all missing.
 * batch: below combat->batches. */
void rs_combat_apply(const struct rs_combat *combat, uint32_t batch, const double *covariates, double *x,
                     const uint32_t *at, size_t stride);

#endif
