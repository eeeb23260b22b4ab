/* Hostile FHIR consents: refused by a sentence, or rules of ours that are written and read alike. */
#include <assert.h>
#include <string.h>

#include "consent/consent_fhir.h"

static void write_and_read(const struct rs_fhir_consent *consent, size_t rule, enum rs_fhir_version version)
{
	struct rs_fhir_consent one = {.subject = consent->subject, .consent = consent->consent, .count = 1},
			       again;
	struct rs_fhir_context nobody = {.subject = NULL};
	struct rs_buffer json, notes;
	struct rs_error err = {0};
	one.rules[0] = consent->rules[rule];
	rs_buffer_init(&json, RS_FHIR_SIZE_MAX);
	rs_buffer_init(&notes, RS_FHIR_SIZE_MAX);
	if (rs_fhir_consent_write(version, &one, &json, &err) == RS_OK) {
		enum rs_code code = rs_fhir_consent_read(rs_buffer_bytes(&json), &nobody, &again, &notes,
		                                         &err);
		assert(code == RS_OK && again.count == 1);
		assert(rs_consent_terms_equal(&again.rules[0], &one.rules[0]));
		assert(rs_digest_equal(&again.subject, &one.subject));
	}
	rs_buffer_finish(&json);
	rs_buffer_finish(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rs_digest subject = {{7}};
	struct rs_fhir_context context = {.subject = NULL};
	struct rs_fhir_consent consent;
	struct rs_buffer notes;
	struct rs_error err = {0};
	if (size % 2) { /* with what references stand for, and without */
		context.subject = &subject;
		context.organisation = RS_STR("Research");
		context.policy = RS_STR("http://a/b");
	}
	rs_buffer_init(&notes, RS_FHIR_SIZE_MAX);
	enum rs_code code = rs_fhir_consent_read(rs_bytes_of(data, size), &context, &consent, &notes, &err);
	assert(code == RS_OK || (err.message[0] && notes.size == 0));
	if (code == RS_OK) {
		assert(consent.count >= 1 && consent.count <= RS_FHIR_RULES_MAX);
		for (size_t i = 0; i < consent.count; i++) {
			const struct rs_consent_terms *terms = &consent.rules[i];
			assert(terms->roles && terms->purposes && terms->operations);
			assert(terms->effect == RS_CONSENT_DENY || terms->organisation_size);
			assert(!terms->until_ms || terms->from_ms < terms->until_ms);
			write_and_read(&consent, i, RS_FHIR_R4);
			write_and_read(&consent, i, RS_FHIR_R5);
		}
	}
	rs_buffer_finish(&notes);
	return 0;
}
