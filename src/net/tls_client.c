/* TLS for clients. */
#include "net/net_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_http.h"
#include "net/net_socket.h"

#define HOST_MAX 256

struct rs_tls {
	int socket;
	SSL_CTX *context;
	SSL *ssl;
};

void rs_tls_close(struct rs_tls *tls)
{
	if (!tls)
		return;
	if (tls->ssl)
		(void)SSL_shutdown(tls->ssl);
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	if (tls->socket >= 0)
		close(tls->socket);
	ERR_clear_error();
	rs_free(tls);
}

static void tls_finish(struct rs_tls **tls) { rs_tls_close(*tls); }

static enum rs_code file_fault(const char *path, struct rs_error *err)
{
	const char *why = ERR_reason_error_string(ERR_get_error());
	ERR_clear_error();
	return rs_error_set(err, RS_USAGE, "%s: %s", path, why ? why : "no PEM file for this");
}

static enum rs_code make_context(const struct rs_tls_options *options, struct rs_tls *tls,
                                 struct rs_error *err)
{
	SSL_CTX *context = tls->context = SSL_CTX_new(TLS_client_method());
	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return rs_error_memory(err, sizeof *tls, "TLS");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
	if (options->authorities) {
		if (SSL_CTX_load_verify_file(context, options->authorities) != 1)
			return file_fault(options->authorities, err);
	} else if (SSL_CTX_set_default_verify_paths(context) != 1) {
		return rs_error_set(err, RS_IO, "the system's certificate authorities cannot be read");
	}
	if (options->certificate && SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
		return file_fault(options->certificate, err);
	if (options->key && (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
	                     SSL_CTX_check_private_key(context) != 1))
		return file_fault(options->key, err);
	return RS_OK;
}

/* Without port and brackets. */
static enum rs_code host_of(struct rs_str address, char out[static HOST_MAX], struct rs_error *err)
{
	struct rs_str host = address;
	while (host.size > 0 && host.data[host.size - 1] != ':')
		host.size--;
	host.size -= host.size > 0;
	if (host.size >= 2 && host.data[0] == '[')
		host = (struct rs_str){host.data + 1, host.size - 2};
	if (host.size == 0 || host.size >= HOST_MAX)
		return rs_error_set(err, RS_USAGE, "'" RS_STR_FORMAT "' is not host:port",
		                    RS_STR_ARGUMENTS(address));
	memcpy(out, host.data, host.size);
	out[host.size] = '\0';
	return RS_OK;
}

static enum rs_code expect_host(SSL *ssl, char *host, struct rs_error *err)
{
	X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1)
		return RS_OK;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set_tlsext_host_name(ssl, host) != 1 || X509_VERIFY_PARAM_set1_host(parameters, host, 0) != 1)
		return rs_error_set(err, RS_USAGE, "'%s' is no name of a host", host);
	return RS_OK;
}

static enum rs_code fault(struct rs_tls *tls, int result, const char *doing, struct rs_error *err)
{
	long verified = SSL_get_verify_result(tls->ssl);
	int kind = SSL_get_error(tls->ssl, result), number = errno;
	const char *why = ERR_reason_error_string(ERR_peek_error());
	ERR_clear_error();
	if (verified != X509_V_OK)
		return rs_error_set(err, RS_DENIED, "its certificate is not to be trusted: %s",
		                    X509_verify_cert_error_string(verified));
	if (kind == SSL_ERROR_SYSCALL && number == EAGAIN)
		return rs_error_errno(err, ETIMEDOUT, "%s", doing);
	if (kind == SSL_ERROR_SYSCALL && number != 0)
		return rs_error_errno(err, number, "%s", doing);
	return rs_error_set(err, RS_IO, "%s: %s", doing, why ? why : "the connection was cut");
}

static enum rs_code shake_hands(struct rs_tls *tls, const struct rs_tls_options *options,
                                struct rs_error *err)
{
	char host[HOST_MAX];
	RS_TRY(host_of(options->address, host, err));
	RS_TRY(make_context(options, tls, err));
	tls->ssl = SSL_new(tls->context);
	if (!tls->ssl)
		return rs_error_memory(err, sizeof *tls, "TLS");
	RS_TRY(expect_host(tls->ssl, host, err));
	RS_TRY(rs_socket_connect(options->address, options->timeout_ms, &tls->socket, err));
	errno = 0;
	int result = SSL_set_fd(tls->ssl, tls->socket) == 1 ? SSL_connect(tls->ssl) : -1;
	return result == 1 ? RS_OK : fault(tls, result, "shaking hands", err);
}

enum rs_code rs_tls_connect(const struct rs_tls_options *options, struct rs_tls **out, struct rs_error *err)
{
	struct rs_tls *tls RS_CLEANUP(tls_finish) = rs_allocate(sizeof *tls);
	if (!tls)
		return rs_error_memory(err, sizeof *tls, "TLS");
	tls->socket = -1;
	if (shake_hands(tls, options, err) != RS_OK)
		return err ? rs_error_context(err, RS_STR_FORMAT, RS_STR_ARGUMENTS(options->address)) : RS_IO;
	*out = tls;
	tls = NULL;
	return RS_OK;
}

bool rs_tls_is_v13(const struct rs_tls *tls) { return SSL_version(tls->ssl) == TLS1_3_VERSION; }

/* OpenSSL writes by write(): main() ignores SIGPIPE. */
enum rs_code rs_tls_send(struct rs_tls *tls, struct rs_bytes bytes, struct rs_error *err)
{
	size_t written;
	errno = 0;
	int result = bytes.size ? SSL_write_ex(tls->ssl, bytes.data, bytes.size, &written) : 1;
	return result == 1 ? RS_OK : fault(tls, result, "sending", err);
}

enum rs_code rs_tls_receive(struct rs_tls *tls, void *out, size_t size, size_t *out_read,
                            struct rs_error *err)
{
	errno = 0;
	*out_read = 0;
	int result = SSL_read_ex(tls->ssl, out, size, out_read);
	if (result == 1 || SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN)
		return RS_OK;
	return fault(tls, result, "receiving", err);
}

size_t rs_tls_unacknowledged(const struct rs_tls *tls)
{
	int bytes = 0;
	return ioctl(tls->socket, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

/* Reads without waiting: TLS 1.3 sends tickets by itself, which say nothing. */
bool rs_tls_is_open(const struct rs_tls *tls)
{
	uint8_t byte;
	size_t size = 0;
	int flags = fcntl(tls->socket, F_GETFL);
	if (flags < 0 || fcntl(tls->socket, F_SETFL, flags | O_NONBLOCK) != 0)
		return false;
	int result = SSL_read_ex(tls->ssl, &byte, 1, &size);
	bool open = result != 1 && SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ;
	ERR_clear_error();
	return fcntl(tls->socket, F_SETFL, flags) == 0 && open;
}

struct url {
	struct rs_str host, path;
	struct rs_buffer address;
};

static enum rs_code parse_url(const char *text, struct url *out, struct rs_error *err)
{
	struct rs_str url = rs_str_from(text);
	if (!rs_str_starts_with(url, "https://") || url.size > 1024)
		return rs_error_set(err, RS_USAGE, "'%s' is not https://host/path", text);
	struct rs_str rest = {url.data + 8, url.size - 8};
	size_t slash = 0;
	for (size_t i = 0; i < rest.size; i++)
		if ((uint8_t)rest.data[i] <= ' ' || (uint8_t)rest.data[i] >= 0x7f || rest.data[i] == '@')
			return rs_error_set(err, RS_USAGE, "'%s' holds a character that is not taken there",
			                    text);
	while (slash < rest.size && rest.data[slash] != '/')
		slash++;
	out->host = (struct rs_str){rest.data, slash};
	out->path = slash < rest.size ? (struct rs_str){rest.data + slash, rest.size - slash} : RS_STR("/");
	bool is_v6 = slash > 0 && out->host.data[slash - 1] == ']';
	rs_buffer_append_str(&out->address, out->host);
	if (is_v6 || !memchr(out->host.data, ':', slash))
		rs_buffer_append_text(&out->address, ":443");
	return rs_buffer_check(&out->address, "an address", err);
}

/* Servers end connections without saying so in TLS: whether the answer is whole can then be told by its own size only, which is
 * looked at when it is parsed. */
static bool says(struct rs_str answer, struct rs_str what)
{
	struct rs_str line;
	while (rs_str_split(&answer, '\n', &line) && line.size > 1)
		if (line.size > what.size &&
		    rs_str_equal_ignoring_case((struct rs_str){line.data, what.size}, what))
			return true;
	return false;
}

static bool says_its_size(struct rs_str answer) { return says(answer, RS_STR("Content-Length:")); }

/* HTTP/1.0, so that no answer comes in chunks. */
static enum rs_code ask(struct rs_tls *tls, const struct url *url, struct rs_buffer *received,
                        struct rs_error *err)
{
	struct rs_buffer head RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t chunk[4096];
	size_t size;
	rs_buffer_init(&head, RS_HTTP_HEAD_MAX);
	rs_buffer_printf(&head,
	                 "GET " RS_STR_FORMAT " HTTP/1.0\r\nHost: " RS_STR_FORMAT
	                 "\r\nAccept: application/json\r\n\r\n",
	                 RS_STR_ARGUMENTS(url->path), RS_STR_ARGUMENTS(url->host));
	RS_TRY(rs_buffer_check(&head, "a request", err));
	RS_TRY(rs_tls_send(tls, rs_buffer_bytes(&head), err));
	do {
		enum rs_code code = rs_tls_receive(tls, chunk, sizeof chunk, &size, err);
		if (code != RS_OK && (received->size == 0 || !says_its_size(rs_buffer_str(received))))
			return code;
		rs_buffer_append(received, chunk, size);
		RS_TRY(rs_buffer_check(received, "an answer", err));
	} while (size > 0);
	return RS_OK;
}

static enum rs_code get(const struct url *url, const char *authorities, unsigned timeout_ms,
                        struct rs_buffer *received, struct rs_error *err)
{
	const struct rs_tls_options options = {rs_buffer_str(&url->address), authorities, NULL, NULL,
	                                       timeout_ms};
	struct rs_tls *tls RS_CLEANUP(tls_finish) = NULL;
	RS_TRY(rs_tls_connect(&options, &tls, err));
	return ask(tls, url, received, err);
}

enum rs_code rs_https_get(const char *url, const char *authorities, size_t maximum, unsigned timeout_ms,
                          struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer received RS_CLEANUP(rs_buffer_finish) = {0};
	struct url parsed = {.host = {"", 0}};
	struct rs_bytes body;
	unsigned status = 0;
	rs_buffer_init(&parsed.address, 1024 + 8);
	rs_buffer_init(&received, RS_HTTP_HEAD_MAX + maximum);
	enum rs_code code = parse_url(url, &parsed, err);
	if (code == RS_OK)
		code = get(&parsed, authorities, timeout_ms, &received, err);
	rs_buffer_finish(&parsed.address);
	if (code == RS_OK)
		code = rs_http_parse_answer(rs_buffer_bytes(&received), &status, &body, err);
	if (code != RS_OK)
		return err ? rs_error_context(err, "%s", url) : code;
	if (status != 200)
		return rs_error_set(err, RS_IO, "%s: the answer's status is %u", url, status);
	rs_buffer_append_bytes(out, body);
	return rs_buffer_check(out, "an answer", err);
}

static void url_finish(struct url *url) { rs_buffer_finish(&url->address); }

enum rs_code rs_https_connect(const char *url, const struct rs_tls_options *options, struct rs_tls **out,
                              struct rs_error *err)
{
	struct url parsed RS_CLEANUP(url_finish) = {.host = {"", 0}};
	struct rs_tls_options with_address = *options;
	rs_buffer_init(&parsed.address, 1024 + 8);
	RS_TRY(parse_url(url, &parsed, err));
	with_address.address = rs_buffer_str(&parsed.address);
	return rs_tls_connect(&with_address, out, err);
}

/* Until the answer is whole, as its size says; one that says none ends, for us, with its head. */
static enum rs_code receive_status(struct rs_tls *tls, unsigned *out_status, bool *out_goes_on,
                                   struct rs_error *err)
{
	struct rs_buffer received RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t chunk[4096];
	struct rs_bytes body;
	size_t size;
	rs_buffer_init(&received, RS_HTTP_HEAD_MAX + RS_HTTP_BODY_MAX);
	for (;;) {
		RS_TRY(rs_tls_receive(tls, chunk, sizeof chunk, &size, err));
		rs_buffer_append(&received, chunk, size);
		RS_TRY(rs_buffer_check(&received, "an answer", err));
		enum rs_code code = rs_http_parse_answer(rs_buffer_bytes(&received), out_status, &body, err);
		if (code == RS_OK)
			break;
		if (code != RS_MALFORMED || size == 0)
			return code;
	}
	*out_goes_on = says_its_size(rs_buffer_str(&received)) &&
	               says(rs_buffer_str(&received), RS_STR("Connection: keep-alive"));
	return RS_OK;
}

enum rs_code rs_https_post(struct rs_tls *tls, const char *url, const char *media, struct rs_bytes body,
                           unsigned *out_status, bool *out_goes_on, struct rs_error *err)
{
	struct url parsed RS_CLEANUP(url_finish) = {.host = {"", 0}};
	struct rs_buffer request RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&parsed.address, 1024 + 8);
	rs_buffer_init(&request, RS_HTTP_HEAD_MAX + body.size);
	RS_TRY(parse_url(url, &parsed, err));
	rs_buffer_printf(
		&request,
		"POST " RS_STR_FORMAT " HTTP/1.0\r\nHost: " RS_STR_FORMAT
		"\r\nConnection: keep-alive\r\nContent-Type: %s\r\nContent-Length: %zu\r\nAccept: application/fhir+json\r\n"
		"Prefer: return=minimal\r\n\r\n",
		RS_STR_ARGUMENTS(parsed.path), RS_STR_ARGUMENTS(parsed.host), media, body.size);
	rs_buffer_append_bytes(&request, body);
	RS_TRY(rs_buffer_check(&request, "a request", err));
	RS_TRY(rs_tls_send(tls, rs_buffer_bytes(&request), err));
	return receive_status(tls, out_status, out_goes_on, err);
}
