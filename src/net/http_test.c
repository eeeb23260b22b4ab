/* Messages that are cut, hostile or fine; a server and its clients over the loopback interface. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/net_http.h"
#include "net/net_socket.h"

#define POST "POST /add HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nhello"

static enum rs_code parse(const char *text, struct rs_http_request *out, size_t *used, struct rs_error *err)
{
	return rs_http_parse_request(rs_bytes_of(text, strlen(text)), out, used, err);
}

static void requests_are_read_when_they_are_whole(void **state)
{
	struct rs_http_request request;
	struct rs_error err = {0};
	size_t used = 9;
	(void)state;
	for (size_t size = 0; size < strlen(POST); size++) {
		assert_int_equal(rs_http_parse_request(rs_bytes_of(POST, size), &request, &used, &err),
		                 RS_OK);
		assert_int_equal(used, 0);
	}
	assert_int_equal(parse(POST "GET /", &request, &used, &err), RS_OK);
	assert_int_equal(used, strlen(POST));
	assert_true(rs_str_equal_text(request.method, "POST") && rs_str_equal_text(request.target, "/add"));
	assert_true(rs_bytes_equal(request.body, rs_bytes_of("hello", 5)) && request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &request, &used, &err), RS_OK);
	assert_true(used == 18 && !request.keep_alive && request.body.size == 0);
	assert_int_equal(parse("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", &request, &used, &err), RS_OK);
	assert_false(request.keep_alive);
}

static void requests_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum rs_code code;
	} cases[] = {
		{"\r\n\r\n", RS_MALFORMED},
		{"GET /\r\n\r\n", RS_UNSUPPORTED},
		{"GET x HTTP/1.1\r\n\r\n", RS_MALFORMED},
		{"GET / HTTP/2\r\n\r\n", RS_UNSUPPORTED},
		{"GET / HTTP/1.1\nHost: a\r\n\r\n", RS_MALFORMED},
		{"GET / HTTP/1.1\r\nHost\r\n\r\n", RS_MALFORMED},
		{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", RS_MALFORMED},
		{"GET / HTTP/1.1\r\n: a\r\n\r\n", RS_MALFORMED},
		{"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", RS_MALFORMED},
		{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", RS_MALFORMED},
		{"POST / HTTP/1.1\r\nContent-Length: 1 1\r\n\r\nx", RS_MALFORMED},
		{"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nx", RS_TOO_LARGE},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", RS_UNSUPPORTED},
	};
	struct rs_http_request request;
	struct rs_error err = {0};
	size_t used;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		if (parse(cases[i].text, &request, &used, &err) != cases[i].code || !err.message[0])
			fail_msg("case %zu: %s", i, rs_code_name(err.code));
	static uint8_t endless[RS_HTTP_HEAD_MAX];
	memset(endless, 'a', sizeof endless);
	assert_int_equal(rs_http_parse_request(rs_bytes_of(endless, sizeof endless), &request, &used, &err),
	                 RS_TOO_LARGE);
}

static void answers_that_are_cut_are_refused(void **state)
{
	static const char text[] = "HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\n12\n";
	unsigned status = 0;
	struct rs_bytes body;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_http_parse_answer(rs_bytes_of(text, strlen(text)), &status, &body, &err), RS_OK);
	assert_true(status == 409 && rs_bytes_equal(body, rs_bytes_of("12\n", 3)));
	for (size_t size = 0; size < strlen(text); size++)
		assert_int_equal(rs_http_parse_answer(rs_bytes_of(text, size), &status, &body, &err),
		                 RS_MALFORMED);
	assert_int_equal(
		rs_http_parse_answer(rs_bytes_of("HTTP/1.0 200\r\n\r\nab", 18), &status, &body, &err), RS_OK);
	assert_int_equal(body.size, 2);
	assert_int_equal(rs_http_parse_answer(rs_bytes_of("FTP/1.0 200\r\n\r\n", 15), &status, &body, &err),
	                 RS_MALFORMED);
}

struct running {
	struct rs_http_server *server;
	volatile sig_atomic_t stop;
	pthread_t thread;
	char url[128], address[64];
};

/* Says back what it got; "/fail" fails. */
static enum rs_code echo(void *context, const struct rs_http_request *request, struct rs_http_answer *answer,
                         struct rs_error *err)
{
	(void)context;
	if (rs_str_equal_text(request->target, "/fail"))
		return rs_error_set(err, RS_IO, "secret detail");
	answer->status = 200;
	answer->media = "text/x.echo";
	return rs_buffer_append_bytes(&answer->body, request->body);
}

static void *run(void *context)
{
	struct running *running = context;
	struct rs_error err = {0};
	(void)rs_http_server_run(running->server, &running->stop, echo, NULL, &err);
	return NULL;
}

static int start(void **state)
{
	static struct running running;
	struct rs_error err = {0};
	memset(&running, 0, sizeof running);
	assert_int_equal(rs_http_server_open("127.0.0.1:0", &running.server, &err), RS_OK);
	snprintf(running.address, sizeof running.address, "127.0.0.1:%u",
	         rs_http_server_port(running.server));
	snprintf(running.url, sizeof running.url, "http://%s/echo", running.address);
	assert_int_equal(pthread_create(&running.thread, NULL, run, &running), 0);
	*state = &running;
	return 0;
}

static int stop(void **state)
{
	struct running *running = *state;
	running->stop = 1;
	pthread_join(running->thread, NULL);
	rs_http_server_close(running->server);
	return 0;
}

static void bodies_of_every_size_go_there_and_back(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 16384, 65536, RS_HTTP_BODY_MAX};
	static uint8_t data[RS_HTTP_BODY_MAX + 1];
	struct running *running = *state;
	struct rs_error err = {0};
	unsigned status = 0;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_buffer body;
		rs_buffer_init(&body, RS_HTTP_BODY_MAX);
		if (rs_http_post(running->url, rs_bytes_of(data, sizes[i]), 5000, &status, &body, &err) !=
		    RS_OK)
			fail_msg("%zu bytes: %s", sizes[i], err.message);
		assert_true(status == 200 &&
		            rs_bytes_equal(rs_buffer_bytes(&body), rs_bytes_of(data, sizes[i])));
		rs_buffer_finish(&body);
	}
}

/* Sends raw bytes, waits for `expected` in what comes back. */
static void talk(int socket, const char *text, const char *expected)
{
	char got[4096] = "";
	size_t size = 0;
	assert_int_equal(send(socket, text, strlen(text), 0), strlen(text));
	while (!strstr(got, expected)) {
		ssize_t more = recv(socket, got + size, sizeof got - 1 - size, 0);
		if (more <= 0)
			fail_msg("'%s' is not in '%s'", expected, got);
		size += (size_t)more;
		got[size] = '\0';
	}
}

static void connections_are_kept_and_errors_told(void **state)
{
	struct running *running = *state;
	struct rs_error err = {0};
	int idle, socket;
	assert_int_equal(rs_socket_connect(rs_str_from(running->address), 5000, &idle, &err), RS_OK);
	assert_int_equal(rs_socket_connect(rs_str_from(running->address), 5000, &socket, &err), RS_OK);
	talk(socket, POST, "hello");
	talk(socket, POST POST, "hello");
	talk(socket, "POST /fail HTTP/1.1\r\n\r\n", "500 Refused\r\nContent-Type: text/plain");
	talk(socket, "GET / HTTP/7\r\n\r\n", "501 ");
	char byte;
	assert_int_equal(recv(socket, &byte, 1, 0) >= 0, 1);
	close(socket);
	close(idle);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const urls[] = {"https://a/b", "http://", "http://a:b c/", "127.0.0.1:1",
	                                   "http://[::1/x"};
	struct rs_error err = {0};
	struct rs_buffer body;
	struct rs_http_server *server = NULL;
	unsigned status = 77;
	(void)state;
	rs_buffer_init(&body, 100);
	for (size_t i = 0; i < RS_COUNT(urls); i++)
		assert_int_not_equal(rs_http_post(urls[i], rs_bytes_of("", 0), 100, &status, &body, &err),
		                     RS_OK);
	/* Port 1 of this machine: nobody is there. */
	assert_int_equal(rs_http_post("http://127.0.0.1:1/x", rs_bytes_of("", 0), 1000, &status, &body, &err),
	                 RS_IO);
	assert_non_null(strstr(err.message, "http://127.0.0.1:1/x"));
	assert_int_equal(status, 77);
	assert_int_not_equal(rs_http_server_open("nowhere", &server, &err), RS_OK);
	rs_buffer_finish(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read_when_they_are_whole),
		cmocka_unit_test(requests_that_are_none_are_refused),
		cmocka_unit_test(answers_that_are_cut_are_refused),
		cmocka_unit_test_setup_teardown(bodies_of_every_size_go_there_and_back, start, stop),
		cmocka_unit_test_setup_teardown(connections_are_kept_and_errors_told, start, stop),
		cmocka_unit_test(addresses_that_are_none_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
