/* Whether there is room for an object: the quota of radseal.yaml, and what must stay free on the disk. */
#ifndef RS_NODE_ROOM_H
#define RS_NODE_ROOM_H

#include "node/node_parts.h"

/* Before an object with that much content is staged. RS_NO_SPACE says which limit it is, and what to do; nothing is
 * written then. Under the node's mutex. */
enum rs_code room_take(struct rs_node *node, uint64_t content_size, struct rs_error *err);
/* Bytes that objects may still take, by the quota and by the disk; UINT64_MAX when neither is known. Under the node's mutex. */
enum rs_code room_left(struct rs_node *node, uint64_t *out, struct rs_error *err);
/* Counts when it is due: done by room_take(), unless there is an intake, which does: the index is its committing thread's. Under
 * the node's mutex. */
enum rs_code room_count(struct rs_node *node, struct rs_error *err);
/* The object is written, or will never be: what is free on the disk tells of it. */
void room_written(struct rs_node *node, uint64_t content_size);
/* Something that was counted is not kept: the next room_take() counts anew. */
void room_recount(struct rs_node *node);

#endif
