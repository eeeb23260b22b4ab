/* A network as a list of layers: checked, measured, started. */
#include <math.h>
#include <string.h>

#include "base/base_random.h"
#include "pass.h"

#define CHANNELS_MAX ((uint32_t)1 << 16)
#define SIZE_OF_SIDE_MAX ((uint32_t)1 << 14)
#define PI 3.14159265358979323846

size_t rs_shape_positions(const struct rs_shape *shape)
{
	return (size_t)shape->size[0] * shape->size[1] * shape->size[2];
}

size_t rs_shape_values(const struct rs_shape *shape) { return shape->channels * rs_shape_positions(shape); }

const struct layer_kind *layer_kind(enum rs_layer_kind kind)
{
	static const struct layer_kind *const kinds[] = {
		[RS_LAYER_DENSE] = &layer_dense,
		[RS_LAYER_CONVOLUTION] = &layer_convolution,
		[RS_LAYER_TRANSPOSED] = &layer_transposed,
		[RS_LAYER_NORMALISE] = &layer_normalise,
		[RS_LAYER_ACTIVATION] = &layer_activation,
		[RS_LAYER_MAXIMUM] = &layer_maximum,
		[RS_LAYER_AVERAGE] = &layer_average,
		[RS_LAYER_DROPOUT] = &layer_dropout,
		[RS_LAYER_ADD] = &layer_add,
		[RS_LAYER_JOIN] = &layer_join,
	};
	return (size_t)kind < RS_COUNT(kinds) ? kinds[kind] : NULL;
}

void layer_sizes_of(const struct rs_network *network, size_t layer, bool training, struct layer_sizes *out)
{
	const struct rs_layer *l = &network->layers[layer];
	const struct layer_kind *kind = layer_kind(l->kind);
	*out = (struct layer_sizes){0};
	if (kind && kind->sizes)
		kind->sizes(l, &network->shapes[l->from], &network->shapes[layer], training, out);
}

const struct rs_shape *rs_network_output(const struct rs_network *network)
{
	return &network->shapes[network->layer_count - 1];
}

size_t rs_network_weights(const struct rs_network *network)
{
	return network->weights_at[network->layer_count];
}

void rs_network_finish(struct rs_network *network)
{
	rs_free(network->layers);
	rs_free(network->shapes);
	rs_free(network->weights_at);
	rs_free(network->state_at);
	rs_free(network->weights);
	rs_free(network->state);
	*network = (struct rs_network){0};
}

static enum rs_code shape_check(const struct rs_shape *shape, struct rs_error *err)
{
	size_t values = shape->channels;
	bool good = shape->channels >= 1 && shape->channels <= CHANNELS_MAX;
	for (int a = 0; a < 3; a++) {
		good &= shape->size[a] >= 1 && shape->size[a] <= SIZE_OF_SIDE_MAX;
		good = good && rs_mul_size(values, shape->size[a], &values);
	}
	return good && values <= RS_NETWORK_VALUES_MAX
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE,
	                              "%u channels of %u x %u x %u are none, or more than a network takes",
	                              shape->channels, shape->size[0], shape->size[1], shape->size[2]);
}

/* Bounds that hold for every kind; what they leave is for the kind to judge. */
static bool layer_is_sane(const struct rs_layer *layer, size_t index)
{
	bool good = layer->from < index && layer->also < index && layer->channels <= CHANNELS_MAX &&
	            layer->rate >= 0 && layer->rate < 1 && layer->activation <= RS_GELU;
	for (int a = 0; a < 3; a++)
		good &= layer->kernel[a] <= SIZE_OF_SIDE_MAX && layer->stride[a] <= SIZE_OF_SIDE_MAX &&
		        layer->padding[a] <= SIZE_OF_SIDE_MAX;
	return good;
}

static enum rs_code layer_lay(struct rs_network *network, size_t index, size_t *values, struct rs_error *err)
{
	const struct rs_layer *layer = &network->layers[index];
	const struct layer_kind *kind = layer_kind(layer->kind);
	struct layer_sizes sizes;
	if (!kind || !layer_is_sane(layer, index))
		return rs_error_set(err, RS_USAGE, "a kind or a number that no layer has");
	RS_TRY(kind->shape(layer, &network->shapes[layer->from], &network->shapes[layer->also],
	                   &network->shapes[index], err));
	RS_TRY(shape_check(&network->shapes[index], err));
	layer_sizes_of(network, index, false, &sizes);
	network->weights_at[index + 1] = network->weights_at[index] + sizes.weights + sizes.scales +
	                                 sizes.offsets;
	network->state_at[index + 1] = network->state_at[index] + sizes.state;
	*values += rs_shape_values(&network->shapes[index]);
	if (*values > RS_NETWORK_VALUES_MAX || network->weights_at[index + 1] > RS_NETWORK_VALUES_MAX)
		return rs_error_set(err, RS_TOO_LARGE,
		                    "a network has at most %zu weights, and as many values of a sample",
		                    RS_NETWORK_VALUES_MAX);
	return RS_OK;
}

/* Two numbers of the normal distribution (Box & Muller 1958). */
static void normal_pair(struct rs_stream *stream, double out[2])
{
	const double radius = sqrt(-2 * log(1 - rs_stream_unit(stream)));
	const double angle = 2 * PI * rs_stream_unit(stream);
	out[0] = radius * cos(angle);
	out[1] = radius * sin(angle);
}

/* He et al. 2015; scales 1, offsets 0, running variances 1. */
static void layer_start(struct rs_network *network, size_t index, uint64_t seed)
{
	struct layer_sizes sizes;
	struct rs_stream stream = rs_stream_of(seed, index);
	float *weights = network->weights + network->weights_at[index],
	      *state = network->state + network->state_at[index];
	layer_sizes_of(network, index, false, &sizes);
	for (size_t i = 0; i < sizes.weights; i += 2) {
		double pair[2];
		normal_pair(&stream, pair);
		for (size_t k = 0; k < 2 && i + k < sizes.weights; k++)
			weights[i + k] = (float)(pair[k] * sqrt(2 / (double)sizes.fan));
	}
	for (size_t i = 0; i < sizes.scales; i++)
		weights[sizes.weights + i] = 1;
	for (size_t i = sizes.state / 2; i < sizes.state; i++)
		state[i] = 1;
}

enum rs_code network_lay(struct rs_network *network, const struct rs_shape *input,
                         const struct rs_layer *layers, size_t count, struct rs_error *err)
{
	if (count < 2 || count > RS_LAYERS_MAX || layers[0].kind != RS_LAYER_INPUT)
		return rs_error_set(err, RS_USAGE, "a network has an input and then 1 to %d layers",
		                    RS_LAYERS_MAX - 1);
	network->layers = rs_allocate_array(count, sizeof *layers);
	network->shapes = rs_allocate_array(count, sizeof *network->shapes);
	network->weights_at = rs_allocate_array(count + 1, sizeof *network->weights_at);
	network->state_at = rs_allocate_array(count + 1, sizeof *network->state_at);
	if (!network->layers || !network->shapes || !network->weights_at || !network->state_at)
		return rs_error_memory(err, count * sizeof *layers, "a network");
	memcpy(network->layers, layers, count * sizeof *layers);
	network->layer_count = count;
	network->shapes[0] = *input;
	RS_TRY(shape_check(input, err));
	size_t values = rs_shape_values(input);
	for (size_t i = 1; i < count; i++)
		if (layer_lay(network, i, &values, err) != RS_OK)
			return rs_error_context(err, "layer %zu of the network", i);
	return RS_OK;
}

enum rs_code network_allocate(struct rs_network *network, struct rs_error *err)
{
	const size_t count = network->layer_count;
	network->weights = rs_allocate_array(network->weights_at[count], sizeof *network->weights);
	network->state = rs_allocate_array(network->state_at[count], sizeof *network->state);
	if (!network->weights || !network->state)
		return rs_error_memory(err, network->weights_at[count] * sizeof *network->weights,
		                       "a network's weights");
	return RS_OK;
}

enum rs_code rs_network_create(const struct rs_shape *input, const struct rs_layer *layers, size_t count,
                               uint64_t seed, struct rs_network *out, struct rs_error *err)
{
	struct rs_network network = {0};
	enum rs_code code = network_lay(&network, input, layers, count, err);
	if (code == RS_OK)
		code = network_allocate(&network, err);
	if (code != RS_OK) {
		rs_network_finish(&network);
		return code;
	}
	for (size_t i = 1; i < count; i++)
		layer_start(&network, i, seed);
	*out = network;
	return RS_OK;
}
