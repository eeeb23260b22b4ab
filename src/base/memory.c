/* Heap with injectable failure, and arenas. The failure counter is radseal's one piece of
 * global state: tests set it, the program never does. */
#include "base/base_memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_SIZE ((uintptr_t)4096)
#define LARGE_SIZE ((size_t)4 << 20) /* bytes from which large pages pay */

static atomic_uint_fast64_t asked;   /* allocations since rs_memory_fail_at() */
static atomic_uint_fast64_t fail_at; /* 0: never */

static bool may_allocate(void)
{
	uint64_t number = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
	uint64_t limit = atomic_load_explicit(&fail_at, memory_order_relaxed);
	return limit == 0 || number < limit;
}

uint64_t rs_memory_fail_at(uint64_t k)
{
	atomic_store(&fail_at, k);
	return atomic_exchange(&asked, 0);
}

/* Touching a large block for the first time takes the kernel a fault for each page, and threads wait for each other
 * there: fewer, larger pages are asked for. Nothing depends on whether they are given. */
static void prefer_large_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
	uintptr_t first = ((uintptr_t)block + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	uintptr_t end = ((uintptr_t)block + size) & ~(PAGE_SIZE - 1);
	if (block != NULL && size >= LARGE_SIZE)
		(void)madvise((char *)block + (first - (uintptr_t)block), end - first, MADV_HUGEPAGE);
#else
	(void)block, (void)size;
#endif
}

void *rs_allocate(size_t size)
{
	void *block = may_allocate() ? calloc(1, size ? size : 1) : NULL;
	prefer_large_pages(block, size);
	return block;
}

void *rs_allocate_array(size_t count, size_t item_size)
{
	size_t size;
	return rs_mul_size(count, item_size, &size) ? rs_allocate(size) : NULL;
}

void *rs_reallocate(void *block, size_t size)
{
	return may_allocate() ? realloc(block, size ? size : 1) : NULL;
}

void rs_free(void *block) { free(block); }

void rs_free_pointer(void *address_of_pointer)
{
	void *block;
	memcpy(&block, address_of_pointer, sizeof block);
	free(block);
}

void *rs_allocate_aligned(size_t size)
{
	void *block = NULL;
	if (!may_allocate() || posix_memalign(&block, 64, size ? size : 1) != 0)
		return NULL;
	prefer_large_pages(block, size);
	memset(block, 0, size);
	return block;
}

enum rs_code rs_error_memory(struct rs_error *err, size_t size, const char *purpose)
{
	return rs_error_set(err, RS_NO_MEMORY, "out of memory (%zu bytes for %s)", size, purpose);
}

#define ARENA_BLOCK_SIZE ((size_t)64 * 1024)
#define ARENA_ALIGNMENT ((size_t)16)

struct rs_arena_block {
	struct rs_arena_block *older;
	size_t used, capacity;
	_Alignas(16) unsigned char data[];
};

void rs_arena_init(struct rs_arena *arena, size_t maximum) { *arena = (struct rs_arena){.maximum = maximum}; }

void rs_arena_finish(struct rs_arena *arena)
{
	if (!arena)
		return;
	struct rs_arena_block *block = arena->block;
	while (block) {
		struct rs_arena_block *older = block->older;
		rs_free(block);
		block = older;
	}
	*arena = (struct rs_arena){.maximum = arena->maximum};
}

static struct rs_arena_block *arena_grow(struct rs_arena *arena, size_t size)
{
	size_t capacity = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE, whole;
	if (!rs_add_size(capacity, sizeof(struct rs_arena_block), &whole))
		return NULL;
	struct rs_arena_block *block = rs_allocate(whole);
	if (!block)
		return NULL;
	block->capacity = capacity;
	block->older = arena->block;
	arena->block = block;
	return block;
}

void *rs_arena_allocate(struct rs_arena *arena, size_t size)
{
	size_t rounded, total;
	if (!rs_add_size(size ? size : 1, ARENA_ALIGNMENT - 1, &rounded))
		return NULL;
	rounded &= ~(ARENA_ALIGNMENT - 1);
	if (!rs_add_size(arena->used, rounded, &total) || total > arena->maximum)
		return NULL;
	struct rs_arena_block *block = arena->block;
	if (!block || block->capacity - block->used < rounded) {
		block = arena_grow(arena, rounded);
		if (!block)
			return NULL;
	}
	void *result = block->data + block->used;
	block->used += rounded;
	arena->used = total;
	return result;
}

void *rs_arena_allocate_array(struct rs_arena *arena, size_t count, size_t item_size)
{
	size_t size;
	return rs_mul_size(count, item_size, &size) ? rs_arena_allocate(arena, size) : NULL;
}
