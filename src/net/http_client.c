/* One request, one answer, one connection. HTTP/1.0, so that no answer comes in chunks. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_http.h"
#include "net/net_socket.h"

struct url {
	struct rs_str host, address, path; /* address with the port */
	struct rs_buffer with_port;
};

static enum rs_code parse_url(const char *text, struct url *out, struct rs_error *err)
{
	struct rs_str url = rs_str_from(text);
	if (!rs_str_starts_with(url, "http://") || url.size > 1024)
		return rs_error_set(err, RS_USAGE, "'%s' is not http://host:port/path", text);
	struct rs_str rest = {url.data + 7, url.size - 7};
	size_t slash = 0;
	while (slash < rest.size && rest.data[slash] != '/')
		slash++;
	for (size_t i = 0; i < rest.size; i++)
		if ((uint8_t)rest.data[i] <= ' ' || (uint8_t)rest.data[i] >= 0x7f)
			return rs_error_set(err, RS_USAGE, "'%s' holds a character that no address has",
			                    text);
	out->host = out->address = (struct rs_str){rest.data, slash};
	out->path = (struct rs_str){rest.data + slash, rest.size - slash};
	bool is_v6 = slash > 0 && out->host.data[slash - 1] == ']';
	if (!is_v6 && memchr(out->host.data, ':', out->host.size))
		return RS_OK;
	rs_buffer_append_str(&out->with_port, out->host);
	rs_buffer_append_text(&out->with_port, ":80");
	out->address = rs_buffer_str(&out->with_port);
	return rs_buffer_check(&out->with_port, "an address", err);
}

static enum rs_code send_all(int socket, struct rs_bytes bytes, struct rs_error *err)
{
	for (size_t sent = 0; sent < bytes.size;) {
		ssize_t size = send(socket, bytes.data + sent, bytes.size - sent, MSG_NOSIGNAL);
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return rs_error_errno(err, errno == EAGAIN ? ETIMEDOUT : errno, "sending");
		sent += (size_t)size;
	}
	return RS_OK;
}

static enum rs_code receive_all(int socket, struct rs_buffer *out, struct rs_error *err)
{
	uint8_t chunk[16384];
	for (;;) {
		ssize_t size = recv(socket, chunk, sizeof chunk, 0);
		if (size == 0)
			return RS_OK;
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return rs_error_errno(err, errno == EAGAIN ? ETIMEDOUT : errno, "receiving");
		if (rs_buffer_append(out, chunk, (size_t)size) != RS_OK)
			return rs_buffer_check(out, "an answer", err);
	}
}

static void write_head(struct rs_buffer *out, const struct url *url, const struct rs_http_call *call)
{
	rs_buffer_printf(out,
	                 "POST " RS_STR_FORMAT " HTTP/1.0\r\nHost: " RS_STR_FORMAT
	                 "\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
	                 RS_STR_ARGUMENTS(url->path), RS_STR_ARGUMENTS(url->host), call->media,
	                 call->body.size);
	if (call->bearer)
		rs_buffer_printf(out, "Authorization: Bearer %s\r\n", call->bearer);
	rs_buffer_append_text(out, "\r\n");
}

static enum rs_code exchange(const struct url *url, const struct rs_http_call *call,
                             struct rs_buffer *received, struct rs_error *err)
{
	struct rs_buffer head RS_CLEANUP(rs_buffer_finish) = {0};
	int socket;
	rs_buffer_init(&head, RS_HTTP_HEAD_MAX);
	write_head(&head, url, call);
	RS_TRY(rs_buffer_check(&head, "a request", err));
	RS_TRY(rs_socket_connect(url->address, call->timeout_ms, &socket, err));
	enum rs_code code = send_all(socket, rs_buffer_bytes(&head), err);
	if (code == RS_OK)
		code = send_all(socket, call->body, err);
	if (code == RS_OK)
		code = receive_all(socket, received, err);
	close(socket);
	return code;
}

enum rs_code rs_http_call(const struct rs_http_call *call, unsigned *out_status, struct rs_buffer *out_body,
                          struct rs_error *err)
{
	struct rs_buffer received RS_CLEANUP(rs_buffer_finish) = {0};
	struct url parsed = {.host = {"", 0}};
	struct rs_bytes answer;
	rs_buffer_init(&parsed.with_port, 2048);
	rs_buffer_init(&received, RS_HTTP_HEAD_MAX + call->answer_max);
	enum rs_code code = parse_url(call->url, &parsed, err);
	if (code == RS_OK)
		code = exchange(&parsed, call, &received, err);
	rs_buffer_finish(&parsed.with_port);
	if (code == RS_OK)
		code = rs_http_parse_answer(rs_buffer_bytes(&received), out_status, &answer, err);
	if (code != RS_OK)
		return rs_error_context(err, "%s", call->url);
	rs_buffer_append_bytes(out_body, answer);
	return rs_buffer_check(out_body, "an answer", err);
}

enum rs_code rs_http_post(const char *url, struct rs_bytes body, unsigned timeout_ms, unsigned *out_status,
                          struct rs_buffer *out_body, struct rs_error *err)
{
	const struct rs_http_call call = {.url = url,
	                                  .media = "text/plain; charset=utf-8",
	                                  .body = body,
	                                  .answer_max = RS_HTTP_BODY_MAX,
	                                  .timeout_ms = timeout_ms};
	return rs_http_call(&call, out_status, out_body, err);
}
