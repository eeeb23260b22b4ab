/* Intensity-based statistics (IBSI reference manual, UHIW): of the intensities of the intensity mask. */
#include <math.h>
#include <string.h>

#include "radiomics/ibsi.h"
#include "radiomics/ibsi_moments.h"

static void moments_values(const struct firstorder_sums *s, double about_median, double out[IBSI_MOMENTS])
{
	bool flat = !(s->variance > 0);
	const double values[IBSI_MOMENTS] = {
		[IBSI_MEAN] = s->mean,
		[IBSI_VARIANCE] = s->variance,
		[IBSI_SKEWNESS] = flat ? 0 : s->third / pow(s->variance, 1.5),
		[IBSI_KURTOSIS] = flat ? 0 : s->fourth / (s->variance * s->variance) - 3,
		[IBSI_MEDIAN] = s->p50,
		[IBSI_MINIMUM] = s->minimum,
		[IBSI_P10] = s->p10,
		[IBSI_P90] = s->p90,
		[IBSI_MAXIMUM] = s->maximum,
		[IBSI_INTERQUARTILE] = s->p75 - s->p25,
		[IBSI_RANGE] = s->maximum - s->minimum,
		[IBSI_MEAN_ABSOLUTE] = s->mean_absolute,
		[IBSI_ROBUST_ABSOLUTE] = s->robust_absolute,
		[IBSI_MEDIAN_ABSOLUTE] = about_median,
		[IBSI_VARIATION] = sqrt(s->variance) / s->mean,
		[IBSI_DISPERSION] = (s->p75 - s->p25) / (s->p75 + s->p25),
	};
	memcpy(out, values, sizeof values);
}

enum rs_code ibsi_moments_measure(const double *values, size_t count, double out[IBSI_MOMENTS],
                                  double *out_energy, struct rs_error *err)
{
	struct firstorder_sums sums;
	double about_median = 0;
	double *scratch RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *scratch);
	if (scratch == NULL)
		return rs_error_memory(err, count * sizeof *scratch, "percentiles");
	firstorder_measure(values, count, 0, scratch, &sums);
	for (size_t i = 0; i < count; i++)
		about_median += fabs(values[i] - sums.p50);
	moments_values(&sums, about_median / (double)count, out);
	*out_energy = sums.energy;
	return RS_OK;
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	const struct region *region = &work->chain.intensity;
	double energy;
	(void)volume;
	(void)pool;
	RS_TRY(ibsi_moments_measure(region->values, region->count, out[0], &energy, err));
	out[0][IBSI_MOMENTS] = energy;
	out[0][IBSI_MOMENTS + 1] = sqrt(energy / (double)region->count);
	return RS_OK;
}

#define I "[image]"
static const struct ibsi_row rows[] = {
	{"stat_mean", "Q4LE", I},   {"stat_var", "ECT3", I "2"},    {"stat_skew", "KE2A", "1"},
	{"stat_kurt", "IPH6", "1"}, {"stat_median", "Y12H", I},     {"stat_min", "1GSF", I},
	{"stat_p10", "QG58", I},    {"stat_p90", "8DWT", I},        {"stat_max", "84IY", I},
	{"stat_iqr", "SALO", I},    {"stat_range", "2OJQ", I},      {"stat_mad", "4FUA", I},
	{"stat_rmad", "1128", I},   {"stat_medad", "N72L", I},      {"stat_cov", "7TET", "1"},
	{"stat_qcod", "9S40", "1"}, {"stat_energy", "N8CA", I "2"}, {"stat_rms", "5ZWQ", I},
};
const struct ibsi_family ibsi_statistics = {"stat", IBSI_WHOLE, rows, RS_COUNT(rows), measure};
