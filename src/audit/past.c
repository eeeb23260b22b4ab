/* The contract's state as it was before any entry: rows with the entry that wrote them, never overwritten. */
#include "past.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct past_key past_key_of_two(char letter, const void *first, size_t first_size, const void *second,
                                size_t second_size)
{
	struct past_key key = {.bytes = {(uint8_t)letter}, .size = 1 + first_size + second_size};
	assert(key.size <= sizeof key.bytes);
	memcpy(key.bytes + 1, first, first_size);
	if (second_size)
		memcpy(key.bytes + 1 + first_size, second, second_size);
	return key;
}

struct past_key past_key_of(char letter, const void *about, size_t size)
{
	return past_key_of_two(letter, about, size, NULL, 0);
}

struct rs_bytes past_key_bytes(const struct past_key *key) { return rs_bytes_of(key->bytes, key->size); }

bool past_is_none(const struct rs_digest *digest)
{
	static const struct rs_digest none;
	return rs_digest_equal(digest, &none);
}

/* Of an answer only what is copied outlives the next question. */
static enum rs_code copy_value(struct rs_statement *statement, int column, uint8_t *value,
                               struct rs_bytes *out, struct rs_error *err)
{
	struct rs_bytes bytes = rs_statement_bytes(statement, column);
	if (bytes.size > RS_STATE_VALUE_MAX)
		return rs_error_set(err, RS_ALTERED, "audit: a row that was kept is too long");
	if (bytes.size)
		memcpy(value, bytes.data, bytes.size);
	*out = rs_bytes_of(value, bytes.size);
	return RS_OK;
}

/* Entry numbers are SQLite's integers: no log comes near 2^63. */
static void bind_row(struct rs_statement *statement, struct rs_bytes key, uint64_t entry)
{
	rs_statement_reset(statement);
	rs_statement_bind_bytes(statement, 1, key);
	rs_statement_bind_i64(statement, 2, entry > INT64_MAX ? INT64_MAX : (int64_t)entry);
}

static enum rs_code find_row(struct rs_audit *audit, enum past_statement which, struct rs_bytes key,
                             uint64_t entry, struct rs_bytes *out, struct rs_error *err)
{
	struct rs_statement *statement = audit->statements[which];
	bool found;
	bind_row(statement, key, entry);
	RS_TRY(rs_statement_step(statement, &found, err));
	if (!found)
		return RS_NOT_FOUND;
	enum rs_code code = copy_value(statement, 0, audit->value, out, err);
	rs_statement_reset(statement);
	return code;
}

static enum rs_code past_get(struct rs_audit *audit, struct rs_bytes key, uint64_t before,
                             struct rs_bytes *out, struct rs_error *err)
{
	return find_row(audit, GET_ROW, key, before, out, err);
}

/* What entry `entry` wrote under this key. RS_NOT_FOUND without a sentence. */
static enum rs_code past_row_at(struct rs_audit *audit, struct rs_bytes key, uint64_t entry,
                                struct rs_bytes *out, struct rs_error *err)
{
	return find_row(audit, ROW_AT, key, entry, out, err);
}

enum rs_code past_writer(struct rs_audit *audit, struct rs_bytes key, uint64_t before, uint64_t *out,
                         struct rs_error *err)
{
	struct rs_statement *statement = audit->statements[LAST_ROW];
	bool found;
	bind_row(statement, key, before);
	RS_TRY(rs_statement_step(statement, &found, err));
	if (!found)
		return RS_NOT_FOUND;
	*out = (uint64_t)rs_statement_i64(statement, 0);
	rs_statement_reset(statement);
	return RS_OK;
}

enum rs_code past_has_topic(struct rs_audit *audit, struct rs_bytes topic, uint64_t entry, bool *out,
                            struct rs_error *err)
{
	struct rs_statement *statement = audit->statements[HAS_TOPIC];
	bind_row(statement, topic, entry);
	RS_TRY(rs_statement_step(statement, out, err));
	rs_statement_reset(statement);
	return RS_OK;
}

static enum rs_code view_get(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err)
{
	const struct past_view *view = context;
	return past_get(view->audit, key, view->before, out, err);
}

static enum rs_code view_put(void *context, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	const struct past_view *view = context;
	struct rs_statement *statement = view->audit->statements[PUT_ROW];
	bind_row(statement, key, view->writes);
	rs_statement_bind_bytes(statement, 3, value);
	return rs_statement_run(statement, err);
}

/* The rows of one key follow each other by entry: the last one before the view's end is passed on when its successor
 * begins another key. */
struct walking {
	uint8_t key[RS_STATE_KEY_MAX], value[RS_STATE_VALUE_MAX];
	struct rs_bytes last_key, last_value;
	rs_state_visit *visit;
	void *visitor;
};

static enum rs_code pass_on(const struct walking *walking, struct rs_error *err)
{
	return walking->last_key.size
	               ? walking->visit(walking->visitor, walking->last_key, walking->last_value, err)
	               : RS_OK;
}

static enum rs_code walk_one(struct walking *walking, struct rs_statement *statement, struct rs_error *err)
{
	struct rs_bytes key = rs_statement_bytes(statement, 0);
	if (key.size > sizeof walking->key)
		return rs_error_set(err, RS_ALTERED, "audit: a key that was kept is too long");
	if (!rs_bytes_equal(key, walking->last_key)) {
		RS_TRY(pass_on(walking, err));
		memcpy(walking->key, key.data, key.size);
		walking->last_key = rs_bytes_of(walking->key, key.size);
	}
	return copy_value(statement, 1, walking->value, &walking->last_value, err);
}

static enum rs_code view_each(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
                              struct rs_error *err)
{
	const struct past_view *view = context;
	struct rs_statement *statement = view->audit->statements[EACH_ROW];
	struct walking walking = {.visit = visit, .visitor = visitor};
	enum rs_code code = RS_OK;
	bool more = true;
	bind_row(statement, prefix, view->before);
	while (code == RS_OK) {
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			break;
		struct rs_bytes key = rs_statement_bytes(statement, 0);
		if (key.size < prefix.size || !rs_bytes_equal(rs_bytes_of(key.data, prefix.size), prefix))
			break;
		code = walk_one(&walking, statement, err);
	}
	rs_statement_reset(statement);
	return code == RS_OK ? pass_on(&walking, err) : code;
}

struct rs_state past_state(struct past_view *view)
{
	return (struct rs_state){view_get, view_put, view_each, view};
}

enum rs_code past_load(struct rs_audit *audit, uint64_t index, bool verify, struct past_entry *out,
                       struct rs_error *err)
{
	struct rs_bytes entry;
	RS_TRY(audit->engine.entry(audit->engine.context, index, &entry, err));
	if (entry.size > sizeof out->bytes)
		return rs_error_set(err, RS_ALTERED, "entry %" PRIu64 " is too long", index);
	memcpy(out->bytes, entry.data, entry.size);
	out->size = entry.size;
	struct rs_bytes own = rs_bytes_of(out->bytes, out->size);
	if ((verify ? rs_transaction_verify : rs_transaction_parse)(own, &out->act, err) != RS_OK)
		return rs_error_context(err, "entry %" PRIu64, index);
	return RS_OK;
}

/* --- The contract again --- */

struct repeating {
	struct past_view view;
	uint64_t index, rows;
	bool compares; /* with the engine's state */
	rs_state_visit *visit;
	void *visitor;
};

static enum rs_code differs(const char *what, struct rs_bytes key, struct rs_error *err)
{
	char text[2 * 12 + 1];
	rs_hex_encode(rs_bytes_of(key.data, key.size < 12 ? key.size : 12), text);
	return rs_error_set(err, RS_ALTERED, "the row %s… of the state is not %s", text, what);
}

/* The row as the whole log leaves it, against the engine's. */
static enum rs_code compare_stored(const struct repeating *repeating, struct rs_bytes key,
                                   struct rs_error *err)
{
	struct rs_audit *audit = repeating->view.audit;
	const struct rs_state state = audit->engine.state(audit->engine.context);
	struct rs_bytes kept = {.size = 0}, stored = {.size = 0};
	if (!repeating->compares)
		return RS_OK;
	enum rs_code is_stored = state.get(state.context, key, &stored, err);
	if (is_stored != RS_OK && is_stored != RS_NOT_FOUND)
		return is_stored;
	if (stored.size)
		memcpy(audit->stored, stored.data, stored.size);
	enum rs_code is_kept = past_get(audit, key, UINT64_MAX, &kept, err);
	if (is_kept != RS_OK && is_kept != RS_NOT_FOUND)
		return is_kept;
	if (is_stored != is_kept || !rs_bytes_equal(kept, rs_bytes_of(audit->stored, stored.size)))
		return differs("what the log leads to", key, err);
	return RS_OK;
}

static enum rs_code repeat_get(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err)
{
	const struct repeating *repeating = context;
	RS_TRY(compare_stored(repeating, key, err));
	return past_get(repeating->view.audit, key, repeating->view.before, out, err);
}

static enum rs_code repeat_put(void *context, struct rs_bytes key, struct rs_bytes value,
                               struct rs_error *err)
{
	struct repeating *repeating = context;
	struct rs_bytes kept;
	enum rs_code code = past_row_at(repeating->view.audit, key, repeating->index, &kept, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_NOT_FOUND || !rs_bytes_equal(kept, value))
		return differs("the one that was kept when the entry was replayed", key, err);
	repeating->rows++;
	return compare_stored(repeating, key, err);
}

static enum rs_code repeat_visit(void *visitor, struct rs_bytes key, struct rs_bytes value,
                                 struct rs_error *err)
{
	struct repeating *repeating = visitor;
	RS_TRY(compare_stored(repeating, key, err));
	return repeating->visit(repeating->visitor, key, value, err);
}

static enum rs_code repeat_each(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
                                struct rs_error *err)
{
	struct repeating *repeating = context;
	repeating->visit = visit;
	repeating->visitor = visitor;
	return view_each(&repeating->view, prefix, repeat_visit, repeating, err);
}

enum rs_code past_repeat(struct rs_audit *audit, uint64_t index, const struct rs_act *act, uint64_t *rows,
                         struct rs_error *err)
{
	struct repeating repeating = {.view = {.audit = audit, .before = index},
	                              .index = index,
	                              .compares = audit->size == audit->engine.size(audit->engine.context)};
	const struct rs_state state = {repeat_get, repeat_put, repeat_each, &repeating};
	enum rs_refusal refusal;
	enum rs_code code = rs_contract_apply(&state, act, &refusal, err);
	if (code == RS_OK && refusal != RS_REFUSAL_NONE)
		code = rs_error_set(err, RS_ALTERED, "the contract refuses it (%s): %s",
		                    rs_refusal_name(refusal), rs_refusal_text(refusal));
	if (code != RS_OK)
		return rs_error_context(err, "entry %" PRIu64, index);
	*rows += repeating.rows;
	return RS_OK;
}
