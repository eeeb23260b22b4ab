/* Cubic B-splines (Unser, "Splines: a perfect fit", 1999, box 2), with the choices of ITK's BSplineInterpolate: mirrored
 * ends, and the sum at the start of a line cut where the pole's powers fall below 1e-10. */
#include "numeric/numeric_spline.h"

#include <math.h>

/* Lines side by side, so that compilers can work on several at once. */
#define LANES 8
#define START_TOLERANCE 1e-10

/* Value before the recursion, of lines[n][lane]: what an endless mirrored line would have summed up. */
static void start_lines(double (*lines)[LANES], size_t count, double pole, size_t horizon)
{
	double power = pole;
	if (horizon < count) {
		for (size_t n = 1; n < horizon; n++, power *= pole)
			for (int i = 0; i < LANES; i++)
				lines[0][i] += power * lines[n][i];
		return;
	}
	double inverse = 1 / pole, back = pow(pole, (double)(count - 1));
	for (int i = 0; i < LANES; i++)
		lines[0][i] += back * lines[count - 1][i];
	back *= back * inverse;
	for (size_t n = 1; n + 1 < count; n++, power *= pole, back *= inverse)
		for (int i = 0; i < LANES; i++)
			lines[0][i] += (power + back) * lines[n][i];
	for (int i = 0; i < LANES; i++)
		lines[0][i] /= 1 - power * power;
}

static void filter_lines(double (*lines)[LANES], size_t count)
{
	const double pole = sqrt(3.0) - 2;
	const double gain = (1 - pole) * (1 - 1 / pole);
	const double end = pole / (pole * pole - 1);
	if (count == 1)
		return;
	for (size_t n = 0; n < count; n++)
		for (int i = 0; i < LANES; i++)
			lines[n][i] *= gain;
	start_lines(lines, count, pole, (size_t)ceil(log(START_TOLERANCE) / log(fabs(pole))));
	for (size_t n = 1; n < count; n++)
		for (int i = 0; i < LANES; i++)
			lines[n][i] += pole * lines[n - 1][i];
	for (int i = 0; i < LANES; i++)
		lines[count - 1][i] = end * (pole * lines[count - 2][i] + lines[count - 1][i]);
	for (size_t n = count - 1; n-- > 0;)
		for (int i = 0; i < LANES; i++)
			lines[n][i] = pole * (lines[n + 1][i] - lines[n][i]);
}

struct prefilter {
	double *voxels;
	const size_t *size;
	int axis;
};

/* All lines along the axis in a slice (along z: in a plane of equal y), LANES at a time. */
static enum rs_code filter_plane(void *context, size_t plane, struct rs_error *err)
{
	const struct prefilter *work = context;
	const size_t *size = work->size;
	size_t strides[3] = {1, size[0], size[0] * size[1]};
	int across = work->axis == 0 ? 1 : 0, outer = work->axis == 2 ? 1 : 2;
	size_t count = size[work->axis], step = strides[work->axis];
	double(*lines)[LANES] RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *lines);
	if (!lines)
		return rs_error_memory(err, count * sizeof *lines, "spline coefficients");
	for (size_t first = 0; first < size[across]; first += LANES) {
		double *from = work->voxels + plane * strides[outer] + first * strides[across];
		size_t lanes = size[across] - first < LANES ? size[across] - first : LANES;
		for (size_t n = 0; n < count; n++)
			for (size_t i = 0; i < lanes; i++)
				lines[n][i] = from[n * step + i * strides[across]];
		filter_lines(lines, count);
		for (size_t n = 0; n < count; n++)
			for (size_t i = 0; i < lanes; i++)
				from[n * step + i * strides[across]] = lines[n][i];
	}
	return RS_OK;
}

enum rs_code rs_spline_coefficients(double *voxels, const size_t size[3], struct rs_pool *pool,
                                    struct rs_error *err)
{
	for (int axis = 0; axis < 3; axis++) {
		struct prefilter work = {voxels, size, axis};
		if (size[axis] > 1)
			RS_TRY(rs_pool_for(pool, size[axis == 2 ? 1 : 2], filter_plane, &work, err));
	}
	return RS_OK;
}

void rs_spline_weights(double fraction, double out[4])
{
	out[3] = (1.0 / 6.0) * fraction * fraction * fraction;
	out[0] = (1.0 / 6.0) + 0.5 * fraction * (fraction - 1.0) - out[3];
	out[2] = fraction + out[0] - 2.0 * out[3];
	out[1] = 1.0 - out[0] - out[2] - out[3];
}
