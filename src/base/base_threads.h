/* A pool of threads for parallel loops. Results are stored by index and reduced by the
 * caller in index order, so that the number of threads never changes a bit of the result.
 * Pools are made on floor 6 and passed down; NULL means "in this thread". */
#ifndef RS_BASE_THREADS_H
#define RS_BASE_THREADS_H

#include "base/base_error.h"

struct rs_pool;

unsigned rs_processors(void); /* that this process may use; at least 1 */

/* threads: 1 … 1024; 0 takes the number of processors this process may use. */
enum rs_code rs_pool_create(unsigned threads, struct rs_pool **out, struct rs_error *err);
void rs_pool_destroy(struct rs_pool *pool);           /* accepts NULL */
unsigned rs_pool_threads(const struct rs_pool *pool); /* 1 for NULL */

/* Work on item `index`; a failure's sentence goes to err (each item has its own). */
typedef enum rs_code rs_pool_work(void *context, size_t index, struct rs_error *err);

/* Calls work for every index below count, in any order; returns when all are done. After a
 * failure no new item is started; of the failures the one of the lowest index is reported. */
enum rs_code rs_pool_for(struct rs_pool *pool, size_t count, rs_pool_work *work, void *context,
                         struct rs_error *err);

#endif
