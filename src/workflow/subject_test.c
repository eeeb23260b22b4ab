/* What the ledger learns of whose data these are: each subject once, every object's subject and study, the parents of
 * what was measured; and that none of it can be told without the subject's key. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "workflow/workflow_features.h"
#include "workflow/workflow_phantom.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

static void ignore(void *context, const struct rs_admit_result *result)
{
	(void)context;
	if (result->outcome == RS_ADMIT_FAILED)
		fail_msg("%s", result->error.message);
}

static void seal(struct rs_node *node, const char *path, const char *subject)
{
	struct rs_error err = {0};
	struct rs_admit_options options = {.subject = subject, .report = ignore};
	char copy[64];
	char *const list[] = {copy};
	(void)snprintf(copy, sizeof copy, "%s", path);
	if (rs_node_admit(node, list, 1, &options, &err) != RS_OK)
		fail_msg("%s", err.message);
}

/* Entry `index`; the views are valid until the next one. */
static struct rs_act entry(struct rs_node *node, uint64_t index, enum rs_transaction_type type)
{
	struct rs_bytes bytes;
	struct rs_act act;
	struct rs_error err = {0};
	assert_int_equal(rs_ledger_entry(node->ledger, index, &bytes, &err), RS_OK);
	assert_int_equal(rs_transaction_verify(bytes, &act, &err), RS_OK);
	assert_int_equal(act.type, type);
	return act;
}

static void no_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	fail_msg("%s: %s", part, sentence);
}

static void close_clean(struct rs_node *node, struct rs_sim *sim)
{
	struct rs_check_counts counts;
	struct rs_error err = {0};
	assert_int_equal(rs_node_check(node, no_fault, NULL, &counts, &err), RS_OK);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

static void a_subject_is_registered_once(void **state)
{
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_node_subject one, other;
	struct rs_subject_facts facts;
	struct rs_error err = {0};
	(void)state;
	seal(node, paths[0], "P1");
	rs_node_close(node);
	node = open_node(sim, "/node", RS_NODE_WRITE);
	seal(node, paths[1], "P1");
	seal(node, paths[2], "P2");
	assert_int_equal(rs_ledger_size(node->ledger), 1 + 2 + 3);
	assert_int_equal(rs_node_subject(node, "", "P1", &one, &err), RS_OK);
	assert_int_equal(rs_node_subject(node, "", "P2", &other, &err), RS_OK);
	assert_memory_equal(entry(node, 1, RS_TRANSACTION_SUBJECT_REGISTER).subject.bytes, one.token.bytes,
	                    32);
	assert_memory_equal(entry(node, 2, RS_TRANSACTION_OBJECT_REGISTER).subject.bytes, one.token.bytes,
	                    32);
	assert_memory_equal(entry(node, 3, RS_TRANSACTION_OBJECT_REGISTER).subject.bytes, one.token.bytes,
	                    32);
	assert_memory_equal(entry(node, 4, RS_TRANSACTION_SUBJECT_REGISTER).subject.bytes, other.token.bytes,
	                    32);
	assert_memory_equal(entry(node, 5, RS_TRANSACTION_OBJECT_REGISTER).subject.bytes, other.token.bytes,
	                    32);
	const struct rs_state ledger = rs_ledger_state(node->ledger);
	assert_int_equal(rs_contract_subject(&ledger, &one.token, &facts, &err), RS_OK);
	assert_true(facts.objects == 2 && !facts.erased && strcmp(facts.custodian, "Radiology") == 0);
	assert_int_equal(rs_node_subject(node, "", "P3", &other, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "nothing of this subject is here"));
	assert_null(strstr(err.message, "P3"));
	close_clean(node, sim);
}

/* A series of DICOM names its study; and a vector that was measured from it and from a mask has both as parents, their
 * study, and their patient. */
static void what_was_measured_has_parents(void **state)
{
	struct rs_sim *sim = make_world();
	struct rs_volume image = {0};
	struct rs_mask mask = {0};
	struct rs_error err = {0};
	struct rs_digest files[2], parents[2], subject, study;
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0}, text RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_named_value value = {"original_shape_Elongation", 0.5};
	(void)state;
	assert_int_equal(rs_phantom_make(1, &image, &mask, &err), RS_OK);
	assert_int_equal(rs_phantom_write_dicom(rs_sim_world(sim), &image, "/data/mr", &err), RS_OK);
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	seal(node, "/data/mr", NULL);
	seal(node, paths[0], "P1");
	struct rs_act act = entry(node, 2, RS_TRANSACTION_OBJECT_REGISTER);
	subject = act.subject;
	study = act.study;
	parents[0] = act.commitment;
	parents[1] = entry(node, 4, RS_TRANSACTION_OBJECT_REGISTER).commitment;
	assert_false(rs_digest_equal(&study, &(struct rs_digest){{0}}));
	static const char *const sources[] = {"/data/mr/slice001.dcm", "/data/a.nii"};
	for (size_t i = 0; i < RS_COUNT(sources); i++) {
		assert_int_equal(rs_file_read_all(rs_sim_world(sim), sources[i], 1 << 20, &content, &err),
		                 RS_OK);
		rs_sha256(rs_buffer_bytes(&content), &files[i]);
		rs_buffer_finish(&content);
	}
	const struct rs_features features = {.version = "1",
	                                     .images = files,
	                                     .masks = files + 1,
	                                     .image_count = 1,
	                                     .mask_count = 1,
	                                     .sequence = "",
	                                     .label = "",
	                                     .values = &value,
	                                     .value_count = 1};
	rs_buffer_init(&text, 4096);
	assert_int_equal(rs_features_encode(&features, &text, &err), RS_OK);
	assert_int_equal(rs_file_replace(rs_sim_world(sim), "/data/v", rs_buffer_bytes(&text), 0600, &err),
	                 RS_OK);
	seal(node, "/data/v", NULL);
	act = entry(node, 5, RS_TRANSACTION_OBJECT_REGISTER);
	assert_int_equal(act.kind, RS_OBJECT_FEATURES);
	assert_true(rs_bytes_equal(act.parents, rs_bytes_of(parents, sizeof parents)));
	assert_true(rs_digest_equal(&act.subject, &subject) && rs_digest_equal(&act.study, &study));
	rs_volume_finish(&image);
	rs_mask_finish(&mask);
	close_clean(node, sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subject_is_registered_once),
		cmocka_unit_test(what_was_measured_has_parents),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
