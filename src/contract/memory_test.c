/* The state in memory: rows in order, walks by prefix, rollbacks, running out of memory; and that rows which are none of
 * the contract's are told from those that are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "contract/contract_memory.h"

static struct rs_bytes text(const char *value) { return rs_bytes_of(value, strlen(value)); }

static void put(const struct rs_state *state, const char *key, const char *value)
{
	assert_int_equal(state->put(state->context, text(key), text(value), NULL), RS_OK);
}

static enum rs_code list(void *visitor, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	(void)err;
	rs_buffer_append_bytes(visitor, key);
	rs_buffer_append_text(visitor, "=");
	rs_buffer_append_bytes(visitor, value);
	rs_buffer_append_text(visitor, " ");
	return RS_OK;
}

static void walk_gives(const struct rs_state *state, const char *prefix, const char *expected)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&out, 4096);
	assert_int_equal(state->each(state->context, text(prefix), list, &out, NULL), RS_OK);
	if (!rs_str_equal_text(rs_buffer_str(&out), expected))
		fail_msg("'" RS_STR_FORMAT "'", RS_STR_ARGUMENTS(rs_buffer_str(&out)));
}

static void rows_are_walked_in_order_by_prefix(void **unused)
{
	struct rs_memory_state memory = {.count = 0};
	const struct rs_state state = rs_memory_state_view(&memory);
	struct rs_bytes value;
	(void)unused;
	put(&state, "b", "1");
	put(&state, "ab", "2");
	put(&state, "abc", "3");
	put(&state, "a", "");
	put(&state, "ab\xff", "4");
	put(&state, "ab", "5");
	walk_gives(&state, "", "a= ab=5 abc=3 ab\xff=4 b=1 ");
	walk_gives(&state, "ab", "ab=5 abc=3 ab\xff=4 ");
	walk_gives(&state, "abd", "");
	walk_gives(&state, "c", "");
	assert_int_equal(state.get(state.context, text("a"), &value, NULL), RS_OK);
	assert_int_equal(value.size, 0);
	assert_int_equal(state.get(state.context, text("aa"), &value, NULL), RS_NOT_FOUND);
	rs_memory_state_finish(&memory);
}

static void a_rollback_leaves_what_was(void **unused)
{
	struct rs_memory_state memory = {.count = 0};
	const struct rs_state state = rs_memory_state_view(&memory);
	(void)unused;
	put(&state, "m", "old");
	rs_memory_state_begin(&memory);
	put(&state, "a", "new");
	put(&state, "m", "newer");
	put(&state, "a", "newer");
	put(&state, "z", "new");
	walk_gives(&state, "", "a=newer m=newer z=new ");
	rs_memory_state_rollback(&memory);
	walk_gives(&state, "", "m=old ");
	rs_memory_state_begin(&memory);
	put(&state, "m", "kept");
	rs_memory_state_commit(&memory);
	rs_memory_state_rollback(&memory);
	walk_gives(&state, "", "m=kept ");
	rs_memory_state_finish(&memory);
}

/* At every request of memory: what was put before is there, and a rollback brings back what was. */
static void memory_may_end_anywhere(void **unused)
{
	(void)unused;
	for (uint64_t k = 1;; k++) {
		struct rs_memory_state memory = {.count = 0};
		const struct rs_state state = rs_memory_state_view(&memory);
		enum rs_code code = RS_OK;
		struct rs_error err = {0};
		put(&state, "m", "old");
		rs_memory_state_begin(&memory);
		rs_memory_fail_at(k);
		for (unsigned i = 0; i < 200 && code == RS_OK; i++) {
			char key[16];
			snprintf(key, sizeof key, "%03u", (i * 37) % 150);
			code = state.put(state.context, text(key), text("value"), &err);
		}
		rs_memory_fail_at(0);
		rs_memory_state_rollback(&memory);
		walk_gives(&state, "", "m=old ");
		rs_memory_state_finish(&memory);
		if (code == RS_OK)
			return;
		assert_int_equal(code, RS_NO_MEMORY);
		assert_non_null(strstr(err.message, "memory"));
	}
}

static void the_digest_passes_over_the_engines_rows(void **unused)
{
	struct rs_memory_state memory = {.count = 0};
	const struct rs_state state = rs_memory_state_view(&memory);
	struct rs_digest empty, digest, expected;
	(void)unused;
	rs_sha256(rs_bytes_of("", 0), &expected);
	assert_int_equal(rs_state_digest(&state, &empty, NULL), RS_OK);
	assert_true(rs_digest_equal(&empty, &expected));
	put(&state, "Tid", "place");
	assert_int_equal(rs_state_digest(&state, &digest, NULL), RS_OK);
	assert_true(rs_digest_equal(&empty, &digest));
	put(&state, "ab", "c");
	assert_int_equal(rs_state_digest(&state, &digest, NULL), RS_OK);
	rs_sha256(rs_bytes_of("\0\0\0\2ab\0\0\0\1c", 11), &expected);
	assert_true(rs_digest_equal(&digest, &expected));
	rs_memory_state_finish(&memory);
}

/* Each row of a small consortium, replaced by one that is none: whoever comes across it says RS_ALTERED, nobody falls. */
static void rows_that_are_none_are_told(void **unused)
{
	static const char *const rubbish[] = {"", "\x80", "\xff\xff", "\x85\x01\x02\x03\x04\x05",
	                                      "\x84\x60\x40\xf4\x61"};
	(void)unused;
	for (size_t row = 0;; row++) {
		struct rs_memory_state memory = {.count = 0};
		const struct rs_state state = rs_memory_state_view(&memory);
		struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
		                     .signer = {{1}},
		                     .organisation = RS_STR("A"),
		                     .member = {{1}},
		                     .instances = 1,
		                     .kind = RS_OBJECT_IMAGE,
		                     .effect = RS_CONSENT_PERMIT,
		                     .roles = 2,
		                     .purposes = 2,
		                     .operations = 2,
		                     .operation = RS_OPERATION_READ,
		                     .role = RS_ROLE_RADIOLOGIST,
		                     .attribute = RS_PROFILE_CONTACT,
		                     .origin = RS_STR("o"),
		                     .size = 1};
		static const enum rs_transaction_type types[] = {
			RS_TRANSACTION_ORGANISATION_ADD, RS_TRANSACTION_SUBJECT_REGISTER,
			RS_TRANSACTION_OBJECT_REGISTER,  RS_TRANSACTION_CONSENT_GRANT,
			RS_TRANSACTION_PROFILE_SET,      RS_TRANSACTION_CHECKPOINT_ANCHOR,
			RS_TRANSACTION_ACCESS_REQUEST,
		};
		enum rs_refusal refusal;
		act.subject.bytes[0] = act.commitment.bytes[0] = act.consent.bytes[0] = act.root.bytes[0] = 5;
		for (size_t i = 0; i < RS_COUNT(types); i++) {
			act.type = types[i];
			act.id[0] = (uint8_t)i;
			act.purpose = types[i] == RS_TRANSACTION_ACCESS_REQUEST ? RS_PURPOSE_OPERATIONS : 0;
			if (types[i] == RS_TRANSACTION_SUBJECT_REGISTER)
				act.member.bytes[0] = 0;
			assert_int_equal(rs_contract_apply(&state, &act, &refusal, NULL), RS_OK);
			assert_int_equal(refusal, RS_REFUSAL_NONE);
		}
		if (row == memory.count) {
			rs_memory_state_finish(&memory);
			return;
		}
		for (size_t i = 0; i < RS_COUNT(rubbish); i++) {
			struct rs_memory_row *at = &memory.rows[row];
			uint8_t key[RS_STATE_KEY_MAX];
			size_t size = at->key_size;
			memcpy(key, at->bytes, size);
			assert_int_equal(
				state.put(state.context, rs_bytes_of(key, size), text(rubbish[i]), NULL),
				RS_OK);
			bool told = false;
			for (unsigned type = 1; type < RS_TRANSACTION_TYPE_COUNT; type++) {
				struct rs_error err = {0};
				act.type = (enum rs_transaction_type)type;
				rs_memory_state_begin(&memory);
				enum rs_code code = rs_contract_apply(&state, &act, &refusal, &err);
				rs_memory_state_rollback(&memory);
				assert_true(code == RS_OK || (code == RS_ALTERED && err.message[0]));
				told = told || code == RS_ALTERED;
			}
			/* Rows that are only looked for, or are for the reader, hold anything. */
			if (!told && !strchr("FYQX", key[0]))
				fail_msg("row %c with rubbish %zu was believed", key[0], i);
		}
		rs_memory_state_finish(&memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_walked_in_order_by_prefix),
		cmocka_unit_test(a_rollback_leaves_what_was),
		cmocka_unit_test(memory_may_end_anywhere),
		cmocka_unit_test(the_digest_passes_over_the_engines_rows),
		cmocka_unit_test(rows_that_are_none_are_told),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
