/* Over HTTP (envelope/envelope_http.h): one item after another; each request is signed, and answered with the node's
 * acknowledgement or where it wants the data set from. While the node makes one item durable the next one goes over another
 * connection. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "envelope/envelope_http.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "envelope/envelope_mqtt.h"
#include "wire.h"

#define CHUNK ((size_t)1 << 20)
#define TIMEOUT_MS 60000
#define LINES 6
#define REQUESTS 64 /* between two looks at the directory */
#define MEDIA "application/octet-stream"
#define HEAD_MAX ((size_t)4096)
#define ADDRESS_SIZE 320
#define LIMITED_MS 20

struct line {
	struct wire *wire; /* NULL: not connected */
	struct item *item; /* whose acknowledgement is awaited there; NULL: none */
};

struct http {
	struct transport transport;
	char address[ADDRESS_SIZE], host[ADDRESS_SIZE]; /* host: the address as the field Host has it */
	bool is_tls, is_connected;
	struct line lines[LINES];
	size_t turn; /* of the lines: who sends next */
	unsigned failures;
	uint64_t retry_ns;
	int64_t ahead_ms;     /* of the node's clock, as far as the node minds */
	struct rs_file *file; /* of the item that is being sent */
	uint64_t file_number;
	uint8_t *chunk;
};

/* What is signed of a request. */
struct parts {
	const char *method, *host, *target, *digest;
};

static struct rs_str field(const void *context, const char *name)
{
	const struct parts *parts = context;
	if (strcmp(name, "content-digest") == 0)
		return rs_str_from(parts->digest);
	return strcmp(name, "content-type") == 0 ? RS_STR(MEDIA) : (struct rs_str){NULL, 0};
}

static enum rs_code write_head(const struct http *http, const struct parts *parts, size_t size,
                               struct rs_buffer *out, struct rs_error *err)
{
	static const char *const covered[] = RS_HTTP_COVERED;
	const struct agent *agent = http->transport.agent;
	const struct rs_http_message message = {.method = rs_str_from(parts->method),
	                                        .authority = rs_str_from(parts->host),
	                                        .target = rs_str_from(parts->target),
	                                        .field = field,
	                                        .context = parts};
	uint64_t now_ms = rs_world_now_ms(agent->world) + (uint64_t)http->ahead_ms;
	struct rs_buffer input RS_CLEANUP(rs_buffer_finish) = {0},
			       signature RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&input, HEAD_MAX);
	rs_buffer_init(&signature, HEAD_MAX);
	RS_TRY(rs_http_sign(&message, covered, RS_COUNT(covered), now_ms / 1000, agent->options->signer,
	                    &input, &signature, err));
	rs_buffer_printf(out,
	                 "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: " MEDIA
	                 "\r\nContent-Length: %zu\r\nContent-Digest: %s\r\nSignature-Input: " RS_STR_FORMAT
	                 "\r\nSignature: " RS_STR_FORMAT "\r\n\r\n",
	                 parts->method, parts->target, parts->host, size, parts->digest,
	                 RS_STR_ARGUMENTS(rs_buffer_str(&input)),
	                 RS_STR_ARGUMENTS(rs_buffer_str(&signature)));
	return rs_buffer_check(out, "a request", err);
}

static void disconnect(struct http *http)
{
	for (size_t i = 0; i < LINES; i++) {
		wire_close(http->lines[i].wire);
		http->lines[i] = (struct line){NULL, NULL};
	}
	http->is_connected = false;
}

/* The connection is over: the node tells where items were. */
static void lost(struct http *http, const char *reason)
{
	struct agent *agent = http->transport.agent;
	agent_say(agent, RS_LOG_WARNING, http->is_connected ? "disconnected" : "unreachable", http->address,
	          reason);
	disconnect(http);
	http->retry_ns = agent_now_ns(agent) + agent_back_off_ns(agent, http->failures++);
	for (struct item *item = agent->queue.items; item; item = item->next)
		item->state = ITEM_WAITS;
}

static enum rs_code meet(struct http *http, struct line *line, struct rs_error *err)
{
	const struct rs_edge_options *options = http->transport.agent->options;
	const struct wire_options wire = {http->address, http->is_tls,         options->certificate,
	                                  options->key,  options->authorities, TIMEOUT_MS};
	return line->wire ? RS_OK : wire_open(&wire, &line->wire, err);
}

/* False when it did not go. */
static bool send_request(struct http *http, struct line *line, const char *method, const char *target,
                         struct rs_bytes body)
{
	struct rs_buffer head RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest;
	struct rs_error err = {0};
	char said[RS_CONTENT_DIGEST_SIZE];
	rs_sha256(body, &digest);
	rs_content_digest_format(&digest, said);
	const struct parts parts = {method, http->host, target, said};
	rs_buffer_init(&head, HEAD_MAX);
	bool sent = write_head(http, &parts, body.size, &head, &err) == RS_OK &&
	            meet(http, line, &err) == RS_OK &&
	            wire_send(line->wire, rs_buffer_bytes(&head), body, &err) == RS_OK;
	if (!sent)
		lost(http, err.message);
	return sent;
}

/* False when nobody answered. */
static bool receive_answer(struct http *http, struct line *line, struct wire_answer *out)
{
	struct rs_error err = {0};
	if (wire_receive(line->wire, out, &err) != RS_OK) {
		lost(http, err.message);
		return false;
	}
	if (!http->is_connected)
		agent_say(http->transport.agent, RS_LOG_INFO, "connected", "", "");
	http->is_connected = true;
	return true;
}

static uint64_t length_of(const struct item *item) { return item->size - item->data_offset; }

/* The problem's sentence (RFC 9457), as it is printed. */
static void say_refused(struct http *http, const struct wire_answer *answer)
{
	static const char key[] = "\"detail\":\"";
	char reason[RS_ERROR_MESSAGE_SIZE];
	const char *at = answer->body.size ? memmem(answer->body.data, answer->body.size, key, sizeof key - 1)
	                                   : NULL;
	const char *end = (const char *)answer->body.data + answer->body.size;
	size_t size = 0;
	for (at = at ? at + sizeof key - 1 : end; at + size < end && at[size] != '"'; size++)
		;
	(void)snprintf(reason, sizeof reason, "HTTP %u %.*s", answer->status, (int)size, at);
	agent_say(http->transport.agent, RS_LOG_WARNING, "refused", "", reason);
}

static void put_off(struct http *http, struct item *item)
{
	const struct agent *agent = http->transport.agent;
	item->state = ITEM_WAITS;
	item->due_ns = agent_now_ns(agent) + agent_back_off_ns(agent, item->failures++);
}

/* Another status than success. Who is not believed at all need not try others of its items. */
static void take_refusal(struct http *http, struct item *item, const struct wire_answer *answer)
{
	struct agent *agent = http->transport.agent;
	uint64_t now_ms = rs_world_now_ms(agent->world);
	int64_t ahead_ms = answer->date_ms ? (int64_t)answer->date_ms - (int64_t)now_ms : 0;
	if (answer->status == 404 && item->state != ITEM_WAITS && item->failures == 0) {
		item->failures++;
		item->state = ITEM_WAITS; /* it was forgotten: from the beginning */
		return;
	}
	say_refused(http, answer);
	put_off(http, item);
	if (answer->status != 401)
		return;
	http->retry_ns = agent_now_ns(agent) + agent_back_off_ns(agent, http->failures++);
	/* A clock that is wrong signs with the node's; what the envelope says of its own stays. */
	if (answer->date_ms && (ahead_ms - http->ahead_ms > 1500 || http->ahead_ms - ahead_ms > 1500)) {
		http->ahead_ms = ahead_ms;
		http->retry_ns = item->due_ns = 0;
	}
}

static enum rs_code take_answer(struct http *http, struct item *item, const struct wire_answer *answer,
                                struct rs_error *err)
{
	struct agent *agent = http->transport.agent;
	struct rs_acknowledgement acknowledgement;
	struct rs_notice notice;
	struct rs_error why = {0};
	if (answer->status != 200) {
		take_refusal(http, item, answer);
		return RS_OK;
	}
	http->failures = 0;
	if (rs_notice_read(answer->body, &notice, NULL) == RS_OK) {
		bool begins = item->state == ITEM_WAITS;
		if (notice.kind != RS_NOTICE_WANTS || !rs_digest_equal(&notice.envelope, &item->digest) ||
		    notice.offset >= length_of(item) || (!begins && notice.offset <= item->sent)) {
			agent_say(agent, RS_LOG_WARNING, "answer_refused", "",
			          "it asks for what cannot be sent");
			put_off(http, item);
			return RS_OK;
		}
		item->state = ITEM_SENDING;
		item->sent = notice.offset;
		return RS_OK;
	}
	if (rs_acknowledgement_verify(answer->body, agent->options->node.bytes, &acknowledgement, &why) !=
	            RS_OK ||
	    acknowledgement.outcome == RS_ACKNOWLEDGED_REFUSED ||
	    !rs_digest_equal(&acknowledgement.envelope, &item->digest)) {
		agent_say(agent, RS_LOG_WARNING, "acknowledgement_refused", "", why.message);
		put_off(http, item);
		return RS_OK;
	}
	return agent_settle(agent, item, acknowledgement.outcome, length_of(item), answer->body, err);
}

static enum rs_code open_data(struct http *http, const struct item *item, struct rs_error *err)
{
	const struct agent *agent = http->transport.agent;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	if (http->file && http->file_number == item->number)
		return RS_OK;
	rs_file_close(http->file);
	http->file = NULL;
	RS_TRY(queue_data_path(&agent->queue, item, &path, err));
	RS_TRY(rs_file_open(agent->world, path, RS_OPEN_READ, &http->file, err));
	http->file_number = item->number;
	return RS_OK;
}

static enum rs_code collect(struct http *http, struct line *line, struct rs_error *err)
{
	struct item *item = line->item;
	struct wire_answer answer;
	line->item = NULL;
	if (!receive_answer(http, line, &answer))
		return RS_OK;
	enum rs_code code = take_answer(http, item, &answer, err);
	if (answer.closes) {
		wire_close(line->wire);
		line->wire = NULL;
	}
	return code;
}

/* is_last: what is answered is the item's end, which takes until it is durable. */
static enum rs_code exchange(struct http *http, struct item *item, const char *method, const char *target,
                             struct rs_bytes body, bool is_last, struct rs_error *err)
{
	struct line *line = &http->lines[http->turn];
	if (!send_request(http, line, method, target, body))
		return RS_OK;
	line->item = item;
	if (!is_last)
		return collect(http, line, err);
	item->state = ITEM_SENT;
	http->turn = (http->turn + 1) % LINES;
	return RS_OK;
}

/* *out_waits: the rate is used up. */
static enum rs_code send_chunk(struct http *http, struct item *item, bool *out_waits, struct rs_error *err)
{
	struct agent *agent = http->transport.agent;
	uint64_t left = length_of(item) - item->sent;
	size_t size = left < CHUNK ? (size_t)left : CHUNK, got;
	char hex[2 * RS_SHA256_SIZE + 1], target[160];
	*out_waits = agent_allow(agent, size) == 0;
	if (*out_waits)
		return RS_OK;
	RS_TRY(open_data(http, item, err));
	RS_TRY(rs_file_read_at(http->file, item->data_offset + item->sent, http->chunk, size, &got, err));
	if (got != size)
		return rs_error_set(err, RS_ALTERED, "a file of the queue is cut off");
	rs_hex_encode(rs_bytes_of(item->digest.bytes, RS_SHA256_SIZE), hex);
	(void)snprintf(target, sizeof target, RS_HTTP_ENVELOPES "/%s?offset=%llu", hex,
	               (unsigned long long)item->sent);
	return exchange(http, item, "PUT", target, rs_bytes_of(http->chunk, size), size == left, err);
}

static enum rs_code send_envelope(struct http *http, struct item *item, struct rs_error *err)
{
	struct rs_buffer envelope RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(queue_envelope(&http->transport.agent->queue, item, &envelope, err));
	return exchange(http, item, "POST", RS_HTTP_ENVELOPES, rs_buffer_bytes(&envelope),
	                length_of(item) == 0, err);
}

/* What can be sent now; NULL when nothing can. */
static struct item *next_item(const struct http *http)
{
	const struct agent *agent = http->transport.agent;
	uint64_t now = agent_now_ns(agent);
	struct item *item = now < http->retry_ns ? NULL : agent->queue.items;
	while (item && (item->state == ITEM_SENT || (item->state == ITEM_WAITS && item->due_ns > now)))
		item = item->next;
	return item;
}

/* The line that waits longest for its answer; NULL when none does. */
static struct line *oldest(struct http *http)
{
	for (size_t i = 0; i < LINES; i++)
		if (http->lines[(http->turn + i) % LINES].item)
			return &http->lines[(http->turn + i) % LINES];
	return NULL;
}

static enum rs_code step(struct transport *transport, int wake, int wait_ms, struct rs_error *err)
{
	struct http *http = (struct http *)transport;
	const struct agent *agent = transport->agent;
	struct pollfd polled = {.fd = wake, .events = POLLIN};
	bool waits = false;
	for (int i = 0; i < REQUESTS && !*agent->stop && !waits; i++) {
		if (http->lines[http->turn].item)
			RS_TRY(collect(http, &http->lines[http->turn], err));
		struct item *item = next_item(http);
		struct line *line = item ? NULL : oldest(http);
		if (line) {
			RS_TRY(collect(http, line, err));
		} else if (!item) {
			(void)poll(&polled, 1, i ? 0 : wait_ms);
			return RS_OK;
		} else {
			RS_TRY(item->state == ITEM_WAITS ? send_envelope(http, item, err)
			                                 : send_chunk(http, item, &waits, err));
		}
	}
	if (waits)
		(void)poll(&polled, 1, LIMITED_MS);
	return RS_OK;
}

static void close_http(struct transport *transport)
{
	struct http *http = (struct http *)transport;
	disconnect(http);
	rs_file_close(http->file);
	rs_free(http->chunk);
	rs_free(http);
}

/* Without the port that everybody assumes (RFC 9421 section 2.2.3). */
static void write_host(struct http *http)
{
	const char *usual = http->is_tls ? ":443" : ":80";
	struct rs_str host = rs_str_from(http->address);
	if (rs_str_ends_with(host, usual))
		host.size -= strlen(usual);
	(void)snprintf(http->host, sizeof http->host, RS_STR_FORMAT, RS_STR_ARGUMENTS(host));
}

static enum rs_code open_http(struct agent *agent, const char *address, bool is_tls, struct transport **out,
                              struct rs_error *err)
{
	if (!strchr(address, ':') || strpbrk(address, "/@ ") || strlen(address) >= ADDRESS_SIZE)
		return rs_error_set(err, RS_USAGE, "'%s' is no HOST:PORT of a node", address);
	struct http *http = rs_allocate(sizeof *http);
	uint8_t *chunk = http ? rs_allocate(CHUNK) : NULL;
	if (!chunk) {
		rs_free(http);
		return rs_error_memory(err, CHUNK, "HTTP");
	}
	http->transport = (struct transport){&transport_http, agent};
	http->chunk = chunk;
	http->is_tls = is_tls;
	(void)snprintf(http->address, sizeof http->address, "%s", address);
	write_host(http);
	*out = &http->transport;
	return RS_OK;
}

const struct transport_type transport_http = {open_http, step, close_http};
