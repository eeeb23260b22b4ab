/* Consent records: what became of the consent, what is in them, and openings that open. */
#include "consent/consent_record.h"
#include "consent_test.h"

static const struct rs_secret key = {{9, 8, 7}};

static struct rs_digest commitment_of(struct rs_str study)
{
	static const uint8_t kind = 1;
	const struct rs_bytes parts[] = {{&kind, 1}, rs_bytes_of_str(study)};
	struct rs_digest commitment;
	rs_hmac_sha256_parts(rs_bytes_of(key.bytes, sizeof key.bytes), parts, 2, &commitment);
	return commitment;
}

static void write(const struct rs_consent_facts *consent, const struct rs_consent_openings *openings,
                  struct rs_buffer *out)
{
	const struct rs_consent_record record = {consent, RS_STR("Hospital"), 1000, 500000, openings};
	rs_buffer_init(out, 65536);
	assert_int_equal(rs_consent_record_write(&record, out, NULL), RS_OK);
	rs_buffer_append_u8(out, 0);
}

static void the_status_is_said(void **state)
{
	static const struct {
		enum rs_consent_effect effect;
		uint64_t until_ms;
		bool revoked;
		const char *wanted;
	} cases[] = {
		{RS_CONSENT_PERMIT, 0, false, "\"dpv:ConsentGiven\""},
		{RS_CONSENT_PERMIT, 500001, false, "\"dpv:ConsentGiven\""},
		{RS_CONSENT_PERMIT, 500000, false, "\"dpv:ConsentExpired\""},
		{RS_CONSENT_PERMIT, 500000, true, "\"dpv:ConsentWithdrawn\""},
		{RS_CONSENT_DENY, 0, false, "\"dpv:ConsentRefused\""},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_consent_facts consent = {.terms = test_terms("Research"),
		                                   .revoked = cases[i].revoked};
		struct rs_buffer out;
		consent.terms.effect = cases[i].effect;
		consent.terms.until_ms = cases[i].until_ms;
		write(&consent, NULL, &out);
		if (!strstr((const char *)out.data, cases[i].wanted))
			fail_msg("case %zu: %s", i, (const char *)out.data);
		assert_null(strstr((const char *)out.data, "radseal:opening"));
		rs_buffer_finish(&out);
	}
}

static void what_is_opened_is_in_the_consent(void **state)
{
	const struct rs_str studies[] = {{"1.2.3", 5}, {"1.2.4", 5}};
	struct rs_consent_facts consent = {.terms = test_terms("Research")};
	struct rs_consent_openings openings = {&key, studies, 1};
	struct rs_digest study = commitment_of(studies[0]);
	struct rs_buffer out;
	(void)state;
	memcpy(consent.terms.studies, study.bytes, RS_SHA256_SIZE);
	consent.terms.studies_size = RS_SHA256_SIZE;
	write(&consent, &openings, &out);
	assert_non_null(strstr((const char *)out.data, "\"dct:identifier\": \"1.2.3\""));
	rs_buffer_finish(&out);
	write(&consent, NULL, &out);
	assert_null(strstr((const char *)out.data, "1.2.3"));
	rs_buffer_finish(&out);
	openings.count = 2;
	const struct rs_consent_record record = {&consent, RS_STR("Hospital"), 1000, 500000, &openings};
	rs_buffer_init(&out, 65536);
	assert_int_equal(rs_consent_record_write(&record, &out, NULL), RS_USAGE);
	assert_int_equal(out.size, 0);
	rs_buffer_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_is_said),
		cmocka_unit_test(what_is_opened_is_in_the_consent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
