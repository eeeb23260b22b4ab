/* Who may audit whose data, and that each audit of them is an entry itself; objects by file; proofs; fsck of what is kept. */
#include "node/node_test.h"

#include "contract/contract_subject.h"
#include "node/node_parts.h"
#include "store/store.h"
#include "access/access_audit.h"
#include "node/node_subject.h"
#include "workflow/workflow_check.h"
#include "workflow/workflow.h"

static const struct rs_bytes no_passphrase = {(const uint8_t *)"", 0};

struct world {
	struct rs_sim *sim;
	struct rs_node *node;
	struct rs_actor *admin;
	struct rs_node_subject subject;
};

static struct rs_actor *actor_of(struct world *w, const char *name)
{
	struct rs_actor *actor = NULL;
	struct rs_error err = {0};
	if (rs_node_actor_open(w->node, name, no_passphrase, &actor, &err) != RS_OK)
		fail_msg("%s", err.message);
	return actor;
}

static void open_world(struct world *w)
{
	w->node = open_node(w->sim, "/node", RS_NODE_WRITE);
	w->admin = actor_of(w, NULL);
}

static void close_world(struct world *w)
{
	rs_actor_close(w->admin);
	rs_node_close(w->node);
}

static void begin(struct world *w)
{
	char *files[] = {(char *)(uintptr_t)paths[0]};
	const struct rs_admit_options options = {.subject = "P1"};
	struct rs_error err = {0};
	w->sim = make_world();
	open_world(w);
	if (rs_node_admit(w->node, files, 1, &options, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(rs_node_subject(w->node, "", "P1", &w->subject, &err), RS_OK);
}

static void end(struct world *w)
{
	close_world(w);
	rs_sim_destroy(w->sim);
}

/* A member of the node's organisation with a key file and its unlock file. */
static struct rs_actor *enrol(struct world *w, const char *name, enum rs_role role)
{
	static const uint8_t unlock[32] = {7};
	const struct rs_unlock with = {.unlock_file = {unlock, sizeof unlock}};
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT, .role = role};
	struct rs_signing_key key;
	char path[64], unlock_path[64];
	uint64_t index;
	snprintf(path, sizeof path, "/node/keys/%s.key", name);
	snprintf(unlock_path, sizeof unlock_path, "/node/keys/%s.unlock", name);
	assert_int_equal(rs_file_replace(rs_sim_world(w->sim), unlock_path, with.unlock_file, 0600, NULL),
	                 RS_OK);
	assert_int_equal(rs_member_key_file_create(rs_sim_world(w->sim), path, &with, &key, NULL), RS_OK);
	memcpy(act.member.bytes, key.public_key, RS_KEY_SIZE);
	rs_signing_key_finish(&key);
	assert_int_equal(rs_node_transact(w->node, w->admin, &act, &index, NULL), RS_OK);
	return actor_of(w, name);
}

static uint64_t size_of(const struct world *w) { return rs_ledger_size(rs_node_ledger(w->node)); }

static void each_role_asks_for_leave(void **state)
{
	static const struct {
		const char *name;
		enum rs_role role;
		enum rs_purpose purpose; /* of the entry */
		enum rs_basis basis;     /* NONE: refused */
		bool identify;
	} cases[] = {
		{"regulator", RS_ROLE_REGULATOR, RS_PURPOSE_AUDIT, RS_BASIS_OVERSIGHT, false},
		{"engineer", RS_ROLE_DATA_ENGINEER, RS_PURPOSE_OPERATIONS, RS_BASIS_CARE, true},
		{"head", RS_ROLE_HOSPITAL_ADMINISTRATOR, RS_PURPOSE_OPERATIONS, RS_BASIS_CARE, true},
		{"doctor", RS_ROLE_RADIOLOGIST, RS_PURPOSE_AUDIT, RS_BASIS_NONE, false},
		{"researcher", RS_ROLE_RESEARCHER, RS_PURPOSE_AUDIT, RS_BASIS_NONE, false},
		{"stranger", RS_ROLE_PATIENT, RS_PURPOSE_PATIENT_REQUEST, RS_BASIS_NONE, false},
	};
	struct world w;
	(void)state;
	begin(&w);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_actor *actor = enrol(&w, cases[i].name, cases[i].role);
		struct rs_audit_leave leave = {.entry = 0};
		struct rs_decision decision;
		struct rs_bytes entry;
		struct rs_act act;
		struct rs_error err = {0};
		uint64_t before = size_of(&w);
		enum rs_code code = rs_node_audit_leave(w.node, actor, RS_AUDIT_SUBJECT, &w.subject.token,
		                                        &leave, &err);
		assert_int_equal(code, cases[i].basis == RS_BASIS_NONE ? RS_REFUSED : RS_OK);
		assert_int_equal(size_of(&w), before + 1); /* refused or not, it is told */
		assert_int_equal(rs_ledger_entry(rs_node_ledger(w.node), before, &entry, &err), RS_OK);
		assert_int_equal(rs_transaction_verify(entry, &act, &err), RS_OK);
		assert_int_equal(act.type, RS_TRANSACTION_ACCESS_REQUEST);
		assert_int_equal(act.purpose, cases[i].purpose);
		assert_int_equal(act.operation, RS_OPERATION_READ);
		const struct rs_state now = rs_node_state(w.node);
		assert_int_equal(rs_contract_decision(&now, act.id, &decision, &err), RS_OK);
		assert_int_equal(decision.basis, cases[i].basis);
		if (code == RS_OK) {
			assert_int_equal(leave.entry, before);
			assert_int_equal(leave.identify, cases[i].identify);
		}
		rs_actor_close(actor);
	}
	end(&w);
}

static void after_an_erasure_auditors_are_told_what_happened(void **state)
{
	struct world w;
	struct rs_audit_leave leave = {.entry = 0};
	struct rs_error err = {0};
	struct rs_digest object, nobody = {{1}};
	uint64_t index;
	(void)state;
	begin(&w);
	struct rs_act erasure = {.type = RS_TRANSACTION_ERASURE, .subject = w.subject.token};
	struct rs_actor *regulator = enrol(&w, "regulator", RS_ROLE_REGULATOR),
			*doctor = enrol(&w, "doctor", RS_ROLE_RADIOLOGIST);
	assert_int_equal(rs_node_object_named(w.node, paths[0], &object, &err), RS_OK);
	assert_int_equal(rs_node_transact(w.node, w.admin, &erasure, &index, &err), RS_OK);
	const struct {
		enum rs_audit_about about;
		const struct rs_digest *id;
	} cases[] = {{RS_AUDIT_SUBJECT, &w.subject.token}, {RS_AUDIT_OBJECT, &object}};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		assert_int_equal(
			rs_node_audit_leave(w.node, regulator, cases[i].about, cases[i].id, &leave, &err),
			RS_OK);
		assert_true(leave.entry == RS_AUDIT_NO_ENTRY && !leave.identify);
		assert_int_equal(
			rs_node_audit_leave(w.node, doctor, cases[i].about, cases[i].id, &leave, &err),
			RS_REFUSED);
		assert_int_equal(
			rs_node_audit_leave(w.node, regulator, cases[i].about, &nobody, &leave, &err),
			RS_NOT_FOUND);
	}
	assert_int_equal(size_of(&w),
	                 index + 2); /* the doctor's request for the object, which is no doctor's */
	rs_actor_close(regulator);
	rs_actor_close(doctor);
	end(&w);
}

static void objects_go_by_commitment_or_file(void **state)
{
	struct world w;
	struct rs_digest by_file, by_name;
	struct rs_error err = {0};
	char hex[2 * RS_SHA256_SIZE + 1];
	(void)state;
	begin(&w);
	assert_int_equal(rs_node_object_named(w.node, paths[0], &by_file, &err), RS_OK);
	rs_hex_encode(rs_bytes_of(by_file.bytes, RS_SHA256_SIZE), hex);
	assert_int_equal(rs_node_object_named(w.node, hex, &by_name, &err), RS_OK);
	assert_true(rs_digest_equal(&by_file, &by_name));
	assert_int_equal(rs_node_object_named(w.node, paths[1], &by_name, &err), RS_NOT_FOUND);
	end(&w);
}

/* Every entry is proved under the checkpoint; under another one it is not. */
static void entries_are_proved(void **state)
{
	struct world w;
	struct rs_checkpoint checkpoint;
	struct rs_error err = {0};
	(void)state;
	begin(&w);
	assert_int_equal(rs_node_checkpoint(w.node, &checkpoint, &err), RS_OK);
	assert_int_equal(checkpoint.size, size_of(&w));
	for (uint64_t entry = 0; entry < checkpoint.size; entry++) {
		struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_tlog_proof proof = {.index = 0};
		rs_buffer_init(&text, (size_t)1 << 17);
		assert_int_equal(rs_node_entry_proof(w.node, &checkpoint, entry, &text, &err), RS_OK);
		assert_int_equal(rs_tlog_proof_parse(rs_buffer_str(&text), &proof, &err), RS_OK);
		assert_int_equal(proof.index, entry);
		rs_tlog_proof_finish(&proof);
	}
	checkpoint.root.bytes[0] ^= 1;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, (size_t)1 << 17);
	assert_int_equal(rs_node_entry_proof(w.node, &checkpoint, 0, &text, &err), RS_ALTERED);
	end(&w);
}

static void see_fault(void *context, const char *part, const char *sentence RS_UNUSED)
{
	*(bool *)context = *(bool *)context || strcmp(part, "audit") == 0;
}

static bool has_audit_fault(struct world *w)
{
	struct rs_check_counts counts;
	bool fault = false;
	(void)rs_node_check(w->node, see_fault, &fault, &counts, NULL);
	return fault;
}

static void fsck_knows_what_an_audit_should_find(void **state)
{
	struct world w;
	struct rs_audit *audit = NULL;
	struct rs_store *store = NULL;
	struct rs_error err = {0};
	(void)state;
	begin(&w);
	assert_false(has_audit_fault(&w)); /* there is none yet */
	assert_int_equal(rs_node_audit_open(w.node, false, NULL, NULL, &audit, &err), RS_OK);
	rs_audit_close(audit);
	assert_false(has_audit_fault(&w));
	close_world(&w);
	assert_int_equal(
		rs_store_open(rs_sim_world(w.sim), "/node/audit.sqlite", RS_STORE_WRITE, "", 1, &store, &err),
		RS_OK);
	assert_int_equal(rs_store_run(store, "DELETE FROM about WHERE entry=1", &err), RS_OK);
	rs_store_close(store);
	open_world(&w);
	assert_true(has_audit_fault(&w));
	assert_int_equal(rs_node_audit_open(w.node, true, NULL, NULL, &audit, &err), RS_OK); /* anew */
	rs_audit_close(audit);
	assert_false(has_audit_fault(&w));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_asks_for_leave),
		cmocka_unit_test(after_an_erasure_auditors_are_told_what_happened),
		cmocka_unit_test(objects_go_by_commitment_or_file),
		cmocka_unit_test(entries_are_proved),
		cmocka_unit_test(fsck_knows_what_an_audit_should_find),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests_name("access/audit", tests, NULL, NULL)
	                                     : 1;
}
