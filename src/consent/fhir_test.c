/* FHIR consents: what we write is read back alike; what others write is read as the specification has it, or refused by a
 * sentence that names the element. The documents are ours, in the form of HL7's examples. */
#include "consent/consent_fhir.h"
#include "consent_test.h"

#define SUBJECT "0505050505050505050505050505050505050505050505050505050505050505"
#define STUDY "0606060606060606060606060606060606060606060606060606060606060606"
#define R4                                                                                 \
	"{'resourceType':'Consent','status':'active','scope':{'coding':[{'system':'" SCOPE \
	"','code':'patient-privacy'}]}"
#define SCOPE "http://terminology.hl7.org/CodeSystem/consentscope"
#define R5 "{'resourceType':'Consent','status':'active'"
#define WHO "'identifier':{'system':'https://radseal.local/fhir/subject','value':'" SUBJECT "'}"
#define ACTION(code) \
	"{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/consentaction','code':'" code "'}]}"
#define PURPOSE(code) "{'system':'http://terminology.hl7.org/CodeSystem/v3-ActReason','code':'" code "'}"
#define ACTOR(role, name)                                                                                         \
	"{'role':{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/v3-ParticipationType','code':'" role \
	"'}]},'reference':{'identifier':{'system':'https://radseal.local/fhir/organisation','value':'" name       \
	"'}}}"
#define RULE(base)                                                                     \
	"'policyRule':{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/v3-" \
	"ActCode','code':'" base "'}]}"
#define PERMIT_R4 "'provision':{'type':'permit','actor':[" ACTOR("IRCP", "Research") "]"

struct reading {
	struct rs_fhir_consent consent;
	struct rs_error err;
	struct rs_buffer notes;
};

static const struct rs_digest some_subject = {
	{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}};

/* ' stands for ". */
static enum rs_code read_text(const char *text, bool is_given, struct reading *out)
{
	static char json[8192];
	struct rs_fhir_context context = {is_given ? &some_subject : NULL, RS_STR(""), RS_STR("")};
	size_t size = strlen(text);
	assert_true(size < sizeof json);
	for (size_t i = 0; i < size; i++)
		json[i] = (char)(text[i] == '\'' ? '"' : text[i]);
	if (is_given)
		context.organisation = RS_STR("Research"), context.policy = RS_STR("http://a/b");
	memset(out, 0, sizeof *out);
	rs_buffer_init(&out->notes, 65536);
	return rs_fhir_consent_read(rs_bytes_of(json, size), &context, &out->consent, &out->notes, &out->err);
}

static void refusals_name_the_element(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"[]", "an object"},
		{"{", "line 1"},
		{"{'a':1,'a':2}", "duplicate"},
		{"{'resourceType':'Patient','status':'active','subject':{}}", "resourceType"},
		{R5 "}", "subject is missing"},
		{"{'resourceType':'Consent','status':'draft','subject':{" WHO "}}", "status: draft"},
		{R5 ",'subject':{'reference':'Patient/1'},'decision':'deny'}", "subject: Patient/1"},
		{R5 ",'subject':{" WHO "}}", "provision is missing"},
		{R5 ",'subject':{" WHO "},'decision':'permit'}", "provision is missing"},
		{R5 ",'subject':{" WHO
	            "},'decision':'permit','provision':[{'actor':[" ACTOR("IRCP", "A") "]}]}",
	         "decision: it permits everyone"},
		{R5 ",'subject':{" WHO "},'provision':[{'actor':[" ACTOR("IRCP", "A") "]}]}",
	         "type is missing"},
		{R5 ",'subject':{" WHO "},'decision':'deny','provision':[{'actor':[" ACTOR("CST", "A") "]}]}",
	         "provision: [0]: actor: [0]: role: coding: [0]"},
		{R5 ",'subject':{" WHO "},'decision':'deny','provision':[{'actor':[" ACTOR(
			 "IRCP", "A") "," ACTOR("IRCP", "B") "]}]}",
	         "actor: [1]: reference: a consent is given to one organisation"},
		{R5 ",'subject':{" WHO
	            "},'decision':'deny','provision':[{'actor':[" ACTOR("IRCP", "A") "],"
	                                                                             "'expression':{}}]}",
	         "expression: consents of ours do not speak"},
		{R5 ",'subject':{" WHO "},'decision':'deny','grantee':[]}", "grantee"},
		{R5 ",'subject':{" WHO "},'decision':'deny','implicitRules':'x'}", "implicitRules"},
		{R5 ",'subject':{" WHO "},'decision':'deny','policyBasis':{'url':'http://a/b'}}",
	         "policyBasis: url: http://a/b"},
		{R5 ",'subject':{" WHO "},'decision':'deny','provision':[{'actor':[" ACTOR(
			 "IRCP",
			 "A") "],'provision':[{'purpose':[" PURPOSE("TREAT") "],'provision':[{}]}]}]}",
	         "a rule within a denial"},
		{R4 ",'patient':{" WHO "},'policy':[{'uri':'http://a/c'}]}", "policy: [0]: uri: http://a/c"},
		{R4 ",'patient':{" WHO "},'provision':{}}", "type is missing"},
		{R4 ",'patient':{" WHO
	            "}," RULE("OPTIN") ",'provision':{'type':'deny','action':[" ACTION("access") "]}}",
	         "policyRule: it permits everyone"},
		{R4 ",'patient':{" WHO "},'provision':{'type':'permit'}}", "actor: it permits everyone"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'action':[" ACTION("correct") "]}}",
	         "action: [0]: coding: [0]"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'purpose':[" PURPOSE("HPAYMT") "]}}",
	         "HPAYMT is not known"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'purpose':[" PURPOSE("HCOMPL") "]}}",
	         "a purpose that needs a consent"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'class':[]}}", "class"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'period':{'start':'2026-13'}}}", "start: 2026-13"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'period':{'start':'2026','end':'2025'}}}",
	         "ends before"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'data':[{'meaning':'related','reference':{}}]}}",
	         "meaning"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'provision':[{'type':'permit'}]}}",
	         "excepts nothing"},
		{R4 ",'patient':{" WHO "}," PERMIT_R4 ",'provision':[{'period':{'start':'2026'}}]}}",
	         "type is missing"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct reading reading;
		enum rs_code code = read_text(cases[i].text, false, &reading);
		if ((code != RS_UNSUPPORTED && code != RS_MALFORMED) ||
		    !strstr(reading.err.message, cases[i].wanted))
			fail_msg("case %zu: %s: %s", i, rs_code_name(code), reading.err.message);
		rs_buffer_finish(&reading.notes);
	}
}

#define OP(name) RS_SET(RS_OPERATION_##name)
#define FOR(name) RS_SET(RS_PURPOSE_##name)

static void documents_of_others_are_read(void **state)
{
	static const struct {
		const char *text;
		size_t rules;
		enum rs_consent_effect effect; /* of the last rule */
		uint32_t purposes, operations;
		uint64_t from_ms, until_ms;
		const char *note;
	} cases[] = {
		{R4 ",'patient':{'reference':'Patient/1','display':'A. B.'},'dateTime':'2026-01-01'," RULE(
			 "OPTIN") "," PERMIT_R4
	                          ",'action':[" ACTION("access") "," ACTION("use") "],'purpose':[" PURPOSE(
					  "HRESCH") "],"
	                                            "'period':{'start':'2026-01-01','end':'2026-12-31'}}}",
	         1, RS_CONSENT_PERMIT, FOR(RESEARCH), OP(READ) | OP(EXTRACT) | OP(TRAIN) | OP(PREDICT),
	         1767225600000, 1798761600000, "Patient/1 is taken for"},
		{R4 ",'patient':{" WHO "},'provision':{'type':'permit','actor':[{'reference':{'reference':"
	            "'Organization/7'}}],'period':{'end':'2026-06-23T17:32:33+10:00'}}}",
	         1, RS_CONSENT_PERMIT, RS_SET_PURPOSES_ALL, RS_SET_OPERATIONS_ALL, 0, 1782199954000,
	         "Organization/7 is taken for Research"},
		{R4 ",'patient':{" WHO
	            "}," RULE("OPTOUT") ",'provision':{'type':'deny','purpose':[" PURPOSE("ETREAT") "]}}",
	         1, RS_CONSENT_DENY, FOR(EMERGENCY), RS_SET_OPERATIONS_ALL, 0, 0, ""},
		{R4 ",'patient':{" WHO "},'provision':{'period':{'end':'2026'},'provision':[{'type':'deny',"
	            "'period':{'start':'2026-02'}}]}}",
	         1, RS_CONSENT_DENY, RS_SET_PURPOSES_ALL, RS_SET_OPERATIONS_ALL, 1769904000000, 1798761600000,
	         ""},
		{R4 ",'patient':{" WHO "}," PERMIT_R4
	            ",'provision':[{'type':'deny','action':[" ACTION("disclose") "]}]}}",
	         2, RS_CONSENT_DENY, RS_SET_PURPOSES_ALL, OP(EXPORT), 0, 0, ""},
		/* IHE PCF rests every consent on a policy */
		{R4 ",'patient':{" WHO
	            "},'policy':[{'uri':'http://a/b'}],'provision':{'type':'deny','purpose':[" PURPOSE(
			    "TREAT") "]}}",
	         1, RS_CONSENT_DENY, FOR(TREATMENT), RS_SET_OPERATIONS_ALL, 0, 0,
	         "policy http://a/b is taken"},
		{R5 ",'subject':{" WHO "},'decision':'deny','period':{'start':'2026-01-01T00:00:00.5Z'}}", 1,
	         RS_CONSENT_DENY, RS_SET_PURPOSES_ALL, RS_SET_OPERATIONS_ALL, 1767225600500, 0, ""},
		{R5 ",'subject':{" WHO "},'decision':'deny','provision':[{'actor':[" ACTOR(
			 "PRCP", "Research") "],'purpose':[" PURPOSE("TREAT") "," PURPOSE("HRESCH") "]}]}",
	         1, RS_CONSENT_PERMIT, FOR(TREATMENT) | FOR(RESEARCH), RS_SET_OPERATIONS_ALL, 0, 0,
	         "decision denies what no provision permits"},
		{R5
	         ",'subject':{" WHO
	         "},'decision':'deny','provision':[{'actor':[" ACTOR("IRCP", "Research") "],'provision':[{'purpose':[" PURPOSE(
			 "HOPERAT") "],'data':[{"
	                            "'meaning':'instance','reference':{'identifier':{'system':"
	                            "'https://radseal.local/fhir/study','value':'" STUDY "'}}}]}]}]}",
	         2, RS_CONSENT_DENY, FOR(OPERATIONS), RS_SET_OPERATIONS_ALL, 0, 0, ""},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct reading reading;
		if (read_text(cases[i].text, true, &reading) != RS_OK)
			fail_msg("case %zu: %s", i, reading.err.message);
		const struct rs_consent_terms *terms = &reading.consent.rules[cases[i].rules - 1];
		rs_buffer_append_u8(&reading.notes, 0);
		if (reading.consent.count != cases[i].rules || terms->effect != cases[i].effect ||
		    terms->purposes != cases[i].purposes || terms->operations != cases[i].operations ||
		    terms->from_ms != cases[i].from_ms || terms->until_ms != cases[i].until_ms ||
		    !strstr((const char *)reading.notes.data, cases[i].note))
			fail_msg("case %zu: %llu %llu %s", i, (unsigned long long)terms->from_ms,
			         (unsigned long long)terms->until_ms, (const char *)reading.notes.data);
		assert_true(rs_digest_equal(&reading.consent.subject, &some_subject));
		rs_buffer_finish(&reading.notes);
	}
}

static struct rs_consent_terms random_terms(struct rs_stream *dice)
{
	static const char *const names[] = {"Research", "Onkologie Süd", "\"A\\B\" & Söhne"};
	struct rs_consent_terms terms = test_terms(names[rs_stream_next(dice) % 3]);
	uint32_t *const sets[] = {&terms.roles, &terms.purposes, &terms.operations};
	for (size_t i = 0; i < RS_COUNT(sets); i++) {
		uint32_t some = *sets[i] & (uint32_t)rs_stream_next(dice);
		*sets[i] = some ? some : *sets[i];
	}
	terms.from_ms = rs_stream_next(dice) % 2 ? rs_stream_next(dice) % 1000000000000 : 0;
	terms.until_ms = rs_stream_next(dice) % 2 ? terms.from_ms + 1 + rs_stream_next(dice) % 200000000000000
	                                          : 0;
	for (uint8_t i = 1; i < 7; i++)
		if (rs_stream_next(dice) % 3 == 0) {
			terms.studies[terms.studies_size] = i;
			terms.studies_size += RS_SHA256_SIZE;
		}
	if (rs_stream_next(dice) % 3 == 0) {
		terms.effect = RS_CONSENT_DENY;
		if (rs_stream_next(dice) % 2) {
			memset(terms.organisation, 0, sizeof terms.organisation);
			terms.organisation_size = 0;
		}
	}
	return terms;
}

static void what_is_written_is_read_alike(void **state)
{
	struct rs_stream dice = {4};
	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		enum rs_fhir_version version = round % 2 ? RS_FHIR_R4 : RS_FHIR_R5;
		struct rs_fhir_context nobody = {.subject = NULL};
		struct rs_fhir_consent consent = {.subject = some_subject,
		                                  .consent = {{(uint8_t)round, 1}},
		                                  .issued_ms = rs_stream_next(&dice) % 2000000000000,
		                                  .count = 1};
		struct rs_fhir_consent again;
		struct rs_buffer first RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_buffer second RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_buffer notes RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_error err = {0};
		consent.rules[0] = random_terms(&dice);
		rs_buffer_init(&first, RS_FHIR_SIZE_MAX);
		rs_buffer_init(&second, RS_FHIR_SIZE_MAX);
		rs_buffer_init(&notes, 65536);
		assert_int_equal(rs_fhir_consent_write(version, &consent, &first, NULL), RS_OK);
		if (rs_fhir_consent_read(rs_buffer_bytes(&first), &nobody, &again, &notes, &err) != RS_OK)
			fail_msg("%s: " RS_STR_FORMAT, err.message, RS_STR_ARGUMENTS(rs_buffer_str(&first)));
		assert_int_equal(again.count, 1);
		assert_true(rs_consent_terms_equal(&again.rules[0], &consent.rules[0]));
		assert_true(rs_digest_equal(&again.subject, &consent.subject) &&
		            rs_digest_equal(&again.consent, &consent.consent));
		again.issued_ms = consent.issued_ms;
		assert_int_equal(rs_fhir_consent_write(version, &again, &second, NULL), RS_OK);
		assert_true(rs_bytes_equal(rs_buffer_bytes(&first), rs_buffer_bytes(&second)));
	}
}

static void times_that_fhir_cannot_write_are_refused(void **state)
{
	struct rs_fhir_consent consent = {.count = 1};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	consent.rules[0] = test_terms("Research");
	rs_buffer_init(&out, RS_FHIR_SIZE_MAX);
	consent.rules[0].until_ms = (uint64_t)1 << 60;
	assert_int_equal(rs_fhir_consent_write(RS_FHIR_R4, &consent, &out, NULL), RS_UNSUPPORTED);
	consent.rules[0].until_ms = 0;
	consent.revoked = true;
	assert_int_equal(rs_fhir_consent_write(RS_FHIR_R4, &consent, &out, NULL), RS_OK);
	struct rs_fhir_context nobody = {.subject = NULL};
	struct rs_error err = {0};
	assert_int_equal(rs_fhir_consent_read(rs_buffer_bytes(&out), &nobody, &consent, &out, &err),
	                 RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "status: inactive"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_name_the_element),
		cmocka_unit_test(documents_of_others_are_read),
		cmocka_unit_test(what_is_written_is_read_alike),
		cmocka_unit_test(times_that_fhir_cannot_write_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
