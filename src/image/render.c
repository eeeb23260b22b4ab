/* Frames to PNG and JPEG: grey, palettes, colours; a part of them, and other sizes. */
#include "image/image_render.h"

#include <math.h>
#include <string.h>

#include "grey.h"
#include "image/image_picture.h"
#include "picture.h"

#define TAG(group, element) RS_DICOM_TAG(0x##group, 0x##element)
#define QUALITY 90

/* One picture for each channel: one, or red, green and blue. */
struct channels {
	size_t count;
	struct rs_picture pictures[3];
};

static void channels_finish(struct channels *channels)
{
	for (size_t c = 0; c < RS_COUNT(channels->pictures); c++)
		rs_picture_finish(&channels->pictures[c]);
}

static enum rs_code channels_init(struct channels *channels, size_t count, size_t width, size_t height,
                                  struct rs_error *err)
{
	channels->count = count;
	for (size_t c = 0; c < count; c++)
		RS_TRY(picture_init(&channels->pictures[c], width, height, err));
	return RS_OK;
}

static double sample_of(const struct rs_dicom_frame *frame, size_t index)
{
	const uint8_t *p = frame->pixels + index * (frame->shape.bits_allocated / 8);
	const uint32_t value = frame->shape.bits_allocated == 8 ? *p : rs_read_le16(p);
	return value >> (frame->high_bit + 1 - frame->shape.bits_stored) &
	       ((1u << frame->shape.bits_stored) - 1);
}

/* PS3.3 C.7.6.3.1.2: YBR_FULL, from luminance and colour differences about the middle. */
static void to_rgb(double colour[3])
{
	const double y = colour[0], blue = colour[1] - 128 / 255.0, red = colour[2] - 128 / 255.0;
	colour[0] = y + 1.402 * red;
	colour[1] = y - 0.344136 * blue - 0.714136 * red;
	colour[2] = y + 1.772 * blue;
}

static enum rs_code colours(const struct rs_dicom *dicom, size_t frame, struct channels *out,
                            struct rs_error *err)
{
	struct rs_dicom_frame read RS_CLEANUP(rs_dicom_frame_finish) = {0};
	RS_TRY(rs_dicom_frame_read(dicom, frame, &read, err));
	const bool ybr = rs_str_equal_text(read.photometric_interpretation, "YBR_FULL");
	if (read.shape.samples != 3 || read.shape.bits_allocated > 16 || read.shape.bits_allocated < 8 ||
	    (!ybr && !rs_str_equal_text(read.photometric_interpretation, "RGB")))
		return rs_error_set(err, RS_UNSUPPORTED, "pixels of '%.*s' are no picture here",
		                    RS_STR_ARGUMENTS(read.photometric_interpretation));
	RS_TRY(channels_init(out, 3, read.shape.columns, read.shape.rows, err));
	const double most = (double)((1u << read.shape.bits_stored) - 1);
	for (size_t i = 0; i < (size_t)read.shape.rows * read.shape.columns; i++) {
		double colour[3];
		for (size_t c = 0; c < 3; c++)
			colour[c] = sample_of(&read, 3 * i + c) / most;
		if (ybr)
			to_rgb(colour);
		for (size_t c = 0; c < 3; c++)
			out->pictures[c].values[i] = (float)fmin(fmax(colour[c], 0), 1);
	}
	return RS_OK;
}

static enum rs_code palette(const struct rs_dicom *dicom, size_t frame, const struct rs_dicom_metadata *m,
                            struct channels *out, struct rs_error *err)
{
	struct grey_table tables[3];
	const size_t count = (size_t)m->rows * m->columns;
	for (uint32_t c = 0; c < 3; c++)
		if (!grey_table_of(rs_dicom_find(dicom, NULL, TAG(0028, 1101) + c),
		                   rs_dicom_find(dicom, NULL, TAG(0028, 1201) + c),
		                   m->pixel_representation != 0, &tables[c]))
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "a palette that is not here (segmented ones are not read)");
	RS_TRY(channels_init(out, 3, m->columns, m->rows, err));
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	if (!values)
		return rs_error_memory(err, count * sizeof *values, "a picture");
	RS_TRY(rs_dicom_pixels(dicom, frame, values, count, err));
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < 3; c++)
			out->pictures[c].values[i] = (float)fmin(
				grey_look_up(&tables[c], values[i]) / tables[c].most, 1);
	return RS_OK;
}

static enum rs_code read_frame(const struct rs_dicom *dicom, const struct rs_rendering *how,
                               struct channels *out, struct rs_error *err)
{
	struct rs_dicom_metadata m = {0};
	RS_TRY(rs_dicom_metadata(dicom, &m, err));
	if (!(m.present & RS_DICOM_HAS_PIXELS))
		return rs_error_set(err, RS_NOT_FOUND, "the object has no pixels");
	if (how->frame >= m.number_of_frames)
		return rs_error_set(err, RS_NOT_FOUND, "frame %zu does not exist; there are %u",
		                    how->frame + 1, m.number_of_frames);
	if (rs_str_equal_text(m.photometric_interpretation, "PALETTE COLOR"))
		return palette(dicom, how->frame, &m, out, err);
	if (!grey_is(&m))
		return colours(dicom, how->frame, out, err);
	RS_TRY(channels_init(out, 1, m.columns, m.rows, err));
	return grey_read(dicom, how->frame, how->window, out->pictures[0].values, (size_t)m.rows * m.columns,
	                 err);
}

/* The part asked for moves to the beginning. */
static enum rs_code cut(const struct rs_rendering *how, struct channels *channels, struct rs_error *err)
{
	const size_t columns = channels->pictures[0].width, rows = channels->pictures[0].height;
	const size_t left = how->left < columns ? how->left : columns,
		     top = how->top < rows ? how->top : rows;
	const size_t width = how->width ? how->width : columns - left,
		     height = how->height ? how->height : rows - top;
	if (width == 0 || height == 0 || width > columns - left || height > rows - top)
		return rs_error_set(err, RS_USAGE,
		                    "a part that does not lie within the frame of %zu x %zu pixels", columns,
		                    rows);
	for (size_t c = 0; c < channels->count; c++) {
		struct rs_picture *picture = &channels->pictures[c];
		for (size_t y = 0; y < height; y++)
			memmove(picture->values + y * width, picture->values + (top + y) * columns + left,
			        width * sizeof *picture->values);
		picture->width = width;
		picture->height = height;
	}
	return RS_OK;
}

/* The largest picture of the same shape within the room, at least one pixel each way. */
static enum rs_code fit(const struct rs_rendering *how, struct channels *channels, struct rs_error *err)
{
	const size_t width = channels->pictures[0].width, height = channels->pictures[0].height;
	const double across = how->fit_width ? (double)how->fit_width / (double)width : INFINITY;
	const double down = how->fit_height ? (double)how->fit_height / (double)height : INFINITY;
	const double scale = fmin(across, down);
	if (!isfinite(scale) || scale == 1)
		return RS_OK;
	const size_t to_width = (size_t)fmax(1, round((double)width * scale)),
		     to_height = (size_t)fmax(1, round((double)height * scale));
	for (size_t c = 0; c < channels->count; c++) {
		struct rs_picture fitted = {0};
		RS_TRY(picture_init(&fitted, to_width, to_height, err));
		const enum rs_code code = rs_picture_resample(&channels->pictures[c], to_width, to_height,
		                                              fitted.values, err);
		rs_picture_finish(code == RS_OK ? &channels->pictures[c] : &fitted);
		if (code != RS_OK)
			return code;
		channels->pictures[c] = fitted;
	}
	return RS_OK;
}

static enum rs_code put(const struct rs_rendering *how, const struct channels *channels,
                        struct rs_buffer *out, struct rs_error *err)
{
	const size_t width = channels->pictures[0].width, height = channels->pictures[0].height;
	const size_t samples = channels->count, size = width * height * samples;
	uint8_t *pixels RS_CLEANUP(rs_free_pointer) = rs_allocate(size);
	if (!pixels)
		return rs_error_memory(err, size, "a picture");
	for (size_t i = 0; i < size; i++)
		pixels[i] = (uint8_t)lroundf(channels->pictures[i % samples].values[i / samples] * 255);
	if (!how->as_jpeg)
		return rs_png_write(pixels, samples, width, height, out, err);
	const struct rs_codec_shape shape = {.rows = (uint32_t)height,
	                                     .columns = (uint32_t)width,
	                                     .samples = (uint32_t)samples,
	                                     .bits_allocated = 8,
	                                     .bits_stored = 8};
	return rs_codec_encode(RS_CODEC_JPEG, &shape, rs_bytes_of(pixels, size),
	                       how->quality ? how->quality : QUALITY, out, err);
}

enum rs_code rs_render(const struct rs_dicom *dicom, const struct rs_rendering *how, struct rs_buffer *out,
                       struct rs_error *err)
{
	struct channels channels RS_CLEANUP(channels_finish) = {0};
	const struct rs_window *window = how->window;
	if (how->quality > 100 || how->fit_width > RS_PICTURE_SIDE_MAX ||
	    how->fit_height > RS_PICTURE_SIDE_MAX)
		return rs_error_set(err, RS_USAGE, "a quality is 1 to 100, a side up to %d",
		                    RS_PICTURE_SIDE_MAX);
	if (window && (!isfinite(window->centre) || !isfinite(window->width) || !(window->width > 0) ||
	               (window->function == RS_WINDOW_LINEAR && window->width < 1)))
		return rs_error_set(err, RS_USAGE, "a window's width is more than 0, of LINEAR at least 1");
	RS_TRY(read_frame(dicom, how, &channels, err));
	RS_TRY(cut(how, &channels, err));
	RS_TRY(fit(how, &channels, err));
	return put(how, &channels, out, err);
}
