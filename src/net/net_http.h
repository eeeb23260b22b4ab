/* Just enough of HTTP/1.1 (RFC 9112) for small requests between nodes: a server that answers in one thread, and a client.
 * No TLS: put a reverse proxy or a tunnel in front where the network is not trusted; what goes over it here is signed. */
#ifndef RS_NET_HTTP_H
#define RS_NET_HTTP_H

#include <signal.h>

#include "base/base.h"

#define RS_HTTP_HEAD_MAX ((size_t)8192)
#define RS_HTTP_BODY_MAX ((size_t)128 * 1024)
#define RS_HTTP_ANSWER_MAX \
	((size_t)17 << 20) /* body that a server sends: 256 entries of a log at most, blocks of objects */

/* Views borrow from what was received. */
struct rs_http_request {
	struct rs_str method, target;
	struct rs_bytes body;
	bool keep_alive;
};
/* From the first bytes of a connection. *out_used is 0 while bytes are missing, else what the request takes of them.
 * errors  RS_MALFORMED, RS_TOO_LARGE, RS_UNSUPPORTED (a body without Content-Length) */
enum rs_code rs_http_parse_request(struct rs_bytes received, struct rs_http_request *out, size_t *out_used,
                                   struct rs_error *err);

struct rs_http_answer {
	unsigned status;
	const char *media;     /* static */
	struct rs_buffer body; /* initialised by who makes the answer */
};
/* A whole answer, received until the connection was closed; the body is a view, at most RS_HTTP_ANSWER_MAX.
 * RS_MALFORMED when it is cut. */
enum rs_code rs_http_parse_answer(struct rs_bytes received, unsigned *out_status, struct rs_bytes *out_body,
                                  struct rs_error *err);

/* Fills status, media and body (initialised with RS_HTTP_ANSWER_MAX, empty). A failure is answered with 500. */
typedef enum rs_code rs_http_handle(void *context, const struct rs_http_request *request,
                                    struct rs_http_answer *answer, struct rs_error *err);

struct rs_http_server;
/* address: "127.0.0.1:8080", "[::1]:8080"; port 0 takes a free one. */
enum rs_code rs_http_server_open(const char *address, struct rs_http_server **out, struct rs_error *err);
void rs_http_server_close(struct rs_http_server *server); /* accepts NULL */
unsigned rs_http_server_port(const struct rs_http_server *server);
/* Answers until *stop. At most 64 connections; one that is silent or slow for 10 seconds is closed. Requests are handled
 * one after another, in this thread. */
enum rs_code rs_http_server_run(struct rs_http_server *server, const volatile sig_atomic_t *stop,
                                rs_http_handle *handle, void *context, struct rs_error *err);

/* url: "http://host[:port]/path". The body of the answer is appended to out_body (at most RS_HTTP_BODY_MAX). RS_IO names the
 * url when nothing answers within timeout_ms. */
enum rs_code rs_http_post(const char *url, struct rs_bytes body, unsigned timeout_ms, unsigned *out_status,
                          struct rs_buffer *out_body, struct rs_error *err);

/* The same with all there is to say. */
struct rs_http_call {
	const char *url, *media; /* media type of the body */
	const char *bearer;      /* token for Authorization (RFC 6750); NULL for none */
	struct rs_bytes body;
	size_t answer_max; /* at most RS_HTTP_ANSWER_MAX */
	unsigned timeout_ms;
};
enum rs_code rs_http_call(const struct rs_http_call *call, unsigned *out_status, struct rs_buffer *out_body,
                          struct rs_error *err);

#endif
