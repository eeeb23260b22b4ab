/* COSE receipts: of every entry of every small tree, and nothing else; that others read them is tests/system/cose.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_cose.h"

#define SIZE_MAX_TESTED 17

static struct rs_signing_key key, other;

static int make_keys(void **state)
{
	struct rs_secret seed = {{1}}, other_seed = {{2}};
	(void)state;
	rs_signing_key_from_seed(&seed, &key);
	rs_signing_key_from_seed(&other_seed, &other);
	return 0;
}

static struct rs_bytes entry_of(uint64_t index)
{
	static uint8_t entries[SIZE_MAX_TESTED][1];
	entries[index][0] = (uint8_t)index;
	return rs_bytes_of(entries[index], 1);
}

static enum rs_code make_receipt(uint64_t index, uint64_t size, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_digest leaves[SIZE_MAX_TESTED], path[RS_PROOF_HASHES_MAX], root;
	struct rs_leaves tree = {leaves, (size_t)size};
	size_t count;
	for (uint64_t i = 0; i < size; i++)
		rs_leaf_hash(entry_of(i), &leaves[i]);
	rs_buffer_init(out, RS_COSE_RECEIPT_SIZE_MAX);
	assert_int_equal(rs_tree_root(rs_leaves_read, &tree, size, &root, NULL), RS_OK);
	assert_int_equal(rs_tree_inclusion(rs_leaves_read, &tree, index, size, path, &count, NULL), RS_OK);
	return rs_cose_receipt_sign(index, size, &root, path, count, &key, out, err);
}

static void every_entry_has_a_receipt_of_its_own(void **state)
{
	uint64_t found, of;
	struct rs_error err = {0};
	(void)state;
	for (uint64_t size = 2; size <= SIZE_MAX_TESTED; size++)
		for (uint64_t index = 0; index < size; index++) {
			struct rs_buffer receipt;
			assert_int_equal(make_receipt(index, size, &receipt, &err), RS_OK);
			for (uint64_t asked = 0; asked < SIZE_MAX_TESTED; asked++) {
				enum rs_code code = rs_cose_receipt_verify(rs_buffer_bytes(&receipt),
				                                           entry_of(asked), key.public_key,
				                                           &found, &of, &err);
				assert_int_equal(code, asked == index ? RS_OK : RS_ALTERED);
			}
			assert_true(found == index && of == size);
			assert_int_equal(rs_cose_receipt_verify(rs_buffer_bytes(&receipt), entry_of(index),
			                                        other.public_key, &found, &of, &err),
			                 RS_ALTERED);
			rs_buffer_finish(&receipt);
		}
}

static void altered_receipts_are_refused(void **state)
{
	struct rs_buffer receipt;
	struct rs_error err = {0};
	uint64_t found = 77, of = 77;
	(void)state;
	assert_int_equal(make_receipt(5, 11, &receipt, &err), RS_OK);
	for (size_t bit = 0; bit < 8 * receipt.size; bit++) {
		receipt.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rs_cose_receipt_verify(rs_buffer_bytes(&receipt), entry_of(5),
		                                            key.public_key, &found, &of, &err),
		                     RS_OK);
		receipt.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t size = 0; size < receipt.size; size++)
		assert_int_equal(rs_cose_receipt_verify(rs_bytes_of(receipt.data, size), entry_of(5),
		                                        key.public_key, &found, &of, &err),
		                 RS_MALFORMED);
	assert_true(found == 77 && of == 77);
	rs_buffer_finish(&receipt);
}

static void a_log_of_one_entry_has_none(void **state)
{
	struct rs_buffer receipt;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(make_receipt(0, 1, &receipt, &err), RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "one entry"));
	assert_int_equal(receipt.size, 0);
	rs_buffer_finish(&receipt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_has_a_receipt_of_its_own),
		cmocka_unit_test(altered_receipts_are_refused),
		cmocka_unit_test(a_log_of_one_entry_has_none),
	};
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
