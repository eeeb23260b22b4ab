/* Hostile receipts: parsed strictly; what parses is written back to the same bytes. */
#include <assert.h>

#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_str text = {(const char *)data, size};
	struct rs_tlog_proof proof;
	struct rs_note_key key;
	struct rs_receipt_facts facts;
	struct rs_error err = {0};
	const uint8_t public_key[RS_KEY_SIZE] = {1};
	assert(rs_note_key_init(&key, "radseal.local/fuzz", public_key, &err) == RS_OK);
	assert(rs_receipt_check(text, &key, &facts, &err) != RS_OK);
	if (rs_tlog_proof_parse(text, &proof, &err) != RS_OK)
		return 0;
	struct rs_buffer again;
	rs_buffer_init(&again, size + 16);
	enum rs_code code = rs_tlog_proof_format(rs_buffer_bytes(&proof.extra), proof.index, proof.path,
	                                         proof.path_count, proof.checkpoint, &again, &err);
	assert(code == RS_OK && rs_bytes_equal(rs_buffer_bytes(&again), rs_bytes_of(data, size)));
	rs_buffer_finish(&again);
	rs_tlog_proof_finish(&proof);
	return 0;
}
