/* Command sets of DCMTK 3.6.7 (captured), what is missing or wrong in others, and answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dicomnet/dicomnet_command.h"

/* `echoscu`, behind the headers of PDU and value. */
#define ECHO                                                                                                       \
	"0000000004000000380000000000020012000000312e322e3834302e31303030382e312e31000000000102000000300000001001" \
	"02000000010000000008020000000101"

static enum rs_code decode(const char *hex, struct rs_command *out, struct rs_error *err)
{
	uint8_t bytes[1024];
	size_t size = strlen(hex) / 2;
	assert_true(size <= sizeof bytes && rs_hex_decode(rs_str_from(hex), bytes, size));
	return rs_command_decode(rs_bytes_of(bytes, size), out, err);
}

static void an_echo_is_read_and_written_as_dcmtk_does(void **state)
{
	struct rs_command command;
	struct rs_error err = {0};
	struct rs_buffer out;
	uint8_t bytes[68];
	char name[RS_COMMAND_NAME_SIZE];
	(void)state;
	assert_int_equal(decode(ECHO, &command, &err), RS_OK);
	assert_int_equal(command.field, RS_C_ECHO_RQ);
	assert_int_equal(command.message, 1);
	assert_string_equal(command.sop_class, RS_SOP_VERIFICATION);
	assert_false(rs_command_has_data(&command));
	assert_string_equal(rs_command_name(command.field, name), "C-ECHO-RQ");
	rs_buffer_init(&out, 1024);
	assert_int_equal(rs_command_encode(&command, &out, &err), RS_OK);
	assert_true(rs_hex_decode(RS_STR(ECHO), bytes, sizeof bytes));
	assert_int_equal(out.size, sizeof bytes);
	assert_memory_equal(out.data, bytes, sizeof bytes);
	rs_buffer_finish(&out);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *hex, *says;
	} cases[] = {
		{"", "no element (0000,0100)"},
		{"00000001", "byte 0"},
		{"0800000002000000", "byte 0"},
		{"000000010200000030000000010200", "byte 10"},
		{"0000000004000000ff000000", "(0000,0000)"},
		{"0000000102000000300000000001020000003000", "(0000,0100): is not in ascending order"},
		{"000000010400000030000000", "(0000,0100): is not a number of two bytes"},
		{"00000200020000002e2e", "(0000,0002): is no UID"},
		{"00000006120000004141414141414141414141414141414141410000", "(0000,0600): is longer"},
		{"00000001020000003000"
	         "000010010200000001000000000802000000"
	         "0101",
	         "C-ECHO-RQ has no element (0000,0002)"},
		{"00000001020000000180"
	         "0000080802000000"
	         "0101",
	         "C-STORE-RSP has no element (0000,0120)"},
	};
	struct rs_command command;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_error err = {0};
		if (decode(cases[i].hex, &command, &err) != RS_MALFORMED ||
		    !strstr(err.message, cases[i].says))
			fail_msg("case %zu: %s", i, err.message);
	}
}

static void answers_go_to_their_requests(void **state)
{
	struct rs_command request = {
		.present = RS_HAS(FIELD) | RS_HAS(MESSAGE) | RS_HAS(SOP_CLASS) | RS_HAS(INSTANCE) |
	                   RS_HAS(DATA) | RS_HAS(PRIORITY),
		.field = RS_C_STORE_RQ,
		.message = 7,
		.data = 1,
		.sop_class = "1.2.3",
		.instance = "1.2.4",
	};
	struct rs_command answer, again;
	struct rs_error err = {0};
	struct rs_buffer out;
	(void)state;
	rs_command_answer(&request, RS_STATUS_OUT_OF_RESOURCES,
	                  "a sentence of more than sixty-four characters, and a\nbackslash \\ in it",
	                  &answer);
	rs_buffer_init(&out, 1024);
	assert_int_equal(rs_command_encode(&answer, &out, &err), RS_OK);
	assert_int_equal(rs_command_decode(rs_buffer_bytes(&out), &again, &err), RS_OK);
	assert_int_equal(again.field, 0x8001);
	assert_true(again.message == 7 && again.status == 0xA700 && !rs_command_has_data(&again));
	assert_string_equal(again.instance, "1.2.4");
	assert_string_equal(again.comment,
	                    "a sentence of more than sixty-four characters, and a?backslash ?");
	rs_buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_echo_is_read_and_written_as_dcmtk_does),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(answers_go_to_their_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
