/* Looking for what must be gone: bytes of an erased subject in the files of the databases, free pages and logs included. */
#ifndef RS_NODE_TRACES_H
#define RS_NODE_TRACES_H

#include "node/node_parts.h"

#define TRACE_SIZE 16 /* bytes of each: enough that none is there by chance */

/* Adds the first bytes of a value that nothing else has; shorter ones are passed over. */
enum rs_code trace_add(struct rs_buffer *traces, struct rs_bytes value, struct rs_error *err);
/* Searches index.sqlite, subjects.sqlite and their logs. *out_bytes: searched. RS_ALTERED names the file that still holds one. */
enum rs_code traces_search(const struct rs_node *node, struct rs_buffer *traces, uint64_t *out_bytes,
                           struct rs_error *err);

#endif
