/* Convolutions and their adjoints, in 2 and 3 dimensions. Both join a large grid with a small one: the small side's value
 * at s is a weighted sum of the large side's at s · stride - padding + k. A convolution goes from large to small, a
 * transposed one from small to large; the way back of each is the other. Weights lie by channel of the small side, channel
 * of the large side, k.
 *
 * Tiles of positions are gathered into matrices, and multiplied. Tiles are cut by the shapes alone, so that sums over them
 * are the same for any number of threads. */
#include <string.h>

#include "direct.h"
#include "kernel.h"
#include "pass.h"

#define TILE_VALUES ((size_t)1 << 16) /* of a gathered matrix: stays in the second cache */
#define TILE_STEP 16
#define ROWS_MAX ((size_t)1 << 20) /* of a gathered matrix: channels x taps */

struct pair {
	const struct rs_layer *layer;
	const struct rs_shape *small, *large;
	size_t taps; /* of the kernel */
	size_t small_positions, large_positions;
};

static struct pair pair_of(const struct stage *stage)
{
	const bool grows = stage->layer->kind == RS_LAYER_TRANSPOSED;
	struct pair pair = {
		stage->layer, grows ? stage->in : stage->out, grows ? stage->out : stage->in, 1, 0, 0};
	for (int a = 0; a < 3; a++)
		pair.taps *= stage->layer->kernel[a];
	pair.small_positions = rs_shape_positions(pair.small);
	pair.large_positions = rs_shape_positions(pair.large);
	return pair;
}

/* A tile is a range of columns: positions of all samples, one sample after the other. */
static size_t tile_size(size_t rows)
{
	const size_t size = TILE_VALUES / rows / TILE_STEP * TILE_STEP;
	return size ? size : TILE_STEP;
}

static size_t tile_count(size_t rows, size_t columns)
{
	return (columns + tile_size(rows) - 1) / tile_size(rows);
}

/* Where the other side's grid is met: of position p of one axis by tap k, or -1 outside of it. */
static int64_t met(const struct pair *pair, bool from_large, int axis, uint32_t p, uint32_t k)
{
	const int64_t stride = pair->layer->stride[axis], padding = pair->layer->padding[axis];
	if (from_large) {
		const int64_t at = p * stride - padding + k;
		return at >= 0 && at < pair->large->size[axis] ? at : -1;
	}
	const int64_t above = (int64_t)p + padding - k;
	return above >= 0 && above % stride == 0 && above / stride < pair->small->size[axis] ? above / stride
	                                                                                     : -1;
}

/* One row of positions [first, first + count) along the width as tap k sees them. */
static void gather_run(const struct pair *pair, bool from_large, const float *row, uint32_t first,
                       uint32_t count, uint32_t k, float *out)
{
	if (pair->layer->stride[2] == 1) {
		const int64_t width = from_large ? pair->large->size[2] : pair->small->size[2];
		const int64_t shift = from_large ? (int64_t)k - pair->layer->padding[2]
		                                 : (int64_t)pair->layer->padding[2] - k;
		int64_t at = first + shift, left = count;
		for (; left > 0 && at < 0; at++, left--)
			*out++ = 0;
		const int64_t inside = at >= width ? 0 : width - at < left ? width - at : left;
		if (inside > 0)
			memcpy(out, row + at, (size_t)inside * sizeof *out);
		for (int64_t i = inside > 0 ? inside : 0; i < left; i++)
			out[i] = 0;
		return;
	}
	const bool inside = from_large && met(pair, true, 2, first, k) >= 0 &&
	                    met(pair, true, 2, first + count - 1, k) >= 0;
	if (inside) {
		const float *in = row + met(pair, true, 2, first, k);
		for (size_t i = 0, step = pair->layer->stride[2]; i < count; i++)
			out[i] = in[i * step];
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const int64_t at = met(pair, from_large, 2, first + i, k);
		out[i] = at < 0 ? 0 : row[at];
	}
}

/* Taps of all channels for a run of positions: rows of `out` are `pitch` apart. */
static void gather_taps(const struct pair *pair, bool from_large, const float *source, const uint32_t at[3],
                        uint32_t count, size_t pitch, float *out)
{
	const struct rs_shape *side = from_large ? pair->large : pair->small;
	const size_t positions = from_large ? pair->large_positions : pair->small_positions;
	const uint32_t *kernel = pair->layer->kernel;
	size_t tap = 0;
	for (uint32_t kz = 0; kz < kernel[0]; kz++)
		for (uint32_t ky = 0; ky < kernel[1]; ky++, tap += kernel[2]) {
			const int64_t z = met(pair, from_large, 0, at[0], kz),
				      y = met(pair, from_large, 1, at[1], ky);
			for (size_t c = 0; c < side->channels; c++) {
				float *row = out + (c * pair->taps + tap) * pitch;
				const float *from = source + c * positions;
				for (uint32_t kx = 0; kx < kernel[2]; kx++, row += pitch)
					if (z < 0 || y < 0)
						memset(row, 0, count * sizeof *row);
					else
						gather_run(pair, from_large,
						           from + ((size_t)z * side->size[1] + (size_t)y) *
						                           side->size[2],
						           at[2], count, kx, row);
			}
		}
}

/* Where both sides have one size and nothing is strided, a tap sees its plane moved: copied at once, and set to zero where
 * the move leads out of it. */
static bool is_moved(const struct pair *pair)
{
	const uint32_t *stride = pair->layer->stride;
	return memcmp(pair->small->size, pair->large->size, sizeof pair->small->size) == 0 &&
	       stride[0] == 1 && stride[1] == 1 && stride[2] == 1;
}

static void zero_outside(const uint32_t size[3], const int64_t move[3], size_t first, size_t end, float *out)
{
	const size_t width = size[2], x_first = move[2] > 0 ? width - (size_t)move[2] : 0;
	const size_t x_count = (size_t)(move[2] < 0 ? -move[2] : move[2]);
	for (size_t row = first / width; row * width < end; row++) {
		const int64_t z = (int64_t)(row / size[1]) + move[0], y = (int64_t)(row % size[1]) + move[1];
		const bool inside = z >= 0 && z < size[0] && y >= 0 && y < size[1];
		size_t begin = row * width + (inside ? x_first : 0),
		       stop = begin + (inside ? x_count : width);
		begin = begin < first ? first : begin;
		stop = stop > end ? end : stop;
		for (size_t i = begin; i < stop; i++)
			out[i - first] = 0;
	}
}

/* Positions [first, end) of a plane as a tap sees them. */
static void gather_moved(const uint32_t size[3], const int64_t move[3], const float *plane, size_t first,
                         size_t end, float *out)
{
	const int64_t positions = (int64_t)size[0] * size[1] * size[2];
	const int64_t by = (move[0] * size[1] + move[1]) * size[2] + move[2];
	int64_t begin = (int64_t)first + by, stop = (int64_t)end + by;
	begin = begin < 0 ? 0 : begin;
	stop = stop > positions ? positions : stop;
	if (begin < stop)
		memcpy(out + (begin - by - (int64_t)first), plane + begin,
		       (size_t)(stop - begin) * sizeof *out);
	zero_outside(size, move, first, end, out);
}

static void gather_moved_taps(const struct pair *pair, bool from_large, const float *source, size_t first,
                              size_t end, size_t pitch, float *out)
{
	const struct rs_shape *side = from_large ? pair->large : pair->small;
	const uint32_t *kernel = pair->layer->kernel, *padding = pair->layer->padding;
	const size_t positions = rs_shape_positions(side);
	for (size_t c = 0; c < side->channels; c++)
		for (size_t tap = 0; tap < pair->taps; tap++, out += pitch) {
			const size_t at[3] = {tap / kernel[2] / kernel[1], tap / kernel[2] % kernel[1],
			                      tap % kernel[2]};
			int64_t move[3];
			for (int a = 0; a < 3; a++)
				move[a] = from_large ? (int64_t)at[a] - padding[a]
				                     : (int64_t)padding[a] - (int64_t)at[a];
			gather_moved(side->size, move, source + c * positions, first, end, out);
		}
}

/* Columns [first, first + count) of one side; as rows (channel, tap) of the other side, `pitch` apart. */
static void gather(const struct pair *pair, bool from_large, const float *source, size_t first, size_t count,
                   size_t pitch, float *out)
{
	const struct rs_shape *made = from_large ? pair->small : pair->large,
			      *other = from_large ? pair->large : pair->small;
	const size_t positions = rs_shape_positions(made), values = rs_shape_values(other),
		     width = made->size[2];
	const bool moved = is_moved(pair);
	for (size_t done = 0, run; done < count; done += run) {
		const size_t sample = (first + done) / positions, p = (first + done) % positions,
			     row = p / width;
		const uint32_t at[3] = {(uint32_t)(row / made->size[1]), (uint32_t)(row % made->size[1]),
		                        (uint32_t)(p % width)};
		const size_t left = moved ? positions - p : width - at[2];
		run = left < count - done ? left : count - done;
		if (moved)
			gather_moved_taps(pair, from_large, source + sample * values, p, p + run, pitch,
			                  out + done);
		else
			gather_taps(pair, from_large, source + sample * values, at, (uint32_t)run, pitch,
			            out + done);
	}
}

/* The next run of columns of a side's own values: where they lie, and where as rows `pitch` apart. */
struct run {
	size_t lying, row, count;
};
static bool next_run(const struct rs_shape *side, size_t first, size_t count, size_t pitch, size_t *done,
                     struct run *out)
{
	const size_t positions = rs_shape_positions(side), at = *done % count, channel = *done / count;
	const size_t sample = (first + at) / positions, p = (first + at) % positions;
	if (channel == side->channels)
		return false;
	out->count = positions - p < count - at ? positions - p : count - at;
	out->lying = (sample * side->channels + channel) * positions + p;
	out->row = channel * pitch + at;
	*done += out->count;
	return true;
}

static void take_columns(const struct rs_shape *side, const float *values, size_t first, size_t count,
                         size_t pitch, float *rows)
{
	struct run run;
	for (size_t done = 0; next_run(side, first, count, pitch, &done, &run);)
		memcpy(rows + run.row, values + run.lying, run.count * sizeof *rows);
}

static void put_columns(const struct rs_shape *side, const float *rows, size_t first, size_t count,
                        size_t pitch, float *values)
{
	struct run run;
	for (size_t done = 0; next_run(side, first, count, pitch, &done, &run);)
		memcpy(values + run.lying, rows + run.row, run.count * sizeof *rows);
}

/* One tile of the small side from the large one's, or the other way round, is added to `out`. weights: by channel of the
 * side that is made, channel of the other, k. offsets: what `out` starts with; NULL: with what it holds. */
static void tile_add(const struct pair *pair, bool from_large, size_t columns, size_t tile,
                     const float *weights, const float *source, const float *offsets, float *out,
                     float *scratch)
{
	const struct rs_shape *made = from_large ? pair->small : pair->large;
	const size_t rows = (from_large ? pair->large->channels : pair->small->channels) * pair->taps;
	const size_t pitch = tile_size(rows), first = tile * pitch,
		     count = columns - first < pitch ? columns - first : pitch;
	const size_t padded = (count + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
	float *sums = scratch + rows * pitch;
	gather(pair, from_large, source, first, count, pitch, scratch);
	if (!offsets)
		take_columns(made, out, first, count, pitch, sums);
	for (size_t c = 0; offsets && c < made->channels; c++)
		for (size_t i = 0; i < count; i++)
			sums[c * pitch + i] = offsets[c];
	product_add(&(struct product){made->channels, rows, padded, weights, rows, 1, scratch, pitch, sums,
	                              pitch, NULL});
	put_columns(made, sums, first, count, pitch, out);
}

/* Weights by channel of the large side, channel of the small side, k: in the notes. */
static const float *turn_weights(const struct stage *stage, const struct pair *pair)
{
	const size_t small = pair->small->channels, large = pair->large->channels, taps = pair->taps;
	for (size_t s = 0; s < small; s++)
		for (size_t l = 0; l < large; l++)
			memcpy(stage->notes + (l * small + s) * taps, stage->weights + (s * large + l) * taps,
			       taps * sizeof *stage->notes);
	return stage->notes;
}

/* ---- from large to small, forward or back ---- */

static void shrink_item(const struct stage *stage, size_t tile, float *scratch)
{
	const struct pair pair = pair_of(stage);
	const bool back = stage->layer->kind == RS_LAYER_TRANSPOSED;
	const float *offsets = stage->weights + pair.small->channels * pair.large->channels * pair.taps;
	tile_add(&pair, true, stage->pass->batch * pair.small_positions, tile, stage->weights,
	         back ? stage->dy : stage->x, back ? NULL : offsets, back ? stage->dx : stage->y, scratch);
}

static enum rs_code shrink(const struct stage *stage, struct rs_error *err)
{
	const struct pair pair = pair_of(stage);
	if (direct_suits(stage->layer, stage->in, stage->out))
		return direct_apply(stage, false, err);
	return stage_for(
		stage,
		tile_count(pair.large->channels * pair.taps, stage->pass->batch * pair.small_positions),
		shrink_item, err);
}

/* ---- from small to large ---- */

static void grow_item(const struct stage *stage, size_t tile, float *scratch)
{
	const struct pair pair = pair_of(stage);
	const bool back = stage->layer->kind == RS_LAYER_CONVOLUTION;
	const float *offsets = stage->weights + pair.small->channels * pair.large->channels * pair.taps;
	tile_add(&pair, false, stage->pass->batch * pair.large_positions, tile, stage->notes,
	         back ? stage->dy : stage->x, back ? NULL : offsets, back ? stage->dx : stage->y, scratch);
}

/* Where taps do not overlap, each value of the large side comes from one of the small side: those of a tile are multiplied with
 * all taps, and laid where these lie. */
static bool is_apart(const struct rs_layer *layer)
{
	bool apart = layer->kind == RS_LAYER_TRANSPOSED;
	for (int a = 0; a < 3; a++)
		apart = apart && layer->kernel[a] == layer->stride[a] && layer->padding[a] == 0;
	return apart;
}

/* Rows (channel, tap) for columns [first, first + count) of the small side. */
static void lay_apart(const struct pair *pair, const float *rows, size_t first, size_t count, size_t pitch,
                      float *out)
{
	const uint32_t *kernel = pair->layer->kernel, *small = pair->small->size, *large = pair->large->size;
	for (size_t row = 0; row < pair->large->channels * pair->taps; row++, rows += pitch) {
		const size_t channel = row / pair->taps, tap = row % pair->taps,
			     kz = tap / kernel[2] / kernel[1], ky = tap / kernel[2] % kernel[1],
			     kx = tap % kernel[2];
		for (size_t done = 0, run; done < count; done += run) {
			const size_t sample = (first + done) / pair->small_positions,
				     p = (first + done) % pair->small_positions, x = p % small[2],
				     y = p / small[2] % small[1], z = p / small[2] / small[1];
			float *to = out + (sample * pair->large->channels + channel) * pair->large_positions +
			            ((z * kernel[0] + kz) * large[1] + y * kernel[1] + ky) * large[2] +
			            x * kernel[2] + kx;
			run = small[2] - x < count - done ? small[2] - x : count - done;
			for (size_t i = 0; i < run; i++)
				to[i * kernel[2]] = rows[done + i];
		}
	}
}

static void grow_apart_item(const struct stage *stage, size_t tile, float *scratch)
{
	const struct pair pair = pair_of(stage);
	const size_t rows = pair.large->channels * pair.taps, pitch = tile_size(rows), first = tile * pitch,
		     columns = stage->pass->batch * pair.small_positions,
		     count = columns - first < pitch ? columns - first : pitch;
	const size_t padded = (count + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
	const float *offsets = stage->weights + pair.small->channels * rows;
	float *small = scratch + rows * pitch;
	take_columns(pair.small, stage->x, first, count, pitch, small);
	for (size_t row = 0; row < rows; row++)
		for (size_t i = 0; i < padded; i++)
			scratch[row * pitch + i] = offsets[row / pair.taps];
	product_add(&(struct product){rows, pair.small->channels, padded, stage->weights, 1, rows, small,
	                              pitch, scratch, pitch, NULL});
	lay_apart(&pair, scratch, first, count, pitch, stage->y);
}

static enum rs_code grow(const struct stage *stage, struct rs_error *err)
{
	const struct pair pair = pair_of(stage);
	if (is_apart(stage->layer))
		return stage_for(stage,
		                 tile_count(pair.large->channels * pair.taps,
		                            stage->pass->batch * pair.small_positions),
		                 grow_apart_item, err);
	if (direct_suits(stage->layer, stage->in, stage->out))
		return direct_apply(stage, true, err);
	turn_weights(stage, &pair);
	return stage_for(
		stage,
		tile_count(pair.small->channels * pair.taps, stage->pass->batch * pair.large_positions),
		grow_item, err);
}

/* ---- slopes of weights: the small side's values, or slopes, times the gathered large side ---- */

static void gradient_item(const struct stage *stage, size_t item, float *scratch)
{
	const struct pair pair = pair_of(stage);
	const bool grows = stage->layer->kind == RS_LAYER_TRANSPOSED;
	const size_t channels = pair.small->channels, rows = pair.large->channels * pair.taps,
		     pitch = tile_size(rows);
	const size_t columns = stage->pass->batch * pair.small_positions, tiles = tile_count(rows, columns);
	float *sum = stage->notes + (item + 1) * channels * rows, *small = scratch + rows * pitch;
	memset(sum, 0, channels * rows * sizeof *sum);
	for (size_t tile = tiles * item / GROUPS_OF_SUMS; tile < tiles * (item + 1) / GROUPS_OF_SUMS;
	     tile++) {
		const size_t first = tile * pitch, count = columns - first < pitch ? columns - first : pitch;
		gather(&pair, true, grows ? stage->dy : stage->x, first, count, pitch, scratch);
		take_columns(pair.small, grows ? stage->x : stage->dy, first, count, pitch, small);
		product_add_transposed(&(struct product){channels, count, rows, small, pitch, 1, scratch,
		                                         pitch, sum, rows, NULL});
	}
}

static void offset_item(const struct stage *stage, size_t channel, float *scratch)
{
	const size_t positions = rs_shape_positions(stage->out);
	double sum = 0;
	(void)scratch;
	for (size_t n = 0; n < stage->pass->batch; n++)
		sum += (double)sum_of(stage->dy + (n * stage->out->channels + channel) * positions,
		                      positions);
	stage->gradient[stage->in->channels * pair_of(stage).taps * stage->out->channels + channel] = (float)
		sum;
}

static enum rs_code gradient(const struct stage *stage, struct rs_error *err)
{
	const struct pair pair = pair_of(stage);
	const size_t count = pair.small->channels * pair.large->channels * pair.taps;
	RS_TRY(direct_suits(stage->layer, stage->in, stage->out)
	               ? direct_gradient(stage, err)
	               : stage_for(stage, GROUPS_OF_SUMS, gradient_item, err));
	for (size_t g = 1; g <= GROUPS_OF_SUMS; g++)
		for (size_t i = 0; i < count; i++)
			stage->gradient[i] += stage->notes[g * count + i];
	return stage_for(stage, stage->out->channels, offset_item, err);
}

static enum rs_code back_to_large(const struct stage *stage, struct rs_error *err)
{
	RS_TRY(gradient(stage, err));
	return stage->dx ? grow(stage, err) : RS_OK;
}

static enum rs_code back_to_small(const struct stage *stage, struct rs_error *err)
{
	RS_TRY(gradient(stage, err));
	return stage->dx ? shrink(stage, err) : RS_OK;
}

/* ---- shapes and sizes ---- */

static enum rs_code shape(const struct rs_layer *layer, const struct rs_shape *in,
                          const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	size_t taps = 1;
	(void)also;
	out->channels = layer->channels;
	for (int a = 0; a < 3; a++) {
		const int64_t kernel = layer->kernel[a], stride = layer->stride[a],
			      padding = layer->padding[a];
		if (kernel < 1 || stride < 1 || padding >= kernel)
			return rs_error_set(
				err, RS_USAGE,
				"a kernel and a stride are at least 1, a padding below the kernel");
		const bool grows = layer->kind == RS_LAYER_TRANSPOSED;
		const int64_t room = in->size[a] + 2 * padding - kernel;
		const int64_t size = grows ? (in->size[a] - (int64_t)1) * stride + kernel - 2 * padding
		                           : room / stride + 1;
		if (size < 1 || size > UINT32_MAX || (!grows && room < 0))
			return rs_error_set(err, RS_USAGE, "the kernel is larger than what it is laid on");
		out->size[a] = (uint32_t)size;
		taps *= (size_t)kernel;
		if (taps * in->channels > ROWS_MAX || taps * out->channels > ROWS_MAX)
			return rs_error_set(err, RS_USAGE,
			                    "a kernel and its channels have at most %zu weights", ROWS_MAX);
	}
	return RS_OK;
}

static void sizes(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out,
                  bool training, struct layer_sizes *sizes)
{
	const bool grows = layer->kind == RS_LAYER_TRANSPOSED;
	const struct rs_shape *small = grows ? in : out, *large = grows ? out : in;
	const size_t taps = (size_t)layer->kernel[0] * layer->kernel[1] * layer->kernel[2];
	const size_t rows[2] = {large->channels * taps, small->channels * taps};
	const size_t shrinking = (rows[0] + small->channels) * tile_size(rows[0]);
	const size_t growing = (rows[1] + large->channels) * tile_size(rows[1]);
	sizes->weights = in->channels * taps * out->channels;
	sizes->fan = in->channels * taps;
	sizes->offsets = out->channels;
	const bool direct = direct_suits(layer, in, out);
	sizes->scratch = direct ? direct_scratch(layer, in, out) : shrinking > growing ? shrinking : growing;
	sizes->notes = sizes->weights * (training ? GROUPS_OF_SUMS + 1 : grows || direct ? 1 : 0);
}

const struct layer_kind layer_convolution = {"convolution", shape, sizes, shrink, back_to_large};
const struct layer_kind layer_transposed = {"transposed convolution", shape, sizes, grow, back_to_small};
