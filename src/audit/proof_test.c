/* A proof of an entry proves it only if the log, the tree and the entry's signer all say so: a log that lies cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "audit/audit_proof.h"

struct forged {
	uint8_t log_seed,
		flip; /* flip: the entry's byte from its end that is changed before the log signs; 0: none */
	uint64_t index;
	const char *origin;
	enum rs_code expected;
};

/* A log of one entry, signed by whoever has the seed. */
static void make(const struct forged *forged, struct rs_buffer *out)
{
	const struct rs_secret seeds[] = {{{forged->log_seed}}, {{9}}};
	struct rs_signing_key log, member;
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_checkpoint checkpoint = {.size = 1};
	struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
	                     .id = {1},
	                     .time_ms = 5,
	                     .organisation = RS_STR("Radiology"),
	                     .member = {{7}}};
	rs_signing_key_from_seed(&seeds[0], &log);
	rs_signing_key_from_seed(&seeds[1], &member);
	assert_int_equal(rs_transaction_sign(&act, &member, &transaction, NULL), RS_OK);
	if (forged->flip)
		transaction.entry.data[transaction.entry.size - forged->flip] ^= 1;
	memcpy(checkpoint.origin, forged->origin, strlen(forged->origin) + 1);
	rs_leaf_hash(rs_buffer_bytes(&transaction.entry), &checkpoint.root);
	rs_buffer_init(&note, 1024);
	assert_int_equal(rs_checkpoint_sign(&checkpoint, &log, &note, NULL), RS_OK);
	rs_buffer_init(out, RS_AUDIT_PROOF_SIZE_MAX);
	assert_int_equal(rs_tlog_proof_format(rs_buffer_bytes(&transaction.entry), forged->index, NULL, 0,
	                                      rs_buffer_str(&note), out, NULL),
	                 RS_OK);
}

static void only_what_all_signed_is_proved(void **state)
{
	static const struct forged cases[] = {
		{1, 0, 0, "radseal.local/log", RS_OK},
		{2, 0, 0, "radseal.local/log", RS_ALTERED},   /* another log's key */
		{1, 0, 0, "radseal.local/other", RS_ALTERED}, /* another log's name */
		{1, 0, 1, "radseal.local/log", RS_ALTERED},   /* another place */
		{1, 1, 0, "radseal.local/log", RS_ALTERED},   /* the signature of the entry */
		{1, 70, 0, "radseal.local/log", RS_ALTERED},  /* what it says */
	};
	const struct rs_secret seed = {{1}};
	struct rs_signing_key log;
	struct rs_note_key key;
	(void)state;
	rs_signing_key_from_seed(&seed, &log);
	assert_int_equal(rs_note_key_init(&key, "radseal.local/log", log.public_key, NULL), RS_OK);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_audit_proof proof = {.checkpoint = {.size = 0}};
		struct rs_error err = {0};
		make(&cases[i], &text);
		enum rs_code code = rs_audit_proof_check(rs_buffer_str(&text), &key, &proof, &err);
		if (code != cases[i].expected)
			fail_msg("case %zu: %s %s", i, rs_code_name(code), err.message);
		if (code == RS_OK) {
			assert_int_equal(proof.act.type, RS_TRANSACTION_ORGANISATION_ADD);
			assert_int_equal(proof.checkpoint.size, 1);
		}
		rs_audit_proof_finish(&proof);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_all_signed_is_proved)};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests_name("audit/proof", tests, NULL, NULL)
	                                     : 1;
}
