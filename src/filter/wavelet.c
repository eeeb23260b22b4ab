/* Undecimated wavelet bands as PyRadiomics makes them: PyWavelets' stationary transform of level 1, along x, then y,
 * then z, repeated on the approximation without dilating the filter; odd sides take their first voxel once more at
 * the end, then the volume is periodic. Only what the box needs is computed, in strips of rows through all slices;
 * the passes along x and y are shared by the bands.
 *
 * out[p] = sum over t of h[t] * in[(p + taps / 2 - t) mod n], summed from t = 0 up; where p + taps / 2 >= n,
 * PyWavelets sums the wrapped taps first, from the last of them down. That order is kept, so bits agree. */
#include <math.h>
#include <string.h>

#include "filter/filter.h"

#define STRIP_ROWS \
	16 /* fixed, so that the work does not depend on the pool; the scratch stays near the caches */

/* Voxels (start + e) mod period of the padded volume, e < length, along one axis. */
struct window {
	size_t start, length, period;
};

/* One axis of one pass. */
struct axis {
	struct window in, out;
	size_t taps;
	const double *filters[2]; /* low, high (NULL on an axis that is left alone) */
	size_t *source;           /* element of `in` -> index in the source block; twice over, for strips */
};

struct pass {
	struct axis axes[3];
	const double *source; /* [z][y][x] */
	size_t source_row, source_slice;
	bool single;     /* float32 arithmetic */
	double *outs[8]; /* bit a: high along axis a */
};

static const double identity_tap[] = {1.0};

/* out[x] = sum over t of taps[t] * rows[t][x], in this order; eight at a time in names of their own, which compilers
 * keep in registers (an array of sums went to memory and back: half the speed). */
static void sum_rows_f64(const double *taps, const double *const *rows, size_t count, size_t width,
                         double *out)
{
	size_t x = 0;
	for (; x + 8 <= width; x += 8) {
		double a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
		for (size_t t = 0; t < count; t++) {
			const double *row = rows[t] + x, tap = taps[t];
			a += tap * row[0], b += tap * row[1], c += tap * row[2], d += tap * row[3];
			e += tap * row[4], f += tap * row[5], g += tap * row[6], h += tap * row[7];
		}
		out[x] = a, out[x + 1] = b, out[x + 2] = c, out[x + 3] = d;
		out[x + 4] = e, out[x + 5] = f, out[x + 6] = g, out[x + 7] = h;
	}
	for (; x < width; x++) {
		double sum = 0;
		for (size_t t = 0; t < count; t++)
			sum += taps[t] * rows[t][x];
		out[x] = sum;
	}
}

/* The same in float32: every block of voxels holds such numbers, so that reading them back loses nothing. */
static void sum_rows_f32(const double *taps, const double *const *rows, size_t count, size_t width,
                         double *out)
{
	size_t x = 0;
	for (; x + 4 <= width; x += 4) {
		float a = 0, b = 0, c = 0, d = 0;
		for (size_t t = 0; t < count; t++) {
			const double *row = rows[t] + x;
			float tap = (float)taps[t];
			a += tap * (float)row[0], b += tap * (float)row[1];
			c += tap * (float)row[2], d += tap * (float)row[3];
		}
		out[x] = (double)a, out[x + 1] = (double)b, out[x + 2] = (double)c, out[x + 3] = (double)d;
	}
	for (; x < width; x++) {
		float sum = 0;
		for (size_t t = 0; t < count; t++)
			sum += (float)taps[t] * (float)rows[t][x];
		out[x] = (double)sum;
	}
}

static void sum_rows(bool single, const double *taps, const double *const *rows, size_t count, size_t width,
                     double *out)
{
	(single ? sum_rows_f32 : sum_rows_f64)(taps, rows, count, width, out);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* What the outputs of `out` are summed from: taps - 1 voxels more, or the whole period. Output element e with tap t
 * reads input element reach(axis, e, t). */
static struct window input_of(const struct window *out, size_t taps)
{
	size_t back = (taps - 1 - taps / 2) % out->period;
	return (struct window){(out->start + out->period - back) % out->period,
	                       smaller(out->length + taps - 1, out->period), out->period};
}

static size_t reach(const struct axis *axis, size_t element, size_t tap)
{
	size_t at = element + axis->taps - 1 - tap;
	while (at >= axis->in.length)
		at -= axis->in.length;
	return at;
}

/* How many taps of this output element wrap round the end of the volume. */
static size_t wrapped_taps(const struct axis *axis, size_t element)
{
	const struct window *out = &axis->out;
	size_t at = out->start + element;
	at = (at >= out->period ? at - out->period : at) + axis->taps / 2;
	return at >= out->period ? at - out->period + 1 : 0;
}

/* One strip of output rows, and its scratch. */
struct strip {
	const struct pass *pass;
	struct axis y;      /* of these rows only; y.source leads to rows of the block */
	double *line;       /* a source row with what it needs on both sides */
	double *along_x[2]; /* [input row][x], of one slice */
	double *along_y[4]; /* [input slice][row][x] */
};

static bool wanted(const struct pass *pass, size_t mask, size_t bits)
{
	for (size_t band = 0; band < 8; band++)
		if ((band & mask) == bits && pass->outs[band])
			return true;
	return false;
}

/* One output element of an axis, `width` voxels at once: input elements are `stride` voxels apart. */
static void filter_element(const struct pass *pass, const struct axis *axis, size_t element, bool high,
                           const double *input, size_t stride, size_t width, double *out)
{
	double taps[RS_WAVELET_TAPS_MAX];
	const double *rows[RS_WAVELET_TAPS_MAX];
	size_t wrapped = wrapped_taps(axis, element);
	for (size_t i = 0; i < axis->taps; i++) {
		size_t tap = i < wrapped ? wrapped - 1 - i : i;
		taps[i] = axis->filters[high][tap];
		rows[i] = input + reach(axis, element, tap) * stride;
	}
	sum_rows(pass->single, taps, rows, axis->taps, width, out);
}

static void filter_along_x(const struct strip *strip, const double *row, size_t y)
{
	const struct axis *x = &strip->pass->axes[0];
	size_t width = x->out.length;
	const double *rows[RS_WAVELET_TAPS_MAX];
	for (size_t i = 0, at = 0; i < width + x->taps - 1; i++) {
		strip->line[i] = row[x->source[at]];
		at = at + 1 < x->in.length ? at + 1 : 0;
	}
	for (size_t t = 0; t < x->taps; t++)
		rows[t] = strip->line + (x->taps - 1 - t);
	for (size_t high = 0; high < 2; high++) {
		if (!strip->along_x[high])
			continue;
		double *out = strip->along_x[high] + y * width;
		sum_rows(strip->pass->single, x->filters[high], rows, x->taps, width, out);
		for (size_t e = 0; e < width; e++) /* once more where the order is another */
			if (wrapped_taps(x, e))
				filter_element(strip->pass, x, e, high, strip->line, 1, 1, out + e);
	}
}

/* One input slice: along x, then along y. */
static void filter_slice(const struct strip *strip, size_t slice)
{
	const struct pass *pass = strip->pass;
	const struct axis *y = &strip->y;
	size_t width = pass->axes[0].out.length, rows = y->out.length;
	const double *source = pass->source + pass->axes[2].source[slice] * pass->source_slice;
	for (size_t e = 0; e < y->in.length; e++)
		filter_along_x(strip, source + y->source[e] * pass->source_row, e);
	for (size_t band = 0; band < 4; band++)
		for (size_t e = 0; e < rows && strip->along_y[band]; e++)
			filter_element(pass, y, e, band >> 1, strip->along_x[band & 1], width, width,
			               strip->along_y[band] + (slice * rows + e) * width);
}

static enum rs_code take(size_t count, size_t width, size_t depth, double **out, struct rs_error *err)
{
	size_t voxels = 0, size = 0;
	bool fits = rs_mul_size(count, width, &voxels) && rs_mul_size(voxels, depth, &voxels) &&
	            rs_mul_size(voxels, sizeof **out, &size);
	*out = fits ? rs_allocate_aligned(size) : NULL;
	return *out ? RS_OK : rs_error_memory(err, size, "a wavelet transform");
}

static void strip_finish(struct strip *strip)
{
	rs_free(strip->line);
	for (size_t i = 0; i < 2; i++)
		rs_free(strip->along_x[i]);
	for (size_t i = 0; i < 4; i++)
		rs_free(strip->along_y[i]);
}

static enum rs_code strip_prepare(struct strip *strip, struct rs_error *err)
{
	const struct pass *pass = strip->pass;
	const struct axis *x = &pass->axes[0];
	size_t width = x->out.length, rows = strip->y.out.length;
	RS_TRY(take(width + x->taps - 1, 1, 1, &strip->line, err));
	for (size_t i = 0; i < 2; i++)
		if (wanted(pass, 1, i))
			RS_TRY(take(strip->y.in.length, width, 1, &strip->along_x[i], err));
	for (size_t i = 0; i < 4; i++)
		if (wanted(pass, 3, i))
			RS_TRY(take(pass->axes[2].in.length, rows, width, &strip->along_y[i], err));
	return RS_OK;
}

/* Output rows first … of the pass, through all slices. */
static void strip_narrow(struct strip *strip, size_t first)
{
	const struct axis *whole = &strip->pass->axes[1];
	struct axis *y = &strip->y;
	*y = *whole;
	y->out.start = (whole->out.start + first) % whole->out.period;
	y->out.length = smaller(STRIP_ROWS, whole->out.length - first);
	y->in = input_of(&y->out, y->taps);
	size_t skipped = (y->in.start + y->in.period - whole->in.start) % y->in.period;
	y->source += skipped;
}

static enum rs_code filter_strip(void *context, size_t index, struct rs_error *err)
{
	const struct pass *pass = context;
	struct strip strip RS_CLEANUP(strip_finish) = {.pass = pass};
	const struct axis *z = &pass->axes[2];
	size_t first = index * STRIP_ROWS, width = pass->axes[0].out.length;
	strip_narrow(&strip, first);
	RS_TRY(strip_prepare(&strip, err));
	for (size_t slice = 0; slice < z->in.length; slice++)
		filter_slice(&strip, slice);
	size_t voxels = strip.y.out.length * width;
	for (size_t band = 0; band < 8; band++)
		for (size_t e = 0; e < z->out.length && pass->outs[band]; e++)
			filter_element(pass, z, e, band >> 2, strip.along_y[band & 3], voxels, voxels,
			               pass->outs[band] + (e * pass->axes[1].out.length + first) * width);
	return RS_OK;
}

/* The windows that level after level needs, from the last level's output (windows[level]) back to the input. */
static void plan_windows(const struct rs_box *box, const struct rs_geometry *geometry, unsigned axes,
                         size_t taps, unsigned level, struct window windows[RS_WAVELET_LEVELS_MAX + 1][3])
{
	for (int a = 0; a < 3; a++) {
		size_t period = geometry->size[a] + geometry->size[a] % 2;
		windows[level][a] = (struct window){box->first[a], box->size[a], period};
		for (unsigned i = level; i > 0; i--)
			windows[i - 1][a] = input_of(&windows[i][a], axes >> a & 1 ? taps : 1);
	}
}

/* Element -> index in the volume (`sides`, whose padding is the first voxel) or in the block of the level before. */
static enum rs_code plan_axis(const struct rs_wavelet *wavelet, bool filtered, const struct window *in,
                              const struct window *out, size_t side, struct axis *axis, struct rs_error *err)
{
	*axis = (struct axis){.in = *in, .out = *out, .taps = 1, .filters = {identity_tap, NULL}};
	if (filtered) {
		axis->taps = wavelet->taps;
		axis->filters[0] = wavelet->low;
		axis->filters[1] = wavelet->high;
	}
	axis->source = rs_allocate_array(in->length, 2 * sizeof *axis->source);
	if (!axis->source)
		return rs_error_memory(err, 2 * in->length * sizeof *axis->source, "a wavelet transform");
	for (size_t e = 0; e < 2 * in->length; e++) {
		size_t element = e % in->length, position = (in->start + element) % in->period;
		axis->source[e] = side == 0 ? element : position == side ? 0 : position;
	}
	return RS_OK;
}

static void pass_finish(struct pass *pass)
{
	for (int a = 0; a < 3; a++)
		rs_free(pass->axes[a].source);
}

struct block {
	double *voxels;
};
static void block_finish(struct block *block) { rs_free(block->voxels); }

/* Runs one level from `source`, whose sides are `sides` (NULL: those of the input windows, without padding). */
static enum rs_code run_pass(const struct rs_wavelet *wavelet, unsigned axes, const struct window *in,
                             const struct window *out, struct pass *pass, const size_t *sides,
                             struct rs_pool *pool, struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		RS_TRY(plan_axis(wavelet, axes >> a & 1, &in[a], &out[a], sides ? sides[a] : 0,
		                 &pass->axes[a], err));
	pass->source_row = sides ? sides[0] : in[0].length;
	pass->source_slice = pass->source_row * (sides ? sides[1] : in[1].length);
	return rs_pool_for(pool, (out[1].length + STRIP_ROWS - 1) / STRIP_ROWS, filter_strip, pass, err);
}

static enum rs_code check_wavelet(const struct rs_wavelet *wavelet, unsigned level, unsigned axes,
                                  struct rs_error *err)
{
	if (wavelet->taps < 2 || wavelet->taps > RS_WAVELET_TAPS_MAX || wavelet->taps % 2)
		return rs_error_set(err, RS_USAGE, "a wavelet of %zu taps: an even number up to %d is needed",
		                    wavelet->taps, RS_WAVELET_TAPS_MAX);
	if (level < 1 || level > RS_WAVELET_LEVELS_MAX)
		return rs_error_set(err, RS_USAGE, "wavelet level %u is not one of 1 to %d", level,
		                    RS_WAVELET_LEVELS_MAX);
	if (axes < 1 || axes > 7)
		return rs_error_set(err, RS_USAGE,
		                    "a wavelet transform along no axis, or along more than three");
	return RS_OK;
}

/* PyWavelets keeps coiflets divided by the root of 2 and multiplies that on again, in float32 for float32. */
static struct rs_wavelet round_taps(const struct rs_wavelet *wavelet)
{
	struct rs_wavelet out = *wavelet;
	const double root = sqrt(2.0);
	bool coiflet = strncmp(wavelet->name, "coif", 4) == 0;
	for (size_t t = 0; t < wavelet->taps; t++) {
		double low = wavelet->low[t], high = wavelet->high[t];
		out.low[t] = (double)(coiflet ? (float)(low / root) * (float)root : (float)low);
		out.high[t] = (double)(coiflet ? (float)(high / root) * (float)root : (float)high);
	}
	return out;
}

enum rs_code rs_filter_wavelet(const struct rs_volume *volume, const struct rs_box *box,
                               const struct rs_wavelet *wavelet, unsigned level, unsigned axes,
                               struct rs_pool *pool, double *const *outs, struct rs_error *err)
{
	RS_TRY(check_wavelet(wavelet, level, axes, err));
	RS_TRY(rs_box_check(box, &volume->geometry, err));
	bool single = volume->stored == RS_VOXEL_F32;
	struct rs_wavelet filters = single ? round_taps(wavelet) : *wavelet;
	struct window windows[RS_WAVELET_LEVELS_MAX + 1][3];
	plan_windows(box, &volume->geometry, axes, wavelet->taps, level, windows);
	struct block before RS_CLEANUP(block_finish) = {NULL};
	for (unsigned i = 1; i <= level; i++) {
		struct pass pass RS_CLEANUP(pass_finish) = {.single = single};
		const struct window *in = windows[i - 1], *out = windows[i];
		pass.source = i == 1 ? volume->voxels : before.voxels;
		struct block next RS_CLEANUP(block_finish) = {NULL};
		if (i < level) {
			RS_TRY(take(out[0].length, out[1].length, out[2].length, &next.voxels, err));
			pass.outs[0] = next.voxels;
		} else {
			for (size_t band = 0, given = 0; band < 8; band++)
				if ((band & ~axes) == 0)
					pass.outs[band] = outs[given++];
		}
		RS_TRY(run_pass(&filters, axes, in, out, &pass, i == 1 ? volume->geometry.size : NULL, pool,
		                err));
		block_finish(&before);
		before = next;
		next.voxels = NULL;
	}
	return RS_OK;
}
