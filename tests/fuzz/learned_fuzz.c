/* Hostile models of segmentation: refused by a sentence, or read, and written as they were. */
#include <stdlib.h>
#include <string.h>

#include "segment/segment_learned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_learned *model RS_CLEANUP(rs_learned_destroy_pointer) = NULL;
	struct rs_buffer copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	if (rs_learned_read(rs_bytes_of(data, size), &model, &err) != RS_OK) {
		if (model || err.message[0] == '\0')
			abort();
		return 0;
	}
	rs_buffer_init(&copy, size + 1);
	rs_learned_write(model, &copy);
	if (copy.size != size || memcmp(copy.data, data, size) != 0)
		abort();
	return 0;
}
