/* Terms of consents as values, and the rows that hold them. */
#include <string.h>

#include "contract/contract_consents.h"
#include "rows.h"

struct rs_str rs_consent_terms_organisation(const struct rs_consent_terms *terms)
{
	return (struct rs_str){terms->organisation, terms->organisation_size};
}

struct rs_bytes rs_consent_terms_studies(const struct rs_consent_terms *terms)
{
	return rs_bytes_of(terms->studies, terms->studies_size);
}

bool rs_consent_terms_equal(const struct rs_consent_terms *a, const struct rs_consent_terms *b)
{
	return a->effect == b->effect && a->roles == b->roles && a->purposes == b->purposes &&
	       a->operations == b->operations && a->from_ms == b->from_ms && a->until_ms == b->until_ms &&
	       rs_str_equal(rs_consent_terms_organisation(a), rs_consent_terms_organisation(b)) &&
	       rs_bytes_equal(rs_consent_terms_studies(a), rs_consent_terms_studies(b));
}

void rs_consent_terms_to_act(const struct rs_consent_terms *terms, struct rs_act *act)
{
	act->effect = terms->effect;
	act->organisation = rs_consent_terms_organisation(terms);
	act->roles = terms->roles;
	act->purposes = terms->purposes;
	act->operations = terms->operations;
	act->from_ms = terms->from_ms;
	act->until_ms = terms->until_ms;
	act->studies = rs_consent_terms_studies(terms);
}

void rs_consent_key(const struct rs_digest *subject, const struct rs_digest *consent,
                    uint8_t out[static RS_CONSENT_KEY_SIZE])
{
	struct key key = key_of_two('C', digest_bytes(subject), digest_bytes(consent));
	memcpy(out, key.bytes, RS_CONSENT_KEY_SIZE);
}

static void terms_of(const struct consent *consent, struct rs_consent_terms *out)
{
	*out = (struct rs_consent_terms){.effect = consent->effect,
	                                 .organisation_size = consent->organisation.size,
	                                 .roles = consent->roles,
	                                 .purposes = consent->purposes,
	                                 .operations = consent->operations,
	                                 .from_ms = consent->from_ms,
	                                 .until_ms = consent->until_ms,
	                                 .studies_size = consent->studies_size};
	memcpy(out->organisation, consent->organisation.text, consent->organisation.size);
	memcpy(out->studies, consent->studies, consent->studies_size);
}

enum rs_code rs_consent_row_decode(struct rs_bytes row, struct rs_consent_terms *out, bool *out_revoked,
                                   struct rs_error *err)
{
	struct consent consent = {.revoked = false};
	RS_TRY(consent_decode(row, &consent, err));
	terms_of(&consent, out);
	*out_revoked = consent.revoked;
	return RS_OK;
}

struct listing {
	rs_consent_visit *visit;
	void *visitor;
};

static enum rs_code list_one(void *visitor, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	struct listing *listing = visitor;
	struct rs_consent_facts facts;
	if (key.size != RS_CONSENT_KEY_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of a consent is not one");
	memcpy(facts.subject.bytes, key.data + 1, RS_SHA256_SIZE);
	memcpy(facts.name.bytes, key.data + 1 + RS_SHA256_SIZE, RS_SHA256_SIZE);
	RS_TRY(rs_consent_row_decode(value, &facts.terms, &facts.revoked, err));
	return listing->visit(listing->visitor, &facts, err);
}

enum rs_code rs_contract_consents(const struct rs_state *state, const struct rs_digest *subject,
                                  rs_consent_visit *visit, void *visitor, struct rs_error *err)
{
	struct listing listing = {visit, visitor};
	struct key prefix = key_of('C', subject ? digest_bytes(subject) : (struct rs_bytes){.size = 0});
	return state->each(state->context, key_bytes(&prefix), list_one, &listing, err);
}
