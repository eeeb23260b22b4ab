/* Passwords: what they unwrap, and how often they may be guessed. */
#include "accounts.h"

#include <string.h>

enum rs_code password_check(struct rs_bytes password, struct rs_error *err)
{
	if (password.size < RS_PASSWORD_MIN || password.size > RS_PASSWORD_MAX)
		return rs_error_set(err, RS_USAGE,
		                    "a password has %d to %d bytes, not %zu: a sentence is a good one",
		                    RS_PASSWORD_MIN, RS_PASSWORD_MAX, password.size);
	if (!rs_utf8_valid(rs_str_of_bytes(password)))
		return rs_error_set(err, RS_USAGE, "the password is not valid UTF-8");
	return RS_OK;
}

/* What the seed is wrapped under: of the password and of the node, so that neither alone opens it. */
static enum rs_code wrapping_key(const struct rs_accounts *accounts, const struct record *record,
                                 struct rs_bytes password, struct rs_secret *out, struct rs_error *err)
{
	static const char info[] = "radseal account wrap v1";
	struct rs_secret stretched RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(rs_password_key(&record->cost, record->salt, password, &stretched, err));
	rs_hkdf_sha256(rs_bytes_of(stretched.bytes, RS_KEY_SIZE),
	               rs_bytes_of(accounts->passwords.bytes, RS_KEY_SIZE),
	               rs_bytes_of(info, sizeof info - 1), out->bytes, RS_KEY_SIZE);
	return RS_OK;
}

enum rs_code password_wrap(struct rs_accounts *accounts, struct record *record, struct rs_bytes password,
                           const struct rs_secret *seed, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&box, sizeof record->wrapped);
	record->cost = accounts->settings.cost;
	record->changed_ms = rs_world_now_ms(accounts->world);
	RS_TRY(rs_world_random(accounts->world, record->salt, sizeof record->salt, err));
	RS_TRY(wrapping_key(accounts, record, password, &key, err));
	RS_TRY(rs_box_seal(accounts->world, &key, rs_bytes_of(record->member, RS_KEY_SIZE),
	                   rs_bytes_of(seed->bytes, RS_KEY_SIZE), &box, err));
	memcpy(record->wrapped, box.data, sizeof record->wrapped);
	return RS_OK;
}

/* RS_DENIED: not this password. */
static enum rs_code password_open(const struct rs_accounts *accounts, const struct record *record,
                                  struct rs_bytes password, struct rs_secret *out_seed, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer seed RS_CLEANUP(rs_secret_buffer_finish) = {0};
	rs_buffer_init(&seed, RS_KEY_SIZE);
	RS_TRY(wrapping_key(accounts, record, password, &key, err));
	enum rs_code code = rs_box_open(&key, rs_bytes_of(record->member, RS_KEY_SIZE),
	                                rs_bytes_of(record->wrapped, sizeof record->wrapped), &seed, err);
	if (code == RS_ALTERED)
		return rs_error_set(err, RS_DENIED, "the password is wrong");
	RS_TRY(code);
	memcpy(out_seed->bytes, seed.data, RS_KEY_SIZE);
	return RS_OK;
}

/* A login on its way. */
struct login {
	struct rs_accounts *accounts;
	struct rs_bytes password;
	const struct rs_str *code; /* NULL: the session that asks has given one */
	char name[RS_ACCOUNT_NAME_MAX + 1];
	struct rs_digest mac;
	struct record record; /* of the account; without one, of nobody */
	bool known, opened;
	struct rs_secret seed;
};

static void login_finish(struct login *login) { rs_wipe(login, sizeof *login); }

/* Names that are nobody's are locked, too, and cost as much time: otherwise guessing names would tell which are accounts. */
static enum rs_code load(struct login *login, struct rs_error *err)
{
	struct rs_statement *get = login->accounts->statements[GET_ATTEMPT];
	bool row = false;
	enum rs_code code = record_load(login->accounts, login->name, &login->record, err);
	login->known = code == RS_OK;
	if (code != RS_NOT_FOUND)
		return code;
	login->record = (struct record){.cost = login->accounts->settings.cost};
	rs_statement_bind_bytes(get, 1, rs_bytes_of(login->mac.bytes, sizeof login->mac.bytes));
	RS_TRY(rs_statement_step(get, &row, err));
	if (row) {
		login->record.failures = (uint64_t)rs_statement_i64(get, 0);
		login->record.not_before_ms = (uint64_t)rs_statement_i64(get, 1);
	}
	rs_statement_reset(get);
	return RS_OK;
}

static enum rs_code check_lock(const struct login *login, uint64_t *out_wait_ms, struct rs_error *err)
{
	uint64_t now_ms = rs_world_now_ms(login->accounts->world);
	if (login->record.not_before_ms <= now_ms)
		return RS_OK;
	*out_wait_ms = login->record.not_before_ms - now_ms;
	return rs_error_set(err, RS_DENIED, "too many failures: this name is locked for %llu s",
	                    (unsigned long long)(*out_wait_ms + 999) / 1000);
}

static void count_failure(struct login *login)
{
	struct record *record = &login->record;
	uint64_t delay_ms = RS_LOGIN_DELAY_MS;
	record->failures++;
	if (record->failures <= RS_LOGIN_FREE_FAILURES)
		return;
	for (uint64_t i = RS_LOGIN_FREE_FAILURES + 1;
	     i < record->failures && delay_ms < RS_LOGIN_DELAY_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > RS_LOGIN_DELAY_MAX_MS)
		delay_ms = RS_LOGIN_DELAY_MAX_MS;
	record->not_before_ms = rs_world_now_ms(login->accounts->world) + delay_ms;
}

static enum rs_code save_attempt(struct login *login, struct rs_error *err)
{
	struct rs_statement *put = login->accounts->statements[PUT_ATTEMPT];
	if (login->known)
		return record_save(login->accounts, &login->record, err);
	rs_statement_bind_bytes(put, 1, rs_bytes_of(login->mac.bytes, sizeof login->mac.bytes));
	rs_statement_bind_i64(put, 2, (int64_t)login->record.failures);
	rs_statement_bind_i64(put, 3, (int64_t)login->record.not_before_ms);
	rs_statement_bind_i64(put, 4, (int64_t)rs_world_now_ms(login->accounts->world));
	RS_TRY(rs_statement_run(put, err));
	return rs_statement_run(login->accounts->statements[PRUNE_ATTEMPTS], err);
}

/* Within a transaction: whether it is the owner, and what a failure costs. *out_good decides. */
static enum rs_code settle(struct login *login, bool *out_good, uint64_t *out_wait_ms, struct rs_error *err)
{
	const uint64_t changed_ms = login->record.changed_ms, generation = login->record.generation;
	RS_TRY(load(login, err));
	/* Others may have guessed meanwhile, or the password is another one by now. */
	RS_TRY(check_lock(login, out_wait_ms, err));
	bool same = login->known && login->record.changed_ms == changed_ms &&
	            login->record.generation == generation;
	*out_good = login->opened && same &&
	            (!login->code || !login->record.has_totp ||
	             code_take(login->accounts, &login->record, *login->code));
	if (*out_good)
		login->record.failures = 0;
	else
		count_failure(login);
	return save_attempt(login, err);
}

typedef enum rs_code login_then(struct login *login, void *context, struct rs_error *err);

static enum rs_code enter(struct login *login, bool good, login_then *then, void *context,
                          struct rs_error *err)
{
	if (good && !login->record.disabled)
		RS_TRY(then(login, context, err));
	RS_TRY(rs_store_commit(login->accounts->store, err));
	if (!good)
		return rs_error_set(err, RS_DENIED, "name, password or code is wrong");
	return login->record.disabled
	               ? rs_error_set(err, RS_DENIED, "the account is disabled; ask who administers accounts")
	               : RS_OK;
}

/* Looks at the password, without a lock on the database as that takes a while, then does what the owner may, or counts. */
static enum rs_code authenticate(struct login *login, login_then *then, void *context, uint64_t *out_wait_ms,
                                 struct rs_error *err)
{
	struct rs_accounts *accounts = login->accounts;
	bool good = false;
	*out_wait_ms = 0;
	account_mac(accounts, login->name, &login->mac);
	RS_TRY(load(login, err));
	RS_TRY(check_lock(login, out_wait_ms, err));
	enum rs_code code = password_open(accounts, &login->record, login->password, &login->seed, err);
	if (code != RS_OK && code != RS_DENIED)
		return code;
	login->opened = code == RS_OK;
	RS_TRY(rs_store_begin(accounts->store, err));
	code = settle(login, &good, out_wait_ms, err);
	if (code == RS_OK)
		code = enter(login, good, then, context, err);
	rs_store_rollback(accounts->store);
	return code;
}

/* What cannot be a name or a password is told like a wrong one; it costs nothing and tells nothing. */
static enum rs_code login_init(struct login *login, struct rs_accounts *accounts, struct rs_str name,
                               struct rs_bytes password, const struct rs_str *code, struct rs_error *err)
{
	login->accounts = accounts;
	login->password = password;
	login->code = code;
	if (account_name(name, login->name, NULL) != RS_OK || password.size > RS_PASSWORD_MAX)
		return rs_error_set(err, RS_DENIED, "name, password or code is wrong");
	return RS_OK;
}

struct beginning {
	char *token;
	struct rs_session *session;
};

static enum rs_code open_session(struct login *login, void *context, struct rs_error *err)
{
	struct beginning *beginning = context;
	return begin_session(login->accounts, &login->record, &login->seed, beginning->token,
	                     beginning->session, err);
}

enum rs_code rs_session_begin(struct rs_accounts *accounts, const struct rs_credentials *credentials,
                              char out_token[static RS_SESSION_TOKEN_SIZE], struct rs_session *out,
                              uint64_t *out_wait_ms, struct rs_error *err)
{
	struct login login RS_CLEANUP(login_finish) = {.known = false};
	struct beginning beginning = {out_token, out};
	*out_wait_ms = 0;
	RS_TRY(login_init(&login, accounts, credentials->name, credentials->password, &credentials->code,
	                  err));
	return authenticate(&login, open_session, &beginning, out_wait_ms, err);
}

static enum rs_code take_password(struct login *login, void *context, struct rs_error *err)
{
	const struct rs_bytes *password = context;
	RS_TRY(password_wrap(login->accounts, &login->record, *password, &login->seed, err));
	login->record.must_change = false;
	RS_TRY(end_sessions_of(login->accounts, &login->record, err));
	return record_save(login->accounts, &login->record, err);
}

enum rs_code rs_account_change_password(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes old,
                                        struct rs_bytes password, struct rs_error *err)
{
	struct login login RS_CLEANUP(login_finish) = {.known = false};
	uint64_t wait_ms;
	RS_TRY(password_check(password, err));
	if (rs_bytes_equal(old, password))
		return rs_error_set(err, RS_USAGE, "the new password is the old one");
	RS_TRY(login_init(&login, accounts, name, old, NULL, err));
	return authenticate(&login, take_password, &password, &wait_ms, err);
}
