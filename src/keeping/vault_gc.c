/* What nobody refers to: objects and receipts without a record, and pins in the IPFS node of objects that are gone.
 *
 * Safe beside a process that seals, without its lock: a record is in the index before its object or receipt has a name, and goes
 * after them. So what was seen in a directory and has no record afterwards has none for good. */
#include <string.h>

#include "copies.h"
#include "node/node_memo.h"

struct collecting {
	struct rs_node *node;
	bool dry_run;
	rs_vault_report *report;
	void *context;
	struct rs_vault_counts counts;
	char shard;            /* of receipts that are listed */
	struct rs_blobs *ipfs; /* opened when it is needed */
};

static enum rs_code is_wanted(struct collecting *collecting, const struct rs_cid *cid, bool *out,
                              struct rs_error *err)
{
	collecting->counts.looked++;
	return index_has_object(collecting->node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes), out,
	                        err);
}

static void tell(struct collecting *collecting, const char *thing, struct rs_str name, uint64_t bytes)
{
	char *what RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s %s", collecting->dry_run ? "unreferenced" : "removed", thing);
	char *text RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(name);
	collecting->counts.done++;
	collecting->counts.bytes += bytes;
	if (what && text)
		collecting->report(collecting->context, what, text, "");
}

/* What is gone already was removed by somebody else meanwhile. */
static enum rs_code gone_is_fine(enum rs_code code) { return code == RS_NOT_FOUND ? RS_OK : code; }

static enum rs_code collect_object(void *context, const struct rs_cid *cid, struct rs_str name,
                                   struct rs_error *err)
{
	struct collecting *collecting = context;
	struct rs_vault *vault = collecting->node->vault;
	bool wanted = true;
	uint64_t size = 0;
	if (!cid)
		return RS_OK; /* no object: fsck names it */
	RS_TRY(is_wanted(collecting, cid, &wanted, err));
	if (wanted || rs_vault_size(vault, cid, &size, NULL) != RS_OK)
		return RS_OK;
	if (!collecting->dry_run)
		RS_TRY(gone_is_fine(rs_vault_remove(vault, cid, err)));
	tell(collecting, "object", name, size);
	return RS_OK;
}

/* "<address>.tlog-proof", or with ".tmp" behind it. */
static enum rs_code collect_receipt(void *context, struct rs_str name, enum rs_file_kind kind,
                                    struct rs_error *err)
{
	struct collecting *collecting = context;
	const struct rs_files *files = collecting->node->world->files;
	struct rs_file_stat status = {.size = 0};
	struct rs_cid cid;
	bool wanted = true;
	if (kind != RS_FILE_REGULAR || name.size < RS_CID_TEXT_SIZE ||
	    !rs_cid_parse((struct rs_str){name.data, RS_CID_TEXT_SIZE - 1}, &cid))
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/%c/" RS_STR_FORMAT,
	                                                        collecting->node->receipts, collecting->shard,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	RS_TRY(is_wanted(collecting, &cid, &wanted, err));
	if (wanted || files->stat(files, path, &status, NULL) != RS_OK)
		return RS_OK;
	if (!collecting->dry_run)
		RS_TRY(gone_is_fine(files->remove(files, path, err)));
	tell(collecting, "receipt", name, status.size);
	return RS_OK;
}

static enum rs_code collect_shard(void *context, struct rs_str name, enum rs_file_kind kind,
                                  struct rs_error *err)
{
	struct collecting *collecting = context;
	const struct rs_files *files = collecting->node->world->files;
	unsigned shard;
	uint64_t before = collecting->counts.done;
	if (kind != RS_FILE_DIRECTORY || !rs_shard_is_name(name, &shard))
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s/" RS_STR_FORMAT, collecting->node->receipts, RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	collecting->shard = name.data[0];
	RS_TRY(files->list(files, path, collect_receipt, collecting, err));
	return collecting->counts.done > before ? files->sync_directory(files, path, err) : RS_OK;
}

/* Calls drop for each address without a record. */
typedef enum rs_code drop_one(struct collecting *collecting, struct memo *memo, const struct rs_cid *cid,
                              struct rs_error *err);

static enum rs_code drop_unwanted(struct collecting *collecting, struct memo *memo,
                                  const struct rs_buffer *addresses, drop_one *drop, struct rs_error *err)
{
	struct rs_cid cid;
	for (size_t at = 0; at < addresses->size; at += sizeof cid.bytes) {
		bool wanted = true;
		memcpy(cid.bytes, addresses->data + at, sizeof cid.bytes);
		RS_TRY(index_has_object(collecting->node->index, rs_bytes_of(cid.bytes, sizeof cid.bytes),
		                        &wanted, err));
		if (!wanted)
			RS_TRY(drop(collecting, memo, &cid, err));
	}
	return RS_OK;
}

static enum rs_code drop_check(struct collecting *collecting, struct memo *memo, const struct rs_cid *cid,
                               struct rs_error *err)
{
	return collecting->dry_run ? RS_OK : memo_drop_check(memo, cid, err);
}

static enum rs_code drop_copy(struct collecting *collecting, struct memo *memo, const struct rs_cid *cid,
                              struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	if (!collecting->ipfs)
		RS_TRY(copies_open(collecting->node, &collecting->ipfs, err));
	if (!collecting->dry_run) {
		RS_TRY(gone_is_fine(rs_blobs_remove(collecting->ipfs, cid, err)));
		RS_TRY(memo_drop_copy(memo, cid, err));
	}
	tell(collecting, "copy", rs_str_from(text), 0);
	return RS_OK;
}

/* Also of what an erasure removed: its copies go now. */
static enum rs_code collect_memo(struct collecting *collecting, struct rs_error *err)
{
	struct memo *memo RS_CLEANUP(memo_close_pointer) = NULL;
	struct rs_buffer checks RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer copies RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&checks, (size_t)1 << 30);
	rs_buffer_init(&copies, (size_t)1 << 30);
	RS_TRY(memo_open(collecting->node, &memo, err));
	RS_TRY(memo_checks(memo, &checks, err));
	RS_TRY(memo_copies(memo, &copies, err));
	RS_TRY(drop_unwanted(collecting, memo, &checks, drop_check, err));
	return drop_unwanted(collecting, memo, &copies, drop_copy, err);
}

enum rs_code rs_node_vault_gc(struct rs_node *node, bool dry_run, rs_vault_report *report, void *context,
                              struct rs_vault_counts *out, struct rs_error *err)
{
	struct collecting collecting = {
		.node = node, .dry_run = dry_run, .report = report, .context = context};
	const struct rs_files *files = node->world->files;
	RS_TRY(rs_vault_list(node->vault, collect_object, &collecting, err));
	RS_TRY(files->list(files, node->receipts, collect_shard, &collecting, err));
	enum rs_code code = collect_memo(&collecting, err);
	rs_blobs_close(collecting.ipfs);
	if (code == RS_OK)
		*out = collecting.counts;
	return code;
}
