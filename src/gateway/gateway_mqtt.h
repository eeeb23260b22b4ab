/* The node at an MQTT broker: what devices publish is received, judged and admitted (devices/devices.h), and answered when it is
 * durable. See envelope/envelope_mqtt.h for the topics. */
#ifndef RS_GATEWAY_MQTT_H
#define RS_GATEWAY_MQTT_H

#include <stdatomic.h>

#include "devices/devices.h"

struct rs_mqtt_options {
	const char *address; /* of the broker, "10.0.0.7:8883" */
	/* PEM files: ours with its key, and the authorities of the broker's; all three, for TLS 1.3. NULL, NULL, NULL: in the clear,
	 * which only a broker of the same machine is spoken to in. */
	const char *certificate, *key, *authorities;
	const struct rs_log *log;
	atomic_bool *is_connected; /* kept: whether the broker is met; NULL: nobody looks */
};

struct rs_mqtt;
/* Connects, and again whenever the connection is lost, until it is closed. errors  RS_USAGE, RS_INTERNAL */
enum rs_code rs_mqtt_open(const struct rs_mqtt_options *options, struct rs_reception *reception,
                          struct rs_mqtt **out, struct rs_error *err);
/* What is whole is admitted still; what is not is forgotten, and sent again by its device. Accepts NULL. */
void rs_mqtt_close(struct rs_mqtt *mqtt);

#endif
