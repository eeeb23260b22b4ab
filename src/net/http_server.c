/* A server of one thread: poll() over its connections, each a buffer in and a buffer out. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_http.h"
#include "net/net_socket.h"

#define CONNECTIONS_MAX 64
#define PATIENCE_NS ((uint64_t)10000000000)
#define POLL_MS 200 /* how late a stop is noticed */

struct connection {
	int socket;
	struct rs_buffer in, out;
	size_t sent;
	bool closing;
	uint64_t deadline_ns;
};

struct rs_http_server {
	int socket;
	unsigned port;
	struct connection connections[CONNECTIONS_MAX];
	size_t count;
};

static uint64_t now_ns(void)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	return clock->monotonic_ns(clock);
}

enum rs_code rs_http_server_open(const char *address, struct rs_http_server **out, struct rs_error *err)
{
	struct rs_http_server *server = rs_allocate(sizeof *server);
	if (!server)
		return rs_error_memory(err, sizeof *server, "a server");
	enum rs_code code = rs_socket_listen(address, &server->socket, err);
	if (code != RS_OK) {
		rs_free(server);
		return code;
	}
	server->port = rs_socket_port(server->socket);
	*out = server;
	return RS_OK;
}

unsigned rs_http_server_port(const struct rs_http_server *server) { return server->port; }

static void drop(struct rs_http_server *server, size_t index)
{
	struct connection *connection = &server->connections[index];
	close(connection->socket);
	rs_buffer_finish(&connection->in);
	rs_buffer_finish(&connection->out);
	*connection = server->connections[--server->count];
}

void rs_http_server_close(struct rs_http_server *server)
{
	if (!server)
		return;
	while (server->count)
		drop(server, server->count - 1);
	close(server->socket);
	rs_free(server);
}

static void accept_one(struct rs_http_server *server)
{
	int socket = accept(server->socket, NULL, NULL);
	if (socket < 0)
		return;
	if (server->count == CONNECTIONS_MAX || fcntl(socket, F_SETFL, O_NONBLOCK) != 0) {
		close(socket);
		return;
	}
	struct connection *connection = &server->connections[server->count++];
	*connection = (struct connection){.socket = socket, .deadline_ns = now_ns() + PATIENCE_NS};
	rs_buffer_init(&connection->in, RS_HTTP_HEAD_MAX + RS_HTTP_BODY_MAX + 4096);
	rs_buffer_init(&connection->out, RS_HTTP_HEAD_MAX + RS_HTTP_ANSWER_MAX);
}

static void write_answer(struct connection *connection, const struct rs_http_answer *answer)
{
	rs_buffer_printf(&connection->out,
	                 "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
	                 answer->status, answer->status == 200 ? "OK" : "Refused", answer->media,
	                 answer->body.size, connection->closing ? "Connection: close\r\n" : "");
	rs_buffer_append_bytes(&connection->out, rs_buffer_bytes(&answer->body));
}

static unsigned status_of(enum rs_code code)
{
	return code == RS_TOO_LARGE ? 413 : code == RS_UNSUPPORTED ? 501 : code == RS_MALFORMED ? 400 : 500;
}

/* Answers every whole request that was received. */
static void answer_requests(struct connection *connection, rs_http_handle *handle, void *context)
{
	for (size_t used = 1; used > 0 && !connection->closing;) {
		struct rs_http_request request;
		struct rs_http_answer answer = {.media = "text/plain; charset=utf-8"};
		struct rs_error err = {.code = RS_OK};
		rs_buffer_init(&answer.body, RS_HTTP_ANSWER_MAX);
		enum rs_code code = rs_http_parse_request(rs_buffer_bytes(&connection->in), &request, &used,
		                                          &err);
		connection->closing = code != RS_OK || (used > 0 && !request.keep_alive);
		if (code == RS_OK && used > 0)
			code = handle(context, &request, &answer, &err);
		if (code != RS_OK) {
			answer.status = status_of(code);
			answer.media = "text/plain; charset=utf-8";
			rs_buffer_clear(&answer.body);
			rs_buffer_printf(&answer.body, "%s\n",
			                 answer.status == 500 ? "it failed" : err.message);
		}
		if (code != RS_OK || used > 0)
			write_answer(connection, &answer);
		rs_buffer_finish(&answer.body);
		memmove(connection->in.data, connection->in.data + used, connection->in.size - used);
		connection->in.size -= used;
	}
}

/* False when the connection is over. */
static bool receive(struct connection *connection, rs_http_handle *handle, void *context)
{
	uint8_t chunk[16384];
	ssize_t size = recv(connection->socket, chunk, sizeof chunk, 0);
	if (size <= 0)
		return size < 0 && (errno == EAGAIN || errno == EINTR);
	if (connection->closing)
		return true; /* nobody waits for an answer to this */
	if (rs_buffer_append(&connection->in, chunk, (size_t)size) != RS_OK)
		return false;
	answer_requests(connection, handle, context);
	return connection->out.failed == RS_OK;
}

static bool send_some(struct connection *connection)
{
	size_t left = connection->out.size - connection->sent;
	ssize_t size = send(connection->socket, connection->out.data + connection->sent, left, MSG_NOSIGNAL);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	connection->sent += (size_t)size;
	if (connection->sent < connection->out.size)
		return true;
	rs_buffer_clear(&connection->out);
	connection->sent = 0;
	connection->deadline_ns = now_ns() + PATIENCE_NS;
	return !connection->closing;
}

static bool serve(struct connection *connection, short events, rs_http_handle *handle, void *context)
{
	if ((events & (POLLIN | POLLHUP | POLLERR)) && !receive(connection, handle, context))
		return false;
	if (connection->out.size > 0 && !send_some(connection))
		return false;
	return now_ns() < connection->deadline_ns;
}

enum rs_code rs_http_server_run(struct rs_http_server *server, const volatile sig_atomic_t *stop,
                                rs_http_handle *handle, void *context, struct rs_error *err)
{
	while (!*stop) {
		struct pollfd polled[1 + CONNECTIONS_MAX] = {{.fd = server->socket, .events = POLLIN}};
		for (size_t i = 0; i < server->count; i++)
			polled[1 + i] = (struct pollfd){
				.fd = server->connections[i].socket,
				.events = (short)(server->connections[i].out.size ? POLLOUT : POLLIN),
			};
		if (poll(polled, (nfds_t)(1 + server->count), POLL_MS) < 0 && errno != EINTR)
			return rs_error_errno(err, errno, "waiting for connections");
		for (size_t i = server->count; i-- > 0;)
			if (!serve(&server->connections[i], polled[1 + i].revents, handle, context))
				drop(server, i);
		if (polled[0].revents & POLLIN)
			accept_one(server);
	}
	return RS_OK;
}
