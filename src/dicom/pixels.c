/* Stored pixel values of one frame (PS3.5 section 8, annex D), and how they lie in native data. */
#include <string.h>

#include "dicom/dicom_private.h"

#define TAG_FLOAT RS_DICOM_TAG(0x7FE0, 8)
#define TAG_DOUBLE RS_DICOM_TAG(0x7FE0, 9)

static double from_bits(const struct rs_dicom_metadata *m, uint64_t bits)
{
	unsigned low = m->high_bit + 1 - m->bits_stored;
	uint64_t mask = m->bits_stored >= 64 ? UINT64_MAX : ((uint64_t)1 << m->bits_stored) - 1;
	bits = bits >> low & mask;
	if (m->pixel_representation == 0)
		return (double)bits;
	uint64_t sign = (uint64_t)1 << (m->bits_stored - 1);
	return (double)(int64_t)((bits ^ sign) - sign);
}

static uint64_t read_bits(const uint8_t *p, unsigned bits, bool big)
{
	switch (bits) {
	case 8: return *p;
	case 16: return big ? rs_read_be16(p) : rs_read_le16(p);
	case 32: return big ? rs_read_be32(p) : rs_read_le32(p);
	default: return big ? rs_read_be64(p) : rs_read_le64(p);
	}
}

enum rs_code dicom_check_layout(const struct rs_dicom_metadata *m, size_t frame, size_t out_count,
                                struct rs_error *err)
{
	size_t count;
	unsigned a = m->bits_allocated;
	if (!rs_mul_size(m->rows, m->columns, &count) || !rs_mul_size(count, m->samples_per_pixel, &count) ||
	    count == 0 || count != out_count)
		return rs_error_set(err, RS_MALFORMED,
		                    "Rows %u, Columns %u and SamplesPerPixel %u do not make the "
		                    "%zu values asked for",
		                    m->rows, m->columns, m->samples_per_pixel, out_count);
	if (frame >= m->number_of_frames)
		return rs_error_set(err, RS_NOT_FOUND, "frame %zu does not exist; there are %u", frame,
		                    m->number_of_frames);
	if (a != 1 && a != 8 && a != 16 && a != 32 && a != 64)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "BitsAllocated (0028,0100) is %u; 1, 8, 16, 32 and 64 are read", a);
	if (m->bits_stored == 0 || m->bits_stored > a || m->high_bit >= a || m->high_bit + 1 < m->bits_stored)
		return rs_error_set(err, RS_MALFORMED,
		                    "BitsStored %u and HighBit %u do not fit BitsAllocated %u",
		                    m->bits_stored, m->high_bit, a);
	return RS_OK;
}

/* Index in `out` of the i-th stored sample; planes are interleaved. */
static size_t place(const struct rs_dicom_metadata *m, size_t i, size_t count)
{
	size_t plane = count / m->samples_per_pixel;
	if (m->planar_configuration == 0 || m->samples_per_pixel == 1)
		return i;
	return i % plane * m->samples_per_pixel + i / plane;
}

/* The bytes of big endian words of 8 or 1 bit (OW) lie the other way round. */
static size_t swapped(const struct rs_dicom_element *e, size_t byte)
{
	bool words = e->encoding == RS_DICOM_EXPLICIT_BE && e->vr[1] == 'W';
	return words && (byte ^ 1) < e->value.size ? byte ^ 1 : byte;
}

static double native_value(const struct rs_dicom_element *e, const struct rs_dicom_metadata *m, unsigned bits,
                           size_t at)
{
	const uint8_t *p = e->value.data;
	if (bits == 1)
		return p[swapped(e, at / 8)] >> (at % 8) & 1;
	if (bits == 8)
		return from_bits(m, p[swapped(e, at)]);
	uint64_t raw = read_bits(p + at * (bits / 8), bits, e->encoding == RS_DICOM_EXPLICIT_BE);
	if (e->tag == TAG_FLOAT) {
		uint32_t low = (uint32_t)raw;
		float single;
		memcpy(&single, &low, sizeof(single));
		return (double)single;
	}
	if (e->tag == TAG_DOUBLE) {
		double value;
		memcpy(&value, &raw, sizeof(value));
		return value;
	}
	return from_bits(m, raw);
}

/* PS3.3 C.7.6.3.1.2: two pixels side by side share their chrominance and lie as Y1 Y2 Cb Cr. */
static bool is_subsampled(const struct rs_dicom_metadata *m)
{
	return rs_str_ends_with(m->photometric_interpretation, "_422") && m->samples_per_pixel == 3 &&
	       m->bits_allocated == 8 && m->columns % 2 == 0;
}

static enum rs_code native(const struct rs_dicom_element *e, const struct rs_dicom_metadata *m, size_t frame,
                           double *out, size_t count, struct rs_error *err)
{
	unsigned bits = m->bits_allocated;
	bool halved = is_subsampled(m);
	size_t stored = halved ? count / 3 * 2 : count;
	size_t first, end, end_bits;
	if (!rs_mul_size(frame, stored, &first) || !rs_add_size(first, stored, &end) ||
	    !rs_mul_size(end, bits, &end_bits) || end_bits / 8 + (end_bits % 8 != 0) > e->value.size)
		return rs_error_set(err, RS_MALFORMED,
		                    "pixel data at byte %llu has %zu bytes, too few for frame %zu",
		                    (unsigned long long)e->offset, e->value.size, frame);
	for (size_t i = 0; halved && i < count; i++) {
		size_t pixel = i / 3, sample = i % 3;
		size_t four = first + pixel / 2 * 4;
		out[i] = native_value(e, m, bits, sample == 0 ? four + pixel % 2 : four + 1 + sample);
	}
	for (size_t i = 0; !halved && i < count; i++)
		out[place(m, i, count)] = native_value(e, m, bits, first + i);
	return RS_OK;
}

/* Values of a frame that was compressed. */
static enum rs_code compressed(const struct rs_dicom *dicom, const struct rs_dicom_metadata *m, size_t frame,
                               double *out, size_t count, struct rs_error *err)
{
	struct rs_dicom_frame decoded RS_CLEANUP(rs_dicom_frame_finish) = {0};
	struct rs_dicom_metadata description = *m;
	RS_TRY(rs_dicom_frame_read(dicom, frame, &decoded, err));
	description.bits_stored = decoded.shape.bits_stored;
	description.high_bit = decoded.high_bit;
	for (size_t i = 0; i < count; i++)
		out[i] = m->bits_allocated == 1
		                 ? decoded.pixels[i / 8] >> (i % 8) & 1
		                 : from_bits(&description,
		                             read_bits(decoded.pixels + i * (m->bits_allocated / 8),
		                                       m->bits_allocated, false));
	return RS_OK;
}

enum rs_code dicom_frame_native(const struct rs_dicom_element *e, const struct rs_dicom_metadata *m,
                                size_t frame, uint8_t *out, struct rs_error *err)
{
	const size_t count = (size_t)m->rows * m->columns * m->samples_per_pixel,
		     bytes = m->bits_allocated / 8;
	struct rs_dicom_metadata whole = *m; /* all bits, so that none is lost */
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	if (values == NULL)
		return rs_error_memory(err, count * sizeof *values, "a frame");
	whole.bits_stored = m->bits_allocated;
	whole.high_bit = m->bits_allocated - 1;
	whole.pixel_representation = 0;
	RS_TRY(native(e, &whole, frame, values, count, err));
	for (size_t i = 0; i < count; i++) {
		const uint64_t bits = (uint64_t)values[i];
		if (bytes == 0)
			out[i / 8] |= (uint8_t)(bits << (i % 8));
		for (size_t k = 0; k < bytes; k++)
			out[i * bytes + k] = (uint8_t)(bits >> (8 * k));
	}
	return RS_OK;
}

enum rs_code rs_dicom_pixels(const struct rs_dicom *dicom, size_t frame, double *out, size_t out_count,
                             struct rs_error *err)
{
	struct rs_dicom_metadata m = {0};
	RS_TRY(rs_dicom_pixel_description(dicom, &m, err));
	const struct rs_dicom_element *e = rs_dicom_find(dicom, NULL, RS_DICOM_PIXEL_DATA);
	if (e == NULL && (e = rs_dicom_find(dicom, NULL, TAG_FLOAT)) == NULL)
		e = rs_dicom_find(dicom, NULL, TAG_DOUBLE);
	if (e == NULL)
		return rs_error_set(err, RS_NOT_FOUND, "the file has no pixel data (7FE0,0010)");
	if (e->tag != RS_DICOM_PIXEL_DATA) {
		m.bits_allocated = m.bits_stored = e->tag == TAG_FLOAT ? 32 : 64;
		m.high_bit = m.bits_stored - 1;
	}
	RS_TRY(dicom_check_layout(&m, frame, out_count, err));
	return e->has_children ? compressed(dicom, &m, frame, out, out_count, err)
	                       : native(e, &m, frame, out, out_count, err);
}
