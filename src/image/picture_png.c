/* PNG (ISO/IEC 15948): chunks, filters, samples of 1 to 16 bits; colours become luma (ITU-R BT.601), transparency is passed
 * over. */
#include <string.h>
#include <zlib.h>

#include "format.h"
#include "picture.h"

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

enum colour { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6 };
struct png {
	size_t width, height;
	unsigned bits, colour, samples;
	uint8_t palette[256][3];
	size_t palette_size;
	size_t row_size;       /* bytes, without the filter's */
	struct rs_buffer data; /* of all IDAT */
};

bool png_begins(struct rs_bytes file)
{
	return file.size >= sizeof signature && memcmp(file.data, signature, sizeof signature) == 0;
}

static enum rs_code wrong(const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "a PNG whose %s cannot be", what);
}

static enum rs_code read_header(struct png *png, struct rs_bytes chunk, struct rs_error *err)
{
	static const uint8_t samples[] = {1, 0, 3, 1, 2, 0, 4};
	if (chunk.size != 13)
		return wrong("header", err);
	png->width = rs_read_be32(chunk.data);
	png->height = rs_read_be32(chunk.data + 4);
	png->bits = chunk.data[8];
	png->colour = chunk.data[9];
	png->samples = png->colour < sizeof samples ? samples[png->colour] : 0;
	const bool bits = png->bits == 8 || (png->bits == 16 && png->colour != PALETTE) ||
	                  ((png->bits == 1 || png->bits == 2 || png->bits == 4) && png->samples == 1);
	if (!png->samples || !bits || chunk.data[10] || chunk.data[11] || chunk.data[12] > 1)
		return wrong("header", err);
	if (chunk.data[12])
		return rs_error_set(err, RS_UNSUPPORTED, "an interlaced PNG; save it without interlacing");
	if (png->width > RS_PICTURE_SIDE_MAX || png->height > RS_PICTURE_SIDE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a PNG of %zu x %zu pixels; sides are at most %d",
		                    png->width, png->height, RS_PICTURE_SIDE_MAX);
	png->row_size = (png->width * png->bits * png->samples + 7) / 8;
	return RS_OK;
}

static enum rs_code read_chunk(struct png *png, uint32_t type, struct rs_bytes chunk, struct rs_error *err)
{
	const bool begun = png->bits != 0;
	if ((type == 0x49484452) == begun) /* IHDR, once, and first */
		return wrong("order of chunks", err);
	if (!begun)
		return read_header(png, chunk, err);
	if (type == 0x49444154) /* IDAT */
		return rs_buffer_append_bytes(&png->data, chunk) == RS_OK
		               ? RS_OK
		               : rs_buffer_check(&png->data, "a PNG", err);
	if (type == 0x504c5445) { /* PLTE */
		if (chunk.size % 3 || chunk.size > sizeof png->palette)
			return wrong("palette", err);
		memcpy(png->palette, chunk.data, chunk.size);
		png->palette_size = chunk.size / 3;
	}
	return RS_OK;
}

static enum rs_code read_chunks(struct png *png, struct rs_bytes file, struct rs_error *err)
{
	for (size_t at = sizeof signature; file.size - at >= 12;) {
		const uint32_t size = rs_read_be32(file.data + at), type = rs_read_be32(file.data + at + 4);
		if (size > file.size - at - 12)
			return wrong("length of a chunk", err);
		if (crc32(0, file.data + at + 4, size + 4) != rs_read_be32(file.data + at + 8 + size))
			return wrong("checksum", err);
		if (type == 0x49454e44) /* IEND */
			return png->data.size ? RS_OK : wrong("data", err);
		RS_TRY(read_chunk(png, type, rs_bytes_of(file.data + at + 8, size), err));
		at += (size_t)size + 12;
	}
	return wrong("end", err);
}

static uint8_t nearest_of(uint8_t left, uint8_t up, uint8_t corner)
{
	const int guess = left + up - corner;
	const int a = guess > left ? guess - left : left - guess, b = guess > up ? guess - up : up - guess;
	const int c = guess > corner ? guess - corner : corner - guess;
	return a <= b && a <= c ? left : b <= c ? up : corner;
}

/* A row as it was before it was filtered; above: the row before it. step: bytes of a pixel. */
static bool unfilter(uint8_t filter, uint8_t *row, const uint8_t *above, size_t size, size_t step)
{
	for (size_t i = 0; i < size; i++) {
		const uint8_t left = i >= step ? row[i - step] : 0, up = above ? above[i] : 0;
		const uint8_t corner = above && i >= step ? above[i - step] : 0;
		switch (filter) {
		case 0: break;
		case 1: row[i] = (uint8_t)(row[i] + left); break;
		case 2: row[i] = (uint8_t)(row[i] + up); break;
		case 3: row[i] = (uint8_t)(row[i] + (left + up) / 2); break;
		case 4: row[i] = (uint8_t)(row[i] + nearest_of(left, up, corner)); break;
		default: return false;
		}
	}
	return true;
}

static double sample_of(const struct png *png, const uint8_t *row, size_t index)
{
	if (png->bits == 16)
		return rs_read_be16(row + 2 * index) / 65535.0;
	const unsigned per_byte = 8 / png->bits, most = (1u << png->bits) - 1;
	const unsigned shift = (unsigned)(per_byte - 1 - index % per_byte) * png->bits;
	const unsigned value = row[index / per_byte] >> shift & most;
	return png->colour == PALETTE ? value : (double)value / most;
}

static bool grey_of(const struct png *png, const uint8_t *row, size_t x, float *out)
{
	double red, green, blue;
	const size_t at = x * png->samples;
	red = green = blue = sample_of(png, row, at);
	if (png->colour == PALETTE) {
		const size_t entry = (size_t)red;
		if (entry >= png->palette_size)
			return false;
		red = png->palette[entry][0] / 255.0;
		green = png->palette[entry][1] / 255.0;
		blue = png->palette[entry][2] / 255.0;
	} else if (png->colour & RGB) {
		green = sample_of(png, row, at + 1);
		blue = sample_of(png, row, at + 2);
	}
	*out = (float)(png->colour & RGB ? 0.299 * red + 0.587 * green + 0.114 * blue : red);
	return true;
}

static enum rs_code take_rows(const struct png *png, struct rs_buffer *rows, struct rs_picture *out,
                              struct rs_error *err)
{
	const size_t pixel = png->bits * png->samples / 8, pitch = png->row_size + 1;
	for (size_t y = 0; y < png->height; y++) {
		uint8_t *row = rows->data + y * pitch + 1;
		if (!unfilter(row[-1], row, y ? row - pitch : NULL, png->row_size, pixel ? pixel : 1))
			return wrong("filter", err);
		for (size_t x = 0; x < png->width; x++)
			if (!grey_of(png, row, x, &out->values[y * png->width + x]))
				return wrong("palette", err);
	}
	return RS_OK;
}

static enum rs_code read_rows(const struct png *png, struct rs_picture *out, struct rs_error *err)
{
	struct rs_buffer rows RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_picture picture = {0};
	const size_t size = (png->row_size + 1) * png->height;
	RS_TRY(picture_init(&picture, png->width, png->height, err));
	rs_buffer_init(&rows, size);
	enum rs_code code = inflate_exactly(rs_buffer_bytes(&png->data), size, &rows, err);
	if (code == RS_OK)
		code = take_rows(png, &rows, &picture, err);
	if (code != RS_OK)
		rs_picture_finish(&picture);
	else
		*out = picture;
	return code;
}

enum rs_code png_read(struct rs_bytes file, struct rs_picture *out, struct rs_error *err)
{
	struct png png = {0};
	rs_buffer_init(&png.data, file.size);
	enum rs_code code = read_chunks(&png, file, err);
	if (code == RS_OK)
		code = read_rows(&png, out, err);
	rs_buffer_finish(&png.data);
	return code;
}

/* ---- writing ---- */

static void write_chunk(struct rs_buffer *out, const char *type, struct rs_bytes data)
{
	uint8_t number[4];
	const size_t begin = out->size;
	rs_write_be32(number, (uint32_t)data.size);
	rs_buffer_append(out, number, sizeof number);
	rs_buffer_append(out, type, 4);
	rs_buffer_append_bytes(out, data);
	if (out->failed != RS_OK)
		return;
	rs_write_be32(number, (uint32_t)crc32(0, out->data + begin + 4, (uInt)data.size + 4));
	rs_buffer_append(out, number, sizeof number);
}

enum rs_code rs_png_write(const uint8_t *pixels, size_t samples, size_t width, size_t height,
                          struct rs_buffer *out, struct rs_error *err)
{
	const size_t row = samples * width, size = (row + 1) * height;
	uint8_t header[13] = {[8] = 8, [9] = samples == 3 ? RGB : GREY};
	uLongf packed_size = compressBound((uLong)size);
	uint8_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate(size);
	uint8_t *packed RS_CLEANUP(rs_free_pointer) = rs_allocate(packed_size);
	if (!rows || !packed)
		return rs_error_memory(err, size, "a PNG");
	for (size_t y = 0; y < height; y++)
		memcpy(rows + y * (row + 1) + 1, pixels + y * row, row);
	if (compress2(packed, &packed_size, rows, (uLong)size, Z_DEFAULT_COMPRESSION) != Z_OK)
		return rs_error_memory(err, size, "a PNG");
	rs_write_be32(header, (uint32_t)width);
	rs_write_be32(header + 4, (uint32_t)height);
	rs_buffer_append(out, signature, sizeof signature);
	write_chunk(out, "IHDR", rs_bytes_of(header, sizeof header));
	write_chunk(out, "IDAT", rs_bytes_of(packed, packed_size));
	write_chunk(out, "IEND", (struct rs_bytes){NULL, 0});
	return rs_buffer_check(out, "a PNG", err);
}
