/* What devices and node say to each other over MQTT, all with QoS 1; DEVICE is a device's name, which the broker lets nobody
 * else use.
 *
 *   radseal/v1/DEVICE/envelope           an envelope; again, when the device wants to know where it was
 *   radseal/v1/DEVICE/chunk/HEX/OFFSET   bytes of the data set from OFFSET on; HEX: SHA-256 of the envelope
 *   radseal/v1/DEVICE/receipt            from the node: an acknowledgement (COSE_Sign1), or a notice
 *
 * A notice is [1, SHA-256 of the envelope, offset]: the data set is awaited from there on; or [2, SHA-256, text]: nothing was
 * kept, the device tries again later. Notices are hints, and not signed: only an acknowledgement lets a device forget. */
#ifndef RS_ENVELOPE_MQTT_H
#define RS_ENVELOPE_MQTT_H

#include "envelope/envelope.h"

#define RS_MQTT_PREFIX "radseal/v1/"
#define RS_MQTT_NODE "radseal-node" /* whom the broker knows the node as */
#define RS_MQTT_CHUNK_MAX ((size_t)4 << 20)
#define RS_MQTT_TOPIC_MAX 200

enum rs_notice_kind { RS_NOTICE_WANTS = 1, RS_NOTICE_REFUSED };
struct rs_notice {
	enum rs_notice_kind kind;
	struct rs_digest envelope;
	uint64_t offset;
	struct rs_str text;
};
void rs_notice_write(const struct rs_notice *notice, struct rs_buffer *out);
enum rs_code rs_notice_read(struct rs_bytes message, struct rs_notice *out,
                            struct rs_error *err); /* borrows */

enum rs_topic_kind { RS_TOPIC_ENVELOPE, RS_TOPIC_CHUNK, RS_TOPIC_RECEIPT };
struct rs_topic {
	enum rs_topic_kind kind;
	struct rs_str device;
	struct rs_digest envelope; /* of a chunk */
	uint64_t offset;
};
/* False for what is none; views borrow. */
bool rs_topic_parse(const char *topic, struct rs_topic *out);
void rs_topic_format(const struct rs_topic *topic, char out[static RS_MQTT_TOPIC_MAX]);

#endif
