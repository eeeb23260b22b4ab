/* What was made here, in its record and on the ledger. */
#include "workflow/workflow_made.h"

#include <string.h>

#include "node/node_parts.h"

enum rs_code rs_node_sealed(struct rs_node *node, const struct rs_digest *sha256, struct rs_sealed *out,
                            struct rs_error *err)
{
	struct rs_digest locator;
	struct index_row row;
	struct rs_bytes entry;
	struct rs_act act;
	node_locator(node, LOCATOR_CONTENT, rs_bytes_of(sha256->bytes, RS_SHA256_SIZE), &locator);
	RS_TRY(index_find_content(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row, err));
	if (row.entry < 0 || row.subject.size != sizeof out->subject.bytes)
		return RS_NOT_FOUND;
	struct rs_sealed found = {.entry = (uint64_t)row.entry};
	memcpy(found.subject.bytes, row.subject.data, row.subject.size);
	RS_TRY(rs_ledger_entry(node->ledger, found.entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	found.commitment = act.commitment;
	*out = found;
	return RS_OK;
}
