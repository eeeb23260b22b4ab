/* Backups and restores through power cuts and full disks at every writing step, and through every damaged file: what there
 * was before stays whole, what is there is named. */
#include "node/node_test.h"

#include "keeping/keeping_backup.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

#define DATA "/backup"
#define KEYS "/keys"
#define UNLOCK "/node/keys/unlock.key"

static void seal_some(struct rs_sim *sim, size_t first, size_t count)
{
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_admit_options options = {.report = NULL};
	struct rs_error err = {0};
	assert_int_equal(rs_node_admit(node, path_list + first, count, &options, &err), RS_OK);
	rs_node_close(node);
}

static enum rs_code back_up(struct rs_sim *sim, uint64_t keep, struct rs_error *err)
{
	struct rs_node *node;
	struct rs_backup_counts counts;
	RS_TRY(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_READ, rs_bytes_of("", 0), NULL, &node, err));
	enum rs_code code = rs_node_backup(node, DATA, keep, &counts, err);
	rs_node_close(node);
	return code;
}

static enum rs_code back_up_keys(struct rs_sim *sim, char **out_path, struct rs_error *err)
{
	struct rs_node *node;
	struct rs_key_backup_counts counts;
	RS_TRY(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_READ, rs_bytes_of("", 0), NULL, &node, err));
	enum rs_code code = rs_node_backup_keys(node, KEYS, 30, out_path, &counts, err);
	rs_node_close(node);
	return code;
}

static enum rs_code restore(struct rs_sim *sim, const char *keys, const char *home, struct rs_error *err)
{
	struct rs_buffer unlock RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_restore_counts counts;
	RS_TRY(rs_file_read_all(rs_sim_world(sim), UNLOCK, 4096, &unlock, err));
	struct rs_restore_options options = {
		.data = DATA, .keys = keys, .unlock = {.unlock_file = rs_buffer_bytes(&unlock)}};
	return rs_node_restore(rs_sim_world(sim), home, &options, NULL, &counts, err);
}

static void print_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	print_error("fault in %s: %s\n", part, sentence);
}

/* The node is whole, and so many of the files are genuine. */
static void check_node(struct rs_sim *sim, const char *home, int files)
{
	struct rs_node *node = open_node(sim, home, RS_NODE_WRITE);
	struct rs_check_counts counts;
	struct rs_proof_details details;
	struct rs_error err = {0};
	assert_int_equal(rs_node_check(node, print_fault, NULL, &counts, &err), RS_OK);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(rs_node_verify(node, paths[i], &details, &err),
		                 i < files ? RS_OK : RS_NOT_FOUND);
	rs_node_close(node);
}

/* Two files in a backup, a third sealed since. */
static struct rs_sim *make_backup(char **out_keys)
{
	struct rs_sim *sim = make_world();
	struct rs_error err = {0};
	seal_some(sim, 0, 2);
	assert_int_equal(back_up(sim, 0, &err), RS_OK);
	seal_some(sim, 2, 1);
	assert_int_equal(back_up_keys(sim, out_keys, &err), RS_OK);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	rs_sim_fail_at(sim, 0, RS_OK, false);
	return sim;
}

static uint64_t steps_of_backup(void)
{
	char *keys RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_sim *sim = make_backup(&keys);
	struct rs_error err = {0};
	assert_int_equal(back_up(sim, 1, &err), RS_OK);
	uint64_t steps = rs_sim_steps(sim);
	rs_sim_destroy(sim);
	return steps;
}

static void backup_fails_at(uint64_t step, enum rs_code fault, enum rs_sim_cut how)
{
	char *keys RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_sim *sim = make_backup(&keys);
	struct rs_error err = {0};
	rs_sim_fail_at(sim, step, fault, true);
	enum rs_code code = back_up(sim, 1, &err);
	if (code != RS_OK)
		assert_true(err.message[0]);
	if (code != RS_OK && fault == RS_NO_SPACE && code != RS_NO_SPACE && code != RS_IO)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	rs_sim_cut(sim, how);
	rs_sim_fail_at(sim, 0, RS_OK, false);
	/* The old one or the new one, whole; and the next one goes on from there. */
	if (restore(sim, keys, "/first", &err) != RS_OK)
		fail_msg("step %llu, cut %d: %s", (unsigned long long)step, (int)how, err.message);
	struct rs_node *node = open_node(sim, "/first", RS_NODE_WRITE);
	struct rs_proof_details details;
	bool is_new = rs_node_verify(node, paths[2], &details, &err) == RS_OK;
	assert_true(is_new || code != RS_OK);
	rs_node_close(node);
	check_node(sim, "/first", is_new ? 3 : 2);
	assert_int_equal(back_up(sim, 1, &err), RS_OK);
	assert_int_equal(restore(sim, keys, "/second", &err), RS_OK);
	check_node(sim, "/second", 3);
	rs_sim_destroy(sim);
}

static void a_power_cut_leaves_the_old_backup_or_the_new_one(void **state)
{
	(void)state;
	uint64_t steps = steps_of_backup();
	assert_true(steps > 20);
	for (uint64_t step = 1; step <= steps; step++)
		backup_fails_at(step, RS_IO, (enum rs_sim_cut)(step % 3));
	print_message("# %llu steps\n", (unsigned long long)steps);
}

static void a_full_disk_leaves_the_old_backup_or_the_new_one(void **state)
{
	(void)state;
	uint64_t steps = steps_of_backup();
	for (uint64_t step = 1; step <= steps; step++)
		backup_fails_at(step, RS_NO_SPACE, RS_SIM_KEEP_ALL);
}

static struct rs_sim *make_whole_backup(char **out_keys)
{
	struct rs_sim *sim = make_backup(out_keys);
	struct rs_error err = {0};
	assert_int_equal(back_up(sim, 0, &err), RS_OK);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	rs_sim_fail_at(sim, 0, RS_OK, false);
	return sim;
}

static void a_restore_that_is_interrupted_is_run_again(void **state)
{
	(void)state;
	char *keys RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_sim *sim = make_whole_backup(&keys);
	struct rs_error err = {0};
	assert_int_equal(restore(sim, keys, "/restored", &err), RS_OK);
	uint64_t steps = rs_sim_steps(sim);
	rs_sim_destroy(sim);
	assert_true(steps > 60);
	for (uint64_t step = 1; step <= steps; step++) {
		char *path RS_CLEANUP(rs_free_pointer) = NULL;
		sim = make_whole_backup(&path);
		rs_sim_fail_at(sim, step, RS_IO, true);
		(void)restore(sim, path, "/restored", &err);
		rs_sim_cut(sim, (enum rs_sim_cut)(step % 3));
		rs_sim_fail_at(sim, 0, RS_OK, false);
		if (!rs_path_exists(rs_sim_world(sim), "/restored/radseal.yaml") &&
		    restore(sim, path, "/restored", &err) != RS_OK)
			fail_msg("step %llu: %s", (unsigned long long)step, err.message);
		check_node(sim, "/restored", 3);
		rs_sim_destroy(sim);
	}
	print_message("# %llu steps\n", (unsigned long long)steps);
}

struct files {
	char names[64][128];
	size_t count;
	const char *directory;
	const struct rs_world *world;
};

static enum rs_code add_file(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct files *files = context;
	char path[128];
	snprintf(path, sizeof path, "%s/" RS_STR_FORMAT, files->directory, RS_STR_ARGUMENTS(name));
	if (kind == RS_FILE_DIRECTORY) {
		const char *parent = files->directory;
		files->directory = path;
		RS_TRY(files->world->files->list(files->world->files, path, add_file, files, err));
		files->directory = parent;
		return RS_OK;
	}
	struct rs_file_stat stat = {0};
	RS_TRY(files->world->files->stat(files->world->files, path, &stat, err));
	if (stat.size)
		memcpy(files->names[files->count++], path, sizeof path);
	return RS_OK;
}

static void every_damaged_file_of_a_backup_is_named(void **state)
{
	(void)state;
	char *keys RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_sim *sim = make_backup(&keys);
	struct rs_error err = {0};
	struct files files = {.directory = DATA, .world = rs_sim_world(sim)};
	struct rs_backup_counts counts;
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	assert_int_equal(files.world->files->list(files.world->files, DATA, add_file, &files, &err), RS_OK);
	assert_true(files.count > 6);
	assert_int_equal(rs_node_backup_verify(node, DATA, NULL, &counts, &err), RS_OK);
	for (size_t i = 0; i < files.count; i++) {
		bool marker = strcmp(files.names[i], DATA "/radseal-backup") == 0;
		assert_int_equal(rs_sim_flip(sim, files.names[i], 5, 3, &err), RS_OK);
		assert_int_equal(rs_node_backup_verify(node, DATA, NULL, &counts, &err),
		                 marker ? RS_OK : RS_ALTERED);
		assert_int_equal(rs_sim_flip(sim, files.names[i], 5, 3, &err), RS_OK);
	}
	rs_node_close(node);
	struct rs_file_stat stat = {0};
	assert_int_equal(files.world->files->stat(files.world->files, keys, &stat, &err), RS_OK);
	for (uint64_t at = 0; at < stat.size; at += 7) {
		assert_int_equal(rs_sim_flip(sim, keys, at, at % 8, &err), RS_OK);
		enum rs_code code = restore(sim, keys, "/restored", &err);
		if (code == RS_OK)
			fail_msg("byte %llu of a key-store backup does not count", (unsigned long long)at);
		assert_int_equal(rs_sim_flip(sim, keys, at, at % 8, &err), RS_OK);
	}
	rs_sim_destroy(sim);
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_leaves_the_old_backup_or_the_new_one),
		cmocka_unit_test(a_full_disk_leaves_the_old_backup_or_the_new_one),
		cmocka_unit_test(a_restore_that_is_interrupted_is_run_again),
		cmocka_unit_test(every_damaged_file_of_a_backup_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
