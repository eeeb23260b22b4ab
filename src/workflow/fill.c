/* Filling the catalogue with what was sealed before there was one, or what it has lost: objects are decrypted as far
 * as their pixels and described anew. */
#include <string.h>

#include "node/node_parts.h"
#include "workflow/workflow_check.h"

#define HEADER_MAX ((size_t)16 << 20) /* of an object: pixels come behind it, or it is all there */
#define GROUP 256                     /* rows that are committed together */
#define RECORD_SIZE_MAX ((size_t)8192)

static enum rs_code is_missing(struct rs_node *node, const struct index_row *row, bool *out,
                               struct rs_error *err)
{
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_record record;
	*out = false;
	rs_buffer_init(&encoded, RECORD_SIZE_MAX);
	enum rs_code code = node_open_record(node, row, &encoded, err);
	if (code == RS_NOT_FOUND || code == RS_ALTERED) /* erased, or fsck's to tell */
		return RS_OK;
	RS_TRY(code);
	RS_TRY(rs_record_decode(rs_buffer_bytes(&encoded), &record, err));
	if (!rs_str_equal_text(record.media, "application/dicom"))
		return RS_OK;
	code = rs_catalogue_check_image(node->catalogue, row->row, row->subject, record.identifiers, err);
	*out = code == RS_NOT_FOUND;
	return code == RS_NOT_FOUND || code == RS_ALTERED ? RS_OK : code;
}

struct looking {
	struct rs_node *node;
	struct rs_buffer missing; /* be64 each */
};

static enum rs_code look_at(void *context, const struct index_row *row, struct rs_error *err)
{
	struct looking *looking = context;
	uint8_t id[8];
	bool missing;
	if (row->entry < 0 || row->instances == 0)
		return RS_OK;
	RS_TRY(is_missing(looking->node, row, &missing, err));
	rs_write_be64(id, (uint64_t)row->row);
	if (missing)
		rs_buffer_append(&looking->missing, id, sizeof id);
	return rs_buffer_check(&looking->missing, "records without a row in the catalogue", err);
}

/* Stops at HEADER_MAX. */
static enum rs_code take(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct rs_buffer *header = context;
	size_t left = HEADER_MAX - header->size;
	rs_buffer_append(header, piece.data, piece.size < left ? piece.size : left);
	RS_TRY(rs_buffer_check(header, "the beginning of an object", err));
	return piece.size < left ? RS_OK : RS_CANCELLED;
}

static enum rs_code describe(struct rs_node *node, const struct index_row *row,
                             const struct rs_secret *subject_key, struct rs_catalogue_entry *out,
                             struct rs_error *err)
{
	struct rs_secret object_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer header RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_cid cid;
	if (!rs_cid_from_bytes(row->cid, &cid) || row->object_nonce.size != NONCE_SIZE)
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	rs_subject_object_key(subject_key, row->object_nonce.data, &object_key);
	rs_buffer_init(&header, HEADER_MAX);
	enum rs_code code = rs_vault_read_to(node->vault, &cid, &object_key, take, &header, err);
	if (code != RS_OK && code != RS_CANCELLED)
		return code;
	RS_TRY(rs_dicom_parse_header(rs_buffer_bytes(&header), &dicom, err));
	rs_catalogue_describe(&dicom, out);
	return RS_OK;
}

static enum rs_code fill_row(struct rs_node *node, int64_t id, struct rs_catalogue_entry *entry,
                             struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret index_key RS_CLEANUP(rs_secret_finish) = {0};
	const struct rs_catalogue_instance instance = {id, entry};
	struct index_row row;
	RS_TRY(index_find_row(node->index, id, &row, err));
	RS_TRY(node_subject_key(node, row.subject, false, &subject_key, err));
	RS_TRY(describe(node, &row, &subject_key, entry, err));
	rs_subject_index_key(&subject_key, &index_key);
	return rs_catalogue_add(node->catalogue, row.subject, &index_key, &instance, 1, err);
}

/* One failing object does not stop the others: fsck names it. What others erased, or filled in, while they had the
 * lock, does not either. */
static enum rs_code fill_group(struct rs_node *node, const uint8_t *ids, size_t count,
                               struct rs_catalogue_entry *entry, uint64_t *filled, struct rs_error *err)
{
	enum rs_code code = index_begin(node->index, err);
	for (size_t i = 0; code == RS_OK && i < count; i++) {
		code = fill_row(node, (int64_t)rs_read_be64(ids + 8 * i), entry, err);
		*filled += code == RS_OK;
		if (code == RS_ALTERED || code == RS_MALFORMED || code == RS_NOT_FOUND || code == RS_EXISTS)
			code = RS_OK;
	}
	if (code == RS_OK)
		code = index_commit(node->index, err);
	if (code != RS_OK)
		index_rollback(node->index);
	return code;
}

enum rs_code rs_node_fill_catalogue(struct rs_node *node, uint64_t *out_filled, struct rs_error *err)
{
	struct looking looking = {.node = node};
	struct rs_catalogue_entry *entry RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *entry);
	struct rs_catalogue *catalogue;
	uint64_t filled = 0;
	if (!entry)
		return rs_error_memory(err, sizeof *entry, "an entry of the catalogue");
	RS_TRY(node_catalogue(node, &catalogue, err));
	rs_buffer_init(&looking.missing, (size_t)1 << 30);
	enum rs_code code = index_each_row(node->index, look_at, &looking, err);
	size_t count = looking.missing.size / 8;
	for (size_t start = 0; code == RS_OK && start < count; start += GROUP) {
		if (node_is_wanted(node))
			rs_node_rest(node);
		code = node_hold(node, err);
		if (code == RS_OK)
			code = fill_group(node, looking.missing.data + 8 * start,
			                  count - start < GROUP ? count - start : GROUP, entry, &filled, err);
	}
	rs_buffer_finish(&looking.missing);
	*out_filled = filled;
	return code;
}
