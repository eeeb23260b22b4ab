/* Outputs that are weighted sums of all values. Weights lie by output, then input. */
#include <string.h>

#include "kernel.h"
#include "pass.h"

#define BLOCK 16 /* samples, or outputs, of one item */

static enum rs_code shape(const struct rs_layer *layer, const struct rs_shape *in,
                          const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	(void)in;
	(void)also;
	(void)err;
	*out = (struct rs_shape){layer->channels, {1, 1, 1}};
	return RS_OK;
}

static void sizes(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out,
                  bool training, struct layer_sizes *sizes)
{
	(void)out;
	(void)training;
	sizes->fan = rs_shape_values(in);
	sizes->weights = sizes->fan * layer->channels;
	sizes->offsets = layer->channels;
}

static size_t block_size(size_t count, size_t item)
{
	return count - item * BLOCK < BLOCK ? count - item * BLOCK : BLOCK;
}

static void forward_block(const struct stage *stage, size_t item, float *scratch)
{
	const size_t in = rs_shape_values(stage->in), out = stage->out->channels;
	const size_t rows = block_size(stage->pass->batch, item);
	const float *offsets = stage->weights + in * out;
	float *y = stage->y + item * BLOCK * out;
	(void)scratch;
	for (size_t r = 0; r < rows; r++)
		memcpy(y + r * out, offsets, out * sizeof *y);
	product_add_transposed(&(struct product){rows, in, out, stage->x + item * BLOCK * in, in, 1,
	                                         stage->weights, in, y, out, NULL});
}

static void backward_block(const struct stage *stage, size_t item, float *scratch)
{
	const size_t in = rs_shape_values(stage->in), out = stage->out->channels;
	(void)scratch;
	product_add(&(struct product){block_size(stage->pass->batch, item), out, in,
	                              stage->dy + item * BLOCK * out, out, 1, stage->weights, in,
	                              stage->dx + item * BLOCK * in, in, NULL});
}

static void gradient_block(const struct stage *stage, size_t item, float *scratch)
{
	const size_t in = rs_shape_values(stage->in), out = stage->out->channels,
		     rows = block_size(out, item);
	const float *dy = stage->dy + item * BLOCK;
	float *offsets = stage->gradient + in * out + item * BLOCK;
	(void)scratch;
	product_add(&(struct product){rows, stage->pass->batch, in, dy, 1, out, stage->x, in,
	                              stage->gradient + item * BLOCK * in, in, NULL});
	for (size_t n = 0; n < stage->pass->batch; n++)
		for (size_t r = 0; r < rows; r++)
			offsets[r] += dy[n * out + r];
}

static enum rs_code forward(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, (stage->pass->batch + BLOCK - 1) / BLOCK, forward_block, err);
}

static enum rs_code backward(const struct stage *stage, struct rs_error *err)
{
	RS_TRY(stage_for(stage, (stage->out->channels + BLOCK - 1) / BLOCK, gradient_block, err));
	return stage->dx ? stage_for(stage, (stage->pass->batch + BLOCK - 1) / BLOCK, backward_block, err)
	                 : RS_OK;
}

const struct layer_kind layer_dense = {"dense", shape, sizes, forward, backward};
