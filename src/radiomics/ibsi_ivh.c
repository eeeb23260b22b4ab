/* Intensity-volume histogram (IBSI reference manual, P88C): which fraction of the region is at least as intense.
 * Everything is counted in steps of the discretisation from the lower end of the range G, so that no step has to
 * be walked where a million of them are empty. */
#include <math.h>

#include "numeric/numeric.h"
#include "radiomics/ibsi.h"

struct steps {
	double low, width; /* step k is the intensity low + k * width */
	double last;       /* (max(G) - min(G)) / width */
	double *of_voxel; /* whole numbers; below 0 or above `last` where the range is narrower than the region */
	size_t count;
};

static void steps_finish(struct steps *steps) { rs_free(steps->of_voxel); }

/* Units of the image: steps of 1 over the range, or the region's own (the manual's "discrete calibrated"). */
static void steps_as_they_are(const struct rs_ibsi_settings *s, const struct region *region,
                              const double own[2], struct steps *out)
{
	out->low = s->use_range ? s->range[0] : own[0];
	out->width = 1;
	out->last = (s->use_range && isfinite(s->range[1]) ? s->range[1] : own[1]) - out->low;
	for (size_t i = 0; i < region->count; i++)
		out->of_voxel[i] = floor(region->values[i] - out->low);
}

/* Centres of bins of a fixed size ("continuous calibrated"), or numbers of bins ("arbitrary units"). */
static enum rs_code steps_of_bins(const struct rs_ibsi_settings *s, const struct region *region,
                                  const double own[2], struct steps *out, struct rs_error *err)
{
	struct ibsi_bins bins;
	RS_TRY(ibsi_bins_choose(s, true, region, &bins, err));
	for (size_t i = 0; i < region->count; i++)
		out->of_voxel[i] = (double)ibsi_level_of(&bins, region->values[i]) - 1;
	if (bins.count > 0) {
		out->low = out->width = 1;
		out->last = (double)bins.count - 1;
		return RS_OK;
	}
	double high = s->use_range && isfinite(s->range[1]) ? s->range[1] : own[1];
	out->low = bins.low + 0.5 * bins.width;
	out->width = bins.width;
	out->last = (high - bins.low) / bins.width - 1;
	return RS_OK;
}

static enum rs_code steps_build(const struct rs_ibsi_settings *s, const struct region *region,
                                struct steps *out, struct rs_error *err)
{
	double own[2] = {region->values[0], region->values[0]};
	out->count = region->count;
	out->of_voxel = rs_allocate_array(region->count, sizeof *out->of_voxel);
	if (out->of_voxel == NULL)
		return rs_error_memory(err, region->count * sizeof *out->of_voxel, "a volume histogram");
	for (size_t i = 0; i < region->count; i++) {
		own[0] = region->values[i] < own[0] ? region->values[i] : own[0];
		own[1] = region->values[i] > own[1] ? region->values[i] : own[1];
	}
	if (s->ivh.kind != RS_DISCRETISE_NOT)
		return steps_of_bins(s, region, own, out, err);
	steps_as_they_are(s, region, own, out);
	return RS_OK;
}

/* V_x: the fraction of voxels at the first step whose intensity fraction is at least tenths / 10. */
static double volume_at(const struct steps *steps, double tenths)
{
	double first = ceil(steps->last * tenths / 10);
	size_t n = 0;
	if (!(steps->last > 0))
		return NAN; /* one intensity has no fraction */
	for (size_t i = 0; i < steps->count; i++)
		n += steps->of_voxel[i] >= first;
	return (double)n / (double)steps->count;
}

/* I_x: the first step that at most tenths / 10 of the voxels reach, which is the one after the step of the voxel
 * that is one too many. It may lie above the range, where no voxel is. */
static double intensity_at(struct steps *steps, size_t tenths)
{
	size_t many = steps->count / 10 * tenths + steps->count % 10 * tenths / 10;
	size_t k = steps->count - many - 1; /* many < count */
	rs_select(steps->of_voxel, 0, steps->count, k);
	double step = steps->of_voxel[k] + 1;
	return steps->low + (step > 0 ? step : 0) * steps->width;
}

/* Trapezoids under volume fraction over intensity fraction; 0 for one intensity. The sum over all steps of the
 * voxels that reach them is the sum over voxels of the steps they reach. */
static double area(const struct steps *steps)
{
	double last = floor(steps->last), reached = 0, at_first = 0, at_last = 0;
	if (!(last > 0))
		return 0;
	for (size_t i = 0; i < steps->count; i++) {
		double step = steps->of_voxel[i];
		reached += (step > last ? last : step) + 1;
		at_first += step >= 0;
		at_last += step >= last;
	}
	return (reached - (at_first + at_last) / 2) / (double)steps->count / last;
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	struct steps steps RS_CLEANUP(steps_finish) = {0};
	double *to = out[0];
	(void)volume;
	(void)pool;
	RS_TRY(steps_build(work->settings, &work->chain.intensity, &steps, err));
	to[0] = volume_at(&steps, 1);
	to[1] = volume_at(&steps, 9);
	to[2] = intensity_at(&steps, 1);
	to[3] = intensity_at(&steps, 9);
	to[4] = to[0] - to[1];
	to[5] = to[2] - to[3];
	to[6] = area(&steps);
	return RS_OK;
}

static const struct ibsi_row rows[] = {
	{"ivh_v10", "BC2M", "1"},          {"ivh_v90", "BC2M", "1"},
	{"ivh_i10", "GBPN", "[image]"},    {"ivh_i90", "GBPN", "[image]"},
	{"ivh_diff_v10_v90", "DDTU", "1"}, {"ivh_diff_i10_i90", "CNV2", "[image]"},
	{"ivh_auc", "9CMM", "1"},
};
const struct ibsi_family ibsi_volume_histogram = {"ivh", IBSI_WHOLE, rows, RS_COUNT(rows), measure};
