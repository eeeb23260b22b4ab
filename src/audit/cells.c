/* A line in cells. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "write.h"

const char *column_name(enum column column)
{
	static const char *const names[] = {
#define COLUMN_NAME(name, text, number) text,
		COLUMNS(COLUMN_NAME)
#undef COLUMN_NAME
	};
	return names[column];
}

bool column_is_number(enum column column)
{
	static const bool numbers[] = {
#define COLUMN_NUMBER(name, text, number) number,
		COLUMNS(COLUMN_NUMBER)
#undef COLUMN_NUMBER
	};
	return numbers[column];
}

struct word {
	const char *name, *code;
};

static const struct word purposes[] = {
#define PURPOSE_WORD(member, number, name, code) [number] = {name, code},
	RS_PURPOSES(PURPOSE_WORD)
#undef PURPOSE_WORD
};
static const char *const operations[] = {
#define OPERATION_WORD(member, number, name) [number] = name,
	RS_OPERATIONS(OPERATION_WORD)
#undef OPERATION_WORD
};

static const char *word_of_purpose(enum rs_purpose purpose) { return purposes[purpose].name; }
const char *code_of_purpose(enum rs_purpose purpose) { return purposes[purpose].code; }
static const char *word_of_operation(enum rs_operation operation) { return operations[operation]; }

static const char *word_of_object(enum rs_object_kind kind)
{
	static const char *const names[] = {"", "image", "mask", "features", "model", "prediction", "report"};
	return names[kind];
}

/* "" without a glass. */
static const char *word_of_review(enum rs_audit_review review)
{
	static const char *const names[] = {"", "open", "overdue", "justified", "unjustified"};
	return names[review];
}

void rs_audit_proof_name(uint64_t entry, char out[static RS_AUDIT_PROOF_NAME_SIZE])
{
	snprintf(out, RS_AUDIT_PROOF_NAME_SIZE, "entry-%012" PRIu64 ".tlog-proof", entry);
}

const char *cells_get(const struct cells *cells, enum column column)
{
	return cells->at[column] ? (const char *)cells->text.data + cells->at[column] : "";
}

/* Cells are written one after another: begin, append, end. */
static struct rs_buffer *begin(struct cells *cells, enum column column)
{
	cells->at[column] = cells->text.size;
	return &cells->text;
}

static void end(struct cells *cells) { rs_buffer_append_u8(&cells->text, 0); }

static void put_text(struct cells *cells, enum column column, const char *text)
{
	if (*text == '\0')
		return;
	rs_buffer_append_text(begin(cells, column), text);
	end(cells);
}

static void put_number(struct cells *cells, enum column column, uint64_t number)
{
	if (number == RS_AUDIT_NO_ENTRY)
		return;
	rs_buffer_printf(begin(cells, column), "%" PRIu64, number);
	end(cells);
}

static void put_time(struct cells *cells, enum column column, uint64_t time_ms)
{
	char text[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(time_ms, text);
	put_text(cells, column, text);
}

static void append_hex(struct rs_buffer *out, const void *bytes, size_t size)
{
	char text[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(bytes, size), text);
	rs_buffer_append_text(out, text);
}

/* Zeros stand for none. */
static void put_hex(struct cells *cells, enum column column, const void *bytes, size_t size)
{
	static const uint8_t none[RS_SHA256_SIZE];
	if (memcmp(bytes, none, size) == 0)
		return;
	append_hex(begin(cells, column), bytes, size);
	end(cells);
}

static void put_parents(struct cells *cells, struct rs_bytes parents)
{
	if (parents.size == 0)
		return;
	struct rs_buffer *out = begin(cells, COLUMN_PARENTS);
	for (size_t i = 0; i < parents.size; i += RS_SHA256_SIZE) {
		if (i)
			rs_buffer_append_text(out, " ");
		append_hex(out, parents.data + i, RS_SHA256_SIZE);
	}
	end(cells);
}

static void append_set(struct rs_buffer *out, const char *what, uint32_t set, uint32_t all,
                       const char *(*name)(unsigned number))
{
	const char *separator = " ";
	rs_buffer_append_text(out, what);
	if ((set & all) == all) {
		rs_buffer_append_text(out, " any;");
		return;
	}
	for (unsigned number = 1; number < 32; number++)
		if (set >> number & 1) {
			rs_buffer_append_text(out, separator);
			rs_buffer_append_text(out, name(number));
			separator = ", ";
		}
	rs_buffer_append_text(out, ";");
}

static const char *role_name(unsigned number) { return rs_role_name((enum rs_role)number); }
static const char *purpose_name(unsigned number)
{
	return number < RS_COUNT(purposes) ? purposes[number].name : "";
}
static const char *operation_name(unsigned number)
{
	return number < RS_COUNT(operations) ? operations[number] : "";
}

static void append_period(struct rs_buffer *out, uint64_t from_ms, uint64_t until_ms)
{
	char from[RS_TIME_TEXT_SIZE], until[RS_TIME_TEXT_SIZE] = "open";
	rs_format_time_ms(from_ms, from);
	if (until_ms)
		rs_format_time_ms(until_ms, until);
	rs_buffer_printf(out, " from %s until %s", from, until);
}

static void put_terms(struct cells *cells, const struct rs_consent_terms *terms, bool revoked)
{
	struct rs_buffer *out = begin(cells, COLUMN_TERMS);
	rs_buffer_printf(out, "%s%s; organisation %s;",
	                 terms->effect == RS_CONSENT_DENY ? "denies" : "permits", revoked ? " (revoked)" : "",
	                 *terms->organisation ? terms->organisation : "any");
	append_set(out, " roles", terms->roles, RS_SET_ROLES_ALL, role_name);
	append_set(out, " purposes", terms->purposes, RS_SET_PURPOSES_ALL, purpose_name);
	append_set(out, " operations", terms->operations, RS_SET_OPERATIONS_ALL, operation_name);
	if (terms->studies_size)
		rs_buffer_printf(out, " %zu studies;", terms->studies_size / RS_SHA256_SIZE);
	append_period(out, terms->from_ms, terms->until_ms);
	end(cells);
}

static void put_grant(struct cells *cells, const struct rs_act *act)
{
	struct rs_buffer *out = begin(cells, COLUMN_GIVEN);
	rs_buffer_append_text(out, rs_role_name(act->role));
	append_period(out, act->from_ms, act->until_ms);
	end(cells);
}

static void put_organisation(struct cells *cells, const struct rs_act *act)
{
	static const char *const kinds[RS_ORGANISATION_KIND_COUNT] = {"any kind",
#define KIND_WORD(member, number, name) [number] = name,
	                                                              RS_ORGANISATION_KINDS(KIND_WORD)
#undef KIND_WORD
	};
	struct rs_buffer *out = begin(cells, COLUMN_GIVEN);
	rs_buffer_append_text(out, "organisation ");
	rs_buffer_append_str(out, act->organisation);
	rs_buffer_printf(out, " (%s)", kinds[act->organisation_kind]);
	end(cells);
}

static void put_signer(struct cells *cells, const struct rs_audit_line *line)
{
	put_hex(cells, COLUMN_SIGNER, line->act.signer.bytes, RS_KEY_SIZE);
	put_text(cells, COLUMN_ROLE, rs_role_name(line->signer.role));
	put_text(cells, COLUMN_ORGANISATION, line->signer.organisation);
	put_time(cells, COLUMN_ROLE_FROM, line->signer.from_ms);
	if (line->signer.until_ms)
		put_time(cells, COLUMN_ROLE_UNTIL, line->signer.until_ms);
	put_number(cells, COLUMN_ROLE_ENTRY, line->signer_entry);
}

static void put_object(struct cells *cells, const struct rs_audit_line *line)
{
	const struct rs_act *act = &line->act;
	if (!line->kind)
		return;
	put_hex(cells, COLUMN_OBJECT, act->commitment.bytes, RS_SHA256_SIZE);
	put_text(cells, COLUMN_KIND, word_of_object(line->kind));
	put_number(cells, COLUMN_OBJECT_ENTRY, line->object_entry);
	put_hex(cells, COLUMN_STUDY, line->study.bytes, RS_SHA256_SIZE);
	if (act->type != RS_TRANSACTION_OBJECT_REGISTER)
		return;
	put_number(cells, COLUMN_INSTANCES, act->instances);
	if (act->has_previous)
		put_hex(cells, COLUMN_PREVIOUS, act->previous.bytes, RS_SHA256_SIZE);
	put_parents(cells, act->parents);
}

static void put_decision(struct cells *cells, const struct rs_audit_line *line)
{
	const struct rs_act *act = &line->act;
	if (act->purpose) {
		put_text(cells, COLUMN_PURPOSE, word_of_purpose(act->purpose));
		put_text(cells, COLUMN_PURPOSE_CODE, code_of_purpose(act->purpose));
	}
	if (act->operation)
		put_text(cells, COLUMN_OPERATION, word_of_operation(act->operation));
	if (line->has_decision) {
		bool refused = line->decision.refusal != RS_REFUSAL_NONE;
		put_text(cells, COLUMN_DECISION, refused ? "refused" : "permitted");
		put_text(cells, COLUMN_REFUSAL, refused ? rs_refusal_name(line->decision.refusal) : "");
		put_text(cells, COLUMN_BASIS, refused ? "" : rs_basis_name(line->decision.basis));
		put_hex(cells, COLUMN_CONSENT, line->decision.consent.bytes, RS_SHA256_SIZE);
	} else {
		put_hex(cells, COLUMN_CONSENT, act->consent.bytes, RS_SHA256_SIZE);
	}
	if (line->has_terms)
		put_terms(cells, &line->terms, line->terms_revoked);
	put_number(cells, COLUMN_TERMS_ENTRY, line->terms_entry);
}

static void put_findings(struct cells *cells, unsigned findings)
{
	const char *separator = "";
	if (!findings)
		return;
	struct rs_buffer *out = begin(cells, COLUMN_FINDINGS);
	for (unsigned i = 0; i < RS_AUDIT_FINDING_COUNT; i++)
		if (findings >> i & 1) {
			rs_buffer_append_text(out, separator);
			rs_buffer_append_text(out, rs_audit_finding_name((enum rs_audit_finding)i));
			separator = " ";
		}
	end(cells);
}

static void put_relations(struct cells *cells, unsigned relations)
{
	static const char *const names[] = {"signs", "concerns", "registers", "follows",   "made-from",
	                                    "asks",  "parent",   "ancestor",  "descendant"};
	const char *separator = "";
	if (!relations)
		return;
	struct rs_buffer *out = begin(cells, COLUMN_RELATION);
	for (unsigned i = 0; i < RS_COUNT(names); i++)
		if (relations >> i & 1) {
			rs_buffer_append_text(out, separator);
			rs_buffer_append_text(out, names[i]);
			separator = " ";
		}
	end(cells);
}

void cells_fill(struct cells *cells, const struct rs_audit_heading *heading, const struct rs_audit_line *line)
{
	const struct rs_act *act = &line->act;
	char proof[RS_AUDIT_PROOF_NAME_SIZE];
	rs_buffer_clear(&cells->text);
	rs_buffer_append_u8(&cells->text, 0); /* so that 0 is no place */
	memset(cells->at, 0, sizeof cells->at);
	put_number(cells, COLUMN_ENTRY, line->entry);
	put_time(cells, COLUMN_TIME, act->time_ms);
	put_text(cells, COLUMN_TYPE, rs_transaction_type_name(act->type));
	put_hex(cells, COLUMN_TRANSACTION, act->id, sizeof act->id);
	put_signer(cells, line);
	put_hex(cells, COLUMN_SUBJECT, line->subject.bytes, RS_SHA256_SIZE);
	if (heading->patient && cells->at[COLUMN_SUBJECT])
		put_text(cells, COLUMN_PATIENT, heading->patient);
	put_hex(cells, COLUMN_MEMBER, act->member.bytes, RS_KEY_SIZE);
	put_hex(cells, COLUMN_SUCCESSOR, act->successor.bytes, RS_KEY_SIZE);
	if (act->type == RS_TRANSACTION_MEMBER_GRANT)
		put_grant(cells, act);
	if (act->type == RS_TRANSACTION_ORGANISATION_ADD)
		put_organisation(cells, act);
	put_object(cells, line);
	put_decision(cells, line);
	put_hex(cells, COLUMN_REASON, act->reason.bytes, RS_SHA256_SIZE);
	put_text(cells, COLUMN_REVIEW, word_of_review(line->review));
	if (act->type == RS_TRANSACTION_BREAK_GLASS_REVIEW)
		put_text(cells, COLUMN_REVIEW,
		         act->outcome == RS_REVIEW_JUSTIFIED ? "justified" : "unjustified");
	put_number(cells, COLUMN_REVIEW_ENTRY, line->review_entry);
	put_relations(cells, line->relations);
	put_findings(cells, line->findings);
	rs_audit_proof_name(line->entry, proof);
	put_text(cells, COLUMN_PROOF, heading->proofs ? proof : "");
}
