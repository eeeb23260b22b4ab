/* Terms of consents and questions about them, as the user writes them; and as they are shown. */
#ifndef RS_CLI_CONSENT_WORDS_H
#define RS_CLI_CONSENT_WORDS_H

#include "command.h"
#include "access/access_consent.h"
#include "consent/consent_words.h"
#include "node/node_subject.h"

/* The options of terms; what is not given is zero. --studies that are no commitments need `subject` and its node (else NULL). */
enum rs_code consent_terms_of(const struct command_line *line, struct rs_node *node,
                              const struct rs_node_subject *subject, struct rs_consent_terms *out,
                              struct rs_error *err);
/* --organisation, --role, --purpose, --operation, --study, --time, --skew. *out_asked: any of them was given. */
enum rs_code consent_question_of(const struct command_line *line, struct rs_consent_question *out,
                                 bool *out_asked, struct rs_error *err);
/* Two spaces and more before each line. */
void consent_terms_text(struct rs_buffer *out, const struct rs_consent_terms *terms);

#endif
