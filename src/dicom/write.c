/* Writes a parsed file back, bit for bit. */
#include <string.h>

#include "dicom/dicom_private.h"

static void put16(struct rs_buffer *out, bool big, uint16_t value)
{
	uint8_t p[2];
	(big ? rs_write_be16 : rs_write_le16)(p, value);
	rs_buffer_append(out, p, sizeof(p));
}

static void put32(struct rs_buffer *out, bool big, uint32_t value)
{
	uint8_t p[4];
	(big ? rs_write_be32 : rs_write_le32)(p, value);
	rs_buffer_append(out, p, sizeof(p));
}

void rs_dicom_put_header(struct rs_buffer *out, const struct rs_dicom_element *e)
{
	bool big = e->encoding == RS_DICOM_EXPLICIT_BE;
	put16(out, big, (uint16_t)(e->tag >> 16));
	put16(out, big, (uint16_t)e->tag);
	if (e->tag >> 16 == 0xFFFE || e->encoding == RS_DICOM_IMPLICIT_LE) {
		put32(out, big, e->length);
		return;
	}
	rs_buffer_append(out, e->vr, 2);
	if (rs_dicom_vr_is_short(e->vr)) {
		put16(out, big, (uint16_t)e->length);
		return;
	}
	put16(out, big, e->reserved);
	put32(out, big, e->length);
}

/* Ends the container `e` when its length is undefined. What is in an UN is little endian, its end too. */
static void put_end(struct rs_buffer *out, const struct rs_dicom_element *e)
{
	bool big = e->encoding == RS_DICOM_EXPLICIT_BE && strcmp(e->vr, "UN") != 0;
	uint32_t tag = e->tag == RS_DICOM_ITEM ? DELIMITER_ITEM : DELIMITER_SEQUENCE;
	if (e->length != RS_DICOM_UNDEFINED)
		return;
	put16(out, big, (uint16_t)(tag >> 16));
	put16(out, big, (uint16_t)tag);
	put32(out, big, 0);
}

static void put_elements(const struct rs_dicom *d, size_t from, size_t to, struct rs_buffer *out)
{
	for (size_t i = from; i < to; i = d->elements[i].next) {
		const struct rs_dicom_element *e = &d->elements[i];
		rs_dicom_put_header(out, e);
		if (!e->has_children) {
			rs_buffer_append_bytes(out, e->value);
			continue;
		}
		put_elements(d, i + 1, e->next, out);
		put_end(out, e);
	}
}

enum rs_code rs_dicom_write(const struct rs_dicom *dicom, struct rs_buffer *out, struct rs_error *err)
{
	if (dicom->preamble.size != 0) {
		rs_buffer_append_bytes(out, dicom->preamble);
		rs_buffer_append(out, "DICM", 4);
	}
	if (dicom->encoding == RS_DICOM_DEFLATED_LE) {
		put_elements(dicom, 0, dicom->meta_count, out);
		rs_buffer_append_bytes(out, dicom->deflated);
	} else {
		put_elements(dicom, 0, dicom->count, out);
	}
	return rs_buffer_check(out, "the DICOM file", err);
}
