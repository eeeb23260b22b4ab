/* What the formats share: a line as cells, and the words of the contract's numbers. */
#ifndef AUDIT_WRITE_H
#define AUDIT_WRITE_H

#include "audit/audit_write.h"

/* Column: name, whether it is a number. */
#define COLUMNS(X)                             \
	X(ENTRY, "entry", true)                \
	X(TIME, "time", false)                 \
	X(TYPE, "type", false)                 \
	X(TRANSACTION, "transaction", false)   \
	X(SIGNER, "signer", false)             \
	X(ROLE, "role", false)                 \
	X(ORGANISATION, "organisation", false) \
	X(ROLE_FROM, "role_from", false)       \
	X(ROLE_UNTIL, "role_until", false)     \
	X(ROLE_ENTRY, "role_entry", true)      \
	X(SUBJECT, "subject", false)           \
	X(PATIENT, "patient", false)           \
	X(MEMBER, "member", false)             \
	X(SUCCESSOR, "successor", false)       \
	X(GIVEN, "given", false)               \
	X(OBJECT, "object", false)             \
	X(KIND, "kind", false)                 \
	X(OBJECT_ENTRY, "object_entry", true)  \
	X(STUDY, "study", false)               \
	X(INSTANCES, "instances", true)        \
	X(PREVIOUS, "previous", false)         \
	X(PARENTS, "parents", false)           \
	X(OPERATION, "operation", false)       \
	X(PURPOSE, "purpose", false)           \
	X(PURPOSE_CODE, "purpose_code", false) \
	X(DECISION, "decision", false)         \
	X(REFUSAL, "refusal", false)           \
	X(BASIS, "basis", false)               \
	X(CONSENT, "consent", false)           \
	X(TERMS, "consent_terms", false)       \
	X(TERMS_ENTRY, "consent_entry", true)  \
	X(REASON, "reason", false)             \
	X(REVIEW, "review", false)             \
	X(REVIEW_ENTRY, "review_entry", true)  \
	X(RELATION, "relation", false)         \
	X(FINDINGS, "findings", false)         \
	X(PROOF, "proof", false)
enum column {
#define COLUMN_MEMBER(name, text, number) COLUMN_##name,
	COLUMNS(COLUMN_MEMBER)
#undef COLUMN_MEMBER
		COLUMN_COUNT
};
const char *column_name(enum column column);
bool column_is_number(enum column column);

#define CELLS_MAX ((size_t)64 * 1024)
struct cells {
	struct rs_buffer text;
	size_t at[COLUMN_COUNT]; /* where the NUL-terminated text begins; 0: empty */
};
/* The buffer keeps its memory between lines. */
void cells_fill(struct cells *cells, const struct rs_audit_heading *heading,
                const struct rs_audit_line *line);
const char *cells_get(const struct cells *cells, enum column column);

const char *code_of_purpose(enum rs_purpose purpose); /* HL7 v3 PurposeOfUse */

struct rs_audit_writer {
	const struct rs_audit_heading *heading;
	enum rs_audit_format format;
	rs_audit_sink *sink;
	void *context;
	struct rs_buffer out;
	struct rs_json json;
	struct cells cells;
	uint64_t lines;
};
/* What an answer proves, and what it does not: one sentence each. */
extern const char *const proved_text, *const not_proved_text;

void text_begin(struct rs_audit_writer *writer);
void text_line(struct rs_audit_writer *writer, const struct rs_audit_line *line);
void text_end(struct rs_audit_writer *writer);
void fhir_begin(struct rs_audit_writer *writer);
void fhir_line(struct rs_audit_writer *writer, const struct rs_audit_line *line);
void fhir_end(struct rs_audit_writer *writer);

#endif
