/* RLE (PS3.5 annex G): byte planes, the most significant first, each packed as PackBits does. */
#include <string.h>

#include "codec/protocol.h"

#define HEADER_SIZE ((size_t)64)
#define SEGMENTS_MAX 15

/* How a frame falls into segments. Of single bits eight are a byte of one segment (PS3.5 section 8.1.1). */
struct planes {
	size_t count;  /* segments */
	size_t bytes;  /* of a sample */
	size_t step;   /* from a byte of a plane to its next */
	size_t length; /* bytes of a plane */
};

static enum rs_code planes_of(const struct rs_codec_shape *shape, struct planes *out, struct rs_error *err)
{
	size_t size = 0;
	if (!rs_codec_size(shape, &size))
		return rs_error_set(err, RS_TOO_LARGE, "a frame of such a size is not read");
	out->bytes = shape->bits_allocated == 1 ? 1 : shape->bits_allocated / 8;
	out->step = shape->bits_allocated == 1 ? 1 : out->bytes * shape->samples;
	out->count = out->step;
	out->length = size / out->step;
	if (out->count > SEGMENTS_MAX)
		return rs_error_set(err, RS_UNSUPPORTED, "RLE has at most %d segments; these pixels need %zu",
		                    SEGMENTS_MAX, out->count);
	return RS_OK;
}

/* Where the first byte of a segment's plane goes: segments run from the highest byte of a sample to its lowest. */
static size_t first_of(const struct planes *planes, size_t segment)
{
	return segment / planes->bytes * planes->bytes + (planes->bytes - 1 - segment % planes->bytes);
}

/* It must hold what the plane needs; what follows is padding. */
static bool unpack(struct rs_bytes in, uint8_t *out, size_t step, size_t length)
{
	size_t pos = 0, done = 0;
	while (done < length && pos < in.size) {
		const uint8_t n = in.data[pos++];
		if (n == 128)
			continue;
		const size_t run = n < 128 ? (size_t)n + 1 : 257 - (size_t)n;
		if (pos + (n < 128 ? run : 1) > in.size)
			return false;
		for (size_t k = 0; k < run && done < length; k++, done++)
			out[done * step] = in.data[n < 128 ? pos + k : pos];
		pos += n < 128 ? run : 1;
	}
	return done == length;
}

enum rs_code rle_decode(const struct rs_codec_shape *shape, struct rs_bytes in, uint8_t *out,
                        struct rs_error *err)
{
	struct planes planes;
	RS_TRY(planes_of(shape, &planes, err));
	if (in.size < HEADER_SIZE)
		return rs_error_set(err, RS_MALFORMED, "an RLE frame has %zu bytes; its header alone has 64",
		                    in.size);
	if (rs_read_le32(in.data) != planes.count)
		return rs_error_set(err, RS_MALFORMED, "an RLE frame has %lu segments; these pixels need %zu",
		                    (unsigned long)rs_read_le32(in.data), planes.count);
	for (size_t s = 0; s < planes.count; s++) {
		const size_t from = rs_read_le32(in.data + 4 + 4 * s);
		const size_t to = s + 1 < planes.count ? rs_read_le32(in.data + 8 + 4 * s) : in.size;
		if (from < HEADER_SIZE || from > to || to > in.size ||
		    !unpack(rs_bytes_of(in.data + from, to - from), out + first_of(&planes, s), planes.step,
		            planes.length))
			return rs_error_set(err, RS_MALFORMED, "RLE segment %zu is damaged or cut off", s);
	}
	return RS_OK;
}

/* One row of a plane: runs of three and more are worth a pair of bytes. Rows are packed one by one (annex G.3.1). */
static void pack(const uint8_t *in, size_t step, size_t length, struct rs_buffer *out)
{
	uint8_t plain[128];
	size_t at = 0, kept = 0;
	while (at < length) {
		size_t run = 1;
		while (run < 128 && at + run < length && in[(at + run) * step] == in[at * step])
			run++;
		if (run < 3) {
			plain[kept++] = in[at++ * step];
		} else {
			at += run;
		}
		if (kept != 0 && (run >= 3 || kept == sizeof plain || at == length)) {
			rs_buffer_append_u8(out, (uint8_t)(kept - 1));
			rs_buffer_append(out, plain, kept);
			kept = 0;
		}
		if (run >= 3) {
			rs_buffer_append_u8(out, (uint8_t)(257 - run));
			rs_buffer_append_u8(out, in[(at - 1) * step]);
		}
	}
}

enum rs_code rle_encode(const struct rs_codec_shape *shape, struct rs_bytes pixels, struct rs_buffer *out,
                        struct rs_error *err)
{
	struct planes planes;
	uint8_t header[HEADER_SIZE] = {0};
	const size_t start = out->size;
	RS_TRY(planes_of(shape, &planes, err));
	const size_t row = shape->bits_allocated == 1 ? planes.length : shape->columns;
	rs_write_le32(header, (uint32_t)planes.count);
	rs_buffer_append(out, header, sizeof header);
	for (size_t s = 0; s < planes.count && out->failed == RS_OK; s++) {
		rs_write_le32(out->data + start + 4 + 4 * s, (uint32_t)(out->size - start));
		for (size_t at = 0; at < planes.length; at += row)
			pack(pixels.data + first_of(&planes, s) + at * planes.step, planes.step, row, out);
		if ((out->size - start) % 2 != 0)
			rs_buffer_append_u8(out, 0);
	}
	return rs_buffer_check(out, "an RLE frame", err);
}
