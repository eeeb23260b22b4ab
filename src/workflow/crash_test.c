/* A power cut at every writing step of sealing, in each of three ways: what was reported as sealed verifies after the
 * restart, nothing is half there, and the whole node checks clean. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

struct acknowledged {
	bool sealed[FILES];
	unsigned count;
};

static void take(void *context, const struct rs_admit_result *result)
{
	struct acknowledged *acknowledged = context;
	for (int i = 0; i < FILES; i++)
		if (strcmp(result->path, paths[i]) == 0 && result->outcome <= RS_ADMIT_KNOWN) {
			acknowledged->sealed[i] = true;
			acknowledged->count++;
		}
}

static enum rs_code seal(struct rs_sim *sim, struct acknowledged *acknowledged, struct rs_error *err)
{
	struct rs_node *node;
	struct rs_admit_options options = {.report = take, .context = acknowledged};
	RS_TRY(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0), NULL, &node, err));
	node->memory_max = RS_OBJECT_CHUNK_SIZE; /* one of the files is read twice */
	enum rs_code code = rs_node_admit(node, path_list, FILES, &options, err);
	rs_node_close(node);
	return code;
}

static void print_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	print_error("fault in %s: %s\n", part, sentence);
}

static void check_node(struct rs_sim *sim, const struct acknowledged *acknowledged)
{
	struct rs_node *node;
	struct rs_error err = {0};
	struct rs_check_counts counts;
	struct rs_proof_details details;
	enum rs_code code = rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0), NULL,
	                                 &node, &err);
	if (code != RS_OK)
		print_error("open: %s\n", err.message);
	assert_int_equal(code, RS_OK);
	assert_int_equal(rs_node_check(node, print_fault, NULL, &counts, &err), RS_OK);
	for (int i = 0; i < FILES; i++)
		if (acknowledged->sealed[i])
			assert_int_equal(rs_node_verify(node, paths[i], &details, &err), RS_OK);
	rs_node_close(node);
}

/* Two of the files are instances of one series, so that what they are found by is cut, too. */
static struct rs_sim *make_scans(void)
{
	struct rs_sim *sim = make_world();
	write_instance(rs_sim_world(sim), 0);
	write_instance(rs_sim_world(sim), 2);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	return sim;
}

static uint64_t count_steps(void)
{
	struct rs_sim *sim = make_scans();
	struct acknowledged acknowledged = {.count = 0};
	struct rs_error err = {0};
	rs_sim_fail_at(sim, 0, RS_OK, false);
	assert_int_equal(seal(sim, &acknowledged, &err), RS_OK);
	assert_int_equal(acknowledged.count, FILES);
	uint64_t steps = rs_sim_steps(sim);
	check_node(sim, &acknowledged);
	rs_sim_destroy(sim);
	return steps;
}

static void cut_at(uint64_t step, enum rs_sim_cut how)
{
	struct rs_sim *sim = make_scans();
	struct acknowledged acknowledged = {.count = 0}, all = {.count = 0};
	struct rs_error err = {0};
	rs_sim_fail_at(sim, step, RS_IO, true);
	(void)seal(sim, &acknowledged, &err);
	rs_sim_cut(sim, how);
	check_node(sim, &acknowledged);
	assert_int_equal(seal(sim, &all, &err), RS_OK);
	assert_int_equal(all.count, FILES);
	check_node(sim, &all);
	rs_sim_destroy(sim);
}

static void a_power_cut_at_any_step_loses_nothing_acknowledged(void **state)
{
	(void)state;
	uint64_t steps = count_steps();
	assert_true(steps > 40);
	for (uint64_t at = 0; at < 3 * steps; at += RS_SIM_STRIDE)
		cut_at(at / 3 + 1, (enum rs_sim_cut)(at % 3));
	print_message("# %llu steps, three cuts each\n", (unsigned long long)steps);
}

/* The disk is full for one step, then has room again, in the same process. */
static void a_full_disk_at_any_step_leaves_a_clean_node(void **state)
{
	(void)state;
	uint64_t steps = count_steps();
	for (uint64_t step = 1; step <= steps; step++) {
		struct rs_sim *sim = make_scans();
		struct acknowledged acknowledged = {.count = 0}, all = {.count = 0};
		struct rs_error err = {0};
		rs_sim_fail_at(sim, step, RS_NO_SPACE, false);
		if (seal(sim, &acknowledged, &err) != RS_OK)
			assert_true(err.message[0]);
		rs_sim_fail_at(sim, 0, RS_OK, false);
		assert_int_equal(seal(sim, &all, &err), RS_OK);
		check_node(sim, &all);
		rs_sim_destroy(sim);
	}
}

/* The disk fails until the work is given up, taking back included; the same process tries again when it is well. */
static void a_process_goes_on_after_its_disk_failed(void **state)
{
	(void)state;
	uint64_t steps = count_steps();
	for (uint64_t step = 1; step <= steps; step++) {
		struct rs_sim *sim = make_scans();
		struct acknowledged first = {.count = 0}, all = {.count = 0};
		struct rs_admit_options options = {.report = take, .context = &first};
		struct rs_node *node = NULL;
		struct rs_error err = {0};
		assert_int_equal(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0),
		                              NULL, &node, &err),
		                 RS_OK);
		rs_sim_fail_at(sim, step, RS_NO_SPACE, true);
		enum rs_code code = rs_node_admit(node, path_list, FILES, &options, &err);
		assert_int_equal(first.count, code == RS_OK ? FILES : 0);
		rs_sim_fail_at(sim, 0, RS_OK, false);
		options.context = &all;
		if (rs_node_admit(node, path_list, FILES, &options, &err) != RS_OK)
			fail_msg("step %llu: %s", (unsigned long long)step, err.message);
		assert_int_equal(all.count, FILES);
		rs_sim_cut(sim, RS_SIM_LOSE_ALL);
		rs_node_close(node);
		check_node(sim, &all);
		rs_sim_destroy(sim);
	}
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_step_loses_nothing_acknowledged),
		cmocka_unit_test(a_full_disk_at_any_step_leaves_a_clean_node),
		cmocka_unit_test(a_process_goes_on_after_its_disk_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
