/* Histograms as densities. */
#include "segment/likeness.h"

#include <math.h>
#include <stdlib.h>

#define SAMPLES 200000
#define SHARE_CUT 0.001 /* of the values at either end */
#define FLOOR 1e-3      /* of a density: what was never seen is not impossible */

static int by_value(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

enum rs_code likeness_init(struct likeness *out, const float *guide, size_t count, struct rs_error *err)
{
	const size_t step = count / SAMPLES + 1, samples = (count + step - 1) / step;
	float *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(samples, sizeof *sorted);
	struct likeness made = {.low = 0};
	if (!sorted)
		return rs_error_memory(err, samples * sizeof *sorted, "a histogram");
	for (size_t i = 0; i < samples; i++)
		sorted[i] = guide[i * step];
	qsort(sorted, samples, sizeof *sorted, by_value);
	const size_t cut = (size_t)(SHARE_CUT * (double)samples);
	made.low = (double)sorted[cut];
	made.high = (double)sorted[samples - 1 - cut];
	if (!(made.low < made.high)) {
		made.low = (double)sorted[0];
		made.high = (double)sorted[samples - 1];
	}
	/* Smoothing leaves equal values equal to the last bits only. */
	if (!(made.high - made.low > 1e-5 * fmax(fabs(made.low), fabs(made.high))))
		return rs_error_set(err, RS_REFUSED,
		                    "all voxels have the value %g: there is nothing to tell inside by",
		                    made.low);
	for (size_t i = 0; i < samples; i++)
		made.image[likeness_bin(&made, sorted[i])] += 1;
	*out = made;
	return RS_OK;
}

/* A density whose mean over bins is 1; of nothing it is flat. */
static void smooth(const double counts[LIKENESS_BINS], double sigma, double out[LIKENESS_BINS])
{
	double total = 0;
	for (int i = 0; i < LIKENESS_BINS; i++)
		out[i] = 0;
	for (int i = 0; i < LIKENESS_BINS; i++) {
		if (counts[i] == 0)
			continue;
		for (int k = 0; k < LIKENESS_BINS; k++)
			out[k] += counts[i] * exp(-0.5 * (k - i) * (k - i) / (sigma * sigma));
	}
	for (int i = 0; i < LIKENESS_BINS; i++)
		total += out[i];
	for (int i = 0; i < LIKENESS_BINS; i++)
		out[i] = total > 0 ? out[i] * LIKENESS_BINS / total : 1;
}

void likeness_learn(struct likeness *likeness, const double inside[LIKENESS_BINS],
                    const double outside[LIKENESS_BINS], double width)
{
	const double bin = (likeness->high - likeness->low) / LIKENESS_BINS, sigma = fmax(width / bin, 1);
	double in[LIKENESS_BINS], out[LIKENESS_BINS], all[LIKENESS_BINS], painted = 0;
	for (int i = 0; i < LIKENESS_BINS; i++)
		painted += outside[i];
	smooth(inside, sigma, in);
	smooth(outside, sigma, out);
	smooth(likeness->image, sigma, all);
	for (int i = 0; i < LIKENESS_BINS; i++) {
		const double rest = painted > 0 ? (out[i] + all[i]) / 2 : all[i];
		likeness->inside[i] = (float)((in[i] + FLOOR) / (in[i] + rest + 2 * FLOOR));
	}
}
