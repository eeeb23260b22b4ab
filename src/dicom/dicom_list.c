/* Test tool: what the reader makes of a DICOM file, for comparison with other programs. One JSON array a line for each
 * element: path into sequences, VR, stored length, CRC-32 of the value, its bytes (short ones), and what it means: texts as
 * UTF-8, or numbers. Then one object: whether writing gives the same bytes, and the pixels. A refused file gives
 * {"refused": sentence} and status 1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "dicom/dicom.h"

#define SHOWN_BYTES_MAX 65536
#define SHOWN_NUMBERS_MAX 4096
#define OUT_MAX ((size_t)1 << 31)

static uint64_t checksum(struct rs_bytes bytes)
{
	uLong crc = crc32(0, NULL, 0);
	while (bytes.size != 0) {
		uInt part = bytes.size < (1u << 30) ? (uInt)bytes.size : 1u << 30;
		crc = crc32(crc, bytes.data, part);
		bytes.data += part;
		bytes.size -= part;
	}
	return crc;
}

/* "00081140[0].00081155": the tag behind the path of its sequence and the number of its item. */
static void put_path(const struct rs_dicom *d, const size_t *places, const struct rs_dicom_element *e,
                     struct rs_buffer *path)
{
	if (e->parent != RS_DICOM_NONE) {
		put_path(d, places, &d->elements[e->parent], path);
		if (e->tag == RS_DICOM_ITEM) {
			rs_buffer_printf(path, "[%zu]", places[e - d->elements]);
			return;
		}
		rs_buffer_append_u8(path, '.');
	}
	rs_buffer_printf(path, "%08" PRIx32, e->tag);
}

static bool vr_is_in(const char *vr, const char *list)
{
	for (; list[0] != '\0'; list += 2)
		if (memcmp(vr, list, 2) == 0)
			return true;
	return false;
}

static void put_texts(struct rs_json *json, const struct rs_dicom *d, const struct rs_dicom_element *e)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom_charset charset;
	struct rs_error err = {0};
	if (rs_dicom_charset_of(d, e, &charset, &err) != RS_OK) {
		rs_json_text(json, err.message);
		return;
	}
	rs_buffer_init(&text, OUT_MAX);
	rs_json_array_begin(json);
	for (size_t i = 0; i < rs_dicom_multiplicity(e) && i < SHOWN_NUMBERS_MAX; i++) {
		rs_buffer_clear(&text);
		if (rs_dicom_text_utf8(&charset, e, i, &text, NULL, &err) == RS_OK)
			rs_json_str(json, rs_buffer_str(&text));
	}
	rs_json_array_end(json);
}

static void put_meaning(struct rs_json *json, const struct rs_dicom *d, const struct rs_dicom_element *e)
{
	double number;
	if (e->has_children || e->value.size > (1u << 20)) {
		rs_json_null(json);
	} else if (vr_is_in(e->vr, "AEASCSDADTLOLTPNSHSTTMUCUIURUTDSIS")) {
		put_texts(json, d, e);
	} else if (vr_is_in(e->vr, "USSSULSLFLFDUVSV")) {
		rs_json_array_begin(json);
		for (size_t i = 0; i < SHOWN_NUMBERS_MAX && rs_dicom_double(e, i, &number); i++)
			rs_json_f64(json, number);
		rs_json_array_end(json);
	} else {
		rs_json_null(json);
	}
}

static void put_element(const struct rs_dicom *d, const size_t *places, const struct rs_dicom_element *e,
                        struct rs_buffer *out)
{
	struct rs_buffer path RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&path, 4096);
	put_path(d, places, e, &path);
	rs_json_init(&json, out, false);
	rs_json_array_begin(&json);
	rs_json_str(&json, rs_buffer_str(&path));
	rs_json_text(&json, e->vr);
	rs_json_u64(&json, e->length);
	rs_json_u64(&json, checksum(e->value));
	if (e->has_children || e->value.size > SHOWN_BYTES_MAX)
		rs_json_null(&json);
	else
		rs_json_hex(&json, e->value);
	put_meaning(&json, d, e);
	rs_json_array_end(&json);
	rs_buffer_append_u8(out, '\n');
}

/* Every element and fragment; items show in the paths of what they hold. */
static void put_elements(const struct rs_dicom *d, struct rs_buffer *out)
{
	size_t *places RS_CLEANUP(rs_free_pointer) = rs_allocate_array(d->count, sizeof *places);
	if (places == NULL)
		return;
	for (size_t i = 0; i < d->count; i++) {
		const struct rs_dicom_element *e = &d->elements[i];
		size_t place = 0;
		for (size_t k = i + 1; e->has_children && k < e->next; k = d->elements[k].next)
			places[k] = place++;
		if (e->tag != RS_DICOM_ITEM || !e->has_children)
			put_element(d, places, e, out);
	}
}

/* A CRC-32 of each frame's values as doubles, or why there are none. */
static void put_pixels(struct rs_json *json, const struct rs_dicom *d)
{
	struct rs_dicom_metadata m = {0};
	struct rs_error err = {0};
	size_t count = 0, size = 0;
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	enum rs_code code = rs_dicom_metadata(d, &m, &err);
	if (code == RS_OK && (m.present & RS_DICOM_HAS_PIXELS) == 0)
		code = rs_error_set(&err, RS_NOT_FOUND, "no pixels");
	if (code == RS_OK &&
	    (!rs_mul_size(m.rows, m.columns, &count) || !rs_mul_size(count, m.samples_per_pixel, &count) ||
	     !rs_mul_size(count, sizeof *values, &size) || size > OUT_MAX ||
	     (values = rs_allocate(size)) == NULL))
		code = rs_error_set(&err, RS_TOO_LARGE, "too large");
	rs_json_array_begin(json);
	for (size_t frame = 0; code == RS_OK && frame < m.number_of_frames; frame++) {
		code = rs_dicom_pixels(d, frame, values, count, &err);
		if (code == RS_OK)
			rs_json_u64(json, checksum(rs_bytes_of(values, size)));
	}
	if (code != RS_OK)
		rs_json_text(json, err.message);
	rs_json_array_end(json);
}

static int list(struct rs_bytes file, struct rs_buffer *out)
{
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	struct rs_json json;
	enum rs_code code = rs_dicom_parse(file, &d, &err);
	put_elements(&d, out);
	rs_json_init(&json, out, false);
	rs_json_object_begin(&json);
	if (code != RS_OK) {
		rs_json_key(&json, "refused");
		rs_json_text(&json, err.message);
	} else {
		rs_buffer_init(&again, file.size + 1024);
		rs_json_key(&json, "same");
		rs_json_bool(&json, rs_dicom_write(&d, &again, &err) == RS_OK &&
		                            rs_bytes_equal(rs_buffer_bytes(&again), file));
		rs_json_key(&json, "warnings");
		rs_json_u64(&json, d.warnings);
		rs_json_key(&json, "pixels");
		put_pixels(&json, &d);
	}
	rs_json_object_end(&json);
	rs_buffer_append_u8(out, '\n');
	return code == RS_OK ? 0 : 1;
}

int main(int count, char **arguments)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	if (count != 2 || rs_file_read_all(rs_world_system(), arguments[1], OUT_MAX, &file, &err) != RS_OK) {
		fprintf(stderr, "dicom_list FILE: %s\n", err.message);
		return 2;
	}
	rs_buffer_init(&out, OUT_MAX);
	int status = list(rs_buffer_bytes(&file), &out);
	fwrite(out.data, 1, out.size, stdout);
	return status;
}
