/* The beginning and the end of every subcommand. */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "contract/contract_people.h"

#define PASSPHRASE_MAX 1024
#define WARN_DAYS 30 /* before a role ends */
#define WAIT_S 30
#define WAIT_S_MAX (24 * 3600)

const char *session_home(const struct command_line *line)
{
	const char *home = option_value(line, "home");
	if (!home)
		home = getenv("RADSEAL_HOME");
	return home && *home ? home : "radseal-home";
}

enum rs_code session_secret(const char *path, const char *variable, struct rs_buffer *out,
                            struct rs_error *err)
{
	const char *text = variable ? getenv(variable) : NULL;
	if (path) {
		RS_TRY(rs_file_read_all(rs_world_system(), path, PASSPHRASE_MAX, out, err));
		while (out->size && (out->data[out->size - 1] == '\n' || out->data[out->size - 1] == '\r'))
			out->size--;
		if (out->size == 0)
			return rs_error_set(err, RS_USAGE, "%s: the passphrase is empty", path);
		return RS_OK;
	}
	rs_buffer_init(out, PASSPHRASE_MAX);
	rs_buffer_append_text(out, text ? text : "");
	return rs_buffer_check(out, variable ? variable : "a passphrase", err);
}

enum rs_code session_passphrase(const struct command_line *line, struct rs_buffer *out, struct rs_error *err)
{
	return session_secret(option_value(line, "passphrase-file"), "RADSEAL_PASSPHRASE", out, err);
}

enum rs_code session_pool(const struct command_line *line, unsigned per_processor, struct rs_pool **out,
                          struct rs_error *err)
{
	uint64_t count;
	RS_TRY(option_u64(line, "threads", 0, 1024, &count, err));
	if (count == 0)
		count = (uint64_t)rs_processors() * per_processor;
	if (count > 1024)
		count = 1024;
	return rs_pool_create((unsigned)count, out, err);
}

void session_pool_destroy(struct rs_pool **pool) { rs_pool_destroy(*pool); }

/* The role of who signs here ends soon, or has ended: told once, while there is time to do something about it. */
static void warn_of_end(const struct command_line *line, struct rs_node *node,
                        const struct rs_member_key *key)
{
	const uint64_t day_ms = UINT64_C(86400000), now_ms = rs_world_now_ms(rs_world_system());
	const struct rs_state state = rs_node_state(node);
	struct rs_person person;
	char time[RS_TIME_TEXT_SIZE], text[RS_MEMBER_KEY_TEXT_SIZE];
	if (option_given(line, "quiet") || rs_contract_person(&state, key, &person, NULL) != RS_OK ||
	    person.revoked || person.until_ms == 0 || person.until_ms > now_ms + WARN_DAYS * day_ms)
		return;
	rs_format_time_ms(person.until_ms, time);
	rs_member_key_format(key, text);
	fprintf(stderr,
	        "radseal: the role of %.16s (%s of %s) %s %s; an administrator prolongs it with radseal "
	        "member grant\n",
	        text, rs_role_name(person.role), person.organisation,
	        person.until_ms > now_ms ? "ends at" : "ended at", time);
}

/* NULL: nobody was named, the node's administrator acts. */
static const char *member_named(const struct command_line *line)
{
	const char *name = option_value(line, "as"), *set = getenv("RADSEAL_AS");
	return name || !set || !*set ? name : set;
}

enum rs_code session_node(const struct command_line *line, enum rs_node_access access, struct rs_pool *pool,
                          struct rs_node **out, struct rs_error *err)
{
	struct rs_buffer passphrase RS_CLEANUP(rs_buffer_finish) = {0};
	const char *home = session_home(line);
	uint64_t wait_s;
	RS_TRY(option_u64(line, "wait", WAIT_S, WAIT_S_MAX, &wait_s, err));
	if (!rs_path_exists(rs_world_system(), home))
		return rs_error_set(err, RS_NOT_FOUND,
		                    "%s: there is no node here; make one with: radseal init %s", home, home);
	enum rs_code code = session_passphrase(line, &passphrase, err);
	if (code == RS_OK)
		code = rs_node_open_in_turn(rs_world_system(), home, access, rs_buffer_bytes(&passphrase),
		                            pool, (unsigned)wait_s, out, err);
	rs_wipe(passphrase.data, passphrase.size);
	/* Status 3 belongs to the contract; keys that do not open are denied access. */
	if (code == RS_REFUSED)
		return err->code = RS_DENIED;
	if (code == RS_OK && !member_named(line)) {
		const struct rs_member_key own = rs_node_administrator(*out);
		warn_of_end(line, *out, &own);
	}
	return code;
}

void session_node_close(struct rs_node **node) { rs_node_close(*node); }

enum rs_code session_actor(const struct command_line *line, struct rs_node *node, struct rs_actor **out,
                           struct rs_error *err)
{
	struct rs_buffer passphrase RS_CLEANUP(rs_secret_buffer_finish) = {0};
	RS_TRY(session_secret(option_value(line, "as-passphrase-file"), "RADSEAL_AS_PASSPHRASE", &passphrase,
	                      err));
	RS_TRY(rs_node_actor_open(node, member_named(line), rs_buffer_bytes(&passphrase), out, err));
	const struct rs_member_key id = rs_actor_id(*out);
	if (member_named(line))
		warn_of_end(line, node, &id);
	return RS_OK;
}

enum rs_code session_key(const char *key, char **out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_str text = rs_str_from(key);
	if (rs_path_exists(rs_world_system(), key)) {
		RS_TRY(rs_file_read_all(rs_world_system(), key, 4096, &content, err));
		text = rs_str_trim(rs_buffer_str(&content));
	}
	*out = rs_str_duplicate(text);
	return *out ? RS_OK : rs_error_memory(err, text.size, "the key");
}

enum rs_code session_time(const struct command_line *line, const char *option, uint64_t fallback_ms,
                          uint64_t *out_ms, struct rs_error *err)
{
	const uint64_t day_ms = UINT64_C(86400000), days_max = 36500;
	struct rs_str text = rs_str_from(option_value(line, option));
	uint64_t days;
	*out_ms = fallback_ms;
	if (text.size == 0 || rs_parse_time_ms(text, out_ms))
		return RS_OK;
	if (text.size > 2 && text.data[0] == '+' && text.data[text.size - 1] == 'd' &&
	    rs_parse_u64((struct rs_str){text.data + 1, text.size - 2}, &days) && days <= days_max) {
		*out_ms = rs_world_now_ms(rs_world_system()) + days * day_ms;
		return RS_OK;
	}
	return rs_error_set(err, RS_USAGE,
	                    "--%s: '" RS_STR_FORMAT
	                    "' is no time; write 2027-01-31, 2027-01-31T12:00:00Z or +90d",
	                    option, RS_STR_ARGUMENTS(text));
}

enum rs_code session_write(const char *path, struct rs_bytes content, struct rs_error *err)
{
	if (path)
		return rs_file_replace(rs_world_system(), path, content, 0644, err);
	if (fwrite(content.data, 1, content.size, stdout) != content.size || fflush(stdout) != 0)
		return rs_error_errno(err, errno, "standard output");
	return RS_OK;
}

void session_progress(const char *path, uint64_t done, uint64_t total)
{
	char text[48];
	int size = snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)done,
	                    (unsigned long long)total);
	if (path)
		(void)rs_file_replace(rs_world_system(), path, rs_bytes_of(text, (size_t)size), 0600, NULL);
}
