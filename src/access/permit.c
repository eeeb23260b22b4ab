/* Leave to use sealed content where it lies: files are known by their hashes, and asked for by the entries that registered
 * them. */
#include <string.h>

#include "node/node_parts.h"
#include "permit.h"
#include "release.h"
#include "workflow/workflow_source.h"
#include "workflow/workflow_walk.h"
#include "access/access_retrieve.h"

#define REQUESTS_MAX 4096 /* objects of one case */

static bool has_entry(const struct rs_buffer *entries, uint64_t entry)
{
	for (size_t at = 0; at < entries->size; at += 8)
		if (rs_read_be64(entries->data + at) == entry)
			return true;
	return false;
}

static enum rs_code look_up(struct permitting *permitting, const char *path, struct rs_error *err)
{
	struct rs_node *node = permitting->node;
	struct source source RS_CLEANUP(source_finish) = {.file = NULL};
	struct rs_digest locator;
	struct index_row row;
	uint8_t entry[8];
	RS_TRY(source_open(node->world, path, node->memory_max, &source, err));
	RS_TRY(source_hash(&source, err));
	node_locator(node, LOCATOR_CONTENT, rs_bytes_of(source.sha256.bytes, RS_SHA256_SIZE), &locator);
	enum rs_code code = index_find_content(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row,
	                                       err);
	if (code == RS_NOT_FOUND || (code == RS_OK && row.entry < 0))
		return RS_OK;
	RS_TRY(code);
	if (has_entry(&permitting->entries, (uint64_t)row.entry))
		return RS_OK;
	rs_write_be64(entry, (uint64_t)row.entry);
	rs_buffer_append(&permitting->entries, entry, sizeof entry);
	return rs_buffer_check(&permitting->entries, "the objects of a case", err);
}

static enum rs_code form_act(const struct permitting *permitting, uint64_t entry, struct rs_act *out,
                             struct rs_error *err)
{
	struct rs_bytes bytes;
	struct rs_act object;
	RS_TRY(rs_ledger_entry(permitting->node->ledger, entry, &bytes, err));
	RS_TRY(rs_transaction_parse(bytes, &object, err));
	*out = (struct rs_act){.type = RS_TRANSACTION_ACCESS_REQUEST,
	                       .commitment = object.commitment,
	                       .purpose = permitting->purpose,
	                       .operation = permitting->operation};
	return RS_OK;
}

enum rs_code node_decision(struct rs_node *node, const struct rs_act *act,
                           const struct rs_append_result *result, struct rs_decision *out,
                           struct rs_error *err)
{
	const struct rs_state state = rs_ledger_state(node->ledger);
	*out = (struct rs_decision){.refusal = result->refusal};
	return result->refusal == RS_REFUSAL_NONE ? rs_contract_decision(&state, act->id, out, err) : RS_OK;
}

enum rs_code node_refusal(const struct rs_decision *decision, struct rs_error *err)
{
	if (decision->refusal == RS_REFUSAL_NONE)
		return RS_OK;
	return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(decision->refusal),
	                    rs_refusal_text(decision->refusal));
}

enum rs_code permit_ask(struct permitting *permitting, const struct rs_actor *actor, struct rs_error *err)
{
	size_t count = permitting->entries.size / 8;
	struct rs_act *acts RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *acts);
	struct rs_append_result *results RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count,
	                                                                                 sizeof *results);
	if (!acts || !results)
		return rs_error_memory(err, count * sizeof *acts, "requests");
	for (size_t i = 0; i < count; i++)
		RS_TRY(form_act(permitting, rs_read_be64(permitting->entries.data + 8 * i), &acts[i], err));
	RS_TRY(rs_node_transact_all(permitting->node, actor, acts, count, results, err));
	for (size_t i = 0; i < count; i++) {
		struct rs_decision decision;
		RS_TRY(node_decision(permitting->node, &acts[i], &results[i], &decision, err));
		RS_TRY(node_refusal(&decision, err));
	}
	return RS_OK;
}

enum rs_code rs_node_permit(struct rs_node *node, const struct rs_actor *actor, const char *const *paths,
                            size_t count, enum rs_purpose purpose, enum rs_operation operation,
                            struct rs_error *err)
{
	struct permitting permitting = {.node = node, .purpose = purpose, .operation = operation};
	struct walk walk RS_CLEANUP(walk_finish) = {0};
	enum rs_code code = RS_OK;
	for (size_t i = 0; i < count; i++)
		RS_TRY(walk_add(node->world, paths[i], &walk, err));
	RS_TRY(node_hold(node, err));
	rs_buffer_init(&permitting.entries, (size_t)REQUESTS_MAX * 8);
	for (size_t i = 0; code == RS_OK && i < walk.count; i++)
		code = look_up(&permitting, walk.files[i].path, err);
	if (code == RS_OK && permitting.entries.size)
		code = permit_ask(&permitting, actor, err);
	rs_buffer_finish(&permitting.entries);
	return code;
}
