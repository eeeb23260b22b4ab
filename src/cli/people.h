/* What the commands about organisations, members and devices share. */
#ifndef RS_CLI_PEOPLE_H
#define RS_CLI_PEOPLE_H

#include "session.h"
#include "access/access_people.h"

#define FINGERPRINT_SIZE 17 /* the first 16 digits of a key, and the end */

/* One action of such a command: "grant" takes `operands` of its own, and signs when `acts`. */
struct people_action {
	const char *name;
	size_t operands;
	bool acts;
	enum rs_code (*run)(const struct command_line *line, struct rs_node *node,
	                    const struct rs_actor *actor,
	                    struct rs_error *err); /* actor: NULL unless it acts */
};
enum rs_code people_run(const struct command_line *line, const struct people_action *actions, size_t count,
                        struct rs_error *err);
/* Signs the act and tells on standard output where it is in the log. */
enum rs_code people_act(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                        struct rs_act *act, struct rs_error *err);
enum rs_code people_told(const struct command_line *line, const struct rs_member_key *key,
                         enum rs_transaction_type type, uint64_t entry, struct rs_error *err);
/* Members or devices, or with --history the past of one. */
enum rs_code people_list(const struct command_line *line, struct rs_node *node, bool devices,
                         struct rs_error *err);
void people_fingerprint(const struct rs_member_key *key,
                        char out[static FINGERPRINT_SIZE]); /* "" for zeros */

#endif
