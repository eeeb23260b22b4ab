/* Heads of bundles, as anyone may send them. What is read is written again as it was. */
#include <string.h>

#include "access/access_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bundle bundle;
	struct rs_error err = {0};
	if (rs_bundle_parse(rs_bytes_of(data, size), &bundle, &err) != RS_OK)
		return 0;
	rs_buffer_init(&again, RS_BUNDLE_HEAD_MAX);
	if (rs_bundle_format(&bundle, &again, &err) != RS_OK || again.size != bundle.head_size ||
	    memcmp(again.data, data, again.size) != 0)
		__builtin_trap();
	return 0;
}
