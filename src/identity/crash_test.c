/* The power goes at every step of making a keyring, giving out subject keys and erasing one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_sim.h"
#include "identity/identity.h"

#define KEY_PATH "/keys/node.key"
#define PATH "/subjects.sqlite"
#define PEOPLE 3

static const uint8_t unlock_bytes[32] = {1, 2, 3};
static const struct rs_unlock unlock = {.unlock_file = {unlock_bytes, sizeof(unlock_bytes)}};

/* What the caller was told. */
struct told {
	bool keyring;
	unsigned given;       /* keys of people 0 … given-1 */
	bool erasing, erased; /* of person 0 */
	struct rs_secret keys[PEOPLE];
	struct rs_secret kek;
};

static struct rs_pseudonym person(unsigned number)
{
	struct rs_pseudonym result = {{0}};
	memset(result.bytes, 0xa0 + (int)number, sizeof(result.bytes)); /* easily found in a file */
	return result;
}

static void work(const struct rs_world *world, struct told *told)
{
	struct rs_keyring *keyring RS_CLEANUP(rs_keyring_close_pointer) = NULL;
	struct rs_subject_keys *keys RS_CLEANUP(rs_subject_keys_close_pointer) = NULL;
	struct rs_pseudonym first = person(0);

	if (rs_keyring_create(world, KEY_PATH, &unlock, RS_STR("A"), &keyring, NULL) != RS_OK)
		return;
	told->keyring = true;
	told->kek = *rs_keyring_kek(keyring);
	if (rs_subject_keys_open(world, PATH, keyring, &keys, NULL) != RS_OK)
		return;
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct rs_pseudonym pseudonym = person(i);
		if (rs_subject_key_get(keys, &pseudonym, true, &told->keys[i], NULL) != RS_OK)
			return;
		told->given++;
	}
	told->erasing = true;
	told->erased = rs_subject_key_erase(keys, &first, NULL) == RS_OK;
}

/* After the next opening, whatever the crash interrupted, no piece of an erased row is left. */
static void check_no_trace(const struct rs_world *world, uint64_t step)
{
	static const char *const paths[] = {PATH, PATH "-wal"};
	struct rs_pseudonym first = person(0);
	for (size_t n = 0; n < RS_COUNT(paths); n++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		if (rs_file_read_all(world, paths[n], 10 << 20, &file, NULL) != RS_OK)
			continue;
		for (size_t i = 0; i + sizeof(first.bytes) <= file.size; i++)
			if (memcmp(file.data + i, first.bytes, sizeof(first.bytes)) == 0)
				fail_msg("step %llu: a trace in %s at %zu", (unsigned long long)step,
				         paths[n], i);
	}
}

static void check(const struct rs_world *world, const struct told *told, uint64_t step)
{
	struct rs_keyring *keyring RS_CLEANUP(rs_keyring_close_pointer) = NULL;
	struct rs_subject_keys *keys RS_CLEANUP(rs_subject_keys_close_pointer) = NULL;
	struct rs_error err = {0};
	enum rs_code code = rs_keyring_open(world, KEY_PATH, &unlock, &keyring, &err);

	/* The file is there as a whole or not at all. */
	if (code != RS_OK && (told->keyring || code != RS_NOT_FOUND))
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	if (code != RS_OK)
		return;
	if (told->keyring)
		assert_memory_equal(rs_keyring_kek(keyring), &told->kek, 32);
	if (rs_subject_keys_open(world, PATH, keyring, &keys, &err) != RS_OK ||
	    rs_subject_keys_check(keys, NULL, NULL, &err) != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	for (unsigned i = 0; i < told->given; i++) {
		struct rs_pseudonym pseudonym = person(i);
		struct rs_secret secret;
		code = rs_subject_key_get(keys, &pseudonym, false, &secret, &err);
		if (i == 0 && told->erasing && (told->erased || code == RS_NOT_FOUND)) {
			assert_int_equal(code, RS_NOT_FOUND);
			check_no_trace(world, step);
			continue;
		}
		if (code != RS_OK)
			fail_msg("step %llu: %s", (unsigned long long)step, err.message);
		assert_memory_equal(&secret, &told->keys[i], 32);
	}
}

static void survives_a_power_cut_at_every_step(void **state)
{
	uint64_t steps = 0;
	(void)state;
	for (uint64_t step = 0; step <= steps; step++)
		for (uint64_t run = 0; run < 32; run++) { /* thirty seeds for tearing */
			struct told told = {0};
			struct rs_sim *sim = NULL;
			assert_int_equal(rs_sim_create(step * 32 + run, &sim, NULL), RS_OK);
			rs_sim_fail_at(sim, step, RS_IO, true);
			work(rs_sim_world(sim), &told);
			if (step == 0) {
				assert_true(told.erased);
				steps = rs_sim_steps(sim);
			}
			rs_sim_fail_at(sim, 0, RS_OK, false);
			rs_sim_cut(sim, run < RS_SIM_TEAR ? (enum rs_sim_cut)run : RS_SIM_TEAR);
			check(rs_sim_world(sim), &told, step);
			rs_sim_destroy(sim);
		}
	print_message("# %llu steps\n", (unsigned long long)steps);
	assert_true(steps > 20);
}

static int set_up(void **state)
{
	(void)state;
	return rs_crypto_init(NULL) == RS_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(survives_a_power_cut_at_every_step)};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
