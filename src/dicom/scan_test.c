/* Scanning against parsing: the same files are taken and refused, with the same sentence, and tell the same; and a file of
 * ten gigabytes that nobody has in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dicom/dicom.h"

#define CLASS "1.2.840.10008.5.1.4.1.1.4"

static enum rs_code read_memory(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	const struct rs_bytes *file = context;
	(void)err;
	assert_true(offset <= file->size && size <= file->size - offset);
	memcpy(out, file->data + offset, size);
	return RS_OK;
}

static void assert_alike(struct rs_bytes file)
{
	struct rs_dicom_source source = {file.size, read_memory, &file};
	struct rs_dicom parsed RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom scanned RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom_metadata here = {0}, there = {0};
	struct rs_error err = {0}, reason = {0};
	enum rs_code code = rs_dicom_parse(file, &parsed, &reason);
	assert_int_equal(rs_dicom_scan(&source, &scanned, &err), code);
	assert_string_equal(err.message, reason.message);
	if (code != RS_OK)
		return;
	assert_int_equal(scanned.warnings, parsed.warnings);
	assert_string_equal(scanned.transfer_syntax, parsed.transfer_syntax);
	code = rs_dicom_metadata(&parsed, &here, &reason);
	assert_int_equal(rs_dicom_metadata(&scanned, &there, &err), code);
	assert_string_equal(err.message, reason.message);
	assert_true(rs_str_equal(here.patient_id, there.patient_id));
	assert_true(rs_str_equal(here.sop_class_uid, there.sop_class_uid));
	assert_true(rs_str_equal(here.sop_instance_uid, there.sop_instance_uid));
	assert_int_equal(here.present, there.present);
	assert_int_equal(here.rows, there.rows);
}

/* Sequences and private elements that cross the border of the window, in front of pixels of 20,000 bytes. */
static void make(enum rs_dicom_encoding encoding, struct rs_buffer *out)
{
	static uint8_t noise[20000];
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_error err = {0};
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 31 + i / 17);
	rs_buffer_init(out, 1 << 20);
	rs_dicom_builder_init(&b, encoding, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080016, "UI", CLASS);
	rs_dicom_builder_begin(&b, 0x00081140);
	for (int item = 0; item < 120; item++) {
		rs_dicom_builder_begin(&b, RS_DICOM_ITEM);
		rs_dicom_builder_text(&b, 0x00081155, "UI", "1.2.3");
		rs_dicom_builder_end(&b);
	}
	rs_dicom_builder_end(&b);
	rs_dicom_builder_bytes(&b, 0x00091010, "OB", rs_bytes_of(noise, 3000));
	rs_dicom_builder_text(&b, 0x00100020, "LO", "P1");
	rs_dicom_builder_u16(&b, 0x00280010, 100);
	rs_dicom_builder_bytes(&b, RS_DICOM_PIXEL_DATA, "OW", rs_bytes_of(noise, sizeof noise));
	assert_int_equal(rs_dicom_builder_file(&b, CLASS, "1.2.3.4", out, &err), RS_OK);
}

static void agrees_with_parsing(void **state)
{
	(void)state;
	for (int encoding = RS_DICOM_IMPLICIT_LE; encoding <= RS_DICOM_DEFLATED_LE; encoding++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		make((enum rs_dicom_encoding)encoding, &file);
		assert_alike(rs_buffer_bytes(&file));
		for (size_t size = 0; size < file.size; size += size < 400 ? 1 : 37)
			assert_alike(rs_bytes_of(file.data, size));
		for (size_t at = 0; at < file.size; at += at < 400 ? 1 : 53) {
			file.data[at] ^= (uint8_t)(1u << at % 8);
			assert_alike(rs_buffer_bytes(&file));
			file.data[at] ^= (uint8_t)(1u << at % 8);
		}
	}
}

/* An encapsulated file: `front`, then fragments of 1 GiB each with nothing in them, then the delimiter. */
struct sparse {
	struct rs_buffer front;
	uint64_t fragments;
};
#define FRAGMENT ((uint64_t)1 << 30)

static uint8_t sparse_byte(const struct sparse *sparse, uint64_t at)
{
	static const uint8_t item[8] = {0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0x40},
			     end[8] = {0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0};
	if (at < sparse->front.size)
		return sparse->front.data[at];
	at -= sparse->front.size;
	uint64_t number = at / (FRAGMENT + 8), place = at % (FRAGMENT + 8);
	return place >= 8 ? 0 : number < sparse->fragments ? item[place] : end[place];
}

static enum rs_code read_sparse(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	uint8_t *p = out;
	(void)err;
	for (size_t i = 0; i < size; i++)
		p[i] = sparse_byte(context, offset + i);
	return RS_OK;
}

static void walks_over_ten_gigabytes(void **state)
{
	static const uint8_t pixels[12] = {0xE0, 0x7F, 0x10, 0x00, 'O', 'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF};
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_dicom scanned RS_CLEANUP(rs_dicom_finish) = {0};
	struct sparse sparse = {.fragments = 10};
	struct rs_dicom_metadata metadata;
	struct rs_error err = {0};
	(void)state;
	rs_buffer_init(&sparse.front, 4096);
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 4096);
	rs_dicom_builder_text(&b, 0x00100020, "LO", "P1");
	assert_int_equal(rs_dicom_builder_file(&b, CLASS, "1.2.3.4", &sparse.front, &err), RS_OK);
	rs_buffer_append(&sparse.front, pixels, sizeof pixels);
	struct rs_dicom_source source = {sparse.front.size + 10 * (FRAGMENT + 8) + 8, read_sparse, &sparse};
	assert_int_equal(rs_dicom_scan(&source, &scanned, &err), RS_OK);
	assert_int_equal(rs_dicom_metadata(&scanned, &metadata, &err), RS_OK);
	assert_true(rs_str_equal_text(metadata.patient_id, "P1"));
	assert_true(metadata.present & RS_DICOM_HAS_PIXELS);
	rs_dicom_finish(&scanned);
	source.size--; /* the delimiter is cut */
	assert_int_equal(rs_dicom_scan(&source, &scanned, &err), RS_MALFORMED);
	rs_buffer_finish(&sparse.front);
}

/* What tells whose a file is may not be longer than a scan keeps. */
static void refuses_an_endless_identifier(void **state)
{
	static uint8_t name[65538];
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom scanned RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	memset(name, ' ', sizeof name);
	rs_buffer_init(&file, 1 << 20);
	rs_dicom_builder_init(&b, RS_DICOM_IMPLICIT_LE, 1 << 20);
	rs_dicom_builder_bytes(&b, 0x00100020, "LO", rs_bytes_of(name, sizeof name));
	assert_int_equal(rs_dicom_builder_file(&b, CLASS, "1.2.3.4", &file, &err), RS_OK);
	struct rs_bytes bytes = rs_buffer_bytes(&file);
	struct rs_dicom_source source = {bytes.size, read_memory, &bytes};
	assert_int_equal(rs_dicom_scan(&source, &scanned, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "(0010,0020)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_parsing),
		cmocka_unit_test(walks_over_ten_gigabytes),
		cmocka_unit_test(refuses_an_endless_identifier),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
