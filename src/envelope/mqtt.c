/* Topics and notices. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "envelope/envelope_mqtt.h"

void rs_notice_write(const struct rs_notice *notice, struct rs_buffer *out)
{
	rs_cbor_write_array(out, 3);
	rs_cbor_write_u64(out, notice->kind);
	rs_cbor_write_bytes(out, rs_bytes_of(notice->envelope.bytes, RS_SHA256_SIZE));
	if (notice->kind == RS_NOTICE_WANTS)
		rs_cbor_write_u64(out, notice->offset);
	else
		rs_cbor_write_str(out, notice->text);
}

enum rs_code rs_notice_read(struct rs_bytes message, struct rs_notice *out, struct rs_error *err)
{
	struct rs_notice notice = {.offset = 0};
	struct rs_cbor_reader reader;
	uint64_t kind;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, message, err));
	RS_TRY(rs_cbor_read_array(&reader, "notice", &count, err));
	RS_TRY(rs_cbor_read_u64(&reader, "kind", &kind, err));
	if (count != 3 || (kind != RS_NOTICE_WANTS && kind != RS_NOTICE_REFUSED))
		return rs_error_set(err, RS_MALFORMED, "it is no notice");
	notice.kind = (enum rs_notice_kind)kind;
	RS_TRY(rs_cbor_read_fixed(&reader, "envelope", notice.envelope.bytes, RS_SHA256_SIZE, err));
	if (notice.kind == RS_NOTICE_WANTS)
		RS_TRY(rs_cbor_read_u64(&reader, "offset", &notice.offset, err));
	else
		RS_TRY(rs_cbor_read_str(&reader, "text", &notice.text, err));
	*out = notice;
	return RS_OK;
}

/* The next part of a topic, without its slash. */
static struct rs_str next_part(struct rs_str *rest)
{
	size_t size = 0;
	while (size < rest->size && rest->data[size] != '/')
		size++;
	struct rs_str part = {rest->data, size};
	size_t skip = size < rest->size ? size + 1 : size;
	*rest = (struct rs_str){rest->data + skip, rest->size - skip};
	return part;
}

bool rs_topic_parse(const char *topic, struct rs_topic *out)
{
	const size_t prefix = strlen(RS_MQTT_PREFIX);
	if (strncmp(topic, RS_MQTT_PREFIX, prefix) != 0)
		return false;
	struct rs_str rest = rs_str_from(topic + prefix);
	struct rs_topic parsed = {.device = next_part(&rest)};
	struct rs_str kind = next_part(&rest);
	if (!rs_device_name_valid(parsed.device))
		return false;
	if (rs_str_equal_text(kind, "chunk")) {
		struct rs_str hex = next_part(&rest), offset = next_part(&rest);
		parsed.kind = RS_TOPIC_CHUNK;
		if (hex.size != 2 * (size_t)RS_SHA256_SIZE ||
		    !rs_hex_decode(hex, parsed.envelope.bytes, RS_SHA256_SIZE) ||
		    !rs_parse_u64(offset, &parsed.offset))
			return false;
	} else if (rs_str_equal_text(kind, "envelope")) {
		parsed.kind = RS_TOPIC_ENVELOPE;
	} else if (rs_str_equal_text(kind, "receipt")) {
		parsed.kind = RS_TOPIC_RECEIPT;
	} else {
		return false;
	}
	if (rest.size)
		return false;
	*out = parsed;
	return true;
}

void rs_topic_format(const struct rs_topic *topic, char out[static RS_MQTT_TOPIC_MAX])
{
	static const char *const kinds[] = {
		[RS_TOPIC_ENVELOPE] = "envelope", [RS_TOPIC_CHUNK] = "chunk", [RS_TOPIC_RECEIPT] = "receipt"};
	char hex[2 * RS_SHA256_SIZE + 1];
	int size = snprintf(out, RS_MQTT_TOPIC_MAX, RS_MQTT_PREFIX "%.*s/%s", (int)topic->device.size,
	                    topic->device.data, kinds[topic->kind]);
	if (topic->kind != RS_TOPIC_CHUNK)
		return;
	rs_hex_encode(rs_bytes_of(topic->envelope.bytes, RS_SHA256_SIZE), hex);
	(void)snprintf(out + size, RS_MQTT_TOPIC_MAX - (size_t)size, "/%s/%" PRIu64, hex, topic->offset);
}
