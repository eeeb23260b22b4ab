/* MQTT by libmosquitto: one thread receives, a few admit. A device that sends more than they can take waits, since the receiving
 * thread does. */
#include "gateway/gateway_mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "envelope/envelope_mqtt.h"

#define WORKERS 4
#define WHOLE_MAX 8  /* deliveries that wait for a worker; then receiving waits */
#define OPEN_MAX 256 /* deliveries whose data set is not whole */
#define IDLE_NS ((uint64_t)120 * 1000000000)
#define KEEPALIVE_S 30
#define RECONNECT_S 1
#define RECONNECT_MAX_S 15
#define QOS 1
#define LOOP_MS 500
#define HOST_SIZE 256

/* One that is received, or waits. */
struct inflow {
	struct inflow *next;
	struct rs_mqtt *mqtt;
	struct rs_delivery *delivery;
	char device[RS_DEVICE_NAME_MAX + 1];
	struct rs_digest envelope;
	uint64_t offset, asked; /* bytes taken; where it was last asked to go on */
	bool has_missed;        /* something beyond came, and was passed over */
	uint64_t touched_ns;
};

struct rs_mqtt {
	struct rs_reception *reception;
	const struct rs_log *log;
	atomic_bool *is_connected; /* may be NULL */
	struct mosquitto *client;
	char host[HOST_SIZE];
	int port;
	pthread_t receiver;
	bool has_receiver;
	/* Of the receiving thread. */
	struct inflow *open;
	size_t open_count;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	struct inflow *whole, **last;
	size_t whole_count, admitting;
	bool ends;
	atomic_bool closing;
	pthread_t workers[WORKERS];
	unsigned worker_count;
};

static uint64_t now_ns(void)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	return clock->monotonic_ns(clock);
}

static void say(const struct rs_mqtt *mqtt, enum rs_log_level level, const char *event, const char *reason)
{
	RS_LOG(mqtt->log, level, event, {"reason", reason});
}

static void publish(struct rs_mqtt *mqtt, struct rs_str device, struct rs_bytes message)
{
	const struct rs_topic topic = {.kind = RS_TOPIC_RECEIPT, .device = device};
	char text[RS_MQTT_TOPIC_MAX];
	rs_topic_format(&topic, text);
	int failed = mosquitto_publish(mqtt->client, NULL, text, (int)message.size, message.data, QOS, false);
	if (failed != MOSQ_ERR_SUCCESS && failed != MOSQ_ERR_NO_CONN)
		say(mqtt, RS_LOG_WARNING, "mqtt_publish_failed", mosquitto_strerror(failed));
}

static void notify(struct rs_mqtt *mqtt, struct rs_str device, const struct rs_notice *notice)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&message, 1024);
	rs_notice_write(notice, &message);
	if (rs_buffer_check(&message, "a notice", NULL) == RS_OK)
		publish(mqtt, device, rs_buffer_bytes(&message));
}

static void refuse(struct rs_mqtt *mqtt, struct rs_str device, const struct rs_digest *envelope,
                   const char *reason)
{
	const struct rs_notice notice = {RS_NOTICE_REFUSED, *envelope, 0, rs_str_from(reason)};
	notify(mqtt, device, &notice);
}

static void want(struct inflow *inflow)
{
	const struct rs_notice notice = {RS_NOTICE_WANTS, inflow->envelope, inflow->offset, RS_STR("")};
	inflow->asked = inflow->offset;
	notify(inflow->mqtt, rs_str_from(inflow->device), &notice);
}

static void inflow_free(struct inflow *inflow)
{
	rs_delivery_abandon(inflow->delivery);
	rs_free(inflow);
}

static void done(void *context, enum rs_code code, struct rs_bytes acknowledgement,
                 const struct rs_error *err)
{
	struct inflow *inflow = context;
	struct rs_mqtt *mqtt = inflow->mqtt;
	struct rs_str device = rs_str_from(inflow->device);
	if (code == RS_OK)
		publish(mqtt, device, acknowledgement);
	else
		refuse(mqtt, device, &inflow->envelope, err->message);
	pthread_mutex_lock(&mqtt->mutex);
	mqtt->admitting--;
	pthread_cond_broadcast(&mqtt->changed);
	pthread_mutex_unlock(&mqtt->mutex);
	inflow_free(inflow);
}

static void *work(void *context)
{
	struct rs_mqtt *mqtt = context;
	pthread_mutex_lock(&mqtt->mutex);
	while (!mqtt->ends || mqtt->whole) {
		struct inflow *inflow = mqtt->whole;
		if (!inflow) {
			pthread_cond_wait(&mqtt->changed, &mqtt->mutex);
			continue;
		}
		mqtt->whole = inflow->next;
		if (!mqtt->whole)
			mqtt->last = &mqtt->whole;
		mqtt->whole_count--;
		pthread_cond_broadcast(&mqtt->changed);
		pthread_mutex_unlock(&mqtt->mutex);
		struct rs_delivery *delivery = inflow->delivery;
		inflow->delivery = NULL;
		rs_delivery_end(delivery, done, inflow);
		pthread_mutex_lock(&mqtt->mutex);
	}
	pthread_mutex_unlock(&mqtt->mutex);
	return NULL;
}

/* To the workers; waits while they have enough. */
static void hand_over(struct inflow *inflow)
{
	struct rs_mqtt *mqtt = inflow->mqtt;
	inflow->next = NULL;
	pthread_mutex_lock(&mqtt->mutex);
	while (mqtt->whole_count >= WHOLE_MAX)
		pthread_cond_wait(&mqtt->changed, &mqtt->mutex);
	*mqtt->last = inflow;
	mqtt->last = &inflow->next;
	mqtt->whole_count++;
	mqtt->admitting++;
	pthread_cond_broadcast(&mqtt->changed);
	pthread_mutex_unlock(&mqtt->mutex);
}

static struct inflow **find_open(struct rs_mqtt *mqtt, struct rs_str device, const struct rs_digest *envelope)
{
	struct inflow **at = &mqtt->open;
	while (*at &&
	       !(rs_digest_equal(&(*at)->envelope, envelope) && rs_str_equal_text(device, (*at)->device)))
		at = &(*at)->next;
	return at;
}

static struct inflow *take_out(struct rs_mqtt *mqtt, struct inflow **at)
{
	struct inflow *inflow = *at;
	*at = inflow->next;
	mqtt->open_count--;
	return inflow;
}

/* Devices that went away send again from the beginning. */
static void forget_idle(struct rs_mqtt *mqtt)
{
	uint64_t now = now_ns();
	for (struct inflow **at = &mqtt->open; *at;)
		if (now - (*at)->touched_ns > IDLE_NS)
			inflow_free(take_out(mqtt, at));
		else
			at = &(*at)->next;
}

static enum rs_code begin(struct rs_mqtt *mqtt, struct rs_str device, struct rs_bytes message,
                          const struct rs_digest *digest, struct inflow **out, struct rs_error *err)
{
	if (mqtt->open_count >= OPEN_MAX)
		return rs_error_set(err, RS_BUSY, "the node receives %d data sets already", OPEN_MAX);
	struct inflow *inflow = rs_allocate(sizeof *inflow);
	if (!inflow)
		return rs_error_memory(err, sizeof *inflow, "a delivery");
	inflow->mqtt = mqtt;
	inflow->envelope = *digest;
	inflow->asked = UINT64_MAX;
	memcpy(inflow->device, device.data, device.size);
	enum rs_code code = rs_delivery_begin(mqtt->reception, "mqtt", device, message, &inflow->delivery,
	                                      err);
	if (code != RS_OK) {
		rs_free(inflow);
		return code;
	}
	*out = inflow;
	return RS_OK;
}

static void take_envelope(struct rs_mqtt *mqtt, struct rs_str device, struct rs_bytes message)
{
	struct rs_error err = {0};
	struct rs_digest digest;
	struct inflow *inflow = NULL;
	rs_sha256(message, &digest);
	forget_idle(mqtt);
	struct inflow **at = find_open(mqtt, device, &digest);
	if (*at) {
		want(*at);
		return;
	}
	if (begin(mqtt, device, message, &digest, &inflow, &err) != RS_OK) {
		refuse(mqtt, device, &digest, err.message);
		return;
	}
	if (rs_delivery_wants(inflow->delivery) == 0) {
		hand_over(inflow);
		return;
	}
	inflow->touched_ns = now_ns();
	inflow->next = mqtt->open;
	mqtt->open = inflow;
	mqtt->open_count++;
	want(inflow);
}

/* What came before is passed over; what is missing is asked for, once. */
static void take_chunk(struct rs_mqtt *mqtt, const struct rs_topic *topic, struct rs_bytes bytes)
{
	struct inflow **at = find_open(mqtt, topic->device, &topic->envelope), *inflow = *at;
	struct rs_error err = {0};
	if (!inflow)
		return; /* of a delivery that ended, or was forgotten: its device asks */
	inflow->touched_ns = now_ns();
	if (topic->offset > inflow->offset) {
		inflow->has_missed = true;
		if (inflow->asked != inflow->offset)
			want(inflow);
		return;
	}
	uint64_t known = inflow->offset - topic->offset;
	if (known >= bytes.size)
		return;
	bytes = rs_bytes_of(bytes.data + known, bytes.size - (size_t)known);
	if (rs_delivery_add(inflow->delivery, bytes, &err) != RS_OK) {
		refuse(mqtt, topic->device, &topic->envelope, err.message);
		inflow_free(take_out(mqtt, at));
		return;
	}
	inflow->offset += bytes.size;
	if (rs_delivery_wants(inflow->delivery) == 0) {
		hand_over(take_out(mqtt, at));
	} else if (inflow->has_missed) {
		inflow->has_missed = false;
		want(inflow);
	}
}

static void on_message(struct mosquitto *client RS_UNUSED, void *context,
                       const struct mosquitto_message *message)
{
	struct rs_mqtt *mqtt = context;
	struct rs_bytes payload = rs_bytes_of(message->payload,
	                                      message->payloadlen > 0 ? (size_t)message->payloadlen : 0);
	struct rs_topic topic;
	if (atomic_load(&mqtt->closing))
		return;
	if (!rs_topic_parse(message->topic, &topic) || topic.kind == RS_TOPIC_RECEIPT || payload.size == 0 ||
	    payload.size > (topic.kind == RS_TOPIC_CHUNK ? RS_MQTT_CHUNK_MAX : RS_MANIFEST_SIZE_MAX)) {
		say(mqtt, RS_LOG_WARNING, "mqtt_message_refused", "its topic or size is none of radseal's");
		return;
	}
	if (topic.kind == RS_TOPIC_ENVELOPE)
		take_envelope(mqtt, topic.device, payload);
	else
		take_chunk(mqtt, &topic, payload);
}

static void on_connect(struct mosquitto *client, void *context, int failed)
{
	static const char *const topics[] = {RS_MQTT_PREFIX "+/envelope", RS_MQTT_PREFIX "+/chunk/+/+"};
	const struct rs_mqtt *mqtt = context;
	if (mqtt->is_connected)
		atomic_store(mqtt->is_connected, !failed);
	if (failed) {
		say(mqtt, RS_LOG_WARNING, "mqtt_refused", mosquitto_connack_string(failed));
		return;
	}
	for (size_t i = 0; i < RS_COUNT(topics); i++)
		(void)mosquitto_subscribe(client, NULL, topics[i], QOS);
	say(mqtt, RS_LOG_INFO, "mqtt_connected", "");
}

static void on_disconnect(struct mosquitto *client RS_UNUSED, void *context, int reason)
{
	const struct rs_mqtt *mqtt = context;
	if (mqtt->is_connected)
		atomic_store(mqtt->is_connected, false);
	if (reason)
		say(mqtt, RS_LOG_WARNING, "mqtt_disconnected", mosquitto_strerror(reason));
}

/* "host:port", an IPv6 address in brackets. */
static enum rs_code split_address(const char *address, char host[static HOST_SIZE], int *out_port,
                                  struct rs_error *err)
{
	const char *colon = strrchr(address, ':');
	uint64_t port = 0;
	size_t size = colon ? (size_t)(colon - address) : 0;
	bool bracketed = size > 2 && address[0] == '[' && address[size - 1] == ']';
	if (!colon || size == 0 || size >= HOST_SIZE || !rs_parse_u64(rs_str_from(colon + 1), &port) ||
	    port == 0 || port > UINT16_MAX)
		return rs_error_set(err, RS_USAGE, "'%s' is no HOST:PORT of a broker", address);
	(void)snprintf(host, HOST_SIZE, "%.*s", (int)(bracketed ? size - 2 : size),
	               bracketed ? address + 1 : address);
	*out_port = (int)port;
	return RS_OK;
}

static enum rs_code set_tls(struct rs_mqtt *mqtt, const struct rs_mqtt_options *options, const char *host,
                            struct rs_error *err)
{
	bool loopback = strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	                strcmp(host, "::1") == 0;
	if (!options->certificate && !options->key && !options->authorities && loopback)
		return RS_OK;
	if (!options->certificate || !options->key || !options->authorities)
		return rs_error_set(
			err, RS_USAGE,
			"MQTT: a broker is spoken to with a certificate, its key and the authorities "
			"of the broker's");
	int failed = mosquitto_tls_set(mqtt->client, options->authorities, NULL, options->certificate,
	                               options->key, NULL);
	if (failed == MOSQ_ERR_SUCCESS)
		failed = mosquitto_tls_opts_set(mqtt->client, 1, "tlsv1.3", NULL);
	return failed == MOSQ_ERR_SUCCESS
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE,
	                              "MQTT: the certificate, key or authorities cannot be used: %s",
	                              mosquitto_strerror(failed));
}

/* Until it is closed. Less is awaited after a failure than a device waits before it sends again. */
static void pause_for(struct rs_mqtt *mqtt, unsigned seconds)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)seconds;
	pthread_mutex_lock(&mqtt->mutex);
	while (!atomic_load(&mqtt->closing) &&
	       pthread_cond_timedwait(&mqtt->changed, &mqtt->mutex, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&mqtt->mutex);
}

/* The library's own loop ends for good when TLS is cut off: it is begun anew here. */
static void *receive(void *context)
{
	struct rs_mqtt *mqtt = context;
	for (unsigned seconds = RECONNECT_S; !atomic_load(&mqtt->closing);) {
		int failed = mosquitto_connect(mqtt->client, mqtt->host, mqtt->port, KEEPALIVE_S);
		if (failed == MOSQ_ERR_SUCCESS) {
			seconds = RECONNECT_S;
			do
				failed = mosquitto_loop(mqtt->client, LOOP_MS, 1);
			while (failed == MOSQ_ERR_SUCCESS);
		} else {
			say(mqtt, RS_LOG_WARNING, "mqtt_unreachable",
			    failed == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(failed));
		}
		pause_for(mqtt, seconds);
		seconds = seconds < RECONNECT_MAX_S / 2 ? 2 * seconds : RECONNECT_MAX_S;
	}
	return NULL;
}

static enum rs_code meet_broker(struct rs_mqtt *mqtt, const struct rs_mqtt_options *options,
                                struct rs_error *err)
{
	RS_TRY(split_address(options->address, mqtt->host, &mqtt->port, err));
	mqtt->client = mosquitto_new(RS_MQTT_NODE, false, mqtt);
	if (!mqtt->client)
		return rs_error_errno(err, errno, "MQTT");
	(void)mosquitto_threaded_set(mqtt->client, true);
	RS_TRY(set_tls(mqtt, options, mqtt->host, err));
	mosquitto_connect_callback_set(mqtt->client, on_connect);
	mosquitto_disconnect_callback_set(mqtt->client, on_disconnect);
	mosquitto_message_callback_set(mqtt->client, on_message);
	int failed = pthread_create(&mqtt->receiver, NULL, receive, mqtt);
	mqtt->has_receiver = failed == 0;
	return failed ? rs_error_errno(err, failed, "a thread cannot be started") : RS_OK;
}

static enum rs_code start_workers(struct rs_mqtt *mqtt, struct rs_error *err)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		int failed = pthread_create(&mqtt->workers[i], NULL, work, mqtt);
		if (failed)
			return rs_error_errno(err, failed, "a thread cannot be started");
		mqtt->worker_count++;
	}
	return RS_OK;
}

enum rs_code rs_mqtt_open(const struct rs_mqtt_options *options, struct rs_reception *reception,
                          struct rs_mqtt **out, struct rs_error *err)
{
	struct rs_mqtt *mqtt = rs_allocate(sizeof *mqtt);
	if (!mqtt)
		return rs_error_memory(err, sizeof *mqtt, "MQTT");
	mqtt->reception = reception;
	mqtt->log = options->log;
	mqtt->is_connected = options->is_connected;
	mqtt->last = &mqtt->whole;
	pthread_mutex_init(&mqtt->mutex, NULL);
	pthread_cond_init(&mqtt->changed, NULL);
	(void)mosquitto_lib_init();
	enum rs_code code = start_workers(mqtt, err);
	if (code == RS_OK)
		code = meet_broker(mqtt, options, err);
	if (code != RS_OK) {
		rs_mqtt_close(mqtt);
		return code;
	}
	*out = mqtt;
	return RS_OK;
}

void rs_mqtt_close(struct rs_mqtt *mqtt)
{
	if (!mqtt)
		return;
	atomic_store(&mqtt->closing, true);
	pthread_mutex_lock(&mqtt->mutex);
	while (mqtt->admitting > 0)
		pthread_cond_wait(&mqtt->changed, &mqtt->mutex);
	pthread_mutex_unlock(&mqtt->mutex);
	pthread_mutex_lock(&mqtt->mutex);
	mqtt->ends = true;
	pthread_cond_broadcast(&mqtt->changed);
	pthread_mutex_unlock(&mqtt->mutex);
	if (mqtt->has_receiver) {
		(void)mosquitto_disconnect(mqtt->client);
		pthread_join(mqtt->receiver, NULL);
	}
	for (unsigned i = 0; i < mqtt->worker_count; i++)
		pthread_join(mqtt->workers[i], NULL);
	while (mqtt->open)
		inflow_free(take_out(mqtt, &mqtt->open));
	mosquitto_destroy(mqtt->client);
	(void)mosquitto_lib_cleanup();
	pthread_cond_destroy(&mqtt->changed);
	pthread_mutex_destroy(&mqtt->mutex);
	rs_free(mqtt);
}
