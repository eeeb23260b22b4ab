/* Genuine, altered or unknown: one file against the node, or against a receipt alone. */
#include <stdio.h>
#include <string.h>

#include "workflow/workflow_classify.h"
#include "envelope/envelope.h"
#include "ledger/ledger_cose.h"
#include "node/node_parts.h"
#include "workflow/workflow_source.h"
#include "workflow/workflow_trust.h"
#include "workflow/workflow.h"

#define RECEIPT_SIZE_MAX ((size_t)128 * 1024)
#define FILES_A_THREAD ((size_t)32) /* of a batch: enough to even out unequal files */

void trust_details(const struct rs_receipt_facts *facts, struct rs_proof_details *out)
{
	*out = (struct rs_proof_details){
		.entry = facts->index,
		.tree_size = facts->tree_size,
		.instance = facts->instance,
		.instances = facts->instances,
		.cosigned = facts->cosigned,
	};
	rs_format_time_ms(facts->time_ms, out->sealed_at);
	memcpy(out->origin, facts->origin, sizeof facts->origin);
	memcpy(out->media, facts->media, sizeof facts->media);
	memcpy(out->source, facts->source, sizeof facts->source);
}

#define META_LENGTH_AT ((size_t)140) /* preamble, prefix, the first element's head: PS3.10 section 7.1 */
#define META_AT ((size_t)144)
#define PIECE ((size_t)64 * 1024)

static enum rs_code read_piece(const struct source *file, uint64_t offset, uint8_t *out, size_t size,
                               struct rs_error *err)
{
	size_t got = 0;
	if (offset > file->size || size > file->size - offset)
		return rs_error_set(err, RS_ALTERED, "it ends within its meta group");
	if (!file->file) {
		memcpy(out, file->memory.data + offset, size);
		return RS_OK;
	}
	RS_TRY(rs_file_read_at(file->file, offset, out, size, &got, err));
	return got == size ? RS_OK : rs_error_set(err, RS_IO, "it became shorter while it was read");
}

/* Of what stands behind the meta group. */
static enum rs_code hash_data_set(const struct source *file, struct rs_digest *out, uint64_t *out_size,
                                  struct rs_error *err)
{
	uint8_t *piece RS_CLEANUP(rs_free_pointer) = rs_allocate(PIECE);
	struct rs_sha256 hash;
	uint8_t length[4];
	if (!piece)
		return rs_error_memory(err, PIECE, "a piece of a file");
	RS_TRY(read_piece(file, META_LENGTH_AT, length, sizeof length, err));
	uint64_t start = META_AT + ((uint32_t)length[3] << 24 | (uint32_t)length[2] << 16 |
	                            (uint32_t)length[1] << 8 | length[0]);
	rs_sha256_init(&hash);
	for (uint64_t at = start; at < file->size;) {
		size_t size = file->size - at < PIECE ? (size_t)(file->size - at) : PIECE;
		RS_TRY(read_piece(file, at, piece, size, err));
		rs_sha256_update(&hash, piece, size);
		at += size;
	}
	rs_sha256_final(&hash, out);
	*out_size = file->size - (start < file->size ? start : file->size);
	return RS_OK;
}

/* That the device signed just this data set. Whether the key was a device's then, the ledger tells. */
static enum rs_code check_device(const struct rs_receipt_facts *facts, const struct source *file,
                                 struct rs_proof_details *out, struct rs_error *err)
{
	struct rs_envelope envelope;
	struct rs_digest sha256;
	uint64_t size = 0;
	out->sha256 = facts->sha256;
	if (facts->envelope_size == 0)
		return RS_OK;
	if (facts->envelope_size == RS_SHA256_SIZE) {
		out->has_manifest = true;
		memcpy(out->manifest.bytes, facts->envelope, RS_SHA256_SIZE);
		return RS_OK;
	}
	RS_TRY(rs_envelope_verify(rs_bytes_of(facts->envelope, facts->envelope_size), &envelope, err));
	RS_TRY(hash_data_set(file, &sha256, &size, err));
	if (envelope.kind != RS_ENVELOPE_INSTANCE || envelope.length != size ||
	    !rs_digest_equal(&envelope.sha256, &sha256))
		return rs_error_set(err, RS_ALTERED, "the device signed other content");
	(void)snprintf(out->device, sizeof out->device, "%.*s", (int)envelope.device.size,
	               envelope.device.data);
	rs_member_key_format(&envelope.signer, out->device_key);
	rs_format_time_ms(envelope.captured_ms, out->captured_at);
	return RS_OK;
}

/* A receipt that cannot be read as one was altered, as far as a verifier is concerned. */
static enum rs_code altered(enum rs_code code, struct rs_error *err)
{
	if (code != RS_MALFORMED && code != RS_UNSUPPORTED)
		return code;
	return err ? (err->code = RS_ALTERED) : RS_ALTERED;
}

enum rs_code rs_verify_offline(const struct rs_world *world, const char *path, const char *receipt_path,
                               const struct rs_trust *trust, struct rs_proof_details *out,
                               struct rs_error *err)
{
	struct source file RS_CLEANUP(source_finish) = {.file = NULL};
	struct rs_buffer receipt RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_receipt_facts facts;
	RS_TRY(source_open(world, path, NODE_MEMORY_MAX, &file, err));
	RS_TRY(rs_file_read_all(world, receipt_path, RECEIPT_SIZE_MAX, &receipt, err));
	RS_TRY(source_hash(&file, err));
	RS_TRY(altered(rs_receipt_match_trusted(rs_buffer_str(&receipt), trust, &file.sha256, file.size,
	                                        &facts, err),
	               err));
	trust_details(&facts, out);
	return altered(check_device(&facts, &file, out, err), err);
}

/* The content is unknown. If it claims to be an instance that is known, it was altered. */
static enum rs_code explain_unknown(struct rs_node *node, struct source *file, struct rs_error *err)
{
	struct classified what;
	struct rs_digest locator;
	struct index_row row;
	if (source_recognise(file, &what, NULL) != RS_OK || !what.sop_instance_uid[0])
		return rs_error_set(err, RS_NOT_FOUND, "no file with these bytes was sealed here");
	node_locator(node, LOCATOR_INSTANCE, rs_bytes_of_str(rs_str_from(what.sop_instance_uid)), &locator);
	enum rs_code code = index_find_identity(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row,
	                                        err);
	if (code == RS_NOT_FOUND || (code == RS_OK && row.entry < 0))
		return rs_error_set(err, RS_NOT_FOUND,
		                    "no file with these bytes was sealed here, nor any of this SOP instance");
	RS_TRY(code);
	return rs_error_set(
		err, RS_ALTERED,
		"this SOP instance was sealed with other bytes (entry %lld, %llu bytes then, %llu now)",
		(long long)row.entry, (unsigned long long)row.size, (unsigned long long)file->size);
}

/* What the node has of one content, taken out of the stores that serve one thread at a time. */
struct kept {
	struct rs_buffer receipt; /* made anew from index and ledger */
	char *receipt_path;
	struct rs_cid cid;
	struct rs_secret object_key;
};

static void kept_finish(struct kept *kept)
{
	rs_buffer_finish(&kept->receipt);
	rs_free(kept->receipt_path);
	rs_secret_finish(&kept->object_key);
}

static enum rs_code take_out(struct rs_node *node, const struct index_row *row, struct kept *kept,
                             struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	rs_buffer_init(&kept->receipt, RECEIPT_SIZE_MAX);
	RS_TRY(node_format_receipt(node, row, &kept->receipt, err));
	if (!rs_cid_from_bytes(row->cid, &kept->cid) || row->object_nonce.size != NONCE_SIZE)
		return rs_error_set(err, RS_ALTERED, "its stored copy: a row of the index is malformed");
	RS_TRY(node_subject_key(node, row->subject, false, &subject_key, err));
	rs_subject_object_key(&subject_key, row->object_nonce.data, &kept->object_key);
	return node_receipt_path(node, row->cid, &kept->receipt_path, err);
}

/* Of what was acknowledged a moment ago the receipt may not be written yet: who writes does that before somebody else has the
 * node's lock. */
static enum rs_code find_settled(struct rs_node *node, struct rs_bytes locator, struct index_row *out,
                                 struct rs_error *err)
{
	enum rs_code code = index_find_content(node->index, locator, out, err);
	if (code != RS_OK || out->entry >= 0 || node->access == RS_NODE_WRITE)
		return code;
	code = node_pin(node, err);
	node_unpin(node);
	return code == RS_OK || code == RS_BUSY ? index_find_content(node->index, locator, out, err) : code;
}

static enum rs_code find(struct rs_node *node, struct source *file, struct kept *kept, struct rs_error *err)
{
	struct rs_digest locator;
	struct index_row row;
	node_locator(node, LOCATOR_CONTENT, rs_bytes_of(file->sha256.bytes, RS_SHA256_SIZE), &locator);
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = find_settled(node, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row, err);
	if (code == RS_OK && row.entry < 0)
		code = rs_error_set(
			err, RS_NOT_FOUND,
			"no file with these bytes was sealed here; a sealing of it has not ended");
	else if (code == RS_OK)
		code = take_out(node, &row, kept, err);
	else if (code == RS_NOT_FOUND)
		code = explain_unknown(node, file, err);
	pthread_mutex_unlock(&node->mutex);
	return code;
}

static enum rs_code check_kept_receipt(struct rs_node *node, const struct kept *kept,
                                       const struct rs_note_key *key, struct source *file,
                                       struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_receipt_facts facts;
	RS_TRY(rs_file_read_all(node->world, kept->receipt_path, RECEIPT_SIZE_MAX, &text, err));
	return rs_receipt_match(rs_buffer_str(&text), key, &file->sha256, file->size, &facts, err);
}

/* What is in memory is compared byte by byte, which is cheaper than a hash. */
static enum rs_code compare_copy(struct rs_node *node, const struct kept *kept, const struct source *file,
                                 struct rs_error *err)
{
	struct rs_object_facts facts;
	if (!file->file)
		return rs_vault_compare(node->vault, &kept->cid, &kept->object_key,
		                        rs_buffer_bytes(&file->memory), err);
	RS_TRY(rs_vault_check(node->vault, &kept->cid, &kept->object_key, &facts, err));
	if (facts.size != file->size || !rs_digest_equal(&facts.sha256, &file->sha256))
		return rs_error_set(err, RS_ALTERED, "the stored copy has other content");
	return RS_OK;
}

static enum rs_code verify_source(struct rs_node *node, struct source *file, struct rs_proof_details *out,
                                  struct rs_error *err)
{
	struct kept kept RS_CLEANUP(kept_finish) = {.receipt_path = NULL};
	struct rs_note_key key;
	struct rs_receipt_facts facts;
	RS_TRY(source_hash(file, err));
	RS_TRY(find(node, file, &kept, err));
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &key, err));
	RS_TRY(altered(
		rs_receipt_match(rs_buffer_str(&kept.receipt), &key, &file->sha256, file->size, &facts, err),
		err));
	enum rs_code code = compare_copy(node, &kept, file, err);
	if (code != RS_OK) {
		rs_error_context(err, "its stored copy");
		return altered(code, err);
	}
	code = check_kept_receipt(node, &kept, &key, file, err);
	if (code != RS_OK) {
		rs_error_context(err, "its receipt");
		return altered(code, err);
	}
	trust_details(&facts, out);
	return altered(check_device(&facts, file, out, err), err);
}

enum rs_code rs_node_verify(struct rs_node *node, const char *path, struct rs_proof_details *out,
                            struct rs_error *err)
{
	struct source file RS_CLEANUP(source_finish) = {.file = NULL};
	RS_TRY(source_open(node->world, path, node->memory_max, &file, err));
	return verify_source(node, &file, out, err);
}

/* Files are verified in batches, so that the first results are shown soon and memory stays bounded. */
struct batch {
	struct rs_node *node;
	char *const *paths;
	struct verdict {
		enum rs_code code;
		struct rs_proof_details details;
		struct rs_error err;
	} * verdicts;
};

static enum rs_code verify_one(void *context, size_t index, struct rs_error *err RS_UNUSED)
{
	const struct batch *batch = context;
	struct verdict *verdict = &batch->verdicts[index];
	*verdict = (struct verdict){.code = RS_OK};
	verdict->code = rs_node_verify(batch->node, batch->paths[index], &verdict->details, &verdict->err);
	return RS_OK; /* one file's failure does not stop the others */
}

enum rs_code rs_node_verify_each(struct rs_node *node, char *const *paths, size_t count,
                                 rs_verify_report *report, void *context, struct rs_error *err)
{
	size_t size = (size_t)rs_pool_threads(node->pool) * FILES_A_THREAD;
	struct verdict *verdicts RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size, sizeof *verdicts);
	if (!verdicts)
		return rs_error_memory(err, size * sizeof *verdicts, "verdicts");
	for (size_t start = 0; start < count; start += size) {
		struct batch batch = {.node = node, .paths = paths + start, .verdicts = verdicts};
		size_t here = count - start < size ? count - start : size;
		RS_TRY(rs_pool_for(node->pool, here, verify_one, &batch, err));
		for (size_t i = 0; i < here; i++)
			report(context, batch.paths[i], verdicts[i].code, &verdicts[i].details,
			       &verdicts[i].err);
	}
	return RS_OK;
}

enum rs_code rs_node_cose_receipt(struct rs_node *node, uint64_t entry, struct rs_buffer *out,
                                  struct rs_error *err)
{
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	size_t count;
	struct rs_note_key key;
	struct rs_checkpoint checkpoint;
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &key, err));
	RS_TRY(rs_checkpoint_verify(rs_ledger_checkpoint(node->ledger), &key, &checkpoint, err));
	RS_TRY(rs_ledger_prove(node->ledger, entry, path, &count, err));
	return rs_cose_receipt_sign(entry, checkpoint.size, &checkpoint.root, path, count,
	                            rs_keyring_log_key(node->keyring), out, err);
}
