/* Copies of objects in an IPFS node: made, checked, brought back. What is copied is encrypted; the IPFS node needs no key. */
#include "copies.h"

#include <string.h>

#include "node/node_memo.h"

#define PATIENCE_MS 60000
#define TOKEN_MAX 512

enum rs_code copies_open(const struct rs_node *node, struct rs_blobs **out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char *text RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	if (!node->config.vault_ipfs)
		return rs_error_set(err, RS_USAGE,
		                    "no copies are kept: radseal.yaml needs vault: {store: ipfs, url: "
		                    "http://host:port}");
	RS_TRY(node_path(node, "keys/ipfs.token", &path, err));
	if (rs_path_exists(node->world, path)) {
		RS_TRY(rs_file_read_all(node->world, path, TOKEN_MAX, &token, err));
		struct rs_str trimmed = rs_str_trim(rs_buffer_str(&token));
		for (size_t i = 0; i < trimmed.size; i++)
			if (trimmed.data[i] <= ' ' || trimmed.data[i] > '~')
				return rs_error_set(err, RS_MALFORMED,
				                    "%s: holds a character that no token has", path);
		text = rs_str_duplicate(trimmed);
		if (!text)
			return rs_error_memory(err, trimmed.size, "a token");
	}
	enum rs_code code = rs_blobs_open_ipfs(node->config.vault_url, text, PATIENCE_MS, out, err);
	if (text)
		rs_wipe(text, strlen(text));
	return code;
}

struct replicating {
	struct rs_node *node;
	bool verify;
	struct rs_blobs *local, *ipfs;
	struct memo *memo;
	rs_vault_report *report;
	void *context;
	struct rs_vault_counts counts;
};

/* What concerns one object ends only that; a node that does not answer ends all. */
static enum rs_code judge(struct replicating *replicating, const char *name, enum rs_code code,
                          const struct rs_error *reason, struct rs_error *err)
{
	if (code == RS_ALTERED || code == RS_NOT_FOUND) {
		replicating->counts.faults++;
		replicating->report(replicating->context, "fault", name, reason->message);
		return RS_OK;
	}
	if (err)
		*err = *reason;
	return code;
}

static enum rs_code copy_one(struct replicating *replicating, const struct rs_cid *cid, bool *out_copied,
                             struct rs_error *err)
{
	RS_TRY(rs_blobs_has(replicating->ipfs, cid, out_copied, err));
	*out_copied = !*out_copied;
	if (*out_copied)
		RS_TRY(rs_blobs_copy(replicating->local, replicating->ipfs, cid, err));
	RS_TRY(memo_add_copy(replicating->memo, cid, err));
	return replicating->verify ? rs_blobs_check(replicating->ipfs, cid, err) : RS_OK;
}

static enum rs_code replicate_object(void *context, const struct rs_cid *cid, struct rs_str name RS_UNUSED,
                                     struct rs_error *err)
{
	struct replicating *replicating = context;
	char text[RS_CID_TEXT_SIZE];
	struct rs_error reason = {0};
	bool known = false, copied = false;
	uint64_t size = 0;
	if (cid)
		RS_TRY(index_has_object(replicating->node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes),
		                        &known, err));
	if (!known)
		return RS_OK;
	rs_cid_format(cid, text);
	replicating->counts.looked++;
	enum rs_code code = copy_one(replicating, cid, &copied, &reason);
	if (code != RS_OK)
		return judge(replicating, text, code, &reason, err);
	(void)rs_vault_size(replicating->node->vault, cid, &size, NULL);
	replicating->counts.done += copied;
	replicating->counts.bytes += copied ? size : 0;
	if (copied)
		replicating->report(replicating->context, "copied", text, "");
	return RS_OK;
}

enum rs_code rs_node_vault_replicate(struct rs_node *node, bool verify, rs_vault_report *report,
                                     void *context, struct rs_vault_counts *out, struct rs_error *err)
{
	struct rs_blobs *local RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	struct rs_blobs *ipfs RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	struct memo *memo RS_CLEANUP(memo_close_pointer) = NULL;
	char version[64];
	RS_TRY(copies_open(node, &ipfs, err));
	RS_TRY(rs_blobs_ipfs_version(ipfs, version, err));
	RS_TRY(rs_blobs_open_local(node->vault, &local, err));
	RS_TRY(memo_open(node, &memo, err));
	struct replicating replicating = {node, verify, local, ipfs, memo, report, context, {0}};
	RS_TRY(rs_vault_list(node->vault, replicate_object, &replicating, err));
	*out = replicating.counts;
	if (out->faults)
		return rs_error_set(err, RS_ALTERED,
		                    "%llu objects could not be copied, or their copies are bad",
		                    (unsigned long long)out->faults);
	return RS_OK;
}

enum rs_code rs_node_vault_fetch(struct rs_node *node, const struct rs_cid *cid, struct rs_error *err)
{
	struct rs_blobs *local RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	struct rs_blobs *ipfs RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	struct memo *memo RS_CLEANUP(memo_close_pointer) = NULL;
	char text[RS_CID_TEXT_SIZE];
	bool known;
	rs_cid_format(cid, text);
	RS_TRY(index_has_object(node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes), &known, err));
	if (!known)
		return rs_error_set(err, RS_NOT_FOUND, "%s: no record refers to it", text);
	RS_TRY(copies_open(node, &ipfs, err));
	RS_TRY(rs_blobs_open_local(node->vault, &local, err));
	RS_TRY(rs_blobs_copy(ipfs, local, cid, err));
	RS_TRY(memo_open(node, &memo, err));
	return memo_drop_check(memo, cid, err);
}
