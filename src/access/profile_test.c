/* Profiles: values lie encrypted, are named on the ledger by salted commitments alone, opened after an entry says so, and are
 * whole or not there at all after a power cut. */
#include "node/node_test.h"

#include "contract/contract_xray.h"
#include "ledger/ledger.h"
#include "node/node_parts.h"
#include "node/node_erase.h"
#include "access/access_profile.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

struct place {
	struct rs_sim *sim;
	struct rs_node *node;
	struct rs_actor *admin;
	struct rs_node_subject subject;
};

static void open_place(struct place *place)
{
	place->node = open_node(place->sim, "/node", RS_NODE_WRITE);
	place->admin = open_administrator(place->node);
}

static void close_place(struct place *place)
{
	rs_actor_close(place->admin);
	rs_node_close(place->node);
}

static struct place make_place(void)
{
	struct place place = {.sim = make_world()};
	const struct rs_admit_options options = {.subject = "P1"};
	open_place(&place);
	assert_int_equal(rs_node_admit(place.node, path_list, 1, &options, NULL), RS_OK);
	assert_int_equal(rs_node_subject(place.node, "", "P1", &place.subject, NULL), RS_OK);
	return place;
}

static void destroy_place(struct place *place)
{
	close_place(place);
	rs_sim_destroy(place->sim);
}

static enum rs_code set(struct place *place, enum rs_profile_attribute attribute, const char *value,
                        struct rs_error *err)
{
	uint64_t entry;
	return rs_node_profile_set(place->node, place->admin, &place->subject, attribute, rs_str_from(value),
	                           &entry, err);
}

static void expect(struct place *place, enum rs_profile_attribute attribute, const char *value)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(&text, RS_PROFILE_VALUE_MAX);
	if (rs_node_profile_read(place->node, place->admin, &place->subject, attribute, RS_PURPOSE_OPERATIONS,
	                         &text, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_true(rs_str_equal_text(rs_buffer_str(&text), value));
}

static void print_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	print_error("fault in %s: %s\n", part, sentence);
}

static uint64_t count_objects(struct place *place)
{
	struct rs_check_counts counts;
	assert_int_equal(rs_node_check(place->node, print_fault, NULL, &counts, NULL), RS_OK);
	return counts.objects;
}

static void a_value_is_kept_replaced_and_read_back(void **state)
{
	(void)state;
	struct place place = make_place();
	struct rs_error err = {0};
	assert_int_equal(set(&place, RS_PROFILE_BIRTHDAY, "1980-02-29", &err), RS_OK);
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "Example Street 1", &err), RS_OK);
	assert_int_equal(count_objects(&place), 3);
	uint64_t before = rs_ledger_size(rs_node_ledger(place.node));
	expect(&place, RS_PROFILE_BIRTHDAY, "1980-02-29");
	assert_int_equal(rs_ledger_size(rs_node_ledger(place.node)), before + 1); /* the access */
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "Example Street 2", &err), RS_OK);
	assert_int_equal(count_objects(&place), 3);
	expect(&place, RS_PROFILE_CONTACT, "Example Street 2");
	expect(&place, RS_PROFILE_BIRTHDAY, "1980-02-29");
	destroy_place(&place);
}

static void what_is_refused_leaves_nothing(void **state)
{
	(void)state;
	struct place place = make_place();
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	struct rs_act revoke = {.type = RS_TRANSACTION_MEMBER_REVOKE,
	                        .member = rs_node_administrator(place.node)};
	uint64_t entry;
	rs_buffer_init(&text, RS_PROFILE_VALUE_MAX);
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "", &err), RS_USAGE);
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "\xff", &err), RS_USAGE);
	assert_int_equal(rs_node_profile_read(place.node, place.admin, &place.subject, RS_PROFILE_CONTACT,
	                                      RS_PURPOSE_OPERATIONS, &text, &err),
	                 RS_NOT_FOUND);
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "somewhere", &err), RS_OK);
	assert_int_equal(rs_node_profile_read(place.node, place.admin, &place.subject, RS_PROFILE_CONTACT,
	                                      RS_PURPOSE_RESEARCH, &text, &err),
	                 RS_REFUSED);
	assert_string_equal(err.message,
	                    "PURPOSE: the signer's role does not allow this operation for this purpose");
	assert_int_equal(rs_node_transact(place.node, place.admin, &revoke, &entry, &err), RS_OK);
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "elsewhere", &err), RS_REFUSED);
	assert_string_equal(err.message, "REVOKED: the signer was revoked");
	assert_int_equal(text.size, 0);
	assert_int_equal(count_objects(&place), 2);
	destroy_place(&place);
}

static void erasing_the_subject_erases_it(void **state)
{
	(void)state;
	struct place place = make_place();
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_erasure_facts facts;
	struct rs_error err = {0};
	assert_int_equal(set(&place, RS_PROFILE_BIRTHDAY, "1980-02-29", &err), RS_OK);
	rs_buffer_init(&certificate, 1 << 20);
	if (rs_node_erase(place.node, place.admin, "", "P1", NULL, &certificate, &facts, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(facts.objects, 2);
	assert_int_equal(count_objects(&place), 0);
	destroy_place(&place);
}

static bool cut_at(uint64_t step, enum rs_sim_cut how)
{
	struct place place = make_place();
	struct rs_error err = {0};
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "old", &err), RS_OK);
	rs_sim_fail_at(place.sim, step, RS_IO, true);
	bool done = set(&place, RS_PROFILE_CONTACT, "new", &err) == RS_OK;
	bool over = rs_sim_steps(place.sim) < step;
	rs_sim_cut(place.sim, how);
	close_place(&place);
	open_place(&place);
	uint64_t objects = count_objects(&place);
	assert_true(objects == 2 || (!done && objects == 3)); /* the old value may wait for the next one */
	if (done)
		expect(&place, RS_PROFILE_CONTACT, "new");
	assert_int_equal(set(&place, RS_PROFILE_CONTACT, "newest", &err), RS_OK);
	assert_int_equal(count_objects(&place), 2);
	expect(&place, RS_PROFILE_CONTACT, "newest");
	destroy_place(&place);
	return over;
}

static void a_power_cut_leaves_one_value(void **state)
{
	(void)state;
	for (int how = RS_SIM_LOSE_ALL; how <= RS_SIM_TEAR; how++) {
		uint64_t step = 1;
		while (!cut_at(step, (enum rs_sim_cut)how))
			step++;
		assert_true(step > 20);
	}
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_kept_replaced_and_read_back),
		cmocka_unit_test(what_is_refused_leaves_nothing),
		cmocka_unit_test(erasing_the_subject_erases_it),
		cmocka_unit_test(a_power_cut_leaves_one_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
