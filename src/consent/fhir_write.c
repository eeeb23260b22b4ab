/* FHIR consents are written here: one rule, every limit stated. */
#include "fhir.h"

static void write_text(struct rs_json *json, const char *key, const char *value)
{
	rs_json_key(json, key);
	rs_json_text(json, value);
}

static void write_coding_in(struct rs_json *json, const char *system, const char *code)
{
	rs_json_object_begin(json);
	write_text(json, "system", system);
	write_text(json, "code", code);
	rs_json_object_end(json);
}

static void write_concept(struct rs_json *json, const char *system, const char *code)
{
	rs_json_object_begin(json);
	rs_json_key(json, "coding");
	rs_json_array_begin(json);
	write_coding_in(json, system, code);
	rs_json_array_end(json);
	rs_json_object_end(json);
}

static void write_identifier(struct rs_json *json, const char *system, struct rs_str value)
{
	rs_json_object_begin(json);
	write_text(json, "system", system);
	rs_json_key(json, "value");
	rs_json_str(json, value);
	rs_json_object_end(json);
}

static void write_reference(struct rs_json *json, const char *type, const char *system, struct rs_str value)
{
	rs_json_object_begin(json);
	write_text(json, "type", type);
	rs_json_key(json, "identifier");
	write_identifier(json, system, value);
	rs_json_object_end(json);
}

static void write_digest_reference(struct rs_json *json, const char *type, const char *system,
                                   const uint8_t *digest)
{
	char hex[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(digest, RS_SHA256_SIZE), hex);
	write_reference(json, type, system, rs_str_from(hex));
}

static void write_time(struct rs_json *json, const char *key, uint64_t time_ms)
{
	char text[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(time_ms, text);
	write_text(json, key, text);
}

/* The end is part of a FHIR period: the last millisecond. */
static void write_period(struct rs_json *json, const struct rs_consent_terms *terms)
{
	if (!terms->from_ms && !terms->until_ms)
		return;
	rs_json_key(json, "period");
	rs_json_object_begin(json);
	if (terms->from_ms)
		write_time(json, "start", terms->from_ms);
	if (terms->until_ms)
		write_time(json, "end", terms->until_ms - 1);
	rs_json_object_end(json);
}

static void write_actor(struct rs_json *json, const struct rs_consent_terms *terms, const char *system,
                        const char *role)
{
	rs_json_object_begin(json);
	rs_json_key(json, "role");
	write_concept(json, system, role);
	rs_json_key(json, "reference");
	if (terms->organisation_size)
		write_reference(json, "Organization", SYSTEM_ORGANISATION,
		                rs_consent_terms_organisation(terms));
	else
		write_reference(json, "Organization", SYSTEM_ANYONE, RS_STR("any"));
	rs_json_object_end(json);
}

static void write_actors(struct rs_json *json, const struct rs_consent_terms *terms)
{
	if (terms->roles == RS_SET_ROLES_ALL && !terms->organisation_size)
		return;
	rs_json_key(json, "actor");
	rs_json_array_begin(json);
	if (terms->roles == RS_SET_ROLES_ALL)
		write_actor(json, terms, SYSTEM_PARTICIPATION, "IRCP");
	for (unsigned role = 1; role < RS_ROLE_COUNT && terms->roles != RS_SET_ROLES_ALL; role++)
		if (terms->roles >> role & 1)
			write_actor(json, terms, SYSTEM_ROLE, rs_role_name((enum rs_role)role));
	rs_json_array_end(json);
}

/* Our operation, and HL7's word for it. */
static void write_action(struct rs_json *json, unsigned operation)
{
	rs_json_object_begin(json);
	rs_json_key(json, "coding");
	rs_json_array_begin(json);
	for (size_t i = 0; i < fhir_actions.count; i++)
		if (fhir_actions.list[i].set >> operation & 1)
			write_coding_in(json, fhir_actions.list[i].system, fhir_actions.list[i].code);
	rs_json_array_end(json);
	rs_json_object_end(json);
}

static void write_actions(struct rs_json *json, const struct rs_consent_terms *terms)
{
	rs_json_key(json, "action");
	rs_json_array_begin(json);
	for (unsigned operation = RS_OPERATION_READ; operation <= RS_OPERATION_EXPORT; operation++)
		if (terms->operations >> operation & 1)
			write_action(json, operation);
	rs_json_array_end(json);
}

static void write_purposes(struct rs_json *json, const struct rs_consent_terms *terms)
{
	rs_json_key(json, "purpose");
	rs_json_array_begin(json);
	for (size_t i = 0; i < fhir_purposes.count; i++)
		if (terms->purposes & fhir_purposes.list[i].set)
			write_coding_in(json, fhir_purposes.list[i].system, fhir_purposes.list[i].code);
	rs_json_array_end(json);
}

static void write_data(struct rs_json *json, const struct rs_consent_terms *terms)
{
	if (!terms->studies_size)
		return;
	rs_json_key(json, "data");
	rs_json_array_begin(json);
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE) {
		rs_json_object_begin(json);
		write_text(json, "meaning", "instance");
		rs_json_key(json, "reference");
		write_digest_reference(json, "ImagingStudy", SYSTEM_STUDY, terms->studies + i);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
}

static void write_denial_r5(struct rs_json *json)
{
	rs_json_key(json, "modifierExtension");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	write_text(json, "url", R4_TYPE_IN_R5);
	write_text(json, "valueCode", "deny");
	rs_json_object_end(json);
	rs_json_array_end(json);
}

static void write_rules(struct rs_json *json, enum rs_fhir_version version,
                        const struct rs_consent_terms *terms)
{
	bool denies = terms->effect == RS_CONSENT_DENY;
	rs_json_key(json, "provision");
	if (version == RS_FHIR_R4) { /* the type does not stand in the first one */
		rs_json_object_begin(json);
		rs_json_key(json, "provision");
	}
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	if (version == RS_FHIR_R4)
		write_text(json, "type", denies ? "deny" : "permit");
	else if (denies)
		write_denial_r5(json);
	write_period(json, terms);
	write_actors(json, terms);
	write_actions(json, terms);
	write_purposes(json, terms);
	write_data(json, terms);
	rs_json_object_end(json);
	rs_json_array_end(json);
	if (version == RS_FHIR_R4)
		rs_json_object_end(json);
}

static void write_head(struct rs_json *json, enum rs_fhir_version version,
                       const struct rs_fhir_consent *consent)
{
	char name[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(consent->consent.bytes, RS_SHA256_SIZE), name);
	write_text(json, "resourceType", "Consent");
	rs_json_key(json, "identifier");
	rs_json_array_begin(json);
	write_identifier(json, SYSTEM_CONSENT, rs_str_from(name));
	rs_json_array_end(json);
	write_text(json, "status", consent->revoked ? "inactive" : "active");
	if (version == RS_FHIR_R4) {
		rs_json_key(json, "scope");
		write_concept(json, SYSTEM_SCOPE, "patient-privacy");
	}
	rs_json_key(json, "category");
	rs_json_array_begin(json);
	write_concept(json, SYSTEM_ACT_CODE, "INFA");
	rs_json_array_end(json);
	rs_json_key(json, version == RS_FHIR_R4 ? "patient" : "subject");
	write_digest_reference(json, "Patient", SYSTEM_SUBJECT, consent->subject.bytes);
}

static void write_date_and_base(struct rs_json *json, enum rs_fhir_version version,
                                const struct rs_fhir_consent *consent)
{
	char text[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(consent->issued_ms, text);
	if (version == RS_FHIR_R5)
		text[10] = '\0'; /* the day */
	if (consent->issued_ms)
		write_text(json, version == RS_FHIR_R4 ? "dateTime" : "date", text);
	if (version == RS_FHIR_R5) {
		write_text(json, "decision", "deny");
		return;
	}
	rs_json_key(json, "policyRule");
	write_concept(json, SYSTEM_ACT_CODE,
	              consent->rules[0].effect == RS_CONSENT_DENY ? "OPTOUT" : "OPTIN");
}

enum rs_code rs_fhir_consent_write(enum rs_fhir_version version, const struct rs_fhir_consent *consent,
                                   struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_consent_terms *terms = &consent->rules[0];
	struct rs_json json;
	if (terms->from_ms > FHIR_TIME_MAX_MS || terms->until_ms > FHIR_TIME_MAX_MS ||
	    consent->issued_ms > FHIR_TIME_MAX_MS)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "FHIR writes no time after the year 9999: narrow the consent's period");
	rs_json_init(&json, out, true);
	rs_json_object_begin(&json);
	write_head(&json, version, consent);
	write_date_and_base(&json, version, consent);
	write_rules(&json, version, terms);
	rs_json_object_end(&json);
	rs_buffer_append_text(out, "\n");
	return rs_buffer_check(out, "a FHIR consent", err);
}
