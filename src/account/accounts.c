/* Accounts: opening their database, making and changing them. */
#include "accounts.h"

#include <string.h>

#define SCHEMA_VERSION 1
#define SCHEMA                                                                                  \
	"CREATE TABLE account(mac BLOB PRIMARY KEY NOT NULL, box BLOB NOT NULL) WITHOUT ROWID;" \
	"CREATE TABLE attempt(mac BLOB PRIMARY KEY NOT NULL, failures INTEGER NOT NULL,"        \
	" not_before_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;"               \
	"CREATE TABLE session(token BLOB PRIMARY KEY NOT NULL, account BLOB NOT NULL,"          \
	" used_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, box BLOB NOT NULL) WITHOUT ROWID;" \
	"CREATE INDEX session_account ON session(account);"

/* Names that are tried and are nobody's: so many are remembered. */
#define ATTEMPTS_KEPT "1000"
/* Of one account at once; the one that was silent longest ends. */
#define SESSIONS_KEPT "16"

static const char *const statement_text[ACCOUNT_STATEMENT_COUNT] = {
	[GET_ACCOUNT] = "SELECT box FROM account WHERE mac = ?1",
	[PUT_ACCOUNT] = "INSERT INTO account VALUES(?1, ?2) ON CONFLICT DO UPDATE SET box = ?2",
	[EACH_ACCOUNT] = "SELECT mac, box FROM account ORDER BY mac",
	[GET_ATTEMPT] = "SELECT failures, not_before_ms FROM attempt WHERE mac = ?1",
	[PUT_ATTEMPT] = "INSERT OR REPLACE INTO attempt VALUES(?1, ?2, ?3, ?4)",
	[PRUNE_ATTEMPTS] = "DELETE FROM attempt WHERE mac NOT IN"
			   " (SELECT mac FROM attempt ORDER BY at_ms DESC LIMIT " ATTEMPTS_KEPT ")",
	[GET_SESSION] = "SELECT used_ms, end_ms, box FROM session WHERE token = ?1",
	[PUT_SESSION] = "INSERT INTO session VALUES(?1, ?2, ?3, ?4, ?5)",
	[TOUCH_SESSION] = "UPDATE session SET used_ms = ?2 WHERE token = ?1",
	[END_SESSION] = "DELETE FROM session WHERE token = ?1",
	[END_SESSIONS] = "DELETE FROM session WHERE account = ?1",
	[END_OLD_SESSIONS] =
		"DELETE FROM session WHERE used_ms < ?2 OR end_ms <= ?3 OR account = ?1 AND token NOT IN"
		" (SELECT token FROM session WHERE account = ?1 ORDER BY used_ms DESC LIMIT " SESSIONS_KEPT
		")",
};

static void derive(const struct rs_secret *key, const char *use, struct rs_secret *out)
{
	rs_hkdf_sha256(rs_bytes_of(key->bytes, RS_KEY_SIZE), rs_bytes_of("", 0),
	               rs_bytes_of(use, strlen(use)), out->bytes, RS_KEY_SIZE);
}

enum rs_code rs_accounts_open(const struct rs_world *world, const char *path, const struct rs_secret *key,
                              const struct rs_account_settings *settings, struct rs_accounts **out,
                              struct rs_error *err)
{
	struct rs_accounts *accounts RS_CLEANUP(rs_accounts_close_pointer) = rs_secret_allocate(
		sizeof *accounts);
	if (!accounts)
		return rs_error_memory(err, sizeof *accounts, "the accounts' keys");
	accounts->world = world;
	accounts->settings = *settings;
	derive(key, "radseal accounts v1 names", &accounts->names);
	derive(key, "radseal accounts v1 rows", &accounts->rows);
	derive(key, "radseal accounts v1 codes", &accounts->codes);
	derive(key, "radseal accounts v1 passwords", &accounts->passwords);
	derive(key, "radseal accounts v1 sessions", &accounts->sessions);
	RS_TRY(rs_store_open(world, path, RS_STORE_WRITE, SCHEMA, SCHEMA_VERSION, &accounts->store, err));
	/* Sessions that ended hold a wrapped key. */
	RS_TRY(rs_store_run(accounts->store, "PRAGMA secure_delete=ON", err));
	for (int i = 0; i < ACCOUNT_STATEMENT_COUNT; i++)
		RS_TRY(rs_statement_prepare(accounts->store, statement_text[i], &accounts->statements[i],
		                            err));
	*out = accounts;
	accounts = NULL;
	return RS_OK;
}

void rs_accounts_close(struct rs_accounts *accounts)
{
	if (!accounts)
		return;
	for (int i = 0; i < ACCOUNT_STATEMENT_COUNT; i++)
		rs_statement_finish(accounts->statements[i]);
	rs_store_close(accounts->store);
	rs_secret_free(accounts);
}

void rs_accounts_close_pointer(struct rs_accounts **accounts) { rs_accounts_close(*accounts); }

static enum rs_code set_key(struct rs_accounts *accounts, struct record *record, struct rs_bytes password,
                            const struct rs_secret *seed, struct rs_error *err)
{
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish);
	rs_signing_key_from_seed(seed, &key);
	memcpy(record->member, key.public_key, RS_KEY_SIZE);
	record->must_change = true;
	return password_wrap(accounts, record, password, seed, err);
}

static enum rs_code insert(struct rs_accounts *accounts, const struct record *record, struct rs_error *err)
{
	struct record there RS_CLEANUP(record_finish) = {.has_totp = false};
	enum rs_code code = record_load(accounts, record->name, &there, err);
	if (code == RS_OK)
		return rs_error_set(
			err, RS_EXISTS,
			"there is an account %s; account password gives it another key or password",
			record->name);
	if (code != RS_NOT_FOUND)
		return code;
	return record_save(accounts, record, err);
}

enum rs_code rs_account_add(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes password,
                            const struct rs_secret *seed, struct rs_error *err)
{
	struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
	RS_TRY(account_name(name, record.name, err));
	RS_TRY(password_check(password, err));
	RS_TRY(set_key(accounts, &record, password, seed, err));
	record.created_ms = record.changed_ms;
	RS_TRY(rs_store_begin(accounts->store, err));
	enum rs_code code = insert(accounts, &record, err);
	if (code == RS_OK)
		code = rs_store_commit(accounts->store, err);
	if (code != RS_OK)
		rs_store_rollback(accounts->store);
	return code;
}

struct renewal {
	struct rs_bytes password;
	const struct rs_secret *seed;
};

static enum rs_code reset(struct rs_accounts *accounts, struct record *record, void *context,
                          struct rs_error *err)
{
	const struct renewal *renewal = context;
	record->failures = 0;
	record->not_before_ms = 0;
	RS_TRY(set_key(accounts, record, renewal->password, renewal->seed, err));
	return end_sessions_of(accounts, record, err);
}

enum rs_code rs_account_reset(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes password,
                              const struct rs_secret *seed, struct rs_error *err)
{
	struct renewal renewal = {password, seed};
	RS_TRY(password_check(password, err));
	return record_update(accounts, name, reset, &renewal, err);
}

static enum rs_code disable(struct rs_accounts *accounts, struct record *record, void *context,
                            struct rs_error *err)
{
	record->disabled = *(const bool *)context;
	return end_sessions_of(accounts, record, err);
}

enum rs_code rs_account_disable(struct rs_accounts *accounts, struct rs_str name, bool disabled,
                                struct rs_error *err)
{
	return record_update(accounts, name, disable, &disabled, err);
}

static enum rs_code unlock(struct rs_accounts *accounts RS_UNUSED, struct record *record,
                           void *context RS_UNUSED, struct rs_error *err RS_UNUSED)
{
	record->failures = 0;
	record->not_before_ms = 0;
	return RS_OK;
}

enum rs_code rs_account_unlock(struct rs_accounts *accounts, struct rs_str name, struct rs_error *err)
{
	return record_update(accounts, name, unlock, NULL, err);
}

static void tell(const struct rs_accounts *accounts, const struct record *record,
                 struct rs_account_facts *out)
{
	bool locked = record->not_before_ms > rs_world_now_ms(accounts->world);
	*out = (struct rs_account_facts){
		.disabled = record->disabled,
		.totp = record->has_totp,
		.must_change = record->must_change,
		.failures = (unsigned)record->failures,
		.recovery_codes = (unsigned)record->recovery_count,
		.not_before_ms = locked ? record->not_before_ms : 0,
		.created_ms = record->created_ms,
		.changed_ms = record->changed_ms,
	};
	memcpy(out->name, record->name, sizeof out->name);
	memcpy(out->member, record->member, sizeof out->member);
}

enum rs_code rs_account_find(struct rs_accounts *accounts, struct rs_str name, struct rs_account_facts *out,
                             struct rs_error *err)
{
	struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
	char folded[RS_ACCOUNT_NAME_MAX + 1];
	RS_TRY(account_name(name, folded, err));
	RS_TRY(record_load(accounts, folded, &record, err));
	tell(accounts, &record, out);
	return RS_OK;
}

enum rs_code rs_accounts_each(struct rs_accounts *accounts, rs_account_visit *visit, void *context,
                              struct rs_error *err)
{
	struct rs_statement *each = accounts->statements[EACH_ACCOUNT];
	enum rs_code code = RS_OK;
	bool row = false;
	while (code == RS_OK && (code = rs_statement_step(each, &row, err)) == RS_OK && row) {
		struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
		struct rs_account_facts facts;
		code = record_parse(accounts, rs_statement_bytes(each, 0), rs_statement_bytes(each, 1),
		                    &record, err);
		if (code != RS_OK)
			break;
		tell(accounts, &record, &facts);
		code = visit(context, &facts, err);
	}
	rs_statement_reset(each);
	return code;
}
