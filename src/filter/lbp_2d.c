/* Local binary patterns of slices: which of the samples on a circle are not darker than its centre.
 * source  scikit-image 0.19 … 0.26, feature.local_binary_pattern; PyRadiomics writes the codes back in the
 *         volume's own type */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/as_stored.h"

#define RADIUS_MAX 256 /* voxels; slices are given a margin of it */
#define SAMPLES_MAX 127
#define CODE_SAMPLES_MAX 31 /* one bit of a code each */

/* A slice has rows and columns: columns run along x, or along z across x. */
struct work {
	const struct rs_volume *volume;
	const struct rs_box *box;
	enum rs_lbp_method method;
	unsigned samples, axis, row_axis, column_axis;
	size_t margin;
	double down[SAMPLES_MAX], right[SAMPLES_MAX]; /* of the samples, in voxels */
	size_t stride[3], out_stride[3];
	double *out;
};

/* What is found out about the voxels of one row while the samples pass, and where a sample lies between columns. */
struct row {
	size_t count;
	double *texture, *sum, *squares, *fraction, *codes;
	size_t *left, *right;
	uint8_t *bit;
	uint8_t *ones, *changes, *first_one, *first_zero;
	uint32_t *code;
};

/* The samples of one place of a row: between rows `above` and `below`, `dr` below the upper one. */
static void sample_row(const struct work *w, struct row *r, const double *above, const double *below,
                       double dr, unsigned sample)
{
	size_t first = w->box->first[w->column_axis], margin = w->margin;
	for (size_t i = 0; i < r->count; i++) {
		double at = (double)(first + i) + w->right[sample], low = floor(at);
		ptrdiff_t shift = (ptrdiff_t)low - (ptrdiff_t)first + (ptrdiff_t)margin;
		r->left[i] = (size_t)shift;
		r->right[i] = (size_t)shift + (ceil(at) != low);
		r->fraction[i] = at - low;
	}
	for (size_t i = 0; i < r->count; i++) {
		double dc = r->fraction[i];
		double top = (1 - dc) * above[r->left[i]] + dc * above[r->right[i]];
		double bottom = (1 - dc) * below[r->left[i]] + dc * below[r->right[i]];
		r->texture[i] = (1 - dr) * top + dr * bottom;
	}
}

static void note_bits(const struct work *w, struct row *r, const double *centre, unsigned sample)
{
	for (size_t i = 0; i < r->count; i++) {
		uint8_t bit = r->texture[i] - centre[i] >= 0;
		r->changes[i] = (uint8_t)(r->changes[i] + (sample > 0 && bit != r->bit[i]));
		r->bit[i] = bit;
		r->ones[i] = (uint8_t)(r->ones[i] + bit);
		if (bit && r->first_one[i] == UINT8_MAX)
			r->first_one[i] = (uint8_t)sample;
		if (!bit && r->first_zero[i] == UINT8_MAX)
			r->first_zero[i] = (uint8_t)sample;
		if (w->samples <= CODE_SAMPLES_MAX)
			r->code[i] |= (uint32_t)bit << sample;
	}
}

static void note_variance(struct row *r)
{
	for (size_t i = 0; i < r->count; i++) {
		r->sum[i] += r->texture[i];
		r->squares[i] += r->texture[i] * r->texture[i];
	}
}

static uint32_t smallest_rotation(uint32_t code, unsigned bits)
{
	uint32_t smallest = code;
	for (unsigned i = 1; i < bits; i++) {
		code = code >> 1 | (code & 1) << (bits - 1);
		smallest = code < smallest ? code : smallest;
	}
	return smallest;
}

/* Number of a pattern with at most two changes, rotations told apart. */
static double number_of(const struct row *r, size_t i, unsigned samples)
{
	unsigned ones = r->ones[i];
	if (r->changes[i] > 2)
		return samples * (samples - 1) + 2;
	if (ones == 0)
		return 0;
	if (ones == samples)
		return samples * (samples - 1) + 1;
	int rotation = r->first_one[i] == 0 ? (int)ones - r->first_zero[i] : (int)samples - r->first_one[i];
	return (double)(1 + ((int)ones - 1) * (int)samples + rotation);
}

static double code_of(const struct work *w, const struct row *r, size_t i)
{
	double p = w->samples, variance;
	switch (w->method) {
	case RS_LBP_DEFAULT: return r->code[i];
	case RS_LBP_ROR: return smallest_rotation(r->code[i], w->samples);
	case RS_LBP_UNIFORM: return r->changes[i] <= 2 ? r->ones[i] : w->samples + 1;
	case RS_LBP_NRI_UNIFORM: return number_of(r, i, w->samples);
	case RS_LBP_VAR:
		variance = (r->squares[i] - (r->sum[i] * r->sum[i]) / p) / p;
		return variance != 0 ? variance : NAN;
	}
	return NAN;
}

static void clear_row(struct row *r)
{
	memset(r->sum, 0, r->count * sizeof *r->sum);
	memset(r->squares, 0, r->count * sizeof *r->squares);
	memset(r->ones, 0, r->count);
	memset(r->changes, 0, r->count);
	memset(r->first_one, UINT8_MAX, r->count);
	memset(r->first_zero, UINT8_MAX, r->count);
	memset(r->code, 0, r->count * sizeof *r->code);
}

static void filter_row(const struct work *w, struct row *r, const double *slice, size_t width, size_t row,
                       double *out)
{
	size_t first = w->box->first[w->row_axis], stride = w->out_stride[w->column_axis];
	const double *centre = slice + (row + w->margin) * width + w->margin;
	clear_row(r);
	for (unsigned sample = 0; sample < w->samples; sample++) {
		double at = (double)(first + row) + w->down[sample], low = floor(at);
		ptrdiff_t above = (ptrdiff_t)low - (ptrdiff_t)first + (ptrdiff_t)w->margin;
		const double *top = slice + (size_t)above * width;
		sample_row(w, r, top, ceil(at) != low ? top + width : top, at - low, sample);
		if (w->method == RS_LBP_VAR)
			note_variance(r);
		else
			note_bits(w, r, centre, sample);
	}
	for (size_t i = 0; i < r->count; i++)
		out[i * stride] = as_stored(code_of(w, r, i), w->volume->stored);
}

/* The part of the slice that the samples of the box may touch; zero outside the volume. */
static void copy_slice(const struct work *w, size_t index, size_t rows, size_t columns, double *out)
{
	const size_t *size = w->volume->geometry.size;
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < columns; c++) {
			size_t row = w->box->first[w->row_axis] + r,
			       column = w->box->first[w->column_axis] + c;
			bool inside = row >= w->margin && row - w->margin < size[w->row_axis] &&
			              column >= w->margin && column - w->margin < size[w->column_axis];
			out[r * columns + c] =
				inside ? w->volume->voxels[index * w->stride[w->axis] +
			                                   (row - w->margin) * w->stride[w->row_axis] +
			                                   (column - w->margin) * w->stride[w->column_axis]]
				       : 0;
		}
}

static enum rs_code make_row(size_t count, struct rs_arena *arena, struct row *out, struct rs_error *err)
{
	*out = (struct row){.count = count};
	double **wide[] = {&out->texture, &out->sum, &out->squares, &out->fraction};
	uint8_t **narrow[] = {&out->bit, &out->ones, &out->changes, &out->first_one, &out->first_zero};
	bool complete = true;
	for (size_t i = 0; i < RS_COUNT(wide); i++)
		complete &= (*wide[i] = rs_arena_allocate_array(arena, count, sizeof **wide[i])) != NULL;
	for (size_t i = 0; i < RS_COUNT(narrow); i++)
		complete &= (*narrow[i] = rs_arena_allocate_array(arena, count, 1)) != NULL;
	out->left = rs_arena_allocate_array(arena, count, sizeof *out->left);
	out->right = rs_arena_allocate_array(arena, count, sizeof *out->right);
	out->code = rs_arena_allocate_array(arena, count, sizeof *out->code);
	if (!complete || !out->left || !out->right || !out->code)
		return rs_error_memory(err, count, "a row of local binary patterns");
	return RS_OK;
}

static enum rs_code filter_slice(void *context, size_t index, struct rs_error *err)
{
	const struct work *w = context;
	size_t rows = w->box->size[w->row_axis] + 2 * w->margin;
	size_t columns = w->box->size[w->column_axis] + 2 * w->margin, voxels;
	struct rs_arena arena RS_CLEANUP(rs_arena_finish) = {0};
	rs_arena_init(&arena, SIZE_MAX);
	struct row row;
	RS_TRY(make_row(w->box->size[w->column_axis], &arena, &row, err));
	double *slice RS_CLEANUP(rs_free_pointer) = rs_mul_size(rows, columns, &voxels)
	                                                    ? rs_allocate_array(voxels, sizeof *slice)
	                                                    : NULL;
	if (!slice)
		return rs_error_memory(err, rows * sizeof *slice, "a slice of local binary patterns");
	copy_slice(w, w->box->first[w->axis] + index, rows, columns, slice);
	for (size_t r = 0; r < w->box->size[w->row_axis]; r++)
		filter_row(w, &row, slice, columns, r,
		           w->out + index * w->out_stride[w->axis] + r * w->out_stride[w->row_axis]);
	return RS_OK;
}

static enum rs_code check(double radius, unsigned samples, enum rs_lbp_method method, unsigned axis,
                          struct rs_error *err)
{
	if (!(radius > 0 && radius <= RADIUS_MAX))
		return rs_error_set(
			err, RS_USAGE,
			"the radius of local binary patterns is %g voxels; above 0 and at most %d", radius,
			RADIUS_MAX);
	if ((unsigned)method > RS_LBP_VAR)
		return rs_error_set(err, RS_USAGE, "there is no method %u of local binary patterns",
		                    (unsigned)method);
	unsigned most = method == RS_LBP_DEFAULT || method == RS_LBP_ROR ? CODE_SAMPLES_MAX : SAMPLES_MAX;
	if (samples == 0 || samples > most)
		return rs_error_set(
			err, RS_USAGE,
			"%u samples a pattern; this method of local binary patterns takes 1 to %u", samples,
			most);
	if (axis > 2)
		return rs_error_set(err, RS_USAGE, "axis %u; slices lie across axis 0 (x), 1 (y) or 2 (z)",
		                    axis);
	return RS_OK;
}

static double five_decimals(double x) { return rint(x * 1e5) / 1e5; }

enum rs_code rs_filter_lbp_2d(const struct rs_volume *volume, const struct rs_box *box, double radius,
                              unsigned samples, enum rs_lbp_method method, unsigned axis,
                              struct rs_pool *pool, double *out, struct rs_error *err)
{
	RS_TRY(rs_box_check(box, &volume->geometry, err));
	RS_TRY(check(radius, samples, method, axis, err));
	struct work w = {.volume = volume, .box = box, .method = method, .samples = samples, .axis = axis};
	w.row_axis = axis == 1 ? 2 : 1; /* numpy's swapaxes(0, dimension) */
	w.column_axis = axis == 0 ? 2 : 0;
	w.margin = (size_t)ceil(radius) + 2;
	size_t stride = 1, out_stride = 1;
	for (unsigned a = 0; a < 3; a++) {
		w.stride[a] = stride;
		w.out_stride[a] = out_stride;
		stride *= volume->geometry.size[a];
		out_stride *= box->size[a];
	}
	for (unsigned i = 0; i < samples; i++) {
		double angle = 2 * M_PI * i / samples;
		w.down[i] = five_decimals(-radius * sin(angle));
		w.right[i] = five_decimals(radius * cos(angle));
	}
	/* a slice may lack memory when others are done: the caller's block stays as it is until all are */
	size_t voxels = rs_box_voxels(box);
	w.out = rs_allocate_array(voxels, sizeof *out);
	double *done RS_CLEANUP(rs_free_pointer) = w.out;
	if (!done)
		return rs_error_memory(err, voxels * sizeof *out, "local binary patterns");
	RS_TRY(rs_pool_for(pool, box->size[axis], filter_slice, &w, err));
	memcpy(out, done, voxels * sizeof *out);
	return RS_OK;
}
