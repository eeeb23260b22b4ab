/* What matches: PS3.4 section C.2.2.2, its notes, and what users of archives expect of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fold.h"
#include "match.h"

static bool matches(uint32_t tag, const char *wanted, const char *value)
{
	struct rs_catalogue_key from = {tag, rs_str_from(wanted)};
	struct rs_error err = {0};
	struct key key;
	assert_int_equal(key_read(&from, &key, &err), RS_OK);
	return key_matches(&key, rs_str_from(value));
}

#define NAME 0x00100010
#define ID 0x00100020
#define DATE 0x00080020
#define TIME 0x00080030
#define DESCRIPTION 0x00081030
#define STUDY 0x0020000D
#define MODALITIES 0x00080061
#define NUMBER 0x00200011

static void test_matching(void **state)
{
	static const struct {
		uint32_t tag;
		const char *wanted, *value;
		bool matches;
	} rows[] = {
		{NAME, "", "Doe^John", true},
		{NAME, "*", "Doe^John", true},
		{NAME, "*", "", true}, /* universal: also who has none */
		{NAME, "Doe^John", "DOE^JOHN^^^", true},
		{NAME, "doe*", "Doe^John", true},
		{NAME, "doe^*", "Doe", true},
		{NAME, "Doe", "Doe^John", false},
		{NAME, "*john*", "Doe^John", true},
		{NAME, "*^*", "", false},
		{NAME, "*^*", "Doe^John", true},
		{NAME, "*^*", "Doe", false},
		{NAME, "D?e^*", "Doe^John", true},
		{NAME, "D?e^*", "Dooe^John", false},
		{NAME,
	         "M\xC3\x9C"
	         "LLER*",
	         "M\xC3\xBC"
	         "ller^J\xC3\xBCrgen",
	         true},
		{NAME, "m?ller^*",
	         "M\xC3\xBC"
	         "ller^J",
	         true}, /* one character, two bytes */
		{NAME, "\xD0\x9B\xD0\xAE\xD0\x9A*", "\xD0\x9B\xD1\x8E\xD0\xBA\xD1\x81\xD0\xB5\xD0\xBC", true},
		{NAME, "Yamada*", "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0^\xE5\xA4\xAA\xE9\x83\x8E", true},
		{NAME, "\xE5\xB1\xB1*", "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0^\xE5\xA4\xAA\xE9\x83\x8E",
	         true},
		{NAME, "Yamada^Tarou", "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0", true},
		{NAME, "Roe\\Doe", "Doe", true},
		{ID, "p1", "P1", false}, /* of names alone case does not count */
		{ID, "P*7", "P0017", true},
		{ID, "P*7", "P0018", false},
		{ID, "A\\P1", "P1", true},
		{ID, "P1", "", false},
		{DESCRIPTION, "*knee*", "MR knee left", true},
		{DESCRIPTION, "*knee", "MR knee left", false},
		{DESCRIPTION, "MR ?nee*", "MR knee left", true},
		{STUDY, "1.2.3", "1.2.3", true},
		{STUDY, "1.2.3\\1.2.4", "1.2.4", true},
		{STUDY, "1.2.*", "1.2.4", false}, /* UIDs have no wildcards */
		{MODALITIES, "MR", "CT\\MR", true},
		{MODALITIES, "CT\\SEG", "MR\\SEG", true},
		{MODALITIES, "PT", "CT\\MR", false},
		{DATE, "20240131", "20240131", true},
		{DATE, "20240131", "2024.01.31", true},
		{DATE, "20240101-20240131", "20240131", true},
		{DATE, "20240101-20240131", "20240201", false},
		{DATE, "-20240131", "19991231", true},
		{DATE, "20240131-", "20240130", false},
		{DATE, "20240101-", "", false},
		{DATE, "-20240101", "no date", false},
		{TIME, "1030", "103000", true},
		{TIME, "1030", "103001", false},
		{TIME, "103000", "103001", false},
		{TIME, "10:30:00", "103000.000000", true},
		{TIME, "0800-12", "125959.9", true},
		{TIME, "0800-12", "130000", false},
		{TIME, "0800-", "075959", false},
		{NUMBER, "1", "01", true},
		{NUMBER, "1", "+1", true},
		{NUMBER, "1", "11", false},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		if (matches(rows[i].tag, rows[i].wanted, rows[i].value) != rows[i].matches)
			fail_msg("'%s' against '%s' is not %d", rows[i].wanted, rows[i].value,
			         rows[i].matches);
}

static void test_keys_that_are_none(void **state)
{
	static const struct rs_catalogue_key keys[] = {
		{DATE, {"2024", 4}},        {DATE, {"20241301", 8}}, {DATE, {"-", 1}},
		{TIME, {"25", 2}},          {TIME, {"1", 1}},        {DATE, {"20240101-2024010", 16}},
		{DESCRIPTION, {"\xFF", 1}}, {ID, {"a\0b", 3}},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(keys); i++) {
		struct rs_error err = {0};
		struct key key;
		assert_int_equal(key_read(&keys[i], &key, &err), RS_USAGE);
		assert_true(err.message[0]);
	}
}

static void test_one_form_of_names(void **state)
{
	static const char *const rows[][2] = {
		{"Doe^John^^^", "doe^john"},
		{" DOE ^ John = ", "doe^john"},
		{"=X^Y", "=x^y"},
		{"A^\\B^=", "a\\b"},
		{"\xC5\xB8\xC5\xBD\xCE\x86\xD0\x81", "\xC3\xBF\xC5\xBE\xCE\xAC\xD1\x91"},
		{"\xE5\xB1\xB1", "\xE5\xB1\xB1"},
		{"^^==", ""},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		char out[64];
		size_t size = name_normalise(rs_str_from(rows[i][0]), out);
		assert_true(rs_str_equal_text((struct rs_str){out, size}, rows[i][1]));
	}
}

static size_t cover(const char *range, struct rs_buffer *out)
{
	static const struct rs_secret secret = {{1}};
	struct rs_catalogue_key from = {DATE, rs_str_from(range)};
	struct key key;
	bool usable;
	rs_buffer_clear(out);
	assert_int_equal(key_read(&from, &key, NULL), RS_OK);
	assert_int_equal(tokens_of_key(&secret, &key, out, &usable, NULL), RS_OK);
	assert_true(usable);
	return out->size / TOKEN_SIZE;
}

static bool is_covered(const char *date, const struct rs_buffer *tokens)
{
	static const struct rs_secret secret = {{1}};
	struct token own[TOKENS_MAX];
	uint8_t values[32] = {21, 0, 8};
	size_t hits = 0;
	memcpy(values + 3, date, 8);
	size_t count = tokens_of_row(&secret, RS_LEVEL_STUDY, rs_bytes_of(values, 11), own);
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < tokens->size; at += TOKEN_SIZE)
			hits += memcmp(own[i].bytes, tokens->data + at, TOKEN_SIZE) == 0;
	assert_true(hits < 2); /* a study is found once */
	return hits;
}

/* Every day of some years against the range itself. */
static void test_ranges_of_dates(void **state)
{
	static const struct {
		const char *range, *from, *to;
		size_t tokens;
	} rows[] = {
		{"20240131", "20240131", "20240131", 1},
		{"20240101-20240131", "20240101", "20240131", 1},
		{"20240115-20240310", "20240115", "20240310", 17 + 1 + 10},
		{"20200101-20291231", "20200101", "20291231", 1},
		{"20191231-20240101", "20191231", "20240101", 1 + 4 + 1},
		{"-20240101", "00000101", "20240101", 1 + 4 + 22 + 1},
		{"20231230-", "20231230", "99991231", 2 + 6 + 17 + 1},
		{"20240310-20240115", "99991231", "00000101", 0},
	};
	struct rs_buffer tokens;
	(void)state;
	rs_buffer_init(&tokens, 1 << 20);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		size_t count = cover(rows[i].range, &tokens);
		if (rows[i].tokens)
			assert_int_equal(count, rows[i].tokens);
		for (int day = 0; day < 372 * 400; day += i < 3 ? 1 : 29) {
			char date[32];
			snprintf(date, sizeof date, "%04d%02d%02d", 1790 + day / 372, day % 372 / 31 + 1,
			         day % 31 + 1);
			bool within = strcmp(date, rows[i].from) >= 0 && strcmp(date, rows[i].to) <= 0;
			bool odd = day < 372 * 10; /* one token for what is far away, on both sides */
			assert_true(is_covered(date, &tokens) == within || (odd && !within));
		}
	}
	rs_buffer_finish(&tokens);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_keys_that_are_none),
		cmocka_unit_test(test_one_form_of_names),
		cmocka_unit_test(test_ranges_of_dates),
	};
	return cmocka_run_group_tests_name("catalogue/match", tests, NULL, NULL);
}
