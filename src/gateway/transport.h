/* Bytes over a socket, in the clear or by TLS; without waiting when the socket does not wait. TLS follows BCP 195 (RFC 9325;
 * PS3.15 annex B): 1.2 with forward secrecy and authenticated encryption, or 1.3; no renegotiation, no compression. */
#ifndef RS_GATEWAY_TRANSPORT_H
#define RS_GATEWAY_TRANSPORT_H

#include <openssl/ssl.h>

#include "base/base.h"

enum moved {
	MOVED_SOME,
	MOVED_NOTHING, /* would have to wait */
	MOVED_END,     /* the connection is over, or broken */
};

struct transport {
	int socket;
	SSL *tls;            /* owned; NULL: in the clear */
	bool awaits_write;   /* reading cannot go on before the socket takes bytes: a handshake */
	const char *failure; /* why TLS ended it; NULL: it did not. Static. */
};

/* revocations: PEM file of lists of what authorities revoked, one of each; NULL: nobody is asked.
 * authorities: NULL asks the other side for no certificate (a server), or trusts the system's (a client).
 * errors  RS_USAGE naming the file, RS_INTERNAL */
enum rs_code tls_server(const char *certificate, const char *key, const char *authorities,
                        const char *revocations, SSL_CTX **out, struct rs_error *err);
/* certificate and key may be NULL. */
enum rs_code tls_client(const char *certificate, const char *key, const char *authorities, SSL_CTX **out,
                        struct rs_error *err);
/* Days until the certificate that is shown ends; below zero when it has. */
double tls_days_left(const SSL_CTX *tls);
/* tls may be NULL. server: "host:port" that is connected to and whose certificate must be of that host; NULL: we are the server.
 * The socket is the transport's then, also after a failure. */
enum rs_code transport_open(int socket, SSL_CTX *tls, const char *server, struct transport *out,
                            struct rs_error *err);
void transport_close(struct transport *transport);
enum moved transport_read(struct transport *transport, void *out, size_t size, size_t *out_got);
enum moved transport_write(struct transport *transport, struct rs_bytes bytes, size_t *out_sent);

#endif
