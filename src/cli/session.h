/* What every subcommand begins with: home, passphrase, threads; and what it ends with: output. */
#ifndef RS_CLI_SESSION_H
#define RS_CLI_SESSION_H

#include "command.h"
#include "node/node_act.h"

/* --home, else $RADSEAL_HOME, else "radseal-home". */
const char *session_home(const struct command_line *line);
/* The content of --passphrase-file without its line end, or $RADSEAL_PASSPHRASE, or empty. Finish the buffer. */
enum rs_code session_passphrase(const struct command_line *line, struct rs_buffer *out, struct rs_error *err);
/* The same of another file and variable, either of which may be NULL. */
enum rs_code session_secret(const char *path, const char *variable, struct rs_buffer *out,
                            struct rs_error *err);
/* --threads, or `per_processor` for each processor: more than one where threads wait for the disk. */
enum rs_code session_pool(const struct command_line *line, unsigned per_processor, struct rs_pool **out,
                          struct rs_error *err);
void session_pool_destroy(struct rs_pool **pool);
enum rs_code session_node(const struct command_line *line, enum rs_node_access access, struct rs_pool *pool,
                          struct rs_node **out, struct rs_error *err);
void session_node_close(struct rs_node **node);
/* Rows for the options of a command that signs entries; session_actor() reads them. */
#define SESSION_AS_OPTIONS                                                                             \
	{"as", "NAME",                                                                                 \
	 "sign with the member's key keys/NAME.key; otherwise $RADSEAL_AS, otherwise the node's own"}, \
	{                                                                                              \
		"as-passphrase-file", "FILE",                                                          \
			"opens that key; otherwise keys/NAME.unlock or $RADSEAL_AS_PASSPHRASE does"    \
	}
/* Says on standard error when the member's role ends within 30 days (as session_node() does for the node's
 * administrator). Close it before the node: RS_CLEANUP(rs_actor_close_pointer), declared after the node. */
enum rs_code session_actor(const struct command_line *line, struct rs_node *node, struct rs_actor **out,
                           struct rs_error *err);
/* A verifier key, or what a file of this name holds; new heap string. */
enum rs_code session_key(const char *key, char **out, struct rs_error *err);
/* A time: "2027-01-31", "2027-01-31T12:00:00Z", or "+90d", counted from now. errors  RS_USAGE */
enum rs_code session_time(const struct command_line *line, const char *option, uint64_t fallback_ms,
                          uint64_t *out_ms, struct rs_error *err);
/* How far a command of known length is, into the file of its option --progress, for programs: "DONE TOTAL". path NULL: nobody
 * looks. A failure is passed over. */
#define SESSION_PROGRESS_OPTION                                                                     \
	{                                                                                           \
		"progress", "FILE", "keep how much of it is done in FILE, for programs: DONE TOTAL" \
	}
void session_progress(const char *path, uint64_t done, uint64_t total);
/* To standard output, or atomically to the file; a closed pipe is an error. */
enum rs_code session_write(const char *path, struct rs_bytes content, struct rs_error *err);

#endif
