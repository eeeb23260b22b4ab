/* Hostile files of transforms: refused by a sentence, or read, written as they were, and applied to points. */
#include <stdlib.h>
#include <string.h>

#include "register/register.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const double places[][3] = {{0, 0, 0}, {-1e6, 1e6, 0.5}, {12, -34, 1e300}};
	struct rs_transform transform;
	struct rs_buffer copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	double moved[3];
	if (rs_transform_read(rs_bytes_of(data, size), &transform, &err) != RS_OK) {
		if (err.message[0] == '\0')
			abort();
		return 0;
	}
	rs_buffer_init(&copy, size + 1);
	if (rs_transform_write(&transform, &copy, &err) != RS_OK || copy.size != size ||
	    memcmp(copy.data, data, size) != 0)
		abort();
	for (size_t i = 0; i < RS_COUNT(places); i++)
		rs_transform_point(&transform, places[i], moved);
	rs_transform_finish(&transform);
	return 0;
}
