/* Values of regions, and the level that parts a scan from its background. */
#include "region.h"

#include <math.h>
#include <stdlib.h>

#include "numeric/numeric.h"
#include "numeric/numeric_smooth.h"

#define BINS 256
#define QUANTILE 0.99

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static enum rs_code region_values(const struct rs_volume *volume, const uint8_t *region, double **out,
                                  size_t *out_count, struct rs_error *err)
{
	size_t voxels = rs_geometry_voxels(&volume->geometry), count = 0;
	double *values = rs_allocate_array(voxels, sizeof *values);
	if (!values)
		return rs_error_memory(err, voxels * sizeof *values, "a region's values");
	for (size_t i = 0; i < voxels; i++)
		if (!region || region[i])
			values[count++] = volume->voxels[i];
	for (size_t i = 0; i < count; i++) {
		if (isfinite(values[i]))
			continue;
		rs_free(values);
		return rs_error_set(err, RS_REFUSED, "a voxel is not finite");
	}
	if (count == 0) {
		rs_free(values);
		return rs_error_set(err, RS_REFUSED, "the region is empty");
	}
	*out = values;
	*out_count = count;
	return RS_OK;
}

enum rs_code region_sorted(const struct rs_volume *volume, const uint8_t *region, double **out,
                           size_t *out_count, struct rs_error *err)
{
	RS_TRY(region_values(volume, region, out, out_count, err));
	qsort(*out, *out_count, sizeof **out, ascending);
	return RS_OK;
}

/* Otsu, IEEE SMC 9 (1979) 62: the bin after which the variance between the two classes is largest. */
static size_t best_cut(const double counts[static BINS])
{
	double total = 0, sum = 0, below = 0, below_sum = 0, best = -1;
	size_t cut = 0;
	for (size_t i = 0; i < BINS; i++) {
		total += counts[i];
		sum += counts[i] * (double)i;
	}
	for (size_t i = 0; i + 1 < BINS; i++) {
		below += counts[i];
		below_sum += counts[i] * (double)i;
		if (below == 0 || below == total)
			continue;
		double apart = below_sum / below - (sum - below_sum) / (total - below);
		double between = below * (total - below) * apart * apart;
		if (between > best) {
			best = between;
			cut = i;
		}
	}
	return cut;
}

enum rs_code rs_foreground_threshold(const struct rs_volume *volume, double *out, struct rs_error *err)
{
	double counts[BINS] = {0}, *values RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count;
	RS_TRY(region_values(volume, NULL, &values, &count, err));
	/* In their places: the two values that the quantile lies between. Sorting all takes ten times as long. */
	size_t below = (size_t)(QUANTILE * (double)(count - 1));
	rs_select(values, 0, count, below);
	if (below + 1 < count)
		rs_select(values, below + 1, count, below + 1);
	double low = values[0], high = rs_quantile_of(values, count, QUANTILE), greatest = low;
	for (size_t i = 0; i < count; i++) {
		low = fmin(low, values[i]);
		greatest = fmax(greatest, values[i]);
	}
	if (!(high > low))
		high = greatest;
	if (!(high > low))
		return rs_error_set(err, RS_REFUSED, "all voxels are equal: %g", low);
	for (size_t i = 0; i < count; i++) {
		double bin = (values[i] - low) / (high - low) * BINS;
		counts[bin < BINS - 1 ? (size_t)bin : BINS - 1]++;
	}
	*out = low + (double)(best_cut(counts) + 1) * (high - low) / BINS;
	return RS_OK;
}
