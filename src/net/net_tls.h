/* TLS to a server whose name and certificate are checked, over OpenSSL: a connection, and HTTPS GET over it. */
#ifndef RS_NET_TLS_H
#define RS_NET_TLS_H

#include "base/base.h"

struct rs_tls_options {
	struct rs_str address;         /* "host:port"; the certificate has to be of this host */
	const char *authorities;       /* PEM file of who may have signed it; NULL: the system's */
	const char *certificate, *key; /* our own, PEM files; NULL: none */
	unsigned timeout_ms;           /* for connecting, and for each send and receive */
};
struct rs_tls;
/* TLS 1.2 or 1.3. errors  RS_USAGE: a file that is none; RS_IO: nobody there; RS_DENIED: not who it should be, and why */
enum rs_code rs_tls_connect(const struct rs_tls_options *options, struct rs_tls **out, struct rs_error *err);
void rs_tls_close(struct rs_tls *tls);        /* accepts NULL */
bool rs_tls_is_v13(const struct rs_tls *tls); /* TLS 1.3 is what both sides speak */
enum rs_code rs_tls_send(struct rs_tls *tls, struct rs_bytes bytes, struct rs_error *err);
/* *out_read 0: the other side ended the connection in order. */
enum rs_code rs_tls_receive(struct rs_tls *tls, void *out, size_t size, size_t *out_read,
                            struct rs_error *err);
/* Bytes that were sent and that the other side's system has not yet acknowledged. */
size_t rs_tls_unacknowledged(const struct rs_tls *tls);
/* False once the other side has closed, or sent anything: for protocols in which it has nothing to say. */
bool rs_tls_is_open(const struct rs_tls *tls);

/* To the host of "https://host[:port]/path"; options->address is not looked at. */
enum rs_code rs_https_connect(const char *url, const struct rs_tls_options *options, struct rs_tls **out,
                              struct rs_error *err);
/* One POST, and the status of its answer, whose body is passed over. *out_goes_on: the next one may follow on this connection. */
enum rs_code rs_https_post(struct rs_tls *tls, const char *url, const char *media, struct rs_bytes body,
                           unsigned *out_status, bool *out_goes_on, struct rs_error *err);
/* The body of an answer with status 200, appended; no redirects. url: "https://host[:port]/path".
 * errors  as above; RS_USAGE: not https; RS_IO: another status, or an answer that is none */
enum rs_code rs_https_get(const char *url, const char *authorities, size_t maximum, unsigned timeout_ms,
                          struct rs_buffer *out, struct rs_error *err);

#endif
