/* Selectors of labels against a naive reading of them, on a mask with names that look like numbers and sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cohort/labels.h"

static struct rs_label names[] = {{1, "liver"}, {2, "a+b"}, {3, "a"}, {4, "b"}, {9, "7"}, {12, "liver"}};

static void mask_make(struct rs_mask *out)
{
	static const uint32_t labels[] = {0, 1, 2, 3, 4, 7, 9, 12, 4294967295U, 12, 0, 1};
	const struct rs_geometry geometry = {.size = {RS_COUNT(labels), 1, 1},
	                                     .spacing_mm = {1, 1, 1},
	                                     .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_error err = {0};
	assert_int_equal(rs_mask_init(out, &geometry, &err), RS_OK);
	memcpy(out->labels, labels, sizeof labels);
	out->names = rs_allocate_array(RS_COUNT(names), sizeof *names);
	assert_non_null(out->names);
	memcpy(out->names, names, sizeof names);
	out->name_count = RS_COUNT(names);
}

/* "1|2+3|" for two choices. */
static void chosen(const char *selector, char *out, size_t size)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct label_list list RS_CLEANUP(label_list_finish) = {0};
	struct rs_error err = {0};
	size_t used = 0;
	mask_make(&mask);
	out[0] = '\0';
	if (labels_choose(selector, &mask, &list, &err) != RS_OK) {
		snprintf(out, size, "%s", rs_code_name(err.code));
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		char text[64];
		label_text(&list.choices[i], text, sizeof text);
		used += (size_t)snprintf(out + used, size - used, "%s%s|", list.choices[i].count ? "" : "!",
		                         text);
	}
}

static void selectors_mean_what_they_say(void **state)
{
	static const char *const rows[][2] = {
		{"1", "1|"},
		{" 1 , 2 ", "1|2|"},
		{"1+2", "1+2|"},
		{"2+1+2", "1+2|"},
		{"all", "1|2|3|4|7|9|12|4294967295|"},
		{"liver", "1+12|"},
		{"liver+3", "1+3+12|"},
		{"a+b", "2|"}, /* a name of that spelling comes before a sum */
		{"b+a", "3+4|"},
		{"7", "9|"}, /* a name comes before a number */
		{"5", "5|"}, /* whether the mask has it, is seen when it is measured */
		{"spleen", "!spleen|"},
		{"a,spleen+a,b", "3|!spleen+a|4|"},
		{"0", "!0|"},
		{"-1", "!-1|"},
		{"4294967296", "!4294967296|"},
		{"1,,2", "USAGE"},
		{"", "USAGE"},
		{",", "USAGE"},
		{"ALL", "!ALL|"},
	};
	char text[256];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		chosen(rows[i][0], text, sizeof text);
		if (strcmp(text, rows[i][1]) != 0)
			fail_msg("'%s' chose '%s', not '%s'", rows[i][0], text, rows[i][1]);
	}
}

static void names_and_unions(void **state)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct label_list list RS_CLEANUP(label_list_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	mask_make(&mask);
	assert_int_equal(labels_choose("a,liver", &mask, &list, &err), RS_OK);
	assert_string_equal(list.choices[0].name, "a");
	assert_string_equal(list.choices[1].name, "");
	labels_unite(&list.choices[1], &mask);
	static const uint32_t expected[] = {0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1};
	assert_memory_equal(mask.labels, expected, sizeof expected);
	assert_int_equal(labels_missing(&list.choices[0], &mask, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "'a'; it has 1 (liver)"));
}

static void too_many_and_none(void **state)
{
	const struct rs_geometry geometry = {.size = {LABELS_MAX + 1, 1, 1},
	                                     .spacing_mm = {1, 1, 1},
	                                     .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct label_list list RS_CLEANUP(label_list_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_mask_init(&mask, &geometry, &err), RS_OK);
	assert_int_equal(labels_choose("all", &mask, &list, &err), RS_NOT_FOUND);
	for (uint32_t i = 0; i <= LABELS_MAX; i++)
		mask.labels[i] = LABELS_MAX + 1 - i;
	assert_int_equal(labels_choose("all", &mask, &list, &err), RS_TOO_LARGE);
	mask.labels[0] = 0;
	assert_int_equal(labels_choose("all", &mask, &list, &err), RS_OK);
	assert_int_equal(list.count, LABELS_MAX);
	for (uint32_t i = 0; i < LABELS_MAX; i++)
		assert_int_equal(list.choices[i].values[0], i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_mean_what_they_say),
		cmocka_unit_test(names_and_unions),
		cmocka_unit_test(too_many_and_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
