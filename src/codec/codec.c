/* The table of transfer syntaxes, and the checks that stand before and behind every decoder. */
#include "codec/codec.h"

#include <string.h>

#include <zlib.h>

#include "codec/protocol.h"

#define DEFLATED_FRAMES "1.2.840.10008.1.2.8.1"

static const struct row {
	const char *transfer_syntax;
	enum codec_kind kind; /* of the worker's; CODEC_NONE: done here */
	bool encodes;         /* without loss */
} rows[] = {
	{RS_CODEC_RLE, CODEC_NONE, true},
	{DEFLATED_FRAMES, CODEC_NONE, false},
	{RS_CODEC_JPEG, CODEC_JPEG, false},                     /* baseline, process 1 */
	{"1.2.840.10008.1.2.4.51", CODEC_JPEG, false},          /* extended, processes 2 and 4 */
	{"1.2.840.10008.1.2.4.57", CODEC_JPEG_LOSSLESS, false}, /* process 14 */
	{"1.2.840.10008.1.2.4.70", CODEC_JPEG_LOSSLESS, false}, /* process 14, first-order prediction */
	{"1.2.840.10008.1.2.4.80", CODEC_JPEG_LS, true},
	{"1.2.840.10008.1.2.4.81", CODEC_JPEG_LS, false}, /* near-lossless */
	{"1.2.840.10008.1.2.4.90", CODEC_J2K, true},
	{"1.2.840.10008.1.2.4.91", CODEC_J2K, false},
	{"1.2.840.10008.1.2.4.201", CODEC_J2K, false}, /* high throughput: lossless, lossless RPCL, lossy */
	{"1.2.840.10008.1.2.4.202", CODEC_J2K, false},
	{"1.2.840.10008.1.2.4.203", CODEC_J2K, false},
};

static const struct row *row_of(const char *transfer_syntax)
{
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		if (strcmp(rows[i].transfer_syntax, transfer_syntax) == 0)
			return &rows[i];
	return NULL;
}

bool rs_codec_decodes(const char *transfer_syntax) { return row_of(transfer_syntax) != NULL; }

bool rs_codec_encodes(const char *transfer_syntax)
{
	const struct row *row = row_of(transfer_syntax);
	return row != NULL && row->encodes;
}

bool rs_codec_size(const struct rs_codec_shape *shape, size_t *out)
{
	const size_t bits = shape->bits_allocated;
	size_t samples;
	if (shape->rows == 0 || shape->columns == 0 || shape->samples == 0 || shape->samples > 4 ||
	    (bits != 1 && bits != 8 && bits != 16 && bits != 32 && bits != 64) ||
	    !rs_mul_size(shape->rows, shape->columns, &samples) ||
	    !rs_mul_size(samples, shape->samples, &samples) || samples > RS_CODEC_SAMPLES_MAX)
		return false;
	*out = bits == 1 ? (samples + 7) / 8 : samples * (bits / 8);
	return true;
}

static enum rs_code check(const char *transfer_syntax, const struct rs_codec_shape *shape, size_t *out_size,
                          const struct row **out_row, struct rs_error *err)
{
	const struct row *row = row_of(transfer_syntax);
	if (row == NULL)
		return rs_error_set(err, RS_UNSUPPORTED, "there is no decoder of %s here", transfer_syntax);
	if (!rs_codec_size(shape, out_size) || (row->kind != CODEC_NONE && shape->bits_allocated == 64))
		return rs_error_set(
			err, RS_TOO_LARGE,
			"frames of %u x %u pixels, %u samples of %u bits; up to %zu samples are read",
			shape->columns, shape->rows, shape->samples, shape->bits_allocated,
			RS_CODEC_SAMPLES_MAX);
	if (shape->bits_stored == 0 || shape->bits_stored > shape->bits_allocated)
		return rs_error_set(err, RS_MALFORMED, "BitsStored %u does not fit BitsAllocated %u",
		                    shape->bits_stored, shape->bits_allocated);
	*out_row = row;
	return RS_OK;
}

/* Signed samples of fewer bits than are allocated: the sign goes to the bits above. */
static void extend(const struct rs_codec_shape *shape, unsigned bits, uint8_t *pixels, size_t size)
{
	if (!shape->is_signed || bits == 0 || bits >= shape->bits_allocated)
		return;
	const uint32_t sign = (uint32_t)1 << (bits - 1), mask = (sign << 1) - 1;
	const size_t step = shape->bits_allocated / 8;
	for (size_t at = 0; at < size; at += step) {
		uint32_t value = 0;
		for (size_t k = 0; k < step; k++)
			value |= (uint32_t)pixels[at + k] << (8 * k);
		value = ((value & mask) ^ sign) - sign;
		for (size_t k = 0; k < step; k++)
			pixels[at + k] = (uint8_t)(value >> (8 * k));
	}
}

/* Deflated Image Frame Compression (PS3.5 section A.4.13): the native frame, deflated; a byte may pad it. */
static enum rs_code inflate_frame(struct rs_bytes in, uint8_t *out, size_t size, struct rs_error *err)
{
	union {
		const uint8_t *ours;
		uint8_t *zlibs; /* which reads it, and does not say so */
	} start = {in.data};
	z_stream stream = {
		.next_in = start.zlibs, .avail_in = (uInt)in.size, .next_out = out, .avail_out = (uInt)size};
	if (in.size > UINT32_MAX || size > UINT32_MAX || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return rs_error_set(err, RS_TOO_LARGE, "a deflated frame of %zu bytes", in.size);
	const int status = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	if (stream.avail_out == 0 &&
	    (status == Z_STREAM_END || status == Z_BUF_ERROR)) /* or one byte of padding is left */
		return RS_OK;
	return rs_error_set(err, RS_MALFORMED, "a deflated frame of %zu bytes is damaged", size);
}

static enum rs_code ask(const struct row *row, const struct codec_request *asked, struct rs_bytes in,
                        struct codec_answer *answer, struct rs_buffer *out, struct rs_error *err)
{
	struct codec_request request = *asked;
	request.magic = CODEC_MAGIC;
	request.kind = row->kind;
	request.in_size = in.size;
	request.out_max = out->maximum < CODEC_SENTENCE_MAX ? CODEC_SENTENCE_MAX : out->maximum;
	if (in.size > CODEC_IN_MAX || request.out_max > CODEC_OUT_MAX)
		return rs_error_set(err, RS_TOO_LARGE,
		                    "a frame of %zu bytes; at most %zu are given to a codec", in.size,
		                    CODEC_IN_MAX);
	return worker_ask(&request, in, answer, out, err);
}

/* Single bits come as bytes, and are packed here, the first pixel lowest (PS3.5 section 8.1.1). */
static void pack_bits(const struct rs_buffer *pixels, uint8_t *out, size_t size)
{
	memset(out, 0, size);
	for (size_t i = 0; i < pixels->size; i++)
		out[i / 8] |= (uint8_t)((pixels->data[i] & 1) << (i % 8));
}

static enum rs_code decode_by_worker(const struct row *row, const struct rs_codec_shape *shape,
                                     struct rs_bytes frame, uint8_t *out, size_t size,
                                     struct rs_codec_decoded *out_what, struct rs_error *err)
{
	struct rs_buffer pixels RS_CLEANUP(rs_buffer_finish) = {0};
	struct codec_request request = {.shape = *shape};
	struct codec_answer answer = {0};
	size_t expected = size;
	if (shape->bits_allocated == 1) {
		request.shape.bits_allocated = 8;
		expected = (size_t)shape->rows * shape->columns * shape->samples;
	}
	rs_buffer_init(&pixels, expected);
	RS_TRY(ask(row, &request, frame, &answer, &pixels, err));
	/* The worker is not believed: a frame may have taken it over. */
	if (pixels.size != expected || answer.bits == 0 || answer.bits > shape->bits_allocated)
		return rs_error_set(err, RS_MALFORMED,
		                    "the decoder gave %zu bytes of %u bits; the frame has %zu of up to %u",
		                    pixels.size, answer.bits, expected, shape->bits_allocated);
	if (shape->bits_allocated == 1) {
		pack_bits(&pixels, out, size);
	} else {
		extend(shape, answer.bits, pixels.data, size);
		memcpy(out, pixels.data, size);
	}
	*out_what = (struct rs_codec_decoded){.bits = answer.bits, .is_rgb = answer.is_rgb != 0};
	return RS_OK;
}

enum rs_code rs_codec_decode(const char *transfer_syntax, const struct rs_codec_shape *shape,
                             struct rs_bytes frame, uint8_t *out, struct rs_codec_decoded *out_what,
                             struct rs_error *err)
{
	const struct row *row = NULL;
	size_t size = 0;
	RS_TRY(check(transfer_syntax, shape, &size, &row, err));
	if (row->kind == CODEC_NONE) {
		RS_TRY(strcmp(row->transfer_syntax, RS_CODEC_RLE) == 0
		               ? rle_decode(shape, frame, out, err)
		               : inflate_frame(frame, out, size, err));
		*out_what = (struct rs_codec_decoded){0};
		return RS_OK;
	}
	return decode_by_worker(row, shape, frame, out, size, out_what, err);
}

/* What lies above BitsStored would be lost: signs, or nothing, may. */
static bool fits(const struct rs_codec_shape *shape, struct rs_bytes pixels)
{
	const size_t step = shape->bits_allocated / 8;
	if (shape->bits_stored >= shape->bits_allocated || shape->bits_allocated > 32)
		return true;
	for (size_t at = 0; at < pixels.size; at += step) {
		uint32_t value = 0, above;
		for (size_t k = 0; k < step; k++)
			value |= (uint32_t)pixels.data[at + k] << (8 * k);
		above = value >> (shape->bits_stored - (shape->is_signed ? 1 : 0));
		if (above != 0 && !(shape->is_signed && above == UINT32_MAX >> (32 - shape->bits_allocated) >>
		                                                         (shape->bits_stored - 1)))
			return false;
	}
	return true;
}

enum rs_code rs_codec_encode(const char *transfer_syntax, const struct rs_codec_shape *shape,
                             struct rs_bytes pixels, unsigned quality, struct rs_buffer *out,
                             struct rs_error *err)
{
	struct rs_buffer stream RS_CLEANUP(rs_buffer_finish) = {0};
	struct codec_answer answer = {0};
	const struct row *row = NULL;
	size_t size = 0;
	RS_TRY(check(transfer_syntax, shape, &size, &row, err));
	if (!row->encodes && row->kind != CODEC_JPEG)
		return rs_error_set(err, RS_UNSUPPORTED, "there is no encoder of %s here", transfer_syntax);
	if (row->kind != CODEC_NONE && shape->bits_allocated == 1)
		return rs_error_set(err, RS_UNSUPPORTED, "single bits are compressed by RLE alone");
	if (pixels.size != size)
		return rs_error_set(err, RS_USAGE, "%zu bytes of pixels; the frame has %zu", pixels.size,
		                    size);
	if (row->kind == CODEC_NONE)
		return rle_encode(shape, pixels, out, err);
	if (!fits(shape, pixels))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "values beyond BitsStored %u are compressed by RLE alone",
		                    shape->bits_stored);
	rs_buffer_init(&stream, 2 * size + 65536); /* what cannot be compressed may grow a little */
	RS_TRY(ask(row, &(struct codec_request){.shape = *shape, .encoding = 1, .quality = quality}, pixels,
	           &answer, &stream, err));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&stream));
	return rs_buffer_check(out, "a compressed frame", err);
}
