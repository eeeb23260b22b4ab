/* Erasures through power cuts and full disks at every writing step: a subject is whole or gone, never between, and everybody else
 * is as before; what an old key-store backup still has does not come back; certificates count to the last bit. */
#include "node/node_test.h"

#include "contract/contract.h"
#include "node/node_parts.h"
#include "keeping/keeping_backup.h"
#include "node/node_erase.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

/* The first two files are of P0, the third of P1. */
static const char *const owners[FILES] = {"P0", "P0", "P1"};

static void seal_all(struct rs_node *node)
{
	struct rs_error err = {0};
	for (int i = 0; i < FILES; i++) {
		struct rs_admit_options options = {.subject = owners[i]};
		if (rs_node_admit(node, path_list + i, 1, &options, &err) != RS_OK)
			fail_msg("%s", err.message);
	}
}

static struct rs_sim *make_sealed(void)
{
	struct rs_sim *sim = make_world();
	write_instance(rs_sim_world(sim), 0);
	write_instance(rs_sim_world(sim), 2);
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	seal_all(node);
	rs_node_close(node);
	rs_sim_cut(sim, RS_SIM_LOSE_ALL);
	rs_sim_fail_at(sim, 0, RS_OK, false);
	return sim;
}

static enum rs_code erase_with(struct rs_node *node, const char *name, struct rs_buffer *certificate,
                               struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_erasure_facts facts;
	RS_TRY(rs_node_actor_open(node, name, rs_bytes_of("", 0), &actor, err));
	return rs_node_erase(node, actor, "", "P0", "objection", certificate, &facts, err);
}

static enum rs_code erase(struct rs_sim *sim, struct rs_error *err)
{
	struct rs_node *node;
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_node_open(rs_sim_world(sim), "/node", RS_NODE_WRITE, rs_bytes_of("", 0), NULL, &node, err));
	rs_buffer_init(&certificate, (size_t)1 << 20);
	enum rs_code code = erase_with(node, NULL, &certificate, err);
	rs_node_close(node);
	return code;
}

static void print_fault(void *context, const char *part, const char *sentence)
{
	(void)context;
	print_error("fault in %s: %s\n", part, sentence);
}

static enum rs_code count_certificate(void *context, struct rs_str name, enum rs_file_kind kind,
                                      struct rs_error *err)
{
	(void)kind, (void)err;
	*(size_t *)context += rs_str_ends_with(name, ".note");
	return RS_OK;
}

/* *out_gone: the subject is gone, all of it. */
static void check_node(struct rs_sim *sim, const char *home, bool *out_gone)
{
	struct rs_node *node = open_node(sim, home, RS_NODE_WRITE);
	const struct rs_files *files = rs_sim_world(sim)->files;
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "certificates");
	size_t certificates = 0;
	struct rs_check_counts counts;
	struct rs_proof_details details;
	struct rs_error err = {0};
	assert_int_equal(rs_node_check(node, print_fault, NULL, &counts, &err), RS_OK);
	enum rs_code first = rs_node_verify(node, paths[0], &details, &err);
	*out_gone = first == RS_NOT_FOUND;
	assert_true(first == RS_OK || first == RS_NOT_FOUND);
	assert_int_equal(rs_node_verify(node, paths[1], &details, &err), first);
	assert_int_equal(rs_node_verify(node, paths[2], &details, &err), RS_OK);
	assert_int_equal(counts.subjects, *out_gone ? 1 : 2);
	if (rs_path_exists(rs_sim_world(sim), directory))
		assert_int_equal(files->list(files, directory, count_certificate, &certificates, &err),
		                 RS_OK);
	assert_int_equal(certificates, *out_gone ? 1 : 0);
	rs_node_close(node);
}

static void a_power_cut_leaves_a_subject_whole_or_gone(void **state)
{
	(void)state;
	struct rs_sim *sim = make_sealed();
	struct rs_error err = {0};
	bool gone;
	assert_int_equal(erase(sim, &err), RS_OK);
	uint64_t steps = rs_sim_steps(sim), erased = 0;
	check_node(sim, "/node", &gone);
	assert_true(gone && steps > 40);
	rs_sim_destroy(sim);
	for (uint64_t at = 0; at < 3 * steps; at += RS_SIM_STRIDE) {
		sim = make_sealed();
		rs_sim_fail_at(sim, at / 3 + 1, RS_IO, true);
		enum rs_code code = erase(sim, &err);
		rs_sim_cut(sim, (enum rs_sim_cut)(at % 3));
		rs_sim_fail_at(sim, 0, RS_OK, false);
		check_node(sim, "/node", &gone);
		assert_true(gone || code != RS_OK);
		if (!gone && erase(sim, &err) != RS_OK)
			fail_msg("step %llu: %s", (unsigned long long)at / 3 + 1, err.message);
		erased += gone;
		check_node(sim, "/node", &gone);
		assert_true(gone);
		rs_sim_destroy(sim);
	}
	assert_true(erased > 0 && erased < 3 * steps);
	print_message("# %llu steps, three cuts each; %llu ended by the next opening\n",
	              (unsigned long long)steps, (unsigned long long)erased);
}

/* The disk is full, then has room again, in the same process. */
static void a_process_goes_on_after_its_disk_was_full(void **state)
{
	(void)state;
	struct rs_sim *sim = make_sealed();
	struct rs_error err = {0};
	assert_int_equal(erase(sim, &err), RS_OK);
	uint64_t steps = rs_sim_steps(sim);
	rs_sim_destroy(sim);
	for (uint64_t step = 1; step <= steps; step++) {
		struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
		bool gone;
		sim = make_sealed();
		struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
		rs_buffer_init(&certificate, (size_t)1 << 20);
		rs_sim_fail_at(sim, step, RS_NO_SPACE, false);
		enum rs_code code = erase_with(node, NULL, &certificate, &err);
		rs_sim_fail_at(sim, 0, RS_OK, false);
		if (code != RS_OK) {
			assert_true(err.message[0]);
			rs_buffer_clear(&certificate);
			code = erase_with(node, NULL, &certificate, &err);
		}
		/* The key may be gone, and with it the name: then the next opening ends it. */
		if (code != RS_OK && code != RS_NOT_FOUND)
			fail_msg("step %llu: %s", (unsigned long long)step, err.message);
		rs_node_close(node);
		check_node(sim, "/node", &gone);
		assert_true(gone);
		rs_sim_destroy(sim);
	}
}

static void who_may_not_erases_nothing(void **state)
{
	(void)state;
	struct rs_sim *sim = make_sealed();
	const struct rs_world *world = rs_sim_world(sim);
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_actor *actor = NULL;
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_signing_key key;
	struct rs_error err = {0};
	uint64_t index;
	uint8_t secret[32] = {1};
	struct rs_unlock unlock = {.unlock_file = rs_bytes_of(secret, sizeof secret)};
	bool gone;
	rs_buffer_init(&certificate, (size_t)1 << 20);
	assert_int_equal(rs_file_replace(world, "/node/keys/reader.unlock", unlock.unlock_file, 0600, &err),
	                 RS_OK);
	assert_int_equal(rs_member_key_file_create(world, "/node/keys/reader.key", &unlock, &key, &err),
	                 RS_OK);
	struct rs_act grant = {
		.type = RS_TRANSACTION_MEMBER_GRANT, .role = RS_ROLE_RADIOLOGIST, .from_ms = 1};
	memcpy(grant.member.bytes, key.public_key, RS_KEY_SIZE);
	rs_signing_key_finish(&key);
	assert_int_equal(rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &actor, &err), RS_OK);
	if (rs_node_transact(node, actor, &grant, &index, &err) != RS_OK)
		fail_msg("%s", err.message);
	rs_actor_close(actor);
	assert_int_equal(erase_with(node, "reader", &certificate, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "ROLE"));
	assert_int_equal(certificate.size, 0);
	rs_node_close(node);
	check_node(sim, "/node", &gone);
	assert_false(gone);
	rs_sim_destroy(sim);
}

static void restore_with(struct rs_sim *sim, const char *keys, const char *home,
                         struct rs_restore_counts *counts)
{
	struct rs_buffer unlock RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_error err = {0};
	assert_int_equal(rs_file_read_all(rs_sim_world(sim), "/node/keys/unlock.key", 4096, &unlock, &err),
	                 RS_OK);
	struct rs_restore_options options = {
		.data = "/data-backup", .keys = keys, .unlock = {.unlock_file = rs_buffer_bytes(&unlock)}};
	if (rs_node_restore(rs_sim_world(sim), home, &options, NULL, counts, &err) != RS_OK)
		fail_msg("%s", err.message);
}

/* The key-store backup is from before the erasure: the key is in it, and stays there. */
static void an_old_key_store_brings_nobody_back(void **state)
{
	(void)state;
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_key_backup_counts key_counts;
	struct rs_backup_counts counts;
	struct rs_restore_counts restored;
	struct rs_error err = {0};
	char *keys RS_CLEANUP(rs_free_pointer) = NULL;
	bool gone;
	rs_buffer_init(&certificate, (size_t)1 << 20);
	assert_int_equal(rs_node_backup(node, "/data-backup", 0, &counts, &err), RS_OK);
	assert_int_equal(rs_node_backup_keys(node, "/key-backup", 30, &keys, &key_counts, &err), RS_OK);
	assert_int_equal(erase_with(node, NULL, &certificate, &err), RS_OK);
	/* Data from before the erasure, too: nothing known tells of it, and the subject is there. That is what --checkpoint
	 * and short-lived key-store backups are for. */
	restore_with(sim, keys, "/before", &restored);
	assert_true(restored.erased == 0 && restored.subjects == 2);
	assert_int_equal(rs_node_backup(node, "/data-backup", 0, &counts, &err), RS_OK);
	rs_node_close(node);
	restore_with(sim, keys, "/after", &restored);
	assert_true(restored.erased == 1 && restored.subjects == 1 && restored.locked == 0);
	check_node(sim, "/after", &gone);
	assert_true(gone);
	rs_sim_destroy(sim);
}

static void every_bit_of_a_certificate_counts(void **state)
{
	(void)state;
	struct rs_sim *sim = make_sealed();
	struct rs_node *node = open_node(sim, "/node", RS_NODE_WRITE);
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_erasure_facts facts;
	struct rs_error err = {0};
	rs_buffer_init(&certificate, (size_t)1 << 20);
	assert_int_equal(erase_with(node, NULL, &certificate, &err), RS_OK);
	const char *key = rs_node_vkey(node);
	assert_int_equal(rs_erasure_verify(rs_buffer_str(&certificate), key, &facts, &err), RS_OK);
	assert_true(facts.commitments == 2 && facts.objects == 2 && facts.records == 2 &&
	            facts.receipts == 2);
	for (size_t bit = 0; bit < 8 * certificate.size; bit++) {
		certificate.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rs_erasure_verify(rs_buffer_str(&certificate), key, &facts, &err),
		                     RS_OK);
		certificate.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* The same patient again is somebody else to the ledger. */
	struct rs_node_subject again;
	seal_all(node);
	assert_int_equal(rs_node_subject(node, "", "P0", &again, &err), RS_OK);
	char token[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(again.token.bytes, RS_SHA256_SIZE), token);
	assert_int_equal(rs_buffer_append(&certificate, "", 1), RS_OK);
	assert_null(strstr((const char *)certificate.data, token));
	rs_node_close(node);
	rs_sim_destroy(sim);
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_leaves_a_subject_whole_or_gone),
		cmocka_unit_test(a_process_goes_on_after_its_disk_was_full),
		cmocka_unit_test(who_may_not_erases_nothing),
		cmocka_unit_test(an_old_key_store_brings_nobody_back),
		cmocka_unit_test(every_bit_of_a_certificate_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
