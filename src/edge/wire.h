/* One connection of HTTP/1.1 to a node, kept open between requests: over TLS 1.3 with the device's certificate, or in the
 * clear. */
#ifndef RS_EDGE_WIRE_H
#define RS_EDGE_WIRE_H

#include "base/base.h"

#define WIRE_BODY_MAX ((size_t)16384)

struct wire;
struct wire_options {
	const char *address; /* host:port */
	bool is_tls;
	const char *certificate, *key, *authorities; /* PEM files */
	unsigned timeout_ms;
};
/* errors  RS_IO: nobody there; RS_DENIED: not who it should be, or without TLS 1.3; RS_USAGE */
enum rs_code wire_open(const struct wire_options *options, struct wire **out, struct rs_error *err);
void wire_close(struct wire *wire); /* accepts NULL */

struct wire_answer {
	unsigned status;
	uint64_t date_ms;     /* of the server; 0: it did not say */
	bool closes;          /* the connection is over */
	struct rs_bytes body; /* the wire's, until the next request */
};
/* head: the request's, with its empty line. One request at a time: its answer is received before the next. A failure ends the
 * connection: close it. */
enum rs_code wire_send(struct wire *wire, struct rs_bytes head, struct rs_bytes body, struct rs_error *err);
enum rs_code wire_receive(struct wire *wire, struct wire_answer *out, struct rs_error *err);

#endif
