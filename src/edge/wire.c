/* Requests and answers on a connection. Answers are small, and have a Content-Length. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_socket.h"
#include "net/net_tls.h"

#define HEAD_MAX ((size_t)8192)

struct wire {
	struct rs_tls *tls; /* NULL: the socket itself */
	int socket;
	struct rs_buffer received;
};

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	rs_tls_close(wire->tls);
	if (wire->socket >= 0)
		close(wire->socket);
	rs_buffer_finish(&wire->received);
	rs_free(wire);
}

static enum rs_code connect_to(struct wire *wire, const struct wire_options *options, struct rs_error *err)
{
	const struct rs_tls_options tls = {.address = rs_str_from(options->address),
	                                   .authorities = options->authorities,
	                                   .certificate = options->certificate,
	                                   .key = options->key,
	                                   .timeout_ms = options->timeout_ms};
	if (!options->is_tls)
		return rs_socket_connect(tls.address, options->timeout_ms, &wire->socket, err);
	RS_TRY(rs_tls_connect(&tls, &wire->tls, err));
	return rs_tls_is_v13(wire->tls)
	               ? RS_OK
	               : rs_error_set(err, RS_DENIED, "%s: it does not speak TLS 1.3", options->address);
}

enum rs_code wire_open(const struct wire_options *options, struct wire **out, struct rs_error *err)
{
	struct wire *wire = rs_allocate(sizeof *wire);
	if (!wire)
		return rs_error_memory(err, sizeof *wire, "a connection");
	wire->socket = -1;
	rs_buffer_init(&wire->received, HEAD_MAX + WIRE_BODY_MAX);
	enum rs_code code = connect_to(wire, options, err);
	if (code != RS_OK) {
		wire_close(wire);
		return code;
	}
	*out = wire;
	return RS_OK;
}

static enum rs_code send_all(struct wire *wire, struct rs_bytes bytes, struct rs_error *err)
{
	if (wire->tls)
		return rs_tls_send(wire->tls, bytes, err);
	while (bytes.size > 0) {
		ssize_t size = send(wire->socket, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return rs_error_errno(err, errno == EAGAIN ? ETIMEDOUT : errno, "sending");
		bytes = rs_bytes_of(bytes.data + size, bytes.size - (size_t)size);
	}
	return RS_OK;
}

static enum rs_code receive_some(struct wire *wire, struct rs_error *err)
{
	uint8_t chunk[2048];
	size_t got = 0;
	if (wire->tls) {
		RS_TRY(rs_tls_receive(wire->tls, chunk, sizeof chunk, &got, err));
	} else {
		ssize_t size = recv(wire->socket, chunk, sizeof chunk, 0);
		if (size < 0)
			return rs_error_errno(err, errno == EAGAIN ? ETIMEDOUT : errno, "receiving");
		got = (size_t)size;
	}
	if (got == 0)
		return rs_error_set(err, RS_IO, "the node closed the connection");
	rs_buffer_append(&wire->received, chunk, got);
	return rs_buffer_check(&wire->received, "an answer", err);
}

/* "Sat, 21 Nov 2026 21:05:07 GMT" (RFC 9110 section 5.6.7); 0 for anything else. */
static uint64_t parse_date(struct rs_str value)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[32], said[RS_TIME_TEXT_SIZE];
	uint64_t time_ms = 0;
	if (value.size != 29)
		return 0;
	memcpy(text, value.data, value.size);
	text[value.size] = '\0';
	for (unsigned month = 0; month < 12; month++)
		if (memcmp(text + 8, months + (size_t)3 * month, 3) == 0) {
			(void)snprintf(said, sizeof said,
			               "%.4s-%02u-%.2s"
			               "T%.8sZ",
			               text + 12, month + 1, text + 5, text + 17);
			(void)rs_parse_time_ms(rs_str_from(said), &time_ms);
		}
	return time_ms;
}

static bool is_named(struct rs_str line, const char *name, struct rs_str *out)
{
	size_t size = strlen(name);
	if (line.size < size ||
	    !rs_str_equal_ignoring_case((struct rs_str){line.data, size}, rs_str_from(name)))
		return false;
	*out = rs_str_trim((struct rs_str){line.data + size, line.size - size});
	return true;
}

static enum rs_code read_head(struct rs_str head, struct wire_answer *out, uint64_t *out_size,
                              struct rs_error *err)
{
	struct rs_str line, value;
	uint64_t status = 0;
	bool has_size = false;
	(void)rs_str_split(&head, '\n', &line);
	if (line.size < 12 || !rs_str_starts_with(line, "HTTP/1.1 ") ||
	    !rs_parse_u64((struct rs_str){line.data + 9, 3}, &status) || status < 200)
		return rs_error_set(err, RS_MALFORMED, "the answer is none of HTTP/1.1");
	out->status = (unsigned)status;
	while (rs_str_split(&head, '\n', &line)) {
		if (is_named(line, "Content-Length:", &value))
			has_size = rs_parse_u64(value, out_size);
		else if (is_named(line, "Date:", &value))
			out->date_ms = parse_date(value);
		else if (is_named(line, "Connection:", &value))
			out->closes = rs_str_equal_ignoring_case(value, RS_STR("close"));
	}
	if (!has_size || *out_size > WIRE_BODY_MAX)
		return rs_error_set(err, RS_MALFORMED, "the answer does not say its size, or is too large");
	return RS_OK;
}

static size_t head_size(const struct rs_buffer *received)
{
	const char *end = received->size ? memmem(received->data, received->size, "\r\n\r\n", 4) : NULL;
	return end ? (size_t)(end - (const char *)received->data) + 4 : 0;
}

enum rs_code wire_send(struct wire *wire, struct rs_bytes head, struct rs_bytes body, struct rs_error *err)
{
	rs_buffer_clear(&wire->received);
	RS_TRY(send_all(wire, head, err));
	return send_all(wire, body, err);
}

enum rs_code wire_receive(struct wire *wire, struct wire_answer *out, struct rs_error *err)
{
	struct wire_answer answer = {.status = 0};
	uint64_t size = 0;
	size_t begin;
	while ((begin = head_size(&wire->received)) == 0)
		RS_TRY(receive_some(wire, err));
	RS_TRY(read_head((struct rs_str){(const char *)wire->received.data, begin}, &answer, &size, err));
	while (wire->received.size < begin + size)
		RS_TRY(receive_some(wire, err));
	if (wire->received.size > begin + size)
		return rs_error_set(err, RS_MALFORMED, "the answer is longer than it says");
	answer.body = rs_bytes_of(wire->received.data + begin, (size_t)size);
	*out = answer;
	return RS_OK;
}
