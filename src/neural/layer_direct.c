/* Convolutions that leave the size as it is: see direct.h. Blocks are cut by the shapes alone, so that sums over them are the
 * same for any number of threads. */
#include <string.h>

#include "direct.h"
#include "kernel.h"

#define BLOCK_VALUES ((size_t)1 << 17) /* of a source's block: stays in the second cache */
#define BLOCK_MOST ((size_t)1 << 20)
#define STEP 32 /* columns of a product: the widest way goes without rest */

/* Some rows of a plane of the side that is made, and what they are made of. Rows are as wide as those of the block: what lies
 * between them is computed, too, and thrown away. */
struct block {
	const struct rs_layer *layer;
	const struct rs_shape *from, *to;
	bool back;              /* taps see the other way */
	size_t rows;            /* that are made, at most */
	size_t pitch, plane;    /* of the block */
	size_t values, columns; /* of the block, of what is made */
	size_t taps, per_plane; /* of the kernel; blocks of a plane */
	/* of this one: */
	size_t sample, z, y, height;
};

static struct block block_of(const struct rs_layer *layer, const struct rs_shape *from,
                             const struct rs_shape *to, bool back)
{
	const uint32_t *kernel = layer->kernel;
	struct block block = {.layer = layer, .from = from, .to = to, .back = back};
	block.pitch = (size_t)from->size[2] + kernel[2] - 1;
	const size_t of_row = from->channels * kernel[0] * block.pitch, room = BLOCK_VALUES / of_row;
	block.rows = room > kernel[1] ? room - kernel[1] + 1 : 1;
	block.rows = block.rows < to->size[1] ? block.rows : to->size[1];
	block.plane = (block.rows + kernel[1] - 1) * block.pitch;
	block.columns = (block.rows * block.pitch + STEP - 1) / STEP * STEP;
	block.values = from->channels * kernel[0] * block.plane + STEP + kernel[2];
	block.taps = (size_t)kernel[0] * kernel[1] * kernel[2];
	block.per_plane = (to->size[1] + block.rows - 1) / block.rows;
	return block;
}

bool direct_suits(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out)
{
	size_t taps = 1;
	for (int a = 0; a < 3; a++) {
		if (layer->stride[a] != 1 || layer->kernel[a] != 2 * layer->padding[a] + 1)
			return false;
		taps *= layer->kernel[a];
	}
	return layer->kind == RS_LAYER_CONVOLUTION && taps > 1 &&
	       block_of(layer, in, out, false).values <= BLOCK_MOST &&
	       block_of(layer, out, in, true).values <= BLOCK_MOST;
}

/* Where each channel and tap begins in a block, as sizes among the floats of the scratch. */
static size_t list_values(const struct block *block)
{
	return block->from->channels * block->taps * (sizeof(size_t) / sizeof(float));
}

size_t direct_scratch(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out)
{
	size_t most = 0;
	for (int back = 0; back < 2; back++) {
		const struct block block = back ? block_of(layer, out, in, true)
		                                : block_of(layer, in, out, false);
		const size_t channels = in->channels > out->channels ? in->channels : out->channels;
		const size_t size = list_values(&block) + block.values + channels * block.columns;
		most = size > most ? size : most;
	}
	return most;
}

static size_t block_count(const struct block *block, size_t batch)
{
	return batch * block->to->size[0] * block->per_plane;
}

static void block_go(struct block *block, size_t index)
{
	const size_t of_sample = block->to->size[0] * block->per_plane;
	block->sample = index / of_sample;
	block->z = index % of_sample / block->per_plane;
	block->y = index % block->per_plane * block->rows;
	block->height = block->to->size[1] - block->y < block->rows ? block->to->size[1] - block->y
	                                                            : block->rows;
}

static void list_fill(const struct block *block, size_t *at)
{
	const uint32_t *kernel = block->layer->kernel;
	for (size_t c = 0; c < block->from->channels; c++)
		for (size_t tap = 0; tap < block->taps; tap++) {
			const size_t seen = block->back ? block->taps - 1 - tap : tap;
			const size_t z = seen / kernel[2] / kernel[1], y = seen / kernel[2] % kernel[1];
			*at++ = (c * kernel[0] + z) * block->plane + y * block->pitch + seen % kernel[2];
		}
}

/* The block of `source` (all samples), with zeros about the volume. */
static void block_copy(const struct block *block, const float *source, float *out)
{
	const uint32_t *kernel = block->layer->kernel, *padding = block->layer->padding,
		       *size = block->from->size;
	const size_t rows = block->plane / block->pitch, width = size[2];
	const float *sample = source + block->sample * rs_shape_values(block->from);
	for (size_t c = 0; c < block->from->channels; c++)
		for (size_t dz = 0; dz < kernel[0]; dz++)
			for (size_t row = 0; row < rows; row++, out += block->pitch) {
				const size_t z = block->z + dz, y = block->y + row;
				if (z < padding[0] || z - padding[0] >= size[0] || y < padding[1] ||
				    y - padding[1] >= size[1]) {
					memset(out, 0, block->pitch * sizeof *out);
					continue;
				}
				memset(out, 0, padding[2] * sizeof *out);
				memcpy(out + padding[2],
				       sample + ((c * size[0] + z - padding[0]) * size[1] + y - padding[1]) *
				                        width,
				       width * sizeof *out);
				memset(out + padding[2] + width, 0, padding[2] * sizeof *out);
			}
	memset(out, 0, (STEP + kernel[2]) * sizeof *out);
}

/* A channel's row in what is made. */
static size_t made_at(const struct block *block, size_t channel, size_t row)
{
	const struct rs_shape *to = block->to;
	return (((block->sample * to->channels + channel) * to->size[0] + block->z) * to->size[1] + block->y +
	        row) *
	       to->size[2];
}

/* Weights by channel and tap of what is seen, then by channel of what is made: a product's column lies side by side. In the
 * notes. */
static void pack_weights(const struct stage *stage, const struct block *block)
{
	const size_t taps = block->taps, in = stage->in->channels, out = stage->out->channels;
	for (size_t o = 0; o < out; o++)
		for (size_t i = 0; i < in; i++)
			for (size_t tap = 0; tap < taps; tap++)
				stage->notes[block->back ? (o * taps + tap) * in + i
				                         : (i * taps + tap) * out + o] =
					stage->weights[(o * in + i) * taps + tap];
}

struct applied {
	struct block block;
	const float *weights, *source, *offsets; /* offsets: NULL: added to what is there */
	float *made;
};

static struct applied applied_of(const struct stage *stage, bool back)
{
	const float *offsets = stage->weights + (size_t)stage->in->channels * stage->out->channels *
	                                                stage->layer->kernel[0] * stage->layer->kernel[1] *
	                                                stage->layer->kernel[2];
	return back ? (struct applied){block_of(stage->layer, stage->out, stage->in, true), stage->notes,
	                               stage->dy, NULL, stage->dx}
	            : (struct applied){block_of(stage->layer, stage->in, stage->out, false), stage->notes,
	                               stage->x, offsets, stage->y};
}

static void apply_block(struct applied *applied, size_t index, float *scratch)
{
	struct block *block = &applied->block;
	size_t *at = (size_t *)(void *)scratch;
	float *copy = scratch + list_values(block), *sums = copy + block->values;
	const size_t inner = block->from->channels * block->taps, width = block->to->size[2],
		     channels = block->to->channels;
	block_go(block, index);
	list_fill(block, at);
	block_copy(block, applied->source, copy);
	const size_t columns = (block->height * block->pitch + STEP - 1) / STEP * STEP;
	for (size_t c = 0; c < channels; c++) {
		for (size_t i = 0; applied->offsets && i < columns; i++)
			sums[c * columns + i] = applied->offsets[c];
		for (size_t row = 0; !applied->offsets && row < block->height; row++)
			memcpy(sums + c * columns + row * block->pitch,
			       applied->made + made_at(block, c, row), width * sizeof *sums);
	}
	product_add(&(struct product){channels, inner, columns, applied->weights, 1, channels, copy, 0, sums,
	                              columns, at});
	for (size_t c = 0; c < channels; c++)
		for (size_t row = 0; row < block->height; row++)
			memcpy(applied->made + made_at(block, c, row),
			       sums + c * columns + row * block->pitch, width * sizeof *sums);
}

static void forward_item(const struct stage *stage, size_t index, float *scratch)
{
	struct applied applied = applied_of(stage, false);
	apply_block(&applied, index, scratch);
}

static void back_item(const struct stage *stage, size_t index, float *scratch)
{
	struct applied applied = applied_of(stage, true);
	apply_block(&applied, index, scratch);
}

enum rs_code direct_apply(const struct stage *stage, bool back, struct rs_error *err)
{
	const struct applied applied = applied_of(stage, back);
	pack_weights(stage, &applied.block);
	return stage_for(stage, block_count(&applied.block, stage->pass->batch),
	                 back ? back_item : forward_item, err);
}

/* ---- slopes of weights ---- */

static void gradient_item(const struct stage *stage, size_t group, float *scratch)
{
	struct block block = block_of(stage->layer, stage->in, stage->out, false);
	const size_t channels = stage->out->channels, terms = stage->in->channels * block.taps,
		     width = stage->out->size[2], count = block_count(&block, stage->pass->batch);
	size_t *at = (size_t *)(void *)scratch;
	float *copy = scratch + list_values(&block), *slopes = copy + block.values,
	      *sum = stage->notes + (group + 1) * channels * terms;
	list_fill(&block, at);
	memset(sum, 0, channels * terms * sizeof *sum);
	for (size_t index = count * group / GROUPS_OF_SUMS; index < count * (group + 1) / GROUPS_OF_SUMS;
	     index++) {
		block_go(&block, index);
		block_copy(&block, stage->x, copy);
		const size_t columns = block.height * block.pitch;
		memset(slopes, 0, channels * columns * sizeof *slopes);
		for (size_t c = 0; c < channels; c++)
			for (size_t row = 0; row < block.height; row++)
				memcpy(slopes + c * columns + row * block.pitch,
				       stage->dy + made_at(&block, c, row), width * sizeof *slopes);
		product_add_transposed(&(struct product){channels, columns, terms, slopes, columns, 1, copy,
		                                         0, sum, terms, at});
	}
}

enum rs_code direct_gradient(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, GROUPS_OF_SUMS, gradient_item, err);
}
