/* Hostile metaimage files: refused or read, never more. */
#include "image_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_image(data, size, ".mha");
	return 0;
}
