/* Looks at an image without reading its voxels: for sealing, which keeps the bytes as they are, but no broken ones. */
#include "format.h"

enum rs_code rs_image_inspect(struct rs_bytes file, const char **out_media, struct rs_error *err)
{
	const struct format *format = format_of(file);
	*out_media = NULL;
	if (!format)
		return RS_OK;
	struct raw_image raw = {.slope = 1, .look_only = true};
	struct rs_error reason = {0};
	enum rs_code code = format->read(NULL, NULL, file, &raw, &reason);
	raw_image_finish(&raw);
	/* What cannot be measured here is a sound image nevertheless: colours, time series, sheared grids. */
	if (code != RS_OK && code != RS_UNSUPPORTED) {
		rs_error_context(&reason, "%s", format->name);
		if (err)
			*err = reason;
		return code;
	}
	*out_media = format->media;
	return RS_OK;
}
