/* Proofs at older sizes, and whether the log still is what it was. */
#include <inttypes.h>

#include "engine.h"
#include "ledger/ledger_history.h"
#include "ledger/ledger_witness.h"

struct rs_store *rs_ledger_store(struct rs_ledger *ledger) { return ledger->store; }

static enum rs_code check_size(const struct rs_ledger *ledger, uint64_t size, struct rs_error *err)
{
	if (size <= ledger->size)
		return RS_OK;
	return rs_error_set(err, RS_NOT_FOUND, "the log has %" PRIu64 " entries, not %" PRIu64, ledger->size,
	                    size);
}

enum rs_code rs_ledger_prove_at(struct rs_ledger *ledger, uint64_t index, uint64_t size,
                                struct rs_digest *path, size_t *out_count, struct rs_error *err)
{
	RS_TRY(check_size(ledger, size, err));
	return rs_tree_inclusion(ledger_read_cached, ledger, index, size, path, out_count, err);
}

enum rs_code rs_ledger_root_at(struct rs_ledger *ledger, uint64_t size, struct rs_digest *out,
                               struct rs_error *err)
{
	RS_TRY(check_size(ledger, size, err));
	return rs_tree_root(ledger_read_cached, ledger, size, out, err);
}

enum rs_code rs_ledger_check_promise(struct rs_ledger *ledger, const struct rs_note_key *key,
                                     struct rs_str note, const char *where, struct rs_error *err)
{
	const struct rs_trust trust = {.log = *key};
	struct rs_checkpoint promised;
	struct rs_digest root;
	size_t cosigned;
	if (rs_checkpoint_open(note, &trust, &promised, &cosigned, err) != RS_OK) {
		rs_error_context(err, "%s (if nothing else is wrong with the ledger, move that file away)",
		                 where);
		return err ? (err->code = RS_ALTERED) : RS_ALTERED;
	}
	if (promised.size > ledger->size)
		return rs_error_set(
			err, RS_ALTERED,
			"rollback: the ledger has %" PRIu64 " entries, but its own key signed %" PRIu64
			" (%s). Restore the newer ledger; if what is missing is lost for good, keep "
			"that file as evidence, tell whoever holds receipts, and move it away",
			ledger->size, promised.size, where);
	RS_TRY(rs_ledger_root_at(ledger, promised.size, &root, err));
	if (!rs_digest_equal(&root, &promised.root))
		return rs_error_set(err, RS_ALTERED,
		                    "split view: the ledger's first %" PRIu64
		                    " entries are not those that its own key signed (%s)",
		                    promised.size, where);
	return RS_OK;
}
