/* Over MQTT (envelope/envelope_mqtt.h): a few items at a time, in chunks; what is on its way to the broker is bounded, and so is
 * what waits for the node's acknowledgement. */
#include "envelope/envelope_mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

#define CHUNK ((size_t)512 * 1024)
#define WINDOW ((size_t)2 << 20) /* bytes that the broker has not confirmed */
#define ACTIVE_MAX \
	64 /* items that wait for the node's acknowledgement: its commits take longer than the way there */
#define PUBLICATIONS 64 /* messages that the broker has not confirmed */
#define ANSWER_NS ((uint64_t)60 * 1000000000)
#define KEEPALIVE_S 30
#define HOST_SIZE 256
#define READS 32

struct publication {
	int id;
	size_t size;
};

struct mqtt {
	struct transport transport;
	struct mosquitto *client;
	char host[HOST_SIZE];
	int port;
	bool is_connected, is_ready; /* ready: subscribed */
	unsigned failures;
	uint64_t retry_ns;
	struct publication publications[PUBLICATIONS];
	size_t publication_count, unconfirmed;
	struct rs_file *file; /* of the item that is being sent */
	uint64_t file_number;
	uint8_t *chunk;
	struct rs_error failure;
};

static void say(const struct mqtt *mqtt, const char *event, const char *reason)
{
	agent_say(mqtt->transport.agent, RS_LOG_WARNING, event, "", reason);
}

/* The connection is over: items begin anew, by asking where they were. */
static void lost(struct mqtt *mqtt, const char *reason)
{
	const struct agent *agent = mqtt->transport.agent;
	if (mqtt->is_connected)
		say(mqtt, "disconnected", reason);
	mqtt->is_connected = mqtt->is_ready = false;
	mqtt->publication_count = mqtt->unconfirmed = 0;
	mqtt->retry_ns = agent_now_ns(agent) + agent_back_off_ns(agent, mqtt->failures++);
	for (struct item *item = agent->queue.items; item; item = item->next) {
		if (item->state != ITEM_WAITS)
			item->is_asked = true;
		item->state = ITEM_WAITS;
	}
}

static bool publish(struct mqtt *mqtt, const struct rs_topic *topic, struct rs_bytes payload)
{
	char text[RS_MQTT_TOPIC_MAX];
	int id = 0;
	rs_topic_format(topic, text);
	int failed = mosquitto_publish(mqtt->client, &id, text, (int)payload.size, payload.data, 1, false);
	if (failed != MOSQ_ERR_SUCCESS) {
		lost(mqtt, mosquitto_strerror(failed));
		return false;
	}
	mqtt->publications[mqtt->publication_count++] = (struct publication){id, payload.size};
	mqtt->unconfirmed += payload.size;
	return true;
}

static void on_publish(struct mosquitto *client RS_UNUSED, void *context, int id)
{
	struct mqtt *mqtt = context;
	for (size_t i = 0; i < mqtt->publication_count; i++)
		if (mqtt->publications[i].id == id) {
			mqtt->unconfirmed -= mqtt->publications[i].size;
			mqtt->publications[i] = mqtt->publications[--mqtt->publication_count];
			return;
		}
}

static void on_connect(struct mosquitto *client, void *context, int failed)
{
	struct mqtt *mqtt = context;
	const struct rs_topic topic = {.kind = RS_TOPIC_RECEIPT,
	                               .device = rs_str_from(mqtt->transport.agent->options->device)};
	char text[RS_MQTT_TOPIC_MAX];
	if (failed) {
		say(mqtt, "refused", mosquitto_connack_string(failed));
		return;
	}
	rs_topic_format(&topic, text);
	(void)mosquitto_subscribe(client, NULL, text, 1);
}

static void on_subscribe(struct mosquitto *client RS_UNUSED, void *context, int id RS_UNUSED,
                         int count RS_UNUSED, const int *granted RS_UNUSED)
{
	struct mqtt *mqtt = context;
	mqtt->is_ready = true;
	mqtt->failures = 0;
	agent_say(mqtt->transport.agent, RS_LOG_INFO, "connected", "", "");
}

static struct item *find(const struct mqtt *mqtt, const struct rs_digest *envelope)
{
	struct item *item = mqtt->transport.agent->queue.items;
	while (item && !rs_digest_equal(&item->digest, envelope))
		item = item->next;
	return item;
}

static uint64_t length_of(const struct item *item) { return item->size - item->data_offset; }

static void take_acknowledgement(struct mqtt *mqtt, struct rs_bytes message)
{
	struct agent *agent = mqtt->transport.agent;
	struct rs_acknowledgement acknowledgement;
	struct rs_error err = {0};
	if (rs_acknowledgement_verify(message, agent->options->node.bytes, &acknowledgement, &err) != RS_OK) {
		say(mqtt, "acknowledgement_refused", err.message);
		return;
	}
	struct item *item = find(mqtt, &acknowledgement.envelope);
	if (item && acknowledgement.outcome != RS_ACKNOWLEDGED_REFUSED &&
	    agent_settle(agent, item, acknowledgement.outcome, length_of(item), message, &err) != RS_OK)
		mqtt->failure = err;
}

static void take_notice(struct mqtt *mqtt, const struct rs_notice *notice)
{
	struct agent *agent = mqtt->transport.agent;
	struct item *item = find(mqtt, &notice->envelope);
	if (!item)
		return;
	item->touched_ns = agent_now_ns(agent);
	if (notice->kind == RS_NOTICE_REFUSED) {
		char reason[RS_ERROR_MESSAGE_SIZE];
		(void)snprintf(reason, sizeof reason, "%.*s", (int)notice->text.size, notice->text.data);
		agent_say(agent, RS_LOG_WARNING, "refused", "", reason);
		item->state = ITEM_WAITS;
		item->is_asked = true;
		item->due_ns = item->touched_ns + agent_back_off_ns(agent, item->failures++);
	} else if (notice->offset <= length_of(item) &&
	           (item->is_asked || (notice->offset && notice->offset < item->sent))) {
		/* At the first attempt the rest follows the envelope without being asked for. */
		item->sent = notice->offset;
		item->is_asked = false;
		item->state = ITEM_SENDING;
	}
}

static void on_message(struct mosquitto *client RS_UNUSED, void *context,
                       const struct mosquitto_message *message)
{
	struct mqtt *mqtt = context;
	struct rs_bytes payload = rs_bytes_of(message->payload,
	                                      message->payloadlen > 0 ? (size_t)message->payloadlen : 0);
	struct rs_notice notice;
	if (payload.size == 0 || payload.size > RS_ACKNOWLEDGEMENT_SIZE_MAX * 2)
		return;
	if (rs_notice_read(payload, &notice, NULL) == RS_OK)
		take_notice(mqtt, &notice);
	else
		take_acknowledgement(mqtt, payload);
}

static void meet(struct mqtt *mqtt)
{
	const struct agent *agent = mqtt->transport.agent;
	if (mqtt->is_connected || agent_now_ns(agent) < mqtt->retry_ns)
		return;
	int failed = mosquitto_connect(mqtt->client, mqtt->host, mqtt->port, KEEPALIVE_S);
	mqtt->is_connected = failed == MOSQ_ERR_SUCCESS;
	if (failed != MOSQ_ERR_SUCCESS) {
		say(mqtt, "unreachable",
		    failed == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(failed));
		lost(mqtt, "");
	}
}

static enum rs_code begin_item(struct mqtt *mqtt, struct item *item, struct rs_error *err)
{
	struct agent *agent = mqtt->transport.agent;
	struct rs_buffer envelope RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_topic topic = {.kind = RS_TOPIC_ENVELOPE,
	                               .device = rs_str_from(agent->options->device)};
	RS_TRY(queue_envelope(&agent->queue, item, &envelope, err));
	if (!publish(mqtt, &topic, rs_buffer_bytes(&envelope)))
		return RS_OK;
	item->touched_ns = agent_now_ns(agent);
	item->sent = 0;
	item->state = item->is_asked || length_of(item) == 0 ? ITEM_SENT : ITEM_SENDING;
	return RS_OK;
}

static enum rs_code open_data(struct mqtt *mqtt, const struct item *item, struct rs_error *err)
{
	const struct agent *agent = mqtt->transport.agent;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	if (mqtt->file && mqtt->file_number == item->number)
		return RS_OK;
	rs_file_close(mqtt->file);
	mqtt->file = NULL;
	RS_TRY(queue_data_path(&agent->queue, item, &path, err));
	RS_TRY(rs_file_open(agent->world, path, RS_OPEN_READ, &mqtt->file, err));
	mqtt->file_number = item->number;
	return RS_OK;
}

/* *out_sent: a chunk went; else the window or the rate is used up. */
static enum rs_code send_chunk(struct mqtt *mqtt, struct item *item, bool *out_sent, struct rs_error *err)
{
	struct agent *agent = mqtt->transport.agent;
	uint64_t left = length_of(item) - item->sent;
	size_t size = left < CHUNK ? (size_t)left : CHUNK, got;
	*out_sent = false;
	if (mqtt->unconfirmed + size > WINDOW || mqtt->publication_count == PUBLICATIONS ||
	    agent_allow(agent, size) == 0)
		return RS_OK;
	RS_TRY(open_data(mqtt, item, err));
	RS_TRY(rs_file_read_at(mqtt->file, item->data_offset + item->sent, mqtt->chunk, size, &got, err));
	if (got != size)
		return rs_error_set(err, RS_ALTERED, "a file of the queue is cut off");
	const struct rs_topic topic = {RS_TOPIC_CHUNK, rs_str_from(agent->options->device), item->digest,
	                               item->sent};
	if (!publish(mqtt, &topic, rs_bytes_of(mqtt->chunk, size)))
		return RS_OK;
	item->sent += size;
	item->touched_ns = agent_now_ns(agent);
	if (item->sent == length_of(item))
		item->state = ITEM_SENT;
	*out_sent = true;
	return RS_OK;
}

/* Urgent ones first: the list is in that order. */
static enum rs_code pump(struct mqtt *mqtt, struct rs_error *err)
{
	const struct agent *agent = mqtt->transport.agent;
	size_t active = 0;
	bool sent = true;
	uint64_t now = agent_now_ns(agent);
	for (struct item *item = agent->queue.items; item && mqtt->is_ready && active < ACTIVE_MAX;
	     item = item->next) {
		if (item->state == ITEM_SENT && now - item->touched_ns > ANSWER_NS) {
			item->state = ITEM_WAITS;
			item->is_asked = true;
		}
		if (item->state == ITEM_WAITS && item->due_ns > now)
			continue;
		active++;
		if (item->state == ITEM_WAITS && mqtt->publication_count < PUBLICATIONS)
			RS_TRY(begin_item(mqtt, item, err));
		while (sent && mqtt->is_ready && item->state == ITEM_SENDING)
			RS_TRY(send_chunk(mqtt, item, &sent, err));
		if (!sent)
			return RS_OK;
	}
	return RS_OK;
}

static void converse(struct mqtt *mqtt, int wake, int wait_ms)
{
	int socket = mqtt->is_connected ? mosquitto_socket(mqtt->client) : -1;
	struct pollfd polled[2] = {
		{.fd = wake, .events = POLLIN},
		{.fd = socket,
	         .events = (short)(POLLIN |
	                           (socket >= 0 && mosquitto_want_write(mqtt->client) ? POLLOUT : 0))}};
	(void)poll(polled, 2, wait_ms);
	if (!mqtt->is_connected)
		return;
	int failed = MOSQ_ERR_SUCCESS;
	if (polled[1].revents & (POLLIN | POLLERR | POLLHUP))
		failed = mosquitto_loop_read(mqtt->client, READS);
	if (failed == MOSQ_ERR_SUCCESS && mosquitto_want_write(mqtt->client))
		failed = mosquitto_loop_write(mqtt->client, READS);
	if (failed == MOSQ_ERR_SUCCESS)
		failed = mosquitto_loop_misc(mqtt->client);
	if (failed != MOSQ_ERR_SUCCESS)
		lost(mqtt, mosquitto_strerror(failed));
}

static enum rs_code step(struct transport *transport, int wake, int wait_ms, struct rs_error *err)
{
	struct mqtt *mqtt = (struct mqtt *)transport;
	const struct agent *agent = transport->agent;
	meet(mqtt);
	RS_TRY(pump(mqtt, err));
	/* Under a limited rate what may be sent next comes soon. */
	bool limited = agent->options->rate && agent->queue.count > 0;
	converse(mqtt, wake, limited && wait_ms > 20 ? 20 : wait_ms);
	if (mqtt->failure.code != RS_OK) {
		if (err)
			*err = mqtt->failure;
		return mqtt->failure.code;
	}
	return RS_OK;
}

static void close_mqtt(struct transport *transport)
{
	struct mqtt *mqtt = (struct mqtt *)transport;
	if (mqtt->is_connected)
		(void)mosquitto_disconnect(mqtt->client);
	mosquitto_destroy(mqtt->client);
	(void)mosquitto_lib_cleanup();
	rs_file_close(mqtt->file);
	rs_free(mqtt->chunk);
	rs_free(mqtt);
}

static enum rs_code split_address(const char *address, struct mqtt *mqtt, struct rs_error *err)
{
	const char *colon = strrchr(address, ':');
	uint64_t port = 0;
	size_t size = colon ? (size_t)(colon - address) : 0;
	bool bracketed = size > 2 && address[0] == '[' && address[size - 1] == ']';
	if (!colon || size == 0 || size >= HOST_SIZE || !rs_parse_u64(rs_str_from(colon + 1), &port) ||
	    port == 0 || port > UINT16_MAX)
		return rs_error_set(err, RS_USAGE, "'%s' is no HOST:PORT of a broker", address);
	(void)snprintf(mqtt->host, HOST_SIZE, "%.*s", (int)(bracketed ? size - 2 : size),
	               bracketed ? address + 1 : address);
	mqtt->port = (int)port;
	return RS_OK;
}

static enum rs_code set_up(struct mqtt *mqtt, const char *address, bool is_tls, struct rs_error *err)
{
	const struct rs_edge_options *options = mqtt->transport.agent->options;
	char name[RS_DEVICE_NAME_MAX + 8];
	RS_TRY(split_address(address, mqtt, err));
	mqtt->chunk = rs_allocate(CHUNK);
	(void)snprintf(name, sizeof name, "device-%s", options->device);
	mqtt->client = mosquitto_new(name, true, mqtt);
	if (!mqtt->chunk || !mqtt->client)
		return rs_error_memory(err, CHUNK, "MQTT");
	if (is_tls && (!options->certificate || !options->key || !options->authorities))
		return rs_error_set(err, RS_USAGE,
		                    "mqtts:// needs --certificate, --certificate-key and --authorities");
	int failed = is_tls ? mosquitto_tls_set(mqtt->client, options->authorities, NULL,
	                                        options->certificate, options->key, NULL)
	                    : MOSQ_ERR_SUCCESS;
	if (is_tls && failed == MOSQ_ERR_SUCCESS)
		failed = mosquitto_tls_opts_set(mqtt->client, 1, "tlsv1.3", NULL);
	if (failed != MOSQ_ERR_SUCCESS)
		return rs_error_set(err, RS_USAGE, "the certificate, key or authorities cannot be used: %s",
		                    mosquitto_strerror(failed));
	(void)mosquitto_max_inflight_messages_set(mqtt->client, 0);
	(void)mosquitto_int_option(mqtt->client, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(mqtt->client, on_connect);
	mosquitto_subscribe_callback_set(mqtt->client, on_subscribe);
	mosquitto_publish_callback_set(mqtt->client, on_publish);
	mosquitto_message_callback_set(mqtt->client, on_message);
	return RS_OK;
}

static enum rs_code open_mqtt(struct agent *agent, const char *address, bool is_tls, struct transport **out,
                              struct rs_error *err)
{
	struct mqtt *mqtt = rs_allocate(sizeof *mqtt);
	if (!mqtt)
		return rs_error_memory(err, sizeof *mqtt, "MQTT");
	mqtt->transport = (struct transport){&transport_mqtt, agent};
	(void)mosquitto_lib_init();
	enum rs_code code = set_up(mqtt, address, is_tls, err);
	if (code != RS_OK) {
		close_mqtt(&mqtt->transport);
		return code;
	}
	*out = &mqtt->transport;
	return RS_OK;
}

const struct transport_type transport_mqtt = {open_mqtt, step, close_mqtt};
