/* What the files of the server share among themselves. */
#ifndef RS_WEB_SERVER_H
#define RS_WEB_SERVER_H

#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "jobs.h"
#include "objects.h"
#include "service.h"

#define CLASSES 5 /* of statuses: 1xx … 5xx */
#define BUCKETS 12

/* One for each route, and one for what fits none. */
struct tally {
	atomic_ullong answers[CLASSES];
	atomic_ullong within[BUCKETS]; /* answers by duration, each in one bucket */
	atomic_ullong time_us, received, sent;
};
extern const double bucket_seconds[BUCKETS]; /* the last is endless */

/* Of the list that time is watched for. */
struct connection {
	struct connection *next, **previous;
	int socket;
	_Atomic uint64_t deadline_ns;
	atomic_bool is_busy; /* with a request */
	bool is_late;        /* its time was over; of the thread that watches */
};

struct door {
	struct rs_web *web;
	struct MHD_Daemon *daemon;
	int socket; /* -1: none */
	bool is_tls;
};

#define ADMITTERS 3
#define ADMITTING_MAX 6 /* whole arrivals that lie in memory and wait for a thread */

/* Threads that admit what connections received. */
struct admitters {
	struct admission {
		struct rs_arrival *arrival;
		rs_arrival_done *done;
		void *context;
	} queue[ADMITTING_MAX];
	size_t first, count;
	bool ends;
	pthread_mutex_t mutex;
	pthread_cond_t filled, emptied;
	pthread_t threads[ADMITTERS];
	size_t thread_count;
};
enum rs_code admitters_start(struct admitters *admitters, struct rs_error *err);
void admitters_end(struct admitters *admitters); /* what waits is done; accepts one that did not start */

struct rs_web {
	atomic_ullong late; /* connections whose time was over */
	struct admitters admitters;
	struct rs_node *node;
	struct rs_gateway *gateway;
	struct rs_web_options options;
	const struct rs_clock *clock;
	const volatile sig_atomic_t *stop;
	struct door doors[RS_WEB_PORT_COUNT];
	char *certificate, *key, *authorities; /* contents of the files */
	pthread_rwlock_t trust_lock;           /* guards the list */
	gnutls_x509_trust_list_t trust;
	struct tally *tallies;
	pthread_t watcher;
	bool is_watched;
	atomic_bool stopping;
	struct rs_finder *finders[FINDER_COUNT];
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t stopped, unloaded;
	size_t loaded; /* bytes of objects that requests hold in memory */
	struct connection *connections;
	size_t connection_count;
	atomic_ullong requests;
	struct jobs jobs;
	pthread_mutex_t inflow_mutex; /* guards what devices are sending */
	struct inflow *inflows;
	size_t inflow_count;
	pthread_mutex_t rest_mutex; /* guards options.rest_node */
};

/* What a certificate proves: nothing, or nothing any more, or who it says. */
enum trust { TRUST_NONE, TRUST_REVOKED, TRUST_GOOD };
enum rs_code trust_read(struct rs_web *web, struct rs_error *err); /* what was before stays after a failure */
void trust_finish(struct rs_web *web);
enum trust trust_judge(struct rs_web *web, const gnutls_datum_t *certificates, unsigned count);

/* A request and what the server itself keeps of it. */
struct exchange {
	struct request request;
	struct door *door;
	struct MHD_Connection *connection;
	struct connection *own;
	struct rs_error failure; /* code RS_OK: none */
	bool is_begun, is_refused, is_queued, is_broken;
	uint64_t since_ns, received, sent;
	bool is_judged; /* what the client's certificate proves is known */
	enum trust trust;
	size_t raw_size;
	char raw[]; /* the target as it came, cut after TARGET_SIZE_MAX */
};

/* For MHD. */
enum MHD_Result exchange_handle(void *door, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **context);
void *exchange_begin(void *door, const char *uri, struct MHD_Connection *connection);
void exchange_end(void *door, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode why);

/* As application/problem+json. */
void problem_format(const struct request *request, const struct rs_error *failure, struct rs_buffer *out);
unsigned problem_status(enum rs_code code);

/* Time that a connection has until `size` bytes more have moved. */
void connection_allow(struct rs_web *web, struct connection *connection, uint64_t since_ns, uint64_t size);
void connection_wait(struct connection *connection); /* for us: as long as it takes */

size_t route_count(void);
const struct route *route_at(size_t index); /* in the order of the tallies; route_count() for NULL */
size_t route_index(const struct route *route);

/* Deliveries of devices that are not whole. */
void inflows_finish(struct rs_web *web);

#endif
