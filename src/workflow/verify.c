/* Genuine, altered or unknown: one file against the node, or against a receipt alone. */
#include <string.h>

#include "classify.h"
#include "node.h"

#define RECEIPT_SIZE_MAX ((size_t)128 * 1024)

static void fill_details(const struct rs_receipt_facts *facts, struct rs_proof_details *out)
{
	*out = (struct rs_proof_details){
		.entry = facts->index,
		.tree_size = facts->tree_size,
		.instance = facts->instance,
		.instances = facts->instances,
	};
	rs_format_time_ms(facts->time_ms, out->sealed_at);
	memcpy(out->origin, facts->origin, sizeof facts->origin);
	memcpy(out->media, facts->media, sizeof facts->media);
}

/* A receipt that cannot be read as one was altered, as far as a verifier is concerned. */
static enum rs_code altered(enum rs_code code, struct rs_error *err)
{
	if (code != RS_MALFORMED && code != RS_UNSUPPORTED)
		return code;
	return err ? (err->code = RS_ALTERED) : RS_ALTERED;
}

enum rs_code rs_verify_offline(const struct rs_world *world, const char *path, const char *receipt_path,
                               const char *vkey, struct rs_proof_details *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer receipt RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_note_key key;
	struct rs_receipt_facts facts;
	if (rs_note_key_parse(rs_str_from(vkey), &key, err) != RS_OK) {
		rs_error_context(err, "--key");
		return err ? (err->code = RS_USAGE) : RS_USAGE;
	}
	RS_TRY(rs_file_read_all(world, path, RS_ADMIT_SIZE_MAX, &content, err));
	RS_TRY(rs_file_read_all(world, receipt_path, RECEIPT_SIZE_MAX, &receipt, err));
	RS_TRY(altered(
		rs_receipt_verify(rs_buffer_str(&receipt), &key, rs_buffer_bytes(&content), &facts, err),
		err));
	fill_details(&facts, out);
	return RS_OK;
}

/* The content is unknown. If it claims to be an instance that is known, it was altered. */
static enum rs_code explain_unknown(struct rs_node *node, struct rs_bytes content, struct rs_error *err)
{
	struct classified what;
	struct rs_digest locator;
	struct index_row row;
	if (classify(content, &what, NULL) != RS_OK || !what.sop_instance_uid[0])
		return rs_error_set(err, RS_NOT_FOUND, "no file with these bytes was sealed here");
	node_locator(node, LOCATOR_INSTANCE, rs_bytes_of_str(rs_str_from(what.sop_instance_uid)), &locator);
	enum rs_code code = index_find_identity(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row,
	                                        err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "no file with these bytes was sealed here, nor any of this SOP instance");
	RS_TRY(code);
	return rs_error_set(
		err, RS_ALTERED,
		"this SOP instance was sealed with other bytes (entry %lld, %llu bytes then, %zu now)",
		(long long)row.entry, (unsigned long long)row.size, content.size);
}

/* The stored copy: its address, its encryption, its content. */
static enum rs_code check_object(struct rs_node *node, const struct index_row *row,
                                 const struct rs_digest *content, struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret object_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_object_facts facts;
	struct rs_cid cid;
	if (!rs_cid_from_bytes(row->cid, &cid) || row->object_nonce.size != NONCE_SIZE)
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	RS_TRY(node_subject_key(node, row->subject, false, &subject_key, err));
	rs_subject_object_key(&subject_key, row->object_nonce.data, &object_key);
	RS_TRY(rs_vault_check(node->vault, &cid, &object_key, &facts, err));
	if (!rs_digest_equal(&facts.sha256, content))
		return rs_error_set(err, RS_ALTERED, "the stored copy has other content");
	return RS_OK;
}

static enum rs_code check_kept_receipt(struct rs_node *node, const struct index_row *row,
                                       const struct rs_note_key *key, struct rs_bytes content,
                                       struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_receipt_facts facts;
	RS_TRY(node_receipt_path(node, row->cid, &path, err));
	RS_TRY(rs_file_read_all(node->world, path, RECEIPT_SIZE_MAX, &text, err));
	return altered(rs_receipt_verify(rs_buffer_str(&text), key, content, &facts, err), err);
}

static enum rs_code verify_content(struct rs_node *node, struct rs_bytes content,
                                   struct rs_proof_details *out, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest, locator;
	struct rs_note_key key;
	struct rs_receipt_facts facts;
	struct index_row row;
	rs_sha256(content, &digest);
	node_locator(node, LOCATOR_CONTENT, rs_bytes_of(digest.bytes, RS_SHA256_SIZE), &locator);
	enum rs_code code = index_find_content(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row,
	                                       err);
	if (code == RS_NOT_FOUND)
		return explain_unknown(node, content, err);
	RS_TRY(code);
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &key, err));
	rs_buffer_init(&text, RECEIPT_SIZE_MAX);
	RS_TRY(node_format_receipt(node, &row, &text, err));
	RS_TRY(altered(rs_receipt_verify(rs_buffer_str(&text), &key, content, &facts, err), err));
	if (check_object(node, &row, &digest, err) != RS_OK)
		return altered(rs_error_context(err, "its stored copy"), err);
	if (check_kept_receipt(node, &row, &key, content, err) != RS_OK)
		return altered(rs_error_context(err, "its receipt"), err);
	fill_details(&facts, out);
	return RS_OK;
}

enum rs_code rs_node_verify(struct rs_node *node, const char *path, struct rs_proof_details *out,
                            struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(node->world, path, RS_ADMIT_SIZE_MAX, &content, err));
	return verify_content(node, rs_buffer_bytes(&content), out, err);
}
