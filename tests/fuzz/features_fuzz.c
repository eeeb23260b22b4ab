/* Vectors of features, as anyone may hand them in for sealing. */
#include "workflow/workflow_features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rs_code count(void *context, const struct rs_digest *file, struct rs_error *err)
{
	(void)file, (void)err;
	++*(size_t *)context;
	return RS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_error err = {0};
	size_t sources = 0;
	if (rs_features_parse(rs_bytes_of(data, size), count, &sources, &err) == RS_OK && sources < 2)
		__builtin_trap(); /* an image and a mask at least */
	return 0;
}
