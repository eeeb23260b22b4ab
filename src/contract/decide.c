/* Whether data may be used: default deny; whatever denies overrides whatever permits. */
#include <string.h>

#include "scene.h"

static bool in_period(uint64_t time_ms, uint64_t from_ms, uint64_t until_ms)
{
	return time_ms >= from_ms && (until_ms == 0 || time_ms < until_ms);
}

static bool has_study(const struct consent *consent, const struct rs_digest *study)
{
	for (size_t i = 0; i < consent->studies_size; i += RS_SHA256_SIZE)
		if (memcmp(consent->studies + i, study->bytes, RS_SHA256_SIZE) == 0)
			return true;
	return false;
}

/* Of an object whose study is not known, a denial may speak, a permission does not. */
static bool covers_study(const struct consent *consent, const struct rs_digest *study)
{
	if (consent->studies_size == 0)
		return true;
	if (!ACT_HAS(*study))
		return consent->effect == RS_CONSENT_DENY;
	return has_study(consent, study);
}

static bool speaks_about(const struct consent *consent, const struct question *question)
{
	struct rs_str organisation = name_str(&consent->organisation);
	return !consent->revoked && consent->roles >> question->signer->role & 1 &&
	       consent->purposes >> question->purpose & 1 && consent->operations >> question->operation & 1 &&
	       in_period(question->time_ms, consent->from_ms, consent->until_ms) &&
	       (organisation.size == 0 ||
	        rs_str_equal(organisation, name_str(&question->signer->organisation))) &&
	       covers_study(consent, question->study);
}

struct hearing {
	const struct question *question;
	struct voices voices;
	struct consent consent;
};

static enum rs_code hear_one(void *visitor, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	struct hearing *hearing = visitor;
	struct voices *voices = &hearing->voices;
	RS_TRY(consent_decode(value, &hearing->consent, err));
	if (key.size != 1 + 2 * RS_SHA256_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of a consent is not one");
	if (!speaks_about(&hearing->consent, hearing->question))
		return RS_OK;
	bool denies = hearing->consent.effect == RS_CONSENT_DENY;
	bool *heard = denies ? &voices->denies : &voices->permits;
	if (!*heard)
		memcpy((denies ? &voices->deny : &voices->permit)->bytes, key.data + 1 + RS_SHA256_SIZE,
		       RS_SHA256_SIZE);
	*heard = true;
	return RS_OK;
}

enum rs_code hear_consents(const struct rs_state *state, const struct question *question, struct voices *out,
                           struct rs_error *err)
{
	struct hearing hearing = {.question = question};
	struct key prefix = key_of('C', digest_bytes(question->subject));
	RS_TRY(state->each(state->context, key_bytes(&prefix), hear_one, &hearing, err));
	*out = hearing.voices;
	return RS_OK;
}

struct looking {
	const struct question *question;
	struct glasses glasses;
};

static enum rs_code look_at_one(void *visitor, struct rs_bytes key, struct rs_bytes value,
                                struct rs_error *err)
{
	struct looking *looking = visitor;
	const struct question *question = looking->question;
	struct glass glass;
	(void)key;
	RS_TRY(glass_decode(value, &glass, err));
	/* Differences, not sums: a time near the end of what 64 bits hold must not wrap around. */
	uint64_t age = question->time_ms >= glass.time_ms ? question->time_ms - glass.time_ms : 0;
	if (glass.outcome == 0 && age > RS_REVIEW_WITHIN_MS)
		looking->glasses.overdue = true;
	if (glass.outcome != RS_REVIEW_UNJUSTIFIED && question->time_ms >= glass.time_ms &&
	    age < RS_GLASS_MS && rs_digest_equal(&glass.subject, question->subject))
		looking->glasses.covers = true;
	return RS_OK;
}

enum rs_code look_at_glasses(const struct rs_state *state, const struct question *question,
                             struct glasses *out, struct rs_error *err)
{
	struct looking looking = {.question = question};
	struct key prefix = key_of('G', member_bytes(question->who));
	RS_TRY(state->each(state->context, key_bytes(&prefix), look_at_one, &looking, err));
	*out = looking.glasses;
	return RS_OK;
}

static enum rs_basis first_of(unsigned bases)
{
	static const enum rs_basis order[] = {RS_BASIS_OWN_DATA, RS_BASIS_OVERSIGHT, RS_BASIS_CARE,
	                                      RS_BASIS_CONSENT, RS_BASIS_BREAK_GLASS};
	for (size_t i = 0; i < RS_COUNT(order); i++)
		if (bases >> order[i] & 1)
			return order[i];
	return RS_BASIS_NONE;
}

/* What speaks for the signer, whatever the table asks for. */
static unsigned bases_of(const struct question *question, const struct subject *subject,
                         const struct voices *voices, const struct glasses *glasses,
                         enum rs_organisation_kind kind)
{
	struct rs_str keeper = subject ? name_str(&subject->organisation) : question->organisation;
	unsigned bases = kind == RS_ORGANISATION_REGULATOR ? RS_SET(RS_BASIS_OVERSIGHT) : 0;
	if (rs_str_equal(keeper, name_str(&question->signer->organisation)))
		bases |= RS_SET(RS_BASIS_CARE) | RS_SET(RS_BASIS_OVERSIGHT);
	if (subject && ACT_HAS(subject->patient) && rs_member_key_equal(&subject->patient, question->who))
		bases |= RS_SET(RS_BASIS_OWN_DATA);
	if (voices->permits)
		bases |= RS_SET(RS_BASIS_CONSENT);
	if (glasses->covers)
		bases |= RS_SET(RS_BASIS_BREAK_GLASS);
	return bases;
}

static void settle(const struct voices *voices, unsigned bases, struct rs_decision *out)
{
	if (voices->denies) {
		*out = (struct rs_decision){.refusal = RS_REFUSAL_CONSENT_DENIES, .consent = voices->deny};
		return;
	}
	*out = (struct rs_decision){.basis = first_of(bases)};
	if (out->basis == RS_BASIS_NONE)
		out->refusal = RS_REFUSAL_NO_CONSENT;
	if (out->basis == RS_BASIS_CONSENT)
		out->consent = voices->permit;
}

enum rs_code decide(const struct rs_state *state, const struct question *question, struct rs_decision *out,
                    struct rs_error *err)
{
	unsigned asked = rs_contract_bases(question->signer->role, question->purpose, question->operation);
	bool has_subject = ACT_HAS(*question->subject);
	struct subject subject;
	struct voices voices = {.permits = false};
	struct glasses glasses = {.covers = false};
	enum rs_organisation_kind kind;
	*out = (struct rs_decision){.refusal = RS_REFUSAL_PURPOSE};
	if (!asked)
		return RS_OK;
	if (has_subject) {
		enum rs_code code = subject_get(state, question->subject, &subject, err);
		*out = (struct rs_decision){.refusal = RS_REFUSAL_UNKNOWN_SUBJECT};
		if (code != RS_OK)
			return code == RS_NOT_FOUND ? RS_OK : code;
		*out = (struct rs_decision){.refusal = RS_REFUSAL_ERASED};
		if (subject.erased)
			return RS_OK;
		RS_TRY(hear_consents(state, question, &voices, err));
	}
	RS_TRY(look_at_glasses(state, question, &glasses, err));
	RS_TRY(kind_of(state, name_str(&question->signer->organisation), &kind, err));
	*out = (struct rs_decision){.refusal = RS_REFUSAL_REVIEW_OVERDUE};
	if (!glasses.overdue)
		settle(&voices,
		       asked & bases_of(question, has_subject ? &subject : NULL, &voices, &glasses, kind),
		       out);
	return RS_OK;
}
