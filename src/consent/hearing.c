/* What a ledger says beside a token: its denials, and what became of the token's consent. */
#include <stdio.h>
#include <string.h>

#include "consent/consent.h"
#include "ledger/ledger_head.h"

/* A consent of the ledger answers as a token of one block does. */
void rs_consent_hear(struct rs_consent_hearing *hearing, const struct rs_consent_facts *consent)
{
	static const struct rs_member_key ledger;
	static const struct rs_consent_trust trust = {.issuers = &ledger, .issuer_count = 1};
	struct rs_consent_token row = {
		.subject = consent->subject, .effect = consent->terms.effect, .count = 1};
	struct rs_consent_answer answer;
	bool is_asked = rs_digest_equal(&consent->name, &hearing->name);
	if (consent->revoked) {
		hearing->revoked |= is_asked;
		return;
	}
	row.blocks[0].id = consent->name;
	row.blocks[0].terms = consent->terms;
	rs_consent_judge(&row, 1, &trust, hearing->question, &answer);
	if (answer.refusal == RS_REFUSAL_CONSENT_DENIES)
		hearing->denial = answer;
	hearing->permits |= answer.refusal == RS_REFUSAL_NONE && is_asked;
}

static enum rs_code hear_one(struct rs_consent_hearing *hearing, struct rs_bytes name, struct rs_bytes row,
                             struct rs_error *err)
{
	struct rs_consent_facts consent = {.subject = hearing->question->subject};
	memcpy(consent.name.bytes, name.data, RS_SHA256_SIZE);
	RS_TRY(rs_consent_row_decode(row, &consent.terms, &consent.revoked, err));
	rs_consent_hear(hearing, &consent);
	return RS_OK;
}

enum rs_code rs_consent_hear_proved(struct rs_consent_hearing *hearing, struct rs_bytes key,
                                    struct rs_bytes value, struct rs_error *err)
{
	uint8_t asked[RS_CONSENT_KEY_SIZE]; /* of all, the beginning of it */
	struct rs_bytes name, row;
	rs_consent_key(&hearing->question->subject, &hearing->name, asked);
	bool is_of_one = key.size == sizeof asked;
	if ((!is_of_one && key.size != 1 + RS_SHA256_SIZE) || memcmp(key.data, asked, key.size) != 0)
		return rs_error_set(err, RS_ALTERED,
		                    "the proof is not one of this consent, or of its subject's consents");
	if (is_of_one)
		return value.size ? hear_one(hearing, rs_bytes_of(hearing->name.bytes, RS_SHA256_SIZE), value,
		                             err)
		                  : RS_OK;
	while (rs_map_next_consent(&value, &name, &row))
		RS_TRY(hear_one(hearing, name, row, err));
	return value.size == 0 ? RS_OK : rs_error_set(err, RS_ALTERED, "the proof's list of consents is cut");
}

void rs_consent_settle(const struct rs_consent_hearing *hearing, struct rs_consent_answer *answer)
{
	enum rs_refusal refusal = hearing->revoked ? RS_REFUSAL_CONSENT_REVOKED : RS_REFUSAL_NO_CONSENT;
	if (answer->refusal != RS_REFUSAL_NONE || (hearing->permits && !hearing->denial.refusal))
		return;
	if (hearing->denial.refusal) {
		*answer = hearing->denial;
		return;
	}
	*answer = (struct rs_consent_answer){.refusal = refusal};
	snprintf(answer->sentence, sizeof answer->sentence, "%s%s", rs_refusal_text(refusal),
	         hearing->revoked ? "" : " (the ledger has the token's consent not, or narrower)");
}
