/* The writer's lock, and whose turn it is.
 *
 * `lock` belongs to the process that writes. Who wants it holds `next.lock` first, and lets that go when it has `lock`: so there
 * is one who is next, who writes can see that there is, and who gave the lock back queues behind. The system takes locks from
 * a process that dies. Readers need none. */
#include <time.h>

#include "node/node_parts.h"

#define LOCK "lock"
#define NEXT "next.lock"
#define SECOND_NS UINT64_C(1000000000)
#define POLL_NS 1000000L /* a lock is asked for again after that long */

bool node_is_lock(struct rs_str name)
{
	return rs_str_equal_text(name, LOCK) || rs_str_equal_text(name, NEXT);
}

static enum rs_code open_lock(const struct rs_node *node, const char *name, struct rs_file **out,
                              struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, name, &path, err));
	return rs_file_open(node->world, path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE, out, err);
}

static enum rs_code wait_for(const struct rs_node *node, struct rs_file *file, uint64_t until_ns,
                             struct rs_error *err)
{
	const struct rs_clock *clock = node->world->clock;
	const struct timespec pause = {.tv_nsec = POLL_NS};
	for (;;) {
		enum rs_code code = file->files->lock(file, true, err);
		if (code != RS_BUSY || node->wait_s == 0)
			return code;
		if (clock->monotonic_ns(clock) >= until_ns)
			return rs_error_set(
				err, RS_BUSY,
				"%s: others write to this node, and did not let go within %u seconds; "
				"try again, or wait longer with --wait SECONDS",
				node->directory, node->wait_s);
		(void)nanosleep(&pause, NULL);
	}
}

static enum rs_code take(const struct rs_node *node, struct rs_file **out, struct rs_error *err)
{
	struct rs_file *next RS_CLEANUP(rs_file_close_pointer) = NULL;
	struct rs_file *lock RS_CLEANUP(rs_file_close_pointer) = NULL;
	const struct rs_clock *clock = node->world->clock;
	uint64_t until_ns = clock->monotonic_ns(clock) + node->wait_s * SECOND_NS;
	RS_TRY(open_lock(node, NEXT, &next, err));
	RS_TRY(open_lock(node, LOCK, &lock, err));
	RS_TRY(wait_for(node, next, until_ns, err));
	RS_TRY(wait_for(node, lock, until_ns, err));
	*out = lock;
	lock = NULL;
	return RS_OK;
}

/* Threads that stage look at it. */
static void set_lock(struct rs_node *node, struct rs_file *lock)
{
	pthread_mutex_lock(&node->mutex);
	node->lock = lock;
	pthread_mutex_unlock(&node->mutex);
}

enum rs_code node_take_lock(struct rs_node *node, struct rs_error *err)
{
	struct rs_file *lock;
	if (node->access == RS_NODE_READ || node->lock)
		return RS_OK;
	RS_TRY(take(node, &lock, err));
	set_lock(node, lock);
	return RS_OK;
}

enum rs_code node_lock_part(struct rs_node *node, const char *name, struct rs_error *err)
{
	const struct rs_clock *clock = node->world->clock;
	uint64_t until_ns = clock->monotonic_ns(clock) + node->wait_s * SECOND_NS;
	if (!node->part_lock)
		RS_TRY(open_lock(node, name, &node->part_lock, err));
	return wait_for(node, node->part_lock, until_ns, err);
}

enum rs_code node_pin(struct rs_node *node, struct rs_error *err)
{
	int64_t version;
	if (!node->lock)
		RS_TRY(take(node, &node->lock, err));
	RS_TRY(rs_ledger_pin(node->ledger, err));
	return rs_store_pin(index_store(node->index), &version, err);
}

void node_let_write(struct rs_node *node)
{
	if (node->access == RS_NODE_WRITE)
		return;
	rs_file_close(node->lock);
	node->lock = NULL;
}

void node_unpin(struct rs_node *node)
{
	node_let_write(node);
	rs_store_rollback(rs_ledger_store(node->ledger));
	rs_store_rollback(index_store(node->index));
}

bool node_is_wanted(const struct rs_node *node)
{
	struct rs_file *next RS_CLEANUP(rs_file_close_pointer) = NULL;
	return open_lock(node, NEXT, &next, NULL) == RS_OK && next->files->lock(next, true, NULL) == RS_BUSY;
}

void rs_node_rest(struct rs_node *node)
{
	if (!node->lock)
		return;
	node_promises_keep(node, true);
	rs_store_rest(rs_ledger_store(node->ledger));
	rs_store_rest(index_store(node->index));
	rs_subject_keys_rest(node->subjects);
	rs_file_close(node->lock);
	node->lock = NULL;
}

enum rs_code node_hold(struct rs_node *node, struct rs_error *err)
{
	if (node->lock || node->access == RS_NODE_READ)
		return node->unfinished ? node_recover(node, err) : RS_OK;
	RS_TRY(node_take_lock(node, err));
	enum rs_code code = rs_ledger_refresh(node->ledger, err);
	if (code == RS_OK)
		code = node_recover(node, err);
	if (code != RS_OK) {
		rs_file_close(node->lock);
		set_lock(node, NULL);
	}
	return code;
}

enum rs_code rs_node_freeze(struct rs_node *node, struct rs_error *err)
{
	RS_TRY(rs_ledger_pin(node->ledger, err));
	rs_node_rest(node);
	return RS_OK;
}
