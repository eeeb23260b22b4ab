/* What the parts of radseal consent share. */
#ifndef RS_CLI_CONSENT_CALL_H
#define RS_CLI_CONSENT_CALL_H

#include "consent_words.h"
#include "session.h"

/* A consent by what the user names it with: a token's file, or a name on the ledger. */
struct consent_named {
	struct rs_buffer file; /* of a token; empty for a name */
	struct rs_consent_token token;
	struct rs_consent_facts facts; /* what is in force, of either */
};
void consent_named_finish(struct consent_named *named);
/* The file alone; RS_NOT_FOUND when there is none of this path. */
enum rs_code consent_token_read(const char *path, struct consent_named *out, struct rs_error *err);
/* A token's file when there is one of this path, else a name of the ledger; *node (NULL before) is then open for reading. */
enum rs_code consent_named_find(const struct command_line *line, const char *text, struct rs_node **node,
                                struct consent_named *out, struct rs_error *err);

enum rs_code consent_show(const struct command_line *line, struct rs_error *err);
enum rs_code consent_verify(const struct command_line *line, struct rs_error *err);
enum rs_code consent_export(const struct command_line *line, struct rs_error *err);

/* --subject (and --issuer): a patient of this node, or 64 hexadecimal digits, as the ledger names the subject.
 * *out_is_patient: the first, and the node has the subject's key. */
enum rs_code consent_subject(const struct command_line *line, struct rs_node *node,
                             struct rs_node_subject *out, bool *out_is_patient, struct rs_error *err);
/* One consent as an object of JSON, or as lines. */
void consent_facts_json(struct rs_json *json, const struct rs_consent_facts *facts);
void consent_facts_text(struct rs_buffer *out, const struct rs_consent_facts *facts);

#endif
