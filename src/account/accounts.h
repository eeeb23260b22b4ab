/* What the files of this module share: the database, its rows, and who a password lets in. */
#ifndef ACCOUNT_ACCOUNTS_H
#define ACCOUNT_ACCOUNTS_H

#include "account/account.h"
#include "store/store.h"

#define WRAPPED_SEED_SIZE (RS_KEY_SIZE + RS_BOX_OVERHEAD)

enum account_statement {
	GET_ACCOUNT,
	PUT_ACCOUNT,
	EACH_ACCOUNT,
	GET_ATTEMPT, /* failures under names that no account has: a locked name must not tell that it is one */
	PUT_ATTEMPT,
	PRUNE_ATTEMPTS,
	GET_SESSION,
	PUT_SESSION,
	TOUCH_SESSION,
	END_SESSION,
	END_SESSIONS, /* of one account */
	END_OLD_SESSIONS,
	ACCOUNT_STATEMENT_COUNT,
};

struct rs_accounts { /* in locked memory */
	const struct rs_world *world;
	struct rs_account_settings settings;
	struct rs_secret names, rows, codes, passwords, sessions; /* one key for each use */
	struct rs_store *store;
	struct rs_statement *statements[ACCOUNT_STATEMENT_COUNT];
};

/* An account as it is kept. */
struct record {
	char name[RS_ACCOUNT_NAME_MAX + 1];
	uint8_t member[RS_KEY_SIZE];
	struct rs_password_cost cost;
	uint8_t salt[RS_PASSWORD_SALT_SIZE];
	uint8_t wrapped[WRAPPED_SEED_SIZE]; /* the member's seed: opens with the right password only */
	bool disabled, must_change, has_totp;
	uint8_t totp[RS_TOTP_SECRET_SIZE];
	uint64_t totp_step; /* the last one that was used */
	struct rs_digest recovery[RS_RECOVERY_CODES];
	size_t recovery_count;
	uint64_t failures, not_before_ms;
	uint64_t generation; /* sessions of another one are void */
	uint64_t created_ms, changed_ms;
};
void record_finish(struct record *record);

/* The account's name in the database. RS_USAGE for a name that is none; letters are made small. */
enum rs_code account_name(struct rs_str name, char out[static RS_ACCOUNT_NAME_MAX + 1], struct rs_error *err);
void account_mac(const struct rs_accounts *accounts, const char *name, struct rs_digest *out);
/* RS_NOT_FOUND names it; RS_ALTERED */
enum rs_code record_load(struct rs_accounts *accounts, const char *name, struct record *out,
                         struct rs_error *err);
enum rs_code record_parse(struct rs_accounts *accounts, struct rs_bytes mac, struct rs_bytes box,
                          struct record *out, struct rs_error *err);
enum rs_code record_save(struct rs_accounts *accounts, const struct record *record, struct rs_error *err);

/* Begins a transaction, loads, changes, saves, commits. A change that fails changes nothing. */
typedef enum rs_code record_change(struct rs_accounts *accounts, struct record *record, void *context,
                                   struct rs_error *err);
enum rs_code record_update(struct rs_accounts *accounts, struct rs_str name, record_change *change,
                           void *context, struct rs_error *err);
enum rs_code end_sessions_of(struct rs_accounts *accounts, struct record *record, struct rs_error *err);
enum rs_code begin_session(struct rs_accounts *accounts, const struct record *record,
                           const struct rs_secret *seed, char out_token[static RS_SESSION_TOKEN_SIZE],
                           struct rs_session *out, struct rs_error *err);

enum rs_code password_check(struct rs_bytes password, struct rs_error *err);
/* New salt and cost, the seed wrapped anew. */
enum rs_code password_wrap(struct rs_accounts *accounts, struct record *record, struct rs_bytes password,
                           const struct rs_secret *seed, struct rs_error *err);
/* Whether the code is one for now; takes it, so that it is none again. */
bool code_take(const struct rs_accounts *accounts, struct record *record, struct rs_str code);

#endif
