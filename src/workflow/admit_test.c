/* Sealing that is not allowed, or was interrupted: what is told, and that nothing of it stays. */
#include "node/node_test.h"

#include "node/node_parts.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

struct told {
	unsigned failed, sealed, faults, interrupted;
	enum rs_code code;
	char sentence[1024];
};

static void take_result(void *context, const struct rs_admit_result *result)
{
	struct told *told = context;
	told->failed += result->outcome == RS_ADMIT_FAILED;
	told->sealed += result->outcome == RS_ADMIT_SEALED;
	if (result->outcome != RS_ADMIT_FAILED)
		return;
	told->code = result->error.code;
	(void)snprintf(told->sentence, sizeof told->sentence, "%s", result->error.message);
}

static void take_fault(void *context, const char *part, const char *sentence)
{
	struct told *told = context;
	told->faults++;
	told->interrupted += strstr(sentence, "a sealing was interrupted") != NULL;
	(void)snprintf(told->sentence, sizeof told->sentence, "%s: %s", part, sentence);
}

static enum rs_code admit(struct rs_node *node, struct told *told)
{
	struct rs_error err = {0};
	struct rs_admit_options options = {.report = take_result, .context = told};
	return rs_node_admit(node, path_list, FILES, &options, &err);
}

/* The administrator revokes its own membership: from then on the contract refuses whatever it signs. */
static void revoke_the_signer(struct rs_node *node)
{
	struct rs_error err = {0};
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_append_result result;
	const struct rs_act act = {.type = RS_TRANSACTION_MEMBER_REVOKE,
	                           .id = {1},
	                           .time_ms = rs_world_now_ms(node->world),
	                           .member = rs_keyring_member_id(node->keyring)};
	assert_int_equal(rs_transaction_sign(&act, rs_keyring_member_key(node->keyring), &transaction, &err),
	                 RS_OK);
	assert_int_equal(rs_ledger_append(node->ledger, &transaction, 1, &result, &err), RS_OK);
	assert_int_equal(result.refusal, RS_REFUSAL_NONE);
}

static void what_the_contract_refuses_is_taken_back(void **state)
{
	struct rs_sim *sim = make_world();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct told told = {0};
	struct rs_error err = {0};
	struct rs_check_counts counts;
	struct rs_proof_details details;
	(void)state;
	revoke_the_signer(node);
	(void)admit(node, &told);
	assert_int_equal(told.failed, FILES);
	assert_int_equal(told.sealed, 0);
	assert_int_equal(told.code, RS_REFUSED);
	assert_non_null(strstr(told.sentence, "REVOKED: the signer was revoked"));
	assert_int_equal(rs_node_check(node, take_fault, &told, &counts, &err), RS_OK);
	assert_true(counts.objects == 0 && counts.receipts == 0 && counts.records == 0 &&
	            counts.entries == 2);
	assert_int_not_equal(rs_node_verify(node, paths[0], &details, &err), RS_OK);
	rs_node_close(node);
	rs_sim_destroy(sim);
}

/* After a power cut between intent and completion, a check that may not write names it; the next sealing ends it. */
static void an_interrupted_sealing_is_named(void **state)
{
	unsigned named = 0;
	(void)state;
	for (uint64_t step = 1;; step++) {
		struct rs_sim *sim = make_world();
		struct told told = {0}, after = {0};
		struct rs_check_counts counts;
		struct rs_error err = {0};
		struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
		rs_sim_fail_at(sim, step, RS_IO, true);
		enum rs_code code = admit(node, &told);
		rs_node_close(node);
		rs_sim_cut(sim, RS_SIM_LOSE_ALL);
		node = open_node(sim, "/node", RS_NODE_READ);
		(void)rs_node_check(node, take_fault, &after, &counts, &err);
		rs_node_close(node);
		named += after.interrupted;
		node = open_node(sim, "/node", RS_NODE_WRITE);
		after = (struct told){0};
		assert_int_equal(admit(node, &after), RS_OK);
		assert_int_equal(rs_node_check(node, take_fault, &after, &counts, &err), RS_OK);
		assert_true(after.faults == 0 && counts.objects == FILES);
		rs_node_close(node);
		rs_sim_destroy(sim);
		if (code == RS_OK && told.sealed == FILES)
			break; /* past the last step */
	}
	assert_true(named > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_contract_refuses_is_taken_back),
		cmocka_unit_test(an_interrupted_sealing_is_named),
	};
	if (rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
