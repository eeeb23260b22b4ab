/* Opening objects: key, record and receipt out of the stores that serve one thread at a time; then the content. */
#include "access/access_open.h"

#include <string.h>

#define RECEIPT_SIZE_MAX ((size_t)128 * 1024)
#define RECORD_SIZE_MAX ((size_t)8192)

void rs_opened_finish(struct rs_opened *opened)
{
	rs_buffer_finish(&opened->receipt);
	rs_buffer_finish(&opened->encoded);
	rs_secret_finish(&opened->object_key);
}

/* The index may not say yet where the ledger has it: that is noted later, for many groups at once. */
static enum rs_code place(struct rs_node *node, struct index_row *row, struct rs_error *err)
{
	uint64_t entry;
	if (row->entry >= 0 || row->transaction_id.size != TRANSACTION_ID_SIZE)
		return RS_OK;
	enum rs_code code = rs_ledger_find(node->ledger, row->transaction_id.data, &entry, err);
	if (code == RS_OK)
		row->entry = (int64_t)entry;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static enum rs_code take_row(struct rs_node *node, struct index_row *row, struct rs_opened *out,
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
	RS_TRY(place(node, row, err));
	return node_format_receipt(node, row, &out->receipt, err);
}

enum rs_code rs_opened_init(struct rs_node *node, const struct rs_cid *cid, struct rs_opened *out,
                            struct rs_error *err)
{
	struct index_row row;
	*out = (struct rs_opened){.cid = *cid};
	rs_buffer_init(&out->receipt, RECEIPT_SIZE_MAX);
	rs_buffer_init(&out->encoded, RECORD_SIZE_MAX);
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = index_find_object(node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes), &row,
	                                      err);
	if (code == RS_NOT_FOUND)
		code = rs_error_set(err, code, "there is no such object here");
	else if (code == RS_OK)
		code = take_row(node, &row, out, err);
	pthread_mutex_unlock(&node->mutex);
	if (code != RS_OK) {
		rs_opened_finish(out);
		*out = (struct rs_opened){.cid = *cid};
	}
	return code;
}
