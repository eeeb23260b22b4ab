/* Levels of the pyramid: a Gaussian, every n-th voxel, the spline's coefficients. */
#include "register/view.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric.h"
#include "numeric/numeric_spline.h"

#define TAPS_MAX 256
#define GREYS_MAX ((size_t)1 << 18) /* voxels that tell the range of grey levels */
#define TAIL 0.002                  /* of them beyond it, at either end */

/* One axis thinned out: new voxel i is the mean of taps around the middle of `factor` old ones. */
struct thinning {
	const double *from;
	double *to;
	size_t size[3], factor, count, taps; /* old sizes; new size along the axis */
	int axis;
	double weights[TAPS_MAX];
};

static size_t voxel_at(const struct thinning *t, size_t i, size_t tap)
{
	const size_t at = i * t->factor + tap, before = (t->taps - t->factor) / 2, n = t->size[t->axis];
	return at < before ? 0 : at - before < n ? at - before : n - 1;
}

/* All of a slice (along z: of a new slice). */
static enum rs_code thin_slice(void *context, size_t slice, struct rs_error *err)
{
	const struct thinning *t = context;
	const size_t *n = t->size, plane = n[0] * n[1];
	(void)err;
	if (t->axis == 0) {
		for (size_t y = 0; y < n[1]; y++) {
			const double *row = t->from + slice * plane + y * n[0];
			double *to = t->to + (slice * n[1] + y) * t->count;
			for (size_t i = 0; i < t->count; i++) {
				double sum = 0;
				for (size_t k = 0; k < t->taps; k++)
					sum += t->weights[k] * row[voxel_at(t, i, k)];
				to[i] = sum;
			}
		}
		return RS_OK;
	}
	const size_t rows = t->axis == 1 ? t->count : n[1];
	for (size_t r = 0; r < rows; r++) {
		double *restrict to = t->to + (slice * rows + r) * n[0];
		memset(to, 0, n[0] * sizeof *to);
		for (size_t k = 0; k < t->taps; k++) {
			const size_t y = t->axis == 1 ? voxel_at(t, r, k) : r,
				     z = t->axis == 1 ? slice : voxel_at(t, slice, k);
			const double *restrict from = t->from + z * plane + y * n[0], w = t->weights[k];
			for (size_t x = 0; x < n[0]; x++)
				to[x] += w * from[x];
		}
	}
	return RS_OK;
}

/* A Gaussian of half the new voxel's width, cut at three times that. */
static void choose_taps(struct thinning *t)
{
	const size_t aside = (3 * t->factor / 2 - (t->factor - 1) / 2);
	double sum = 0;
	t->taps = t->factor + 2 * aside;
	for (size_t k = 0; k < t->taps; k++) {
		const double d = ((double)k - 0.5 * ((double)t->taps - 1)) / (0.5 * (double)t->factor);
		sum += t->weights[k] = exp(-0.5 * d * d);
	}
	for (size_t k = 0; k < t->taps; k++)
		t->weights[k] /= sum;
}

/* The volume's voxels on the view's grid; the caller frees them. */
static enum rs_code thin(const struct view *v, const double *voxels, struct rs_pool *pool, double **out,
                         struct rs_error *err)
{
	struct thinning t = {.from = voxels};
	double *now RS_CLEANUP(rs_free_pointer) = NULL;
	memcpy(t.size, v->whole, sizeof t.size);
	for (t.axis = 0; t.axis < 3; t.axis++) {
		t.factor = v->factor[t.axis];
		t.count = v->size[t.axis];
		if (t.factor == 1)
			continue;
		size_t after[3] = {t.size[0], t.size[1], t.size[2]};
		after[t.axis] = t.count;
		t.to = rs_allocate_array(after[0] * after[1] * after[2], sizeof *t.to);
		if (!t.to)
			return rs_error_memory(err, after[0] * after[1] * after[2] * sizeof *t.to,
			                       "a coarser volume");
		choose_taps(&t);
		enum rs_code code = rs_pool_for(pool, after[2], thin_slice, &t, err);
		rs_free(now);
		now = t.to;
		t.from = now;
		RS_TRY(code);
		memcpy(t.size, after, sizeof after);
	}
	const size_t count = v->size[0] * v->size[1] * v->size[2];
	if (!now) {
		now = rs_allocate_array(count, sizeof *now);
		if (!now)
			return rs_error_memory(err, count * sizeof *now, "a volume's coefficients");
		memcpy(now, voxels, count * sizeof *now);
	}
	*out = now;
	now = NULL;
	return RS_OK;
}

/* Between what grey levels all but the outliers lie. */
static enum rs_code find_range(struct view *v, const double *voxels, struct rs_error *err)
{
	const size_t count = v->size[0] * v->size[1] * v->size[2], step = (count + GREYS_MAX - 1) / GREYS_MAX;
	double *greys RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count / step + 1, sizeof *greys);
	size_t n = 0;
	double least = INFINITY, most = -INFINITY;
	if (!greys)
		return rs_error_memory(err, (count / step + 1) * sizeof *greys, "grey levels");
	for (size_t i = 0; i < count; i += step) {
		const double index[3] = {(double)(i % v->size[0]), (double)(i / v->size[0] % v->size[1]),
		                         (double)(i / v->size[0] / v->size[1])};
		if (!view_holds(v, index))
			continue;
		greys[n++] = voxels[i];
		least = fmin(least, voxels[i]);
		most = fmax(most, voxels[i]);
	}
	if (n == 0 || !(most > least))
		return rs_error_set(
			err, RS_REFUSED,
			n ? "all voxels that are looked at are %g: nothing in them can be registered"
			  : "no voxel is to be looked at: nothing can be registered (%g)",
			n ? most : 0.0);
	const size_t low = (size_t)(TAIL * (double)(n - 1)), high = n - 1 - low;
	rs_select(greys, 0, n, low);
	v->low = greys[low];
	rs_select(greys, 0, n, high);
	v->high = greys[high];
	if (!(v->high > v->low)) {
		v->low = least;
		v->high = most;
	}
	return RS_OK;
}

static size_t mirrored(size_t padded, size_t size)
{
	ptrdiff_t at = (ptrdiff_t)padded - PAD, last = (ptrdiff_t)size - 1;
	if (last == 0)
		return 0;
	at = at < 0 ? -at : at;
	at = at > last ? 2 * last - at : at;
	return (size_t)(at < 0 ? -at : at); /* two voxels are mirrored twice */
}

enum rs_code padded_coefficients(double *voxels, const size_t size[3], struct rs_pool *pool, size_t padded[3],
                                 double **out_padded, struct rs_error *err)
{
	size_t count = 1;
	for (int a = 0; a < 3; a++) {
		padded[a] = size[a] + 2 * (size_t)PAD;
		count *= padded[a];
	}
	RS_TRY(rs_spline_coefficients(voxels, size, pool, err));
	double *to = rs_allocate_array(count, sizeof *to);
	if (!to)
		return rs_error_memory(err, count * sizeof *to, "a volume's coefficients");
	*out_padded = to;
	for (size_t z = 0; z < padded[2]; z++)
		for (size_t y = 0; y < padded[1]; y++, to += padded[0]) {
			const double *row = voxels +
			                    (mirrored(z, size[2]) * size[1] + mirrored(y, size[1])) * size[0];
			for (size_t x = 0; x < PAD; x++)
				to[x] = row[mirrored(x, size[0])];
			memcpy(to + PAD, row, size[0] * sizeof *to);
			for (size_t x = PAD + size[0]; x < padded[0]; x++)
				to[x] = row[mirrored(x, size[0])];
		}
	return RS_OK;
}

/* The grid's first voxel lies in the middle of the volume's first `factor` ones. */
static enum rs_code plan(struct view *v, const struct rs_geometry *geometry, double sharp_mm,
                         struct rs_error *err)
{
	struct rs_geometry coarse = *geometry;
	struct space whole;
	double first[3];
	RS_TRY(space_of(geometry, &whole, err));
	for (int a = 0; a < 3; a++) {
		const double most = TAPS_MAX / 5, factor = floor(sharp_mm / geometry->spacing_mm[a] + 0.01);
		v->whole[a] = geometry->size[a];
		v->factor[a] = (size_t)fmin(fmax(factor, 1), fmin(most, (double)geometry->size[a]));
		v->size[a] = (v->whole[a] + v->factor[a] - 1) / v->factor[a];
		coarse.spacing_mm[a] *= (double)v->factor[a];
		first[a] = 0.5 * ((double)v->factor[a] - 1);
	}
	space_point(&whole, first, coarse.origin_mm);
	return space_of(&coarse, &v->space, err);
}

enum rs_code view_init(struct view *out, const struct rs_volume *volume, const uint8_t *region,
                       double sharp_mm, struct rs_pool *pool, struct rs_error *err)
{
	struct view view RS_CLEANUP(view_finish) = {.region = region};
	double *voxels RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(plan(&view, &volume->geometry, sharp_mm, err));
	RS_TRY(thin(&view, volume->voxels, pool, &voxels, err));
	RS_TRY(find_range(&view, voxels, err));
	RS_TRY(padded_coefficients(voxels, view.size, pool, view.padded, &view.coefficients, err));
	*out = view;
	view.coefficients = NULL;
	return RS_OK;
}

void view_finish(struct view *view) { rs_free(view->coefficients); }
