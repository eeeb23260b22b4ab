/* vault.sqlite: when each object was checked last, and what the IPFS node keeps. Not a part of what is proved: losing it
 * means that everything is checked, and looked for, again. */
#ifndef RS_NODE_MEMO_H
#define RS_NODE_MEMO_H

#include "node/node_parts.h"

struct memo;
enum rs_code memo_open(const struct rs_node *node, struct memo **out, struct rs_error *err);
/* Forgets what was not written yet. */
void memo_close_pointer(struct memo **memo); /* for RS_CLEANUP */

/* *out_at_ms is 0 when it was never checked, or was found faulty. */
enum rs_code memo_find_check(struct memo *memo, const struct rs_cid *cid, uint64_t *out_at_ms,
                             struct rs_error *err);
/* Written with the next 63, or by memo_flush(): nothing is lost but work. */
enum rs_code memo_add_check(struct memo *memo, const struct rs_cid *cid, uint64_t at_ms, bool sound,
                            struct rs_error *err);
enum rs_code memo_flush(struct memo *memo, struct rs_error *err);
enum rs_code memo_drop_check(struct memo *memo, const struct rs_cid *cid, struct rs_error *err);

/* Durable when they return. */
enum rs_code memo_add_copy(struct memo *memo, const struct rs_cid *cid, struct rs_error *err);
enum rs_code memo_drop_copy(struct memo *memo, const struct rs_cid *cid, struct rs_error *err);
/* Addresses of all that were checked, or copied, one after another, appended. */
enum rs_code memo_checks(struct memo *memo, struct rs_buffer *out, struct rs_error *err);
enum rs_code memo_copies(struct memo *memo, struct rs_buffer *out, struct rs_error *err);

struct memo_summary {
	uint64_t checked, faulty, oldest_ms, copied;
};
enum rs_code memo_summarise(struct memo *memo, struct memo_summary *out, struct rs_error *err);

#endif
