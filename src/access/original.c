/* From a de-identified copy back to what it was made of: which object that is. Who may have it, the contract decides. */
#include <string.h>

#include "access/access_retrieve.h"
#include "deidentify/deidentify.h"
#include "node/node_parts.h"

struct looking {
	struct rs_node *node;
	const struct rs_secret *key;
	struct rs_str uid;
	struct rs_cid found;
};

/* RS_EXISTS, without a sentence, ends the search. */
static enum rs_code compare(void *context, const struct index_row *row, struct rs_error *err)
{
	struct looking *looking = context;
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_record record;
	char mapped[65];
	rs_buffer_init(&encoded, 8192);
	enum rs_code code = node_open_record(looking->node, row, &encoded, err);
	if (code == RS_NOT_FOUND)
		return RS_OK; /* erased */
	RS_TRY(code);
	RS_TRY(rs_record_decode(rs_buffer_bytes(&encoded), &record, err));
	if (record.identifiers[0].size == 0)
		return RS_OK;
	rs_deidentify_uid(looking->key, record.identifiers[0], mapped);
	if (!rs_str_equal_text(looking->uid, mapped) && !rs_str_equal(looking->uid, record.identifiers[0]))
		return RS_OK;
	return rs_cid_from_bytes(row->cid, &looking->found) ? RS_EXISTS : RS_INTERNAL;
}

enum rs_code rs_node_find_original(struct rs_node *node, struct rs_str project, struct rs_str copy_uid,
                                   char out_cid[static RS_CID_TEXT_SIZE], struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct looking looking = {.node = node, .key = &key, .uid = copy_uid};
	rs_node_project_key(node, project, &key);
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = index_each_row(node->index, compare, &looking, err);
	pthread_mutex_unlock(&node->mutex);
	if (code == RS_OK)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "nothing that is sealed here became this copy in the project '%.*s'",
		                    project.size > 64 ? 64 : (int)project.size, project.data);
	if (code != RS_EXISTS)
		return code;
	rs_cid_format(&looking.found, out_cid);
	return RS_OK;
}
