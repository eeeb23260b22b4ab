/* A quota, a disk with little room, and a disk that is full at any point: sealing says which, stores nothing half, and goes on
 * when there is room. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

#define NEED                     \
	((uint64_t)1100 * 1024 + \
	 3 * 1024) /* more than the three files take in the vault, less than 8 KiB more */

static struct rs_sim *sim;

static int set_up(void **state)
{
	(void)state;
	sim = make_world();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rs_sim_destroy(sim);
	return 0;
}

static void configure(const char *vault)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_world *world = rs_sim_world(sim);
	assert_int_equal(rs_file_read_all(world, "/node/radseal.yaml", 1 << 16, &text, NULL), RS_OK);
	static const char mark[] = "\nvault:";
	for (size_t i = 0; i + sizeof mark <= text.size; i++)
		if (memcmp(text.data + i, mark, sizeof mark - 1) == 0)
			text.size = i;
	rs_buffer_printf(&text, "\nvault: %s\n", vault);
	assert_int_equal(rs_file_replace(world, "/node/radseal.yaml", rs_buffer_bytes(&text), 0600, NULL),
	                 RS_OK);
}

static enum rs_code seal(size_t count, struct rs_error *err)
{
	struct rs_node *node;
	const struct rs_admit_options options = {.report = NULL};
	*err = (struct rs_error){0};
	RS_TRY(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0), NULL, &node, err));
	enum rs_code code = rs_node_admit(node, path_list, count, &options, err);
	rs_node_close(node);
	return code;
}

static void print_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	print_error("fault in %s: %s\n", part, sentence);
}

/* The node is whole; returns how many objects it has. */
static uint64_t check(void)
{
	struct rs_node *node = NULL;
	struct rs_check_counts counts;
	struct rs_error err = {0};
	if (rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0), NULL, &node, &err) !=
	    RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(rs_node_check(node, print_fault, NULL, &counts, &err), RS_OK);
	rs_node_close(node);
	return counts.objects;
}

static void a_quota_ends_sealing_before_anything_is_stored(void **state)
{
	struct rs_error err;
	(void)state;
	configure("{quota: 1 MB}");
	assert_int_equal(seal(FILES, &err), RS_NO_SPACE);
	assert_non_null(strstr(err.message, "the vault's quota is 1.0 MB, of which"));
	assert_int_equal(check(), 0);
	assert_int_equal(seal(1, &err), RS_OK); /* a small one fits */
	assert_int_equal(seal(FILES, &err), RS_NO_SPACE);
	assert_int_equal(check(), 1);
	configure("{quota: 1200 KiB}");
	assert_int_equal(seal(FILES, &err), RS_OK);
	configure("{quota: 1 MB}"); /* lowered later: what is known takes nothing */
	assert_int_equal(seal(FILES, &err), RS_OK);
	assert_int_equal(check(), FILES);
}

static void what_is_kept_for_the_ledger_is_left(void **state)
{
	const struct rs_world *world = rs_sim_world(sim);
	struct rs_error err;
	uint64_t left;
	(void)state;
	rs_sim_set_space(sim, 256 << 20);
	assert_int_equal(world->files->free_space(world->files, "/", &left, NULL), RS_OK);
	rs_sim_set_space(sim, (256 << 20) - left + NEED + (1 << 20)); /* what is there, and for a bit more */
	configure("{reserve: 2 MiB}");
	assert_int_equal(seal(FILES, &err), RS_NO_SPACE);
	assert_non_null(strstr(err.message, "of which 2.1 MB are kept for the ledger"));
	assert_int_equal(check(), 0);
	configure("{reserve: 64 KiB}");
	assert_int_equal(seal(FILES, &err), RS_OK);
	assert_int_equal(check(), FILES);
}

/* Whatever does not fit, object, index, ledger or receipt: all is taken back, or comes through later. */
static void a_disk_that_is_full_at_any_point_leaves_a_whole_node(void **state)
{
	unsigned points = 0, completed = 0;
	(void)state;
	for (uint64_t room = 0, sealed = false; !sealed; room += room < (1 << 20) ? 256 * 1024 : 4096) {
		struct rs_error err;
		uint64_t left;
		rs_sim_destroy(sim);
		sim = make_world();
		configure("{reserve: 0}");
		const struct rs_files *files = rs_sim_world(sim)->files;
		rs_sim_set_space(sim, 256 << 20);
		assert_int_equal(files->free_space(files, "/", &left, NULL), RS_OK);
		rs_sim_set_space(sim, (256 << 20) - left + room);
		enum rs_code code = seal(FILES, &err);
		sealed = code == RS_OK;
		if (!sealed && code != RS_NO_SPACE)
			fail_msg("%llu bytes left: %s", (unsigned long long)room, err.message);
		assert_true(sealed || err.message[0]);
		rs_sim_set_space(sim, 0);
		/* What the ledger took before the disk was full, the next opening completes. */
		uint64_t objects = check();
		assert_true(objects == FILES || (objects == 0 && !sealed));
		points++;
		completed += objects == FILES && !sealed;
		assert_true(room < 16 << 20);
	}
	print_message("# %u points, %u of them past the ledger\n", points, completed);
	assert_true(completed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_quota_ends_sealing_before_anything_is_stored, set_up,
	                                        tear_down),
		cmocka_unit_test_setup_teardown(what_is_kept_for_the_ledger_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_disk_that_is_full_at_any_point_leaves_a_whole_node, set_up,
	                                        tear_down),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
