/* Listening, time, limits, and the end. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "access/access_people.h"
#include "net/net_socket.h"
#include "server.h"
#include "services.h"

#define SECOND_NS ((uint64_t)1000000000)
#define REQUEST_NS (10 * SECOND_NS) /* to ask for something, to send a head, and to close */
#define IDLE_NS (60 * SECOND_NS)    /* between requests */
#define MESSAGE_NS (30 * SECOND_NS) /* for a body, and a second more for every SLOWEST bytes of it */
#define SLOWEST ((uint64_t)16 * 1024)
#define TICK_NS (SECOND_NS / 4)
#define GRACE_NS (10 * SECOND_NS)
#define CONNECTION_MEMORY ((size_t)512 * 1024) /* MHD reads half of it at once */
#define STACK_SIZE ((size_t)512 * 1024)
#define PEM_SIZE_MAX ((size_t)1 << 20)
/* BCP 195 (RFC 9325): TLS 1.2 with forward secrecy and authenticated encryption, or 1.3. */
#define PRIORITIES                                                                                         \
	"NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+AES-128-GCM:"                \
	"+CHACHA20-POLY1305:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"                        \
	"+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP256R1-SHA256:"          \
	"+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-RSA-PSS-RSAE-SHA256:"                                          \
	"+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+CTYPE-SRV-X509:+CTYPE-CLI-X509:+COMP-NULL:%SERVER_PRECEDENCE:" \
	"%SAFE_RENEGOTIATION"

struct rs_node *web_node(struct rs_web *web) { return web->node; }
struct rs_gateway *web_gateway(struct rs_web *web) { return web->gateway; }
static enum rs_code is_in_force(void *context, struct rs_node *node, struct rs_error *err)
{
	const struct rs_member_key *who = context;
	struct rs_person person;
	return rs_node_person_in_force(node, who, &person, err);
}

enum rs_code request_check_member(const struct request *request, struct rs_error *err)
{
	struct rs_member_key who = rs_actor_id(request->caller.actor);
	return rs_intake_run(web_intake(request->web), is_in_force, &who, err);
}

struct rs_intake *web_intake(struct rs_web *web) { return rs_gateway_intake(web->gateway); }
const struct rs_web_options *web_options(const struct rs_web *web) { return &web->options; }
struct rs_finder *web_finder(struct rs_web *web, enum finder_of which) { return web->finders[which]; }
bool web_compares(const struct rs_web *web) { return !web->options.is_bench_without_comparison; }
bool web_is_stopping(const struct rs_web *web) { return atomic_load(&web->stopping); }

static uint64_t now_ns(const struct rs_web *web) { return web->clock->monotonic_ns(web->clock); }

static struct timespec in_ns(uint64_t ns)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	ns += (uint64_t)at.tv_nsec;
	at.tv_sec += (time_t)(ns / SECOND_NS);
	at.tv_nsec = (long)(ns % SECOND_NS);
	return at;
}

void web_pause(struct rs_web *web, unsigned time_ms)
{
	const struct timespec until = in_ns((uint64_t)time_ms * 1000000);
	pthread_mutex_lock(&web->mutex);
	int result = 0;
	while (result == 0 && !atomic_load(&web->stopping))
		result = pthread_cond_timedwait(&web->stopped, &web->mutex, &until);
	pthread_mutex_unlock(&web->mutex);
}

void connection_allow(struct rs_web *web RS_UNUSED, struct connection *connection, uint64_t since_ns,
                      uint64_t size)
{
	uint64_t allowed = size == 0 ? REQUEST_NS : MESSAGE_NS + size / SLOWEST * SECOND_NS;
	atomic_store(&connection->deadline_ns, since_ns + allowed);
}

void connection_wait(struct connection *connection) { atomic_store(&connection->deadline_ns, UINT64_MAX); }

static void enlist(struct rs_web *web, struct connection *connection)
{
	pthread_mutex_lock(&web->mutex);
	connection->next = web->connections;
	connection->previous = &web->connections;
	if (connection->next)
		connection->next->previous = &connection->next;
	web->connections = connection;
	web->connection_count++;
	pthread_mutex_unlock(&web->mutex);
}

static void delist(struct rs_web *web, struct connection *connection)
{
	pthread_mutex_lock(&web->mutex);
	*connection->previous = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	web->connection_count--;
	pthread_mutex_unlock(&web->mutex);
	rs_free(connection);
}

/* MHD closes a socket after it told that the connection is over: while it is in the list, its number is its own. */
static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
	struct door *door = context;
	struct connection *connection = *socket_context;
	const union MHD_ConnectionInfo *info;
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (connection)
			delist(door->web, connection);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	connection = rs_allocate(sizeof *connection);
	*socket_context = connection; /* without one nothing is answered */
	if (!connection)
		return;
	connection->socket = info ? info->connect_fd : -1;
	atomic_init(&connection->deadline_ns, now_ns(door->web) + REQUEST_NS);
	enlist(door->web, connection);
}

/* Ends connections whose time is over; all that have nothing under way when the server stops. Gives how many are left. */
static size_t look_after(struct rs_web *web, bool stops)
{
	uint64_t now = now_ns(web);
	pthread_mutex_lock(&web->mutex);
	for (struct connection *at = web->connections; at; at = at->next) {
		const bool is_late = atomic_load(&at->deadline_ns) < now;
		if (is_late && !at->is_late)
			atomic_fetch_add(&web->late, 1);
		at->is_late = at->is_late || is_late;
		if (is_late || (stops && !atomic_load(&at->is_busy)))
			(void)shutdown(at->socket, SHUT_RDWR);
	}
	size_t count = web->connection_count;
	pthread_mutex_unlock(&web->mutex);
	return count;
}

static void begin_to_stop(struct rs_web *web)
{
	if (atomic_exchange(&web->stopping, true))
		return;
	for (size_t i = 0; i < RS_WEB_PORT_COUNT; i++)
		if (web->doors[i].daemon)
			(void)MHD_quiesce_daemon(web->doors[i].daemon);
	pthread_mutex_lock(&web->mutex);
	pthread_cond_broadcast(&web->stopped);
	pthread_mutex_unlock(&web->mutex);
}

static void tick(void)
{
	const struct timespec pause = {.tv_nsec = (long)TICK_NS};
	(void)nanosleep(&pause, NULL);
}

/* What was revoked since. The server's own certificate is the library's until it starts again. */
static void read_again(struct rs_web *web)
{
	struct rs_error err = {0};
	if (trust_read(web, &err) != RS_OK)
		RS_LOG(web->options.log, RS_LOG_ERROR, "revocations_not_read", {"reason", err.message});
}

static void *watch(void *context)
{
	struct rs_web *web = context;
	const volatile sig_atomic_t *hangups = web->options.hangups;
	sig_atomic_t seen = hangups ? *hangups : 0;
	while (!*web->stop && !atomic_load(&web->stopping)) {
		if (hangups && *hangups != seen) {
			seen = *hangups;
			read_again(web);
		}
		(void)look_after(web, false);
		tick();
	}
	begin_to_stop(web);
	for (uint64_t until = now_ns(web) + GRACE_NS; look_after(web, true) > 0 && now_ns(web) < until;)
		tick();
	return NULL;
}

static enum rs_code read_pem(const char *path, char **out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_secret_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, PEM_SIZE_MAX, &file, err));
	*out = rs_str_duplicate(rs_buffer_str(&file));
	return *out ? RS_OK : rs_error_memory(err, file.size, "a certificate");
}

static enum rs_code read_certificates(struct rs_web *web, struct rs_error *err)
{
	const struct rs_web_options *options = &web->options;
	if (!options->https)
		return RS_OK;
	if (!options->certificate || !options->key)
		return rs_error_set(err, RS_USAGE, "TLS needs a certificate and its key, as PEM files");
	RS_TRY(read_pem(options->certificate, &web->certificate, err));
	RS_TRY(read_pem(options->key, &web->key, err));
	if (!options->authorities)
		return RS_OK;
	RS_TRY(read_pem(options->authorities, &web->authorities, err));
	return trust_read(web, err);
}

static bool is_loopback(int socket)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof address;
	if (getsockname(socket, (struct sockaddr *)&address, &size) != 0)
		return false;
	if (address.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24 == 127;
	return address.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&address)->sin6_addr);
}

static enum rs_code start(struct rs_web *web, struct door *door, const char *address, bool is_tls,
                          struct rs_error *err)
{
	const struct rs_web_options *options = &web->options;
	struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
	if (!address)
		return RS_OK;
	RS_TRY(rs_socket_listen(address, &door->socket, err));
	door->is_tls = is_tls;
	if (!is_tls && !options->is_proxied && !is_loopback(door->socket))
		return rs_error_set(err, RS_USAGE,
		                    "%s: without TLS only the loopback is listened at; name --https, or say "
		                    "--http-proxied when what is in front of it speaks TLS",
		                    address);
	if (is_tls) {
		size_t count = 0;
		tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, web->certificate};
		tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, web->key};
		if (web->authorities)
			tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
			                                       web->authorities};
		tls[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	}
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
	                 MHD_USE_ITC | (is_tls ? MHD_USE_TLS : 0);
	door->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, exchange_handle, door, MHD_OPTION_LISTEN_SOCKET, door->socket,
		MHD_OPTION_CONNECTION_LIMIT, options->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		options->connections_of_address_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_THREAD_STACK_SIZE, STACK_SIZE, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, door, MHD_OPTION_URI_LOG_CALLBACK,
		exchange_begin, door, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, door,
		is_tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, PRIORITIES, MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
	return door->daemon
	               ? RS_OK
	               : rs_error_set(err, is_tls ? RS_USAGE : RS_IO, "%s: the HTTP server does not start%s",
	                              address, is_tls ? ": look at certificate and key" : "");
}

static enum rs_code prepare(struct rs_web *web, struct rs_error *err)
{
	web->tallies = rs_allocate_array(route_count() + 1, sizeof *web->tallies);
	if (!web->tallies)
		return rs_error_memory(err, route_count(), "counters");
	for (size_t i = 0; i < FINDER_COUNT; i++)
		RS_TRY(rs_finder_create(web->node, &web->finders[i], err));
	RS_TRY(admitters_start(&web->admitters, err));
	RS_TRY(read_certificates(web, err));
	RS_TRY(start(web, &web->doors[0], web->options.http, false, err));
	RS_TRY(start(web, &web->doors[1], web->options.https, true, err));
	int failed = pthread_create(&web->watcher, NULL, watch, web);
	if (failed)
		return rs_error_errno(err, failed, "a thread cannot be started");
	web->is_watched = true;
	return RS_OK;
}

enum rs_code rs_web_open(struct rs_node *node, struct rs_gateway *gateway,
                         const struct rs_web_options *options, const volatile sig_atomic_t *stop,
                         struct rs_web **out, struct rs_error *err)
{
	struct rs_web *web = rs_allocate(sizeof *web);
	pthread_condattr_t attributes;
	if (!web)
		return rs_error_memory(err, sizeof *web, "a server");
	api_prepare();
	web->node = node;
	web->gateway = gateway;
	web->options = *options;
	web->stop = stop;
	web->clock = rs_world_system()->clock;
	for (size_t i = 0; i < RS_WEB_PORT_COUNT; i++)
		web->doors[i] = (struct door){.web = web, .socket = -1};
	pthread_mutex_init(&web->mutex, NULL);
	jobs_init(&web->jobs);
	pthread_mutex_init(&web->rest_mutex, NULL);
	pthread_mutex_init(&web->inflow_mutex, NULL);
	pthread_rwlock_init(&web->trust_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&web->stopped, &attributes);
	pthread_cond_init(&web->unloaded, NULL);
	pthread_condattr_destroy(&attributes);
	enum rs_code code = prepare(web, err);
	if (code != RS_OK) {
		rs_web_close(web);
		return code;
	}
	*out = web;
	return RS_OK;
}

void rs_web_ports(const struct rs_web *web, unsigned out[static RS_WEB_PORT_COUNT])
{
	for (size_t i = 0; i < RS_WEB_PORT_COUNT; i++)
		out[i] = web->doors[i].socket < 0 ? 0 : rs_socket_port(web->doors[i].socket);
}

static void free_pem(char *pem)
{
	if (pem)
		rs_wipe(pem, strlen(pem));
	rs_free(pem);
}

void rs_web_close(struct rs_web *web)
{
	if (!web)
		return;
	begin_to_stop(web);
	if (web->is_watched)
		pthread_join(web->watcher, NULL);
	for (size_t i = 0; i < RS_WEB_PORT_COUNT; i++) {
		if (web->doors[i].daemon)
			MHD_stop_daemon(web->doors[i].daemon);
		if (web->doors[i].socket >= 0)
			close(web->doors[i].socket);
	}
	jobs_finish(&web->jobs);
	inflows_finish(web);
	admitters_end(&web->admitters);
	free_pem(web->certificate);
	free_pem(web->key);
	free_pem(web->authorities);
	trust_finish(web);
	for (size_t i = 0; i < FINDER_COUNT; i++)
		rs_finder_destroy(web->finders[i]);
	pthread_cond_destroy(&web->stopped);
	pthread_cond_destroy(&web->unloaded);
	pthread_mutex_destroy(&web->mutex);
	pthread_mutex_destroy(&web->rest_mutex);
	pthread_mutex_destroy(&web->inflow_mutex);
	rs_free(web->tallies);
	rs_free(web);
}
