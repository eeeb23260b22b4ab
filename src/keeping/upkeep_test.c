/* Power cuts and full disks at every step of looking after the vault: collecting garbage takes nothing that is wanted, a
 * scrub never forgets rot, and an object that is brought back is the old one or the good one. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "vault/vault_blobs.h"
#include "keeping/keeping_vault.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

struct scene {
	struct rs_sim *sim;
	struct rs_cid first, orphan; /* first: of the first file */
	struct rs_blobs *good;       /* a copy of the first object */
};

static enum rs_code take_first(void *context, const struct rs_cid *cid, struct rs_str name,
                               struct rs_error *err)
{
	(void)name, (void)err;
	*(struct rs_cid *)context = *cid;
	return RS_CANCELLED;
}

/* An object and a receipt that no record knows, as a lost index leaves them. */
static void leave_orphans(struct rs_node *node, struct rs_cid *out)
{
	const struct rs_secret key = {{9}};
	const uint8_t nonce[RS_OBJECT_NONCE_SIZE] = {9};
	struct rs_vault_staged *staged = NULL;
	char *receipt RS_CLEANUP(rs_free_pointer) = NULL;
	assert_int_equal(
		rs_vault_stage(node->vault, &key, nonce, rs_bytes_of("nobody's", 8), &staged, out, NULL),
		RS_OK);
	assert_int_equal(rs_vault_publish(node->vault, NULL, &staged, 1, NULL), RS_OK);
	assert_int_equal(node_receipt_path(node, rs_bytes_of(out->bytes, sizeof out->bytes), &receipt, NULL),
	                 RS_OK);
	assert_int_equal(rs_file_replace(node->world, receipt, rs_bytes_of("x", 1), 0600, NULL), RS_OK);
}

static struct scene make_scene(void)
{
	struct scene scene = {.sim = make_world()};
	struct rs_admit_options options = {.report = NULL};
	struct rs_blobs *local RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	struct rs_node *node = open_node(scene.sim, "/node", RS_NODE_WRITE);
	assert_int_equal(rs_node_admit(node, path_list, FILES, &options, NULL), RS_OK);
	assert_int_equal(rs_vault_list(node->vault, take_first, &scene.first, NULL), RS_CANCELLED);
	assert_int_equal(rs_blobs_open_memory(&scene.good, NULL), RS_OK);
	assert_int_equal(rs_blobs_open_local(node->vault, &local, NULL), RS_OK);
	assert_int_equal(rs_blobs_copy(local, scene.good, &scene.first, NULL), RS_OK);
	leave_orphans(node, &scene.orphan);
	rs_node_close(node);
	return scene;
}

static void scene_finish(struct scene *scene)
{
	rs_blobs_close(scene->good);
	rs_sim_destroy(scene->sim);
}

static void rot(const struct scene *scene)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_shard_path("/node/vault/objects", &scene->first, "");
	assert_int_equal(rs_sim_flip(scene->sim, path, 90, 3, NULL), RS_OK);
}

static void count_report(void *context, const char *what, const char *name, const char *sentence)
{
	(void)what, (void)name, (void)sentence;
	(*(unsigned *)context)++;
}

static enum rs_code no_pause(void *context, uint64_t ns, struct rs_error *err)
{
	(void)context, (void)ns, (void)err;
	return RS_OK;
}

static enum rs_code scrub(struct rs_node *node, unsigned *faults, struct rs_error *err)
{
	struct rs_vault_counts counts;
	const struct rs_scrub_options options = {
		.max_age_ms = UINT64_MAX, .pause = no_pause, .report = count_report, .context = faults};
	return rs_node_vault_scrub(node, &options, &counts, err);
}

static enum rs_code collect(struct rs_node *node, unsigned *told, struct rs_error *err)
{
	struct rs_vault_counts counts;
	return rs_node_vault_gc(node, false, count_report, told, &counts, err);
}

static enum rs_code bring_back(struct rs_node *node, const struct scene *scene, struct rs_error *err)
{
	struct rs_blobs *local RS_CLEANUP(rs_blobs_close_pointer) = NULL;
	RS_TRY(rs_blobs_open_local(node->vault, &local, err));
	return rs_blobs_copy(scene->good, local, &scene->first, err);
}

enum work { COLLECT, SCRUB, BRING_BACK, WORK_COUNT };

static enum rs_code do_work(enum work work, struct rs_node *node, const struct scene *scene)
{
	unsigned told = 0;
	return work == COLLECT ? collect(node, &told, NULL)
	       : work == SCRUB ? scrub(node, &told, NULL)
	                       : bring_back(node, scene, NULL);
}

static void ignore_fault(void *context, const char *part, const char *sentence)
{
	(void)context, (void)part, (void)sentence;
}

/* After the restart: nothing is lost, and the same work done again ends it. */
static void check(enum work work, const struct scene *scene, enum rs_code told)
{
	struct rs_node *node = open_node(scene->sim, "/node", RS_NODE_WRITE);
	struct rs_check_counts counts;
	struct rs_object_facts facts;
	struct rs_error err = {0};
	unsigned seen = 0;
	if (work == COLLECT) {
		assert_int_equal(collect(node, &seen, &err), RS_OK);
		assert_true(told != RS_OK || seen == 0);
		assert_false(rs_vault_has(node->vault, &scene->orphan));
	} else if (work == SCRUB) {
		assert_int_equal(scrub(node, &seen, &err), RS_ALTERED);
		assert_int_equal(seen, 1);
	}
	if (work != COLLECT) {
		enum rs_code code = rs_vault_check(node->vault, &scene->first, NULL, &facts, &err);
		assert_true(code == RS_OK || (code == RS_ALTERED && (work == SCRUB || told != RS_OK)));
		assert_int_equal(bring_back(node, scene, &err), RS_OK);
		assert_int_equal(rs_vault_check(node->vault, &scene->first, NULL, &facts, &err), RS_OK);
		assert_int_equal(collect(node, &seen, &err), RS_OK);
	}
	if (rs_node_check(node, ignore_fault, NULL, &counts, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(counts.objects, FILES);
	rs_node_close(node);
}

/* code: what fails, for ever until the power goes (RS_IO), or once (RS_NO_SPACE). Returns the steps. */
static uint64_t disturb(enum work work, uint64_t step, enum rs_code code, enum rs_sim_cut how)
{
	struct scene scene = make_scene();
	if (work != COLLECT)
		rot(&scene);
	struct rs_node *node = open_node(scene.sim, "/node", RS_NODE_READ);
	rs_sim_fail_at(scene.sim, step, code, code == RS_IO);
	enum rs_code told = do_work(work, node, &scene);
	uint64_t steps = rs_sim_steps(scene.sim);
	rs_sim_fail_at(scene.sim, 0, RS_OK, false);
	if (code == RS_IO)
		rs_sim_cut(scene.sim, how);
	rs_node_close(node);
	check(work, &scene, told);
	scene_finish(&scene);
	return steps;
}

static void a_power_cut_at_any_step_of_upkeep_loses_nothing(void **state)
{
	(void)state;
	for (int work = COLLECT; work < WORK_COUNT; work++) {
		uint64_t steps = disturb((enum work)work, 0, RS_IO, RS_SIM_LOSE_ALL);
		assert_true(steps > 3);
		for (uint64_t step = 1; step <= steps; step++)
			for (int how = RS_SIM_LOSE_ALL; how <= RS_SIM_TEAR; how++)
				disturb((enum work)work, step, RS_IO, (enum rs_sim_cut)how);
		print_message("# work %d: %llu steps, three cuts each\n", work, (unsigned long long)steps);
	}
}

static void a_full_disk_at_any_step_of_upkeep_loses_nothing(void **state)
{
	(void)state;
	for (int work = COLLECT; work < WORK_COUNT; work++) {
		uint64_t steps = disturb((enum work)work, 0, RS_NO_SPACE, RS_SIM_LOSE_ALL);
		for (uint64_t step = 1; step <= steps; step++)
			disturb((enum work)work, step, RS_NO_SPACE, RS_SIM_LOSE_ALL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_step_of_upkeep_loses_nothing),
		cmocka_unit_test(a_full_disk_at_any_step_of_upkeep_loses_nothing),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
