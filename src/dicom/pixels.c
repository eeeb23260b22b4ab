/* Stored pixel values of one frame: native (PS3.5 section 8, annex D) and RLE (annex G). */
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

static enum rs_code check_layout(const struct rs_dicom_metadata *m, size_t frame, size_t out_count,
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

/* Where a byte plane of RLE goes: byte k to words[k * stride], shifted. */
struct plane {
	uint64_t *words;
	size_t stride, count;
	unsigned shift;
};

/* One RLE segment (PackBits, annex G.3.1); it must hold exactly what the plane needs, but for padding. */
static bool unpack(struct rs_bytes in, const struct plane *plane)
{
	size_t pos = 0;
	size_t done = 0;
	while (done < plane->count && pos < in.size) {
		uint8_t n = in.data[pos++];
		if (n == 128)
			continue;
		size_t run = n < 128 ? (size_t)n + 1 : 257 - (size_t)n;
		if (pos + (n < 128 ? run : 1) > in.size)
			return false;
		for (size_t k = 0; k < run && done < plane->count; k++, done++)
			plane->words[done * plane->stride] |= (uint64_t)in.data[n < 128 ? pos + k : pos]
			                                      << plane->shift;
		pos += n < 128 ? run : 1;
	}
	return done == plane->count;
}

/* The frame's fragment, with as many segments as the pixels have bytes (annex A.4.2: one fragment a frame, behind
 * the offset table). */
static enum rs_code rle_fragment(const struct rs_dicom *d, const struct rs_dicom_element *e, size_t segments,
                                 size_t frame, const struct rs_dicom_element **out, struct rs_error *err)
{
	size_t index = (size_t)(e - d->elements) + 2 + frame; /* fragments have no children */
	if (segments > 15)
		return rs_error_set(err, RS_UNSUPPORTED, "RLE has at most 15 segments; these pixels need %zu",
		                    segments);
	if (index >= e->next)
		return rs_error_set(err, RS_MALFORMED, "RLE frame %zu has no fragment", frame);
	const struct rs_dicom_element *fragment = &d->elements[index];
	if (fragment->value.size < 64)
		return rs_error_set(err, RS_MALFORMED,
		                    "RLE frame %zu at byte %llu has %zu bytes; its header alone has 64",
		                    frame, (unsigned long long)fragment->offset, fragment->value.size);
	if (rs_read_le32(fragment->value.data) != segments)
		return rs_error_set(err, RS_MALFORMED,
		                    "RLE frame %zu at byte %llu has %lu segments; these pixels need %zu",
		                    frame, (unsigned long long)fragment->offset,
		                    (unsigned long)rs_read_le32(fragment->value.data), segments);
	*out = fragment;
	return RS_OK;
}

static enum rs_code rle(const struct rs_dicom *d, const struct rs_dicom_element *e,
                        const struct rs_dicom_metadata *m, size_t frame, double *out, size_t count,
                        struct rs_error *err)
{
	/* Of single bits eight are a byte of one segment, as in native data (PS3.5 section 8.1.1). */
	bool packed = m->bits_allocated == 1;
	size_t bytes = packed ? 1 : m->bits_allocated / 8;
	size_t samples = packed ? 1 : m->samples_per_pixel;
	size_t words_count = packed ? count / 8 + (count % 8 != 0) : count;
	size_t segments = bytes * samples;
	const struct rs_dicom_element *fragment = NULL;
	RS_TRY(rle_fragment(d, e, segments, frame, &fragment, err));
	const uint8_t *p = fragment->value.data;
	uint64_t *words RS_CLEANUP(rs_free_pointer) = rs_allocate_array(words_count, sizeof(*words));
	if (words == NULL)
		return rs_error_memory(err, words_count, "RLE frame");
	for (size_t s = 0; s < segments; s++) {
		size_t from = rs_read_le32(p + 4 + 4 * s);
		size_t to = s + 1 < segments ? rs_read_le32(p + 8 + 4 * s) : fragment->value.size;
		struct plane plane = {words + s / bytes, samples, words_count / samples,
		                      (unsigned)(8 * (bytes - 1 - s % bytes))};
		if (from < 64 || from > to || to > fragment->value.size ||
		    !unpack(rs_bytes_of(p + from, to - from), &plane))
			return rs_error_set(err, RS_MALFORMED,
			                    "RLE segment %zu of frame %zu at byte %llu is damaged or cut off",
			                    s, frame, (unsigned long long)fragment->offset);
	}
	for (size_t i = 0; i < count; i++)
		out[i] = packed ? (double)(words[i / 8] >> (i % 8) & 1) : from_bits(m, words[i]);
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
	RS_TRY(check_layout(&m, frame, out_count, err));
	if (!e->has_children)
		return native(e, &m, frame, out, out_count, err);
	if (strcmp(dicom->transfer_syntax, "1.2.840.10008.1.2.5") == 0)
		return rle(dicom, e, &m, frame, out, out_count, err);
	const char *name = rs_dicom_uid_name(rs_str_from(dicom->transfer_syntax));
	return rs_error_set(err, RS_UNSUPPORTED,
	                    "compressed as %s; this reader decodes uncompressed and RLE; "
	                    "transcode with gdcmconv --raw or dcmdjpeg",
	                    name != NULL ? name : dicom->transfer_syntax);
}
