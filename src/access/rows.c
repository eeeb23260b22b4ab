/* Leave for whole tables: each row's vector is found by the address in its receipt's name, its subject by the id. */
#include "access/access_rows.h"

#include <stdlib.h>
#include <string.h>

#include "node/node_parts.h"
#include "permit.h"

#define ENTRIES_MAX ((size_t)1 << 20)
#define RECEIPT_SUFFIX ".tlog-proof"

static enum rs_code parse_entry(struct rs_node *node, uint64_t entry, struct rs_act *out,
                                struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_ledger_entry(node->ledger, entry, &bytes, err));
	return rs_transaction_parse(bytes, out, err);
}

static enum rs_code find_vector(struct rs_node *node, const char *receipt, struct rs_row_source *out,
                                struct rs_error *err)
{
	struct rs_str name = rs_str_from(rs_path_name(receipt));
	struct rs_cid cid;
	struct index_row row;
	struct rs_act act;
	if (!rs_str_ends_with(name, RECEIPT_SUFFIX))
		return RS_OK;
	name.size -= sizeof RECEIPT_SUFFIX - 1;
	if (!rs_cid_parse(name, &cid))
		return RS_OK;
	enum rs_code code = index_find_object(node->index, rs_bytes_of(cid.bytes, sizeof cid.bytes), &row,
	                                      err);
	if (code == RS_NOT_FOUND ||
	    (code == RS_OK && (row.entry < 0 || row.subject.size != sizeof out->subject.bytes)))
		return RS_OK;
	RS_TRY(code);
	memcpy(out->subject.bytes, row.subject.data, row.subject.size);
	out->entry = (uint64_t)row.entry;
	RS_TRY(parse_entry(node, out->entry, &act, err));
	out->commitment = act.commitment;
	out->known = out->has_object = true;
	return RS_OK;
}

enum rs_code rs_node_find_row(struct rs_node *node, const char *issuer, const char *id, const char *receipt,
                              struct rs_row_source *out, struct rs_error *err)
{
	struct rs_row_source found = {.known = false};
	struct rs_node_subject subject;
	RS_TRY(find_vector(node, receipt, &found, err));
	if (!found.known && *id) {
		enum rs_code code = rs_node_subject(node, issuer, id, &subject, err);
		if (code != RS_OK && code != RS_NOT_FOUND)
			return code;
		found.known = code == RS_OK;
		if (found.known)
			found.subject = subject.pseudonym;
	}
	*out = found;
	return RS_OK;
}

struct gathering {
	struct rs_node *node;
	struct rs_buffer *vectors, *others;
};

static enum rs_code gather_one(void *context, const struct index_row *row, struct rs_error *err)
{
	struct gathering *gathering = context;
	struct rs_act act;
	uint8_t entry[8];
	if (row->entry < 0 || row->instances == 0)
		return RS_OK;
	RS_TRY(parse_entry(gathering->node, (uint64_t)row->entry, &act, err));
	bool vector = act.kind == RS_OBJECT_FEATURES;
	if (!vector && act.kind != RS_OBJECT_IMAGE && act.kind != RS_OBJECT_MASK)
		return RS_OK;
	rs_write_be64(entry, (uint64_t)row->entry);
	struct rs_buffer *out = vector ? gathering->vectors : gathering->others;
	rs_buffer_append(out, entry, sizeof entry);
	return rs_buffer_check(out, "what is sealed of a subject", err);
}

static enum rs_code gather(struct rs_node *node, const struct rs_pseudonym *subject,
                           struct rs_buffer *entries, struct rs_error *err)
{
	struct rs_buffer vectors RS_CLEANUP(rs_buffer_finish) = {0},
				 others RS_CLEANUP(rs_buffer_finish) = {0};
	struct gathering gathering = {node, &vectors, &others};
	rs_buffer_init(&vectors, ENTRIES_MAX * 8);
	rs_buffer_init(&others, ENTRIES_MAX * 8);
	RS_TRY(index_each_row_of_subject(node->index, rs_bytes_of(subject->bytes, sizeof subject->bytes),
	                                 gather_one, &gathering, err));
	rs_buffer_append_bytes(entries, rs_buffer_bytes(vectors.size ? &vectors : &others));
	return rs_buffer_check(entries, "what is asked for", err);
}

static int by_entry(const void *a, const void *b) { return memcmp(a, b, 8); }

static void drop_twins(struct rs_buffer *entries)
{
	size_t kept = 0;
	if (entries->size)
		qsort(entries->data, entries->size / 8, 8, by_entry);
	for (size_t at = 0; at < entries->size; at += 8)
		if (kept == 0 || memcmp(entries->data + kept - 8, entries->data + at, 8) != 0) {
			memmove(entries->data + kept, entries->data + at, 8);
			kept += 8;
		}
	entries->size = kept;
}

enum rs_code rs_node_permit_rows(struct rs_node *node, const struct rs_actor *actor,
                                 const struct rs_row_source *rows, size_t count, enum rs_purpose purpose,
                                 enum rs_operation operation, struct rs_error *err)
{
	struct permitting permitting = {.node = node, .purpose = purpose, .operation = operation};
	enum rs_code code = RS_OK;
	rs_buffer_init(&permitting.entries, ENTRIES_MAX * 8);
	for (size_t i = 0; code == RS_OK && i < count; i++) {
		uint8_t entry[8];
		rs_write_be64(entry, rows[i].entry);
		if (rows[i].has_object)
			rs_buffer_append(&permitting.entries, entry, sizeof entry);
		else if (rows[i].known)
			code = gather(node, &rows[i].subject, &permitting.entries, err);
	}
	if (code == RS_OK)
		code = rs_buffer_check(&permitting.entries, "what is asked for", err);
	drop_twins(&permitting.entries);
	if (code == RS_OK && permitting.entries.size)
		code = permit_ask(&permitting, actor, err);
	rs_buffer_finish(&permitting.entries);
	return code;
}
