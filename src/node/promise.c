/* Checkpoints kept outside of the ledger's file, so that an older ledger put in its place is noticed. */
#include "ledger/ledger_history.h"
#include "node/node_parts.h"

#define LAST_PATH "keys/last-checkpoint"
#define COSIGNED_PATH "keys/cosigned-checkpoint"
#define NOTE_SIZE_MAX ((size_t)128 * 1024)
#define INTERVAL_MS 1000

void node_promises_finish(struct node_promises *promises)
{
	rs_buffer_finish(&promises->last);
	rs_buffer_finish(&promises->cosigned);
}

static enum rs_code read_one(const struct rs_node *node, const char *name, struct rs_buffer *out,
                             struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, name, &path, err));
	if (!rs_path_exists(node->world, path))
		return RS_OK;
	return rs_file_read_all(node->world, path, NOTE_SIZE_MAX, out, err);
}

enum rs_code node_promises_read(const struct rs_node *node, struct node_promises *out, struct rs_error *err)
{
	RS_TRY(read_one(node, LAST_PATH, &out->last, err));
	return read_one(node, COSIGNED_PATH, &out->cosigned, err);
}

/* A file that is there but empty is no promise kept, but one that was emptied. */
static enum rs_code check_one(struct rs_node *node, const struct rs_note_key *key,
                              const struct rs_buffer *note, const char *name, struct rs_error *err)
{
	if (note->maximum == 0)
		return RS_OK;
	return rs_ledger_check_promise(node->ledger, key, rs_buffer_str(note), name, err);
}

enum rs_code node_promises_check(struct rs_node *node, const struct rs_note_key *key,
                                 const struct node_promises *promises, struct rs_error *err)
{
	RS_TRY(check_one(node, key, &promises->last, LAST_PATH, err));
	return check_one(node, key, &promises->cosigned, COSIGNED_PATH, err);
}

void node_promises_keep(struct rs_node *node, bool final)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	uint64_t size = rs_ledger_size(node->ledger), now_ms = rs_world_now_ms(node->world);
	if (size == node->promised_size || (!final && now_ms - node->promised_ms < INTERVAL_MS))
		return;
	if (node_path(node, LAST_PATH, &path, NULL) != RS_OK ||
	    rs_file_replace(node->world, path, rs_bytes_of_str(rs_ledger_checkpoint(node->ledger)), 0644,
	                    NULL) != RS_OK)
		return;
	node->promised_size = size;
	node->promised_ms = now_ms;
}
