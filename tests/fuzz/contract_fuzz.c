/* Sequences of hostile transactions, not signed: each is 32 bytes of signer, 2 bytes of size, a payload. What is read is
 * written back alike; a refusal leaves the state; who was revoked is never admitted; the state stays one. */
#include <assert.h>
#include <string.h>

#include "contract/contract_memory.h"

#define REVOKED_MAX 64
#define STEPS_MAX 200

struct model {
	struct rs_memory_state memory;
	struct rs_state state;
	struct rs_digest digest;
	struct rs_member_key revoked[REVOKED_MAX];
	size_t revoked_count;
};

static bool was_revoked(const struct model *model, const struct rs_member_key *key)
{
	for (size_t i = 0; i < model->revoked_count; i++)
		if (rs_member_key_equal(&model->revoked[i], key))
			return true;
	return false;
}

static void remember_revocation(struct model *model, const struct rs_act *act)
{
	bool revokes = act->type == RS_TRANSACTION_MEMBER_REVOKE ||
	               act->type == RS_TRANSACTION_DEVICE_REVOKE || act->type == RS_TRANSACTION_DEVICE_ROTATE;
	if (revokes && model->revoked_count < REVOKED_MAX)
		model->revoked[model->revoked_count++] = act->member;
}

static void read_back(const struct rs_act *act, struct rs_bytes payload)
{
	struct rs_buffer written RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&written, 1 << 17);
	rs_act_encode(act, &written);
	assert(rs_bytes_equal(rs_buffer_bytes(&written), payload));
}

static void run(struct model *model, struct rs_bytes signer, struct rs_bytes payload)
{
	struct rs_act act;
	struct rs_error err = {0};
	struct rs_digest after;
	struct rs_decision decision;
	enum rs_refusal refusal;
	if (rs_act_decode(payload, &act, &err) != RS_OK) {
		assert(err.message[0]);
		return;
	}
	read_back(&act, payload);
	memcpy(act.signer.bytes, signer.data, RS_KEY_SIZE);
	enum rs_code code = rs_contract_apply(&model->state, &act, &refusal, &err);
	assert(code == RS_OK);
	code = rs_state_digest(&model->state, &after, &err);
	assert(code == RS_OK);
	assert(refusal == RS_REFUSAL_NONE || rs_digest_equal(&after, &model->digest));
	assert(refusal != RS_REFUSAL_NONE || !was_revoked(model, &act.signer));
	model->digest = after;
	if (refusal == RS_REFUSAL_NONE)
		remember_revocation(model, &act);
	if (act.type == RS_TRANSACTION_ACCESS_REQUEST && refusal == RS_REFUSAL_NONE) {
		code = rs_contract_decision(&model->state, act.id, &decision, &err);
		assert(code == RS_OK &&
		       (decision.refusal != RS_REFUSAL_NONE || decision.basis != RS_BASIS_NONE));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model model = {.revoked_count = 0};
	struct rs_error err = {0};
	size_t at = 0;
	model.state = rs_memory_state_view(&model.memory);
	enum rs_code code = rs_state_digest(&model.state, &model.digest, &err);
	assert(code == RS_OK);
	for (unsigned step = 0; step < STEPS_MAX && size - at >= RS_KEY_SIZE + 2; step++) {
		struct rs_bytes signer = rs_bytes_of(data + at, RS_KEY_SIZE);
		size_t length = rs_read_be16(data + at + RS_KEY_SIZE);
		at += RS_KEY_SIZE + 2;
		if (length > size - at)
			length = size - at;
		run(&model, signer, rs_bytes_of(data + at, length));
		at += length;
	}
	rs_memory_state_finish(&model.memory);
	return 0;
}
