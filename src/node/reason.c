/* Why a glass was broken, and what its review found: texts in reasons/, encrypted under the subject's key. */
#include "node/node_reason.h"

#include <string.h>

#include "contract/contract_people.h"

#define PSEUDONYM_SIZE sizeof(((struct rs_pseudonym *)NULL)->bytes)

enum rs_code reason_path(const struct rs_node *node, const uint8_t *id, const char *what, char **out,
                         struct rs_error *err)
{
	char hex[2 * RS_TRANSACTION_ID_SIZE + 1], name[64];
	rs_hex_encode(rs_bytes_of(id, RS_TRANSACTION_ID_SIZE), hex);
	(void)snprintf(name, sizeof name, "reasons/%s.%s", hex, what);
	return node_path(node, name, out, err);
}

/* The pseudonym, which tells the key, then the box, bound to the glass by its id. */
enum rs_code reason_keep(struct rs_node *node, const struct rs_secret *subject_key,
                         const struct rs_pseudonym *pseudonym, const uint8_t *id, const char *path,
                         const char *reason, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (!directory)
		return rs_error_memory(err, strlen(path), "a path");
	rs_buffer_init(&content, REASON_BOX_MAX);
	rs_buffer_append(&content, pseudonym->bytes, sizeof pseudonym->bytes);
	rs_subject_index_key(subject_key, &key);
	RS_TRY(rs_box_seal(node->world, &key, rs_bytes_of(id, RS_TRANSACTION_ID_SIZE),
	                   rs_bytes_of_str(rs_str_from(reason)), &content, err));
	RS_TRY(rs_directory_make(node->world, directory, err));
	return rs_file_replace(node->world, path, rs_buffer_bytes(&content), 0600, err);
}

enum rs_code reason_pseudonym(struct rs_node *node, const uint8_t *id, struct rs_pseudonym *out,
                              struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(reason_path(node, id, "reason", &path, err));
	RS_TRY(rs_file_read_all(node->world, path, REASON_BOX_MAX, &content, err));
	if (content.size < sizeof out->bytes)
		return rs_error_set(err, RS_ALTERED, "%s: it is cut", path);
	memcpy(out->bytes, content.data, sizeof out->bytes);
	return RS_OK;
}

enum rs_code reason_read(struct rs_node *node, const uint8_t *id, const struct rs_digest *subject,
                         const char *what, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0}, key RS_CLEANUP(rs_secret_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_digest token = {{0}};
	RS_TRY(reason_path(node, id, what, &path, err));
	if (!rs_path_exists(node->world, path)) {
		/* Erasing a subject removes it, and the pseudonym with it. */
		const struct rs_state state = rs_ledger_state(node->ledger);
		struct rs_subject_facts facts;
		if (rs_contract_subject(&state, subject, &facts, NULL) != RS_OK || !facts.erased)
			return rs_error_set(err, RS_NOT_FOUND, "%s is missing", path);
		rs_buffer_append_u8(out, 0);
		return rs_buffer_check(out, "a reason", err);
	}
	RS_TRY(rs_file_read_all(node->world, path, REASON_BOX_MAX, &content, err));
	if (content.size < PSEUDONYM_SIZE)
		return rs_error_set(err, RS_ALTERED, "%s: it is cut", path);
	enum rs_code code = node_subject_key(node, rs_bytes_of(content.data, PSEUDONYM_SIZE), false, &secret,
	                                     err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_OK)
		rs_subject_token(&secret, &token);
	rs_subject_index_key(&secret, &key);
	if (rs_digest_equal(&token, subject) &&
	    rs_box_open(&key, rs_bytes_of(id, RS_TRANSACTION_ID_SIZE),
	                rs_bytes_of(content.data + PSEUDONYM_SIZE, content.size - PSEUDONYM_SIZE), out,
	                err) != RS_OK)
		return rs_error_context(err, "%s", path);
	rs_buffer_append_u8(out, 0);
	return rs_buffer_check(out, "a reason", err);
}

/* Of a glass, and of its review if `what` says so: the text there is the one that the ledger has a commitment to. Who does
 * not know whether the subject's key is gone cannot tell a text that is missing from one that never was. */
static enum rs_code check_text(struct rs_node *node, const uint8_t *id, const struct rs_digest *subject,
                               const char *what, const struct rs_digest *expected, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_pseudonym pseudonym;
	struct rs_digest commitment;
	rs_buffer_init(&text, REASON_BOX_MAX);
	RS_TRY(reason_read(node, id, subject, what, &text, err));
	if (text.size == 1)
		return RS_OK;
	RS_TRY(reason_pseudonym(node, id, &pseudonym, err));
	RS_TRY(rs_subject_key_get(node->subjects, &pseudonym, false, &key, err));
	node_commitment(&key, RS_COMMITMENT_REASON, rs_str_from((const char *)text.data), &commitment);
	if (!rs_digest_equal(&commitment, expected))
		return rs_error_set(err, RS_ALTERED, "the text is not the one that the ledger commits to");
	return RS_OK;
}

enum rs_code node_check_reason(struct rs_node *node, const struct rs_act *act, struct rs_error *err)
{
	struct rs_subject_facts facts;
	struct rs_act broken = *act;
	struct rs_bytes entry;
	uint64_t index;
	bool is_review = act->type == RS_TRANSACTION_BREAK_GLASS_REVIEW;
	const struct rs_state state = rs_ledger_state(node->ledger);
	struct rs_digest reason = act->reason;
	if (is_review) {
		RS_TRY(rs_ledger_find(node->ledger, act->glass, &index, err));
		RS_TRY(rs_ledger_entry(node->ledger, index, &entry, err));
		RS_TRY(rs_transaction_parse(entry, &broken, err));
	}
	enum rs_code code = check_text(node, broken.id, &broken.subject, is_review ? "review" : "reason",
	                               &reason, err);
	/* A review of somebody who was erased before has none. */
	if (code == RS_NOT_FOUND && is_review &&
	    rs_contract_subject(&state, &broken.subject, &facts, NULL) == RS_OK && facts.erased)
		return RS_OK;
	return code;
}
