/* First order: statistics of intensities, without regard to place (PyRadiomics 3.1 documentation,
 * "First Order Features"); entropy and uniformity from grey levels. */
#include <math.h>
#include <string.h>

#include "numeric/numeric.h"
#include "radiomics/texture.h"

static const double quantiles[] = {10, 25, 50, 75, 90};
enum { QUANTILES = RS_COUNT(quantiles) };

/* numpy's linear interpolation between the order statistic below a quantile, a, and the next, b. */
static double between(double a, double b, double q, size_t count)
{
	double place = q / 100 * (double)(count - 1), t = place - (double)(size_t)place;
	return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

static size_t rank_below(double q, size_t count) { return (size_t)(q / 100 * (double)(count - 1)); }

/* Each selection leaves smaller values before it, and the next looks behind it. */
static void percentiles(const double *values, size_t count, double *scratch, double out[QUANTILES])
{
	size_t low = 0;
	memcpy(scratch, values, count * sizeof *scratch);
	for (size_t i = 0; i < QUANTILES; i++) {
		size_t k = rank_below(quantiles[i], count);
		rs_select(scratch, low, count, k);
		low = k;
		if (k + 1 < count)
			rs_select(scratch, k + 1, count, k + 1);
		out[i] = between(scratch[k], scratch[k + 1 < count ? k + 1 : k], quantiles[i], count);
	}
}

/* The values of the grey levels that hold the wanted ranks, side by side in scratch. */
struct gathered {
	size_t first[2 * QUANTILES], count[2 * QUANTILES], rank[2 * QUANTILES]; /* rank: within its level */
	uint32_t level[2 * QUANTILES];
	size_t slots;
};

static void find_levels(const struct levels *levels, size_t count, struct gathered *out)
{
	uint32_t level = 1;
	uint64_t before = 0;
	size_t used = 0;
	for (size_t i = 0; i < 2 * QUANTILES; i++) { /* ranks ascend, and so do levels */
		size_t k = rank_below(quantiles[i / 2], count) + i % 2;
		k = k < count ? k : count - 1;
		while (before + levels->histogram[level] <= k)
			before += levels->histogram[level++];
		bool same = out->slots > 0 && out->level[out->slots - 1] == level;
		if (!same) {
			out->level[out->slots] = level;
			out->first[out->slots] = used;
			used += levels->histogram[level];
			out->slots++;
		}
		out->rank[i] = k - before + out->first[out->slots - 1];
	}
}

/* The same percentiles, sorting only within the grey levels where they lie: levels ascend with intensity. */
static enum rs_code percentiles_by_level(const double *values, size_t count, const struct levels *levels,
                                         double *scratch, double out[QUANTILES], struct rs_error *err)
{
	struct gathered g = {0};
	uint8_t *slot RS_CLEANUP(rs_free_pointer) = rs_allocate((size_t)levels->level_count + 1);
	if (slot == NULL)
		return rs_error_memory(err, (size_t)levels->level_count + 1, "percentiles");
	find_levels(levels, count, &g);
	for (size_t i = 0; i < g.slots; i++)
		slot[g.level[i]] = (uint8_t)(i + 1);
	for (size_t v = 0; v < count; v++) {
		size_t i = slot[levels->of_voxel[v]];
		if (i > 0)
			scratch[g.first[i - 1] + g.count[i - 1]++] = values[v];
	}
	for (size_t i = 0; i < QUANTILES; i++) {
		double ends[2];
		for (size_t e = 0; e < 2; e++) {
			size_t rank = g.rank[2 * i + e], s = 0;
			while (rank >= g.first[s] + g.count[s])
				s++;
			rs_select(scratch, g.first[s], g.first[s] + g.count[s], rank);
			ends[e] = scratch[rank];
		}
		out[i] = between(ends[0], ends[1], quantiles[i], count);
	}
	return RS_OK;
}

static void moments(const double *x, size_t count, double shift, struct firstorder_sums *out)
{
	double sum = 0, energy = 0, absolute = 0, second = 0, third = 0, fourth = 0, n = (double)count;
	out->minimum = out->maximum = x[0];
	for (size_t i = 0; i < count; i++) {
		sum += x[i];
		energy += (x[i] + shift) * (x[i] + shift);
		out->minimum = x[i] < out->minimum ? x[i] : out->minimum;
		out->maximum = x[i] > out->maximum ? x[i] : out->maximum;
	}
	out->mean = sum / n;
	for (size_t i = 0; i < count; i++) {
		double d = x[i] - out->mean, square = d * d;
		absolute += fabs(d);
		second += square;
		third += square * d;
		fourth += square * square;
	}
	out->energy = energy;
	out->mean_absolute = absolute / n;
	out->variance = second / n;
	out->third = third / n;
	out->fourth = fourth / n;
}

/* Values outside add 0: no branch, the same sums. */
static double robust_absolute(const double *x, size_t count, double low, double high)
{
	double sum = 0, absolute = 0;
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		bool in = x[i] >= low && x[i] <= high;
		sum += in ? x[i] : 0;
		n += in;
	}
	double mean = sum / (double)n;
	for (size_t i = 0; i < count; i++)
		absolute += x[i] >= low && x[i] <= high ? fabs(x[i] - mean) : 0;
	return absolute / (double)n;
}

static void measure(const double *values, size_t count, double shift, const double percentile[QUANTILES],
                    struct firstorder_sums *out)
{
	struct firstorder_sums sums = {.p10 = percentile[0],
	                               .p25 = percentile[1],
	                               .p50 = percentile[2],
	                               .p75 = percentile[3],
	                               .p90 = percentile[4]};
	moments(values, count, shift, &sums);
	sums.robust_absolute = robust_absolute(values, count, sums.p10, sums.p90);
	*out = sums;
}

void firstorder_measure(const double *values, size_t count, double shift, double *scratch,
                        struct firstorder_sums *out)
{
	double percentile[QUANTILES];
	percentiles(values, count, scratch, percentile);
	measure(values, count, shift, percentile, out);
}

enum rs_code firstorder_build(struct rs_evidence *evidence, struct rs_error *err)
{
	const struct region *region = &evidence->region;
	struct firstorder_sums sums;
	double percentile[QUANTILES];
	double *scratch RS_CLEANUP(rs_free_pointer) = rs_allocate_array(region->count, sizeof *scratch);
	if (scratch == NULL)
		return rs_error_memory(err, region->count * sizeof *scratch, "percentiles");
	RS_TRY(percentiles_by_level(region->values, region->count, &evidence->levels, scratch, percentile,
	                            err));
	measure(region->values, region->count, evidence->image->voxel_array_shift, percentile, &sums);
	for (uint32_t i = 1; i <= evidence->levels.level_count; i++) {
		double p = (double)evidence->levels.histogram[i] / (double)region->count;
		sums.uniformity += p * p;
		sums.entropy -= p > 0 ? p * log2_guarded(p) : 0;
	}
	evidence->firstorder = sums;
	return RS_OK;
}

static double p10(const struct rs_evidence *e) { return e->firstorder.p10; }
static double p90(const struct rs_evidence *e) { return e->firstorder.p90; }
static double energy(const struct rs_evidence *e) { return e->firstorder.energy; }
static double entropy(const struct rs_evidence *e) { return e->firstorder.entropy; }
static double interquartile(const struct rs_evidence *e) { return e->firstorder.p75 - e->firstorder.p25; }
static double maximum(const struct rs_evidence *e) { return e->firstorder.maximum; }
static double mean_absolute(const struct rs_evidence *e) { return e->firstorder.mean_absolute; }
static double mean(const struct rs_evidence *e) { return e->firstorder.mean; }
static double median(const struct rs_evidence *e) { return e->firstorder.p50; }
static double minimum(const struct rs_evidence *e) { return e->firstorder.minimum; }
static double range(const struct rs_evidence *e) { return e->firstorder.maximum - e->firstorder.minimum; }
static double robust_mad(const struct rs_evidence *e) { return e->firstorder.robust_absolute; }
static double uniformity(const struct rs_evidence *e) { return e->firstorder.uniformity; }
static double variance(const struct rs_evidence *e) { return e->firstorder.variance; }
static double deviation(const struct rs_evidence *e) { return sqrt(e->firstorder.variance); }

static bool flat(const struct rs_evidence *e) { return !(e->firstorder.variance > 0); }

/* Not the excess IBSI defines (IPH6): PyRadiomics leaves the 3 of the normal distribution in. */
static double kurtosis(const struct rs_evidence *e)
{
	return flat(e) ? 0 : e->firstorder.fourth / (e->firstorder.variance * e->firstorder.variance);
}

static double skewness(const struct rs_evidence *e)
{
	return flat(e) ? 0 : e->firstorder.third / pow(e->firstorder.variance, 1.5);
}

static double root_mean_square(const struct rs_evidence *e)
{
	return sqrt(e->firstorder.energy / (double)e->region.count);
}

static double total_energy(const struct rs_evidence *e)
{
	return e->spacing_mm[0] * e->spacing_mm[1] * e->spacing_mm[2] * e->firstorder.energy;
}

#define I "[image]"
#define ROW(name, ibsi, unit, display, deprecated, function)                                        \
	{                                                                                           \
		"firstorder_" name, ibsi, unit, display, RS_FAMILY_FIRSTORDER, deprecated, function \
	}
static const struct rs_feature rows[] = {
	ROW("10_percentile", "QG58", I, "10Percentile", false, p10),
	ROW("90_percentile", "8DWT", I, "90Percentile", false, p90),
	ROW("energy", "N8CA", I "2", "Energy", false, energy),
	ROW("entropy", "TLU2", "bit", "Entropy", false, entropy),
	ROW("interquartile_range", "SALO", I, "InterquartileRange", false, interquartile),
	ROW("kurtosis", "", "1", "Kurtosis", false, kurtosis),
	ROW("maximum", "84IY", I, "Maximum", false, maximum),
	ROW("mean_absolute_deviation", "4FUA", I, "MeanAbsoluteDeviation", false, mean_absolute),
	ROW("mean", "Q4LE", I, "Mean", false, mean),
	ROW("median", "Y12H", I, "Median", false, median),
	ROW("minimum", "1GSF", I, "Minimum", false, minimum),
	ROW("range", "2OJQ", I, "Range", false, range),
	ROW("robust_mean_absolute_deviation", "1128", I, "RobustMeanAbsoluteDeviation", false, robust_mad),
	ROW("root_mean_squared", "5ZWQ", I, "RootMeanSquared", false, root_mean_square),
	ROW("skewness", "KE2A", "1", "Skewness", false, skewness),
	ROW("standard_deviation", "", I, "StandardDeviation", true, deviation),
	ROW("total_energy", "", I "2.mm3", "TotalEnergy", false, total_energy),
	ROW("uniformity", "BJ5W", "1", "Uniformity", false, uniformity),
	ROW("variance", "ECT3", I "2", "Variance", false, variance),
};
const struct rs_feature_table firstorder_features = {RS_COUNT(rows), rows};
