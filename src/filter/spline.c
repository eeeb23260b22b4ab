/* Cubic B-splines: coefficients by recursion along whole lines, values as sums of 64 products. */
#include "filter/spline.h"

#include <math.h>
#include <string.h>

#include "filter/lines.h"

#define SUPPORT 4
#define POLE (-0.26794919243112270647) /* the square root of 3, less 2: subtracting doubles loses digits */

/* The coefficient of the mirrored line at its first voxel, and at its last. */
static void start_forward(double *data, size_t n, double pole)
{
	double power = pole, last_power = pow(pole, (double)(n - 1));
	double *last = data + (n - 1) * LINES;
	for (size_t lane = 0; lane < LINES; lane++)
		data[lane] = data[lane] + last_power * last[lane];
	for (size_t i = 1; i + 1 < n; i++) {
		const double *near = data + i * LINES, *far = data + (n - 1 - i) * LINES;
		for (size_t lane = 0; lane < LINES; lane++)
			data[lane] += power * (near[lane] + last_power * far[lane]);
		power *= pole;
	}
	for (size_t lane = 0; lane < LINES; lane++)
		data[lane] /= 1 - last_power * last_power;
}

static void start_backward(double *data, size_t n, double pole)
{
	double *last = data + (n - 1) * LINES;
	const double *before = last - LINES;
	for (size_t lane = 0; lane < LINES; lane++)
		last[lane] = (pole * before[lane] + last[lane]) * pole / (pole * pole - 1);
}

static void run_line(const void *how, size_t n, size_t first, size_t end, double *data, double *result)
{
	(void)how;
	double pole = POLE, gain = (1.0 - pole) * (1.0 - 1.0 / pole);
	if (n > 1) {
		for (size_t i = 0; i < n * LINES; i++)
			data[i] *= gain;
		start_forward(data, n, pole);
		for (size_t i = LINES; i < n * LINES; i++)
			data[i] += pole * data[i - LINES];
		start_backward(data, n, pole);
		for (size_t i = (n - 1) * LINES; i-- > 0;)
			data[i] = pole * (data[i + LINES] - data[i]);
	}
	memcpy(result + first * LINES, data + first * LINES, (end - first) * LINES * sizeof *result);
}

/* Along z, y and x, in SciPy's order; each pass narrows its own axis to the part that is needed. */
static enum rs_code find_coefficients(const struct rs_volume *volume, const struct rs_box *part,
                                      struct rs_pool *pool, double *scratch[2], struct rs_error *err)
{
	struct lines lines = {.in = volume->voxels, .filter = {run_line, NULL}};
	memcpy(lines.size, volume->geometry.size, sizeof lines.size);
	for (unsigned pass = 0; pass < 3; pass++) {
		unsigned axis = 2 - pass;
		lines.axis = axis;
		lines.first = part->first[axis];
		lines.count = part->size[axis];
		lines.out = scratch[pass % 2];
		RS_TRY(lines_run(&lines, pool, err));
		lines.in = lines.out;
		lines.size[axis] = lines.count;
	}
	return RS_OK;
}

static size_t mirrored(ptrdiff_t index, size_t size)
{
	ptrdiff_t last = (ptrdiff_t)size - 1, period = 2 * last;
	if (last == 0)
		return 0;
	index = index < 0 ? -index % period : index % period;
	return (size_t)(index > last ? period - index : index);
}

static void spread(const struct spline *s, const struct rs_box *part, const double *from)
{
	double *out = s->coefficients;
	for (size_t z = 0; z < s->size[2]; z++)
		for (size_t y = 0; y < s->size[1]; y++) {
			size_t from_z = mirrored(s->first[2] + (ptrdiff_t)z, s->volume_size[2]) -
			                part->first[2];
			size_t from_y = mirrored(s->first[1] + (ptrdiff_t)y, s->volume_size[1]) -
			                part->first[1];
			const double *row = from + (from_z * part->size[1] + from_y) * part->size[0];
			for (size_t x = 0; x < s->size[0]; x++)
				*out++ = row[mirrored(s->first[0] + (ptrdiff_t)x, s->volume_size[0]) -
				             part->first[0]];
		}
}

/* The part of the volume whose coefficients are needed, mirrored ones included. */
static void plan(struct spline *s, const struct rs_volume *volume, const struct rs_box *box, size_t margin,
                 struct rs_box *part)
{
	for (unsigned a = 0; a < 3; a++) {
		size_t n = volume->geometry.size[a], first = box->first[a], end = first + box->size[a];
		s->volume_size[a] = n;
		s->first[a] = first > margin ? (ptrdiff_t)(first - margin - 1) : -1;
		ptrdiff_t last = end + margin + 1 < n + 1 ? (ptrdiff_t)(end + margin + 1)
		                                          : (ptrdiff_t)(n + 1);
		s->size[a] = (size_t)(last + 1 - s->first[a]);
		part->first[a] = first > margin + 3 ? first - margin - 3 : 0;
		size_t part_end = end + margin + 3 < n ? end + margin + 3 : n;
		part->size[a] = part_end - part->first[a];
	}
}

static bool volume_of(const size_t size[3], size_t *out)
{
	return rs_mul_size(size[0], size[1], out) && rs_mul_size(*out, size[2], out);
}

enum rs_code spline_init(struct spline *out, const struct rs_volume *volume, const struct rs_box *box,
                         size_t margin, struct rs_pool *pool, struct rs_error *err)
{
	struct spline s RS_CLEANUP(spline_finish) = {0};
	struct rs_box part;
	plan(&s, volume, box, margin, &part);
	const size_t *whole = volume->geometry.size;
	const size_t after_z[3] = {whole[0], whole[1], part.size[2]},
		     after_y[3] = {whole[0], part.size[1], part.size[2]};
	size_t count, first, second;
	if (!volume_of(s.size, &count) || !volume_of(after_z, &first) || !volume_of(after_y, &second))
		return rs_error_memory(err, SIZE_MAX, "the coefficients of a spline");
	s.coefficients = rs_allocate_array(count, sizeof *s.coefficients);
	double *z RS_CLEANUP(rs_free_pointer) = rs_allocate_array(first, sizeof *z);
	double *y RS_CLEANUP(rs_free_pointer) = rs_allocate_array(second, sizeof *y);
	if (!s.coefficients || !z || !y)
		return rs_error_memory(err, (count + first + second) * sizeof *z,
		                       "the coefficients of a spline");
	RS_TRY(find_coefficients(volume, &part, pool, (double *[2]){z, y}, err));
	spread(&s, &part, z); /* the third pass is back in the first block */
	*out = s;
	s = (struct spline){0};
	return RS_OK;
}

void spline_finish(struct spline *spline)
{
	rs_free(spline->coefficients);
	*spline = (struct spline){0};
}

/* Weights of the four coefficients around a place that lies `x` behind the second of them. */
static inline void weigh(double x, double out[SUPPORT])
{
	double z = 1.0 - x;
	out[1] = (x * x * (x - 2.0) * 3.0 + 4.0) / 6.0;
	out[2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0;
	out[0] = z * z * z / 6.0;
	out[3] = 1.0 - out[0] - out[1] - out[2];
}

/* The first coefficient under a place along an axis, counted in the block; false outside the volume. */
static bool place(const struct spline *s, unsigned axis, size_t at, double shift, size_t *out_first,
                  double out_weights[SUPPORT])
{
	double where = (double)at + shift;
	if (!(where >= 0 && where <= (double)(s->volume_size[axis] - 1)))
		return false;
	double low = floor(where);
	*out_first = (size_t)((ptrdiff_t)low - 1 - s->first[axis]);
	weigh(where - low, out_weights);
	return true;
}

/* The voxels of a row whose samples lie alike between coefficients: all, but for rounding at whole numbers. */
struct run {
	size_t begin, end, first;
};

/* Voxels from `begin` on: their weights, until one lies outside or on the next coefficient. */
static struct run find_run(const struct spline *s, size_t at, double shift, size_t begin, size_t count,
                           double *weights)
{
	struct run run = {begin, begin, 0};
	for (; run.end < count; run.end++) {
		double w[SUPPORT];
		size_t first;
		if (!place(s, 0, at + run.end, shift, &first, w))
			break;
		if (run.end == begin)
			run.first = first;
		else if (first != run.first + (run.end - begin))
			break;
		for (unsigned k = 0; k < SUPPORT; k++)
			weights[k * count + run.end] = w[k];
	}
	return run;
}

static void add_row(const struct run *run, const double *row, double wz, double wy, const double *weights,
                    size_t count, double *restrict scaled, double *restrict out)
{
	size_t width = run->end - run->begin;
	for (size_t i = 0; i < width + SUPPORT - 1; i++)
		scaled[i] = row[run->first + i] * wz * wy;
	const double *w0 = weights + run->begin, *w1 = w0 + count, *w2 = w1 + count, *w3 = w2 + count;
	double *to = out + run->begin;
	for (size_t i = 0; i < width; i++)
		to[i] = to[i] + scaled[i] * w0[i] + scaled[i + 1] * w1[i] + scaled[i + 2] * w2[i] +
		        scaled[i + 3] * w3[i];
}

void spline_row(const struct spline *s, const size_t at[3], const double shift[3], size_t count, double *work,
                double *restrict out)
{
	double wy[SUPPORT], wz[SUPPORT];
	size_t y, z;
	memset(out, 0, count * sizeof *out);
	if (!place(s, 1, at[1], shift[1], &y, wy) || !place(s, 2, at[2], shift[2], &z, wz))
		return;
	double *weights = work, *scaled = work + SUPPORT * count;
	for (size_t begin = 0; begin < count;) {
		struct run run = find_run(s, at[0], shift[0], begin, count, weights);
		for (unsigned j = 0; j < SUPPORT && run.end > begin; j++)
			for (unsigned k = 0; k < SUPPORT; k++)
				add_row(&run, s->coefficients + ((z + j) * s->size[1] + y + k) * s->size[0],
				        wz[j], wy[k], weights, count, scaled, out);
		begin = run.end > begin ? run.end : begin + 1;
	}
}
