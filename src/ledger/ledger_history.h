/* The log as it was: proofs at the size that an older checkpoint has. */
#ifndef RS_LEDGER_HISTORY_H
#define RS_LEDGER_HISTORY_H

#include "ledger/ledger.h"

/* The path of entry `index` in the tree of the first `size` entries. RS_NOT_FOUND when the log has fewer, or the tree. */
enum rs_code rs_ledger_prove_at(struct rs_ledger *ledger, uint64_t index, uint64_t size,
                                struct rs_digest *path, size_t *out_count, struct rs_error *err);
/* The root of the first `size` entries. */
enum rs_code rs_ledger_root_at(struct rs_ledger *ledger, uint64_t size, struct rs_digest *out,
                               struct rs_error *err);
/* Whether the log still has what it once signed: RS_ALTERED names a rollback (fewer entries) or a rewriting (another root).
 * `note` is a checkpoint of the log, whoever signed it too; `where` says whence it comes. */
enum rs_code rs_ledger_check_promise(struct rs_ledger *ledger, const struct rs_note_key *key,
                                     struct rs_str note, const char *where, struct rs_error *err);

#endif
