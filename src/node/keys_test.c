/* Key files of members: what opens them, that no secret lies in clear, and that an interruption locks nobody out. */
#include "node/node_test.h"

#include "node/node_keys.h"

#define FILES_MAX 32

static const struct rs_bytes none = {(const uint8_t *)"", 0};
static const struct rs_bytes passphrase = {(const uint8_t *)"correct horse", 13};
static const struct rs_bytes other = {(const uint8_t *)"battery staple", 14};

static struct rs_keys_place place_of(struct rs_sim *sim)
{
	return (struct rs_keys_place){rs_sim_world(sim), "/member"};
}

static struct rs_sim *make_place(void)
{
	struct rs_sim *sim;
	assert_int_equal(rs_sim_create(11, &sim, NULL), RS_OK);
	assert_int_equal(rs_directory_make(rs_sim_world(sim), "/member/keys", NULL), RS_OK);
	return sim;
}

static void what_opens_a_key(void **state)
{
	(void)state;
	const struct {
		struct rs_bytes made_with, opened_with;
		enum rs_code code;
	} cases[] = {{passphrase, passphrase, RS_OK},
	             {passphrase, other, RS_DENIED},
	             {passphrase, none, RS_USAGE},
	             {none, none, RS_OK},
	             {none, passphrase, RS_OK}};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_sim *sim = make_place();
		struct rs_keys_place place = place_of(sim);
		struct rs_member_key id, public_key;
		struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
		struct rs_error err = {0};
		assert_int_equal(rs_key_new(&place, "doctor", cases[i].made_with, &id, &err), RS_OK);
		assert_int_equal(rs_key_new(&place, "doctor", cases[i].made_with, &id, &err), RS_EXISTS);
		assert_int_equal(rs_key_public(&place, "doctor", none, &public_key, &err), RS_OK);
		assert_true(rs_member_key_equal(&id, &public_key));
		assert_int_equal(rs_key_open(&place, "doctor", cases[i].opened_with, &key, &err),
		                 cases[i].code);
		if (cases[i].code == RS_OK)
			assert_memory_equal(key.public_key, id.bytes, sizeof id.bytes);
		rs_sim_destroy(sim);
	}
}

struct search {
	const struct rs_world *world;
	struct rs_bytes secret;
	unsigned files;
};

static enum rs_code search_file(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                                struct rs_error *err)
{
	struct search *search = context;
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char path[128];
	snprintf(path, sizeof path, "/member/keys/" RS_STR_FORMAT, RS_STR_ARGUMENTS(name));
	RS_TRY(rs_file_read_all(search->world, path, 65536, &content, err));
	for (size_t at = 0; at + search->secret.size <= content.size; at++)
		assert_memory_not_equal(content.data + at, search->secret.data, search->secret.size);
	search->files++;
	return RS_OK;
}

static void no_secret_lies_in_clear(void **state)
{
	(void)state;
	struct rs_sim *sim = make_place();
	struct rs_keys_place place = place_of(sim);
	struct rs_member_key id;
	struct rs_signing_key keys[2];
	assert_int_equal(rs_key_new(&place, "one", passphrase, &id, NULL), RS_OK);
	assert_int_equal(rs_key_new(&place, "two", none, &id, NULL), RS_OK);
	assert_int_equal(rs_key_open(&place, "one", passphrase, &keys[0], NULL), RS_OK);
	assert_int_equal(rs_key_open(&place, "two", none, &keys[1], NULL), RS_OK);
	const struct rs_bytes secrets[] = {{keys[0].seed.bytes, 16},
	                                   {keys[1].seed.bytes, 16},
	                                   {keys[0].expanded, 16},
	                                   {keys[1].expanded, 16},
	                                   passphrase};
	for (size_t i = 0; i < RS_COUNT(secrets); i++) {
		struct search search = {place.world, secrets[i], 0};
		assert_int_equal(place.world->files->list(place.world->files, "/member/keys", search_file,
		                                          &search, NULL),
		                 RS_OK);
		assert_int_equal(search.files, 5); /* two keys, two public keys, one unlock file */
	}
	rs_signing_key_finish(&keys[0]);
	rs_signing_key_finish(&keys[1]);
	rs_sim_destroy(sim);
}

struct listed {
	char text[256];
};

static enum rs_code take(void *context, const struct rs_key_facts *facts, struct rs_error *err RS_UNUSED)
{
	struct listed *listed = context;
	size_t used = strlen(listed->text);
	snprintf(listed->text + used, sizeof listed->text - used, "%s%s%s ", facts->name,
	         facts->unlock_file ? "+" : "", facts->has_key ? "" : "?");
	return RS_OK;
}

static void the_list_tells_names_and_what_opens_them(void **state)
{
	(void)state;
	struct rs_sim *sim = make_place();
	struct rs_keys_place place = place_of(sim);
	const struct rs_files *files = place.world->files;
	struct rs_member_key id, again;
	struct listed listed = {""};
	assert_int_equal(rs_key_new(&place, "b", none, &id, NULL), RS_OK);
	assert_int_equal(rs_key_new(&place, "a", passphrase, &id, NULL), RS_OK);
	assert_int_equal(rs_file_replace(place.world, "/member/keys/node.key", passphrase, 0600, NULL),
	                 RS_OK);
	assert_int_equal(files->remove(files, "/member/keys/a.pub", NULL), RS_OK);
	assert_int_equal(rs_key_each(&place, take, &listed, NULL), RS_OK);
	assert_string_equal(listed.text, "a? b+ ");
	assert_int_equal(rs_key_public(&place, "a", passphrase, &again, NULL), RS_OK);
	assert_true(rs_member_key_equal(&id, &again));
	assert_int_equal(rs_key_public(&place, "a", none, &again, NULL), RS_OK);
	rs_sim_destroy(sim);
}

struct change {
	struct rs_bytes from, to;
};

static bool cut_at(const struct change *change, uint64_t step)
{
	struct rs_sim *sim = make_place();
	struct rs_keys_place place = place_of(sim);
	struct rs_member_key id;
	struct rs_signing_key key;
	struct rs_error err = {0};
	assert_int_equal(rs_key_new(&place, "doctor", change->from, &id, &err), RS_OK);
	rs_sim_fail_at(sim, step, RS_IO, true);
	bool done = rs_key_change(&place, "doctor", change->from, change->to, &err) == RS_OK;
	rs_sim_cut(sim, RS_SIM_TEAR);
	enum rs_code code = rs_key_open(&place, "doctor", change->to, &key, &err);
	if (code != RS_OK && !done)
		code = rs_key_open(&place, "doctor", change->from, &key, &err);
	if (code != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	assert_memory_equal(key.public_key, id.bytes, sizeof id.bytes);
	if (done && change->from.size && change->to.size)
		assert_int_equal(rs_key_open(&place, "doctor", change->from, &key, &err), RS_DENIED);
	rs_signing_key_finish(&key);
	rs_sim_destroy(sim);
	return done;
}

static void an_interrupted_change_locks_nobody_out(void **state)
{
	(void)state;
	const struct change changes[] = {{passphrase, other}, {none, other}, {passphrase, none}};
	for (size_t i = 0; i < RS_COUNT(changes); i++)
		for (uint64_t step = 1; !cut_at(&changes[i], step); step++)
			assert_true(step < 100);
}

/* As the making of a node leaves its keys. */
static struct rs_member_key make_node_key(const struct rs_keys_place *place)
{
	static const struct rs_bytes fresh = {(const uint8_t *)"01234567890123456789012345678901", 32};
	const struct rs_unlock unlock = {.unlock_file = fresh};
	struct rs_keyring *keyring;
	assert_int_equal(rs_file_replace(place->world, "/member/keys/unlock.key", fresh, 0600, NULL), RS_OK);
	assert_int_equal(rs_keyring_create(place->world, "/member/keys/node.key", &unlock, RS_STR("A"),
	                                   &keyring, NULL),
	                 RS_OK);
	struct rs_member_key id = rs_keyring_member_id(keyring);
	rs_keyring_close(keyring);
	return id;
}

static void from_unlock_file_to_unlock_file_is_no_change(void **state)
{
	(void)state;
	struct rs_sim *sim = make_place();
	struct rs_keys_place place = place_of(sim);
	struct rs_member_key id;
	struct rs_error err = {0};
	assert_int_equal(rs_key_new(&place, "doctor", none, &id, &err), RS_OK);
	assert_int_equal(rs_key_change(&place, "doctor", none, none, &err), RS_USAGE);
	assert_int_equal(rs_key_change(&place, "nobody", none, other, &err), RS_NOT_FOUND);
	assert_int_equal(rs_node_key_change(&place, none, other, &id, &err), RS_NOT_FOUND);
	const struct rs_member_key administrator = make_node_key(&place);
	assert_int_equal(rs_node_key_change(&place, none, none, &id, &err), RS_USAGE);
	assert_int_equal(rs_node_key_change(&place, none, other, &id, &err), RS_OK);
	assert_true(rs_member_key_equal(&id, &administrator));
	rs_sim_destroy(sim);
}

static void locked_memory_is_zeroed_and_aligned(void **state)
{
	(void)state;
	for (size_t size = 1; size < 200; size += 7) {
		uint8_t *secrets = rs_secret_allocate(size);
		assert_non_null(secrets);
		assert_int_equal((uintptr_t)secrets % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(secrets[i], 0);
		rs_secret_free(secrets);
	}
	rs_secret_free(NULL);
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_opens_a_key),
		cmocka_unit_test(no_secret_lies_in_clear),
		cmocka_unit_test(the_list_tells_names_and_what_opens_them),
		cmocka_unit_test(an_interrupted_change_locks_nobody_out),
		cmocka_unit_test(from_unlock_file_to_unlock_file_is_no_change),
		cmocka_unit_test(locked_memory_is_zeroed_and_aligned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
