/* Members as a node's users see them: found by what is typed, named without a name on the ledger, rotated without doubles. */
#include "node/node_test.h"

#include "ledger/ledger.h"
#include "node/node_parts.h"
#include "node/node_keys.h"
#include "access/access_people.h"

static const struct rs_bytes none = {(const uint8_t *)"", 0};

struct place {
	struct rs_sim *sim;
	struct rs_node *node;
	struct rs_actor *admin;
	struct rs_member_key first, second;
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
	const struct rs_keys_place keys = {rs_sim_world(place.sim), "/node"};
	assert_int_equal(rs_key_new(&keys, "first", none, &place.first, NULL), RS_OK);
	assert_int_equal(rs_key_new(&keys, "second", none, &place.second, NULL), RS_OK);
	open_place(&place);
	return place;
}

static void destroy_place(struct place *place)
{
	close_place(place);
	rs_sim_destroy(place->sim);
}

static void grant(struct place *place, const char *name)
{
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT,
	                     .member = place->first,
	                     .role = RS_ROLE_RADIOLOGIST,
	                     .until_ms = UINT64_C(1) << 42};
	uint64_t index;
	if (name)
		assert_int_equal(
			rs_node_name_keep(place->node, &place->first, rs_str_from(name), &act.label, NULL),
			RS_OK);
	assert_int_equal(rs_node_transact(place->node, place->admin, &act, &index, NULL), RS_OK);
}

static const struct rs_person_status *status_of(const struct rs_people *people,
                                                const struct rs_member_key *key)
{
	for (size_t i = 0; i < people->count; i++)
		if (rs_member_key_equal(&people->list[i].person.key, key))
			return &people->list[i];
	fail_msg("the key is not listed");
	return NULL;
}

static void what_a_user_may_call_a_member(void **state)
{
	(void)state;
	struct place place = make_place();
	char hex[RS_MEMBER_KEY_TEXT_SIZE], prefix[9] = "";
	grant(&place, NULL);
	rs_member_key_format(&place.first, hex);
	memcpy(prefix, hex, 8);
	const struct rs_member_key node = rs_keyring_member_id(place.node->keyring);
	const struct {
		const char *text;
		enum rs_code code;
		const struct rs_member_key *key;
	} cases[] = {{hex, RS_OK, &place.first},     {prefix, RS_OK, &place.first},
	             {"first", RS_OK, &place.first}, {"node", RS_OK, &node},
	             {"third", RS_NOT_FOUND, NULL},  {"00000000", RS_NOT_FOUND, NULL},
	             {"../first", RS_USAGE, NULL}};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_member_key key;
		struct rs_error err = {0};
		if (rs_node_find_person(place.node, cases[i].text, &key, &err) != cases[i].code)
			fail_msg("%s: %s", cases[i].text, err.message);
		if (cases[i].key)
			assert_true(rs_member_key_equal(&key, cases[i].key));
	}
	destroy_place(&place);
}

/* Nothing of the name lies in any file of the node; the label tells nothing once name and salt are gone. */
static void names_stay_off_the_ledger_and_can_be_forgotten(void **state)
{
	(void)state;
	static const char name[] = "Dr. Marguerite Example";
	struct place place = make_place();
	const struct rs_world *world = rs_sim_world(place.sim);
	struct rs_people people RS_CLEANUP(rs_people_finish) = {.count = 0};
	struct rs_people after RS_CLEANUP(rs_people_finish) = {.count = 0};
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes entry;
	grant(&place, name);
	assert_int_equal(rs_node_people(place.node, &people, NULL), RS_OK);
	assert_string_equal(status_of(&people, &place.first)->name, name);
	assert_int_equal(rs_file_read_all(world, "/node/keys/names.box", 65536, &box, NULL), RS_OK);
	assert_int_equal(rs_ledger_entry(rs_node_ledger(place.node), 1, &entry, NULL), RS_OK);
	const struct rs_bytes places[] = {rs_buffer_bytes(&box), entry};
	for (size_t i = 0; i < RS_COUNT(places); i++)
		for (size_t at = 0; at + 10 <= places[i].size; at++)
			assert_memory_not_equal(places[i].data + at, "Marguerite", 10);
	assert_int_equal(rs_node_name_forget(place.node, &place.first, NULL), RS_OK);
	assert_int_equal(rs_node_name_forget(place.node, &place.first, NULL), RS_NOT_FOUND);
	assert_int_equal(rs_node_people(place.node, &after, NULL), RS_OK);
	assert_string_equal(status_of(&after, &place.first)->name, "");
	destroy_place(&place);
}

/* Who can write the names' file under the node's key still cannot call a member what the ledger does not commit to. */
static void another_name_than_the_label_commits_to_is_not_shown(void **state)
{
	(void)state;
	struct place place = make_place();
	struct rs_people people RS_CLEANUP(rs_people_finish) = {.count = 0};
	struct rs_digest label, same, other;
	grant(&place, "one");
	assert_int_equal(rs_node_name_keep(place.node, &place.first, RS_STR("one"), &label, NULL), RS_OK);
	assert_int_equal(rs_node_name_keep(place.node, &place.first, RS_STR("one"), &same, NULL), RS_OK);
	assert_int_equal(rs_node_name_keep(place.node, &place.first, RS_STR("two"), &other, NULL), RS_OK);
	assert_true(rs_digest_equal(&label, &same));
	assert_false(rs_digest_equal(&label, &other));
	assert_int_equal(rs_node_people(place.node, &people, NULL), RS_OK);
	assert_string_equal(status_of(&people, &place.first)->name, "");
	const struct rs_str bad[] = {{"", 0}, {"\xff", 1}, {"a\0b", 3}};
	for (size_t i = 0; i < RS_COUNT(bad); i++)
		assert_int_equal(rs_node_name_keep(place.node, &place.first, bad[i], &other, NULL), RS_USAGE);
	destroy_place(&place);
}

struct told {
	char text[512];
};

static enum rs_code tell(void *context, const struct rs_person_event *event, struct rs_error *err RS_UNUSED)
{
	static const struct rs_member_key nobody;
	struct told *told = context;
	size_t used = strlen(told->text);
	snprintf(told->text + used, sizeof told->text - used, "%s%s%s ",
	         rs_transaction_type_name(event->act.type),
	         rs_member_key_equal(&event->successor, &nobody) ? "" : ">",
	         rs_member_key_equal(&event->predecessor, &nobody) ? "" : "<");
	return RS_OK;
}

static void a_rotation_hands_the_role_on_and_links_the_keys(void **state)
{
	(void)state;
	struct place place = make_place();
	struct rs_people people RS_CLEANUP(rs_people_finish) = {.count = 0};
	struct rs_error err = {0};
	uint64_t entry = 0;
	struct told old = {""}, fresh = {""};
	grant(&place, "one");
	assert_int_equal(
		rs_node_member_rotate(place.node, place.admin, &place.first, &place.second, &entry, &err),
		RS_OK);
	assert_int_equal(rs_node_people(place.node, &people, &err), RS_OK);
	const struct rs_person_status *first = status_of(&people, &place.first),
				      *second = status_of(&people, &place.second);
	assert_int_equal(entry, 2);
	assert_true(first->person.revoked);
	assert_true(first->revoked_ms > 0);
	assert_true(rs_member_key_equal(&first->successor, &place.second));
	assert_false(second->person.revoked);
	assert_string_equal(second->name, "one");
	assert_false(rs_digest_equal(&second->person.label, &first->person.label));
	assert_int_equal(second->person.role, RS_ROLE_RADIOLOGIST);
	assert_true(second->person.until_ms == UINT64_C(1) << 42);
	assert_int_equal(rs_node_each_person_event(place.node, &place.first, tell, &old, &err), RS_OK);
	assert_int_equal(rs_node_each_person_event(place.node, &place.second, tell, &fresh, &err), RS_OK);
	assert_string_equal(old.text, "member-grant member-revoke> ");
	assert_string_equal(fresh.text, "member-grant< ");
	assert_int_equal(
		rs_node_member_rotate(place.node, place.admin, &place.first, &place.second, &entry, &err),
		RS_USAGE);
	assert_int_equal(
		rs_node_member_rotate(place.node, place.admin, &place.second, &place.second, &entry, &err),
		RS_USAGE);
	destroy_place(&place);
}

static bool rotate_with_cut(uint64_t step)
{
	struct place place = make_place();
	struct rs_error err = {0};
	uint64_t entry = 0;
	grant(&place, NULL);
	rs_sim_fail_at(place.sim, step, RS_IO, true);
	bool done = rs_node_member_rotate(place.node, place.admin, &place.first, &place.second, &entry,
	                                  &err) == RS_OK;
	rs_sim_cut(place.sim, RS_SIM_TEAR);
	close_place(&place);
	rs_sim_advance_ms(place.sim, 60000);
	open_place(&place);
	/* What is not done yet is done by the same command again: an old key that is revoked says it is. */
	enum rs_code again = rs_node_member_rotate(place.node, place.admin, &place.first, &place.second,
	                                           &entry, &err);
	assert_true(again == (done ? RS_USAGE : RS_OK) || (!done && again == RS_USAGE));
	assert_int_equal(rs_ledger_size(rs_node_ledger(place.node)), 4);
	destroy_place(&place);
	return done;
}

static void an_interrupted_rotation_is_ended_by_the_same_command(void **state)
{
	(void)state;
	uint64_t step = 1;
	while (!rotate_with_cut(step))
		step++;
	assert_true(step > 8);
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_user_may_call_a_member),
		cmocka_unit_test(names_stay_off_the_ledger_and_can_be_forgotten),
		cmocka_unit_test(another_name_than_the_label_commits_to_is_not_shown),
		cmocka_unit_test(a_rotation_hands_the_role_on_and_links_the_keys),
		cmocka_unit_test(an_interrupted_rotation_is_ended_by_the_same_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
