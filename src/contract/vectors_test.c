/* The contract against contracts/vectors, which another implementation wrote (contracts/twin.py): the bytes of every entry,
 * every refusal, every decision, and the whole state after each transaction; and that all of what can be refused is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "contract/contract_memory.h"
#include "contract/contract_vectors.h"

static bool seen_refusals[RS_REFUSAL_COUNT], seen_types[RS_TRANSACTION_TYPE_COUNT], seen_bases[6];

#define IDS_MAX 4096
static uint8_t ids[IDS_MAX][RS_TRANSACTION_ID_SIZE];
static size_t ids_count;

static bool is_known(const uint8_t *id)
{
	for (size_t i = 0; i < ids_count; i++)
		if (memcmp(ids[i], id, RS_TRANSACTION_ID_SIZE) == 0)
			return true;
	return false;
}

static void remember(const uint8_t *id)
{
	assert_true(ids_count < IDS_MAX);
	memcpy(ids[ids_count++], id, RS_TRANSACTION_ID_SIZE);
}

static void run_decision(const struct rs_state *state, const struct rs_vector *vector,
                         const struct rs_act *act, size_t index)
{
	struct rs_decision decision;
	assert_int_equal(rs_contract_decision(state, vector->id, &decision, NULL),
	                 vector->has_decision ? RS_OK : RS_NOT_FOUND);
	if (!vector->has_decision)
		return;
	if (decision.refusal != vector->decision.refusal || decision.basis != vector->decision.basis)
		fail_msg("step %zu: %s on %s", index, rs_refusal_name(decision.refusal),
		         rs_basis_name(decision.basis));
	assert_true(rs_digest_equal(&decision.consent, &vector->decision.consent));
	seen_refusals[decision.refusal] = seen_bases[decision.basis] = true;
	struct rs_decision again;
	assert_int_equal(rs_contract_decide(state, act, &again, NULL), RS_OK);
	assert_true(again.refusal == decision.refusal && again.basis == decision.basis);
}

static void run_step(const struct rs_state *state, const struct rs_vector *vector, size_t index)
{
	struct rs_bytes entry = rs_buffer_bytes(&vector->transaction.entry);
	struct rs_error err = {0};
	struct rs_digest digest;
	struct rs_act act;
	enum rs_refusal refusal;
	rs_sha256(entry, &digest);
	if (!rs_digest_equal(&digest, &vector->entry_sha256))
		fail_msg("step %zu: other bytes of the entry", index);
	assert_int_equal(rs_transaction_verify(entry, &act, &err), RS_OK);
	seen_types[act.type] = true;
	seen_refusals[vector->refusal] = true;
	/* What becomes of an id that is there already, and of a wrong head of the map, is the engine's to say:
	 * ledger/conformance runs these. */
	if (is_known(act.id) || vector->refusal == RS_REFUSAL_MAP_HEAD)
		return;
	if (rs_contract_apply(state, &act, &refusal, &err) != RS_OK)
		fail_msg("step %zu: %s", index, err.message);
	if (refusal != vector->refusal)
		fail_msg("step %zu: %s, expected %s", index, rs_refusal_name(refusal),
		         rs_refusal_name(vector->refusal));
	if (refusal == RS_REFUSAL_NONE)
		remember(act.id);
	run_decision(state, vector, &act, index);
	assert_int_equal(rs_state_digest(state, &digest, &err), RS_OK);
	if (!rs_digest_equal(&digest, &vector->state))
		fail_msg("step %zu (%s): another state", index, rs_transaction_type_name(act.type));
}

static void run_file(const char *name)
{
	struct rs_vectors *vectors;
	struct rs_error err = {0};
	struct rs_memory_state memory = {.count = 0};
	const struct rs_state state = rs_memory_state_view(&memory);
	if (rs_vectors_open(name, &vectors, &err) != RS_OK)
		fail_msg("%s", err.message);
	ids_count = 0;
	for (size_t i = 0; i < rs_vectors_count(vectors); i++) {
		struct rs_vector vector;
		if (rs_vectors_read(vectors, i, &vector, &err) != RS_OK)
			fail_msg("%s: %s", name, err.message);
		run_step(&state, &vector, i);
		rs_transaction_finish(&vector.transaction);
	}
	print_message("# %s: %zu transactions, %zu rows\n", name, rs_vectors_count(vectors), memory.count);
	rs_vectors_close(vectors);
	rs_memory_state_finish(&memory);
}

static void the_vectors_of_the_twin(void **state)
{
	(void)state;
	for (size_t i = 0; i < rs_vector_names_count; i++)
		run_file(rs_vector_names[i]);
}

static void nothing_is_left_out_of_the_vectors(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RS_REFUSAL_COUNT; i++)
		if (!seen_refusals[i])
			fail_msg("no vector is refused with %s", rs_refusal_name((enum rs_refusal)i));
	for (unsigned i = 1; i < RS_TRANSACTION_TYPE_COUNT; i++)
		if (!seen_types[i])
			fail_msg("no vector has a %s", rs_transaction_type_name((enum rs_transaction_type)i));
	for (unsigned i = 0; i < RS_COUNT(seen_bases); i++)
		if (!seen_bases[i])
			fail_msg("no vector rests on %s", rs_basis_name((enum rs_basis)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_twin),
		cmocka_unit_test(nothing_is_left_out_of_the_vectors),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
