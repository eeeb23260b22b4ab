/* Errors: sentences that fit, are clean, and say which code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/base_memory.h"

static void code_and_sentence(void **state)
{
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_error_set(&err, RS_TOO_LARGE, "length %d exceeds %s", 9, "the file"),
	                 RS_TOO_LARGE);
	assert_int_equal(err.code, RS_TOO_LARGE);
	assert_string_equal(err.message, "length 9 exceeds the file");
	assert_int_equal(rs_error_context(&err, "element %s", "(0010,0020)"), RS_TOO_LARGE);
	assert_int_equal(rs_error_context(&err, "/data/a.dcm"), RS_TOO_LARGE);
	assert_string_equal(err.message, "/data/a.dcm: element (0010,0020): length 9 exceeds the file");
	/* The old sentence as an argument of the new one. */
	rs_error_set(&err, RS_IO, "again: %s", err.message);
	assert_string_equal(err.message,
	                    "again: /data/a.dcm: element (0010,0020): length 9 exceeds the file");
	assert_int_equal(rs_error_set(NULL, RS_BUSY, "lost"), RS_BUSY);
	assert_int_equal(rs_error_context(NULL, "lost"), RS_INTERNAL);
	assert_int_equal(rs_error_errno(NULL, ENOSPC, "lost"), RS_NO_SPACE);
}

static void long_sentences_lose_their_end(void **state)
{
	char name[2000];
	struct {
		struct rs_error err;
		char after[8];
	} guarded = {.after = "guard"};
	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	rs_error_set(&guarded.err, RS_IO, "%s", name);
	assert_int_equal(strlen(guarded.err.message), RS_ERROR_MESSAGE_SIZE - 1);
	rs_error_set(&guarded.err, RS_IO, "short");
	rs_error_context(&guarded.err, "%s", name);
	assert_int_equal(strlen(guarded.err.message), RS_ERROR_MESSAGE_SIZE - 1);
	for (size_t size = 500; size < 515; size++) { /* around the end */
		rs_error_set(&guarded.err, RS_IO, "short");
		rs_error_context(&guarded.err, "%.*s", (int)size, name);
		size_t whole = size + 2 + 5;
		assert_int_equal(strlen(guarded.err.message), whole < 511 ? whole : 511);
	}
	rs_error_errno(&guarded.err, ENOENT, "%s", name);
	assert_int_equal(strlen(guarded.err.message), RS_ERROR_MESSAGE_SIZE - 1);
	assert_string_equal(guarded.after, "guard");
}

/* Whatever a hostile name holds, no terminal obeys it: neither C0 nor (as UTF-8) C1 controls. */
static void controls_are_replaced(void **state)
{
	struct rs_error err = {0};
	(void)state;
	rs_error_set(&err, RS_IO, "%s", "a\x1b[2Jb\r\n\t\x7f");
	assert_string_equal(err.message, "a?[2Jb????");
	rs_error_context(&err, "\x1b]0;x\x07");
	assert_string_equal(err.message, "?]0;x?: a?[2Jb????");
	rs_error_set(&err, RS_IO, "%s",
	             "caf\xc3\xa9 \xc2\x9b"
	             "2J \xc2\x80\xc2\x9f\xc2\xa0.");
	assert_string_equal(err.message, "caf\xc3\xa9 ??2J ????\xc2\xa0.");
}

static void errno_becomes_a_code(void **state)
{
	static const struct {
		int number;
		enum rs_code code;
	} rows[] = {{ENOENT, RS_NOT_FOUND}, {ENOTDIR, RS_NOT_FOUND}, {EEXIST, RS_EXISTS},
	            {ENOTEMPTY, RS_EXISTS}, {EACCES, RS_DENIED},     {EPERM, RS_DENIED},
	            {EROFS, RS_DENIED},     {ENOSPC, RS_NO_SPACE},   {EDQUOT, RS_NO_SPACE},
	            {ENOMEM, RS_NO_MEMORY}, {EFBIG, RS_TOO_LARGE},   {EIO, RS_IO},
	            {99999, RS_IO}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_error err = {0};
		assert_int_equal(rs_error_errno(&err, rows[i].number, "/a/%d", 1), rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		assert_ptr_equal(strstr(err.message, "/a/1: "), err.message);
		assert_true(strlen(err.message) > strlen("/a/1: "));
	}
}

static void codes_have_names(void **state)
{
	(void)state;
	assert_string_equal(rs_code_name(RS_OK), "OK");
	assert_string_equal(rs_code_name(RS_MALFORMED), "MALFORMED");
	assert_string_equal(rs_code_name(RS_INTERNAL), "INTERNAL");
	assert_string_equal(rs_code_name((enum rs_code)1000), "INTERNAL");
	for (int code = RS_OK; code <= RS_INTERNAL; code++)
		assert_true(strlen(rs_code_name((enum rs_code)code)) > 0);
}

static enum rs_code tried(enum rs_code code, int *reached)
{
	RS_TRY(code);
	++*reached;
	return RS_OK;
}

static void try_returns(void **state)
{
	int reached = 0;
	(void)state;
	assert_int_equal(tried(RS_BUSY, &reached), RS_BUSY);
	assert_int_equal(reached, 0);
	assert_int_equal(tried(RS_OK, &reached), RS_OK);
	assert_int_equal(reached, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_and_sentence),     cmocka_unit_test(long_sentences_lose_their_end),
		cmocka_unit_test(controls_are_replaced), cmocka_unit_test(errno_becomes_a_code),
		cmocka_unit_test(codes_have_names),      cmocka_unit_test(try_returns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
