/* A network as canonical CBOR: version, input, layers, weights, state. Read as data that a stranger wrote. */
#include <math.h>
#include <string.h>

#include "pass.h"

#define VERSION 1
#define NUMBERS_OF_LAYER 15 /* kind, activation, from, also, channels, kernel, stride, padding, rate */

static void write_floats(struct rs_buffer *out, const float *values, size_t count)
{
	uint8_t *bytes = rs_allocate_array(count, 4);
	for (size_t i = 0; bytes && i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof bits);
		rs_write_le32(bytes + 4 * i, bits);
	}
	if (bytes)
		rs_cbor_write_bytes(out, rs_bytes_of(bytes, 4 * count));
	else
		out->failed = out->failed == RS_OK ? RS_NO_MEMORY : out->failed;
	rs_free(bytes);
}

static void write_three(struct rs_buffer *out, const uint32_t numbers[3])
{
	for (int a = 0; a < 3; a++)
		rs_cbor_write_u64(out, numbers[a]);
}

void rs_network_write(const struct rs_network *network, struct rs_buffer *out)
{
	rs_cbor_write_array(out, 6);
	rs_cbor_write_u64(out, VERSION);
	rs_cbor_write_u64(out, network->shapes[0].channels);
	rs_cbor_write_array(out, 3);
	write_three(out, network->shapes[0].size);
	rs_cbor_write_array(out, network->layer_count);
	for (size_t i = 0; i < network->layer_count; i++) {
		const struct rs_layer *layer = &network->layers[i];
		rs_cbor_write_array(out, NUMBERS_OF_LAYER);
		rs_cbor_write_u64(out, layer->kind);
		rs_cbor_write_u64(out, layer->activation);
		rs_cbor_write_u64(out, layer->from);
		rs_cbor_write_u64(out, layer->also);
		rs_cbor_write_u64(out, layer->channels);
		write_three(out, layer->kernel);
		write_three(out, layer->stride);
		write_three(out, layer->padding);
		rs_cbor_write_f64(out, layer->rate);
	}
	write_floats(out, network->weights, rs_network_weights(network));
	write_floats(out, network->state, network->state_at[network->layer_count]);
}

static enum rs_code read_u32(struct rs_cbor_reader *reader, const char *field, uint32_t *out,
                             struct rs_error *err)
{
	uint64_t value;
	RS_TRY(rs_cbor_read_u64(reader, field, &value, err));
	if (value > UINT32_MAX)
		return rs_error_set(err, RS_MALFORMED, "%s of a network is too large", field);
	*out = (uint32_t)value;
	return RS_OK;
}

static enum rs_code read_array(struct rs_cbor_reader *reader, const char *field, size_t expected,
                               struct rs_error *err)
{
	size_t count;
	RS_TRY(rs_cbor_read_array(reader, field, &count, err));
	return count == expected
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "%s has %zu items, not %zu", field, count, expected);
}

static enum rs_code read_three(struct rs_cbor_reader *reader, const char *field, uint32_t out[3],
                               struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		RS_TRY(read_u32(reader, field, &out[a], err));
	return RS_OK;
}

static enum rs_code read_layer(struct rs_cbor_reader *reader, struct rs_layer *out, struct rs_error *err)
{
	uint32_t kind = 0, activation = 0;
	RS_TRY(read_array(reader, "layer", NUMBERS_OF_LAYER, err));
	RS_TRY(read_u32(reader, "kind", &kind, err));
	RS_TRY(read_u32(reader, "activation", &activation, err));
	RS_TRY(read_u32(reader, "from", &out->from, err));
	RS_TRY(read_u32(reader, "also", &out->also, err));
	RS_TRY(read_u32(reader, "channels", &out->channels, err));
	RS_TRY(read_three(reader, "kernel", out->kernel, err));
	RS_TRY(read_three(reader, "stride", out->stride, err));
	RS_TRY(read_three(reader, "padding", out->padding, err));
	RS_TRY(rs_cbor_read_f64(reader, "rate", &out->rate, err));
	if (kind > RS_LAYER_JOIN || activation > RS_GELU)
		return rs_error_set(err, RS_MALFORMED,
		                    "a layer of kind %u with activation %u is unknown to this version", kind,
		                    activation);
	out->kind = (enum rs_layer_kind)kind;
	out->activation = (enum rs_activation)activation;
	return RS_OK;
}

static enum rs_code read_floats(struct rs_cbor_reader *reader, const char *field, float *out, size_t count,
                                struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_cbor_read_bytes(reader, field, &bytes, err));
	if (bytes.size != 4 * count)
		return rs_error_set(err, RS_MALFORMED, "%s of a network are %zu bytes, its layers have %zu",
		                    field, bytes.size, 4 * count);
	for (size_t i = 0; i < count; i++) {
		const uint32_t bits = rs_read_le32(bytes.data + 4 * i);
		memcpy(&out[i], &bits, sizeof bits);
		if (!isfinite(out[i]))
			return rs_error_set(err, RS_MALFORMED, "%s of a network: number %zu is not finite",
			                    field, i);
	}
	return RS_OK;
}

static enum rs_code read_network(struct rs_cbor_reader *reader, struct rs_network *network,
                                 struct rs_layer *layers, size_t count, const struct rs_shape *input,
                                 struct rs_error *err)
{
	for (size_t i = 0; i < count; i++)
		RS_TRY(read_layer(reader, &layers[i], err));
	RS_TRY(network_lay(network, input, layers, count, err));
	/* The sizes that layers ask for are believed only when the file has as many bytes. */
	struct rs_cbor_reader ahead = *reader;
	struct rs_bytes weights;
	RS_TRY(rs_cbor_read_bytes(&ahead, "weights", &weights, err));
	if (weights.size != 4 * rs_network_weights(network))
		return rs_error_set(err, RS_MALFORMED,
		                    "weights of a network are %zu bytes, its layers have %zu", weights.size,
		                    4 * rs_network_weights(network));
	RS_TRY(network_allocate(network, err));
	RS_TRY(read_floats(reader, "weights", network->weights, rs_network_weights(network), err));
	RS_TRY(read_floats(reader, "state", network->state, network->state_at[count], err));
	for (size_t i = 1; i < count; i++)
		for (size_t k = (network->state_at[i] + network->state_at[i + 1]) / 2;
		     k < network->state_at[i + 1]; k++)
			if (network->state[k] < 0)
				return rs_error_set(err, RS_MALFORMED, "a variance of a network is below 0");
	return RS_OK;
}

enum rs_code rs_network_read(struct rs_cbor_reader *reader, struct rs_network *out, struct rs_error *err)
{
	struct rs_network network = {0};
	struct rs_shape input;
	uint64_t version;
	size_t count;
	RS_TRY(read_array(reader, "network", 6, err));
	RS_TRY(rs_cbor_read_u64(reader, "version", &version, err));
	if (version != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "a network of version %llu; this program reads version %d",
		                    (unsigned long long)version, VERSION);
	RS_TRY(read_u32(reader, "channels", &input.channels, err));
	RS_TRY(read_array(reader, "size", 3, err));
	RS_TRY(read_three(reader, "size", input.size, err));
	RS_TRY(rs_cbor_read_array(reader, "layers", &count, err));
	if (count > RS_LAYERS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a network has at most %d layers", RS_LAYERS_MAX);
	struct rs_layer *layers = rs_allocate_array(count, sizeof *layers);
	if (!layers)
		return rs_error_memory(err, count * sizeof *layers, "layers");
	enum rs_code code = read_network(reader, &network, layers, count, &input, err);
	rs_free(layers);
	if (code == RS_OK)
		*out = network;
	else
		rs_network_finish(&network);
	return code;
}
