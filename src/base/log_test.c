/* The log's lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/base_log.h"

static uint64_t fixed(const struct rs_clock *clock RS_UNUSED) { return UINT64_C(1795230245678); }

static const struct rs_clock clock_fixed = {fixed, fixed};

#define TIME "time=2026-11-21T03:04:05.678Z "

/* What one call writes. */
static char *written(enum rs_log_level minimum, enum rs_log_level level, const struct rs_log_field *fields,
                     size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	assert_non_null(stream);
	struct rs_log log = {stream, minimum, &clock_fixed};
	rs_log_write(&log, level, "sealed", fields, count);
	fclose(stream);
	return text;
}

static void assert_value(const char *value, const char *expected)
{
	struct rs_log_field field = {"path", value};
	char line[1000];
	char *text = written(RS_LOG_INFO, RS_LOG_INFO, &field, 1);
	snprintf(line, sizeof line, TIME "level=info event=sealed path=%s\n", expected);
	assert_string_equal(text, line);
	free(text);
}

static void values_are_quoted_when_needed(void **state)
{
	(void)state;
	assert_value("/data/a.dcm", "/data/a.dcm");
	assert_value("", "\"\"");
	assert_value(NULL, "\"\"");
	assert_value("a b", "\"a b\"");
	assert_value("a=b", "\"a=b\"");
	assert_value("a\"b", "\"a\\\"b\"");
	assert_value("a\\b", "\"a\\\\b\"");
	assert_value("caf\xc3\xa9", "caf\xc3\xa9");
}

/* No value can begin a line of its own, or move the terminal's cursor. */
static void controls_are_escaped(void **state)
{
	(void)state;
	assert_value("a\nlevel=error event=forged", "\"a\\x0alevel=error event=forged\"");
	assert_value("\x1b[2J\r\t\x7f", "\"\\x1b[2J\\x0d\\x09\\x7f\"");
	assert_value("\xc2\x9b"
	             "2J\xc2\xa0",
	             "\"\\xc2\\x9b2J\xc2\xa0\"");
}

static void levels_are_kept(void **state)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	(void)state;
	for (int minimum = RS_LOG_DEBUG; minimum <= RS_LOG_ERROR; minimum++)
		for (int level = RS_LOG_DEBUG; level <= RS_LOG_ERROR; level++) {
			char *text = written((enum rs_log_level)minimum, (enum rs_log_level)level, NULL, 0),
			     line[100];
			snprintf(line, sizeof line, TIME "level=%s event=sealed\n", names[level]);
			assert_string_equal(text, level < minimum ? "" : line);
			free(text);
		}
	struct rs_log silent = {NULL, RS_LOG_DEBUG, &clock_fixed};
	rs_log_write(&silent, RS_LOG_ERROR, "x", NULL, 0);
	rs_log_write(NULL, RS_LOG_ERROR, "x", NULL, 0);
}

static void the_macro_counts(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	struct rs_log log = {stream, RS_LOG_INFO, &clock_fixed};
	(void)state;
	RS_LOG(&log, RS_LOG_WARNING, "refused", {"role", "researcher"}, {"purpose", "no consent"});
	fclose(stream);
	assert_string_equal(text,
	                    TIME "level=warning event=refused role=researcher purpose=\"no consent\"\n");
	free(text);
}

/* A line too long loses its fields, but the event is not lost. */
static void long_lines_keep_the_event(void **state)
{
	char *value = rs_allocate(10000);
	bool whole = false, cut = false;
	(void)state;
	assert_non_null(value);
	for (size_t size = 8060; size < 8200; size++) { /* around the longest line */
		memset(value, 'x', size);
		struct rs_log_field fields[] = {{"step", "1"}, {"text", value}, {"last", "2"}};
		char *text = written(RS_LOG_INFO, RS_LOG_ERROR, fields, 3);
		size_t length = strlen(text);
		assert_ptr_equal(strstr(text, TIME "level=error event=sealed step=1 "), text);
		assert_ptr_equal(strchr(text, '\n'), text + length - 1);
		assert_true(length <= 8192);
		if (strcmp(text + length - 8, " last=2\n") == 0)
			whole = true;
		else if (strcmp(text + length - 22, " fields_left_out=true\n") == 0)
			cut = true;
		else
			fail_msg("size %zu: %s", size, text + length - 40);
		free(text);
	}
	assert_true(whole && cut);
	rs_free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_quoted_when_needed),
		cmocka_unit_test(controls_are_escaped),
		cmocka_unit_test(levels_are_kept),
		cmocka_unit_test(the_macro_counts),
		cmocka_unit_test(long_lines_keep_the_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
