/* Forgetting a subject: objects and receipts go before the rows that tell where they are, so that a crash leaves nothing
 * that nobody finds. */
#include "node/node_forget.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX ((size_t)1 << 30)

struct collecting {
	struct rs_buffer addresses;
	uint64_t rows;
};

static enum rs_code collect(void *context, const struct index_row *row, struct rs_error *err)
{
	struct collecting *collecting = context;
	struct rs_cid cid;
	collecting->rows++;
	if (!rs_cid_from_bytes(row->cid, &cid)) /* fsck tells; nothing lies under it */
		return RS_OK;
	rs_buffer_append(&collecting->addresses, cid.bytes, sizeof cid.bytes);
	return rs_buffer_check(&collecting->addresses, "a subject's objects", err);
}

static enum rs_code remove_files(struct rs_node *node, const struct rs_cid *cid, uint32_t *touched,
                                 struct forgotten *out, struct rs_error *err)
{
	const struct rs_files *files = node->world->files;
	char *receipt RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_receipt_path(node, rs_bytes_of(cid->bytes, sizeof cid->bytes), &receipt, err));
	if (rs_path_exists(node->world, receipt)) {
		RS_TRY(files->remove(files, receipt, err));
		out->receipts++;
	}
	*touched |= UINT32_C(1) << rs_cid_shard(cid);
	if (!rs_vault_has(node->vault, cid))
		return RS_OK;
	RS_TRY(rs_vault_remove(node->vault, cid, err));
	out->objects++;
	return RS_OK;
}

/* Reasons of broken glass begin with the pseudonym of whom they are about (reason.c). */
struct reasons {
	const struct rs_node *node;
	const struct rs_pseudonym *pseudonym;
	const char *directory;
};

static enum rs_code remove_reason(void *context, struct rs_str name, enum rs_file_kind kind,
                                  struct rs_error *err)
{
	const struct reasons *reasons = context;
	const struct rs_world *world = reasons->node->world;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	struct rs_pseudonym found = {{0}};
	size_t read;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, reasons->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	RS_TRY(rs_file_open(world, path, RS_OPEN_READ, &file, err));
	RS_TRY(rs_file_read_at(file, 0, found.bytes, sizeof found.bytes, &read, err));
	if (!rs_pseudonym_equal(&found, reasons->pseudonym))
		return RS_OK;
	return world->files->remove(world->files, path, err);
}

static enum rs_code forget_reasons(struct rs_node *node, const struct rs_pseudonym *pseudonym,
                                   struct rs_error *err)
{
	const struct rs_files *files = node->world->files;
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, "reasons", &directory, err));
	struct reasons reasons = {node, pseudonym, directory};
	if (!rs_path_exists(node->world, directory))
		return RS_OK;
	RS_TRY(files->list(files, directory, remove_reason, &reasons, err));
	return files->sync_directory(files, directory, err);
}

enum rs_code forget_subject(struct rs_node *node, const struct rs_pseudonym *pseudonym, struct forgotten *out,
                            struct rs_error *err)
{
	struct rs_bytes subject = {pseudonym->bytes, sizeof pseudonym->bytes};
	struct collecting collecting = {.rows = 0};
	struct rs_cid cid;
	uint32_t touched = 0;
	rs_buffer_init(&collecting.addresses, ROWS_MAX);
	enum rs_code code = index_each_row_of_subject(node->index, subject, collect, &collecting, err);
	for (size_t at = 0; code == RS_OK && at < collecting.addresses.size; at += sizeof cid.bytes) {
		memcpy(cid.bytes, collecting.addresses.data + at, sizeof cid.bytes);
		code = remove_files(node, &cid, &touched, out, err);
	}
	rs_buffer_finish(&collecting.addresses);
	RS_TRY(code);
	RS_TRY(rs_shards_sync(node->world, node->pool, node->receipts, touched, err));
	RS_TRY(forget_reasons(node, pseudonym, err));
	RS_TRY(index_drop_subject(node->index, subject, err));
	out->rows += collecting.rows;
	return RS_OK;
}

static int by_token(const void *a, const void *b) { return memcmp(a, b, RS_SHA256_SIZE); }

bool erased_tokens_have(const struct rs_buffer *tokens, const struct rs_digest *token)
{
	return tokens->size &&
	       bsearch(token->bytes, tokens->data, tokens->size / RS_SHA256_SIZE, RS_SHA256_SIZE, by_token);
}

enum rs_code erased_tokens(struct rs_ledger *ledger, bool strict, struct rs_buffer *out, struct rs_error *err)
{
	rs_buffer_init(out, ROWS_MAX);
	for (uint64_t index = 0; index < rs_ledger_size(ledger); index++) {
		struct rs_bytes entry;
		struct rs_act act;
		enum rs_code code = rs_ledger_entry(ledger, index, &entry, err);
		if (code == RS_OK)
			code = rs_transaction_parse(entry, &act, err);
		if (code != RS_OK && (strict || code == RS_NO_MEMORY))
			return code;
		if (code == RS_OK && act.type == RS_TRANSACTION_ERASURE)
			rs_buffer_append(out, act.subject.bytes, RS_SHA256_SIZE);
	}
	RS_TRY(rs_buffer_check(out, "erased subjects", err));
	if (out->size)
		qsort(out->data, out->size / RS_SHA256_SIZE, RS_SHA256_SIZE, by_token);
	return RS_OK;
}
