/* JPEG-LS by CharLS. */
#include <charls/charls.h>
#include <string.h>

#include "codec/worker.h"

static enum rs_code failed(charls_jpegls_errc code, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "a damaged JPEG-LS: %s", charls_get_error_message(code));
}

/* Samples as CharLS gives them, plane by plane or pixel by pixel, into the frame. */
static void place(const struct codec_job *job, const uint8_t *from, size_t from_bytes, bool planes)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	const size_t to_bytes = shape->bits_allocated / 8, samples = shape->samples;
	const size_t pixels = (size_t)shape->rows * shape->columns;
	for (size_t i = 0; i < pixels * samples; i++) {
		const size_t to = planes ? i % pixels * samples + i / pixels : i;
		for (size_t k = 0; k < to_bytes; k++)
			job->out[to * to_bytes + k] = k < from_bytes ? from[i * from_bytes + k] : 0;
	}
}

/* CharLS 2.4.1 counts to 2^32 where a scan ends without a marker (its change 334 came later), so there is always one. */
static enum rs_code ended(struct rs_bytes in, struct rs_buffer *out, struct rs_error *err)
{
	static const uint8_t end[] = {0xFF, 0xD9};
	rs_buffer_init(out, in.size + sizeof end);
	rs_buffer_append_bytes(out, in);
	rs_buffer_append(out, end, sizeof end);
	return rs_buffer_check(out, "a JPEG-LS", err);
}

static charls_jpegls_errc read_frame(charls_jpegls_decoder *decoder, struct rs_bytes in,
                                     struct codec_job *job, enum rs_code *code, struct rs_error *err)
{
	charls_frame_info info;
	charls_interleave_mode interleave;
	size_t size = 0;
	charls_jpegls_errc failure = charls_jpegls_decoder_set_source_buffer(decoder, in.data, in.size);
	if (!failure)
		failure = charls_jpegls_decoder_read_header(decoder);
	if (!failure)
		failure = charls_jpegls_decoder_get_frame_info(decoder, &info);
	if (!failure)
		failure = charls_jpegls_decoder_get_interleave_mode(decoder, &interleave);
	if (failure)
		return failure;
	*code = codec_agrees(job, info.height, info.width, (uint64_t)info.component_count,
	                     (uint64_t)info.bits_per_sample, err);
	if (*code != RS_OK)
		return 0;
	failure = charls_jpegls_decoder_get_destination_size(decoder, 0, &size);
	if (failure)
		return failure;
	uint8_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate(size);
	if (rows == NULL) {
		*code = rs_error_memory(err, size, "a JPEG-LS");
		return 0;
	}
	failure = charls_jpegls_decoder_decode_to_buffer(decoder, rows, size, 0);
	if (!failure)
		place(job, rows, info.bits_per_sample > 8 ? 2 : 1,
		      interleave == CHARLS_INTERLEAVE_MODE_NONE && job->request->shape.samples > 1);
	job->what.bits = (uint32_t)info.bits_per_sample;
	return failure;
}

enum rs_code jpegls_decode(struct codec_job *job, struct rs_error *err)
{
	enum rs_code code = RS_OK;
	struct rs_buffer in RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(ended(job->in, &in, err));
	charls_jpegls_decoder *decoder = charls_jpegls_decoder_create();
	if (decoder == NULL)
		return rs_error_memory(err, 0, "a JPEG-LS decoder");
	const charls_jpegls_errc failure = read_frame(decoder, rs_buffer_bytes(&in), job, &code, err);
	charls_jpegls_decoder_destroy(decoder);
	return failure ? failed(failure, err) : code;
}

static charls_jpegls_errc write_frame(charls_jpegls_encoder *encoder, const struct codec_job *job,
                                      uint8_t *stream, size_t room, size_t *out_size)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	const charls_frame_info info = {shape->columns, shape->rows, (int32_t)shape->bits_stored,
	                                (int32_t)shape->samples};
	charls_jpegls_errc failure = charls_jpegls_encoder_set_frame_info(encoder, &info);
	if (!failure && shape->samples > 1)
		failure = charls_jpegls_encoder_set_interleave_mode(encoder, CHARLS_INTERLEAVE_MODE_SAMPLE);
	if (!failure)
		failure = charls_jpegls_encoder_set_destination_buffer(encoder, stream, room);
	if (!failure)
		failure = charls_jpegls_encoder_encode_from_buffer(encoder, job->in.data, job->in.size, 0);
	return failure ? failure : charls_jpegls_encoder_get_bytes_written(encoder, out_size);
}

enum rs_code jpegls_encode(struct codec_job *job, struct rs_error *err)
{
	const struct rs_codec_shape *shape = &job->request->shape;
	const size_t room = (size_t)job->request->out_max;
	size_t size = 0;
	if (shape->bits_allocated > 16 || shape->bits_stored < 2 ||
	    (shape->bits_stored <= 8) != (shape->bits_allocated == 8))
		return rs_error_set(err, RS_UNSUPPORTED, "JPEG-LS of %u bits in %u is not written",
		                    shape->bits_stored, shape->bits_allocated);
	uint8_t *stream RS_CLEANUP(rs_free_pointer) = rs_allocate(room);
	charls_jpegls_encoder *encoder = charls_jpegls_encoder_create();
	charls_jpegls_errc failure = CHARLS_JPEGLS_ERRC_NOT_ENOUGH_MEMORY;
	if (stream != NULL && encoder != NULL)
		failure = write_frame(encoder, job, stream, room, &size);
	charls_jpegls_encoder_destroy(encoder);
	if (failure)
		return failed(failure, err);
	rs_buffer_append(job->stream, stream, size);
	return RS_OK;
}
