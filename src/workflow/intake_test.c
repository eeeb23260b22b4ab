/* What arrives piece by piece: the stored bytes, what is refused, and power cuts while it is written, after which nothing that
 * was acknowledged is missing. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "workflow/workflow.h"
#include "dicom/dicom.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow_intake.h"

#define INSTANCES 4
#define CLASS "1.2.840.10008.5.1.4.1.1.7"
#define LARGE 3 /* this one does not fit into memory_max */
#define MEMORY_MAX ((size_t)1 << 20)

struct outcome {
	enum rs_code code;
	enum rs_admit_outcome outcome;
	unsigned calls;
	struct rs_error err;
};

static void note(void *context, enum rs_code code, const struct rs_admit_result *result,
                 const struct rs_error *err)
{
	struct outcome *outcome = context;
	if (code != RS_OK)
		assert_true(err->message[0]);
	*outcome = (struct outcome){code, result->outcome, outcome->calls + 1, *err};
}

static void uid_of(int number, char out[static 16]) { snprintf(out, 16, "1.2.3.%d", number); }

/* A data set: two patients, each with a series. */
static void make_data(int number, struct rs_buffer *out)
{
	static uint16_t pixels[(2 << 20) / 2];
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	char uid[16];
	rs_dicom_builder_init(&builder, RS_DICOM_EXPLICIT_LE, (size_t)4 << 20);
	uid_of(number, uid);
	rs_dicom_builder_text(&builder, 0x00080016, "UI", CLASS);
	rs_dicom_builder_text(&builder, 0x00080018, "UI", uid);
	rs_dicom_builder_text(&builder, 0x00100020, "LO", number % 2 ? "P1" : "P2");
	rs_dicom_builder_text(&builder, 0x0020000D, "UI", number % 2 ? "1.2.1" : "1.2.2");
	rs_dicom_builder_text(&builder, 0x0020000E, "UI", number % 2 ? "1.2.1.1" : "1.2.2.1");
	if (number == LARGE)
		rs_dicom_builder_words(&builder, RS_DICOM_PIXEL_DATA, "OW", pixels, RS_COUNT(pixels));
	rs_buffer_init(out, (size_t)4 << 20);
	assert_int_equal(rs_buffer_append_bytes(out, rs_buffer_bytes(&builder.body)), RS_OK);
}

static struct rs_arrival_claims claims_of(const char *uid)
{
	return (struct rs_arrival_claims){.sop_class_uid = CLASS,
	                                  .sop_instance_uid = uid,
	                                  .transfer_syntax_uid = "1.2.840.10008.1.2.1",
	                                  .implementation_uid = "1.2.3.4"};
}

/* In pieces of 1,000 bytes. */
static enum rs_code send(struct rs_intake *intake, int number, struct outcome *outcome, struct rs_error *err)
{
	struct rs_buffer data RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_arrival *arrival;
	char uid[16];
	uid_of(number, uid);
	struct rs_arrival_claims claims = claims_of(uid);
	make_data(number, &data);
	RS_TRY(rs_arrival_begin(intake, &claims, &arrival, err));
	for (size_t at = 0; at < data.size; at += 1000) {
		size_t size = data.size - at < 1000 ? data.size - at : 1000;
		enum rs_code code = rs_arrival_add(arrival, rs_bytes_of(data.data + at, size), err);
		if (code != RS_OK) {
			rs_arrival_abandon(arrival);
			return code;
		}
	}
	rs_arrival_admit(arrival, note, outcome);
	assert_true(outcome->calls > 0);
	return outcome->code;
}

/* Files as they are expected to be stored. */
static void write_expected(const struct rs_world *world)
{
	for (int i = 0; i < INSTANCES; i++) {
		struct rs_buffer data RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		char path[32], uid[16];
		struct rs_error err = {0};
		uid_of(i, uid);
		make_data(i, &data);
		rs_buffer_init(&file, (size_t)4 << 20);
		assert_int_equal(rs_dicom_put_meta(CLASS, uid, "1.2.840.10008.1.2.1", "1.2.3.4", &file, &err),
		                 RS_OK);
		assert_int_equal(rs_buffer_append_bytes(&file, rs_buffer_bytes(&data)), RS_OK);
		snprintf(path, sizeof path, "/data/%d.dcm", i);
		assert_int_equal(rs_file_replace(world, path, rs_buffer_bytes(&file), 0600, &err), RS_OK);
	}
}

static void print_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	print_error("fault in %s: %s\n", part, sentence);
}

static void check_node(struct rs_sim *sim, const struct outcome *outcomes)
{
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_check_counts counts;
	struct rs_proof_details details;
	struct rs_error err = {0};
	if (rs_node_check(node, print_fault, NULL, &counts, &err) != RS_OK)
		fail_msg("%s", err.message);
	for (int i = 0; i < INSTANCES; i++) {
		char path[32];
		snprintf(path, sizeof path, "/data/%d.dcm", i);
		if (outcomes[i].calls && outcomes[i].code == RS_OK &&
		    rs_node_verify(node, path, &details, &err) != RS_OK)
			fail_msg("%s: %s", path, err.message);
	}
	rs_node_close(node);
}

/* Everything, as a server would: settling once in between. */
static enum rs_code take_all(struct rs_sim *sim, struct outcome *outcomes)
{
	struct rs_node *node;
	struct rs_intake *intake;
	struct rs_error err = {0};
	RS_TRY(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0), NULL, &node,
	                    &err));
	enum rs_code code = rs_intake_open(node, NULL, MEMORY_MAX, &intake, &err);
	if (code == RS_OK) {
		for (int i = 0; code == RS_OK && i < INSTANCES; i++) {
			code = send(intake, i, &outcomes[i], &err);
			for (int calls = 0; i == 1 && calls < 2;
			     calls++) /* the first one sees that something came */
				(void)rs_intake_settle(intake, NULL);
		}
		(void)rs_intake_close(intake, NULL);
	}
	rs_node_close(node);
	return code;
}

static struct rs_sim *make(void)
{
	struct rs_sim *sim = make_world();
	write_expected(rs_sim_world(sim));
	rs_sim_fail_at(sim, 0, RS_OK, false);
	return sim;
}

static void what_arrives_is_stored_and_known_again(void **state)
{
	struct rs_sim *sim = make();
	struct outcome first[INSTANCES] = {0}, second[INSTANCES] = {0};
	(void)state;
	assert_int_equal(take_all(sim, first), RS_OK);
	check_node(sim, first);
	assert_int_equal(take_all(sim, second), RS_OK);
	for (int i = 0; i < INSTANCES; i++) {
		assert_true(first[i].calls == 1 && first[i].outcome == RS_ADMIT_SEALED);
		assert_true(second[i].calls == 1 && second[i].outcome == RS_ADMIT_KNOWN);
	}
	check_node(sim, second);
	rs_sim_destroy(sim);
}

static void what_is_not_as_announced_is_refused(void **state)
{
	static const struct {
		const char *uid, *data;
		enum rs_code code;
	} cases[] = {
		{"1.2.3.9", NULL, RS_USAGE},
		{"1.2.3.0", "\x08\x00\x16\x00UI\xff\xff", RS_MALFORMED},
	};
	struct rs_sim *sim = make();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_intake *intake;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_intake_open(node, NULL, MEMORY_MAX, &intake, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_buffer data RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_arrival_claims claims = claims_of(cases[i].uid);
		struct rs_arrival *arrival;
		struct outcome outcome = {.calls = 0};
		make_data(0, &data);
		struct rs_bytes bytes = rs_buffer_bytes(&data);
		if (cases[i].data)
			bytes = rs_bytes_of(cases[i].data, 8);
		assert_int_equal(rs_arrival_begin(intake, &claims, &arrival, &err), RS_OK);
		assert_int_equal(rs_arrival_add(arrival, bytes, &err), RS_OK);
		rs_arrival_admit(arrival, note, &outcome);
		assert_true(outcome.calls == 1 && outcome.code == cases[i].code);
	}
	assert_int_equal(rs_intake_close(intake, &err), RS_OK);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void a_power_cut_at_any_step_loses_nothing_acknowledged(void **state)
{
	struct rs_sim *counting = make();
	struct outcome counted[INSTANCES] = {0};
	(void)state;
	assert_int_equal(take_all(counting, counted), RS_OK);
	uint64_t steps = rs_sim_steps(counting);
	rs_sim_destroy(counting);
	assert_true(steps > 60);
	/* Every seventh: crash_test.c walks over all steps of the same protocol. Each of the three cuts has its turn. */
	for (uint64_t step = 1; step <= steps; step += 7) {
		struct rs_sim *sim = make();
		struct outcome outcomes[INSTANCES] = {0}, all[INSTANCES] = {0};
		rs_sim_fail_at(sim, step, RS_IO, true);
		(void)take_all(sim, outcomes);
		rs_sim_cut(sim, (enum rs_sim_cut)(step % 3));
		check_node(sim, outcomes);
		assert_int_equal(take_all(sim, all), RS_OK);
		check_node(sim, all);
		rs_sim_destroy(sim);
	}
	print_message("# %llu steps\n", (unsigned long long)steps);
}

/* The disk fails, once or until it is well again, while the same intake goes on: what fails is refused, what is sent again then
 * is taken, and the node is clean. */
static void an_intake_goes_on_after_its_disk_failed(void **state)
{
	struct rs_sim *counting = make();
	struct outcome counted[INSTANCES] = {0};
	(void)state;
	assert_int_equal(take_all(counting, counted), RS_OK);
	uint64_t steps = rs_sim_steps(counting);
	rs_sim_destroy(counting);
	for (uint64_t step = 1; step <= steps; step += 9) {
		struct rs_sim *sim = make();
		struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
		struct outcome first[INSTANCES] = {0}, again[INSTANCES] = {0};
		struct rs_intake *intake;
		struct rs_error err = {0};
		assert_int_equal(rs_intake_open(node, NULL, MEMORY_MAX, &intake, &err), RS_OK);
		rs_sim_fail_at(sim, step, RS_NO_SPACE, step % 2 == 0);
		for (int i = 0; i < INSTANCES; i++)
			(void)send(intake, i, &first[i], &err);
		rs_sim_fail_at(sim, 0, RS_OK, false);
		for (int i = 0; i < INSTANCES; i++)
			if (send(intake, i, &again[i], &err) != RS_OK)
				fail_msg("step %llu, instance %d: %s", (unsigned long long)step, i,
				         again[i].calls ? again[i].err.message : err.message);
		assert_int_equal(rs_intake_close(intake, &err), RS_OK);
		rs_node_close(node);
		rs_sim_cut(sim, RS_SIM_LOSE_ALL);
		check_node(sim, again);
		rs_sim_destroy(sim);
	}
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_arrives_is_stored_and_known_again),
		cmocka_unit_test(what_is_not_as_announced_is_refused),
		cmocka_unit_test(a_power_cut_at_any_step_loses_nothing_acknowledged),
		cmocka_unit_test(an_intake_goes_on_after_its_disk_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
