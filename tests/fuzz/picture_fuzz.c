/* Hostile pictures and archives of them: refused by a sentence, or read with values from 0 to 1 and arrays of their size. */
#include <stdlib.h>

#include "image/image_picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void archive(struct rs_bytes file)
{
	struct rs_npz_array array;
	struct rs_error err = {0};
	size_t count = 1;
	if (rs_npz_read(file, "train_images", &array, &err) != RS_OK) {
		if (err.message[0] == '\0')
			abort();
		return;
	}
	for (size_t d = 0; d < array.dimensions; d++)
		count *= array.size[d];
	if (count != array.values.size)
		abort();
	rs_npz_array_finish(&array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_picture picture;
	struct rs_error err = {0};
	const struct rs_bytes file = rs_bytes_of(data, size);
	if (rs_npz_begins(file))
		archive(file);
	if (rs_picture_read(file, &picture, &err) != RS_OK) {
		if (err.message[0] == '\0')
			abort();
		return 0;
	}
	for (size_t i = 0; i < picture.width * picture.height; i++)
		if (!(picture.values[i] >= 0 && picture.values[i] <= 1))
			abort();
	rs_picture_finish(&picture);
	return 0;
}
