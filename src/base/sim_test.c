/* What the simulated disk loses when the power goes: as much as POSIX lets a real one lose. Each loss is met for some seed,
 * and what was made durable is there for every seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_sim.h"

#define SEEDS 64
#define LARGE 4096 /* bytes: several sectors */

static struct rs_sim *sim;
static const struct rs_world *world;

static void begin(uint64_t seed)
{
	assert_int_equal(rs_sim_create(seed, &sim, NULL), RS_OK);
	world = rs_sim_world(sim);
	assert_int_equal(rs_directory_make(world, "/a", NULL), RS_OK);
	assert_int_equal(rs_directory_make(world, "/b", NULL), RS_OK);
}

static struct rs_file *opened(const char *path)
{
	struct rs_file *file = NULL;
	assert_int_equal(
		rs_file_open(world, path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE, &file, NULL), RS_OK);
	return file;
}

static void fill(struct rs_file *file, char letter, size_t size)
{
	char bytes[LARGE];
	memset(bytes, letter, size);
	assert_int_equal(rs_file_write_at(file, 0, bytes, size, NULL), RS_OK);
}

static void sync_both(struct rs_file *file, const char *directory)
{
	assert_int_equal(rs_file_sync(file, NULL), RS_OK);
	assert_int_equal(world->files->sync_directory(world->files, directory, NULL), RS_OK);
}

static bool there(const char *path) { return rs_path_exists(world, path); }

/* How many bytes of the file are `letter`; -1 without a file. */
static int count(const char *path, char letter)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	int found = 0;
	if (rs_file_read_all(world, path, LARGE, &content, NULL) != RS_OK)
		return -1;
	for (size_t i = 0; i < content.size; i++)
		found += content.data[i] == (uint8_t)letter;
	return found;
}

static void names_reach_the_disk_in_any_order(void **state)
{
	unsigned met[4] = {0};
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(seed);
		rs_file_close(opened("/a/1"));
		rs_file_close(opened("/a/2"));
		rs_sim_cut(sim, RS_SIM_TEAR);
		met[(there("/a/1") ? 1 : 0) + (there("/a/2") ? 2 : 0)]++;
		rs_sim_destroy(sim);
	}
	for (int i = 0; i < 4; i++)
		assert_true(met[i] > 0);
}

static void a_rename_within_a_directory_is_whole(void **state)
{
	unsigned met[2] = {0};
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(seed);
		struct rs_file *old = opened("/a/to"), *new = opened("/a/from");
		fill(old, 'o', 9);
		fill(new, 'n', 9);
		sync_both(old, "/a");
		sync_both(new, "/a");
		assert_int_equal(world->files->rename(world->files, "/a/from", "/a/to", NULL), RS_OK);
		rs_sim_cut(sim, RS_SIM_TEAR);
		rs_file_close(old);
		rs_file_close(new);
		assert_true(there("/a/from") ? count("/a/to", 'o') == 9 : count("/a/to", 'n') == 9);
		met[there("/a/from")]++;
		rs_sim_destroy(sim);
	}
	assert_true(met[0] > 0 && met[1] > 0);
}

/* Both names, one of them, or none. Syncing the new directory keeps the new name, and says nothing of the old one. */
static void a_rename_into_another_directory_is_two_changes(void **state)
{
	unsigned met[4] = {0}, met_after_sync[2] = {0};
	(void)state;
	for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
		bool synced = seed & 1;
		begin(seed);
		struct rs_file *file = opened("/a/x");
		fill(file, 'x', 9);
		sync_both(file, "/a");
		rs_file_close(file);
		assert_int_equal(world->files->rename(world->files, "/a/x", "/b/x", NULL), RS_OK);
		if (synced)
			assert_int_equal(world->files->sync_directory(world->files, "/b", NULL), RS_OK);
		rs_sim_cut(sim, RS_SIM_TEAR);
		if (synced) {
			assert_int_equal(count("/b/x", 'x'), 9);
			met_after_sync[there("/a/x")]++;
		} else {
			met[(there("/a/x") ? 1 : 0) + (there("/b/x") ? 2 : 0)]++;
		}
		rs_sim_destroy(sim);
	}
	for (int i = 0; i < 4; i++)
		assert_true(met[i] > 0);
	assert_true(met_after_sync[0] > 0 && met_after_sync[1] > 0);
}

static void a_synced_name_is_lost_with_its_directory(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(world->files->make_directory(world->files, "/a/new", 0700, NULL), RS_OK);
	struct rs_file *file = opened("/a/new/x");
	sync_both(file, "/a/new");
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	rs_file_close(file);
	assert_false(there("/a/new/x"));
	assert_false(there("/a/new"));
	rs_sim_destroy(sim);
}

static void making_a_directory_makes_its_way_durable(void **state)
{
	(void)state;
	begin(1);
	/* As an attempt left it that ended before it synced anything. */
	assert_int_equal(world->files->make_directory(world->files, "/a/one", 0700, NULL), RS_OK);
	assert_int_equal(world->files->make_directory(world->files, "/a/one/two", 0700, NULL), RS_OK);
	assert_int_equal(rs_directory_make(world, "/a/one/two/three", NULL), RS_OK);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	assert_true(there("/a/one/two/three"));
	rs_sim_destroy(sim);
}

static void content_tears_by_sectors(void **state)
{
	unsigned mixed = 0, whole = 0;
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(seed);
		struct rs_file *file = opened("/a/x");
		fill(file, 'o', LARGE);
		sync_both(file, "/a");
		fill(file, 'n', LARGE);
		if (seed & 1)
			rs_file_start_writeback(file); /* promises nothing, keeps nothing back */
		rs_file_start_reading(file, 0, 1);
		rs_sim_cut(sim, seed & 1 ? RS_SIM_LOSE_ALL : RS_SIM_TEAR);
		rs_file_close(file);
		int old = count("/a/x", 'o'), new = count("/a/x", 'n');
		assert_int_equal(old + new, LARGE);
		assert_int_equal(old % 512, 0);
		mixed += old && new;
		whole += !old || !new;
		rs_sim_destroy(sim);
	}
	assert_true(mixed > 0 && mixed + whole == SEEDS);
}

/* Cut to nothing and written anew: the old content whole, or nothing of it. */
static void a_cut_is_there_or_not(void **state)
{
	unsigned met[2] = {0};
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(seed);
		struct rs_file *file = opened("/a/x");
		fill(file, 'o', LARGE);
		sync_both(file, "/a");
		assert_int_equal(file->files->truncate(file, 0, NULL), RS_OK);
		fill(file, 'n', 1024);
		rs_sim_cut(sim, RS_SIM_TEAR);
		rs_file_close(file);
		int old = count("/a/x", 'o'), new = count("/a/x", 'n');
		assert_true(old == 0 || (old == LARGE && new == 0));
		met[old > 0]++;
		rs_sim_destroy(sim);
	}
	assert_true(met[0] > 0 && met[1] > 0);
}

/* Reading shows what a failed sync dropped, the next sync succeeds, and it is lost all the same; written again it stays. */
static void a_failed_sync_drops_what_it_did_not_write(void **state)
{
	unsigned lost = 0;
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(seed);
		struct rs_file *file = opened("/a/x");
		fill(file, 'o', LARGE);
		sync_both(file, "/a");
		fill(file, 'n', LARGE);
		rs_sim_fail_at(sim, 1, RS_IO, false);
		assert_int_equal(rs_file_sync(file, NULL), RS_IO);
		assert_int_equal(count("/a/x", 'n'), LARGE);
		if (seed & 1)
			fill(file, 'n', LARGE);
		assert_int_equal(rs_file_sync(file, NULL), RS_OK);
		rs_sim_cut(sim, RS_SIM_LOSE_ALL);
		rs_file_close(file);
		if (seed & 1)
			assert_int_equal(count("/a/x", 'n'), LARGE);
		else
			lost += count("/a/x", 'n') < LARGE;
		rs_sim_destroy(sim);
	}
	assert_true(lost > 0);
}

static void refuses_what_kernels_refuse(void **state)
{
	const struct rs_files *files;
	struct rs_file *file = NULL;
	uint8_t byte;
	size_t read;
	(void)state;
	begin(1);
	files = world->files;
	assert_int_equal(files->sync_directory(files, "/none", NULL), RS_NOT_FOUND);
	assert_int_not_equal(files->remove(files, "/a", NULL), RS_OK);
	rs_file_close(opened("/a/x"));
	assert_int_not_equal(files->rename(files, "/a/x", "/b", NULL), RS_OK);
	assert_int_equal(files->rename(files, "/a/x", "/none/x", NULL), RS_NOT_FOUND);
	assert_int_equal(rs_file_open(world, "/a/x", RS_OPEN_READ, &file, NULL), RS_OK);
	assert_int_not_equal(rs_file_write_at(file, 0, "x", 1, NULL), RS_OK);
	rs_file_close(file);
	assert_int_equal(rs_file_open(world, "/a/x", RS_OPEN_WRITE, &file, NULL), RS_OK);
	assert_int_not_equal(rs_file_read_at(file, 0, &byte, 1, &read, NULL), RS_OK);
	rs_file_close(file);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_reach_the_disk_in_any_order),
		cmocka_unit_test(a_rename_within_a_directory_is_whole),
		cmocka_unit_test(a_rename_into_another_directory_is_two_changes),
		cmocka_unit_test(a_synced_name_is_lost_with_its_directory),
		cmocka_unit_test(making_a_directory_makes_its_way_durable),
		cmocka_unit_test(content_tears_by_sectors),
		cmocka_unit_test(a_cut_is_there_or_not),
		cmocka_unit_test(a_failed_sync_drops_what_it_did_not_write),
		cmocka_unit_test(refuses_what_kernels_refuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
