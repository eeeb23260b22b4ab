/* Hostile envelopes and acknowledgements of devices, and what they publish. */
#include <assert.h>
#include <string.h>

#include "envelope/envelope_mqtt.h"

static enum rs_code count(void *context, const struct rs_listed *listed, struct rs_error *err)
{
	size_t *counted = context;
	(void)err;
	assert(listed->sop_instance.size > 0);
	++*counted;
	return RS_OK;
}

/* A topic that is one is the one that would be written. */
static void check_topic(const uint8_t *data, size_t size)
{
	char text[RS_MQTT_TOPIC_MAX] = {0}, again[RS_MQTT_TOPIC_MAX];
	struct rs_topic topic, second;
	memcpy(text, data, size < sizeof text - 1 ? size : sizeof text - 1);
	if (!rs_topic_parse(text, &topic))
		return;
	rs_topic_format(&topic, again);
	assert(rs_topic_parse(again, &second) && second.kind == topic.kind && second.offset == topic.offset);
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
	struct rs_notice notice;
	(void)rs_notice_read(message, &notice, &err);
	check_topic(data, size);
	return 0;
}
