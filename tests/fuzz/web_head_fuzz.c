/* Hostile headers: lists of media types end, ranges lie within what there is. */
#include <stdlib.h>

#include "web/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = rs_str_duplicate((struct rs_str){(const char *)data, size}), value[PARAMETER_SIZE];
	struct rs_str text = {copy, size}, rest = text;
	struct media media;
	uint64_t begin = 0, end = 0;
	bool satisfiable = false;
	if (!copy)
		return 0;
	for (size_t count = 0; media_next(&rest, &media); count++) {
		if (count > size || media_quality(&media) > 1000)
			abort();
		(void)media_parameter(&media, "transfer-syntax", value);
		(void)media_covers(&media, "application/dicom");
	}
	if (range_parse(text, 1000, &begin, &end, &satisfiable) && satisfiable &&
	    (begin >= end || end > 1000))
		abort();
	(void)tag_listed(text, "\"a\"");
	rs_free(copy);
	return 0;
}
