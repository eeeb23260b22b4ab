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

static enum rs_code native(const struct rs_dicom_element *e, const struct rs_dicom_metadata *m, size_t frame,
                           double *out, size_t count, struct rs_error *err)
{
	unsigned bits = e->tag == TAG_FLOAT ? 32 : e->tag == TAG_DOUBLE ? 64 : m->bits_allocated;
	bool big = e->encoding == RS_DICOM_EXPLICIT_BE;
	size_t first, end, end_bits;
	if (!rs_mul_size(frame, count, &first) || !rs_add_size(first, count, &end) ||
	    !rs_mul_size(end, bits, &end_bits) || end_bits / 8 + (end_bits % 8 != 0) > e->value.size)
		return rs_error_set(err, RS_MALFORMED,
		                    "pixel data at byte %llu has %zu bytes, too few for frame %zu",
		                    (unsigned long long)e->offset, e->value.size, frame);
	for (size_t i = 0; i < count; i++) {
		size_t at = first + i;
		double value;
		if (bits == 1) {
			/* Big endian words of OW hold their bytes the other way round. */
			size_t byte = big && e->vr[1] == 'W' && (at / 8 ^ 1) < e->value.size ? at / 8 ^ 1
			                                                                     : at / 8;
			value = e->value.data[byte] >> (at % 8) & 1;
		} else if (bits == 8 && big && e->vr[1] == 'W' && (at ^ 1) < e->value.size) {
			value = from_bits(m, e->value.data[at ^ 1]);
		} else {
			uint64_t raw = read_bits(e->value.data + at * (bits / 8), bits, big);
			float single;
			uint32_t low = (uint32_t)raw;
			memcpy(&single, &low, sizeof(single));
			value = (double)single;
			if (e->tag == TAG_DOUBLE)
				memcpy(&value, &raw, sizeof(value));
			else if (e->tag != TAG_FLOAT)
				value = from_bits(m, raw);
		}
		out[place(m, i, count)] = value;
	}
	return RS_OK;
}

/* One RLE segment (PackBits, annex G.3.1) into the byte plane `shift` of `words`. */
static bool unpack(struct rs_bytes in, uint64_t *words, size_t stride, size_t count, unsigned shift)
{
	size_t pos = 0;
	size_t done = 0;
	while (done < count && pos < in.size) {
		uint8_t n = in.data[pos++];
		if (n == 128)
			continue;
		size_t run = n < 128 ? (size_t)n + 1 : 257 - (size_t)n;
		if (pos + (n < 128 ? run : 1) > in.size)
			return false;
		for (size_t k = 0; k < run && done < count; k++, done++)
			words[done * stride] |= (uint64_t)in.data[n < 128 ? pos + k : pos] << shift;
		pos += n < 128 ? run : 1;
	}
	return done == count;
}

static enum rs_code rle(const struct rs_dicom *d, const struct rs_dicom_element *e,
                        const struct rs_dicom_metadata *m, size_t frame, double *out, size_t count,
                        struct rs_error *err)
{
	/* Annex A.4.2: every frame is one fragment, after the offset table. */
	const struct rs_dicom_element *fragment = rs_dicom_item(d, e, frame + 1);
	unsigned bytes = m->bits_allocated / 8;
	size_t segments = (size_t)bytes * m->samples_per_pixel;
	if (fragment == NULL || fragment->value.size < 64 || bytes == 0 || segments > 15 ||
	    rs_read_le32(fragment->value.data) != segments)
		return rs_error_set(err, RS_MALFORMED,
		                    "RLE frame %zu is missing or its header does not name %zu segments",
		                    frame, segments);
	uint64_t *words RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof(*words));
	if (words == NULL)
		return rs_error_memory(err, count, "RLE frame");
	for (size_t s = 0; s < segments; s++) {
		size_t from = rs_read_le32(fragment->value.data + 4 + 4 * s);
		size_t to = s + 1 < segments ? rs_read_le32(fragment->value.data + 8 + 4 * s)
		                             : fragment->value.size;
		if (from < 64 || from > to || to > fragment->value.size ||
		    !unpack(rs_bytes_of(fragment->value.data + from, to - from), words + s / bytes,
		            m->samples_per_pixel, count / m->samples_per_pixel,
		            8 * (bytes - 1 - (unsigned)(s % bytes))))
			return rs_error_set(err, RS_MALFORMED,
			                    "RLE segment %zu of frame %zu at byte %llu is damaged or cut off",
			                    s, frame, (unsigned long long)fragment->offset);
	}
	for (size_t i = 0; i < count; i++)
		out[i] = from_bits(m, words[i]);
	return RS_OK;
}

enum rs_code rs_dicom_pixels(const struct rs_dicom *dicom, size_t frame, double *out, size_t out_count,
                             struct rs_error *err)
{
	struct rs_dicom_metadata m = {0};
	RS_TRY(rs_dicom_metadata(dicom, &m, err));
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
