/* Filters of single voxels: square, square root, logarithm, exponential, each scaled by the largest magnitude of
 * the volume. */
#include <math.h>

#include "filter/filter.h"

#define CHUNK ((size_t)1 << 16) /* voxels whose largest magnitude is one item of the pool */

struct search {
	const struct rs_volume *volume;
	size_t count;
	double *largest; /* of each chunk */
};

static enum rs_code search_chunk(void *context, size_t index, struct rs_error *err)
{
	const struct search *s = context;
	size_t end = (index + 1) * CHUNK < s->count ? (index + 1) * CHUNK : s->count;
	double largest = 0, check = 0;
	for (size_t i = index * CHUNK; i < end; i++) {
		double magnitude = fabs(s->volume->voxels[i]);
		check += magnitude * 0; /* NaN when one is not finite */
		largest = magnitude > largest ? magnitude : largest;
	}
	if (check != 0)
		return rs_error_set(
			err, RS_REFUSED,
			"a voxel is infinite or not a number: there is no range of intensities to keep");
	s->largest[index] = largest;
	return RS_OK;
}

static enum rs_code largest_magnitude(const struct rs_volume *volume, struct rs_pool *pool, double *out,
                                      struct rs_error *err)
{
	size_t count = rs_geometry_voxels(&volume->geometry), chunks = (count + CHUNK - 1) / CHUNK;
	double *found RS_CLEANUP(rs_free_pointer) = rs_allocate_array(chunks, sizeof *found);
	if (!found)
		return rs_error_memory(err, chunks * sizeof *found, "the largest magnitude");
	struct search s = {volume, count, found};
	RS_TRY(rs_pool_for(pool, chunks, search_chunk, &s, err));
	double largest = 0;
	for (size_t i = 0; i < chunks; i++)
		largest = fmax(largest, found[i]);
	*out = largest;
	return RS_OK;
}

static double squared(double x, double scale) { return (scale * x) * (scale * x); }

static double rooted(double x, double scale)
{
	return x > 0 ? sqrt(x * scale) : x < 0 ? -sqrt(-x * scale) : x;
}

static double log_of(double x) { return x > 0 ? log(x + 1) : x < 0 ? -log(-(x - 1)) : x; }

static double logged(double x, double scale) { return log_of(x) * scale; }

static double raised(double x, double scale) { return exp(scale * x); }

static const struct kind {
	const char *name;
	double (*apply)(double x, double scale);
} kinds[] = {
	[RS_SQUARE] = {"square", squared},
	[RS_SQUARE_ROOT] = {"square root", rooted},
	[RS_LOGARITHM] = {"logarithm", logged},
	[RS_EXPONENTIAL] = {"exponential", raised},
};

static double scale_of(enum rs_pointwise kind, double largest)
{
	switch (kind) {
	case RS_SQUARE: return 1 / sqrt(largest);
	case RS_SQUARE_ROOT: return largest;
	case RS_LOGARITHM: return largest / log_of(largest); /* the logarithm grows with the magnitude */
	case RS_EXPONENTIAL: return log(largest) / largest;
	}
	return NAN;
}

struct work {
	const struct rs_volume *volume;
	const struct rs_box *box;
	double (*apply)(double x, double scale);
	double scale, *out;
};

static enum rs_code apply_slice(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	const struct work *w = context;
	const size_t *size = w->volume->geometry.size, *first = w->box->first;
	double *out = w->out + index * w->box->size[0] * w->box->size[1];
	for (size_t y = 0; y < w->box->size[1]; y++) {
		const double *row = w->volume->voxels +
		                    ((first[2] + index) * size[1] + first[1] + y) * size[0] + first[0];
		for (size_t x = 0; x < w->box->size[0]; x++)
			*out++ = w->apply(row[x], w->scale);
	}
	return RS_OK;
}

enum rs_code rs_filter_pointwise(const struct rs_volume *volume, const struct rs_box *box,
                                 enum rs_pointwise kind, struct rs_pool *pool, double *out,
                                 struct rs_error *err)
{
	RS_TRY(rs_box_check(box, &volume->geometry, err));
	if ((unsigned)kind >= RS_COUNT(kinds))
		return rs_error_set(err, RS_USAGE, "there is no pointwise filter %u", (unsigned)kind);
	double largest = 0;
	RS_TRY(largest_magnitude(volume, pool, &largest, err));
	double scale = scale_of(kind, largest);
	if (!isfinite(scale))
		return rs_error_set(
			err, RS_REFUSED,
			"the %s of a volume whose largest magnitude is %g has no scale; leave it out",
			kinds[kind].name, largest);
	struct work w = {volume, box, kinds[kind].apply, scale, out};
	return rs_pool_for(pool, box->size[2], apply_slice, &w, err);
}
