/* What a node keeps of a subject besides its key: found and removed. */
#ifndef RS_NODE_FORGET_H
#define RS_NODE_FORGET_H

#include "node/node_parts.h"

struct forgotten {
	uint64_t rows, objects, receipts;
};
/* Removes the subject's objects, receipts and reasons of broken glass, then its rows. Adds to *out. May be done again after a
 * crash. The index keeps traces until index_scrub(). */
enum rs_code forget_subject(struct rs_node *node, const struct rs_pseudonym *pseudonym, struct forgotten *out,
                            struct rs_error *err);

/* Tokens of all subjects that the ledger's entries erased, sorted. *out is init'ed here. strict: an entry that is none is an
 * error, else it is passed over (fsck names it elsewhere). */
enum rs_code erased_tokens(struct rs_ledger *ledger, bool strict, struct rs_buffer *out,
                           struct rs_error *err);
bool erased_tokens_have(const struct rs_buffer *tokens, const struct rs_digest *token);

#endif
