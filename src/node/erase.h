/* Erasures that a crash interrupted. */
#ifndef RS_NODE_ERASE_PRIVATE_H
#define RS_NODE_ERASE_PRIVATE_H

#include "node/node_parts.h"
#include "node/node_erase.h"

/* Ends those whose entry is in the ledger, forgets the others. */
enum rs_code node_resume_erasures(struct rs_node *node, struct rs_error *err);

#endif
