/* Media types as clients write them, ranges and tags as of RFC 9110. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "media.h"

static void lists_are_taken_apart(void **state)
{
	struct rs_str list = RS_STR(
		"multipart/related; type=\"application/dicom\"; Boundary=\"a,b;\\\"c\";q=0.5 ,, none,"
		" */*;q=0, image/*; transfer-syntax=*");
	struct media media;
	char text[PARAMETER_SIZE];
	(void)state;
	assert_true(media_next(&list, &media) && media_is(&media, "Multipart/Related"));
	assert_true(media_parameter(&media, "type", text));
	assert_string_equal(text, "application/dicom");
	assert_true(media_parameter(&media, "boundary", text));
	assert_string_equal(text, "a,b;\"c");
	assert_int_equal(media_quality(&media), 500);
	assert_false(media_parameter(&media, "transfer-syntax", text));
	assert_true(media_next(&list, &media) && media_is(&media, "*/*"));
	assert_int_equal(media_quality(&media), 0);
	assert_true(media_covers(&media, "application/dicom"));
	assert_true(media_next(&list, &media));
	assert_true(media_covers(&media, "image/png") && !media_covers(&media, "imagex/png"));
	assert_true(media_parameter(&media, "transfer-syntax", text) && strcmp(text, "*") == 0);
	assert_int_equal(media_quality(&media), 1000);
	assert_false(media_next(&list, &media));
}

static void ranges_of_bytes(void **state)
{
	static const struct {
		const char *header;
		bool is_range, satisfiable;
		uint64_t begin, end;
	} cases[] = {
		{"bytes=0-499", true, true, 0, 500},
		{"bytes=500-", true, true, 500, 1000},
		{"bytes=-1", true, true, 999, 1000},
		{"bytes=-5000", true, true, 0, 1000},
		{"bytes=999-99999", true, true, 999, 1000},
		{"bytes=1000-", true, false, 1000, 1000},
		{"bytes=-0", true, false, 1000, 1000},
		{"bytes=5-4", false, false, 0, 0},
		{"bytes=0-1,5-6", false, false, 0, 0},
		{"bytes=-", false, false, 0, 0},
		{"bytes=", false, false, 0, 0},
		{"bytes=a-b", false, false, 0, 0},
		{"lines=0-1", false, false, 0, 0},
		{"", false, false, 0, 0},
		{"bytes=99999999999999999999-", false, false, 0, 0},
		{"bytes=0-18446744073709551615", true, true, 0, 1000},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		uint64_t begin = 0, end = 0;
		bool satisfiable = false;
		bool is_range = range_parse(rs_str_from(cases[i].header), 1000, &begin, &end, &satisfiable);
		if (is_range != cases[i].is_range || (is_range && satisfiable != cases[i].satisfiable) ||
		    (satisfiable && (begin != cases[i].begin || end != cases[i].end)))
			fail_msg("%s", cases[i].header);
	}
}

static void tags_in_lists(void **state)
{
	(void)state;
	assert_true(tag_listed(RS_STR("\"a\", W/\"b\""), "\"b\""));
	assert_true(tag_listed(RS_STR("*"), "\"b\""));
	assert_false(tag_listed(RS_STR("\"a\", \"bc\""), "\"b\""));
	assert_false(tag_listed(RS_STR(""), "\"b\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_taken_apart),
		cmocka_unit_test(ranges_of_bytes),
		cmocka_unit_test(tags_in_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
