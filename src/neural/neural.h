/* Neural networks: layers as a list, applied and trained on the processor. A layer names the layers that it reads, so that
 * residuals and the skips of a U-Net are layers like others. The same bits for any number of threads, compiler and set of
 * instructions.
 *
 * A sample has channels of depth x height x width (an image: depth 1; a row of a table: channels alone), in that order in
 * memory. Layer 0 is the input. */
#ifndef RS_NEURAL_H
#define RS_NEURAL_H

#include "base/base.h"
#include "base/base_cbor.h"

struct rs_shape {
	uint32_t channels, size[3]; /* depth, height, width; at least 1 */
};
size_t rs_shape_positions(const struct rs_shape *shape);
size_t rs_shape_values(const struct rs_shape *shape); /* positions x channels */

enum rs_layer_kind {
	RS_LAYER_INPUT,
	RS_LAYER_DENSE,       /* `channels` outputs, each of all values */
	RS_LAYER_CONVOLUTION, /* `channels` outputs, kernel, stride, padding by zeros */
	RS_LAYER_TRANSPOSED,  /* the adjoint of such a convolution: grows by the stride */
	RS_LAYER_NORMALISE, /* mean 0 and deviation 1 over `channels` groups; 0: over the batch. Then scaled by channel */
	RS_LAYER_ACTIVATION,
	RS_LAYER_MAXIMUM, /* over kernel windows, a stride apart; kernel 0: over all positions */
	RS_LAYER_AVERAGE, /* likewise */
	RS_LAYER_DROPOUT, /* in training values are left out with probability `rate` */
	RS_LAYER_ADD,     /* of two layers of one shape */
	RS_LAYER_JOIN,    /* channels of one layer, then those of another */
};
enum rs_activation { RS_RELU, RS_LEAKY_RELU /* slope `rate` below 0 */, RS_GELU };
struct rs_layer {
	enum rs_layer_kind kind;
	enum rs_activation activation;
	uint32_t from, also; /* earlier layers; `also` of RS_LAYER_ADD and RS_LAYER_JOIN */
	uint32_t channels;
	uint32_t kernel[3], stride[3], padding[3];
	double rate;
};

#define RS_LAYERS_MAX 1024
#define RS_NETWORK_VALUES_MAX ((size_t)1 << 28) /* weights, and values of one sample in all layers */

struct rs_network {
	size_t layer_count;
	struct rs_layer *layers;
	struct rs_shape *shapes; /* what each layer puts out */
	size_t *weights_at;      /* layer_count + 1: where each layer's begin */
	size_t *state_at;        /* likewise: running means and variances */
	float *weights, *state;
};
/* errors  RS_USAGE naming the layer that is wrong, RS_TOO_LARGE */
enum rs_code rs_network_create(const struct rs_shape *input, const struct rs_layer *layers, size_t count,
                               uint64_t seed, struct rs_network *out, struct rs_error *err);
void rs_network_finish(struct rs_network *network); /* accepts zeroed memory */
const struct rs_shape *rs_network_output(const struct rs_network *network);
size_t rs_network_weights(const struct rs_network *network);

/* inputs, out: `count` samples. */
enum rs_code rs_network_apply(const struct rs_network *network, const float *inputs, size_t count,
                              struct rs_pool *pool, float *out, struct rs_error *err);

/* One CBOR item: the version, the list of layers, and numbers as little-endian byte strings. Nothing in it is run. */
void rs_network_write(const struct rs_network *network, struct rs_buffer *out);
/* Refuses whatever rs_network_create() does, sizes that do not fit, and numbers that are not finite. */
enum rs_code rs_network_read(struct rs_cbor_reader *reader, struct rs_network *out, struct rs_error *err);

#endif
