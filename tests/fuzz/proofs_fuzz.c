/* Hostile COSE receipts, proofs of the verifiable map and claims: what decodes has one encoding, and nothing proves anything. */
#include <assert.h>

#include "ledger/ledger_claim.h"
#include "ledger/ledger_cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t public_key[RS_KEY_SIZE] = {1};
	static const struct rs_digest root = {{5}};
	static struct rs_map_proof proof;
	static const struct rs_trust trust = {.log = {.name = "log"}};
	struct rs_claim_facts facts;
	struct rs_bytes input = rs_bytes_of(data, size);
	struct rs_buffer again;
	struct rs_error err = {0};
	uint64_t index, of;
	assert(rs_cose_receipt_verify(input, input, public_key, &index, &of, &err) != RS_OK &&
	       err.message[0]);
	err.message[0] = 0;
	assert(rs_claim_check(rs_str_of_bytes(input), &trust, &facts, &err) != RS_OK && err.message[0]);
	rs_buffer_init(&again, size + RS_MAP_PROOF_SIZE_MAX);
	if (rs_map_proof_decode(input, &proof, &err) == RS_OK) {
		assert(!rs_map_presence_valid(&root, input, input, &proof));
		assert(!rs_map_absence_valid(&root, input, &proof));
		assert(rs_map_proof_encode(&proof, &again, &err) == RS_OK);
		assert(rs_bytes_equal(rs_buffer_bytes(&again), input));
	}
	rs_buffer_finish(&again);
	return 0;
}
