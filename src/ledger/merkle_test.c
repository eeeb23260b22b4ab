/* RFC 6962 trees against the vectors of Certificate Transparency (certificate-transparency-go and the RFC's own
 * structure: eight known leaves), and exhaustively over small trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_log.h"

#define SIZE_LIMIT 48

/* The leaves of the reference tests: "", 00, 10, 2021, 3031, 40414243, 5051…57, 6061…6f. */
static const struct {
	uint8_t data[16];
	size_t size;
} reference[8] = {
	{{0}, 0},
	{{0x00}, 1},
	{{0x10}, 1},
	{{0x20, 0x21}, 2},
	{{0x30, 0x31}, 2},
	{{0x40, 0x41, 0x42, 0x43}, 4},
	{{0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57}, 8},
	{{0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f},
         16},
};
static const char *const roots[8] = {
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void roots_are_those_of_the_reference(void **state)
{
	(void)state;
	struct rs_digest hashes[8], root;
	for (size_t i = 0; i < 8; i++)
		rs_leaf_hash(rs_bytes_of(reference[i].data, reference[i].size), &hashes[i]);
	for (size_t size = 1; size <= 8; size++) {
		struct rs_leaves leaves = {hashes, size};
		char text[2 * RS_SHA256_SIZE + 1];
		assert_int_equal(rs_tree_root(rs_leaves_read, &leaves, size, &root, NULL), RS_OK);
		rs_hex_encode(rs_bytes_of(root.bytes, RS_SHA256_SIZE), text);
		assert_string_equal(text, roots[size - 1]);
	}
}

static void make_leaves(struct rs_digest *hashes)
{
	for (uint8_t i = 0; i < SIZE_LIMIT; i++)
		rs_leaf_hash(rs_bytes_of(&i, 1), &hashes[i]);
}

static void every_leaf_of_every_small_tree_is_included_and_nothing_else(void **state)
{
	(void)state;
	struct rs_digest hashes[SIZE_LIMIT], root, path[RS_PROOF_HASHES_MAX];
	make_leaves(hashes);
	for (size_t size = 1; size <= SIZE_LIMIT; size++) {
		struct rs_leaves leaves = {hashes, size};
		assert_int_equal(rs_tree_root(rs_leaves_read, &leaves, size, &root, NULL), RS_OK);
		for (size_t index = 0; index < size; index++) {
			size_t count;
			assert_int_equal(
				rs_tree_inclusion(rs_leaves_read, &leaves, index, size, path, &count, NULL),
				RS_OK);
			for (size_t other = 0; other <= size; other++)
				assert_int_equal(
					rs_inclusion_valid(&hashes[index], other, size, path, count, &root),
					other == index);
			assert_false(count &&
			             rs_inclusion_valid(&hashes[index], index, size, path, count - 1, &root));
			for (size_t step = 0; step < count; step++) {
				path[step].bytes[step] ^= 1;
				assert_false(
					rs_inclusion_valid(&hashes[index], index, size, path, count, &root));
				path[step].bytes[step] ^= 1;
			}
		}
	}
}

static void every_pair_of_small_trees_is_consistent_and_altered_ones_are_not(void **state)
{
	(void)state;
	struct rs_digest hashes[SIZE_LIMIT], all[SIZE_LIMIT + 1], proof[RS_PROOF_HASHES_MAX];
	make_leaves(hashes);
	for (size_t size = 0; size <= SIZE_LIMIT; size++) {
		struct rs_leaves leaves = {hashes, size};
		assert_int_equal(rs_tree_root(rs_leaves_read, &leaves, size, &all[size], NULL), RS_OK);
	}
	for (size_t new_size = 1; new_size <= SIZE_LIMIT; new_size++)
		for (size_t old_size = 1; old_size <= new_size; old_size++) {
			struct rs_leaves leaves = {hashes, new_size};
			size_t count;
			assert_int_equal(rs_tree_consistency(rs_leaves_read, &leaves, old_size, new_size,
			                                     proof, &count, NULL),
			                 RS_OK);
			assert_true(rs_consistency_valid(old_size, &all[old_size], new_size, &all[new_size],
			                                 proof, count));
			struct rs_digest wrong = all[old_size];
			wrong.bytes[31] ^= 0x80;
			assert_false(rs_consistency_valid(old_size, &wrong, new_size, &all[new_size], proof,
			                                  count));
			for (size_t step = 0; step < count; step++) {
				proof[step].bytes[7] ^= 4;
				assert_false(rs_consistency_valid(old_size, &all[old_size], new_size,
				                                  &all[new_size], proof, count));
				proof[step].bytes[7] ^= 4;
			}
		}
}

/* What no tree gives is no proof, and what no tree has is not proved. */
static void impossible_proofs_are_refused(void **state)
{
	struct rs_digest hashes[SIZE_LIMIT], root, shorter, proof[RS_PROOF_HASHES_MAX];
	struct rs_leaves leaves = {hashes, 6};
	struct rs_error err = {0};
	size_t count;
	(void)state;
	make_leaves(hashes);
	assert_int_equal(rs_tree_root(rs_leaves_read, &leaves, 6, &root, NULL), RS_OK);
	assert_int_equal(rs_tree_root(rs_leaves_read, &leaves, 3, &shorter, NULL), RS_OK);
	assert_int_equal(rs_tree_inclusion(rs_leaves_read, &leaves, 6, 6, proof, &count, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "entry 6"));
	assert_int_equal(rs_tree_consistency(rs_leaves_read, &leaves, 7, 6, proof, &count, &err), RS_USAGE);
	assert_int_equal(rs_tree_consistency(rs_leaves_read, &leaves, 3, 6, proof, &count, &err), RS_OK);
	assert_true(rs_consistency_valid(3, &shorter, 6, &root, proof, count));
	assert_false(rs_consistency_valid(3, &shorter, 6, &root, NULL, 0));
	assert_false(rs_consistency_valid(3, &shorter, 6, &root, proof, count - 1));
	proof[count] = proof[0];
	assert_false(rs_consistency_valid(3, &shorter, 6, &root, proof, count + 1));
	assert_false(rs_consistency_valid(6, &root, 3, &shorter, proof, count));
	assert_false(rs_consistency_valid(6, &root, 6, &shorter, proof, 0));
	assert_false(rs_consistency_valid(6, &root, 6, &root, proof, 1));
	assert_true(rs_consistency_valid(6, &root, 6, &root, proof, 0));
	/* Nothing is a beginning of everything, and needs no proof. */
	assert_int_equal(rs_tree_consistency(rs_leaves_read, &leaves, 0, 6, proof, &count, &err), RS_OK);
	assert_true(count == 0 && rs_consistency_valid(0, &shorter, 6, &root, proof, 0));
	assert_false(rs_consistency_valid(0, &shorter, 6, &root, proof, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_the_reference),
		cmocka_unit_test(every_leaf_of_every_small_tree_is_included_and_nothing_else),
		cmocka_unit_test(impossible_proofs_are_refused),
		cmocka_unit_test(every_pair_of_small_trees_is_consistent_and_altered_ones_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
