/* One line of an answer: the entry, and what the state said when it came. */
#include <inttypes.h>

#include "past.h"

const char *rs_audit_finding_name(enum rs_audit_finding finding)
{
	static const char *const names[] = {
#define FINDING_NAME(name, text, sentence) [RS_AUDIT_##name] = text,
		RS_AUDIT_FINDINGS(FINDING_NAME)
#undef FINDING_NAME
	};
	return names[finding];
}

const char *rs_audit_finding_text(enum rs_audit_finding finding)
{
	static const char *const texts[] = {
#define FINDING_TEXT(name, text, sentence) [RS_AUDIT_##name] = sentence,
		RS_AUDIT_FINDINGS(FINDING_TEXT)
#undef FINDING_TEXT
	};
	return texts[finding];
}

/* Who founds the ledger is a member only afterwards. */
static enum rs_code fill_signer(struct rs_audit *audit, uint64_t index, struct rs_audit_line *line,
                                struct rs_error *err)
{
	struct past_view view = {.audit = audit, .before = index};
	const struct rs_state state = past_state(&view);
	const struct rs_member_key *signer = &line->act.signer;
	const struct past_key member = past_key_of('M', signer->bytes, RS_KEY_SIZE),
			      device = past_key_of('D', signer->bytes, RS_KEY_SIZE);
	enum rs_code code = rs_contract_person(&state, signer, &line->signer, err);
	if (code == RS_NOT_FOUND) {
		view.before++;
		code = rs_contract_person(&state, signer, &line->signer, err);
	}
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, RS_ALTERED, "its signer is nobody");
	RS_TRY(code);
	code = past_writer(audit, past_key_bytes(&member), view.before, &line->signer_entry, err);
	return code == RS_NOT_FOUND
	               ? past_writer(audit, past_key_bytes(&device), view.before, &line->signer_entry, err)
	               : code;
}

static enum rs_code fill_terms(struct rs_audit *audit, uint64_t index, const struct rs_digest *consent,
                               struct rs_audit_line *line, struct rs_error *err)
{
	struct past_view view = {.audit = audit, .before = index + 1};
	const struct rs_state state = past_state(&view);
	const struct past_key key = past_key_of_two('C', line->subject.bytes, RS_SHA256_SIZE, consent->bytes,
	                                            RS_SHA256_SIZE);
	struct rs_bytes row;
	enum rs_code code = state.get(state.context, past_key_bytes(&key), &row, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, RS_ALTERED, "the consent that it names is not there");
	RS_TRY(code);
	RS_TRY(rs_consent_row_decode(row, &line->terms, &line->terms_revoked, err));
	line->has_terms = true;
	return past_writer(audit, past_key_bytes(&key), index + 1, &line->terms_entry, err);
}

static enum rs_code fill_request(struct rs_audit *audit, uint64_t index, struct rs_audit_line *line,
                                 struct rs_error *err)
{
	struct past_view view = {.audit = audit, .before = index + 1};
	const struct rs_state state = past_state(&view);
	RS_TRY(load_object(audit, &line->act.commitment, index, &line->object_entry, err));
	line->kind = audit->other.act.kind;
	line->study = audit->other.act.study;
	RS_TRY(rs_contract_decision(&state, line->act.id, &line->decision, err));
	line->has_decision = true;
	if (line->decision.refusal == RS_REFUSAL_PURPOSE)
		line->findings |= 1u << RS_AUDIT_OUTSIDE_ROLE;
	if (line->decision.refusal == RS_REFUSAL_ERASED)
		line->findings |= 1u << RS_AUDIT_AFTER_ERASURE;
	return past_is_none(&line->decision.consent)
	               ? RS_OK
	               : fill_terms(audit, index, &line->decision.consent, line, err);
}

static uint64_t since(uint64_t now_ms, uint64_t then_ms) { return now_ms > then_ms ? now_ms - then_ms : 0; }

static enum rs_code fill_glass(struct rs_audit *audit, uint64_t index, uint64_t now_ms,
                               struct rs_audit_line *line, struct rs_error *err)
{
	const struct past_key key = past_key_of_two('G', line->act.signer.bytes, RS_KEY_SIZE, line->act.id,
	                                            RS_TRANSACTION_ID_SIZE);
	uint64_t last;
	RS_TRY(past_writer(audit, past_key_bytes(&key), UINT64_MAX, &last, err));
	if (last == index) {
		bool overdue = since(now_ms, line->act.time_ms) > RS_REVIEW_WITHIN_MS;
		line->review = overdue ? RS_AUDIT_REVIEW_OVERDUE : RS_AUDIT_REVIEW_OPEN;
		line->findings |= 1u << (overdue ? RS_AUDIT_GLASS_OVERDUE : RS_AUDIT_GLASS_OPEN);
		return RS_OK;
	}
	RS_TRY(past_load(audit, last, false, &audit->other, err));
	bool justified = audit->other.act.outcome == RS_REVIEW_JUSTIFIED;
	line->review = justified ? RS_AUDIT_JUSTIFIED : RS_AUDIT_UNJUSTIFIED;
	line->review_entry = last;
	line->review_ms = audit->other.act.time_ms;
	if (!justified)
		line->findings |= 1u << RS_AUDIT_GLASS_UNJUSTIFIED;
	if (since(line->review_ms, line->act.time_ms) > RS_REVIEW_WITHIN_MS)
		line->findings |= 1u << RS_AUDIT_GLASS_LATE;
	return RS_OK;
}

static enum rs_code fill_by_type(struct rs_audit *audit, uint64_t index, uint64_t now_ms,
                                 struct rs_audit_line *line, struct rs_error *err)
{
	switch (line->act.type) {
	case RS_TRANSACTION_OBJECT_REGISTER:
		line->kind = line->act.kind;
		line->study = line->act.study;
		return RS_OK;
	case RS_TRANSACTION_ACCESS_REQUEST: return fill_request(audit, index, line, err);
	case RS_TRANSACTION_BREAK_GLASS: return fill_glass(audit, index, now_ms, line, err);
	case RS_TRANSACTION_CONSENT_GRANT:
	case RS_TRANSACTION_CONSENT_NARROW:
	case RS_TRANSACTION_CONSENT_REVOKE: return fill_terms(audit, index, &line->act.consent, line, err);
	default: return RS_OK;
	}
}

static enum rs_code fill_backdated(struct rs_audit *audit, uint64_t index, struct rs_audit_line *line,
                                   struct rs_error *err)
{
	const struct past_key topic = past_key_of('Z', "", 0);
	bool backdated;
	RS_TRY(past_has_topic(audit, past_key_bytes(&topic), index, &backdated, err));
	if (backdated)
		line->findings |= 1u << RS_AUDIT_BACKDATED;
	return RS_OK;
}

enum rs_code fill_line(struct rs_audit *audit, uint64_t index, uint64_t now_ms, struct rs_audit_line *out,
                       struct rs_error *err)
{
	struct rs_audit_line line = {.entry = index,
	                             .act = audit->current.act,
	                             .signer_entry = RS_AUDIT_NO_ENTRY,
	                             .object_entry = RS_AUDIT_NO_ENTRY,
	                             .terms_entry = RS_AUDIT_NO_ENTRY,
	                             .review_entry = RS_AUDIT_NO_ENTRY};
	enum rs_code code = subject_of(audit, index, &line.act, &line.subject, err);
	if (code == RS_OK)
		code = fill_signer(audit, index, &line, err);
	if (code == RS_OK)
		code = fill_by_type(audit, index, now_ms, &line, err);
	if (code == RS_OK)
		code = fill_backdated(audit, index, &line, err);
	if (code == RS_NOT_FOUND)
		code = rs_error_set(err, RS_ALTERED,
		                    "what it rests on is not kept; make the audit's file anew "
		                    "with: radseal audit --replay");
	if (code != RS_OK)
		return rs_error_context(err, "entry %" PRIu64, index);
	*out = line;
	return RS_OK;
}
