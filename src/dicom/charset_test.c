/* Texts of every kind of character set, as PS3.5 (annexes H, I, J, K) and PS3.3 C.12.1.1.2 print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dicom/dicom.h"

#define PERSON RS_DICOM_TAG(0x0010, 0x0010)

static void text_of(const char *set, const char *vr, const char *stored, size_t index, struct rs_buffer *out,
                    size_t *replaced)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom_charset charset;
	struct rs_error err = {0};
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 16);
	if (set)
		rs_dicom_builder_text(&b, 0x00080005, "CS", set);
	rs_dicom_builder_text(&b, PERSON, vr, stored);
	rs_buffer_init(&file, 1 << 16);
	assert_int_equal(rs_dicom_builder_file(&b, "1.2.3", "1.2.4", &file, &err), RS_OK);
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&file), &d, &err), RS_OK);
	const struct rs_dicom_element *element = rs_dicom_find(&d, NULL, PERSON);
	assert_int_equal(rs_dicom_charset_of(&d, element, &charset, &err), RS_OK);
	rs_buffer_init(out, 1 << 12);
	assert_int_equal(rs_dicom_text_utf8(&charset, element, index, out, replaced, &err), RS_OK);
}

static void is(const char *set, const char *stored, const char *wanted)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	size_t replaced;
	text_of(set, "PN", stored, 0, &text, &replaced);
	assert_int_equal(replaced, 0);
	if (!rs_str_equal_text(rs_buffer_str(&text), wanted))
		fail_msg("%s: '%.*s' is not '%s'", set ? set : "no set", (int)text.size,
		         (const char *)text.data, wanted);
}

static void one_byte_sets(void **state)
{
	(void)state;
	is(NULL, "Adams^John", "Adams^John");
	is("ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme");
	is("ISO_IR 109", "\xa6\xe6", "Ĥĉ");
	is("ISO_IR 110", "\xc0", "Ā");
	is("ISO_IR 144", "\xbb\xee\xda\x63\x65\xdc\xd1\x79\x70\xd3", "Люкceмбypг");
	is("ISO_IR 127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار");
	is("ISO_IR 126", "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος");
	is("ISO_IR 138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה");
	is("ISO_IR 13", "\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ");
	is("ISO_IR 166", "\xca\xc1\xaa\xd2\xc2", "สมชาย");
	is("ISO_IR 192", "Wang^XiaoDong=王^小東", "Wang^XiaoDong=王^小東");
	is("GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东");
	is("GBK", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东");
}

static void code_extensions(void **state)
{
	(void)state;
	is("\\ISO 2022 IR 87",
	   "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
	   "Yamada^Tarou=山田^太郎=やまだ^たろう");
	is("ISO 2022 IR 13\\ISO 2022 IR 87",
	   "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
	   "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう");
	is("\\ISO 2022 IR 149",
	   "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
	   "Hong^Gildong=洪^吉洞=홍^길동");
	is("\\ISO 2022 IR 58", "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab",
	   "Zhang^XiaoDong=张^小东");
}

static void components_and_padding(void **state)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	text_of("ISO_IR 100", "LO", "one\\ tw\xf6 \\", 1, &text, NULL);
	assert_true(rs_str_equal_text(rs_buffer_str(&text), "twö"));
	rs_buffer_finish(&text);
	text_of("ISO_IR 100", "LO", "one\\ tw\xf6 \\", 3, &text, NULL);
	assert_int_equal(text.size, 0);
}

static void bytes_outside_of_the_set_are_counted(void **state)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	size_t replaced = 0;
	(void)state;
	text_of(NULL, "PN", "J\xe9r\xf4me", 0, &text, &replaced);
	assert_true(rs_str_equal_text(rs_buffer_str(&text), "J\xef\xbf\xbdr\xef\xbf\xbdme"));
	assert_int_equal(replaced, 2);
	rs_buffer_finish(&text);
	text_of("ISO_IR 192", "PN", "a\xc3", 0, &text, &replaced);
	assert_true(rs_utf8_valid(rs_buffer_str(&text)));
	assert_int_equal(replaced, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_byte_sets),
		cmocka_unit_test(code_extensions),
		cmocka_unit_test(components_and_padding),
		cmocka_unit_test(bytes_outside_of_the_set_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
