/* Hostile proofs of entries: what is accepted is signed by the log, written in one way only, and by a signer of its own. */
#include <assert.h>

#include "audit/audit_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Ed25519 public key of the seed 01 00 … 00: the corpus is signed by it. */
	static struct rs_signing_key signing;
	static const struct rs_secret seed = {{1}};
	struct rs_audit_proof proof;
	struct rs_note_key log;
	struct rs_error err = {0};
	rs_signing_key_from_seed(&seed, &signing);
	assert(rs_note_key_init(&log, "radseal.local/fuzz", signing.public_key, &err) == RS_OK);
	if (rs_audit_proof_check((struct rs_str){(const char *)data, size}, &log, &proof, &err) != RS_OK) {
		assert(err.message[0]);
		return 0;
	}
	struct rs_buffer again;
	rs_buffer_init(&again, size + 16);
	enum rs_code code = rs_tlog_proof_format(rs_buffer_bytes(&proof.file.extra), proof.file.index,
	                                         proof.file.path, proof.file.path_count,
	                                         proof.file.checkpoint, &again, &err);
	assert(code == RS_OK && rs_bytes_equal(rs_buffer_bytes(&again), rs_bytes_of(data, size)));
	rs_buffer_finish(&again);
	rs_audit_proof_finish(&proof);
	return 0;
}
