/* Listening, threads, time, and the end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "crypto/crypto_certificate.h"
#include "net/net_socket.h"

#define TICK_NS 20000000L
#define TICKS_PER_LOOK 5
#define TICKS_PER_SETTLING 10
#define TICKS_PER_DAY (24u * 3600 * 50)
#define REVOCATIONS_MAX ((size_t)16 << 20)
#define CERTIFICATE_DAYS 30 /* before its end it is warned of */
#define GRACE_NS ((uint64_t)10 * 1000000000)
#define THREADS_MAX 64
#define THREADS_LEAST 4
#define CONNECTIONS_SPARE 256 /* beyond the associations: who has not asked for one, or was refused */

struct listener {
	int socket; /* -1: none */
	bool is_tls;
};

struct rs_gateway {
	struct service service;
	struct rs_gateway_options options;
	struct peers peers;
	struct rs_actor *administrator; /* owned; NULL when another signs */
	SSL_CTX *tls;
	struct listener listeners[RS_GATEWAY_PORT_COUNT];
	int wake;              /* readable for ever once the threads are to end */
	pthread_mutex_t mutex; /* guards the list of connections */
	struct connection *connections;
	size_t connection_count;
	pthread_t threads[THREADS_MAX];
	unsigned thread_count;
};

static void closed(struct connection *connection)
{
	struct rs_gateway *gateway = (struct rs_gateway *)connection->service; /* its first member */
	pthread_mutex_lock(&gateway->mutex);
	*connection->previous = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	gateway->connection_count--;
	pthread_mutex_unlock(&gateway->mutex);
}

static void enlist(struct rs_gateway *gateway, struct connection *connection)
{
	pthread_mutex_lock(&gateway->mutex);
	connection->next = gateway->connections;
	connection->previous = &gateway->connections;
	if (connection->next)
		connection->next->previous = &connection->next;
	gateway->connections = connection;
	gateway->connection_count++;
	pthread_mutex_unlock(&gateway->mutex);
}

/* In numbers; IPv4 within IPv6 as IPv4. */
static void host_of(const struct sockaddr_storage *address, char out[static PEER_HOST_SIZE])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const void *bytes = &v4->sin_addr;
	int family = address->ss_family;
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		bytes = v6->sin6_addr.s6_addr + 12;
		family = AF_INET;
	} else if (family == AF_INET6) {
		bytes = &v6->sin6_addr;
	}
	if (!inet_ntop(family, bytes, out, PEER_HOST_SIZE))
		out[0] = '\0';
}

static void tick(void)
{
	const struct timespec pause = {.tv_nsec = TICK_NS};
	(void)nanosleep(&pause, NULL);
}

/* Another one may take its place meanwhile. */
static SSL_CTX *tls_now(struct rs_gateway *gateway)
{
	pthread_mutex_lock(&gateway->mutex);
	SSL_CTX *tls = gateway->tls;
	(void)SSL_CTX_up_ref(tls);
	pthread_mutex_unlock(&gateway->mutex);
	return tls;
}

static void accept_all(struct rs_gateway *gateway, const struct listener *listener)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof address;
	int socket;
	while ((socket = accept4(listener->socket, (struct sockaddr *)&address, &size,
	                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *connection;
		char host[PEER_HOST_SIZE];
		size = sizeof address;
		host_of(&address, host);
		pthread_mutex_lock(&gateway->mutex);
		bool full = gateway->connection_count >=
		            gateway->options.associations_max + CONNECTIONS_SPARE;
		pthread_mutex_unlock(&gateway->mutex);
		if (full || atomic_load(&gateway->service.stopping)) {
			close(socket);
			continue;
		}
		SSL_CTX *tls = listener->is_tls ? tls_now(gateway) : NULL;
		enum rs_code code = connection_open(&gateway->service, socket, tls, host, &connection, NULL);
		SSL_CTX_free(tls);
		if (code != RS_OK)
			continue;
		enlist(gateway, connection);
		if (!connection_start(connection))
			connection_close(connection);
	}
	/* Without a free file the listener stays ready: nothing is won by asking at once. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		tick();
}

static void *work(void *context)
{
	struct rs_gateway *gateway = context;
	uint8_t *chunk = rs_reallocate(NULL, CHUNK_SIZE);
	for (bool ends = chunk == NULL; !ends;) {
		struct epoll_event event;
		if (epoll_wait(gateway->service.epoll, &event, 1, -1) != 1)
			continue;
		if (event.data.ptr == &gateway->wake)
			ends = true;
		else if (event.data.ptr == &gateway->listeners[0] || event.data.ptr == &gateway->listeners[1])
			accept_all(gateway, event.data.ptr);
		else
			connection_serve(event.data.ptr, chunk);
	}
	rs_free(chunk);
	return NULL;
}

/* Ends connections whose time is over; all that have nothing under way when the server stops. Gives how many are left. */
static size_t look_after(struct rs_gateway *gateway, bool stops)
{
	const struct rs_clock *clock = gateway->service.world->clock;
	uint64_t now = clock->monotonic_ns(clock);
	pthread_mutex_lock(&gateway->mutex);
	for (struct connection *at = gateway->connections; at; at = at->next)
		if (atomic_load(&at->deadline_ns) < now || (stops && !atomic_load(&at->is_busy)))
			connection_expire(at);
	size_t count = gateway->connection_count;
	pthread_mutex_unlock(&gateway->mutex);
	return count;
}

static enum rs_code watch(struct rs_gateway *gateway, int descriptor, void *what, uint32_t events,
                          struct rs_error *err)
{
	struct epoll_event event = {.events = events, .data.ptr = what};
	if (epoll_ctl(gateway->service.epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
		return rs_error_errno(err, errno, "waiting for connections");
	return RS_OK;
}

static enum rs_code listen_at(struct rs_gateway *gateway, size_t index, const char *address, bool is_tls,
                              struct rs_error *err)
{
	struct listener *listener = &gateway->listeners[index];
	if (!address)
		return RS_OK;
	RS_TRY(rs_socket_listen(address, &listener->socket, err));
	listener->is_tls = is_tls;
	return watch(gateway, listener->socket, listener, EPOLLIN | EPOLLEXCLUSIVE, err);
}

static enum rs_code start_threads(struct rs_gateway *gateway, struct rs_error *err)
{
	unsigned count = gateway->options.threads ? gateway->options.threads : 2 * rs_processors();
	if (!gateway->options.threads && count < THREADS_LEAST)
		count = THREADS_LEAST;
	for (unsigned i = 0; i < count && i < THREADS_MAX; i++) {
		int failed = pthread_create(&gateway->threads[i], NULL, work, gateway);
		if (failed)
			return rs_error_errno(err, failed, "a thread cannot be started");
		gateway->thread_count++;
	}
	return RS_OK;
}

static void end_threads(struct rs_gateway *gateway)
{
	const uint64_t one = 1;
	if (write(gateway->wake, &one, sizeof one) != sizeof one)
		return; /* cannot be: nobody reads it */
	for (unsigned i = 0; i < gateway->thread_count; i++)
		pthread_join(gateway->threads[i], NULL);
	gateway->thread_count = 0;
}

/* Every connection is a file. */
static void allow_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum rs_code prepare(struct rs_gateway *gateway, struct rs_node *node, const struct rs_actor *actor,
                            struct rs_error *err)
{
	const struct rs_gateway_options *options = &gateway->options;
	struct service *service = &gateway->service;
	RS_TRY(peers_read(service->world, options->peers, &gateway->peers, err));
	if (options->dicom_tls)
		RS_TRY(tls_server(options->certificate, options->key, options->authorities,
		                  options->revocations, &gateway->tls, err));
	if (options->revocations && !options->authorities)
		return rs_error_set(err, RS_USAGE,
		                    "--revocations says what --authorities revoked: name these, too");
	if (options->revocations && !rs_gateway_revocations_days(gateway, &(double){0}))
		return rs_error_set(err, RS_MALFORMED, "%s: there is no list of revoked certificates in it",
		                    options->revocations);
	service->epoll = epoll_create1(EPOLL_CLOEXEC);
	gateway->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (service->epoll < 0 || gateway->wake < 0)
		return rs_error_errno(err, errno, "waiting for connections");
	RS_TRY(watch(gateway, gateway->wake, &gateway->wake, EPOLLIN, err));
	if (!actor)
		RS_TRY(rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &gateway->administrator, err));
	if (!actor)
		actor = gateway->administrator;
	RS_TRY(rs_intake_open(node, actor, options->memory_max, &service->intake, err));
	service->finding = (struct finding_service){
		.intake = service->intake, .actor = actor, .title = options->ae_title};
	RS_TRY(rs_finder_create(node, &service->finding.finder, err));
	service->retrieving.node = node;
	service->retrieving.intake = service->intake;
	service->retrieving.actor = actor;
	service->retrieving.peers = &gateway->peers;
	service->retrieving.options = options;
	RS_TRY(rs_finder_create(node, &service->retrieving.finder, err));
	RS_TRY(rs_reception_open(node, service->intake, options->log, &service->reception, err));
	RS_TRY(reporter_create(options, &service->reporter, err));
	RS_TRY(listen_at(gateway, 0, options->dicom, false, err));
	return listen_at(gateway, 1, options->dicom_tls, true, err);
}

enum rs_code rs_gateway_open(struct rs_node *node, const struct rs_actor *actor,
                             const struct rs_gateway_options *options, struct rs_gateway **out,
                             struct rs_error *err)
{
	size_t title = options->ae_title ? strlen(options->ae_title) : 0;
	if (title == 0 || title >= RS_TITLE_SIZE)
		return rs_error_set(err, RS_USAGE, "an AE title has 1 to %d characters", RS_TITLE_SIZE - 1);
	struct rs_gateway *gateway = rs_allocate(sizeof *gateway);
	if (!gateway)
		return rs_error_memory(err, sizeof *gateway, "a gateway");
	gateway->options = *options;
	gateway->service.options = &gateway->options;
	gateway->service.peers = &gateway->peers;
	gateway->service.world = rs_world_system();
	gateway->service.closed = closed;
	gateway->service.epoll = gateway->wake = -1;
	for (size_t i = 0; i < RS_GATEWAY_PORT_COUNT; i++)
		gateway->listeners[i].socket = -1;
	pthread_mutex_init(&gateway->mutex, NULL);
	retrieving_service_init(&gateway->service.retrieving);
	allow_files();
	enum rs_code code = prepare(gateway, node, actor, err);
	if (code != RS_OK) {
		(void)rs_gateway_close(gateway, NULL);
		return code;
	}
	*out = gateway;
	return RS_OK;
}

void rs_gateway_ports(const struct rs_gateway *gateway, unsigned out[static RS_GATEWAY_PORT_COUNT])
{
	for (size_t i = 0; i < RS_GATEWAY_PORT_COUNT; i++) {
		int socket = gateway->listeners[i].socket;
		out[i] = socket < 0 ? 0 : rs_socket_port(socket);
	}
}

struct rs_intake *rs_gateway_intake(const struct rs_gateway *gateway) { return gateway->service.intake; }

struct rs_reception *rs_gateway_reception(const struct rs_gateway *gateway)
{
	return gateway->service.reception;
}

const char *rs_gateway_event_name(enum rs_gateway_event event)
{
	static const char *const names[] = {
#define EVENT_NAME(member, name) name,
		RS_GATEWAY_EVENTS(EVENT_NAME)
#undef EVENT_NAME
	};
	return names[event];
}

uint64_t rs_gateway_events(const struct rs_gateway *gateway, enum rs_gateway_event event)
{
	return atomic_load(&gateway->service.events[event]);
}

unsigned rs_gateway_associations(const struct rs_gateway *gateway)
{
	return atomic_load(&gateway->service.associations);
}

/* A ledger or a disk that fails while nobody waits for an answer is told; who comes next is answered with the same. */
static void settle(struct rs_gateway *gateway, bool is_idle)
{
	struct rs_intake *intake = gateway->service.intake;
	struct rs_error err = {0};
	if ((is_idle ? rs_intake_settle(intake, &err) : rs_intake_make_way(intake, &err)) != RS_OK)
		RS_LOG(gateway->options.log, RS_LOG_ERROR, "settling_failed", {"reason", err.message});
}

bool rs_gateway_certificate_days(const struct rs_gateway *gateway, double *out)
{
	if (!gateway->tls)
		return false;
	SSL_CTX *tls = tls_now((struct rs_gateway *)(uintptr_t)gateway);
	*out = tls_days_left(tls);
	SSL_CTX_free(tls);
	return true;
}

bool rs_gateway_revocations_days(const struct rs_gateway *gateway, double *out)
{
	struct rs_buffer pem RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = gateway->options.revocations;
	return path && rs_file_read_all(gateway->service.world, path, REVOCATIONS_MAX, &pem, NULL) == RS_OK &&
	       rs_revocations_days(rs_buffer_bytes(&pem), out, NULL) == RS_OK;
}

/* With the files as they are now. What cannot be read leaves things as they were. */
static void read_again(struct rs_gateway *gateway)
{
	const struct rs_gateway_options *options = &gateway->options;
	SSL_CTX *now = NULL;
	struct rs_error err = {0};
	if (!gateway->tls)
		return;
	if (tls_server(options->certificate, options->key, options->authorities, options->revocations, &now,
	               &err) != RS_OK) {
		RS_LOG(options->log, RS_LOG_ERROR, "certificates_not_read", {"reason", err.message});
		return;
	}
	pthread_mutex_lock(&gateway->mutex);
	SSL_CTX *before = gateway->tls;
	gateway->tls = now;
	pthread_mutex_unlock(&gateway->mutex);
	SSL_CTX_free(before);
	RS_LOG(options->log, RS_LOG_INFO, "certificates_read", {"reason", "the server was asked to"});
}

/* Once a day, while there is time to renew it. */
static void warn_of_certificate(const struct rs_gateway *gateway)
{
	char left[32];
	double days;
	if (rs_gateway_revocations_days(gateway, &days) && days <= CERTIFICATE_DAYS) {
		snprintf(left, sizeof left, "%.1f", days);
		RS_LOG(gateway->options.log, days > 0 ? RS_LOG_WARNING : RS_LOG_ERROR,
		       days > 0 ? "revocations_end" : "revocations_ended", {"days_left", left},
		       {"reason",
		        "certificates cannot be checked from then on, and are refused: put a new list there"});
	}
	if (!rs_gateway_certificate_days(gateway, &days) || days > CERTIFICATE_DAYS)
		return;
	snprintf(left, sizeof left, "%.1f", days);
	RS_LOG(gateway->options.log, days > 0 ? RS_LOG_WARNING : RS_LOG_ERROR,
	       days > 0 ? "certificate_ends" : "certificate_ended", {"days_left", left},
	       {"certificate", gateway->options.certificate},
	       {"reason", "peers refuse it from then on: put a new one there and start the server again"});
}

enum rs_code rs_gateway_run(struct rs_gateway *gateway, const volatile sig_atomic_t *stop,
                            struct rs_error *err)
{
	const struct rs_clock *clock = gateway->service.world->clock;
	enum rs_code code = start_threads(gateway, err);
	const volatile sig_atomic_t *hangups = gateway->options.hangups;
	sig_atomic_t seen = hangups ? *hangups : 0;
	for (unsigned ticks = 0; code == RS_OK && !*stop; ticks++) {
		tick();
		if (hangups && *hangups != seen) {
			seen = *hangups;
			read_again(gateway);
		}
		if (ticks % TICKS_PER_LOOK == 0)
			(void)look_after(gateway, false);
		settle(gateway, ticks % TICKS_PER_SETTLING == 0);
		if (ticks % TICKS_PER_DAY == 0)
			warn_of_certificate(gateway);
	}
	atomic_store(&gateway->service.stopping, true);
	uint64_t until = clock->monotonic_ns(clock) + GRACE_NS;
	while (look_after(gateway, true) > 0 && clock->monotonic_ns(clock) < until)
		tick();
	atomic_store(&gateway->service.ending, true);
	hands_wait(&gateway->service.retrieving.hands);
	end_threads(gateway);
	return code;
}

enum rs_code rs_gateway_close(struct rs_gateway *gateway, struct rs_error *err)
{
	if (!gateway)
		return RS_OK;
	rs_reception_close(gateway->service.reception); /* nobody waits for it any more */
	while (gateway->connections)
		connection_close(gateway->connections);
	reporter_destroy(gateway->service.reporter);
	rs_finder_destroy(gateway->service.finding.finder);
	retrieving_service_finish(&gateway->service.retrieving);
	enum rs_code code = rs_intake_close(gateway->service.intake, err);
	rs_actor_close_pointer(&gateway->administrator);
	for (size_t i = 0; i < RS_GATEWAY_PORT_COUNT; i++)
		if (gateway->listeners[i].socket >= 0)
			close(gateway->listeners[i].socket);
	if (gateway->wake >= 0)
		close(gateway->wake);
	if (gateway->service.epoll >= 0)
		close(gateway->service.epoll);
	SSL_CTX_free(gateway->tls);
	peers_finish(&gateway->peers);
	pthread_mutex_destroy(&gateway->mutex);
	rs_free(gateway);
	return code;
}
