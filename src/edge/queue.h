/* The store-and-forward queue: for each item N its DICOM file (N.dcm) and, made last and durably, N.item with the envelope. What
 * has no N.item was never taken; what has one is there until it is settled. */
#ifndef RS_EDGE_QUEUE_H
#define RS_EDGE_QUEUE_H

#include "envelope/envelope.h"

#define QUEUE_ITEMS_MAX ((size_t)20000)

enum item_state { ITEM_WAITS, ITEM_SENDING, ITEM_SENT };

struct item {
	struct item *next; /* urgent ones first, then in the order of their numbers */
	uint64_t number;
	unsigned priority;
	uint64_t size, data_offset; /* of N.dcm; 0: a manifest has none */
	struct rs_digest digest;    /* of the envelope */
	/* Of the transport. */
	enum item_state state;
	bool is_asked; /* the node tells from where on it wants the rest */
	uint64_t sent; /* bytes of the data set */
	unsigned failures;
	uint64_t due_ns, touched_ns;
};

struct queue {
	const struct rs_world *world;
	char *directory, *receipts;
	struct rs_file *lock;
	struct item *items;
	size_t count;
	uint64_t bytes, quota, next;
	bool is_grouped; /* names of drafts become durable with queue_sync() */
	struct item *settled;
	size_t settled_count;
	uint64_t settled_ns;   /* since when the first of them waits */
	struct rs_buffer kept; /* acknowledgements that are not written yet */
};

/* errors  RS_BUSY: another process has it */
enum rs_code queue_open(const struct rs_world *world, const char *state, uint64_t quota, struct queue *out,
                        struct rs_error *err);
void queue_close(struct queue *queue); /* accepts zeroed memory */
/* Whether there is room for a file of that size. */
bool queue_has_room(const struct queue *queue, uint64_t size);

/* One on its way in. */
struct draft {
	struct queue *queue;
	uint64_t number, size;
	struct rs_file *file;
	bool is_tried; /* its name may be there: the next opening of the queue tells what became of it */
};
enum rs_code draft_begin(struct queue *queue, struct draft *out, struct rs_error *err);
enum rs_code draft_write(struct draft *draft, struct rs_bytes bytes, struct rs_error *err);
/* Durable when it returns RS_OK, or with queue_sync() when the queue is grouped. data_offset: where the data set begins. */
enum rs_code draft_commit(struct draft *draft, unsigned priority, uint64_t data_offset,
                          struct rs_bytes envelope, struct rs_error *err);
/* One sync of the directory for all drafts since. */
enum rs_code queue_sync(struct queue *queue, struct rs_error *err);
void draft_abandon(struct draft *draft); /* accepts one that was committed */

enum rs_code queue_envelope(const struct queue *queue, const struct item *item, struct rs_buffer *out,
                            struct rs_error *err);
/* New heap string. */
enum rs_code queue_data_path(const struct queue *queue, const struct item *item, char **out,
                             struct rs_error *err);
/* The node has it: its acknowledgement (may be empty) is to be kept, and the item is gone with the next queue_flush(), which the
 * transport must not ask about it any more. */
enum rs_code queue_settle(struct queue *queue, struct item *item, struct rs_bytes acknowledgement,
                          struct rs_error *err);
/* One sync for all that were settled; unless `now`, only when they are many or wait long. */
enum rs_code queue_flush(struct queue *queue, bool now, struct rs_error *err);

#endif
