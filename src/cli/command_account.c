/* radseal account: who may log in at the HTTP door, as which member. */
#include <stdio.h>
#include <string.h>

#include "people.h"
#include "report.h"
#include "node/node_account.h"
#include "node/node_actor.h"

struct call {
	const struct command_line *line;
	struct rs_node *node;
	struct rs_accounts *accounts;
	struct rs_str name;
};

static enum rs_code told(const struct call *call, struct rs_error *err);

/* --password-file, with which the account opens from now on. */
static enum rs_code read_password(const struct call *call, struct rs_buffer *out, struct rs_error *err)
{
	const char *path = option_value(call->line, "password-file");
	if (!path)
		return rs_error_set(err, RS_USAGE, "account %s: --password-file FILE is missing",
		                    call->line->operands[0]);
	return session_secret(path, NULL, out, err);
}

/* The key of --as, which the account acts with. */
static enum rs_code read_seed(const struct call *call, struct rs_secret *out, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	if (!option_given(call->line, "as"))
		return rs_error_set(
			err, RS_USAGE,
			"account %s: name the key of the member whom the account acts as: --as NAME",
			call->line->operands[0]);
	RS_TRY(session_actor(call->line, call->node, &actor, err));
	*out = actor_key(actor)->seed;
	return RS_OK;
}

typedef enum rs_code account_set(struct rs_accounts *accounts, struct rs_str name, struct rs_bytes password,
                                 const struct rs_secret *seed, struct rs_error *err);

static enum rs_code bind(const struct call *call, account_set *set, struct rs_error *err)
{
	struct rs_buffer password RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(read_password(call, &password, err));
	RS_TRY(read_seed(call, &seed, err));
	RS_TRY(set(call->accounts, call->name, rs_buffer_bytes(&password), &seed, err));
	return told(call, err);
}

static enum rs_code add(const struct call *call, struct rs_error *err)
{
	return bind(call, rs_account_add, err);
}

static enum rs_code change_password(const struct call *call, struct rs_error *err)
{
	struct rs_buffer old RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer password RS_CLEANUP(rs_secret_buffer_finish) = {0};
	const char *path = option_value(call->line, "old-password-file");
	if (!path)
		return bind(call, rs_account_reset, err);
	RS_TRY(session_secret(path, NULL, &old, err));
	RS_TRY(read_password(call, &password, err));
	RS_TRY(rs_account_change_password(call->accounts, call->name, rs_buffer_bytes(&old),
	                                  rs_buffer_bytes(&password), err));
	return told(call, err);
}

static enum rs_code disable(const struct call *call, struct rs_error *err)
{
	RS_TRY(rs_account_disable(call->accounts, call->name, true, err));
	return told(call, err);
}

static enum rs_code unlock(const struct call *call, struct rs_error *err)
{
	RS_TRY(rs_account_disable(call->accounts, call->name, false, err));
	RS_TRY(rs_account_unlock(call->accounts, call->name, err));
	return told(call, err);
}

static enum rs_code print_enrolment(const struct call *call, const struct rs_totp_enrolment *enrolment,
                                    struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_json json;
	bool as_json = option_given(call->line, "json");
	rs_buffer_init(&text, 4096);
	rs_buffer_reserve(&text, 4096);
	rs_json_init(&json, &text, true);
	if (as_json) {
		rs_json_object_begin(&json);
		rs_json_key(&json, "uri");
		rs_json_text(&json, enrolment->uri);
		rs_json_key(&json, "recovery_codes");
		rs_json_array_begin(&json);
	} else {
		rs_buffer_printf(&text, "%s\n", enrolment->uri);
	}
	for (size_t i = 0; i < RS_RECOVERY_CODES; i++)
		if (as_json)
			rs_json_text(&json, enrolment->codes[i]);
		else
			rs_buffer_printf(&text, "%s\n", enrolment->codes[i]);
	if (as_json) {
		rs_json_array_end(&json);
		rs_json_object_end(&json);
		rs_buffer_append_text(&text, "\n");
	}
	RS_TRY(rs_buffer_check(&text, "the enrolment", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static enum rs_code totp(const struct call *call, struct rs_error *err)
{
	struct rs_totp_enrolment enrolment;
	if (option_given(call->line, "off")) {
		RS_TRY(rs_account_totp_remove(call->accounts, call->name, err));
		return told(call, err);
	}
	RS_TRY(rs_account_totp_enrol(call->accounts, call->name, &enrolment, err));
	enum rs_code code = print_enrolment(call, &enrolment, err);
	rs_wipe(&enrolment, sizeof enrolment);
	return code;
}

static const char *state_of(const struct rs_account_facts *facts)
{
	if (facts->disabled)
		return "disabled";
	if (facts->not_before_ms)
		return "locked";
	return facts->must_change ? "new password" : "open";
}

struct listing {
	const struct call *call;
	struct report report;
};

static void listing_finish(struct listing *listing) { report_finish(&listing->report); }

static enum rs_code take(void *context, const struct rs_account_facts *facts, struct rs_error *err)
{
	struct listing *listing = context;
	const struct rs_state state = rs_node_state(listing->call->node);
	struct report *report = &listing->report;
	struct rs_member_key key;
	struct rs_person person;
	char hex[RS_MEMBER_KEY_TEXT_SIZE], failures[24], codes[24], until[RS_TIME_TEXT_SIZE] = "",
								    changed[RS_TIME_TEXT_SIZE];
	memcpy(key.bytes, facts->member, sizeof key.bytes);
	rs_member_key_format(&key, hex);
	enum rs_code code = rs_contract_person(&state, &key, &person, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	(void)snprintf(failures, sizeof failures, "%u", facts->failures);
	(void)snprintf(codes, sizeof codes, "%u", facts->recovery_codes);
	if (facts->not_before_ms)
		rs_format_time_ms(facts->not_before_ms, until);
	rs_format_time_ms(facts->changed_ms, changed);
	const struct field fields[] = {{"name", facts->name, 20},
	                               {"key", hex, 64},
	                               {"role", code == RS_OK ? rs_role_name(person.role) : "none", 22},
	                               {"state", state_of(facts), 12},
	                               {"codes", facts->totp ? "totp" : "", 5},
	                               {"#recovery_codes", codes, 2},
	                               {"#failures", failures, 2},
	                               {"locked_until", until, 24},
	                               {"password_of", changed, 1}};
	report_row(report, fields, RS_COUNT(fields));
	return rs_buffer_check(&report->text, "the list", err);
}

static enum rs_code told(const struct call *call, struct rs_error *err)
{
	struct listing listing RS_CLEANUP(listing_finish) = {.call = call};
	struct report *report = &listing.report;
	struct rs_account_facts facts;
	RS_TRY(rs_account_find(call->accounts, call->name, &facts, err));
	report_begin(report, call->line, false);
	RS_TRY(take(&listing, &facts, err));
	return option_given(call->line, "quiet") && !report->as_json ? RS_OK : report_end(report, err);
}

static enum rs_code list(const struct call *call, struct rs_error *err)
{
	struct listing listing RS_CLEANUP(listing_finish) = {.call = call};
	struct report *report = &listing.report;
	report_begin(report, call->line, true);
	RS_TRY(rs_accounts_each(call->accounts, take, &listing, err));
	return report_end(report, err);
}

static const struct {
	const char *name;
	size_t operands;
	enum rs_code (*run)(const struct call *call, struct rs_error *err);
} actions[] = {{"add", 2, add},   {"list", 1, list},     {"disable", 2, disable},
               {"totp", 2, totp}, {"unlock", 2, unlock}, {"password", 2, change_password}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_accounts *accounts RS_CLEANUP(rs_accounts_close_pointer) = NULL;
	const struct rs_account_settings settings = {RS_PASSWORD_COST, RS_SESSION_IDLE_MS,
	                                             RS_SESSION_LIFETIME_MS, NULL};
	size_t i = 0;
	while (i < RS_COUNT(actions) &&
	       (line->operand_count == 0 || strcmp(line->operands[0], actions[i].name) != 0))
		i++;
	if (i == RS_COUNT(actions))
		return rs_error_set(err, RS_USAGE,
		                    "account: name what to do: add, list, disable, password, totp or unlock");
	if (line->operand_count != actions[i].operands)
		return rs_error_set(err, RS_USAGE, "account %s takes %s", actions[i].name,
		                    actions[i].operands == 2 ? "one name" : "no name");
	/* For reading: radseal serve may have the node, and accounts have a lock of their own. */
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &node, err));
	RS_TRY(rs_node_accounts_open(node, &settings, &accounts, err));
	const struct call call = {line, node, accounts,
	                          rs_str_from(line->operand_count == 2 ? line->operands[1] : NULL)};
	return actions[i].run(&call, err);
}

static const struct option options[] = {
	{"password-file", "FILE", "add, password: the account's password from now on, 12 bytes or more"},
	{"old-password-file", "FILE",
         "password: the one before; otherwise --as brings the member's key again"},
	{"off", NULL, "totp: no one-time codes any more"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal account add lee --as reader-2 --password-file first",
         "lee logs in with that password, once, to choose another, and acts as the member keys/reader-2.key"},
	{"radseal account totp lee",
         "from now on with codes, too: prints what the app reads, and recovery codes"},
	{"radseal account password lee --as reader-2 --password-file new", "the password was forgotten"},
	{"radseal account unlock lee", "after too many wrong passwords, or after disable"},
	{"radseal account list --json", "who there is, what they may, who is locked"},
	{NULL, NULL},
};

const struct command command_account = {
	.name = "account",
	.arguments =
		"add|list|disable|password|totp|unlock [NAME] [--as KEY] [--password-file FILE] [--home DIR]",
	.summary = "accounts of people for the HTTP door, each bound to a member",
	.description =
		"Who logs in at `radseal serve --http` does so with an account, and what they do there is signed by\n"
		"their member's own key. add and password take that key from keys/NAME.key (--as) and keep it\n"
		"under the account's password (Argon2id, 3 passes over 64 MiB) and the node's keys: without the\n"
		"password nobody acts in that name. A password that somebody else chose is good for choosing one.\n"
		"After three failures each one locks the name, for 5 seconds first, then for twice as long, up to\n"
		"an hour. totp prints an otpauth:// address for an authenticator app and ten recovery codes, once.\n"
		"disable, password and the end of a session's time (15 minutes of silence, 12 hours in all) end\n"
		"sessions at once. Accounts are not in backups: after a restore, add them again with the keys.",
	.options = options,
	.examples = examples,
	.run = run,
};
