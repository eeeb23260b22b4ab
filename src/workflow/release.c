/* Decrypting one object for somebody who may have it. */
#include "release.h"

#include <string.h>

#define RECEIPT_SIZE_MAX ((size_t)128 * 1024)

/* What is needed, taken out of the stores that serve one thread at a time. */
struct taken {
	struct rs_buffer receipt; /* made anew: of index and ledger as they are */
	struct rs_buffer encoded; /* record borrows from it */
	struct rs_record record;
	struct rs_secret object_key;
};

static void taken_finish(struct taken *taken)
{
	rs_buffer_finish(&taken->receipt);
	rs_buffer_finish(&taken->encoded);
	rs_secret_finish(&taken->object_key);
}

static enum rs_code take_row(struct rs_node *node, const struct index_row *row, struct taken *out,
                             struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	if (row->object_nonce.size != NONCE_SIZE)
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	enum rs_code code = node_subject_key(node, row->subject, false, &subject_key, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code, "its subject was erased: nobody can decrypt it any more");
	RS_TRY(code);
	rs_subject_object_key(&subject_key, row->object_nonce.data, &out->object_key);
	RS_TRY(node_open_record(node, row, &out->encoded, err));
	RS_TRY(rs_record_decode(rs_buffer_bytes(&out->encoded), &out->record, err));
	return node_format_receipt(node, row, &out->receipt, err);
}

static enum rs_code take(struct rs_node *node, const struct rs_cid *cid, struct taken *out,
                         struct rs_error *err)
{
	struct index_row row;
	rs_buffer_init(&out->receipt, RECEIPT_SIZE_MAX);
	rs_buffer_init(&out->encoded, 8192);
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = index_find_object(node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes), &row,
	                                      err);
	if (code == RS_NOT_FOUND)
		code = rs_error_set(err, code, "there is no such object here");
	else if (code == RS_OK)
		code = take_row(node, &row, out, err);
	pthread_mutex_unlock(&node->mutex);
	return code;
}

/* A file on its way out: it has no name until it is compared. */
struct writing {
	struct rs_file *file;
	char *temporary;
	const struct rs_files *files;
	struct rs_sha256 hash;
	uint64_t size;
	bool compressed; /* by gzip, RFC 1952 */
};

static void writing_finish(struct writing *writing)
{
	rs_file_close(writing->file);
	if (writing->temporary)
		(void)writing->files->remove(writing->files, writing->temporary, NULL);
	rs_free(writing->temporary);
}

static enum rs_code write_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct writing *writing = context;
	if (writing->size == 0)
		writing->compressed = piece.size > 1 && piece.data[0] == 0x1f && piece.data[1] == 0x8b;
	rs_sha256_update(&writing->hash, piece.data, piece.size);
	RS_TRY(rs_file_write_at(writing->file, writing->size, piece.data, piece.size, err));
	writing->size += piece.size;
	return RS_OK;
}

static const char *extension_of(struct rs_str media, bool compressed)
{
	static const char *const known[][3] = {{"application/dicom", ".dcm", ".dcm"},
	                                       {"application/x-nifti", ".nii", ".nii.gz"},
	                                       {"application/x-nrrd", ".nrrd", ".nrrd"},
	                                       {"application/x-metaimage", ".mha", ".mha"},
	                                       {"text/vnd.radseal.features", ".features", ".features"}};
	for (size_t i = 0; i < RS_COUNT(known); i++)
		if (rs_str_equal_text(media, known[i][0]))
			return known[i][compressed ? 2 : 1];
	return "";
}

/* What was decrypted is what the ledger says was sealed. */
static enum rs_code compare(const struct rs_node *node, const struct taken *taken, struct writing *writing,
                            struct rs_error *err)
{
	struct rs_note_key key;
	struct rs_receipt_facts facts;
	struct rs_digest sha256;
	rs_sha256_final(&writing->hash, &sha256);
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &key, err));
	return rs_receipt_match(rs_buffer_str(&taken->receipt), &key, &sha256, writing->size, &facts, err);
}

static enum rs_code write_object(struct rs_node *node, const struct rs_cid *cid, const struct taken *taken,
                                 const char *base, char **out_path, struct rs_error *err)
{
	struct writing writing RS_CLEANUP(writing_finish) = {.files = node->world->files};
	char *temporary = rs_text_printf("%s.part", base);
	if (!temporary)
		return rs_error_memory(err, strlen(base), "a path");
	enum rs_code code = rs_file_open(node->world, temporary,
	                                 RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE, &writing.file,
	                                 err);
	if (code != RS_OK) {
		rs_free(temporary);
		return code;
	}
	writing.temporary = temporary;
	rs_sha256_init(&writing.hash);
	RS_TRY(rs_vault_read_to(node->vault, cid, &taken->object_key, write_piece, &writing, err));
	RS_TRY(compare(node, taken, &writing, err));
	RS_TRY(rs_file_sync(writing.file, err));
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s%s", base, extension_of(taken->record.media, writing.compressed));
	char *receipt RS_CLEANUP(rs_free_pointer) = path ? rs_text_printf("%s.tlog-proof", path) : NULL;
	if (!receipt)
		return rs_error_memory(err, strlen(base), "a path");
	RS_TRY(rs_file_replace(node->world, receipt, rs_buffer_bytes(&taken->receipt), 0600, err));
	RS_TRY(writing.files->rename(writing.files, temporary, path, err));
	rs_free(temporary);
	writing.temporary = NULL;
	*out_path = path;
	path = NULL;
	return RS_OK;
}

enum rs_code node_release(struct rs_node *node, const struct rs_cid *cid, const char *directory,
                          char **out_path, struct rs_error *err)
{
	struct taken taken RS_CLEANUP(taken_finish) = {.object_key = {{0}}};
	char name[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, name);
	char *base RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, name);
	if (!base)
		return rs_error_memory(err, strlen(directory), "a path");
	enum rs_code code = take(node, cid, &taken, err);
	if (code == RS_OK)
		code = write_object(node, cid, &taken, base, out_path, err);
	if (code != RS_OK && err)
		rs_error_context(err, "%s", name);
	return code;
}
