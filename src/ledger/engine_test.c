/* The contract and the embedded engine: who may do what, idempotence, rollback detection, and that the check names
 * what was changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/ledger.h"
#include "store/store.h"

struct fixture {
	char directory[64], path[96];
	struct rs_signing_key log, admin, other;
	struct rs_ledger *ledger;
	struct rs_error err;
	uint8_t next_id;
};

static void make_key(uint8_t number, struct rs_signing_key *out)
{
	struct rs_secret seed = {{number}};
	rs_signing_key_from_seed(&seed, out);
}

static void open_ledger(struct fixture *f)
{
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &f->log};
	assert_int_equal(rs_ledger_open(rs_world_system(), f->path, &options, &f->ledger, &f->err), RS_OK);
}

static struct rs_act act_of(struct fixture *f, enum rs_transaction_type type)
{
	struct rs_act act = {.type = type,
	                     .time_ms = 1000,
	                     .organisation = RS_STR("Radiology"),
	                     .instances = 1,
	                     .kind = RS_OBJECT_IMAGE};
	act.id[0] = ++f->next_id;
	act.commitment.bytes[0] = f->next_id;
	return act;
}

static enum rs_refusal submit(struct fixture *f, const struct rs_act *act, const struct rs_signing_key *key)
{
	struct rs_transaction transaction;
	struct rs_append_result result = {.index = 0};
	assert_int_equal(rs_transaction_sign(act, key, &transaction, &f->err), RS_OK);
	transaction.checked = false; /* as if it came from outside */
	assert_int_equal(rs_ledger_append(f->ledger, &transaction, 1, &result, &f->err), RS_OK);
	rs_transaction_finish(&transaction);
	return result.refusal;
}

static enum rs_refusal add_organisation(struct fixture *f, const char *name,
                                        const struct rs_signing_key *admin,
                                        const struct rs_signing_key *signer)
{
	struct rs_act act = act_of(f, RS_TRANSACTION_ORGANISATION_ADD);
	act.organisation = rs_str_from(name);
	memcpy(act.member.bytes, admin->public_key, RS_KEY_SIZE);
	return submit(f, &act, signer);
}

static int setup(void **state)
{
	struct fixture *f = rs_allocate(sizeof *f);
	snprintf(f->directory, sizeof f->directory, "/tmp/radseal-engine-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/ledger.sqlite", f->directory);
	assert_int_equal(rs_crypto_init(&f->err), RS_OK);
	make_key(1, &f->log);
	make_key(2, &f->admin);
	make_key(3, &f->other);
	open_ledger(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	rs_ledger_close(f->ledger);
	snprintf(command, sizeof command, "rm -r %s", f->directory);
	int removed = system(command);
	rs_free(f);
	return removed;
}

static void the_first_transaction_must_found_the_ledger(void **state)
{
	struct fixture *f = *state;
	struct rs_act object = act_of(f, RS_TRANSACTION_OBJECT_REGISTER);
	assert_int_equal(submit(f, &object, &f->admin), RS_REFUSAL_NOT_FOUNDED);
	assert_int_equal(add_organisation(f, "Radiology", &f->admin, &f->other), RS_REFUSAL_NOT_FOUNDED);
	assert_int_equal(add_organisation(f, "Radiology", &f->admin, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(submit(f, &object, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(rs_ledger_size(f->ledger), 2);
}

static enum rs_refusal grant(struct fixture *f, enum rs_role role, uint64_t from, uint64_t until)
{
	struct rs_act act = act_of(f, RS_TRANSACTION_MEMBER_GRANT);
	memcpy(act.member.bytes, f->other.public_key, RS_KEY_SIZE);
	act.role = role;
	act.from_ms = from;
	act.until_ms = until;
	return submit(f, &act, &f->admin);
}

static enum rs_refusal register_at(struct fixture *f, uint64_t time_ms)
{
	struct rs_act act = act_of(f, RS_TRANSACTION_OBJECT_REGISTER);
	act.time_ms = time_ms;
	return submit(f, &act, &f->other);
}

static void a_member_acts_within_role_and_period_until_revoked(void **state)
{
	struct fixture *f = *state;
	struct rs_act revoke;
	add_organisation(f, "Radiology", &f->admin, &f->admin);
	assert_int_equal(register_at(f, 1500), RS_REFUSAL_UNKNOWN_SIGNER);
	assert_int_equal(grant(f, RS_ROLE_REGULATOR, 1000, 2000), RS_REFUSAL_NONE);
	assert_int_equal(register_at(f, 1500), RS_REFUSAL_ROLE);
	assert_int_equal(grant(f, RS_ROLE_RADIOLOGIST, 1000, 2000), RS_REFUSAL_NONE);
	assert_int_equal(register_at(f, 999), RS_REFUSAL_OUT_OF_PERIOD);
	assert_int_equal(register_at(f, 1000), RS_REFUSAL_NONE);
	assert_int_equal(register_at(f, 2000), RS_REFUSAL_OUT_OF_PERIOD);
	revoke = act_of(f, RS_TRANSACTION_MEMBER_REVOKE);
	memcpy(revoke.member.bytes, f->other.public_key, RS_KEY_SIZE);
	assert_int_equal(submit(f, &revoke, &f->other), RS_REFUSAL_ROLE);
	assert_int_equal(submit(f, &revoke, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(register_at(f, 1500), RS_REFUSAL_REVOKED);
	assert_int_equal(grant(f, RS_ROLE_RADIOLOGIST, 1000, 2000), RS_REFUSAL_ALREADY_THERE);
	assert_int_equal(register_at(f, 1500), RS_REFUSAL_REVOKED);
}

static void organisations_do_not_act_for_each_other(void **state)
{
	struct fixture *f = *state;
	struct rs_act act;
	add_organisation(f, "Radiology", &f->admin, &f->admin);
	assert_int_equal(add_organisation(f, "Oncology", &f->other, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(add_organisation(f, "Oncology", &f->log, &f->admin), RS_REFUSAL_ALREADY_THERE);
	act = act_of(f, RS_TRANSACTION_OBJECT_REGISTER);
	assert_int_equal(submit(f, &act, &f->other), RS_REFUSAL_SCOPE);
	act.organisation = RS_STR("Nowhere");
	assert_int_equal(submit(f, &act, &f->other), RS_REFUSAL_SCOPE);
	act = act_of(f, RS_TRANSACTION_MEMBER_REVOKE);
	memcpy(act.member.bytes, f->admin.public_key, RS_KEY_SIZE);
	assert_int_equal(submit(f, &act, &f->other), RS_REFUSAL_SCOPE);
}

/* What an object was made from, and what it replaces, must be in the ledger already. */
static void objects_stand_on_what_is_there(void **state)
{
	struct fixture *f = *state;
	uint8_t parents[2 * RS_SHA256_SIZE];
	add_organisation(f, "Radiology", &f->admin, &f->admin);
	struct rs_act first = act_of(f, RS_TRANSACTION_OBJECT_REGISTER), second = act_of(f, first.type);
	struct rs_act made = act_of(f, first.type), newer = act_of(f, first.type);
	memcpy(parents, first.commitment.bytes, RS_SHA256_SIZE);
	memcpy(parents + RS_SHA256_SIZE, second.commitment.bytes, RS_SHA256_SIZE);
	made.parents = rs_bytes_of(parents, sizeof parents);
	newer.has_previous = true;
	newer.previous = first.commitment;
	assert_int_equal(submit(f, &newer, &f->admin), RS_REFUSAL_NOT_THERE);
	assert_int_equal(submit(f, &first, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(submit(f, &made, &f->admin), RS_REFUSAL_NOT_THERE); /* one parent of two */
	assert_int_equal(submit(f, &second, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(submit(f, &made, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(submit(f, &newer, &f->admin), RS_REFUSAL_NONE);
	struct rs_act again = act_of(f, first.type);
	again.commitment = first.commitment;
	assert_int_equal(submit(f, &again, &f->admin), RS_REFUSAL_ALREADY_THERE);
}

static void a_retry_is_the_same_transaction_and_an_id_is_taken_once(void **state)
{
	struct fixture *f = *state;
	add_organisation(f, "Radiology", &f->admin, &f->admin);
	struct rs_act act = act_of(f, RS_TRANSACTION_OBJECT_REGISTER);
	assert_int_equal(submit(f, &act, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(submit(f, &act, &f->admin), RS_REFUSAL_NONE);
	assert_int_equal(rs_ledger_size(f->ledger), 2);
	act.time_ms++;
	assert_int_equal(submit(f, &act, &f->admin), RS_REFUSAL_ID_TAKEN);
	act.id[0]++;
	assert_int_equal(submit(f, &act, &f->admin), RS_REFUSAL_ALREADY_THERE);
	act.commitment.bytes[1] = 1;
	act.has_previous = true;
	act.previous.bytes[0] = 0xee;
	assert_int_equal(submit(f, &act, &f->admin), RS_REFUSAL_NOT_THERE);
}

static void a_forged_signature_ends_the_append(void **state)
{
	struct fixture *f = *state;
	struct rs_transaction transaction;
	struct rs_append_result result;
	add_organisation(f, "Radiology", &f->admin, &f->admin);
	struct rs_act act = act_of(f, RS_TRANSACTION_OBJECT_REGISTER);
	assert_int_equal(rs_transaction_sign(&act, &f->admin, &transaction, &f->err), RS_OK);
	transaction.entry.data[transaction.entry.size - 1] ^= 1;
	transaction.checked = false;
	assert_int_equal(rs_ledger_append(f->ledger, &transaction, 1, &result, &f->err), RS_ALTERED);
	assert_int_equal(rs_ledger_size(f->ledger), 1);
	rs_transaction_finish(&transaction);
}

static void count_fault(void *context, const char *sentence)
{
	assert_true(sentence[0]);
	++*(int *)context;
}

static int faults_of(struct fixture *f)
{
	int faults = 0;
	enum rs_code code = rs_ledger_check(f->ledger, count_fault, &faults, &f->err);
	assert_int_equal(code, faults ? RS_ALTERED : RS_OK);
	return faults;
}

static void fill(struct fixture *f, int count)
{
	add_organisation(f, "Radiology", &f->admin, &f->admin);
	for (int i = 0; i < count; i++) {
		struct rs_act act = act_of(f, RS_TRANSACTION_OBJECT_REGISTER);
		assert_int_equal(submit(f, &act, &f->admin), RS_REFUSAL_NONE);
	}
}

/* Runs SQL behind the ledger's back. */
static void meddle(struct fixture *f, const char *sql)
{
	struct rs_store *store;
	assert_int_equal(rs_store_open(rs_world_system(), f->path, RS_STORE_WRITE, "", 2, &store, &f->err),
	                 RS_OK);
	assert_int_equal(rs_store_run(store, sql, &f->err), RS_OK);
	rs_store_close(store);
}

static void the_check_names_what_was_changed(void **state)
{
	struct fixture *f = *state;
	static const char *const changes[] = {
		"UPDATE state SET value=zeroblob(length(value)) WHERE key=(SELECT min(key) FROM state)",
		"DELETE FROM state WHERE key=(SELECT max(key) FROM state)",
		"INSERT INTO state VALUES(x'ff',x'00')",
		"UPDATE checkpoint SET note=replace(note,'radseal','radsea1') WHERE size=3",
		"INSERT INTO node VALUES(-5,zeroblob(32))",
		"INSERT INTO map VALUES(x'0000',zeroblob(65))",
		"DELETE FROM changed WHERE key=(SELECT min(key) FROM changed)",
	};
	fill(f, 12);
	assert_int_equal(faults_of(f), 0);
	for (size_t i = 0; i < RS_COUNT(changes); i++) {
		int before = faults_of(f);
		meddle(f, changes[i]);
		assert_true(faults_of(f) > before);
	}
}

static void a_rollback_is_noticed_when_the_ledger_opens(void **state)
{
	struct fixture *f = *state;
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &f->log};
	fill(f, 5);
	rs_ledger_close(f->ledger);
	f->ledger = NULL;
	meddle(f, "DELETE FROM entry WHERE id=5");
	assert_int_equal(rs_ledger_open(rs_world_system(), f->path, &options, &f->ledger, &f->err),
	                 RS_ALTERED);
	assert_non_null(strstr(f->err.message, "rolled back"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_transaction_must_found_the_ledger, setup, teardown),
		cmocka_unit_test_setup_teardown(a_member_acts_within_role_and_period_until_revoked, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(organisations_do_not_act_for_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(objects_stand_on_what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(a_retry_is_the_same_transaction_and_an_id_is_taken_once,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_signature_ends_the_append, setup, teardown),
		cmocka_unit_test_setup_teardown(the_check_names_what_was_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rollback_is_noticed_when_the_ledger_opens, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
