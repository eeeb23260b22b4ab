/* Hostile files of networks: refused by a sentence, or read, written as they were, and applied where that is no great work. */
#include <stdlib.h>
#include <string.h>

#include "neural/neural.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct rs_network *network)
{
	float input[256] = {0}, output[256];
	struct rs_error err;
	size_t values = 0;
	for (size_t i = 0; i < network->layer_count; i++)
		values += rs_shape_values(&network->shapes[i]);
	if (values <= RS_COUNT(input) && rs_network_weights(network) < 10000 &&
	    rs_network_apply(network, input, 1, NULL, output, &err) != RS_OK && err.code != RS_NO_MEMORY)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_network network;
	struct rs_buffer copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_cbor_reader reader;
	struct rs_error err = {0};
	if (rs_cbor_reader_init(&reader, rs_bytes_of(data, size), &err) != RS_OK)
		return 0;
	if (rs_network_read(&reader, &network, &err) != RS_OK) {
		if (err.message[0] == '\0')
			abort();
		return 0;
	}
	rs_buffer_init(&copy, size + 1);
	rs_network_write(&network, &copy);
	if (rs_cbor_at_end(&reader) && (copy.size != size || memcmp(copy.data, data, size) != 0))
		abort();
	apply(&network);
	rs_network_finish(&network);
	return 0;
}
