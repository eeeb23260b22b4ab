/* Sockets and OpenSSL. */
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_SIZE 256
#define CIPHERS_OF_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

static enum rs_code tls_failure(const char *what, const char *path, struct rs_error *err)
{
	char reason[256] = "no reason";
	unsigned long number = ERR_get_error();
	if (number)
		ERR_error_string_n(number, reason, sizeof reason);
	ERR_clear_error();
	return rs_error_set(err, RS_USAGE, "%s %s: %s", what, path, reason);
}

static enum rs_code load_own(SSL_CTX *context, const char *certificate, const char *key, struct rs_error *err)
{
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return tls_failure("the certificate", certificate, err);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return tls_failure("the key", key, err);
	return SSL_CTX_check_private_key(context) == 1
	               ? RS_OK
	               : tls_failure("the certificate belongs to another key than", key, err);
}

static SSL_CTX *make_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);
	if (!context)
		return NULL;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(context, CIPHERS_OF_1_2);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                                  SSL_MODE_RELEASE_BUFFERS);
	return context;
}

/* A peer whose authority has no list among them, or one that is out of date, is refused, too. */
static enum rs_code load_revocations(SSL_CTX *context, const char *revocations, struct rs_error *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup || X509_load_crl_file(lookup, revocations, X509_FILETYPE_PEM) < 1)
		return tls_failure("the revocations", revocations, err);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return RS_OK;
}

static enum rs_code load_server(SSL_CTX *context, const char *certificate, const char *key,
                                const char *authorities, const char *revocations, struct rs_error *err)
{
	/* A session is resumed by this server alone, which has to have a name for that when it asks for certificates. */
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"radseal", 7);
	RS_TRY(load_own(context, certificate, key, err));
	if (!authorities)
		return RS_OK;
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(authorities);
	if (!names || SSL_CTX_load_verify_locations(context, authorities, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return tls_failure("the authorities", authorities, err);
	}
	SSL_CTX_set_client_CA_list(context, names);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return revocations ? load_revocations(context, revocations, err) : RS_OK;
}

enum rs_code tls_server(const char *certificate, const char *key, const char *authorities,
                        const char *revocations, SSL_CTX **out, struct rs_error *err)
{
	if (!certificate || !key)
		return rs_error_set(err, RS_USAGE, "TLS needs a certificate and its key, as PEM files");
	SSL_CTX *context = make_context(TLS_server_method());
	enum rs_code code = context ? load_server(context, certificate, key, authorities, revocations, err)
	                            : rs_error_memory(err, 1, "TLS");
	if (code != RS_OK) {
		SSL_CTX_free(context);
		return code;
	}
	*out = context;
	return RS_OK;
}

static enum rs_code load_client(SSL_CTX *context, const char *certificate, const char *key,
                                const char *authorities, struct rs_error *err)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (authorities && SSL_CTX_load_verify_locations(context, authorities, NULL) != 1)
		return tls_failure("the authorities", authorities, err);
	if (!authorities && SSL_CTX_set_default_verify_paths(context) != 1)
		return tls_failure("the authorities of", "this system", err);
	return certificate ? load_own(context, certificate, key ? key : certificate, err) : RS_OK;
}

enum rs_code tls_client(const char *certificate, const char *key, const char *authorities, SSL_CTX **out,
                        struct rs_error *err)
{
	SSL_CTX *context = make_context(TLS_client_method());
	enum rs_code code = context ? load_client(context, certificate, key, authorities, err)
	                            : rs_error_memory(err, 1, "TLS");
	if (code != RS_OK) {
		SSL_CTX_free(context);
		return code;
	}
	*out = context;
	return RS_OK;
}

double tls_days_left(const SSL_CTX *tls)
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls);
	int days = 0, seconds = 0;
	if (certificate)
		(void)ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate));
	return days + seconds / 86400.0;
}

/* The certificate must be of the host we wanted: by its name, or its number. */
static bool expect_host(SSL *tls, const char *server)
{
	char host[HOST_SIZE];
	const char *colon = strrchr(server, ':');
	size_t size = colon ? (size_t)(colon - server) : strlen(server);
	if (size > 1 && server[0] == '[' && server[size - 1] == ']') {
		server++;
		size -= 2;
	}
	if (size >= sizeof host)
		return false;
	memcpy(host, server, size);
	host[size] = '\0';
	SSL_set_connect_state(tls);
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1)
		return true;
	return SSL_set_tlsext_host_name(tls, host) == 1 && SSL_set1_host(tls, host) == 1;
}

enum rs_code transport_open(int socket, SSL_CTX *tls, const char *server, struct transport *out,
                            struct rs_error *err)
{
	int one = 1;
	*out = (struct transport){.socket = socket};
	(void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	if (!tls)
		return RS_OK;
	out->tls = SSL_new(tls);
	if (!out->tls || SSL_set_fd(out->tls, socket) != 1 || (server && !expect_host(out->tls, server))) {
		transport_close(out);
		return rs_error_memory(err, 1, "a TLS connection");
	}
	if (!server)
		SSL_set_accept_state(out->tls);
	return RS_OK;
}

void transport_close(struct transport *transport)
{
	if (transport->tls && SSL_is_init_finished(transport->tls))
		(void)SSL_shutdown(transport->tls); /* tells the peer; its answer is not waited for */
	SSL_free(transport->tls);
	close(transport->socket);
	ERR_clear_error();
	*transport = (struct transport){.socket = -1};
}

static enum moved of_tls(struct transport *transport, int result)
{
	int reason = SSL_get_error(transport->tls, result);
	long verdict = SSL_get_verify_result(transport->tls);
	if (reason == SSL_ERROR_SSL && verdict != X509_V_OK)
		transport->failure = X509_verify_cert_error_string(verdict);
	else if (reason == SSL_ERROR_SSL)
		transport->failure = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	transport->awaits_write = reason == SSL_ERROR_WANT_WRITE;
	if (transport->failure) {
		(void)shutdown(transport->socket, SHUT_WR);
		return MOVED_NOTHING;
	}
	return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? MOVED_NOTHING : MOVED_END;
}

/* Linux delays acknowledgements again after each read, while a peer with Nagle's algorithm on holds its next small PDU back
 * until one comes: 40 ms each time. So they are asked for anew. */
static void acknowledge_now(int socket)
{
	int one = 1;
	(void)setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

/* The other side reads why, before its own bytes that nobody takes would reset the connection. */
static enum moved wait_for_end(const struct transport *transport, void *scratch, size_t size)
{
	ssize_t got = recv(transport->socket, scratch, size, 0);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)) ? MOVED_NOTHING : MOVED_END;
}

enum moved transport_read(struct transport *transport, void *out, size_t size, size_t *out_got)
{
	transport->awaits_write = false;
	if (transport->failure)
		return wait_for_end(transport, out, size);
	if (transport->tls) {
		int result = SSL_read_ex(transport->tls, out, size, out_got);
		acknowledge_now(transport->socket);
		return result == 1 ? MOVED_SOME : of_tls(transport, result);
	}
	ssize_t got = recv(transport->socket, out, size, 0);
	if (got > 0) {
		acknowledge_now(transport->socket);
		*out_got = (size_t)got;
		return MOVED_SOME;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? MOVED_NOTHING : MOVED_END;
}

enum moved transport_write(struct transport *transport, struct rs_bytes bytes, size_t *out_sent)
{
	if (transport->failure)
		return MOVED_END;
	if (transport->tls) {
		int result = SSL_write_ex(transport->tls, bytes.data, bytes.size, out_sent);
		return result == 1 ? MOVED_SOME : of_tls(transport, result);
	}
	ssize_t sent = send(transport->socket, bytes.data, bytes.size, MSG_NOSIGNAL);
	if (sent >= 0) {
		*out_sent = (size_t)sent;
		return MOVED_SOME;
	}
	return errno == EAGAIN || errno == EINTR ? MOVED_NOTHING : MOVED_END;
}
