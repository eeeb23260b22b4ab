/* Hostile models of pictures: refused by a sentence, or read. */
#include <stdlib.h>

#include "prognosis/prognosis_pictures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_pictures_model *model RS_CLEANUP(rs_pictures_model_destroy_pointer) = NULL;
	struct rs_error err = {0};
	if (rs_pictures_model_read(rs_bytes_of(data, size), &model, &err) != RS_OK)
		if (model || err.message[0] == '\0')
			abort();
	return 0;
}
