/* Tables between commas: the examples of RFC 4180 §2, what spreadsheets write, what is refused, and every cut and
 * every failed allocation of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base.h"

static enum rs_code parse(const char *text, struct rs_csv *out, struct rs_error *err)
{
	return rs_csv_parse(rs_bytes_of(text, strlen(text)), out, err);
}

/* Cells of all records, header first, with '|' between cells and '/' after records. */
static void expect(const char *text, const char *cells)
{
	struct rs_csv csv RS_CLEANUP(rs_csv_finish) = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	if (parse(text, &csv, &err) != RS_OK)
		fail_msg("%s: %s", text, err.message);
	rs_buffer_init(&out, 4096);
	for (size_t i = 0; i < (csv.rows + 1) * csv.columns; i++) {
		rs_buffer_append_text(&out, csv.cells[i]);
		rs_buffer_append_u8(&out, (i + 1) % csv.columns == 0 ? '/' : '|');
	}
	rs_buffer_append_u8(&out, 0);
	assert_string_equal((const char *)out.data, cells);
}

static void reads(void **state)
{
	(void)state;
	expect("field_name,field_name2\r\naaa,bbb\r\nzzz,yyy\r\n", "field_name|field_name2/aaa|bbb/zzz|yyy/");
	expect("a,b\naaa,bbb", "a|b/aaa|bbb/");
	expect("a,b,c\r\n\"aaa\",\"b \r\nbb\",\"ccc\"\r\nzzz,yyy,xxx", "a|b|c/aaa|b \r\nbb|ccc/zzz|yyy|xxx/");
	expect("a,b,c\n\"aaa\",\"b\"\"bb\",\"ccc\"\n", "a|b|c/aaa|b\"bb|ccc/");
	expect("\xef\xbb\xbfImage,Mask\n\n\r\ni,m\n\n", "Image|Mask/i|m/");
	expect("\xef\xbb\xbf\xef\xbb\xbf"
	       "a,b\n1,2\n",
	       "a|b/1|2/");
	expect("a,b,c\n1\n,,\n1,\n", "a|b|c/1||/||/1||/");
	expect("a\rb\r", "a/b/");
	expect("a,b\n x , y z \n", "a|b/ x | y z /");
	expect("a\n\"\"\nx\n", "a/x/");
	expect("a,b\n5' 11\" tall,x\n", "a|b/5' 11\" tall|x/");
}

static void looks_up(void **state)
{
	struct rs_csv csv RS_CLEANUP(rs_csv_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(parse("Image,Mask\n\"a\nb\",c\n\nd,e\n", &csv, &err), RS_OK);
	assert_int_equal(csv.rows, 2);
	assert_int_equal(csv.lines[0], 2);
	assert_int_equal(csv.lines[1], 5);
	assert_int_equal(rs_csv_column(&csv, "Mask"), 1);
	assert_true(rs_csv_column(&csv, "mask") == RS_CSV_NO_COLUMN);
	assert_string_equal(rs_csv_cell(&csv, 1, 0), "d");
	assert_string_equal(rs_csv_name(&csv, 1), "Mask");
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"", "empty"},
		{"\n\n", "empty"},
		{"a,b\n1,2,3\n", "line 2: more cells"},
		{"a,b\n\n\"x\n", "line 3: a quote"},
		{"a,b\n\"x\"y,2\n", "line 2: after a closing quote"},
		{"a,a\n", "'a' appears twice"},
		{"a,\n", "column 2 has no name"},
		{"Image;Mask\nx;y\n", "semicolons"},
		{"Image\tMask\nx\ty\n", "tabs"},
		{"a\n\xff\n", "UTF-8"},
	};
	struct rs_csv csv = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_error err = {0};
		assert_int_equal(parse(rows[i].text, &csv, &err), RS_MALFORMED);
		if (strstr(err.message, rows[i].words) == NULL)
			fail_msg("'%s' says: %s", rows[i].words, err.message);
		assert_null(csv.cells);
	}
	struct rs_error err = {0};
	assert_int_equal(rs_csv_parse(rs_bytes_of("a\0b", 3), &csv, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "NUL"));
}

/* Writes any cells and reads them back. */
static void round_trips(void **state)
{
	static const char *const cells[] = {"plain", "",       "a,b",    "\"", "\"\"",
	                                    "a\nb",  "a\r\nb", "ümlaut", " x "};
	struct rs_csv csv RS_CLEANUP(rs_csv_finish) = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	rs_buffer_init(&out, 4096);
	rs_buffer_append_text(&out, "name,text\r\n");
	for (size_t i = 0; i < RS_COUNT(cells); i++) {
		rs_buffer_append_text(&out, "x,");
		rs_csv_append(&out, cells[i]);
		rs_buffer_append_text(&out, "\r\n");
	}
	assert_int_equal(rs_csv_parse(rs_buffer_bytes(&out), &csv, &err), RS_OK);
	assert_int_equal(csv.rows, RS_COUNT(cells));
	for (size_t i = 0; i < RS_COUNT(cells); i++)
		assert_string_equal(rs_csv_cell(&csv, i, 1), cells[i]);
}

static void every_cut_and_every_allocation(void **state)
{
	static const char text[] = "Image,\"Mask\"\r\n\"a\"\"b\",c\r\nd\r\n\"e\nf\",\"g\"\r\n";
	(void)state;
	for (size_t size = 0; size < sizeof text; size++) {
		struct rs_csv csv RS_CLEANUP(rs_csv_finish) = {0};
		struct rs_error err = {0};
		char *copy RS_CLEANUP(rs_free_pointer) = rs_str_duplicate((struct rs_str){text, size});
		assert_non_null(copy);
		enum rs_code code = rs_csv_parse(rs_bytes_of(copy, size), &csv, &err);
		assert_true(code == RS_OK || code == RS_MALFORMED);
	}
	enum rs_code code = RS_NO_MEMORY;
	for (uint64_t k = 1; code == RS_NO_MEMORY; k++) {
		struct rs_csv csv RS_CLEANUP(rs_csv_finish) = {0};
		struct rs_error err = {0};
		rs_memory_fail_at(k);
		code = parse(text, &csv, &err);
		rs_memory_fail_at(0);
		assert_true(code == RS_OK || csv.cells == NULL);
	}
	assert_int_equal(code, RS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(looks_up),
		cmocka_unit_test(refuses),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(every_cut_and_every_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
