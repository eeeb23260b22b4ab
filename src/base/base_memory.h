/* Memory: checked sizes, heap with injectable failure, arenas, cleanup by attribute. */
#ifndef RS_BASE_MEMORY_H
#define RS_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base_error.h"

/* Calls function(&variable) when the variable leaves its scope. Destructors accept
 * zeroed memory, so declare `struct x v RS_CLEANUP(rs_x_finish) = {0};`. */
#define RS_CLEANUP(function) __attribute__((cleanup(function)))
#define RS_UNUSED __attribute__((unused))
#define RS_COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Overflow-checked; on overflow they return false and leave *out alone. */
static inline bool rs_mul_size(size_t a, size_t b, size_t *out)
{
	size_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

static inline bool rs_add_size(size_t a, size_t b, size_t *out)
{
	size_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

/* Heap. Zero-filled; NULL when there is no memory. A size of 0 is served as 1. Free with rs_free. */
void *rs_allocate(size_t size) RS_MUST_CHECK;
void *rs_allocate_array(size_t count, size_t item_size) RS_MUST_CHECK; /* NULL on overflow too */
/* New bytes are not zeroed; NULL leaves the old block valid. */
void *rs_reallocate(void *block, size_t size) RS_MUST_CHECK;
void rs_free(void *block); /* accepts NULL */
/* For `char *p RS_CLEANUP(rs_free_pointer) = NULL;` — takes the address of the pointer. */
void rs_free_pointer(void *address_of_pointer);
/* Zero-filled, 64-byte aligned (voxels); free with rs_free. */
void *rs_allocate_aligned(size_t size) RS_MUST_CHECK;

/* Tests only: the k-th allocation from now (1-based) fails, and all after it; 0 switches it off.
 * Returns how many allocations were asked for since the last call. */
uint64_t rs_memory_fail_at(uint64_t k);

/* Sets RS_NO_MEMORY with "out of memory (<size> bytes for <purpose>)". */
enum rs_code rs_error_memory(struct rs_error *err, size_t size, const char *purpose);

/* Arena: many small blocks, freed as a whole. */
struct rs_arena_block;
struct rs_arena {
	struct rs_arena_block *block; /* newest */
	size_t used;                  /* bytes handed out in all */
	size_t maximum;               /* an arena is born with one */
};

void rs_arena_init(struct rs_arena *arena, size_t maximum);
void rs_arena_finish(struct rs_arena *arena); /* accepts NULL and zeroed memory */
/* Zero-filled, 16-byte aligned; NULL when memory or the maximum is exhausted. */
void *rs_arena_allocate(struct rs_arena *arena, size_t size) RS_MUST_CHECK;
void *rs_arena_allocate_array(struct rs_arena *arena, size_t count, size_t item_size) RS_MUST_CHECK;

#endif
