/* Values of profiles: objects in the vault that an entry of their own names. In the index they are rows without instances, so
 * that backup, erasure and the search for what nobody knows find them like all objects; crash recovery, too:
 * stage → intent → publish → entry → complete → the value before it goes. */
#include "access/access_profile.h"

#include <string.h>

#include "contract/contract_xray.h"
#include "node/node_parts.h"

#define PADDING ((size_t)256) /* sizes tell less */
#define CONTENT_MAX (RS_PROFILE_VALUE_MAX + PADDING)
#define OLD_MAX ((size_t)1 << 20)

struct value {
	struct rs_act act;
	struct rs_secret subject_key, object_key;
	uint8_t object_nonce[NONCE_SIZE], record_nonce[NONCE_SIZE];
	struct rs_buffer content, box;
	struct rs_cid cid;
	struct rs_digest locator;
	struct rs_vault_staged *staged;
};

static void value_finish(struct value *value)
{
	rs_secret_finish(&value->subject_key);
	rs_secret_finish(&value->object_key);
	rs_secret_buffer_finish(&value->content);
	rs_buffer_finish(&value->box);
}

static enum rs_code pass_over(void *context, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	(void)context, (void)key, (void)value, (void)err;
	return RS_OK;
}

/* Whether the contract would take it, before anything is kept: its refusals come before its writes, which go nowhere. */
static enum rs_code ask(struct rs_node *node, const struct rs_actor *actor, const struct rs_act *act,
                        struct rs_error *err)
{
	struct rs_state state = rs_node_state(node);
	struct rs_act whole = *act;
	enum rs_refusal refusal = RS_REFUSAL_NONE;
	state.put = pass_over;
	whole.signer = rs_actor_id(actor);
	whole.organisation = rs_actor_organisation(actor);
	whole.time_ms = rs_world_now_ms(node->world);
	RS_TRY(rs_contract_apply(&state, &whole, &refusal, err));
	return refusal == RS_REFUSAL_NONE ? RS_OK
	                                  : rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(refusal),
	                                                 rs_refusal_text(refusal));
}

static enum rs_commitment_kind kind_of(enum rs_profile_attribute attribute)
{
	return attribute == RS_PROFILE_BIRTHDAY ? RS_COMMITMENT_BIRTHDAY : RS_COMMITMENT_CONTACT;
}

/* Size and bytes of the value, then zeros. */
static enum rs_code pad(struct rs_str text, struct rs_buffer *out, struct rs_error *err)
{
	static const uint8_t zeros[PADDING];
	uint8_t size[4];
	rs_write_be32(size, (uint32_t)text.size);
	rs_buffer_init(out, CONTENT_MAX);
	rs_buffer_reserve(out, CONTENT_MAX);
	rs_buffer_append(out, size, sizeof size);
	rs_buffer_append_str(out, text);
	rs_buffer_append(out, zeros, (PADDING - out->size % PADDING) % PADDING);
	return rs_buffer_check(out, "a profile's value", err);
}

static enum rs_code seal_record(struct rs_node *node, struct value *value, struct rs_error *err)
{
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_secret index_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_record record = {.kind = RS_OBJECT_REPORT,
	                           .size = value->content.size,
	                           .media = RS_STR("text/vnd.radseal.profile"),
	                           .cid = rs_bytes_of(value->cid.bytes, sizeof value->cid.bytes)};
	rs_sha256(rs_buffer_bytes(&value->content), &record.sha256);
	rs_buffer_init(&encoded, 8192);
	rs_buffer_init(&value->box, 16384);
	RS_TRY(rs_record_encode(&record, &encoded, err));
	rs_subject_index_key(&value->subject_key, &index_key);
	return rs_box_seal(node->world, &index_key, rs_bytes_of(value->locator.bytes, LOCATOR_SIZE),
	                   rs_buffer_bytes(&encoded), &value->box, err);
}

/* Last comes what has to be taken back. */
static enum rs_code stage(struct rs_node *node, const struct rs_node_subject *subject, struct rs_str text,
                          struct value *value, struct rs_error *err)
{
	RS_TRY(pad(text, &value->content, err));
	RS_TRY(rs_world_random(node->world, value->act.id, sizeof value->act.id, err));
	RS_TRY(rs_world_random(node->world, value->object_nonce, NONCE_SIZE, err));
	RS_TRY(rs_world_random(node->world, value->record_nonce, NONCE_SIZE, err));
	RS_TRY(rs_subject_key_get(node->subjects, &subject->pseudonym, false, &value->subject_key, err));
	rs_subject_object_key(&value->subject_key, value->object_nonce, &value->object_key);
	node_locator(node, LOCATOR_PROFILE, rs_bytes_of(value->act.id, sizeof value->act.id),
	             &value->locator);
	RS_TRY(rs_vault_stage(node->vault, &value->object_key, value->object_nonce,
	                      rs_buffer_bytes(&value->content), &value->staged, &value->cid, err));
	memcpy(value->act.locator, value->cid.bytes, sizeof value->act.locator);
	enum rs_code code = seal_record(node, value, err);
	if (code != RS_OK)
		rs_vault_abort(node->vault, value->staged);
	return code;
}

static enum rs_code intend(struct rs_node *node, const struct rs_node_subject *subject,
                           const struct value *value, struct rs_error *err)
{
	const struct rs_bytes id = {value->act.id, sizeof value->act.id};
	const struct index_row row = {
		.transaction_id = id,
		.subject = rs_bytes_of(subject->pseudonym.bytes, sizeof subject->pseudonym.bytes),
		.path = rs_bytes_of("", 0),
		.record_nonce = rs_bytes_of(value->record_nonce, NONCE_SIZE),
		.object_nonce = rs_bytes_of(value->object_nonce, NONCE_SIZE),
		.content_locator = rs_bytes_of(value->locator.bytes, LOCATOR_SIZE),
		.size = value->content.size,
		.cid = rs_bytes_of(value->cid.bytes, sizeof value->cid.bytes),
		.box = rs_buffer_bytes(&value->box),
	};
	RS_TRY(index_begin(node->index, err));
	enum rs_code code = index_add_intent(node->index, id, rs_bytes_of("", 0), err);
	if (code == RS_OK)
		code = index_add_row(node->index, &row, NULL, err);
	if (code == RS_OK)
		code = index_commit(node->index, err);
	if (code != RS_OK)
		index_rollback(node->index);
	return code;
}

/* The values of the same attribute before `entry`. */
struct older {
	struct rs_node *node;
	enum rs_profile_attribute attribute;
	uint64_t entry;
	struct rs_buffer cids;
};

static enum rs_code attribute_of(struct rs_node *node, const struct index_row *row,
                                 enum rs_profile_attribute *out, struct rs_error *err)
{
	struct rs_bytes entry;
	struct rs_act act;
	RS_TRY(rs_ledger_entry(node->ledger, (uint64_t)row->entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	*out = act.attribute;
	return RS_OK;
}

static enum rs_code collect_older(void *context, const struct index_row *row, struct rs_error *err)
{
	struct older *older = context;
	enum rs_profile_attribute attribute;
	if (row->instances != 0 || row->entry < 0 || (uint64_t)row->entry >= older->entry)
		return RS_OK;
	RS_TRY(attribute_of(older->node, row, &attribute, err));
	if (attribute != older->attribute || row->cid.size != sizeof(struct rs_cid))
		return RS_OK;
	rs_buffer_append_bytes(&older->cids, row->cid);
	return rs_buffer_check(&older->cids, "older values", err);
}

/* A value that is replaced becomes one on its way to an entry that there will never be: recovery takes it back, now or after
 * a crash. */
static enum rs_code unplace(struct rs_node *node, const struct rs_cid *cid, struct rs_error *err)
{
	uint8_t id[RS_TRANSACTION_ID_SIZE], old_id[TRANSACTION_ID_SIZE];
	struct rs_buffer columns RS_CLEANUP(rs_buffer_finish) = {0};
	struct index_row row;
	RS_TRY(rs_world_random(node->world, id, sizeof id, err));
	RS_TRY(index_find_object(node->index, rs_bytes_of(cid->bytes, sizeof cid->bytes), &row, err));
	struct rs_bytes *const kept[] = {&row.path,         &row.subject, &row.record_nonce,
	                                 &row.object_nonce, &row.box,     &row.content_locator};
	memcpy(old_id, row.transaction_id.data, sizeof old_id);
	/* The row's values are the index's until its next call. */
	rs_buffer_init(&columns, 65536);
	rs_buffer_reserve(&columns, 65536);
	for (size_t i = 0; i < RS_COUNT(kept); i++) {
		const uint8_t *at = columns.data + columns.size;
		rs_buffer_append_bytes(&columns, *kept[i]);
		kept[i]->data = at;
	}
	RS_TRY(rs_buffer_check(&columns, "a row of the index", err));
	row.cid = rs_bytes_of(cid->bytes, sizeof cid->bytes);
	row.identity_locator = rs_bytes_of("", 0);
	row.transaction_id = rs_bytes_of(id, sizeof id);
	RS_TRY(index_take_back(node->index, rs_bytes_of(old_id, sizeof old_id), err));
	RS_TRY(index_add_intent(node->index, row.transaction_id, rs_bytes_of("", 0), err));
	return index_add_row(node->index, &row, NULL, err);
}

static enum rs_code drop_older(struct rs_node *node, const struct rs_node_subject *subject,
                               enum rs_profile_attribute attribute, uint64_t entry, struct rs_error *err)
{
	struct older older = {.node = node, .attribute = attribute, .entry = entry};
	struct rs_cid cid;
	rs_buffer_init(&older.cids, OLD_MAX);
	enum rs_code code = index_each_row_of_subject(
		node->index, rs_bytes_of(subject->pseudonym.bytes, sizeof subject->pseudonym.bytes),
		collect_older, &older, err);
	if (code == RS_OK)
		code = index_begin(node->index, err);
	for (size_t at = 0; code == RS_OK && at < older.cids.size; at += sizeof cid.bytes) {
		memcpy(cid.bytes, older.cids.data + at, sizeof cid.bytes);
		code = unplace(node, &cid, err);
	}
	rs_buffer_finish(&older.cids);
	if (code == RS_OK)
		code = index_commit(node->index, err);
	if (code != RS_OK) {
		index_rollback(node->index);
		return code;
	}
	return node_recover(node, err);
}

static enum rs_code commit(struct rs_node *node, const struct rs_actor *actor, struct value *value,
                           uint64_t *out_entry, struct rs_error *err)
{
	const struct rs_bytes id = {value->act.id, sizeof value->act.id};
	RS_TRY(rs_vault_publish(node->vault, node->pool, &value->staged, 1, err));
	RS_TRY(rs_node_transact(node, actor, &value->act, out_entry, err));
	return index_complete(node->index, id, *out_entry, err);
}

static enum rs_code check_value(struct rs_str value, struct rs_error *err)
{
	if (value.size == 0 || value.size > RS_PROFILE_VALUE_MAX || !rs_utf8_valid(value))
		return rs_error_set(err, RS_USAGE, "a profile's value has 1 to %zu bytes of UTF-8",
		                    RS_PROFILE_VALUE_MAX);
	return RS_OK;
}

enum rs_code rs_node_profile_set(struct rs_node *node, const struct rs_actor *actor,
                                 const struct rs_node_subject *subject, enum rs_profile_attribute attribute,
                                 struct rs_str value, uint64_t *out_entry, struct rs_error *err)
{
	struct value kept RS_CLEANUP(value_finish) = {.act = {.type = RS_TRANSACTION_PROFILE_SET,
	                                                      .subject = subject->token,
	                                                      .attribute = attribute}};
	RS_TRY(check_value(value, err));
	if (node->access != RS_NODE_WRITE)
		return rs_error_set(err, RS_USAGE, "the node is open for reading only: nobody can act");
	RS_TRY(node_hold(node, err));
	RS_TRY(rs_node_commitment(node, subject, kind_of(attribute), value, &kept.act.commitment, err));
	RS_TRY(ask(node, actor, &kept.act, err));
	RS_TRY(stage(node, subject, value, &kept, err));
	enum rs_code code = intend(node, subject, &kept, err);
	if (code != RS_OK)
		rs_vault_abort(node->vault, kept.staged);
	else
		code = commit(node, actor, &kept, out_entry, err);
	if (code == RS_OK)
		return drop_older(node, subject, attribute, *out_entry, err);
	node->unfinished = true;
	(void)node_recover(node, NULL);
	return code;
}

/* Asks, as for any data of the subject; the answer is on the ledger before anything opens. */
static enum rs_code request(struct rs_node *node, const struct rs_actor *actor,
                            const struct rs_node_subject *subject, enum rs_purpose purpose,
                            struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	struct rs_act act = {
		.type = RS_TRANSACTION_ACCESS_REQUEST, .purpose = purpose, .operation = RS_OPERATION_READ};
	struct rs_xray_hash first;
	struct rs_decision decision;
	uint64_t index;
	RS_TRY(rs_xray_get(&state, &subject->token, 0, &first, err));
	act.commitment = first.commitment;
	RS_TRY(rs_node_transact(node, actor, &act, &index, err));
	RS_TRY(rs_contract_decision(&state, act.id, &decision, err));
	if (decision.refusal != RS_REFUSAL_NONE)
		return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(decision.refusal),
		                    rs_refusal_text(decision.refusal));
	return RS_OK;
}

static enum rs_code open_value(struct rs_node *node, const struct rs_node_subject *subject,
                               const struct rs_xray_value *known, struct rs_buffer *content,
                               struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret object_key RS_CLEANUP(rs_secret_finish) = {0};
	struct index_row row;
	struct rs_cid cid;
	enum rs_code code = index_find_object(node->index, rs_bytes_of(known->locator, sizeof known->locator),
	                                      &row, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code, "the value is not in this node's vault");
	RS_TRY(code);
	if (row.object_nonce.size != NONCE_SIZE || !rs_cid_from_bytes(row.cid, &cid))
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	RS_TRY(rs_subject_key_get(node->subjects, &subject->pseudonym, false, &subject_key, err));
	rs_subject_object_key(&subject_key, row.object_nonce.data, &object_key);
	rs_buffer_init(content, CONTENT_MAX);
	rs_buffer_reserve(content, CONTENT_MAX);
	return rs_vault_read(node->vault, &cid, &object_key, content, err);
}

enum rs_code rs_node_profile_read(struct rs_node *node, const struct rs_actor *actor,
                                  const struct rs_node_subject *subject, enum rs_profile_attribute attribute,
                                  enum rs_purpose purpose, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	const struct rs_state state = rs_node_state(node);
	struct rs_xray_profile profile;
	struct rs_digest commitment;
	RS_TRY(rs_xray_profile(&state, &subject->token, &profile, err));
	const struct rs_xray_value *known = attribute == RS_PROFILE_BIRTHDAY ? &profile.birthday
	                                                                     : &profile.contact;
	if (!known->set || !known->has_locator)
		return rs_error_set(err, RS_NOT_FOUND, "the profile has no such value");
	RS_TRY(request(node, actor, subject, purpose, err));
	RS_TRY(open_value(node, subject, known, &content, err));
	uint64_t size = content.size < 4 ? UINT64_MAX : rs_read_be32(content.data);
	if (size > content.size - 4)
		return rs_error_set(err, RS_ALTERED, "the value's size is not its own");
	const struct rs_str text = {(const char *)content.data + 4, (size_t)size};
	RS_TRY(rs_node_commitment(node, subject, kind_of(attribute), text, &commitment, err));
	if (!rs_digest_equal(&commitment, &known->commitment))
		return rs_error_set(err, RS_ALTERED, "the value is not the one that the ledger commits to");
	rs_buffer_append_str(out, text);
	return rs_buffer_check(out, "a profile's value", err);
}
