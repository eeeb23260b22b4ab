/* Sessions: rows that only the browser's token opens. */
#include "accounts.h"

#include <string.h>

#define TOKEN_SIZE 32
#define SESSION_FIELDS 5
#define SESSION_MAX 512
/* The time of the last request is written that often within the time of idleness: a request must not cost a write each. */
#define TOUCHES 16

void rs_session_finish(struct rs_session *session)
{
	if (session)
		rs_wipe(session, sizeof *session);
}

/* A token and what is made of it: its name in the database, the key of its row, and the browser's second word. */
struct token {
	uint8_t bytes[TOKEN_SIZE];
	struct rs_digest name;
	struct rs_secret key;
	uint8_t csrf[RS_KEY_SIZE];
};

static void token_finish(struct token *token) { rs_wipe(token, sizeof *token); }

static void token_derive(const struct rs_accounts *accounts, struct token *token)
{
	static const char key[] = "radseal session key v1", csrf[] = "radseal session csrf v1";
	const struct rs_bytes bytes = {token->bytes, TOKEN_SIZE},
			      salt = {accounts->sessions.bytes, RS_KEY_SIZE};
	rs_sha256(bytes, &token->name);
	rs_hkdf_sha256(bytes, salt, rs_bytes_of(key, sizeof key - 1), token->key.bytes, RS_KEY_SIZE);
	rs_hkdf_sha256(bytes, salt, rs_bytes_of(csrf, sizeof csrf - 1), token->csrf, RS_KEY_SIZE);
}

static void describe(const struct rs_accounts *accounts, const struct token *token,
                     const struct record *record, uint64_t end_ms, struct rs_session *out)
{
	memcpy(out->name, record->name, sizeof out->name);
	memcpy(out->member, record->member, RS_KEY_SIZE);
	rs_hex_encode(rs_bytes_of(token->csrf, sizeof token->csrf), out->csrf);
	out->must_change = record->must_change;
	out->end_ms = end_ms;
	out->idle_end_ms = rs_world_now_ms(accounts->world) + accounts->settings.idle_ms;
	if (out->idle_end_ms > end_ms)
		out->idle_end_ms = end_ms;
}

static enum rs_code write_session(struct rs_accounts *accounts, const struct token *token,
                                  const struct record *record, const struct rs_secret *seed, uint64_t end_ms,
                                  struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_statement *put = accounts->statements[PUT_SESSION];
	const struct rs_bytes name = {token->name.bytes, sizeof token->name.bytes};
	struct rs_digest account;
	rs_buffer_init(&plain, SESSION_MAX);
	rs_buffer_init(&box, SESSION_MAX + RS_BOX_OVERHEAD);
	rs_buffer_reserve(&plain, SESSION_MAX);
	rs_cbor_write_array(&plain, SESSION_FIELDS);
	rs_cbor_write_str(&plain, rs_str_from(record->name));
	rs_cbor_write_bytes(&plain, rs_bytes_of(record->member, RS_KEY_SIZE));
	rs_cbor_write_bytes(&plain, rs_bytes_of(seed->bytes, RS_KEY_SIZE));
	rs_cbor_write_u64(&plain, record->generation);
	rs_cbor_write_u64(&plain, end_ms);
	RS_TRY(rs_buffer_check(&plain, "a session", err));
	RS_TRY(rs_box_seal(accounts->world, &token->key, name, rs_buffer_bytes(&plain), &box, err));
	account_mac(accounts, record->name, &account);
	rs_statement_bind_bytes(put, 1, name);
	rs_statement_bind_bytes(put, 2, rs_bytes_of(account.bytes, sizeof account.bytes));
	rs_statement_bind_i64(put, 3, (int64_t)rs_world_now_ms(accounts->world));
	rs_statement_bind_i64(put, 4, (int64_t)end_ms);
	rs_statement_bind_bytes(put, 5, rs_buffer_bytes(&box));
	return rs_statement_run(put, err);
}

/* Those that nobody can use any more, and the account's that are too many. */
static enum rs_code end_old(struct rs_accounts *accounts, const struct record *record, struct rs_error *err)
{
	struct rs_statement *end = accounts->statements[END_OLD_SESSIONS];
	uint64_t now_ms = rs_world_now_ms(accounts->world), idle_ms = accounts->settings.idle_ms;
	struct rs_digest account;
	account_mac(accounts, record->name, &account);
	rs_statement_bind_bytes(end, 1, rs_bytes_of(account.bytes, sizeof account.bytes));
	rs_statement_bind_i64(end, 2, (int64_t)(now_ms > idle_ms ? now_ms - idle_ms : 0));
	rs_statement_bind_i64(end, 3, (int64_t)now_ms);
	return rs_statement_run(end, err);
}

static enum rs_code add(struct rs_accounts *accounts, const struct record *record,
                        const struct rs_secret *seed, uint64_t end_ms,
                        char out_token[static RS_SESSION_TOKEN_SIZE], struct rs_session *out,
                        struct rs_error *err)
{
	struct token token RS_CLEANUP(token_finish) = {.bytes = {0}};
	RS_TRY(rs_world_random(accounts->world, token.bytes, TOKEN_SIZE, err));
	token_derive(accounts, &token);
	RS_TRY(write_session(accounts, &token, record, seed, end_ms, err));
	RS_TRY(end_old(accounts, record, err));
	describe(accounts, &token, record, end_ms, out);
	out->seed = *seed;
	rs_hex_encode(rs_bytes_of(token.bytes, TOKEN_SIZE), out_token);
	return RS_OK;
}

enum rs_code begin_session(struct rs_accounts *accounts, const struct record *record,
                           const struct rs_secret *seed, char out_token[static RS_SESSION_TOKEN_SIZE],
                           struct rs_session *out, struct rs_error *err)
{
	return add(accounts, record, seed, rs_world_now_ms(accounts->world) + accounts->settings.lifetime_ms,
	           out_token, out, err);
}

enum rs_code end_sessions_of(struct rs_accounts *accounts, struct record *record, struct rs_error *err)
{
	struct rs_statement *end = accounts->statements[END_SESSIONS];
	struct rs_digest account;
	record->generation++;
	account_mac(accounts, record->name, &account);
	rs_statement_bind_bytes(end, 1, rs_bytes_of(account.bytes, sizeof account.bytes));
	return rs_statement_run(end, err);
}

static enum rs_code no_session(struct rs_error *err)
{
	return rs_error_set(err, RS_DENIED, "there is no such session, or it has ended: log in");
}

static enum rs_code read_session(struct rs_accounts *accounts, const struct token *token,
                                 struct rs_bytes plain, struct rs_session *out, struct rs_error *err)
{
	struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
	struct rs_cbor_reader reader;
	struct rs_str name;
	char folded[RS_ACCOUNT_NAME_MAX + 1];
	size_t fields;
	uint64_t generation, end_ms;
	uint8_t member[RS_KEY_SIZE];
	RS_TRY(rs_cbor_reader_init(&reader, plain, err));
	RS_TRY(rs_cbor_read_array(&reader, "session", &fields, err));
	RS_TRY(rs_cbor_read_str(&reader, "name", &name, err));
	RS_TRY(account_name(name, folded, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "member", member, RS_KEY_SIZE, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "seed", out->seed.bytes, RS_KEY_SIZE, err));
	RS_TRY(rs_cbor_read_u64(&reader, "generation", &generation, err));
	RS_TRY(rs_cbor_read_u64(&reader, "end", &end_ms, err));
	if (record_load(accounts, folded, &record, err) != RS_OK)
		return err && err->code != RS_NOT_FOUND ? err->code : no_session(err);
	if (record.disabled || record.generation != generation ||
	    end_ms <= rs_world_now_ms(accounts->world) ||
	    !rs_equal_constant_time(member, record.member, RS_KEY_SIZE))
		return no_session(err);
	describe(accounts, token, &record, end_ms, out);
	return RS_OK;
}

/* The row's own box says who, and until when at the latest; the row beside it, when it was used last. */
static enum rs_code find(struct rs_accounts *accounts, const struct token *token, struct rs_session *out,
                         uint64_t *out_used_ms, struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_statement *get = accounts->statements[GET_SESSION];
	const struct rs_bytes name = {token->name.bytes, sizeof token->name.bytes};
	uint64_t now_ms = rs_world_now_ms(accounts->world);
	enum rs_code code = RS_DENIED;
	bool row = false;
	rs_buffer_init(&plain, SESSION_MAX);
	rs_buffer_reserve(&plain, SESSION_MAX);
	rs_statement_bind_bytes(get, 1, name);
	RS_TRY(rs_statement_step(get, &row, err));
	if (!row)
		return no_session(err);
	*out_used_ms = (uint64_t)rs_statement_i64(get, 0);
	if (*out_used_ms + accounts->settings.idle_ms > now_ms)
		code = rs_box_open(&token->key, name, rs_statement_bytes(get, 2), &plain, err);
	rs_statement_reset(get);
	if (code == RS_DENIED || code == RS_ALTERED)
		return no_session(err);
	RS_TRY(code);
	return read_session(accounts, token, rs_buffer_bytes(&plain), out, err);
}

static enum rs_code token_parse(const struct rs_accounts *accounts, struct rs_str text, struct token *out,
                                struct rs_error *err)
{
	if (!rs_hex_decode(text, out->bytes, TOKEN_SIZE))
		return no_session(err);
	token_derive(accounts, out);
	return RS_OK;
}

enum rs_code rs_session_find(struct rs_accounts *accounts, struct rs_str text, struct rs_session *out,
                             struct rs_error *err)
{
	struct token token RS_CLEANUP(token_finish) = {.bytes = {0}};
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_statement *touch = accounts->statements[TOUCH_SESSION];
	uint64_t used_ms, now_ms = rs_world_now_ms(accounts->world);
	RS_TRY(token_parse(accounts, text, &token, err));
	RS_TRY(find(accounts, &token, &session, &used_ms, err));
	if (now_ms > used_ms + accounts->settings.idle_ms / TOUCHES) {
		rs_statement_bind_bytes(touch, 1, rs_bytes_of(token.name.bytes, sizeof token.name.bytes));
		rs_statement_bind_i64(touch, 2, (int64_t)now_ms);
		RS_TRY(rs_statement_run(touch, err));
	}
	*out = session;
	return RS_OK;
}

static enum rs_code end(struct rs_accounts *accounts, const struct token *token, struct rs_error *err)
{
	struct rs_statement *statement = accounts->statements[END_SESSION];
	rs_statement_bind_bytes(statement, 1, rs_bytes_of(token->name.bytes, sizeof token->name.bytes));
	return rs_statement_run(statement, err);
}

static enum rs_code replace(struct rs_accounts *accounts, const struct token *old, char *out_token,
                            struct rs_session *out, struct rs_error *err)
{
	struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	uint64_t used_ms;
	RS_TRY(find(accounts, old, &session, &used_ms, err));
	RS_TRY(record_load(accounts, session.name, &record, err));
	RS_TRY(end(accounts, old, err));
	RS_TRY(add(accounts, &record, &session.seed, session.end_ms, out_token, out, err));
	return rs_store_commit(accounts->store, err);
}

enum rs_code rs_session_refresh(struct rs_accounts *accounts, struct rs_str text,
                                char out_token[static RS_SESSION_TOKEN_SIZE], struct rs_session *out,
                                struct rs_error *err)
{
	struct token token RS_CLEANUP(token_finish) = {.bytes = {0}};
	RS_TRY(token_parse(accounts, text, &token, err));
	RS_TRY(rs_store_begin(accounts->store, err));
	enum rs_code code = replace(accounts, &token, out_token, out, err);
	rs_store_rollback(accounts->store);
	return code;
}

enum rs_code rs_session_end(struct rs_accounts *accounts, struct rs_str text, struct rs_error *err)
{
	struct token token RS_CLEANUP(token_finish) = {.bytes = {0}};
	if (token_parse(accounts, text, &token, NULL) != RS_OK)
		return RS_OK;
	return end(accounts, &token, err);
}
