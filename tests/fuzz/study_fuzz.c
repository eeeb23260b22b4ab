/* Hostile study files: read, or refused by a sentence. */
#include <stdlib.h>

#include "study/study.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_study study;
	struct rs_error err = {0};
	if (rs_study_parse(rs_bytes_of(data, size), &study, &err) == RS_OK)
		rs_study_finish(&study);
	else if (err.message[0] == '\0')
		abort();
	return 0;
}
