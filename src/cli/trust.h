/* Whom a command line believes: a log, and a quorum of witnesses. */
#ifndef RS_CLI_TRUST_H
#define RS_CLI_TRUST_H

#include "command.h"
#include "ledger/ledger_witness.h"

struct trusted {
	struct rs_trust trust; /* points into this struct */
	struct rs_note_key witnesses[REPEATS_MAX];
};
/* Verifier keys, or files with one each. errors  RS_USAGE names the option */
enum rs_code trusted_log(struct trusted *trusted, const char *option, const char *vkey, struct rs_error *err);
enum rs_code trusted_witness(struct trusted *trusted, const char *vkey, struct rs_error *err);
/* All of a command whose repeatable option is --witness, and their quorum. */
enum rs_code trusted_witnesses(struct trusted *trusted, const struct command_line *line,
                               struct rs_error *err);
/* --quorum N, otherwise all. */
enum rs_code trusted_quorum(struct trusted *trusted, const struct command_line *line, struct rs_error *err);

#endif
