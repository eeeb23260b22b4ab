/* Intraclass correlations (Shrout & Fleiss 1979; intervals of McGraw & Wong 1996). */
#include <math.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"

/* Mean squares of the two-way table. */
struct squares {
	double n, k;                            /* subjects, raters */
	double rows, within, columns, residual; /* mean squares */
};

static void analyse(const double *ratings, size_t subjects, size_t raters, struct squares *out)
{
	double n = (double)subjects, k = (double)raters, mean = 0, rows = 0, columns = 0, within = 0;
	for (size_t i = 0; i < subjects * raters; i++)
		mean += ratings[i] / (n * k);
	for (size_t i = 0; i < subjects; i++) {
		double row = 0;
		for (size_t j = 0; j < raters; j++)
			row += ratings[i * raters + j] / k;
		for (size_t j = 0; j < raters; j++)
			within += (ratings[i * raters + j] - row) * (ratings[i * raters + j] - row);
		rows += k * (row - mean) * (row - mean);
	}
	for (size_t j = 0; j < raters; j++) {
		double column = 0;
		for (size_t i = 0; i < subjects; i++)
			column += ratings[i * raters + j] / n;
		columns += n * (column - mean) * (column - mean);
	}
	*out = (struct squares){
		n,
		k,
		rows / (n - 1),
		within / (n * (k - 1)),
		columns / (k - 1),
		fmax(0, within - columns) / ((n - 1) * (k - 1)),
	};
}

/* Of k raters together, from one rater's. */
static struct rs_interval stepped_up(const struct rs_interval *one, double k)
{
	return (struct rs_interval){
		one->value * k / (1 + one->value * (k - 1)),
		one->lower * k / (1 + one->lower * (k - 1)),
		one->upper * k / (1 + one->upper * (k - 1)),
	};
}

/* ICC(1) and ICC(3): functions of one F. */
static void fill_from_f(const struct squares *s, double error, double df2, double level,
                        struct rs_icc *single, struct rs_icc *average)
{
	double f = s->rows / error, df1 = s->n - 1, tail = 0.5 + 0.5 * level, k = s->k;
	double low = f / rs_f_quantile(tail, df1, df2), high = f * rs_f_quantile(tail, df2, df1);
	*single = (struct rs_icc){
		{(f - 1) / (f + k - 1), (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)},
		f,
		df1,
		df2,
		rs_f_upper(f, df1, df2)};
	*average = *single;
	average->icc = (struct rs_interval){1 - 1 / f, 1 - 1 / low, 1 - 1 / high};
	if (isinf(f)) /* they agree to the last digit */
		single->icc = (struct rs_interval){1, 1, 1};
}

/* ICC(2): raters are a sample; the interval has Satterthwaite's degrees of freedom. */
static void fill_agreement(const struct squares *s, double level, const struct rs_icc *of_residual,
                           struct rs_icc *single, struct rs_icc *average)
{
	double n = s->n, k = s->k, tail = 0.5 + 0.5 * level;
	double icc = (s->rows - s->residual) /
	             (s->rows + (k - 1) * s->residual + k * (s->columns - s->residual) / n);
	double fj = s->columns / s->residual, part = n * (1 + (k - 1) * icc) - k * icc;
	double v = (k - 1) * (n - 1) * (k * icc * fj + part) * (k * icc * fj + part) /
	           ((n - 1) * k * k * icc * icc * fj * fj + part * part);
	if (isinf(fj)) /* the limit: raters differ by what is the same for all */
		v = k - 1;
	double upper = rs_f_quantile(tail, n - 1, v), lower = rs_f_quantile(tail, v, n - 1);
	double mixed = k * s->columns + (k * n - k - n) * s->residual;
	*single = *of_residual;
	single->icc = (struct rs_interval){
		icc,
		n * (s->rows - upper * s->residual) / (upper * mixed + n * s->rows),
		n * (lower * s->rows - s->residual) / (mixed + n * lower * s->rows),
	};
	*average = *single;
	average->icc = stepped_up(&single->icc, k);
	average->icc.value = (s->rows - s->residual) / (s->rows + (s->columns - s->residual) / n);
	if (s->rows > 0 && s->within == 0)
		single->icc = average->icc = (struct rs_interval){1, 1, 1};
}

enum rs_code rs_icc_of(const double *ratings, size_t subjects, size_t raters, double level,
                       struct rs_icc out[static RS_ICC_KINDS], struct rs_error *err)
{
	struct squares s;
	if (subjects < 2 || raters < 2)
		return rs_error_set(err, RS_USAGE, "agreement needs two subjects and two raters at least");
	analyse(ratings, subjects, raters, &s);
	fill_from_f(&s, s.within, s.n * (s.k - 1), level, &out[RS_ICC_1], &out[RS_ICC_1K]);
	fill_from_f(&s, s.residual, (s.n - 1) * (s.k - 1), level, &out[RS_ICC_3], &out[RS_ICC_3K]);
	fill_agreement(&s, level, &out[RS_ICC_3], &out[RS_ICC_2], &out[RS_ICC_2K]);
	return RS_OK;
}
