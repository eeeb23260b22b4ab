/* Decrypting one object for somebody who may have it. */
#include "release.h"

#include <string.h>

#include "outgoing.h"
#include "access/access_bundle.h"
#include "access/access_open.h"

struct releasing {
	struct rs_node *node;
	const struct rs_cid *cid;
	const struct rs_secret *key;
};

static enum rs_code read_object(void *context, rs_vault_take *take_piece, void *taker, struct rs_error *err)
{
	const struct releasing *releasing = context;
	return rs_vault_read_to(releasing->node->vault, releasing->cid, releasing->key, take_piece, taker,
	                        err);
}

static enum rs_code write_file(struct rs_node *node, const struct rs_cid *cid, const struct rs_opened *taken,
                               const char *base, char **out_path, struct rs_error *err)
{
	struct releasing releasing = {node, cid, &taken->object_key};
	struct rs_trust trust = {.quorum = 0};
	struct rs_receipt_facts facts;
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &trust.log, err));
	const struct outgoing out = {.world = node->world,
	                             .base = base,
	                             .receipt = rs_buffer_str(&taken->receipt),
	                             .trust = &trust,
	                             .read = read_object,
	                             .context = &releasing};
	return outgoing_write(&out, &facts, out_path, err);
}

/* The key alone is opened and sealed anew; the object's bytes are those of the vault. */
static enum rs_code format_head(const struct rs_cid *cid, const struct rs_opened *taken,
                                const struct rs_member_key *recipient, struct rs_buffer *out,
                                struct rs_error *err)
{
	struct rs_bundle bundle = {
		.cid = *cid, .recipient = *recipient, .receipt = rs_buffer_str(&taken->receipt)};
	struct rs_buffer sealed RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t public_key[RS_KEY_SIZE];
	if (!rs_seal_public_key_of_signer(recipient->bytes, public_key))
		return rs_error_set(err, RS_USAGE, "the recipient's key is weak, or none");
	rs_buffer_init(&sealed, sizeof bundle.sealed_key);
	RS_TRY(rs_seal_to(public_key, rs_bytes_of(taken->object_key.bytes, RS_KEY_SIZE), &sealed, err));
	memcpy(bundle.sealed_key, sealed.data, sizeof bundle.sealed_key);
	return rs_bundle_format(&bundle, out, err);
}

static enum rs_code write_bundle(struct rs_node *node, const struct rs_cid *cid,
                                 const struct rs_opened *taken, const struct rs_member_key *recipient,
                                 const char *base, char **out_path, struct rs_error *err)
{
	struct rs_buffer head RS_CLEANUP(rs_buffer_finish) = {0};
	struct writing writing RS_CLEANUP(writing_finish) = {.file = NULL};
	if (!rs_bytes_equal(taken->record.cid, rs_bytes_of(cid->bytes, sizeof cid->bytes)))
		return rs_error_set(err, RS_ALTERED, "its record names another address");
	rs_buffer_init(&head, RS_BUNDLE_HEAD_MAX);
	RS_TRY(format_head(cid, taken, recipient, &head, err));
	RS_TRY(writing_begin(node->world, base, &writing, err));
	RS_TRY(writing_take(&writing, rs_buffer_bytes(&head), err));
	RS_TRY(rs_vault_read_stored(node->vault, cid, writing_take, &writing, err));
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s.bundle", base);
	if (!path)
		return rs_error_memory(err, strlen(base), "a path");
	RS_TRY(writing_name(&writing, path, err));
	*out_path = path;
	path = NULL;
	return RS_OK;
}

enum rs_code node_release(struct rs_node *node, const struct rs_cid *cid,
                          const struct rs_member_key *recipient, const char *directory, char **out_path,
                          struct rs_error *err)
{
	struct rs_opened taken RS_CLEANUP(rs_opened_finish) = {.object_key = {{0}}};
	char name[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, name);
	char *base RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, name);
	if (!base)
		return rs_error_memory(err, strlen(directory), "a path");
	enum rs_code code = rs_opened_init(node, cid, &taken, err);
	if (code == RS_OK)
		code = recipient ? write_bundle(node, cid, &taken, recipient, base, out_path, err)
		                 : write_file(node, cid, &taken, base, out_path, err);
	if (code != RS_OK && err)
		rs_error_context(err, "%s", name);
	return code;
}
