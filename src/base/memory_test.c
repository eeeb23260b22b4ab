/* Checked sizes, the heap with its faults, arenas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_memory.h"

static void sizes_are_checked(void **state)
{
	size_t out = 7;
	(void)state;
	assert_false(rs_mul_size(SIZE_MAX / 2 + 1, 2, &out));
	assert_false(rs_mul_size((size_t)1 << 32, (size_t)1 << 32, &out));
	assert_false(rs_add_size(SIZE_MAX, 1, &out));
	assert_int_equal(out, 7);
	assert_true(rs_mul_size(SIZE_MAX, 1, &out) && out == SIZE_MAX);
	assert_true(rs_mul_size(SIZE_MAX, 0, &out) && out == 0);
	assert_true(rs_add_size(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
	assert_null(rs_allocate_array(SIZE_MAX / 2 + 1, 2));
}

static bool is_zero(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static void blocks_are_zeroed_and_aligned(void **state)
{
	(void)state;
	for (size_t size = 0; size < 5000; size += 1 + size / 3) {
		uint8_t *plain = rs_allocate(size), *aligned = rs_allocate_aligned(size);
		assert_non_null(plain);
		assert_non_null(aligned);
		assert_true(is_zero(plain, size) && is_zero(aligned, size));
		assert_int_equal((uintptr_t)aligned % 64, 0);
		memset(plain, 1, size);
		memset(aligned, 1, size);
		rs_free(plain);
		rs_free(aligned);
	}
	rs_free(NULL);
	char *block = rs_allocate_array(3, 5);
	assert_non_null(block);
	memcpy(block, "abc", 4);
	char *larger = rs_reallocate(block, 10000);
	assert_non_null(larger);
	assert_string_equal(larger, "abc");
	rs_free_pointer(&larger);
}

static void faults_come_when_told(void **state)
{
	(void)state;
	rs_memory_fail_at(3);
	void *a = rs_allocate(1), *b = rs_allocate_aligned(1), *c = rs_allocate_array(1, 1);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(c);
	assert_null(rs_reallocate(a, 2)); /* and all after it; the block stays */
	assert_null(rs_allocate_aligned(1));
	assert_int_equal(rs_memory_fail_at(0), 5);
	c = rs_reallocate(a, 2);
	assert_non_null(c);
	assert_int_equal(rs_memory_fail_at(0), 1);
	rs_free(b);
	rs_free(c);
}

static void errors_name_the_purpose(void **state)
{
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_error_memory(&err, 4096, "a volume"), RS_NO_MEMORY);
	assert_string_equal(err.message, "out of memory (4096 bytes for a volume)");
}

static void arenas_hand_out_apart(void **state)
{
	enum { BLOCKS = 2000 };
	static uint8_t *blocks[BLOCKS];
	static size_t sizes[BLOCKS];
	struct rs_arena arena;
	(void)state;
	rs_arena_init(&arena, (size_t)1 << 30);
	for (size_t i = 0; i < BLOCKS; i++) {
		sizes[i] = i % 100 == 99 ? 200000 : i * 7 % 300; /* some larger than a block */
		blocks[i] = rs_arena_allocate(&arena, sizes[i]);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		assert_true(is_zero(blocks[i], sizes[i]));
		memset(blocks[i], (int)(i & 255), sizes[i]);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			if (blocks[i][k] != (i & 255))
				fail_msg("block %zu was written over", i);
	rs_arena_finish(&arena);
	rs_arena_finish(&arena);
	rs_arena_finish(NULL);
	assert_null(arena.block);
}

static void arenas_end(void **state)
{
	struct rs_arena arena RS_CLEANUP(rs_arena_finish) = {0};
	(void)state;
	rs_arena_init(&arena, 64);
	assert_non_null(rs_arena_allocate(&arena, 33)); /* 48 with its rounding */
	assert_null(rs_arena_allocate(&arena, 17));
	assert_null(rs_arena_allocate(&arena, SIZE_MAX));
	assert_null(rs_arena_allocate(&arena, SIZE_MAX - 15));
	assert_null(rs_arena_allocate_array(&arena, SIZE_MAX / 2, 4));
	assert_non_null(rs_arena_allocate_array(&arena, 2, 8));
	assert_int_equal(arena.used, 64);
	assert_null(rs_arena_allocate(&arena, 0));
	struct rs_arena poor;
	rs_arena_init(&poor, 1000);
	rs_memory_fail_at(1);
	assert_null(rs_arena_allocate(&poor, 10));
	rs_memory_fail_at(0);
	assert_int_equal(poor.used, 0);
	assert_non_null(rs_arena_allocate(&poor, 10));
	rs_arena_finish(&poor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_checked),     cmocka_unit_test(blocks_are_zeroed_and_aligned),
		cmocka_unit_test(faults_come_when_told), cmocka_unit_test(errors_name_the_purpose),
		cmocka_unit_test(arenas_hand_out_apart), cmocka_unit_test(arenas_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
