/* FHIR consents are read here: the document around the provisions. */
#include <string.h>

#include "fhir.h"

#define NOTES_MAX ((size_t)65536)

static enum rs_code expect_text(const json_t *value, const char *wanted, struct rs_error *err)
{
	const char *text = json_string_value(value);
	return text && strcmp(text, wanted) == 0
	               ? RS_OK
	               : rs_error_set(err, RS_UNSUPPORTED, "%.60s stands where %s must",
	                              text ? text : "something", wanted);
}

static enum rs_code read_resource_type(struct fhir_reading *reading, const json_t *value, void *target,
                                       struct rs_error *err)
{
	(void)reading, (void)target;
	return expect_text(value, "Consent", err);
}

static enum rs_code read_status(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	(void)reading, (void)target;
	return expect_text(value, "active", err);
}

/* A concept whose codes have to be among some that change nothing. */
static enum rs_code read_harmless(struct fhir_reading *reading, const json_t *value,
                                  const struct fhir_codes *codes, struct rs_error *err)
{
	uint32_t ignored = 0;
	return fhir_read_concept(reading, value, codes, &ignored, err);
}

static enum rs_code read_scope(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	static const struct fhir_code list[] = {{SYSTEM_SCOPE, "patient-privacy", 1},
	                                        {SYSTEM_SCOPE, "research", 1}};
	static const struct fhir_codes codes = {list, RS_COUNT(list), "a consent about data"};
	(void)target;
	return read_harmless(reading, value, &codes, err);
}

static enum rs_code read_category(struct fhir_reading *reading, const json_t *value, void *target,
                                  struct rs_error *err)
{
	static const struct fhir_code list[] = {
		{SYSTEM_LOINC, "59284-0", 1},  /* patient consent */
		{SYSTEM_LOINC, "57016-8", 1},  /* privacy policy acknowledgement */
		{SYSTEM_ACT_CODE, "INFA", 1},  /* information access */
		{SYSTEM_ACT_CODE, "IDSCL", 1}, /* information disclosure */
		{SYSTEM_ACT_CODE, "RESEARCH", 1}};
	static const struct fhir_codes codes = {list, RS_COUNT(list), "a category that carries no rule"};
	(void)target;
	return read_harmless(reading, value, &codes, err);
}

static enum rs_code read_categories(struct fhir_reading *reading, const json_t *value, void *target,
                                    struct rs_error *err)
{
	return fhir_read_each(reading, value, read_category, target, err);
}

static enum rs_code read_basis(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	return fhir_read_each(reading, value, read_category, target, err);
}

static enum rs_code read_name(struct fhir_reading *reading, const json_t *value, void *target,
                              struct rs_error *err)
{
	struct fhir_reference identifier = {NULL, NULL, NULL};
	(void)target;
	RS_TRY(fhir_read_reference(reading, value, &identifier, err));
	if (!fhir_reference_digest(&identifier, SYSTEM_CONSENT, &reading->out->consent))
		rs_buffer_append_text(reading->notes, "identifier carries no rule and is left out\n");
	return rs_buffer_check(reading->notes, "notes on a consent", err);
}

static enum rs_code read_names(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	return fhir_read_each(reading, value, read_name, target, err);
}

static enum rs_code read_subject(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	struct fhir_reference reference = {NULL, NULL, NULL};
	const struct rs_digest *given = reading->context->subject;
	(void)target;
	RS_TRY(fhir_read_reference(reading, value, &reference, err));
	if (fhir_reference_digest(&reference, SYSTEM_SUBJECT, &reading->out->subject)) {
		if (given && !rs_digest_equal(given, &reading->out->subject))
			return rs_error_set(err, RS_UNSUPPORTED, "it is another subject than the one given");
		return RS_OK;
	}
	if (!given)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"%.80s: say which subject that is, or name it by an identifier with system " SYSTEM_SUBJECT,
			reference.literal ? reference.literal : "it");
	reading->out->subject = *given;
	rs_buffer_printf(reading->notes, "%.80s is taken for the subject given\n",
	                 reference.literal ? reference.literal : "the patient");
	return rs_buffer_check(reading->notes, "notes on a consent", err);
}

static enum rs_code read_policy_rule(struct fhir_reading *reading, const json_t *value, void *target,
                                     struct rs_error *err)
{
	static const struct fhir_code list[] = {{SYSTEM_ACT_CODE, "OPTIN", RS_SET(RS_CONSENT_PERMIT)},
	                                        {SYSTEM_ACT_CODE, "OPTOUT", RS_SET(RS_CONSENT_DENY)}};
	static const struct fhir_codes codes = {list, RS_COUNT(list), "a base rule"};
	uint32_t base = 0;
	(void)target;
	RS_TRY(fhir_read_concept(reading, value, &codes, &base, err));
	reading->base = base == RS_SET(RS_CONSENT_PERMIT) ? RS_CONSENT_PERMIT : RS_CONSENT_DENY;
	return RS_OK;
}

static enum rs_code read_decision(struct fhir_reading *reading, const json_t *value, void *target,
                                  struct rs_error *err)
{
	const char *text = json_string_value(value);
	(void)target;
	if (!text || (strcmp(text, "permit") != 0 && strcmp(text, "deny") != 0))
		return rs_error_set(err, RS_MALFORMED, "permit or deny must stand here");
	reading->base = text[0] == 'p' ? RS_CONSENT_PERMIT : RS_CONSENT_DENY;
	return RS_OK;
}

static enum rs_code read_whole_period(struct fhir_reading *reading, const json_t *value, void *target,
                                      struct rs_error *err)
{
	(void)target;
	return fhir_read_period(reading, value, &reading->whole, err);
}

static enum rs_code keep_provision(struct fhir_reading *reading, const json_t *value, void *target,
                                   struct rs_error *err)
{
	bool is_list = reading->version == RS_FHIR_R5;
	(void)target;
	if (is_list ? !json_is_array(value) || json_array_size(value) == 0 : !json_is_object(value))
		return rs_error_set(err, RS_MALFORMED, "%s must stand here",
		                    is_list ? "a list that is not empty" : "an object");
	reading->provision = value;
	return RS_OK;
}

static enum rs_code read_verified(struct fhir_reading *reading, const json_t *value, void *target,
                                  struct rs_error *err)
{
	(void)reading, (void)target;
	return json_is_true(value) ? RS_OK
	                           : rs_error_set(err, RS_UNSUPPORTED, "this consent was not verified");
}

static enum rs_code read_verification(struct fhir_reading *reading, const json_t *value, void *target,
                                      struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"verified", read_verified, NULL},
	                                               {"verificationType", NULL, NULL},
	                                               {"verifiedBy", NULL, NULL},
	                                               {"verifiedWith", NULL, NULL},
	                                               {"verificationDate", NULL, NULL}};
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), target, err);
}

static enum rs_code read_verifications(struct fhir_reading *reading, const json_t *value, void *target,
                                       struct rs_error *err)
{
	return fhir_read_each(reading, value, read_verification, target, err);
}

/* A rule outside of the document: who imports it has to know what it says. */
static enum rs_code read_policy_uri(struct fhir_reading *reading, const json_t *value, void *target,
                                    struct rs_error *err)
{
	struct rs_str given = reading->context->policy;
	const char *uri;
	(void)target;
	RS_TRY(fhir_read_text(value, &uri, err));
	if (given.size == 0 || !rs_str_equal_text(given, uri))
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"%.120s: what it says is not known here; name it as the policy that changes "
			"nothing, when it does not",
			uri);
	rs_buffer_printf(reading->notes, "policy %.120s is taken to change nothing\n", uri);
	return rs_buffer_check(reading->notes, "notes on a consent", err);
}

static enum rs_code read_policy(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	static const struct fhir_element elements[] = {
		{"uri", read_policy_uri, NULL}, {"url", read_policy_uri, NULL}, {"authority", NULL, NULL}};
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), target, err);
}

static enum rs_code read_policies(struct fhir_reading *reading, const json_t *value, void *target,
                                  struct rs_error *err)
{
	return fhir_read_each(reading, value, read_policy, target, err);
}

static const struct fhir_element document_r4[] = {
	{"resourceType", read_resource_type, NULL},
	{"status", read_status, NULL},
	{"scope", read_scope, NULL},
	{"category", read_categories, NULL},
	{"identifier", read_names, NULL},
	{"patient", read_subject, NULL},
	{"policyRule", read_policy_rule, NULL},
	{"provision", keep_provision, NULL},
	{"verification", read_verifications, NULL},
	{"policy", read_policies, NULL},
	{"id", NULL, NULL},
	{"meta", NULL, NULL},
	{"language", NULL, NULL},
	{"text", NULL, NULL},
	{"dateTime", NULL, NULL},
	{"performer", NULL, NULL},
	{"organization", NULL, NULL},
	{"sourceAttachment", NULL, NULL},
	{"sourceReference", NULL, NULL},
};
static const struct fhir_element document_r5[] = {
	{"resourceType", read_resource_type, NULL},
	{"status", read_status, NULL},
	{"category", read_categories, NULL},
	{"identifier", read_names, NULL},
	{"subject", read_subject, NULL},
	{"period", read_whole_period, NULL},
	{"decision", read_decision, NULL},
	{"provision", keep_provision, NULL},
	{"verification", read_verifications, NULL},
	{"regulatoryBasis", read_basis, NULL},
	{"policyBasis", read_policy, NULL},
	{"grantee", NULL, "name who receives data as an actor of a provision"},
	{"id", NULL, NULL},
	{"meta", NULL, NULL},
	{"language", NULL, NULL},
	{"text", NULL, NULL},
	{"date", NULL, NULL},
	{"grantor", NULL, NULL},
	{"manager", NULL, NULL},
	{"controller", NULL, NULL},
	{"sourceAttachment", NULL, NULL},
	{"sourceReference", NULL, NULL},
	{"policyText", NULL, NULL},
};

static enum rs_code read_document(struct fhir_reading *reading, const json_t *document, struct rs_error *err)
{
	bool is_r4 = reading->version == RS_FHIR_R4;
	const char *const needed[] = {"resourceType", "status", is_r4 ? "patient" : "subject"};
	for (size_t i = 0; i < RS_COUNT(needed); i++)
		if (!json_object_get(document, needed[i]))
			return rs_error_set(err, RS_MALFORMED, "%s is missing (FHIR R%d)", needed[i],
			                    (int)reading->version);
	RS_TRY(fhir_read_object(reading, document, is_r4 ? document_r4 : document_r5,
	                        is_r4 ? RS_COUNT(document_r4) : RS_COUNT(document_r5), NULL, err));
	return fhir_read_rules(reading, err);
}

static void json_finish(json_t **document) { json_decref(*document); }

enum rs_code rs_fhir_consent_read(struct rs_bytes json, const struct rs_fhir_context *context,
                                  struct rs_fhir_consent *out, struct rs_buffer *notes, struct rs_error *err)
{
	struct rs_buffer own_notes RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_fhir_consent consent = {.count = 0};
	struct fhir_reading reading = {.context = context, .out = &consent, .notes = &own_notes};
	json_error_t fault;
	if (json.size > RS_FHIR_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "FHIR Consent: %zu bytes, at most %zu", json.size,
		                    RS_FHIR_SIZE_MAX);
	json_t *document RS_CLEANUP(json_finish) = json_loadb((const char *)json.data, json.size,
	                                                      JSON_REJECT_DUPLICATES, &fault);
	if (!json_is_object(document))
		return rs_error_set(err, RS_MALFORMED, "FHIR Consent: line %d: %s", document ? 1 : fault.line,
		                    document ? "an object must stand here" : fault.text);
	rs_buffer_init(&own_notes, NOTES_MAX);
	reading.version = json_object_get(document, "scope") ? RS_FHIR_R4 : RS_FHIR_R5;
	if (read_document(&reading, document, err) != RS_OK)
		return rs_error_context(err, "FHIR Consent");
	rs_buffer_append_bytes(notes, rs_buffer_bytes(&own_notes));
	RS_TRY(rs_buffer_check(notes, "notes on a consent", err));
	*out = consent;
	return RS_OK;
}
