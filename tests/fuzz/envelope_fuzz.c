/* Hostile envelopes and acknowledgements of devices. */
#include <assert.h>

#include "envelope/envelope.h"

static enum rs_code count(void *context, const struct rs_listed *listed, struct rs_error *err)
{
	size_t *counted = context;
	(void)err;
	assert(listed->sop_instance.size > 0);
	++*counted;
	return RS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t node[RS_KEY_SIZE] = {1};
	struct rs_bytes message = rs_bytes_of(data, size);
	struct rs_acknowledgement acknowledgement;
	struct rs_envelope envelope;
	struct rs_error err = {0};
	size_t listed = 0;
	if (rs_envelope_parse(message, &envelope, &err) == RS_OK) {
		assert(rs_device_name_valid(envelope.device));
		if (envelope.kind == RS_ENVELOPE_MANIFEST) {
			assert(rs_envelope_each(&envelope, count, &listed, &err) == RS_OK);
			assert(listed == envelope.listed_count);
		}
		(void)rs_envelope_verify(message, &envelope, &err);
	}
	assert(rs_acknowledgement_verify(message, node, &acknowledgement, &err) != RS_OK);
	return 0;
}
