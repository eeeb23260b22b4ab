/* Looks at an image without reading its voxels: for sealing, which keeps the bytes as they are, but no broken ones. */
#include "format.h"

static enum rs_code inspect(const struct format *format, struct rs_bytes file, uint64_t beyond,
                            const char **out_media, struct rs_error *err)
{
	struct raw_image raw = {.slope = 1, .look_only = true, .beyond = beyond};
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

enum rs_code rs_image_inspect(struct rs_bytes file, const char **out_media, struct rs_error *err)
{
	const struct format *format = format_of(file);
	*out_media = NULL;
	return format ? inspect(format, file, 0, out_media, err) : RS_OK;
}

enum rs_code rs_image_inspect_start(struct rs_bytes start, uint64_t size, const char **out_media,
                                    struct rs_error *err)
{
	*out_media = NULL;
	/* Only NIfTI has its whole header at fixed places; the size of what is compressed stands at the end. */
	if (is_gzip(start) || format_of(start) != &format_nifti)
		return RS_OK;
	return inspect(&format_nifti, start, size - start.size, out_media, err);
}
