/* Bodies of parts, cut anywhere: the same parts come out; and what is no such body is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "multipart.h"

/* What was heard: "<type>data>" for each part. */
static enum rs_code begin(void *context, const struct media *type, struct rs_error *err)
{
	rs_buffer_printf(context, "<" RS_STR_FORMAT ">", RS_STR_ARGUMENTS(type->name));
	return rs_buffer_check(context, "a test", err);
}

static enum rs_code data(void *context, struct rs_bytes bytes, struct rs_error *err)
{
	rs_buffer_append_bytes(context, bytes);
	return rs_buffer_check(context, "a test", err);
}

static enum rs_code end(void *context, struct rs_error *err)
{
	rs_buffer_append_text(context, "|");
	return rs_buffer_check(context, "a test", err);
}

static enum rs_code read_in_pieces(const char *boundary, struct rs_str body, size_t piece,
                                   struct rs_buffer *out, struct rs_error *err)
{
	const struct multipart_parts parts = {begin, data, end, out};
	struct multipart multipart RS_CLEANUP(multipart_finish) = {.held = 0};
	RS_TRY(multipart_init(&multipart, boundary, &parts, err));
	for (size_t at = 0; at < body.size; at += piece) {
		size_t size = body.size - at < piece ? body.size - at : piece;
		RS_TRY(multipart_take(&multipart, rs_bytes_of(body.data + at, size), err));
	}
	return multipart_end(&multipart, err);
}

static void parts_come_out_however_they_are_cut(void **state)
{
	static const struct {
		const char *body, *heard;
	} cases[] = {
		{"--b\r\nContent-Type: application/dicom\r\n\r\nabc\r\n--b--", "<application/dicom>abc|"},
		{"preamble\r\n--b\r\ncontent-type:  text/plain; a=\"b;c\"\r\nX: y\r\n\r\na\r\n--b  \r\n\r\n\r\n--b--epilogue\r\n--b",
	         "<text/plain>a|<>|"},
		{"--b\r\n\r\n\r\n-\r\n--a\r\r\n--\r\n--c\r\n--b--", "<>\r\n-\r\n--a\r\r\n--\r\n--c|"},
		{"--b\r\n\r\n\r\n--\r\n--b--", "<>\r\n--|"},
		{"--b--", ""},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		for (size_t piece = 1; piece <= strlen(cases[i].body); piece++) {
			struct rs_buffer heard RS_CLEANUP(rs_buffer_finish) = {0};
			struct rs_error err = {0};
			rs_buffer_init(&heard, 1000);
			assert_int_equal(read_in_pieces("b", rs_str_from(cases[i].body), piece, &heard, &err),
			                 RS_OK);
			if (!rs_str_equal_text(rs_buffer_str(&heard), cases[i].heard))
				fail_msg("case %zu in pieces of %zu: " RS_STR_FORMAT, i, piece,
				         RS_STR_ARGUMENTS(rs_buffer_str(&heard)));
		}
}

static void what_is_no_such_body_is_refused(void **state)
{
	static char long_head[PART_HEAD_MAX + 100] = "--b\r\nX: ";
	struct rs_buffer heard RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	const char *const cut[] = {
		"", "--b", "--b\r\n", "--b\r\n\r\n", "--b\r\n\r\nabc", "--b\r\n\r\nabc\r\n--b", "--c--"};
	const char *const boundaries[] = {"", "a\rb", "a\nb", "\xff", "b ", "a\"b"};
	char many[100];
	(void)state;
	rs_buffer_init(&heard, 1000);
	for (size_t i = 0; i < RS_COUNT(cut); i++)
		assert_int_equal(read_in_pieces("b", rs_str_from(cut[i]), 3, &heard, &err), RS_MALFORMED);
	for (size_t i = 0; i < RS_COUNT(boundaries); i++)
		assert_int_equal(read_in_pieces(boundaries[i], RS_STR("--b--"), 3, &heard, &err),
		                 RS_MALFORMED);
	memset(many, 'b', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	assert_int_equal(read_in_pieces(many, RS_STR("--b--"), 3, &heard, &err), RS_MALFORMED);
	memset(long_head + 8, 'y', sizeof long_head - 9);
	assert_int_equal(read_in_pieces("b", rs_str_from(long_head), 100, &heard, &err), RS_TOO_LARGE);
	assert_int_equal(read_in_pieces("b", RS_STR("--b\r\nContent-Type: none\r\n\r\n"), 100, &heard, &err),
	                 RS_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_come_out_however_they_are_cut),
		cmocka_unit_test(what_is_no_such_body_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
