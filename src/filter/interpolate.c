/* Interpolation of rows from the supports of their voxels. */
#include <math.h>

#include "filter/interpolate.h"

#define LABELS_MAX (TAPS_MAX * TAPS_MAX * TAPS_MAX)

/* Supports of LANES voxels side by side. */
struct taps {
	size_t count; /* along each axis; the rest of a shorter support weighs nothing */
	double weights[3][TAPS_MAX][LANES];
	size_t offsets[3][TAPS_MAX][LANES];
};

/* floor(x + 1/2) and floor(x) as ITK has them on x86: twice x, half a unit aside, to the nearest even number, halved. */
static double itk_round(double x) { return floor(rint(2 * x + 0.5) / 2); }
static double itk_floor(double x) { return floor(rint(2 * x - 0.5) / 2); }

static double clamp(double index, size_t count)
{
	return index < 0 ? 0 : index >= (double)count ? (double)count - 1 : index;
}

/* Beyond the outer centres the outer voxel alone. */
static void linear_support(double position, size_t whole, struct support *out, double *indices)
{
	double fraction;
	indices[0] = clamp(itk_floor(position), whole);
	indices[1] = clamp(indices[0] + 1, whole);
	fraction = position - indices[0];
	out->count = 2;
	out->weights[0] = 0;
	out->weights[1] = fraction > 0 ? fraction : 0;
}

void support_at(enum rs_interpolator kind, const struct samples *samples, int axis, double position,
                struct support *out)
{
	double indices[TAPS_MAX];
	size_t whole = samples->whole[axis], stride = 1;
	out->count = 0;
	if (!(position >= -0.5 && position < (double)whole - 0.5))
		return;
	switch (kind) {
	case RS_INTERPOLATE_NEAREST:
		out->count = 1;
		out->weights[0] = 1;
		indices[0] = clamp(itk_round(position), whole);
		break;
	case RS_INTERPOLATE_LINEAR: linear_support(position, whole, out, indices); break;
	case RS_INTERPOLATE_BSPLINE: bspline_support(position, whole, out, indices); break;
	case RS_INTERPOLATE_GAUSSIAN:
	case RS_INTERPOLATE_LABEL_GAUSSIAN:
		gaussian_support(kind, position, whole, samples->spacing_mm[axis], out, indices);
		break;
	default: sinc_support(kind, position, itk_floor(position), whole, out, indices);
	}
	for (int a = 0; a < axis; a++)
		stride *= samples->size[a];
	for (size_t k = 0; k < out->count; k++)
		out->offsets[k] = ((size_t)indices[k] - samples->first[axis]) * stride;
}

/* Along x, then y, then z. */
static void sum_linear(const double *voxels, const struct taps *taps, double out[LANES])
{
	for (int n = 0; n < LANES; n++) {
		double values[8];
		for (unsigned corner = 0; corner < 8; corner++)
			values[corner] = voxels[taps->offsets[0][corner & 1][n] +
			                        taps->offsets[1][corner >> 1 & 1][n] +
			                        taps->offsets[2][corner >> 2][n]];
		for (int a = 0, count = 4; a < 3; a++, count /= 2)
			for (int i = 0; i < count; i++)
				values[i] = values[2 * i] +
				            (values[2 * i + 1] - values[2 * i]) * taps->weights[a][1][n];
		out[n] = values[0];
	}
}

/* What the taps along x and y make together, [j][i]. */
struct plane {
	double weights[TAPS_MAX * TAPS_MAX][LANES];
	size_t offsets[TAPS_MAX * TAPS_MAX][LANES];
};

static void plane_of(const struct taps *taps, struct plane *out)
{
	for (size_t j = 0, at = 0; j < taps->count; j++)
		for (size_t i = 0; i < taps->count; i++, at++)
			for (int n = 0; n < LANES; n++) {
				out->weights[at][n] = taps->weights[0][i][n] * taps->weights[1][j][n];
				out->offsets[at][n] = taps->offsets[0][i][n] + taps->offsets[1][j][n];
			}
}

/* Splines and Gaussians: the product of the weights, times the voxel; `totals` sums the products. Four lanes in names of
 * their own, which compilers keep in registers. */
static void sum_weights_first(const double *voxels, const struct taps *taps, double out[LANES],
                              double totals[LANES])
{
	struct plane plane;
	plane_of(taps, &plane);
	for (size_t n = 0; n < LANES; n += 4) {
		double a = 0, b = 0, c = 0, d = 0, wa = 0, wb = 0, wc = 0, wd = 0;
		for (size_t k = 0; k < taps->count; k++) {
			const double *z = taps->weights[2][k] + n;
			const size_t *base = taps->offsets[2][k] + n;
			for (size_t at = 0; at < taps->count * taps->count; at++) {
				const double *xy = plane.weights[at] + n;
				const size_t *offset = plane.offsets[at] + n;
				double pa = xy[0] * z[0], pb = xy[1] * z[1], pc = xy[2] * z[2],
				       pd = xy[3] * z[3];
				a += pa * voxels[base[0] + offset[0]], wa += pa;
				b += pb * voxels[base[1] + offset[1]], wb += pb;
				c += pc * voxels[base[2] + offset[2]], wc += pc;
				d += pd * voxels[base[3] + offset[3]], wd += pd;
			}
		}
		out[n] = a, out[n + 1] = b, out[n + 2] = c, out[n + 3] = d;
		totals[n] = wa, totals[n + 1] = wb, totals[n + 2] = wc, totals[n + 3] = wd;
	}
}

/* Windowed sinc: the voxel, times one weight after the other. */
static void sum_voxel_first(const double *voxels, const struct taps *taps, double out[LANES])
{
	const size_t count = taps->count;
	for (size_t n = 0; n < LANES; n += 4) {
		double a = 0, b = 0, c = 0, d = 0;
		for (size_t row = 0; row < count * count; row++) {
			const double *z = taps->weights[2][row / count] + n,
				     *y = taps->weights[1][row % count] + n;
			const double *from[4];
			for (size_t i = 0; i < 4; i++)
				from[i] = voxels + taps->offsets[2][row / count][n + i] +
				          taps->offsets[1][row % count][n + i];
			for (size_t i = 0; i < count; i++) {
				const double *x = taps->weights[0][i] + n;
				const size_t *offset = taps->offsets[0][i] + n;
				a += from[0][offset[0]] * x[0] * y[0] * z[0];
				b += from[1][offset[1]] * x[1] * y[1] * z[1];
				c += from[2][offset[2]] * x[2] * y[2] * z[2];
				d += from[3][offset[3]] * x[3] * y[3] * z[3];
			}
		}
		out[n] = a, out[n + 1] = b, out[n + 2] = c, out[n + 3] = d;
	}
}

/* The value whose voxels weigh most; of equals the one that came first to that weight. */
static double weightiest(const double *voxels, const struct taps *taps, int lane)
{
	double values[LABELS_MAX], sums[LABELS_MAX], best = 0, best_value = 0;
	size_t count = 0, n = taps->count;
	for (size_t tap = 0; tap < n * n * n; tap++) {
		size_t i = tap % n, j = tap / n % n, k = tap / n / n, at = 0;
		double w = taps->weights[0][i][lane] * taps->weights[1][j][lane] * taps->weights[2][k][lane];
		double value = voxels[taps->offsets[0][i][lane] + taps->offsets[1][j][lane] +
		                      taps->offsets[2][k][lane]];
		while (at < count && values[at] != value)
			at++;
		if (at == count) {
			values[count] = value;
			sums[count++] = 0;
		}
		sums[at] += w;
		if (sums[at] > best) {
			best = sums[at];
			best_value = value;
		}
	}
	return best_value;
}

static void interpolate_lanes(enum rs_interpolator kind, const double *voxels, const struct taps *taps,
                              double out[LANES])
{
	double totals[LANES];
	switch (kind) {
	case RS_INTERPOLATE_NEAREST:
		for (int n = 0; n < LANES; n++)
			out[n] = voxels[taps->offsets[0][0][n] + taps->offsets[1][0][n] +
			                taps->offsets[2][0][n]];
		break;
	case RS_INTERPOLATE_LINEAR: sum_linear(voxels, taps, out); break;
	case RS_INTERPOLATE_BSPLINE: sum_weights_first(voxels, taps, out, totals); break;
	case RS_INTERPOLATE_GAUSSIAN:
		sum_weights_first(voxels, taps, out, totals);
		for (int n = 0; n < LANES; n++)
			out[n] /= totals[n];
		break;
	case RS_INTERPOLATE_LABEL_GAUSSIAN:
		for (int n = 0; n < LANES; n++)
			out[n] = weightiest(voxels, taps, n);
		break;
	default: sum_voxel_first(voxels, taps, out);
	}
}

static void take_support(struct taps *taps, int axis, size_t lane, const struct support *support)
{
	for (size_t k = 0; k < taps->count; k++) {
		bool there = k < support->count;
		taps->weights[axis][k][lane] = there ? support->weights[k] : 0;
		taps->offsets[axis][k][lane] = support->offsets[there ? k : 0];
	}
}

/* The longest support. */
static size_t taps_of(enum rs_interpolator kind)
{
	switch (kind) {
	case RS_INTERPOLATE_NEAREST: return 1;
	case RS_INTERPOLATE_LINEAR: return 2;
	case RS_INTERPOLATE_BSPLINE: return 4;
	case RS_INTERPOLATE_LABEL_GAUSSIAN: return 4;
	case RS_INTERPOLATE_GAUSSIAN: return 8;
	default: return TAPS_MAX;
	}
}

static bool inside(const struct row_supports *supports, size_t x)
{
	for (int a = 0; a < 3; a++)
		if (supports->along[a][x * supports->step[a]].count == 0)
			return false;
	return true;
}

void interpolate_row(enum rs_interpolator kind, const double *voxels, const struct row_supports *supports,
                     size_t count, double *out)
{
	struct taps taps = {.count = taps_of(kind)};
	bool shared[3] = {false, false, false};
	for (size_t x = 0; x < count;) {
		double values[LANES];
		size_t targets[LANES], lanes = 0;
		for (; lanes < LANES && x < count; x++) {
			out[x] = 0;
			if (inside(supports, x))
				targets[lanes++] = x;
		}
		if (lanes == 0)
			return;
		for (int a = 0; a < 3; a++) {
			for (size_t n = 0; n < LANES && !shared[a]; n++) /* lanes too many repeat the first */
				take_support(&taps, a, n,
				             supports->along[a] +
				                     targets[n < lanes ? n : 0] * supports->step[a]);
			shared[a] = supports->step[a] == 0;
		}
		interpolate_lanes(kind, voxels, &taps, values);
		for (size_t n = 0; n < lanes; n++)
			out[targets[n]] = values[n];
	}
}

void label_row(const uint32_t *labels, const struct row_supports *supports, size_t count, uint32_t *out)
{
	for (size_t x = 0; x < count; x++) {
		const struct support *s[3];
		for (int a = 0; a < 3; a++)
			s[a] = supports->along[a] + x * supports->step[a];
		out[x] = s[0]->count && s[1]->count && s[2]->count
		                 ? labels[s[0]->offsets[0] + s[1]->offsets[0] + s[2]->offsets[0]]
		                 : 0;
	}
}
