/* Waiting for a socket that does not wait. */
#include "held.h"

#include <poll.h>

#define SLICE_MS 200
#define STALLED_S 30 /* no byte is taken for so long, or for as long as an association may be silent */
#define READS_MAX 64 /* who sends without end is not listened to for ever */
#define READ_SIZE ((size_t)16 * 1024)

enum rs_code held_begin(struct connection *connection, uint16_t request, struct held *out,
                        struct rs_error *err)
{
	*out = (struct held){.connection = connection, .request = request, .message = connection->reports};
	rs_buffer_init(&out->got, CHUNK_SIZE);
	rs_buffer_append_bytes(&out->got, rs_buffer_bytes(&connection->rest));
	rs_buffer_clear(&connection->rest);
	return rs_buffer_check(&out->got, "a connection", err);
}

void held_end(struct held *held)
{
	struct connection *connection = held->connection;
	rs_buffer_append(&connection->rest, held->got.data + held->at, held->got.size - held->at);
	connection->reports = held->message;
	rs_buffer_finish(&held->got);
}

static enum rs_code lost(const char *why, struct rs_error *err)
{
	return rs_error_set(err, RS_IO, "%s", why);
}

/* Until the socket is ready for reading or writing. */
static enum rs_code wait_for(struct held *held, bool writes, uint64_t until_ns, struct rs_error *err)
{
	struct connection *connection = held->connection;
	const struct rs_clock *clock = connection->service->world->clock;
	struct pollfd polled = {.fd = connection->transport.socket, .events = writes ? POLLOUT : POLLIN};
	for (;;) {
		if (atomic_load(&connection->service->ending))
			return lost("the server stops", err);
		if (clock->monotonic_ns(clock) > until_ns)
			return lost(writes ? "the peer does not take what it asked for"
			                   : "the peer was silent for too long",
			            err);
		int ready = poll(&polled, 1, SLICE_MS);
		if (ready > 0)
			return RS_OK;
	}
}

static uint64_t in_seconds(const struct held *held, unsigned seconds)
{
	const struct rs_clock *clock = held->connection->service->world->clock;
	return clock->monotonic_ns(clock) + (uint64_t)seconds * 1000000000;
}

enum rs_code held_flush(struct held *held, struct rs_error *err)
{
	struct transport *transport = &held->connection->transport;
	struct rs_buffer *out = rs_association_out(held->connection->association);
	const unsigned idle_s = held->connection->service->options->idle_s;
	for (size_t done = 0; done < out->size;) {
		size_t sent;
		enum moved moved = transport_write(transport, rs_bytes_of(out->data + done, out->size - done),
		                                   &sent);
		if (moved == MOVED_END)
			return lost("the connection was lost", err);
		if (moved == MOVED_SOME)
			done += sent;
		else
			RS_TRY(wait_for(held, !transport->tls || transport->awaits_write,
			                in_seconds(held, idle_s < STALLED_S ? idle_s : STALLED_S), err));
	}
	rs_buffer_clear(out);
	return RS_OK;
}

/* More bytes into `got`, which is empty then. */
static enum rs_code receive(struct held *held, bool *out_some, struct rs_error *err)
{
	size_t got;
	rs_buffer_clear(&held->got);
	held->at = 0;
	*out_some = false;
	if (rs_buffer_reserve(&held->got, READ_SIZE) != RS_OK)
		return rs_error_memory(err, READ_SIZE, "a connection");
	switch (transport_read(&held->connection->transport, held->got.data, READ_SIZE, &got)) {
	case MOVED_SOME:
		held->got.size = got;
		*out_some = true;
		return RS_OK;
	case MOVED_NOTHING: return RS_OK;
	default: return lost("the connection was lost", err);
	}
}

static enum rs_code take_event(struct held *held, const struct rs_event *event, struct rs_error *err)
{
	const struct rs_command *command = event->command;
	if (event->kind == RS_EVENT_ABORTED)
		return rs_error_set(err, RS_REFUSED, "aborted by the peer");
	if (event->kind == RS_EVENT_NONE || event->kind == RS_EVENT_DATA)
		return RS_OK;
	if (event->kind != RS_EVENT_COMMAND)
		return rs_error_set(err, RS_MALFORMED, "the peer ends before it is answered");
	if (command->field == RS_C_CANCEL_RQ) {
		held->is_cancelled = held->is_cancelled || command->message == held->request;
		return RS_OK;
	}
	if (command->field != (RS_C_STORE_RQ | RS_COMMAND_RESPONSE) || command->message != held->message)
		return rs_error_set(err, RS_MALFORMED, "a request came while another is answered");
	held->response = *command;
	held->has_response = true;
	return RS_OK;
}

static enum rs_code take(struct held *held, struct rs_error *err)
{
	while (held->at < held->got.size) {
		struct rs_event event;
		size_t used;
		RS_TRY(rs_association_take(held->connection->association,
		                           rs_bytes_of(held->got.data + held->at, held->got.size - held->at),
		                           &used, &event, err));
		held->at += used;
		RS_TRY(take_event(held, &event, err));
	}
	return RS_OK;
}

enum rs_code held_look(struct held *held, struct rs_error *err)
{
	bool some = true;
	for (int reads = 0; some && reads < READS_MAX; reads++) {
		RS_TRY(take(held, err));
		RS_TRY(receive(held, &some, err));
	}
	return take(held, err);
}

static enum rs_code flush(void *context, struct rs_error *err) { return held_flush(context, err); }

static enum rs_code answer(void *context, struct rs_command *out, struct rs_error *err)
{
	struct held *held = context;
	const struct transport *transport = &held->connection->transport;
	const uint64_t until = in_seconds(held, held->connection->service->options->idle_s);
	held->has_response = false;
	RS_TRY(held_flush(held, err));
	for (;;) {
		RS_TRY(held_look(held, err));
		if (held->has_response) {
			*out = held->response;
			return RS_OK;
		}
		RS_TRY(wait_for(held, transport->awaits_write, until, err));
	}
}

struct link held_link(struct held *held)
{
	return (struct link){held->connection->association, true, &held->message, flush, answer, held};
}
