/* Claims: what is in force is said in words and proved, with the cosignatures of witnesses; what is altered proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/ledger_claim.h"
#include "ledger/ledger_witness.h"

#define TIME_MS UINT64_C(1700000000000)

struct fixture {
	char directory[64], path[96];
	struct rs_signing_key log, admin, witness;
	struct rs_ledger *ledger;
	struct rs_trust trust;
	struct rs_note_key witness_key;
	struct rs_error err;
	uint8_t number;
	struct rs_buffer text;
};

static const struct rs_digest subject = {{7}};

static void submit(struct fixture *f, struct rs_act *act)
{
	struct rs_transaction transaction;
	struct rs_append_result result;
	act->id[0] = ++f->number;
	act->time_ms = TIME_MS;
	act->organisation = RS_STR("Radiology");
	assert_int_equal(rs_transaction_sign(act, &f->admin, &transaction, &f->err), RS_OK);
	if (rs_ledger_append(f->ledger, &transaction, 1, &result, &f->err) != RS_OK)
		fail_msg("%s", f->err.message);
	assert_int_equal(result.refusal, RS_REFUSAL_NONE);
	rs_transaction_finish(&transaction);
}

static void submit_head(struct fixture *f)
{
	struct rs_act act = {.organisation = RS_STR("Radiology")};
	struct rs_map_head head;
	struct rs_buffer origin;
	rs_buffer_init(&origin, RS_ORIGIN_MAX);
	assert_int_equal(rs_ledger_map_next(f->ledger, &head, &f->err), RS_OK);
	assert_int_equal(rs_map_head_act(&head, &origin, &act, &f->err), RS_OK);
	submit(f, &act);
	rs_buffer_finish(&origin);
}

static void grant(struct fixture *f, uint8_t name, enum rs_consent_effect effect, uint64_t until_ms)
{
	struct rs_act act = {
		.type = RS_TRANSACTION_CONSENT_GRANT,
		.subject = subject,
		.consent = {{name}},
		.effect = effect,
		.roles = RS_SET(RS_ROLE_RESEARCHER) | RS_SET(RS_ROLE_ONCOLOGIST),
		.purposes = RS_SET(RS_PURPOSE_RESEARCH),
		.operations = RS_SET(RS_OPERATION_READ) | RS_SET(RS_OPERATION_TRAIN),
		.from_ms = TIME_MS,
		.until_ms = until_ms,
	};
	submit(f, &act);
}

static int setup(void **state)
{
	struct fixture *f = rs_allocate(sizeof *f);
	struct rs_secret seeds[] = {{{1}}, {{2}}, {{3}}};
	if (!f || rs_crypto_init(&f->err) != RS_OK)
		return 1;
	rs_signing_key_from_seed(&seeds[0], &f->log);
	rs_signing_key_from_seed(&seeds[1], &f->admin);
	rs_signing_key_from_seed(&seeds[2], &f->witness);
	snprintf(f->directory, sizeof f->directory, "/tmp/radseal-claim-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/ledger.sqlite", f->directory);
	struct rs_ledger_options options = {.origin = "radseal.local/test", .key = &f->log};
	assert_int_equal(rs_ledger_open(rs_world_system(), f->path, &options, &f->ledger, &f->err), RS_OK);
	assert_int_equal(rs_note_key_init(&f->trust.log, options.origin, f->log.public_key, &f->err), RS_OK);
	assert_int_equal(rs_witness_key_init(&f->witness_key, "w", f->witness.public_key, &f->err), RS_OK);
	struct rs_act founding = {.type = RS_TRANSACTION_ORGANISATION_ADD};
	struct rs_act subject_act = {.type = RS_TRANSACTION_SUBJECT_REGISTER, .subject = subject};
	memcpy(founding.member.bytes, f->admin.public_key, RS_KEY_SIZE);
	submit(f, &founding);
	submit(f, &subject_act);
	rs_buffer_init(&f->text, RS_CLAIM_SIZE_MAX);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	rs_ledger_close(f->ledger);
	rs_buffer_finish(&f->text);
	snprintf(command, sizeof command, "rm -r %s", f->directory);
	rs_free(f);
	return system(command) != 0;
}

/* The claim about a key at the last head, into f->text. */
static void make_claim(struct fixture *f, char letter, const uint8_t *what, const struct rs_digest *consent)
{
	uint8_t key[65] = {(uint8_t)letter};
	struct rs_claim claim = {.key = {key, consent ? 65 : 33}};
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	struct rs_buffer value;
	uint64_t index;
	size_t count;
	bool present;
	memcpy(key + 1, what, 32);
	if (consent)
		memcpy(key + 33, consent->bytes, 32);
	rs_buffer_init(&value, RS_MAP_VALUE_MAX);
	assert_int_equal(rs_ledger_map_last(f->ledger, &index, &f->err), RS_OK);
	assert_int_equal(rs_ledger_map_prove(f->ledger, claim.key, &claim.proof, &present, &value, &f->err),
	                 RS_OK);
	claim.value = rs_buffer_bytes(&value);
	assert_int_equal(rs_ledger_entry(f->ledger, index, &claim.entry, &f->err), RS_OK);
	assert_int_equal(rs_ledger_prove(f->ledger, index, path, &count, &f->err), RS_OK);
	rs_buffer_clear(&f->text);
	assert_int_equal(rs_claim_format(&claim, index, path, count, rs_ledger_checkpoint(f->ledger),
	                                 &f->text, &f->err),
	                 RS_OK);
	rs_buffer_finish(&value);
}

static void expect(struct fixture *f, bool present, const char *sentence)
{
	struct rs_claim_facts facts;
	if (rs_claim_check(rs_buffer_str(&f->text), &f->trust, &facts, &f->err) != RS_OK)
		fail_msg("%s", f->err.message);
	rs_buffer_append_u8(&facts.sentence, 0);
	assert_string_equal((const char *)facts.sentence.data, sentence);
	assert_int_equal(facts.present, present);
	rs_claim_facts_finish(&facts);
}

#define HEX_7 "0700000000000000000000000000000000000000000000000000000000000000"
#define HEX_1 "0100000000000000000000000000000000000000000000000000000000000000"
#define HEX_2 "0200000000000000000000000000000000000000000000000000000000000000"
#define HEX_9 "0900000000000000000000000000000000000000000000000000000000000000"
#define SINCE ", from 2023-11-14T22:13:20.000Z"
#define TERMS " read, train for research by oncologist, researcher of Radiology" SINCE

static void what_is_in_force_is_said_in_words(void **state)
{
	struct fixture *f = *state;
	struct rs_digest first = {{1}}, ninth = {{9}};
	struct rs_act revocation = {
		.type = RS_TRANSACTION_CONSENT_REVOKE, .subject = subject, .consent = first};
	struct rs_act erasure = {.type = RS_TRANSACTION_ERASURE, .subject = subject};
	submit_head(f);
	make_claim(f, 'C', subject.bytes, NULL);
	expect(f, false, "of subject " HEX_7 ", there is no consent at all");
	make_claim(f, 'S', subject.bytes, NULL);
	expect(f, true, "subject " HEX_7 " is in the custody of Radiology, with 0 objects");
	make_claim(f, 'D', ninth.bytes, NULL);
	expect(f, false, "there is no device " HEX_9);
	grant(f, 1, RS_CONSENT_PERMIT, 0);
	grant(f, 2, RS_CONSENT_DENY, TIME_MS + 1000);
	submit_head(f);
	make_claim(f, 'C', subject.bytes, &first);
	expect(f, true, "of subject " HEX_7 ", consent " HEX_1 " is in force; it permits" TERMS " on");
	submit(f, &revocation);
	submit_head(f);
	make_claim(f, 'C', subject.bytes, NULL);
	expect(f, true,
	       "of subject " HEX_7 ", consent " HEX_1 " is revoked; it permits" TERMS " on\n"
	       "and consent " HEX_2 " is in force; it denies" TERMS " until 2023-11-14T22:13:21.000Z");
	make_claim(f, 'C', subject.bytes, &ninth);
	expect(f, false, "of subject " HEX_7 ", there is no consent " HEX_9);
	submit(f, &erasure);
	submit_head(f);
	make_claim(f, 'S', subject.bytes, NULL);
	expect(f, true, "subject " HEX_7 " is erased; it is in the custody of Radiology, with 0 objects");
}

/* Every bit of a claim that something is there. */
static void altered_claims_prove_nothing(void **state)
{
	struct fixture *f = *state;
	struct rs_claim_facts facts;
	grant(f, 1, RS_CONSENT_PERMIT, 0);
	submit_head(f);
	make_claim(f, 'C', subject.bytes, NULL);
	for (size_t bit = 0; bit < 8 * f->text.size; bit++) {
		f->text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		enum rs_code code = rs_claim_check(rs_buffer_str(&f->text), &f->trust, &facts, &f->err);
		if (code != RS_ALTERED && code != RS_MALFORMED)
			fail_msg("bit %zu: %s", bit, rs_code_name(code));
		f->text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* An entry that is no head, a head of another log, and a head at another place. */
static void only_heads_of_this_log_count(void **state)
{
	struct fixture *f = *state;
	struct rs_claim_facts facts;
	struct rs_trust other = f->trust;
	submit_head(f);
	make_claim(f, 'S', subject.bytes, NULL);
	other.log.public_key[0] ^= 1;
	assert_int_equal(rs_claim_check(rs_buffer_str(&f->text), &other, &facts, &f->err), RS_ALTERED);
	struct rs_tlog_proof proof;
	assert_int_equal(rs_tlog_proof_parse(rs_buffer_str(&f->text), &proof, &f->err), RS_OK);
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	struct rs_buffer moved;
	size_t count;
	rs_buffer_init(&moved, RS_CLAIM_SIZE_MAX);
	assert_int_equal(rs_ledger_prove(f->ledger, 1, path, &count, &f->err), RS_OK);
	assert_int_equal(rs_tlog_proof_format(rs_buffer_bytes(&proof.extra), 1, path, count, proof.checkpoint,
	                                      &moved, &f->err),
	                 RS_OK);
	assert_int_equal(rs_claim_check(rs_buffer_str(&moved), &f->trust, &facts, &f->err), RS_ALTERED);
	rs_buffer_finish(&moved);
	rs_tlog_proof_finish(&proof);
}

static void witnesses_are_asked_for(void **state)
{
	struct fixture *f = *state;
	struct rs_claim_facts facts;
	struct rs_str checkpoint;
	submit_head(f);
	make_claim(f, 'S', subject.bytes, NULL);
	f->trust.witnesses = &f->witness_key;
	f->trust.witness_count = f->trust.quorum = 1;
	assert_int_equal(rs_claim_check(rs_buffer_str(&f->text), &f->trust, &facts, &f->err), RS_ALTERED);
	checkpoint = rs_ledger_checkpoint(f->ledger);
	assert_int_equal(
		rs_cosign(checkpoint, &f->witness_key, &f->witness, TIME_MS / 1000, &f->text, &f->err),
		RS_OK);
	assert_int_equal(rs_claim_check(rs_buffer_str(&f->text), &f->trust, &facts, &f->err), RS_OK);
	assert_int_equal(facts.cosigned, 1);
	rs_claim_facts_finish(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_in_force_is_said_in_words, setup, teardown),
		cmocka_unit_test_setup_teardown(altered_claims_prove_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(only_heads_of_this_log_count, setup, teardown),
		cmocka_unit_test_setup_teardown(witnesses_are_asked_for, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
