/* What a ledger says beside a token: its denials, and what became of the token's consent. */
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
	row.blocks[0].id = consent->name;
	row.blocks[0].terms = consent->terms;
	rs_consent_judge(&row, 1, &trust, hearing->question, &answer);
	if (answer.refusal == RS_REFUSAL_CONSENT_DENIES && !consent->revoked)
		hearing->denial = answer;
	for (size_t i = 0; i < hearing->count; i++) {
		if (!rs_digest_equal(&consent->name, rs_consent_token_name(&hearing->tokens[i])))
			continue;
		hearing->revoked[i] |= consent->revoked;
		hearing->permits[i] |= answer.refusal == RS_REFUSAL_NONE && !consent->revoked;
	}
}

static enum rs_code hear_row(struct rs_consent_hearing *hearing, const uint8_t *name, struct rs_bytes row,
                             struct rs_error *err)
{
	struct rs_consent_facts consent = {.subject = hearing->question->subject};
	memcpy(consent.name.bytes, name, RS_SHA256_SIZE);
	RS_TRY(rs_consent_row_decode(row, &consent.terms, &consent.revoked, err));
	rs_consent_hear(hearing, &consent);
	return RS_OK;
}

enum rs_code rs_consent_hear_proved(struct rs_consent_hearing *hearing, struct rs_bytes key,
                                    struct rs_bytes value, struct rs_error *err)
{
	struct rs_bytes name, row;
	bool fits = key.size > RS_SHA256_SIZE && key.data[0] == RS_MAP_CONSENTS_LETTER &&
	            memcmp(key.data + 1, hearing->question->subject.bytes, RS_SHA256_SIZE) == 0;
	if (fits && key.size == RS_CONSENT_KEY_SIZE)
		return value.size ? hear_row(hearing, key.data + 1 + RS_SHA256_SIZE, value, err) : RS_OK;
	if (!fits || key.size != 1 + RS_SHA256_SIZE)
		return rs_error_set(err, RS_ALTERED, "the proof is none of consents of the token's subject");
	while (rs_map_next_consent(&value, &name, &row))
		RS_TRY(hear_row(hearing, name.data, row, err));
	return value.size == 0 ? RS_OK : rs_error_set(err, RS_ALTERED, "the proof's list of consents is cut");
}
