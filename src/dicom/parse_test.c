/* Hand-made files of every encoding, and hostile ones, against the parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dicom/dicom.h"

#define CLASS "1.2.840.10008.5.1.4.1.1.4"

static void make(enum rs_dicom_encoding encoding, struct rs_buffer *out)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	static const uint16_t words[4] = {1, 0xFFFF, 0x0102, 7};
	struct rs_error err = {0};
	rs_buffer_init(out, 1 << 20);
	rs_dicom_builder_init(&b, encoding, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080016, "UI", CLASS);
	rs_dicom_builder_begin(&b, 0x00081140);
	rs_dicom_builder_begin(&b, RS_DICOM_ITEM);
	rs_dicom_builder_text(&b, 0x00081155, "UI", "1.2.3");
	rs_dicom_builder_end(&b);
	rs_dicom_builder_end(&b);
	rs_dicom_builder_text(&b, 0x00100020, "LO", "P1");
	rs_dicom_builder_u16(&b, 0x00280010, 2);
	rs_dicom_builder_u16(&b, 0x00280011, 2);
	rs_dicom_builder_u16(&b, 0x00280100, 16);
	rs_dicom_builder_u16(&b, 0x00280101, 16);
	rs_dicom_builder_u16(&b, 0x00280102, 15);
	rs_dicom_builder_u16(&b, 0x00280103, 1);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", words, 4);
	assert_int_equal(rs_dicom_builder_file(&b, CLASS, "1.2.3.4", out, &err), RS_OK);
}

static void every_encoding_is_read(void **state)
{
	(void)state;
	for (int encoding = RS_DICOM_IMPLICIT_LE; encoding <= RS_DICOM_DEFLATED_LE; encoding++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
		struct rs_error err = {0};
		double values[4];
		make((enum rs_dicom_encoding)encoding, &file);
		assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&file), &d, &err), RS_OK);
		assert_int_equal(d.warnings, 0);
		assert_true(rs_str_equal_text(rs_dicom_text(rs_dicom_find(&d, NULL, 0x00100020), 0), "P1"));
		assert_int_equal(rs_dicom_pixels(&d, 0, values, 4, &err), RS_OK);
		assert_true(values[1] == -1 && values[2] == 258);
		rs_buffer_init(&again, 1 << 20);
		assert_int_equal(rs_dicom_write(&d, &again, &err), RS_OK);
		assert_true(rs_bytes_equal(rs_buffer_bytes(&again), rs_buffer_bytes(&file)));
	}
}

/* Cut between two top-level elements the file is shorter but well-formed; anywhere else it is refused. */
static void truncation_never_crashes(void **state)
{
	(void)state;
	for (int encoding = RS_DICOM_IMPLICIT_LE; encoding <= RS_DICOM_DEFLATED_LE; encoding++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		size_t accepted = 0;
		make((enum rs_dicom_encoding)encoding, &file);
		for (size_t size = 0; size < file.size; size++) {
			struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
			struct rs_error err = {0};
			uint8_t *copy RS_CLEANUP(rs_free_pointer) = rs_allocate(size);
			memcpy(copy, file.data, size);
			if (rs_dicom_parse(rs_bytes_of(copy, size), &d, &err) == RS_OK)
				accepted++;
			else
				assert_true(err.message[0] != '\0');
		}
		/* 5 meta elements and 10 others have 14 borders between them. */
		if (encoding != RS_DICOM_DEFLATED_LE)
			assert_int_equal(accepted, 14);
		else
			assert_true(accepted <= 6);
	}
}

/* With and without a meta group, whole and cut off right behind it. */
static void the_front_ends_where_the_data_set_begins(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom front = {0};
	struct rs_error err = {0};
	size_t begin = 0;
	(void)state;
	make(RS_DICOM_EXPLICIT_LE, &file);
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, &err), RS_OK);
	const size_t expected = (size_t)dicom.elements[dicom.meta_count].offset;
	const struct rs_bytes cases[] = {rs_buffer_bytes(&file), {file.data, expected}};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		assert_int_equal(rs_dicom_parse_front(cases[i], &front, &begin, &err), RS_OK);
		assert_int_equal(begin, expected);
		assert_int_equal(front.count, dicom.meta_count);
		rs_dicom_finish(&front);
	}
	assert_int_not_equal(rs_dicom_parse_front(rs_bytes_of(file.data, expected - 3), &front, &begin, &err),
	                     RS_OK);
	const struct rs_bytes bare = {file.data + expected, file.size - expected};
	assert_int_equal(rs_dicom_parse_front(bare, &front, &begin, &err), RS_OK);
	assert_int_equal(begin, 0);
	rs_dicom_finish(&front);
}

static void deep_nesting_is_refused(void **state)
{
	(void)state;
	static uint8_t file[8 * 2 * 1000];
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_error err = {0};
	for (size_t i = 0; i < 1000; i++) {
		static const uint8_t level[16] = {8,    0,   0x40, 0x11, 255, 255, 255, 255,
		                                  0xFE, 255, 0,    0xE0, 255, 255, 255, 255};
		memcpy(file + 16 * i, level, 16);
	}
	assert_int_equal(rs_dicom_parse(rs_bytes_of(file, sizeof(file)), &d, &err), RS_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_encoding_is_read),
	                                   cmocka_unit_test(truncation_never_crashes),
	                                   cmocka_unit_test(the_front_ends_where_the_data_set_begins),
	                                   cmocka_unit_test(deep_nesting_is_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
