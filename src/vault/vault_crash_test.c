/* The power goes, the disk is full or memory ends at every step of publishing. What publish
 * returned RS_OK for is whole ever after; anything else is whole or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_sim.h"
#include "vault/vault.h"

#define DIRECTORY "/home/vault"
#define OBJECTS 4 /* 0 alone; 1 to 3 as a group, of which 3 is 0 again */

static const struct rs_secret key = {{1, 2, 3}};
static uint8_t content[RS_OBJECT_CHUNK_SIZE + 3000]; /* two chunks, for object 2 */

static size_t size_of(unsigned number) { return number == 2 ? sizeof content : 700; }

/* What the caller was told. */
struct told {
	bool staged[OBJECTS], published[OBJECTS];
	struct rs_cid cids[OBJECTS];
};

static enum rs_code stage(struct rs_vault *vault, unsigned number, struct rs_vault_staged **out,
                          struct told *told)
{
	uint8_t nonce[RS_OBJECT_NONCE_SIZE] = {(uint8_t)(number % 3)};
	enum rs_code code = rs_vault_stage(vault, &key, nonce, rs_bytes_of(content, size_of(number)), out,
	                                   &told->cids[number], NULL);
	told->staged[number] = code == RS_OK;
	return code;
}

static void publish(struct rs_vault *vault, unsigned first, unsigned count, struct told *told)
{
	struct rs_vault_staged *staged[OBJECTS] = {NULL};
	enum rs_code code = RS_OK;
	for (unsigned i = 0; code == RS_OK && i < count; i++)
		code = stage(vault, first + i, &staged[i], told);
	if (code != RS_OK) {
		for (unsigned i = 0; i < count; i++)
			rs_vault_abort(vault, staged[i]);
		return;
	}
	code = rs_vault_publish(vault, NULL, staged, count, NULL);
	for (unsigned i = 0; i < count; i++)
		told->published[first + i] = code == RS_OK;
}

static void work(const struct rs_world *world, struct told *told)
{
	struct rs_vault *vault = NULL;
	if (rs_vault_create(world, DIRECTORY, NULL) != RS_OK ||
	    rs_vault_open(world, DIRECTORY, &vault, NULL) != RS_OK)
		return;
	publish(vault, 0, 1, told);
	publish(vault, 1, 3, told);
	rs_vault_close(vault);
}

static enum rs_code count_file(void *context, const struct rs_cid *cid, struct rs_str name,
                               struct rs_error *err)
{
	unsigned *count = context;
	(void)name, (void)err;
	(*count)++;
	return cid != NULL ? RS_OK : RS_INTERNAL; /* nothing but objects is left */
}

/* Opens the vault as the program does after a crash, and looks at every object. */
static void check(const struct rs_world *world, const struct told *told, uint64_t step)
{
	struct rs_vault *vault = NULL;
	struct rs_error err = {0};
	unsigned present = 0, listed = 0;

	if (rs_vault_create(world, DIRECTORY, &err) != RS_OK || /* a half-made one is completed */
	    rs_vault_open(world, DIRECTORY, &vault, &err) != RS_OK || rs_vault_clean(vault, &err) != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	for (unsigned i = 0; i < OBJECTS; i++) {
		struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
		if (!told->staged[i]) {
			assert_false(told->published[i]);
			continue;
		}
		rs_buffer_init(&out, sizeof content);
		enum rs_code code = rs_vault_read(vault, &told->cids[i], &key, &out, &err);
		if (code == RS_NOT_FOUND && !told->published[i])
			continue;
		if (code != RS_OK)
			fail_msg("step %llu, object %u: %s", (unsigned long long)step, i, err.message);
		assert_int_equal(out.size, size_of(i));
		assert_memory_equal(out.data, content, out.size);
		present += i != 3 || !told->staged[0]; /* 3 is 0 again */
	}
	if (rs_vault_list(vault, count_file, &listed, &err) != RS_OK)
		fail_msg("step %llu: a file is left", (unsigned long long)step);
	assert_int_equal(listed, present);
	rs_vault_close(vault);
}

static void survives_a_power_cut_at_every_step(void **state)
{
	uint64_t steps = 0;
	(void)state;
	for (uint64_t step = 0; step <= steps; step++)
		for (uint64_t run = 0; run < 8; run++) { /* six seeds for tearing */
			struct told told = {0};
			struct rs_sim *sim = NULL;
			assert_int_equal(rs_sim_create(step * 8 + run, &sim, NULL), RS_OK);
			assert_int_equal(rs_directory_make(rs_sim_world(sim), "/home", NULL), RS_OK);
			rs_sim_fail_at(sim, step, RS_IO, true);
			work(rs_sim_world(sim), &told);
			if (step == 0) {
				assert_true(told.published[0] && told.published[3]);
				steps = rs_sim_steps(sim);
			}
			rs_sim_fail_at(sim, 0, RS_OK, false);
			rs_sim_cut(sim, run == 0   ? RS_SIM_LOSE_ALL
			                : run == 1 ? RS_SIM_KEEP_ALL
			                           : RS_SIM_TEAR);
			check(rs_sim_world(sim), &told, step);
			rs_sim_destroy(sim);
		}
	print_message("# %llu steps\n", (unsigned long long)steps);
	assert_true(steps > 20);
}

/* One step fails and the world goes on: a refusal, nothing lost, no trace after cleaning. */
static void survives_a_full_disk_at_every_step(void **state)
{
	uint64_t steps = 1;
	(void)state;
	for (uint64_t step = 0; step <= steps; step++)
		for (int for_ever = 0; for_ever < 2; for_ever++) {
			struct told told = {0};
			struct rs_sim *sim = NULL;
			assert_int_equal(rs_sim_create(step, &sim, NULL), RS_OK);
			assert_int_equal(rs_directory_make(rs_sim_world(sim), "/home", NULL), RS_OK);
			rs_sim_fail_at(sim, step, RS_NO_SPACE, for_ever != 0);
			work(rs_sim_world(sim), &told);
			if (step == 0)
				steps = rs_sim_steps(sim);
			rs_sim_fail_at(sim, 0, RS_OK, false);
			check(rs_sim_world(sim), &told, step);
			rs_sim_cut(sim, RS_SIM_LOSE_ALL);
			check(rs_sim_world(sim), &told, step);
			rs_sim_destroy(sim);
		}
}

static void survives_the_end_of_memory_at_every_allocation(void **state)
{
	uint64_t allocations = 1;
	(void)state;
	for (uint64_t k = 0; k <= allocations; k++) {
		struct told told = {0};
		struct rs_sim *sim = NULL;
		assert_int_equal(rs_sim_create(k, &sim, NULL), RS_OK);
		assert_int_equal(rs_directory_make(rs_sim_world(sim), "/home", NULL), RS_OK);
		rs_memory_fail_at(k);
		work(rs_sim_world(sim), &told);
		uint64_t asked = rs_memory_fail_at(0);
		if (k == 0)
			allocations = asked;
		check(rs_sim_world(sim), &told, k);
		rs_sim_destroy(sim);
	}
	print_message("# %llu allocations\n", (unsigned long long)allocations);
	assert_true(allocations > 20);
}

/* A creation that failed, and is then repeated, is as durable as one that did not. */
static void is_created_durably_at_the_second_attempt(void **state)
{
	uint64_t steps = 1;
	(void)state;
	for (uint64_t step = 0; step <= steps; step++) {
		struct told told = {0};
		struct rs_sim *sim = NULL;
		assert_int_equal(rs_sim_create(step, &sim, NULL), RS_OK);
		assert_int_equal(rs_directory_make(rs_sim_world(sim), "/home", NULL), RS_OK);
		rs_sim_fail_at(sim, step, RS_IO, false);
		enum rs_code code = rs_vault_create(rs_sim_world(sim), DIRECTORY, NULL);
		assert_true(code == RS_OK || step > 0);
		if (step == 0)
			steps = rs_sim_steps(sim);
		rs_sim_fail_at(sim, 0, RS_OK, false);
		work(rs_sim_world(sim), &told);
		assert_true(told.published[0] && told.published[3]);
		rs_sim_cut(sim, RS_SIM_LOSE_ALL);
		check(rs_sim_world(sim), &told, step);
		rs_sim_destroy(sim);
	}
}

static void removes_durably(void **state)
{
	struct told told = {0};
	struct rs_sim *sim = NULL;
	struct rs_vault *vault = NULL;
	(void)state;
	assert_int_equal(rs_sim_create(7, &sim, NULL), RS_OK);
	assert_int_equal(rs_directory_make(rs_sim_world(sim), "/home", NULL), RS_OK);
	work(rs_sim_world(sim), &told);
	assert_int_equal(rs_vault_open(rs_sim_world(sim), DIRECTORY, &vault, NULL), RS_OK);
	assert_int_equal(rs_vault_remove(vault, &told.cids[1], NULL), RS_OK);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	assert_false(rs_vault_has(vault, &told.cids[1]));
	assert_true(rs_vault_has(vault, &told.cids[2]));
	assert_int_equal(rs_vault_remove(vault, &told.cids[1], NULL), RS_NOT_FOUND);
	rs_vault_close(vault);
	rs_sim_destroy(sim);
}

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (uint8_t)(i * 7 + i / 251);
	return rs_crypto_init(NULL) == RS_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_power_cut_at_every_step),
		cmocka_unit_test(survives_a_full_disk_at_every_step),
		cmocka_unit_test(survives_the_end_of_memory_at_every_allocation),
		cmocka_unit_test(is_created_durably_at_the_second_attempt),
		cmocka_unit_test(removes_durably),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
