/* Members act through a node: what is admitted, what is refused and how that is told, and that nothing is there twice. */
#include "node/node_test.h"

#include "ledger/ledger.h"
#include "node/node_parts.h"
#include "node/node_act.h"

static const struct rs_bytes no_passphrase = {(const uint8_t *)"", 0};

static struct rs_actor *open_actor(const struct rs_node *node, const char *name)
{
	struct rs_actor *actor = NULL;
	struct rs_error err = {0};
	if (rs_node_actor_open(node, name, no_passphrase, &actor, &err) != RS_OK)
		fail_msg("%s", err.message);
	return actor;
}

/* A key file as `radseal key new` leaves it, with an unlock file beside it. */
static struct rs_member_key make_key(struct rs_sim *sim, const char *name)
{
	static const uint8_t unlock[32] = {7};
	const struct rs_unlock with = {.unlock_file = {unlock, sizeof unlock}};
	struct rs_signing_key key;
	struct rs_member_key id;
	char path[64], unlock_path[64];
	snprintf(path, sizeof path, "/node/keys/%s.key", name);
	snprintf(unlock_path, sizeof unlock_path, "/node/keys/%s.unlock", name);
	assert_int_equal(rs_file_replace(rs_sim_world(sim), unlock_path, with.unlock_file, 0600, NULL),
	                 RS_OK);
	assert_int_equal(rs_member_key_file_create(rs_sim_world(sim), path, &with, &key, NULL), RS_OK);
	memcpy(id.bytes, key.public_key, sizeof id.bytes);
	rs_signing_key_finish(&key);
	return id;
}

static enum rs_code grant(struct rs_node *node, const struct rs_actor *actor, struct rs_member_key member,
                          enum rs_role role, struct rs_error *err)
{
	uint64_t index;
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT, .member = member, .role = role};
	return rs_node_transact(node, actor, &act, &index, err);
}

static void the_act_is_filled_in_signed_and_durable(void **state)
{
	(void)state;
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_actor *admin = open_actor(node, NULL);
	struct rs_act act = {
		.type = RS_TRANSACTION_MEMBER_GRANT, .member = {{5}}, .role = RS_ROLE_ONCOLOGIST};
	struct rs_act read = {.time_ms = 0};
	struct rs_bytes entry;
	struct rs_error err = {0};
	uint64_t index = 0;
	assert_int_equal(rs_node_transact(node, admin, &act, &index, &err), RS_OK);
	assert_int_equal(index, 1);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	rs_actor_close(admin);
	rs_node_close(node);
	node = open_node(sim, "/node", RS_NODE_READ);
	assert_int_equal(rs_ledger_entry(rs_node_ledger(node), index, &entry, &err), RS_OK);
	assert_int_equal(rs_transaction_verify(entry, &read, &err), RS_OK);
	assert_int_equal(read.time_ms, act.time_ms);
	assert_true(read.time_ms > 0);
	assert_true(rs_str_equal_text(read.organisation, "Radiology"));
	assert_memory_equal(read.id, act.id, sizeof act.id);
	struct rs_member_key administrator = rs_keyring_member_id(node->keyring);
	assert_true(rs_member_key_equal(&read.signer, &administrator));
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void a_refusal_is_told_by_its_name(void **state)
{
	(void)state;
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_member_key doctor = make_key(sim, "doctor");
	struct rs_actor *admin = open_actor(node, NULL), *as_doctor = open_actor(node, "doctor");
	struct rs_act revoke = {.type = RS_TRANSACTION_MEMBER_REVOKE, .member = doctor};
	struct rs_error err = {0};
	uint64_t index;
	struct rs_member_key own = rs_actor_id(as_doctor);
	assert_true(rs_member_key_equal(&own, &doctor));
	assert_int_equal(grant(node, as_doctor, doctor, RS_ROLE_RADIOLOGIST, &err), RS_REFUSED);
	assert_string_equal(err.message, "UNKNOWN_SIGNER: the signer is no member and no device");
	assert_int_equal(grant(node, admin, doctor, RS_ROLE_RADIOLOGIST, &err), RS_OK);
	assert_int_equal(grant(node, as_doctor, doctor, RS_ROLE_REGULATOR, &err), RS_REFUSED);
	assert_string_equal(err.message, "ROLE: the signer's role does not allow this");
	assert_int_equal(rs_node_transact(node, admin, &revoke, &index, &err), RS_OK);
	assert_int_equal(grant(node, as_doctor, doctor, RS_ROLE_RADIOLOGIST, &err), RS_REFUSED);
	assert_string_equal(err.message, "REVOKED: the signer was revoked");
	assert_int_equal(rs_ledger_size(rs_node_ledger(node)), 3);
	rs_actor_close(admin);
	rs_actor_close(as_doctor);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void an_actor_belongs_to_the_organisation_that_the_ledger_tells(void **state)
{
	(void)state;
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_actor *admin = open_actor(node, NULL);
	struct rs_act add = {.type = RS_TRANSACTION_ORGANISATION_ADD,
	                     .organisation = RS_STR("Oncology"),
	                     .organisation_kind = RS_ORGANISATION_ONCOLOGY,
	                     .member = make_key(sim, "head")};
	struct rs_error err = {0};
	uint64_t index;
	assert_int_equal(rs_node_transact(node, admin, &add, &index, &err), RS_OK);
	struct rs_actor *head = open_actor(node, "head");
	assert_true(rs_str_equal_text(rs_actor_organisation(admin), "Radiology"));
	assert_true(rs_str_equal_text(rs_actor_organisation(head), "Oncology"));
	assert_int_equal(grant(node, head, (struct rs_member_key){{9}}, RS_ROLE_ONCOLOGIST, &err), RS_OK);
	rs_actor_close(head);
	rs_actor_close(admin);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void a_node_open_for_reading_cannot_act(void **state)
{
	(void)state;
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_READ);
	struct rs_actor *admin = open_actor(node, NULL);
	struct rs_state reading = rs_node_state(node);
	struct rs_error err = {0};
	assert_int_equal(grant(node, admin, (struct rs_member_key){{9}}, RS_ROLE_ONCOLOGIST, &err), RS_USAGE);
	assert_int_equal(reading.put(reading.context, rs_bytes_of("F", 1), no_passphrase, &err), RS_USAGE);
	rs_actor_close(admin);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void names_of_keys_are_no_paths(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum rs_code code;
	} cases[] = {{"", RS_USAGE},   {"../doctor", RS_USAGE}, {"node", RS_USAGE}, {"unlock", RS_USAGE},
	             {".x", RS_USAGE}, {"-x", RS_USAGE},        {"a b", RS_USAGE},  {"nobody", RS_NOT_FOUND}};
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_READ);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_actor *actor = NULL;
		struct rs_error err = {0};
		if (rs_node_actor_open(node, cases[i].name, no_passphrase, &actor, &err) != cases[i].code)
			fail_msg("'%s': %s", cases[i].name, err.message);
		assert_null(actor);
	}
	rs_node_close(node);
	rs_sim_destroy(sim);
}

/* The power goes at the k-th writing step; the act that got no answer is handed over again. */
static bool cut_at(uint64_t step, enum rs_sim_cut how)
{
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_actor *admin = open_actor(node, NULL);
	struct rs_act act = {
		.type = RS_TRANSACTION_MEMBER_GRANT, .member = {{5}}, .role = RS_ROLE_ONCOLOGIST};
	struct rs_error err = {0};
	uint64_t index;
	rs_sim_fail_at(sim, step, RS_IO, true);
	bool answered = rs_node_transact(node, admin, &act, &index, &err) == RS_OK;
	bool over = rs_sim_steps(sim) < step;
	rs_sim_cut(sim, how);
	rs_actor_close(admin);
	rs_node_close(node);
	rs_sim_advance_ms(sim, 60000);
	node = open_node(sim, "/node", RS_NODE_WRITE);
	admin = open_actor(node, NULL);
	assert_true(!answered || rs_ledger_size(rs_node_ledger(node)) == 2);
	act.time_ms = 0; /* another process that knows the id alone */
	if (rs_node_transact(node, admin, &act, &index, &err) != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	assert_int_equal(index, 1);
	assert_int_equal(rs_ledger_size(rs_node_ledger(node)), 2);
	rs_actor_close(admin);
	rs_node_close(node);
	rs_sim_destroy(sim);
	return over;
}

static void a_retry_after_a_crash_is_not_doubled(void **state)
{
	(void)state;
	for (int how = RS_SIM_LOSE_ALL; how <= RS_SIM_TEAR; how++) {
		uint64_t step = 1;
		while (!cut_at(step, (enum rs_sim_cut)how))
			step++;
		assert_true(step > 4);
	}
}

static void an_id_stands_for_one_act(void **state)
{
	(void)state;
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_actor *admin = open_actor(node, NULL);
	struct rs_act act = {
		.type = RS_TRANSACTION_MEMBER_GRANT, .member = {{5}}, .role = RS_ROLE_ONCOLOGIST};
	struct rs_error err = {0};
	uint64_t first, again;
	assert_int_equal(rs_node_transact(node, admin, &act, &first, &err), RS_OK);
	assert_int_equal(rs_node_transact(node, admin, &act, &again, &err), RS_OK);
	assert_int_equal(first, again);
	act.role = RS_ROLE_RESEARCHER;
	assert_int_equal(rs_node_transact(node, admin, &act, &again, &err), RS_REFUSED);
	assert_string_equal(err.message, "ID_TAKEN: another transaction has this id");
	rs_actor_close(admin);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_act_is_filled_in_signed_and_durable),
		cmocka_unit_test(a_refusal_is_told_by_its_name),
		cmocka_unit_test(an_actor_belongs_to_the_organisation_that_the_ledger_tells),
		cmocka_unit_test(a_node_open_for_reading_cannot_act),
		cmocka_unit_test(names_of_keys_are_no_paths),
		cmocka_unit_test(a_retry_after_a_crash_is_not_doubled),
		cmocka_unit_test(an_id_stands_for_one_act),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
