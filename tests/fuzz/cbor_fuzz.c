/* Deterministic CBOR: what is accepted can be walked, and every item checks alone. */
#include <assert.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_cbor_reader reader;
	struct rs_error err = { 0 };
	struct rs_bytes item;
	if (rs_cbor_reader_init(&reader, rs_bytes_of(data, size), &err) != RS_OK) {
		assert(err.message[0]);
		return 0;
	}
	assert(rs_cbor_skip(&reader, &item, &err) == RS_OK && rs_cbor_at_end(&reader));
	assert(item.size == size && rs_cbor_check(item, &err) == RS_OK);
	return 0;
}
