/* Intervals by drawing subjects again (Efron & Tibshirani 1993), for any numbers that rows give; and McNemar's test. The ends
 * are those of R's boot::boot.ci. */
#ifndef RS_ASSESS_BOOTSTRAP_H
#define RS_ASSESS_BOOTSTRAP_H

#include "assess/assess.h"
#include "base/base_threads.h"

/* out: `width` numbers of these rows, which may repeat; NaN where there is none. Called from several threads at once.
 * A failure other than RS_NOT_FOUND (all NaN) ends the bootstrap. */
typedef enum rs_code rs_statistic(void *context, const size_t *rows, size_t count, double *out,
                                  struct rs_error *err);

struct rs_bootstrap_options {
	size_t resamples; /* 100 … 100000 */
	uint64_t seed;    /* the same bits for any number of threads */
	double level;
	bool accelerated; /* bias-corrected and accelerated (BCa), else percentiles */
	const uint32_t *
		subject; /* rows of one subject are drawn together, numbers below `count`; NULL: each its own */
	struct rs_pool *pool; /* may be NULL */
};
/* Of `count` rows. out: `width` values and ends; NaN where fewer than nine tenths of the resamples give a number. Acceleration
 * comes from leaving out each subject, or each of 500 groups of them. */
enum rs_code rs_bootstrap_of(rs_statistic *statistic, void *context, size_t width, size_t count,
                             const struct rs_bootstrap_options *options, struct rs_interval *out,
                             struct rs_error *err);
/* The ends from values already at hand. replicates: ascending. left_out: values without each part, in any order; NULL:
 * percentiles. */
struct rs_interval rs_bootstrap_interval(double value, const double *replicates, size_t count,
                                         const double *left_out, size_t parts, double level);

/* Two classifiers of the same subjects: those that only the first, and only the second, gets right. Two-sided exact p. */
double rs_mcnemar(uint64_t only_first, uint64_t only_second);

#endif
