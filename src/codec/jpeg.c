/* JPEG: of 8 bits and in DCT by libjpeg-turbo; lossless and of 12 bits by DCMTK. */
#include <stdio.h> /* jpeglib.h needs it */
#include <jpeglib.h>
#include <setjmp.h>
#include <string.h>

#include "codec/worker.h"

struct failure {
	struct jpeg_error_mgr manager; /* first: libjpeg gives it back */
	jmp_buf back;
	char sentence[JMSG_LENGTH_MAX];
};

static void fail(j_common_ptr info)
{
	struct failure *failure = (struct failure *)(void *)info->err;
	info->err->format_message(info, failure->sentence);
	longjmp(failure->back, 1);
}

/* Warnings are of damaged data: libjpeg would go on with grey. */
static void warn(j_common_ptr info, int level)
{
	if (level < 0)
		fail(info);
}

static void prepare(struct failure *failure)
{
	jpeg_std_error(&failure->manager);
	failure->manager.error_exit = fail;
	failure->manager.emit_message = warn;
}

/* Colours come out as red, green and blue where the header says YBR; what it says counts, not what libjpeg guesses. */
static void choose_colours(struct jpeg_decompress_struct *info, const struct rs_codec_shape *shape)
{
	if (info->num_components == 3) {
		info->jpeg_color_space = shape->is_ybr ? JCS_YCbCr : JCS_RGB;
		info->out_color_space = JCS_RGB;
	} else {
		info->out_color_space = info->jpeg_color_space;
	}
	info->dct_method = JDCT_ISLOW;
}

static bool read_rows(struct jpeg_decompress_struct *info, struct failure *failure,
                      const struct rs_codec_shape *shape, struct rs_bytes in, uint8_t *rows, size_t row_size)
{
	if (setjmp(failure->back) != 0)
		return false;
	jpeg_create_decompress(info);
	jpeg_mem_src(info, in.data, in.size);
	jpeg_read_header(info, TRUE);
	choose_colours(info, shape);
	jpeg_start_decompress(info);
	if (info->output_width * (size_t)info->output_components != row_size ||
	    info->output_height != shape->rows) {
		snprintf(failure->sentence, sizeof failure->sentence, "its size changes");
		return false;
	}
	while (info->output_scanline < info->output_height) {
		JSAMPROW row = rows + info->output_scanline * row_size;
		jpeg_read_scanlines(info, &row, 1);
	}
	jpeg_finish_decompress(info);
	return true;
}

/* Samples of one byte (or words of the machine) into those that the frame has. */
static void widen(const struct codec_job *job, const uint8_t *from, size_t from_bytes)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	const size_t to_bytes = shape->bits_allocated / 8;
	const size_t count = (size_t)shape->rows * shape->columns * shape->samples;
	for (size_t i = 0; i < count; i++) {
		uint16_t value = from[i];
		if (from_bytes == 2)
			memcpy(&value, from + 2 * i, sizeof value);
		for (size_t k = 0; k < to_bytes; k++)
			job->out[i * to_bytes + k] = (uint8_t)(k < 2 ? value >> (8 * k) : 0);
	}
}

static enum rs_code decode_dct(struct codec_job *job, uint8_t *rows, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	struct jpeg_decompress_struct info = {0};
	struct failure failure = {0};
	prepare(&failure);
	info.err = &failure.manager;
	const bool good = read_rows(&info, &failure, shape, job->in, rows,
	                            (size_t)shape->columns * shape->samples);
	jpeg_destroy_decompress(&info);
	if (!good)
		return rs_error_set(err, RS_MALFORMED, "a damaged JPEG: %s", failure.sentence);
	job->what.is_rgb = shape->is_ybr && shape->samples == 3;
	return RS_OK;
}

static enum rs_code decode_dcmtk(struct codec_job *job, const struct jpeg_look *look, uint8_t *rows,
                                 size_t size, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	char sentence[200];
	bool is_rgb = false;
	if (job->in.size > UINT32_MAX || size > UINT32_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a JPEG of %zu bytes", size);
	if (!dcmtk_jpeg_decode(job->in.data, (uint32_t)job->in.size, look->bits, shape->is_signed,
	                       shape->is_ybr && shape->samples == 3, rows, (uint32_t)size, &is_rgb, sentence,
	                       sizeof sentence))
		return rs_error_set(err, RS_MALFORMED, "a damaged JPEG: %s", sentence);
	job->what.is_rgb = is_rgb && shape->is_ybr;
	return RS_OK;
}

enum rs_code jpeg_decode(struct codec_job *job, struct rs_error *err)
{
	struct jpeg_look look;
	if (!jpeg_look(job->in, &look))
		return rs_error_set(err, RS_MALFORMED, "a JPEG without a header");
	RS_TRY(codec_agrees(job, look.rows, look.columns, look.samples, look.bits, err));
	const bool dct = look.process <= 0xC2;
	if ((!dct && look.process != 0xC3) || look.bits > 16 || (dct && look.bits != 8 && look.bits != 12))
		return rs_error_set(err, RS_UNSUPPORTED, "a JPEG of process 0x%02X with %u bits",
		                    look.process, look.bits);
	const size_t bytes = look.bits > 8 ? 2 : 1;
	const size_t size = (size_t)look.rows * look.columns * look.samples * bytes;
	const bool direct = bytes * 8 == job->request->shape.bits_allocated;
	uint8_t *own RS_CLEANUP(rs_free_pointer) = direct ? NULL : rs_allocate(size);
	if (!direct && own == NULL)
		return rs_error_memory(err, size, "a JPEG");
	uint8_t *rows = direct ? job->out : own;
	if (dct && look.bits == 8)
		RS_TRY(decode_dct(job, rows, err));
	else
		RS_TRY(decode_dcmtk(job, &look, rows, size, err));
	if (!direct)
		widen(job, rows, bytes);
	job->what.bits = look.bits;
	return RS_OK;
}

/* ---- writing ---- */

static bool write_rows(struct jpeg_compress_struct *info, struct failure *failure,
                       const struct codec_job *job, unsigned char **out, unsigned long *out_size)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	if (setjmp(failure->back) != 0)
		return false;
	jpeg_create_compress(info);
	jpeg_mem_dest(info, out, out_size);
	info->image_width = shape->columns;
	info->image_height = shape->rows;
	info->input_components = (int)shape->samples;
	info->in_color_space = shape->samples == 3 ? JCS_RGB : JCS_GRAYSCALE;
	jpeg_set_defaults(info);
	jpeg_set_quality(info, (int)job->request->quality, TRUE);
	info->dct_method = JDCT_ISLOW;
	jpeg_start_compress(info, TRUE);
	while (info->next_scanline < info->image_height) {
		unsigned char *row;
		const uint8_t *from = job->in.data +
		                      info->next_scanline * (size_t)shape->columns * shape->samples;
		memcpy(&row, &from, sizeof row); /* libjpeg reads it, and does not say so */
		jpeg_write_scanlines(info, &row, 1);
	}
	jpeg_finish_compress(info);
	return true;
}

enum rs_code jpeg_encode(struct codec_job *job, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	struct jpeg_compress_struct info = {0};
	struct failure failure = {0};
	unsigned long size =
		(unsigned long)job->request->out_max; /* more than the pixels have, so libjpeg takes none */
	if (shape->bits_allocated != 8 || (shape->samples != 1 && shape->samples != 3) ||
	    shape->rows > JPEG_MAX_DIMENSION || shape->columns > JPEG_MAX_DIMENSION)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "a JPEG has 1 or 3 samples of 8 bits and sides up to %ld",
		                    JPEG_MAX_DIMENSION);
	unsigned char *const room = rs_allocate(size);
	unsigned char *stream = room;
	if (room == NULL)
		return rs_error_memory(err, size, "a JPEG");
	prepare(&failure);
	info.err = &failure.manager;
	const bool good = write_rows(&info, &failure, job, &stream, &size);
	if (good)
		rs_buffer_append(job->stream, stream, size);
	jpeg_destroy_compress(&info);
	rs_free(room);
	return good ? RS_OK : rs_error_set(err, RS_MALFORMED, "no JPEG was made: %s", failure.sentence);
}
