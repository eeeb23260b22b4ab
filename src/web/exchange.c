/* One request from its head to the end of its answer. */
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>

#include "server.h"
#include "services.h"
#include "words.h"

#define HEAD_MAX ((size_t)16 * 1024)
#define HEAD_FIELDS_MAX 100
#define STREAM_BLOCK ((size_t)256 * 1024) /* copied and sent while the processor's cache has it */
#define PASSED_OVER_MAX ((uint64_t)2 << 20)
#define PROBLEM_SIZE ((size_t)4096)

static const struct rs_error no_failure;

static uint64_t now_ns(const struct rs_web *web) { return web->clock->monotonic_ns(web->clock); }

static struct exchange *exchange_of(const struct request *request)
{
	return (struct exchange *)(uintptr_t)request; /* its first member */
}

struct rs_str request_header(const struct request *request, const char *name)
{
	return rs_str_from(
		MHD_lookup_connection_value(exchange_of(request)->connection, MHD_HEADER_KIND, name));
}

void request_put_header(struct request *request, const char *name, const char *value)
{
	if (request->header_count == HEADERS_MAX)
		return;
	struct header *header = &request->headers[request->header_count++];
	header->name = name;
	snprintf(header->value, sizeof header->value, "%s", value);
}

struct rs_str request_raw(const struct request *request)
{
	const struct exchange *exchange = exchange_of(request);
	return (struct rs_str){exchange->raw, exchange->raw_size};
}

bool request_is_tls(const struct request *request) { return exchange_of(request)->door->is_tls; }

void request_url(const struct request *request, const char *path, char out[static URL_SIZE])
{
	struct rs_str host = request_header(request, MHD_HTTP_HEADER_HOST);
	struct rs_str forwarded = request->web->options.is_proxied
	                                  ? request_header(request, "X-Forwarded-Proto")
	                                  : (struct rs_str){"", 0};
	bool tls = request_is_tls(request) || rs_str_equal_text(forwarded, "https");
	bool good = host.size > 0 && host.size < 256;
	for (size_t i = 0; good && i < host.size; i++) {
		char c = host.data[i];
		good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		       strchr(".-:[]_", c);
	}
	if (good)
		snprintf(out, URL_SIZE, "%s://" RS_STR_FORMAT "%s", tls ? "https" : "http",
		         RS_STR_ARGUMENTS(host), path);
	else
		snprintf(out, URL_SIZE, "%s", path);
}

/* In numbers; IPv4 within IPv6 as IPv4. */
static void host_of(struct MHD_Connection *connection, char *out, size_t size)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection,
	                                                               MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
	out[0] = '\0';
	if (!address)
		return;
	if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size);
	else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		(void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, (socklen_t)size);
	else if (address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
}

void *exchange_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct door *door = context;
	struct rs_web *web = door->web;
	size_t size = strnlen(uri, TARGET_SIZE_MAX);
	struct exchange *exchange = rs_allocate(sizeof *exchange + size);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection,
	                                                               MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (!exchange)
		return NULL;
	struct request *request = &exchange->request;
	exchange->door = door;
	exchange->connection = connection;
	exchange->own = info ? info->socket_context : NULL;
	exchange->since_ns = now_ns(web);
	exchange->raw_size = size;
	memcpy(exchange->raw, uri, size);
	request->web = web;
	rs_buffer_init(&request->body, BODY_MAX);
	snprintf(request->id, sizeof request->id, "%08llx%08llx",
	         (unsigned long long)(rs_world_now_ms(rs_world_system()) & 0xffffffffu),
	         atomic_fetch_add(&web->requests, 1) & 0xffffffffu);
	host_of(connection, request->host, sizeof request->host);
	if (exchange->own) {
		atomic_store(&exchange->own->is_busy, true);
		connection_allow(web, exchange->own, exchange->since_ns, 0);
	}
	return exchange;
}

static void log_request(const struct exchange *exchange, enum MHD_RequestTerminationCode why)
{
	const struct request *request = &exchange->request;
	char status[8], time[24], received[24], sent[24];
	bool lost = why != MHD_REQUEST_TERMINATED_COMPLETED_OK;
	bool bad = exchange->failure.code != RS_OK || lost || request->note[0];
	snprintf(status, sizeof status, "%u", request->status);
	snprintf(time, sizeof time, "%llu",
	         (unsigned long long)((now_ns(request->web) - exchange->since_ns) / 1000));
	snprintf(received, sizeof received, "%llu", (unsigned long long)exchange->received);
	snprintf(sent, sizeof sent, "%llu", (unsigned long long)exchange->sent);
	RS_LOG(request->web->options.log, bad ? RS_LOG_WARNING : RS_LOG_INFO, "http", {"id", request->id},
	       {"host", request->host}, {"caller", request->caller.name},
	       {"method", request->route ? request->route->method : "-"},
	       {"route", request->route ? request->route->path : "-"}, {"status", status}, {"time_us", time},
	       {"received", received}, {"sent", sent},
	       {"reason", exchange->failure.code != RS_OK ? exchange->failure.message
	                  : lost                          ? "the connection was lost"
	                                                  : request->note});
}

static void count_request(const struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	struct tally *tally = &request->web->tallies[route_index(request->route)];
	uint64_t time_us = (now_ns(request->web) - exchange->since_ns) / 1000;
	unsigned class = request->status / 100;
	size_t bucket = 0;
	while (bucket < BUCKETS - 1 && (double)time_us > bucket_seconds[bucket] * 1e6)
		bucket++;
	if (class >= 1 && class <= CLASSES)
		atomic_fetch_add(&tally->answers[class - 1], 1);
	atomic_fetch_add(&tally->within[bucket], 1);
	atomic_fetch_add(&tally->time_us, time_us);
	atomic_fetch_add(&tally->received, exchange->received);
	atomic_fetch_add(&tally->sent, exchange->sent);
}

static void close_stream(struct request *request)
{
	if (request->stream)
		request->stream->close(request->stream);
	request->stream = NULL;
}

/* MHD lets go of the response only after this, but reads no more of it. */
void exchange_end(void *context RS_UNUSED, struct MHD_Connection *connection RS_UNUSED,
                  void **exchange_context, enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *exchange_context;
	if (!exchange)
		return;
	struct request *request = &exchange->request;
	struct rs_web *web = request->web;
	close_stream(request);
	if (request->route && request->route->finish && request->state)
		request->route->finish(request);
	if (exchange->own) {
		connection_allow(web, exchange->own, now_ns(web), 0);
		atomic_store(&exchange->own->is_busy, false);
	}
	count_request(exchange);
	log_request(exchange, why);
	rs_actor_close(request->caller.own);
	rs_buffer_finish(&request->body);
	rs_free(exchange);
	*exchange_context = NULL;
}

struct head_size {
	size_t bytes, fields;
};

static enum MHD_Result measure(void *context, enum MHD_ValueKind kind RS_UNUSED, const char *name,
                               const char *value)
{
	struct head_size *size = context;
	size->bytes += strlen(name) + (value ? strlen(value) : 0);
	size->fields++;
	return MHD_YES;
}

static enum rs_code refuse(struct request *request, unsigned status, enum rs_code code, const char *why,
                           struct rs_error *err)
{
	request->status = status;
	return rs_error_set(err, code, "%s", why);
}

/* What a client showed in TLS, judged once a request: lists of revocations are read anew now and then. */
static const gnutls_datum_t *certificate_of(const struct request *request)
{
	struct exchange *exchange = exchange_of(request);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->connection,
	                                                               MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned count = 0;
	if (!exchange->door->is_tls || !exchange->door->web->options.authorities || !info ||
	    !info->tls_session)
		return NULL;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(info->tls_session, &count);
	if (list && count > 0 && !exchange->is_judged)
		exchange->trust = trust_judge(exchange->door->web, list, count);
	exchange->is_judged = true;
	return list;
}

/* What stands at the end of a chain that leads to one of the authorities. */
struct rs_bytes request_certificate(const struct request *request)
{
	const gnutls_datum_t *list = certificate_of(request);
	return list && exchange_of(request)->trust == TRUST_GOOD ? rs_bytes_of(list[0].data, list[0].size)
	                                                         : rs_bytes_of("", 0);
}

bool request_is_revoked(const struct request *request)
{
	return certificate_of(request) && exchange_of(request)->trust == TRUST_REVOKED;
}

static void challenge(struct request *request)
{
	const struct rs_web_options *options = &request->web->options;
	for (size_t i = 0; i < options->authenticator_count; i++)
		if (options->authenticators[i].challenge)
			request_put_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
			                   options->authenticators[i].challenge);
}

static enum rs_code authenticate(struct exchange *exchange, struct rs_error *err)
{
	struct request *request = &exchange->request;
	const struct rs_web_options *options = &request->web->options;
	const struct rs_web_credentials shown = {
		.authorization = request_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
		.cookie = request_header(request, MHD_HTTP_HEADER_COOKIE),
		.origin = request_header(request, "Origin"),
		.csrf = request_header(request, "Radseal-CSRF"),
		.method = rs_str_from(request->route->method),
		.path = {exchange->raw, exchange->raw_size},
		.certificate = request_certificate(request),
		.host = request->host,
		.is_tls = exchange->door->is_tls,
	};
	enum rs_code code = RS_NOT_FOUND;
	for (size_t i = 0;
	     code == RS_NOT_FOUND && !request_is_revoked(request) && i < options->authenticator_count; i++) {
		const struct rs_web_authenticator *one = &options->authenticators[i];
		code = one->authenticate(one->context, &shown, &request->caller, err);
	}
	if (request_is_revoked(request))
		code = rs_error_set(err, RS_DENIED, REVOKED);
	else if (code == RS_NOT_FOUND)
		code = rs_error_set(err, RS_DENIED, "say who calls: this needs credentials");
	if (code == RS_DENIED) {
		challenge(request);
		rs_collector_tell(options->collector, RS_ATNA_REFUSED, true, NULL, request->host);
	}
	return code;
}

static enum rs_code know_caller(struct exchange *exchange, struct rs_error *err)
{
	struct request *request = &exchange->request;
	struct rs_str purpose = request_header(request, "Radseal-Purpose");
	if (!request->route->right)
		return RS_OK;
	RS_TRY(authenticate(exchange, err));
	if (!(request->caller.may & request->route->right))
		return refuse(request, MHD_HTTP_FORBIDDEN, RS_REFUSED, "the caller has no right to that here",
		              err);
	request->purpose = request->caller.purpose;
	if (purpose.size > 0 && !purpose_parse(purpose, &request->purpose))
		return rs_error_set(err, RS_USAGE, "the header Radseal-Purpose names no purpose");
	return RS_OK;
}

static enum rs_code check_body(struct exchange *exchange, struct rs_error *err)
{
	struct request *request = &exchange->request;
	struct rs_str length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t size = 0;
	if (length.size > 0 && !rs_parse_u64(length, &size))
		return rs_error_set(err, RS_MALFORMED, "Content-Length is no number");
	if (size <= request->route->body_max)
		return RS_OK;
	return rs_error_set(err, RS_TOO_LARGE, "a body of more than %llu bytes is not taken here",
	                    (unsigned long long)request->route->body_max);
}

/* The head is there. */
static enum rs_code begin(struct exchange *exchange, const char *method, struct rs_error *err)
{
	struct request *request = &exchange->request;
	struct head_size head = {0, 0};
	char allowed[ALLOWED_SIZE];
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, measure, &head);
	if (head.bytes > HEAD_MAX || head.fields > HEAD_FIELDS_MAX)
		return refuse(request, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, RS_TOO_LARGE,
		              "the request's head is too large", err);
	if (exchange->raw_size >= TARGET_SIZE_MAX)
		return refuse(request, MHD_HTTP_URI_TOO_LONG, RS_TOO_LARGE,
		              "the request's target is too long", err);
	RS_TRY(target_parse((struct rs_str){exchange->raw, exchange->raw_size}, &request->target, err));
	if (strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
		method = MHD_HTTP_METHOD_GET;
	route_find(&request->target, method, request->values, &request->route, allowed);
	if (!request->route && strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
		request->route = routes_options;
		request_put_header(request, MHD_HTTP_HEADER_ALLOW, allowed);
	}
	if (!request->route && allowed[0]) {
		request_put_header(request, MHD_HTTP_HEADER_ALLOW, allowed);
		return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, RS_UNSUPPORTED,
		              "this path has other methods", err);
	}
	if (!request->route)
		return rs_error_set(err, RS_NOT_FOUND, "nothing is here");
	RS_TRY(know_caller(exchange, err));
	RS_TRY(check_body(exchange, err));
	return request->route->begin ? request->route->begin(request, err) : RS_OK;
}

static ssize_t read_stream(void *context, uint64_t position RS_UNUSED, char *out, size_t size)
{
	struct exchange *exchange = context;
	struct stream *stream = exchange->request.stream;
	size_t got = 0;
	struct rs_error err = {0};
	connection_wait(exchange->own);
	enum rs_code code = stream->read(stream, out, size, &got, &err);
	connection_allow(exchange->request.web, exchange->own, now_ns(exchange->request.web), got);
	if (code != RS_OK) {
		exchange->failure = err;
		exchange->failure.code = code;
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	exchange->sent += got;
	return got ? (ssize_t)got : MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	if (request->stream) {
		uint64_t size = request->stream->size == NO_SIZE ? MHD_SIZE_UNKNOWN : request->stream->size;
		return MHD_create_response_from_callback(size, STREAM_BLOCK, read_stream, exchange, NULL);
	}
	exchange->sent = request->body.size;
	return MHD_create_response_from_buffer(request->body.size, request->body.data,
	                                       MHD_RESPMEM_PERSISTENT);
}

/* Pages of other origins see answers when they are named (Fetch, section 3.2); credentials they need like everybody. */
static void put_origin(const struct exchange *exchange, struct MHD_Response *response)
{
	const struct request *request = &exchange->request;
	struct rs_str origin = request_header(request, "Origin"), one;
	struct rs_str list = rs_str_from(request->web->options.origins);
	while (origin.size > 0 && rs_str_split(&list, ',', &one)) {
		if (!rs_str_equal(one, origin))
			continue;
		MHD_add_response_header(response, "Access-Control-Allow-Origin", origin.data);
		MHD_add_response_header(response, "Access-Control-Expose-Headers",
		                        "ETag, Warning, Content-Range, Radseal-Request");
		MHD_add_response_header(
			response, "Access-Control-Allow-Headers",
			"Authorization, Accept, Content-Type, Range, If-None-Match, Radseal-Purpose");
		MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, POST");
		MHD_add_response_header(response, "Access-Control-Max-Age", "600");
	}
	if (request->web->options.origins)
		MHD_add_response_header(response, "Vary", "Origin");
}

static enum rs_code answer_options(struct request *request, struct rs_error *err RS_UNUSED)
{
	request->status = MHD_HTTP_NO_CONTENT;
	return RS_OK;
}

/* Of every path: it tells nothing, and needs nobody. */
const struct route routes_options[] = {
	{"OPTIONS", "/", 0, 0, NULL, NULL, answer_options, NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};

static void put_headers(const struct exchange *exchange, struct MHD_Response *response)
{
	static const char *const always[][2] = {{"X-Content-Type-Options", "nosniff"},
	                                        {"Referrer-Policy", "no-referrer"}};
	const struct request *request = &exchange->request;
	bool has_cache = false;
	for (size_t i = 0; i < RS_COUNT(always); i++)
		MHD_add_response_header(response, always[i][0], always[i][1]);
	if (exchange->door->is_tls)
		MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
	if (request->media[0])
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->media);
	for (size_t i = 0; i < request->header_count; i++) {
		has_cache = has_cache || strcmp(request->headers[i].name, MHD_HTTP_HEADER_CACHE_CONTROL) == 0;
		MHD_add_response_header(response, request->headers[i].name, request->headers[i].value);
	}
	if (!has_cache)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	put_origin(exchange, response);
	MHD_add_response_header(response, "Radseal-Request", request->id);
}

static void form_problem(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	close_stream(request);
	if (request->status == 0)
		request->status = problem_status(exchange->failure.code);
	snprintf(request->media, sizeof request->media, "application/problem+json");
	rs_buffer_clear(&request->body);
	problem_format(request, &exchange->failure, &request->body);
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	if (exchange->failure.code != RS_OK)
		form_problem(exchange);
	else if (request->status == 0)
		request->status = MHD_HTTP_OK;
	struct MHD_Response *response = make_response(exchange);
	if (!response)
		return MHD_NO;
	put_headers(exchange, response);
	connection_allow(request->web, exchange->own, now_ns(request->web), request->body.size);
	enum MHD_Result result = MHD_queue_response(exchange->connection, request->status, response);
	MHD_destroy_response(response);
	return result;
}

static void fail(struct exchange *exchange, enum rs_code code, const struct rs_error *err)
{
	exchange->failure = *err;
	exchange->failure.code = code;
}

static enum MHD_Result take(struct exchange *exchange, const char *data, size_t *size)
{
	struct request *request = &exchange->request;
	struct rs_error err = no_failure;
	enum rs_code code = RS_OK;
	exchange->received += *size;
	connection_allow(request->web, exchange->own, exchange->since_ns, exchange->received);
	/* Without a Content-Length nobody could say before how much it would be. */
	bool has_failed = exchange->failure.code != RS_OK;
	uint64_t most = request->route ? request->route->body_max : 0;
	if (exchange->received > (has_failed && most < PASSED_OVER_MAX ? PASSED_OVER_MAX : most))
		return MHD_NO;
	if (!has_failed && request->route->take)
		code = request->route->take(request, rs_bytes_of(data, *size), &err);
	if (code != RS_OK)
		fail(exchange, code, &err);
	*size = 0;
	return MHD_YES;
}

/* An answer before the body closes the connection, and who is still sending may never see it: that is for bodies alone that would
 * take long to pass over. */
static bool has_large_body(const struct request *request)
{
	struct rs_str length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t size = 0;
	return request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING).size > 0 ||
	       (length.size > 0 && (!rs_parse_u64(length, &size) || size > PASSED_OVER_MAX));
}

enum MHD_Result exchange_handle(void *context RS_UNUSED, struct MHD_Connection *connection RS_UNUSED,
                                const char *url RS_UNUSED, const char *method, const char *version RS_UNUSED,
                                const char *upload, size_t *upload_size, void **exchange_context)
{
	struct exchange *exchange = *exchange_context;
	struct rs_error err = no_failure;
	enum rs_code code;
	if (!exchange || !exchange->own)
		return MHD_NO;
	if (!exchange->is_begun) {
		exchange->is_begun = true;
		code = begin(exchange, method, &err);
		if (code == RS_OK)
			return MHD_YES;
		fail(exchange, code, &err);
		return has_large_body(&exchange->request) ? send_answer(exchange) : MHD_YES;
	}
	if (*upload_size > 0)
		return take(exchange, upload, upload_size);
	connection_wait(exchange->own);
	if (exchange->failure.code == RS_OK) {
		code = exchange->request.route->answer(&exchange->request, &err);
		if (code != RS_OK)
			fail(exchange, code, &err);
	}
	return send_answer(exchange);
}
