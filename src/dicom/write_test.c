/* What was read is written back bit for bit, whatever the file broke: no preamble, no meta group, no transfer syntax, UN
 * within big endian, odd and undefined lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dicom/dicom.h"

static void parse(struct rs_bytes file, struct rs_dicom *out)
{
	struct rs_error err = {0};
	if (rs_dicom_parse(file, out, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static void written_alike(const struct rs_dicom *d, struct rs_bytes file)
{
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(&again, 1 << 20);
	assert_int_equal(rs_dicom_write(d, &again, &err), RS_OK);
	assert_int_equal(again.size, file.size);
	assert_memory_equal(again.data, file.data, file.size);
}

static void make(enum rs_dicom_encoding encoding, struct rs_buffer *out)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(out, 1 << 16);
	rs_dicom_builder_init(&b, encoding, 1 << 16);
	rs_dicom_builder_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4");
	rs_dicom_builder_text(&b, 0x00080060, "CS", "MR");
	rs_dicom_builder_begin(&b, 0x00081140);
	rs_dicom_builder_begin(&b, RS_DICOM_ITEM);
	rs_dicom_builder_text(&b, 0x00081155, "UI", "1.2.3");
	rs_dicom_builder_end(&b);
	rs_dicom_builder_end(&b);
	rs_dicom_builder_u16(&b, 0x00280010, 258);
	assert_int_equal(rs_dicom_builder_file(&b, "1.2.3", "1.2.4", out, &err), RS_OK);
}

static void check_content(const struct rs_dicom *d)
{
	int64_t rows = 0;
	assert_true(rs_str_equal_text(rs_dicom_text(rs_dicom_find(d, NULL, 0x00080060), 0), "MR"));
	assert_true(rs_dicom_int(rs_dicom_find(d, NULL, 0x00280010), 0, &rows));
	assert_int_equal(rows, 258);
	const struct rs_dicom_element *sequence = rs_dicom_find(d, NULL, 0x00081140);
	assert_int_equal(rs_dicom_item_count(d, sequence), 1);
}

/* A data set alone, and behind a meta group: with the preamble left out, in each encoding. */
static void bare_data_sets_are_read_and_kept(void **state)
{
	(void)state;
	for (int encoding = RS_DICOM_IMPLICIT_LE; encoding <= RS_DICOM_EXPLICIT_BE; encoding++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		make((enum rs_dicom_encoding)encoding, &file);
		size_t meta_end = 132 + 12 + rs_read_le32(file.data + 132 + 8);
		const size_t starts[] = {132, meta_end};
		for (size_t i = 0; i < 2; i++) {
			struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
			struct rs_bytes bare = {file.data + starts[i], file.size - starts[i]};
			assert_true(rs_dicom_begins(bare));
			parse(bare, &d);
			assert_int_equal(d.encoding, encoding);
			assert_true(d.warnings & RS_DICOM_NO_PREAMBLE);
			assert_int_equal((d.warnings & RS_DICOM_NO_META) != 0, i);
			check_content(&d);
			written_alike(&d, bare);
		}
	}
}

/* A meta group of MediaStorageSOPClassUID alone: the encoding is seen in the data set. */
static void a_missing_transfer_syntax_is_guessed(void **state)
{
	static const uint8_t meta[] = "DICM\x02\x00\x02\x00UI\x04\x00"
				      "1.2";
	(void)state;
	for (int encoding = RS_DICOM_IMPLICIT_LE; encoding <= RS_DICOM_EXPLICIT_BE; encoding++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
		uint8_t short_file[1024] = {0};
		make((enum rs_dicom_encoding)encoding, &file);
		size_t meta_end = 132 + 12 + rs_read_le32(file.data + 132 + 8);
		memcpy(short_file + 128, meta, sizeof meta);
		size_t start = 128 + sizeof meta;
		assert_true(start + file.size - meta_end <= sizeof short_file);
		memcpy(short_file + start, file.data + meta_end, file.size - meta_end);
		struct rs_bytes bytes = {short_file, start + file.size - meta_end};
		parse(bytes, &d);
		assert_int_equal(d.encoding, encoding);
		assert_true(d.warnings & RS_DICOM_GUESSED_ENCODING);
		check_content(&d);
		written_alike(&d, bytes);
	}
}

/* PS3.5 section 6.2.2 note 2: UN of undefined length is implicit little endian, even within explicit big endian. */
static void unknown_within_big_endian_is_kept(void **state)
{
	static const uint8_t data_set[] = {
		0x00, 0x08, 0x00, 0x60, 'C',  'S',  0x00, 0x02, 'M',  'R', /* Modality */
		0x00, 0x09, 0x10, 0x01, 'U',  'N',  0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00,
		0xE0, 0xFF, 0xFF, 0xFF, 0xFF, 0x08, 0x00, 0x55, 0x11, 0x04, 0x00, 0x00, 0x00, '1',  '.',
		'2',  0x00, 0xFE, 0xFF, 0x0D, 0xE0, 0x00, 0x00, 0x00, 0x00, 0xFE, 0xFF, 0xDD, 0xE0, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x28, 0x00, 0x10, 'U',  'S',  0x00, 0x02, 0x01, 0x02};
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	int64_t rows = 0;
	(void)state;
	struct rs_bytes bytes = rs_bytes_of(data_set, sizeof data_set);
	parse(bytes, &d);
	const struct rs_dicom_element *unknown = rs_dicom_find(&d, NULL, 0x00091001);
	const struct rs_dicom_element *item = rs_dicom_item(&d, unknown, 0);
	assert_non_null(item);
	assert_true(rs_str_equal_text(rs_dicom_text(rs_dicom_find(&d, item, 0x00081155), 0), "1.2"));
	assert_true(rs_dicom_int(rs_dicom_find(&d, NULL, 0x00280010), 0, &rows));
	assert_int_equal(rows, 258);
	written_alike(&d, bytes);
}

static void what_is_no_dicom_does_not_begin_so(void **state)
{
	static const char *const others[] = {"NRRD0004\ntype: short",
	                                     "\x5c\x01\x00\x00..........",
	                                     "ObjectType = Image\n",
	                                     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
	                                     "\x89PNG\r\n\x1a\n....",
	                                     "PK\x03\x04....",
	                                     ""};
	static const uint8_t zeros[132] = {0};
	static const uint8_t late[] = {0x20, 0, 0x10, 0,   'S',
	                               'H',  2, 0,    '1', ' '}; /* StudyID is never first */
	(void)state;
	assert_false(rs_dicom_begins(rs_bytes_of(late, sizeof late)));
	for (size_t i = 0; i < RS_COUNT(others); i++)
		assert_false(rs_dicom_begins(rs_bytes_of(others[i], strlen(others[i]))));
	assert_false(rs_dicom_begins(rs_bytes_of(zeros, sizeof zeros)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bare_data_sets_are_read_and_kept),
		cmocka_unit_test(a_missing_transfer_syntax_is_guessed),
		cmocka_unit_test(unknown_within_big_endian_is_kept),
		cmocka_unit_test(what_is_no_dicom_does_not_begin_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
