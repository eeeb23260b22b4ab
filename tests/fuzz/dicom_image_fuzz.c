/* Hostile DICOM images, segmentations and structure sets: refused or read, never more. */
#include "image_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_image(data, size, ".dcm");
	return 0;
}
