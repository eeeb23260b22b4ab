/* Interpolation of rows: nearest and linear here, wider kernels through their taps. */
#include <math.h>

#include "filter/interpolate.h"

double itk_round(double x) { return floor(rint(2 * x + 0.5) / 2); }
double itk_floor(double x) { return floor(rint(2 * x - 0.5) / 2); }

static size_t clamp(double index, size_t count)
{
	return index < 0 ? 0 : index >= (double)count ? count - 1 : (size_t)index;
}

static double voxel_at(const struct samples *samples, const size_t index[3])
{
	size_t offset = 0;
	for (int a = 0; a < 3; a++)
		offset += (index[a] - samples->first[a]) * stride_of(samples, a);
	return samples->voxels[offset];
}

static double nearest_at(const struct samples *samples, const double at[3])
{
	size_t index[3];
	for (int a = 0; a < 3; a++)
		index[a] = clamp(itk_round(at[a]), samples->whole[a]);
	return voxel_at(samples, index);
}

/* Along x, then y, then z; beyond the outer centres the outer voxel alone. */
static double linear_at(const struct samples *samples, const double at[3])
{
	size_t low[3], high[3], index[3];
	double fraction[3], values[8];
	for (int a = 0; a < 3; a++) {
		low[a] = clamp(itk_floor(at[a]), samples->whole[a]);
		high[a] = low[a] + 1 < samples->whole[a] ? low[a] + 1 : low[a];
		fraction[a] = at[a] - (double)low[a];
		if (!(fraction[a] > 0))
			fraction[a] = 0;
	}
	for (unsigned corner = 0; corner < 8; corner++) {
		for (int a = 0; a < 3; a++)
			index[a] = corner >> a & 1 ? high[a] : low[a];
		values[corner] = voxel_at(samples, index);
	}
	for (int a = 0, count = 4; a < 3; a++, count /= 2)
		for (int i = 0; i < count; i++)
			values[i] = values[2 * i] + (values[2 * i + 1] - values[2 * i]) * fraction[a];
	return values[0];
}

/* Spline: the product of the weights, times the coefficient. */
static void sum_weights_first(const struct samples *samples, const struct taps *taps, double out[LANES])
{
	double sums[LANES] = {0}, product[LANES];
	for (size_t k = 0; k < 4; k++)
		for (size_t j = 0; j < 4; j++) {
			size_t base[LANES];
			for (int n = 0; n < LANES; n++)
				base[n] = taps->offsets[2][k][n] + taps->offsets[1][j][n];
			for (size_t i = 0; i < 4; i++) {
				for (int n = 0; n < LANES; n++)
					product[n] = taps->weights[0][i][n] * taps->weights[1][j][n] *
					             taps->weights[2][k][n];
				for (int n = 0; n < LANES; n++)
					sums[n] += product[n] *
					           samples->voxels[base[n] + taps->offsets[0][i][n]];
			}
		}
	for (int n = 0; n < LANES; n++)
		out[n] = sums[n];
}

/* Windowed sinc: the voxel, times one weight after the other. */
static void sum_voxel_first(const struct samples *samples, const struct taps *taps, double out[LANES])
{
	double sums[LANES] = {0};
	for (size_t k = 0; k < taps->count; k++)
		for (size_t j = 0; j < taps->count; j++) {
			size_t base[LANES];
			for (int n = 0; n < LANES; n++)
				base[n] = taps->offsets[2][k][n] + taps->offsets[1][j][n];
			for (size_t i = 0; i < taps->count; i++)
				for (int n = 0; n < LANES; n++)
					sums[n] += samples->voxels[base[n] + taps->offsets[0][i][n]] *
					           taps->weights[0][i][n] * taps->weights[1][j][n] *
					           taps->weights[2][k][n];
		}
	for (int n = 0; n < LANES; n++)
		out[n] = sums[n];
}

static void interpolate_lanes(enum rs_interpolator kind, const struct samples *samples,
                              const double at[3][LANES], double out[LANES])
{
	struct taps taps;
	if (kind == RS_INTERPOLATE_BSPLINE) {
		bspline_taps(samples, at, &taps);
		sum_weights_first(samples, &taps, out);
		return;
	}
	if (kind >= RS_INTERPOLATE_HAMMING) {
		sinc_taps(kind, samples, at, &taps);
		sum_voxel_first(samples, &taps, out);
		return;
	}
	for (int n = 0; n < LANES; n++) {
		const double point[3] = {at[0][n], at[1][n], at[2][n]};
		out[n] = kind == RS_INTERPOLATE_NEAREST    ? nearest_at(samples, point)
		         : kind == RS_INTERPOLATE_LINEAR   ? linear_at(samples, point)
		         : kind == RS_INTERPOLATE_GAUSSIAN ? gaussian_at(samples, point)
		                                           : label_gaussian_at(samples, point);
	}
}

static bool inside(const struct samples *samples, const struct positions *at, size_t x)
{
	for (int a = 0; a < 3; a++)
		if (!(at->along[a][x] >= -0.5 && at->along[a][x] < (double)samples->whole[a] - 0.5))
			return false;
	return true;
}

void interpolate_row(enum rs_interpolator kind, const struct samples *samples, const struct positions *at,
                     double *out)
{
	for (size_t first = 0; first < at->count;) {
		double point[3][LANES] = {{0}}, values[LANES];
		size_t targets[LANES], lanes = 0;
		for (; lanes < LANES && first < at->count; first++) {
			out[first] = 0;
			if (!inside(samples, at, first))
				continue;
			for (int a = 0; a < 3; a++)
				point[a][lanes] = at->along[a][first];
			targets[lanes++] = first;
		}
		for (size_t n = lanes; n < LANES && lanes > 0; n++) /* any support inside the samples */
			for (int a = 0; a < 3; a++)
				point[a][n] = point[a][0];
		if (lanes > 0)
			interpolate_lanes(kind, samples, (const double(*)[LANES])point, values);
		for (size_t n = 0; n < lanes; n++)
			out[targets[n]] = values[n];
	}
}
