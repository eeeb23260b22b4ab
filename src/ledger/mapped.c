/* What of a state is in the map, and how the map follows the state. */
#include "mapped.h"

#include <string.h>

#define CHANGED_MAX ((size_t)1 << 32) /* bytes of keys that changed between two heads */

enum rs_code rs_map_head_act(const struct rs_map_head *head, struct rs_buffer *origin, struct rs_act *act,
                             struct rs_error *err)
{
	rs_buffer_append_text(origin, RS_MAP_ORIGIN);
	rs_buffer_append_str(origin, act->organisation);
	RS_TRY(rs_buffer_check(origin, "the origin of a head", err));
	act->type = RS_TRANSACTION_CHECKPOINT_ANCHOR;
	act->origin = rs_buffer_str(origin);
	act->size = head->entries;
	act->root = head->root;
	return RS_OK;
}

bool rs_map_head_of(const struct rs_act *act, struct rs_map_head *out)
{
	if (act->type != RS_TRANSACTION_CHECKPOINT_ANCHOR || !rs_str_starts_with(act->origin, RS_MAP_ORIGIN))
		return false;
	*out = (struct rs_map_head){act->size, act->root};
	return true;
}

bool rs_map_next_consent(struct rs_bytes *rest, struct rs_bytes *out_name, struct rs_bytes *out_row)
{
	if (rest->size < RS_MAP_CONSENT_OVERHEAD)
		return false;
	size_t size = rs_read_be32(rest->data + RS_SHA256_SIZE);
	if (size > rest->size - RS_MAP_CONSENT_OVERHEAD)
		return false;
	*out_name = rs_bytes_of(rest->data, RS_SHA256_SIZE);
	*out_row = rs_bytes_of(rest->data + RS_MAP_CONSENT_OVERHEAD, size);
	*rest = rs_bytes_of(out_row->data + size, rest->size - RS_MAP_CONSENT_OVERHEAD - size);
	return true;
}

static bool is_consent(struct rs_bytes key)
{
	return key.size == 1 + 2 * RS_SHA256_SIZE && key.data[0] == RS_MAP_CONSENTS_LETTER;
}

static enum rs_code mapped_get(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err)
{
	const struct mapped *mapped = context;
	return mapped->state.get(mapped->state.context, key, out, err);
}

static enum rs_code mapped_put(void *context, struct rs_bytes key, struct rs_bytes value,
                               struct rs_error *err)
{
	const struct mapped *mapped = context;
	const struct rs_state *changed = &mapped->changed;
	if (key.size && strchr(RS_MAP_ROW_LETTERS, key.data[0]))
		RS_TRY(changed->put(changed->context, key, rs_bytes_of("\1", 1), err));
	if (is_consent(key)) /* all of the subject's, too */
		RS_TRY(changed->put(changed->context, rs_bytes_of(key.data, 1 + RS_SHA256_SIZE),
		                    rs_bytes_of("\1", 1), err));
	return mapped->state.put(mapped->state.context, key, value, err);
}

static enum rs_code mapped_each(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
                                struct rs_error *err)
{
	const struct mapped *mapped = context;
	return mapped->state.each(mapped->state.context, prefix, visit, visitor, err);
}

static enum rs_code add_consent(void *visitor, struct rs_bytes key, struct rs_bytes value,
                                struct rs_error *err)
{
	struct rs_buffer *out = visitor;
	uint8_t size[4];
	rs_write_be32(size, (uint32_t)value.size);
	rs_buffer_append(out, key.data + key.size - RS_SHA256_SIZE, RS_SHA256_SIZE);
	rs_buffer_append(out, size, sizeof size);
	rs_buffer_append_bytes(out, value);
	return rs_buffer_check(out, "a subject's consents", err);
}

/* Appends the value of a key of the map; nothing when it has none: no value is empty. */
static enum rs_code append_value(const struct rs_state *state, struct rs_bytes key, struct rs_buffer *out,
                                 struct rs_error *err)
{
	struct rs_bytes value;
	if (key.size == 1 + RS_SHA256_SIZE && key.data[0] == RS_MAP_CONSENTS_LETTER)
		return state->each(state->context, key, add_consent, out, err);
	enum rs_code code = state->get(state->context, key, &value, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	rs_buffer_append_bytes(out, value);
	return rs_buffer_check(out, "a value of the map", err);
}

/* The keys that changed: be16(size) ‖ key, and how many. */
struct changes {
	struct rs_buffer keys;
	size_t count;
};

static void changes_finish(struct changes *changes) { rs_buffer_finish(&changes->keys); }

static enum rs_code note_change(void *visitor, struct rs_bytes key, struct rs_bytes value,
                                struct rs_error *err)
{
	struct changes *changes = visitor;
	uint8_t size[2];
	if (value.size == 0)
		return RS_OK;
	rs_write_be16(size, (uint16_t)key.size);
	rs_buffer_append(&changes->keys, size, sizeof size);
	rs_buffer_append_bytes(&changes->keys, key);
	changes->count++;
	return rs_buffer_check(&changes->keys, "what changed since the last head", err);
}

static struct rs_bytes next_change(const struct changes *changes, size_t *at)
{
	const uint8_t *place = changes->keys.data + *at;
	struct rs_bytes key = rs_bytes_of(place + 2, rs_read_be16(place));
	*at += 2 + key.size;
	return key;
}

static enum rs_code make_leaves(const struct mapped *mapped, const struct changes *changes,
                                struct rs_map_leaf *leaves, struct rs_error *err)
{
	struct rs_buffer value RS_CLEANUP(rs_buffer_finish) = {0};
	size_t at = 0;
	rs_buffer_init(&value, CHANGED_MAX);
	for (size_t i = 0; i < changes->count; i++) {
		struct rs_bytes key = next_change(changes, &at);
		rs_buffer_clear(&value);
		RS_TRY(append_value(&mapped->state, key, &value, err));
		rs_sha256(key, &leaves[i].path);
		rs_sha256(rs_buffer_bytes(&value), &leaves[i].value);
	}
	return RS_OK;
}

/* The map over the state as it is; with `keep` it is that afterwards, and nothing is changed against it. */
static enum rs_code bring_up(const struct mapped *mapped, bool keep, struct rs_digest *out,
                             struct rs_error *err)
{
	const struct rs_state *changed = &mapped->changed;
	struct changes changes RS_CLEANUP(changes_finish) = {.count = 0};
	rs_buffer_init(&changes.keys, CHANGED_MAX);
	RS_TRY(changed->each(changed->context, rs_bytes_of("", 0), note_change, &changes, err));
	struct rs_map_leaf *leaves RS_CLEANUP(rs_free_pointer) = rs_allocate_array(changes.count,
	                                                                           sizeof *leaves);
	if (!leaves)
		return rs_error_memory(err, changes.count, "the map");
	RS_TRY(make_leaves(mapped, &changes, leaves, err));
	RS_TRY(rs_map_update(&mapped->nodes, leaves, changes.count, keep, out, err));
	for (size_t i = 0, at = 0; keep && i < changes.count; i++)
		RS_TRY(changed->put(changed->context, next_change(&changes, &at), rs_bytes_of("", 0), err));
	return RS_OK;
}

enum rs_code mapped_root(const struct mapped *mapped, struct rs_digest *out, struct rs_error *err)
{
	return bring_up(mapped, false, out, err);
}

/* Only the one right head is admitted: of this place, with this root, under the name of who signs it. */
static enum rs_code judge_head(const struct mapped *mapped, const struct rs_act *act,
                               const struct rs_map_head *head, uint64_t size, enum rs_refusal *out,
                               struct rs_error *err)
{
	const size_t prefix = sizeof RS_MAP_ORIGIN - 1;
	struct rs_str name = {act->origin.data + prefix, act->origin.size - prefix};
	struct rs_digest root;
	*out = RS_REFUSAL_MAP_HEAD;
	if (head->entries != size || !rs_str_equal(name, act->organisation))
		return RS_OK;
	RS_TRY(mapped_root(mapped, &root, err));
	if (rs_digest_equal(&root, &head->root))
		*out = RS_REFUSAL_NONE;
	return RS_OK;
}

enum rs_code mapped_apply(const struct mapped *mapped, const struct rs_act *act, uint64_t size,
                          enum rs_refusal *out, struct rs_error *err)
{
	struct mapped copy = *mapped;
	const struct rs_state state = {mapped_get, mapped_put, mapped_each, &copy};
	struct rs_map_head head;
	struct rs_digest root;
	uint8_t place[8];
	bool is_head = rs_map_head_of(act, &head);
	*out = RS_REFUSAL_NONE;
	if (is_head)
		RS_TRY(judge_head(mapped, act, &head, size, out, err));
	if (*out == RS_REFUSAL_NONE)
		RS_TRY(rs_contract_apply(&state, act, out, err));
	if (*out != RS_REFUSAL_NONE || !is_head)
		return RS_OK;
	rs_write_be64(place, size);
	RS_TRY(bring_up(mapped, true, &root, err));
	return mapped->state.put(mapped->state.context, rs_bytes_of_str(RS_STR(MAPPED_HEAD_KEY)),
	                         rs_bytes_of(place, sizeof place), err);
}

enum rs_code mapped_last_head(const struct mapped *mapped, uint64_t *out_index, struct rs_error *err)
{
	struct rs_bytes place;
	RS_TRY(mapped->state.get(mapped->state.context, rs_bytes_of_str(RS_STR(MAPPED_HEAD_KEY)), &place,
	                         err));
	if (place.size != 8)
		return rs_error_set(err, RS_ALTERED, "ledger: the place of the last head is not one");
	*out_index = rs_read_be64(place.data);
	return RS_OK;
}

enum rs_code mapped_prove(const struct mapped *mapped, struct rs_bytes key, struct rs_map_proof *out,
                          bool *out_present, struct rs_buffer *value, struct rs_error *err)
{
	struct rs_bytes mark;
	enum rs_code code = mapped->changed.get(mapped->changed.context, key, &mark, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_OK && mark.size)
		return rs_error_set(
			err, RS_NOT_FOUND,
			"it changed since the last head of the map, and what it was then is gone; "
			"write a new head");
	RS_TRY(rs_map_prove(&mapped->nodes, key, out, out_present, err));
	return append_value(&mapped->state, key, value, err);
}
