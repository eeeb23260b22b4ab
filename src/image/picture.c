/* Pictures of any format, PGM, DICOM, and other sizes of them. */
#include "picture.h"

#include <math.h>
#include <string.h>

#include "dicom/dicom.h"
#include "grey.h"

void rs_picture_finish(struct rs_picture *picture)
{
	rs_free(picture->values);
	*picture = (struct rs_picture){0};
}

enum rs_code picture_init(struct rs_picture *picture, size_t width, size_t height, struct rs_error *err)
{
	if (width < 1 || height < 1 || width > RS_PICTURE_SIDE_MAX || height > RS_PICTURE_SIDE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a picture of %zu x %zu pixels; sides are 1 to %d",
		                    width, height, RS_PICTURE_SIDE_MAX);
	float *values = rs_allocate_array(width, height * sizeof *values);
	if (!values)
		return rs_error_memory(err, width * height * sizeof *values, "a picture");
	*picture = (struct rs_picture){width, height, values};
	return RS_OK;
}

/* ---- PGM (netpbm's P5): "P5", width, height and maximum with white space and comments between, one byte, then values ---- */

static bool pgm_number(struct rs_bytes file, size_t *at, uint64_t *out)
{
	size_t begin = *at;
	while (begin < file.size && (file.data[begin] == '#' || memchr(" \t\r\n", file.data[begin], 4))) {
		if (file.data[begin] == '#')
			while (begin < file.size && file.data[begin] != '\n')
				begin++;
		else
			begin++;
	}
	*at = begin;
	while (*at < file.size && *at - begin < 6 && file.data[*at] >= '0' && file.data[*at] <= '9')
		(*at)++;
	return rs_parse_u64(rs_str_of_bytes(rs_bytes_of(file.data + begin, *at - begin)), out);
}

static enum rs_code pgm_read(struct rs_bytes file, struct rs_picture *out, struct rs_error *err)
{
	struct rs_picture picture;
	uint64_t width, height, most;
	size_t at = 2;
	if (!pgm_number(file, &at, &width) || !pgm_number(file, &at, &height) ||
	    !pgm_number(file, &at, &most) || most < 1 || most > 65535 || at == file.size)
		return rs_error_set(err, RS_MALFORMED,
		                    "a PGM whose header has no width, height and maximum up to 65535");
	RS_TRY(picture_init(&picture, (size_t)width, (size_t)height, err));
	const size_t bytes = most > 255 ? 2 : 1, count = picture.width * picture.height;
	const uint8_t *from = file.data + at + 1;
	if (file.size - at - 1 < count * bytes) {
		rs_picture_finish(&picture);
		return rs_error_set(err, RS_MALFORMED, "a PGM of %zu pixels ends after %zu bytes", count,
		                    file.size - at - 1);
	}
	for (size_t i = 0; i < count; i++) {
		const double value = bytes == 2 ? rs_read_be16(from + 2 * i) : from[i];
		picture.values[i] = (float)fmin(value / (double)most, 1);
	}
	*out = picture;
	return RS_OK;
}

/* ---- DICOM ---- */

static enum rs_code dicom_read(const struct rs_dicom *dicom, struct rs_picture *out, struct rs_error *err)
{
	struct rs_dicom_metadata metadata;
	RS_TRY(rs_dicom_metadata(dicom, &metadata, err));
	if (!(metadata.present & RS_DICOM_HAS_PIXELS) || !grey_is(&metadata))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "a DICOM object without grey pixels is no picture here");
	RS_TRY(picture_init(out, metadata.columns, metadata.rows, err));
	return grey_read(dicom, 0, NULL, out->values, out->width * out->height, err);
}

enum rs_code rs_picture_read(struct rs_bytes file, struct rs_picture *out, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_picture picture = {0};
	if (png_begins(file))
		return png_read(file, out, err);
	if (file.size > 2 && memcmp(file.data, "P5", 2) == 0)
		return pgm_read(file, out, err);
	if (!rs_dicom_begins(file))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "no picture that is read here: PNG, PGM (P5) and DICOM are");
	RS_TRY(rs_dicom_parse(file, &dicom, err));
	enum rs_code code = dicom_read(&dicom, &picture, err);
	if (code != RS_OK)
		rs_picture_finish(&picture);
	else
		*out = picture;
	return code;
}

/* ---- other sizes: along one axis at a time, by the share of each pixel within the support ---- */

/* The triangle about the middle of an output pixel: as wide as the step, at least as the input's. */
static float resampled(const float *line, size_t count, size_t stride, double middle, double step)
{
	const double reach = step > 1 ? step : 1;
	const int64_t first = (int64_t)floor(middle - reach), last = (int64_t)ceil(middle + reach);
	double sum = 0, weights = 0;
	for (int64_t i = first; i <= last; i++) {
		const double weight = 1 - fabs((double)i - middle) / reach;
		const int64_t at = i < 0 ? 0 : i >= (int64_t)count ? (int64_t)count - 1 : i;
		if (weight <= 0)
			continue;
		sum += weight * (double)line[(size_t)at * stride];
		weights += weight;
	}
	return (float)(sum / weights);
}

enum rs_code rs_picture_resample(const struct rs_picture *picture, size_t width, size_t height, float *out,
                                 struct rs_error *err)
{
	const double across = (double)picture->width / (double)width,
		     down = (double)picture->height / (double)height;
	float *narrow RS_CLEANUP(rs_free_pointer) = rs_allocate_array(picture->height,
	                                                              width * sizeof *narrow);
	if (!narrow)
		return rs_error_memory(err, picture->height * width * sizeof *narrow, "a picture");
	for (size_t y = 0; y < picture->height; y++)
		for (size_t x = 0; x < width; x++)
			narrow[y * width + x] = resampled(picture->values + y * picture->width,
			                                  picture->width, 1, ((double)x + 0.5) * across - 0.5,
			                                  across);
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++)
			out[y * width + x] = resampled(narrow + x, picture->height, width,
			                               ((double)y + 0.5) * down - 0.5, down);
	return RS_OK;
}
