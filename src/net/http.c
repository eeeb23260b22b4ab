/* HTTP messages out of bytes: strict about what decides where a message ends, indifferent to the rest. */
#include <string.h>

#include "net/net_http.h"

/* The head up to its empty line; false while it is not there. */
static bool find_head(struct rs_bytes received, struct rs_str *head)
{
	for (size_t i = 0; i + 4 <= received.size; i++)
		if (memcmp(received.data + i, "\r\n\r\n", 4) == 0) {
			*head = (struct rs_str){(const char *)received.data, i + 2};
			return true;
		}
	return false;
}

/* Lines without their CR LF; false when a line ends otherwise. */
static bool next_line(struct rs_str *rest, struct rs_str *line)
{
	if (!rs_str_split(rest, '\n', line) || line->size == 0 || line->data[line->size - 1] != '\r')
		return false;
	line->size--;
	return true;
}

struct headers {
	bool has_size, close, keep_alive, chunked, malformed;
	uint64_t size;
};

static void read_header(struct rs_str line, struct headers *headers)
{
	struct rs_str name, value = line;
	if (!rs_str_split(&value, ':', &name) || !value.data || name.size == 0 ||
	    memchr(name.data, ' ', name.size)) {
		headers->malformed = true;
		return;
	}
	value = rs_str_trim(value);
	if (rs_str_equal_ignoring_case(name, RS_STR("Content-Length"))) {
		headers->malformed |= headers->has_size || !rs_parse_u64(value, &headers->size);
		headers->has_size = true;
	} else if (rs_str_equal_ignoring_case(name, RS_STR("Transfer-Encoding"))) {
		headers->chunked = true;
	} else if (rs_str_equal_ignoring_case(name, RS_STR("Connection"))) {
		headers->close = rs_str_equal_ignoring_case(value, RS_STR("close"));
		headers->keep_alive = rs_str_equal_ignoring_case(value, RS_STR("keep-alive"));
	}
}

static enum rs_code read_headers(struct rs_str rest, size_t body_max, struct headers *headers,
                                 struct rs_error *err)
{
	struct rs_str line;
	*headers = (struct headers){.size = 0};
	while (rest.size && !headers->malformed) {
		if (!next_line(&rest, &line))
			headers->malformed = true;
		else
			read_header(line, headers);
	}
	if (headers->malformed)
		return rs_error_set(err, RS_MALFORMED, "a header of the message is malformed");
	if (headers->chunked)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "a body needs a Content-Length; it may not come in chunks");
	if (headers->size > body_max)
		return rs_error_set(err, RS_TOO_LARGE, "the body is larger than %zu bytes", body_max);
	return RS_OK;
}

enum rs_code rs_http_parse_request(struct rs_bytes received, struct rs_http_request *out, size_t *out_used,
                                   struct rs_error *err)
{
	struct rs_str head, line, rest, version;
	struct rs_http_request request = {.keep_alive = false};
	struct headers headers;
	*out_used = 0;
	if (!find_head(received, &head))
		return received.size < RS_HTTP_HEAD_MAX
		               ? RS_OK
		               : rs_error_set(err, RS_TOO_LARGE, "the head is larger than %zu bytes",
		                              RS_HTTP_HEAD_MAX);
	rest = head;
	if (!next_line(&rest, &line) || !rs_str_split(&line, ' ', &request.method) ||
	    !rs_str_split(&line, ' ', &request.target) || !request.target.size ||
	    request.target.data[0] != '/')
		return rs_error_set(err, RS_MALFORMED, "the first line is not 'METHOD /path HTTP/1.1'");
	version = line;
	if (!rs_str_equal_text(version, "HTTP/1.1") && !rs_str_equal_text(version, "HTTP/1.0"))
		return rs_error_set(err, RS_UNSUPPORTED, "only HTTP/1.1 and 1.0 are spoken here");
	RS_TRY(read_headers(rest, RS_HTTP_BODY_MAX, &headers, err));
	size_t body_start = head.size + 2;
	if (received.size - body_start < headers.size)
		return RS_OK;
	request.body = rs_bytes_of(received.data + body_start, (size_t)headers.size);
	request.keep_alive = rs_str_equal_text(version, "HTTP/1.1") ? !headers.close : headers.keep_alive;
	*out_used = body_start + (size_t)headers.size;
	*out = request;
	return RS_OK;
}

enum rs_code rs_http_parse_answer(struct rs_bytes received, unsigned *out_status, struct rs_bytes *out_body,
                                  struct rs_error *err)
{
	struct rs_str head, line, rest, version, status;
	struct headers headers;
	uint64_t number = 0;
	if (!find_head(received, &head))
		return rs_error_set(err, RS_MALFORMED,
		                    "what answers does not speak HTTP, or its answer is cut");
	rest = head;
	if (!next_line(&rest, &line) || !rs_str_split(&line, ' ', &version) ||
	    !rs_str_starts_with(version, "HTTP/1.") || !rs_str_split(&line, ' ', &status) ||
	    status.size != 3 || !rs_parse_u64(status, &number))
		return rs_error_set(err, RS_MALFORMED,
		                    "the first line of the answer is not 'HTTP/1.1 status'");
	RS_TRY(read_headers(rest, RS_HTTP_ANSWER_MAX, &headers, err));
	size_t size = received.size - head.size - 2;
	if (headers.has_size && size < headers.size)
		return rs_error_set(err, RS_MALFORMED, "the answer is cut");
	*out_status = (unsigned)number;
	*out_body = rs_bytes_of(received.data + head.size + 2,
	                        headers.has_size ? (size_t)headers.size : size);
	return RS_OK;
}
