/* The session that paper B prints, function by function: deploy for Ken, setPermission for Dr. Lee, setXrayhash, birthday
 * and contact, the queries, removePermission, and then the doctor's next setXrayhash is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "contract/contract_memory.h"
#include "contract/contract_xray.h"

static const struct rs_member_key gov = {{1}}, host = {{2}}, doctor = {{3}};
static const struct rs_secret ken_key = {{7}};

struct session {
	struct rs_memory_state memory;
	struct rs_state state;
	struct rs_digest ken;
	uint8_t calls;
};

static struct rs_digest committed(uint8_t kind, const char *value)
{
	struct rs_digest digest;
	rs_subject_commitment(&ken_key, kind, rs_bytes_of(value, strlen(value)), &digest);
	return digest;
}

static enum rs_refusal call(struct session *s, const struct rs_member_key *from, const char *name,
                            struct rs_xray_arguments arguments)
{
	struct rs_act act;
	struct rs_error err = {0};
	enum rs_refusal refusal;
	arguments.id[0] = ++s->calls;
	arguments.time_ms = 1000;
	arguments.organisation = RS_STR("Hospital");
	arguments.subject = s->ken;
	if (rs_xray_act(rs_str_from(name), &arguments, &act, &err) != RS_OK)
		fail_msg("%s", err.message);
	act.signer = *from;
	/* Through the entry's bytes: what the facade makes can be written and read. */
	struct rs_buffer payload RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&payload, 4096);
	rs_act_encode(&act, &payload);
	struct rs_act read;
	if (rs_act_decode(rs_buffer_bytes(&payload), &read, &err) != RS_OK)
		fail_msg("%s: %s", name, err.message);
	read.signer = *from;
	assert_int_equal(rs_contract_apply(&s->state, &read, &refusal, &err), RS_OK);
	return refusal;
}

static void deploy(struct session *s)
{
	enum rs_refusal refusal;
	*s = (struct session){.calls = 0};
	s->state = rs_memory_state_view(&s->memory);
	rs_subject_token(&ken_key, &s->ken);
	struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
	                     .id = {100},
	                     .signer = host,
	                     .organisation = RS_STR("Hospital"),
	                     .member = host};
	assert_int_equal(rs_contract_apply(&s->state, &act, &refusal, NULL), RS_OK);
	assert_int_equal(refusal, RS_REFUSAL_NONE);
	act = (struct rs_act){.type = RS_TRANSACTION_SUBJECT_REGISTER,
	                      .id = {101},
	                      .signer = host,
	                      .organisation = RS_STR("Hospital"),
	                      .subject = s->ken};
	assert_int_equal(rs_contract_apply(&s->state, &act, &refusal, NULL), RS_OK);
	assert_int_equal(refusal, RS_REFUSAL_NONE);
}

static const struct rs_xray_arguments nothing;

static struct rs_xray_arguments image(const char *hash)
{
	struct rs_xray_arguments arguments = nothing;
	arguments.place = committed(1, "chest");
	arguments.commitment = committed(2, hash);
	return arguments;
}

static struct rs_xray_arguments permission(const struct rs_member_key *user, enum rs_xray_user type,
                                           bool allowed)
{
	struct rs_xray_arguments arguments = nothing;
	arguments.user = *user;
	arguments.type = type;
	arguments.allowed = allowed;
	arguments.name = committed(3, "Dr. Lee");
	return arguments;
}

static const char hash[] = "16c8a694c91b80f1d97efb91455ab8b3facd6221ea401d740086722d4bad0134";

static void the_session_of_the_paper(void **state)
{
	struct session s;
	struct rs_xray_hash found;
	struct rs_xray_profile profile;
	struct rs_error err = {0};
	uint64_t count;
	(void)state;
	deploy(&s);
	assert_int_equal(call(&s, &host, "setPermission", permission(&gov, RS_XRAY_GOV, true)),
	                 RS_REFUSAL_NONE);
	assert_int_equal(call(&s, &doctor, "setXrayhash", image(hash)), RS_REFUSAL_UNKNOWN_SIGNER);
	assert_int_equal(call(&s, &gov, "setPermission", permission(&doctor, RS_XRAY_DOCTOR, true)),
	                 RS_REFUSAL_ROLE);
	assert_int_equal(call(&s, &host, "setPermission", permission(&doctor, RS_XRAY_DOCTOR, true)),
	                 RS_REFUSAL_NONE);
	assert_int_equal(call(&s, &doctor, "setXrayhash", image(hash)), RS_REFUSAL_NONE);
	struct rs_xray_arguments value = nothing;
	value.commitment = committed(4, "19970522");
	assert_int_equal(call(&s, &host, "setBirthday", value), RS_REFUSAL_NONE);
	value.commitment = committed(5, "0912-321-456");
	value.locator[0] = 1;
	assert_int_equal(call(&s, &host, "setContact", value), RS_REFUSAL_NONE);
	assert_int_equal(call(&s, &doctor, "setContact", value), RS_REFUSAL_ROLE);

	assert_int_equal(rs_xray_profile(&s.state, &s.ken, &profile, &err), RS_OK);
	struct rs_digest expected = committed(4, "19970522");
	assert_true(profile.birthday.set && !profile.birthday.has_locator && !profile.erased);
	assert_true(rs_digest_equal(&profile.birthday.commitment, &expected));
	assert_true(profile.contact.set && profile.contact.has_locator && profile.contact.locator[0] == 1);
	assert_int_equal(rs_xray_count(&s.state, &s.ken, &count, &err), RS_OK);
	assert_int_equal(count, 1);
	assert_int_equal(rs_xray_get(&s.state, &s.ken, 0, &found, &err), RS_OK);
	assert_true(rs_member_key_equal(&found.doctor, &doctor));
	expected = committed(3, "Dr. Lee");
	assert_true(rs_digest_equal(&found.doctor_name, &expected));
	expected = committed(1, "chest");
	assert_true(rs_digest_equal(&found.place, &expected));
	expected = committed(2, hash);
	assert_true(rs_digest_equal(&found.commitment, &expected));
	assert_int_equal(rs_xray_get(&s.state, &s.ken, 1, &found, &err), RS_NOT_FOUND);

	assert_int_equal(call(&s, &host, "removePermission", permission(&doctor, RS_XRAY_DOCTOR, false)),
	                 RS_REFUSAL_NONE);
	assert_int_equal(call(&s, &doctor, "setXrayhash", image("another")), RS_REFUSAL_REVOKED);
	assert_int_equal(call(&s, &host, "setPermission", permission(&gov, RS_XRAY_GOV, false)),
	                 RS_REFUSAL_NONE);
	assert_int_equal(rs_xray_count(&s.state, &s.ken, &count, &err), RS_OK);
	assert_int_equal(count, 1);
	rs_memory_state_finish(&s.memory);
}

static void what_is_no_function_is_told(void **state)
{
	struct rs_xray_arguments arguments = nothing;
	struct rs_act act;
	struct rs_error err = {0};
	struct session s;
	struct rs_digest nobody = {{9}};
	uint64_t count;
	(void)state;
	assert_int_equal(rs_xray_act(RS_STR("setXray"), &arguments, &act, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "getXrayhashCount"));
	assert_int_equal(rs_xray_act(RS_STR("profile"), &arguments, &act, &err), RS_USAGE);
	arguments.type = (enum rs_xray_user)3;
	assert_int_equal(rs_xray_act(RS_STR("setPermission"), &arguments, &act, &err), RS_USAGE);
	deploy(&s);
	assert_int_equal(rs_xray_count(&s.state, &nobody, &count, &err), RS_NOT_FOUND);
	rs_memory_state_finish(&s.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_session_of_the_paper),
		cmocka_unit_test(what_is_no_function_is_told),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
