/* Looks at an image without reading its voxels: for sealing, which keeps the bytes as they are, but no broken ones. */
#include "format.h"

static enum rs_code inspect(const struct format *format, struct rs_bytes file, uint64_t beyond, uint32_t tail,
                            const char **out_media, struct rs_error *err)
{
	struct raw_image raw = {.slope = 1, .look_only = true, .beyond = beyond, .tail = tail};
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
	*out_media = raw.needs_all ? NULL : format->media;
	return RS_OK;
}

enum rs_code rs_image_inspect(struct rs_bytes file, const char **out_media, struct rs_error *err)
{
	const struct format *format = format_of(file);
	*out_media = NULL;
	return format ? inspect(format, file, 0, 0, out_media, err) : RS_OK;
}

enum rs_code rs_image_inspect_start(struct rs_bytes start, uint64_t size, uint32_t tail,
                                    const char **out_media, struct rs_error *err)
{
	const struct format *format = format_of(start);
	struct rs_error reason = {0};
	*out_media = NULL;
	if (!format)
		return RS_OK;
	enum rs_code code = inspect(format, start, size - start.size, tail, out_media, &reason);
	/* Headers that are text may be longer than the start. */
	if (code == RS_OK || (code == RS_MALFORMED && format != &format_nifti))
		return RS_OK;
	if (err)
		*err = reason;
	return code;
}
