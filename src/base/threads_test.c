/* The pool: every index once, the failure of the lowest index, no work after a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/base_memory.h"
#include "base/base_threads.h"

#define COUNT 5000

struct job {
	atomic_uint times[COUNT];
	atomic_size_t started;
	size_t fails_from; /* this index and every third after it fail */
};

static enum rs_code work(void *context, size_t index, struct rs_error *err)
{
	struct job *job = context;
	atomic_fetch_add(&job->started, 1);
	atomic_fetch_add(&job->times[index], 1);
	if (index >= job->fails_from && (index - job->fails_from) % 3 == 0)
		return rs_error_set(err, RS_MALFORMED, "item %zu", index);
	return RS_OK;
}

static const unsigned sizes[] = {1, 2, 3, 8, 33};

static void every_index_once(void **state)
{
	(void)state;
	for (size_t n = 0; n <= RS_COUNT(sizes); n++) {
		static struct job job;
		struct rs_pool *pool = NULL;
		memset(&job, 0, sizeof job);
		job.fails_from = COUNT;
		if (n < RS_COUNT(sizes)) /* the last round has no pool */
			assert_int_equal(rs_pool_create(sizes[n], &pool, NULL), RS_OK);
		assert_int_equal(rs_pool_threads(pool), pool ? sizes[n] : 1);
		assert_int_equal(rs_pool_for(pool, COUNT, work, &job, NULL), RS_OK);
		for (size_t i = 0; i < COUNT; i++)
			assert_int_equal(job.times[i], 1);
		assert_int_equal(rs_pool_for(pool, 0, work, &job, NULL), RS_OK);
		assert_int_equal(job.started, COUNT);
		rs_pool_destroy(pool);
	}
}

static void the_lowest_failure_is_reported(void **state)
{
	(void)state;
	for (size_t n = 0; n < RS_COUNT(sizes); n++) {
		struct rs_pool *pool;
		assert_int_equal(rs_pool_create(sizes[n], &pool, NULL), RS_OK);
		for (size_t round = 0; round < 200; round++) {
			static struct job job;
			struct rs_error err = {0};
			char sentence[32];
			memset(&job, 0, sizeof job);
			job.fails_from = round * 7 % 1000;
			snprintf(sentence, sizeof sentence, "item %zu", job.fails_from);
			assert_int_equal(rs_pool_for(pool, COUNT, work, &job, &err), RS_MALFORMED);
			assert_int_equal(err.code, RS_MALFORMED);
			assert_string_equal(err.message, sentence);
			/* Those that ran beside the failing one, and no more. */
			assert_true(job.started <= job.fails_from + 3 * sizes[n] + 1);
		}
		rs_pool_destroy(pool);
	}
}

static enum rs_code square(void *context, size_t index, struct rs_error *err RS_UNUSED)
{
	((size_t *)context)[index] = index * index;
	return RS_OK;
}

/* Many short loops: what one leaves behind must not reach the next. */
static void loops_follow_each_other(void **state)
{
	struct rs_pool *pool;
	(void)state;
	assert_int_equal(rs_pool_create(4, &pool, NULL), RS_OK);
	for (size_t round = 0; round < 5000; round++) {
		size_t squares[9] = {0};
		size_t count = round % 10;
		assert_int_equal(rs_pool_for(pool, count, square, squares, NULL), RS_OK);
		for (size_t i = 0; i < 9; i++)
			assert_int_equal(squares[i], i < count ? i * i : 0);
	}
	rs_pool_destroy(pool);
}

static void pools_are_made_and_destroyed(void **state)
{
	struct rs_pool *pool = NULL;
	struct rs_error err = {0};
	(void)state;
	for (int i = 0; i < 200; i++) { /* destroyed before its threads have started to wait */
		assert_int_equal(rs_pool_create(4, &pool, NULL), RS_OK);
		rs_pool_destroy(pool);
	}
	rs_pool_destroy(NULL);
	pool = NULL;
	assert_int_equal(rs_pool_create(1025, &pool, &err), RS_USAGE);
	assert_string_equal(err.message, "1025 threads are more than the 1024 allowed");
	assert_null(pool);
	assert_int_equal(rs_pool_create(0, &pool, NULL), RS_OK);
	assert_int_equal(rs_pool_threads(pool), rs_processors());
	rs_pool_destroy(pool);
}

static void no_memory_is_told(void **state)
{
	(void)state;
	for (uint64_t k = 1; k <= 2; k++) {
		struct rs_pool *pool = NULL;
		struct rs_error err = {0};
		rs_memory_fail_at(k);
		assert_int_equal(rs_pool_create(2, &pool, &err), RS_NO_MEMORY);
		rs_memory_fail_at(0);
		assert_null(pool);
		assert_non_null(strstr(err.message, "out of memory"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_index_once),        cmocka_unit_test(the_lowest_failure_is_reported),
		cmocka_unit_test(loops_follow_each_other), cmocka_unit_test(pools_are_made_and_destroyed),
		cmocka_unit_test(no_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
