/* COSE Receipts of inclusion (RFC 9942, RFC9162_SHA256): what a .tlog-proof says of an entry, for tools that read CBOR and COSE
 * instead of text. A COSE_Sign1 (tag 18; EdDSA; kid = the log's key; "tree-size" beside the RFC's labels) over the detached
 * root. */
#ifndef RS_LEDGER_COSE_H
#define RS_LEDGER_COSE_H

#include "ledger/ledger_log.h"

#define RS_COSE_RECEIPT_SIZE_MAX ((size_t)4096)

/* That the entry of this path is number `index` of the tree of `size` entries with this root. RS_UNSUPPORTED for a tree of
 * one entry: RFC 9942 knows no empty path. */
enum rs_code rs_cose_receipt_sign(uint64_t index, uint64_t size, const struct rs_digest *root,
                                  const struct rs_digest *path, size_t count,
                                  const struct rs_signing_key *key, struct rs_buffer *out,
                                  struct rs_error *err);
/* errors  RS_MALFORMED; RS_ALTERED when the entry is not in the tree that the log's key signed */
enum rs_code rs_cose_receipt_verify(struct rs_bytes receipt, struct rs_bytes entry,
                                    const uint8_t log_key[static RS_KEY_SIZE], uint64_t *out_index,
                                    uint64_t *out_size, struct rs_error *err);

#endif
