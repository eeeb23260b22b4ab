/* Accounts of people for the doors they reach with a browser: a name, a password, one-time codes, sessions.
 *
 * An account is bound to one member of the contract, and what its owner does is signed by that member's own key. The key lies
 * in the account twice wrapped: under what Argon2id makes of the password, and under the node's keys. So neither the database
 * nor the node's operator signs in the owner's name without the password, and a stolen database alone lets nobody guess one.
 * While a session lasts the key lies in its row, under a key that is made from the session's token: the browser has the token,
 * the database has its hash, and between requests nobody has the key. Memory holds it for the time of one request.
 *
 * Rows are boxes under the node's keys; names are in them and nowhere else. One struct rs_accounts belongs to one thread at a
 * time; several processes may have the file open. */
#ifndef RS_ACCOUNT_H
#define RS_ACCOUNT_H

#include "crypto/crypto_password.h"

#define RS_ACCOUNT_NAME_MAX 64 /* letters, digits and - _ . @ */
#define RS_PASSWORD_MIN 12     /* bytes; NIST SP 800-63B asks for length, not for kinds of characters */
#define RS_PASSWORD_MAX 1024
#define RS_RECOVERY_CODES 10
#define RS_RECOVERY_CODE_SIZE 20 /* "abcd-efgh-ijkl-mnop" and the end: 80 bits */
#define RS_TOTP_SECRET_SIZE 20
#define RS_TOTP_URI_SIZE 1024
#define RS_SESSION_TOKEN_SIZE 65 /* 32 random bytes in hexadecimal, and the end */

/* The first failures cost nothing but time; the next delays double. */
#define RS_LOGIN_FREE_FAILURES 3
#define RS_LOGIN_DELAY_MS ((uint64_t)5000)
#define RS_LOGIN_DELAY_MAX_MS ((uint64_t)3600000)

struct rs_account_settings {
	struct rs_password_cost cost;
	uint64_t idle_ms;     /* automatic logoff after so much silence */
	uint64_t lifetime_ms; /* and after so much time in any case */
	const char *issuer;   /* shown by authenticator apps; no ':'. Must outlive the accounts */
};
#define RS_SESSION_IDLE_MS ((uint64_t)15 * 60 * 1000)
#define RS_SESSION_LIFETIME_MS ((uint64_t)12 * 3600 * 1000)

struct rs_accounts;
/* Makes the file when missing. key: of the node, for all that is in it. */
enum rs_code rs_accounts_open(const struct rs_world *world, const char *path, const struct rs_secret *key,
                              const struct rs_account_settings *settings, struct rs_accounts **out,
                              struct rs_error *err);
void rs_accounts_close(struct rs_accounts *accounts);          /* wipes; accepts NULL */
void rs_accounts_close_pointer(struct rs_accounts **accounts); /* for RS_CLEANUP */

struct rs_account_facts {
	char name[RS_ACCOUNT_NAME_MAX + 1];
	uint8_t member[RS_KEY_SIZE];
	bool disabled, totp, must_change; /* must_change: somebody else chose the password */
	unsigned failures, recovery_codes;
	uint64_t not_before_ms; /* locked until then; 0: not */
	uint64_t created_ms, changed_ms;
};
/* seed: of the member's signing key. RS_EXISTS; RS_USAGE for a name or password that is none. All of these are durable when
 * they return RS_OK. */
enum rs_code rs_account_add(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes password,
                            const struct rs_secret *seed, struct rs_error *err);
/* The key again, under a new password, when the old one is lost or the member has a new key: whoever has the key can do it.
 * Ends all sessions of the account and its lock; the owner has to change the password. RS_NOT_FOUND */
enum rs_code rs_account_reset(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes password,
                              const struct rs_secret *seed, struct rs_error *err);
/* By its owner; ends all sessions. A wrong old password counts as a failed login. */
enum rs_code rs_account_change_password(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes old,
                                        struct rs_bytes password, struct rs_error *err);
/* Ends its sessions, too. */
enum rs_code rs_account_disable(struct rs_accounts *accounts, struct rs_str name, bool disabled,
                                struct rs_error *err);
/* Forgets failures. */
enum rs_code rs_account_unlock(struct rs_accounts *accounts, struct rs_str name, struct rs_error *err);
enum rs_code rs_account_find(struct rs_accounts *accounts, struct rs_str name, struct rs_account_facts *out,
                             struct rs_error *err);
typedef enum rs_code rs_account_visit(void *context, const struct rs_account_facts *facts,
                                      struct rs_error *err);
/* In no order that means anything. */
enum rs_code rs_accounts_each(struct rs_accounts *accounts, rs_account_visit *visit, void *context,
                              struct rs_error *err);

/* One-time codes (RFC 6238: SHA-1, six digits, 30 seconds, one step before and after; none twice). */
struct rs_totp_enrolment {
	char uri[RS_TOTP_URI_SIZE]; /* otpauth://totp/…: what an authenticator app reads */
	char codes[RS_RECOVERY_CODES][RS_RECOVERY_CODE_SIZE]; /* each stands for one code, once */
};
/* A new secret; those before, and their recovery codes, are void. */
enum rs_code rs_account_totp_enrol(struct rs_accounts *accounts, struct rs_str name,
                                   struct rs_totp_enrolment *out, struct rs_error *err);
enum rs_code rs_account_totp_remove(struct rs_accounts *accounts, struct rs_str name, struct rs_error *err);

struct rs_credentials {
	struct rs_str name;
	struct rs_bytes password;
	struct rs_str code; /* six digits, or a recovery code; empty where the account has none */
};
struct rs_session {
	char name[RS_ACCOUNT_NAME_MAX + 1];
	uint8_t member[RS_KEY_SIZE];
	struct rs_secret seed; /* of the member's key: wipe it after the request */
	char csrf
		[RS_SESSION_TOKEN_SIZE]; /* what a request that changes something has to carry, beside the cookie */
	bool must_change;                /* the session is good for changing the password only */
	uint64_t idle_end_ms, end_ms;
};
void rs_session_finish(struct rs_session *session);
/* A session, its token for the browser. *out_wait_ms: how long the name is locked, when it is (RS_DENIED); 0 otherwise.
 * errors  RS_DENIED: "name, password or code is wrong", one sentence for all; "disabled", told to who knows the password */
enum rs_code rs_session_begin(struct rs_accounts *accounts, const struct rs_credentials *credentials,
                              char out_token[static RS_SESSION_TOKEN_SIZE], struct rs_session *out,
                              uint64_t *out_wait_ms, struct rs_error *err);
/* Whose session the token is; the time of idleness begins again. RS_DENIED: none, ended, or idle too long. */
enum rs_code rs_session_find(struct rs_accounts *accounts, struct rs_str token, struct rs_session *out,
                             struct rs_error *err);
/* The same session under another token, its end as before; the old token is void. */
enum rs_code rs_session_refresh(struct rs_accounts *accounts, struct rs_str token,
                                char out_token[static RS_SESSION_TOKEN_SIZE], struct rs_session *out,
                                struct rs_error *err);
/* RS_OK, too, when there is none. */
enum rs_code rs_session_end(struct rs_accounts *accounts, struct rs_str token, struct rs_error *err);

#endif
