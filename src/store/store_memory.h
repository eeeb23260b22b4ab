/* Tests only: SQLite's memory taken from base's heap, so that rs_memory_fail_at() reaches into it. */
#ifndef RS_STORE_MEMORY_H
#define RS_STORE_MEMORY_H

#include <malloc.h>
#include <sqlite3.h>

#include "base/base_memory.h"

static void *store_memory_take(int size) { return rs_allocate((size_t)size); }

static void *store_memory_retake(void *block, int size) { return rs_reallocate(block, (size_t)size); }

static int store_memory_size(void *block) { return block ? (int)malloc_usable_size(block) : 0; }

static int store_memory_round(int size) { return (size + 7) & ~7; }

static int store_memory_begin(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void store_memory_end(void *unused) { (void)unused; }

/* Before anything else of SQLite; false when that is too late. Without its pool of small blocks, so that each request
 * counts. */
static inline bool store_memory_from_base(void)
{
	static const sqlite3_mem_methods methods = {store_memory_take,   rs_free,
	                                            store_memory_retake, store_memory_size,
	                                            store_memory_round,  store_memory_begin,
	                                            store_memory_end,    NULL};
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK &&
	       sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK;
}

#endif
