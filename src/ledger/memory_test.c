/* Memory ends at the k-th request, for k by rs_memory_next(), in everything the ledger does: it says so, keeps nothing, and what
 * it had before is there afterwards, in memory and on the disk. SQLite's requests count too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_sim.h"
#include "ledger/ledger_claim.h"
#include "store/store_memory.h"

#define PATH "/ledger.sqlite"
#define GROUP 3
#define REQUESTS_MAX 100000

struct fixture {
	struct rs_sim *sim;
	struct rs_signing_key log, admin;
	struct rs_ledger *ledger;
	struct rs_note_key note_key;
	struct rs_transaction group[GROUP];
	uint64_t before;          /* entries */
	char checkpoint[2048];    /* of them */
	struct rs_buffer receipt; /* of entry 1 */
	struct rs_digest content;
};

typedef enum rs_code operation(struct fixture *f, struct rs_error *err);

static enum rs_code open_ledger(struct fixture *f, struct rs_error *err)
{
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &f->log};
	return rs_ledger_open(rs_sim_world(f->sim), PATH, &options, &f->ledger, err);
}

static void close_ledger(struct fixture *f)
{
	rs_ledger_close(f->ledger);
	f->ledger = NULL;
}

static enum rs_code sign(const struct fixture *f, uint8_t number, const struct rs_digest *commitment,
                         struct rs_transaction *out, struct rs_error *err)
{
	struct rs_act act = {.type = number ? RS_TRANSACTION_OBJECT_REGISTER
	                                    : RS_TRANSACTION_ORGANISATION_ADD,
	                     .id = {number},
	                     .time_ms = 1000,
	                     .organisation = RS_STR("Radiology"),
	                     .instances = 1,
	                     .kind = RS_OBJECT_IMAGE};
	act.commitment.bytes[0] = number;
	if (commitment)
		act.commitment = *commitment;
	memcpy(act.member.bytes, f->admin.public_key, RS_KEY_SIZE);
	RS_TRY(rs_transaction_sign(&act, &f->admin, out, err));
	out->checked = false; /* as if it came from outside */
	return RS_OK;
}

static void append_one(struct fixture *f, uint8_t number, const struct rs_digest *commitment)
{
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_append_result result = {.index = 0};
	assert_int_equal(sign(f, number, commitment, &transaction, NULL), RS_OK);
	assert_int_equal(rs_ledger_append(f->ledger, &transaction, 1, &result, NULL), RS_OK);
	assert_int_equal(result.refusal, RS_REFUSAL_NONE);
}

/* A record, its commitment, and what a receipt of it needs. */
static enum rs_code make_record(struct fixture *f, struct rs_buffer *out, struct rs_secret *key,
                                struct rs_digest *root, struct rs_error *err)
{
	static const uint8_t cid[36] = {1, 0x55, 0x12, 0x20};
	struct rs_record record = {.kind = RS_OBJECT_IMAGE,
	                           .sha256 = f->content,
	                           .size = 7,
	                           .media = RS_STR("application/x-nifti"),
	                           .cid = {cid, sizeof cid}};
	struct rs_digest commitment;
	*key = (struct rs_secret){{9}};
	rs_buffer_init(out, 8192);
	RS_TRY(rs_record_encode(&record, out, err));
	rs_record_commit(key, rs_buffer_bytes(out), &commitment);
	rs_leaf_hash(rs_bytes_of(commitment.bytes, RS_SHA256_SIZE), root);
	return RS_OK;
}

static enum rs_code format_receipt(struct fixture *f, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer record RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_receipt receipt = {.instances = 1};
	struct rs_digest path[RS_PROOF_HASHES_MAX], root;
	size_t count;
	RS_TRY(make_record(f, &record, &receipt.key, &root, err));
	receipt.record = rs_buffer_bytes(&record);
	RS_TRY(rs_ledger_prove(f->ledger, 1, path, &count, err));
	RS_TRY(rs_ledger_entry(f->ledger, 1, &receipt.entry, err));
	rs_buffer_init(out, (size_t)128 * 1024);
	return rs_receipt_format(&receipt, 1, path, count, rs_ledger_checkpoint(f->ledger), out, err);
}

/* A ledger with an organisation and five objects, the first of which has a receipt. */
static void make_fixture(struct fixture *f)
{
	struct rs_secret seeds[2] = {{{1}}, {{2}}}, key;
	struct rs_buffer record RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest root;
	*f = (struct fixture){.sim = NULL};
	assert_int_equal(rs_sim_create(5, &f->sim, NULL), RS_OK);
	rs_signing_key_from_seed(&seeds[0], &f->log);
	rs_signing_key_from_seed(&seeds[1], &f->admin);
	rs_sha256(rs_bytes_of("content", 7), &f->content);
	assert_int_equal(open_ledger(f, NULL), RS_OK);
	append_one(f, 0, NULL);
	assert_int_equal(make_record(f, &record, &key, &root, NULL), RS_OK);
	append_one(f, 1, &root);
	for (uint8_t number = 2; number < 6; number++)
		append_one(f, number, NULL);
	for (uint8_t i = 0; i < GROUP; i++)
		assert_int_equal(sign(f, (uint8_t)(10 + i), NULL, &f->group[i], NULL), RS_OK);
	assert_int_equal(rs_note_key_init(&f->note_key, "radseal.local/test", f->log.public_key, NULL),
	                 RS_OK);
	assert_int_equal(format_receipt(f, &f->receipt, NULL), RS_OK);
}

static void finish_fixture(struct fixture *f)
{
	close_ledger(f);
	for (size_t i = 0; i < GROUP; i++)
		rs_transaction_finish(&f->group[i]);
	rs_buffer_finish(&f->receipt);
	rs_sim_destroy(f->sim);
}

static enum rs_code append_group(struct fixture *f, struct rs_error *err)
{
	struct rs_append_result results[GROUP] = {{.index = 0}};
	RS_TRY(rs_ledger_append(f->ledger, f->group, GROUP, results, err));
	for (size_t i = 0; i < GROUP; i++)
		assert_int_equal(results[i].refusal, RS_REFUSAL_NONE);
	return RS_OK;
}

/* A head of the map, made and appended. */
static enum rs_code append_head(struct fixture *f, struct rs_error *err)
{
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_buffer origin RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_act act = {.id = {20}, .time_ms = 1000, .organisation = RS_STR("Radiology")};
	struct rs_append_result result = {.refusal = RS_REFUSAL_NONE};
	struct rs_map_head head;
	rs_buffer_init(&origin, RS_ORIGIN_MAX);
	RS_TRY(rs_ledger_map_next(f->ledger, &head, err));
	RS_TRY(rs_map_head_act(&head, &origin, &act, err));
	RS_TRY(rs_transaction_sign(&act, &f->admin, &transaction, err));
	RS_TRY(rs_ledger_append(f->ledger, &transaction, 1, &result, err));
	assert_int_equal(result.refusal, RS_REFUSAL_NONE);
	return RS_OK;
}

static enum rs_code claim_member(struct fixture *f, struct rs_error *err)
{
	const struct rs_trust trust = {.log = f->note_key};
	struct rs_buffer value RS_CLEANUP(rs_buffer_finish) = {0}, text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_claim_facts facts RS_CLEANUP(rs_claim_facts_finish) = {.present = false};
	uint8_t key[1 + RS_KEY_SIZE] = {'M'};
	struct rs_claim claim = {.key = {key, sizeof key}};
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	uint64_t index;
	size_t count;
	bool present;
	memcpy(key + 1, f->admin.public_key, RS_KEY_SIZE);
	rs_buffer_init(&value, RS_MAP_VALUE_MAX);
	rs_buffer_init(&text, RS_CLAIM_SIZE_MAX);
	RS_TRY(rs_ledger_map_last(f->ledger, &index, err));
	RS_TRY(rs_ledger_map_prove(f->ledger, claim.key, &claim.proof, &present, &value, err));
	claim.value = rs_buffer_bytes(&value);
	RS_TRY(rs_ledger_entry(f->ledger, index, &claim.entry, err));
	RS_TRY(rs_ledger_prove(f->ledger, index, path, &count, err));
	RS_TRY(rs_claim_format(&claim, index, path, count, rs_ledger_checkpoint(f->ledger), &text, err));
	RS_TRY(rs_claim_check(rs_buffer_str(&text), &trust, &facts, err));
	assert_true(facts.present);
	return RS_OK;
}

static enum rs_code open_again(struct fixture *f, struct rs_error *err)
{
	close_ledger(f);
	return open_ledger(f, err);
}

static enum rs_code make_receipt(struct fixture *f, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(format_receipt(f, &text, err));
	assert_true(rs_bytes_equal(rs_buffer_bytes(&text), rs_buffer_bytes(&f->receipt)));
	return RS_OK;
}

static enum rs_code verify_receipt(struct fixture *f, struct rs_error *err)
{
	struct rs_receipt_facts facts;
	struct rs_digest digest;
	rs_sha256(rs_bytes_of("content", 7), &digest);
	return rs_receipt_match(rs_buffer_str(&f->receipt), &f->note_key, &digest, 7, &facts, err);
}

static void no_fault(void *context, const char *sentence)
{
	(void)context;
	fail_msg("a fault where there is none: %s", sentence);
}

static enum rs_code check(struct fixture *f, struct rs_error *err)
{
	return rs_ledger_check(f->ledger, no_fault, NULL, err);
}

static enum rs_code see(void *context, struct rs_str note, struct rs_error *err)
{
	(void)err;
	assert_true(note.size > 0);
	++*(unsigned *)context;
	return RS_OK;
}

static enum rs_code ask(struct fixture *f, struct rs_error *err)
{
	struct rs_digest proof[RS_PROOF_HASHES_MAX];
	struct rs_act act;
	struct rs_bytes entry;
	uint8_t id[RS_TRANSACTION_ID_SIZE] = {3};
	uint64_t index;
	size_t count;
	unsigned checkpoints = 0;
	RS_TRY(rs_ledger_find(f->ledger, id, &index, err));
	assert_int_equal(index, 3);
	RS_TRY(rs_ledger_entry(f->ledger, index, &entry, err));
	RS_TRY(rs_transaction_verify(entry, &act, err));
	RS_TRY(rs_ledger_prove_consistency(f->ledger, 2, proof, &count, err));
	RS_TRY(rs_ledger_each_checkpoint(f->ledger, see, &checkpoints, err));
	assert_int_equal(checkpoints, f->before);
	return RS_OK;
}

/* What a failure must leave: the ledger as it was, and able to go on. */
static void assert_unchanged(struct fixture *f)
{
	struct rs_error err = {0};
	for (int opening = 0; opening < 2; opening++) {
		if (!f->ledger && open_ledger(f, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_int_equal(rs_ledger_size(f->ledger), f->before);
		assert_true(rs_str_equal_text(rs_ledger_checkpoint(f->ledger), f->checkpoint));
		if (check(f, &err) != RS_OK)
			fail_msg("%s", err.message);
		close_ledger(f);
	}
	assert_int_equal(open_ledger(f, NULL), RS_OK);
	assert_int_equal(append_group(f, NULL), RS_OK);
	assert_int_equal(check(f, NULL), RS_OK);
}

static void note_state(struct fixture *f)
{
	f->before = rs_ledger_size(f->ledger);
	struct rs_str checkpoint = rs_ledger_checkpoint(f->ledger);
	assert_true(checkpoint.size < sizeof f->checkpoint);
	memcpy(f->checkpoint, checkpoint.data, checkpoint.size);
	f->checkpoint[checkpoint.size] = '\0';
}

static void fails_cleanly_after(operation *before, operation *run)
{
	for (uint64_t k = 1; k < REQUESTS_MAX; k = rs_memory_next(k)) {
		struct fixture f;
		struct rs_error err = {0};
		make_fixture(&f);
		if (before)
			assert_int_equal(before(&f, NULL), RS_OK);
		note_state(&f);
		rs_memory_fail_at(k);
		enum rs_code code = run(&f, &err);
		uint64_t asked = rs_memory_fail_at(0);
		if (code == RS_OK) {
			finish_fixture(&f);
			print_message("# %llu requests\n", (unsigned long long)asked);
			return;
		}
		if (code != RS_NO_MEMORY || err.code != RS_NO_MEMORY || !strstr(err.message, "memory"))
			fail_msg("request %llu: code %s: %s", (unsigned long long)k, rs_code_name(code),
			         err.message);
		assert_unchanged(&f);
		finish_fixture(&f);
	}
	fail_msg("it never succeeds");
}

static void fails_cleanly(operation *run) { fails_cleanly_after(NULL, run); }

static void appending(void **state)
{
	(void)state;
	fails_cleanly(append_group);
}

static void bringing_the_map_up(void **state)
{
	(void)state;
	fails_cleanly(append_head);
	fails_cleanly_after(append_head, claim_member);
}

static void opening(void **state)
{
	(void)state;
	fails_cleanly(open_again);
}

static void proving(void **state)
{
	(void)state;
	fails_cleanly(make_receipt);
	fails_cleanly(verify_receipt);
}

static void checking(void **state)
{
	(void)state;
	fails_cleanly(check);
	fails_cleanly(ask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appending), cmocka_unit_test(bringing_the_map_up),
		cmocka_unit_test(opening),   cmocka_unit_test(proving),
		cmocka_unit_test(checking),
	};
	if (!store_memory_from_base() || rs_crypto_init(NULL) != RS_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
